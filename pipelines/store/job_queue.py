"""Where the tables of the job queue stand: in a schema of their own, beside ours. Its library makes and reads them."""

from __future__ import annotations

import psycopg
from psycopg import conninfo

from pipelines import database

SCHEMA = "nachlese_queue"

# Two processes that begin at the same moment make it once.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('nachlese queue', 0))"
IS_THERE = "SELECT to_regclass('nachlese_queue.procrastinate_jobs') IS NOT NULL"
# Machines have clocks of their own; who puts a job in for later goes by that of the database, as who takes it out does.
MOMENT = "SELECT clock_timestamp() + %(after)s AS moment"
SUCCESSOR = """
    SELECT EXISTS (
        SELECT FROM procrastinate_jobs
        WHERE queue_name = %(source)s AND task_name = %(task)s AND status = 'todo'
          AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())
          AND (args ->> 'slot')::timestamptz > %(slot)s) AS is_there
"""
GRANTS = """
    GRANT USAGE ON SCHEMA nachlese_queue TO nachlese_writer;
    GRANT ALL ON ALL TABLES IN SCHEMA nachlese_queue TO nachlese_writer;
    GRANT ALL ON ALL SEQUENCES IN SCHEMA nachlese_queue TO nachlese_writer;
"""


def make_queue(dsn: str, statements: str) -> None:
    """Make the queue's tables by *statements* where they are not there yet. Raises DatabaseError."""
    with database.connected(dsn) as connection:
        try:
            with connection.transaction():
                connection.execute(LOCK)
                row = connection.execute(IS_THERE).fetchone()
                if row and row[0]:
                    return
                connection.execute("CREATE SCHEMA nachlese_queue")
                connection.execute("SET LOCAL search_path = nachlese_queue")
                connection.execute(statements)
                if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'nachlese_writer'").fetchone():
                    connection.execute(GRANTS)
        except psycopg.Error as error:
            raise database.DatabaseError(
                f"the queue cannot be made in {database.shown(dsn)}: {database.safe_text(error, dsn)}; run "
                "`nachlese schedule --queue` once as the owner of the database"
            ) from error


def queue_address(dsn: str) -> str:
    """*dsn* for connections that see the queue's tables, and no other, without their schema."""
    info = conninfo.conninfo_to_dict(database.connection_info(dsn))
    options = f"{info.pop('options', '')} -c search_path={SCHEMA}".strip()
    return conninfo.make_conninfo("", **info, options=options)
