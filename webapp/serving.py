"""The server process: uvicorn on one socket, until a signal."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from webapp.application import make_app
from webapp.settings import Settings

AT_ONCE = 600  # connections; the next one is told to come again
KEEP_ALIVE = 20  # seconds
PATIENCE = 30  # seconds for a whole question to come, and for somebody who reads nothing of the answer
FAREWELL = 2  # seconds for what is in flight when the process is to end


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 for any that is free. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named, or asyncio would leave Nagle on, and every second packet wait for 40 ms
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host.strip("[]"), port))
        made.listen(256)
    except OSError as error:
        made.close()
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error
    return made


class Patient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """A connection that is closed where its question does not come to an end, or its answer is not taken.

    Without that AT_ONCE connections that send a line and wait would keep everybody else out for ever.
    """

    _timers: dict[str, asyncio.TimerHandle]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._timers = {}
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        for name in list(self._timers):
            self._cancel(name)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start("answer")

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cancel("answer")

    def _expect(self) -> None:
        """A question has begun, or is whole and is being answered; between two of them uvicorn counts the time."""
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            self._start("question")
        else:
            self._cancel("question")

    def _start(self, name: str) -> None:
        if name not in self._timers:
            self._timers[name] = self.loop.call_later(PATIENCE, self.transport.abort)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer:
            timer.cancel()


def around(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    """uvicorn around *app*, with the bounds that hold for whatever strangers may reach."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Patient,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            limit_concurrency=AT_ONCE,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=FAREWELL,
            h11_max_incomplete_event_size=32_768,
            proxy_headers=settings.is_behind_proxy,
            forwarded_allow_ips="*" if settings.is_behind_proxy else None,
            lifespan="on",
            ws="none",
        )
    )


def serve(settings: Settings, dsn: str, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; *say* is told the address once it can be asked. Raises SettingsError, OSError."""
    serve_app(make_app(settings, dsn), settings, say)


def serve_app(app: ASGIApp, settings: Settings, say: Callable[[str], None], path: str = "/") -> None:
    """The same for any application; *path* is where it is to be found. Raises OSError."""
    server = around(app, settings)

    def stop(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends by them, puts these back and sends itself the signal once more: being stopped is how it ends.
        # Before it has begun, too: whoever is told the address may stop it at once.
        signal.signal(number, stop)
    with listen(settings.host, settings.port) as sock:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        say(f"http://{host}:{sock.getsockname()[1]}{path}")
        server.run(sockets=[sock])
