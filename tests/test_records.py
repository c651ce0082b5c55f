"""Articles as programs get them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crawler import records
from pipelines import columns
from pipelines.items import Article, Removed

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_an_article_that_was_read_begins_like_one_that_was_stored():
    read = Article(
        "https://a.example/1", "https://a.example/1", "a", "T", "Text", AT, removed=(Removed("x", "phrase"),)
    )
    record = records.of_article(read, BERLIN)
    assert tuple(record)[: len(columns.FIRST)] == columns.FIRST
    assert (record["version"], record["fetched_at"]) == (None, "2026-07-01T14:00:00+02:00")
    assert "removed" not in record
    assert records.of_article(read, BERLIN, with_removed=True)["removed"] == ({"text": "x", "rule": "phrase"},)


def test_a_row_keeps_what_it_has_beyond_the_first_columns():
    record = records.of_row({"id": 7, "title": "T", "fetched_at": AT}, BERLIN)
    assert list(record) == [*columns.FIRST, "id", "fetched_at"]
    assert (record["id"], record["title"], record["text"]) == (7, "T", None)
