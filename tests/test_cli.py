"""The command line: what people and programs see, and exit codes that tell the truth."""

from __future__ import annotations

import gzip
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from crawler import config, fixture_sites, single_fetch
from crawler.cli import app, common
from crawler.cli.common import Exit
from crawler.downloader.errors import failure_reason
from pipelines.columns import FIRST as NAMES
from pipelines.items import Reason
from tests.in_a_thread import served_in_a_thread

ROOT = Path(__file__).parent.parent
PAGES = Path(__file__).parent / "pages"
SEEDS = Path(__file__).parent / "seeds"
SEED = SEEDS / "002_5c7e416d52d9e0fc.txt"
TOGETHER = ("new", "new_version", "unchanged", "copy", "rejected", "pending")

ARTICLE = """<html lang="de"><head><title>Rat beschließt den Haushalt</title>
<link rel="canonical" href="https://news.example/rat"></head><body><article><h1>Rat beschließt den Haushalt</h1>
<p>Der Rat der Stadt hat am Montag den Haushalt für das kommende Jahr beschlossen und dabei vieles gestrichen.</p>
<p>Die Opposition kritisierte, dass vor allem bei den Büchereien gespart werde, und kündigte eine Klage dagegen an.</p>
<p>Der Kämmerer verteidigte die Entscheidung: Ohne sie wäre die Stadt im Herbst nicht mehr zahlungsfähig gewesen.</p>
</article></body></html>"""


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """Commands set up logging for a process of their own; here it is put back."""
    root, debug = logging.getLogger(), common.Options.debug
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    common.Options.debug = debug


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, a configuration without sources, no database."""
    (tmp_path / "config" / "sources").mkdir(parents=True)
    settings = '[politeness]\ndelay = "0 seconds"\njitter = "0 seconds"\n[crawl]\nreaders = 1\n'
    (tmp_path / "config" / "settings.toml").write_text(settings)
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NACHLESE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("NACHLESE_DATABASE_URL", "postgresql://reader:geheim@127.0.0.1:1/none")
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def stored(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a database."""
    dsn = psycopg.conninfo.conninfo_to_dict(database_url)
    monkeypatch.setenv("NACHLESE_DATABASE_URL", psycopg.conninfo.make_conninfo("", **dsn))
    return home


@pytest.fixture
def sites(stored: Path) -> Iterator[fixture_sites.Sites]:
    """The fixture sites, served by a thread of their own, as sources of the configuration."""
    with served_in_a_thread(fixture_sites.serve(PAGES)) as served:
        served.write_sources(stored / "config" / "sources")
        yield served


