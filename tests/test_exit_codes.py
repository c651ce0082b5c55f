"""What ``crawl`` and ``health`` tell a script: exit codes, and what is said with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from crawler.cli import app
from crawler.cli.common import Exit
from crawler.cli.run_report import finish
from crawler.reports import RunReport
from pipelines.store import RunCounts, SourceRow, Store
from tests.in_a_thread import served_in_a_thread
from tests.small_sites import SmallSite, articles, paths_of, rss, served
from tests.test_health import Blatt

SHELL = "<html lang=de><head><title>Bote</title></head><body><div id=root></div><script src=/app.js></script></body>"


def crawled(**counts) -> RunReport:
    return RunReport("bote", "crawl", "finished", RunCounts(**counts))


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        (crawled(new=3, rejected=1, reasons={"soft_404": 1}), 0, ""),
        (crawled(copy=1, rejected=9, reasons={"gone": 9}), 0, ""),
        (crawled(unchanged=30, rejected=4, reasons={"gone": 4}), 0, ""),  # a video or two among known articles
        (crawled(unchanged=30), 0, ""),
        (crawled(), 0, ""),
        (crawled(rejected=1, reasons={"gone": 1}), 1, "none of its 1 new page is an article"),
        (crawled(unchanged=30, rejected=5, reasons={"gone": 5}), 1, "none of its 5 new pages is an article"),
        (crawled(new=9, rejected=1, reasons={"unstorable": 1}), 1, "1 page could not be stored"),
        (crawled(new=9, pending=1), 1, ""),
        (RunReport("bote", "crawl", "failed", error="no answer"), 1, "bote failed: no answer"),
        (RunReport("bote", "recheck", "finished", RunCounts(rejected=5)), 0, ""),  # articles that are gone
    ],
)
def test_a_crawl_that_kept_nothing_is_no_success(report: RunReport, code: int, said: str, capsys):
    for reports in ([report], [crawled(new=5), report]):  # one bad source beside a good one is enough
        with pytest.raises(typer.Exit) as end:
            finish(reports, as_json=False)
        assert end.value.exit_code == code
        shown = capsys.readouterr().out
        assert said in shown and ("none of" in shown or "could not be stored" in shown) == (
            "none of" in said or "could not" in said
        )
    with pytest.raises(typer.Exit) as end:
        finish([report], as_json=True)
    assert end.value.exit_code == code and json.loads(capsys.readouterr().out)["rejected"] == report.counts.rejected


@pytest.fixture
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config" / "sources").mkdir(parents=True)
    settings = '[politeness]\ndelay = "0 seconds"\njitter = "0 seconds"\n[crawl]\nreaders = 1\n'
    (tmp_path / "config" / "settings.toml").write_text(settings)
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NACHLESE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("NACHLESE_DATABASE_URL", database_url)
    return tmp_path


@pytest.fixture
def site() -> Iterator[SmallSite]:
    """Served by a thread of its own, as the command has its own loop."""
    paths = paths_of(3)
    site = SmallSite({"/rss": rss(paths), **articles(paths)})
    with served_in_a_thread(served(site)):
        yield site


def nachlese(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    return result.stdout if code != Exit.USAGE else result.stderr


def test_a_crawl_of_which_all_pages_were_rejected_is_exit_code_1(home: Path, site: SmallSite):
    (home / "config" / "sources" / "bote.toml").write_text(
        f'title = "Bote"\nhomepage = "{site.base}/"\nlanguage = "de"\n[discover]\nfeeds = ["{site.base}/rss"]\n'
        '[fetch]\nallow_addresses = ["127.0.0.1/32"]\n'
    )
    site.pages |= {path: SHELL for path in site.pages if path != "/rss"}
    assert "none of its 3 new pages is an article" in nachlese("crawl", "bote", code=Exit.NOT_ALL)


async def breaking(dsn: str) -> None:
    async with await Store.open(dsn) as store:
        await store.save_sources([SourceRow("blatt", "Blatt"), SourceRow("bote", "Bote")])
        blatt = Blatt(store)
        await blatt.run(30)
        assert (await blatt.run(14, authors=(), section=None)).open == 2


def test_health_is_exit_code_1_until_a_person_accepts_what_is_now(home: Path, database_url: str):
    assert nachlese("health").strip() == "no alarm is open"
    asyncio.run(breaking(database_url))
    shown = nachlese("health", "blatt", code=Exit.NOT_ALL)
    header, *rows = shown.splitlines()
    assert header.split() == ["source", "measure", "usual", "now", "pages"]
    author = next(row.split() for row in rows if row.startswith("blatt") and row.split()[1] == "author")
    assert author[2:4] == ["100", "%"] and author[4:6] == ["0", "%"] and author[-1] == "alarm"
    assert "name an author" in shown and shown.splitlines()[-1] == "2 alarms open"
    lines = [json.loads(line) for line in nachlese("health", "--json", code=Exit.NOT_ALL).splitlines()]
    assert sorted((line["kind"], line["source"], line["measure"]) for line in lines) == [
        ("alarm", "blatt", "author"), ("alarm", "blatt", "section")]  # fmt: skip
    assert all(line["says"] and line["advice"] and line["opened_at"] for line in lines)
    kinds = {json.loads(line)["kind"] for line in nachlese("health", "--all", "--json", code=1).splitlines()}
    assert kinds == {"alarm", "measure"}
    assert "no alarm is open" in nachlese("health", "bote")  # of a source that is well
    assert "knows no source anders" in nachlese("health", "anders", code=Exit.USAGE)
    assert "--accept needs the name of a source" in nachlese("health", "--accept", "all", code=Exit.USAGE)
    assert "1 alarm open" in nachlese("health", "blatt", "--accept", "author", code=Exit.NOT_ALL)
    assert "no alarm is open" in nachlese("health", "blatt", "--accept", "all")
    assert nachlese("health").strip() == "no alarm is open"
