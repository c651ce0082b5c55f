"""Politeness over all processes on one database: gaps, numbers at a time, rests, the share of each source."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest

from crawler.downloader import shared_pace
from crawler.downloader.hosts import HostInBackoff, Hosts
from crawler.downloader.shared_pace import SharedPace
from pipelines.store import Store
from tests.test_crawl import SETTINGS, Web, article, environment, served


@asynccontextmanager
async def processes(database_url, count=2):
    """The ``Hosts`` of so many processes, each with connections of its own."""
    async with AsyncExitStack() as opened:
        found = []
        for number in range(count):
            store = await opened.enter_async_context(await Store.open(database_url))
            pace = SharedPace(store, f"machine{number}/1:{number}:x")
            opened.push_async_callback(pace.close)
            found.append(Hosts(store, pace=pace))
        await asyncio.gather(*(hosts.check("warm.example") for hosts in found))
        yield found


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(shared_pace, "BEAT_EVERY", 0.05)
    monkeypatch.setattr(shared_pace, "LOOK_EVERY", 0.02)


async def ask(hosts, log, host="a.example", source="s", delay=0.0, most=2, is_list=False, held=None):
    """*log*: when it was let in. The delay counts from ``sent``, so that a slow machine makes gaps longer only."""
    async with hosts.turn(host, source, delay, most, is_list) as turn:
        log.append(asyncio.get_running_loop().time())
        turn.sent()
        if held is not None:
            await held()


async def test_two_processes_keep_one_delay(database_url):
    log = []
    async with processes(database_url) as both:
        await asyncio.gather(*(ask(hosts, log, delay=0.03) for hosts in both for _ in range(10)))
    assert len(log) == 20
    assert all(later - earlier >= 0.0299 for earlier, later in pairwise(log))


async def test_the_delay_counts_from_the_request_and_not_from_the_turn(database_url, sql_rows):
    """Whoever is slow to send is not overtaken: nobody else is let in meanwhile."""
    began, log = asyncio.Event(), []

    async def slow(hosts):
        async with hosts.turn("a.example", "slow", 0.01, 2) as turn:
            began.set()
            while not sql_rows("SELECT FROM ingest.host_waiters WHERE source = 'quick'"):
                await hosts._memory.host_state("a.example")
            for _ in range(3):  # its answer has come by then
                await hosts._memory.host_state("a.example")
            log.append("sent")
            turn.sent()

    async with processes(database_url) as (one, other):
        first = asyncio.create_task(slow(one))
        await began.wait()
        async with other.turn("a.example", "quick", 0.01, 2):
            log.append("let in")
        await first
    assert log == ["sent", "let in"]


async def test_no_more_than_the_strictest_source_allows_over_all_processes(database_url):
    inside, most_inside = 0, 0

    async def held():
        nonlocal inside, most_inside
        inside += 1
        most_inside = max(inside, most_inside)
        for _ in range(5):
            await asyncio.sleep(0)
        inside -= 1

    async with processes(database_url, 3) as all_three:
        works = [ask(hosts, [], most=most, held=held) for hosts in all_three for most in (2, 5, 2)]
        await asyncio.gather(*works)
    assert 1 <= most_inside <= 2


WAITS_ON = """
    CREATE FUNCTION waits_on() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN NEW.waits_until := NEW.waits_until + interval ''1 hour''; RETURN NEW; END';
    CREATE TRIGGER waits_on BEFORE INSERT OR UPDATE ON ingest.host_waiters FOR EACH ROW
    WHEN (NEW.waits_until > clock_timestamp()) EXECUTE FUNCTION waits_on()
"""


async def test_a_large_source_does_not_push_aside_small_ones_of_another_process(store, database_url):
    """Each source has its turn, whichever process runs it: not each process."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(WAITS_ON)  # else who waits is believed for half a second, however slow this machine is
    left = {"large": 12, "small0": 2, "small1": 2, "small2": 2}
    workers = {source: "one" if source == "large" else "other" for source in left}
    for worker in ("one", "other"):
        await store.beat(worker, timedelta(hours=1), True)

    async def is_granted(source):
        claim = shared_pace.HostClaim("a.example", source, False, 0.0, 1, f"{source} {left[source]}")
        (turn,) = await store.claim_host_turns(workers[source], [], [claim])
        return turn.is_granted

    served = []
    while any(left[source] for source in left if source != "large"):
        for source in [one for one in left if left[one]]:  # the large one always asks first
            if await is_granted(source):
                use = shared_pace.HostUse("a.example", 0, 1, f"{source} {left[source]}", 0.0, 0.0)
                served.append(source)
                left[source] -= 1
                assert not any([await is_granted(one) for one in left if left[one]])  # one at a time
                await store.claim_host_turns(workers[source], [use], [])
                break
    assert served == ["large", "small0", "small1", "small2"] * 2


async def test_a_rest_that_one_process_was_asked_for_is_kept_by_the_others_at_once(database_url):
    async with processes(database_url) as (one, other):
        await ask(other, [])  # it has looked the host up by now, and would not ask the store again for minutes
        await one.asked_to_wait("a.example", 503, "3600")
        with pytest.raises(HostInBackoff):
            await ask(other, [])
        await ask(other, [], host="b.example")


async def test_a_process_alone_asks_the_database_for_no_turn(database_url, sql_rows):
    async with processes(database_url, 1) as (alone,):
        await ask(alone, [])
        assert sql_rows("SELECT count(*) FROM ingest.host_slots") == [(0,)]
        async with await Store.open(database_url) as store:
            newcomer = SharedPace(store, "machine9/1:9:x")
            waiting = asyncio.create_task(newcomer.ready())
            await waiting  # until the other one knows
            assert sql_rows("SELECT worker_id FROM ingest.workers WHERE NOT is_sharing") == []
            await ask(alone, [])
            assert sql_rows("SELECT count(*) FROM ingest.host_slots") == [(1,)]
            await newcomer.close()
        assert sql_rows("SELECT count(*) FROM ingest.workers") == [(1,)]


