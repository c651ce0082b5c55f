"""One hop of HTTP: connect under the guard, ask, read within bounds. The only door to aiohttp's client.

Connections are not reused. Requests to one host are a second apart anyway, and a connection that serves one request
cannot carry one source's permissions, a half-read response or a smuggled one over to another.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver
from aiohttp.http_exceptions import LineTooLong
from yarl import URL

from crawler.clock import utc_now
from crawler.downloader.body import (
    UNSURE_TYPES,
    BodyBuffer,
    BodySlot,
    decompress,
    headers_as_read,
    is_unfit,
    looks_like_html,
    media_type,
)
from crawler.downloader.errors import FetchError, TurnLost, one_line
from crawler.downloader.guard import AT_ONCE, BODY_AT_ONCE, BlockedAddress, ConnectionGuard, may_connect
from crawler.downloader.policy import FetchPolicy, Kind
from crawler.downloader.resolver import Resolver
from pipelines.decompress import Undecodable, Unfinished, encodings_of
from pipelines.fair_semaphore import FairSemaphore
from pipelines.items import Reason
from pipelines.urls import normalise

if TYPE_CHECKING:
    from aiohttp.connector import Connection

#: bytes for certificates, which are counted where headers are
_HANDSHAKE = 32_000
#: so many bytes may come beside a body and half its length more: a body in chunks of five bytes costs seconds of CPU
_FRAMING = 500_000
#: for bodies that go into files
_WITHOUT_END = 1 << 62
#: how many times over a body may be compressed
_ENCODINGS = 2
#: far more than are open at a time, so that nobody waits for another's dead hosts: those are left alone after a few
#: requests (``Hosts``). ``crawler.in_flight`` says what the system allows
CONNECTIONS, CONNECTIONS_PER_SOURCE = 200, 32

Headers = tuple[tuple[bytes, bytes], ...]
#: takes pieces of a body, told the response's status and headers; what it raises is no OSError, that is the server's
Sink = Callable[[int, Mapping[str, str], bytes], None]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One hop. *seconds*: how long it may be connected. *hops*: redirects before it.

    *wants_body* is told a status; where it says no, the body is left unread and empty. *sent* is called when the
    request has gone out, and again when the answer begins. *may_send* is asked when the connection is there: a request
    that may not be sent any more raises TurnLost. With *sink* the body is no value: its pieces are given to it as they
    come, compressed as they are, and *seconds* count from one piece to the next.
    """

    url: str
    policy: FetchPolicy
    kind: Kind = "other"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 30.0
    hops: int = 0
    wants_body: Callable[[int], bool] = lambda status: status == 200
    proxy: str | None = None
    proxy_headers: tuple[tuple[str, str], ...] = ()
    sent: Callable[[], None] = lambda: None
    may_send: Callable[[], bool] = lambda: True
    sink: Sink | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete response. ``body`` is decompressed; ``headers`` are as sent, less those about the compression.

    ``seconds`` is how long the request was connected.
    """

    status: int
    headers: Headers
    body: bytes
    fetched_at: datetime
    seconds: float

    def header(self, name: bytes) -> str:
        """The first header of this name, in lower case; "" where there is none."""
        return next((value for one, value in self.headers if one.lower() == name), b"").decode("latin-1")


@dataclass(slots=True)
class _Exchange:
    """What changes while one hop is made."""

    request: HttpRequest
    guard: ConnectionGuard
    slot: BodySlot
    timer: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    waited: float = 0.0
    in_body: bool = False

    def failed(self, reason: Reason, detail: str, transient: bool = False, status: int | None = None) -> FetchError:
        return FetchError(reason, detail, transient=transient, status=status, hops=self.request.hops)

    async def beyond_deadline(self, wait: Awaitable[None]) -> None:
        """Await what is no fault of the server: the deadline moves by as much."""
        clock = asyncio.get_running_loop().time
        started, due = clock(), self.timer.when()
        self.timer.reschedule(None)
        await wait
        waited = clock() - started
        self.timer.reschedule(None if due is None else due + waited)
        self.waited += waited


#: the request at hand: the connector is shared, and its sockets ask for the guard that is meant
_hop: ContextVar[_Exchange] = ContextVar("hop")


@dataclass(frozen=True, slots=True)
class LargeBodies:
    """A body beyond ``size`` bytes takes one of so many slots, and keeps it while its page waits to be read. So all
    bombs together find little memory: four times 10 MB and two times 20 MB, twice for a moment."""

    size: int = 1_000_000
    pages: int = 4
    pages_per_source: int = 2
    documents: int = 2
    documents_per_source: int = 1


class HttpClient:
    """One object a process, shared by all crawls; ``close`` it at the end.

    *context* replaces the trust in certificates, for tests with an authority of their own. *resolver* replaces DNS.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
        large: LargeBodies | None = None,
        connections: int = CONNECTIONS,
    ):
        large = large or LargeBodies()
        self._large = large.size
        self._own_context = context
        self._resolver = resolver or Resolver()
        self._connections = FairSemaphore(connections, CONNECTIONS_PER_SOURCE)
        self._large_pages = FairSemaphore(large.pages, large.pages_per_source)
        self._large_documents = FairSemaphore(large.documents, large.documents_per_source)
        self._sessions: dict[int, aiohttp.ClientSession] = {}

    async def exchange(self, request: HttpRequest, slot: BodySlot | None = None) -> HttpResponse:
        """Make one request; a redirect is a response like any other. Raises FetchError, and TurnLost.

        *slot* is where a large body lies until the caller releases it; without one, until it has come.
        """
        guard = ConnectionGuard(request.policy.allowed)
        hop = _Exchange(request, guard, slot or BodySlot())
        clock = asyncio.get_running_loop().time
        async with self._connections.acquire(request.policy.source):
            started = clock()
            # what came with the last read of the headers may already be body: two reads of slack
            guard.start(request.policy.headers + _HANDSHAKE + 2 * AT_ONCE)
            token = _hop.set(hop)
            try:
                async with asyncio.timeout(request.seconds) as hop.timer:
                    if request.proxy:
                        await self._check_target(hop)
                    status, headers, body = await self._ask(hop)
            except FetchError as error:
                failed = error.with_traceback(None)  # its frames hold the body
            except (aiohttp.ClientError, OSError, ValueError, Undecodable, Unfinished) as raised:
                failed = named(raised.error if isinstance(raised, _NotAgain) else raised, hop)
            else:
                return HttpResponse(status, headers, body, utc_now(), clock() - started - hop.waited)
            finally:
                _hop.reset(token)
                if slot is None:
                    hop.slot.release()
        failed.__context__ = None
        try:
            raise failed
        finally:
            del failed  # an exception in a frame of its own traceback waits for the garbage collector

    async def post(self, url: str, body: bytes, headers: dict[str, str], policy: FetchPolicy) -> HttpResponse:
        """Send JSON to an address that the operator named; the response, of whose body nothing is read.

        The guard at the socket is that of every request; robots.txt and pace are not asked, for nothing is fetched, and
        no redirect is followed. Raises FetchError, BadUrl.
        """
        request = HttpRequest(
            url=normalise(url, keep_tracking=True),
            policy=policy,
            method="POST",
            headers=(*headers.items(), ("Content-Type", "application/json; charset=utf-8")),
            body=body,
            seconds=policy.timeout,
            wants_body=lambda status: False,
        )
        return await self.exchange(request)

    async def ask(self, url: str, headers: dict[str, str], policy: FetchPolicy) -> int:
        """GET an address that the operator named; the status, of the answer no more is read. As ``post`` otherwise."""
        request = HttpRequest(
            url=normalise(url, keep_tracking=True),
            policy=policy,
            headers=tuple(headers.items()),
            seconds=policy.timeout,
            wants_body=lambda status: False,
        )
        return (await self.exchange(request)).status

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        await self._resolver.close()

    async def _check_target(self, hop: _Exchange) -> None:
        """A proxy would connect for us, so the address behind it is held to the guard's rule as far as it is known
        here. Raises FetchError."""
        request = hop.request
        url = URL(request.url, encoded=True)
        name, port = url.host or "", url.port or 443
        try:
            addresses = [str(ipaddress.ip_address(name))]
        except ValueError:
            try:
                addresses = [one["host"] for one in await self._resolver.resolve(name, port)]
            except OSError:
                return  # only the proxy knows this name
        for address in addresses:
            if not may_connect(address, port, request.policy.allowed):
                raise hop.failed(Reason.BLOCKED_ADDRESS, f"{address} is not a public address")

    async def _ask(self, hop: _Exchange) -> tuple[int, Headers, bytes]:
        request = hop.request
        session = self._session(request.policy)
        async with session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=list(request.headers),
            data=request.body or None,
            allow_redirects=False,
            proxy=URL(request.proxy, encoded=True) if request.proxy else None,
            proxy_headers=dict(request.proxy_headers) or None,
            ssl=self._trust(request),
        ) as response:
            request.sent()
            bound = request.policy.headers
            if sum(len(name) + len(value) + 4 for name, value in response.raw_headers) > bound:
                raise hop.failed(Reason.TOO_LARGE, f"more than {bound:,} bytes of headers")
            wanted = request.wants_body(response.status) and request.method != "HEAD"
            if request.sink is not None and wanted:
                await _pour(response, hop, request.sink)
                wanted = False
            body = await self._body(response, hop) if wanted else b""
            return response.status, tuple(headers_as_read(response.raw_headers, request.kind)), body

    def _trust(self, request: HttpRequest) -> ssl.SSLContext | bool:
        """What certificates are verified against: loaded with the first request that meets any."""
        is_plain = all(url is None or url.startswith("http:") for url in (request.url, request.proxy))
        return True if is_plain else self._context

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._own_context or trusted()

    async def _body(self, response: aiohttp.ClientResponse, hop: _Exchange) -> bytes:
        kind, status, maxsize = hop.request.kind, response.status, hop.request.policy.maxsize(hop.request.kind)
        media = media_type(response.headers.get("Content-Type", ""))
        names = self._checked(response, hop, media, maxsize)
        hop.in_body = True
        # chunks bring framing with them, but not without end
        most = maxsize + maxsize // 8 + hop.request.policy.headers + 2 * BODY_AT_ONCE
        hop.guard.start_body(most)
        slots = self._large_pages if kind in ("page", "other") else self._large_documents
        source = hop.request.policy.source
        buffer = BodyBuffer(maxsize, self._large, lambda: hop.beyond_deadline(hop.slot.acquire(slots, source)))
        try:
            async for piece in response.content.iter_any():
                if not await buffer.add(piece):
                    break
                if most - hop.guard.limit > 1.5 * len(buffer) + _FRAMING:
                    raise hop.failed(Reason.TOO_LARGE, "more framing than body", status=status)
            if hop.guard.broken:
                raise aiohttp.ClientPayloadError("the connection broke")
            await decompress(names, buffer)
            if kind in ("feed", "sitemap") and buffer.body.startswith(b"\x1f\x8b"):
                await decompress(["gzip"], buffer)  # sitemap.xml.gz: the file itself is compressed
            if buffer.full and kind != "robots":  # of a robots.txt, the beginning counts
                raise hop.failed(Reason.TOO_LARGE, f"more than {maxsize:,} bytes", status=status)
            body = buffer.body
        finally:
            buffer.clear()
        if kind in ("page", "section") and media in UNSURE_TYPES and not looks_like_html(body):
            raise hop.failed(Reason.NOT_HTML, f"the content type is {one_line(media)}", status=status)
        return body

    def _checked(self, response: aiohttp.ClientResponse, hop: _Exchange, media: str, maxsize: int) -> list[str]:
        """The encodings of a body that may come at all, or FetchError."""
        kind, status = hop.request.kind, response.status
        if is_unfit(media, kind):
            raise hop.failed(Reason.NOT_HTML, f"the content type is {one_line(media)}", status=status)
        if kind != "robots" and (response.content_length or 0) > maxsize:
            raise hop.failed(Reason.TOO_LARGE, f"{response.content_length:,} bytes announced", status=status)
        names = encodings_of(",".join(response.headers.getall("Content-Encoding", [])))
        if len(names) > _ENCODINGS:
            raise hop.failed(Reason.UNDECODABLE, f"compressed {len(names)} times over", status=status)
        return names

    def _session(self, policy: FetchPolicy) -> aiohttp.ClientSession:
        """A session for all requests with the same bound of headers, with nothing from the environment."""
        session = self._sessions.get(policy.headers)
        if session is None or session.closed:
            session = self._sessions[policy.headers] = self._new_session(policy)
        return session

    def _new_session(self, policy: FetchPolicy) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            socket_factory=_open_socket,
            force_close=True,
            use_dns_cache=False,
            limit=0,
        )
        return aiohttp.ClientSession(
            connector=connector,
            request_class=_RequestInTurn,
            cookie_jar=aiohttp.DummyCookieJar(),  # cookies are a middleware's
            auto_decompress=False,
            middlewares=(_once,),
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=policy.connect),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=8190,
            max_field_size=policy.headers,
            max_headers=256,
        )


