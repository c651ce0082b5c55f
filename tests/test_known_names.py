"""A source or watchlist that nobody knows is a mistake that is named, not an empty list."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.news_database import database_url, news_template
from webapp.api.endpoints import ENDPOINTS
from webapp.application import make_app
from webapp.settings import Settings

__all__ = ["database_url", "news_template"]  # fixtures
OF_A_SOURCE = [e.path for e in ENDPOINTS if any(one.name == "source" for one in e.parameters)]
PAGES = ["/", "/search?q=rat", "/stories", "/families", "/changes", "/runs", "/rejections"]


@pytest.fixture
async def client(database_url: str):
    with TestClient(make_app(Settings(), database_url), base_url="http://127.0.0.1") as made:
        yield made


@pytest.mark.parametrize("address", [f"/api/v1{path}" for path in OF_A_SOURCE] + PAGES)
async def test_a_slip_of_the_pen_is_no_empty_list(client, address: str):
    more = "q=rat&" if address.endswith(("search", "mentions")) else ""
    asked = f"{address}{'&' if '?' in address else '?'}{more}source="
    assert client.get(asked + "zeitung").status_code == 200
    answer = client.get(asked + "Zeitnug")
    assert answer.status_code == 400
    assert "there is no &#39;Zeitnug&#39;; did you mean &#39;zeitung&#39;?" in answer.text.replace("'", "&#39;")


async def test_what_is_like_nothing_has_no_proposal_and_a_watchlist_is_known_as_well(client):
    answer = client.get("/api/v1/articles?source=qqqq")
    assert answer.json()["detail"] == "source: there is no 'qqqq'"
    assert client.get("/api/v1/matches?watch=haushalt").status_code == 200
    answer = client.get("/api/v1/matches?watch=haushlat")
    assert (answer.status_code, answer.json()["detail"]) == (
        400, "watch: there is no 'haushlat'; did you mean 'haushalt'?"
    )  # fmt: skip


async def test_a_source_that_came_a_moment_ago_is_known(client, store):
    assert client.get("/api/v1/articles?source=morgenpost").status_code == 400
    await store.begin_run("morgenpost", "crawl", "host:1")
    assert client.get("/api/v1/articles?source=morgenpost").json()["items"] == []
