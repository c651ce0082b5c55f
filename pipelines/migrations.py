"""Tables, views and roles, brought up to date beside everybody who reads and writes.

What changes a table needs it for itself for a moment. Whoever waits for that in silence makes all others queue behind
him; so it is tried for less than a second, again and again, and given up after a while with the name of who is in the
way. Everything is one transaction: it is done, or nothing was. Only indexes may come after it (`concurrent_indexes`).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg import Connection, sql

from pipelines import concurrent_indexes
from pipelines.concurrent_indexes import is_concurrent
from pipelines.connecting import connected
from pipelines.postgres import (
    LOCK_HOLDERS,
    DatabaseError,
    holders_said,
    is_away,
    is_locked,
    is_passing,
    safe_text,
    said,
    shown,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
SQL = Path(__file__).parent / "sql"
MIGRATION_LOCK = 6_224_537_263  # any number, the same in every process: "nachlese" on a telephone's keys

#: a schema that is there while a dump is being restored, and after that was broken off
RESTORING = "nachlese_restoring"

# Less than deadlock_timeout: whoever has what we want and wants what we have never becomes a deadlock's victim.
LOCK_WAIT = "900ms"
PAUSE = 1.0  # seconds between two tries, in which those who queued behind us go first
TRIED_FOR = 30.0  # seconds
LINE_EVERY = 10.0  # seconds
MOST_BROKEN_OFF = 5  # times that a connection may be lost in the middle of it


# ---------------------------------------------------------------------------------------------------------------------
# short tries


class _Busy(Exception):
    """Another process is at the same work."""


def _tried(dsn: str, patience: timedelta, what: str, work: Callable[[Connection], T]) -> T:
    """Do *work* in one transaction in which a lock is waited for less than a second; again, until it is to be had.

    Raises DatabaseError when it was not to be had within TRIED_FOR (or *patience*, where that is shorter).
    """
    begun = time.monotonic()
    until = begun + min(TRIED_FOR, patience.total_seconds())
    next_line = begun
    broken_off = 0
    while True:
        with connected(dsn, patience) as connection:
            try:
                with connection.transaction():
                    connection.execute(
                        "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', '0', true), "
                        "set_config('idle_in_transaction_session_timeout', '0', true)",
                        [LOCK_WAIT],
                    )
                    return work(connection)
            except _Busy:
                holders = "another process, which does the same: " + _holders(connection)
                until = begun + patience.total_seconds()  # it ends, or gives up as we would
            except psycopg.Error as error:
                broken_off += is_away(error)
                if not is_passing(error) and not 0 < broken_off * is_away(error) <= MOST_BROKEN_OFF:
                    raise DatabaseError(said(error, dsn)) from None
                holders = _holders(connection) if is_locked(error) else safe_text(error, dsn)
        now = time.monotonic()
        held = f"{what} waits for {holders or 'a lock that is held no more'}"
        if now >= next_line:
            log.warning("%s: %s", shown(dsn), held)
            next_line = now + LINE_EVERY
        if now >= until:
            raise DatabaseError(f"{shown(dsn)}: {held}. Nothing was changed; end what is in the way and try again")
        time.sleep(PAUSE)


def _holders(connection: Connection) -> str:
    if connection.closed:
        return ""
    try:
        return holders_said(connection.execute(LOCK_HOLDERS).fetchall())
    except psycopg.Error as error:
        return safe_text(error)


def _alone(connection: Connection) -> None:
    """One process at a time; raises _Busy where there is another."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [MIGRATION_LOCK]).fetchone()
    if row is None or not row[0]:
        raise _Busy


# ---------------------------------------------------------------------------------------------------------------------
# tables and views


