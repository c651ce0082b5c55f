"""One request, from address to complete answer or named failure. The only door to aiohttp's client.

``Fetcher.get`` follows redirects itself, because every hop needs what the first one needs: a decent address, the site's
robots.txt, the host's pace, the guard at the socket. It also means that Scrapy sees one request and one end: nothing is
scheduled anew, so nothing can be dropped by a filter on the way.

What reaches a callback is a complete 200, or a 304 to a conditional request. Everything else is a ``FetchFailed`` or an
exception of guard, hosts or robots; ``failure_reason`` says what each means for the page.

Connections are not reused. Requests to one host are a second apart anyway, and a connection that serves one request
cannot carry one source's permissions, a half-read answer or a smuggled one over to another.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import LineTooLong
from scrapy.exceptions import NotSupported, UnsupportedURLSchemeError
from yarl import URL

from crawler.config.values import AllowedAddress
from crawler.downloader.decompress import Undecodable, Unfinished, decoded, encodings_of
from crawler.downloader.guard import AT_ONCE, Wire
from crawler.downloader.hosts import HostRests, Hosts, utc_now
from crawler.robots import LARGEST as LARGEST_ROBOTS
from crawler.robots import Disallowed, NoRobots, Robots, RobotsAnswer, Unavailable
from pipelines.items import Reason
from pipelines.turnstile import Turnstile
from pipelines.urls import BadUrl, host, normalise

#: headers that described the body before it was decompressed
_GONE_WITH_DECODING = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
#: bytes for certificates, which are counted where headers are
_HANDSHAKE = 32_000
#: so many bytes may come beside a body and half its length more: a body in chunks of five bytes costs seconds of CPU
_FRAMING = 500_000

REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: what each kind of request is called in ``request.meta["kind"]``
KINDS = ("page", "section", "feed", "sitemap", "robots")
_ACCEPT = {
    "page": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
    "section": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
    "feed": "application/rss+xml,application/atom+xml,application/xml;q=0.9,text/xml;q=0.9,*/*;q=0.1",
    "sitemap": "application/xml,text/xml,*/*;q=0.1",
    "robots": "text/plain,*/*;q=0.1",
}
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/xml", "text/xml"})
#: servers give these to HTML whose type they do not know; the first bytes decide
_UNSURE_TYPES = frozenset({"text/plain", "application/octet-stream", "application/unknown", "unknown/unknown"})
_NEVER_A_LIST = ("image/", "audio/", "video/", "font/", "application/pdf", "application/zip", "application/javascript")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every request, in bytes, seconds and counts. ``page`` and ``document`` hold after decompression as well
    as on the wire. ``headers`` is everything that may come before a body: status line, headers, 1xx answers, TLS."""

    page: int = 10_000_000
    document: int = 50_000_000
    headers: int = 64_000
    redirects: int = 5
    connect: float = 10.0
    robots: float = 15.0
    encodings: int = 2
    #: more than all runs together ask for: what bounds them is their own number, so that none waits for another's dead
    #: hosts. This is only here for the day on which that is not so
    connections: int = 200
    connections_per_source: int = 32
    #: a body beyond ``large`` bytes takes one of so many places, and keeps it while its page waits to be read
    #: (``Room``). So all bombs together find little memory: four times 10 MB and two times 20 MB, twice for a moment
    large: int = 1_000_000
    large_pages: int = 4
    large_pages_per_source: int = 2
    large_documents: int = 2
    large_documents_per_source: int = 1


@dataclass(frozen=True, slots=True)
class Manners:
    """How one source's hosts are asked. ``timeout``: how long a request may be connected, all its hops together."""

    source: str
    allowed: tuple[AllowedAddress, ...] = ()
    delay: timedelta = timedelta(seconds=1)
    concurrency: int = 2
    timeout: timedelta = timedelta(seconds=30)


class Room(AsyncExitStack):
    """Where a large body lies until whoever asked for it is done with it: one place, for all pages of an article.

    Without one, the place is given back when the body has come.
    """

    def __init__(self) -> None:
        super().__init__()
        self._has_place = False

    async def take(self, places: Turnstile, source: str) -> None:
        if not self._has_place:
            self._has_place = True
            await self.enter_async_context(places.place(source))


