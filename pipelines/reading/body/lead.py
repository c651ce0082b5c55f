"""The headline of a page, and the lead between headline and body: known by its name, by the page's own description,
or by its place alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from lxml import etree

from pipelines.reading.body.blocks import Block, plain
from pipelines.reading.body.class_name_rules import names_lead
from pipelines.reading.body.embedded_blocks import stands_below_picture
from pipelines.reading.body.main_content import weight
from pipelines.reading.page.tree import BLOCK_TAGS, HEADINGS, content, link_length, raw

_NEAR = 8  # units of the container in which the first block must come; the container's own start may have been left out


def headline_of(root: etree._Element, title: str | None) -> etree._Element | None:
    """The element in which the page shows its title."""
    first = None
    wanted = plain(title or "")
    for level in ("h1", "h2"):
        for element in root.iter(level):
            text = plain(raw(element))
            if not text:
                continue
            if wanted and (text == wanted or (len(wanted) > 15 and wanted in text and len(text) < 2 * len(wanted))):
                return element
            if first is None and level == "h1":
                first = element
    return first


def lead_of(
    root: etree._Element,
    core: etree._Element,
    headline: etree._Element | None,
    blocks: list[Block],
    title: str | None,
    teaser: str | None,
    is_boilerplate: Callable[[str], bool],
    pictures: Collection[etree._Element] = (),
) -> tuple[str | None, list[Block]]:
    """The lead that stands between headline and body, and the blocks without it.

    A lead is known by its name, by the page's own description, or by its place alone: a sentence after the headline
    and before the body. What stands below one of the *pictures* (the elements around them) is a caption.
    """
    if not blocks:
        return None, blocks
    wanted = plain(title or "") or plain(raw(headline) if headline is not None else "")
    described = plain(teaser or "")
    first = plain(blocks[0].text)
    found: list[str] = []
    if headline is not None:
        between = _between(root, headline, core, first, wanted, described, pictures)
        found = [line for line in between if not is_boilerplate(line)]
    if found:
        if plain(found[0]) == first:  # it is in the body, but set apart
            blocks = blocks[1:]
        if not blocks:
            return None, [Block("paragraph", text) for text in found]
        return found[0], [Block("paragraph", text) for text in found[1:]] + blocks
    if (
        len(blocks) > 1
        and len(described) > 30
        and first.startswith(described[:60])
        and len(first) <= 1.15 * len(described)
    ):
        return blocks[0].text, blocks[1:]
    return None, blocks


def _between(
    root: etree._Element,
    headline: etree._Element,
    core: etree._Element,
    first: str,
    title: str,
    described: str,
    pictures: Collection[etree._Element],
) -> list[str]:
    """The sentences between the headline and the body's first block, which begins with the letters *first*."""
    found: list[str] = []
    before_core: list[str] | None = None
    inside = 0
    for element, text in _units(headline, root):
        letters = plain(text)
        if letters[:60] == first[:60] or (len(letters) > 20 and first.startswith(letters)):
            if not found and letters == first and _is_sentence(text) and _stands_apart(element, headline):
                return [text]
            return found
        if before_core is None and (element is core or core in element.iterancestors()):
            before_core = list(found)
        inside += before_core is not None
        if inside > _NEAR:
            return before_core or []
        is_described = len(letters) > 30 and letters[:50] == described[:50]
        if element.tag in HEADINGS and not is_described and not names_lead(element.get("class") or ""):
            continue
        if not _is_sentence(text) or _says_again(text, title) or link_length(element) * 2 >= len(text):
            continue
        if not is_described and stands_below_picture(element, pictures):
            continue
        found.append(text)
    return before_core or []


def _stands_apart(element: etree._Element, headline: etree._Element) -> bool:
    """Whether the first block is named a lead, or stands in the headline's container with other prose outside of it."""
    parent = element.getparent()
    names = (
        f"{element.get('class') or ''} {(parent.get('class') or '') if parent is not None and len(parent) == 1 else ''}"
    )
    if any(names_lead(name) for name in names.split()):
        return True
    above = set(headline.iterancestors())
    container = next((ancestor for ancestor in element.iterancestors() if ancestor in above), None)
    return (
        container is not None
        and sum(1 for p in container.iter("p") if len(raw(p)) >= 60) <= 1
        and container.tag in ("header", "hgroup", "div", "section")
    )


def _units(after: etree._Element, root: etree._Element, most: int = 80) -> Iterator[tuple[etree._Element, str]]:
    """The innermost blocks of text that follow an element, in the order of the page."""
    count = 0
    for element in _following(after, root):
        if element.tag not in BLOCK_TAGS or any(child.tag in BLOCK_TAGS for child in element.iterdescendants()):
            continue
        text = content(element)
        if text:
            yield element, text
            count += 1
            if count >= most:
                return


def _following(after: etree._Element, root: etree._Element) -> Iterator[etree._Element]:
    """Every element behind *after* in document order, its own descendants left out."""
    node: etree._Element | None = after
    while node is not None and node is not root:
        for sibling in node.itersiblings():
            yield from sibling.iter()
        node = node.getparent()


def _is_sentence(text: str) -> bool:
    length, is_dense = weight(text)
    return length >= 40 and (is_dense or text.count(" ") >= 5)


def _says_again(text: str, title: str) -> bool:
    """Whether a line is the headline once more, with a kicker before it or in other marks."""
    letters = plain(text)
    if not title or len(letters) > 2 * len(title) + 20:
        return False
    return letters in title or title in letters
