"""What Scrapy logs of items, where its words would not be true."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Spider, logformatter

from crawler.downloader.errors import ShutdownError
from pipelines.article_item import ArticleItem
from pipelines.item_pipelines import InfrastructureError


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's own. A page that is let go because its run ends, or because the machine is in trouble, is no error: it
    stays pending, and why is said once for the run."""

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Spider) -> Any:
        if isinstance(item, ArticleItem) and isinstance(exception, ShutdownError | InfrastructureError):
            said = {"url": item.url, "why": exception}
            return {"level": logging.INFO, "msg": "%(url)s stays pending: %(why)s", "args": said}
        return super().item_error(item, exception, response, spider)
