"""Everything that Nachlese remembers: the frontier, runs, articles and their versions, hosts.

``Store`` is one process's way to the database. What it keeps of articles goes through ``batches`` (many in one
transaction) to ``writing``; its other statements are in ``frontier`` and, for looking, ``looking``.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from pipelines import database, recheck, urls
from pipelines.items import Article, Link, Page, Reason
from pipelines.reading.rules import Learned
from pipelines.recheck import RecheckPlan
from pipelines.store import frontier as sql
from pipelines.store import (
    hosts,
    learning,
    looking,
    offering,
    preparing,
    relinking,
    retention,
    retrying,
    searching,
    stories,
    watching,
    writing,
)
from pipelines.store import sources as source_rows
from pipelines.store.batches import Batches
from pipelines.store.connections import Connections
from pipelines.store.shapes import (
    Archived,
    Document,
    DocumentState,
    Ending,
    HostRest,
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
    WatchRow,
)

# what an address answers that no longer has its article: 404 or 410, a notice, or the front page it leads to
GONE = (Reason.GONE, Reason.SOFT_404, Reason.HOME_PAGE)
ARTICLES_AT_A_TIME = 200  # some megabytes


class Store:
    """One process's way to the database. Every method waits for a database that is away (up to *patience*)."""

    def __init__(self, dsn: str, patience: timedelta, rechecks: RecheckPlan | None = None):
        self._rechecks = rechecks or RecheckPlan()
        self._connections = Connections(dsn, patience=patience)
        self._batches = Batches(self._connections, self._refuse)
        self._in_hand: dict[
            int, dict[bytes, int]
        ] = {}  # run -> pages that take() has given out and that have no end yet
        self._params: dict[str, frozenset[str]] = {}  # source -> parameters that mean nothing

    @classmethod
    async def open(
        cls, dsn: str, patience: timedelta = timedelta(days=1), rechecks: RecheckPlan | None = None
    ) -> Store:
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

    def hurry(self, seconds: float) -> None:
        """The process is to end: wait *seconds* at most, all in all, for a database that is away."""
        self._connections.hurry(seconds)

    async def close(self) -> None:
        """Write what is queued, then let the connections go."""
        await self._batches.close()
        await self._connections.close()

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def _do(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """One statement in a transaction of its own; its rows."""

        async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
            return await _rows(connection, statement, values)

        return await self._connections.run(work)

    # -----------------------------------------------------------------------------------------------------------------
    # sources

    async def keep_sources(self, sources: Sequence[SourceRow]) -> None:
        """Insert or update; a source that is missing from *sources* is left as it is.

        What has the former name of one of them is given to it.
        """
        await self._connections.run(lambda connection: source_rows.keep(connection, sources))
        self._params.clear()

    async def settle_params(self, source: str) -> frozenset[str]:
        """Learn which parameters of addresses mean nothing, and know its pages without them; their names."""
        params = await self._connections.run(lambda connection: source_rows.settle_params(connection, source))
        self._params[source] = params
        return params

    async def keep_next_run(self, source: str, at: datetime | None) -> None:
        """What ``nachlese status`` shows as the next run."""
        await self._do(sql.KEEP_NEXT_RUN, source=source, at=at)

    # -----------------------------------------------------------------------------------------------------------------
    # runs

    async def begin_run(
        self,
        source: str | None,
        kind: RunKind,
        holder: str,
        slot: datetime | None = None,
        lease: timedelta = timedelta(minutes=5),
    ) -> Run | None:
        """A run of *source*, or None: somebody else runs it now, or this slot is done.

        Runs of the source whose lease is over are ended first, as failed with the error 'lost lease'.
        """
        values = {"token": uuid.uuid4(), "source": source, "kind": kind, "slot": slot, "holder": holder, "lease": lease}

        async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
            begun = await _rows(connection, sql.FIND_BEGUN, values)
            if begun:
                return begun
            await connection.execute(sql.LOCK_SOURCE, values)
            if source is not None:
                await connection.execute(sql.KEEP_SOURCE_NAME, values)
            for dead in await _rows(connection, sql.FIND_DEAD_RUNS, values):
                await _end_run(connection, dead["id"], "failed", "lost lease")
            return await _rows(connection, sql.BEGIN_RUN, values)

        begun = await self._connections.run(work)
        if not begun:
            return None
        return Run(begun[0]["id"], source, kind, holder, slot, lease, begun[0]["started_at"], self._rechecks)

    async def heartbeat(self, run: Run) -> bool:
        """Prolong the lease. False: somebody took the run over; stop working on it."""
        return bool(await self._do(sql.HEARTBEAT, run=run.id, lease=run.lease))

    async def holders(self, source: str | None) -> dict[int, str]:
        """The holder of each run of *source* that has not ended, by the run's id."""
        return {row["id"]: row["holder"] for row in await self._do(sql.HOLDERS, source=source)}

    async def end_run(self, run: Run, outcome: RunOutcome, error: str | None = None) -> RunCounts:
        """End the run and count its pages. Ending an ended run again returns the same counts."""
        counts = await self._connections.run(
            lambda connection: _end_run(connection, run.id, outcome, preparing.clean(error))
        )
        self._in_hand.pop(run.id, None)
        return counts

    async def run_counts(self, run: Run) -> RunCounts:
        """The counts so far, for progress."""
        return _counts(await self._do(sql.COUNT_RUN, run=run.id))

    # -----------------------------------------------------------------------------------------------------------------
    # what a source's own pages teach

    async def learn(self, source: str) -> int | None:
        """Make the next lesson where enough articles have come; its number, or None. For between two runs."""
        return await self._connections.run(lambda connection: learning.learn(connection, source))

    async def lesson(self, source: str, number: int | None = None) -> Learned:
        """The lesson of that number, or the one that is in force."""
        return await self._connections.run(lambda connection: learning.lesson(connection, source, number))

    async def lesson_number(self, source: str, url: str, fetched_at: datetime) -> int:
        """The lesson with which the page of that fetch was read: read again with it, it gives the same text."""
        key = preparing.page_key(preparing.clean(url))
        return await self._connections.run(lambda connection: learning.number_for(connection, source, key, fetched_at))

    # -----------------------------------------------------------------------------------------------------------------
    # discovery

    async def validators(self, run: Run, url: str) -> Validators | None:
        """What the last fetch of this discovery document by this source left; None: ask unconditionally."""
        rows = await self._do(sql.VALIDATORS, source=run.source, key=preparing.page_key(url))
        return Validators(**rows[0]) if rows else None

    async def document_state(self, run: Run, url: str) -> DocumentState:
        """What is known of a discovery document of this source, before it is asked for."""
        rows = await self._do(sql.DOCUMENT_STATE, source=run.source, key=preparing.page_key(url))
        if not rows:
            return DocumentState()
        row = rows[0]
        names = ("etag", "last_modified", "checked_at", "not_modified_in_a_row")
        has_validators = (row["etag"] or row["last_modified"]) and not row["is_distrusted"]
        return DocumentState(
            validators=Validators(**{name: row[name] for name in names}) if has_validators else None,
            digest=(row["digest"] or b"").hex(),
            memory=row["memory"].hex() if row["memory"] is not None else None,
            confirmed=row["confirmed_looks"],
            is_distrusted=row["is_distrusted"],
        )

    async def offer(
        self, run: Run, links: Sequence[Link], document: Document, most_pending: int | None = None
    ) -> Offered:
        """Links, the document's validators and its attempt row in ONE transaction.

        *most_pending*: so many pages of the source may wait; of what is new the latest are kept.

        A failed fetch is offered too: no links, ``document.error`` set; validators then stay as they were. A link that
        is no address is rejected here; one that has ended and is not due for a recheck ends unchanged in this run.
        """
        # off the loop: a sitemap may have 50,000 links, and other sources' fetches must not wait for a second
        good, bad = await asyncio.to_thread(_link_rows, links)
        in_hand = list(self._in_hand.get(run.id, {}).values())
        values = {"source": run.source, "run": run.id, "in_hand": in_hand}

        async def work(connection: AsyncConnection) -> Offered:
            offered = await offering.offer(connection, values, good, most_pending) if good else Offered()
            await _keep_document(connection, run, document, offered)
            if bad:
                await connection.execute(sql.OFFER, values | {"links": preparing.dumps(bad)})
                await _reject_bad_links(connection, run, bad)
            return offered

        return await self._connections.run(work)

    async def take(self, run: Run, limit: int) -> list[Target]:
        """Up to *limit* pages of the run's source that are due and that this run does not have in hand yet."""
        in_hand = self._in_hand.setdefault(run.id, {})
        values = {"source": run.source, "run": run.id, "limit": limit, "in_hand": list(in_hand.values())}

        async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
            rows = [] if run.kind == "recheck" else await _rows(connection, sql.TAKE, values)
            if len(rows) < limit:
                again = await _rows(connection, sql.TAKE_RECHECKS, values | {"limit": limit - len(rows)})
                ids = [row["id"] for row in again]
                await connection.execute(sql.TAKEN_FOR_RECHECK, {"run": run.id, "ids": ids})
                rows += again
            return rows

        rows = await self._connections.run(work)
        for row in rows:
            in_hand[preparing.page_key(row["url"])] = row.pop("id")
            row["hint"] = preparing.HINT.validate_python(row["hint"]) if row["hint"] else None
        return [Target(**row) for row in rows]

    async def recheck_now(
        self, sources: Sequence[str] = (), urls: Sequence[str] = (), since: datetime | None = None
    ) -> tuple[dict[str, int], list[str]]:
        """Make stored articles due for a look: those at *urls*, and those of *sources* that were first seen since then.

        Returns how many of each source are due now, and the *urls* at which no article is known.
        """
        cleaned = [preparing.clean(url) for url in urls]

        async def work(connection: AsyncConnection) -> tuple[dict[str, int], list[str]]:
            found = await _rows(connection, sql.FIND_ARTICLE_IDS, {"urls": cleaned})
            ids = [row["id"] for row in found if row["id"] is not None]
            values = {"articles": ids, "sources": list(sources), "since": since or datetime.min.replace(tzinfo=UTC)}
            due = Counter(row["source"] for row in await _rows(connection, sql.RECHECK_NOW, values))
            return dict(sorted(due.items())), [row["url"] for row in found if row["id"] is None]

        return await self._connections.run(work)

    async def was_broken_off(self, run: Run) -> bool:
        """Whether the run of this source before *run* did not finish."""
        rows = await self._do(sql.BROKEN_OFF, source=run.source, run=run.id)
        return bool(rows and rows[0]["broken_off"])

    async def archive_gaps(self, files: Sequence[str]) -> list[tuple[str, int, int | None]]:
        """(file, first byte, end or None): where archive *files* have pages, if any, that have no recorded end."""
        rows = await self._do(sql.ARCHIVE_GAPS, files=list(files))
        return [(row["file"], row["gap_begin"], row["gap_end"]) for row in rows]

    def _ended(self, run: Run, key: bytes) -> None:
        self._in_hand.get(run.id, {}).pop(key, None)

    # -----------------------------------------------------------------------------------------------------------------
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
        queued: asyncio.Event | None = None,
    ) -> Ending:
        """Store an article; returns after its transaction is committed. Idempotent.

        *queued* is set when its turn is certain: articles are stored in the order in which that happens.

        What cannot be stored ends as rejected with the reason ``unstorable``, and is not raised. Trouble of the
        database is: DatabaseError, and the page has no end.
        """
        try:
            params = await self._params_of(page, article)
            arguments = (run, page, article, archived, etag, last_modified, ms, params)
            is_long = len(article.text) > preparing.LONG_TEXT
            item = await asyncio.to_thread(preparing.item, *arguments) if is_long else preparing.item(*arguments)
        except (ValueError, TypeError) as error:
            url, detail = page.asked_url or page.url, database.safe_text(error)
            return await self.reject(
                run, url, Reason.UNSTORABLE, detail, page.status, source=page.source, fetched_at=page.fetched_at,
                archived=archived, ms=ms,
            )  # fmt: skip
        if queued is not None:
            queued.set()
        ending = await self._batches.keep(item)
        self._ended(run, item.page_key)
        return ending

    async def _params_of(self, page: Page, article: Article) -> frozenset[str]:
        """The parameters that mean nothing in the address under which an article is to be known.

        None, where it is known with them already: it keeps its row.
        """
        url = preparing.clean(article.canonical_url or article.url or page.url)
        if "?" not in url:
            return frozenset()
        if page.source not in self._params:
            rows = await self._do(source_rows.PARAMS, source=page.source)
            self._params[page.source] = frozenset(rows[0]["drop_params"] + rows[0]["noise_params"] if rows else ())
        params = self._params[page.source]
        if not params:
            return params
        known = await self._do("SELECT FROM ingest.articles WHERE url_key = %(key)s", key=preparing.page_key(url))
        return frozenset() if known else params

    async def _refuse(self, item: preparing.Item, message: str) -> Ending:
        return await self.reject(
            item.run,
            item.page_url,
            Reason.UNSTORABLE,
            message,
            item.status,
            source=item.source,
            fetched_at=item.fetched_at,
            archived=item.archived,
            ms=item.ms,
            size=item.size,
        )

    async def keep_unmodified(self, run: Run, url: str, *, ms: int | None = None) -> Ending:
        """The answer to a recheck was 304: the page ends unchanged."""
        values = _page_values(run, url, None) | {"status": 304, "ms": ms, "size": 0, "outcome": "unchanged", "item": ""}
        unchanged = 0  # as the first try counted it: a second one, after a lost answer, does not count again

        async def work(connection: AsyncConnection) -> Ending:
            nonlocal unchanged
            page = await _page(connection, values)
            articles = await _rows(connection, sql.FIND_ARTICLE_TIMES, {"article": page["article_id"]})
            article = articles[0] if articles else None
            if article is None:
                raise ValueError(f"304 for {url[:200]}, which has no article: it was not asked with validators of ours")
            unchanged = unchanged or page["checks_unchanged"] + 1
            if page["checks_unchanged"] >= unchanged:
                return Ending("unchanged", article["id"], None, article["version"])
            due = run.rechecks.next_check(article["first_seen_at"], article["published_at"], article["now"], unchanged)
            await connection.execute(sql.UNMODIFIED, {"page": page["id"], "next": due})
            await connection.execute(sql.CONFIRM_ARTICLE, {"article": article["id"]})
            done = values | {"page": page["id"], "article": article["id"], "version": article["version"]}
            await _record(connection, run, done | {"ending": "unchanged", "fetched_at": article["now"]})
            return Ending("unchanged", article["id"], None, article["version"])

        ending = await self._connections.run(work)
        self._ended(run, values["key"])
        return ending

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
        """Final: the page is no article. *source* where the run has none (replay).

        The page of a stored article keeps it: it is looked at again later; when it is gone, a few times more.
        """
        values = _page_values(run, url, source) | {
            "reason": str(reason), "detail": preparing.clean(detail)[:2000], "status": status, "ms": ms, "size": size,
            "outcome": str(reason), "item": _replay_item(run, fetched_at), "fetched_at": fetched_at,
        }  # fmt: skip

        async def work(connection: AsyncConnection) -> Ending:
            page = await _page(connection, values)
            if archived:
                where = {"file": archived.file, "offset": archived.offset, "length": archived.length}
                await connection.execute(sql.KEEP_ARCHIVE_RECORD, values | where)
            return await _reject(connection, run, page, values)

        ending = await self._connections.run(work)
        self._ended(run, values["key"])
        return ending

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
        attempted: bool = True,
    ) -> Ending:
        """The page stays pending and comes again after a spread backoff; after the last attempt it is rejected.

        *attempted* False: nothing was asked, because the host wants to be left alone until *not_before*. That uses up
        no attempt, and this run does not get the page again.
        """
        values = _page_values(run, url, None) | {
            "reason": str(reason), "detail": preparing.clean(detail)[:2000], "status": status, "ms": ms, "size": None,
            "outcome": str(reason), "item": "", "fetched_at": None, "not_before": not_before, "article": None,
            "version": None,
        }  # fmt: skip
        attempts: int | None = None  # of the first try: when the answer to its COMMIT is lost, the second one sees more

        async def work(connection: AsyncConnection) -> Ending:
            nonlocal attempts
            page = await _page(connection, values)
            attempts = attempts or page["attempts"] + attempted
            if attempted and attempts >= recheck.MAX_ATTEMPTS:
                return await _reject(connection, run, page, values)
            if not attempted:
                await connection.execute(sql.LET_REST, values | {"page": page["id"]})
                await connection.execute(sql.KEEP_RUN_PAGE, values | {"page": page["id"], "ending": None})
            elif page["attempts"] < attempts:
                wait = recheck.backoff(attempts, _spread(values["key"], attempts))
                row = values | {"page": page["id"], "attempts": attempts, "wait": wait, "ending": None}
                await connection.execute(sql.POSTPONE_PAGE, row)
                await _record(connection, run, row)
            return Ending("pending", page["article_id"], reason=reason, detail=detail)

        ending = await self._connections.run(work)
        if attempted:
            self._ended(run, values["key"])
        return ending

    async def retry(
        self,
        reasons: Sequence[Reason],
        sources: Sequence[str] | None = None,
        since: datetime | None = None,
        is_dry: bool = False,
    ) -> tuple[list[Row], list[tuple[str, Archived]]]:
        """Pages that ended for one of *reasons* (since then, in *sources*) become pending again.

        ([{source, reason, pages}], [(source, where the archive has the page)]). *is_dry*: only count, change nothing.
        """
        names = [str(reason) for reason in reasons]

        async def work(connection: AsyncConnection) -> tuple[list[Row], list[Row]]:
            return await retrying.retry(connection, names, sources, since, is_dry)

        counted, archived = await self._connections.run(work)
        places = [Archived(row["file"], row["record_offset"], row["length"]) for row in archived]
        return counted, [(row["source"], place) for row, place in zip(archived, places, strict=True)]

    async def preview(self, page: Page, article: Article) -> Ending:
        """Where ``keep`` would end this page; nothing is written. Raises ValueError or TypeError: it is unstorable."""
        item = preparing.item(None, page, article, None)
        return await self._connections.run(lambda connection: writing.preview(connection, item))

    # -----------------------------------------------------------------------------------------------------------------
    # stories

    async def group_stories(self) -> int:
        """Give every article that has none its story; how many there were. One process at a time does it."""
        total = 0
        while done := await self._connections.run(stories.group):
            total += done
        return total

    # -----------------------------------------------------------------------------------------------------------------
    # watchlists

    async def keep_watches(self, watches: Sequence[WatchRow]) -> None:
        """The watchlists that articles are matched by from now on; others are forgotten, their matches stay."""
        text = preparing.dumps([preparing.clean(asdict(watch)) for watch in watches])
        values = {"watches": text, "names": [watch.name for watch in watches]}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(watching.KEEP_WATCHES, values)
            await connection.execute(watching.FORGET_WATCHES, values)

        await self._connections.run(work)

    async def take_matches(self, watch: str, limit: int) -> list[Row]:
        """Matches that are due to be sent; they come again later unless ``told`` says that they were."""

        async def work(connection: AsyncConnection) -> list[Row]:
            taken = await _rows(connection, watching.TAKE_MATCHES, watching.take_values(watch, limit))
            return await _rows(connection, watching.MATCHES_BY_ID, {"ids": [row["id"] for row in taken]})

        return await self._connections.run(work)

    async def told(self, ids: Sequence[int], error: str | None = None) -> None:
        """Matches were sent, or were not because of *error*."""
        await self._do(watching.TOLD, ids=list(ids), error=preparing.clean(error))

    async def latest_matches(self, watch: str, limit: int) -> list[Row]:
        """The latest articles that match, latest first."""
        return await self._do(watching.LATEST_MATCHES, watch=watch, limit=limit)

    # -----------------------------------------------------------------------------------------------------------------
    # hosts

    async def host_state(self, host: str) -> HostState | None:
        rows = await self._do(hosts.HOST_STATE, host=host)
        return HostState(**rows[0]) if rows else None

    async def keep_host_state(self, state: HostState) -> None:
        """Fields that are None leave what is stored."""
        await self._do(hosts.KEEP_HOST_STATE, **asdict(state))

    async def host_rests(self, host: str | None = None) -> list[HostRest]:
        """What is known of one host, also what is over by now; without *host*, the rests of all that are not over."""
        return [HostRest(**row) for row in await self._do(hosts.HOST_RESTS, host=host)]

    async def keep_host_rest(self, rest: HostRest) -> None:
        """A shorter rest never replaces a longer one."""
        await self._do(hosts.KEEP_HOST_REST, **asdict(rest))

    async def lift_host_rests(self, host: str | None = None, source: str | None = None) -> list[HostRest]:
        """End the rests of a host (None: of all), of one source or of all; those that were ended.

        Pages that waited for one of them are due now.
        """

        async def work(connection: AsyncConnection) -> list[Row]:
            lifted = await _rows(connection, hosts.LIFT_HOST_RESTS, {"host": host, "source": source})
            names = sorted({row["host"] for row in lifted})
            await connection.execute(hosts.WAKE_PAGES, {"hosts": names, "source": source})
            return lifted

        return [HostRest(**row) for row in await self._connections.run(work)]

    # -----------------------------------------------------------------------------------------------------------------
    # what is deleted after a time

    async def prune(
        self,
        bookkeeping: datetime | None = None,
        versions: datetime | None = None,
        archive: datetime | None = None,
        folder: Path | None = None,
        is_dry: bool = False,
    ) -> dict[str, int]:
        """Delete what is older; never an article. {attempts, run_pages, versions, archive_files}: how many.

        *bookkeeping*: requests and the endings of pages in runs that have ended. *versions*: wordings that are not
        current. *archive*: files in *folder* all of whose pages are older. None: nothing of it. *is_dry*: only count.
        """
        return await retention.prune(
            self._connections.run, bookkeeping=bookkeeping, versions=versions, archive=archive, folder=folder,
            is_dry=is_dry,
        )  # fmt: skip

    async def relink(self) -> dict[str, int]:
        """Find the copies among what an earlier version has stored: {texts: read anew, copies: found}."""
        return await relinking.relink(self._connections.run)

    async def size(self) -> Row:
        """{bytes, tables: [{name, rows, bytes, index_bytes, about}]}; rows are Postgres's estimate."""
        return await retention.size(self._connections.run)

    # -----------------------------------------------------------------------------------------------------------------
    # what people look at

    async def status(self) -> list[Row]:
        """``news.sources``: a row per source with its last and next run."""
        return await self._do(looking.STATUS)

    async def last_runs(self, source: str | None = None, limit: int = 20) -> list[Row]:
        """``news.runs``, latest first."""
        return await self._do(looking.LAST_RUNS, source=source, limit=limit)

    async def articles(
        self,
        source: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        copies: bool = True,
        words: str | None = None,
    ) -> list[Row]:
        """``news.articles``, latest published first. *since* is compared with published, or first seen where unknown.

        *copies* False leaves copies out; *words* must all occur in title, teaser or text.
        """
        like = [f"%{_escaped(word)}%" for word in (words or "").split()]
        return await self._do(looking.ARTICLES, source=source, since=since, limit=limit, copies=copies, words=like)

    async def each_article(
        self,
        source: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        copies: bool = True,
        words: str | None = None,
    ) -> AsyncIterator[Row]:
        """As `articles`, without end and without holding more than a few of them at a time."""
        like = [f"%{_escaped(word)}%" for word in (words or "").split()]
        found = await self._do(looking.ARTICLE_IDS, source=source, since=since, limit=limit, copies=copies, words=like)
        ids = [row["id"] for row in found]
        for start in range(0, len(ids), ARTICLES_AT_A_TIME):
            for row in await self._do(looking.ARTICLES_BY_ID, ids=ids[start : start + ARTICLES_AT_A_TIME]):
                yield row

    async def export(
        self,
        watch: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        copies: bool = True,
    ) -> AsyncIterator[list[Row]]:
        """Rows of ``news.articles``, oldest number first, a few hundred at a time.

        *watch*: those whose current wording matches that watchlist.
        """
        found = await self._do(looking.EXPORT_IDS, watch=watch, source=source, since=since, until=until, copies=copies)
        ids = [row["id"] for row in found]
        for start in range(0, len(ids), ARTICLES_AT_A_TIME):
            yield await self._do(looking.ARTICLES_BY_ID, ids=ids[start : start + ARTICLES_AT_A_TIME])

    async def search(
        self,
        query: str,
        language: str | None = None,
        since: datetime | None = None,
        source: str | None = None,
        limit: int = 20,
    ) -> list[Row]:
        """``news.search``, best first; ``id`` is the article's. Nothing is found by a query without words."""
        query = preparing.clean(query)
        return await self._do(searching.SEARCH, query=query, language=language, since=since, source=source, limit=limit)

    async def article(self, id_or_url: int | str) -> Row | None:
        """One row of ``news.articles``, with ``removed``: a list of {rule, text}."""
        key = preparing.page_key(id_or_url) if isinstance(id_or_url, str) else None
        number = id_or_url if isinstance(id_or_url, int) else None
        rows = await self._do(looking.ARTICLE, number=number, key=key)
        return rows[0] if rows else None

    async def explain(self, url: str) -> Row:
        """One page's story: {url, pages, endings, attempts, article, versions, archive}; what is unknown is empty."""
        key = preparing.page_key(preparing.clean(url))
        return await self._connections.run(lambda connection: looking.explain(connection, url, key))


