"""One source's crawl or one replay, start to recorded end: what command line, scheduler and ``scrapy crawl`` all call.

    async with House.open(config.load()) as house:
        report = await crawl_source(house, "tagesschau")

A ``RunReport`` tells the truth about a run: its outcome is ``finished`` only where nothing failed, and its counts come
from the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from crawler import files
from crawler.house import House, heartbeat
from crawler.reports import RunReport, finish
from crawler.spiders.news import NewsSpider
from crawler.spiders.replay import ReplaySpider
from crawler.spiders.run import Progress, RunSpider
from pipelines.items import Page
from pipelines.store import Run

log = logging.getLogger(__name__)

#: seconds that an interrupted run waits for a database that is away; its pages are pending there, whatever comes
FAREWELL = 3.0
#: years in which a clock can be right: pages dated by a wrong one could never be stored
FIRST_YEAR, LAST_YEAR = 2025, 2150


async def crawl_source(
    house: House,
    name: str,
    slot: datetime | None = None,
    progress: Progress | None = None,
    kind: Literal["crawl", "recheck"] = "crawl",
) -> RunReport:
    """One crawl of one source. Raises ``KeyError`` where there is no such source.

    *kind* ``recheck``: no document is asked, only the pages of stored articles that are due for a look.
    """
    house.configuration.source(name)
    if not FIRST_YEAR <= datetime.now(UTC).year <= LAST_YEAR:
        said = f"the clock of this machine says {datetime.now(UTC):%Y-%m-%d}; no page can be dated by it"
        log.error("no run of %s: %s", name, said)
        return RunReport(name, kind, "failed", error=said, slot=slot)
    run = None if house.stopping else await house.begin(name, kind, slot=slot)
    if run is None:
        why = "this process is stopping" if house.stopping else "another process runs it now, or the slot is done"
        return RunReport(name, kind, "skipped", error=why, slot=slot)
    report = await crawled(house, run, NewsSpider, name=name, progress=progress)
    if report.counts.new:
        await house.learn(name)
    if not house.stopping:
        house.notifier.wake()
    return report


async def replay(
    house: House,
    paths: Sequence[Path],
    source: str | None = None,
    *,
    since: datetime | None = None,
    fetched_at: datetime | None = None,
    url: str | None = None,
    progress: Callable[..., object] | None = None,
) -> RunReport:
    """One run over stored pages: seed texts, saved HTML, WARC files, folders of them.

    *source* is who files belong to, and for our own archive whose pages are wanted. *fetched_at* is what 'heute' means
    in files; without it, the day each was last changed.
    """
    run = await house.begin(None, "replay")
    if run is None:
        return RunReport(source, "replay", "skipped", error="another replay runs now")
    pages = stored_pages(house, paths, source, since=since, fetched_at=fetched_at, url=url)
    if all((path.is_dir() and is_archive(path)) or path.name.endswith(files.WARC) for path in paths):
        house = replace(house, archive=None)  # what is in an archive is not put there again
    return await crawled(house, run, ReplaySpider, pages=pages, progress=progress)


def stored_pages(
    house: House, paths: Sequence[Path], source: str | None = None, **times: Any
) -> Iterator[Page | files.Unreadable]:
    configuration = house.configuration
    hosts = {urlsplit(one.homepage).hostname or "": one.name for one in configuration.sources.values()}
    return files.pages(
        paths,
        source=source,
        hosts=hosts,
        former=configuration.former_names,
        largest=configuration.settings.limits.page,
        **times,
    )


def is_archive(folder: Path) -> bool:
    """Whether a folder holds WARC files and no other page."""
    found = [file.name.lower().endswith(files.WARC) for file in files.files([folder])]
    return bool(found) and all(found)


async def crawled(house: House, run: Run, spider_class: type[RunSpider], **arguments: Any) -> RunReport:
    """Let a spider do a run that has begun, and end it whatever happens. Cancelled, it stops at once and says so."""
    crawler = house.runner.create_crawler(spider_class)
    crawl = house.runner.crawl(crawler, house=house, run=run, **arguments)
    await asyncio.sleep(0)  # the spider is made in the crawl's first step
    spider = crawler.spider
    if not isinstance(spider, RunSpider):
        await crawl
        raise RuntimeError("Scrapy made no spider")
    house.spiders.add(spider)
    try:
        async with heartbeat(house, run, spider.stop):
            await asyncio.shield(crawl)
    except asyncio.CancelledError:
        spider.stop("interrupted")
        house.store.hurry(FAREWELL)
        with suppress(Exception):
            await asyncio.wait([crawl], timeout=house.configuration.settings.schedule.stop_within.total_seconds())
        await finish(house, run, spider)
        raise
    except Exception as error:  # what Scrapy itself could not start ends this run, not the process
        log.exception("run of %s", run.source)
        spider.trouble = spider.trouble or f"{type(error).__name__}: {error}"
    finally:
        house.spiders.discard(spider)
    return await finish(house, run, spider)
