"""Politeness over all processes: while others live, every request has a turn from the database.

Alone, a process keeps its hosts' pace by itself, as long as its last sign of life is fresh: whoever comes waits until
all that live know of it, or until their sign of life is over. Then each publishes when its hosts are free, and asks
none without a turn. A process that was frozen, or cut from the database, asks nothing until it has been there again.

Turns are claimed in batches, one call for all hosts, at the time that a host is free. Of a granted one it is told when
its request went out: the delay counts from then, and until then nobody else is let in.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pipelines.database import DatabaseError
from pipelines.store.host_slots import HostClaim, HostTurn, HostUse

log = logging.getLogger(__name__)

#: seconds between two signs of life
BEAT_EVERY = 2.5
#: seconds that one is good for: so long is waited for a process that died elsewhere
ALIVE_FOR = 10.0
#: seconds without others after which a process keeps the pace by itself again
ALONE_AFTER = 30.0
#: seconds between two looks whether the others know by now
LOOK_EVERY = 0.25
#: seconds between two calls, at least: what comes meanwhile goes together
LEAST_PAUSE = 0.01
#: seconds that the end of a request may wait for the next call
RELEASED_WITHIN = 0.1
#: seconds that a request may take to arrive: an answer that begins within them says when it had arrived, and the delay
#: counts from then; a site that thinks for longer has had the request all the same
ARRIVES_WITHIN = 0.25
#: seconds after the grant in which a request must be sent, else its turn is over. ``ingest.claim_host_turns`` knows it
#: too: nobody else is let in meanwhile, nor in the delay after that
SENDS_WITHIN = 12.0
#: seconds by which two clocks may differ without a word
CLOCK_OFF = 30.0


#: those of this very process: several can share one, and its number says nothing of them
_here: set[str] = set()


class TurnStore(Protocol):
    """The store's methods for turns."""

    async def beat(
        self, worker_id: str, alive_for: timedelta, is_sharing: bool, gone: Sequence[str] = ()
    ) -> tuple[dict[str, bool], datetime]: ...

    async def leave(self, worker_id: str) -> None: ...

    async def claim_host_turns(
        self, worker_id: str, states: Sequence[HostUse], claims: Sequence[HostClaim]
    ) -> list[HostTurn]: ...

    async def publish_hosts(self, worker_id: str, states: Sequence[HostUse], free: Mapping[str, float]) -> None: ...

    async def busy_hosts(self) -> dict[str, float]: ...


@dataclass(eq=False, slots=True)
class Turn:
    """One request's turn at a host. ``is_resting``: the database knows of a rest of the host."""

    host: str
    source: str
    is_list: bool
    delay: float
    most: int
    claim: str = ""
    is_resting: bool = False
    sent_at: float | None = None
    due: float = 0.0
    valid_until: float = float("inf")
    granted: asyncio.Future[None] | None = field(default=None, repr=False)


def clock_offset(known: timedelta, asked: datetime, now: datetime, answered: datetime) -> timedelta:
    """By how much the database's clock is ahead, which said *now* between two times of ours.

    What was *known* stays as far as it can be true: an answer that came late, as after an outage, says little.
    """
    return min(max(known, now - answered), now - asked)


