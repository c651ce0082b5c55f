"""What readers wrote below an article: records of one kind under a heading that calls them comments. They are looked
for before the article is, because they may be longer than it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from lxml import etree

from pipelines.reading.body.main_content import prose_length
from pipelines.reading.body.removals import Removals
from pipelines.reading.page.tree import HEADINGS, delete, one_line, raw

RULE = "comments"
_LONGEST_HEADING = 60  # characters
_FEWEST = 3
_LEAST_OWN = 120  # characters of prose that the page must have besides
_PARTS = 3  # of what may stand around a heading alone
_NO_RECORDS = HEADINGS | {"p", "a", "span", "tr", "td", "br"}


def prune_comments(page: etree._Element, opens: Callable[[str, bool], str | None], removals: Removals) -> None:
    """Take the comments out of *page* with their heading: one for which *opens* names that rule, over records."""
    for heading in list(page.iter("h2", "h3", "h4", "h5", "h6")):
        text = one_line(raw(heading))
        if not 0 < len(text) <= _LONGEST_HEADING or opens(text, False) != RULE:
            continue
        opened: etree._Element = heading
        while (parent := opened.getparent()) is not None and len(parent) <= _PARTS and one_line(raw(parent)) == text:
            opened = parent
        below = _records_below(opened)
        if not below:
            continue
        taken = sum(map(prose_length, below))
        if prose_length(page) - taken < _LEAST_OWN:
            continue
        for element in (opened, *below):
            removals.add(element, RULE)
            delete(element)


def _records_below(heading: etree._Element) -> list[etree._Element]:
    """The records that are the next siblings of a heading, or what holds them; none where other things stand there."""
    siblings = []
    for each in heading.itersiblings():
        if each.tag in HEADINGS:
            break
        siblings.append(each)
    records = _records_of(siblings)
    if records:
        return records
    first = siblings[0] if siblings else None
    holder = first
    while holder is not None and len(holder) == 1:
        holder = holder[0]
    return [first] if first is not None and holder is not None and _records_of(list(holder)) else []


def _records_of(elements: list[etree._Element]) -> list[etree._Element]:
    """Those of *elements* that have the commonest tag, if they are several and each is made of parts."""
    tags = Counter(each.tag for each in elements if each.tag not in _NO_RECORDS)
    tag, count = tags.most_common(1)[0] if tags else ("", 0)
    if count < _FEWEST or count * 2 < len(elements):
        return []
    records = [each for each in elements if each.tag == tag]
    return records if all(_has_parts(each) for each in records[:_FEWEST]) else []


def _has_parts(record: etree._Element) -> bool:
    """Whether a record holds two texts and more, such as who wrote it and what."""
    return sum(1 for each in record.iterdescendants() if each.text and each.text.strip()) > 1
