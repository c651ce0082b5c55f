"""Runs: who works on a source now, by a lease with a heartbeat, and how the pages of each run ended."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from pipelines.store import row_mapping
from pipelines.store.file_batches import LINK_RUN, RUNS_LEFT
from pipelines.store.models import Row, Run, RunCounts, RunKind, RunOutcome
from pipelines.store.session import Session, rows_of
from pipelines.store.sources import SAVE_SOURCE_NAME
from pipelines.store.takeovers import LOST_LEASE, LostLease, may_take_over

LOCK_SOURCE = "SELECT pg_advisory_xact_lock(hashtextextended('run of ' || %(source)s, 0))"

FIND_DEAD_RUNS = """
    SELECT id FROM ingest.runs
    WHERE (source = %(source)s OR source IS NULL AND %(source)s::text IS NULL)
      AND ended_at IS NULL
      -- or its last sign of life is in the future: the clock was set back, and who lives says so again in no time
      AND (lease_until < clock_timestamp() OR heartbeat_at > clock_timestamp() + (lease_until - heartbeat_at))
    ORDER BY id
    FOR UPDATE
"""

WORKER_IDS = "SELECT id, holder FROM ingest.runs WHERE source IS NOT DISTINCT FROM %(source)s AND ended_at IS NULL"

# the answer to an earlier try may have been lost: then the run is there already
FIND_BEGUN = "SELECT id, slot, started_at FROM ingest.runs WHERE token = %(token)s"

BEGIN_RUN = """
    INSERT INTO ingest.runs (token, source, kind, slot, holder, lease_until, takes_over)
    VALUES (%(token)s, %(source)s, %(kind)s, %(slot)s, %(worker_id)s, clock_timestamp() + %(lease)s, %(takes_over)s)
    ON CONFLICT DO NOTHING
    RETURNING id, slot, started_at
"""

HEARTBEAT = """
    UPDATE ingest.runs SET heartbeat_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s
    WHERE id = %(run)s AND ended_at IS NULL
    RETURNING id
"""

# Every page that the run ended, and every page of its source (for a replay: of its own) that waits. A page is in one of
# the parts only, so the counts always add up.
COUNT_RUN = """
    SELECT coalesce(ending, 'pending') AS ending, reason, count(*)::integer AS number
    FROM (
        SELECT ended.ending, CASE WHEN ended.ending = 'rejected' THEN ended.reason END AS reason
        FROM ingest.run_pages AS ended
        WHERE ended.run_id = %(run)s AND ended.ending IS NOT NULL
        UNION ALL
        SELECT NULL, page.reason
        FROM ingest.pages AS page
        JOIN ingest.runs AS run ON run.source = page.source AND run.kind = 'crawl'
        WHERE run.id = %(run)s AND page.state = 'pending'
        UNION ALL
        SELECT NULL, waiting.reason
        FROM ingest.run_pages AS waiting
        JOIN ingest.pages AS page ON page.id = waiting.page_id
        JOIN ingest.runs AS run ON run.id = waiting.run_id
        WHERE waiting.run_id = %(run)s AND waiting.ending IS NULL AND (
            page.state = 'ended' OR run.kind IN ('replay', 'backfill'))
    ) AS counted
    GROUP BY 1, 2
"""

RUN_STATE = """
    SELECT ended_at, outcome = %(outcome)s AND error IS NOT DISTINCT FROM %(error)s AS is_ours,
           new, new_version, unchanged, copy, rejected, pending, reasons
    FROM ingest.runs WHERE id = %(run)s FOR UPDATE
"""

# pages that were only seen again are as many as the feeds have entries, every few minutes; counted, they have done
# their service
END_RUN = """
    WITH forgotten AS (DELETE FROM ingest.run_pages WHERE run_id = %(run)s AND NOT asked)
    UPDATE ingest.runs
    SET ended_at = clock_timestamp(), outcome = %(outcome)s, error = %(error)s, new = %(new)s,
        new_version = %(new_version)s, unchanged = %(unchanged)s, copy = %(copy)s, rejected = %(rejected)s,
        pending = %(pending)s, reasons = %(reasons)s
    WHERE id = %(run)s
"""

PREVIOUS_RUN = """
    SELECT outcome <> 'finished' AS has_crashed FROM ingest.runs
    WHERE source = %(source)s AND id < %(run)s AND kind NOT IN ('replay', 'backfill')
    ORDER BY id DESC LIMIT 1
