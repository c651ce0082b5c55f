"""Links of a discovery document are put into the frontier: each page once, whatever its parameters, up to a cap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from psycopg import AsyncConnection

from pipelines import urls
from pipelines.store import row_mapping
from pipelines.store.models import Offered, Row
from pipelines.store.session import rows_of

# Two documents of one run are offered at the same time: each sees the room that the other has left.
LOCK_FRONTIER = """
    SELECT drop_params || noise_params AS params FROM ingest.sources WHERE name = %(source)s FOR NO KEY UPDATE
"""

KNOWN_PAGES = """
    SELECT url_key, stable_key FROM ingest.pages
    WHERE source = %(source)s AND url_key = ANY (%(keys)s)
    UNION ALL
    SELECT url_key, stable_key FROM ingest.pages
    WHERE source = %(source)s AND stable_key = ANY (%(keys)s)
"""

# Of addresses that had parameters: pages whose article is known under what is left.
KNOWN_BY_ARTICLE = """
    SELECT page.url_key, article.url_key AS stable_key
    FROM ingest.articles AS article
    JOIN ingest.pages AS page ON page.article_id = article.id AND page.source = %(source)s
    WHERE article.url_key = ANY (%(keys)s)
"""

COUNT_WAITING = "SELECT count(*) AS number FROM ingest.pages WHERE source = %(source)s AND state = 'pending'"

# those that were never asked for, oldest first
OLDEST_WAITING = """
    SELECT id, coalesce(dated_at, found_at) AS at FROM ingest.pages
    WHERE source = %(source)s AND state = 'pending' AND attempts = 0 AND id <> ALL (%(in_flight)s)
    ORDER BY coalesce(dated_at, found_at), id DESC
    LIMIT %(limit)s
"""

# A page that nobody has asked for gives its place to a newer one. It is the same row, because who writes may not
# delete; nothing refers to it yet.
DISPLACE = """
    UPDATE ingest.pages AS page
    SET url_key = decode(row.url_key, 'hex'), url = row.url, found_on = row.found_on, found_at = now(), hint = row.hint,
        dated_at = row.dated_at, next_attempt_at = now(), stable_key = NULL, reason = NULL, detail = NULL,
        http_status = NULL
    FROM jsonb_to_recordset(%(links)s) AS row (
        id bigint, url_key text, url text, found_on text, hint jsonb, dated_at timestamptz)
    WHERE page.id = row.id AND page.state = 'pending' AND page.attempts = 0
      AND NOT EXISTS (SELECT FROM ingest.pages AS other
                      WHERE other.source = page.source AND other.url_key = decode(row.url_key, 'hex'))
    RETURNING page.url_key
"""

ENQUEUE = """
    INSERT INTO ingest.pages (source, url_key, url, found_on, hint, dated_at)
    SELECT %(source)s, decode(url_key, 'hex'), url, found_on, hint, dated_at
    FROM jsonb_to_recordset(%(links)s) AS row (
        url_key text, url text, found_on text, hint jsonb, dated_at timestamptz)
    ORDER BY url_key
    ON CONFLICT DO NOTHING
    RETURNING url_key
"""

# The sitemap says that a page was changed after it was fetched: look again, but not at every lie of a sitemap.
HASTEN_RECHECKS = """
    UPDATE ingest.pages AS page
    SET next_check_at = now()
    FROM jsonb_to_recordset(%(links)s) AS row (url_key text, modified_at timestamptz)
    WHERE page.source = %(source)s AND page.url_key = decode(row.url_key, 'hex') AND page.next_check_at > now()
      AND row.modified_at > page.last_fetched_at AND page.last_fetched_at < now() - interval '30 minutes'