def nachlese(*arguments: str | Path, code: int = 0, stdin: bytes | None = None):
    """Run a command; its result has ``stdout`` and ``stderr``."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    return result


def records(result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# --- reading one page ------------------------------------------------------------------------------------------------


def test_read_shows_the_article_and_nothing_is_stored(home: Path):
    (home / "rat.html").write_text(ARTICLE, "utf-8")
    shown = nachlese("read", home / "rat.html").stdout
    assert "title      Rat beschließt den Haushalt" in shown
    assert "https://news.example/rat" in shown
    assert "Der Rat der Stadt" in shown


def test_read_as_json_has_the_promised_names_in_their_order(home: Path):
    read = nachlese("read", SEED, "--fetched-at", "2025-12-03T18:00:00+01:00", "--json")
    [record] = records(read)
    assert tuple(record)[: len(NAMES)] == NAMES
    assert record["published_at"] == "2025-12-03T16:36:00+01:00"
    assert (record["published_precision"], record["copy_of"], record["version"]) == ("minute", None, None)
    assert record["authors"] == [] and record["details"] == {}
    assert "removed" not in record


def test_why_shows_where_times_come_from_and_what_was_stripped(home: Path):
    arguments = ("read", SEED, "--fetched-at", "2025-12-03T18:00:00+01:00", "--why")
    shown = nachlese(*arguments).stdout
    assert "(to the minute, from text)" in shown
    assert "12 mal gelesen" in shown.split("stripped:")[1]
    [record] = records(nachlese(*arguments, "--json"))
    assert any("12 mal gelesen" in piece["text"] for piece in record["removed"])


def test_why_shows_what_each_place_of_a_page_says(home: Path):
    (home / "rat.html").write_text(ARTICLE, "utf-8")
    shown = nachlese("read", home / "rat.html", "--why").stdout
    said = shown.split("what the page says")[1]
    assert any(line.startswith("  = title") and "Rat beschließt den Haushalt" in line for line in said.split("\n"))


def test_read_takes_standard_input(home: Path):
    [html] = records(nachlese("read", "-", "--json", stdin=ARTICLE.encode()))
    assert html["title"] == "Rat beschließt den Haushalt"
    [text] = records(nachlese("read", "-", "--json", "--fetched-at", "2025-12-03", stdin=SEED.read_bytes()))
    assert text["title"].startswith("Rutte setzt")


def test_a_url_and_a_source_for_a_file_that_does_not_tell_them(home: Path):
    source = 'title = "Probe"\nhomepage = "https://probe.example/"\n[discover]\nfeeds = ["https://probe.example/f"]\n'
    (home / "config" / "sources" / "probe.toml").write_text(source)
    (home / "rat.html").write_text(ARTICLE.replace("news.example", "probe.example"), "utf-8")
    [record] = records(nachlese("read", home / "rat.html", "--json"))
    assert (record["source"], record["url"]) == ("probe", "https://probe.example/rat")
    [record] = records(nachlese("read", SEED, "--url", "https://other.example/x", "--source", "probe", "--json"))
    assert (record["source"], record["url"]) == ("probe", "https://other.example/x")


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("empty.html", b"", "empty"),
        ("binary.html", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "binary"),
        ("huge.html", b"<html>" + b"x" * 10_000_001, "too_large"),
    ],
)
def test_a_page_that_is_no_article_has_its_reason_and_exit_code_1(
    home: Path, name: str, body: bytes, reason: str | None
):
    (home / name).write_bytes(body)
    result = nachlese("read", home / name, "--json", code=Exit.NOT_ALL)
    assert [record["rejected"] for record in records(result)] == [reason]
    assert "no article" in nachlese("read", home / name, code=Exit.NOT_ALL).stdout


def test_a_warc_file_without_a_page_is_exit_code_1(home: Path):
    empty = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    (home / "x.warc.gz").write_bytes(gzip.compress(empty))
    assert "no page in it" in nachlese("read", home / "x.warc.gz", code=Exit.NOT_ALL).stderr
    (home / "x.warc.gz").write_bytes(gzip.compress(empty)[:-20])
    assert "truncated" in nachlese("read", home / "x.warc.gz", code=Exit.NOT_ALL).stdout


def test_read_an_address_asks_once_and_obeys_the_guard(sites):
    path = "/artikel/81234-rutte-setzt-weiterhin-auf-druck.html"
    [record] = records(nachlese("read", sites.url("kurier24", path), "--json"))
    assert (record["source"], record["title"][:5]) == ("kurier24", "Rutte")
    assert len(sites.asked("kurier24", path)) == 1
    [refused] = records(nachlese("read", "http://127.0.0.1:9/x", "--json", code=Exit.NOT_ALL))
    assert refused["rejected"] == "blocked_address"


def test_an_address_of_which_no_request_can_be_made_is_a_bad_url(home: Path):
    for address in ("http://[::1", "http://a.example:99999/", "http:// "):
        [refused] = records(nachlese("read", address, "--json", code=Exit.NOT_ALL))
        assert refused["rejected"] == "bad_url", address
    for address in ("not-a-url", "http://[::1", "mailto:x@a.example", ""):
        [tried] = records(nachlese("try", address, "--json", code=Exit.NOT_ALL))
        assert tried["before"] == tried["now"] == {"rejected": "bad_url"}, address
    (home / "rat.html").write_text(ARTICLE, "utf-8")
    assert "Rat beschließt" in nachlese("read", home / "rat.html", "--url", "http://[::1").stdout


async def test_one_such_address_costs_the_others_nothing(sites):
    there = sites.url("kurier24", "/artikel/81234-rutte-setzt-weiterhin-auf-druck.html")
    configured = config.load()
    wanted = [("page", "not-a-url"), ("page", there), ("feed", "http://[")]
    async with single_fetch.looking(configured) as services:
        found = single_fetch.fetched(services, configured.sources["kurier24"], wanted)
        results = {url: (kind, result) async for kind, url, result in found}
    assert results[there][1].status == 200
    for kind, url in (wanted[0], wanted[2]):
        assert results[url][0] == kind and failure_reason(results[url][1]).reason is Reason.BAD_URL


def test_no_title_can_write_to_the_terminal(home: Path):
    (home / "x.html").write_text(ARTICLE.replace("Rat beschließt", "Rat \x1b[31mbe\x9bschließt"), "utf-8")
    assert "\x1b" not in nachlese("read", home / "x.html").stdout


# --- gathering -------------------------------------------------------------------------------------------------------


def test_a_crawl_counts_every_page_once_and_a_second_one_asks_for_no_article(sites, sql_rows):
    result = nachlese("crawl", "--json")
    reports = {record["source"]: record for record in records(result)}
    assert set(reports) == set(sites)
    for report in reports.values():
        assert report["found"] == sum(report[name] for name in TOGETHER) > 0
        assert (report["outcome"], report["pending"]) == ("finished", 0)
    asked = len([one for one in sites.log if one.path.endswith(".html")])
    again = nachlese("crawl")
    assert "boersenlage" in again.stdout and "source" in again.stdout
    assert len([one for one in sites.log if one.path.endswith(".html")]) == asked

    listed = records(nachlese("articles", "list", "--json", "--limit", "0"))
    assert len(listed) == sql_rows("SELECT count(*) FROM news.articles")[0][0]
    assert all(tuple(record)[: len(NAMES)] == NAMES for record in listed)
    assert {record["published_at"][-6:] for record in listed if record["published_at"]} <= {
        "+01:00",
        "+02:00",
        "+00:00",
    }
    one = listed[0]
    assert one["title"][:20] in nachlese("articles", "list").stdout
    assert one["text"][:40] in nachlese("articles", "show", one["url"]).stdout
    [shown] = records(nachlese("articles", "show", str(one["id"]), "--json"))
    assert shown["url"] == one["url"]
    story = nachlese("explain", one["url"]).stdout
    assert "found" in story and "archived" in story
    [told] = records(nachlese("explain", one["url"], "--json"))
    assert told["article"]["id"] == one["id"]
    assert "boersenlage" in nachlese("status").stdout
    kinds = {record["kind"] for record in records(nachlese("status", "--json"))}
    assert kinds == {"source", "run"}


def test_a_source_that_cannot_be_looked_at_is_exit_code_1(sites):
    for path in ("/feed.rdf", "/robots.txt"):
        sites.gone("kurier24", path)
    assert "kurier24 failed" in nachlese("crawl", "kurier24", code=Exit.NOT_ALL).stdout


def test_seeds_are_replayed_once_and_the_same_seeds_again_change_nothing(stored: Path):
    arguments = ("replay", SEEDS, "--fetched-at", "2025-12-03T18:00:00+01:00", "--json")
    [first] = records(nachlese(*arguments))
    assert (first["found"], first["new"], first["pending"]) == (5, 5, 0)
    [second] = records(nachlese(*arguments))
    assert (second["found"], second["unchanged"]) == (5, 5)


def test_diff_says_what_would_change_and_writes_nothing(stored: Path, sql_rows):
    shown = nachlese("replay", SEEDS, "--diff", "--fetched-at", "2025-12-03T18:00:00+01:00").stdout
    assert "5 pages would end: 5 new" in shown
    assert sql_rows("SELECT count(*) FROM ingest.articles") == [(0,)]
    compared = records(nachlese("replay", SEEDS, "--diff", "--json"))
    assert [record["ending"] for record in compared] == ["new"] * 5


def test_the_archive_is_replayed_without_writing_it_again(stored: Path):
    (stored / "rat.html").write_text(ARTICLE, "utf-8")
    nachlese("replay", stored / "rat.html")
    files = {file: file.stat().st_size for file in (stored / "home" / "archive").rglob("*.warc.gz")}
    assert files
    [report] = records(nachlese("replay", "--archive", "--json"))
    assert (report["found"], report["unchanged"]) == (1, 1)
    assert {file: file.stat().st_size for file in (stored / "home" / "archive").rglob("*.warc.gz")} == files
    [report] = records(nachlese("replay", "--archive", "--json", "--since", "2999-01-01"))
    assert report["found"] == 0


# --- keeping house ---------------------------------------------------------------------------------------------------


def test_sources_are_listed_and_checked(sites):
    assert "kurier24" in nachlese("sources", "list").stdout
    names = [record["name"] for record in records(nachlese("sources", "list", "--json"))]
    assert names == sorted(sites)
    assert "5 source files" in nachlese("sources", "check").stdout
    looks = records(nachlese("sources", "check", "--fetch", "kurier24", "--json"))
    assert [(look["kind"], look["error"]) for look in looks] == [("feed", None)]
    assert looks[0]["links"]
    sites.gone("kurier24", "/feed.rdf")
    assert "gone" in nachlese("sources", "check", "--fetch", "kurier24", code=Exit.NOT_ALL).stdout


def test_a_mistake_in_a_source_file_stops_everything_before_it_starts(home: Path):
    (home / "config" / "sources" / "probe.toml").write_text('titel = "Probe"\nhomepage = "https://probe.example/"\n')
    for command in (("sources", "check"), ("crawl",), ("read", SEED), ("status",)):
        said = nachlese(*command, code=Exit.USAGE).stderr
        assert "probe.toml" in said and "titel" in said and "title" in said


def test_the_database_can_be_asked_and_not_changed(stored: Path):
    assert nachlese("db", "migrate").stdout == "tables and views are up to date\n"
    assert records(nachlese("db", "query", "SELECT 1 AS one, now() AS at", "--json"))[0]["one"] == 1
    assert "0 rows" in nachlese("db", "query", "SELECT * FROM news.articles").stdout
    wide = nachlese("db", "query", "SELECT repeat('Wort ', 60) AS a, repeat('x', 300) AS b").stdout.splitlines()
    assert len(wide) == 3 and wide[1].split() == ["Wort"] * 60 + ["x" * 300]  # a row is a line, however wide
    (sizes,) = records(nachlese("db", "size", "--json"))
    assert {row["name"] for row in sizes["tables"]} > {"articles", "versions"}
    assert sizes["archive"] == {"files": 0, "bytes": 0}
    assert "the whole database:" in nachlese("db", "size").stdout
    (pruned,) = records(nachlese("db", "prune", "--dry-run", "--json"))
    kinds = ("attempts", "run_pages", "runs", "observations", "versions", "archive_files")
    assert pruned == {"dry_run": True, **dict.fromkeys(kinds, 0)}
    assert "0 old wordings" in nachlese("db", "prune").stdout
    refused = nachlese("db", "query", "DELETE FROM ingest.articles", code=Exit.USAGE)
    assert "this is read-only" in refused.stderr


def test_a_database_that_does_not_answer_is_exit_code_3_and_its_password_stays_secret(home: Path, monkeypatch):
    monkeypatch.setattr(common, "PATIENCE", timedelta(milliseconds=50))
    assert nachlese("db", "url").stdout == "postgresql://reader@127.0.0.1:1/none\n"
    for command in (("db", "query", "SELECT 1"), ("status",), ("articles", "list"), ("replay", SEED)):
        result = nachlese(*command, code=Exit.DATABASE)
        assert "127.0.0.1:1/none does not answer" in result.stderr
        assert "geheim" not in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("crawl", "nichts"), "there is no source 'nichts'"),
        (("crawl",), "no source"),
        (("read", "/nothing/here.html"), "there is no such file"),
        (("read", str(SEED), "--fetched-at", "gestern"), "is not a time"),
        (("read", str(SEED), "--source", "nichts"), "there is no source"),
        (("replay",), "say what to replay"),
        (("replay", "/nothing/here"), "there is no"),
        (("replay", "--archive", str(SEED)), "say what to replay"),
        (("replay", str(SEED), "--queue"), "--queue goes with --archive"),
        (("replay", "--archive", "--diff", "--queue"), "--diff and --queue exclude each other"),
        (("replay", str(SEED), "--again"), "--again goes with --archive"),
        (("replay", "--archive", "--fetched-at", "2026-03-01"), "--fetched-at goes with files"),
        (("frobnicate",), "No such command"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2_and_one_sentence(home: Path, arguments: tuple[str, ...], says: str):
    said = nachlese(*arguments, code=Exit.USAGE).stderr
    assert says in said
    assert "Traceback" not in said


def test_an_export_into_a_folder_that_is_not_there_names_the_file_that_was_asked_for(stored: Path):
    file = stored / "nowhere" / "articles.csv"
    assert nachlese("export", file, code=1).stderr == f"nachlese: {file}: No such file or directory\n"


def test_a_list_without_articles_says_whether_there_are_any(stored: Path):
    assert nachlese("articles", "list").stdout == "no articles yet: nachlese crawl brings some\n"
    assert nachlese("articles", "list", "--since", "2025-01-01").stdout == "no such articles\n"


def test_what_is_not_there_is_exit_code_1(stored: Path):
    assert "no stored article" in nachlese("articles", "show", "77", code=Exit.NOT_ALL).stderr
    assert "nobody has seen" in nachlese("explain", "https://news.example/x", code=Exit.NOT_ALL).stderr


def test_an_unexpected_mistake_is_one_sentence_unless_debugged(home: Path, monkeypatch: pytest.MonkeyPatch):
    (home / "rat.html").write_text(ARTICLE, "utf-8")
    monkeypatch.setenv("TZ", "UTC")
    (home / "config" / "settings.toml").unlink()
    (home / "config" / "settings.toml").mkdir()
    said = nachlese("read", home / "rat.html", code=Exit.USAGE).stderr
    assert "settings.toml" in said


# --- as a process ----------------------------------------------------------------------------------------------------


def test_a_reader_that_has_had_enough_is_no_error(home: Path):
    code = (
        "from crawler.cli.common import told, print_json\n"
        "with told():\n    while True: print_json({'line': 'x' * 1000})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == Exit.WELL


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_where_not_every_character_can_be_written_nothing_fails_and_json_is_whole(home: Path, encoding: str):
    title = "Łódź – „Rat“ \U0001f600"
    page = home / "page.html"
    page.write_text(ARTICLE.replace("Rat beschließt den Haushalt", title), encoding="utf-8")
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"}
    command = [sys.executable, "-m", "crawler.cli", "read", str(page)]
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert title.encode(encoding, "replace") in shown.stdout
    told = subprocess.run([*command, "--json"], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert json.loads(told.stdout.decode(encoding))["title"] == title


def test_output_that_cannot_be_written_is_no_internal_error(home: Path):
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "crawler.cli", "sources", "check"]
        ended = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == Exit.NOT_ALL
    assert ended.stderr == b"nachlese: No space left on device\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_so(home: Path, number: signal.Signals):
    # tests that a shell started in the background would ignore SIGINT, and so would the process here
    code = (
        "import asyncio, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from crawler.cli.common import told, run\n"
        "async def wait():\n    print('ready', flush=True)\n    await asyncio.Event().wait()\n"
        "with told():\n    run(wait())"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.send_signal(number)
        assert process.stderr.read() == b"nachlese: interrupted\n"
    assert process.returncode == Exit.INTERRUPTED


def test_version_and_help():
    assert nachlese("--version").stdout.startswith("nachlese 0.")
    shown = nachlese("--help").stdout
    for name in ("demo", "crawl", "schedule", "replay", "read", "status", "explain", "articles", "sources", "db"):
        assert name in shown


# --- hosts and patterns ----------------------------------------------------------------------------------------------


def test_hosts_shows_who_is_left_alone_and_ends_it(home, database_url, sql_rows, monkeypatch):
    monkeypatch.setenv("NACHLESE_DATABASE_URL", database_url)
    assert "no host is left alone" in nachlese("hosts").stdout
    for host, source in (("a.example", ""), ("b.example:8080", "blatt")):
        sql_rows(f"""INSERT INTO ingest.host_rests (host, source, not_before, why)
                     VALUES ('{host}', '{source}', now() + interval '1 hour', 'it answered 429') RETURNING 1""")
    sql_rows("INSERT INTO ingest.sources (name, title, homepage, time_zone) "
             "VALUES ('blatt', 'B', 'https://b.example', 'UTC') RETURNING 1")  # fmt: skip
    for number, url in enumerate(("http://b.example:8080/1", "http://b.example/2")):
        sql_rows(f"""INSERT INTO ingest.pages (source, url_key, url, next_attempt_at)
                     VALUES ('blatt', '{number}', '{url}', now() + interval '1 hour') RETURNING 1""")
    shown = nachlese("hosts").stdout
    assert "every source" in shown and "b.example:8080" in shown and "it answered 429" in shown
    nachlese("hosts", "c.example", code=Exit.NOT_ALL)
    assert nachlese("hosts", "--lift", "b.example:8080").stdout == "1 rest lifted\n"
    assert sql_rows("SELECT url FROM ingest.pages WHERE next_attempt_at <= now()") == [("http://b.example:8080/1",)]
    (left,) = records(nachlese("hosts", "--json"))
    assert (left["host"], left["source"], left["lifted"]) == ("a.example", None, False)
    nachlese("hosts", "--lift")
    assert "no host is left alone" in nachlese("hosts").stdout


def test_check_names_a_dangerous_pattern(home):
    (home / "config" / "sources" / "blatt.toml").write_text(
        'title = "B"\nhomepage = "https://b.example/"\n[discover]\nfeeds = ["https://b.example/f"]\n'
        "[discover.links]\nallow = ['/\\d+$', '/(\\w+-?)+\\.html$']\n[read]\nphrases = ['(a+)+b']\n"
    )
    checked = nachlese("sources", "check", "--json")
    (record,) = records(checked)
    assert record["valid"]
    keys = [warning.partition(":")[0] for warning in record["warnings"]]
    assert keys == ["discover.links.allow[2]", "read.phrases[1]"]
    assert "(\\w+-?)+" in nachlese("sources", "check").stdout
