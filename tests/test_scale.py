"""The simulator's figures are those of a store that lost nothing, and of a day in which everybody waits in turn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rich.progress import Progress

from benchmarks import scale, scale_year
from benchmarks.polling import Simulated, simulated
from benchmarks.scale_looks import rechecks_of
from benchmarks.scale_model import Machines, Simulation, Taken
from crawler.slots import share
from pipelines.recheck import RecheckPlan

QUICK = Taken(0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.5, 1.0)


async def test_what_the_sources_publish_is_stored_once(database_url, sql_rows):
    options = scale.chosen(["--sources", "3", "--sample", "3", "--every", "360", "--seed", "22"])
    seen = await scale.looked(database_url, options, 2, Progress(disable=True))
    rhythms = [simulated(number, 1, 22, learn=0) for number in range(3)]
    assert seen["published"] == sum(len(source.published) for source in rhythms) > 30
    assert seen["stored"] == seen["published"] - seen["left_feed"]
    assert seen["twice"] == 0
    assert seen["kinds"]["new"] + seen["kinds"]["copy"] == seen["stored"]
    assert sql_rows("SELECT count(*) FROM ingest.runs WHERE outcome = 'finished'") == [(3 * 4,)]
    asked = sql_rows("SELECT count(*), count(*) FILTER (WHERE status = 304) FROM ingest.attempts WHERE kind = 'page'")
    assert asked == [(seen["stored"] + seen["kinds"]["recheck"], seen["kinds"]["recheck"])]
    assert all(step["calls"] > 0 for step in seen["steps"].values())
    assert seen["steps"]["store article"]["s"] > 0
    assert seen["grown"]["articles"] > 0
    day = scale.day_of(seen, rhythms, options)
    assert day["articles"] <= day["published"] == seen["published"]
    assert day["limit_sources"] > day["limit_sources_in_busiest_hour"] > 0


def test_each_article_has_the_delay_that_slot_site_worker_and_database_make():
    minutes = [1.0, 1.5, 600.0]
    simulation = Simulation([Simulated(minutes, 20)], QUICK, Machines(1, 1, 1), 0, timedelta(minutes=60))
    run = simulation.run().delays
    slot = share("s0", "offset") * 3600
    looked = [
        next(at for number in range(25) if (at := slot + 3600 * number) + 0.52 > 60 * minute) for minute in minutes
    ]
    # the latest is asked for first, a delay after the feed, and each a delay after the other
    waits = [2, 1, 1]
    wanted = sorted(
        at + 0.02 + wait + QUICK.fetch + 0.03 - 60 * minute
        for at, wait, minute in zip(looked, waits, minutes, strict=True)
    )
    assert run == pytest.approx(wanted)


def test_a_worker_that_is_too_slow_shows_in_the_delays_and_more_workers_end_that():
    sources = [simulated(number, 1, 1, learn=0) for number in range(20)]
    slow = Taken(0.01, 0.01, 0.01, 0.01, 0.01, 100.0, 0.5, 1.0)
    one, many = (
        Simulation(sources, slow, Machines(workers, 1, 1), 5, timedelta(minutes=15)).run() for workers in (1, 8)
    )
    assert one.readers > 0.9
    assert one.delay(0.5) > 10 * many.delay(0.5)
    assert one.stored < many.stored <= many.published


def test_an_article_that_never_changes_is_looked_at_as_often_as_the_plan_says():
    assert rechecks_of(RecheckPlan()) == 5
    assert rechecks_of(RecheckPlan(enabled=False)) == 0


async def test_every_statement_of_the_year_can_be_asked(store, database_url):
    scale_year.fill(database_url, 5, 40)
    asked = scale_year.asked(database_url, 5, lambda name: None)
    assert {one.part for one in asked} == {"schedule", "status", "web", "metrics", "SQL"}
    assert [one.ms for one in asked] == sorted((one.ms for one in asked), reverse=True)
