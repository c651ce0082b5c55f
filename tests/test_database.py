"""The database is found, started, waited for and migrated by any number of processes; no password is ever shown."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from pipelines import database
from pipelines.database import SQL, DatabaseError

NOW = timedelta(0)


def python(code: str, *arguments: str, **more) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(SQL.parent.parent)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, text=True, stdout=subprocess.PIPE, **more
    )


# ---------------------------------------------------------------------------------------------------------------------
# the address


def test_the_environment_names_the_database(tmp_path: Path):
    dsn = "postgresql://u:p@db.example:5433/news"
    assert database.address({"NACHLESE_DATABASE_URL": dsn, "NACHLESE_HOME": str(tmp_path)}) == dsn
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://u:geheim@db.example:5433/news", "postgresql://u@db.example:5433/news"),
        ("host=db.example user=u password=geheim dbname=news", "postgresql://u@db.example/news"),
        ("postgresql://u:geheim@/news?host=/run/pg", "postgresql://u@/news?host=/run/pg"),
    ],
)
def test_a_shown_address_has_no_password(dsn: str, shown: str):
    assert database.shown(dsn) == shown


@pytest.mark.parametrize(
    "dsn", ["postgresql://u:gehe%im@h/x", "postgresql://u:geheim@h:port/x", "geheim", "mysql://u:geheim@h/x"]
)
def test_an_address_that_is_none_is_refused_without_its_password(dsn: str):
    with pytest.raises(DatabaseError) as error:
        database.address({"NACHLESE_DATABASE_URL": dsn})
        database.wait_for(dsn, NOW)
    assert "gehe" not in str(error.value)


def test_no_answer_is_an_error_without_the_password():
    with pytest.raises(DatabaseError, match=r"u@127\.0\.0\.1:1/x does not answer") as error:
        database.wait_for("postgresql://u:geheim@127.0.0.1:1/x", NOW)
    assert "geheim" not in str(error.value)


def test_a_database_that_is_not_there_is_not_waited_for(postgres_server: str):
    with pytest.raises(DatabaseError, match="refuses"):
        database.wait_for(psycopg.conninfo.make_conninfo(postgres_server, dbname="no_such_database"))


def test_passwords_are_taken_out_of_messages():
    dsn = "postgresql://u:geheim@h/x"
    assert "geheim" not in database.safe_text(ValueError("wrong geheim\nfor postgresql://v:anderes@h"), dsn)
    assert "anderes" not in database.safe_text(ValueError("for postgresql://v:anderes@h/y"))
    assert "\n" not in database.safe_text(ValueError("one\ntwo\x1b[31m"))


# ---------------------------------------------------------------------------------------------------------------------
# the embedded server

JOIN = """
import sys, pathlib, psycopg
from pipelines import database
dsn = database.embedded(pathlib.Path(sys.argv[1]))
with psycopg.connect(dsn) as connection:
    print(connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0], flush=True)
