"""Near-duplicates: which article had a text first, whatever was cut, added or given another headline.

Each text has up to 80 bands (``fingerprint.bands``); ``ingest.bands`` says of each which article had it first,
``ingest.claims`` of those that came lately. A writer *claims* the bands of its texts before it decides about them:
where another transaction has just claimed one, the unique index makes it wait for that one's end. So of two near copies
that are written at the same moment one is first, and the other sees it. Bands are claimed in order, so writers never
wait in a circle.
Beside the writing, claims are *compacted*: they move into the large table, a slice of all bands at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from psycopg import AsyncConnection

from pipelines import dedupe
from pipelines.dedupe import Similarity
from pipelines.reading import fingerprint
from pipelines.store.session import named_rows

CANDIDATES = 6  # articles that are compared word for word with a text, those with the most bands in common first
STORED = 1 << 62  # above all serials that Postgres gives

CLAIM = """
    INSERT INTO ingest.claims (band, article_id)
    SELECT band, article_id
    FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS claim (band, article_id, place)
    ORDER BY band, place
    ON CONFLICT (band) DO NOTHING
"""

# One statement, so that it sees a band that is being compacted in one of the two tables. What was compacted came
# earlier.
OWNERS = """
    SELECT band, article_id, true AS is_compacted FROM ingest.bands
    WHERE band = ANY (%(bands)s::bigint[]) AND article_id <> ALL (%(new)s::bigint[])
    UNION ALL
    SELECT band, article_id, false FROM ingest.claims
    WHERE band = ANY (%(bands)s::bigint[]) AND article_id <> ALL (%(new)s::bigint[])
"""

SLICES = 64  # of all bands; as many as ingest.claims_slice counts
MOST_COMPACTED = 100_000  # claims in a transaction: a second

# One process at a time, and none while somebody forgets bands; who does not get the lock has nothing to do.
SLICE = """
    SELECT nextval('ingest.claims_slice')
    FROM (SELECT pg_try_advisory_xact_lock(6224537, 3) AS mine OFFSET 0) AS asked WHERE mine
"""

COMPACT = """
    WITH compacted AS (
        DELETE FROM ingest.claims
        WHERE band >= %(first)s AND band <= coalesce(
            (SELECT band FROM ingest.claims WHERE band BETWEEN %(first)s AND %(last)s
             ORDER BY band OFFSET %(most)s LIMIT 1), %(last)s)
        RETURNING band, article_id)
    INSERT INTO ingest.bands (band, article_id)
    SELECT band, article_id FROM compacted ORDER BY band
    ON CONFLICT (band) DO NOTHING
"""

# of an article with many versions only those that have a band in common; of one that is the first of a family also its
# first and its current wording
TEXTS = """
    SELECT version.article_id, version.number, version.serial, version.bands, version.text,
           article.version AS current,
           article.copy_of, article.copy_similarity, article.copy_kept, article.copy_own
    FROM ingest.versions AS version
    JOIN ingest.articles AS article ON article.id = version.article_id
    WHERE version.article_id = ANY (%s::bigint[])
      AND (version.bands && %s::bigint[] OR version.number IN (1, article.version))
    ORDER BY version.serial
"""

# bands of wordings that are about to be replaced: they shall not keep others from being found
FORGET_LOCK = "SELECT pg_advisory_xact_lock_shared(6224537, 3)"  # what is compacted meanwhile would be missed in both
FORGET = """
    DELETE FROM ingest.{table} AS owned
    USING ingest.versions AS version
    JOIN unnest(%s::bigint[], %s::integer[]) AS wanted (article_id, number)
      ON wanted.article_id = version.article_id AND wanted.number = version.number
    WHERE owned.band = ANY (version.bands) AND owned.article_id = version.article_id
      AND owned.band <> ALL (%s::bigint[])
