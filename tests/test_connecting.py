"""Whatever a server has for defaults, and through PgBouncer too, connections are as we want them, or are refused."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import conninfo, sql

from crawler import runs
from pipelines import connecting, database
from pipelines.store import Store
from tests.servers import pgbouncer, postgres_15
from tests.test_crawl import Web, article, configured, counted, opened_services, site
from tests.test_store import article as read_of
from tests.test_store import begin, page, words_of

__all__ = ["site"]  # a fixture

PATHS = ("/1", "/2", "/3", "/4")
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_15() as dsn:
        yield dsn


def made(server: str, more: str = "TEMPLATE template0 ENCODING 'UTF8'") -> str:
    """The DSN of a new database."""
    name = f"news_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {more}")
    return conninfo.make_conninfo(server, dbname=name)


def with_pages(site: Web) -> Web:
    site.pages.update({path: article(path[1:] + "🦉") for path in PATHS})
    site.feed(*PATHS)
    return site


async def crawls(folder, site: Web, dsn: str) -> None:
    """Two rounds, and everything that people ask, over *dsn*."""
    async with opened_services(configured(folder, with_pages(site)), dsn) as services:
        first, second = [await runs.crawl_source(services, "blatt") for _ in range(2)]
        assert (first.outcome, counted(first)) == ("finished", {"found": 4, "new": 4}), str(first)
        assert (second.outcome, counted(second)) == ("finished", {"found": 4, "unchanged": 4}), str(second)
        assert {row["source"] for row in await services.store.articles()} == {"blatt"}
        assert (await services.store.last_runs())[0]["started_at"].utcoffset() == timedelta(0)
        assert await services.store.search("Brücke")


async def test_postgres_15_is_crawled_into(tmp_path, site: Web, server: str):
    await crawls(tmp_path, site, made(server))


@pytest.mark.parametrize(
    "defaults",
    [
        ("datestyle", "German, DMY"),
        ("datestyle", "SQL, MDY"),
        ("datestyle", "Postgres, DMY"),
        ("intervalstyle", "sql_standard"),
        ("intervalstyle", "iso_8601"),
        ("timezone", "Asia/Kathmandu"),
        ("client_encoding", "LATIN1"),
        ("bytea_output", "escape"),
        ("standard_conforming_strings", "off"),
        ("default_transaction_isolation", "serializable"),
        ("extra_float_digits", "-5"),
        ("search_path", "nowhere"),
        ("lc_messages", "de_DE.UTF-8"),
    ],
    ids=" ".join,
)
async def test_defaults_of_the_database_make_no_difference(tmp_path, site: Web, server: str, defaults):
    dsn = made(server)
    name = conninfo.conninfo_to_dict(dsn)["dbname"]
    with psycopg.connect(server, autocommit=True) as connection:
        try:
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(name), sql.Identifier(defaults[0]), sql.Literal(defaults[1])
                )
            )
        except psycopg.errors.InvalidParameterValue:
            pytest.skip(f"this machine has no {defaults[1]}")
    await crawls(tmp_path, site, dsn)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_an_encoding_that_cannot_hold_every_text_is_refused_by_name(server: str, encoding: str):
    dsn = made(server, f"TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
    for opened in (lambda: database.migrate(dsn), lambda: database.wait_for(dsn)):
        with pytest.raises(database.DatabaseError, match=f"encoding {encoding}.*ENCODING 'UTF8'"):
            opened()
    with pytest.raises(database.DatabaseError, match=f"encoding {encoding}"):
        await database.until_there(dsn)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT to_regnamespace('ingest')").fetchone() == (None,)


def test_a_version_that_is_too_old_is_refused_before_the_first_table(server: str, monkeypatch):
    dsn = made(server)
    monkeypatch.setattr(connecting, "LEAST_VERSION", 16)
    with pytest.raises(database.DatabaseError, match=r"is Postgres 15\.\d+.*needs version 16 or later"):
        database.migrate(dsn)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT to_regnamespace('ingest')").fetchone() == (None,)


# ---------------------------------------------------------------------------------------------------------------------
# PgBouncer


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ignore_startup_parameters": "options,extra_float_digits"},
        {"pool_mode": "session"},
        {"default_pool_size": "1"},
    ],
    ids=["transaction", "options ignored", "session", "one connection"],
)
async def test_a_crawl_goes_through_pgbouncer(tmp_path, site: Web, server: str, settings):
    with pgbouncer(made(server), **settings) as dsn:
        await crawls(tmp_path, site, dsn)


async def test_settings_hold_in_each_transaction_behind_pgbouncer(server: str):
    dsn = made(server)
    name = sql.Identifier(conninfo.conninfo_to_dict(dsn)["dbname"])
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} SET datestyle = 'German, DMY'").format(name))
        connection.execute(sql.SQL("ALTER DATABASE {} SET intervalstyle = 'iso_8601'").format(name))
    with pgbouncer(dsn) as pooled:
        database.migrate(pooled)
        async with await Store.open(pooled) as store:
            run = await begin(store)
            pages = [page(f"https://news.example/{n}") for n in range(40)]
            kept = [store.save_article(run, one, read_of(one, text=words_of(n))) for n, one in enumerate(pages)]
            endings = await asyncio.gather(*kept, *(store.articles() for _ in range(20)))
            assert [outcome.kind for outcome in endings[:40]] == ["new"] * 40
            row = await store._do(
                "SELECT current_setting('lock_timeout') AS lock, now() AS now, interval '1 day 2 seconds' AS step, "
                "current_setting('statement_timeout') AS statement"
            )
            assert (row[0]["lock"], row[0]["statement"]) == ("30s", "2min")
            assert row[0]["step"] == timedelta(days=1, seconds=2)
        with database.connected(pooled) as connection:
            assert connection.execute("SELECT now()").fetchone()[0].tzinfo is not None


def test_statement_pooling_is_refused_by_name(server: str):
    with (
        pgbouncer(made(server), pool_mode="statement") as dsn,
        pytest.raises(database.DatabaseError, match=r"refuses:.*pooling mode"),
    ):
        database.wait_for(dsn, timedelta(seconds=30))


async def test_pgbouncer_that_was_killed_is_waited_for(server: str):
    with pgbouncer(made(server)) as dsn:
        database.migrate(dsn)
        store = await Store.open(dsn, timedelta(seconds=2))
        assert await store.articles() == []
    async with store:
        with pytest.raises(database.DatabaseError, match="does not answer"):
            await store.articles()


# ---------------------------------------------------------------------------------------------------------------------
# refused in another language


async def test_a_server_that_refuses_in_another_language_is_not_waited_for(server: str, monkeypatch):
    monkeypatch.setattr("pipelines.postgres._REFUSALS", ())  # as if it had spoken German
    monkeypatch.setattr(connecting, "REFUSED_AFTER", 0.0)
    dsn = conninfo.make_conninfo(server, dbname="no_such_database")
    with pytest.raises(database.DatabaseError, match="refuses"):
        database.wait_for(dsn, timedelta(days=1))
    with pytest.raises(database.DatabaseError, match="refuses"):
        await database.until_there(dsn, timedelta(days=1))
    with pytest.raises(database.DatabaseError, match="refuses"):
        await Store.open(dsn, timedelta(days=1))


def test_a_server_that_was_got_into_before_is_away_and_not_refusing(server: str, monkeypatch):
    monkeypatch.setattr(connecting, "REFUSED_AFTER", 0.0)
    dsn = made(server)
    database.wait_for(dsn)
    assert not database.RetryDeadline(dsn, timedelta(days=1)).is_doubtful
    assert database.RetryDeadline(dsn + " application_name=other", timedelta(days=1)).is_doubtful


async def test_the_store_s_transactions_wait_for_nobody(store):
    [row] = await store._do("SELECT current_setting('idle_in_transaction_session_timeout') AS idle")
    assert row["idle"] == "15s"
