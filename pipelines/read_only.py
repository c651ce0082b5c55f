"""One statement that a person typed, run read-only: even a superuser who connects can change nothing.

A read-only transaction keeps rows as they are. It does not keep a superuser from running a program (COPY ... TO
PROGRAM), from writing a file of the server, or from ending the transaction and beginning another; so the statement is
one by the protocol, is of a kind that reads, and runs with a reader's rights.
"""

from __future__ import annotations

import re
from datetime import timedelta
from math import isfinite
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types import datetime
from psycopg.types.numeric import FloatLoader
from psycopg.types.string import TextLoader

from pipelines.connecting import connected
from pipelines.postgres import is_away, safe_text

READERS = ("nachlese_reader", "pg_read_all_data")  # the first that there is, and that the user may be
READS = ("SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN", "SHOW")

VALUES = {"bool", "int2", "int4", "int8", "numeric", "text", "json", "jsonb"}  # as psycopg reads them

_BEFORE = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.S)
_WORD = re.compile(r"[A-Za-z]+")


class _Float(FloatLoader):
    """A number; what is none in JSON (NaN, Infinity) as Postgres writes it."""

    def load(self, data: Buffer) -> Any:
        number = super().load(data)
        return number if isfinite(number) else bytes(data).decode()


def _or_text(loader: type[Loader]) -> type[Loader]:
    """*loader*, which gives what it cannot read as Postgres writes it."""

    class Reading(loader):  # type: ignore[valid-type, misc]
        def load(self, data: Buffer) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return Reading


# made of those in Python: of those in C a class of ours is not asked
LOADERS: dict[str, type[Loader]] = {
    "float4": _Float,
    "float8": _Float,
    "date": _or_text(datetime.DateLoader),
    "timestamp": _or_text(datetime.TimestampLoader),
    "timestamptz": _or_text(datetime.TimestamptzLoader),
}


class QueryRefused(Exception):
    """The statement was not run, or Postgres refused it; the message is for a person."""


def run_read_only(
    dsn: str, statement: str, patience: timedelta = timedelta(days=1), *, as_text: bool = False
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one statement that reads. Raises QueryRefused; DatabaseError: there is no database.

    Values are numbers, booleans, texts, times, and lists and mappings of them. Whatever else there is, and a time that
    Python has none for (infinity, 44 BC), is a text as Postgres writes it; with *as_text* every value is.
    """
    word = first_word(statement)
    if word not in READS:
        raise QueryRefused(
            f"{word or 'an empty statement'} is not run here: this is read-only; expected "
            f"{', '.join(READS[:-1])} or {READS[-1]}. nachlese db psql runs everything"
        )
    with connected(dsn, patience) as connection:
        try:
            return _looked_up(connection, statement, as_text)
        except (psycopg.Error, UnicodeEncodeError) as error:
            if isinstance(error, psycopg.Error) and is_away(error) and not _is_denied(error):
                raise QueryRefused(f"the database went away: {safe_text(error, dsn)}") from None
            raise QueryRefused(f"Postgres says: {safe_text(error, dsn)}") from None


def first_word(statement: str) -> str:
    """The first keyword behind blanks, comments and brackets, in capitals; empty where there is none."""
    begin = _BEFORE.match(statement)
    found = _WORD.match(statement, begin.end() if begin else 0)
    return found[0].upper() if found else ""


def _is_denied(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.errors.ReadOnlySqlTransaction)


def _looked_up(connection: Connection, statement: str, as_text: bool) -> tuple[list[str], list[tuple[Any, ...]]]:
    for kind in connection.adapters.types:
        if as_text or kind.name not in VALUES:
            connection.adapters.register_loader(kind.oid, TextLoader)
            if as_text and kind.array_oid:
                connection.adapters.register_loader(kind.array_oid, TextLoader)
    for name, loader in () if as_text else LOADERS.items():
        connection.adapters.register_loader(name, loader)
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        role = _reader(cursor)
        if role is not None:
            cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        # after the first snapshot nothing makes the transaction writable again
        cursor.execute("SELECT 1")
        rows = list(cursor.stream(statement))  # by the extended protocol, which knows one statement at a time
        if cursor.description:
            return [column.name for column in cursor.description], rows
        connection.pgconn.prepare(b"", statement.encode())  # without a row the names did not come with them
        shape = connection.pgconn.describe_prepared(b"")
        return [(shape.fname(number) or b"").decode() for number in range(shape.nfields)], rows


def _reader(cursor: psycopg.Cursor) -> str | None:
    # from Postgres 16 on a member may be one that cannot become the role
    right = "SET" if cursor.connection.info.server_version >= 160_000 else "MEMBER"
    found = cursor.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY (%(readers)s::name[]) AND pg_has_role(rolname, %(right)s) "
        "AND CASE WHEN rolname <> %(first)s THEN current_setting('is_superuser') = 'on' "
        # roles belong to the whole server; in this database it may have no rights
        "ELSE coalesce(has_schema_privilege(oid, to_regnamespace('news')::oid, 'USAGE'), false) END "
        "ORDER BY rolname <> %(first)s LIMIT 1",
        {"readers": list(READERS), "first": READERS[0], "right": right},
    ).fetchone()
    return str(found[0]) if found else None
