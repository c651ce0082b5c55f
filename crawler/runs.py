"""One source's crawl or one replay, start to recorded end: what command line, scheduler and ``scrapy crawl`` all call.

    async with House.open(config.load()) as house:
        report = await crawl_source(house, "tagesschau")

A ``House`` is what one process opens once and all its runs share. A ``RunReport`` tells the truth about a run: its
outcome is ``finished`` only where nothing failed, and its counts come from the database.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from scrapy.crawler import AsyncCrawlerRunner
from scrapy.settings import Settings as ScrapySettings

from crawler import files, watching
from crawler.asking import user_agent
from crawler.config import REPLAY, Configuration
from crawler.fetch import Fetcher, Limits
from crawler.hosts import Hosts
from crawler.robots import Robots
from crawler.spiders.news import NewsSpider
from crawler.spiders.replay import ReplaySpider
from crawler.spiders.run import Progress, RunSpider
from pipelines import archive, database, urls
from pipelines.archive import Archive
from pipelines.database import DatabaseError
from pipelines.items import Page, Rejected
from pipelines.reading.rules import Learned, Rules
from pipelines.store import Archived, Run, RunCounts, RunKind, SourceRow, Store
from pipelines.workers import ReaderPool, ReadersUnavailable

log = logging.getLogger(__name__)

Outcome = Literal["finished", "failed", "stopped", "skipped"]

#: how many discovery documents a report names that could not be used
MOST_NAMED = 5
#: seconds that an interrupted run waits for a database that is away; its pages are pending there, whatever comes
FAREWELL = 3.0
#: years in which a clock can be right: pages dated by a wrong one could never be stored
FIRST_YEAR, LAST_YEAR = 2025, 2150
#: what was fetched longer ago, and never came to its end, is fetched anew
STILL_NEWS = timedelta(days=1)
#: where differences between a stored and a newly read article are looked for
COMPARED = (
    "title", "teaser", "kicker", "section", "authors", "keywords", "published_at", "published_precision", "modified_at",
    "language", "agency", "dateline", "details", "text", "canonical_url", "kind", "pages_total",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of a run. ``skipped``: there was none, because another process runs the source or its slot is done.

    ``error`` is one line for a person. ``problems`` are parts of discovery documents that could not be used.
    """

    source: str | None
    kind: RunKind
    outcome: Outcome
    counts: RunCounts = field(default_factory=RunCounts)
    error: str | None = None
    run_id: int | None = None
    slot: datetime | None = None
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = self.counts
        ends = {
            "found": counts.found,
            "new": counts.new,
            "new_version": counts.new_version,
            "unchanged": counts.unchanged,
            "copy": counts.copy,
            "rejected": counts.rejected,
            "pending": counts.pending,
        }
        said = " ".join(f"{name}={number}" for name, number in ends.items() if number or name == "found")
        reasons = " ".join(f"{reason}={number}" for reason, number in sorted(counts.reasons.items()))
        pieces = [f"{self.kind} of {self.source or REPLAY} {self.outcome}:", said, f"({reasons})" if reasons else ""]
        return " ".join(filter(None, [*pieces, f"error: {self.error}" if self.error else ""]))


