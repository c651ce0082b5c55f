"""A process at work whose database is upgraded by a newer one beside it: it goes on, or ends where it fits no more."""

from __future__ import annotations

import asyncio
import sys

import psycopg
import pytest

from crawler import config, runs
from crawler.services import open_services
from crawler.upgrades import UpgradeWatch
from crawler.worker import defer, prepare, queue_of
from pipelines.database import DatabaseError
from tests.test_crawl import article, configured, environment, served, site
from tests.test_takeover import Slow
from tests.test_worker import SLOT

__all__ = ["site"]
#: a newer release has added something
ADDED = "INSERT INTO ingest.migrations (name, digest) VALUES ('9999_more', '')"
#: and has not only added
CHANGED = "ALTER TABLE ingest.pages RENAME COLUMN next_check_at TO following_check_at"
BACK = (
    "ALTER TABLE ingest.pages RENAME COLUMN following_check_at TO next_check_at; "
    "DELETE FROM ingest.migrations WHERE name = '9999_more'"
)


@pytest.fixture
def configuration(tmp_path, site):
    site.pages["/a"] = article(1)
    site.feed("/a")
    return configured(tmp_path, site, '[schedule]\nevery = "1 second"\njitter = "0 seconds"\n')


class Met:
    """Where nobody waits for the others any more."""

    async def wait(self) -> None:
        return None


def upgraded(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_an_upgrade_that_only_adds_is_said_once_and_the_process_goes_on(configuration, database_url, caplog):
    async with open_services(configuration, database_url) as services:
        drained = []
        watch = UpgradeWatch(services, lambda: drained.append(True))
        await watch.look()
        assert watch.newer == []
        upgraded(database_url, ADDED)
        await watch.look()
        await watch.look()
        assert [record.levelname for record in caplog.records if "9999_more" in record.message] == ["WARNING"]
        report = await runs.crawl_source(services, "blatt")
        await watch.after(report)
        assert (report.outcome, drained, watch.is_over) == ("finished", [], False)
        watch.refuse_if_over()


async def test_a_statement_that_was_prepared_before_an_upgrade_is_prepared_anew(store, database_url):
    """Each connection has prepared it for itself: "cached plan must not change result type"."""
    upgraded(database_url, "CREATE VIEW news.grows AS SELECT 1 AS one")

    async def columns(connection):
        await meet.wait()  # each is asked by a connection of its own
        return len((await connection.execute("SELECT * FROM news.grows")).description)

    for expected in (1, 1, 1, 2):
        if expected == 2:
            upgraded(database_url, "CREATE OR REPLACE VIEW news.grows AS SELECT 1 AS one, 2 AS two")
        meet = asyncio.Barrier(3) if expected == 1 else Met()
        assert await asyncio.gather(*(store._connections.run(columns) for _ in range(3))) == [expected] * 3


async def test_who_does_not_fit_the_tables_any_more_drains_once_and_says_why(configuration, database_url, caplog):
    async with open_services(configuration, database_url) as services:
        drained = []
        watch = UpgradeWatch(services, lambda: drained.append(True))
        upgraded(database_url, CHANGED)  # by somebody, but no newer Nachlese: the run fails, the process goes on
        report = await runs.crawl_source(services, "blatt")
        await watch.after(report)
        assert (report.outcome, drained) == ("failed", []) and "next_check_at" in report.error
        upgraded(database_url, ADDED)
        for _ in range(2):
            await watch.after(report)
        assert drained == [True] and "takes nothing new" in caplog.text
        with pytest.raises(DatabaseError, match=r"too old for its database.*9999_more.*start the new version"):
            watch.refuse_if_over()


@pytest.mark.parametrize("command", ["schedule", "worker"])
async def test_an_old_process_ends_by_itself_as_it_would_not_start_and_loses_nothing(
    command, tmp_path, database_url, sql_rows
):
    async with served(Slow()) as slow:
        slow.pages["/a"] = article(1)
        slow.feed("/a")
        configured(tmp_path, slow, '[schedule]\nevery = "1 second"\njitter = "0 seconds"\n')
        if command == "worker":
            prepare(database_url)
            async with queue_of(database_url).open_async() as queue:
                await defer(queue, "blatt", SLOT)
        program = [sys.executable, "-m", "crawler.cli", command]
        process = await asyncio.create_subprocess_exec(
            *program, env=environment(tmp_path, database_url), stderr=asyncio.subprocess.PIPE
        )
        await slow.held.wait()
        upgraded(database_url, CHANGED, ADDED)
        slow.let_go.set()
        _, said = await process.communicate()
        assert process.returncode == 3 and b"nachlese: this Nachlese is too old for its database" in said, said.decode()
        assert sql_rows("SELECT count(*) FROM news.articles") == [(0,)]
        ends = "SELECT outcome, ended_at IS NULL FROM ingest.runs ORDER BY id LIMIT 1"
        assert sql_rows(ends) == [("failed", False)]
        upgraded(database_url, BACK)
        async with open_services(config.load(tmp_path), database_url) as services:
            assert (await runs.crawl_source(services, "blatt")).counts.new == 1
