"""``nachlese db``: the database behind everything: its address, its tables, a prompt."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import backup
from crawler.cli.common import Exit, err, fail, print_json, reachable, told
from crawler.cli.read import print_line

if TYPE_CHECKING:
    from crawler.config import Configuration
    from pipelines.meaning import Encoder

app = typer.Typer(no_args_is_help=True, help="The database: its address, its tables, its size, a prompt, one query.")


@app.command()
@told()
def url() -> None:
    """Print the address of the database, without its password: `psql "$(nachlese db url)"`."""
    from pipelines import database

    print_line(database.shown(database.address()))
    if not is_elsewhere() and database.served_port(database.embedded_folder()) is None:
        err().print("the embedded Postgres runs only while a command uses it; nachlese db start keeps it running")


def is_elsewhere() -> bool:
    """Whether the database is another one than the embedded."""
    return bool(os.environ.get("NACHLESE_DATABASE_URL", "").strip())


@app.command()
@told()
def start(
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=1, max=65535, help="On loopback.", show_default="5433")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Keep the embedded Postgres running, and let other programs in: psql, JDBC, BI tools.

    It listens on loopback (127.0.0.1) only and asks for a password. That of nachlese_reader, which may only read, lies
    in a file that is yours alone; roles and passwords are those of `nachlese db roles`. Until `nachlese db stop`.
    """
    from pipelines import database

    if is_elsewhere():
        fail(
            "NACHLESE_DATABASE_URL names a database that is not ours to start; unset it for the embedded one",
            Exit.USAGE,
        )
    folder = database.embedded_folder()
    port = port or database.served_port(folder) or database.DEFAULT_PORT
    dsn = database.serve(folder, port)
    database.migrate(dsn)
    file = folder.with_name("pgpass")
    passwords = {role: os.environ.get(f"{role.upper()}_PASSWORD", "") for role in database.ROLES}
    passwords["nachlese_reader"] = passwords["nachlese_reader"] or kept_password(file) or secrets.token_urlsafe(18)
    database.make_roles(dsn, passwords)
    keep_password(file, port, passwords["nachlese_reader"])
    address = f"127.0.0.1:{port}/postgres"
    said = {
        "url": f"postgresql://nachlese_reader@{address}",
        "jdbc": f"jdbc:postgresql://{address}?user=nachlese_reader",
        "pgpass": str(file),
        "socket": database.shown(dsn),
    }
    if as_json:
        print_json({"port": port, "user": "nachlese_reader"} | said)
        return
    print_line(f"the embedded Postgres listens on 127.0.0.1:{port} until: nachlese db stop")
    print_line(f"psql      PGPASSFILE={file} psql {said['url']}")
    print_line(f"JDBC      {said['jdbc']}")
    print_line(f"password  the last field of {file}")
    print_line(f"you       psql '{said['socket']}'")


def kept_password(file: Path) -> str:
    """The reader's password in a password file of libpq that we wrote; empty where there is none."""
    try:
        return file.read_text().strip().split(":")[4]
    except (OSError, IndexError):
        return ""


def keep_password(file: Path, port: int, password: str) -> None:
    """Write the password file, for its owner alone."""
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"127.0.0.1:{port}:*:nachlese_reader:{escaped}\n")


@app.command()
@told()
def stop() -> None:
    """Let nobody else into the embedded Postgres any more, and stop it unless a command of ours uses it."""
    from pipelines import database

    if is_elsewhere():
        fail(
            "NACHLESE_DATABASE_URL names a database that is not ours to stop; unset it for the embedded one", Exit.USAGE
        )
    if database.stop_serving(database.embedded_folder()):
        print_line("the embedded Postgres is stopped")
    else:
        print_line("nobody else gets in any more; it stops when the last command of nachlese that uses it has ended")


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
    """Run one SQL statement that reads, and print what it answers: SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW.

    It runs in a read-only transaction, as nachlese_reader where that role was made (`nachlese db roles`).
    """
    from pipelines import database

    dsn = reachable()
    database.migrate(dsn)
    names, rows = answer(dsn, sql, as_text=not as_json)
    if as_json:
        for row in rows:
            print_json(dict(zip(names, row, strict=True)))
        return
    show_answer(names, rows)


def answer(dsn: str, sql: str, *, as_text: bool = False) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows. A statement that changes something, or that Postgres refuses, ends the command."""
    from pipelines import database

    try:
        return database.run_read_only(dsn, sql, as_text=as_text)
    except database.QueryRefused as error:
        fail(str(error), Exit.USAGE)


def show_answer(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    from rich.text import Text

    from crawler.cli.common import count, new_table, out, print_table
    from crawler.logs import plain

    table = new_table()
    for name in names:
        table.add_column(plain(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else plain(value)) for value in row))
    print_table(table)
    out().print(count(len(rows), "row"))


@app.command()
@told()
def size(as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False) -> None:
    """Show how much room the tables and the archive take, the largest first."""
    from crawler.cli.common import configuration, run

    sizes = run(_sizes())
    from pipelines.archive_remote import open_remote

    configured = configuration(is_reading=False)
    files = archive_files(archive_folder(configured))
    if (remote := open_remote(configured.settings.archive.folder)) is not None:
        files += remote.sizes()
    sizes["archive"] = {"files": len(files), "bytes": sum(files)}
    if as_json:
        print_json(sizes)
        return
    show_sizes(sizes)


async def _sizes() -> dict[str, Any]:
    from crawler.cli.common import open_queries

    async with await open_queries() as queries:
        return await queries.size()


def archive_folder(configured: Configuration) -> Path:
    """Where the archive's files are written; those that were moved to an address are there."""
    from pipelines import database
    from pipelines.archive_remote import is_address

    stated = configured.settings.archive.folder
    return Path(stated) if stated and not is_address(stated) else database.home() / "archive"


