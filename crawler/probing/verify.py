"""Each source looked at once on the real network: its documents, and a few of their articles, read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from scrapy.http import Response

from crawler.config import Configuration, Source
from crawler.discovery import Kind
from crawler.downloader.errors import failure_reason
from crawler.services import Services
from crawler.single_fetch import Look, fetched, look_of, looking, page_of
from pipelines import urls
from pipelines.items import Rejected
from pipelines.workers import ReadersUnavailable

#: articles that are asked for of each source, and sources that are looked at together
ARTICLES, AT_ONCE = 3, 8


@dataclass(frozen=True)
class Verdict:
    """One source. ``trouble``: a sentence for each document and page that is not as it should be."""

    source: str
    documents: int
    documents_well: int
    links: int
    asked: int
    read: int
    titles: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether the file delivers: links and, of the pages asked for, at least one article and most of them."""
        return self.links > 0 and self.read > 0 and self.read * 2 >= self.asked


async def verify(configuration: Configuration, names: Sequence[str]) -> AsyncIterator[Verdict]:
    """A verdict for each source, as they come. One that cannot be looked at gets its sentence, and the rest goes on."""
    async with looking(configuration) as services:
        free = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> Verdict:
            async with free:
                return await verdict_of(services, configuration.sources[name])

        tasks = [asyncio.ensure_future(one(name)) for name in names]
        try:
            for done in asyncio.as_completed(tasks):
                yield await done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def verdict_of(services: Services, source: Source) -> Verdict:
    discover = source.discover
    places = (("feed", discover.feeds), ("sitemap", discover.sitemaps), ("section", discover.sections))
    looks = await looks_at(services, source, [(kind, url) for kind, named in places for url in named])
    links: dict[bytes, str] = {}
    trouble = [f"{look.kind} {look.url}: {look.error}" for look in looks if look.error]
    for turn in range(ARTICLES):  # the first links of each document in turn
        for look in looks:
            if turn < len(look.links) and not look.is_index:
                links.setdefault(urls.url_key(urls.normalise(look.links[turn])), look.links[turn])
    total = len({link for look in looks if not look.is_index for link in look.links})
    titles, failed = await read_some(services, source, list(links.values())[:ARTICLES])
    return Verdict(
        source.name,
        documents=sum(map(len, (discover.feeds, discover.sitemaps, discover.sections))),
        documents_well=sum(1 for look in looks if not look.error and not look.is_part),
        links=total,
        asked=len(titles) + len(failed),
        read=len(titles),
        titles=tuple(titles),
        trouble=(*trouble, *failed),
    )


@dataclass(frozen=True)
class SeenDocument:
    """A look, and whether it was at an index (whose links are sitemaps) or at a sitemap that an index names."""

    look: Look
    is_index: bool = False
    is_part: bool = False

    @property
    def links(self) -> tuple[str, ...]:
        return self.look.links

    @property
    def error(self) -> str | None:
        return self.look.error

    @property
    def kind(self) -> str:
        return self.look.kind

    @property
    def url(self) -> str:
        return self.look.url


async def looks_at(services: Services, source: Source, wanted: list[tuple[str, str]]) -> list[SeenDocument]:
    """One look at each document, and at the first sitemap of each index."""
    found = [SeenDocument(look) async for look in _looks(services, source, wanted)]
    indexes = [one for one in found if one.kind == "sitemap" and one.look.names_sitemaps]
    first = list(dict.fromkeys(("sitemap", one.links[0]) for one in indexes))
    parts = [SeenDocument(look, is_part=True) async for look in _looks(services, source, first)]
    return [replace(one, is_index=one in indexes) for one in found] + parts


async def _looks(services: Services, source: Source, wanted: list[tuple[str, str]]) -> AsyncIterator[Look]:
    if not wanted:
        return
    async for kind, url, result in fetched(services, source, wanted):
        yield await look_of(services, source, cast("Kind", kind), url, result)


async def read_some(services: Services, source: Source, links: list[str]) -> tuple[list[str], list[str]]:
    """The titles of the pages that are articles, and a sentence for each that is none."""
    titles, failed = [], []
    if not links:
        return [], []
    rules = services.derived.rules(source.name)
    async for _, url, result in fetched(services, source, [("page", link) for link in links]):
        if isinstance(result, ReadersUnavailable):
            raise result
        if not isinstance(result, Response):
            failed.append(f"{url}: {failure_reason(result).detail}")
            continue
        try:
            titles.append((await services.readers.read(page_of(result, source.name), rules)).title)
        except Rejected as rejected:
            failed.append(f"{url}: {rejected}")
    return titles, failed
