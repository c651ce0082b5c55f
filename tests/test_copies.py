"""Near copies: found when they are stored, whatever was edited and whoever else writes; each points to the first."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import psycopg
import pytest

from pipelines.dedupe import Similarity, is_copy, is_of_family, similarity
from pipelines.reading.fingerprint import bands, shingles
from pipelines.store import Store, near_duplicates
from tests.test_store import T, article, begin, page

EDITS = {
    "cut from the end": lambda words: words[:230],
    "a new lead": lambda words: ["eigener", "einstieg", "des", "hauses", *words[18:]],
    "a paragraph inserted": lambda words: [*words[:90], *(f"eigenes{n}" for n in range(50)), *words[90:]],
    "boilerplate added": lambda words: [*words, *(f"hinweis{n}" for n in range(60))],
    "words replaced": lambda words: [f"anders{n}" if n % 25 == 0 else word for n, word in enumerate(words)],
}


def report(number: int, length: int = 300) -> list[str]:
    """Words of a report: German-like frequencies, so that unrelated ones share some."""
    dice = random.Random(number)
    return [f"w{int(dice.paretovariate(0.5)) % 9000}" for _ in range(length)]


async def keep(store: Store, run, address: str, words: list[str], minutes: int = 0, **more):
    fetched = page(f"https://{address}", source=run.source or "example", at=T + timedelta(minutes=minutes))
    return await store.save_article(run, fetched, article(fetched, text=" ".join(words), **more))


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edited_copy_points_to_the_first_and_keeps_its_own_row(store, sql_rows, edit: str):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    await keep(store, run, "a.example/2", report(2))
    copy = await keep(store, run, "b.example/1", EDITS[edit](report(1)), title="Eine andere Zeile")
    assert (copy.kind, copy.copy_of) == ("copy", first.article_id)
    found = sql_rows(
        "SELECT original_id, likeness, similarity < 1, kept > 0.7, own < 0.3, title_differs FROM news.copies"
    )
    assert found == [(first.article_id, "near", True, True, True, True)]
    assert sql_rows("SELECT count(*) FROM news.articles") == [(3,)]


async def test_a_copy_of_a_copy_points_to_the_first(store, sql_rows):
    run = await begin(store)
    words = report(1)
    first = await keep(store, run, "a.example/1", words)
    await keep(store, run, "b.example/1", words[40:])
    last = await keep(store, run, "c.example/1", words[40:260])
    exact = await keep(store, run, "d.example/1", words[40:260])
    assert last.copy_of == exact.copy_of == first.article_id
    assert sql_rows("SELECT articles, exact_copies, least_similarity < 0.8 FROM news.families") == [(4, 0, True)]


async def test_copies_within_one_batch_point_to_its_first(store, sql_rows):
    run = await begin(store)
    edited = [report(1), *(edit(report(1)) for edit in EDITS.values())]
    endings = await asyncio.gather(
        *(keep(store, run, f"a.example/{number}", words) for number, words in enumerate(edited))
    )
    assert [outcome.kind for outcome in endings] == ["new", *["copy"] * len(EDITS)]
    assert {outcome.copy_of for outcome in endings[1:]} == {endings[0].article_id}


async def test_a_copy_that_is_rewritten_is_a_copy_no_more(store):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    await keep(store, run, "b.example/1", report(1)[:250])
    edited = await keep(store, run, "b.example/1", report(1)[5:250], minutes=60)
    assert (edited.kind, edited.copy_of) == ("new_version", first.article_id)
    own = await keep(store, run, "b.example/1", report(9), minutes=120)
    assert (own.kind, own.copy_of) == ("new_version", None)
    assert (await store.article(first.article_id))["copy_of"] is None


async def test_the_first_stays_the_first_when_it_is_edited_towards_its_copy(store):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    copy = await keep(store, run, "b.example/1", report(1)[30:])
    again = await keep(store, run, "a.example/1", report(1)[30:], minutes=60)
    assert (again.copy_of, copy.copy_of) == (None, first.article_id)


async def test_storing_the_same_fetch_again_keeps_whose_copy_it_is(store, sql_rows):
    run = await begin(store, None, "replay")
    await keep(store, run, "a.example/1", report(1))
    await keep(store, run, "b.example/1", report(1)[30:])
    before = sql_rows("SELECT id, copy_of, copy_similarity, version FROM ingest.articles ORDER BY id")
    again = await begin(store, None, "replay")
    await keep(store, again, "b.example/1", report(1)[30:])
    await keep(store, again, "a.example/1", report(1))
    assert sql_rows("SELECT id, copy_of, copy_similarity, version FROM ingest.articles ORDER BY id") == before


async def test_preview_knows_a_near_copy_and_claims_nothing(store, sql_rows):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    bands = sql_rows("SELECT count(*) FROM ingest.claims")
    other = page("https://b.example/1")
    outcome = await store.preview(other, article(other, text=" ".join(report(1)[20:])))
    assert (outcome.kind, outcome.copy_of) == ("copy", first.article_id)
    assert sql_rows("SELECT count(*) FROM ingest.claims") == bands


@pytest.mark.parametrize("items", [1, 400])
async def test_many_writers_of_near_copies_make_one_first_per_family(database_url, sql_rows, monkeypatch, items: int):
    monkeypatch.setattr("pipelines.store.batches.TIDY_AFTER", items)  # after 1: claims settle while others look
    monkeypatch.setattr("pipelines.store.near_duplicates.SLICES", 4)
    writers, families = 6, 12
    stores = [await Store.open(database_url) for _ in range(writers)]

    async def write(number: int) -> None:
        run = await begin(stores[number], f"source{number}")
        edits = [lambda words: words, *EDITS.values()]
        order = list(range(families))
        random.Random(number).shuffle(order)
        await asyncio.gather(
            *(
                keep(stores[number], run, f"s{number}.example/{family}", edits[number](report(family)))
                for family in order
            )
        )

    await asyncio.gather(*(write(number) for number in range(writers)))
    for store in stores:
        await store.close()
    assert sql_rows("SELECT count(*), count(*) FILTER (WHERE copy_of IS NULL) FROM news.articles") == [
        (writers * families, families)
    ]
    assert sql_rows("SELECT DISTINCT articles FROM news.families") == [(writers,)]
    assert sql_rows(
        "SELECT count(*) FROM news.articles a JOIN news.articles o ON o.id = a.copy_of WHERE o.copy_of IS NOT NULL"
    ) == [(0,)]


async def test_a_writer_that_fails_leaves_its_claims_to_the_next(store, sql_rows):
    run = await begin(store)
    refused = await keep(store, run, "a.example/1", report(1), title=" ")
    assert refused.kind == "rejected"
    assert (await keep(store, run, "b.example/1", report(1))).kind == "new"
    assert sql_rows("SELECT count(*) FROM news.articles WHERE copy_of IS NULL") == [(1,)]


async def compact(database_url: str, slices: int = near_duplicates.SLICES) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for _ in range(slices):
            async with connection.transaction():
                await near_duplicates.compact(connection)


@pytest.mark.parametrize("settled", [0, near_duplicates.SLICES // 2, near_duplicates.SLICES])
async def test_a_text_read_anew_gives_up_its_old_bands(store, sql_rows, database_url, settled: int):
    run = await begin(store, None, "replay")
    await keep(store, run, "a.example/1", report(1))
    await compact(database_url, settled)
    await keep(store, run, "a.example/1", report(2))
    for table in ("claims", "bands"):
        owned = f"SELECT count(*) FROM ingest.{table} WHERE band <> ALL (SELECT unnest(bands) FROM ingest.versions)"
        assert sql_rows(owned) == [(0,)]
    assert (await keep(store, run, "b.example/1", report(1))).kind == "new"


async def test_claims_settle_slice_by_slice_and_copies_are_found_all_the_while(store, sql_rows, database_url):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    both = "SELECT (SELECT count(*) FROM ingest.claims), (SELECT count(*) FROM ingest.bands)"
    number = len(bands(" ".join(report(1))))
    assert sql_rows(both) == [(number, 0)]
    await compact(database_url, near_duplicates.SLICES // 2)
    ((waiting, settled),) = sql_rows(both)
    assert waiting + settled == number and waiting and settled
    half = await keep(store, run, "b.example/1", report(1)[20:])
    await compact(database_url)
    assert sql_rows("SELECT count(*) FROM ingest.claims") == [(0,)]
    last = await keep(store, run, "c.example/1", report(1)[:-20])
    assert half.copy_of == last.copy_of == first.article_id
    # what had settled is not given to who claimed it again
    assert sql_rows("SELECT count(*) FROM ingest.bands WHERE article_id = %s", first.article_id) == [(number,)]


async def test_claims_that_are_being_settled_are_waited_for(store, database_url):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for _ in range(near_duplicates.SLICES):
            await near_duplicates.compact(connection)
        copy = asyncio.create_task(keep(store, run, "b.example/1", report(1)[20:]))
        # the claim of the copy waits for the rows that are on their way
        assert await asyncio.wait({copy}, timeout=0.2) == (set(), {copy})
        await connection.commit()
        assert (await copy).copy_of == first.article_id


async def test_the_agency_is_that_of_whoever_credits_one(store, sql_rows):
    run = await begin(store)
    await keep(store, run, "a.example/1", report(1))
    await keep(store, run, "b.example/1", report(1)[20:], agency="dpa")
    await keep(store, run, "c.example/1", report(1)[10:], agency="dpa")
    assert sql_rows("SELECT agency, articles FROM news.families") == [("dpa", 3)]


def test_likeness_says_what_is_shared_kept_and_own():
    first, other = shingles("a b c d e f"), shingles("c d e f g")
    assert similarity(first, other) == Similarity(2 / 5, 2 / 4, 1 - 2 / 3)
    assert similarity(first, first) == Similarity(1, 1, 0)
    assert similarity(first, shingles("")) == Similarity(0, 0, 1)


def pattern(day: int) -> str:
    """What some sites write anew every day: the words stay, the numbers do not."""
    number = random.Random(day).randint
    one, two, three = (f"{number(1, 28)}.{number(1, 12)}. um {number(10, 23)}" for _ in "abc")
    return (
        f"Geblitzt wird heute an drei Stellen der Stadt, und zwar am {one} Uhr in der Ringstraße, am {two} Uhr beim "
        f"Bahnhof und am {three} Uhr vor der Schule. Die Polizei behält sich weitere Kontrollen im ganzen Stadtgebiet "
        "vor, denn die Lage im Verkehr ändert sich ständig. Wer zu schnell fährt, muss mit einem Bußgeld rechnen; "
        "alle Angaben sind ohne Gewähr und werden nicht berichtigt."
    )


async def test_what_is_written_from_one_pattern_every_day_is_no_copy(store):
    run = await begin(store)
    endings = [await keep(store, run, f"a.example/{day}", pattern(day).split()) for day in range(8)]
    assert {outcome.kind for outcome in endings} == {"new"}
    assert (await keep(store, run, "b.example/1", pattern(1).split()[12:])).copy_of == endings[1].article_id


async def test_a_copy_is_known_in_any_spelling(store):
    run = await begin(store)
    words = [f"ö{word}" if place % 3 else f"ä{word}" for place, word in enumerate(report(1))]
    first = await keep(store, run, "a.example/1", words)
    other = [word.replace("ö", "oe").replace("ä", "a") for word in words]
    copy = await keep(store, run, "b.example/1", other[30:])
    assert (copy.kind, copy.copy_of) == ("copy", first.article_id)


async def test_what_was_copied_from_a_copy_only_is_a_copy_of_that(store):
    """A digest takes up a first report and brings a second; the second, elsewhere, is not that of the first's house."""
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    digest = await keep(store, run, "b.example/1", report(1) + report(2))
    other = await keep(store, run, "c.example/1", report(2))
    assert digest.copy_of == first.article_id
    assert other.copy_of == digest.article_id


