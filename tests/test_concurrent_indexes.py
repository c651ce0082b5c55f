"""Indexes are made while others write; what is cut off is made anew, by one process at a time."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from pipelines import concurrent_indexes, database
from tests.servers import pgbouncer, postgres_15
from tests.test_migrating_beside_others import MORE, applied, upgrade
from tests.test_partitions import partition
from tests.test_roles import as_role, with_roles

__all__ = ["with_roles"]  # fixture

FILE = """-- concurrently
-- Two indexes.
CREATE INDEX CONCURRENTLY hosts_more ON ingest.hosts (host)
    WHERE robots_status IS NOT NULL;
COMMENT ON INDEX ingest.hosts_more IS 'Serves; a test';
CREATE UNIQUE INDEX CONCURRENTLY hosts_unique ON ingest.hosts (lower(host));
"""
INDEXES = """
    SELECT relname, indisvalid, obj_description(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid
    WHERE relname IN ('hosts_more', 'hosts_unique') ORDER BY 1
"""
MADE = [("hosts_more", True, "Serves; a test"), ("hosts_unique", True, None)]
MIGRATE = """
import sys
from pathlib import Path
from pipelines import database
database.migrate(sys.argv[1], Path(sys.argv[2]))
"""


@contextmanager
def a_writer(dsn: str) -> Iterator[psycopg.Connection]:
    """Somebody in the middle of a transaction: whoever makes an index has to wait for its end."""
    with psycopg.connect(dsn, application_name="writer") as writer:
        writer.execute("INSERT INTO ingest.hosts (host) VALUES ('a.example')")
        yield writer


def until(dsn: str, query: str, wanted: object) -> None:
    """Return when *query* brings *wanted*."""
    deadline = time.monotonic() + 30
    with psycopg.connect(dsn, autocommit=True) as looking:
        while looking.execute(query).fetchall() != wanted:
            assert time.monotonic() < deadline


def thread(work: Callable[[], object]) -> threading.Thread:
    begun = threading.Thread(target=work, daemon=True)
    begun.start()
    return begun


HALF_MADE = [("hosts_more", False, None)]


def test_others_write_while_an_index_is_made_and_who_is_in_the_way_is_named(
    database_url: str, tmp_path: Path, sql_rows, monkeypatch, caplog
):
    monkeypatch.setattr(concurrent_indexes, "LINE_EVERY", 0.1)
    folder = upgrade(tmp_path / "sql", FILE)
    (folder / "migrations" / "9998_table.sql").write_text(MORE)
    # who has little patience brings tables and views up to date, and the indexes come later
    assert database.migrate(database_url, folder, timedelta(seconds=10)) == ["9998_table", "views"]
    with a_writer(database_url) as writer:
        done: list[list[str]] = []
        migrating = thread(lambda: done.append(database.migrate(database_url, folder)))
        until(database_url, INDEXES, HALF_MADE)
        sql_rows("INSERT INTO ingest.hosts (host) VALUES ('b.example') RETURNING 1")
        # a second process leaves it to the first and goes on
        assert database.migrate(database_url, folder) == []
        deadline = time.monotonic() + 30
        while "writer, idle in transaction" not in caplog.text:
            assert time.monotonic() < deadline
        writer.commit()
    migrating.join()
    assert done == [["9999_more"]]
    assert sql_rows(INDEXES) == MADE
    assert "being made by another process" in caplog.text
    assert database.migrate(database_url, folder) == []


def test_a_killed_process_leaves_what_the_next_one_makes_anew(database_url: str, tmp_path: Path, sql_rows):
    folder = upgrade(tmp_path / "sql", FILE)
    with a_writer(database_url) as writer:
        killed = subprocess.Popen([sys.executable, "-c", MIGRATE, database_url, str(folder)])
        until(database_url, INDEXES, HALF_MADE)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        # as after a crash of the server: nobody goes on with it
        sql_rows("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index")
        until(database_url, "SELECT count(*) FROM pg_stat_progress_create_index", [(0,)])
        assert sql_rows(INDEXES) == HALF_MADE
        assert "9999_more" not in applied(database_url)
        writer.commit()
    assert database.migrate(database_url, folder) == ["9999_more"]
    assert sql_rows(INDEXES) == MADE


def test_what_a_killed_process_had_begun_and_the_server_ends_is_taken_as_it_is(
    database_url: str, tmp_path: Path, sql_rows
):
    folder = upgrade(tmp_path / "sql", FILE)
    number = "SELECT 'ingest.hosts_more'::regclass::oid::int8"
    with a_writer(database_url) as writer:
        killed = subprocess.Popen([sys.executable, "-c", MIGRATE, database_url, str(folder)])
        until(database_url, INDEXES, HALF_MADE)
        killed.kill()
        killed.wait()
        begun = sql_rows(number)
        migrating = thread(lambda: database.migrate(database_url, folder))
        waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'ShareUpdateExclusiveLock'"
        until(database_url, waiting, [(True,)])
        writer.commit()
    migrating.join()
    assert sql_rows(INDEXES) == MADE
    assert sql_rows(number) == begun


def test_a_connection_that_breaks_begins_again_and_patience_has_an_end(
    database_url: str, tmp_path: Path, sql_rows, monkeypatch, caplog
):
    folder = upgrade(tmp_path / "sql", FILE)
    monkeypatch.setattr(concurrent_indexes, "LEAST_PATIENCE", timedelta())
    with a_writer(database_url) as writer:
        with pytest.raises(database.DatabaseError, match="given up: CREATE INDEX CONCURRENTLY hosts_more"):
            database.migrate(database_url, folder, timedelta(seconds=1))
        assert sql_rows(INDEXES) == HALF_MADE
        migrating = thread(lambda: database.migrate(database_url, folder))
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%%CONCURRENTLY%%hosts_more%%'"
        until(database_url, ended + " AND pid <> pg_backend_pid()", [(True,)])
        writer.commit()
    migrating.join()
    assert "was broken off and begins again" in caplog.text
    assert sql_rows(INDEXES) == MADE


def test_who_only_looks_and_who_may_not_go_on_without(with_roles: str, tmp_path: Path, caplog):
    database.make_roles(with_roles, {})
    folder = upgrade(tmp_path / "sql", FILE)
    assert database.migrate(with_roles, folder, timedelta(seconds=10)) == []
    assert database.migrate(as_role(with_roles, "nachlese_reader"), folder) == []
    assert database.migrate(as_role(with_roles, "nachlese_writer"), folder) == []
    assert [record.levelno for record in caplog.records if "as the owner" in record.message] == [logging.WARNING]
    assert database.migrate(as_role(with_roles, "nachlese_owner"), folder) == ["9999_more"]


def test_a_table_of_months_gets_its_index_month_by_month(database_url: str, tmp_path: Path, sql_rows):
    partition(database_url)
    text = "-- concurrently\nCREATE INDEX CONCURRENTLY attempts_status ON ingest.attempts (status);\n"
    folder = upgrade(tmp_path / "sql", text)
    # an earlier try got as far as here
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE INDEX attempts_rest_attempts_status ON ingest.attempts_rest (status)")
    assert database.migrate(database_url, folder) == ["9999_more"]
    whole = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ingest.attempts_status'::regclass"
    assert sql_rows(whole) == [(True,)]
    tables = sql_rows("SELECT count(*) FROM pg_inherits WHERE inhparent = 'ingest.attempts'::regclass")
    assert sql_rows("SELECT count(*) FROM pg_inherits WHERE inhparent = 'ingest.attempts_status'::regclass") == tables


@pytest.mark.parametrize(
    "statement",
    ["CREATE INDEX more ON ingest.hosts (host)", "ALTER TABLE ingest.hosts ADD more int", "SELECT 1; SELECT 2"],
)
def test_what_cannot_be_done_outside_a_transaction_is_refused(database_url: str, tmp_path: Path, statement: str):
    folder = upgrade(tmp_path / "sql", f"-- concurrently\n{statement};\n")
    with pytest.raises(database.DatabaseError, match=r"9999_more\.sql: .*expected is CREATE INDEX"):
        database.migrate(database_url, folder)


def test_rows_that_are_twice_there_name_the_file(database_url: str, tmp_path: Path, sql_rows):
    sql_rows("INSERT INTO ingest.hosts (host) VALUES ('a.example'), ('A.example') RETURNING 1")
    folder = upgrade(tmp_path / "sql", FILE)
    with pytest.raises(database.DatabaseError, match=r"9999_more\.sql: could not create unique index"):
        database.migrate(database_url, folder)
    sql_rows("DELETE FROM ingest.hosts WHERE host = 'A.example' RETURNING 1")
    assert database.migrate(database_url, folder) == ["9999_more"]
    assert sql_rows(INDEXES) == MADE


def test_postgres_15_and_pgbouncer_can_do_the_same(tmp_path: Path):
    folder = upgrade(tmp_path / "sql", FILE)
    with postgres_15() as server, pgbouncer(server) as dsn:
        assert database.migrate(dsn, folder)[-1] == "9999_more"
        with psycopg.connect(server) as connection:
            assert connection.execute(INDEXES).fetchall() == MADE
