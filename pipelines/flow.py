"""A fetched page's way to its end: archive, read, keep. Three steps, and a thin Scrapy item pipeline for each.

The end is recorded here, in the database, and not in Scrapy's item statistics: whatever goes wrong with a page, it ends
with a reason or stays pending and comes again. The steps, for one page:

- *archive* writes it to the WARC file, before anything can go wrong with it;
- *read* makes an article of it in a reader process, or records why it is none;
- *keep* stores the article: new, a new version, unchanged, or a copy.

Trouble of the machine (a full disk, no database, no reader process) is not the page's fault and would meet the next
page too: it raises ``MachineTrouble``, the run stops, and all its pages stay pending.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pipelines.archive import Archive
from pipelines.database import DatabaseError
from pipelines.items import Article, Page, Reason, Rejected
from pipelines.reading.rules import Rules
from pipelines.store import Archived, Ending, Run, Store
from pipelines.workers import ReaderPool, ReadersUnavailable

log = logging.getLogger(__name__)


class MachineTrouble(Exception):
    """What keeps this machine from ending any page now. The message is for a person."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page on its way, with what is known beside it. This is the item that a spider yields.

    ``headers`` are the response's, for the archive; ``ms`` is how long the fetch took. ``archived`` is set from the
    start where the page comes out of the archive. A step that has found the page's end sets ``ending``, one that met
    trouble of the machine sets ``trouble``, and the later steps let it pass.
    """

    page: Page
    run: Run
    rules: Rules
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    ms: int | None = None
    archived: Archived | None = None
    article: Article | None = None
    ending: Ending | None = None
    trouble: str | None = None

    @property
    def is_over(self) -> bool:
        """Nothing more is to be done for this page in this run."""
        return self.ending is not None or self.trouble is not None

    @property
    def url(self) -> str:
        """The address that discovery accepted: under this one the page is pending."""
        return self.page.asked_url or self.page.url

    def __repr__(self) -> str:  # Scrapy writes items into its log; nobody wants the body there
        return f"<Fetched {self.url!r} {self.ending.kind if self.ending else 'on its way'}>"


async def archive(fetched: Fetched, to: Archive | None) -> Fetched:
    """Write the page to the archive, unless it came from there or there is none. MachineTrouble: the disk is full."""
    if to is None or fetched.archived or fetched.is_over:
        return fetched
    try:
        return replace(fetched, archived=to.keep(fetched.page, fetched.headers))
    except OSError as error:
        raise MachineTrouble(f"the archive in {to.folder} cannot be written: {error.strerror or error}") from error


async def read(fetched: Fetched, readers: ReaderPool, store: Store) -> Fetched:
    """Read the page, or end it as rejected. Raises MachineTrouble where there is no reader or no database."""
    if fetched.is_over:
        return fetched
    try:
        return replace(fetched, article=await readers.read(fetched.page, fetched.rules))
    except Rejected as rejected:
        return replace(fetched, ending=await reject(fetched, rejected, store))
    except ReadersUnavailable as error:
        raise MachineTrouble(str(error)) from error


async def keep(fetched: Fetched, store: Store) -> Fetched:
    """Store the article; one that cannot be stored ends as rejected. MachineTrouble: there is no database."""
    if fetched.is_over or fetched.article is None:
        return fetched
    try:
        ending = await store.keep(
            fetched.run,
            fetched.page,
            fetched.article,
            fetched.archived,
            etag=fetched.etag,
            last_modified=fetched.last_modified,
            ms=fetched.ms,
        )
    except Rejected as rejected:
        ending = await reject(fetched, rejected, store)
    except DatabaseError as error:
        raise MachineTrouble(str(error)) from error
    return replace(fetched, ending=ending)


async def reject(fetched: Fetched, rejected: Rejected, store: Store) -> Ending:
    """Record why the page is no article."""
    try:
        return await store.reject(
            fetched.run,
            fetched.url,
            rejected.reason,
            rejected.detail,
            fetched.page.status,
            source=fetched.page.source,
            fetched_at=fetched.page.fetched_at,
            archived=fetched.archived,
            ms=fetched.ms,
            size=len(fetched.page.body),
        )
    except DatabaseError as error:
        raise MachineTrouble(str(error)) from error


async def postpone(fetched: Fetched, error: Exception, store: Store) -> Fetched:
    """A mistake of ours met the page. It stays pending, with one attempt more, so that it does not come for ever."""
    said = f"{type(error).__name__}: {error}".split("\n", 1)[0][:200]
    log.error("%s stays pending: %s", fetched.url, said, exc_info=error)
    return replace(fetched, ending=await store.postpone(fetched.run, fetched.url, Reason.UNSTORABLE, said))


async def through(fetched: Fetched, to: Archive | None, readers: ReaderPool, store: Store) -> Fetched:
    """All three steps, for whoever has a page and no Scrapy. The result has its ``ending``."""
    try:
        return await keep(await read(await archive(fetched, to), readers, store), store)
    except MachineTrouble:
        raise
    except Exception as error:  # noqa: BLE001  a page is never lost: it is postponed, and the mistake is logged in full
        return await postpone(fetched, error, store)


# --------------------------------------------------------------------------------------------- for Scrapy's pipelines


class House(Protocol):
    """What the steps need of a process: crawler/house.py opens it and gives it to its spiders."""

    archive: Archive | None
    readers: ReaderPool
    store: Store


class _Step:
    """One step as a Scrapy item pipeline. The spider carries the ``house``.

    On MachineTrouble the item comes out without an ending, and the message is the statistic ``nachlese/trouble``: the
    spider sees both and stops.
    """

    def __init__(self, crawler: Any):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> _Step:
        return cls(crawler)

    async def process_item(self, item: Fetched) -> Fetched:
        house: House = self.crawler.spider.house
        try:
            return await self.step(item, house)
        except MachineTrouble as trouble:
            return self.noted(item, str(trouble))
        except Exception as error:  # noqa: BLE001  as in `through`
            try:
                return await postpone(item, error, house.store)
            except DatabaseError as away:
                return self.noted(item, str(away))

    async def step(self, item: Fetched, house: House) -> Fetched:
        raise NotImplementedError

    def noted(self, item: Fetched, trouble: str) -> Fetched:
        """Said once for a run: the other pages in flight meet the same trouble."""
        if self.crawler.stats.get_value("nachlese/trouble") is None:
            self.crawler.stats.set_value("nachlese/trouble", trouble)
            log.error("this run cannot go on: %s", trouble)
        return replace(item, trouble=trouble)


class ArchivePipeline(_Step):
    async def step(self, item: Fetched, house: House) -> Fetched:
        return await archive(item, house.archive)


class ReadPipeline(_Step):
    async def step(self, item: Fetched, house: House) -> Fetched:
        return await read(item, house.readers, house.store)


class KeepPipeline(_Step):
    async def step(self, item: Fetched, house: House) -> Fetched:
        return await keep(item, house.store)
