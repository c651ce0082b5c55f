"""Manners towards a host, over all sources and runs of this process.

Three waits keep a host comfortable: a delay between two requests, a few requests at a time, and the time it asked for
with Retry-After. None of them may keep anybody else waiting, so

- waiting happens here, in front of the connection, and holds nothing but the waiter's own place in its host's queue;
- a queue serves its sources in turn, so that a source with 40,000 new pages and one with three get every second turn;
- a host that wants to be left alone is not waited for: its pages go back to the frontier with the time it named.

Each run has a Scrapy engine of its own, so a request that waits here takes room from its own run only.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from pipelines.store.shapes import HostState
from pipelines.turnstile import Turnstile

#: a 429 that names no time is taken for this
UNNAMED_REST = timedelta(minutes=1)
#: after so many failed connections in a row a host is taken for dead, and left alone for longer each time
DEAD_AFTER = 3
DEAD_REST = timedelta(minutes=1)
DEAD_REST_LONGEST = timedelta(hours=1)
#: seconds after which the store is asked again: another process may have been told to wait
KNOWN_FOR = 300.0
#: hosts remembered; beyond this the ones nobody waits for are forgotten
HOSTS_KEPT = 20_000


class Memory(Protocol):
    """What must outlive the process: the store's two methods for hosts."""

    async def host_state(self, host: str) -> HostState | None: ...

    async def keep_host_state(self, state: HostState) -> None: ...


class HostRests(Exception):
    """The host is not to be asked before ``not_before``. Nothing was sent. ``dead``: it could not be connected to."""

    def __init__(self, host: str, not_before: datetime, why: str, dead: bool):
        super().__init__(f"{host} is left alone until {not_before:%Y-%m-%d %H:%M:%S} UTC: {why}")
        self.not_before = not_before
        self.dead = dead


def utc_now() -> datetime:
    return datetime.now(UTC)


def retry_after(value: str | None, now: datetime, longest: timedelta) -> timedelta | None:
    """How long a Retry-After header (seconds or an HTTP date) asks to wait, from nothing to *longest*.

    None where there is no header, or one that cannot be understood.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        # a number with thirty digits is no reason to fail
        return min(timedelta(seconds=int(value[:9]) if len(value) <= 9 else 10**9), longest)
    try:
        at = parsedate_to_datetime(value)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(at - now, timedelta()), longest)


@dataclass
class _Host:
    turnstile: Turnstile
    free_at: float = 0.0  # on the loop's clock: when the next request may start
    rest_until: datetime | None = None
    rest_why: str = ""
    failures: int = 0
    known_at: float = 0.0
    known: asyncio.Task[None] | None = field(default=None, repr=False)


class Hosts:
    """One object a process. *memory* is the store; *longest* caps what a Retry-After may ask for."""

    def __init__(
        self,
        memory: Memory,
        longest: timedelta = timedelta(days=1),
        jitter: timedelta = timedelta(),
        now: Callable[[], datetime] = utc_now,
    ):
        self._memory = memory
        self._longest = longest
        self._jitter = jitter.total_seconds()
        self._now = now
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, source: str, delay: float, concurrency: int) -> AsyncIterator[None]:
        """Wait for this host to be ready for one more request of *source*; *delay* in seconds since the last one.

        Raises HostRests at once when the host wants to be left alone, also when it began to while we waited.
        """
        await self.check(host)
        entry = self._entry(host)
        # the strictest source sets the number for all: the host does not know our sources apart
        entry.turnstile.limit = min(entry.turnstile.limit, concurrency)
        async with entry.turnstile.place(source):
            await self._wait(entry, delay)
            self._raise_if_resting(host, entry)
            yield

    async def check(self, host: str) -> None:
        """Raise HostRests if *host* wants to be left alone now. Asks the store the first time, and now and then."""
        entry, clock = self._entry(host), asyncio.get_running_loop().time()
        if entry.known is None or (entry.known.done() and clock - entry.known_at > KNOWN_FOR):
            entry.known, entry.known_at = asyncio.ensure_future(self._remember(host, entry)), clock
        if not entry.known.done():
            try:
                await asyncio.shield(entry.known)
            except Exception:
                entry.known = None  # the store could not say; the next request asks again
                raise
        self._raise_if_resting(host, entry)

    async def asked_to_wait(self, host: str, status: int, header: str | None) -> datetime | None:
        """A 429 or 503 came, with this Retry-After. Returns until when the host is left alone, None if not at all."""
        wait = retry_after(header, self._now(), self._longest)
        if wait is None and status == 429:
            wait = UNNAMED_REST
        if not wait:
            return None
        until = self._now() + wait
        entry = self._entry(host)
        if entry.rest_until is None or until > entry.rest_until:
            entry.rest_until, entry.rest_why = until, f"it answered {status} and asked for time"
            await self._memory.keep_host_state(HostState(host, not_before=until))
        return until

    def answered(self, host: str) -> None:
        """A connection to *host* worked."""
        self._entry(host).failures = 0

    def failed(self, host: str) -> datetime | None:
        """No connection to *host* came about. Returns until when it is taken for dead, None if not yet."""
        entry = self._entry(host)
        entry.failures += 1
        if entry.failures < DEAD_AFTER:
            return None
        rest = min(DEAD_REST * 2 ** min(entry.failures - DEAD_AFTER, 10), DEAD_REST_LONGEST)
        entry.rest_until = max(self._now() + rest, entry.rest_until or self._now())
        entry.rest_why = f"{entry.failures} connections in a row failed"
        return entry.rest_until

    async def _remember(self, host: str, entry: _Host) -> None:
        state = await self._memory.host_state(host)
        if state is None or state.not_before is None:
            return
        # no later than we would ever promise: it may have been written while the clock was wrong by years
        until = min(state.not_before, self._now() + self._longest)
        if entry.rest_until is None or until > entry.rest_until:
            entry.rest_until, entry.rest_why = until, "it asked for time"

    def _raise_if_resting(self, host: str, entry: _Host) -> None:
        if entry.rest_until is not None and self._now() < entry.rest_until:
            raise HostRests(host, entry.rest_until, entry.rest_why, entry.failures >= DEAD_AFTER)

    async def _wait(self, entry: _Host, delay: float) -> None:
        clock = asyncio.get_running_loop().time
        # again and again, because another one may have been quicker meanwhile
        while (wait := entry.free_at - clock()) > 0:  # noqa: ASYNC110  nothing but time is waited for
            await asyncio.sleep(wait)
        entry.free_at = clock() + delay + (random.uniform(0, self._jitter) if delay else 0)

    def _entry(self, host: str) -> _Host:
        entry = self._hosts.get(host)
        if entry is None:
            if len(self._hosts) >= HOSTS_KEPT:
                self._forget_idle()
            entry = self._hosts[host] = _Host(Turnstile(limit=1_000_000))
        return entry

    def _forget_idle(self) -> None:
        now = self._now()
        clock = asyncio.get_running_loop().time()
        for host, entry in list(self._hosts.items()):
            resting = entry.rest_until is not None and entry.rest_until > now
            if (
                entry.turnstile.idle
                and entry.free_at < clock
                and not resting
                and (not entry.known or entry.known.done())
            ):
                del self._hosts[host]