@dataclass(frozen=True, slots=True)
class Hop:
    """One answer that named another address."""

    url: str
    status: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. ``body`` is decompressed; ``headers`` are as sent, less those that described the compression.

    ``unencrypted`` is set when a redirect led from https to http.
    """

    url: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    fetched_at: datetime
    hops: tuple[Hop, ...] = ()
    unencrypted: bool = False


class FetchFailed(Exception):
    """No complete answer. *detail* is for a person: our own words, nothing that a server could have forged.

    *transient*: asking again later may help. *not_before*: the time the host named for that. *hops*: redirects before.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        transient: bool,
        status: int | None = None,
        not_before: datetime | None = None,
        hops: int = 0,
    ):
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.transient = transient
        self.status = status
        self.not_before = not_before
        self.hops = hops
        self.unconnected = False  # it is the host that cannot be reached, not the page
        self.retry_after: str | None = None  # the header, until it is understood


class Stopped(Exception):
    """The process is going down; the request was given up. The page stays as it was."""


class Failure(NamedTuple):
    """What a failed request means for its page.

    ``transient``: postpone, no sooner than ``not_before`` if that is set; else reject. ``attempted`` is False when
    nothing was asked of the server, so that waiting for a host does not use up a page's attempts.
    """

    reason: Reason
    detail: str
    not_before: datetime | None
    transient: bool
    attempted: bool = True
    status: int | None = None


def failure_reason(failure: Any) -> Failure:
    """What happened, from an exception or from the Failure that Scrapy hands to an errback."""
    error = getattr(failure, "value", failure)
    match error:
        case FetchFailed():
            return Failure(error.reason, error.detail, error.not_before, error.transient, True, error.status)
        case BadUrl():
            return Failure(Reason.BAD_URL, str(error), None, False, False)
        case NotSupported() | UnsupportedURLSchemeError():
            return Failure(Reason.BAD_URL, "only http and https are asked for", None, False, False)
        case Disallowed():
            return Failure(Reason.ROBOTS, str(error), None, False, False)
        case NoRobots():
            # a page may wait for a site's rules for as long as it takes; a host that is away is away
            return Failure(error.reason, str(error), error.not_before, True, error.reason is not Reason.ROBOTS)
        case HostRests():
            reason = Reason.CONNECTION if error.dead else Reason.HTTP_ERROR
            return Failure(reason, str(error), error.not_before, True, False)
        case Stopped() | asyncio.CancelledError():
            return Failure(Reason.CONNECTION, "the crawl was stopped", None, True, False)
        case TimeoutError():
            return Failure(Reason.TIMEOUT, "it took too long", None, True)
        case _:
            return Failure(Reason.CONNECTION, f"unexpected: {type(error).__name__}", None, True)


# --- names ------------------------------------------------------------------------------------------------------------


class Names(AbstractResolver):
    """DNS in threads of its own: a dozen names whose servers do not answer must not hold up the others.

    asyncio's own pool has six threads on two cores, shares them with everything else, and is waited for when the
    process ends. Here whoever asks for a name that is already being asked for waits for the same answer, which is kept
    for a minute; what is connected to is checked afterwards, each time.
    """

    def __init__(self, threads: int = 64, keep: float = 60.0):
        self._threads = asyncio.Semaphore(threads)
        self._keep = keep
        self._asked: OrderedDict[tuple[str, int], tuple[float, asyncio.Future[list[Any]]]] = OrderedDict()

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[ResolveResult]:
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=numeric)
            for kind, _, protocol, _, address in await self._found(host, family)
        ]

    async def _found(self, host: str, family: int) -> list[Any]:
        now = asyncio.get_running_loop().time()
        asked_at, answer = self._asked.get((host, family), (0.0, None))
        if answer is None or (answer.done() and (answer.exception() or asked_at + self._keep < now)):
            answer = asyncio.ensure_future(self._look_up(host, family))
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._asked[host, family] = (now, answer)
            while len(self._asked) > 5000:
                self._asked.popitem(last=False)
        return await asyncio.shield(answer)

    async def _look_up(self, host: str, family: int) -> list[Any]:
        async with self._threads:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[list[Any]] = loop.create_future()
            # daemon: a name server that does not answer must not keep the process from ending
            threading.Thread(target=_ask_system, args=(loop, answer, host, family), name="dns", daemon=True).start()
            return await answer

    async def close(self) -> None:
        for _, answer in self._asked.values():
            answer.cancel()


