"""DNS in threads of its own: a dozen names whose servers do not answer must not hold up the others."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import OrderedDict
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

#: what ``socket.getaddrinfo`` returns
AddressInfo = tuple[Any, ...]


class Resolver(AbstractResolver):
    """Names to addresses, each answer kept for *keep* seconds.

    asyncio's own pool has six threads on two cores, shares them with everything else, and is waited for when the
    process ends. Here whoever asks for a name that is already being asked for waits for the same answer. What is
    connected to is checked afterwards, each time.
    """

    def __init__(self, threads: int = 256, keep: float = 60.0):
        self._threads = asyncio.Semaphore(threads)
        self._keep = keep
        self._asked: OrderedDict[tuple[str, int], tuple[float, asyncio.Future[list[AddressInfo]]]] = OrderedDict()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=numeric)
            for kind, _, protocol, _, address in await self._found(host, family)
        ]

    async def _found(self, host: str, family: int) -> list[AddressInfo]:
        now = asyncio.get_running_loop().time()
        asked_at, answer = self._asked.get((host, family), (0.0, None))
        if answer is None or (answer.done() and (answer.exception() or asked_at + self._keep < now)):
            answer = asyncio.ensure_future(self._look_up(host, family))
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._asked[host, family] = (now, answer)
            while len(self._asked) > 5000:
                self._asked.popitem(last=False)
        return await asyncio.shield(answer)

    async def _look_up(self, host: str, family: int) -> list[AddressInfo]:
        async with self._threads:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[list[AddressInfo]] = loop.create_future()
            # daemon: a name server that does not answer must not keep the process from ending
            threading.Thread(target=_ask_system, args=(loop, answer, host, family), name="dns", daemon=True).start()
            return await answer

    async def close(self) -> None:
        for _, answer in self._asked.values():
            answer.cancel()


def _ask_system(
    loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[AddressInfo]], host: str, family: int
) -> None:
    def tell(found: list[AddressInfo] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    found: list[AddressInfo] | None = None
    failed: Exception | None = None
    try:
        # ADDRCONFIG: no IPv6 addresses where there is no IPv6
        found = list(socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG))
    except (OSError, UnicodeError) as raised:
        failed = raised
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
        loop.call_soon_threadsafe(tell, found, failed)
