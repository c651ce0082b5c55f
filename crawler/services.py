"""What one process opens once and all its crawls share, as one value on the crawler: ``crawler.services``.

    async with open_services(config.load()) as services:
        report = await crawl_source(services, "tagesschau")

Whoever makes a crawler gives it the services; where nobody did (``scrapy crawl``), RunExtension opens some. Commands
that only look (``scrapy fetch``, ``shell``, ``parse``) have ``in_memory`` ones: guard, robots.txt, pace, no database.
This is the only file of ``crawler/`` that opens a store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.settings import Settings as ScrapySettings

from crawler import in_flight, watching
from crawler.alerts import Announcer
from crawler.archiving import prune, sealing
from crawler.config import Configuration, Settings, Source, Watch
from crawler.downloader.browser import Browser
from crawler.downloader.client import HttpClient
from crawler.downloader.hosts import Hosts
from crawler.downloader.shared_pace import SharedPace
from crawler.in_flight import InFlightBytes
from crawler.parsing import TASKS, TASKS_OF_PAGES, Parsing
from crawler.recovery import Recovery, archive_file
from crawler.reports import RunReport
from crawler.rhythm import Bounds, NextLook, Rhythm, looks_for, next_look
from crawler.rights import TdmFiles
from crawler.robots import Robots
from crawler.watching import Notifier, watch_rows
from crawler.worker_ids import is_gone, new_worker_id
from pipelines import database, urls
from pipelines.archive import Archive
from pipelines.archive_remote import RemoteArchive, archive_places
from pipelines.database import DatabaseError
from pipelines.items import Page
from pipelines.reading.rules import Rules, SiteModel
from pipelines.store import Archived, Run, RunKind, SourceRow, Store
from pipelines.store.models import HostBackoff, HostState
from pipelines.store.takeovers import KILLED, LostLease
from pipelines.warc import Openable
from pipelines.workers import ReaderPool, Task

log = logging.getLogger(__name__)

#: seconds at the end of a command in which its last matches are sent: a little more than one address may take
LAST_DELIVERIES = 15.0
#: what was fetched longer ago, and never came to its end, is fetched anew
STILL_NEWS = timedelta(days=1)


class Derived:
    """What follows from a configuration, worked out once: rules for the reader, a spider class for each source."""

    def __init__(self, configuration: Configuration):
        self.configuration = configuration
        self.spiders: dict[str, type[Spider]] = {}
        self.settings: ScrapySettings | None = None  # what all crawls have in common
        self.models: dict[tuple[str, int], SiteModel] = {}
        self._rules: dict[tuple[str, int], Rules] = {}

    def rules(self, source: str, model: SiteModel | None = None) -> Rules:
        """Rules of a source; pages of a source without a file are read by general ones."""
        model = model or SiteModel(learning=self.configuration.settings.reading.learn)
        name = (source, model.state)
        if name not in self._rules:
            known = self.configuration.sources.get(source)
            rules = known.rules() if known else self.configuration.rules()
            self._rules[name] = replace(rules, site_model=model)
        return self._rules[name]


@dataclass(frozen=True)
class Services:
    """``worker_id`` names this process in the rows of its runs. ``store`` and ``archive`` are None in memory."""

    configuration: Configuration
    hosts: Hosts
    robots: Robots
    http: HttpClient
    readers: ReaderPool
    derived: Derived
    in_flight_bytes: InFlightBytes
    browser: Browser
    maybe_store: Store | None = None
    archive: Archive | None = None
    archive_lock: asyncio.Lock = field(default_factory=asyncio.Lock, compare=False)
    archive_folder: Path = Path("archive")
    remote_archive: RemoteArchive | None = None
    worker_id: str = ""
    recovery: Recovery | None = None
    notifier: Notifier | None = None
    announcer: Announcer | None = None
    pace: SharedPace | None = None
    watches: list[Watch] = field(default_factory=list, compare=False)
    crawlers: set[Crawler] = field(default_factory=set, compare=False)
    state: dict[str, bool] = field(default_factory=dict, compare=False)
    tdm_files: TdmFiles = field(default_factory=TdmFiles, compare=False)

    @property
    def store(self) -> Store:
        if self.maybe_store is None:
            raise RuntimeError("these services have no database")
        return self.maybe_store

    @property
    def is_durable(self) -> bool:
        """Whether there is a database behind them."""
        return self.maybe_store is not None

    @property
    def stopping(self) -> bool:
        """Whether this process is going down."""
        return self.state.get("stopping", False)

    @property
    def parsing(self) -> Parsing:
        """What understands strangers' documents."""
        return Parsing(self.readers)

    def wake_notifier(self, watches: Collection[str] | None = None) -> None:
        """An article was stored that these watchlists match; None: nobody knows which. See ``Notifier.wake``."""
        if self.notifier is not None and not self.stopping:
            self.notifier.wake(watches)

    def begin_stop(self) -> None:
        self.state["stopping"] = True

    def with_configuration(self, configuration: Configuration) -> Services:
        """The same services for crawls that begin from now on; those that have begun keep what they have."""
        self.watches[:] = configuration.watches.values()
        if self.announcer is not None:
            self.announcer.configure(configuration.settings.alerts, ZoneInfo(configuration.settings.time_zone))
        return replace(self, configuration=configuration, derived=Derived(configuration))

    async def prune(self, is_dry: bool = False) -> dict[str, int]:
        """Delete what ``[retention]`` says, as ``Store.prune`` does."""
        kept = self.configuration.settings.retention
        return await prune(self.store, kept, self.archive_folder, is_dry, self.remote_archive)

    def archive_paths(self) -> Iterator[Path]:
        """The archive, to be read as a whole: the folder here first, so that what is moved meanwhile is not missed."""
        if self.remote_archive is None or self.archive_folder.exists():
            yield self.archive_folder
        if self.remote_archive is not None:
            yield from self.remote_archive.fetched()

    def archive_file(self, name: str) -> Openable:
        """A file of the archive: here, or where all machines have theirs."""
        return archive_file(self.archive_folder, self.remote_archive, name)

    # --- site models -------------------------------------------------------------------------------------------------

    async def site_model(self, source: str, number: int | None = None) -> SiteModel:
        """What a source's own pages have taught: by number, or what is in force."""
        if not self.configuration.settings.reading.learn or not self.is_durable:
            return SiteModel()
        return await self.store.site_model(source, number)

    async def rules_for(self, *pages: Page) -> list[Rules]:
        """The rules for stored pages: with the site model with which each was read, so that it gives the same text."""
        if not pages or not self.configuration.settings.reading.learn or not self.is_durable:
            return [self.derived.rules(page.source) for page in pages]
        fetches = [(page.source, page.asked_url or page.url, page.fetched_at) for page in pages]
        numbers = await self.store.site_model_numbers(fetches)
        return [await self._rules_of(page.source, number) for page, number in zip(pages, numbers, strict=True)]

    async def _rules_of(self, source: str, number: int) -> Rules:
        known = self.derived.models  # a site model never changes
        if (source, number) not in known:
            known[source, number] = await self.store.site_model(source, number)
        return self.derived.rules(source, known[source, number])

    async def learn(self, source: str) -> None:
        """After a run of *source*: make the next site model where one is due. A run is not failed by what follows."""
        if not self.configuration.settings.reading.learn or self.stopping:
            return
        try:
            number = await self.store.learn(source)
        except DatabaseError as error:
            log.warning("nothing could be learned from the pages of %s: %s", source, error)
        else:
            if number is not None:
                log.info("%s: site model %d was learned from its latest articles", source, number)

    # --- health ------------------------------------------------------------------------------------------------------

    async def check_health(self, report: RunReport) -> bool:
        """After a run: open and close alarms of its source. Whether its pages may teach the reader anything.

        A run is not failed by what follows.
        """
        if not self.is_durable or report.kind != "crawl" or report.source is None or report.run_id is None:
            return True
        zone, counts = ZoneInfo(self.configuration.settings.time_zone), report.counts
        has_pages = bool(counts.new or counts.copy or counts.rejected or counts.pending)
        try:
            checked = await self.store.check_health(report.source, report.run_id, zone, has_pages=has_pages)
        except DatabaseError as error:
            log.warning("whether %s is well could not be checked: %s", report.source, error)
            return False
        for alarm in checked.opened:
            log.warning("alarm: %s. %s", alarm["says"], alarm["advice"])
        for alarm in checked.closed:
            log.info("%s is well again: %s", report.source, alarm["measure"])
        if self.announcer is not None and not self.stopping:
            self.announcer.wake()
        return checked.may_learn

    async def next_look(self, source: Source, auto: list[str], now: datetime) -> NextLook:
        """When to look at a source with ``every = "auto"`` after the look that ends *now*, and why then."""
        schedule = self.configuration.settings.schedule
        row = await self.store.rhythm(source.name, auto, now) or {}
        rhythm = None
        if row.get("hours"):
            looks = looks_for(row["mean_root_sum"] or 0.0, schedule.every)
            rhythm = Rhythm(row["hours"], row["days"], row["articles"], row["recent"], looks)
        bounds = Bounds(
            least=schedule.auto_least,
            most=schedule.auto_most,
            every=schedule.every,
            entries=row.get("entries"),
            fresh_for=timedelta(seconds=row["fresh_for"]) if row.get("fresh_for") else None,
            skip_hours=frozenset(row.get("skip_hours") or ()),
            skip_days=frozenset(row.get("skip_days") or ()),
        )
        return next_look(rhythm, now, bounds)

    # --- runs --------------------------------------------------------------------------------------------------------

    async def begin_run(
        self,
        source: str | None,
        kind: RunKind = "crawl",
        slot: datetime | None = None,
        takes_over: int | None = None,
        batch_file: int | None = None,
    ) -> Run | None:
        """A run, or None: another process runs this source now, the slot is done, or *takes_over* was taken over.

        A run whose process was killed on this machine is not waited for until its lease is over.
        """
        lease = self.configuration.settings.schedule.lease
        run = await self.store.begin_run(source, kind, self.worker_id, slot, lease, takes_over, batch_file)
        if run is None:
            worker_ids = await self.store.worker_ids(source)
            dead = {number: holder for number, holder in worker_ids.items() if is_gone(holder, self.worker_id)}
            for number, holder in dead.items():
                gone = Run(number, source, kind, holder, None, lease, datetime.now(UTC))
                with suppress(LostLease):  # its lease was over, and somebody else saw it first
                    await self.store.end_run(gone, "failed", KILLED)
            if dead:
                run = await self.store.begin_run(source, kind, self.worker_id, slot, lease, takes_over, batch_file)
        return run

    async def recover_archived(self, run: Run) -> dict[bytes, tuple[Archived, Page]]:
        """Pages of the run's source that a run before it fetched and archived without coming to their end, by url_key.

        Whoever was killed left them: they are read from the archive, and their site is not asked a second time.
        """
        if self.archive is None or self.recovery is None or not await self.store.previous_run_crashed(run):
            return {}
        try:
            found = await self.recovery.pages(self.store, datetime.now(UTC) - STILL_NEWS, self.archive.file_name)
            former = self.configuration.former_names
            return {
                urls.url_key(urls.normalise(page.asked_url or page.url)): (where, replace(page, source=run.source))
                for where, page in found
                if former.get(page.source, page.source) == run.source
            }
        except (OSError, urls.BadUrl) as error:
            log.warning("what an earlier process left in the archive cannot be used: %s", error)
            return {}


