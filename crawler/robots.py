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
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from protego import Protego

from crawler.clock import utc_now
from pipelines.items import Reason, Rejected
from pipelines.reading.rights import AI_CRAWLERS
from pipelines.store.models import HostState
from pipelines.urls import origin

if TYPE_CHECKING:
    from crawler.downloader.hosts import HostStore  # loads the database, of which readers know nothing

T = TypeVar("T")

#: a copy is used for this long before it is fetched again; the RFC's upper bound is a day
FRESH = timedelta(hours=6)
#: the last good copy holds for this long where a new one cannot be had
STALE = timedelta(hours=24)
#: after a failure the file is asked for again no sooner than this
FAILED_AGAIN = timedelta(minutes=5)
LARGEST = 500 * 1024
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say about one address; ``delay`` is their Crawl-delay in seconds, or None.

    ``ai_crawlers_disallowed``: agents that read for models, and that a group of their own keeps from the address.
    """

    allowed: bool
    delay: float | None = None
    ai_crawlers_disallowed: tuple[str, ...] = ()


Get = Callable[[str], Awaitable[RobotsAnswer]]
#: (body of robots.txt, our product token, addresses, source) -> what the rules say about each
Judge = Callable[[bytes, str, Sequence[str], str], Awaitable[list[Judgement]]]


class Rules:
    """One robots.txt, as far as *agent* (our product token, such as ``nachlese``) is concerned."""

    def __init__(self, body: bytes, agent: str):
        self._agent = agent.lower()
        self._rules = Protego.parse(relevant_lines(body[:LARGEST], self._agent))

    def allows(self, url: str) -> bool:
        return self._rules.can_fetch(url, self._agent)

    @property
    def crawl_delay(self) -> float | None:
        """Seconds, or None."""
        delay = self._rules.crawl_delay(self._agent)
        return delay if delay is not None and delay > 0 else None


def relevant_lines(body: bytes, agent: str) -> str:
    """The lines of the groups that speak to *agent* or to everybody, in order.

    The parser copies each rule to each agent of its group, which takes minutes for a file of 500 KiB made for it.
    """
    kept: list[str] = []
    naming, ours = False, False  # whether the last line named an agent; whether the group at hand speaks to us
    for line in decoded_robots(body).splitlines():
        field, value = field_and_value(line.partition("#")[0])
        if not field or field in ("sitemap", "host"):
            continue
        if field in ("user-agent", "useragent", "user agent"):
            to_us = speaks_to(value, agent)
            ours = to_us or (naming and ours)
            naming = True
            if to_us:
                kept.append(f"User-agent: {'*' if value == '*' else agent}")
        else:
            naming = False
            if ours:
                kept.append(f"{field}: {value}")
    return "\n".join(kept)


_WITHOUT_COLON = re.compile(r"(user-agent|disallow|allow|crawl-delay)[ \t=]+(\S.*)", re.IGNORECASE)


def field_and_value(line: str) -> tuple[str, str]:
    """The two sides of a line; "Disallow /a/" means what "Disallow: /a/" does. ("", "") where it is no rule."""
    field, colon, value = line.strip().partition(":")
    bare = _WITHOUT_COLON.fullmatch(line.strip())
    if bare and (not colon or any(sign in field.strip() for sign in " \t/=")) and field.strip().lower() != "user agent":
        return bare[1].lower(), bare[2].strip()
    return (field.strip().lower(), value.strip()) if colon else ("", "")


def decoded_robots(body: bytes) -> str:
    """UTF-8 as the RFC says; UTF-16, which some editors save, where a mark or the zeros between the letters show it."""
    start = body[:200].rstrip(b"\0")  # zeros without end are no letters in either half
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = body.decode("utf-16", "replace")
    elif len(start) > 1 and start[1::2].count(0) * 2 > len(start[1::2]):
        text = body.decode("utf-16-le", "replace")
    elif len(start) > 1 and start[::2].count(0) * 2 > len(start[::2]):
        text = body.decode("utf-16-be", "replace")
    else:
        text = body.decode("utf-8-sig", "replace")
    return text.replace("\0", "")


def speaks_to(value: str, agent: str) -> bool:
    """Whether a User-agent line means us: ``*``, or our token, with or without a version after it."""
    token = value.strip().lower()
    return token == "*" or token.partition("/")[0].strip(" *") == agent


#: rules that a reader keeps parsed: small files only, so that they are no more than some megabytes
SMALL = 20_000
_parsed = lru_cache(maxsize=64)(Rules)


def judged_all(body: bytes, agent: str, urls: Sequence[str]) -> list[Judgement]:
    """The task of a reader process: what the rules say about each of *urls*; *agent* is our product token."""
    is_small = len(body) < SMALL
    rules, others = (_parsed if is_small else Rules)(body, agent), ai_rules(body) if is_small else ()
    return [
        Judgement(
            rules.allows(url), rules.crawl_delay, tuple(name for name, theirs in others if not theirs.allows(url))
        )
        for url in urls
    ]


@lru_cache(maxsize=64)
def ai_rules(body: bytes) -> tuple[tuple[str, Rules], ...]:
    """The rules for each AI crawler that has a group of its own."""
    text = decoded_robots(body).lower()
    return tuple(
        (name, Rules(body, name)) for name in AI_CRAWLERS if re.search(rf"agent[\s:]+{re.escape(name)}\b", text)
    )


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
