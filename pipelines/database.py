"""Where the database is, and how it gets its tables. Bodies follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta


class DatabaseError(Exception):
    """The database cannot be used; the message says why, for a person, and never contains a password."""


def address(env: Mapping[str, str] | None = None) -> str:
    """The DSN: NACHLESE_DATABASE_URL, or the embedded server under NACHLESE_HOME/postgres, which is started if need be."""
    raise NotImplementedError


def shown(dsn: str) -> str:
    """The address without its password, fit for a log."""
    raise NotImplementedError


def migrate(dsn: str) -> list[str]:
    """Bring tables and views up to date; safe for several processes at once. Returns the names of what was applied."""
    raise NotImplementedError


def wait_for(dsn: str, patience: timedelta = timedelta(days=1)) -> None:
    """Return when the database answers; one log line a minute. Raises DatabaseError when *patience* is over."""
    raise NotImplementedError
