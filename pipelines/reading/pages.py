"""Articles that stand on several pages: which page comes next, how many there are, how they become one text."""

from __future__ import annotations

import re

MOST_PAGES = 60
_OF = re.compile(
    r"(?:seiten?|teil|page|blatt|partie)\s*:?\s*(?P<number>\d{1,3})\s*(?:/|\||von|of|sur|aus|de)\s*(?P<total>\d{1,3})(?!\d)",
    re.IGNORECASE,
)


def paging_in(text: str) -> tuple[int, int] | None:
    """(page, pages) that a short line states: 'Seite 1 / 3', 'Seite 2 von 4', 'Page 1 of 3'. None if it states none."""
    found = _OF.search(text) if len(text) <= 120 else None
    if not found:
        return None
    number, total = int(found["number"]), int(found["total"])
    return (number, total) if 1 <= number <= total <= MOST_PAGES else None
