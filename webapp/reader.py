"""The connections of the web server: they can read schema ``news``, briefly, and nothing else.

The only module of the package with psycopg.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection, IsolationLevel, errors
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

ROLE = "nachlese_reader"
POOL = 8  # connections: more would only wait for each other on the processors of one database
WAIT = 5.0  # seconds for a free connection
WAITING = 200  # requests that may wait for one
TRUSTED = 2.0  # seconds that a connection is taken to be alive since it last answered
CHANNEL = "nachlese_changes"

Row = dict[str, Any]

# Schema news, not yet there or not to be seen, is told apart from a mistake of ours.
CONFIGURE = """
    SELECT set_config('statement_timeout', %(timeout)s, false), set_config('lock_timeout', '2s', false),
           set_config('idle_in_transaction_session_timeout', '30s', false), set_config('timezone', 'UTC', false),
           set_config('default_transaction_read_only', 'on', false), set_config('application_name', 'nachlese web',
           false)
"""
TIMEOUT = "SELECT set_config('statement_timeout', %s, true)"
HAS_ROLE = """
    SELECT FROM pg_roles
    WHERE rolname = %(role)s AND pg_has_role(current_user, oid, 'MEMBER')
      AND EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = 'news' AND has_schema_privilege(pg_roles.oid,
      n.oid, 'USAGE'))
"""


class ReadError(Exception):
    """A question that could not be answered; the message is for a reader of the page and names no address."""

    status = 503
    retry_after = 10


class TooSlow(ReadError):
    """The statement was stopped after its time."""


class Unavailable(ReadError):
    """The database does not answer, or everybody waits for it."""


class NotAllowed(ReadError):
    """The role has no right to a view: ``nachlese db roles`` was not run after an upgrade, or there are no tables
    yet.
    """


class Found(list[Row]):
    """Rows, and the names of their columns, which are known where there is no row, too."""

    def __init__(self, rows: Iterable[Row] = (), names: Iterable[str] = ()):
        super().__init__(rows)
        self.names = tuple(names)


class News:
    """One read-only transaction over schema ``news``: all its questions see the same moment."""

    def __init__(self, connection: AsyncConnection[Row]):
        self._connection = connection

    async def rows(self, statement: str, values: Mapping[str, Any] | None = None) -> Found:
        """All rows of a SELECT. Raises ReadError."""
        with _told():
            cursor = await self._connection.execute(statement, values)
            return Found(await cursor.fetchall(), (column.name for column in cursor.description or ()))

    async def row(self, statement: str, values: Mapping[str, Any] | None = None) -> Row | None:
        """The first row, None where there is none. Raises ReadError."""
        found = await self.rows(statement, values)
        return found[0] if found else None


class Reader:
    """A pool of such connections, opened with ``async with``. It connects when it is asked, so it opens without a
    server.
    """

    def __init__(self, dsn: str, *, statement_timeout: float = 5.0, size: int = POOL):
        self._dsn = dsn
        self._timeout = f"{int(statement_timeout * 1000)}ms"
        self._pool: AsyncConnectionPool[AsyncConnection[Row]] = AsyncConnectionPool(
            dsn,
            kwargs={"row_factory": dict_row, "connect_timeout": 5},
            min_size=0 if size == 0 else 1,
            max_size=size,
            max_waiting=WAITING,
            open=False,
            configure=self._configure,
            check=self._check,
            name="nachlese-web",
            reconnect_timeout=60,
        )
        self._used: WeakKeyDictionary[AsyncConnection[Row], float] = WeakKeyDictionary()
        self._kept: dict[Any, tuple[float, Any]] = {}
        self._making: dict[Any, asyncio.Task[Any]] = {}

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *failure: object) -> None:
        for task in self._making.values():
            task.cancel()
        await self._pool.close()

    @asynccontextmanager
    async def session(self, limit: float | None = None) -> AsyncIterator[News]:
        """A read-only transaction; *limit* is the seconds that a statement may take, where that is less than usual.

        Raises ReadError where no connection is to be had.
        """
        with _told():
            async with self._pool.connection(WAIT) as connection:
                if limit is not None:
                    await connection.execute(TIMEOUT, [f"{int(limit * 1000)}ms"])
                yield News(connection)
                await connection.rollback()  # nothing to commit: cheaper, and says so
                self._used[connection] = time.monotonic()

    async def kept(
        self, key: Any, seconds: float, question: Callable[[News], Awaitable[Any]], limit: float | None = None
    ) -> Any:
        """The answer to *question*, at most *seconds* old while somebody asks often: counts over everything are dear.

        One asks, the others wait for the same answer. An answer that is too old is given once more while a new one is
        made, so a page waits for a count only the first time.
        """
        made = self._kept.get(key)
        if made and time.monotonic() - made[0] < seconds:
            return made[1]
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.ensure_future(self._make(key, question, limit))
            task.add_done_callback(lambda done: self._forget(key, done))
        if made and time.monotonic() - made[0] < 20 * seconds:
            return made[1]
        return await asyncio.shield(task)

    async def _make(self, key: Any, question: Callable[[News], Awaitable[Any]], limit: float | None) -> Any:
        async with self.session(limit) as news:
            answer = await question(news)
        if len(self._kept) >= 500:
            self._kept.clear()
        self._kept[key] = time.monotonic(), answer
        return answer

    def _forget(self, key: Any, task: asyncio.Task[Any]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # looked at here, for nobody may be waiting any more

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[AsyncConnection[Row]]:
        """A connection of its own that is told of new changes. Raises ReadError."""
        with _told():
            connection = await AsyncConnection.connect(
                self._dsn, autocommit=True, row_factory=dict_row, connect_timeout=5
            )
        async with connection:
            with _told():
                await self._configure(connection)
                await connection.execute(f"LISTEN {CHANNEL}")
            yield connection

    async def _check(self, connection: AsyncConnection[Row]) -> None:
        """Whether it is alive still; one that answered a moment ago is."""
        if time.monotonic() - self._used.get(connection, 0.0) > TRUSTED:
            await AsyncConnectionPool.check_connection(connection)

    async def _configure(self, connection: AsyncConnection[Row]) -> None:
        """Once per connection; every transaction is read only, whoever the connection belongs to."""
        is_autocommit = connection.autocommit
        await connection.set_autocommit(True)
        await connection.execute(CONFIGURE, {"timeout": self._timeout})
        if await (await connection.execute(HAS_ROLE, {"role": ROLE})).fetchone() is not None:
            await connection.execute(f"SET ROLE {ROLE}")
        await connection.set_read_only(True)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_autocommit(is_autocommit)


class _told:
    """Errors of the database as what a reader of the page can be told: never its address, never a statement."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
            raise TooSlow("this question takes longer than a page may take") from error
        if isinstance(error, errors.InsufficientPrivilege | errors.UndefinedTable | errors.InvalidSchemaName):
            raise NotAllowed(
                "the tables are older than this program, or the role nachlese_reader may not read them all: "
                "nachlese db migrate, then nachlese db roles"
            ) from error
        if isinstance(error, TooManyRequests | PoolTimeout | PoolClosed):
            raise Unavailable("too many questions at once, or the database does not answer") from error
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise Unavailable("the database does not answer") from error
