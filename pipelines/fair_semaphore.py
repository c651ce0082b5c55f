"""A semaphore that serves its waiting keys in turn: hosts, connections and readers are shared by it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class FairSemaphore:
    """At most *limit* hold it at a time, and at most *each* of one key. Keys that wait are served in turn, round robin.

    With ``shares_time``, keys share time and not turns: a key that held it for five seconds is served again when the
    others that wait have had five seconds too.
    """

    def __init__(self, limit: int, each: int | None = None, shares_time: bool = False):
        self.limit = limit
        self.each = each or limit
        self._inside: dict[Hashable, int] = {}
        self._count = 0
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()
        self._shares_time = shares_time
        self._spent: dict[Hashable, float] = {}
        self._least = 0.0  # what the key that was served last had spent: who comes anew begins there, without a credit

    @property
    def idle(self) -> bool:
        return not self._count and not self._waiting

    def present(self, key: Hashable) -> int:
        """How many of *key* are inside or wait."""
        return self._inside.get(key, 0) + len(self._waiting.get(key, ()))

    @asynccontextmanager
    async def acquire(self, key: Hashable) -> AsyncIterator[None]:
        if key not in self._waiting and key not in self._inside:
            self._spent[key] = max(self._spent.get(key, 0.0), self._least)
        await self._enter(key)
        clock = asyncio.get_running_loop().time
        since = clock()
        try:
            yield
        finally:
            if self._shares_time:
                self._spent[key] += clock() - since
            self._leave(key)
            if key not in self._waiting and key not in self._inside and self._spent[key] <= self._least:
                del self._spent[key]

    async def _enter(self, key: Hashable) -> None:
        if self._count < self.limit and self._inside.get(key, 0) < self.each and key not in self._waiting:
            self._let_in(key)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # let in at the very moment it gave up
                self._leave(key)
            else:
                self._forget(key, turn)
            raise

    def _let_in(self, key: Hashable) -> None:
        self._count += 1
        self._inside[key] = self._inside.get(key, 0) + 1

    def _leave(self, key: Hashable) -> None:
        self._count -= 1
        self._inside[key] -= 1
        if not self._inside[key]:
            del self._inside[key]
        while self._count < self.limit and self._next():
            pass

    def _next(self) -> bool:
        # sorted keeps the order of those that are equal: without shared time, that in which they wait
        for key in sorted(self._waiting, key=self._spent.__getitem__) if self._shares_time else self._waiting:
            turns = self._waiting[key]
            if self._inside.get(key, 0) < self.each:
                self._least = max(self._least, self._spent[key])
                turn = turns.popleft()
                self._waiting.move_to_end(key)
                if not turns:
                    del self._waiting[key]
                if not turn.done():
                    self._let_in(key)
                    turn.set_result(None)
                return True
        return False

    def _forget(self, key: Hashable, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(key)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[key]