def services_of(crawler: Crawler) -> Services:
    """The services on a crawler. Raises RuntimeError before the spider was opened."""
    found = getattr(crawler, "services", None)
    if not isinstance(found, Services):
        raise RuntimeError("this crawler has no services yet; they are there from spider_opened on")
    return found


def give_services(crawler: Crawler, services: Services) -> None:
    setattr(crawler, "services", services)  # noqa: B010  Scrapy's class does not declare it


@asynccontextmanager
async def open_services(
    configuration: Configuration,
    dsn: str | None = None,
    patience: timedelta = timedelta(days=1),
    is_reading: bool = True,
    is_crawling: bool = True,
) -> AsyncIterator[Services]:
    """Open database (its tables brought up to date), archive, readers and HTTP client; close them at the end.

    Not *is_reading*: for a process that reads nothing; a reader would be started when it is first asked. Not
    *is_crawling*: for one that reads pages which are stored; a reader that is asked for a feed loads then what that
    needs.
    Raises ``DatabaseError`` where the database does not answer within *patience*.
    """
    tasks = TASKS if is_crawling else TASKS_OF_PAGES
    readers = reader_pool(configuration, configuration.rules() if is_reading else None, tasks)
    if is_reading:
        readers.begin()  # a second of another core, while the database is opened
    try:
        async with _opened(configuration, readers, dsn, patience) as services:
            yield services
    finally:
        await readers.close()


