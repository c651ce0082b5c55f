"""The embedded Postgres for other programs: `nachlese db start` and `stop`; and no server outlives a killed process."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from pipelines import database
from pipelines.embedded import _servers
from tests.servers import free_port
from tests.test_database import JOIN, python


@pytest.fixture
def home(server_folder: Path, monkeypatch) -> Path:
    """NACHLESE_HOME with an embedded server that ends with the test."""
    for name in ("NACHLESE_DATABASE_URL", "NACHLESE_READER_PASSWORD", "PGPASSFILE", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NACHLESE_HOME", str(server_folder / "home"))
    yield server_folder / "home"
    database.stop_serving(server_folder / "home" / "postgres")


def nachlese(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "crawler.cli", *arguments], text=True, capture_output=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr if code else done.stdout


def server_of(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))


def is_reachable(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_other_programs_get_in_with_a_password_until_it_is_stopped(home: Path):
    port = free_port()
    said = json.loads(nachlese("db", "start", "--port", str(port), "--json"))
    password = Path(said["pgpass"]).read_text().strip().split(":")[4]
    assert stat.S_IMODE(Path(said["pgpass"]).stat().st_mode) == 0o600
    assert (said["jdbc"], said["port"]) == (f"jdbc:postgresql://127.0.0.1:{port}/postgres?user=nachlese_reader", port)
    with psycopg.connect(said["url"], passfile=said["pgpass"]) as reader:
        assert reader.execute("SELECT count(*) FROM news.articles").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT FROM ingest.pages")
    for user, wrong in (("nachlese_reader", "geraten"), ("postgres", password), ("nachlese_owner", password)):
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(f"postgresql://{user}:{wrong}@127.0.0.1:{port}/postgres")

    assert nachlese("db", "query", "--json", "SELECT 1 AS one") == '{"one": 1}\n'  # and it is not stopped by its end
    with psycopg.connect(nachlese("db", "url").strip()) as owner:
        assert owner.execute("SELECT current_user").fetchone() == ("postgres",)
    again = json.loads(nachlese("db", "start", "--json"))
    assert again == said
    assert Path(said["pgpass"]).read_text().strip().split(":")[4] == password
    with psycopg.connect(f"{said['url']}?connect_timeout=5", password=password):
        pass

    server = server_of(home)
    assert "is stopped" in nachlese("db", "stop")
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    assert not is_reachable(port)
    assert nachlese("db", "query", "--json", "SELECT 1 AS one") == '{"one": 1}\n'
    assert not is_reachable(port)
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_whoever_uses_it_goes_on_when_it_begins_and_ends_to_listen(home: Path):
    dsn = database.address()
    port = free_port()
    try:
        with database.connected(dsn) as connection:
            connection.execute("CREATE TABLE kept (a int)")
        nachlese("db", "start", "--port", str(port))
        assert is_reachable(port)
        with database.connected(dsn) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        assert "stops when the last" in nachlese("db", "stop")
        assert not is_reachable(port)
        with database.connected(dsn) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        database.leave(dsn)
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_a_port_that_is_taken_is_named_and_nothing_changes(home: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} of 127.0.0.1 cannot be had" in nachlese("db", "start", "--port", str(port), code=3)
    assert database.served_port(home / "postgres") is None
    assert nachlese("db", "query", "--json", "SELECT 1 AS one") == '{"one": 1}\n'


def test_a_port_that_was_taken_meanwhile_keeps_no_command_from_its_work(home: Path):
    port = free_port()
    nachlese("db", "start", "--port", str(port))
    server = server_of(home)
    server.send_signal(signal.SIGINT)  # as when the machine is shut down
    server.wait(60)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert nachlese("db", "query", "--json", "SELECT 1 AS one") == '{"one": 1}\n'


def test_another_server_is_not_ours_to_start_or_stop(home: Path, monkeypatch):
    monkeypatch.setenv("NACHLESE_DATABASE_URL", "postgresql://u@db.example/news")
    for command in ("start", "stop"):
        assert "not ours" in nachlese("db", command, code=2)
    assert not home.exists()


def test_no_server_of_a_killed_process_stays_behind(server_folder: Path):
    folder = server_folder / "home" / "postgres"
    killed = python(JOIN, str(folder), stdin=subprocess.PIPE)
    assert killed.stdout.readline()
    server = server_of(folder.parent)
    killed.kill()
    killed.communicate()
    server.wait(60)  # it ends by itself
    dsn = database.embedded(folder)  # and the next one finds everything in order
    database.wait_for(dsn)
    database.leave(dsn)


def test_who_leaves_a_server_that_others_use_waits_for_nobody(server_folder: Path):
    folder = server_folder / "home" / "postgres"
    dsn = database.embedded(folder)
    other = python(JOIN, str(folder), stdin=subprocess.PIPE)
    assert other.stdout.readline()
    watcher = _servers[dsn].watcher
    database.leave(dsn)
    assert watcher.returncode == -signal.SIGKILL  # else it would look for five seconds whether the other one ends, too
    server = server_of(folder.parent)
    assert server.is_running()
    other.communicate("")
    server.wait(60)


def test_of_many_that_leave_at_the_same_time_one_is_the_last(server_folder: Path):
    folder = server_folder / "home" / "postgres"
    using = [python(JOIN, str(folder), stdin=subprocess.PIPE) for _ in range(4)]
    assert all(one.stdout.readline() for one in using)
    server = server_of(folder.parent)
    for one in using:
        one.stdin.close()
        one.stdin = None
    server.wait(60)
    assert [one.communicate()[1] or one.returncode for one in using] == [0] * 4
