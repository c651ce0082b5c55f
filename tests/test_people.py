"""Bylines: people apart from newsrooms and agencies."""

from __future__ import annotations

import lxml.html
import pytest

from pipelines.reading.fields.bylines import signed, written
from pipelines.reading.fields.people import Byline, byline, is_person, recased
from pipelines.reading.page.visible import VisibleText


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Anna Muster", ["Anna Muster"]),
        ("Von Anna Muster und Ben Beispiel", ["Anna Muster", "Ben Beispiel"]),
        ("VON ANNA MUSTER", ["Anna Muster"]),
        (
            "von Anna Muster, Ben Beispiel und Clara von der Heide",
            ["Anna Muster", "Ben Beispiel", "Clara von der Heide"],
        ),
        ("Ein Kommentar von Anna Muster", ["Anna Muster"]),
        ("Ein Gastbeitrag von Prof. Dr. Anna Muster", ["Prof. Dr. Anna Muster"]),
        ("Anna Muster, Redakteurin Politik", ["Anna Muster"]),
        ("Anna Muster, Korrespondentin in Rom", ["Anna Muster"]),
        ("Anna Muster (anna.muster@beispiel.de)", ["Anna Muster"]),
        ("Anna Muster @annamuster", ["Anna Muster"]),
        ("By Anna Muster and Ben Beispiel", ["Anna Muster", "Ben Beispiel"]),
        ("Par Anne-Marie Dupont et Jean d'Arc", ["Anne-Marie Dupont", "Jean d'Arc"]),
        ("Interview: Anna Muster", ["Anna Muster"]),
        ("Text: Anna Muster", ["Anna Muster"]),
        ("Anna Muster/Ben Beispiel", ["Anna Muster", "Ben Beispiel"]),
        ("anna.muster", ["Anna Muster"]),
        ("Anna Muster; Anna Muster; ANNA MUSTER", ["Anna Muster"]),
        ("Max Mustermann", ["Max Mustermann"]),
        ("Barbara Schneider", ["Barbara Schneider"]),
        ("Philipp Martin", ["Philipp Martin"]),
        ("Anna Scheffler und Ben Leitner", ["Anna Scheffler", "Ben Leitner"]),  # no boss, no head
        ("Von unserer Chefredakteurin Anna Muster", ["Anna Muster"]),
        ("stellvertretender Ressortleiter Ben Beispiel", ["Ben Beispiel"]),
        ("Anna Muster ZDF-Korrespondentin in Paris", ["Anna Muster"]),
        ("Anna Muster, Chief Political Correspondent", ["Anna Muster"]),
        ("Anna Muster, New York", ["Anna Muster"]),
        ("Anna Muster, Ben Beispiel und 2 weitere", ["Anna Muster", "Ben Beispiel"]),
        ("Par Anne Dupont avec AFP", ["Anne Dupont"]),
        ("Veröffentlicht von Anna Muster am 3. Dezember 2025", ["Anna Muster"]),
        ("Von Anna Muster Aktualisiert um 12:30", ["Anna Muster"]),
        ("Alle Artikel von Anna Muster", ["Anna Muster"]),
        ("Blog-Beitrag von Anna Muster", ["Anna Muster"]),
        ("Text und Fotos: Anna Muster", ["Anna Muster"]),
        ("Autoren Anna Muster und Ben Beispiel", ["Anna Muster", "Ben Beispiel"]),
        ("Anna Muster - Beispielblatt", ["Anna Muster"]),
    ],
)
def test_people_are_named_as_people(text: str, people: list[str]):
    assert list(byline([text]).people) == people


def test_where_only_names_stand_small_letters_and_last_names_first_are_read():
    assert byline(["anna muster"], is_stated=True).people == ("Anna Muster",)
    assert byline(["Muster, Anna"], is_stated=True).people == ("Anna Muster",)
    assert not byline(["von heute an"]).people
    assert not byline(["die neue redaktion"], is_stated=True).people


def test_accounts_and_networks_are_nobody():
    for name in ("admin", "wordpressadmin", "Webmaster", "Agenturen", "Twitter", "undefined"):
        assert not byline([name]), name


@pytest.mark.parametrize(
    "text", ["AFP Deutschland", "avec l'AFP", "dpa Deutschland", "mit dpa", "Deutsche Presse-Agentur"]
)
def test_an_agency_in_any_wording_is_an_agency(text: str):
    assert byline([text]).agency in ("AFP", "dpa")
    assert not byline([text]).people


