"""The language of a text: declared and confirmed, or detected."""

from __future__ import annotations

import pytest
from langdetect import LangDetectException, detect_langs

from pipelines.reading.fields.language import _detected, code, language_of

TEXTS = {
    "de": "Der Minister sagte am Montag, dass die Lage im Land weiterhin ernst ist und dass man jetzt handeln "
          "muss, bevor es zu spät wird.",
    "en": "The minister said on Monday that the situation in the country was still serious and that it was time "
          "to act before it is too late.",
    "fr": "Le ministre a dit lundi que la situation dans le pays restait grave et qu’il est temps d’agir pour "
          "les gens avec des mesures.",
    "it": "Il ministro ha detto che la situazione nel paese è ancora grave e che non si può più aspettare, anche "
          "per gli effetti della crisi.",
    "pl": "Minister powiedział w poniedziałek, że sytuacja w kraju jest nadal poważna i że trzeba działać, zanim "
          "będzie za późno na zmiany.",
}  # fmt: skip


@pytest.mark.parametrize("tongue", TEXTS)
def test_undeclared_languages_are_told_apart(tongue: str):
    assert language_of(TEXTS[tongue]) == tongue


@pytest.mark.parametrize("tongue", TEXTS)
def test_a_declaration_that_the_words_contradict_is_not_believed(tongue: str):
    assert language_of(TEXTS[tongue] * 2, declared="en" if tongue != "en" else "de-DE") == tongue


def test_the_answer_is_the_same_every_time():
    assert len({language_of("Minister powiedział w poniedziałek, że") for _ in range(5)}) == 1


def test_a_short_text_takes_what_is_declared_then_what_the_source_says():
    assert language_of("Kurz notiert", declared="de-AT", source="fr") == "de"
    assert language_of("Kurz notiert", source="de") == "de"
    assert language_of("12:30 - 14:00", declared=None, source=None) is None


@pytest.mark.parametrize(
    ("declared", "expected"), [("de-AT", "de"), ("EN_us", "en"), ("", None), (None, None), ("Deutsch", None)]
)
def test_codes(declared: str | None, expected: str | None):
    assert code(declared) == expected


ELSEWHERE = (
    "Ministeri sanoi maanantaina, että maan tilanne on edelleen vakava.", "Министр сказал в понедельник.",
    "大臣は月曜日に国の状況は依然として深刻だと述べた。", "قال الوزير يوم الاثنين إن الوضع لا يزال خطيرا",
    "Bộ trưởng nói hôm thứ Hai rằng tình hình vẫn nghiêm trọng.", "Kurz", "x", "12:30 - 14:00", "",
)  # fmt: skip


@pytest.mark.parametrize("text", (*TEXTS.values(), *ELSEWHERE))
def test_what_is_detected_is_what_langdetect_finds_with_its_own_table(text: str):
    try:
        found = detect_langs(text)
    except LangDetectException:
        found = []
    assert _detected(text) == (code(found[0].lang) if found and found[0].prob >= 0.7 else None)
