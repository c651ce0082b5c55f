"""Promotion, pointers to other texts and licences are no text of the article; sentences that sound alike are."""

from __future__ import annotations

import re

import pytest

from tests.reading_pages import SAID, article, p, page, text_on

CASES: list = []


def case(name: str, html: str, has=(), lacks=()) -> None:
    """Note a page with what must and what must not be read from it."""
    CASES.append(pytest.param(html, has, lacks, id=name))


GO = [
    "Zum Weiterlesen: <a href=/a/1>Warum Stege so teuer sind</a>",
    "Zum Weiterlesen: Hans Maier, Stege in Europa, Verlag am Bach, 24 Euro",
    "Lesen Sie auch: <a href=/a/1>Warum Stege so teuer sind</a>",
    "<a href=/a/1>Lesen Sie hier: Warum Stege so teuer sind</a>",
    "Mehr zum Thema lesen Sie <a href=/t>hier</a>.",
    "Alle Nachrichten aus Oberlind lesen Sie <a href=/t>hier</a>.",
    "Folgen Sie uns auf <a href=x>Instagram</a> und <a href=y>Facebook</a>!",
    "Dieser Text steht unter der Lizenz <a href=cc>CC BY-SA 4.0</a>.",
    "© 2025 Lindbote. Alle Rechte vorbehalten.",
    "Der Beitrag <a href=/x>Steg wird gebaut</a> erschien zuerst auf <a href=/>Lindbote</a>.",
    "Dieser Artikel erschien zuerst im Lindboten.",
    "© dpa-infocom, dpa:251104-99-12345/2",
    "Haben Sie einen Fehler gefunden? <a href=mailto:x>Schreiben Sie uns</a>.",
    "Abonnieren Sie unseren Newsletter und verpassen Sie keine Nachricht mehr.",
    "Original-Content von: Gemeinde Oberlind, übermittelt durch news aktuell",
    "Hören Sie dazu auch unseren Podcast <a href=/p>Lindgeflüster</a>.",
    "Dieser Artikel ist lizenziert unter Creative Commons Namensnennung 4.0 International.",
    "Veröffentlicht unter CC BY 4.0",
    "Text: CC BY-SA 3.0 DE",
    "Creative-Commons-Lizenz: Namensnennung, nicht kommerziell",
    "Weiterlesen: <a href=/a/3>So baut man einen Steg</a>",
    "Zum Nachlesen: <a href=/a/3>Die Debatte im Rat</a>",
    "Zum Nachhören: <a href=/a/3>Das Gespräch mit der Ortsvorsteherin</a>",
    "Links zum Thema: <a href=/a/3>Stege</a>, <a href=/a/4>Brücken</a>",
    "Siehe auch: <a href=/a/3>So baut man einen Steg</a>",
    "Die App des Lindboten gibt es kostenlos im App Store und bei Google Play.",
    "Unterstützen Sie unsere Arbeit mit einer Spende.",
    "Jetzt die Lindbote-App herunterladen und nichts mehr verpassen",
]
for _i, g in enumerate(GO):
    words = re.sub("<[^>]+>", "", g)
    case("go end: " + words[:40], page(article(*map(p, range(5)), f"<p>{g}</p>")), [SAID[4]], [words[:28]])
    case("go mid: " + words[:40], page(article(p(0), p(1), f"<p>{g}</p>", p(2), p(3))), [SAID[3]], [words[:28]])
STAY = [
    "Das Interview führte Hedwig Amsel am Montag im Rathaus von Oberlind.",
    "„Abonnieren Sie keine Zeitung, bauen Sie Stege“, rief der Wirt am Ende in den Saal.",
    "Die Lizenz zum Angeln kostet im Jahr 30 Euro, für Kinder ist sie frei.",
    "Mehr zum Thema wollte die Ortsvorsteherin am Abend nicht sagen.",
    "Alle Rechte am Steg gehören der Gemeinde, sagte der Kämmerer.",
]
for g in STAY:
    case("stay: " + g[:30], page(article(p(0), p(1), f"<p>{g}</p>", p(2), p(3))), [g, SAID[3]])


@pytest.mark.parametrize(("html", "has", "lacks"), CASES)
def test_what_points_elsewhere_goes_and_what_states_something_stays(html: str, has, lacks):
    text = text_on(html)
    assert [each for each in has if " ".join(each.split()) not in text] == []
    assert [each for each in lacks if each in text] == []