@dataclass
class House:
    """What one process opens once and all runs share. ``holder`` names this process in the rows of its runs."""

    configuration: Configuration
    store: Store
    archive: Archive | None
    archive_folder: Path
    readers: ReaderPool
    hosts: Hosts
    robots: Robots
    fetcher: Fetcher
    holder: str
    runner: AsyncCrawlerRunner
    spiders: set[RunSpider] = field(default_factory=set)
    stopping: bool = False
    _rules_of: Configuration | None = None
    _rules: dict[tuple[str, int], Rules] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, configuration: Configuration, dsn: str | None = None, patience: timedelta = timedelta(days=1)
    ) -> AsyncIterator[House]:
        """Open database (its tables brought up to date), archive, readers and fetcher; close them at the end.

        Raises ``DatabaseError`` where the database does not answer within *patience*.
        """
        settings = configuration.settings
        dsn = dsn or await asyncio.to_thread(database.address)
        await database.until_there(dsn, patience)
        await asyncio.to_thread(database.migrate, dsn, patience=patience)
        folder = Path(settings.archive.folder or database.home() / "archive")
        readers = ReaderPool(
            settings.crawl.readers or None,
            seconds=settings.crawl.reader_timeout.total_seconds(),
            memory=settings.crawl.reader_memory,
        )
        async with await Store.open(dsn, patience) as store:
            await store.keep_sources(source_rows(configuration))
            await store.keep_watches(watching.watch_rows(list(configuration.watches.values())))
            hosts = Hosts(store, settings.politeness.longest_retry_after, settings.politeness.jitter)
            robots = Robots(store, "Nachlese")
            fetcher = Fetcher(hosts, robots, user_agent(settings), limits(configuration))
            kept_in = Archive(folder) if settings.archive.enabled else None
            house = cls(
                configuration=configuration,
                store=store,
                archive=kept_in,
                archive_folder=folder,
                readers=readers,
                hosts=hosts,
                robots=robots,
                fetcher=fetcher,
                holder=holder_name(),
                runner=AsyncCrawlerRunner(scrapy_settings()),
            )
            try:
                yield house
            finally:
                await fetcher.close()
                await readers.close()
                if kept_in is not None:
                    kept_in.close()

    async def prune(self, is_dry: bool = False) -> dict[str, int]:
        """Delete what ``[retention]`` says, as ``Store.prune`` does."""
        return await prune(self.store, self.configuration, self.archive_folder, is_dry)

    def rules(self, source: str, learned: Learned | None = None) -> Rules:
        """What the reader is told about a source; pages of a source without a file are read by general rules."""
        if self._rules_of is not self.configuration:
            self._rules_of, self._rules = self.configuration, {}
        learned = learned or Learned(learning=self.configuration.settings.reading.learn)
        name = (source, learned.state)
        if name not in self._rules:
            known = self.configuration.sources.get(source)
            rules = known.rules() if known else self.configuration.rules()
            self._rules[name] = replace(rules, learned=learned)
        return self._rules[name]

    async def lesson(self, source: str, number: int | None = None) -> Learned:
        """What a source's own pages have taught: by number, or what is in force."""
        if not self.configuration.settings.reading.learn:
            return Learned()
        return await self.store.lesson(source, number)

    async def rules_for(self, page: Page) -> Rules:
        """The rules for a stored page: with the lesson with which it was read, so that it gives the same text."""
        if not self.configuration.settings.reading.learn:
            return self.rules(page.source)
        number = await self.store.lesson_number(page.source, page.asked_url or page.url, page.fetched_at)
        return self.rules(page.source, await self.store.lesson(page.source, number))

    async def learn(self, source: str) -> None:
        """After a run of *source*: make the next lesson where one is due. A run is not failed by what follows it."""
        if not self.configuration.settings.reading.learn or self.stopping:
            return
        try:
            number = await self.store.learn(source)
        except DatabaseError as error:
            log.warning("nothing could be learned from the pages of %s: %s", source, error)
        else:
            if number is not None:
                log.info("%s: lesson %d was learned from its latest articles", source, number)

    async def begin(self, source: str | None, kind: RunKind = "crawl", slot: datetime | None = None) -> Run | None:
        """A run, or None: another process runs this source now, or the slot is done.

        A run whose process was killed on this machine is not waited for until its lease is over.
        """
        lease = self.configuration.settings.schedule.lease
        run = await self.store.begin_run(source, kind, self.holder, slot, lease)
        if run is None:
            holders = await self.store.holders(source)
            dead = {number: holder for number, holder in holders.items() if is_gone(holder, self.holder)}
            for number, holder in dead.items():
                gone = Run(number, source, kind, holder, None, lease, datetime.now(UTC))
                await self.store.end_run(gone, "failed", "its process was killed")
            run = await self.store.begin_run(source, kind, self.holder, slot, lease) if dead else None
        return run

    async def fetched_before(self, run: Run) -> dict[bytes, tuple[Archived, Page]]:
        """Pages of the run's source that a run before it fetched and archived without coming to their end, by url_key.

        Whoever was killed left them: they are read from the archive, and their site is not asked a second time.
        """
        if self.archive is None or not await self.store.was_broken_off(run):
            return {}
        since = datetime.now(UTC) - STILL_NEWS
        names = [name for name in archive.recent(self.archive_folder, since) if name != self.archive.file_name]
        gaps = await self.store.archive_gaps(names)

        def found() -> dict[bytes, tuple[Archived, Page]]:
            return {
                urls.url_key(urls.normalise(page.asked_url or page.url)): (where, page)
                for where, page in archive.left(self.archive_folder, gaps, since)
                if page.source == run.source
            }

        try:
            return await asyncio.to_thread(found)
        except (OSError, urls.BadUrl) as error:
            log.warning("what an earlier process left in the archive cannot be used: %s", error)
            return {}

    async def stop(self, why: str, within: float) -> None:
        """End all runs of this process: what is in flight gets *within* seconds, everything else stays pending."""
        self.stopping = True
        self.store.hurry(within)
        for spider in list(self.spiders):
            spider.stop(why, within)
        await self.fetcher.stop(within)


