"""What is written about sources: their descriptions, what their parameters mean, their rows when they are renamed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict

from psycopg import AsyncConnection

from pipelines import urls
from pipelines.store import row_mapping
from pipelines.store.models import Row, SourceRow
from pipelines.store.run_days import add_to_run_days
from pipelines.store.session import rows_of

log = logging.getLogger(__name__)

#: the latest articles of a source, from which it is learned which parameters mean nothing
LATEST = 300
#: pages whose stable key is worked out in one go
AT_A_TIME = 5000

SAVE_SOURCES = """
    INSERT INTO ingest.sources AS source (
        name, title, homepage, language, country, time_zone, enabled, expected_per_day, day_zone, hosts, drop_params)
    SELECT row.name, title, homepage, language, country, time_zone, enabled, expected_per_day, zone.name, hosts,
           drop_params
    FROM jsonb_to_recordset(%s) AS row (
        name text, title text, homepage text, language text, country text, time_zone text, enabled boolean,
        expected_per_day integer, hosts text[], drop_params text[])
    LEFT JOIN pg_timezone_names AS zone ON zone.name = row.time_zone
    ORDER BY row.name
    ON CONFLICT (name) DO UPDATE
    SET title = excluded.title, homepage = excluded.homepage, language = excluded.language, country = excluded.country,
        time_zone = excluded.time_zone, enabled = excluded.enabled, expected_per_day = excluded.expected_per_day,
        day_zone = excluded.day_zone, hosts = excluded.hosts, drop_params = excluded.drop_params, updated_at = now()
"""

SAVE_SOURCE_NAME = "INSERT INTO ingest.sources (name, title) VALUES (%(source)s, %(source)s) ON CONFLICT DO NOTHING"

SAVE_NEXT_RUN = "UPDATE ingest.sources SET next_run_at = %(at)s, next_run_why = %(why)s WHERE name = %(source)s"
NEXT_RUN = "SELECT next_run_at FROM ingest.sources WHERE name = %(source)s"

PARAMS = "SELECT drop_params, noise_params, settled_params FROM ingest.sources WHERE name = %(source)s"

CANONICALS = """
    SELECT page.url, article.canonical_url
    FROM (SELECT id, canonical_url FROM ingest.articles WHERE source = %(source)s
          ORDER BY first_seen_at DESC LIMIT %(latest)s) AS article
    JOIN ingest.pages AS page ON page.article_id = article.id AND page.source = %(source)s
"""

SAVE_NOISE = "UPDATE ingest.sources SET noise_params = %(params)s WHERE name = %(source)s"

PAGES_WITH_PARAMS = """
    SELECT id, url, stable_key FROM ingest.pages
    WHERE source = %(source)s AND id > %(after)s AND strpos(url, '?') > 0
    ORDER BY id LIMIT %(limit)s
"""

SAVE_STABLE_KEYS = """
    UPDATE ingest.pages AS page SET stable_key = decode(row.stable_key, 'hex')
    FROM jsonb_to_recordset(%(rows)s) AS row (id bigint, stable_key text)
    WHERE page.id = row.id
"""

SETTLED = "UPDATE ingest.sources SET settled_params = %(params)s WHERE name = %(source)s"

FORMER = "SELECT name FROM ingest.sources WHERE name = ANY (%(names)s)"

RENAME = "SELECT ingest.rename_source(%(former)s, %(name)s) AS done"

# what the runs of both counted that are gone
JOIN_RUN_DAYS = """
    WITH moved AS (DELETE FROM ingest.run_days WHERE source = %(former)s RETURNING *)
