"""Every source file is a spider: what makes ``scrapy list`` and ``scrapy crawl NAME`` work."""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.settings import BaseSettings

from crawler import config
from crawler.spiders.news import NewsSpider


class SourceLoader:
    """Scrapy's way to the sources: a spider class for each file in ``config/sources/``."""

    def __init__(self, configuration: config.Configuration):
        self._configuration = configuration

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> SourceLoader:
        """Raise ``ConfigError`` where a file has a mistake, as every other command does."""
        return cls(config.load())

    def load(self, spider_name: str) -> type[Spider]:
        """Raise ``KeyError`` where there is no such source."""
        self._configuration.source(spider_name)
        return type("NewsSpider", (NewsSpider,), {"name": spider_name, "configuration": self._configuration})

    def list(self) -> list[str]:
        return sorted(self._configuration.sources)

    def find_by_request(self, request: Request) -> list[str]:  # type: ignore[valid-type]
        """No source is guessed from an address."""
        return []
