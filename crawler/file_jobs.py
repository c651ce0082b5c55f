"""Files as work of the queue: how they are put in, and what a worker does with one.

A batch is what one command puts in: the files of a backfill, or those of the archive. Each is read under a claim in
Postgres, in a run of its own, from where an earlier reading had come; so a file that is in two jobs is read once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from crawler import backfilling, cc_news, rereading
from crawler.extensions.run import Assignment, run_extension
from crawler.file_reading import Backfill, FileReading, read_files
from crawler.reports import RunReport
from crawler.runs import SHUTDOWN_GRACE
from crawler.services import Services
from pipelines.archive_remote import StoreError
from pipelines.store.backfills import Rereading
from pipelines.store.file_batches import BatchFile
from pipelines.store.takeovers import HANDED_OVER

log = logging.getLogger(__name__)

#: a file whose reading fails so often in a row, without coming further, is given up
MOST_TRIES = 3
#: until a file is tried again: whose reading failed, that another process reads, that this machine does not see
RETRY_AFTER, LOOK_AFTER, PASS_ON_AFTER = timedelta(minutes=1), timedelta(seconds=10), timedelta(minutes=1)
#: what no worker has seen for so long is not there
PASSED_ON_FOR = timedelta(days=1)
#: file systems of which every machine may have the same
SHARED = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "ocfs2", "gfs2",
          "9p", "virtiofs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.juicefs"}  # fmt: skip


# --- putting in ------------------------------------------------------------------------------------------------------


async def put_backfill(
    services: Services, names: Sequence[str], sources: Sequence[str], *, again: bool = False, site: str = ""
) -> tuple[int, bool]:
    """A batch of WARC and WACZ files: its number, and whether it is new. *site* "cc-news": they are Common Crawl's."""
    whole = list(map(backfilling.key_of, names))
    selection = backfilling.selection_of(backfilling.hosts_wanted(services.configuration, sources))
    identity = hashlib.sha256(json.dumps([selection, sorted(whole)]).encode()).hexdigest()
    return await services.store.put_batch(
        "backfill",
        identity,
        selection,
        {"sources": list(sources), "site": site},
        services.worker_id,
        [(name, name, backfilling.size_of(name)) for name in whole],
        again,
    )


async def put_replay(
    services: Services, source: str | None, since: datetime | None, *, again: bool = False
) -> tuple[int, bool]:
    """A batch of the files of the archive. Raises StoreError."""
    there = await asyncio.to_thread(rereading.names_in, services)
    await rereading.warn_of_lost_files(services, there)
    names = rereading.fetched_since(there, since)
    rules = rereading.selection_of(services.configuration, source, since)
    begun = await services.store.rereading(rules, again)
    what = {
        "source": source,
        "since": since.isoformat() if since else None,
        "rereading": begun.id,
        "begun_at": begun.begun_at.isoformat(),
        "rules": rules,
    }
    keys = {name: rereading.key_in(services, name) for name in names}
    files = [(name, keys[name], size) for name, size in names.items()]
    return await services.store.put_batch(
        "replay", f"replay {rules}", begun.selection, what, services.worker_id, files, again
    )


def unshared(names: Sequence[str], mounts: str | None = None) -> list[str]:
    """Those of *names* that are paths on a disk of this machine. *mounts* is text as of /proc/self/mountinfo."""
    if mounts is None:
        with suppress(OSError):  # not Linux: nobody knows
            mounts = Path("/proc/self/mountinfo").read_text()
    types = {}
    for line in (mounts or "").splitlines():
        fields, _, rest = line.partition(" - ")
        if len(fields.split()) > 4 and rest:
            types[fields.split()[4].replace("\\040", " ")] = rest.split()[0]
    return [name for name in names if not backfilling.is_address(name) and _type_of(name, types) not in SHARED]


def _type_of(path: str, types: dict[str, str]) -> str:
    """The type of the file system that *path* is on."""
    whole = Path(path).resolve()
    return next((types[str(one)] for one in (whole, *whole.parents) if str(one) in types), "")


# --- a worker --------------------------------------------------------------------------------------------------------