# ---------------------------------------------------------------------------------------------------------------------
# steps of a transaction


async def _rows(connection: AsyncConnection, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(statement, values)
    return await cursor.fetchall() if cursor.description else []


def _counts(rows: list[dict[str, Any]]) -> RunCounts:
    numbers: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for row in rows:
        numbers[row["ending"]] = numbers.get(row["ending"], 0) + row["number"]
        if row["reason"]:
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + row["number"]
    return RunCounts(**numbers, reasons=dict(sorted(reasons.items())))


async def _end_run(connection: AsyncConnection, run: int, outcome: RunOutcome, error: str | None) -> RunCounts:
    state = (await _rows(connection, sql.RUN_STATE, {"run": run}))[0]
    if state.pop("ended_at") is not None:
        return RunCounts(**state)
    counts = _counts(await _rows(connection, sql.COUNT_RUN, {"run": run}))
    values = asdict(counts) | {"run": run, "outcome": outcome, "error": error, "reasons": Jsonb(counts.reasons)}
    await connection.execute(sql.END_RUN, values)
    await connection.execute(sql.FORGET_SEEN_AGAIN, {"run": run})
    return counts


def _link_rows(links: Sequence[Link]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows for the links that are addresses and for those that are not, each address once."""
    good: dict[bytes, dict[str, Any]] = {}
    bad: dict[bytes, dict[str, Any]] = {}
    for link in links:
        url = preparing.clean(link.url)
        row = {"url": url[:8000], "found_on": preparing.clean(link.found_on), "hint": preparing.hint_row(link.hint)}
        try:
            key = urls.url_key(urls.normalise(url))
        except urls.BadUrl as error:
            shown = urls.without_userinfo(url)
            key = preparing.other_key(shown)
            bad.setdefault(key, row | {"url_key": key, "url": shown[:8000], "detail": str(error), "dated_at": None})
            continue
        modified = link.hint.modified_at if link.hint else None
        dated = (link.hint.published_at or modified) if link.hint else None
        good.setdefault(key, row | {"url_key": key, "modified_at": modified, "dated_at": dated})
    return list(good.values()), list(bad.values())


async def _keep_document(connection: AsyncConnection, run: Run, document: Document, offered: Offered) -> None:
    is_full = document.error is None and not document.not_modified
    values = preparing.clean(asdict(document)) | {
        "left_out": document.left_out + offered.left_out,
        "note": _document_note(document, offered),
        "digest": bytes.fromhex(document.digest) or None,
        "memory": None if document.memory is None else bytes.fromhex(document.memory),
        "run": run.id,
        "source": run.source,
        "key": preparing.page_key(document.url),
        "is_full": is_full,
        "outcome": "error" if document.error is not None else "not_modified" if document.not_modified else "ok",
    }
    await connection.execute(sql.KEEP_DOCUMENT, values)
    if is_full and document.memory is not None:
        await connection.execute(sql.KEEP_MEMORY, values)
    await connection.execute(sql.KEEP_DOCUMENT_ATTEMPT, values)


def _document_note(document: Document, offered: Offered) -> str | None:
    said = [preparing.clean(document.note)] if document.note else []
    if offered.left_out:
        said.append(f"left_out: {offered.left_out} new pages, for which the frontier has no room")
    if offered.displaced:
        said.append(f"{offered.displaced} older pages gave their place to newer ones")
    return "; ".join(said)[:2000] or None


async def _reject_bad_links(connection: AsyncConnection, run: Run, bad: list[dict[str, Any]]) -> None:
    values = {"source": run.source, "links": preparing.dumps(bad)}
    for row in await _rows(connection, sql.REJECT_BAD_LINKS, values):
        await connection.execute(
            sql.KEEP_RUN_PAGE,
            {"run": run.id, "page": row["id"], "item": "", "ending": "rejected", "reason": str(Reason.BAD_URL),
             "detail": row["detail"], "article": None, "version": None, "fetched_at": None},
        )  # fmt: skip


def _page_values(run: Run, url: str, source: str | None) -> dict[str, Any]:
    of_run = source or run.source
    if of_run is None:
        raise ValueError("a run without a source must be told the page's source")
    url = preparing.clean(url)
    key = preparing.page_key(url)
    return {"run": run.id, "source": preparing.clean(of_run), "url": url[:8000], "key": key}


def _replay_item(run: Run, fetched_at: datetime | None) -> str:
    return fetched_at.isoformat() if fetched_at and run.kind == "replay" else ""


async def _page(connection: AsyncConnection, values: dict[str, Any]) -> dict[str, Any]:
    """The frontier row of a page, locked; made where it is missing."""
    found = await _rows(connection, sql.FIND_PAGE, values)
    if not found:
        await connection.execute(sql.KEEP_SOURCE_NAME, values)
        await connection.execute(sql.KEEP_PAGE, values)
        found = await _rows(connection, sql.FIND_PAGE, values)
    return found[0]


async def _reject(connection: AsyncConnection, run: Run, page: dict[str, Any], values: dict[str, Any]) -> Ending:
    ending = Ending("rejected", page["article_id"], reason=Reason(values["reason"]), detail=values["detail"])
    row = values | {"page": page["id"], "ending": "rejected", "article": page["article_id"], "version": None}
    before = await _rows(connection, sql.FIND_RUN_PAGE, row)
    if before and (before[0]["ending"], before[0]["reason"]) == ("rejected", values["reason"]):
        return ending  # written by an earlier try whose answer was lost
    if page["state"] == "pending" or (page["article_id"] is None and run.kind != "replay"):
        await connection.execute(sql.REJECT_PAGE, row)
    elif run.kind != "replay":
        await _reject_recheck(connection, run, page, row)
    await _record(connection, run, row)
    return ending


async def _reject_recheck(connection: AsyncConnection, run: Run, page: dict[str, Any], row: dict[str, Any]) -> None:
    """A stored article's page is no article now: look again later, a few times only where it is gone.

    A page that says it is not there with status 200 may be a site in trouble: gone, and looked at like any other.
    """
    if row["reason"] in GONE:
        await connection.execute(sql.ARTICLE_GONE, row)
    article = (await _rows(connection, sql.FIND_ARTICLE_TIMES, row))[0]
    tries = page["attempts"] + 1
    if row["reason"] == Reason.GONE:
        wait = recheck.next_look(tries)
        await connection.execute(sql.REJECT_RECHECK, row | {"next": wait and article["now"] + wait})
        return
    due = run.rechecks.next_check(article["first_seen_at"], article["published_at"], article["now"], tries)
    await connection.execute(sql.REJECT_RECHECK, row | {"next": due if tries < recheck.MAX_ATTEMPTS else None})


async def _record(connection: AsyncConnection, run: Run, row: dict[str, Any]) -> None:
    """How a page ended (or was put off) in this run, and the request that led to it."""
    nothing = {"reason": None, "detail": None, "version": None}
    await connection.execute(sql.KEEP_RUN_PAGE, nothing | row)
    if run.kind != "replay":
        await connection.execute(sql.KEEP_ATTEMPT, nothing | row)


def _spread(key: bytes, attempts: int) -> float:
    """Between 0 and 1, different for each page and attempt, the same on every machine."""
    return hashlib.blake2b(key + bytes([attempts % 256]), digest_size=1).digest()[0] / 255


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
