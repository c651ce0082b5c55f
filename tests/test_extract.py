"""The body of a page: what is the article, what stands around it."""

from __future__ import annotations

from itertools import product
from runpy import run_path

import pytest
from lxml import etree
from trafilatura import __version__, external, xpaths

from pipelines.items import Reason, Rejected
from pipelines.reading.body.extract import COMPARED, NARROWED, Body, StopWords, body_of, known_on
from pipelines.reading.page import tree as trees
from pipelines.reading.page.tree import parse

FIRST = "Die Gemeinde teilte am Montag mit, dass die Brücke über den Mühlbach bis zum Herbst gesperrt bleibt."
SECOND = "Bei einer Prüfung waren Schäden am Geländer aufgefallen; wie teuer die Reparatur wird, steht noch nicht fest."
THIRD = "Der Gemeinderat will im Oktober entscheiden, ob statt der Reparatur ein neuer Steg gebaut werden soll."
LEAD = "Wer von der Altstadt zum Bahnhof will, muss bis zum Herbst einen Umweg in Kauf nehmen."
TITLE = "Brücke über den Mühlbach bleibt gesperrt"
PROSE = f"<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>"


def body(inner: str, teaser: str | None = None, keep: tuple[str, ...] = (), **options) -> Body:
    tree = parse(f"<html lang=de><head><title>{TITLE}</title></head><body>{inner}</body></html>")
    return body_of(tree, title=TITLE, teaser=teaser, known=known_on(tree, keep, ()), **options)


def texts(found: Body) -> list[str]:
    return [block.text for block in found.blocks]


def test_the_body_is_the_paragraphs_without_the_headline():
    found = body(f"<article><h1>{TITLE}</h1>{PROSE}</article>")
    assert texts(found) == [FIRST, SECOND, THIRD]
    assert found.lead is None
    assert found.headline == TITLE


@pytest.mark.parametrize("markup", ["<p>{}</p>", "<div class='intro'>{}</div>", "<h2 class='lead'>{}</h2>"])
def test_a_lead_between_headline_and_body_is_kept_apart(markup: str):
    found = body(f"<header><h1>{TITLE}</h1>{markup.format(LEAD)}</header><div class='article-body'>{PROSE}</div>")
    assert found.lead == LEAD
    assert texts(found) == [FIRST, SECOND, THIRD]


def test_a_first_paragraph_that_the_page_describes_itself_with_is_the_lead():
    found = body(f"<article><h1>{TITLE}</h1><p>{LEAD}</p>{PROSE}</article>", teaser=LEAD)
    assert found.lead == LEAD
    assert texts(found)[0] == FIRST


def test_bylines_and_repeated_headlines_are_no_lead():
    found = body(
        f"<h1>{TITLE}</h1><h2>{TITLE}</h2><div>Von Erika Mustermann und Max Beispiel aus Neustadt</div>"
        f"<div class='article-body'>{PROSE}</div>",
        is_boilerplate=lambda line: line.startswith("Von "),
    )
    assert found.lead is None


