"""Whether what is named like a newsletter box, a survey or a list of comments looks like one, or reads like the text.

A name decides only where what it names also looks like it: sections are named after their topic ('umfrage', 'spenden'),
page builders call every text a widget, and opinion pieces are comments.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from lxml import etree

from pipelines.reading.body.chronology import tells_time
from pipelines.reading.body.embedded_blocks import address_words, is_quotation
from pipelines.reading.body.main_content import weight
from pipelines.reading.languages import either
from pipelines.reading.page.tree import HEADINGS, one_line, raw

# Characters of prose from which the names of a rule are doubted. What is not here is believed at once.
_LEAST_MASS = {
    "feedback": 100, "support": 100, "newsletter": 100, "player": 100, "widget": 100, "tags": 100, "citation": 100,
    "kicker": 100, "advertising": 100, "paywall": 100, "comments": 100, "caption": 100, "sharing": 300, "byline": 600,
    "related": 300, "teaser": 300, "navigation": 300,
}  # fmt: skip
# Of a paragraph that has the name itself: it is no box, but it may be a caption or say who the author is.
_PARAGRAPH = 120
_LEAST_OF_PARAGRAPH = {
    "byline": 600, "caption": 300, "widget": 300, "citation": 300, "hidden": 10_000, "consent": 10_000, "box": 300,
}  # fmt: skip
_FEWEST_ALIKE, _BLOCK = 3, 80
_NO_PARTS = ("aside", "nav", "footer", "figure", "figcaption", "form")
_CHARACTERS_A_RECORD = 500
_SENTENCE = 60
_LONGEST_TIME = 60
_SPEAKER = re.compile(r"[^\W\d_][\w.’'-]{0,24}(?: [\w.’'-]{1,24}){0,3} ?:(?: |$)")
_SENTENCE_END = re.compile(r"[.!?…。！？।؟۔][\"“”»«'’)\]」』]*\Z|[\u0e00-\u0eff]\Z")
_CHARACTERS_A_LINK = 150
_CHARACTERS_AN_ADDRESS = 160
_RECORD = re.compile(
    rf"\b{either('body.record')}(?!\w)|\b\d{{1,2}}[.:]\d\d\b|\b\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}\b", re.IGNORECASE
)


def reads_like_article(element: etree._Element, rule: str, mass: int, fields: Collection[etree._Element]) -> bool:
    """Whether an element with *mass* characters of prose is part of the article although its name is *rule*'s."""
    least = _LEAST_OF_PARAGRAPH.get(rule, _PARAGRAPH) if element.tag == "p" else _LEAST_MASS.get(rule)
    if least is not None and _is_topic(element):
        least = min(least, 100) if rule != "byline" else least
    size = weight(raw(element))[0] if element.tag == "p" else mass
    if least is None or size < least:
        return False
    if element.tag in _NO_PARTS:
        return False
    text = one_line(raw(element))
    if mass * (3 if element.tag == "p" else 1.25) < len(text) or not _has_sentence(element):
        return False
    if sum(1 for _ in element.iter("a")) * _CHARACTERS_A_LINK > len(text) + (
        _CHARACTERS_A_LINK if element.tag == "p" else 0
    ):
        return False
    if fields and any(each in fields for each in element.iter()):
        return False
    if address_words(text) * _CHARACTERS_AN_ADDRESS > len(text) and not is_quotation(text):
        return False
    if rule == "comments":
        return _RECORD.search(text) is None
    if rule == "caption":
        return next(element.iter("p", *HEADINGS), None) is not None
    return True


def _is_topic(element: etree._Element) -> bool:
    """Whether an element is a section of its own with a heading over prose and no link: its name is its topic."""
    first = next((child for child in element if isinstance(child.tag, str)), None)
    if first is None or first.tag not in HEADINGS or (element.text or "").strip():
        return False
    return next(element.iter("a", "button", "img"), None) is None


