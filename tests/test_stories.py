"""Stories: what is told by several sources is one; what only has the same people in it is not."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import psycopg
import pytest

from benchmarks.stories import Labelled, labelled
from pipelines import database, stories
from pipelines.items import Article, Page, Precision, Provenance
from pipelines.store import Run, Store
from pipelines.stories import Member, Newcomer
from tests.test_seeds import EXPECTED, SEEDS, seed

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EXPECTED_STORIES = json.loads((SEEDS / "expected.json").read_text("utf-8"))["_stories"]


TOGETHER = (
    "SELECT array_agg(canonical_url ORDER BY canonical_url) FROM news.story_articles GROUP BY story_id ORDER BY 1"
)


async def keep_seeds(store: Store, names: list[str], at_once: bool = True) -> None:
    for name in names:
        run = await store.begin_run(None, "replay", "host:1")
        read = seed(name)
        page = Page(f"seed:{name}", "seeds", (SEEDS / name).read_bytes(), read.fetched_at)
        await store.save_article(run, page, replace(read, url=page.url, canonical_url=page.url))
        await store.end_run(run, "finished")
        if not at_once:
            await store.group_stories()
    await store.group_stories()


def grouped(sql_rows) -> list[list[str]]:
    rows = sql_rows(
        "SELECT array_agg(replace(canonical_url, 'seed:', '') ORDER BY canonical_url) FROM news.story_articles "
        "GROUP BY story_id ORDER BY 1"
    )
    return [Path(row[0][0]).name and row[0] for row in rows]


@pytest.mark.parametrize("at_once", [True, False])
async def test_the_seeds_are_grouped_as_expected(store, sql_rows, at_once: bool):
    await keep_seeds(store, sorted(EXPECTED), at_once)
    assert grouped(sql_rows) == sorted(sorted(group) for group in EXPECTED_STORIES)


@pytest.mark.parametrize("order", list(permutations(sorted(EXPECTED)))[1::17])
async def test_the_seeds_are_grouped_the_same_in_any_order(store, sql_rows, order):
    await keep_seeds(store, list(order))
    assert grouped(sql_rows) == sorted(sorted(group) for group in EXPECTED_STORIES)


async def keep(store: Store, run: Run, one: Labelled, at: datetime, text: str) -> None:
    source = "ab"[one.number % 2]
    url = f"https://{source}.example/{one.number}"
    page = Page(url=url, source=source, body=text.encode(), fetched_at=at)
    read = Article(
        url=url, canonical_url=url, source=source, title=one.title, text=text, fetched_at=at, published_at=one.at,
        published_precision=Precision.SECOND, published_provenance=Provenance.JSONLD,
    )  # fmt: skip
    await store.save_article(run, page, read)


async def test_the_portions_in_which_articles_come_make_no_difference(database_url, store, sql_rows, empty_database):
    """Grouped after every article, or all at once in another order of storing: the same stories."""
    database.migrate(empty_database)
    articles = labelled(14, 3)
    async with await Store.open(empty_database) as other:
        for place, portion in ((store, 1), (other, len(articles))):
            run = await place.begin_run(None, "replay", "host:1")
            order = articles if portion == 1 else random.Random(1).sample(articles, len(articles))
            for one in order:
                await keep(place, run, one, one.at, one.text)
                if portion == 1:
                    await place.group_stories()
            for one in order:  # what is changed later changes nothing
                await keep(place, run, one, one.at + timedelta(days=9), order[0].text)
            await place.group_stories()
    with psycopg.connect(empty_database) as connection:
        assert connection.execute(TOGETHER).fetchall() == sql_rows(TOGETHER)
    assert len(sql_rows(TOGETHER)) < len(articles)


async def test_a_story_has_what_people_ask_for_and_its_changes(store, sql_rows):
    await keep_seeds(store, sorted(EXPECTED))
    ((number, title, articles, sources),) = sql_rows(
        "SELECT id, title, articles, sources FROM news.stories WHERE articles > 1"
    )
    assert sql_rows("SELECT title FROM news.articles WHERE id = %s", number) == [(title,)]
    assert (articles, sources) == (3, ["seeds"])
    assert sql_rows("SELECT count(*), count(DISTINCT article_id) FROM news.changes WHERE kind = 'story'") == [(5, 5)]
    assert await store.group_stories() == 0


def vector(article: int, *words: str, at: datetime = T, dated: bool = True, **more) -> stories.StoryVector:
    counts = stories.counted(" ".join(words), None, "")
    return stories.StoryVector(article, at, more.get("until", at), dated, stories.weighted(counts, {}, 0))


def test_the_same_words_weigh_less_with_time_and_nothing_after_the_window():
    one = vector(1, "Haushalt", "Köln", "Kern")
    later = [stories.cosine_in_time(one, replace(one, at=T + days, until=T + days)) for days in (
        timedelta(), stories.HALF_LIFE, stories.WINDOW, stories.WINDOW + timedelta(seconds=1))]  # fmt: skip
    assert later == pytest.approx([1, 0.5, 0.25, 0], abs=1e-4)
    assert stories.cosine_in_time(one, replace(one, at=T - timedelta(hours=9), until=T)) == pytest.approx(1, abs=1e-4)
    assert stories.cosine_in_time(one, replace(one, is_dated=False)) == pytest.approx(stories.UNDATED, abs=1e-4)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fünf Milliarden Euro", "5 Milliarden Euro"),
        ("die Müller-Partei", "der Mueller Partei"),
        ("Verhandlungen", "Verhandlung"),
    ],
)
def test_other_spellings_share_a_term(one: str, other: str):
    assert stories.counted("", None, one).keys() & stories.counted("", None, other).keys()


def test_what_is_common_in_the_archive_weighs_little():
    counts = {1: 1.0, 2: 1.0}
    weights = stories.weighted(counts, {1: 9000}, 10_000)
    assert weights[1] < weights[2] / 3


def test_a_story_is_as_near_as_its_members_are_on_the_whole():
    """Not as its nearest: one article between two stories would draw the second into the first."""
    mine = vector(1, "Haushalt", "Köln", "Kern", "Brücke", "Steuer")
    twin, stranger = replace(mine, article=2), vector(3, "Regen", "Sturm", "Küste", "Deich", "Flut")
    akin = vector(4, "Haushalt", "Köln", "Kern", "Museum", "Streit")
    assert stories.similarity(mine, twin) > stories.similarity(mine, akin) > stories.similarity(mine, stranger)
    members = [Member(2, twin), Member(2, stranger), Member(2, replace(stranger, article=5)), Member(4, akin)]
    assert stories.assigned([Newcomer(mine, 0.0, members)]) == [(4, stories.similarity(mine, akin))]
    near = [Member(2, twin), Member(4, akin)]
    assert stories.assigned([Newcomer(mine, 0.0, near)]) == [(2, stories.similarity(mine, twin))]


def test_an_article_without_words_is_a_story_of_its_own():
    assert stories.assigned([Newcomer(vector(1), stories.JOIN, [Member(2, vector(2))])]) == [(1, None)]
    assert stories.assigned([Newcomer(vector(1, "Haushalt"), stories.JOIN)]) == [(1, None)]


def test_long_articles_need_to_share_less_than_short_ones():
    def words(name: str, number: int) -> list[str]:
        return [f"{name}{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(number)]

    short = [vector(n, *words("gleich", 10), *words(own, 20)) for n, own in enumerate(("eins", "zwei"))]
    long = [vector(n, *words("gleich", 100), *words(own, 200)) for n, own in enumerate(("eins", "zwei"))]
    assert stories.cosine_in_time(*short) == pytest.approx(stories.cosine_in_time(*long), abs=0.1)
    assert stories.similarity(*short) < 0.7 * stories.similarity(*long)


def test_an_archive_that_has_learnt_nothing_asks_for_more():
    bounds = [stories.least_similarity(articles) for articles in (0, 10, 1000)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] == pytest.approx(stories.JOIN, abs=0.01)


async def test_a_story_is_counted_as_its_members_are(store, sql_rows):
    run = await store.begin_run(None, "replay", "host:1")
    for one in labelled(14, 3):
        await keep(store, run, one, one.at, one.text)
        await store.group_stories()
    counted = """
        SELECT member.story_id, min(first_seen_at), max(first_seen_at), count(*), array_agg(DISTINCT source)
        FROM news.story_articles AS member GROUP BY story_id ORDER BY story_id
    """
    shown = "SELECT id, first_seen_at, last_seen_at, articles, sources FROM news.stories ORDER BY id"
    assert sql_rows(shown) == sql_rows(counted)
    # fetched earlier than was known; deleted by hand
    sql_rows("UPDATE ingest.articles SET first_seen_at = first_seen_at - interval '1 day' WHERE id % 2 = 0 RETURNING 1")
    assert sql_rows(shown) == sql_rows(counted)
    sql_rows("DELETE FROM ingest.story_articles WHERE likeness IS NOT NULL AND article_id % 3 = 0 RETURNING 1")
    assert sql_rows(shown) == sql_rows(counted)
