"""Site models in the database: counted between runs over a source's latest articles, kept as states that never change.

A site model is made of what is stored, so nothing is counted beside it and nothing has to be forgotten: what has not
returned within the latest articles is not in the next site model.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from pipelines import site_models
from pipelines.reading.rules import SiteModel
from pipelines.site_models import FittedModel
from pipelines.store.models import Row
from pipelines.store.session import rows_of

log = logging.getLogger(__name__)

#: so many new articles bring the next site model
EVERY = 20
#: once so many have come, the next site model does not wait where the view news.sources says that the template has
#: changed
LOOKED_AT = 10

# Nothing is learned from pages that are ill. Of a new prompt in all texts the next site model is the cure.
WELL = """NOT EXISTS (
        SELECT FROM ingest.alarms AS alarm
        WHERE alarm.source = article.source AND alarm.measure <> 'boilerplate'
          AND alarm.closed_because IS DISTINCT FROM 'accepted'
          AND article.first_seen_at >= alarm.since - interval '1 minute'
          AND (alarm.closed_at IS NULL OR article.first_seen_at <= alarm.closed_at))"""

# Counts no further than EVERY: a source may have any number of articles.
WAITING = f"""
    SELECT source.lesson_serial, coalesce(max(version.serial), 0) AS serial, count(version.serial) AS waiting
    FROM ingest.sources AS source
    LEFT JOIN LATERAL (
        SELECT version.serial
        FROM ingest.articles AS article
        JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = 1
        WHERE article.source = source.name AND article.copy_of IS NULL AND version.serial > source.lesson_serial
          AND {WELL}
        ORDER BY article.first_seen_at DESC
        LIMIT %(every)s
    ) AS version ON true
    WHERE source.name = %(source)s
    GROUP BY source.lesson_serial
"""

TEMPLATE_CHANGED = "SELECT template_changed FROM news.sources WHERE name = %(source)s"

# Copies of other articles teach nothing; of an article with several wordings the first one counts, so it counts once.
LATEST = f"""
    SELECT version.container, version.text, (article.first_seen_at AT TIME ZONE 'UTC')::date AS day,
           coalesce((SELECT array_agg(piece ->> 'text') FROM jsonb_array_elements(version.removed) AS piece
                     WHERE piece ->> 'rule' = 'repeated'), '{{}}') AS again
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = 1
    WHERE article.source = %(source)s AND article.copy_of IS NULL AND {WELL}
    ORDER BY article.first_seen_at DESC, article.id DESC
    LIMIT %(window)s
"""

LOCK = "SELECT FROM ingest.sources WHERE name = %(source)s FOR UPDATE"

IN_FORCE = """
    SELECT number, containers, repeated FROM ingest.lessons
    WHERE source = %(source)s ORDER BY number DESC LIMIT 1
"""

NUMBERED = "SELECT number, containers, repeated FROM ingest.lessons WHERE source = %(source)s AND number = %(number)s"

SAVE = """
    INSERT INTO ingest.lessons (source, number, articles, containers, repeated)
    VALUES (%(source)s, %(number)s, %(articles)s, %(containers)s, %(repeated)s)
"""

LOOKED = "UPDATE ingest.sources SET lesson_serial = %(serial)s WHERE name = %(source)s"

# The version that this very fetch brought; else the current one at that time; else, for a page without an article, the
# site model that was in force when it was fetched.
SITE_MODEL_OF_PAGES = """
    SELECT coalesce(
        (SELECT version.lesson
         FROM ingest.pages AS page
         JOIN ingest.articles AS article ON article.id = page.article_id AND article.source = page.source
         JOIN ingest.versions AS version ON version.article_id = article.id
         WHERE page.url_key = asked.key AND page.source = asked.source
         ORDER BY version.fetched_at = asked.fetched_at DESC, version.fetched_at <= asked.fetched_at DESC,
                  abs(extract(epoch FROM version.fetched_at - asked.fetched_at)), version.number
         LIMIT 1),
        (SELECT max(number) FROM ingest.lessons WHERE source = asked.source AND made_at <= asked.fetched_at),
        0) AS number
    FROM unnest(%(sources)s::text[], %(keys)s::bytea[], %(times)s::timestamptz[])
         WITH ORDINALITY AS asked (source, key, fetched_at, place)
    ORDER BY asked.place
"""


async def learn(connection: AsyncConnection, source: str) -> int | None:
    """Make the next site model of *source* where it is due; its number, or None where nothing new was learned."""
    values: Row = {"source": source, "every": EVERY, "window": site_models.WINDOW}
    await connection.execute(LOCK, values)
    waiting = await rows_of(connection, WAITING, values)
    if not waiting or not await _is_due(connection, waiting[0], values):
        return None
    articles = await rows_of(connection, LATEST, values)
    # some 100 ms, as what follows from it below: other sources' fetches must not wait
    read, site_model = await asyncio.to_thread(_fitted, articles)
    await connection.execute(LOOKED, values | {"serial": waiting[0]["serial"]})
    before = await rows_of(connection, IN_FORCE, values)
    number, known = (before[0]["number"], model_of_row(before[0])) if before else (0, SiteModel())
    if (site_model.containers, frozenset(each.key for each in site_model.repeated)) == (
        known.containers,
        known.repeated,
    ):
        return None
    if said := await asyncio.to_thread(site_models.shrinks, read, site_model, known):
        log.warning("%s: what its latest articles teach is not taken over: %s", source, said)
        return None
    row = {
        "number": number + 1,
        "articles": len(articles),
        "containers": list(site_model.containers),
        "repeated": Jsonb([asdict(paragraph) for paragraph in site_model.repeated]),
    }
    await connection.execute(SAVE, values | row)
    return number + 1


async def _is_due(connection: AsyncConnection, waiting: Row, values: Row) -> bool:
    if waiting["waiting"] >= EVERY:
        return True
    if waiting["waiting"] < LOOKED_AT:
        return False
    changed = await rows_of(connection, TEMPLATE_CHANGED, values)
    return bool(changed and changed[0]["template_changed"])


def _fitted(articles: list[Row]) -> tuple[list[site_models.Read], FittedModel]:
    read = [site_models.observed_row(row["container"], row["text"], row["again"], row["day"]) for row in articles]
    return read, site_models.fit_site_model(read)


def model_of_row(row: Row) -> SiteModel:
    """A row of ``ingest.lessons`` as the reader is told it."""
    repeated = frozenset(paragraph["key"] for paragraph in row["repeated"])
    return SiteModel(row["number"], tuple(row["containers"]), repeated, learning=True)


async def site_model(connection: AsyncConnection, source: str, number: int | None = None) -> SiteModel:
    """The site model of that number, or the one in force."""
    if number == 0:
        return SiteModel(learning=True)
    statement = IN_FORCE if number is None else NUMBERED
    rows = await rows_of(connection, statement, {"source": source, "number": number})
    return model_of_row(rows[0]) if rows else SiteModel(learning=True)
