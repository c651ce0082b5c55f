"""A run around a crawl: its lease and heartbeat, the outcome of every page, its recorded end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.utils.defer import _schedule_coro
from twisted.python.failure import Failure

from crawler import config
from crawler.frontier import Frontier, Progress, frontier_of
from crawler.item_processor import handed_over, scraped
from crawler.logs import guard_handlers, note_run
from crawler.reports import Outcome, RunReport, level_of, outcome_of
from crawler.services import Services, close, give_services, in_memory, open_services, services_of
from crawler.shutdown import Held, shutdown_of
from crawler.signals import run_closed, run_opened
from crawler.spiders.base import RunSpider
from pipelines.article_item import ArticleItem
from pipelines.database import DatabaseError
from pipelines.item_pipelines import InfrastructureError, RejectedItem
from pipelines.items import Reason
from pipelines.store import PageOutcome, Run, RunCounts, RunKind
from pipelines.store.takeovers import TAKEN_OVER, LostLease
from pipelines.workers import ReadersUnavailable

log = logging.getLogger(__name__)

#: years in which a clock can be right: pages dated by a wrong one could never be stored
FIRST_YEAR, LAST_YEAR = 2025, 2150
#: reasons with which Scrapy closes a spider that has done its work
WELL = ("finished",)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the caller that makes a crawler wants of its run."""

    slot: datetime | None = None
    progress: Progress | None = None
    kind: RunKind = "crawl"
    takes_over: int | None = None
    batch_file: int | None = None


