"""Files that are read by workers: what was put into the queue together, how each file ended, and by which runs.

The rows are the truth, jobs only hand the files out: a file that has not ended gets a job again, whatever became of the
one that it had (``crawler.worker``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from pipelines.database import DatabaseError
from pipelines.storable import clean
from pipelines.store.models import RunCounts
from pipelines.store.session import Session, rows_of

BatchKind = Literal["backfill", "replay"]
#: how a file ends whose batch a person has cancelled
CANCELLED = "cancelled"

BEGIN = """
    INSERT INTO ingest.file_batches (kind, identity, selection, what, put_by)
    VALUES (%(kind)s, %(identity)s, %(selection)s, %(what)s, %(put_by)s) ON CONFLICT DO NOTHING RETURNING id
"""
OPEN = "SELECT id FROM ingest.file_batches WHERE identity = %(identity)s AND ended_at IS NULL"
# the archive may have new files since then
ADD_FILES = """
    INSERT INTO ingest.batch_files (batch_id, name, file, size)
    SELECT %(batch)s, * FROM unnest(%(names)s::text[], %(files)s::text[], %(sizes)s::bigint[])
    ON CONFLICT DO NOTHING
"""
# of a WACZ the files in it are called by its name and an exclamation mark, and so is a file that came from an address
FORGET_POSITIONS = """
    DELETE FROM ingest.backfills AS place
    USING unnest(%(files)s::text[]) AS whole (file)
    WHERE place.selection = %(selection)s AND split_part(place.file, '!', 1) = split_part(whole.file, '!', 1)
      AND (place.file = whole.file OR starts_with(place.file, whole.file || '!'))
"""
FORGET_OLD = "DELETE FROM ingest.file_batches WHERE ended_at < clock_timestamp() - interval '90 days'"

FILE = """
    UPDATE ingest.batch_files AS file SET begun_at = coalesce(file.begun_at, clock_timestamp())
    FROM ingest.file_batches AS batch
    WHERE file.id = %(file)s AND file.ended_at IS NULL AND batch.id = file.batch_id
    RETURNING file.id, file.batch_id AS batch, file.name, file.file, file.size, batch.kind, batch.selection,
        batch.what, batch.put_by, clock_timestamp() - batch.begun_at AS age
"""
# Who holds the batch sees all others' ends: of two last files one is the last.
LOCK_BATCH = """
    SELECT id FROM ingest.file_batches
    WHERE id = (SELECT batch_id FROM ingest.batch_files WHERE id = %(file)s) FOR UPDATE
"""
END_FILE = """
    UPDATE ingest.batch_files
    SET ended_at = clock_timestamp(), error = %(error)s, size = greatest(size, %(size)s),
        skipped = skipped + %(skipped)s, damaged = damaged + %(damaged)s, done_before = done_before + %(done_before)s
    WHERE id = %(file)s AND ended_at IS NULL
"""
END_BATCH = """
    UPDATE ingest.file_batches AS batch SET ended_at = clock_timestamp()
    WHERE id = %(batch)s AND ended_at IS NULL
      AND NOT EXISTS (SELECT FROM ingest.batch_files WHERE batch_id = batch.id AND ended_at IS NULL)
    RETURNING id
"""
# All of the archive was read, so the next reading of it is a new one.
END_REREADING = """
    UPDATE ingest.rereadings SET ended_at = clock_timestamp()
    FROM ingest.file_batches AS batch
    WHERE batch.id = %(batch)s AND rereadings.id = (batch.what ->> 'rereading')::bigint AND rereadings.ended_at IS NULL
      AND NOT EXISTS (SELECT FROM ingest.batch_files WHERE batch_id = batch.id AND error IS NOT NULL)
"""
# A file that comes further each time is a long one; on one that does not, every worker would die.
NOTE_TROUBLE = """
    WITH reached AS (
        SELECT coalesce(sum(place.position), 0)::bigint AS position
        FROM ingest.batch_files AS file
        JOIN ingest.file_batches AS batch ON batch.id = file.batch_id
        JOIN ingest.backfills AS place ON place.selection = batch.selection
            AND split_part(place.file, '!', 1) = split_part(file.file, '!', 1)
            AND (place.file = file.file OR starts_with(place.file, file.file || '!'))
        WHERE file.id = %(file)s
    )
    UPDATE ingest.batch_files
    SET tries = CASE WHEN reached.position > trouble_at THEN 1 ELSE tries + 1 END, trouble = %(trouble)s,
        trouble_at = reached.position, dead_job = coalesce(%(job)s::bigint, dead_job),
        skipped = skipped + %(skipped)s, damaged = damaged + %(damaged)s
    FROM reached
    WHERE id = %(file)s AND ended_at IS NULL AND (%(job)s::bigint IS NULL OR dead_job IS DISTINCT FROM %(job)s::bigint)
    RETURNING tries
