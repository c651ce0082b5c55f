"""The pace of requests to each host, over all sources and runs of this process, and which hosts are left alone.

Three waits keep a host comfortable: a delay between two requests, a few requests at a time, and the time it asked for
with Retry-After. None of them may keep anybody else waiting, so

- waiting happens here, in front of the connection, and holds nothing but the waiter's own place in its host's queue;
- a queue serves its sources in turn, so that a source with 40,000 new pages and one with three get every second turn;
- a feed, sitemap or section page takes the next turn but one at the latest, however many article pages wait: what
  it shows may be gone when they are done;
- a host that rests is not waited for: its pages go back to the frontier with the time of its rest's end.

Who leaves a host alone depends on who was told to:

===================================================  ==================================================================
a page's 429 or 503                                  the source it belongs to, for a minute, doubled with each in a row
the third of them in a row                           every source, for the time that the host asked for
the same for a feed, a sitemap, robots.txt           every source, for the time that the host asked for
an answer at the end of another host's redirect,     the one source that was led there
or on a host that is not the source's own
three connections in a row that failed               every source, for longer each time
the same at four hosts with no answer in between     this process, for seconds: it is this machine that is cut off
three requests in a row without a whole answer       the source whose requests they were, for longer each time
===================================================  ==================================================================

Rests are rows, so that a restart keeps them; ``nachlese hosts`` shows and lifts them, in a running process too.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from crawler.clock import utc_now
from crawler.downloader.shared_pace import ARRIVES_WITHIN, SENDS_WITHIN, SharedPace, Turn
from pipelines.fair_semaphore import FairSemaphore
from pipelines.store.models import HostBackoff, HostState

log = logging.getLogger(__name__)

#: a 429 that names no time is taken for this
UNNAMED_REST = timedelta(minutes=1)
#: a page that is answered 429 or 503 slows its own source down for so long, then for twice as long, ...
PAGE_REST = timedelta(minutes=1)
#: ... and so many of them in a row mean the host, not the page
CLOSED_AFTER = 3
#: longer headers name no time
LONGEST_RETRY_AFTER = 100
#: after so many failed connections in a row a host is taken for dead, and left alone for longer each time
DEAD_AFTER = 3
DEAD_REST = timedelta(minutes=1)
DEAD_REST_LONGEST = timedelta(hours=1)
#: so many hosts in a row that did not answer, and no other one that did: it is this machine that reaches nobody
OFFLINE_AFTER = 4
#: then each host is tried again after so long, twice as long, ... DEAD_REST; no other process is told
OFFLINE_REST = timedelta(seconds=5)
OFFLINE = "this machine reaches no host"
#: seconds after which the store is asked again: another process may have been told to wait
KNOWN_FOR = 300.0
#: the same while a host rests: somebody may have lifted it
RESTING_KNOWN_FOR = 10.0
#: the source of a rest that holds for every source
EVERYBODY = ""
#: hosts remembered; beyond this the ones nobody waits for are forgotten
HOSTS_KEPT = 20_000


class HostStore(Protocol):
    """What must outlive the process: the store's methods for hosts."""

    async def host_state(self, host: str) -> HostState | None: ...

    async def save_host_state(self, state: HostState) -> None: ...

    async def host_backoffs(self, host: str | None = None) -> list[HostBackoff]: ...

    async def save_host_backoff(self, rest: HostBackoff) -> None: ...


class HostInBackoff(Exception):
    """The host is not to be asked before ``retry_at``. It was sent nothing. ``dead``: it did not answer.

    ``is_behind_redirect``: another host was asked, and named this one: that is an attempt, made again next time.
    """

    def __init__(self, host: str, retry_at: datetime, why: str, dead: bool):
        super().__init__(f"{host} is left alone until {retry_at:%Y-%m-%d %H:%M:%S} UTC: {why}")
        self.retry_at = retry_at
        self.dead = dead
        self.is_behind_redirect = False


def retry_after(value: str | None, now: datetime, longest: timedelta) -> timedelta | None:
    """How long a Retry-After header (seconds or an HTTP date) asks to wait, from nothing to *longest*.

    None where there is no header, or one that cannot be understood.
    """
    if value is None or len(value) > LONGEST_RETRY_AFTER:
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


@dataclass(frozen=True, slots=True)
class GrantedTurn:
    """``sent`` is to be called when the request has gone out, and again when the answer begins. ``may_send`` says, just
    before, whether the turn still holds: a connection may take long, and a process may be frozen."""

    sent: Callable[[], None]
    may_send: Callable[[], bool]


