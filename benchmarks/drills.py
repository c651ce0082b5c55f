"""What happens when it breaks: kills, restarts, lost answers, full disks, poison. Anyone can run it:

    python -m benchmarks.drills [--kills 20] [--only NAME,NAME] [--json]

Each drill runs the real command line against a site on loopback and an embedded Postgres of its own, breaks something
at random moments, lets it finish, and counts: articles that are missing, articles that are there twice, requests for
each article, and the most memory that the crawling process and its readers held together. ``tests/test_drills.py`` runs
the same drills in a short form.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
from aiohttp import web
from aiohttp.web import StreamResponse as Response

from crawler import config
from crawler.reports import RunReport
from crawler.schedule import Scheduler
from crawler.services import open_services
from pipelines import database

if TYPE_CHECKING:
    from tests import hostile_web

WORDS = (
    "Der Gemeinderat hat am Abend nach langer Debatte beschlossen, die alte Brücke über den Bach zu erneuern. "
    "Die Arbeiten sollen im Frühjahr beginnen und rund ein halbes Jahr dauern, wie die Bürgermeisterin mitteilte. "
)
LONGEST = 420.0  # seconds that one process of a drill may take


@dataclass
class Result:
    """One drill's line in the table. ``lost`` and ``doubled`` are articles, ``peak_mb`` is resident memory in MB."""

    drill: str
    broken: int
    articles: int
    lost: int
    doubled: int
    requests_per_article: float
    peak_mb: int = 0
    seconds: float = 0.0
    said: str = ""
    ok: bool = True


# --- a site that can be watched --------------------------------------------------------------------------------------


@dataclass
class Paper:
    """A site of *count* articles whose feed shows *window* of them and moves on by *step* each time it is asked for.

    ``extra`` are further answers by path, ``hold`` paths that do not answer until they are taken out of it.
    """

    count: int
    window: int = 60
    step: int = 20
    name: str = "Zeitung"
    asked: Counter[str] = field(default_factory=Counter)
    extra: dict[str, Callable[[], web.StreamResponse]] = field(default_factory=dict)
    hold: dict[str, asyncio.Event] = field(default_factory=dict)
    base: str = ""
    begin: int = 0
    requests: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def urls(self) -> set[str]:
        return {f"{self.base}/artikel/{number}" for number in range(self.count)}

    @property
    def articles_asked(self) -> int:
        return sum(number for path, number in self.asked.items() if path.startswith("/artikel/"))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.asked[path] += 1
        async with self.requests:
            self.requests.notify_all()
        if path in self.hold:
            await self.hold[path].wait()
        if path in self.extra:
            return self.extra[path]()
        if path == "/feed.xml":
            return web.Response(text=self.feed(), content_type="application/rss+xml")
        number = path.removeprefix("/artikel/")
        if number.isdigit() and int(number) < self.count:
            return web.Response(text=self.article(int(number)), content_type="text/html")
        return web.Response(status=404)

    def feed(self) -> str:
        end = min(self.count, self.begin + self.window)
        numbers = reversed(range(self.begin, end))  # the newest first, as feeds do
        self.begin = min(self.begin + self.step, max(0, self.count - self.window))
        more = "".join(f"<item><link>{self.base}{path}</link></item>" for path in self.extra)
        items = "".join(f"<item><link>{self.base}/artikel/{number}</link></item>" for number in numbers)
        return f'<rss version="2.0"><channel><title>Zeitung</title>{more}{items}</channel></rss>'

    def article(self, number: int) -> str:
        text = "".join(f"<p>{WORDS} Absatz {part} zu Nummer {number}, {self.name}.</p>" for part in range(3))
        # most of its words are its own, so that it is no copy of another one
        mine = f"{self.name[:3]}{number}"  # one word, with the number: papers are no copies of each other
        own = " ".join(f"Balken {mine}-{n} trägt Pfeiler {mine}-{n} über Fluss {mine}-{n}." for n in range(60))
        return (
            f'<!DOCTYPE html><html lang="de"><head><title>Brücke {number} wird erneuert</title>'
            '<meta property="og:type" content="article"></head>'
            f"<body><article><h1>Brücke {number} wird erneuert</h1><p>{own}</p>{text}</article></body></html>"
        )

    async def until_asked(self, more: int, process: asyncio.subprocess.Process) -> bool:
        """Wait for *more* further requests for articles. False: the process ended before."""
        wanted = self.articles_asked + more
        ended = asyncio.create_task(process.wait())
        try:
            async with asyncio.timeout(LONGEST):
                while self.articles_asked < wanted and not ended.done():
                    async with self.requests:
                        waiting = asyncio.create_task(self.requests.wait())
                        with suppress(TimeoutError):
                            await asyncio.wait_for(waiting, 0.1)
        finally:
            ended.cancel()
        return self.articles_asked >= wanted


