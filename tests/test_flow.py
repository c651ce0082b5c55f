"""A page's way through archive, read and keep: every page ends once, and trouble of the machine ends none."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import scrapy
from scrapy.crawler import AsyncCrawlerRunner

from pipelines import archive as archives
from pipelines.archive import Archive
from pipelines.flow import Fetched, MachineTrouble, through
from pipelines.items import Link, Page, Reason
from pipelines.reading.rules import Rules
from pipelines.store import Document, Run, Store
from pipelines.workers import ReaderPool

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "Der Rat der Stadt hat am Montag den Haushalt für das kommende Jahr beschlossen."


@dataclass
class House:
    archive: Archive | None
    readers: ReaderPool
    store: Store


@pytest.fixture
async def house(store: Store, tmp_path: Path):
    async with ReaderPool(1, seconds=0.3, clock=60, read="tests.poison:read") as readers:
        archive = Archive(tmp_path / "archive")
        yield House(archive, readers, store)
        archive.close()


async def begun(store: Store, *bodies: str) -> tuple[Run, list[Fetched]]:
    """A run with a page for each of *bodies*, as discovery and fetch leave them."""
    run = await store.begin_run("probe", "crawl", "host:1")
    assert run is not None
    links = [Link(f"https://example.org/{number}", "https://example.org/feed") for number in range(len(bodies))]
    await store.offer(run, links, Document("https://example.org/feed", "feed", 200, links=len(links)))
    await store.take(run, 100)
    pages = [Page(link.url, "probe", body.encode(), NOON) for link, body in zip(links, bodies, strict=True)]
    return run, [Fetched(page, run, Rules(language="de")) for page in pages]


async def pass_through(house: House, fetched: Fetched) -> Fetched:
    return await through(fetched, house.archive, house.readers, house.store)


async def test_a_page_is_archived_read_and_kept(house, tmp_path):
    run, [fetched] = await begun(house.store, TEXT)
    done = await pass_through(house, replace(fetched, headers={"Content-Type": "text/html"}, etag='"1"'))
    assert done.ending.kind == "new"
    assert (await house.store.article(fetched.url))["text"] == TEXT
    assert [page.body for page in archives.pages(tmp_path / "archive")] == [TEXT.encode()]
    assert (await house.store.explain(fetched.url))["archive"][0]["file"] == done.archived.file
    assert (await house.store.end_run(run, "finished")).new == 1


async def test_a_page_that_is_no_article_ends_with_its_reason_and_lies_in_the_archive(house, tmp_path):
    run, pages = await begun(house.store, "refuse", "segfault", "hang", TEXT)
    ends = [(await pass_through(house, page)).ending for page in pages]
    assert [end.kind for end in ends] == ["rejected", "rejected", "rejected", "new"]
    counts = await house.store.end_run(run, "finished")
    assert counts.reasons == {Reason.SOFT_404: 1, Reason.READER_CRASH: 1, Reason.READER_TIMEOUT: 1}
    assert (counts.found, counts.rejected, counts.new, counts.pending) == (4, 3, 1, 0)
    assert len(list(archives.pages(tmp_path / "archive"))) == 4


async def test_the_end_belongs_to_the_address_that_discovery_named(house):
    run, [fetched] = await begun(house.store, "refuse")
    landed = replace(fetched.page, url="https://example.org/landed", asked_url=fetched.url)
    await pass_through(house, replace(fetched, page=landed))
    counts = await house.store.end_run(run, "finished")
    assert (counts.rejected, counts.pending) == (1, 0)


async def test_a_page_out_of_the_archive_is_not_archived_again(house, tmp_path):
    run, [fetched] = await begun(house.store, TEXT)
    done = await pass_through(house, fetched)
    await house.store.end_run(run, "finished")
    replayed = await house.store.begin_run(None, "replay", "host:1")
    again = await pass_through(house, replace(fetched, run=replayed, archived=done.archived))
    assert again.ending.kind == "unchanged"
    assert len(list(archives.pages(tmp_path / "archive"))) == 1


async def test_without_an_archive_pages_are_read_and_kept(house):
    _, [fetched] = await begun(house.store, TEXT)
    done = await through(fetched, None, house.readers, house.store)
    assert (done.ending.kind, done.archived) == ("new", None)


async def test_an_archive_that_cannot_be_written_stops_and_leaves_the_page_pending(house, tmp_path):
    run, [fetched] = await begun(house.store, TEXT)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(MachineTrouble, match="cannot be written"):
        await through(fetched, Archive(tmp_path / "file" / "archive"), house.readers, house.store)
    counts = await house.store.end_run(run, "failed")
    assert (counts.pending, counts.found) == (1, 1)


async def test_readers_that_are_gone_stop_and_leave_the_page_pending(house):
    run, [fetched] = await begun(house.store, TEXT)
    await house.readers.close()
    with pytest.raises(MachineTrouble, match="readers"):
        await pass_through(house, fetched)
    assert (await house.store.end_run(run, "failed")).pending == 1


async def test_a_mistake_of_ours_postpones_the_page_and_names_the_mistake(house):
    run, [fetched] = await begun(house.store, TEXT)
    broken = replace(fetched, rules=lambda: "rules that cannot be sent to a reader")
    done = await pass_through(house, broken)
    assert (done.ending.kind, done.ending.reason) == ("pending", Reason.UNSTORABLE)
    assert "pickle" in done.ending.detail
    assert (await house.store.end_run(run, "finished")).pending == 1


async def test_a_log_shows_the_address_and_never_the_body(house):
    _, [fetched] = await begun(house.store, TEXT)
    assert repr(fetched) == "<Fetched 'https://example.org/0' on its way>"


class Probe(scrapy.Spider):
    """Yields what it is given: the way of items through Scrapy's own machinery."""

    name = "probe"
    house: House
    pages: list[Fetched]

    async def start(self):
        for page in self.pages:
            yield page


