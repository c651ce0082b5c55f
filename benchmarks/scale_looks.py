"""Looks at sources through the real store, for ``benchmarks.scale``: what each step takes of the database's processor.

The sources of a round are looked at in step: all of them claim their slot at once, then all offer their feed, and so
on, spread over as many stores (each with its own connections) as there are workers. Between two steps the processor
time of all the server's processes is read from /proc, so that each step has its own.

The time in which articles are published and slots come is simulated and lies in the past. The database's clock is the
real one: what is due is due at the next look, so articles are looked at again as often as they are in two weeks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from benchmarks.articles import Generator, page_and_article
from benchmarks.polling import Simulated
from crawler.downloader.shared_pace import BEAT_EVERY
from crawler.takeover import LOOK_EVERY
from pipelines.items import Article, Hint, Link, Page, Provenance
from pipelines.recheck import RecheckPlan
from pipelines.store import Document, Run, SourceRow, Store
from pipelines.store.host_slots import HostClaim, HostUse

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday, as in the rhythms of benchmarks.polling
BERLIN = ZoneInfo("Europe/Berlin")
#: nothing waits for its time: the simulated days pass in minutes
NOW = timedelta()
COPIES = 5  # one article of so many is a shortened copy
AT_A_TIME = 50  # pages that are claimed together
TURN = 0.000_001  # seconds that a host is taken: a simulated second is none of the database's clock
BACKGROUND = ("checkpointer", "writer", "autovacuum", "logical", "io worker", "archiver", "logger")


def rechecks_of(plan: RecheckPlan) -> int:
    """How often an article that never changes is looked at again under *plan*."""
    first, at, number = START, START, 0
    while (due := plan.next_check(first, first, at, number)) is not None:
        at, number = due, number + 1
    return number


class ServerClock:
    """Processor seconds of a server's processes, to the nanosecond: its clients' and what it does beside them."""

    def __init__(self, dsn: str):
        with psycopg.connect(dsn) as connection:
            folder = connection.execute("SHOW data_directory").fetchone()
        assert folder is not None
        self._postmaster = int((Path(folder[0]) / "postmaster.pid").read_text().split("\n", 1)[0])
        self._seen: dict[int, float] = {}
        self._is_background: dict[int, bool] = {}

    def seconds(self) -> tuple[float, float]:
        """(clients, background) so far. What a process used after the last reading before its end is missing."""
        main = self._postmaster
        for child in map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split()):
            with contextlib.suppress(OSError):
                if child not in self._is_background:
                    said = Path(f"/proc/{child}/cmdline").read_text()
                    self._is_background[child] = any(word in said for word in BACKGROUND)
                self._seen[child] = int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
        sums = [0.0, 0.0]
        for pid, seconds in self._seen.items():
            sums[self._is_background[pid]] += seconds
        return sums[0], sums[1]


@dataclass
class Ledger:
    """Per step: how often it was taken, processor seconds of the database's clients, seconds it took."""

    calls: Counter[str] = field(default_factory=Counter)
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    wall: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    background: float = 0.0

    def of(self, step: str) -> float:
        """Processor seconds of the database for one call."""
        return self.cpu[step] / self.calls[step] if self.calls[step] else 0.0


@dataclass
class Source:
    """A source that is looked at, with its feed. ``seen``: articles of it that a look has found."""

    name: str
    rhythm: Simulated
    generator: Generator
    seen: int = 0
    left_feed: int = 0
    texts: list[str] = field(default_factory=list)

    @property
    def feed(self) -> str:
        return f"https://{self.name}.example/feed.xml"

    def url(self, number: int) -> str:
        return f"https://{self.name}.example/artikel-{number}.html"

    def published(self, number: int) -> datetime:
        return START + timedelta(minutes=self.rhythm.published[number])

    def article(self, url: str, at: datetime) -> tuple[Page, Article]:
        """The page of that address as it is fetched, and what is read from it; one of some is a copy."""
        number = int(url.rpartition("-")[2].removesuffix(".html"))
        text = self.generator.text()
        if number % COPIES == COPIES - 1 and self.texts:
            text = self.texts[-1][: int(len(self.texts[-1]) * 0.8)]
        self.texts = [*self.texts[-2:], text]
        page, article = page_and_article(number, text, self.generator.sentence()[:90], self.name)
        body = f"{self.name} {number}".encode()
        return replace(page, url=url, body=body, fetched_at=at), replace(
            article, url=url, canonical_url=url, fetched_at=at, published_at=self.published(number)
        )


