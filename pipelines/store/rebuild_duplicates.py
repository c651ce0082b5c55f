"""Rebuilds the near-duplicate links of stored articles: of those that came before copies were found as they are today.

First the bands of all texts are made as they are made now; of a band that several articles have, the one that came
first is the owner. Then each article that is nobody's copy is compared with the owners of its bands. Each step is a
transaction of its own, beside the writers, and can be stopped and repeated at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from psycopg import AsyncConnection

from pipelines import dedupe
from pipelines.reading import fingerprint
from pipelines.store import near_duplicates, row_mapping
from pipelines.store.connections import Transactions
from pipelines.store.models import Row
from pipelines.store.near_duplicates import DuplicateOf, NearDuplicates, Text
from pipelines.store.session import named_rows

AT_A_TIME = 200

OLD_TEXTS = """
    SELECT article_id, number, text, bands
    FROM ingest.versions
    WHERE (article_id, number) > (%(article)s, %(number)s) AND bands_method < %(method)s
    ORDER BY article_id, number
    LIMIT %(limit)s
    FOR NO KEY UPDATE
"""
SAVE_BANDS = """
    UPDATE ingest.versions AS version SET bands = row.bands, bands_method = %(method)s
    FROM jsonb_to_recordset(%(rows)s) AS row (article_id bigint, number integer, bands bigint[])
    WHERE version.article_id = row.article_id AND version.number = row.number
"""
GIVE_UP = """
    DELETE FROM ingest.{table} AS owned
    USING unnest(%s::bigint[], %s::bigint[]) AS old (band, article_id)
    WHERE owned.band = old.band AND owned.article_id = old.article_id
"""
# Where bands end up once they are compacted; an earlier article takes a band from a later one.
CLAIM = """
    INSERT INTO ingest.bands (band, article_id)
    SELECT band, least(min(mine.article_id), min(claims.article_id))
    FROM unnest(%s::bigint[], %s::bigint[]) AS mine (band, article_id)
    LEFT JOIN ingest.claims USING (band)
    GROUP BY band ORDER BY band
    ON CONFLICT (band) DO UPDATE SET article_id = excluded.article_id WHERE bands.article_id > excluded.article_id
"""

NEXT = """
    SELECT article.id, article.version, article.copy_of, version.bands
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    WHERE article.id > %(after)s
    ORDER BY article.id
    LIMIT %(limit)s
"""
TEXTS = """
    SELECT article.id, version.text, version.title
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    WHERE article.id = ANY (%s)
"""
LINK = """
    UPDATE ingest.articles
    SET copy_of = %(first)s, copy_similarity = %(same)s, copy_kept = %(kept)s, copy_own = %(own)s
    WHERE id = %(article)s AND version = %(version)s AND copy_of IS NOT DISTINCT FROM %(before)s
"""
COPIES = """
    SELECT article.id, article.version, version.text
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    WHERE article.copy_of = %s
"""


async def rebuild(run: Transactions) -> dict[str, int]:
    """{texts, copies}: how many got new bands, and how many articles turned out to be copies."""
    return {"texts": await _make_bands(run), "copies": await _find_copies(run)}


async def _make_bands(run: Transactions) -> int:
    done, last = 0, (0, 0)
    while True:
        texts = await run(partial(_make_some_bands, after=last))
        if not texts:
            return done
        done, last = done + len(texts), texts[-1]


async def _make_some_bands(connection: AsyncConnection, after: tuple[int, int]) -> list[tuple[int, int]]:
    values = {"article": after[0], "number": after[1], "method": fingerprint.METHOD, "limit": AT_A_TIME}
    rows = await named_rows(connection, OLD_TEXTS, values)
    made = await asyncio.to_thread(lambda: [fingerprint.bands(row.text) for row in rows])
    gone, come = [], []
    for row, bands in zip(rows, made, strict=True):
        gone += [(band, row.article_id) for band in set(row.bands or ()) - set(bands or ())]
        come += [(band, row.article_id) for band in bands or ()]
    await connection.execute(near_duplicates.FORGET_LOCK)
    for table in ("claims", "bands"):
        await connection.execute(GIVE_UP.format(table=table), _columns(sorted(gone)))
    await connection.execute(CLAIM, _columns(come))
    kept = [
        {"article_id": row.article_id, "number": row.number, "bands": bands}
        for row, bands in zip(rows, made, strict=True)
    ]
    await connection.execute(SAVE_BANDS, {"rows": row_mapping.dumps(kept), "method": fingerprint.METHOD})
    return [(row.article_id, row.number) for row in rows]


def _columns(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    return [[band for band, _ in pairs], [article for _, article in pairs]]


async def _find_copies(run: Transactions) -> int:
    found, last = 0, 0
    while True:
        number, last = await run(partial(_find_some_copies, after=last))
        found += number
        if not last:
            return found


async def _find_some_copies(connection: AsyncConnection, after: int) -> tuple[int, int]:
    """How many of the next articles are copies, and the last of these articles: 0 where there is none."""
    rows = await named_rows(connection, NEXT, {"after": after, "limit": AT_A_TIME})
    bands = sorted({band for row in rows if row.copy_of is None for band in row.bands or ()})
    owners = await near_duplicates.owners(connection, bands)
    # who owns all its own bands, or shares them only with later ones, is the first
    late = {
        row.id: row
        for row in rows
        if row.copy_of is None and any(owners.get(band, row.id) < row.id for band in row.bands or ())
    }
    texts = {row.id: row for row in await named_rows(connection, TEXTS, [list(late)])}
    linked = 0
    for row in late.values():
        known = await near_duplicates.known(connection, row.bands)
        origin = known.duplicate_of(row.id, texts[row.id].text, row.bands)
        if origin is None or origin.article_id > row.id or await _is_wall(connection, origin, texts[row.id]):
            continue
        linked += await _link(connection, known, row, origin)
    return linked, rows[-1].id if rows else 0


async def _is_wall(connection: AsyncConnection, origin: DuplicateOf, row: Any) -> bool:
    if origin.alike.same < 1:
        return False
    firsts = await named_rows(connection, TEXTS, [[origin.article_id]])
    return any(dedupe.is_wall(row.text, row.title, first.title) for first in firsts)


async def _link(connection: AsyncConnection, known: NearDuplicates, row: Any, origin: DuplicateOf) -> int:
    """*row* is a copy, and so are its copies: of the same first, where they have enough of it."""
    if not await _point(connection, row.id, row.version, None, origin):
        return 0
    for copy in await named_rows(connection, COPIES, [row.id]):
        further = known.of_family(origin.article_id, Text(copy.id, 0, 0, copy.text, frozenset()))
        if further is not None and origin.article_id != copy.id:
            await _point(connection, copy.id, copy.version, row.id, further)
    return 1


async def _point(
    connection: AsyncConnection, article: int, version: int, before: int | None, origin: DuplicateOf
) -> bool:
    alike = origin.alike
    values: Row = {"article": article, "version": version, "before": before, "first": origin.article_id}
    values |= {"same": alike.same, "kept": alike.kept, "own": alike.own}
    return bool((await connection.execute(LINK, values)).rowcount)
