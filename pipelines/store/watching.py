"""Watchlists: matched in the transaction that saves an article, delivered from the rows that this leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

from psycopg import AsyncConnection

from pipelines.store import row_mapping
from pipelines.store.models import Row, WatchRow
from pipelines.store.session import Session, named_rows, rows_of

MAX_ATTEMPTS = 12
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)

SAVE_WATCHES = """
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
SAVE_MATCHES = """
    WITH kept AS MATERIALIZED (
        SELECT search.article_id, search.language, search.vector || '' AS vector,
               article.source, article.version, wanted.is_due
        FROM unnest(%(ids)s::bigint[], %(to_deliver)s::boolean[]) AS wanted (id, is_due)
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
    SELECT query.name, kept.article_id, kept.version, CASE WHEN query.has_hook AND kept.is_due THEN now() END
    FROM queries AS query
    JOIN kept ON kept.language = query.language AND kept.vector @@ query.wanted
        AND NOT kept.vector @@ query.unwanted AND (query.sources = '{}' OR kept.source = ANY (query.sources))
    ORDER BY query.name, kept.article_id
    ON CONFLICT DO NOTHING
    RETURNING article_id, watch
"""

# What is taken is due again later whatever happens, so that a killed process loses nothing.
CLAIM_MATCHES = """
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

DUE_WATCHLISTS = """
    SELECT DISTINCT watch FROM ingest.matches WHERE next_attempt_at <= now() AND delivered_at IS NULL
"""

MATCHES_BY_ID = """
    SELECT match.id, match.watch, match.article_id, match.version, match.matched_at, match.source,
           match.canonical_url AS url, article.title, article.teaser, article.published_at, article.language
    FROM news.matches AS match
    JOIN news.articles AS article ON article.id = match.article_id
    WHERE match.id = ANY (%(ids)s)
    ORDER BY match.id
"""

MARK_DELIVERED = """
    UPDATE ingest.matches
    SET error = NULL, delivered_at = now(), next_attempt_at = NULL
    WHERE id = ANY (%(ids)s)
"""
# not before the address wants it; null: that was the last try
MARK_REFUSED = """
    UPDATE ingest.matches
    SET error = %(error)s, next_attempt_at =
            CASE WHEN next_attempt_at IS NOT NULL THEN greatest(next_attempt_at, now() + %(wait)s::interval) END
    WHERE id = ANY (%(ids)s)
"""

# An article that matched in several wordings is one entry.
LATEST_MATCHES = """
    SELECT wanted.name AS watch, latest.*
    FROM unnest(%(watches)s::text[]) AS wanted (name)
    CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT DISTINCT ON (match.article_id) match.id, match.article_id, match.matched_at, match.source,
                   match.canonical_url AS url, article.title, article.teaser, article.published_at, article.language,
                   article.authors
            FROM (SELECT * FROM news.matches WHERE watch = wanted.name ORDER BY id DESC LIMIT 4 * %(limit)s) AS match
            JOIN news.articles AS article ON article.id = match.article_id
            ORDER BY match.article_id, match.id DESC) AS each
        ORDER BY id DESC
        LIMIT %(limit)s) AS latest
    ORDER BY latest.id DESC
"""


async def save(connection: AsyncConnection, to_deliver: Mapping[int, bool]) -> dict[int, tuple[str, ...]]:
    """Write what of the articles matches a watchlist; article id -> whether it is sent on (a replay's is not).

    Article id -> the watchlists that it matches.
    """
    if not to_deliver:
        return {}
    ids = sorted(to_deliver)
    values = {"ids": ids, "to_deliver": [to_deliver[number] for number in ids]}
    found: dict[int, tuple[str, ...]] = {}
    for row in await named_rows(connection, SAVE_MATCHES, values):
        found[row.article_id] = (*found.get(row.article_id, ()), row.watch)
    return found


def claim_values(watch: str, limit: int) -> Row:
    waits = {"first": FIRST_WAIT, "longest": LONGEST_WAIT, "most": MAX_ATTEMPTS}
    return {"watch": watch, "limit": limit} | waits


class Watches(Session):
    """What ``Store`` does about watchlists."""

    async def save_watchlists(self, watches: Sequence[WatchRow]) -> None:
        """The watchlists that articles are matched by from now on; others are forgotten, their matches stay."""
        text = row_mapping.dumps([row_mapping.clean(asdict(watch)) for watch in watches])
        values = {"watches": text, "names": [watch.name for watch in watches]}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(SAVE_WATCHES, values)
            await connection.execute(FORGET_WATCHES, values)

        await self._connections.run(work)

    async def due_watchlists(self) -> set[str]:
        """The names of those with a match that is due to be sent."""
        return {row["watch"] for row in await self._do(DUE_WATCHLISTS)}

    async def claim_matches(self, watch: str, limit: int) -> list[Row]:
        """Matches that are due to be sent; they come again later unless ``mark_delivered`` says that they were."""

        async def work(connection: AsyncConnection) -> list[Row]:
            taken = await rows_of(connection, CLAIM_MATCHES, claim_values(watch, limit))
            return await rows_of(connection, MATCHES_BY_ID, {"ids": [row["id"] for row in taken]})

        return await self._connections.run(work)

    async def mark_delivered(self, ids: Sequence[int]) -> None:
        """Matches were sent."""
        await self._do(MARK_DELIVERED, ids=list(ids))

    async def mark_refused(self, ids: Sequence[int], error: str, wait: timedelta | None = None) -> None:
        """Matches were not taken because of *error*; they are due again when they were to be, after *wait* at least."""
        await self._do(MARK_REFUSED, ids=list(ids), error=row_mapping.clean(error), wait=wait)

    async def latest_matches(self, watches: Sequence[str], limit: int) -> dict[str, list[Row]]:
        """The latest articles that match each of *watches*, latest first."""
        found: dict[str, list[Row]] = {name: [] for name in watches}
        for row in await self._do(LATEST_MATCHES, watches=list(found), limit=limit):
            found[row["watch"]].append(row)
        return found
