"""Grouping anew what is stored, as if it were replayed into an empty database by today's method.

The new stories are made in tables beside, a portion in a transaction, while crawls go on and readers see the old ones;
so it can be stopped and begun again at any time. At the end one transaction puts them in the place of the old ones. A
story keeps its number where most of its articles stay together; each article that moves is told in the changes, and
what became of a story in its history.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from pipelines.store import stories
from pipelines.store.connections import Transactions
from pipelines.store.session import named_rows, rows_of

BESIDE = stories.Tables("regrouped_articles", "regrouped_terms")

STATE = "SELECT seen_at, url_key, articles FROM ingest.regroup_state FOR UPDATE"

# In the order of the first grouping, which an index of the time has nearly.
NEXT = """
    SELECT article.id, article.first_seen_at, article.url_key,
           coalesce(version.published_at, article.first_seen_at) AS at,
           version.published_at, version.published_precision, version.title, version.teaser, version.text
    FROM ingest.articles AS article
    CROSS JOIN LATERAL (
        SELECT * FROM ingest.versions WHERE versions.article_id = article.id ORDER BY fetched_at, number LIMIT 1
    ) AS version
    WHERE article.first_seen_at >= coalesce(%(seen_at)s, '-infinity'::timestamptz)
      AND (article.first_seen_at, article.url_key) > (coalesce(%(seen_at)s, '-infinity'::timestamptz), %(key)s)
      AND EXISTS (SELECT FROM ingest.story_articles AS member WHERE member.article_id = article.id)
      AND NOT EXISTS (SELECT FROM ingest.regrouped_articles AS done WHERE done.article_id = article.id)
    ORDER BY article.first_seen_at, article.url_key
    LIMIT %(limit)s
"""

SAVE_STATE = """
    UPDATE ingest.regroup_state SET seen_at = %(seen_at)s, url_key = %(key)s, articles = articles + %(number)s
"""

LOCK = "SELECT FROM ingest.story_state FOR UPDATE"  # nobody groups meanwhile
NO_TIMEOUT = (
    "SET LOCAL statement_timeout = 0"  # a statement that changes every article takes minutes in a large archive
)

BOTH = """
    SELECT old.article_id, old.story_id AS old, new.story_id AS new
    FROM ingest.story_articles AS old JOIN ingest.regrouped_articles AS new USING (article_id)
"""

# The story apart: the trigger that tells a change looks at whoever is assigned one, whether it is another or not.
TAKE_OVER = """
    UPDATE ingest.story_articles AS old
    SET likeness = new.likeness, at = new.at, until = new.until, is_dated = new.is_dated,
        keys = new.keys, terms = new.terms, weights = new.weights
    FROM ingest.regrouped_articles AS new WHERE new.article_id = old.article_id
