"""Scrapy's end of the fetcher: one request in, one response or one exception out.

There are no downloader middlewares: they see only the first address of a request, while robots.txt, the pace of hosts,
redirects, cookies and compression matter at every address it leads to. All that is in ``crawler.fetch``.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes


class GuardedDownloadHandler(BaseDownloadHandler):
    """For http and https. The spider has the process's fetcher as ``house.fetcher`` and its source's ``manners``.

    Of a request, ``meta["kind"]`` says what it asks for (fetch.KINDS; "page" if it does not say), and the headers
    If-None-Match and If-Modified-Since make it conditional; its other headers are not sent. ``meta["room"]`` is a
    ``fetch.Room`` for a large body. The callback gets a
    complete 200 or, to a conditional request, a 304; the errback gets everything else, for fetch.failure_reason.

    The response has the address after redirects, decompressed bytes, and the headers without those about compression.
    ``meta["fetched_at"]`` is when it was complete, ``meta["hops"]`` which redirects led there, and
    ``meta["unencrypted"]`` whether they led from https to http.
    """

    lazy = True

    async def download_request(self, request: Request) -> Response:
        spider = self.crawler.spider
        answer = await spider.house.fetcher.get(
            request.url,
            spider.manners,
            request.meta.get("kind", "page"),
            _text(request.headers.get("If-None-Match")),
            _text(request.headers.get("If-Modified-Since")),
            request.meta.get("room"),
        )
        request.meta.update(hops=answer.hops, unencrypted=answer.unencrypted, fetched_at=answer.fetched_at)
        headers = Headers()
        for name, value in answer.headers:
            headers.appendlist(name, value)
        kind = responsetypes.from_args(headers=headers, url=answer.url, body=answer.body[:2048])
        return kind(answer.url, status=answer.status, headers=headers, body=answer.body)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
