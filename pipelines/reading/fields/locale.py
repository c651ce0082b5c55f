"""The language that a page is written in, and whether its clocks are those of the source."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from lxml.etree import _Element as Element

from pipelines.reading.fields.language import likely
from pipelines.reading.languages import languages
from pipelines.reading.page.tree import raw
from pipelines.reading.rules import Rules

_ENOUGH = 4_000  # characters that tell a page's language


def spoken(declared: str, rules: Rules, tree: Element) -> tuple[str, bool]:
    """The language of the page, and whether its clocks are those of the source.

    What a page declares is looked into only where that would make it a page from elsewhere: many a German system says
    'en-US' of itself.
    """
    if _is_at_home(declared, rules):
        return declared, True
    text, length = [], 0
    for paragraph in tree.iter("p"):
        text.append(raw(paragraph))
        length += len(text[-1])
        if length > _ENOUGH:
            break
    spoken = likely(" ".join(text), declared)
    return spoken, _is_at_home(spoken, rules)


def _is_at_home(language: str, rules: Rules) -> bool:
    known = languages().get(language)
    zones = known.time_zones if known else ()
    return (
        language == (rules.language or "")[:2] or str(rules.time_zone) in zones or _same_clocks(zones, rules.time_zone)
    )


_WINTER, _SUMMER = datetime(2025, 1, 15, 12), datetime(2025, 7, 15, 12)


def _same_clocks(zones: Collection[str], zone: tzinfo) -> bool:
    """Whether the clocks of all *zones* show what those of *zone* show: Italian pages tell Berlin's time too."""
    here = [zone.utcoffset(day) for day in (_WINTER, _SUMMER)]
    return bool(zones) and all([ZoneInfo(each).utcoffset(day) for day in (_WINTER, _SUMMER)] == here for each in zones)
