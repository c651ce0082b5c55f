from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from crawler.downloader.hosts import DEAD_AFTER, DEAD_REST, UNNAMED_REST, HostRests, Hosts, retry_after
from pipelines.store import HostState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    def __init__(self):
        self.time = NOON

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def hosts(store, clock):
    return Hosts(store, now=clock)


async def use(hosts, host, source="s", delay=0.0, concurrency=2):
    async with hosts.turn(host, source, delay, concurrency):
        return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("999999999999999999999", 86400),
        ("Sun, 01 Mar 2026 12:05:00 GMT", 300),
        ("Sunday, 01-Mar-26 12:05:00 GMT", 300),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Fri, 01 Mar 2126 12:00:00 GMT", 86400),
        ("Sun, 01 Mar 2026 13:05:00 +0100", 300),
        ("-5", None),
        ("bald", None),
        ("", None),
        ("²", None),
        ("Sun, 99 Mar 2026 12:05:00 GMT", None),
        (None, None),
    ],
)
def test_retry_after(header, seconds):
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after(header, NOON, DAY) == expected


async def test_requests_to_one_host_are_never_closer_than_its_delay(hosts):
    starts = sorted(await asyncio.gather(*(use(hosts, "a.de", f"s{number}", 0.02, 8) for number in range(5))))
    assert all(later - earlier >= 0.0199 for earlier, later in pairwise(starts))


async def test_a_host_that_waits_does_not_hold_up_another(hosts):
    async with hosts.turn("slow.de", "s", 3600, 1):
        waiting = [asyncio.ensure_future(use(hosts, "slow.de", "s", 3600, 1)) for _ in range(100)]
        for number in range(20):
            await use(hosts, f"h{number}.de")
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_the_strictest_source_sets_how_many_at_a_time(hosts):
    await use(hosts, "a.de", "strict", 0, 1)
    async with hosts.turn("a.de", "lax", 0, 5):
        second = asyncio.ensure_future(use(hosts, "a.de", "lax", 0, 5))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not second.done()
    await second


async def test_a_host_that_asked_for_time_fails_fast_until_then(hosts, clock):
    assert await hosts.asked_to_wait("a.de", 503, "120") == NOON + timedelta(minutes=2)
    for wait in (0, 119):
        clock.time = NOON + timedelta(seconds=wait)
        with pytest.raises(HostRests) as refused:
            await use(hosts, "a.de")
        assert refused.value.not_before == NOON + timedelta(minutes=2)
    await use(hosts, "b.de")
    clock.time = NOON + timedelta(minutes=2)
    await use(hosts, "a.de")


async def test_those_already_waiting_fail_too_when_the_host_asks_for_time(hosts):
    async with hosts.turn("a.de", "s", 0, 1):
        waiting = [asyncio.ensure_future(use(hosts, "a.de", "s", 0, 1)) for _ in range(5)]
        await asyncio.sleep(0)
        await hosts.asked_to_wait("a.de", 429, "60")
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, HostRests) for end in ends)


async def test_a_429_without_a_time_and_a_503_without_one(hosts):
    assert await hosts.asked_to_wait("a.de", 429, None) == NOON + UNNAMED_REST
    assert await hosts.asked_to_wait("b.de", 503, None) is None
    assert await hosts.asked_to_wait("c.de", 503, "nonsense") is None


async def test_a_restarted_process_still_leaves_the_host_alone(store, hosts, clock):
    await hosts.asked_to_wait("a.de", 429, "3600")
    await hosts.asked_to_wait("a.de", 429, "5")  # a shorter time never replaces a longer one
    again = Hosts(store, now=clock)
    with pytest.raises(HostRests) as refused:
        await use(again, "a.de")
    assert refused.value.not_before == NOON + timedelta(hours=1)


async def test_a_dead_host_is_left_alone_for_longer_each_time(hosts, clock):
    for _ in range(DEAD_AFTER - 1):
        assert hosts.failed("a.de") is None
    assert hosts.failed("a.de") == NOON + DEAD_REST
    with pytest.raises(HostRests) as refused:
        await use(hosts, "a.de")
    assert refused.value.dead
    clock.time += DEAD_REST
    assert hosts.failed("a.de") == clock.time + 2 * DEAD_REST
    clock.time += 2 * DEAD_REST
    hosts.answered("a.de")
    assert hosts.failed("a.de") is None
    await use(hosts, "a.de")


async def test_a_rest_that_a_wrong_clock_has_written_is_no_longer_than_the_longest(store, clock):
    await store.keep_host_state(HostState("x.example", not_before=clock() + timedelta(days=3650)))
    hosts = Hosts(store, longest=timedelta(hours=1), now=clock)
    with pytest.raises(HostRests) as resting:
        await hosts.check("x.example")
    assert resting.value.not_before <= clock() + timedelta(hours=1)
