"""How pages end: stored, unchanged, rejected with a reason, or put off. Each is one transaction and can be repeated."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta

from psycopg import AsyncConnection

from pipelines import database, recheck
from pipelines.items import Article, Page, Reason
from pipelines.recheck import RecheckPlan
from pipelines.store import row_mapping, story_terms, writing
from pipelines.store import sources as source_rows
from pipelines.store.batches import Batches
from pipelines.store.models import Archived, PageOutcome, Row, Run
from pipelines.store.session import Session, rows_of
from pipelines.text_features import TextFeatures

FIND_PAGE = """
    SELECT id, state, attempts, article_id, checks_unchanged, last_fetched_at, next_check_at
    FROM ingest.pages WHERE source = %(source)s AND url_key = %(key)s
    FOR NO KEY UPDATE
"""

SAVE_PAGE = """
    INSERT INTO ingest.pages (source, url_key, url) VALUES (%(source)s, %(key)s, %(url)s)
    ON CONFLICT DO NOTHING
"""

FIND_RUN_PAGE = """
    SELECT ending, reason, article_id, fetched_at, recorded_at
    FROM ingest.run_pages WHERE run_id = %(run)s AND page_id = %(page)s AND item = %(item)s
"""

SAVE_RUN_PAGE = """
    INSERT INTO ingest.run_pages (run_id, page_id, item, ending, reason, detail, article_id, version, fetched_at)
    VALUES (%(run)s, %(page)s, %(item)s, %(ending)s, %(reason)s, %(detail)s, %(article)s, %(version)s, %(fetched_at)s)
    ON CONFLICT (run_id, page_id, item) DO UPDATE
    SET ending = excluded.ending, reason = excluded.reason, detail = excluded.detail, asked = true,
        article_id = excluded.article_id, version = excluded.version, fetched_at = excluded.fetched_at,
        recorded_at = now()
"""

REJECT_PAGE = """
    UPDATE ingest.pages
    SET state = 'ended', ending = 'rejected', reason = %(reason)s, detail = %(detail)s, http_status = %(status)s,
        ended_at = now(), attempts = attempts + 1, next_check_at = NULL
    WHERE id = %(page)s
"""

# A stored article stays what it is; its page is looked at again later.
REJECT_RECHECK = """
    UPDATE ingest.pages
    SET reason = %(reason)s, detail = %(detail)s, http_status = %(status)s, attempts = attempts + 1,
        next_check_at = %(next)s
    WHERE id = %(page)s
"""

ARTICLE_GONE = """
    UPDATE ingest.articles SET gone_at = now(), gone_reason = %(reason)s WHERE id = %(article)s AND gone_at IS NULL
"""

RESCHEDULE_PAGE = """
    UPDATE ingest.pages
    SET attempts = %(attempts)s, reason = %(reason)s, detail = %(detail)s, http_status = %(status)s,
        next_attempt_at = CASE
            WHEN state = 'pending' THEN greatest(%(retry_at)s, now() + %(wait)s)
            ELSE next_attempt_at END,
        next_check_at = CASE WHEN state = 'ended' THEN greatest(%(retry_at)s, now() + %(wait)s) END
    WHERE id = %(page)s
"""

# Nothing was asked: the host is to be left alone for a while.
DEFER_PAGE = """
    UPDATE ingest.pages
    SET reason = %(reason)s, detail = %(detail)s,
        next_attempt_at = CASE
            WHEN state = 'pending' THEN greatest(next_attempt_at, %(retry_at)s) ELSE next_attempt_at END,
        next_check_at = CASE WHEN state = 'ended' THEN greatest(next_check_at, %(retry_at)s) ELSE next_check_at END
    WHERE id = %(page)s
"""

UNMODIFIED = """
    UPDATE ingest.pages
    SET ending = 'unchanged', ended_at = now(), http_status = 304, attempts = 0, reason = NULL, detail = NULL,
        last_fetched_at = now(), checks_unchanged = checks_unchanged + 1, next_check_at = %(next)s
    WHERE id = %(page)s