@pytest.mark.parametrize(
    "around",
    [
        "<ul class='related'><li><a href='/1'>Noch eine Meldung aus der Region</a></li></ul>",
        "<div class='newsletter-box'><p>Abonnieren Sie unseren Newsletter und lesen Sie jeden Morgen das "
        "Wichtigste.</p></div>",
        "<figure><img src='a.jpg'><figcaption>Die Brücke im Sommer. Foto: Mustermann</figcaption></figure>",
        "<div class='md:mt-2 hidden'>Die Adresse wurde in die Zwischenablage kopiert, Sie können sie jetzt "
        "einfügen.</div>",
        "<div style='display: none'>Dieser Satz ist für niemanden zu sehen und gehört nicht zum Artikel.</div>",
        "<section id='leserkommentare'><p>Das ist ein Kommentar eines Lesers, der sich über die Sperrung sehr "
        "ärgert.</p></section>",
        "<aside><h3>Hintergrund</h3><p>Die Brücke wurde im Jahr 1903 gebaut und zuletzt vor dreißig Jahren "
        "saniert.</p></aside>",
        "<news-teaser><a href='/2'>Ein anderer Artikel über eine andere Brücke</a></news-teaser>",
        "<ul><li><a href='/1'>Ein Artikel über Brücken</a></li><li><a href='/2'>Noch ein Artikel</a></li></ul>",
        "<p><a href='/1'>Ein anderer Artikel über eine andere Brücke im Land</a></p>",
        "<div class='teaser'><h3>Andere Meldung</h3><p>Ein Satz, der zu einer anderen Meldung führt.</p><a "
        "href='/3'>mehr</a></div>",
        "<ws-config>{\"article\": {\"id\": 1, \"paywall\": false, \"keywords\": \"Brücke, Mühlbach, "
        "Neustadt\"}}</ws-config>",
    ],
)  # fmt: skip
def test_what_stands_around_is_not_the_body(around: str):
    found = body(f"<article><h1>{TITLE}</h1><p>{FIRST}</p>{around}<p>{SECOND}</p><p>{THIRD}</p></article>")
    assert texts(found) == [FIRST, SECOND, THIRD]


def test_what_was_removed_is_told_with_its_rule():
    found = body(f"<article><h1>{TITLE}</h1>{PROSE}<div class='share-bar'>Teilen auf allen Netzen</div></article>")
    assert [(piece.text, piece.rule) for piece in found.removed] == [("Teilen auf allen Netzen", "sharing")]


@pytest.mark.parametrize(
    "names", ["author", "has-ads", "article-meta", "banner", "kommentar-frei js-gallery", "mainnavigation"]
)
def test_a_name_is_not_believed_where_it_would_take_the_article(names: str):
    found = body(f"<main><h1>{TITLE}</h1><div class='{names}'>{PROSE}</div></main>")
    assert FIRST in texts(found)
    assert THIRD in texts(found)


def test_structure_is_kept():
    found = body(
        f"<article><h1>{TITLE}</h1><p>{FIRST}</p><h2>Wie es weitergeht</h2><p>{SECOND}</p>"
        f"<ul><li>Umweg über den Markt</li><li>Umweg über die Au</li></ul><blockquote><p>{THIRD}</p></blockquote>"
        "<table><tr><th>Jahr</th><th>Kosten</th></tr><tr><td>1993</td><td>2 Millionen</td></tr></table>"
        f"<p>{LEAD}</p></article>"
    )
    kinds = [block.kind for block in found.blocks]
    assert kinds == ["paragraph", "heading", "paragraph", "list", "quote", "table", "paragraph"]
    assert found.blocks[1].level == 2
    assert found.blocks[3].items == ("Umweg über den Markt", "Umweg über die Au")
    assert found.blocks[5].rows == (("Jahr", "Kosten"), ("1993", "2 Millionen"))


def test_paragraphs_in_bare_text_with_line_breaks_are_read():
    found = body(f"<table><tr><td><h1>{TITLE}</h1>{FIRST}<br><br>{SECOND}<br><br>{THIRD}</td></tr></table>")
    assert FIRST in "\n".join(texts(found))
    assert THIRD in "\n".join(texts(found))


def test_another_article_on_the_page_is_left_out():
    others = "".join(
        f"<article><h2><a href='/{n}'>Andere Meldung {n}</a></h2><p>Kurzer Anreißer zu der anderen Meldung Nummer {n}, "
        f"der neugierig machen soll.</p></article>"
        for n in range(6)
    )
    found = body(f"<main><article><h1>{TITLE}</h1>{PROSE * 2}</article><section>{others}</section></main>")
    assert "Anreißer" not in "\n".join(texts(found))


@pytest.mark.parametrize("nested", ["<div>", "<span>", "<b>", "<blockquote>", "<ul><li>", "<table><tr><td>"])
def test_deep_nesting_is_survived(nested: str):
    found = body(f"<article><h1>{TITLE}</h1>{PROSE}</article>{nested * 20_000}Ende")
    assert texts(found)[:3] == [FIRST, SECOND, THIRD]


