"""A log line is one line, whoever wrote part of it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

from crawler.logs import JsonLine, OneLine, crawl_known, note_run

FORGED = "Titel\n2026-01-01 00:00:00 info    all is well\r\x1b[2K\u2028\x85\x0bEnde"


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_no_log_line_can_be_forged(level, caplog):
    caplog.set_level(level)
    try:
        raise ValueError(FORGED)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "page %s", (FORGED,), sys.exc_info())
    first, *more = OneLine().format(record).split("\n")
    assert first.isprintable()
    assert "Titel" in first and "Ende" in first
    assert all(line.startswith("    | ") and line.isprintable() for line in more)
    assert bool(more) == (level == logging.DEBUG)


@pytest.mark.parametrize("address", [
    "https://ada:geheim@a.example/x?y=1", "postgresql://ada:geheim@db:5432/n", "http://geheim@a.example",
    "HTTPS://ada:geheim@mit@a.example/", "ftp://a:geheim@[::1]/",
])  # fmt: skip
def test_no_password_of_an_address_is_logged(address: str):
    record = logging.LogRecord("crawler", logging.INFO, "", 0, "asked for %s, and mail@b.example/c@d", (address,), None)
    line = OneLine().format(record)
    assert "geheim" not in line and "***@" in line and line.endswith("mail@b.example/c@d")


def test_a_line_in_json_is_one_object_that_nobody_can_forge():
    try:
        raise ValueError(FORGED)
    except ValueError:
        text = "page %s of https://ada:geheim@a.example/ \ud800"
        record = logging.LogRecord("crawler.x", logging.WARNING, "x.py", 1, text, (FORGED,), sys.exc_info())
    line = JsonLine().format(record)
    found = json.loads(line)
    assert line.isascii() and line.isprintable() and "geheim" not in line
    assert (found["level"], found["logger"], found["process"]) == ("warning", "crawler.x", os.getpid())
    assert FORGED in found["message"] and found["time"].endswith("+00:00")
    assert found["traceback"].startswith("Traceback") and "ValueError" in found["traceback"]


SAYS = """
import logging, os, sys
from crawler.cli.common import start_logging
if sys.argv[2] == "journal":  # as systemd does it for what it starts
    found = os.fstat(2)
    os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
start_logging("INFO", form=sys.argv[1])
logging.getLogger("crawler").warning("one")
logging.getLogger("pipelines").info("two")
"""


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("to", ["journal", "elsewhere"])
def test_the_journal_is_told_the_level_of_each_line(form: str, to: str):
    environment = os.environ | {"JOURNAL_STREAM": "1:1"}  # of the one that started us; not what is connected here
    command = [sys.executable, "-c", SAYS, form, to]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr.splitlines()
    if to == "journal":
        assert [line[:3] for line in said] == ["<4>", "<6>"]
        said = [line[3:] for line in said]
    messages = [json.loads(line)["message"] for line in said] if form == "json" else [line[-3:] for line in said]
    assert messages == ["one", "two"]


def test_a_line_in_json_says_which_crawl_and_which_address_it_is_about():
    record = logging.LogRecord("crawler", logging.WARNING, "", 0, "%s: %s", ("https://a:b@x.example/y", "slow"), None)
    with crawl_known(source="blatt", slot=None):
        note_run(7)
        found = json.loads(JsonLine().format(record))
    assert (found["source"], found["run"], found["url"]) == ("blatt", 7, "https://***@x.example/y")
    assert not {"source", "run", "slot"} & set(json.loads(JsonLine().format(record)))
    note_run(8)  # of no crawl: nothing to say


CRAWLS = """
import json, os, sys, warnings
from crawler.cli import app
from crawler.cli.common import start_logging
from crawler.logs import formatter
start_logging("INFO", form="json")
warnings.warn("a\\nb")
sys.argv = ["nachlese", "crawl"]
app()
"""


@pytest.mark.parametrize(("words", "has_traceback"), [((), False), (("--debug",), True)])
def test_a_command_that_fails_before_its_work_says_so_in_an_object(words, has_traceback, tmp_path):
    """With --debug where it comes from as well, and the exit code stays."""
    (tmp_path / "settings.toml").write_text('log_format = "json"\n')
    (tmp_path / "sources").mkdir()
    command = [sys.executable, "-m", "crawler.cli", *words, "retry", "nosuch"]
    ours = {"NACHLESE_CONFIG": str(tmp_path), "NACHLESE_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ours, check=False)
    assert done.returncode == 2
    (found,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (found["level"], found["message"].startswith("there is no source 'nosuch'")) == ("error", True)
    assert ("Failure" in found.get("traceback", "")) is has_traceback


@pytest.mark.parametrize("is_journal", [False, True])
def test_a_crawl_writes_objects_and_nothing_else(is_journal, tmp_path, database_url):
    """Warnings of libraries, the source that does not answer, and the end; in the journal with each one's level."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "settings.toml").write_text('log_format = "json"\n')
    (tmp_path / "sources" / "blatt.toml").write_text(
        'title = "Blatt"\nhomepage = "http://127.0.0.1:9/"\nlanguage = "de"\n'
        '[discover]\nfeeds = ["http://127.0.0.1:9/f"]\n[fetch]\nallow_addresses = ["127.0.0.1/32:9"]\n'
    )
    with (tmp_path / "log").open("w+") as log:
        found = os.fstat(log.fileno())
        journal = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"} if is_journal else {}
        ours = {"NACHLESE_CONFIG": str(tmp_path), "NACHLESE_HOME": str(tmp_path), "NACHLESE_DATABASE_URL": database_url}
        done = subprocess.run(
            [sys.executable, "-c", CRAWLS],
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | ours | journal,
            check=False,
        )
        log.seek(0)
        lines = log.read().splitlines()
    assert done.returncode == 1
    prefixes = [line[: line.index("{")] for line in lines]
    objects = [json.loads(line[len(prefix) :]) for prefix, line in zip(prefixes, lines, strict=True)]
    levels = {"error": "<3>", "warning": "<4>", "info": "<6>"}
    assert prefixes == [levels[one["level"]] if is_journal else "" for one in objects]
    assert "py.warnings" in {one["logger"] for one in objects}
    assert {one["source"] for one in objects if one.get("run")} == {"blatt"}