async def crawled(house: House, pages: list[Fetched]):
    runner = AsyncCrawlerRunner(
        {
            "TWISTED_REACTOR_ENABLED": False,
            "ITEM_PIPELINES": {
                "pipelines.flow.ArchivePipeline": 100,
                "pipelines.flow.ReadPipeline": 200,
                "pipelines.flow.KeepPipeline": 300,
            },
            "TELNETCONSOLE_ENABLED": False,
            "LOG_ENABLED": False,
        }
    )
    crawler = runner.create_crawler(Probe)
    await runner.crawl(crawler, house=house, pages=pages)
    return crawler.stats


async def test_scrapys_pipelines_are_the_same_three_steps(house):
    run, pages = await begun(house.store, TEXT, "refuse", TEXT)
    await crawled(house, pages)
    counts = await house.store.end_run(run, "finished")
    assert (counts.new, counts.copy, counts.rejected, counts.pending) == (1, 1, 1, 0)


async def test_trouble_of_the_machine_is_told_to_the_spider_and_every_page_stays_pending(house, tmp_path):
    run, pages = await begun(house.store, *[TEXT] * 5)
    (tmp_path / "file").write_text("no folder")
    stats = await crawled(House(Archive(tmp_path / "file" / "x"), house.readers, house.store), pages)
    assert "cannot be written" in stats.get_value("nachlese/trouble")
    assert (await house.store.end_run(run, "failed")).pending == 5


async def test_a_page_in_flight_when_the_crawl_is_cancelled_stays_pending(house, tmp_path):
    os.mkfifo(tmp_path / "begun")
    run, [fetched] = await begun(house.store, f"begin {tmp_path / 'begun'}")
    task = asyncio.ensure_future(pass_through(house, fetched))
    await asyncio.to_thread((tmp_path / "begun").read_bytes)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await house.store.end_run(run, "stopped")).pending == 1
