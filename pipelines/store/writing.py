"""Articles into the database, many in one transaction.

A batch holds the advisory locks of all its articles and texts, taken in order, so that other writers of the same ones
wait until it is committed; ``copying`` does the same for texts that are nearly the same. Between the locks and the
writes everything is therefore as ``dedupe.decide`` saw it: there is one article per canonical address and one first per
text, whatever the number of writers.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row, namedtuple_row

from pipelines import dedupe, revisions
from pipelines.dedupe import Decision, KnownArticle, KnownVersion, decide
from pipelines.items import Article, Page
from pipelines.revisions import Change, Wording
from pipelines.store import copying, identities, owners, preparing, searching, watching
from pipelines.store.copying import Copies, Origin
from pipelines.store.preparing import Item
from pipelines.store.shapes import Ending

LOCK = "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"

KEEP_SOURCE_NAMES = """
    INSERT INTO ingest.sources (name, title)
    SELECT name, name FROM unnest(%s::text[]) AS name
    ON CONFLICT DO NOTHING
"""

KEEP_PAGES = """
    INSERT INTO ingest.pages (source, url_key, url, hint)
    SELECT source, decode(url_key, 'hex'), url, hint
    FROM jsonb_to_recordset(%s) AS row (source text, url_key text, url text, hint jsonb)
    ORDER BY url_key, source
    ON CONFLICT DO NOTHING
    RETURNING id
"""

LOCK_PAGES = """
    SELECT page.id, page.source, page.url_key, page.state, page.checks_unchanged
    FROM ingest.pages AS page
    JOIN unnest(%s::text[], %s::bytea[]) AS wanted (source, url_key)
      ON wanted.source = page.source AND wanted.url_key = page.url_key
    ORDER BY page.id
    FOR NO KEY UPDATE OF page
"""

FIND_ENDED = """
    SELECT done.run_id, done.page_id, done.item, done.fetched_at, done.content_key,
           done.ending, done.article_id, done.version, done.copy_of
    FROM ingest.run_pages AS done
    JOIN unnest(%s::bigint[], %s::bigint[], %s::text[]) AS wanted (run_id, page_id, item)
      ON wanted.run_id = done.run_id AND wanted.page_id = done.page_id AND wanted.item = done.item
    WHERE done.article_id IS NOT NULL
"""

FIND_ARTICLES = """
    SELECT article.id, article.url_key, article.url, article.source, article.version AS current, article.first_seen_at,
           version.number, version.content_key, version.body_key, version.fetched_at,
           article.copy_of, article.copy_similarity, article.copy_kept, article.copy_own
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id
    WHERE article.url_key = ANY (%s)
"""

FIND_WORDINGS = """
    SELECT version.article_id, version.title, version.teaser, version.text
    FROM unnest(%s::bigint[], %s::integer[]) AS wanted (article_id, number)
    JOIN ingest.versions AS version ON version.article_id = wanted.article_id AND version.number = wanted.number
"""

FIND_FIRSTS = """
    SELECT DISTINCT ON (version.text_key) version.text_key, version.article_id, version.number,
           article.version AS current, article.copy_of, article.copy_similarity, article.copy_kept, article.copy_own
    FROM ingest.versions AS version
    JOIN ingest.articles AS article ON article.id = version.article_id
    WHERE version.text_key = ANY (%s)
    ORDER BY version.text_key, version.serial
"""

NEW_ARTICLE_IDS = """
    SELECT nextval(pg_get_serial_sequence('ingest.articles', 'id')) FROM generate_series(1, %s)
"""

KEEP_ARCHIVE_RECORDS = """
    INSERT INTO ingest.archive_records (file, record_offset, length, source, url, fetched_at, run_id)
    SELECT DISTINCT ON (file, record_offset) file, record_offset, length, source, url, fetched_at, run_id
    FROM jsonb_to_recordset(%s) AS row (
        file text, record_offset bigint, length bigint, source text, url text, fetched_at timestamptz, run_id bigint)
    ORDER BY file, record_offset
    ON CONFLICT (file, record_offset) DO UPDATE SET length = excluded.length
    RETURNING file, record_offset, id
