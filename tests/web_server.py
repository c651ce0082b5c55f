"""The web server as it runs for people: uvicorn on a loopback port, in a thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from starlette.types import ASGIApp

from webapp import serving
from webapp.application import make_app
from webapp.settings import Settings


@contextlib.contextmanager
def running(dsn: str, settings: Settings | None = None) -> Iterator[str]:
    """The address of a server over the database behind *dsn*, without a slash at its end."""
    settings = settings or Settings(port=0)
    with served(make_app(settings, dsn), settings) as base:
        yield base


@contextlib.contextmanager
def served(app: ASGIApp, settings: Settings) -> Iterator[str]:
    """The same for any application."""
    with serving.listen(settings.host, 0) as sock:
        server = serving.around(app, settings)
        # a listening socket takes connections before the server is there, so nobody has to wait for it
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=60)
            assert not thread.is_alive(), "the web server does not end"
