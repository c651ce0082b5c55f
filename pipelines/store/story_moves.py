"""Articles that go from one story to another: numbers, counts and headlines of both, and what is told of it.

Each article that moves is told in the changes, by a trigger of its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg import AsyncConnection

MOVE = """
    UPDATE ingest.story_articles AS old SET story_id = moved.story_id
    FROM unnest(%(articles)s::bigint[], %(stories)s::bigint[]) AS moved (article_id, story_id)
    WHERE old.article_id = moved.article_id
"""
MAKE_STORIES = """
    INSERT INTO ingest.stories (id, first_seen_at, last_seen_at, articles, sources)
    SELECT id, now(), now(), 0, '{}' FROM unnest(%(ids)s::bigint[]) AS id
    ON CONFLICT (id) DO NOTHING
"""
EMPTY = "UPDATE ingest.stories SET articles = 0 WHERE id = ANY (%(ids)s::bigint[])"
COUNT = "SELECT count(ingest.count_story(id)) FROM unnest(%(ids)s::bigint[]) AS id"
# whose headline a story has whose first article has gone elsewhere
NAME = """
    UPDATE ingest.stories AS story
    SET first_id = CASE WHEN EXISTS (
        SELECT FROM ingest.story_articles WHERE article_id = story.id AND story_id = story.id) THEN NULL ELSE (
        SELECT member.article_id FROM ingest.story_articles AS member
        JOIN ingest.articles AS article ON article.id = member.article_id
        WHERE member.story_id = story.id ORDER BY article.first_seen_at, article.id LIMIT 1) END
    WHERE id = ANY (%(ids)s::bigint[])
"""
SAVE_HISTORY = """
    INSERT INTO ingest.story_history (story_id, kind, other_id, articles)
    SELECT * FROM unnest(%(story)s::bigint[], %(kind)s::text[], %(other)s::bigint[], %(articles)s::bigint[])
"""


class Parting(NamedTuple):
    """Some articles of a story tell another one now. ``is_end``: the story is no more."""

    story: int
    other: int
    articles: int
    is_end: bool


async def move(connection: AsyncConnection, old: Mapping[int, int], now: Mapping[int, int]) -> None:
    """Give the articles whose story in *now* is not that in *old* their new one. Both: article -> story."""
    moved = {article: story for article, story in now.items() if old[article] != story}
    ids = sorted({*moved.values(), *(old[article] for article in moved)})
    await connection.execute(MOVE, {"articles": list(moved), "stories": list(moved.values())})
    for statement in (MAKE_STORIES, EMPTY, COUNT, NAME):
        await connection.execute(statement, {"ids": ids})


async def tell(connection: AsyncConnection, partings: Sequence[Parting]) -> None:
    """Write into the history what became of stories."""
    history = {"story": [each.story for each in partings], "other": [each.other for each in partings]}
    kinds = ["merged" if each.is_end else "split" for each in partings]
    values = history | {"kind": kinds, "articles": [each.articles for each in partings]}
    await connection.execute(SAVE_HISTORY, values)
