"""Indexes that are made beside everybody who writes: migrations whose first line is ``-- concurrently``.

Such a file may hold CREATE [UNIQUE] INDEX CONCURRENTLY, DROP INDEX CONCURRENTLY IF EXISTS and COMMENT ON INDEX, nothing
else. Each is a transaction of its own, after all tables and views are up to date. Nothing depends on such an index: the
program works without it, only slower. So one process makes it while all others go on; what was cut off is made anew.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from pipelines.connecting import connected, is_pooled
from pipelines.postgres import DatabaseError, is_away, is_passing, safe_text, shown

log = logging.getLogger(__name__)

FIRST_LINE = "-- concurrently"
INDEX_LOCK = 6_224_537_264  # any number, the same in every process
#: who has less patience than this only looks, and leaves an index that may take hours to who writes
LEAST_PATIENCE = timedelta(minutes=1)
LINE_EVERY = 10.0  # seconds
MOST_BROKEN_OFF = 5  # times that the connection may be lost, or a deadlock be met

CREATE = re.compile(
    r"CREATE (?P<unique>UNIQUE )?INDEX CONCURRENTLY (?P<name>[a-z0-9_]{1,63}) "
    r"ON (?P<table>ingest\.[a-z0-9_]{1,63}) (?P<rest>.+)",
    re.S,
)
DROP = re.compile(r"DROP INDEX CONCURRENTLY IF EXISTS ingest\.[a-z0-9_]{1,63}")
COMMENT = re.compile(r"COMMENT ON INDEX ingest\.[a-z0-9_]{1,63} IS '.+'", re.S)

# what it does now, or whom it waits for
PROGRESS = """
    SELECT progress.phase, greatest(blocks_done, tuples_done) AS done, greatest(blocks_total, tuples_total) AS all,
           holder.pid, holder.usename, holder.application_name, holder.state,
           extract(epoch FROM clock_timestamp() - holder.xact_start)::integer
    FROM pg_stat_progress_create_index AS progress
    LEFT JOIN pg_stat_activity AS holder ON holder.pid = progress.current_locker_pid
    WHERE progress.relid = to_regclass(%s)
"""
PARTITIONS = """
    SELECT leaf.relid::regclass::text FROM pg_partition_tree(to_regclass(%s)) AS leaf
    WHERE leaf.isleaf AND leaf.relid <> to_regclass(%s)
    ORDER BY leaf.relid
