"""One text from the pages of an article: what a later page says again is left out, a cut sentence is put together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipelines.items import Removed
from pipelines.reading.body.blocks import Block, plain

# letters; a repeated line that is shorter may be meant ('Ja.' in an interview)
_SHORT = 25
_LONG = 80  # letters of a paragraph that is compared
_FEWEST = 2  # of them, so that an edition is one
TWICE = "twice"  # the rule's name in what was removed


def joined(parts: Sequence[Sequence[Block]], said: Iterable[str] = ()) -> tuple[list[Block], int]:
    """The blocks of all pages in order, each thing once, and how many pages brought something.

    *said* is what stands outside of the blocks already (title, teaser). A later page repeats title, teaser or the first
    page's text on many sites; one that is out of range brings the first page again and so nothing.
    """
    if len(parts) == 1:
        return list(parts[0]), int(bool(parts[0]))
    seen = {plain(text) for text in said if text}
    whole: list[Block] = []
    brought = 0
    for index, part in enumerate(parts):
        fresh: list[Block] = []
        for block in part:
            key = plain(block.text)
            if index and key in seen and (len(key) >= _SHORT or not fresh):
                continue
            fresh.append(block)
        while index and fresh and fresh[-1].kind == "heading":
            fresh.pop()  # the paging's own heading, or one whose text was there before
        seen |= {plain(block.text) for block in fresh}
        if fresh:
            brought += 1
            _append(whole, fresh)
    return whole, brought


def without_doubles(blocks: Sequence[Block]) -> tuple[list[Block], list[Removed]]:
    """The blocks without their second edition, where templates have one for wide and one for small screens: all that
    is long stands there again. A single paragraph that returns may be meant.
    """
    keys = [(block.kind, block.text) for block in blocks]
    times = Counter(key for key in keys if len(key[1]) >= _LONG)
    if len(times) < _FEWEST or min(times.values()) < 2:
        return list(blocks), []
    first = next(place for place, key in enumerate(keys) if key in times)
    half = keys.index(keys[first], first + 1)
    before = set(keys[:half])
    again = {place for place, key in enumerate(keys) if place >= half and key in before}
    kept = [block for place, block in enumerate(blocks) if place not in again]
    return kept, [Removed(blocks[place].text, TWICE) for place in sorted(again)]


def _append(whole: list[Block], fresh: list[Block]) -> None:
    """Put a page's blocks behind the others; a sentence that the page break cut is put together."""
    last = whole[-1] if whole else None
    first = fresh[0]
    is_cut = last is not None and last.kind == first.kind == "paragraph" and first.text[:1].islower()
    if last is not None and is_cut and not re.search(r"[.!?…:][\"“”»«'’)]*\Z", last.text):
        whole[-1] = replace(last, text=f"{last.text} {first.text}")
        fresh = fresh[1:]
    whole += fresh
