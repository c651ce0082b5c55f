"""Files of the archive that are gone with the machine that had them, and asking again for what only they held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg import AsyncConnection

from pipelines.store.models import Row
from pipelines.store.retention import DELETE_RECORDS, FORGET_RECORDS
from pipelines.store.session import Session, rows_of

LOST = """
    SELECT record.file, count(*) AS records, count(DISTINCT article.id) AS articles,
           min(record.fetched_at) AS first_fetched_at, max(record.fetched_at) AS last_fetched_at
    FROM ingest.archive_records AS record
    LEFT JOIN ingest.versions AS version ON version.archive_record_id = record.id
    LEFT JOIN ingest.articles AS article ON article.id = version.article_id AND article.version = version.number
    WHERE record.file <> ALL (%(files)s)
    GROUP BY record.file HAVING max(record.fetched_at) < %(before)s
    ORDER BY record.file
"""
PAGES = """
    SELECT record.url, record.source, record.fetched_at, EXISTS (
        SELECT FROM ingest.versions AS version
        JOIN ingest.articles AS article ON article.id = version.article_id AND article.version = version.number
        WHERE version.archive_record_id = record.id) AS is_current
    FROM ingest.archive_records AS record
    WHERE record.file = %(file)s
    ORDER BY record.record_offset
"""
# no conditions: a site that answers "not modified" would give no bytes
ASK_AGAIN = """
    UPDATE ingest.pages AS page
    SET next_check_at = now(), etag = NULL, last_modified = NULL, checks_unchanged = 0
    FROM ingest.archive_records AS record
    JOIN ingest.versions AS version ON version.archive_record_id = record.id
    JOIN ingest.articles AS article ON article.id = version.article_id AND article.version = version.number
    WHERE record.file = %(file)s AND page.article_id = article.id AND page.state = 'ended' AND article.gone_at IS NULL
"""


class ArchiveFiles(Session):
    """What ``Store`` does about files of the archive."""

    async def lost_archive_files(self, files: Sequence[str], before: datetime) -> list[Row]:
        """Files with records of which none is among *files*, the names of those that are there.

        {file, records, articles: whose current wording lies there, first_fetched_at, last_fetched_at}. Left out are
        those with a page fetched since *before*: another machine may write them now.
        """
        values: Row = {"files": list(files), "before": before}
        return await self._connections.run(lambda connection: rows_of(connection, LOST, values))

    async def pages_in_archive_file(self, file: str) -> list[Row]:
        """{url, source, fetched_at, is_current: an article's current wording lies there} of each page in *file*."""
        return await self._do(PAGES, file=file)

    async def ask_again_for(self, file: str) -> int:
        """Forget a file's records; the pages of current wordings in it are due for a look. How many pages."""

        async def work(connection: AsyncConnection) -> int:
            asked = await connection.execute(ASK_AGAIN, {"file": file})
            for statement in (FORGET_RECORDS, DELETE_RECORDS):
                await connection.execute(statement, {"file": file})
            return asked.rowcount

        return await self._connections.run(work)
