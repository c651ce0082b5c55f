"""The schedule: which slots there are, and that each is run once, whatever happens to clocks and schedulers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from crawler import config, runs
from crawler.clock import ClockWatch
from crawler.reports import RunReport
from crawler.schedule import Scheduler, SlotTrigger
from crawler.services import open_services
from crawler.slots import Cron, Every, share
from tests.test_crawl import Web, article, configured, environment, served, site

BERLIN = ZoneInfo("Europe/Berlin")
__all__ = ["site"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(cron: str, start: str, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    rule, moment, found = Cron.parse(cron, zone), utc(start), []
    for _ in range(count):
        moment = rule.after(moment)
        found.append(moment.strftime("%d %H:%M"))
    return found


# --- slots -----------------------------------------------------------------------------------------------------------


def test_an_interval_has_the_same_slots_in_every_process():
    every = Every.of(timedelta(minutes=10), "blatt")
    slot = every.at_or_before(utc("2025-11-22T12:00"))
    assert every.after(slot) - slot == timedelta(minutes=10)
    assert every.at_or_before(slot) == slot
    assert every.at_or_before(slot - timedelta(microseconds=1)) == slot - timedelta(minutes=10)
    assert Every.of(timedelta(minutes=10), "blatt") == every
    assert Every.of(timedelta(minutes=10), "anderes") != every


def test_shares_are_spread_evenly():
    shares = [share(f"quelle-{number}", "offset") for number in range(1000)]
    assert all(0 <= one < 1 for one in shares)
    assert all(50 < sum(n / 10 <= one < (n + 1) / 10 for one in shares) < 150 for n in range(10))


def test_cron_reads_lists_ranges_steps_and_names():
    assert slots("*/20 6,22 * * *", "2025-11-22T04:00", 4) == ["22 05:00", "22 05:20", "22 05:40", "22 21:00"]
    assert slots("0 8 * * mon-fri", "2025-11-22T00:00", 2) == ["24 07:00", "25 07:00"]
    assert slots("0 8 * * 7", "2025-11-22T00:00", 1) == slots("0 8 * * 0", "2025-11-22T00:00", 1) == ["23 07:00"]
    assert slots("0 8 1 jan *", "2025-11-22T00:00", 1) == ["01 07:00"]
    assert slots("5/15 9 * * *", "2025-11-22T00:00", 4) == ["22 08:05", "22 08:20", "22 08:35", "22 08:50"]


def test_with_day_and_weekday_either_is_enough():
    assert slots("0 8 25 * mon", "2025-11-22T00:00", 3) == ["24 07:00", "25 07:00", "01 07:00"]


@pytest.mark.parametrize(
    "wrong",
    ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *",
     "a * * * *", "0 0 31 2 *", "@daily", "1,,2 * * * *", "-1 * * * *"],
)  # fmt: skip
def test_what_is_no_cron_expression(wrong):
    with pytest.raises(ValueError):
        Cron.parse(wrong)


def test_the_29th_of_february_comes():
    assert slots("0 0 29 2 *", "2025-01-01T00:00", 1, ZoneInfo("UTC")) == ["29 00:00"]


def test_a_time_of_the_doubled_hour_runs_once():
    assert slots("30 2 * * *", "2025-10-25T12:00", 2) == ["26 00:30", "27 01:30"]


def test_a_time_of_the_missing_hour_runs_when_the_hour_is_over():
    assert slots("30 2 * * *", "2025-03-29T12:00", 2) == ["30 01:00", "31 00:30"]


def test_every_quarter_of_an_hour_runs_through_the_doubled_hour():
    found = slots("*/15 * * * *", "2025-10-25T23:45", 8)
    assert found == ["26 00:00", "26 00:15", "26 00:30", "26 00:45", "26 01:00", "26 01:15", "26 01:30", "26 01:45"]


@pytest.mark.parametrize("cron", ["30 2 * * *", "*/15 * * * *", "0 8 * * mon", "15 2,3 * * *"])
@pytest.mark.parametrize("day", ["2025-03-30", "2025-10-26"])
def test_looking_back_finds_what_looking_ahead_found(cron, day):
    rule = Cron.parse(cron, BERLIN)
    slot = rule.after(utc(f"{day}T00:00") - timedelta(days=1))
    for _ in range(50):
        following = rule.after(slot)
        assert rule.at_or_before(following) == following
        assert rule.at_or_before(following - timedelta(microseconds=1)) == slot
        slot = following


def test_the_clock_is_asked_for_the_slot_after_now():
    """Also where it was set back, or where the process slept through many slots."""
    trigger = SlotTrigger(Every(timedelta(minutes=10)))
    for previous in (None, utc("2025-11-22T13:00"), utc("2025-11-01T13:00")):
        assert trigger.get_next_fire_time(previous, utc("2025-11-22T12:01")) == utc("2025-11-22T12:10")


# --- runs ------------------------------------------------------------------------------------------------------------


def scheduled(folder: Path, site: Web, every: str = "1 hour") -> config.Configuration:
    site.pages["/a"] = article(1)
    site.feed("/a")
    return configured(folder, site, f'[schedule]\nevery = "{every}"\njitter = "0 seconds"\n')


async def test_a_missed_slot_is_caught_up_with_once(tmp_path, site, database_url):
    configuration = scheduled(tmp_path, site)
    async with open_services(configuration, database_url) as services:
        ended: asyncio.Queue[RunReport] = asyncio.Queue()
        scheduler = Scheduler(services, ended.put_nowait)
        scheduler.start()
        report = await ended.get()
        assert (report.outcome, report.counts.new) == ("finished", 1)
        assert report.slot == configuration.sources["blatt"].slots().at_or_before(report.slot)
        await scheduler.stop(1)
    async with open_services(configuration, database_url) as services:  # a restart in the same slot
        scheduler = Scheduler(services, ended.put_nowait)
        scheduler.start()
        assert (await ended.get()).outcome == "skipped"
        await scheduler.stop(1)
        (status,) = await services.store.status()
        assert status["next_run_at"] > report.slot


async def test_two_schedulers_make_one_run_of_a_slot(tmp_path, site, database_url):
    configuration = scheduled(tmp_path, site)
    ended: asyncio.Queue[RunReport] = asyncio.Queue()
    async with (
        open_services(configuration, database_url) as one,
        open_services(configuration, database_url) as other,
    ):
        schedulers = [Scheduler(services, ended.put_nowait) for services in (one, other)]
        for scheduler in schedulers:
            scheduler.start()
        outcomes = sorted([(await ended.get()).outcome for _ in schedulers])
        for scheduler in schedulers:
            await scheduler.stop(1)
        assert outcomes == ["finished", "skipped"]
        assert len(await one.store.last_runs("blatt")) == 1
    assert site.asked.count("/a") == 1


async def test_sources_that_are_off_do_not_run(tmp_path, site, database_url):
    scheduled(tmp_path, site)
    file = tmp_path / "sources" / "blatt.toml"
    file.write_text("enabled = false\n" + file.read_text())
    async with open_services(config.load(tmp_path), database_url) as services:
        scheduler = Scheduler(services)
        scheduler.start()
        assert not scheduler.running
        await scheduler.stop(1)


async def test_a_changed_configuration_is_taken_over(tmp_path, site, database_url):
    configuration = scheduled(tmp_path, site)
    async with open_services(configuration, database_url) as services:
        scheduler = Scheduler(services)
        scheduler.start()
        text = (tmp_path / "sources" / "blatt.toml").read_text()
        (tmp_path / "sources" / "zweites.toml").write_text(text.replace("1 hour", "2 hours"))
        (tmp_path / "sources" / "blatt.toml").unlink()
        await scheduler.reload(config.load(tmp_path))
        jobs = {job.id for job in scheduler.clock.get_jobs() if job.id.startswith("source:")}
        assert jobs == {"source:zweites"}
        await scheduler.stop(1)


async def test_a_source_that_follows_its_rhythm_has_one_plan_in_all_schedulers(tmp_path, site, database_url, sql_rows):
    site.pages["/a"] = article(1)
    site.feed("/a")
    item = site.pages["/feed.xml"]
    site.pages["/feed.xml"] = item.replace("<channel>", "<channel><ttl>30</ttl><skipDays><day>Nowday</day></skipDays>")
    configuration = configured(tmp_path, site, '[schedule]\nevery = "auto"\njitter = "0 seconds"\n')
    plan = "SELECT next_run_at - last_run_ended_at, next_run_why, next_run_at FROM news.sources"
    ended: asyncio.Queue[RunReport] = asyncio.Queue()
    async with open_services(configuration, database_url) as services:
        first = Scheduler(services, ended.put_nowait)
        await first.load_plans()
        first.start()
        assert (await ended.get()).counts.new == 1
        ((wait, why, at),) = sql_rows(plan)
        assert timedelta(minutes=30) <= wait < timedelta(minutes=31) and "Cache-Control or ttl" in why
        assert first.clock.get_job("source:blatt").next_run_time == at
        await first.stop(1)
    async with open_services(configuration, database_url) as services:
        second = Scheduler(services, ended.put_nowait)
        await second.load_plans()
        second.start()
        assert not second.running  # what is planned for later has not been missed
        later = at + timedelta(minutes=7)  # another scheduler has looked, and planned a later look
        sql_rows("UPDATE ingest.sources SET next_run_at = %s RETURNING 1", later)
        await second.due("blatt")
        assert not second.running and second.clock.get_job("source:blatt").next_run_time == later
        missed = at - timedelta(hours=2)
        sql_rows("UPDATE ingest.sources SET next_run_at = %s RETURNING 1", missed)
        await second.stop(1)
    async with open_services(configuration, database_url) as services:
        third = Scheduler(services, ended.put_nowait)
        await third.load_plans()
        third.start()
        assert (await ended.get()).slot == missed
        assert sql_rows(plan)[0][2] > later - timedelta(minutes=30)
        await third.stop(1)
    assert site.asked.count("/feed.xml") == 2


SCHEDULE = """
import asyncio, sys
from crawler import config, schedule
sys.exit(asyncio.run(schedule.serve(config.load())))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_schedule_with_what_is_in_flight_left_for_later(tmp_path, site, database_url, number):
    site.hold.add("/haengt")
    configuration = scheduled(tmp_path, site)
    site.pages["/b"] = article(2)
    site.feed("/haengt", "/b")
    (tmp_path / "settings.toml").write_text(
        (tmp_path / "settings.toml").read_text() + '[schedule]\nstop_within = "1 second"\n'
    )
    env = environment(tmp_path, database_url)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCHEDULE, env=env)
    async with asyncio.timeout(60):
        await site.held.wait()
        process.send_signal(number)
        assert await process.wait() == 0
    site.hold.clear()
    site.pages["/haengt"] = article(3)
    async with open_services(configuration, database_url) as services:
        (run,) = await services.store.last_runs("blatt")
        assert (run["outcome"], run["error"]) == ("stopped", "the scheduler was stopped")
        assert run["pending"] >= 1
        await runs.crawl_source(services, "blatt")
        assert len(await services.store.articles()) == 2


