"""``/.well-known/tdmrep.json`` of each site, remembered by this process. What it says is read in reader processes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta

from crawler.clock import utc_now
from crawler.robots import SharedFetches
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
        self._known: OrderedDict[Hashable, tuple[bytes, datetime]] = OrderedDict()
        self._fetches = SharedFetches[bytes]()

    async def of(self, url: str, get: Get, trust: Hashable = None) -> bytes:
        """The file of the site of *url*; b"" where there is none or it is too large. Its pages wait for one fetch.

        *trust*: the addresses that *get* may reach. What one source may not reach is not held against another.
        """
        key = origin(url), trust
        known = self._known.get(key)
        if known is not None and self._now() < known[1]:
            return known[0]
        return await self._fetches.of(key, lambda: self._fetch(key, get))

    async def _fetch(self, key: tuple[str, Hashable], get: Get) -> bytes:
        body = await get(key[0] + PATH)
        kept = body if body is not None and len(body) <= LARGEST_FILE else b""
        self._known.pop(key, None)
        self._known[key] = kept, self._now() + (FAILED_AGAIN if body is None else FRESH)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return kept
