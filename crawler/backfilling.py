"""WARC files that others, or we ourselves, wrote long ago: their pages take the way of a replay, from where a run that
was killed had come.

A file is a path or an http(s) address: WARC, plain or compressed, or a WACZ with several WARC files in it. What is read
is decided by the address in a record's header; the body of a page of no wanted source is not looked at.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from crawler.archive_site import ArchiveSite, own_folder
from crawler.config import Configuration
from crawler.files import NO_SOURCE, Unreadable
from crawler.frontier import Progress
from crawler.reports import RunReport
from crawler.runs import replay_stored
from crawler.services import Services, hosts_of
from pipelines import database, urls, wacz
from pipelines.database import DatabaseError
from pipelines.items import Page, Reason
from pipelines.store import PageOutcome
from pipelines.store.backfills import BackfillPosition
from pipelines.store.owners import owner
from pipelines.wanted_pages import wanted_pages
from pipelines.warc import TOO_MUCH, Openable

T = TypeVar("T")

log = logging.getLogger(__name__)

#: seconds between two savings of how far it has come: so much is read again after a kill -9
SAVE_EVERY = 1.0
#: a record that says it comes from later than this is wrong; its version would be the current one for ever
AHEAD = timedelta(days=1)
#: after so many records that are nobody's, the position moves although no page was stored
SKIPS = 1000


@dataclass(slots=True)
class _Mark:
    """A page on its way, or a place without one: when it and all before it have ended, *position* is true."""

    position: BackfillPosition
    url: str = ""
    has_ended: bool = False


class Ledger:
    """How far each file was read. Marks come from the thread that reads, ends from the event loop."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()
        self._lock = threading.Lock()
        self._reached: dict[str, BackfillPosition] = {}
        self._saved: dict[str, BackfillPosition] = {}

    def begin(self, position: BackfillPosition, url: str = "") -> None:
        """A page at *url* is on its way from here; without one, all before *position* was seen."""
        with self._lock:
            self._marks.append(_Mark(position, url, has_ended=not url))

    def end(self, url: str) -> None:
        """The latest page at *url* has ended: of two at one address, no position is true before both have."""
        with self._lock:
            for mark in reversed(self._marks):
                if mark.url == url and not mark.has_ended:
                    mark.has_ended = True
                    break

    def to_save(self) -> list[BackfillPosition]:
        """Positions that are true and were not given out before."""
        with self._lock:
            while self._marks and self._marks[0].has_ended:
                position = self._marks.popleft().position
                self._reached[position.file] = position
            new = [one for one in self._reached.values() if self._saved.get(one.file) != one]
            self._saved.update({one.file: one for one in new})
            return new


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


def hosts_wanted(configuration: Configuration, names: Sequence[str] = ()) -> dict[str, list[str]]:
    """Source -> its hosts; with *names*, of these sources only."""
    return {name: hosts_of(one) for name, one in configuration.sources.items() if not names or name in names}


def selection_of(hosts: Mapping[str, Sequence[str]]) -> str:
    return hashlib.sha256(json.dumps(hosts, sort_keys=True).encode()).hexdigest()


