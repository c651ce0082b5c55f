"""Whether somebody has set the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crawler.clock import ClockWatch


def test_a_clock_that_was_set_is_told_by_how_much_and_once():
    clocks = {"wall": datetime(2026, 3, 1, tzinfo=UTC), "monotonic": 100.0}
    watch = ClockWatch(lambda: clocks["wall"], lambda: clocks["monotonic"])
    clocks["wall"] += timedelta(seconds=30)
    clocks["monotonic"] += 30
    assert watch.step() == timedelta()
    clocks["wall"] -= timedelta(hours=1)
    assert watch.step() == timedelta(hours=-1)
    assert watch.step() == timedelta()
