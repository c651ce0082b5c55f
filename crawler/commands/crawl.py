"""``scrapy crawl NAME``, which says by its exit code whether the run failed."""

from __future__ import annotations

import argparse
import logging
import sys

from scrapy.commands import crawl
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import UsageError

from crawler.config import ConfigError
from crawler.extensions.run import RunExtension
from crawler.spiders.base import ArgumentError

log = logging.getLogger(__name__)


class Command(crawl.Command):
    """Scrapy's own, with exit code 1 also where the run failed; there it is for a spider that cannot be made. A mistake
    of the caller's is a sentence and no traceback.

    Scrapy's ``run`` cannot be called: it drops the task of the crawl, and with it why the crawl could not begin.
    """

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            raise UsageError("name one spider")
        process = self.crawler_process
        assert isinstance(process, AsyncCrawlerProcess)
        try:
            process.spider_loader.load(args[0])
        except KeyError as unknown:
            sys.exit(f"scrapy: {unknown.args[0]}")
        crawler = self._create_crawler(args[0])
        crawling = process.crawl(crawler, **opts.spargs)
        process.start()
        error = crawling.exception() if crawling.done() and not crawling.cancelled() else None
        if isinstance(error, ArgumentError | ConfigError):
            sys.exit(f"scrapy: {error}")
        if error is not None:
            log.error("the crawl broke off", exc_info=error)
        extension = crawler.get_extension(RunExtension) if error is None else None
        is_failed = extension is not None and extension.report is not None and extension.report.outcome == "failed"
        self.exitcode = 1 if process.bootstrap_failed or is_failed else 0
