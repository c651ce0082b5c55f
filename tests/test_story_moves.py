"""A changed wording that tells another story takes its article there, where nobody has followed it yet."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from benchmarks.stories import Labelled, labelled
from pipelines import database
from pipelines.store import Store, regrouping
from pipelines.stories import WINDOW
from tests.test_stories import TOGETHER, keep

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRE = "In der Altstadt von Passau hat ein Feuer das Brauhaus Zum Anker zerstört, 14 Bewohner kamen in Krankenhäuser"
TRIAL = "Vor dem Landgericht Kassel muss sich der Baulöwe Hagedorn wegen Betrugs verantworten, 31 Zeugen sind geladen"
STRIKE = "Die Lokführer der Harzbahn streiken für sieben Prozent mehr Lohn, zwischen Thale und Goslar fährt nichts"
HISTORY = "SELECT story_id, kind, other_id, articles FROM news.story_history ORDER BY id"
SHOWN = "SELECT id, first_seen_at, last_seen_at, articles, sources FROM news.stories ORDER BY id"
COUNTED = """
    SELECT story_id, min(first_seen_at), max(first_seen_at), count(*), array_agg(DISTINCT source)
    FROM news.story_articles GROUP BY story_id ORDER BY story_id
"""


class World:
    """Articles by number, each of which is told at an hour and grouped at once."""

    def __init__(self, store: Store, sql_rows):
        self.store, self.sql_rows = store, sql_rows

    async def tell(self, number: int, text: str, hour: float, more: str = "") -> None:
        run = await self.store.begin_run(None, "replay", "host:1")
        one = Labelled(number, 0, T, text.partition(",")[0], f"{text}. {more}")
        await keep(self.store, run, one, T + hour * HOUR, one.text)
        await self.store.end_run(run, "finished")
        await self.store.group_stories()

    def stories(self) -> dict[int, int]:
        """Number of the article in this test -> that of the article which its story is called by."""
        rows = self.sql_rows("SELECT substring(url FROM '[0-9]+$')::integer, id FROM news.articles")
        name = {key: number for number, key in rows}
        members = self.sql_rows("SELECT article_id, story_id FROM news.story_articles")
        return {name[article]: name[story] for article, story in members}


@pytest.fixture
def world(store, sql_rows) -> World:
    return World(store, sql_rows)


async def test_an_article_that_nobody_followed_goes_where_its_new_wording_belongs(world: World, sql_rows):
    await world.tell(1, FIRE, 0)
    await world.tell(2, TRIAL, 1)
    await world.tell(1, TRIAL, 2)
    assert world.stories() == {1: 2, 2: 2}
    ids = dict(sql_rows("SELECT substring(url FROM '[0-9]+$')::integer, id FROM news.articles"))
    assert sql_rows(HISTORY) == [(ids[1], "merged", ids[2], 1)]
    told = "SELECT story_id FROM news.changes WHERE kind = 'story' AND article_id = %s ORDER BY id"
    assert sql_rows(told, ids[1]) == [(ids[1],), (ids[2],)]
    assert sql_rows(SHOWN) == sql_rows(COUNTED)
    await world.tell(3, TRIAL, 3)  # who comes later finds it there
    await world.tell(4, FIRE, 4)
    assert world.stories() == {1: 2, 2: 2, 3: 2, 4: 4}


async def test_an_article_that_others_followed_stays(world: World, sql_rows):
    await world.tell(1, FIRE, 0)
    await world.tell(2, FIRE, 1)
    await world.tell(3, TRIAL, 2)
    await world.tell(1, TRIAL, 3)
    assert world.stories() == {1: 1, 2: 1, 3: 3}
    await world.tell(4, FIRE, 4)
    assert world.stories()[4] == 1
    assert sql_rows(HISTORY) == []


async def test_the_last_of_a_story_leaves_it_and_begins_one_or_joins_another(world: World, sql_rows):
    await world.tell(1, FIRE, 0)
    await world.tell(2, FIRE, 1)
    await world.tell(2, STRIKE, 2)
    assert world.stories() == {1: 1, 2: 2}
    await world.tell(3, TRIAL, 3)
    await world.tell(2, TRIAL, 4)  # and again, since it is alone
    assert world.stories() == {1: 1, 2: 3, 3: 3}
    assert [row[1::2] for row in sql_rows(HISTORY)] == [("split", 1), ("merged", 1)]
    assert sql_rows(SHOWN) == sql_rows(COUNTED)


async def test_a_wording_that_tells_more_of_the_same_moves_nothing(world: World, sql_rows):
    await world.tell(1, FIRE, 0)
    await world.tell(2, TRIAL, 1)
    await world.tell(1, FIRE, 2, more=STRIKE)
    assert world.stories() == {1: 1, 2: 2}
    await world.tell(1, TRIAL, WINDOW / HOUR + 1)  # a story of last week is history
    assert world.stories() == {1: 1, 2: 2}
    assert sql_rows(HISTORY) == []


async def test_what_has_no_story_yet_begins_in_its_first_wording(world: World, sql_rows):
    """Two wordings between two looks; and a change of what was grouped before wordings were looked at."""
    run = await world.store.begin_run(None, "replay", "host:1")
    for hour, text in enumerate((FIRE, TRIAL)):
        await keep(world.store, run, Labelled(1, 0, T, text.partition(",")[0], text), T + hour * HOUR, text)
    await world.tell(2, TRIAL, -0.5)
    assert world.stories() == {1: 2, 2: 2}
    sql_rows("UPDATE ingest.story_articles SET wording_at = NULL RETURNING 1")
    await world.tell(1, STRIKE, 3)
    assert world.stories() == {1: 1, 2: 2}


def wordings(seed: int) -> list[tuple[datetime, Labelled]]:
    """Articles, each of which is later told in the words of another one; in the order of their fetches."""
    chance = random.Random(seed)
    articles = labelled(7, seed)
    told = [(one.at, one) for one in articles]
    for one in articles:
        other = chance.choice(articles)
        at = one.at + timedelta(hours=chance.uniform(1, 100))
        told.append((at, replace(one, title=other.title, text=other.text)))
    return sorted(told, key=lambda each: each[0])


async def test_a_replay_moves_the_same_articles(store, sql_rows, empty_database):
    """Grouped after every fetch; all wordings first, in any order; and grouped anew."""
    database.migrate(empty_database)
    told = wordings(3)
    run = await store.begin_run(None, "replay", "host:1")
    for at, one in told:
        await keep(store, run, one, at, one.text)
        await store.group_stories()
    assert len(sql_rows(HISTORY)) > 3
    async with await Store.open(empty_database) as other:
        run = await other.begin_run(None, "replay", "host:1")
        for at, one in random.Random(1).sample(told, len(told)):
            await keep(other, run, one, at, one.text)
        await other.group_stories()
    with psycopg.connect(empty_database) as connection:
        assert connection.execute(TOGETHER).fetchall() == sql_rows(TOGETHER)
    done = await store.regroup_stories()
    assert (done["moved"], done["split"], done["merged"]) == (0, 0, 0)
    assert sql_rows(SHOWN) == sql_rows(COUNTED)


async def test_what_was_stored_late_does_not_keep_the_grouping_anew_from_its_end(world: World, sql_rows):
    """Its first wording is before what was looked at, its second one behind that: both wait for the last portion."""
    await world.tell(1, FIRE, 0)
    await world.tell(2, TRIAL, 10)
    run = world.store._connections.run
    assert [await run(regrouping._group_some) for _ in range(2)] == [2, 0]
    await world.tell(3, STRIKE, 5)
    await world.tell(3, TRIAL, 12)
    assert [await run(regrouping._group_some) for _ in range(2)] == [0, 0]
    assert await world.store.regroup_stories() == {"articles": 3, "moved": 0, "split": 0, "merged": 0}
    assert world.stories() == {1: 1, 2: 2, 3: 2}
    assert sql_rows(SHOWN) == sql_rows(COUNTED)
