"""Files as jobs of the queue: each is read once on one of many machines, whatever became of the worker that had it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from crawler import config, file_jobs
from crawler.cli import app
from crawler.file_jobs import MOST_TRIES, put_backfill, put_replay, unshared
from crawler.rereading import reread_archive
from crawler.services import Services, open_services
from crawler.worker import FileWorker, defer, defer_file, defer_files, prepare, queue_of
from pipelines.archive import Archive
from pipelines.items import Page
from pipelines.store.backfills import BackfillPosition
from tests.test_backfill import STAND_STILL, at, body, make_config, record, url
from tests.warcs import put

JOBS = "SELECT args ->> 'file', status::text FROM nachlese_files.procrastinate_jobs ORDER BY id"
FILES = "SELECT state, tries, error FROM news.batch_files ORDER BY id"
BATCH = "SELECT kind, files, files_ended, files_failed, found, new, pending, ended_at IS NOT NULL FROM news.batches"


@pytest.fixture
async def services(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    async with open_services(config.load(make_config(tmp_path)), database_url) as opened:
        yield opened


@pytest.fixture
async def queue(database_url):
    prepare(database_url, "files")
    async with queue_of(database_url, "files").open_async() as opened:
        yield opened


@pytest.fixture
def worker(services, queue):
    return FileWorker(services, queue)


def files(tmp_path: Path, *numbers: int, each: int = 2) -> list[str]:
    return [
        str(put(tmp_path / f"{n}.warc.gz", [record(each * n + k) for k in range(each)], "by record")) for n in numbers
    ]


def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    return os.environ | {
        "NACHLESE_CONFIG": str(tmp_path / "config"),
        "NACHLESE_DATABASE_URL": database_url,
        "NACHLESE_HOME": str(tmp_path / "home"),
    }


async def test_a_file_is_one_job_and_read_once_and_leaves_no_job(worker, services, queue, tmp_path, sql_rows):
    names = files(tmp_path, 1, 2, 3)
    batch, is_new = await put_backfill(services, names, [])
    assert (is_new, await put_backfill(services, names, [])) == (True, (batch, False))
    for _ in range(2):  # whoever put them in was killed, and a worker sees it; then there is nothing more to see
        await worker.close_stalled()
    assert len(sql_rows(JOBS)) == 3
    await worker.run(wait=False)
    assert sql_rows(BATCH) == [("backfill", 3, 3, 0, 6, 6, 0, True)]
    assert sql_rows("SELECT count(*), min(kind), count(ended_at) FROM news.runs") == [(3, "backfill", 3)]
    await defer_file(queue, 1)  # a second job of a file that has ended
    await worker.run(wait=False)
    assert sql_rows(JOBS) == []
    assert sql_rows("SELECT count(*) FROM news.runs") == [(3,)]
    assert not (tmp_path / "home" / "downloads").exists()

    again, _ = await put_backfill(services, names, [])
    await defer_files(queue)
    await worker.run(wait=False)
    seen = await services.store.batch(again)
    assert (seen.counts.found, seen.done_before, seen.size) == (0, 3, seen.read)
    anew, _ = await put_backfill(services, names[:1], [], again=True)
    await defer_files(queue)
    await worker.run(wait=False)
    assert (await services.store.batch(anew)).counts.unchanged == 2


async def test_a_path_with_an_exclamation_mark_is_read_again_with_the_files_in_it(store, sql_rows):
    """Files in a WACZ are called by its name and an exclamation mark, and a folder may have one in its name."""
    others = ["/alt!/b.wacz!archive/data.warc.gz", "/alt", "/alt!/a.wacz.1!archive/data.warc.gz"]
    for file in ("/alt!/a.wacz", "/alt!/a.wacz!archive/data.warc.gz", *others):
        await store.save_backfill_position(BackfillPosition(file, "all", 100, 50, 0, 0))
    await store.put_batch("backfill", "x", "all", {}, "host:1", [("a.wacz", "/alt!/a.wacz", 100)], again=True)
    assert {row[0] for row in sql_rows("SELECT file FROM ingest.backfills")} == set(others)


async def test_a_file_that_another_process_reads_is_left_to_it_until_its_claim_ends(
    worker, services, queue, tmp_path, sql_rows, monkeypatch
):
    monkeypatch.setattr(file_jobs, "LOOK_AFTER", timedelta(milliseconds=1))
    names = files(tmp_path, 1, 2)
    batch, _ = await put_backfill(services, names, [])
    ((selection,),) = sql_rows("SELECT selection FROM ingest.file_batches")
    assert await services.store.claim_file(names[0], selection, "elsewhere/1:1:x") == ""
    assert await worker.files.read(1) == file_jobs.LOOK_AFTER
    assert await worker.files.read(2) is None
    assert [state for state, *_ in sql_rows(FILES)] == ["reading", "done"]
    assert (await services.store.batch(batch)).files_reading == 1
    await services.store.release_claims(selection, "elsewhere/1:1:x")
    await defer_file(queue, 1)
    await worker.run(wait=False)
    assert sql_rows(BATCH) == [("backfill", 2, 2, 0, 4, 4, 0, True)]
    assert sql_rows("SELECT count(*) FROM ingest.file_claims WHERE until > now()") == [(0,)]


async def test_a_file_that_cannot_be_read_fails_alone_and_is_named(worker, services, queue, tmp_path, sql_rows):
    names = [*files(tmp_path, 1), str(tmp_path / "bad.wacz"), str(tmp_path / "gone.warc")]
    for name in names[1:]:
        (tmp_path / name).write_bytes(b"no archive")
    batch, _ = await put_backfill(services, names, [])
    (tmp_path / "gone.warc").unlink()
    await defer_files(queue)
    await worker.run(wait=False)
    assert sql_rows(BATCH) == [("backfill", 3, 3, 2, 3, 2, 0, True)]
    bad, gone = (await services.store.batch(batch)).failures
    assert bad.startswith(f"{names[1]}: ") and gone == f"{names[2]}: there is no such file"
    assert sql_rows(JOBS) == []


@pytest.mark.parametrize("within", ["", "!archive/data.warc.gz"])  # of a WACZ, what is in it comes further
async def test_a_file_that_kills_its_workers_is_given_up_unless_it_comes_further(
    worker, services, queue, tmp_path, sql_rows, within
):
    (name,) = files(tmp_path, 1)
    batch, _ = await put_backfill(services, [name], [])
    ((selection,),) = sql_rows("SELECT selection FROM ingest.file_batches")
    name += within
    tries = []
    for place in (0, 0, 100, 100, 100):
        await services.store.save_backfill_position(BackfillPosition(name, selection, 200, place))
        await defer_files(queue)
        sql_rows("SELECT set_config('search_path', 'nachlese_files', false)")
        sql_rows("UPDATE nachlese_files.procrastinate_jobs SET status = 'doing' RETURNING 1")
        await worker.close_stalled()
        tries += [number for _, number, _ in sql_rows(FILES)]
    assert tries == [1, 2, 1, 2, MOST_TRIES]
    (said,) = (await services.store.batch(batch)).failures
    assert said == f"{name.removesuffix(within)}: given up after 3 tries: the worker that read it died"
    assert sql_rows(JOBS) == []
    assert await services.store.note_trouble(1, "late") == 0


async def test_of_a_wacz_that_is_being_read_what_was_read_in_it_is_shown(services, tmp_path, sql_rows):
    paths = [tmp_path / name for name in ("a.wacz", "a.wacz!b.warc", "b.warc")]
    for path in paths:
        path.write_bytes(b"x" * 100)
    names = [*map(str, paths), "http://127.0.0.1/c.wacz"]
    batch, _ = await put_backfill(services, names, [])
    ((selection,),) = sql_rows("SELECT selection FROM ingest.file_batches")
    in_it = f"{names[0]}!archive"
    for file, size, position in (
        (f"{in_it}/1.warc.gz", 40, 50), (f"{in_it}/2.warc.gz", 40, 20), (names[2], 100, 30), (f"{names[3]}!1", 9, 4)
    ):  # fmt: skip
        await services.store.save_backfill_position(BackfillPosition(file, selection, size, position))
    shown = sql_rows("SELECT size, read FROM news.batch_files ORDER BY id")
    assert shown == [(100, 60), (100, None), (100, 30), (None, 4)]
    assert (await services.store.batch(batch)).read == 94
    await services.store.save_backfill_position(BackfillPosition(f"{in_it}/3.warc", selection, 1000, 900))  # unpacked
    assert sql_rows("SELECT read FROM news.batch_files WHERE id = 1") == [(100,)]


async def test_a_file_of_another_machine_is_left_to_workers_that_see_it(worker, services, queue, tmp_path, sql_rows):
    (name,) = files(tmp_path, 1)
    elsewhere = replace(services, worker_id="elsewhere/1-2:1:x")
    batch, _ = await put_backfill(elsewhere, [name], [])
    (tmp_path / "1.warc.gz").rename(tmp_path / "away")
    await defer_files(queue)
    await worker.run(wait=False)
    assert sql_rows(JOBS.replace("args ->> 'file'", "scheduled_at > now()")) == [(True, "todo")]
    (said,) = (await services.store.batch(batch)).troubles
    assert said.startswith(f"{name}: ") and "does not see it" in said
    sql_rows("UPDATE ingest.file_batches SET begun_at = begun_at - interval '2 days' RETURNING 1")
    assert await worker.files.read(1) is None
    assert "nor did any other worker" in (await services.store.batch(batch)).failures[0]


async def test_what_was_cancelled_is_not_begun(worker, services, queue, tmp_path, sql_rows):
    batch, _ = await put_backfill(services, files(tmp_path, 1, 2), [])
    await defer_files(queue)
    await services.store.cancel_batch(batch)
    await worker.run(wait=False)
    assert (sql_rows(BATCH), sql_rows(JOBS)) == ([("backfill", 2, 2, 2, 0, 0, 0, True)], [])


async def test_the_archive_is_read_again_and_the_reading_ends_with_its_last_file(
    worker, services, queue, tmp_path, sql_rows
):
    for hours in (1, 30, 60):  # a file for each day
        with Archive(services.archive_folder) as kept:
            kept.save(Page(url(hours), "blatt", body(hours), at(hours)))
    batch, _ = await put_replay(services, None, None)
    assert await put_replay(services, None, None) == (batch, False)
    assert await worker.files.read(1) is None
    beside, found = await reread_archive(services)  # the same reading, by a process of its own
    assert (beside.counts.new, found.done_before) == (2, 1)
    await defer_files(queue)
    await worker.run(wait=False)
    assert sql_rows(BATCH) == [("replay", 3, 3, 0, 1, 1, 0, True)]
    assert (await services.store.batch(batch)).done_before == 2
    anew, is_new = await put_replay(services, None, None)
    last, is_last_new = await put_replay(services, None, None, again=True)
    assert (anew > batch, is_new, last > anew, is_last_new) == (True, True, True, True)
    await defer_files(queue)
    await worker.run(wait=False)
    assert sql_rows("SELECT count(*) FROM ingest.rereadings WHERE ended_at IS NULL") == [(0,)]
    assert [batch.counts.unchanged for batch in [await services.store.batch(last)]] == [3]


def test_paths_that_all_machines_may_see_are_told_from_those_on_a_disk(tmp_path):
    mounts = (
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "30 22 0:41 / /srv/all\\040news rw shared:1 - nfs4 box:/news rw\n"
        "31 30 8:2 / /srv/all\\040news/here rw - xfs /dev/sdb1 rw\n"
    )
    names = ["/srv/all news/a.warc", "/srv/all news/here/b.warc", "/srv/c.warc", "https://files.example/d.warc"]
    assert unshared(names, mounts) == names[1:3]


@pytest.fixture
def called(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch):
    """A function that runs a command in this process, and gives what it wrote to both outputs."""
    make_config(tmp_path)
    for name, value in environment(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def call(*arguments: str, code: int = 0) -> tuple[str, str]:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == code, result.stderr
        return result.stdout, result.stderr

    yield call
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_what_is_in_the_queue_is_shown_and_can_be_cancelled(called, tmp_path, sql_rows):
    names = files(tmp_path, 1, 2)
    out, said = called("backfill", *names, "--queue", "--json")
    assert json.loads(out) == {"batch": 1, "files": 2, "is_new": True, "failures": []}
    assert "2 paths of this machine" in said and "batch 1, 2 files, is in the queue" in said
    out, said = called("backfill", *names, "--queue")
    assert "is in the queue already" in said and len(sql_rows(JOBS)) == 2
    assert json.loads(called("batches", "--json")[0])["files_ended"] == 0
    assert "0 of 2" in called("batches")[0] and "1 of 2 files" in called("batches", "1")[0]
    assert "backfill by workers: 0 of 2 files" in called("status")[0]
    out, said = called("batches", "1", "--cancel", code=1)
    assert "it was cancelled, 2 files had not ended" in out
    assert "by workers" not in called("status")[0]
    for wrong in (
        ("backfill", names[0], "--follow"),
        ("replay", "--archive", "--follow"),
        ("replay", names[0], "--queue"),
        ("worker", "--queues", "fils"),
        ("batches", "--follow"),
        ("batches", "99"),
    ):
        called(*wrong, code=2)


# --- real workers ----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def nachlese(tmp_path: Path, database_url: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs; killed at the end, if need be."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "crawler.cli", *arguments),
        env=environment(tmp_path, database_url), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


# who reads a file is told to the test, as positions are
SAY_CLAIM = """
    CREATE FUNCTION ingest.say_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify('position', NEW.file); RETURN NULL; END $$;
    CREATE TRIGGER say_claim AFTER UPDATE OF worker_id ON ingest.file_claims
        FOR EACH ROW WHEN (OLD.worker_id <> NEW.worker_id) EXECUTE FUNCTION ingest.say_claim();
