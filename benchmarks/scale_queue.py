"""The job queue in the database, for ``benchmarks.scale``: what a job costs, and what finished jobs that stay cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from crawler import worker
from pipelines.store.job_queue import SLOTS, queue_address

FINISHED = f"""
    INSERT INTO {SLOTS}.procrastinate_jobs (queue_name, task_name, args, status, queueing_lock, attempts)
    SELECT 's' || number %% 1000, 'crawl', jsonb_build_object('source', 's' || number %% 1000), 'succeeded',
           's' || number, 1
    FROM generate_series(1, %(number)s) AS number
"""


@dataclass(frozen=True, slots=True)
class JobCost:
    """``finished``: jobs that stayed; processor seconds of the database to put one job in, and to do and end it."""

    finished: int
    defer: float
    work: float


async def measured(dsn: str, jobs: int, finished: int, seconds: Callable[[], float]) -> list[JobCost]:
    """With deleting (none stays), and beside so many *finished* ones. *seconds*: of the database's clients so far."""
    await asyncio.to_thread(worker.prepare, dsn)
    costs = []
    for stays in (0, finished):
        if stays:
            with psycopg.connect(queue_address(dsn), autocommit=True) as connection:
                connection.execute(FINISHED, {"number": stays})
                connection.execute(f"VACUUM ANALYZE {SLOTS}.procrastinate_jobs")
        costs.append(await _jobs(dsn, jobs, stays, seconds))
    return costs


async def _jobs(dsn: str, jobs: int, stays: int, seconds: Callable[[], float]) -> JobCost:
    queue, slot = worker.queue_of(dsn), datetime(2026, 1, 5, tzinfo=UTC)

    @queue.task(name=worker.TASK)
    async def crawl(source: str, slot: str | None, takes_over: int | None) -> None:
        """What the run itself costs is measured elsewhere."""

    async with queue.open_async():
        begun = seconds()
        for number in range(jobs):
            await worker.defer(queue, f"s{number}", slot + timedelta(minutes=15 * (stays > 0)))
        deferred = seconds()
        await queue.run_worker_async(
            wait=False, concurrency=16, delete_jobs="never" if stays else "successful", install_signal_handlers=False
        )
        return JobCost(stays, (deferred - begun) / jobs, (seconds() - deferred) / jobs)
