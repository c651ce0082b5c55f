"""What a site says about mining and archiving, for every page of a run; reserved pages may not be asked for at all."""

from __future__ import annotations

from functools import partial

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.downloader.errors import FetchError, ShutdownError, failure_reason
from crawler.downloader.policy import policy_of
from crawler.frontier import frontier_of
from crawler.services import services_of
from crawler.shutdown import shutdown_of
from pipelines.items import Reason, Rejected, Statements
from pipelines.reading.rights import headers_of


class RightsMiddleware:
    """Puts ``Statements`` into ``meta["statements"]`` of a page's request, as far as they are known before it is asked.

    Raises FetchError (RIGHTS) where the operator wants no page that is reserved, and this one is.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RightsMiddleware:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get("kind") != "page" or frontier_of(self.crawler) is None:
            return  # nothing is stored
        services = services_of(self.crawler)
        settings, name = services.configuration.settings.rights, getattr(self.crawler.spider, "name", "")
        file = b""
        if settings.tdmrep:
            file = await shutdown_of(self.crawler).run(self._tdm_file(request))
        said = Statements(ai_crawlers_disallowed=request.meta.get("ai_crawlers_disallowed", ()), tdmrep=file)
        request.meta["statements"] = said
        policy = settings.policy(name)
        if policy.then != "do_not_fetch":
            return
        try:
            why = await shutdown_of(self.crawler).run(services.parsing.reserved(request.url, said, policy, name))
        except Rejected as rejected:
            why = f"no reader can judge what the site says: {rejected}"
        if why:
            raise FetchError(Reason.RIGHTS, why)

    async def _tdm_file(self, request: Request) -> bytes:
        policy, files = policy_of(self.crawler), services_of(self.crawler).tdm_files
        own = policy.is_own(request)
        get, trust = partial(self._get, own=own), (policy.allowed, own)
        return await shutdown_of(self.crawler).outlasting(lambda: files.of(request.url, get, trust))

    async def _get(self, url: str, own: bool) -> bytes | None:
        """The body; b"" where the site has no such file or forbids to ask; None where it cannot be had now.

        *own*: whether it is asked for a page of the source's own, as for robots.txt.
        """
        request = Request(url, meta={"kind": "other", "for_own": own}, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
        except ShutdownError:
            raise
        except Exception as error:
            failure = failure_reason(error)
            if failure.unexpected is not None:
                raise
            return None if failure.transient else b""
        return bytes(response.body)


def statements_of(response: Response) -> Statements | None:
    """What a site said about a page beside it; None where nobody asked."""
    said: Statements | None = response.meta.get("statements")
    if said is None:
        return None
    pairs = [(name, value) for name, values in headers_in(response) for value in values]
    return Statements(headers_of(pairs), said.ai_crawlers_disallowed, said.tdmrep)


def headers_in(response: Response) -> list[tuple[str, list[str]]]:
    """Names and their values. The mapping's own ``items`` looks each name up once more, as a person would spell it."""
    return [
        (name.decode("latin-1"), [value.decode("latin-1") for value in values])
        for name, values in dict.items(response.headers)
    ]
