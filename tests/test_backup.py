"""`nachlese db dump`, `restore` and `move`: everything comes back, checked by counts and hashes, and crawls go on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import contextmanager

import psycopg
import pytest

from crawler import runs
from crawler.cli.common import Exit
from crawler.services import open_services
from pipelines import backup, backup_rights, database
from pipelines.archive_remote import open_remote
from pipelines.database import DatabaseError
from pipelines.migrations import RESTORING
from tests.conftest import fresh_database
from tests.test_archive_remote import address, s3
from tests.test_crawl import article, configured, site

__all__ = ["address", "s3", "site"]
ROLE = f"backup_reader_{os.getpid()}"
TEXTS = "SELECT id, url, title, text, first_seen_at FROM news.articles ORDER BY id"
SETTINGS = """
    SELECT setconfig FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
    WHERE datname = current_database()
"""


def execute(dsn, *statements):
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def forget(folder, name):
    """Leave a file out of a dump's manifest."""
    manifest = json.loads((folder / backup.MANIFEST).read_text())
    del manifest["files"][name]
    (folder / backup.MANIFEST).write_text(json.dumps(manifest))


def rows(dsn, statement):
    with psycopg.connect(dsn) as connection:
        return connection.execute(statement).fetchall()


@contextmanager
def role(*servers):
    """A role whose search_path in this database is its own; on the other servers it only exists."""
    for dsn in servers:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {ROLE}")
    try:
        with psycopg.connect(servers[0], autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(f'ALTER ROLE {ROLE} IN DATABASE "{name}" SET search_path TO news, "$user"')
            connection.execute(f"ALTER ROLE {ROLE} IN DATABASE \"{name}\" SET statement_timeout TO '7s'")
        yield
    finally:
        for dsn in servers:
            with psycopg.connect(dsn, autocommit=True) as connection:
                name = connection.info.dbname
                connection.execute(f'ALTER ROLE {ROLE} IN DATABASE "{name}" RESET ALL')
                connection.execute(f"DROP ROLE {ROLE}")


@pytest.fixture
async def filled(tmp_path, site, database_url):
    """A configuration, and its archive's folder, after a crawl of two articles."""
    site.pages |= {"/a": article(1), "/b": article(2)}
    site.feed("/a", "/b")
    configuration = configured(tmp_path, site)
    async with open_services(configuration, database_url) as services:
        assert (await runs.crawl_source(services, "blatt")).counts.new == 2
    return configuration, tmp_path / "archive"


async def test_everything_comes_back_and_the_crawl_goes_on(filled, tmp_path, site, database_url, postgres15):
    """Into another server, of another version."""
    configuration, archive = filled
    for target in fresh_database(postgres15, "template0"):
        with role(database_url, target):
            dumped = backup.dump(database_url, archive, tmp_path / "dump")
            assert dumped.rows["articles"] == 2
            assert any(name.startswith("archive/") for name in dumped.files)
            restored = backup.restore(tmp_path / "dump", target, tmp_path / "archive2")
            assert restored == backup.Restored(backup.checked(tmp_path / "dump"), [], {})
            assert rows(target, TEXTS) == rows(database_url, TEXTS)
            assert rows(target, SETTINGS) == rows(database_url, SETTINGS) != []
        names = [path.name for path in archive.rglob("*") if path.is_file()]
        for name in names:
            assert (tmp_path / "archive2" / name).read_bytes() == (archive / name).read_bytes()
        with pytest.raises(DatabaseError, match="has articles already"):
            backup.restore(tmp_path / "dump", target, None)
        execute(target, f"CREATE SCHEMA {RESTORING}", "DROP SCHEMA news CASCADE")  # as after a kill -9
        with pytest.raises(DatabaseError, match="broke off"):
            database.migrate(target)
        (file,) = (tmp_path / "archive2").iterdir()
        file.unlink()
        (tmp_path / "dump" / "archive" / file.name).rename(tmp_path / "kept")
        forget(tmp_path / "dump", f"archive/{file.name}")
        restored = backup.restore(tmp_path / "dump", target, tmp_path / "archive2")
        assert list(restored.missing) == [file.name]  # it says of which files no record can be read
        (tmp_path / "kept").rename(file)
        site.pages["/c"] = article(3)
        site.feed("/a", "/b", "/c")
        asked = len(site.asked)
        async with open_services(configuration, target) as services:
            assert (await runs.crawl_source(services, "blatt")).counts.new == 1
        assert "/a" not in site.asked[asked:]


async def test_a_dump_that_was_damaged_is_refused_and_nothing_is_changed(
    filled, tmp_path, database_url, empty_database
):
    _, archive = filled
    backup.dump(database_url, archive, tmp_path / "dump")
    with pytest.raises(DatabaseError, match="is not empty"):
        backup.dump(database_url, archive, tmp_path / "dump")
    other = tmp_path / "other"
    other.mkdir()
    file = next(path for path in (tmp_path / "dump" / "archive").rglob("*") if path.is_file())
    (other / file.name).write_bytes(b"another one")
    with pytest.raises(DatabaseError, match="another file"):
        backup.restore(tmp_path / "dump", empty_database, other)
    manifest = tmp_path / "dump" / backup.MANIFEST
    text = manifest.read_text()
    manifest.write_text(text.replace('"articles": 2', '"articles": 3'))
    with pytest.raises(DatabaseError, match=r"not those of the dump: articles"):
        backup.restore(tmp_path / "dump", empty_database, None)
    manifest.write_text(text.replace('"database.dump"', '"../x"'))
    with pytest.raises(DatabaseError, match="outside"):
        backup.restore(tmp_path / "dump", empty_database, None)
    manifest.write_text(text)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DatabaseError, match="SHA-256"):
        backup.restore(tmp_path / "dump", empty_database, tmp_path / "archive2")
    with pytest.raises(DatabaseError, match="is no whole dump"):
        backup.restore(tmp_path / "nowhere", empty_database, None)
    assert rows(empty_database, "SELECT count(*) FROM pg_namespace WHERE nspname IN ('ingest', 'news')") == [(0,)]


