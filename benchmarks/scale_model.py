"""A simulated day of many sources and workers, for ``benchmarks.scale``: how long from publication to row.

Nothing is asked and nothing is stored here. Sources publish by their rhythms; runs come at their slots, wait for a
place in a worker, for the site, for its delay, for the worker's event loop, for a reader and for the database. Each of
these serves who comes first. What a step takes of the database was measured (``benchmarks.scale_looks``), what it takes
of a worker and of the web is stated.
"""

from __future__ import annotations

import bisect
import heapq
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.polling import Simulated
from crawler.slots import share
from crawler.worker import CONCURRENCY

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds. ``look``, ``article`` and ``recheck`` of the database: one run, one stored article, one 304 of an
    article. ``fetch``: until an answer is there; ``delay``: between two requests to a host."""

    look: float
    article: float
    recheck: float
    main_look: float
    main_article: float
    reading: float
    fetch: float
    delay: float


@dataclass(frozen=True, slots=True)
class Machines:
    """``readers`` a worker, ``cores`` of the database, ``places``: runs at a time in a worker."""

    workers: int
    readers: int
    cores: int
    places: int = CONCURRENCY


@dataclass
class Day:
    """What a day came to. ``delays`` in seconds, in order; shares are of the time that there was."""

    stored: int = 0
    published: int = 0
    left_feed: int = 0
    looks: int = 0
    late_looks: int = 0
    delays: list[float] = field(default_factory=list)
    database: float = 0.0
    main: float = 0.0
    readers: float = 0.0

    def delay(self, share_: float) -> float:
        return self.delays[min(int(share_ * len(self.delays)), len(self.delays) - 1)] if self.delays else 0.0


class Server:
    """So many alike that serve who comes first. ``busy`` is the seconds that they served."""

    def __init__(self, number: int):
        self.free = [0.0] * number
        self.busy = 0.0

    def until(self, now: float, seconds: float) -> float:
        """When work that comes now is done. To be called in the order of time."""
        end = max(now, self.free[0]) + seconds
        heapq.heapreplace(self.free, end)
        self.busy += seconds
        return end


#: goes on at the moments that it yields, in seconds since midnight
Steps = Iterator[float]


class Simulation:
    """One day; *sources* publish in minutes since midnight. *rechecks* an article, *every*: between two looks."""

    def __init__(self, sources: Sequence[Simulated], taken: Taken, machines: Machines, rechecks: int, every: timedelta):
        self.sources, self.taken, self.machines = sources, taken, machines
        self.rechecks, self.every = rechecks, every.total_seconds()
        self.day = Day(published=sum(len(source.published) for source in sources))
        self.now = 0.0
        self.database = Server(machines.cores)
        self.mains = [Server(1) for _ in range(machines.workers)]
        self.readers = [Server(machines.readers) for _ in range(machines.workers)]
        self.places = [machines.places] * machines.workers
        self.last = -1  # the worker that got the last run
        self.waiting: deque[int] = deque()
        self.seen = [0] * len(sources)
        self.due = [0.0] * len(sources)  # rechecks, and the part of one that is left
        self.running = [False] * len(sources)
        self._events: list[tuple[float, int, Steps]] = []
        self._numbers = itertools.count()

    def run(self) -> Day:
        """The day, and what of it is under way at its end; a row after midnight is none of the day's."""
        for number in range(len(self.sources)):
            self._at(share(f"s{number}", "offset") * self.every, self._slots(number))
        while self._events:
            self.now, _, steps = heapq.heappop(self._events)
            following = next(steps, None)
            if following is not None:
                self._at(following, steps)
        day = self.day
        day.delays.sort()
        day.database = self.database.busy / DAY
        day.main = max(server.busy for server in self.mains) / DAY
        day.readers = sum(server.busy for server in self.readers) / DAY
        return day

    def _at(self, moment: float, steps: Steps) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), steps))

    def _slots(self, number: int) -> Steps:
        """A run at each slot; where the last one still goes on, this one is skipped, as the lease does it."""
        while self.now < DAY:
            self.day.looks += 1
            if self.running[number]:
                self.day.late_looks += 1
            else:
                self.running[number] = True
                self.waiting.append(number)
                self._let_in()
            yield self.now + self.every

    def _let_in(self) -> None:
        """Those that wait go where most places are free; where that is so of several, to each in turn."""
        while self.waiting and (most := max(self.places)):
            number = len(self.places)
            turns = ((self.last + one) % number for one in range(1, number + 1))
            self.last = worker = next(one for one in turns if self.places[one] == most)
            self.places[worker] -= 1
            self._at(self.now, self._run(self.waiting.popleft(), worker))

    def _run(self, number: int, worker: int) -> Steps:
        """One look at a source: its list, then each page a delay after the one before; over when all of them are."""
        taken, main = self.taken, self.mains[worker]
        yield main.until(self.now, taken.main_look)
        yield self.database.until(self.now, taken.look)
        asked = self.now
        yield asked + taken.fetch
        self.due[number] += len(self.sources[number].published) * self.rechecks * self.every / DAY
        again = int(self.due[number])
        self.due[number] -= again
        new = self._new(number)
        left = [len(new) + again]
        for place, minute in enumerate(new, 1):
            self._at(asked + place * taken.delay + taken.fetch, self._article(60 * minute, number, worker, left))
        for place in range(len(new) + 1, left[0] + 1):
            self._at(asked + place * taken.delay + taken.fetch, self._recheck(number, worker, left))
        if not left[0]:
            self._ended(number, worker)

    def _ended(self, number: int, worker: int) -> None:
        self.running[number] = False
        self.places[worker] += 1
        self._let_in()

    def _new(self, number: int) -> Sequence[float]:
        """What the feed lists and nobody has seen, latest first."""
        source, first = self.sources[number], self.seen[number]
        here = bisect.bisect_right(source.published, self.now / 60, lo=first)
        left = max(first, here - source.entries)
        self.day.left_feed += left - first
        self.seen[number] = here
        return source.published[left:here][::-1]

    def _article(self, published: float, number: int, worker: int, left: list[int]) -> Steps:
        """A page that was fetched, of a run in which so many are *left*."""
        yield self.readers[worker].until(self.now, self.taken.reading)
        yield self.mains[worker].until(self.now, self.taken.main_article)
        yield self.database.until(self.now, self.taken.article)
        if self.now <= DAY:
            self.day.stored += 1
        self.day.delays.append(self.now - published)
        self._page_ended(number, worker, left)

    def _recheck(self, number: int, worker: int, left: list[int]) -> Steps:
        """A 304. It is as many as all others together, so that it waits for its worker and the database in one step."""
        at = self.mains[worker].until(self.now, self.taken.main_look)
        self.database.until(at, self.taken.recheck)
        self._page_ended(number, worker, left)
        yield from ()

    def _page_ended(self, number: int, worker: int, left: list[int]) -> None:
        left[0] -= 1
        if not left[0]:
            self._ended(number, worker)
