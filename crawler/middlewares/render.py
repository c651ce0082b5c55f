"""Pages that are built by scripts, rendered in a browser: ``[fetch] render`` of a source."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response, TextResponse

from crawler.clock import utc_now
from crawler.downloader.browser import BrowserUnavailable
from crawler.downloader.client import HttpResponse
from crawler.downloader.policy import policy_of
from crawler.services import services_of
from crawler.shutdown import shutdown_of
from pipelines.item_pipelines import InfrastructureError


class RenderMiddleware:
    """With RENDER = "browser", every HTML page of the source comes out as a browser shows it. The response before that
    has passed every other middleware."""

    def __init__(self, crawler: Crawler):
        if crawler.settings["RENDER"] != "browser":
            raise NotConfigured
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RenderMiddleware:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        is_page = request.meta.get("kind", "other") in ("page", "section", "other")
        if not is_page or response.status != 200 or not is_html(response):
            return response
        response.request = request
        return await rendered(self.crawler, response)


def is_html(response: Response) -> bool:
    media = (response.headers.get("Content-Type") or b"").partition(b";")[0].strip().lower()
    return isinstance(response, TextResponse) and media in (b"text/html", b"application/xhtml+xml", b"")


async def rendered(crawler: Crawler, response: Response) -> Response:
    """*response* as a browser shows it. Raises FetchError, ShutdownError, and InfrastructureError without a browser."""
    services, policy = services_of(crawler), policy_of(crawler)
    request = response.request
    agent = ((request.headers.get("User-Agent") if request else None) or b"").decode("latin-1")
    headers = tuple((name, value) for name, values in response.headers.items() for value in values)
    first = HttpResponse(response.status, headers, response.body, utc_now(), 0.0)
    seconds = crawler.settings.getfloat("RENDER_TIMEOUT")
    try:
        body = await shutdown_of(crawler).run(services.browser.render(response.url, first, policy, agent, seconds))
    except BrowserUnavailable as error:
        raise InfrastructureError(str(error)) from error
    result = response.replace(body=body)
    result.headers["Content-Type"] = "text/html; charset=utf-8"
    result.request = request
    result.flags.append("rendered")
    return result
