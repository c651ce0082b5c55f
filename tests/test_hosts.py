from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from crawler.downloader.hosts import (
    CLOSED_AFTER,
    DEAD_AFTER,
    DEAD_REST,
    PAGE_REST,
    UNNAMED_REST,
    HostInBackoff,
    Hosts,
    retry_after,
)
from pipelines.store import HostBackoff

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
    async with hosts.turn(host, source, delay, concurrency) as turn:
        turn.sent()
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


@pytest.mark.parametrize("steps", range(6))
async def test_who_is_given_up_as_the_line_moves_waits_no_longer(hosts, steps):
    """``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes with what is waited for."""
    await use(hosts, "a.de", "s", 3600, 1)
    page = asyncio.ensure_future(use(hosts, "a.de", "s", 3600, 1))
    section = asyncio.ensure_future(hosts.turn("a.de", "s", 3600, 1, True).__aenter__())
    for _ in range(10):
        await asyncio.sleep(0)  # both wait, the section page for a time
    page.cancel()
    for _ in range(steps):
        await asyncio.sleep(0)
    section.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    try:
        assert page.cancelled() and section.cancelled()
    finally:
        section.cancel()


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
        with pytest.raises(HostInBackoff) as refused:
            await use(hosts, "a.de")
        assert refused.value.retry_at == NOON + timedelta(minutes=2)
    await use(hosts, "b.de")
    clock.time = NOON + timedelta(minutes=2)
    await use(hosts, "a.de")


async def test_those_already_waiting_fail_too_when_the_host_asks_for_time(hosts):
    async with hosts.turn("a.de", "s", 0, 1):
        waiting = [asyncio.ensure_future(use(hosts, "a.de", "s", 0, 1)) for _ in range(5)]
        await asyncio.sleep(0)
        await hosts.asked_to_wait("a.de", 429, "60")
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, HostInBackoff) for end in ends)


async def test_a_429_without_a_time_and_a_503_without_one(hosts):
    assert await hosts.asked_to_wait("a.de", 429, None) == NOON + UNNAMED_REST
    assert await hosts.asked_to_wait("b.de", 503, None) is None
    assert await hosts.asked_to_wait("c.de", 503, "nonsense") is None


async def test_a_restarted_process_still_leaves_the_host_alone(store, hosts, clock):
    await hosts.asked_to_wait("a.de", 429, "3600")
    await hosts.asked_to_wait("a.de", 429, "5")  # a shorter time never replaces a longer one
    again = Hosts(store, now=clock)
    with pytest.raises(HostInBackoff) as refused:
        await use(again, "a.de")
    assert refused.value.retry_at == NOON + timedelta(hours=1)


async def test_a_dead_host_is_left_alone_for_longer_each_time(hosts, clock):
    for _ in range(DEAD_AFTER - 1):
        assert await hosts.failed("a.de") is None
    assert await hosts.failed("a.de") == NOON + DEAD_REST
    with pytest.raises(HostInBackoff) as refused:
        await use(hosts, "a.de")
    assert refused.value.dead
    clock.time += DEAD_REST
    assert await hosts.failed("a.de") == clock.time + 2 * DEAD_REST
    clock.time += 2 * DEAD_REST
    hosts.answered("a.de")
    assert await hosts.failed("a.de") is None
    await use(hosts, "a.de")


async def test_a_rest_that_a_wrong_clock_has_written_is_no_longer_than_the_longest(store, clock):
    await store.save_host_backoff(HostBackoff("x.example", "", clock() + timedelta(days=3650)))
    hosts = Hosts(store, longest=timedelta(hours=1), now=clock)
    with pytest.raises(HostInBackoff) as resting:
        await hosts.check("x.example")
    assert resting.value.retry_at <= clock() + timedelta(hours=1)


# --- who leaves a host alone -----------------------------------------------------------------------------------------


async def rests(hosts, host, source):
    """Until when *source* leaves *host* alone; None: it does not."""
    try:
        await hosts.check(host, source)
    except HostInBackoff as resting:
        return resting.retry_at
    return None


def refused(hosts, host="a.de", source="s", after="86400", **more):
    return hosts.asked_to_wait(host, 429, after, source, **{"is_page": True, **more})


async def test_a_page_slows_its_source_for_minutes_and_comes_again_when_it_said(hosts, clock):
    assert await refused(hosts) == NOON + DAY
    assert await rests(hosts, "a.de", "s") == NOON + PAGE_REST
    assert await rests(hosts, "a.de", "other") is None
    clock.time = NOON + PAGE_REST
    await refused(hosts)
    assert await rests(hosts, "a.de", "s") == clock.time + 2 * PAGE_REST


