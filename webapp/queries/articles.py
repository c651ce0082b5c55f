"""Articles: the latest of them, one with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.queries.paging import FIRST, Page, Rows, paged
from webapp.reader import News, Row

KINDS = ("article", "live_blog", "video", "gallery", "press_release", "advertorial", "other")

# What a list shows; the texts themselves stay where they are.
LISTED = """id, canonical_url, source, title, kicker, teaser, section, authors, keywords, published_at,
    published_precision,
    modified_at, language, agency, kind, is_accessible_for_free, word_count, copy_of, version, first_seen_at,
    changed_at,
    gone_at, gone_reason"""


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """Which articles a list has; None: all. ``is_free`` False: behind a paywall. ``copies`` False: every text once."""

    source: str | None = None
    language: str | None = None
    section: str | None = None
    kind: str | None = None
    agency: str | None = None
    is_free: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    copies: bool = False

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """Pieces of WHERE with their values."""
        pieces = {
            "source": "source = %(source)s",
            "language": "language = %(language)s",
            "section": "section = %(section)s",
            "kind": "kind = %(kind)s",
            "agency": "agency = %(agency)s",
            "is_free": "is_accessible_for_free" if self.is_free else "NOT is_accessible_for_free",
            "since": "first_seen_at >= %(since)s",
            "until": "first_seen_at < %(until)s",
        }
        values = {name: getattr(self, name) for name in pieces if getattr(self, name) is not None}
        return [pieces[name] for name in values] + ([] if self.copies else ["copy_of IS NULL"]), values

    @property
    def is_narrow(self) -> bool:
        """Whether anything but copies is filtered."""
        return bool(self.conditions()[1])


CURSOR = (datetime, int)
ALL = ArticleFilter()


# Postgres takes filters for independent of each other: where it expects forty articles of a section in a language in
# the latest some hundred, and there is none at all, it would read them all. So where there are several filters, the
# latest are looked through; do they not fill the page, articles are found by what is filtered, and then put in order.
LOOK = 1000
THROUGH_LATEST = """
    SELECT {listed} FROM (
        SELECT * FROM news.articles WHERE {bounds} ORDER BY first_seen_at DESC, id DESC LIMIT %(look)s) AS latest
    WHERE {where} ORDER BY first_seen_at DESC, id DESC LIMIT %(size)s
"""
THROUGH_FILTERS = """
    SELECT {listed} FROM news.articles WHERE {bounds} AND {where}
    ORDER BY first_seen_at + interval '0' DESC, id DESC LIMIT %(size)s
