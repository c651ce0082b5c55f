"""The seeds through the command line into the tables that people use: stories, search, watchlists, exports."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import feedparser

from crawler.cli.common import Exit
from tests.test_cli import SEEDS, home, nachlese, records, stored, untouched_logging  # noqa: F401
from tests.test_stories import EXPECTED_STORIES


def write_source(folder: Path, name: str) -> None:
    text = (
        f'title = "{name}"\nhomepage = "https://{name}.example/"\n[discover]\nfeeds = ["https://{name}.example/rss"]\n'
    )
    (folder / "config" / "sources" / f"{name}.toml").write_text(text)


REPLAY = ("replay", SEEDS, "--fetched-at", "2025-12-03T18:00:00+01:00", "--json")


def test_a_replay_of_the_seeds_groups_searches_matches_and_exports(stored: Path, sql_rows):  # noqa: F811
    (stored / "config" / "watch").mkdir()
    (stored / "config" / "watch" / "nato.toml").write_text('title = "NATO"\nwords = ["Sabotage"]\n')
    nachlese(*REPLAY)
    groups = sql_rows(
        "SELECT array_agg(regexp_replace(canonical_url, '.*/', '') ORDER BY regexp_replace(canonical_url, '.*/', '')) "
        "FROM news.story_articles GROUP BY story_id"
    )
    assert sorted(row[0] for row in groups) == sorted(sorted(group) for group in EXPECTED_STORIES)

    found = records(nachlese("articles", "search", "rutte ukraine -hegseth", "--lang", "de", "--json"))
    assert 3 <= len(found) <= 4 and all("«" in one["snippet"] for one in found)
    assert found[0]["title"] in nachlese("articles", "search", "rutte ukraine -hegseth", "--limit", "1").stdout
    assert "nothing found" in nachlese("articles", "search", "kartoffelsalat").stdout

    assert [one["name"] for one in records(nachlese("watch", "list", "--json"))] == ["nato"]
    assert "Sabotage" in nachlese("watch", "list").stdout
    nachlese("watch", "tell")
    feed = feedparser.parse((stored / "home" / "feeds" / "nato.atom").read_bytes())
    matches = sql_rows("SELECT title FROM news.matches ORDER BY id DESC")
    assert [entry.title for entry in feed.entries] == [row[0] for row in matches] != []

    file = stored / "out.csv"
    assert "5 articles written" in nachlese("export", file).stderr
    with file.open(encoding="utf-8-sig", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == 5
    lines = nachlese("export", "-", "--format", "jsonl", "--watch", "nato", "--since", "2025-12-01").stdout.splitlines()
    assert sorted(json.loads(line)["title"] for line in lines) == sorted(row[0] for row in matches)
    nachlese("export", stored / "out.parquet", "--source", "replay", "--until", "2025-12-03", "--no-copies")


def test_what_cannot_be_done_is_said(stored: Path):  # noqa: F811
    assert "tells no format" in nachlese("export", stored / "out.xlsx", code=Exit.USAGE).stderr
    assert "no watchlists" in nachlese("watch", "tell", code=Exit.USAGE).stderr
    (stored / "config" / "watch").mkdir()
    (stored / "config" / "watch" / "nato.toml").write_text('title = "NATO"\nwort = ["Sabotage"]\n')
    assert "did you mean 'words'" in nachlese("watch", "list", code=Exit.USAGE).stderr


def test_a_name_that_nobody_knows_is_a_mistake_and_no_empty_file(stored: Path, sql_rows):  # noqa: F811
    nachlese(*REPLAY)
    write_source(stored, "zeitung")
    file = stored / "out.jsonl"
    nachlese("export", file, "--source", "replay")
    before = file.read_bytes()
    for command in (("export", file), ("articles", "list"), ("articles", "search", "rutte")):
        said = nachlese(*command, "--source", "zeitnug", code=Exit.USAGE).stderr
        assert "there is no source 'zeitnug'; did you mean 'zeitung'?" in said
        nachlese(*command, "--source", "replay")
    assert "there is no watchlist 'nato'" in nachlese("export", file, "--watch", "nato", code=Exit.USAGE).stderr
    assert file.read_bytes() == before
    assert "0 articles written" in nachlese("export", file, "--source", "zeitung").stderr  # it has not run yet
    sql_rows("INSERT INTO ingest.watches VALUES ('nato', 'NATO', 'nato', '', '{}', '{}', false) RETURNING 1")
    nachlese("export", file, "--watch", "nato")  # its file is gone


def test_what_a_stranger_wrote_stands_in_a_table_as_it_is(stored: Path):  # noqa: F811
    title = "So [/b] und [bold]so :cat:"
    nachlese("db", "migrate")
    shown = nachlese("db", "query", f"SELECT '{title}' AS \"[/titel]>\"").stdout
    assert title in shown and "[/titel]>" in shown
    (stored / "config" / "watch").mkdir()
    (stored / "config" / "watch" / "nato.toml").write_text(f'title = "{title}"\nwords = ["Sabotage"]\n')
    assert title in nachlese("watch", "list").stdout