"""
NOTE_WAIT = "UPDATE ingest.batch_files SET trouble = %(why)s WHERE id = %(file)s AND ended_at IS NULL"
CANCEL = """
    UPDATE ingest.batch_files SET ended_at = clock_timestamp(), error = %(error)s
    WHERE batch_id = %(batch)s AND ended_at IS NULL
"""

LINK_RUN = "INSERT INTO ingest.batch_runs (run_id, file_id) VALUES (%(run)s, %(batch_file)s) ON CONFLICT DO NOTHING"
# For who has claimed the file: nobody else reads it, whatever a run says that has not ended.
RUNS_LEFT = """
    SELECT run.id FROM ingest.batch_runs AS link JOIN ingest.runs AS run ON run.id = link.run_id
    WHERE link.file_id = %(batch_file)s AND run.ended_at IS NULL
"""

BATCH = "SELECT * FROM news.batches WHERE id = %(batch)s"
TOTALS = """
    SELECT coalesce(sum(skipped), 0)::bigint AS skipped, coalesce(sum(damaged), 0)::bigint AS damaged,
        coalesce(sum(done_before), 0)::bigint AS done_before, count(*) FILTER (WHERE size > 0) AS files_sized
    FROM ingest.batch_files WHERE batch_id = %(batch)s
"""
FAILURES = """
    SELECT name, error FROM ingest.batch_files WHERE batch_id = %(batch)s AND error IS NOT NULL ORDER BY id
"""
# Pending is a page as of the last run of its file; what ended, has ended in whichever run.
REASONS = """
    SELECT reason.key AS reason, sum(reason.value::integer)::integer AS number
    FROM ingest.batch_files AS file
    JOIN ingest.batch_runs AS link ON link.file_id = file.id
    JOIN ingest.runs AS run ON run.id = link.run_id, jsonb_each_text(run.reasons) AS reason
    WHERE file.batch_id = %(batch)s GROUP BY 1 ORDER BY 1
"""
WAITING = """
    SELECT DISTINCT error FROM news.batch_files
    WHERE batch = %(batch)s AND ended_at IS NULL AND error IS NOT NULL LIMIT 5
"""


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file that is to be read. ``what`` is its batch's, ``age`` how long ago that was put in."""

    id: int
    batch: int
    name: str
    file: str
    size: int
    kind: BatchKind
    selection: str
    what: Mapping[str, Any]
    put_by: str
    age: timedelta


@dataclass(frozen=True, slots=True)
class Batch:
    """How far a batch has come. ``failures``: files that could not be read; ``troubles``: why some still wait."""

    id: int
    kind: BatchKind
    begun_at: datetime
    ended_at: datetime | None
    files: int
    files_ended: int
    files_reading: int
    #: of how many files ``size`` is known, and that of these together
    files_sized: int
    size: int
    read: int
    counts: RunCounts
    skipped: int
    damaged: int
    done_before: int
    failures: tuple[str, ...]
    troubles: tuple[str, ...]


