"""What a test serves while a command runs in its own thread, with a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 60  # seconds: a bound, no measure


@contextmanager
def served_in_a_thread(serving: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What *serving* gives, entered and left in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        given = asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(PATIENCE)
        try:
            yield given
        finally:
            asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        assert not thread.is_alive(), "what was served does not end"
        loop.close()
