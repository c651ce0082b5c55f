"""``nachlese demo``: everything once, on this machine alone.

The project's own news sites are served on loopback and crawled through feed, news sitemap and section page; the seed
texts are replayed; a second crawl shows that nothing is fetched or stored twice. It all happens in
``NACHLESE_HOME/demo``: a database, an archive and a configuration of its own, which the next demo begins anew.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from crawler import config, fixture_sites, rights, runs
from crawler.config import Configuration
from crawler.fixture_sites import Asked, Sites
from crawler.reports import RunReport
from crawler.services import Services, open_services
from pipelines import database

# The evening for which the seed texts were written: 'heute 16:36 Uhr' in them is this day.
SEEDS_FETCHED_AT = datetime.fromisoformat("2025-12-03T18:00:00+01:00")
# What is asked for at each site besides articles: the places that list articles, and what a site says about crawlers.
LISTS = {".xml", ".rdf", ".atom", ".rss", ".txt", ".gz"}

REMOVED = """
    SELECT article.source, article.title, removed.rule, removed.text
    FROM news.removed JOIN news.articles AS article ON article.id = removed.article_id AND article.version =
    removed.version ORDER BY article.source, article.id, removed.place
"""


class DemoRunning(Exception):
    """Another demo uses the folder."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What a round asked the sites for."""

    articles: int
    lists: int
    not_modified: int


@dataclass(frozen=True, slots=True)
class Demo:
    """What was done and seen. Counts of requests are of all sites together."""

    folder: Path
    address: str
    first: tuple[RunReport, ...]
    seeds: RunReport
    second: tuple[RunReport, ...]
    asked_first: Requests
    asked_second: Requests
    articles: tuple[dict[str, Any], ...]
    removed: tuple[tuple[str, str, str, str], ...]
    seconds: float

    @property
    def reports(self) -> tuple[RunReport, ...]:
        return (*self.first, self.seeds, *self.second)

    def mistakes(self) -> list[str]:
        """What did not go as promised; empty when all went well."""
        found = []
        for one in self.reports:
            name = one.source or one.kind
            found += [f"{name}: {one.outcome}, {one.error}"] if one.outcome != "finished" else []
            found += [f"{name}: {one.counts.pending} pages pending"] if one.counts.pending else []
        found += [f"{one.source}: something new in the second crawl" for one in self.second if one.counts.new]
        if self.asked_second.articles:
            found.append(f"the second crawl asked for {self.asked_second.articles} articles")
        if not self.articles:
            found.append("no article was stored")
        return found


def shipped(name: str) -> Path:
    """``tests/NAME`` of the checkout, or the copy that lies in an installed package."""
    here = Path(__file__).resolve().parent
    installed = here / "shipped" / name
    return installed if installed.is_dir() else here.parent / "tests" / name


@contextmanager
def place(wanted: Path) -> Iterator[Path]:
    """The demo's folder, emptied and for us alone; where it cannot be written, a temporary one. Raises DemoRunning."""
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        lock = os.open(wanted / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        wanted = Path(tempfile.mkdtemp(prefix="nachlese-demo-"))
        wanted.chmod(0o755)  # the embedded Postgres of root runs as another user
        lock = os.open(wanted / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoRunning(f"another demo runs in {wanted}") from None
        for old in ("archive", "config"):
            shutil.rmtree(wanted / old, ignore_errors=True)
        yield wanted
    finally:
        os.close(lock)


def empty(dsn: str) -> None:
    """Drop the tables of an earlier demo."""
    with database.connected(dsn, timedelta(seconds=20)) as connection:
        connection.execute("DROP SCHEMA IF EXISTS news, ingest CASCADE")


def configured(folder: Path, sites: Sites) -> Configuration:
    """The sites' source files and settings for a web that is on this machine: nobody to be polite to."""
    archive = json.dumps(str(folder / "archive"))  # a JSON string is a TOML string
    sites.write_sources(folder / "config" / "sources")
    settings = f'[politeness]\ndelay = "0 seconds"\njitter = "0 seconds"\n\n[archive]\nfolder = {archive}\n'
    (folder / "config" / "settings.toml").write_text(settings, "utf-8")
    return config.load(folder / "config")


async def demo(folder: Path, say: Callable[[str], None], dsn: str | None = None) -> Demo:
    """Run it in *folder*, which is ours (`place`). *say* is told what happens, a few words at a time.

    *dsn* is of a database that may be emptied; without it the demo has a server of its own in *folder*.
    """
    began = time.monotonic()
    say("an embedded Postgres starts")
    if dsn is None:
        dsn = await asyncio.to_thread(database.embedded, folder / "postgres")
    await asyncio.to_thread(empty, dsn)
    async with fixture_sites.serve(shipped("pages")) as sites:
        configuration = configured(folder, sites)
        async with open_services(configuration, dsn, patience=timedelta(seconds=20)) as services:
            first = await crawl(services, "first crawl", say)
            asked_first = requests(sites.log)
            say("replay of the seed texts")
            seeds = await runs.replay(services, [shipped("seeds")], fetched_at=SEEDS_FETCHED_AT)
            before = len(sites.log)
            second = await crawl(services, "second crawl", say)
            asked_second = requests(sites.log[before:])
            articles = await services.store.articles(limit=1000)
    with database.connected(dsn, timedelta(seconds=20)) as connection:
        removed = connection.execute(REMOVED).fetchall()
    return Demo(
        folder=folder,
        address=database.shown(dsn),
        first=first,
        seeds=seeds,
        second=second,
        asked_first=asked_first,
        asked_second=asked_second,
        articles=tuple(articles),
        removed=tuple(removed),
        seconds=time.monotonic() - began,
    )


async def crawl(services: Services, which: str, say: Callable[[str], None]) -> tuple[RunReport, ...]:
    """Every source, one after the other, so that each demo finds the same text first and the same one as a copy."""
    reports = []
    for name in sorted(services.configuration.sources):
        say(f"{which}: {name}")
        reports.append(await runs.crawl_source(services, name))
    return tuple(reports)


def requests(log: Sequence[Asked]) -> Requests:
    lists = [asked for asked in log if is_list(asked.path)]
    not_modified = sum(asked.status == 304 for asked in log)
    return Requests(articles=len(log) - len(lists), lists=len(lists), not_modified=not_modified)


def is_list(path: str) -> bool:
    """robots.txt, tdmrep.json, a feed, a sitemap, or a section page: these end with a slash at our sites."""
    path = urlsplit(path).path
    return path.endswith("/") or path == rights.PATH or PurePosixPath(path).suffix in LISTS
