"""The values of discovery: what a document named, what was wrong with it, and one entry as it stands in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pipelines.items import Link

Kind = Literal["feed", "sitemap", "section"]

#: a sitemap may have 50,000 addresses by its standard; of more, the first so many are looked at
MOST_ENTRIES = 100_000
#: so many problems of one document are told singly
MOST_PROBLEMS = 50


class ParseIssue(StrEnum):
    """What can be wrong with a discovery document, or with one entry of it."""

    EMPTY = "empty"
    HTML = "html"
    BINARY = "binary"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"
    NO_LIST = "no_list"
    TRUNCATED = "truncated"
    BROKEN = "broken"
    BAD_LINK = "bad_link"
    NO_LINK = "no_link"
    LEFT_OUT = "left_out"
    NO_ENTRIES = "no_entries"


class DiscoveryError(Exception):
    """Nothing of the document can be used: *issue* from the fixed list, *detail* for a person."""

    def __init__(self, issue: ParseIssue, detail: str):
        super().__init__(f"{issue}: {detail}")
        self.issue = issue
        self.detail = detail

    # exceptions with two arguments must say how they cross a process boundary
    def __reduce__(self) -> tuple[type[DiscoveryError], tuple[ParseIssue, str]]:
        return DiscoveryError, (self.issue, self.detail)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a document of which the rest was used."""

    issue: ParseIssue
    detail: str

    def __str__(self) -> str:
        return f"{self.issue}: {self.detail}"


@dataclass(frozen=True, slots=True)
class DiscoveryResult:
    """What a document named: ``links`` to articles, further ``sitemaps`` to look at.

    ``entries`` counts what it lists, ``left_out`` what of that was over a limit. ``digest`` is 16 bytes that stand for
    all that it lists, whatever was taken of it; "": nothing. ``memory``, 8 bytes for each undated entry that counts as
    known from now on, is for ``LinkFilter.known`` of the next look at the same document; None: nothing to remember.
    Both are hex digits: reader processes answer in JSON, in which bytes are no text. ``ttl`` (minutes), ``skip_hours``
    (UTC) and ``skip_days`` (1 is Monday) are what a feed says about when to look.
    """

    kind: Kind
    links: tuple[Link, ...] = ()
    sitemaps: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    entries: int = 0
    left_out: int = 0
    digest: str = ""
    memory: str | None = None
    ttl: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()

    @property
    def is_damaged(self) -> bool:
        """Whether a part of the document is missing, so that what it does not list says nothing."""
        return any(problem.issue in (ParseIssue.TRUNCATED, ParseIssue.BROKEN) for problem in self.problems)


@dataclass(frozen=True, slots=True)
class DiscoveryFailure:
    """A ``DiscoveryError`` on its way from one process to another."""

    issue: ParseIssue
    detail: str


@dataclass(slots=True)
class Entry:
    """One entry as it stands in the document: addresses in the order of preference, times as text."""

    addresses: list[str] = field(default_factory=list)
    base: str | None = None
    title: str | None = None
    teaser: str | None = None
    published: str | None = None
    modified: str | None = None
    authors: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    section: str | None = None
