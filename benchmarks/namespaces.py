"""Three machines on one database: killed, frozen, cut off, with wrong clocks, drained one by one. Linux, as root:

    python -m benchmarks.namespaces [--minutes 6] [--only kill,freeze,...] [--lease 15] [--delay 1] [--seed 1] [--plain]
    python -m benchmarks.namespaces --from v0.1.0 [--only upgrade,kill,...]

Each machine is a network namespace with addresses of its own and runs ``nachlese worker``, two of them ``nachlese
schedule --queue`` as well; with ``--plain`` each runs ``nachlese schedule`` and there is no queue. They share a
Postgres, an archive (a real S3 server where moto_server is installed or named by NACHLESE_TEST_MOTO, else a folder) and
a web of 20 hosts with two sources each, which publish all the time and write down every request. What is counted at the
end comes from that log and from the rows: articles lost and doubled, pauses at a host that were shorter than its delay,
how long after a fault the runs of the machine were taken over, and what each source had to wait.

With ``--from`` the database is made, and all machines begin, with the code of that revision; ``upgrade`` brings them to
this one, one after the other, while the others crawl on with the old code. ``lose-disk`` kills a machine and deletes
its disk; at the end ``nachlese db check-archive`` has to name what went with it, and get it again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.machines import INSIDE, NETWORKS, ROOT, SERVER, Machine, inside, make_networks, reason_against, unpacked
from benchmarks.machines import shifted_clock as built_clock
from benchmarks.publishing_web import Plan
from pipelines import database, embedded

FAULTS = ("kill", "freeze", "cut-db", "cut-web", "upgrade", "lose-disk")
PORT, S3_PORT = 5432, 9000
#: seconds by which the clocks of the machines are wrong, in turn
CLOCKS = (0, 600, -600)
#: seconds after the lease by which somebody goes on with the work
TAKEN_OVER_WITHIN = 5.0
#: bytes of a file of the archive with some pages in it
LEAST_LOST = 5_000
#: articles that are stored and never asked for again come from the archive; the others are asked twice at most
LATEST = 120.0
#: the exit code of who finds a database that is newer than he is
NEWER_DATABASE = 3
UNREADABLE = ("db", "check-archive", "--hours", "0", "--json")


@dataclass(frozen=True)
class Timing:
    """Seconds; and how large it is. ``rest``: how long a fault lasts beyond the lease. ``quick``: of every article of a
    host's second source its first one has so many. ``older``: the revision that the machines begin with."""

    minutes: float = 6.0
    lease: float = 15.0
    delay: float = 1.0
    every: float = 10.0
    publish: float = 20.0
    settle: float = 10.0
    rest: float = 8.0
    machines: int = 3
    hosts: int = 20
    window: int = 40
    quick: int = 4
    seed: int = 1
    tolerance: float = 0.02
    is_plain: bool = False
    older: str = ""


@dataclass
class Fault:
    """One thing that was broken. ``runs``: id -> source of what the machine had in hand at ``at``."""

    what: str
    machine: str
    at: datetime
    runs: dict[int, str] = field(default_factory=dict)
    taken_over: list[float] = field(default_factory=list)


@dataclass
class Outcome:
    """What the drill found. Seconds, except for numbers of articles, requests and gaps."""

    articles: int = 0
    lost: int = 0
    doubled: int = 0
    pending: int = 0
    requests: int = 0
    robots: int = 0
    asked_twice: int = 0
    short_gaps: int = 0
    least_gap: float = float("inf")
    worst: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    jobs: int = 0
    left_alone: int = 0
    waits: dict[str, list[float]] = field(default_factory=dict)
    exit_codes: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    late: float = 0.0
    ends: dict[str, int] = field(default_factory=dict)
    refused: int | None = None
    lost_files: int = 0
    lost_pages: int = 0
    unreadable: int = 0

    def slowest_takeover(self) -> float:
        return max((seconds for fault in self.faults for seconds in fault.taken_over), default=0.0)

    def is_ok(self, timing: Timing) -> bool:
        failed = self.lost or self.doubled or self.pending or self.short_gaps or any(self.exit_codes)
        return not (failed or self.unreadable or self.refused not in (None, NEWER_DATABASE)) and (
            self.slowest_takeover() <= timing.lease + TAKEN_OVER_WITHIN
        )


# --- reading what happened: pure -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    at: float
    host: str
    path: str
    machine: str


