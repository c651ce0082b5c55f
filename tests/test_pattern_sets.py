"""RE2 takes what Python's engine takes, with all patterns at once."""

from __future__ import annotations

import re

import pytest

from pipelines.pattern_sets import PatternError, any_in_bytes, any_in_text, doubtful, first_of, whole

PATTERNS = (
    r"mehr .{2,5}", r"mehr .{0,40}", r"\w{3}", r"[\w-]+ folgen", r"a{2}b", r"\{2\} x", r"\d{1,2}\. mai",
    r"[x\w]{2}#", r"[^\w]", r"\\w", r"b{,2}!", r"[{2}]{3}", r"[]\]x]+", r"c{,}d",
)  # fmt: skip
TEXTS = (
    "mehr dazu", "mehr zu diesem thema", "mehr x", "abc", "agnès-ève folgen", "łód", "aab", "ab", "aaab", "{2} x",
    "12. mai", "123. mai", "", "éx#", "ß", "·", r"\w", "bb!", "!", "b{,2}!", "{2}", "{{2", "]x]", "ccd", "c{,}d",
    "mehr \n dazu", "mehr \ud83d!",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_the_first_pattern_that_takes_the_whole_text(text):
    expected = next((place for place, pattern in enumerate(PATTERNS) if re.fullmatch(pattern, text)), None)
    assert first_of(PATTERNS)(text) == expected
    assert [whole(pattern)(text) for pattern in PATTERNS] == [bool(re.fullmatch(each, text)) for each in PATTERNS]


def test_what_re2_does_not_take_is_named():
    for pattern in ("a(?=b)", "a(?!b)", r"(a)\1", "(", "a{2000}"):
        with pytest.raises(PatternError):
            whole(pattern)
    with pytest.raises(PatternError):
        first_of(["a", "a(?=b)"])


def test_what_is_in_order_at_a_glance_is_so():
    patterns = ("mehr", ".{2,5}", "(?:a{500}){3}", "a{2000}", "(ab)?", "x{1,3}")
    doubted = doubtful(patterns, ["", "abc"])
    assert doubted >= {1, 2, 3, 4} and 0 not in doubted
    assert doubtful(["a", "("], [""]) == {0, 1}


def test_words_are_found_in_bytes_in_capitals_or_not():
    found = any_in_bytes(["eine seite", "única página", "a.b"])
    bodies = ("auf EINE Seite", "una única página", "a.b", "axb", "eine\nseite", "")
    assert [found(body.encode()) for body in bodies] == [True, True, True, False, False, False]
    assert not found("eine seite".encode("utf-16"))


def test_patterns_are_found_in_text_in_capitals_or_not():
    found = any_in_text([r"früher_(stand|hieß)".replace("_", r"[\s\pZ]+"), "korr"])
    texts = ("FRÜHER\u00a0STAND", "was früher hieß", "Korrektur", "\ud83d korr", "früher", "")
    assert [found(text) for text in texts] == [True, True, True, True, False, False]
