"""Which articles tell one story: what of an article says which event it is about, and how much of it two share.

Pure. An article is a bag of weighted terms: stems of words, names (capitalised words that follow one another), and
numbers with what they count. Common words weigh little (idf of the own archive), names and numbers weigh more, and so
does what stands in the title or near the top. Two articles are compared by the cosine of their bags, times a decay with
the time between them. An article joins the story whose members it resembles most, or begins one of its own.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

WINDOW = timedelta(days=4)  # later articles begin a story of their own
HALF_LIFE = timedelta(days=2)
STEM = 9  # letters: inflected forms, and compounds by their first part
LEAD = 60  # words at the top that count double
MOST_WORDS = 300  # of a text; what an article is about stands in its first part
MOST_TERMS = 9 * MOST_WORDS  # of headline, teaser and text; each word may bring a pair and a number beside it
UNDATED = 0.7  # factor where one of two does not say when it was published
JOIN = 0.09  # least similarity of an article to the story that it joins; benchmarks/stories.py
# An archive that has learnt nothing takes any word for a telling one, so all similarities are higher: more is required.
JOIN_MORE, JOIN_LEARNT = 0.24, 10
# Cosine of two wordings of an article below which the later one is about something else. Of look-alikes one in 100 is
# above 0.28; an article that grows from a seventh of its text to all of it stays above 0.36 in 99 of 100.
REWRITTEN = 0.35
_NO_TIME = timedelta()
KEPT = 100  # heaviest terms of an article that are kept
FEWEST = 30  # an article has at least so many terms, for comparing
CANDIDATES = 400  # articles with the same heavy terms that one is compared with, latest first
KEYS = 50  # heaviest terms by which other articles are looked up
NAME, NUMBER, TITLE = 2.0, 2.0, 3.0  # how often each of them counts
# Two quakes, two trials of one day share all words but these: names (in German every noun) and numbers.
CAPITAL, FIGURE = 1.4, 1.3
NEAREST = 5  # members of a story that an article is compared with above all ...
WHOLE = 1 / 3  # ... and the weight of all of them together
LEARNT = 25  # articles after which half of what is taken for common comes from the archive itself
RARITY = 2  # power of the idf: what two tell of one event in common are few words, and rare ones

# Words that tell nothing in any archive; what else is common the archive itself teaches.
_STOP = """
    aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bereits bis bisher da
    dabei dadurch dafür damit dann daran darauf darüber das dass davon dazu dem den denn der deren des dessen die
    dies diese diesem diesen dieser dieses doch dort durch eigenen ein eine einem einen einer eines einmal er erst
    es etwa etwas für gab ganz gegen gegenüber gemacht gibt habe haben hat hatte hatten her hier hin hinter ich ihm
    ihn ihnen ihr ihre ihrem ihren ihrer im immer in innerhalb ins ist ja jede jedoch kann kein keine können könnte
    könnten laut machen man mehr mehrere mit müsse müssen nach nachdem neben neu neue neuen neuer nicht nichts noch
    nun nur ob oder ohne sagte sagt schon sehr sei seien sein seine seinem seinen seiner seit sich sie sind so soll
    sollen sollte sollten sowie über um und uns unter viel viele vom von vor war waren was weil weiter weitere
    weiteren weiterhin welche wenn wer werde werden wie wieder will wird wir wird wolle wollen worden wurde wurden
    würde würden zu zudem zum zur zwar zwischen jahr jahre jahren uhr montag dienstag mittwoch donnerstag freitag
    samstag sonntag januar februar märz april mai juni juli august september oktober november dezember heute gestern
    morgen erklärte betonte kündigte angaben zufolge
    a about after all also an and any are as at be because been before being between both but by can could did do
    does for from had has have he her him his how i if in into is it its just like made may more most new no not now
    of on one only or other our out over said say says she should since so some such than that the their them then
    there these they this those through to under up was we were what when where which while who will with would you
    your year years monday tuesday wednesday thursday friday saturday sunday
