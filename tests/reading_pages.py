"""Small pages written for the tests of reading, and what is read from them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pipelines.items import Page, Rejected
from pipelines.reading import read, shipped_rules

TITLE = "Der Steg am Mühlbach wird neu gebaut"
SAID = (
    "Die Gemeinde Oberlind hat am Montag beschlossen, den alten Steg über den Mühlbach abzureißen und neu zu bauen.",
    "Ortsvorsteherin Hedwig Amsel sagte nach der Sitzung, die Balken seien an vielen Stellen so morsch wie Zwieback.",
    "Nach den Zahlen der Kämmerei kostet der neue Steg fast doppelt so viel, wie vor zwei Jahren angenommen wurde.",
    "Der Anglerverein wehrt sich gegen den Standort, weil die Forellen dort im Herbst ihre Eier in den Kies legen.",
    "Das Bauamt will die Arbeiten im Februar vergeben und rechnet damit, dass der Steg vor dem Sommer fertig ist.",
    "Zwei Wirte vom Marktplatz haben angekündigt, vor Gericht zu ziehen, falls der Umweg über die Landstraße führt.",
    "Aus dem Rathaus heißt es dazu nur, dass solche Ankündigungen auch beim Bau der Turnhalle zu hören gewesen seien.",
    "Wer mitreden möchte, kann sich die Pläne bis Ostern im Foyer der Bücherei ansehen und seine Meinung aufschreiben.",
)
URL = "https://www.lindbote.example/oberlind/steg-am-muehlbach-48121.html"


def p(number: int) -> str:
    """A paragraph of the article."""
    return f"<p>{SAID[number]}</p>"


def article(*parts: str) -> str:
    """The page's article: its headline and *parts*."""
    return f"<article><h1>{TITLE}</h1>{''.join(parts)}</article>"


def stated(**more: object) -> str:
    """What a page states in JSON-LD, as a script element."""
    what = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": TITLE}
    what |= {"datePublished": "2025-11-04T18:10:00+01:00", **more}
    return f'<script type="application/ld+json">{json.dumps(what, ensure_ascii=False)}</script>'


def page(inside: str, *, head: str | None = None, after: str = "", language: str = "de") -> str:
    """A whole page around *inside*; *head* takes the place of its JSON-LD."""
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{TITLE} | Lindbote</title>'
        f'<meta property="og:type" content="article">{stated() if head is None else head}</head><body>'
        f'<header class="page-header"><nav><a href="/">Start</a> <a href="/oberlind/">Oberlind</a></nav></header>'
        f'<main>{inside}</main>{after}<footer class="page-footer"><a href="/impressum">Impressum</a></footer>'
        f"</body></html>"
    )


def text_on(html: str) -> str:
    """Lead and text that are read from a page, blanks made one; why it was rejected."""
    seen = Page(
        url=URL,
        source="test",
        fetched_at=datetime(2025, 11, 5, tzinfo=UTC),
        body=html.encode(),
        content_type="text/html",
    )
    try:
        got = read(seen, shipped_rules())
    except Rejected as rejected:
        return f"rejected: {rejected}"
    return " ".join("\n".join(filter(None, (got.teaser, got.text))).split())
