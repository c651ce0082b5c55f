"""Boxes between the paragraphs are known by what they are made of, whatever their classes are called."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.items import Page
from pipelines.reading import read, shipped_rules
from pipelines.reading.body.extract import body_of
from pipelines.reading.page.tree import parse

PROSE = (
    "Die Gemeinde teilte am Montag mit, dass die alte Brücke über den Bach bis zum Herbst gesperrt bleiben muss.",
    "Bei einer Prüfung waren Schäden am Geländer aufgefallen; wie teuer die Reparatur wird, steht noch nicht fest.",
    "Der Gemeinderat will im Oktober entscheiden, ob statt der Reparatur ein neuer Steg gebaut werden soll.",
    "Anwohner fordern seit Jahren einen breiteren Weg, der auch für Kinderwagen und Rollstühle geeignet ist.",
    "Der Bürgermeister kündigte an, die Kosten beider Wege bis zum Ende des Sommers ausrechnen zu lassen.",
)
HEADLINE = "Brücke am Mühlbach bleibt gesperrt"


def text_with(box: str, place: int = 2) -> str:
    """What is read from an article with *box* behind its second paragraph."""
    lines = [f"<p>{sentence}</p>" for sentence in PROSE * 2]
    lines.insert(place, box)
    body = f"<div class=x1><h1>{HEADLINE}</h1><div class=x2>{''.join(lines)}</div></div>"
    tree = parse(f"<html><body>{body}</body></html>")
    read = body_of(tree, title=HEADLINE, address="https://www.zeitung.example/")
    return "\n".join(filter(None, (read.lead, *(block.text for block in read.blocks))))


WHOLE = text_with("")

CARD = "<div class=x9><a href='{}'><img src=a.jpg><h3>{}</h3></a><p>Ein Satz darüber, worum es dort geht.</p></div>"
CARDS = "".join(CARD.format(f"/a/{n}", f"Schlagzeile {n} über etwas anderes") for n in range(3))
SAID = "".join(
    f"<div class=y1><b>leser{n}</b><p>Das sehe ich ganz anders, und zwar schon lange, Nummer {n}.</p>"
    f"<a href='#{n}'>Antworten</a></div>"
    for n in range(4)
)


@pytest.mark.parametrize(
    "box",
    [
        f"<div class=x7><h2>Von nebenan</h2>{CARDS}</div>",
        f"<section>{CARDS}</section>",
        "<div class=x8><img src=a.jpg><div class=x3>Die Brücke von oben im Mai</div></div>",
        "<div class=x8><h3>Der Abend</h3><p>Alles, was war, kommt um sechs.</p><form><input type=email></form></div>",
        "<div class=x8><p><b>Lesen kostet.</b> Helfen Sie uns mit fünf Euro im Monat, damit unsere Seite bleibt.</p>"
        "<a href=/geben>Jetzt geben</a></div>",
        "<div class=x8><h3>In Kürze</h3><ul><li>Die Brücke bleibt zu.</li><li>Der Rat entscheidet.</li></ul>"
        "<small>Mit KI erstellt</small></div>",
        "<p><strong>Hintergrund:</strong> <a href='/a/7'>Warum Brücken so teuer geworden sind</a></p>",
        f"<div class=x8><h3>Vier Stimmen</h3>{SAID}</div>",
        "<div class=x9><h4>Ein Film</h4><p>Bevor wir ihn zeigen, erfährt der Betreiber, dass Sie hier sind.</p>"
        "<div><button>Her damit</button><button>Lieber nicht</button></div></div>",
    ],
    ids=[
        "cards",
        "cards without heading",
        "picture",
        "form",
        "prompt",
        "digest",
        "announcement",
        "comments",
        "buttons",
    ],
)
def test_a_box_is_taken_out_whole(box: str):
    assert text_with(box) == WHOLE


@pytest.mark.parametrize(
    "part",
    [
        "<h2><a href='https://other.example/app'>Eine App für Wanderer und ihre Freunde</a></h2>",
        "<p><img src=smile.png> Auch ein Absatz mit einem kleinen Bild darin ist ein Absatz des Artikels.</p>",
        "<div class=x8><p>„Wir haben Sie gewarnt“, sagte der Ingenieur, „und niemand von Ihnen hat uns gehört.“</p>"
        "<a href=/b>Brief</a></div>",
        "<div class=x9><p>„Wir haben Sie gewarnt“, sagte der Ingenieur, „und niemand von Ihnen hat uns gehört.“</p>"
        "<button>Anhören</button></div>",
        "<div class=x9><p>Das Geländer ist an elf Stellen gerissen, ein Pfeiler steht schief im Bach.</p>"
        "<button>Bild vergrößern</button></div>",
        "<p>Die Verwaltung verwies auf eine Mitteilung: <a href='/a/7'>sie</a></p>",
        "<ul><li>Das Geländer ist an elf Stellen gerissen.</li><li>Ein Pfeiler steht schief im Bach.</li></ul>",
    ],
    ids=[
        "link to another site",
        "picture in a paragraph",
        "quotation over a button",
        "picture with a button",
        "quotation",
        "short link",
        "list",
    ],
)
def test_what_is_of_the_article_stays(part: str):
    assert len(text_with(part)) > len(WHOLE)


def test_boxes_that_would_be_most_of_the_text_are_the_article():
    items = "".join(
        f"<div class=g><img src={n}.jpg><h3>Bild {n}</h3><p>{sentence}</p></div>" for n, sentence in enumerate(PROSE)
    )
    tree = parse(f"<html><body><h1>{HEADLINE}</h1><div class=x>{items}</div></body></html>")
    read = body_of(tree, title=HEADLINE)
    assert all(sentence in "\n".join(block.text for block in read.blocks) for sentence in PROSE)


def test_a_paragraph_that_repeats_the_description_of_a_picture_is_its_caption():
    said = "Der alte Steg über den Mühlbach an einem Morgen im Mai"
    picture = f"<div><a href=/gross><img src=a.jpg alt='{said}'></a></div>"
    assert text_with(f"{picture}<p>{said}, gesehen von der Uferstraße</p>") == WHOLE


def test_the_lead_is_no_caption_though_a_picture_stands_beside_it():
    lead = "Seit Wochen kommt niemand mehr über den Bach, und ein Ende ist nicht in Sicht."
    page = f"<div><div><p>{lead}</p><img src=a.jpg></div>{''.join(f'<p>{each}</p>' for each in PROSE * 2)}</div>"
    tree = parse(f"<html><body><h1>{HEADLINE}</h1>{page}</body></html>")
    read = body_of(tree, title=HEADLINE)
    assert lead in "\n".join(filter(None, (read.lead, *(block.text for block in read.blocks))))


def test_the_fields_of_a_form_are_there_when_a_whole_page_is_read():
    form = "<div class=q1><h3>Die Lage</h3><p>Alles, was war, kommt um sechs.</p><form><input type=email></form></div>"
    body = "".join(f"<p>{each}</p>" for each in PROSE * 2) + form + f"<p>{PROSE[0]}</p>"
    html = f"<html lang=de><body><div><h1>{HEADLINE}</h1>{body}</div></body></html>"
    page = Page("https://zeitung.example/a", "zeitung", html.encode(), datetime(2025, 12, 3, tzinfo=UTC), "text/html")
    assert "Alles, was war" not in read(page, shipped_rules()).text


def test_signs_that_tell_where_a_line_may_break_are_not_text():
    assert "Brückengeländer" in text_with("<p>Am Brücken\xadge\xadländer hängen seit Jahren Schlösser von Paaren.</p>")
