"""Where the database is; and, from the modules beside this one, all that others need to know of it.

``embedded`` is the server that comes with Nachlese, ``connecting`` connections and patience, ``migrations`` tables,
views and roles, ``postgres`` what addresses and errors mean, ``read_only`` one statement that changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from pipelines.connecting import (
    IN_TRANSACTION,
    RetryDeadline,
    connect_async,
    connected,
    connection_info,
    is_pooled,
    refuse_read_only,
    until_there,
    wait_for,
)
from pipelines.embedded import DEFAULT_PORT, embedded, leave, revive, serve, served_port, stop_serving
from pipelines.migrations import ROLES, SQL, make_roles, may_migrate, migrate
from pipelines.postgres import (
    LOCK_HOLDERS,
    DatabaseError,
    holders_said,
    is_away,
    is_locked,
    is_misfit,
    is_passing,
    is_read_only,
    is_stale,
    may_be_of_the_row,
    parameters,
    safe_text,
    said,
    shown,
)
from pipelines.read_only import QueryRefused, run_read_only

__all__ = [
    "DEFAULT_PORT", "IN_TRANSACTION", "LOCK_HOLDERS", "ROLES", "SQL", "DatabaseError", "QueryRefused",
    "RetryDeadline", "address", "connect_async", "connected", "connection_info", "embedded", "embedded_folder",
    "holders_said", "home", "is_away", "is_locked", "is_misfit", "is_passing", "is_pooled", "is_read_only", "is_stale",
    "leave", "make_roles", "may_be_of_the_row", "may_migrate", "migrate", "refuse_read_only", "revive", "run_read_only",
    "safe_text", "said", "serve", "served_port", "shown", "stop_serving", "until_there", "wait_for",
]  # fmt: skip


def home(env: Mapping[str, str] | None = None) -> Path:
    """The folder of embedded database, archive and logs: NACHLESE_HOME or the platform's user data folder."""
    value = (os.environ if env is None else env).get("NACHLESE_HOME", "").strip()
    return Path(value).expanduser().absolute() if value else Path(platformdirs.user_data_dir("nachlese"))


def address(env: Mapping[str, str] | None = None) -> str:
    """The DSN: NACHLESE_DATABASE_URL, or that of the embedded server, which is started where it does not run.

    Raises DatabaseError when the address cannot be understood or the embedded server does not start.
    """
    env = os.environ if env is None else env
    stated = env.get("NACHLESE_DATABASE_URL", "").strip()
    if stated:
        parameters(stated)
        return stated
    return embedded(embedded_folder(env))


def embedded_folder(env: Mapping[str, str] | None = None) -> Path:
    """Where the embedded server has its data."""
    return home(env) / "postgres"
