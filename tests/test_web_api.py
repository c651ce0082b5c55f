"""The API as its own OpenAPI document describes it: asked by schemathesis, which nobody here wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as HypothesisPhase
from schemathesis.checks import CHECKS, load_all_checks
from starlette.testclient import TestClient

from tests.news_database import database_url, news_template
from tests.web_server import running
from webapp.api.endpoints import ENDPOINTS
from webapp.application import make_app
from webapp.settings import Settings

__all__ = ["database_url", "news_template"]  # fixtures
load_all_checks()
ADDRESSES = [f"/api/v1{endpoint.path}" for endpoint in ENDPOINTS]


@pytest.fixture
async def client(database_url: str) -> Iterator[TestClient]:
    with TestClient(make_app(Settings(), database_url), base_url="http://127.0.0.1") as made:
        yield made


def an_address(path: str) -> str:
    """*path* with something that is there."""
    return path.replace("{id}", "1").replace("{name}", "zeitung") + {
        "/search": "?q=haushalt", "/mentions": "?q=haushalt", "/explain": "?url=https://zeitung.example/1",
    }.get(path, "")  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
async def test_an_address_answers_what_the_document_says(client, endpoint):
    document = client.get("/api/v1/openapi.json").json()
    operation = schemathesis.openapi.from_dict(document)[f"/api/v1{endpoint.path}"]["GET"]
    answer = client.get("/api/v1" + an_address(endpoint.path))
    assert answer.status_code == 200, answer.text
    assert operation.is_valid_response(answer), answer.text
    body = answer.json()
    if endpoint.is_list:
        assert body["items"], "the example brings nothing, so the test says nothing"


# the server runs in a thread of this process, and its pool of connections draws numbers, too
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.parametrize("address", ADDRESSES)
def test_whatever_is_asked_the_answer_keeps_to_the_document(database_url, address: str):
    with running(database_url) as base:
        ask_whatever(base, address)


def can_be_wrong(address: str) -> bool:
    """Whether there is anything to ask wrongly: any text is a name."""
    endpoint = next(one for one in ENDPOINTS if f"/api/v1{one.path}" == address)
    return bool(endpoint.cursor) or any(parameter.name != "name" for parameter in endpoint.parameters)


def ask_whatever(base: str, address: str) -> None:
    schema = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json")
    operation = schema[address]["GET"]
    # an address may be well formed and none all the same, and a cursor is what the page before gave
    lax = {"positive_data_acceptance"} if address == "/api/v1/explain" else set()
    excluded = [check for name in CHECKS.get_all_names() if name in lax for check in CHECKS.get_by_names([name])]

    def without_cursor(case: schemathesis.Case) -> schemathesis.Case:
        case.query.pop("cursor", None)
        return case

    def of_known_names(case: schemathesis.Case) -> schemathesis.Case:
        """The document cannot say which sources and watchlists there are."""
        known = {"source": "zeitung", "watch": "haushalt"}
        case.query.update({name: known[name] for name in known.keys() & case.query.keys()})
        return case

    strategies = [
        operation.as_strategy(generation_mode=mode)
        .map(without_cursor)
        .map(of_known_names if mode == schemathesis.GenerationMode.POSITIVE else lambda case: case)
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
        if mode == schemathesis.GenerationMode.POSITIVE or can_be_wrong(address)
    ]
    for strategy in strategies:

        @settings(
            max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
            phases=[HypothesisPhase.explicit, HypothesisPhase.generate],
        )  # fmt: skip
        @given(case=strategy)
        def ask(case: schemathesis.Case) -> None:
            response = case.call()
            case.validate_response(response, excluded_checks=excluded)

        ask()


async def test_the_document_names_what_the_database_says_of_its_columns(client):
    document = client.get("/api/v1/openapi.json").json()
    item = document["paths"]["/api/v1/articles"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    title = item["properties"]["items"]["items"]["properties"]["title"]
    assert title == {"type": ["string", "null"], "description": "Headline"}


async def test_pages_of_a_list_are_all_of_it_and_nothing_twice(client):
    seen, cursor = [], ""
    while True:
        body = client.get(f"/api/v1/articles?limit=1{cursor}").json()
        seen += [item["id"] for item in body["items"]]
        if not body["next"]:
            break
        cursor = f"&cursor={body['next']}"
    assert seen == [item["id"] for item in client.get("/api/v1/articles").json()["items"]] and len(seen) == 3


async def test_changes_are_read_to_their_end_and_the_next_question_is_known(client):
    after, ids = "0", []
    for _ in range(20):
        body = client.get(f"/api/v1/changes?after={after}&limit=2").json()
        ids += [item["id"] for item in body["items"]]
        after = body["next"]
        if not body["items"]:
            break
    assert ids == sorted(set(ids)) and str(ids[-1]) == after


@pytest.mark.parametrize("offset", ["%2B01:00", "+01:00", "+0100", "-23:00", "Z"])
async def test_a_time_means_the_same_whether_its_plus_is_escaped_or_not(client, sql_rows, offset: str):
    """As an answer to a wrong one advises it, which nobody escapes; a plus in an address is a blank."""
    sql_rows("UPDATE ingest.articles SET first_seen_at = '2026-03-01 17:30+00' WHERE id = 1 RETURNING 1")
    asked = "/api/v1/articles?since=2026-03-01T18:00:00{}&until=2026-03-01T18:45:00{}"
    found = [row["id"] for row in client.get(asked.format(offset, offset)).json()["items"]]
    assert found == ([1] if "01" in offset else [])
    assert client.get("/api/v1/articles?since=2026-03-01+17:00").status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/articles?limit=0", "/articles?limit=1&limit=2", "/articles?unknown=1", "/articles?is_free=maybe", "/search",
     "/search?q=", "/articles?since=tomorrow", "/articles?cursor=e30", "/changes?after=-1", "/explain?url=ftp://a"],
)  # fmt: skip
async def test_a_wrong_parameter_is_named(client, address: str):
    answer = client.get(f"/api/v1{address}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    name = address.partition("?")[2].partition("=")[0] or "q"
    assert json.loads(answer.text)["detail"].startswith(f"{name}: ")
