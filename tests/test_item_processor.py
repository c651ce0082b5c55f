"""What item pipelines of one's own make of a page's item: nothing, another object, an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from itemadapter import ItemAdapter

from crawler import config, runs
from crawler.retrying import retry
from crawler.services import Services
from tests.test_crawl import Web, article, configured, counted, opened_services, site

__all__ = ["site"]
#: seconds after which something hangs
GUARD = 300
Opened = Callable[..., AbstractAsyncContextManager[Services]]


class Forgetful:
    def process_item(self, item: Any) -> None:
        ItemAdapter(item)["title"] = "changed, and not returned"


class Exporting:
    async def process_item(self, item: Any) -> dict[str, Any]:
        return ItemAdapter(item).asdict()


class Broken:
    def process_item(self, item: Any) -> Any:
        raise KeyError("price")


class Innocent:
    """After those that lose items: it may rely on their being there."""

    def process_item(self, item: Any) -> Any:
        assert ItemAdapter(item)["title"]
        return item


@pytest.fixture
def opened(tmp_path: Path, site: Web, database_url: str) -> Opened:
    """Services of a source with two articles, and with these pipelines for all sources."""
    site.pages |= {"/a": article(1), "/b": article(2)}
    site.feed("/a", "/b")
    configured(tmp_path, site)
    settings = (tmp_path / "settings.toml").read_text()

    @asynccontextmanager
    async def opened(**pipelines: int) -> AsyncIterator[Services]:
        lines = "".join(f'"{__name__}.{name}" = {order}\n' for name, order in pipelines.items())
        (tmp_path / "settings.toml").write_text(f"{settings}[scrapy.ITEM_PIPELINES]\n{lines}")
        async with asyncio.timeout(GUARD), opened_services(config.load(tmp_path), database_url) as services:
            yield services

    return opened


@pytest.mark.parametrize(
    ("name", "order", "gave"),
    [("Forgetful", 250, "nothing"), ("Exporting", 250, "a dict"), ("Exporting", 50, "a dict")],
)
async def test_a_page_whose_item_is_not_given_back_ends_with_a_reason_and_the_run_fails(
    opened, site, sql_rows, name, order, gave
):
    async with opened(**{name: order, "Innocent": 260}) as services:
        report = await runs.crawl_source(services, "blatt")
        (status,) = await services.store.status()
        again = await runs.crawl_source(services, "blatt")
    assert counted(report) == {"found": 2, "rejected": 2}
    assert status["last_run_error"] == report.error
    assert report.counts.reasons == {"pipeline": 2}
    said = f"{__name__}.{name} gave {gave} back in place of the item"
    assert report.outcome == "failed"
    assert report.error.startswith(f"pages lost in an item pipeline: 2 ({said}; ") and "nachlese retry" in report.error
    assert sql_rows("SELECT DISTINCT reason, detail FROM news.rejections") == [("pipeline", said)]
    assert counted(again) == {"found": 2, "unchanged": 2} and site.asked.count("/a") == 1


async def test_once_it_is_mended_the_pages_are_read_out_of_the_archive(opened, site):
    async with opened(Forgetful=250) as services:
        await runs.crawl_source(services, "blatt")
    async with opened() as services:
        retried = await retry(services)
    assert (retried.total, retried.left, retried.report.counts.new) == (2, 0, 2)
    assert site.asked.count("/a") == 1


async def test_what_was_stored_is_stored_whatever_goes_on_to_exports(opened, sql_rows):
    async with opened(Exporting=400) as services:
        crawl = await runs.crawl_source(services, "blatt")
        replay = await runs.replay(services, services.archive_paths())
    assert [(one.outcome, one.error) for one in (crawl, replay)] == [("finished", None)] * 2
    assert counted(crawl) == {"found": 2, "new": 2} and counted(replay) == {"found": 2, "unchanged": 2}
    assert sql_rows("SELECT count(*) FROM news.pending") == [(0,)]


@pytest.mark.parametrize(("name", "reason"), [("Forgetful", "pipeline"), ("Broken", "unstorable")])
async def test_in_a_replay_each_page_has_its_end_as_well(opened, sql_rows, name, reason):
    async with opened() as services:
        await runs.crawl_source(services, "blatt")
    async with opened(**{name: 250}) as services:
        report = await runs.replay(services, services.archive_paths())
    assert counted(report) == {"found": 2, "rejected": 2}
    assert report.counts.reasons == {reason: 2}
    assert sql_rows("SELECT count(*) FROM news.articles") == [(2,)]


async def test_a_mistake_behind_the_storing_takes_nothing_back(opened, sql_rows):
    async with opened(Broken=400) as services:
        crawl = await runs.crawl_source(services, "blatt")
        replay = await runs.replay(services, services.archive_paths())
    assert counted(crawl) == {"found": 2, "new": 2} and counted(replay) == {"found": 2, "unchanged": 2}
    assert crawl.problems == replay.problems == ("after it was stored: KeyError: 'price'",)
    assert sql_rows("SELECT count(*) FROM news.pending") == sql_rows("SELECT count(*) FROM news.rejections") == [(0,)]