def test_newsrooms_and_agencies_stand_apart():
    found = byline(["Von Anna Muster, dpa", "Redaktion Beispielblatt"])
    assert found == Byline(("Anna Muster",), ("Redaktion Beispielblatt",), "dpa")
    assert byline(["dpa/lno"]) == Byline((), (), "dpa")
    assert byline(["srf/hosb"]).organisations == ("srf/hosb",)
    assert byline(["Beispiel Verlag GmbH & Co. KG"]).people == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Von",
        "https://beispiel.de/autor",
        "a@b.de",
        "05:00 Uhr",
        "Stand: 28. April 2023",
        "Jetzt anmelden",
        "3 Min",
    ],
)
def test_what_names_nobody_gives_nothing(text: str):
    assert not byline([text])


def test_what_the_page_calls_an_organisation_is_no_person():
    assert byline(["Anna Muster"], ["Rotes Kreuz", "dpa"]) == Byline(("Anna Muster",), ("Rotes Kreuz",), "dpa")


def test_capitals_are_recased_and_mixed_case_is_kept():
    assert recased("JÖRG VON DER TANN") == "Jörg von der Tann"
    assert recased("HANS-PETER O'HARA") == "Hans-Peter O'Hara"
    assert recased("Ronald McDonald") == "Ronald McDonald"
    assert recased("dpa") == "dpa"


def test_newsrooms_are_no_people():
    for name in ("Beispiel Zeitung", "Die Redaktion", "Sport Online", "DER SPIEGEL", "BR24 Redaktion", "beispiel.de"):
        assert not is_person(name), name


def test_a_marked_byline_beside_the_headline_is_found_and_a_teaser_s_is_not():
    tree = lxml.html.document_fromstring(
        "<body><div class='teaser'><span class='author'>Von Teo Teaser</span></div><article><h1>Der Hafen</h1>"
        "<p class='byline'>Von <a href='/autor/1'>Anna Muster</a> und <a href='/autor/2'>Ben Beispiel</a></p>"
        "<p>Text.</p></article>"
        "<section class='comments'><b class='author'>Karl Kommentar</b></section></body>"
    )
    assert signed(tree, tree.find(".//h1")).people == ("Anna Muster", "Ben Beispiel")


@pytest.mark.parametrize(
    ("body", "heading", "people"),
    [
        ("<b rel=author>Anna Muster</b><h1>Hafen</h1><i rel=author>Ben Beispiel</i>", "h1", ("Ben Beispiel",)),
        ("<b rel=author>Anna Muster</b><h1>Hafen</h1><p>Text.</p>", "h1", ("Anna Muster",)),
        # far from each other: the first behind the headline, of those before it the last two
        ("<h1>Hafen</h1>{a}{b}", "h1", ("Anna Muster",)),
        ("{a}{b}{c}<h1>Hafen</h1>", "h1", ("Ben Beispiel",)),
        ("<div>{a}</div><h1>Hafen</h1><div><p>{b}</p>{c}</div>", "h1", ("Ben Beispiel",)),
        # together in one small container
        ("<h1>Hafen</h1><ul><li><a rel=author>Anna Muster</a><li><b rel=author>Ben Beispiel</b></ul>{c}", "h1",
         ("Anna Muster", "Ben Beispiel")),
        # a headline that no mark tells of does not part the page
        ("<b rel=author>Anna Muster</b><h2>Hafen</h2><i rel=author>Ben Beispiel</i>", "h2",
         ("Anna Muster", "Ben Beispiel")),
        ("<h2>Hafen</h2>{a}{b}{c}", None, ("Anna Muster",)),
    ],
)  # fmt: skip
def test_the_first_marked_byline_behind_the_headline_counts_with_its_neighbours(body, heading, people):
    far = {key: f"<div><div><div><div><b class=author>{name}</b></div></div></div></div>" for key, name in (
        ("a", "Anna Muster"), ("b", "Ben Beispiel"), ("c", "Clara Heide"))}  # fmt: skip
    tree = lxml.html.document_fromstring(f"<body>{body.format(**far)}</body>")
    assert signed(tree, tree.find(f".//{heading}") if heading else None).people == people


@pytest.mark.parametrize(
    "line",
    [
        "<p>Von Anna Muster und Ben Beispiel</p>",
        "<p><span>Von:</span> <span>Anna Muster</span> <span>Ben Beispiel</span></p>",
        "<p>3. Dezember 2025 | 16:36 Uhr | Anna Muster, Ben Beispiel</p>",
    ],
)
def test_an_unmarked_byline_near_the_headline_is_found(line: str):
    tree = lxml.html.document_fromstring(f"<body><h1>Der Hafen</h1>{line}<p>Text.</p></body>")
    assert written(VisibleText(tree, tree.find(".//h1"))).people == ("Anna Muster", "Ben Beispiel")


