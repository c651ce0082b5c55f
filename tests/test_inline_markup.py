"""Raised, struck out, quoted and doubled words, and verses, as a plain text."""

# ruff: noqa: E501 - a page's markup is read more easily on one line

from __future__ import annotations

import pytest

from tests.reading_pages import article, p, page, text_on

CASES: list = []


def case(name: str, html: str, has=(), lacks=()) -> None:
    """Note a page with what must and what must not be read from it."""
    CASES.append(pytest.param(html, has, lacks, id=name))


case(
    "sup link",
    page(
        article(
            p(0),
            '<p>Der Kreis hatte im Jahr 2019<sup><a href="#fn3">3</a></sup> noch drei Stege im Bestand, heißt es in der Übersicht des Bauamts zum Haushalt.</p>',
            p(2),
            p(3),
        )
    ),
    ["2019 noch"],
    ["20193"],
)
case(
    "sup bracket",
    page(
        article(
            p(0),
            "<p>Der Kreis hatte im Jahr 2019<sup>[3]</sup> noch drei Stege im Bestand, heißt es in der Übersicht des Bauamts zum Haushalt.</p>",
            p(2),
            p(3),
        )
    ),
    ["2019"],
    ["20193"],
)
case(
    "sup ordinals",
    page(
        article(
            p(0),
            "<p>On the 22<sup>nd</sup> of May the council decided, on 350 m<sup>2</sup>, about E = mc<sup>2</sup> and x<sup>n</sup>, and CO<sub>2</sub> and H<sub>2</sub>O levels.</p>",
            p(2),
            p(3),
        )
    ),
    ["22nd", "CO2", "H2O"],
    ["m2 "],
)
case(
    "sup clock",
    page(
        article(
            p(0),
            "<p>Die Sitzung beginnt um 20<sup>15</sup> Uhr im großen Saal des Rathauses, der Eintritt kostet 3<sup>50</sup> Euro für Erwachsene und ist frei für Kinder.</p>",
            p(2),
            p(3),
        )
    ),
    [],
    ["2015 Uhr", "350 Euro"],
)
case(
    "del span",
    page(
        article(
            p(0),
            '<p>Die Rechnung beläuft sich auf <span style="text-decoration:line-through">7.400</span> 4.700 Euro, wie das Bauamt nach einer zweiten Prüfung schrieb.</p><p>Im Bach wurden <strike>neun</strike> sechs Forellen gezählt, als die Angler am Mittag dort waren.</p>',
            p(2),
            p(3),
        )
    ),
    ["4.700"],
    ["7.400", "neun"],
)
case(
    "ins kept",
    page(
        article(
            p(0),
            '<p>Die Rechnung beläuft sich auf <del datetime="2025-01-01">7.400</del><ins>4.700</ins> Euro, wie das Bauamt nach einer zweiten Prüfung schrieb.</p>',
            p(2),
            p(3),
        )
    ),
    ["auf 4.700 Euro"],
    ["7.400"],
)
case(
    "q",
    page(
        article(
            p(0),
            "<p>Die Bürgermeisterin sagte: <q>Das ist ein guter Tag</q>, und lachte dabei in die Kameras der Reporter im Saal.</p>",
            p(2),
            p(3),
        )
    ),
    ["„Das ist ein guter Tag“, und"],
)
case(
    "a11y reversed",
    page(
        article(
            '<p><span class="sr-only">Der Ortsrat</span><span aria-hidden="true">D</span><span aria-hidden=true>er Ortsrat</span> kam am Montag nach einer langen Aussprache mit den Anglern zu seinem Beschluss.</p>',
            p(2),
            p(3),
        )
    ),
    ["Ortsrat kam am"],
    ["Der OrtsratDer"],
)
case(
    "a11y dropcap",
    page(
        article(
            '<p><span aria-hidden="true" class="dropcap">D</span><span class="screen-reader-text">D</span>er Ortsrat kam am Montag nach einer langen Aussprache mit den Anglern zu seinem Beschluss.</p>',
            p(2),
            p(3),
        )
    ),
    ["Der Ortsrat kam"],
)
case(
    "a11y heading",
    page(
        article(
            p(0),
            "<h2><span aria-hidden=true>9 T. €</span><span class=visually-hidden>Neuntausend Euro</span> für die Rampe</h2>",
            p(2),
            p(3),
        )
    ),
    ["für die Rampe"],
    ["€Fünf"],
)
case(
    "a11y external",
    page(
        article(
            '<p>Die Stadt hat ihren <a href="https://x.example">Plan<span class="sr-only"> (öffnet in neuem Fenster)</span></a> am Montag den Anglern und den Wirten im Rathaus vorgestellt.</p>',
            p(2),
            p(3),
        )
    ),
    ["Plan am"],
    ["öffnet"],
)
case(
    "a11y no twin dropcap",
    page(
        article(
            '<p><span aria-hidden="true">D</span>er Ortsrat kam am Montag nach einer langen Aussprache mit den Anglern zu seinem Beschluss.</p>',
            p(2),
            p(3),
        )
    ),
    ["Der Ortsrat kam"],
)
V = [
    "Am Hafen lag ein alter Kahn,",
    "der hatte keinen Kapitän,",
    "da kam die Möwe wütend an",
    "und wollte ihn nicht wiedersehn.",
]
case("verse br", page(article(p(0), "<p>" + "<br>".join(V) + "</p>", p(2), p(3))), V)
case("verse pre", page(article(p(0), '<pre class="wp-block-verse">' + "\n".join(V) + "</pre>", p(2), p(3))), V)
case(
    "verse figure",
    page(
        article(
            p(0),
            "<figure class=poem><pre>" + "\n".join(V) + "</pre><figcaption>Ein Lied</figcaption></figure>",
            p(2),
            p(3),
        )
    ),
    V,
)
case(
    "verse divs",
    page(article(p(0), "<div class=poem>" + "".join(f"<div class=line>{v}</div>" for v in V) + "</div>", p(2), p(3))),
    V,
)
case(
    "verse spans",
    page(
        article(
            p(0), "<blockquote class=verse>" + "<br>".join(f"<span>{v}</span>" for v in V) + "</blockquote>", p(2), p(3)
        )
    ),
    V,
)


@pytest.mark.parametrize(("html", "has", "lacks"), CASES)
def test_markup_inside_of_sentences_is_read_as_a_person_reads_it(html: str, has, lacks):
    text = text_on(html)
    assert [each for each in has if " ".join(each.split()) not in text] == []
    assert [each for each in lacks if each in text] == []
