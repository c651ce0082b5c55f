"""Conditional requests: what has not changed costs no body."""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response

from crawler.downloader.errors import NotModified

_LONGEST = 1000


class ConditionalMiddleware:
    """Sends ``meta["validators"]``, a pair (ETag, Last-Modified) of strings or None; raises NotModified on a 304."""

    def process_request(self, request: Request) -> None:
        etag, last_modified = request.meta.get("validators") or (None, None)
        for name, value in (("If-None-Match", etag), ("If-Modified-Since", last_modified)):
            if value and is_header_value(value):
                request.headers[name] = value

    def process_response(self, request: Request, response: Response) -> Response:
        is_conditional = "If-None-Match" in request.headers or "If-Modified-Since" in request.headers
        if response.status == 304 and is_conditional:
            response.request = request
            raise NotModified(response)
        return response


def is_header_value(value: str) -> bool:
    """Whether a value that a server once gave can be sent back without becoming a header of its own."""
    return value.isascii() and value.isprintable() and len(value) < _LONGEST
