"""The databases that benchmarks measure in have the rows that the store would have written."""

from __future__ import annotations

import pytest

from benchmarks import filled

BASE = 40


@pytest.fixture
async def multiplied(database_url):
    await filled._store(database_url, BASE)
    filled.multiply(database_url, 3)


async def test_every_table_is_multiplied_and_no_column_is_left_out(multiplied, sql_rows):
    tables = [row[0] for row in sql_rows("SELECT relname FROM pg_class WHERE relnamespace = 'ingest'::regnamespace "
                                         "AND relkind = 'r' AND pg_relation_size(oid) > 0")]  # fmt: skip
    # what there is once, however many articles there are
    once = {"migrations", "sources", "runs", "watches", "story_terms", "story_state", "regroup_state"}
    assert set(tables) - once <= set(filled.DIFFERENT)
    (settled,), (claims,) = sql_rows("SELECT count(*) FROM ingest.bands UNION ALL SELECT count(*) FROM ingest.claims")
    assert settled == 2 * claims > 0
    for table, different in filled.DIFFERENT.items():
        if table in ("bands", "claims"):
            continue
        name = filled.number_of(different)
        sets = sql_rows(
            f"SELECT count(*), array_agg(DISTINCT key ORDER BY key) FROM ingest.{table} AS row "
            "LEFT JOIN LATERAL (SELECT key FROM jsonb_each(to_jsonb(row)) WHERE value <> 'null') AS filled ON true "
            f"GROUP BY {name} / {filled.APART} ORDER BY {name} / {filled.APART}"
        )
        assert all(one == sets[0] for one in sets), table


async def test_what_was_made_is_found_as_what_was_stored(multiplied, sql_rows):
    assert sql_rows("SELECT count(*), count(DISTINCT canonical_url), count(copy_of) FROM news.articles") == [
        (3 * BASE, 3 * BASE, 3 * BASE // 5)
    ]
    assert sql_rows("SELECT count(*) FROM news.copies WHERE original_id / 1000000 <> copy_id / 1000000") == [(0,)]
    assert sql_rows("SELECT count(*), count(DISTINCT id) FROM news.changes_since(0)") == [(6 * BASE, 6 * BASE)]
    owned = "SELECT count(*) FROM ingest.bands JOIN ingest.versions USING (article_id) WHERE band = ANY (bands)"
    assert sql_rows(owned) == sql_rows("SELECT count(*) FROM ingest.bands")
    found = sql_rows("SELECT title FROM news.articles WHERE id = (SELECT max(id) FROM news.articles)")[0][0]
    assert sql_rows("SELECT count(*) FROM news.search(%s)", found) >= [(3,)]


async def test_a_band_that_was_claimed_anew_after_it_had_settled_is_made_once(database_url, sql_rows):
    await filled._store(database_url, BASE)
    sql_rows("INSERT INTO ingest.bands SELECT * FROM ingest.claims ORDER BY band LIMIT 9 RETURNING 1")
    filled.multiply(database_url, 3)
    settled, claims = (sql_rows(f"SELECT count(*) FROM ingest.{table}")[0][0] for table in ("bands", "claims"))
    assert settled == 2 * claims + 9


async def test_the_store_goes_on_after_it(multiplied, store, sql_rows):
    await filled._store(store._connections.dsn, BASE + 10)
    assert sql_rows("SELECT count(*) FROM news.articles") == [(3 * BASE + 10,)]


async def test_varied_articles_have_what_a_reader_of_news_meets(database_url, sql_rows):
    await filled._store_varied(database_url, 2 * filled.REPRINTED + 48)
    filled.multiply(database_url, 2)
    counted = sql_rows(
        "SELECT (SELECT count(*) FROM news.revisions), (SELECT count(correction) FROM news.revisions), "
        "(SELECT count(*) FROM news.absences), (SELECT count(*) FROM news.rejections), "
        "(SELECT count(DISTINCT section) FROM news.articles), (SELECT max(articles) FROM news.families)"
    )
    assert counted == [(8, 2, 2, 8, len(filled.SECTIONS), filled.RANGE + 1)]
