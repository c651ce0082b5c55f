"""A running process whose database is upgraded by a newer one beside it.

Upgrades only add (docs/operations.md, "Upgrade it"), so it goes on, and says once that it is an old one. Where its
statements do not fit any more, it takes nothing new and ends: what it did not finish waits in the database for the
others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from crawler.reports import RunReport
from crawler.services import Services
from crawler.takeover import every
from pipelines.database import SQL, DatabaseError

log = logging.getLogger(__name__)

LOOK_EVERY = 60.0


class UpgradeWatch:
    """*drain* is called once, when this process can do its work no more."""

    def __init__(self, services: Services, drain: Callable[[], object] = lambda: None):
        self.services, self.drain = services, drain
        # those of the program as it was started: its files may be replaced under it
        self.known = [file.stem for file in (SQL / "migrations").glob("*.sql")]
        self.newer: list[str] = []
        self.is_over = False

    async def look(self) -> None:
        """Once. Raises DatabaseError."""
        if self.newer:
            return
        self.newer = await self.services.store.newer_migrations(self.known)
        if self.newer:
            log.warning(
                "a newer Nachlese has upgraded the database (%s): this process goes on as it is; drain it (SIGUSR1) "
                "and start the new version",
                ", ".join(self.newer),
            )

    async def look_on(self) -> None:
        """For as long as this process works."""
        await every(LOOK_EVERY, self.look, "looking whether the database was upgraded")

    async def after(self, report: RunReport) -> None:
        """After a run. Raises DatabaseError."""
        if report.outcome != "failed" or self.is_over or not self.services.store.has_misfit:
            return
        await self.look()
        if self.newer:
            self.is_over = True
            log.error("%s: takes nothing new, and ends with its last run", self.said())
            self.drain()

    def said(self) -> str:
        return f"this Nachlese is too old for its database, which a newer one has upgraded ({', '.join(self.newer)})"

    def refuse_if_over(self) -> None:
        """At the end of the process. Raises DatabaseError where this is why it ends: exit code 3, as at a start."""
        if self.is_over:
            raise DatabaseError(f"{self.said()}; start the new version")
