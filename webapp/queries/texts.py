"""Copies and families: who had a text first, who has it too, and how much of it was changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from webapp.queries.paging import FIRST, Page, Rows, paged
from webapp.reader import News, Row

COPY = """original_id, original_source, original_url, original_title, original_published_at, original_first_seen_at,
    copy_id,
    copy_source, copy_url, copy_title, copy_published_at, copy_first_seen_at, agency, likeness, similarity, kept, own,
    title_differs, seen_after, published_after"""
CURSOR = (datetime, int)

# The latest copies first, of which each family counts once by its latest; then the families of those only. To group
# every copy for a page of forty takes as long as the archive is large.
LATEST = """
    WITH latest AS (
        SELECT original_id, max(copy_first_seen_at) AS last_copied_at
        FROM (SELECT copy.original_id, copy.copy_first_seen_at FROM news.copies AS copy
              WHERE {where} AND {behind} ORDER BY copy.copy_first_seen_at DESC LIMIT %(look)s) AS copy
        GROUP BY original_id),
    page AS (
        SELECT latest.original_id, latest.last_copied_at FROM latest WHERE {unseen}
        ORDER BY latest.last_copied_at DESC, latest.original_id DESC LIMIT %(size)s)
    SELECT family.*, page.last_copied_at FROM page
    CROSS JOIN LATERAL (SELECT * FROM news.families WHERE families.id = page.original_id OFFSET 0) AS family
    ORDER BY page.last_copied_at DESC, family.id DESC
"""
UNSEEN = """(latest.last_copied_at, latest.original_id) < (%(after_at)s, %(after_id)s) AND NOT EXISTS (
    SELECT FROM news.copies AS copy
    WHERE copy.original_id = latest.original_id AND {where} AND copy.copy_first_seen_at > %(after_at)s)"""


async def families(news: News, source: str | None = None, page: Page = FIRST, *, is_foreign: bool = False) -> Rows:
    """Texts that several articles have, the one copied last first: ``news.families`` and ``last_copied_at``.

    *source*: only where it has the text. *is_foreign*: only where more than one source has it. Of a text with very many
    copies these may fill a page by themselves, which is then shorter than others.
    """
    values = {"source": source, "size": page.size + 1, "look": 20 * (page.size + 1)}
    where = ["true"]
    if source:
        where.append("(copy.copy_source = %(source)s OR copy.original_source = %(source)s)")
    if is_foreign:
        where.append("copy.copy_source <> copy.original_source")
    condition, behind, unseen = " AND ".join(where), "true", "true"
    if page.after:
        values |= dict(zip(("after_at", "after_id"), page.after, strict=True))
        behind, unseen = "copy.copy_first_seen_at <= %(after_at)s", UNSEEN.format(where=condition)
    rows = await news.rows(LATEST.format(where=condition, behind=behind, unseen=unseen), values)
    return paged(rows, page, "last_copied_at", "id")


async def family(news: News, number: int) -> Row | None:
    """One of them by the number of its first article."""
    return await news.row("SELECT * FROM news.families WHERE id = %(id)s", {"id": number})


async def copies(news: News, original: int, limit: int = 500) -> list[Row]:
    """The copies of one article, in the order in which they were seen, as in ``news.copies``."""
    return await news.rows(
        f"SELECT {COPY} FROM news.copies WHERE original_id = %(id)s ORDER BY copy_first_seen_at, copy_id LIMIT "
        f"%(limit)s",
        {"id": original, "limit": limit},
    )


async def copy(news: News, number: int) -> Row | None:
    """What one copy has of its original; None where the article is no copy."""
    return await news.row(f"SELECT {COPY} FROM news.copies WHERE copy_id = %(id)s", {"id": number})


async def shares_of(news: News, ids: Sequence[int]) -> dict[int, Row]:
    """Of those of these articles that are copies: original_id, original_source, kept, own."""
    if not ids:
        return {}
    rows = await news.rows(
        "SELECT copy_id, original_id, original_source, kept, own FROM news.copies WHERE copy_id = ANY (%(ids)s)",
        {"ids": list(ids)},
    )
    return {row["copy_id"]: row for row in rows}
