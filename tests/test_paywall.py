"""Whether everybody may read an article: stated, or seen from how a stub looks; scrambled text is never stored."""

# ruff: noqa: E501 - sentences stay on their lines
from __future__ import annotations

import base64
import random
from datetime import UTC, datetime

import pytest

from pipelines.items import Article, Page
from pipelines.reading import read, shipped_rules
from pipelines.reading.body import paywall, scrambled

RULES = shipped_rules(language="de")
TEASER = "Die Brücke über den Mühlbach bleibt bis zum Herbst gesperrt, teilte die Gemeinde am Montag mit."
FIRST = "Wer von der Altstadt zum Bahnhof will, muss einen Umweg von zwei Kilometern in Kauf nehmen, und das ärgert"
SENTENCES = (
    "Bei einer Prüfung waren Schäden am Geländer aufgefallen; wie teuer die Reparatur wird, steht noch nicht fest.",
    "Der Gemeinderat will im Oktober entscheiden, ob statt der Reparatur ein neuer Steg gebaut werden soll.",
    "Bis dahin fährt der Bus auf einem anderen Weg, und die Schule beginnt für manche Kinder etwas später.",
)
LONG = "".join(f"<p>{sentence} Absatz {number} handelt davon.</p>" for number in range(5) for sentence in SENTENCES)


def article(body: str, head: str = "", around: str = "") -> Article:
    html = (
        f"<html lang=de><head><title>Brücke bleibt gesperrt</title>{head}</head><body {around}><main>"
        f"<h1>Brücke bleibt gesperrt</h1><div class=text>{body}</div></main></body></html>"
    )
    page = Page(
        "https://zeitung.example/lokales/bruecke-1", "zeitung", html.encode(), datetime(2025, 12, 3, tzinfo=UTC)
    )
    return read(page, RULES)


@pytest.mark.parametrize(
    "prompt",
    [
        "Jetzt weiterlesen", "Jetzt Abo testen und weiterlesen", "Mit Zeitung+ lesen Sie mehr: Mit dem Plus-Abo weiterlesen",
        "Dieser Artikel ist exklusiv für unsere Abonnenten", "Diesen Artikel freischalten",
        "Sie möchten diesen Text weiterlesen?", "Kostenlos registrieren und weiterlesen", "Noch kein Abo?",
        "Subscribe to continue reading", "Il vous reste 75 % de cet article à lire.",
    ],
)  # fmt: skip
def test_a_stub_with_a_prompt_is_behind_a_paywall_though_the_page_says_nothing(prompt: str):
    got = article(f"<p>{TEASER}</p><p>{FIRST} ...</p></div><div class=angebot><p>{prompt}</p>")
    assert got.is_accessible_for_free is False
    assert "Umweg von zwei Kilometern" in got.text + (got.teaser or "")


@pytest.mark.parametrize(
    ("body", "around"),
    [
        (f"<p>{TEASER}</p>{LONG}<p>Noch kein Abo? Jetzt weiterlesen</p>", ""),  # the whole text stands there
        (f"<p>{TEASER}</p>{LONG}", "class='article premium-content'"),
        (f"<p>{TEASER}</p><p>{SENTENCES[0]}</p><p>Newsletter abonnieren</p>", ""),  # short, but nobody asks for more
        (f"<p>{TEASER}</p><p>{FIRST} ...</p><p>Mehr zum Thema</p>", "class='no-paywall'"),
        (f"<p>{TEASER}</p><p>Zum Schutz aller Beteiligten… weiterlesen</p>", ""),
    ],
)
def test_an_article_beside_an_offer_is_not(body: str, around: str):
    assert article(body, around=around).is_accessible_for_free is None


def test_a_text_that_breaks_off_in_a_locked_container_is():
    assert article(f"<p>{TEASER}</p><p>{FIRST}</p>", around="class='page is-locked'").is_accessible_for_free is False


def test_what_is_too_long_for_a_stub_is_locked_only_where_it_breaks_off():
    """A long text that ends with its sentence is whole, however the page advertises; one that ends within it is not."""
    whole = " ".join(SENTENCES * 12)
    assert len(whole.split()) > 2 * paywall._SHORT
    offer = "Noch kein Abo? Jetzt weiterlesen"
    for end in ("und dann kam der", "und dann kam der …", "und dann kam der..."):
        assert paywall.looks_locked(f"{whole} Es wurde Abend {end}", offer, False)
        assert paywall.looks_locked(f"{whole} Es wurde Abend {end}", "", True)
    for end in ("", " Es wurde Abend.", " „Es wurde Abend.“", " Wird es Abend?"):
        assert not paywall.looks_locked(whole + end, offer, True)


