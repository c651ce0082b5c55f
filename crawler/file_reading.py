"""WARC files one after the other, each from where an earlier reading had come; shared with other processes.

What a backfill and a reading of the archive have in common. A file is read by one process at a time, which has claimed
it; whoever has nothing left to claim waits for the others, and takes over what a process that died has left.
"""

from __future__ import annotations

import asyncio
import logging
import time
import zipfile
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeVar

from crawler.file_ledger import Ledger
from crawler.files import NO_SOURCE, Unreadable, Wait
from crawler.frontier import Progress
from crawler.reports import RunReport
from crawler.runs import replay_stored
from crawler.services import Services
from crawler.worker_ids import is_gone
from pipelines.archive_remote import StoreError
from pipelines.database import DatabaseError
from pipelines.items import Page, Reason
from pipelines.record_reader import Place, RecordReader
from pipelines.store import PageOutcome
from pipelines.store.backfills import BackfillPosition
from pipelines.warc import TOO_MUCH

T = TypeVar("T")

log = logging.getLogger(__name__)

#: seconds between two savings of how far it has come: so much is read again after a kill -9
SAVE_EVERY = 1.0
#: seconds between two signs of life to other processes that read the same files (``backfills.CLAIMED_FOR``)
PROLONG_EVERY = 15.0
#: seconds between two log lines that say how far it has come
SAY_EVERY = 60.0
#: after so many records that are nobody's, the position moves although no page was stored
SKIPS = 1000
#: seconds between two looks whether a file that another process reads is free, and looks after which nothing is held
LOOK_EVERY, MOST_WAITS = 1.0, 5


@dataclass(slots=True)
class Backfill:
    """What a backfill says at its end besides its run: records skipped, damaged places, files it could not get."""

    skipped: int = 0
    damaged: int = 0
    done_before: int = 0
    failures: tuple[str, ...] = ()
    #: of the failures, those of single captures; not all of them are told
    failed: int = 0
    #: bytes of all files whose size is known, and of those that were read
    size: int = 0
    read: int = 0
    #: what is read one after the other, how many there are, and how many have ended
    things: str = "files"
    files: int = 0
    files_ended: int = 0
    #: on the monotonic clock; and bytes of files that were read by then
    begun: float = field(default_factory=time.monotonic)
    read_before: int = 0

    @property
    def left(self) -> float | None:
        """Seconds that it will go on, by the bytes that were read so far; None: nobody knows."""
        done, spent = self.read - self.read_before, time.monotonic() - self.begun
        return spent * (self.size - self.read) / done if done > 0 and spent > 5 and self.size > self.read else None

    def __str__(self) -> str:
        """How far it has come: files or captures, of the bytes that are here those that were read, and how long yet."""
        said = f"{min(self.files_ended + 1, self.files):,} of {self.files:,} {self.things}"
        if self.size:
            said += f", {min(1.0, self.read / self.size):.0%} of {self.size / 1e6:,.0f} MB"
        if (left := self.left) is not None:
            said += f", {left / 60:,.0f} min left" if left >= 90 else f", {left:.0f} s left"
        return said