"""

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

VERSION_ROW = """
        article_id bigint, number integer, fetched_at timestamptz, text_key text, content_key text, body_key text,
        bands bigint[], title text, text text, text_markdown text, teaser text, kicker text, section text,
        sections text[], authors text[], keywords text[], headings text[], published_at timestamptz,
        published_precision text, published_provenance text, modified_at timestamptz, modified_precision text,
        modified_provenance text, language text, agency text, dateline text, details jsonb, image_url text,
        image_caption text, image_credit text, kind text, is_accessible_for_free boolean, amp_url text,
        pages_read integer, pages_total integer, word_count integer, removed jsonb, reader_version text,
        archive_record_id bigint, run_id bigint, compared_with integer, words_added integer, words_removed integer,
        share_changed real, correction text, lesson integer, container text, bands_method smallint
"""
_COLUMNS = [column.split()[0] for column in VERSION_ROW.split(",")]
_VALUES = [f"decode({name}, 'hex') AS {name}" if name.endswith("_key") else name for name in _COLUMNS]
_COMPARED = ("compared_with", "words_added", "words_removed", "share_changed")
# the bytes that were read again lie where they lay; only of a live blog others take their place
_REWRITTEN = [name for name in _COLUMNS if name not in ("article_id", "number", "archive_record_id", *_COMPARED)]

INSERT_VERSIONS = f"""
    INSERT INTO ingest.versions ({", ".join(_COLUMNS)})
    SELECT {", ".join(_VALUES)} FROM jsonb_to_recordset(%s) AS row ({VERSION_ROW})
    ORDER BY article_id, number
"""

REWRITE_VERSIONS = f"""
    UPDATE ingest.versions AS version
    SET {", ".join(f"{name} = fresh.{name}" for name in _REWRITTEN)},
        archive_record_id = CASE WHEN fresh.fetched_at > version.fetched_at
            THEN fresh.archive_record_id ELSE version.archive_record_id END
    FROM (SELECT {", ".join(_VALUES)} FROM jsonb_to_recordset(%s) AS row ({VERSION_ROW})) AS fresh
    WHERE version.article_id = fresh.article_id AND version.number = fresh.number
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

KEEP_RUN_PAGES = """
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

KEEP_ATTEMPTS = """
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
class Known:
    """What the database knows about the articles and texts of a batch, kept up to date while the batch is decided."""

    articles: dict[bytes, KnownArticle] = field(default_factory=dict)
    first_seen: dict[int, datetime] = field(default_factory=dict)
    firsts: dict[bytes, tuple[int, int]] = field(default_factory=dict)  # text -> article and version
    ids: dict[bytes, int] = field(default_factory=dict)  # of the articles that are not stored yet
    wordings: dict[int, Wording] = field(default_factory=dict)  # the current ones
    copies: Copies = field(default_factory=Copies)
    sources: dict[int, str] = field(default_factory=dict)  # whose the articles are
    hosts: dict[str, list[str]] = field(default_factory=dict)  # of all sources

    def article_id(self, item: Item) -> int:
        """The article of a page; -1 where it has none, and none was reserved."""
        article = self.articles.get(item.article_key)
        return article.id if article else self.ids.get(item.article_key, -1)


@dataclass
class Writes:
    """The rows that a batch leads to. Of an article or version that occurs twice, the last state is written."""

    inserted: dict[int, dict[str, Any]] = field(default_factory=dict)
    updated: dict[int, dict[str, Any]] = field(default_factory=dict)
    new_versions: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    rewritten: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    ended_pages: dict[int, dict[str, Any]] = field(default_factory=dict)
    run_pages: dict[tuple[int, int, str], dict[str, Any]] = field(default_factory=dict)
    attempts: list[dict[str, Any]] = field(default_factory=list)


async def write(connection: AsyncConnection, items: Sequence[Item]) -> list[Ending]:
    """Write *items* in the caller's transaction; their endings in order. Writing them again changes nothing."""
    keys = {key for item in items for key in (item.article_key, item.seen.text_key)} | set(identities.own_keys(items))
    await connection.execute(LOCK, [sorted(preparing.lock_number(key) for key in keys)])
    items = await identities.believed(connection, items)
    pages, new_pages = await _lock_pages(connection, items)
    ended = await _ended_before(connection, items, pages)
    known = await _known(connection, items)
    records = await _keep_archive_records(connection, items)

    writes, endings = Writes(), []
    for item in items:
        page = pages[item.source, item.page_key]
        name = (item.run.id, page["id"], item.name)
        ending = ended.get((*name, item.fetched_at, item.seen.content_key))
        if ending is None:
            # of a long text, which takes seconds where it was made for that, aside: the loop goes on turning
            is_long = len(item.version["text"]) > preparing.LONG_TEXT
            decided = await asyncio.to_thread(_decide, known, item) if is_long else _decide(known, item)
            article, decision, step = decided
            record_id = records.get((item.archived.file, item.archived.offset)) if item.archived else None
            _write_article(writes, known, item, article, decision, record_id, step)
            _write_page(writes, known, item, article, decision, page, page["id"] in new_pages)
            ending = Ending(decision.kind, article.id, decision.copy_of, decision.version)
            ended[(*name, item.fetched_at, item.seen.content_key)] = ending
        endings.append(ending)
    await _execute(connection, writes)
    worded = {article for article, _ in (*writes.new_versions, *writes.rewritten)}
    await searching.keep(connection, worded)
    live = {ending.article_id for item, ending in zip(items, endings, strict=True) if item.run.kind != "replay"}
    await watching.keep(connection, {article: article in live for article in worded})
    return endings


