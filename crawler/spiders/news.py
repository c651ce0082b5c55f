"""The one spider that serves every source file: discovery documents, then the pages they named.

What is to be fetched is decided by the frontier in Postgres: discovery offers links to it, and pages are taken from it,
also those that an earlier run left. A page is done when its end is recorded, not before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from scrapy import Request
from scrapy.http import Response

from crawler.conditional import full_look_is_due, judged
from crawler.discovery import DiscoveryError, DiscoveryResult
from crawler.fetch import Manners, Room, Stopped, failure_reason
from crawler.links import LinkFilter
from crawler.spiders.run import RunSpider, log
from pipelines import urls
from pipelines.database import DatabaseError
from pipelines.flow import Fetched
from pipelines.items import Page, Part, Rejected
from pipelines.reading.rules import Rules
from pipelines.store import Document, DocumentState, Target, Validators
from pipelines.store.shapes import DocumentKind
from pipelines.workers import ReadersUnavailable

#: Some servers answer 304 for ever. After so many in a row, or so long, a document is asked for unconditionally.
MOST_NOT_MODIFIED = 20
LONGEST_NOT_ASKED = timedelta(days=1)
#: what a run tells of its documents, and the row of a document of itself
MOST_TOLD, MOST_NOTED = 100, 5
#: so often a page whose later pages do not come is tried again; then it is kept as far as it came
ATTEMPTS_FOR_ALL_PAGES = 3


@dataclass
class Round:
    """One look at all documents of a source. ``seen``: the keys of those that were met.

    ``unmodified``: documents that said 304, and whose word is doubted where another document names what is new.
    """

    sitemaps_left: int
    seen: set[bytes] = field(default_factory=set)
    named_new: bool = False
    unmodified: list[tuple[DocumentKind, str, DocumentState]] = field(default_factory=list)


class NewsSpider(RunSpider):
    """One run of one source. ``name`` is the source's."""

    name = "news"

    def __init__(self, *args: Any, name: str | None = None, **kwargs: Any):
        super().__init__(*args, name=name or self.name, **kwargs)
        self.offered = asyncio.Event()
        self.looks: set[asyncio.Task[None]] = set()
        self.asking: set[bytes] = set()  # documents, by url_key
        self.is_taking = False

    async def work(self) -> None:
        if self.stopping.is_set():
            return
        self.source = self.house.configuration.source(self.name)
        self.limits = self.house.configuration.settings.limits
        self.rules = self.house.rules(self.name, await self.house.lesson(self.name))
        self.manners = manners(self.source)
        self.fetched_before = await self.house.fetched_before(self.run)
        self.is_taking = True
        self.look()
        try:
            await self.fetch_pages()
        finally:
            self.is_taking = False
            for look in self.looks:
                look.cancel()
            if self.looks:
                await asyncio.wait(self.looks)

    def look(self) -> bool:
        """Ask the source's documents while the pages of this run go on; False where the run is at its end."""
        if not self.is_taking or self.stopping.is_set():
            return False
        self.looks.add(asyncio.create_task(self.discover()))
        self.offered.set()
        return True

    # --- pages -------------------------------------------------------------------------------------------------------

    async def fetch_pages(self) -> None:
        """Take pages while there are any and a look may bring more; stop when told to."""
        left = self.limits.pages_per_run
        stop = asyncio.create_task(self.stopping.wait())
        pages: set[asyncio.Task[None]] = set()
        try:
            while not stop.done():
                self.offered.clear()
                self.looks = still_running(self.looks)
                was_over = not self.looks
                free = max(0, min(self.places - len(pages), left))
                targets = await self.house.store.take(self.run, free) if free else []
                left -= len(targets)
                pages |= {asyncio.create_task(self.page(target)) for target in targets}
                if was_over and not pages and not self.looks:
                    self.is_taking = False
                    if not left:
                        most = self.limits.pages_per_run
                        self.note(f"one run fetches {most} pages at most (limits.pages_per_run), the rest waits")
                    break
                await self.until_something_happens({stop, *pages, *self.looks})
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
        await self.house.in_hand.room(self.name)
        async with Room() as room:
            with self.house.in_hand.of(self.name) as came:
                await self.page_in(room, target, came)

    async def page_in(self, room: Room, target: Target, came: Callable[[int], None]) -> None:
        try:
            fetched = await self.fetched(target, room)
        except (asyncio.CancelledError, DatabaseError):  # what is known of a host is in the database, too
            raise
        except ReadersUnavailable as error:  # trouble of this machine: the page stays pending as it was
            self.trouble = self.trouble or str(error)
            self.stop(self.trouble)
            return
        except Exception as error:  # noqa: BLE001  failure_reason has a name for each of them
            await self.not_fetched(target, error)
            return
        if fetched is None:
            self.tell(target.url, await self.house.store.keep_unmodified(self.run, target.url))
        else:
            came(len(fetched.page.body) + sum(len(part.body) for part in fetched.page.more))
            await self.through(fetched)

    async def fetched(self, target: Target, room: Room) -> Fetched | None:
        """The article's pages as fetched; None: it has not changed since it was stored."""
        if not target.recheck and (before := self.fetched_before.pop(urls.url_key(urls.normalise(target.url)), None)):
            archived, page = before
            return Fetched(replace(page, hint=target.hint), self.run, self.rules, archived=archived)
        etag, modified = (target.etag, target.last_modified) if self.may_ask_conditionally(target) else (None, None)
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

    def may_ask_conditionally(self, target: Target) -> bool:
        return target.recheck and self.source.fetch.conditional

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
            except DatabaseError:
                raise
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
        try:
            return await self.house.parsing.next_page(last, number, self.rules, self.name)
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
        if self.run.kind == "recheck":
            return
        await self.house.store.settle_params(self.name)
        self.link_filter = LinkFilter.of(self.source, datetime.now(UTC), self.limits.sitemaps)
        places = self.source.discover
        look = Round(self.limits.sitemaps * max(1, len(places.sitemaps) + len(places.feeds)))
        async with asyncio.TaskGroup() as group:
            for kind, addresses in (("feed", places.feeds), ("sitemap", places.sitemaps), ("section", places.sections)):
                for address in addresses:
                    group.create_task(self.document(kind, address, look))
        for kind, url, state in look.unmodified if look.named_new else ():
            found, document = await self.full_look(kind, url, state, is_suspicious=True)
            await self.take_in(found, document, look, 0)

    async def document(self, kind: DocumentKind, url: str, look: Round, depth: int = 0) -> None:
        """One feed, sitemap or section page, and the sitemaps that an index names."""
        key = urls.url_key(urls.normalise(url))
        if key in look.seen or key in self.asking:  # an earlier look may still wait for it
            return
        look.seen.add(key)
        self.asking.add(key)
        try:
            state = await self.house.store.document_state(self.run, url)
            found, document = await self.asked(kind, url, state, look)
        finally:
            self.asking.discard(key)
        await self.take_in(found, document, look, depth)

    async def take_in(self, found: DiscoveryResult, document: Document, look: Round, depth: int) -> None:
        """What a document named goes into the frontier; the sitemaps that it names are looked at."""
        sitemaps, said = self.sitemaps_of(found, look, depth)
        if said:
            note = f"{document.note}; {said}" if document.note else said
            left_out = document.left_out + len(found.sitemaps) - len(sitemaps)
            document = replace(document, note=note, left_out=left_out)
            self.note(f"{document.url}: {said}")
        offered = await self.house.store.offer(self.run, found.links, document, self.source.max_pending)
        if offered.left_out or offered.displaced:
            self.note(
                f"{document.url}: left_out: {self.source.max_pending} pages wait already (max_pending); "
                f"{offered.left_out} new ones were left out, {offered.displaced} older ones gave their place to newer"
            )
        look.named_new = look.named_new or offered.new > 0
        self.offered.set()
        async with asyncio.TaskGroup() as group:
            for address in sitemaps:
                group.create_task(self.document("sitemap", address, look, depth + 1))

    def sitemaps_of(self, found: DiscoveryResult, look: Round, depth: int) -> tuple[tuple[str, ...], str]:
        """The sitemaps of an index that are looked at, and what is to be said of the others."""
        if found.sitemaps and depth >= self.limits.sitemap_depth:
            return (), f"left_out: {len(found.sitemaps)} sitemaps lie deeper than sitemap_depth"
        sitemaps = found.sitemaps[: look.sitemaps_left]
        look.sitemaps_left -= len(sitemaps)
        left_out = len(found.sitemaps) - len(sitemaps)
        return sitemaps, f"left_out: {left_out} more sitemaps than one run looks at" if left_out else ""

    async def asked(
        self, kind: DocumentKind, url: str, state: DocumentState, look: Round
    ) -> tuple[DiscoveryResult, Document]:
        """Ask for a document: what it names, and what the store remembers of this attempt."""
        known = state.validators if self.source.fetch.conditional else None
        known = known if known is not None and not is_stale(known, datetime.now(UTC)) else None
        etag, modified = (known.etag, known.last_modified) if known else (None, None)
        async with Room() as room:
            found, document = await self.asked_in(room, kind, url, etag, modified, state.memory)
        if known is None or not document.not_modified:
            return found, document
        in_a_row = known.not_modified_in_a_row + 1
        if full_look_is_due(in_a_row, state.confirmed):
            return await self.full_look(kind, url, state)
        if full_look_is_due(in_a_row, state.confirmed, is_suspicious=True):
            look.unmodified.append((kind, url, state))
        return found, document

    async def full_look(
        self, kind: DocumentKind, url: str, state: DocumentState, is_suspicious: bool = False
    ) -> tuple[DiscoveryResult, Document]:
        """Ask unconditionally for a document that has just said that it has not changed."""
        async with Room() as room:
            found, document = await self.asked_in(room, kind, url, None, None, state.memory)
        document = judged(document, found, state, is_suspicious)
        if document.distrusted:
            self.note(f"{url}: {document.distrusted}; it is asked unconditionally from now on")
        return found, document

    async def asked_in(
        self,
        room: Room,
        kind: DocumentKind,
        url: str,
        etag: str | None,
        modified: str | None,
        memory: str | None,
    ) -> tuple[DiscoveryResult, Document]:
        nothing = DiscoveryResult(kind)
        self.failures = [said for said in self.failures if not said.startswith(f"{url}: ")]  # those of an earlier look
        try:
            response = await self.download(url, kind, etag, modified, room)
            etag, modified = header(response, "ETag"), header(response, "Last-Modified")
            if response.status == 304:
                return nothing, Document(url, kind, 304, etag, modified, not_modified=True)
            found = await self.parsed(kind, response, memory)
        except (asyncio.CancelledError, DatabaseError):
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
        if found.sitemaps or found.is_damaged:
            # an index may stay the same while its sitemaps change; of a damaged document the rest is still to come
            etag = modified = None
        return found, Document(
            url,
            kind,
            response.status,
            etag,
            modified,
            links=len(found.links),
            bytes=len(response.body),
            entries=found.entries,
            left_out=found.left_out,
            note="; ".join(map(str, found.problems[:MOST_NOTED])) or None,
            digest=found.digest,
            memory=found.memory,
        )

    async def parsed(self, kind: DocumentKind, response: Response, memory: str | None) -> DiscoveryResult:
        largest = self.limits.page if kind == "section" else self.limits.document
        content_type = header(response, "Content-Type") or ""
        link_filter = replace(self.link_filter, known=memory)
        return await self.house.parsing.document(
            kind, response.body, content_type, response.url, link_filter, largest, self.name
        )

    def failed(self, url: str, said: str) -> None:
        log.warning("%s: %s: %s", self.name, url, said)
        self.failures.append(f"{url}: {said}")

    def note(self, said: str) -> None:
        # of a scheduled run it is said again at each look; the report and news.documents have it
        log.log(logging.DEBUG if self.run.slot else logging.INFO, "%s: %s", self.name, said)
        if len(self.problems) < MOST_TOLD and said not in self.problems:
            self.problems.append(said)


def manners(source: Any) -> Manners:
    """How this source's hosts are asked."""
    return Manners(
        source=source.name,
        allowed=tuple(source.fetch.allow_addresses),
        delay=source.delay,
        concurrency=source.concurrency,
        timeout=source.timeout,
        homepage=source.homepage,
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