"""


class Runs(Session):
    """What ``Store`` does about runs."""

    async def begin_run(
        self,
        source: str | None,
        kind: RunKind,
        worker_id: str,
        slot: datetime | None = None,
        lease: timedelta = timedelta(minutes=5),
        takes_over: int | None = None,
        batch_file: int | None = None,
    ) -> Run | None:
        """A run of *source*, or None: somebody else runs it now, or this slot is done.

        *takes_over* is a run with whose work it goes on: None where somebody else has done so. *batch_file* is what a
        worker has claimed and reads in it: earlier runs over that file have ended, whatever they say.

        Runs of the source whose lease is over are ended first, as failed with the error 'lost lease'. Where there is
        nothing else to do, this run has no slot and goes on with the last of them: nobody else would see it any more.
        """
        values = {
            "token": uuid.uuid4(),
            "source": source,
            "kind": kind,
            "slot": slot,
            "worker_id": worker_id,
            "lease": lease,
            "takes_over": takes_over,
            "batch_file": batch_file,
        }

        is_again = False  # the answer to a COMMIT was lost, maybe: has this run begun?

        async def work(connection: AsyncConnection) -> list[Row]:
            nonlocal is_again
            if is_again and (begun := await rows_of(connection, FIND_BEGUN, values)):
                return begun
            is_again = True
            await connection.execute(LOCK_SOURCE, values)
            if source is not None:
                await connection.execute(SAVE_SOURCE_NAME, values)
            dead = await _end_dead_runs(connection, values)
            return await _begun(connection, values) or (
                await _begun(connection, values | {"slot": None, "takes_over": dead[-1]}) if dead else []
            )

        begun = await self._connections.run(work)
        if not begun:
            return None
        row = begun[0]
        return Run(row["id"], source, kind, worker_id, row["slot"], lease, row["started_at"], self._rechecks)

    async def heartbeat(self, run: Run) -> bool:
        """Prolong the lease. False: somebody took the run over; stop working on it."""
        return bool(await self._do(HEARTBEAT, run=run.id, lease=run.lease))

    async def worker_ids(self, source: str | None) -> dict[int, str]:
        """The holder of each run of *source* that has not ended, by the run's id."""
        return {row["id"]: row["holder"] for row in await self._do(WORKER_IDS, source=source)}

    async def end_run(self, run: Run, outcome: RunOutcome, error: str | None = None) -> RunCounts:
        """End the run and count its pages. Ending it in the same way again returns the same counts.

        Raises LostLease where somebody else has ended it.
        """
        counts, is_ours = await self._connections.run(
            lambda connection: _end_run(connection, run.id, outcome, row_mapping.clean(error))
        )
        self._in_flight.pop(run.id, None)
        if not is_ours:
            raise LostLease(counts)
        return counts

    async def run_counts(self, run: Run) -> RunCounts:
        """The counts so far, for progress."""
        return _counts(await self._do(COUNT_RUN, run=run.id))

    async def previous_run_crashed(self, run: Run) -> bool:
        """Whether the run of this source before *run* did not finish."""
        rows = await self._do(PREVIOUS_RUN, source=run.source, run=run.id)
        return bool(rows and rows[0]["has_crashed"])


async def _end_dead_runs(connection: AsyncConnection, values: Row) -> list[int]:
    """End the runs that *values* find over; those of the source whose lease is."""
    dead = [row["id"] for row in await rows_of(connection, FIND_DEAD_RUNS, values)]
    left = await rows_of(connection, RUNS_LEFT, values) if values["batch_file"] is not None else []
    for one in [*dead, *(row["id"] for row in left)]:
        await _end_run(connection, one, "failed", LOST_LEASE)
    return dead


async def _begun(connection: AsyncConnection, values: Row) -> list[Row]:
    """The run that *values* ask for, if there may be one. For who holds the lock of its source."""
    takes_over = values["takes_over"]
    if takes_over is not None and not await may_take_over(connection, values["source"], takes_over):
        return []
    begun = await rows_of(connection, BEGIN_RUN, values)
    if begun and values["batch_file"] is not None:
        await connection.execute(LINK_RUN, values | {"run": begun[0]["id"]})
    return begun


def _counts(rows: list[Row]) -> RunCounts:
    numbers: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for row in rows:
        numbers[row["ending"]] = numbers.get(row["ending"], 0) + row["number"]
        if row["reason"]:
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + row["number"]
    return RunCounts(**numbers, reasons=dict(sorted(reasons.items())))


async def _end_run(
    connection: AsyncConnection, run: int, outcome: RunOutcome, error: str | None
) -> tuple[RunCounts, bool]:
    """The counts, and whether the run has ended in this way: now, or at an earlier try whose answer was lost."""
    state = (await rows_of(connection, RUN_STATE, {"run": run, "outcome": outcome, "error": error}))[0]
    is_ours = bool(state.pop("is_ours"))
    if state.pop("ended_at") is not None:
        return RunCounts(**state), is_ours
    counts = _counts(await rows_of(connection, COUNT_RUN, {"run": run}))
    values = asdict(counts) | {"run": run, "outcome": outcome, "error": error, "reasons": Jsonb(counts.reasons)}
    await connection.execute(END_RUN, values)
    return counts, True
