"""docs/sql.md says what the database says: every view, column and type, and every example query brings rows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import conninfo

from pipelines import database, urls
from pipelines.items import Article, Link, Page, Precision, Provenance, Reason, Removed, Rights
from pipelines.store import Archived, Document, SourceRow, Store, WatchRow

TEXT = (Path(__file__).parent.parent / "docs" / "sql.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.+?)```", TEXT, re.S)
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
        assert about.splitlines()[0] in VIEWS[view]
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
    await store.save_watchlists([WatchRow("haushalt", "Haushalt", '"haushalt"')])
    zeitung = await store.begin_run("zeitung", "crawl", "host:1")
    anzeiger = await store.begin_run("anzeiger", "crawl", "host:1")

    async def keep(run, url: str, minutes: int, title: str, text: str, **more) -> None:
        at = now - timedelta(minutes=minutes)
        page = Page(url=url, source=run.source, body=title.encode() + text.encode(), fetched_at=at)
        read = Article(
            url=url, canonical_url=url, source=run.source, title=title, text=text, fetched_at=at, language="de",
            published_at=now - timedelta(minutes=90), published_precision=Precision.MINUTE,
            published_provenance=Provenance.JSONLD, removed=(Removed("Mehr zum Thema", "related"),),
            authors=("Ada Kern",), section="Politik", sections=("Politik",),
            rights=Rights(robots_directives=("noarchive",), stated_in=("meta robots",)), **more,
        )  # fmt: skip
        await store.save_article(run, page, read, Archived(f"{run.source}.warc.gz", minutes, 100))

    url = "https://zeitung.example/politik/haushalt-101.html"
    await keep(zeitung, url, 60, "Rat beschließt Haushalt", "Der Rat hat den Haushalt beschlossen.", agency="dpa")
    bote = await store.begin_run("bote", "crawl", "host:1")
    await keep(bote, "https://bote.example/1", 50, "Haushalt im Rat", "Der Rat hat den Haushalt beschlossen.")
    await keep(zeitung, url, 10, "Rat streitet und beschließt", "Der Rat hat den Haushalt beschlossen, spät.")
    late = "Der Rat hat den Haushalt beschlossen, spät."
    await keep(zeitung, url, 8, "Rat streitet und beschließt", late, is_accessible_for_free=False)
    await keep(
        anzeiger, "https://anzeiger.example/1", 5, "Haushalt steht", "Der Rat hat den Haushalt beschlossen, spät."
    )
    feed = Document("https://zeitung.example/rss", "feed", status=200, links=2)
    await store.enqueue(zeitung, [Link(f"https://zeitung.example/{n}", feed.url) for n in (1, 2)], feed)
    silent = Document("https://bote.example/rss", "feed", error="no answer in 20 s")
    await store.enqueue(bote, [], silent)
    await store.reject(bote, "https://bote.example/1", Reason.GONE, "HTTP 410", 410)
    await store.end_run(bote, "failed", "1 place to look at could not be used")
    await store.reject(zeitung, "https://zeitung.example/1", Reason.SOFT_404, "Artikel nicht gefunden", 200)
    await store.reschedule(zeitung, "https://zeitung.example/2", Reason.TIMEOUT, "no answer in 20 s")
    await store.end_run(zeitung, "finished")
    await store.end_run(anzeiger, "finished")
    for run in (zeitung, bote, anzeiger):
        await store.check_health(run.source, run.id, ZoneInfo("Europe/Berlin"))
    for _ in range(3):  # a feed that does not answer again and again is an alarm
        bote = await store.begin_run("bote", "crawl", "host:1")
        await store.enqueue(bote, [], silent)
        await store.end_run(bote, "failed", "1 place to look at could not be used")
        await store.check_health("bote", bote.id, ZoneInfo("Europe/Berlin"))
    await store.put_batch("backfill", "all", "all", {}, "host:1", [("a.warc", "a.warc", 100), ("b.warc", "b.warc", 0)])
    await store.end_batch_file(1, None)
    await store.group_stories()
    # as a version that found less would have left it
    await store._do("UPDATE ingest.story_articles SET story_id = article_id WHERE likeness IS NOT NULL")
    await store.regroup_stories()


@pytest.fixture(params=["of the tests", "Debian's 15"])
def filled(request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of a database with some news and with the roles, on two generations of Postgres."""
    if request.param == "of the tests":
        server = request.getfixturevalue("postgres_server")
    else:
        server = request.getfixturevalue("postgres15")
    name = f"nachlese_roles_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    dsn = conninfo.make_conninfo(server, dbname=name)
    try:
        database.migrate(dsn)
        database.make_roles(dsn, {})
        yield dsn
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            for role in database.ROLES:
                connection.execute(f"DROP ROLE IF EXISTS {role}")


