"""The database after a simulated year, for ``benchmarks.scale``: what asks longest of it.

Articles are those of ``benchmarks.filled``. Sources, runs, requests and observations of the year are written in bulk.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from benchmarks import store as store_benchmark
from benchmarks.filled import backend_seconds
from pipelines import metrics
from pipelines.store import frontier as frontier_statements
from pipelines.store import health_statements, hosts, queries, retention, runs, takeovers
from webapp.queries import database as web_database
from webapp.queries import sources as web_sources

YEAR = """
    INSERT INTO ingest.sources (name, title, homepage, added_at)
    SELECT 's' || number, 'Source ' || number, 'https://s' || number || '.example/', now() - interval '1 year'
    FROM generate_series(0, %(sources)s - 1) AS number
    ON CONFLICT DO NOTHING
"""
RUNS = """
    INSERT INTO ingest.runs (token, source, kind, slot, holder, started_at, heartbeat_at, lease_until, ended_at,
                             outcome, new, unchanged)
    SELECT gen_random_uuid(), 's' || number %% %(sources)s, 'crawl', at, 'machine' || number %% 16 || ':1', at, at,
           at + interval '5 minutes', at + interval '20 seconds', 'finished', number %% 3, 30
    FROM (SELECT number, now() - interval '1 year' * (1 - number / %(runs)s::float) AS at
          FROM generate_series(0, %(runs)s - 1) AS number) AS made
    ON CONFLICT DO NOTHING
"""
ATTEMPTS = """
    INSERT INTO ingest.attempts (at, run_id, source, kind, url, status, ms, bytes, outcome)
    SELECT started_at, id, source, 'feed', 'https://' || source || '.example/feed.xml', 304, 80, 0, 'not_modified'
    FROM ingest.runs WHERE source LIKE 's%%' ORDER BY id
"""
DOCUMENTS = """
    INSERT INTO ingest.documents (source, url_key, url, kind, etag, status, links, entries, most_entries)
    SELECT 's' || number, decode(md5('s' || number), 'hex'), 'https://s' || number || '.example/feed.xml', 'feed',
           '"1"', 304, 40, 40, 40
    FROM generate_series(0, %(sources)s - 1) AS number
    ON CONFLICT DO NOTHING
"""
RHYTHMS = """
    INSERT INTO ingest.rhythms (source, hours, days, articles, root_sum)
    SELECT 's' || number, array_fill(0.5::real, ARRAY[168]), 28, 60, 100
    FROM generate_series(0, %(sources)s - 1) AS number
    ON CONFLICT DO NOTHING
"""
HEALTH = """
    INSERT INTO ingest.observations (source, run_id, page_id, at, outcome, status, words, is_dated, is_signed, delay,
                                     ms, counted)
    SELECT source, id, id, started_at, 'new', 200, 300, true, true, 10, 120, true
    FROM ingest.runs WHERE source LIKE 's%%' AND new > 0 ORDER BY id
    ON CONFLICT DO NOTHING
"""


def fill(dsn: str, sources: int, number: int) -> None:
    """Sources, and so many runs of theirs over the year, with a request each."""
    values = {"sources": sources, "runs": number}
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for statement in (YEAR, RUNS, ATTEMPTS, DOCUMENTS, RHYTHMS, HEALTH):
            connection.execute(statement, values)
        connection.execute("VACUUM ANALYZE")


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement of *part*: milliseconds until its last row, and of the server's processor; median of three."""

    part: str
    name: str
    ms: float
    cpu_ms: float


