"""The paragraphs that a source is known to repeat: taken out of an article, unless they are its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from pipelines.items import Removed
from pipelines.reading.body.blocks import Block
from pipelines.reading.body.recurring import LONGEST, key_of
from pipelines.reading.fields.agency import NAMES
from pipelines.reading.languages import either, sorted_either

#: the rule's name in what was removed
RULE = "repeated"

MOST_TAKEN = 0.5  # of an article; where more would go, the article is itself what returns

_ADDRESS = re.compile(rf"\b{sorted_either('body.address', 'body.here')}\b")
_ABOUT_THE_AUTHOR = re.compile(rf"\b{either('people.roles')}", re.I)
_SPOKEN = re.compile(r"[„“\"«»]([^„“”\"«»]{25,})[“”\"«»]|[„»][^“”«]{25,}$")
_AGENCY = re.compile(
    r"\b(?:"
    + "|".join(sorted((re.escape(name) for name in NAMES), key=len, reverse=True))
    + rf"|\w*{either('agency.called')}\w{{0,2}})\b",
    re.I,
)
_CORRECTION = re.compile(either("labels.correction"), re.I)


def speaks_to_the_reader(text: str) -> bool:
    """Or about the author."""
    return bool(_ADDRESS.search(text) or _ABOUT_THE_AUTHOR.search(text))


def is_protected(text: str) -> bool:
    """What may return and is the article's all the same: speech, agencies, corrections."""
    spoken = _SPOKEN.search(text)
    if spoken and (spoken[1] or spoken[0]).count(" ") >= 3:
        return True
    return bool(_AGENCY.search(text) or _CORRECTION.search(text))


def without_repeated(blocks: Sequence[Block], repeated: Set[int]) -> tuple[list[Block], list[Removed]]:
    """The blocks without those that the source repeats; all of them where little else would be left."""
    if not repeated:
        return list(blocks), []
    taken = {
        place
        for place, block in enumerate(blocks)
        if block.kind in ("paragraph", "heading", "list")
        and len(block.text) <= LONGEST
        and key_of(block.text) in repeated
        and not is_protected(block.text)
    }
    if sum(len(blocks[place].text) for place in taken) > MOST_TAKEN * sum(len(block.text) for block in blocks):
        return list(blocks), []
    removed = [Removed(blocks[place].text, RULE) for place in sorted(taken)]
    kept = [block for place, block in enumerate(blocks) if place not in taken]
    while taken and kept and kept[-1].kind == "heading":
        removed.append(Removed(kept.pop().text, RULE))
    return kept, removed
