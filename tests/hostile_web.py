"""A web that breaks, lies and attacks: one server, a case a path, each with the end it must come to.

``async with serve() as web`` gives ``web.url(path)``, ``web.seen`` (paths asked for, in order) and ``web.canary`` (how
often anybody connected to where nobody may). Bodies are written by hand, byte by byte: a proper server library would
refuse to be this rude.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import brotli
import zstandard

PAGE = "<!doctype html><html><head><title>Rathaus saniert</title></head><body><p>Grüße aus Köln.</p></body></html>"
BODY = PAGE.encode()
#: Answer ends a case: a page that reaches the callback with this very body.
WHOLE = "page"


@dataclass
class Visit:
    """One request, and the wire to answer on."""

    path: str
    headers: dict[str, str]
    writer: asyncio.StreamWriter
    web: Web

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = BODY, status: str = "200 OK", **headers: str) -> None:
        lines = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        await self.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode("utf-8", "surrogateescape") + body)

    async def redirect(self, location: str, status: str = "302 Found", **headers: str) -> None:
        await self.answer(b"", status, Location=location, **headers)

    async def hang(self) -> None:
        await asyncio.Event().wait()


Answerer = Callable[[Visit], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """What the path answers, and what must come of it: WHOLE or a reason; ``again``: it stays pending."""

    path: str
    answer: Answerer
    end: str
    again: bool = False
    kind: str = "page"
    body: bytes = BODY


CASES: list[Case] = []


def case(path: str, end: str = WHOLE, *, again: bool = False, kind: str = "page", body: bytes = BODY):
    def added(answer: Answerer) -> Answerer:
        CASES.append(Case("/" + path, answer, end, again, kind, body))
        return answer

    return added


def simple(
    path: str, end: str = WHOLE, again: bool = False, kind: str = "page", expected: bytes = BODY, **answer
) -> None:
    """A case that is one well-formed answer."""

    async def answered(visit: Visit) -> None:
        await visit.answer(**answer)

    case(path, end, again=again, kind=kind, body=expected)(answered)


def raw(
    path: str, data: bytes, end: str = WHOLE, again: bool = False, kind: str = "page", expected: bytes = BODY
) -> None:
    """A case that is these very bytes, and then the connection's end."""

    @case(path, end, again=again, kind=kind, body=expected)
    async def _(visit: Visit) -> None:
        await visit.send(data)


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


HTML = b"Content-Type: text/html\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)

# --- answers that are fine --------------------------------------------------------------------------------------------

simple("good")
simple("gzip", body=gzip.compress(BODY), Content_Encoding="gzip")
simple("x-gzip", body=gzip.compress(BODY), Content_Encoding="X-GZip")
simple("deflate", body=zlib.compress(BODY), Content_Encoding="deflate")
simple("deflate-raw", body=zlib.compress(BODY, wbits=-15), Content_Encoding="deflate")
simple("brotli", body=brotli.compress(BODY), Content_Encoding="br")
simple("zstd", body=zstandard.compress(BODY), Content_Encoding="zstd")
simple("twice", body=brotli.compress(gzip.compress(BODY)), Content_Encoding="gzip, br")
simple("gzip-members", body=gzip.compress(BODY[:40]) + gzip.compress(BODY[40:]), Content_Encoding="gzip")
simple("gzip-padding", body=gzip.compress(BODY) + b"\0" * 100, Content_Encoding="gzip")
simple("gzip-header-only", body=BODY, Content_Encoding="gzip")
simple("encoding-utf8", body=BODY, Content_Encoding="utf-8")
simple("no-type", Content_Type="")
simple("xhtml", Content_Type="application/xhtml+xml")
simple("plain-but-html", Content_Type="text/plain")
simple("wrong-charset", Content_Type="text/html; charset=klingonisch")
simple("broken-type", Content_Type='text/html; charset="utf-8; ;;=')
simple("empty", expected=b"", body=b"")
simple("binary", expected=b"\0\1\2" * 100, body=b"\0\1\2" * 100)
simple("sitemap.xml.gz", kind="sitemap", body=gzip.compress(BODY), Content_Type="application/gzip")
simple("feed-as-html", kind="feed")


@case("until-close")
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + BODY)


@case("chunked")
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for sign in BODY:
        await visit.send(b"1;x=y\r\n" + bytes([sign]) + b"\r\n")
    await visit.send(b"0\r\nTrailer: x\r\n\r\n")


