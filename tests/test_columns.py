"""An article has one list of columns, and the database has the same."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from crawler import comparing, exporting, records
from pipelines import columns
from pipelines.items import Article, Precision, Rights

TYPES = """
    SELECT attribute.attname AS name, format_type(attribute.atttypid, NULL) AS type
    FROM pg_attribute AS attribute
    WHERE attribute.attrelid = %s::regclass AND attribute.attnum > 0 AND NOT attribute.attisdropped
    ORDER BY attribute.attnum
"""


def types_of(sql_rows, relation: str) -> dict[str, str]:
    return {name: kind.replace("timestamp with time zone", "timestamptz") for name, kind in sql_rows(TYPES, relation)}


def test_every_column_of_a_version_is_there_with_its_type(store, sql_rows):
    stored = types_of(sql_rows, "ingest.versions")
    assert {name: stored.get(name) for name in columns.VERSION} == columns.VERSION
    # Postgres fills the first two; the others are set where the page states something else under the same words
    others = {"serial", "published_on", "metadata_at", "metadata_reader"}
    assert set(stored) - set(columns.VERSION) == others


def test_what_is_shown_is_what_the_view_has_in_its_order(store, sql_rows):
    shown = types_of(sql_rows, "news.articles")
    assert list(shown.items()) == list(columns.PUBLIC.items())


def test_every_field_of_an_article_becomes_a_column():
    assert {field.name for field in fields(Rights)} == {name.removeprefix("rights_") for name in columns.RIGHTS}
    own_row = {"url", "canonical_url", "source", "fetched_at"}
    names = {field.name for field in fields(Article)} - own_row - {"teaser_is_visible", "image", "rights"}
    assert names <= set(columns.VERSION)
    assert set(columns.FIRST) <= set(columns.PUBLIC)
    assert set(columns.COMPARED) <= {field.name for field in fields(Article)}


def test_exports_records_and_comparisons_go_by_that_list():
    assert tuple(columns.PUBLIC) == exporting.COLUMNS
    assert tuple(records.ordered({})) == columns.FIRST
    stored = {name: None for name in columns.PUBLIC}
    read = Article("https://a.example/1", "https://a.example/1", "a", "T", "Text", datetime(2026, 1, 1, tzinfo=UTC))
    assert comparing.differences(stored, read).keys() <= set(columns.COMPARED)
    assert comparing.differences(stored, read)["title"] == (None, "T")


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, "text"), (str | None, "text"), (Precision | None, "text"), (bool | None, "boolean"), (int, "integer"),
        (datetime | None, "timestamptz"), (tuple[str, ...], "text[]"), (dict[str, str], "jsonb"),
    ],
)  # fmt: skip
def test_a_type_says_what_its_column_is(annotation, kind):
    assert columns.sql_type(annotation) == kind


def test_a_type_without_a_column_is_an_error_that_names_it():
    with pytest.raises(TypeError, match="no column is known for <class 'bytes'>"):
        columns.sql_type(bytes)
