"""Log lines that nobody can forge: whatever a page, a header or an exception says, one record is one line.

Passwords in addresses are masked, whoever has put them there.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

from pipelines.urls import without_userinfo


def plain(value: object) -> str:
    """*value* as text that cannot do anything to a terminal or a log: pages decide what stands in titles."""
    return "".join(c if c.isprintable() else " " for c in str(value))


#: Scrapy's dump of statistics: names and numbers of ours, in lines of their own
OURS_TO_LAY_OUT = ("scrapy.statscollectors",)


class OneLine(logging.Formatter):
    """A log record is one line; a traceback, where one is wanted, is further lines that begin with a bar."""

    def format(self, record: logging.LogRecord) -> str:
        message = without_userinfo(record.getMessage())
        if record.name in OURS_TO_LAY_OUT:
            message = "\n    ".join(plain(line) for line in message.splitlines())
            return f"{self.formatTime(record, '%Y-%m-%d %H:%M:%S')} {record.levelname.lower():7} {message}"
        line = f"{self.formatTime(record, '%Y-%m-%d %H:%M:%S')} {record.levelname.lower():7} {plain(message)}"
        if record.exc_info and logging.getLogger().isEnabledFor(logging.DEBUG):
            line += "".join(
                f"\n    | {plain(part)}"
                for part in without_userinfo(self.formatException(record.exc_info)).splitlines()
            )
        return line


#: the syslog levels that the journal knows, as systemd reads them at the beginning of a line
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))


#: of the crawl that this task belongs to: its source, its run
_CRAWL: ContextVar[dict[str, object]] = ContextVar("crawl")


@contextmanager
def crawl_known(**what: object) -> Iterator[None]:
    """What belongs to a crawl is logged with *what*, by all tasks that begin within."""
    token = _CRAWL.set({name: value for name, value in what.items() if value is not None})
    try:
        yield
    finally:
        _CRAWL.reset(token)


def note_run(number: int) -> None:
    """The crawl that this task belongs to has its run."""
    if (known := _CRAWL.get(None)) is not None:
        known["run"] = number


def _url(record: logging.LogRecord) -> str | None:
    """The address that a message is about: the first one that it was given."""
    values = record.args if isinstance(record.args, tuple) else ()
    found = (value for value in values if isinstance(value, str) and value.startswith(("http://", "https://")))
    return next((without_userinfo(value) for value in found), None)


class JsonLine(logging.Formatter):
    """A log record is one JSON object in one line.

    time (UTC, RFC 3339), level, logger, process, message; where known, source, run, url and traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        found = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": without_userinfo(record.getMessage()),
            **_CRAWL.get({}),
        }
        if url := _url(record):
            found["url"] = url
        if record.exc_info:
            found["traceback"] = without_userinfo(self.formatException(record.exc_info))
        return json.dumps(found)  # whatever is not ASCII is escaped: half characters and line separators too


class ForJournal(logging.Formatter):
    """Each line with its level in front, as systemd takes it: ``journalctl -p warning`` then finds it."""

    def __init__(self, lines: logging.Formatter):
        super().__init__()
        self._lines = lines

    def format(self, record: logging.LogRecord) -> str:
        level = next(level for least, level in _PRIORITIES if record.levelno >= least)
        return "\n".join(f"<{level}>{line}" for line in self._lines.format(record).split("\n"))


LogFormat = Literal["text", "json"]


def formatter(form: LogFormat = "text") -> logging.Formatter:
    """How this process writes its log to standard error."""
    lines = JsonLine() if form == "json" else OneLine()
    return ForJournal(lines) if is_journal() else lines


def is_journal() -> bool:
    """Whether standard error is what systemd has connected to the journal; a child's own pipe or file is not."""
    stated = os.environ.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return stated == f"{found.st_dev}:{found.st_ino}"


def guard_handlers(form: LogFormat = "text") -> None:
    """Let every handler of this process write lines of ours: where somebody else has set the log up."""
    for handler in logging.getLogger().handlers:
        is_error = getattr(handler, "stream", None) is sys.stderr
        handler.setFormatter(formatter(form) if is_error else JsonLine() if form == "json" else OneLine())
