"""What readers wrote below an article goes with its heading, however long it is."""

from __future__ import annotations

import pytest

from tests.reading_pages import SAID, article, p, page, text_on

OWN = " ".join(SAID[:3])
RECORDS = "".join(f"<div class=x3><p>{each}</p><p>Gast {n}</p></div>" for n, each in enumerate(SAID[3:] * 3))
ITEMS = RECORDS.replace("<div", "<li").replace("</div>", "</li>")


def read_with(below: str) -> str:
    return text_on(page(f"<div>{article(p(0), p(1), p(2))}{below}</div>"))


@pytest.mark.parametrize(
    "below",
    [
        f"<div class=x2><h3>15 Kommentare</h3>{RECORDS}</div>",
        f"<div class=x2><div><h2>Kommentare (15)</h2></div><div><div>{RECORDS}</div></div></div>",
        f"<h4>Leserkommentare</h4><ol>{ITEMS}</ol>",
    ],
)
def test_records_under_a_heading_that_calls_them_comments_are_not_of_the_article(below: str):
    assert read_with(below) == OWN


@pytest.mark.parametrize(
    "below",
    [
        "<h3>Diskussion</h3>" + "".join(map(p, range(3, 8))),
        "<h3>Debatte</h3>" + "".join(f"<div>{each}</div>" for each in SAID[3:]),
        f"<h3>Was Anwohner sagen</h3>{RECORDS}",
    ],
)
def test_a_part_of_the_article_stays_whatever_its_heading_says(below: str):
    inside = text_on(page(article(p(0), p(1), p(2), below)))
    assert all(each in inside for each in SAID)


def test_comments_stay_where_nothing_else_stands():
    assert SAID[5] in text_on(page(f"<h1>Der Steg</h1><div><h3>15 Kommentare</h3>{RECORDS}</div>"))
