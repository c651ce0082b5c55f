"""How large everything is, and how it grows."""

from __future__ import annotations

from webapp.reader import News, Row


async def size(news: News) -> int:
    """Bytes of the whole database."""
    row = await news.row("SELECT pg_database_size(current_database()) AS bytes")
    assert row is not None
    return row["bytes"]


async def growth(news: News, zone: str) -> list[Row]:
    """day, articles: how many were first seen on each of the last ninety days that had any."""
    return await news.rows(
        "SELECT date_trunc('day', first_seen_at, %(zone)s) AS day, count(*) AS articles, count(copy_of) AS copies "
        "FROM news.articles WHERE first_seen_at > (SELECT max(first_seen_at) FROM news.articles) - interval '90 days' "
        "GROUP BY day ORDER BY day",
        {"zone": zone},
    )
