"""What became of a run, as people and programs are told it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from crawler.config import REPLAY
from crawler.house import House
from pipelines import database
from pipelines.database import DatabaseError
from pipelines.store import Run, RunCounts, RunKind

if TYPE_CHECKING:
    from crawler.spiders.run import RunSpider

log = logging.getLogger(__name__)

Outcome = Literal["finished", "failed", "stopped", "skipped"]

#: how many discovery documents a report names that could not be used
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of a run. ``skipped``: there was none, because another process runs the source or its slot is done.

    ``error`` is one line for a person. ``problems`` are parts of discovery documents that could not be used.
    """

    source: str | None
    kind: RunKind
    outcome: Outcome
    counts: RunCounts = field(default_factory=RunCounts)
    error: str | None = None
    run_id: int | None = None
    slot: datetime | None = None
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = self.counts
        ends = {
            "found": counts.found,
            "new": counts.new,
            "new_version": counts.new_version,
            "unchanged": counts.unchanged,
            "copy": counts.copy,
            "rejected": counts.rejected,
            "pending": counts.pending,
        }
        said = " ".join(f"{name}={number}" for name, number in ends.items() if number or name == "found")
        reasons = " ".join(f"{reason}={number}" for reason, number in sorted(counts.reasons.items()))
        pieces = [f"{self.kind} of {self.source or REPLAY} {self.outcome}:", said, f"({reasons})" if reasons else ""]
        return " ".join(filter(None, [*pieces, f"error: {self.error}" if self.error else ""]))


def level_of(report: RunReport) -> int:
    """How loudly a run is told: nobody wants a line each few minutes for a scheduled look that found nothing new."""
    if report.outcome != "finished":
        return logging.WARNING
    counts = report.counts
    is_usual = report.slot is not None and not (counts.new or counts.new_version or counts.copy)
    return logging.DEBUG if is_usual else logging.INFO


async def finish(house: House, run: Run, spider: RunSpider) -> RunReport:
    """Record a run's end and report it."""
    outcome, error = outcome_of(spider)
    try:
        counts = await house.store.end_run(run, outcome, error)
    except DatabaseError as away:
        outcome, error, counts = "failed", str(away), RunCounts()
    if counts.new or counts.copy:
        await group_stories(house)
    report = RunReport(run.source, run.kind, outcome, counts, error, run.id, run.slot, tuple(spider.problems))
    log.log(level_of(report), "%s", report)
    return report


async def group_stories(house: House) -> None:
    """What goes wrong here is no failure of the run: the next one's end groups what is left."""
    try:
        await house.store.group_stories()
    except DatabaseError as error:
        log.warning("stories: %s", database.safe_text(error))


def outcome_of(spider: RunSpider) -> tuple[Literal["finished", "failed", "stopped"], str | None]:
    """The outcome of a run and, where it is not ``finished``, why, in one line."""
    if spider.trouble:
        return "failed", spider.trouble
    if spider.stopped:
        return "stopped", spider.stopped
    if spider.failures:
        more = len(spider.failures) - MOST_NAMED
        named = "; ".join(spider.failures[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
        return "failed", f"{len(spider.failures)} places to look at could not be used: {named}"
    return "finished", None