def test_a_signature_below_the_text_is_found():
    text = "<p>Text.</p>" * 40
    tree = lxml.html.document_fromstring(
        f"<body><h1>Der Hafen</h1>{text}<p>Autorin: Anna Muster, Redakteurin</p></body>"
    )
    assert written(VisibleText(tree, tree.find(".//h1"))).people == ("Anna Muster",)
    tree = lxml.html.document_fromstring(f"<body><h1>Der Hafen</h1>{text}<p>Von <b>Anna Muster</b></p></body>")
    assert written(VisibleText(tree, tree.find(".//h1"))).people == ("Anna Muster",)


def test_a_picture_s_credit_is_no_byline():
    tree = lxml.html.document_fromstring(
        "<body><h1>Der Hafen</h1><div class='authorline'><i>Foto: Fritz Foto</i> von <b>Anna Muster</b></div></body>"
    )
    assert signed(tree, tree.find(".//h1")).people == ("Anna Muster",)


@pytest.mark.parametrize(
    "name",
    [
        "Sepp Blatter", "Jane Gilmore", "Rieke Newsom", "Anna Hochleiter", "Petra Presser", "Max Rosenblatt",
        "Jan Fotopoulos", "Eva Darmstadt", "Ulf Uhrig", "Kim Mehring", "Lea Lesener", "Tom Verlagen", "Mia Teamer",
        "Ida Backhaus", "Ben Standl", "Ada Kontakter", "Leo Profiler", "John E Smith", "Nora Bronstein",
        "Markus Iseler", "Eva Hatzfeld",
    ],
)  # fmt: skip
def test_a_name_may_hold_the_words_of_bylines_and_newsrooms(name: str):
    assert byline([name], is_stated=True).people == (name,)


@pytest.mark.parametrize(
    "name",
    [
        "Tiroler Tageszeitung",
        "Hamburger Abendblatt",
        "Neue Presse",
        "Wiener Lokalredaktion",
        "Stadt Köln",
        "Anna Verlag",
        "Redaktion Sport",
    ],
)
def test_a_newsroom_is_no_person(name: str):
    assert byline([name], is_stated=True).people == ()


@pytest.mark.parametrize("text", ["Samstag", "Eingestellt von", "Gestern", "Geschrieben von", "Gast", "admin"])
def test_the_frame_of_a_byline_is_nobody(text: str):
    assert not byline([text])


def test_last_names_first_of_several():
    assert byline(["Muster, Anna; Beispiel, Ben Karl"], is_stated=True).people == ("Anna Muster", "Ben Karl Beispiel")


PARAGRAPH = "Der Rat hat am Montag beschlossen, dass der Hafen bis zum Herbst geschlossen bleibt, und nichts gesagt"


@pytest.mark.parametrize(
    ("above", "below", "people"),
    [
        ("", "<dl><dt>Datum</dt><dd>3.12.2025</dd><dt>Autorin</dt><dd>Anna Muster</dd></dl>", ("Anna Muster",)),
        ("", "<p><strong>Autor:</strong> Ben Beispiel</p>", ("Ben Beispiel",)),
        ("", "<p>TEXT: Anna Muster</p>", ("Anna Muster",)),
        ("", "<p>Text und Fotos: Anna Muster</p>", ("Anna Muster",)),
        ("", "<p>Interview: Anna Muster</p>", ("Anna Muster",)),
        ("", "<p>Das Gespräch führte Anna Muster.</p>", ("Anna Muster",)),
        ("", "<p><em>Anna Muster</em></p>", ("Anna Muster",)),
        ("", "<p>Autrice: Anna Muster</p>", ("Anna Muster",)),
        ("<p>Eingestellt von <a href='/u/1'>rasos</a> am Samstag</p>", "", ()),
        ("<p>di Anna Muster</p>", "", ("Anna Muster",)),
        ("<p>Door: Anna Muster</p>", "", ("Anna Muster",)),
        ("<p>Por Anna Muster</p>", "", ("Anna Muster",)),
        ("<p>Autor: Anna Muster</p>", "", ("Anna Muster",)),
        ("", "<aside class='more-news'><p>Von Ben Beispiel</p></aside>", ()),
    ],
)
def test_bylines_in_lists_signatures_and_prose(above: str, below: str, people: tuple[str, ...]):
    text = f"<p>{PARAGRAPH}.</p>" * 2
    tree = lxml.html.document_fromstring(f"<article><h1>Der Hafen bleibt zu</h1>{above}{text}{below}</article>")
    assert written(VisibleText(tree, tree.find(".//h1"))).people == people


def test_the_last_paragraph_may_end_in_its_author():
    tree = lxml.html.document_fromstring(
        f"<body><h1>Der Hafen bleibt zu</h1><p>{PARAGRAPH}.</p><p>{PARAGRAPH}. (Anna Muster) +++</p></body>"
    )
    assert written(VisibleText(tree, tree.find(".//h1"))).people == ("Anna Muster",)