"""


@dataclass(frozen=True, slots=True)
class Index:
    """An index to be made. ``table`` with its schema; ``rest`` begins with the columns."""

    name: str
    table: str
    rest: str
    is_unique: bool = False

    def statement(self, *, concurrently: bool = True) -> str:
        unique, how = "UNIQUE " if self.is_unique else "", "CONCURRENTLY " if concurrently else ""
        return f"CREATE {unique}INDEX {how}{self.name} ON {self.table} {self.rest}"


def is_concurrent(file: Path) -> bool:
    """Whether a migration is one of these."""
    return file.read_text("utf-8").partition("\n")[0].rstrip() == FIRST_LINE


def statements(file: Path) -> Iterator[Index | str]:
    """What a file asks for, in its order. Raises DatabaseError where it is none of what can be done."""
    text = "\n".join(line for line in file.read_text("utf-8").splitlines() if not line.lstrip().startswith("--"))
    for statement in filter(None, (one.strip() for one in re.split(r";\s*$", text, flags=re.M))):
        found = CREATE.fullmatch(statement)
        if found:
            yield Index(found["name"], found["table"], found["rest"], bool(found["unique"]))
        elif DROP.fullmatch(statement) or COMMENT.fullmatch(statement):
            yield statement
        else:
            raise DatabaseError(
                f"{file.name}: {statement[:80]!r} cannot be done outside a transaction; expected is CREATE INDEX "
                "CONCURRENTLY name ON ingest.table, DROP INDEX CONCURRENTLY IF EXISTS or COMMENT ON INDEX"
            )


def make(dsn: str, files: list[Path], patience: timedelta, applied: Callable[[Connection, Path], None]) -> list[str]:
    """Do what *files* ask for and call *applied* after each; the names of those that are done now.

    None where another process is at it, where the user may not, and where *patience* is short: all can go on without.
    Raises DatabaseError when it cannot be done, or not within *patience*.
    """
    wanted = [(file, list(statements(file))) for file in files]
    if patience < LEAST_PATIENCE:
        log.debug("%s: left to the next process that writes: %s", shown(dsn), ", ".join(file.stem for file in files))
        return []
    until, broken_off, done = time.monotonic() + patience.total_seconds(), 0, []
    while wanted:
        file, what = wanted[0]
        try:
            if not _make(dsn, file, what, until, applied):
                break
        except psycopg.errors.InsufficientPrivilege:
            log.warning("%s: the indexes of %s are missing: nachlese db migrate as the owner", shown(dsn), file.stem)
            break
        except psycopg.Error as error:
            broken_off += 1
            if broken_off > MOST_BROKEN_OFF or not (is_passing(error) or is_away(error)):
                raise DatabaseError(f"{file.name}: {safe_text(error, dsn)}") from None
            log.warning("%s: %s was broken off and begins again: %s", shown(dsn), file.stem, safe_text(error, dsn))
            continue
        done.append(file.stem)
        wanted.pop(0)
    return done


def _make(
    dsn: str, file: Path, what: list[Index | str], until: float, applied: Callable[[Connection, Path], None]
) -> bool:
    """False: another process is at it.

    The lock is that of a transaction, for a pooler knows no sessions. The making of an index waits for the end of every
    transaction that looks at something meanwhile, so this one does nothing else, and a third connection looks.
    """
    left = timedelta(seconds=max(1.0, until - time.monotonic()))
    with (
        connected(dsn, left) as guard,
        guard.transaction(),
        connected(dsn, left) as connection,
        connected(dsn, left) as looking,
    ):
        guard.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        # without parameters: a statement that has some keeps its snapshot until the next one, and would be waited for
        row = guard.execute(f"SELECT pg_try_advisory_xact_lock({INDEX_LOCK})").fetchone()
        if row is None or not row[0]:
            log.warning("%s: the indexes of %s are being made by another process", shown(dsn), file.stem)
            return False
        if looking.execute("SELECT FROM ingest.migrations WHERE name = %s", [file.stem]).fetchone():
            return True
        maker = _Maker(dsn, connection, looking, until)
        for one in what:
            if isinstance(one, Index):
                maker.create(one)
            else:
                maker.do(one, "")
        applied(connection, file)
    return True


@dataclass
class _Maker:
    dsn: str
    connection: Connection
    looking: Connection
    until: float

    def create(self, index: Index) -> None:
        """Make *index*, and anew what an earlier try left half made. Of a table of partitions: of each, then of all."""
        leaves = [row[0] for row in self.looking.execute(PARTITIONS, [index.table, index.table]).fetchall()]
        for leaf in leaves:
            name = f"{leaf.rpartition('.')[2].strip(chr(34))[-30:]}_{index.name}"[:63]
            self.create(Index(name, leaf, index.rest, index.is_unique))
        if self._is_there(index):
            return
        if leaves:  # takes over those of the partitions: a matter of names
            self.do(index.statement(concurrently=False), index.table)
        else:
            self.do(index.statement(), index.table)

    def _is_there(self, index: Index) -> bool:
        """Whether it is whole. What is not is dropped: once the table's lock was to be had, nobody is at it any more.

        A process that was killed may have left a server behind that goes on with it; that one holds this lock.
        """
        name = sql.Identifier(index.table.partition(".")[0], index.name).as_string(self.connection)
        found = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
        row = self.looking.execute(found, [name]).fetchone()
        if row is not None and not row[0]:
            self.do(f"LOCK TABLE {index.table} IN SHARE UPDATE EXCLUSIVE MODE", index.table, in_transaction=True)
            row = self.looking.execute(found, [name]).fetchone()
        if row is not None and not row[0]:
            self.do(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", index.table)
            return False
        return row is not None

    def do(self, statement: str, table: str, *, in_transaction: bool = False) -> None:
        """Run *statement* for as long as it takes; what it waits for is said. Raises DatabaseError when time is up."""
        failed: list[psycopg.Error] = []

        def work() -> None:
            try:
                limits = "SET {} statement_timeout = 0; SET {} lock_timeout = 0"
                if in_transaction:
                    with self.connection.transaction():
                        self.connection.execute(limits.format("LOCAL", "LOCAL"))
                        self.connection.execute(statement)
                else:
                    if not is_pooled(self.dsn):  # where the next statement may be another session's
                        self.connection.execute(limits.format("", ""))
                    self.connection.execute(statement)
            except psycopg.Error as error:
                failed.append(error)

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        next_line = time.monotonic() + LINE_EVERY
        try:
            while worker.is_alive():
                worker.join(0.2)
                now = time.monotonic()
                if now >= self.until:
                    raise DatabaseError(f"{shown(self.dsn)}: given up: {self._said(statement, table)}; nothing is lost")
                if now >= next_line:
                    log.warning("%s: %s", shown(self.dsn), self._said(statement, table))
                    next_line = now + LINE_EVERY
        except BaseException:
            with suppress(psycopg.Error):  # the first trouble is the one to tell
                self.connection.cancel_safe(timeout=5)
            worker.join(5)
            raise
        if failed:
            raise failed[0]

    def _said(self, statement: str, table: str) -> str:
        what = " ".join(statement.split()[:6])
        row = self.looking.execute(PROGRESS, [table]).fetchone()
        if row is None:
            return what
        phase, done, everything, pid, user, program, state, seconds = row
        if pid is not None:
            return f"{what}: {phase}: process {pid} (user {user}, {program or '-'}, {state}, for {seconds} s)"
        return f"{what}: {phase}" + (f", {100 * done // everything} %" if everything else "")
