"""Queries for people: the statements behind ``nachlese status``, ``articles`` and ``explain``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from psycopg import AsyncConnection

from pipelines.storable import clean
from pipelines.store import searching
from pipelines.store.keys import page_key
from pipelines.store.session import Session, rows_of

if TYPE_CHECKING:
    from pipelines.store.models import Row

ARTICLES_AT_A_TIME = 200  # some megabytes

STATUS = "SELECT * FROM news.sources ORDER BY name"

# what the sites say now; the example is the newest article that says something
RIGHTS = """
    SELECT source,
           count(*) AS articles,
           count(*) FILTER (WHERE tdm_reserved) AS tdm_reserved,
           count(*) FILTER (WHERE 'noai' = ANY (robots_directives)) AS noai,
           count(*) FILTER (WHERE robots_directives && '{noarchive,none}') AS noarchive,
           count(*) FILTER (WHERE cardinality(ai_crawlers_disallowed) > 0) AS ai_crawlers,
           count(*) FILTER (WHERE license IS NOT NULL) AS licensed,
           count(*) FILTER (WHERE text_withheld) AS withheld,
           mode() WITHIN GROUP (ORDER BY tdm_policy) AS tdm_policy,
           mode() WITHIN GROUP (ORDER BY license) AS license,
           mode() WITHIN GROUP (ORDER BY nullif(ai_crawlers_disallowed, '{}')) AS ai_crawlers_disallowed
    FROM news.articles
    WHERE first_seen_at >= %(since)s AND (%(sources)s::text[] IS NULL OR source = ANY (%(sources)s))
    GROUP BY source
    ORDER BY source
"""

BATCHES = "SELECT * FROM news.batches WHERE ended_at IS NULL OR %(all)s ORDER BY id DESC LIMIT %(limit)s"
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

IS_KNOWN = {
    "source": "SELECT EXISTS (SELECT FROM ingest.sources WHERE name = %(name)s) AS known",
    "watchlist": """
        SELECT EXISTS (SELECT FROM ingest.watches WHERE name = %(name)s)
            OR EXISTS (SELECT FROM ingest.matches WHERE watch = %(name)s) AS known""",
}

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


OPEN_ALARMS = "SELECT * FROM news.alarms WHERE closed_at IS NULL ORDER BY source, id"

HEALTH = """
    SELECT health.*, alarm.says, alarm.advice FROM news.health AS health
    LEFT JOIN news.alarms AS alarm ON alarm.id = health.alarm_id
    WHERE %(source)s::text IS NULL OR health.source = %(source)s
    ORDER BY health.source, health.measure
"""

SIZES = """
    SELECT class.relname AS name, greatest(class.reltuples, 0)::bigint AS rows,
           pg_table_size(class.oid) AS bytes, pg_indexes_size(class.oid) AS index_bytes,
           obj_description(class.oid) AS about
    FROM pg_class AS class
    WHERE class.relnamespace = 'ingest'::regnamespace AND class.relkind = 'r'
    ORDER BY pg_total_relation_size(class.oid) DESC
