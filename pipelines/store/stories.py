"""Grouping articles into stories: what has come since the last look, in the order in which it was fetched.

It runs behind the storing and reads from the changes what is new, so it misses nothing and holds no writer up. One
process does it at a time. When a page was fetched travels with it, and each article is weighed by what came before it
and nothing else: so a replay into an empty database makes the same groups, in whatever portions it is done.

An article tells the story of its first wording. A later wording that is about something else takes it to another story,
or to one of its own, where nobody has followed it: where no article of its story was first fetched after it. Whoever
came later may have come because of it, and who reads the story has seen them together. After ``stories.WINDOW`` it
stays where it is: a story of last week is history, and some pages are written anew every day.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from pipelines import stories
from pipelines.store import near_duplicates, row_mapping, story_moves, story_terms
from pipelines.store.models import Row
from pipelines.store.session import named_rows
from pipelines.store.story_moves import Parting
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

# What happened to the stories' articles, in the order of the fetches: each begins in its first wording, whenever it was
# stored; then come the others.
_WORDING = """
    coalesce(version.published_at, article.first_seen_at) AS at, version.published_at, version.published_precision,
    version.title, version.teaser, version.text, version.fetched_at
"""
FIRST_WORDING = f"""
    article.id, article.url_key, article.first_seen_at AS event_at, 0 AS number, {_WORDING}
    FROM ingest.articles AS article
    CROSS JOIN LATERAL (
        SELECT * FROM ingest.versions WHERE versions.article_id = article.id ORDER BY fetched_at, number LIMIT 1
    ) AS version
"""
LATER_WORDING = f"""
    article.id, article.url_key, version.fetched_at AS event_at, version.number, {_WORDING}
    FROM ingest.versions AS version
    JOIN ingest.articles AS article ON article.id = version.article_id
"""
FIRST_FETCH = "(SELECT min(fetched_at) FROM ingest.versions AS first WHERE first.article_id = version.article_id)"

WAITING = f"""
    WITH changed AS MATERIALIZED (
        SELECT DISTINCT article_id AS id FROM ingest.changes
        WHERE kind IN ('new', 'copy', 'version') AND id > %(after)s AND id <= %(until)s)
    (SELECT {FIRST_WORDING}
     JOIN changed ON changed.id = article.id
     WHERE NOT EXISTS (SELECT FROM ingest.story_articles AS member WHERE member.article_id = article.id)
     ORDER BY event_at, url_key
     LIMIT %(limit)s)
    UNION ALL
    (SELECT {LATER_WORDING}
     JOIN changed ON changed.id = version.article_id
     LEFT JOIN ingest.story_articles AS member ON member.article_id = article.id
     WHERE version.fetched_at > coalesce(member.wording_at, {FIRST_FETCH})
       AND version.fetched_at <= article.first_seen_at + %(window)s
     ORDER BY event_at, url_key, number
     LIMIT %(limit)s)
    ORDER BY event_at, url_key, number
    LIMIT %(limit)s
"""

# Arrays are taken as Postgres sends them: psycopg takes longer to read two hundred numbers one by one than it takes to
# compare two articles.
SEEN = """
    SELECT array_send(array_agg(term)) AS terms, array_send(array_agg(articles)) AS articles
    FROM ingest.{terms} WHERE term = ANY (%s::integer[])