@pytest.mark.parametrize(("there", "free"), [("text", False), ("elsewhere", None)])
def test_a_locked_part_counts_where_the_page_has_it(there: str, free: bool | None):
    part = f'{{"@type": "WebPageElement", "isAccessibleForFree": "False", "cssSelector": ".{there}"}}'
    head = (
        f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "B", "hasPart": [{part}]}}</script>'
    )
    assert article(f"<p>{TEASER}</p>{LONG}", head).is_accessible_for_free is free


@pytest.mark.parametrize("selector", ["][", "..", "", "x" * 300, "a:nonsense(1)"])
def test_a_broken_selector_raises_nothing(selector: str):
    head = (
        '<script type="application/ld+json">{"@type": "NewsArticle", "hasPart": '
        f'{{"isAccessibleForFree": false, "cssSelector": "{selector}"}}}}</script>'
    )
    assert article(f"<p>{TEASER}</p>{LONG}", head).is_accessible_for_free is None


def shifted(text: str, by: int) -> str:
    return "".join(c if c.isspace() else chr(ord(c) + by) for c in text)


def jumbled(text: str) -> str:
    """The letters of every word in another order, as chance would have it."""
    chance = random.Random(len(text))
    return " ".join("".join(chance.sample(word, len(word))) for word in text.split())


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def turned(text: str) -> str:
    return "".join(chr((ord(c) - 97 + 13) % 26 + 97) if "a" <= c <= "z" else c for c in text)


@pytest.mark.parametrize(
    "scramble", [lambda t: shifted(t, 1), lambda t: shifted(t, -1), turned, lambda t: t[::-1], jumbled, encoded]
)
def test_scrambled_text_is_never_stored_and_what_was_readable_stays(scramble):
    hidden = [scramble(f"{one} {two}") for one, two in zip(SENTENCES, SENTENCES[1:] + SENTENCES[:1], strict=True)]
    paragraphs = "".join(f"<p>{each.replace('<', '&lt;').replace('&', '&amp;')}</p>" for each in hidden)
    offer = "<p>Jetzt weiterlesen mit dem Digital-Abo</p>" if scramble is jumbled else ""
    got = article(f"<p>{TEASER}</p><p>{FIRST} viele.</p>{paragraphs}{offer}")
    whole = f"{got.teaser}\n{got.text}\n{got.text_markdown}"
    assert FIRST in whole and TEASER in whole
    assert not any(each[:30] in whole for each in hidden)
    assert got.is_accessible_for_free is False
    assert "scrambled" in {removed.rule for removed in got.removed}


@pytest.mark.parametrize("lines", [3, 6])
def test_a_language_that_is_not_known_is_not_scrambled_where_nobody_asks_for_payment(lines: int):
    said = [
        "Ankara'da düzenlenen toplantıda konuşan bakan, yeni yasanın gelecek yıl yürürlüğe gireceğini açıkladı dedi.",
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw oraz są obdarzeni rozumem.",
        "Mae pawb yn cael eu geni yn rhydd ac yn gydradd mewn urddas a hawliau, medd y llywydd ddydd Llun wrth bawb.",
    ]
    got = article(f"<p>{TEASER}</p><p>{FIRST} viele.</p>" + "".join(f"<p>{each}</p>" for each in (said * 2)[:lines]))
    assert all(each in got.text for each in said)
    assert got.is_accessible_for_free is not False


@pytest.mark.parametrize(
    "text",
    [
        *SENTENCES,
        "Tabelle: 1. FC Neustadt 34 Punkte, 2. SV Altstadt 33, 3. TSV Grünau 31, 4. VfB Seedorf 30, 5. SC Talheim 28, 6. FSV",
        "Es spielten Ivan Petrov, Milan Horvat, Zoltan Nagy, Pavel Novak, Jan Kowalski, Andrej Babic, Luka Modric, Ante Rebic",
        "Ankara'da düzenlenen toplantıda konuşan bakan, yeni yasanın gelecek yıl yürürlüğe gireceğini açıkladı dedi.",
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw oraz są obdarzeni rozumem i sumieniem",
        "Президент заявил в понедельник, что переговоры будут продолжены на следующей неделе в столице страны без условий",
        "https://zeitung.example/a https://zeitung.example/b",
    ],
)
def test_other_languages_names_and_figures_are_not_scrambled(text: str):
    assert not scrambled.is_scrambled(text)


@pytest.mark.parametrize(
    "quoted",
    [
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw oraz są obdarzeni rozumem",
        "Es spielten Ivan Petrov, Milan Horvat, Zoltan Nagy, Pavel Novak, Jan Kowalski, Andrej Babic, Luka Modric, Ante Rebic",
        "Quellen: https://zeitung.example/fileadmin/user_upload/berichte/2025/kosten.pdf und WWF (2020): Living Planet Report",
    ],
)
def test_a_quoted_language_names_and_addresses_stay_in_an_article(quoted: str):
    assert quoted in article(f"<p>{TEASER}</p>{LONG}<p>{quoted}.</p>").text
