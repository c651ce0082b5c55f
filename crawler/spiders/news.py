"""The one spider that serves every source file: discovery documents, then the pages they named.

A spider of your own for one source is a subclass; docs/adding-a-source.md shows one. It overrides ``links``,
``parse_section`` or ``parse_article``, and everything else (frontier, robots.txt, archive, store) stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure as TwistedFailure

from crawler.config import Configuration
from crawler.downloader.body import BodySlot
from crawler.downloader.errors import NotModified, ShutdownError, failure_reason
from crawler.frontier import frontier_of
from crawler.middlewares.render import rendered
from crawler.middlewares.rights import headers_in, statements_of
from crawler.shutdown import shutdown_of
from crawler.spiders.base import ArgumentError
from crawler.spiders.documents import DocumentSpider, header, logged
from pipelines import urls
from pipelines.article_item import ArticleItem
from pipelines.database import DatabaseError
from pipelines.item_pipelines import InfrastructureError, reading
from pipelines.items import Article, Page, Part, Reason, Rejected
from pipelines.reading.rules import Rules
from pipelines.store import FrontierEntry
from pipelines.workers import ReadersUnavailable, ReadPage

log = logging.getLogger(__name__)

#: what this machine cannot do for any page now: it stops the run
TROUBLE = (DatabaseError, InfrastructureError, ReadersUnavailable)
#: so often a page whose later pages do not come is tried again; then it is kept as far as it came
ATTEMPTS_FOR_ALL_PAGES = 3


class NewsSpider(DocumentSpider):
    """One run of one source. ``name`` is the source's, ``source`` its file."""

    ARGUMENTS: ClassVar[dict[str, str]] = {
        "url": "crawl this one address, known or not, and look for no others",
        "pages": "fetch at most so many pages",
        "discover": "look at these only: feeds, sitemaps, sections (a list with commas), or none",
    }
    url: str | None = None
    pages: str | None = None
    discover: str = "feeds,sitemaps,sections"

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.most_pages = whole_number(self.pages, "pages") if self.pages is not None else None
        self.places = [word.strip() for word in self.discover.split(",") if word.strip() not in ("", "none")]
        for word in self.places:
            if word not in ("feeds", "sitemaps", "sections"):
                raise ArgumentError(f"discover={word!r}: expected feeds, sitemaps, sections or none")

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """The source's own settings, under those that ``custom_settings`` of a subclass sets."""
        from crawler.addon import source_settings

        configuration = getattr(cls, "configuration", None)
        if isinstance(configuration, Configuration) and cls.name in configuration.sources:
            for name, value in source_settings(configuration.sources[cls.name], settings).items():
                settings.set(name, value, priority="spider")
        super().update_settings(settings)

    async def start(self) -> AsyncIterator[Any]:
        """Requests for the source's discovery documents, then those for pages, as they come from the frontier."""
        if self.url is not None:
            yield self.article_request(FrontierEntry(urls.normalise(self.url)))
            return
        async for request in self.document_requests():
            yield request
        most = self.most_pages or self.configuration.settings.limits.pages_per_run
        async for entry in self.frontier.entries(most, self.at_once):
            before = self.frontier.recovered.pop(urls.url_key(urls.normalise(entry.url)), None)
            if before is not None and not entry.recheck:
                archived, page = before
                yield self.item(replace(page, hint=entry.hint), await self.rules_for(entry), archived=archived)
            else:
                yield self.article_request(entry)

    def at_once(self) -> int:
        """How many pages may be in flight. Some that are hard to read do not hold up those behind them."""
        at_once = self.settings.getint("CONCURRENT_REQUESTS")
        return 2 * at_once + min(self.services.readers.reading_exclusively(self.name), at_once)

    # --- pages -------------------------------------------------------------------------------------------------------

    def article_request(self, entry: FrontierEntry) -> Request:
        """A request for an article's page. A page that is stored already is asked for on a condition."""
        return Request(
            urls.normalise(entry.url, keep_tracking=True),
            callback=self.parse_article,
            errback=self.failed,
            cb_kwargs={"entry": entry},
            meta={
                "kind": "page",
                "page_url": entry.url,
                "validators": (entry.etag, entry.last_modified) if self.may_ask_conditionally(entry) else None,
            },
            dont_filter=True,
        )

    def may_ask_conditionally(self, entry: FrontierEntry) -> bool:
        return entry.recheck and self.source.fetch.conditional

    async def parse(self, response: Response, **kwargs: Any) -> AsyncIterator[Any]:
        """What ``scrapy parse URL`` shows: the links of a discovery document, else the article."""
        named = {urls.normalise(url): kind for kind, url in self.documents()}
        kind = named.get(urls.normalise(response.url))
        if kind is not None:
            response.meta["kind"] = kind
            async for found in getattr(self, f"parse_{kind}")(response):
                yield found
            return
        async for item in self.parse_article(response):
            if isinstance(item, ArticleItem) and item.article is None:
                item.was_read(await self.services.readers.read_page(item.page, item.rules))
            yield item

    async def parse_article(self, response: Response, entry: FrontierEntry | None = None) -> AsyncIterator[Any]:
        """The page with its further pages, as an item for the pipelines, which read and store it.

        Override it to change the page before it is read, or to give the item an article that you have read yourself.
        """
        entry = entry or FrontierEntry(response.url)
        try:
            item = await self.article_item(response, entry)
            if self.settings["RENDER"] == "when_empty" and await self.is_empty(item):
                item = await self.article_item(await rendered(self.crawler, response), entry)
        except Exception as error:
            if isinstance(error, TROUBLE) or failure_reason(error).unexpected is not None:
                raise
            await self.page_failed(entry.url, error)  # a further page did not come: the article comes again as a whole
            return
        yield item

    async def is_empty(self, item: ArticleItem) -> bool:
        """Whether a page shows nothing without its scripts. One that shows an article has been read by that."""
        try:
            item.was_read(await shutdown_of(self.crawler).run(reading(item, self.services.readers)))
        except Rejected as rejected:
            return rejected.reason in (Reason.EMPTY, Reason.JAVASCRIPT_SHELL, Reason.NO_TITLE)
        return False

    async def article_item(
        self, response: Response, entry: FrontierEntry | None = None, article: Article | None = None
    ) -> ArticleItem:
        """The item for a response; *article* where it was read already."""
        entry = entry or FrontierEntry(response.url)
        page = Page(
            url=response.url,
            source=self.name,
            body=response.body,
            fetched_at=response.meta.get("fetched_at") or datetime.now(UTC),
            content_type=header(response, "Content-Type") or "text/html",
            status=response.status,
            asked_url=entry.url,
            hint=entry.hint,
            statements=statements_of(response),
        )
        rules = await self.rules_for(entry)
        found = await self.first_look(page, rules) if article is None and self.source.max_pages > 1 else None
        if isinstance(found, str):
            more = await self.further_pages(page, entry, rules, found, response.meta.get("body_slot"))
            page, found = replace(page, more=more), None
        return self.item(
            page,
            rules,
            article=article,
            first_look=(page, rules, found) if found else None,
            headers={name: ", ".join(values) for name, values in headers_in(response)},
            etag=header(response, "ETag"),
            last_modified=header(response, "Last-Modified"),
            body_slot=response.meta.get("body_slot"),
        )

    def item(self, page: Page, rules: Rules, **more: Any) -> ArticleItem:
        frontier = frontier_of(self.crawler)
        item = ArticleItem(page, rules, run=frontier.run if frontier else None, **more)
        item.hold(self.services.in_flight_bytes.of(self.name))
        return item

    async def rules_for(self, entry: FrontierEntry) -> Rules:
        """An article is looked at again with the site model with which it was read: only the site's changes count."""
        rules: Rules | None = getattr(self, "rules", None)
        if rules is None:
            rules = self.rules = self.services.derived.rules(self.name)
        if entry.site_model is None or entry.site_model == rules.site_model.state:
            return rules
        return self.services.derived.rules(self.name, await self.services.site_model(self.name, entry.site_model))

    async def first_look(self, page: Page, rules: Rules) -> ReadPage | Rejected | str:
        """Where the article goes on, or what it is where it does not; what is wrong with it waits for the archive."""
        first = self.services.readers.read_or_continue(page, rules)
        try:
            return await shutdown_of(self.crawler).run(first, may_finish=True)
        except Rejected as rejected:
            return Rejected(rejected.reason, rejected.detail)  # without the places where it was raised, and their pages

    async def further_pages(
        self, page: Page, entry: FrontierEntry, rules: Rules, second: str, slot: BodySlot | None
    ) -> tuple[Part, ...]:
        """Pages 2, 3, ... of the article: as long as each names the next, no address twice, up to the source's cap.

        All of them together may be as large as one page may be, and the last goes beyond that.
        """
        parts: list[Part] = []
        size, largest = len(page.body), self.settings.getint("DOWNLOAD_MAXSIZE")
        seen = {urls.url_key(urls.normalise(url)) for url in (page.url, entry.url)}
        following: str | None = second
        while following is not None and len(parts) + 1 < self.source.max_pages and size < largest:
            if (key := urls.url_key(urls.normalise(following))) in seen:
                break
            seen.add(key)
            request = Request(following, meta={"kind": "page", "body_slot": slot or BodySlot()}, dont_filter=True)
            try:
                response = await self.crawler.engine.download_async(request)
            except TROUBLE:
                raise
            except Exception as error:
                failure = failure_reason(error)
                if failure.transient and entry.attempts + 1 < ATTEMPTS_FOR_ALL_PAGES:
                    raise  # the article comes again as a whole
                self.note(f"{following}, a further page of {entry.url}: {failure.detail}")
                break
            last = Part(response.url, response.body, header(response, "Content-Type") or "text/html")
            parts.append(last)
            size += len(last.body)
            following = await self.next_page(last, len(parts) + 1, rules)
        return tuple(parts)

    async def next_page(self, last: Part, number: int, rules: Rules) -> str | None:
        """The address of the page after *last*, which is page *number* of its article."""
        try:
            return await shutdown_of(self.crawler).run(self.services.parsing.next_page(last, number, rules, self.name))
        except Rejected as error:  # the page itself will come to the same end, and be told of it
            self.note(f"{last.url}, page {number} of an article: {error}")
            return None

    # --- what does not come ------------------------------------------------------------------------------------------

    async def failed(self, failure: TwistedFailure) -> None:
        """The errback of every request: what has not changed, and what cannot be had, now or ever."""
        request: Request = failure.request  # type: ignore[attr-defined]
        error: BaseException = failure.value  # type: ignore[assignment]
        if isinstance(error, asyncio.CancelledError):  # all tasks are, and the store is being closed
            error = ShutdownError("the crawl is ending")
        if slot := request.meta.get("body_slot"):
            slot.release()
        if isinstance(error, TROUBLE):
            raise InfrastructureError(str(error)) from error  # RunExtension stops a run that this machine cannot do
        if frontier_of(self.crawler) is None:
            failure.raiseException()  # `scrapy parse` says it
        if (page := request.meta.get("page_url")) is not None:
            await self.page_failed(page, error)
        else:
            await self.document_failed(request, error)

    async def page_failed(self, url: str, error: BaseException) -> None:
        frontier = frontier_of(self.crawler)
        if frontier is None:
            raise error
        if isinstance(error, NotModified):
            await frontier.unmodified(url)
        elif isinstance(error, ShutdownError):
            frontier.released(url)  # nothing was asked: the page stays pending as it was
        else:
            await frontier.fetch_failed(url, logged(url, failure_reason(error)))


def whole_number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentError(f"{name}={text!r}: expected a whole number from 1 on")
    return int(text)
