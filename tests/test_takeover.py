"""Going on with what a process left that died or was stopped: exactly one does, and no later than the lease's end."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from psycopg import conninfo

from crawler import config, runs
from crawler.cli.common import Failure
from crawler.cli.run_options import chosen
from crawler.reports import RunReport
from crawler.schedule import Scheduler
from crawler.services import Services, open_services
from pipelines.store import Store
from pipelines.store.takeovers import HANDED_OVER, LOST_LEASE, MOST_TAKEOVERS
from tests.test_crawl import Web, article, configured, environment, served, site
from tests.test_schedule import SCHEDULE

__all__ = ["site"]
OVER = "UPDATE ingest.runs SET lease_until = clock_timestamp() WHERE ended_at IS NULL RETURNING 1"


@pytest.fixture
def configuration(tmp_path, site):
    site.pages["/a"] = article(1)
    site.feed("/a")
    return configured(tmp_path, site, '[schedule]\ncron = "0 0 1 1 *"\njitter = "0 seconds"\n')


@asynccontextmanager
async def schedulers(configuration, database_url, count=1):
    """So many, which have run their last slot and look for nothing by themselves; and the queue of their reports."""
    ended: asyncio.Queue[RunReport] = asyncio.Queue()
    async with open_services(configuration, database_url) as services:
        found = [Scheduler(services, ended.put_nowait) for _ in range(count)]
        found[0].start()
        assert (await ended.get()).outcome == "finished"
        for watching in found[0]._watching:
            watching.cancel()
        yield found, ended
        await found[0].stop(1)


async def left(services: Services, outcome=None, error=None, holder="elsewhere/1:1:x"):
    """The run of a process on another machine, and its end if it had one."""
    run = await services.store.begin_run("blatt", "crawl", holder)
    if outcome:
        await services.store.end_run(run, outcome, error)
    return run


async def test_a_run_is_taken_over_when_its_lease_is_over_and_not_before(configuration, database_url, sql_rows):
    async with schedulers(configuration, database_url) as ((one,), ended):
        dead = await left(one.services)
        await one.takeover.look()
        assert not one.running
        sql_rows(OVER)
        await one.takeover.look()
        assert (await ended.get()).outcome == "finished"
        assert sql_rows("SELECT outcome, error, takes_over FROM ingest.runs ORDER BY id DESC LIMIT 2") == [
            ("finished", None, dead.id), ("failed", "lost lease", None),
        ]  # fmt: skip
        await one.takeover.look()
        assert not one.running


async def test_who_said_goodbye_is_relieved_at_once_and_by_one_only(configuration, database_url, sql_rows):
    async with schedulers(configuration, database_url, 3) as (all_three, ended):
        await left(all_three[0].services, "stopped", HANDED_OVER)
        await asyncio.gather(*(one.takeover.look() for one in all_three))
        await asyncio.gather(*(task for one in all_three for task in one.running.values()))
        assert [ended.get_nowait().outcome for _ in range(ended.qsize())].count("finished") == 1
        assert sql_rows("SELECT count(*) FROM ingest.runs WHERE takes_over IS NOT NULL") == [(1,)]
        await asyncio.gather(*(one.takeover.look() for one in all_three))
        assert not any(one.running for one in all_three)


@pytest.mark.parametrize("ending", [("stopped", "closespider_timeout"), ("failed", "1 places"), ("finished", None)])
async def test_what_ended_by_itself_is_not_taken_over(configuration, database_url, ending):
    async with schedulers(configuration, database_url) as ((one,), _):
        await left(one.services, *ending)
        await one.takeover.look()
        assert not one.running


async def test_a_run_that_kills_process_after_process_waits_for_its_next_slot(store: Store, sql_rows):
    dead = await store.begin_run("blatt", "crawl", "elsewhere/1:1:x")
    for number in range(MOST_TAKEOVERS):
        sql_rows(OVER)
        dead = await store.begin_run("blatt", "crawl", f"elsewhere/1:{number}:x", takes_over=dead.id)
        assert dead is not None
    sql_rows(OVER)
    assert await store.begin_run("blatt", "crawl", "elsewhere/1:9:x", takes_over=dead.id) is None
    assert await store.abandoned_runs() == []  # nor is it tried every two seconds
    assert await store.begin_run("blatt", "crawl", "elsewhere/1:9:x") is not None


async def test_what_a_recheck_found_dead_is_taken_over_when_it_has_ended(store: Store, sql_rows):
    """Who begins a recheck ends the crawl whose lease is over, and does not go on with its work."""
    dead = await store.begin_run("blatt", "crawl", "elsewhere/1:1:x")
    sql_rows(OVER)
    recheck = await store.begin_run("blatt", "recheck", "elsewhere/1:2:x")
    assert sql_rows("SELECT outcome, error FROM ingest.runs WHERE id = %s", dead.id) == [("failed", LOST_LEASE)]
    assert await store.abandoned_runs() == []
    await store.end_run(recheck, "finished")
    assert [(run.id, run.is_lost) for run in await store.abandoned_runs()] == [(dead.id, True)]
    assert (await store.begin_run("blatt", "crawl", "elsewhere/1:3:x", takes_over=dead.id)) is not None
    assert [run.id for run in await store.abandoned_runs() if run.is_lost] == []


async def test_only_a_source_that_this_process_runs_is_taken_over(configuration, database_url):
    async with schedulers(configuration, database_url) as ((one,), _):
        await left(one.services, "stopped", HANDED_OVER)
        one.is_mine = lambda source: False
        await one.takeover.look()
        assert not one.running
        assert one.set_jobs() == []


class Slow(Web):
    """Holds its answers until it is told."""

    def __init__(self):
        super().__init__()
        self.let_go = asyncio.Event()

    async def answer(self, request):
        self.held.set()
        await self.let_go.wait()
        return await super().answer(request)


async def test_a_drained_schedule_ends_with_its_last_run(tmp_path, database_url, sql_rows):
    async with served(Slow()) as slow:
        slow.pages["/a"] = article(1)
        slow.feed("/a")
        configured(tmp_path, slow, '[schedule]\nevery = "1 second"\njitter = "0 seconds"\n')
        env = environment(tmp_path, database_url)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCHEDULE, env=env)
        async with asyncio.timeout(60):
            await slow.held.wait()
            process.send_signal(signal.SIGUSR1)
            slow.let_go.set()
            assert await process.wait() == 0
    assert sql_rows("SELECT outcome, new FROM ingest.runs") == [("finished", 1)]


def test_sources_are_chosen_by_name_and_by_tag(tmp_path, site):
    folder = tmp_path
    configured(folder, site)
    text = (folder / "sources" / "blatt.toml").read_text()
    (folder / "sources" / "regional.toml").write_text('tags = ["regional", "langsam"]\n' + text)
    (folder / "sources" / "anderes.toml").write_text('tags = ["bund"]\n' + text)
    configuration = config.load(folder)

    def names(sources="", tags=""):
        is_mine = chosen(configuration, sources, tags)
        return [name for name, source in configuration.sources.items() if is_mine(source)]

    assert names() == ["anderes", "blatt", "regional"]
    assert names(tags="langsam, bund") == ["anderes", "regional"]
    assert names("blatt", "bund") == ["anderes", "blatt"]
    for wrong in ({"sources": "keins"}, {"tags": "regionl"}):
        with pytest.raises(Failure):
            names(**wrong)
    (folder / "sources" / "blatt.toml").write_text('tags = ["zwei Worte"]\n' + text)
    with pytest.raises(config.ConfigError, match=r"blatt.toml.*tags.*is no tag"):
        config.load(folder)


async def test_who_finds_a_dead_run_and_its_slot_done_goes_on_with_its_work(store: Store, sql_rows):
    """As for a job that was put in twice: nobody else would see that run."""
    slot = datetime(2026, 11, 1, 12, tzinfo=UTC)
    dead = await store.begin_run("blatt", "crawl", "elsewhere/1:1:x", slot)
    assert await store.begin_run("blatt", "crawl", "elsewhere/1:2:x", slot) is None
    sql_rows(OVER)
    after = await store.begin_run("blatt", "crawl", "elsewhere/1:2:x", slot)
    assert (after.slot, dead.slot) == (None, slot)
    sql_rows(OVER)
    last = await store.begin_run("blatt", "crawl", "elsewhere/1:3:x", takes_over=dead.id)  # which was taken over
    assert sql_rows("SELECT id, takes_over, outcome FROM ingest.runs ORDER BY id") == [
        (dead.id, None, "failed"), (after.id, dead.id, "failed"), (last.id, after.id, None),
    ]  # fmt: skip
    await store.end_run(last, "finished")
    assert await store.begin_run("blatt", "crawl", "elsewhere/1:4:x", slot) is None


# --- who comes back after its lease -----------------------------------------------------------------------------------


class Wire:
    """A way to the database that can be cut: what comes through it then is reset."""

    def __init__(self, dsn: str):
        self.dsn = dsn
        self.is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The address of the database through this wire."""
        async with await asyncio.start_server(self._carry, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            yield conninfo.make_conninfo(self.dsn, host="127.0.0.1", port=port)
            self.cut()

    def cut(self) -> None:
        self.is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        info = conninfo.conninfo_to_dict(self.dsn)
        where, port = str(info["host"]), int(info.get("port") or 5432)
        dial = asyncio.open_unix_connection(f"{where}/.s.PGSQL.{port}") if where.startswith("/") else None
        there, back = await (dial or asyncio.open_connection(where, port))
        self._writers |= {writer, back}
        with suppress(OSError):
            await asyncio.gather(pump(reader, back), pump(there, writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


class OnceSlow(Web):
    """Holds the first answer to ``/slow`` until it is told; whoever asks again has it at once."""

    def __init__(self):
        super().__init__()
        self.let_go = asyncio.Event()

    async def answer(self, request):
        if request.path == "/slow" and "/slow" not in self.asked:
            self.asked.append(request.path)
            self.held.set()
            await self.let_go.wait()
        return await super().answer(request)


BUSY = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND xact_start < now()"
SPOILED = "SELECT canonical_url FROM ingest.articles GROUP BY 1 HAVING count(*) > 1"


@pytest.mark.parametrize("how", ["frozen", "cut off"])
async def test_who_comes_back_after_its_run_was_taken_over_leaves_it(tmp_path, database_url, sql_rows, how):
    """A process is frozen, or cut off from the database, in the middle of a page; its lease is over, another one goes
    on with its run, and then it is back."""
    wire = Wire(database_url)
    async with served(OnceSlow()) as site, wire.open() as address:
        site.pages |= {"/slow": article(1), "/b": article(2)}
        site.feed("/slow", "/b")
        configuration = configured(tmp_path, site)
        settings = tmp_path / "settings.toml"
        settings.write_text(settings.read_text() + '[schedule]\nlease = "1 second"\n')
        command = [sys.executable, "-m", "crawler.cli", "crawl", "blatt"]
        process = await asyncio.create_subprocess_exec(*command, env=environment(tmp_path, address), stderr=PIPE)
        async with asyncio.timeout(60), open_services(configuration, database_url) as services:
            await site.held.wait()
            while how == "frozen":
                process.send_signal(signal.SIGSTOP)
                if not sql_rows(BUSY):  # nobody may wait for its locks
                    break
                process.send_signal(signal.SIGCONT)
            if how == "cut off":
                wire.cut()
            dead = None
            while dead is None or (report := await runs.crawl_source(services, "blatt")).outcome == "skipped":
                dead = sql_rows("UPDATE ingest.runs SET lease_until = clock_timestamp() WHERE id = 1 RETURNING id")
            assert (report.outcome, report.error, report.counts.pending) == ("finished", None, 0)
            process.send_signal(signal.SIGCONT)
            wire.is_cut = False
            site.let_go.set()
            said = (await process.communicate())[1].decode()
    assert "the lease was lost: another process took the run over" in said, said
    assert sql_rows("SELECT outcome, error FROM ingest.runs ORDER BY id") == [
        ("failed", "lost lease"),
        ("finished", None),
    ]
    assert sql_rows("SELECT count(*), sum(version) FROM ingest.articles") == [(2, 2)]
    assert sql_rows(SPOILED) == [] and sql_rows("SELECT sum(new) FROM news.runs") == [(2,)]
    assert sql_rows("SELECT count(*) FROM news.pending") == [(0,)]
