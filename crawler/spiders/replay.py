"""Stored pages take every later step of live ones: archive, read, store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from crawler.files import Unreadable, Wait
from crawler.services import services_of
from crawler.spiders.base import RunSpider
from pipelines.article_item import ArticleItem
from pipelines.items import Page
from pipelines.store import Archived

#: pages on their way at a time: enough that no reader waits for the next one
AHEAD = 16
#: pages that are taken together, the bytes after which no further one is, and seconds likewise: a page that had to be
#: waited for goes on at once
TOGETHER, MOST_BYTES, AT_ONCE = 8, 4_000_000, 0.02

Stored = Page | Unreadable | Wait | tuple[Archived, Page]


class ReplaySpider(RunSpider):
    """One run over *stored* pages, each with its place in the archive where it comes from there: read at the same time,
    stored one after the other in their order. Which of two equal texts is the copy must not be left to chance."""

    ARGUMENTS: ClassVar[dict[str, str]] = {"stored": "the pages, an iterator; only a program can give them"}
    stored: Iterator[Stored]

    @property
    def run_source(self) -> str | None:
        return None

    async def start(self) -> AsyncIterator[Any]:
        frontier, services = self.frontier, services_of(self.crawler)
        before: asyncio.Event | None = None
        begun, batches = 0, Batches(self.stored)
        while await frontier.has_room(begun, AHEAD):
            batch = await asyncio.to_thread(batches.take)  # files are read in it
            if not batch:
                break
            pages = [one for one in map(page_of, batch) if one is not None]
            rules = iter(await services.rules_for(*pages))
            for one in batch:
                if isinstance(one, Wait):
                    await asyncio.sleep(one.seconds)
                elif isinstance(one, Unreadable):
                    await frontier.reject(one.url, one.reason, one.detail, source=one.source)
                elif await frontier.has_room(begun, AHEAD):
                    archived, page = one if isinstance(one, tuple) else (None, one)
                    stored = asyncio.Event()
                    yield ArticleItem(
                        page, next(rules), run=frontier.run, archived=archived, after=before, handed_over=stored
                    )
                    before, begun = stored, begun + 1
        if await frontier.has_room(begun, 1):
            await frontier.settled()


def page_of(one: Stored) -> Page | None:
    """The page, where it is one."""
    if isinstance(one, tuple):
        return one[1]
    return one if isinstance(one, Page) else None


class Batches:
    """Takes a few of *stored* at a time. What is raised there is raised when the pages before it are on their way."""

    def __init__(self, stored: Iterator[Stored]):
        self._stored = stored
        self._raised: Exception | None = None

    def take(self) -> list[Stored]:
        """The next ones; none at the end."""
        if self._raised is not None:
            raise self._raised
        taken: list[Stored] = []
        begun, size = time.monotonic(), 0
        while len(taken) < TOGETHER and size < MOST_BYTES and time.monotonic() - begun < AT_ONCE:
            try:
                one = next(self._stored, None)
            except Exception as error:
                if not taken:
                    raise
                self._raised = error
                break
            if one is None:
                break
            taken.append(one)
            page = page_of(one)
            if page is None:
                break
            size += len(page.body) + sum(len(part.body) for part in page.more)
        return taken