async def preview(connection: AsyncConnection, item: Item) -> Ending:
    """Where ``write`` would end *item*."""
    known = await _known(connection, [item], is_preview=True)
    article = known.articles.get(item.article_key)
    _, decision, _ = _decide(known, item)
    return Ending(decision.kind, article.id if article else None, decision.copy_of, decision.version)


async def try_plain_row(connection: AsyncConnection, item: Item) -> None:
    """Write an article in which nothing can be wrong, for the run and source of *item*, and take it back.

    Raises what Postgres says to it: then it is not *item*'s own row that cannot be stored.
    """
    url = f"https://plain-row.invalid/{uuid.uuid4()}"
    page = Page(url, item.source, b"plain", item.fetched_at)
    text = f"A plain article of a few words, which stands for all others: {url.rpartition('/')[2]}."
    article = Article(url, url, item.source, "A plain title", text, item.fetched_at, reader_version="1")
    async with connection.transaction(force_rollback=True):
        await write(connection, [preparing.item(item.run, page, article, None)])
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


# ---------------------------------------------------------------------------------------------------------------------
# what is known


async def _lock_pages(
    connection: AsyncConnection, items: Sequence[Item]
) -> tuple[dict[tuple[str, bytes], dict[str, Any]], set[int]]:
    """The frontier rows of *items* by source and key, made where they are missing, and the ids of those made."""
    await connection.execute(KEEP_SOURCE_NAMES, [sorted({item.source for item in items})])
    rows = [
        {"source": item.source, "url_key": item.page_key, "url": item.page_url, "hint": item.hint} for item in items
    ]
    cursor = await connection.execute(KEEP_PAGES, [preparing.dumps(rows)])
    made = {row[0] for row in await cursor.fetchall()}
    dicts = connection.cursor(row_factory=dict_row)
    wanted = sorted({(item.source, item.page_key) for item in items})
    await dicts.execute(LOCK_PAGES, [[source for source, _ in wanted], [key for _, key in wanted]])
    return {(row["source"], bytes(row["url_key"])): row for row in await dicts.fetchall()}, made


async def _ended_before(
    connection: AsyncConnection, items: Sequence[Item], pages: dict[tuple[str, bytes], dict[str, Any]]
) -> dict[tuple[int, int, str, datetime, bytes], Ending]:
    """Endings of these very items that an earlier try has written: its COMMIT's answer was lost."""
    cursor = connection.cursor(row_factory=namedtuple_row)
    ids = [pages[item.source, item.page_key]["id"] for item in items]
    await cursor.execute(FIND_ENDED, [[item.run.id for item in items], ids, [item.name for item in items]])
    return {
        (row.run_id, row.page_id, row.item, row.fetched_at, row.content_key): Ending(
            row.ending, row.article_id, row.copy_of, row.version
        )
        for row in await cursor.fetchall()
    }