"""
STOP = frozenset(_STOP.split())
_COUNTS = {
    "zwei": "2", "drei": "3", "vier": "4", "fünf": "5", "sechs": "6", "sieben": "7", "acht": "8", "neun": "9",
    "zehn": "10", "elf": "11", "zwölf": "12", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip
_TOKEN = re.compile(r"(\d+(?:[.,]\d+)*|[^\W\d_]+)")
_THOUSANDS = re.compile(r"[.,](?=\d{3}\b)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@dataclass(frozen=True)
class StoryVector:
    """An article as stories see it. ``terms``: number of the term -> weight, of length one.

    ``at`` to ``until``: when it was published, as exactly as is known; where its site does not say
    (``is_dated`` False) when it was first seen.
    """

    article: int
    at: datetime
    until: datetime
    is_dated: bool
    terms: Mapping[int, float]

    @cached_property
    def keys(self) -> list[int]:
        """The heaviest terms, by which others are looked up."""
        return _heaviest(self.terms, KEYS)


def _heaviest(weights: Mapping[int, float], most: int) -> list[int]:
    """Of terms of equal weight those with the least numbers."""
    return sorted(sorted(weights), key=weights.__getitem__, reverse=True)[:most]


def counted(title: str, teaser: str | None, text: str) -> dict[int, float]:
    """How prominent each term is: number of the term -> 1 and more, for what is a name, a number, or told often."""
    counts: defaultdict[str, float] = defaultdict(float)
    factors: dict[str, float] = {}
    for part, weight, lead in ((title, TITLE, 0), (teaser or "", 2.0, 0), (text, 1.0, LEAD)):
        _count(part, weight, lead, counts, factors)
    return {number(term): (1 + math.log(count)) * factors.get(term, 1.0) for term, count in counts.items()}


def _count(text: str, weight: float, lead: int, counts: defaultdict[str, float], factors: dict[str, float]) -> None:
    """Add to *counts* how often each term occurs, more where it stands out; *factors* are of those that weigh more."""
    pieces = _TOKEN.split(unicodedata.normalize("NFC", text), MOST_WORDS)  # what stands between, and tokens, in turn
    before = ""  # the capitalised word right before
    digits, apart = "", 0  # the last number, and how many characters ago it ended
    for place, (between, token) in enumerate(zip(pieces[::2], pieces[1::2], strict=False)):
        value, apart, low = weight * (2.0 if place < lead else 1.0), apart + len(between), token.lower()
        if token[0].isdigit() or low in _COUNTS:
            digits, apart, before = _THOUSANDS.sub("", _COUNTS.get(low, token)), 0, ""
            if len(digits) > 1 and not _YEAR.fullmatch(digits):
                counts[f"#{digits}"] += NUMBER * value
                factors[f"#{digits}"] = FIGURE
            continue
        if low in STOP or len(low) < 3:
            apart, before = apart + len(token), ""
            continue
        term = stem(low)
        if digits and apart <= 2:
            counts[f"#{digits} {term}"] += NUMBER * value
            factors[f"#{digits} {term}"] = FIGURE
        digits = ""
        capital = token[0].isupper() and len(token) > 2
        counts[term] += value
        if capital:
            factors[term] = CAPITAL
        if before and capital and between in (" ", "-"):
            counts[f"{before} {term}"] += NAME * value
        before = term if capital else ""


def stem(word: str) -> str:
    """The beginning of a word in one spelling; Genitive s and the like fall away with the rest."""
    if not word.isascii():
        word = word.translate(_LETTERS)
    if len(word) > 4 and word.endswith("s"):
        word = word[:-1]
    return word[:STEM]


def number(term: str) -> int:
    """32 bits with a sign that stand for a term, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest(), "big", signed=True)


def weighted(counts: Mapping[int, float], seen: Mapping[int, int], articles: int) -> dict[int, float]:
    """The KEPT heaviest terms, their weights of length one. *seen*: in how many of *articles* each term occurs."""
    # An archive of five articles says nothing about what is rare: every word is then taken to stand in 10 of 1000. The
    # assumption fades as the archive grows.
    assumed = LEARNT / (LEARNT + articles)
    total, least = articles + 30 + 970 * assumed, 1 + 9 * assumed
    # by the number of articles with a term, which is small for nearly all of them
    known = [seen.get(term, 0) for term in counts]
    rarity = {times: math.log(total / (least + times)) ** RARITY for times in set(known)}
    weights = {term: count * rarity[times] for (term, count), times in zip(counts.items(), known, strict=True)}
    kept = _heaviest(weights, KEPT)
    length = math.sqrt(sum([weights[term] ** 2 for term in kept])) or 1.0
    # as many digits as are stored: an article is compared alike before it was and after
    return {term: round(weights[term] / length, 6) for term in kept}


def cosine_in_time(one: StoryVector, other: StoryVector) -> float:
    """0 to 1: the cosine of the terms, halved with every HALF_LIFE between the two.

    To be published at the same time is half of telling the same: it is held against articles that do not say when.
    """
    return _cosine(one, other, one.terms.keys() & other.terms.keys()) * _decay(one, other)