class RunExtension:
    """Opens a run when its spider opens, and ends it when the spider closes.

    Where the crawler came without services, they are opened here. Commands that start no crawl (``scrapy fetch``,
    ``shell``, ``parse``, ``check``, ``view``) and spiders that are none of ours get services in memory and no run.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler
        self.run: Run | None = None
        self.report: RunReport | None = None
        self.trouble: str | None = None
        self.stopped: str | None = None
        self._has_run = False
        self._opened = AsyncExitStack()
        self._heartbeat: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        shutdown_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RunExtension:
        extension = cls(crawler)
        connect = crawler.signals.connect
        connect(extension.spider_opened, signal=signals.spider_opened)
        connect(extension.spider_closed, signal=signals.spider_closed)
        connect(extension.item_scraped, signal=signals.item_scraped)
        connect(extension.item_dropped, signal=signals.item_dropped)
        connect(extension.item_error, signal=signals.item_error)
        connect(extension.spider_error, signal=signals.spider_error)
        connect(extension.request_dropped, signal=signals.request_dropped)
        connect(extension.scheduler_empty, signal=signals.scheduler_empty)
        return extension

    # --- the beginning -----------------------------------------------------------------------------------------------

    async def spider_opened(self, spider: Spider) -> None:
        self._watch_for_the_end()
        if hasattr(self.crawler, "services") and isinstance(spider, RunSpider):
            spider.services = services_of(self.crawler)
        # asked once: at a stop, Scrapy's crawler says that it does not crawl any more
        self._has_run = isinstance(spider, RunSpider) and spider.is_run and is_crawl(self.crawler)
        if not isinstance(spider, RunSpider) or not self._has_run:
            if not hasattr(self.crawler, "services"):
                services = in_memory(configuration_of(spider))
                give_services(self.crawler, services)
                if isinstance(spider, RunSpider):
                    spider.services = services
                self._opened.push_async_callback(close, services)
            return
        try:
            await self._begin(spider)
        except CloseSpider:
            raise
        except DatabaseError as error:
            self.trouble = str(error)
            log.error("no run of %s: %s", spider.name, error)
            raise CloseSpider("no database") from error
        except Exception as error:  # Scrapy would only log it, and go on with a spider that has no run
            self.trouble = f"internal error: {type(error).__name__}: {error}"
            log.exception("no run of %s", spider.name)
            raise CloseSpider("no run") from error

    async def _begin(self, spider: RunSpider) -> None:
        services = await self._services(spider)
        if said := wrong_clock():
            self.trouble = said
            log.error("no run of %s: %s", spider.name, said)
            raise CloseSpider("wrong clock")
        assignment = getattr(self.crawler, "assignment", Assignment())
        self.run = await services.begin_run(
            spider.run_source, assignment.kind, assignment.slot, assignment.takes_over, assignment.batch_file
        )
        if self.run is None:
            raise CloseSpider("skipped: another process runs it now, or the slot is done")
        note_run(self.run.id)
        frontier = Frontier(self.crawler, services, self.run, assignment.progress)
        setattr(self.crawler, "frontier", frontier)  # noqa: B010  Scrapy's class does not declare it
        spider.frontier = frontier
        # before anything that may take its time, such as reading what a killed process left in the archive
        self._heartbeat = asyncio.create_task(self._beat(services, self.run))
        frontier.recovered = await services.recover_archived(self.run) if not self.run.is_replay else {}
        await self.crawler.signals.send_catch_log_async(run_opened, run=self.run, spider=spider)

    async def _services(self, spider: Spider) -> Services:
        if hasattr(self.crawler, "services"):
            return services_of(self.crawler)
        # Scrapy has set the log up, and lets a page's title have lines of its own
        guard_handlers(configuration_of(spider).settings.log_format)
        services = await self._opened.enter_async_context(Held(open_services(configuration_of(spider))))
        give_services(self.crawler, services)
        if isinstance(spider, RunSpider):
            spider.services = services
        return services

    async def _beat(self, services: Services, run: Run) -> None:
        """Prolong the run's lease; stop when somebody else has taken it over."""
        while True:
            await asyncio.sleep(run.lease.total_seconds() / 4)
            try:
                if not await services.store.heartbeat(run):
                    self.stop(TAKEN_OVER)
                    return
            except DatabaseError as away:
                log.warning("no heartbeat for the run of %s: %s", run.source, away)

    # --- pages -------------------------------------------------------------------------------------------------------

    def item_scraped(self, item: Any) -> None:
        if isinstance(item, ArticleItem) and (frontier := frontier_of(self.crawler)):
            scraped(item, frontier)

    async def item_dropped(self, item: Any, exception: BaseException) -> None:
        """A rejection: of ours with its reason, or by an item pipeline of the user's own."""
        if not isinstance(item, ArticleItem) or (frontier := frontier_of(self.crawler)) is None:
            return
        ours = isinstance(exception, RejectedItem)
        reason, detail = (exception.reason, exception.detail) if ours else (Reason.DROPPED, str(exception))  # type: ignore[attr-defined]
        try:
            if item.outcome is not None:
                frontier.ended(item.url, item.outcome)
                return
            item.outcome = await self._rejected(item, frontier, reason, detail)
        except DatabaseError as error:
            self.failed(str(error))
        finally:
            handed_over(item, frontier)

    async def item_error(self, item: Any, failure: Failure) -> None:
        """Trouble of the machine stops the run. A mistake in an item pipeline costs the page one attempt, and nothing
        where the page was stored before."""
        if not isinstance(item, ArticleItem) or (frontier := frontier_of(self.crawler)) is None:
            return
        error = failure.value
        try:
            if isinstance(error, InfrastructureError):
                if not shutdown_of(self.crawler).stopping:  # a crawl that is being stopped leaves pages as they were
                    self.failed(str(error))
                frontier.released(item.url)
            elif shutdown_of(self.crawler).stopping:
                frontier.released(item.url)
            else:
                said = f"{type(error).__name__}: {error}".split("\n", 1)[0][:200]
                if item.outcome is not None:
                    frontier.note(f"after it was stored: {said}")
                    frontier.ended(item.url, item.outcome)
                elif frontier.run.is_replay:  # a stored page does not come again by itself
                    item.outcome = await self._rejected(item, frontier, Reason.UNSTORABLE, said)
                else:
                    item.outcome = await frontier.reschedule(item.url, said)
        except DatabaseError as away:
            self.failed(str(away))
        finally:
            handed_over(item, frontier)

    async def _rejected(self, item: ArticleItem, frontier: Frontier, reason: Reason, detail: str) -> PageOutcome:
        return await frontier.reject(
            item.url,
            reason,
            detail,
            status=item.page.status,
            source=item.page.source,
            fetched_at=item.page.fetched_at,
            archived=item.archived,
            ms=item.ms,
            size=len(item.page.body),
        )

    def spider_error(self, failure: Failure, response: Any) -> None:
        """An exception out of a callback or of start(): without a database, or without its start, a run is none."""
        if frontier_of(self.crawler) is None:
            return
        error = failure.value
        if isinstance(error, DatabaseError | InfrastructureError | ReadersUnavailable):
            self.failed(str(error))
        elif response is None:
            self.failed(f"internal error: {type(error).__name__}: {error}")

    def request_dropped(self, request: Request) -> None:
        if (frontier := frontier_of(self.crawler)) and request.meta.get("kind") == "page":
            frontier.released(request.meta.get("page_url", request.url))

    def scheduler_empty(self) -> None:
        if frontier := frontier_of(self.crawler):
            frontier.changed()

    # --- the end -----------------------------------------------------------------------------------------------------

    def failed(self, trouble: str) -> None:
        """Trouble of the machine: logged once for a run, since the other pages in flight meet the same."""
        if self.trouble is None:
            self.trouble = trouble
            log.error("this run cannot go on: %s", trouble)
            self._close("infrastructure")

    def stop(self, why: str, within: float = 0.0) -> None:
        """Take no new pages; what is in flight has *within* seconds to end, the rest stays pending."""
        if self.stopped is None:
            self.stopped = why
            self.begin_stop(within)
            self._close(why)

    def begin_stop(self, within: float) -> None:
        """Give up what waits, and after *within* seconds what is in progress."""
        if frontier := frontier_of(self.crawler):
            frontier.stop()
        if self._stopping is None:
            self._stopping = asyncio.create_task(shutdown_of(self.crawler).stop(within))

    def _close(self, why: str) -> None:
        if self.crawler.engine.spider is not None:
            _schedule_coro(self.crawler.engine.close_spider_async(reason=why))

    def _watch_for_the_end(self) -> None:
        """Scrapy waits for all requests in flight before it says that it closes a spider, also for those that wait for
        their host's turn. So that a stop ends within ``stop_within``, they are told when it begins."""
        engine = self.crawler.engine
        close_spider = engine.close_spider_async
        within = self.crawler.settings.getfloat("STOP_WITHIN")

        async def close_spider_async(*, reason: str = "cancelled") -> None:
            if reason not in WELL:
                self.begin_stop(within)
            await close_spider(reason=reason)

        setattr(engine, "close_spider_async", close_spider_async)  # noqa: B010  there is no signal for it

    async def spider_closed(self, spider: Spider, reason: str) -> None:
        try:
            if isinstance(spider, RunSpider) and self._has_run:
                await self._end(spider, reason)
            else:
                await shutdown_of(self.crawler).settled()  # `scrapy parse --pipelines` waits for no pipeline itself
        finally:
            await self._opened.aclose()

    async def _end(self, spider: RunSpider, reason: str) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        assignment = getattr(self.crawler, "assignment", Assignment())
        frontier = frontier_of(self.crawler)
        if self.run is None or frontier is None:
            is_skipped = reason.startswith("skipped: ") and self.trouble is None
            ending: Outcome = "skipped" if is_skipped else "failed"
            said = self.trouble or reason.removeprefix("skipped: ")
            self.report = RunReport(spider.run_source, assignment.kind, ending, error=said, slot=assignment.slot)
            return
        if reason not in WELL and self.stopped is None:
            self.stopped = "interrupted" if reason == "shutdown" else reason
        if reason == "start_error":
            self.trouble = self.trouble or "the spider's start() failed; the log says how"
        outcome, error = outcome_of(self.trouble, self.stopped, frontier.failures, frontier.lost)
        try:
            counts = await services_of(self.crawler).store.end_run(self.run, outcome, error)
        except LostLease as lost:  # between two heartbeats
            outcome, error, counts = "stopped", TAKEN_OVER, lost.counts
        except DatabaseError as away:
            outcome, error, counts = "failed", str(away), RunCounts()
        self.report = RunReport(
            self.run.source, self.run.kind, outcome, counts, error, self.run.id, self.run.slot, tuple(frontier.problems)
        )
        log.log(level_of(self.report), "%s", self.report)
        await self.crawler.signals.send_catch_log_async(run_closed, report=self.report, spider=spider)


def is_crawl(crawler: Crawler) -> bool:
    """Whether the spider does its own work: not in ``scrapy shell``, nor where a command of Scrapy's has put a start()
    of its own in its place."""
    start = getattr(type(crawler.spider), "start", None)
    return crawler.crawling and not getattr(start, "__module__", "").startswith("scrapy.commands")


def configuration_of(spider: Spider) -> config.Configuration:
    """The configuration that the spider was made from; one that has none reads it now."""
    found = getattr(spider, "configuration", None)
    return found if isinstance(found, config.Configuration) else config.load()


def wrong_clock() -> str | None:
    """Why nothing can be dated now, or None."""
    year = datetime.now(UTC).year
    if FIRST_YEAR <= year <= LAST_YEAR:
        return None
    return f"the clock of this machine says {datetime.now(UTC):%Y-%m-%d}; no page can be dated by it"


def run_extension(crawler: Crawler) -> RunExtension:
    """The crawl's own. Raises LookupError where it was switched off."""
    found = crawler.get_extension(RunExtension)
    if found is None:
        raise LookupError("crawler.extensions.run.RunExtension is switched off: without it nothing is stored")
    return found