async def _pour(response: aiohttp.ClientResponse, hop: _Exchange, sink: Sink) -> None:
    """A body of any length, piece by piece; only a server that says nothing for long is given up."""
    clock = asyncio.get_running_loop().time
    hop.in_body, hop.guard.limit = True, _WITHOUT_END
    sink(response.status, response.headers, b"")
    async for piece in response.content.iter_any():
        sink(response.status, response.headers, piece)
        hop.timer.reschedule(clock() + hop.request.seconds)
    if hop.guard.broken:
        raise aiohttp.ClientPayloadError("the connection broke")


def _open_socket(address: tuple[Any, ...]) -> Any:
    """The connector's ``socket_factory``: a socket under the guard of the request at hand, or none at all."""
    hop = _hop.get(None)
    if hop is None:
        raise BlockedAddress("a connection that belongs to no request")
    return hop.guard.open(address)


class _RequestInTurn(aiohttp.ClientRequest):
    """Connecting takes time, and a process that was frozen meanwhile has lost its turn. Who sends it is told so."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        request = _hop.get().request
        if not request.may_send():
            raise TurnLost
        response = await super().send(conn)
        request.sent()
        return response


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


def trusted() -> ssl.SSLContext:
    """Certificates are verified against what the system trusts (and ``SSL_CERT_FILE``) and against certifi's list."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def named(error: Exception, hop: _Exchange) -> FetchError:
    """Our own words for what the library, the socket or the body said."""
    guard, failed = hop.guard, hop.failed
    if guard.over:
        maxsize = hop.request.policy.maxsize(hop.request.kind)
        what = f"more than {maxsize:,} bytes" if hop.in_body else "headers or other talk without end"
        return failed(Reason.TOO_LARGE, what)
    if guard.blocked and not guard.opened:
        return failed(Reason.BLOCKED_ADDRESS, f"{guard.blocked[-1]} is not a public address")
    result = _of_library(error, failed)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        result.unconnected = True
    return result


