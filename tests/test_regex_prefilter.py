"""Patterns sorted by the letters with which they can begin match what the same patterns match unsorted."""

from __future__ import annotations

import re
from itertools import product

import pytest

from pipelines.reading.fields.date_grammar import grammar_of
from pipelines.reading.languages import company, each, languages
from pipelines.reading.regex_prefilter import alternatives, anywhere, either, lowered, name_of, sorted_by_letter

NAMED = (
    ("comments", r"(?:leser)?kommentar(?:e)?(?![a-z])|disqus"),
    ("related", r"(?<![a-z])(?:related|see-also)(?![a-z])|recommend"),
    ("sharing", r"(?<![a-z])share(?![a-z])"),
)


@pytest.mark.parametrize(
    "text",
    ["leserkommentare", "kommentar", "box-related", "unrelated", "recommended", "share", "shared", "see-also", "x", ""],
)
def test_sorted_patterns_find_what_unsorted_ones_find(text: str):
    plain, quick = re.search(either(NAMED), text), re.search(anywhere(NAMED), text)
    assert (plain and (plain[0], name_of(plain))) == (quick and (quick[0], name_of(quick)))


@pytest.mark.parametrize("pattern", [r".*x", r"(?:ab)+x", r"a?b"])
def test_a_pattern_that_can_begin_with_anything_cannot_be_sorted_under_a_name(pattern: str):
    with pytest.raises(ValueError, match="expected a pattern"):
        anywhere([("any", pattern)])


SETS = (r"[Ww]ir", r"[Ww]ird?", r"Wie", r"(?:[Uu]ns(?:er)?|[Ii]hr)", r"[Yy]?ou", r"[A-C]x", r"\[a\]")
PIECES = ("wir", "Wir", "WIRD", "d", "Wie", "uns", "Unser", "ihr", "you", "ou", "Bx", "-x", "[a]", " ", "W")


@pytest.mark.parametrize("ignores_case", [False, True])
def test_a_set_of_letters_is_sorted_under_each_of_them(ignores_case: bool):
    flags = re.IGNORECASE if ignores_case else 0
    quick, plain = re.compile(sorted_by_letter(SETS, ignores_case), flags), re.compile("|".join(SETS), flags)
    for text in map("".join, product(PIECES, repeat=3)):
        assert [found.span() for found in quick.finditer(text)] == [found.span() for found in plain.finditer(text)]


def test_a_letter_that_stands_for_both_of_its_cases_is_sorted_under_each():
    assert sorted_by_letter([r"[Ww]ir", "Wie"], ignores_case=False) == "(?:W(?:ir|ie)|w(?:ir))"


SMALL = (
    r"cookies?\b",
    r"(?:alle|alles) akzeptieren",
    r"(?:i )?nostri (?:\d+ )?partner",
    r"(?:zu|um)+stimm",
    r"\d+ partner",
)


@pytest.mark.parametrize(
    "text",
    [
        "wir nutzen cookies",
        "alles akzeptieren",
        "i nostri 3 partner",
        "nostri partner",
        "zuzustimmen",
        "12 partner",
        "",
    ],
)
def test_patterns_without_names_find_what_each_of_them_finds(text: str):
    assert re.findall(sorted_by_letter(SMALL), text) == re.findall("|".join(SMALL), text)


def test_small_letters_hold_what_is_found_where_case_is_ignored():
    letters = re.compile("[a-zäöüéñłß]"), re.compile("[a-zäöüéñłß]", re.IGNORECASE)
    for sign in map(chr, range(0x20000)):  # beyond these no letter has another case
        assert bool(letters[0].match(lowered(sign))) == bool(letters[1].match(sign)), sign


@pytest.mark.parametrize("code", languages())
def test_labels_of_dates_in_small_letters_are_those_that_are_found_where_case_is_ignored(code: str):
    for key in ("published", "modified", "as_of", "other"):
        patterns = each(f"labels.{key}", codes=company(code))
        bare = [re.sub(r"\\.", "", pattern) for pattern in patterns]
        assert bare == [pattern.lower() for pattern in bare], key
        words = [re.sub(r"\W|\\s", " ", pattern) for pattern in patterns]
        for text in (*words, " ".join(words).upper(), ", ".join(map(str.title, words)), "Stand: 3. Poſten, DİENSTAG"):
            any_case = re.finditer("|".join(patterns) or "(?!)", text, re.IGNORECASE)
            small = getattr(grammar_of(code), key).finditer(lowered(text))
            assert [found.span() for found in small] == [found.span() for found in any_case], text


def test_no_patterns_find_nothing():
    assert re.search(sorted_by_letter([]), "") is None


def test_parts_are_those_at_the_top():
    assert alternatives(r"a(?:b|c)|[|)]d|\|e|[]|]f|") == ["a(?:b|c)", "[|)]d", r"\|e", "[]|]f", ""]
