"""The frontier: which pages wait to be fetched, which are due to be looked at again, which a run has in hand."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from psycopg import AsyncConnection

from pipelines import urls
from pipelines.items import Link, Reason
from pipelines.store import enqueuing, keys, retrying, row_mapping
from pipelines.store.documents import keep_document
from pipelines.store.models import Archived, Document, FrontierEntry, Offered, Row, Run
from pipelines.store.outcomes import SAVE_RUN_PAGE
from pipelines.store.session import Session, rows_of

#: a thread costs as much as some links; so many take two milliseconds
LINKS_ON_THE_LOOP = 50
REJECT_BAD_LINKS = """
    UPDATE ingest.pages
    SET state = 'ended', ending = 'rejected', reason = 'bad_url', detail = row.detail, ended_at = now()
    FROM jsonb_to_recordset(%(links)s) AS row (url_key text, detail text)
    WHERE source = %(source)s AND pages.url_key = decode(row.url_key, 'hex') AND state = 'pending'
    RETURNING id, pages.detail
"""

# Latest first: what waits in a long frontier is older than what is news now.
# A page whose time is more than a month ahead is due as well: nothing is put off for so long, so the clock was wrong.
CLAIM_PENDING = """
    SELECT id, url, hint, attempts, etag, last_modified, false AS recheck, NULL::integer AS site_model
    FROM ingest.pages
    WHERE source = %(source)s AND state = 'pending' AND id <> ALL (%(in_flight)s)
      AND (next_attempt_at <= now() OR next_attempt_at > now() + interval '32 days')
    ORDER BY coalesce(dated_at, found_at) DESC, id
    LIMIT %(limit)s
"""

CLAIM_RECHECKS = """
    SELECT id, url, hint, attempts,
           CASE WHEN split_part(url, '/', 3) = ANY (distrusted.hosts) THEN NULL ELSE etag END AS etag,
           CASE WHEN split_part(url, '/', 3) = ANY (distrusted.hosts) THEN NULL ELSE last_modified END AS last_modified,
           true AS recheck,
           (SELECT version.lesson
            FROM ingest.articles AS article
            JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
            WHERE article.id = pages.article_id AND article.source = pages.source) AS site_model
    FROM ingest.pages
    CROSS JOIN (
        SELECT coalesce(array_agg(split_part(url, '/', 3)), '{}') AS hosts FROM ingest.documents
        WHERE source = %(source)s AND distrusted_at IS NOT NULL) AS distrusted
    WHERE source = %(source)s AND state = 'ended' AND id <> ALL (%(in_flight)s)
      AND (next_check_at <= now() OR next_check_at > now() + interval '32 days')
    ORDER BY next_check_at, id
    LIMIT %(limit)s
"""

# Pending pages come first; what is due for a look is searched only where they leave room.
CLAIM_BATCH = f"({CLAIM_PENDING}) UNION ALL ({CLAIM_RECHECKS}) LIMIT %(limit)s"

# One page of each article, the one that was asked last: others have led to the same. Those of an address, whatever
# their age; those of a source that were first seen since then.
RECHECK_NOW = """
    WITH wanted AS (
        SELECT DISTINCT ON (page.article_id) page.id
        FROM ingest.pages AS page
        JOIN ingest.articles AS article ON article.id = page.article_id
        WHERE page.state = 'ended' AND article.url NOT LIKE 'file:%%' AND (
            page.article_id = ANY (%(articles)s)
            OR page.source = ANY (%(sources)s) AND article.first_seen_at >= %(since)s)
        ORDER BY page.article_id, page.next_check_at IS NULL, page.last_fetched_at DESC NULLS LAST, page.id
    )
    UPDATE ingest.pages AS page SET next_check_at = now()
    FROM wanted WHERE page.id = wanted.id
    RETURNING page.source
"""

FIND_ARTICLE_IDS = """
    SELECT wanted.url, (SELECT id FROM news.find(wanted.url)) AS id FROM unnest(%(urls)s::text[]) AS wanted (url)
"""

CLAIMED_FOR_RECHECK = """
    INSERT INTO ingest.run_pages (run_id, page_id)
    SELECT %(run)s, id FROM unnest(%(ids)s::bigint[]) AS id
    ORDER BY id
    ON CONFLICT (run_id, page_id, item) DO UPDATE
    SET ending = NULL, asked = true
"""

# Bytes of archive files that no record covers: pages that were archived by a process that then was killed. A file of
# which nothing was recorded is one gap.
ARCHIVE_GAPS = """
    WITH covered AS (
        SELECT file, record_offset, record_offset + length AS behind
        FROM ingest.archive_records WHERE file = ANY (%(files)s)
        UNION ALL
        SELECT file, 0, 0 FROM unnest(%(files)s::text[]) AS file
    )
    SELECT file, behind AS gap_begin, following AS gap_end
    FROM (
        SELECT file, behind, lead(record_offset) OVER (PARTITION BY file ORDER BY record_offset, behind) AS following
        FROM covered
    ) AS places
    WHERE following IS NULL OR following > behind
    ORDER BY file, behind
