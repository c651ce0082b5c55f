"""robots.txt as RFC 9309 says, for every source and run of this process, remembered over restarts.

What the answer to ``/robots.txt`` means:

=====================  ==========================================================================================
200                    the rules in its first 500 KiB hold
another 2xx, any 4xx   no rules: everything is allowed (429 is not meant here: it says *later*)
429, 5xx, no answer    nothing is allowed for now; but the last good copy holds for 24 hours after it was fetched
=====================  ==========================================================================================

Pages that are not allowed *for now* stay pending. Pages that the rules forbid are rejected.

Rules are parsed and matched where *judge* does it: in a reader process, because a file of 500 KiB made for it costs
seconds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from crawler.clock import utc_now
from crawler.robots_txt import LARGEST, Judgement, judged_all
from pipelines.items import Reason, Rejected
from pipelines.store.models import HostState
from pipelines.urls import origin

if TYPE_CHECKING:
    from crawler.downloader.hosts import HostStore

T = TypeVar("T")

#: a copy is used for this long before it is fetched again; the RFC's upper bound is a day
FRESH = timedelta(hours=6)
#: the last good copy holds for this long where a new one cannot be had
STALE = timedelta(hours=24)
#: after a failure the file is asked for again no sooner than this
FAILED_AGAIN = timedelta(minutes=5)
#: what is kept in memory, in bytes of robots.txt; the store remembers the rest
BYTES_KEPT = 10_000_000
FAILURES_KEPT = 5_000
#: judgements that wait for who asks, for each site
MOST_FORESEEN = 1_000


class Disallowed(Exception):
    """The rules of the site forbid this page. Final."""


class RobotsUnavailable(Exception):
    """robots.txt cannot be had, so nothing is fetched from there until ``retry_at``. The page stays pending."""

    def __init__(self, site: str, why: str, retry_at: datetime, reason: Reason):
        super().__init__(f"{site}/robots.txt cannot be had: {why}")
        self.retry_at = retry_at
        self.reason = reason
        self.is_behind_redirect = False  # then another host was asked, which is an attempt


class RobotsFetchError(Exception):
    """Raised by *get*: no answer, or none that counts. ``retry_at`` where the host named a time.

    *reason* is what the waiting pages are told; not ROBOTS where the whole host cannot be reached.
    """

    def __init__(self, why: str, retry_at: datetime | None = None, reason: Reason = Reason.ROBOTS):
        super().__init__(why)
        self.why = why
        self.retry_at = retry_at
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RobotsAnswer:
    """Status below 500 and not 429, and at most ``LARGEST`` bytes of decompressed body."""

    status: int
    body: bytes


Get = Callable[[str], Awaitable[RobotsAnswer]]
#: (body of robots.txt, our product token, addresses, source) -> what the rules say about each
Judge = Callable[[bytes, str, Sequence[str], str], Awaitable[list[Judgement]]]


async def judged_here(body: bytes, agent: str, urls: Sequence[str], whose: str) -> list[Judgement]:
    """For a process that does nothing else meanwhile."""
    return judged_all(body, agent, urls)


@dataclass(frozen=True, slots=True)
class _Known:
    body: bytes
    fetched_at: datetime
    #: what the rules say about addresses that will be asked for soon; each is taken out by who asks
    foreseen: dict[str, Judgement] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.body) + 1000


@dataclass(frozen=True, slots=True)
class _Failed:
    why: str
    retry_at: datetime
    reason: Reason


class SharedFetches(Generic[T]):
    """Fetches that several pages wait for: one at a time for each key."""

    def __init__(self) -> None:
        self._in_flight: dict[Hashable, asyncio.Future[T]] = {}

    async def of(self, key: Hashable, fetch: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the fetch under *key* gives, or raises; it is begun where none is in flight."""
        found = self._in_flight.get(key)
        if found is None or found.done():  # a done one would be raised again before the loop can let it land
            found = self._in_flight[key] = asyncio.ensure_future(fetch())
            found.add_done_callback(lambda done: self._landed(key, done))
        # shielded: when the first of the waiting pages gives up, the others still want the answer
        return await asyncio.shield(found)

    def _landed(self, key: Hashable, done: asyncio.Future[T]) -> None:
        if self._in_flight.get(key) is done:
            del self._in_flight[key]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may be waiting any more


