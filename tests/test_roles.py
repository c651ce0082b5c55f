"""`nachlese db roles`: each role may do its work and no more. Roles belong to the whole server, so this is one test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, errors, sql

from crawler import config
from crawler.worker import KINDS, defer_files, opened, prepare
from pipelines import database
from pipelines.items import Reason
from pipelines.store import SourceRow, Store, WatchRow, searching
from tests.test_backfill import make_config
from tests.test_store import article, begin, enqueue, page, words_of

LATER = datetime.now(UTC) + timedelta(days=1)

ALLOWED = [
    ("nachlese_reader", "SELECT title, text FROM news.articles"),
    ("nachlese_reader", "SELECT FROM news.runs"),
    ("nachlese_reader", "SELECT FROM news.search('haushalt')"),
    ("nachlese_reader", "SELECT FROM news.mentions('haushalt')"),
    ("nachlese_reader", "SELECT FROM news.articles_as_of(now())"),
    ("nachlese_reader", "SELECT FROM news.changes_since(0)"),
    ("nachlese_reader", "LISTEN nachlese_changes"),
    *(
        ("nachlese_reader", f"SELECT * FROM news.{view}")
        for view in (
            "absences",
            "archive_records",
            "attempts",
            "changes",
            "copies",
            "documents",
            "families",
            "matches",
            "page_runs",
            "pages",
            "pending",
            "rejections",
            "removed",
            "revisions",
            "run_days",
            "run_totals",
            "sources",
            "stories",
            "storage",
            "story_articles",
            "versions",
        )
    ),
    ("nachlese_writer", "SELECT FROM news.articles"),
    ("nachlese_writer", "UPDATE ingest.pages SET attempts = attempts"),
    ("nachlese_writer", "DELETE FROM ingest.rereadings"),
    ("nachlese_writer", "DELETE FROM ingest.file_claims"),
    ("nachlese_writer", "DELETE FROM ingest.file_batches"),
    ("nachlese_owner", "CREATE TABLE ingest.more (id bigint)"),
    ("nachlese_owner", "DROP VIEW news.copies"),
]
FORBIDDEN = [
    *(("nachlese_reader", statement) for statement in (
        "SELECT FROM ingest.articles",
        "SELECT FROM ingest.migrations",
        "DELETE FROM news.articles",
        "UPDATE news.articles SET title = ''",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "DROP VIEW news.articles",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SET ROLE nachlese_writer",
    )),
    *(("nachlese_writer", statement) for statement in (
        "DROP TABLE ingest.pages",
        "TRUNCATE ingest.pages",
        "DELETE FROM ingest.articles",
        "ALTER TABLE ingest.pages ADD COLUMN mine int",
        "CREATE TABLE ingest.mine (id int)",
        "CREATE OR REPLACE VIEW news.articles AS SELECT 1",
        "INSERT INTO ingest.migrations (name, digest) VALUES ('x', 'y')",
        "CREATE ROLE mine",
        "SET ROLE nachlese_owner",
    )),
    ("nachlese_owner", "CREATE ROLE mine"),
    ("nachlese_owner", "SELECT * FROM pg_authid"),
]  # fmt: skip


@pytest.fixture
def with_roles(database_url: str) -> Iterator[str]:
    yield database_url
    with psycopg.connect(database_url, autocommit=True) as connection:
        for role in database.ROLES:
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchall():
                connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def as_role(dsn: str, role: str) -> str:
    return conninfo.make_conninfo(dsn, user=role)


async def everything_else_a_crawl_writes(store: Store) -> None:
    """A page read again, a changed one, one that went and came back; stories, watchlists, the index of the search."""
    run = await begin(store, None, "replay")
    for text in (words_of(1), words_of(2)):
        await store.save_article(run, page(), article(page(), text=text))
    crawl = await begin(store, "other")
    await store.save_article(crawl, page(source="other"), article(page(source="other"), text=words_of(3)))
    await store.reject(crawl, page().url, Reason.GONE)
    await store.save_unmodified(crawl, page().url)
    await store.group_stories()
    await store.save_watchlists([WatchRow("w", "W", '"haushalt"')])
    await store.save_watchlists([])
    await store.rebuild_duplicates()
    await store._connections.run(searching.flush)
    deleted = await store.prune(bookkeeping=LATER, versions=LATER, archive=LATER, folder=Path("/nowhere"))
    assert deleted["attempts"] > 0


async def test_each_role_may_do_its_work_and_no_more(with_roles: str):
    secrets = {role: f"geheim-{role}" for role in database.ROLES}
    assert database.make_roles(with_roles, secrets) == list(database.ROLES)
    assert database.make_roles(with_roles, {}) == []  # again, and nothing changes

    async with await Store.open(as_role(with_roles, "nachlese_writer")) as store:
        await store.save_sources([SourceRow("example", "Beispiel")])
        run = await begin(store)
        await enqueue(store, run, page().url)
        (target,) = await store.claim_batch(run, 10)
        assert (await store.save_article(run, page(target.url), article(page(target.url)))).kind == "new"
        assert (await store.end_run(run, "finished")).new == 1
        await everything_else_a_crawl_writes(store)
    assert database.migrate(as_role(with_roles, "nachlese_writer")) == []

    for role, statement in FORBIDDEN:
        with psycopg.connect(as_role(with_roles, role)) as connection:
            # not the reader's own default that protects, but its rights
            connection.execute("SET default_transaction_read_only = off")
            connection.commit()
            with pytest.raises((errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState)):
                connection.execute(statement)
                pytest.fail(f"{role} may {statement}")
    for role, statement in ALLOWED:
        with psycopg.connect(as_role(with_roles, role)) as connection:
            connection.execute(statement)
            connection.rollback()

    with psycopg.connect(with_roles) as connection:
        stored = dict(connection.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolname ~ 'nachlese_'"))
    assert all(stored[role].startswith("SCRAM-SHA-256$") and secrets[role] not in stored[role] for role in secrets)


async def test_a_worker_without_rights_leaves_the_queue_to_others_that_an_upgrade_brought(
    with_roles: str, tmp_path, monkeypatch, caplog
):
    """The owner makes it with the next `schedule --queue`."""
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    database.make_roles(with_roles, {})
    prepare(with_roles, "slots")
    configuration, writer = config.load(make_config(tmp_path)), as_role(with_roles, "nachlese_writer")
    async with opened(configuration, KINDS, writer, is_reading=False) as (_, queues):
        assert list(queues) == ["slots"] and "files are left to others" in caplog.text
    with pytest.raises(database.DatabaseError, match="schedule --queue` once as the owner"):
        prepare(writer, "files")
    prepare(as_role(with_roles, "nachlese_owner"), "files")
    async with opened(configuration, KINDS, writer, is_reading=False) as (_, queues):
        await defer_files(queues["files"])


async def test_what_the_owner_adds_later_has_the_same_rights(with_roles: str):
    database.make_roles(with_roles, {})
    with psycopg.connect(as_role(with_roles, "nachlese_owner"), autocommit=True) as connection:
        connection.execute("CREATE TABLE ingest.later (id bigint GENERATED ALWAYS AS IDENTITY, word text)")
        connection.execute("CREATE VIEW news.later AS SELECT word FROM ingest.later")
    with psycopg.connect(as_role(with_roles, "nachlese_writer"), autocommit=True) as connection:
        connection.execute("INSERT INTO ingest.later (word) VALUES ('neu')")
    with psycopg.connect(as_role(with_roles, "nachlese_reader"), autocommit=True) as connection:
        assert connection.execute("SELECT word FROM news.later").fetchall() == [("neu",)]


def test_a_plain_owner_makes_the_roles_or_is_told_which_right_is_missing(with_roles: str):
    """Not a superuser: the owner of the database, with CREATEROLE, as on a server that somebody else runs."""
    with psycopg.connect(with_roles, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute("CREATE ROLE plain_owner LOGIN")
        try:
            for schema in ("ingest", "news"):
                admin.execute(f"DROP SCHEMA {schema} CASCADE")
            admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO plain_owner").format(sql.Identifier(name)))
            dsn = as_role(with_roles, "plain_owner")
            database.migrate(dsn)
            with pytest.raises(
                database.DatabaseError, match='A superuser has to run: ALTER ROLE "plain_owner" CREATER'
            ):
                database.make_roles(dsn, {})
            admin.execute("CREATE ROLE nachlese_reader")
            admin.execute("ALTER ROLE plain_owner CREATEROLE")
            if admin.info.server_version >= 160_000:
                with pytest.raises(database.DatabaseError, match='GRANT "nachlese_reader" TO "plain_owner" WITH ADMIN'):
                    database.make_roles(dsn, {})
                admin.execute('GRANT "nachlese_reader" TO "plain_owner" WITH ADMIN OPTION')
            assert database.make_roles(dsn, {"nachlese_reader": "geheim"}) == ["nachlese_owner", "nachlese_writer"]
            assert database.make_roles(dsn, {}) == []
            assert database.run_read_only(dsn, "SELECT current_user")[1] == [("nachlese_reader",)]
            with psycopg.connect(as_role(with_roles, "nachlese_writer")) as connection:
                connection.execute("UPDATE ingest.pages SET attempts = attempts")
        finally:
            admin.execute(f'ALTER DATABASE "{name}" OWNER TO CURRENT_USER')
            admin.execute("REASSIGN OWNED BY plain_owner TO CURRENT_USER")
            admin.execute("DROP OWNED BY plain_owner CASCADE")
            for role in database.ROLES:
                if admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchall():
                    admin.execute(f"DROP OWNED BY {role} CASCADE")
                    admin.execute(f"DROP ROLE {role}")
            admin.execute("DROP ROLE plain_owner")