def _cosine(one: StoryVector, other: StoryVector, shared: Set[int]) -> float:
    # fsum: the same in whatever order
    return min(math.fsum([one.terms[term] * other.terms[term] for term in shared]), 1.0)


def _decay(one: StoryVector, other: StoryVector) -> float:
    apart = max(one.at - other.until, other.at - one.until, _NO_TIME)
    if apart > WINDOW:
        return 0.0
    decay = 1.0 if apart is _NO_TIME else math.pow(0.5, apart / HALF_LIFE)
    return decay if one.is_dated and other.is_dated else decay * UNDATED


def similarity(one: StoryVector, other: StoryVector) -> float:
    """0 to 1: the similarity, less where the two have few terms.

    Of thirty terms a third is soon shared by chance, of a hundred it is not: without this, no one bound suits short
    reports and long ones.
    """
    return _closeness(one, other) * _cosine(one, other, one.terms.keys() & other.terms.keys())


def _closeness(one: StoryVector, other: StoryVector) -> float:
    """What the similarity of two is multiplied by, whatever their terms are."""
    terms = min(max(len(one.terms), FEWEST), KEPT) * min(max(len(other.terms), FEWEST), KEPT)
    return _decay(one, other) * math.pow(terms, 0.25) / math.sqrt(KEPT)


def is_rewritten(before: Mapping[int, float], now: Mapping[int, float]) -> bool:
    """Whether a wording with the terms *now* is about something else than one with the terms *before*."""
    return math.fsum([before[term] * now[term] for term in before.keys() & now.keys()]) < REWRITTEN


def least_similarity(articles: int, join: float = JOIN) -> float:
    """What an article must have in common with a story, where the archive has learnt from so many *articles*."""
    return join + JOIN_MORE * JOIN_LEARNT / (JOIN_LEARNT + articles)


def _best(similarities: Mapping[int, Sequence[float]], least: float) -> tuple[int, float] | None:
    scores = {story: story_score(values) for story, values in similarities.items()}
    best = max(scores, key=lambda one: (scores[one], -one), default=None)
    return (best, scores[best]) if best is not None and scores[best] >= least else None


def story_score(similarities: Sequence[float]) -> float:
    """How much an article resembles a story, by its *similarities* to members of it; there is one at least.

    What counts are the nearest few, and somewhat the mean of all. By the nearest alone, one article between two stories
    would draw the second into the first; by the mean alone, a story that many tell in their own way falls apart.
    """
    nearest = sorted(similarities, reverse=True)[:NEAREST]
    return WHOLE * sum(similarities) / len(similarities) + (1 - WHOLE) * sum(nearest) / len(nearest)


@dataclass(frozen=True, slots=True)
class Member:
    """An article that has its story."""

    story: int
    vector: StoryVector


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An article without a story. *least*: what it must have in common with one. *near*: members stored before that
    share a key with it and are published within ``days_around``."""

    vector: StoryVector
    least: float
    near: Sequence[Member] = ()


def days_around(vector: StoryVector) -> tuple[datetime, datetime]:
    """From when to when the members are published that an article is compared with."""
    return vector.at - WINDOW - timedelta(days=1), vector.until + WINDOW


def _similarities(vector: StoryVector, near: Iterable[Member]) -> dict[int, list[float]]:
    """Story -> how much its members among *near* resemble the article: ``similarity`` of each."""
    own = frozenset(vector.terms)  # hundreds of comparisons: a set finds what two share faster than the mappings do
    found: dict[int, list[float]] = {}
    for member in near:
        shared = own.intersection(member.vector.terms)
        alike = _closeness(vector, member.vector) * _cosine(vector, member.vector, shared) if shared else 0.0
        found.setdefault(member.story, []).append(alike)
    return found


def assigned(newcomers: Sequence[Newcomer]) -> list[tuple[int, float | None]]:
    """Each one's story and how much it resembles it; None: it begins the story, whose number is the article's.

    One after another: those before are candidates of those after, beside what is stored.
    """
    found: list[tuple[int, float | None]] = []
    by_key: defaultdict[int, list[Member]] = defaultdict(list)
    for one in newcomers:
        vector, keys = one.vector, one.vector.keys
        first, last = days_around(vector)
        come = {id(member): member for key in keys for member in by_key.get(key, ())}
        near = [*one.near, *(member for member in come.values() if first <= member.vector.at <= last)]
        near.sort(key=lambda member: (-member.vector.at.timestamp(), member.vector.article))
        best = _best(_similarities(vector, near[:CANDIDATES]), one.least)
        story, alike = best or (vector.article, None)
        found.append((story, alike))
        member = Member(story, vector)
        for key in keys:
            by_key[key].append(member)
    return found
