"""The whole memory as a folder, and back: ``database.dump`` of pg_dump, ``archive/``, and a manifest to check them by.

The programs are those of the embedded server: they are of its version, which an older pg_dump of the machine refuses.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import Connection, conninfo, sql

from pipelines.connecting import connected, connection_info
from pipelines.embedded import programs
from pipelines.migrations import ROLES
from pipelines.postgres import DatabaseError, parameters, safe_text, shown

DUMP, ARCHIVE, MANIFEST = "database.dump", "archive", "manifest.json"
SCHEMAS = ("ingest", "news")

# what lives in unlogged tables is worth nothing later
TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace('ingest') AND relkind IN ('r', 'p') AND relpersistence = 'p' ORDER BY 1
"""
# settings that roles have in this database alone: pg_dump leaves them out
ROLE_SETTINGS = """
    SELECT rolname, unnest(setconfig) FROM pg_db_role_setting
    JOIN pg_database ON pg_database.oid = setdatabase JOIN pg_roles ON pg_roles.oid = setrole
    WHERE datname = current_database()
"""
#: settings whose value is a list of names
NAME_LISTS = ("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Rows of each table, SHA-256 of each file by its path in the folder, and the roles' settings in the database."""

    rows: dict[str, int]
    files: dict[str, str]
    role_settings: list[tuple[str, str]]


def dump(dsn: str, archive: Path | None, folder: Path) -> Manifest:
    """Write a database, and its archive, into a *folder* that is new or empty. Crawls may go on meanwhile.

    Raises DatabaseError, OSError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DatabaseError(f"{folder} is not empty; expected a new folder for the dump")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with connected(dsn) as connection, connection.transaction():
        # pg_dump reads the very state that is counted here
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute(
            "SELECT pg_export_snapshot(), set_config('idle_in_transaction_session_timeout', '0', true), "
            "set_config('statement_timeout', '0', true)"
        ).fetchone()
        assert row is not None
        rows, settings = counted(connection), connection.execute(ROLE_SETTINGS).fetchall()
        chosen = [f"--schema={name}" for name in SCHEMAS]
        options = [*chosen, "--format=custom", "--no-unlogged-table-data", f"--snapshot={row[0]}"]
        run_program("pg_dump", dsn, [*options, f"--file={folder / DUMP}"])
    # the archive after the database: every record that a row names is there
    files = {DUMP: sha256(folder / DUMP)}
    for file in archive_files(archive):
        assert archive is not None
        target = folder / ARCHIVE / file.relative_to(archive)
        files[str(target.relative_to(folder))] = copy(file, target)
    manifest = Manifest(rows, files, [(role, setting) for role, setting in settings])
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    return manifest


def restore(folder: Path, dsn: str, archive: Path | None) -> tuple[Manifest, bool]:
    """Bring what ``dump`` wrote into an empty database, and its archive's files into *archive*.

    Everything is checked by the manifest, before and after. The manifest, and whether the server has Nachlese's roles:
    where it has not, everything belongs to who restores. Raises DatabaseError; then the database is empty as before.
    """
    manifest = checked(folder)
    existing = [path for path in (archive_target(folder, name, archive) for name in manifest.files) if path]
    for name, path in existing:
        if path.exists() and sha256(path) != manifest.files[name]:
            raise DatabaseError(f"{path} is there already and is another file than the dump's; nothing was restored")
    with connected(dsn) as connection:
        connection.execute("SET statement_timeout = 0")
        make_empty(connection, dsn)
        found = connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)]).fetchone()
        has_roles = bool(found and found[0] == len(ROLES))
        try:
            options = [] if has_roles else ["--no-owner", "--no-privileges"]
            run_program("pg_restore", dsn, [*options, str(folder / DUMP)])
            if (rows := counted(connection)) != manifest.rows:
                wrong = sorted(name for name in {*rows, *manifest.rows} if rows.get(name) != manifest.rows.get(name))
                raise DatabaseError(f"after the restore the rows are not those of the dump: {', '.join(wrong)}")
        except DatabaseError:
            drop(connection)
            raise
        keep_role_settings(connection, manifest.role_settings)
        connection.execute("ANALYZE")
    for name, path in existing:
        if not path.exists() and copy(folder / name, path) != manifest.files[name]:
            raise DatabaseError(f"{path} was not written as it is in the dump")
    return manifest, has_roles


def checked(folder: Path) -> Manifest:
    """The manifest of a dump whose files are whole."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        for name, digest in manifest.files.items():
            if not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise DatabaseError(f"{folder / MANIFEST} names a file outside: {name}")
            if sha256(folder / name) != digest:
                raise DatabaseError(f"{folder / name} is not what was dumped: its SHA-256 is another one")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DatabaseError(f"{folder} is no whole dump: {safe_text(error)}") from error
    return manifest


def archive_target(folder: Path, name: str, archive: Path | None) -> tuple[str, Path] | None:
    """Where a file of the dump belongs; None for the database's, and without an archive."""
    if archive is None or not name.startswith(f"{ARCHIVE}/"):
        return None
    return name, archive / name.removeprefix(f"{ARCHIVE}/")


def archive_files(archive: Path | None) -> Iterator[Path]:
    if archive is not None and archive.is_dir():
        yield from sorted(path for path in archive.rglob("*") if path.is_file() and not path.is_symlink())


def counted(connection: Connection) -> dict[str, int]:
    """Rows of every table."""
    rows = {}
    for (name,) in connection.execute(TABLES).fetchall():
        row = connection.execute(sql.SQL("SELECT count(*) FROM ingest.{}").format(sql.Identifier(name))).fetchone()
        rows[name] = row[0] if row else 0
    return rows


def make_empty(connection: Connection, dsn: str) -> None:
    """Drop schemas without a run and an article. Raises DatabaseError where there is anything."""
    rows = counted(connection)
    if rows.get("runs") or rows.get("articles") or rows.get("pages"):
        raise DatabaseError(f"{shown(dsn)} has articles already; a dump is restored into an empty database")
    drop(connection)


def drop(connection: Connection) -> None:
    connection.execute("DROP SCHEMA IF EXISTS news, ingest CASCADE")


def keep_role_settings(connection: Connection, settings: list[tuple[str, str]]) -> None:
    """Settings of roles in this database, for the roles that the server has."""
    database = connection.info.dbname
    for role, setting in settings:
        name, _, value = setting.partition("=")
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            continue
        parts = [part.strip().strip('"') for part in value.split(",")] if name in NAME_LISTS else [value]
        connection.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} TO {}").format(
                sql.Identifier(role),
                sql.Identifier(database),
                sql.Identifier(name),
                sql.SQL(", ").join(map(sql.Literal, parts)),
            )
        )


