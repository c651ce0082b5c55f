"""Markup inside of sentences that changes what a plain text says: raised and struck out words, quotation marks that
only the browser sets, and words that stand twice, once for the eye and once for the ear.
"""

from __future__ import annotations

import re

from lxml import etree

from pipelines.pattern_sets import in_bytes
from pipelines.reading.body.blocks import plain
from pipelines.reading.languages import either
from pipelines.reading.page.tree import BLOCK_TAGS, HEADINGS, content, delete, one_line, raw

_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_RAISABLE = re.compile(r"[0-9+\-−=()n]{1,6}")
_FOOTNOTE = re.compile(r"[\[(]?(?:\d{1,3}|[a-z*†‡§]{1,2})(?:\s?[,;–-]\s?\d{1,3})*[\])]?")
_FOOTNOTE_NAMES = re.compile(rf"fn-?ref|citation|cite-?ref|noteref|{either('class_names.footnote')}", re.I)
_NUMBER = re.compile(r"[\[(]?\d{1,3}[\])]?")
_BACK = tuple("↩↑⤴^")  # from a footnote to where it is set
_DIGITS = re.compile(r"\d{1,2}\Z")
_CLOCK = re.compile(rf"\s*{either('dates.clock_words')}\b")
_MONEY = re.compile(rf"\s*(?:€|EUR|CHF|Fr\.|\$|£|{either('body.money')})")
_STRUCK = ("del", "s", "strike")
_STYLED = etree.XPath("descendant::span/@style/..")
_SUPERSCRIPTS = etree.XPath("descendant::span/@class[contains(., 'superscript') or . = 'sup']/..")
_IS_RAISED = re.compile(r"vertical-align\s*:\s*(?:super|text-top)")
_OUT_OF_SIGHT = re.compile(r"(?:left|top|text-indent)\s*:\s*-\d{3,}|clip\s*:\s*rect|clip-path\s*:\s*inset\(\s*50%")
_ROLES = etree.XPath("/descendant::*/@role[.='doc-noteref' or .='tooltip' or .='table']/..")
_NOTES = etree.XPath("descendant::a/@href[starts-with(., '#f') or starts-with(., '#_f') or starts-with(., '#cite')]/..")
# what those two look for, as it stands in a page; colours and scripts have "#f" and "tooltip" as well
_RARE = (in_bytes(r"""role=["']?(?:doc-noteref|tooltip|table)"""), in_bytes("#(?:fn|foot|_ft|cite)"))
_WHOLE = ("h1", "center", "noindex")
_CELLS = {"row": "tr", "cell": "td", "rowheader": "th", "columnheader": "th", "rowgroup": "tbody"}
_HIDDEN_FROM_EAR = etree.XPath("/descendant::*/@aria-hidden[.='true']/..")
_COMMENTS = re.compile(rf"\bcomments?\b|#respond|#disqus|{either('class_names.comments')}", re.I)
_LONGEST_CELL = 200  # characters
_MOST_STRUCK = 600  # characters; more than a correction, it was never closed
_UNSEEN_BY_EAR = (
    "visually-hidden",
    "visuallyhidden",
    "hiddenvisually",
    "sr-only",
    "screen-reader",
    "screenreader",
    "a11y",
    "assistive",
)
_QUOTES = {"de": "„“", "fr": "«»", "it": "«»", "es": "«»", "pl": "„”", "nl": "“”", "da": "»«"}
_MARKS = "\"'„“”‚‘’«»‹›"


def resolve(tree: etree._Element, language: str | None, page: bytes | None = None) -> None:
    """Write into the text of *tree* what its inline markup says. *language* chooses the marks of ``<q>``. The bytes of
    the *page*, where they are given, spare looking for what is rare.
    """
    walked = list(tree.iter("sup", "q", *_STRUCK, *_WHOLE))  # once: a walk costs more than what is done on most pages
    whole = [each for each in walked if each.tag in _WHOLE]
    marked = [*(each for each in walked if each.tag not in _WHOLE), *_SUPERSCRIPTS(tree)]
    for span in _STYLED(tree):
        style = span.get("style") or ""
        if "line-through" in style or _IS_RAISED.search(style):
            marked.append(span)
    marks = _QUOTES.get((language or "")[:2].lower(), "“”")
    opening, closing = marks[0], marks[1]
    for element in marked:
        if element.tag == "sup" or (element.tag == "span" and "line-through" not in (element.get("style") or "")):
            _raise(element)
        elif element.tag == "q":
            _quote(element, opening, closing)
        else:
            _strike(element)
    if page is None or any(stands_in(page) for stands_in in _RARE):
        _resolve_rare(tree)
    _one_of_doubles(tree)
    for element in whole:
        if element.tag == "h1":
            _leave_headline(element)
        else:
            element.tag = "div"  # trafilatura leaves such text out


def write_out_cells(tree: etree._Element) -> None:
    """Write the lists and headings in cells of figures and words as their text: trafilatura leaves them out."""
    for cell in tree.iter("td"):
        inside = {each.tag for each in cell.iterdescendants()} if len(cell) else set()
        if inside & {"li", "h3", "h4", "h5"} and not inside & {"a", "p", "table", "img", "input"}:
            text = content(cell)
            if len(text) <= _LONGEST_CELL:
                for child in list(cell):
                    cell.remove(child)
                cell.text = text


