"""Alarms: who was told of which, and the rows that metrics are made of."""

from __future__ import annotations

from pipelines.store.models import Row
from pipelines.store.session import Session

# Whoever claims tells; a telling that failed is given back and comes again with the next round.
CLAIM_OPENED = """
    UPDATE ingest.alarms SET told_at = now()
    WHERE id IN (SELECT id FROM ingest.alarms WHERE told_at IS NULL AND closed_at IS NULL ORDER BY id LIMIT 50
                 FOR UPDATE SKIP LOCKED)
    RETURNING id, source, measure, since, says, advice, example_url
"""
# of one that was over before anybody was told, nothing is told
CLAIM_CLOSED = """
    UPDATE ingest.alarms SET told_closed_at = now()
    WHERE id IN (SELECT id FROM ingest.alarms
                 WHERE told_closed_at IS NULL AND told_at IS NOT NULL AND closed_at IS NOT NULL ORDER BY id LIMIT 50
                 FOR UPDATE SKIP LOCKED)
    RETURNING id, source, measure, since, says, closed_at, closed_because
"""
GIVE_BACK = """
    UPDATE ingest.alarms
    SET told_at = CASE WHEN id = ANY (%(opened)s) THEN NULL ELSE told_at END,
        told_closed_at = CASE WHEN id = ANY (%(closed)s) THEN NULL ELSE told_closed_at END
    WHERE id = ANY (%(opened)s) OR id = ANY (%(closed)s)
"""


class Alarms(Session):
    """What the schedule does with alarms; to look at them is the business of ``Queries``."""

    async def claim_alarms(self) -> tuple[list[Row], list[Row]]:
        """Alarms that opened and that closed, of which nobody was told yet; they are the caller's to tell."""
        return await self._do(CLAIM_OPENED), await self._do(CLAIM_CLOSED)

    async def give_alarms_back(self, opened: list[Row], closed: list[Row]) -> None:
        """The telling failed: they are claimed again later."""
        ids = {"opened": [row["id"] for row in opened], "closed": [row["id"] for row in closed]}
        await self._do(GIVE_BACK, **ids)

    async def metric_rows(self) -> dict[str, list[Row]]:
        """The rows of ``pipelines.metrics``."""
        from pipelines import metrics  # a library that few crawls need

        return {name: await self._do(statement) for name, statement in metrics.STATEMENTS.items()}