@case("early-hints")
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3)
    await visit.answer()


@case("more-than-announced")
async def _(visit: Visit) -> None:
    await visit.answer()
    with contextlib.suppress(ConnectionError):
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" * 100)


raw("raw/no-reason", b"HTTP/1.1 200\r\n" + HTML + LENGTH + b"\r\n" + BODY)
raw("raw/http-1.0-keep-alive", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + HTML + LENGTH + b"\r\n" + BODY)
raw("raw/small-letters", b"HTTP/1.1 200 ok\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY)
raw(
    "raw/twice-the-same-length",
    b"HTTP/1.1 200 OK\r\n" + HTML + LENGTH + LENGTH + b"\r\n" + BODY,
    "page|http_error",
    True,
)
raw("raw/chunks-in-capitals", b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n" + HTML + b"\r\n" + chunks(BODY))
raw(
    "raw/trailers",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(BODY)[:-2] + b"Set-Cookie: a=b\r\n\r\n",
)
raw("raw/continue", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + HTML + LENGTH + b"\r\n" + BODY)
raw("raw/processing", b"HTTP/1.1 102 Processing\r\n\r\n" * 20 + b"HTTP/1.1 200 OK\r\n" + HTML + LENGTH + b"\r\n" + BODY)
raw("raw/gzip-with-a-name", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    + b"\x1f\x8b\x08\x08" + gzip.compress(BODY)[4:10] + b"seite.html\0" + gzip.compress(BODY)[10:])  # fmt: skip
simple(
    "encoding/lines", body=brotli.compress(gzip.compress(BODY)), **{"Content_Encoding": "gzip\r\nContent-Encoding: br"}
)
simple("encoding/identity", Content_Encoding="identity")
simple("encoding/unknown", Content_Encoding="compress")
simple(
    "encoding/unknown-and-true", "undecodable", body=b"\x1f\x9d\x90<\xd0\xa0\x00\x02" * 40, Content_Encoding="compress"
)
simple("encoding/several-one-unknown", "undecodable", body=gzip.compress(b"\0\1" * 9), Content_Encoding="dcb, gzip")
simple("encoding/a-charset", Content_Encoding="windows-1252")
simple("encoding/a-type", Content_Encoding="text/html")
simple("encoding/empty-gzip", expected=b"", body=b"", Content_Encoding="gzip")
simple(
    "encoding/zstd-frames", body=zstandard.compress(BODY[:40]) + zstandard.compress(BODY[40:]), Content_Encoding="zstd"
)
simple("encoding/brotli-and-more", "undecodable", body=brotli.compress(BODY) + b"rest", Content_Encoding="br")
simple("type/none-of-the-known", Content_Type="foo/bar", end="not_html")
simple("type/two-lines", Content_Type="text/html\r\nContent-Type: image/png", end="page|not_html|http_error")
simple("type/capitals", Content_Type="TEXT/HTML; Charset=UTF-8")
simple("type/only-a-charset", Content_Type="; charset=utf-8")
simple("type/garbage", Content_Type="\x01\x02", end="not_html")
simple("head/refresh", Refresh="0; url=http://127.0.0.1:1/")
simple(
    "head/many-cookies", **{"Set_Cookie": "\r\n".join(["a=b"] + [f"Set-Cookie: c{n}={'x' * 100}" for n in range(100)])}
)
simple("head/broken-cookie", Set_Cookie="=;;;=\x7f; Max-Age=x; Domain=.; Path")
simple("head/retry-after-on-200", Retry_After="9999999")
simple("head/content-location", Content_Location="file:///etc/passwd")
simple("body/meta-refresh", body=b'<html><meta http-equiv="refresh" content="0; url=http://127.0.0.1:1/">',
       expected=b'<html><meta http-equiv="refresh" content="0; url=http://127.0.0.1:1/">')  # fmt: skip
simple("body/one-byte", body=b"<", expected=b"<")

# --- statuses ---------------------------------------------------------------------------------------------------------

FINAL = (202, 203, 204, 205, 206, 207, 226, 300, 305, 306, 400, 401, 402, 405, 406, 409, 411, 412, 414, 415, 416, 418,
         422, 424, 426, 428, 431, 444, 451, 499)  # fmt: skip
LATER = (304, 403, 408, 421, 423, 425, 500, 501, 502, 504, 505, 507, 508, 511, 520, 522, 526, 530, 599)
STATUSES = dict.fromkeys(FINAL, False) | dict.fromkeys(LATER, True)
for number, again in STATUSES.items():
    simple(
        f"status/{number}",
        "http_error",
        again,
        status=f"{number} X\x1b[31m",
        body=b"" if number in (204, 304) else BODY,
    )
simple("status/404", "gone", status="404 Not Found")
simple("status/410", "gone", status="410 Gone")

# --- what is no HTML --------------------------------------------------------------------------------------------------

for media in ("application/pdf", "image/jpeg", "video/mp4", "application/json", "text/css", "application/zip"):

    @case(f"type/{media}", "not_html")
    async def _(visit: Visit, media: str = media) -> None:
        # never sends the body: who waits for it has lost
        await visit.send(f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: 900000\r\n\r\n".encode())
        await visit.hang()


simple("type/plain", "not_html", body=b"Nur Text.", Content_Type="text/plain")
simple("type/octets", "not_html", body=b"\x89PNG\r\n" * 100, Content_Type="application/octet-stream")
simple("type/feed-is-image", "not_html", kind="feed", Content_Type="image/png")


def reset(visit: Visit) -> None:
    """Close with RST instead of FIN."""
    visit.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.writer.transport.abort()


# --- bodies that are cut short ----------------------------------------------------------------------------------------

simple("cut/length", "truncated", True, Content_Length=str(len(BODY) + 7))
simple("cut/gzip", "truncated", True, body=gzip.compress(BODY)[:-12], Content_Encoding="gzip")
simple("cut/gzip-trailer", "truncated", True, body=gzip.compress(BODY)[:-4], Content_Encoding="gzip")
simple("cut/deflate", "truncated", True, body=zlib.compress(BODY)[:-9], Content_Encoding="deflate")
simple("cut/brotli", "truncated", True, body=brotli.compress(BODY)[:-9], Content_Encoding="br")
simple("cut/zstd", "truncated", True, body=zstandard.compress(BODY)[:-9], Content_Encoding="zstd")
simple("cut/gz-file", "truncated", True, kind="sitemap", body=gzip.compress(BODY)[:-12])
simple("lies/gzip", "undecodable", body=b"\x1f\x8b\x08" + b"\xff" * 90, Content_Encoding="gzip")
simple("lies/brotli", "undecodable", body=b"\xff" * 90, Content_Encoding="br")
simple("lies/zstd", "undecodable", body=b"\xff" * 90, Content_Encoding="zstd")
simple("lies/deflate", "undecodable", body=b"\xff" * 90, Content_Encoding="deflate")


@case("cut/chunks", "truncated", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\n")


@case("cut/chunk", "truncated", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<html>")


@case("cut/broken-chunk", "truncated|http_error", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\nxyz\r\n")


@case("cut/reset", "truncated", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")
    await asyncio.sleep(0.2)  # the reset must not overtake the bytes
    reset(visit)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
raw("cut/chunk-beyond-all-numbers", CHUNKED + b"f" * 40 + b"\r\n" + BODY, "truncated|http_error|too_large", True)
raw("cut/chunk-below-zero", CHUNKED + b"-1\r\n" + BODY, "truncated|http_error", True)
raw("cut/chunk-of-words", CHUNKED + b"viel\r\n" + BODY, "truncated|http_error", True)
raw("cut/chunk-without-end", CHUNKED + b"5\r\n<html", "truncated", True)
raw("cut/chunk-too-long", CHUNKED + b"5\r\n<html>>>>\r\n0\r\n\r\n", "truncated|http_error", True)
raw("cut/nothing-in-chunks", CHUNKED, "truncated", True)
raw("cut/length-and-nothing", b"HTTP/1.1 200 OK\r\n" + HTML + LENGTH + b"\r\n", "truncated", True)
simple(
    "cut/brotli-in-gzip", "truncated", True, body=gzip.compress(brotli.compress(BODY)[:-9]), Content_Encoding="br, gzip"
)
simple(
    "cut/second-member", "truncated", True, body=gzip.compress(BODY) + gzip.compress(BODY)[:-9], Content_Encoding="gzip"
)
simple("lies/gzip-sum", "undecodable", body=gzip.compress(BODY)[:-8] + b"\0" * 8, Content_Encoding="gzip")
simple("lies/deflate-sum", "undecodable", body=zlib.compress(BODY)[:-4] + b"\0" * 4, Content_Encoding="deflate")
simple("lies/gzip-is-brotli", "undecodable", body=brotli.compress(BODY), Content_Encoding="gzip")
simple("lies/zstd-is-gzip", "undecodable", body=gzip.compress(BODY), Content_Encoding="zstd")
simple(
    "lies/zstd-window",
    "undecodable|too_large|truncated",
    body=b"\x28\xb5\x2f\xfd\x00\xff" + b"\0" * 50,
    Content_Encoding="zstd",
)


# --- no answer, or none that is HTTP ----------------------------------------------------------------------------------


@case("silent/closed", "connection", again=True)
async def _(visit: Visit) -> None:
    pass


@case("silent/reset", "connection", again=True)
async def _(visit: Visit) -> None:
    reset(visit)


@case("silent/hang", "timeout", again=True)
async def _(visit: Visit) -> None:
    await visit.hang()


@case("silent/half-a-header", "timeout", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await visit.hang()


@case("no-http/garbage", "http_error", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"SSH-2.0-OpenSSH_9.6\r\n" * 3)


@case("no-http/header", "http_error", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n" + BODY)


@case("no-http/lengths", "http_error", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n1234567")


@case("no-http/negative-length", "http_error", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + BODY)


@case("no-http/upgrade", "http_error")
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + BODY)


OK_LINE = b"HTTP/1.1 200 OK\r\n"
raw("no-http/0.9", BODY, "http_error", True)
raw("no-http/icy", b"ICY 200 OK\r\n" + HTML + b"\r\n" + BODY, "http_error", True)
raw("no-http/empty-lines", b"\r\n" * 5 + OK_LINE + HTML + LENGTH + b"\r\n" + BODY, "http_error|page", True)
raw("no-http/status-of-letters", b"HTTP/1.1 abc OK\r\n\r\n" + BODY, "http_error", True)
raw("no-http/status-0", b"HTTP/1.1 000 Null\r\n\r\n" + BODY, "http_error")
raw("no-http/status-99", b"HTTP/1.1 99 Wenig\r\n\r\n" + BODY, "http_error", True)
raw("no-http/status-1000", b"HTTP/1.1 1000 Viel\r\n\r\n" + BODY, "http_error", True)
raw("no-http/length-in-hex", OK_LINE + b"Content-Length: 0x10\r\n\r\n" + BODY, "http_error", True)
raw("no-http/length-with-sign", OK_LINE + b"Content-Length: +5\r\n\r\n" + BODY, "http_error", True)
raw("no-http/two-lengths-in-one", OK_LINE + b"Content-Length: 5, 7\r\n\r\n" + BODY, "http_error", True)
raw(
    "no-http/length-beyond-all-numbers",
    OK_LINE + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "http_error",
    True,
)
raw(
    "no-http/length-and-chunks",
    OK_LINE + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(BODY),
    "http_error|page",
    True,
)
raw("no-http/odd-transfer", OK_LINE + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY, "http_error|page|truncated", True)
raw("no-http/nul-in-header", OK_LINE + b"X-A: a\0b\r\n\r\n" + BODY, "http_error", True)
raw("no-http/space-before-colon", OK_LINE + b"Content-Type : text/html\r\n\r\n" + BODY, "http_error", True)
raw("no-http/folded-header", OK_LINE + b"X-A: a\r\n b\r\n" + HTML + LENGTH + b"\r\n" + BODY, "http_error|page", True)
raw("no-http/tls", bytes([21, 3, 1, 0, 2, 2, 70]), "http_error", True)
raw("no-http/http2", b"\0\0\x12\4\0\0\0\0\0" + b"\0" * 18, "http_error", True)


# --- too much ---------------------------------------------------------------------------------------------------------


@case("drip/body", "timeout", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await visit.send(b"x")
        await asyncio.sleep(0.02)


@case("drip/headers", "timeout", again=True)
async def _(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await visit.send(b"X: y\r\n")
        await asyncio.sleep(0.02)


def endless(path: str, start: bytes, again: bytes, end: str = "too_large", kind: str = "page") -> None:
    @case(path, end, kind=kind)
    async def _(visit: Visit) -> None:
        await visit.send(start)
        while True:
            await visit.send(again)


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
endless("endless/headers", OK, b"X-More: yes\r\n" * 1000)
endless("endless/header", OK + b"X-Long: ", b"x" * 65536)
endless("endless/status", b"HTTP/1.1 200 ", b"x" * 65536)
endless("endless/1xx", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
endless("endless/body", OK + b"\r\n", b"x" * 65536)
endless("endless/chunks", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n" * 5000)
endless("endless/chunk-extension", OK + b"Transfer-Encoding: chunked\r\n\r\n5;x=", b"y" * 65536)
endless("endless/trailers", OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n<\r\n0\r\n", b"X: y\r\n" * 5000)
endless("endless/feed", OK + b"\r\n", b"<item>x</item>" * 5000, kind="feed")
simple("too-large/announced", "too_large", Content_Length="99999999999")
simple("too-large/headers", "too_large", **{f"X_{number}": "y" * 1000 for number in range(100)})
simple("too-large/header-count", "too_large", **{f"X_{number}": "y" for number in range(300)})

MEGABYTE = bytes(1024 * 1024)


@cache
def bomb(name: str, megabytes: int = 300) -> bytes:
    """So many megabytes of nothing, compressed."""
    if name == "gzip":
        packer = zlib.compressobj(9, wbits=31)
    elif name == "deflate":
        packer = zlib.compressobj(9)
    elif name == "zstd":
        packer = zstandard.ZstdCompressor(1).compressobj()
    else:
        return _brotli_bomb(megabytes)
    return b"".join(packer.compress(MEGABYTE) for _ in range(megabytes)) + packer.flush()


def _brotli_bomb(megabytes: int) -> bytes:
    packer = brotli.Compressor(quality=1)
    return b"".join(packer.process(MEGABYTE) for _ in range(megabytes)) + packer.finish()


def bombed(path: str, make: Callable[[], bytes], encoding: str, end: str = "too_large", kind: str = "page") -> None:
    @case(path, end, kind=kind)
    async def _(visit: Visit) -> None:
        await visit.answer(make(), Content_Encoding=encoding)


bombed("bomb/gzip", lambda: bomb("gzip", 100), "gzip")
bombed("bomb/deflate", lambda: bomb("deflate", 100), "deflate")
bombed("bomb/brotli", lambda: bomb("brotli"), "br")
bombed("bomb/zstd", lambda: bomb("zstd"), "zstd")
bombed("bomb/gzip-in-brotli", lambda: brotli.compress(bomb("gzip", 100), quality=5), "gzip, br")
bombed("bomb/many-layers", lambda: gzip.compress(bomb("gzip", 100)), "gzip, gzip, gzip, gzip", "undecodable")
bombed("bomb/gz-file", lambda: bomb("gzip", 100), "", kind="sitemap")
bombed("bomb/feed", lambda: bomb("brotli"), "br", kind="feed")

# --- redirects --------------------------------------------------------------------------------------------------------

for number in (301, 302, 303, 307, 308):

    @case(f"to/good/{number}")
    async def _(visit: Visit, number: int = number) -> None:
        await visit.redirect("/good?utm_source=kept", f"{number} X")


def redirecting(path: str, location: str, end: str = WHOLE) -> None:
    @case(path, end)
    async def _(visit: Visit) -> None:
        await visit.redirect(location)


redirecting("to/relative", "../good")
redirecting("to/umlaut", "/good?grüße=köln")
redirecting("to/latin-1", "/good?k\udcf6ln")
redirecting("to/fragment", "/good#top")
redirecting("to/two/hops", "/to/good/301")
redirecting("to/loop", "/to/loop", "redirect_loop")
redirecting("to/loop/a", "/to/loop/b", "redirect_loop")
redirecting("to/loop/b", "/to/loop/a", "redirect_loop")
redirecting("to/nothing", "", "http_error")
redirecting("to/blank", "   ", "http_error")
redirecting("to/broken", "http://[", "bad_url")
redirecting("to/long", "/" + "x" * 5000, "bad_url")
redirecting("to/password", "http://user:hunter2@127.0.0.1/", "bad_url")
redirecting("to/file", "file:///etc/passwd", "bad_url")
redirecting("to/data", "data:text/html,<html>", "bad_url")
redirecting("to/ftp", "ftp://127.0.0.1/", "bad_url")
redirecting("to/javascript", "javascript:alert(1)", "bad_url")
redirecting("to/query-alone", "?a=b", "redirect_loop|http_error")
redirecting("to/top", "#top", "redirect_loop")
redirecting("to/dots", "/a/b/../../../../good")
redirecting("to/capitals", "HTTP://127.0.0.1/good", "blocked_address")
redirecting("to/spaces/around", "  /good  ")
redirecting("to/space/inside", "/good?a b")
redirecting("to/tab/inside", "/go\tod", "bad_url|http_error|gone")
redirecting("to/bell", "/good\x07", "bad_url|http_error")
redirecting("to/port/0", "http://127.0.0.1:0/", "bad_url")
redirecting("to/port/65536", "http://127.0.0.1:65536/", "bad_url")
redirecting("to/port/words", "http://127.0.0.1:http/", "bad_url")
redirecting("to/ssh", "http://127.0.0.1:22/", "blocked_address")
redirecting("to/two/slashes", "///127.0.0.1/", "bad_url|gone|blocked_address")
redirecting("to/no/host", "http:///good", "page|bad_url|gone")
redirecting("to/host/with/space", "http://a b/", "bad_url")
redirecting("to/idn/broken", "http://xn--\u00fc.example/", "bad_url|dns")
redirecting("to/label/too/long", f"http://{'a' * 64}.example/", "bad_url")
redirecting("to/name/too/long", f"http://{'a.' * 130}example/", "bad_url")
redirecting("to/password/hidden", "http://127.0.0.1%40evil@127.0.0.1/", "bad_url")
for _number, _scheme in enumerate(
    ("gopher://127.0.0.1/", "about:blank", "blob:x", "view-source:http://a/", "ws://127.0.0.1/", "jar:http://a!/",
     "mailto:a@b.example", "intent://a", "dict://127.0.0.1/", "ldap://127.0.0.1/", "unix:/run/docker.sock",
     "FILE:/etc/passwd",
     "ssh://a", "tel:1", "feed:http://a/", "filesystem:http://a/")
):  # fmt: skip
    redirecting(f"to/scheme/{_number}", _scheme, "bad_url")
redirecting("to/unknown/host", "http://nobody.invalid/", "dns")


@case("to/no/location", "http_error")
async def _(visit: Visit) -> None:
    await visit.answer(status="302 Found")


@case("to/many", "redirect_loop")
async def _(visit: Visit) -> None:
    await visit.redirect(visit.path + "x")


@case("to/cookie")
async def _(visit: Visit) -> None:
    if "seen=1" in visit.headers.get("cookie", ""):
        await visit.answer()
    else:
        await visit.redirect(visit.path, Set_Cookie="seen=1; Path=/; HttpOnly")


@case("to/cookie/for/ever", "redirect_loop")
async def _(visit: Visit) -> None:
    await visit.redirect(visit.path, Set_Cookie=f"seen={len(visit.web.seen)}; Path=/")


@case("cookie/not/kept")
async def _(visit: Visit) -> None:
    assert "cookie" not in visit.headers, "a cookie of another request came along"
    await visit.answer(Set_Cookie="kept=1; Path=/")


#: ways to write an address in the private network, with the port of the canary
PRIVATE = [
    "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://2130706433:{port}/",
    "http://0x7f000001:{port}/", "http://0x7f.0.0.1:{port}/", "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/", "http://127.66:{port}/", "http://127.0.0.1.:{port}/", "http://localhost:{port}/",
    "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[0:0:0:0:0:ffff:7f00:1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/", "http://[2002:7f00:1::]:{port}/",
    "http://１２７.0.0.1:{port}/", "http://①②⑦.0.0.1:{port}/", "http://127。0。0。1:{port}/", "http://0.0.0.0:{port}/",
    "http://0:{port}/", "http://[::]:{port}/", "http://[::1%25lo]:{port}/", "http://x@127.0.0.1:{port}/",
    "//127.0.0.1:{port}/", "http:\\\\127.0.0.1:{port}\\", "http:127.0.0.1:{port}/", "http:///127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/", "http://%31%32%37.0.0.1:{port}/", "http://127.0.0.1:0{port}/",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.1/", "http://100.64.0.1/",
    "http://[fe80::1]/", "http://224.0.0.1/", "http://192.0.2.1/", "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/", "http://[2001:0:7f00:1::]/", "http://[2001:db8::1]/", "http://[fec0::1]/",
    "http://[ff02::1]/", "http://[fc00::1]/", "http://[::2]/", "http://[100::1]/", "http://[5f00::1]/",
    "http://[2001:20::1]/", "http://[64:ff9b::a00:1]/", "http://[2002:c0a8:101::]/", "http://[3fff::1]/",
    "http://192.0.0.8/", "http://192.88.99.1/", "http://198.18.0.1/", "http://198.51.100.1/", "http://203.0.113.1/",
    "http://240.0.0.1/", "http://255.255.255.255/", "http://172.16.0.1/", "http://172.31.255.255/",
    "http://192.168.1.1/", "http://169.254.170.2/", "http://100.100.100.200/", "http://100.127.255.255/",
    "http://168.63.129.16/", "http://0.1.2.3/", "http://0x7f.1:{port}/", "http://0177.1:{port}/",
    "http://0x7f000001.:{port}/", "http://4294967297:{port}/",
    "http://127.0.0.1.:{port}/", "http://127.0.0.1..:{port}/", "http://[::ffff:127.0.0.1%25lo]:{port}/",
    "http://127.0.0.1%20:{port}/", "http://127.0.0.1%00.example:{port}/", "http://127.0.0.1#@a.example:{port}/",
    "http://a.example@127.0.0.1:{port}/", "http://127.0.0.1\\@a.example:{port}/", "http://[::1]a:{port}/",
    "http://ⓛocalhost:{port}/", "http://ｌｏｃａｌｈｏｓｔ:{port}/", "http://localhost%2e:{port}/",
    "http://127.0.0.1:{port}:80/", "http://;127.0.0.1:{port}/", "http://1２7.0.0.1:{port}/",
]  # fmt: skip
for place, _spelling in enumerate(PRIVATE):

    @case(f"inside/{place}", "blocked_address|bad_url|gone")  # gone: taken for a path of this very host
    async def _(visit: Visit, spelling: str = _spelling) -> None:
        await visit.redirect(spelling.format(port=visit.web.canary_port))


redirecting("inside/third/hop", "/inside/second/hop", "blocked_address")
redirecting("inside/second/hop", "/inside/0", "blocked_address")

# --- the server -------------------------------------------------------------------------------------------------------


@dataclass
class Web:
    """The running server. ``extra`` answers paths that are no case; ``robots`` is what /robots.txt says."""

    port: int = 0
    canary_port: int = 0
    canary: int = 0
    seen: list[str] = field(default_factory=list)
    asked_with: list[dict[str, str]] = field(default_factory=list)
    extra: dict[str, Answerer] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            self.seen.append(path)
            self.asked_with.append(headers)
            await self._answerer(path.partition("?")[0])(Visit(path, headers, writer, self))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _answerer(self, path: str) -> Answerer:
        if path in self.extra:
            return self.extra[path]
        for one in CASES:
            if path == one.path or (one.path == "/to/many" and path.startswith(one.path)):
                return one.answer
        return _not_found


async def _not_found(visit: Visit) -> None:
    await visit.answer(b"<html>nothing here", "404 Not Found")


@asynccontextmanager
async def serve(tls: ssl.SSLContext | None = None, **extra: Answerer) -> AsyncIterator[Web]:
    """The web on a loopback port of its own; *extra* are further answers by path."""
    web = Web(extra={"/" + name: answer for name, answer in extra.items()})
    visits: set[asyncio.Task[None]] = set()

    def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(web.visited(reader, writer))
        visits.add(task)
        task.add_done_callback(visits.discard)

    def chirp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        web.canary += 1
        writer.close()

    servers = [await asyncio.start_server(visited, "127.0.0.1", 0, ssl=tls)]
    web.port = servers[0].sockets[0].getsockname()[1]
    servers.append(await asyncio.start_server(chirp, "127.0.0.1", 0))
    web.canary_port = servers[1].sockets[0].getsockname()[1]
    for address in ("127.0.0.66", "::1"):
        with contextlib.suppress(OSError):  # not every machine has them
            servers.append(await asyncio.start_server(chirp, address, web.canary_port))
    try:
        yield web
    finally:
        for server in servers:
            server.close()
        for task in visits:
            task.cancel()
        if visits:
            await asyncio.wait(visits)
