"""Scrapy's item pipelines: archive, read, store. A page that is no article is dropped, with its reason.

- *archive* writes the page to the WARC file, before anything can go wrong with it;
- *read* makes an article of it in a reader process;
- *store* stores the article: new, a new version, unchanged, or a copy.

What they raise says how a page ends. ``RejectedItem`` is the page's own fault and final. ``InfrastructureError`` is
trouble of the machine (a full disk, no database, no reader process), which would meet the next page too: the run stops,
and all its pages stay pending. The outcome of a page is recorded in the database, not in Scrapy's statistics.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from pipelines.archive import Archive
from pipelines.article_item import ArticleItem
from pipelines.database import DatabaseError
from pipelines.items import Reason, Rejected
from pipelines.store import Store
from pipelines.workers import ReaderPool, ReadersUnavailable, ReadPage

T = TypeVar("T")


class InfrastructureError(Exception):
    """What keeps this machine from ending any page now. The message is for a person."""


class RejectedItem(DropItem):
    """A page that is no article: *reason* from the fixed list, *detail* for a person."""

    def __init__(self, reason: Reason, detail: str = ""):
        super().__init__(f"{reason}: {detail}" if detail else str(reason), log_level="DEBUG")
        self.reason = reason
        self.detail = detail


class Services(Protocol):
    """What the steps need of a process; ``crawler.services`` has it."""

    @property
    def archive(self) -> Archive | None: ...
    @property
    def archive_lock(self) -> asyncio.Lock: ...
    @property
    def readers(self) -> ReaderPool: ...
    @property
    def is_durable(self) -> bool: ...
    @property
    def store(self) -> Store: ...


class Shutdown(Protocol):
    """``crawler.shutdown``: work that ends early where the crawl does."""

    async def run(self, work: Coroutine[Any, Any, T], *, may_finish: bool = False) -> T: ...


async def archive(item: ArticleItem, services: Services) -> ArticleItem:
    """Write the page to the archive, unless it came from there or there is none. InfrastructureError: the disk."""
    to = services.archive
    if to is None or item.archived is not None:
        return item
    if item.rules.rights.then != "record":  # what is reserved is not archived either, and the page may say so itself
        item = await read(item, services)
        if item.article is not None and item.article.text_withheld:
            return item

    lock = services.archive_lock
    await lock.acquire()  # one writer a file; compressing takes milliseconds, in which others go on
    try:
        writing = asyncio.get_running_loop().run_in_executor(None, to.save, item.page, item.headers)
    except BaseException:
        lock.release()
        raise
    # a thread cannot be stopped, and the next one must not begin in the middle of a record
    writing.add_done_callback(lambda _: lock.release())
    try:
        item.archived = await asyncio.shield(writing)
    except OSError as error:
        raise InfrastructureError(f"the archive in {to.folder} cannot be written: {error.strerror or error}") from error
    return item


async def read(item: ArticleItem, services: Services) -> ArticleItem:
    """Read the page, unless the spider has done so. Raises RejectedItem, InfrastructureError."""
    if item.article is not None:
        return item
    try:
        item.was_read(await reading(item, services.readers))
    except Rejected as rejected:
        raise RejectedItem(rejected.reason, rejected.detail) from rejected
    except ReadersUnavailable as error:
        raise InfrastructureError(str(error)) from error
    return item


async def reading(item: ArticleItem, readers: ReaderPool) -> ReadPage:
    """What the first look found, where the item still has that page and those rules. Raises Rejected,
    ReadersUnavailable."""
    page, rules, found = item.first_look or (None, None, None)
    if found is None or page is not item.page or rules is not item.rules:
        return await readers.read_page(item.page, item.rules)
    if isinstance(found, Rejected):
        # a new one: an exception remembers where it was raised, and so would keep the item that keeps it
        raise Rejected(found.reason, found.detail)
    return found


async def store(item: ArticleItem, services: Services) -> ArticleItem:
    """Store the article. Raises RejectedItem where it cannot be stored, InfrastructureError."""
    if item.run is None or item.article is None or not services.is_durable:
        return item
    if item.after is not None:
        await item.after.wait()
    try:
        item.outcome = await services.store.save_article(
            item.run,
            item.page,
            item.article,
            item.archived,
            etag=item.etag,
            last_modified=item.last_modified,
            ms=item.ms,
            features=item.own_features,
            queued=item.handed_over,
        )
    except Rejected as rejected:
        raise RejectedItem(rejected.reason, rejected.detail) from rejected
    except DatabaseError as error:
        raise InfrastructureError(str(error)) from error
    if item.outcome.kind == "rejected":
        raise RejectedItem(item.outcome.reason or Reason.UNSTORABLE, item.outcome.detail or "")
    return item


class _Pipeline:
    """One step as Scrapy calls it. Items of other kinds pass: a spider of your own may yield what it likes."""

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> _Pipeline:
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        if not isinstance(item, ArticleItem):
            return item
        shutdown: Shutdown = self.crawler.shutdown  # type: ignore[attr-defined]
        services: Services = self.crawler.services  # type: ignore[attr-defined]
        return await shutdown.run(self.step(item, services), may_finish=True)

    async def step(self, item: ArticleItem, services: Services) -> ArticleItem:
        raise NotImplementedError


class ArchivePipeline(_Pipeline):
    async def step(self, item: ArticleItem, services: Services) -> ArticleItem:
        return await archive(item, services)


class ReadPipeline(_Pipeline):
    async def step(self, item: ArticleItem, services: Services) -> ArticleItem:
        return await read(item, services)


class StorePipeline(_Pipeline):
    async def step(self, item: ArticleItem, services: Services) -> ArticleItem:
        return await store(item, services)
