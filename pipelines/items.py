"""The shapes that travel: Link (found), Page (fetched), Article (read), and why a page is not an article.

Everything here is a value. Times are aware datetimes; UTC unless a field says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Precision(StrEnum):
    """How exactly a time is known. ``day``: only the date was stated; the time part is then local midnight."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"


class Provenance(StrEnum):
    """Where on the page, or beside it, a time was stated."""

    JSONLD = "jsonld"
    META = "meta"
    MICRODATA = "microdata"
    TIME_ELEMENT = "time"
    TEXT = "text"
    URL = "url"
    FEED = "feed"
    SITEMAP = "sitemap"
    HTMLDATE = "htmldate"  # found by that library, where no place states it


class Kind(StrEnum):
    """What sort of article a page is."""

    ARTICLE = "article"
    LIVE_BLOG = "live_blog"
    VIDEO = "video"
    GALLERY = "gallery"
    PRESS_RELEASE = "press_release"
    ADVERTORIAL = "advertorial"
    OTHER = "other"  # no article: a page of a service, a shop, a forum, a company


class Reason(StrEnum):
    """Why a page ended without an article. The list is fixed: every rejected page carries exactly one of these."""

    # the address
    BAD_URL = "bad_url"
    BLOCKED_ADDRESS = "blocked_address"
    ROBOTS = "robots"
    # the fetch
    GONE = "gone"
    HTTP_ERROR = "http_error"
    REDIRECT_LOOP = "redirect_loop"
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    NOT_HTML = "not_html"
    RIGHTS = "rights"
    # the reading
    EMPTY = "empty"
    BINARY = "binary"
    UNDECODABLE = "undecodable"
    HOME_PAGE = "home_page"
    SOFT_404 = "soft_404"
    CONSENT_WALL = "consent_wall"
    LOGIN_WALL = "login_wall"
    JAVASCRIPT_SHELL = "javascript_shell"
    VIDEO_STUB = "video_stub"
    NO_TITLE = "no_title"
    READER_TIMEOUT = "reader_timeout"
    READER_MEMORY = "reader_memory"
    READER_CRASH = "reader_crash"
    # the keeping
    UNSTORABLE = "unstorable"
    DROPPED = "dropped"
    PIPELINE = "pipeline"


class Rejected(Exception):
    """A page that is not an article: *reason* from the fixed list, *detail* for a person."""

    def __init__(self, reason: Reason, detail: str = ""):
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail

    # exceptions with two arguments must say how they cross a process boundary
    def __reduce__(self) -> tuple[type[Rejected], tuple[Reason, str]]:
        return Rejected, (self.reason, self.detail)


@dataclass(frozen=True, slots=True)
class Hint:
    """What a feed or sitemap entry said about a page before it was fetched. ``via`` is ``feed`` or ``sitemap``."""

    via: Provenance
    title: str | None = None
    teaser: str | None = None
    published_at: datetime | None = None
    published_precision: Precision | None = None
    modified_at: datetime | None = None
    section: str | None = None
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """An article address that discovery accepted. ``found_on`` is the feed, sitemap or section page that named it."""

    url: str
    found_on: str
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One fetched document: page 2, 3, ... of a multi-page article."""

    url: str
    body: bytes
    content_type: str = "text/html"


@dataclass(frozen=True, slots=True)
class Statements:
    """What a site said about a page beside the page, as it stood there when the page was fetched; not yet understood.

    ``headers`` are those that speak of rights. ``ai_crawlers_disallowed`` are the agents that robots.txt keeps from
    the page. ``tdmrep`` is the site's ``/.well-known/tdmrep.json``, b"" where there is none.
    """

    headers: tuple[tuple[str, str], ...] = ()
    ai_crawlers_disallowed: tuple[str, ...] = ()
    tdmrep: bytes = b""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a site says about mining, archiving and licensing an article; nothing of it is legal advice.

    ``tdm_reserved``: the TDM Reservation Protocol's 1 or 0, None where it is not used; ``tdm_policy`` is the address of
    its policy. ``robots_directives`` restrict: noarchive, noai ..., "AGENT: noarchive" where only one agent is meant.
    ``stated_in`` names the places: robots.txt, x-robots-tag, meta robots, tdm header, tdm meta, tdmrep.json, json-ld,
    rel=license.
    """

    tdm_reserved: bool | None = None
    tdm_policy: str | None = None
    robots_directives: tuple[str, ...] = ()
    ai_crawlers_disallowed: tuple[str, ...] = ()
    license: str | None = None
    stated_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A fetched article page, before anything was understood of it.

    ``url`` is the address after redirects, ``asked_url`` the one discovery accepted. ``body`` is decompressed.
    ``content_type`` is the header's value, with its charset if it has one; ``text/plain`` marks a seed document.
    ``more`` are the further pages of a multi-page article, in order. ``statements`` is None where nobody knows what the
    site said about it: of stored pages. ``backfilled_from`` names the archive of others out of which it was read.
    """

    url: str
    source: str
    body: bytes
    fetched_at: datetime
    content_type: str = "text/html"
    status: int = 200
    asked_url: str | None = None
    hint: Hint | None = None
    more: tuple[Part, ...] = ()
    statements: Statements | None = None
    backfilled_from: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    url: str
    caption: str | None = None
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A piece of the page that was taken for boilerplate: its plain text, and the name of the rule that took it."""

    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class Article:
    """What was read from a page.

    ``text`` is plain paragraphs joined by a blank line; subheadings are paragraphs of their own and listed in
    ``headings``. ``text_markdown`` keeps subheadings, lists, quotes and tables. The teaser is in ``teaser`` and never
    repeated in ``text``.
    ``teaser_is_visible`` tells the lead that readers see from a description that only the metadata carries.
    ``details`` is a table of facts that the page carries beside the text (label -> value or list of values).
    ``container`` names the element of the page that was read (``containers``); ``lesson`` is the number of what the
    source's pages had taught the reader by then.
    ``is_accessible_for_free`` is None where the page does not say and nothing shows it. ``text_withheld``: the site
    reserves its rights, and the operator does not want the text then.
    """

    url: str
    canonical_url: str
    source: str
    title: str
    text: str
    fetched_at: datetime
    text_markdown: str = ""
    teaser: str | None = None
    teaser_is_visible: bool = False
    kicker: str | None = None
    section: str | None = None
    sections: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_precision: Precision | None = None
    published_provenance: Provenance | None = None
    modified_at: datetime | None = None
    modified_precision: Precision | None = None
    modified_provenance: Provenance | None = None
    language: str | None = None
    agency: str | None = None
    dateline: str | None = None
    details: dict[str, str | list[str]] = field(default_factory=dict)
    image: Image | None = None
    kind: Kind = Kind.ARTICLE
    is_accessible_for_free: bool | None = None
    amp_url: str | None = None
    pages_read: int = 1
    pages_total: int = 1
    removed: tuple[Removed, ...] = ()
    reader_version: str = ""
    container: str | None = None
    lesson: int = 0
    rights: Rights = Rights()
    text_withheld: bool = False
