"""Alarms: what of 25 ways to break is found, how soon, and how many alarms a calm year has without any.

    python -m benchmarks.alarms [--sources N] [--days N] [--breaks N] [--young N] [--seed N] [--json]

Years of sources with different rhythms (``benchmarks.simulated_sources``) are simulated in a database of its own, a
look an hour; after each look the check of the live system runs. At random moments when something comes, a copy of the
state is broken in each of the ways, is looked at until that is found, and thrown away. Of the years' own alarms each is
a false one. ``--young``: the same with so many sources that were added an hour before: all that is known are two or
three runs.

Found counts what is told within three runs that brought pages (of a broken list: three runs), or within an hour. Where
these brought fewer than six articles it is counted by itself: of three texts nobody can say that they are half as long
as usual.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from rich.console import Console

from benchmarks import filled
from benchmarks.simulated_sources import BREAKS, RHYTHMS, Look, Source
from pipelines.store import health

START = datetime(2026, 1, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
RUNS = 3  # within so many runs that bring pages it should be found
LATER = 10  # so long it is looked at whether it is found at all
LONGEST = 96  # looks at a breakage, at most
FEW = 6  # articles
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
class Trial:
    """A breakage: ``articles`` came in the first three runs with pages; ``found`` after so many runs, None: never."""

    name: str
    rhythm: str
    articles: int
    found: int | None = None
    hours: float = 0.0
    ill: int = 0  # pages that it took
    measures: tuple[str, ...] = ()

    @property
    def is_few(self) -> bool:
        return self.articles < FEW and not BREAKS[self.name].is_of_list

    @property
    def is_found(self) -> bool:
        return self.found is not None and (self.found <= RUNS or self.hours <= 1)

    @property
    def is_named(self) -> bool:
        return any(measure in BREAKS[self.name].measures for measure in self.measures)


@dataclass
class Tally:
    trials: list[Trial] = field(default_factory=list)
    false: Counter[str] = field(default_factory=Counter)
    quarters: Counter[str] = field(default_factory=Counter)
    says: list[str] = field(default_factory=list)
    looks: int = 0
    runs: int = 1

    def next_run(self) -> int:
        self.runs += 1
        return self.runs


class Schedule:
    """One source that is looked at."""

    def __init__(self, connection: psycopg.AsyncConnection, source: Source, tally: Tally):
        self.connection, self.source, self.tally = connection, source, tally

    async def begin(self) -> None:
        await self.connection.execute("SET synchronous_commit = off")
        await self.connection.execute(
            "INSERT INTO ingest.sources (name, title, added_at) VALUES (%s, %s, %s)", [self.source.name] * 2 + [START]
        )

    async def look(self, look: Look, at: datetime) -> health.Checked:
        run = self.tally.next_run()
        values = {"source": self.source.name, "run": run, "at": at}
        await self.connection.execute(RUN, values)
        await self.connection.execute(
            DOCUMENT, values | {"status": look.status, "error": look.error, "empty": look.empty}
        )
        if look.pages:
            await self.connection.cursor().executemany(INSERT, [values | page for page in look.pages])
        return await health.check(
            self.connection, self.source.name, run, at, BERLIN, has_pages=False, is_observed=bool(look.pages)
        )

    async def is_well(self) -> bool:
        cursor = await self.connection.execute(
            "SELECT FROM ingest.alarms WHERE source = %s AND closed_at IS NULL", [self.source.name]
        )
        return not await cursor.fetchall()

    async def broken(self, name: str, at: datetime, looks: Callable[[datetime], Look], every: timedelta) -> None:
        """Looks at a copy that is broken in one way, until it is found; with it a trial is noted."""
        state = self.source.state()
        await self.connection.commit()
        badly = random.Random(f"{self.source.name} {name} {at}").random()
        runs, articles, ill, found = 0, 0, 0, None
        for number in range(LONGEST):
            when = at + number * every
            look = looks(when)
            articles += look.articles if runs < RUNS else 0
            ill += look.articles
            runs += bool(look.pages) or BREAKS[name].is_of_list
            checked = await self.look(BREAKS[name].change(self.source, look, badly), when)
            if checked.opened and found is None:
                measures = tuple(alarm["measure"] for alarm in checked.opened)
                found = runs, (when - at) / HOUR, ill, measures
            if runs >= (RUNS if found else LATER):
                break
        await self.connection.rollback()
        self.source.back_to(state)
        self.tally.trials.append(Trial(name, self.source.kind.rhythm.name, articles, *(found or ())))


async def year(connection: psycopg.AsyncConnection, source: Source, days: int, breaks: int, tally: Tally) -> None:
    chance = random.Random(f"breaks of {source.name}")
    names = list(BREAKS) * breaks
    chance.shuffle(names)
    due = sorted((chance.randrange(BEFORE * 24, days * 24), name) for name in names)
    schedule, rhythm = Schedule(connection, source, tally), source.kind.rhythm.name
    await schedule.begin()
    for hour in range(days * 24):
        at = START + timedelta(hours=hour)
        if due and due[0][0] <= hour and something_comes(source, at) and await schedule.is_well():
            await schedule.broken(due.pop(0)[1], at, source.look, HOUR)
        checked = await schedule.look(source.look(at), at)
        tally.looks += 1
        tally.quarters[rhythm] += 1
        tally.false.update(f"{rhythm}: {alarm['measure']}" for alarm in checked.opened)
        tally.says += [alarm["says"] for alarm in checked.opened]
        if hour % 24 == 0:
            await connection.commit()
    await connection.commit()


def something_comes(source: Source, at: datetime) -> bool:
    state = source.state()
    articles = source.look(at).articles
    source.back_to(state)
    return articles > 0


async def youth(connection: psycopg.AsyncConnection, source: Source, tally: Tally) -> None:
    """A source whose whole history are two or three runs of 20 to 40 pages; each breakage comes with the next ones."""
    chance, every = random.Random(f"youth of {source.name}"), timedelta(minutes=15)
    schedule = Schedule(connection, source, tally)
    await schedule.begin()
    at = START + timedelta(hours=chance.randrange(24))

    def look(when: datetime) -> Look:
        return Look(source.of(chance.randint(20, 40), when))

    for _ in range(chance.randint(2, 3)):
        await schedule.look(look(at), at)
        at += every
    for name in BREAKS:
        await schedule.broken(name, at, look, every)
    await connection.rollback()


async def measured(dsn: str, asked: argparse.Namespace, console: Console) -> Tally:
    """The years of all sources, some at once: nearly all of the time is the database's."""
    tally, places = Tally(), asyncio.Semaphore(AT_ONCE)

    async def one(number: int, is_young: bool) -> None:
        source = Source(number, asked.seed)
        async with places, await psycopg.AsyncConnection.connect(dsn, autocommit=False) as connection:
            if is_young:
                await youth(connection, source, tally)
            else:
                await year(connection, source, asked.days, asked.breaks, tally)
                console.print(f"{source.name}, {source.kind.rhythm.name}: {asked.days} days")

    numbers = [(number, False) for number in range(asked.sources)]
    numbers += [(number, True) for number in range(asked.sources, asked.sources + asked.young)]
    await asyncio.gather(*(one(*each) for each in numbers))
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=len(RHYTHMS))
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--breaks", type=int, default=1, help="how often each way to break is tried at each source")
    parser.add_argument("--young", type=int, default=0, help="sources that were added an hour before")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    console = Console(width=120, stderr=True)
    with filled.server() as server, filled.fresh_database(server, "alarms") as dsn:
        tally = asyncio.run(measured(dsn, asked, console))
    figures = dict(figures_of(tally))
    if asked.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        Console(width=120).print(f"{name}: {value}", highlight=False)


