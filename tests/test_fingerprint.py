"""Texts of the same words are the same; texts that are nearly the same share a band."""

from __future__ import annotations

import random

import pytest

from pipelines.reading.fingerprint import MIN_WORDS, bands, body_key, content_key, shingles, text_key

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
    """They are stored: another library version that hashes otherwise must be noticed."""
    words = " ".join(f"wort{number}" for number in range(50))
    assert bands(words)[:3] == [-4316582584922502882, -4292722392211917391, 8367470691505568626]
    assert len(bands(words)) == 32


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
