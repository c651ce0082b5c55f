"""Pages that ended without an article are asked for again: they become pending, as if they had just been found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg import AsyncConnection

from pipelines.store.session import rows_of
from pipelines.store.shapes import Row

# rejected for good; of a stored article whose page was rejected when it was looked at again, only the next look is due
WHICH = """
    state = 'ended' AND reason = ANY (%(reasons)s)
      AND (ending = 'rejected' OR article_id IS NOT NULL)
      AND (%(sources)s::text[] IS NULL OR source = ANY (%(sources)s))
      AND (%(since)s::timestamptz IS NULL OR ended_at >= %(since)s)
"""

COUNT = f"""
    SELECT source, reason, count(*)::integer AS pages FROM ingest.pages WHERE {WHICH}
    GROUP BY source, reason ORDER BY source, reason
"""

# reason and detail stay: they say why the page is asked for again
RETRY = f"""
    WITH wanted AS (
        SELECT id, source, reason FROM ingest.pages WHERE {WHICH} ORDER BY id FOR NO KEY UPDATE
    ), retried AS (
        UPDATE ingest.pages AS page
        SET state = CASE WHEN page.ending = 'rejected' THEN 'pending' ELSE page.state END,
            ending = CASE WHEN page.ending = 'rejected' THEN NULL ELSE page.ending END,
            attempts = 0, next_attempt_at = now(),
            next_check_at = CASE WHEN page.ending = 'rejected' THEN NULL ELSE now() END
        FROM wanted WHERE page.id = wanted.id
        RETURNING page.id, wanted.source, wanted.reason
    )
    SELECT source, reason, count(*)::integer AS pages, array_agg(id) AS ids FROM retried
    GROUP BY source, reason ORDER BY source, reason
"""

# the latest bytes of each page that has no end
ARCHIVED = """
    SELECT DISTINCT ON (page.id) page.source, page.url, record.file, record.record_offset, record.length
    FROM ingest.pages AS page
    JOIN ingest.archive_records AS record ON record.url = page.url AND record.source = page.source
    WHERE page.id = ANY (%(ids)s) AND page.state = 'pending'
    ORDER BY page.id, record.fetched_at DESC, record.id DESC
"""


async def retry(
    connection: AsyncConnection,
    reasons: Sequence[str],
    sources: Sequence[str] | None,
    since: datetime | None,
    is_dry: bool,
) -> tuple[list[Row], list[Row]]:
    """([{source, reason, pages}], [{source, url, file, record_offset, length}]): what was asked for again, and where
    the archive has it. *is_dry*: only counted.
    """
    values: Row = {"reasons": list(reasons), "sources": list(sources) if sources else None, "since": since}
    if is_dry:
        return await rows_of(connection, COUNT, values), []
    counted = await rows_of(connection, RETRY, values)
    ids = [number for row in counted for number in row.pop("ids")]
    return counted, await rows_of(connection, ARCHIVED, {"ids": ids})