class SharedPace:
    """One object a process. *free_hosts* says in how many seconds which host is free, as this process knows it;
    *busy* is told what others know when they have gone. *is_gone*: whether a worker is known to have ended."""

    def __init__(
        self,
        store: TurnStore,
        worker_id: str,
        is_gone: Callable[[str], bool] = lambda worker_id: False,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._store, self._worker_id, self._is_gone, self._clock = store, worker_id, is_gone, clock
        self.free_hosts: Callable[[], Mapping[str, float]] = dict
        self.busy: Callable[[Mapping[str, float]], object] = lambda hosts: None
        self.is_sharing = False
        self._unready = False  # somebody does not know of us yet
        self._fresh_until = float("-inf")
        self._others_at = float("-inf")
        self._offset = timedelta()  # of the database's clock from ours
        self._beating = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._numbers = itertools.count(1)
        self._in_flight: Counter[str] = Counter()
        self._most: dict[str, int] = {}
        self._wishes: dict[str, deque[Turn]] = {}
        self._told: list[tuple[float, Turn]] = []  # when it is to be told, and of which turn
        self._moved = asyncio.Event()

    # --- turns -------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The time of the database, as far as it is known."""
        return datetime.now(UTC) + self._offset

    async def claim(self, host: str, source: str, is_list: bool, delay: float, most: int) -> Turn:
        """Wait for a turn: at once where this process is alone. *delay* in seconds, *most* requests at a time."""
        turn = Turn(host, source, is_list, delay, most)
        await self.ready()
        if self.is_sharing:
            turn.claim, turn.due = f"{self._worker_id}#{next(self._numbers)}", self._clock()
            turn.granted = asyncio.get_running_loop().create_future()
            self._wishes.setdefault(host, deque()).append(turn)
            self._moved.set()
            try:
                await turn.granted
            except BaseException:
                if turn.granted.done() and not turn.granted.cancelled() and turn.granted.exception() is None:
                    self.left(turn)  # granted at the very moment it gave up
                raise
        else:
            # who comes new waits until our sign of life is over, and no longer
            turn.valid_until = self._fresh_until
            self._entered(turn)
        return turn

    def may_send(self, turn: Turn) -> bool:
        """Whether nobody else has been let in since the grant: who was frozen meanwhile finds out here."""
        return self._clock() < turn.valid_until

    def sent(self, turn: Turn) -> None:
        """Its request has gone out, or its answer has begun."""
        now = self._clock()
        if not turn.claim or (turn.sent_at is not None and now - turn.sent_at > ARRIVES_WITHIN):
            return
        turn.sent_at = now
        self._tell(turn, min(RELEASED_WITHIN, turn.delay / 4))

    def left(self, turn: Turn) -> None:
        """Its request has ended."""
        self._in_flight[turn.host] -= 1
        if not self._in_flight[turn.host]:
            del self._in_flight[turn.host]
        if self.is_sharing:
            self._tell(turn, RELEASED_WITHIN if turn.sent_at is not None else 0.0)

    def _entered(self, turn: Turn) -> None:
        self._in_flight[turn.host] += 1
        self._most[turn.host] = turn.most
        if len(self._most) > 20_000:
            self._most = {host: self._most[host] for host in self._in_flight}

    def _tell(self, turn: Turn, within: float) -> None:
        self._told.append((self._clock() + within, turn))
        self._moved.set()

    async def _claim_all(self) -> None:
        """Claim what is due, and tell what is to be told, for as long as this process works."""
        while True:
            dues = [due for due, _ in self._told] + [turn.due for wishes in self._wishes.values() for turn in wishes]
            wait = min(dues, default=float("inf")) - self._clock()
            if wait > 0:
                self._moved.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if wait == float("inf") else wait):
                        await self._moved.wait()
                continue
            await self._call()
            await asyncio.sleep(LEAST_PAUSE)

    async def _call(self) -> None:
        asked = self._due()
        told, self._told = self._told, []
        if not asked and not told:
            return
        claims = [
            HostClaim(one.host, one.source, one.is_list, one.delay, one.most, one.claim) for one in asked.values()
        ]
        for turn in asked.values():
            turn.valid_until = self._clock() + SENDS_WITHIN
        try:
            turns = await self._store.claim_host_turns(self._worker_id, [self._use(turn) for _, turn in told], claims)
        except Exception as error:  # whoever waits says so; what was to be told is told with the next call
            if not isinstance(error, DatabaseError):
                log.exception("turns at hosts")
            self._told = told + self._told
            for turn in asked.values():
                if turn.granted and not turn.granted.done():
                    turn.granted.set_exception(error)
            await asyncio.sleep(LOOK_EVERY)
            return
        for answer in turns:
            self._answered(asked[answer.claim], answer)

    def _due(self) -> dict[str, Turn]:
        """By claim, of each host the first turn that may be asked for now. Those that nobody waits for are dropped."""
        now, asked = self._clock(), {}
        for host, wishes in list(self._wishes.items()):
            left = deque(turn for turn in wishes if turn.granted and not turn.granted.done())
            if not left:
                del self._wishes[host]
                continue
            self._wishes[host] = left
            if turn := next((turn for turn in left if turn.due <= now), None):
                asked[turn.claim] = turn
        return asked

    def _use(self, turn: Turn) -> HostUse:
        in_flight, most = self._in_flight.get(turn.host, 0), self._most.get(turn.host, turn.most)
        if not turn.claim:
            return HostUse(turn.host, in_flight, most)
        ago = None if turn.sent_at is None else self._clock() - turn.sent_at
        return HostUse(turn.host, in_flight, most, turn.claim, ago, None if ago is None else turn.delay)

    def _answered(self, turn: Turn, answer: HostTurn) -> None:
        turn.is_resting = answer.is_resting
        if answer.is_granted:
            self._entered(turn)
            if turn.granted is None or turn.granted.done():
                self.left(turn)  # nobody waits for it any more
            else:
                turn.granted.set_result(None)
        else:
            turn.due = self._clock() + min(answer.wait, BEAT_EVERY)

    # --- who else is there -------------------------------------------------------------------------------------------

    async def ready(self) -> None:
        """Return when all that live know of this process, and it knows of them."""
        while self._clock() >= self._fresh_until or self._unready:
            await self._beat()
            if self._unready:
                await asyncio.sleep(LOOK_EVERY)
        if not self._tasks:
            _here.add(self._worker_id)
            self._tasks = [asyncio.create_task(self._beat_on()), asyncio.create_task(self._claim_all())]

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            try:
                await self._beat()
            except DatabaseError as error:  # the next request meets the same, and says so
                log.debug("no sign of life: %s", error)
            except Exception:  # a mistake of ours does not stop the signs of life
                log.exception("signs of life")

    async def _beat(self) -> None:
        async with self._beating:
            begun, others = self._clock(), await self._looked()
            if others and not self.is_sharing:
                self.is_sharing = True  # from now on nothing is asked without a turn; what was asked is published
                log.info("other processes work on this database: hosts are asked in turn with them")
                await self._publish()
                others = await self._looked()
            if others:
                self._others_at = self._clock()
            elif self.is_sharing and self._clock() - self._others_at > ALONE_AFTER and not self._wishes:
                others = await self._alone()
            self._unready = not all(others.values())
            self._fresh_until = begun + ALIVE_FOR

    async def _alone(self) -> dict[str, bool]:
        """Keep the pace without the others, unless one came meanwhile: who asks now waits until that is known."""
        self._unready = True
        self.busy(await self._store.busy_hosts())
        self.is_sharing = False
        if await self._looked():
            self.is_sharing = True
            self._others_at = self._clock()
        return await self._looked()

    async def _looked(self, gone: Sequence[str] = ()) -> dict[str, bool]:
        """Give a sign of life; the others that live, and whether they share."""
        asked = datetime.now(UTC)
        others, now = await self._store.beat(self._worker_id, timedelta(seconds=ALIVE_FOR), self.is_sharing, gone)
        offset = clock_offset(self._offset, asked, now, datetime.now(UTC))
        if abs(offset - self._offset).total_seconds() > CLOCK_OFF and abs(offset).total_seconds() > CLOCK_OFF:
            log.warning("the clock of this machine and that of the database differ by %d s", offset.total_seconds())
        self._offset = offset
        ended = [] if gone else [other for other in others if other not in _here and self._is_gone(other)]
        return await self._looked(ended) if ended else others

    async def _publish(self) -> None:
        """Tell the others when the hosts of this process are free, and what it has in flight there."""
        free = self.free_hosts()
        states = [
            HostUse(host, self._in_flight.get(host, 0), self._most.get(host, 1_000_000))
            for host in {*free, *self._in_flight}
        ]
        await self._store.publish_hosts(self._worker_id, states, free)

    async def close(self) -> None:
        """Say goodbye; a database that is away finds out by itself."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
        _here.discard(self._worker_id)
        if self._fresh_until > float("-inf"):
            self._fresh_until = float("-inf")
            try:
                async with asyncio.timeout(1):
                    await self._store.leave(self._worker_id)
            except (DatabaseError, TimeoutError) as error:
                log.debug("no goodbye: %s", error)
