"""How a crawl ends when it is told to: what waits ends at once, what is in progress has some seconds to finish."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from scrapy.crawler import Crawler

from crawler.downloader.errors import ShutdownError

T = TypeVar("T")


class Shutdown:
    """One object a crawl. Work that is given up ends with ShutdownError, so its page stays pending."""

    def __init__(self) -> None:
        self.stopping = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._in_progress: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await *work*, which ends early where the crawl does. Raises ShutdownError."""
        if self.stopping:
            work.close()
            raise ShutdownError("the crawl is ending")
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await task
        except asyncio.CancelledError:
            if task.cancelled() and self.stopping:
                raise ShutdownError("the crawl is ending") from None
            task.cancel()
            raise
        finally:
            # The task has the exception, the exception this frame: together they would keep the page in memory.
            del task

    async def outlasting(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What *ask* gives, also where it waits for what another crawl asked for and that crawl ends: then it asks
        itself. Raises ShutdownError where this crawl ends."""
        while True:
            try:
                return await ask()
            except ShutdownError:
                if self.stopping:
                    raise

    @contextmanager
    def in_progress(self) -> Iterator[None]:
        """What the running task does within this block is let finish, up to the grace of ``stop``."""
        task = asyncio.current_task()
        assert task is not None
        self._in_progress.add(task)
        try:
            yield
        finally:
            self._in_progress.discard(task)

    async def settled(self) -> None:
        """Wait for all work that has begun."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
            await asyncio.sleep(0)

    async def stop(self, within: float = 0.0) -> None:
        """Take no new work, give up what waits, and after *within* seconds everything."""
        self.stopping = True
        for task in self._tasks - self._in_progress:
            task.cancel()
        if busy := self._tasks & self._in_progress:
            await asyncio.wait(busy, timeout=within)
        for task in set(self._tasks):
            task.cancel()


def shutdown_of(crawler: Crawler) -> Shutdown:
    """The crawl's own; made when it is first asked for."""
    found = getattr(crawler, "shutdown", None)
    if not isinstance(found, Shutdown):
        found = Shutdown()
        setattr(crawler, "shutdown", found)  # noqa: B010  Scrapy's class does not declare it
    return found