def archive_files(folder: Path) -> list[int]:
    """The sizes in bytes of the archive's files."""
    return [file.stat().st_size for file in folder.rglob("*.warc*") if file.is_file()] if folder.is_dir() else []


def show_sizes(sizes: dict[str, Any]) -> None:
    from crawler.cli.common import count, new_table, out

    table = new_table("table", "rows>", "data>", "indexes>", "together>")
    for row in sizes["tables"]:
        data, indexes = row["bytes"], row["index_bytes"]
        rows = f"{row['rows']:,}" if row["rows"] else ""
        table.add_row(row["name"], rows, megabytes(data), megabytes(indexes), megabytes(data + indexes))
    out().print(table)
    out().print(f"the whole database: {megabytes(sizes['bytes'])}")
    archive = sizes["archive"]
    out().print(f"the archive: {megabytes(archive['bytes'])} in {count(archive['files'], 'file')}")


def megabytes(number: int) -> str:
    return f"{number / 1e6:,.1f} MB"


@app.command()
@app.command("rebuild-duplicates")
@told()
def relink(as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False) -> None:
    """Find copies among articles that an earlier version has stored. For once, after an upgrade; crawls may run."""
    from crawler.cli.common import run

    done = run(_relinked())
    if as_json:
        print_json(done)
        return
    print_line(f"{done['texts']:,} texts were looked at anew, {done['copies']:,} more articles are copies")


async def _relinked() -> dict[str, int]:
    from crawler.cli.common import open_store

    async with await open_store() as store:
        return await store.rebuild_duplicates()


@app.command()
@told()
def regroup(as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False) -> None:
    """Group the stored articles into stories anew, by the method of this version. For once, after an upgrade."""
    from crawler.cli.common import count, run

    done = run(_regrouped())
    if as_json:
        print_json(done)
        return
    print_line(
        f"{count(done['articles'], 'article')} looked at, {done['moved']:,} moved; "
        f"{done['split']:,} stories were split, {done['merged']:,} have become part of others"
    )


@app.command()
@told()
def meanings(as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False) -> None:
    """Store what articles mean, for nachlese articles search --meaning. Again whenever articles have come."""
    from crawler.cli.common import count, load_encoder, run

    done = run(_with_meanings(load_encoder()))
    if as_json:
        print_json({"articles": done})
        return
    print_line(f"stored the meaning of {count(done, 'article')}")


async def _with_meanings(encode: Encoder) -> int:
    from crawler.cli.common import open_store
    from crawler.cli.run_report import Bar

    with Bar("articles") as bar:
        async with await open_store() as store:
            return await store.store_meanings(encode, bar.number)


async def _regrouped() -> dict[str, int]:
    from crawler.cli.common import open_store

    async with await open_store() as store:
        await store.group_stories()
        return await store.regroup_stories()


@app.command()
@told()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be deleted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Delete what [retention] in config/settings.toml says is too old. Articles are never deleted."""
    from crawler.cli.common import configuration, run

    deleted = run(_pruned(configuration(is_reading=False), dry_run))
    if as_json:
        print_json({"dry_run": dry_run, **deleted})
        return
    names = {
        "attempts": "requests", "run_pages": "endings of pages", "runs": "runs", "observations": "observed pages",
        "versions": "old wordings", "archive_files": "archive files",
    }  # fmt: skip
    print_line("would be deleted:" if dry_run else "deleted:")
    for name, number in deleted.items():
        print_line(f"{number:>9,} {names.get(name, name)}")


async def _pruned(configured: Configuration, dry_run: bool) -> dict[str, int]:
    from crawler.archiving import prune as prune_by
    from crawler.cli.common import open_store
    from pipelines.archive_remote import open_remote

    async with await open_store() as store:
        remote = open_remote(configured.settings.archive.folder)
        return await prune_by(store, configured.settings.retention, archive_folder(configured), dry_run, remote)


@app.command("check-archive")
@told()
def check_archive(
    ask_again: Annotated[
        bool, typer.Option("--ask-again", help="They will not come back: look again at what only they held.")
    ] = False,
    hours: Annotated[float, typer.Option("--hours", min=0, help="Only files that did not grow for so long.")] = 24,
    with_pages: Annotated[bool, typer.Option("--pages", help="Name each page that lay in them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Say which files of the archive are neither here nor at its address, as after a machine died.

    Exit code 1 where there are some, unless --ask-again is given.
    """
    from crawler.cli.common import configuration, run

    lost, pages = run(_checked(configuration(is_reading=False), timedelta(hours=hours), ask_again, with_pages))
    if as_json:
        print_json({"lost": lost, "pages_asked_again": pages})
    else:
        for row in lost:
            print_line(f"{row['file']}: {row['records']:,} pages; the current wording of {row['articles']:,} articles")
            for page in row.get("pages", ()):
                print_line(f"  {page['url']}" + ("" if page["is_current"] else "  (no current wording)"))
        print_line(f"{len(lost):,} files are gone" + (f"; {pages:,} pages are looked at again" if ask_again else ""))
    raise typer.Exit(Exit.NOT_ALL if lost and not ask_again else Exit.WELL)


async def _checked(
    configured: Configuration, age: timedelta, ask_again: bool, with_pages: bool
) -> tuple[list[dict[str, Any]], int]:
    from crawler.archiving import lost_files
    from crawler.cli.common import open_store

    async with await open_store() as store:
        return await lost_files(store, configured.settings.archive.folder, age, ask_again, with_pages)


for command in (backup.dump, backup.restore, backup.move):
    app.command()(command)