class _Line:
    """Who waits for one host. A list goes before pages, and after it a page, so that neither starves; among pages, as
    among lists, each source has its turn."""

    def __init__(self) -> None:
        self.pages, self.lists = FairSemaphore(1), FairSemaphore(1)
        self.limit = 1_000_000
        self.inside = 0
        self.waiting = {True: 0, False: 0}  # lists, pages
        self.was_list = False  # the last one that was let in
        self.free_at = 0.0  # on the loop's clock: when the next request may start
        self._unsent: object | None = None  # the turn whose request is still to be sent: nobody overtakes it ...
        self._unsent_until = 0.0  # ... before then
        self._moved = asyncio.Event()

    @property
    def idle(self) -> bool:
        return self.pages.idle and self.lists.idle and not self.inside

    @asynccontextmanager
    async def acquire(
        self, source: str, is_list: bool, pause: Callable[[], float], claim: Callable[[float], Awaitable[None]]
    ) -> AsyncIterator[object]:
        """Wait for a place among ``limit`` and for ``free_at``, which then moves on by a *pause*, in seconds. What it
        gives stands for the turn.

        Whoever is first here waits for *claim*, with that pause, for the turns of all processes.
        """
        self.waiting[is_list] += 1
        try:
            async with (self.lists if is_list else self.pages).acquire(source):
                await self._first_in_line(is_list)
                wait = pause()
                self.inside += 1
                try:
                    await claim(wait)
                    pause()  # a rest may have begun meanwhile
                except BaseException:
                    self.inside -= 1
                    raise
                self.was_list = is_list
                turn = self._granted(wait)
        finally:
            self.waiting[is_list] -= 1
            self._move()
        try:
            yield turn
        finally:
            self.inside -= 1
            self._unsent = None if self._unsent is turn else self._unsent
            self._move()

    def _granted(self, wait: float) -> object:
        now, turn = asyncio.get_running_loop().time(), object()
        self.free_at = now + wait
        if wait:
            self._unsent, self._unsent_until = turn, now + SENDS_WITHIN + wait
        return turn

    @property
    def open_at(self) -> float:
        """On the loop's clock: when the next request may start, if what is to be sent before is not sent."""
        return max(self.free_at, self._unsent_until) if self._unsent else self.free_at

    async def _first_in_line(self, is_list: bool) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            is_turn = not self.waiting[not is_list] or is_list != self.was_list
            if self.inside >= self.limit or not is_turn:
                await self._moved.wait()
            elif (wait := self.open_at - clock()) > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._moved.wait()
            else:
                return

    def sent(self, turn: object, began: float, wait: float) -> None:
        """The request of *turn* went out at *began*, or was answered now: *wait* seconds count from there."""
        now = asyncio.get_running_loop().time()
        self.free_at = max(self.free_at, min(now, began + ARRIVES_WITHIN) + wait)
        if self._unsent is turn:
            self._unsent = None
            self._move()

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


@dataclass
class _Backoff:
    until: datetime
    why: str
    unreachable: bool


@dataclass
class _Host:
    line: _Line = field(default_factory=_Line)
    rests: dict[str, _Backoff] = field(default_factory=dict)  # by source; EVERYBODY: for all
    unconnected: int = 0
    unanswered: dict[str, int] = field(default_factory=dict)  # by source: requests in a row
    refused: dict[str, int] = field(default_factory=dict)  # by source: pages in a row that were answered 429 or 503
    known_at: float = 0.0
    known: asyncio.Task[None] | None = field(default=None, repr=False)


