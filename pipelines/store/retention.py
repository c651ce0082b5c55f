"""What is deleted after a time. Article rows are never deleted.

Deleted is only what nothing else needs: requests and page endings whose run is counted, runs once their counts are
summed up, wordings that are neither current nor the origin of a copy, archive files. Each step takes some thousand rows
in a transaction of its own, so that writers never wait long, and can be stopped and repeated at any time.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from psycopg import AsyncConnection

from pipelines.archive_remote import RemoteArchive
from pipelines.store import near_duplicates
from pipelines.store.connections import Transactions
from pipelines.store.models import Row
from pipelines.store.run_days import add_to_run_days
from pipelines.store.session import rows_of

AT_A_TIME = 5000

# ids follow time: the oldest are the first in the index, and the first that is too young ends the search
DELETE_ATTEMPTS = """
    DELETE FROM ingest.attempts
    WHERE id IN (
        SELECT oldest.id FROM (SELECT id, at FROM ingest.attempts ORDER BY id LIMIT %(limit)s) AS oldest
        WHERE oldest.at < %(before)s)
"""
COUNT_ATTEMPTS = "SELECT count(*) AS number FROM ingest.attempts WHERE at < %(before)s"

# deploy/postgres/partition-attempts.sql was run: months go as a whole, and the next ones are made
PARTITIONS = """
    SELECT to_regprocedure('ingest.keep_attempts_by_month(timestamptz)') IS NOT NULL AS has_months,
           to_regprocedure('ingest.keep_run_pages_by_block(timestamptz)') IS NOT NULL AS has_blocks
"""
COUNT_OLD_MONTHS = """
    SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint AS number
    FROM ingest.attempts_partitions() AS month JOIN pg_class ON pg_class.oid = month.name
    WHERE month.ends <= %(before)s
"""
KEEP_MONTHS = "SELECT ingest.keep_attempts_by_month(coalesce(%(before)s::timestamptz, '-infinity'))"

# Both go through ids in portions, from where the last one ended: what has to stay is not looked at again and again. Ids
# follow time, so a portion that ends with a run that is too young is the last.
DELETE_RUN_PAGES = """
    WITH portion AS MATERIALIZED (
        SELECT DISTINCT run_id FROM (
            SELECT run_id FROM ingest.run_pages WHERE run_id > %(after)s ORDER BY run_id LIMIT %(limit)s) AS endings
    ), deleted AS (
        DELETE FROM ingest.run_pages AS done USING portion JOIN ingest.runs AS run ON run.id = portion.run_id
        WHERE done.run_id = run.id AND run.ended_at < %(before)s
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM deleted) AS number,
           (SELECT id FROM ingest.runs WHERE id = (SELECT max(run_id) FROM portion) AND started_at < %(before)s) AS last
"""
COUNT_RUN_PAGES = """
    SELECT count(*) AS number FROM ingest.run_pages AS done JOIN ingest.runs AS run ON run.id = done.run_id
    WHERE run.ended_at < %(before)s
"""

# Of each source these stay: its latest runs (what lists, take-overs and health look at), and the one with which it
# began to look without finding anything. So do replays and backfills: a person started them.
RUNS_KEPT = 50
OLD_RUNS = f"""
    SELECT run.id FROM portion AS run
    JOIN (
        SELECT known.source, (
            SELECT started_at FROM ingest.runs AS newest WHERE newest.source = known.source
            ORDER BY started_at DESC OFFSET {RUNS_KEPT - 1} LIMIT 1) AS kept_since, (
            SELECT min(started_at) FROM ingest.runs AS looked
            WHERE looked.source = known.source AND looked.kind = 'crawl' AND looked.outcome = 'finished'
              AND looked.started_at > (
                  SELECT max(at) FROM ingest.observations AS found
                  WHERE found.source = known.source AND found.outcome IN ('new', 'copy'))) AS looking_since
        FROM (SELECT DISTINCT source FROM portion) AS known
    ) AS bounds ON bounds.source = run.source
    WHERE run.kind IN ('crawl', 'recheck') AND run.ended_at < %(before)s AND run.started_at < bounds.kept_since
      AND run.started_at IS DISTINCT FROM bounds.looking_since
      AND (NOT %(has_blocks)s OR NOT EXISTS (SELECT FROM ingest.run_pages AS ending WHERE ending.run_id = run.id))
"""
COUNT_RUNS = f"""
    WITH portion AS (SELECT * FROM ingest.runs) SELECT count(*) AS number FROM ({OLD_RUNS}) AS old
"""
SUMMED_RUNS = add_to_run_days("""
        SELECT source, (started_at AT TIME ZONE 'UTC')::date, kind, outcome, count(*),
               sum(ended_at - started_at), sum(new), sum(new_version),
               sum(unchanged), sum(copy), sum(rejected)
        FROM deleted GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
