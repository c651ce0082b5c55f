"""Elements as blocks: of a container that is read as it stands, and of what trafilatura gives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from lxml import etree

from pipelines.reading.body.blocks import Block
from pipelines.reading.languages import either
from pipelines.reading.page.tree import BLOCK_TAGS, HEADINGS, content, one_line, raw

_TEXT_HOLDERS = frozenset(("p", "li", "blockquote")) | HEADINGS
_NOT_PROSE = ("table", "dl", "form", "pre", "label")
_LEAST_PROSE = 250  # characters
_LINE = 60  # characters; a shorter paragraph that ends without a full stop is a line
_SENTENCE_END = re.compile(r"[.!?:…。！？।؟۔][\"“”»«'’)\]」』]*\Z|[\"“”»«]\Z|[\u0e00-\u0eff]\Z")
_LONGEST_HEADING = 200
_CREDITS = re.compile(rf"[©(]|{either('body.picture', 'body.picture_source')}")
_INNER = frozenset(("form", "fieldset", "hr", "address", "label", "legend"))
_BOXES = BLOCK_TAGS - _TEXT_HOLDERS
_SHEER = frozenset(("span", "font"))  # inline elements that say nothing of their text
_WHOLE = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "table", "pre"))


def open_paragraphs(core: etree._Element) -> None:
    """Make paragraphs of a container's inline elements that only a style sheet shows as such: neighbours of one tag
    with whole sentences in them, which would run into each other on the page, or elements of the site's own making.
    """
    alike: dict[str, list[etree._Element]] = {}
    for element in core.iter("*"):
        if element.tag in _SHEER or "-" in element.tag:
            parent = element.getparent()
            if parent is not None and (parent.tag in _BOXES or "-" in parent.tag) and _stands_as_block(element):
                alike.setdefault(element.tag, []).append(element)
    for tag, elements in alike.items():
        counts = Counter(each.getparent() for each in elements)
        beside = [each for each in elements if "-" in tag or counts[each.getparent()] > 1]
        texts = [text for each in beside if _is_sentence(text := raw(each).strip())]
        if len(texts) > 1 and ("-" in tag or (any(map(_ends_line, beside)) and _are_most(texts, core))):
            for element in elements:
                element.tag = "p"


def _are_most(texts: Sequence[str], core: etree._Element) -> bool:
    """Whether most of a container's text is in *texts*: else what is left would be the only text without a block."""
    return 2 * sum(map(len, texts)) > len(one_line(raw(core)))


def _stands_as_block(element: etree._Element) -> bool:
    """Whether an element has no text beside it and no block in it."""
    before, parent = element.getprevious(), element.getparent()
    beside = before.tail if before is not None else parent.text if parent is not None else None
    if (beside and beside.strip()) or (element.tail and element.tail.strip()):
        return False
    return not any(each.tag in BLOCK_TAGS or "-" in each.tag for each in element.iterdescendants())


def _ends_line(element: etree._Element) -> bool:
    """Whether a neighbour of the same tag follows in the next line of the source, or without a blank."""
    after, between = element.getnext(), element.tail or "\n"
    return after is not None and after.tag == element.tag and "\n" in between


def _is_sentence(text: str) -> bool:
    return len(text) >= _LINE and bool(_SENTENCE_END.search(text))


def is_prose(core: etree._Element) -> bool:
    """Whether a container holds paragraphs, headings and lists and nothing that is neither: then they are its blocks,
    and trafilatura would find the same.
    """
    if next(core.iter(*_NOT_PROSE), None) is not None:
        return False
    links: Counter[etree._Element] = Counter()
    for link in core.iter("a"):
        owner = next((above for above in link.iterancestors() if above.tag in BLOCK_TAGS), core)
        links[owner] += len(raw(link))
    length, is_whole = 0, True
    for element in core.iter(*BLOCK_TAGS):
        tag = element.tag
        if tag not in _TEXT_HOLDERS:
            if _has_text_of_its_own(element):
                return False
        elif tag in ("p", *HEADINGS) or element in links:
            text = raw(element).strip()
            if tag in HEADINGS and len(text) > _LONGEST_HEADING:
                return False
            if links[element] * 2 > len(text):
                return False
            if tag == "p" and text:
                is_whole = len(text) >= _LINE or bool(_SENTENCE_END.search(text))
                if not is_whole and (element in links or _CREDITS.match(text)):
                    return False
                length += len(text)
    return length >= _LEAST_PROSE and is_whole  # a line that ends it leads elsewhere


