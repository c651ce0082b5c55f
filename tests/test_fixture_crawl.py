"""The five fixture sites over real HTTP into a real database: every page ends where its expected.json says, twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawler import config, fixture_sites
from crawler.fixture_sites import Asked, Sites
from crawler.reports import RunReport
from crawler.runs import crawl_source
from crawler.services import open_services
from tests.conftest import fresh_database
from tests.expectations import PAGES, differences, expected

NAMES = [site.name for site in fixture_sites.sites_in(PAGES)]
EXPECTED = {name: expected(name) for name in NAMES}

SETTINGS = """
[politeness]
delay = "0 seconds"
jitter = "0 seconds"
[archive]
folder = "{archive}"
[crawl]
readers = 1
"""


@dataclass(frozen=True)
class Rounds:
    """What two rounds over all sites left behind. Addresses are paths, told apart by their site."""

    first: dict[str, RunReport]
    second: dict[str, RunReport]
    articles: dict[tuple[str, str], dict[str, Any]]
    stories: dict[tuple[str, str], dict[str, Any]]
    asked_again: list[Asked]


async def two_rounds(dsn: str, folder: Path) -> Rounds:
    async with fixture_sites.serve() as sites:
        sites.write_sources(folder / "sources")
        (folder / "settings.toml").write_text(SETTINGS.format(archive=folder / "archive"), "utf-8")
        async with open_services(config.load(folder), dsn) as services:
            first = {name: await crawl_source(services, name) for name in NAMES}
            seen = len(sites.log)
            second = {name: await crawl_source(services, name) for name in NAMES}
            rows = await services.store.articles(limit=1000)
            stories = {
                (name, path): await services.store.explain(sites.url(name, path))
                for name in NAMES
                for path in EXPECTED[name]
            }
        return Rounds(first, second, by_path(sites, rows), stories, sites.log[seen:])


def by_path(sites: Sites, rows: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    bases = {sites.url(name, ""): name for name in sites}
    found = {}
    for row in rows:
        base = next(base for base in bases if row["canonical_url"].startswith(base + "/"))
        found[bases[base], row["canonical_url"].removeprefix(base)] = dict(row)
    return found


@pytest.fixture(scope="module")
def rounds(postgres_server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    with contextmanager(fresh_database)(postgres_server, template) as dsn:
        yield asyncio.run(two_rounds(dsn, tmp_path_factory.mktemp("crawl")))


def pages_with(key: str) -> list[tuple[str, str]]:
    return [(name, path) for name, pages in EXPECTED.items() for path, wanted in pages.items() if key in wanted]


@pytest.mark.parametrize("name", NAMES)
def test_a_crawl_finishes_and_its_counts_add_up(rounds: Rounds, name: str) -> None:
    for report in (rounds.first[name], rounds.second[name]):
        counts = report.counts
        assert (report.outcome, report.error) == ("finished", None)
        ends = (counts.new, counts.new_version, counts.unchanged, counts.copy, counts.rejected, counts.pending)
        assert counts.found == sum(ends)
        assert counts.pending == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_first_crawl_finds_what_the_site_lists(rounds: Rounds, name: str) -> None:
    pages = EXPECTED[name]
    counts = rounds.first[name].counts
    reasons = Counter(wanted["reason"] for wanted in pages.values() if "reason" in wanted)
    assert counts.found == sum("same_address_as" not in wanted for wanted in pages.values())
    assert {str(reason): number for reason, number in counts.reasons.items()} == reasons
    assert counts.new + counts.copy == sum("title" in wanted for wanted in pages.values())
    # print view, AMP and redirect name the article's address as their own: nothing new, whichever is asked first
    assert counts.unchanged == sum("same_article_as" in wanted for wanted in pages.values())


def test_there_is_one_article_for_each_that_is_expected_and_no_other(rounds: Rounds) -> None:
    assert set(rounds.articles) == set(pages_with("title"))


@pytest.mark.parametrize(("name", "path"), pages_with("title"))
def test_an_article_comes_out_of_http_as_it_comes_out_of_its_file(rounds: Rounds, name: str, path: str) -> None:
    row = rounds.articles[name, path]
    assert row["source"] == name
    assert differences(row, EXPECTED[name][path], row["fetched_at"]) == []


@pytest.mark.parametrize(("name", "path"), pages_with("reason"))
def test_a_page_that_is_no_article_is_rejected_for_its_reason(rounds: Rounds, name: str, path: str) -> None:
    endings = rounds.stories[name, path]["endings"]
    assert {ending["reason"] for ending in endings} == {EXPECTED[name][path]["reason"]}


def test_the_same_text_on_another_site_is_kept_as_a_copy(rounds: Rounds) -> None:
    (one, other) = (rounds.articles[page] for page in pages_with("same_text_as"))
    assert sorted([one["copy_of"] or 0, other["copy_of"] or 0]) == sorted([0, min(one["id"], other["id"])])
    assert sum(report.counts.copy for report in rounds.first.values()) == 1


def test_the_second_round_asks_for_no_article_and_stores_nothing(rounds: Rounds) -> None:
    assert rounds.asked_again
    assert [asked for asked in rounds.asked_again if asked.path in EXPECTED[asked.site]] == []
    assert all(report.counts.new == report.counts.new_version == 0 for report in rounds.second.values())


def test_the_second_round_is_told_that_nothing_changed(rounds: Rounds) -> None:
    # an index is asked for in full: an answer without a body would not tell which sitemaps to look at
    asked_again = [asked for asked in rounds.asked_again if asked.path not in ("/robots.txt", "/sitemap.xml")]
    assert {(asked.conditional, asked.status) for asked in asked_again} == {(True, 304)}
