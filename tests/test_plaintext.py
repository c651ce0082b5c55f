"""Plain-text pages in the ways in which news sites lay out an article and what stands around it."""

from __future__ import annotations

from datetime import datetime

import pytest

from pipelines.items import Article, Page, Precision, Reason, Rejected
from pipelines.reading import read, shipped_rules
from pipelines.reading.plaintext_header import sections_in

FETCHED_AT = datetime.fromisoformat("2026-03-12T18:00:00+01:00")

# Prose for the articles below: invented, in the way in which agencies and portals write.
LEAD = (
    "Nachdem sich die Bauminister der Länder am Montag nicht auf eine gemeinsame Linie verständigt hatten, hat "
    "Bundesbauministerin Vera Sommerfeld am Dienstag angekündigt, den Entwurf für das Wohnungsgesetz zu überarbeiten."
)
PROSE = [
    "Man habe die Bedenken der Kommunen verstanden, sagte sie. \"Wir bauen zu wenig, und wir bauen zu langsam.\" "
    "Vor allem "
    "die Genehmigungen dauerten in vielen Städten länger als zwei Jahre. Das müsse sich ändern, so Sommerfeld. Die "
    "Länder "
    "hätten zugesagt, ihre Bauordnungen bis zum Herbst anzupassen und die Verfahren zu verkürzen.",
    "Der Städtetag begrüßte die Ankündigung. Zugleich warnte er davor, den Gemeinden weitere Aufgaben zu "
    "übertragen, ohne "
    "für das nötige Geld zu sorgen. In den Bauämtern fehlten schon heute mehrere Tausend Fachleute. Ohne sie werde "
    "kein "
    "einziges Verfahren schneller, hieß es in Köln. Die Opposition sprach von einem Eingeständnis des Scheiterns.",
    "Über den neuen Entwurf soll das Kabinett noch vor der Sommerpause beraten. Ob er im Bundesrat eine Mehrheit "
    "findet, ist "
    "offen: Bayern und Sachsen haben bereits angekündigt, nicht zustimmen zu wollen.",
]  # fmt: skip
BODY = [LEAD, *PROSE]
TITLE = "Sommerfeld will das Wohnungsgesetz nach Kritik der Länder überarbeiten"
TEASER = (
    "Die Ministerin reagiert auf die Kritik der Kommunen: Vera Sommerfeld legt das Wohnungsgesetz noch einmal neu auf."
)


def article(*blocks: str, fetched_at: datetime = FETCHED_AT) -> Article:
    """The article in a page of *blocks* with a blank line between them."""
    body = "\n\n".join(blocks).encode()
    page = Page(url="file:a.txt", source="test", body=body, fetched_at=fetched_at, content_type="text/plain")
    return read(page, shipped_rules())


def paragraphs(found: Article) -> list[str]:
    return found.text.split("\n\n")


# -- the header -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "section", "day"),
    [
        (["10. März, 2026", "Politik", TITLE], "Politik", "2026-03-10"),
        (["Politik", "Dienstag, 10. März 2026", TITLE], "Politik", "2026-03-10"),
        (["Bauen & Wohnen", TITLE, "10.03.2026"], "Bauen & Wohnen", "2026-03-10"),
        ([TITLE, "Wirtschaft", "10.3.2026"], "Wirtschaft", "2026-03-10"),
        ([TITLE, "10. Jänner 2026", "Inland"], "Inland", "2026-01-10"),
        (["2026-03-10", "Panorama", f"# {TITLE}"], "Panorama", "2026-03-10"),
        (["Stand: 10.03.2026", "Ressort: Inland", TITLE], "Inland", "2026-03-10"),
        (["Startseite > Inland > Bauen", TITLE, "10. März 2026"], "Inland", "2026-03-10"),
        (["Inland | 10.03.2026", TITLE], "Inland", "2026-03-10"),
        (["Aktuell", TITLE, "10.03.2026"], "Aktuell", "2026-03-10"),
        (["Startseite > Aktuelles", TITLE, "10.03.2026"], "Aktuelles", "2026-03-10"),
        (["Inland", f"**{TITLE}**", "Veröffentlicht am 10. März 2026"], "Inland", "2026-03-10"),
        ([TITLE, "10. März 2026"], None, "2026-03-10"),
    ],
)
def test_day_and_section_lines_are_read_in_any_order(header, section, day):
    found = article(*header, *BODY)
    assert (found.title, found.section, found.teaser) == (TITLE, section, None)
    assert found.published_at.isoformat() == f"{day}T00:00:00+01:00"
    assert found.published_precision is Precision.DAY
    assert paragraphs(found) == BODY


