"""Runs whose process died or was stopped, for whoever goes on with their work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from psycopg import AsyncConnection

from pipelines.store.models import Row, RunCounts
from pipelines.store.session import Session, rows_of

#: how a run ends whose process was told to stop: another one may go on at once
HANDED_OVER = "the scheduler was stopped"
#: how a run ends whose process gave no sign of life
LOST_LEASE = "lost lease"
#: how a run ends whose process is known to be gone
KILLED = "its process was killed"
#: what is said of a run that another process goes on with
TAKEN_OVER = "the lease was lost: another process took the run over"
#: a run that takes over and dies too is taken over; after so many of them in a row the source waits for its next slot
MOST_TAKEOVERS = 3
#: what was handed over longer ago waits for the next slot
STILL_TO_DO = timedelta(days=1)


class LostLease(Exception):
    """Another process has taken the run over and ended it; ``counts`` are those of that end."""

    def __init__(self, counts: RunCounts):
        super().__init__(TAKEN_OVER)
        self.counts = counts


# Which runs can be taken over: ended without finishing, no other crawl of the source has begun since, and not in a long
# row of processes that died. The words stand in the statement, so that runs_stopped and runs_died find them.
_UNFINISHED = f"""
    kind = 'crawl'
    AND (outcome = 'stopped' AND error = '{HANDED_OVER}'
         OR outcome = 'failed' AND error IN ('{LOST_LEASE}', '{KILLED}'))
    AND NOT EXISTS (
        SELECT FROM ingest.runs AS later
        WHERE later.source = run.source AND later.started_at >= run.started_at AND later.id > run.id
          AND later.kind = 'crawl')
    AND (SELECT count(*) FROM (
            SELECT takes_over, error FROM ingest.runs AS one WHERE one.source = run.source AND kind = 'crawl'
            ORDER BY started_at DESC LIMIT {MOST_TAKEOVERS}) AS last
         WHERE takes_over IS NOT NULL AND error IN ('{LOST_LEASE}', '{KILLED}')) < {MOST_TAKEOVERS}
"""

# Two sorts: those that have not ended, "lost" as in runs.FIND_DEAD_RUNS; and those that have, where nobody works on
# their source now. Whoever ended one as lost may have had a recheck to do, or was killed before it could go on.
ABANDONED = f"""
    SELECT id, source, holder,
           lease_until < clock_timestamp() OR heartbeat_at > clock_timestamp() + (lease_until - heartbeat_at) AS is_lost
    FROM ingest.runs WHERE ended_at IS NULL AND kind = 'crawl'
    UNION ALL
    SELECT id, source, holder, true
    FROM ingest.runs AS run
    WHERE {_UNFINISHED}
      AND started_at > clock_timestamp() - %(still)s
      AND NOT EXISTS (SELECT FROM ingest.runs AS other WHERE other.source = run.source AND other.ended_at IS NULL)
"""

# for who holds the lock of the source
MAY_TAKE_OVER = f"""
    SELECT 1 FROM ingest.runs AS run WHERE id = %(takes_over)s AND source = %(source)s AND {_UNFINISHED}
"""


@dataclass(frozen=True, slots=True)
class AbandonedRun:
    """``is_lost``: nobody works on it. Otherwise *holder* does, unless its process is gone."""

    id: int
    source: str
    holder: str
    is_lost: bool


class Takeovers(Session):
    """What ``Store`` does about the runs of processes that died or were stopped."""

    async def abandoned_runs(self) -> list[AbandonedRun]:
        """Crawls that have not ended, and those that ended without finishing and that nobody went on with."""
        rows = await self._do(ABANDONED, still=STILL_TO_DO)
        return [AbandonedRun(**row) for row in rows]


async def may_take_over(connection: AsyncConnection, source: str | None, takes_over: int) -> bool:
    """Whether nobody else has gone on with run *takes_over*. For who holds the source's lock."""
    values: Row = {"source": source, "takes_over": takes_over}
    return bool(await rows_of(connection, MAY_TAKE_OVER, values))
