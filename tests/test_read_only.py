"""`nachlese db query` looks and changes nothing, whoever asks."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from crawler.cli import app
from pipelines import database
from tests.test_cli import untouched_logging
from tests.test_roles import as_role, with_roles

__all__ = ["untouched_logging", "with_roles"]  # fixtures

READ = [
    ("SELECT count(*) FROM news.articles", ["count"], [(0,)]),
    ("  -- how many\n/* of\nthem */ (SELECT 1 AS one)", ["one"], [(1,)]),
    ("WITH a AS (SELECT 2 AS b) SELECT b FROM a;", ["b"], [(2,)]),
    ("VALUES (1, 'ä')", ["column1", "column2"], [(1, "ä")]),
    ("SHOW transaction_read_only", ["transaction_read_only"], [("on",)]),
    ("SELECT '100 %' AS share, 'a;b' AS c", ["share", "c"], [("100 %", "a;b")]),
    ("SELECT 1 WHERE false", ["?column?"], []),
]
CHANGE = [
    "INSERT INTO ingest.sources (name, title) VALUES ('x', 'x')",
    "SET TRANSACTION READ WRITE",
    "SET TRANSACTION READ WRITE; INSERT INTO ingest.sources (name, title) VALUES ('x', 'x')",
    "SELECT 1; INSERT INTO ingest.sources (name, title) VALUES ('x', 'x')",
    "COMMIT; INSERT INTO ingest.sources (name, title) VALUES ('x', 'x')",
    "SELECT 1; COMMIT; INSERT INTO ingest.sources (name, title) VALUES ('x', 'x')",
    "WITH made AS (INSERT INTO ingest.sources (name, title) VALUES ('x', 'x') RETURNING 1) SELECT * FROM made",
    "EXPLAIN ANALYZE INSERT INTO ingest.sources (name, title) VALUES ('x', 'x')",
    "SELECT 'x' AS name INTO ingest.made",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT nextval('ingest.articles_id_seq')",
    "SELECT * FROM ingest.sources FOR UPDATE",
    "DO $$ BEGIN COMMIT; INSERT INTO ingest.sources (name, title) VALUES ('x', 'x'); END $$",
    "COPY (SELECT 1) TO PROGRAM 'cat > {file}'",
    "COPY (SELECT 1) TO '{file}'",
    "/* SELECT */ COPY (SELECT 1) TO PROGRAM 'cat > {file}'",
    "DO $$ BEGIN COPY (SELECT 1) TO PROGRAM 'cat > {file}'; END $$",
    "SELECT lo_export(lo_from_bytea(0, 'x'), '{file}')",
    "SELECT pg_read_file('PG_VERSION')",
    "ALTER SYSTEM SET work_mem = '5MB'",
    "CALL nothing()",
    "VACUUM",
    "RESET ROLE",
    "",
    "   -- nothing",
]


def sources(dsn: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT name FROM ingest.sources").fetchall()


@pytest.mark.parametrize(("statement", "names", "rows"), READ)
def test_what_reads_is_answered(database_url: str, statement: str, names: list[str], rows: list[tuple]):
    assert database.run_read_only(database_url, statement) == (names, rows)


@pytest.mark.parametrize("statement", CHANGE)
def test_a_superuser_changes_nothing(database_url: str, tmp_path: Path, statement: str):
    tmp_path.chmod(0o777)
    file = tmp_path / "written"
    with pytest.raises(database.QueryRefused):
        database.run_read_only(database_url, statement.replace("{file}", str(file)))
    assert not file.exists()
    assert sources(database_url) == []


def test_it_runs_as_the_reader_where_there_is_one(with_roles: str):
    assert database.run_read_only(with_roles, "SELECT current_user")[1] == [("pg_read_all_data",)]
    database.make_roles(with_roles, {})
    assert database.run_read_only(with_roles, "SELECT current_user")[1] == [("nachlese_reader",)]
    assert database.run_read_only(with_roles, "SELECT count(*) FROM news.articles")[1] == [(0,)]
    with pytest.raises(database.QueryRefused, match="permission denied for schema ingest"):
        database.run_read_only(with_roles, "SELECT FROM ingest.pages")


def test_a_reader_that_was_made_for_another_database_is_not_asked(with_roles: str):
    database.make_roles(with_roles, {})
    with psycopg.connect(with_roles, autocommit=True) as connection:
        connection.execute("REVOKE USAGE ON SCHEMA news FROM nachlese_reader")
    assert database.run_read_only(with_roles, "SELECT count(*) FROM news.articles")[1] == [(0,)]


def test_what_is_refused_is_exit_code_2_and_says_what_is_run(database_url: str, monkeypatch):
    monkeypatch.setenv("NACHLESE_DATABASE_URL", database_url)
    result = CliRunner().invoke(app, ["db", "query", "DELETE FROM ingest.sources"])
    assert result.exit_code == 2
    assert "DELETE is not run here" in result.stderr
    assert "SELECT" in result.stderr
    done = CliRunner().invoke(app, ["db", "query", "--json", "SELECT 1 AS one"])
    assert (done.exit_code, done.stdout) == (0, '{"one": 1}\n')


WRITTEN = [
    ("interval '-20 minutes'", "-00:20:00", '"-00:20:00"'),
    ("interval '1 mon 2 days'", "1 mon 2 days", '"1 mon 2 days"'),
    ("'infinity'::timestamptz", "infinity", '"infinity"'),
    ("'0044-03-15 BC'::date", "0044-03-15 BC", '"0044-03-15 BC"'),
    ("time '24:00'", "24:00:00", '"24:00:00"'),
    ("'2026-11-28 18:25:50+00'::timestamptz", "2026-11-28 18:25:50+00", '"2026-11-28T18:25:50+00:00"'),
    ("date '2026-11-28'", "2026-11-28", '"2026-11-28"'),
    ("decode('6a1f', 'hex')", "\\x6a1f", '"\\\\x6a1f"'),
    ("round(100 * 0.5)", "50", "50"),
    ("1.25", "1.25", "1.25"),
    ("'NaN'::numeric", "NaN", '"NaN"'),
    ("'NaN'::float8", "NaN", '"NaN"'),
    ("'-Infinity'::float4", "-Infinity", '"-Infinity"'),
    ("true", "t", "true"),
    ("ARRAY['a', 'b c']", '{a,"b c"}', '["a", "b c"]'),
    ("ARRAY[1.5, NULL]", "{1.5,NULL}", "[1.5, null]"),
    ("""'{"gone": [2, null]}'::jsonb""", '{"gone": [2, null]}', '{"gone": [2, null]}'),
    ("'[1,3)'::int4range", "[1,3)", '"[1,3)"'),
    ("'10.0.0.0/8'::cidr", "10.0.0.0/8", '"10.0.0.0/8"'),
    ("'00000000-0000-0000-0000-000000000001'::uuid", "00000000-0000-0000-0000-000000000001",
     '"00000000-0000-0000-0000-000000000001"'),
]  # fmt: skip


@pytest.mark.parametrize(("value", "shown", "as_json"), WRITTEN)
def test_a_value_is_shown_as_postgres_writes_it_and_in_json_as_json_has_it(
    database_url: str, monkeypatch, value: str, shown: str, as_json: str
):
    monkeypatch.setenv("NACHLESE_DATABASE_URL", database_url)
    table = CliRunner().invoke(app, ["db", "query", f"SELECT {value} AS one"])
    assert (table.exit_code, [line.rstrip() for line in table.stdout.splitlines()]) == (0, ["one", shown, "1 row"])
    line = CliRunner().invoke(app, ["db", "query", "--json", f"SELECT {value} AS one"])
    assert (line.exit_code, line.stdout) == (0, f'{{"one": {as_json}}}\n')


def test_a_reader_may_ask_too(with_roles: str, monkeypatch):
    database.make_roles(with_roles, {})
    monkeypatch.setenv("NACHLESE_DATABASE_URL", as_role(with_roles, "nachlese_reader"))
    done = CliRunner().invoke(app, ["db", "query", "--json", "SELECT count(*) AS number FROM news.articles"])
    assert (done.exit_code, done.stdout) == (0, '{"number": 0}\n')
