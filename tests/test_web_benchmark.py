"""``python -m benchmarks.web``: what it measures is answered, and every page and every question of the API is in it."""

from __future__ import annotations

import asyncio
import re

from benchmarks import web
from tests.test_sql_docs import some_news
from webapp import pages
from webapp.api.endpoints import ENDPOINTS


async def test_a_short_run_measures_every_page_and_slow_clients_stop_nothing(store, database_url: str):
    await some_news(store)
    row = await asyncio.to_thread(web.measured, database_url, views=32, at_once=4, slow=50)
    # each article stands alone there, and none is of an agency
    left_out = {name for name, path in web.PAGES.items() if "{story}" in path or "{agency}" in path}
    assert web.PAGES.keys() - left_out <= row["alone"].keys()
    for name in ("bare", "pages", "api", "beside_slow_clients"):
        assert row[name]["wrong"] == 0 and row[name]["per_second"] > 0, name
    assert all(one["wrong"] == 0 for one in row["alone"].values())
    assert row["pages"]["cpu_ms"] > row["bare"]["cpu_ms"]


def test_every_page_and_every_endpoint_is_in_the_benchmark():
    there = {re.sub(r"{\w+(:\w+)?}", "{}", route.path) for route in pages.routes()}
    assert there == {re.sub(r"{\w+}", "{}", path.partition("?")[0]) for path in web.PAGES.values()}
    known = {re.sub(r"{\w+}", "{}", endpoint.path) for endpoint in ENDPOINTS}
    assert known == {re.sub(r"{\w+}", "{}", path.partition("?")[0]) for path in web.API.values()}
