"""``scrapy crawl NAME``, which says by its exit code whether the run failed."""

from __future__ import annotations

import argparse

from scrapy import Spider
from scrapy.commands import crawl
from scrapy.crawler import Crawler

from crawler.extensions.run import RunExtension


class Command(crawl.Command):
    """Scrapy's own, with exit code 1 also where the run failed; there it is for a spider that cannot be made."""

    made: Crawler | None = None

    def _create_crawler(self, spidercls: type[Spider] | str) -> Crawler:
        self.made = super()._create_crawler(spidercls)
        return self.made

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        super().run(args, opts)
        extension = self.made.get_extension(RunExtension) if self.made is not None else None
        if extension is not None and extension.report is not None and extension.report.outcome == "failed":
            self.exitcode = 1
