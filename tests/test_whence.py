"""What every place of a page says, for a person who asks why."""

from __future__ import annotations

from datetime import UTC, datetime

from pipelines.items import Page
from pipelines.reading.whence import Said, places

HTML = """<html lang="de"><head><title>Brücke gesperrt | Blatt</title><meta property="og:title" content="Brücke zu">
<meta name="author" content="Blatt"><script type="application/ld+json">{"@type": "NewsArticle",
"headline": "Brücke gesperrt", "author": [{"name": "Anna Muster"}, {"@id": "#b"}], "datePublished": ["2025-12-01"]}
</script></head><body><h1>Brücke gesperrt</h1><p class="byline">Von Anna Muster, dpa</p>
<time datetime="2025-12-01T09:30">1.12.2025</time><p>Text.</p></body></html>"""


def page(body: str, content_type: str = "text/html; charset=utf-8") -> Page:
    return Page("https://blatt.example/a", "blatt", body.encode(), datetime(2025, 12, 3, tzinfo=UTC), content_type)


def test_each_place_says_its_own_field_by_field():
    assert places(page(HTML)) == [
        Said("title", "JSON-LD headline", "Brücke gesperrt"),
        Said("title", "meta og:title", "Brücke zu"),
        Said("title", "h1", "Brücke gesperrt"),
        Said("title", "window title", "Brücke gesperrt | Blatt"),
        Said("authors", "JSON-LD author", "Anna Muster"),
        Said("authors", "meta author", "Blatt"),
        Said("authors", "near the headline", "Anna Muster, dpa"),
        Said("published", "JSON-LD datePublished", "2025-12-01"),
        Said("published", "<time>", "2025-12-01T09:30 1.12.2025"),
    ]


def test_a_page_that_says_nothing_and_a_text_have_no_places():
    assert places(page("<p>Text.</p>")) == []
    assert places(page("Brücke gesperrt", "text/plain")) == []
