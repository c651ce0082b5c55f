"""The whole archive is read again, from where a reading that was killed had come, by one process or by several."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from crawler import config, file_reading
from crawler.backfilling import backfill, hosts_wanted
from crawler.backfilling import selection_of as selection_of_hosts
from crawler.file_jobs import put_replay
from crawler.rereading import key_of, reread_archive, selection_of
from crawler.services import Services, open_services
from pipelines.archive import Archive
from pipelines.items import Page
from pipelines.record_reader import Place, RecordReader
from pipelines.store.backfills import BackfillPosition
from tests.test_backfill import STAND_STILL, at, body, make_config, record, url
from tests.warcs import put


def fill(folder: Path, *numbers: int, source: str = "blatt") -> Path:
    """A file of the archive with these articles."""
    with Archive(folder) as kept:
        for number in numbers:
            kept.save(Page(url(number), source, body(number), at(number)))
        return folder / kept.file_name


@pytest.fixture
async def services(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    async with open_services(config.load(make_config(tmp_path)), database_url) as opened:
        yield opened


def test_after_a_kill_it_goes_on_and_nothing_is_lost_or_doubled(tmp_path: Path, database_url: str, sql_rows):
    with Archive(tmp_path / "archive") as kept:  # more than one transaction takes; a file for each day
        saved = [kept.save(Page(url(n), "blatt", body(n), at(n))) for n in range(1, 121)]
    environment = os.environ | {
        "NACHLESE_CONFIG": str(make_config(tmp_path)),
        "NACHLESE_DATABASE_URL": database_url,
        "NACHLESE_HOME": str(tmp_path / "home"),
    }
    command = [sys.executable, "-m", "crawler.cli", "replay", "--archive", "--json"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(STAND_STILL.replace(">= 8", ">= 1"))
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            next(said for said in connection.notifies(timeout=60) if said.payload != "0")
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        before = sql_rows("SELECT count(*) FROM ingest.articles")[0][0]
    reached = {name.split()[0]: position for name, position in sql_rows("SELECT file, position FROM ingest.backfills")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 < before < 120 and any(reached.values())
    assert json.loads(done.stdout)["found"] == sum(one.offset >= reached.get(one.file, 0) for one in saved)
    assert sql_rows("SELECT count(*), count(DISTINCT url) FROM news.articles") == [(120, 120)]
    assert sql_rows("SELECT count(*) FROM news.versions") == [(120,)]
    assert sql_rows("SELECT DISTINCT kind FROM news.runs") == [("replay",)]
    assert sql_rows("SELECT DISTINCT backfilled_from FROM news.versions") == [(None,)]


async def test_only_the_same_reading_is_gone_on_with(services: Services, tmp_path: Path, sql_rows):
    file = fill(services.archive_folder, 1, 2)
    fill(services.archive_folder, 3, source="kurier")
    selection = selection_of(services.configuration, None, None)
    begun = await services.store.rereading(selection)
    assert begun.is_new and not (await services.store.rereading(selection)).is_new
    key = key_of(services.archive_folder, file.name)
    size = file.stat().st_size
    await services.store.save_backfill_position(BackfillPosition(key, begun.selection, size, size, is_done=True))
    other, _ = await reread_archive(services, "blatt")
    assert other.counts.found == 2
    rest, found = await reread_archive(services)
    assert (rest.counts.found, found.done_before, found.read) == (1, 1, found.size)
    whole, found = await reread_archive(services)
    assert (whole.counts.found, whole.counts.unchanged, found.done_before) == (3, 3, 0)
    await services.store.rereading(selection)
    anew, _ = await reread_archive(services, again=True)
    assert anew.counts.found == 3
    late, found = await reread_archive(services, since=at(48))
    assert (late.counts.found, found.files) == (0, 0)
    source = tmp_path / "config" / "sources" / "blatt.toml"
    source.write_text(source.read_text() + "[fetch]\n")
    assert selection_of(services.configuration, None, None) != selection
    assert sql_rows("SELECT count(*) FROM ingest.file_claims WHERE until > now()") == [(0,)]


async def test_files_that_are_gone_are_said_and_the_others_are_read(services: Services, caplog, sql_rows):
    gone_said = "files of the archive with stored pages that are not there: 1; only the others are read"
    gone, kept = fill(services.archive_folder, 1, 2), fill(services.archive_folder, 3)
    row = f"('{gone.name}', 0, 9, 'blatt', '{url(1)}', now() - interval '1 minute')"  # as a crawl writes it
    sql_rows(
        "INSERT INTO ingest.archive_records (file, record_offset, length, source, url, fetched_at) "
        f"VALUES {row} RETURNING 1"
    )
    await reread_archive(services)
    await put_replay(services, None, None)
    assert "db check-archive" not in caplog.text
    gone.unlink()
    report, _ = await reread_archive(services)
    assert (report.outcome, report.counts.found) == ("finished", 1) and kept.exists()
    assert gone_said in caplog.text
    caplog.clear()
    await put_replay(services, None, at(0))
    assert gone_said in caplog.text


async def test_a_file_that_another_process_reads_is_waited_for(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql_rows
):
    monkeypatch.setattr(file_reading, "LOOK_EVERY", 0.01)
    paths = [put(tmp_path / f"{n}.warc.gz", [record(n)], "by record") for n in (1, 2, 3)]
    files, size = [str(path) for path in paths], paths[0].stat().st_size
    selection, other = selection_of_hosts(hosts_wanted(services.configuration)), "elsewhere:1:x"
    store, tasks = services.store, []
    for file in files[:2]:
        assert await store.claim_file(file, selection, other) == ""

    done = BackfillPosition(files[0], selection, size, is_done=True)

    async def end() -> None:
        await store.save_backfill_position(done)
        await store.release_claims(selection, other)

    report, found = await backfill(services, files, progress=lambda _: lambda *_: tasks.append(
        asyncio.create_task(end()) if not tasks else tasks[0]))  # fmt: skip
    assert (report.counts.new, found.done_before, found.files_ended) == (2, 1, 3)
    assert [row[0][-1] for row in sql_rows("SELECT url FROM news.articles ORDER BY fetched_at")] == ["2", "3"]


async def test_two_processes_share_the_files_and_wait_for_each_other(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql_rows
):
    for name, value in (("LOOK_EVERY", 0.01), ("SAVE_EVERY", 0.01), ("MOST_WAITS", 100_000)):
        monkeypatch.setattr(file_reading, name, value)
    files = [
        str(put(tmp_path / f"{first}.warc.gz", [record(n) for n in range(first, first + 3)], "by record"))
        for first in range(1, 13, 3)
    ]
    done = await asyncio.gather(
        *(backfill(replace(services, worker_id=f"elsewhere:1:{one}"), files) for one in ("a", "b"))
    )
    assert [(report.outcome, found.files_ended, found.failures) for report, found in done] == [("finished", 4, ())] * 2
    assert sum(report.counts.found for report, _ in done) == sum(report.counts.new for report, _ in done) == 12
    assert sum(found.done_before for _, found in done) == 4
    assert sql_rows("SELECT count(*) FROM ingest.file_claims WHERE until > now()") == [(0,)]


def by_hosts() -> dict[str, object]:
    hosts = {"blatt": ["www.blatt.example"]}
    return {"kind": "hosts", "hosts": hosts, "wanted": ["blatt"], "former": {}, "latest": "2100-01-01T00:00:00+00:00"}


def test_a_record_on_which_the_process_dies_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The process reads what it does not survive: here a body that a hole in a decoder would meet."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, os\n"
        "if 'record_process' in ' '.join(sys.orig_argv):\n"
        "    from pipelines import archive, wanted_pages\n"
        "    found = archive.whole\n"
        "    archive.whole = lambda record: os.abort() if b'POISON' in (body := found(record)) else body\n"
    )
    poison = record(9, content=b"<html>POISON" + body(9))
    file = put(tmp_path / "x.warc.gz", [record(1), poison, record(2), record(3)], "by record")
    reader = RecordReader(by_hosts(), {"blatt"})
    try:
        found = list(reader.pages(Place(str(file))))
    finally:
        reader.close()
    pages = [one.page.url[-1] for one in found if one.page is not None]
    assert pages == ["1", "2", "3"] and any("signal 6" in one.damage for one in found), found


def test_what_the_process_gives_is_a_page_of_a_wanted_source_or_nothing(tmp_path: Path):
    reader = RecordReader(by_hosts(), {"kurier"})
    try:
        found = list(reader.pages(Place(str(put(tmp_path / "x", [record(1)], "plain")))))
        assert (found[0].page, found[0].damage[-12:]) == (None, "nobody wants")
        for wrong in ({"at": "x", "skipped": 0}, {"at": 1, "skipped": 0, "page": {"url": 1}, "bodies": [b""]}, {}):
            assert "no page" in reader._found(wrong, 0).damage
    finally:
        reader.close()
    with pytest.raises(ValueError, match="was ended"):
        list(reader.pages(Place(str(tmp_path / "x"))))
