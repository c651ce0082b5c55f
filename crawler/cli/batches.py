"""``nachlese batches``: files that workers read, and what puts them into the queue."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from crawler.cli.common import (
    Exit,
    configuration,
    count,
    fail,
    new_table,
    open_queries,
    open_store,
    out,
    print_json,
    print_table,
    reachable,
    run,
    tell,
    told,
    when,
)
from crawler.cli.run_options import JsonOption, queueing
from crawler.cli.run_report import BytesBar, finish_files

if TYPE_CHECKING:
    from crawler.config import Configuration
    from crawler.file_reading import Backfill
    from crawler.reports import RunReport
    from crawler.services import Services
    from pipelines.store import Row
    from pipelines.store.file_batches import Batch

log = logging.getLogger(__name__)

#: puts a batch in: its number, whether it is new, and what cannot be had of it
Put = Callable[["Services"], Awaitable[tuple[int, bool, Sequence[str]]]]
#: seconds between two looks at a batch, and looks without a file that is read until it is asked whether anybody works
LOOK_EVERY, IDLE_LOOKS = 1.0, 15


@told()
def batches(
    number: Annotated[int | None, typer.Argument(metavar="[BATCH]", help="Only this one.", show_default=False)] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for its end, and show how far it has come.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Begin no more of its files.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the backfills and replays whose files are read by workers, and how far they have come.

    Of one batch that has ended: its counts, as the command that put it in shows them, and its exit code.
    """
    zone = ZoneInfo(configuration(is_reading=False, has_log=follow).settings.time_zone)
    if number is None:
        if follow or cancel:
            fail("say which batch: nachlese batches shows them", Exit.USAGE)
        show(run(_batches()), zone, as_json)
        return
    if follow:
        follow_batch(number, as_json)
    batch = run(_batch(number, cancel))
    if batch.ended_at is not None:
        finish_files(ended(batch), as_json)
    found = found_in(batch, batch.read, time.monotonic())
    if as_json:
        print_json({"batch": batch.id, "kind": batch.kind, "files": batch.files, "files_ended": batch.files_ended})
    else:
        out().print(f"{found}, {count(batch.files_reading, 'file')} being read")
    for said in (*found.failures, *batch.troubles):
        tell(said)


