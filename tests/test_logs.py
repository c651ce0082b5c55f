"""A log line is one line, whoever wrote part of it."""

from __future__ import annotations

import logging
import sys

import pytest

from crawler.logs import OneLine

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
