"""When to look: requests made and time from publication to discovery, on a simulated quarter of sources with rhythms.

    python -m benchmarks.polling [--sources N] [--days N] [--seed N] [--json]

Each source has a size (three to some hundred articles a day), hours and days of its own, bursts, and a feed of 20 to
60 entries that moves on. Four weeks are there to learn from, then the quarter is measured. Rules: ``every`` of 15
minutes and of "auto"; and how three others adapt, written anew after what is known of them, with bounds of ours:
miniflux's entry_frequency (a look for each article of an average day of the last week, 5 minutes to a day);
StormCrawler's adaptive scheduler, on which news-crawl stands (a fifth shorter after a change, a fifth longer without,
5 minutes to 12 hours); rss-fetcher's (an hour at least, a step shorter where most entries were new, longer without).

Their rules ask more or less often than we do. So each stands there twice: as published, and with all of its intervals
times one factor, with which all sources together are asked as often as with ``every = "15 minutes"``.
"""

from __future__ import annotations

import argparse
import bisect
import json
import math
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from crawler import rhythm
from crawler.rhythm import Bounds, Rhythm, looks_for, next_look

START = datetime(2026, 1, 5, tzinfo=UTC)
LEARN = 28
EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Simulated:
    """``published``: minutes since START, in order; ``entries`` of its feed."""

    published: list[float]
    entries: int


def simulated(number: int, days: int, seed: int, learn: int = LEARN) -> Simulated:
    """The source of that number over *learn* days and *days* more; a day begins at midnight, the first is a Monday."""
    chance = random.Random(f"{seed}:{number}")
    size = math.exp(chance.gauss(math.log(35), 1.1))
    size = min(max(size, 3), 400)
    peak, width, night = chance.uniform(8, 16), chance.uniform(3, 6), chance.choice((0.0, 0.02, 0.1))
    weekend = chance.uniform(0.2, 0.9)
    shape = [night + math.exp(-(((hour - peak + 12) % 24 - 12) ** 2) / (2 * width**2)) for hour in range(24)]
    total = sum(shape)
    found: list[float] = []
    for hour in range(24 * (learn + days)):
        day = hour // 24 % 7
        rate = size * shape[hour % 24] / total * (weekend if day >= 5 else 1.0) * chance.gammavariate(6, 1 / 6)
        if chance.random() < 0.004:
            rate += chance.uniform(0.1, 0.4) * size  # something happens
        at = 0.0
        while rate > 0 and (at := at + chance.expovariate(rate) * 60) < 60:
            found.append(hour * 60 + at)
    return Simulated(sorted(found), chance.randint(20, 60))