def _ask_system(loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[Any]], host: str, family: int) -> None:
    def tell(found: list[Any] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    found, error = None, None
    try:
        # ADDRCONFIG: no IPv6 addresses where there is no IPv6
        found = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, UnicodeError) as raised:
        error = raised
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
        loop.call_soon_threadsafe(tell, found, error)


def trusted() -> ssl.SSLContext:
    """Certificates are verified against what the system trusts (and ``SSL_CERT_FILE``) and against certifi's list."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


# --- what an answer is ------------------------------------------------------------------------------------------------


def refusal(status: int, kind: str, conditional: bool) -> FetchFailed | None:
    """Why an answer with this status is no page, or None: 200, and 304 where we asked on a condition."""
    if status == 200 or (status == 304 and conditional) or (kind == "robots" and status < 500 and status != 429):
        return None
    named = f"{status} {_phrase(status)}".strip()
    if status in (404, 410):
        return FetchFailed(Reason.GONE, f"the server answered {named}", transient=False, status=status)
    # 403 comes from firewalls in a bad mood as often as from a closed door, so it is asked again like a server error
    again = status >= 500 or status in (304, 403, 408, 421, 423, 425, 429)
    return FetchFailed(Reason.HTTP_ERROR, f"the server answered {named}", transient=again, status=status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _as_read(headers: tuple[tuple[bytes, bytes], ...], kind: str) -> Iterator[tuple[bytes, bytes]]:
    """The headers as they fit the body that goes on: decompressed, and called HTML where its first bytes said so."""
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-type" and kind in ("page", "section"):
            media, semicolon, rest = value.partition(b";")
            if media_type(media.decode("latin-1")) in _UNSURE_TYPES:
                value = b"text/html" + semicolon + rest
        if lower not in _GONE_WITH_DECODING:
            yield name, value


def is_unfit(media: str, kind: str) -> bool:
    """Whether this media type shows, before the body comes, that this cannot be what we look for."""
    if kind in ("page", "section"):
        return bool(media) and media not in _HTML_TYPES and media not in _UNSURE_TYPES
    return kind in ("feed", "sitemap") and media.startswith(_NEVER_A_LIST)


def looks_like_html(start: bytes) -> bool:
    """Whether the first bytes of a body of unsure type are those of an HTML page."""
    start = start[:2048].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<!--", b"<head", b"<body")) or b"<html" in start


# --- the fetcher ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Request:
    """One request on its way: what stays the same over its hops, and what is left of its bounds."""

    kind: str
    manners: Manners
    headers: dict[str, str]
    limit: int
    seconds: float
    wire: Wire
    session: aiohttp.ClientSession
    room: Room | None = None
    timer: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    hops: list[Hop] = field(default_factory=list)
    in_body: bool = False

    def failed(self, reason: Reason, detail: str, transient: bool = False, status: int | None = None) -> FetchFailed:
        return FetchFailed(reason, detail, transient=transient, status=status, hops=len(self.hops))

    async def unhurried(self, wait: Awaitable[None]) -> None:
        """Await what is no fault of the server: the deadline moves by as much."""
        clock = asyncio.get_running_loop().time
        started, due = clock(), self.timer.when()
        self.timer.reschedule(None)
        await wait
        waited = clock() - started
        self.timer.reschedule(due + waited)
        self.seconds += waited

    @property
    def conditional(self) -> bool:
        return "If-None-Match" in self.headers or "If-Modified-Since" in self.headers


class Fetcher:
    """One object a process, shared by all runs; ``close`` it at the end.

    *user_agent* is the whole header. *context* replaces the trust in certificates, for tests with an authority of their
    own. *names* replaces DNS.
    """

    def __init__(
        self,
        hosts: Hosts,
        robots: Robots,
        user_agent: str,
        limits: Limits | None = None,
        languages: str = "de,en;q=0.7,*;q=0.5",
        context: ssl.SSLContext | None = None,
        names: AbstractResolver | None = None,
    ):
        self.hosts = hosts
        self.robots = robots
        self.limits = limits or Limits()
        self._user_agent = user_agent
        self._languages = languages
        self._context = context or trusted()
        self._names = names or Names()
        self._connections = Turnstile(self.limits.connections, self.limits.connections_per_source)
        self._large_pages = Turnstile(self.limits.large_pages, self.limits.large_pages_per_source)
        self._large_documents = Turnstile(self.limits.large_documents, self.limits.large_documents_per_source)
        self._at_work: set[asyncio.Task[Answer]] = set()
        self._connected: set[asyncio.Task[Any] | None] = set()
        self._stopping = False

    async def get(
        self,
        url: str,
        manners: Manners,
        kind: str = "page",
        etag: str | None = None,
        modified: str | None = None,
        room: Room | None = None,
    ) -> Answer:
        """The complete answer to a GET of *url*, redirects followed; *etag* and *modified* make it conditional.

        *room* is where a large body lies until the caller leaves it.
        Raises FetchFailed, BadUrl, Disallowed, NoRobots, HostRests, Stopped: ``failure_reason`` knows them all.
        """
        if self._stopping:
            raise Stopped
        task = asyncio.ensure_future(self._get(url, manners, kind, etag, modified, room))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        try:
            return await task
        except asyncio.CancelledError:
            if task.cancelled() and self._stopping:
                raise Stopped from None
            task.cancel()
            raise

    async def post(self, url: str, body: bytes, manners: Manners) -> int:
        """Send JSON to an address that the operator named; the status of the answer, of which no more is read.

        The guard at the socket is that of every request; robots.txt and pace are not asked, for nothing is fetched, and
        no redirect is followed. Raises FetchFailed, BadUrl, Stopped.
        """
        if self._stopping:
            raise Stopped
        asked = URL(normalise(url, keep_tracking=True), encoded=True)
        headers = {"User-Agent": self._user_agent, "Content-Type": "application/json; charset=utf-8"}
        seconds, wire = manners.timeout.total_seconds(), Wire(manners.allowed)
        async with self._session(wire) as session:
            request = _Request("page", manners, headers, self.limits.headers, seconds, wire, session)
            wire.start(self.limits.headers + _HANDSHAKE + 2 * AT_ONCE)
            try:
                async with (
                    asyncio.timeout(seconds),
                    session.post(asked, data=body, headers=headers, allow_redirects=False) as response,
                ):
                    return response.status
            except (aiohttp.ClientError, OSError, ValueError) as raised:
                raise self._named(raised.error if isinstance(raised, _NotAgain) else raised, request, 0) from None

    async def stop(self, within: float = 0.0) -> None:
        """Give up every request: those that wait for a turn at once, those that are connected after *within* seconds.

        Each ends with Stopped. No new ones are taken.
        """
        self._stopping = True
        for task in self._at_work - self._connected:
            task.cancel()
        if connected := self._at_work & self._connected:
            await asyncio.wait(connected, timeout=within)
        for task in self._at_work:
            task.cancel()

    async def close(self) -> None:
        await self.stop()
        if self._at_work:
            await asyncio.wait(self._at_work)
        await self._names.close()

    async def _get(
        self, url: str, manners: Manners, kind: str, etag: str | None, modified: str | None, room: Room | None
    ) -> Answer:
        url = normalise(url, keep_tracking=True)
        headers = self._headers(kind)
        headers |= {"If-None-Match": etag} if etag and _is_header(etag) else {}
        headers |= {"If-Modified-Since": modified} if modified and _is_header(modified) else {}
        limit = {"robots": LARGEST_ROBOTS}.get(kind) or (self.limits.page if kind == "page" else self.limits.document)
        seconds = self.limits.robots if kind == "robots" else manners.timeout.total_seconds()
        wire = Wire(manners.allowed)
        async with self._session(wire) as session:
            request = _Request(kind, manners, headers, limit, seconds, wire, session, room)
            seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
            while True:
                # the same address with other cookies is a new question: sites that set one and send us back exist
                question = (url, frozenset((cookie.key, cookie.value) for cookie in session.cookie_jar))
                if question in seen:
                    raise request.failed(Reason.REDIRECT_LOOP, "redirects lead back to where they came from")
                seen.add(question)
                step = await self._hop(url, request)
                if isinstance(step, Answer):
                    return step
                url = step

    async def _hop(self, url: str, request: _Request) -> Answer | str:
        """One hop at its host's pace: the answer, or the address it names instead."""
        manners, place = request.manners, host(url)
        if request.kind == "robots":
            # asked for before the first page, and on its behalf: it waits for no turn, but a host at rest stays so
            await self.hosts.check(place)
            return await self._exchange(url, request)
        await self.hosts.check(place)
        crawl_delay = await self.robots.check(url, lambda address: self._robots(address, manners), manners.allowed)
        delay = max(manners.delay.total_seconds(), crawl_delay)
        async with self.hosts.turn(place, manners.source, delay, manners.concurrency):
            return await self._exchange(url, request)

    async def _robots(self, url: str, manners: Manners) -> RobotsAnswer:
        """What ``Robots`` asks for: an answer that counts, or Unavailable."""
        try:
            answer = await self.get(url, manners, "robots")
        except FetchFailed as error:
            if error.reason is Reason.BLOCKED_ADDRESS and not error.hops:
                raise  # the page lies at the same address, and ends for the same reason
            if error.reason is Reason.REDIRECT_LOOP:
                return RobotsAnswer(404, b"")  # as the RFC says of a file that redirects lead nowhere near
            reason = error.reason if error.unconnected and not error.hops else Reason.ROBOTS
            raise Unavailable(error.detail, error.not_before, reason) from error
        except HostRests as error:
            raise Unavailable(str(error), error.not_before) from error
        except BadUrl as error:
            raise Unavailable(f"it redirects, but {error}") from error
        return RobotsAnswer(answer.status, answer.body)

    async def _exchange(self, url: str, request: _Request) -> Answer | str:
        """Connect, ask, and read. Every exception of the library becomes a FetchFailed here."""
        source, task, clock = request.manners.source, asyncio.current_task(), asyncio.get_running_loop().time
        async with self._connections.place(source):
            started, opened = clock(), request.wire.opened
            # what came with the last read of the headers may already be body: two reads of slack
            request.wire.start(self.limits.headers + _HANDSHAKE + 2 * AT_ONCE)
            request.in_body = False
            self._connected.add(task)
            try:
                async with asyncio.timeout(request.seconds) as request.timer:
                    return await self._ask(url, request)
            except FetchFailed as error:
                failed = error.with_traceback(None)  # its frames hold the body
            except (aiohttp.ClientError, OSError, ValueError, Undecodable, Unfinished) as raised:
                error = raised.error if isinstance(raised, _NotAgain) else raised
                failed = self._named(error, request, opened)
                unconnected = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
                failed.unconnected = unconnected and failed.reason is not Reason.BLOCKED_ADDRESS
                if failed.unconnected:
                    failed.not_before = self.hosts.failed(host(url))
                del error
            finally:
                self._connected.discard(task)
                request.seconds -= clock() - started
        if failed.status in (429, 503):
            failed.not_before = await self.hosts.asked_to_wait(host(url), failed.status, failed.retry_after)
        failed.__context__ = None
        try:
            raise failed
        finally:
            del failed  # an exception in a frame of its own traceback waits for the garbage collector

    async def _ask(self, url: str, request: _Request) -> Answer | str:
        asked = URL(url, encoded=True)
        async with request.session.get(asked, headers=request.headers, allow_redirects=False) as response:
            self.hosts.answered(host(url))
            if sum(len(name) + len(value) + 4 for name, value in response.raw_headers) > self.limits.headers:
                raise request.failed(Reason.TOO_LARGE, f"more than {self.limits.headers:,} bytes of headers")
            if response.status in REDIRECTS:
                return self._next_address(url, response, request)
            failed = refusal(response.status, request.kind, request.conditional)
            if failed is not None:
                failed.hops = len(request.hops)
                failed.retry_after = response.headers.get("Retry-After")
                raise failed
            body = await self._body(response, request) if response.status == 200 else b""
            return self._answer(url, response, request, body)

    def _next_address(self, url: str, response: aiohttp.ClientResponse, request: _Request) -> str:
        """Where a redirect leads, or FetchFailed."""
        status = response.status
        # bytes beyond ASCII mean themselves, in whatever charset the server thinks
        raw = response.headers.get("Location", "").encode("utf-8", "surrogateescape").strip()
        location = "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in raw)
        if not location:
            raise request.failed(Reason.HTTP_ERROR, f"a redirect ({status}) that names no address", status=status)
        request.hops.append(Hop(url, status))
        if len(request.hops) > self.limits.redirects:
            raise request.failed(Reason.REDIRECT_LOOP, f"more than {self.limits.redirects} redirects", status=status)
        try:
            return normalise(location, url, keep_tracking=True)
        except BadUrl as error:
            raise request.failed(Reason.BAD_URL, f"a redirect leads nowhere: {error}", status=status) from None

    async def _body(self, response: aiohttp.ClientResponse, request: _Request) -> bytes:
        kind, limit = request.kind, request.limit
        media = media_type(response.headers.get("Content-Type", ""))
        if is_unfit(media, kind):
            raise request.failed(Reason.NOT_HTML, f"the content type is {_plain(media)}", status=200)
        if kind != "robots" and (response.content_length or 0) > limit:
            raise request.failed(Reason.TOO_LARGE, f"{response.content_length:,} bytes announced", status=200)
        names = encodings_of(",".join(response.headers.getall("Content-Encoding", [])))
        if len(names) > self.limits.encodings:
            raise request.failed(Reason.UNDECODABLE, f"compressed {len(names)} times over", status=200)
        request.in_body = True
        # chunks bring framing with them, but not without end
        most = request.wire.limit = limit + limit // 8 + self.limits.headers + 2 * AT_ONCE
        async with Room() as until_it_has_come:
            room = request.room or until_it_has_come
            places = self._large_pages if kind == "page" else self._large_documents
            sink = _Sink(limit, self.limits.large, lambda: request.unhurried(room.take(places, request.manners.source)))
            until_it_has_come.callback(sink.empty)
            async for piece in response.content.iter_any():
                if not await sink.take(piece):
                    break
                if most - request.wire.limit > 1.5 * len(sink.kept) + _FRAMING:
                    raise request.failed(Reason.TOO_LARGE, "more framing than body", status=200)
            if request.wire.broken:
                raise aiohttp.ClientPayloadError("the connection broke")
            await _undo(names, sink)
            if kind in ("feed", "sitemap") and sink.kept[:2] == b"\x1f\x8b":
                await _undo(["gzip"], sink)  # sitemap.xml.gz: the file itself is compressed
            if sink.full and kind != "robots":  # of a robots.txt, the beginning counts
                raise request.failed(Reason.TOO_LARGE, f"more than {limit:,} bytes", status=200)
            body = bytes(sink.kept)
        if kind in ("page", "section") and media in _UNSURE_TYPES and not looks_like_html(body):
            raise request.failed(Reason.NOT_HTML, f"the content type is {_plain(media)}", status=200)
        return body

    def _answer(self, url: str, response: aiohttp.ClientResponse, request: _Request, body: bytes) -> Answer:
        first = request.hops[0].url if request.hops else url
        return Answer(
            url=url,
            status=response.status,
            headers=tuple(_as_read(response.raw_headers, request.kind)),
            body=body,
            fetched_at=utc_now(),
            hops=tuple(request.hops),
            unencrypted=first.startswith("https:") and url.startswith("http:"),
        )

    def _named(self, error: Exception, request: _Request, opened: int) -> FetchFailed:
        """Our own words for what the library, the socket or the body said."""
        wire = request.wire
        if wire.over:
            what = f"more than {request.limit:,} bytes" if request.in_body else "headers or other talk without end"
            return request.failed(Reason.TOO_LARGE, what)
        if wire.blocked and wire.opened == opened:
            return request.failed(Reason.BLOCKED_ADDRESS, f"{wire.blocked[-1]} is not a public address")
        match error:
            case TimeoutError():
                stage = "a connection" if isinstance(error, aiohttp.ConnectionTimeoutError) else "the whole answer"
                return request.failed(Reason.TIMEOUT, f"no time left to wait for {stage}", True)
            case Undecodable():
                return request.failed(Reason.UNDECODABLE, "the body is not compressed as its header says", status=200)
            case Unfinished() | aiohttp.ClientPayloadError():
                return request.failed(Reason.TRUNCATED, "the answer ended before its end", True, status=200)
            case aiohttp.ClientConnectorDNSError():
                return request.failed(Reason.DNS, "the host's name was not found", True)
            case aiohttp.ClientSSLError():
                return request.failed(Reason.TLS, _tls_detail(error), True)
            case aiohttp.ClientResponseError():
                return request.failed(*_malformed(error))
            case aiohttp.InvalidURL() | UnicodeError():
                return request.failed(Reason.BAD_URL, "the address cannot be asked for")
            case aiohttp.ClientConnectorError():
                return request.failed(Reason.CONNECTION, f"no connection: {_plain(error.strerror or 'refused')}", True)
            case aiohttp.ServerDisconnectedError() | OSError():
                return request.failed(Reason.CONNECTION, "the server hung up before it answered", True)
        return request.failed(Reason.CONNECTION, f"unexpected: {type(error).__name__}", True)

    def _headers(self, kind: str) -> dict[str, str]:
        return {
            "User-Agent": self._user_agent,
            "Accept": _ACCEPT[kind],
            "Accept-Language": self._languages,
            "Accept-Encoding": "gzip, deflate, br, zstd",
        }

    @asynccontextmanager
    async def _session(self, wire: Wire) -> AsyncIterator[aiohttp.ClientSession]:
        """A session for one request: its own connections, its own cookies, nothing from the environment."""
        connector = aiohttp.TCPConnector(
            resolver=self._names,
            socket_factory=wire.open,
            ssl=self._context,
            force_close=True,
            use_dns_cache=False,
            limit=0,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # unsafe: also for hosts that are numbers
            auto_decompress=False,
            middlewares=(_once,),
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=self.limits.connect),
            max_line_size=8190,
            max_field_size=self.limits.headers,
            max_headers=256,
        ) as session:
            yield session


