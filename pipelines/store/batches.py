"""One writer for all that a process wants to keep: what comes within a few milliseconds goes into one transaction."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import psycopg

from pipelines import database
from pipelines.store import near_duplicates, searching, writing
from pipelines.store.connections import Connections
from pipelines.store.models import PageOutcome
from pipelines.store.row_mapping import Item

log = logging.getLogger(__name__)

MOST = 100  # items in a transaction; more gains nothing, and a bad one costs more to find
PAUSE = 0.004  # seconds after the last item in which another is waited for, where they come one by one ...
LONGEST_PAUSE = 0.128  # ... and where they come in numbers: a transaction costs as much as the rows of three items
LONGEST_WAIT = 1.0  # seconds that the first item waits at most, however close the others follow
ENOUGH = 32  # items that wait for no others
LONG = 20.0  # seconds; who gives up after that has waited for a lock or for a database that is away
TIDY_AFTER = 400  # items; the search index's list of new rows then has some megabytes, which a search reads through

Refuse = Callable[[Item, str], Awaitable[PageOutcome]]


class Batches:
    """``save`` returns when the item's transaction is committed. *refuse* records an item that cannot be stored."""

    def __init__(self, connections: Connections, refuse: Refuse):
        self._connections = connections
        self._refuse = refuse
        self._waiting: asyncio.Queue[tuple[Item, asyncio.Future[PageOutcome]] | None] = asyncio.Queue()
        self._written_since_tidying = 0
        self._tidying: asyncio.Task[None] | None = None
        self._pause = PAUSE
        self._is_enough = asyncio.Event()
        self._writer = asyncio.create_task(self._write_all())

    async def save(self, item: Item) -> PageOutcome:
        if self._writer.done():
            raise RuntimeError("the store is closed")
        future: asyncio.Future[PageOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((item, future))
        if self._waiting.qsize() >= ENOUGH - 1:  # the first one is out of the queue
            self._is_enough.set()
        return await future

    async def close(self) -> None:
        """Write what is waiting, then end."""
        self._waiting.put_nowait(None)
        self._is_enough.set()
        await self._writer
        if self._tidying is not None:
            await self._tidying

    async def _write_all(self) -> None:
        going_on = True
        try:
            while going_on:
                batch, going_on = await self._next_batch()
                if batch:
                    await self._write(batch)
        finally:  # cancelled: nobody may wait for ever for a writer that is no more
            while not self._waiting.empty():
                if entry := self._waiting.get_nowait():
                    entry[1].cancel()

    async def _next_batch(self) -> tuple[list[tuple[Item, asyncio.Future[PageOutcome]]], bool]:
        first = await self._waiting.get()
        if first is None:
            return [], False
        await self._wait_for_others()
        batch = [first]
        while len(batch) < MOST and not self._waiting.empty():
            entry = self._waiting.get_nowait()
            if entry is None:
                return batch, False
            batch.append(entry)
        self._pause = min(self._pause * 2, LONGEST_PAUSE) if len(batch) > 1 else max(self._pause / 2, PAUSE)
        return batch, True

    async def _wait_for_others(self) -> None:
        """Until nothing has come for a while: who waits for the items that wait here brings no others."""
        until = time.monotonic() + LONGEST_WAIT
        before = -1
        self._is_enough.clear()
        while before < self._waiting.qsize() < ENOUGH - 1 and time.monotonic() < until:
            before = self._waiting.qsize()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._is_enough.wait()

    async def _write(self, batch: Sequence[tuple[Item, asyncio.Future[PageOutcome]]]) -> None:
        try:
            outcomes = await self._written([item for item, _ in batch])
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):  # it is not lost: whoever waits gets it
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._written_since_tidying += len(batch)
        if self._written_since_tidying >= TIDY_AFTER and (self._tidying is None or self._tidying.done()):
            self._written_since_tidying = 0
            self._tidying = asyncio.create_task(self._tidy())

    async def _tidy(self) -> None:
        """What makes indexes small and quick again: beside the writing, on a connection of its own."""
        for work in (searching.flush, near_duplicates.compact):
            try:
                await self._connections.run(work)
            except (psycopg.Error, database.DatabaseError) as error:  # nothing is lost; the next time will do it
                log.warning("tidying the indexes: %s", database.safe_text(error, self._connections.dsn))

    async def _written(self, items: list[Item]) -> list[PageOutcome | Exception]:
        """The outcome of each item, or what kept it from one."""
        begun = time.monotonic()
        try:
            return list(await self._connections.run(lambda connection: writing.write(connection, items)))
        except database.DatabaseError as error:
            if time.monotonic() - begun > LONG:
                self._give_up_waiting(error)
            return [error] * len(items)  # it would meet each of them
        except Exception as error:  # noqa: BLE001 - of one item it is told or returned
            if len(items) > 1:
                # one bad row never costs its batch: each alone, and only the bad one is refused
                return [(await self._written([item]))[0] for item in items]
            return [await self._of_one(items[0], error)]

    def _give_up_waiting(self, error: database.DatabaseError) -> None:
        """Whoever has come meanwhile has waited as well: the same trouble, and not as long a wait once more."""
        for _ in range(self._waiting.qsize()):
            entry = self._waiting.get_nowait()
            if entry is None:
                self._waiting.put_nowait(None)  # the end stays the end
            elif not entry[1].done():
                entry[1].set_exception(error)

    async def _of_one(self, item: Item, error: Exception) -> PageOutcome | Exception:
        """Refuse an item for what lies in its own row; any other error is not its fault and comes back."""
        if not database.may_be_of_the_row(error):
            return error
        message = database.safe_text(error, self._connections.dsn)
        try:
            await self._connections.run(lambda connection: writing.try_plain_row(connection, item))
        except database.DatabaseError as trouble:
            return trouble
        except (psycopg.Error, ValueError, TypeError) as same:
            # not even a row in which nothing can be wrong: a column without a value, a constraint, another encoding
            said = database.safe_text(same, self._connections.dsn)
            return database.DatabaseError(f"{database.shown(self._connections.dsn)}: no article can be stored: {said}")
        log.error("%s cannot be stored: %s", item.page_url[:200], message)
        try:
            return await self._refuse(item, message)
        except Exception as trouble:  # noqa: BLE001 - it comes back
            return trouble
