"""The table of facts that some pages carry beside the text: 'Ort', 'Quellen', 'Datum' -> a dict.

Only tables of two columns whose first column names things count. A table of results or prices is part of the article.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree

from pipelines.items import Removed
from pipelines.reading.languages import either
from pipelines.reading.page.tree import raw
from pipelines.reading.textlines import bare

Details = dict[str, str | list[str]]

_TITLES = re.compile(rf"{either('body.fact_titles')}\W*", re.IGNORECASE)
_LABELS = re.compile(either("body.fact_labels"), re.IGNORECASE)
_NUMBER = re.compile(r"[+±−–-]?\d[\d.,:'’ ]*(?<! )")
_GENERIC_VALUE = re.compile(either("body.fact_heads"), re.IGNORECASE)
_DELIMITER = re.compile(r"[\s|:+=-]+")
_ITEM_BREAK = re.compile(r"(?:<li[^<>]*>|</li>|<br\s*/?>|<ul[^<>]*>|</?ol[^<>]*>|</ul>|\s*[•·▪◦●]\s*)+", re.IGNORECASE)
_CELL_BREAK = re.compile(r"(?<!\\)\|")
_CAPTION = etree.XPath("string(caption)", smart_strings=False)
LONGEST_LABEL = 40
LONGEST_VALUE = 600
MOST_FACTS = 30


def from_rows(rows: Sequence[Sequence[str]], *, is_titled: bool = False) -> Details:
    """The facts in *rows* of (label, value); the value may hold HTML or bullets. Empty when this is no table of facts.

    *is_titled*: a heading such as 'Details' stands over the table.
    """
    rows = [row for row in ([cell.strip() for cell in row] for row in rows) if any(row)]
    if not rows or len(rows) > MOST_FACTS:
        return {}
    filled = [cell for cell in rows[0] if cell]
    if len(filled) == 1 and len(filled[0]) <= LONGEST_LABEL and len(rows) > 1:
        rows, is_titled = rows[1:], is_titled or bool(_TITLES.fullmatch(bare(filled[0])))
    elif len(filled) == 2 and _GENERIC_VALUE.fullmatch(bare(filled[1])):
        rows = rows[1:]
    facts: Details = {}
    named = 0
    for row in rows:
        cells = [cell for cell in row if cell]
        if len(cells) != 2 or not row[0]:
            return {}
        label = bare(cells[0]).rstrip(" :")
        if not label or len(label) > LONGEST_LABEL or not label[0].isalpha() or len(cells[1]) > LONGEST_VALUE:
            return {}
        value = _value(cells[1])
        if value:
            facts[label] = value
        named += bool(_LABELS.fullmatch(label))
    if not named and _are_results(list(facts.values())):
        return {}
    # without a title over it, half of its labels must be such as only a table of facts has
    return facts if facts and (is_titled or named * 2 >= len(facts)) else {}


def _are_results(values: Sequence[str | list[str]]) -> bool:
    """Whether all values are numbers of one kind: '41,2 Prozent', '33,8 Prozent' are results and no facts."""
    if len(values) > 2 and not any(map(str.isdigit, str(values[0]))):  # what its column is called
        values = values[1:]
    kinds = {_NUMBER.sub("0", value) if isinstance(value, str) else "" for value in values}
    return len(values) >= 2 and len(kinds) == 1 and "0" in next(iter(kinds))


def _value(cell: str) -> str | list[str]:
    items = [text for text in (bare(part).strip(" ,;") for part in _ITEM_BREAK.split(cell)) if text]
    is_list = len(items) > 1 or re.search(r"<(?:li|ul|ol)\b", cell, re.IGNORECASE)
    return items if is_list and items else " ".join(items)


def from_text(lines: Sequence[str], *, is_titled: bool = False) -> Details:
    """The facts in the lines of a markdown table; empty when this is no table of facts."""
    rows = [_split(line) for line in lines if not is_delimiter(line)]
    return from_rows(rows, is_titled=is_titled)


def _split(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in _CELL_BREAK.split(inner)]


def cells(line: str) -> list[str]:
    """The cells of a line of a markdown table, without markup."""
    return [bare(cell) for cell in _split(line)]


def is_delimiter(line: str) -> bool:
    """Whether *line* is the one of dashes under a markdown table's head."""
    return bool(_DELIMITER.fullmatch(line))


