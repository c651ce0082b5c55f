"""What became of an address."""

from __future__ import annotations

from webapp.reader import News, Row


async def articles_at(news: News, url: str) -> list[Row]:
    """Articles under this very address."""
    return await news.rows(
        "SELECT id, source, title, canonical_url FROM news.articles WHERE canonical_url = %(url)s OR url = "
        "%(url)s LIMIT 10",
        {"url": url},
    )
