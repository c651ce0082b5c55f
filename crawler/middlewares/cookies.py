"""Cookie jars: one for each request of ours, and a session for those of a spider of the user's own."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from scrapy.http.cookies import CookieJar

if TYPE_CHECKING:
    from scrapy.downloadermiddlewares.cookies import CookiesMiddleware


class _Jars(defaultdict[Any, CookieJar]):
    """Scrapy looks a jar up by ``meta["cookiejar"]``. A jar stands for itself; any other key is a session by name."""

    def __getitem__(self, key: Any) -> CookieJar:
        return key if isinstance(key, CookieJar) else super().__getitem__(key)


class RequestCookiesMiddleware:
    """Scrapy's, with a jar of its own for each request of ours (it states ``meta["kind"]``) and the redirects it meets:
    a site that sets a cookie and sends us back sees it, and no other request does.

    Requests that state no kind are a user's own: as in Scrapy they share the jar of the crawl, or the one that
    ``meta["cookiejar"] = "some name"`` keeps. ``meta["cookies_held"]`` is the jar of a request that has met one.

    Most requests never meet a cookie, and a jar costs more than the rest of this. Scrapy's own is loaded with the first
    cookie: it brings a list of all public suffixes, which takes as long as twenty pages.
    """

    def __init__(self, crawler: Crawler):
        if not crawler.settings.getbool("COOKIES_ENABLED"):
            raise NotConfigured
        self.crawler = crawler
        self._is_loaded = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RequestCookiesMiddleware:
        return cls(crawler)

    @cached_property
    def _of_scrapy(self) -> CookiesMiddleware:
        from scrapy.downloadermiddlewares.cookies import CookiesMiddleware

        made = CookiesMiddleware.from_crawler(self.crawler)
        made.jars = _Jars(CookieJar)
        self._is_loaded = True
        return made

    def process_request(self, request: Request) -> Request | Response | None:
        meta = request.meta
        if not (request.cookies or "cookiejar" in meta or (self._is_loaded and "kind" not in meta)):
            return None
        self._hold(request)
        return self._of_scrapy.process_request(request)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if "Set-Cookie" not in response.headers:
            return response
        self._hold(request)
        return self._of_scrapy.process_response(request, response)

    def _hold(self, request: Request) -> None:
        if "kind" in request.meta:
            request.meta.setdefault("cookiejar", CookieJar())
        request.meta["cookies_held"] = self._of_scrapy.jars[request.meta.get("cookiejar")]


def cookies_of(request: Request) -> frozenset[tuple[str, str | None]]:
    """Names and values in the jar of the request."""
    jar = request.meta.get("cookies_held")
    return frozenset((cookie.name, cookie.value) for cookie in jar) if isinstance(jar, CookieJar) else frozenset()


def cookies_sent(request: Request) -> frozenset[tuple[str, str | None]]:
    """Names and values that went out with the request."""
    pairs = (request.headers.get("Cookie") or b"").decode("latin-1").split("; ")
    return frozenset((name, value) for name, equals, value in (pair.partition("=") for pair in pairs) if equals)
