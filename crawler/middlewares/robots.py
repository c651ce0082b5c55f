"""robots.txt at every hop, also of redirects."""

from __future__ import annotations

from functools import partial

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.downloader.errors import FetchError
from crawler.downloader.hosts import HostInBackoff
from crawler.downloader.policy import policy_of
from crawler.robots import RobotsAnswer, RobotsFetchError, RobotsUnavailable
from crawler.services import services_of
from crawler.shutdown import shutdown_of
from pipelines.items import Reason
from pipelines.urls import BadUrl, host, normalise


class RobotsMiddleware:
    """Raises Disallowed or RobotsUnavailable, or notes the site's Crawl-delay in ``meta["crawl_delay"]`` and whom else
    it keeps out in ``meta["ai_crawlers_disallowed"]``.

    The file itself is asked for through the engine, so that guard, redirects and bounds are those of any request.
    """

    def __init__(self, crawler: Crawler):
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get("kind") == "robots":
            return
        try:
            await shutdown_of(self.crawler).run(self._check(request))
        except (HostInBackoff, RobotsUnavailable) as error:
            error.is_behind_redirect = bool(request.meta.get("redirect_times"))
            raise

    async def _check(self, request: Request) -> None:
        services = services_of(self.crawler)
        url = normalise(request.url, keep_tracking=True)
        policy = policy_of(self.crawler)
        await services.hosts.check(host(url), policy.source)
        own = policy.is_own(request)
        fetch = partial(self._fetch, own=own)
        trust = (policy.allowed, own)
        judgement = await shutdown_of(self.crawler).outlasting(
            lambda: services.robots.judgement(url, fetch, trust, policy.source)
        )
        request.meta["crawl_delay"] = judgement.delay or 0.0
        request.meta["ai_crawlers_disallowed"] = judgement.ai_crawlers_disallowed

    async def _fetch(self, url: str, own: bool) -> RobotsAnswer:
        """A response that counts. *own*: asked for a page of the source's own. Raises RobotsFetchError."""
        meta = {"kind": "robots", "download_timeout": policy_of(self.crawler).robots_timeout, "for_own": own}
        request = Request(url, meta=meta, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
        except FetchError as error:
            if error.reason is Reason.BLOCKED_ADDRESS and not error.hops:
                raise  # the page lies at the same address, and ends for the same reason
            if error.reason is Reason.REDIRECT_LOOP:
                return RobotsAnswer(404, b"")  # as the RFC says of a file that redirects lead nowhere near
            is_away = error.unconnected and not error.hops and not error.is_offline
            reason = error.reason if is_away else Reason.ROBOTS
            raise RobotsFetchError(error.detail, error.retry_at, reason) from error
        except HostInBackoff as error:
            raise RobotsFetchError(str(error), error.retry_at) from error
        except BadUrl as error:
            raise RobotsFetchError(f"it redirects, but {error}") from error
        return RobotsAnswer(response.status, response.body)