def show(rows: Sequence[Row], zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_json(row)
        return
    numbers = "files>", "failed>", "read>", "found>", "new>", "pending>"
    table = new_table("batch>", "kind", "put in", "ended", *numbers)
    for row in rows:
        times = when(row["begun_at"], zone), when(row["ended_at"], zone)
        files = f"{row['files_ended']:,} of {row['files']:,}"
        read = f"{row['read'] / 1e6:,.0f} MB"
        counts = (f"{row[name]:,}" for name in ("found", "new", "pending"))
        table.add_row(str(row["id"]), row["kind"], *times, files, f"{row['files_failed']:,}", read, *counts)
    if rows:
        print_table(table)
    else:
        out().print("nothing was put into the queue: nachlese backfill FILE... --queue")


# --- putting in ------------------------------------------------------------------------------------------------------


def queue_backfill(
    configured: Configuration, files: Sequence[str], names: Sequence[str], again: bool, follow: bool, as_json: bool
) -> NoReturn:
    """Put WARC and WACZ files into the queue; ends the command."""
    from crawler import file_jobs
    from crawler.backfilling import key_of

    if local := list(map(key_of, file_jobs.unshared(files))):
        tell(
            f"{count(len(local), 'path')} of this machine ({socket.gethostname()}), such as {local[0]}: a worker that "
            "does not see a file there leaves it to those that do"
        )

    async def put(services: Services) -> tuple[int, bool, Sequence[str]]:
        return *await file_jobs.put_backfill(services, files, names, again=again), ()

    put_in(configured, put, follow, as_json)


def queue_cc_news(
    configured: Configuration, months: list[str], names: Sequence[str], again: bool, follow: bool, as_json: bool
) -> NoReturn:
    """Put Common Crawl's files of these *months* into the queue; ends the command."""
    from crawler import file_jobs
    from crawler.cc_news import files_of

    async def put(services: Services) -> tuple[int, bool, Sequence[str]]:
        files, failures = await files_of(services, months)
        return *await file_jobs.put_backfill(services, files, names, again=again, site="cc-news"), failures

    put_in(configured, put, follow, as_json)


def queue_replay(
    configured: Configuration, source: str | None, since: datetime | None, again: bool, follow: bool, as_json: bool
) -> NoReturn:
    """Put the files of the archive into the queue; ends the command."""
    from crawler import file_jobs

    async def put(services: Services) -> tuple[int, bool, Sequence[str]]:
        if services.remote_archive is None:
            tell(f"the archive is a folder of this machine ({socket.gethostname()}): only workers that see it read it")
        return *await file_jobs.put_replay(services, source, since, again=again), ()

    put_in(configured, put, follow, as_json)


def put_in(configured: Configuration, put: Put, follow: bool, as_json: bool) -> NoReturn:
    """Put a batch into the queue, and say how to see it; or *follow* it. Ends the command."""
    batch, is_new, failures = run(_put_in(configured, put))
    for said in failures:
        tell(said)
    state = "is in the queue" if is_new else "is the same, and is in the queue already"
    tell(f"batch {batch.id}, {count(batch.files, 'file')}, {state}: nachlese batches {batch.id} --follow")
    if follow:
        follow_batch(batch.id, as_json, failures)
    if as_json:
        print_json({"batch": batch.id, "files": batch.files, "is_new": is_new, "failures": list(failures)})
    raise typer.Exit(Exit.NOT_ALL if failures else Exit.WELL)


async def _put_in(configured: Configuration, put: Put) -> tuple[Batch, bool, Sequence[str]]:
    worker = queueing()
    dsn = await asyncio.to_thread(reachable)
    async with worker.opened(configured, ["files"], dsn, is_reading=False) as (services, queues):
        number, is_new, failures = await put(services)
        await worker.defer_files(queues["files"])
        batch = await services.store.batch(number)
    assert batch is not None
    return batch, is_new, failures


# --- looking on ------------------------------------------------------------------------------------------------------


def follow_batch(number: int, as_json: bool, failures: Sequence[str] = ()) -> NoReturn:
    """Show how far a batch has come until it has ended; then end the command as one that had read it itself."""
    try:
        report, found = run(_followed(number))
    except KeyboardInterrupt:
        tell(f"batch {number} goes on: nachlese batches {number} --follow")
        raise
    found.failures = (*failures, *found.failures)
    finish_files((report, found), as_json)


async def _followed(number: int) -> tuple[RunReport, Backfill]:
    from crawler.file_reading import SAY_EVERY

    bar, idle, first, begun, said = BytesBar("pages"), 0, None, time.monotonic(), time.monotonic()
    with bar:
        async with await open_store() as store:
            while (batch := await store.batch(number)) is not None and batch.ended_at is None:
                first = batch.read if first is None else first
                found = found_in(batch, first, begun)
                bar.show(found, batch.counts)
                idle = 0 if batch.files_reading else idle + 1
                if idle == IDLE_LOOKS:
                    log.warning("%s", "; ".join(batch.troubles) or "no file is being read: does a worker run?")
                if time.monotonic() - said >= SAY_EVERY:
                    log.info("%s", found)
                    said = time.monotonic()
                await asyncio.sleep(LOOK_EVERY)
    if batch is None:
        fail(f"there is no batch {number}", Exit.USAGE)
    return ended(batch)


def found_in(batch: Batch, first: int, begun: float) -> Backfill:
    """What a batch has come to, as a backfill tells it; *first* bytes were read by *begun*.

    The size of what lies at an address is known when it is here: until then it is taken for that of the others.
    """
    from crawler.file_reading import Backfill

    return Backfill(
        skipped=batch.skipped,
        damaged=batch.damaged,
        done_before=batch.done_before,
        failures=batch.failures,
        size=batch.size * batch.files // batch.files_sized if batch.files_sized else 0,
        read=batch.read,
        files=batch.files,
        files_ended=batch.files_ended,
        begun=begun,
        read_before=first,
    )


def ended(batch: Batch) -> tuple[RunReport, Backfill]:
    """The end of a batch, as that of one run."""
    from crawler.reports import RunReport
    from pipelines.store.file_batches import CANCELLED

    found = found_in(batch, 0, 0.0)
    left = [said for said in batch.failures if said.endswith(f": {CANCELLED}")]
    found.failures = tuple(said for said in batch.failures if said not in left)
    error = f"it was cancelled, {count(len(left), 'file')} had not ended" if left else None
    return RunReport(None, batch.kind, "stopped" if left else "finished", batch.counts, error), found


async def _batches() -> list[Row]:
    async with await open_queries() as queries:
        return await queries.batches()


async def _batch(number: int, cancel: bool) -> Batch:
    async with await open_store() as store:
        if cancel:
            await store.cancel_batch(number)
        batch = await store.batch(number)
    if batch is None:
        fail(f"there is no batch {number}", Exit.USAGE)
    return batch