"""


def until_told(connection, is_it) -> None:
    for told in (found := connection.notifies(timeout=60)):
        if is_it(told.payload):
            found.close()


async def until_said(process: asyncio.subprocess.Process, text: str) -> None:
    while text not in (line := (await process.stderr.readline()).decode()):
        assert line, f"it ended without {text!r}"


async def test_workers_are_killed_and_drained_in_the_midst_of_a_file_and_slots_go_on_beside_it(
    worker, queue, tmp_path, database_url, sql_rows
):
    """A worker is killed; the next one runs a slot while it reads, and is drained; a third one comes to the end."""
    (name,) = files(tmp_path, 1, each=60)
    bad = tmp_path / "bad.wacz"
    bad.write_bytes(b"no archive")
    prepare(database_url)
    start = partial(nachlese, tmp_path, database_url)
    async with start("backfill", name, str(bad), "--queue", "--follow", "--json") as following:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(SAY_CLAIM + STAND_STILL)
            async with start("worker", "--queues", "files"):
                await asyncio.to_thread(until_told, connection, lambda said: said.isdigit() and said != "0")
            assert sql_rows(JOBS) == [("1", "doing"), ("2", "todo")]
            connection.execute("SELECT pg_advisory_unlock(16)")  # the server has not seen that its client is gone
            connection.execute("SELECT pg_advisory_lock(16)")
            await worker.close_stalled(after=0)
            async with start("worker") as drained, queue_of(database_url).open_async() as slots:
                await asyncio.to_thread(until_told, connection, lambda said: said == name)
                await defer(slots, "kurier", datetime(2026, 11, 1, tzinfo=UTC))
                await until_said(drained, "crawl of kurier failed")  # its site cannot be had
                assert [state for state, *_ in sql_rows(FILES)] == ["reading", "failed"]
                drained.send_signal(signal.SIGUSR1)
                connection.close()
                _, said = await drained.communicate()
                assert drained.returncode == 0, said.decode()
        await worker.run(wait=False)
        out, said = await following.communicate()
    assert following.returncode == 1, said.decode()
    told = json.loads(out)
    assert (told["outcome"], told["new"], told["pending"], len(told["failures"])) == ("finished", 60, 0, 1)
    assert told["failures"][0].startswith(f"{bad}: ")
    assert sql_rows("SELECT count(*), count(DISTINCT url) FROM news.articles") == [(60, 60)]
    assert sql_rows("SELECT count(*) FROM news.versions") == [(60,)]
    assert sql_rows("SELECT DISTINCT outcome FROM news.runs WHERE source IS NULL ORDER BY 1") == [
        ("failed",), ("finished",), ("stopped",),
    ]  # fmt: skip
    assert sql_rows(JOBS) == []
