"""What Scrapy logs of items and requests, where its words would not be true or a traceback would tell nothing."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Request, Spider, logformatter
from twisted.python.failure import Failure

from crawler.downloader.errors import FetchError, ShutdownError
from crawler.downloader.hosts import HostInBackoff
from crawler.robots import Disallowed, RobotsUnavailable
from pipelines.article_item import ArticleItem
from pipelines.item_pipelines import InfrastructureError
from pipelines.urls import BadUrl

#: why a request has no response: nothing is wrong with the program, and the sentence says it all
FORESEEN = (FetchError, HostInBackoff, Disallowed, RobotsUnavailable, BadUrl, ShutdownError, InfrastructureError)


def without_traceback(record: logging.LogRecord) -> bool:
    """A filter of Scrapy's scraper, which logs each exception with its traceback. Always true."""
    if isinstance(record.exc_info, tuple) and is_foreseen(record.exc_info[1]):
        record.exc_info = None
    return True


def is_foreseen(error: BaseException | None) -> bool:
    return isinstance(error, FORESEEN) and getattr(error, "unexpected", None) is None


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's own. A page that is let go because its run ends, or because the machine is in trouble, is no error: it
    stays pending, and why is said once for the run. A request that fails as requests do is one line."""

    def __init__(self) -> None:
        logging.getLogger("scrapy.core.scraper").addFilter(without_traceback)

    def download_error(self, failure: Failure, request: Request, spider: Spider, errmsg: str | None = None) -> Any:
        error = failure.value
        if not is_foreseen(error):
            return super().download_error(failure, request, spider, errmsg)
        level = logging.INFO if isinstance(error, ShutdownError) else logging.WARNING
        return {"level": level, "msg": "%(request)s: %(why)s", "args": {"request": request, "why": error}}

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Spider) -> Any:
        if isinstance(item, ArticleItem) and isinstance(exception, ShutdownError | InfrastructureError):
            said = {"url": item.url, "why": exception}
            return {"level": logging.INFO, "msg": "%(url)s stays pending: %(why)s", "args": said}
        return super().item_error(item, exception, response, spider)
