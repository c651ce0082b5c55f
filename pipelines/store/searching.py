"""What articles are searched by, kept in the transaction that keeps the articles; and the search itself."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import AsyncConnection

# Stemming is most of what storing an article costs, so a version that is not the current one is left out.
SAVE_SEARCH = """
    INSERT INTO ingest.search (article_id, at, language, vector)
    SELECT article.id, coalesce(version.published_at, article.first_seen_at), coalesce(version.language, ''),
           ingest.search_vector(version.language, version.title, version.teaser, version.text)
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    WHERE article.id = ANY (%s)
    ORDER BY article.id
    ON CONFLICT (article_id) DO UPDATE
    SET at = excluded.at, language = excluded.language, vector = excluded.vector
    WHERE (search.at, search.language, search.vector) IS DISTINCT FROM (excluded.at, excluded.language, excluded.vector)
"""

# One process at a time; who does not get the lock has nothing to do.
FLUSH = """
    SELECT ingest.flush_search()
    FROM (SELECT pg_try_advisory_xact_lock(6224537, 2) AS mine OFFSET 0) AS asked WHERE mine
"""

SEARCH = """
    SELECT article_id AS id, rank, published_at, source_name AS source, title, snippet, canonical_url, language, copy_of
    FROM news.search(%(query)s, lang => %(language)s, since => %(since)s, source => %(source)s, max_rows => %(limit)s)
"""


# What is set comes before the search, which asks whether it is.
SEARCH_BY_MEANING = """
    SELECT article_id AS id, rank, published_at, source_name AS source, title, snippet, canonical_url, language, copy_of
    FROM set_config('nachlese.meaning', %(meaning)s, true) AS told
    CROSS JOIN LATERAL news.search(
        %(query)s, meaning => told <> '', lang => %(language)s, since => %(since)s, source => %(source)s,
        max_rows => %(limit)s)
"""


async def save(connection: AsyncConnection, article_ids: Iterable[int]) -> None:
    """Make the articles found by their current words. Their rows must be written."""
    ids = sorted(set(article_ids))
    if ids:
        await connection.execute(SAVE_SEARCH, [ids])


async def flush(connection: AsyncConnection) -> None:
    """Move what was written lately into the index proper: readers then find it without reading through all of it."""
    await connection.execute(FLUSH)
