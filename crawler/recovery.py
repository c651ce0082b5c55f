"""Pages that a killed process had fetched and archived: whoever goes on with its run reads them there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from pipelines import archive
from pipelines.archive_remote import RemoteArchive, as_os_error
from pipelines.items import Page
from pipelines.store import Archived, Store
from pipelines.warc import Openable

log = logging.getLogger(__name__)

#: a place in a file: its name, first byte, end or None
Gap = tuple[str, int, int | None]
#: places that are remembered as empty
MOST = 200_000


def archive_file(folder: Path, remote: RemoteArchive | None, name: str) -> Openable:
    """A file of the archive: here, or where all machines have theirs."""
    file = folder / name
    return file if remote is None or file.exists() else remote.file(name)


class Recovery:
    """One object a process. One source after the other looks: what the first one has seen, the next need not read.

    A machine that dies leaves many runs at once, and an archive at an address may have hundreds of files of a day.
    """

    def __init__(self, folder: Path, remote: RemoteArchive | None):
        self._folder, self._remote = folder, remote
        self._looking = asyncio.Lock()
        self._empty: set[Gap] = set()  # of files that nobody writes to any more: they stay so

    async def pages(self, store: Store, since: datetime, own: str | None) -> list[tuple[Archived, Page]]:
        """All that were fetched since then and have no recorded end; none of *own*, the file that this process writes.

        Raises OSError, DatabaseError.
        """
        async with self._looking:
            sizes = await asyncio.to_thread(self._recent, since)
            sizes.pop(own or "", None)
            gaps = await store.archive_gaps(sorted(sizes))
            return await asyncio.to_thread(self._read, gaps, sizes, since)

    def _recent(self, since: datetime) -> dict[str, int | None]:
        """Names of files that may have such pages, with their size where nobody writes to them any more."""
        there: dict[str, int | None] = dict(self._remote.recent(since)) if self._remote is not None else {}
        return there | dict.fromkeys(archive.recent(self._folder, since))

    def _read(self, gaps: Sequence[Gap], sizes: dict[str, int | None], since: datetime) -> list[tuple[Archived, Page]]:
        found = []
        for gap in gaps:
            name, begin, _ = gap
            size = sizes[name]
            if gap in self._empty or (size is not None and begin >= size):
                continue
            with as_os_error():
                pages = list(archive.left(partial(archive_file, self._folder, self._remote), [gap], since))
            if not pages and size is not None and len(self._empty) < MOST:
                self._empty.add(gap)
            found += pages
        return found
