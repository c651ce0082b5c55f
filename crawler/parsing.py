"""What strangers wrote is understood in reader processes: feeds, sitemaps, section pages, robots.txt, further pages.

None of it is parsed, matched or searched in the main process, however small it is: a feed of 19 kB can keep a pattern
busy for seconds, and meanwhile no other source would be served. A reader has a limit of time and memory for each
question, and the source that asked is the one that waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crawler.archive_lists import CaptureList, FileList
from crawler.discovery import DiscoveryError, DiscoveryFailure, DiscoveryResult, Kind
from crawler.discovery.links import LinkFilter
from crawler.probing.models import Subscriptions, Survey
from crawler.robots_txt import Judgement
from pipelines.items import Part, Reason, Rejected, Statements
from pipelines.reading.rules import RightsPolicy, Rules
from pipelines.workers import ReaderPool, Task

LOOKING: Task[DiscoveryResult | DiscoveryFailure] = Task("crawler.discovery:look", DiscoveryResult | DiscoveryFailure)
NEXT_PAGE: Task[str] = Task("pipelines.reading.body.paging:next_page", str)
JUDGING: Task[list[Judgement]] = Task("crawler.robots_txt:judged_all", list[Judgement])
SURVEYING: Task[Survey] = Task("crawler.probing.survey:survey", Survey)
ROBOTS_SITEMAPS: Task[Survey] = Task("crawler.probing.survey:robots_sitemaps", Survey)
OPML: Task[Subscriptions] = Task("crawler.probing.survey:opml", Subscriptions)
RIGHTS: Task[str] = Task("pipelines.reading.rights:before_fetch", str)
WARC_PATHS: Task[FileList] = Task("crawler.archive_lists:warc_paths", FileList)
CAPTURES: Task[CaptureList] = Task("crawler.archive_lists:captures", CaptureList)
#: what readers are asked for of pages that are stored already, beside reading them
TASKS_OF_PAGES = (NEXT_PAGE, RIGHTS)
#: the same in every crawl, which looks for pages; a reader that is asked for more loads it then
TASKS = (LOOKING, JUDGING, *TASKS_OF_PAGES)


@dataclass(frozen=True, slots=True)
class Parsing:
    """Every method raises ``ReadersUnavailable`` where no reader process can be had."""

    readers: ReaderPool

    async def document(
        self, kind: Kind, body: bytes, content_type: str, url: str, link_filter: LinkFilter, largest: int, whose: str
    ) -> DiscoveryResult:
        """What a feed, sitemap or section page names. Raises DiscoveryError, or Rejected where a reader gave it up.

        *largest* is in bytes; *whose* is the source.
        """
        arguments = (kind, body, content_type, url, link_filter, largest)
        found = await self.readers.ask(LOOKING, arguments, whose=whose, size=len(body), about=url)
        if isinstance(found, DiscoveryFailure):
            raise DiscoveryError(found.issue, found.detail)
        return found or DiscoveryResult(kind)

    async def next_page(self, last: Part, number: int, rules: Rules, whose: str) -> str | None:
        """The address of the page after *last*, which is page *number* of its article. Raises Rejected."""
        if "html" not in (last.content_type or "html").lower():
            return None
        arguments = (last.url, last.body, last.content_type, number)
        return await self.readers.ask(NEXT_PAGE, arguments, rules, whose=whose, size=len(last.body), about=last.url)

    async def judgements(self, body: bytes, agent: str, urls: Sequence[str], whose: str) -> list[Judgement]:
        """What a robots.txt says about each of *urls*. Raises Rejected where a reader gave it up."""
        arguments, about = (body, agent, urls), f"robots.txt, for {urls[0]}"
        judgements = await self.readers.ask(JUDGING, arguments, whose=whose, size=len(body), about=about)
        if judgements is None or len(judgements) != len(urls):
            raise Rejected(Reason.READER_CRASH, "the reader did not answer for each address")
        return judgements

    async def reserved(self, url: str, said: Statements, policy: RightsPolicy, whose: str) -> str | None:
        """Why a page is not to be fetched by what its site says, or None. Raises Rejected."""
        return (
            await self.readers.ask(RIGHTS, (url, said, policy), whose=whose, size=len(said.tdmrep), about=url) or None
        )

    async def survey(self, body: bytes, content_type: str, url: str, whose: str) -> Survey:
        """What a page says of its site. Raises Rejected."""
        arguments = (body, content_type, url)
        found = await self.readers.ask(SURVEYING, arguments, whose=whose, size=len(body), about=url)
        return found or Survey()

    async def robots_sitemaps(self, body: bytes, whose: str) -> tuple[str, ...]:
        """The sitemaps that a robots.txt names. Raises Rejected."""
        about = "the sitemaps of a robots.txt"
        found = await self.readers.ask(ROBOTS_SITEMAPS, (body,), whose=whose, size=len(body), about=about)
        return found.sitemaps if found else ()

    async def opml(self, body: bytes) -> Subscriptions:
        """The feeds of an OPML file. Raises Rejected."""
        return (
            await self.readers.ask(OPML, (body,), whose="opml", size=len(body), about="an OPML file") or Subscriptions()
        )

    async def warc_paths(self, body: bytes, base: str, about: str) -> FileList:
        """The files that a list of Common Crawl names. Raises Rejected."""
        found = await self.readers.ask(WARC_PATHS, (body, base), whose="backfill", size=len(body), about=about)
        return found or FileList()

    async def captures(
        self, body: bytes, source: str, hosts: Mapping[str, Sequence[str]], link_filter: LinkFilter, about: str
    ) -> CaptureList:
        """The articles of *source* in a CDX answer. Raises Rejected."""
        arguments = (body, source, hosts, link_filter, bool(link_filter.allow))
        found = await self.readers.ask(CAPTURES, arguments, whose=source, size=len(body), about=about)
        return found or CaptureList()
