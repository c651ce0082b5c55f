"""The rows that a batch leads to, and the statements that write them: one for each table, whatever the batch's size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from psycopg import AsyncConnection

from pipelines import columns
from pipelines.dedupe import Decision, KnownArticle
from pipelines.revisions import Change
from pipelines.store import near_duplicates, owners, page_metadata, row_mapping
from pipelines.store.known import Known
from pipelines.store.models import Row
from pipelines.store.near_duplicates import DuplicateOf
from pipelines.store.row_mapping import Item

INSERT_ARTICLES = """
    INSERT INTO ingest.articles (
        id, url_key, url, canonical_url, source, version, copy_of, copy_similarity, copy_kept, copy_own,
        first_seen_at, fetched_at, changed_at)
    SELECT id, decode(url_key, 'hex'), url, canonical_url, source, version, copy_of, copy_similarity, copy_kept,
           copy_own, first_seen_at, fetched_at, changed_at
    FROM jsonb_to_recordset(%s) AS row (
        id bigint, url_key text, url text, canonical_url text, source text, version integer, copy_of bigint,
        copy_similarity real, copy_kept real, copy_own real,
        first_seen_at timestamptz, fetched_at timestamptz, changed_at timestamptz)
    ORDER BY id
"""

# a page that answers again is not gone any more
UPDATE_ARTICLES = """
    UPDATE ingest.articles AS article
    SET url = coalesce(row.url, article.url),
        source = coalesce(row.source, article.source),
        version = coalesce(row.version, article.version),
        copy_of = CASE WHEN row.version IS NULL THEN article.copy_of ELSE row.copy_of END,
        copy_similarity = CASE WHEN row.version IS NULL THEN article.copy_similarity ELSE row.copy_similarity END,
        copy_kept = CASE WHEN row.version IS NULL THEN article.copy_kept ELSE row.copy_kept END,
        copy_own = CASE WHEN row.version IS NULL THEN article.copy_own ELSE row.copy_own END,
        first_seen_at = least(article.first_seen_at, row.first_seen_at),
        fetched_at = greatest(article.fetched_at, row.fetched_at),
        changed_at = coalesce(row.changed_at, article.changed_at),
        gone_at = CASE WHEN row.fetched_at > article.gone_at THEN NULL ELSE article.gone_at END
    FROM jsonb_to_recordset(%s) AS row (
        id bigint, url text, source text, version integer, copy_of bigint, copy_similarity real, copy_kept real,
        copy_own real, first_seen_at timestamptz, fetched_at timestamptz, changed_at timestamptz)
    WHERE article.id = row.id
"""

# What a stored page says without its response (a replay) is kept only where nothing better is known. Where nothing has
# changed nothing is written, and what was never stated has no row.
SAVE_RIGHTS = """
    WITH changed AS (
        UPDATE ingest.articles AS article
        SET tdm_reserved = row.tdm_reserved, tdm_policy = row.tdm_policy, license = row.license,
            robots_directives = row.robots_directives, ai_crawlers_disallowed = row.ai_crawlers_disallowed,
            rights_stated_in = row.rights_stated_in, rights_at = row.fetched_at
        FROM jsonb_to_recordset(%s) AS row (
            article_id bigint, fetched_at timestamptz, are_known boolean, tdm_reserved boolean, tdm_policy text,
            robots_directives text[], ai_crawlers_disallowed text[], license text, rights_stated_in text[])
        WHERE article.id = row.article_id
          AND (article.rights_at IS NULL OR (row.are_known AND row.fetched_at > article.rights_at))
          AND (article.tdm_reserved, article.tdm_policy, article.robots_directives, article.ai_crawlers_disallowed,
               article.license, article.rights_stated_in)
              IS DISTINCT FROM (row.tdm_reserved, row.tdm_policy, row.robots_directives, row.ai_crawlers_disallowed,
               row.license, row.rights_stated_in)
        RETURNING article.id, article.rights_at, article.tdm_reserved, article.tdm_policy, article.robots_directives,
                  article.ai_crawlers_disallowed, article.license, article.rights_stated_in
    )
    INSERT INTO ingest.rights (
        article_id, stated_at, tdm_reserved, tdm_policy, robots_directives, ai_crawlers_disallowed, license, stated_in)
    SELECT * FROM changed ORDER BY id
    ON CONFLICT (article_id, stated_at) DO NOTHING
