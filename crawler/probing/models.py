"""What a page, a robots.txt or an OPML file says of a site, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Survey:
    """What one page says of its site.

    ``root`` is the document's first element, in lower case. ``feeds`` are named by ``link rel=alternate``,
    ``feed_links`` by links called rss or feed; ``sections`` are the site's own links that lead to no article,
    ``services`` those to its imprint, shop, search and the like.
    ``refresh`` is where the page sends its readers at once. ``cookies`` are those that its scripts set ("NAME=VALUE").
    ``countries``: what contact data on the page points to. ``offsets``: times that state their offset from UTC.
    """

    root: str = ""
    title: str | None = None
    language: str | None = None
    region: str | None = None
    feeds: tuple[str, ...] = ()
    feed_links: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    articles: int = 0
    imprint: str | None = None
    refresh: str | None = None
    cookies: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    offsets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """One subscription of an OPML file: the feed, the site's own page where it is stated, and a title."""

    feed: str
    page: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Of an OPML file. ``refused``: what it names as feeds and is no absolute web address, shortened."""

    outlines: tuple[Outline, ...] = ()
    refused: tuple[str, ...] = ()