async def test_a_killed_scheduler_s_run_is_taken_over(tmp_path, site, database_url):
    site.hold.add("/a")
    configuration = scheduled(tmp_path, site)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCHEDULE, env=os.environ | environment(tmp_path, database_url)
    )
    async with asyncio.timeout(60):
        await site.held.wait()
    process.kill()
    await process.wait()
    site.hold.clear()
    async with open_services(configuration, database_url) as services:
        report = await runs.crawl_source(services, "blatt")
        assert (report.outcome, report.counts.new) == ("finished", 1)


# --- nobody waits for another one's site -----------------------------------------------------------------------------


class Counted(Web):
    """``reached(path, times)`` waits until a path was asked for so often."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = asyncio.Condition()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        async with self.moved:
            self.moved.notify_all()
        self.asked.pop()
        return await super().answer(request)

    async def reached(self, path: str, times: int) -> None:
        async with asyncio.timeout(60), self.moved:
            await self.moved.wait_for(lambda: self.asked.count(path) >= times)


@pytest.fixture
async def counted() -> AsyncIterator[Counted]:
    async with served(Counted()) as site:
        yield site


def source(folder: Path, site: Web, name: str, feed: str, every: str = "1 second", more: str = "") -> None:
    (folder / "sources" / f"{name}.toml").write_text(
        f'title = "{name}"\nhomepage = "{site.base}/"\nlanguage = "de"\n[discover]\nfeeds = ["{site.base}{feed}"]\n'
        f'[schedule]\nevery = "{every}"\njitter = "0 seconds"\n[fetch]\nallow_addresses = ["127.0.0.1/32:*"]\n{more}'
    )


async def test_sites_that_accept_and_never_answer_take_no_other_source_s_turn(tmp_path, site, counted, database_url):
    configured(tmp_path, site)
    settings = tmp_path / "settings.toml"
    settings.write_text(settings.read_text().replace("[crawl]", "[crawl]\nsources_at_once = 1"))
    (tmp_path / "sources" / "blatt.toml").unlink()
    for number in range(4):
        site.hold.add(f"/haengt{number}.xml")
        source(tmp_path, site, f"haengt{number}", f"/haengt{number}.xml", every="1 hour")
    counted.pages["/a"] = article(1)
    counted.feed("/a")
    source(tmp_path, counted, "gut", "/feed.xml")
    async with open_services(config.load(tmp_path), database_url) as services:
        scheduler = Scheduler(services)
        scheduler.start()
        await site.held.wait()
        asked = counted.asked.count("/feed.xml")
        await counted.reached("/feed.xml", asked + 3)
        assert "haengt0" in scheduler.running
        await scheduler.stop(0)


async def test_a_feed_is_looked_at_when_it_is_due_while_the_pages_of_its_run_go_on(tmp_path, counted, database_url):
    configured(tmp_path, counted)
    counted.hold.add("/haengt")
    counted.pages["/neu"] = article(2)
    counted.feed("/haengt")
    source(tmp_path, counted, "blatt", "/feed.xml")
    async with open_services(config.load(tmp_path), database_url) as services:
        scheduler = Scheduler(services)
        scheduler.start()
        await counted.held.wait()
        await counted.reached("/feed.xml", counted.asked.count("/feed.xml") + 2)
        counted.feed("/haengt", "/neu")  # what a window shows now may be gone when the run has ended
        await counted.reached("/neu", 1)
        assert len(await services.store.last_runs("blatt")) == 1
        await scheduler.stop(0)


# --- clocks that are set ---------------------------------------------------------------------------------------------


def test_a_step_of_the_wall_clock_is_seen_by_one_that_nobody_sets():
    wall, seconds = utc("2026-03-01T12:00"), 100.0
    watch = ClockWatch(lambda: wall, lambda: seconds)
    wall, seconds = wall + timedelta(seconds=10), seconds + 10
    assert watch.step() == timedelta()
    wall, seconds = wall - timedelta(hours=1), seconds + 10
    assert watch.step() == -timedelta(hours=1, seconds=10)
    assert watch.step() == timedelta()


FAKETIME = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), *Path("/usr/lib").glob("faketime/libfaketime.so.1")]


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed (Debian: faketime)")
@pytest.mark.parametrize("steps", [("+3600", "+0"), ("+0", "-3600"), ("-3600", "+86400"), ("+0", "-10d", "+0")])
async def test_a_schedule_goes_on_when_its_clock_is_set(tmp_path, counted, database_url, steps):
    """The real command under a wall clock that is moved; its monotonic clock goes on as everybody's."""
    configured(tmp_path, counted)
    counted.pages["/a"] = article(1)
    counted.feed("/a")
    source(tmp_path, counted, "blatt", "/feed.xml", every="2 seconds")
    clock = tmp_path / "clock"
    clock.write_text(steps[0])
    env = os.environ | environment(tmp_path, database_url) | {
        "LD_PRELOAD": str(FAKETIME[0]), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCHEDULE, env=env)
    try:
        await counted.reached("/feed.xml", 2)
        for step in steps[1:]:
            clock.write_text(step)
            await counted.reached("/feed.xml", counted.asked.count("/feed.xml") + 4)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
