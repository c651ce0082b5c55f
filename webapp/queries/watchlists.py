"""Watchlists: what matched them."""

from __future__ import annotations

from typing import Any

from webapp.queries.paging import FIRST, Page, Rows, paged
from webapp.reader import News, Row

CURSOR = (int,)

MATCH = """match.id, match.watch, match.article_id, match.version, match.matched_at, match.source, match.canonical_url,
    match.title, match.published_at, match.attempts, match.delivered_at, match.error"""


async def all_of_them(news: News) -> list[Row]:
    """``news.watchlists``, by name. It counts the matches of each, so ask ``Reader.kept`` for it."""
    return await news.rows("SELECT * FROM news.watchlists ORDER BY watch")


async def names(news: News) -> list[str]:
    """The names of all watchlists."""
    return [row["watch"] for row in await news.rows("SELECT watch FROM news.watchlists")]


async def matches(news: News, watch: str | None = None, page: Page = FIRST) -> Rows:
    """What matched, latest first, as in ``news.matches``, with teaser and language of the article."""
    conditions, values = ["true"], dict[str, Any](size=page.size + 1)
    if watch is not None:
        conditions.append("match.watch = %(watch)s")
        values["watch"] = watch
    if page.after:
        conditions.append("match.id < %(after_id)s")
        values["after_id"] = page.after[0]
    rows = await news.rows(
        f"SELECT {MATCH}, article.teaser, article.language FROM news.matches AS match "
        "JOIN news.articles AS article ON article.id = match.article_id "
        f"WHERE {' AND '.join(conditions)} ORDER BY match.id DESC LIMIT %(size)s",
        values,
    )
    return paged(rows, page, "id")