async def test_every_example_query_brings_rows_to_the_reader(filled: str):
    async with await Store.open(filled) as store:
        await some_news(store)
    assert len(QUERIES) >= 30
    with psycopg.connect(conninfo.make_conninfo(filled, user="nachlese_reader"), autocommit=True) as connection:
        for query in QUERIES:
            assert connection.execute(query).fetchall(), query
        for view in VIEWS:  # whole rows, which the examples do not ask for
            assert connection.execute(f"SELECT * FROM news.{view}").fetchall(), view
        # who finds the statistics of an index on an expression plans with them, and may look at none of its functions
        connection.execute("SET enable_seqscan = off")
        assert connection.execute("SELECT * FROM news.story_articles WHERE story_id = 1").fetchall()


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
    await store.save_sources([SourceRow("zeitung", "Zeitung", time_zone=zone)])
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
        await store.save_article(run, page, read)
    with psycopg.connect(database_url, options=f"-c timezone={client}") as connection:
        days = connection.execute("SELECT published_on::text FROM news.articles").fetchall()
    assert days == [("2026-03-01",), ("2026-03-01",)]


async def test_a_source_that_brings_less_than_expected_is_quiet(store, sql_rows):
    await store.save_sources([SourceRow("a", "A", expected_per_day=9), SourceRow("b", "B", expected_per_day=0)])
    await store.save_sources([SourceRow("c", "C")])
    assert sql_rows("SELECT DISTINCT is_quiet FROM news.sources") == [(None,)]  # known for a moment only
    sql_rows("UPDATE ingest.sources SET added_at = added_at - interval '2 days' RETURNING 1")
    shown = "SELECT name, articles_last_day, expected_per_day, is_quiet FROM news.sources ORDER BY name"
    assert sql_rows(shown) == [("a", 0, 9, True), ("b", 0, 0, False), ("c", 0, None, None)]


async def test_keys_are_what_news_keys_says(store, sql_rows):
    """No two rows with the values of a primary key; whatever a foreign key names is there."""
    await some_news(store)
    keys = sql_rows("SELECT view_name, kind, columns, references_view, references_columns FROM news.keys")
    assert {view for view, kind, *_ in keys if kind == "primary"} == set(VIEWS) - {
        "keys",
        "page_runs",
        "run_days",
        "run_totals",
    }
    for view, kind, columns, other, others in keys:
        names = ", ".join(columns)
        if kind == "primary":
            assert sql_rows(f"SELECT count(*) = count(DISTINCT ({names})) FROM news.{view}") == [(True,)], view
            assert sql_rows(f"SELECT count(*) FROM news.{view} WHERE num_nulls({names}) > 0") == [(0,)], view
        else:
            lost = f"SELECT {names} FROM news.{view} WHERE num_nulls({names}) = 0"
            assert sql_rows(f"{lost} EXCEPT SELECT {', '.join(others)} FROM news.{other}") == [], (view, columns)
        tags = sql_rows("SELECT obj_description(%s::regclass)", f"news.{view}")[0][0].splitlines()[1:]
        said = f"({', '.join(columns)}) references news.{other}" if other else ",".join(columns)
        assert any(said.replace(" ", "") in tag.replace(" ", "") for tag in tags), (view, tags)


