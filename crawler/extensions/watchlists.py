"""Feeds and webhooks of the watchlists: woken when something was stored, delivered in tasks of their own."""

from __future__ import annotations

from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler

from crawler.services import services_of
from crawler.signals import run_closed
from pipelines.article_item import ArticleItem


class WatchlistsExtension:
    """Wakes the process's notifier. What goes wrong with a delivery is no failure of a run."""

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> WatchlistsExtension:
        extension = cls(crawler)
        crawler.signals.connect(extension.item_scraped, signal=signals.item_scraped)
        crawler.signals.connect(extension.run_closed, signal=run_closed)
        return extension

    def item_scraped(self, item: Any) -> None:
        """A run may last hours: matches are delivered meanwhile."""
        stored = isinstance(item, ArticleItem) and item.outcome and item.outcome.kind in ("new", "new_version", "copy")
        if stored and item.run is not None and item.run.kind == "crawl":
            services_of(self.crawler).wake_notifier(item.outcome.watches)

    def run_closed(self, report: Any) -> None:
        if report.kind == "crawl":
            services_of(self.crawler).wake_notifier(())
