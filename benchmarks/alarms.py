"""Alarms: what of 25 ways to break is found, how soon, and how many alarms a calm year has without any.

    python -m benchmarks.alarms [--sources N] [--days N] [--breaks N] [--seed N] [--json]

A year of sources is simulated in a database of its own, a look an hour: articles by hour and weekday, short and long
ones, agency reports by night without authors, videos that are rejected in bunches, sections that not every article has,
outages, holidays, paid articles. Each page is a row of ``ingest.observations``, as a crawl leaves it; after each look
the check of the live system runs. At random moments of the day a copy of the state is broken in each of the ways, and
thrown away after three looks. An alarm of any measure counts as found; in the calm year each is a false one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from rich.console import Console

from benchmarks import filled
from pipelines.store import health

START = datetime(2026, 1, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
LOOKS = 3
AT_ONCE = 3
BEFORE = 21  # days without breakages at the beginning

INSERT = """
    INSERT INTO ingest.observations (source, run_id, page_id, at, outcome, reason, status, words, is_dated, is_signed,
        has_section, is_paid, title_again, delay, ms, paragraphs, counted)
    VALUES (%(source)s, %(run)s, %(page)s, %(at)s, %(outcome)s, %(reason)s, %(status)s, %(words)s, %(is_dated)s,
        %(is_signed)s, %(has_section)s, %(is_paid)s, %(title_again)s, %(delay)s, %(ms)s, %(paragraphs)s,
        NOT EXISTS (SELECT FROM ingest.alarms WHERE alarms.source = %(source)s AND closed_at IS NULL))
"""
RUN = """
    INSERT INTO ingest.runs (id, token, source, kind, holder, started_at, lease_until, ended_at, outcome)
    OVERRIDING SYSTEM VALUE
    VALUES (%(run)s, gen_random_uuid(), %(source)s, 'crawl', 'x', %(at)s, %(at)s, %(at)s, 'finished')