"""

# For all articles of a portion at once. Materialized: else the time is looked up in the first place, and all articles
# of these days are read.
NEAR = """
    SELECT wanted.place, array_send(array(
        WITH near AS MATERIALIZED (
            SELECT article_id, at
            FROM ingest.{articles}
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
    FROM ingest.{articles} WHERE article_id = ANY (%s::bigint[])
"""

SAVE = """
    INSERT INTO ingest.{articles} (
        article_id, story_id, likeness, at, until, is_dated, keys, terms, weights, wording_at)
    SELECT * FROM jsonb_to_recordset(%(rows)s) AS row (
        article bigint, story bigint, likeness real, at timestamptz, until timestamptz, is_dated boolean,
        keys integer[], terms integer[], weights real[], wording_at timestamptz)
"""

# ``is_taken``: the number of its own story is that of one which the article has left, by regrouping.
FOLLOWED = """
    SELECT own.story_id, EXISTS (
        SELECT FROM ingest.{articles} AS member JOIN ingest.articles AS other ON other.id = member.article_id
        WHERE member.story_id = own.story_id AND member.article_id <> own.article_id
          AND other.first_seen_at >= article.first_seen_at) AS is_followed,
        own.story_id <> own.article_id AND EXISTS (
        SELECT FROM ingest.{articles} AS member WHERE member.story_id = own.article_id) AS is_taken
    FROM ingest.{articles} AS own JOIN ingest.articles AS article ON article.id = own.article_id
    WHERE own.article_id = %(article)s
"""

SAVE_REWRITTEN = """
    UPDATE ingest.{articles} AS old
    SET likeness = row.likeness, at = row.at, until = row.until, is_dated = row.is_dated,
        keys = row.keys, terms = row.terms, weights = row.weights
    FROM jsonb_to_recordset(%(rows)s) AS row (
        article bigint, likeness real, at timestamptz, until timestamptz, is_dated boolean,
        keys integer[], terms integer[], weights real[])
    WHERE old.article_id = row.article
"""

MOVE_BESIDE = "UPDATE ingest.{articles} SET story_id = %(story)s WHERE article_id = %(article)s"

IS_LEFT = "SELECT EXISTS (SELECT FROM ingest.story_articles WHERE story_id = %(story)s) AS goes_on"

SAVE_LOOKED_AT = """
    UPDATE ingest.{articles} AS old SET wording_at = row.wording_at
    FROM unnest(%(articles)s::bigint[], %(times)s::timestamptz[]) AS row (article, wording_at)
    WHERE old.article_id = row.article
"""

SAVE_SEEN = """
    INSERT INTO ingest.{terms} AS known (term, articles)
    SELECT * FROM unnest(%(terms)s::integer[], %(counts)s::integer[]) AS row (term, articles) ORDER BY term
    ON CONFLICT (term) DO UPDATE SET articles = known.articles + excluded.articles
"""

SAVE_STATE = "UPDATE ingest.story_state SET change = %(change)s, articles = articles + %(articles)s"


class Tables(NamedTuple):
    """Where the members of stories and the words of the archive are kept."""

    articles: str = "story_articles"
    terms: str = "story_terms"


async def group(connection: AsyncConnection) -> int:
    """Look at up to MOST wordings in the caller's transaction; how many there were. Call again until it is 0."""
    await connection.execute(BY_INDEX)
    (state,) = await named_rows(connection, STATE)  # the migration made the row
    (last,) = await (await connection.execute(LAST_CHANGE)).fetchone() or (0,)
    values = {"after": state.change, "until": last, "limit": MOST, "window": stories.WINDOW}
    rows = await named_rows(connection, WAITING, values)
    number = await group_rows(connection, rows, state.articles, Tables())
    done = last if len(rows) < MOST else state.change
    await connection.execute(SAVE_STATE, {"change": done, "articles": number})
    return len(rows)


async def group_rows(connection: AsyncConnection, rows: Sequence[Any], before: int, tables: Tables) -> int:
    """Give *rows* (FIRST_WORDING, LATER_WORDING), in their order, their stories among those in *tables*, which have
    learnt from *before* articles; how many articles came that were not there."""
    if not rows:
        return 0
    names = tables._asdict()
    counts = await _counted(rows)
    first = [counted for row, counted in zip(rows, counts, strict=True) if not row.number]
    terms = set().union(*counts)
    (known,) = await named_rows(connection, SEEN.format(**names), [near_duplicates.array(terms)])
    seen = Counter(dict(zip(_numbers(known.terms, "i"), _numbers(known.articles, "i"), strict=True)))
    stored = await _members(connection, {row.id for row in rows if row.number}, names)
    told = {article: member.vector.terms for article, member in stored.items()}  # article -> terms of its story
    waiting: list[tuple[Any, Newcomer]] = []
    articles = before
    for row, counted in zip(rows, counts, strict=True):
        vector = _vector(row, stories.weighted(counted, seen, articles))
        newcomer = Newcomer(vector, stories.least_similarity(articles))
        if not row.number:
            waiting.append((row, newcomer))
            articles += 1
            seen.update(counted.keys())
            told[row.id] = vector.terms
        elif row.id in told and stories.is_rewritten(told[row.id], vector.terms):
            await _place(connection, waiting, names)  # it meets those that were fetched before
            waiting = []
            if await _place_again(connection, newcomer, tables):
                told[row.id] = vector.terms
    await _place(connection, waiting, names)
    await _save_looked_at(connection, rows, names)
    told_of = Counter(chain.from_iterable(first))
    values = {"terms": near_duplicates.array(told_of), "counts": near_duplicates.array(told_of.values())}
    await connection.execute(SAVE_SEEN.format(**names), values)
    return articles - before


async def _counted(rows: Sequence[Any]) -> list[dict[int, float]]:
    """The terms of each wording: those that a reader has counted, and all others."""
    known = [story_terms.taken(row.title, row.teaser, row.text) for row in rows]
    left = [row for row, one in zip(rows, known, strict=True) if one is None]
    if not left:
        return [one for one in known if one is not None]
    counts = iter(await asyncio.to_thread(lambda: [stories.counted(row.title, row.teaser, row.text) for row in left]))
    return [next(counts) if one is None else one for one in known]


async def _place(connection: AsyncConnection, waiting: Sequence[tuple[Any, Newcomer]], names: dict[str, str]) -> None:
    """Give the articles in *waiting*, each with the row of its first wording, their stories."""
    if not waiting:
        return
    near = await _near(connection, [one.vector for _, one in waiting], names)
    newcomers = [replace(one, near=members) for (_, one), members in zip(waiting, near, strict=True)]
    found = await asyncio.to_thread(stories.assigned, newcomers)
    made = [
        _row(one.vector, place) | {"wording_at": row.fetched_at.isoformat()}
        for (row, one), place in zip(waiting, found, strict=True)
    ]
    await connection.execute(SAVE.format(**names), {"rows": row_mapping.dumps(made)})


async def _place_again(connection: AsyncConnection, changed: Newcomer, tables: Tables) -> bool:
    """Give an article its story by a wording that is about something else; False: it has to stay as it was."""
    names, article = tables._asdict(), changed.vector.article
    (own,) = await named_rows(connection, FOLLOWED.format(**names), {"article": article})
    if own.is_followed:
        return False
    (near,) = await _near(connection, [changed.vector], names)
    others = [member for member in near if member.vector.article != article]
    ((story, likeness),) = await asyncio.to_thread(stories.assigned, [replace(changed, near=others)])
    if story == article and own.is_taken:
        return False
    rows = row_mapping.dumps([_row(changed.vector, (story, likeness))])
    await connection.execute(SAVE_REWRITTEN.format(**names), {"rows": rows})
    if story == own.story_id:
        return True
    if tables != Tables():
        await connection.execute(MOVE_BESIDE.format(**names), {"article": article, "story": story})
        return True
    await story_moves.move(connection, {article: own.story_id}, {article: story})
    (left,) = await named_rows(connection, IS_LEFT, {"story": own.story_id})
    await story_moves.tell(connection, [Parting(own.story_id, story, 1, is_end=not left.goes_on)])
    return True


async def _save_looked_at(connection: AsyncConnection, rows: Sequence[Any], names: dict[str, str]) -> None:
    latest = {row.id: row.fetched_at for row in rows if row.number}
    values = {"articles": list(latest), "times": list(latest.values())}
    if latest:
        await connection.execute(SAVE_LOOKED_AT.format(**names), values)


def _vector(row: Any, terms: dict[int, float]) -> StoryVector:
    day = timedelta(days=1) if row.published_at and row.published_precision == "day" else timedelta()
    return StoryVector(row.id, row.at, row.at + day, row.published_at is not None, terms)


def _numbers(sent: bytes | None, kind: str) -> tuple[Any, ...]:
    """The numbers of an array of one dimension without nulls, as ``array_send`` writes it; *kind* as in ``struct``."""
    if sent is None or len(sent) < ARRAY_HEADER:  # an empty array has no dimension
        return ()
    size = 4 + struct.calcsize(f">{kind}")
    return struct.unpack_from(f">{f'4x{kind}' * ((len(sent) - ARRAY_HEADER) // size)}", sent, ARRAY_HEADER)


async def _near(
    connection: AsyncConnection, vectors: Sequence[StoryVector], names: dict[str, str]
) -> list[list[Member]]:
    """Of each article the stored members that it may tell the same story as."""
    days = [stories.days_around(vector) for vector in vectors]
    values: Row = {"keys": [near_duplicates.array(vector.keys) for vector in vectors], "limit": stories.CANDIDATES}
    values |= {"first": [first for first, _ in days], "last": [last for _, last in days]}
    found = [_numbers(row.articles, "q") for row in await named_rows(connection, NEAR.format(**names), values)]
    members = await _members(connection, set().union(*found), names)
    return [[members[article] for article in articles] for articles in found]


async def _members(connection: AsyncConnection, articles: Set[int], names: dict[str, str]) -> dict[int, Member]:
    """Article -> what is stored of it, for those of *articles* that have their story."""
    members: dict[int, Member] = {}
    if not articles:
        return members
    for row in await named_rows(connection, MEMBERS.format(**names), [near_duplicates.array(articles)]):
        terms = dict(zip(_numbers(row.terms, "i"), _numbers(row.weights, "f"), strict=True))
        vector = StoryVector(row.article_id, row.at, row.until, row.is_dated, terms)
        members[row.article_id] = Member(row.story_id, vector)
    return members


def _row(vector: StoryVector, found: tuple[int, float | None]) -> Row:
    story, likeness = found
    return {
        "article": vector.article, "story": story, "likeness": likeness, "at": vector.at.isoformat(),
        "until": vector.until.isoformat(), "is_dated": vector.is_dated, "keys": vector.keys,
        "terms": list(vector.terms), "weights": list(vector.terms.values()),
    }  # fmt: skip
