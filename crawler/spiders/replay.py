"""Stored pages take every later step of live ones: archive, read, store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from crawler.files import Unreadable
from crawler.services import services_of
from crawler.spiders.base import RunSpider
from pipelines.article_item import ArticleItem
from pipelines.items import Page
from pipelines.store import Archived

#: pages on their way at a time: enough that no reader waits for the next one
AHEAD = 16


class ReplaySpider(RunSpider):
    """One run over *stored* pages, each with its place in the archive where it comes from there: read at the same time,
    stored one after the other in their order. Which of two equal texts is the copy must not be left to chance."""

    ARGUMENTS: ClassVar[dict[str, str]] = {"stored": "the pages, an iterator; only a program can give them"}
    stored: Iterator[Page | Unreadable | tuple[Archived, Page]]

    @property
    def run_source(self) -> str | None:
        return None

    async def start(self) -> AsyncIterator[Any]:
        frontier, services = self.frontier, services_of(self.crawler)
        before: asyncio.Event | None = None
        begun = 0
        while await frontier.has_room(begun, AHEAD):
            page = await asyncio.to_thread(next, self.stored, None)  # files are read in it
            if page is None:
                break
            if isinstance(page, Unreadable):
                await frontier.reject(page.url, page.reason, page.detail, source=page.source)
                continue
            archived, page = page if isinstance(page, tuple) else (None, page)
            rules, stored = await services.rules_for(page), asyncio.Event()
            yield ArticleItem(page, rules, run=frontier.run, archived=archived, after=before, handed_over=stored)
            before, begun = stored, begun + 1
        if await frontier.has_room(begun, 1):
            await frontier.settled()