def paragraphs_in(
    named: Sequence[tuple[etree._Element, str]],
    masses: Mapping[etree._Element, int],
    fields: Collection[etree._Element],
) -> frozenset[etree._Element]:
    """Those of the elements *named* with their rules that are an article's paragraphs: several blocks of prose of one
    name in one place. What they are named after would stand there once.
    """
    groups: dict[tuple[object, ...], list[etree._Element]] = {}
    for element, rule in named:
        if rule == "hidden" or element.tag in _NO_PARTS:
            continue
        groups.setdefault((element.getparent(), element.tag, rule), []).append(element)
        if rule not in ("byline", "box") and (names := element.get("class")):
            groups.setdefault((names, element.tag, rule), []).append(element)
    return frozenset(
        element
        for (_, _, rule), elements in groups.items()
        if len(elements) >= _FEWEST_ALIKE and _are_paragraphs(elements, str(rule), masses, fields)
        for element in elements
    )


def _are_paragraphs(
    elements: Sequence[etree._Element],
    rule: str,
    masses: Mapping[etree._Element, int],
    fields: Collection[etree._Element],
) -> bool:
    blocks = [each for each in elements if masses.get(each, 0) >= _BLOCK]
    if len(blocks) < _FEWEST_ALIKE:
        return False
    texts = [one_line(raw(each)) for each in blocks]
    good = sum(map(_is_block, blocks, texts, map(masses.__getitem__, blocks)))
    return (
        good >= _FEWEST_ALIKE
        and good * 5 >= len(blocks) * 3
        and len(set(texts)) == len(texts)
        and (rule != "comments" or record_marks(" ".join(texts)) * _CHARACTERS_A_RECORD <= sum(map(len, texts)))
        and not (fields and any(each in fields for element in elements for each in element.iter()))
    )


def _is_block(element: etree._Element, text: str, mass: int) -> bool:
    """Whether a block is prose with hardly a link."""
    links = sum(1 for _ in element.iter("a"))
    return (
        mass * (3 if element.tag == "p" else 1.25) >= len(text)
        and links * _CHARACTERS_A_LINK <= len(text) + _CHARACTERS_A_LINK
    )


def record_marks(text: str) -> int:
    """How often a text has what comments have: a clock, a day, a link to answer."""
    return len(_RECORD.findall(text))


def is_dialogue(element: etree._Element) -> bool:
    """Whether most lines of an element begin with who speaks: a transcript, however short its lines are."""
    lines = [text for each in element.iter("p", "li", "dd") if (text := one_line(raw(each)))]
    spoken = sum(1 for line in lines if _SPEAKER.match(line))
    return spoken >= 3 and spoken * 5 >= len(lines) * 3


def timeline_in(dates: Collection[etree._Element], prose: Collection[etree._Element]) -> frozenset[etree._Element]:
    """Those of the elements named after a date that are the headings of a chronology: several of one name, each with
    another text and with prose right behind it."""
    groups: dict[str, list[etree._Element]] = {}
    for element in dates:
        text = one_line(raw(element))
        if text and len(text) <= _LONGEST_TIME and tells_time(text) and _stands_over(element, prose):
            groups.setdefault(element.get("class") or "", []).append(element)
    return frozenset(
        element
        for name, elements in groups.items()
        if name and len(elements) >= 3 and len({raw(each).strip() for each in elements}) == len(elements)
        for element in elements
    )


def _stands_over(element: etree._Element, prose: Collection[etree._Element]) -> bool:
    after = element.getnext()
    if after is None and (parent := element.getparent()) is not None:
        after = parent.getnext()
    return after is not None and any(each in prose for each in after.iter())


def _has_sentence(element: etree._Element) -> bool:
    """Whether a paragraph of it is a sentence: it is long and ends like one."""
    return any(
        weight(text)[0] >= _SENTENCE and bool(_SENTENCE_END.search(text))
        for each in element.iter("p", "div", "section", "li", "blockquote")
        if (text := raw(each).strip())
    )
