"""``nachlese worker`` and what fills its queues: slots and files as jobs for any number of machines.

The only door to procrastinate, which needs the extra ``nachlese[workers]``. A job is one slot of one source, in a queue
of the source's name, or one file of a batch (``crawler.file_jobs``). It guards nothing: the lease of the run in
Postgres does, so a job whose source runs already, or whose slot is done, ends at once; and so does the claim on a file.
Jobs that ended well are deleted; the history is in ``ingest.runs`` and ``ingest.batch_files``.

A worker takes slots and files in two loops: no slot waits for a place that a file has.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from crawler import schedule
from crawler.config import Configuration, Source
from crawler.file_jobs import FileJobs
from crawler.runs import SHUTDOWN_GRACE, crawl_source, look_again, stop_all
from crawler.schedule import Scheduler
from crawler.services import Services, open_services
from crawler.takeover import every
from crawler.upgrades import UpgradeWatch
from pipelines import database
from pipelines.database import DatabaseError
from pipelines.store.job_queue import (
    FILES,
    FILES_WITHOUT_JOB,
    MOMENT,
    SLOTS,
    STILL_DOING,
    SUCCESSOR,
    is_struck_off,
    make_queue,
    queue_address,
)
from pipelines.store.takeovers import HANDED_OVER

log = logging.getLogger(__name__)

#: what a worker can take
Kind = Literal["slots", "files"]
KINDS: tuple[Kind, ...] = ("slots", "files")
SCHEMAS: dict[Kind, str] = {"slots": SLOTS, "files": FILES}
TASK, FILE_TASK = "crawl", "read_file"
#: of jobs that go on with a dead worker's run: they are late already, and go before the slots that wait for the workers
#: that are left
TAKEOVER_PRIORITY = 1
#: runs at a time in one worker: most of them wait for their site's delay
CONCURRENCY = 64
#: seconds for which the library waits for a connection: while the database is away, a worker that is to end waits twice
#: as long, and systemd ends it after 40
QUEUE_PATIENCE = 10.0
#: seconds between two looks for a job that nobody told of: what comes while a look finds nothing is not heard
POLL_EVERY = 1.0
#: seconds without a sign of life after which a worker's jobs are given to others
STALLED_AFTER = 30.0
#: seconds between two looks for such jobs
LOOK_EVERY = 10.0


def prepare(dsn: str, kind: Kind = "slots") -> None:
    """Make a queue's tables where they are not there yet. Raises DatabaseError."""
    make_queue(dsn, procrastinate.schema.SchemaManager.get_schema(), SCHEMAS[kind])


def queue_of(dsn: str, kind: Kind = "slots") -> procrastinate.App:
    """A queue behind *dsn*, not yet open."""
    address = queue_address(dsn, SCHEMAS[kind])
    connector = procrastinate.PsycopgConnector(conninfo=address, min_size=1, max_size=4, timeout=QUEUE_PATIENCE)
    queue = procrastinate.App(connector=connector)
    queue.job_manager = Jobs(queue.connector)
    return queue