sys.stdin.read()
database.wait_for(dsn)
"""


def test_several_processes_share_the_server_and_the_last_one_stops_it(server_folder: Path):
    folder = server_folder / "home" / "postgres"
    users = [python(JOIN, str(folder), stdin=subprocess.PIPE) for _ in range(3)]
    started = {user.stdout.readline() for user in users}
    assert len(started) == 1
    first, killed, last = users
    first.communicate("")
    assert first.returncode == 0
    assert (folder / "postmaster.pid").exists()
    killed.kill()
    killed.communicate()
    last.communicate("")
    assert last.returncode == 0  # the server was still there for it
    assert not (folder / "postmaster.pid").exists()


def test_a_server_that_was_killed_is_started_again(server_folder: Path):
    dsn = database.embedded(server_folder / "postgres")
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (a int)")
        os.kill(int((server_folder / "postgres" / "postmaster.pid").read_text().split()[0]), 9)
        with database.connected(dsn, timedelta(minutes=2)) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        database.leave(dsn)


def test_another_programs_number_in_the_pid_file_does_not_keep_the_server_away(server_folder: Path):
    folder = server_folder / "postgres"
    dsn = database.embedded(folder)
    lines = (folder / "postmaster.pid").read_text().splitlines()
    database.leave(dsn)
    (folder / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    database.wait_for(database.embedded(folder))
    database.leave(dsn)


def test_a_folder_that_cannot_be_used_is_named(server_folder: Path):
    (server_folder / "file").write_text("")
    with pytest.raises(DatabaseError, match=r"does not start.*NACHLESE_DATABASE_URL"):
        database.embedded(server_folder / "file" / "postgres")


def test_a_folder_that_a_shell_would_tear_apart_is_refused(server_folder: Path):
    with pytest.raises(DatabaseError, match="NACHLESE_HOME"):
        database.embedded(server_folder / "my home" / "postgres")


def test_files_that_were_half_made_are_made_again(server_folder: Path):
    half = server_folder / "postgres.new-1"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    dsn = database.embedded(server_folder / "postgres")
    database.wait_for(dsn)
    database.leave(dsn)
    assert not half.exists()


def test_folders_above_stay_as_closed_as_they_were(server_folder: Path):
    closed = server_folder / "closed"
    closed.mkdir(mode=0o700)
    dsn = database.embedded(closed / "home" / "ä%41" / "postgres")
    database.wait_for(dsn)
    database.leave(dsn)
    assert closed.stat().st_mode & 0o066 == 0  # passing through is all that others may


# ---------------------------------------------------------------------------------------------------------------------
# migrations

MIGRATE = "import sys; from pipelines import database; print(len(database.migrate(sys.argv[1])))"


def test_several_processes_migrate_at_once_and_each_file_is_applied_once(empty_database: str):
    done = [process.communicate()[0] for process in [python(MIGRATE, empty_database) for _ in range(4)]]
    files = len(list((SQL / "migrations").glob("*.sql")))
    assert sorted(done) == ["0\n", "0\n", "0\n", f"{files + 1}\n"]
    assert database.migrate(empty_database) == []


def folder_of(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        kind, _, stem = name.partition("_")
        (tmp_path / kind).mkdir(exist_ok=True)
        (tmp_path / kind / f"{stem}.sql").write_text(text)
    return tmp_path


def test_a_changed_view_is_applied_again_and_may_only_grow(empty_database: str, tmp_path: Path):
    view = "CREATE OR REPLACE VIEW ingest.v AS SELECT 1 AS a"
    folder = folder_of(tmp_path, migrations_1="SELECT 1", views_v=view)
    assert database.migrate(empty_database, folder) == ["1", "views"]
    folder_of(tmp_path, views_v=view + ", 2 AS b")
    assert database.migrate(empty_database, folder) == ["views"]
    folder_of(tmp_path, views_v=view)
    with pytest.raises(DatabaseError, match="cannot drop columns"):
        database.migrate(empty_database, folder)


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: str, tmp_path: Path):
    folder = folder_of(tmp_path, migrations_1="CREATE TABLE ingest.a (a int); SELECT 1/0;")
    with pytest.raises(DatabaseError, match=r"1\.sql: division by zero"):
        database.migrate(empty_database, folder)
    folder_of(tmp_path, migrations_1="CREATE TABLE ingest.a (a int)")
    assert database.migrate(empty_database, folder) == ["1", "views"]


def test_a_migration_that_was_changed_afterwards_is_refused(empty_database: str, tmp_path: Path):
    folder = folder_of(tmp_path, migrations_1="SELECT 1")
    database.migrate(empty_database, folder)
    folder_of(tmp_path, migrations_1="SELECT 2")
    with pytest.raises(DatabaseError, match=r"1\.sql was changed"):
        database.migrate(empty_database, folder)


def test_a_newer_database_is_refused(empty_database: str, tmp_path: Path):
    database.migrate(empty_database, folder_of(tmp_path, migrations_1="SELECT 1", migrations_2="SELECT 2"))
    (tmp_path / "migrations" / "2.sql").unlink()
    with pytest.raises(DatabaseError, match="newer than this Nachlese"):
        database.migrate(empty_database, tmp_path)


def test_every_schema_table_view_column_and_index_has_a_comment(sql_rows):
    assert (
        sql_rows(
            "SELECT nspname FROM pg_namespace WHERE nspname IN ('ingest', 'news') AND obj_description(oid) IS NULL"
        )
        == []
    )
    assert (
        sql_rows(
            """
        SELECT c.relname, a.attname
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('ingest', 'news')
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'v')
          AND (obj_description(c.oid) IS NULL OR col_description(c.oid, a.attnum) IS NULL)
        """
        )
        == []
    )
    assert (
        sql_rows(
            """
        SELECT c.relname
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'ingest'
        WHERE c.relkind = 'i' AND obj_description(c.oid) IS NULL
          AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
        """
        )
        == []
    )


def test_a_database_that_is_away_is_a_line_a_minute(caplog):
    dsn = "postgresql://nachlese:geheim@db.example/line-a-minute"
    waiting = [database.RetryDeadline(dsn, timedelta(days=1)) for _ in range(20)]  # each page in flight has one
    for patience in waiting:
        patience.next_line = 0.0  # the first two seconds are over
    for patience in waiting * 50:
        patience.next_wait(ValueError("no route to geheim"))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "geheim" not in caplog.text
