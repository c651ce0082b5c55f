"""Every source file is a spider, and so are spiders of the user's own: ``scrapy list``, ``scrapy crawl NAME``."""

from __future__ import annotations

from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.settings import BaseSettings
from scrapy.spiderloader import SpiderLoader

from crawler import config
from crawler.addon import add_to_path, early_settings, no_traceback
from crawler.config import Configuration
from crawler.spiders.news import NewsSpider


class SourceLoader(SpiderLoader):
    """A spider class for each file in ``config/sources/``, beside those of SPIDER_MODULES.

    A subclass of NewsSpider whose ``name`` is a source's crawls that source.
    """

    def __init__(self, settings: BaseSettings, configuration: Configuration | None = None):
        self.configuration = configuration or config.load()
        # `scrapy list` asks for the spiders before any add-on was loaded
        add_to_path(self.configuration.folder)
        modules = early_settings(self.configuration, settings)["SPIDER_MODULES"]
        warn_only = settings.getbool("SPIDER_LOADER_WARN_ONLY")
        super().__init__(BaseSettings({"SPIDER_MODULES": modules, "SPIDER_LOADER_WARN_ONLY": warn_only}))
        for name in self.configuration.sources:
            base = self._spiders.get(name, NewsSpider)
            if not issubclass(base, NewsSpider):
                raise TypeError(f"the spider {name!r} is named like a source, so it must be a NewsSpider")
            self._spiders[name] = spider_class(base, name, self.configuration)
        for name, cls in self._spiders.items():
            if issubclass(cls, NewsSpider) and name not in self.configuration.sources:
                raise TypeError(f"the spider {name!r} is a NewsSpider, and there is no source {name!r}")

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> SourceLoader:
        """As ``scrapy`` asks for it: a mistake in a file ends the command with a sentence."""
        with no_traceback():
            return cls(settings)

    def load(self, spider_name: str) -> type[Spider]:
        """Raise ``KeyError`` where there is no such source or spider."""
        if spider_name not in self._spiders:
            self.configuration.source(spider_name)  # names the nearest one
        return self._spiders[spider_name]

    def list(self) -> list[str]:
        return sorted(self._spiders)

    def find_by_request(self, request: Request) -> list[str]:  # type: ignore[valid-type]
        """The source on whose site an address lies: host and port of its homepage."""
        place = urlsplit(request.url).netloc.lower()
        sources = self.configuration.sources.values()
        found = [source.name for source in sources if urlsplit(source.homepage).netloc.lower() == place]
        return found or super().find_by_request(request)


def spider_class(base: type[NewsSpider], name: str, configuration: Configuration) -> type[NewsSpider]:
    """*base* for one source."""
    inherited = {"name": name, "configuration": configuration, "__module__": base.__module__, "__doc__": base.__doc__}
    return type(base.__name__, (base,), inherited)
