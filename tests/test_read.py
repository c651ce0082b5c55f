"""A page in, an article out: the parts work together."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import UTC, datetime

import pytest

from pipelines.items import Article, Kind, Page, Part, Precision
from pipelines.reading import READER_VERSION, read, shipped_rules
from pipelines.reading.body import blocks
from pipelines.reading.body.blocks import Block
from pipelines.reading.rules import Rules

RULES = shipped_rules(language="de")
URL = "https://www.zeitung.example/lokales/bruecke-gesperrt-1"
LEAD = "Wer von der Altstadt zum Bahnhof will, muss bis zum Herbst einen Umweg in Kauf nehmen."
PARAGRAPHS = (
    "Neustadt (dpa) - Die Gemeinde teilte am Montag mit, dass die Brücke über den Mühlbach bis zum Herbst "
    "gesperrt bleibt.",
    "Bei einer Prüfung waren Schäden am Geländer aufgefallen; wie teuer die Reparatur wird, steht noch nicht fest.",
    "Der Gemeinderat will im Oktober entscheiden, ob statt der Reparatur ein neuer Steg gebaut werden soll.",
)
HTML = f"""<html lang="de"><head><title>Brücke bleibt gesperrt - Zeitung</title>
<meta property="og:title" content="Brücke bleibt gesperrt"><meta property="og:type" content="article">
<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Brücke bleibt gesperrt",
 "datePublished": "2025-12-03T09:30:00+01:00", "author": {{"@type": "Person", "name": "Erika Mustermann"}}}}</script>