"""


class Frontier(Session):
    """What ``Store`` does about pages that are to be fetched."""

    async def enqueue(
        self, run: Run, links: Sequence[Link], document: Document, most_pending: int | None = None
    ) -> Offered:
        """Links, the document's validators and its attempt row in ONE transaction.

        *most_pending*: so many pages of the source may wait; of what is new the latest are kept.

        A failed fetch is offered too: no links, ``document.error`` set; validators then stay as they were. A link that
        is no address is rejected here; one that has ended and is not due for a recheck ends unchanged in this run.
        """
        # off the loop: a sitemap may have 50,000 links, and other sources' fetches must not wait for a second
        is_long = len(links) > LINKS_ON_THE_LOOP
        good, bad = await asyncio.to_thread(_link_rows, links) if is_long else _link_rows(links)
        in_flight = list(self._in_flight.get(run.id, {}).values())
        values = {"source": run.source, "run": run.id, "in_flight": in_flight}

        async def work(connection: AsyncConnection) -> Offered:
            offered = await enqueuing.enqueue(connection, values, good, most_pending) if good else Offered()
            await keep_document(connection, run, document, offered)
            if bad:
                await connection.execute(enqueuing.ENQUEUE, values | {"links": row_mapping.dumps(bad)})
                await _reject_bad_links(connection, run, bad)
            return offered

        is_small = not good and not bad and document.memory is None
        return await self._connections.run(work, is_one_statement=is_small)

    async def claim_batch(self, run: Run, limit: int) -> list[FrontierEntry]:
        """Up to *limit* pages of the run's source that are due and that this run does not have in hand yet."""
        in_flight = self._in_flight.setdefault(run.id, {})
        values = {"source": run.source, "run": run.id, "limit": limit, "in_flight": list(in_flight.values())}

        async def work(connection: AsyncConnection) -> list[Row]:
            statement = CLAIM_RECHECKS if run.kind == "recheck" else CLAIM_BATCH
            rows = await rows_of(connection, statement, values)
            if ids := [row["id"] for row in rows if row["recheck"]]:
                await connection.execute(CLAIMED_FOR_RECHECK, {"run": run.id, "ids": ids})
            return rows

        # who has the lease of the run is alone with its pages: each statement may be a transaction of its own
        rows = await self._connections.run(work, is_one_statement=True)
        for row in rows:
            in_flight[row_mapping.page_key(row["url"])] = row.pop("id")
            row["hint"] = row_mapping.HINT.validate_python(row["hint"]) if row["hint"] else None
        return [FrontierEntry(**row) for row in rows]

    async def recheck_now(
        self, sources: Sequence[str] = (), urls: Sequence[str] = (), since: datetime | None = None
    ) -> tuple[dict[str, int], list[str]]:
        """Make stored articles due for a look: those at *urls*, and those of *sources* that were first seen since then.

        Returns how many of each source are due now, and the *urls* at which no article is known.
        """
        cleaned = [row_mapping.clean(url) for url in urls]

        async def work(connection: AsyncConnection) -> tuple[dict[str, int], list[str]]:
            found = await rows_of(connection, FIND_ARTICLE_IDS, {"urls": cleaned})
            ids = [row["id"] for row in found if row["id"] is not None]
            values = {"articles": ids, "sources": list(sources), "since": since or datetime.min.replace(tzinfo=UTC)}
            due = Counter(row["source"] for row in await rows_of(connection, RECHECK_NOW, values))
            return dict(sorted(due.items())), [row["url"] for row in found if row["id"] is None]

        return await self._connections.run(work)

    async def archive_gaps(self, files: Sequence[str]) -> list[tuple[str, int, int | None]]:
        """(file, first byte, end or None): where archive *files* have pages, if any, that have no recorded end."""
        rows = await self._do(ARCHIVE_GAPS, files=list(files))
        return [(row["file"], row["gap_begin"], row["gap_end"]) for row in rows]

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


def _link_rows(links: Sequence[Link]) -> tuple[list[Row], list[Row]]:
    """Rows for the links that are addresses and for those that are not, each address once."""
    good: dict[bytes, Row] = {}
    bad: dict[bytes, Row] = {}
    for link in links:
        url = row_mapping.clean(link.url)
        row = {"url": url[:8000], "found_on": row_mapping.clean(link.found_on), "hint": row_mapping.hint_row(link.hint)}
        try:
            key = urls.url_key(urls.normalise(url))
        except urls.BadUrl as error:
            shown = urls.without_userinfo(url)
            key = keys.other_key(shown)
            bad.setdefault(key, row | {"url_key": key, "url": shown[:8000], "detail": str(error), "dated_at": None})
            continue
        modified = link.hint.modified_at if link.hint else None
        dated = (link.hint.published_at or modified) if link.hint else None
        good.setdefault(key, row | {"url_key": key, "modified_at": modified, "dated_at": dated})
    return list(good.values()), list(bad.values())


async def _reject_bad_links(connection: AsyncConnection, run: Run, bad: list[Row]) -> None:
    values = {"source": run.source, "links": row_mapping.dumps(bad)}
    for row in await rows_of(connection, REJECT_BAD_LINKS, values):
        await connection.execute(
            SAVE_RUN_PAGE,
            {"run": run.id, "page": row["id"], "item": "", "ending": "rejected", "reason": str(Reason.BAD_URL),
             "detail": row["detail"], "article": None, "version": None, "fetched_at": None},
        )  # fmt: skip