@pytest.mark.parametrize(
    ("line", "moment", "precision"),
    [
        ("heute 16:36 Uhr | 12 mal gelesen", "2026-03-12T16:36:00", Precision.MINUTE),
        ("gestern, 9:05 Uhr | 1.204 mal gelesen", "2026-03-11T09:05:00", Precision.MINUTE),
        ("10.03.2026 - 16:30:43", "2026-03-10T16:30:43", Precision.SECOND),
        ("10.03.2026, 07:12 Uhr | 3 Kommentare | Lesezeit: 2 Minuten", "2026-03-10T07:12:00", Precision.MINUTE),
        ("Di., 10. März 2026 · 7:12 Uhr · Von Karla Beispiel", "2026-03-10T07:12:00", Precision.MINUTE),
        ("Wien, 10.03.2026 / 07:12", "2026-03-10T07:12:00", Precision.MINUTE),
        ("Veröffentlicht: 10.03.2026 07:12 | Aktualisiert: 10.03.2026 09:40", "2026-03-10T07:12:00", Precision.MINUTE),
    ],
)
def test_a_date_line_under_the_teaser_is_read_whatever_stands_beside_the_date(line, moment, precision):
    found = article(TITLE, TEASER, line, *BODY)
    assert found.published_at == datetime.fromisoformat(moment + "+01:00")
    assert found.published_precision is precision
    assert (found.title, found.teaser) == (TITLE, TEASER)
    assert paragraphs(found) == BODY


@pytest.mark.parametrize(
    "line",
    [
        "heute 23:36 Uhr | 12 mal gelesen",
        "31.02.2026, 07:12 Uhr | 3 Kommentare",
        "vor 2 Wochen",
        "vor einem Monat",
        "3 weeks ago",
        "a month ago",
        "hace 2 meses",
        "il y a une semaine",
        "2 settimane fa",
        "3 maanden geleden",
        "2 tygodnie temu",
    ],
)
def test_a_date_line_that_cannot_be_is_no_date_and_no_text(line):
    found = article(TITLE, TEASER, line, *BODY)
    assert (found.published_at, found.teaser, paragraphs(found)) == (None, TEASER, BODY)


@pytest.mark.parametrize("line", ["heute, 08:15", "vor 5 Stunden", "10. März 2026"])
def test_a_date_line_right_under_the_title_is_not_joined_to_it(line):
    found = article(f"{TITLE}\n{line}\n" + "\n".join(BODY))
    assert (found.title, paragraphs(found)) == (TITLE, BODY)
    assert found.published_at is not None


def test_an_update_beside_the_date_is_kept_apart():
    found = article(TITLE, "Veröffentlicht: 10.03.2026 07:12 | Aktualisiert: 10.03.2026 09:40", *BODY)
    assert found.modified_at == datetime.fromisoformat("2026-03-10T09:40:00+01:00")


@pytest.mark.parametrize("byline", ["Von Karla Beispiel", "Autorin: Karla Beispiel", "Ein Bericht von Karla Beispiel"])
def test_a_byline_names_the_author(byline):
    found = article(TITLE, byline, "10.03.2026", *BODY)
    assert found.authors == ("Karla Beispiel",)
    assert paragraphs(found) == BODY


@pytest.mark.parametrize(
    "glue", ["Leben & Wohnen {}", "Leben & Wohnen: {}", "{} Leben & Wohnen", "Leben & Wohnen | {}"]
)
def test_a_section_glued_to_the_title_is_told_apart_by_the_title_below_it(glue):
    found = article(glue.format(TITLE), TITLE, TEASER, "Was die Länder fordern", *BODY)
    assert (found.title, found.section, found.teaser) == (TITLE, "Leben & Wohnen", TEASER)
    assert paragraphs(found) == ["Was die Länder fordern", *BODY]


def test_a_title_that_stands_twice_is_kept_once():
    found = article(TITLE, TITLE, *BODY)
    assert (found.title, paragraphs(found)) == (TITLE, BODY)


def test_a_short_line_over_the_title_that_is_no_section_is_its_kicker():
    found = article("Streit um das Bauen", TITLE, *BODY)
    assert (found.kicker, found.title, found.section) == ("Streit um das Bauen", TITLE, None)


