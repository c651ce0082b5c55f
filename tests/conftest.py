"""A real Postgres for the tests: embedded, or that of NACHLESE_TEST_DATABASE_URL; a fresh database per test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from pipelines import database
from pipelines.store import Store
from tests.postgres15 import postgres15  # noqa: F401  a fixture

_numbers = itertools.count(1)


def _other_database(dsn: str, name: str) -> str:
    return conninfo.make_conninfo(dsn, dbname=name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The DSN of a server on which the tests may create databases."""
    stated = os.environ.get("NACHLESE_TEST_DATABASE_URL")
    if stated:
        yield stated
        return
    folder = Path(tempfile.mkdtemp(prefix="nachlese-tests-"))
    dsn = database.embedded(folder / "postgres")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # what the tests write need not survive the machine
        connection.execute("SELECT pg_reload_conf()")
    yield dsn
    database.leave(dsn)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A place for a test's own embedded server; not below pytest's folder, which the next test run of root closes."""
    folder = Path(tempfile.mkdtemp(prefix="nachlese-tests-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database, from which each test's is copied."""
    name = f"nachlese_template_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    database.migrate(_other_database(postgres_server, name))
    yield name
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def empty_database(postgres_server: str) -> Iterator[str]:
    """The DSN of a database without tables."""
    yield from fresh_database(postgres_server, "template0")


@pytest.fixture
def database_url(postgres_server: str, template: str) -> Iterator[str]:
    """The DSN of a fresh, migrated database."""
    yield from fresh_database(postgres_server, template)


def fresh_database(server: str, template: str) -> Iterator[str]:
    """The DSN of a database that is copied from *template*, and gone afterwards."""
    name = f"nachlese_test_{os.getpid()}_{next(_numbers)}"
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**names))
    yield _other_database(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with await Store.open(database_url) as opened:
        yield opened


@pytest.fixture
def sql_rows(database_url: str):
    """A function that runs SQL in the test's database and returns its rows as tuples."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield lambda statement, *values: connection.execute(statement, values or None).fetchall()