async def prune(store: Store, configuration: Configuration, folder: Path, is_dry: bool = False) -> dict[str, int]:
    """Delete what ``[retention]`` says is old by now; how many of each kind. *folder* is that of the archive."""
    kept = configuration.settings.retention
    now = datetime.now(UTC)

    def before(age: timedelta | None) -> datetime | None:
        return None if age is None else now - age

    return await store.prune(before(kept.bookkeeping), before(kept.versions), before(kept.archive), folder, is_dry)


def holder_name() -> str:
    """Machine, process number and a word of this process's own: two containers may have equal names and numbers."""
    namespace = ""
    with suppress(OSError):
        namespace = re.sub(r"\D", "", os.readlink("/proc/self/ns/pid"))
    return f"{socket.gethostname()}/{namespace}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def is_gone(holder: str, ours: str) -> bool:
    """Whether the process that *holder* names ran on this machine and does not any more. If in doubt, it still does."""
    try:
        machine, number, _ = holder.rsplit(":", 2)
        if holder == ours or machine != ours.rsplit(":", 2)[0]:
            return False
        if int(number) == os.getpid():
            return True  # the number was given anew: a container that was restarted has the same one each time
        os.kill(int(number), 0)
        return Path(f"/proc/{int(number)}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except (ValueError, OSError):
        return False


def source_rows(configuration: Configuration) -> list[SourceRow]:
    """The sources as the database lists them."""
    return [
        SourceRow(
            name=source.name,
            title=source.title,
            homepage=source.homepage,
            language=source.language,
            country=source.country,
            time_zone=source.zone.key,
            enabled=source.enabled,
        )
        for source in configuration.sources.values()
    ]


def limits(configuration: Configuration) -> Limits:
    """The operator's bounds as the fetcher wants them."""
    stated = configuration.settings.limits
    return Limits(page=stated.page, document=stated.document, headers=stated.headers, redirects=stated.redirects)


def scrapy_settings() -> ScrapySettings:
    settings = ScrapySettings()
    settings.setmodule("crawler.settings", priority="project")
    # this process has its configuration, and names no spider to Scrapy; the loader would read the files again
    settings.set("SPIDER_LOADER_CLASS", "scrapy.spiderloader.DummySpiderLoader", priority="cmdline")
    return settings


# --- runs ------------------------------------------------------------------------------------------------------------


async def crawl_source(
    house: House, name: str, slot: datetime | None = None, progress: Progress | None = None
) -> RunReport:
    """One crawl of one source. Raises ``KeyError`` where there is no such source."""
    house.configuration.source(name)
    if not FIRST_YEAR <= datetime.now(UTC).year <= LAST_YEAR:
        said = f"the clock of this machine says {datetime.now(UTC):%Y-%m-%d}; no page can be dated by it"
        log.error("no run of %s: %s", name, said)
        return RunReport(name, "crawl", "failed", error=said, slot=slot)
    run = None if house.stopping else await house.begin(name, slot=slot)
    if run is None:
        why = "this process is stopping" if house.stopping else "another process runs it now, or the slot is done"
        return RunReport(name, "crawl", "skipped", error=why, slot=slot)
    report = await crawled(house, run, NewsSpider, name=name, progress=progress)
    if report.counts.new:
        await house.learn(name)
    if house.configuration.watches and not house.stopping:
        await tell_watches(house)
    return report


async def tell_watches(house: House) -> list[watching.Told]:
    """Feeds and webhooks; what goes wrong with them is no failure of a run, and comes again after the next."""
    watches = list(house.configuration.watches.values())
    try:
        return await watching.tell(house.store, house.fetcher, watches, database.home() / "feeds")
    except (DatabaseError, OSError) as error:
        log.warning("watchlists: %s", database.safe_text(error))
        return []


async def replay(
    house: House,
    paths: Sequence[Path],
    source: str | None = None,
    *,
    since: datetime | None = None,
    fetched_at: datetime | None = None,
    url: str | None = None,
    progress: Callable[..., object] | None = None,
) -> RunReport:
    """One run over stored pages: seed texts, saved HTML, WARC files, folders of them.

    *source* is who files belong to, and for our own archive whose pages are wanted. *fetched_at* is what 'heute' means
    in files; without it, the day each was last changed.
    """
    run = await house.begin(None, "replay")
    if run is None:
        return RunReport(source, "replay", "skipped", error="another replay runs now")
    pages = stored_pages(house, paths, source, since=since, fetched_at=fetched_at, url=url)
    if all((path.is_dir() and is_archive(path)) or path.name.endswith(files.WARC) for path in paths):
        house = replace(house, archive=None)  # what is in an archive is not put there again
    return await crawled(house, run, ReplaySpider, pages=pages, progress=progress)


def stored_pages(
    house: House, paths: Sequence[Path], source: str | None = None, **times: Any
) -> Iterator[Page | files.Unreadable]:
    configuration = house.configuration
    hosts = {urlsplit(one.homepage).hostname or "": one.name for one in configuration.sources.values()}
    return files.pages(paths, source=source, hosts=hosts, largest=configuration.settings.limits.page, **times)


def is_archive(folder: Path) -> bool:
    """Whether a folder holds WARC files and no other page."""
    found = [file.name.lower().endswith(files.WARC) for file in files.files([folder])]
    return bool(found) and all(found)


async def crawled(house: House, run: Run, spider_class: type[RunSpider], **arguments: Any) -> RunReport:
    """Let a spider do a run that has begun, and end it whatever happens. Cancelled, it stops at once and says so."""
    crawler = house.runner.create_crawler(spider_class)
    crawl = house.runner.crawl(crawler, house=house, run=run, **arguments)
    await asyncio.sleep(0)  # the spider is made in the crawl's first step
    spider = crawler.spider
    if not isinstance(spider, RunSpider):
        await crawl
        raise RuntimeError("Scrapy made no spider")
    house.spiders.add(spider)
    try:
        async with heartbeat(house, run, spider.stop):
            await asyncio.shield(crawl)
    except asyncio.CancelledError:
        spider.stop("interrupted")
        house.store.hurry(FAREWELL)
        with suppress(Exception):
            await asyncio.wait([crawl], timeout=house.configuration.settings.schedule.stop_within.total_seconds())
        await finish(house, run, spider)
        raise
    except Exception as error:  # what Scrapy itself could not start ends this run, not the process
        log.exception("run of %s", run.source)
        spider.trouble = spider.trouble or f"{type(error).__name__}: {error}"
    finally:
        house.spiders.discard(spider)
    return await finish(house, run, spider)


async def finish(house: House, run: Run, spider: RunSpider) -> RunReport:
    """Record a run's end and report it."""
    outcome, error = outcome_of(spider)
    try:
        counts = await house.store.end_run(run, outcome, error)
    except DatabaseError as away:
        outcome, error, counts = "failed", str(away), RunCounts()
    if counts.new or counts.copy:
        await group_stories(house)
    report = RunReport(run.source, run.kind, outcome, counts, error, run.id, run.slot, tuple(spider.problems))
    log.log(logging.INFO if outcome == "finished" else logging.WARNING, "%s", report)
    return report


async def group_stories(house: House) -> None:
    """What goes wrong here is no failure of the run: the next one's end groups what is left."""
    try:
        await house.store.group_stories()
    except DatabaseError as error:
        log.warning("stories: %s", database.safe_text(error))


def outcome_of(spider: RunSpider) -> tuple[Literal["finished", "failed", "stopped"], str | None]:
    """The outcome of a run and, where it is not ``finished``, why, in one line."""
    if spider.trouble:
        return "failed", spider.trouble
    if spider.stopped:
        return "stopped", spider.stopped
    if spider.failures:
        more = len(spider.failures) - MOST_NAMED
        named = "; ".join(spider.failures[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
        return "failed", f"{len(spider.failures)} places to look at could not be used: {named}"
    return "finished", None


@asynccontextmanager
async def heartbeat(house: House, run: Run, stop: Callable[[str], None]) -> AsyncIterator[None]:
    """Prolong the run's lease as long as the block lasts; *stop* is called when somebody else has taken it over."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(run.lease.total_seconds() / 4)
            try:
                if not await house.store.heartbeat(run):
                    stop("the lease was lost: another process took the run over")
                    return
            except DatabaseError as away:
                log.warning("no heartbeat for the run of %s: %s", run.source, away)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait([beating])


# --- comparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a replay would do to one page: where it would end, and for each changed field the old and the new value."""

    url: str
    source: str
    ending: str
    reason: str | None = None
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


async def compare(
    house: House,
    paths: Sequence[Path],
    source: str | None = None,
    *,
    since: datetime | None = None,
    fetched_at: datetime | None = None,
    url: str | None = None,
    progress: Callable[..., object] | None = None,
) -> list[Comparison]:
    """What ``replay`` would change; nothing is written. Raises ``ReadersUnavailable``, ``DatabaseError``."""
    pages = stored_pages(house, paths, source, since=since, fetched_at=fetched_at, url=url)
    found = []
    while (page := await asyncio.to_thread(next, pages, None)) is not None:
        if isinstance(page, files.Unreadable):
            found.append(Comparison(page.url, page.source, "rejected", f"{page.reason}: {page.detail}"))
        else:
            found.append(await compared(house, page))
        if progress is not None:
            progress(found[-1])
    return found


async def compared(house: House, page: Page) -> Comparison:
    address = page.asked_url or page.url
    try:
        article = await house.readers.read(page, await house.rules_for(page))
    except Rejected as rejected:
        return Comparison(address, page.source, "rejected", str(rejected))
    try:
        ending = await house.store.preview(page, article)
    except (ValueError, TypeError) as error:
        return Comparison(address, page.source, "rejected", f"unstorable: {error}")
    stored = await house.store.article(ending.article_id) if ending.article_id is not None else None
    changes = differences(stored, article) if stored else {}
    return Comparison(address, page.source, ending.kind, changes=changes)


def differences(stored: dict[str, Any], article: Any) -> dict[str, tuple[Any, Any]]:
    """Fields whose value would change, with both values."""
    changes = {}
    for name in COMPARED:
        if name in stored:
            old, new = comparable(stored[name]), comparable(getattr(article, name))
            if old != new:
                changes[name] = (stored[name], getattr(article, name))
    return changes


def comparable(value: Any) -> Any:
    """SQL has lists and null where Python has tuples and nothing."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return value or None if isinstance(value, str | dict) else value


__all__ = [
    "Comparison",
    "House",
    "ReadersUnavailable",
    "RunReport",
    "compare",
    "crawl_source",
    "finish",
    "heartbeat",
    "replay",
]
