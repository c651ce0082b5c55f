"""The queue of slots: each runs once on one of many machines, whatever became of the worker that had its job."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from crawler import config
from crawler.extensions.run import run_extension
from crawler.services import open_services
from crawler.signals import run_closed
from crawler.worker import QueueScheduler, Worker, defer, has_successor, prepare, queue_of
from pipelines.database import DatabaseError
from pipelines.store.takeovers import HANDED_OVER, LOST_LEASE
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


async def test_where_the_queue_cannot_be_asked_it_is_said_and_no_slot_is_lost(worker, queue, sql_rows, database_url):
    def alter(how):
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(f"ALTER TABLE nachlese_queue.procrastinate_jobs {how}")

    await defer(queue, "blatt", SLOT)
    dead(sql_rows)
    alter("ADD CONSTRAINT full_disk CHECK (status <> 'todo') NOT VALID")
    with pytest.raises(DatabaseError, match="the queue cannot be reached"):
        await worker.close_stalled()
    assert sql_rows(JOBS) == [(SLOT.isoformat(), "doing")]
    alter("DROP CONSTRAINT full_disk")
    await worker.close_stalled()
    assert sql_rows(JOBS) == [(SLOT.isoformat(), "todo")]

    alter("RENAME TO away")
    for asking in (worker.close_stalled(), has_successor(queue, "blatt", SLOT), defer(queue, "blatt", SLOT)):
        with pytest.raises(DatabaseError, match="the queue cannot be reached"):
            await asking


async def test_a_job_that_could_not_be_closed_when_it_ended_is_closed_later(worker, queue, database_url, sql_rows):
    def alter(how):
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(how)

    alter("CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''away''; END'")
    alter("CREATE TRIGGER away BEFORE DELETE ON nachlese_queue.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION away()")
    await defer(queue, "blatt", SLOT)
    await worker.run(wait=False)
    assert sql_rows(JOBS) == [(SLOT.isoformat(), "doing")]
    alter("DROP TRIGGER away ON nachlese_queue.procrastinate_jobs")
    await worker.close_stalled(after=0)
    assert sql_rows(JOBS) == []
    assert (sql_rows(RUNS), worker.ended) == ([(SLOT, "finished")], {})


async def test_a_worker_that_was_frozen_and_taken_for_dead_begins_anew(
    worker, queue, configuration, database_url, sql_rows, site
):
    """Others have closed its job and struck it off; neither is an exception that nobody has caught."""
    lost = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: lost.append(context))
    site.hold.add("/a")
    await defer(queue, "blatt", SLOT)
    working, closed = asyncio.create_task(worker.run()), asyncio.Event()
    await site.held.wait()
    sql_rows("SELECT set_config('search_path', 'nachlese_queue', false)")
    sql_rows("DELETE FROM procrastinate_jobs RETURNING 1")
    sql_rows("DELETE FROM procrastinate_workers RETURNING 1")
    (crawler,) = worker.services.crawlers
    crawler.signals.connect(lambda **_: closed.set(), signal=run_closed, weak=False)
    run_extension(crawler).stop("to go on")
    await closed.wait()
    site.held.clear()
    await defer(queue, "blatt", SLOT + timedelta(hours=1))
    async with asyncio.timeout(60):
        await site.held.wait()
    (crawler,) = worker.services.crawlers
    run_extension(crawler).stop("it was seen")
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    gc.collect()
    assert lost == []
    assert [outcome for _, outcome in sql_rows(RUNS)] == ["stopped", "stopped"]


async def test_of_slots_that_piled_up_one_is_run(worker, queue, sql_rows):
    """Nobody worked for hours: at most one missed slot is made up for."""
    slots = [SLOT + timedelta(hours=hour) for hour in range(4)]
    for slot in slots:
        await defer(queue, "blatt", slot)
    worker.concurrency = 1
    await worker.run(wait=False)
    assert sql_rows(RUNS) == [(slots[-1], "finished")]


async def test_a_slot_that_is_to_begin_later_takes_no_other_one_s_place(worker, queue, sql_rows):
    """A machine whose clock is ahead puts slots in that others reach in ten minutes: the source is looked at now."""
    await defer(queue, "blatt", SLOT + timedelta(minutes=10), timedelta(minutes=10))
    await defer(queue, "blatt", SLOT)
    await worker.run(wait=False)
    assert sql_rows(RUNS) == [(SLOT, "finished")]


async def test_when_a_job_is_due_is_said_by_the_clock_of_the_database(queue, sql_rows, monkeypatch):
    from crawler import worker as module

    class Fast(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) + timedelta(minutes=10)

    monkeypatch.setattr(module, "datetime", Fast)
    await defer(queue, "blatt", SLOT, timedelta(seconds=1))
    due = "SELECT scheduled_at < clock_timestamp() + interval '1 minute' FROM nachlese_queue.procrastinate_jobs"
    assert sql_rows(due) == [(True,)]


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


async def test_a_run_that_is_taken_over_goes_before_the_slots_that_wait(
    tmp_path, configuration, database_url, queue, sql_rows
):
    text = (tmp_path / "sources" / "blatt.toml").read_text()
    (tmp_path / "sources" / "anderes.toml").write_text(text)
    async with open_services(config.load(tmp_path), database_url) as services:
        dead = await services.store.begin_run("blatt", "crawl", "elsewhere/1:1:x")
        await services.store.end_run(dead, "failed", LOST_LEASE)
        await defer(queue, "anderes", SLOT)
        await defer(queue, "blatt", None, takes_over=dead.id)
        await Worker(services, queue, None, 1).run(wait=False)
    assert sql_rows("SELECT source, takes_over FROM ingest.runs ORDER BY id")[1:] == [
        ("blatt", dead.id), ("anderes", None),
    ]  # fmt: skip


# killed at the worst moments of a job: it has it and has done nothing, a page is on its way, all is stored and the job
# is still to be ended
KILLED_AT = """
import asyncio, os, signal, sys
from crawler import config, worker
from crawler.downloader.client import HttpClient
from pipelines.store import Store

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[1]
if moment == "claimed":
    worker.has_successor = die
