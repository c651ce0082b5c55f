"""What people look at: the statements behind ``nachlese status``, ``articles`` and ``explain``."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

STATUS = "SELECT * FROM news.sources ORDER BY name"

LAST_RUNS = """
    SELECT * FROM news.runs
    WHERE %(source)s::text IS NULL OR source = %(source)s
    ORDER BY started_at DESC, id DESC
    LIMIT %(limit)s::bigint
"""

ARTICLES = """
    SELECT * FROM news.articles AS article
    WHERE (%(source)s::text IS NULL OR source = %(source)s)
      AND (%(since)s::timestamptz IS NULL OR coalesce(published_at, first_seen_at) >= %(since)s)
      AND (%(copies)s OR copy_of IS NULL)
      AND NOT EXISTS (
          SELECT FROM unnest(%(words)s::text[]) AS word
          WHERE concat_ws(' ', article.title, article.teaser, article.text) NOT ILIKE word)
    ORDER BY published_at DESC NULLS LAST, first_seen_at DESC, id DESC
    LIMIT %(limit)s::bigint
"""

# For lists that may be long: the numbers first, in the same order, then the rows a few at a time.
ARTICLE_IDS = ARTICLES.replace("SELECT * FROM", "SELECT article.id FROM", 1)

# By number, so that two exports of the same rows are the same file.
EXPORT_IDS = """
    SELECT article.id
    FROM news.articles AS article
    WHERE (%(source)s::text IS NULL OR article.source = %(source)s)
      AND (%(since)s::timestamptz IS NULL OR coalesce(published_at, first_seen_at) >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR coalesce(published_at, first_seen_at) < %(until)s)
      AND (%(copies)s OR copy_of IS NULL)
      AND (%(watch)s::text IS NULL OR EXISTS (
          SELECT FROM ingest.matches AS match
          WHERE match.watch = %(watch)s AND match.article_id = article.id AND match.version = article.version))
    ORDER BY article.id
"""

ARTICLES_BY_ID = """
    SELECT * FROM news.articles AS article
    WHERE id = ANY (%(ids)s::bigint[])
    ORDER BY array_position(%(ids)s::bigint[], id)
"""

ARTICLE = """
    SELECT article.*, version.removed
    FROM news.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    WHERE article.id = coalesce(
        %(number)s,
        (SELECT id FROM ingest.articles WHERE url_key = %(key)s),
        (SELECT article_id FROM ingest.pages WHERE url_key = %(key)s AND article_id IS NOT NULL LIMIT 1))
"""

PAGES = """
    SELECT source, url, found_on, found_at, state, ending, reason, detail, http_status, attempts,
           CASE WHEN state = 'pending' THEN next_attempt_at END AS next_attempt_at, ended_at, last_fetched_at,
           next_check_at, article_id
    FROM ingest.pages
    WHERE id IN (
        SELECT id FROM ingest.pages WHERE url_key = %(key)s
        UNION
        SELECT id FROM ingest.pages WHERE article_id = (SELECT id FROM ingest.articles WHERE url_key = %(key)s))
    ORDER BY found_at, id
"""

ENDINGS = """
    SELECT run.id AS run, run.kind, run.source, done.recorded_at AS at, done.ending, done.reason, done.detail,
           done.article_id, done.version, done.copy_of
    FROM ingest.run_pages AS done
    JOIN ingest.pages AS page ON page.id = done.page_id
    JOIN ingest.runs AS run ON run.id = done.run_id
    WHERE page.url_key = %(key)s
    ORDER BY done.recorded_at, run.id
"""

ATTEMPTS = """
    SELECT attempt.at, attempt.run_id AS run, attempt.status, attempt.ms, attempt.bytes, attempt.outcome, attempt.detail
    FROM ingest.attempts AS attempt
    JOIN ingest.pages AS page ON page.id = attempt.page_id
    WHERE page.url_key = %(key)s
    ORDER BY attempt.id
"""

VERSIONS = """
    SELECT version.version, version.is_current, version.fetched_at, version.title, version.word_count,
           version.reader_version
    FROM news.versions AS version
    WHERE version.article_id = %(article)s
    ORDER BY version.fetched_at, version.version
"""

ARCHIVE = """
    SELECT file, record_offset AS "offset", length, fetched_at
    FROM ingest.archive_records
    WHERE id IN (
        SELECT id FROM ingest.archive_records WHERE url = ANY (%(urls)s)
        UNION
        SELECT archive_record_id FROM ingest.versions WHERE article_id = %(article)s)
    ORDER BY fetched_at, file, record_offset
"""


async def explain(connection: AsyncConnection, url: str, key: bytes) -> dict[str, Any]:
    """One page's story, for ``Store.explain``."""
    values: dict[str, Any] = {"key": key, "number": None}

    async def rows(statement: str) -> list[dict[str, Any]]:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(statement, values)
        return await cursor.fetchall()

    pages = await rows(PAGES)
    found = await rows(ARTICLE)
    article = found[0] if found else None
    values |= {"article": article["id"] if article else None, "urls": [url, *(page["url"] for page in pages)]}
    return {
        "url": url,
        "pages": pages,
        "endings": await rows(ENDINGS),
        "attempts": await rows(ATTEMPTS),
        "article": article,
        "versions": await rows(VERSIONS) if article else [],
        "archive": await rows(ARCHIVE),
    }
