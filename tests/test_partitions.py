"""deploy/postgres/partition-*.sql on a database in use: nothing is lost, and what is old goes as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from pipelines import database
from pipelines.backup import run_program
from pipelines.items import Reason
from pipelines.store import Store
from tests.conftest import fresh_database
from tests.test_copies import report
from tests.test_retention import keep
from tests.test_store import begin, enqueue

SCRIPT = Path(__file__).parents[1] / "deploy/postgres/partition-attempts.sql"
MONTHS = "SELECT name::text FROM ingest.attempts_partitions() ORDER BY begins, ends"
COLUMNS = "SELECT * FROM information_schema.columns WHERE table_schema = 'news' ORDER BY table_name, column_name"
KEYS = (
    "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE conrelid = 'ingest.attempts'::regclass AND contype IN ('c', 'f') ORDER BY 1"
)
COMMENTS = (
    "SELECT classoid::regclass::text, relname, objsubid, description FROM pg_description JOIN pg_class ON oid = objoid "
    "WHERE relname IN ('attempts', 'attempts_of_source', 'attempts_of_page') "
    "AND relnamespace = 'ingest'::regnamespace ORDER BY 2, 3"
)


def partition(dsn: str, script: Path = SCRIPT) -> None:
    run_program("psql", dsn, ["-qX", "-v", "ON_ERROR_STOP=1", "-f", str(script)])


@pytest.fixture
async def in_use(store, database_url, sql_rows):
    """A run that is under way while the table is partitioned; ids of the requests before."""
    run = await begin(store)
    await enqueue(store, run, "https://a.example/1")
    await keep(store, run, "a.example/1", report(1))
    before = sql_rows("SELECT * FROM news.attempts ORDER BY id")
    shape = [sql_rows(each) for each in (COLUMNS, KEYS, COMMENTS)]
    partition(database_url)
    assert sql_rows("SELECT * FROM news.attempts ORDER BY id") == before
    assert [sql_rows(each) for each in (COLUMNS, KEYS, COMMENTS)] == shape
    return run


async def test_the_store_goes_on_and_everything_else_finds_what_it_found(in_use, store, database_url, sql_rows):
    await keep(store, in_use, "a.example/2", report(2))
    await store.reject(in_use, "https://a.example/3", Reason.SOFT_404)
    assert (await store.end_run(in_use, "finished")).new == 2
    assert sql_rows("SELECT array_agg(id ORDER BY id) FROM news.attempts") == [([1, 2, 3, 4],)]
    assert len((await store.explain("https://a.example/2"))["attempts"]) == 1
    assert sql_rows("SELECT DISTINCT tableoid::regclass::text FROM ingest.attempts") == [("ingest.attempts_first",)]
    partition(database_url)  # again, and nothing changes
    assert database.migrate(database_url) == []
    assert sql_rows("SELECT count(*) FROM news.attempts") == [(4,)]


async def test_pruning_makes_the_next_months_and_drops_the_old_ones(in_use, store, database_url, sql_rows):
    now = datetime.now(UTC)
    months = [name for (name,) in sql_rows(MONTHS)]
    assert months[0] == "ingest.attempts_first"
    assert len(months) >= 4
    assert "ingest.attempts_rest" in months
    [(ends,)] = sql_rows("SELECT ends FROM ingest.attempts_partitions() WHERE name::text = 'ingest.attempts_first'")
    assert now + timedelta(days=1) < ends
    later = "INSERT INTO ingest.attempts (at, run_id, source, kind, outcome) VALUES (%s, %s, 'example', 'feed', 'ok')"
    for at in (ends, ends + timedelta(days=40), now + timedelta(days=4000)):
        sql_rows(f"{later} RETURNING id", at, in_use.id)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ANALYZE ingest.attempts_first")  # what is dropped whole is counted by an estimate
    nothing = await store.prune(bookkeeping=ends - timedelta(seconds=1))
    assert nothing["attempts"] == 0
    assert (await store.prune(bookkeeping=ends, is_dry=True))["attempts"] == 2
    assert (await store.prune(bookkeeping=ends))["attempts"] == 2
    assert sql_rows("SELECT count(*), min(at) FROM news.attempts") == [(3, ends)]
    assert "ingest.attempts_first" not in [name for (name,) in sql_rows(MONTHS)]
    # what was written for a time that has no month yet is there, and goes by its age
    assert sql_rows("SELECT count(*) FROM ingest.attempts_rest") == [(1,)]
    await store.prune(bookkeeping=now + timedelta(days=4001))
    assert sql_rows("SELECT count(*) FROM news.attempts") == [(0,)]
    await store.prune()  # nothing is too old, and the months are made
    assert len(sql_rows(MONTHS)) >= 4


RUN_PAGES = SCRIPT.with_name("partition-run-pages.sql")
SHAPE = (COLUMNS, KEYS.replace("attempts", "run_pages"), COMMENTS.replace("attempts", "run_pages"))
BLOCKS = "SELECT name::text, begins, ends FROM ingest.run_pages_partitions() ORDER BY begins, ends"


async def test_endings_of_pages_go_by_blocks_of_runs(store, database_url, sql_rows):
    old, run = await begin(store), await begin(store, "other")
    for one, site in ((old, "a"), (run, "b")):
        await enqueue(store, one, f"https://{site}.example/1")
        await keep(store, one, f"{site}.example/1", report(1 + (site == "b")))
    await store.end_run(old, "finished")
    before, shape = sql_rows("SELECT * FROM news.page_runs ORDER BY run"), [sql_rows(each) for each in SHAPE]
    partition(database_url, RUN_PAGES)
    assert sql_rows("SELECT * FROM news.page_runs ORDER BY run") == before
    assert [sql_rows(each) for each in SHAPE] == shape
    # a run under way goes on in its block, and a page ends once
    await keep(store, run, "b.example/1", report(2))
    await keep(store, run, "b.example/2", report(3))
    await store.reject(run, "https://b.example/3", Reason.SOFT_404)
    assert len((await store.explain("https://b.example/1"))["endings"]) == 1
    counts = await store.end_run(run, "finished")
    assert (counts.new, counts.rejected) == (2, 1)
    partition(database_url, RUN_PAGES)  # again, and nothing changes
    assert database.migrate(database_url) == []
    first, *others = sql_rows(BLOCKS)
    assert first == ("ingest.run_pages_first", 0, run.id + 100_000)
    assert [name for name, *_, ends in others if ends is None] == ["ingest.run_pages_rest"]
    [second] = [name for name, begins, _ in others if begins == first[2]]
    # many runs later
    sql_rows("SELECT setval(pg_get_serial_sequence('ingest.runs', 'id'), %s)", first[2] + 10)
    last = await begin(store)
    await keep(store, last, "a.example/5", report(5))
    assert sql_rows("SELECT DISTINCT tableoid::regclass::text FROM ingest.run_pages WHERE run_id = %s", last.id) == [
        (second,)
    ]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ANALYZE ingest.run_pages_first")
    now = datetime.now(UTC)
    assert (await store.prune(bookkeeping=now - timedelta(days=1)))["run_pages"] == 0
    assert (await store.prune(bookkeeping=now + timedelta(days=1), is_dry=True))["run_pages"] == 4
    pruned = await store.prune(bookkeeping=now + timedelta(days=1), runs=now + timedelta(days=1))
    assert (pruned["run_pages"], pruned["runs"]) == (4, 0)
    assert sql_rows("SELECT DISTINCT run FROM news.page_runs") == [(last.id,)]
    assert "ingest.run_pages_first" not in [name for name, *_ in sql_rows(BLOCKS)]
    assert (await store.end_run(last, "finished")).new == 1


async def test_postgres_15_can_do_the_same(postgres15: str):
    for dsn in fresh_database(postgres15, "template0"):
        database.migrate(dsn)
        partition(dsn)
        partition(dsn, RUN_PAGES)
        async with await Store.open(dsn) as store:
            run = await begin(store)
            await enqueue(store, run, "https://a.example/1")
            await keep(store, run, "a.example/1", report(1))
            assert len((await store.explain("https://a.example/1"))["attempts"]) == 1
            assert (await store.prune(bookkeeping=datetime(2020, 1, 1, tzinfo=UTC)))["attempts"] == 0
