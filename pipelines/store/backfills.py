"""How far the files of a backfill, and of the archive when it is read again, were read, and who reads them now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from psycopg import AsyncConnection

from pipelines.database import DatabaseError
from pipelines.store.models import Row
from pipelines.store.session import Session, rows_of

#: a file of a process that says nothing for so long is anybody's
CLAIMED_FOR = timedelta(seconds=60)

FIND = """
    SELECT file, selection, size, position, skipped, damaged, is_done
    FROM ingest.backfills WHERE file = %(file)s AND selection = %(selection)s
"""

SAVE = """
    INSERT INTO ingest.backfills (file, selection, size, position, skipped, damaged, is_done)
    VALUES (%(file)s, %(selection)s, %(size)s, %(position)s, %(skipped)s, %(damaged)s, %(is_done)s)
    ON CONFLICT (file, selection) DO UPDATE
    SET size = excluded.size, position = excluded.position, skipped = excluded.skipped, damaged = excluded.damaged,
        is_done = excluded.is_done, saved_at = clock_timestamp()
"""

CLAIM = """
    INSERT INTO ingest.file_claims AS claim (file, selection, worker_id, until)
    VALUES (%(file)s, %(selection)s, %(worker)s, clock_timestamp() + %(lease)s)
    ON CONFLICT (file, selection) DO UPDATE SET worker_id = excluded.worker_id, until = excluded.until
    WHERE claim.until < clock_timestamp() OR claim.worker_id = %(worker)s OR claim.worker_id = %(gone)s
    RETURNING file
"""
CLAIMED_BY = "SELECT worker_id FROM ingest.file_claims WHERE file = %(file)s AND selection = %(selection)s"
PROLONG = """
    UPDATE ingest.file_claims SET until = clock_timestamp() + %(lease)s
    WHERE selection = %(selection)s AND worker_id = %(worker)s
"""
RELEASE = """
    UPDATE ingest.file_claims SET until = '-infinity'
    WHERE selection = %(selection)s AND worker_id = %(worker)s AND (file = %(file)s OR %(file)s::text IS NULL)
"""

# Two processes that begin at the same moment go on with one reading.
BEGIN_REREADING = "INSERT INTO ingest.rereadings (selection) VALUES (%(selection)s) ON CONFLICT DO NOTHING RETURNING id"
OPEN_REREADING = "SELECT id, begun_at FROM ingest.rereadings WHERE selection = %(selection)s AND ended_at IS NULL"
END_REREADING = "UPDATE ingest.rereadings SET ended_at = clock_timestamp() WHERE id = %(id)s AND ended_at IS NULL"
# Another process may be at its last file when the first one has ended: what tells it what was read is left for a day.
FORGET_REREADINGS = """
    WITH gone AS (
        DELETE FROM ingest.rereadings WHERE ended_at < clock_timestamp() - interval '1 day' RETURNING id
    ), unclaimed AS (
        DELETE FROM ingest.file_claims WHERE until < clock_timestamp() - interval '1 day'
    )
    DELETE FROM ingest.backfills WHERE selection IN (SELECT 'rereading ' || id FROM gone)
"""

# A capture is known where that fetch, or one within a minute of it, has come to its end; and where the page was looked
# at live before and after it. By the page itself, or by the article where it was found under another one's name.
KNOWN_CAPTURES = """
    SELECT asked.place - 1 AS place
    FROM unnest(%(keys)s::bytea[], %(times)s::timestamptz[]) WITH ORDINALITY AS asked (key, moment, place)
    WHERE EXISTS (
        SELECT FROM ingest.pages AS page
        JOIN ingest.run_pages AS fetched ON fetched.page_id = page.id AND fetched.ending IS NOT NULL
        JOIN ingest.runs AS run ON run.id = fetched.run_id
        WHERE page.source = %(source)s AND page.url_key = asked.key
        HAVING bool_or(abs(extract(epoch FROM fetched.fetched_at - asked.moment)) <= %(near)s)
            OR asked.moment BETWEEN min(fetched.fetched_at) FILTER (WHERE run.kind IN ('crawl', 'recheck'))
                            AND max(fetched.fetched_at) FILTER (WHERE run.kind IN ('crawl', 'recheck'))
    ) OR EXISTS (
        SELECT FROM ingest.articles AS article
        JOIN ingest.versions AS version ON version.article_id = article.id
        WHERE article.url_key = asked.key
        HAVING bool_or(abs(extract(epoch FROM version.fetched_at - asked.moment)) <= %(near)s)
            OR asked.moment BETWEEN min(version.fetched_at) FILTER (WHERE version.backfilled_from IS NULL)
                            AND max(version.fetched_at) FILTER (WHERE version.backfilled_from IS NULL)
    )
