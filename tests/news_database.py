"""Fixtures for tests that only look: each test's database is a copy of one that a module fills once with some news."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from psycopg import conninfo

from pipelines.store import Store
from tests.conftest import fresh_database
from tests.test_sql_docs import some_news


async def _filled(dsn: str) -> None:
    async with await Store.open(dsn) as store:
        await some_news(store)


@pytest.fixture(scope="module")
def news_template(postgres_server: str, template: str) -> Iterator[str]:
    """The name of a database with some news. A module's own: what it holds is minutes old, by the clock."""
    for dsn in fresh_database(postgres_server, template):
        with asyncio.Runner() as runner:
            runner.run(_filled(dsn))
        yield conninfo.conninfo_to_dict(dsn)["dbname"]


@pytest.fixture
def database_url(postgres_server: str, news_template: str) -> Iterator[str]:
    """In place of that of conftest.py: a fresh database with some news in it."""
    yield from fresh_database(postgres_server, news_template)
