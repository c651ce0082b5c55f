"""One run's pages on their way: claimed from Postgres in batches, each released with its outcome.

What is to be fetched is decided by the frontier in Postgres: discovery enqueues links there, and pages are claimed from
it, also those that an earlier run left. A page is done when its outcome is recorded, not before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from scrapy.crawler import Crawler

from crawler.downloader.errors import Failure
from crawler.services import Services
from pipelines import urls
from pipelines.items import Link, Page, Reason
from pipelines.store import Archived, Document, FrontierEntry, Offered, PageOutcome, Run
from pipelines.workers import ReadersUnavailable

log = logging.getLogger(__name__)

#: called with the page's address and its outcome
Progress = Callable[[str, PageOutcome], object]
#: what a run tells of its documents
MOST_TOLD = 100


class Frontier:
    """``entries`` gives out what is to be fetched; every entry comes back by one of the verbs that record its outcome.

    *crawler* says whether anything is still on its way through Scrapy. ``failures`` are the discovery documents that
    could not be used, ``problems`` what was wrong with parts of them.
    """

    def __init__(self, crawler: Crawler, services: Services, run: Run, progress: Progress | None = None):
        self.crawler = crawler
        self.services = services
        self.run = run
        self.progress = progress
        self.in_flight: dict[bytes, FrontierEntry] = {}
        self.recovered: dict[bytes, tuple[Archived, Page]] = {}
        self.failures: list[str] = []
        self.problems: list[str] = []
        self.lost: Counter[str] = Counter()  # by what was said of an item pipeline, the pages that it did not give back
        self._changed = asyncio.Event()
        self._items_ended = 0
        self._enqueued = 0  # times that links were enqueued
        self._stopped = False
        self.is_open = False  # whether entries are given out
        self.looks: set[asyncio.Task[None]] = set()  # documents about to be asked for once more

    # --- what is to be fetched ---------------------------------------------------------------------------------------

    async def entries(self, most: int, at_once: Callable[[], int]) -> AsyncIterator[FrontierEntry]:
        """Pages that are due, up to *most*, while there are any and anything on its way may bring more.

        They are claimed in batches, so that no more than *at_once()* are in flight.
        """
        self.is_open, left, nothing_since = True, most, -1
        while not self._stopped:
            self._changed.clear()
            free, is_idle = min(at_once() - len(self.in_flight), left), self.is_idle()
            if is_idle or (free >= at_once() / 4 and nothing_since != self._enqueued):
                free, before = min(at_once() - len(self.in_flight), left), self._enqueued
                batch = await self.services.store.claim_batch(self.run, free) if free else []
                nothing_since = before if len(batch) < free else -1
                left -= len(batch)
                self.in_flight |= {urls.url_key(urls.normalise(target.url)): target for target in batch}
                await self._foresee(batch)
                for target in batch:
                    await self.services.in_flight_bytes.room(self.run.source or "")
                    yield target
                if not batch and is_idle and not self._changed.is_set():
                    break
            else:
                await self._changed.wait()
        self.is_open = False
        if not left:
            self.note(f"one run fetches {most} pages at most (limits.pages_per_run), the rest waits")

    async def _foresee(self, batch: Sequence[FrontierEntry]) -> None:
        """Have the robots rules for all of *batch* read at once; the robots middleware will ask page by page."""
        if self.crawler.settings.getbool("ROBOTSTXT_OBEY"):
            addresses = [urls.normalise(target.url, keep_tracking=True) for target in batch]
            with contextlib.suppress(ReadersUnavailable):  # each page will be told
                await self.services.robots.foresee(addresses, self.run.source or "")

    def changed(self) -> None:
        """Something was finished: there may be room, or nothing left to wait for."""
        self._changed.set()

    def is_idle(self) -> bool:
        """Whether Scrapy has nothing on its way: no request, no response, no item. What it dropped is let go."""
        engine = self.crawler.engine
        slot, scheduler = engine.scraper.slot, engine.scheduler
        if slot is None or scheduler is None or not slot.is_idle() or engine.downloader.active or self.looks:
            return False
        if scheduler.has_pending_requests():
            return False
        for target in self.in_flight.values():
            log.warning("%s: a middleware dropped its request; the page stays pending", target.url)
        self.in_flight.clear()
        return True

    async def has_room(self, begun: int, most: int) -> bool:
        """Wait until of *begun* items fewer than *most* are in the pipelines; False where the crawl is to stop."""
        while not self._stopped and begun - self._items_ended >= most:
            self._changed.clear()
            await self._changed.wait()
        return not self._stopped

    def item_ended(self) -> None:
        """An item has left the pipelines. Scrapy counts it as gone a moment after it says so."""
        self._items_ended += 1
        self.changed()
        asyncio.get_running_loop().call_later(0.005, self.changed)

    async def settled(self) -> None:
        """Wait until Scrapy, too, counts all items as gone: it would look again only seconds later."""
        while (slot := self.crawler.engine.scraper.slot) is not None and slot.itemproc_size:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    def stop(self) -> None:
        """Give out nothing more."""
        self.is_open = False
        self._stopped = True
        self._changed.set()

    # --- discovery ---------------------------------------------------------------------------------------------------

    async def enqueue(self, links: Sequence[Link], document: Document, most_pending: int | None = None) -> Offered:
        """Links, and how the document that named them was fetched; what is known already is not fetched again."""
        offered = await self.services.store.enqueue(self.run, links, document, most_pending)
        if links:  # a document that has not changed, as most have not, brings no page to ask the database for
            self._enqueued += 1
        self.changed()
        return offered

    def failed(self, url: str, said: str) -> None:
        """A discovery document cannot be used. ``asked_again`` takes it back."""
        log.warning("%s: %s: %s", self.run.source, url, said)
        self.failures.append(f"{url}: {said}")

    def asked_again(self, url: str) -> None:
        """A document is asked for once more: what was wrong with it at an earlier look is no matter now."""
        self.failures = [said for said in self.failures if not said.startswith(f"{url}: ")]

    def look(self, work: Coroutine[Any, Any, None]) -> None:
        """Let *work* ask for documents while pages go on."""
        task = asyncio.create_task(work)
        self.looks.add(task)
        task.add_done_callback(self._looked)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self.looks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: a look failed", self.run.source, exc_info=error)
        self.changed()

    def note(self, said: str) -> None:
        """A part of a document, or of an article, cannot be used."""
        # of a scheduled run it is said again at each look; the report and news.documents have it
        log.log(logging.DEBUG if self.run.slot else logging.INFO, "%s: %s", self.run.source, said)
        if len(self.problems) < MOST_TOLD and said not in self.problems:
            self.problems.append(said)

    def lost_in(self, pipeline: str, given: object) -> str:
        """An item pipeline gave something else back than a page's item, before it was stored. What to say of it."""
        what = "nothing" if given is None else f"a {type(given).__name__}"
        said = f"{pipeline} gave {what} back in place of the item"
        self.lost[said] += 1
        return said

    # --- outcomes ----------------------------------------------------------------------------------------------------

    async def fetch_failed(self, url: str, failure: Failure) -> None:
        """Record why there is no page: for good, or until it is tried again."""
        if failure.transient:
            outcome = await self.services.store.reschedule(
                self.run,
                url,
                failure.reason,
                failure.detail,
                failure.retry_at,
                failure.status,
                counts_as_attempt=failure.counts_as_attempt,
            )
        else:
            outcome = await self.services.store.reject(self.run, url, failure.reason, failure.detail, failure.status)
        self.ended(url, outcome)

    async def unmodified(self, url: str) -> None:
        """A page that was asked for on a condition has not changed."""
        self.ended(url, await self.services.store.save_unmodified(self.run, url))

    async def reject(self, url: str, reason: Reason, detail: str, **more: Any) -> PageOutcome:
        """Final: the page is no article."""
        outcome = await self.services.store.reject(self.run, url, reason, detail, **more)
        self.ended(url, outcome)
        return outcome

    async def reschedule(self, url: str, detail: str) -> PageOutcome:
        """A mistake of ours met the page. It stays pending with one attempt more, so that it does not come for ever."""
        outcome = await self.services.store.reschedule(self.run, url, Reason.UNSTORABLE, detail)
        self.ended(url, outcome)
        return outcome

    def ended(self, url: str, outcome: PageOutcome) -> None:
        """The page's outcome is recorded."""
        self.released(url)
        if self.progress is not None:
            self.progress(url, outcome)

    def is_in_flight(self, url: str) -> bool:
        return urls.url_key(urls.normalise(url)) in self.in_flight

    def released(self, url: str) -> None:
        """The page is on its way no more, with or without an outcome."""
        with contextlib.suppress(urls.BadUrl):
            self.in_flight.pop(urls.url_key(urls.normalise(url)), None)
        self.changed()


def frontier_of(crawler: Crawler) -> Frontier | None:
    """The frontier of the crawl's run; None where nothing is stored."""
    found = getattr(crawler, "frontier", None)
    return found if isinstance(found, Frontier) else None