def _of_library(error: Exception, failed: Callable[..., FetchError]) -> FetchError:
    match error:
        case TimeoutError():
            stage = "a connection" if isinstance(error, aiohttp.ConnectionTimeoutError) else "the whole answer"
            return failed(Reason.TIMEOUT, f"no time left to wait for {stage}", True)
        case Undecodable():
            is_unknown = "not known" in str(error)
            said = one_line(str(error)) if is_unknown else "the body is not compressed as its header says"
            return failed(Reason.UNDECODABLE, said, status=200)
        case Unfinished() | aiohttp.ClientPayloadError():
            return failed(Reason.TRUNCATED, "the answer ended before its end", True, status=200)
        case aiohttp.ClientConnectorDNSError():
            return failed(Reason.DNS, "the host's name was not found", True)
        case aiohttp.ClientSSLError():
            return failed(Reason.TLS, _tls_detail(error), True)
        case aiohttp.ClientHttpProxyError():
            return failed(Reason.CONNECTION, f"the proxy refused with {error.status}", True)
        case aiohttp.ClientResponseError():
            return failed(*_malformed(error))
        case aiohttp.InvalidURL() | UnicodeError():
            return failed(Reason.BAD_URL, "the address cannot be asked for")
        case aiohttp.ClientConnectorError():
            return failed(Reason.CONNECTION, f"no connection: {one_line(error.strerror or 'refused')}", True)
        case aiohttp.ServerDisconnectedError() | OSError():
            return failed(Reason.CONNECTION, "the server hung up before it answered", True)
    result = failed(Reason.CONNECTION, f"an unexpected {type(error).__name__}", True)
    result.unexpected = error
    return result


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
    return f"no safe connection: {one_line(str(said))}"
