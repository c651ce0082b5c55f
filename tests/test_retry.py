"""`nachlese retry`: what ended by a fault of ours is asked for again, from the archive where that has it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from crawler import runs
from crawler.cli import app
from crawler.retrying import retry
from pipelines.items import Reason
from tests.test_cli import untouched_logging
from tests.test_crawl import Web, article, configured, opened_services, site

__all__ = ["site", "untouched_logging"]  # fixtures

PATHS = ("/1", "/2", "/3")
BREAK = "ALTER TABLE ingest.versions ADD CONSTRAINT no_two CHECK (title !~ '2')"
MEND = "ALTER TABLE ingest.versions DROP CONSTRAINT no_two"


async def with_one_unstorable(services, site: Web, rows) -> None:
    """A crawl of three pages, of which one cannot be stored."""
    site.pages.update({path: article(path[1:]) for path in PATHS})
    site.feed(*PATHS)
    rows(f"{BREAK}; SELECT 1")
    report = await runs.crawl_source(services, "blatt")
    assert report.counts.reasons == {"unstorable": 1}
    rows(f"{MEND}; SELECT 1")


@pytest.fixture
def rows(database_url: str):
    import psycopg

    def asked(statement: str) -> list[tuple]:
        with psycopg.connect(database_url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            while cursor.nextset():
                pass
            return cursor.fetchall()

    return asked


async def test_what_the_archive_has_is_read_without_asking_the_site(tmp_path, site: Web, database_url, rows):
    async with opened_services(configured(tmp_path, site), database_url) as services:
        await with_one_unstorable(services, site, rows)
        asked = len(site.asked)
        retried = await retry(services)
        assert len(site.asked) == asked
    assert retried.pages == [{"source": "blatt", "reason": "unstorable", "pages": 1}]
    assert (retried.report.outcome, retried.report.counts.new, retried.left) == ("finished", 1, 0)
    assert rows("SELECT count(*) FROM news.articles") == [(3,)]
    assert rows("SELECT state, ending, reason FROM ingest.pages WHERE url LIKE '%/2'") == [("ended", "new", None)]
    assert rows("SELECT count(*) FROM ingest.versions WHERE archive_record_id IS NULL") == [(0,)]


async def test_what_the_archive_has_not_is_fetched_at_the_next_crawl(tmp_path, site: Web, database_url, rows):
    async with opened_services(configured(tmp_path, site), database_url) as services:
        await with_one_unstorable(services, site, rows)
        services.archive.close()
        for file in services.archive_folder.glob("*.warc.gz"):
            file.unlink()
        retried = await retry(services)
        assert (retried.total, retried.left) == (1, 1)
        report = await runs.crawl_source(services, "blatt")
    assert (report.outcome, report.counts.new, report.counts.pending) == ("finished", 1, 0)
    assert site.asked.count("/2") == 2


async def test_only_what_was_asked_for_comes_again(tmp_path, site: Web, database_url, rows):
    site.pages.update({"/1": article(1), "/2": "<p>Kurz.</p>"})
    site.feed("/1", "/2", "/gone")
    async with opened_services(configured(tmp_path, site), database_url) as services:
        first = await runs.crawl_source(services, "blatt")
        assert (first.counts.new, first.counts.rejected) == (1, 2)
        (ended,) = rows("SELECT max(ended_at) FROM ingest.pages")[0]
        assert (await retry(services)).total == 0
        assert (await retry(services, [Reason.GONE], ["other"])).total == 0
        assert (await retry(services, [Reason.GONE], since=ended + timedelta(seconds=1))).total == 0
        site.pages["/gone"] = article("gone")
        retried = await retry(services, [Reason.GONE], ["blatt"], ended - timedelta(hours=1))
        assert (retried.total, retried.left) == (1, 1)
        again = await runs.crawl_source(services, "blatt")
    assert (again.counts.new, again.counts.rejected, again.counts.pending) == (1, 0, 0)


async def test_a_page_that_cannot_be_stored_still_ends_so_again(tmp_path, site: Web, database_url, rows):
    async with opened_services(configured(tmp_path, site), database_url) as services:
        await with_one_unstorable(services, site, rows)
        rows(f"{BREAK}; SELECT 1")
        retried = await retry(services)
    assert (retried.report.counts.reasons, retried.left) == ({"unstorable": 1}, 0)
    assert rows("SELECT count(*) FROM news.pending") == [(0,)]


def test_a_reason_that_is_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("NACHLESE_CONFIG", str(tmp_path))
    (tmp_path / "sources").mkdir()
    for name in ("gnoe", "bad_url"):
        result = CliRunner().invoke(app, ["retry", "--reason", name])
        assert result.exit_code == 2
        assert name in result.stderr
        assert "unstorable" in result.stderr


async def test_the_command_counts_and_asks_again(tmp_path, site: Web, database_url, rows, monkeypatch):
    configuration = configured(tmp_path, site)
    async with opened_services(configuration, database_url) as services:
        await with_one_unstorable(services, site, rows)
    monkeypatch.setenv("NACHLESE_CONFIG", str(tmp_path))
    monkeypatch.setenv("NACHLESE_DATABASE_URL", database_url)
    dry, done = await in_a_thread("--dry-run"), await in_a_thread()
    assert (dry["total"], dry["from_archive"], dry["dry_run"]) == (1, {}, True)
    assert (done["total"], done["from_archive"]["new"], done["pending"]) == (1, 1, 0)


async def in_a_thread(*options: str) -> dict:
    """A command of its own process: it has an event loop of its own."""
    import asyncio
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "crawler.cli", "retry", "--json", *options, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)
