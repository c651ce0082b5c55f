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
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from protego import Protego

from crawler.downloader.hosts import HostStore, utc_now
from pipelines.items import Reason, Rejected
from pipelines.store.models import HostState
from pipelines.urls import origin

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
    """What the rules say about one address; ``delay`` is their Crawl-delay in seconds, or None."""

    allowed: bool
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class Judgements:
    """One for each address that was asked about, in order."""

    each: tuple[Judgement, ...]


Get = Callable[[str], Awaitable[RobotsAnswer]]
#: (body of robots.txt, our product token, addresses, source) -> what the rules say about each of them
Judge = Callable[[bytes, str, Sequence[str], str], Awaitable[Judgements]]


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


def judged(body: bytes, agent: str, addresses: Sequence[str]) -> Judgements:
    """The task of a reader process: *agent* is our product token."""
    rules = (_parsed if len(body) < SMALL else Rules)(body, agent)
    return Judgements(tuple(Judgement(rules.allows(url), rules.crawl_delay) for url in addresses))


async def judged_here(body: bytes, agent: str, addresses: Sequence[str], whose: str) -> Judgements:
    """For a process that does nothing else meanwhile."""
    return judged(body, agent, addresses)


@dataclass(frozen=True, slots=True)
class _Known:
    body: bytes
    fetched_at: datetime

    @property
    def size(self) -> int:
        return len(self.body) + 1000


@dataclass(frozen=True, slots=True)
class _Failed:
    why: str
    retry_at: datetime
    reason: Reason


def _tell(asked: Sequence[tuple[str, asyncio.Future[Judgement]]], error: Exception) -> None:
    for _, answer in asked:
        if not answer.done():
            answer.set_exception(error)


#: addresses in one question
MOST_JUDGED = 64


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
        self._in_flight: dict[Hashable, asyncio.Future[_Known]] = {}
        # by rules and source: addresses that came while others of theirs were being judged
        self._waiting: dict[tuple[bytes, str], list[tuple[str, asyncio.Future[Judgement]]]] = {}
        self._judging: set[asyncio.Task[None]] = set()

    async def check(self, url: str, get: Get, trust: Hashable = None, whose: str = "") -> float:
        """Raise Disallowed or RobotsUnavailable, or return the Crawl-delay in seconds (0 where there is none).

        *get* fetches a robots.txt, following redirects; it raises Unavailable where RFC 9309 says *unreachable*. Any
        other exception it raises goes through, and is remembered by nobody. Requests for one site wait for the same
        fetch if they have the same *trust*: the addresses they may reach. *whose*: the source that asks.
        """
        site = origin(url)
        known = await self._current(site, get, trust)
        if not known.body:
            return 0.0
        try:
            judgement = await self._judged(known.body, url, whose)
        except Rejected as given_up:
            # rules that nobody can read in bounded time allow nothing; the site may put something else there
            raise RobotsUnavailable(
                site, f"no reader can judge it: {given_up}", self._now() + FAILED_AGAIN, Reason.ROBOTS
            ) from None
        if not judgement.allowed:
            raise Disallowed("robots.txt of the site forbids this page")
        return min(judgement.delay or 0.0, self._longest_delay)

    async def _judged(self, body: bytes, url: str, whose: str) -> Judgement:
        """What the rules say about *url*. Who comes while a reader is asked is asked about with the next question:
        otherwise each page would wait for a reader before it is even fetched."""
        answer: asyncio.Future[Judgement] = asyncio.get_running_loop().create_future()
        if (body, whose) in self._waiting:
            self._waiting[body, whose].append((url, answer))
        else:
            self._waiting[body, whose] = [(url, answer)]
            task = asyncio.create_task(self._judge_waiting(body, whose))
            self._judging.add(task)
            task.add_done_callback(self._judging.discard)
        return await answer

    async def _judge_waiting(self, body: bytes, whose: str) -> None:
        while asked := self._waiting[body, whose][:MOST_JUDGED]:
            del self._waiting[body, whose][: len(asked)]
            try:
                found = (await self._judge(body, self._agent, [url for url, _ in asked], whose)).each
            except Exception as error:  # noqa: BLE001  each of those who wait is told
                if len(asked) > 1 and isinstance(error, Rejected):
                    # one of them may be too much for a reader: each alone
                    for one in asked:
                        await self._judge_alone(body, whose, one)
                    continue
                _tell(asked, error)
            else:
                for (_, answer), judgement in zip(asked, found, strict=True):
                    if not answer.done():
                        answer.set_result(judgement)
        del self._waiting[body, whose]

    async def _judge_alone(self, body: bytes, whose: str, asked: tuple[str, asyncio.Future[Judgement]]) -> None:
        try:
            (found,) = (await self._judge(body, self._agent, [asked[0]], whose)).each
        except Exception as error:  # noqa: BLE001  who waits is told
            _tell([asked], error)
        else:
            if not asked[1].done():
                asked[1].set_result(found)

    async def _current(self, site: str, get: Get, trust: Hashable) -> _Known:
        known = self._known.get(site)
        if known is not None and abs(self._now() - known.fetched_at) < FRESH:
            return known
        failed = self._failed.get(site)
        if failed is not None and self._now() < failed.retry_at:
            return self._last_good(site, failed)
        fetch = self._in_flight.get((site, trust))
        if fetch is None:
            fetch = asyncio.ensure_future(self._fetch(site, get))
            self._in_flight[site, trust] = fetch
            fetch.add_done_callback(lambda done: self._landed((site, trust), done))
        # shielded: when the first of the waiting pages gives up, the others still want the answer
        return await asyncio.shield(fetch)

    def _landed(self, key: Hashable, done: asyncio.Future[_Known]) -> None:
        self._in_flight.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may be waiting any more

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