async def test_no_password_is_said(tmp_path):
    with pytest.raises(DatabaseError) as refused:
        backup.run_program("pg_dump", "postgresql://nobody:geheim@127.0.0.1:1/x", ["--schema=ingest"])
    assert "geheim" not in str(refused.value)


async def test_everything_moves_from_the_embedded_server_to_another_one(
    tmp_path, site, server_folder, empty_database, monkeypatch
):
    site.pages |= {"/a": article(1), "/b": article(2)}
    site.feed("/a", "/b")
    configuration = configured(tmp_path, site)
    monkeypatch.setenv("NACHLESE_HOME", str(server_folder))
    monkeypatch.setenv("NACHLESE_CONFIG", str(configuration.folder))
    monkeypatch.delenv("NACHLESE_DATABASE_URL", raising=False)

    async def move():
        command = [sys.executable, "-m", "crawler.cli", "db", "move", empty_database]
        return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)

    async def crawled(dsn):
        async with open_services(configuration, dsn) as services:
            return (await runs.crawl_source(services, "blatt")).counts

    old = database.address()
    try:
        assert (await crawled(old)).new == 2
        moved = await move()
        assert (moved.returncode, "2 articles" in moved.stdout) == (0, True), moved.stderr
        assert rows(empty_database, TEXTS) == rows(old, TEXTS) != []
        site.pages["/c"] = article(3)
        site.feed("/a", "/b", "/c")
        asked = len(site.asked)
        assert (await crawled(empty_database)).new == 1  # it knows what it has
        assert {"/a", "/b", "/c"} & set(site.asked[asked:]) == {"/c"}
        again = await move()
        assert again.returncode == Exit.DATABASE and "has articles already" in again.stderr
    finally:
        database.leave(old)


async def test_a_schema_of_somebody_else_is_never_dropped(filled, tmp_path, database_url, empty_database):
    backup.dump(database_url, None, tmp_path / "dump")
    execute(empty_database, "CREATE SCHEMA news", "CREATE TABLE news.mine AS SELECT 1 AS id")
    with pytest.raises(DatabaseError, match="schema 'news' that is not Nachlese's"):
        backup.restore(tmp_path / "dump", empty_database, None)
    assert rows(empty_database, "SELECT id FROM news.mine") == [(1,)]
    with pytest.raises(DatabaseError, match="nothing to dump"):
        backup.dump(empty_database, None, tmp_path / "other")
    backup.dump(database_url, None, tmp_path / "other")  # what failed has left nothing in its folder


async def test_what_lies_at_an_address_is_listed_or_fetched(filled, tmp_path, database_url, empty_database, address):
    _, archive = filled
    remote = open_remote(address)
    assert remote.seal(archive) == 1
    (name,) = remote.names()
    listed = backup.dump(database_url, archive, tmp_path / "listed", remote)
    fetched = backup.dump(database_url, archive, tmp_path / "fetched", remote, fetch=True)
    assert (listed.remote, list(listed.files)) == (remote.files(), [backup.DUMP])
    assert (fetched.remote, list(fetched.files)) == ({}, [backup.DUMP, f"archive/{name}"])
    restored = backup.restore(tmp_path / "listed", empty_database, tmp_path / "a", remote)
    assert restored.missing == {}
    with remote.file(name).place as fs:
        fs.pipe_file(remote.file(name).path, b"cut")
    execute(empty_database, "DROP SCHEMA ingest, news CASCADE")
    restored = backup.restore(tmp_path / "listed", empty_database, tmp_path / "a", remote)
    assert restored.missing[name].startswith("3 bytes are there, at least")
    execute(empty_database, "DROP SCHEMA ingest, news CASCADE")
    assert backup.restore(tmp_path / "fetched", empty_database, tmp_path / "a", remote).missing == {}
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "fetched" / "archive" / name).read_bytes()


def test_what_cannot_be_given_back_is_said_once(database_url):
    settings = [("nobody_here", False, "search_path=news"), ("nobody_here", True, "statement_timeout=5min")]
    script = "".join(f"GRANT SELECT ON TABLE news.{view} TO {name};\n" for view in ("runs", "articles")
                     for name in ("nobody_here", "nobody_else"))  # fmt: skip
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert backup_rights.restore_settings(connection, settings) == [
            "the role nobody_here has not got its setting search_path=news; statement_timeout=5min: "
            "this server has no such role"
        ]
        [note] = backup_rights.restore_grants(connection, script, ["nobody_here"])
        assert "nobody_else" in note
