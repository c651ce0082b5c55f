"""How one crawl's requests are made: pace, bounds and permissions, out of Scrapy's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scrapy.settings import BaseSettings

from crawler.config.values import AllowedAddress, allowed_address

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
        )

    def maxsize(self, kind: Kind) -> int:
        """Most bytes of a body of this kind."""
        if kind == "robots":
            return ROBOTS_MAXSIZE
        return self.page if kind in ("page", "other") else self.document