def test_several_sections_are_kept_in_their_order():
    found = article("Inland, Bauen, Immobilien", TITLE, "10.03.2026 - 16:30:43", *BODY)
    assert found.sections == ("Inland", "Bauen", "Immobilien")
    assert found.section == "Inland"


# -- the teaser -------------------------------------------------------------------------------------------------------


def test_a_short_paragraph_before_a_subheading_is_the_teaser():
    found = article(TITLE, TEASER, "Was die Länder fordern", *BODY)
    assert (found.teaser, found.headings) == (TEASER, ("Was die Länder fordern",))


def test_a_short_paragraph_before_a_dateline_is_the_teaser():
    found = article(TITLE, TEASER, f"Berlin, Deutschland - {LEAD}", *PROSE)
    assert (found.teaser, found.dateline) == (TEASER, "Berlin, Deutschland")


@pytest.mark.parametrize("header", [[TITLE], ["10. März 2026", "Politik", TITLE], [TITLE, "10.03.2026 - 07:30"]])
def test_the_first_paragraph_of_a_story_is_no_teaser(header):
    assert article(*header, *BODY).teaser is None


def test_a_date_in_the_teaser_is_no_publication_date():
    found = article(TITLE, "Am 02.03.2026 tagt in Kiel die Konferenz der Bauminister mit Vera Sommerfeld.", *BODY)
    assert found.published_at is None
    assert found.teaser.startswith("Am 02.03.2026")


# -- the body ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("Das Papier liegt vor. Wie **Morgenkurier**\n\nberichtet, umfasst es 90 Seiten.",
         "Das Papier liegt vor. Wie Morgenkurier berichtet, umfasst es 90 Seiten."),
        ("Laut **Abendpost**\n\nsoll das Papier 90 Seiten umfassen.", "Laut Abendpost soll das Papier 90 Seiten "
        "umfassen."),
        ("Der Städtetag bleibt skeptisch, solange das Geld dafür nicht im Haushalt steht. Seine\n\nErwartungen an "
        "den Herbst "
         "sind trotzdem groß.",
         "Der Städtetag bleibt skeptisch, solange das Geld dafür nicht im Haushalt steht. Seine Erwartungen an den "
         "Herbst "
         "sind trotzdem groß."),
        ("Das Papier umfasst 90 Seiten, heißt es in der Zeitung **Morgenkurier**\n\n, die es einsehen konnte. Es "
        "ist geheim.",
         "Das Papier umfasst 90 Seiten, heißt es in der Zeitung Morgenkurier, die es einsehen konnte. Es ist geheim."),
        ("Die Ministerin äußerte sich dazu am Abend in einem Gespräch mit dem Sender und\n\nmit zwei Zeitungen aus "
        "München.",
         "Die Ministerin äußerte sich dazu am Abend in einem Gespräch mit dem Sender und mit zwei Zeitungen aus "
         "München."),
    ],
)  # fmt: skip
def test_a_paragraph_cut_in_the_middle_of_a_sentence_is_put_together(broken, whole):
    found = article(TITLE, *BODY, broken, "Ein letzter Absatz steht am Ende dieser Geschichte und sonst nichts.")
    assert paragraphs(found)[4] == whole


def test_a_subheading_is_not_joined_to_the_paragraphs_around_it():
    found = article(TITLE, LEAD, "Was die Länder fordern", *PROSE[:2], "Wie geht es weiter?", PROSE[2])
    assert found.headings == ("Was die Länder fordern", "Wie geht es weiter?")


def test_lines_wrapped_at_a_column_are_one_paragraph():
    wrapped = [
        "Der Städtetag begrüßte die Ankündigung. Zugleich warnte er davor, den",
        "Gemeinden weitere Aufgaben zu übertragen, ohne für das nötige Geld zu",
        "sorgen. In den Bauämtern fehlten schon heute mehrere Tausend",
        "Fachleute, sagte ein Sprecher.",
    ]
    found = article(TITLE, LEAD, "\n".join(wrapped))
    assert paragraphs(found) == [LEAD, " ".join(wrapped)]


def test_a_page_without_blank_lines_has_a_paragraph_a_line():
    found = article("\n".join(["10. März 2026", "Politik", TITLE, *BODY]))
    assert (found.title, found.section, paragraphs(found)) == (TITLE, "Politik", BODY)


