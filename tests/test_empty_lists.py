"""CSV of a list without a row has its header all the same: that of the list with rows."""

from __future__ import annotations

import csv
import io

import pytest
from starlette.testclient import TestClient

from tests.news_database import database_url, news_template
from webapp.application import make_app
from webapp.settings import Settings

__all__ = ["database_url", "news_template"]  # fixtures
#: a list that has rows in the database of the tests, and the same without any
LISTS = {
    "/": "/?language=xx", "/search?q=haushalt": "/search?q=nichtsdergleichen", "/stories": "/stories?sources=50",
    "/families": "/families?source=ganzneu", "/changes": "/changes?source=ganzneu",
    "/runs": "/runs?outcome=running&source=bote", "/rejections": "/rejections?source=ganzneu",
    "/watchlists": "/watchlists/leer", "/sources": "/sources?show=alarms", "/sources/zeitung": "/sources/ganzneu",
}  # fmt: skip


def header_and_rows(client: TestClient, address: str) -> tuple[list[str], int]:
    answer = client.get(address + ("&" if "?" in address else "?") + "format=csv")
    assert answer.status_code == 200, answer.text
    header, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    return header, len(rows)


@pytest.mark.parametrize("address", LISTS)
async def test_an_empty_list_has_the_header_of_a_full_one(address: str, database_url: str, store, sql_rows):
    sql_rows("INSERT INTO ingest.sources (name, title) VALUES ('ganzneu', 'Ganz neu') RETURNING 1")
    sql_rows(
        "INSERT INTO ingest.watches (name, title, wanted, unwanted, sources, languages, has_hook) "
        "VALUES ('leer', 'Leer', 'nichts', '', '{}', '{}', false) RETURNING 1"
    )
    with TestClient(make_app(Settings(), database_url), base_url="http://127.0.0.1") as client:
        full, rows = header_and_rows(client, address)
        assert rows and len(full) > 4
        if address == "/sources":
            sql_rows("UPDATE ingest.sources SET enabled = false RETURNING 1")
    with TestClient(make_app(Settings(), database_url), base_url="http://127.0.0.1") as client:
        assert header_and_rows(client, LISTS[address]) == (full, 0)