def hours_of(source: Simulated, until: float) -> tuple[list[float], int]:
    """As ``ingest.rhythms`` is learned from the four weeks before *until*."""
    first = bisect.bisect_left(source.published, until - LEARN * 1440)
    known = source.published[first : bisect.bisect_left(source.published, until)]
    week, day = [0] * 168, [0] * 24
    for minute in known:
        week[int(minute // 60) % 168] += 1
        day[int(minute // 60) % 24] += 1
    weeks = LEARN / 7
    rates = [
        (week[place] / weeks + 3 * (0.9 * day[place % 24] / LEARN + 0.1 * len(known) / LEARN / 24)) / 4
        for place in range(168)
    ]
    return rates, len(known)


Rule = Callable[[float, float, int], float]  # now, new entries of this look, their number -> minutes to the next


def fixed(source: Simulated, looks: float) -> Rule:
    return lambda now, share, new: 15.0


def auto(source: Simulated, looks: float) -> Rule:
    learned: list[tuple[int, list[float], int]] = []

    def rule(now: float, share: float, new: int) -> float:
        day = int(now // 1440)
        if not learned or learned[-1][0] != day:
            learned.append((day, *hours_of(source, now)))
        seen = bisect.bisect_right(source.published, now)
        recent = seen - bisect.bisect_right(source.published, now - 60)
        known = Rhythm(learned[-1][1], LEARN, learned[-1][2], recent, looks)
        at = START + timedelta(minutes=now)
        return (next_look(known, at, Bounds(entries=source.entries)).at - at) / timedelta(minutes=1)

    return rule


def miniflux(source: Simulated, looks: float) -> Rule:
    def rule(now: float, share: float, new: int) -> float:
        seen = bisect.bisect_right(source.published, now)
        week = seen - bisect.bisect_right(source.published, now - 7 * 1440)
        return min(max(7 * 1440 / max(week, 1), 5), 1440)

    return rule


def stormcrawler(source: Simulated, looks: float) -> Rule:
    interval = 60.0

    def rule(now: float, share: float, new: int) -> float:
        nonlocal interval
        interval = min(max(interval * (0.8 if new else 1.2), 5), 720)
        return interval

    return rule


def rss_fetcher(source: Simulated, looks: float) -> Rule:
    interval = 720.0

    def rule(now: float, share: float, new: int) -> float:
        nonlocal interval
        interval = min(max(interval + (-72 if share > 0.5 else 72 if not new else 0), 60), 1440)
        return interval

    return rule


Make = Callable[[Simulated, float], Rule]
OURS: dict[str, Make] = {'every = "15 minutes"': fixed, 'every = "auto"': auto}
PEERS: dict[str, Make] = {"miniflux": miniflux, "news-crawl": stormcrawler, "rss-fetcher": rss_fetcher}


LEAST = 2.0  # minutes: nobody asks more often, whatever the factor
NEAR = 0.005  # so near to the wanted number of requests is the same


def scaled(make: Make, factor: float) -> Make:
    """The same rule with all its intervals times *factor*."""

    def of(source: Simulated, looks: float) -> Rule:
        rule = make(source, looks)
        return lambda now, share, new: max(LEAST, factor * rule(now, share, new))

    return of


def measured(source: Simulated, rule: Rule, days: int) -> tuple[int, list[float], int]:
    """Looks, delays in minutes, articles that had left the feed before anybody looked."""
    begin, end = LEARN * 1440.0, (LEARN + days) * 1440.0
    now = begin
    place = bisect.bisect_right(source.published, now)
    looks, lost, delays = 0, 0, []
    while now < end:
        seen = bisect.bisect_right(source.published, now)
        new = seen - place
        lost += max(0, new - source.entries)
        delays += [now - minute for minute in source.published[max(place, seen - source.entries) : seen]]
        place = seen
        looks += 1
        now += rule(now, new / source.entries, new)
    return looks, delays, lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=100)
    parser.add_argument("--days", type=int, default=91)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sources = [simulated(number, asked.days, asked.seed) for number in range(asked.sources)]
    roots = [sum(rate**rhythm.POWER for rate in hours_of(source, LEARN * 1440)[0]) for source in sources]
    looks = looks_for(statistics.mean(roots), EVERY)
    rows = [row_of(name, all_measured(sources, make, looks, asked.days)) for name, make in (OURS | PEERS).items()]
    for name, make in PEERS.items():
        factor, results = equalised(sources, make, looks, asked.days, rows[0]["requests"])
        rows.append(row_of(f"{name}, intervals x {factor:.2f}", results))
    shown(rows, asked.json)


Result = tuple[int, list[float], int]


def all_measured(sources: list[Simulated], make: Make, looks: float, days: int) -> list[Result]:
    return [measured(source, make(source, looks), days) for source in sources]


def equalised(sources: list[Simulated], make: Make, looks: float, days: int, wanted: int) -> tuple[float, list[Result]]:
    """The factor with which a rule makes *wanted* requests, and what it finds then.

    Factors are halved between bounds; a rule that adapts to what it finds may jump over the number.
    """
    low, high = 1 / 4096, 64.0
    for _ in range(20):
        factor = math.sqrt(low * high)
        results = all_measured(sources, scaled(make, factor), looks, days)
        requests = sum(result[0] for result in results)
        if abs(requests / wanted - 1) < NEAR:
            break
        low, high = (factor, high) if requests > wanted else (low, factor)
    return factor, results


def row_of(name: str, results: list[Result]) -> dict[str, Any]:
    delays = sorted(delay for _, found, _ in results for delay in found)
    return {
        "rule": name, "requests": sum(result[0] for result in results), "articles": len(delays),
        "median": statistics.median(delays), "p90": delays[int(0.9 * len(delays))],
        "lost": sum(result[2] for result in results),
        "median_of_sources": statistics.median(statistics.median(found) for _, found, _ in results if found),
    }  # fmt: skip


def shown(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(box=None, header_style="bold")
    for name in ("rule", "requests", "of 15 minutes", "median, min", "90 %, min", "median of sources", "lost"):
        table.add_column(name, justify="left" if name == "rule" else "right")
    base = rows[0]["requests"]
    for row in rows:
        table.add_row(
            str(row["rule"]), f"{row['requests']:,}", f"{100 * row['requests'] / base:.0f} %",
            f"{row['median']:.1f}", f"{row['p90']:.1f}", f"{row['median_of_sources']:.1f}", f"{row['lost']:,}",
        )  # fmt: skip
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
