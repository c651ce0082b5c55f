"""news.changes: whoever reads on from a cursor gets every change once, whatever is killed in between."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from pipelines import database
from pipelines.items import Article, Page, Reason
from pipelines.store import Store

ROOT = Path(__file__).parent.parent
CONSUMER = re.search(r"```python\n(.+?)```", (ROOT / "docs" / "consumer.md").read_text("utf-8"), re.S)[1]
T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

# a process that keeps articles of one source, and says so after each commit
WRITER = """
import asyncio, sys
from tests.test_changes import keep
from pipelines.store import Store

async def main(dsn, source, first, last):
    async with await Store.open(dsn) as store:
        run = await store.begin_run(None, "replay", "host:1")
        for number in range(int(first), int(last)):
            await keep(store, run, source, number)
            print(number, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def keep(store: Store, run, source: str, number: int, text: str | None = None, hours: int = 0):
    url = f"https://{source}.example/{number}"
    at = T + timedelta(hours=hours)
    text = text or f"Der Rat von {source} hat den Haushalt Nummer {number} beschlossen."
    page = Page(url=url, source=source, body=text.encode(), fetched_at=at)
    read = Article(url=url, canonical_url=url, source=source, title=f"Haushalt {number}", text=text, fetched_at=at)
    return await store.save_article(run, page, read)


def kinds(sql_rows, cursor: int = 0) -> list[tuple[str, int, int | None]]:
    return sql_rows("SELECT kind, article_id, version FROM news.changes_since(%s)", cursor)


async def test_each_kind_of_change_is_a_row(store, sql_rows):
    run = await store.begin_run("a", "crawl", "host:1")
    one = (await keep(store, run, "a", 1)).article_id
    two = (await keep(store, run, "a", 2, text="Der Rat von a hat den Haushalt Nummer 1 beschlossen.")).article_id
    await keep(store, run, "a", 1, text="Der Rat hat ihn verschoben.", hours=1)
    await keep(store, run, "a", 1, text="Der Rat hat ihn verschoben.", hours=2)  # unchanged: no row
    await store.reject(run, "https://a.example/1", Reason.GONE, status=410)
    other = await store.begin_run("b", "crawl", "host:1")
    await store.save_unmodified(run, "https://a.example/1")
    await store.end_run(other, "finished")
    assert kinds(sql_rows) == [
        ("new", one, 1), ("copy", two, 1), ("version", one, 2), ("gone", one, None), ("back", one, None),
    ]  # fmt: skip


async def test_who_has_no_cursor_yet_gets_everything(store, sql_rows):
    run = await store.begin_run("a", "crawl", "host:1")
    await keep(store, run, "a", 1)
    for cursor in ("NULL", "0", "-1", ""):
        assert sql_rows(f"SELECT count(*) FROM news.changes_since({cursor})") == [(1,)]


async def test_what_is_rolled_back_is_no_change_and_holds_nobody_up(store, database_url, sql_rows):
    run = await store.begin_run("a", "crawl", "host:1")
    await keep(store, run, "a", 1)
    with psycopg.connect(database_url) as failing:
        failing.execute("UPDATE ingest.articles SET gone_at = now()")
        failing.execute("SET CONSTRAINTS ALL IMMEDIATE")  # writes the change, as a commit would
        failing.rollback()
    await keep(store, run, "a", 2)
    assert [kind for kind, _, _ in kinds(sql_rows)] == ["new", "new"]


async def test_an_article_that_is_read_better_is_told_again(store, sql_rows):
    run = await store.begin_run(None, "replay", "host:1")
    page = Page(url="https://a.example/1", source="a", body=b"1", fetched_at=T)
    for authors in ((), ("Ada Kern",), ("Ada Kern",)):
        read = Article(
            url=page.url, canonical_url=page.url, source="a", title="Rat", text="Ein Haushalt.", fetched_at=T,
            authors=authors,
        )  # fmt: skip
        run = run if authors == () else await again(store, run)
        await store.save_article(run, page, read)
    assert [kind for kind, _, _ in kinds(sql_rows)] == ["new", "version"]


async def again(store: Store, run):
    await store.end_run(run, "finished")
    return await store.begin_run(None, "replay", "host:1")


async def test_no_change_becomes_visible_behind_one_that_was_read(store, database_url):
    """A writer that has written and not committed holds nobody up, and gets its number when it commits."""
    run = await store.begin_run("a", "crawl", "host:1")
    await keep(store, run, "a", 1)
    with psycopg.connect(database_url) as slow:
        slow.execute("UPDATE ingest.articles SET gone_at = now()")
        await keep(store, run, "a", 2)
        with psycopg.connect(database_url) as reader:
            seen = [row[0] for row in reader.execute("SELECT id FROM news.changes_since(0)").fetchall()]
            assert len(seen) == 2
            slow.commit()
            later = reader.execute("SELECT kind FROM news.changes_since(%s)", [seen[-1]]).fetchall()
    assert later == [("gone",)]


async def test_readers_beside_many_writers_see_every_change_once(database_url):
    async def write(source: str) -> None:
        async with await Store.open(database_url) as store:
            run = await store.begin_run(source, "crawl", "host:1")
            await asyncio.gather(*(keep(store, run, source, number) for number in range(60)))

    def read(seen: list[int]) -> None:
        cursor = 0
        with psycopg.connect(database_url, autocommit=True) as connection:
            while len(seen) < 4 * 60:
                rows = connection.execute("SELECT id FROM news.changes_since(%s, 7)", [cursor]).fetchall()
                seen += [row[0] for row in rows]
                cursor = seen[-1] if seen else 0

    seen: list[list[int]] = [[], []]
    readers = [asyncio.create_task(asyncio.to_thread(read, one)) for one in seen]
    await asyncio.gather(*(write(source) for source in "abcd"))
    await asyncio.wait_for(asyncio.gather(*readers), 60)
    with psycopg.connect(database_url) as connection:
        stored = [row[0] for row in connection.execute("SELECT id FROM news.changes ORDER BY id").fetchall()]
    assert seen == [stored, stored]


async def test_a_commit_wakes_who_listens(store, database_url):
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN nachlese_changes")
        run = await store.begin_run("a", "crawl", "host:1")
        await keep(store, run, "a", 1)
        assert [note.channel for note in listener.notifies(timeout=30, stop_after=1)] == ["nachlese_changes"]


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_documented_consumer_survives_kill_9_on_both_sides(server_folder: Path):
    dsn = database.embedded(server_folder / "postgres")
    processes: list[subprocess.Popen[str]] = []

    def begin(*command: str) -> subprocess.Popen[str]:
        processes.append(start(*command))
        return processes[-1]

    try:
        database.migrate(dsn)
        mirror = str(server_folder / "mirror.sqlite")
        for round_ in range(3):  # each has a consumer and a writer, killed in the middle of their work
            writer = begin(WRITER, dsn, "a", str(round_ * 20), str(round_ * 20 + 100))
            consumer = begin(CONSUMER, dsn, mirror)
            for _ in range(5):
                writer.stdout.readline()
            consumer.stdout.readline()
            kill(consumer)
            kill(writer)
        consumer, second = begin(CONSUMER, dsn, mirror), begin(CONSUMER, dsn, mirror)
        writer = begin(WRITER, dsn, "b", "0", "60")
        assert consumer.stdout.readline()
        kill(second)
        os.kill(int((server_folder / "postgres" / "postmaster.pid").read_text().split()[0]), 9)
        with database.connected(dsn) as connection:  # which starts it again
            for _ in writer.stdout:  # it waits for the database and goes on
                pass
            assert writer.wait(60) == 0
            last = connection.execute("SELECT max(id) FROM news.changes").fetchone()[0]
            for line in consumer.stdout:
                if int(line) >= last:
                    break
            kill(consumer)
            stored = connection.execute("SELECT id, version, canonical_url FROM news.articles ORDER BY id").fetchall()
        with sqlite3.connect(mirror) as copy:
            mirrored = copy.execute("SELECT id, version, url FROM articles ORDER BY id").fetchall()
        copy.close()
        assert mirrored == stored
        assert len(stored) >= 60 + 5
    finally:
        for process in processes:
            kill(process)
        database.leave(dsn)


def test_what_was_stored_before_there_were_changes_is_told_too(empty_database: str, tmp_path: Path):
    """A database of an earlier release: its articles are the first changes."""
    earlier = tmp_path / "sql"
    (earlier / "migrations").mkdir(parents=True)
    (earlier / "views").mkdir()
    for file in sorted((database.SQL / "migrations").glob("000*.sql")):
        (earlier / "migrations" / file.name).write_bytes(file.read_bytes())
    database.migrate(empty_database, earlier)
    with psycopg.connect(empty_database) as connection:
        connection.execute("INSERT INTO ingest.sources (name, title) VALUES ('a', 'a')")
        for number, gone in ((1, None), (2, T)):
            connection.execute(
                "INSERT INTO ingest.articles (id, url_key, url, canonical_url, source, version, first_seen_at, "
                "fetched_at, changed_at, gone_at) VALUES (%s, %s, 'u', 'u', 'a', 1, %s, %s, %s, %s)",
                [number, bytes([number]), T, T, T, gone],
            )
    database.migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        rows = connection.execute("SELECT kind, article_id FROM news.changes_since(0)").fetchall()
    assert sorted(rows) == [("gone", 2), ("new", 1), ("new", 2)]
