"""What a source's own pages teach the reader: loaded before a run, learned after it where the source is well."""

from __future__ import annotations

from scrapy import Spider
from scrapy.crawler import Crawler

from crawler.reports import RunReport
from crawler.services import services_of
from crawler.signals import run_closed, run_opened
from crawler.spiders.base import RunSpider
from pipelines.store import Run


class SiteModelExtension:
    """Gives a spider the rules to read by, with the site model in force; makes the next one where one is due."""

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SiteModelExtension:
        extension = cls(crawler)
        crawler.signals.connect(extension.run_opened, signal=run_opened)
        crawler.signals.connect(extension.run_closed, signal=run_closed)
        return extension

    async def run_opened(self, run: Run, spider: Spider) -> None:
        services = services_of(self.crawler)
        if isinstance(spider, RunSpider) and run.source is not None:
            spider.rules = services.derived.rules(run.source, await services.site_model(run.source))

    async def run_closed(self, report: RunReport) -> None:
        """First whether the source is well: nothing is learned from pages that are ill."""
        services = services_of(self.crawler)
        may_learn = await services.check_health(report)
        if report.counts.new and report.source is not None and may_learn:
            await services.learn(report.source)
