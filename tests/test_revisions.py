"""What changed between two wordings; what is no change; corrections; live blogs; the articles as of an instant."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis.strategies import from_regex

from pipelines import revisions
from pipelines.items import Kind, Reason
from pipelines.revisions import Revision, change, correction
from pipelines.store import Document
from tests.test_store import FEED, T, article, begin, links, page

P1 = "Der Rat der Stadt hat am Montag den Haushalt für das kommende Jahr beschlossen."
P2 = "Gestrichen wird vor allem beim Straßenbau, sagte die Kämmerin. Drei Menschen protestierten."
P3 = "Die Opposition stimmte dagegen und kündigte eine Klage an."
TEXT = f"{P1}\n\n{P2}\n\n{P3}"


def between(before: str, after: str):
    return change(Revision("Titel", None, before), Revision("Titel", None, after))


def test_what_changed_is_said_with_its_share():
    found = between(TEXT, TEXT.replace("Drei Menschen", "Vier Menschen"))
    assert (found.text, found.words_added, found.words_removed, found.is_trivial) == (True, 1, 1, False)
    assert found.share == pytest.approx(2 / (2 * 35))
    found = change(Revision("Alt", "Lead", TEXT), Revision("Neu", "Lead!", TEXT))
    assert (found.title, found.teaser, found.text, found.share) == (True, False, False, 0)
    assert between("", "").share == 0


def test_another_order_of_paragraphs_is_a_change():
    found = between(TEXT, f"{P2}\n\n{P1}\n\n{P3}")
    assert (found.text, found.words_added, found.is_trivial) == (True, 0, False)


def test_long_texts_are_compared_in_bounded_time():
    old, new = (" ".join(f"{name}{n}" for n in range(30_000)) for name in "ab")
    assert between(old, new).words_added == 30_000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("12 mal gelesen", "1.013 mal gelesen"),
        ("Kommentare (3)", "Kommentare (17)"),
        ("vor 3 Stunden", "vor 4 Stunden"),
        ("Stand: 03.12.2025, 12:03 Uhr", "Stand: 03.12.2025, 14:40 Uhr"),
        ("Lesezeit: 3 Min.", "Lesezeit: 4 Min."),
        ("Anzeige", ""),
        ("Mehr zum Thema", "Mehr zum Thema\n\nStreit um die Brücke\n\nWas die Bürger sagen"),
        ("", "Lesen Sie auch: Wie der Rat schon einmal stritt"),
        ("5 comments", "No comments"),
        ("Aktualisiert um 12:03 Uhr", "Aktualisiert am Montag um 14:05 Uhr"),
        ("Letzte Aktualisierung: 3. Dezember 2025", "Letzte Aktualisierung: 4. Dezember 2025"),
        ("Gestern, 12:30 Uhr", "vor zwei Tagen"),
        ("Last updated on 3 December 2025 at 2:00 PM", "Updated 3 hours ago"),
        ("Teilen (12)", "Teilen (40)"),
        ("Gefällt 12 Mal", "Gefällt 40 Mal"),
        ("12 Personen lesen das gerade", "20 Personen lesen das gerade"),
        ("Bewertung: 4,5 (12 Stimmen)", "Bewertung: 4,6 (13 Stimmen)"),
        ("© Der Anzeiger 2025", "© Der Anzeiger 2026"),
    ],
)
def test_counters_advertisements_and_links_are_no_change(before: str, after: str):
    assert between(f"{TEXT}\n\n{before}", f"{TEXT}\n\n{after}").is_trivial


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Drei Tote", "Vier Tote"),
        ("Es gab 3 Kommentare der Fraktionen.", "Es gab 4 Kommentare der Fraktionen."),
        ("Mehr dazu sagte der Sprecher am Montag.", "Mehr dazu sagte der Sprecher am Dienstag."),
        ("Stand der Dinge ist offen.", "Stand der Dinge ist klar."),
        ("12 Tote", "14 Tote"),
        ("Gestern kamen 3 Menschen um.", "Heute kamen 3 Menschen um."),
        ("Aktualisiert: 12 Verletzte", "Aktualisiert: 14 Verletzte"),
        ("Update: Brücke gesperrt", "Update: Brücke frei"),
        ("", "Korrektur: In einer früheren Version stand eine falsche Zahl."),
        (P3, ""),
    ],
)
def test_what_is_said_otherwise_is_a_change(before: str, after: str):
    assert not between(f"{TEXT}\n\n{before}", f"{TEXT}\n\n{after}").is_trivial


def test_a_headline_beside_a_counter_is_a_change():
    before, after = Revision("Alt", None, f"{TEXT}\n\n1 mal gelesen"), Revision("Neu", None, f"{TEXT}\n\n2 mal gelesen")
    assert not change(before, after).is_trivial


@pytest.mark.parametrize(
    "note",
    [
        "In einer früheren Version dieses Artikels hieß es, der Rat habe 40 Sitze. Es sind 42.",
        "Korrektur: Der Ort heißt Solms, nicht Sulms.",
        "Korrekturhinweis vom 3. Dezember: Die Zahl der Sitze stimmte nicht.",
        "Anmerkung der Redaktion: Wir haben die Zahl im zweiten Absatz korrigiert.",
        "Eine frühere Fassung des Textes nannte einen falschen Namen.",
        "Der Fehler wurde inzwischen korrigiert. Wir bitten um Entschuldigung.",
        "An earlier version of this article misspelled the name.",
        "This article was amended on 3 December 2025.",
        "Ursprünglich hieß es in diesem Artikel, der Rat habe 40 Sitze.",
        "Diese Meldung wurde nachträglich geändert.",
        "Korrigierte Fassung: Im dritten Absatz muss es Solms heißen.",
        "Anm. d. Red.: Wir haben einen Fehler in der Überschrift berichtigt.",
        "Richtigstellung: Der Vertrag gilt bis 2027.",
        "Redaktioneller Hinweis: Die Angabe war irrtümlich falsch.",
        "Correction, Dec. 3, 2025: This story misstated the year.",
        "A previous version of this story gave another number.",
        "This story has been updated to correct a name.",
        "IN EINEM FRÜHEREN TEXT WAR VON 40 SITZEN DIE REDE.",
        "Zuerst\u00a0stand in dieser Meldung ein falscher Name.",
        "Anmerkung der Redaktion: Hier stand irrtümlich ein anderer Name.",
        "Clarification (Dec. 3): The council has 42 seats.",
        "Rectificatif : le nom était faux.",
        "The original headline of this article was wrong.",
    ],
)
def test_a_note_of_correction_is_found_in_the_text_and_beside_it(note: str):
    assert correction(f"{TEXT}\n\n{note}") == note
    assert correction(TEXT, ["Mehr zum Thema", note]) == note


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "Die neue Version der Software ist da.",
        "Der Kurs hat sich korrigiert.",
        "Zunächst stand es 1:0 für Köln, dann fiel ein Tor durch einen Fehler.",
        "Die Korrektur kam spät.",
    ],
)
def test_a_text_that_only_speaks_of_such_things_has_no_note(text: str):
    assert correction(text) is None


# ---------------------------------------------------------------------------------------------------------------------
# in the database


async def keep(store, run, text: str, minutes: int, title: str = "Titel", **more):
    fetched = page(at=T + timedelta(minutes=minutes), body=f"{title} {text}".encode())
    return await store.save_article(run, fetched, article(fetched, text=text, title=title, **more))


async def test_a_trivial_change_makes_no_version_and_a_real_one_says_what_changed(store, sql_rows):
    run = await begin(store)
    await keep(store, run, f"{TEXT}\n\n1 mal gelesen", 0)
    assert (await keep(store, run, f"{TEXT}\n\n44 mal gelesen", 30)).kind == "unchanged"
    note = "In einer früheren Version war von vier Menschen die Rede."
    changed = await keep(store, run, f"{TEXT}\n\n{note}\n\n45 mal gelesen", 60)
    assert (changed.kind, changed.version) == ("new_version", 2)
    assert sql_rows(
        "SELECT version, title_changed, text_changed, words_added, words_removed, share_changed > 0, correction, kind"
        " FROM news.revisions"
    ) == [(2, False, True, 11, 1, True, note, "article")]
    assert sql_rows("SELECT version, correction FROM news.versions ORDER BY version") == [(1, None), (2, note)]


async def test_a_live_blog_has_a_version_per_quarter_of_a_day_the_latest_of_each(store, sql_rows):
    run = await begin(store, None, "replay")
    texts = [f"{TEXT}\n\n{n} Uhr: Es geschieht etwas, nämlich Nummer {n}." for n in range(48)]
    for n, text in enumerate(texts):
        await keep(store, run, text, n * 30, kind=Kind.LIVE_BLOG)
    rows = sql_rows("SELECT version, fetched_at, text FROM news.versions ORDER BY fetched_at")
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert [row[2] for row in rows] == [texts[n] for n in (11, 23, 35, 47)]
    assert sql_rows("SELECT kind, version, text, changed_at FROM news.articles") == [
        ("live_blog", 4, texts[47], T + timedelta(minutes=47 * 30))
    ]
    again = await begin(store, None, "replay")
    for n, text in enumerate(texts[:30]):
        await keep(store, again, text, n * 30, kind=Kind.LIVE_BLOG)
    assert sql_rows("SELECT version, fetched_at, text FROM news.versions ORDER BY fetched_at") == rows


async def test_a_page_that_became_a_notice_is_gone_and_comes_back(store, sql_rows):
    run = await begin(store)
    await store.enqueue(run, links(page().url), Document(FEED, "feed", status=200, links=1))
    await keep(store, run, TEXT, 0)
    await store.reject(run, page().url, Reason.SOFT_404, "Artikel nicht mehr verfügbar", 200)
    assert sql_rows("SELECT count(*), count(gone_at) FROM news.articles") == [(1, 1)]
    gone_at = sql_rows("SELECT gone_at FROM news.articles")[0][0]
    back = page(at=gone_at + timedelta(minutes=1))
    await store.save_article(run, back, article(back, text=TEXT))
    assert sql_rows("SELECT count(*), count(gone_at) FROM news.articles") == [(1, 0)]


async def test_articles_as_of_an_instant_are_what_was_known_then(store, sql_rows):
    run = await begin(store)
    await keep(store, run, TEXT, 0, title="Alt")
    await keep(store, run, TEXT, 60, title="Neu")
    shown = "SELECT title, version, is_gone FROM news.articles_as_of(%s)"
    assert sql_rows(shown, T - timedelta(minutes=1)) == []
    assert sql_rows(shown, T) == sql_rows(shown, T + timedelta(minutes=59)) == [("Alt", 1, False)]
    assert sql_rows(shown, T + timedelta(hours=9)) == [("Neu", 2, False)]


@settings(max_examples=200, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
@given(from_regex(revisions._CORRECTION()))
def test_the_words_that_are_sought_first_stand_in_every_note_of_correction(note: str):
    assume(not re.search("[İı]", note))  # the one letter i for Python's engine, and not for RE2
    assert revisions._may_correct()(note)
