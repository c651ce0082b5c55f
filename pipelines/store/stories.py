"""Grouping articles into stories: what has come since the last look, in the order in which it was fetched.

It runs behind the storing and reads from the changes what is new, so it misses nothing and holds no writer up. One
process does it at a time. When a page was fetched travels with it, and each article is weighed by what came before it
and nothing else: so a replay into an empty database makes the same groups, in whatever portions it is done.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from pipelines import stories
from pipelines.store import near_duplicates, row_mapping
from pipelines.store.models import Row
from pipelines.store.session import named_rows
from pipelines.stories import Member, Newcomer, StoryVector

MOST = 200  # articles in a transaction
ARRAY_HEADER = 20  # bytes before the first number: dimensions, nulls, type, length, lower bound

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

# For all articles of a portion at once. Materialized: else the time is looked up in the first place, and all articles
# of these days are read. Arrays are taken as Postgres sends them: psycopg takes longer to read two hundred numbers one
# by one than it takes to compare two articles.
NEAR = """
    SELECT wanted.place, array_send(array(
        WITH near AS MATERIALIZED (
            SELECT article_id, at
            FROM ingest.story_articles
            WHERE ingest.story_places(keys, at, at)
                && ingest.story_places(wanted.keys::integer[], wanted.first, wanted.last))
        SELECT article_id FROM near
        WHERE at BETWEEN wanted.first AND wanted.last
        ORDER BY at DESC, article_id
        LIMIT %(limit)s
    )) AS articles
    FROM unnest(%(keys)s::text[], %(first)s::timestamptz[], %(last)s::timestamptz[])
        WITH ORDINALITY AS wanted (keys, first, last, place)
    ORDER BY wanted.place
"""

MEMBERS = """
    SELECT article_id, story_id, at, until, is_dated, array_send(terms) AS terms, array_send(weights) AS weights
    FROM ingest.story_articles WHERE article_id = ANY (%s::bigint[])
"""

SAVE = """
    INSERT INTO ingest.story_articles (article_id, story_id, likeness, at, until, is_dated, keys, terms, weights)
    SELECT * FROM jsonb_to_recordset(%(rows)s) AS row (
        article bigint, story bigint, likeness real, at timestamptz, until timestamptz, is_dated boolean,
        keys integer[], terms integer[], weights real[])
"""

SAVE_SEEN = """
    INSERT INTO ingest.story_terms AS known (term, articles)
    SELECT * FROM unnest(%(terms)s::integer[], %(counts)s::integer[]) AS row (term, articles) ORDER BY term
    ON CONFLICT (term) DO UPDATE SET articles = known.articles + excluded.articles
"""

SAVE_STATE = "UPDATE ingest.story_state SET change = %(change)s, articles = articles + %(articles)s"


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
    vectors, leasts = [], []
    for articles, (row, counted) in enumerate(zip(rows, counts, strict=True), state.articles):
        vectors.append(_vector(row, stories.weighted(counted, seen, articles)))
        leasts.append(stories.least_similarity(articles))
        seen.update(counted.keys())
    near = await _near(connection, vectors)
    newcomers = [Newcomer(*each) for each in zip(vectors, leasts, near, strict=True)]
    found = await asyncio.to_thread(stories.assigned, newcomers)
    await connection.execute(SAVE, {"rows": row_mapping.dumps(list(map(_row, vectors, found)))})
    ordered = sorted(terms)
    await connection.execute(SAVE_SEEN, {"terms": ordered, "counts": [terms[term] for term in ordered]})
    done = last if len(rows) < MOST else state.change
    await connection.execute(SAVE_STATE, {"change": done, "articles": len(rows)})
    return len(rows)


def _vector(row: Any, terms: dict[int, float]) -> StoryVector:
    day = timedelta(days=1) if row.published_at and row.published_precision == "day" else timedelta()
    return StoryVector(row.id, row.at, row.at + day, row.published_at is not None, terms)


def _numbers(sent: bytes, kind: str) -> tuple[Any, ...]:
    """The numbers of an array of one dimension without nulls, as ``array_send`` writes it; *kind* as in ``struct``."""
    if len(sent) < ARRAY_HEADER:  # an empty array has no dimension
        return ()
    size = 4 + struct.calcsize(f">{kind}")
    return struct.unpack_from(f">{f'4x{kind}' * ((len(sent) - ARRAY_HEADER) // size)}", sent, ARRAY_HEADER)


async def _near(connection: AsyncConnection, vectors: Sequence[StoryVector]) -> list[list[Member]]:
    """Of each article the stored members that it may tell the same story as."""
    days = [stories.days_around(vector) for vector in vectors]
    values: Row = {"keys": [near_duplicates.array(vector.keys) for vector in vectors], "limit": stories.CANDIDATES}
    values |= {"first": [first for first, _ in days], "last": [last for _, last in days]}
    found = [_numbers(row.articles, "q") for row in await named_rows(connection, NEAR, values)]
    members = {}
    for row in await named_rows(connection, MEMBERS, [near_duplicates.array(set().union(*found))]):
        terms = dict(zip(_numbers(row.terms, "i"), _numbers(row.weights, "f"), strict=True))
        vector = StoryVector(row.article_id, row.at, row.until, row.is_dated, terms)
        members[row.article_id] = Member(row.story_id, vector)
    return [[members[article] for article in articles] for articles in found]


def _row(vector: StoryVector, found: tuple[int, float | None]) -> Row:
    story, likeness = found
    return {
        "article": vector.article, "story": story, "likeness": likeness, "at": vector.at.isoformat(),
        "until": vector.until.isoformat(), "is_dated": vector.is_dated, "keys": vector.keys,
        "terms": list(vector.terms), "weights": list(vector.terms.values()),
    }  # fmt: skip
