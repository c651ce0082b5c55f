"""docs/sql.md says what the database says: every view, column and type, and every example query brings rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from pipelines.items import Article, Link, Page, Precision, Provenance, Reason, Removed
from pipelines.store import Archived, Document, SourceRow, Store, WatchRow

TEXT = (Path(__file__).parent.parent / "docs" / "sql.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"^### (.+?)\n.*?```sql\n(.+?)```", TEXT.partition("## The views")[0], re.M | re.S))
VIEWS = dict(re.findall(r"^### news\.(\w+)\n(.+?)(?=^### |\Z)", TEXT.partition("## The views")[2], re.M | re.S))

CATALOGUE = """
    SELECT c.relname, obj_description(c.oid), a.attname, format_type(a.atttypid, a.atttypmod),
           col_description(c.oid, a.attnum)
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'news'::regnamespace AND c.relkind = 'v'
    ORDER BY c.relname, a.attnum
"""


def documented(view: str) -> list[tuple[str, str, str, str]]:
    """(column, type, 'yes' where it may be null, meaning) as the document's table has them."""
    rows = re.findall(r"^\| (\w+) \| (.+?) \| (yes)? ?\| (.+?) \| `.+` \|$", VIEWS[view], re.M)
    return [(name, kind, null, meaning) for name, kind, null, meaning in rows]


def test_every_view_and_column_is_documented_as_the_database_has_it(sql_rows):
    in_database: dict[str, list[tuple[str, str, str]]] = {}
    for view, about, column, kind, meaning in sql_rows(CATALOGUE):
        in_database.setdefault(view, []).append((column, kind, meaning))
        assert about in VIEWS[view]
    in_document = {view: [(name, kind, meaning) for name, kind, _, meaning in documented(view)] for view in VIEWS}
    assert in_document == in_database


def test_every_view_is_in_the_list_of_views():
    assert set(re.findall(r"^\| \[news\.(\w+)\]\(#news\w+\) \|", TEXT, re.M)) == set(VIEWS)


def test_every_function_is_documented_as_the_database_has_it(sql_rows):
    in_document = set(re.findall(r"^\| news\.(\w+) \| (.+?) \| (.+?) \|$", TEXT, re.M))
    in_database = set()
    for name, arguments, result in sql_rows("""
        SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid)
        FROM pg_proc WHERE pronamespace = 'news'::regnamespace
    """):
        plain = re.sub(r" DEFAULT [^,]+", "", arguments).replace('"', "")
        rows = result.removeprefix("TABLE(").removesuffix(")").replace("SETOF", "as in").replace('"', "")
        in_database.add((name, plain, rows))
    assert in_document == in_database


def test_every_reason_is_explained():
    explained = re.findall(r"^\| `(\w+)` \| .+ \|$", VIEWS["rejections"], re.M)
    assert explained == [str(reason) for reason in Reason]


async def some_news(store: Store) -> None:
    """Sources with an article that changes, copies of both wordings, one that is gone, pages that are none."""
    now = datetime.now(UTC)
    await store.keep_watches([WatchRow("haushalt", "Haushalt", '"haushalt"')])
    zeitung = await store.begin_run("zeitung", "crawl", "host:1")
    anzeiger = await store.begin_run("anzeiger", "crawl", "host:1")

    async def keep(run, url: str, minutes: int, title: str, text: str, **more) -> None:
        at = now - timedelta(minutes=minutes)
        page = Page(url=url, source=run.source, body=title.encode() + text.encode(), fetched_at=at)
        read = Article(
            url=url, canonical_url=url, source=run.source, title=title, text=text, fetched_at=at, language="de",
            published_at=now - timedelta(minutes=90), published_precision=Precision.MINUTE,
            published_provenance=Provenance.JSONLD, removed=(Removed("Mehr zum Thema", "related"),), **more,
        )  # fmt: skip
        await store.keep(run, page, read, Archived(f"{run.source}.warc.gz", minutes, 100))

    url = "https://zeitung.example/politik/haushalt-101.html"
    await keep(zeitung, url, 60, "Rat beschließt Haushalt", "Der Rat hat den Haushalt beschlossen.", agency="dpa")
    bote = await store.begin_run("bote", "crawl", "host:1")
    await keep(bote, "https://bote.example/1", 50, "Haushalt im Rat", "Der Rat hat den Haushalt beschlossen.")
    await keep(zeitung, url, 10, "Rat streitet und beschließt", "Der Rat hat den Haushalt beschlossen, spät.")
    await keep(
        anzeiger, "https://anzeiger.example/1", 5, "Haushalt steht", "Der Rat hat den Haushalt beschlossen, spät."
    )
    feed = Document("https://zeitung.example/rss", "feed", status=200, links=2)
    await store.offer(zeitung, [Link(f"https://zeitung.example/{n}", feed.url) for n in (1, 2)], feed)
    silent = Document("https://bote.example/rss", "feed", error="no answer in 20 s")
    await store.offer(bote, [], silent)
    await store.reject(bote, "https://bote.example/1", Reason.GONE, "HTTP 410", 410)
    await store.end_run(bote, "failed", "1 place to look at could not be used")
    await store.reject(zeitung, "https://zeitung.example/1", Reason.SOFT_404, "Artikel nicht gefunden", 200)
    await store.postpone(zeitung, "https://zeitung.example/2", Reason.TIMEOUT, "no answer in 20 s")
    await store.end_run(zeitung, "finished")
    await store.end_run(anzeiger, "finished")
    await store.group_stories()