"""
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
TAKE_TERMS = (
    "UPDATE ingest.story_terms SET articles = 0",
    """
    INSERT INTO ingest.story_terms AS known (term, articles)
    SELECT term, articles FROM ingest.regrouped_terms ORDER BY term
    ON CONFLICT (term) DO UPDATE SET articles = excluded.articles
    """,
    "UPDATE ingest.story_state SET articles = (SELECT articles FROM ingest.regroup_state)",
    "DELETE FROM ingest.regrouped_articles",
    "DELETE FROM ingest.regrouped_terms",
    "UPDATE ingest.regroup_state SET seen_at = NULL, url_key = NULL, articles = 0",
)


@dataclass(frozen=True, slots=True)
class Parting:
    """Some articles of a story tell another one now. ``is_end``: the story is no more."""

    story: int
    other: int
    articles: int
    is_end: bool


def renumbered(old: Mapping[int, int], new: Mapping[int, int]) -> dict[int, int]:
    """The number of each new story. *old*, *new*: article -> story, for the same articles.

    It is that of the old story most of whose articles it has, else that of one of its own articles: the one that begins
    it, if that one's number is free.
    """
    size = Counter(old.values())
    shared = Counter((old[article], new[article]) for article in new)
    order = sorted(shared, key=lambda pair: (-shared[pair], new.get(pair[0]) != pair[1], pair))
    number: dict[int, int] = {}
    holder: dict[int, int] = {}
    for story, group in order:
        if story not in holder and group not in number and 2 * shared[story, group] >= size[story]:
            number[group], holder[story] = story, group
    members: defaultdict[int, list[int]] = defaultdict(list)
    for article, group in new.items():
        members[group].append(article)
    waiting = sorted(members.keys() - number.keys(), reverse=True)
    while waiting:
        group = waiting.pop()
        free = [article for article in members[group] if article not in holder]
        # where none is free, one is taken from a story that has it without having the article
        own = group if group in free or not free else min(free)
        if own in holder:
            waiting.append(holder[own])
            del number[holder[own]]
        number[group], holder[own] = own, group
    return number


def partings(old: Mapping[int, int], now: Mapping[int, int]) -> list[Parting]:
    """What became of the old stories whose articles are not all where they were. *now*: article -> story."""
    there = set(now.values())
    moved = Counter((old[article], now[article]) for article in now if old[article] != now[article])
    return [Parting(story, other, number, story not in there) for (story, other), number in sorted(moved.items())]


async def regroup(run: Transactions) -> dict[str, int]:
    """{articles, moved, split, merged}: looked at, told another story now; old stories that lost articles, or all."""
    while True:
        while await run(_group_some):
            pass
        done = await run(_take_over)
        if done is not None:
            return done


async def _group_some(connection: AsyncConnection, limit: int = stories.MOST) -> int:
    (state,) = await named_rows(connection, STATE)
    rows = await named_rows(connection, NEXT, {"seen_at": state.seen_at, "key": state.url_key or b"", "limit": limit})
    if rows:
        await _group(connection, rows, state.articles)
        values = {"seen_at": rows[-1].first_seen_at, "key": rows[-1].url_key, "number": len(rows)}
        await connection.execute(SAVE_STATE, values)
    return len(rows)


async def _group(connection: AsyncConnection, rows: list[Any], before: int) -> None:
    await connection.execute(stories.BY_INDEX)  # not before the rows are there, which an index has in their order
    await stories.group_rows(connection, rows, before, BESIDE)


async def _take_over(connection: AsyncConnection) -> dict[str, int] | None:
    """Put the new stories in the place of the old ones; None: articles have come meanwhile, group them first."""
    await connection.execute(NO_TIMEOUT)
    await connection.execute(LOCK)
    (state,) = await named_rows(connection, STATE)
    late = await named_rows(connection, NEXT, {"seen_at": None, "key": b"", "limit": stories.MOST})
    if late:  # fetched long ago, and stored just now
        await _group(connection, late, state.articles)
        values = {"seen_at": state.seen_at, "key": state.url_key, "number": len(late)}
        await connection.execute(SAVE_STATE, values)
        return None
    rows = await named_rows(connection, BOTH)
    old = {row.article_id: row.old for row in rows}
    new = {row.article_id: row.new for row in rows}
    number = await asyncio.to_thread(renumbered, old, new)
    now = {article: number[group] for article, group in new.items()}
    gone = partings(old, now)
    await connection.execute(TAKE_OVER)
    await _move(connection, old, now)
    history = {"story": [each.story for each in gone], "other": [each.other for each in gone]}
    kinds = ["merged" if each.is_end else "split" for each in gone]
    await rows_of(connection, SAVE_HISTORY, history | {"kind": kinds, "articles": [each.articles for each in gone]})
    for statement in TAKE_TERMS:
        await connection.execute(statement)
    ended = {each.story for each in gone if each.is_end}
    split = {each.story for each in gone if not each.is_end}
    return {
        "articles": len(rows), "moved": sum(each.articles for each in gone), "split": len(split), "merged": len(ended)
    }  # fmt: skip


async def _move(connection: AsyncConnection, old: Mapping[int, int], now: Mapping[int, int]) -> None:
    moved = {article: story for article, story in now.items() if old[article] != story}
    ids = sorted({*moved.values(), *(old[article] for article in moved)})
    await connection.execute(MOVE, {"articles": list(moved), "stories": list(moved.values())})
    for statement in (MAKE_STORIES, EMPTY, COUNT, NAME):
        await connection.execute(statement, {"ids": ids})
