"""How a crawl ends when it is told to: what waits ends at once, what is in progress has some seconds to finish."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Generic, TypeVar

from scrapy.crawler import Crawler

from crawler.downloader.errors import ShutdownError

T = TypeVar("T")


class _Work:
    """A piece of work that has begun, within the task that awaits it."""

    __slots__ = ("_before", "_given_up", "_task", "ended", "in_progress", "outer")

    def __init__(self, task: asyncio.Task[Any], outer: _Work | None, may_finish: bool):
        self._task, self.outer = task, outer
        self._before = task.cancelling()
        self._given_up = False
        self.in_progress = int(may_finish)
        self.ended: asyncio.Future[None] | None = None

    def give_up(self) -> None:
        if not self._given_up:
            self._given_up = True
            self._task.cancel()

    def end(self) -> bool:
        """Whether it was given up, and the task is meant by no other cancellation."""
        if self.ended is not None and not self.ended.done():
            self.ended.set_result(None)
        return self._given_up and self._task.uncancel() <= self._before

    def end_of(self) -> asyncio.Future[None]:
        if self.ended is None:
            self.ended = asyncio.get_running_loop().create_future()
        return self.ended


class Shutdown:
    """One object a crawl. Work that is given up ends with ShutdownError, so its page stays pending.

    The work is a part of the task that awaits it, as with ``asyncio.timeout``: each page passes here several times, and
    a task of its own costs as much as what it does.
    """

    def __init__(self) -> None:
        self.stopping = False
        self._works: set[_Work] = set()
        self._of_task: dict[asyncio.Task[Any], _Work] = {}  # the innermost

    async def run(self, work: Coroutine[Any, Any, T], *, may_finish: bool = False) -> T:
        """Await *work*, which ends early where the crawl does. Raises ShutdownError.

        *may_finish*: once begun it is let finish, up to the grace of ``stop``. ``in_progress`` says so of a part of it.
        """
        if self.stopping:
            work.close()
            raise ShutdownError("the crawl is ending")
        task = asyncio.current_task()
        assert task is not None
        one = _Work(task, self._of_task.get(task), may_finish)
        self._works.add(one)
        self._of_task[task] = one
        is_cancelled = False
        try:
            return await work
        except asyncio.CancelledError:
            is_cancelled = True
            raise
        finally:
            self._works.discard(one)
            if one.outer is not None:
                self._of_task[task] = one.outer
            else:
                del self._of_task[task]
            if one.end() and is_cancelled:
                raise ShutdownError("the crawl is ending") from None

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
        """What ``run`` does within this block is let finish, up to the grace of ``stop``."""
        task = asyncio.current_task()
        assert task is not None
        one = self._of_task.get(task)
        if one is None:
            yield
            return
        one.in_progress += 1
        try:
            yield
        finally:
            one.in_progress -= 1

    async def settled(self) -> None:
        """Wait for all work that has begun."""
        while self._works:
            await asyncio.wait([one.end_of() for one in self._works])
            await asyncio.sleep(0)

    async def stop(self, within: float = 0.0) -> None:
        """Take no new work, give up what waits, and after *within* seconds everything."""
        self.stopping = True
        for one in list(self._works):
            if not one.in_progress:
                one.give_up()
        if busy := [one.end_of() for one in self._works if one.in_progress]:
            await asyncio.wait(busy, timeout=within)
        for one in list(self._works):
            one.give_up()


class Held(Generic[T]):
    """A context that is entered and left in a task of its own, for who enters it in one callback and leaves it in
    another. Where all tasks are cancelled (Ctrl-C twice), that is when it is left.

    Otherwise nobody would leave it, and asyncio at its end closes all generators at the same time: one within another
    is closed by both, which fails.
    """

    def __init__(self, context: AbstractAsyncContextManager[T]):
        self._context = context
        self._entered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()

    async def __aenter__(self) -> T:
        self._task = asyncio.create_task(self._hold())
        either: list[asyncio.Future[Any]] = [self._task, self._entered]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        if not self._entered.done():
            await self._task  # it raises
        return self._entered.result()

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._task

    async def _hold(self) -> None:
        async with self._context as value:
            self._entered.set_result(value)
            await self._over.wait()


def shutdown_of(crawler: Crawler) -> Shutdown:
    """The crawl's own; made when it is first asked for."""
    found = getattr(crawler, "shutdown", None)
    if not isinstance(found, Shutdown):
        found = Shutdown()
        setattr(crawler, "shutdown", found)  # noqa: B010  Scrapy's class does not declare it
    return found