"""


@dataclass
class Text:
    """A wording that may be the original of another. ``serial``: the order in which they came."""

    article_id: int
    number: int
    serial: int
    text: str
    bands: frozenset[int]

    @cached_property
    def triples(self) -> frozenset[str]:
        return fingerprint.shingles(self.text)


@dataclass(frozen=True, slots=True)
class DuplicateOf:
    """Whose copy a text is, and how much they share."""

    article_id: int
    alike: Similarity


@dataclass
class NearDuplicates:
    """What is known about the bands of a batch, kept up to date while the batch is decided."""

    owners: dict[int, int] = field(default_factory=dict)
    texts: dict[int, list[Text]] = field(default_factory=lambda: defaultdict(list))
    current: dict[int, int] = field(default_factory=dict)
    duplicates_of: dict[int, DuplicateOf | None] = field(default_factory=dict)
    kept: int = 0

    def add(self, article_id: int, number: int, text: str, bands: Iterable[int]) -> None:
        """A wording that this batch writes: later than all that is stored, and in the order of the batch."""
        self.kept += 1
        others = [old for old in self.texts[article_id] if old.number != number]
        self.texts[article_id] = [*others, Text(article_id, number, STORED + self.kept, text, frozenset(bands))]
        for band in bands:
            self.owners.setdefault(band, article_id)

    def duplicate_of(self, article_id: int, text: str, bands: Sequence[int]) -> DuplicateOf | None:
        """The article that had *text* first, nearly as it is; None: this one."""
        shared = Counter(self.owners[band] for band in bands if band in self.owners)
        shared.pop(article_id, None)
        if not shared:
            return None
        mine = Text(article_id, 0, 2 * STORED, text, frozenset(bands))
        found = [
            origin
            for owner, _ in shared.most_common(CANDIDATES)
            for origin in [self._through(owner, mine)]
            if origin is not None
        ]
        return min(found, key=lambda each: each[0])[1] if found else None

    def _through(self, owner: int, mine: Text) -> tuple[int, DuplicateOf] | None:
        """The first of *owner*'s family where *mine* is a copy of *owner*'s text, with its place in time."""
        for stored in self.texts.get(owner, ()):
            if not stored.bands & mine.bands:
                continue
            alike = dedupe.similarity(stored.triples, mine.triples)
            if not dedupe.is_copy(alike, min(len(stored.triples), len(mine.triples))):
                continue
            origin = self.duplicate_of_revision(owner, stored.number)
            if origin is None:
                return stored.serial, DuplicateOf(owner, alike)
            if origin.article_id == mine.article_id:
                return None
            # of what the first has, nothing may be left in the copy's copy: then the copy had its text first
            return self._first(origin.article_id, mine) or (stored.serial, DuplicateOf(owner, alike))
        return None

    def duplicate_of_revision(self, article_id: int, number: int) -> DuplicateOf | None:
        """Whose copy an article is, where *number* is its current wording; an older one counts as its own."""
        return self.duplicates_of.get(article_id) if self.current.get(article_id, number) == number else None

    def of_family(self, first: int, mine: Text) -> DuplicateOf | None:
        """*first* as the origin of what is a copy of its copy; None where too little of it is left."""
        found = self._first(first, mine)
        return found[1] if found else None

    def _first(self, first: int, mine: Text) -> tuple[int, DuplicateOf] | None:
        """*first* as the origin of what is a copy of its copy, unless the two have too little in common."""
        best = None
        for stored in self.texts.get(first, ()):
            alike = dedupe.similarity(stored.triples, mine.triples)
            if dedupe.is_of_family(alike) and (best is None or alike.same > best[1].alike.same):
                best = stored.serial, DuplicateOf(first, alike)
        return best


def duplicate_of_row(row: Any) -> DuplicateOf | None:
    """From a row with the columns ``copy_*`` of ``ingest.articles``."""
    if row.copy_of is None:
        return None
    if row.copy_similarity is None:
        return DuplicateOf(row.copy_of, dedupe.EXACT)
    return DuplicateOf(row.copy_of, Similarity(row.copy_similarity, row.copy_kept, row.copy_own))


async def claim(connection: AsyncConnection, wanted: Sequence[tuple[int, Sequence[int]]]) -> None:
    """Claim bands for articles: *wanted* are article id and bands. Waits for whoever claims one of them now."""
    bands = [band for _, of_text in wanted for band in of_text]
    articles = [article_id for article_id, of_text in wanted for _ in of_text]
    if bands:
        await connection.execute(CLAIM, [array(bands), array(articles)])


async def known(connection: AsyncConnection, bands: Sequence[int], new: Collection[int] = ()) -> NearDuplicates:
    """Who had these bands first, with their texts and those of the firsts of their families.

    *new*: articles that have claimed bands and are not stored yet; what is theirs is left out.
    """
    copies = NearDuplicates()
    if not bands:
        return copies
    copies.owners = await owners(connection, bands, new)
    # only the bands that others have: comparing arrays takes the product of their lengths
    others = list(copies.owners)
    await _read_texts(connection, copies, set(copies.owners.values()), others)
    firsts = {origin.article_id for origin in copies.duplicates_of.values() if origin}
    await _read_texts(connection, copies, firsts, others)
    return copies


async def owners(connection: AsyncConnection, bands: Sequence[int], new: Collection[int] = ()) -> dict[int, int]:
    """Band to the article that had it first, of those that any article but the *new* ones has."""
    found: dict[int, int] = {}
    cursor = await connection.execute(OWNERS, {"bands": array(bands), "new": array(sorted(new))})
    for band, owner, is_compacted in await cursor.fetchall():
        if is_compacted or band not in found:
            found[band] = owner
    return found


def array(numbers: Iterable[int]) -> str:
    """As Postgres writes it: thousands of numbers one by one take psycopg longer than Postgres all the rest."""
    return "{" + ",".join(map(str, numbers)) + "}"


async def _read_texts(connection: AsyncConnection, copies: NearDuplicates, ids: set[int], bands: Sequence[int]) -> None:
    missing = sorted(ids - copies.texts.keys())
    if not missing:
        return
    for row in await named_rows(connection, TEXTS, [array(missing), array(bands)]):
        text = Text(row.article_id, row.number, row.serial, row.text, frozenset(row.bands or ()))
        copies.texts[row.article_id].append(text)
        copies.current[row.article_id] = row.current
        copies.duplicates_of[row.article_id] = duplicate_of_row(row)


async def forget(connection: AsyncConnection, rewritten: Mapping[tuple[int, int], Sequence[int]]) -> None:
    """Give up the bands of versions whose text is replaced: *rewritten* is (article, number) to the new bands."""
    if rewritten:
        kept = [band for bands in rewritten.values() for band in bands]
        values = [[key[0] for key in rewritten], [key[1] for key in rewritten], kept]
        await connection.execute(FORGET_LOCK)
        for table in ("claims", "bands"):
            await connection.execute(FORGET.format(table=table), values)


async def compact(connection: AsyncConnection) -> None:
    """Move the next slice of the claims to the bands."""
    row = await (await connection.execute(SLICE)).fetchone()
    if row is not None:
        width = 2**64 // SLICES
        first = row[0] * width - 2**63
        await connection.execute(COMPACT, {"first": first, "last": first + width - 1, "most": MOST_COMPACTED})
