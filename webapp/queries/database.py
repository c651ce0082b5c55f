"""How large everything is, and how it grows."""

from __future__ import annotations

from typing import Any

from webapp.reader import News, Row

# Counted back from the latest article, not from now: an archive that nobody feeds any more has not stopped growing.
GROWTH = """
    SELECT date_trunc('day', first_seen_at, %(zone)s) AS day, count(*) AS articles, count(copy_of) AS copies
    FROM news.articles WHERE first_seen_at > %(last)s::timestamptz - interval '60 days'
    GROUP BY day ORDER BY day
"""


async def size(news: News) -> dict[str, Any]:
    """{bytes, tables}: of the whole database, and of each table as in ``news.storage``, the largest first."""
    row = await news.row("SELECT pg_database_size(current_database()) AS bytes")
    tables = await news.rows("SELECT * FROM news.storage ORDER BY bytes + index_bytes DESC, name")
    return {"bytes": row["bytes"] if row else 0, "tables": tables}


async def growth(news: News, zone: str) -> list[Row]:
    """day, articles, copies: first seen on each of the last sixty days that had any."""
    last = await news.row("SELECT first_seen_at FROM news.articles ORDER BY first_seen_at DESC LIMIT 1")
    return await news.rows(GROWTH, {"zone": zone, "last": last["first_seen_at"]}) if last else []


async def articles(news: News) -> int:
    """How many there are, as Postgres estimates it."""
    row = await news.row("SELECT rows FROM news.storage WHERE name = 'articles'")
    return row["rows"] if row else 0
