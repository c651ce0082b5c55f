"""A crawl that is told to end."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from crawler.downloader.errors import ShutdownError
from crawler.shutdown import Held, Shutdown


async def test_what_waits_ends_at_once_and_what_is_in_progress_may_finish():
    shutdown, begun, go_on = Shutdown(), asyncio.Event(), asyncio.Event()

    async def waiting() -> str:
        await asyncio.Event().wait()
        return "never"

    async def working() -> str:
        with shutdown.in_progress():
            begun.set()
            await go_on.wait()
            return "done"

    waits = asyncio.ensure_future(shutdown.run(waiting()))
    works = asyncio.ensure_future(shutdown.run(working()))
    await begun.wait()
    stopped = asyncio.ensure_future(shutdown.stop(within=30))
    with pytest.raises(ShutdownError):
        await waits
    go_on.set()
    assert await works == "done"
    await stopped
    await shutdown.settled()


async def test_nothing_begins_any_more_once_the_crawl_is_ending():
    shutdown = Shutdown()
    await shutdown.stop()

    async def work() -> None:
        raise AssertionError("it has begun")

    with pytest.raises(ShutdownError):
        await shutdown.run(work())


async def test_what_may_finish_as_a_whole_is_let_finish():
    shutdown, begun, go_on = Shutdown(), asyncio.Event(), asyncio.Event()

    async def working() -> str:
        begun.set()
        await go_on.wait()
        return "done"

    works = asyncio.ensure_future(shutdown.run(working(), may_finish=True))
    await begun.wait()
    stopped = asyncio.ensure_future(shutdown.stop(within=30))
    await asyncio.sleep(0)
    go_on.set()
    assert await works == "done"
    await stopped


async def test_what_is_in_progress_too_long_is_given_up():
    shutdown, begun = Shutdown(), asyncio.Event()

    async def working() -> None:
        begun.set()
        await asyncio.Event().wait()

    works = asyncio.ensure_future(shutdown.run(working(), may_finish=True))
    await begun.wait()
    await shutdown.stop(within=0)
    with pytest.raises(ShutdownError):
        await works


async def test_work_that_fails_keeps_nothing_in_memory():
    """What it was about is free at once, and not when the next full garbage collection comes."""

    class Page:
        pass

    async def refused(page: Page) -> None:
        await asyncio.sleep(0)
        raise ValueError(page)

    async def asked(shutdown: Shutdown) -> weakref.ref[Page]:
        page = Page()
        with suppress(ValueError):
            await shutdown.run(refused(page))
        return weakref.ref(page)

    gc.disable()
    try:
        page = await asked(Shutdown())
        await asyncio.sleep(0)  # the loop itself lets go of the task
        assert page() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_what_is_held_is_left_in_order_by_whoever_leaves_it_and_where_all_tasks_are_cancelled(is_cancelled):
    left = []

    @asynccontextmanager
    async def inner() -> AsyncIterator[str]:
        try:
            yield "open"
        finally:
            await asyncio.sleep(0)
            left.append("inner")

    @asynccontextmanager
    async def outer() -> AsyncIterator[str]:
        async with inner() as value:
            yield value
        left.append("outer, in order")

    held, before = Held(outer()), asyncio.all_tasks()
    assert await held.__aenter__() == "open"
    (task,) = asyncio.all_tasks() - before
    if is_cancelled:
        task.cancel()
        await asyncio.wait([task])
        assert left == ["inner"] and task.cancelled()
    else:
        await held.__aexit__()
        assert left == ["inner", "outer, in order"]


async def test_what_cannot_be_entered_says_why():
    @asynccontextmanager
    async def closed() -> AsyncIterator[None]:
        raise ValueError("no database")
        yield

    with pytest.raises(ValueError, match="no database"):
        async with Held(closed()):
            pytest.fail("it was entered")
