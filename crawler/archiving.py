"""Files of the archive that are done go to where all machines can read them, and what is old is deleted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.config.settings_file import Retention
from pipelines.archive import Archive
from pipelines.archive_remote import RemoteArchive, archive_places
from pipelines.store import Store

log = logging.getLogger(__name__)

#: seconds between two looks at what can be moved
LOOK_EVERY = 30.0
#: after a look that left something behind it is twice as long each time, up to this
LONGEST_PAUSE = 480.0


@asynccontextmanager
async def sealing(
    archive: Archive | None, lock: asyncio.Lock, remote: RemoteArchive | None, folder: Path, age: timedelta
) -> AsyncIterator[None]:
    """Move files beside the work within, the one that is written when it is *age* old; at its end what is left.

    What cannot be moved stays in *folder* and is tried again.
    """
    if remote is None:
        yield
        return
    task = asyncio.create_task(_keep_sealing(archive, lock, remote, folder, age))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if archive is not None:
            async with lock:
                archive.close()
        await seal(remote, folder)


async def _keep_sealing(
    archive: Archive | None, lock: asyncio.Lock, remote: RemoteArchive, folder: Path, age: timedelta
) -> None:
    pause = LOOK_EVERY
    while True:
        is_all = await seal(remote, folder, pause)
        await asyncio.sleep(pause)
        pause = LOOK_EVERY if is_all else min(2 * pause, LONGEST_PAUSE)
        if archive is not None:
            async with lock:
                archive.close_old(age.total_seconds())


async def seal(remote: RemoteArchive, folder: Path, again_in: float | None = None) -> bool:
    """Move what can be moved; whether that was all. *again_in*: seconds until the next look, for the log."""
    try:
        moved = await asyncio.to_thread(remote.seal, folder)
    except OSError as error:
        later = f"; tried again in {again_in:.0f} s" if again_in else ""
        log.warning("files of the archive wait in %s: not moved to %s: %s%s", folder, remote.address, error, later)
        return False
    if moved:
        log.debug("%d files of the archive were moved to %s", moved, remote.address)
    return True


async def prune(
    store: Store, kept: Retention, folder: Path, is_dry: bool = False, remote: RemoteArchive | None = None
) -> dict[str, int]:
    """Delete what ``[retention]`` says is old by now; how many of each kind. *folder* and *remote*: the archive's."""
    now = datetime.now(UTC)

    def before(age: timedelta | None) -> datetime | None:
        return None if age is None else now - age

    ages = before(kept.bookkeeping), before(kept.versions), before(kept.archive)
    return await store.prune(*ages, folder, is_dry, remote, before(kept.runs))


async def lost_files(
    store: Store, stated: str | None, age: timedelta, ask_again: bool, with_pages: bool = False
) -> tuple[list[dict[str, Any]], int]:
    """Files of the archive that are neither here nor at its address and did not grow for *age*; with *ask_again*, how
    many pages are due for a look because of that. *with_pages*: each with its ``pages``, what lay in it."""
    folder, remote = archive_places(stated)
    there = [path.name for path in folder.rglob("*.warc*")] if folder.is_dir() else []
    there += await asyncio.to_thread(remote.names) if remote is not None else []
    lost = await store.lost_archive_files(there, datetime.now(UTC) - age)
    if with_pages:
        lost = [row | {"pages": await store.pages_in_archive_file(row["file"])} for row in lost]
    pages = [await store.ask_again_for(row["file"]) for row in lost] if ask_again else []
    return lost, sum(pages)
