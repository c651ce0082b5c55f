"""What a page states beside its words, followed from fetch to fetch where the words stay the same.

The row of the wording says what the newest fetch stated, because the indexes of ``news.articles`` are those of that
table; what was stated before goes to ``ingest.page_metadata``. Only looks at the article's own page by its own source
count: another view or another source's feed states less or names things otherwise, and each look at the two would be a
change. A page out of an archive of others counts for its words alone, because it lacks what a feed said beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg import AsyncConnection

from pipelines import columns, dedupe
from pipelines.dedupe import Decision, KnownArticle
from pipelines.store import row_mapping
from pipelines.store.models import Row
from pipelines.store.row_mapping import Item

_NAMES = ", ".join(columns.FOLLOWED)
_ROW = ", ".join(f"{name} {kind}" for name, kind in columns.FOLLOWED.items())


def _fresh(name: str) -> str:
    """The new value of a column. A time that is not found any more was not taken back, and what was stored without its
    text because it is paid stays paid: the text may be withheld by now."""
    if name == "is_accessible_for_free":
        return f"CASE WHEN version.text = '' THEN version.{name} ELSE row.{name} END"
    time, _, rest = name.partition("_")
    if rest in ("at", "precision", "provenance"):
        return f"CASE WHEN row.{time}_at IS NULL THEN version.{name} ELSE row.{name} END"
    return f"row.{name}"


_FRESH = ", ".join(_fresh(name) for name in columns.FOLLOWED)
_STORED = ", ".join(f"version.{name}" for name in columns.FOLLOWED)

# What was stored before is read as it was when the statement began. The same fetch that is read again has no past. One
# that is not the newest says nothing about now: it was fetched later than what is stored, but before a look that
# confirmed it.
FOLLOW = f"""
    WITH followed AS (
        UPDATE ingest.versions AS version
        SET {", ".join(f"{name} = {_fresh(name)}" for name in columns.FOLLOWED)},
            metadata_at = row.fetched_at, metadata_reader = row.reader_version
        FROM jsonb_to_recordset(%s) AS row (
            article_id bigint, number integer, fetched_at timestamptz, is_newest boolean, reader_version text, {_ROW})
        WHERE version.article_id = row.article_id AND version.number = row.number
          AND (row.fetched_at = version.metadata_at
               OR row.is_newest AND row.fetched_at > coalesce(version.metadata_at, version.fetched_at))
          AND ({_STORED}) IS DISTINCT FROM ({_FRESH})
        RETURNING version.article_id, version.number, version.metadata_at AS until, version.published_at
    ), found_by AS (
        UPDATE ingest.search AS search SET at = followed.published_at
        FROM followed
        WHERE search.article_id = followed.article_id AND search.at <> followed.published_at
    )
    INSERT INTO ingest.page_metadata (article_id, number, stated_at, until, reader_version, {_NAMES})
    SELECT version.article_id, version.number, coalesce(version.metadata_at, version.fetched_at), followed.until,
           coalesce(version.metadata_reader, version.reader_version), {_STORED}
    FROM followed
    JOIN ingest.versions AS version ON version.article_id = followed.article_id AND version.number = followed.number
    WHERE followed.until > coalesce(version.metadata_at, version.fetched_at)
    ORDER BY version.article_id, version.number
    ON CONFLICT (article_id, number, stated_at) DO NOTHING
"""

# a replay reads better what was stated once
READ_AGAIN = f"""
    UPDATE ingest.page_metadata AS past
    SET {", ".join(f"{name} = row.{name}" for name in columns.FOLLOWED)}, reader_version = row.reader_version
    FROM jsonb_to_recordset(%s) AS row (
        article_id bigint, number integer, fetched_at timestamptz, reader_version text, {_ROW})
    WHERE past.article_id = row.article_id AND past.number = row.number AND past.stated_at = row.fetched_at
"""

Rows = dict[tuple[int, int], Row]


@dataclass
class Statements:
    """What the pages of a batch state, in the order in which they came.

    A statement changes a row once, so what several items state of one version goes into ``rounds`` of their own.
    """

    rounds: list[Rows] = field(default_factory=list)
    are_of_replays: bool = False

    def add(self, item: Item, article: KnownArticle, decision: Decision, is_own_source: bool, is_newest: bool) -> None:
        """Take up what *item* states, where it brings no version and its page is to be believed."""
        is_new = decision.write == "insert" or not is_own_source or item.version["backfilled_from"] is not None
        if is_new or dedupe.is_another_view(item.seen, article):
            return
        key = (article.id, decision.version)
        takes_the_place = decision.write == "rewrite" and not item.seen.is_live  # of a view of the article
        row = {name: item.version[name] for name in columns.FOLLOWED} | {
            "article_id": article.id,
            "number": decision.version,
            "fetched_at": item.fetched_at,
            "is_newest": is_newest and not takes_the_place,
            "reader_version": item.version["reader_version"],
        }
        self.are_of_replays |= item.run.is_replay
        free = next((rows for rows in self.rounds if key not in rows), None)
        if free is None:
            self.rounds.append(free := {})
        free[key] = row


async def follow(connection: AsyncConnection, statements: Statements) -> None:
    """Write what is stated now; new versions must be there, and versions that are rewritten not yet."""
    for rows in statements.rounds:
        values = [row_mapping.dumps(list(rows.values()))]
        if statements.are_of_replays:
            await connection.execute(READ_AGAIN, values)
        await connection.execute(FOLLOW, values)