async def test_every_example_query_brings_rows(store, database_url):
    await some_news(store)
    assert len(QUERIES) >= 10
    with psycopg.connect(database_url) as connection:
        for question, query in QUERIES.items():
            assert connection.execute(query).fetchall(), question


@pytest.mark.parametrize("view", sorted(VIEWS))
async def test_what_is_not_marked_as_null_is_not_null(store, sql_rows, view: str):
    await some_news(store)
    for column, _, null, _ in documented(view):
        if not null:
            assert sql_rows(f"SELECT count(*) FROM news.{view} WHERE {column} IS NULL") == [(0,)], column
    assert sql_rows(f"SELECT count(*) > 0 FROM news.{view}") == [(True,)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/London", "America/New_York", None])
@pytest.mark.parametrize("client", ["UTC", "Asia/Tokyo"])
async def test_the_day_of_publication_is_that_of_the_site(store, database_url, zone: str | None, client: str):
    """Whatever the client's zone is; local midnight, which stands for a day, is the day before in UTC."""
    await store.keep_sources([SourceRow("zeitung", "Zeitung", time_zone=zone)])
    run = await store.begin_run("zeitung", "crawl", "host:1")
    local = ZoneInfo(zone or "Europe/Berlin")
    for number, (hour, minute, precision) in enumerate(((0, 0, Precision.DAY), (23, 40, Precision.MINUTE))):
        url = f"https://zeitung.example/{number}"
        at = datetime(2026, 3, 1, hour, minute, tzinfo=local)
        page = Page(url=url, source="zeitung", body=b"1", fetched_at=at + timedelta(days=1))
        read = Article(
            url=url, canonical_url=url, source="zeitung", title="T", text=f"Text {number}", fetched_at=page.fetched_at,
            published_at=at, published_precision=precision, published_provenance=Provenance.JSONLD,
        )  # fmt: skip
        await store.keep(run, page, read)
    with psycopg.connect(database_url, options=f"-c timezone={client}") as connection:
        days = connection.execute("SELECT published_on::text FROM news.articles").fetchall()
    assert days == [("2026-03-01",), ("2026-03-01",)]


async def test_a_source_that_brings_less_than_expected_is_quiet(store, sql_rows):
    await store.keep_sources([SourceRow("a", "A", expected_per_day=9), SourceRow("b", "B", expected_per_day=0)])
    await store.keep_sources([SourceRow("c", "C")])
    assert sql_rows("SELECT DISTINCT is_quiet FROM news.sources") == [(None,)]  # known for a moment only
    sql_rows("UPDATE ingest.sources SET added_at = added_at - interval '2 days' RETURNING 1")
    shown = "SELECT name, articles_last_day, expected_per_day, is_quiet FROM news.sources ORDER BY name"
    assert sql_rows(shown) == [("a", 0, 9, True), ("b", 0, 0, False), ("c", 0, None, None)]
