"""Common Crawl's news: WARC files of each month, listed in a file of their own."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from crawler.archive_site import ArchiveSite
from crawler.downloader.errors import FetchError
from crawler.downloader.patience import StatusError
from crawler.services import Services
from pipelines.items import Rejected
from pipelines.workers import ReadersUnavailable

log = logging.getLogger(__name__)

#: the first month that there is
FIRST = (2016, 8)
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def months(first: str, last: str) -> list[str]:
    """``2025-01`` to ``2025-03``, both included. Raises ValueError."""
    begin, end = _month(first), _month(last)
    if end < begin:
        raise ValueError(f"{last} is before {first}")
    if begin < FIRST:
        raise ValueError(f"{first}: the first month of CC-NEWS is {FIRST[0]}-{FIRST[1]:02}")
    return list(_between(begin, end))


def _month(text: str) -> tuple[int, int]:
    found = _MONTH.fullmatch(text.strip())
    if found is None or not text.isascii() or not 1 <= int(found[2]) <= 12:
        raise ValueError(f"expected a month such as 2025-01, found {text!r}")
    return int(found[1]), int(found[2])


def _between(begin: tuple[int, int], end: tuple[int, int]) -> Iterator[str]:
    year, month = begin
    while (year, month) <= end:
        yield f"{year}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def site_of(services: Services) -> ArchiveSite:
    """Where Common Crawl's files and lists are fetched."""
    return ArchiveSite(services, services.configuration.settings.backfill.common_crawl, refuses_the_fast=True)


async def files_of(services: Services, wanted: list[str]) -> tuple[list[str], list[str]]:
    """The addresses of the WARC files of the months *wanted*, and what was wrong with lists."""
    site = site_of(services)
    files: dict[str, None] = {}
    failures = []
    for month in wanted:
        address = f"{site.base}crawl-data/CC-NEWS/{month.replace('-', '/')}/warc.paths.gz"
        try:
            answer = await site.get(address)
            found = await services.parsing.warc_paths(answer.body, site.base, address)
        except (OSError, FetchError, Rejected, ReadersUnavailable) as error:
            is_none = isinstance(error, StatusError) and error.status == 404
            failures.append(f"{month}: {'there is no list at' if is_none else 'the list cannot be had:'} {address}"
                            f" ({error})")  # fmt: skip
            continue
        failures += [f"{month}: {address}: {said}" for said in [found.error] if said]
        failures += [f"{month}: {address} names what is no WARC file below {site.base}: {one!r}"
                     for one in found.refused]  # fmt: skip
        if not found.files and not found.error:
            failures.append(f"{month}: {address} names no file")
        files.update(dict.fromkeys(found.files))
        log.info("CC-NEWS %s: %d files", month, len(found.files))
    return list(files), failures
