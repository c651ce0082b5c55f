"""``every = "auto"``: looks follow a source's rhythm, within what its list, its server and the operator allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.rhythm import POWER, Bounds, Rhythm, looks_for, next_look
from pipelines.store import SourceRow
from pipelines.store.health_statements import LEARN_RHYTHM

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
#: six articles an hour by day, none at night
HOURS = [6.0 if 6 <= hour % 24 < 22 else 0.0 for hour in range(168)]


def rhythm(recent: int = 0, looks: float = 2.2) -> Rhythm:
    return Rhythm(HOURS, 28, 2000, recent, looks)


def minutes(known: Rhythm | None, last: datetime, bounds: Bounds | None = None) -> float:
    return (next_look(known, last, bounds or Bounds()).at - last) / timedelta(minutes=1)


def test_looks_are_frequent_by_day_and_rare_at_night():
    day, night = MONDAY + timedelta(hours=12), MONDAY + timedelta(hours=23)
    assert minutes(rhythm(), day) == 8
    assert 120 < minutes(rhythm(), night) <= 480
    assert "6.0 articles an hour are usual now" in next_look(rhythm(), day, Bounds()).why
    # a look late at night comes when the morning has begun, not hours into it
    assert minutes(rhythm(looks=1.0), MONDAY + timedelta(hours=3)) <= 200


def test_a_burst_is_followed_and_ends():
    noon = MONDAY + timedelta(hours=12)
    assert minutes(rhythm(recent=40), noon) < minutes(rhythm(recent=6), noon) == 8
    assert "more than usual" in next_look(rhythm(recent=40), noon, Bounds()).why


def test_a_list_does_not_move_on_between_two_looks():
    noon = MONDAY + timedelta(hours=12)
    assert minutes(rhythm(looks=0.1), noon, Bounds(entries=20)) <= 20 * 0.34 / 12 * 60 + 1
    assert "20 entries" in next_look(rhythm(looks=0.1), noon, Bounds(entries=20)).why


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (Bounds(least=timedelta(minutes=30)), 30),
        (Bounds(most=timedelta(minutes=3)), 3),
        (Bounds(fresh_for=timedelta(minutes=45)), 45),
        (Bounds(skip_hours=frozenset((12, 13))), 120),
        (Bounds(skip_days=frozenset((1,))), 720),
    ],
)
def test_operator_server_and_feed_have_the_last_word(bounds: Bounds, expected: float):
    assert minutes(rhythm(), MONDAY + timedelta(hours=12), bounds) == expected


def test_a_source_without_a_rhythm_runs_as_all_others():
    assert minutes(None, MONDAY) == minutes(Rhythm(HOURS, 0.5, 900), MONDAY) == 15
    assert minutes(Rhythm(HOURS, 28, 3), MONDAY, Bounds(every=timedelta(minutes=20))) == 20


def test_the_power_is_that_of_the_statement():
    assert f"power(rates.rate, {POWER})" in LEARN_RHYTHM


def test_all_together_ask_as_often_as_with_a_fixed_interval():
    hours = [rate for _ in range(7) for rate in [0.5] * 8 + [3.0] * 16]
    looks = looks_for(sum(rate**POWER for rate in hours), timedelta(minutes=15))
    at, number = MONDAY, 0
    while at < MONDAY + timedelta(days=7):
        at = next_look(Rhythm(hours, 28, 2000, 0, looks), at, Bounds()).at
        number += 1
    assert 0.9 * 672 < number < 1.03 * 672


async def test_what_all_sources_come_to_is_asked_once_in_five_minutes_and_anew_for_others(store, sql_rows):
    await store.save_sources([SourceRow("a", "A"), SourceRow("b", "B")])
    insert = (
        "INSERT INTO ingest.rhythms (source, days, articles, hours, root_sum) "
        "VALUES (%s, 28, 60, array_fill(0.5::real, ARRAY[168]), %s) RETURNING source"
    )
    sql_rows(insert, "a", 10)
    now = datetime(2026, 3, 2, tzinfo=UTC)

    async def mean(auto: list[str], at: datetime) -> float:
        return (await store.rhythm("a", auto, at))["mean_root_sum"]

    assert await mean(["a", "b"], now) == 10
    sql_rows(insert, "b", 30)
    assert await mean(["a", "b"], now + timedelta(minutes=4)) == 10
    assert await mean(["a"], now + timedelta(minutes=4)) == 10
    assert await mean(["b"], now + timedelta(minutes=4)) == 30
    assert await mean(["a", "b"], now + timedelta(minutes=10)) == 20
    sql_rows("UPDATE ingest.rhythms SET root_sum = 1 RETURNING source")
    assert await mean(["a", "b"], now) == 1  # the clock was set back
