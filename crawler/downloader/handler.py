"""Scrapy's download handler for http and https: one hop, at its host's pace, under the guard, within bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from scrapy import Request
from scrapy.core.downloader import Downloader
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from crawler.downloader.body import ACCEPT, BodySlot
from crawler.downloader.client import HttpRequest, HttpResponse
from crawler.downloader.errors import FetchError, TurnLost
from crawler.downloader.hosts import GrantedTurn, HostInBackoff
from crawler.downloader.policy import Kind, policy_of
from crawler.middlewares.status import ASKS_FOR_TIME, wants_body
from crawler.services import services_of
from crawler.shutdown import shutdown_of
from pipelines.items import Reason
from pipelines.urls import host, normalise

#: turns that one request may take: the turn of who is connected too late is over
TURNS = 5


class UnlimitedDownloader(Downloader):
    """Scrapy's downloader without its own pace: its slots know one crawl, ``Hosts`` knows all of this process.

    DOWNLOAD_DELAY and CONCURRENT_REQUESTS_PER_DOMAIN act there, in the handler.
    """

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._delay = 0.0
        self.domain_concurrency = 1_000_000


class GuardedDownloadHandler(BaseDownloadHandler):
    """One hop of a request. Redirects come out as they are; RedirectMiddleware asks for what they name.

    Of ``request.meta``: "kind" says what is asked for (policy.Kind; "other" if it does not say), "crawl_delay" is that
    of robots.txt in seconds, "body_slot" a BodySlot for a large body, "seconds_left" what redirects before have left of
    "download_timeout", "proxy" an address. Afterwards "fetched_at" is when the response was complete.
    """

    lazy = True

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self.policy = policy_of(crawler)
        self.services = services_of(crawler)
        self.shutdown = shutdown_of(crawler)

    async def download_request(self, request: Request) -> Response:
        return await self.shutdown.run(self._at_its_turn(request))

    async def _at_its_turn(self, request: Request) -> Response:
        url = normalise(request.url, keep_tracking=True)
        hosts, place, policy, kind = self.services.hosts, host(url), self.policy, request.meta.get("kind")
        delay = max(policy.delay, float(request.meta.get("crawl_delay", 0.0)))
        is_list = kind in ("feed", "sitemap", "section", "robots")
        for _ in range(TURNS):
            try:
                async with hosts.turn(place, policy.source, delay, policy.concurrency, is_list) as turn:
                    return await self._hop(url, request, turn)
            except TurnLost:
                continue
            except HostInBackoff as error:
                error.is_behind_redirect = bool(request.meta.get("redirect_times"))
                raise
        raise FetchError(Reason.TIMEOUT, "no connection before its turn was over", transient=True)

    async def _hop(self, url: str, request: Request, turn: GrantedTurn) -> Response:
        meta, hosts = request.meta, self.services.hosts
        slot = meta.setdefault("body_slot", BodySlot())
        seconds = float(meta.get("seconds_left", meta.get("download_timeout", self.policy.timeout)))
        asked = replace(self._http_request(url, request, seconds), sent=turn.sent, may_send=turn.may_send)
        try:
            with self.shutdown.in_progress():
                answer = await self.services.http.exchange(asked, slot)
        except FetchError as error:
            slot.release()
            if error.unconnected:
                error.retry_at = await hosts.failed(host(url))
            elif error.reason is Reason.TIMEOUT:
                error.retry_at = await hosts.unanswered(host(url), self.policy.source)
            elif error.status is not None:
                hosts.answered(host(url), self.policy.source, meta.get("kind") == "page")
            error.is_offline = hosts.is_offline
            raise
        if answer.status not in ASKS_FOR_TIME:
            hosts.answered(host(url), self.policy.source, meta.get("kind") == "page")
        meta["seconds_left"] = seconds - answer.seconds
        meta["fetched_at"] = answer.fetched_at
        meta["download_latency"] = answer.seconds
        return response_of(url, answer)

    def _http_request(self, url: str, request: Request, seconds: float) -> HttpRequest:
        meta = request.meta
        kind = cast("Kind", meta.get("kind", "other"))
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in request.headers.items()
            for value in values
            # over https it is for the proxy alone; over http the proxy reads the request itself
            if name != b"Proxy-Authorization" or url.startswith("http:")
        ]
        sent = {name.lower() for name, _ in headers}
        defaults = {"accept": ACCEPT[kind], "accept-encoding": "gzip, deflate, br, zstd"}
        headers += [(name.title(), value) for name, value in defaults.items() if name not in sent]
        proxy_headers = request.headers.getlist("Proxy-Authorization")
        return HttpRequest(
            url=url,
            policy=self.policy,
            kind=kind,
            method=request.method,
            headers=tuple(headers),
            body=request.body,
            seconds=seconds,
            hops=meta.get("redirect_times", 0),
            wants_body=lambda status: wants_body(status, request, self.crawler.spider),
            proxy=meta.get("proxy"),
            proxy_headers=tuple(("Proxy-Authorization", value.decode("latin-1")) for value in proxy_headers),
        )


def response_of(url: str, answer: HttpResponse) -> Response:
    values: dict[bytes, list[bytes]] = {}
    for name, value in answer.headers:
        values.setdefault(name, []).append(value)
    headers = Headers(values)
    kind = responsetypes.from_args(headers=headers, url=url, body=answer.body[:2048])
    return kind(url, status=answer.status, headers=headers, body=answer.body)
