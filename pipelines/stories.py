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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(days=4)  # later articles begin a story of their own
HALF_LIFE = timedelta(days=2)
STEM = 7  # letters: inflected forms, and compounds by their first part
LEAD = 60  # words at the top that count double
MOST_WORDS = 500  # of a text; what an article is about stands in its first part
UNDATED = 0.7  # factor where one of two does not say when it was published
JOIN = 0.08  # least likeness of an article to the story that it joins; benchmarks/stories.py
# An archive that has learnt nothing takes any word for a telling one, so all likenesses are higher: more is asked for.
JOIN_MORE, JOIN_LEARNT = 0.18, 10
KEPT = 100  # heaviest terms of an article that are kept
FEWEST = 30  # an article has at least so many terms, for comparing
KEYS = 16  # heaviest terms by which other articles are looked up
NAME, NUMBER, TITLE = 2.0, 2.0, 3.0
LEARNT = 25  # articles after which half of what is taken for common comes from the archive itself
RARITY = 3  # power of the idf: what two tell of one event in common are few words, and rare ones

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
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_SENTENCE_END = re.compile(r"[.!?:„“\"»«\n]\W*$")
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@dataclass(frozen=True, slots=True)
class Told:
    """An article as stories see it. ``terms``: number of the term -> weight, of length one.

    ``at`` to ``until``: when it was published, as exactly as is known; where its site does not say
    (``is_dated`` False) when it was first seen.
    """

    article: int
    at: datetime
    until: datetime
    is_dated: bool
    terms: Mapping[int, float]

    @property
    def keys(self) -> list[int]:
        """The heaviest terms, by which others are looked up."""
        return sorted(self.terms, key=lambda term: (-self.terms[term], term))[:KEYS]


def counted(title: str, teaser: str | None, text: str) -> dict[int, float]:
    """How often, and how prominently, each term occurs: number of the term -> weighted count."""
    counts: defaultdict[str, float] = defaultdict(float)
    for part, weight in ((title, TITLE), (teaser or "", 2.0)):
        _count(part, weight, MOST_WORDS, counts)
    _count(text, 1.0, MOST_WORDS, counts, lead=LEAD)
    return {number(term): count for term, count in counts.items()}


def _count(text: str, weight: float, most: int, counts: defaultdict[str, float], lead: int = 0) -> None:
    text = unicodedata.normalize("NFC", text)
    before: tuple[str, int] | None = None  # a capitalised word, and where it ended
    amount: tuple[str, int] | None = None
    for place, match in enumerate(_TOKEN.finditer(text)):
        if place >= most:
            break
        token, value = match[0], weight * (2.0 if place < lead else 1.0)
        low = token.lower()
        if token[0].isdigit() or low in _COUNTS:
            digits = re.sub(r"[.,](?=\d{3}\b)", "", _COUNTS.get(low, token))
            amount = (digits, match.end())
            if len(digits) > 1 and not re.fullmatch(r"(?:19|20)\d\d", digits):
                counts["#" + digits] += NUMBER * value
            before = None
            continue
        if low in STOP or len(low) < 3:
            before = None
            continue
        term = stem(low)
        if amount and match.start() - amount[1] <= 2:
            counts[f"#{amount[0]} {term}"] += NUMBER * value
        amount = None
        counts[term] += value
        capital = token[0].isupper() and len(token) > 2
        if before and capital and text[before[1] : match.start()] in (" ", "-"):
            counts[f"{before[0]} {term}"] += NAME * value
        before = (term, match.end()) if capital else None


def stem(word: str) -> str:
    """The beginning of a word in one spelling; Genitive s and the like fall away with the rest."""
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
    weights = {
        term: (1 + math.log(count)) * math.log(total / (least + seen.get(term, 0))) ** RARITY
        for term, count in counts.items()
    }
    kept = sorted(weights, key=lambda term: (-weights[term], term))[:KEPT]
    length = math.sqrt(sum(weights[term] ** 2 for term in kept)) or 1.0
    # as many digits as are stored: an article is compared alike before it was and after
    return {term: round(weights[term] / length, 6) for term in kept}


def similarity(one: Told, other: Told) -> float:
    """0 to 1: the cosine of the terms, halved with every HALF_LIFE between the two.

    To be published at the same time is half of telling the same: it is held against articles that do not say when.
    """
    apart = max(one.at - other.until, other.at - one.until, timedelta())
    if apart > WINDOW:
        return 0.0
    few, many = sorted((one.terms, other.terms), key=len)
    cosine = sum(weight * many[term] for term, weight in few.items() if term in many)
    return min(cosine, 1.0) * math.pow(0.5, apart / HALF_LIFE) * (1.0 if one.is_dated and other.is_dated else UNDATED)


def likeness(one: Told, other: Told) -> float:
    """0 to 1: the similarity, less where the two have few terms.

    Of thirty terms a third is soon shared by chance, of a hundred it is not: without this, no one bound suits short
    reports and long ones.
    """
    terms = [min(max(len(each.terms), FEWEST), KEPT) for each in (one, other)]
    return similarity(one, other) * math.pow(terms[0] * terms[1], 0.25) / math.sqrt(KEPT)


def least_likeness(articles: int, join: float = JOIN) -> float:
    """What an article must have in common with a story, where the archive has learnt from so many *articles*."""
    return join + JOIN_MORE * JOIN_LEARNT / (JOIN_LEARNT + articles)


def best_story(told: Told, members: Iterable[tuple[int, Told]], least: float) -> tuple[int, float] | None:
    """The story of *told* and how much it resembles it, or None: it begins one. *members*: (story, article).

    What counts is the mean of the members that it has heavy terms in common with, not the nearest alone: one article
    between two stories does not draw the second into the first.
    """
    near: dict[int, list[float]] = {}
    for story, member in members:
        near.setdefault(story, []).append(likeness(told, member))
    scores = {story: sum(values) / len(values) for story, values in near.items()}
    best = max(scores, key=lambda one: (scores[one], -one), default=None)
    return (best, scores[best]) if best is not None and scores[best] >= least else None