"""

# keys come as hex digits
_TYPES = {name: "text" if kind == "bytea" else kind for name, kind in columns.VERSION.items()}
_VERSION_ROW = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
_VALUES = ", ".join(
    f"decode({name}, 'hex') AS {name}" if kind == "bytea" else name for name, kind in columns.VERSION.items()
)
_WITH_THE_BYTES = ("archive_record_id", "backfilled_from")
# the bytes that were read again lie where they lay; only of a live blog others take their place
_KEPT = {"article_id", "number", *_WITH_THE_BYTES, *columns.COMPARED_WITH, *columns.FOLLOWED}

INSERT_VERSIONS = f"""
    INSERT INTO ingest.versions ({", ".join(columns.VERSION)})
    SELECT {_VALUES} FROM jsonb_to_recordset(%s) AS row ({_VERSION_ROW})
    ORDER BY article_id, number
"""

_NEWER = ", ".join(
    f"{name} = CASE WHEN fresh.fetched_at > version.fetched_at THEN fresh.{name} ELSE version.{name} END"
    for name in _WITH_THE_BYTES
)
# what a later fetch has stated stays
_STATED = ", ".join(
    f"{name} = CASE WHEN version.metadata_at > fresh.fetched_at THEN version.{name} ELSE fresh.{name} END"
    for name in columns.FOLLOWED
)
REWRITE_VERSIONS = f"""
    UPDATE ingest.versions AS version
    SET {", ".join(f"{name} = fresh.{name}" for name in columns.VERSION if name not in _KEPT)},
        {_STATED},
        {_NEWER}
    FROM (SELECT {_VALUES} FROM jsonb_to_recordset(%s) AS row ({_VERSION_ROW})) AS fresh
    WHERE version.article_id = fresh.article_id AND version.number = fresh.number
"""

# the file that had its bytes is gone, and the page was asked for again
LINK_RECORDS = """
    UPDATE ingest.versions AS version SET archive_record_id = row.archive_record_id
    FROM jsonb_to_recordset(%s) AS row (article_id bigint, number integer, archive_record_id bigint)
    WHERE version.article_id = row.article_id AND version.number = row.number AND version.archive_record_id IS NULL
"""

# A replay ends a page that is waiting, and leaves alone what a crawl has written about one that has ended.
END_PAGES = """
    UPDATE ingest.pages AS page
    SET state = 'ended', ending = row.ending, reason = NULL, detail = NULL, http_status = row.http_status,
        ended_at = now(), article_id = row.article_id, attempts = 0, last_fetched_at = row.fetched_at,
        etag = row.etag, last_modified = row.last_modified, next_check_at = row.next_check_at,
        checks_unchanged = row.checks_unchanged
    FROM jsonb_to_recordset(%s) AS row (
        page_id bigint, ending text, http_status integer, article_id bigint, fetched_at timestamptz, etag text,
        last_modified text, next_check_at timestamptz, checks_unchanged integer, is_replay boolean)
    WHERE page.id = row.page_id AND (page.state = 'pending' OR NOT row.is_replay)
"""

SAVE_RUN_PAGES = """
    INSERT INTO ingest.run_pages (
        run_id, page_id, item, ending, fetched_at, content_key, article_id, version, copy_of)
    SELECT run_id, page_id, item, ending, fetched_at, decode(content_key, 'hex'), article_id, version, copy_of
    FROM jsonb_to_recordset(%s) AS row (
        run_id bigint, page_id bigint, item text, ending text, fetched_at timestamptz, content_key text,
        article_id bigint, version integer, copy_of bigint)
    ORDER BY page_id, run_id, item
    ON CONFLICT (run_id, page_id, item) DO UPDATE
    SET ending = excluded.ending, reason = NULL, detail = NULL, asked = true, fetched_at = excluded.fetched_at,
        content_key = excluded.content_key, article_id = excluded.article_id, version = excluded.version,
        copy_of = excluded.copy_of, recorded_at = now()