def migrate(dsn: str, folder: Path = SQL, patience: timedelta = timedelta(days=1)) -> list[str]:
    """Bring tables and views up to date; safe for several processes at once. Returns the names of what was applied.

    ``migrations/*.sql`` are applied once, in order, each with its line in ``ingest.migrations``. ``views/*.sql`` are
    CREATE OR REPLACE and applied again whenever one of them, or a migration, has changed: Postgres then only lets a
    view grow, which is the promise to its readers. All of it is one transaction. Files that begin with
    ``-- concurrently`` come after it: their indexes are made while others write, and a short *patience* leaves them.

    Raises DatabaseError where that fails, and where somebody holds a lock on the tables for too long.
    """
    files = sorted((folder / "migrations").glob("*.sql"))
    views = sorted((folder / "views").glob("*.sql"))
    with connected(dsn, patience) as connection:
        try:
            applied = _applied(connection)
            missing = _missing(applied, files, views)
            indexes = [file for file in files if file.stem not in applied and is_concurrent(file)]
        except psycopg.errors.InsufficientPrivilege:
            return []  # a reader, who may not know what was applied and could not apply anything
        except psycopg.Error as error:
            raise DatabaseError(said(error, dsn)) from None
    done: list[str] = []
    if missing:
        what = "bringing tables and views up to date"
        done = _tried(dsn, patience, what, lambda found: _migrate(found, files, views))
    if indexes:
        done += concurrent_indexes.make(dsn, indexes, patience, lambda found, file: _record(found, file.stem, [file]))
    return done


def may_migrate(dsn: str, patience: timedelta = timedelta(seconds=10)) -> bool:
    """Whether the user behind *dsn* may make tables; who may only read takes them as they are."""
    with connected(dsn, patience) as connection:
        row = connection.execute(
            "SELECT CASE WHEN to_regnamespace('ingest') IS NULL THEN has_database_privilege(current_database(), "
            "'CREATE') "
            "ELSE has_schema_privilege('ingest', 'CREATE') END AND NOT "
            "current_setting('default_transaction_read_only')::bool"
        ).fetchone()
    return bool(row and row[0])


def _migrate(connection: Connection, files: list[Path], views: list[Path]) -> list[str]:
    _alone(connection)
    _make_first_table(connection)
    missing = _missing(_applied(connection), files, views)
    if any(name != "views" for name in missing):
        _lock(connection, "nspname = 'ingest'")
    for file in files:
        if file.stem in missing:
            _apply(connection, file.stem, [file])
    if "views" in missing:
        _apply(connection, "views", views)
    return missing


def _missing(applied: dict[str, str], files: list[Path], views: list[Path]) -> list[str]:
    """What a transaction is to apply, in order. Raises DatabaseError where the database is not of this program."""
    _refuse_strangers(applied, files)
    missing = [file.stem for file in files if file.stem not in applied and not is_concurrent(file)]
    return [*missing, "views"] if missing or applied.get("views") != _digest(views) else []


def _lock(connection: Connection, which: str) -> None:
    """Take the tables for this transaction before anything is done: what takes long then waits for nobody."""
    rows = connection.execute(
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        f"WHERE relkind IN ('r', 'p') AND {which} ORDER BY pg_class.oid"
    ).fetchall()
    if rows:
        tables = sql.SQL(", ").join(sql.Identifier(schema, table) for schema, table in rows)
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(tables))


def _applied(connection: Connection) -> dict[str, str]:
    """Name -> digest of what was applied; empty where there is no table of it."""
    found = connection.execute(
        "SELECT to_regclass('ingest.migrations') IS NOT NULL, to_regnamespace(%s) IS NOT NULL", [RESTORING]
    ).fetchone()
    if found and found[1]:
        raise DatabaseError(
            "a dump is being restored into this database, or that broke off: wait, or run nachlese db restore again"
        )
    if not found or not found[0]:
        return {}
    return dict(connection.execute("SELECT name, digest FROM ingest.migrations").fetchall())


