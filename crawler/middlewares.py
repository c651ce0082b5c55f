"""What Scrapy's own downloader middlewares are replaced by: one that asks on a condition, and settings that keep them out.

robots.txt, the pace of hosts, redirects, cookies and compression are no middlewares here: a middleware sees the first
address of a request only, and they are needed at every address it leads to. They are in ``crawler.fetch``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from scrapy import Request


class Validators(Protocol):
    """What a server said about the copy we have."""

    etag: str | None
    last_modified: str | None


class ConditionalGet:
    """Asks whether a document changed since we last had it: ``meta["validators"]``, from the store.

    An unchanged document comes to the callback as an empty response with status 304.
    """

    def process_request(self, request: Request) -> None:
        validators: Validators | None = request.meta.get("validators")
        if validators is None:
            return
        if validators.etag:
            request.headers["If-None-Match"] = validators.etag
        if validators.last_modified:
            request.headers["If-Modified-Since"] = validators.last_modified
        # without this, Scrapy hands a 304 to the errback as an error
        request.meta["handle_httpstatus_list"] = [304]


#: For ``crawler/settings.py`` and for tests: what Scrapy must and must not do around ``crawler.fetch``.
SETTINGS: Mapping[str, Any] = {
    # no reactor: the process has one asyncio loop, and the fetcher lives on it
    "TWISTED_REACTOR_ENABLED": False,
    # the guarded fetcher, and nothing else that could open a file or a socket
    "DOWNLOAD_HANDLERS": {
        "http": "crawler.fetch.GuardedDownloadHandler",
        "https": "crawler.fetch.GuardedDownloadHandler",
        "data": None,
        "file": None,
        "ftp": None,
        "s3": None,
    },
    # all of Scrapy's own: done better in crawler.fetch, or not wanted (proxies from the environment, cookies kept from
    # one request to the next, retries within milliseconds, meta refresh, passwords)
    "DOWNLOADER_MIDDLEWARES_BASE": {},
    "DOWNLOADER_MIDDLEWARES": {"crawler.middlewares.ConditionalGet": 100},
    # Scrapy's slots must not wait where crawler.hosts waits. A run has an engine of its own, so its requests take room
    # from nobody else's; within a run, dead hosts must not hold up the living ones
    "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1_000_000,
    # bounds are those of crawler.fetch.Limits; these would only say the same again, with other words
    "DOWNLOAD_MAXSIZE": 0,
    "DOWNLOAD_WARNSIZE": 0,
    # every address is normalised and bounded before it becomes a request, and seen once in the frontier: these two drop
    # requests without a callback or an errback
    "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
    "URLLENGTH_LIMIT": 0,
    # the page that a link was found on is nobody's business
    "REFERER_ENABLED": False,
    "ROBOTSTXT_OBEY": False,  # by crawler.robots, at every hop
    "RETRY_ENABLED": False,
    "REDIRECT_ENABLED": False,
    "METAREFRESH_ENABLED": False,
    "COOKIES_ENABLED": False,
    "COMPRESSION_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "HTTPCACHE_ENABLED": False,
    "AUTOTHROTTLE_ENABLED": False,
    "DOWNLOAD_VERIFY_CERTIFICATES": True,  # ours are verified in any case; nobody shall read False here
    # no listening ports
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
}
