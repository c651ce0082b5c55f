"""Changes as server-sent events. What is sent are the rows behind a number, so nothing is skipped and nothing "
"comes twice;
NOTIFY only says when to look."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from webapp import formats, queries
from webapp.parameters import BadParameter, Parameters
from webapp.reader import Reader, ReadError, Row

log = logging.getLogger(__name__)
MOST = 200  # listeners at once
BEAT = 15.0  # seconds until a line that says nothing, so that nobody in between thinks it is dead
AGAIN = 2.0  # seconds after an error of the database
AT_ONCE = 200  # changes in one look
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Hub:
    """One connection that hears of changes for all who listen; opened for the first, closed behind the last."""

    def __init__(self, reader: Reader):
        self._reader = reader
        self._event = asyncio.Event()
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        return self._listeners >= MOST

    @contextlib.contextmanager
    def listener(self) -> Iterator[None]:
        """Somebody listens for as long as this lasts."""
        self._listeners += 1
        if self._task is None:
            self._task = asyncio.ensure_future(self._listen())
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners and self._task:
                self._task.cancel()
                self._task = None

    def next(self) -> asyncio.Event:
        """Set when something comes from now on."""
        return self._event

    def wake(self) -> None:
        """Everybody looks."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._reader.listening() as connection:
                    self.wake()  # what came before we listened
                    async for _ in connection.notifies():
                        self.wake()
            except ReadError as error:
                log.warning("changes: %s", error)
            except OSError as error:
                log.warning("changes: %s", type(error).__name__)
            await asyncio.sleep(AGAIN)


async def changes(request: Request) -> Response:
    """``/api/v1/changes/stream``"""
    reader: Reader = request.app.state.site.reader
    hub: Hub = request.app.state.site.hub
    parameters = Parameters(request.query_params, is_strict=True)
    after = parameters.integer("after")
    parameters.finish()
    last = request.headers.get("last-event-id", "").strip()
    if last:
        if not (last.isascii() and last.isdigit() and len(last) < 19):
            raise BadParameter("Last-Event-ID", "the number of a change")
        after = int(last)
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=HEADERS)
    if hub.is_full:
        raise ReadError("too many listen to the changes already")
    if after is None:
        async with reader.session() as news:
            after = await queries.changes.last(news)
    return StreamingResponse(events(reader, hub, after), media_type="text/event-stream", headers=HEADERS)


async def events(reader: Reader, hub: Hub, after: int) -> AsyncIterator[bytes]:
    """The changes behind *after*, as they come, for as long as somebody takes them."""
    with hub.listener():
        yield f"retry: {int(AGAIN * 1000)}\nid: {after}\n\n".encode()
        while True:
            coming = hub.next()  # before the look, so that nothing falls in between
            try:
                async with reader.session() as news:
                    rows = await queries.changes.since(news, after, AT_ONCE)
            except ReadError:
                yield b": the database does not answer\n\n"
                await asyncio.sleep(AGAIN)
                continue
            for row in rows:
                yield event(row)
                after = row["id"]
            if not rows:
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT):
                        await coming.wait()
                    continue
                yield b":\n\n"


def event(row: Row) -> bytes:
    """One change. JSON has no line break inside, which would end the data."""
    data = json.dumps(formats.plain(row), ensure_ascii=True, separators=(",", ":"))
    return f"id: {row['id']}\nevent: {row['kind']}\ndata: {data}\n\n".encode()
