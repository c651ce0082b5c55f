"""The store's connections: a few, opened when needed, and the patience with a database that is away."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Protocol, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from pipelines import database

log = logging.getLogger(__name__)

T = TypeVar("T")
CONFLICTS = 10  # times that a transaction is tried again after a deadlock or a lock that was not to be had
CONFLICT_FOR = 80.0  # seconds after which there is no other try: a lock that is held for so long is held by somebody
# The same statements come again and again, and parsing one costs as much as running it on a few rows: each is prepared
# when it comes again (not at once: psycopg would prepare text of several statements too). A crawl has some ninety.
PREPARED_MOST = 200


class Transactions(Protocol):
    """A way to do some work in a transaction of its own: ``Connections.run``."""

    async def __call__(self, work: Callable[[AsyncConnection], Awaitable[T]], /) -> T: ...


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
        self.has_misfit = False  # whether the database did not know what a statement named

    def shorten_deadline(self, seconds: float) -> None:
        """The process is to end: from now on, a database that is away is waited for so long and no longer."""
        self._until = min(self._until, time.monotonic() + seconds)
        self._hurried.set()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, is_one_statement: bool = False) -> T:
        """Do *work* in a transaction. It must be idempotent: when the answer to COMMIT is lost, it is done again.

        *is_one_statement*: Postgres makes a transaction of it by itself, and BEGIN and COMMIT need not be sent. Of
        several, each may stand alone.

        Raises DatabaseError for trouble of the database: it stays away longer than the patience, a right is missing,
        somebody holds a lock for more than a minute. psycopg.Error: what *work* writes may itself be the cause.
        """
        waiting: database.RetryDeadline | None = None
        conflicts, begun = 0, time.monotonic()
        while True:
            try:
                async with self._connection() as connection:
                    is_pooled = database.is_pooled(self.dsn)
                    if is_one_statement and not is_pooled:
                        return await work(connection)
                    async with connection.transaction():
                        if is_pooled:
                            await connection.execute(database.IN_TRANSACTION)
                        return await work(connection)
            except psycopg.Error as error:
                if conflicts < CONFLICTS and await self._passes(error, conflicts + 1, begun):
                    conflicts += 1
                    continue
                if not database.is_away(error):
                    if database.may_be_of_the_row(error):
                        raise
                    self.has_misfit = self.has_misfit or database.is_misfit(error)
                    raise database.DatabaseError(await self._said(error)) from error
                waiting = waiting or database.RetryDeadline(self.dsn, self.patience)
                waiting.until = min(waiting.until, self._until)
                if waiting.is_doubtful:
                    await asyncio.to_thread(waiting.refuse_if_there, error)
                pause = waiting.next_wait(error)
            await self._drop_idle()  # after a restart of the server none of them is any good
            await asyncio.to_thread(database.revive, self.dsn)
            await self._pause(pause)

    async def close(self) -> None:
        await self._drop_idle()

    async def _passes(self, error: psycopg.Error, conflicts: int, begun: float) -> bool:
        """Whether the transaction may go well now that it is tried again."""
        if database.is_stale(error):
            await self._drop_idle()  # each connection would meet it for itself
            return True
        if not database.is_passing(error) or time.monotonic() - begun >= CONFLICT_FOR:
            return False
        await self._tell_of_lock(error, conflicts)
        await asyncio.sleep(random.uniform(0.005, 0.05) * conflicts)
        return True

    async def _tell_of_lock(self, error: psycopg.Error, conflicts: int) -> None:
        """A deadlock is over in no time; a lock that was waited for in vain is worth a line, and so is its holder."""
        if database.is_locked(error) and conflicts in (1, CONFLICTS // 2):
            log.warning("%s", await self._said(error))

    async def _said(self, error: psycopg.Error) -> str:
        text = database.said(error, self.dsn)
        if not database.is_locked(error):
            return text
        try:
            async with self._connection() as connection, connection.transaction():
                rows = await (await connection.execute(database.LOCK_HOLDERS)).fetchall()
        except (psycopg.Error, database.DatabaseError):
            return text  # the first trouble is the one to tell
        return f"{text}; locks are held by {database.holders_said(rows) or 'nobody any more'}"

    async def _pause(self, seconds: float) -> None:
        if self._hurried.is_set():
            await asyncio.sleep(seconds)
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._hurried.wait()

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
        connection = await database.connect_async(self.dsn)
        if not database.is_pooled(self.dsn):
            connection.prepare_threshold, connection.prepared_max = 1, PREPARED_MOST
        return connection

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop().close()
