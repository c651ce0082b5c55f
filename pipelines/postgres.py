"""What an address and an error of Postgres mean: pure answers, for the code that connects, writes or migrates."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import psycopg
from psycopg import conninfo, errors


class DatabaseError(Exception):
    """The database cannot be used; the message says why, for a person, and never contains a password."""


# ---------------------------------------------------------------------------------------------------------------------
# addresses


def parameters(dsn: str) -> dict[str, Any]:
    """What a DSN states. Raises DatabaseError where it is none."""
    try:
        return conninfo.conninfo_to_dict(dsn)
    except psycopg.Error:
        # libpq quotes the part that it does not understand, which may be the password
        raise DatabaseError(
            "NACHLESE_DATABASE_URL is not an address of Postgres; expected postgresql://user:password@host:port/name, "
            "with special characters in the password percent-encoded"
        ) from None


def shown(dsn: str) -> str:
    """The address without its password, fit for a log."""
    stated = parameters(dsn)
    host = stated.get("host") or stated.get("hostaddr") or ""
    user = f"{stated['user']}@" if stated.get("user") else ""
    name = stated.get("dbname") or ""
    if host.startswith("/"):
        return f"postgresql://{user}/{name}?host={host}"
    port = f":{stated['port']}" if stated.get("port") else ""
    return f"postgresql://{user}{host}{port}/{name}"


def safe_text(error: BaseException, dsn: str = "") -> str:
    """The first lines of an error's message in one line, without control characters and without the DSN's password."""
    text = " ".join(str(error).split())[:500] or type(error).__name__
    with contextlib.suppress(DatabaseError):
        password = parameters(dsn).get("password") if dsn else None
        if password:
            text = text.replace(str(password), "***")
    return re.sub(r"(://[^:@/\s]*:)[^@\s]*@", r"\1***@", "".join(c for c in text if c.isprintable()))


def said(error: BaseException, dsn: str) -> str:
    """An error of the database for a person: address, message, SQLSTATE, and the function or trigger that raised it."""
    text = f"{shown(dsn)}: {safe_text(error, dsn)}"
    if isinstance(error, psycopg.Error) and error.sqlstate:
        context = (error.diag.context or "").splitlines()
        of = "".join(c for c in context[0][:200] if c.isprintable()) if context else ""
        text += f" (SQLSTATE {error.sqlstate}{', ' + of if of and of not in text else ''})"
    return text


# ---------------------------------------------------------------------------------------------------------------------
# errors

# In German, French or Chinese they read otherwise: `connecting.RetryDeadline` then finds out by asking the server.
_REFUSALS = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "no such database",
    "no such user",
    "unsupported startup parameter",
)


def is_away(error: BaseException) -> bool:
    """True where the database is out of reach for now, so that the same call may succeed later."""
    if isinstance(error, errors.InvalidPassword | errors.InvalidAuthorizationSpecification | errors.InvalidCatalogName):
        return False
    if isinstance(error, errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow | errors.DiskFull):
        return True
    if isinstance(error, errors.TooManyConnections | errors.ReadOnlySqlTransaction | errors.OutOfMemory):
        return True
    if isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith("08"):
        return "pooling mode" not in str(error)  # PgBouncer's word for all its outages, and for what it never allows
    if isinstance(error, psycopg.OperationalError):
        return error.sqlstate is None and not _is_refusal(str(error))
    return isinstance(error, psycopg.InterfaceError)


def _is_refusal(message: str) -> bool:
    """A failed connection has no SQLSTATE; these messages are answers, and waiting does not change them."""
    return any(answer in message for answer in _REFUSALS)


def is_read_only(error: BaseException) -> bool:
    """The database takes no writes: a standby, or a default that says so."""
    return isinstance(error, errors.ReadOnlySqlTransaction)


def is_passing(error: BaseException) -> bool:
    """True for a conflict with somebody else's transaction: rolled back whole, so try it again."""
    if isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith("40"):
        return True  # rolled back: a deadlock, a serialization failure
    # a time limit of the server's, which may have fallen on a busy moment of ours
    if isinstance(error, errors.QueryCanceled) or getattr(error, "sqlstate", None) in ("25P03", "25P04", "57P05"):
        return True
    # the catalogue's way to say the same: GRANT and ALTER beside each other
    return is_locked(error) or (isinstance(error, errors.InternalError_) and "concurrently" in str(error))


def is_misfit(error: BaseException) -> bool:
    """The statement is not made for these tables: another version of this program has changed them."""
    is_of_statement = isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith("42")
    return is_of_statement and not isinstance(error, errors.InsufficientPrivilege)


def is_stale(error: BaseException) -> bool:
    """The statement was prepared before an upgrade gave its rows another column; a new connection knows none of it."""
    return isinstance(error, errors.FeatureNotSupported)


def is_locked(error: BaseException) -> bool:
    """A lock was not to be had in time."""
    return isinstance(error, errors.LockNotAvailable)


def may_be_of_the_row(error: BaseException) -> bool:
    """Whether the row that was written can be the cause: its data (class 22), a constraint (23), its size (54).

    Everything else is trouble of the database: a missing right, a renamed column, a trigger, a disk. A value that
    cannot even be sent (ValueError, TypeError) may be of the row too. Whether it is, another row must show.
    """
    if isinstance(error, psycopg.Error):
        return (error.sqlstate or "")[:2] in ("22", "23", "54") or isinstance(error, psycopg.DataError)
    return isinstance(error, ValueError | TypeError)


# ---------------------------------------------------------------------------------------------------------------------
# who holds a lock

# Sessions that hold a lock on a table or view of ours, or one of our advisory locks, the longest transaction first. To
# whom it is not allowed, Postgres says neither state nor time of another user's session.
LOCK_HOLDERS = """
    SELECT activity.pid, activity.usename, activity.application_name, activity.state,
           extract(epoch FROM clock_timestamp() - activity.xact_start)::integer AS seconds,
           string_agg(DISTINCT class.oid::regclass::text, ', ') AS names
    FROM pg_locks AS held
    JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    LEFT JOIN pg_class AS class ON class.oid = held.relation AND class.relkind IN ('r', 'v', 'p')
        AND class.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('ingest', 'news'))
    WHERE held.granted AND held.pid <> pg_backend_pid()
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (class.oid IS NOT NULL OR held.locktype = 'advisory')
    GROUP BY activity.pid, activity.usename, activity.application_name, activity.state, activity.xact_start
    ORDER BY activity.xact_start NULLS LAST, activity.pid
    LIMIT 3
"""
MOST_NAMES = 120  # characters


def holders_said(rows: list[Any]) -> str:
    """The rows of LOCK_HOLDERS in one line; empty where nobody holds a lock any more."""
    said = []
    for pid, user, application, state, seconds, names in rows:
        what = [f"user {user}", application or "", state or "", f"for {seconds} s" if seconds is not None else ""]
        on = f" on {names if len(names) <= MOST_NAMES else names[:MOST_NAMES] + ' ...'}" if names else ""
        said.append(f"process {pid} ({', '.join(filter(None, what))}){on}")
    text = "; ".join(said)
    return "".join(c for c in text if c.isprintable())
