"""Whether a newer program has changed the tables while this process works."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.store.session import Session

NEWER = "SELECT name FROM ingest.migrations WHERE name <> ALL (%(known)s) AND name <> 'views' ORDER BY name"


class Upgrades(Session):
    """What ``Store`` does about the upgrades of others."""

    async def newer_migrations(self, known: Sequence[str]) -> list[str]:
        """Names of the migrations that were applied and are not *known*, those of this process."""
        return [row["name"] for row in await self._do(NEWER, known=list(known))]

    @property
    def has_misfit(self) -> bool:
        """Whether the database did not know a table, column or function that this process asked for."""
        return self._connections.has_misfit
