"""Sources that are simulated look by look, each with a rhythm of its own, and 25 ways to break them.

A page is a row of ``ingest.observations``, as a crawl leaves it: articles by hour and weekday, short and long ones,
reports of an agency by night without authors, videos that are rejected in bunches, sections that not every article has,
outages after which the pages come with the next look, feeds that stand still for hours, slow hours, holidays, a summer,
days with many times the usual news, paid articles.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

HOLIDAYS = {(1, 6), (4, 3), (4, 6), (5, 1), (12, 25), (12, 26)}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When articles come. ``at``: all of a day at these hours; ``weekend``: how many on such a day, of a weekday's."""

    name: str
    size: float
    weekend: float = 0.55
    night: float = 0.08
    at: tuple[int, ...] = ()

    def rate(self, at: datetime) -> float:
        """Articles that are to be expected in the hour that ends at *at*."""
        size = self.size * (self.weekend if at.weekday() >= 5 else 1)
        if self.at:
            return size / len(self.at) if at.hour in self.at else 0.0
        return size * (self.night + math.exp(-((at.hour - 12) ** 2) / 40)) / (24 * self.night + 10.5)


RHYTHMS = (
    Rhythm("40 a day", 40),
    Rhythm("silent at weekends", 25, weekend=0.0, night=0.0),
    Rhythm("200 a day", 200),
    Rhythm("3 a day", 3, weekend=0.3),
    Rhythm("12 a day", 12),
    Rhythm("all at once in the morning", 30, at=(4,)),
    Rhythm("120 a day, day and night", 120, weekend=0.9, night=0.6),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A source: its rhythm, how long its texts are, how many are dated, signed, in a section, paid, no article."""

    rhythm: Rhythm
    words: float
    spread: float
    dated: float
    signed: float
    section: float
    paid: float
    video: float
    agency: float  # share of the night that is agency reports: short, unsigned
    late: float  # minutes from publication until an article is found


def kind_of(number: int, seed: int) -> Kind:
    chance = random.Random(f"{seed}:{number}")
    rhythm = RHYTHMS[number % len(RHYTHMS)]
    return Kind(replace(rhythm, size=rhythm.size * chance.uniform(0.7, 1.4)), chance.uniform(180, 600),
                chance.uniform(0.3, 0.7), chance.choice((1.0, 0.99, 0.9)),
                chance.choice((0.95, 0.8, 0.5)), chance.choice((1.0, 0.7)), chance.choice((0.0, 0.0, 0.3)),
                chance.uniform(0.0, 0.2), chance.uniform(0.0, 0.8), chance.uniform(20, 60))  # fmt: skip


Page = dict[str, Any]


@dataclass
class Look:
    """What a look finds, before it is broken."""

    pages: list[Page]
    status: int = 200
    error: str | None = None
    empty: bool = False

    @property
    def articles(self) -> int:
        return sum(page["words"] is not None for page in self.pages)


class Source:
    """Makes the looks of one source, an hour each."""

    def __init__(self, number: int, seed: int):
        self.kind, self.name = kind_of(number, seed), f"s{number}"
        self.chance = random.Random(f"{seed}:{number}:looks")
        self.page, self.news = number * 10_000_000, 0
        self.waiting: list[Page] = []  # what an outage has kept back

    def look(self, at: datetime) -> Look:
        chance, kind = self.chance, self.kind
        rate = kind.rhythm.rate(at) * chance.gammavariate(5, 0.2)
        rate *= 0.3 if (at.month, at.day) in HOLIDAYS else 0.7 if at.month == 8 else 1
        if chance.random() < 3 / 8760:
            self.news = 36  # hours of an election, an attack
        rate *= 3 if self.news else 1
        self.news = max(self.news - 1, 0)
        pages = self.of(sum(chance.random() < rate / 600 for _ in range(600)), at)
        if chance.random() < 0.004:  # the feed, or what is before it, had stood still
            pages = changed(pages, "delay", 1, chance.uniform(60, 240))
        if chance.random() < 0.003:
            pages = changed(pages, "ms", chance.uniform(4, 15), 0)
        return self._outage(pages)

    def of(self, number: int, at: datetime) -> list[Page]:
        """*number* articles, and perhaps some pages that are none."""
        chance = self.chance
        pages = [self.article(at.hour) for _ in range(number)]
        if chance.random() < self.kind.video * min(1, number):  # they come in bunches
            for _ in range(chance.randint(1, 4)):
                pages.append(self.ended("rejected", chance.choice(("video_stub", "video_stub", "soft_404", "gone"))))
        chance.shuffle(pages)
        return pages

    def _outage(self, pages: list[Page]) -> Look:
        chance = self.chance
        if chance.random() >= 0.002:
            waited, self.waiting = self.waiting, []
            return Look(waited + pages)
        self.waiting = self.waiting + pages
        status, error = (503, "http_error: HTTP 503") if chance.random() < 0.5 else (200, None)
        return Look([self.ended("failed", "timeout", None) for _ in pages], status, error)

    def article(self, hour: int) -> Page:
        chance, kind = self.chance, self.kind
        is_agency = (hour < 5 or hour > 20) and chance.random() < kind.agency
        words = kind.words * math.exp(chance.gauss(0, kind.spread)) * (0.6 if is_agency else 1)
        self.page += 1
        return {
            "page": self.page, "outcome": "copy" if is_agency and chance.random() < 0.5 else "new", "reason": None,
            "status": None, "words": max(20, int(words)), "is_dated": chance.random() < kind.dated,
            "is_signed": not is_agency and chance.random() < kind.signed, "has_section": chance.random() < kind.section,
            "is_paid": chance.random() < kind.paid, "title_again": chance.random() < 0.01,
            "delay": chance.expovariate(1 / kind.late), "ms": int(300 * math.exp(chance.gauss(0, 0.5))),
            "paragraphs": [chance.getrandbits(30) for _ in range(8)] + ([7] if chance.random() < 0.3 else []),
        }  # fmt: skip

    def ended(self, outcome: str, reason: str, status: int | None = 200) -> Page:
        self.page += 1
        empty = dict.fromkeys(
            ("words", "is_dated", "is_signed", "has_section", "is_paid", "title_again", "delay", "ms", "paragraphs")
        )
        return {"page": self.page, "outcome": outcome, "reason": reason, "status": status, **empty}

    def state(self) -> tuple[Any, ...]:
        return self.chance.getstate(), self.page, self.waiting, self.news

    def back_to(self, state: tuple[Any, ...]) -> None:
        generator, self.page, self.waiting, self.news = state
        self.chance.setstate(generator)


def changed(pages: list[Page], name: str, times: float, more: float) -> list[Page]:
    return [page if page[name] is None else {**page, name: page[name] * times + more} for page in pages]


# --- ways to break ----------------------------------------------------------------------------------------------------

#: Of a source, a look of it, and a number from 0 to 1 that says how badly: the same in all looks of one breakage.
Change = Callable[[Source, Look, float], Look]


@dataclass(frozen=True, slots=True)
class Break:
    """``measures``: those whose alarm names what is broken."""

    change: Change
    measures: tuple[str, ...]
    is_of_list: bool = False


def list_with(measure: str, **more: Any) -> Break:
    return Break(lambda source, look, badly: replace(look, pages=[], **more), (measure,), is_of_list=True)


def ends(outcome: str, reason: str, status: int | None = 200) -> Break:
    """Of the pages some may be as before: from none to one in ten."""

    def change(source: Source, look: Look, badly: float) -> Look:
        pages = [page if source.chance.random() < 0.1 * badly else source.ended(outcome, reason, status)
                 for page in look.pages]  # fmt: skip
        return replace(look, pages=pages)

    return Break(change, (f"{outcome}_{reason}",))


def articles(change: Callable[[Page, float], Page], *measures: str) -> Break:
    def all_of(source: Source, look: Look, badly: float) -> Look:
        return replace(look, pages=[
            {**page, **change(page, badly)} if page["words"] is not None else page for page in look.pages])  # fmt: skip

    return Break(all_of, measures)


def shrunk(least: float, most: float) -> Break:
    return articles(
        lambda page, badly: {"words": max(3, int(page["words"] * (least + (most - least) * badly)))}, "words"
    )


BREAKS: dict[str, Break] = {
    # the fifteen
    "feed 404": list_with("lists_failing", status=404, error="gone: 404"),
    "feed is HTML": list_with("lists_failing", error="html: an HTML page"),
    "feed times out": list_with("lists_failing", status=0, error="timeout: no answer"),
    "feed is empty": list_with("lists_empty", empty=True),
    "JavaScript shell": ends("rejected", "javascript_shell"),
    "consent wall": ends("rejected", "consent_wall"),
    "maintenance page": ends("rejected", "soft_404"),
    "403 everywhere": ends("failed", "http_error", 403),
    "texts half as long": shrunk(0.4, 0.55),
    "texts nearly empty": shrunk(0.05, 0.15),
    "dates gone": articles(lambda page, badly: {"is_dated": False, "delay": None}, "date"),
    "paywall": articles(
        lambda page, badly: {"is_paid": True, "words": max(20, int(page["words"] * (0.2 + 0.8 * badly)))},
        "paid", "words"),
    "newsletter prompt": articles(lambda page, badly: {"paragraphs": [*page["paragraphs"], 4711]}, "boilerplate"),
    "pages have no text": ends("rejected", "empty"),
    "page unstorable": ends("rejected", "unstorable"),
    # ten more
    "503 everywhere": ends("failed", "http_error", 503),
    "login wall": ends("rejected", "login_wall"),
    "pages 404": ends("rejected", "gone", 404),
    "all lead to the front page": ends("rejected", "home_page"),
    "authors gone": articles(lambda page, badly: {"is_signed": False}, "author"),
    "sections gone": articles(lambda page, badly: {"has_section": False}, "section"),
    "one text in all pages": articles(lambda page, badly: {"outcome": "copy", "words": 60}, "copies", "words"),
    "one headline on all pages": articles(lambda page, badly: {"title_again": True}, "titles"),
    "texts three times as long": shrunk(2.5, 4.0),
    "feed six hours late": articles(
        lambda page, badly: {"delay": 240 + 240 * badly + (page["delay"] or 0)}, "delay"),
}  # fmt: skip
