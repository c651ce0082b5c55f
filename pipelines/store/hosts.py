"""SQL about web hosts: their robots.txt, and until when they are left alone."""

from __future__ import annotations

HOST_STATE = """
    SELECT host, robots_status, robots_body, robots_fetched_at FROM ingest.hosts WHERE host = %(host)s
"""

KEEP_HOST_STATE = """
    INSERT INTO ingest.hosts AS known (host, robots_status, robots_body, robots_fetched_at)
    VALUES (%(host)s, %(robots_status)s, %(robots_body)s, %(robots_fetched_at)s)
    ON CONFLICT (host) DO UPDATE
    SET robots_status = coalesce(excluded.robots_status, known.robots_status),
        robots_body = coalesce(excluded.robots_body, known.robots_body),
        robots_fetched_at = coalesce(excluded.robots_fetched_at, known.robots_fetched_at),
        updated_at = now()
"""

# A host is asked for its rests by name, `nachlese hosts` for all that are not over.
HOST_RESTS = """
    SELECT host, source, not_before, unreachable, why FROM ingest.host_rests
    WHERE (%(host)s::text IS NULL AND not_before > now()) OR host = %(host)s
    ORDER BY host, source
"""

# Of two rests the longer one counts, with its reason.
KEEP_HOST_REST = """
    INSERT INTO ingest.host_rests AS known (host, source, not_before, unreachable, why)
    VALUES (%(host)s, %(source)s, %(not_before)s, %(unreachable)s, %(why)s)
    ON CONFLICT (host, source) DO UPDATE
    SET not_before = excluded.not_before, unreachable = excluded.unreachable, why = excluded.why, updated_at = now()
    WHERE excluded.not_before > known.not_before
"""

# No row is deleted: a running crawl sees by the time in the past that its rest was lifted.
LIFT_HOST_RESTS = """
    UPDATE ingest.host_rests SET not_before = now(), updated_at = now()
    WHERE not_before > now() AND (%(host)s::text IS NULL OR host = %(host)s)
      AND (%(source)s::text IS NULL OR source = %(source)s)
    RETURNING host, source, not_before, unreachable, why
"""

# Pages that waited for these hosts. Few: a run stops asking a host that rests.
WAKE_PAGES = """
    UPDATE ingest.pages SET next_attempt_at = now()
    WHERE state = 'pending' AND next_attempt_at > now() AND (%(source)s::text IS NULL OR source = %(source)s)
      AND EXISTS (SELECT FROM unnest(%(hosts)s::text[]) AS host
                  WHERE starts_with(url, 'https://' || host || '/') OR starts_with(url, 'http://' || host || '/'))
"""
