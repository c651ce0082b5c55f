"""What a reader has counted of a wording is used once, when the wording is grouped."""

from __future__ import annotations

from array import array
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from pipelines import stories
from pipelines.items import Article, Page
from pipelines.store import story_terms
from pipelines.text_features import TextFeatures, features_of, with_terms

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://example.org/1"
WORDING = ("Brand in Passau", "Vierzehn Bewohner verletzt", "Ein Feuer hat das Brauhaus Zum Anker zerstört. " * 40)


def features(title: str, teaser: str | None, text: str) -> TextFeatures:
    article = Article(URL, URL, "a", title, text, AT, teaser=teaser)
    return with_terms(features_of(Page(URL, "a", b"x", AT), article), article)


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    story_terms._counted.clear()


def test_terms_are_those_that_would_be_counted_and_taken_once():
    story_terms.remember(*WORDING, features(*WORDING))
    assert story_terms.taken(WORDING[0], None, WORDING[2]) is None
    assert story_terms.taken(*WORDING) == stories.counted(*WORDING)
    assert story_terms.taken(*WORDING) is None


def test_what_a_reader_sends_is_the_same_to_the_last_digit():
    answer, sent = TypeAdapter(TextFeatures), features(*WORDING)
    assert answer.validate_json(answer.dump_json(sent)) == sent
    assert len(sent.terms) > 5


def test_an_article_of_names_and_numbers_alone_has_no_more_terms_than_may_come():
    words = " ".join(f"{number} Berg{number}" for number in range(1000))
    answer, sent = TypeAdapter(TextFeatures), features(words, words.swapcase(), words.title())
    assert answer.validate_json(answer.dump_json(sent)) == sent


def test_half_of_what_was_counted_is_nothing():
    story_terms.remember(*WORDING, replace(features(*WORDING), prominence=(1.0,)))
    story_terms.remember(*WORDING, features_of(Page(URL, "a", b"x", AT), Article(URL, URL, "a", *WORDING[::2], AT)))
    assert story_terms.taken(*WORDING) is None


def test_wordings_that_nobody_groups_are_forgotten(monkeypatch):
    wordings = [(f"{number}. {WORDING[0]}", None, WORDING[2]) for number in range(3)]
    of_one = sum(len(terms) * terms.itemsize for terms in (array("i", features(*wordings[0]).terms),) * 3)
    monkeypatch.setattr(story_terms, "MOST", 2 * of_one)  # four bytes a term, and eight for how prominent it is
    for wording in (*wordings, *wordings[1:]):  # one that is stored again counts once
        story_terms.remember(*wording, features(*wording))
    assert [story_terms.taken(*wording) is None for wording in wordings] == [True, False, False]
