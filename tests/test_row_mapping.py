"""From what was read to what Postgres can store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from pipelines.items import Article, Hint, Image, Page, Precision, Provenance, Removed
from pipelines.store import keys, row_mapping
from pipelines.text_features import TextFeatures, features_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def article(**fields) -> Article:
    known = {"url": "https://a.example/1", "canonical_url": "https://a.example/1", "source": "a", "title": " Titel ",
             "text": "Ein Satz.", "fetched_at": AT}  # fmt: skip
    return Article(**known | fields)


def page(body: bytes = b"<p>Ein Satz.") -> Page:
    return Page("https://a.example/1", "a", body, AT)


def test_every_string_is_made_storable_wherever_it_stands():
    assert row_mapping.clean({"a\x00": ["b\ud800c", ("d\x07", 1, None)]}) == {"a": ["bc", ["d", 1, None]]}
    assert row_mapping.clean("tab\tand\nline") == "tab\tand\nline"


@pytest.mark.parametrize(
    ("at", "is_possible"),
    [
        (AT, True), (AT + timedelta(days=1), True), (AT + timedelta(days=3), False),
        (datetime(1989, 12, 31, tzinfo=UTC), False), (datetime(1990, 1, 1, tzinfo=UTC), True), (None, False),
    ],
)  # fmt: skip
def test_a_time_is_possible_from_1990_to_two_days_after_the_fetch(at, is_possible):
    assert row_mapping.possible(at, AT) == (at if is_possible else None)


def test_a_page_has_one_key_in_every_spelling_of_its_address_and_one_where_it_is_no_address():
    assert row_mapping.page_key("https://A.example/x#top") == row_mapping.page_key("http://a.example/x")
    assert row_mapping.page_key("no address") == keys.other_key("no address")
    assert row_mapping.web_key("file:///a.html") == b""


def test_rows_travel_as_json_with_times_and_keys_and_nothing_else():
    assert json.loads(row_mapping.dumps([{"at": AT, "key": b"\x01\xff"}])) == [
        {"at": "2026-03-01T12:00:00Z", "key": "01ff"}
    ]
    with pytest.raises(ValueError, match="Unable to serialize unknown type"):
        row_mapping.dumps([{"at": object()}])


def test_a_hint_is_a_row_of_what_json_has():
    row = row_mapping.hint_row(Hint(Provenance.FEED, title="T\x00", published_at=AT, published_precision=Precision.DAY))
    assert row is not None
    assert (row["via"], row["title"], row["published_at"]) == ("feed", "T", "2026-03-01T12:00:00Z")
    assert row_mapping.hint_row(None) is None


def test_a_version_has_what_the_article_says_and_what_follows_from_its_text():
    image = Image("https://a.example/1.jpg", "Unterschrift", "Foto: A")
    read = article(section="Politik", image=image, removed=(Removed("Werbung", "phrase"),), pages_read=3)
    row = row_mapping.version_row(read, AT, features_of(page(), read))
    assert (row["title"], row["word_count"], row["sections"], row["pages_total"]) == ("Titel", 2, ["Politik"], 3)
    assert (row["image_url"], row["image_caption"], row["image_credit"]) == (image.url, image.caption, image.credit)
    assert row["removed"] == [{"rule": "phrase", "text": "Werbung"}]
    assert row["text_markdown"] == "Ein Satz."


def test_an_impossible_time_is_not_stored_nor_what_is_known_about_it():
    late = article(
        published_at=AT + timedelta(days=9), published_precision=Precision.DAY, published_provenance=Provenance.META
    )
    row = row_mapping.version_row(late, AT, features_of(page(), late))
    assert (row["published_at"], row["published_precision"], row["published_provenance"]) == (None, None, None)


def test_a_page_whose_time_has_no_zone_cannot_be_stored():
    undated = replace(page(), fetched_at=AT.replace(tzinfo=None))
    with pytest.raises(ValueError, match="no time zone"):
        row_mapping.item(None, undated, article(), None)


@pytest.mark.parametrize(
    "text", ["", "Kurz.", "Ein \x00Satz mit „Marken“ und zwölf Wörtern, die für Bänder reichen, ja. " * 3]
)
def test_what_a_reader_has_found_of_the_words_makes_the_row_that_the_store_would_make(text):
    read = article(text=text, teaser="Vorab\x00", removed=(Removed("Korrektur: Es sind 42 Sitze.\x00", "phrase"),))
    answer = TypeAdapter(TextFeatures)
    travelled = answer.validate_json(answer.dump_json(features_of(page(), read)))
    row = row_mapping.item(None, page(), read, None, features=travelled)
    assert row == row_mapping.item(None, page(), read, None)
    assert row.version["correction"] == "Korrektur: Es sind 42 Sitze."


@pytest.mark.parametrize(
    "wrong", [{"content_key": "zz"}, {"bands": []}, {"bands": [1 << 70] * 32}, {"word_count": "x"}]
)
def test_features_of_another_shape_are_nonsense(wrong):
    answer = TypeAdapter(TextFeatures)
    found = answer.dump_python(features_of(page(), article(text="Wort um Wort " * 9)))
    with pytest.raises(ValidationError):
        answer.validate_python(found | wrong)
