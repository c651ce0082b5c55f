"""Discovery documents: feeds, sitemaps and section pages as they were last fetched."""

from __future__ import annotations

from dataclasses import asdict

from psycopg import AsyncConnection

from pipelines.store import row_mapping
from pipelines.store.models import Document, DocumentState, Offered, Run, Validators
from pipelines.store.session import Session

VALIDATORS = """
    SELECT etag, last_modified, checked_at, not_modified_in_a_row
    FROM ingest.documents
    WHERE source = %(source)s AND url_key = %(key)s AND (etag IS NOT NULL OR last_modified IS NOT NULL)
"""

# A server that was caught with an untrue 304 is trusted with none of its documents.
DOCUMENT_STATE = """
    SELECT document.etag, document.last_modified, document.checked_at, document.not_modified_in_a_row, document.digest,
           document.confirmed_looks, memory.entries AS memory,
           EXISTS (SELECT FROM ingest.documents AS other
                   WHERE other.source = document.source AND other.distrusted_at IS NOT NULL
                     AND split_part(other.url, '/', 3) = split_part(document.url, '/', 3)) AS is_distrusted
    FROM ingest.documents AS document
    LEFT JOIN ingest.document_memories AS memory USING (source, url_key)
    WHERE document.source = %(source)s AND document.url_key = %(key)s
"""

SAVE_DOCUMENT = """
    INSERT INTO ingest.documents AS document (
        source, url_key, url, kind, etag, last_modified, status, links, error, changed_at, entries, left_out, note,
        digest, distrusted_at, distrusted_because, failed_in_a_row, failing_since, empty_in_a_row, empty_since,
        most_entries, fresh_for, skip_hours, skip_days)
    VALUES (%(source)s, %(key)s, %(url)s, %(kind)s, %(etag)s, %(last_modified)s, %(status)s, %(links)s, %(error)s,
            CASE WHEN %(is_full)s THEN now() END, %(entries)s, %(left_out)s, %(note)s, %(digest)s,
            CASE WHEN %(distrusted)s::text IS NOT NULL THEN now() END, %(distrusted)s,
            %(is_failed)s::integer, CASE WHEN %(is_failed)s THEN now() END,
            %(is_empty)s::integer, CASE WHEN %(is_empty)s THEN now() END, coalesce(%(listed)s, 0),
            %(fresh_for)s, %(skip_hours)s, %(skip_days)s)
    ON CONFLICT (source, url_key) DO UPDATE
    SET status = excluded.status, error = excluded.error, checked_at = now(), kind = excluded.kind,
        etag = CASE WHEN %(is_full)s THEN excluded.etag ELSE document.etag END,
        last_modified = CASE WHEN %(is_full)s THEN excluded.last_modified ELSE document.last_modified END,
        links = CASE WHEN %(is_full)s THEN excluded.links ELSE document.links END,
        changed_at = coalesce(excluded.changed_at, document.changed_at),
        entries = CASE WHEN %(is_full)s THEN excluded.entries ELSE document.entries END,
        left_out = CASE WHEN %(is_full)s THEN excluded.left_out ELSE document.left_out END,
        note = CASE WHEN %(is_full)s THEN excluded.note ELSE document.note END,
        digest = CASE WHEN %(is_full)s THEN excluded.digest ELSE document.digest END,
        confirmed_looks = CASE
            WHEN %(distrusted)s::text IS NOT NULL THEN 0 ELSE document.confirmed_looks + %(confirmed)s::integer END,
        distrusted_at = coalesce(document.distrusted_at, excluded.distrusted_at),
        distrusted_because = coalesce(document.distrusted_because, excluded.distrusted_because),
        failed_in_a_row = CASE WHEN %(is_failed)s THEN document.failed_in_a_row + 1 ELSE 0 END,
        failing_since = CASE WHEN %(is_failed)s THEN coalesce(document.failing_since, now()) END,
        -- a 304 says that it lists what it listed before
        empty_in_a_row = CASE
            WHEN %(is_empty)s OR %(not_modified)s AND document.empty_in_a_row > 0 THEN document.empty_in_a_row + 1
            WHEN %(is_failed)s THEN document.empty_in_a_row ELSE 0 END,
        empty_since = CASE
            WHEN %(is_empty)s THEN coalesce(document.empty_since, now())
            WHEN %(not_modified)s OR %(is_failed)s THEN document.empty_since END,
        longest_empty = CASE
            WHEN %(is_full)s AND NOT %(is_empty)s AND document.empty_since IS NOT NULL
            THEN greatest(document.longest_empty, least(now() - document.empty_since, interval '12 hours'))
            ELSE document.longest_empty END,
        most_entries = greatest(document.most_entries, excluded.most_entries),
        -- a 304 without Cache-Control leaves what the feed itself has said
        fresh_for = CASE WHEN %(is_full)s THEN excluded.fresh_for
            ELSE coalesce(excluded.fresh_for, document.fresh_for) END,
        skip_hours = CASE WHEN %(is_full)s THEN excluded.skip_hours ELSE document.skip_hours END,
        skip_days = CASE WHEN %(is_full)s THEN excluded.skip_days ELSE document.skip_days END,
        not_modified_in_a_row = CASE
            WHEN %(is_full)s THEN 0
            WHEN %(not_modified)s THEN document.not_modified_in_a_row + 1
            ELSE document.not_modified_in_a_row END
"""

