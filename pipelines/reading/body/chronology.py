"""Times that head the parts of a text: the days of a chronology, the hours of a ticker, whatever element they stand in.

A page's own date stands there once. Several short times of one kind, each another and each with prose right behind it,
are headings, and are made what they are.
"""

from __future__ import annotations

import re

from lxml import etree

from pipelines.reading.fields.date_grammar import month_names, weekday_names
from pipelines.reading.languages import either
from pipelines.reading.page.tree import BLOCK_TAGS, HEADINGS, link_length, one_line, raw

_WORDS = weekday_names() | month_names()
_TIME = re.compile(rf"\d{{1,2}}[.:]\d\d|\d{{1,2}}[./-]|\b(?:1[5-9]|20)\d\d\b|\d\s?{either('dates.clock_words')}\b")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_MOST_PARTS = 3  # elements inside of one; what holds more is no line
_LONGEST, _FEWEST, _PROSE = 60, 3, 60  # characters; times of one kind; characters of what stands behind


def mark_chronology(page: etree._Element, headline: etree._Element | None) -> None:
    """Make the <time> elements that head the parts of a text on *page* headings; `prune` does it with what is named
    after a date.
    """
    found = list(page.iter("time"))
    if len(found) < _FEWEST:
        return
    above = set(headline.iterancestors()) if headline is not None else set()
    groups: dict[tuple[object, ...], dict[etree._Element, str]] = {}
    for element in found:
        if len(element) > _MOST_PARTS:
            continue
        text = one_line(raw(element))
        if 0 < len(text) <= _LONGEST and _stands_over(element) and tells_time(text):
            groups.setdefault((element.tag, element.get("class"), _shape(element)), {})[element] = text
    for elements in groups.values():
        if len(elements) >= _FEWEST and len(set(elements.values())) == len(elements) and above.isdisjoint(elements):
            for element in elements:
                make_heading(element)


def tells_time(text: str) -> bool:
    """Whether a short text tells a day, a clock, a month or a weekday."""
    if _TIME.search(text):
        return True
    return any(word.lower() in _WORDS for word in _FIRST_WORD.findall(text)[:3])


def _shape(element: etree._Element) -> tuple[object, ...]:
    """What around an element is alike where it is one of several."""
    parent = element.getparent()
    return (parent.tag, parent.get("class")) if parent is not None else ()


def _stands_over(element: etree._Element) -> bool:
    """Whether nothing stands beside an element and a paragraph of prose right behind it."""
    if (element.tail or "").strip():
        return False
    parent, after = element.getparent(), element.getnext()
    if parent is None:
        return False
    if after is None:
        if one_line(raw(parent)) != one_line(raw(element)):
            return False
        after = parent.getnext()
    elif element.getprevious() is None and (parent.text or "").strip():
        return False
    if after is None or after.tag not in BLOCK_TAGS or after.tag in HEADINGS:
        return False
    length = len(one_line(raw(after)))
    return length >= _PROSE and link_length(after) * 2 <= length  # more than half of links is a teaser


def make_heading(element: etree._Element) -> None:
    """Make a heading of *element*, with nothing left that names it after a date."""
    for name in ("class", "id", "itemprop"):
        element.attrib.pop(name, None)
    if element.tag not in HEADINGS:
        element.tag = "h3"
