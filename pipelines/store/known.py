"""What the database knows about the pages, articles and texts of a batch, read before the batch is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from psycopg import AsyncConnection

from pipelines.dedupe import KnownArticle, KnownVersion
from pipelines.revisions import Revision
from pipelines.store import near_duplicates, owners, row_mapping
from pipelines.store.models import PageOutcome, Row
from pipelines.store.near_duplicates import NearDuplicates
from pipelines.store.row_mapping import Item
from pipelines.store.session import named_rows

SAVE_SOURCE_NAMES = """
    INSERT INTO ingest.sources (name, title)
    SELECT name, name FROM unnest(%s::text[]) AS name
    ON CONFLICT DO NOTHING
"""

SAVE_PAGES = """
    INSERT INTO ingest.pages (source, url_key, url, hint)
    SELECT source, decode(url_key, 'hex'), url, hint
    FROM jsonb_to_recordset(%s) AS row (source text, url_key text, url text, hint jsonb)
    ORDER BY url_key, source
    ON CONFLICT DO NOTHING
    RETURNING id
"""

LOCK_PAGES = """
    SELECT page.id, page.source, page.url_key, page.state, page.checks_unchanged
    FROM ingest.pages AS page
    JOIN unnest(%s::text[], %s::bytea[]) AS wanted (source, url_key)
      ON wanted.source = page.source AND wanted.url_key = page.url_key
    ORDER BY page.id
    FOR NO KEY UPDATE OF page
"""

FIND_ENDED = """
    SELECT done.run_id, done.page_id, done.item, done.fetched_at, done.content_key,
           done.ending, done.article_id, done.version, done.copy_of
    FROM ingest.run_pages AS done
    JOIN unnest(%s::bigint[], %s::bigint[], %s::text[]) AS wanted (run_id, page_id, item)
      ON wanted.run_id = done.run_id AND wanted.page_id = done.page_id AND wanted.item = done.item
    WHERE done.article_id IS NOT NULL
"""

FIND_ARTICLES = """
    SELECT article.id, article.url_key, article.url, article.source, article.version AS current, article.first_seen_at,
           article.fetched_at AS confirmed_at,
           version.number, version.content_key, version.body_key, version.fetched_at,
           article.copy_of, article.copy_similarity, article.copy_kept, article.copy_own
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id
    WHERE article.url_key = ANY (%s)
"""

FIND_WORDINGS = """
    SELECT version.article_id, version.title, version.teaser, version.text
    FROM unnest(%s::bigint[], %s::integer[]) AS wanted (article_id, number)
    JOIN ingest.versions AS version ON version.article_id = wanted.article_id AND version.number = wanted.number
"""

FIND_FIRSTS = """
    SELECT DISTINCT ON (version.text_key) version.text_key, version.article_id, version.number, version.title,
           article.version AS current, article.copy_of, article.copy_similarity, article.copy_kept, article.copy_own
    FROM ingest.versions AS version
    JOIN ingest.articles AS article ON article.id = version.article_id
    WHERE version.text_key = ANY (%s)
    ORDER BY version.text_key, version.serial
"""

NEW_ARTICLE_IDS = """
    SELECT nextval(pg_get_serial_sequence('ingest.articles', 'id')) FROM generate_series(1, %s)
"""

SAVE_ARCHIVE_RECORDS = """
    INSERT INTO ingest.archive_records (file, record_offset, length, source, url, fetched_at, run_id)
    SELECT DISTINCT ON (file, record_offset) file, record_offset, length, source, url, fetched_at, run_id
    FROM jsonb_to_recordset(%s) AS row (
        file text, record_offset bigint, length bigint, source text, url text, fetched_at timestamptz, run_id bigint)
    ORDER BY file, record_offset
    ON CONFLICT (file, record_offset) DO UPDATE SET length = excluded.length
    RETURNING file, record_offset, id
"""


class First(NamedTuple):
    """The article and version that had a text first, with its headline."""

    article_id: int
    version: int
    title: str


@dataclass
class Known:
    """What the database knows about the articles and texts of a batch, kept up to date while the batch is decided."""

    articles: dict[bytes, KnownArticle] = field(default_factory=dict)
    first_seen: dict[int, datetime] = field(default_factory=dict)
    confirmed: dict[int, datetime] = field(default_factory=dict)  # the newest fetch that found the article
    firsts: dict[bytes, First] = field(default_factory=dict)  # text -> who had it first
    ids: dict[bytes, int] = field(default_factory=dict)  # of the articles that are not stored yet
    current_revisions: dict[int, Revision] = field(default_factory=dict)  # the current ones
    copies: NearDuplicates = field(default_factory=NearDuplicates)
    sources: dict[int, str] = field(default_factory=dict)  # whose the articles are
    hosts: dict[str, list[str]] = field(default_factory=dict)  # of all sources

    def article_id(self, item: Item) -> int:
        """The article of a page; -1 where it has none, and none was reserved."""
        article = self.articles.get(item.article_key)
        return article.id if article else self.ids.get(item.article_key, -1)


async def lock_pages(
    connection: AsyncConnection, items: Sequence[Item]
) -> tuple[dict[tuple[str, bytes], Row], set[int]]:
    """The frontier rows of *items* by source and key, made where they are missing, and the ids of those made."""
    await connection.execute(SAVE_SOURCE_NAMES, [sorted({item.source for item in items})])
    rows = [
        {"source": item.source, "url_key": item.page_key, "url": item.page_url, "hint": item.hint} for item in items
    ]
    saved = await connection.execute(SAVE_PAGES, [row_mapping.dumps(rows)])
    wanted = sorted({(item.source, item.page_key) for item in items})
    locked = await named_rows(connection, LOCK_PAGES, [[source for source, _ in wanted], [key for _, key in wanted]])
    made = {row[0] for row in await saved.fetchall()}
    return {(row.source, bytes(row.url_key)): row._asdict() for row in locked}, made


async def ended_before(
    connection: AsyncConnection, items: Sequence[Item], pages: dict[tuple[str, bytes], Row]
) -> dict[tuple[int, int, str, datetime, bytes], PageOutcome]:
    """Endings of these very items that an earlier try has written: its COMMIT's answer was lost."""
    ids = [pages[item.source, item.page_key]["id"] for item in items]
    values = [[item.run.id for item in items], ids, [item.name for item in items]]
    return {
        (row.run_id, row.page_id, row.item, row.fetched_at, row.content_key): PageOutcome(
            row.ending, row.article_id, row.copy_of, row.version
        )
        for row in await named_rows(connection, FIND_ENDED, values)
    }


