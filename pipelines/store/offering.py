"""What a discovery document named goes into the frontier: each page once, under any parameters, up to a cap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from pipelines import urls
from pipelines.store import frontier as sql
from pipelines.store import preparing
from pipelines.store.shapes import Offered

Row = dict[str, Any]


async def offer(connection: AsyncConnection, values: Row, good: Sequence[Row], most: int | None) -> Offered:
    """Put the links that are addresses into the frontier of ``values["source"]``, in the caller's transaction.

    *values* has source, run and ``in_hand``, the ids of pages that are being fetched. *most*: so many pages may wait.
    """
    source = (await _rows(connection, sql.LOCK_FRONTIER, values))[0]
    rows = stable_rows(good, frozenset(source["params"]))
    known = await _known(connection, values, rows)
    rows = {known.get(key, key): row | {"url_key": known.get(key, key)} for key, row in rows.items()}
    fresh = [row for key, row in rows.items() if key not in known.values()]
    left_out = displaced = 0
    if most is not None:
        fresh, left_out, displaced = await _within(connection, values, fresh, most)
    kept = {row["url_key"] for row in fresh}
    left = [key for key in rows if key in kept or key in known.values()]
    now = values | {"keys": left, "links": preparing.dumps([rows[key] for key in left])}
    new = displaced
    if fresh:
        inserted = [row for row in fresh if "id" not in row]
        new += len(await _rows(connection, sql.OFFER, values | {"links": preparing.dumps(inserted)}))
    await connection.execute(sql.HASTEN_RECHECKS, now)
    await connection.execute(sql.SEEN_AGAIN, now)
    counted = (await _rows(connection, sql.OFFERED, now))[0]
    return Offered(new, counted["waiting"] - new, counted["ended"], left_out, displaced)


def stable_rows(good: Sequence[Row], params: frozenset[str]) -> dict[bytes, Row]:
    """Rows of links by key, without the parameters that mean nothing; of two that are then the same, the first."""
    rows: dict[bytes, Row] = {}
    for row in good:
        url = urls.without_params(row["url"], params) if params and "?" in row["url"] else row["url"]
        key = row["url_key"] if url == row["url"] else urls.url_key(urls.normalise(url))
        rows.setdefault(key, row if url == row["url"] else row | {"url": url, "url_key": key, "was_changed": True})
    return rows


async def _known(connection: AsyncConnection, values: Row, rows: dict[bytes, Row]) -> dict[bytes, bytes]:
    """Key of a link -> key of the page of this source under which it is known, however that was asked for."""
    found = await _rows(connection, sql.KNOWN_PAGES, values | {"keys": list(rows)})
    changed = [key for key, row in rows.items() if "was_changed" in row]
    if changed:
        found += await _rows(connection, sql.KNOWN_BY_ARTICLE, values | {"keys": changed})
    known: dict[bytes, bytes] = {}
    for row in found:
        for key in (bytes(row["stable_key"] or b""), bytes(row["url_key"])):  # the very address comes last: it counts
            if key in rows:
                known[key] = bytes(row["url_key"])
    return known


async def _within(connection: AsyncConnection, values: Row, fresh: list[Row], most: int) -> tuple[list[Row], int, int]:
    """Those of *fresh* for which there is room, how many there is none for, and how many old ones gave theirs."""
    waiting = (await _rows(connection, sql.COUNT_WAITING, values))[0]["number"]
    if waiting + len(fresh) <= most:
        return fresh, 0, 0
    now = datetime.now(UTC)
    # latest first; what states no time is new now, in the order of its document
    fresh = sorted(fresh, key=lambda row: min(row["dated_at"] or now, now), reverse=True)
    room = max(0, most - waiting)
    kept, rest = fresh[:room], fresh[room:]
    oldest = await _rows(connection, sql.OLDEST_WAITING, values | {"limit": len(rest)})
    replaced = []
    for row, old in zip(rest, oldest, strict=False):
        if min(row["dated_at"] or now, now) <= old["at"]:
            break
        replaced.append(row | {"id": old["id"]})
    done: set[bytes] = set()
    if replaced:
        rows = await _rows(connection, sql.DISPLACE, {"links": preparing.dumps(replaced)})
        done = {bytes(row["url_key"]) for row in rows}
    displaced = [row for row in replaced if row["url_key"] in done]
    return [*kept, *displaced], len(rest) - len(displaced), len(displaced)


async def _rows(connection: AsyncConnection, statement: str, values: Row) -> list[Row]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(statement, values)
    return await cursor.fetchall()
