"""The seed documents that the project was asked for: every key of tests/seeds/expected.json through the public door."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines.items import Article, Page, Precision, Provenance
from pipelines.reading import read, shipped_rules

SEEDS = Path(__file__).parent / "seeds"
EXPECTED = {
    name: value
    for name, value in json.loads((SEEDS / "expected.json").read_text("utf-8")).items()
    if not name.startswith("_")
}
# notes for people, and what the caller of `read` brings along
NOT_OF_THE_ARTICLE = {"style", "published_note", "fetched_at"}
FETCHED_AT = "2026-02-01T12:00:00+01:00"


def seed(name: str) -> Article:
    page = Page(
        url=f"seed:{name}",
        source="seeds",
        body=(SEEDS / name).read_bytes(),
        fetched_at=datetime.fromisoformat(EXPECTED[name].get("fetched_at", FETCHED_AT)),
        content_type="text/plain",
    )
    return read(page, shipped_rules())


def check_text(article: Article, key: str, value: object) -> None:
    text = article.text
    if key == "paragraphs":
        assert len(text.split("\n\n")) == value
    elif key == "text_starts":
        assert text.startswith(str(value))
    elif key == "text_ends":
        assert text.endswith(str(value))
    elif key == "rejoined":
        assert [words for words in value if words not in text] == []
    elif key == "text_must_not_contain":
        assert [words for words in value if words in text or words in article.text_markdown.replace("## ", "")] == []
    else:
        raise AssertionError(f"nothing checks {key}")


def check_published(article: Article, value: str | None) -> None:
    if value is None:
        assert article.published_at is None
        assert article.published_precision is None
    elif len(value) == 10:
        assert article.published_at.date() == date.fromisoformat(value)
        assert article.published_at.utcoffset() is not None
    else:
        assert article.published_at == datetime.fromisoformat(value)
    if value:
        assert article.published_provenance is Provenance.TEXT


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, keys in EXPECTED.items() for key in keys if key not in NOT_OF_THE_ARTICLE]
)
def test_a_seed_comes_out_as_expected(name, key):
    article, value = seed(name), EXPECTED[name][key]
    if key == "published":
        check_published(article, value)
    elif key == "published_precision":
        assert article.published_precision is Precision(value)
    elif key in ("headings", "sections"):
        assert list(getattr(article, key)) == value
    elif hasattr(article, key):
        assert getattr(article, key) == value
    else:
        check_text(article, key, value)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_line_of_a_seed_is_kept_or_recorded_as_removed(name):
    article = seed(name)
    said = " ".join(
        [
            article.title,
            article.teaser or "",
            article.text,
            *(piece.text for piece in article.removed),
        ]
    )
    said = " ".join(said.split())
    for line in (SEEDS / name).read_text("utf-8").splitlines():
        assert " ".join(line.replace("**", "").split()) in said.replace("**", "")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_seed_is_read_the_same_with_windows_line_ends_and_a_byte_order_mark(name):
    page = Page(
        url=f"seed:{name}",
        source="seeds",
        body=b"\xef\xbb\xbf" + (SEEDS / name).read_bytes().replace(b"\n", b"\r\n"),
        fetched_at=datetime.fromisoformat(EXPECTED[name].get("fetched_at", FETCHED_AT)),
        content_type="text/plain; charset=utf-8",
    )
    article = read(page, shipped_rules())
    assert (article.title, article.text) == (seed(name).title, seed(name).text)