def test_markup_leaves_no_marks():
    found = article(
        TITLE,
        LEAD,
        "Das meldet **Morgenkurier** unter [dieser Adresse](https://a.example/b). Es ist &amp; bleibt *neu*.",
    )
    assert paragraphs(found)[1] == "Das meldet Morgenkurier unter dieser Adresse. Es ist & bleibt neu."


def test_a_list_that_is_announced_stays():
    found = article(
        TITLE, LEAD, PROSE[0], "Das soll sich ändern:", "- kürzere Fristen\n- mehr Personal\n- weniger Gutachten"
    )
    assert found.text_markdown.endswith("- kürzere Fristen\n- mehr Personal\n- weniger Gutachten")


def test_a_table_of_figures_stays_in_the_text():
    table = "| Stadt | 2024 | 2025 |\n|---|---|---|\n| Köln | 4012 | 3877 |\n| Kiel | 911 | 1020 |"
    found = article(TITLE, LEAD, table, PROSE[0])
    assert found.details == {}
    assert "Köln 4012 3877" in found.text
    assert "| Köln | 4012 | 3877 |" in found.text_markdown


# -- the table of facts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        '| Details | |\n|---|--|\n| Ort | Bern, Schweiz |\n| Quellen | <ul style="list-style-type: none">• '
        "www.a.example• www.b.example |",
        "| Infos | |\n| :-- | :-- |\n| Ort | Bern, Schweiz |\n| Quellen | "
        "<ul><li>www.a.example</li><li>www.b.example</li></ul> |",
        "| Ort | Bern, Schweiz |\n|---|---|\n| Quellen | www.a.example<br>www.b.example |",
        "Fakten\n| Ort | Bern, Schweiz |\n| Quellen | • www.a.example • www.b.example |",
    ],
)
def test_a_table_of_facts_becomes_details(table):
    found = article(TITLE, *BODY, table, "Folgen Sie uns auf Instagram: @nachrichten")
    assert found.details == {"Ort": "Bern, Schweiz", "Quellen": ["www.a.example", "www.b.example"]}
    assert paragraphs(found) == BODY


# -- what stands around the body --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "Besuchen Sie uns auf: nachrichten.example", "Folgen Sie uns auf Facebook und Instagram!", "Jetzt "
        "Newsletter abonnieren",
        "Seite 1 / 3\nNächste Seite", "Seite 2 von 4", "Weiter auf Seite 2", "12 mal gelesen", "Artikel drucken",
        "Schlagwort aus diesem Artikel", "Schlagwörter zu diesem Artikel\nBauen\nWohnen\nLänder", "Themen: Bauen, "
        "Wohnen",
        "Quelle: APA", "(dpa)", "@ dts-nachrichtenagentur.de", "© dpa-infocom, dpa:260310-99-12345/3", "Kommentare (3)",
        "Wie hat Ihnen dieser Artikel gefallen?", "Teilen\nMerken\nDrucken",
    ],
)  # fmt: skip
def test_a_line_that_is_not_of_the_article_goes_and_is_recorded(line):
    found = article(TITLE, *BODY, line)
    assert paragraphs(found) == BODY
    assert [piece.text for piece in found.removed] == line.split("\n")


@pytest.mark.parametrize(
    ("line", "agency"), [("Quelle: APA", "APA"), ("@ dts-nachrichtenagentur.de", "dts"), ("(dpa)", "dpa")]
)
def test_a_credit_line_names_the_agency(line, agency):
    assert article(TITLE, *BODY, line).agency == agency


def test_an_agency_that_the_text_cites_is_no_credit():
    told = "Das sagte die Ministerin der Nachrichtenagentur Reuters am Rande eines Besuchs in Rostock am späten Abend."
    assert article(TITLE, *BODY[:2], told, *BODY[2:]).agency is None


@pytest.mark.parametrize(
    ("line", "total"), [("Seite 1 / 3", 3), ("Seite 1 von 4", 4), ("Teil 1 von 2", 2), ("- Seite 1/5 -", 5)]
)
def test_a_paging_line_tells_how_many_pages_there_are(line, total):
    found = article(TITLE, *BODY, line, "Nächste Seite")
    assert (found.pages_read, found.pages_total) == (1, total)


OTHERS = [
    "Mieten steigen in allen großen Städten",
    "Warum der Beton knapp wird: Die Lage in den Werken",
    "Elf Wege zum eigenen Haus",
]


