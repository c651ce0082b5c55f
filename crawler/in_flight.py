"""How much may be in flight at once: pages that lie in memory until they are read and stored, and open connections.

Only what has come counts. A source that waits for its host, be it for a delay, a connection or an answer, has nothing
in flight and takes nobody's place, and a source that has nothing in flight may always ask for one page more. So a
source
can be slow, but it cannot make others wait.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: bytes that one source may have in flight on average; pages larger than a megabyte have their own bound
EACH = 16_000_000
#: one connection to a host that hangs costs a few kilobytes and a file number
MOST_CONNECTIONS = 2000


class InFlightBytes:
    """Bytes that have come and are not yet read and stored. *most*: all sources together, give or take a page each."""

    def __init__(self, most: int):
        self.most = most
        self.held: dict[str, int] = {}
        self._total = 0
        self._less = asyncio.Event()

    async def room(self, source: str) -> None:
        """Wait before a request, until *source* has nothing in flight or all together have less than they may."""
        while self._total >= self.most and self.held.get(source):
            await self._less.wait()

    @contextmanager
    def of(self, source: str) -> Iterator[Callable[[int], None]]:
        """Call what it gives with the size of each body that comes; they are in flight until the block ends."""
        mine = 0

        def add(size: int) -> None:
            nonlocal mine
            mine += size
            self._total += size
            self.held[source] = self.held.get(source, 0) + size

        try:
            yield add
        finally:
            self._total -= mine
            left = self.held.get(source, 0) - mine
            if left:
                self.held[source] = left
            else:
                self.held.pop(source, None)
            self._less.set()
            self._less = asyncio.Event()


def connections() -> int:
    """How many connections this process may have open; where the system allows more files than it said, it is asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, 2 * MOST_CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, soft // 2)
