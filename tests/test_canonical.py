"""Which canonical address of a page can be its own."""

from __future__ import annotations

import pytest

from pipelines.reading.fields.canonical import candidates, canonical
from pipelines.reading.page.structured import Structured

PAGE = "https://www.bote.example/lokales/radweg-am-alten-hafen-12345.html"


def of(url: str, *named: str, og: str | None = None) -> str | None:
    return canonical(Structured(url, canonicals=list(named), meta={"og:url": [og]} if og else {}), url)


@pytest.mark.parametrize(
    "named",
    [
        "/", "/index.html", "/undefined", "/null", "/lokales", "/lokales/", "/lokales/index.php", "/lokales/undefined",
        "/de/", "/home", "/{{slug}}", "/lokales/${id}", "/lokales/[slug]", "/%7B%7Burl%7D%7D", "https://andere.example/lokales/x-1",
        "javascript:void(0)", "",
    ],
)  # fmt: skip
def test_an_address_that_every_page_of_a_section_has_is_not_believed(named: str):
    assert of(PAGE, named) is None


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (PAGE + "?utm_source=x", PAGE),
        ("https://m.bote.example/lokales/radweg-am-alten-hafen-12345.html", PAGE),
        ("https://b.example/a/brand-in-halle-am-hafen/seite-2", "https://b.example/a/brand-in-halle-am-hafen"),
        ("https://b.example/a/brand/amp", "https://b.example/a/brand"),
        ("https://b.example/a/brand/2", "https://b.example/a/brand"),
        ("https://b.example/node/12345", "https://b.example/lokales/brand"),
        ("https://b.example/?p=12", "https://b.example/brand/"),
        ("https://b.example/n?tx_news%5Bnews%5D=2236&x=1", "https://b.example/n?tx_news%5Bnews%5D=2236"),
        ("https://b.example/lokales/", "https://b.example/lokales"),
        ("https://b.example/a/b-1", "https://b.example/c/b-1/index.html"),
    ],
)
def test_another_form_of_the_address_is_believed(url: str, named: str):
    assert of(url, named) == named


def test_a_date_s_folder_and_a_page_s_script_without_its_number_are_not_believed():
    assert of("https://b.example/2025/12/03/brand", "https://b.example/2025/12/03/") is None
    assert of("https://b.example/artikel.php?id=55", "https://b.example/artikel.php") is None


def test_of_two_the_one_that_is_this_address_and_og_url_only_where_there_is_none():
    other = "https://www.bote.example/sport/kegeln-verein-feiert-99"
    assert of(PAGE, other, PAGE) == PAGE
    assert of(PAGE, other, og=PAGE) == other
    assert of(PAGE, "/lokales/", og=PAGE + "#top") == PAGE


def test_what_is_not_believed_is_a_candidate_all_the_same():
    found = list(candidates(Structured(PAGE, canonicals=["/lokales/"]), PAGE))
    assert [(each.place, each.value, each.believed) for each in found] == [("`link rel=canonical`", "/lokales/", None)]
