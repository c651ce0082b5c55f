"""Going on with what a process left that died or was stopped: exactly one does, and no later than the lease's end."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from crawler import config
from crawler.cli.common import Failure
from crawler.cli.run import chosen
from crawler.reports import RunReport
from crawler.schedule import Scheduler
from crawler.services import Services, open_services
from pipelines.store import Store
from pipelines.store.takeovers import HANDED_OVER, LOST_LEASE, MOST_TAKEOVERS
from tests.test_crawl import Web, article, configured, environment, served, site
from tests.test_schedule import SCHEDULE

__all__ = ["site"]
OVER = "UPDATE ingest.runs SET lease_until = clock_timestamp() WHERE ended_at IS NULL RETURNING 1"


@pytest.fixture
def configuration(tmp_path, site):
    site.pages["/a"] = article(1)
    site.feed("/a")
    return configured(tmp_path, site, '[schedule]\ncron = "0 0 1 1 *"\njitter = "0 seconds"\n')


@asynccontextmanager
async def schedulers(configuration, database_url, count=1):
    """So many, which have run their last slot and look for nothing by themselves; and the queue of their reports."""
    ended: asyncio.Queue[RunReport] = asyncio.Queue()
    async with open_services(configuration, database_url) as services:
        found = [Scheduler(services, ended.put_nowait) for _ in range(count)]
        found[0].start()
        assert (await ended.get()).outcome == "finished"
        for watching in found[0]._watching:
            watching.cancel()
        yield found, ended
        await found[0].stop(1)


async def left(services: Services, outcome=None, error=None, holder="elsewhere/1:1:x"):
    """The run of a process on another machine, and its end if it had one."""
    run = await services.store.begin_run("blatt", "crawl", holder)
    if outcome:
        await services.store.end_run(run, outcome, error)
    return run


async def test_a_run_is_taken_over_when_its_lease_is_over_and_not_before(configuration, database_url, sql_rows):
    async with schedulers(configuration, database_url) as ((one,), ended):
        dead = await left(one.services)
        await one.takeover.look()
        assert not one.running
        sql_rows(OVER)
        await one.takeover.look()
        assert (await ended.get()).outcome == "finished"
        assert sql_rows("SELECT outcome, error, takes_over FROM ingest.runs ORDER BY id DESC LIMIT 2") == [
            ("finished", None, dead.id), ("failed", "lost lease", None),
        ]  # fmt: skip
        await one.takeover.look()
        assert not one.running


async def test_who_said_goodbye_is_relieved_at_once_and_by_one_only(configuration, database_url, sql_rows):
    async with schedulers(configuration, database_url, 3) as (all_three, ended):
        await left(all_three[0].services, "stopped", HANDED_OVER)
        await asyncio.gather(*(one.takeover.look() for one in all_three))
        await asyncio.gather(*(task for one in all_three for task in one.running.values()))
        assert [ended.get_nowait().outcome for _ in range(ended.qsize())].count("finished") == 1
        assert sql_rows("SELECT count(*) FROM ingest.runs WHERE takes_over IS NOT NULL") == [(1,)]
        await asyncio.gather(*(one.takeover.look() for one in all_three))
        assert not any(one.running for one in all_three)


@pytest.mark.parametrize("ending", [("stopped", "closespider_timeout"), ("failed", "1 places"), ("finished", None)])
async def test_what_ended_by_itself_is_not_taken_over(configuration, database_url, ending):
    async with schedulers(configuration, database_url) as ((one,), _):
        await left(one.services, *ending)
        await one.takeover.look()
        assert not one.running


async def test_a_run_that_kills_process_after_process_waits_for_its_next_slot(store: Store, sql_rows):
    dead = await store.begin_run("blatt", "crawl", "elsewhere/1:1:x")
    for number in range(MOST_TAKEOVERS):
        sql_rows(OVER)
        dead = await store.begin_run("blatt", "crawl", f"elsewhere/1:{number}:x", takes_over=dead.id)
        assert dead is not None
    sql_rows(OVER)
    assert await store.begin_run("blatt", "crawl", "elsewhere/1:9:x", takes_over=dead.id) is None
    assert await store.abandoned_runs() == []  # nor is it tried every two seconds
    assert await store.begin_run("blatt", "crawl", "elsewhere/1:9:x") is not None


async def test_what_a_recheck_found_dead_is_taken_over_when_it_has_ended(store: Store, sql_rows):
    """Who begins a recheck ends the crawl whose lease is over, and does not go on with its work."""
    dead = await store.begin_run("blatt", "crawl", "elsewhere/1:1:x")
    sql_rows(OVER)
    recheck = await store.begin_run("blatt", "recheck", "elsewhere/1:2:x")
    assert sql_rows("SELECT outcome, error FROM ingest.runs WHERE id = %s", dead.id) == [("failed", LOST_LEASE)]
    assert await store.abandoned_runs() == []
    await store.end_run(recheck, "finished")
    assert [(run.id, run.is_lost) for run in await store.abandoned_runs()] == [(dead.id, True)]
    assert (await store.begin_run("blatt", "crawl", "elsewhere/1:3:x", takes_over=dead.id)) is not None
    assert [run.id for run in await store.abandoned_runs() if run.is_lost] == []


async def test_only_a_source_that_this_process_runs_is_taken_over(configuration, database_url):
    async with schedulers(configuration, database_url) as ((one,), _):
        await left(one.services, "stopped", HANDED_OVER)
        one.is_mine = lambda source: False
        await one.takeover.look()
        assert not one.running
        assert one.set_jobs() == []


class Slow(Web):
    """Holds its answers until it is told."""

    def __init__(self):
        super().__init__()
        self.let_go = asyncio.Event()

    async def answer(self, request):
        self.held.set()
        await self.let_go.wait()
        return await super().answer(request)


async def test_a_drained_schedule_ends_with_its_last_run(tmp_path, database_url, sql_rows):
    async with served(Slow()) as slow:
        slow.pages["/a"] = article(1)
        slow.feed("/a")
        configured(tmp_path, slow, '[schedule]\nevery = "1 second"\njitter = "0 seconds"\n')
        env = environment(tmp_path, database_url)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCHEDULE, env=env)
        async with asyncio.timeout(60):
            await slow.held.wait()
            process.send_signal(signal.SIGUSR1)
            slow.let_go.set()
            assert await process.wait() == 0
    assert sql_rows("SELECT outcome, new FROM ingest.runs") == [("finished", 1)]


def test_sources_are_chosen_by_name_and_by_tag(tmp_path, site):
    folder = tmp_path
    configured(folder, site)
    text = (folder / "sources" / "blatt.toml").read_text()
    (folder / "sources" / "regional.toml").write_text('tags = ["regional", "langsam"]\n' + text)
    (folder / "sources" / "anderes.toml").write_text('tags = ["bund"]\n' + text)
    configuration = config.load(folder)

    def names(sources="", tags=""):
        is_mine = chosen(configuration, sources, tags)
        return [name for name, source in configuration.sources.items() if is_mine(source)]

    assert names() == ["anderes", "blatt", "regional"]
    assert names(tags="langsam, bund") == ["anderes", "regional"]
    assert names("blatt", "bund") == ["anderes", "blatt"]
    for wrong in ({"sources": "keins"}, {"tags": "regionl"}):
        with pytest.raises(Failure):
            names(**wrong)
    (folder / "sources" / "blatt.toml").write_text('tags = ["zwei Worte"]\n' + text)
    with pytest.raises(config.ConfigError, match=r"blatt.toml.*tags.*is no tag"):
        config.load(folder)


async def test_who_finds_a_dead_run_and_its_slot_done_goes_on_with_its_work(store: Store, sql_rows):
    """As for a job that was put in twice: nobody else would see that run."""
    slot = datetime(2026, 11, 1, 12, tzinfo=UTC)
    dead = await store.begin_run("blatt", "crawl", "elsewhere/1:1:x", slot)
    assert await store.begin_run("blatt", "crawl", "elsewhere/1:2:x", slot) is None
    sql_rows(OVER)
    after = await store.begin_run("blatt", "crawl", "elsewhere/1:2:x", slot)
    assert (after.slot, dead.slot) == (None, slot)
    sql_rows(OVER)
    last = await store.begin_run("blatt", "crawl", "elsewhere/1:3:x", takes_over=dead.id)  # which was taken over
    assert sql_rows("SELECT id, takes_over, outcome FROM ingest.runs ORDER BY id") == [
        (dead.id, None, "failed"), (after.id, dead.id, "failed"), (last.id, after.id, None),
    ]  # fmt: skip
    await store.end_run(last, "finished")
    assert await store.begin_run("blatt", "crawl", "elsewhere/1:4:x", slot) is None
