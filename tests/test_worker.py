"""The queue of slots: each runs once on one of many machines, whatever became of the worker that had its job."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta

import pytest

from crawler.services import open_services
from crawler.worker import QueueScheduler, Worker, defer, prepare, queue_of
from pipelines.store.takeovers import HANDED_OVER
from tests.test_crawl import article, configured, environment, site

__all__ = ["site"]
SLOT = datetime(2026, 11, 1, 12, tzinfo=UTC)
JOBS = "SELECT args ->> 'slot', status::text FROM nachlese_queue.procrastinate_jobs ORDER BY id"
RUNS = "SELECT slot, outcome FROM ingest.runs ORDER BY id"


@pytest.fixture
def configuration(tmp_path, site):
    site.pages["/a"] = article(1)
    site.feed("/a")
    return configured(tmp_path, site)


@pytest.fixture
async def queue(database_url):
    prepare(database_url)
    prepare(database_url)  # the second process finds it there
    async with queue_of(database_url).open_async() as opened:
        yield opened


@pytest.fixture
async def worker(configuration, database_url, queue):
    async with open_services(configuration, database_url) as services:
        yield Worker(services, queue, None, 4)


def dead(sql_rows):
    """The job that a worker had that was killed."""
    sql_rows("SELECT set_config('search_path', 'nachlese_queue', false)")
    sql_rows("UPDATE nachlese_queue.procrastinate_jobs SET status = 'doing' RETURNING 1")


async def test_a_slot_is_one_job_and_one_run_and_leaves_no_job(worker, queue, sql_rows):
    assert [await defer(queue, "blatt", SLOT) for _ in range(2)] == [True, False]
    await worker.run(wait=False)
    assert await defer(queue, "blatt", SLOT)  # another scheduler comes late with it
    await defer(queue, "gibtesnicht", SLOT)
    await worker.run(wait=False)
    assert sql_rows(RUNS) == [(SLOT, "finished")]
    assert sql_rows(JOBS) == []


async def test_a_source_that_runs_elsewhere_is_not_run_again(worker, queue, sql_rows):
    await worker.services.store.begin_run("blatt", "crawl", "elsewhere/1:1:x")
    await defer(queue, "blatt", SLOT)
    await worker.run(wait=False)
    assert sql_rows(RUNS) == [(None, None)]
    assert sql_rows(JOBS) == []


async def test_the_job_of_a_worker_that_died_before_its_run_comes_again(worker, queue, sql_rows):
    await defer(queue, "blatt", SLOT)
    dead(sql_rows)
    await worker.close_stalled()
    assert sql_rows(JOBS) == [(SLOT.isoformat(), "todo")]
    await worker.run(wait=False)
    assert sql_rows(RUNS) == [(SLOT, "finished")]


async def test_a_job_whose_successor_waits_is_closed_and_holds_nothing_up(worker, queue, sql_rows):
    """Retried, it would meet its successor for ever, and the source would never run again."""
    later = SLOT + timedelta(hours=1)
    await defer(queue, "blatt", SLOT)
    dead(sql_rows)
    await defer(queue, "blatt", later)
    await worker.close_stalled()
    assert sql_rows(JOBS) == [(later.isoformat(), "todo")]
    await worker.run(wait=False)
    assert sql_rows(RUNS) == [(later, "finished")]


async def test_of_slots_that_piled_up_one_is_run(worker, queue, sql_rows):
    """Nobody worked for hours: at most one missed slot is made up for."""
    slots = [SLOT + timedelta(hours=hour) for hour in range(4)]
    for slot in slots:
        await defer(queue, "blatt", slot)
    worker.concurrency = 1
    await worker.run(wait=False)
    assert sql_rows(RUNS) == [(slots[-1], "finished")]


WORK = """
import asyncio, sys
from crawler import config, worker
sys.exit(asyncio.run(worker.serve_worker(config.load(), ["blatt"])))
"""


async def test_what_a_stopped_worker_leaves_is_put_in_at_once(
    tmp_path, site, worker, queue, configuration, database_url, sql_rows
):
    site.pages["/b"] = article(2)
    site.feed("/a", "/b")
    site.hold.add("/b")
    (tmp_path / "settings.toml").write_text(
        (tmp_path / "settings.toml").read_text() + '[schedule]\nstop_within = "1 second"\n'
    )
    await defer(queue, "blatt", SLOT)
    env = environment(tmp_path, database_url)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WORK, env=env)
    async with asyncio.timeout(60):
        await site.held.wait()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert sql_rows("SELECT outcome, error FROM ingest.runs") == [("stopped", HANDED_OVER)]
    site.hold.clear()
    scheduler = QueueScheduler(worker.services, queue, lambda source: True)
    await scheduler.takeover.look()
    await asyncio.gather(*scheduler.running.values())
    await worker.run(wait=False)
    assert sql_rows("SELECT outcome, takes_over IS NOT NULL FROM ingest.runs ORDER BY id DESC LIMIT 1") == [
        ("finished", True)
    ]
    assert sql_rows("SELECT count(*) FROM news.articles") == [(2,)]
