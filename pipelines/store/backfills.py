"""How far the files of a backfill were read."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from psycopg import AsyncConnection

from pipelines.store.session import Session, rows_of

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

# by the page itself, or as an article that was found under another one's name
KNOWN = """
    SELECT url_key FROM ingest.pages WHERE source = %(source)s AND url_key = ANY (%(keys)s) AND state = 'ended'
    UNION
    SELECT url_key FROM ingest.articles WHERE url_key = ANY (%(keys)s)
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


class Backfills(Session):
    """What ``Store`` does about backfills."""

    async def backfill_position(self, file: str, selection: str) -> BackfillPosition | None:
        """How far *file* was read for *selection*; None: it never was."""

        async def work(connection: AsyncConnection) -> BackfillPosition | None:
            found = await rows_of(connection, FIND, {"file": file, "selection": selection})
            return BackfillPosition(**found[0]) if found else None

        return await self._connections.run(work)

    async def save_backfill_position(self, position: BackfillPosition) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(SAVE, asdict(position))

        await self._connections.run(work)

    async def known_pages(self, source: str, keys: list[bytes]) -> set[bytes]:
        """Those of *keys* whose page has ended for *source*, or is an article."""

        async def work(connection: AsyncConnection) -> set[bytes]:
            found = await rows_of(connection, KNOWN, {"source": source, "keys": keys})
            return {bytes(row["url_key"]) for row in found}

        return await self._connections.run(work)
