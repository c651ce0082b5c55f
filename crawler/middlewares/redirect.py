"""Redirects: every hop is a request of its own that passes every middleware, robots.txt and the guard included."""

from __future__ import annotations

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware as ScrapyRedirectMiddleware
from scrapy.http import Response

from crawler.downloader.errors import FetchError
from crawler.middlewares.cookies import cookies_of, cookies_sent
from crawler.middlewares.status import REDIRECTS, is_handled
from pipelines.items import Reason
from pipelines.urls import BadUrl, normalise

#: what hops hand on in ``request.meta``
OF_ONE_CHAIN = ("asked_before", "seconds_left")


class RedirectMiddleware(ScrapyRedirectMiddleware):
    """Scrapy's, with our spelling of addresses, and with a failure that has a name where Scrapy drops the request.

    A redirect back to an address that was asked for is a loop, unless it has set a cookie since: there are such sites.
    """

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        is_followed = response.status in REDIRECTS and not request.meta.get("dont_redirect", False)
        if not is_followed or is_handled(response.status, request, self.crawler.spider):
            for one in OF_ONE_CHAIN:  # a spider may give this meta to its next request
                request.meta.pop(one, None)
            return response
        url = self.location(request, response)
        asked = request.meta.get("asked_before", frozenset({(request.url, cookies_sent(request))}))
        question = (url, cookies_of(request))
        if question in asked:
            raise failed(Reason.REDIRECT_LOOP, "redirects lead back to where they came from", request, response)
        if request.meta.get("redirect_times", 0) >= self.max_redirect_times:
            said = f"more than {self.max_redirect_times} redirects"
            raise failed(Reason.REDIRECT_LOOP, said, request, response)
        if request.method not in ("GET", "HEAD") and response.status in (301, 302, 303):
            redirected = self._redirect_request_using_get(request, response, url)
        else:
            redirected = self._build_redirect_request(request, response, url=url)
        redirected.meta["asked_before"] = asked | {question}
        return self._redirect(redirected, request, response.status)

    def location(self, request: Request, response: Response) -> str:
        """Where a redirect leads, or FetchError."""
        # bytes beyond ASCII mean themselves, in whatever charset the server thinks
        raw = (response.headers.get("Location") or b"").strip()
        location = "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in raw)
        if not location:
            said = f"a redirect ({response.status}) that names no address"
            raise failed(Reason.HTTP_ERROR, said, request, response)
        try:
            return normalise(location, request.url, keep_tracking=True)
        except BadUrl as error:
            raise failed(Reason.BAD_URL, f"a redirect leads nowhere: {error}", request, response) from None

    def handle_referer(self, request: Request, response: Response) -> None:
        """We say to nobody where we come from."""
        request.headers.pop("Referer", None)

    def _engine_started(self) -> None:
        """Scrapy looks for its RefererMiddleware here and warns where there is none."""


def failed(reason: Reason, detail: str, request: Request, response: Response) -> FetchError:
    hops = request.meta.get("redirect_times", 0)
    return FetchError(reason, detail, status=response.status, hops=hops)
