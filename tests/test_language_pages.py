"""Whole pages in the languages that came after German, English and French: what a newsroom there would expect of each.

tests/languages is a folder in the corpus' format, so `python -m benchmarks.reading --corpus tests/languages` compares
them with other readers too.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.items import Article, Page
from pipelines.reading import read, shipped_rules

FOLDER = Path(__file__).parent / "languages"
DOCS = [json.loads(line) for line in (FOLDER / "docs.jsonl").read_text("utf-8").split("\n") if line]


def article_of(doc: dict[str, Any]) -> Article:
    fetched = datetime.fromisoformat(doc["fetched_at"])
    page = Page(doc["url"], "source", (FOLDER / doc["file"]).read_bytes(), fetched, "text/html")
    return read(page, shipped_rules(doc["time_zone"]))


@pytest.mark.parametrize("doc", [pytest.param(doc, id=doc["id"]) for doc in DOCS])
def test_a_page_is_read_as_its_readers_see_it(doc: dict[str, Any]):
    article = article_of(doc)
    assert (article.title, list(article.authors), article.language) == (doc["title"], doc["authors"], doc["language"])
    assert article.published_at == datetime.fromisoformat(doc["published"])
    lead = article.teaser if article.teaser_is_visible else None
    assert "\n\n".join(filter(None, (lead, article.text))) == doc["text"]
    assert article.agency == doc.get("agency")
    if "modified" in doc:
        assert article.modified_at and article.modified_at.date().isoformat() == doc["modified"]


def test_every_language_but_those_of_the_corpus_has_its_pages():
    from pipelines.reading.languages import languages

    assert {doc["language"] for doc in DOCS} == set(languages()) - {"de", "en", "fr"}
