"""Grouping anew: stories of today's method in the place of the old ones, which keep their numbers where they can."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks.stories import labelled
from pipelines.store import regrouping
from pipelines.store.regrouping import partings, renumbered
from pipelines.store.story_moves import Parting
from tests.test_stories import TOGETHER, keep

MEMBERS = "SELECT article_id, story_id, keys, terms, weights, at FROM ingest.story_articles ORDER BY 1"
SHOWN = "SELECT id, first_seen_at, last_seen_at, articles, sources FROM news.stories ORDER BY id"
COUNTED = """
    SELECT member.story_id, min(first_seen_at), max(first_seen_at), count(*), array_agg(DISTINCT source)
    FROM news.story_articles AS member GROUP BY story_id ORDER BY story_id
"""
# as another method would have it: everything in one story, or in stories of two, with terms of its own
AS_IF_BY_ANOTHER = (
    "UPDATE ingest.story_articles SET keys = '{{1,2}}', terms = '{{1,2}}', weights = '{{0.7,0.7}}' RETURNING 1",
    "UPDATE ingest.story_terms SET articles = 3 RETURNING 1",
    "UPDATE ingest.story_articles SET story_id = {story} RETURNING 1",
    "UPDATE ingest.stories SET articles = 0 RETURNING 1",
    "SELECT ingest.count_story(id) FROM ingest.stories",
)


async def stored(store, number: int = 40) -> None:
    run = await store.begin_run(None, "replay", "host:1")
    for one in labelled(number, 3)[:40]:
        await keep(store, run, one, one.at, one.text)
    await store.group_stories()


@pytest.mark.parametrize("story", ["1", "(article_id + 1) / 2 * 2 - 1"])
async def test_what_another_method_grouped_becomes_as_if_it_came_today(store, sql_rows, story: str):
    await stored(store)
    groups, members = sql_rows(TOGETHER), [row[2:] for row in sql_rows(MEMBERS)]
    terms = sql_rows("SELECT * FROM ingest.story_terms ORDER BY 1")
    for statement in AS_IF_BY_ANOTHER:
        sql_rows(statement.format(story=story))
    before = dict(sql_rows("SELECT article_id, story_id FROM news.story_articles"))
    changes = sql_rows("SELECT max(id) FROM news.changes")[0][0]
    for _ in range(3):  # in portions
        assert await store._connections.run(partial(regrouping._group_some, limit=7)) == 7
    done = await store.regroup_stories()
    assert (sql_rows(TOGETHER), [row[2:] for row in sql_rows(MEMBERS)]) == (groups, members)
    assert sql_rows("SELECT * FROM ingest.story_terms ORDER BY 1") == terms
    assert sql_rows(SHOWN) == sql_rows(COUNTED)
    now = dict(sql_rows("SELECT article_id, story_id FROM news.story_articles"))
    moved = {(article, story) for article, story in now.items() if before[article] != story}
    assert done["moved"] == len(moved) > 0
    told = sql_rows("SELECT article_id, story_id FROM news.changes_since(%s) WHERE kind = 'story'", changes)
    assert set(told) == moved and len(told) == len(moved)
    history = sql_rows("SELECT story_id, kind, other_id, articles FROM news.story_history ORDER BY 1, 3")
    assert sum(row[3] for row in history) == len(moved)
    shown = {row[0] for row in sql_rows(SHOWN)}
    assert {(story, kind == "split") for story, kind, _, _ in history} == {(row[0], row[0] in shown) for row in history}
    for table in ("regrouped_articles", "regrouped_terms"):
        assert sql_rows(f"SELECT count(*) FROM ingest.{table}") == [(0,)]


async def test_what_is_grouped_by_this_method_stays_as_it_is(store, sql_rows):
    await stored(store)
    members, changes = sql_rows(MEMBERS), sql_rows("SELECT max(id) FROM news.changes")
    assert await store.regroup_stories() == {"articles": len(members), "moved": 0, "split": 0, "merged": 0}
    assert (sql_rows(MEMBERS), sql_rows("SELECT max(id) FROM news.changes")) == (members, changes)


async def test_a_regrouping_that_was_broken_off_goes_on_and_takes_what_came_meanwhile(store, sql_rows):
    await stored(store, 20)
    await store._connections.run(partial(regrouping._group_some, limit=9))
    assert sql_rows("SELECT articles FROM ingest.regroup_state") == [(9,)]
    run = await store.begin_run(None, "replay", "host:1")
    for one in labelled(6, 5):  # earlier and later than what was looked at
        await keep(store, run, one, one.at, one.text)
    await store.group_stories()
    done = await store.regroup_stories()
    assert [(done["articles"],)] == sql_rows("SELECT count(*) FROM news.story_articles")
    assert sql_rows("SELECT articles, seen_at FROM ingest.regroup_state") == [(0, None)]


def test_a_story_keeps_its_number_where_most_of_its_articles_are():
    old = {1: 1, 2: 1, 3: 1, 4: 4, 5: 4}
    assert renumbered(old, {1: 1, 2: 1, 3: 3, 4: 4, 5: 4}) == {1: 1, 3: 3, 4: 4}
    # its first article went to the other story; the two that are left are the story still
    assert renumbered(old, {1: 1, 2: 2, 3: 2, 4: 1, 5: 1}) == {1: 4, 2: 1}
    # half of two is where its first article is
    assert renumbered({4: 4, 5: 4}, {4: 4, 5: 5}) == {4: 4, 5: 5}


def test_numbers_are_those_of_articles_and_none_is_given_twice():
    # the first article leaves alone: no other number is free for it, so its own is not that of those that stay
    old = {1: 1, 2: 1, 3: 1}
    new = {1: 1, 2: 2, 3: 2}
    assert renumbered(old, new) == {1: 1, 2: 2}
    # two become one: the larger one's number
    assert renumbered({1: 1, 2: 2, 3: 2}, {1: 1, 2: 1, 3: 1}) == {1: 2}


def test_what_became_of_a_story():
    old, now = {1: 1, 2: 1, 3: 3, 4: 3}, {1: 1, 2: 3, 3: 3, 4: 3}
    assert partings(old, now) == [Parting(1, 3, 1, is_end=False)]
    assert partings({1: 1, 2: 2}, {1: 2, 2: 2}) == [Parting(1, 2, 1, is_end=True)]
    assert partings(old, old) == []
