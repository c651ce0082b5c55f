"""A command that only looks loads neither the reader nor the crawler: shown by what is loaded, not by a clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from crawler import parsing
from crawler.cli import COMMANDS, GROUPS, application, wanted
from pipelines.reader_protocol import READ

#: what takes long to load, or belongs to reading, fetching and scheduling
HEAVY = (
    "trafilatura", "htmldate", "justext", "courlan", "dateparser", "langdetect", "lxml", "scrapy", "twisted", "parsel",
    "cssselect", "apscheduler", "aiohttp", "tldextract", "requests", "feedparser", "warcio", "regex", "re2", "rensa",
    "psutil", "starlette", "jinja2", "mcp", "pipelines.reading.reader", "pipelines.store.store",
    "pipelines.store.retention",
)  # fmt: skip
LOOKING = (
    ["--help"], ["sources", "list"], ["watch", "list"], ["status", "--runs", "3"], ["articles", "list"],
    ["articles", "search", "Berlin"], ["explain", "https://example.org/a"], ["hosts"], ["db", "query", "SELECT 1"],
    ["db", "url"], ["db", "size"], ["health"], ["health", "--all", "--json"],
)  # fmt: skip
# All in one process, one after the other: what the first one loads, the next ones would be blamed for.
PROBE = """
import json, sys
from crawler.cli import app
heavy, commands = json.loads(sys.argv[1])
for command in commands:
    try:
        app(command)
    except SystemExit as end:
        loaded = [name for name in heavy if name in sys.modules]
        print(json.dumps([command, end.code, loaded]), file=sys.stderr)
"""


@pytest.fixture
def looked(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], int, list]]:
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path))
    monkeypatch.setenv("NACHLESE_DATABASE_URL", database_url)
    told = json.dumps([HEAVY, LOOKING])
    done = subprocess.run([sys.executable, "-c", PROBE, told], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[[")]


def test_a_command_that_only_looks_loads_nothing_that_reads_or_fetches(looked):
    assert [command for command, _, _ in looked] == [list(command) for command in LOOKING]
    for command, code, loaded in looked:
        assert not loaded, f"nachlese {' '.join(command)} loads {', '.join(loaded)}"
        assert code in (0, 1), command  # 1: nobody has seen the page


READING = (
    ["crawl"],
    ["replay", "--archive"],
    ["backfill", "old.warc.gz"],
    ["backfill", "cc-news", "--from", "2025-01"],
)
AT_LAUNCH = """
import json, os, sys
from crawler.cli import app
heavy, command = json.loads(sys.argv[1])

def look(event, arguments):
    if event == "subprocess.Popen" and "run_early_forkserver" in str(arguments):
        print(json.dumps([name for name in heavy if name in sys.modules]), flush=True)
        os._exit(0)

sys.addaudithook(look)
app(command)
"""


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_what_forks_readers_is_started_before_anything_heavy_is_loaded(command, tmp_path, monkeypatch):
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path))
    told = json.dumps([HEAVY, command])
    done = subprocess.run([sys.executable, "-c", AT_LAUNCH, told], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [], done.stderr


def test_a_mistake_in_an_own_phrase_file_is_seen_by_a_command_that_only_looks(tmp_path: Path, monkeypatch):
    from crawler import config

    (tmp_path / "sources").mkdir()
    (tmp_path / "boilerplate").mkdir()
    assert config.load(tmp_path, is_reading=False).phrases == {}
    (tmp_path / "boilerplate" / "de.toml").write_text('language = "de"\n[related]\nopens = ["(offen"]\n')
    with pytest.raises(config.ConfigError, match="expected a regular expression"):
        config.load(tmp_path, is_reading=False)


def test_of_the_command_line_only_the_wanted_command_is_made():
    assert wanted(["--debug", "status", "--json"]) == "status"
    assert wanted(["articles", "list"]) == "articles"
    assert [wanted(arguments) for arguments in ([], ["--help"], ["-h", "status"], ["statsu"])] == [None] * 4
    whole = typer.main.get_group(application()).commands
    assert list(whole) == [*COMMANDS, *GROUPS]
    for name in whole:
        assert list(typer.main.get_group(application(name)).commands) == [name]


TASKS = """
import json, sys
from pipelines import reader_process
reader_process._imported(sys.argv[1].encode())
print(json.dumps(sorted(name for name in json.loads(sys.argv[2]) if name in sys.modules)))
"""
#: of what readers have no need, or of so little that it waits for the page that has
NOT_IN_READERS = (
    "psycopg", "psycopg_pool", "scrapy", "aiohttp", "apscheduler", "asyncio", "parsel", "pydantic", "crawler.config",
    "pipelines.store.store", "dateparser", "crawler.probing", "crawler.archive_lists", "cssselect",
)  # fmt: skip


def test_a_process_that_forks_readers_loads_neither_the_database_nor_the_configuration():
    told = json.dumps({"path": sys.path, "functions": [READ, *(task.function for task in parsing.TASKS)]})
    command = [sys.executable, "-c", TASKS, told, json.dumps(NOT_IN_READERS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


LOADED_BY_A_CRAWL = """
import sys
import crawler.runs, crawler.settings
from scrapy.utils.misc import load_object
for name, value in vars(crawler.settings).items():
    if name.startswith(("DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "EXTENSIONS", "ITEM_PIPELINES")):
        for component in value:
            load_object(component)
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""


def test_a_crawl_loads_before_its_first_page_nothing_that_few_pages_need():
    """A list of public suffixes with its HTTP client comes with the first cookie, metrics with who wants them."""
    rare = ("tldextract", "requests", "urllib3", "prometheus_client", "psutil", "trafilatura")
    done = subprocess.run([sys.executable, "-c", LOADED_BY_A_CRAWL, *rare], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_replay_loads_nothing_that_looks_for_pages(database_url: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path))
    monkeypatch.setenv("NACHLESE_DATABASE_URL", database_url)
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # both processes name what they load
    seed = next((Path(__file__).parent / "seeds").glob("*.txt"))
    command = [sys.executable, "-m", "crawler.cli", "replay", str(seed), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "trafilatura" in loaded
    assert loaded.isdisjoint({"crawler.discovery.document", "feedparser"})
