"""Where a page's prose stands, and the element that holds nearly all of it: the core, by general rules."""

from __future__ import annotations

from lxml import etree

from pipelines.reading.page.tree import BLOCK_TAGS, link_length

_SHARE = 0.8  # of the prose, that the core holds
_NO_FRAME = ("p", "li", "tr", "tbody", "td", "ul", "ol", "blockquote", "table", "span", "font")
# two in three runs of more than 30 characters are the blanks that indent a page's source
_LONG_TEXTS = etree.XPath("descendant::text()[normalize-space()][string-length() > 30][not(ancestor::a)]")
_DENSE_TEXTS = etree.XPath("descendant::text()[normalize-space()][string-length() > 9][not(ancestor::a)]")
_DENSE_LANGUAGES = ("ko", "ja", "zh")
# from here on a character says as much as two (Hangul) or three (Kana, Han) of an alphabet
_FIRST_DENSE, _FIRST_HANGUL, _LAST_HANGUL = "\u2e80", "\uac00", "\ud7a3"
_LEAST_PIECE, _LEAST_PROSE, _LEAST_DENSE = 30, 60, 80


def prose_in(root: etree._Element) -> dict[etree._Element, int]:
    """The elements that read like prose, with its length: a long run of text of their own, and little of it links."""
    found: dict[etree._Element, int] = {}
    whole = root.getroottree().getroot()
    is_dense = (whole.get("lang") or "")[:2].lower() in _DENSE_LANGUAGES or weight(whole.findtext("head/title") or "")[
        1
    ]
    least = _LEAST_DENSE if is_dense else _LEAST_PROSE
    for piece in (_DENSE_TEXTS if is_dense else _LONG_TEXTS)(root):
        length = weight(piece)[0] if is_dense else len(piece.strip())
        if length < _LEAST_PIECE:
            continue
        owner = piece.getparent()
        if piece.is_tail:
            owner = owner.getparent()
        while owner is not None and owner.tag not in BLOCK_TAGS:
            owner = owner.getparent()
        if owner is not None:
            found[owner] = found.get(owner, 0) + length
    return {
        element: length for element, length in found.items() if length >= least and link_length(element) * 3 < length
    }


def prose_length(root: etree._Element) -> int:
    """Characters of prose in an element."""
    return sum(prose_in(root).values())


def weight(text: str) -> tuple[int, bool]:
    """How much a text says, in characters of an alphabet, and whether its script says more with each."""
    text = text.strip()
    middle = len(text) // 2
    sign = max(text[middle], text[middle - 1]) if text else ""
    if sign < _FIRST_DENSE:
        return len(text), False
    return len(text) * (2 if _FIRST_HANGUL <= sign <= _LAST_HANGUL else 3), True


def masses_of(prose: dict[etree._Element, int]) -> dict[etree._Element, int]:
    """How much prose every element holds."""
    masses: dict[etree._Element, int] = {}
    for element, length in prose.items():
        masses[element] = masses.get(element, 0) + length
        for above in element.iterancestors():
            masses[above] = masses.get(above, 0) + length
    return masses


def core_of(root: etree._Element, masses: dict[etree._Element, int], headline: etree._Element | None) -> etree._Element:
    """The innermost element that holds nearly all of the page's prose, or most of it together with the headline."""
    above = set(headline.iterancestors()) if headline is not None else set()
    core = root
    while True:
        mass = masses.get(core, 0)
        inner = max(core, key=lambda child: masses.get(child, 0), default=None)
        if inner is not None and inner.tag == "table":
            inner = _cell_of_layout(inner, masses)
        if inner is None or inner.tag in _NO_FRAME:
            return core
        share = masses.get(inner, 0) / mass if mass else 0
        is_most = share > _SHARE or (share > 0.4 and inner in above and core.tag != "article")
        if not is_most or (share <= _SHARE and _goes_on(inner, masses)):
            return core
        core = inner


def _goes_on(article: etree._Element, masses: dict[etree._Element, int]) -> bool:
    """Whether another <article> without a headline of its own goes on with one."""
    if article.tag != "article":
        return False
    return any(
        each.tag == "article"
        and masses.get(each, 0) * 3 > masses[article]
        and not any(True for _ in each.iter("h1", "h2", "h3"))
        for each in article.itersiblings()
    )


def _cell_of_layout(table: etree._Element, masses: dict[etree._Element, int]) -> etree._Element:
    """The cell that holds a page's prose where a table lays out the page; made a block, since it is none of a table."""
    for cell in table.iter("td"):
        if masses.get(cell, 0) > _SHARE * masses.get(table, 0) and len(cell.findall(".//p")) >= 3:
            cell.tag = "div"
            return cell
    return table