async def _known(connection: AsyncConnection, items: Sequence[Item], is_preview: bool = False) -> Known:
    known = Known(hosts={} if is_preview else await owners.hosts_of_sources(connection))
    await _find_articles(connection, items, known)
    cursor = connection.cursor(row_factory=namedtuple_row)
    await cursor.execute(FIND_FIRSTS, [list({item.seen.text_key for item in items})])
    firsts = await cursor.fetchall()
    known.firsts = {row.text_key: (row.article_id, row.number) for row in firsts}
    missing = sorted({item.article_key for item in items} - known.articles.keys())
    if missing and not is_preview:
        await cursor.execute(NEW_ARTICLE_IDS, [len(missing)])
        places = {item.article_key: place for place, item in reversed(list(enumerate(items)))}
        numbers = sorted(row[0] for row in await cursor.fetchall())
        known.ids = dict(zip(sorted(missing, key=places.__getitem__), numbers, strict=True))

    # after the articles are known, for whose bands shall be claimed needs their numbers; before the texts, which may be
    # those of the writer that a claim has waited for
    strange = [item for item in items if _may_be_a_copy(known, item)]
    if not is_preview:
        await copying.claim(connection, [(known.article_id(item), item.version["bands"]) for item in strange])
    stored = known.copies
    bands = [band for item in strange for band in item.version["bands"]]
    known.copies = await copying.known(connection, bands, set(known.ids.values()))
    known.copies.origins = known.copies.origins | stored.origins
    known.copies.current = known.copies.current | stored.current
    for row in firsts:
        known.copies.origins.setdefault(row.article_id, copying.origin_of(row))
        known.copies.current.setdefault(row.article_id, row.current)
    return known


async def _find_articles(connection: AsyncConnection, items: Sequence[Item], known: Known) -> None:
    cursor = connection.cursor(row_factory=namedtuple_row)
    await cursor.execute(FIND_ARTICLES, [list({item.article_key for item in items})])
    for row in await cursor.fetchall():
        before = known.articles.get(row.url_key)
        version = KnownVersion(row.number, row.content_key, row.body_key, row.fetched_at)
        versions = (*before.versions, version) if before else (version,)
        read_key = before.read_key if before else preparing.page_key(row.url)
        known.articles[row.url_key] = KnownArticle(row.id, row.current, versions, row.url_key, read_key)
        known.first_seen[row.id] = row.first_seen_at
        known.sources[row.id] = row.source
        known.copies.origins[row.id] = copying.origin_of(row)
        known.copies.current[row.id] = row.current
    changed = {(known.articles[item.article_key].id, known.articles[item.article_key].current)
               for item in items if not _is_as_stored(known, item) and item.article_key in known.articles}  # fmt: skip
    if changed:
        await cursor.execute(FIND_WORDINGS, [[pair[0] for pair in changed], [pair[1] for pair in changed]])
        for row in await cursor.fetchall():
            known.wordings[row.article_id] = Wording(row.title, row.teaser, row.text)


def _is_as_stored(known: Known, item: Item) -> bool:
    article = known.articles.get(item.article_key)
    return article is not None and article.current_version.content_key == item.seen.content_key


def _may_be_a_copy(known: Known, item: Item) -> bool:
    """Whether it takes a look at its bands to know whose copy a text is."""
    first = known.firsts.get(item.seen.text_key)
    is_exact = first is not None and first[0] != known.article_id(item)
    return item.version["bands"] is not None and not is_exact and not _is_as_stored(known, item)


async def _keep_archive_records(connection: AsyncConnection, items: Sequence[Item]) -> dict[tuple[str, int], int]:
    rows = [
        {
            "file": item.archived.file,
            "record_offset": item.archived.offset,
            "length": item.archived.length,
            "source": item.source,
            "url": item.article_url,
            "fetched_at": item.fetched_at,
            "run_id": item.run.id,
        }
        for item in items
        if item.archived
    ]
    if not rows:
        return {}
    cursor = await connection.execute(KEEP_ARCHIVE_RECORDS, [preparing.dumps(rows)])
    return {(file, offset): number for file, offset, number in await cursor.fetchall()}


# ---------------------------------------------------------------------------------------------------------------------
# what follows


def _decide(known: Known, item: Item) -> tuple[KnownArticle, Decision, Step | None]:
    """The decision about *item*, the article as it is after it, and what changed; *known* has taken it in."""
    before = known.articles.get(item.article_key)
    article_id = known.article_id(item)
    origin = _origin(known, item, article_id)
    change = None
    if article_id in known.wordings and not _is_as_stored(known, item):
        change = revisions.change(known.wordings[article_id], item.wording)
    decision = decide(item.seen, before, origin.article_id if origin else None, bool(change and change.is_trivial))
    versions = before.versions if before else ()
    if decision.write != "nothing":
        version = KnownVersion(decision.version, item.seen.content_key, item.seen.body_key, item.fetched_at)
        versions = (*(old for old in versions if old.number != version.number), version)
        known.firsts.setdefault(item.seen.text_key, (article_id, decision.version))
        known.copies.keep(article_id, decision.version, item.version["text"], item.version["bands"] or ())
        if decision.is_current:
            known.copies.origins[article_id] = origin if decision.copy_of is not None else None
            known.copies.current[article_id] = decision.version
            known.wordings[article_id] = item.wording
    current = decision.version if decision.is_current or before is None else before.current
    read_key = before.read_key if before and not _is_own_page(item) else item.seen.url_key or item.article_key
    article = KnownArticle(article_id, current, versions, item.article_key, read_key)
    known.articles[item.article_key] = article
    known.first_seen[article_id] = min(known.first_seen.get(article_id, item.fetched_at), item.fetched_at)
    is_step = decision.write == "insert" and decision.is_current
    return article, decision, Step(before.current, change) if is_step and before and change else None


