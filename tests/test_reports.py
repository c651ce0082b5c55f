"""How loudly a run is told."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawler.reports import RunReport, level_of
from pipelines.store import RunCounts

SLOT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEDULED = RunReport("zeitung", "crawl", "finished", slot=SLOT)


@pytest.mark.parametrize(
    ("report", "level"),
    [
        (SCHEDULED, logging.DEBUG),
        (replace(SCHEDULED, counts=RunCounts(unchanged=40, rejected=2, pending=1)), logging.DEBUG),
        (replace(SCHEDULED, counts=RunCounts(new=1)), logging.INFO),
        (replace(SCHEDULED, counts=RunCounts(new_version=1)), logging.INFO),
        (replace(SCHEDULED, counts=RunCounts(copy=1)), logging.INFO),
        (replace(SCHEDULED, slot=None), logging.INFO),  # somebody has asked for it
        (replace(SCHEDULED, outcome="failed"), logging.WARNING),
        (replace(SCHEDULED, outcome="stopped", slot=None), logging.WARNING),
    ],
)
def test_what_is_usual_is_for_debugging(report: RunReport, level: int):
    assert level_of(report) == level
