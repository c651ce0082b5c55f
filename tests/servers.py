"""Servers of this machine that tests use where they are installed: Debian's PostgreSQL 15 and PgBouncer."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
PGBOUNCER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


def other_user() -> str | None:
    """Both refuse to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("root has no other user to run a server as")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def folder_of_user() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="nachlese-server-"))
    if user := other_user():
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_15(**settings: str) -> Iterator[str]:
    """The DSN of a superuser of a PostgreSQL 15 on loopback with these settings, while the block lasts."""
    if not (POSTGRES_15 / "initdb").exists():
        pytest.skip(f"there is no PostgreSQL 15 in {POSTGRES_15}")
    user = other_user()
    with folder_of_user() as folder:
        data, port = folder / "data", free_port()
        make = [POSTGRES_15 / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
        subprocess.run(make, user=user, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        lines = {"port": port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''", "fsync": "off"}
        text = "".join(f"{name} = {value}\n" for name, value in {**lines, **settings}.items())
        with (data / "postgresql.conf").open("a") as out:
            out.write(text)
        control = [POSTGRES_15 / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-s"]
        subprocess.run([*control, "start"], user=user, check=True, cwd=folder)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], user=user, check=True, cwd=folder)


@contextmanager
def pgbouncer(server: str, **settings: str) -> Iterator[str]:
    """The DSN of the database that *server* names (on loopback, with a port) through a PgBouncer of these settings."""
    if not Path(PGBOUNCER).exists():
        pytest.skip(f"there is no {PGBOUNCER}")
    known = psycopg.conninfo.conninfo_to_dict(server)
    with folder_of_user() as folder:
        port = free_port()
        lines = {"listen_addr": "127.0.0.1", "listen_port": port, "auth_type": "any", "pool_mode": "transaction",
                 "default_pool_size": "3", "logfile": folder / "log", **settings}  # fmt: skip
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={known['host']} port={known['port']} user=postgres\n[pgbouncer]\n"
            + "".join(f"{name} = {value}\n" for name, value in lines.items())
        )
        process = subprocess.Popen(
            [PGBOUNCER, "-q", folder / "pgbouncer.ini"], user=other_user(), cwd=folder, stderr=subprocess.DEVNULL
        )
        try:
            dsn = f"postgresql://postgres@127.0.0.1:{port}/{known['dbname']}"
            until_it_answers(dsn, process)
            yield dsn
        finally:
            process.kill()
            process.wait()


def until_it_answers(dsn: str, process: subprocess.Popen) -> None:
    give_up = time.monotonic() + 30
    while psycopg.pq.PGconn.ping(dsn.encode()) != psycopg.pq.Ping.OK:
        assert process.poll() is None, "the server ended at once"
        assert time.monotonic() < give_up, "the server does not answer"
