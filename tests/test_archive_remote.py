"""An archive at an address: files are written here, moved there, and read from there by every machine."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler import retrying, runs
from crawler.archiving import sealing
from crawler.cli.common import Exit, explained
from crawler.config import load
from crawler.rereading import reread_archive
from crawler.services import open_services
from pipelines import archive
from pipelines.archive import Archive
from pipelines.archive_remote import NoSuchStore, RemoteArchive, StoreError, open_remote
from pipelines.items import Page
from pipelines.store import Archived, Store
from tests.servers import free_port
from tests.test_crawl import article, configured, site

__all__ = ["site"]
T = datetime(2026, 3, 1, 12, tzinfo=UTC)


def page(number: int) -> Page:
    return Page(f"https://blatt.example/{number}", "blatt", b"<p>%d</p>" % number, T + timedelta(hours=number))


def moto() -> str | None:
    return os.environ.get("NACHLESE_TEST_MOTO") or shutil.which("moto_server")


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bucket on a real S3 server, where one is installed; its endpoint is in the environment."""
    program = moto()
    if not program:
        pytest.skip("no moto_server (pip install 'moto[s3,server]' in an environment of its own, NACHLESE_TEST_MOTO)")
    endpoint = f"http://127.0.0.1:{free_port()}"
    # obstore remembers a bucket with the endpoint that it first had
    bucket = f"papers{endpoint.rpartition(':')[2]}"
    environment = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true",
    }  # fmt: skip
    command = [program, "-H", "127.0.0.1", "-p", endpoint.rpartition(":")[2]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            while not answers(f"{endpoint}/{bucket}"):
                assert server.poll() is None
                time.sleep(0.05)
            yield f"s3://{bucket}/nachlese"
        finally:
            server.terminate()
            server.wait()


def answers(bucket: str) -> bool:
    """Whether the server is there and has made the bucket."""
    try:
        urllib.request.urlopen(urllib.request.Request(bucket, method="PUT", data=b"")).close()
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False
    return True


@pytest.fixture(params=["a folder", "s3", "gs"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "a folder":
        return f"file://{tmp_path}/there"
    bucket = request.getfixturevalue("s3")
    if request.param == "gs":  # Google's XML interface: the same requests with another kind of key
        monkeypatch.setenv("GOOGLE_BASE_URL", os.environ["AWS_ENDPOINT_URL"])
        monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "test")
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        bucket = bucket.replace("s3://", "gs://")
    return f"{bucket}/{tmp_path.name}"


@pytest.fixture
def best_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """On a real S3 server where there is one."""
    return f"{request.getfixturevalue('s3')}/{tmp_path.name}" if moto() else f"file://{tmp_path}/there"


def test_what_is_done_is_moved_and_every_record_is_read_from_there(tmp_path: Path, address: str):
    here, remote = tmp_path / "here", RemoteArchive(address)
    assert (remote.names(), remote.seal(here)) == ([], 0)
    with Archive(here, "aaaa") as first, Archive(here, "bbbb") as second:
        places = [first.save(page(n)) for n in range(3)]
        writes = second.save(page(9))
        first.close()
        assert remote.seal(here) == 1 and remote.seal(here) == 0  # the other one is written still
        assert remote.names() == [places[0].file] and [path.name for path in here.iterdir()] == [writes.file]
        second.save(page(10))
    assert len({places[0].file, writes.file}) == 2
    for number, where in enumerate(places):
        assert archive.page_at(remote.file(where.file), where.offset) == page(number)
    assert remote.seal(here) == 1
    found = [one.url for path in remote.fetched() for one in archive.pages(path)]
    assert found == [page(n).url for n in (0, 1, 2, 9, 10)]
    assert len(remote.sizes()) == 2 and min(remote.sizes()) > 100
    assert remote.recent(T) == remote.files() and remote.recent(datetime.now(UTC) + timedelta(days=1)) == {}
    gaps = list(archive.left(remote.file, [(places[0].file, places[1].offset, places[2].offset)], T))
    assert [(where.offset, one.url) for where, one in gaps] == [(places[1].offset, page(1).url)]
    remote.remove(writes.file)
    assert (remote.names(), remote.has(writes.file)) == ([places[0].file], False)
    remote.remove(writes.file)  # it is gone: nothing to say


async def test_what_cannot_be_moved_waits_and_is_moved_later(tmp_path: Path, caplog):
    here, there = tmp_path / "here", tmp_path / "there"
    there.write_text("no folder")
    remote, lock = RemoteArchive(f"file://{there}"), asyncio.Lock()
    async with sealing(kept := Archive(here, "x"), lock, remote, here, timedelta(minutes=1)):
        where = kept.save(page(1))
    assert "wait in" in caplog.text and (here / where.file).exists()
    there.unlink()
    async with sealing(Archive(here, "y"), lock, remote, here, timedelta(minutes=1)):
        pass
    assert remote.names() == [where.file] and list(here.iterdir()) == []
    assert archive.page_at(remote.file(where.file), where.offset) == page(1)


def test_a_file_that_cannot_be_moved_holds_up_none_of_the_others(tmp_path: Path):
    """Two files of one day: the first one's name is a folder there."""
    remote = RemoteArchive(f"file://{tmp_path}/there")
    with Archive(tmp_path / "here", "a") as first, Archive(tmp_path / "here", "b") as second:
        places = [kept.save(page(number)) for number, kept in enumerate((first, second))]
    stuck, moved = sorted(one.file for one in places)
    (tmp_path / "there" / f"{stuck}.half").mkdir(parents=True)
    with pytest.raises(OSError, match=stuck):
        remote.seal(tmp_path / "here")
    assert remote.has(moved) and not remote.has(stuck)
    (tmp_path / "there" / f"{stuck}.half").rmdir()
    assert remote.seal(tmp_path / "here") == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no place that says a folder made in it is not there")
def test_a_place_that_is_not_there_is_no_file_that_has_gone(tmp_path: Path):
    """As a network folder answers whose server is away."""
    with Archive(tmp_path, "x") as kept:
        where = kept.save(page(1))
    with pytest.raises(OSError, match="/proc/nachlese"):
        RemoteArchive("file:///proc/nachlese").seal(tmp_path)
    assert (tmp_path / where.file).exists()


def test_a_file_that_is_old_is_closed_and_another_one_begun(tmp_path: Path):
    with Archive(tmp_path, "x") as kept:
        first = kept.save(page(1))
        kept.close_old(3600.0)
        assert kept.save(page(2)).file == first.file
        kept.close_old(0.0)
        assert kept.save(page(3)).file != first.file


def test_a_file_that_was_moved_is_never_overwritten(tmp_path: Path, caplog):
    """A name that is free here, because its file was moved, is taken there."""
    here, remote = tmp_path / "here", RemoteArchive(f"file://{tmp_path}/there")
    places = []
    with Archive(here, "x") as kept:
        for number in range(3):
            places.append(kept.save(page(number)))
            kept.close_old(0.0)
            assert remote.seal(here) == 1
    assert [archive.page_at(remote.file(one.file), one.offset) for one in places] == [page(n) for n in range(3)]
    with Archive(tmp_path / "elsewhere") as other:  # from before there was an address, so of a name without its machine
        other.save(page(8))
        other.save(page(9))
    (stays,) = (tmp_path / "elsewhere").iterdir()
    stays.rename(here / places[0].file)
    assert (remote.seal(here), list(here.iterdir())) == (0, [here / places[0].file]) and "another file" in caplog.text
    assert archive.page_at(remote.file(places[0].file), places[0].offset) == page(0)


def test_a_file_that_a_mover_just_looks_at_is_locked_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Else it is moved, and deleted, while pages are still written to it."""
    system = fcntl.flock

    def looked_at(file, how):
        looks = open(file.name, "rb")  # noqa: SIM115  closed by the thread, which ends the look
        system(looks, fcntl.LOCK_EX)
        look = threading.Thread(target=looks.close)
        if not how & fcntl.LOCK_NB:
            look.start()
        try:
            system(file, how)
        finally:
            looks.close()

    with monkeypatch.context() as patched, Archive(tmp_path, "x") as kept:
        patched.setattr(fcntl, "flock", looked_at)
        kept.save(page(1))
        patched.undo()
        assert RemoteArchive(f"file://{tmp_path}/there").seal(tmp_path) == 0


@pytest.mark.parametrize("stated", ["nonsense://x/y", "s3://"])
def test_an_address_that_nobody_knows_is_named(stated: str):
    with pytest.raises(NoSuchStore, match=r"archive\.folder") as found:
        open_remote(stated)
    assert explained(found.value) == (str(found.value), Exit.USAGE)


def test_a_store_that_does_not_answer_is_named_and_no_internal_error(monkeypatch: pytest.MonkeyPatch):
    endpoint = f"http://127.0.0.1:{free_port()}"
    settings = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "x", "AWS_ENDPOINT_URL": endpoint}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreError) as found:
        RemoteArchive("s3://nowhere/nachlese").names()
    said, code = explained(found.value)
    assert (said.startswith("the archive at its address: "), endpoint in said, code) == (True, True, Exit.NOT_ALL)


async def test_another_machine_reads_what_this_one_has_fetched(
    tmp_path: Path, site, best_address, database_url, monkeypatch, sql_rows
):
    site.pages |= {"/a": article(1), "/b": article(2)}
    site.feed("/a", "/b")
    folder = configured(tmp_path, site).folder
    settings = folder / "settings.toml"
    text = settings.read_text().replace(f'folder = "{tmp_path / "archive"}"', f'folder = "{best_address}"')
    settings.write_text(text)
    configuration = load(folder)
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "first"))
    async with open_services(configuration, database_url) as services:
        assert (await runs.crawl_source(services, "blatt")).counts.new == 2
    assert list((tmp_path / "first" / "archive").iterdir()) == []

    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "second"))
    async with open_services(configuration, database_url) as services:
        remote = RemoteArchive(best_address)
        (name,) = remote.names()
        remote.fetch(name, services.archive_folder / name)  # a dump that was restored: it is here, too, and read once
        again, _ = await reread_archive(services)
        assert (again.counts.found, again.counts.unchanged) == (2, 2)
        (services.archive_folder / name).unlink(missing_ok=True)  # it is moved, as any other that nobody writes to
        again, found = await reread_archive(services)
        assert (again.counts.found, again.counts.unchanged, found.read) == (2, 2, found.size)
        places = [Archived(name, offset, length) for offset, length in offsets(services, name)]
        found = list(retrying.stored_pages(services.archive_file, places))
        assert {one.url.rpartition("/")[2] for _, one in found} == {"a", "b"}

        # a machine that died has taken a file with it: that is known, and what only it held is asked for again
        store, later = services.store, datetime.now(UTC) + timedelta(days=1)
        assert await store.lost_archive_files(remote.names(), later) == []
        remote.remove(name)
        lost = await store.lost_archive_files([], later)
        assert [(row["file"], row["records"], row["articles"]) for row in lost] == [(name, 2, 2)]
        assert await store.lost_archive_files([], T) == []  # another machine may write it now
        lying = await store.pages_in_archive_file(name)
        assert {(row["url"].rpartition("/")[2], row["is_current"]) for row in lying} == {("a", True), ("b", True)}
        assert await store.ask_again_for(name) == 2
        asked = len(site.asked)
        report = await runs.crawl_source(services, "blatt", kind="recheck")
        assert (report.counts.unchanged, {"/a", "/b"} - set(site.asked[asked:])) == (2, set())

    (kept,) = remote.names()
    assert sql_rows("SELECT file, count(*) FROM ingest.archive_records GROUP BY 1") == [(kept, 2)]
    # the versions know where their pages lie now, so that a loss of this file is known as well
    assert sql_rows("SELECT count(DISTINCT archive_record_id) FROM ingest.versions") == [(2,)]
    async with await Store.open(database_url) as store:
        pruned = await store.prune(archive=later, folder=tmp_path, remote=remote)
    assert (pruned["archive_files"], remote.names()) == (1, [])


def offsets(services, name: str) -> list[tuple[int, int]]:
    found = archive.pages_of(services.archive_file(name), None, [])
    return [(offset, length) for offset, length, _ in found]


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server of SSH that is known here."""
    pytest.importorskip("paramiko", reason="no paramiko (pip install 'nachlese[sftp]')")
    from tests.sftp_server import SftpServer

    (tmp_path / "served").mkdir()
    monkeypatch.setenv("NACHLESE_KNOWN_HOSTS", str(tmp_path / "known_hosts"))
    with SftpServer(tmp_path / "served", "news", "geheim") as server:
        (tmp_path / "known_hosts").write_text(server.known_as())
        yield server


def test_a_server_of_ssh_keeps_the_archive_and_a_connection_that_is_cut_off_is_made_anew(tmp_path: Path, sftp, caplog):
    here, remote = tmp_path / "here", RemoteArchive(sftp.address("papers/nachlese"))
    assert sftp.connections == 0, "nobody is asked before there is something to do"
    assert remote.names() == []
    with Archive(here, "x") as kept:
        first = kept.save(page(1))
    assert (remote.seal(here), list(here.iterdir())) == (1, [])
    connection = remote._place._fs.client.get_transport()
    sftp.cut_off()
    connection.join(60)  # until this end has seen it
    assert remote.files() == {first.file: first.offset + first.length}
    assert archive.page_at(remote.file(first.file), first.offset) == page(1)
    assert sftp.connections == 2
    with Archive(here, "x") as kept:
        kept.save(page(2))
        kept.save(page(3))
    assert remote.seal(here) == 0 and "has another file of this name" in caplog.text
    assert "geheim" not in caplog.text and "geheim" not in remote.address
    remote.remove(first.file)
    assert remote.names() == []


def test_a_server_of_ssh_with_another_key_gets_neither_password_nor_files(tmp_path: Path, sftp):
    known = tmp_path / "known_hosts"
    for text, said in (("", "is not in"), (sftp.known_as(other=True), "has another key than")):
        known.write_text(text)
        with pytest.raises(StoreError, match=said):
            RemoteArchive(sftp.address("papers")).names()
    assert sftp.passwords == []