def test_a_report_within_a_longer_one_is_a_copy_and_a_quotation_is_none():
    assert is_copy(Similarity(same=0.4, kept=0.95, own=0.6), 200)
    assert is_copy(Similarity(same=0.1, kept=0.1, own=0.05), 40)  # the longer one was there first
    assert not is_copy(Similarity(same=0.1, kept=0.95, own=0.9), 200)
    assert not is_copy(Similarity(same=0.4, kept=0.6, own=0.5), 200)


def test_short_texts_must_be_more_alike():
    assert is_copy(Similarity(0.6, 0.75, 0.25), 200)
    assert not is_copy(Similarity(0.6, 0.75, 0.25), 20)


def test_a_family_ends_where_half_is_gone():
    assert is_of_family(Similarity(0.3, 0.5, 0.6))
    assert not is_of_family(Similarity(0.2, 0.3, 0.6))


async def test_a_new_version_and_a_copy_of_the_old_one_in_one_batch(store):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    changed, copy = await asyncio.gather(
        keep(store, run, "a.example/1", report(5), minutes=60), keep(store, run, "b.example/1", report(1)[20:])
    )
    assert (changed.kind, changed.article_id) == ("new_version", first.article_id)
    assert (copy.kind, copy.copy_of) == ("copy", first.article_id)
