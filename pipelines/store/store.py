"""Everything that Nachlese remembers: the frontier, runs, articles and their versions, hosts.

``Store`` is one process's way to the database. Each part is a file of its own, with its statements. What it
keeps of articles goes through ``batches`` (many in one transaction) to ``writing``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipelines.archive_remote import RemoteArchive
from pipelines.reading.rules import SiteModel
from pipelines.store import (
    health,
    health_statements,
    meanings,
    rebuild_duplicates,
    regrouping,
    retention,
    row_mapping,
    site_models,
    stories,
)
from pipelines.store import sources as source_rows
from pipelines.store.alarms import Alarms
from pipelines.store.archive_files import ArchiveFiles
from pipelines.store.backfills import Backfills
from pipelines.store.documents import Documents
from pipelines.store.file_batches import FileBatches
from pipelines.store.frontier import Frontier
from pipelines.store.host_slots import HostSlots
from pipelines.store.hosts import Hosts
from pipelines.store.models import Row, SourceRow
from pipelines.store.outcomes import Outcomes
from pipelines.store.queries import Queries
from pipelines.store.runs import Runs
from pipelines.store.takeovers import Takeovers
from pipelines.store.upgrades import Upgrades
from pipelines.store.watching import Watches

if TYPE_CHECKING:
    from pipelines.meaning import Encoder

#: what all sources together come to is asked so seldom: with ten thousand of them it costs more than a look
MEAN_HOLDS = timedelta(minutes=5)


class Store(
    Runs,
    Takeovers,
    Documents,
    Frontier,
    Outcomes,
    Hosts,
    HostSlots,
    Watches,
    Alarms,
    Backfills,
    FileBatches,
    ArchiveFiles,
    Upgrades,
    Queries,
):
    """One process's way to the database. Every method waits for a database that is away (up to *patience*)."""

    _grouping: asyncio.Task[int] | None = None
    _next_grouping: asyncio.Task[int] | None = None
    _mean: tuple[int, datetime, float | None] | None = None  # of which sources, from when, their mean root sum

    def shorten_deadline(self, seconds: float) -> None:
        """The process is to end: wait *seconds* at most, all in all, for a database that is away."""
        self._connections.shorten_deadline(seconds)

    async def close(self) -> None:
        """Write what is queued, then let the connections go."""
        await self._batches.close()
        for task in (self._grouping, self._next_grouping):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await super().close()

    # --- sources -----------------------------------------------------------------------------------------------------

    async def save_sources(self, sources: Sequence[SourceRow]) -> None:
        """Insert or update; a source that is missing from *sources* is left as it is.

        What has the former name of one of them is given to it.
        """
        await self._connections.run(lambda connection: source_rows.save(connection, sources))
        self._params.clear()

    async def update_noise_params(self, source: str) -> frozenset[str]:
        """Learn which parameters of addresses mean nothing, and know its pages without them; their names."""
        run = self._connections.run
        # most of the time there is nothing to learn, and to look takes no transaction
        params = await run(lambda connection: source_rows.settled_params(connection, source), is_one_statement=True)
        if params is None:
            params = await run(lambda connection: source_rows.update_noise_params(connection, source))
        self._params[source] = params
        return params

    async def save_next_run(self, source: str, at: datetime | None, why: str | None = None) -> None:
        """What ``nachlese status`` shows as the next run; *why* where it follows the source's rhythm."""
        await self._do(source_rows.SAVE_NEXT_RUN, source=source, at=at, why=why)

    async def next_run(self, source: str) -> datetime | None:
        """The next run as some process has planned it; None: nobody has."""
        rows = await self._do(source_rows.NEXT_RUN, source=source)
        return rows[0]["next_run_at"] if rows else None

    async def rhythm(self, source: str, auto: Sequence[str], now: datetime) -> Row | None:
        """What the next look at *source* depends on; *auto* are the sources that share what may be asked."""
        rows = await self._do(health_statements.LOOK, source=source, now=now)
        return rows[0] | {"mean_root_sum": await self._mean_root_sum(auto, now)} if rows else None

    async def _mean_root_sum(self, auto: Sequence[str], now: datetime) -> float | None:
        """Of so many sources, as it was at most MEAN_HOLDS ago: rhythms are learned anew after some hours."""
        of = hash(tuple(auto))
        if self._mean is None or self._mean[0] != of or not timedelta() <= now - self._mean[1] < MEAN_HOLDS:
            rows = await self._do(health_statements.MEAN_ROOT_SUM, auto=list(auto))
            self._mean = of, now, rows[0]["mean_root_sum"]
        return self._mean[2]

    # --- what a source's own pages teach -----------------------------------------------------------------------------

    async def learn(self, source: str) -> int | None:
        """Make the next site model where enough articles have come; its number, or None. For between two runs."""
        return await self._connections.run(lambda connection: site_models.learn(connection, source))

    async def site_model(self, source: str, number: int | None = None) -> SiteModel:
        """The site model of that number, or the one that is in force."""
        return await self._connections.run(
            lambda connection: site_models.site_model(connection, source, number), is_one_statement=True
        )

    async def site_model_numbers(self, fetches: Sequence[tuple[str, str, datetime]]) -> list[int]:
        """For each (source, address, time) the site model with which the page of that fetch was read: read again with
        it, it gives the same text."""
        rows = await self._do(
            site_models.SITE_MODEL_OF_PAGES,
            sources=[source for source, _, _ in fetches],
            keys=[row_mapping.page_key(row_mapping.clean(url)) for _, url, _ in fetches],
            times=[fetched_at.astimezone(UTC) for _, _, fetched_at in fetches],
        )
        return [int(row["number"]) for row in rows]

    # --- health ------------------------------------------------------------------------------------------------------

    async def check_health(
        self, source: str, run: int, zone: ZoneInfo, now: datetime | None = None, *, has_pages: bool = True
    ) -> health.Checked:
        """After a run: compare its source with its own history; open and close alarms. *zone* is for their sentences.

        *has_pages* False: the run met none, so only lists, silence and open alarms are looked at.
        """
        at = now or datetime.now(UTC)
        return await self._connections.run(
            lambda connection: health.check(connection, source, run, at, zone, has_pages)
        )

    async def accept_health(self, source: str, measure: str | None = None) -> list[Row]:
        """Close the open alarms of *source* (of one *measure*): what is now is how it should be."""
        return await self._connections.run(lambda connection: health.accept(connection, source, measure))

    # --- stories -----------------------------------------------------------------------------------------------------

    async def group_stories(self) -> int:
        """Give every article that has none its story; how many there were. One process at a time does it.

        Who asks while it is being done waits for the next round, and all who wait share it: many runs end together.
        """
        if self._grouping is None or self._grouping.done():
            self._grouping = asyncio.create_task(self._group_stories())
            return await asyncio.shield(self._grouping)
        if self._next_grouping is None or self._next_grouping.done():
            self._next_grouping = asyncio.create_task(self._group_after(self._grouping))
        return await asyncio.shield(self._next_grouping)

    async def _group_after(self, before: asyncio.Task[int]) -> int:
        await asyncio.wait([before])
        self._grouping = asyncio.current_task()  # who comes from here on may have stored what this round does not see
        self._next_grouping = None
        return await self._group_stories()

    async def _group_stories(self) -> int:
        total, done = 0, stories.MOST
        while done == stories.MOST:  # fewer: that was all
            done = await self._connections.run(stories.group)
            total += done
        return total

    async def regroup_stories(self) -> dict[str, int]:
        """Group anew what is stored, by today's method: {articles, moved, split, merged}."""
        return await regrouping.regroup(self._connections.run)

    # --- meaning -----------------------------------------------------------------------------------------------------

    async def store_meanings(self, encode: Encoder, progress: Callable[[int], None] = lambda done: None) -> int:
        """Give every article that has none the vector of its current wording; how many there were.

        *progress* hears now and then how many are done. Raises ``DatabaseError`` where the server has no pgvector.
        """
        return await meanings.store_meanings(self._connections.run, encode, progress)

    # --- maintenance -------------------------------------------------------------------------------------------------

    async def prune(
        self,
        bookkeeping: datetime | None = None,
        versions: datetime | None = None,
        archive: datetime | None = None,
        folder: Path | None = None,
        is_dry: bool = False,
        remote: RemoteArchive | None = None,
        runs: datetime | None = None,
    ) -> dict[str, int]:
        """Delete what is older; never an article. How many of each kind, by its name.

        *bookkeeping*: requests, endings of pages in old runs, observations. *versions*: wordings that are not
        current. *archive*: files in *folder*, or at *remote*, all of whose pages are older. *runs*: runs, not before
        what *bookkeeping* is about; they are summed up by day. None: nothing of it. *is_dry*: only count.
        """
        return await retention.prune(
            self._connections.run, bookkeeping=bookkeeping, runs=runs, versions=versions, archive=archive,
            folder=folder, is_dry=is_dry, remote=remote,
        )  # fmt: skip

    async def rebuild_duplicates(self) -> dict[str, int]:
        """Find the copies among what an earlier version has stored: {texts: read anew, copies: found}."""
        return await rebuild_duplicates.rebuild(self._connections.run)
