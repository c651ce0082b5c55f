"""Web hosts: their robots.txt, and until when they are left alone."""

from __future__ import annotations

from dataclasses import asdict

from psycopg import AsyncConnection

from pipelines.store.session import Session, rows_of
from pipelines.store.shapes import HostRest, HostState, Row

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


class Hosts(Session):
    """What ``Store`` does about hosts."""

    async def host_state(self, host: str) -> HostState | None:
        rows = await self._do(HOST_STATE, host=host)
        return HostState(**rows[0]) if rows else None

    async def keep_host_state(self, state: HostState) -> None:
        """Fields that are None leave what is stored."""
        await self._do(KEEP_HOST_STATE, **asdict(state))

    async def host_rests(self, host: str | None = None) -> list[HostRest]:
        """What is known of one host, also what is over by now; without *host*, the rests of all that are not over."""
        return [HostRest(**row) for row in await self._do(HOST_RESTS, host=host)]

    async def keep_host_rest(self, rest: HostRest) -> None:
        """A shorter rest never replaces a longer one."""
        await self._do(KEEP_HOST_REST, **asdict(rest))

    async def lift_host_rests(self, host: str | None = None, source: str | None = None) -> list[HostRest]:
        """End the rests of a host (None: of all), of one source or of all; those that were ended.

        Pages that waited for one of them are due now.
        """

        async def work(connection: AsyncConnection) -> list[Row]:
            lifted = await rows_of(connection, LIFT_HOST_RESTS, {"host": host, "source": source})
            names = sorted({row["host"] for row in lifted})
            await connection.execute(WAKE_PAGES, {"hosts": names, "source": source})
            return lifted

        return [HostRest(**row) for row in await self._connections.run(work)]
