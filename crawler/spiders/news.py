"""The one spider that serves every source file: discovery documents, then the pages they named.

What is to be fetched is decided by the frontier in Postgres: discovery offers links to it, and pages are taken from it,
also those that an earlier run left. A page is done when its end is recorded, not before.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from scrapy import Request
from scrapy.http import Response

from crawler.discovery import DiscoveryError, Found, Refused, Trouble, read_document
from crawler.fetch import Manners, Room, Stopped, failure_reason
from crawler.house import LOOKING, NEXT_PAGE
from crawler.links import Taking
from crawler.spiders.run import RunSpider, log
from pipelines import urls
from pipelines.flow import Fetched
from pipelines.items import Page, Part, Rejected
from pipelines.reading.body import paging as article_pages
from pipelines.reading.rules import Rules
from pipelines.store import Document, Target, Validators
from pipelines.store.shapes import DocumentKind
from pipelines.workers import ReadersUnavailable

#: Some servers answer 304 for ever. After so many in a row, or so long, a document is asked for unconditionally.
MOST_NOT_MODIFIED = 20
LONGEST_NOT_ASKED = timedelta(days=1)
#: a smaller document is parsed sooner than a reader process is asked
QUICKLY_PARSED = 20_000
#: in a smaller page, a look for the number of a next page takes a few milliseconds
QUICKLY_SEARCHED = 500_000
#: what a run tells of its documents
MOST_TOLD = 100
#: so often a page whose later pages do not come is tried again; then it is kept as far as it came
ATTEMPTS_FOR_ALL_PAGES = 3


class NewsSpider(RunSpider):
    """One run of one source. ``name`` is the source's."""

    name = "news"

    def __init__(self, *args: Any, name: str | None = None, **kwargs: Any):
        super().__init__(*args, name=name or self.name, **kwargs)
        self.offered = asyncio.Event()
        self.seen_documents: set[bytes] = set()

    async def work(self) -> None:
        if self.stopping.is_set():
            return
        self.source = self.house.configuration.source(self.name)
        self.limits = self.house.configuration.settings.limits
        self.rules = self.house.rules(self.name, await self.house.lesson(self.name))
        self.manners = manners(self.source)
        self.fetched_before = await self.house.fetched_before(self.run)
        discovery = asyncio.create_task(self.discover())
        try:
            await self.fetch_pages(discovery)
            if not self.stopping.is_set():
                await discovery
        finally:
            discovery.cancel()
            await asyncio.wait([discovery])

    # --- pages -------------------------------------------------------------------------------------------------------

    async def fetch_pages(self, discovery: asyncio.Task[None]) -> None:
        """Take pages while there are any and discovery may bring more; stop when told to."""
        left = self.limits.pages_per_run
        stop = asyncio.create_task(self.stopping.wait())
        pages: set[asyncio.Task[None]] = set()
        try:
            while not stop.done():
                self.offered.clear()
                was_over = discovery.done()
                free = max(0, min(self.places - len(pages), left))
                targets = await self.house.store.take(self.run, free) if free else []
                left -= len(targets)
                pages |= {asyncio.create_task(self.page(target)) for target in targets}
                if was_over and not pages:
                    if not left:
                        most = self.limits.pages_per_run
                        self.note(f"one run fetches {most} pages at most (limits.pages_per_run), the rest waits")
                    break
                await self.until_something_happens({stop, *pages} if was_over else {stop, discovery, *pages})
                pages = still_running(pages)
            if pages:
                await asyncio.wait(pages, timeout=self.grace)
        finally:
            for task in (stop, *pages):
                task.cancel()
            await asyncio.wait([stop, *pages])
        still_running(pages - {task for task in pages if task.cancelled()})

    @property
    def places(self) -> int:
        """How many pages may be in hand. Some that are hard to read do not hold up those behind them."""
        at_once = self.house.configuration.settings.crawl.concurrency
        return at_once + min(self.house.readers.reading_alone(self.name), at_once)

    async def until_something_happens(self, tasks: set[asyncio.Task[Any]]) -> None:
        """Until one of *tasks* is done or links were offered."""
        offered = asyncio.create_task(self.offered.wait())
        try:
            await asyncio.wait({offered, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            offered.cancel()

    async def page(self, target: Target) -> None:
        """Fetch one article with all its pages, send it through the pipelines, and see its end recorded."""
        async with Room() as room:
            await self.page_in(room, target)

    async def page_in(self, room: Room, target: Target) -> None:
        try:
            fetched = await self.fetched(target, room)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  failure_reason has a name for each of them
            await self.not_fetched(target, error)
            return
        if fetched is None:
            self.tell(target.url, await self.house.store.keep_unmodified(self.run, target.url))
        else:
            await self.through(fetched)

    async def fetched(self, target: Target, room: Room) -> Fetched | None:
        """The article's pages as fetched; None: it has not changed since it was stored."""
        if not target.recheck and (before := self.fetched_before.pop(urls.url_key(urls.normalise(target.url)), None)):
            archived, page = before
            return Fetched(replace(page, hint=target.hint), self.run, self.rules, archived=archived)
        etag, modified = (target.etag, target.last_modified) if target.recheck else (None, None)
        response = await self.download(target.url, "page", etag, modified, room)
        if response.status == 304:
            return None
        page = Page(
            url=response.url,
            source=self.name,
            body=response.body,
            fetched_at=response.meta["fetched_at"],
            content_type=header(response, "Content-Type") or "text/html",
            status=response.status,
            asked_url=target.url,
            hint=target.hint,
        )
        return Fetched(
            page=replace(page, more=await self.more_pages(page, target, room)),
            run=self.run,
            rules=await self.rules_for(target),
            headers={name.decode("latin-1"): header(response, name) or "" for name in response.headers},
            etag=header(response, "ETag"),
            last_modified=header(response, "Last-Modified"),
        )

    async def rules_for(self, target: Target) -> Rules:
        """An article is looked at again with the lesson with which it was read: only the site's changes count."""
        if target.lesson is None or target.lesson == self.rules.learned.state:
            return self.rules
        return self.house.rules(self.name, await self.house.lesson(self.name, target.lesson))

    async def more_pages(self, page: Page, target: Target, room: Room) -> tuple[Part, ...]:
        """Pages 2, 3, ... of the article: as long as each names the next, no address twice, up to the source's cap.

        All of them together may be as large as one page may be, and the last goes beyond that.
        """
        parts: list[Part] = []
        size = len(page.body)
        seen = {urls.url_key(urls.normalise(url)) for url in (page.url, target.url)}
        last = Part(page.url, page.body, page.content_type)
        while len(parts) + 1 < self.source.max_pages and size < self.limits.page:
            following = await self.next_page(last, len(parts) + 1)
            if following is None or (key := urls.url_key(urls.normalise(following))) in seen:
                break
            seen.add(key)
            try:
                response = await self.download(following, "page", room=room)
            except Exception as error:
                if failure_reason(error).transient and target.attempts + 1 < ATTEMPTS_FOR_ALL_PAGES:
                    raise  # the article comes again as a whole
                self.note(f"{following}, a further page of {target.url}: {failure_reason(error).detail}")
                break
            last = Part(response.url, response.body, header(response, "Content-Type") or "text/html")
            parts.append(last)
            size += len(last.body)
        return tuple(parts)

    async def next_page(self, last: Part, number: int) -> str | None:
        """The address of the page after *last*, which is page *number* of its article."""
        arguments = (last.url, last.body, last.content_type, number)
        size = len(last.body)
        if size < QUICKLY_SEARCHED and not await asyncio.to_thread(article_pages.may_have_next, *arguments, self.rules):
            return None
        try:
            return await self.house.readers.ask(
                NEXT_PAGE, arguments, self.rules, whose=self.name, size=size, about=last.url
            )
        except Rejected as error:  # the page itself will come to the same end, and be told of it
            self.note(f"{last.url}, page {number} of an article: {error}")
            return None

    async def not_fetched(self, target: Target, error: Exception) -> None:
        """Record why there is no page: for good, or until it is tried again."""
        failure = failure_reason(error)
        if failure.detail.startswith("unexpected"):
            log.error("%s: unexpected", target.url, exc_info=error)
        if isinstance(error, Stopped):
            return  # nothing was asked: the page stays pending as it was
        store = self.house.store
        if failure.transient:
            ending = await store.postpone(
                self.run,
                target.url,
                failure.reason,
                failure.detail,
                failure.not_before,
                failure.status,
                attempted=failure.attempted,
            )
        else:
            ending = await store.reject(self.run, target.url, failure.reason, failure.detail, failure.status)
        self.tell(target.url, ending)

    async def download(
        self, url: str, kind: str, etag: str | None = None, modified: str | None = None, room: Room | None = None
    ) -> Response:
        """A complete 200, or a 304 to a conditional request. Everything else raises what ``failure_reason`` knows."""
        headers = {"If-None-Match": etag, "If-Modified-Since": modified}
        request = Request(
            url,
            headers={name: value for name, value in headers.items() if value},
            meta={"kind": kind, "room": room},
            dont_filter=True,
        )
        return await self.crawler.engine.download_async(request)

    # --- discovery ---------------------------------------------------------------------------------------------------

    async def discover(self) -> None:
        """Ask every discovery document of the source; each of them ends by itself."""
        self.taking = Taking.of(self.source, datetime.now(UTC), self.limits.sitemaps)
        places = self.source.discover
        async with asyncio.TaskGroup() as group:
            for kind, addresses in (("feed", places.feeds), ("sitemap", places.sitemaps), ("section", places.sections)):
                for address in addresses:
                    group.create_task(self.document(kind, address))

    async def document(self, kind: DocumentKind, url: str, depth: int = 0) -> None:
        """One feed, sitemap or section page, and the sitemaps that an index names."""
        key = urls.url_key(urls.normalise(url))
        if key in self.seen_documents:
            return
        self.seen_documents.add(key)
        known = await self.house.store.validators(self.run, url)
        found, document = await self.asked(kind, url, known)
        await self.house.store.offer(self.run, found.links, document)
        self.offered.set()
        if found.sitemaps and depth >= self.limits.sitemap_depth:
            self.note(f"{url} names {len(found.sitemaps)} sitemaps, deeper than sitemap_depth")
            return
        room = max(0, self.limits.sitemaps - len(self.seen_documents))
        async with asyncio.TaskGroup() as group:
            for address in found.sitemaps[:room]:
                group.create_task(self.document("sitemap", address, depth + 1))

    async def asked(self, kind: DocumentKind, url: str, known: Validators | None) -> tuple[Found, Document]:
        """Ask for a document: what it names, and what the store remembers of this attempt."""
        known = known if known is not None and not is_stale(known, datetime.now(UTC)) else None
        etag, modified = (known.etag, known.last_modified) if known else (None, None)
        async with Room() as room:
            return await self.asked_in(room, kind, url, etag, modified)

    async def asked_in(
        self, room: Room, kind: DocumentKind, url: str, etag: str | None, modified: str | None
    ) -> tuple[Found, Document]:
        nothing = Found(kind)
        try:
            response = await self.download(url, kind, etag, modified, room)
            etag, modified = header(response, "ETag"), header(response, "Last-Modified")
            if response.status == 304:
                return nothing, Document(url, kind, 304, etag, modified, not_modified=True)
            found = await self.parsed(kind, response)
        except asyncio.CancelledError:
            raise
        except (DiscoveryError, Rejected, ReadersUnavailable) as error:
            self.failed(url, str(error))
            return nothing, Document(url, kind, 200, error=str(error))
        except Exception as error:  # noqa: BLE001  as for pages
            failure = failure_reason(error)
            if failure.detail.startswith("unexpected"):
                log.error("%s: unexpected", url, exc_info=error)
            said = f"{failure.reason}: {failure.detail}"
            self.failed(url, said)
            return nothing, Document(url, kind, failure.status, error=said)
        for problem in found.problems:
            self.note(f"{url}: {problem}")
        if found.sitemaps or any(one.trouble in (Trouble.TRUNCATED, Trouble.BROKEN) for one in found.problems):
            # an index may stay the same while its sitemaps change; of a damaged document the rest is still to come
            etag = modified = None
        return found, Document(
            url, kind, response.status, etag, modified, links=len(found.links), bytes=len(response.body)
        )

    async def parsed(self, kind: DocumentKind, response: Response) -> Found:
        largest = self.limits.page if kind == "section" else self.limits.document
        content_type = header(response, "Content-Type") or ""
        arguments = (kind, response.body, content_type, response.url, self.taking, largest)
        size = len(response.body)
        if size < QUICKLY_PARSED:
            return read_document(*arguments)
        found = await self.house.readers.ask(LOOKING, arguments, whose=self.name, size=size, about=response.url)
        if isinstance(found, Refused):
            raise DiscoveryError(found.trouble, found.detail)
        return found or Found(kind)

    def failed(self, url: str, said: str) -> None:
        log.warning("%s: %s: %s", self.name, url, said)
        self.failures.append(f"{url}: {said}")

    def note(self, said: str) -> None:
        log.info("%s: %s", self.name, said)
        if len(self.problems) < MOST_TOLD:
            self.problems.append(said)


def manners(source: Any) -> Manners:
    """How this source's hosts are asked."""
    return Manners(
        source=source.name,
        allowed=tuple(source.fetch.allow_addresses),
        delay=source.delay,
        concurrency=source.concurrency,
        timeout=source.timeout,
    )


def is_stale(known: Validators, now: datetime) -> bool:
    """Whether a document is to be asked for unconditionally although there are validators."""
    return known.not_modified_in_a_row >= MOST_NOT_MODIFIED or now - known.checked_at > LONGEST_NOT_ASKED


def header(response: Response, name: str | bytes) -> str | None:
    values = response.headers.getlist(name)
    return b", ".join(values).decode("latin-1") if values else None


def still_running(tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Those that are not done; the exception of one that is comes out here."""
    for task in tasks:
        if task.done():
            task.result()
    return {task for task in tasks if not task.done()}
