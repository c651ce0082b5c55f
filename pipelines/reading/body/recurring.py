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

from pipelines.reading.fingerprint import plain

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

_WORD = re.compile(r"[^\W\d_]{4,}")


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
        may_be_common = len(places) >= FEWEST_ARTICLES and days >= FEWEST_DAYS and len(text) <= LONGEST
        if may_be_common and _is_common(text, len(places), len(articles)):
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


def _is_common(text: str, times: int, articles: int) -> bool:
    """Whether a paragraph that stands under so many of all *articles* is boilerplate by its words.

    A sentence that merely states something ('Verletzt wurde niemand.') must do so often: reports have their formulas,
    and stories their background.
    """
    from pipelines.reading.body import repeated  # loads the words of all languages; few paragraphs come so far

    is_address = repeated.speaks_to_the_reader(text)
    share, fewest = (SMALLEST_SHARE, FEWEST_ARTICLES) if is_address else (STATED_SHARE, FEWEST_STATED)
    return times >= max(fewest, share * articles) and not repeated.is_protected(text)


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
