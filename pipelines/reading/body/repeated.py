"""Paragraphs that return under different articles of one source: which of them are boilerplate. Pure.

A newsletter prompt and the background paragraph of a running story both return word for word. They differ in what
stands around them: the prompt's words are foreign to the articles under which it stands, the background's are theirs.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

from pipelines.items import Removed
from pipelines.reading.body.blocks import Block, plain
from pipelines.reading.fields.agency import NAMES
from pipelines.reading.languages import either

#: the rule's name in what was removed
RULE = "repeated"

FEWEST_ARTICLES = 5
FEWEST_DAYS = 3
SMALLEST_SHARE = 0.01  # of the articles that were looked at, for what speaks to the reader or about the author
STATED_SHARE, FEWEST_STATED = 0.1, 20  # and for everything else: a story may run for weeks
LONGEST = 800  # characters; 'about the author' stays below, a whole article that is printed again does not
MOST = 300  # paragraphs that one source can teach
OWN_TEXT = 0.5  # of an article's length; one with less of its own is an edition of another and says nothing
# A word is foreign where the rest of all articles has it at most so often, measured by how often the paragraph returns.
FOREIGN = 0.2
FEWEST_FOREIGN = 2
# A word in the rest of so many of the articles, and so much oftener than elsewhere, is what these are about.
TOPIC, LIFT, FEWEST_TOPICAL = 0.4, 2.5, 3
MOST_TAKEN = 0.5  # of an article; where more would go, the article is itself what returns

_WORD = re.compile(r"[^\W\d_]{4,}")
_ADDRESS = re.compile(rf"\b{either('body.address', 'body.here')}\b")
_ABOUT_THE_AUTHOR = re.compile(rf"\b{either('people.roles')}", re.I)
_SPOKEN = re.compile(r"[„“\"«»]([^„“”\"«»]{25,})[“”\"«»]|[„»][^“”«]{25,}$")
_AGENCY = re.compile(
    r"\b(?:"
    + "|".join(sorted((re.escape(name) for name in NAMES), key=len, reverse=True))
    + rf"|\w*{either('agency.called')}\w{{0,2}})\b",
    re.I,
)
_CORRECTION = re.compile(either("labels.correction"), re.I)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An article as the counting wants it. ``again`` are the paragraphs that an earlier site model took out of it."""

    day: date
    paragraphs: tuple[str, ...]
    again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph that returns: under how many articles, on how many days."""

    key: int
    text: str
    articles: int
    days: int


def key_of(text: str) -> int:
    """64 bits, signed as SQL has them, that are equal for paragraphs of the same letters and digits."""
    return int.from_bytes(hashlib.blake2b(plain(text).encode(), digest_size=8).digest(), "big", signed=True)


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


def repeated_in(articles: Sequence[Occurrence]) -> tuple[Paragraph, ...]:
    """The paragraphs under *articles* of one source that are boilerplate, the commonest first."""
    keys = [{key_of(text): text for text in (*each.paragraphs, *each.again)} for each in articles]
    everywhere = Counter(key for found in keys for key in found)
    under: dict[int, list[int]] = defaultdict(list)
    for place, found in enumerate(keys):
        own = sum(len(text) for key, text in found.items() if everywhere[key] == 1)
        if own < OWN_TEXT * sum(len(text) for text in articles[place].paragraphs):
            continue
        for key in found:
            if everywhere[key] >= FEWEST_ARTICLES:
                under[key].append(place)
    common = []
    for key, places in under.items():
        text, days = keys[places[0]][key], len({articles[place].day for place in places})
        is_common = len(places) >= _articles_needed(text, len(articles)) and days >= FEWEST_DAYS
        if is_common and len(text) <= LONGEST and not is_protected(text):
            common.append((Paragraph(key, text, len(places), days), places))
    if not common:  # as in the first days of a source: the words of all articles are most of the work
        return ()
    rests = [_words(text for key, text in found.items() if everywhere[key] == 1) for found in keys]
    frequency = Counter(word for rest in rests for word in rest)
    good = [
        paragraph
        for paragraph, places in common
        if _is_foreign(paragraph.text, [rests[place] for place in places], frequency, len(articles))
    ]
    return tuple(sorted(good, key=lambda each: (-each.articles, each.key))[:MOST])


def _words(texts: Iterable[str]) -> Set[str]:
    return {word for text in texts for word in _WORD.findall(text.casefold())}


def _articles_needed(text: str, articles: int) -> float:
    """Under how many of all *articles* a paragraph must stand. A sentence that merely states something ('Verletzt wurde
    niemand.') must do so often: reports have their formulas, and stories their background."""
    if _ADDRESS.search(text) or _ABOUT_THE_AUTHOR.search(text):
        return max(FEWEST_ARTICLES, SMALLEST_SHARE * articles)
    return max(FEWEST_STATED, STATED_SHARE * articles)


def _is_foreign(text: str, rests: Sequence[Set[str]], frequency: Mapping[str, int], articles: int) -> bool:
    """Whether a paragraph speaks of something else than the articles under which it stands."""
    words = _words([text])
    foreign = [word for word in words if frequency.get(word, 0) <= FOREIGN * len(rests)]
    if len(foreign) < FEWEST_FOREIGN or len(foreign) < len(words) / 4:
        return False
    return not any(_is_topic(word, rests, frequency, articles) for word in words)


def _is_topic(word: str, rests: Sequence[Set[str]], frequency: Mapping[str, int], articles: int) -> bool:
    """Whether a word of the paragraph is what its articles are about: there it is far commoner than elsewhere."""
    here = sum(word in rest for rest in rests)
    return here >= max(FEWEST_TOPICAL, TOPIC * len(rests)) and here * articles >= LIFT * frequency[word] * len(rests)