async def test_pages_that_were_asked_for_at_the_same_moment_count_once(hosts):
    for _ in range(CLOSED_AFTER + 2):
        await refused(hosts)
    assert await rests(hosts, "a.de", "s") == NOON + PAGE_REST
    assert await rests(hosts, "a.de", "other") is None


async def test_page_after_page_means_the_host(hosts, clock):
    for _ in range(CLOSED_AFTER):
        clock.time = await rests(hosts, "a.de", "s") or clock.time
        await refused(hosts)
    assert await rests(hosts, "a.de", "other") == clock.time + DAY


async def test_a_page_that_came_between_ends_the_row(hosts, clock):
    for _ in range(CLOSED_AFTER + 2):
        clock.time = await rests(hosts, "a.de", "s") or clock.time
        hosts.answered("a.de", "s")
        await refused(hosts)
    assert await rests(hosts, "a.de", "s") == clock.time + PAGE_REST
    assert await rests(hosts, "a.de", "other") is None


async def test_a_feed_closes_the_host_for_all(hosts):
    await refused(hosts, is_page=False)
    assert await rests(hosts, "a.de", "other") == NOON + DAY


@pytest.mark.parametrize("is_page", [True, False])
async def test_a_host_that_is_not_the_sources_own_is_closed_for_nobody_else(hosts, clock, is_page):
    for _ in range(CLOSED_AFTER + 1):
        clock.time = await rests(hosts, "victim.de", "s") or clock.time
        await refused(hosts, "victim.de", is_page=is_page, is_own=False)
    assert await rests(hosts, "victim.de", "s") == clock.time + DAY
    assert await rests(hosts, "victim.de", "victim") is None


async def test_requests_that_are_never_answered_end_in_a_rest_of_their_source(hosts, clock):
    for _ in range(DEAD_AFTER - 1):
        assert await hosts.unanswered("a.de", "s") is None
    assert await hosts.unanswered("a.de", "s") == NOON + DEAD_REST
    assert await rests(hosts, "a.de", "s") == NOON + DEAD_REST
    assert await rests(hosts, "a.de", "patient") is None
    clock.time += DEAD_REST
    hosts.answered("a.de", "s")
    assert await hosts.unanswered("a.de", "s") is None


async def test_a_rest_that_was_lifted_is_over_in_a_running_process_too(store, clock, monkeypatch):
    monkeypatch.setattr("crawler.downloader.hosts.RESTING_KNOWN_FOR", 0.0)
    clock.time = datetime.now(UTC)
    hosts = Hosts(store, now=clock)
    await refused(hosts, is_page=False)
    assert await rests(hosts, "a.de", "s")
    assert [rest.host for rest in await store.clear_host_backoffs("a.de")] == ["a.de"]
    clock.time += timedelta(seconds=1)  # the database's clock and ours may be a moment apart
    assert await rests(hosts, "a.de", "s") is None


async def test_a_machine_that_reaches_nobody_closes_no_host_to_others(store, hosts, clock):
    """Its cable was pulled: hosts rest here for seconds only, and rise as soon as one of them answers."""
    others = Hosts(store, now=clock)
    names = [f"{letter}.de" for letter in "abcde"]
    for _ in range(3 * DEAD_AFTER):
        for name in names:
            until = await hosts.failed(name)
    assert hosts.is_offline and until == NOON + DEAD_REST
    assert await rests(hosts, "a.de", "s") == until
    assert [await rests(others, name, "s") for name in names] == [None] * 5
    hosts.answered("e.de")
    assert not hosts.is_offline
    assert await rests(hosts, "a.de", "s") is None
    assert await hosts.failed("a.de") is None


async def test_lists_and_pages_take_turns_where_both_wait(hosts):
    """Feeds that are always due leave room for pages, and pages for feeds."""
    assert await in_line(hosts, pages=3, lists=5) == ["list", 0, "list", 1, "list", 2, "list", "list"]


async def test_a_feed_goes_before_the_pages_that_wait(hosts):
    assert await in_line(hosts, pages=5, lists=1) == ["list", 0, 1, 2, 3, 4]


async def in_line(hosts, pages: int, lists: int) -> list:
    """In which order pages, and then lists, are served that began to wait while one page was asked for."""
    began = []

    async def ask(name, is_list=False):
        async with hosts.turn("a.de", "s", 0.01, 1, is_list):
            began.append(name)

    async with hosts.turn("a.de", "s", 0.01, 1):
        waiting = [asyncio.ensure_future(ask(number)) for number in range(pages)]
        for _ in range(20):
            await asyncio.sleep(0)
        waiting += [asyncio.ensure_future(ask("list", is_list=True)) for _ in range(lists)]
        for _ in range(20):
            await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    return began