class FileJobs:
    """What a worker does with the files that it is given, one at a time."""

    def __init__(self, services: Services):
        self.services = services
        self._is_stopping = False
        self._reading: asyncio.Task[tuple[RunReport, Backfill]] | None = None

    def stop(self) -> None:
        """Let the file go that is being read: its pages that are on their way end, and others go on where it is."""
        self._is_stopping = True
        within = self.services.configuration.settings.schedule.stop_within.total_seconds()
        for crawler in list(self.services.crawlers):
            assignment = getattr(crawler, "assignment", None)
            if isinstance(assignment, Assignment) and assignment.batch_file is not None:
                with suppress(RuntimeError):  # it has not begun
                    run_extension(crawler).stop(HANDED_OVER, within)
        if self._reading is not None:  # a file that is being fetched ends nothing by itself
            asyncio.get_running_loop().call_later(within + SHUTDOWN_GRACE, self._reading.cancel)

    async def read(self, number: int) -> timedelta | None:
        """Read a file. When it is to be put in again; None: it has ended. Raises DatabaseError."""
        file = await self.services.store.batch_file(number)
        if file is None:
            return None
        if self._is_stopping or self.services.stopping:
            return timedelta()
        try:
            if not await asyncio.to_thread(self._is_here, file):
                return await self._pass_on(file)
        except StoreError as error:
            return await self._troubled(number, f"the archive at its address: {error}")
        reading = self._reading_of(file)
        if await asyncio.to_thread(reading.is_held, file.name):
            await reading.close()
            return LOOK_AFTER  # its claim ends, and then it is read from where that process has come
        return await self._read(file, reading)

    async def _read(self, file: BatchFile, reading: FileReading) -> timedelta | None:
        """Read a file that is claimed. When it is to be put in again, as above."""
        if self._is_stopping:
            await reading.close()
            return timedelta()
        self._reading = asyncio.create_task(
            read_files(self.services, reading, kind=file.kind, batch_file=file.id), name=f"file {file.id}"
        )
        try:
            report, found = await self._reading
        except asyncio.CancelledError:
            if not self._is_stopping:
                raise
            return timedelta()
        finally:
            self._reading = None
        return await self._ended(file, report, found)

    async def died(self, number: int, job: int) -> None:
        """The worker died that had the file in *job*."""
        await self._troubled(number, "the worker that read it died", job)

    async def _ended(self, file: BatchFile, report: RunReport, found: Backfill) -> timedelta | None:
        """What becomes of a file after a run over it."""
        counted = {"skipped": found.skipped, "damaged": found.damaged}
        if report.outcome in ("stopped", "skipped"):
            return timedelta()
        if report.outcome == "failed" or report.counts.pending:
            said = report.error or f"{report.counts.pending} of its pages are pending"
            return await self._troubled(file.id, said, **counted)
        failures = "; ".join(found.failures) or None
        log.info("batch %d: %s has ended", file.batch, file.name)
        await self.services.store.end_batch_file(
            file.id, failures, size=found.size, done_before=found.done_before, **counted
        )
        return None

    async def _troubled(self, number: int, said: str, job: int | None = None, **counted: int) -> timedelta | None:
        tries = await self.services.store.note_trouble(number, said, job, **counted)
        if tries < MOST_TRIES:
            return RETRY_AFTER if tries else None
        log.error("file %d of the queue is given up: %s", number, said)
        await self.services.store.end_batch_file(number, f"given up after {tries} tries: {said}")
        return None

    # --- which file ---------------------------------------------------------------------------------------------------

    def _is_here(self, file: BatchFile) -> bool:
        """Whether this machine sees it. Waits for the disk, or the archive."""
        if file.kind == "backfill":
            return backfilling.is_address(file.name) or Path(file.name).is_file()
        return rereading.is_there(self.services, file.name, file.file)

    async def _pass_on(self, file: BatchFile) -> timedelta | None:
        """Leave a file to those that see it. Where it was put in, and after a day, it is nowhere."""
        machine = self.services.worker_id.rsplit(":", 2)[0]
        here = machine.partition("/")[0]
        if file.put_by.rsplit(":", 2)[0] == machine:
            await self.services.store.end_batch_file(file.id, f"{file.name}: there is no such file")
            return None
        said = f"{file.name}: {here} does not see it"
        if file.age > PASSED_ON_FOR:
            await self.services.store.end_batch_file(file.id, f"{said}, nor did any other worker in a day")
            return None
        log.info("%s, and leaves it to others", said)
        await self.services.store.note_wait(file.id, f"{said}, and leaves it to workers that do")
        return PASS_ON_AFTER

    def _reading_of(self, file: BatchFile) -> FileReading:
        services, what = self.services, file.what
        if file.kind == "replay":
            since = datetime.fromisoformat(what["since"]) if what["since"] else None
            self._compare(file, what["rules"], rereading.selection_of(services.configuration, what["source"], since))
            begun = Rereading(what["rereading"], datetime.fromisoformat(what["begun_at"]), is_new=False)
            return rereading.ArchiveReading(services, {file.name: file.size}, begun, what["source"], since)
        wanted = backfilling.hosts_wanted(services.configuration, what["sources"])
        self._compare(file, file.selection, backfilling.selection_of(wanted))
        site = cc_news.site_of(services) if what["site"] == "cc-news" else None
        return backfilling.Reading(services, [file.name], wanted, site=site)

    def _compare(self, file: BatchFile, theirs: str, ours: str) -> None:
        if theirs != ours:
            log.warning("%s is read by other rules than it was put in with: a different configuration?", file.name)
