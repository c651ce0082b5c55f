"""Patterns sorted by the letters with which they can begin match what the same patterns match unsorted."""

from __future__ import annotations

import re

import pytest

from pipelines.reading.regex_prefilter import alternatives, anywhere, either, name_of

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


def test_a_pattern_that_begins_with_anything_cannot_be_sorted():
    with pytest.raises(ValueError, match="begins with a letter"):
        anywhere([("any", r".*x")])


def test_parts_are_those_at_the_top():
    assert alternatives(r"a(?:b|c)|[|)]d|\|e|[]|]f|") == ["a(?:b|c)", "[|)]d", r"\|e", "[]|]f", ""]