def _make_first_table(connection: Connection) -> None:
    found = connection.execute("SELECT to_regclass('ingest.migrations') IS NOT NULL").fetchone()
    if found and found[0]:
        return
    connection.execute("CREATE SCHEMA IF NOT EXISTS ingest")
    connection.execute(
        "CREATE TABLE ingest.migrations "
        "(name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    connection.execute("COMMENT ON TABLE ingest.migrations IS 'The SQL files that made these tables'")


def _refuse_strangers(applied: dict[str, str], files: list[Path]) -> None:
    strangers = sorted(set(applied) - {file.stem for file in files} - {"views"})
    if strangers:
        raise DatabaseError(
            f"the database is newer than this Nachlese: it has {', '.join(strangers)}; update the program"
        )
    for file in files:
        if file.stem in applied and applied[file.stem] != _digest([file]):
            raise DatabaseError(f"{file.name} was changed after it was applied; a change needs a migration of its own")


def _apply(connection: Connection, name: str, files: list[Path]) -> None:
    for file in files:
        try:
            connection.execute(file.read_bytes())
        except psycopg.Error as error:
            if is_passing(error) or is_away(error):
                raise
            raise DatabaseError(f"{file.name}: {safe_text(error)}") from error
    _record(connection, name, files)


def _record(connection: Connection, name: str, files: list[Path]) -> None:
    connection.execute(
        "INSERT INTO ingest.migrations (name, digest) VALUES (%s, %s) "
        "ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, applied_at = now()",
        [name, _digest(files)],
    )


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# roles

ROLES = ("nachlese_owner", "nachlese_writer", "nachlese_reader")


def make_roles(dsn: str, passwords: Mapping[str, str], patience: timedelta = timedelta(days=1)) -> list[str]:
    """Make the three roles, or bring their rights up to date; the names of those that are new.

    *passwords* by role; a role without one keeps what it has. They are hashed here: the server never sees them, nor
    does its log. Tables must be up to date (``migrate``). Raises DatabaseError,
    also where somebody holds a lock on the tables for too long: nothing was changed then.
    """

    def work(connection: Connection) -> list[str]:
        _alone(connection)
        _refuse_without_rights(connection)
        made = [role for role in ROLES if _make_role(connection, role, passwords.get(role))]
        for role in (ROLES[0], ROLES[2]):  # to give things to the one, and to ask as the other (`nachlese db query`)
            _join(connection, role)
        _lock(connection, "nspname IN ('ingest', 'news') AND relowner <> 'nachlese_owner'::regrole")
        connection.execute((SQL / "roles.sql").read_bytes())
        return made

    return _tried(dsn, patience, "bringing the roles up to date", work)


def _make_role(connection: Connection, role: str, password: str | None) -> bool:
    """True where it was not there. Roles belong to the whole server, so another database may have made it."""
    name = sql.Identifier(role)
    is_new = not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchall()
    if is_new:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
    if password:
        hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(hashed)))
    return is_new


LACKING = """
    SELECT current_user, current_database(), pg_has_role(datdba, 'USAGE') AS is_owner, rolcreaterole,
           current_setting('server_version_num')::integer >= 160000 AS is_strict,
           (SELECT array_agg(one.rolname::text ORDER BY one.oid) FROM pg_roles AS one WHERE one.rolname = ANY (%s)),
           (SELECT bool_and(pg_has_role(one.oid, 'USAGE WITH ADMIN OPTION')) FROM pg_roles AS one
            WHERE one.rolname = ANY (%s))
    FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database() AND NOT rolsuper
"""


def _refuse_without_rights(connection: Connection) -> None:
    """Raises DatabaseError where the user may not make the roles or give them anything: with what a superuser does.

    From Postgres 16 on CREATEROLE is not enough for roles that somebody else has made.
    """
    row = connection.execute(LACKING, [list(ROLES), list(ROLES)]).fetchone()
    if row is None:
        return  # a superuser needs no rights
    user, name, is_owner, may_create, is_strict, there, is_admin = row
    needed = []
    if not is_owner:
        needed.append(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(user)))
    if len(there or ()) < len(ROLES) and not may_create:
        needed.append(sql.SQL("ALTER ROLE {} CREATEROLE").format(sql.Identifier(user)))
    if there and not is_admin and (is_strict or not may_create):
        roles = sql.SQL(", ").join(map(sql.Identifier, there))
        needed.append(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(roles, sql.Identifier(user)))
    if needed:
        statements = "; ".join(one.as_string(connection) for one in needed)
        raise DatabaseError(f"the user {user} may not make the roles in {name}. A superuser has to run: {statements}")


def _join(connection: Connection, role: str) -> None:
    """Make the current user a member of *role* that may give it what is its own. A superuser needs no rights.

    From Postgres 16 on, who makes a role is a member that may neither use its rights nor give it anything.
    """
    is_strict = connection.info.server_version >= 160_000
    wanted = ["USAGE", "SET"] if is_strict else ["USAGE"]
    found = [connection.execute("SELECT pg_has_role(%s, %s)", [role, right]).fetchone() for right in wanted]
    if not all(row and row[0] for row in found):
        how = sql.SQL("WITH INHERIT TRUE, SET TRUE" if is_strict else "")
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER {}").format(sql.Identifier(role), how))
