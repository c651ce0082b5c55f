"""The web server as it runs for people: uvicorn on a loopback port, in a thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from webapp import serving
from webapp.settings import Settings


@contextlib.contextmanager
def running(dsn: str, settings: Settings | None = None) -> Iterator[str]:
    """The address of a server over the database behind *dsn*, without a slash at its end."""
    settings = settings or Settings(port=0)
    with serving.listen(settings.host, 0) as sock:
        server = serving.server(settings, dsn)
        # a listening socket takes connections before the server is there, so nobody has to wait for it
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=60)
            assert not thread.is_alive(), "the web server does not end"
