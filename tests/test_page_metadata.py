"""What a page states beside its words is followed from look to look, and what it stated before is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.items import Article, Image, Kind, Page, Precision, Provenance
from pipelines.store import Store
from pipelines.store.models import Run

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://bote.example/1"
STATED = "SELECT version, stated_at, until, authors, is_accessible_for_free FROM news.page_metadata ORDER BY stated_at"


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


async def keep(
    store: Store, run: Run, hours: float, text: str = "Der Hafen bleibt zu.", *, url: str = URL, body: bytes = b"",
    archive: str | None = None, kind: Kind = Kind.ARTICLE, canonical: str = URL, **stated: Any,
) -> str:  # fmt: skip
    """A look at the page, *hours* after NOW; the bytes differ with what is stated."""
    page = Page(url, run.source or "bote", body or repr((text, stated)).encode(), at(hours), backfilled_from=archive)
    read = Article(
        url, canonical, page.source, "Der Hafen", text, at(hours), language="de", kind=kind,
        reader_version=stated.pop("reader_version", "1"), **stated,
    )  # fmt: skip
    return (await store.save_article(run, page, read)).kind


async def test_the_newest_fetch_counts_and_the_one_before_is_kept(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0, authors=("Ada Kern",), is_accessible_for_free=True)
    assert await keep(store, run, 1, authors=("Ada Kern", "Bo Lund"), is_accessible_for_free=False) == "unchanged"
    await keep(store, run, 2, authors=("Ada Kern", "Bo Lund"), is_accessible_for_free=False)
    await keep(store, run, 3, authors=(), is_accessible_for_free=True)
    assert sql_rows("SELECT version, authors, is_accessible_for_free, fetched_at, changed_at FROM news.articles") == [
        (1, [], True, at(3), at(0))
    ]
    assert sql_rows(STATED) == [
        (1, at(0), at(1), ["Ada Kern"], True), (1, at(1), at(3), ["Ada Kern", "Bo Lund"], False),
        (1, at(3), None, [], True),
    ]  # fmt: skip
    assert sql_rows("SELECT kind, version FROM news.changes ORDER BY id") == [
        ("new", 1), ("metadata", 1), ("metadata", 1)
    ]  # fmt: skip
    then = sql_rows("SELECT version, authors, fetched_at FROM news.articles_as_of(%s)", at(2))
    assert then == [(1, ["Ada Kern", "Bo Lund"], at(0))]


async def test_what_stays_the_same_is_no_row_anywhere(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    for hours in range(3):
        await keep(store, run, hours, body=b"%d" % hours, authors=("Ada Kern",), modified_at=at(0))
    assert sql_rows("SELECT count(*) FROM ingest.page_metadata") == [(0,)]
    assert sql_rows("SELECT kind FROM news.changes") == [("new",)]
    assert sql_rows("SELECT version, stated_at, until FROM news.page_metadata") == [(1, at(0), None)]


async def test_each_field_is_followed(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0)
    stated: dict[str, Any] = {
        "kicker": "Kommunales", "section": "Politik", "sections": ("Politik", "Köln"), "authors": ("Ada Kern",),
        "keywords": ("Hafen",), "agency": "dpa", "image": Image("https://bote.example/1.jpg", "Hafen", "Lund"),
        "is_accessible_for_free": False, "amp_url": "https://bote.example/1.amp",
    }  # fmt: skip
    for name, value in stated.items():
        before = sql_rows("SELECT count(*) FROM news.page_metadata")[0][0]
        known = dict(list(stated.items())[: list(stated).index(name) + 1])
        await keep(store, run, before, **known)
        assert sql_rows("SELECT count(*) FROM news.page_metadata") == [(before + 1,)], (name, value)
    columns = "kicker, section, authors, keywords, agency, image_url, image_credit, is_accessible_for_free, amp_url"
    assert sql_rows(f"SELECT {columns} FROM news.articles") == [(
        "Kommunales", "Politik", ["Ada Kern"], ["Hafen"], "dpa", "https://bote.example/1.jpg", "Lund", False,
        "https://bote.example/1.amp",
    )]  # fmt: skip


async def test_times_are_followed_and_never_taken_back(store, sql_rows):
    """Also a time days behind the fetch of the wording; the search and the day of publication go along."""
    run = await store.begin_run("bote", "crawl", "host:1")
    said = {"published_precision": Precision.MINUTE, "published_provenance": Provenance.JSONLD}
    await keep(store, run, 0, published_at=at(-1), modified_at=at(-1), modified_precision=Precision.MINUTE, **said)
    await keep(store, run, 100, published_at=at(99), modified_at=at(99), modified_precision=Precision.DAY, **said)
    await keep(store, run, 101)
    times = "published_at, published_on::text, published_precision, modified_at, modified_precision"
    assert sql_rows(f"SELECT {times} FROM news.articles") == [(at(99), "2026-03-05", "minute", at(99), "day")]
    assert sql_rows("SELECT published_at FROM news.page_metadata ORDER BY stated_at") == [(at(-1),), (at(99),)]
    assert sql_rows("SELECT at FROM ingest.search") == [(at(99),)]


@pytest.mark.parametrize("archive", [None, "/srv/warc/2025.warc.gz"])
async def test_an_older_page_says_nothing_about_now(store, sql_rows, archive: str | None):
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0, authors=("Ada Kern",))
    await keep(store, run, 2, authors=("Bo Lund",))
    await keep(store, run, 4, authors=("Bo Lund",))
    await store.end_run(run, "finished")
    replay = await store.begin_run(None, "replay", "host:1")
    for hours in (-5, 1, 3):
        await keep(store, replay, hours, archive=archive, authors=("Cy Wald",))
    assert sql_rows(STATED) == [
        (1, at(0), at(2), ["Ada Kern"], None), (1, at(2), None, ["Bo Lund"], None)
    ]  # fmt: skip


async def test_a_newer_page_of_an_archive_of_others_counts_for_its_words_only(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0, authors=("Ada Kern",))
    await store.end_run(run, "finished")
    replay = await store.begin_run(None, "replay", "host:1")
    await keep(store, replay, 9, archive="/srv/warc/2026.warc.gz")
    assert sql_rows("SELECT authors FROM news.articles") == [(["Ada Kern"],)]


async def test_a_replay_reads_better_what_was_stated_at_each_time(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    for hours, authors in enumerate((("A. Kern",), ("B. Lund",), ("C. Wald",))):
        await keep(store, run, hours, body=b"%d" % hours, authors=authors)
    await store.end_run(run, "finished")
    replay = await store.begin_run(None, "replay", "host:1")
    for hours, authors in enumerate((("Ada Kern",), ("Bo Lund",), ("Cy Wald",))):
        await keep(store, replay, hours, body=b"%d" % hours, authors=authors, reader_version="2")
    rows = sql_rows("SELECT stated_at, until, authors, reader_version FROM news.page_metadata ORDER BY stated_at")
    assert rows == [
        (at(0), at(1), ["Ada Kern"], "2"), (at(1), at(2), ["Bo Lund"], "2"), (at(2), None, ["Cy Wald"], "2"),
    ]  # fmt: skip
    assert sql_rows("SELECT authors FROM news.articles") == [(["Cy Wald"],)]


async def test_pages_of_one_batch_are_each_followed(store, sql_rows):
    """As a replay brings them: each state has its row, whatever came in one transaction."""
    import asyncio

    run = await store.begin_run("bote", "crawl", "host:1")
    names = ("Ada Kern", "Bo Lund", "Cy Wald", "Cy Wald")
    await asyncio.gather(*(keep(store, run, hours, authors=(name,)) for hours, name in enumerate(names)))
    assert sql_rows("SELECT stated_at, authors FROM news.page_metadata ORDER BY stated_at") == [
        (at(0), ["Ada Kern"]), (at(1), ["Bo Lund"]), (at(2), ["Cy Wald"])
    ]  # fmt: skip


async def test_another_view_and_another_source_change_nothing(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0, section="Politik")
    await keep(store, run, 1, url="https://bote.example/1.amp", section="AMP")
    other = await store.begin_run("anzeiger", "crawl", "host:1")
    await keep(store, other, 2, section="Welt")
    assert sql_rows("SELECT source, section FROM news.articles") == [("bote", "Politik")]
    assert sql_rows("SELECT count(*) FROM news.page_metadata") == [(1,)]


async def test_an_own_page_after_a_view_of_it_is_no_change(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0, url="https://bote.example/1.amp", section="AMP")
    await keep(store, run, 1, section="Politik")
    assert sql_rows("SELECT section, until FROM news.page_metadata") == [("Politik", None)]


async def test_a_live_blog_keeps_what_it_stated_though_its_wording_is_replaced(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0, "Es beginnt.", kind=Kind.LIVE_BLOG, authors=("Ada Kern",))
    await keep(store, run, 1, "Es geht weiter.", kind=Kind.LIVE_BLOG, authors=("Bo Lund",))
    assert sql_rows("SELECT version, text, authors FROM news.articles") == [(1, "Es geht weiter.", ["Bo Lund"])]
    assert sql_rows("SELECT stated_at, until, authors FROM news.page_metadata ORDER BY stated_at") == [
        (at(0), at(1), ["Ada Kern"]), (at(1), None, ["Bo Lund"])
    ]  # fmt: skip


async def test_a_new_wording_begins_with_what_its_page_states(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0, authors=("Ada Kern",))
    await keep(store, run, 1, authors=("Bo Lund",))
    await keep(store, run, 2, "Der Hafen ist nun doch wieder offen für alle.", authors=("Bo Lund",))
    assert sql_rows(STATED) == [
        (1, at(0), at(1), ["Ada Kern"], None), (1, at(1), at(2), ["Bo Lund"], None), (2, at(2), None, ["Bo Lund"], None)
    ]  # fmt: skip
    assert sql_rows("SELECT kind, version FROM news.changes_since(0, 9, ARRAY['metadata'])") == [
        ("new", 1), ("version", 2)
    ]  # fmt: skip


async def test_a_paid_article_without_text_stays_one_where_its_text_is_withheld_by_now(store, sql_rows):
    """Both have no text, so the words are the same; only what is not free, or withheld, may have none."""
    run = await store.begin_run("bote", "crawl", "host:1")
    await keep(store, run, 0, "", is_accessible_for_free=False)
    assert await keep(store, run, 1, "", text_withheld=True, authors=("Ada Kern",)) == "unchanged"
    assert sql_rows("SELECT is_accessible_for_free, authors FROM news.articles") == [(False, ["Ada Kern"])]
