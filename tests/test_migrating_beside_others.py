"""Tables are changed beside people who read: for less than a second at a time, with the name of who is in the way."""

from __future__ import annotations

import logging
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from crawler import runs
from pipelines import database, migrations
from tests.test_crawl import Web, article, configured, opened_services, site
from tests.test_migrations import MIGRATIONS, release
from tests.test_roles import as_role, with_roles

__all__ = ["site", "with_roles"]  # fixtures

SECOND = timedelta(seconds=1)


def upgrade(folder: Path, text: str) -> Path:
    """The SQL of a release that has one migration more."""
    shutil.copytree(database.SQL, folder)
    (folder / "migrations" / "9999_more.sql").write_text(text)
    return folder


def applied(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM ingest.migrations ORDER BY name")]


MORE = "ALTER TABLE ingest.hosts ADD COLUMN more int; COMMENT ON COLUMN ingest.hosts.more IS 'More';"


def test_an_upgrade_behind_an_idle_reader_gives_up_by_name_and_changes_nothing(
    database_url: str, tmp_path: Path, caplog
):
    folder = upgrade(tmp_path / "sql", MORE)
    before = applied(database_url)
    with psycopg.connect(database_url, application_name="reporting") as reader:
        reader.execute("SELECT count(*) FROM news.articles")
        said = f"process {reader.info.backend_pid} .*reporting, idle in transaction"
        with pytest.raises(database.DatabaseError, match=said + ".*Nothing was changed"):
            database.migrate(database_url, folder, SECOND)
        assert reader.execute("SELECT count(*) FROM news.articles").fetchone() == (0,)
    assert any("reporting" in record.message for record in caplog.records if record.levelno == logging.WARNING)
    assert applied(database_url) == before
    assert database.migrate(database_url, folder, SECOND) == ["9999_more", "views"]


def test_several_migrations_are_done_together_or_not_at_all(empty_database: str, tmp_path: Path):
    database.migrate(empty_database, release(tmp_path / "old", 3))
    before = applied(empty_database)
    with psycopg.connect(empty_database) as reader:
        reader.execute("SELECT FROM ingest.runs")
        with pytest.raises(database.DatabaseError, match=r"ingest\.runs"):
            database.migrate(empty_database, patience=SECOND)
    assert applied(empty_database) == before
    assert len(database.migrate(empty_database)) == len(MIGRATIONS) - 3 + 1


def test_other_readers_go_on_while_an_upgrade_waits(database_url: str, tmp_path: Path):
    folder = upgrade(tmp_path / "sql", MORE)
    with psycopg.connect(database_url) as idle:
        idle.execute("SELECT count(*) FROM news.articles")
        upgrading = threading.Thread(target=fails_to_migrate, args=(database_url, folder))
        upgrading.start()
        looks = 0
        # a reader who waited behind the upgrade for as long as that waits would be cancelled
        with psycopg.connect(database_url, autocommit=True, options="-c statement_timeout=5s") as other:
            while upgrading.is_alive():
                other.execute("SELECT count(*) FROM news.articles")
                looks += 1
        upgrading.join()
    assert looks > 1


def fails_to_migrate(dsn: str, folder: Path) -> None:
    with pytest.raises(database.DatabaseError):
        database.migrate(dsn, folder, timedelta(seconds=7))


def test_the_upgrade_goes_on_when_the_reader_is_gone(database_url: str, tmp_path: Path, monkeypatch):
    folder = upgrade(tmp_path / "sql", MORE)
    reader = psycopg.connect(database_url)
    reader.execute("SELECT count(*) FROM news.articles")
    monkeypatch.setattr(migrations.time, "sleep", lambda seconds: reader.close())
    assert database.migrate(database_url, folder) == ["9999_more", "views"]


def test_a_database_that_is_up_to_date_waits_for_no_lock(database_url: str):
    with psycopg.connect(database_url) as holding:
        holding.execute("SELECT pg_advisory_xact_lock(%s)", [migrations.MIGRATION_LOCK])
        holding.execute("SELECT count(*) FROM news.articles")
        assert database.migrate(database_url, patience=SECOND) == []


def test_roles_behind_a_reader_give_up_by_name_and_leave_none_behind(with_roles: str):
    with psycopg.connect(with_roles, application_name="reporting") as reader:
        reader.execute("SELECT count(*) FROM news.articles")
        with pytest.raises(database.DatabaseError, match=r"reporting.*Nothing was changed"):
            database.make_roles(with_roles, {}, SECOND)
        assert reader.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'nachlese_reader'").fetchone() == (0,)
    assert database.make_roles(with_roles, {}, SECOND) == list(database.ROLES)


def test_roles_that_are_up_to_date_need_no_lock_on_a_table(with_roles: str):
    database.make_roles(with_roles, {})
    with psycopg.connect(with_roles) as reader:
        reader.execute("SELECT count(*) FROM news.articles")
        reader.execute("SELECT count(*) FROM ingest.pages")
        assert database.make_roles(with_roles, {"nachlese_reader": "neu"}, SECOND) == []


async def test_roles_are_made_beside_a_crawl(tmp_path: Path, site: Web, with_roles: str):
    import asyncio

    paths = [f"/{number}" for number in range(40)]
    site.pages.update({path: article(path[1:]) for path in paths})
    site.feed(*paths)
    async with opened_services(configured(tmp_path, site), with_roles) as services:
        crawl = asyncio.create_task(runs.crawl_source(services, "blatt"))
        while not crawl.done():
            await asyncio.to_thread(database.make_roles, with_roles, {})
            await asyncio.to_thread(give_back, with_roles)
        report = await crawl
    assert (report.outcome, report.counts.new, report.counts.rejected) == ("finished", 40, 0), str(report)


def give_back(dsn: str) -> None:
    """So that the next `db roles` has tables to take over again."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE ingest.hosts OWNER TO CURRENT_USER")


def test_the_owner_role_migrates(with_roles: str, tmp_path: Path):
    database.make_roles(with_roles, {})
    assert database.migrate(as_role(with_roles, "nachlese_owner"), upgrade(tmp_path / "sql", MORE)) == [
        "9999_more",
        "views",
    ]
