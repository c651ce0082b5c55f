"""Scrapy's core statistics, with the reasons for which pages are rejected, and the outcomes that Postgres has."""

from __future__ import annotations

from typing import Any

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.extensions import logcount
from scrapy.extensions.corestats import CoreStats

from crawler.reports import RunReport
from crawler.signals import run_closed
from pipelines.item_pipelines import RejectedItem


class OutcomeStats(CoreStats):
    """``item_dropped_reasons_count/soft_404`` instead of the exception's name; at a run's end ``outcome/new`` and so on
    for all its pages, ``outcome/rejected/REASON`` also for those that were never fetched."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> OutcomeStats:
        extension = super().from_crawler(crawler)
        crawler.signals.connect(extension.run_closed, signal=run_closed)
        return extension

    def item_dropped(self, item: Any, spider: Spider, exception: BaseException) -> None:
        reason = exception.reason if isinstance(exception, RejectedItem) else type(exception).__name__
        self.stats.inc_value("item_dropped_count")
        self.stats.inc_value(f"item_dropped_reasons_count/{reason}")

    def run_closed(self, report: RunReport) -> None:
        counts = report.counts
        for name in ("found", "new", "new_version", "unchanged", "copy", "rejected", "pending"):
            self.stats.set_value(f"outcome/{name}", getattr(counts, name))
        for reason, number in counts.reasons.items():
            self.stats.set_value(f"outcome/reason/{reason}", number)


class LogCount(logcount.LogCount):
    """Scrapy's, where the log is Scrapy's: it counts the lines of a process, which may run many crawls."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> LogCount:
        if not crawler.settings.getbool("LOG_ENABLED"):
            raise NotConfigured
        return super().from_crawler(crawler)
