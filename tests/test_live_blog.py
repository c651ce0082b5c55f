"""Live blogs and AMP editions: the summary and every entry, in the order of the page."""

# ruff: noqa: E501 - a page a line
from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipelines.items import Article, Kind, Page
from pipelines.reading import read, shipped_rules

RULES = shipped_rules(language="de")
TITLE = "Liveblog: Großbrand in der Altstadt"
SUMMARY = "Ein Feuer in der Altstadt von Neustadt hat am Montag drei Häuser zerstört. Verletzt wurde dabei niemand."
ENTRIES = (
    ("18:40", "Brandwache bleibt über Nacht", "Die Feuerwehr lässt eine Brandwache von zwölf Leuten in der Altstadt."),
    (
        "17:05",
        "Bürgermeisterin dankt Helfern",
        "Erika Mustermann kündigte an, die Familien im Gemeindesaal unterzubringen.",
    ),
    (
        "15:30",
        "Häuser nicht zu retten",
        "Drei Häuser in der Badergasse sind nicht zu retten, ein Dach ist eingestürzt.",
    ),
    (
        "14:12",
        "Rauch über der Badergasse",
        "In der Altstadt brennt es, die Feuerwehr ist mit mehreren Löschzügen unterwegs.",
    ),
)
HEAD = json.dumps({"@type": "LiveBlogPosting", "headline": TITLE, "datePublished": "2025-12-01T14:12:00+01:00"})


def article(main: str, head: str = f"<script type='application/ld+json'>{HEAD}</script>") -> Article:
    nav = "<nav><a href=/>Start</a> <a href=/lokales/>Lokales</a></nav>"
    html = f"<html lang=de><head><title>{TITLE}</title>{head}</head><body>{nav}{main}<footer>Impressum</footer></body></html>"
    url = "https://www.blatt.example/lokales/grossbrand-4711.html"
    return read(Page(url, "blatt", html.encode(), datetime(2025, 12, 3, 17, tzinfo=UTC)), RULES)


def page(around: str, entry: str) -> str:
    """*around* with the summary and the entries; every entry in the markup of *entry*."""
    entries = "".join(entry.format(number=n, time=t, title=h, text=b) for n, (t, h, b) in enumerate(ENTRIES))
    return around.format(summary=SUMMARY, entries=entries, title=TITLE)


@pytest.mark.parametrize(
    ("around", "entry"),
    [
        (
            "<main><h1>{title}</h1><p class=lead>{summary}</p><div class=liveblog>{entries}</div></main>",
            "<article id=e{number}><time datetime='2025-12-01T{time}:00+01:00'>{time} Uhr</time><h3>{title}</h3><p>{text}</p></article>",
        ),
        (
            "<main><article><h1>{title}</h1><p>{summary}</p><ol class=ticker>{entries}</ol></article></main>",
            "<li class=entry><span class=time>{time}</span><h4>{title}</h4><div><p>{text}</p></div><a href='#e{number}'>Link</a></li>",
        ),
        (
            "<div class=content><h1>{title}</h1><div class=teaser-text>{summary}</div>{entries}</div>",
            "<div class='live-ticker__item'><div>01.12.2025, {time} Uhr</div><div class=head>{title}</div><div>{text}</div></div>",
        ),
        (
            "<main><article><h1>{title}</h1><p><strong>{summary}</strong></p>{entries}</article></main>",
            "<h2>+++ {time} {title} +++</h2><p>{text}</p>",
        ),
        (
            "<main><article><h1>{title}</h1><p class=intro>{summary}</p></article><section class=ticker>{entries}</section></main>",
            "<div class=post><header><time>{time}</time> <h2>{title}</h2></header><p>{text}</p><footer>Anna Muster</footer></div>",
        ),
        (
            "<article><h1>{title}</h1><p>{summary}</p><amp-live-list id=l><button update>Neu</button><div items>{entries}</div>"
            "</amp-live-list></article>",
            "<div id=p{number} data-sort-time=1><h2>{title}</h2><p>{time} Uhr</p><p>{text}</p></div>",
        ),
    ],
)
@pytest.mark.parametrize("is_declared", [True, False])
def test_a_live_blog_keeps_its_summary_and_its_entries_in_order(around: str, entry: str, is_declared: bool):
    got = article(page(around, entry)) if is_declared else article(page(around, entry), "")
    text = "\n".join(filter(None, (got.teaser if got.teaser_is_visible else None, got.text)))
    places = [text.find(piece) for piece in (SUMMARY, *(piece for entry in ENTRIES for piece in entry[1:]))]
    assert -1 not in places
    assert places == sorted(places)
    assert (got.title, got.kind) == (TITLE, Kind.LIVE_BLOG)


def test_an_amp_edition_reads_as_its_article_does():
    sentences = [f"{text} Das sagte der Einsatzleiter am Montag in Neustadt." for _, _, text in ENTRIES]
    text = "".join(f"<p>{sentence}</p><amp-ad type=a></amp-ad>" for sentence in sentences)
    got = article(
        "<amp-sidebar id=s><ul><li><a href='/'>Start</a></li></ul></amp-sidebar><article class=amp-wp-article>"
        f"<header><h1 class=amp-wp-title>Großbrand in der Altstadt</h1><p class=lead>{SUMMARY}</p>"
        "<div class='amp-wp-meta'>Von <span class='amp-wp-author author'>Anna Muster</span></div>"
        "<time datetime='2025-12-01T13:30:00+00:00'>vor 2 Tagen</time></header><figure><amp-img src='/bild/brand-1.jpg'>"
        f"</amp-img><figcaption>Der Brand. Foto: Ben Beispiel</figcaption></figure><div>{text}</div>"
        "<amp-social-share type=x></amp-social-share></article>",
        "<link rel=canonical href='https://www.blatt.example/lokales/grossbrand.html'>",
    )
    assert (got.title, got.teaser, got.text) == ("Großbrand in der Altstadt", SUMMARY, "\n\n".join(sentences))
    assert (got.authors, got.canonical_url) == (("Anna Muster",), "https://www.blatt.example/lokales/grossbrand.html")
    assert got.published_at == datetime(2025, 12, 1, 13, 30, tzinfo=UTC)
    assert (got.image.caption, got.image.credit) == ("Der Brand.", "Ben Beispiel")