"""


@dataclass(frozen=True, slots=True)
class BackfillPosition:
    """Every page before byte ``position`` is stored. ``skipped`` and ``damaged`` count what came before it."""

    file: str
    selection: str
    size: int
    position: int = 0
    skipped: int = 0
    damaged: int = 0
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Rereading:
    """A reading of the whole archive. *is_new*: nobody had begun it before."""

    id: int
    begun_at: datetime
    is_new: bool

    @property
    def selection(self) -> str:
        """Under which its files are in ``ingest.backfills``."""
        return f"rereading {self.id}"


class Backfills(Session):
    """What ``Store`` does about files of pages."""

    async def backfill_position(self, file: str, selection: str) -> BackfillPosition | None:
        """How far *file* was read for *selection*; None: it never was."""
        found = await self._do(FIND, file=file, selection=selection)
        return BackfillPosition(**found[0]) if found else None

    async def save_backfill_position(self, position: BackfillPosition) -> None:
        await self._do(SAVE, **asdict(position))

    # --- who reads a file --------------------------------------------------------------------------------------------

    async def claim_file(self, file: str, selection: str, worker: str, gone: str = "") -> str:
        """Take *file* for the process *worker*; "" where it has it now, else the process that reads it.

        *gone*: a process that is there no more, whatever it has claimed.
        """
        values: Row = {"file": file, "selection": selection, "worker": worker, "gone": gone, "lease": CLAIMED_FOR}
        if await self._do(CLAIM, **values):
            return ""
        found = await self._do(CLAIMED_BY, file=file, selection=selection)
        return str(found[0]["worker_id"]) if found else await self.claim_file(file, selection, worker, gone)

    async def prolong_claims(self, selection: str, worker: str) -> None:
        await self._do(PROLONG, selection=selection, worker=worker, lease=CLAIMED_FOR)

    async def release_claims(self, selection: str, worker: str, file: str | None = None) -> None:
        """Let go what *worker* has claimed: *file*, or all."""
        await self._do(RELEASE, selection=selection, worker=worker, file=file)

    # --- the archive, read again -------------------------------------------------------------------------------------

    async def rereading(self, selection: str, again: bool = False) -> Rereading:
        """The reading of the archive that has not come to its end, or a new one; *again*: a new one."""

        async def work(connection: AsyncConnection) -> Rereading:
            if again:
                for row in await rows_of(connection, OPEN_REREADING, {"selection": selection}):
                    await connection.execute(END_REREADING, row)
            is_new = bool(await rows_of(connection, BEGIN_REREADING, {"selection": selection}))
            (row,) = await rows_of(connection, OPEN_REREADING, {"selection": selection})
            return Rereading(row["id"], row["begun_at"], is_new)

        with suppress(DatabaseError):  # roles of an earlier version may not delete here; nothing is wrong with old rows
            await self._do(FORGET_REREADINGS)
        return await self._connections.run(work)

    async def end_rereading(self, rereading: Rereading) -> None:
        """All of the archive was read: the next reading is a new one."""
        await self._do(END_REREADING, id=rereading.id)

    # --- captures ----------------------------------------------------------------------------------------------------

    async def known_captures(
        self, source: str, fetches: Sequence[tuple[bytes, datetime | None]], near: int
    ) -> set[int]:
        """Places of those (key of a page of *source*, time) that are known, or are so within *near* seconds."""
        keys, times = [key for key, _ in fetches], [at for _, at in fetches]
        rows = await self._do(KNOWN_CAPTURES, source=source, keys=keys, times=times, near=near)
        return {int(row["place"]) for row in rows}
