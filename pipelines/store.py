"""Everything that Nachlese remembers: the frontier, runs, articles and their versions, hosts. Bodies follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipelines.items import Article, Link, Page, Reason
from pipelines.store_shapes import (
    Archived,
    Document,
    Ending,
    HostState,
    Offered,
    Row,
    Run,
    RunCounts,
    RunKind,
    RunOutcome,
    SourceRow,
    Target,
    Validators,
)

__all__ = [
    "Archived",
    "Document",
    "Ending",
    "HostState",
    "Offered",
    "Row",
    "Run",
    "RunCounts",
    "RunKind",
    "RunOutcome",
    "SourceRow",
    "Store",
    "Target",
    "Validators",
]


class Store:
    """One process's way to the database. Every method waits for a database that is away (up to *patience*)."""

    @classmethod
    async def open(cls, dsn: str, patience: timedelta = timedelta(days=1)) -> Store:
        """Connect; raises ``database.DatabaseError`` when the database does not answer within *patience*."""
        raise NotImplementedError

    async def close(self) -> None:
        """Write what is queued, then let the connections go."""
        raise NotImplementedError

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    # sources
    async def keep_sources(self, sources: Sequence[SourceRow]) -> None:
        """Insert or update; a source that is missing from *sources* is left as it is."""
        raise NotImplementedError

    async def keep_next_run(self, source: str, at: datetime | None) -> None:
        """What ``nachlese status`` shows as the next run."""
        raise NotImplementedError

    # runs
    async def begin_run(
        self,
        source: str | None,
        kind: RunKind,
        holder: str,
        slot: datetime | None = None,
        lease: timedelta = timedelta(minutes=5),
    ) -> Run | None:
        """A run of *source*, or None: somebody else runs it now, or this slot is done. Dead runs of the source are ended first."""
        raise NotImplementedError

    async def heartbeat(self, run: Run) -> bool:
        """Prolong the lease. False: somebody took the run over; stop working on it."""
        raise NotImplementedError

    async def end_run(self, run: Run, outcome: RunOutcome, error: str | None = None) -> RunCounts:
        """End the run and count its pages. Ending an ended run again returns the same counts."""
        raise NotImplementedError

    async def run_counts(self, run: Run) -> RunCounts:
        """The counts so far, for progress."""
        raise NotImplementedError

    # discovery
    async def validators(self, run: Run, url: str) -> Validators | None:
        """What the last fetch of this discovery document by this source left; None: ask unconditionally."""
        raise NotImplementedError

    async def offer(self, run: Run, links: Sequence[Link], document: Document) -> Offered:
        """Links, the document's validators and its attempt row in ONE transaction.

        A failed fetch is offered too: no links, ``document.error`` set; validators then stay as they were.
        """
        raise NotImplementedError

    async def take(self, run: Run, limit: int) -> list[Target]:
        """Up to *limit* pages of the run's source that are due and that this run does not have in hand yet."""
        raise NotImplementedError

    # ends
    async def keep(
        self,
        run: Run,
        page: Page,
        article: Article,
        archived: Archived | None = None,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        ms: int | None = None,
    ) -> Ending:
        """Store an article; returns after its transaction is committed. Idempotent."""
        raise NotImplementedError

    async def keep_unmodified(self, run: Run, url: str, *, ms: int | None = None) -> Ending:
        """The answer to a recheck was 304: the page ends unchanged."""
        raise NotImplementedError

    async def reject(
        self,
        run: Run,
        url: str,
        reason: Reason,
        detail: str = "",
        status: int | None = None,
        *,
        source: str | None = None,
        fetched_at: datetime | None = None,
        archived: Archived | None = None,
        ms: int | None = None,
        size: int | None = None,
    ) -> Ending:
        """Final: the page is no article. *source* where the run has none (replay)."""
        raise NotImplementedError

    async def postpone(
        self,
        run: Run,
        url: str,
        reason: Reason,
        detail: str = "",
        not_before: datetime | None = None,
        status: int | None = None,
        *,
        ms: int | None = None,
    ) -> Ending:
        """The page stays pending and comes again after a spread backoff; after the last attempt it is rejected."""
        raise NotImplementedError

    async def preview(self, page: Page, article: Article) -> Ending:
        """Where ``keep`` would end this page; nothing is written."""
        raise NotImplementedError

    # hosts
    async def host_state(self, host: str) -> HostState | None:
        raise NotImplementedError

    async def keep_host_state(self, state: HostState) -> None:
        """Fields that are None leave what is stored; ``not_before`` only ever moves later."""
        raise NotImplementedError

    # what people look at
    async def status(self) -> list[Row]:
        """``news.sources``: a row per source with its last and next run."""
        raise NotImplementedError

    async def last_runs(self, source: str | None = None, limit: int = 20) -> list[Row]:
        """``news.runs``, latest first."""
        raise NotImplementedError

    async def articles(
        self,
        source: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        copies: bool = True,
        words: str | None = None,
    ) -> list[Row]:
        """``news.articles``, latest published first."""
        raise NotImplementedError

    async def article(self, id_or_url: int | str) -> Row | None:
        """One row of ``news.articles``, with ``removed``: a list of {rule, text}."""
        raise NotImplementedError

    async def explain(self, url: str) -> Row:
        """One page's story: {url, pages, attempts, endings, article, versions, archive}; lists are empty where unknown."""
        raise NotImplementedError
