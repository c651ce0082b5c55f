"""The time, and whether the wall clock was set: it is compared with one that nobody can set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class ClockWatch:
    """*now* is the wall clock, *monotonic* gives seconds that only ever grow."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ):
        self._now, self._monotonic = now, monotonic
        self._apart = self._difference()

    def step(self) -> timedelta:
        """How far the wall clock was moved since the last look; below zero where it was set back."""
        before, self._apart = self._apart, self._difference()
        return self._apart - before

    def _difference(self) -> timedelta:
        return self._now() - datetime.fromtimestamp(0, UTC) - timedelta(seconds=self._monotonic())


def utc_now() -> datetime:
    return datetime.now(UTC)
