"""What a source's own pages teach the reader: loaded before a run, learned after it."""

from __future__ import annotations

import logging

from scrapy import Spider
from scrapy.crawler import Crawler

from crawler.reports import RunReport
from crawler.services import services_of
from crawler.signals import run_closed, run_opened
from crawler.spiders.base import RunSpider
from pipelines.database import DatabaseError
from pipelines.store import Run

log = logging.getLogger(__name__)


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
        """A run is not failed by what follows it."""
        services = services_of(self.crawler)
        if not report.counts.new or report.source is None or services.stopping:
            return
        if not services.configuration.settings.reading.learn:
            return
        try:
            number = await services.store.learn(report.source)
        except DatabaseError as error:
            log.warning("nothing could be learned from the pages of %s: %s", report.source, error)
        else:
            if number is not None:
                log.info("%s: site model %d was learned from its latest articles", report.source, number)
