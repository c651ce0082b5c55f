"""Vectors of what articles mean, for searching by meaning: made by a command, for those who want it.

They lie in a schema of their own, ``meaning``, which no migration knows: it needs the extension pgvector, and all of it
can be made again. A dump leaves it out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from psycopg import AsyncConnection, errors

from pipelines.meaning import DIMENSIONS, Encoder
from pipelines.postgres import DatabaseError, safe_text
from pipelines.store.connections import Transactions
from pipelines.store.session import rows_of

log = logging.getLogger(__name__)

MOST = 100  # articles in a transaction: a second
LOGGED_EACH = 10_000  # articles: a minute or two

IS_AVAILABLE = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS is_available"
EXTENSION = "CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA meaning"
# where somebody has made the extension before, it is in a schema of theirs
TYPES = """
    SELECT extnamespace::regnamespace::text AS place, to_regtype(extnamespace::regnamespace || '.halfvec') AS halfvec
    FROM pg_extension WHERE extname = 'vector'
"""
TABLE = f"""
    CREATE TABLE IF NOT EXISTS meaning.articles (
        article_id bigint PRIMARY KEY,
        version    integer NOT NULL,
        vector     {{place}}.halfvec({DIMENSIONS}) NOT NULL)
"""
INDEX = """
    CREATE INDEX IF NOT EXISTS articles_vector ON meaning.articles USING hnsw (vector {place}.halfvec_cosine_ops)
"""

# the search reads it with the rights of the owner of its function
GRANTS = """
    DO $$ BEGIN
        IF (SELECT nspowner = to_regrole('nachlese_owner') FROM pg_namespace WHERE nspname = 'ingest')
            AND current_user <> 'nachlese_owner'
        THEN
            ALTER SCHEMA meaning OWNER TO nachlese_owner;
            ALTER TABLE meaning.articles OWNER TO nachlese_owner;
        END IF;
        IF to_regrole('nachlese_writer') IS NOT NULL THEN
            GRANT USAGE ON SCHEMA meaning TO nachlese_writer;
            GRANT SELECT, INSERT, UPDATE ON meaning.articles TO nachlese_writer;
        END IF;
    END $$
"""

# an article's current wording, where its vector is missing or is that of another one: two indexes side by side
WAITING = """
    SELECT article.id, article.version,
           concat_ws('. ', version.title, coalesce(version.teaser, left(version.text, 400))) AS words
    FROM (
        SELECT one.id, one.version
        FROM ingest.articles AS one LEFT JOIN meaning.articles AS known ON known.article_id = one.id
        WHERE one.id > %(after)s AND known.version IS DISTINCT FROM one.version
        ORDER BY one.id LIMIT %(limit)s
    ) AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    ORDER BY article.id
"""
SAVE = """
    INSERT INTO meaning.articles (article_id, version, vector)
    SELECT article, version, vector::{place}.halfvec
    FROM unnest(%(articles)s::bigint[], %(versions)s::integer[], %(vectors)s::text[]) AS row (article, version, vector)
    ORDER BY article
    ON CONFLICT (article_id) DO UPDATE SET version = excluded.version, vector = excluded.vector
"""


async def store_meanings(
    run: Transactions, encode: Encoder, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Give every article that has none the vector of its current wording; how many there were.

    *progress* hears after each transaction how many are done. DatabaseError: the server has no pgvector, or one
    without ``halfvec``.
    """
    place = await run(_prepare)
    total, after = 0, 0
    while True:
        done = await run(partial(_some, encode=encode, place=place, after=after))
        if done is None:
            return total
        number, after = done
        total += number
        progress(total)
        if total % LOGGED_EACH < number:
            log.info("meanings: %d articles are stored", total)


async def _prepare(connection: AsyncConnection) -> str:
    """Make what is not there yet; the schema of the extension, quoted."""
    (found,) = await rows_of(connection, IS_AVAILABLE)
    if not found["is_available"]:
        raise DatabaseError("search by meaning needs pgvector, and this server does not have it (package pgvector)")
    (made,) = await rows_of(connection, "SELECT to_regclass('meaning.articles') IS NOT NULL AS is_there")
    if not made["is_there"]:  # who may only write rows could not ask for it, not even where it is there
        try:
            await connection.execute("CREATE SCHEMA IF NOT EXISTS meaning")
            await connection.execute(EXTENSION)
        except errors.InsufficientPrivilege as error:
            raise DatabaseError(
                "the schema meaning and the extension vector are not there yet, and this user may not make them: run "
                f"`nachlese db meanings` once as the owner of the database ({safe_text(error)})"
            ) from error
    (types,) = await rows_of(connection, TYPES)
    if types["halfvec"] is None:
        raise DatabaseError("search by meaning needs pgvector 0.7 or later: ALTER EXTENSION vector UPDATE")
    place = str(types["place"])
    if not made["is_there"]:
        for statement in (TABLE, INDEX, GRANTS):
            await connection.execute(statement.format(place=place))
    return place


async def _some(connection: AsyncConnection, encode: Encoder, place: str, after: int) -> tuple[int, int] | None:
    """Of the next articles how many got a vector, and the last one's number; None: there are no more."""
    rows = await rows_of(connection, WAITING, {"after": after, "limit": MOST})
    if not rows:
        return None
    vectors = await asyncio.to_thread(encode, [row["words"] for row in rows])
    values = {"articles": [row["id"] for row in rows], "versions": [row["version"] for row in rows]}
    await connection.execute(SAVE.format(place=place), values | {"vectors": vectors})
    return len(rows), rows[-1]["id"]
