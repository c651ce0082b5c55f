"""Changes as server-sent events: over real HTTP, from a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest

from pipelines.items import Article, Page
from tests.news_database import database_url, news_template
from tests.web_server import running

__all__ = ["database_url", "news_template"]  # fixtures


@pytest.fixture
async def server(database_url: str) -> Iterator[str]:
    with running(database_url) as base:
        yield base


def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Events as the standard says they are read."""
    event: dict[str, str] = {}
    for line in lines:
        if not line and "data" in event:
            yield event
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def first(base: str, number: int, **headers: str) -> list[dict[str, str]]:
    """The first *number* events of the stream, from the beginning of all changes."""
    with httpx2.Client(timeout=60) as client:
        address = f"{base}/api/v1/changes/stream?after=0"
        with client.stream("GET", address, headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            found = events(answer.iter_lines())
            return [next(found) for _ in range(number)]


async def test_the_stream_has_every_change_once_and_goes_on_where_it_was_broken_off(server, sql_rows):
    ids = [str(row[0]) for row in sql_rows("SELECT id FROM news.changes ORDER BY id")]
    assert len(ids) >= 5
    assert [event["id"] for event in first(server, len(ids))] == ids
    assert [event["id"] for event in first(server, len(ids) - 2, **{"Last-Event-ID": ids[1]})] == ids[2:]


async def test_what_is_stored_while_somebody_listens_comes_at_once(server, store, sql_rows):
    (last,) = sql_rows("SELECT max(id) FROM news.changes")[0]
    async with (
        httpx2.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{server}/api/v1/changes/stream?after={last}") as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        run = await store.begin_run("zeitung", "crawl", "host:1")
        url = "https://zeitung.example/neu"
        row = sql_rows("SELECT now()")[0][0]
        page = Page(url=url, source="zeitung", body=b"neu", fetched_at=row)
        read = Article(
            url=url, canonical_url=url, source="zeitung", title="Neu", text="Ganz neuer Text", fetched_at=row
        )
        await store.save_article(run, page, read)
        async for line in lines:
            if line.startswith("data: "):
                change = json.loads(line.removeprefix("data: "))
                break
    assert (change["kind"], change["canonical_url"]) == ("new", url)


async def test_a_stream_is_only_headers_where_only_headers_are_asked_for(server):
    answer = httpx2.head(f"{server}/api/v1/changes/stream")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/event-stream")


@pytest.mark.parametrize("last", ["x", "-1", "99999999999999999999"])
async def test_a_number_that_is_none_is_refused(server, last: str):
    answer = httpx2.get(f"{server}/api/v1/changes/stream", headers={"Last-Event-ID": last})
    assert answer.status_code == 400 and "Last-Event-ID" in answer.json()["detail"]
