"""What the spiders share: one run from its first page to its last, every page accounted for.

Scrapy's engine downloads and passes items through the pipelines; nothing goes through its scheduler, where requests can
be dropped without a word. ``work`` is plain asyncio: what it awaits returns or raises, so no page can be forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from scrapy import Spider, signals
from scrapy.crawler import Crawler

from crawler import config
from crawler.config import Configuration
from crawler.house import House, heartbeat
from crawler.logs import guard_handlers
from crawler.reports import finish
from pipelines.database import DatabaseError
from pipelines.flow import Fetched
from pipelines.store import Ending, Run

log = logging.getLogger(__name__)

#: called with the page's address and where it ended
Progress = Callable[[str, Ending], object]


class RunSpider(Spider):
    """One run. ``house`` and ``run`` come from crawler.runs; ``scrapy crawl`` gives none, and the spider opens its own.

    Afterwards ``trouble`` says why the run failed as a whole, ``stopped`` why it ended early, ``failures`` which
    discovery documents could not be used, ``problems`` what was wrong with parts of them.
    """

    name = "run"
    configuration: Configuration | None = None

    def __init__(
        self, house: House | None = None, run: Run | None = None, progress: Progress | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.house: Any = house
        self.run: Any = run
        self.progress = progress
        self.trouble: str | None = None
        self.stopped: str | None = None
        self.failures: list[str] = []
        self.problems: list[str] = []
        self.stopping = asyncio.Event()
        self.grace: float = 0.0
        self._items: asyncio.Queue[Fetched | None] = asyncio.Queue()
        self._ends: dict[str, asyncio.Future[Fetched]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> RunSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        for signal in (signals.item_scraped, signals.item_error, signals.item_dropped):
            crawler.signals.connect(spider.ended, signal=signal)
        return spider

    async def work(self) -> None:
        """The run itself. An exception of it is the run's ``trouble``."""
        raise NotImplementedError

    def stop(self, why: str, grace: float = 0.0) -> None:
        """Take no new pages; what is in flight has *grace* seconds to end, the rest stays pending."""
        if not self.stopping.is_set():
            self.stopped, self.grace = why, grace
            self.stopping.set()

    def look(self) -> bool:
        """Look for more while the run goes on; False where there is nothing to look at."""
        return False

    async def start(self) -> AsyncIterator[Any]:
        async with self.at_home():
            work = asyncio.create_task(self._work())
            try:
                while (item := await self._items.get()) is not None:
                    yield item
            finally:
                work.cancel()
                await asyncio.wait([work])

    async def _work(self) -> None:
        try:
            await self.work()
        except Exception as error:
            self.trouble = trouble_of(error)
            if self.trouble.startswith("a mistake"):
                log.error("run of %s", self.name, exc_info=error)
        finally:
            self._items.put_nowait(None)

    async def through(self, fetched: Fetched) -> Fetched:
        """Send a page through the item pipelines and wait for its end; MachineTrouble of theirs stops the run."""
        end: asyncio.Future[Fetched] = asyncio.get_running_loop().create_future()
        self._ends[fetched.url] = end
        self._items.put_nowait(fetched)
        try:
            result = await end
        finally:
            del self._ends[fetched.url]
        if result.ending is not None:
            self.tell(fetched.url, result.ending)
        elif not self.stopping.is_set():  # a run that is being stopped leaves pages unended, and that is no trouble
            self.trouble = (
                self.crawler.stats.get_value("nachlese/trouble") or "a page came out of the pipelines unended"
            )
            self.stop(self.trouble)
        return result

    def ended(self, item: Fetched) -> None:
        """Scrapy's signal that an item left the pipelines."""
        end = self._ends.get(item.url)
        if end is not None and not end.done():
            end.set_result(item)

    def tell(self, url: str, ending: Ending) -> None:
        if self.progress is not None:
            self.progress(url, ending)
        if ending.kind in ("new", "new_version", "copy") and not self.house.stopping:
            self.house.notifier.wake()  # a run may last hours

    @asynccontextmanager
    async def at_home(self) -> AsyncIterator[None]:
        """A house and a run, where none were given: ``scrapy crawl NAME``."""
        if self.house is not None:
            yield
            return
        guard_handlers()  # Scrapy has set the log up, and lets a page's title have lines of its own
        async with House.open(self.configuration or config.load()) as self.house:
            self.run = await self.house.begin(self.name)
            if self.run is None:
                self.stop("another process runs this source now")
                yield
                return
            async with heartbeat(self.house, self.run, self.stop):
                yield
            report = await finish(self.house, self.run, self)
            log.warning("%s", report)


def trouble_of(error: BaseException) -> str:
    """One line about what ended a run; of several errors at once, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, DatabaseError):
        return str(error)
    return f"a mistake in nachlese: {type(error).__name__}: {error}"
