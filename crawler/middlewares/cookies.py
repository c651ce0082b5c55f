"""A cookie jar a request: a site that sets a cookie and sends us back sees it, and no other request does."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http import Response
from scrapy.http.cookies import CookieJar


class _Jars(defaultdict[Any, CookieJar]):
    """Scrapy looks a jar up by ``meta["cookiejar"]``. A jar stands for itself; any other key is a session by name."""

    def __getitem__(self, key: Any) -> CookieJar:
        return key if isinstance(key, CookieJar) else super().__getitem__(key)


class RequestCookiesMiddleware(CookiesMiddleware):
    """Scrapy's, with a jar of its own for each request and the redirects it meets.

    ``meta["cookiejar"] = "some name"`` keeps a jar over requests, as in Scrapy.
    """

    def __init__(self, debug: bool = False):
        super().__init__(debug)
        self.jars = _Jars(CookieJar)

    def process_request(self, request: Request) -> Request | Response | None:  # type: ignore[override]
        if request.cookies:
            request.meta.setdefault("cookiejar", CookieJar())
        # most requests never meet a cookie, and a jar costs more than the rest of this
        if "cookiejar" in request.meta:
            return super().process_request(request)
        return None

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        if "Set-Cookie" in response.headers:
            request.meta.setdefault("cookiejar", CookieJar())
            return super().process_response(request, response)
        return response


def cookies_of(request: Request) -> frozenset[tuple[str, str | None]]:
    """Names and values in the request's own jar."""
    jar = request.meta.get("cookiejar")
    return frozenset((cookie.name, cookie.value) for cookie in jar) if isinstance(jar, CookieJar) else frozenset()


def cookies_sent(request: Request) -> frozenset[tuple[str, str | None]]:
    """Names and values that went out with the request."""
    pairs = (request.headers.get("Cookie") or b"").decode("latin-1").split("; ")
    return frozenset((name, value) for name, equals, value in (pair.partition("=") for pair in pairs) if equals)
