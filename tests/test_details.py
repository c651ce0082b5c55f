"""Tables of facts beside the text become a dict; tables of figures stay what they are."""

from __future__ import annotations

import pytest
from lxml import html

from pipelines.reading.body import details

FACTS = {"Ort": "Bern, Schweiz", "Quellen": ["www.a.example", "www.b.example"]}


def from_html(markup: str) -> details.Details:
    return details.from_tree(html.document_fromstring(f"<html><body><p>Text davor.</p>{markup}</body></html>"))[0]


@pytest.mark.parametrize(
    "markup",
    [
        "<table><tr><th colspan=2>Details</th></tr><tr><td>Ort</td><td>Bern, Schweiz</td></tr>"
        "<tr><td>Quellen</td><td><ul><li>www.a.example</li><li>www.b.example</li></ul></td></tr></table>",
        "<table><tr><th>Ort:</th><td>Bern, "
        "Schweiz</td></tr><tr><th>Quellen:</th><td>www.a.example<br>www.b.example</td></tr></table>",
        "<dl><dt>Ort</dt><dd>Bern, Schweiz</dd><dt>Quellen</dt><dd>www.a.example</dd><dd>www.b.example</dd></dl>",
        "<dl><div><dt>Ort</dt><dd>Bern, Schweiz</dd></div><div><dt>Quellen</dt><dd>• www.a.example • "
        "www.b.example</dd></div></dl>",
    ],
)
def test_tables_and_lists_of_facts_are_read(markup):
    assert from_html(markup) == FACTS


def test_a_heading_over_the_table_vouches_for_labels_that_nobody_knows():
    rows = "<tr><td>Baujahr</td><td>1911</td></tr><tr><td>Spannweite</td><td>46 Meter</td></tr>"
    assert from_html(f"<h3>Auf einen Blick</h3><table>{rows}</table>") == {"Baujahr": "1911", "Spannweite": "46 Meter"}
    assert from_html(f"<table>{rows}</table>") == {}


@pytest.mark.parametrize(
    "markup",
    [
        "<table><tr><th>Stadt</th><th>2024</th><th>2025</th></tr><tr><td>Köln</td><td>4012</td><td>3877</td></tr></table>",
        "<table><tr><td>Köln</td><td>4012</td></tr><tr><td>Kiel</td><td>911</td></tr></table>",
        "<table><tr><td>1.</td><td>Erster Verein</td></tr><tr><td>2.</td><td>Zweiter Verein</td></tr></table>",
        "<table><tr><td>"
        + "Ein langer Absatz in einer Tabelle, mit der die Seite gebaut ist. " * 20
        + "</td><td>x</td></tr></table>",
        "<table></table>",
        "<dl></dl>",
        "<dl><dt>Wie lange dauert das?</dt><dd>Ein Jahr.</dd><dt>Wer zahlt?</dt><dd>Die Gemeinde.</dd></dl>",
    ],
)
def test_tables_of_figures_and_questions_are_none(markup):
    assert from_html(markup) == {}


def test_a_table_of_facts_is_taken_from_the_page_with_its_heading_and_recorded():
    tree = html.document_fromstring(
        "<html><body><p>Davor.</p><h3>Details</h3><table><tr><td>Ort</td><td>Bern</td></tr></table>Dahinter.</body></html>"
    )
    facts, removed = details.taken_from(tree)
    assert facts == {"Ort": "Bern"}
    assert [(piece.text, piece.rule) for piece in removed] == [("Ort Bern", "details")]
    assert " ".join(tree.text_content().split()) == "Davor.Dahinter."


def test_markup_in_values_is_text():
    lines = ["| Details | |", "|---|---|", "| Ort | **Bern** &amp; Umgebung |", "| Datum | <b>3. Mai</b> |"]
    assert details.from_text(lines) == {"Ort": "Bern & Umgebung", "Datum": "3. Mai"}


def test_a_list_of_one_stays_a_list():
    assert details.from_text(["| Ort | Bern |", "| Quellen | <ul><li>www.a.example</ul> |"])["Quellen"] == [
        "www.a.example"
    ]


def test_a_bar_that_is_escaped_is_part_of_its_cell():
    assert details.from_text(["| Ort | Bern \\| Biel |"]) == {"Ort": "Bern | Biel"}


def test_a_row_with_one_word_is_the_title_of_its_table_whatever_it_says():
    rows = ["| Am Rande notiert | |", "|---|---|", "| Ort | Kassel |", "| Datum | 14.05.2026 |"]
    assert details.from_text(rows) == {"Ort": "Kassel", "Datum": "14.05.2026"}


@pytest.mark.parametrize(
    ("listed", "facts"),
    [
        (
            "<h3>Details</h3><ul><li><b>Ort:</b> Bern</li><li><b>Datum</b>: 3. Mai</li></ul>",
            {"Ort": "Bern", "Datum": "3. Mai"},
        ),
        ("<ul><li><b>Ort:</b> Bern</li><li><b>Datum:</b> 3. Mai</li></ul>", {}),  # no title tells that these are facts
        ("<h3>Details</h3><ul><li><b>Bern</b> hat viele Brücken.</li><li><b>Biel</b> auch.</li></ul>", {}),
        ("<h3>Details</h3><ul><li><b>Ort:</b> Bern</li><li>Ein ganzer Satz ohne Namen davor.</li></ul>", {}),
    ],
)
def test_a_titled_list_of_labels_is_one_of_facts(listed: str, facts: dict):
    assert details.from_tree(html.document_fromstring(f"<body><p>Davor.</p>{listed}</body>"))[0] == facts
