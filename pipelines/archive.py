"""Every fetched article page into WARC before anything can go wrong with it, and back. Bodies follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pipelines.items import Page
from pipelines.store_shapes import Archived


class Archive:
    """One process's WARC file of the day in *folder*. Not safe for threads; call it from one."""

    def __init__(self, folder: Path):
        self.folder = folder

    def keep(self, page: Page, headers: Mapping[str, str] | None = None) -> Archived:
        """Write the page (its parts and hint too) and flush. Raises OSError when the disk is full."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def pages(paths: Path | Iterable[Path], since: datetime | None = None, source: str | None = None) -> Iterator[Page]:
    """The pages in WARC files or folders of them, in file order; ours come back exactly, foreign ones as well as may be."""
    raise NotImplementedError


def page_at(file: Path, offset: int) -> Page:
    """The one page whose record begins at *offset*."""
    raise NotImplementedError