@pytest.mark.parametrize(
    "heading",
    [
        "Das könnte dich auch interessieren",
        "Mehr aus dem Ressort",
        "Weitere Artikel",
        "Unsere Leseliste",
        "Zum Schmökern:",
        None,
    ],
)
@pytest.mark.parametrize(
    "layout", ["{title} Leben & Wohnen\n{title}", "{title}\n{title} Leben & Wohnen", "{title}\n{title}", "{title}"]
)
def test_a_block_of_other_titles_goes_whatever_it_is_called(heading, layout):
    block = "\n".join(layout.format(title=title) for title in OTHERS)
    found = article(TITLE, *BODY, *([heading] if heading else []), block)
    assert paragraphs(found) == BODY


@pytest.mark.parametrize(
    "heading", ["Weitere Meldungen", "Mehr Nachrichten aus Inland", "Noch nicht genug?", "Ticker", None]
)
@pytest.mark.parametrize(
    "tail",
    [
        "(Inland, 24.01.2026 - 08:26) weiterlesen...",
        "(Bauen, 24.01.2026 - 08:26) mehr...",
        "[24. Januar 2026] weiterlesen »",
        "... weiterlesen",
    ],
)
def test_teasers_of_other_stories_run_together_go_whatever_they_are_called(heading, tail):
    teasers = [
        f"Mieten steigen in allen großen Städten Die Mieten in den großen Städten sind weiter gestiegen.Das teilte das "
        f"Statistische Amt am Freitag mit.Besonders stark war der Anstieg in Leipzig, sagte ein Sprecher der "
        f"Behörde. {tail}",
        f"Beton wird knapp In den Werken fehlt es an Sand.Nach Angaben des Verbandes ruht in vier Werken die "
        f"Arbeit. {tail}",
    ]
    found = article(
        "Inland",
        TITLE,
        "10.03.2026 - 16:30:43",
        *BODY,
        "@ dts-nachrichtenagentur.de",
        *([heading] if heading else []),
        *teasers,
    )
    assert paragraphs(found) == BODY
    assert found.agency == "dts"


@pytest.mark.parametrize(
    "tail",
    [
        "Mehr aus Politik\n24.01.2026 Mieten steigen in allen Städten\n22.01.2026 Beton wird knapp",
        "Weitere Berichte\n\nMieten steigen\nInland | 24.01.2026\nDie Mieten sind weiter gestiegen.\n\nBeton wird "
        "knapp\n"
        "Inland | 22.01.2026\nIn den Werken fehlt es an Sand.",
        "Lesen Sie auch\n\n- Mieten steigen in allen Städten\n- Beton wird knapp",
        "Unsere Tipps\n\n• Mieten steigen in allen Städten\n• Beton wird knapp\n• Elf Wege zum Haus",
        "Mehr dazu:\n[Mieten steigen](https://a.example/1)\n[Beton wird knapp](https://a.example/2)",
        "Newsletter\n\nMelden Sie sich jetzt für unseren Newsletter an.\n\nIhre E-Mail-Adresse\n\nAbonnieren",
        "Über die Autorin\n\nKarla Beispiel schreibt seit 2010 über das Bauen. Sie lebt in Kiel.",
        "Kommentare (2)\n\nHans: Das sehe ich ganz anders, so wird das alles nichts werden.\n\nPetra: Guter "
        "Artikel, danke.",
        "© 2026 Nachrichten GmbH. Alle Rechte vorbehalten.\nImpressum | Datenschutz | AGB",
        "Anzeige\n\nJetzt Depot eröffnen und 100 Euro Prämie sichern!",
        "Hinweis: Dieser Artikel stellt keine Anlageberatung dar.",
        "« Vorheriger Artikel\nMieten steigen\nNächster Artikel »\nBeton wird knapp",
        "Aktien in diesem Artikel\nBau AG\t1.540,00\t-0,5%\nWerk AG\t88,10\t+1,2%",
        "Artikel vorlesen\n0:00 / 3:12",
    ],
)
def test_what_stands_below_the_article_goes(tail):
    assert paragraphs(article(TITLE, "10.03.2026", *BODY, tail)) == BODY


def test_a_box_of_links_inside_the_article_goes_and_the_article_goes_on():
    found = article(TITLE, *BODY[:2], "Lesen Sie auch", "Mieten steigen in allen großen Städten", *BODY[2:])
    assert paragraphs(found) == BODY


