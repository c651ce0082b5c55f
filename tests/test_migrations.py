"""A database that grew from an earlier release, with data in it, is as one that was made today."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from crawler import runs
from crawler.services import open_services
from pipelines import database
from pipelines.reading.fingerprint import bands, content_key, text_key
from pipelines.urls import url_key
from tests.test_crawl import article, configured, site

__all__ = ["site"]
MIGRATIONS = sorted((database.SQL / "migrations").glob("*.sql"))
# the views of each state that somebody may have, by the name of its last migration; they are never changed
RELEASES = sorted((Path(__file__).parent / "releases").glob("*.sql"))

# All that makes up a schema, each with its comment, in an order that does not depend on when it was made.
CATALOGUE = {
    "columns": """
        SELECT c.oid::regclass::text, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace IN ('ingest'::regnamespace, 'news'::regnamespace) AND c.relkind IN ('r', 'v', 'm', 'p')
    """,
    "order of columns": """
        SELECT attrelid::regclass::text, array_agg(attname::text ORDER BY attnum) FROM pg_attribute
        WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace IN ('ingest'::regnamespace, 'news'::regnamespace)
                           AND relkind IN ('r', 'v', 'm', 'p'))
          AND attnum > 0 AND NOT attisdropped
        GROUP BY 1
    """,
    "tables and views": """
        SELECT c.oid::regclass::text, c.relkind, c.relpersistence, c.reloptions, obj_description(c.oid),
               CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END
        FROM pg_class c WHERE c.relnamespace IN ('ingest'::regnamespace, 'news'::regnamespace) AND c.relkind <> 't'
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), obj_description(oid)
        FROM pg_constraint WHERE connamespace IN ('ingest'::regnamespace, 'news'::regnamespace)
    """,
    "indexes": """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), obj_description(indexrelid)
        FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'ingest'::regnamespace)
    """,
    "functions": """
        SELECT oid::regprocedure::text, pg_get_functiondef(oid), obj_description(oid)
        FROM pg_proc WHERE pronamespace IN ('ingest'::regnamespace, 'news'::regnamespace) AND prokind IN ('f', 'p')
    """,
    "triggers": """
        SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    """,
}

VIEW_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'news'::regnamespace AND c.relkind = 'v'
    ORDER BY c.relname, a.attnum
"""

TEXTS = ["Der Rat hat am Montag den Haushalt für das kommende Jahr beschlossen und dabei viel gestrichen", "Ein Wort"]


def schema(dsn: str) -> dict[str, list[str]]:
    with psycopg.connect(dsn) as connection:
        return {name: sorted(map(repr, connection.execute(query).fetchall())) for name, query in CATALOGUE.items()}


def release(folder: Path, number: int, views: Path | None = None) -> Path:
    """The SQL of a release that had only the first *number* migrations, with its *views*."""
    (folder / "migrations").mkdir(parents=True)
    (folder / "views").mkdir()
    for file in MIGRATIONS[:number]:
        shutil.copy(file, folder / "migrations")
    if views:
        shutil.copy(views, folder / "views")
    return folder


def put_in(dsn: str, number: int) -> None:
    """Rows as the release with *number* migrations had them."""
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO ingest.sources (name, title) VALUES ('a', 'A')")
        connection.execute(
            "INSERT INTO ingest.runs (token, source, kind, holder, lease_until) "
            "VALUES (gen_random_uuid(), 'a', 'crawl', 'host:1', now())"
        )
        if number < 2:
            return
        for place, copy_of in ((1, None), (2, 1), (3, None)):
            text = TEXTS[place == 3]
            connection.execute(
                "INSERT INTO ingest.articles (id, url_key, url, canonical_url, source, version, copy_of, first_seen_at,"
                " fetched_at, changed_at) VALUES (%s, %s, %s, %s, 'a', 1, %s, now(), now(), now())",
                [place, bytes([place]), f"https://a.example/{place}", f"https://a.example/{place}", copy_of],
            )
            connection.execute(
                "INSERT INTO ingest.versions (article_id, number, fetched_at, text_key, content_key, body_key, bands,"
                " title, text, text_markdown, kind, pages_read, pages_total, word_count, reader_version)"
                " VALUES (%s, 1, now(), %s, %s, %s, %s, 'T', %s, '', 'article', 1, 1, 16, '1')",
                [place, text_key(text), content_key("T", None, text), bytes([place]), bands(text), text],
            )


