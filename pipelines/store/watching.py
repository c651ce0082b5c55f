"""Watchlists: matched in the transaction that keeps an article, told from the rows that this leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

from psycopg import AsyncConnection

from pipelines.store import preparing
from pipelines.store.session import Session, rows_of
from pipelines.store.shapes import Row, WatchRow

MAX_ATTEMPTS = 12
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)

KEEP_WATCHES = """
    INSERT INTO ingest.watches (name, title, wanted, unwanted, sources, languages, has_hook)
    SELECT * FROM jsonb_to_recordset(%(watches)s) AS row (
        name text, title text, wanted text, unwanted text, sources text[], languages text[], has_hook boolean)
    ORDER BY name
    ON CONFLICT (name) DO UPDATE
    SET title = excluded.title, wanted = excluded.wanted, unwanted = excluded.unwanted, sources = excluded.sources,
        languages = excluded.languages, has_hook = excluded.has_hook
    WHERE watches IS DISTINCT FROM excluded
"""
FORGET_WATCHES = "DELETE FROM ingest.watches WHERE NOT name = ANY (%(names)s)"

# The queries once for each language of the batch, not once for each article; each vector is read once (what || makes is
# no pointer to its table any more), not for each query.
KEEP_MATCHES = """
    WITH kept AS MATERIALIZED (
        SELECT search.article_id, search.language, search.vector || '' AS vector,
               article.source, article.version, wanted.is_told
        FROM unnest(%(ids)s::bigint[], %(told)s::boolean[]) AS wanted (id, is_told)
        JOIN ingest.search AS search ON search.article_id = wanted.id
        JOIN ingest.articles AS article ON article.id = wanted.id
    ),
    queries AS MATERIALIZED (
        SELECT watch.name, watch.sources, watch.has_hook, spoken.language,
               ingest.search_query(spoken.language, watch.wanted) AS wanted,
               ingest.search_query(spoken.language, watch.unwanted, compounds => false) AS unwanted
        FROM ingest.watches AS watch
        JOIN (SELECT DISTINCT language FROM kept) AS spoken
          ON watch.languages = '{}' OR spoken.language = ANY (watch.languages)
    )
    INSERT INTO ingest.matches (watch, article_id, version, next_attempt_at)
    SELECT query.name, kept.article_id, kept.version, CASE WHEN query.has_hook AND kept.is_told THEN now() END
    FROM queries AS query
    JOIN kept ON kept.language = query.language AND kept.vector @@ query.wanted
        AND NOT kept.vector @@ query.unwanted AND (query.sources = '{}' OR kept.source = ANY (query.sources))
    ORDER BY query.name, kept.article_id
    ON CONFLICT DO NOTHING
"""

# What is taken is due again later whatever happens, so that a killed process loses nothing.
TAKE_MATCHES = """
    UPDATE ingest.matches AS match
    SET attempts = attempts + 1,
        next_attempt_at = CASE
            WHEN attempts + 1 < %(most)s THEN now() + least(%(first)s * power(2, attempts), %(longest)s) END
    FROM (
        SELECT id FROM ingest.matches
        WHERE watch = %(watch)s AND next_attempt_at <= now() AND delivered_at IS NULL
        ORDER BY id LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED) AS due
    WHERE match.id = due.id
    RETURNING match.id
"""

MATCHES_BY_ID = """
    SELECT match.id, match.watch, match.article_id, match.version, match.matched_at, match.source,
           match.canonical_url AS url, article.title, article.teaser, article.published_at, article.language
    FROM news.matches AS match
    JOIN news.articles AS article ON article.id = match.article_id
    WHERE match.id = ANY (%(ids)s)
    ORDER BY match.id
"""

TOLD = """
    UPDATE ingest.matches
    SET error = %(error)s, delivered_at = CASE WHEN %(error)s::text IS NULL THEN now() END,
        next_attempt_at = CASE WHEN %(error)s::text IS NOT NULL THEN next_attempt_at END
    WHERE id = ANY (%(ids)s)
"""

# An article that matched in several wordings is one entry.
LATEST_MATCHES = """
    SELECT * FROM (
        SELECT DISTINCT ON (match.article_id) match.id, match.article_id, match.matched_at, match.source,
               match.canonical_url AS url, article.title, article.teaser, article.published_at, article.language,
               article.authors
        FROM (SELECT * FROM news.matches WHERE watch = %(watch)s ORDER BY id DESC LIMIT 4 * %(limit)s) AS match
        JOIN news.articles AS article ON article.id = match.article_id
        ORDER BY match.article_id, match.id DESC) AS latest
    ORDER BY id DESC
    LIMIT %(limit)s
"""


async def keep(connection: AsyncConnection, told: Mapping[int, bool]) -> None:
    """Write what of the articles matches a watchlist; article id -> whether it is sent on (a replay's is not)."""
    if told:
        ids = sorted(told)
        await connection.execute(KEEP_MATCHES, {"ids": ids, "told": [told[number] for number in ids]})


def take_values(watch: str, limit: int) -> Row:
    waits = {"first": FIRST_WAIT, "longest": LONGEST_WAIT, "most": MAX_ATTEMPTS}
    return {"watch": watch, "limit": limit} | waits


class Watches(Session):
    """What ``Store`` does about watchlists."""

    async def keep_watches(self, watches: Sequence[WatchRow]) -> None:
        """The watchlists that articles are matched by from now on; others are forgotten, their matches stay."""
        text = preparing.dumps([preparing.clean(asdict(watch)) for watch in watches])
        values = {"watches": text, "names": [watch.name for watch in watches]}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(KEEP_WATCHES, values)
            await connection.execute(FORGET_WATCHES, values)

        await self._connections.run(work)

    async def take_matches(self, watch: str, limit: int) -> list[Row]:
        """Matches that are due to be sent; they come again later unless ``told`` says that they were."""

        async def work(connection: AsyncConnection) -> list[Row]:
            taken = await rows_of(connection, TAKE_MATCHES, take_values(watch, limit))
            return await rows_of(connection, MATCHES_BY_ID, {"ids": [row["id"] for row in taken]})

        return await self._connections.run(work)

    async def told(self, ids: Sequence[int], error: str | None = None) -> None:
        """Matches were sent, or were not because of *error*."""
        await self._do(TOLD, ids=list(ids), error=preparing.clean(error))

    async def latest_matches(self, watch: str, limit: int) -> list[Row]:
        """The latest articles that match, latest first."""
        return await self._do(LATEST_MATCHES, watch=watch, limit=limit)
