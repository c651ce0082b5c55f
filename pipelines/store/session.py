"""What all parts of the store share: the connections, and what this process knows of its own work."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import PipelineStatus
from psycopg.rows import dict_row, namedtuple_row

from pipelines import database
from pipelines.recheck import RecheckPlan
from pipelines.store.connections import Connections

if TYPE_CHECKING:
    from pipelines.store.models import Row, Run


class Session:
    """One process's way to the database. Each part of ``Store`` is a class of its own on top of this one."""

    def __init__(self, dsn: str, patience: timedelta, rechecks: RecheckPlan | None = None):
        self._rechecks = rechecks or RecheckPlan()
        self._connections = Connections(dsn, patience=patience)
        # run -> pages that were claimed and have no outcome yet: key -> id
        self._in_flight: dict[int, dict[bytes, int]] = {}
        self._params: dict[str, frozenset[str]] = {}  # source -> parameters that mean nothing

    @classmethod
    async def open(cls, dsn: str, patience: timedelta = timedelta(days=1), rechecks: RecheckPlan | None = None) -> Self:
        """Connect; raises ``database.DatabaseError`` when the database does not answer within *patience*.

        *rechecks* says when the articles that its runs store are looked at again.
        """
        store = cls(dsn, patience, rechecks)
        try:
            await store._connections.run(lambda connection: connection.execute("SELECT FROM ingest.runs LIMIT 0"))
        except psycopg.Error as error:
            await store.close()
            raise database.DatabaseError(f"{database.shown(dsn)}: {database.safe_text(error, dsn)}") from None
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Let the connections go."""
        await self._connections.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def _do(self, statement: str, **values: Any) -> list[Row]:
        """One statement in a transaction of its own; its rows."""

        async def work(connection: AsyncConnection) -> list[Row]:
            return await rows_of(connection, statement, values)

        return await self._connections.run(work, is_one_statement=True)

    def _ended(self, run: Run, key: bytes) -> None:
        self._in_flight.get(run.id, {}).pop(key, None)


async def rows_of(connection: AsyncConnection, statement: str, values: Any = None) -> list[Row]:
    """The rows of one statement as dicts; none where it brings none. Not in a pipeline, where that is not known yet."""
    assert connection.info.pipeline_status == PipelineStatus.OFF
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(statement, values)
    return await cursor.fetchall() if cursor.description else []


async def named_rows(connection: AsyncConnection, statement: str, values: Any = None) -> list[Any]:
    """The same as named tuples, which are made faster; their columns are known to the statement alone."""
    cursor = connection.cursor(row_factory=namedtuple_row)
    await cursor.execute(statement, values)
    return await cursor.fetchall()
