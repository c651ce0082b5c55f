"""A log line is one line, whoever wrote part of it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

from crawler.logs import JsonLine, OneLine

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