def requests_of(log: str) -> list[Request]:
    rows = (line.split("\t") for line in log.splitlines())
    return sorted((Request(float(row[0]), *row[1:]) for row in rows if len(row) == 4), key=lambda one: one.at)


def gaps(requests: Iterable[Request]) -> list[tuple[float, Request, Request]]:
    """Pauses between two requests at one host, by whomever, the shortest first."""
    by_host = defaultdict(list)
    for one in requests:
        by_host[one.host].append(one)
    found = [(later.at - earlier.at, earlier, later) for of in by_host.values() for earlier, later in pairwise(of)]
    return sorted(found, key=lambda gap: gap[0])


def waits(plan: Plan, requests: Iterable[Request]) -> dict[str, list[float]]:
    """By source, seconds from an article's publication to its first request."""
    first: dict[str, float] = {}
    for one in requests:
        first.setdefault(f"http://{one.host}{one.path}", one.at)
    found = {}
    for number, (host, name, _) in enumerate(plan.sources):
        urls = [(plan.url(number, article), article) for article in range(plan.published(number, plan.end))]
        found[f"{host}/{name}"] = [
            first[url] - plan.published_at(number, article) for url, article in urls if url in first
        ]
    return found


# --- the field -------------------------------------------------------------------------------------------------------


class Field:
    """The machines, and what they share."""

    def __init__(self, timing: Timing, folder: Path):
        self.timing, self.folder = timing, folder
        self.dice = random.Random(timing.seed)
        self.names = [f"zeitung{number:02}.test" for number in range(timing.hosts)]
        self.dsn = ""
        self.machines: list[Machine] = []
        self.faults: list[Fault] = []
        self.plan: Plan | None = None
        self.older = unpacked(timing.older, folder / "older") if timing.older else ROOT
        self.refused: int | None = None

    def rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(statement, values or None).fetchall()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as opened:
            make_networks(self.names)
            opened.enter_context(self.postgres())
            archive, environment = await opened.enter_async_context(self.archive())
            now = time.monotonic() + 3.0
            sources = [
                (host, name, self.timing.publish / (self.timing.quick if name == "gross" else 1))
                for host in self.names
                for name in ("gross", "klein")
            ]
            end = now + 60 * self.timing.minutes
            self.plan = Plan(SERVER["web"], str(self.folder / "requests.log"), now, end, self.timing.window, sources)
            await opened.enter_async_context(self.web())
            self.configure(archive)
            opened.push_async_callback(self.stopped)
            library = built_clock(self.folder)
            environment |= {
                "NACHLESE_CONFIG": str(self.folder / "config"),
                "NACHLESE_DATABASE_URL": f"postgresql://postgres@{SERVER['db']}:{PORT}/postgres",
                "PYTHONWARNINGS": "ignore",
            }
            for number in range(1, self.timing.machines + 1):
                clock = CLOCKS[(number - 1) % len(CLOCKS)]
                one = Machine(number, environment, self.folder / f"m{number}", clock, library, self.older)
                one.connect()
                self.machines.append(one)
            yield

    @contextlib.contextmanager
    def postgres(self) -> Iterator[None]:
        """An embedded server that listens in the network of the databases, too."""
        data = self.folder / "postgres"
        self.dsn = database.embedded(data)
        access = self.folder / "hba.conf"
        access.write_text(f"local all all trust\nhost all all {NETWORKS['db']}.0/24 trust\n")
        access.chmod(0o644)
        server = embedded._servers[self.dsn].server
        embedded._stop(server)
        (sockets,) = {urlsplit(self.dsn).query.partition("=")[2].replace("%2F", "/")}
        options = f"-h {SERVER['db']} -p {PORT} -k {sockets} -c hba_file={access} -c max_connections=200"
        command = [str(embedded.programs() / "pg_ctl"), "-w", "-o", options, "-l", str(data / "log"), "-D", str(data)]
        subprocess.run([*command, "start"], user=server.system_user, check=True, stdout=subprocess.DEVNULL)
        try:
            program = "import sys; from pipelines import database; print(*database.migrate(sys.argv[1]))"
            code = {"cwd": self.older, "env": os.environ | {"PYTHONPATH": str(self.older)}}
            subprocess.run([sys.executable, "-c", program, self.dsn], **code, check=True, stdout=subprocess.DEVNULL)
            yield
        finally:
            database.leave(self.dsn)

    @asynccontextmanager
    async def archive(self) -> AsyncIterator[tuple[str, dict[str, str]]]:
        """(address, what machines need in their environment to reach it)"""
        program = os.environ.get("NACHLESE_TEST_MOTO") or shutil.which("moto_server")
        if not self.has_addresses():
            yield f"{self.folder}/archive", {}
            return
        if not program:
            yield f"file://{self.folder}/archive", {}
            return
        endpoint = f"http://{SERVER['db']}:{S3_PORT}"
        server = await asyncio.create_subprocess_exec(
            program, "-H", SERVER["db"], "-p", str(S3_PORT),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await until(lambda: is_made(f"{endpoint}/papers"), 60)
            yield "s3://papers/nachlese", {
                "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true",
            }  # fmt: skip
        finally:
            server.kill()
            await server.wait()

    def has_addresses(self) -> bool:
        """Whether the code that begins knows of an archive at an address."""
        return (self.older / "pipelines" / "archive_remote.py").exists()

    @asynccontextmanager
    async def web(self) -> AsyncIterator[None]:
        plan = self.folder / "plan.json"
        assert self.plan is not None
        plan.write_text(json.dumps(asdict(self.plan)))
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.publishing_web", str(plan), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            assert await server.stdout.readline() == b"ready\n"
            yield
        finally:
            server.kill()
            await server.wait()

    def configure(self, archive: str) -> None:
        timing, config = self.timing, self.folder / "config"
        (config / "sources").mkdir(parents=True)
        (config / "settings.toml").write_text(
            f'log_level = "INFO"\n[politeness]\ndelay = "{timing.delay} seconds"\njitter = "0 seconds"\n'
            f'[crawl]\nreaders = 1\n[schedule]\nevery = "{timing.every} seconds"\njitter = "0 seconds"\n'
            f'lease = "{timing.lease} seconds"\nstop_within = "2 seconds"\n'
            f'[archive]\nfolder = "{archive}"\n' + ('seal_after = "20 seconds"\n' if self.has_addresses() else "")
        )
        assert self.plan is not None
        for host, name, _ in self.plan.sources:
            (config / "sources" / f"{name}-{host.partition('.')[0]}.toml").write_text(
                f'title = "{name} {host}"\nhomepage = "http://{host}/"\nlanguage = "de"\n'
                f'[discover]\nfeeds = ["http://{host}/{name}/feed.xml"]\n'
                f'[fetch]\nallow_addresses = ["{SERVER["web"]}/32:*"]\ntimeout = "10 seconds"\n'
            )

    # --- what runs ---------------------------------------------------------------------------------------------------

    async def start(self, machine: Machine) -> None:
        if self.timing.is_plain:
            await machine.start("schedule", "schedule")
            return
        await machine.start("worker", "worker")
        if machine.number <= 2:
            await machine.start("schedule", "schedule", "--queue")

    async def stopped(self) -> list[int]:
        """SIGTERM to all; who does not end is killed after a while. The exit codes."""
        codes = []
        for machine in self.machines:
            machine.send(signal.SIGCONT)
            machine.send(signal.SIGTERM, to_all=False)
        for machine in self.machines:
            try:
                async with asyncio.timeout(60):
                    codes += await machine.ended()
            except TimeoutError:
                await machine.kill()
                codes.append(-9)
        return codes

    # --- what is broken ----------------------------------------------------------------------------------------------

    def noted(self, what: str, machine: Machine) -> Fault:
        """The fault, with what the machine has in hand now."""
        rows = self.rows("SELECT id, source FROM ingest.runs WHERE ended_at IS NULL AND holder LIKE %(who)s",
                         who=f"{machine.name}/%")  # fmt: skip
        ((now,),) = self.rows("SELECT clock_timestamp()")
        self.faults.append(Fault(what, machine.name, now, dict(rows)))
        return self.faults[-1]

    async def busy(self, machine: Machine) -> None:
        """Wait until it works on something, or there is nothing to take over: on a busy one that takes long."""
        with suppress(TimeoutError):
            await until(lambda: self.rows("SELECT FROM ingest.runs WHERE ended_at IS NULL AND holder LIKE %(who)s",
                                          who=f"{machine.name}/%"), max(30, self.timing.every))  # fmt: skip

    async def broken(self, what: str) -> None:
        """One fault from its beginning to its end."""
        machine, away = self.dice.choice(self.machines), self.timing.lease + self.timing.rest
        await self.busy(machine)
        if what == "lose-disk":  # with something on it that lies nowhere else
            await until(lambda: any(file.stat().st_size > LEAST_LOST for file in machine.folder.rglob("*.warc.gz")), 60)
        await asyncio.sleep(self.dice.uniform(0, 1.0))
        fault = self.noted(what, machine)
        if what == "kill":
            await machine.kill()
            await asyncio.sleep(away)
            await self.start(machine)
        elif what == "freeze":
            machine.send(signal.SIGSTOP)
            await asyncio.sleep(away)
            machine.send(signal.SIGCONT)
        elif what in ("cut-db", "cut-web"):
            machine.plug(what.removeprefix("cut-"), False)
            await asyncio.sleep(away)
            machine.plug(what.removeprefix("cut-"), True)
        elif what == "lose-disk":
            await machine.kill()
            shutil.rmtree(machine.folder)
            machine.folder.mkdir()
            await asyncio.sleep(away)
            await self.start(machine)
        elif what == "upgrade":
            await self.upgraded()
        if what in ("cut-web", "upgrade"):
            fault.runs.clear()  # who can reach the database keeps its runs, and who is drained ends them

    async def upgraded(self) -> None:
        """One machine after the other: no new work, the end of what there is, a new start with the code of today.

        Where that is not what they began with, old and new ones work side by side for a while, and one that crashes
        meanwhile and is started with its old code must not get in.
        """
        for number, machine in enumerate(self.machines):
            if number and self.older != ROOT:
                await asyncio.sleep(self.timing.rest)
            if number == 1 and self.older != ROOT:
                await self.machines[-1].kill()
                await self.machines[-1].start("worker", "worker")
                async with asyncio.timeout(60):
                    (self.refused,) = await self.machines[-1].ended()
            machine.send(signal.SIGUSR1, to_all=False)
            async with asyncio.timeout(240):
                codes = await machine.ended()
            assert not any(codes), codes
            machine.code = ROOT
            await self.start(machine)

    async def checked(self) -> tuple[int, int]:
        """After the end: what went with a disk is named, and got again. (files, pages)"""
        machine = self.machines[0]
        said = json.loads(await machine.answer("db", "check-archive", "--hours", "0", "--ask-again", "--json"))
        if said["pages_asked_again"]:
            await self.start(machine)
            waiting = "SELECT FROM ingest.pages WHERE next_check_at <= clock_timestamp() AND state = 'ended'"
            with suppress(TimeoutError):
                await until(lambda: not self.rows(waiting) and not self.open_pages(), 180)
            await self.stopped()
        return len(said["lost"]), said["pages_asked_again"]

    async def drilled(self, wanted: list[str]) -> Outcome:
        assert self.plan is not None
        for machine in self.machines:
            await self.start(machine)
        left = self.plan.end - time.monotonic()
        await asyncio.sleep(min(self.timing.settle, left / 4))
        order = [one for one in wanted if one != "upgrade"]
        self.dice.shuffle(order)
        order = (["upgrade"] if "upgrade" in wanted else []) + order  # what is broken later has been restarted
        say("breaking:", ", ".join(order) or "nothing")
        for number, what in enumerate(order):
            begin = time.monotonic()
            await self.broken(what)
            say(
                f"{what}: {self.faults[-1].machine}, {len(self.faults[-1].runs)} runs, {time.monotonic() - begin:.0f} s"
            )
            left = (self.plan.end - time.monotonic()) / (len(order) - number)
            await asyncio.sleep(max(self.timing.settle, min(left - self.timing.lease - self.timing.rest, left / 2)))
        await asyncio.sleep(max(0.0, self.plan.end - time.monotonic()))
        expected = self.expected()
        late = LATEST + self.timing.lease + self.timing.every
        took = 0.0
        try:
            took = await until(lambda: self.stored() >= len(expected) and not self.open_pages(), late)
        except TimeoutError:
            took = late
        codes = await self.stopped()
        lost = await self.checked() if "lose-disk" in wanted else (0, 0)
        outcome = self.counted(expected, codes, took)
        outcome.lost_files, outcome.lost_pages = lost
        if "lose-disk" in wanted:
            outcome.unreadable = len(json.loads(await self.machines[0].answer(*UNREADABLE))["lost"])
        return outcome

    # --- what came of it ---------------------------------------------------------------------------------------------

    def expected(self) -> set[str]:
        plan = self.plan
        assert plan is not None
        return {
            plan.url(number, article)
            for number in range(len(plan.sources))
            for article in range(plan.published(number, plan.end))
        }

    def stored(self) -> int:
        return int(self.rows("SELECT count(*) FROM ingest.articles")[0][0])

    def open_pages(self) -> int:
        return int(self.rows("SELECT count(*) FROM ingest.pages WHERE state = 'pending'")[0][0])

    def counted(self, expected: set[str], codes: list[int], late: float) -> Outcome:
        assert self.plan is not None
        stored = self.rows("SELECT url, version, copy_of FROM news.articles")
        there = {url for url, _, _ in stored}
        requests = requests_of(Path(self.plan.log).read_text())
        found = gaps(requests)
        short = [gap for gap in found if gap[0] < self.timing.delay - self.timing.tolerance]
        asked = Counter(f"http://{one.host}{one.path}" for one in requests)
        outcome = Outcome(articles=len(expected), lost=len(expected - there), exit_codes=codes, late=late)
        outcome.doubled = len(stored) - len(there) + sum(version > 1 or copy is not None for _, version, copy in stored)
        outcome.pending, outcome.requests = self.open_pages(), len(requests)
        outcome.robots = sum(one.path == "/robots.txt" for one in requests)
        outcome.asked_twice = sum(asked[url] - 1 for url in expected if asked[url] > 1)
        outcome.short_gaps, outcome.least_gap = len(short), found[0][0] if found else float("inf")
        outcome.worst = [
            f"{gap:.3f} s at {one.host}: {one.path} by {one.machine} at {one.at - self.plan.begin:.1f}, "
            f"{two.path} by {two.machine}" for gap, one, two in short[:8]
        ]  # fmt: skip
        outcome.waits = waits(self.plan, requests)
        for fault in self.faults:
            self.look_at(fault)
        outcome.faults = self.faults
        if not self.timing.is_plain:
            # what became due as all were told to end waits for the next start, and is not counted
            taken = "SELECT count(*) FROM nachlese_queue.procrastinate_jobs WHERE status = 'doing'"
            outcome.jobs = int(self.rows(taken)[0][0])
        outcome.refused = self.refused
        ends = "SELECT concat_ws(': ', outcome, left(error, 60)), count(*) FROM ingest.runs GROUP BY 1 ORDER BY 2 DESC"
        outcome.ends = dict(self.rows(ends))
        outcome.left_alone = int(self.rows("SELECT count(*) FROM ingest.host_rests")[0][0])
        said = [path.read_text(errors="replace") for path in sorted(self.folder.glob("m*.log"))]
        outcome.errors = sorted({line[20:200] for text in said for line in text.splitlines()
                                 if " error " in line or "Traceback" in line})[:8]  # fmt: skip
        return outcome

    def look_at(self, fault: Fault) -> None:
        """Seconds from the fault to the next run of each source that the machine had in hand and did not end."""
        rows = self.rows(
            """
            SELECT extract(epoch FROM (
                SELECT min(later.started_at) FROM ingest.runs AS later
                WHERE later.source = run.source AND later.id > run.id AND later.started_at > %(at)s) - %(at)s)
            FROM ingest.runs AS run
            WHERE id = ANY(%(runs)s) AND outcome = 'failed' AND error IN ('lost lease', 'its process was killed')
            """,
            at=fault.at,
            runs=list(fault.runs),
        )
        fault.taken_over = [float("inf") if seconds is None else float(seconds) for (seconds,) in rows]


def say(*words: object) -> None:
    print(f"    {time.strftime('%H:%M:%S')}", *words, file=sys.stderr, flush=True)


def is_made(bucket: str) -> bool:
    """Whether the S3 server is there and has made the bucket."""
    import urllib.error
    import urllib.request

    try:
        urllib.request.urlopen(urllib.request.Request(bucket, method="PUT", data=b"")).close()
    except OSError:
        return False
    return True


async def until(true: Callable[[], object], seconds: float) -> float:
    begin = time.monotonic()
    while not await asyncio.to_thread(true):
        if time.monotonic() - begin > seconds:
            raise TimeoutError
        await asyncio.sleep(0.1)
    return time.monotonic() - begin


# --- the command -----------------------------------------------------------------------------------------------------


def table(outcome: Outcome, timing: Timing) -> str:
    lines = [
        f"{outcome.articles} articles: {outcome.lost} lost, {outcome.doubled} doubled, {outcome.pending} pending; "
        f"all stored {outcome.late:.0f} s after the last was published",
        f"{outcome.requests} requests, {outcome.robots} of them for robots.txt, {outcome.asked_twice} for an article "
        "that had been asked for before",
        f"shortest pause at a host {outcome.least_gap:.3f} s of {timing.delay:g}; {outcome.short_gaps} shorter than "
        f"{timing.delay - timing.tolerance:g}",
        *(f"    {line}" for line in outcome.worst),
    ]
    for fault in outcome.faults:
        after = (
            f"taken over after {max(fault.taken_over):.1f} s at most" if fault.taken_over else "nothing to take over"
        )
        lines.append(f"{fault.what:8} {fault.machine}: {len(fault.runs)} runs in hand, {after}")
    for name in ("gross", "klein"):
        medians = [statistics.median(of) for source, of in outcome.waits.items() if source.endswith(name) and of]
        if medians:
            lines.append(
                f"from publication to request, sources '{name}': median {statistics.median(medians):.1f} s, "
                f"{min(medians):.1f} to {max(medians):.1f} s by source"
            )
    left = f"{outcome.jobs} jobs that nobody has closed and {outcome.left_alone} hosts at rest left"
    lines.append(f"{left}; exit codes {outcome.exit_codes}")
    lines.append("runs: " + ", ".join(f"{number} {end}" for end, number in outcome.ends.items()))
    if timing.older:
        lines.append(
            f"upgraded from {timing.older}; old code that was started on the new database: exit code {outcome.refused}"
        )
    if outcome.lost_files:
        lines.append(
            f"{outcome.lost_files} files of the archive went with a disk; {outcome.lost_pages} pages whose wording lay "
            f"in them alone were asked for again; after that {outcome.unreadable} are gone"
        )
    lines += [f"    {line}" for line in outcome.errors]
    lines.append("ok" if outcome.is_ok(timing) else "FAILED")
    return "\n".join(lines)


async def drill(timing: Timing, wanted: list[str], keep: Path | None = None) -> Outcome:
    folder = Path(tempfile.mkdtemp(prefix="nachlese-machines-"))
    await asyncio.to_thread(folder.chmod, 0o755)  # the server of the database is not root's
    try:
        field_ = Field(timing, folder)
        async with field_.opened():
            outcome = await field_.drilled(wanted)
    finally:
        if keep is not None:
            shutil.copytree(folder, keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("postgres*", "archive"))
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.namespaces", description=__doc__.split("\n", 1)[0])
    like = Timing()
    parser.add_argument("--minutes", type=float, default=like.minutes, help="for which something is published")
    parser.add_argument("--only", default=",".join(FAULTS), help="faults, separated by commas, or none")
    for name in ("lease", "delay", "every", "publish", "settle", "rest", "tolerance"):
        parser.add_argument(f"--{name}", type=float, default=getattr(like, name), help="seconds (%(default)s)")
    for name in ("machines", "hosts", "window", "quick", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(like, name), help="(%(default)s)")
    parser.add_argument("--from", dest="older", default="", help="the revision that all machines begin with")
    parser.add_argument("--plain", action="store_true", help="no queue: `nachlese schedule` on each machine")
    parser.add_argument("--json", action="store_true", help="one object instead of sentences")
    parser.add_argument("--keep", type=Path, help="copy the logs there")
    return parser


def main() -> int:
    options = arguments().parse_args()
    wanted = [name for name in options.only.split(",") if name and name != "none"]
    if unknown := set(wanted) - set(FAULTS):
        print(f"there is no fault {', '.join(unknown)}; there are {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    if INSIDE not in os.environ:
        if why := reason_against():
            print(f"skipped: {why}", file=sys.stderr)
            return 0
        return inside("benchmarks.namespaces", sys.argv[1:])
    names = ("minutes", "lease", "delay", "every", "publish", "settle", "rest", "tolerance", "machines", "hosts")
    timing = {name: getattr(options, name) for name in (*names, "window", "quick", "seed")}
    made = Timing(**timing, is_plain=options.plain, older=options.older)
    outcome = asyncio.run(drill(made, wanted, options.keep))
    print(json.dumps(asdict(outcome), default=str) if options.json else table(outcome, made))
    return 0 if outcome.is_ok(made) else 1


if __name__ == "__main__":
    sys.exit(main())