class Hosts:
    """One object a process. *memory* is the store; *longest* caps what a Retry-After may ask for.

    *pace* brings the turns of other processes in; its time is that of the database, which all of them have.
    """

    def __init__(
        self,
        memory: HostStore,
        longest: timedelta = timedelta(days=1),
        jitter: timedelta = timedelta(),
        now: Callable[[], datetime] = utc_now,
        pace: SharedPace | None = None,
    ):
        self._pace = pace
        if pace is not None:
            pace.free_hosts, pace.busy, now = self._free_hosts, self._busy, pace.now
        self._memory = memory
        self._longest = longest
        self._jitter = jitter.total_seconds()
        self._now = now
        self._hosts: dict[str, _Host] = {}
        self._silent: set[str] = set()  # hosts that did not answer since the last one that did

    @asynccontextmanager
    async def turn(
        self, host: str, source: str, delay: float, concurrency: int, is_list: bool = False
    ) -> AsyncIterator[GrantedTurn]:
        """Wait for this host to be ready for one more request of *source*; *delay* in seconds since the last one.

        Raises HostInBackoff at once when the host is left alone, also when its rest began while we waited. *is_list*: a
        feed, sitemap or section page is asked for, which goes before pages.
        """
        await self.check(host, source)
        entry = self._entry(host)
        # the strictest source sets the number for all: the host does not know our sources apart
        entry.line.limit = min(entry.line.limit, concurrency)

        wait = delay + (random.uniform(0, self._jitter) if delay else 0)
        turn: Turn | None = None
        began = 0.0

        def pause() -> float:
            self._raise_if_resting(host, source, entry)
            return wait

        async def claim(wait: float) -> None:
            nonlocal turn
            if self._pace is not None:
                turn = await self._pace.claim(host, source, is_list, wait, entry.line.limit)
                if turn.is_resting and self._rest(source, entry) is None:
                    await self._remember(host, entry)  # another process was asked for time

        try:
            async with entry.line.acquire(source, is_list, pause, claim) as place:
                clock = asyncio.get_running_loop().time
                until = clock() + SENDS_WITHIN

                def sent() -> None:
                    nonlocal began
                    began = began or clock()
                    entry.line.sent(place, began, wait)
                    if turn is not None and self._pace is not None:
                        self._pace.sent(turn)

                def may_send() -> bool:
                    return clock() < until and (turn is None or self._pace is None or self._pace.may_send(turn))

                yield GrantedTurn(sent, may_send)
        finally:
            if turn is not None and self._pace is not None:
                self._pace.left(turn)

    def _free_hosts(self) -> dict[str, float]:
        """Hosts that may not be asked yet, and for how many seconds."""
        clock = asyncio.get_running_loop().time()
        waits = {host: entry.line.open_at - clock for host, entry in self._hosts.items()}
        return {host: wait for host, wait in waits.items() if wait > 0}

    def _busy(self, hosts: Mapping[str, float]) -> None:
        """What other processes have asked, and ``_free_hosts`` does not know of."""
        clock = asyncio.get_running_loop().time()
        for host, wait in hosts.items():
            line = self._entry(host).line
            line.free_at = max(line.free_at, clock + wait)

    async def check(self, host: str, source: str = EVERYBODY) -> None:
        """Raise HostInBackoff if *source* leaves *host* alone now. Asks the store the first time, and now and then."""
        if self._pace is not None:
            await self._pace.ready()
        entry, clock = self._entry(host), asyncio.get_running_loop().time()
        known_for = RESTING_KNOWN_FOR if self._rest(source, entry) else KNOWN_FOR
        if entry.known is None or (entry.known.done() and clock - entry.known_at > known_for):
            entry.known, entry.known_at = asyncio.ensure_future(self._remember(host, entry)), clock
        if not entry.known.done():
            try:
                await asyncio.shield(entry.known)
            except Exception:
                entry.known = None  # the store could not say; the next request asks again
                raise
        self._raise_if_resting(host, source, entry)

    async def asked_to_wait(
        self,
        host: str,
        status: int,
        header: str | None,
        source: str = EVERYBODY,
        is_page: bool = False,
        is_own: bool = True,
    ) -> datetime | None:
        """A 429 or 503 came, with this Retry-After. Returns until when what was asked for waits, None if not at all.

        *is_page*: an article page was asked for. *is_own* False: a redirect of another host led here, or the host is
        not the one of *source*. The table above says who leaves the host alone, and for how long.
        """
        self._reached()
        wait = retry_after(header, self._now(), self._longest)
        if wait is None and status == 429:
            wait = UNNAMED_REST
        if not wait:
            return None
        until, entry = self._now() + wait, self._entry(host)
        who, why = source if not is_own else EVERYBODY, f"it answered {status} and asked for time"
        if not is_page:
            await self._keep(host, who, entry, _Backoff(until, why, False))
        elif self._rest(source, entry) is None:  # what was asked at the same moment is told the same, and counts once
            times = entry.refused[source] = entry.refused.get(source, 0) + 1
            if times < CLOSED_AFTER:
                slower = self._now() + min(wait, PAGE_REST * 2 ** (times - 1))
                await self._keep(host, source, entry, _Backoff(slower, f"a page was answered {status}", False))
            else:
                await self._keep(host, who, entry, _Backoff(until, why, False))
        return until

    def answered(self, host: str, source: str = EVERYBODY, is_page: bool = True) -> None:
        """A whole answer came from *host*, and it was none that asks for time."""
        self._reached()
        entry = self._entry(host)
        entry.unconnected = 0
        entry.unanswered.pop(source, None)
        if is_page:
            entry.refused.pop(source, None)

    async def failed(self, host: str) -> datetime | None:
        """No connection to *host* came about. Returns until when it is taken for dead, None if not yet."""
        entry = self._entry(host)
        entry.unconnected += 1
        self._silent.add(host)
        return await self._dead(host, EVERYBODY, entry, entry.unconnected, "connections in a row failed")

    async def unanswered(self, host: str, source: str) -> datetime | None:
        """*host* took a request of *source* and gave no whole answer. As ``failed``, for that source alone: what is
        too slow for the patience of one may be quick enough for another."""
        entry = self._entry(host)
        times = entry.unanswered[source] = entry.unanswered.get(source, 0) + 1
        self._silent.add(host)
        return await self._dead(host, source, entry, times, "requests in a row were not answered")

    @property
    def is_offline(self) -> bool:
        """Whether it is this machine that reaches no host. Then a failure says nothing of host or page."""
        return len(self._silent) >= OFFLINE_AFTER

    def _reached(self) -> None:
        """A host has answered."""
        if self.is_offline:
            log.info("hosts can be reached again from this machine")
            for entry in (self._hosts[host] for host in self._silent if host in self._hosts):
                entry.unconnected = 0
                entry.unanswered.clear()
                entry.rests = {source: rest for source, rest in entry.rests.items() if rest.why != OFFLINE}
        self._silent.clear()

    async def _dead(self, host: str, source: str, entry: _Host, times: int, what: str) -> datetime | None:
        if self.is_offline:
            if len(self._silent) == OFFLINE_AFTER and times == 1:
                log.warning("%s: %d in a row did not answer", OFFLINE, OFFLINE_AFTER)
            until: datetime = self._now() + min(OFFLINE_REST * 2 ** min(times - 1, 10), DEAD_REST)
            entry.rests[source] = _Backoff(until, OFFLINE, True)
            return until
        if times < DEAD_AFTER:
            return None
        until = self._now() + min(DEAD_REST * 2 ** min(times - DEAD_AFTER, 10), DEAD_REST_LONGEST)
        await self._keep(host, source, entry, _Backoff(until, f"{times} {what}", True))
        return entry.rests[source].until

    async def _keep(self, host: str, source: str, entry: _Host, rest: _Backoff) -> None:
        """Of two rests the longer one counts."""
        known = entry.rests.get(source)
        if known is not None and known.until >= rest.until:
            return
        entry.rests[source] = rest
        await self._memory.save_host_backoff(HostBackoff(host, source, rest.until, rest.unreachable, rest.why))

    async def _remember(self, host: str, entry: _Host) -> None:
        """The rows say which rests there are: one that is over there was lifted."""
        now = self._now()
        for known in await self._memory.host_backoffs(host):
            # no later than we would ever promise: it may have been written while the clock was wrong by years
            until, held = min(known.retry_at, now + self._longest), entry.rests.get(known.source)
            if until > now:
                if held is None or until > held.until:
                    entry.rests[known.source] = _Backoff(until, known.why, known.unreachable)
            elif held is not None and held.until > now:
                self._lift(known.source, entry)

    @staticmethod
    def _lift(source: str, entry: _Host) -> None:
        entry.rests.pop(source, None)
        entry.unanswered.pop(source, None)
        entry.refused.pop(source, None)
        if source == EVERYBODY:
            entry.unconnected = 0
            entry.refused.clear()

    def _rest(self, source: str, entry: _Host) -> _Backoff | None:
        """The longest rest that *source* keeps now."""
        rests = [rest for name in {source, EVERYBODY} if (rest := entry.rests.get(name)) and self._now() < rest.until]
        return max(rests, key=lambda rest: rest.until, default=None)

    def _raise_if_resting(self, host: str, source: str, entry: _Host) -> None:
        rest = self._rest(source, entry)
        if rest is not None:
            raise HostInBackoff(host, rest.until, rest.why, rest.unreachable)

    def _entry(self, host: str) -> _Host:
        entry = self._hosts.get(host)
        if entry is None:
            if len(self._hosts) >= HOSTS_KEPT:
                self._forget_idle()
            entry = self._hosts[host] = _Host()
        return entry

    def _forget_idle(self) -> None:
        now = self._now()
        clock = asyncio.get_running_loop().time()
        for host, entry in list(self._hosts.items()):
            is_used = not entry.line.idle or (entry.known is not None and not entry.known.done())
            is_resting = any(rest.until > now for rest in entry.rests.values())
            if not is_used and not is_resting and entry.line.open_at < clock:
                del self._hosts[host]
