"""What sort of article a page is, by what its own frame says."""

from __future__ import annotations

import lxml.html
import pytest

from pipelines.items import Kind
from pipelines.reading.fields.kind import is_from_press_service, kind_of, source_of
from pipelines.reading.fields.title import headline
from pipelines.reading.page.structured import collect

URL = "https://www.blatt.example/lokales/hafen-bleibt-zu-123"
NEWS = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Der Hafen bleibt zu"}</script>'


def kind(
    body: str, head: str = "", url: str = URL, sections: tuple[str, ...] = (), signed: tuple[str, ...] = ()
) -> Kind:
    tree = lxml.html.document_fromstring(f"<html><head>{head}</head><body>{body}</body></html>")
    found = collect(tree, url)
    return kind_of(source_of(found, url, headline(found, tree), sections, signed))


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Liveblog: Der Hafen bleibt zu", Kind.LIVE_BLOG),
        ("Hafen-Newsblog: Der Hafen bleibt zu", Kind.LIVE_BLOG),
        ("Der Hafen bleibt zu: Die Lage im Liveticker", Kind.LIVE_BLOG),
        ("Harbour closed: live updates", Kind.LIVE_BLOG),
        ("EN DIRECT - Le port reste fermé", Kind.LIVE_BLOG),
        ("Der Hafen bleibt zu: der Streik im Newsblog", Kind.LIVE_BLOG),
        ("Der Streik im Liveticker: Der Hafen bleibt zu", Kind.LIVE_BLOG),
        ("Harbour closed: the strike in the newsblog", Kind.LIVE_BLOG),
        ("Haven dicht: volg de staking in de liveblog", Kind.LIVE_BLOG),
        ("Warum Zeitungen ihren Liveticker abschaffen", Kind.ARTICLE),
        ("Warum das Liveblog den Journalismus verändert", Kind.ARTICLE),
        ("Why the newsblog changed the harbour", Kind.ARTICLE),
        ("Hoe de liveblog de haven veranderde", Kind.ARTICLE),
        ("Das Video: Der Hafen von oben", Kind.VIDEO),
        ("Pressemitteilung: Der Hafen bleibt zu", Kind.PRESS_RELEASE),
        ("Pressemitteilung über den Hafen war falsch", Kind.ARTICLE),
        ("Fotostrecke: Der Hafen von oben", Kind.GALLERY),
        ("Video: Der Hafen von oben", Kind.VIDEO),
        ("Video zeigt den Hafen von oben", Kind.ARTICLE),
        ("Anzeige gegen den Bürgermeister erstattet", Kind.ARTICLE),
    ],
)
def test_a_headline_that_begins_with_its_kind(title: str, expected: Kind):
    assert kind(f"<h1>{title}</h1><p>Text.</p>") is expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Pressemitteilung", Kind.PRESS_RELEASE),
        ("Medienmitteilung", Kind.PRESS_RELEASE),
        ("Presseaussendung", Kind.PRESS_RELEASE),
        ("Bilderstrecke", Kind.GALLERY),
        ("Newsblog", Kind.LIVE_BLOG),
        ("Anzeige", Kind.ADVERTORIAL),
        ("Entgeltliche Einschaltung", Kind.ADVERTORIAL),
        ("Dieser Beitrag ist eine bezahlte Partnerschaft", Kind.ADVERTORIAL),
        ("Publireportage", Kind.ADVERTORIAL),
        ("Anzeige erstattet", Kind.ARTICLE),
        ("Video", Kind.ARTICLE),  # the article has one
        ("Verkehr", Kind.ARTICLE),
    ],
)
def test_a_label_above_the_headline(label: str, expected: Kind):
    assert kind(f"<header><p>{label}</p><h1>Der Hafen bleibt zu</h1></header>", NEWS) is expected
    assert kind("<h1>Der Hafen bleibt zu</h1>", NEWS, sections=(label,)) is expected


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("<div class='c-liveblog'>{}</div>", Kind.LIVE_BLOG),
        ("<div class='has-liveblog'>{}</div>", Kind.ARTICLE),
        ("<article class='article--advertorial'>{}</article>", Kind.ADVERTORIAL),
        ("<article itemscope itemtype='https://schema.org/LiveBlogPosting'>{}</article>", Kind.LIVE_BLOG),
        ("<article itemscope itemtype='http://schema.org/ImageGallery'>{}</article>", Kind.GALLERY),
        ("<article itemscope itemtype='http://schema.org/VideoObject'>{}</article>", Kind.VIDEO),
        ("<article itemscope itemtype='http://schema.org/NewsArticle'>{}</article>", Kind.ARTICLE),
        ("<div class=liveblog>Andere</div><div>{}</div>", Kind.ARTICLE),
    ],
)
def test_the_frame_that_holds_the_headline(frame: str, expected: Kind):
    assert kind(frame.format("<h1>Der Hafen bleibt zu</h1><p>Text.</p>")) is expected


def test_who_signs_tells_advertising_and_press_releases():
    assert kind("<h1>Der Hafen bleibt zu</h1>", NEWS, signed=("Anzeige",)) is Kind.ADVERTORIAL
    assert kind("<h1>Der Hafen bleibt zu</h1>", NEWS, signed=("APA-OTS",)) is Kind.PRESS_RELEASE
    assert kind("<h1>Der Hafen bleibt zu</h1>", NEWS, signed=("dpa", "Anna Muster")) is Kind.ARTICLE


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("Neustadt (ots) - Die Gemeinde teilt mit.", True),
        ("Wien (pts014/01.12.2025/10:30) - Die Gemeinde teilt mit.", True),
        ("(PresseBox) (Neustadt, 01.12.2025) Die Gemeinde teilt mit.", True),
        ("Neustadt (dpa) - Die Gemeinde teilt mit.", False),
        ("Der Dienst ots meldete (so hieß es) - nichts.", False),
    ],
)
def test_a_press_service_marks_its_texts(paragraph: str, expected: bool):
    assert is_from_press_service(paragraph) is expected
