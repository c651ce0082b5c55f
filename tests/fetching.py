"""Single requests through a real Scrapy engine, with everything a crawl has: middlewares, handler, guard, hosts."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.signals import engine_started

from crawler import settings as project
from crawler.config import Configuration, shipped_folder
from crawler.downloader.browser import Browser
from crawler.downloader.client import HttpClient
from crawler.downloader.errors import NotModified
from crawler.downloader.hosts import Hosts
from crawler.downloader.policy import FetchPolicy
from crawler.robots import Robots
from crawler.services import Derived, Services, give_services, in_hand, reader_pool
from crawler.shutdown import shutdown_of
from pipelines.urls import normalise

AGENT = "Nachlese/test (+mail@example.org)"
SCRAPY = {name: getattr(project, name) for name in dir(project) if name.isupper()} | {
    "ADDONS": {}, "USER_AGENT": AGENT, "LOG_ENABLED": False, "LOGSTATS_INTERVAL": 0, "STATS_DUMP": False,
    "CONCURRENT_REQUESTS": 1000, "REDIRECT_MAX_TIMES": 5,
}  # fmt: skip


def scrapy_settings(policy: FetchPolicy, **more: Any) -> dict[str, Any]:
    """What the addon makes of files, for a policy that no file has."""
    return SCRAPY | {
        "ALLOW_ADDRESSES": [str(one) for one in policy.allowed],
        "DOWNLOAD_DELAY": policy.delay,
        "CONCURRENT_REQUESTS_PER_DOMAIN": policy.concurrency,
        "DOWNLOAD_TIMEOUT": policy.timeout,
        "CONNECT_TIMEOUT": policy.connect,
        "ROBOTSTXT_TIMEOUT": policy.robots_timeout,
        "DOWNLOAD_MAXSIZE": policy.page,
        "DOCUMENT_MAXSIZE": policy.document,
        "HEADERS_MAXSIZE": policy.headers,
        **more,
    }


def services_on(store: Any, client: HttpClient | None = None) -> Services:
    """Services whose hosts and robots.txt are remembered in *store*; pages are not stored."""
    configuration, client = Configuration(shipped_folder()), client or HttpClient()
    return Services(
        configuration=configuration,
        hosts=Hosts(store),
        robots=Robots(store, "Nachlese"),
        http=client,
        readers=reader_pool(configuration),
        derived=Derived(configuration),
        in_hand=in_hand(configuration),
        browser=Browser(client),
    )


class Waiting(Spider):
    """Is open until it is told otherwise."""

    name = "waiting"

    async def start(self):
        await self.end.wait()
        return
        yield


class Answer(NamedTuple):
    url: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    fetched_at: datetime
    hops: list[str]


class Fetcher:
    """``get`` is one request with its redirects. One engine for each policy, as each source has its own."""

    def __init__(self, store: Any, client: HttpClient | None = None):
        self.services = services_on(store, client)
        self.crawlers: dict[str, tuple[Crawler, asyncio.Task[None], asyncio.Event]] = {}
        self.opening = asyncio.Lock()

    async def get(
        self,
        url: str,
        policy: FetchPolicy,
        kind: str = "page",
        etag: str | None = None,
        modified: str | None = None,
        **more: Any,
    ) -> Answer:
        crawler = await self._crawler(policy)
        url = normalise(url, keep_tracking=True)
        meta = {"kind": kind, "validators": (etag, modified), **more}
        try:
            response = await crawler.engine.download_async(Request(url, meta=meta, dont_filter=True))
        except NotModified as unchanged:
            response = unchanged.response
        headers = tuple((name, value) for name, values in response.headers.items() for value in values)
        fetched_at, hops = response.meta["fetched_at"], response.meta.get("redirect_urls", [])
        return Answer(response.url, response.status, headers, response.body, fetched_at, hops)

    async def stop(self, within: float = 0.0) -> None:
        for crawler, _, _ in self.crawlers.values():
            await shutdown_of(crawler).stop(within)

    async def close(self) -> None:
        await self.stop()
        for crawler, task, end in self.crawlers.values():
            end.set()
            await crawler.stop_async()
            await task
        await self.services.http.close()

    async def _crawler(self, policy: FetchPolicy) -> Crawler:
        key = repr(asdict(policy))
        async with self.opening:
            if key not in self.crawlers:
                await self._open(key, policy)
        return self.crawlers[key][0]

    async def _open(self, key: str, policy: FetchPolicy) -> None:
        spider = type("Waiting", (Waiting,), {"name": policy.source})
        crawler, end = Crawler(spider, scrapy_settings(policy)), asyncio.Event()
        give_services(crawler, self.services)
        opened = asyncio.Event()
        crawler.signals.connect(opened.set, signal=engine_started, weak=False)
        task = asyncio.create_task(crawler.crawl_async(end=end))
        self.crawlers[key] = (crawler, task, end)
        await opened.wait()
        await asyncio.sleep(0)
