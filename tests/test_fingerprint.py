"""Texts of the same words are the same; texts that are nearly the same share a band."""

from __future__ import annotations

import random

import pytest

from pipelines.reading.fingerprint import (
    GRAM,
    MIN_WORDS,
    MOST_BANDS,
    WIDEST,
    bands,
    body_key,
    content_key,
    shingles,
    text_key,
    winnowed,
)

TEXT = "Die Straße „Am Rathaus“ wird gesperrt.\n\nGrund sind Bauarbeiten, teilte die Stadt mit."


@pytest.mark.parametrize(
    "same",
    [
        TEXT.upper(),
        TEXT.replace("\n\n", " "),
        TEXT.replace("„", '"').replace("“", '"'),
        TEXT.replace("gesperrt", "ge\u00adsperrt"),
        TEXT.replace("ß", "ss"),
        f"  {TEXT}\u200b ",
        TEXT.replace(",", " –"),
    ],
)
def test_spelling_does_not_make_a_text_another(same: str):
    assert text_key(same) == text_key(TEXT)


@pytest.mark.parametrize("other", [TEXT + " Morgen.", TEXT.replace("wird", "wurde"), "", "Die Stadt"])
def test_other_words_do(other: str):
    assert text_key(other) != text_key(TEXT)


def test_texts_without_words_are_not_all_the_same():
    assert text_key("🙂") != text_key("🙁")
    assert text_key("— —") != text_key("…")


def test_headline_teaser_and_text_do_not_flow_into_each_other():
    assert content_key("a b", None, "c") != content_key("a", None, "b c")
    assert content_key("a", "b", "c") != content_key("a", None, "c")
    assert content_key("A!", "", "c") == content_key("a", None, "c")


def test_bodies_do_not_flow_into_each_other():
    assert body_key([b"ab", b"c"]) != body_key([b"a", b"bc"])


def test_lone_surrogates_have_a_key():
    assert text_key("a \ud800 b") == text_key("a b")


def test_bands_stay_the_same_for_ever():
    """They are stored: another way to make them must be noticed."""
    words = " ".join(f"wort{number}" for number in range(50))
    assert bands(words)[:3] == [4911715585513924206, 8401180116862880050, -833607934352840831]
    assert len(bands(words)) == 18


def test_of_each_window_the_least_is_kept_and_the_last_of_equals():
    assert winnowed([5, 1, 4, 1, 3, 9, 2], 3) == [1, 3, 6]
    assert winnowed([3, 2], 9) == [1]
    assert winnowed([], 3) == []


def words_of(seed: int, number: int, vocabulary: int = 5000) -> list[str]:
    dice = random.Random(seed)
    return [f"w{dice.randrange(vocabulary)}" for _ in range(number)]


def test_any_passage_of_a_window_and_a_gram_is_found_again():
    report = words_of(2, 1000)
    of_report = set(bands(" ".join(report)))
    for start in range(0, 900, 13):
        passage = report[start : start + WIDEST + GRAM - 1 + 8]
        assert of_report & set(bands(" ".join(passage))), start


def test_texts_that_share_half_of_their_triples_share_bands():
    dice = random.Random(3)
    for seed in range(60):
        report = words_of(seed, dice.randint(40, 700))
        edited = ["anders" if dice.random() < 0.12 else word for word in report]
        assert set(bands(" ".join(report))) & set(bands(" ".join(edited)))


def test_a_long_text_has_not_more_than_so_many_bands():
    assert len(bands(" ".join(words_of(1, 9000)))) == MOST_BANDS


def test_a_text_too_short_has_no_bands():
    assert bands(" ".join(["wort"] * (MIN_WORDS - 1))) is None


def test_an_edited_text_shares_a_band_and_another_text_does_not():
    dice = random.Random(1)
    words = [f"w{dice.randrange(5000)}" for _ in range(400)]
    edited = [*words[:380], "dies", "ist", "neu"]
    strange = [f"x{dice.randrange(5000)}" for _ in range(400)]
    of_words = set(bands(" ".join(words)))
    assert of_words & set(bands(" ".join(edited)))
    assert not of_words & set(bands(" ".join(strange)))


@pytest.mark.parametrize(
    "spelt",
    [
        "ÜBER Köln fließt größeres Glück",
        "Ueber Koeln fliesst groesseres Glueck",
        "Uber Koln fliesst grosseres Gluck",
        "U\u0308ber Ko\u0308ln fließt gro\u0308ßeres Glu\u0308ck",
    ],
)
def test_triples_and_bands_have_one_spelling_for_umlauts(spelt: str):
    assert shingles(spelt) == shingles("über köln fließt größeres glück")
    more = f"{spelt} und der Rat beschließt auch in diesem Jahr einen Haushalt"
    assert bands(more) == bands(more.replace("Köln", "Koeln").replace("ß", "ss"))


def test_spelling_is_a_change_all_the_same():
    assert text_key("Koeln") != text_key("Köln")
