"""What one process opens once and all its runs share: configuration, store, archive, readers, fetcher.

async with House.open(config.load()) as house:
    report = await crawl_source(house, "tagesschau")
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.crawler import AsyncCrawlerRunner
from scrapy.settings import Settings as ScrapySettings

from crawler import watching
from crawler.asking import user_agent
from crawler.config import Configuration
from crawler.discovery import Found, Refused
from crawler.fetch import Fetcher, Limits
from crawler.hosts import Hosts
from crawler.robots import Robots
from pipelines import archive, database, urls
from pipelines.archive import Archive
from pipelines.database import DatabaseError
from pipelines.items import Page
from pipelines.reading.rules import Learned, Rules
from pipelines.store import Archived, Run, RunKind, SourceRow, Store
from pipelines.workers import ReaderPool, Task

if TYPE_CHECKING:
    from crawler.spiders.run import RunSpider

log = logging.getLogger(__name__)

#: what reader processes do beside reading articles: a feed can be as poisonous as a page
LOOKING: Task[Found | Refused] = Task("crawler.discovery:look", Found | Refused)
NEXT_PAGE: Task[str] = Task("pipelines.reading.body.paging:next_page", str)
#: what was fetched longer ago, and never came to its end, is fetched anew
STILL_NEWS = timedelta(days=1)


@dataclass
class House:
    """``holder`` names this process in the rows of its runs."""

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
            tasks=(LOOKING, NEXT_PAGE),
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
            expected_per_day=source.expect.articles_per_day,
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