class FileBatches(Session):
    """What ``Store`` does about files that workers read."""

    async def put_batch(
        self,
        kind: BatchKind,
        identity: str,
        selection: str,
        what: Mapping[str, Any],
        put_by: str,
        files: Sequence[tuple[str, str, int]],
        again: bool = False,
    ) -> tuple[int, bool]:
        """A batch of *files*, each with its name, what it is called in ``backfills``, and its bytes; its number, and
        whether it is new: where the same has not come to its end, it is gone on with. *again*: then that is cancelled,
        and every file is read from its beginning.
        """
        names, keys, sizes = zip(*files, strict=True) if files else ((), (), ())
        values = {
            "kind": kind, "identity": identity, "selection": selection, "what": Jsonb(dict(what)), "put_by": put_by,
            "names": list(names), "files": list(keys), "sizes": list(sizes),
        }  # fmt: skip

        async def work(connection: AsyncConnection) -> tuple[int, bool]:
            if again:
                for row in await rows_of(connection, OPEN, values):
                    await _cancel(connection, row["id"])
                await connection.execute(FORGET_POSITIONS, values)
            # a number that is tried for nothing would be gone
            is_there = await rows_of(connection, OPEN, values)
            made = [] if is_there else await rows_of(connection, BEGIN, values)
            (row,) = is_there or made or await rows_of(connection, OPEN, values)
            await connection.execute(ADD_FILES, values | {"batch": row["id"]})
            await connection.execute(END_BATCH, {"batch": row["id"]})  # of no files
            return row["id"], bool(made)

        with suppress(DatabaseError):  # roles of an earlier version may not delete here; nothing is wrong with old rows
            await self._do(FORGET_OLD)
        return await self._connections.run(work)

    async def batch_file(self, file: int) -> BatchFile | None:
        """The file with that number, which somebody is about to read; None: it has ended, or was forgotten."""
        found = await self._do(FILE, file=file)
        return BatchFile(**found[0]) if found else None

    async def end_batch_file(
        self, file: int, error: str | None, size: int = 0, skipped: int = 0, damaged: int = 0, done_before: int = 0
    ) -> None:
        """The file has come to its end, well or with *error*; with the last one its batch has."""
        values = {
            "file": file, "error": clean(error), "size": size, "skipped": skipped, "damaged": damaged,
            "done_before": done_before,
        }  # fmt: skip

        async def work(connection: AsyncConnection) -> None:
            for row in await rows_of(connection, LOCK_BATCH, values):
                await connection.execute(END_FILE, values)
                if await rows_of(connection, END_BATCH, {"batch": row["id"]}):
                    await connection.execute(END_REREADING, {"batch": row["id"]})

        await self._connections.run(work)

    async def note_trouble(
        self, file: int, trouble: str, job: int | None = None, skipped: int = 0, damaged: int = 0
    ) -> int:
        """One more try went wrong, that of *job* once; how many have by now without coming further than the one
        before, 0 where the file has ended."""
        rows = await self._do(
            NOTE_TROUBLE, file=file, trouble=clean(trouble), job=job, skipped=skipped, damaged=damaged
        )
        return int(rows[0]["tries"]) if rows else 0

    async def note_wait(self, file: int, why: str) -> None:
        """What the file waits for, for those who look."""
        await self._do(NOTE_WAIT, file=file, why=clean(why))

    async def cancel_batch(self, batch: int) -> None:
        """No file of it is begun any more. Those that are being read are read to their end."""
        await self._connections.run(lambda connection: _cancel(connection, batch))

    # --- for who looks -----------------------------------------------------------------------------------------------

    async def batch(self, batch: int) -> Batch | None:
        """How far it has come; None: there is none of that number."""

        async def work(connection: AsyncConnection) -> Batch | None:
            values = {"batch": batch}
            found = await rows_of(connection, BATCH, values)
            if not found:
                return None
            row = found[0]
            reasons = {one["reason"]: one["number"] for one in await rows_of(connection, REASONS, values)}
            ends = ("new", "new_version", "unchanged", "copy", "rejected", "pending")
            (totals,) = await rows_of(connection, TOTALS, values)
            failures = await rows_of(connection, FAILURES, values)
            troubles = await rows_of(connection, WAITING, values)
            of_batch = ("id", "kind", "begun_at", "ended_at", "files", "files_ended", "files_reading", "size", "read")
            known: dict[str, Any] = {name: row[name] for name in of_batch}
            return Batch(
                **known,
                **totals,
                counts=RunCounts(**{name: row[name] for name in ends}, reasons=reasons),
                failures=tuple(said_of(one["name"], one["error"]) for one in failures),
                troubles=tuple(one["error"] for one in troubles),
            )

        return await self._connections.run(work)


def said_of(name: str, error: str) -> str:
    """What is wrong with a file, for a person; most errors name it already."""
    return error if name in error else f"{name}: {error}"


async def _cancel(connection: AsyncConnection, batch: int) -> None:
    await connection.execute("SELECT FROM ingest.file_batches WHERE id = %(batch)s FOR UPDATE", {"batch": batch})
    await connection.execute(CANCEL, {"batch": batch, "error": CANCELLED})
    await connection.execute(END_BATCH, {"batch": batch})
