"""The fault drills of ``benchmarks/drills.py`` in their short form: nothing lost, nothing doubled, whatever breaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import drills

pytestmark = pytest.mark.filterwarnings("default")  # processes are killed here, with their pipes open


@pytest.fixture(scope="module")
def at() -> Iterator[tuple[Path, str]]:
    with drills.server() as made:
        yield made


def check(result: drills.Result) -> None:
    assert result.ok, result
    assert (result.lost, result.doubled) == (0, 0)


async def test_kill_9_with_a_moving_feed_window_loses_and_doubles_nothing(at):
    result = await drills.kills(at, times=2, step=8)
    check(result)
    assert result.broken == 2


async def test_postgres_restarted_and_killed_during_a_crawl(at):
    check(await drills.restarts(at, times=2, away=0.2, count=60))


async def test_a_schedule_can_be_stopped_while_postgres_is_away(at):
    check(await drills.stopped_while_away(at, count=20))


async def test_lost_answers_to_commit_lose_and_double_nothing(at):
    check(await drills.lost_commits(at, nth=4, count=60))


async def test_a_killed_scheduler_is_replaced_and_no_slot_runs_twice(at):
    check(await drills.schedulers(at))


async def test_clock_steps_run_each_slot_once(at):
    check(await drills.clock_steps(at))


async def test_a_full_disk_is_said_and_loses_nothing(at):
    check(await drills.full_disk(at, room=10_000, count=16))


async def test_poison_and_killed_readers_cost_no_good_page(at):
    check(await drills.poison(at, count=12, most=1))


async def test_bombs_take_little_memory_and_no_good_page_and_let_nobody_inside(at):
    result = await drills.hostile(at, count=6, is_short=True)
    check(result)
    assert 0 < result.peak_mb < 800


async def test_small_sources_do_not_wait_for_a_large_one(at):
    result = await drills.fairness(at, many=600, small=2)
    check(result)
