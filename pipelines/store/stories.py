"""Grouping articles into stories: what has come since the last look, in the order in which it was fetched.

It runs behind the storing and reads from the changes what is new, so it misses nothing and holds no writer up. One
process does it at a time. When a page was fetched travels with it, and each article is weighed by what came before it
and nothing else: so a replay into an empty database makes the same groups, in whatever portions it is done.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from pipelines import stories
from pipelines.store.session import named_rows
from pipelines.store.shapes import Row
from pipelines.stories import Told

MOST = 200  # articles in a transaction
CANDIDATES = 400  # articles with the same heavy terms that are compared, latest first

# The table grows from nothing to tens of thousands of rows before anybody counts them: a plan made while it was
# small would read all of it for every article, or all of the last days. A look-up takes a millisecond; Postgres expects
# it to find a hundred times as much, and would call for helpers.
BY_INDEX = """
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_indexscan = off;
    SET LOCAL plan_cache_mode = force_custom_plan;
    SET LOCAL max_parallel_workers_per_gather = 0
"""

STATE = "SELECT change, articles FROM ingest.story_state FOR UPDATE"

LAST_CHANGE = "SELECT coalesce(max(id), 0) FROM ingest.changes"

# In their first wording: a look soon after sees that one, and a replay that stores all wordings first shall see it too.
WAITING = """
    SELECT article.id, coalesce(version.published_at, article.first_seen_at) AS at, version.published_at,
           version.published_precision, version.title, version.teaser, version.text
    FROM (
        SELECT DISTINCT article_id AS id FROM ingest.changes
        WHERE kind IN ('new', 'copy') AND id > %(after)s AND id <= %(until)s) AS change
    JOIN ingest.articles AS article ON article.id = change.id
    CROSS JOIN LATERAL (
        SELECT * FROM ingest.versions WHERE versions.article_id = article.id ORDER BY fetched_at, number LIMIT 1
    ) AS version
    WHERE NOT EXISTS (SELECT FROM ingest.story_articles AS member WHERE member.article_id = article.id)
    ORDER BY article.first_seen_at, article.url_key
    LIMIT %(limit)s
"""

SEEN = "SELECT term, articles FROM ingest.story_terms WHERE term = ANY (%s)"

# Materialized: else the time is looked up in the first place, and all articles of these days are read.
NEAR = """
    WITH near AS MATERIALIZED (
        SELECT story_id, article_id, at
        FROM ingest.story_articles
        WHERE ingest.story_places(keys, at, at) && ingest.story_places(%(keys)s, %(from)s, %(to)s))
    SELECT story_id, article_id FROM near
    WHERE at BETWEEN %(from)s AND %(to)s
    ORDER BY at DESC, article_id
    LIMIT %(limit)s
"""

MEMBERS = """
    SELECT article_id, at, until, is_dated, terms, weights FROM ingest.story_articles WHERE article_id = ANY (%s)
"""

KEEP = """
    INSERT INTO ingest.story_articles (article_id, story_id, likeness, at, until, is_dated, keys, terms, weights)
    VALUES (%(article)s, %(story)s, %(likeness)s, %(at)s, %(until)s, %(is_dated)s, %(keys)s, %(terms)s, %(weights)s)
"""

KEEP_SEEN = """
    INSERT INTO ingest.story_terms AS known (term, articles)
    SELECT * FROM unnest(%(terms)s::integer[], %(counts)s::integer[]) AS row (term, articles) ORDER BY term
    ON CONFLICT (term) DO UPDATE SET articles = known.articles + excluded.articles
"""

KEEP_STATE = "UPDATE ingest.story_state SET change = %(change)s, articles = articles + %(articles)s"


async def group(connection: AsyncConnection) -> int:
    """Group up to MOST articles in the caller's transaction; how many there were. Call again until it is 0."""
    await connection.execute(BY_INDEX)
    (state,) = await named_rows(connection, STATE)  # the migration made the row
    (last,) = await (await connection.execute(LAST_CHANGE)).fetchone() or (0,)
    values = {"after": state.change, "until": last, "limit": MOST}
    rows = await named_rows(connection, WAITING, values)
    counts = await asyncio.to_thread(lambda: [stories.counted(row.title, row.teaser, row.text) for row in rows])
    terms = Counter(term for counted in counts for term in counted)
    known = await named_rows(connection, SEEN, [list(terms)]) if terms else []
    seen = Counter({row.term: row.articles for row in known})
    members: dict[int, Told] = {}
    for articles, (row, counted) in enumerate(zip(rows, counts, strict=True), state.articles):
        told = _told(row, stories.weighted(counted, seen, articles))
        await _join(connection, told, members, stories.least_likeness(articles))
        members[told.article] = told
        seen.update(counted.keys())
    ordered = sorted(terms)
    await connection.execute(KEEP_SEEN, {"terms": ordered, "counts": [terms[term] for term in ordered]})
    done = last if len(rows) < MOST else state.change
    await connection.execute(KEEP_STATE, {"change": done, "articles": len(rows)})
    return len(rows)


def _told(row: Any, terms: dict[int, float]) -> Told:
    day = timedelta(days=1) if row.published_at and row.published_precision == "day" else timedelta()
    return Told(row.id, row.at, row.at + day, row.published_at is not None, terms)


async def _join(connection: AsyncConnection, told: Told, members: dict[int, Told], least: float) -> None:
    """Find the story of *told* and write it down. *members*: what was read so far, for one may be near to many."""
    bounds = {"from": told.at - stories.WINDOW - timedelta(days=1), "to": told.until + stories.WINDOW}
    found_near = await named_rows(connection, NEAR, {"keys": told.keys, "limit": CANDIDATES} | bounds)
    story_of = {row.article_id: row.story_id for row in found_near}
    for row in await named_rows(connection, MEMBERS, [list(story_of.keys() - members.keys())]):
        terms = dict(zip(row.terms, row.weights, strict=True))
        members[row.article_id] = Told(row.article_id, row.at, row.until, row.is_dated, terms)
    near = [(story, members[article]) for article, story in story_of.items()]
    found = await asyncio.to_thread(stories.best_story, told, near, least)
    story, likeness = found or (told.article, None)
    values: Row = {"article": told.article, "story": story, "likeness": likeness, "at": told.at, "until": told.until}
    values |= {"is_dated": told.is_dated, "keys": told.keys, "terms": list(told.terms)}
    await connection.execute(KEEP, values | {"weights": list(told.terms.values())})
