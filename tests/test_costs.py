"""A cost that cannot be measured is told, and takes no other with it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.costs import Cost, Given, costs_of, costs_table


def test_a_cost_that_fails_is_told_and_those_before_it_stay():
    def crawled(hosts: int) -> tuple[float, float]:
        if hosts > 1:
            raise SystemExit("the crawl ended with 2")
        return 1.5, 0.5

    found = costs_of("hosts", Given([], "", Path(), 0, (), "", 0, crawled))
    assert [cost.value for cost in found] == [1.5, 0.5, None]
    assert found[-1] == Cost("hosts", "failed: the crawl ended with 2", None)
    assert list(costs_table(found).columns[2].cells) == ["1.5 ms", "0.5 ms", "failed"]
