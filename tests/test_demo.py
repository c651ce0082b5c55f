"""The demo keeps what it promises: sites crawled, seeds replayed, nothing fetched or stored twice."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from crawler import demo
from crawler.demo import DemoRunning
from crawler.fixture_sites import Asked
from pipelines import database
from pipelines.store import RunCounts


async def test_everything_once(tmp_path: Path, database_url: str):
    said: list[str] = []
    with demo.place(tmp_path / "demo") as folder:
        done = await demo.demo(folder, said.append, database_url)

    assert done.mistakes() == []
    assert [report.source for report in done.first] == [
        "boersenlage",
        "donaubote",
        "kurier24",
        "leitwerk",
        "tagesbogen",
    ]
    assert all(report.counts.new for report in done.first)
    assert done.seeds.counts.found == 5
    assert done.asked_first.articles == 31  # the figure in README
    assert done.asked_second.articles == 0
    assert done.asked_second.not_modified > 0
    assert {row["source"] for row in done.articles} >= {
        "boersenlage",
        "donaubote",
        "kurier24",
        "leitwerk",
        "tagesbogen",
    }
    assert any(row["copy_of"] for row in done.articles)
    assert done.removed
    assert said[0] == "an embedded Postgres starts"
    assert list((folder / "archive").glob("**/*.warc.gz"))


def test_an_earlier_demos_tables_and_files_are_gone(tmp_path: Path, database_url: str):
    (tmp_path / "demo" / "archive").mkdir(parents=True)
    with demo.place(tmp_path / "demo") as folder:
        assert not (folder / "archive").exists()
    with database.connected(database_url) as connection:
        assert connection.execute("SELECT to_regclass('news.articles') IS NULL").fetchone() == (False,)
        demo.empty(database_url)
        assert connection.execute("SELECT to_regclass('news.articles') IS NULL").fetchone() == (True,)


def test_two_demos_at_once_do_not_disturb_each_other(tmp_path: Path):
    again = demo.place(tmp_path / "demo")
    with demo.place(tmp_path / "demo"), pytest.raises(DemoRunning, match="another demo"):
        again.__enter__()
    with demo.place(tmp_path / "demo") as folder:
        assert folder.is_dir()


def test_a_home_that_cannot_be_written_is_no_hindrance(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    with demo.place(tmp_path / "file" / "demo") as folder:
        assert folder.is_dir()
        assert tmp_path not in folder.parents


def test_a_request_for_a_list_is_told_from_one_for_an_article():
    log = [
        Asked("a", "GET", "/robots.txt", 200, False),
        Asked("a", "GET", "/feed.rdf", 304, True),
        Asked("a", "GET", "/chronik/", 200, False),
        Asked("a", "GET", "/artikel/eins.html?seite=2", 200, False),
        Asked("a", "GET", "/artikel/eins", 404, False),
    ]
    assert demo.requests(log) == demo.Requests(articles=2, lists=3, not_modified=1)


async def test_what_went_wrong_is_said(tmp_path: Path):
    from crawler.reports import RunReport

    good = RunReport("a", "crawl", "finished", RunCounts(new=1))
    waiting = RunReport("b", "crawl", "finished", RunCounts(pending=2))
    broken = RunReport("c", "crawl", "failed", error="no feed")
    none = demo.Requests(0, 0, 0)
    done = demo.Demo(tmp_path, "", (good,), good, (), none, none, ({"id": 1},), (), 1.0)
    assert done.mistakes() == []
    assert dataclasses.replace(done, first=(waiting, broken)).mistakes() == ["b: 2 pages pending", "c: failed, no feed"]
    assert dataclasses.replace(done, second=(good,)).mistakes() == ["a: something new in the second crawl"]
    assert dataclasses.replace(done, asked_second=demo.Requests(3, 0, 0)).mistakes() == [
        "the second crawl asked for 3 articles"
    ]
    assert dataclasses.replace(done, articles=()).mistakes() == ["no article was stored"]
