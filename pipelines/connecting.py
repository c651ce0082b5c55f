"""Connections as we want them, whatever the server's defaults, through poolers too; patience with one that is away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection, Connection, conninfo, pq

from pipelines.embedded import revive
from pipelines.postgres import DatabaseError, is_away, is_read_only, parameters, safe_text, shown

log = logging.getLogger(__name__)

LINE_EVERY = 60.0  # seconds between two log lines while the database is away
LEAST_VERSION = 15  # of Postgres: the oldest that the tests run against
READ_ONLY_FOR = 120.0  # seconds: a standby that takes over writes by then; what stays read-only is no outage
REFUSED_AFTER = 5.0  # seconds for which a server that answers, and was never got into, is asked again

# What every connection of ours asks for, whatever role, database or server have for a default. A statement that takes
# minutes is a mistake; a lock that is held for half a minute belongs to somebody who hangs, and the caller tries again.
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO,YMD",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "120s",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "120s",
    "client_min_messages": "warning",
}
OPTIONS = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in SETTINGS.items())
# A pooler hands each transaction to another session: there they hold for one transaction. The isolation of a
# transaction that has begun is no setting any more, and PgBouncer's sessions are nobody's to keep idle.
IN_TRANSACTION = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', true)"
    for name, value in SETTINGS.items()
    if name != "default_transaction_isolation"
)
NETWORK = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
TCP_USER_TIMEOUT = "30000"  # milliseconds until unacknowledged data counts as a dead connection

# A process that is frozen, or cut off, in the middle of a transaction must not keep its locks from whoever takes its
# run over. The store's wait for nothing in between; one that is ended is done again.
STORE_OPTIONS = "-c idle_in_transaction_session_timeout=15s"

_reached: set[str] = set()  # DSNs that this process has got into
_pooled: set[str] = set()  # DSNs behind which a pooler answers


def connection_info(dsn: str, more_options: str = "") -> str:
    """*dsn* with the settings and time limits that every connection of ours has; what the address states is left alone.

    A pooler takes no settings at the start of a connection: behind one they are set in each transaction. *more_options*
    come after ours.
    """
    stated = parameters(dsn)
    host = str(stated.get("host") or "")
    ours = {**NETWORK, "application_name": "nachlese"}
    if host and not host.startswith("/"):
        ours["tcp_user_timeout"] = TCP_USER_TIMEOUT
    merged = {**ours, **stated, "client_encoding": "UTF8"}
    if dsn not in _pooled:
        merged["options"] = " ".join(filter(None, (OPTIONS, more_options, str(stated.get("options") or ""))))
    return conninfo.make_conninfo("", **merged)


# ---------------------------------------------------------------------------------------------------------------------
# a connection

WHAT_IS_THERE = """
    SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
           current_setting('server_encoding'), current_database(), pg_backend_pid()