def _origin(known: Known, item: Item, article_id: int) -> Origin | None:
    """Whose copy the text of *item* is: word for word, else nearly so."""
    copies = known.copies
    if _is_as_stored(known, item):
        return copies.origins.get(article_id)
    first = known.firsts.get(item.seen.text_key)
    if first is not None and first[0] != article_id:
        origin = copies.origin_of_wording(*first) or Origin(first[0], dedupe.EXACT)
    elif item.version["bands"] is not None:
        origin = copies.origin(article_id, item.version["text"], item.version["bands"])
    else:
        return None
    if origin is None or origin.article_id == article_id:
        return None
    back = copies.origins.get(origin.article_id)
    # the two have swapped their texts: a copy of one's own copy would be a circle
    return None if back is not None and back.article_id == article_id else origin


def _is_own_page(item: Item) -> bool:
    """Whether this is the very page that the article's views name as canonical."""
    return item.seen.url_key == item.article_key


def _write_article(
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
        state |= _likeness_row(known.copies.origins.get(article.id))
        if decision.write == "insert" or (decision.kind == "new_version" and item.seen.is_live):
            state["changed_at"] = item.fetched_at

    if _is_own_page(item):
        state["url"] = item.article_url
    if decision.version == 1 and decision.write == "insert":
        names = {"url_key": item.article_key, "url": item.article_url, "canonical_url": item.canonical_url}
        writes.inserted[article.id] = state | names | {"source": owner}
    else:
        row = writes.inserted.get(article.id) or writes.updated.setdefault(article.id, {})
        latest = max(state["fetched_at"], row.get("fetched_at", state["fetched_at"]))
        row.update(state, fetched_at=latest)

    if decision.write == "nothing":
        return
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
    row |= _step_row(step, writes.new_versions.get((article.id, decision.version)))
    number = (article.id, decision.version)
    if decision.write == "insert" or number in writes.new_versions:
        writes.new_versions[number] = row
    else:
        writes.rewritten[number] = row


def _likeness_row(origin: Origin | None) -> dict[str, Any]:
    alike = origin.alike if origin else None
    return {
        "copy_similarity": alike.same if alike else None,
        "copy_kept": alike.kept if alike else None,
        "copy_own": alike.own if alike else None,
    }


def _step_row(step: Step | None, before: dict[str, Any] | None) -> dict[str, Any]:
    """*before*: the row of the same version that this batch was about to write."""
    if step is None:
        return {name: before[name] for name in _COMPARED if name in before} if before else {}
    return {
        "compared_with": step.compared_with,
        "words_added": step.change.words_added,
        "words_removed": step.change.words_removed,
        "share_changed": step.change.share,
    }


def _write_page(
    writes: Writes,
    known: Known,
    item: Item,
    article: KnownArticle,
    decision: Decision,
    page: dict[str, Any],
    is_new: bool,
) -> None:
    is_replay = item.run.kind == "replay"
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


async def _execute(connection: AsyncConnection, writes: Writes) -> None:
    await copying.forget(connection, {key: row["bands"] or () for key, row in writes.rewritten.items()})
    for statement, rows in (
        (INSERT_ARTICLES, writes.inserted.values()),
        (UPDATE_ARTICLES, writes.updated.values()),
        (INSERT_VERSIONS, writes.new_versions.values()),
        (REWRITE_VERSIONS, writes.rewritten.values()),
        (END_PAGES, writes.ended_pages.values()),
        (KEEP_RUN_PAGES, writes.run_pages.values()),
        (KEEP_ATTEMPTS, writes.attempts),
    ):
        if rows:
            await connection.execute(statement, [preparing.dumps(list(rows))])
