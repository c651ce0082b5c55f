"""What became of a run, as people and programs are told it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pipelines.store import RunCounts, RunKind

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
        whose = f" of {self.source}" if self.source else ""
        pieces = [f"{self.kind}{whose} {self.outcome}:", said, f"({reasons})" if reasons else ""]
        return " ".join(filter(None, [*pieces, f"error: {self.error}" if self.error else ""]))


def level_of(report: RunReport) -> int:
    """How loudly a run is told: nobody wants a line each few minutes for a scheduled look that found nothing new."""
    if report.outcome != "finished":
        return logging.WARNING
    counts = report.counts
    is_usual = report.slot is not None and not (counts.new or counts.new_version or counts.copy)
    return logging.DEBUG if is_usual else logging.INFO


def outcome_of(
    trouble: str | None, stopped: str | None, failures: Sequence[str], lost: Mapping[str, int]
) -> tuple[Literal["finished", "failed", "stopped"], str | None]:
    """The outcome of a run and, where it is not ``finished``, why, in one line.

    *trouble*: why it failed as a whole. *stopped*: why it ended early. *failures*: documents that could not be used.
    *lost*: the pages that item pipelines lost, by what is said of each.
    """
    if trouble:
        return "failed", trouble
    if stopped:
        return "stopped", stopped
    said = [
        f"pages lost in an item pipeline: {number} ({one}; it must return it, or raise DropItem); when it is mended: "
        "nachlese retry"
        for one, number in lost.items()
    ]
    if failures:
        more = len(failures) - MOST_NAMED
        named = "; ".join(failures[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
        said.append(f"{len(failures)} places to look at could not be used: {named}")
    return ("failed", "; ".join(said)) if said else ("finished", None)