def is_title(text: str) -> bool:
    """Whether *text* is a heading that stands over a table of facts."""
    return bool(_TITLES.fullmatch(text.strip()))


def from_tree(tree: etree._Element) -> tuple[Details, list[etree._Element]]:
    """The facts in the tables, definition lists and lists of labels of a page, and the elements that hold them."""
    facts: Details = {}
    holders: list[etree._Element] = []
    for element in tree.iter("table", "dl", "ul"):
        if element.tag == "ul" and not _labels_items(element):
            continue
        if holders and any(other in holders for other in element.iterancestors("table", "dl")):
            continue
        rows = _ROWS[element.tag](element)
        before = element.getprevious()
        caption = " ".join(_CAPTION(element).split()) if element.tag == "table" else ""
        heading = " ".join(raw(before).split()) if before is not None and _is_short(before) else ""
        is_titled = is_title(caption) or is_title(heading)
        # a list with labels is a common way to structure a text: only its title makes it one of facts
        found = from_rows(rows, is_titled=is_titled) if is_titled or element.tag != "ul" else {}
        if found:
            facts = {**found, **facts}
            holders.append(element)
    return facts, holders


def taken_from(tree: etree._Element) -> tuple[Details, list[Removed]]:
    """Take the tables of facts out of a page: the facts, and what was removed."""
    facts, holders = from_tree(tree)
    removed = [Removed(" ".join(" ".join(holder.itertext()).split())[:500], "details") for holder in holders]
    for holder in holders:
        before = holder.getprevious()
        if before is not None and _is_short(before) and is_title(raw(before)):
            _drop(before)
        _drop(holder)
    return facts, removed


def _drop(element: etree._Element) -> None:
    """Take *element* out of its tree and leave the text behind it."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _is_short(element: etree._Element) -> bool:
    return isinstance(element.tag, str) and element.tag in ("h2", "h3", "h4", "h5", "h6", "p", "strong", "b", "div")


def _table_rows(table: etree._Element) -> list[list[str]]:
    """No rows where one has three cells with text: such a table is none of facts, and nine in ten cells are theirs."""
    rows = []
    for row in table.iter("tr"):
        cells = [_inner(cell) for cell in row if cell.tag in ("td", "th")]
        if sum(map(bool, cells)) > 2:
            return []
        if cells:
            rows.append(cells)
        if len(rows) > MOST_FACTS:
            break
    return rows


def _definitions(element: etree._Element) -> list[list[str]]:
    rows: list[list[str]] = []
    for child in element.iter("dt", "dd"):
        if child.tag == "dt":
            rows.append([_inner(child), ""])
        elif rows:
            rows[-1][1] += ("<li>" if rows[-1][1] else "") + _inner(child)
    return rows


def _labels_items(element: etree._Element) -> bool:
    """Whether a list's first item begins with a label: '<li><b>Ort:</b> Neustadt</li>'."""
    label = next((first for item in element.iterchildren("li") for first in item), None)
    if label is None or (label.getparent().text or "").strip():
        return False
    return label.tag in ("strong", "b") and _label(label) is not None


def _label(element: etree._Element) -> str | None:
    """A bold label without its colon, which may stand behind it; None for other bold text."""
    text, tail = _text(element), (element.tail or "").lstrip()
    return text.rstrip(" :") if text.endswith(":") or tail.startswith(":") else None


def _list_rows(element: etree._Element) -> list[list[str]]:
    rows = []
    for item in element.iterchildren("li"):
        label = next(iter(item), None)
        name = _label(label) if label is not None and label.tag in ("strong", "b") else None
        if not name:
            return []
        rest = _text(item).removeprefix(_text(label)).lstrip(" :")
        rows.append([name, rest])
    return rows


_ROWS = {"table": _table_rows, "dl": _definitions, "ul": _list_rows}


def _inner(element: etree._Element) -> str:
    """The text of a cell with marks where its list items and line breaks are."""
    pieces: list[str] = []
    items = list(element.iter("li"))
    if items:
        return "<ul>" + "".join(f"<li>{_text(item)}" for item in items)
    for node in element.iter():
        if node.tag == "br":
            pieces.append("<br>")
        elif isinstance(node.tag, str) and node.text:
            pieces.append(_escaped(node.text))
        if node is not element and node.tail:
            pieces.append(_escaped(node.tail))
    return " ".join("".join(pieces).split())


def _text(element: etree._Element) -> str:
    return _escaped(" ".join(raw(element).split()))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