"""

# Known pages that nobody asks for: they end unchanged in this run, too.
SEEN_AGAIN = """
    INSERT INTO ingest.run_pages (run_id, page_id, ending, asked, article_id)
    SELECT %(run)s, page.id, 'unchanged', false, page.article_id
    FROM ingest.pages AS page
    WHERE page.source = %(source)s AND page.url_key = ANY (%(keys)s) AND page.state = 'ended'
      AND (page.next_check_at IS NULL OR page.next_check_at > now())
    ORDER BY page.id
    ON CONFLICT DO NOTHING
"""

OFFERED = """
    SELECT count(*) FILTER (WHERE state = 'pending') AS waiting, count(*) FILTER (WHERE state = 'ended') AS ended
    FROM ingest.pages WHERE source = %(source)s AND url_key = ANY (%(keys)s)
"""


async def enqueue(connection: AsyncConnection, values: Row, good: Sequence[Row], most: int | None) -> Offered:
    """Put the links that are addresses into the frontier of ``values["source"]``, in the caller's transaction.

    *values* has source, run and ``in_flight``, the ids of pages that are being fetched. *most*: so many pages may wait.
    """
    source = (await rows_of(connection, LOCK_FRONTIER, values))[0]
    rows = stable_rows(good, frozenset(source["params"]))
    known = await _known(connection, values, rows)
    rows = {known.get(key, key): row | {"url_key": known.get(key, key)} for key, row in rows.items()}
    fresh = [row for key, row in rows.items() if key not in known.values()]
    left_out = displaced = 0
    if most is not None:
        fresh, left_out, displaced = await _within(connection, values, fresh, most)
    kept = {row["url_key"] for row in fresh}
    left = [key for key in rows if key in kept or key in known.values()]
    now = values | {"keys": left, "links": row_mapping.dumps([rows[key] for key in left])}
    new = displaced
    if fresh:
        inserted = [row for row in fresh if "id" not in row]
        new += len(await rows_of(connection, ENQUEUE, values | {"links": row_mapping.dumps(inserted)}))
    if known:
        await connection.execute(HASTEN_RECHECKS, now)
        await connection.execute(SEEN_AGAIN, now)
    counted = (await rows_of(connection, OFFERED, now))[0]
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
    found = await rows_of(connection, KNOWN_PAGES, values | {"keys": list(rows)})
    changed = [key for key, row in rows.items() if "was_changed" in row]
    if changed:
        found += await rows_of(connection, KNOWN_BY_ARTICLE, values | {"keys": changed})
    known: dict[bytes, bytes] = {}
    for row in found:
        for key in (bytes(row["stable_key"] or b""), bytes(row["url_key"])):  # the very address comes last: it counts
            if key in rows:
                known[key] = bytes(row["url_key"])
    return known


async def _within(connection: AsyncConnection, values: Row, fresh: list[Row], most: int) -> tuple[list[Row], int, int]:
    """Those of *fresh* for which there is room, how many there is none for, and how many old ones gave theirs."""
    waiting = (await rows_of(connection, COUNT_WAITING, values))[0]["number"]
    if waiting + len(fresh) <= most:
        return fresh, 0, 0
    now = datetime.now(UTC)
    # latest first; what states no time is new now, in the order of its document
    fresh = sorted(fresh, key=lambda row: min(row["dated_at"] or now, now), reverse=True)
    room = max(0, most - waiting)
    kept, rest = fresh[:room], fresh[room:]
    oldest = await rows_of(connection, OLDEST_WAITING, values | {"limit": len(rest)})
    replaced = []
    for row, old in zip(rest, oldest, strict=False):
        if min(row["dated_at"] or now, now) <= old["at"]:
            break
        replaced.append(row | {"id": old["id"]})
    done: set[bytes] = set()
    if replaced:
        rows = await rows_of(connection, DISPLACE, {"links": row_mapping.dumps(replaced)})
        done = {bytes(row["url_key"]) for row in rows}
    displaced = [row for row in replaced if row["url_key"] in done]
    return [*kept, *displaced], len(rest) - len(displaced), len(displaced)