SPELLINGS = [
    "https://zeitung.example/politik/haushalt-101.html",
    "HTTP://Zeitung.Example:80/politik/haushalt-101.html?utm_source=mail&UTM_X=1#absatz-2",
    "zeitung.example/politik/haushalt-101.html",
    "//zeitung.example./politik/x/../haushalt-101.html",
    "  <https://www.zeitung.example:443/politik/haushalt%2D101.html>\n",
    "https://leser:geheim@zeitung.example/politik/haushalt-101.html/",
    "https://zeitung.example/s/101",  # an address that has led to it
    "https://amp.zeitung.example/101?fbclid=1",
]


@pytest.mark.parametrize("url", SPELLINGS)
async def test_an_article_is_found_by_any_spelling_of_its_address(store, sql_rows, url: str):
    await some_news(store)
    run = await store.begin_run("zeitung", "crawl", "host:1")
    at = datetime.now(UTC)
    own = SPELLINGS[0]
    page = Page(url=own, source="zeitung", body=b"1", fetched_at=at, asked_url="https://zeitung.example/s/101")
    await store.save_article(run, page, Article(
        url=own, canonical_url=own, source="zeitung", title="Rat streitet und beschließt", fetched_at=at,
        text="Der Rat hat den Haushalt beschlossen, spät, nun doch.", amp_url="https://amp.zeitung.example/101",
    ))  # fmt: skip
    assert sql_rows("SELECT canonical_url FROM news.find(%s)", url) == [(own,)]


@pytest.mark.parametrize(
    "url",
    ["", "https://", "a..b/c", "ftp://zeitung.example/x", "https://zeitung.example/", "https://zeitung.example", "%%%",
     "https://anzeiger.example/politik/haushalt-101.html", "ü" * 9000, "https://" + "ü" * 200 + "/", "x\x01"],
)  # fmt: skip
async def test_what_is_no_address_of_an_article_finds_nothing(store, sql_rows, url: str):
    await some_news(store)
    assert sql_rows("SELECT id FROM news.find(%s)", url) == []
    assert sql_rows("SELECT id FROM news.find(NULL)") == []


@pytest.mark.parametrize(
    "url",
    ["http://example.de", "HTTPS://EXAMPLE.DE:443/A/../b/./c/..?b=&&a=%7e%2f%zz&gclid=1",
     "https://müller.example/ü?q=ä b", "https://bücher-straße.example./",
     "https://例え.テスト/ß", "https://example.de?x=1", "https://example.de/%41%2d%E4&'",
     "https://example.de:8080/a//b/?x=1&utm_x=2&y=%C3%A4#z", "https://xn--mller-kva.example/[1]|{2}"],
)  # fmt: skip
def test_the_database_spells_addresses_as_the_crawler_does(sql_rows, url: str):
    assert sql_rows("SELECT ingest.normal_url(%s)", url) == [(urls.normalise(url),)]


FILTERS = {
    "canonical_url = 'https://zeitung.example/1'": "articles_canonical",
    "url = 'https://zeitung.example/1'": "articles_address",
    "published_on = '2026-03-01'": "versions_published_on",
    "published_on BETWEEN '2026-03-01' AND '2026-03-07'": "versions_published_on",
    "section = 'Politik' ORDER BY published_at DESC NULLS LAST LIMIT 20": "versions_section",
    "authors @> ARRAY['Ada Kern']": "versions_names",
    "sections @> ARRAY['Politik']": "versions_names",
    "keywords @> ARRAY['Haushalt']": "versions_names",
    "source = 'zeitung' AND first_seen_at > '2026-03-01'": "articles_of_source",
}


@pytest.mark.parametrize("where", FILTERS)
def test_documented_filters_have_their_index(database_url, where: str):
    with psycopg.connect(database_url) as connection:
        for node in ("seqscan", "sort", "hashjoin", "mergejoin"):  # these tables are empty: there, reading all is best
            connection.execute(f"SET enable_{node} = off")
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN SELECT title FROM news.articles WHERE {where}"))
    assert FILTERS[where] in plan, plan


