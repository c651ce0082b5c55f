"""Articles into the database, many in one transaction.

A batch holds the advisory locks of all its articles and texts, taken in order, so that other writers of the same ones
wait until it is committed; ``near_duplicates`` does the same for texts that are nearly the same. Between the locks and
the writes everything is therefore as ``dedupe.decide`` saw it: there is one article per canonical address and one first
per text, whatever the number of writers.

Statements that need no answer of the one before are sent in a pipeline: to wait for an answer costs this process as
much as to send a statement.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from psycopg import AsyncConnection

from pipelines import dedupe, revisions
from pipelines.dedupe import Decision, KnownArticle, KnownVersion, decide
from pipelines.items import Article, Page
from pipelines.store import identities, row_mapping, searching, watching
from pipelines.store.known import First, Known, ended_before, find_known, is_as_stored, keep_archive_records, lock_pages
from pipelines.store.models import PageOutcome
from pipelines.store.near_duplicates import DuplicateOf
from pipelines.store.row_mapping import Item
from pipelines.store.writes import Step, Writes, execute, is_own_page, write_article, write_page

LOCK = "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"


async def write(connection: AsyncConnection, items: Sequence[Item]) -> list[PageOutcome]:
    """Write *items* in the caller's transaction; their endings in order. Writing them again changes nothing."""
    keys = {key for item in items for key in (item.article_key, item.seen.text_key)} | set(identities.own_keys(items))
    async with connection.pipeline():
        await connection.execute(LOCK, [sorted(row_mapping.lock_number(key) for key in keys)])
        pages, new_pages = await lock_pages(connection, items)
    items = await identities.believed(connection, items)
    ended = await ended_before(connection, items, pages)
    known = await find_known(connection, items)
    records = await keep_archive_records(connection, items)

    writes, outcomes = Writes(), []
    for item in items:
        page = pages[item.source, item.page_key]
        name = (item.run.id, page["id"], item.name)
        outcome = ended.get((*name, item.fetched_at, item.seen.content_key))
        if outcome is None:
            # of a long text, which takes seconds where it was made for that, aside: the loop goes on turning
            is_long = len(item.version["text"]) > row_mapping.LONG_TEXT
            decided = await asyncio.to_thread(_decide, known, item) if is_long else _decide(known, item)
            article, decision, step = decided
            record_id = records.get((item.archived.file, item.archived.offset)) if item.archived else None
            write_article(writes, known, item, article, decision, record_id, step)
            write_page(writes, known, item, article, decision, page, page["id"] in new_pages)
            outcome = PageOutcome(decision.kind, article.id, decision.copy_of, decision.version)
            ended[(*name, item.fetched_at, item.seen.content_key)] = outcome
        outcomes.append(outcome)
        await asyncio.sleep(0)  # whatever else the loop has to do waits for one decision, not for a batch of them
    worded = {article for article, _ in (*writes.new_versions, *writes.rewritten)}
    live = {outcome.article_id for item, outcome in zip(items, outcomes, strict=True) if not item.run.is_replay}
    async with connection.pipeline():
        await execute(connection, writes)
        await searching.save(connection, worded)
        matched = await watching.save(connection, {article: article in live for article in worded})
    return [_with_matches(outcome, worded, matched) for outcome in outcomes]


def _with_matches(outcome: PageOutcome, worded: Collection[int], matched: Mapping[int, tuple[str, ...]]) -> PageOutcome:
    """*outcome* with the watchlists of its article, where this batch has looked for them."""
    if outcome.article_id is None or outcome.article_id not in worded:
        return outcome
    return replace(outcome, watches=matched.get(outcome.article_id, ()))


async def preview(connection: AsyncConnection, item: Item) -> PageOutcome:
    """Where ``write`` would end *item*."""
    known = await find_known(connection, [item], is_preview=True)
    article = known.articles.get(item.article_key)
    _, decision, _ = _decide(known, item)
    return PageOutcome(decision.kind, article.id if article else None, decision.copy_of, decision.version)


async def try_plain_row(connection: AsyncConnection, item: Item) -> None:
    """Write an article in which nothing can be wrong, for the run and source of *item*, and take it back.

    Raises what Postgres says to it: then it is not *item*'s own row that cannot be stored.
    """
    url = f"https://plain-row.invalid/{uuid.uuid4()}"
    page = Page(url, item.source, b"plain", item.fetched_at)
    text = f"A plain article of a few words, which stands for all others: {url.rpartition('/')[2]}."
    article = Article(url, url, item.source, "A plain title", text, item.fetched_at, reader_version="1")
    async with connection.transaction(force_rollback=True):
        await write(connection, [row_mapping.item(item.run, page, article, None)])
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _decide(known: Known, item: Item) -> tuple[KnownArticle, Decision, Step | None]:
    """The decision about *item*, the article as it is after it, and what changed; *known* has taken it in."""
    before = known.articles.get(item.article_key)
    article_id = known.article_id(item)
    origin = _duplicate_of(known, item, article_id)
    change = None
    if article_id in known.current_revisions and not is_as_stored(known, item):
        change = revisions.change(known.current_revisions[article_id], item.revision)
    decision = decide(item.seen, before, origin.article_id if origin else None, bool(change and change.is_trivial))
    versions = before.versions if before else ()
    if decision.write != "nothing":
        version = KnownVersion(decision.version, item.seen.content_key, item.seen.body_key, item.fetched_at)
        versions = (*(old for old in versions if old.number != version.number), version)
        known.firsts.setdefault(item.seen.text_key, First(article_id, decision.version, item.version["title"]))
        known.copies.add(article_id, decision.version, item.version["text"], item.version["bands"] or ())
        if decision.is_current:
            known.copies.duplicates_of[article_id] = origin if decision.copy_of is not None else None
            known.copies.current[article_id] = decision.version
            known.current_revisions[article_id] = item.revision
    current = decision.version if decision.is_current or before is None else before.current
    read_key = before.read_key if before and not is_own_page(item) else item.seen.url_key or item.article_key
    article = KnownArticle(article_id, current, versions, item.article_key, read_key)
    known.articles[item.article_key] = article
    known.first_seen[article_id] = min(known.first_seen.get(article_id, item.fetched_at), item.fetched_at)
    is_step = decision.write == "insert" and decision.is_current
    return article, decision, Step(before.current, change) if is_step and before and change else None


def _duplicate_of(known: Known, item: Item, article_id: int) -> DuplicateOf | None:
    """Whose copy the text of *item* is: word for word, else nearly so."""
    copies = known.copies
    if is_as_stored(known, item):
        return copies.duplicates_of.get(article_id)
    first = known.firsts.get(item.seen.text_key)
    if first is not None and first.article_id != article_id:
        if dedupe.is_wall(item.version["text"], item.version["title"], first.title):
            return None
        origin: DuplicateOf | None = copies.duplicate_of_revision(first.article_id, first.version)
        origin = origin or DuplicateOf(first.article_id, dedupe.EXACT)
    elif item.version["bands"] is not None:
        origin = copies.duplicate_of(article_id, item.version["text"], item.version["bands"])
    else:
        return None
    if origin is None or origin.article_id == article_id:
        return None
    back = copies.duplicates_of.get(origin.article_id)
    # the two have swapped their texts: a copy of one's own copy would be a circle
    return None if back is not None and back.article_id == article_id else origin