async def find_known(connection: AsyncConnection, items: Sequence[Item], is_preview: bool = False) -> Known:
    known = Known(hosts={} if is_preview else await owners.hosts_of_sources(connection))
    await _find_articles(connection, items, known)
    firsts = await named_rows(connection, FIND_FIRSTS, [list({item.seen.text_key for item in items})])
    known.firsts = {row.text_key: First(row.article_id, row.number, row.title) for row in firsts}
    missing = sorted({item.article_key for item in items} - known.articles.keys())
    if missing and not is_preview:
        cursor = await connection.execute(NEW_ARTICLE_IDS, [len(missing)])
        places = {item.article_key: place for place, item in reversed(list(enumerate(items)))}
        numbers = sorted(row[0] for row in await cursor.fetchall())
        known.ids = dict(zip(sorted(missing, key=places.__getitem__), numbers, strict=True))

    # after the articles are known, for whose bands shall be claimed needs their numbers; before the texts, which may be
    # those of the writer that a claim has waited for
    strange = [item for item in items if _may_be_a_copy(known, item)]
    stored = known.copies
    bands = [band for item in strange for band in item.version["bands"]]
    async with connection.pipeline():
        if not is_preview:
            claims = [(known.article_id(item), item.version["bands"]) for item in strange]
            await near_duplicates.claim(connection, claims)
        known.copies = await near_duplicates.known(connection, bands, set(known.ids.values()))
    known.copies.duplicates_of = known.copies.duplicates_of | stored.duplicates_of
    known.copies.current = known.copies.current | stored.current
    for row in firsts:
        known.copies.duplicates_of.setdefault(row.article_id, near_duplicates.duplicate_of_row(row))
        known.copies.current.setdefault(row.article_id, row.current)
    return known


async def _find_articles(connection: AsyncConnection, items: Sequence[Item], known: Known) -> None:
    for row in await named_rows(connection, FIND_ARTICLES, [list({item.article_key for item in items})]):
        before = known.articles.get(row.url_key)
        version = KnownVersion(row.number, row.content_key, row.body_key, row.fetched_at)
        versions = (*before.versions, version) if before else (version,)
        read_key = before.read_key if before else row_mapping.page_key(row.url)
        known.articles[row.url_key] = KnownArticle(row.id, row.current, versions, row.url_key, read_key)
        known.first_seen[row.id] = row.first_seen_at
        known.confirmed[row.id] = row.confirmed_at
        known.sources[row.id] = row.source
        known.copies.duplicates_of[row.id] = near_duplicates.duplicate_of_row(row)
        known.copies.current[row.id] = row.current
    changed = {(known.articles[item.article_key].id, known.articles[item.article_key].current)
               for item in items if not is_as_stored(known, item) and item.article_key in known.articles}  # fmt: skip
    if changed:
        numbers = [[pair[0] for pair in changed], [pair[1] for pair in changed]]
        for row in await named_rows(connection, FIND_WORDINGS, numbers):
            known.current_revisions[row.article_id] = Revision(row.title, row.teaser, row.text)


def is_as_stored(known: Known, item: Item) -> bool:
    article = known.articles.get(item.article_key)
    return article is not None and article.current_version.content_key == item.seen.content_key


def _may_be_a_copy(known: Known, item: Item) -> bool:
    """Whether it takes a look at its bands to know whose copy a text is."""
    first = known.firsts.get(item.seen.text_key)
    is_exact = first is not None and first.article_id != known.article_id(item)
    return item.version["bands"] is not None and not is_exact and not is_as_stored(known, item)


async def keep_archive_records(connection: AsyncConnection, items: Sequence[Item]) -> dict[tuple[str, int], int]:
    rows = [
        {
            "file": item.archived.file,
            "record_offset": item.archived.offset,
            "length": item.archived.length,
            "source": item.source,
            "url": item.article_url,
            "fetched_at": item.fetched_at,
            "run_id": item.run.id,
        }
        for item in items
        if item.archived
    ]
    if not rows:
        return {}
    cursor = await connection.execute(SAVE_ARCHIVE_RECORDS, [row_mapping.dumps(rows)])
    return {(file, offset): number for file, offset, number in await cursor.fetchall()}