@pytest.mark.parametrize("views", RELEASES, ids=lambda views: views.stem)
def test_a_database_of_every_earlier_release_becomes_as_a_fresh_one(
    views: Path, empty_database: str, database_url: str, tmp_path: Path
):
    number = 1 + [file.stem for file in MIGRATIONS].index(views.stem)
    database.migrate(empty_database, release(tmp_path / "sql", number, views))
    put_in(empty_database, number)
    before = columns(empty_database)
    database.migrate(empty_database)
    after = columns(empty_database)
    for view, names in before.items():
        assert after[view][: len(names)] == names, f"{view} has lost a column, or its place"
    becomes_as_a_fresh_one(empty_database, database_url, number)


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS)), ids=lambda number: MIGRATIONS[number - 1].stem)
def test_a_database_between_any_two_migrations_becomes_as_a_fresh_one(
    number: int, empty_database: str, database_url: str, tmp_path: Path
):
    database.migrate(empty_database, release(tmp_path / "sql", number))
    put_in(empty_database, number)
    database.migrate(empty_database)
    becomes_as_a_fresh_one(empty_database, database_url, number)


def columns(dsn: str) -> dict[str, list[tuple[str, str]]]:
    """View of schema news -> its columns with their types, in order."""
    found: dict[str, list[tuple[str, str]]] = {}
    with psycopg.connect(dsn) as connection:
        for view, column, kind in connection.execute(VIEW_COLUMNS).fetchall():
            found.setdefault(view, []).append((column, kind))
    return found


def becomes_as_a_fresh_one(empty_database: str, database_url: str, number: int) -> None:
    grown, fresh = schema(empty_database), schema(database_url)
    for what in CATALOGUE:
        assert grown[what] == fresh[what], what
    with psycopg.connect(empty_database) as connection:
        articles, copies = connection.execute("SELECT count(*), count(copy_of) FROM news.articles").fetchone()
    assert (articles, copies) == ((3, 1) if number >= 2 else (0, 0))


def test_copies_and_bands_of_the_first_release_are_taken_over(empty_database: str, tmp_path: Path):
    database.migrate(empty_database, release(tmp_path / "sql", 3))
    put_in(empty_database, 3)
    database.migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        owners = connection.execute("SELECT article_id, count(*) FROM ingest.bands GROUP BY 1").fetchall()
        copies = connection.execute("SELECT copy_id, likeness, similarity, kept, own FROM news.copies").fetchall()
    assert owners == [(1, len(bands(TEXTS[0])))]
    assert copies == [(2, "exact", 1.0, 1.0, 0.0)]


async def test_a_crawl_after_an_upgrade_doubles_nothing(site, empty_database: str, tmp_path: Path):
    """An article of an earlier release is known by its address: its page is a new version, then unchanged."""
    views = RELEASES[0]
    number = 1 + [file.stem for file in MIGRATIONS].index(views.stem)
    database.migrate(empty_database, release(tmp_path / "sql", number, views))
    put_in(empty_database, number)
    old = f"{site.base}/1"
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "UPDATE ingest.articles SET url = %s, canonical_url = %s, url_key = %s WHERE id = 1",
            [old, old, url_key(old)],
        )
        # put_in chose its ids itself
        connection.execute("SELECT setval(pg_get_serial_sequence('ingest.articles', 'id'), 3)")
    database.migrate(empty_database)
    site.pages |= {"/1": article(1), "/2": article(2)}
    site.feed("/1", "/2")
    configuration = configured(tmp_path, site)
    counts = []
    for _ in range(2):
        async with open_services(configuration, empty_database) as services:
            counts.append((await runs.crawl_source(services, "blatt")).counts)
    assert (counts[0].new, counts[0].new_version, counts[0].pending) == (1, 1, 0)
    assert (counts[1].new, counts[1].new_version, counts[1].pending) == (0, 0, 0)
    with psycopg.connect(empty_database) as connection:
        found = connection.execute("SELECT id, url, version FROM news.articles ORDER BY id").fetchall()
        wordings = connection.execute("SELECT text FROM news.versions WHERE article_id = 1 ORDER BY version").fetchall()
    others = [(place, f"https://a.example/{place}", 1) for place in (2, 3)]
    assert found == [(1, old, 2), *others, (4, f"{site.base}/2", 1)]
    assert len(wordings) == 2 and wordings[0] == (TEXTS[0],)
