"""After a run that has stored articles: which of them are about one event."""

from __future__ import annotations

import logging

from scrapy.crawler import Crawler

from crawler.reports import RunReport
from crawler.services import services_of
from crawler.signals import run_closed
from pipelines import database
from pipelines.database import DatabaseError

log = logging.getLogger(__name__)


class StoriesExtension:
    """What goes wrong here is no failure of the run: the next one's end groups what is left."""

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StoriesExtension:
        extension = cls(crawler)
        crawler.signals.connect(extension.run_closed, signal=run_closed)
        return extension

    async def run_closed(self, report: RunReport) -> None:
        if not (report.counts.new or report.counts.copy or report.counts.new_version):
            return
        try:
            await services_of(self.crawler).store.group_stories()
        except DatabaseError as error:
            log.warning("stories: %s", database.safe_text(error))
