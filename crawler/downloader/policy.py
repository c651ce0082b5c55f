"""How one crawl's requests are made: pace, bounds and permissions, out of Scrapy's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings

from crawler.config.values import AllowedAddress, allowed_address
from pipelines.urls import host, normalise, same_site

#: what a request asks for, in ``request.meta["kind"]``; a request that does not say is "other"
Kind = Literal["page", "section", "feed", "sitemap", "robots", "other"]

#: bytes of a robots.txt that count (RFC 9309 asks for at least 500 KiB)
ROBOTS_MAXSIZE = 500 * 1024


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Bounds and pace of one source's requests, in seconds, bytes and counts.

    ``page`` and ``document`` hold after decompression as well as on the wire. ``headers`` is everything that may come
    before a body: status line, headers, 1xx answers, TLS. ``timeout`` is how long a request may be connected, all its
    redirects together. ``allowed`` are the private addresses that may be reached.
    """

    source: str
    allowed: tuple[AllowedAddress, ...] = ()
    delay: float = 1.0
    concurrency: int = 2
    timeout: float = 30.0
    connect: float = 10.0
    robots_timeout: float = 15.0
    page: int = 10_000_000
    document: int = 20_000_000
    headers: int = 64_000
    #: the source's; pages of other sites are not its own, so what they say of their time holds for this source alone
    homepage: str = ""

    @classmethod
    def from_settings(cls, settings: BaseSettings, source: str) -> FetchPolicy:
        return cls(
            source=source,
            allowed=tuple(allowed_address(text) for text in settings.getlist("ALLOW_ADDRESSES")),
            delay=settings.getfloat("DOWNLOAD_DELAY"),
            concurrency=settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"),
            timeout=settings.getfloat("DOWNLOAD_TIMEOUT"),
            connect=settings.getfloat("CONNECT_TIMEOUT"),
            robots_timeout=settings.getfloat("ROBOTSTXT_TIMEOUT"),
            page=settings.getint("DOWNLOAD_MAXSIZE"),
            document=settings.getint("DOCUMENT_MAXSIZE"),
            headers=settings.getint("HEADERS_MAXSIZE"),
            homepage=settings.get("HOMEPAGE") or "",
        )

    def is_own(self, request: Request) -> bool:
        """Whether what a host says about its time is said to this source's face: the host is the source's, or was named
        by its file, and no redirect of another host led there."""
        url, before = normalise(request.url, keep_tracking=True), request.meta.get("redirect_urls", ())
        if before and host(normalise(before[0], keep_tracking=True)) != host(url):
            return False
        if request.meta.get("kind") != "page" or not self.homepage:
            return bool(request.meta.get("for_own", True))
        return same_site(url, normalise(self.homepage))

    def maxsize(self, kind: Kind) -> int:
        """Most bytes of a body of this kind."""
        if kind == "robots":
            return ROBOTS_MAXSIZE
        return self.page if kind in ("page", "other") else self.document


def policy_of(crawler: Crawler) -> FetchPolicy:
    """That of a crawl, from the moment its settings are fixed; worked out once."""
    found = getattr(crawler, "fetch_policy", None)
    if not isinstance(found, FetchPolicy):
        assert crawler.spider is not None
        found = FetchPolicy.from_settings(crawler.settings, crawler.spider.name)
        setattr(crawler, "fetch_policy", found)  # noqa: B010  Scrapy's class does not declare it
    return found