"""
DOCUMENT = """
    INSERT INTO ingest.documents AS known (source, url_key, url, kind, status, error, checked_at, most_entries,
        failed_in_a_row, failing_since, empty_in_a_row, empty_since)
    VALUES (%(source)s, '1', 'https://x.example/rss', 'feed', %(status)s, %(error)s, %(at)s, 30, 0, NULL, 0, NULL)
    ON CONFLICT (source, url_key) DO UPDATE
    SET status = excluded.status, error = excluded.error, checked_at = excluded.checked_at,
        failed_in_a_row = CASE WHEN %(error)s::text IS NULL THEN 0 ELSE known.failed_in_a_row + 1 END,
        failing_since = CASE WHEN %(error)s::text IS NOT NULL THEN coalesce(known.failing_since, %(at)s) END,
        empty_in_a_row = CASE WHEN %(empty)s THEN known.empty_in_a_row + 1 ELSE 0 END,
        empty_since = CASE WHEN %(empty)s THEN coalesce(known.empty_since, %(at)s) END
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A source: articles a day, how long its texts are, how many are dated, signed, in a section, paid, no article."""

    size: float
    words: float
    spread: float
    dated: float
    signed: float
    section: float
    paid: float
    video: float
    agency: float  # share of the night that is agency reports: short, unsigned


def kind_of(number: int, seed: int) -> Kind:
    chance = random.Random(f"{seed}:{number}")
    size = (12, 40, 120)[number % 3] * chance.uniform(0.7, 1.4)
    return Kind(size, chance.uniform(180, 600), chance.uniform(0.3, 0.7), chance.choice((1.0, 0.99, 0.9)),
                chance.choice((0.95, 0.8, 0.5)), chance.choice((1.0, 0.7)), chance.choice((0.0, 0.0, 0.3)),
                chance.uniform(0.0, 0.2), chance.uniform(0.0, 0.8))  # fmt: skip


Page = dict[str, Any]


@dataclass
class Look:
    """What a look finds, before it is broken."""

    pages: list[Page]
    status: int = 200
    error: str | None = None
    empty: bool = False


class Source:
    """Makes the looks of one source."""

    def __init__(self, number: int, seed: int):
        self.kind, self.name = kind_of(number, seed), f"s{number}"
        self.chance = random.Random(f"{seed}:{number}:looks")
        self.page, self.outage = number * 10_000_000, 0

    def look(self, at: datetime) -> Look:
        chance, kind = self.chance, self.kind
        hour = (at.hour + 1) % 24
        by_day = 0.08 + math.exp(-((hour - 13) ** 2) / 40)
        rate = kind.size * by_day / 10.5 * (0.55 if at.weekday() >= 5 else 1) * chance.gammavariate(5, 0.2)
        rate *= 0.3 if (at.month, at.day) in ((1, 6), (4, 3), (4, 6), (5, 1), (12, 25), (12, 26)) else 1
        number = sum(chance.random() < rate / 60 for _ in range(60))
        pages = [self.article(at, hour) for _ in range(number)]
        if chance.random() < kind.video * min(1, rate):  # they come in bunches
            for _ in range(chance.randint(1, 4)):
                pages.append(self.ended("rejected", chance.choice(("video_stub", "video_stub", "soft_404", "gone"))))
        chance.shuffle(pages)
        if chance.random() < 0.002:
            self.outage = 1  # an hour at most
        if self.outage:
            self.outage -= 1
            status, error = (503, "http_error: HTTP 503") if chance.random() < 0.5 else (200, None)
            return Look([self.ended("failed", "timeout") for _ in pages], status, error)
        return Look(pages)

    def article(self, at: datetime, hour: int) -> Page:
        chance, kind = self.chance, self.kind
        is_agency = (hour < 6 or hour > 21) and chance.random() < kind.agency
        words = kind.words * math.exp(chance.gauss(0, kind.spread)) * (0.6 if is_agency else 1)
        self.page += 1
        return {
            "page": self.page, "outcome": "copy" if is_agency and chance.random() < 0.5 else "new", "reason": None,
            "status": None, "words": max(20, int(words)), "is_dated": chance.random() < kind.dated,
            "is_signed": not is_agency and chance.random() < kind.signed, "has_section": chance.random() < kind.section,
            "is_paid": chance.random() < kind.paid, "title_again": chance.random() < 0.01,
            "delay": chance.expovariate(1 / 35), "ms": int(300 * math.exp(chance.gauss(0, 0.5))),
            "paragraphs": [chance.getrandbits(30) for _ in range(8)] + ([7] if chance.random() < 0.3 else []),
        }  # fmt: skip

    def ended(self, outcome: str, reason: str, status: int | None = 200) -> Page:
        self.page += 1
        empty = dict.fromkeys(
            ("words", "is_dated", "is_signed", "has_section", "is_paid", "title_again", "delay", "ms", "paragraphs")
        )
        return {"page": self.page, "outcome": outcome, "reason": reason, "status": status, **empty}


# --- ways to break ----------------------------------------------------------------------------------------------------

Break = Callable[[Source, Look], Look]


def list_with(**more: Any) -> Break:
    return lambda source, look: replace(look, pages=[], **more)


def ends(outcome: str, reason: str, status: int | None = 200) -> Break:
    return lambda source, look: replace(look, pages=[source.ended(outcome, reason, status) for _ in look.pages])


def articles(change: Callable[[Page], Page]) -> Break:
    return lambda source, look: replace(
        look, pages=[{**page, **change(page)} if page["words"] is not None else page for page in look.pages]
    )


def shrunk(factor: float) -> Break:
    return articles(lambda page: {"words": max(3, int(page["words"] * factor))})


BREAKS: dict[str, Break] = {
    # the fifteen
    "feed 404": list_with(status=404, error="gone: 404"),
    "feed is HTML": list_with(error="html: an HTML page"),
    "feed times out": list_with(status=0, error="timeout: no answer"),
    "feed is empty": list_with(empty=True),
    "JavaScript shell": ends("rejected", "javascript_shell"),
    "consent wall": ends("rejected", "consent_wall"),
    "maintenance page": ends("rejected", "soft_404"),
    "403 everywhere": ends("failed", "http_error", 403),
    "texts half as long": shrunk(0.5),
    "texts nearly empty": shrunk(0.1),
    "dates gone": articles(lambda page: {"is_dated": False, "delay": None}),
    "paywall": articles(lambda page: {"is_paid": True, "words": max(20, page["words"] // 3)}),
    "newsletter prompt": articles(lambda page: {"paragraphs": [*page["paragraphs"], 4711]}),
    "pages have no text": ends("rejected", "empty"),
    "page unstorable": ends("rejected", "unstorable"),
    # ten more
    "503 everywhere": ends("failed", "http_error", 503),
    "login wall": ends("rejected", "login_wall"),
    "pages 404": ends("rejected", "gone", 404),
    "all lead to the front page": ends("rejected", "home_page"),
    "authors gone": articles(lambda page: {"is_signed": False}),
    "sections gone": articles(lambda page: {"has_section": False}),
    "one text in all pages": articles(lambda page: {"outcome": "copy", "words": 60}),
    "one headline on all pages": articles(lambda page: {"title_again": True}),
    "texts three times as long": shrunk(3.0),
    "feed six hours late": articles(lambda page: {"delay": 360 + (page["delay"] or 0)}),
}


# --- the year ---------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    false: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    looks: int = 0


async def looked(connection: psycopg.AsyncConnection, source: Source, look: Look, run: int, at: datetime) -> Any:
    values = {"source": source.name, "run": run, "at": at}
    await connection.execute(RUN, values)
    await connection.execute(DOCUMENT, values | {"status": look.status, "error": look.error, "empty": look.empty})
    if look.pages:
        await connection.cursor().executemany(INSERT, [values | page for page in look.pages])
    return await health.check(connection, source.name, run, at, BERLIN, has_pages=False, is_observed=bool(look.pages))


async def year(dsn: str, source: Source, days: int, breaks: int, tally: Tally, numbers: list[int]) -> None:
    chance = random.Random(f"breaks of {source.name}")
    moments = {chance.randrange(BEFORE, days) * 24 + chance.randrange(7, 17): name
               for name in list(BREAKS) * breaks}  # fmt: skip
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=False) as connection:
        await connection.execute("SET synchronous_commit = off")
        await connection.execute(
            "INSERT INTO ingest.sources (name, title, added_at) VALUES (%s, %s, %s)", [source.name] * 2 + [START]
        )
        for hour in range(days * 24):
            at = START + timedelta(hours=hour)
            if hour in moments and not await open_alarms(connection, source.name):
                await broken(connection, source, at, moments[hour], tally, numbers)
            numbers[0] += 1
            tally.looks += 1
            checked = await looked(connection, source, source.look(at), numbers[0], at)
            tally.false.update(f"{source.name} {alarm['measure']}" for alarm in checked.opened)
            if hour % 24 == 0:
                await connection.commit()
        await connection.commit()


async def open_alarms(connection: psycopg.AsyncConnection, name: str) -> bool:
    cursor = await connection.execute("SELECT FROM ingest.alarms WHERE source = %s AND closed_at IS NULL", [name])
    return bool(await cursor.fetchall())


async def broken(connection: psycopg.AsyncConnection, source: Source, at: datetime, name: str, tally: Tally,
                 numbers: list[int]) -> None:  # fmt: skip
    """Three looks at a copy of the source that is broken in one way. It must have had something to show."""
    state, page = source.chance.getstate(), source.page
    await connection.commit()
    is_found, pages = False, 0
    for step in range(LOOKS):
        numbers[0] += 1
        when = at + timedelta(hours=step, minutes=1)
        look = source.look(when)
        pages += len(look.pages)
        checked = await looked(connection, source, BREAKS[name](source, look), numbers[0], when)
        is_found = is_found or bool(checked.opened)
    await connection.rollback()
    source.chance.setstate(state)
    source.page = page
    # with less than this no one could tell: a source that brought nothing shows no broken page
    if pages >= 6 or "feed" in name:
        tally.tried[name] += 1
        tally.found[name] += is_found


async def measured(dsn: str, asked: argparse.Namespace) -> Tally:
    """The years of all sources, some at once: nearly all of the time is the database's."""
    tally, numbers, places = Tally(), [1], asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with places:
            await year(dsn, Source(number, asked.seed), asked.days, asked.breaks, tally, numbers)

    await asyncio.gather(*(one(number) for number in range(asked.sources)))
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=6)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--breaks", type=int, default=1, help="how often each way to break is tried at each source")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with filled.server() as server, filled.fresh_database(server, "alarms") as dsn:
        tally = asyncio.run(measured(dsn, asked))
    shown(tally, asked)


def shown(tally: Tally, asked: argparse.Namespace) -> None:
    tried, found = tally.tried.total(), tally.found.total()
    quarters = asked.sources * asked.days / 91.25
    figures = {
        "tried": tried, "found": found, "found_share": round(found / max(tried, 1), 4), "looks": tally.looks,
        "false": tally.false.total(), "false_a_source_and_quarter": round(tally.false.total() / quarters, 3),
        "missed": {name: f"{tally.tried[name] - tally.found[name]} of {tally.tried[name]}" for name in BREAKS
                   if tally.found[name] < tally.tried[name]},
        "false_by_measure": dict(tally.false.most_common(20)),
    }  # fmt: skip
    if asked.json:
        print(json.dumps(figures))
        return
    console = Console(width=120)
    for name, value in figures.items():
        console.print(f"{name.replace('_', ' ')}: {value}")


if __name__ == "__main__":
    main()