""")
DELETE_RUNS = f"""
    WITH portion AS MATERIALIZED (
        SELECT id, source, kind, started_at, ended_at FROM ingest.runs
        WHERE id > %(after)s ORDER BY id LIMIT %(limit)s
    ), old AS MATERIALIZED ({OLD_RUNS}), deleted AS (
        DELETE FROM ingest.runs AS run USING old WHERE run.id = old.id
        RETURNING run.*
    ), summed AS (
        {SUMMED_RUNS}
    )
    SELECT (SELECT count(*) FROM deleted) AS number,
           (SELECT id FROM portion WHERE id = (SELECT max(id) FROM portion) AND started_at < %(before)s) AS last
"""

# deploy/postgres/partition-run-pages.sql was run: the same by blocks of runs
COUNT_OLD_BLOCKS = """
    SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint AS number
    FROM ingest.run_pages_partitions() AS block JOIN pg_class ON pg_class.oid = block.name
    WHERE block.ends <= (SELECT max(id) FROM ingest.runs) AND NOT EXISTS (
        SELECT FROM ingest.runs AS run
        WHERE run.id >= block.begins AND run.id < block.ends AND (run.ended_at IS NULL OR run.ended_at >= %(before)s))
"""
KEEP_BLOCKS = "SELECT ingest.keep_run_pages_by_block(coalesce(%(before)s::timestamptz, '-infinity'))"

# what the baselines of a source are made of stays, however old it is
OLD_OBSERVATIONS = """
    FROM ingest.sources AS source
    CROSS JOIN LATERAL (
        SELECT id FROM ingest.observations WHERE observations.source = source.name
        ORDER BY id DESC OFFSET 700 LIMIT 1) AS newest
    JOIN ingest.observations AS observed ON observed.source = source.name AND observed.id <= newest.id
    WHERE observed.at < %(before)s
"""
COUNT_OBSERVATIONS = f"SELECT count(*) AS number {OLD_OBSERVATIONS}"
DELETE_OBSERVATIONS = f"""
    DELETE FROM ingest.observations WHERE id IN (SELECT observed.id {OLD_OBSERVATIONS} LIMIT %(limit)s)
"""

# a wording of which others are copies stays: they point to it
OLD_VERSIONS = """
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number <> article.version
    WHERE version.fetched_at < %(before)s
      AND NOT EXISTS (SELECT FROM ingest.articles AS copy WHERE copy.copy_of = article.id)
"""
COUNT_VERSIONS = f"SELECT count(*) AS number {OLD_VERSIONS}"

# Their bands go with them, but for those that another wording of the same article has. The row of the article is
# locked, as its writers lock it, so that no version becomes current while it is deleted.
DELETE_VERSIONS = f"""
    WITH old AS MATERIALIZED (
        SELECT version.article_id, version.number, version.bands {OLD_VERSIONS}
        ORDER BY article.id
        LIMIT %(limit)s
        FOR UPDATE OF article SKIP LOCKED
    ), gone AS MATERIALIZED (
        SELECT old.article_id, band FROM old, unnest(old.bands) AS band
        WHERE NOT EXISTS (
            SELECT FROM ingest.versions AS kept
            WHERE kept.article_id = old.article_id AND band = ANY (kept.bands)
              AND (kept.article_id, kept.number) NOT IN (SELECT article_id, number FROM old))
    ), claims AS (
        DELETE FROM ingest.claims AS owned USING gone
        WHERE owned.band = gone.band AND owned.article_id = gone.article_id
    ), bands AS (
        DELETE FROM ingest.bands AS owned USING gone
        WHERE owned.band = gone.band AND owned.article_id = gone.article_id
    )
    DELETE FROM ingest.versions AS version USING old
    WHERE version.article_id = old.article_id AND version.number = old.number
"""

OLD_FILES = """
    SELECT file, count(*) AS number FROM ingest.archive_records
    GROUP BY file HAVING max(fetched_at) < %(before)s
    ORDER BY file
"""
FORGET_RECORDS = """
    UPDATE ingest.versions AS version SET archive_record_id = NULL
    FROM ingest.archive_records AS record
    WHERE record.file = %(file)s AND version.archive_record_id = record.id
