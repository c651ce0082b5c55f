"""robots.txt at every hop, also of redirects."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.downloader.errors import FetchError, ShutdownError
from crawler.downloader.hosts import HostRests
from crawler.downloader.policy import FetchPolicy
from crawler.robots import RobotsAnswer, Unavailable
from crawler.services import services_of
from crawler.shutdown import shutdown_of
from pipelines.items import Reason
from pipelines.urls import BadUrl, host, normalise


class RobotsMiddleware:
    """Raises Disallowed or NoRobots, or notes the site's Crawl-delay in ``meta["crawl_delay"]``.

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
        await shutdown_of(self.crawler).run(self._check(request))

    async def _check(self, request: Request) -> None:
        services = services_of(self.crawler)
        url = normalise(request.url, keep_tracking=True)
        await services.hosts.check(host(url))
        allowed = self._policy().allowed
        while True:
            try:
                request.meta["crawl_delay"] = await services.robots.check(url, self._fetch, allowed)
                return
            except ShutdownError:  # of another crawl, which had asked for the file: this one asks itself
                if shutdown_of(self.crawler).stopping:
                    raise

    def _policy(self) -> FetchPolicy:
        assert self.crawler.spider is not None
        return FetchPolicy.from_settings(self.crawler.settings, self.crawler.spider.name)

    async def _fetch(self, url: str) -> RobotsAnswer:
        """A response that counts, or Unavailable."""
        timeout = self._policy().robots_timeout
        request = Request(url, meta={"kind": "robots", "download_timeout": timeout}, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
        except FetchError as error:
            if error.reason is Reason.BLOCKED_ADDRESS and not error.hops:
                raise  # the page lies at the same address, and ends for the same reason
            if error.reason is Reason.REDIRECT_LOOP:
                return RobotsAnswer(404, b"")  # as the RFC says of a file that redirects lead nowhere near
            reason = error.reason if error.unconnected and not error.hops else Reason.ROBOTS
            raise Unavailable(error.detail, error.retry_at, reason) from error
        except HostRests as error:
            raise Unavailable(str(error), error.not_before) from error
        except BadUrl as error:
            raise Unavailable(f"it redirects, but {error}") from error
        return RobotsAnswer(response.status, response.body)
