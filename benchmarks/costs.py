"""What single things cost, for ``benchmarks.throughput``: a row for each figure, with what is wanted of it."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from rich.table import Table

LOOKING = (
    ["--help"], ["status"], ["articles", "list"], ["sources", "list"], ["hosts"], ["db", "query", "SELECT 1"],
)  # fmt: skip
#: main process of a schedule: megabytes that it may take, and kilobytes for each source
MOST_MEMORY, MOST_A_SOURCE = 150, 20


@dataclass(frozen=True, slots=True)
class Cost:
    """One figure. ``most`` is what it may be; None where nothing is wanted of it but that it is seen.

    ``value`` None: it could not be measured; ``of`` says why.
    """

    row: str
    of: str
    value: float | None
    unit: str = ""
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What the rows may use: pages as ``throughput.Served``, a database, a folder, how large to be, and a crawl over
    so many hosts that gives CPU ms a page (main process, Postgres)."""

    pages: list[Any]
    dsn: str
    folder: Path
    polls: int
    sources: tuple[int, ...]
    sizes: str
    articles: int
    crawled: Callable[[int], tuple[float, float]]


def start(given: Given) -> Iterator[Cost]:
    """Commands that only look: CPU seconds, median of five after one that is not counted."""
    environment = os.environ | {"NACHLESE_DATABASE_URL": given.dsn, "NACHLESE_HOME": str(given.folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the first start writes the bytecode, as it does at a user's
    spent: dict[str, list[float]] = {" ".join(command): [] for command in LOOKING}
    for turn in range(6):
        for command in LOOKING:
            seconds = _cpu([sys.executable, "-m", "crawler.cli", *command], environment)
            spent[" ".join(command)] += [seconds] if turn else []
    for name, seconds in spent.items():
        yield Cost("start", f"nachlese {name}", statistics.median(seconds), "s", 0.35)


def _cpu(command: list[str], environment: dict[str, str]) -> float:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"throughput: {' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def _told(given: Given, module: str, *arguments: str) -> Any:
    """What another benchmark prints, a process of its own."""
    environment = os.environ | {"NACHLESE_DATABASE_URL": given.dsn}
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def poll(given: Given) -> Iterator[Cost]:
    """A poll that finds nothing new, CPU of the main process, with few and with many sources."""
    for sources in (1, 1000):
        told = _told(given, "schedule_probe", "--sources", str(sources), "--polls", str(given.polls))
        if told["outcomes"] != ["finished"]:
            raise SystemExit(f"throughput: a poll ended as {told['outcomes']}")
        yield Cost("poll", f"{sources:,} sources", told["poll_ms"], "ms", 10)


def memory(given: Given) -> Iterator[Cost]:
    """Resident memory of the main process of a schedule, and how much more it is with each poll."""
    for sources in given.sources:
        told = _told(given, "schedule_probe", "--sources", str(sources), "--polls", str(given.polls))
        most = MOST_MEMORY + MOST_A_SOURCE * sources / 1000
        yield Cost("memory", f"{sources:,} sources", told["memory_mb"], "MB", most)
        yield Cost("memory", f"{sources:,} sources, more with each poll", told["growth_kb_a_poll"], "kB")


def growth(given: Given) -> Iterator[Cost]:
    """CPU of storing one article where so many are stored already."""
    base = str(min(map(int, given.sizes.split(","))))  # the larger ones are made of the smallest, in SQL
    with tempfile.TemporaryDirectory(prefix="nachlese-growth-", dir=given.folder) as folder:
        sizes = ("--sizes", given.sizes, "--base", base, "--articles", str(given.articles))
        told = _told(given, "store", *sizes, "--data", f"{folder}/data", "--json")
    for row in told["storing"]:
        yield Cost("growth", f"{row['stored']:,} articles stored, one more", row["client_ms"], "ms")
        yield Cost("growth", f"{row['stored']:,} articles stored, Postgres", row["server_ms"], "ms")


def hosts(given: Given) -> Iterator[Cost]:
    """CPU of the crawl a page, the same pages on one host and on a hundred."""
    for number in (1, 100):
        main, postgres = given.crawled(number)
        yield Cost("hosts", f"{number} hosts, main process, a page", main, "ms")
        yield Cost("hosts", f"{number} hosts, Postgres, a page", postgres, "ms")


def known(given: Given) -> Iterator[Cost]:
    """``read`` where the source's container is known, of trafilatura's time; page by page, in turn.

    Both with the narrowed expressions (``extract.narrowed``): trafilatura takes 3 % less with them than by itself.
    """
    from trafilatura import bare_extraction

    from pipelines.items import Page, Rejected
    from pipelines.reading import read, shipped_rules
    from pipelines.reading.rules import SiteModel

    def trafilatura(body: bytes, url: str) -> object:
        return bare_extraction(body, url=url, with_metadata=True, include_comments=False)

    rules, now = shipped_rules(), datetime.now(UTC)
    ours: list[float] = []
    theirs: list[float] = []
    for served in given.pages:
        page = Page(served.url, "bench", served.body, now, served.content_type)
        learned = None
        with contextlib.suppress(Rejected):
            learned = read(page, replace(rules, site_model=SiteModel(learning=True))).container
        if learned is None:
            continue
        taught = replace(rules, site_model=SiteModel(state=1, containers=(learned,)))
        for _ in range(2):  # the first reading of a page is nobody's: caches are cold
            spent = _timed(read, page, taught), _timed(trafilatura, page.body, page.url)
        ours.append(spent[0])
        theirs.append(spent[1])
    if not ours:
        return
    yield Cost("known", f"read, {len(ours)} pages, mean", statistics.mean(ours), "ms")
    yield Cost("known", "trafilatura on the same pages, mean", statistics.mean(theirs), "ms")
    yield Cost("known", "read of trafilatura's time", sum(ours) / sum(theirs), "", 1 / 3)
    yield Cost("known", "the same, median page", statistics.median(ours) / statistics.median(theirs), "", 1 / 3)


def _timed(work: Callable[..., object], *arguments: object) -> float:
    gc.collect(0)
    begun = time.process_time()
    work(*arguments)
    return 1000 * (time.process_time() - begun)


COSTS: dict[str, Callable[[Given], Iterator[Cost]]] = {
    "start": start, "poll": poll, "memory": memory, "growth": growth, "hosts": hosts, "known": known,
}  # fmt: skip


FAILURES = (OSError, ValueError, LookupError, RuntimeError, psycopg.Error, subprocess.SubprocessError, SystemExit)


def costs_of(row: str, given: Given) -> list[Cost]:
    """What the row of this name measures; where it fails, what it had measured and a cost without a value."""
    found: list[Cost] = []
    try:
        for cost in COSTS[row](given):
            found.append(cost)
    except FAILURES as error:  # the other rows are measured all the same
        found.append(Cost(row, f"failed: {str(error) or type(error).__name__}", None))
    return found


def costs_table(costs: list[Cost]) -> Table:
    shown = Table(title="What single things cost")
    for heading in ("", "of", "cost", "wanted"):
        shown.add_column(heading, justify="right" if heading in ("cost", "wanted") else "left")
    for cost in costs:
        wanted = "" if cost.most is None else f"<= {cost.most:.3g}"
        value = "failed" if cost.value is None else f"{cost.value:.3g} {cost.unit}".strip()
        shown.add_row(cost.row, cost.of, value, wanted)
    return shown
