"""Boxes between the paragraphs that are not of the article, known by what they are made of and not by their names: a
picture with its line, a form, cards that lead elsewhere, records that all end in the same link.

``marks_of`` looks at the page while pictures and fields still stand on it; ``prune_boxes`` takes the boxes out of the
article's container afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from pipelines.reading.body.blocks import plain
from pipelines.reading.body.removals import Removals
from pipelines.reading.languages import either, sorted_either
from pipelines.reading.page.tree import HEADINGS, delete, one_line, raw
from pipelines.sites import site_of

_LONGEST_LINE = 300  # characters of what stands below a picture
_SENTENCE = 40  # of what may be the lead
_LONGEST_PROMPT = 500  # of what stands around a form's fields
_LONGEST_CARD = 400  # of a headline that leads elsewhere, with its sentence
_WORDS_OF_A_NAME = 5
_ENTRY = 90  # characters of the paragraph below the name in a list
_LONGEST_WORD = 30  # of the link that every record ends with
_FEWEST_RECORDS = 3
_LONGEST_DIGEST = 1200
_LONGEST_HEADING = 90
_ENOUGH = 800  # characters: where so much is left, cards and comments may be more than the article
_MOST = 0.4  # of the container's text: boxes that would take more are the article
_SHORTEST_ALT = 25  # letters
_LONGEST_ENDING = 180  # of a caption that begins with a shorter description
_SIGNATURE = 50  # letters that two renderings of a caption have in common
_BEGIN = 160  # characters in which they stand
_ASKING = ("input", "textarea", "select")
_NO_FIELDS = frozenset(("hidden", "submit", "button", "image", "checkbox", "radio"))
_NO_BOXES = frozenset(("p", "li", "td", "th", "tr", "tbody", "table", "blockquote", "body", "html", "dd", "dt"))

_ANSWER = re.compile(either("body.answer"), re.IGNORECASE)
_ADDRESS = re.compile(rf"\b{sorted_either('body.address')}\b")
_SAID = re.compile(r"[„“”\"»«][^„“”\"»«]{20,}[“”\"»«]")
_QUOTED = re.compile(r"[„“”\"»«]")
_BY_MACHINE = re.compile(rf"\b{sorted_either('body.by_machine')}\b")
# whether an element with this text, around an inner one (None: it is the innermost), is still the box
Fits = Callable[[etree._Element, "etree._Element | None", str], bool]


@dataclass(frozen=True, slots=True)
class Marks:
    """What marks the boxes of a page: the elements around its ``pictures``, ``fields`` and ``buttons``, and the words
    by which the pictures are ``described`` for those who do not see them.
    """

    pictures: tuple[etree._Element, ...] = ()
    fields: tuple[etree._Element, ...] = ()
    buttons: tuple[etree._Element, ...] = ()
    described: frozenset[str] = frozenset()


def marks_of(root: etree._Element) -> Marks:
    """The marks of a page from which nothing was taken yet."""
    pictures: list[etree._Element] = []
    fields: list[etree._Element] = []
    buttons: dict[etree._Element, None] = {}
    described: set[str] = set()
    for found in root.iter("img", "video", "button", *_ASKING):
        element, around = found, found.getparent()
        if around is None:
            continue
        if element.tag == "button":
            buttons[around] = None
            continue
        if element.tag in _ASKING:
            if (element.get("type") or "").lower() not in _NO_FIELDS:
                fields.append(around)
            continue
        if around.tag == "picture" and around.getparent() is not None:
            element, around = around, around.getparent()
        if not _follows_sentence(element):
            pictures.append(around)
        for words in (found.get("alt"), found.get("title")):
            if words and len(words) >= _SHORTEST_ALT and len(letters := plain(words[:_BEGIN])) >= _SHORTEST_ALT:
                described.add(letters[:_SIGNATURE])
    return Marks(tuple(pictures), tuple(fields), tuple(buttons), frozenset(described))


def is_by_machine(text: str) -> bool:
    """Whether a text says of itself that a machine wrote it."""
    return bool(_BY_MACHINE.search(text))


def address_words(text: str) -> int:
    """How often a text speaks to the reader, or of those who publish it."""
    return len(_ADDRESS.findall(text))


def describes_picture(text: str, described: frozenset[str]) -> bool:
    """Whether a paragraph says what one of the pictures is described by."""
    if not described or len(text) > 2 * _LONGEST_LINE:
        return False
    letters = plain(text[:_BEGIN])
    if letters[:_SIGNATURE] in described:
        return True
    return len(text) < _LONGEST_ENDING and any(map(letters.startswith, described))


def stands_below_picture(element: etree._Element, pictures: Collection[etree._Element]) -> bool:
    """Whether an element stands behind one of the *pictures* in a box with little else in it."""
    around: etree._Element | None = element
    while around is not None and len(one_line(raw(around))) <= _LONGEST_LINE:
        if next(around.iter("h1"), None) is not None:
            return False  # a headline that is set upon its picture
        for each in around.iter():
            if each is element and each is not around:
                break
            if each in pictures:
                return True
        around = around.getparent()
    return False


def boxes_in(core: etree._Element, marks: Marks, host: str, teaser: str) -> Iterator[tuple[etree._Element, str]]:
    """The boxes of the container with the rule that found each. The one that says the *teaser* is none."""
    for field in marks.fields:
        if (box := _box(field, core, _is_prompt, teaser)) is not None:
            yield box, "form"
    for heading in core.iter(*HEADINGS):
        if not _leads_elsewhere(heading, host) or (box := _box(heading, core, _is_card, teaser)) is None:
            continue
        if not _heads_paragraph(box, heading) and not _is_entry(box, heading):
            yield box, "card"
    for picture in marks.pictures:
        if (box := _box(picture, core, _is_below_picture, teaser)) is not None and not _is_said(box):
            yield box, "picture"
    alone = [link for link in core.iter("a") if _stands_alone(link)]
    yield from _prompts(alone, marks.buttons, core, teaser)
    for each in core.iter("ul", "ol"):
        if (box := _box(each, core, _is_digest, teaser)) is not None and _BY_MACHINE.search(_around(box, each)):
            yield box, "digest"
    for link in core.iter("a"):
        if (paragraph := _announcement(link, host)) is not None:
            yield paragraph, "announcement"
    yield from _records(alone, core)


def _prompts(
    links: Collection[etree._Element], buttons: Collection[etree._Element], core: etree._Element, teaser: str
) -> Iterator[tuple[etree._Element, str]]:
    """What speaks to the reader over a link or a button; *buttons* are the elements around them."""
    for link in links:
        if (box := _box(link, core, _is_prompt, teaser)) is not None and _asks(box, link):
            yield box, "prompt"
    for button in buttons:
        if (box := _box(button, core, _is_prompt, teaser)) is not None and _addresses_reader(one_line(raw(box))):
            yield box, "prompt"


def _box(inner: etree._Element, core: etree._Element, fits: Fits, teaser: str) -> etree._Element | None:
    """The largest element around *inner*, inside of the container, that *fits*."""
    if core not in inner.iterancestors():
        return None
    box, length = None, -1
    while inner is not core and inner.tag not in _NO_BOXES:
        text = one_line(raw(inner))
        if len(text) != length and (not fits(inner, box, text) or (teaser and teaser in plain(text))):
            break
        box, length = inner, len(text)
        inner = inner.getparent()
    return box


def _is_below_picture(element: etree._Element, inner: etree._Element | None, text: str) -> bool:
    """A caption is short and stands behind its picture: a sentence before it may be the article's lead."""
    if len(text) > _LONGEST_LINE or next(element.iter("h1"), None) is not None:
        return False
    return inner is None or not _follows_sentence(inner)


