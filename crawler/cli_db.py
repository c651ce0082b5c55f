"""``nachlese db``: the database behind everything: its address, its tables, a prompt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from crawler.cli_common import Exit, fail, print_json, reachable, told
from crawler.cli_read import print_line

app = typer.Typer(no_args_is_help=True, help="The database: its address, its tables, a prompt, one query.")


@app.command()
@told()
def url() -> None:
    """Print the address of the database, without its password."""
    from pipelines import database

    print_line(database.shown(database.address()))


@app.command()
@told()
def migrate() -> None:
    """Bring tables and views up to date. Every command that needs them does so by itself."""
    from pipelines import database

    applied = database.migrate(reachable())
    print_line(f"applied: {', '.join(applied)}" if applied else "tables and views are up to date")


@app.command()
@told()
def roles() -> None:
    """Make three database roles with the least rights: nachlese_owner, nachlese_writer, nachlese_reader.

    Run it as a superuser or as the database's owner, as often as you like; after an upgrade, run it again. Passwords
    come from NACHLESE_OWNER_PASSWORD, NACHLESE_WRITER_PASSWORD and NACHLESE_READER_PASSWORD; where one is unset, the
    role's password stays as it is.
    """
    from pipelines import database

    dsn = reachable()
    database.migrate(dsn)
    passwords = {role: os.environ.get(f"{role.upper()}_PASSWORD", "") for role in database.ROLES}
    made = database.make_roles(dsn, passwords)
    for role in database.ROLES:
        secret = "password set" if passwords[role] else "no password given"
        print_line(f"{role}: {'made' if role in made else 'brought up to date'}, {secret}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@told()
def psql(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENT]...", help="Passed on to psql.", show_default=False)
    ] = None,
) -> None:
    """Open psql on the database; its own exit code is handed on. What follows is passed on: `db psql -c "SELECT 1"`."""
    from pipelines import database

    program = psql_program()
    if program is None:
        fail('there is no psql here; nachlese db query "SELECT ..." works without', Exit.USAGE)
    dsn = reachable()
    database.migrate(dsn)
    environment, shown = with_password_in(dict(os.environ), dsn)
    # Not exec: an embedded server stops when the last process that uses it ends, and psql is no such process.
    done = subprocess.run([program, shown, *(arguments or [])], env=environment, check=False)
    raise typer.Exit(done.returncode)


def psql_program() -> str | None:
    """psql of this machine, or the one that came with the embedded server."""
    found = shutil.which("psql")
    if found:
        return found
    beside = Path(sys.prefix) / "lib"
    return next(
        (str(path) for path in sorted(beside.glob("python3*/site-packages/*pgserver/pginstall*/bin/psql"))), None
    )


def with_password_in(environment: dict[str, str], dsn: str) -> tuple[dict[str, str], str]:
    """The address without its password, which goes into the environment: a command line is visible to every user."""
    from urllib.parse import unquote, urlsplit, urlunsplit

    parts = urlsplit(dsn)
    if parts.password is None:
        return environment, dsn
    user = f"{parts.username}@" if parts.username else ""
    netloc = user + parts.netloc.rsplit("@", 1)[1]
    return environment | {"PGPASSWORD": unquote(parts.password)}, urlunsplit(parts._replace(netloc=netloc))


@app.command()
@told()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement; it cannot change anything.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Run one SQL statement and print what it answers. The transaction is read-only."""
    from pipelines import database

    dsn = reachable()
    database.migrate(dsn)
    names, rows = answer(dsn, sql)
    if as_json:
        for row in rows:
            print_json(dict(zip(names, row, strict=True)))
        return
    show_answer(names, rows)


def answer(dsn: str, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows. A statement that Postgres refuses ends the command with its message."""
    from pipelines import database

    with database.connected(dsn) as connection:
        connection.execute("SET default_transaction_read_only = on")
        try:
            cursor = connection.execute(sql)
        except connection.Error as error:
            fail(f"Postgres says: {database.safe_text(error, dsn)}", Exit.USAGE)
        return [column.name for column in cursor.description or ()], cursor.fetchall() if cursor.description else []


def show_answer(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from crawler.cli_common import count, out, plain

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else plain(value)) for value in row))
    out().print(table)
    out().print(count(len(rows), "row"))