class Robots:
    """One object a process. *agent* is our product token; *longest_delay* caps a Crawl-delay; *judge* reads rules."""

    def __init__(
        self,
        memory: HostStore,
        agent: str,
        longest_delay: timedelta = timedelta(seconds=30),
        now: Callable[[], datetime] = utc_now,
        judge: Judge = judged_here,
    ):
        self._memory = memory
        self._judge = judge
        self._agent = agent
        self._longest_delay = longest_delay.total_seconds()
        self._now = now
        self._known: dict[str, _Known] = {}
        self._failed: dict[str, _Failed] = {}
        self._size = 0
        self._fetches = SharedFetches[_Known]()

    async def check(self, url: str, get: Get, trust: Hashable = None, whose: str = "") -> float:
        """``judgement`` for who wants the Crawl-delay alone: in seconds, 0 where there is none."""
        return (await self.judgement(url, get, trust, whose)).delay or 0.0

    async def judgement(self, url: str, get: Get, trust: Hashable = None, whose: str = "") -> Judgement:
        """Raise Disallowed or RobotsUnavailable, or return what the rules say, with a Crawl-delay that is bounded.

        *get* fetches a robots.txt, following redirects; it raises RobotsFetchError where RFC 9309 says *unreachable*.
        Any other exception it raises goes through, and is remembered by nobody. Requests for one site wait for the
        same fetch if they have the same *trust*: the addresses they may reach. *whose*: the source that asks.
        """
        site = origin(url)
        known = await self._current(site, get, trust)
        if not known.body:
            return Judgement(True)
        try:
            judgement = known.foreseen.pop(url, None)
            if judgement is None:
                (judgement,) = await self._judge(known.body, self._agent, [url], whose)
        except Rejected as given_up:
            # rules that nobody can read in bounded time allow nothing; the site may put something else there
            raise RobotsUnavailable(
                site, f"no reader can judge it: {given_up}", self._now() + FAILED_AGAIN, Reason.ROBOTS
            ) from None
        if not judgement.allowed:
            raise Disallowed("robots.txt of the site forbids this page")
        return replace(judgement, delay=min(judgement.delay or 0.0, self._longest_delay))

    async def foresee(self, addresses: Iterable[str], whose: str) -> None:
        """Have *addresses*, for which ``judgement`` will be asked soon, judged together: where the rules of their site
        are known, one trip to a reader does for all. What goes wrong here is told there."""
        by_site = defaultdict(list)
        for url in addresses:
            by_site[origin(url)].append(url)
        for site, of_site in by_site.items():
            known = self._known.get(site)
            if known is not None and known.body and len(of_site) > 1:
                with suppress(Rejected):  # rules that are dear to read; each address is judged alone
                    judgements = await self._judge(known.body, self._agent, of_site, whose)
                    if len(known.foreseen) > MOST_FORESEEN:
                        known.foreseen.clear()  # of pages that nobody asked for after all
                    known.foreseen.update(zip(of_site, judgements, strict=True))

    def known_body(self, url: str) -> bytes | None:
        """The robots.txt of the site of *url*, as far as this process has it in memory; None where it was not asked."""
        known = self._known.get(origin(url))
        return known.body if known else None

    async def _current(self, site: str, get: Get, trust: Hashable) -> _Known:
        known = self._known.get(site)
        if known is not None and abs(self._now() - known.fetched_at) < FRESH:
            return known
        failed = self._failed.get(site)
        if failed is not None and self._now() < failed.retry_at:
            return self._last_good(site, failed)
        return await self._fetches.of((site, trust), lambda: self._fetch(site, get))

    async def _fetch(self, site: str, get: Get) -> _Known:
        known = self._known.get(site) or await self._remembered(site)
        if known is not None and abs(self._now() - known.fetched_at) < FRESH:
            return known
        try:
            answer = await get(f"{site}/robots.txt")
        except RobotsFetchError as error:
            # no longer than that for everybody: a time that the host named is for whoever was told it (``Hosts``)
            soon = self._now() + FAILED_AGAIN
            self._failed[site] = _Failed(error.why, soon, error.reason)
            return self._last_good(site, _Failed(error.why, max(error.retry_at or soon, soon), error.reason))
        self._failed.pop(site, None)
        body = answer.body[:LARGEST] if answer.status == 200 else b""
        known = self._keep(site, body, self._now())
        await self._memory.save_host_state(
            HostState(site, robots_status=answer.status, robots_body=body, robots_fetched_at=known.fetched_at)
        )
        return known

    def _last_good(self, site: str, failed: _Failed) -> _Known:
        known = self._known.get(site)
        if known is not None and abs(self._now() - known.fetched_at) < STALE:
            return known
        raise RobotsUnavailable(site, failed.why, failed.retry_at, failed.reason)

    async def _remembered(self, site: str) -> _Known | None:
        state = await self._memory.host_state(site)
        if state is None or state.robots_body is None or state.robots_fetched_at is None:
            return None
        return self._keep(site, state.robots_body, state.robots_fetched_at)

    def _keep(self, site: str, body: bytes, fetched_at: datetime) -> _Known:
        self._drop(site)
        known = self._known[site] = _Known(bytes(body), fetched_at)
        self._size += known.size
        while self._size > BYTES_KEPT and len(self._known) > 1:
            self._drop(next(iter(self._known)))
        while len(self._failed) > FAILURES_KEPT:
            self._failed.pop(next(iter(self._failed)))
        return known

    def _drop(self, site: str) -> None:
        known = self._known.pop(site, None)
        if known is not None:
            self._size -= known.size
