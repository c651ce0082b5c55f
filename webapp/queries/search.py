"""Full text: what has the words, and how often they were written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.reader import News, Row

LONGEST_QUERY = 500  # characters
MOST = 200  # articles that news.search ranks


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search as news.search understands it; ``since`` and ``until`` are of publication, else of the first fetch."""

    query: str
    language: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def values(self) -> dict[str, Any]:
        names = ("query", "language", "source", "since", "until")
        return {name: getattr(self, name) for name in names}


ARGUMENTS = (
    "%(query)s, lang => %(language)s::text, since => %(since)s::timestamptz, until => %(until)s::timestamptz, "
    "source => %(source)s::text"
)


async def found(news: News, wanted: Wanted, limit: int = 40, offset: int = 0) -> list[Row]:
    """The articles, best first, as news.search gives them: at most *limit* from *offset* on, of MOST in all."""
    rows = await news.rows(
        f"SELECT * FROM news.search({ARGUMENTS}, max_rows => %(most)s)",
        {**wanted.values(), "most": min(MOST, offset + limit + 1)},
    )
    return rows[offset : offset + limit + 1]


async def mentions(news: News, wanted: Wanted, bucket: str, zone: str) -> list[Row]:
    """at, articles, without_copies, sources for each *bucket* (hour, day, week, month) in *zone*."""
    return await news.rows(
        "SELECT date_trunc(%(bucket)s, at, %(zone)s) AS at, count(*) AS articles, "
        "count(*) FILTER (WHERE copy_of IS NULL) AS without_copies, count(DISTINCT source_name) AS sources "
        f"FROM news.mentions({ARGUMENTS}) GROUP BY 1 ORDER BY 1",
        {**wanted.values(), "bucket": bucket, "zone": zone},
    )


async def sources(news: News, wanted: Wanted, limit: int = 20) -> list[Row]:
    """source, articles: who wrote it most."""
    return await news.rows(
        f"SELECT source_name AS source, count(*) AS articles FROM news.mentions({ARGUMENTS}) "
        "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(limit)s",
        {**wanted.values(), "limit": limit},
    )
