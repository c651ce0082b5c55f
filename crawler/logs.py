"""Log lines that nobody can forge: whatever a page, a header or an exception says, one record is one line.

Passwords in addresses are masked, whoever has put them there.
"""

from __future__ import annotations

import logging

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


def guard_handlers() -> None:
    """Let every handler of this process write lines of ours: where somebody else has set the log up."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(OneLine())