class _NotAgain(aiohttp.ClientError):
    """Carries an error past the library's own second attempt."""

    def __init__(self, error: Exception):
        super().__init__()
        self.error = error


async def _once(request: aiohttp.ClientRequest, ask: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The library asks again, at once, when a connection ends early. When that is done is for the store to say."""
    try:
        return await ask(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _NotAgain(error) from None


class _Sink:
    """Gathers a body up to *limit*; once it is large, it waits for one of the few places for such bodies."""

    def __init__(self, limit: int, large: int, enter: Callable[[], Awaitable[None]]):
        self.kept = bytearray()
        self.full = False
        self._limit = limit
        self._large = large
        self._enter = enter
        self._inside = False

    def empty(self) -> None:
        self.kept = bytearray()
        self.full = False

    async def take(self, piece: bytes) -> bool:
        """Add *piece*; False when no more is wanted."""
        room = self._limit - len(self.kept)
        self.full = self.full or len(piece) > room
        self.kept += piece[:room]
        if not self._inside and len(self.kept) > self._large:
            self._inside = True
            await self._enter()
        return not self.full


async def _undo(names: list[str], sink: _Sink) -> None:
    """Decompress what is in *sink*. Raises Undecodable or Unfinished."""
    if not names or not sink.kept:
        return
    packed, cut = bytes(sink.kept), sink.full
    sink.empty()
    try:
        for piece in decoded(packed, names):
            if not await sink.take(piece):
                break
            await asyncio.sleep(0)  # a bomb takes a while up to its limit; others have their turn in between
    except (Undecodable, Unfinished) as error:
        if looks_like_html(packed):  # the header promises compression, the body has none
            sink.kept = bytearray(packed)
        elif not (cut and isinstance(error, Unfinished)):
            raise
    sink.full = sink.full or cut


def _malformed(error: aiohttp.ClientResponseError) -> tuple[Reason, str, bool]:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, LineTooLong):
        cause = cause.__cause__
    if cause is not None or "Too many headers" in error.message:
        return Reason.TOO_LARGE, "too many or too long headers", False
    return Reason.HTTP_ERROR, "the answer is not HTTP", True


def _tls_detail(error: aiohttp.ClientSSLError) -> str:
    why = getattr(error, "certificate_error", None) or error.__cause__
    said = getattr(why, "verify_message", None) or getattr(why, "reason", None) or type(why).__name__
    return f"no safe connection: {_plain(str(said))}"


def _plain(text: str) -> str:
    """A server's word in one of our sentences: short, one line, nothing that moves a cursor."""
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in text[:80])


def _is_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and len(value) < 1000