""" + add_to_run_days(
    "SELECT %(name)s, day, kind, outcome, runs, took, new, new_version, unchanged, copy, rejected FROM moved"
)


async def settled_params(connection: AsyncConnection, source: str) -> frozenset[str] | None:
    """The parameters that mean nothing, where ``update_noise_params`` would have nothing to write; else None."""
    values: Row = {"source": source, "latest": LATEST}
    found = await rows_of(connection, PARAMS, values)
    if not found:
        return frozenset()
    stated, learned, settled = (set(found[0][name]) for name in ("drop_params", "noise_params", "settled_params"))
    is_settled = settled == stated | learned and await _noise(connection, values, learned) == learned
    return frozenset(settled) if is_settled else None


async def update_noise_params(connection: AsyncConnection, source: str) -> frozenset[str]:
    """Learn which parameters mean nothing, and under which key each page of *source* is known without them."""
    values: Row = {"source": source, "latest": LATEST}
    found = await rows_of(connection, PARAMS, values)
    if not found:
        return frozenset()
    stated, learned = set(found[0]["drop_params"]), set(found[0]["noise_params"])
    now = await _noise(connection, values, learned)
    if now != learned:
        await connection.execute(SAVE_NOISE, values | {"params": sorted(now)})
        log.info("%s: parameters that mean nothing: %s", source, ", ".join(sorted(now)) or "none")
    params = frozenset(stated | now)
    if params != set(found[0]["settled_params"]):
        await _keep_stable_keys(connection, source, params)
        await connection.execute(SETTLED, values | {"params": sorted(params)})
    return params


async def _noise(connection: AsyncConnection, values: Row, learned: set[str]) -> set[str]:
    """The parameters that by now are known to mean nothing."""
    pairs = [(row["url"], row["canonical_url"]) for row in await rows_of(connection, CANONICALS, values)]
    return urls.noise_params(_normalised(pairs)) | (learned - needed_params(pairs))


def needed_params(pairs: Sequence[tuple[str, str]]) -> set[str]:
    """Parameters that canonical addresses have: what was learned about them before is not true any more."""
    return {urls.param_name(piece) for _, url in pairs for piece in url.partition("?")[2].split("&") if piece}


def _normalised(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    found = []
    for pair in pairs:
        try:
            found.append((urls.normalise(pair[0]), urls.normalise(pair[1])))
        except urls.BadUrl:  # the page of a file that was replayed
            continue
    return found


async def _keep_stable_keys(connection: AsyncConnection, source: str, params: frozenset[str]) -> None:
    after = 0
    while True:
        values = {"source": source, "after": after, "limit": AT_A_TIME}
        pages = await rows_of(connection, PAGES_WITH_PARAMS, values)
        if not pages:
            return
        after = pages[-1]["id"]
        changed = []
        for page in pages:
            key = stable_key(page["url"], params)
            if key != (bytes(page["stable_key"]) if page["stable_key"] else None):
                changed.append({"id": page["id"], "stable_key": key})
        if changed:
            await connection.execute(SAVE_STABLE_KEYS, {"rows": row_mapping.dumps(changed)})


def stable_key(url: str, params: frozenset[str]) -> bytes | None:
    """The key of an address without parameters that mean nothing; None where it has none of them."""
    try:
        url = urls.normalise(url)
    except urls.BadUrl:
        return None
    stable = urls.without_params(url, params)
    return None if stable == url else urls.url_key(stable)


# --- descriptions, and other names -----------------------------------------------------------------------------------


async def save(connection: AsyncConnection, sources: Sequence[SourceRow]) -> None:
    """Insert or update; then what has the former name of one of them is given to it."""
    rows = [row_mapping.clean(asdict(source)) for source in sources]
    await connection.execute(SAVE_SOURCES, [row_mapping.dumps(rows)])
    names = {(old, source.name) for source in sources for old in source.formerly}
    if not names:
        return
    found = await rows_of(connection, FORMER, {"names": sorted(old for old, _ in names)})
    known = {row["name"] for row in found}
    for old, new in sorted(names):
        if old not in known:
            continue
        done = (await rows_of(connection, RENAME, {"former": old, "name": new}))[0]["done"]
        if done:
            await connection.execute(JOIN_RUN_DAYS, {"former": old, "name": new})
            log.info("everything of %s belongs to %s now, as its file says (formerly)", old, new)
        else:
            log.warning("%s still has what belongs to %s: one of them runs now; the next start moves it", old, new)
