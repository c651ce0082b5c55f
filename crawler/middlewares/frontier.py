"""Links that a callback yields go to the frontier in Postgres, not to Scrapy's queue in memory."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.discovery import DiscoveryError
from crawler.downloader.errors import ShutdownError
from crawler.frontier import Frontier, frontier_of
from crawler.spiders.news import NewsSpider
from pipelines.article_item import ArticleItem
from pipelines.database import DatabaseError
from pipelines.item_pipelines import InfrastructureError
from pipelines.items import Link, Reason, Rejected
from pipelines.store import FrontierEntry
from pipelines.workers import ReadersUnavailable

log = logging.getLogger(__name__)

DOCUMENTS = ("feed", "sitemap", "section")


class FrontierMiddleware:
    """A spider middleware. ``Link``s, and requests for ``parse_article``, become entries of the frontier: all of one
    response in one transaction, together with how its document was fetched. They are fetched when they are claimed from
    there, also by a later run, and only if they are not known. Everything else goes on as it is.

    Where nothing is stored (``scrapy parse``), a link becomes a request.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierMiddleware:
        return cls(crawler)

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        spider, frontier = self.crawler.spider, frontier_of(self.crawler)
        if not isinstance(spider, NewsSpider) or frontier is None:
            async for one in result:
                yield as_request(one, spider)
            return
        links: list[Link] = []
        page = response.meta.get("page_url")
        has_item = False
        try:
            async for one in result:
                if (link := as_link(one, response, spider)) is not None:
                    links.append(link)
                    continue
                has_item = has_item or isinstance(one, ArticleItem)
                yield one if page is not None else as_place(one, spider)
        except (DatabaseError, InfrastructureError, ReadersUnavailable):
            raise
        except Exception as error:
            if not await self._failed(frontier, spider, response, error):
                raise
            return
        if page is None:
            await self._enqueue(spider, response, links)
        elif not has_item and frontier.is_in_flight(page):
            await frontier.reject(page, Reason.EMPTY, "the spider made no article of it", status=response.status)

    async def _enqueue(self, spider: NewsSpider, response: Response, links: list[Link]) -> None:
        if not links and response.meta.get("kind") not in DOCUMENTS:
            return
        document = response.meta.get("document") or spider.document(response)
        await spider.enqueued(links, document, response.meta.get("look"))

    async def _failed(self, frontier: Frontier, spider: NewsSpider, response: Response, error: Exception) -> bool:
        """Record what went wrong with a response; False where it is a mistake that belongs into the log as well."""
        is_known = isinstance(error, DiscoveryError | Rejected | ShutdownError)
        said = str(error) if is_known else f"{type(error).__name__}: {error}".split("\n", 1)[0][:200]
        url = response.meta.get("page_url")
        if url is not None:
            if isinstance(error, ShutdownError):
                frontier.released(url)
            else:
                await frontier.reschedule(url, said)
        elif isinstance(error, ShutdownError):
            spider.document_ended(response.meta.get("document_url", response.url), response.meta.get("look"))
        else:
            document = spider.document(response)
            look = response.meta.get("look")
            await spider.document_unusable(document.url, document.kind, look, said, response.status)
        return is_known


def as_request(one: Any, spider: Spider | None) -> Any:
    """What a callback yielded where nothing is stored: of a link, a request for its page."""
    if isinstance(one, Link) and isinstance(spider, NewsSpider):
        return spider.article_request(FrontierEntry(one.url, one.hint))
    return one


def as_place(one: Any, spider: NewsSpider) -> Any:
    """What the callback of a list yielded: a request is for a place to look at, and fails as those of the file do."""
    if isinstance(one, Request) and one.errback is None:
        one.errback = spider.failed
    return one


def as_link(one: Any, response: Response, spider: NewsSpider) -> Link | None:
    """What a callback yielded, as a link for the frontier; None where it is none."""
    if isinstance(one, Link):
        return one
    if isinstance(one, Request) and one.callback == spider.parse_article and "page_url" not in one.meta:
        return Link(one.url, response.url)
    return None