class LoopWaiter:
    """For who reads in a thread: what the event loop does, awaited there. To be made in the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class PageSource(Protocol):
    """Where the pages of a backfill come from; ``pages`` is asked in a thread."""

    ledger: Ledger
    found: Backfill

    def pages(self) -> Iterator[Page | Unreadable | Wait]: ...

    async def beat(self) -> None:
        """A sign of life, every PROLONG_EVERY seconds."""

    async def release(self, file: str) -> None:
        """All pages of *file* have ended, and that is saved."""

    async def close(self) -> None:
        """Let go what was held. ``pages`` ends, wherever it is."""


class FileReading(LoopWaiter):
    """The pages of *names* one after the other, as ReplaySpider takes them; runs in a thread.

    *selection* names what is read, and by which rules; *by* and *sources* are ``RecordReader``'s.
    """

    def __init__(
        self,
        services: Services,
        names: Sequence[str],
        selection: str,
        by: Mapping[str, Any],
        sources: Collection[str] | None,
    ):
        super().__init__()
        self.ledger, self.found = Ledger(), Backfill(files=len(names))
        self._services, self._names, self._selection = services, names, selection
        self._waited: set[str] = set()  # files that another process has read, or was reading
        self._records = RecordReader(by, sources)

    # --- for the spider ----------------------------------------------------------------------------------------------

    def pages(self) -> Iterator[Page | Unreadable | Wait]:
        left, waits = list(self._names), 0
        while left:
            held = []
            for name in left:
                if self.is_held(name):
                    held.append(name)
                    continue
                yield from self._safely(name)
                self.ledger.end_file(self.key(name))
                self.found.files_ended += 1
            if held and not self._waited:
                log.info("%d files are being read by another process", len(held))
            self._waited.update(held)
            if len(held) == len(left):
                yield Wait(LOOK_EVERY)
                waits += 1
                if waits == MOST_WAITS:  # what has a page that is pending; others may wait for it as we do for theirs
                    self._wait_for(self._release())
            left = held

    async def beat(self) -> None:
        await self._services.store.prolong_claims(self._selection, self._services.worker_id)

    async def release(self, file: str) -> None:
        await self._services.store.release_claims(self._selection, self._services.worker_id, file)

    async def close(self) -> None:
        await asyncio.to_thread(self._records.close)
        await self._release()

    async def _release(self) -> None:
        with suppress(DatabaseError):  # they end by themselves
            await self._services.store.release_claims(self._selection, self._services.worker_id)

    # --- for who knows where files lie -------------------------------------------------------------------------------

    def key(self, name: str) -> str:
        """Under which name a file is claimed."""
        raise NotImplementedError

    def uri(self, name: str) -> str:
        """The address under which damage in a file is told."""
        raise NotImplementedError

    def file(self, name: str) -> Iterator[Page | Unreadable | Wait]:
        """What is in one file, which this process has claimed. Raises OSError, ValueError: it cannot be had."""
        raise NotImplementedError

    def ended(self, name: str) -> int:
        """Bytes of a file that has come to its end, or could not be had."""
        raise NotImplementedError

    def page(self, page: Page, name: str) -> Page:
        """A page as it goes on its way, out of the file *name*."""
        return page

    def goes_on(self, known: BackfillPosition, size: int) -> bool:
        """Whether a file that has *size* now is the one that was read as far as is known."""
        return known.size == size

    # --- files -------------------------------------------------------------------------------------------------------

    def is_held(self, name: str) -> bool:
        """Whether another process reads the file; if not, it is ours now. For a thread, as all that waits here."""
        store, ours, file = self._services.store, self._services.worker_id, self.key(name)
        holder = self._wait_for(store.claim_file(file, self._selection, ours))
        if holder and is_gone(holder, ours):
            holder = self._wait_for(store.claim_file(file, self._selection, ours, gone=holder))
        return bool(holder)

    def _safely(self, name: str) -> Iterator[Page | Unreadable | Wait]:
        read = self.found.read
        try:
            yield from self.file(name)
        except StoreError:
            raise  # the next file would meet it too
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            said = f"{name}: {str(error) or type(error).__name__}"
            self.found.failures += (said,)
            yield Unreadable(self.uri(name), NO_SOURCE, Reason.TRUNCATED, said)
        self.found.read = read + self.ended(name)

    def known(self, file: str) -> BackfillPosition | None:
        """How far a file was read before; None: it was not."""
        return self._wait_for(self._services.store.backfill_position(file, self._selection))

    def warc(self, place: Place, size: int, name: str) -> Iterator[Page | Unreadable | Wait]:
        """The pages of one WARC file, from where an earlier reading had come."""
        known = self.known(name)
        if known is not None and not self.goes_on(known, size):
            known = None
        if known is not None and known.is_done and known.size == size:
            self.found.done_before += 1
            self.found.read += size
            self.found.read_before += size
            return
        self.found.read_before += min(known.position, size) if known else 0
        at = replace(known, size=size, is_done=False) if known else BackfillPosition(name, self._selection, size)
        yield from self._marked(place, at, self.found.read)

    def _marked(self, place: Place, at: BackfillPosition, base: int) -> Iterator[Page | Unreadable | Wait]:
        unmarked = 0
        for found in self._records.pages(place, at.position):
            if found.damage:
                at = replace(at, damaged=at.damaged + 1)
                yield self._damaged(at.file, found.damage, at.damaged)
                continue
            self.found.read = base + min(found.at, at.size)
            self.found.skipped += found.skipped
            unmarked += found.skipped
            at = replace(at, position=max(at.position, found.at), skipped=at.skipped + found.skipped)
            if found.page is not None:
                self.ledger.begin(at, found.page.asked_url or found.page.url)
                yield self.page(found.page, at.file)
            elif unmarked < SKIPS:
                continue
            else:
                self.ledger.begin(at)
            unmarked = 0
        self.ledger.begin(replace(at, position=at.size, is_done=True))

    def _damaged(self, name: str, said: str, number: int) -> Unreadable:
        self.found.damaged += 1
        log.warning("%s: %s", name, said)
        reason = Reason.TOO_LARGE if TOO_MUCH in said else Reason.TRUNCATED
        return Unreadable(f"{self.uri(name)}?damage={number}", NO_SOURCE, reason, f"{name}: {said}")


async def read_files(
    services: Services,
    reading: PageSource,
    progress: Callable[[Backfill], Progress] | None = None,
    kind: Literal["replay", "backfill"] = "backfill",
    batch_file: int | None = None,
) -> tuple[RunReport, Backfill]:
    """One run of *kind* over the pages of *reading*. *progress* is told what is counted, and gives what is told each
    page's end. *batch_file*: what a worker reads, of those that were put into the queue."""
    told = progress(reading.found) if progress else None

    def ended(url: str, outcome: PageOutcome) -> None:
        if outcome.kind != "pending":
            reading.ledger.end(url)
        if told is not None:
            told(url, outcome)

    saving = asyncio.create_task(_keep_saving(services, reading))
    try:
        report = await replay_stored(services, reading.pages(), ended, kind=kind, batch_file=batch_file)
    finally:
        saving.cancel()
        await asyncio.wait([saving])
        with suppress(DatabaseError):  # the run has said so; what was not saved is read again
            await _save(services, reading)
        await reading.close()
    return report, reading.found


async def _keep_saving(services: Services, reading: PageSource) -> None:
    said = beaten = time.monotonic()
    while True:
        await asyncio.sleep(SAVE_EVERY)
        now = time.monotonic()
        try:
            await _save(services, reading)
            if now - beaten >= PROLONG_EVERY:
                await reading.beat()
                beaten = now
        except DatabaseError as away:
            log.warning("how far the reading has come could not be saved: %s", away)
        if now - said >= SAY_EVERY:
            log.info("%s", reading.found)
            said = now


async def _save(services: Services, reading: PageSource) -> None:
    ledger = reading.ledger
    for position in ledger.to_save():
        await services.store.save_backfill_position(position)
        ledger.saved(position)
    for file in ledger.ended_files():
        await reading.release(file)
