"""Going on with what another process left: at once where it said goodbye, or when its lease is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from crawler.services import Services
from crawler.worker_ids import is_gone
from pipelines.database import DatabaseError

log = logging.getLogger(__name__)

#: seconds between two looks; a lease that is over is seen so much later at most
LOOK_EVERY = 2.0


class Takeover:
    """Looks for runs that nobody works on. *begin* is called with source and run for those of *may_run*'s sources.

    The database lets one process take a run over, however many of them look.
    """

    def __init__(self, services: Services, may_run: Callable[[str], bool], begin: Callable[[str, int], object]):
        self.services, self.may_run, self.begin = services, may_run, begin

    async def look(self) -> None:
        """Once."""
        for run in await self.services.store.abandoned_runs():
            is_mine = run.holder == self.services.worker_id and not run.is_lost
            if is_mine or self.services.stopping or not self.may_run(run.source):
                continue
            if run.is_lost or is_gone(run.holder, self.services.worker_id):
                self.begin(run.source, run.id)

    async def look_on(self) -> None:
        """For as long as this process works."""
        await every(LOOK_EVERY, self.look, "looking for runs that nobody works on")


async def every(seconds: float, work: Callable[[], Awaitable[object]], what: str) -> None:
    """Do *work* again and again; trouble of the database is waited for, a mistake of ours is said each time.

    *what* it is, for the log: "looking for ...".
    """
    while True:
        try:
            await work()
        except DatabaseError as error:
            log.warning("%s: tried again in %g seconds: %s", what, seconds, error)
        except Exception:  # the process goes on without it
            log.exception("%s", what)
        await asyncio.sleep(seconds)