def _follows_sentence(element: etree._Element) -> bool:
    return any(len(raw(each)) >= _SENTENCE for each in element.itersiblings(preceding=True))


def _up_to(length: int) -> Fits:
    return lambda element, inner, text: len(text) <= length


_is_prompt, _is_digest = _up_to(_LONGEST_PROMPT), _up_to(_LONGEST_DIGEST)


def _is_card(element: etree._Element, inner: etree._Element | None, text: str) -> bool:
    return len(text) <= _LONGEST_CARD and sum(1 for _ in element.iter(*HEADINGS)) <= 1


def _heads_paragraph(box: etree._Element, heading: etree._Element) -> bool:
    """Whether a box is a heading alone, over a paragraph outside of it: it may be the article's, or a whole list is."""
    after = box.getnext()
    return (
        after is not None
        and after.tag not in HEADINGS
        and len(one_line(raw(after))) >= _SENTENCE
        and len(plain(raw(box))) <= len(plain(raw(heading)))
    )


def _is_entry(box: etree._Element, heading: etree._Element) -> bool:
    """Whether a box is an entry of the article's own list of places, books, dishes: a name over a whole paragraph,
    among the paragraphs of the article."""
    parent, name = box.getparent(), one_line(raw(heading))
    if parent is None or name.count(" ") >= _WORDS_OF_A_NAME:
        return False
    paragraph = one_line(raw(box)).removeprefix(name).strip()
    return len(paragraph) >= _ENTRY and paragraph.endswith((".", "!", "?", "…")) and _is_among_prose(parent)


def _is_among_prose(parent: etree._Element) -> bool:
    return sum(1 for each in parent.iterchildren("p") if len(raw(each)) >= _SENTENCE * 2) >= 2


def _is_said(box: etree._Element) -> bool:
    """Whether what stands below a picture is what the person on it says."""
    return next(box.iter("blockquote"), None) is not None or is_quotation(one_line(raw(box)))


def is_quotation(text: str) -> bool:
    """Whether at least half of *text* is what somebody says."""
    quoted = sum(len(each) for each in _SAID.findall(text))
    return quoted * 2 >= len(text) and quoted >= _SENTENCE