def figures_of(tally: Tally) -> Iterator[tuple[str, Any]]:
    trials = [trial for trial in tally.trials if not trial.is_few]
    few = [trial for trial in tally.trials if trial.is_few]
    yield "looks", tally.looks
    yield "found", share(trials)
    found = [trial for trial in trials if trial.found is not None]
    yield "found after (runs with pages; median, most)", spread([float(trial.found or 0) for trial in found])
    yield "found after (hours; median, most)", spread([trial.hours for trial in found])
    yield "found, and named as what it is", share([trial for trial in trials if trial.is_named or not trial.is_found])
    yield "found, of those with few articles", share(few)
    late = [trial for trial in few if trial.found is not None]
    yield "these after (articles; median, most)", spread([float(trial.ill) for trial in late])
    yield "these never", f"{len(few) - len(late)} of {len(few)}"
    for attribute, title in (("rhythm", "found by rhythm"), ("name", "missed by way to break")):
        groups = defaultdict(list)
        for trial in trials:
            groups[getattr(trial, attribute)].append(trial)
        yield title, {name: share(group) for name, group in groups.items()
                      if attribute == "rhythm" or not all(trial.is_found for trial in group)}  # fmt: skip
    yield "ways to break tried", f"{len({trial.name for trial in trials})} of {len(BREAKS)}"
    yield "trials missed", [
        f"{trial.name}, {trial.rhythm}, {trial.articles} articles, after {trial.found} runs"
        for trial in trials if not trial.is_found
    ]  # fmt: skip
    quarters = tally.quarters.total() / 24 / 91.25
    yield "false alarms", f"{tally.false.total()} in {quarters:.1f} quarters of a source"
    yield "false alarms a source and quarter", round(tally.false.total() / max(quarters, 0.01), 3)
    yield "false by rhythm and measure", dict(tally.false.most_common(20))
    yield "they said", tally.says[:20]


def share(trials: list[Trial]) -> str:
    number = sum(trial.is_found for trial in trials)
    return f"{number} of {len(trials)} ({100 * number / max(len(trials), 1):.1f} %)"


def spread(values: list[float]) -> list[float]:
    return [round(median(values), 2), round(max(values), 2)] if values else []


if __name__ == "__main__":
    main()
