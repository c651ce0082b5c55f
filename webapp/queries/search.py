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


async def figures(news: News, wanted: Wanted, zone: str) -> list[Row]:
    """at (an hour in *zone*), source, articles, copies: for a figure, counted once."""
    return await news.rows(
        "SELECT date_trunc('hour', at, %(zone)s) AS at, source_name AS source, count(*) AS articles, "
        f"count(copy_of) AS copies FROM news.mentions({ARGUMENTS}) GROUP BY 1, 2 ORDER BY 1, 2",
        {**wanted.values(), "zone": zone},
    )