#: what the schedule asks, of one source in the middle; the web server; people with SQL
SCHEDULE = {
    "runs left by dead processes": runs.FIND_DEAD_RUNS,
    "look for abandoned runs": takeovers.ABANDONED,
    "previous run": runs.PREVIOUS_RUN,
    "claim pages": frontier_statements.CLAIM_PENDING,
    "claim rechecks": frontier_statements.CLAIM_RECHECKS,
    "count the pages of a run": runs.COUNT_RUN,
    'next look, every = "auto"': health_statements.LOOK,
    "the same, of all sources (each five minutes)": health_statements.MEAN_ROOT_SUM,
    "health: state": health_statements.STATE,
    "health: documents": health_statements.DOCUMENTS,
    "rests of a host": hosts.HOST_BACKOFFS,
    "archive files that are old": retention.OLD_FILES,
    "prune: requests, one step": retention.COUNT_ATTEMPTS,
    "prune: page endings, one step": retention.COUNT_RUN_PAGES,
    "prune: runs, all": retention.COUNT_RUNS,
    "prune: observations, one step": retention.COUNT_OBSERVATIONS,
    "prune: old wordings, one step": retention.COUNT_VERSIONS,
}
STATUS = {
    "nachlese status": queries.STATUS,
    "nachlese health": queries.HEALTH,
    "open alarms": queries.OPEN_ALARMS,
    "last runs": queries.LAST_RUNS,
}
WEB = {
    "sources": "SELECT * FROM news.sources ORDER BY name",
    "one source": "SELECT * FROM news.sources WHERE name = %(source)s",
    "articles a day, of all sources": web_sources.PER_DAY,
    "rejections by reason": web_sources.REASONS.format(source=""),
    "runs": "SELECT * FROM news.runs ORDER BY started_at DESC, id DESC LIMIT 41",
    "failed runs": "SELECT * FROM news.runs WHERE outcome = 'failed' ORDER BY started_at DESC, id DESC LIMIT 41",
    "rejections": "SELECT * FROM news.rejections ORDER BY rejected_at DESC, url DESC LIMIT 41",
    "growth": web_database.GROWTH,
}


def statements() -> Iterator[tuple[str, str, str]]:
    """(part, name, statement)"""
    for name, statement in SCHEDULE.items():
        yield "schedule", name, statement
    for name, statement in STATUS.items():
        yield "status", name, statement
    for name, statement in WEB.items():
        yield "web", name, statement
    for name, statement in metrics.STATEMENTS.items():
        yield "metrics", name, statement
    for name, statement in store_benchmark.questions().items():
        yield "SQL", name, statement


def asked(dsn: str, sources: int, said: Callable[[str], object], limit: int = 60) -> list[Asked]:
    """Each statement three times, the slowest first. One that takes longer than *limit* seconds is given up."""
    found = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"SET statement_timeout = '{limit}s'")
        values = _values(connection, sources)
        for part, name, statement in statements():
            said(f"{part}: {name}")
            text = statement.format(last=values["change"]) if part == "SQL" else statement
            found.append(Asked(part, name, *_timed(connection, text, None if part == "SQL" else values)))
    return sorted(found, key=lambda one: one.ms, reverse=True)


def _values(connection: psycopg.Connection, sources: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    last = connection.execute("SELECT coalesce(max(id), 0) FROM ingest.changes").fetchone()
    run = connection.execute("SELECT max(id) FROM ingest.runs WHERE source LIKE 's%'").fetchone()
    assert last is not None and run is not None
    return {
        "last": now, "change": last[0], "run": run[0], "source": f"s{sources // 2}",
        "auto": [f"s{one}" for one in range(sources)],
        "now": now, "in_flight": [], "limit": 50, "before": now - timedelta(days=90), "since": now - timedelta(days=30),
        "zone": "Europe/Berlin", "host": "s1.example", "handed_over": takeovers.HANDED_OVER, "size": 41,
        "still": takeovers.STILL_TO_DO, "measure": None, "failed": 1, "empty": 2, "sources": None, "page": 0,
        "has_blocks": False,
    }  # fmt: skip


def _timed(connection: psycopg.Connection, statement: str, values: dict[str, Any] | None) -> tuple[float, float]:
    took, used = [], []
    for _ in range(3):
        before, begun = backend_seconds(connection), time.perf_counter()
        with contextlib.suppress(psycopg.errors.QueryCanceled):  # its time is the limit
            connection.execute(statement, values).fetchall()
        took.append(1000 * (time.perf_counter() - begun))
        used.append(1000 * (backend_seconds(connection) - before))
        if took[-1] > 10_000:
            break
    return statistics.median(took), statistics.median(used)
