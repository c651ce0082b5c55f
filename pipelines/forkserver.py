"""The parent's end of the process that forks readers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
from dataclasses import dataclass, field

from pipelines.reader_launch import launched
from pipelines.reader_protocol import LENGTH


@dataclass(eq=False, slots=True)
class Reader:
    """The parent's end of one reader process. ``knows`` are the digests of the rules that it has; ``is_warm``: it was
    forked after the forkserver had learned what every page needs."""

    pid: int
    pipe: socket.socket
    knows: set[str] = field(default_factory=set)
    is_warm: bool = False


def _close(forking: asyncio.Future[Reader]) -> None:
    """Nobody waits for this reader any more."""
    if not forking.cancelled() and forking.exception() is None:
        forking.result().pipe.close()


class Forkserver:
    """The parent's end of the process that forks readers. Its commands are answered one after the other."""

    def __init__(self, functions: list[str]):
        self._control, self._process = launched()
        self._control.setblocking(False)
        self._functions = functions
        self._lock = asyncio.Lock()
        self._is_taught = False
        self._knows: set[str] = set()
        self.yardstick = 0.0  # seconds of processor time for the probe page; 0: not measured
        self.children: set[int] = set()

    async def ready(self) -> None:
        """Tell it what it shall be able to do; returns when it has imported that. EOFError: it could not."""
        message = json.dumps({"path": sys.path, "functions": self._functions}).encode()
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._control, b"i" + LENGTH.pack(len(message)) + message)
        await self._reply()

    async def fork(self) -> Reader:
        """Fork a reader. OSError when the system has no room for one, EOFError when the forkserver is gone."""
        forking = asyncio.ensure_future(self._fork())
        try:
            return await asyncio.shield(forking)  # a reply left unread would be taken for the next one
        except asyncio.CancelledError:
            forking.add_done_callback(_close)
            raise

    async def _fork(self) -> Reader:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                async with self._lock:
                    socket.send_fds(self._control, [b"f" + LENGTH.pack(0)], [theirs.fileno()])
                    knows = set(self._knows)
                    pid = await self._reply()
            if pid < 0:
                raise OSError(-pid, os.strerror(-pid))
        except BaseException:
            ours.close()
            raise
        self.children.add(pid)
        return Reader(pid, ours, knows, is_warm=bool(knows))

    async def learn(self, digest: str, rules: bytes) -> None:
        """Tell the forkserver the first rules that are used: its readers begin with them, and with all that the
        first page needs. Phrases are nearly all of any source's rules, and compiling them takes a second."""
        if not self._is_taught:
            self._is_taught = True
            learning = asyncio.ensure_future(self._learn(digest, rules))
            # where nobody waits any more, nobody is told that the forkserver was ended meanwhile
            learning.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.shield(learning)

    async def _learn(self, digest: str, rules: bytes) -> None:
        async with self._lock:
            message = digest.encode() + rules
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(self._control, b"l" + LENGTH.pack(len(message)) + message)
            self.yardstick = await self._reply() / 1_000_000
            self._knows.add(digest)

    async def reap(self, pid: int) -> int:
        """Kill and reap a reader that this forkserver forked; its wait status."""
        self.children.discard(pid)
        return await asyncio.shield(self._reap(pid))

    async def _reap(self, pid: int) -> int:
        async with self._lock:
            self._control.send(b"d" + LENGTH.pack(pid))
            return await self._reply()

    async def _reply(self) -> int:
        data = await asyncio.get_running_loop().sock_recv(self._control, 8)
        if len(data) < 8:
            raise EOFError("the forkserver ended")
        (number,) = struct.unpack("!q", data)
        return int(number)

    async def close(self) -> int:
        """End the forkserver and with it its readers; returns its exit code when it is gone."""
        with contextlib.suppress(OSError):  # it has gone already
            # and not closed yet: who waits for a reply is told that there will be none
            self._control.shutdown(socket.SHUT_RDWR)
        # no wait with a timeout: that one sleeps again and again, by a clock that drills move
        killing = asyncio.get_running_loop().call_later(5, self._process.kill)
        try:
            return await asyncio.to_thread(self._process.wait)
        finally:
            killing.cancel()
            self._control.close()


async def send(pipe: socket.socket, message: bytes | memoryview) -> None:
    """Send *message*, which begins with its length."""
    await asyncio.get_running_loop().sock_sendall(pipe, message)


async def receive(pipe: socket.socket) -> bytearray:
    loop = asyncio.get_running_loop()

    async def exactly(size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            got = await loop.sock_recv_into(pipe, view)
            if not got:
                raise EOFError("the reader ended")
            view = view[got:]
        return data

    (length,) = LENGTH.unpack(await exactly(LENGTH.size))
    return await exactly(length)