SAVE_MEMORY = """
    INSERT INTO ingest.document_memories AS known (source, url_key, entries)
    VALUES (%(source)s, %(key)s, %(memory)s)
    ON CONFLICT (source, url_key) DO UPDATE
    SET entries = excluded.entries, remembered_at = now()
    WHERE known.entries <> excluded.entries
"""

SAVE_DOCUMENT_ATTEMPT = """
    INSERT INTO ingest.attempts (run_id, source, kind, url, status, ms, bytes, outcome, detail)
    VALUES (%(run)s, %(source)s, %(kind)s, %(url)s, %(status)s, %(ms)s, %(bytes)s, %(outcome)s, %(error)s)
"""


#: both at once
SAVE_DOCUMENT_AND_ATTEMPT = f"WITH document AS ({SAVE_DOCUMENT}) {SAVE_DOCUMENT_ATTEMPT}"


class Documents(Session):
    """What ``Store`` does about discovery documents."""

    async def validators(self, run: Run, url: str) -> Validators | None:
        """What the last fetch of this discovery document by this source left; None: ask unconditionally."""
        rows = await self._do(VALIDATORS, source=run.source, key=row_mapping.page_key(url))
        return Validators(**rows[0]) if rows else None

    async def document_state(self, run: Run, url: str) -> DocumentState:
        """What is known of a discovery document of this source, before it is asked for."""
        rows = await self._do(DOCUMENT_STATE, source=run.source, key=row_mapping.page_key(url))
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


async def keep_document(connection: AsyncConnection, run: Run, document: Document, offered: Offered) -> None:
    is_full = document.error is None and not document.not_modified
    # of a section page all links are counted as entries; those that look like articles have a digest
    listed = document.entries if document.kind != "section" else max(document.links, bool(document.digest))
    values = row_mapping.clean(asdict(document)) | {
        "left_out": document.left_out + offered.left_out,
        "note": _document_note(document, offered),
        "digest": bytes.fromhex(document.digest) or None,
        "memory": None if document.memory is None else bytes.fromhex(document.memory),
        "run": run.id,
        "source": run.source,
        "key": row_mapping.page_key(document.url),
        "is_full": is_full,
        "is_failed": document.error is not None,
        "is_empty": is_full and listed == 0,
        "listed": listed,
        "outcome": "error" if document.error is not None else "not_modified" if document.not_modified else "ok",
    }
    await connection.execute(SAVE_DOCUMENT_AND_ATTEMPT, values)
    if is_full and document.memory is not None:
        await connection.execute(SAVE_MEMORY, values)


def _document_note(document: Document, offered: Offered) -> str | None:
    said = [row_mapping.clean(document.note)] if document.note else []
    if offered.left_out:
        said.append(f"left_out: {offered.left_out} new pages, for which the frontier has no room")
    if offered.displaced:
        said.append(f"{offered.displaced} older pages gave their place to newer ones")
    return "; ".join(said)[:2000] or None