def run_program(name: str, dsn: str, options: list[str]) -> None:
    """Run a program of the embedded server at *dsn*; its password goes through the environment, which nobody lists."""
    stated = {key: value for key, value in parameters(connection_info(dsn)).items() if key != "options"}
    password = str(stated.pop("password", "") or os.environ.get("PGPASSWORD", ""))
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    done = subprocess.run(
        [str(programs() / name), "--no-password", f"--dbname={conninfo.make_conninfo('', **stated)}", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stderr.splitlines() if ": error:" in line]
    # a server older than the program does not know this setting, and does not need it
    errors = [line for line in errors if "transaction_timeout" not in line]
    if errors or (done.returncode and "transaction_timeout" not in done.stderr):
        said = psycopg.Error(errors[0] if errors else done.stderr or f"exit code {done.returncode}")
        raise DatabaseError(f"{shown(dsn)}: {safe_text(said, dsn)}")


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def copy(file: Path, target: Path) -> str:
    """Copy a file as it is now, also one that grows; the SHA-256 of what was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f"{target.name}.half")
    digest, left = hashlib.sha256(), file.stat().st_size
    with file.open("rb") as source, half.open("wb") as out:
        while left and (piece := source.read(min(left, 1_000_000))):
            out.write(piece)
            digest.update(piece)
            left -= len(piece)
        out.flush()
        os.fsync(out.fileno())
    half.replace(target)
    return digest.hexdigest()