"""

SAVE_ATTEMPTS = """
    INSERT INTO ingest.attempts (run_id, source, kind, page_id, status, ms, bytes, outcome)
    SELECT run_id, source, 'page', page_id, status, ms, bytes, outcome
    FROM jsonb_to_recordset(%s) AS row (
        run_id bigint, source text, page_id bigint, status integer, ms integer, bytes bigint, outcome text)
"""


@dataclass(frozen=True, slots=True)
class Step:
    """What a new version changed, and in which one."""

    compared_with: int
    change: Change


@dataclass
class Writes:
    """The rows that a batch leads to. Of an article or version that occurs twice, the last state is written."""

    inserted: dict[int, Row] = field(default_factory=dict)
    updated: dict[int, Row] = field(default_factory=dict)
    new_versions: dict[tuple[int, int], Row] = field(default_factory=dict)
    rewritten: dict[tuple[int, int], Row] = field(default_factory=dict)
    ended_pages: dict[int, Row] = field(default_factory=dict)
    run_pages: dict[tuple[int, int, str], Row] = field(default_factory=dict)
    attempts: list[Row] = field(default_factory=list)
    rights: dict[int, Row] = field(default_factory=dict)
    metadata: page_metadata.Statements = field(default_factory=page_metadata.Statements)
    read_again: dict[tuple[int, int], Row] = field(default_factory=dict)


def write_article(
    writes: Writes,
    known: Known,
    item: Item,
    article: KnownArticle,
    decision: Decision,
    record_id: int | None,
    step: Step | None,
) -> None:
    state = {"id": article.id, "first_seen_at": known.first_seen[article.id], "fetched_at": item.fetched_at}
    owner = owners.owner(item.canonical_url, known.sources.get(article.id, item.source), known.hosts)
    if owner != known.sources.get(article.id):
        known.sources[article.id] = state["source"] = owner
    if decision.write != "nothing" and decision.is_current:
        state |= {"version": decision.version, "copy_of": decision.copy_of}
        state |= _similarity_row(known.copies.duplicates_of.get(article.id))
        if decision.write == "insert" or (decision.kind == "new_version" and item.seen.is_live):
            state["changed_at"] = item.fetched_at
    if is_own_page(item):
        state["url"] = item.article_url
    if decision.version == 1 and decision.write == "insert":
        names = {"url_key": item.article_key, "url": item.article_url, "canonical_url": item.canonical_url}
        writes.inserted[article.id] = state | names | {"source": owner}
    else:
        row = writes.inserted.get(article.id) or writes.updated.setdefault(article.id, {})
        latest = max(state["fetched_at"], row.get("fetched_at", state["fetched_at"]))
        row.update(state, fetched_at=latest)

    before = writes.rights.get(article.id)
    if before is None or before["fetched_at"] <= item.fetched_at:
        known_rights = {"article_id": article.id, "fetched_at": item.fetched_at, "are_known": item.rights_are_known}
        writes.rights[article.id] = known_rights | item.rights
    confirmed = known.confirmed.setdefault(article.id, item.fetched_at)
    writes.metadata.add(item, article, decision, item.source == owner, item.fetched_at > confirmed)
    known.confirmed[article.id] = max(confirmed, item.fetched_at)
    if decision.write != "nothing":
        _write_version(writes, item, article, decision, record_id, step)
    elif record_id is not None:
        row = {"article_id": article.id, "number": decision.version, "archive_record_id": record_id}
        writes.read_again.setdefault((article.id, decision.version), row)


def _write_version(
    writes: Writes, item: Item, article: KnownArticle, decision: Decision, record_id: int | None, step: Step | None
) -> None:
    number = (article.id, decision.version)
    row = item.version | {
        "article_id": article.id,
        "number": decision.version,
        "fetched_at": item.fetched_at,
        "text_key": item.seen.text_key,
        "content_key": item.seen.content_key,
        "body_key": item.seen.body_key,
        "archive_record_id": record_id,
        "run_id": item.run.id,
    }
    row |= _step_row(step, writes.new_versions.get(number))
    if decision.write == "insert" or number in writes.new_versions:
        writes.new_versions[number] = row
    else:
        writes.rewritten[number] = row


def _similarity_row(origin: DuplicateOf | None) -> Row:
    alike = origin.alike if origin else None
    return {
        "copy_similarity": alike.same if alike else None,
        "copy_kept": alike.kept if alike else None,
        "copy_own": alike.own if alike else None,
    }


def _step_row(step: Step | None, before: Row | None) -> Row:
    """*before*: the row of the same version that this batch was about to write."""
    if step is None:
        return {name: before[name] for name in columns.COMPARED_WITH if name in before} if before else {}
    return {
        "compared_with": step.compared_with,
        "words_added": step.change.words_added,
        "words_removed": step.change.words_removed,
        "share_changed": step.change.share,
    }


def write_page(
    writes: Writes,
    known: Known,
    item: Item,
    article: KnownArticle,
    decision: Decision,
    page: Row,
    is_new: bool,
) -> None:
    is_replay = item.run.is_replay
    unchanged = page["checks_unchanged"] + 1 if decision.kind == "unchanged" else 0
    # a page that only a replay knows is nobody's to fetch again
    plan = not (is_replay and is_new)
    published = item.version["published_at"]
    next_check = item.run.rechecks.next_check(known.first_seen[article.id], published, item.fetched_at, unchanged)
    writes.ended_pages[page["id"]] = {
        "page_id": page["id"],
        "ending": decision.kind,
        "http_status": item.status,
        "article_id": article.id,
        "fetched_at": item.fetched_at,
        "etag": item.etag,
        "last_modified": item.last_modified,
        "next_check_at": next_check if plan else None,
        "checks_unchanged": unchanged,
        "is_replay": is_replay,
    }
    writes.run_pages[item.run.id, page["id"], item.name] = {
        "run_id": item.run.id,
        "page_id": page["id"],
        "item": item.name,
        "ending": decision.kind,
        "fetched_at": item.fetched_at,
        "content_key": item.seen.content_key,
        "article_id": article.id,
        "version": decision.version,
        "copy_of": decision.copy_of,
    }
    if not is_replay:
        writes.attempts.append(
            {
                "run_id": item.run.id,
                "source": item.source,
                "page_id": page["id"],
                "status": item.status,
                "ms": item.ms,
                "bytes": item.size,
                "outcome": decision.kind,
            }
        )


async def execute(connection: AsyncConnection, writes: Writes) -> None:
    await near_duplicates.forget(connection, {key: row["bands"] or () for key, row in writes.rewritten.items()})
    await _write(
        connection,
        (INSERT_ARTICLES, writes.inserted.values()),
        (UPDATE_ARTICLES, writes.updated.values()),
        (INSERT_VERSIONS, writes.new_versions.values()),
    )
    await page_metadata.follow(connection, writes.metadata)
    await _write(
        connection,
        (REWRITE_VERSIONS, writes.rewritten.values()),
        (LINK_RECORDS, writes.read_again.values()),
        (END_PAGES, writes.ended_pages.values()),
        (SAVE_RUN_PAGES, writes.run_pages.values()),
        (SAVE_ATTEMPTS, writes.attempts),
        (SAVE_RIGHTS, writes.rights.values()),
    )


async def _write(connection: AsyncConnection, *tables: tuple[str, Collection[Row]]) -> None:
    for statement, rows in tables:
        if rows:
            await connection.execute(statement, [row_mapping.dumps(list(rows))])


def is_own_page(item: Item) -> bool:
    """Whether this is the very page that the article's views name as canonical."""
    return item.seen.url_key == item.article_key