"""

FIND_ARTICLE_TIMES = """
    SELECT article.id, article.version, article.first_seen_at, version.published_at, now() AS now
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    WHERE article.id = %(article)s
"""

CONFIRM_ARTICLE = (
    "UPDATE ingest.articles SET fetched_at = greatest(fetched_at, now()), gone_at = NULL WHERE id = %(article)s"
)

SAVE_ATTEMPT = """
    INSERT INTO ingest.attempts (run_id, source, kind, page_id, status, ms, bytes, outcome, detail)
    VALUES (%(run)s, %(source)s, 'page', %(page)s, %(status)s, %(ms)s, %(size)s, %(outcome)s, %(detail)s)
"""

SAVE_ARCHIVE_RECORD = """
    INSERT INTO ingest.archive_records (file, record_offset, length, source, url, fetched_at, run_id)
    VALUES (%(file)s, %(offset)s, %(length)s, %(source)s, %(url)s, %(fetched_at)s, %(run)s)
    ON CONFLICT DO NOTHING
"""

# what an address answers that no longer has its article: 404 or 410, a notice, or the front page it leads to
GONE = (Reason.GONE, Reason.SOFT_404, Reason.HOME_PAGE)


class Outcomes(Session):
    """What ``Store`` does about pages that have come to an end."""

    def __init__(self, dsn: str, patience: timedelta, rechecks: RecheckPlan | None = None):
        super().__init__(dsn, patience, rechecks)
        self._batches = Batches(self._connections, self._refuse)

    async def save_article(
        self,
        run: Run,
        page: Page,
        article: Article,
        archived: Archived | None = None,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        ms: int | None = None,
        features: TextFeatures | None = None,
        queued: asyncio.Event | None = None,
    ) -> PageOutcome:
        """Store an article; returns after its transaction is committed. Idempotent.

        *features* are those of *article* on *page*, where they are known already.
        *queued* is set when its turn is certain: articles are stored in the order in which that happens.

        What cannot be stored ends as rejected with the reason ``unstorable``, and is not raised. Trouble of the
        database is: DatabaseError, and the page has no end.
        """
        try:
            params = await self._params_of(page, article)
            arguments = (run, page, article, archived, etag, last_modified, ms, params, features)
            is_long = features is None and len(article.text) > row_mapping.LONG_TEXT
            item = await asyncio.to_thread(row_mapping.item, *arguments) if is_long else row_mapping.item(*arguments)
        except (ValueError, TypeError) as error:
            url, detail = page.asked_url or page.url, database.safe_text(error)
            return await self.reject(
                run, url, Reason.UNSTORABLE, detail, page.status, source=page.source, fetched_at=page.fetched_at,
                archived=archived, ms=ms,
            )  # fmt: skip
        if queued is not None:
            queued.set()
        outcome = await self._batches.save(item)
        if features is not None and outcome.kind in ("new", "new_version", "copy"):
            version = item.version
            story_terms.remember(version["title"], version["teaser"], version["text"], features)
        self._ended(run, item.page_key)
        return outcome

    async def preview(self, page: Page, article: Article, features: TextFeatures | None = None) -> PageOutcome:
        """Where ``save_article`` would end this page; nothing is written. Raises ValueError or TypeError: it is
        unstorable.
        """
        item = row_mapping.item(None, page, article, None, features=features)
        return await self._connections.run(lambda connection: writing.preview(connection, item))

    async def _params_of(self, page: Page, article: Article) -> frozenset[str]:
        """The parameters that mean nothing in the address under which an article is to be known.

        None, where it is known with them already: it keeps its row.
        """
        url = row_mapping.clean(article.canonical_url or article.url or page.url)
        if "?" not in url:
            return frozenset()
        if page.source not in self._params:
            rows = await self._do(source_rows.PARAMS, source=page.source)
            self._params[page.source] = frozenset(rows[0]["drop_params"] + rows[0]["noise_params"] if rows else ())
        params = self._params[page.source]
        if not params:
            return params
        known = await self._do("SELECT FROM ingest.articles WHERE url_key = %(key)s", key=row_mapping.page_key(url))
        return frozenset() if known else params

    async def _refuse(self, item: row_mapping.Item, message: str) -> PageOutcome:
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

    async def save_unmodified(self, run: Run, url: str, *, ms: int | None = None) -> PageOutcome:
        """The answer to a recheck was 304: the page ends unchanged."""
        values = _page_values(run, url, None) | {"status": 304, "ms": ms, "size": 0, "outcome": "unchanged", "item": ""}
        unchanged = 0  # as the first try counted it: a second one, after a lost answer, does not count again

        async def work(connection: AsyncConnection) -> PageOutcome:
            nonlocal unchanged
            page = await _page(connection, values)
            articles = await rows_of(connection, FIND_ARTICLE_TIMES, {"article": page["article_id"]})
            article = articles[0] if articles else None
            if article is None:
                raise ValueError(f"304 for {url[:200]}, which has no article: it was not asked with validators of ours")
            unchanged = unchanged or page["checks_unchanged"] + 1
            if page["checks_unchanged"] >= unchanged:
                return PageOutcome("unchanged", article["id"], None, article["version"])
            due = run.rechecks.next_check(article["first_seen_at"], article["published_at"], article["now"], unchanged)
            await connection.execute(UNMODIFIED, {"page": page["id"], "next": due})
            await connection.execute(CONFIRM_ARTICLE, {"article": article["id"]})
            done = values | {"page": page["id"], "article": article["id"], "version": article["version"]}
            await _record(connection, run, done | {"ending": "unchanged", "fetched_at": article["now"]})
            return PageOutcome("unchanged", article["id"], None, article["version"])

        outcome = await self._connections.run(work)
        self._ended(run, values["key"])
        return outcome

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
    ) -> PageOutcome:
        """Final: the page is no article. *source* where the run has none (replay).

        The page of a stored article keeps it: it is looked at again later; when it is gone, a few times more.
        """
        values = _page_values(run, url, source) | {
            "reason": str(reason), "detail": row_mapping.clean(detail)[:2000], "status": status, "ms": ms, "size": size,
            "outcome": str(reason), "item": _replay_item(run, fetched_at), "fetched_at": fetched_at,
        }  # fmt: skip

        async def work(connection: AsyncConnection) -> PageOutcome:
            page = await _page(connection, values)
            if archived:
                where = {"file": archived.file, "offset": archived.offset, "length": archived.length}
                await connection.execute(SAVE_ARCHIVE_RECORD, values | where)
            return await _reject(connection, run, page, values)

        outcome = await self._connections.run(work)
        self._ended(run, values["key"])
        return outcome

    async def reschedule(
        self,
        run: Run,
        url: str,
        reason: Reason,
        detail: str = "",
        retry_at: datetime | None = None,
        status: int | None = None,
        *,
        ms: int | None = None,
        counts_as_attempt: bool = True,
    ) -> PageOutcome:
        """The page stays pending and comes again after a spread backoff; after the last attempt it is rejected.

        *counts_as_attempt* False: nothing was asked, because the host wants to be left alone until *retry_at*. That
        uses up no attempt, and this run does not get the page again.
        """
        values = _page_values(run, url, None) | {
            "reason": str(reason), "detail": row_mapping.clean(detail)[:2000], "status": status, "ms": ms, "size": None,
            "outcome": str(reason), "item": "", "fetched_at": None, "retry_at": retry_at, "article": None,
            "version": None,
        }  # fmt: skip
        attempts: int | None = None  # of the first try: when the answer to its COMMIT is lost, the second one sees more

        async def work(connection: AsyncConnection) -> PageOutcome:
            nonlocal attempts
            page = await _page(connection, values)
            attempts = attempts or page["attempts"] + counts_as_attempt
            if counts_as_attempt and attempts >= recheck.MAX_ATTEMPTS:
                return await _reject(connection, run, page, values)
            if not counts_as_attempt:
                await connection.execute(DEFER_PAGE, values | {"page": page["id"]})
                await connection.execute(SAVE_RUN_PAGE, values | {"page": page["id"], "ending": None})
            elif page["attempts"] < attempts:
                wait = recheck.backoff(attempts, _spread(values["key"], attempts))
                row = values | {"page": page["id"], "attempts": attempts, "wait": wait, "ending": None}
                await connection.execute(RESCHEDULE_PAGE, row)
                await _record(connection, run, row)
            return PageOutcome("pending", page["article_id"], reason=reason, detail=detail)

        outcome = await self._connections.run(work)
        if counts_as_attempt:
            self._ended(run, values["key"])
        return outcome


def _page_values(run: Run, url: str, source: str | None) -> Row:
    of_run = source or run.source
    if of_run is None:
        raise ValueError("a run without a source must be told the page's source")
    url = row_mapping.clean(url)
    key = row_mapping.page_key(url)
    return {"run": run.id, "source": row_mapping.clean(of_run), "url": url[:8000], "key": key}


def _replay_item(run: Run, fetched_at: datetime | None) -> str:
    return fetched_at.isoformat() if fetched_at and run.is_replay else ""


async def _page(connection: AsyncConnection, values: Row) -> Row:
    """The frontier row of a page, locked; made where it is missing."""
    found = await rows_of(connection, FIND_PAGE, values)
    if not found:
        await connection.execute(source_rows.SAVE_SOURCE_NAME, values)
        await connection.execute(SAVE_PAGE, values)
        found = await rows_of(connection, FIND_PAGE, values)
    return found[0]


async def _reject(connection: AsyncConnection, run: Run, page: Row, values: Row) -> PageOutcome:
    outcome = PageOutcome("rejected", page["article_id"], reason=Reason(values["reason"]), detail=values["detail"])
    row = values | {"page": page["id"], "ending": "rejected", "article": page["article_id"], "version": None}
    before = await rows_of(connection, FIND_RUN_PAGE, row)
    if before and (before[0]["ending"], before[0]["reason"]) == ("rejected", values["reason"]):
        return outcome  # written by an earlier try whose answer was lost
    if page["state"] == "pending" or (page["article_id"] is None and not run.is_replay):
        await connection.execute(REJECT_PAGE, row)
    elif not run.is_replay:
        await _reject_recheck(connection, run, page, row)
    await _record(connection, run, row)
    return outcome


async def _reject_recheck(connection: AsyncConnection, run: Run, page: Row, row: Row) -> None:
    """A stored article's page is no article now: look again later, a few times only where it is gone.

    A page that says it is not there with status 200 may be a site in trouble: gone, and looked at like any other.
    """
    if row["reason"] in GONE:
        await connection.execute(ARTICLE_GONE, row)
    article = (await rows_of(connection, FIND_ARTICLE_TIMES, row))[0]
    tries = page["attempts"] + 1
    if row["reason"] == Reason.GONE:
        wait = recheck.next_look(tries)
        await connection.execute(REJECT_RECHECK, row | {"next": wait and article["now"] + wait})
        return
    due = run.rechecks.next_check(article["first_seen_at"], article["published_at"], article["now"], tries)
    await connection.execute(REJECT_RECHECK, row | {"next": due if tries < recheck.MAX_ATTEMPTS else None})


async def _record(connection: AsyncConnection, run: Run, row: Row) -> None:
    """How a page ended (or was put off) in this run, and the request that led to it."""
    nothing = {"reason": None, "detail": None, "version": None}
    await connection.execute(SAVE_RUN_PAGE, nothing | row)
    if not run.is_replay:
        await connection.execute(SAVE_ATTEMPT, nothing | row)


def _spread(key: bytes, attempts: int) -> float:
    """Between 0 and 1, different for each page and attempt, the same on every machine."""
    return hashlib.blake2b(key + bytes([attempts % 256]), digest_size=1).digest()[0] / 255
