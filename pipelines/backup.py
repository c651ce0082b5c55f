"""The whole memory as a folder, and back: ``database.dump`` of pg_dump, ``archive/``, and a manifest to check them by.

The programs are those of the embedded server: they are of its version, which an older pg_dump of the machine refuses.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg import Connection, conninfo, sql

from pipelines.archive_remote import RemoteArchive
from pipelines.atomic import write_whole
from pipelines.backup_rights import Setting, restore_grants, restore_settings, settings_of
from pipelines.connecting import connected, connection_info
from pipelines.embedded import programs
from pipelines.migrations import MIGRATION_LOCK, RESTORING, ROLES, make_roles
from pipelines.postgres import DatabaseError, parameters, safe_text, said, shown
from pipelines.store.job_queue import FILES, SLOTS

DUMP, ARCHIVE, MANIFEST = "database.dump", "archive", "manifest.json"
#: the queues of several machines are there where they were used; vectors of meanings can be made again
SCHEMAS = ("ingest", "news", SLOTS, FILES)
RESTORE_LOCK = MIGRATION_LOCK + 1
#: how long a server that is named is waited for
PATIENCE = timedelta(seconds=10)

# what lives in unlogged tables is worth nothing later
TABLES = """
    SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = ANY(%s) AND relkind IN ('r', 'p') AND relpersistence = 'p' ORDER BY 1, 2
"""
WITH_ROLES = "SELECT nspowner = to_regrole('nachlese_owner') FROM pg_namespace WHERE nspname = 'ingest'"
STRANGE = """
    SELECT nspname FROM pg_namespace WHERE nspname IN ('ingest', 'news') AND to_regclass('ingest.migrations') IS NULL
"""
# up to where the records of each file reach
RECORDS = "SELECT file, max(record_offset + length) FROM ingest.archive_records GROUP BY file ORDER BY file"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a dump holds, to check it by."""

    #: of each table; those of the queue with their schema's name
    rows: dict[str, int]
    #: SHA-256 of each file by its path in the folder
    files: dict[str, str]
    #: of roles in the database, of older dumps
    role_settings: list[tuple[str, str]] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    #: whether tables belong to the role nachlese_owner
    has_roles: bool = False
    #: where files of the archive lie that were not copied, and bytes of each
    address: str = ""
    remote: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restored:
    """A dump that was brought back."""

    manifest: Manifest
    #: what is not as it was: sentences for a person
    notes: list[str]
    #: files of the archive that records are in and that are not as they should be, and why
    missing: dict[str, str]


# ---------------------------------------------------------------------------------------------------------------------
# dump