@dataclass
class Look:
    """One run of one source. ``new``: numbers of the articles that its feed lists and nobody has seen."""

    source: Source
    store: Store
    worker: str
    slot: datetime
    new: Sequence[int] = ()
    run: Run | None = None
    pages: list[tuple[Page, Article]] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def begun(self) -> Run:
        assert self.run is not None
        return self.run


class Looks:
    """Looks at *sources* with so many stores; ``ledger`` is what it took."""

    def __init__(self, dsn: str, sources: Sequence[Source], stores: Sequence[Store], *, has_turns: bool):
        self.sources, self.stores, self.has_turns = sources, stores, has_turns
        self.clock, self.ledger = ServerClock(dsn), Ledger()
        self.kinds: Counter[str] = Counter()
        self.turns = 0
        self._background = self.clock.seconds()[1]

    def forget(self) -> None:
        """What it took so far: connections that are new plan each statement anew."""
        self.ledger = Ledger()
        self._background = self.clock.seconds()[1]

    def finish(self) -> Ledger:
        """What it took, with what the server did beside it."""
        self.ledger.background = self.clock.seconds()[1] - self._background
        return self.ledger

    async def round(self, minute: float) -> None:
        """One look at each source, at so many minutes after START."""
        looks = [self._look(number, source, minute) for number, source in enumerate(self.sources)]
        await self.step("claim slot", looks, _claim_slot)
        looks = [look for look in looks if look.run is not None]
        await self._turns(looks)
        await self.step("feed, 304", [look for look in looks if not look.new], _feed)
        await self.step("feed, new", [look for look in looks if look.new], _feed)
        await self.step("claim pages", looks, _claim_pages)
        pages = [(look, each) for look in looks for each in look.pages]
        await self._turns([look for look, _ in pages])
        await self.step("store article", pages, lambda one: _store(one[0], *one[1]))
        again = [(look, url) for look in looks for url in look.again]
        await self._turns([look for look, _ in again])
        await self.step("recheck, 304", again, lambda one: _unmodified(*one))
        await self.step("end run", looks, _end)
        changed = [look for look in looks if look.new]
        await self.step("health", looks, _health)
        await self.step("site model", changed, lambda look: look.store.learn(look.source.name))
        await self.step("stories", changed, lambda look: look.store.group_stories())
        await self.step("next run", looks, _next_run)
        for look in looks:
            self.kinds += look.kinds

    def _look(self, number: int, source: Source, minute: float) -> Look:
        published = source.rhythm.published
        here = source.seen
        while here < len(published) and published[here] <= minute:
            here += 1
        first = max(source.seen, here - source.rhythm.entries)
        source.left_feed += first - source.seen
        new, source.seen = range(first, here), here
        worker = number % len(self.stores)
        return Look(source, self.stores[worker], f"machine{worker}:1", START + timedelta(minutes=minute), new)

    async def step(self, step: str, things: Sequence[object], work: Callable[..., Awaitable[object]]) -> None:
        if not things:
            return
        used, begun = self.clock.seconds(), time.perf_counter()
        await asyncio.gather(*(work(one) for one in things))
        now = self.clock.seconds()
        self.ledger.calls[step] += len(things)
        self.ledger.cpu[step] += now[0] - used[0]
        self.ledger.wall[step] += time.perf_counter() - begun

    async def _turns(self, looks: Sequence[Look]) -> None:
        """A request each: as ``crawler.downloader.shared_pace`` claims them, a call for all hosts of a process."""
        if not self.has_turns or not looks:
            return
        by_call: dict[tuple[int, int], list[Look]] = defaultdict(list)
        met: Counter[str] = Counter()  # in a call, each host once
        for look in looks:
            by_call[self.stores.index(look.store), met[look.source.name]].append(look)
            met[look.source.name] += 1
        for turn in sorted({turn for _, turn in by_call}):
            calls = [group for (_, one), group in by_call.items() if one == turn]
            before = self.ledger.calls["turns"]
            await self.step("turns", calls, self._claim_turns)
            self.ledger.calls["turns"] = before + sum(map(len, calls))  # counted in requests, not in calls

    async def _claim_turns(self, looks: Sequence[Look]) -> None:
        """What was granted is told when its request was sent, and that it has ended, with the next call."""
        store, worker = looks[0].store, looks[0].worker
        claims = []
        for look in looks:
            self.turns += 1
            host = f"{look.source.name}.example"
            claims.append(HostClaim(host, look.source.name, False, TURN, 16, f"{worker}#{self.turns}"))
        await store.claim_host_turns(worker, [], claims)
        uses = [HostUse(one.host, 0, 16, one.claim, 0.0, TURN) for one in claims]
        await store.claim_host_turns(worker, uses, [])


