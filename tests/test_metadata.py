"""What a page tells about its article beside the text."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import lxml.html
import pytest
from htmldate.extractors import get_external_parser
from parsel import Selector

from crawler.config.values import selector
from pipelines.items import Hint, Kind, Page, Precision, Provenance
from pipelines.reading.fields.metadata import Description, describe
from pipelines.reading.page.structured import collect
from pipelines.reading.rules import Rules, SiteRules

BERLIN = ZoneInfo("Europe/Berlin")
URL = "https://www.zeitung.example/politik/hafen-bleibt-zu-123"
NEWS = {"@type": "NewsArticle", "headline": "Der Hafen bleibt vorerst geschlossen"}


def described(
    head: str = "",
    body: str = "<h1>Der Hafen bleibt vorerst geschlossen</h1>",
    url: str = URL,
    hint: Hint | None = None,
    **site,
) -> Description:
    tree = lxml.html.document_fromstring(f"<html lang='de'><head>{head}</head><body>{body}</body></html>")
    page = Page(url=url, source="zeitung", body=b"", fetched_at=datetime(2025, 12, 3, 17, 0, tzinfo=UTC), hint=hint)
    before = lxml.html.tostring(tree)
    found = describe(tree, collect(tree, url), page, Rules(time_zone=BERLIN, language="de", site=SiteRules(**site)))
    assert lxml.html.tostring(tree) == before
    return found


def jsonld(value: object) -> str:
    return f"<script type='application/ld+json'>{json.dumps(value)}</script>"


def og(title: str) -> str:
    return f'<meta property="og:title" content="{title}">'


# -- title and kicker -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "heading", "title"),
    [
        ("<title>Der Hafen bleibt zu | Zeitung</title>", "", "Der Hafen bleibt zu"),
        ("<title>Zeitung: Der Hafen bleibt zu - Zeitung.example</title>", "", "Zeitung: Der Hafen bleibt zu"),
        (og("Der Hafen bleibt zu - zeitung.example"), "", "Der Hafen bleibt zu"),
        (
            "<meta property='og:site_name' content='Das Blatt'>" + og("Der Hafen bleibt zu – Das Blatt"),
            "",
            "Der Hafen bleibt zu",
        ),
        ("<title>Der Hafen bleibt zu - Politik - Zeitung</title>", "", "Der Hafen bleibt zu"),
        ("<title>Der Hafen bleibt zu (Zeitung)</title>", "", "Der Hafen bleibt zu"),
        ("<title>DER HAFEN BLEIBT ZU | ZEITUNG</title>", "<h1>Der Hafen bleibt zu</h1>", "Der Hafen bleibt zu"),
        (
            "<title>Der Hafen bleibt zu | Zeitung</title>",
            "<h1><strong>Verkehr</strong><br>Der Hafen bleibt zu</h1>",
            "Der Hafen bleibt zu",
        ),
        (
            "<title>Verkehr: Der Hafen bleibt zu</title>" + og("Der Hafen bleibt zu"),
            "<h1><span class=overline>Verkehr</span><span>:</span> <span>Der Hafen bleibt zu</span></h1>",
            "Der Hafen bleibt zu",
        ),
        (og("Köln - Bonn: Der Hafen bleibt zu"), "", "Köln - Bonn: Der Hafen bleibt zu"),
        (og("Hafen zu: Was Reisende jetzt wissen müssen"), "<h1>Der Hafen bleibt zu</h1>", "Der Hafen bleibt zu"),
        (
            "<title>Der Hafen bleibt zu | Politik | Zeitung</title>",
            "<h1>Der Hafen bleibt zu</h1>",
            "Der Hafen bleibt zu",
        ),
        (
            "<title>Der Hafen bleibt zu | Zeitung</title>",
            "<h1 class='logo'>Zeitung</h1><h1>Der Hafen bleibt zu</h1>",
            "Der Hafen bleibt zu",
        ),
        (
            "<title>Der Hafen bleibt zu | Zeitung</title>",
            "<h1>Zeitung</h1><h2>Der Hafen bleibt zu</h2><h2>Mehr</h2>",
            "Der Hafen bleibt zu",
        ),
        (
            jsonld({"@type": "NewsArticle", "headline": "Der Hafen bleibt zu | Politik"}),
            "<h1>Der Hafen bleibt zu</h1>",
            "Der Hafen bleibt zu",
        ),
        (
            jsonld({"@type": "NewsArticle", "headline": "Hafen Bonn: Sperrung dauert an"})
            + og("Der Hafen bleibt zu")
            + "<title>Hafen Bonn: Sperrung dauert an</title>",
            "<h1>Hafen Bonn: Sperrung dauert an</h1>",
            "Der Hafen bleibt zu",  # the window title is for search engines
        ),
        ("", "", None),
    ],
)
def test_the_title_is_the_headline_alone(head: str, heading: str, title: str | None):
    assert described(head, heading + "<p>Text.</p>").title == title


@pytest.mark.parametrize(
    "heading",
    [
        "<h1><span class='kicker'>Wetter am Rhein</span> <span>Der Hafen bleibt geschlossen</span></h1>",
        "<p class='article-kicker'>Wetter am Rhein</p><h1>Der Hafen bleibt geschlossen</h1>",
        "<div><span class='topline'>Wetter am Rhein:</span></div><h1>Der Hafen bleibt geschlossen</h1>",
    ],
)
def test_a_kicker_stands_apart(heading: str):
    found = described("", f"<header>{heading}</header>")
    assert (found.title, found.kicker) == ("Der Hafen bleibt geschlossen", "Wetter am Rhein")


def test_a_kicker_glued_to_the_heading_is_cut_where_another_place_gives_the_title_alone():
    found = described(og("Der Hafen bleibt geschlossen"), "<h1>Wetter am Rhein Der Hafen bleibt geschlossen</h1>")
    assert (found.title, found.kicker) == ("Der Hafen bleibt geschlossen", "Wetter am Rhein")


def test_a_headline_stated_with_its_colon_stays_whole():
    found = described(
        og("Rhein: Der Hafen bleibt zu"), "<h1><span class='kicker'>Rhein</span> Der Hafen bleibt zu</h1>"
    )
    assert found.title == "Rhein: Der Hafen bleibt zu"


# -- dates ------------------------------------------------------------------------------------------------------------


def published(found: Description) -> tuple[str, str, str] | None:
    dated = found.published
    return (dated.at.isoformat(), str(dated.precision), str(dated.provenance)) if dated else None


def test_jsonld_comes_first_and_modified_is_kept_apart():
    found = described(
        jsonld(NEWS | {"datePublished": "2025-12-01T10:00:00+01:00", "dateModified": "2025-12-02T11:30:00+01:00"})
        + "<meta property='article:published_time' content='2025-11-01T10:00:00+01:00'>"
    )
    assert published(found) == ("2025-12-01T10:00:00+01:00", "second", "jsonld")
    assert found.modified.at == datetime(2025, 12, 2, 11, 30, tzinfo=BERLIN)


def test_meta_where_jsonld_is_silent():
    found = described("<meta property='article:published_time' content='2025-12-01T09:00:00Z'>")
    assert published(found) == ("2025-12-01T10:00:00+01:00", "second", "meta")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("<p>heute 16:36 Uhr | 12 mal gelesen</p>", ("2025-12-03T16:36:00+01:00", "minute", "text")),
        (
            "<p><span>Veröffentlicht:</span> <span>01.12.2025</span>, <span>09:15 Uhr</span></p>",
            ("2025-12-01T09:15:00+01:00", "minute", "text"),
        ),
        ("<div class='date'>1. Dezember 2025</div>", ("2025-12-01T00:00:00+01:00", "day", "text")),
        (
            "<time datetime='2025-12-01T09:15:30+01:00'>1. Dezember 2025</time>",
            ("2025-12-01T09:15:30+01:00", "second", "time"),
        ),
        ("<p>Stand: 01.12.2025</p>", ("2025-12-01T00:00:00+01:00", "day", "text")),
    ],
)
def test_the_date_line_that_a_reader_sees(line: str, expected: tuple[str, str, str]):
    assert (
        published(described("", f"<h1>Der Hafen bleibt vorerst geschlossen</h1>{line}<p>{'Text. ' * 80}</p>"))
        == expected
    )


def test_dates_of_the_story_teasers_and_comments_are_not_the_article_s():
    text = "Am 12. November 2025 hatte die Stadt entschieden, den Hafen für einige Wochen zu schließen. " * 3
    found = described(
        "",
        f"<h1>Der Hafen bleibt vorerst geschlossen</h1><p>{text}</p><aside><p class='date'>02.12.2025</p></aside>"
        "<div class='comments'><span class='date'>01.12.2025, 10:00 Uhr</span></div>"
        "<footer>Stand 2025, © 1.1.2025</footer>",
    )
    assert found.published is None


def test_the_day_in_the_first_words_of_a_press_release():
    story = " Die Gemeinde teilte mit, dass der Hafen bis zum Herbst geschlossen bleibt, weil die Schleuse fehlt." * 4
    for opening in ("Neustadt, 2. Dezember 2025 –", "Bad Neustadt, (2.12.2025).", "Neustadt, den 2. Dezember 2025 -"):
        found = described(body=f"<h1>Der Hafen bleibt zu</h1><p>{opening}{story}</p>")
        assert found.published is not None and found.published.at.date().isoformat() == "2025-12-02"
    for opening in ("Seit dem 2. Dezember 2025 ist zu.", "Am 2.12.2025 war Schluss.", "Neustadt, das am 2.12.2025 -"):
        assert described(body=f"<h1>Der Hafen bleibt zu</h1><p>{opening}{story}</p>").published is None


def test_a_change_that_only_the_reader_sees():
    lines = "<p>Veröffentlicht: 1.12.2025, 09:15 Uhr</p><p>Aktualisiert: 2.12.2025, 10:00 Uhr</p>"
    found = described(body=f"<h1>Der Hafen bleibt zu</h1>{lines}")
    assert (found.published.at.isoformat(), found.modified.at.isoformat()) == (
        "2025-12-01T09:15:00+01:00",
        "2025-12-02T10:00:00+01:00",
    )
    assert described(body="<h1>Der Hafen bleibt zu</h1><p>1.12.2025, 09:15 Uhr</p>").modified is None


def test_a_day_called_published_comes_before_one_called_changed():
    body = (
        "<h1>Der Hafen bleibt zu</h1><p>Zuletzt geändert am: 3.12.2025</p><div>Erschienen am: <h2>1.12.2025</h2></div>"
    )
    assert described(body=body).published.at.date().isoformat() == "2025-12-01"


def test_a_finer_time_of_the_same_day_completes_a_day():
    found = described(
        jsonld(NEWS | {"datePublished": "2025-12-01"}),
        "<h1>Der Hafen bleibt vorerst geschlossen</h1><p>01.12.2025, 09:15 Uhr</p>",
    )
    assert published(found) == ("2025-12-01T09:15:00+01:00", "minute", "text")


def test_feed_and_address_where_the_page_is_silent():
    hint = Hint(
        via=Provenance.FEED, published_at=datetime(2025, 12, 1, 9, 0, tzinfo=UTC), published_precision=Precision.SECOND
    )
    assert published(described(hint=hint))[2] == "feed"
    assert published(described(url="https://www.zeitung.example/2025/12/01/hafen")) == (
        "2025-12-01T00:00:00+01:00",
        "day",
        "url",
    )
    assert published(described()) is None


@pytest.mark.parametrize(
    "value", ["0000-00-00", "99999-01-01T00:00:00Z", ["x"], {"a": 1}, 7, None, True, "2031-01-01", [[]], "morgen"]
)
def test_an_impossible_date_is_none(value: object):
    assert described(jsonld(NEWS | {"datePublished": value, "dateModified": value})).published is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dez 02 09:34 2025", ("2025-12-02T00:00:00+01:00", "day", "htmldate")),
        ("Dec 02 09:34 2025", ("2025-12-02T00:00:00+01:00", "day", "htmldate")),
        ("Hofladen April bis Juni: Montag – Sonntag: 08–18", None),
        ("Am 12. um 10:30 im Hafen", None),  # no month in it, in whatever language
    ],
)
def test_htmldate_asks_for_dates_in_german_and_english_alone(text, said):
    assert published(described(body=f"<h1>Der Hafen</h1><div><span>{text}</span></div>")) == said
    assert get_external_parser().languages == ["en", "de"]
    assert "dateparser.data.date_translation_data.zu" not in sys.modules


# -- people and agencies ----------------------------------------------------------------------------------------------


def test_authors_are_people_and_agencies_stand_apart():
    found = described(
        jsonld(
            NEWS
            | {
                "author": [
                    {"@type": "Person", "name": "ANNA MUSTER"},
                    {"name": "dpa"},
                    "Ben Beispiel",
                    {"name": "Redaktion Zeitung"},
                ]
            }
        )
    )
    assert found.authors == ("Anna Muster", "Ben Beispiel")
    assert found.organisations == ("Redaktion Zeitung",)
    assert found.agency == "dpa"


@pytest.mark.parametrize(
    "author",
    [
        [[{"name": "Anna Muster"}], [{"name": "Ben Beispiel"}]],
        {"@type": "Person", "name": ["Anna Muster", "Ben Beispiel"]},
        [[{"@type": "Person", "name": ["Anna Muster", "Ben Beispiel"]}]],
        [{"@type": "Person", "name": "Anna Muster, Ben Beispiel"}],
        "Von Anna Muster und Ben Beispiel",
        ["Anna Muster", {"name": {"@value": "Ben Beispiel"}}],
    ],
)
def test_authors_in_every_nesting(author: object):
    assert described(jsonld(NEWS | {"author": author})).authors == ("Anna Muster", "Ben Beispiel")


def test_a_visible_byline_names_the_people_that_jsonld_leaves_out():
    found = described(
        jsonld(NEWS | {"author": {"@type": "Organization", "name": "Zeitung"}}),
        "<article><h1>Der Hafen bleibt vorerst geschlossen</h1><p class='byline'>Von Anna Muster</p></article>",
    )
    assert found.authors == ("Anna Muster",)


def test_the_site_s_own_name_is_no_person():
    site = "<meta property='og:site_name' content='Neue Welt'>"
    found = described(site + jsonld(NEWS | {"author": [{"name": "Anna Muster"}, {"name": "Neue Welt"}]}))
    assert (found.authors, found.organisations) == (("Anna Muster",), ("Neue Welt",))


@pytest.mark.parametrize("name", ["parsely-author", "cXenseParse:author", "sailthru.author", "dc.creator"])
def test_authors_in_lesser_known_meta_tags(name: str):
    assert described(f"<meta name='{name}' content='Anna Muster'>").authors == ("Anna Muster",)


def test_an_agency_alone_is_no_author():
    found = described(jsonld(NEWS | {"author": {"@type": "Organization", "name": "dpa"}}))
    assert (found.authors, found.agency) == ((), "dpa")


@pytest.mark.parametrize(
    "author", [None, 7, [], [[]], {"name": {}}, {"name": ["Anna Muster", 3]}, [None, {"@id": "#nirgends"}], "x" * 5_000]
)
def test_odd_authors_raise_nothing(author: object):
    assert isinstance(described(jsonld(NEWS | {"author": author})).authors, tuple)


# -- teaser, section, keywords, image ---------------------------------------------------------------------------------


def test_the_teaser_is_whole_and_no_repetition_of_the_title():
    head = (
        jsonld(NEWS | {"description": "Die Sperrung dauert länger als gedacht, weil das Wasser ..."})
        + "<meta property='og:description' content='Der Hafen bleibt vorerst geschlossen'>"
        + "<meta name='description' content='Die Sperrung dauert länger als gedacht, weil das Wasser steigt.'>"
    )
    assert described(head).teaser == "Die Sperrung dauert länger als gedacht, weil das Wasser steigt."


def test_sections_come_from_the_article_or_the_breadcrumb():
    assert described(jsonld(NEWS | {"articleSection": ["Politik", "Inland", "Politik"]})).sections == (
        "Politik",
        "Inland",
    )
    crumbs = {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"name": "Startseite"},
            {"item": {"name": "Politik"}},
            {"name": "Inland"},
            {"name": "Der Hafen bleibt"},
        ],
    }
    found = described(jsonld(crumbs))
    assert (found.section, found.sections) == ("Politik", ("Politik", "Inland"))
    assert (
        described(body="<nav class='breadcrumb'><a>Home</a><a>Politik</a></nav><h1>Der Hafen bleibt zu</h1>").section
        == "Politik"
    )


def test_keywords_from_lists_and_commas_without_repetition():
    assert described(jsonld(NEWS | {"keywords": ["Hafen, Rhein", "hafen", 7]})).keywords == ("Hafen", "Rhein")
    assert described("<meta name='keywords' content='Hafen; Rhein,, x'>").keywords == ("Hafen", "Rhein")


def test_the_image_with_caption_and_credit():
    image = {
        "@type": "ImageObject",
        "url": ["/bild-hafen-1.jpg"],
        "caption": "Der Hafen am Morgen. Foto: Anna Muster/dpa",
    }
    found = described(jsonld(NEWS | {"image": [image]})).image
    assert (found.url, found.caption, found.credit) == (
        "https://www.zeitung.example/bild-hafen-1.jpg",
        "Der Hafen am Morgen.",
        "Anna Muster/dpa",
    )
    found = described(
        "<meta property='og:image' content='https://bilder.example/hafen-morgen_1200.jpg'>",
        "<h1>Der Hafen bleibt zu</h1><figure><img src='/klein/hafen-morgen_1200.jpg'>"
        "<figcaption>Der Hafen (© Ben Beispiel)</figcaption></figure>",
    ).image
    assert (found.caption, found.credit) == ("Der Hafen", "Ben Beispiel")


CAPTION = (
    "<figcaption><span class=text>Der Hafen am Morgen. </span><span class=credit>(Anna Muster/dpa)</span></figcaption>"
)


@pytest.mark.parametrize(
    "figure",
    [
        "<figure><img src='/bild/hafen-morgen.jpg'>{}</figure>",
        "<figure><amp-img src='/bild/hafen-morgen.jpg'></amp-img>{}</figure>",
        "<figure><b><img data-src='/bild/hafen-morgen.jpg' src='data:image/gif;base64,R0'></b><div>{}</div></figure>",
        "<figure><picture><source srcset='/bild/hafen-morgen.jpg 800w, /bild/klein.jpg 400w'></picture>{}</figure>",
        "<div><img src='/bild/hafen-morgen.jpg'>{}</div>",
    ],
)
@pytest.mark.parametrize("head", ["", "<meta property='og:image' content='/bild/hafen-morgen.jpg'>"])
def test_the_figure_tells_what_the_metadata_leaves_out(figure: str, head: str):
    body = f"<article><h1>Der Hafen bleibt zu</h1>{figure.format(CAPTION)}<p>Text.</p></article>"
    image = described(head, body).image
    assert image.url == "https://www.zeitung.example/bild/hafen-morgen.jpg"
    assert (image.caption, image.credit) == ("Der Hafen am Morgen.", "Anna Muster/dpa")


def test_a_teaser_s_figure_is_not_the_article_s():
    teaser = f"<div class=related-teaser><figure><img src='/bild/anderes.jpg'>{CAPTION}</figure></div>"
    assert described("", f"<main><h1>Der Hafen bleibt zu</h1><p>Text.</p>{teaser}</main>").image is None


@pytest.mark.parametrize("image", [None, 7, [], [[]], {}, {"url": {}}, "javascript:alert(1)", "http://[", "x" * 9_000])
def test_odd_images_are_none(image: object):
    found = described(jsonld(NEWS | {"image": image})).image
    assert found is None or found.url.startswith("https://")


# -- kind, paywall, addresses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "url", "kind"),
    [
        (jsonld(NEWS), URL, Kind.ARTICLE),
        (jsonld({"@type": "LiveBlogPosting", "headline": "Der Hafen im Liveblog"}), URL, Kind.LIVE_BLOG),
        ("", "https://zeitung.example/liveticker/hafen-1", Kind.LIVE_BLOG),
        (jsonld({"@type": "AdvertiserContentArticle", "headline": "Schiffe kaufen"}), URL, Kind.ADVERTORIAL),
        (jsonld(NEWS | {"articleSection": "Anzeige"}), URL, Kind.ADVERTORIAL),
        (jsonld({"@type": "VideoObject", "name": "Der Hafen"}), URL, Kind.VIDEO),
        ("<meta property='og:type' content='video.other'>", URL, Kind.VIDEO),
        ("", "https://zeitung.example/bildergalerie/hafen", Kind.GALLERY),
        ("", "https://zeitung.example/pressemitteilungen/hafen", Kind.PRESS_RELEASE),
    ],
)
def test_the_kind_of_article(head: str, url: str, kind: Kind):
    assert described(head, url=url).kind is kind


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("<header><span>Anzeige</span><h1>{}</h1></header>", Kind.ADVERTORIAL),
        ("<div class=kopf><span>Advertorial</span><h1>{}</h1></div>", Kind.ADVERTORIAL),
        ("<div><p>Sponsored Post</p><div><h1>{}</h1></div></div>", Kind.ADVERTORIAL),
        ("<div class=ad>Anzeige</div><main><h1>{}</h1></main>", Kind.ARTICLE),  # the space above is advertising
        ("<header><span>Anzeige erstattet</span><h1>{}</h1></header>", Kind.ARTICLE),
    ],
)
def test_a_label_above_the_headline_marks_an_advertorial(label: str, kind: Kind):
    assert described(jsonld(NEWS), body=label.format("Der Hafen bleibt vorerst geschlossen")).kind is kind


@pytest.mark.parametrize(
    ("value", "free"),
    [
        (True, True),
        (False, False),
        ("False", False),
        ("https://schema.org/True", True),
        ("vielleicht", None),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_whether_it_is_free_is_what_the_page_says(value: object, free: bool | None):
    assert described(jsonld(NEWS | {"isAccessibleForFree": value})).is_accessible_for_free is free


@pytest.mark.parametrize(
    ("href", "canonical"),
    [
        ("/politik/hafen-123", "https://www.zeitung.example/politik/hafen-123"),
        ("https://zeitung.example/politik/hafen-123#top", "https://zeitung.example/politik/hafen-123"),
        ("https://www.zeitung.example/", None),
        ("https://boese.example/politik/hafen", None),
        ("https://zeitung.example.boese.test/x", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
        ("", None),
        ("x" * 3_000, None),
    ],
)
def test_a_canonical_address_is_one_of_this_site_and_not_its_home_page(href: str, canonical: str | None):
    assert described(f"<link rel='canonical' href='{href}'>").canonical_url == canonical


def test_the_amp_address_is_absolute():
    assert described("<link rel='amphtml' href='/amp/1'>").amp_url == "https://www.zeitung.example/amp/1"


# -- a source's own rules ---------------------------------------------------------------------------------------------


def test_a_source_s_rules_win_over_everything():
    found = described(
        jsonld(
            NEWS | {"author": "Anna Muster", "datePublished": "2025-12-01T10:00:00+01:00", "articleSection": "Politik"}
        )
        + og("Anders"),
        "<h1>Der Hafen</h1><b class='t'>Der wahre Titel</b><i id='a'>Von Ben Beispiel</i>"
        "<u data-s='Region'></u><em class='d'>02.12.2025, 8:00 Uhr</em>",
        title="b.t",
        authors="#a",
        section=".//u/@data-s",
        published="//em[@class='d']",
        teaser="b.fehlt",
    )
    assert (found.title, found.authors, found.section) == ("Der wahre Titel", ("Ben Beispiel",), "Region")
    assert published(found) == ("2025-12-02T08:00:00+01:00", "minute", "text")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<p>",
        "<h1></h1>",
        "<h1>\x01</h1>",
        "<h1>" + "lang " * 2_000 + "</h1>",
        "<div>" * 300,
        "<time></time><time datetime=''>",
    ],
)
def test_poor_pages_are_described_without_an_error(body: str):
    assert isinstance(described("", body), Description)


# -- pages from elsewhere ---------------------------------------------------------------------------------------------


PROSE = (
    "The council said on Monday that the harbour will stay closed until the autumn, and that it has not decided yet."
)


def abroad(head: str, line: str, lang: str = "en-US", prose: str = PROSE, **rules) -> Description:
    tree = lxml.html.document_fromstring(
        f"<html lang='{lang}'><head>{head}</head><body><h1>The harbour stays closed</h1><p class='date'>{line}</p>"
        f"<p>{prose}</p><p>{prose}</p></body></html>"
    )
    page = Page(
        url="https://news.example/a/the-harbour", source="s", body=b"", fetched_at=datetime(2025, 12, 5, tzinfo=UTC)
    )
    return describe(tree, collect(tree, page.url), page, Rules(time_zone=BERLIN, **rules))


def test_a_clock_without_a_zone_on_a_page_from_elsewhere_is_no_instant():
    found = abroad("", "December 3, 2025, 9:30 pm").published
    assert (found.at.date().isoformat(), found.precision) == ("2025-12-03", Precision.DAY)


def test_an_evening_elsewhere_is_not_told_as_the_next_day():
    found = abroad('<meta property="article:published_time" content="2025-12-03T21:30:00-05:00">', "").published
    assert found.at.isoformat() == "2025-12-03T21:30:00-05:00"
    found = abroad('<meta property="article:published_time" content="2025-12-03T23:30:00Z">', "").published
    assert found.at.date().isoformat() == "2025-12-03"
    found = abroad('<meta property="article:published_time" content="2025-12-03T23:30:00">', "").published
    assert (found.at.date().isoformat(), found.precision) == ("2025-12-03", Precision.DAY)


def test_a_source_that_says_its_language_is_at_home_in_its_zone():
    found = abroad("", "December 3, 2025, 9:30 pm", language="en").published
    assert found.at == datetime(2025, 12, 3, 21, 30, tzinfo=BERLIN)


def test_a_german_page_whose_system_says_that_it_is_english_keeps_its_clock():
    prose = (
        "Der Rat hat am Montag beschlossen, dass der Hafen bis zum Herbst geschlossen bleibt, und nicht mehr gesagt."
    )
    found = abroad("", "3. Dezember 2025, 21:30 Uhr", prose=prose).published
    assert found.at == datetime(2025, 12, 3, 21, 30, tzinfo=BERLIN)


@pytest.mark.parametrize("form", ["h2", "h2::text", "h2::attr(data-own)", "//h2", "(//h2)[1]", "./body/h2"])
def test_every_form_of_a_selector_that_a_source_file_takes_is_read(form: str):
    assert selector(form) == form
    body = "<h1>Zeitung</h1><h2 data-own='Der Hafen bleibt zu'>Der Hafen bleibt zu</h2>"
    assert described("", body, title=form).title == "Der Hafen bleibt zu"


def test_contains_tells_capitals_from_small_letters_as_in_scrapy():
    body = "<h1>Zeitung</h1><h2>Der HAFEN bleibt zu</h2><h2>Der Hafen bleibt zu</h2>"
    assert described("", body, title='h2:contains("Hafen")').title == "Der Hafen bleibt zu"
    assert Selector(f"<html>{body}</html>").css('h2:contains("Hafen")::text').getall() == ["Der Hafen bleibt zu"]
