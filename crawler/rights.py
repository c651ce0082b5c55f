"""``/.well-known/tdmrep.json`` of each site, remembered by this process. What it says is read in reader processes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from crawler.downloader.hosts import utc_now
from pipelines.reading.rights import LARGEST_FILE
from pipelines.urls import origin

PATH = "/.well-known/tdmrep.json"
#: a file, or that there is none, is believed for so long; that it could not be had, for less
FRESH, FAILED_AGAIN = timedelta(hours=24), timedelta(hours=1)
#: sites that are remembered
MOST = 5_000

#: fetches an address; None where it cannot be had now
Get = Callable[[str], Awaitable[bytes | None]]


class TdmFiles:
    """One object a process."""

    def __init__(self, now: Callable[[], datetime] = utc_now):
        self._now = now
        self._known: OrderedDict[str, tuple[bytes, datetime]] = OrderedDict()
        self._in_flight: dict[str, asyncio.Future[bytes]] = {}

    async def of(self, url: str, get: Get) -> bytes:
        """The file of the site of *url*; b"" where there is none or it is too large. Its pages wait for one fetch."""
        site = origin(url)
        known = self._known.get(site)
        if known is not None and self._now() < known[1]:
            return known[0]
        fetch = self._in_flight.get(site)
        if fetch is None:
            fetch = self._in_flight[site] = asyncio.ensure_future(self._fetch(site, get))
            fetch.add_done_callback(lambda done: self._landed(site, done))
        return await asyncio.shield(fetch)

    def _landed(self, site: str, done: asyncio.Future[bytes]) -> None:
        self._in_flight.pop(site, None)
        if not done.cancelled():
            done.exception()  # whoever waited has it

    async def _fetch(self, site: str, get: Get) -> bytes:
        body = await get(site + PATH)
        kept = body if body is not None and len(body) <= LARGEST_FILE else b""
        self._known.pop(site, None)
        self._known[site] = kept, self._now() + (FAILED_AGAIN if body is None else FRESH)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return kept
