"""What a spider does with discovery documents: ask for them, parse them, doubt those that never change.

Their links go to the frontier (``crawler.middlewares.frontier``), and pages come back from there.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure as TwistedFailure

from crawler.conditional import full_look_is_due, judged
from crawler.config import Source
from crawler.discovery import DiscoveryResult
from crawler.discovery.links import LinkFilter
from crawler.downloader.errors import Failure, NotModified, ShutdownError, failure_reason
from crawler.frontier import frontier_of
from crawler.shutdown import shutdown_of
from crawler.spiders.base import RunSpider
from pipelines import urls
from pipelines.items import Link
from pipelines.store import Document, DocumentState, FrontierEntry, Offered, Validators
from pipelines.store.models import DocumentKind

log = logging.getLogger(__name__)

#: Some servers answer 304 for ever. After so many in a row, or so long, a document is asked for unconditionally.
MOST_NOT_MODIFIED = 20
LONGEST_NOT_ASKED = timedelta(days=1)
#: how many of a document's problems its own row tells
MOST_NOTED = 5


@dataclass
class Look:
    """One look at all documents of a source. ``seen``: the keys of those that were met; ``open``: how many are still
    on their way.

    ``unmodified``: documents that said 304, and whose word is doubted where another document names what is new.
    """

    sitemaps_left: int
    seen: set[bytes] = field(default_factory=set)
    open: int = 0
    named_new: bool = False
    unmodified: list[tuple[DocumentKind, str, DocumentState]] = field(default_factory=list)


class DocumentSpider(RunSpider):
    """A spider for a source's feeds, sitemaps and section pages."""

    places: Iterable[str] = ("feeds", "sitemaps", "sections")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.asking: set[bytes] = set()  # documents that are being asked for, by url_key

    @property
    def source(self) -> Source:
        return self.configuration.source(self.name)

    async def failed(self, failure: TwistedFailure) -> None:
        """The errback of every request."""
        raise NotImplementedError

    # --- asking ------------------------------------------------------------------------------------------------------

    def documents(self) -> list[tuple[DocumentKind, str]]:
        """The discovery documents that the source file names."""
        places = self.source.discover
        named: tuple[tuple[str, DocumentKind, list[str]], ...] = (
            ("feeds", "feed", places.feeds),
            ("sitemaps", "sitemap", places.sitemaps),
            ("sections", "section", places.sections),
        )
        return [(kind, url) for name, kind, found in named if name in self.places for url in found]

    def link_filter(self) -> LinkFilter:
        """Which links of this source's documents are taken."""
        return LinkFilter.of(self.source, datetime.now(UTC), self.configuration.settings.limits.sitemaps)

    async def document_requests(self) -> AsyncIterator[Request]:
        """A look at all documents: a request for each. A run that only rechecks asks for none."""
        frontier = frontier_of(self.crawler)
        if frontier is not None:
            if frontier.run.kind == "recheck":
                return
            await self.services.store.update_noise_params(self.name)
        self.filter = self.link_filter()
        places = self.source.discover
        at_most = self.configuration.settings.limits.sitemaps
        look = Look(at_most * max(1, len(places.sitemaps) + len(places.feeds)))
        look.open = 1  # this generator, so that no look is over before all its requests are made
        for kind, url in self.documents():
            if (request := await self.document_request(kind, url, look)) is not None:
                yield request
        self.look_went_on(look)

    def look(self) -> bool:
        """Ask for the source's documents while the pages of this run go on; False where the run is at its end."""
        frontier = frontier_of(self.crawler)
        if frontier is None or not frontier.is_open:
            return False
        frontier.look(self._look())
        return True

    async def _look(self) -> None:
        async for request in self.document_requests():
            self.crawler.engine.crawl(request)

    async def document_request(self, kind: DocumentKind, url: str, look: Look, depth: int = 0) -> Request | None:
        """A request for a discovery document, conditional where the last response allows it; None: asked already, in
        this look or by an earlier one that still waits for it."""
        key = urls.url_key(urls.normalise(url))
        if key in look.seen or key in self.asking:
            return None
        look.seen.add(key)
        frontier = frontier_of(self.crawler)
        state = DocumentState()
        if frontier is not None:
            frontier.asked_again(url)
            state = await self.services.store.document_state(frontier.run, url)
        known = state.validators if self.source.fetch.conditional else None
        if known is not None and is_stale(known, datetime.now(UTC)):
            known = None
        return self._document_request(kind, url, look, state, depth, known)

    def _document_request(
        self,
        kind: DocumentKind,
        url: str,
        look: Look,
        state: DocumentState,
        depth: int = 0,
        known: Validators | None = None,
        full_look: str | None = None,
    ) -> Request:
        self.asking.add(urls.url_key(urls.normalise(url)))
        look.open += 1
        return Request(
            urls.normalise(url, keep_tracking=True),
            callback=getattr(self, f"parse_{kind}"),
            errback=self.failed,
            meta={
                "kind": kind,
                "document_url": url,
                "look": look,
                "document_state": state,
                "depth_of_sitemap": depth,
                "validators": (known.etag, known.last_modified) if known else None,
                "not_modified_in_a_row": known.not_modified_in_a_row if known else None,
                "full_look": full_look,
            },
            dont_filter=True,
        )

    # --- what came ---------------------------------------------------------------------------------------------------

    async def parse_feed(self, response: Response) -> AsyncIterator[Any]:
        """Links of an RSS, Atom or JSON feed."""
        async for found in self.parse_document(response):
            yield found

    async def parse_sitemap(self, response: Response) -> AsyncIterator[Any]:
        """Links of a sitemap, or requests for the sitemaps that an index names."""
        async for found in self.parse_document(response):
            yield found

    async def parse_section(self, response: Response) -> AsyncIterator[Any]:
        """Links of a section page. Override it and yield ``Link``s, or requests for ``parse_article``: the frontier
        takes them, and asks only for what is not known."""
        async for found in self.parse_document(response):
            yield found

    async def parse_document(self, response: Response) -> AsyncIterator[Any]:
        """What every discovery document yields: its links, and requests for the sitemaps it names."""
        found = await self.discovered(response)
        document = self.document(response, found)
        look: Look = response.meta.get("look") or Look(self.configuration.settings.limits.sitemaps)
        depth = response.meta.get("depth_of_sitemap", 0)
        sitemaps, said = self.sitemaps_of(found, look, depth)
        if said:
            note = f"{document.note}; {said}" if document.note else said
            document = replace(document, note=note, left_out=document.left_out + len(found.sitemaps) - len(sitemaps))
            self.note(f"{document.url}: {said}")
        response.meta["document"] = document
        is_stored = frontier_of(self.crawler) is not None
        for link in self.links(response, found):
            # `scrapy parse` has no frontier, and shows what a link is asked for with
            yield link if is_stored else self.article_request(FrontierEntry(link.url, link.hint))
        for url in sitemaps:
            if (request := await self.document_request("sitemap", url, look, depth + 1)) is not None:
                yield request

    def links(self, response: Response, found: DiscoveryResult) -> Iterable[Link]:
        """Which of a document's links go on; override it to leave some out or to add some."""
        return found.links

    def sitemaps_of(self, found: DiscoveryResult, look: Look, depth: int) -> tuple[tuple[str, ...], str]:
        """The sitemaps of an index that are looked at, and what is to be said of the others."""
        if found.sitemaps and depth >= self.configuration.settings.limits.sitemap_depth:
            return (), f"left_out: {len(found.sitemaps)} sitemaps lie deeper than sitemap_depth"
        sitemaps = found.sitemaps[: look.sitemaps_left]
        look.sitemaps_left -= len(sitemaps)
        left_out = len(found.sitemaps) - len(sitemaps)
        return sitemaps, f"left_out: {left_out} more sitemaps than one run looks at" if left_out else ""

    async def discovered(self, response: Response) -> DiscoveryResult:
        """What a discovery document names, parsed in a reader process. Raises DiscoveryError, Rejected."""
        kind = response.meta.get("kind", "section")
        limits = self.configuration.settings.limits
        largest = limits.page if kind == "section" else limits.document
        state: DocumentState = response.meta.get("document_state") or DocumentState()
        link_filter = replace(getattr(self, "filter", None) or self.link_filter(), known=state.memory)
        content_type = header(response, "Content-Type") or ""
        work = self.services.parsing.document(
            kind, response.body, content_type, response.url, link_filter, largest, self.name
        )
        found = await shutdown_of(self.crawler).run(work)
        for problem in found.problems:
            self.note(f"{response.meta.get('document_url', response.url)}: {problem}")
        return found

    def document(self, response: Response, found: DiscoveryResult | None = None) -> Document:
        """What the store remembers of a document that was fetched."""
        etag, modified = header(response, "ETag"), header(response, "Last-Modified")
        if found and (found.sitemaps or found.is_damaged):
            # an index may stay the same while its sitemaps change; of a damaged document the rest is still to come
            etag = modified = None
        url = response.meta.get("document_url", response.url)
        document = Document(
            url=url,
            kind=kind_of(response.meta),
            status=response.status,
            etag=etag,
            last_modified=modified,
            bytes=len(response.body),
        )
        if found is None:
            return document
        document = replace(
            document,
            links=len(found.links),
            entries=found.entries,
            left_out=found.left_out,
            note="; ".join(map(str, found.problems[:MOST_NOTED])) or None,
            digest=found.digest,
            memory=found.memory,
            fresh_for=fresh_for(response, found.ttl),
            skip_hours=found.skip_hours,
            skip_days=found.skip_days,
        )
        return self.after_full_look(response, document, found)

    def after_full_look(self, response: Response, document: Document, found: DiscoveryResult) -> Document:
        """*document*, with what it says about a server that had just answered 304."""
        full_look = response.meta.get("full_look")
        if full_look is None:
            return document
        document = judged(document, found, response.meta["document_state"], full_look == "suspicious")
        if document.distrusted:
            self.note(f"{document.url}: {document.distrusted}; it is asked unconditionally from now on")
        return document

    def article_request(self, entry: FrontierEntry) -> Request:
        raise NotImplementedError

    # --- how it ended ------------------------------------------------------------------------------------------------

    async def document_failed(self, request: Request, error: BaseException) -> None:
        """Record why a document did not come. One that said once too often that it has not changed is asked again."""
        url, look = request.meta.get("document_url", request.url), request.meta.get("look")
        kind = kind_of(request.meta)
        if isinstance(error, NotModified) and look is not None:
            in_a_row = (request.meta["not_modified_in_a_row"] or 0) + 1
            state: DocumentState = request.meta["document_state"]
            if full_look_is_due(in_a_row, state.confirmed):
                depth = request.meta["depth_of_sitemap"]
                self.crawler.engine.crawl(self._document_request(kind, url, look, state, depth, full_look="due"))
                look.open -= 1
                return
            if full_look_is_due(in_a_row, state.confirmed, is_suspicious=True):
                look.unmodified.append((kind, url, state))
            etag, modified = header(error.response, "ETag"), header(error.response, "Last-Modified")
            unchanged = Document(url, kind, 304, etag, modified, not_modified=True, fresh_for=fresh_for(error.response))
            await self.enqueued([], unchanged, look)
        elif isinstance(error, ShutdownError | NotModified):
            self.document_ended(url, look)
        else:
            failure = logged(url, failure_reason(error))
            await self.document_unusable(url, kind, look, f"{failure.reason}: {failure.detail}", failure.status)

    async def document_unusable(
        self, url: str, kind: DocumentKind, look: Look | None, said: str, status: int | None = None
    ) -> None:
        """A document that does not come, or that nobody understands."""
        self.frontier.failed(url, said)
        await self.enqueued([], Document(url, kind, status, error=said), look)

    async def enqueued(self, links: list[Link], document: Document, look: Look | None) -> None:
        """Put what a document named into the frontier, together with how it was fetched."""
        offered = await self.frontier.enqueue(links, document, self.source.max_pending)
        self.note_left_out(document.url, offered)
        if look is not None:
            look.named_new = look.named_new or offered.new > 0
        self.document_ended(document.url, look)

    def note_left_out(self, url: str, offered: Offered) -> None:
        if offered.left_out or offered.displaced:
            self.note(
                f"{url}: left_out: {self.source.max_pending} pages wait already (max_pending); "
                f"{offered.left_out} new ones were left out, {offered.displaced} older ones gave their place to newer"
            )

    def document_ended(self, url: str, look: Look | None) -> None:
        """A document was read, or will not come: it may be asked for again."""
        self.asking.discard(urls.url_key(urls.normalise(url)))
        if look is not None:
            self.look_went_on(look)

    def look_went_on(self, look: Look) -> None:
        """One thing less to wait for in a look. At its end, a 304 is doubted where another document named new pages."""
        look.open -= 1
        if look.open or not look.named_new:
            return
        doubted, look.unmodified = look.unmodified, []
        for kind, url, state in doubted:
            self.crawler.engine.crawl(self._document_request(kind, url, look, state, full_look="suspicious"))

    def note(self, said: str) -> None:
        """A part of a document, or of an article, cannot be used."""
        if frontier := frontier_of(self.crawler):
            frontier.note(said)
        else:
            log.info("%s: %s", self.name, said)


