"""The server process: uvicorn on one socket, until a signal."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from webapp.application import make_app
from webapp.settings import Settings

AT_ONCE = 600  # connections; the next one is told to come again
KEEP_ALIVE = 20  # seconds
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


def around(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    """uvicorn around *app*, with the bounds that hold for whatever strangers may reach."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
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
