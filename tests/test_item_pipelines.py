"""A page's way through the item pipelines: every page ends once, and trouble of the machine ends none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from itemadapter import ItemAdapter

from crawler.shutdown import Shutdown
from pipelines import archive as archives
from pipelines.archive import Archive
from pipelines.article_item import ArticleItem, exported
from pipelines.item_pipelines import (
    ArchivePipeline,
    InfrastructureError,
    ReadPipeline,
    RejectedItem,
    StorePipeline,
    read,
)
from pipelines.items import Link, Page, Reason, Rejected
from pipelines.reading.rules import Rules
from pipelines.store import Document, Run, Store
from pipelines.workers import ReaderPool, ReadPage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "Der Rat der Stadt hat am Montag den Haushalt für das kommende Jahr beschlossen."


@dataclass
class Services:
    archive: Archive | None
    readers: ReaderPool
    store: Store
    is_durable: bool = True
    archive_lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@pytest.fixture
async def services(store: Store, tmp_path: Path) -> AsyncIterator[Services]:
    async with ReaderPool(1, seconds=0.3, clock=60, read="tests.poison:read") as readers:
        archive = Archive(tmp_path / "archive")
        yield Services(archive, readers, store)
        archive.close()


async def begun(store: Store, *bodies: str) -> tuple[Run, list[ArticleItem]]:
    """A run with a page for each of *bodies*, as discovery and fetch leave them."""
    run = await store.begin_run("probe", "crawl", "host:1")
    assert run is not None
    links = [Link(f"https://example.org/{number}", "https://example.org/feed") for number in range(len(bodies))]
    await store.enqueue(run, links, Document("https://example.org/feed", "feed", 200, links=len(links)))
    await store.claim_batch(run, 100)
    pages = [Page(link.url, "probe", body.encode(), NOON) for link, body in zip(links, bodies, strict=True)]
    return run, [ArticleItem(page, Rules(language="de"), run) for page in pages]


async def processed(services: Services, item: ArticleItem) -> ArticleItem:
    """The three steps as Scrapy calls them."""
    crawler = SimpleNamespace(services=services, shutdown=Shutdown())
    for pipeline in (ArchivePipeline, ReadPipeline, StorePipeline):
        item = await pipeline(crawler).process_item(item)
    return item


async def test_a_page_is_archived_read_and_stored(services, tmp_path):
    run, [item] = await begun(services.store, TEXT)
    item.headers, item.etag = {"Content-Type": "text/html"}, '"1"'
    done = await processed(services, item)
    assert done.outcome.kind == "new"
    assert (await services.store.article(item.url))["text"] == TEXT
    assert [page.body for page in archives.pages(tmp_path / "archive")] == [TEXT.encode()]
    assert (await services.store.explain(item.url))["archive"][0]["file"] == done.archived.file
    assert (await services.store.end_run(run, "finished")).new == 1


async def test_what_the_reader_found_of_the_words_is_used_for_the_article_that_it_read_and_for_no_other(
    services, sql_rows
):
    _, items = await begun(services.store, TEXT, TEXT + " Und morgen.", TEXT + " Und bald.")
    crawler = SimpleNamespace(services=services, shutdown=Shutdown())
    for item in items:
        await ReadPipeline(crawler).process_item(item)
        assert item.own_features.word_count == len(item.article.text.split())
    ItemAdapter(items[1])["text"] = "Kurz."
    items[2].page = replace(items[2].page, body=b"another")
    assert [item.own_features is None for item in items] == [False, True, True]
    for item in items:
        await StorePipeline(crawler).process_item(item)
    assert sql_rows("SELECT word_count FROM news.articles ORDER BY id") == [(14,), (1,), (16,)]


async def test_a_page_that_is_no_article_is_dropped_with_its_reason_and_lies_in_the_archive(services, tmp_path):
    _, items = await begun(services.store, "refuse", "segfault", "hang", TEXT)
    reasons = []
    for item in items:
        try:
            await processed(services, item)
        except RejectedItem as rejected:
            reasons.append(rejected.reason)
    assert reasons == [Reason.SOFT_404, Reason.READER_CRASH, Reason.READER_TIMEOUT]
    assert len(list(archives.pages(tmp_path / "archive"))) == 4


async def test_a_first_look_counts_for_its_page_and_its_rules_and_for_no_others(services):
    _, [kept, refused, *others] = await begun(services.store, TEXT, "refuse", TEXT, TEXT)
    found = await services.readers.read_or_continue(kept.page, kept.rules)
    assert isinstance(found, ReadPage)
    for item in (kept, *others):
        item.first_look = item.page, item.rules, found
    refused.first_look = refused.page, refused.rules, Rejected(Reason.NO_TITLE, "seen first")
    others[0].rules = replace(kept.rules, language="fr")  # a spider of one's own may give an item both
    others[1].page = replace(others[1].page, body=b"another")
    for item in (kept, *others):
        await read(item, services)
    assert kept.article is found.article
    assert [(item.article.title, item.article.text) for item in others] == [("fr", TEXT), ("de", "another")]
    for _ in range(2):
        with pytest.raises(RejectedItem, match="seen first"):
            await read(refused, services)
    assert refused.first_look[2].__traceback__ is None  # it would keep the item, and the item keeps it


async def test_a_page_out_of_the_archive_is_not_archived_again(services, tmp_path):
    run, [item] = await begun(services.store, TEXT)
    done = await processed(services, item)
    await services.store.end_run(run, "finished")
    replayed = await services.store.begin_run(None, "replay", "host:1")
    again = await processed(services, ArticleItem(item.page, item.rules, replayed, archived=done.archived))
    assert again.outcome.kind == "unchanged"
    assert len(list(archives.pages(tmp_path / "archive"))) == 1


async def test_without_an_archive_pages_are_read_and_stored(services):
    _, [item] = await begun(services.store, TEXT)
    done = await processed(replace(services, archive=None), item)
    assert (done.outcome.kind, done.archived) == ("new", None)


async def test_without_a_run_pages_are_read_and_not_stored(services):
    _, [item] = await begun(services.store, TEXT)
    done = await processed(replace(services, archive=None, is_durable=False), item)
    assert (done.article.text, done.outcome) == (TEXT, None)


async def test_an_archive_that_cannot_be_written_stops_and_leaves_the_page_pending(services, tmp_path):
    run, [item] = await begun(services.store, TEXT)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InfrastructureError, match="cannot be written"):
        await processed(replace(services, archive=Archive(tmp_path / "file" / "archive")), item)
    counts = await services.store.end_run(run, "failed")
    assert (counts.pending, counts.found) == (1, 1)


async def test_readers_that_are_gone_stop_and_leave_the_page_pending(services):
    run, [item] = await begun(services.store, TEXT)
    await services.readers.close()
    with pytest.raises(InfrastructureError, match="readers"):
        await processed(services, item)
    assert (await services.store.end_run(run, "failed")).pending == 1


async def test_items_of_other_kinds_pass(services):
    assert await processed(services, {"url": "https://example.org/", "score": 3}) == {
        "url": "https://example.org/", "score": 3
    }  # fmt: skip


async def test_a_log_shows_the_address_and_never_the_body(services):
    _, [item] = await begun(services.store, TEXT)
    assert repr(item) == "<ArticleItem 'https://example.org/0' on its way>"


async def test_an_item_adapter_shows_and_changes_the_article(services):
    _, [item] = await begun(services.store, TEXT)
    assert ItemAdapter(item)["status"] == 200  # not read yet: what the page says
    await ReadPipeline(SimpleNamespace(services=services, shutdown=Shutdown())).process_item(item)
    adapter = ItemAdapter(item)
    adapter["title"] = "Ein anderer Titel"
    assert (item.article.title, adapter["text"], adapter["source"]) == ("Ein anderer Titel", TEXT, "probe")
    with pytest.raises(KeyError, match="no field 'titel'"):
        adapter["titel"] = "x"
    assert exported(NOON) == "2026-03-01T12:00:00+00:00"


async def test_a_page_in_flight_when_the_crawl_is_cancelled_stays_pending(services):
    run, [item] = await begun(services.store, "sleep")
    task = asyncio.ensure_future(processed(services, item))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await services.store.end_run(run, "stopped")).pending == 1


async def test_stored_pages_are_stored_in_their_order(services):
    run, items = await begun(services.store, TEXT, TEXT)
    events = [asyncio.Event() for _ in items]
    for number, item in enumerate(items):
        item.after, item.handed_over = events[number - 1] if number else None, events[number]
    second, first = await asyncio.gather(processed(services, items[1]), processed(services, items[0]))
    assert (first.outcome.kind, second.outcome.kind) == ("new", "copy")
    assert (await services.store.end_run(run, "finished")).found == 2