def test_a_mark_of_advertising_inside_the_article_takes_nothing_with_it():
    found = article(TITLE, *BODY[:2], "Anzeige", *BODY[2:])
    assert paragraphs(found) == BODY


def test_sentences_that_only_sound_like_boilerplate_stay():
    told = [
        "Der Newsletter der Partei ging am Montag an 30.000 Abonnenten, wie ein Sprecher auf Anfrage mitteilte.",
        "Auf Facebook und Instagram folgen ihr inzwischen mehr als 200.000 Menschen aus dem ganzen Land.",
        "Weitere Meldungen über Schäden gingen bei der Polizei bis zum frühen Abend nicht ein.",
        "Die Anzeige wurde zurückgezogen.",
    ]
    found = article(TITLE, LEAD, *told, PROSE[2])
    assert paragraphs(found) == [LEAD, *told, PROSE[2]]


# -- input that is none -----------------------------------------------------------------------------------------------


def rejection(body: bytes) -> Reason:
    page = Page(url="file:a.txt", source="test", body=body, fetched_at=FETCHED_AT, content_type="text/plain")
    with pytest.raises(Rejected) as caught:
        read(page, shipped_rules())
    return caught.value.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \n\t\r\n \n", Reason.EMPTY),
        (b"Nur eine Zeile", Reason.EMPTY),
        (TITLE.encode(), Reason.EMPTY),
        (LEAD.encode(), Reason.NO_TITLE),
        ("\n\n".join(BODY).encode(), Reason.NO_TITLE),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, Reason.BINARY),
        (bytes(1000), Reason.BINARY),
        (b"a" * 20_000_000, Reason.TOO_LARGE),
    ],
)
def test_what_is_no_article_is_rejected_with_a_reason(body, reason):
    assert rejection(body) is reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings_are_recognised(encoding):
    body = "\n\n".join(["Politik", TITLE, *(text.replace("ß", "ss") for text in BODY)]).encode(encoding)
    page = Page(url="file:a.txt", source="test", body=body, fetched_at=FETCHED_AT, content_type="text/plain")
    found = read(page, shipped_rules())
    assert (found.title, "Länder" in found.text) == (TITLE, True)


def test_an_english_page_is_read_with_english_phrases():
    prose = (
        "The council said on Monday that the bridge would stay closed for another two weeks while engineers look at "
        "every bolt of it. "
    )
    found = article(
        "10 March 2026",
        "Politics",
        "Bridge stays closed for two weeks",
        prose * 2,
        prose * 3,
        "You may also like",
        "Ten walks in the rain",
    )
    assert (found.language, found.section, found.title) == ("en", "Politics", "Bridge stays closed for two weeks")
    assert len(paragraphs(found)) == 2


@pytest.mark.parametrize("above", [[], ["Politik"], ["Streit um das Bauen"], ["10. März 2026", "Bauen & Wohnen"]])
def test_a_long_headline_is_a_headline(above):
    title = (
        "Nach der Kritik der Länder und des Städtetages: Bundesbauministerin Sommerfeld will den Entwurf für das "
        "Wohnungsgesetz überarbeiten und im Herbst vorlegen"
    )
    found = article(*above, title, *BODY)
    assert (found.title, paragraphs(found)) == (title, BODY)


def test_a_short_first_paragraph_under_its_date_is_no_teaser():
    short = "Die Ministerin überarbeitet das Wohnungsgesetz. Das kündigte sie am Dienstag in Berlin an."
    assert article(TITLE, "10.03.2026 - 16:30:43", short, *PROSE).teaser is None


def test_a_bold_first_paragraph_is_the_teaser():
    assert article(TITLE, f"**{TEASER}**", *BODY).teaser == TEASER


@pytest.mark.parametrize(
    ("line", "stated", "sections"),
    [
        ("Ausland, Militär", (), ("Ausland", "Militär")),
        ("Unternehmen, Maschinenbau", ("Unternehmen",), ("Unternehmen", "Maschinenbau")),
        ("Leben & Wohnen", (), ("Leben & Wohnen",)),
        ("Krieg in der Ukraine", (), ()),
        ("Ukraine-Krieg", ("Politik",), ("Politik",)),
        ("Inland", ("Ausland",), ("Ausland",)),
        ("Aktuell", (), ("Aktuell",)),
        (None, ("Ausland",), ("Ausland",)),
    ],
)
def test_the_line_over_a_title_can_name_sections(line, stated, sections):
    assert sections_in(line, stated) == sections