@asynccontextmanager
async def served(*papers: Paper) -> AsyncIterator[None]:
    """Each paper on a loopback port of its own."""
    runners = []
    for paper in papers:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", paper.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        paper.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        runners.append(runner)
    try:
        yield
    finally:
        for paper in papers:
            for held in paper.hold.values():
                held.set()
        for runner in runners:
            await runner.cleanup()


# --- a machine that can be broken ------------------------------------------------------------------------------------


def used_by(process: psutil.Process) -> int:
    """Bytes of resident memory. Forked readers share most of theirs: each has its part of that, where Linux tells."""
    used = process.memory_full_info() if psutil.LINUX else process.memory_info()
    return getattr(used, "pss", used.rss)


@dataclass
class Place:
    """A folder with configuration, archive and database for one drill."""

    folder: Path
    dsn: str
    peak: int = 0
    started: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def configure(self, more: str = "", settings: str = "", **papers: Paper) -> None:
        (self.folder / "sources").mkdir(exist_ok=True)
        (self.folder / "settings.toml").write_text(
            'log_level = "INFO"\n'
            '[politeness]\ndelay = "0 seconds"\njitter = "0 seconds"\nconcurrency_per_host = 4\n'
            f'[limits]\nlinks = 50000\n[archive]\nfolder = "{self.archive}"\n{settings}'
        )
        for name, paper in papers.items():
            (self.folder / "sources" / f"{name}.toml").write_text(
                f'title = "{name}"\nhomepage = "{paper.base}/"\nlanguage = "de"\n'
                f'[discover]\nfeeds = ["{paper.base}/feed.xml"]\n'
                f'[fetch]\nallow_addresses = ["127.0.0.1/32:*"]\ntimeout = "20 seconds"\n{more}'
            )

    def attacked(self, hostile: str, port: int, bomber: Paper, names: list[str]) -> None:
        """Two more sources: every case of the hostile web, and every bomb, as pages and as lists of pages."""
        (self.folder / "sources" / "angriff.toml").write_text(
            f'title = "Angriff"\nhomepage = "{hostile}/"\nlanguage = "de"\n'
            f'[discover]\nfeeds = ["{hostile}/angriff.xml"]\n'
            f'[fetch]\nallow_addresses = ["127.0.0.1/32:{port}"]\ntimeout = "5 seconds"\n'
        )
        lists = {kind: [f"{bomber.base}/liste/{name}" for name in names if LISTS[name][0] == kind] for kind in
                 ("feeds", "sitemaps", "sections")}  # fmt: skip
        lists["feeds"].append(f"{bomber.base}/feed.xml")
        (self.folder / "sources" / "bomben.toml").write_text(
            f'title = "Bomben"\nhomepage = "{bomber.base}/"\nlanguage = "de"\n[discover]\n'
            + "".join(f"{kind} = {json.dumps(addresses)}\n" for kind, addresses in lists.items())
            + '[fetch]\nallow_addresses = ["127.0.0.1/32:*"]\n'
        )

    async def start(self, *words: str, dsn: str | None = None, **how: object) -> asyncio.subprocess.Process:
        env = os.environ | {
            "NACHLESE_CONFIG": str(self.folder),
            "NACHLESE_DATABASE_URL": dsn or self.dsn,
            "NACHLESE_HOME": str(self.folder),
        }
        command = [sys.executable, "-m", "crawler.cli", *words]
        process = await asyncio.create_subprocess_exec(
            *command, env=env, cwd=Path(__file__).parent.parent, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, **how,
        )  # fmt: skip
        self.started.append(process)
        return process

    async def ended(self, process: asyncio.subprocess.Process) -> tuple[int, str]:
        """Exit code and everything it said; its peak memory is noted meanwhile."""
        watching = asyncio.create_task(self.watch(process.pid))
        try:
            async with asyncio.timeout(LONGEST):
                said, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            said, _ = await process.communicate()
            said += b"\nHANGS: killed after its time\n"
        finally:
            watching.cancel()
        assert process.returncode is not None
        return process.returncode, said.decode("utf-8", "replace")

    async def round(self, *words: str, **how: object) -> tuple[int, str]:
        return await self.ended(await self.start(*(words or ("crawl",)), **how))

    async def watch(self, pid: int) -> None:
        """The most memory of a process and all below it, twenty times a second; what they share counts once."""
        with suppress(psutil.Error):
            parent = psutil.Process(pid)
            while True:
                held = 0
                for process in (parent, *parent.children(recursive=True)):
                    with suppress(psutil.Error):
                        held += used_by(process)
                self.peak = max(self.peak, held)
                await asyncio.sleep(0.05)

    def rows(self, statement: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def clear(self) -> None:
        """Forget everything but the tables."""
        self.rows("TRUNCATE ingest.sources, ingest.hosts, ingest.host_rests, ingest.archive_records CASCADE")
        shutil.rmtree(self.archive, ignore_errors=True)

    def counted(self, drill: str, broken: int, urls: set[str], asked: int, said: str = "", where: str = "") -> Result:
        """Compare what should be there with what is. *where* leaves out articles of which nothing was expected."""
        stored = self.rows(f"SELECT url, version, copy_of FROM news.articles {where}")
        there = {url for url, _, _ in stored}
        doubled = len(stored) - len(there) + sum(version > 1 or copy is not None for _, version, copy in stored)
        pending = self.rows("SELECT count(*) FROM ingest.pages WHERE state = 'pending'")[0][0]
        result = Result(drill, broken, len(urls), len(urls - there), doubled, round(asked / max(1, len(urls)), 3))
        result.peak_mb, result.said = self.peak >> 20, said
        result.ok = not (result.lost or result.doubled or pending)
        return result


@contextmanager
def server() -> Iterator[tuple[Path, str]]:
    """An embedded Postgres of its own: (folder, DSN)."""
    folder = Path(tempfile.mkdtemp(prefix="nachlese-drills-"))
    dsn = database.embedded(folder / "postgres")
    try:
        database.migrate(dsn)
        yield folder, dsn
    finally:
        database.leave(dsn)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def place(at: tuple[Path, str]) -> Iterator[Place]:
    """A clean place on the server *at*."""
    folder, dsn = at
    here = Path(tempfile.mkdtemp(prefix="drill-", dir=folder))
    made = Place(here, dsn)
    made.clear()
    try:
        yield made
    finally:
        for process in made.started:  # where the drill itself went wrong
            with suppress(ProcessLookupError):
                process.kill()
        shutil.rmtree(here, ignore_errors=True)


def postmaster(at: tuple[Path, str]) -> psutil.Process:
    return psutil.Process(int((at[0] / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))


async def stop_postgres(at: tuple[Path, str], number: signal.Signals) -> None:
    """Stop the server: SIGINT as a restart does it, SIGKILL as the kernel does when memory runs out."""
    process = postmaster(at)
    children = process.children()
    process.send_signal(number)
    await asyncio.to_thread(psutil.wait_procs, [process, *children], 20)


async def start_postgres(at: tuple[Path, str]) -> None:
    await asyncio.to_thread(database.revive, at[1])
    await asyncio.to_thread(database.wait_for, at[1], timedelta(seconds=30))


async def until(true: Callable[[], object], seconds: float = 60.0) -> float:
    """Ask again and again until *true* is; how long it took."""
    begin = time.monotonic()
    while not await asyncio.to_thread(true):
        if time.monotonic() - begin > seconds:
            raise TimeoutError("what was waited for did not come")
        await asyncio.sleep(0.05)
    return time.monotonic() - begin


# --- the drills ------------------------------------------------------------------------------------------------------


async def kills(at: tuple[Path, str], times: int = 20, step: int = 20, seed: int = 1) -> Result:
    """kill -9 at random moments, while the feed's window moves on by *step* articles each time."""
    dice = random.Random(seed)
    paper = Paper(count=step * (times + 2), window=3 * step, step=step)
    with place(at) as here:
        async with served(paper):
            here.configure(zeitung=paper)
            done = tries = 0
            while done < times and tries < 4 * times:
                tries += 1
                process = await here.start("crawl")
                watching = asyncio.create_task(here.watch(process.pid))
                alive = await paper.until_asked(dice.randint(1, step), process)
                await asyncio.sleep(dice.uniform(0, 0.15))
                watching.cancel()
                if alive and process.returncode is None:
                    process.kill()
                    done += 1
                await process.communicate()
            code, said = 1, ""
            for _ in range(8):  # until the window has come to its end
                code, said = await here.round()
                if paper.begin >= paper.count - paper.window and code == 0:
                    break
            result = here.counted("kill -9, feed moves on", done, paper.urls, paper.articles_asked)
    # the promise is about a crawl; of a few articles, those in flight at each kill are too large a part
    result.ok = result.ok and code == 0 and (paper.count < 200 or result.requests_per_article <= 1.3)
    result.said = "" if code == 0 else said[-300:]
    return result


async def restarts(at: tuple[Path, str], times: int = 4, away: float = 1.0, count: int = 200) -> Result:
    """Postgres is restarted and killed during one crawl, which goes on by itself; *away*: for so many seconds."""
    paper = Paper(count=count, window=count)
    with place(at) as here:
        async with served(paper):
            here.configure(zeitung=paper)
            process = await here.start("crawl")
            ending = asyncio.create_task(here.ended(process))
            broken = 0
            for number in range(times):
                if not await paper.until_asked(max(1, count // (times + 2)), process):
                    break
                await stop_postgres(at, signal.SIGINT if number % 2 else signal.SIGKILL)
                await asyncio.sleep(away)
                await start_postgres(at)
                broken += 1
            code, said = await ending
            name = "Postgres restarted and killed" if times > 1 else f"Postgres away for {away:.0f} s"
            result = here.counted(name, broken, paper.urls, paper.articles_asked)
    result.ok = result.ok and code == 0 and broken > 0
    lines = [line for line in said.splitlines() if "waiting for" in line]
    result.said = f"{len(lines)} lines in the log" if result.ok else f"exit code {code}: {said[-300:]}"
    return result


async def stopped_while_away(at: tuple[Path, str], count: int = 60) -> Result:
    """SIGTERM while Postgres is away: the schedule ends all the same; what was in flight comes again."""
    paper = Paper(count=count, window=count)
    with place(at) as here:
        async with served(paper):
            here.configure(
                more='[schedule]\nevery = "1 hour"\njitter = "0 seconds"\n',
                settings='[schedule]\nstop_within = "2 seconds"\n',
                zeitung=paper,
            )
            process = await here.start("schedule")
            ending = asyncio.create_task(here.ended(process))
            await paper.until_asked(3, process)
            await stop_postgres(at, signal.SIGINT)
            process.terminate()
            begin = time.monotonic()
            code, said = await ending
            took = time.monotonic() - begin
            await start_postgres(at)
            again, _ = await here.round()
            result = here.counted("stopped while Postgres is away", 1, paper.urls, paper.articles_asked)
    result.said = f"ended after {took:.1f} s (stop_within 2 s)"
    result.ok = result.ok and (code, again) == (0, 0)
    if not result.ok:
        result.said += f"; exit codes {code}, {again}: {said[-300:]}"
    return result


class LossyProxy:
    """A TCP way to Postgres on which the answer to every *nth* COMMIT is lost, and the connection with it."""

    def __init__(self, dsn: str, nth: int):
        host = parse_qs(urlsplit(dsn).query)["host"][0]
        self.path, self.nth = next(Path(host).glob(".s.PGSQL.*[0-9]")), nth
        self.commits = self.lost = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(str(self.path))
        dropping = asyncio.Event()

        async def forth() -> None:
            while data := await reader.read(1 << 16):
                if b"COMMIT" in data:
                    self.commits += 1
                    if self.commits % self.nth == 0:
                        dropping.set()
                server_writer.write(data)
                await server_writer.drain()

        async def back() -> None:
            while data := await server_reader.read(1 << 16):
                if dropping.is_set():
                    self.lost += 1
                    return
                writer.write(data)
                await writer.drain()

        pumps = [asyncio.create_task(forth()), asyncio.create_task(back())]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.wait(pumps)
        for end in (writer, server_writer):
            end.close()


async def lost_commits(at: tuple[Path, str], nth: int = 5, count: int = 200) -> Result:
    """A proxy drops the answer to every *nth* COMMIT: what was written is there, and nobody knows."""
    paper = Paper(count=count, window=count)
    paper.extra["/spaeter"] = lambda: web.Response(status=503)
    proxy = LossyProxy(at[1], nth)
    with place(at) as here:
        listening = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with served(paper):
            here.configure(zeitung=paper)
            code, said = await here.round(dsn=f"postgresql://postgres@127.0.0.1:{port}/postgres")
            attempts = here.rows("SELECT attempts FROM ingest.pages WHERE url LIKE '%%/spaeter'")
            here.rows("DELETE FROM ingest.run_pages; DELETE FROM ingest.pages WHERE state = 'pending'")
            result = here.counted("answers to COMMIT lost", proxy.lost, paper.urls, paper.articles_asked)
        listening.close()
    result.ok = result.ok and code == 1 and attempts == [(1,)] and proxy.lost > 0
    result.said = "" if result.ok else f"exit code {code}, attempts {attempts}: {said[-300:]}"
    return result


async def schedulers(at: tuple[Path, str], freeze: bool = False, lease: int = 3, every: int = 2) -> Result:
    """Two schedulers; the one that runs the source is killed, or frozen: the other one takes over, each slot once."""
    paper = Paper(count=3, window=3)
    paper.hold["/artikel/1"] = asyncio.Event()
    with place(at) as here:
        async with served(paper):
            here.configure(
                more=f'[schedule]\nevery = "{every} seconds"\njitter = "0 seconds"\n',
                settings=f'[schedule]\nlease = "{lease} seconds"\nstop_within = "2 seconds"\n',
                zeitung=paper,
            )
            both = [await here.start("schedule") for _ in range(2)]
            endings = [asyncio.create_task(here.ended(process)) for process in both]
            await until(lambda: paper.asked["/artikel/1"])
            (holder,) = here.rows("SELECT holder FROM ingest.runs WHERE ended_at IS NULL")[0]
            active = next(process for process in both if process.pid == int(holder.rsplit(":", 2)[1]))
            active.send_signal(signal.SIGSTOP if freeze else signal.SIGKILL)
            paper.hold.pop("/artikel/1")
            other = f"SELECT 1 FROM ingest.runs WHERE holder <> '{holder}' AND started_at > now() - interval '1 minute'"
            took = await until(lambda: here.rows(other))
            await until(lambda: len(here.rows("SELECT 1 FROM news.articles")) == 3)
            if freeze:
                active.send_signal(signal.SIGCONT)
            for process in both:
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
            codes = [code for code, _ in await asyncio.gather(*endings)]
            twice = here.rows("SELECT slot FROM ingest.runs GROUP BY slot HAVING count(*) > 1")
            result = here.counted(
                "a scheduler frozen" if freeze else "a scheduler killed", 1, paper.urls, paper.articles_asked,
                f"taken over after {took:.1f} s (lease {lease} s, interval {every} s), {len(twice)} slots run twice",
            )  # fmt: skip
    expected = [0, 0] if freeze else [-9, 0]
    result.ok = result.ok and not twice and sorted(codes) == expected
    return result


async def clock_steps(at: tuple[Path, str]) -> Result:
    """The wall clock jumps ahead by a day and back, back by an hour: each slot once, and it goes on."""
    paper = Paper(count=10, window=10)
    now = datetime.now(UTC)
    with place(at) as here:
        async with served(paper):
            here.configure(more='[schedule]\nevery = "10 minutes"\njitter = "0 seconds"\n', zeitung=paper)
            reports: list[RunReport] = []
            async with open_services(config.load(here.folder), here.dsn) as services:
                scheduler = Scheduler(services, reports.append, now=lambda: now)
                steps = [0, 10, 10, -60, 10, 10, 10, 10, 10, 10, 10, 24 * 60, -24 * 60, 10, 10]
                for minutes in steps:
                    now += timedelta(minutes=minutes)
                    await scheduler.due("zeitung")
                    await asyncio.gather(*scheduler.running.values())
            slots = Counter(report.slot for report in reports if report.outcome == "finished")
            expected = len(slots)
            result = here.counted("clock steps", len(steps), paper.urls, paper.articles_asked)
    result.said = f"{expected} slots, {sum(slots.values())} runs"
    result.ok = result.ok and set(slots.values()) == {1} and expected >= 10
    return result


async def full_disk(at: tuple[Path, str], room: int = 30_000, count: int = 60) -> Result:
    """The archive cannot grow any more: the run says so and exits with 1, all pages stay pending and come again."""
    paper = Paper(count=count, window=count)

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    with place(at) as here:
        async with served(paper):
            here.configure(zeitung=paper)
            code, said = await here.round(preexec_fn=small_files)
            pending = here.rows("SELECT count(*) FROM ingest.pages WHERE state = 'pending'")[0][0]
            again, _ = await here.round()
            result = here.counted("disk full", 1, paper.urls, paper.articles_asked)
    is_said = "cannot be written: File too large" in said
    result.said = f"exit code {code} with {pending} pending, then {again}"
    result.ok = result.ok and (code, again) == (1, 0) and pending > 0 and is_said
    return result


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Callable[[int], None]]:
    """A file system of its own at *folder*, which only root can have; what comes back changes its size."""

    def mount(*words: str) -> None:
        subprocess.run(["mount", *words], check=True, capture_output=True)

    folder.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        yield lambda size: mount("-o", f"remount,size={size}k", str(folder))
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def needs_root(drill: str) -> Result:
    return Result(drill, 0, 0, 0, 0, 0.0, said="left out: only root can mount a small file system")


async def full_archive(at: tuple[Path, str], count: int = 60) -> Result:
    """The same on a file system without room."""
    if os.geteuid() != 0:
        return needs_root("archive: no space left")
    paper = Paper(count=count, window=count)
    with place(at) as here, small_disk(here.archive, 64) as resize:
        async with served(paper):
            here.configure(zeitung=paper)
            code, said = await here.round()
            pending = here.rows("SELECT count(*) FROM ingest.pages WHERE state = 'pending'")[0][0]
            resize(64_000)
            again, _ = await here.round()
            result = here.counted("archive: no space left", 1, paper.urls, paper.articles_asked)
    result.said = f"exit code {code} with {pending} pending, then {again}"
    result.ok = result.ok and (code, again) == (1, 0) and pending > 0 and "No space left" in said
    return result


async def full_database(_: tuple[Path, str], count: int = 100, full: float = 20.0) -> Result:
    """The disk of Postgres runs full during a crawl and has room again later: the crawl waits and goes on by itself."""
    if os.geteuid() != 0:
        return needs_root("Postgres: no space left")
    paper = Paper(count=count, window=count)
    folder = Path(tempfile.mkdtemp(prefix="nachlese-drills-"))
    with small_disk(folder / "disk", 400_000):
        dsn = database.embedded(folder / "disk" / "postgres")
        database.migrate(dsn)
        ballast = folder / "disk" / "ballast"
        with place((folder, dsn)) as here:
            async with served(paper):
                here.configure(zeitung=paper)
                process = await here.start("crawl")
                ending = asyncio.create_task(here.ended(process))
                await paper.until_asked(5, process)
                with ballast.open("wb", buffering=0) as file:
                    for piece in (1 << 16, 1 << 12):
                        with suppress(OSError):
                            while file.write(bytes(piece)):
                                pass
                await asyncio.sleep(full)
                was_waiting = process.returncode is None
                ballast.unlink()
                code, said = await ending
                result = here.counted("Postgres: no space left", 1, paper.urls, paper.articles_asked)
        database.leave(dsn)
    shutil.rmtree(folder, ignore_errors=True)
    waited = sum("waiting for" in line for line in said.splitlines())
    result.said = f"without room for {full:.0f} s, {waited} lines in the log, exit code {code}"
    result.ok = result.ok and code == 0 and was_waiting
    if not result.ok:
        result.said += f": {said[-300:]}"
    return result


def poisons() -> dict[str, Callable[[], web.StreamResponse]]:
    """Pages that are hard on whoever reads them."""
    texts = {
        "tief": "<div>" * 200_000,
        "breit": "<p>" + "Wort " * 1_500_000,
        "verweise": "".join(f'<a href="/{number}">Verweis {number}</a> ' for number in range(150_000)),
        "tabelle": "<table>" + "<tr><td>" * 100_000,
        "attribute": "<p " + " ".join(f'a{number}="{number}"' for number in range(100_000)) + ">Text</p>",
        "json": '<script type="application/ld+json">' + "[" * 100_000 + "</script>",
        "nul": "<p>\0\ud800".encode("utf-8", "surrogatepass").decode("latin-1") * 1000,
        "kommentar": "<!--" * 100_000,
        "leer": "",
    }
    return {
        f"/gift/{name}": lambda text=text: web.Response(
            body=f"<html><body><article>{text}".encode(), content_type="text/html"
        )
        for name, text in texts.items()
    }


async def poison(at: tuple[Path, str], count: int = 20, most: int = 100) -> Result:
    """Pages that hang and explode, and readers killed from outside: the good pages among them are all stored."""
    paper = Paper(count=count, window=count)
    with place(at) as here:
        async with served(paper):
            paper.extra = dict(list(poisons().items())[:most])
            here.configure(settings='[crawl]\nreader_timeout = "3 seconds"\n', zeitung=paper)
            process = await here.start("crawl")
            ending = asyncio.create_task(here.ended(process))
            await paper.until_asked(count // 2, process)
            killed = 0
            with suppress(psutil.Error):
                for reader in psutil.Process(process.pid).children(recursive=True):
                    if not reader.children():  # a reader, not the one that forks them
                        reader.kill()
                        killed += 1
            code, said = await ending
            ends = dict(here.rows("SELECT url, reason FROM ingest.pages WHERE ending = 'rejected'"))
            here.rows("DELETE FROM ingest.versions WHERE article_id IN "
                      "(SELECT id FROM ingest.articles WHERE url LIKE '%%/gift/%%')")  # fmt: skip
            result = here.counted("poison pages", killed + len(paper.extra), paper.urls, paper.articles_asked)
    result.said = ", ".join(f"{number} {reason}" for reason, number in sorted(Counter(ends.values()).items()))
    result.ok = result.ok and code == 0
    if code:
        result.said += f"; exit code {code}: {said[-300:]}"
    return result


#: pieces of mark-up of which a reader makes up to a hundred times as much memory
PIECES = {
    "absatz": "<p>ab</p>",
    "leer": "<p>",
    "liste": "<li>abc def",
    "tabelle": "<tr><td>x",
    "verweis": '<a href="/1">Verweis</a> ',
    "zeit": '<time datetime="2024-10-03">3.10.2024</time>',
    "zeichen": "&amp;&#228;",
    "satz": f"<p>{WORDS}</p>",
}
#: (what the source file calls it, how it begins, what it repeats)
LISTS = {
    "fremd": ("feeds", "<rss><channel>", "<a/>"),
    "titel": ("feeds", "<rss><channel><item><title>", "&amp;"),
    "eintrag": ("feeds", "<rss><channel><item>", "<category>a</category>"),
    "kaputt": ("feeds", "<rss><channel>", "<item><link>http://127.0.0.1/a</link><title>a</item>"),
    "karte": ("sitemaps", "<urlset>", "<url><loc>http://127.0.0.1/a</loc></url>"),
    "ressort": ("sections", "<html><body>", "<p>"),
}


def bombs(sizes: tuple[int, ...]) -> dict[str, Callable[[], Response]]:
    """Pages as large as they may be, all of them hard to read."""
    return {
        f"/bombe/{name}/{size}": lambda piece=piece, size=size: web.Response(
            text=f"<html><body><article>{piece * (size // len(piece.encode()))}", content_type="text/html"
        )
        for name, piece in PIECES.items()
        for size in sizes
    }


def listed(name: str, size: int) -> Response:
    _, begin, piece = LISTS[name]
    return web.Response(text=begin + piece * (size // len(piece)), content_type="text/html")


async def hostile(at: tuple[Path, str], count: int = 20, is_short: bool = False) -> Result:
    """Every case of the hostile web, and every bomb, in one crawl with good pages: nobody gets inside, memory stays
    small, and the good pages come as soon as without all that. The short form has a few of each."""
    from tests import hostile_web

    paper, bomber = Paper(count=count, window=count), Paper(count=0)
    took = {}
    async with hostile_web.serve() as attacker, served(paper, bomber):
        lists = list(LISTS)[: 1 if is_short else None]
        bomber.extra = bombs((1_900_000,) if is_short else (900_000, 1_900_000, 5_900_000, 9_900_000))
        bomber.extra = dict(list(bomber.extra.items())[: 2 if is_short else None])
        bomber.extra |= {f"/liste/{name}": lambda name=name: listed(name, 9_900_000) for name in lists}
        wanted = ("/bomb/gzip", "/inside/1", "/good") if is_short else ("/",)
        attacker.extra["/angriff.xml"] = all_cases(attacker, wanted)
        for beside in (True,) if is_short else (False, True):
            with place(at) as here:
                here.configure(settings="[crawl]\nconcurrency = 200\n", zeitung=paper)
                if beside:
                    here.attacked(attacker.url(""), attacker.port, bomber, lists)
                code, said = await here.round()
                took[beside] = seconds_until_stored(here, "zeitung")
                ended = here.rows("SELECT state, count(*) FROM ingest.pages WHERE source <> 'zeitung' GROUP BY 1")
                good = "WHERE url LIKE '%%/artikel/%%'"
                result = here.counted(
                    "hostile web", 0, paper.urls, paper.articles_asked // (1 + beside - is_short), where=good
                )
    pages = ", ".join(f"{number} {state}" for state, number in ended)
    result.broken = sum(number for _, number in ended)
    result.said = f"{attacker.canary} came inside; {pages}; good pages in {took[True]:.2f} s" + (
        f", in {took[False]:.2f} s without the others" if not is_short else ""
    )
    result.ok = not (result.lost or result.doubled or attacker.canary) and code in (0, 1) and result.peak_mb < 800
    if not result.ok:
        result.said += f"; exit code {code}: {said[-300:]}"
    return result


def all_cases(attacker: hostile_web.Web, wanted: tuple[str, ...]) -> hostile_web.Answerer:
    """A feed that names every case whose path begins with one of *wanted*."""
    from tests import hostile_web

    cases = [attacker.url(one.path).replace("&", "&amp;") for one in hostile_web.CASES if one.path.startswith(wanted)]
    items = "".join(f"<item><link>{url}</link></item>" for url in cases)

    async def feed(visit: hostile_web.Visit) -> None:
        await visit.answer(f'<rss version="2.0"><channel>{items}</channel></rss>'.encode(), Content_Type="text/xml")

    return feed


def seconds_until_stored(here: Place, source: str) -> float:
    """From the first run's start to the last article of *source*."""
    ((seconds,),) = here.rows(
        "SELECT extract(epoch FROM max(stored_at) - (SELECT min(started_at) FROM ingest.runs)) "
        "FROM ingest.articles WHERE source LIKE %s",
        source,
    )
    return float(seconds)


async def fairness(at: tuple[Path, str], many: int = 40_000, small: int = 6, most: float | None = None) -> Result:
    """One source with very many new items beside small ones: these may take *most* times as long as they take alone."""
    papers = {f"klein{number}": Paper(count=10, window=10, name=f"klein{number}") for number in range(small)}
    took = []
    stored = "SELECT 1 FROM news.articles WHERE source LIKE 'klein%%'"
    async with served(*papers.values()):
        for beside in (False, True):
            big = Paper(count=many, window=many)
            async with served(big):
                with place(at) as here:
                    here.configure(**(papers | {"gross": big} if beside else papers))
                    process = await here.start("crawl")
                    ending = asyncio.create_task(here.ended(process))
                    await until(
                        lambda here=here, ending=ending: ending.done() or len(here.rows(stored)) == 10 * small, LONGEST
                    )
                    assert not ending.done() or len(here.rows(stored)) == 10 * small, ending.result()
                    took.append(seconds_until_stored(here, "klein%"))
                    if beside:
                        process.terminate()
                    code, said = await ending
                    urls = set().union(*(paper.urls for paper in papers.values()))
                    asked = sum(paper.articles_asked for paper in papers.values()) // (2 if beside else 1)
                    result = here.counted("one large source", many, urls, asked)
    ratio = took[1] / took[0]
    result.said = f"small ones {took[0]:.2f} s alone, {took[1]:.2f} s beside it: {ratio:.1f} times"
    result.ok = not (result.lost or result.doubled) and (most is None or ratio <= most)
    if code not in (0, 1, 130):
        result.said += f"; exit code {code}: {said[-300:]}"
    return result


async def waiting(at: tuple[Path, str], looks: int = 10, every: int = 3) -> Result:
    """Sites that hang and sites with a long delay beside a quick source: it is looked at when it is due, and so is a
    source whose pages take their time. Later than twice its interval fails."""
    hanging = {f"haengt{number}": Paper(count=0, name="Hängt") for number in range(8)}
    slow = {f"langsam{number}": Paper(count=20, window=20, name=f"Langsam {number}") for number in range(4)}
    window, quick = Paper(count=60, window=10, step=10, name="Fenster"), Paper(count=10, window=10, name="Schnell")
    for paper in hanging.values():
        paper.hold |= {path: asyncio.Event() for path in ("/robots.txt", "/feed.xml")}
    with place(at) as here:
        async with served(*hanging.values(), *slow.values(), window, quick):
            more = f'[schedule]\nevery = "{every} seconds"\njitter = "0 seconds"\n'
            here.configure(more=more, settings="[crawl]\nsources_at_once = 2\n", **hanging, schnell=quick)
            for delay, papers in ((30, slow), (2, {"fenster": window})):
                here.configure(f'delay = "{delay} seconds"\n{more}', "[crawl]\nsources_at_once = 2\n", **papers)
            process = await here.start("schedule")
            ending = asyncio.create_task(here.ended(process))
            await until(lambda: quick.asked["/feed.xml"])
            begun = window.asked["/feed.xml"]
            took = await until(lambda: quick.asked["/feed.xml"] > looks, LONGEST)
            beside = window.asked["/feed.xml"] - begun
            process.terminate()
            code, said = await ending
            result = here.counted("waiting", 12, quick.urls, quick.articles_asked, where="WHERE source = 'schnell'")
    result.said = f"{looks} looks in {took:.0f} s, one each {every} s; at a source with a delay of 2 s {beside}"
    result.ok = not (result.lost or result.doubled) and code == 0 and took <= 2 * every * looks
    if code:
        result.said += f"; exit code {code}: {said[-300:]}"
    return result


Drill = Callable[[tuple[Path, str]], Awaitable[Result]]


def drills(times: int) -> dict[str, Drill]:
    return {
        "kills": lambda at: kills(at, times),
        "restarts": restarts,
        "away": lambda at: restarts(at, times=1, away=180, count=60),
        "stopped": stopped_while_away,
        "commits": lost_commits,
        "killed-scheduler": schedulers,
        "frozen-scheduler": lambda at: schedulers(at, freeze=True),
        "clock": clock_steps,
        "disk": full_disk,
        "full-archive": full_archive,
        "full-database": full_database,
        "poison": poison,
        "hostile": hostile,
        "waiting": waiting,
        "fairness": lambda at: fairness(at, most=2.0),
    }


async def drilled(chosen: dict[str, Drill], tell: Callable[[Result], object]) -> list[Result]:
    results = []
    with server() as at:
        for drill in chosen.values():
            begin = time.monotonic()
            result = await drill(at)
            result.seconds = round(time.monotonic() - begin, 1)
            results.append(result)
            tell(result)
    return results


LINE = "{drill:32} {broken:>7} {articles:>8} {lost:>5} {doubled:>8} {requests_per_article:>9} {peak_mb:>8} {seconds:>8}"
HEAD = ("drill", "broken", "articles", "lost", "doubled", "req/art", "peak MB", "seconds")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drills", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=20, help="how often the crawl is killed (20)")
    parser.add_argument("--only", default="", help="names of drills, separated by commas: " + ", ".join(drills(1)))
    parser.add_argument("--json", action="store_true", help="one object a line")
    options = parser.parse_args()
    wanted = [name for name in options.only.split(",") if name]
    chosen = {name: drill for name, drill in drills(options.kills).items() if not wanted or name in wanted}

    def tell(result: Result) -> None:
        if options.json:
            print(json.dumps(asdict(result), ensure_ascii=False), flush=True)
        else:
            print(LINE.format(**asdict(result)), "" if result.ok else "FAILED", flush=True)
            if result.said:
                print(f"    {result.said}", flush=True)

    if not options.json:
        names = ("drill", "broken", "articles", "lost", "doubled", "requests_per_article", "peak_mb", "seconds")
        print(LINE.format(**dict(zip(names, HEAD, strict=True))))
    results = asyncio.run(drilled(chosen, tell))
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
