"""One request outside a crawl: for ``nachlese read URL`` and ``nachlese sources check --fetch``.

Guard, robots.txt, bounds and pace are those of every request of ours; only nothing is remembered, so that no database
is needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import urlsplit

from crawler.config import Configuration, Settings, Source
from crawler.discovery.documents import DiscoveryError, read_document
from crawler.discovery.links import Taking
from crawler.downloader.hosts import Hosts
from crawler.fetch import Answer, Fetcher, Limits, Manners, failure_reason
from crawler.robots import Robots
from pipelines.items import Page, Rejected
from pipelines.store.shapes import HostState


def user_agent(settings: Settings) -> str:
    """What site owners see: the configured text, or our name, version and contact."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    return settings.user_agent or f"Nachlese/{version('nachlese')}{contact}"


class Forgetful:
    """The memory of a process that ends with its one request."""

    async def host_state(self, host: str) -> HostState | None:
        return None

    async def keep_host_state(self, state: HostState) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Look:
    """What a discovery document offers now: ``links`` to articles, or why there are none (``error``)."""

    source: str
    kind: str
    url: str
    links: tuple[str, ...] = ()
    error: str | None = None


@asynccontextmanager
async def asking(configured: Configuration) -> AsyncIterator[Fetcher]:
    """A fetcher with the bounds of settings.toml."""
    limits, politeness = configured.settings.limits, configured.settings.politeness
    memory = Forgetful()
    agent = user_agent(configured.settings)
    fetcher = Fetcher(
        Hosts(memory, politeness.longest_retry_after, politeness.jitter),
        Robots(memory, "nachlese"),
        agent,
        Limits(limits.page, limits.document, limits.headers, limits.redirects),
    )
    try:
        yield fetcher
    finally:
        await fetcher.close()


def manners(source: Source | None, configured: Configuration) -> Manners:
    """How this source's hosts are asked; without a source, as settings.toml says, and only on the public internet."""
    if source is None:
        return Manners("", timeout=configured.settings.limits.timeout)
    return Manners(source.name, tuple(source.fetch.allow_addresses), source.delay, source.concurrency, source.timeout)


def source_of(url: str, configured: Configuration) -> Source | None:
    """The source whose homepage has the host and port of *url*."""
    place = urlsplit(url).netloc.lower()
    return next((one for one in configured.sources.values() if urlsplit(one.homepage).netloc.lower() == place), None)


async def page(url: str, name: str | None, configured: Configuration) -> Page:
    """The page at *url*, fetched now. Raises Rejected with the reason that a crawl would record."""
    source = configured.sources[name] if name else source_of(url, configured)
    async with asking(configured) as fetcher:
        answer = await _answer(fetcher, url, source, configured, "page")
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in answer.headers}
    return Page(
        answer.url,
        source.name if source else "replay",
        answer.body,
        answer.fetched_at,
        headers.get("content-type", "text/html"),
        answer.status,
        url,
    )


async def looks(configured: Configuration, names: Sequence[str]) -> AsyncIterator[Look]:
    """One look at each feed, sitemap and section page of these sources, one after the other."""
    async with asking(configured) as fetcher:
        for name in names:
            source = configured.sources[name]
            for kind in ("feed", "sitemap", "section"):
                for url in getattr(source.discover, f"{kind}s"):
                    yield await _look(fetcher, source, configured, kind, url)


async def _look(fetcher: Fetcher, source: Source, configured: Configuration, kind: str, url: str) -> Look:
    """Sitemaps that an index names are counted, not opened."""
    try:
        answer = await _answer(fetcher, url, source, configured, kind)
        taking = Taking.of(source, datetime.now(UTC), configured.settings.limits.sitemaps)
        types = [value.decode("latin-1") for key, value in answer.headers if key.lower() == b"content-type"]
        found = read_document(kind, answer.body, types[0] if types else "", answer.url, taking)
    except (Rejected, DiscoveryError) as error:
        return Look(source.name, kind, url, error=str(error))
    if not found.links and not found.sitemaps:
        return Look(source.name, kind, url, error="it names no article")
    return Look(source.name, kind, url, tuple(link.url for link in found.links) or found.sitemaps)


async def _answer(fetcher: Fetcher, url: str, source: Source | None, configured: Configuration, kind: str) -> Answer:
    try:
        return await fetcher.get(url, manners(source, configured), kind)
    except Exception as error:
        failure = failure_reason(error)
        raise Rejected(failure.reason, failure.detail) from error
