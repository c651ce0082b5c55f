"""Stories: events, and who told what of them when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from webapp.queries.paging import FIRST, Page, Rows, paged
from webapp.reader import News, Row

CURSOR = (datetime, int)


async def latest(
    news: News, page: Page = FIRST, *, source: str | None = None, least_sources: int = 2, since: datetime | None = None
) -> Rows:
    """Stories as in ``news.stories``, the one that grew last first; only those that *least_sources* tell."""
    conditions = ["articles > 1", "cardinality(sources) >= %(least)s"]
    values: dict[str, Any] = {"least": least_sources, "size": page.size + 1}
    if source:
        conditions.append("sources @> ARRAY[%(source)s]")
        values["source"] = source
    if since:
        conditions.append("last_seen_at >= %(since)s")
        values["since"] = since
    if page.after:
        conditions.append("(last_seen_at, id) < (%(after_at)s, %(after_id)s)")
        values |= dict(zip(("after_at", "after_id"), page.after, strict=True))
    rows = await news.rows(
        f"SELECT * FROM news.stories WHERE {' AND '.join(conditions)} "
        "ORDER BY last_seen_at DESC, id DESC LIMIT %(size)s",
        values,
    )
    return paged(rows, page, "last_seen_at", "id")


async def one(news: News, number: int) -> Row | None:
    """One story."""
    return await news.row("SELECT * FROM news.stories WHERE id = %(id)s", {"id": number})


async def members(news: News, number: int, limit: int = 500) -> list[Row]:
    """Its articles in the order in which they were seen, with teaser and length."""
    return await news.rows(
        "SELECT member.*, article.teaser, article.word_count, article.agency, article.language, article.gone_at "
        "FROM news.story_articles AS member JOIN news.articles AS article ON article.id = member.article_id "
        "WHERE member.story_id = %(id)s ORDER BY member.first_seen_at, member.article_id LIMIT %(limit)s",
        {"id": number, "limit": limit},
    )


async def of_articles(news: News, ids: Sequence[int]) -> dict[int, Row]:
    """The story of each of these articles: id, articles, sources. Those that stand alone are missing."""
    if not ids:
        return {}
    rows = await news.rows(
        "SELECT member.article_id, story.id, story.title, story.articles, story.sources "
        "FROM news.story_articles AS member JOIN news.stories AS story ON story.id = member.story_id "
        "WHERE member.article_id = ANY (%(ids)s) AND story.articles > 1",
        {"ids": list(ids)},
    )
    return {row["article_id"]: row for row in rows}