def _leads_elsewhere(heading: etree._Element, host: str) -> bool:
    """Whether a heading is nothing but a link to another page of the same site."""
    link = heading.find(".//a")
    if link is None:
        link = next((above for above in heading.iterancestors("a")), None)
    elif len(plain(raw(link))) < 0.8 * len(plain(raw(heading))):
        return False
    return link is not None and _is_inside(link, host)


def _is_inside(link: etree._Element, host: str) -> bool:
    """Whether a link leads to another page of the same site."""
    address = (link.get("href") or "").strip()
    if not address or address.startswith(("#", "mailto:", "tel:", "javascript:")):
        return False
    try:
        there = urlsplit(address).netloc
    except ValueError:
        return False
    return not there or site_of(there) == site_of(host)


def _around(box: etree._Element, inner: etree._Element) -> str:
    """The text of a box without that of an inner element."""
    whole, own = one_line(raw(box)), one_line(raw(inner))
    return whole.replace(own, " ", 1) if own else whole


def _asks(box: etree._Element, link: etree._Element) -> bool:
    """Whether a box speaks to the reader about the site, and quotes nobody."""
    text = one_line(raw(box))
    return len(one_line(raw(link))) <= len(text) // 2 and _addresses_reader(text)


def _addresses_reader(text: str) -> bool:
    return len(text) >= _SENTENCE and not _QUOTED.search(text) and address_words(text) >= 2


def _announcement(link: etree._Element, host: str) -> etree._Element | None:
    """The paragraph that is a word, a colon and a link to another page of the same site: 'Hintergrund: Warum ...'."""
    if link.getnext() is not None or (link.tail or "").strip():
        return None
    paragraph = link.getparent()
    if paragraph is not None and paragraph.tag in ("strong", "b", "em", "i", "span"):
        paragraph = paragraph.getparent()
    if paragraph is None or paragraph.tag != "p":
        return None
    text, linked = one_line(raw(paragraph)), one_line(raw(link))
    label = text.removesuffix(linked).rstrip()
    is_one = len(linked) >= _SENTENCE // 2 and text.endswith(linked) and 2 < len(label) <= 40 and label.endswith(":")
    return paragraph if is_one and _is_inside(link, host) else None


def _records(alone: list[etree._Element], core: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Siblings that each hold a link of the same few words: comments, where it says 'answer', and teasers or goods."""
    alike: dict[str, list[etree._Element]] = {}
    for link in alone:
        words = one_line(raw(link))
        if 2 < len(words) <= _LONGEST_WORD:
            alike.setdefault(words.lower(), []).append(link)
    for words, links in alike.items():
        if len(links) >= _FEWEST_RECORDS:
            rule = "comment" if _ANSWER.search(words) else "record"
            for record in _siblings_with(links, core):
                yield record, rule


def _stands_alone(link: etree._Element) -> bool:
    before, parent = link.getprevious(), link.getparent()
    text = before.tail if before is not None else parent.text if parent is not None else None
    return not (text or "").strip() and not (link.tail or "").strip()


def _siblings_with(links: list[etree._Element], core: etree._Element) -> list[etree._Element]:
    """The records of *links*: below the first element that holds them all, where each has one of its own."""
    ways = []
    for link in links:
        way = []
        for above in (link, *link.iterancestors()):
            if above is core:
                break
            way.append(above)
        ways.append(way[::-1])
    depth = 0
    while all(len(way) > depth + 1 for way in ways) and len({way[depth] for way in ways}) == 1:
        depth += 1
    found = list(dict.fromkeys(way[depth] for way in ways if len(way) > depth))
    tags = {each.tag for each in found}
    return found if len(found) >= _FEWEST_RECORDS and len(tags) == 1 and not tags & {"a", "p", "span"} else []


def prune_boxes(core: etree._Element, marks: Marks, host: str, teaser: str, removals: Removals) -> None:
    """Take the boxes out of the container, with the heading that stands over them and what is left around them."""
    rules: dict[str, dict[etree._Element, None]] = {}
    for box, rule in boxes_in(core, marks, host, plain(teaser)[:_SIGNATURE]):
        rules.setdefault(rule, {})[box] = None
    whole = len(one_line(raw(core))) if rules else 0
    for rule, boxes in rules.items():
        outer = [box for box in boxes if not any(above in boxes for above in box.iterancestors())]
        taken = sum(len(one_line(raw(box))) for box in outer)
        if taken > _MOST * whole and not (rule in ("card", "comment") and whole - taken >= _ENOUGH):
            continue
        for box in outer:
            _take(box, core, rule, removals, _LONGEST_HEADING if rule != "picture" or len(outer) > 1 else 0)


def _take(box: etree._Element, core: etree._Element, rule: str, removals: Removals, longest: int) -> None:
    """Take a box out, and what is around it where no more text than *longest* is left there."""
    parent = box.getparent()
    if parent is None:
        return
    removals.add(box, rule)
    delete(box)
    while parent is not None and parent is not core and parent.tag not in _NO_BOXES:
        rest = one_line(raw(parent))
        if len(rest) > longest:
            return
        above = parent.getparent()
        if above is None:
            return
        removals.add(parent, rule)
        delete(parent)
        parent = above
