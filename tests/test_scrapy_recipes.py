"""What the field asks most often about Scrapy, built as its users build it: plain spiders, in one process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiohttp import web
from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import DontCloseSpider
from scrapy.linkextractors import LinkExtractor
from scrapy.settings import Settings
from scrapy.spiders import CrawlSpider, Rule

from tests.test_crawl import Web, configured, site

__all__ = ["site"]
Crawl = Callable[..., Coroutine[Any, Any, tuple[list[Any], dict[str, Any]]]]


@pytest.fixture
def crawl(tmp_path: Path, site: Web, monkeypatch: pytest.MonkeyPatch) -> Crawl:
    """Runs a spider from a script; what it scraped, and its statistics."""
    configured(tmp_path, site)
    monkeypatch.setenv("NACHLESE_CONFIG", str(tmp_path))
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")

    async def crawl(spider: type[Spider], **stated: Any) -> tuple[list[Any], dict[str, Any]]:
        runner = AsyncCrawlerRunner(settings)
        crawler = runner.create_crawler(spider)
        crawler.settings.setdict({"ALLOW_ADDRESSES": ["127.0.0.1/32:*"], **stated}, priority="cmdline")
        items: list[Any] = []

        def scraped(item: Any) -> None:
            items.append(item)

        crawler.signals.connect(scraped, signal=signals.item_scraped)
        await crawler.crawl_async(base=site.base)
        return items, crawler.stats.get_stats()

    return crawl


def links(*addresses: str) -> str:
    return "<html><body>" + "".join(f'<a href="{address}">x</a>' for address in addresses) + "</body></html>"


class Following(CrawlSpider):
    """Goes wherever links lead, but for ``allowed_domains``."""

    name = "following"
    allowed_domains: ClassVar[list[str]] = ["127.0.0.1"]
    rules = (Rule(LinkExtractor(), callback="found", follow=True),)

    async def start(self):
        yield Request(self.base + "/")

    def found(self, response):
        return {"path": response.url.removeprefix(self.base)}


async def test_a_spider_stays_on_its_allowed_domains(crawl, site):
    elsewhere = site.base.replace("127.0.0.1", "127.0.0.2")
    site.pages |= {
        "/": links("/a", "/leads", elsewhere + "/b", "http://other.invalid/c"),
        "/a": links("/", elsewhere + "/d"),
    }
    site.pages["/leads"] = lambda _: web.Response(status=302, headers={"Location": elsewhere + "/e"})
    items, stats = await crawl(Following)
    assert items == [{"path": "/a"}] and site.asked.count("/leads") == 1
    assert stats["offsite/domains"] == 2
    assert "downloader/exception_count" not in stats


class Asking(Spider):
    """A page that is empty twice, and one that its callback asks for itself."""

    name = "asking"
    custom_settings: ClassVar[dict[str, Any]] = {"RETRY_TIMES": 5}
    left: ClassVar[list[str]] = []

    @classmethod
    def from_crawler(cls, crawler, *args, **kwargs):
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.idle, signal=signals.spider_idle)
        spider.left = ["/late"]
        return spider

    async def start(self):
        yield Request(self.base + "/empty")

    async def parse(self, response):
        if not response.text:
            yield get_retry_request(response.request, spider=self, reason="empty")
            return
        inline = await self.crawler.engine.download_async(Request(self.base + "/inline"))
        yield {"title": response.text, "tries": response.meta.get("retry_times"), "inline": inline.text}

    def idle(self):
        if self.left:
            self.crawler.engine.crawl(Request(self.base + self.left.pop(), self.late))
            raise DontCloseSpider

    def late(self, response):
        self.logger.error("late, as was to be shown")
        yield {"latency": response.meta["download_latency"]}


async def test_retries_on_a_condition_inline_requests_and_more_work_when_idle(crawl, site):
    texts = iter(("", "", "here"))
    site.pages |= {"/empty": lambda _: web.Response(text=next(texts)), "/inline": "inline", "/late": "late"}
    items, stats = await crawl(Asking)
    assert items[0] == {"title": "here", "tries": 2, "inline": "inline"}
    assert stats["retry/reason_count/empty"] == 2
    assert 0 < items[1]["latency"] < stats["elapsed_time_seconds"]


@pytest.mark.parametrize("is_scrapys", [True, False])
async def test_log_lines_are_counted_where_the_log_is_scrapys(crawl, site, is_scrapys):
    site.pages |= {"/empty": "x", "/inline": "x", "/late": "x"}
    _, stats = await crawl(Asking, LOG_ENABLED=is_scrapys)
    assert stats.get("log_count/ERROR") == (1 if is_scrapys else None)
    assert not [one for one in logging.root.handlers if "Counter" in type(one).__name__]


class WithFiles(Spider):
    name = "files"

    async def start(self):
        yield {"file_urls": [self.base + "/a.pdf", self.base + "/gone.pdf"], "name": "x"}


async def test_files_of_an_item_are_fetched_beside_it(crawl, site, tmp_path):
    site.pages["/a.pdf"] = lambda _: web.Response(body=b"%PDF-1.4", content_type="application/pdf")
    pipelines = {"scrapy.pipelines.files.FilesPipeline": 1}
    items, _ = await crawl(WithFiles, ITEM_PIPELINES=pipelines, FILES_STORE=str(tmp_path / "files"))
    ((file,),) = [item["files"] for item in items]
    assert (tmp_path / "files" / file["path"]).read_bytes() == b"%PDF-1.4"
