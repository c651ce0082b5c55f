"""Sources: their health, their runs, what was rejected, where they are looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from webapp.queries import secrets
from webapp.queries.paging import FIRST, Page, Rows, paged
from webapp.queries.secrets import without_secrets
from webapp.reader import Found, News, Row

RUN_CURSOR = (datetime, int)
REJECTION_CURSOR = (datetime, str)
LATE = timedelta(days=1)


async def all_of_them(news: News) -> Found:
    """``news.sources``, by name. It counts the articles of each, so ask ``Reader.kept`` for it."""
    return await news.rows("SELECT * FROM news.sources ORDER BY name")


async def one(news: News, name: str) -> Row | None:
    """One source."""
    return await news.row("SELECT * FROM news.sources WHERE name = %(name)s", {"name": name})


async def titles(news: News) -> dict[str, str]:
    """Name -> the name for people."""
    return {row["name"]: row["title"] for row in await news.rows("SELECT name, title FROM news.sources ORDER BY name")}


def alarms_of(row: Row, now: datetime) -> list[str]:
    """What is wrong with a source: quiet, failed, late, redesigned, alarm. Empty: nothing, or it is off."""
    if not row["enabled"]:
        return []
    started = row["last_run_started_at"]
    found = {
        "failed": row["last_run_outcome"] == "failed",
        "quiet": bool(row["is_quiet"]),
        "redesigned": bool(row["template_changed"]),
        "alarm": bool(row["alarms"]),
        "late": bool(row["next_run_at"] and started and row["next_run_at"] < now - LATE),
    }
    return [name for name, holds in found.items() if holds]


PER_DAY = """
    SELECT source, date_trunc('day', first_seen_at, %(zone)s) AS day, count(*) AS articles, count(copy_of) AS copies
    FROM news.articles
    WHERE first_seen_at > %(since)s AND (%(source)s::text IS NULL OR source = %(source)s)
    GROUP BY source, day ORDER BY source, day
"""


async def per_day(news: News, since: datetime, zone: str, source: str | None = None) -> list[Row]:
    """source, day, articles, copies: articles first seen on each day in *zone*."""
    return await news.rows(PER_DAY, {"since": since, "zone": zone, "source": source})


async def runs(news: News, source: str | None = None, page: Page = FIRST, *, outcome: str | None = None) -> Rows:
    """Runs, latest first, as in ``news.runs``."""
    conditions, values = ["true"], dict[str, Any](size=page.size + 1)
    for name, value in (("source", source), ("outcome", outcome)):
        if value is not None:
            conditions.append(f"{name} = %({name})s")
            values[name] = value
    if page.after:
        conditions.append("(started_at, id) < (%(after_at)s, %(after_id)s)")
        values |= dict(zip(("after_at", "after_id"), page.after, strict=True))
    rows = await news.rows(
        f"SELECT * FROM news.runs WHERE {' AND '.join(conditions)} ORDER BY started_at DESC, id DESC LIMIT %(size)s",
        values,
    )
    return paged(rows, page, "started_at", "id")


async def rejections(news: News, source: str | None = None, reason: str | None = None, page: Page = FIRST) -> Rows:
    """Pages that are no article, latest first, as in ``news.rejections``."""
    conditions, values = ["true"], dict[str, Any](size=page.size + 1)
    for name, value in (("source", source), ("reason", reason)):
        if value is not None:
            conditions.append(f"{name} = %({name})s")
            values[name] = value
    if page.after:
        conditions.append("(rejected_at, url) < (%(after_at)s, %(after_url)s)")
        values |= dict(zip(("after_at", "after_url"), page.after, strict=True))
    rows = await news.rows(
        f"SELECT * FROM news.rejections WHERE {' AND '.join(conditions)} "
        "ORDER BY rejected_at DESC, url DESC LIMIT %(size)s",
        values,
    )
    return paged(without_secrets(rows, "found_on"), page, "rejected_at", "url")


REASONS = """
    SELECT counted.reason, counted.pages, counted.last_at, ARRAY(
        SELECT url FROM news.rejections AS one WHERE one.reason = counted.reason {source}
        ORDER BY rejected_at DESC LIMIT 3) AS examples
    FROM (
        SELECT reason, count(*) AS pages, max(rejected_at) AS last_at
        FROM news.rejections WHERE true {source} GROUP BY reason) AS counted
    ORDER BY counted.pages DESC, counted.reason
"""


async def reasons(news: News, source: str | None = None) -> list[Row]:
    """reason, pages, last_at and up to three examples of what was rejected. Of all sources, ask ``Reader.kept``."""
    where = "AND source = %(source)s" if source is not None else ""
    return await news.rows(REASONS.format(source=where), {"source": source})


DOCUMENTS = "SELECT * FROM news.documents WHERE source = %(source)s ORDER BY kind, url"


async def documents(news: News, source: str) -> list[Row]:
    """Its feeds, sitemaps and section pages, as in ``news.documents``, their addresses without keys."""
    return without_secrets(await news.rows(DOCUMENTS, {"source": source}), "url")


async def open_alarms(news: News, source: str) -> list[Row]:
    """What deviates from the source's own history now: measure, since, says, advice, example_url, wording."""
    rows = await news.rows(
        "SELECT measure, since, says, advice, example_url, wording FROM news.alarms "
        "WHERE source = %(source)s AND closed_at IS NULL ORDER BY id",
        {"source": source},
    )
    return without_secrets(rows, "example_url")


async def pending(news: News, source: str, limit: int = 50) -> list[Row]:
    """Its pages that have no end yet, those that are due first."""
    rows = await news.rows(
        "SELECT * FROM news.pending WHERE source = %(source)s ORDER BY next_attempt_at, url LIMIT %(limit)s",
        {"source": source, "limit": limit},
    )
    return without_secrets(rows, "found_on")


FOUND = """
    SELECT found_on, count(*) AS pages FROM news.pages
    WHERE source = %(source)s AND found_on IS NOT NULL AND found_at > now() - interval '7 days' GROUP BY found_on
"""


async def windows(news: News, source: str) -> dict[str, float]:
    """For each feed, sitemap or section page the days that it reaches back: its links over what it brings in a day.

    Who looks less often than that misses articles. Feeds that brought nothing in seven days are missing.
    """
    brought = {row["found_on"]: row["pages"] / 7 for row in await news.rows(FOUND, {"source": source})}
    return {
        secrets.shown(row["url"]) or "": row["links"] / brought[row["url"]]
        for row in await news.rows(DOCUMENTS, {"source": source})
        if row["links"] and brought.get(row["url"])
    }
