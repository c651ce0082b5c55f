"""After a crawl: feeds and webhooks of the watchlists."""

from __future__ import annotations

import logging

from scrapy.crawler import Crawler

from crawler import watching
from crawler.reports import RunReport
from crawler.services import Services, services_of
from crawler.signals import run_closed
from pipelines import database
from pipelines.database import DatabaseError

log = logging.getLogger(__name__)


class WatchlistsExtension:
    """What goes wrong here is no failure of a run, and comes again after the next."""

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> WatchlistsExtension:
        extension = cls(crawler)
        crawler.signals.connect(extension.run_closed, signal=run_closed)
        return extension

    async def run_closed(self, report: RunReport) -> None:
        services = services_of(self.crawler)
        if report.kind == "crawl" and services.configuration.watches and not services.stopping:
            await deliver(services)


async def deliver(services: Services) -> list[watching.Told]:
    watches = list(services.configuration.watches.values())
    try:
        return await watching.tell(services.store, services.http, watches, database.home() / "feeds")
    except (DatabaseError, OSError) as error:
        log.warning("watchlists: %s", database.safe_text(error))
        return []
