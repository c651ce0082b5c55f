"""Where the tables of the job queues stand: in schemas of their own, beside ours. Their library makes and reads them.

Files have a queue of their own. In one with the slots, a worker that takes those of all sources would have to name them
to get no file, and with ten thousand names a look for a job takes 14 ms instead of 0.4.
"""

from __future__ import annotations

import psycopg
from psycopg import conninfo, sql

from pipelines import database

#: of slots, and of files
SLOTS, FILES = "nachlese_queue", "nachlese_files"

# Two processes that begin at the same moment make it once.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('nachlese queue', 0))"
IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"
# Machines have clocks of their own; who puts a job in for later goes by that of the database, as who takes it out does.
MOMENT = "SELECT clock_timestamp() + %(after)s AS moment"
SUCCESSOR = """
    SELECT EXISTS (
        SELECT FROM procrastinate_jobs
        WHERE queue_name = %(source)s AND task_name = %(task)s AND status = 'todo'
          AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())
          AND (args ->> 'slot')::timestamptz > %(slot)s) AS is_there
"""
# Files that are to be read, and for which there is no job: theirs has failed, or whoever put them in was killed.
FILES_WITHOUT_JOB = """
    SELECT file.id FROM ingest.batch_files AS file
    WHERE file.ended_at IS NULL AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS job
        WHERE job.queueing_lock = 'file ' || file.id AND job.status IN ('todo', 'doing'))
    ORDER BY file.id
"""
STILL_DOING = "SELECT id FROM procrastinate_jobs WHERE id = ANY(%(jobs)s) AND status = 'doing'"
GRANTS = """
    GRANT USAGE ON SCHEMA {schema} TO nachlese_writer;
    GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO nachlese_writer;
    GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO nachlese_writer;
"""


def make_queue(dsn: str, statements: str, schema: str = SLOTS) -> None:
    """Make a queue's tables by *statements* in *schema* where they are not there yet. Raises DatabaseError."""
    name = sql.Identifier(schema)
    with database.connected(dsn) as connection:
        try:
            with connection.transaction():
                connection.execute(LOCK)
                row = connection.execute(IS_THERE, [f"{schema}.procrastinate_jobs"]).fetchone()
                if row and row[0]:
                    return
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
                connection.execute(sql.SQL("SET LOCAL search_path = {}").format(name))
                connection.execute(statements)
                if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'nachlese_writer'").fetchone():
                    connection.execute(sql.SQL(GRANTS).format(schema=name))
        except psycopg.Error as error:
            raise database.DatabaseError(
                f"the queue cannot be made in {database.shown(dsn)}: {database.safe_text(error, dsn)}; run "
                "`nachlese schedule --queue` once as the owner of the database"
            ) from error


def is_struck_off(error: BaseException | None) -> bool:
    """Whether a job was refused because the worker that asks for it is none any more."""
    return isinstance(error, psycopg.errors.ForeignKeyViolation)


def queue_address(dsn: str, schema: str = SLOTS) -> str:
    """*dsn* for connections that see the tables of that queue, and no other, without their schema."""
    info = conninfo.conninfo_to_dict(database.connection_info(dsn))
    options = f"{info.pop('options', '')} -c search_path={schema}".strip()
    return conninfo.make_conninfo("", **info, options=options)
