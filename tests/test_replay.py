"""Stored pages take the live path: seed texts, saved HTML, WARC; the same rows each time, and a look before writing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import config, runs
from crawler.comparing import compare, differences
from crawler.services import Services, open_services
from pipelines import columns

SEEDS = Path(__file__).parent / "seeds"
FETCHED = datetime(2025, 12, 4, 8, tzinfo=UTC)


@pytest.fixture
async def services(tmp_path: Path, database_url: str) -> AsyncIterator[Services]:
    folder = tmp_path / "config"
    (folder / "sources").mkdir(parents=True)
    (folder / "settings.toml").write_text(f'[crawl]\nreaders = 1\n[archive]\nfolder = "{tmp_path / "archive"}"\n')
    (folder / "sources" / "blatt.toml").write_text(
        'title = "Blatt"\nhomepage = "https://www.blatt.example/"\n[discover]\nfeeds = ["https://www.blatt.example/rss"]\n'
    )
    async with open_services(config.load(folder), database_url) as opened:
        yield opened


def seed_files() -> list[Path]:
    return sorted(SEEDS.glob("*.txt"))


async def rows(services: Services) -> list[dict]:
    hidden = {"id", "first_seen_at", "last_seen_at", "last_checked_at", "stored_at", "story"}
    stored = await services.store.articles()
    return [{name: value for name, value in row.items() if name not in hidden} for row in stored]


async def test_the_seeds_become_articles_and_a_second_time_nothing_changes(services):
    report = await runs.replay(services, [SEEDS], fetched_at=FETCHED)
    assert (report.outcome, report.counts.new, report.counts.found) == ("finished", 5, 5)
    first = await rows(services)
    again = await runs.replay(services, [SEEDS], fetched_at=FETCHED)
    assert (again.counts.unchanged, again.counts.found) == (5, 5)
    assert await rows(services) == first
    expected = json.loads((SEEDS / "expected.json").read_text())
    assert {row["title"] for row in first} == {expected[file.name]["title"] for file in seed_files()}


async def test_the_archive_gives_the_same_rows_and_is_not_written_again(services):
    await runs.replay(services, seed_files(), fetched_at=FETCHED)
    first = await rows(services)
    services.archive.close()
    sizes = {file: file.stat().st_size for file in services.archive_folder.rglob("*.warc.gz")}
    report = await runs.replay(services, [services.archive_folder])
    assert (report.outcome, report.counts.unchanged, report.counts.found) == ("finished", 5, 5)
    assert await rows(services) == first
    assert {file: file.stat().st_size for file in services.archive_folder.rglob("*.warc.gz")} == sizes


async def test_a_comparison_says_what_would_change_and_writes_nothing(services, tmp_path):
    page = tmp_path / "saved.html"
    page.write_text(saved("Die Brücke wird erneuert"))
    before = await compare(services, [page], url="https://www.blatt.example/bruecke", fetched_at=FETCHED)
    assert [(one.ending, one.changes) for one in before] == [("new", {})]
    assert await rows(services) == []
    await runs.replay(services, [page], url="https://www.blatt.example/bruecke", fetched_at=FETCHED)
    page.write_text(saved("Die Brücke wird doch nicht erneuert"))
    (after,) = await compare(services, [page], url="https://www.blatt.example/bruecke", fetched_at=FETCHED)
    assert after.ending == "new_version"
    assert after.changes["title"] == ("Die Brücke wird erneuert", "Die Brücke wird doch nicht erneuert")
    assert len(await rows(services)) == 1


async def test_what_has_not_changed_has_no_differences(services):
    await runs.replay(services, [SEEDS], fetched_at=FETCHED)
    found = await compare(services, [SEEDS], fetched_at=FETCHED)
    assert [(one.ending, one.changes) for one in found] == [("unchanged", {})] * 5


async def test_a_saved_page_belongs_to_the_source_with_its_host(services, tmp_path):
    page = tmp_path / "saved.html"
    page.write_text(saved("Die Brücke", '<link rel="canonical" href="https://www.blatt.example/bruecke">'))
    await runs.replay(services, [page], fetched_at=FETCHED)
    (row,) = await rows(services)
    assert (row["source"], row["url"]) == ("blatt", "https://www.blatt.example/bruecke")


@pytest.mark.parametrize(
    ("name", "data"),
    [("leer.txt", b""), ("bild.html", b"\x89PNG\r\n\x1a\n" + bytes(1000)), ("kaputt.warc.gz", b"\x1f\x8b\x08garbage")],
)
async def test_a_file_that_is_no_page_is_named_and_the_rest_goes_on(services, tmp_path, name, data):
    (tmp_path / "seiten").mkdir()
    (tmp_path / "seiten" / name).write_bytes(data)
    (tmp_path / "seiten" / "z.txt").write_bytes(seed_files()[0].read_bytes())
    report = await runs.replay(services, [tmp_path / "seiten"], fetched_at=FETCHED)
    assert (report.counts.found, report.counts.new, report.counts.rejected) == (2, 1, 1)


async def test_progress_is_told_for_every_page(services):
    told = []
    await runs.replay(services, [SEEDS], fetched_at=FETCHED, progress=lambda url, ending: told.append(ending.kind))
    assert told == ["new"] * 5


def test_lists_and_tuples_are_no_difference():
    article = type("Article", (), {name: None for name in columns.COMPARED})()
    article.authors, article.title, article.published_at = ("Anna",), "A", FETCHED
    stored = {"authors": ["Anna"], "title": "A", "published_at": FETCHED, "teaser": None}
    assert differences(stored, article) == {}
    assert differences(stored | {"title": "B"}, article) == {"title": ("B", "A")}


def saved(title: str, head: str = "") -> str:
    words = "Der Gemeinderat hat am Abend nach langer Debatte beschlossen, die alte Brücke zu erneuern. " * 3
    return (
        f'<!DOCTYPE html><html lang="de"><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1>'
        f"<p>20.11.2025</p><p>{words}</p><p>Im Frühjahr soll es losgehen. {words}</p></article></body></html>"
    )