async def _claim_slot(look: Look) -> None:
    look.run = await look.store.begin_run(look.source.name, "crawl", look.worker, look.slot)
    if look.run is not None:
        await look.store.site_model(look.source.name)


async def _feed(look: Look) -> None:
    source = look.source
    await look.store.document_state(look.begun, source.feed)
    if not look.new:
        said = Document(source.feed, "feed", 304, not_modified=True, ms=80, etag='"1"')
        await look.store.enqueue(look.begun, [], said)
        return
    entries = range(max(0, source.seen - source.rhythm.entries), source.seen)
    links = [
        Link(source.url(one), source.feed, Hint(Provenance.FEED, published_at=source.published(one))) for one in entries
    ]
    digest = f"{source.seen:032x}"
    said = Document(source.feed, "feed", 200, etag=f'"{source.seen}"', links=len(links), ms=80, bytes=30_000,
                    entries=len(links), digest=digest)  # fmt: skip
    await look.store.enqueue(look.begun, links, said, 5000)


async def _claim_pages(look: Look) -> None:
    while entries := await look.store.claim_batch(look.begun, AT_A_TIME):
        for entry in entries:
            if entry.recheck:
                look.again.append(entry.url)
            else:
                look.pages.append(look.source.article(entry.url, look.slot))


async def _store(look: Look, page: Page, article: Article) -> None:
    outcome = await look.store.save_article(look.begun, page, article, etag='"1"', ms=120)
    look.kinds[outcome.kind] += 1


async def _unmodified(look: Look, url: str) -> None:
    await look.store.save_unmodified(look.begun, url, ms=80)
    look.kinds["recheck"] += 1


async def _end(look: Look) -> None:
    await look.store.end_run(look.begun, "finished")


async def _health(look: Look) -> None:
    await look.store.check_health(look.source.name, look.begun.id, BERLIN, has_pages=bool(look.new))


async def _next_run(look: Look) -> None:
    await look.store.save_next_run(look.source.name, look.slot + timedelta(minutes=15))


@contextlib.asynccontextmanager
async def opened(dsn: str, workers: int, rechecks: int) -> AsyncIterator[list[Store]]:
    """So many stores, as so many processes have them. An article is looked at again *rechecks* times, at once."""
    plan = RecheckPlan(rechecks > 0, NOW, NOW, timedelta(days=36500), rechecks)
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(await Store.open(dsn, rechecks=plan)) for _ in range(workers)]


async def save_sources(store: Store, number: int) -> None:
    """The rows of so many sources, which all statements of the schedule meet."""
    for first in range(0, number, 1000):
        names = range(first, min(first + 1000, number))
        await store.save_sources([SourceRow(f"s{one}", f"Source {one}", f"https://s{one}.example/", "de",
                                            hosts=[f"s{one}.example"]) for one in names])  # fmt: skip


#: seconds between two of each process's own looks at the database, whatever it has to do
STANDING = {"sign of life": BEAT_EVERY, "look for abandoned runs": LOOK_EVERY}


async def standing(looks: Looks, times: int) -> None:
    """What every process asks for as long as it lives, so many times each."""
    stores = [(looks.stores[one % len(looks.stores)], f"machine{one % len(looks.stores)}:1") for one in range(times)]
    alive = timedelta(seconds=10)
    await looks.step("sign of life", stores, lambda one: one[0].beat(one[1], alive, True))
    await looks.step("look for abandoned runs", stores, lambda one: one[0].abandoned_runs())