"""
DELETE_RECORDS = "DELETE FROM ingest.archive_records WHERE file = %(file)s"


async def prune(
    run: Transactions,
    *,
    bookkeeping: datetime | None,
    runs: datetime | None,
    versions: datetime | None,
    archive: datetime | None,
    folder: Path | None,
    is_dry: bool,
    remote: RemoteArchive | None = None,
) -> dict[str, int]:
    """Delete what is older than these instants (None: nothing of it); the numbers of rows and files by kind.

    *folder* is where the archive files lie; those of other machines are theirs to delete.
    """
    has = (await _rows(run, PARTITIONS, {}))[0]
    values: Row = {"limit": AT_A_TIME, **has}
    done = {
        "attempts": await _delete_attempts(run, values | {"before": bookkeeping}, is_dry),
        "run_pages": await _delete_run_pages(run, values | {"before": bookkeeping}, is_dry),
    }
    steps = (
        ("runs", _with_no_request_left(runs, bookkeeping, has["has_months"]), COUNT_RUNS, DELETE_RUNS, _in_portions),
        ("observations", bookkeeping, COUNT_OBSERVATIONS, DELETE_OBSERVATIONS, _repeated),
        ("versions", versions, COUNT_VERSIONS, DELETE_VERSIONS, _repeated),
    )
    for name, before, count, delete, work in steps:
        asked = values | {"before": before}
        if before is None:
            done[name] = 0
        else:
            done[name] = await (_counted(run, count, asked) if is_dry else work(run, delete, asked))
    done["archive_files"] = 0
    if archive is not None and folder is not None:
        for row in await _rows(run, OLD_FILES, {"before": archive}):
            done["archive_files"] += await _delete_file(run, folder, row["file"], is_dry, remote)
    return done


def _with_no_request_left(runs: datetime | None, bookkeeping: datetime | None, has_months: bool) -> datetime | None:
    """Of runs older than this no request is there any more, so that none names a run that is gone."""
    if runs is None or bookkeeping is None:
        return None
    before = min(runs, bookkeeping)
    if not has_months:
        return before
    return before.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


async def _delete_attempts(run: Transactions, values: Row, is_dry: bool) -> int:
    """Row by row, or month by month; of months the number of rows is Postgres's estimate."""
    has_months, number = values["has_months"], 0
    if values["before"] is not None and (is_dry or has_months):
        number = await _counted(run, COUNT_OLD_MONTHS if has_months else COUNT_ATTEMPTS, values)
    if not is_dry and has_months:  # also where nothing is to go: the next months are made
        await _rows(run, KEEP_MONTHS, values)
    elif not is_dry and values["before"] is not None:
        number = await _repeated(run, DELETE_ATTEMPTS, values)
    return number


async def _delete_run_pages(run: Transactions, values: Row, is_dry: bool) -> int:
    """Run by run, or block by block, whose rows are an estimate."""
    has_blocks, number = values["has_blocks"], 0
    if values["before"] is not None and (is_dry or has_blocks):
        number = await _counted(run, COUNT_OLD_BLOCKS if has_blocks else COUNT_RUN_PAGES, values)
    if not is_dry and has_blocks:
        await _rows(run, KEEP_BLOCKS, values)
    elif not is_dry and values["before"] is not None:
        number = await _in_portions(run, DELETE_RUN_PAGES, values)
    return number


async def _delete_file(
    run: Transactions, folder: Path, name: str, is_dry: bool, remote: RemoteArchive | None = None
) -> int:
    """The file first: where this stops in the middle, its rows bring us here again."""
    file = folder / name
    if file.parent != folder:
        return 0
    if is_dry:
        return int(file.exists() or (remote is not None and await asyncio.to_thread(remote.has, name)))
    file.unlink(missing_ok=True)
    if remote is not None:
        await asyncio.to_thread(remote.remove, name)

    async def forget(connection: AsyncConnection) -> None:
        await connection.execute(FORGET_RECORDS, {"file": name})
        await connection.execute(DELETE_RECORDS, {"file": name})

    await run(forget)
    return 1


async def _repeated(run: Transactions, statement: str, values: Row) -> int:
    total = 0
    while True:

        async def once(connection: AsyncConnection) -> int:
            await connection.execute(near_duplicates.FORGET_LOCK)
            return (await connection.execute(statement, values)).rowcount

        deleted = await run(once)
        total += deleted
        if not deleted:
            return total


async def _in_portions(run: Transactions, statement: str, values: Row) -> int:
    """Like `_repeated`, for statements that say where their portion ended: {number, last}; no last: that was all."""
    total: int = 0
    after = 0
    while True:
        row = (await _rows(run, statement, values | {"after": after}))[0]
        total += row["number"]
        if row["last"] is None:
            return total
        after = row["last"]


async def _counted(run: Transactions, statement: str, values: Row) -> int:
    return int((await _rows(run, statement, values))[0]["number"])


async def _rows(run: Transactions, statement: str, values: Row) -> list[Row]:
    return await run(lambda connection: rows_of(connection, statement, values))
