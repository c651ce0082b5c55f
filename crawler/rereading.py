"""The whole archive, read again: ``nachlese replay --archive``. What was killed goes on where it was.

Each reading has a number, under which the positions of its files are kept. One that has come to its end is over, and
the next one begins anew; one that has not is gone on with by whoever asks for the same pages by the same rules.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import files
from crawler.archive_site import own_folder
from crawler.config import Configuration
from crawler.file_reading import Backfill, FileReading, read_files
from crawler.files import Unreadable, Wait
from crawler.frontier import Progress
from crawler.reports import RunReport
from crawler.runs import stored_pages
from crawler.services import Services
from pipelines import database
from pipelines.archive_remote import RemoteArchive
from pipelines.items import Page
from pipelines.reading.rules import READER_VERSION
from pipelines.record_reader import Place
from pipelines.store.backfills import BackfillPosition, Rereading

log = logging.getLogger(__name__)

#: what decides how a page is read
RULES = ("settings.toml", "sources/*.toml", "boilerplate/*.toml", "languages/*.toml")
#: bytes of a file that tell it from others: its first record has an identifier that no other one has
HEAD = 1000


class ArchiveReading(FileReading):
    """The pages of the archive, or those of *source* and those fetched *since* then."""

    def __init__(
        self,
        services: Services,
        names: Mapping[str, int],
        rereading: Rereading,
        source: str | None,
        since: datetime | None,
    ):
        self._folder, self._remote, self._sizes = services.archive_folder, services.remote_archive, names
        former = self._former = services.configuration.former_names
        self._source, self._since = source, since
        by = {
            "kind": "archive",
            "source": source,
            "formerly": [old for old, name in former.items() if name == source],
            "since": since.isoformat() if since else None,
        }
        super().__init__(services, list(names), rereading.selection, by, None)
        self.found.size = sum(names.values())

    def key(self, name: str) -> str:
        return key_in(self._services, name)

    def uri(self, name: str) -> str:
        if self._remote is not None and not (self._folder / name).exists():
            return f"{self._remote.address.rstrip('/')}/{name}"
        return (self._folder / name).resolve().as_uri()

    def ended(self, name: str) -> int:
        return self._sizes[name]

    def page(self, page: Page, name: str) -> Page:
        return replace(page, source=self._former.get(page.source, page.source))

    def goes_on(self, known: BackfillPosition, size: int) -> bool:
        return known.size <= size  # what is written just now grows

    def file(self, name: str) -> Iterator[Page | Unreadable | Wait]:
        path = (self._folder / name).resolve()
        if not name.lower().endswith(files.WARC):
            yield from stored_pages(self._services, [path], self._source, since=self._since)
            return
        try:
            if self._remote is None or path.exists():
                yield from self.warc(Place(str(path)), path.stat().st_size, self.key(name))
                return
        except OSError as error:
            if self._remote is None or error.errno != errno.ENOENT:
                raise  # else it was moved just now
        yield from self._from_there(self._remote, name)

    def _from_there(self, remote: RemoteArchive, name: str) -> Iterator[Page | Unreadable | Wait]:
        known, size = self.known(name), self._sizes[name]
        if known is not None and known.is_done and known.size == size:
            self.found.done_before += 1  # and need not be fetched
            self.found.read_before += size
            return
        with own_folder(database.home() / "downloads") as own:
            remote.fetch(name, own / name)
            yield from self.warc(Place(str(own / name)), (own / name).stat().st_size, name)


def names_in(services: Services) -> dict[str, int]:
    """The files of the archive and their sizes, in the order of their names.

    Waits for disk and network. Raises StoreError.
    """
    folder, remote = services.archive_folder, services.remote_archive
    here = list(files.files([folder])) if folder.exists() else []
    names = {path.relative_to(folder).as_posix(): path.stat().st_size for path in here}
    if remote is not None:
        names = remote.files() | names  # what is moved meanwhile, or was put back, is there twice
    return dict(sorted(names.items()))


def fetched_since(names: dict[str, int], since: datetime | None) -> dict[str, int]:
    """Those of the files that may have pages fetched *since* then."""
    day = f"{since.astimezone(UTC):%Y%m%d}" if since else ""
    return {name: size for name, size in names.items() if not day or _latest_day(name) >= day}


def key_of(folder: Path, name: str) -> str:
    """A name for a file of the archive that no other machine's has: all containers may give the same process number."""
    try:
        with (folder / name).open("rb") as opened:
            return f"{name} {hashlib.sha256(opened.read(HEAD)).hexdigest()[:16]}"
    except OSError:
        return name  # whoever reads it says what is wrong with it


def key_in(services: Services, name: str) -> str:
    """What a file of the archive is called in ``backfills``: names at an address are those of all machines."""
    return name if services.remote_archive is not None else key_of(services.archive_folder, name)


def is_there(services: Services, name: str, key: str) -> bool:
    """Whether this machine can read the file that is called *key*. Waits for the disk, or for where the archive is."""
    if services.remote_archive is None:
        return key_in(services, name) == key and (services.archive_folder / name).exists()
    return (services.archive_folder / name).exists() or services.remote_archive.has(name)


def _latest_day(name: str) -> str:
    """The day after which no page in a file of ours was fetched, "z" where nobody knows it."""
    parts = name.rpartition("/")[2].split("-")
    return parts[1] if parts[0] == "nachlese" and len(parts) > 2 and parts[1].isdigit() else "z"


def selection_of(configuration: Configuration, source: str | None, since: datetime | None) -> str:
    """A hash of what is read and by which rules: after they were changed, a reading begins anew."""
    digest = hashlib.sha256(json.dumps([source, since and since.isoformat(), READER_VERSION]).encode())
    for pattern in RULES:
        for path in sorted(configuration.folder.glob(pattern)):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


async def warn_of_lost_files(services: Services, names: Iterable[str]) -> None:
    """Say in the log where the archive has more than these files: it was moved, a disk is not mounted, or files were
    deleted.
    """
    # at an address, other machines have still to move there what they write now
    age = timedelta(days=1) if services.remote_archive is not None else timedelta()
    there = [name.rpartition("/")[2] for name in names]
    lost = len(await services.store.lost_archive_files(there, datetime.now(UTC) - age))
    if lost:
        said = "files of the archive with stored pages that are not there: %d; only the others are read"
        log.warning(said + " (nachlese db check-archive --hours 0 names them)", lost)


async def reread_archive(
    services: Services,
    source: str | None = None,
    since: datetime | None = None,
    *,
    again: bool = False,
    progress: Callable[[Backfill], Progress] | None = None,
) -> tuple[RunReport, Backfill]:
    """One run of kind ``replay`` over the archive, or over the pages of *source* in it and those fetched *since* then.

    It goes on with a reading of the same that has not come to its end; *again*: it does not. Raises DatabaseError,
    StoreError.
    """
    there = await asyncio.to_thread(names_in, services)
    await warn_of_lost_files(services, there)
    selection = selection_of(services.configuration, source, since)
    rereading = await services.store.rereading(selection, again)
    if not rereading.is_new:
        begun = f"{rereading.begun_at:%Y-%m-%d %H:%M} UTC"
        log.info("going on with the reading of the archive that began at %s (--again: from the beginning)", begun)
    reading = ArchiveReading(services, fetched_since(there, since), rereading, source, since)
    report, found = await read_files(services, reading, progress, kind="replay")
    if report.outcome == "finished" and not report.counts.pending:
        await services.store.end_rereading(rereading)
    return report, found
