"""Who may do what in a database, carried from a dump to another server: settings of roles, and rights that were given.

Roles belong to the whole server, so pg_dump knows none of it, or stops where a role is not there. Here each right and
each setting stands for itself: what cannot be given again is named, and the rest is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import psycopg
from psycopg import Connection, sql

from pipelines.migrations import ROLES
from pipelines.postgres import safe_text

#: of roles in this database, of the database itself (no role), and of Nachlese's roles everywhere (no database)
SETTINGS = """
    SELECT coalesce(role.rolname, ''), setdatabase = 0, setting
    FROM pg_db_role_setting LEFT JOIN pg_roles AS role ON role.oid = setrole, unnest(setconfig) AS setting
    WHERE (setrole = 0 OR role.rolname IS NOT NULL)
      AND (setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
           OR setdatabase = 0 AND role.rolname = ANY (%s))
    ORDER BY 1, 2, 3
"""
#: settings whose value is a list of names
NAME_LISTS = ("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries")

Setting = tuple[str, bool, str]


def settings_of(connection: Connection) -> list[Setting]:
    """(role or '', whether it holds in every database, 'name=value')."""
    return [(role, bool(everywhere), text) for role, everywhere, text in connection.execute(SETTINGS, [list(ROLES)])]


def restore_settings(connection: Connection, settings: Iterable[Setting]) -> list[str]:
    """Set them here, in this connection's database; what could not be set, a sentence for each role and reason."""
    known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
    refused: dict[tuple[str, str], list[str]] = {}
    for role, everywhere, text in settings:
        if not role or role in known:
            error = tried(connection, _set(connection.info.dbname, role, everywhere, text))
        else:
            error = "this server has no such role"
        if error:
            what = f"the role {role}" if role else "the database"
            refused.setdefault((what, error), []).append(text)
    return [f"{what} has not got its setting {'; '.join(texts)}: {error}" for (what, error), texts in refused.items()]


def _set(database: str, role: str, everywhere: bool, text: str) -> sql.Composed:
    name, _, value = text.partition("=")
    parts = [part.strip().strip('"') for part in value.split(",")] if name in NAME_LISTS else [value]
    of = sql.SQL("ROLE {}").format(sql.Identifier(role)) if role else sql.SQL("")
    within = sql.SQL("" if everywhere else "IN DATABASE {}" if role else "DATABASE {}").format(sql.Identifier(database))
    values = sql.SQL(", ").join(map(sql.Literal, parts))
    return sql.SQL("ALTER {} {} SET {} TO {}").format(of, within, sql.Identifier(name), values)


def restore_grants(connection: Connection, script: str, without: Iterable[str] = ()) -> list[str]:
    """Give the rights that *script*, of pg_restore, gives; why some could not be given, a sentence each.

    Nothing is said of the roles *without*: that they are missing is known, and who makes them gives them their rights.
    """
    statements = re.findall(r"(?ms)^((?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) .*?);$", script)
    errors = dict.fromkeys(tried(connection, statement.encode()) for statement in statements)
    known = [f'"{role}" does not exist' for role in without]
    unknown = [error for error in errors if error and not any(one in error for one in known)]
    return [f"rights that others had were not given: {error}" for error in unknown]


def tried(connection: Connection, statement: sql.Composed | bytes) -> str:
    """Run it in a transaction of its own; what the server says against it."""
    try:
        with connection.transaction():
            connection.execute(statement)
    except psycopg.Error as error:
        if connection.closed:
            raise
        return safe_text(error)
    return ""