"""
WHOLE = "SELECT pg_database_size(current_database()) AS bytes"


class Queries(Session):
    """What people and programs ask that look. A command that only looks opens this instead of a whole ``Store``."""

    async def size(self) -> Row:
        """{bytes, tables: [{name, rows, bytes, index_bytes, about}]}, the largest first; rows are Postgres's
        estimate."""
        return {"bytes": (await self._do(WHOLE))[0]["bytes"], "tables": await self._do(SIZES)}

    async def open_alarms(self) -> list[Row]:
        """``news.alarms`` that are open."""
        return await self._do(OPEN_ALARMS)

    async def health(self, source: str | None = None) -> list[Row]:
        """``news.health``, with the sentence of an open alarm."""
        return await self._do(HEALTH, source=source)

    async def is_known(self, kind: Literal["source", "watchlist"], name: str) -> bool:
        """Whether there is, or was, a source or watchlist of this name."""
        return bool((await self._do(IS_KNOWN[kind], name=name))[0]["known"])

    async def status(self) -> list[Row]:
        """``news.sources``: a row per source with its last and next run."""
        return await self._do(STATUS)

    async def rights(self, since: datetime, sources: list[str] | None = None) -> list[Row]:
        """A row per source: what is said now about the rights in the articles that were first seen since then."""
        return await self._do(RIGHTS, since=since, sources=sources)

    async def last_runs(self, source: str | None = None, limit: int = 20) -> list[Row]:
        """``news.runs``, latest first."""
        return await self._do(LAST_RUNS, source=source, limit=limit)

    async def batches(self, limit: int = 20, is_all: bool = True) -> list[Row]:
        """``news.batches``, latest first; not *is_all*: those that have not ended."""
        return await self._do(BATCHES, limit=limit, all=is_all)

    async def articles(
        self,
        source: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        copies: bool = True,
        words: str | None = None,
    ) -> list[Row]:
        """``news.articles``, latest published first. *since* is compared with published, or first seen where unknown.

        *copies* False leaves copies out; *words* must all occur in title, teaser or text.
        """
        like = [f"%{_escaped(word)}%" for word in (words or "").split()]
        return await self._do(ARTICLES, source=source, since=since, limit=limit, copies=copies, words=like)

    async def each_article(
        self,
        source: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        copies: bool = True,
        words: str | None = None,
    ) -> AsyncIterator[Row]:
        """As `articles`, without end and without holding more than a few of them at a time."""
        like = [f"%{_escaped(word)}%" for word in (words or "").split()]
        found = await self._do(ARTICLE_IDS, source=source, since=since, limit=limit, copies=copies, words=like)
        ids = [row["id"] for row in found]
        for start in range(0, len(ids), ARTICLES_AT_A_TIME):
            for row in await self._do(ARTICLES_BY_ID, ids=ids[start : start + ARTICLES_AT_A_TIME]):
                yield row

    async def export(
        self,
        watch: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        copies: bool = True,
    ) -> AsyncIterator[list[Row]]:
        """Rows of ``news.articles``, oldest number first, a few hundred at a time.

        *watch*: those whose current wording matches that watchlist.
        """
        found = await self._do(EXPORT_IDS, watch=watch, source=source, since=since, until=until, copies=copies)
        ids = [row["id"] for row in found]
        for start in range(0, len(ids), ARTICLES_AT_A_TIME):
            yield await self._do(ARTICLES_BY_ID, ids=ids[start : start + ARTICLES_AT_A_TIME])

    async def search(
        self,
        query: str,
        language: str | None = None,
        since: datetime | None = None,
        source: str | None = None,
        limit: int = 20,
        meaning: str | None = None,
    ) -> list[Row]:
        """``news.search``, best first; ``id`` is the article's. Nothing is found by a query without words.

        *meaning*: the vector of the query (``pipelines.meaning``), to find also what means the like.
        """
        values = {"query": clean(query), "language": language, "since": since, "source": source, "limit": limit}
        if meaning is None:
            return await self._do(searching.SEARCH, **values)
        return await self._do(searching.SEARCH_BY_MEANING, meaning=meaning, **values)

    async def article(self, id_or_url: int | str) -> Row | None:
        """One row of ``news.articles``, with ``removed``: a list of {rule, text}."""
        key = page_key(id_or_url) if isinstance(id_or_url, str) else None
        number = id_or_url if isinstance(id_or_url, int) else None
        rows = await self._do(ARTICLE, number=number, key=key)
        return rows[0] if rows else None

    async def explain(self, url: str) -> Row:
        """One page's story: {url, pages, endings, attempts, article, versions, archive}; what is unknown is empty."""
        key = page_key(clean(url))
        return await self._connections.run(lambda connection: explain(connection, url, key))


async def explain(connection: AsyncConnection, url: str, key: bytes) -> Row:
    """One page's story, for ``Store.explain``."""
    values: Row = {"key": key, "number": None}

    async def rows(statement: str) -> list[Row]:
        return await rows_of(connection, statement, values)

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


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
