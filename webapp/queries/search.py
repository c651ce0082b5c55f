"""Full text: what has the words, and how often they were written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.reader import Found, News, Row

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


async def found(news: News, wanted: Wanted, limit: int = 40, offset: int = 0) -> Found:
    """The articles, best first, as news.search gives them: at most *limit* from *offset* on, of MOST in all."""
    rows = await news.rows(
        f"SELECT * FROM news.search({ARGUMENTS}, max_rows => %(most)s)",
        {**wanted.values(), "most": min(MOST, offset + limit + 1)},
    )
    return Found(rows[offset : offset + limit + 1], rows.names)


async def mentions(news: News, wanted: Wanted, bucket: str, zone: str) -> list[Row]:
    """at, articles, without_copies, sources for each *bucket* (hour, day, week, month) in *zone*."""
    return await news.rows(
        "SELECT date_trunc(%(bucket)s, at, %(zone)s) AS at, count(*) AS articles, "
        "count(*) FILTER (WHERE copy_of IS NULL) AS without_copies, count(DISTINCT source_name) AS sources "
        f"FROM news.mentions({ARGUMENTS}) GROUP BY 1 ORDER BY 1",
        {**wanted.values(), "bucket": bucket, "zone": zone},
    )


# Counted once, in as many rows as the figure has bars: to hand over an hour of each source took longer than to count.
FIGURES = f"""
    WITH mentioned AS MATERIALIZED (SELECT at, source_name, copy_of FROM news.mentions({ARGUMENTS})),
    chosen AS (
        SELECT CASE WHEN max(at) - min(at) <= interval '2 days' THEN 'hour'
                    WHEN max(at) - min(at) <= interval '90 days' THEN 'day'
                    WHEN max(at) - min(at) <= interval '630 days' THEN 'week' ELSE 'month' END AS bucket
        FROM mentioned)
    SELECT bucket, date_trunc(bucket, at, %(zone)s) AS at, NULL AS source,
           count(*) AS articles, count(copy_of) AS copies
    FROM mentioned CROSS JOIN chosen GROUP BY 1, 2
    UNION ALL
    SELECT NULL, NULL, source_name, count(*), count(copy_of) FROM mentioned GROUP BY source_name
    ORDER BY at, articles DESC, source
"""


async def figures(news: News, wanted: Wanted, zone: str) -> tuple[list[Row], list[Row]]:
    """How often it was written: by time (bucket, at, articles, copies), and by source (source, articles, copies).

    The bucket is hour, day, week or month in *zone*, the same in all rows: as fine as about ninety of them allow.
    """
    rows = await news.rows(FIGURES, {**wanted.values(), "zone": zone})
    return [row for row in rows if row["at"] is not None], [row for row in rows if row["at"] is None]
