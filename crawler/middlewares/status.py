"""Which responses are none: every status but a complete 200 is a failure with a name."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.downloader.errors import FetchError
from crawler.downloader.policy import policy_of
from crawler.services import services_of
from pipelines.items import Reason
from pipelines.urls import host

#: statuses with which a host asks to be left alone for a while
ASKS_FOR_TIME = (429, 503)
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class StatusMiddleware:
    """Lets a 200 through, and what ``handle_httpstatus_list`` or ``handle_httpstatus_all`` of a request ask for.

    Of a robots.txt every status counts but 429 and 5xx (RFC 9309); a request of no kind of ours may have any 2xx.
    Everything else raises FetchError. A host that asks for time (429, 503) is left alone by every crawl of the process.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StatusMiddleware:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        error = refusal(response.status, request.meta.get("kind", "other"))
        if error is None or is_handled(response.status, request, self.crawler.spider):
            return response
        error.hops = request.meta.get("redirect_times", 0)
        if response.status in ASKS_FOR_TIME:
            error.retry_at = await self._asked_to_wait(request, response)
        raise error

    async def _asked_to_wait(self, request: Request, response: Response) -> datetime | None:
        header = response.headers.get("Retry-After")
        value = header.decode("latin-1") if header else None
        policy, is_page = policy_of(self.crawler), request.meta.get("kind") == "page"
        return await services_of(self.crawler).hosts.asked_to_wait(
            host(request.url), response.status, value, policy.source, is_page, policy.is_own(request)
        )


def refusal(status: int, kind: str) -> FetchError | None:
    """Why a response with this status is none, or None."""
    if status == 200 or (kind == "robots" and status < 500 and status != 429) or (kind == "other" and status < 300):
        return None
    said = f"{status} {_phrase(status)}".strip()
    if status in (404, 410):
        return FetchError(Reason.GONE, f"the server answered {said}", status=status)
    # 403 comes from firewalls in a bad mood as often as from a closed door, so it is asked again like a server error
    again = status >= 500 or status in (304, 403, 408, 421, 423, 425, 429)
    return FetchError(Reason.HTTP_ERROR, f"the server answered {said}", transient=again, status=status)


def is_handled(status: int, request: Request, spider: Spider | None) -> bool:
    """Whether the caller takes this status as it is: the two keys that every Scrapy user knows."""
    if request.meta.get("handle_httpstatus_all", False):
        return True
    return status in request.meta.get("handle_httpstatus_list", getattr(spider, "handle_httpstatus_list", ()))


def wants_body(status: int, request: Request, spider: Spider | None) -> bool:
    """Whether the body of a response with this status is read. That of a failure would be bytes for nobody."""
    kind = request.meta.get("kind", "other")
    return status == 200 or (kind == "other" and status < 300) or is_handled(status, request, spider)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
