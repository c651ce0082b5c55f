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
from typing import Any

from psycopg import AsyncConnection

from pipelines.store import stories, story_moves
from pipelines.store.connections import Transactions
from pipelines.store.session import named_rows
from pipelines.store.story_moves import Parting
from pipelines.stories import WINDOW

BESIDE = stories.Tables("regrouped_articles", "regrouped_terms")

STATE = "SELECT seen_at, url_key, articles FROM ingest.regroup_state FOR UPDATE"

# In the order of the first grouping: articles that have no new story yet, and their later wordings. Of these only what
# was fetched until the last of those articles: most versions are no later wordings, and would be read again each time.
# A wording whose article was stored too late for its place in the order waits with it for the end: it has no new story
# that could note that it was looked at, and would be looked at for ever.
NEXT = f"""
    WITH begun AS MATERIALIZED (
        SELECT {stories.FIRST_WORDING}
        WHERE article.first_seen_at >= coalesce(%(seen_at)s, '-infinity'::timestamptz)
          AND (article.first_seen_at, article.url_key) > (coalesce(%(seen_at)s, '-infinity'::timestamptz), %(key)s)
          AND EXISTS (SELECT FROM ingest.story_articles AS member WHERE member.article_id = article.id)
          AND NOT EXISTS (SELECT FROM ingest.regrouped_articles AS done WHERE done.article_id = article.id)
        ORDER BY event_at, url_key
        LIMIT %(limit)s)
    TABLE begun
    UNION ALL
    (SELECT {stories.LATER_WORDING}
     LEFT JOIN ingest.regrouped_articles AS done ON done.article_id = article.id
     WHERE version.fetched_at >= coalesce(%(seen_at)s, '-infinity'::timestamptz)
       AND version.fetched_at <= coalesce((SELECT max(event_at) FROM begun HAVING count(*) = %(limit)s), 'infinity')
       AND version.fetched_at > coalesce(done.wording_at, {stories.FIRST_FETCH})
       AND version.fetched_at <= article.first_seen_at + %(window)s
       AND (done.article_id IS NOT NULL OR article.id IN (SELECT id FROM begun))
       AND EXISTS (SELECT FROM ingest.story_articles AS member WHERE member.article_id = article.id)
     ORDER BY event_at, url_key, number
     LIMIT %(limit)s)
    ORDER BY event_at, url_key, number
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
        keys = new.keys, terms = new.terms, weights = new.weights, wording_at = new.wording_at
    FROM ingest.regrouped_articles AS new WHERE new.article_id = old.article_id
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
    after = {"seen_at": state.seen_at, "key": state.url_key or b""}
    rows = await named_rows(connection, NEXT, after | {"limit": limit, "window": WINDOW})
    if rows:
        number = await _group(connection, rows, state.articles)
        values = {"seen_at": rows[-1].event_at, "key": rows[-1].url_key, "number": number}
        await connection.execute(SAVE_STATE, values)
    return len(rows)


async def _group(connection: AsyncConnection, rows: list[Any], before: int) -> int:
    await connection.execute(stories.BY_INDEX)  # not before the rows are there, which an index has in their order
    return await stories.group_rows(connection, rows, before, BESIDE)


async def _take_over(connection: AsyncConnection) -> dict[str, int] | None:
    """Put the new stories in the place of the old ones; None: articles have come meanwhile, group them first."""
    await connection.execute(NO_TIMEOUT)
    await connection.execute(LOCK)
    (state,) = await named_rows(connection, STATE)
    anywhere = {"seen_at": None, "key": b"", "limit": stories.MOST, "window": WINDOW}
    late = await named_rows(connection, NEXT, anywhere)
    if late:  # fetched long ago, and stored just now
        number = await _group(connection, late, state.articles)
        values = {"seen_at": state.seen_at, "key": state.url_key, "number": number}
        await connection.execute(SAVE_STATE, values)
        return None
    rows = await named_rows(connection, BOTH)
    old = {row.article_id: row.old for row in rows}
    new = {row.article_id: row.new for row in rows}
    numbers = await asyncio.to_thread(renumbered, old, new)
    now = {article: numbers[group] for article, group in new.items()}
    gone = partings(old, now)
    await connection.execute(TAKE_OVER)
    await story_moves.move(connection, old, now)
    await story_moves.tell(connection, gone)
    for statement in TAKE_TERMS:
        await connection.execute(statement)
    ended = {each.story for each in gone if each.is_end}
    split = {each.story for each in gone if not each.is_end}
    return {
        "articles": len(rows), "moved": sum(each.articles for each in gone), "split": len(split), "merged": len(ended)
    }  # fmt: skip
