"""One request outside a crawl: for ``nachlese read URL`` and ``nachlese sources check --fetch``.

It goes through Scrapy like any other: guard, robots.txt, bounds and pace are those of a crawl. Only nothing is
remembered, so that no database is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure as TwistedFailure

from crawler.config import REPLAY, Configuration, Source
from crawler.discovery import DiscoveryError, Kind
from crawler.discovery.links import LinkFilter
from crawler.downloader.errors import FetchError, failure_reason
from crawler.runs import SHUTDOWN_GRACE, scrapy_settings
from crawler.services import Services, close, give_services, in_memory
from crawler.spiders.documents import header
from crawler.spiders.news import NewsSpider
from pipelines import urls
from pipelines.items import Hint, Page, Reason, Rejected


@dataclass(frozen=True, slots=True)
class Look:
    """What a discovery document offers now: ``links`` to articles, or why there are none (``error``).

    ``names_sitemaps``: it is an index, and its ``links`` are sitemaps.
    """

    source: str
    kind: str
    url: str
    links: tuple[str, ...] = ()
    error: str | None = None
    names_sitemaps: bool = False


class SingleFetchSpider(NewsSpider):
    """Asks for each of *wanted*, (kind, url) pairs, and puts what came into *results* as (kind, url, result)."""

    name = "single_fetch"
    is_run: ClassVar[bool] = False
    ARGUMENTS: ClassVar[dict[str, str]] = {"wanted": "what to ask for", "results": "where what came is put"}
    wanted: Iterable[tuple[str, str]]
    results: asyncio.Queue[tuple[str, str, Response | BaseException] | None]

    async def start(self) -> AsyncIterator[Any]:
        for kind, url in self.wanted:
            meta = {"kind": kind, "url": url}
            try:
                request = Request(url, callback=self.came, errback=self.came_not, meta=meta, dont_filter=True)
            except ValueError:  # raised here, it would end the iteration, and the others would never be asked for
                self.results.put_nowait((kind, url, FetchError(Reason.BAD_URL, why_bad(url))))
            else:
                yield request

    def came(self, response: Response) -> None:
        self.results.put_nowait((response.meta["kind"], response.meta["url"], response))

    def came_not(self, failure: TwistedFailure) -> None:
        meta = failure.request.meta  # type: ignore[attr-defined]
        error: BaseException = failure.value  # type: ignore[assignment]
        if isinstance(error, FetchError):
            error.url = failure.request.url  # type: ignore[attr-defined]
        self.results.put_nowait((meta["kind"], meta["url"], error))

    @classmethod
    def of(cls, source: Source | None, configuration: Configuration) -> type[Spider]:
        """The spider with a source's settings; without a source, as settings.toml says and on the public web only."""
        name = source.name if source else cls.name
        return type(cls.__name__, (cls,), {"name": name, "configuration": configuration})


@asynccontextmanager
async def looking(configuration: Configuration) -> AsyncIterator[Services]:
    """Services in memory, closed at the end."""
    services = in_memory(configuration)
    try:
        yield services
    finally:
        await close(services)


async def fetched(
    services: Services, source: Source | None, wanted: Iterable[tuple[str, str]]
) -> AsyncIterator[tuple[str, str, Response | BaseException]]:
    """Each of *wanted*, (kind, url) pairs, with its response or the exception instead of it."""
    crawler = Crawler(SingleFetchSpider.of(source, services.configuration), scrapy_settings(services))
    give_services(crawler, services)
    results: asyncio.Queue[tuple[str, str, Response | BaseException] | None] = asyncio.Queue()
    crawl = asyncio.ensure_future(crawler.crawl_async(wanted=list(wanted), results=results))
    crawl.add_done_callback(lambda _: results.put_nowait(None))
    try:
        while (result := await results.get()) is not None:
            yield result
    finally:
        await asyncio.wait([crawl], timeout=SHUTDOWN_GRACE)
        crawl.cancel()
    crawl.result()


def why_bad(url: str) -> str:
    """What is wrong with an address of which Scrapy makes no request, in our own words."""
    try:
        urls.normalise(url)
    except urls.BadUrl as error:
        return str(error)
    return "the address cannot be asked for"


def source_of(url: str, configured: Configuration) -> Source | None:
    """The source whose homepage has the host and port of *url*; None too where that is no address."""
    try:
        place = urlsplit(url).netloc.lower()
    except ValueError:
        return None
    return next((one for one in configured.sources.values() if urlsplit(one.homepage).netloc.lower() == place), None)


async def page(url: str, name: str | None, configured: Configuration) -> Page:
    """The page at *url*, fetched now. Raises Rejected with the reason that a crawl would record."""
    source = configured.sources[name] if name else source_of(url, configured)
    async with looking(configured) as services:
        [(_, _, result)] = [one async for one in fetched(services, source, [("page", url)])]
        return page_of(or_rejected(result), source.name if source else REPLAY, url)


def page_of(response: Response, source: str, asked_url: str | None = None, hint: Hint | None = None) -> Page:
    """What came as a page of *source*, for the reader."""
    return Page(
        url=response.url,
        source=source,
        body=response.body,
        fetched_at=response.meta["fetched_at"],
        content_type=header(response, "Content-Type") or "text/html",
        status=response.status,
        asked_url=asked_url,
        hint=hint,
    )


async def looks(configured: Configuration, names: Sequence[str]) -> AsyncIterator[Look]:
    """One look at each feed, sitemap and section page of these sources."""
    async with looking(configured) as services:
        for name in names:
            source = configured.sources[name]
            discover = source.discover
            places = (("feed", discover.feeds), ("sitemap", discover.sitemaps), ("section", discover.sections))
            wanted = [(kind, url) for kind, urls in places for url in urls]
            async for kind, url, result in fetched(services, source, wanted):
                yield await look_of(services, source, cast("Kind", kind), url, result)


async def look_of(services: Services, source: Source, kind: Kind, url: str, result: Response | BaseException) -> Look:
    """Sitemaps that an index names are counted, not opened."""
    limits = services.configuration.settings.limits
    try:
        response = or_rejected(result)
        link_filter = LinkFilter.of(source, datetime.now(UTC), limits.sitemaps)
        content_type = header(response, "Content-Type") or ""
        found = await services.parsing.document(
            kind, response.body, content_type, response.url, link_filter, limits.document, source.name
        )
    except (Rejected, DiscoveryError) as error:
        return Look(source.name, kind, url, error=str(error))
    if not found.links and not found.sitemaps:
        return Look(source.name, kind, url, error="it names no article")
    links = tuple(link.url for link in found.links)
    return Look(source.name, kind, url, links or found.sitemaps, names_sitemaps=not links)


def or_rejected(result: Response | BaseException) -> Response:
    """The response, or Rejected with the reason that a crawl would record."""
    if isinstance(result, Response):
        return result
    failure = failure_reason(result)
    raise Rejected(failure.reason, failure.detail) from result