@asynccontextmanager
async def _opened(
    configuration: Configuration, readers: ReaderPool, dsn: str | None, patience: timedelta
) -> AsyncIterator[Services]:
    settings = configuration.settings
    if dsn is None:
        dsn = await asyncio.to_thread(database.address)
    await database.until_there(dsn, patience)
    await asyncio.to_thread(database.migrate, dsn, patience=patience)
    await asyncio.to_thread(database.refuse_read_only, dsn, patience)
    folder, remote = archive_places(settings.archive.folder)
    async with await Store.open(dsn, patience, settings.recheck.plan()) as store:
        await store.save_sources(source_rows(configuration))
        await store.save_watchlists(watch_rows(list(configuration.watches.values())))
        client = HttpClient(connections=in_flight.connections())
        kept = Archive(folder) if settings.archive.enabled else None
        watches, worker_id = list(configuration.watches.values()), new_worker_id()
        pace = SharedPace(store, worker_id, lambda other: is_gone(other, worker_id))
        services = Services(
            configuration=configuration,
            hosts=Hosts(store, settings.politeness.longest_retry_after, settings.politeness.jitter, pace=pace),
            robots=Robots(store, "Nachlese", judge=Parsing(readers).judgements),
            http=client,
            readers=readers,
            derived=Derived(configuration),
            in_flight_bytes=in_flight_bytes(configuration),
            browser=Browser(client, settings.browser.executable),
            notifier=notifier_of(store, client, watches),
            announcer=Announcer(store, client, settings.alerts, ZoneInfo(settings.time_zone)),
            watches=watches,
            maybe_store=store,
            archive=kept,
            recovery=Recovery(folder, remote),
            archive_folder=folder,
            remote_archive=remote,
            worker_id=worker_id,
            pace=pace,
        )
        try:
            async with sealing(kept, services.archive_lock, remote, folder, settings.archive.seal_after):
                yield services
            if not services.stopping and services.notifier is not None:
                await services.notifier.drain(LAST_DELIVERIES)
            if services.announcer is not None:
                await services.announcer.drain(LAST_DELIVERIES if not services.stopping else 1.0)
        finally:
            await close(services)