"""


def is_pooled(dsn: str) -> bool:
    """Whether this process has found a pooler (PgBouncer) behind *dsn*."""
    return dsn in _pooled


def connect(dsn: str) -> Connection:
    """A connection in autocommit. Raises psycopg.Error, or DatabaseError where the database cannot do."""
    while True:
        try:
            connection = psycopg.connect(connection_info(dsn), autocommit=True, **_for_pooler(dsn))
        except psycopg.Error as error:
            if not _wants_no_options(error, dsn):
                raise
            continue
        try:
            with connection.transaction():
                row = connection.execute(WHAT_IS_THERE).fetchone()
            if _is_known(connection, row, dsn):
                if dsn in _pooled:
                    connection.execute("SET TimeZone = 'UTC'")
                    connection.execute("SET DateStyle = 'ISO,YMD'")
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()


async def connect_async(dsn: str) -> AsyncConnection:
    """As `connect`, for the store: a transaction that waits for 15 s is ended."""
    while True:
        try:
            info = connection_info(dsn, STORE_OPTIONS)
            connection = await AsyncConnection.connect(info, autocommit=True, **_for_pooler(dsn))
        except psycopg.Error as error:
            if not _wants_no_options(error, dsn):
                raise
            continue
        try:
            async with connection.transaction():
                row = await (await connection.execute(WHAT_IS_THERE)).fetchone()
            if _is_known(connection, row, dsn):
                return connection
        except BaseException:
            await connection.close()
            raise
        await connection.close()


def _for_pooler(dsn: str) -> dict[str, Any]:
    """A statement that was prepared in one session is unknown, or another one, in the next that a pooler gives."""
    return {"prepare_threshold": None} if dsn in _pooled else {}


def _wants_no_options(error: psycopg.Error, dsn: str) -> bool:
    """PgBouncer refuses settings in the first message of a connection: from now on there are none in it."""
    if dsn in _pooled or "unsupported startup parameter" not in str(error):
        return False
    _pooled.add(dsn)
    return True


def _is_known(connection: Connection | AsyncConnection, row: Any, dsn: str) -> bool:
    """True where the connection can be used as it is, False where it must be made anew because of a pooler.

    A pooler that ignores settings says nothing; but the session's number is another than the one it told.
    """
    number, version, encoding, name, pid = row
    if number < LEAST_VERSION * 10_000:
        raise DatabaseError(
            f"{shown(dsn)} is Postgres {version}; Nachlese needs version {LEAST_VERSION} or later. Nothing was changed"
        )
    if encoding != "UTF8":
        raise DatabaseError(
            f"the database {name} of {shown(dsn)} has the encoding {encoding}, which cannot hold every text; "
            "make one with CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8'"
        )
    _reached.add(dsn)
    if dsn not in _pooled and pid != connection.info.backend_pid:
        _pooled.add(dsn)
        return False
    return True


# ---------------------------------------------------------------------------------------------------------------------
# waiting


_next_line: dict[str, float] = {}  # DSN -> when the next line may come: many wait at once, and one speaks for all


class RetryDeadline:
    """How long to go on with a database that is away: waits grow to five seconds, one log line a minute."""

    def __init__(self, dsn: str, patience: timedelta):
        self.dsn = dsn
        self.since = time.monotonic()
        self.until = self.since + patience.total_seconds()
        self.next_line = self.since + 2  # a restart of the server is no news
        self.wait = 0.0

    def next_wait(self, error: BaseException) -> float:
        """Seconds to wait before the next try. Raises DatabaseError when the patience is over."""
        now = time.monotonic()
        if is_read_only(error):
            self.until = min(self.until, self.since + READ_ONLY_FOR)
        if now >= self.until:
            what = "takes no writes" if is_read_only(error) else "does not answer"
            raise DatabaseError(f"{shown(self.dsn)} {what}: {safe_text(error, self.dsn)}") from None
        if now >= max(self.next_line, _next_line.get(self.dsn, 0.0)):
            log.warning("waiting for %s for %d s: %s", shown(self.dsn), now - self.since, safe_text(error, self.dsn))
            self.next_line = _next_line[self.dsn] = now + LINE_EVERY
        wait, self.wait = self.wait, min(5.0, self.wait * 2 or 0.05)
        return min(wait, max(0.0, self.until - now))

    @property
    def is_doubtful(self) -> bool:
        """Whether it is time to ask if the server is there after all. One that was got into before is just away."""
        return self.dsn not in _reached and time.monotonic() >= min(self.since + REFUSED_AFTER, self.until)

    def refuse_if_there(self, error: BaseException) -> None:
        """Raises DatabaseError where the server answers and only we do not get in, in whatever language it says so."""
        if pq.PGconn.ping(connection_info(self.dsn).encode()) == pq.Ping.OK:
            raise DatabaseError(f"{shown(self.dsn)} refuses: {safe_text(error, self.dsn)}")


@contextlib.contextmanager
def connected(dsn: str, patience: timedelta = timedelta(days=1)) -> Iterator[Connection]:
    """A synchronous connection in autocommit; waits for a database that is away."""
    waiting = RetryDeadline(dsn, patience)
    while True:
        try:
            connection = connect(dsn)
            break
        except psycopg.Error as error:
            if not is_away(error):
                raise DatabaseError(f"{shown(dsn)} refuses: {safe_text(error, dsn)}") from None
            if waiting.is_doubtful:
                waiting.refuse_if_there(error)
            revive(dsn)
            time.sleep(waiting.next_wait(error))
    with connection:
        yield connection


def wait_for(dsn: str, patience: timedelta = timedelta(days=1)) -> None:
    """Return when the database answers; one log line a minute. Raises DatabaseError when *patience* is over."""
    with connected(dsn, patience):
        pass


async def until_there(dsn: str, patience: timedelta = timedelta(days=1)) -> None:
    """As `wait_for`, and can be cancelled: no thread is left behind that waits for a day."""
    waiting = RetryDeadline(dsn, patience)
    while True:
        try:
            connection = await connect_async(dsn)
        except psycopg.Error as error:
            if not is_away(error):
                raise DatabaseError(f"{shown(dsn)} refuses: {safe_text(error, dsn)}") from None
            if waiting.is_doubtful:
                await asyncio.to_thread(waiting.refuse_if_there, error)
            pause = waiting.next_wait(error)
        else:
            await connection.close()
            return
        await asyncio.to_thread(revive, dsn)
        await asyncio.sleep(pause)


def refuse_read_only(dsn: str, patience: timedelta = timedelta(days=1)) -> None:
    """Raises DatabaseError where nothing can be written: before a run begins that could end no page."""
    with connected(dsn, patience) as connection:
        row = connection.execute("SELECT current_setting('transaction_read_only'), pg_is_in_recovery()").fetchone()
    if row and row[0] == "on":
        why = "it is a standby" if row[1] else "default_transaction_read_only is on for this user, database or server"
        raise DatabaseError(f"{shown(dsn)} is read-only: {why}")