async def test_a_copy_that_was_fetched_before_its_original_was_not_seen_a_negative_time_after(store, sql_rows):
    """An archive that is read later may hold an earlier fetch."""
    now = datetime.now(UTC)
    text = "Der Rat hat am Montag den Haushalt für das kommende Jahr beschlossen und dabei viel gestrichen."
    for source, minutes in (("spaet", 0), ("frueh", 300)):
        run = await store.begin_run(source, "crawl", "host:1")
        url, at = f"https://{source}.example/1", now - timedelta(minutes=minutes)
        page = Page(url=url, source=source, body=b"1", fetched_at=at)
        await store.save_article(
            run, page, Article(url=url, canonical_url=url, source=source, title="T", text=text, fetched_at=at)
        )
    assert sql_rows("SELECT copy_source, seen_after FROM news.copies") == [("frueh", timedelta(0))]
    assert sql_rows("SELECT last_seen_at >= first_seen_at FROM news.families") == [(True,)]


async def test_kinds_of_changes_can_be_left_out(store, sql_rows):
    await some_news(store)
    everything = sql_rows("SELECT id, kind FROM news.changes ORDER BY id")
    without = sql_rows("SELECT id, kind FROM news.changes_since(0, 1000, ARRAY['story', 'copy'])")
    assert without == [row for row in everything if row[1] not in ("story", "copy")] != everything
    assert sql_rows("SELECT id FROM news.changes_since(%s, 1, ARRAY['story', 'copy'])", without[0][0]) == [
        without[1][:1]
    ]
    assert len(sql_rows("SELECT id FROM news.changes_since(NULL, 1000, NULL)")) == len(everything)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="there is no kind of change stories"):
        sql_rows("SELECT FROM news.changes_since(0, 1000, ARRAY['stories'])")


async def test_the_last_look_and_the_next_are_columns(store, sql_rows):
    await some_news(store)
    run = await store.begin_run("zeitung", "crawl", "host:1")
    url = "https://zeitung.example/politik/haushalt-101.html"
    shown = "SELECT fetched_at, checked_at, next_check_at FROM news.articles WHERE canonical_url = %s"
    ((fetched, _, due),) = sql_rows(shown, url)
    assert due > fetched
    await store.reschedule(run, url, Reason.TIMEOUT, "no answer in 20 s")
    ((again, checked, later),) = sql_rows(shown, url)
    assert again == fetched and checked > fetched and later != due
    await store.reject(run, url, Reason.GONE, status=410)
    assert sql_rows("SELECT next_check_at > now() FROM news.articles WHERE canonical_url = %s", url) == [(True,)]


@pytest.mark.parametrize("how", ["the source's zone is told later", "the article gets another source"])
async def test_the_day_of_publication_follows_the_zone(store, sql_rows, how: str):
    await store.save_sources([SourceRow("tokio", "T", time_zone="Asia/Tokyo")])
    run = await store.begin_run("a", "crawl", "host:1")
    at = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
    page = Page(url="https://a.example/1", source="a", body=b"1", fetched_at=at + timedelta(hours=9))
    await store.save_article(run, page, Article(
        url=page.url, canonical_url=page.url, source="a", title="T", text="Text", fetched_at=page.fetched_at,
        published_at=at, published_precision=Precision.MINUTE, published_provenance=Provenance.JSONLD,
    ))  # fmt: skip
    assert sql_rows("SELECT published_on::text FROM news.articles") == [("2026-03-01",)]
    if how.startswith("the source"):
        await store.save_sources([SourceRow("a", "A", time_zone="Asia/Tokyo")])
    else:
        sql_rows("UPDATE ingest.articles SET source = 'tokio' RETURNING 1")
    assert sql_rows("SELECT published_on::text FROM news.articles") == [("2026-03-02",)]
