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

#: pages that are taken together, and stored in one transaction; twice as many wait for no others there (batches.ENOUGH)
TOGETHER = 16
#: the bytes after which no further one is taken with them, and seconds likewise: what had to be waited for goes on
MOST_BYTES, AT_ONCE = 4_000_000, 0.02
#: pages on their way at a time: enough that no reader waits for the next one
AHEAD = 3 * TOGETHER

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
            rules, together = iter(await services.rules_for(*pages)), Together(len(pages))
            for one in batch:
                if isinstance(one, Wait):
                    await asyncio.sleep(one.seconds)
                elif isinstance(one, Unreadable):
                    await frontier.reject(one.url, one.reason, one.detail, source=one.source, fetched_at=one.fetched_at)
                elif await frontier.has_room(begun, AHEAD):
                    archived, page = one if isinstance(one, tuple) else (None, one)
                    turn = Turn(before, together)
                    yield ArticleItem(page, next(rules), run=frontier.run, archived=archived, after=turn.after,
                                      handed_over=turn)  # fmt: skip
                    before, begun = turn, begun + 1
                else:
                    together.close()
        if await frontier.has_room(begun, 1):
            await frontier.settled()


class Together:
    """Pages of which none is stored before all of them were read: a transaction costs more than the rows of a page."""

    def __init__(self, pages: int):
        self._reading = pages
        self.are_read = asyncio.Event()

    def one_was_read(self) -> None:
        self._reading -= 1
        if not self._reading:
            self.are_read.set()

    def close(self) -> None:
        """No more of them will come."""
        self.are_read.set()


class Turn(asyncio.Event):
    """Set when a page is about to be stored, or will not be. ``after`` is what it waits for: those read with it, and
    the page *before* it."""

    def __init__(self, before: asyncio.Event | None, together: Together):
        super().__init__()
        self._before, self._together, self._was_read = before, together, False
        self.after = After(self)

    def set(self) -> None:
        self._note()
        super().set()

    def _note(self) -> None:
        if not self._was_read:
            self._was_read = True
            self._together.one_was_read()

    async def wait_for_others(self) -> None:
        """The page was read."""
        self._note()
        await self._together.are_read.wait()
        if self._before is not None:
            await self._before.wait()


class After:
    """What the page of a turn waits for."""

    def __init__(self, turn: Turn):
        self._turn = turn

    async def wait(self) -> object:
        await self._turn.wait_for_others()
        return True


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