class Jobs(JobManager):
    """The library's, which lets nobody catch what goes wrong when a job is closed."""

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Close a job. Others may have done so, if this process was frozen; what could not be closed, closes
        ``JobLoop.close_ended``."""
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException as error:
            log.warning("the job of %s could not be closed: %s", job.queue, error.__cause__ or error)


async def defer(
    queue: procrastinate.App,
    source: str,
    slot: datetime | None,
    after: timedelta = timedelta(),
    takes_over: int | None = None,
) -> bool:
    """Put a slot of *source*, or the run that is to be taken over, into the queue; False where it waits there."""
    what = f"slot {slot.isoformat()}" if slot else f"run {takes_over}"
    with reaching_queue():
        job = queue.configure_task(
            TASK,
            queue=source,
            queueing_lock=f"{source} {what}",
            priority=TAKEOVER_PRIORITY if takes_over is not None else 0,
            schedule_at=await moment_in(queue, after) if after else None,
        )
        try:
            await job.defer_async(source=source, slot=slot.isoformat() if slot else None, takes_over=takes_over)
        except AlreadyEnqueued:
            return False
    return True


async def defer_file(queue: procrastinate.App, file: int, after: timedelta = timedelta()) -> None:
    """Put a file of a batch into the queue of files, unless it waits there."""
    with reaching_queue(), suppress(AlreadyEnqueued):
        moment = await moment_in(queue, after) if after else None
        job = queue.configure_task(FILE_TASK, queue=FILES, queueing_lock=f"file {file}", schedule_at=moment)
        await job.defer_async(file=file)


async def defer_files(queue: procrastinate.App) -> None:
    """Put in all files that have not ended and have no job. Raises DatabaseError."""
    with reaching_queue():
        rows = await queue.connector.execute_query_all_async(FILES_WITHOUT_JOB)
    for row in rows:
        await defer_file(queue, row["id"])


async def moment_in(queue: procrastinate.App, after: timedelta) -> datetime:
    """When it will be so much later by the clock of the database, which is the one that jobs wait for."""
    row = await queue.connector.execute_query_one_async(MOMENT, after=after)
    return cast("datetime", row["moment"])


async def has_successor(queue: procrastinate.App, source: str, slot: datetime) -> bool:
    """Whether a later slot of *source* waits for a worker now. One that is to begin later says nothing of this one."""
    with reaching_queue():
        row = await queue.connector.execute_query_one_async(SUCCESSOR, source=source, task=TASK, slot=slot)
    return bool(row["is_there"])


@contextmanager
def reaching_queue() -> Iterator[None]:
    """What the queue's tables refuse, or cannot be asked, is a DatabaseError as everywhere."""
    try:
        yield
    except ConnectorException as error:
        raise DatabaseError(f"the queue cannot be reached: {error.__cause__ or error}") from error


class QueueScheduler(Scheduler):
    """Puts each slot into the queue when it is due, and runs nothing."""

    def __init__(self, services: Services, queue: procrastinate.App, is_mine: Callable[[Source], bool]):
        super().__init__(services, is_mine=is_mine)
        self.queue = queue

    async def run(self, name: str, slot: datetime | None, wait: float, takes_over: int | None = None) -> None:
        self._begun.add(name)  # it does not wait here: whoever drains this process lets the job be put in
        try:
            await defer(self.queue, name, slot, timedelta(seconds=wait), takes_over)
            await self.note_next_run(name)
        except DatabaseError as error:
            log.error("no job for %s: %s", name, error)


class JobLoop:
    """Runs the jobs of a queue that are called *task*, up to *concurrency* at a time. *names* of a part of the queue:
    only these; None: all."""

    def __init__(
        self,
        services: Services,
        queue: procrastinate.App,
        task: str,
        work: Callable[..., Coroutine[Any, Any, None]],
        names: list[str] | None,
        concurrency: int,
    ):
        self.services, self.queue, self.task = services, queue, task
        self.names, self.concurrency = names, concurrency
        self.ended: dict[int, float] = {}  # jobs whose work is done, and since when: they may still be in the queue

        async def job(context: procrastinate.JobContext, /, **arguments: Any) -> None:
            try:
                await work(**arguments)
            finally:
                if context.job.id is not None:
                    self.ended[context.job.id] = asyncio.get_running_loop().time()

        queue.task(name=task, pass_context=True)(job)

    async def run(self, wait: bool = True) -> None:
        """Until this is cancelled: then it takes no job, and returns when those it has have ended.

        *wait* False: until no job is due.
        """
        what = "looking for the jobs of workers that died"
        looking = asyncio.create_task(every(LOOK_EVERY, self.close_stalled, what))
        try:
            while not await self._ran(wait):
                log.warning("this worker was frozen for so long that it was taken for dead: it begins anew")
        finally:
            looking.cancel()

    async def _ran(self, wait: bool) -> bool:
        """Run jobs as above. False: others have struck this worker off, which the queue does not take jobs from."""
        try:
            await self.queue.run_worker_async(
                queues=self.names,  # type: ignore[arg-type]  # None: all, says the library's worker
                wait=wait,
                name=self.services.worker_id,
                concurrency=self.concurrency,
                delete_jobs="successful",
                install_signal_handlers=False,
                stalled_worker_timeout=STALLED_AFTER,
                fetch_job_polling_interval=POLL_EVERY,
            )
        except ConnectorException as error:
            if not is_struck_off(error.__cause__):
                raise
            return False
        return True

    async def close_stalled(self, after: float = STALLED_AFTER) -> None:
        """Close the jobs of workers that died, and see to it that their work is done.

        To retry such a job can fail for ever: its successor may hold its lock. Raises DatabaseError; the job is closed
        last, so that no work is lost with it.
        """
        manager = self.queue.job_manager
        await self.close_ended(after)
        with reaching_queue():
            stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=after))
        for job in stalled:
            if job.id is None or job.task_name != self.task:
                continue
            await self.died(job)
            with suppress(ConnectorException):  # another worker has closed it; where not, the next look sees it again
                await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)

    async def died(self, job: Job) -> None:
        """What becomes of the work of a job whose worker died. Raises DatabaseError."""
        raise NotImplementedError

    async def close_ended(self, after: float) -> None:
        """Close what this worker did *after* seconds ago and could not close: the database was away just then."""
        before = asyncio.get_running_loop().time() - after
        done = [job for job, moment in self.ended.items() if moment <= before]
        if not done:
            return
        with reaching_queue():
            rows = await self.queue.connector.execute_query_all_async(STILL_DOING, jobs=done)
        still = {row["id"] for row in rows}
        for job in done:
            with suppress(ConnectorException):  # the next look sees it again
                if job in still:
                    await self.queue.job_manager.finish_job_by_id_async(job, Status.SUCCEEDED, delete_job=True)
                self.ended.pop(job, None)


