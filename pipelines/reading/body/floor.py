"""A floor under the rules: where they leave little of a page's prose, the page is read again without those of names,
and what holds more of the article counts. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.items import Removed
from pipelines.reading.body.blocks import Block, plain
from pipelines.reading.body.embedded_blocks import address_words
from pipelines.reading.body.extract import Body
from pipelines.reading.body.likeness import record_marks
from pipelines.reading.body.main_content import weight

#: the rule's name in what was removed
RULE = "read again"
LEAST_SHARE = 0.5  # of the page's prose, that a text should hold
FEW_WORDS = 60
_PARAGRAPHS = 3  # long ones, that a page with an article has
_MORE = 1.4  # times as much must be found
_LINE = 60  # characters of a block that counts as prose
_CHARACTERS_A_RECORD, _CHARACTERS_AN_ADDRESS = 400, 200
_SENTENCE_END = re.compile(r"[.!?…:。！？।؟۔][\"“”»«'’)\]」』]*\Z|[\u0e00-\u0eff]\Z")


def is_low(text: str, body: Body) -> bool:
    """Whether *text* is so little of what the page holds that the rules may have taken the article."""
    words = text.count(" ") + text.count("\n")
    return weight(text)[0] < LEAST_SHARE * body.prose or (words < FEW_WORDS and body.paragraphs >= _PARAGRAPHS)


def holds_more(first: Sequence[Block], again: Sequence[Block]) -> bool:
    """Whether the second reading holds the first one's article and clearly more of it, instead of what stands below."""
    before, after = _length(first), _length(again)
    if after < _MORE * before + _LINE:
        return False
    known = {plain(block.text) for block in first}
    found = [plain(block.text) in known for block in again]
    fresh = [block for block, is_known in zip(again, found, strict=True) if not is_known]
    if sum(len(block.text) for block, is_known in zip(again, found, strict=True) if is_known) < 0.8 * before:
        return before < FEW_WORDS * 6 and _reads_well(fresh)  # another place of the page
    is_short = sum(block.text.count(" ") for block in first) < FEW_WORDS
    return _reads_well(fresh, is_short) and (is_short or _is_interleaved(again, found))


def _length(blocks: Sequence[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _reads_well(fresh: Sequence[Block], may_address: bool = False) -> bool:
    """Whether most of what is new is sentences that are no comments and, unless it *may*, do not address the reader."""
    text = "\n".join(block.text for block in fresh)
    prose = sum(len(each.text) for each in fresh if len(each.text) >= _LINE and _SENTENCE_END.search(each.text))
    return (
        prose * 3 >= 2 * len(text)
        and record_marks(text) * _CHARACTERS_A_RECORD <= len(text)
        and (may_address or address_words(text) * _CHARACTERS_AN_ADDRESS <= len(text))
    )


def _is_interleaved(again: Sequence[Block], found: Sequence[bool]) -> bool:
    """Whether new prose stands between the blocks that were known, or before them: not only below the article."""
    last = max((place for place, is_known in enumerate(found) if is_known), default=len(found))
    inside = sum(len(block.text) for place, block in enumerate(again) if place < last and not found[place])
    outside = sum(len(block.text) for place, block in enumerate(again) if place > last)
    return inside >= outside


def why(first: Sequence[Block], again: Sequence[Block]) -> Removed:
    """What ``--why`` says of it."""
    return Removed(
        f"The rules left {_length(first)} characters; without those of names there are {_length(again)}.", RULE
    )