def dump(
    dsn: str, archive: Path | None, folder: Path, remote: RemoteArchive | None = None, fetch: bool = False
) -> Manifest:
    """Write a database, and its archive, into a *folder* that is new or empty. Crawls may go on meanwhile.

    What lies in *remote* is listed; with *fetch*, it is copied. Where it fails, the folder is as empty as before.
    Raises DatabaseError, OSError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatabaseError(f"{folder} is not empty; expected a new folder for the dump")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        return _dumped(dsn, archive, folder, remote, fetch)
    except BaseException:
        shutil.rmtree(folder / ARCHIVE, ignore_errors=True)
        (folder / DUMP).unlink(missing_ok=True)
        raise


def _dumped(dsn: str, archive: Path | None, folder: Path, remote: RemoteArchive | None, fetch: bool) -> Manifest:
    with connected(dsn, PATIENCE) as connection, connection.transaction():
        # pg_dump reads the very state that is counted here
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute(
            "SELECT pg_export_snapshot(), set_config('idle_in_transaction_session_timeout', '0', true), "
            "set_config('statement_timeout', '0', true)"
        ).fetchone()
        assert row is not None
        rows, settings = counted(connection), settings_of(connection)
        if "migrations" not in rows:
            raise DatabaseError(f"{shown(dsn)} has no tables of Nachlese; there is nothing to dump")
        has_roles = connection.execute(WITH_ROLES).fetchone()
        chosen = [f"--schema={name}" for name in SCHEMAS]
        options = [*chosen, "--format=custom", "--no-unlogged-table-data", f"--snapshot={row[0]}"]
        run_program("pg_dump", dsn, [*options, f"--file={folder / DUMP}"])
    # the archive after the database: every record that a row names is there
    files = {DUMP: sha256(folder / DUMP)}
    for file in archive_files(archive):
        assert archive is not None
        target = folder / ARCHIVE / file.relative_to(archive)
        with suppress(FileNotFoundError):  # moved to its address just now: it is found there
            files[str(target.relative_to(folder))] = copy(file, target)
    there = remote.files() if remote is not None else {}
    there = {name: size for name, size in there.items() if f"{ARCHIVE}/{name}" not in files}
    if remote is not None and fetch:
        for name in there:
            files[f"{ARCHIVE}/{name}"] = remote.fetch(name, folder / ARCHIVE / name)
        there = {}
    manifest = Manifest(
        rows,
        files,
        settings=settings,
        has_roles=bool(has_roles and has_roles[0]),
        address=remote.address if remote is not None else "",
        remote=there,
    )
    # it comes last: a folder without it is no dump
    write_whole(folder / MANIFEST, f"{json.dumps(asdict(manifest), indent=1)}\n".encode())
    return manifest


# ---------------------------------------------------------------------------------------------------------------------
# restore


def restore(
    folder: Path,
    dsn: str,
    archive: Path | None,
    remote: RemoteArchive | None = None,
    passwords: Mapping[str, str] | None = None,
) -> Restored:
    """Bring what ``dump`` wrote into an empty database, and its archive's files into *archive*.

    Everything is checked by the manifest, before and after. Where the dump had Nachlese's roles, they are made with
    *passwords*; otherwise everything belongs to who restores. Raises DatabaseError; then the database is empty as
    before. A restore that was killed is done anew by the next one; until then no command takes the database for whole.
    """
    manifest = checked(folder)
    targets = [target for target in (archive_target(folder, name, archive) for name in manifest.files) if target]
    for name, path in targets:
        if path.exists() and sha256(path) != manifest.files[name]:
            raise DatabaseError(f"{path} is there already and is another file than the dump's; nothing was restored")
    with connected(dsn, PATIENCE) as connection:
        connection.execute("SET statement_timeout = 0")
        try:
            with alone(connection, dsn):
                make_empty(connection, dsn)
                for name, path in targets:
                    if not path.exists() and copy(folder / name, path) != manifest.files[name]:
                        raise DatabaseError(f"{path} was not written as it is in the dump")
                fill(connection, dsn, folder, manifest)
                notes = give_rights(connection, dsn, folder, manifest, passwords or {})
                connection.execute("ANALYZE")
                connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(RESTORING)))
                records = connection.execute(RECORDS).fetchall()
        except psycopg.Error as error:
            raise DatabaseError(said(error, dsn)) from None
    missing = {} if archive is None else damaged(records, archive, remote, manifest)
    return Restored(manifest, notes, missing)


@contextmanager
def alone(connection: Connection, dsn: str) -> Iterator[None]:
    """No other restore in this database meanwhile."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [RESTORE_LOCK]).fetchone()
    if row is None or not row[0]:
        raise DatabaseError(f"{shown(dsn)}: another process restores into it; nothing was changed")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [RESTORE_LOCK])


def fill(connection: Connection, dsn: str, folder: Path, manifest: Manifest) -> None:
    """Tables, views and rows, compared with the manifest. Raises DatabaseError, and the database is empty then."""
    try:
        run_program("pg_restore", dsn, ["--no-owner", "--no-privileges", str(folder / DUMP)])
        if (rows := counted(connection)) != manifest.rows:
            wrong = sorted(name for name in {*rows, *manifest.rows} if rows.get(name) != manifest.rows.get(name))
            raise DatabaseError(f"after the restore the rows are not those of the dump: {', '.join(wrong)}")
    except DatabaseError:
        drop(connection, RESTORING)
        raise


