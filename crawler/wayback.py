"""Captures of the Wayback Machine for a gap of one source: listed by its CDX interface, fetched one at a time.

Of each address its captures come in the order of their times, so that its wordings are versions in their order. What is
known is not asked for, so a run that was killed goes on where it was. A capture comes as it was archived (the ``id_``
form), and takes the way of a replay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from crawler.archive_lists import Capture, CaptureList, captured, moment_of
from crawler.archive_site import Answer, ArchiveSite
from crawler.backfilling import hosts_wanted
from crawler.config import Source
from crawler.discovery.links import LinkFilter
from crawler.downloader.errors import FetchError
from crawler.file_ledger import Ledger
from crawler.file_reading import Backfill, LoopWaiter
from crawler.files import Unreadable, Wait
from crawler.services import Services, hosts_of
from pipelines import urls
from pipelines.items import Page, Rejected
from pipelines.store.keys import page_key
from pipelines.workers import ReadersUnavailable

log = logging.getLogger(__name__)

#: captures in one answer
EACH = 5000
#: answers of one list: more has nobody
MOST_ANSWERS = 2000
#: seconds for one answer of the index, which searches for long
INDEX_PATIENCE = 120.0
#: so many captures in a row that cannot be had: something is wrong with more than a capture
GIVE_UP = 5
#: captures of one address that are looked at, of which some are chosen; and seconds within which two are one: the
#: archive gives the nearest one that it has
MOST_CAPTURES, NEAR = 10_000, 60
#: captures that could not be had, told one by one
MOST_TOLD = 20


#: an address by its key, and its captures
Address = tuple[bytes, list[Capture]]


@dataclass(frozen=True, slots=True)
class Gap:
    """The captures that are wanted: of *source*, from *begin* to *end*, both included, *versions* of an address."""

    source: Source
    begin: datetime
    end: datetime
    versions: int = 10


def chosen(captures: Sequence[Capture], most: int) -> list[Capture]:
    """In the order of their times, up to *most* captures of one address: the first, the last, and evenly between."""
    found: list[Capture] = []
    for one in sorted(captures, key=lambda one: one.timestamp):
        if not found or _seconds(found[-1], one) > NEAR:
            found.append(one)
    if len(found) <= most:
        return found
    last = len(found) - 1
    return [found[round(place * last / max(1, most - 1))] for place in range(most)]


def _seconds(before: Capture, after: Capture) -> float:
    begin, end = moment_of(before.timestamp), moment_of(after.timestamp)
    assert begin is not None and end is not None  # what states no time is no capture
    return (end - begin).total_seconds()


class _Trouble(Exception):
    """The archive cannot be asked any more. The message is for a person."""


class WaybackReading(LoopWaiter):
    """The pages of a gap one after the other, as ReplaySpider takes them; runs in a thread."""

    def __init__(self, services: Services, gap: Gap, again: bool = False):
        super().__init__()
        # what is known is the ledger here: no position is ever saved
        self.ledger, self.found = Ledger(), Backfill(things="captures")
        self._services, self._gap, self._again = services, gap, again
        self._site = ArchiveSite(services, services.configuration.settings.backfill.wayback)
        self._filter = LinkFilter.of(gap.source, datetime.now(UTC))
        self._hosts = hosts_wanted(services.configuration)
        self._seen: set[bytes] = set()
        self._failed_in_a_row = 0

    def pages(self) -> Iterator[Page | Unreadable | Wait]:
        try:
            for host in dict.fromkeys(host.removeprefix("www.") for host in hosts_of(self._gap.source)):
                for addresses in self._addresses(host):
                    for capture in self._unknown(addresses):
                        if (page := self._fetched(capture)) is not None:
                            yield page
                            yield Wait(0)  # it is stored now, however long the next capture is waited for
                        self.found.files_ended += 1
        except _Trouble as trouble:
            self.found.failures += (str(trouble),)

    async def beat(self) -> None:
        """Nobody else waits for this."""

    async def release(self, file: str) -> None:
        """Nothing is held."""

    async def close(self) -> None:
        """Nothing is held."""

    # --- the list ----------------------------------------------------------------------------------------------------

    def index_address(self, host: str, resume_key: str = "") -> str:
        """Where the captures of one host are listed: by address and time, without those that are as the one before."""
        query = [
            ("url", host),
            ("matchType", "domain"),
            ("from", f"{self._gap.begin.astimezone(UTC):%Y%m%d%H%M%S}"),
            ("to", f"{self._gap.end.astimezone(UTC):%Y%m%d%H%M%S}"),
            ("filter", "statuscode:200"),
            ("filter", "mimetype:text/html"),
            ("collapse", "digest" if self._gap.versions > 1 else "urlkey"),
            ("fl", "timestamp,original"),
            ("limit", str(EACH)),
            ("showResumeKey", "true"),
        ]
        return f"{self._site.base}cdx/search/cdx?" + urlencode(query + [("resumeKey", resume_key)] * bool(resume_key))

    def _listed(self, host: str) -> Iterator[CaptureList]:
        keys: set[str] = set()
        key = ""
        while True:
            captures = self._one_list(self.index_address(host, key))
            self.found.skipped += captures.others
            self.found.damaged += captures.broken
            yield captures
            key = captures.resume_key
            if not key:
                return
            if key in keys or len(keys) >= MOST_ANSWERS:
                raise _Trouble(f"{self._site.base}: the list of captures of {host} does not come to an end")
            keys.add(key)

    def _one_list(self, address: str) -> CaptureList:
        source = self._gap.source.name
        try:
            answer = self._wait_for(self._site.get(address, seconds=INDEX_PATIENCE))
            work = self._services.parsing.captures(answer.body, source, self._hosts, self._filter, address)
            captures = self._wait_for(work)
        except (OSError, FetchError, Rejected, ReadersUnavailable) as error:
            raise _Trouble(f"{address}: {error}") from None
        if captures.error:
            raise _Trouble(f"{address}: {captures.error}")
        return captures

    def _addresses(self, host: str) -> Iterator[list[Address]]:
        """The addresses of a host with their captures, as many as one answer brings to their end."""
        key, found = b"", list[Capture]()  # of the last address of an answer, the next one may list more
        for listed in self._listed(host):
            done: list[Address] = []
            for capture in listed.captures:
                if (own := page_key(capture.url)) != key:
                    done += [(key, found)] if found else []
                    key, found = own, []
                if len(found) < MOST_CAPTURES:
                    found.append(capture)
            yield done
        yield [(key, found)] if found else []

    def _unknown(self, addresses: Sequence[Address]) -> list[Capture]:
        """The chosen captures of addresses that were in no list before, without those that are stored."""
        new = {key: found for key, found in reversed(addresses) if key not in self._seen}  # of two, the first
        self._seen |= new.keys()
        asked = [(key, one) for key in reversed(new) for one in chosen(new[key], self._gap.versions)]
        if self._again or not asked:
            wanted = [one for _, one in asked]
        else:
            fetches = [(key, moment_of(one.timestamp)) for key, one in asked]
            known = self._wait_for(self._services.store.known_captures(self._gap.source.name, fetches, NEAR))
            wanted = [one for place, (_, one) in enumerate(asked) if place not in known]
        self.found.done_before += len(asked) - len(wanted)
        self.found.files += len(wanted)
        return wanted

    # --- a capture ---------------------------------------------------------------------------------------------------

    def _fetched(self, capture: Capture) -> Page | Unreadable | None:
        address = f"{self._site.base}web/{capture.timestamp}id_/{capture.url}"
        try:
            page = self._page(capture, self._wait_for(self._site.get(address, "page")))
        except FetchError as failed:
            if not failed.transient:  # it is here, and is no page
                self._failed_in_a_row = 0
                at = moment_of(capture.timestamp)
                return Unreadable(capture.url, self._gap.source.name, failed.reason, f"{address}: {failed.detail}", at)
            self._could_not(address, failed)
            return None
        except OSError as error:
            self._could_not(address, error)
            return None
        self._failed_in_a_row = 0
        return page

    def _page(self, capture: Capture, answer: Answer) -> Page:
        """The page that came; where the archive gave a capture of another moment, with the time of that one."""
        came = captured(answer.url) or capture
        if page_key(came.url) != page_key(capture.url):
            raise OSError(f"the archive gave another page: {came.url[:200]!r}")
        at = moment_of(came.timestamp)
        assert at is not None
        return Page(
            url=urls.normalise(capture.url),
            source=self._gap.source.name,
            body=answer.body,
            fetched_at=at,
            content_type=answer.content_type or "text/html",
            backfilled_from=f"{self._site.base}web/{came.timestamp}/{capture.url}",
        )

    def _could_not(self, address: str, error: Exception) -> None:
        self._failed_in_a_row += 1
        if len(self.found.failures) < MOST_TOLD:
            self.found.failures += (f"{address}: {error}",)
        self.found.failed += 1
        if self._failed_in_a_row >= GIVE_UP:
            raise _Trouble(
                f"{self._site.base}: {GIVE_UP} captures in a row could not be had; the same command goes on here later"
            )