async def test_what_a_process_asked_while_it_was_alone_counts_for_who_comes(database_url):
    async with processes(database_url, 1) as (alone,):
        await ask(alone, [], delay=3600)
        async with await Store.open(database_url) as store:
            pace = SharedPace(store, "machine9/1:9:x")
            await pace.ready()
            (turn,) = await store.claim_host_turns(
                "machine9/1:9:x", [], [shared_pace.HostClaim("a.example", "s", False, 1, 1, "c")]
            )
            await pace.close()
    assert not turn.is_granted
    assert 3000 < turn.wait <= 3600


def stop(pace):
    """No signs of life by itself."""
    for task in pace._tasks:
        task.cancel()


async def test_who_gave_no_sign_of_life_asks_nothing_until_it_has_looked(database_url, sql_rows):
    """Frozen, or cut from the database, while another one came that took it for dead."""
    async with await Store.open(database_url) as store:
        now = 0.0
        frozen = SharedPace(store, "machine1/1:1:x", clock=lambda: now)
        await frozen.ready()
        stop(frozen)
        sql_rows("UPDATE ingest.workers SET alive_until = clock_timestamp() RETURNING 1")
        other = SharedPace(store, "machine2/1:2:x")
        await other.ready()
        stop(other)
        assert not other.is_sharing
        now += shared_pace.ALIVE_FOR
        await frozen._beat()
        assert frozen.is_sharing
        assert frozen._unready  # the other one asks by itself, and does not know yet
        await other._beat()
        await frozen._beat()
        assert other.is_sharing
        assert not frozen._unready
        await asyncio.gather(frozen.close(), other.close())


async def test_times_are_those_of_the_database(database_url, monkeypatch):
    async with await Store.open(database_url) as store:
        pace = SharedPace(store, "machine1/1:1:x")
        real = shared_pace.datetime

        class Fast(real):
            @classmethod
            def now(cls, zone=None):
                return real.now(zone) + timedelta(minutes=10)

        monkeypatch.setattr(shared_pace, "datetime", Fast)
        await pace.ready()
        assert abs(pace.now() - real.now(shared_pace.UTC)) < timedelta(minutes=1)
        await pace.close()


# Each process says when it was let in; what the site sees comes late where the machine is slow. All have one clock.
CRAWL = """
import asyncio, sys, time
from contextlib import asynccontextmanager
from crawler import config, runs
from crawler.downloader.hosts import Hosts
from crawler.services import open_services

turn = Hosts.turn

@asynccontextmanager
async def told(*arguments, **more):
    async with turn(*arguments, **more) as granted:
        print(time.monotonic(), flush=True)
        yield granted

Hosts.turn = told

async def main():
    async with open_services(config.load()) as services:
        await asyncio.gather(*(runs.crawl_source(services, name) for name in sys.argv[1:]))

asyncio.run(main())
"""


async def test_two_real_processes_at_one_host_are_never_closer_than_its_delay(tmp_path, database_url):
    delay = 0.12
    async with served(Web()) as site:
        (tmp_path / "sources").mkdir()
        (tmp_path / "settings.toml").write_text(
            SETTINGS.replace('delay = "0 seconds"', f'delay = "{delay} seconds"')
            + f'[archive]\nfolder = "{tmp_path / "archive"}"\n'
        )
        for name in ("blatt", "zeitung"):
            paths = [f"/{name}/{number}" for number in range(5)]
            items = "".join(f"<item><title>x</title><link>{site.base}{path}</link></item>" for path in paths)
            site.pages[f"/{name}.xml"] = f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'
            site.pages |= {path: article(number) for number, path in enumerate(paths)}
            (tmp_path / "sources" / f"{name}.toml").write_text(
                f'title = "{name}"\nhomepage = "{site.base}/"\nlanguage = "de"\n[discover]\n'
                f'feeds = ["{site.base}/{name}.xml"]\n[fetch]\nallow_addresses = ["127.0.0.1/32:*"]\n'
            )
        env = environment(tmp_path, database_url)
        both = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", CRAWL, name, env=env, stdout=asyncio.subprocess.PIPE
            )
            for name in ("blatt", "zeitung")
        ]
        said = [(await process.communicate())[0] for process in both]
        assert [process.returncode for process in both] == [0, 0]
    times = sorted(float(line) for one in said for line in one.split())
    # two feeds, ten pages, and for each process tdmrep.json
    assert len(times) == 14 + site.asked.count("/robots.txt") >= 15
    assert min(later - earlier for earlier, later in pairwise(times)) >= delay - 0.001, times


@pytest.mark.parametrize(
    ("known", "now", "took", "wanted"),
    [
        (0, 0.01, 0.02, 0),
        (0, 70, 70.5, 0),  # the database was away: what it says is from the end of a long wait
        (600, 670, 70, 600),
        (0, 600.01, 0.02, 600),  # ten minutes ahead
        (600, 0.01, 0.02, 0),  # and set back
        (0, -600, 70, -600),
    ],
)
def test_an_answer_that_came_late_moves_no_clock(known: float, now: float, took: float, wanted: float):
    asked = datetime(2026, 11, 28, 9, tzinfo=UTC)
    later = [asked + timedelta(seconds=seconds) for seconds in (now, took)]
    found = shared_pace.clock_offset(timedelta(seconds=known), asked, *later)
    assert found.total_seconds() == pytest.approx(wanted, abs=0.1)
