"""Copies among what an earlier version has stored are found afterwards."""

from __future__ import annotations

import pytest

from pipelines.reading import fingerprint
from tests.test_copies import keep, report
from tests.test_store import begin

# as it was before near copies were found, and before umlauts had one spelling
UNLINK = (
    "UPDATE ingest.articles SET copy_of = NULL, copy_similarity = NULL, copy_kept = NULL, copy_own = NULL RETURNING 1",
    "UPDATE ingest.versions SET bands = ARRAY[article_id], bands_method = 1 RETURNING 1",
    "DELETE FROM ingest.claims RETURNING 1",
    "DELETE FROM ingest.bands RETURNING 1",
    "INSERT INTO ingest.bands SELECT article_id, article_id FROM ingest.versions WHERE number = 1 RETURNING 1",
)
LINKS = "SELECT id, copy_of, copy_similarity, copy_kept, copy_own FROM ingest.articles ORDER BY id"
BANDS = "SELECT * FROM ingest.claims UNION SELECT * FROM ingest.bands ORDER BY band"


@pytest.fixture
async def stored(store, sql_rows):
    """Two families, one of them with a copy's copy, and a text of its own."""
    run = await begin(store)
    words = report(1)
    for address, of in (
        ("a", words), ("b", words[40:]), ("c", words[40:260]), ("d", report(2)), ("e", report(3)),
        ("f", [*report(3)[:200], *report(4)[:40]]),
    ):  # fmt: skip
        await keep(store, run, f"{address}.example/1", of)
    return sql_rows(LINKS), sql_rows(BANDS)


async def test_what_was_stored_unlinked_is_linked_as_if_it_came_today(store, sql_rows, stored):
    for statement in UNLINK:
        sql_rows(statement)
    before = sql_rows("SELECT max(id) FROM news.changes")[0][0]
    assert await store.rebuild_duplicates() == {"texts": 6, "copies": 3}
    assert (sql_rows(LINKS), sql_rows(BANDS)) == stored
    assert sql_rows("SELECT kind, article_id FROM news.changes_since(%s)", before) == [
        ("copy", row[0]) for row in stored[0] if row[1]
    ]
    assert await store.rebuild_duplicates() == {"texts": 0, "copies": 0}


async def test_the_earlier_article_takes_a_band_from_one_that_was_stored_since(store, sql_rows):
    run = await begin(store)
    old = await keep(store, run, "a.example/1", report(1))
    for statement in UNLINK:
        sql_rows(statement)
    new = await keep(store, run, "b.example/1", report(1)[20:])
    assert new.kind == "new"
    assert await store.rebuild_duplicates() == {"texts": 1, "copies": 1}
    assert sql_rows("SELECT original_id, copy_id FROM news.copies") == [(old.article_id, new.article_id)]


async def test_the_copies_of_what_turns_out_to_be_a_copy_point_to_the_first(store, sql_rows):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    for statement in UNLINK:
        sql_rows(statement)
    await keep(store, run, "b.example/1", report(1)[20:])
    await keep(store, run, "c.example/1", report(1)[30:])
    assert await store.rebuild_duplicates() == {"texts": 1, "copies": 1}
    assert sql_rows("SELECT DISTINCT copy_of FROM news.articles WHERE copy_of IS NOT NULL") == [(first.article_id,)]
    assert sql_rows("SELECT DISTINCT bands_method FROM ingest.versions") == [(fingerprint.METHOD,)]