"""
BOUNDS = ("source", "since", "until")  # what the indexes of time can be asked for


async def latest(news: News, wanted: ArticleFilter = ALL, page: Page = FIRST) -> Rows:
    """The articles that were seen last, latest first: ``LISTED`` of each."""
    conditions, values = wanted.conditions()
    by_name = dict(zip(values, conditions, strict=False))
    bounds = [condition for name, condition in by_name.items() if name in BOUNDS]
    if page.after:
        bounds.append("(first_seen_at, id) < (%(after_at)s, %(after_id)s)")
        values |= dict(zip(("after_at", "after_id"), page.after, strict=True))
    others = [condition for condition in conditions if condition not in bounds]
    values |= {"size": page.size + 1, "look": LOOK}
    pieces = {"listed": LISTED, "bounds": " AND ".join(bounds) or "true", "where": " AND ".join(others) or "true"}
    is_combined = len(by_name.keys() - set(BOUNDS)) > (0 if wanted.source else 1)
    if is_combined:
        rows = await news.rows(THROUGH_LATEST.format(**pieces), values)
        if len(rows) <= page.size:
            rows = await news.rows(THROUGH_FILTERS.format(**pieces), values)
    else:
        rows = await news.rows(
            "SELECT {listed} FROM news.articles WHERE {bounds} AND {where} "
            "ORDER BY first_seen_at DESC, id DESC LIMIT %(size)s".format(**pieces),
            values,
        )
    return paged(rows, page, "first_seen_at", "id")


async def by_id(news: News, ids: Sequence[int]) -> dict[int, Row]:
    """``LISTED`` of these articles, by their numbers; those that are not there are missing."""
    if not ids:
        return {}
    rows = await news.rows(f"SELECT {LISTED} FROM news.articles WHERE id = ANY (%(ids)s)", {"ids": list(ids)})
    return {row["id"]: row for row in rows}


async def one_listed(news: News, number: int) -> Row | None:
    """``LISTED`` of one article."""
    return (await by_id(news, [number])).get(number)


async def one(news: News, number: int) -> Row | None:
    """All columns of ``news.articles`` of one article."""
    return await news.row("SELECT * FROM news.articles WHERE id = %(id)s", {"id": number})


async def versions(news: News, number: int) -> list[Row]:
    """Its wordings, first to last, as in ``news.versions``."""
    return await news.rows(
        "SELECT * FROM news.versions WHERE article_id = %(id)s ORDER BY fetched_at, version", {"id": number}
    )


async def metadata(news: News, number: int) -> list[Row]:
    """What its page stated beside the words, first to last, as in ``news.page_metadata``."""
    return await news.rows(
        "SELECT * FROM news.page_metadata WHERE article_id = %(id)s ORDER BY stated_at, version", {"id": number}
    )


async def removed(news: News, number: int, version: int) -> list[Row]:
    """What was left out of one wording, in the order of the page: place, rule, text."""
    return await news.rows(
        "SELECT place, rule, text FROM news.removed WHERE article_id = %(id)s AND version = %(version)s ORDER BY place",
        {"id": number, "version": version},
    )


async def absences(news: News, number: int) -> list[Row]:
    """The times that it was taken down."""
    return await news.rows(
        "SELECT gone_at, back_at, reason FROM news.absences WHERE article_id = %(id)s ORDER BY gone_at", {"id": number}
    )


async def copies_of(news: News, ids: Sequence[int]) -> dict[int, list[Row]]:
    """The copies of each of these articles, in the order in which they were seen."""
    found: dict[int, list[Row]] = {}
    if ids:
        for row in await news.rows(
            "SELECT copy_of, id, source, title, first_seen_at, canonical_url FROM news.articles "
            "WHERE copy_of = ANY (%(ids)s) ORDER BY first_seen_at, id LIMIT 2000",
            {"ids": list(ids)},
        ):
            found.setdefault(row["copy_of"], []).append(row)
    return found


# The values that filters offer, of the latest articles: those of all would take as long as the archive is large.
CHOICES = """
    WITH latest AS MATERIALIZED (
        SELECT language, section, agency, kind FROM news.articles ORDER BY first_seen_at DESC LIMIT 5000)
    SELECT what, value, count(*) AS articles
    FROM latest CROSS JOIN LATERAL (VALUES
        ('language', language), ('section', section), ('agency', agency), ('kind', kind)) AS each (what, value)
    WHERE value IS NOT NULL
    GROUP BY what, value
    ORDER BY what, articles DESC, value
"""


async def choices(news: News) -> dict[str, list[str]]:
    """What the filters of the list offer: the most frequent values of the latest articles, at most 60 of each."""
    found: dict[str, list[str]] = {"language": [], "section": [], "agency": [], "kind": []}
    for row in await news.rows(CHOICES):
        if len(found[row["what"]]) < 60:
            found[row["what"]].append(row["value"])
    return found


PER_HOUR = """
    SELECT date_trunc('hour', first_seen_at) AS hour, count(*) AS articles, count(copy_of) AS copies
    FROM news.articles WHERE first_seen_at > %(since)s GROUP BY hour ORDER BY hour
"""


async def per_hour(news: News, since: datetime) -> list[Row]:
    """hour, articles, copies: how many were first seen in each hour."""
    return await news.rows(PER_HOUR, {"since": since})


async def latest_time(news: News) -> datetime | None:
    """When the latest article was first seen; None where there is none."""
    row = await news.row("SELECT first_seen_at FROM news.articles ORDER BY first_seen_at DESC LIMIT 1")
    return row["first_seen_at"] if row else None
