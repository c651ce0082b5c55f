"""The store's connections: a few, opened when needed, and the patience with a database that is away."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from pipelines import database

T = TypeVar("T")
CONFLICTS = 10  # times that a transaction is tried again after a deadlock or a lock that was not to be had


class Connections:
    """Up to *size* connections. ``run`` is the only way in: a whole transaction, maybe tried more than once.

    psycopg's own pool would connect behind our back and give up by its own rules; here every failure reaches the one
    loop that knows how long to wait.
    """

    def __init__(self, dsn: str, size: int = 4, patience: timedelta = timedelta(days=1)):
        self.dsn = dsn
        self.patience = patience
        self._free = asyncio.Semaphore(size)
        self._idle: list[AsyncConnection] = []
        self._until = float("inf")  # on the monotonic clock: when everybody stops waiting, whatever their patience
        self._hurried = asyncio.Event()

    def hurry(self, seconds: float) -> None:
        """The process is to end: from now on, a database that is away is waited for so long and no longer."""
        self._until = min(self._until, time.monotonic() + seconds)
        self._hurried.set()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do *work* in a transaction. It must be idempotent: when the answer to COMMIT is lost, it is done again.

        Raises DatabaseError when the database stays away longer than the patience; psycopg.Error where *work* is wrong.
        """
        waiting: database.Patience | None = None
        conflicts = 0
        while True:
            try:
                async with self._connection() as connection, connection.transaction():
                    return await work(connection)
            except psycopg.Error as error:
                if database.is_passing(error) and conflicts < CONFLICTS:
                    conflicts += 1
                    await asyncio.sleep(random.uniform(0.005, 0.05) * conflicts)
                    continue
                if not database.is_away(error):
                    raise
                waiting = waiting or database.Patience(self.dsn, self.patience)
                waiting.until = min(waiting.until, self._until)
                pause = waiting.next_wait(error)
            await self._drop_idle()  # after a restart of the server none of them is any good
            await asyncio.to_thread(database.revive, self.dsn)
            await self._pause(pause)

    async def close(self) -> None:
        await self._drop_idle()

    async def _pause(self, seconds: float) -> None:
        if self._hurried.is_set():
            await asyncio.sleep(seconds)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurried.wait(), seconds)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        async with self._free:
            connection = self._idle.pop() if self._idle else await self._connect()
            try:
                yield connection
            finally:
                if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
                    await connection.close()
                else:
                    self._idle.append(connection)

    async def _connect(self) -> AsyncConnection:
        return await AsyncConnection.connect(database.connection_info(self.dsn), autocommit=True)

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop().close()
