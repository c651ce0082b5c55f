"""Ask again for pages that ended by a fault of ours: from the archive where it has them, else at the next crawl."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crawler.frontier import Progress
from crawler.reports import RunReport
from crawler.runs import replay_stored
from crawler.services import Services
from pipelines import archive
from pipelines.items import Page, Reason
from pipelines.store import Archived
from pipelines.warc import Openable

log = logging.getLogger(__name__)

#: the archive's file of a name
Files = Callable[[str], Openable]
#: how a page ends by a fault of ours, and not by what it is
FAULTS = (Reason.UNSTORABLE, Reason.PIPELINE, Reason.READER_TIMEOUT, Reason.READER_MEMORY, Reason.READER_CRASH)
#: what does not change by asking again
NEVER = (Reason.BAD_URL,)


@dataclass(frozen=True, slots=True)
class Retried:
    """``pages`` by source and reason; ``report`` is the run over those that the archive has, where there are any."""

    pages: list[dict[str, Any]]
    report: RunReport | None = None

    @property
    def total(self) -> int:
        return sum(row["pages"] for row in self.pages)

    @property
    def left(self) -> int:
        """How many wait for the next crawl of their source."""
        ended = self.report.counts.found - self.report.counts.pending if self.report else 0
        return self.total - ended


async def retry(
    services: Services,
    reasons: Sequence[Reason] = FAULTS,
    sources: Sequence[str] | None = None,
    since: datetime | None = None,
    progress: Progress | None = None,
) -> Retried:
    """Pages that ended for one of *reasons* are pending again; what the archive has of them is read at once.

    Raises DatabaseError. A page whose record in the archive is gone or damaged stays pending and is fetched.
    """
    counted, archived = await services.store.retry(reasons, sources, since)
    if not archived:
        return Retried(counted)
    pages = stored_pages(services.archive_file, [where for _, where in archived])
    report = await replay_stored(services, pages, progress)
    return Retried(counted, report if report.outcome != "skipped" else None)


def stored_pages(file: Files, places: Sequence[Archived]) -> Iterator[tuple[Archived, Page]]:
    """The pages that lie at *places* of the archive."""
    for where in places:
        page = page_at(file, where)
        if page is not None:
            yield where, page


def page_at(file: Files, where: Archived) -> Page | None:
    """The page that lies there; None, and a line in the log, where it does not."""
    try:
        return archive.page_at(file(where.file), where.offset)
    except (OSError, ValueError) as error:
        log.warning("%s at byte %d: %s; the page is fetched anew", where.file, where.offset, error)
        return None
