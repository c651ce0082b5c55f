"""Databases with many articles to measure in.

The first BASE articles go through the store, as a crawl's do: batches, copies, searching, watchlists, changes, stories.
What is needed beyond that is made from their rows in SQL, table by table and column by column, so that nothing is left
out that the store would write: other numbers, addresses and hashes, every set of BASE a week later than the one before.
``tests/test_filled.py`` compares the two.

*Varied* databases are for whoever reads them: their articles differ in section, language, kind, agency and paywall,
some texts stand on many sites, some were changed, corrected or taken down, and some pages were rejected.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
from psycopg import conninfo, sql

from benchmarks.articles import Generator, pages
from pipelines import database
from pipelines.items import Article, Kind, Page, Reason, Removed
from pipelines.store import Store
from pipelines.store.models import WatchRow

BASE = 10_000  # articles that the store itself writes
APART = 1_000_000  # between the numbers of one set and those of the next
WEEK = "make_interval(days => 7 * %(set)s)"
WATCHES = 20


def _later(column: str) -> str:
    return f"{column} + {WEEK}"


def _other_key(column: str) -> str:
    return f"decode(md5({column}::text || %(set)s), 'hex')"


def _other_number(column: str) -> str:
    return f"{column} + {APART} * %(set)s"


def _other_address(column: str) -> str:
    return f"{column} || '?set=' || %(set)s"


_BAND = "(band # %(mask)s)"  # all bits change, and no two of a set become one
_BANDS = f"CASE WHEN bands IS NOT NULL THEN array(SELECT {_BAND} FROM unnest(bands) AS band) END"

# What differs between a row and the one that is made from it; all other columns are the same.
DIFFERENT = {
    "articles": dict.fromkeys(("id", "copy_of"), _other_number)
    | {"url_key": _other_key, "url": _other_address, "canonical_url": _other_address}
    | dict.fromkeys(("first_seen_at", "fetched_at", "changed_at", "gone_at"), _later),
    "versions": dict.fromkeys(("article_id", "serial"), _other_number)
    | dict.fromkeys(("text_key", "content_key", "body_key"), _other_key)
    | dict.fromkeys(("fetched_at", "published_at", "published_on", "modified_at"), _later)
    | {"bands": lambda _: _BANDS},
    "bands": {"band": lambda _: _BAND, "article_id": _other_number},
    "claims": {"band": lambda _: _BAND, "article_id": _other_number},
    "search": {"article_id": _other_number, "at": _later},
    "pages": dict.fromkeys(("id", "article_id"), _other_number)
    | {"url_key": _other_key, "url": _other_address}
    | dict.fromkeys(("last_fetched_at", "next_check_at"), _later),
    "run_pages": dict.fromkeys(("page_id", "article_id", "copy_of"), _other_number)
    | {"content_key": _other_key, "fetched_at": _later},
    "attempts": dict.fromkeys(("id", "page_id"), _other_number),
    "changes": dict.fromkeys(("id", "article_id", "copy_of", "story_id"), _other_number),
    "matches": dict.fromkeys(("id", "article_id"), _other_number),
    "absences": {"article_id": _other_number} | dict.fromkeys(("gone_at", "back_at"), _later),
    "stories": {"id": _other_number, "first_seen_at": _later, "last_seen_at": _later},
    "story_articles": dict.fromkeys(("article_id", "story_id"), _other_number)
    | dict.fromkeys(("at", "until", "wording_at"), _later),
}


@contextlib.contextmanager
def server(folder: Path | None = None) -> Iterator[str]:
    """The DSN of a server to measure on: that of NACHLESE_BENCHMARK_DATABASE_URL, else an embedded one.

    The embedded one has its data in *folder*, which stays; without it, in one that is removed.
    """
    stated = os.environ.get("NACHLESE_BENCHMARK_DATABASE_URL")
    if stated:
        yield stated
        return
    own = folder or Path(tempfile.mkdtemp(prefix="nachlese-benchmark-"))
    dsn = database.embedded(own / "postgres")
    try:
        yield dsn
    finally:
        database.leave(dsn)
        if folder is None:
            shutil.rmtree(own, ignore_errors=True)


@contextlib.contextmanager
def fresh_database(server: str, name: str) -> Iterator[str]:
    """The DSN of an empty, migrated database that is gone afterwards."""
    identifier = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
    dsn = conninfo.make_conninfo(server, dbname=name)
    database.migrate(dsn)
    yield dsn
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def filled_database(server: str, size: int, base: int = BASE, *, is_varied: bool = False) -> str:
    """The DSN of a migrated database with *size* articles (*base* or a multiple of it); made where it is missing.

    It stays on the server, so whoever measures in it leaves some articles more. What others are made from is measured
    by nobody.
    """
    store, sort = (_store_varied, "_varied") if is_varied else (_store, "")
    pattern = made(server, f"pattern_{base}{sort}", None, lambda dsn: asyncio.run(store(dsn, base)))
    name = conninfo.conninfo_to_dict(pattern)["dbname"]
    return made(server, f"filled_{size}{sort}", name, lambda dsn: multiply(dsn, size // base))


def made(server: str, name: str, template: str | None, put_in: Callable[[str], None]) -> str:
    """The DSN of the database of that *name*; where it is missing, it is copied from *template*, and *put_in* fills it."""
    dsn = conninfo.make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            half = f"{name}_half"  # a run that is broken off leaves no half of one behind
            names = {"half": half, "name": name, "template": template or "template0"}
            parts = {key: sql.Identifier(value) for key, value in names.items()}
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {half} WITH (FORCE)").format(**parts))
            connection.execute(sql.SQL("CREATE DATABASE {half} TEMPLATE {template}").format(**parts))
            half_dsn = conninfo.make_conninfo(server, dbname=half)
            database.migrate(half_dsn)
            put_in(half_dsn)
            with psycopg.connect(half_dsn, autocommit=True) as finished:
                finished.execute("VACUUM ANALYZE")
                finished.execute("CHECKPOINT")
            connection.execute(sql.SQL("ALTER DATABASE {half} RENAME TO {name}").format(**parts))
    database.migrate(dsn)
    return dsn


def multiply(dsn: str, times: int) -> None:
    """Make *times* as many articles of those that the store has written."""
    if times < 2:
        return
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET session_replication_role = replica")  # no triggers: their rows are made as well
        with _without_indexes(connection):
            _keep_first_set(connection)
            for number in range(1, times):
                _make_set(connection, number)
        _go_on_counting(connection)


def watches() -> list[WatchRow]:
    """Watchlists for words that a few articles in a hundred have."""
    words = Generator(0).words[1000::1000][:WATCHES]
    return [WatchRow(f"watch{number}", word, f"{word} or {word[::-1]}") for number, word in enumerate(words)]


async def _store(dsn: str, number: int) -> None:
    await _store_pages(dsn, pages(number, 0, seed=1))


async def _store_varied(dsn: str, number: int) -> None:
    first = [_varied(place, *one) for place, one in enumerate(pages(number, 0, seed=1))]
    spread = [_reprinted(place, first) for place in range(number)]
    await _store_pages(dsn, spread, [_changed(place, spread[place]) for place in range(7, number, 33)], spread[11::120])


async def _store_pages(
    dsn: str,
    made: Sequence[tuple[Page, Article]],
    changed: Sequence[tuple[Page, Article]] = (),
    gone: Sequence[tuple[Page, Article]] = (),
) -> None:
    """Store *made*, then a second wording of *changed*; *gone* are taken down, a page is rejected for each changed."""
    async with await Store.open(dsn) as store:
        await store.save_watchlists(watches())
        runs: dict[str, int] = {}
        for page, _ in made:
            if page.source not in runs:
                runs[page.source] = await store.begin_run(page.source, "crawl", "benchmark")
        for one in (made, changed):
            for first in range(0, len(one), 100):
                await asyncio.gather(
                    *(store.save_article(runs[page.source], page, read) for page, read in one[first : first + 100])
                )
        for page, _ in gone:
            await store.reject(runs[page.source], page.url, Reason.GONE, "HTTP 410", 410)
        for place, (page, _) in enumerate(changed):
            reason = REJECTED[place % len(REJECTED)]
            await store.reject(runs[page.source], f"{page.url}?reject={place}", reason, "in a benchmark")
        for run in runs.values():
            await store.end_run(run, "finished")
        while await store.group_stories():
            pass


SECTIONS = ("Politik", "Wirtschaft", "Sport", "Kultur", "Wissen", "Panorama", "Lokales", "Meinung")
REJECTED = (Reason.SOFT_404, Reason.CONSENT_WALL, Reason.NO_TITLE, Reason.TIMEOUT, Reason.HTTP_ERROR, Reason.ROBOTS)
REPRINTED = 40  # of so many articles one is printed by RANGE others, too
RANGE = 6


def _varied(place: int, page: Page, article: Article) -> tuple[Page, Article]:
    """The same article as one of several sorts; what is rare is as rare as in news."""
    return page, replace(
        article,
        section=SECTIONS[place % len(SECTIONS)],
        language="en" if place % 10 == 3 else article.language,
        kind=(Kind.VIDEO if place % 25 == 1 else Kind.PRESS_RELEASE if place % 300 == 2 else Kind.ARTICLE),
        agency=("dpa", "AFP", "Reuters")[place % 3] if place % 7 == 0 else None,
        is_accessible_for_free=False if place % 12 == 5 else None,
        removed=(Removed("Lesen Sie auch: Was sonst noch geschah", "related_links"),),
    )


def _reprinted(place: int, made: Sequence[tuple[Page, Article]]) -> tuple[Page, Article]:
    """Some articles are printed by several others, the later the shorter."""
    page, article = made[place]
    after = place % REPRINTED
    if not 1 <= after <= RANGE or place < REPRINTED:
        return page, article
    _, original = made[place - after]
    text = original.text[: int(len(original.text) * (1 - after / 40))]
    return page, replace(article, text=text, text_markdown=text, title=original.title, agency="dpa")


def _changed(place: int, one: tuple[Page, Article]) -> tuple[Page, Article]:
    """The article a day later: another word, some words more, one in five with a correction and another headline."""
    page, article = one
    is_corrected = place % 5 == 0
    text = article.text.replace(" die ", " jene ", 1) + "\n\nInzwischen haben sich weitere Zeugen gemeldet."
    correction = "Korrektur: In einer früheren Fassung stand ein falscher Name." if is_corrected else None
    at = page.fetched_at + timedelta(days=1)
    return replace(page, body=page.body + b" later", fetched_at=at), replace(
        article,
        title=f"{article.title[:60]} (neu)" if is_corrected else article.title,
        text=f"{text}\n\n{correction}" if correction else text,
        text_markdown=text,
        fetched_at=at,
        modified_at=at,
    )


def _keep_first_set(connection: psycopg.Connection) -> None:
    for table, different in DIFFERENT.items():
        name = number_of(different)
        connection.execute(
            f"CREATE TEMP TABLE first_{table} AS SELECT * FROM ingest.{table} WHERE {name} < {APART} ORDER BY {name}"
        )
    # a wording that came later claims again what has settled already
    connection.execute("DELETE FROM first_claims WHERE band IN (SELECT band FROM first_bands)")


def number_of(different: Collection[str]) -> str:
    """The column by which the rows of a table are told apart, set by set; a rejected page has no article."""
    return next(name for name in ("id", "page_id", "article_id") if name in different)


def _make_set(connection: psycopg.Connection, number: int) -> None:
    """The rows of the first set once more, as the set of this *number*."""
    for table, different in DIFFERENT.items():
        columns = _columns(connection, table)
        values = [different[name](name) if name in different else name for name in columns]
        into = "bands" if table == "claims" else table  # what came long ago has settled
        statement = (
            f"INSERT INTO ingest.{into} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE "
            f"SELECT {', '.join(values)} FROM first_{table}"
        )
        connection.execute(statement, {"set": number, "mask": random.Random(number).getrandbits(63)})


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = '' ORDER BY attnum",
        [f"ingest.{table}"],
    )
    return [row[0] for row in rows.fetchall()]


@contextlib.contextmanager
def _without_indexes(connection: psycopg.Connection) -> Iterator[None]:
    """Indexes are made at the end, which takes a tenth of the time; keys that others refer to stay."""
    tables = [f"ingest.{table}" for table in DIFFERENT]
    keys = connection.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint AS one "
        "WHERE conrelid = ANY (%s::regclass[]) AND contype IN ('p', 'u') "
        "AND NOT EXISTS (SELECT FROM pg_constraint AS f WHERE f.conindid = one.conindid AND f.contype = 'f')",
        [tables],
    ).fetchall()
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY (%s::regclass[]) "
        "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))",
        [tables],
    ).fetchall()
    comments = connection.execute(
        "SELECT indexrelid::regclass::text, obj_description(indexrelid, 'pg_class') FROM pg_index "
        "WHERE indrelid = ANY (%s::regclass[]) AND obj_description(indexrelid, 'pg_class') IS NOT NULL",
        [tables],
    ).fetchall()
    for table, name, _ in keys:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        connection.execute(definition)
    for table, name, definition in keys:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for name, comment in comments:
        connection.execute(sql.SQL("COMMENT ON INDEX {} IS {}").format(sql.SQL(name), sql.Literal(comment)))


def _go_on_counting(connection: psycopg.Connection) -> None:
    """The next number of every table comes after those that were made."""
    for table, column in (
        ("articles", "id"), ("versions", "serial"), ("pages", "id"), ("attempts", "id"), ("changes", "id"),
        ("matches", "id"),
    ):  # fmt: skip
        connection.execute(
            f"SELECT setval(pg_get_serial_sequence('ingest.{table}', '{column}'), max({column})) FROM ingest.{table}"
        )
    connection.execute(
        "UPDATE ingest.story_state SET change = (SELECT max(id) FROM ingest.changes), "
        "articles = (SELECT count(*) FROM ingest.story_articles)"
    )


def processor_seconds(dsn: str) -> float:
    """What the server behind *dsn* has used since its start; 0 where it is on another machine."""
    with psycopg.connect(dsn) as connection:
        folder = connection.execute("SHOW data_directory").fetchone()[0]
    try:
        postmaster = psutil.Process(int((Path(folder) / "postmaster.pid").read_text().split("\n", 1)[0]))
    except (OSError, ValueError, psutil.Error):
        return 0.0
    total = 0.0
    for process in (postmaster, *postmaster.children()):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def backend_seconds(connection: psycopg.Connection) -> float:
    """What the server's process of this connection has used; 0 where it is on another machine."""
    try:
        used = psutil.Process(connection.info.backend_pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return used.user + used.system


def sizes(text: str) -> Sequence[int]:
    """The sizes that a command line names, as "10000,100000"."""
    return [int(size) for size in text.split(",") if size]