def _leave_headline(headline: etree._Element) -> None:
    """Take out of a headline the words that only screen readers say, and its link to the comments."""
    for child in list(headline.iterdescendants("span", "a", "small")):
        is_beside = _is_for_ear(child) or _COMMENTS.search(f"{child.get('href')} {child.get('class')}")
        text = raw(child).strip()
        if is_beside and text[:1].isalnum() and 2 * len(text) < len(raw(headline).strip()):
            delete(child)


def _resolve_rare(tree: etree._Element) -> None:
    """Tables and tooltips by their roles, and marks of footnotes that are links alone."""
    for element in _ROLES(tree):
        _as_role_says(element)
    for link in _NOTES(tree):
        text = (link.text or "").strip() if len(link) == 0 else ""
        if text[:1] in _BACK or (_NUMBER.fullmatch(text) and _before(link)[-1:].strip()):
            delete(link)


def _as_role_says(element: etree._Element) -> None:
    """Take out the mark of a footnote and what only shows when a pointer rests on a word; make a table of a table."""
    if element.get("role") != "table":
        if element.tag not in HEADINGS:
            delete(element)
        return
    element.tag = "table"
    for each in element.iterdescendants():
        each.tag = _CELLS.get(each.get("role") or "", each.tag)


def _raise(element: etree._Element) -> None:
    """'2019<sup>3</sup>' is '2019³', '20<sup>15</sup> Uhr' is '20:15 Uhr', and a link to a footnote is no word."""
    text = one_line(raw(element))
    if _is_footnote(element, text):
        delete(element)
        return
    if len(element) or not _RAISABLE.fullmatch(text):
        return
    before, after = _before(element), element.tail or ""
    below = element.getnext()
    if after.strip() in ("/", "⁄") and below is not None and below.tag == "sub":
        element.text, element.tail = f" {text}" if before[-1:].isdigit() else text, "/"
        return
    if len(text) == 2 and text.isdigit() and _DIGITS.search(before):
        if _CLOCK.match(after) and int(text) < 60:
            element.text = f":{text}"
            return
        if _MONEY.match(after):
            element.text = f",{text}"
            return
    element.text = text.translate(_RAISED)


def _is_footnote(element: etree._Element, text: str) -> bool:
    if not _FOOTNOTE.fullmatch(text):
        return False
    links = [*element.iter("a"), *(above for above in element.iterancestors("a"))]
    if any("#" in (link.get("href") or "") for link in links):
        return True
    return bool(_FOOTNOTE_NAMES.search(f"{element.get('class') or ''} {element.get('id') or ''}"))


def _before(element: etree._Element) -> str:
    before, parent = element.getprevious(), element.getparent()
    text = before.tail if before is not None else parent.text if parent is not None else None
    return (text or "")[-4:]


def _strike(element: etree._Element) -> None:
    """What was struck out is no longer said; one that holds the article was never closed."""
    if element.getparent() is None:
        return
    blocks = sum(1 for child in element.iterdescendants() if child.tag in BLOCK_TAGS)
    if len(raw(element)) > _MOST_STRUCK or blocks > 1 or (blocks and _most_of_page(element)):
        element.tag = "div" if element.tag in _STRUCK else element.tag
    else:
        delete(element)


def _most_of_page(element: etree._Element) -> bool:
    return len(raw(element)) * 3 > len(raw(element.getroottree().getroot().find("body")))


def _quote(element: etree._Element, opening: str, closing: str) -> None:
    text = one_line(raw(element))
    if not text or text[0] in _MARKS or _before(element)[-1:] in tuple(_MARKS):
        return
    element.text = opening + (element.text or "").lstrip()
    last = element[-1] if len(element) else None
    if last is None:
        element.text = element.text.rstrip() + closing
    else:
        last.tail = (last.tail or "").rstrip() + closing


# -- for the eye and for the ear ---------------------------------------------------------------------------------------


def _one_of_doubles(tree: etree._Element) -> None:
    """Keep what is seen where words stand twice in a sentence: once hidden from screen readers, once for them alone."""
    for seen in _HIDDEN_FROM_EAR(tree):
        if seen.tag in BLOCK_TAGS or seen.tag in ("svg", "i", "img", "button") or not raw(seen).strip():
            continue
        heard = next((near for near in _near(seen) if _is_for_ear(near)), None)
        if heard is None:
            if _is_in_sentence(seen):
                seen.attrib.pop("aria-hidden")
            continue
        if plain(raw(seen)) == plain(raw(heard)):
            heard.attrib.clear()
            delete(seen)
        else:
            seen.attrib.pop("aria-hidden")
            delete(heard)


def _near(element: etree._Element) -> tuple[etree._Element, ...]:
    """The siblings next to an element with no text between."""
    found = []
    after, before = element.getnext(), element.getprevious()
    if after is not None and not (element.tail or "").strip():
        found.append(after)
    if before is not None and not (before.tail or "").strip():
        found.append(before)
    return tuple(found)


def _is_for_ear(element: etree._Element) -> bool:
    names = (element.get("class") or "").lower()
    return any(name in names for name in _UNSEEN_BY_EAR) or bool(_OUT_OF_SIGHT.search(element.get("style") or ""))


def _is_in_sentence(element: etree._Element) -> bool:
    """Whether words that are hidden from screen readers are part of a longer sentence: a first letter, an abbreviation.
    Signs and the names of symbols are none."""
    parent, text = element.getparent(), raw(element).strip()
    if parent is None or parent.tag != "p" or element.tag not in ("span", "em", "strong", "b"):
        return False
    if "icon" in (element.get("class") or "").lower() or not any(map(str.isalnum, text)):
        return False
    return len(raw(parent)) > 3 * len(text) + 40
