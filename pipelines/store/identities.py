"""Which canonical address is believed, once more than one page has named it.

A page alone cannot tell that its canonical is the same on every page of its section; the store sees the second one.
Then both go by their own addresses, and the canonical is remembered as shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from psycopg import AsyncConnection

from pipelines import dedupe
from pipelines.reading import fingerprint
from pipelines.store import row_mapping
from pipelines.store.row_mapping import Item
from pipelines.store.session import named_rows

FIND_SHARED = "SELECT url_key FROM ingest.shared_canonicals WHERE url_key = ANY (%s)"
FIND_HOLDERS = """
    SELECT article.id, article.url_key, article.url, version.title, version.text
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    WHERE article.url_key = ANY (%s)
"""
SAVE_SHARED = """
    INSERT INTO ingest.shared_canonicals (url_key, url, noticed_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
MEND = """
    UPDATE ingest.articles AS article SET url_key = %(key)s, canonical_url = %(url)s
    WHERE id = %(id)s AND NOT EXISTS (SELECT FROM ingest.articles AS other WHERE other.url_key = %(key)s)
"""

_FEWEST = 15  # word triples of a text that can be told from another
_MOST_SHARED = 0.1  # of the triples of either, in texts of different articles: stock phrases
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who goes by an address now: an article of the store (``id``) or an item of this batch; ``read_key`` is that of
    the page it was read from.
    """

    read_key: bytes
    title: str
    text: str
    url: str = ""
    id: int | None = None


def own_keys(items: Sequence[Item]) -> Iterator[bytes]:
    """The keys under which items may go in the end besides ``article_key``: to be locked with it."""
    yield from (item.seen.url_key for item in items if _names_another(item))


async def believed(connection: AsyncConnection, items: Sequence[Item]) -> list[Item]:
    """*items*, each by the address that it goes by. Needs the locks of their keys and of ``own_keys``.

    Articles of the store that went by an address which turns out to be shared are given their own.
    """
    if not any(map(_names_another, items)):
        return list(items)
    keys = list({item.article_key for item in items if _names_another(item)})
    shared = {bytes(row.url_key) for row in await named_rows(connection, FIND_SHARED, [keys])}
    holders = {
        bytes(row.url_key): Holder(row_mapping.page_key(row.url), row.title, row.text, row.url, row.id)
        for row in await named_rows(connection, FIND_HOLDERS, [keys])
    }
    settled = list(items)
    for item in items:
        holder = holders.get(item.article_key)
        if _names_another(item) and item.article_key not in shared and holder and is_another_article(item, holder):
            shared.add(item.article_key)
            await connection.execute(SAVE_SHARED, [item.article_key, item.canonical_url, item.fetched_at])
            if holder.id is not None and holder.read_key != item.article_key:
                await _mend(connection, holder)
        holders.setdefault(item.article_key, Holder(item.seen.url_key, item.version["title"], item.version["text"]))
    for place, item in enumerate(settled):
        if _names_another(item) and item.article_key in shared:
            settled[place] = by_own_address(item)
    return settled


async def _mend(connection: AsyncConnection, holder: Holder) -> None:
    """The article of the store goes by its own address, unless another one does already."""
    url = dedupe.identity(holder.url, holder.url)
    await connection.execute(MEND, {"key": row_mapping.page_key(url), "url": url, "id": holder.id})


def _names_another(item: Item) -> bool:
    """Whether the page names another address than its own as canonical."""
    return bool(item.seen.url_key) and item.seen.url_key != item.article_key


def by_own_address(item: Item) -> Item:
    url = dedupe.identity(item.article_url, item.article_url)
    return replace(item, canonical_url=url, article_key=row_mapping.page_key(url))


def is_another_article(item: Item, holder: Holder) -> bool:
    """Whether two pages that name one canonical are two articles: neither headline nor text has much in common.

    Views of one article (print, AMP, its further pages) share the headline at least.
    """
    if holder.read_key == item.seen.url_key:
        return False
    one, other = (set(_WORD.findall(text.lower())) for text in (item.version["title"] or "", holder.title or ""))
    if not one or not other or 2 * len(one & other) >= min(len(one), len(other)):
        return False
    texts = [fingerprint.shingles(text) for text in (item.version["text"] or "", holder.text or "")]
    if min(map(len, texts)) < _FEWEST:
        return False
    return len(texts[0] & texts[1]) <= _MOST_SHARED * min(map(len, texts))


__all__ = ["Holder", "believed", "by_own_address", "is_another_article", "own_keys"]