</head><body><nav><a href="/">Start</a></nav><main><article><h1>Brücke bleibt gesperrt</h1><p class="lead">{LEAD}</p>
<p>Von Erika Mustermann</p><p>{PARAGRAPHS[0]}</p><h2>Wie es weitergeht</h2><p>{PARAGRAPHS[1]}</p><p>{PARAGRAPHS[2]}</p>
<h3>Mehr zum Thema</h3><p>Noch eine Brücke gesperrt</p></article></main><footer>Impressum</footer></body></html>"""


def article(html: str = HTML, **changes) -> Article:
    page = Page(url=URL, source="zeitung", body=html.encode(), fetched_at=datetime(2025, 12, 3, 17, tzinfo=UTC))
    return read(dataclasses.replace(page, **changes), RULES)


def test_an_article_has_what_the_page_says_of_it():
    got = article()
    assert (got.title, got.teaser, got.teaser_is_visible, got.language) == ("Brücke bleibt gesperrt", LEAD, True, "de")
    assert got.authors == ("Erika Mustermann",)
    assert got.published_at == datetime(2025, 12, 3, 8, 30, tzinfo=UTC)
    assert got.published_precision in (Precision.MINUTE, Precision.SECOND)
    assert (got.agency, got.headings, got.source) == ("dpa", ("Wie es weitergeht",), "zeitung")
    assert got.reader_version == READER_VERSION


def test_text_has_the_paragraphs_and_markdown_their_structure():
    got = article()
    assert got.text.endswith("Wie es weitergeht\n\n" + "\n\n".join(PARAGRAPHS[1:]))
    assert "\n\n## Wie es weitergeht\n\n" in got.text_markdown
    assert LEAD not in got.text


def test_what_was_removed_is_shown():
    removed = {piece.text: piece.rule for piece in article().removed}
    assert removed["Von Erika Mustermann"] == "byline"
    assert removed["Mehr zum Thema"] == removed["Noch eine Brücke gesperrt"] == "related"


def test_reading_twice_gives_the_same():
    first = article()
    for _ in range(5):
        assert article() == first


def test_an_article_crosses_a_process_boundary():
    assert pickle.loads(pickle.dumps(article())) == article()


def test_an_article_on_several_pages_is_one_text_in_order():
    further = (
        "Auf der zweiten Seite steht, dass der Steg aus Holz und nur für Fußgänger gedacht sein soll, wie es hieß."
    )
    part = Part(
        f"{URL}/2",
        f"<html><body><h1>Brücke bleibt gesperrt</h1><p>{further}</p><p>{further[4:]}</p></body></html>".encode(),
    )
    got = article(more=(part,))
    assert got.text.index(PARAGRAPHS[2]) < got.text.index(further)
    assert (got.pages_read, got.pages_total) == (2, 2)


def test_markdown_of_every_kind_of_block():
    found = blocks.markdown_of(
        [
            Block("paragraph", "Satz."),
            Block("heading", "Titel", level=3),
            Block("list", "a\nb", items=("a", "b")),
            Block("quote", "Zitat\nzwei"),
            Block("table", "x y", rows=(("x|", "y"), ("z",))),
            Block("code", "1 + 1"),
        ]
    )
    assert (
        found == "Satz.\n\n### Titel\n\n- a\n- b\n\n> Zitat\n> zwei\n\n| x\\| | y |\n| --- | --- |\n| z |  |\n\n```\n1 "
        "+ 1\n```"
    )


def test_bylines_captions_and_credits_go_sentences_stay():
    names = ("Erika Mustermann",)
    assert blocks.is_byline("Von Erika Mustermann und Max Beispiel", names)
    assert blocks.is_byline("Erika Mustermann, 12:30 Uhr", names)
    assert not blocks.is_byline("Von Erika Mustermann stammt der Vorschlag, den Steg zu bauen.", names)
    assert blocks.rule_of("Die Brücke im Sommer. (Foto: Beispiel)", ()) == "caption"
    assert blocks.rule_of("Die Brücke ist seit dem Sommer gesperrt (Stand: Montag).", ()) is None


def test_a_text_from_a_press_service_is_a_press_release():
    assert article(HTML.replace("Neustadt (dpa) -", "Neustadt (ots) -")).kind is Kind.PRESS_RELEASE
    assert article(HTML.replace("Neustadt (dpa) -", "Neustadt (ots/PRNewswire) -")).kind is Kind.PRESS_RELEASE
    assert article().kind is Kind.ARTICLE


def test_markdown_keeps_the_structure_of_a_whole_page():
    structure = (
        "<ul><li>Erstens ist das Geländer lose und muss weg.</li><li>Zweitens fehlt das Geld dafür.</li></ul>"
        "<blockquote><p>Wir haben das lange kommen sehen, sagte der Bürgermeister.</p></blockquote>"
        "<table><tr><th>Jahr</th><th>Kosten</th></tr><tr><td>2024</td><td>120 Euro</td></tr></table>"
        f"<p>{PARAGRAPHS[1]} Das ist der letzte Satz.</p>"
    )
    got = article(HTML.replace("<h3>Mehr zum Thema", f"{structure}<h3>Mehr zum Thema"))
    for piece in (
        "\n\n## Wie es weitergeht\n\n",
        "- Erstens ist das Geländer lose und muss weg.\n- Zweitens fehlt das Geld dafür.",
        "\n\n> Wir haben das lange kommen sehen, sagte der Bürgermeister.\n\n",
        "| Jahr | Kosten |\n| --- | --- |\n| 2024 | 120 Euro |",
    ):
        assert piece in got.text_markdown
    assert got.text.endswith("Das ist der letzte Satz.")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"headline": "Brücke bleibt gesperrt"', '"headline": "Zehn Rezepte für den Advent"'),  # another article's
        ('"headline": "Brücke bleibt gesperrt"', '"headline": "Zeitung"'),
        ('"headline": "Brücke bleibt gesperrt"', '"headline": ["Brücke bleibt gesperrt"]'),
        ('content="Brücke bleibt gesperrt"', 'content="Zeitung | Brücke bleibt gesperrt"'),
        ("<h1>Brücke bleibt", '<h1><span class="kicker">Verkehr</span> Brücke bleibt'),
    ],
)
def test_the_headline_is_the_one_that_is_seen(old: str, new: str):
    assert old in HTML
    assert article(HTML.replace(old, new)).title == "Brücke bleibt gesperrt"


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ('"Erika Mustermann"', ("Erika Mustermann",)),
        ('["Erika Mustermann", {"name": "Ben Beispiel"}]', ("Erika Mustermann", "Ben Beispiel")),
        ('{"@type": "Person", "name": "ERIKA MUSTERMANN"}', ("Erika Mustermann",)),
        ('"Von unserer Redakteurin Erika Mustermann"', ("Erika Mustermann",)),
        ('"Erika Mustermann, Ben Beispiel und Carla Probe, dpa"', ("Erika Mustermann", "Ben Beispiel", "Carla Probe")),
        ('"https://www.zeitung.example/autor/erika-mustermann"', ("Erika Mustermann",)),
        ("null", ("Erika Mustermann",)),
        ("7", ("Erika Mustermann",)),
    ],
)
def test_authors_in_every_shape(author: str, names: tuple[str, ...]):
    assert article(HTML.replace('{"@type": "Person", "name": "Erika Mustermann"}', author)).authors == names


@pytest.mark.parametrize("where", ["title", "h1", "title and h1"])
@pytest.mark.parametrize("length", [400, 4_000, 40_000, 400_000])
def test_a_title_of_many_kilobytes_costs_no_article(where: str, length: int):
    long = "Wort " * (length // 5)
    title, h1 = (long if name in where else "Brücke bleibt gesperrt" for name in ("title", "h1"))
    said = "<p>Der Gemeinderat hat am Abend lange beraten und die Brücke {} gesperrt, heißt es.</p>"
    text = "".join(said.format(number) for number in range(12))
    body = f"<html lang=de><title>{title}</title><body><article><h1>{h1}</h1>{text}</article></body></html>"
    page = Page("https://zeitung.example/bruecke-1", "zeitung", body.encode(), datetime(2025, 12, 3, tzinfo=UTC))
    article = read(page, Rules(language="de"))
    assert article.text.count("Der Gemeinderat") == 12 and "Wort Wort" not in article.text
    assert 0 < len(article.title) <= 5_000
