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

from psycopg import AsyncConnection

from pipelines import dedupe, revisions
from pipelines.dedupe import Decision, KnownArticle, KnownVersion, decide
from pipelines.items import Article, Page
from pipelines.store import identities, preparing, searching, watching
from pipelines.store.copying import Origin
from pipelines.store.known import Known, ended_before, find_known, is_as_stored, keep_archive_records, lock_pages
from pipelines.store.preparing import Item
from pipelines.store.shapes import Ending
from pipelines.store.writes import Step, Writes, execute, is_own_page, write_article, write_page

LOCK = "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"


async def write(connection: AsyncConnection, items: Sequence[Item]) -> list[Ending]:
    """Write *items* in the caller's transaction; their endings in order. Writing them again changes nothing."""
    keys = {key for item in items for key in (item.article_key, item.seen.text_key)} | set(identities.own_keys(items))
    await connection.execute(LOCK, [sorted(preparing.lock_number(key) for key in keys)])
    pages, new_pages = await lock_pages(connection, items)
    ended = await ended_before(connection, items, pages)
    known = await find_known(connection, items)
    records = await keep_archive_records(connection, items)

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
            write_article(writes, known, item, article, decision, record_id, step)
            write_page(writes, known, item, article, decision, page, page["id"] in new_pages)
            ending = Ending(decision.kind, article.id, decision.copy_of, decision.version)
            ended[(*name, item.fetched_at, item.seen.content_key)] = ending
        endings.append(ending)
    await execute(connection, writes)
    worded = {article for article, _ in (*writes.new_versions, *writes.rewritten)}
    await searching.keep(connection, worded)
    live = {ending.article_id for item, ending in zip(items, endings, strict=True) if item.run.kind != "replay"}
    await watching.keep(connection, {article: article in live for article in worded})
    return endings


async def preview(connection: AsyncConnection, item: Item) -> Ending:
    """Where ``write`` would end *item*."""
    known = await find_known(connection, [item], is_preview=True)
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


def _decide(known: Known, item: Item) -> tuple[KnownArticle, Decision, Step | None]:
    """The decision about *item*, the article as it is after it, and what changed; *known* has taken it in."""
    before = known.articles.get(item.article_key)
    article_id = known.article_id(item)
    origin = _origin(known, item, article_id)
    change = None
    if article_id in known.wordings and not is_as_stored(known, item):
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
    read_key = before.read_key if before and not is_own_page(item) else item.seen.url_key or item.article_key
    article = KnownArticle(article_id, current, versions, item.article_key, read_key)
    known.articles[item.article_key] = article
    known.first_seen[article_id] = min(known.first_seen.get(article_id, item.fetched_at), item.fetched_at)
    is_step = decision.write == "insert" and decision.is_current
    return article, decision, Step(before.current, change) if is_step and before and change else None


def _origin(known: Known, item: Item, article_id: int) -> Origin | None:
    """Whose copy the text of *item* is: word for word, else nearly so."""
    copies = known.copies
    if is_as_stored(known, item):
        return copies.origins.get(article_id)
    first = known.firsts.get(item.seen.text_key)
    if first is not None and first[0] != article_id:
        origin: Origin | None = copies.origin_of_wording(*first) or Origin(first[0], dedupe.EXACT)
    elif item.version["bands"] is not None:
        origin = copies.origin(article_id, item.version["text"], item.version["bands"])
    else:
        return None
    if origin is None or origin.article_id == article_id:
        return None
    back = copies.origins.get(origin.article_id)
    # the two have swapped their texts: a copy of one's own copy would be a circle
    return None if back is not None and back.article_id == article_id else origin