def kind_of(meta: Mapping[str, Any]) -> DocumentKind:
    """What a request asked for; what a spider of the user's own asks for without a word counts as a section page."""
    kind: Any = meta.get("kind")
    return cast("DocumentKind", kind) if kind in ("feed", "sitemap", "section") else "section"


def logged(url: str, failure: Failure) -> Failure:
    if failure.unexpected is not None:
        log.error("%s: %s", url, failure.detail, exc_info=failure.unexpected)
    return failure


def is_stale(known: Validators, now: datetime) -> bool:
    """Whether a document is to be asked for unconditionally although there are validators."""
    return known.not_modified_in_a_row >= MOST_NOT_MODIFIED or now - known.checked_at > LONGEST_NOT_ASKED


def fresh_for(response: Response, ttl: int | None = None) -> int | None:
    """Seconds for which a new look brings nothing, by Cache-Control and by the feed's *ttl* (minutes), up to a day."""
    stated = header(response, "Cache-Control") or ""
    match = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", stated, re.I)
    seconds = 0 if match is None or re.search(r"no-(?:cache|store)", stated, re.I) else int(match[1])
    age = header(response, "Age") or ""
    if seconds and age.isascii() and age.isdigit() and len(age) < 10:
        seconds = max(0, seconds - int(age))
    return min(max(seconds, 60 * (ttl or 0)), 86_400) or None


def header(response: Response, name: str | bytes) -> str | None:
    values = response.headers.getlist(name)
    return b", ".join(values).decode("latin-1") if values else None