def _has_text_of_its_own(element: etree._Element) -> bool:
    """Whether text stands in a container without a paragraph around it."""
    if element.text and element.text.strip():
        return True
    for child in element:
        if child.tail and child.tail.strip():
            return True
        if child.tag not in BLOCK_TAGS and child.tag != "br" and raw(child).strip():
            return True
    return False


def direct(core: etree._Element) -> list[Block]:
    """The blocks of a container that is known to hold the article and nothing else, without asking trafilatura."""
    blocks: list[Block] = []
    pieces: list[str] = []
    _walk(core, blocks, pieces)
    _flush(blocks, pieces)
    return blocks


def _walk(element: etree._Element, blocks: list[Block], pieces: list[str]) -> None:
    """Collect the blocks below *element*; *pieces* is the text that stands there without a block of its own."""
    pieces.append((element.text or "").replace("\n", " "))
    for child in element:
        tag = child.tag
        if tag in _INNER:
            _flush(blocks, pieces)
        elif tag in _WHOLE:
            _flush(blocks, pieces)
            blocks.extend(block for block in _block(child) if block.text)
        elif tag == "br":
            pieces.append("\n")
        elif tag in BLOCK_TAGS:
            _flush(blocks, pieces)
            _walk(child, blocks, pieces)
            _flush(blocks, pieces)
        else:
            _walk(child, blocks, pieces)
        pieces.append((child.tail or "").replace("\n", " "))


def _flush(blocks: list[Block], pieces: list[str]) -> None:
    if pieces:
        lines = (one_line(line) for line in "".join(pieces).split("\n"))
        blocks.extend(Block("paragraph", line) for line in lines if line)
        pieces.clear()


def blocks_in(body: etree._Element) -> Iterator[Block]:
    """trafilatura's result as blocks, line breaks as paragraphs of their own."""
    if body.text and body.text.strip():
        yield Block("paragraph", one_line(body.text))
    for element in body:
        yield from _block(element)
        if element.tail and element.tail.strip():
            yield Block("paragraph", one_line(element.tail))


def _block(element: etree._Element) -> Iterator[Block]:
    tag = element.tag
    if tag in ("head", "h1", "h2", "h3", "h4", "h5", "h6"):
        level = (element.get("rend") or str(tag))[-1:]
        yield Block("heading", content(element), level=int(level) if level.isdigit() else 3)
    elif tag in ("list", "ul", "ol", "dl"):
        items = tuple(filter(None, (content(item) for item in element)))
        if items:
            yield Block("list", "\n".join(items), items=items)
    elif tag in ("quote", "blockquote"):
        text = "\n".join(_lines(element))
        if text:
            yield Block("quote", text)
    elif tag == "table":
        rows = tuple(tuple(content(cell) for cell in row.iter("cell", "td", "th")) for row in element.iter("row", "tr"))
        rows = tuple(row for row in rows if any(row))
        if rows:
            yield Block("table", "\n".join(" ".join(filter(None, row)) for row in rows), rows=rows)
    elif tag == "code":
        yield Block("code", "".join(element.itertext()).strip("\n"))
    else:
        for line in _lines(element):
            yield Block("paragraph", line)


def _lines(element: etree._Element) -> list[str]:
    """The lines of an element, cut at its line breaks and inner blocks."""
    pieces = [element.text or ""]
    for node in element.iterdescendants():
        if node.tag in ("lb", "br", "p", "item", "head", "list", "quote", "row"):
            pieces.append("\n")
        elif node.tag == "cell":
            pieces.append(" ")
        pieces += [node.text or "", "\n" if node.tag in ("p", "item", "head") else "", node.tail or ""]
    return [line for line in (one_line(piece) for piece in "".join(pieces).split("\n")) if line]