class Worker(JobLoop):
    """Runs slots. *sources*: only these; None: all."""

    def __init__(self, services: Services, queue: procrastinate.App, sources: list[str] | None, concurrency: int):
        super().__init__(services, queue, TASK, self.crawl, sources, concurrency)
        self.upgrades = UpgradeWatch(services)

    async def crawl(self, source: str, slot: str | None, takes_over: int | None) -> None:
        """What a job is about."""
        moment = datetime.fromisoformat(slot) if slot else None
        if moment and await has_successor(self.queue, source, moment):
            log.info("%s: the slot %s has a successor that waits", source, slot)
            return
        try:
            report = await crawl_source(self.services, source, moment, takes_over=takes_over)
        except KeyError:
            log.warning("this worker has no file of the source %s", source)
            return
        if report.outcome == "skipped" and slot:
            look_again(self.services, source)  # where it runs in this process since before its slot
        await self.upgrades.after(report)

    async def died(self, job: Job) -> None:
        """Where no later slot of the source waits, the slot is put in anew: if its run had begun, it ends as skipped,
        and what it left is taken over by the lease."""
        source, slot, takes_over = (job.task_kwargs.get(key) for key in ("source", "slot", "takes_over"))
        log.warning("%s: the worker of the slot %s died", source, slot)
        moment = datetime.fromisoformat(str(slot)) if slot else None
        if moment is None or not await has_successor(self.queue, str(source), moment):
            await defer(self.queue, str(source), moment, takes_over=takes_over)  # type: ignore[arg-type]


class FileWorker(JobLoop):
    """Reads files, one at a time: one keeps all readers of this process busy."""

    def __init__(self, services: Services, queue: procrastinate.App):
        super().__init__(services, queue, FILE_TASK, self.read, None, 1)
        self.files = FileJobs(services)

    async def read(self, file: int) -> None:
        """What a job is about."""
        after = await self.files.read(file)
        if after is not None:
            await defer_file(self.queue, file, after)

    async def close_stalled(self, after: float = STALLED_AFTER) -> None:
        """As for any job; and put in what has none: of files the rows count, not the jobs."""
        await super().close_stalled(after)
        await defer_files(self.queue)

    async def died(self, job: Job) -> None:
        """The file is put in anew, until it is given up."""
        file = cast("int", job.task_kwargs.get("file"))
        log.warning("the worker of file %d died", file)
        await self.files.died(file, cast("int", job.id))