def notifier_of(store: Store, client: HttpClient, watches: list[Watch]) -> Notifier:
    """What delivers the matches of *watches*, whatever is in that list by then."""
    return Notifier(
        lambda: watches,
        lambda some: watching.write_feeds(store, some, database.home() / "feeds"),
        lambda watch: watching.send(store, client, watch),
        store.due_watchlists,
    )


class InMemoryHostStore:
    """The memory of a process that keeps nothing."""

    async def host_state(self, host: str) -> HostState | None:
        return None

    async def save_host_state(self, state: HostState) -> None:
        return None

    async def host_backoffs(self, host: str | None = None) -> list[HostBackoff]:
        return []

    async def save_host_backoff(self, rest: HostBackoff) -> None:
        return None


def in_memory(configuration: Configuration) -> Services:
    """Services that remember nothing: for one look at something. Whoever has them calls ``close``."""
    politeness = configuration.settings.politeness
    memory, client, readers = InMemoryHostStore(), HttpClient(), reader_pool(configuration)
    return Services(
        configuration=configuration,
        hosts=Hosts(memory, politeness.longest_retry_after, politeness.jitter),
        robots=Robots(memory, "Nachlese", judge=Parsing(readers).judgements),
        http=client,
        readers=readers,
        derived=Derived(configuration),
        in_flight_bytes=in_flight_bytes(configuration),
        browser=Browser(client, configuration.settings.browser.executable),
    )


def in_flight_bytes(configuration: Configuration) -> InFlightBytes:
    """What all sources together may have in memory until it is read and stored."""
    return InFlightBytes(configuration.settings.crawl.sources_at_once * in_flight.EACH)


async def close(services: Services) -> None:
    if services.notifier is not None:
        await services.notifier.close()
    if services.announcer is not None:
        await services.announcer.close()
    await services.browser.close()
    await services.http.close()
    if services.pace is not None:
        await services.pace.close()
    await services.readers.close()
    if services.archive is not None:
        async with services.archive_lock:
            services.archive.close()


def reader_pool(
    configuration: Configuration, first_rules: Rules | None = None, tasks: Iterable[Task[Any]] = TASKS
) -> ReaderPool:
    crawl = configuration.settings.crawl
    return ReaderPool(
        crawl.readers or None,
        seconds=crawl.reader_timeout.total_seconds(),
        memory=crawl.reader_memory,
        tasks=tasks,
        first_rules=first_rules,
    )


def user_agent(settings: Settings) -> str:
    """What site owners see: the configured text, or our name, version and contact."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    return settings.user_agent or f"Nachlese/{_own_version()}{contact}"


@cache
def _own_version() -> str:
    return version("nachlese")  # reads a file


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
            hosts=hosts_of(source),
            drop_params=source.discover.links.drop_params,
            formerly=source.formerly,
        )
        for source in configuration.sources.values()
    ]


def hosts_of(source: Source) -> list[str]:
    """The hosts whose articles are a source's own."""
    try:
        host = urls.host(urls.normalise(source.homepage))
    except urls.BadUrl:  # a name that no address may have is nobody's site
        return list(source.discover.links.hosts)
    return [host, *source.discover.links.hosts]
