"""The values that go into the store and come out of it. Times are aware UTC datetimes; durations say their unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from pipelines.items import Hint, Reason
from pipelines.recheck import RecheckPlan

RunKind = Literal["crawl", "replay", "recheck", "backfill"]
RunOutcome = Literal["finished", "failed", "stopped"]
DocumentKind = Literal["feed", "sitemap", "section"]
PageOutcomeKind = Literal["new", "new_version", "unchanged", "copy", "rejected", "pending"]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as its file describes it; ``news.sources`` shows it.

    ``hosts``: whose articles are its own; ``drop_params``: parameters of addresses that mean nothing; ``formerly``:
    names that it had before, whose rows become its own.
    """

    name: str
    title: str
    homepage: str | None = None
    language: str | None = None
    country: str | None = None
    time_zone: str | None = None
    enabled: bool = True
    expected_per_day: int | None = None
    hosts: list[str] = field(default_factory=list)
    drop_params: list[str] = field(default_factory=list)
    formerly: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """A run that this process holds. ``source`` is None for a replay or backfill over several sources."""

    id: int
    source: str | None
    kind: RunKind
    worker_id: str
    slot: datetime | None
    lease: timedelta
    started_at: datetime
    rechecks: RecheckPlan = field(default_factory=RecheckPlan)

    @property
    def is_replay(self) -> bool:
        """Whether its pages were fetched before, by whomever: nothing is asked, and their times are the records'."""
        return self.kind in ("replay", "backfill")


@dataclass(frozen=True, slots=True)
class RunCounts:
    """Where the pages of a run ended. ``found`` is the sum of the six others, by construction.

    ``reasons`` counts the rejected and the pending pages by reason; a pending page not tried yet has no reason.
    """

    new: int = 0
    new_version: int = 0
    unchanged: int = 0
    copy: int = 0
    rejected: int = 0
    pending: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def found(self) -> int:
        return self.new + self.new_version + self.unchanged + self.copy + self.rejected + self.pending


@dataclass(frozen=True, slots=True)
class Document:
    """A discovery document (feed, sitemap, section page) as it was just fetched, or failed to be (``error``).

    ``entries`` is how many it lists, ``left_out`` how many of these were over a limit, ``note`` what else is to be
    told. ``digest`` and ``memory`` are as discovery gave them. ``confirmed``: a full look right after a 304 showed what
    was known; ``distrusted``: what it showed instead, for which no 304 of this server is trusted again.
    """

    url: str
    kind: DocumentKind
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    not_modified: bool = False
    links: int = 0
    error: str | None = None
    ms: int | None = None
    bytes: int | None = None
    entries: int | None = None
    left_out: int = 0
    note: str | None = None
    digest: str = ""
    memory: str | None = None
    confirmed: bool = False
    distrusted: str | None = None
    fresh_for: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional request sends. ``not_modified_in_a_row`` counts 304s: some servers answer 304 for ever."""

    etag: str | None
    last_modified: str | None
    checked_at: datetime
    not_modified_in_a_row: int


@dataclass(frozen=True, slots=True)
class DocumentState:
    """What is known of a discovery document before it is asked for.

    ``validators`` is None where it is to be asked for unconditionally. ``digest`` and ``memory`` are those of the last
    full answer, as hex digits ("" and None: not known), ``confirmed`` how many full looks right after a 304 showed what
    was known.
    """

    validators: Validators | None = None
    digest: str = ""
    memory: str | None = None
    confirmed: int = 0
    is_distrusted: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """What became of the links of one discovery document: new in the frontier, waiting already, ended already.

    ``left_out``: new ones for which the frontier had no room; ``displaced``: older ones that gave theirs to newer.
    """

    new: int = 0
    waiting: int = 0
    ended: int = 0
    left_out: int = 0
    displaced: int = 0


@dataclass(frozen=True, slots=True)
class FrontierEntry:
    """A page to fetch now. ``recheck``: it is stored already; ask with its validators and expect a 304.

    ``site_model`` is the one its article was read with: with another, the same page might look like a new version.
    """

    url: str
    hint: Hint | None = None
    attempts: int = 0
    etag: str | None = None
    last_modified: str | None = None
    recheck: bool = False
    site_model: int | None = None


@dataclass(frozen=True, slots=True)
class Archived:
    """Where the WARC record of a page begins and how many bytes it takes in the (compressed) file."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """The outcome of a page. ``copy_of``: the first article with this text, also where the kind is not copy.

    ``watches``: the watchlists that the article matches since this outcome; None where that is not known, as after a
    COMMIT whose answer was lost.
    """

    kind: PageOutcomeKind
    article_id: int | None = None
    copy_of: int | None = None
    version: int | None = None
    reason: Reason | None = None
    detail: str | None = None
    watches: tuple[str, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class HostState:
    """What all sources and runs share about a host: its robots.txt."""

    host: str
    robots_status: int | None = None
    robots_body: bytes | None = None
    robots_fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HostBackoff:
    """A host is left alone until ``retry_at``: by one source, or by every one where ``source`` is empty.

    ``unreachable``: it did not answer; otherwise it asked for time. ``why`` is for a person.
    """

    host: str
    source: str
    retry_at: datetime
    unreachable: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A watchlist as the database matches by it; ``wanted`` and ``unwanted`` as ``news.search`` understands them."""

    name: str
    title: str
    wanted: str
    unwanted: str = ""
    sources: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    has_hook: bool = False


Row = dict[str, Any]
"""A row of a view as a dict, for people and programs that look: JSON-ready but for datetimes."""
