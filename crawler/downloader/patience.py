"""Archives of the web that are busy: how long to wait, how often to ask again, and never two requests at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from crawler.clock import utc_now
from crawler.downloader.errors import FetchError
from crawler.downloader.hosts import retry_after

T = TypeVar("T")

log = logging.getLogger(__name__)

#: what a server answers that may answer otherwise later
BUSY = frozenset({408, 429, 500, 502, 503, 504})
#: Common Crawl refuses for a while who asks too fast
BUSY_OR_REFUSING = BUSY | {403}
#: times that it is asked before it is given up
TRIES = 7


class StatusError(OSError):
    """The server answered, and not with what was asked for. ``retry_after`` is its header, "" where there was none."""

    def __init__(self, status: int, retry_after: str = ""):
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.retry_after = retry_after


@dataclass(slots=True)
class Patience:
    """One archive's pace. *delay*: least time between two requests. *first*: the wait after a busy answer that names no
    time, doubled each time. *longest*: more than that is not waited, whatever the archive says."""

    delay: timedelta = timedelta()
    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(hours=1)
    tries: int = TRIES
    busy: frozenset[int] = BUSY
    _free_at: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, request: Callable[[], Awaitable[T]], what: str) -> T:
        """What *request* gives. Raises StatusError or FetchError where the archive does not give it after all tries."""
        async with self._turn:
            for done in range(self.tries):
                await self._until(self._free_at)
                try:
                    return await request()
                except (StatusError, FetchError) as failed:
                    wait = self.wait_before(done + 1, failed)
                    if wait is None:
                        raise
                    log.info("%s: %s; it is asked again in %.0f s", what, failed, wait.total_seconds())
                    await asyncio.sleep(wait.total_seconds())
                finally:
                    self._free_at = asyncio.get_running_loop().time() + self.delay.total_seconds()
        raise AssertionError  # the last try has ended either way

    def wait_before(self, next_try: int, failed: StatusError | FetchError) -> timedelta | None:
        """How long to wait before asking once more; None: no more."""
        is_passing = failed.status in self.busy if isinstance(failed, StatusError) else failed.transient
        if not is_passing or next_try >= self.tries:
            return None
        header = failed.retry_after if isinstance(failed, StatusError) else ""
        told = retry_after(header or None, utc_now(), self.longest)
        return min(self.longest, self.first * 2 ** (next_try - 1)) if told is None else told

    async def _until(self, moment: float) -> None:
        wait = moment - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)