def is_address(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


class LoopWaiter:
    """For who reads in a thread: what the event loop does, awaited there. To be made in the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class Reading(LoopWaiter):
    """The pages of *names* one after the other, as ReplaySpider takes them; runs in a thread."""

    def __init__(
        self,
        services: Services,
        names: Sequence[str],
        wanted: Mapping[str, Sequence[str]],
        again: bool = False,
        site: ArchiveSite | None = None,
    ):
        super().__init__()
        self.ledger, self.found = Ledger(), Backfill(files=len(names))
        self._services, self._names, self._again = services, names, again
        self._site = site or ArchiveSite(services)
        self._selection = selection_of(wanted)
        self._latest = datetime.now(UTC) + AHEAD
        self._fetched = 0  # bytes of the file that is read, where it came from an address
        configuration = services.configuration
        all_hosts = hosts_wanted(configuration)
        former = configuration.former_names

        @lru_cache(maxsize=4096)
        def of_host(origin: str) -> str:
            name = owner(origin, "", all_hosts)  # a page of another source is not the next best one's
            return name if name in wanted else ""

        def of_page(url: str, named: str) -> str:
            named = former.get(named, named)
            if named in all_hosts:
                return named if named in wanted else ""
            try:
                return of_host(urls.origin(urls.normalise(url)))
            except urls.BadUrl:
                return ""

        self._source_of = of_page

    def pages(self) -> Iterator[Page | Unreadable]:
        self.found.size, ended = sum(_size_of(name) for name in self._names), 0
        for name in self._names:
            try:
                yield from self._file(name)
            except (OSError, zipfile.BadZipFile, ValueError) as error:
                said = f"{name}: {str(error) or type(error).__name__}"
                self.found.failures += (said,)
                yield Unreadable(_uri(name), NO_SOURCE, Reason.TRUNCATED, said)
            ended += _size_of(name) + self._fetched
            self.found.read, self._fetched = ended, 0
            self.found.files_ended += 1

    def _known(self, file: str) -> BackfillPosition | None:
        if self._again:
            return None
        return self._wait_for(self._services.store.backfill_position(file, self._selection))

    def _file(self, name: str) -> Iterator[Page | Unreadable]:
        if not is_address(name):
            yield from self._path(Path(name), str(Path(name).resolve()))
            return
        done = self._known(self._row(name, ""))
        if done is not None and done.is_done:
            self.found.done_before += 1
            return
        with own_folder(database.home() / "downloads") as own:
            file = own / (Path(urlsplit(name).path).name or "download")
            self._fetched = self._wait_for(self._site.download(name, file))
            self.found.size += self._fetched
            yield from self._path(file, name)
        self.ledger.begin(BackfillPosition(self._row(name, ""), self._selection, 0, is_done=True))

    def _row(self, name: str, member: str) -> str:
        return f"{name}!{member}"

    def _path(self, file: Path, name: str) -> Iterator[Page | Unreadable]:
        if not zipfile.is_zipfile(file):
            if file.name.lower().endswith(".wacz"):
                raise ValueError("this WACZ is cut off: the list of what is in it stands at its end")
            yield from self._warc(file, file.stat().st_size, name)
            return
        with own_folder(database.home() / "downloads") as folder:
            for inner, size, member in wacz.warc_files(file, folder):
                yield from self._warc(member, size, f"{name}!{inner}")

    def _warc(self, file: Openable, size: int, name: str) -> Iterator[Page | Unreadable]:
        begun = self._known(name)
        if begun is not None and begun.size == size and begun.is_done:
            self.found.done_before += 1
            self.found.read += size
            return
        at = begun if begun is not None and begun.size == size else BackfillPosition(name, self._selection, size)
        damage: list[str] = []
        base, unmarked = self.found.read, 0
        for offset, page in wanted_pages(file, self._source_of, damage, at.position, self._latest):
            while damage:
                yield self._damaged(name, damage.pop(0), at.damaged)
                at = replace(at, damaged=at.damaged + 1)
            self.found.read = base + min(offset, size)
            if page is None:
                self.found.skipped += 1
                at, unmarked = replace(at, skipped=at.skipped + 1), unmarked + 1
                if unmarked >= SKIPS:
                    self.ledger.begin(replace(at, position=offset))
                    unmarked = 0
                continue
            at, unmarked = replace(at, position=offset), 0
            self.ledger.begin(at, page.asked_url or page.url)
            yield replace(page, backfilled_from=name)
        while damage:
            yield self._damaged(name, damage.pop(0), at.damaged)
            at = replace(at, damaged=at.damaged + 1)
        self.found.read = base + size
        self.ledger.begin(replace(at, position=size, is_done=True))

    def _damaged(self, name: str, said: str, number: int) -> Unreadable:
        self.found.damaged += 1
        log.warning("%s: %s", name, said)
        reason = Reason.TOO_LARGE if TOO_MUCH in said else Reason.TRUNCATED
        return Unreadable(f"{_uri(name)}?damage={number + 1}", NO_SOURCE, reason, f"{name}: {said}")


class PageSource(Protocol):
    """Where the pages of a backfill come from; ``pages`` is asked in a thread."""

    ledger: Ledger
    found: Backfill

    def pages(self) -> Iterator[Page | Unreadable]: ...


def _size_of(name: str) -> int:
    """Bytes of a file; of one at an address they are not known before it is here."""
    return 0 if is_address(name) or not Path(name).exists() else Path(name).stat().st_size


def _uri(name: str) -> str:
    return name.replace("?", "%3F") if is_address(name) else Path(name).resolve().as_uri()


async def backfill(
    services: Services,
    names: Sequence[str],
    sources: Sequence[str] = (),
    *,
    again: bool = False,
    site: ArchiveSite | None = None,
    progress: Callable[[Backfill], Progress] | None = None,
) -> tuple[RunReport, Backfill]:
    """One run of kind ``backfill`` over WARC and WACZ files, from where an earlier one has come.

    *names* are paths and http(s) addresses, *sources* whose pages are wanted (default: all), *again*: from the
    beginning. *site* is the archive that addresses belong to. *progress* is told what the backfill counts, and gives
    what is told each page's end.
    """
    reading = Reading(services, names, hosts_wanted(services.configuration, sources), again, site)
    return await backfilled(services, reading, progress)


async def backfilled(
    services: Services, reading: PageSource, progress: Callable[[Backfill], Progress] | None = None
) -> tuple[RunReport, Backfill]:
    """One run of kind ``backfill`` over the pages of *reading*."""
    told = progress(reading.found) if progress else None

    def ended(url: str, outcome: PageOutcome) -> None:
        if outcome.kind != "pending":
            reading.ledger.end(url)
        if told is not None:
            told(url, outcome)

    saving = asyncio.create_task(_keep_saving(services, reading.ledger))
    try:
        report = await replay_stored(services, reading.pages(), ended, kind="backfill")
    finally:
        saving.cancel()
        await asyncio.wait([saving])
    with suppress(DatabaseError):  # the run has said so; what was not saved is read again
        await _save(services, reading.ledger)
    return report, reading.found


async def _keep_saving(services: Services, ledger: Ledger) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY)
        try:
            await _save(services, ledger)
        except DatabaseError as away:
            log.warning("how far the backfill has come could not be saved: %s", away)


async def _save(services: Services, ledger: Ledger) -> None:
    for position in ledger.to_save():
        await services.store.save_backfill_position(position)
