"""Turns at web hosts for all processes on this database, and which processes there are. Times are the database's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pipelines.store import row_mapping
from pipelines.store.session import Session

FORGET_WORKERS = "SELECT ingest.forget_workers(%(gone)s::text[])"

# One call, not a transaction of several: who is cut off in the middle of it must not keep the others' lock.
BEAT = "SELECT * FROM ingest.beat(%(worker_id)s, %(alive_for)s, %(is_sharing)s, %(gone)s::text[])"

CLAIM_TURNS = "SELECT * FROM ingest.claim_host_turns(%(worker_id)s, %(states)s, %(claims)s)"

# what this process asked while it was alone; names are locked in their order, as in the function
PUBLISH = """
    INSERT INTO ingest.host_slots AS slot (host, free_at)
    SELECT state.host, clock_timestamp() + make_interval(secs => state.seconds)
    FROM jsonb_to_recordset(%(hosts)s) AS state (host text, seconds double precision) ORDER BY state.host
    ON CONFLICT (host) DO UPDATE SET free_at = greatest(slot.free_at, excluded.free_at)
"""

BUSY_HOSTS = """
    SELECT host, extract(epoch FROM free_at - clock_timestamp())::double precision AS seconds
    FROM ingest.host_slots WHERE free_at > clock_timestamp()
"""


@dataclass(frozen=True, slots=True)
class HostClaim:
    """A wish to ask *host* for *source*; after it the host has *delay* seconds; *most* at a time."""

    host: str
    source: str
    is_list: bool
    delay: float
    most: int
    claim: str


@dataclass(frozen=True, slots=True)
class HostUse:
    """How many requests this process has in flight at *host*.

    With a *claim*, the request of that turn was sent *ago* seconds ago, and *delay* counts from then; None: it was not.
    """

    host: str
    in_flight: int
    most: int
    claim: str = ""
    ago: float | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class HostTurn:
    """What became of a claim. *wait*: seconds after which it is worth another try."""

    claim: str
    is_granted: bool
    wait: float
    is_resting: bool


class HostSlots(Session):
    """What ``Store`` does about turns at hosts."""

    async def beat(
        self, worker_id: str, alive_for: timedelta, is_sharing: bool, gone: Sequence[str] = ()
    ) -> tuple[dict[str, bool], datetime]:
        """Sign of life; the other processes that live, with whether they share, and the time of the database.

        *gone* are processes that are known to have ended.
        """
        values = {"worker_id": worker_id, "alive_for": alive_for, "is_sharing": is_sharing, "gone": list(gone)}
        rows = await self._do(BEAT, **values)
        return {row["worker_id"]: row["is_sharing"] for row in rows if row["worker_id"] != worker_id}, rows[0]["now"]

    async def leave(self, worker_id: str) -> None:
        """This process asks no host any more."""
        await self._do(FORGET_WORKERS, gone=[worker_id])

    async def claim_host_turns(
        self, worker_id: str, states: Sequence[HostUse], claims: Sequence[HostClaim]
    ) -> list[HostTurn]:
        """Say what was done, and claim turns; each host at most once in *claims*."""
        values = {
            "worker_id": worker_id,
            "states": row_mapping.dumps([asdict(one) for one in states]),
            "claims": row_mapping.dumps([asdict(one) for one in claims]),
        }
        return [HostTurn(**row) for row in await self._do(CLAIM_TURNS, **values)]

    async def publish_hosts(self, worker_id: str, states: Sequence[HostUse], free: Mapping[str, float]) -> None:
        """Tell what a process has in flight, and in how many seconds which host is free."""
        rows = [{"host": host, "seconds": seconds} for host, seconds in free.items()]
        values = {
            "worker_id": worker_id,
            "states": row_mapping.dumps([asdict(one) for one in states]),
            "claims": "[]",
            "hosts": row_mapping.dumps(rows),
        }
        # no transaction of both, which would hold the hosts' rows while this process may be frozen
        await self._do(PUBLISH, **values)
        await self._do(CLAIM_TURNS, **values)

    async def busy_hosts(self) -> dict[str, float]:
        """Hosts that may not be asked yet, and for how many seconds."""
        return {row["host"]: row["seconds"] for row in await self._do(BUSY_HOSTS)}
