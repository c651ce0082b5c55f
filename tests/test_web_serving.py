"""``nachlese web`` as a process, and who may ask it: over real HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from psycopg import conninfo, sql

from pipelines import database
from tests.news_database import database_url, news_template
from tests.web_server import running, served
from webapp import serving
from webapp.mcp import serving as mcp
from webapp.queries.paging import cursor
from webapp.reader import NotAllowed, Reader, TooSlow, Unavailable
from webapp.security import hashed
from webapp.settings import Settings, SettingsError, checked

__all__ = ["database_url", "news_template"]  # fixtures


def command(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NACHLESE_")}
    line = [sys.executable, "-m", "crawler.cli", "web", *arguments]
    return subprocess.Popen(line, env=clean | environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_command_says_where_it_is_and_ends_well_when_it_is_stopped(database_url: str):
    process = command("--port", "0", NACHLESE_DATABASE_URL=database_url)
    try:
        line = process.stderr.readline()
        url = re.match(r"(http://127\.0\.0\.1:\d+/) ", line)[1]
        assert httpx2.get(url).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [(["--host", "0.0.0.0"], {}, "NACHLESE_WEB_PASSWORD_HASH"), ([], {"NACHLESE_WEB_TOKEN": "short"}, "too short"),
     ([], {"NACHLESE_WEB_PASSWORD_HASH": "secret"}, "no hash of argon2")],
)  # fmt: skip
def test_what_would_let_strangers_in_does_not_start(database_url: str, arguments, environment, said: str):
    process = command("--port", "0", *arguments, NACHLESE_DATABASE_URL=database_url, **environment)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2 and said in error and "secret" not in error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_needs_no_password(host: str):
    assert checked(Settings(host=host)).hosts


def test_names_are_names():
    with pytest.raises(SettingsError, match="name of a host"):
        checked(Settings(allowed_hosts=("https://news.example",)))
    assert "news.example" in Settings(host="0.0.0.0", allowed_hosts=("News.Example",)).hosts
    assert "0.0.0.0" not in Settings(host="0.0.0.0").hosts


def test_metrics_are_what_prometheus_reads_and_are_asked_for_like_any_page(database_url: str):
    token = "0123456789abcdefghij"
    with running(database_url, Settings(password_hash=hashed("geheim"), token=token)) as base:
        refused = httpx2.get(f"{base}/metrics")
        assert refused.status_code == 401 and "nachlese_" not in refused.text
        answer = httpx2.get(f"{base}/metrics", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    lines = answer.text.splitlines()
    families = {line.split()[2] for line in lines if line.startswith("# ")}
    for kind, least in (("HELP", 4), ("TYPE", 4)):  # each once, with a text of its own
        said = [line.split(" ", 3) for line in lines if line.startswith(f"# {kind} ")]
        assert {parts[2] for parts in said} == families and len(said) == len(families)
        assert all(len(parts) == least and parts[3].strip() for parts in said)
    samples = [re.split(r"[{ ]", line)[0] for line in lines if not line.startswith("#")]
    assert samples and set(samples) <= families
    assert {"nachlese_articles", "nachlese_runs_total", "nachlese_queue_due", "nachlese_memory_bytes"} <= set(samples)
    with running(database_url) as base:
        assert httpx2.get(f"{base}/metrics").status_code == 200


def test_a_password_or_a_token_lets_in_and_nothing_else_does(database_url: str):
    token = "0123456789abcdefghij"
    settings = Settings(password_hash=hashed("Käse & Brot"), token=token)
    assert "argon2" not in repr(settings) and token not in repr(settings)
    with running(database_url, settings) as base:
        for url in ("/", "/static/style.css", "/api/v1/articles", "/nothing"):
            answer = httpx2.get(f"{base}{url}")
            assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Basic ")
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        basic = httpx2.BasicAuth("anybody", "Käse & Brot")
        assert [httpx2.get(base, auth=basic).status_code for _ in range(2)] == [200, 200]
        assert httpx2.get(base, auth=httpx2.BasicAuth("anybody", "wrong")).status_code == 401
        assert httpx2.get(base, auth=httpx2.BasicAuth("feed reader", token)).status_code == 200
        assert httpx2.get(base, headers={"Authorization": f"Bearer {token}"}).status_code == 200
        for wrong in ("Bearer x", "Bearer", "Basic !", "Basic " + "A" * 5000, "Digest x", "Bearer " + token[:-1]):
            assert httpx2.get(base, headers={"Authorization": wrong}).status_code == 401


def test_slow_clients_stop_nobody(database_url: str):
    """Fifty that never finish their question, and fifty that never read the answer."""
    with running(database_url) as base:
        host, port = urlsplit(base).hostname, urlsplit(base).port
        question = f"GET /?format=json HTTP/1.1\r\nHost: {host}:{port}\r\n".encode()
        held = []
        for number in range(100):
            one = socket.create_connection((host, port))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(question[:-2] if number % 2 else question + b"\r\n")
            held.append(one)
        with ThreadPoolExecutor(4) as threads:
            codes = list(threads.map(lambda _: httpx2.get(base, timeout=60).status_code, range(20)))
        assert codes == [200] * 20
        for one in held:
            one.close()


def until_it_is_closed(netloc: str, beginning: bytes) -> None:
    with socket.create_connection(netloc.split(":"), timeout=10) as one:
        one.sendall(beginning)
        with suppress(ConnectionResetError):  # it ends: by an end or by a reset
            while one.recv(65_536):
                pass


def test_who_never_finishes_what_an_agent_asks_is_left(database_url: str, monkeypatch):
    monkeypatch.setattr(serving, "PATIENCE", 0.2)
    with served(mcp.make_app(Settings(port=0), database_url), Settings(port=0)) as base:
        netloc = urlsplit(base).netloc
        head = f"POST {mcp.PATH} HTTP/1.1\r\nHost: {netloc}\r\nAccept: application/json\r\n"
        until_it_is_closed(netloc, f"{head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{{".encode())


def test_who_never_finishes_a_question_or_never_takes_an_answer_is_left(database_url: str, monkeypatch):
    monkeypatch.setattr(serving, "PATIENCE", 0.2)
    with running(database_url) as base:
        netloc = urlsplit(base).netloc
        for beginning in (b"", b"GET / HTTP/1.1\r\n", f"GET / HTTP/1.1\r\nHost: {netloc}\r\n".encode()):
            until_it_is_closed(netloc, beginning)
        with httpx2.Client() as kept:  # who asks at once is kept, however long ago the connection was made
            assert [kept.get(base).status_code for _ in range(3)] == [200] * 3


NUL, HALF = "https://x.example/\0", "https://x.example/\ud800"
ATTACKS = [
    "/static/../../pyproject.toml",
    "/static/%2e%2e/%2e%2e/pyproject.toml",
    "/static/..%2f..%2fetc/passwd",
    "//etc/passwd",
    "/search?q=%27%3B%20DROP%20TABLE%20x--",
    "/?source=%27%20OR%201%3D1--",
    "/search?q=%00",
    "/search?q=" + "%28" * 400,
    "/search?q=" + "a+or+" * 90,
    "/search?q=%E2%80%AE%F0%9F%92%A9",
    "/?cursor=W3sidCI6IjIwMjYtMDEtMDEifSwxXQ",
    f"/rejections?cursor={cursor([datetime.now(UTC), NUL])}",
    f"/api/v1/rejections?cursor={cursor([datetime.now(UTC), HALF])}",
    "/explain?url=javascript:alert(1)",
    "/explain?url=http://[::1",
    "/explain?url=%00",
    "/sources/..%2f..",
    "/sources/%00",
    "/watchlists/%3Cscript%3E",
    "/articles/1?version=99999999999999999999",
    "/articles/-1",
    "/articles/1e3",
    "/.env",
    "/?since=0001-01-01",
    "/?until=9999-12-31",
    "/api/v1/articles?since=9999-12-31T23:59:59-23:59",
    "/?limit=1e9",
    "/search?q=%22",
    "/search?q=-",
    "/search?q=:*%26%7C!()",
    "/api/v1/explain?url=" + "x" * 3000,
    "/?" + "a=b&" * 500,
    "/?theme=%3Cscript%3E",
    "/?ui=../../etc",
    "/?ui=de%0d%0aSet-Cookie:x=y",
    "/api/v1/sources/%ff",
    "/%ff",
    "/?x=%ff%fe",
]


def test_an_attack_is_a_page_or_a_refusal_and_never_a_mistake(database_url: str):
    with running(database_url) as base:
        netloc = urlsplit(base).netloc
        for attack in ATTACKS:
            with socket.create_connection(netloc.split(":")) as raw:
                raw.sendall(f"GET {attack} HTTP/1.1\r\nHost: {netloc}\r\nConnection: close\r\n\r\n".encode())
                whole = b"".join(iter(lambda: raw.recv(65536), b""))
            head, _, body = whole.partition(b"\r\n\r\n")
            assert 200 <= int(head.split()[1]) < 500, (attack, whole[:300])
            assert b"[project]" not in body and b"root:" not in body and b"<script>" not in body, attack
            assert b"set-cookie: x" not in head.lower(), attack


async def test_a_question_that_takes_too_long_is_stopped_and_says_so(database_url: str):
    async with Reader(database_url, statement_timeout=0.05) as reader:
        with pytest.raises(TooSlow):
            async with reader.session() as news:
                await news.rows("SELECT pg_sleep(60)")
        async with reader.session() as news:
            assert await news.rows("SELECT 1 AS one") == [{"one": 1}]


async def test_nothing_can_be_written(database_url: str):
    async with Reader(database_url) as reader:
        for statement in (
            "DELETE FROM ingest.matches",
            "CREATE TABLE mine (id int)",
            "SELECT setval('ingest.runs_id_seq', 1)",
        ):
            with pytest.raises((psycopg.errors.ReadOnlySqlTransaction, NotAllowed)):
                async with reader.session() as news:
                    await news.rows(statement)


def test_a_slow_question_is_a_page(database_url: str):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE ingest.stories RENAME TO stories_of_old")
        connection.execute(
            "CREATE VIEW ingest.stories AS SELECT * FROM ingest.stories_of_old WHERE pg_sleep(60) IS NOT NULL"
        )
        connection.execute(
            "CREATE OR REPLACE VIEW news.stories AS SELECT id, ''::text AS title, first_seen_at, last_seen_at, "
            "articles, "
            "sources FROM ingest.stories"
        )
    with running(database_url, Settings(statement_timeout=0.2)) as base:
        answer = httpx2.get(f"{base}/stories", timeout=60)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert "takes longer than a page may take" in answer.text
        assert httpx2.get(f"{base}/sources", timeout=60).status_code == 200


def test_a_database_that_is_away_is_a_page_without_its_address(postgres_server: str):
    nowhere = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"
    with running(nowhere) as base:
        answer = httpx2.get(base, timeout=60)
    assert answer.status_code == 503
    assert "hunter2" not in answer.text and "nowhere" not in answer.text and "somebody" not in answer.text


@pytest.fixture
def with_roles(database_url: str) -> Iterator[str]:
    """The database with its roles, which belong to the whole server and are taken away again."""
    database.make_roles(database_url, {})
    yield database_url
    with psycopg.connect(database_url, autocommit=True) as connection:
        for role in database.ROLES:
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


async def test_it_reads_as_the_role_that_may_only_read(with_roles: str):
    reader_dsn = conninfo.make_conninfo(with_roles, user="nachlese_reader")
    for dsn in (with_roles, reader_dsn):
        async with Reader(dsn) as reader:
            async with reader.session() as news:
                who = await news.row("SELECT current_user AS name, current_setting('transaction_read_only') AS only")
                assert who == {"name": "nachlese_reader", "only": "on"}
            with pytest.raises(NotAllowed):
                async with reader.session() as news:
                    await news.rows("SELECT FROM ingest.articles")
    assert database.may_migrate(with_roles) and not database.may_migrate(reader_dsn)
    with running(reader_dsn) as base, httpx2.Client(base_url=base, timeout=60) as client:
        for url in (
            "/",
            "/search?q=haushalt",
            "/stories",
            "/families",
            "/changes",
            "/sources",
            "/sources/zeitung",
            "/runs",
            "/rejections",
            "/explain?url=https://zeitung.example/1",
            "/watchlists",
            "/database",
            "/articles/1",
        ):
            assert client.get(url).status_code == 200, url


async def test_too_many_at_once_is_said_and_not_waited_for_ever(database_url: str, monkeypatch: pytest.MonkeyPatch):
    async with Reader(database_url, size=1) as reader, reader.session():
        monkeypatch.setattr("webapp.reader.WAIT", 0.05)  # not before: the first session has to connect
        with pytest.raises(Unavailable):
            async with reader.session():
                pass
