"""One source's crawl or one replay, start to recorded end: what command line and scheduler call.

    async with open_services(config.load()) as services:
        report = await crawl_source(services, "tagesschau")

A ``RunReport`` tells the truth about a run: its outcome is ``finished`` only where nothing failed, and its counts come
from the database. ``scrapy crawl NAME`` takes the same way without this file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import copy, deepcopy
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings, Settings, SettingsAttribute

from crawler import files
from crawler.addon import add_to_path, early_settings
from crawler.config import ConfigError
from crawler.extensions.run import Assignment, run_extension
from crawler.frontier import Progress
from crawler.logs import crawl_known
from crawler.reports import RunReport
from crawler.services import Services, give_services
from crawler.spiderloader import SourceLoader
from crawler.spiders.base import RunSpider
from crawler.spiders.replay import ReplaySpider
from pipelines.items import Page

log = logging.getLogger(__name__)

#: seconds that an interrupted run waits for a database that is away; its pages are pending there, whatever comes
SHUTDOWN_GRACE = 3.0


async def crawl_source(
    services: Services,
    name: str,
    slot: datetime | None = None,
    progress: Progress | None = None,
    kind: Literal["crawl", "recheck"] = "crawl",
    takes_over: int | None = None,
) -> RunReport:
    """One crawl of one source. Raises ``KeyError`` where there is no such source.

    *takes_over*: the run of a process that died or was stopped, with whose work this one goes on.
    *kind* ``recheck``: no document is asked, only the pages of stored articles that are due for a look.
    """
    services.configuration.source(name)
    if services.stopping:
        return RunReport(name, kind, "skipped", error="this process is stopping", slot=slot)
    settings, known = scrapy_settings(services), services.derived.spiders
    if not known:
        loader = SourceLoader(settings, services.configuration)
        known.update({one: loader.load(one) for one in services.configuration.sources})
    return await crawled(services, settings, known[name], Assignment(slot, progress, kind, takes_over))


async def replay(
    services: Services,
    paths: Iterable[Path],
    source: str | None = None,
    *,
    since: datetime | None = None,
    fetched_at: datetime | None = None,
    url: str | None = None,
    progress: Progress | None = None,
    of_archive: bool = False,
) -> RunReport:
    """One run over stored pages: seed texts, saved HTML, WARC files, folders of them.

    *source* is who files belong to, and for our own archive whose pages are wanted. *fetched_at* is what 'heute' means
    in files; without it, the day each was last changed. *of_archive*: all of it comes out of an archive.
    """
    if not of_archive:
        paths = list(paths)
        of_archive = all((path.is_dir() and is_archive(path)) or path.name.endswith(files.WARC) for path in paths)
    pages = stored_pages(services, paths, source, since=since, fetched_at=fetched_at, url=url)
    return await replay_stored(services, pages, progress, is_archived=of_archive)


async def replay_stored(
    services: Services,
    pages: Iterator[Any],
    progress: Progress | None = None,
    is_archived: bool = True,
    kind: Literal["replay", "backfill"] = "replay",
    batch_file: int | None = None,
) -> RunReport:
    """One run over *pages* as ReplaySpider takes them. What is in an archive is not put there again.

    *batch_file*: the file of a batch that they come from.
    """
    if is_archived:
        services = replace(services, archive=None)
    spider = type("ReplaySpider", (ReplaySpider,), {"name": kind, "configuration": services.configuration})
    assignment = Assignment(None, progress, kind, batch_file=batch_file)
    return await crawled(services, scrapy_settings(services), spider, assignment, stored=pages)


def stored_pages(
    services: Services, paths: Iterable[Path], source: str | None = None, **times: Any
) -> Iterator[Page | files.Unreadable]:
    configuration = services.configuration
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


class RunSettings(Settings):
    """Settings that are copied for each run. Scrapy copies every value deeply, which took a third of a poll."""

    def copy(self) -> RunSettings:
        return _copied(self)


#: types of values that need no copy
UNCHANGEABLE = frozenset({str, int, float, bool, NoneType})
Copied = TypeVar("Copied", bound=BaseSettings)


def _copied(settings: Copied) -> Copied:
    """The same values and priorities; what can be changed in place is copied, numbers and texts cannot."""
    new = copy(settings)
    new.attributes = {}
    for name, attribute in settings.attributes.items():
        value = attribute.value
        if type(value) not in UNCHANGEABLE and not isinstance(value, type):
            value = _copied(value) if isinstance(value, BaseSettings) else deepcopy(value)
        # not by its __init__, which looks whether the value is some settings: for hundreds of values that takes a while
        new.attributes[name] = own = object.__new__(SettingsAttribute)
        own.value, own.priority = value, attribute.priority
    return new


def scrapy_settings(services: Services) -> Settings:
    """Settings of a crawl that is one of many in this process: its log is ours, and nothing is said every minute.

    Made once for a configuration; each crawl has its copy.
    """
    if services.derived.settings is None:
        services.derived.settings = _scrapy_settings(services)
    return services.derived.settings


def _scrapy_settings(services: Services) -> Settings:
    settings = RunSettings()
    settings.setmodule("crawler.settings", priority="project")
    quiet = {"LOGSTATS_INTERVAL": 0, "STATS_DUMP": False, "LOG_ENABLED": False}
    settings.setdict(quiet, priority="command")
    add_to_path(services.configuration.folder)
    settings.setdict(early_settings(services.configuration, settings), priority="project")
    return settings


async def crawled(
    services: Services, settings: Settings, spider: type[Spider], assignment: Assignment, **arguments: Any
) -> RunReport:
    """Let a spider do a run, and end it whatever happens. Cancelled, it stops at once and says so."""
    crawler = Crawler(spider, settings)
    give_services(crawler, services)
    setattr(crawler, "assignment", assignment)  # noqa: B010  Scrapy's class does not declare it
    services.crawlers.add(crawler)
    with crawl_known(source=spider.name if assignment.kind in ("crawl", "recheck") else None):
        crawl = asyncio.ensure_future(crawler.crawl_async(**arguments))
    try:
        await asyncio.shield(crawl)
    except asyncio.CancelledError:
        await interrupted(services, crawler, crawl)
        raise
    except Exception as error:  # what Scrapy itself could not start ends this run, not the process
        log.exception("run of %s", spider.name)
        said = "; ".join(map(str, error.mistakes)) if isinstance(error, ConfigError) else one_line(error)
        return RunReport(spider.name, assignment.kind, "failed", error=said, slot=assignment.slot)
    finally:
        services.crawlers.discard(crawler)
    report = run_extension(crawler).report
    if report is None:
        raise RuntimeError(f"the run of {spider.name} has no end")
    return report


def one_line(error: Exception) -> str:
    return f"internal error: {type(error).__name__}: {error}".split("\n", 1)[0]


async def interrupted(services: Services, crawler: Crawler, crawl: asyncio.Future[None]) -> None:
    """End a run at once; its end is waited for and recorded."""
    with suppress(Exception):
        run_extension(crawler).stop("interrupted")
        services.store.shorten_deadline(SHUTDOWN_GRACE)
        await asyncio.wait([crawl], timeout=services.configuration.settings.schedule.stop_within.total_seconds())


async def stop_all(services: Services, why: str, within: float) -> None:
    """End all runs of this process: what is in flight gets *within* seconds, everything else stays pending."""
    services.begin_stop()
    services.store.shorten_deadline(within)
    for crawler in list(services.crawlers):
        with suppress(RuntimeError):  # it has not begun
            run_extension(crawler).stop(why, within)


def look_again(services: Services, source: str) -> bool:
    """The run of *source* asks for its feeds, sitemaps and section pages again; False where it does not any more."""
    spiders = [crawler.spider for crawler in services.crawlers if crawler.spider is not None]
    return any(isinstance(spider, RunSpider) and spider.name == source and spider.look() for spider in spiders)