elif moment == "fetching":
    exchange = HttpClient.exchange

    async def dying(self, request, slot=None):
        return die() if request.url.endswith("/a") else await exchange(self, request, slot)

    HttpClient.exchange = dying
else:
    end_run = Store.end_run

    async def ended(self, *arguments):
        await end_run(self, *arguments)
        die()

    Store.end_run = ended
asyncio.run(worker.serve_worker(config.load(), None))
"""


@pytest.mark.parametrize("moment", ["claimed", "fetching", "stored"])
async def test_whenever_a_worker_is_killed_its_source_runs_again_and_its_job_is_closed(
    tmp_path, worker, queue, database_url, sql_rows, moment
):
    later = SLOT + timedelta(hours=1)
    await defer(queue, "blatt", SLOT)
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_AT, moment, env=environment(tmp_path, database_url)
    )
    assert await killed.wait() == -signal.SIGKILL
    assert sql_rows(JOBS) == [(SLOT.isoformat(), "doing")]
    await worker.close_stalled(after=0)
    await worker.run(wait=False)  # where the slot's run had begun, this is skipped: the lease hands its work on
    await defer(queue, "blatt", later)
    await worker.run(wait=False)
    assert sql_rows("SELECT outcome FROM ingest.runs WHERE slot = %s", later) == [("finished",)]
    assert sql_rows("SELECT count(*), min(version), max(version) FROM news.articles") == [(1, 1, 1)]
    assert sql_rows("SELECT count(*) FROM ingest.pages WHERE state = 'pending'") == [(0,)]
    assert sql_rows(JOBS) == []


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


async def said_by(process, text):
    """Wait until the process has logged *text*."""
    async with asyncio.timeout(60):
        while text not in (line := (await process.stderr.readline()).decode()):
            assert line, f"it ended without {text!r}"


async def test_the_schedule_of_the_queue_obeys_the_signals_that_any_schedule_obeys(
    tmp_path, site, configuration, worker, database_url, sql_rows
):
    """Its plans are those of before the start, so that no restart looks at a source early."""
    blatt = tmp_path / "sources" / "blatt.toml"
    blatt.write_text(blatt.read_text() + '[schedule]\nevery = "auto"\n')
    planned = datetime.now(UTC) + timedelta(hours=5)
    sql_rows("UPDATE ingest.sources SET next_run_at = %s RETURNING 1", planned)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "crawler.cli", "schedule", "--queue"),
        env=environment(tmp_path, database_url), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await said_by(process, "the schedule runs: 1 of 1 sources")
    assert children(process.pid) == []  # no reader: it reads nothing
    (tmp_path / "sources" / "neu.toml").write_text(blatt.read_text().replace("Blatt", "Neu"))
    process.send_signal(signal.SIGHUP)
    await said_by(process, "the configuration was read again")
    assert sql_rows("SELECT count(next_run_at) FROM ingest.sources WHERE name IN ('blatt', 'neu')") == [(2,)]
    process.send_signal(signal.SIGUSR1)
    await said_by(process, "no new runs")
    async with asyncio.timeout(60):
        assert await process.wait() == 0
    assert sql_rows(JOBS) == []
    assert sql_rows("SELECT next_run_at FROM ingest.sources WHERE name = 'blatt'") == [(planned,)]


async def test_a_drained_schedule_puts_in_the_job_that_it_was_putting_in(worker, queue, sql_rows):
    scheduler = QueueScheduler(worker.services, queue, lambda source: True)
    scheduler.clock.start()
    scheduler.begin("blatt", SLOT, timedelta())
    await asyncio.sleep(0)  # the task begins
    await scheduler.drain()
    assert sql_rows(JOBS) == [(SLOT.isoformat(), "todo")]
