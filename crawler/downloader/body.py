"""A body on its way in: bounded, decompressed, and of a type that fits what was asked for."""

from __future__ import annotations

import asyncio
import io
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress

from pipelines.decompress import Undecodable, Unfinished, decoded, is_text
from pipelines.fair_semaphore import FairSemaphore

#: headers that described the body before it was decompressed
GONE_WITH_DECODING = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
ACCEPT = {
    "page": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
    "section": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
    "feed": "application/rss+xml,application/atom+xml,application/feed+json,application/xml;q=0.9,*/*;q=0.1",
    "sitemap": "application/xml,text/xml,*/*;q=0.1",
    "robots": "text/plain,*/*;q=0.1",
    "other": "*/*",
}
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/xml", "text/xml"})
#: servers give these to HTML whose type they do not know; the first bytes decide
UNSURE_TYPES = frozenset({"text/plain", "application/octet-stream", "application/unknown", "unknown/unknown"})
_NEVER_A_LIST = ("image/", "audio/", "video/", "font/", "application/pdf", "application/zip")


class BodySlot:
    """One of a few places for large bodies, held from the moment a body gets large until its page is done with.

    All pages of an article share one. ``release`` gives it back; so does the end of the object, in case that whoever
    had the response never said so.
    """

    def __init__(self) -> None:
        self._stack: AsyncExitStack | None = None
        self._finalizer: weakref.finalize[[AsyncExitStack, asyncio.AbstractEventLoop], BodySlot] | None = None

    async def acquire(self, slots: FairSemaphore, source: str) -> None:
        if self._stack is None:
            self._stack = AsyncExitStack()
            await self._stack.enter_async_context(slots.acquire(source))
            self._finalizer = weakref.finalize(self, _close, self._stack, asyncio.get_running_loop())

    def release(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._stack = self._finalizer = None


def _close(stack: AsyncExitStack, loop: asyncio.AbstractEventLoop) -> None:
    with suppress(RuntimeError):  # the loop is closed, and nobody waits for a place any more
        loop.call_soon_threadsafe(lambda: loop.create_task(stack.aclose()))


class BodyBuffer:
    """Gathers a body up to *maxsize*; once it is larger than *large*, it waits for *acquire*."""

    def __init__(self, maxsize: int, large: int, acquire: Callable[[], Awaitable[None]]):
        self.full = False
        self._kept = io.BytesIO()
        self._maxsize = maxsize
        self._large = large
        self._acquire = acquire
        self._has_slot = False

    @property
    def body(self) -> bytes:
        return self._kept.getvalue()

    def __len__(self) -> int:
        return self._kept.tell()

    def clear(self) -> None:
        self._kept = io.BytesIO()
        self.full = False

    async def add(self, piece: bytes) -> bool:
        """Add *piece*; False when no more is wanted."""
        room = self._maxsize - len(self)
        self.full = self.full or len(piece) > room
        self._kept.write(piece[:room])
        if not self._has_slot and len(self) > self._large:
            self._has_slot = True
            await self._acquire()
        return not self.full


async def decompress(names: list[str], buffer: BodyBuffer) -> None:
    """Undo the encodings *names* of what is in *buffer*. Raises Undecodable or Unfinished."""
    if not names or not len(buffer):
        return
    packed, cut = buffer.body, buffer.full
    buffer.clear()
    try:
        for piece in decoded(packed, names):
            if not await buffer.add(piece):
                break
            await asyncio.sleep(0)  # a bomb takes a while up to its limit; others have their turn in between
    except (Undecodable, Unfinished) as error:
        if looks_like_html(packed) or is_text(packed):  # the header promises compression, the body has none
            buffer.clear()
            await buffer.add(packed)
        elif not (cut and isinstance(error, Unfinished)):
            raise
    buffer.full = buffer.full or cut


def media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def is_unfit(media: str, kind: str) -> bool:
    """Whether this media type shows, before the body comes, that this cannot be what was asked for."""
    if kind in ("page", "section"):
        return bool(media) and media not in _HTML_TYPES and media not in UNSURE_TYPES
    return kind in ("feed", "sitemap") and media.startswith(_NEVER_A_LIST)


def looks_like_html(start: bytes) -> bool:
    """Whether the first bytes of a body of unsure type are those of an HTML page."""
    start = start[:2048].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<!--", b"<head", b"<body")) or b"<html" in start


def headers_as_read(headers: tuple[tuple[bytes, bytes], ...], kind: str) -> Iterator[tuple[bytes, bytes]]:
    """The headers as they fit the body that goes on: decompressed, and called HTML where its first bytes said so."""
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-type" and kind in ("page", "section"):
            media, semicolon, rest = value.partition(b";")
            if media_type(media.decode("latin-1")) in UNSURE_TYPES:
                value = b"text/html" + semicolon + rest
        if lower not in GONE_WITH_DECODING:
            yield name, value
