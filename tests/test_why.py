"""What every place of a page says, for a person who asks why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.items import Kind, Page
from pipelines.reading import shipped_rules
from pipelines.reading.body.paywall import ACCESS
from pipelines.reading.fields.authors import AUTHORS
from pipelines.reading.fields.canonical import CANONICALS
from pipelines.reading.fields.kind import KINDS
from pipelines.reading.fields.metadata import describe
from pipelines.reading.fields.sections import SECTIONS
from pipelines.reading.fields.teasers import TEASERS
from pipelines.reading.fields.times import LAST_RESORT, MODIFIED, PUBLISHED
from pipelines.reading.fields.title import TITLES
from pipelines.reading.fields.why import candidates
from pipelines.reading.page.evidence import Ranking
from pipelines.reading.page.structured import collect
from pipelines.reading.page.tree import parse

HTML = """<html lang="de"><head><title>Brücke gesperrt | Blatt</title><meta property="og:title" content="Brücke zu">
<meta name="author" content="Blatt"><script type="application/ld+json">{"@type": "NewsArticle",
"headline": "Brücke gesperrt", "author": [{"name": "Anna Muster"}, {"@id": "#b"}], "datePublished": ["2025-12-01"]}
</script></head><body><h1>Brücke gesperrt</h1><p class="byline">Von Anna Muster, dpa</p>
<time datetime="2025-12-01T09:30">1.12.2025</time><p>Text.</p></body></html>"""


def page(body: str, content_type: str = "text/html; charset=utf-8") -> Page:
    return Page("https://blatt.example/a", "blatt", body.encode(), datetime(2025, 12, 3, tzinfo=UTC), content_type)


def told(html: str, content_type: str = "text/html; charset=utf-8") -> list[tuple[str, str, str, bool]]:
    found = candidates(page(html, content_type), shipped_rules())
    return [(each.field, each.place.replace("`", ""), each.value, each.is_chosen) for each in found]


def test_each_place_says_its_own_field_by_field_and_the_choice_is_marked():
    assert told(HTML) == [
        ("title", "JSON-LD headline that differs from the window title", "Brücke gesperrt", False),
        ("title", "og:title that differs from it, beside a JSON-LD headline", "Brücke zu", True),
        ("title", "JSON-LD headline", "Brücke gesperrt", False),
        ("title", "the visible heading", "Brücke gesperrt", False),
        ("title", "og:title", "Brücke zu", False),
        ("title", "the window title", "Brücke gesperrt", False),
        ("authors", "JSON-LD author", "Anna Muster", True),
        ("authors", "meta author, article:author", "Blatt", False),
        ("authors", "near the headline or below the text", "Anna Muster, dpa", False),
        ("published", "JSON-LD datePublished of the page's own article", "2025-12-01", False),
        ("published", "a date that stands plainly beside the headline, when JSON-LD is silent", "1.12.2025", True),
        ("published", "the likeliest other date in the visible text", "1.12.2025", False),
    ]


def test_what_is_said_and_not_believed_is_told_too():
    head = "<link rel=canonical href='/'><meta property='article:published_time' content='bald'>"
    found = candidates(page(f"<html><head>{head}</head><body><h1>Brücke gesperrt</h1></body></html>"), shipped_rules())
    assert [(each.field, each.value, each.believed) for each in found if each.field != "title"] == [
        ("published", "bald", None),
        ("canonical", "/", None),
    ]


def test_a_page_that_says_nothing_and_a_text_have_no_places():
    assert told("<p>Text.</p>") == []
    assert told("Brücke gesperrt", "text/plain") == []


RANKINGS = (
    PUBLISHED, LAST_RESORT, MODIFIED, AUTHORS, TITLES, TEASERS, SECTIONS, KINDS, ACCESS, CANONICALS,
)  # fmt: skip


@pytest.mark.parametrize("ranking", RANKINGS, ids=lambda each: each.field)
def test_the_documented_table_is_the_ranking(ranking: Ranking):
    assert ranking.table() in (Path(__file__).parents[1] / "docs/reading.md").read_text("utf-8")


PAID = """<html><head><title>Brücke gesperrt - Blatt</title><meta property="og:description" content="Sie ist zu ...">
<meta name="description" content="Die Brücke über die Au bleibt bis zum Sommer gesperrt."><script
type="application/ld+json">{"@type": "NewsArticle", "headline": "Brücke gesperrt", "articleSection": "Lokales",
"isAccessibleForFree": "False"}</script></head><body><p>Anzeige</p><header><div class="kicker">Liveticker</div>
<h1>Brücke gesperrt</h1></header></body></html>"""


def test_the_chosen_place_is_marked_for_every_field():
    chosen = {(field, place): value for field, place, value, is_chosen in told(PAID) if is_chosen}
    assert chosen == {
        ("title", "JSON-LD headline"): "Brücke gesperrt",
        ("teaser", "meta description"): "Die Brücke über die Au bleibt bis zum Sommer gesperrt.",
        ("section", "JSON-LD articleSection"): "Lokales",
        ("kind", "kicker, section, the lines above the headline, the headline itself"): "live_blog",
        ("access", "JSON-LD isAccessibleForFree of the page's own article"): "False",
    }


def kinds_told(head: str, byline: str = "") -> tuple[Kind, list[tuple[str, str]]]:
    """What the reader says of a page's kind, and the places that `candidates` marks for it."""
    html = f"<html><head>{head}</head><body><h1>Brücke gesperrt</h1>{byline}<p>Die Brücke ist zu.</p></body></html>"
    tree = parse(html)
    described = describe(tree, collect(tree, page(html).url), page(html), shipped_rules())
    return described.kind, [
        (place, value) for field, place, value, is_chosen in told(html) if field == "kind" and is_chosen
    ]


def test_who_signs_is_told_of_the_names_that_the_reader_goes_by():
    agency = '<p class="byline">APA-OTS</p>'
    assert kinds_told("", agency) == (Kind.PRESS_RELEASE, [("who signs", "APA-OTS")])
    paid = '<meta name="author" content="Anzeige">'
    assert kinds_told(paid) == (Kind.ADVERTORIAL, [("who signs", "Anzeige")])
    signed = '<script type="application/ld+json">{"@type": "NewsArticle", "author": {"name": "Anna Muster"}}</script>'
    assert kinds_told(paid + signed) == (Kind.ARTICLE, [])


def test_the_sections_that_the_reader_takes_are_marked_though_none_is_left_of_them():
    crumbs = '<div class="breadcrumb"><a href="/">Lokales</a></div>'
    html = f"<html><head><meta property='article:section' content='Startseite'></head><body>{crumbs}<h1>Zu</h1></body>"
    tree = parse(html)
    assert describe(tree, collect(tree, page(html).url), page(html), shipped_rules()).sections == ()
    assert [each for each in told(html) if each[0] == "section"] == [
        ("section", "meta article:section", "Startseite", True),
        ("section", "a visible breadcrumb", "Lokales", False),
    ]
