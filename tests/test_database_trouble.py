"""What is wrong with the database is no article's fault: the run fails and says why, and every page comes again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest
from psycopg import conninfo, sql

from crawler import runs
from crawler.services import open_services
from pipelines import database
from pipelines.items import Reason
from pipelines.store import Store, batches, connections
from tests.test_crawl import Web, article, configured, counted, opened_services, site
from tests.test_roles import as_role, with_roles
from tests.test_store import T, begin, page, words_of
from tests.test_store import article as read_of

__all__ = ["site", "with_roles"]  # fixtures

PATHS = ("/1", "/2", "/3")

# what was done to the database, how it is undone, and what the error of the run must name
TROUBLES = {
    "a missing right": (
        "REVOKE INSERT ON ingest.versions FROM nachlese_writer",
        "GRANT INSERT ON ingest.versions TO nachlese_writer",
        "permission denied for table versions",
    ),
    "no right to a sequence": (
        "REVOKE USAGE ON SEQUENCE ingest.articles_id_seq FROM nachlese_writer",
        "GRANT USAGE ON SEQUENCE ingest.articles_id_seq TO nachlese_writer",
        "permission denied for sequence articles_id_seq",
    ),
    "no right to look": (
        "REVOKE SELECT ON ingest.bands FROM nachlese_writer",
        "GRANT SELECT ON ingest.bands TO nachlese_writer",
        "permission denied for table bands",
    ),
    "a renamed column": (
        "ALTER TABLE ingest.versions RENAME COLUMN teaser TO lead",
        "ALTER TABLE ingest.versions RENAME COLUMN lead TO teaser",
        "teaser",
    ),
    "a renamed table": (
        "ALTER TABLE ingest.attempts RENAME TO requests",
        "ALTER TABLE ingest.requests RENAME TO attempts",
        "ingest.attempts",
    ),
    "a trigger that raises": (
        "CREATE FUNCTION ingest.no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'nicht heute'; END $$; "
        "CREATE TRIGGER no BEFORE INSERT ON ingest.versions FOR EACH ROW EXECUTE FUNCTION ingest.no()",
        "DROP TRIGGER no ON ingest.versions",
        "nicht heute",
    ),
    "a trigger that calls it the row's fault": (
        "CREATE FUNCTION ingest.no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'nicht heute' USING ERRCODE = 'check_violation'; END $$; "
        "CREATE TRIGGER no BEFORE INSERT ON ingest.versions FOR EACH ROW EXECUTE FUNCTION ingest.no()",
        "DROP TRIGGER no ON ingest.versions",
        "nicht heute",
    ),
    "an error of the disk": (
        "CREATE FUNCTION ingest.no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'could not read block 7' USING ERRCODE = '58030'; END $$; "
        "CREATE TRIGGER no BEFORE INSERT ON ingest.articles FOR EACH ROW EXECUTE FUNCTION ingest.no()",
        "DROP TRIGGER no ON ingest.articles",
        "could not read block 7",
    ),
    "a column that nobody fills": (
        "ALTER TABLE ingest.versions ADD COLUMN editor text NOT NULL",
        "ALTER TABLE ingest.versions DROP COLUMN editor",
        "editor",
    ),
    "a constraint that nothing meets": (
        "ALTER TABLE ingest.versions ADD CONSTRAINT none CHECK (word_count < 0)",
        "ALTER TABLE ingest.versions DROP CONSTRAINT none",
        '"none"',
    ),
    "what is known of a host": (
        "REVOKE SELECT ON ingest.hosts FROM nachlese_writer",
        "GRANT SELECT ON ingest.hosts TO nachlese_writer",
        "permission denied for table hosts",
    ),
    "robots.txt that cannot be kept": (
        "REVOKE INSERT ON ingest.hosts FROM nachlese_writer",
        "GRANT INSERT ON ingest.hosts TO nachlese_writer",
        "permission denied for table hosts",
    ),
    "links that cannot be kept": (
        "REVOKE INSERT ON ingest.pages FROM nachlese_writer",
        "GRANT INSERT ON ingest.pages TO nachlese_writer",
        "permission denied for table pages",
    ),
    "a frontier that cannot be read": (
        "ALTER TABLE ingest.pages RENAME COLUMN next_attempt_at TO due_at",
        "ALTER TABLE ingest.pages RENAME COLUMN due_at TO next_attempt_at",
        "next_attempt_at",
    ),
    "an end that cannot be written": (
        "REVOKE UPDATE ON ingest.run_pages FROM nachlese_writer",
        "GRANT UPDATE ON ingest.run_pages TO nachlese_writer",
        "permission denied for table run_pages",
    ),
}


@pytest.fixture
def writer(with_roles: str) -> str:
    """The DSN of the role that crawls."""
    database.make_roles(with_roles, {})
    return as_role(with_roles, "nachlese_writer")


def done(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


def with_pages(site: Web) -> Web:
    site.pages.update({path: article(path[1:]) for path in PATHS})
    site.feed(*PATHS)
    return site


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_trouble_of_the_database_costs_no_page(trouble, tmp_path, site: Web, writer: str, database_url: str):
    broken, mended, named = trouble
    async with opened_services(configured(tmp_path, with_pages(site)), writer) as services:
        done(database_url, broken)
        failed = await runs.crawl_source(services, "blatt")
        done(database_url, mended)
        again = await runs.crawl_source(services, "blatt")
    assert failed.outcome == "failed"
    assert named in failed.error
    assert "a mistake" not in failed.error
    assert failed.counts.rejected == 0
    assert (again.outcome, counted(again)["new"], again.counts.pending) == ("finished", 3, 0), str(again)


async def test_a_page_that_is_no_article_stays_pending_too(tmp_path, site: Web, writer: str, database_url: str):
    site.pages["/1"] = "<p>Kurz.</p>"
    site.feed("/1", "/gone")
    async with opened_services(configured(tmp_path, site), writer) as services:
        done(database_url, "REVOKE INSERT ON ingest.run_pages FROM nachlese_writer")
        failed = await runs.crawl_source(services, "blatt")
        done(database_url, "GRANT INSERT ON ingest.run_pages TO nachlese_writer")
        again = await runs.crawl_source(services, "blatt")
    assert (failed.outcome, failed.counts.rejected) == ("failed", 0)
    assert "permission denied for table run_pages" in failed.error
    assert (again.outcome, counted(again)) == ("finished", {"found": 2, "rejected": 2})


async def test_a_lock_that_somebody_holds_is_named_and_costs_no_page(
    tmp_path, site: Web, database_url: str, monkeypatch
):
    monkeypatch.setattr(connections, "CONFLICT_FOR", 0.0)
    impatient = conninfo.make_conninfo(database_url, options="-c lock_timeout=50ms")
    async with opened_services(configured(tmp_path, with_pages(site)), impatient) as services:
        with psycopg.connect(database_url, application_name="somebody") as holding:
            holding.execute("LOCK TABLE ingest.versions IN EXCLUSIVE MODE")
            failed = await runs.crawl_source(services, "blatt")
            pid = holding.info.backend_pid
        again = await runs.crawl_source(services, "blatt")
    assert (failed.outcome, failed.counts.rejected, failed.counts.pending) == ("failed", 0, 3)
    assert f"process {pid}" in failed.error
    assert "somebody" in failed.error
    assert "ingest.versions" in failed.error
    assert (again.outcome, again.counts.new) == ("finished", 3)


async def test_who_waits_behind_a_lock_gives_up_with_the_others(database_url: str, monkeypatch):
    monkeypatch.setattr(connections, "CONFLICT_FOR", 0.0)
    monkeypatch.setattr(batches, "LONG", 0.0)
    monkeypatch.setattr(batches, "MOST", 1)  # so that each would wait by itself
    async with await Store.open(conninfo.make_conninfo(database_url, options="-c lock_timeout=200ms")) as store:
        run = await begin(store)
        pages = [page(f"https://news.example/{n}") for n in range(3)]
        with psycopg.connect(database_url) as holding:
            holding.execute("LOCK TABLE ingest.versions IN EXCLUSIVE MODE")
            keeping = [store.save_article(run, one, read_of(one, text=words_of(n))) for n, one in enumerate(pages)]
            errors = await asyncio.gather(*keeping, return_exceptions=True)
        assert [type(error) for error in errors] == [database.DatabaseError] * 3
        assert len({id(error) for error in errors}) == 1
        assert (await store.save_article(run, pages[0], read_of(pages[0]))).kind == "new"


async def test_a_value_that_is_out_of_range_still_costs_that_row_alone(store: Store):
    run = await begin(store)
    pages = [page(f"https://news.example/{n}") for n in range(5)]
    read = [read_of(p, text=words_of(n), pages_read=2**40 if n == 2 else 1) for n, p in enumerate(pages)]
    endings = await asyncio.gather(*(store.save_article(run, p, a) for p, a in zip(pages, read, strict=True)))
    assert [outcome.kind for outcome in endings] == ["new", "new", "rejected", "new", "new"]
    assert endings[2].reason == Reason.UNSTORABLE


async def test_a_plain_row_is_never_left_behind(store: Store, sql_rows):
    run = await begin(store)
    bad = page()
    assert (await store.save_article(run, bad, read_of(bad, title=" "))).reason == Reason.UNSTORABLE
    assert sql_rows("SELECT count(*) FROM ingest.articles")[0] == (0,)
    assert sql_rows("SELECT count(*) FROM ingest.pages")[0] == (1,)


async def test_a_read_only_database_is_refused_before_anything_begins(tmp_path, site: Web, database_url: str):
    name = sql.Identifier(conninfo.conninfo_to_dict(database_url)["dbname"])
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    with pytest.raises(database.DatabaseError, match=r"is read-only: default_transaction_read_only"):
        async with open_services(configured(tmp_path, site), database_url):
            pass
    with pytest.raises(database.DatabaseError, match="takes no writes"):
        async with await Store.open(database_url, timedelta(seconds=1)) as store:
            await store.begin_run("example", "crawl", "host:1")


def test_only_the_row_itself_ends_a_page():
    errors = psycopg.errors
    assert all(map(database.may_be_of_the_row, (errors.CheckViolation(), errors.ProgramLimitExceeded(), ValueError())))
    others = (
        errors.InsufficientPrivilege(),
        errors.UndefinedColumn(),
        errors.RaiseException(),
        errors.IoError(),
        KeyError(),
    )
    assert not any(map(database.may_be_of_the_row, others))
    assert T.tzinfo is not None