def give_rights(
    connection: Connection, dsn: str, folder: Path, manifest: Manifest, passwords: Mapping[str, str]
) -> list[str]:
    """Roles, rights and settings as they were; what is not so, a sentence each."""
    notes: list[str] = []
    without: tuple[str, ...] = ()
    if manifest.has_roles:
        try:
            made = make_roles(dsn, passwords, PATIENCE)
        except DatabaseError as error:
            notes.append(f"the roles of Nachlese were not made, all belongs to who restored: {error}")
            without = ROLES
        else:
            if bare := [role for role in made if not passwords.get(role)]:
                notes.append(f"made without a password: {', '.join(bare)}; nachlese db roles gives them one")
    notes += restore_grants(connection, grants_of(folder / DUMP), without)
    settings = [*manifest.settings, *((role, False, text) for role, text in manifest.role_settings)]
    return notes + restore_settings(connection, settings)


def grants_of(file: Path) -> str:
    """The statements in a dump that give rights."""
    program = str(programs() / "pg_restore")
    listed = subprocess.run([program, "--list", str(file)], capture_output=True, text=True, check=True).stdout
    chosen = [line for line in listed.splitlines() if re.match(r"\d+; \d+ \d+ (DEFAULT )?ACL ", line)]
    if not chosen:
        return ""
    words = [program, "--no-owner", "--use-list=/dev/stdin", "--file=-", str(file)]
    return subprocess.run(words, input="\n".join(chosen) + "\n", capture_output=True, text=True, check=True).stdout


def damaged(
    records: list[tuple[str, int]], archive: Path, remote: RemoteArchive | None, manifest: Manifest
) -> dict[str, str]:
    """Files that *records* (file, end of its last one) are in and that are not here, or too short: why each."""
    here = {file.name: file.stat().st_size for file in archive_files(archive)}
    there = remote.files() if remote is not None else {}
    why = {}
    for name, end in records:
        size = max(here.get(name, -1), there.get(name, -1))
        if size < 0:
            at = f", it was at {manifest.address}" if name in manifest.remote else ""
            why[name] = f"neither in the dump nor in the archive{at}"
        elif size < max(end, 0 if name in here else manifest.remote.get(name, 0)):
            why[name] = f"{size:,} bytes are there, at least {max(end, manifest.remote.get(name, 0)):,} were"
    return why


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
    for schema, name in connection.execute(TABLES, [list(SCHEMAS)]).fetchall():
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))).fetchone()
        rows[name if schema == "ingest" else f"{schema}.{name}"] = row[0] if row else 0
    return rows


def make_empty(connection: Connection, dsn: str) -> None:
    """Drop schemas without a run and an article, and what a killed restore has left. Raises DatabaseError otherwise.

    Leaves the mark by which a database is known that is not whole.
    """
    strange = [name for (name,) in connection.execute(STRANGE).fetchall()]
    is_broken_off = connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", [RESTORING]).fetchone()
    if is_broken_off and is_broken_off[0]:
        drop(connection)
        return
    if strange:
        raise DatabaseError(
            f"{shown(dsn)} has a schema {strange[0]!r} that is not Nachlese's; expected an empty database"
        )
    rows = counted(connection)
    if rows.get("runs") or rows.get("articles") or rows.get("pages"):
        raise DatabaseError(f"{shown(dsn)} has articles already; a dump is restored into an empty database")
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(RESTORING)))
    try:
        drop(connection)
    except psycopg.Error:
        connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(RESTORING)))
        raise


def drop(connection: Connection, *more: str) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, (*SCHEMAS, *more)))
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(names))


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