def test_a_page_with_a_hundred_thousand_links_is_cut_down():
    tree = parse(
        f"<body><article><h1>{TITLE}</h1>{PROSE}</article>{'<a href=/x>Ein Link ins Archiv</a> ' * 100_000}</body>"
    )
    assert sum(1 for _ in tree.iter()) <= trees.MOST_ELEMENTS + 10
    assert [block.text for block in body_of(tree, title=TITLE).blocks][:3] == [FIRST, SECOND, THIRD]


def test_nothing_in_it_is_empty():
    with pytest.raises(Rejected) as refused:
        parse("<!-- nichts -->")
    assert refused.value.reason is Reason.EMPTY


def test_a_source_may_say_what_is_the_body_and_what_is_not():
    first = f"<div class='a'><p>{FIRST}</p><p class='x'>{LEAD}</p></div>"
    second, third = f"<div class='b'><p>{SECOND}</p></div>", f"<div class='c'><p>{THIRD}</p></div>"
    keep, remove = ("div.a", ".//div[@class='b']"), ("p.x",)
    found = body(f"<main><h1>{TITLE}</h1>{first}{second}{third}</main>", keep=keep, remove=remove)
    assert texts(found) == [FIRST, SECOND]
    assert ("site", LEAD) in [(piece.rule, piece.text) for piece in found.removed]


def test_a_source_rule_that_finds_nothing_changes_nothing():
    found = body(f"<article><h1>{TITLE}</h1>{PROSE}</article>", keep=("div.gone",), remove=("p.gone",))
    assert texts(found) == [FIRST, SECOND, THIRD]


def test_byline_and_headline_are_looked_for_around_a_known_container_first():
    known = known_on(
        parse(
            f"<body><header><h2>Seite</h2></header><main><h1>{TITLE}</h1><p>Von Anna Muster</p>"
            f"<div class=text>{PROSE}</div></main><footer>Von Ben Beispiel</footer></body>"
        ),
        (),
        ("div.text",),
    )
    assert known is not None
    assert known.surroundings is not None
    assert known.surroundings.tag == "main"


def test_a_known_container_that_is_not_on_the_page_is_none():
    tree = parse(f"<body><h1>{TITLE}</h1><div class=other>{PROSE}</div></body>")
    assert known_on(tree, (), ("div.text",)) is None
    assert known_on(tree, ("div.text",), ()) is None


def test_the_commonest_words_are_those_that_trafilatura_would_read_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(external, "JT_STOPLIST", None)  # it keeps what it reads
    assert {word.lower() for word in StopWords()} == set(external.jt_stoplist_init())


TAGS = ("article", "main", "section", "div", "aside", "details", "ul", "list", "item", "p", "span", "em")
NAMES = (
    "class",
    "id",
    "role",
    "style",
    "itemprop",
    "aria-hidden",
    "data-component",
    "data-lp-replacement-content",
    "href",
)
VALUES = (
    "post", "articleBody", "article-body", "article", "story-body", "content-body", "main", "comments", "disqus_thread",
    "infinite-scroll", "elementor-share-buttons", "share-bar", "cookie-box", "Navigation", "MostPopularStories", "true",
    "reply-1", "hidden", "display: none", "noprint", "Teaser", "caption", "else",
)  # fmt: skip


@pytest.mark.parametrize("name", NARROWED)
def test_what_trafilatura_looks_for_is_found_as_it_would_find_it(name: str):
    assert __version__ == COMPARED
    own = run_path(str(xpaths.__file__))
    page = etree.Element("body")
    for tag, attribute, value in product(TAGS, NAMES, VALUES):
        for around in (page, etree.SubElement(page, "div")):
            etree.SubElement(around, tag).set(attribute, value)
            etree.SubElement(around, tag).text = value
    for theirs, ours in zip(own[name], getattr(xpaths, name), strict=True):
        first = 1 if name == "BODY_XPATH" else None  # the first one is what it goes on with
        assert theirs(page)[:first] == ours(page)[:first] != []
        assert ours.path.count("descendant::*[@") == theirs.path.count(".//*[")
