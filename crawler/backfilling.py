"""WARC files that others, or we ourselves, wrote long ago: their pages take the way of a replay, from where a run that
was killed had come.

A file is a path or an http(s) address: WARC, plain or compressed, or a WACZ with several WARC files in it. What is read
is decided by the address in a record's header; the body of a page of no wanted source is not looked at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from crawler.archive_site import ArchiveSite, own_folder
from crawler.config import Configuration
from crawler.file_reading import Backfill, FileReading, read_files
from crawler.files import Unreadable, Wait
from crawler.frontier import Progress
from crawler.reports import RunReport
from crawler.services import Services, hosts_of
from pipelines import database
from pipelines.items import Page
from pipelines.record_reader import Place
from pipelines.store.backfills import BackfillPosition

#: a record that says it comes from later than this is wrong; its version would be the current one for ever
AHEAD = timedelta(days=1)


def hosts_wanted(configuration: Configuration, names: Sequence[str] = ()) -> dict[str, list[str]]:
    """Source -> its hosts; with *names*, of these sources only."""
    return {name: hosts_of(one) for name, one in configuration.sources.items() if not names or name in names}


def selection_of(hosts: Mapping[str, Sequence[str]]) -> str:
    return hashlib.sha256(json.dumps(hosts, sort_keys=True).encode()).hexdigest()


def is_address(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def key_of(name: str) -> str:
    """What a file is called in ``backfills``."""
    return name if is_address(name) else str(Path(name).resolve())


class Reading(FileReading):
    """The pages of the sources *wanted* in files of others."""

    def __init__(
        self,
        services: Services,
        names: Sequence[str],
        wanted: Mapping[str, Sequence[str]],
        again: bool = False,
        site: ArchiveSite | None = None,
    ):
        by = {
            "kind": "hosts",
            "hosts": hosts_wanted(services.configuration),
            "wanted": list(wanted),
            "former": services.configuration.former_names,
            "latest": (datetime.now(UTC) + AHEAD).isoformat(),
        }
        super().__init__(services, names, selection_of(wanted), by, set(wanted))
        self._again, self._site = again, site or ArchiveSite(services)
        self._fetched: dict[str, int] = {}  # bytes of files that came from an address
        self.found.size = sum(map(size_of, names))

    def key(self, name: str) -> str:
        return key_of(name)

    def uri(self, name: str) -> str:
        return name.replace("?", "%3F") if is_address(name) else Path(name).resolve().as_uri()

    def ended(self, name: str) -> int:
        return size_of(name) + self._fetched.pop(name, 0)

    def page(self, page: Page, name: str) -> Page:
        return replace(page, backfilled_from=name)

    def known(self, file: str) -> BackfillPosition | None:
        # what another process has just read again need not be read once more
        return super().known(file) if not self._again or self._waited else None

    def file(self, name: str) -> Iterator[Page | Unreadable | Wait]:
        here = None if is_address(name) else Path(name).resolve()
        if here is not None and not self._records.is_wacz(here):  # nothing to be copied or unpacked
            yield from self.warc(Place(str(here)), here.stat().st_size, self.key(name))
            return
        with own_folder(database.home() / "downloads") as own:
            if here is not None:
                yield from self._path(here, self.key(name), own)
                return
            whole = BackfillPosition(f"{name}!", self._selection, 0, is_done=True)
            done = self.known(whole.file)
            if done is not None and done.is_done:
                self.found.done_before += 1
                return
            path = own / (Path(urlsplit(name).path).name or "download")
            self._fetched[name] = self._wait_for(self._site.download(name, path))
            self.found.size += self._fetched[name]
            yield from self._path(path, name, own)
        self.ledger.begin(whole)

    def _path(self, path: Path, name: str, own: Path) -> Iterator[Page | Unreadable | Wait]:
        members = self._records.members(path, own)
        if members is None:
            yield from self.warc(Place(str(path)), path.stat().st_size, name)
            return
        for member in members:
            yield from self.warc(member.place, member.size, f"{name}!{member.name}")


def size_of(name: str) -> int:
    """Bytes of a file; of one at an address they are not known before it is here."""
    return 0 if is_address(name) or not Path(name).exists() else Path(name).stat().st_size


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
    return await read_files(services, reading, progress)
