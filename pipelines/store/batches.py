"""One writer for all that a process wants to keep: what comes within a few milliseconds goes into one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import psycopg

from pipelines import database
from pipelines.store import copying, searching, writing
from pipelines.store.connections import Connections
from pipelines.store.preparing import Item
from pipelines.store.shapes import Ending

log = logging.getLogger(__name__)

MOST = 100  # items in a transaction; more gains nothing, and a bad one costs more to find
PAUSE = 0.004  # seconds that the first item waits for others
TIDY_AFTER = 400  # items; the search index's list of new rows then has some megabytes, which a search reads through

Refuse = Callable[[Item, str], Awaitable[Ending]]


class Batches:
    """``keep`` returns when the item's transaction is committed. *refuse* records an item that cannot be stored."""

    def __init__(self, connections: Connections, refuse: Refuse):
        self._connections = connections
        self._refuse = refuse
        self._waiting: asyncio.Queue[tuple[Item, asyncio.Future[Ending]] | None] = asyncio.Queue()
        self._written_since_tidying = 0
        self._tidying: asyncio.Task[None] | None = None
        self._writer = asyncio.create_task(self._write_all())

    async def keep(self, item: Item) -> Ending:
        if self._writer.done():
            raise RuntimeError("the store is closed")
        future: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((item, future))
        return await future

    async def close(self) -> None:
        """Write what is waiting, then end."""
        self._waiting.put_nowait(None)
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

    async def _next_batch(self) -> tuple[list[tuple[Item, asyncio.Future[Ending]]], bool]:
        first = await self._waiting.get()
        if first is None:
            return [], False
        batch = [first]
        if self._waiting.empty():
            await asyncio.sleep(PAUSE)
        while len(batch) < MOST and not self._waiting.empty():
            entry = self._waiting.get_nowait()
            if entry is None:
                return batch, False
            batch.append(entry)
        return batch, True

    async def _write(self, batch: Sequence[tuple[Item, asyncio.Future[Ending]]]) -> None:
        try:
            endings = await self._written([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is not lost: everybody who waits gets it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), ending in zip(batch, endings, strict=True):
            if not future.done():
                future.set_result(ending)
        self._written_since_tidying += len(batch)
        if self._written_since_tidying >= TIDY_AFTER and (self._tidying is None or self._tidying.done()):
            self._written_since_tidying = 0
            self._tidying = asyncio.create_task(self._tidy())

    async def _tidy(self) -> None:
        """What makes indexes small and quick again: beside the writing, on a connection of its own."""
        for work in (searching.flush, copying.settle):
            try:
                await self._connections.run(work)
            except (psycopg.Error, database.DatabaseError) as error:  # nothing is lost; the next time will do it
                log.warning("tidying the indexes: %s", database.safe_text(error, self._connections.dsn))

    async def _written(self, items: list[Item]) -> list[Ending]:
        try:
            return await self._connections.run(lambda connection: writing.write(connection, items))
        except (psycopg.Error, ValueError, TypeError) as error:
            if len(items) > 1:
                # one bad row never costs its batch: each alone, and only the bad one is refused
                return [(await self._written([item]))[0] for item in items]
            message = database.safe_text(error, self._connections.dsn)
            log.error("%s cannot be stored: %s", items[0].page_url[:200], message)
            return [await self._refuse(items[0], message)]