@asynccontextmanager
async def opened(
    configuration: Configuration, kinds: Collection[Kind], dsn: str = "", is_reading: bool = True
) -> AsyncIterator[tuple[Services, dict[Kind, procrastinate.App]]]:
    """The services of this process, and the queues of these *kinds*. Raises DatabaseError."""
    dsn = dsn or database.address()
    async with open_services(configuration, dsn, is_reading=is_reading) as services, AsyncExitStack() as stack:
        queues: dict[Kind, procrastinate.App] = {}
        for kind in KINDS:
            try:
                await asyncio.to_thread(prepare, dsn, kind)
            except DatabaseError as error:
                if kind == "slots" or [*kinds] == ["files"]:
                    raise
                log.warning("files are left to others: %s", error)  # only the owner can make what an upgrade brings
                continue
            if kind in kinds:
                queues[kind] = await stack.enter_async_context(queue_of(dsn, kind).open_async())
        yield services, queues


async def serve_worker(
    configuration: Configuration,
    sources: list[str] | None,
    concurrency: int = CONCURRENCY,
    kinds: Collection[Kind] = KINDS,
) -> int:
    """Work until SIGTERM or SIGINT; SIGUSR1 takes no new jobs, lets the file go that is read, and ends with the last
    run. Returns the exit code, 0.

    Raises DatabaseError also where it ended because a newer program has changed the tables (``crawler.upgrades``).
    """
    loop = asyncio.get_running_loop()
    within = configuration.settings.schedule.stop_within.total_seconds()
    async with opened(configuration, kinds) as (services, queues):
        loops, files, upgrades = loops_of(services, queues, sources, concurrency)
        working = asyncio.create_task(run_all(loops, upgrades))
        stopping: list[asyncio.Task[None]] = []

        def drain() -> None:
            if files is not None:
                files.stop()
            working.cancel()

        def stop() -> None:
            stopping.append(asyncio.create_task(stop_all(services, HANDED_OVER, within)))
            drain()

        upgrades.drain = drain
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGUSR1, drain)
        log.info("the worker runs: %s", said_of(sources, concurrency, kinds))
        with suppress(asyncio.CancelledError):
            await working
        if stopping:
            await services.readers.close()
            await asyncio.wait(stopping, timeout=SHUTDOWN_GRACE)
    upgrades.refuse_if_over()
    log.info("stopped")
    return 0


def loops_of(
    services: Services, queues: dict[Kind, procrastinate.App], sources: list[str] | None, concurrency: int
) -> tuple[list[JobLoop], FileJobs | None, UpgradeWatch]:
    """What a worker runs, with what reads its files, if anything does, and what sees upgrades."""
    slots = Worker(services, queues["slots"], sources, concurrency) if "slots" in queues else None
    files = FileWorker(services, queues["files"]) if "files" in queues else None
    upgrades = slots.upgrades if slots else UpgradeWatch(services)
    return [one for one in (slots, files) if one], files.files if files else None, upgrades


async def run_all(loops: Collection[JobLoop], upgrades: UpgradeWatch) -> None:
    """Run *loops* until this is cancelled, or one of them meets trouble: then the others end too, with their jobs."""
    looking = asyncio.create_task(upgrades.look_on())
    working = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in working:
            one.cancel()
        await asyncio.wait(working)
        looking.cancel()
    for one in working:
        if not one.cancelled():
            one.result()


def said_of(sources: list[str] | None, concurrency: int, kinds: Collection[Kind]) -> str:
    """What a worker does, for its log."""
    slots = f"{concurrency} jobs at a time, of {', '.join(sources or ['all sources'])}"
    said = {"slots": slots, "files": "files of backfills, one at a time"}
    return "; ".join(said[kind] for kind in KINDS if kind in kinds)


async def serve_schedule(configuration: Configuration, is_mine: Callable[[Source], bool]) -> int:
    """Put slots into the queue; signals mean what they mean for ``schedule.serve``. Returns the exit code, 0."""
    return await schedule.serve(configuration, is_mine, opened_schedule)


@asynccontextmanager
async def opened_schedule(configuration: Configuration, is_mine: Callable[[Source], bool]) -> AsyncIterator[Scheduler]:
    """The schedule that fills the queue."""
    async with opened(configuration, KINDS[:1], is_reading=False) as (services, queues):
        yield QueueScheduler(services, queues["slots"], is_mine)
