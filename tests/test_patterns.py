"""Patterns of source files: the same answers as Python's engine, and none of them can run away."""

from __future__ import annotations

import pickle
import re
from datetime import UTC, datetime

import pytest

from crawler.discovery import read_document
from crawler.discovery.links import LinkFilter
from pipelines.patterns import Pattern, RanAway, danger, matches_any
from pipelines.reading.body.boilerplate import rule_for, site_phrases
from tests.test_sources import SHIPPED

TEXTS = [
    "https://a.example/politik/ein-langer-titel-123.html", "https://a.example/video/1", "https://a.example/", "/AbC_9",
    "Jetzt im Abo für Überflieger lesen", "größe", "", "a" * 40, "https://a.example/2025/11/22/x?id=5&b=%C3%A4",
]  # fmt: skip


@pytest.mark.parametrize(
    "pattern",
    [r"/\d{4}/\d\d/", r"(?i)/ABC", r"\bfür\b", r"\w+$", r"^https://[^/]+/$", r"/(?!video)\w+/", r"(a)\1", r"[äö]\w",
     r"a{,3}b", r"(?x) / video ", r"\Ahttps", r"html\Z", r"[^\W\d_]-\d", r"(?:a|ab)(?:c|bcd)", r"%[0-9A-F]{2}", "."],
)  # fmt: skip
def test_answers_are_those_of_pythons_engine(pattern):
    for text in TEXTS:
        assert Pattern(pattern).search(text) == bool(re.search(pattern, text)), text


RUN_AWAY = [
    r"/(\w+-?)+\.html$",
    r"(?=x?)/(\w+-?)+\.html$",  # not for RE2
    r"^(?:[a-z]+[a-z0-9]*)*\d$",
    r"(a|a)*b(?!c)",
    r"(.*,)*(.*a)*(.*)*$(?<!a)b",
    r"(\S+\s*)+:(?=x)",
]


@pytest.mark.parametrize("pattern", RUN_AWAY)
def test_a_careless_pattern_comes_to_an_end(pattern):
    """Python's engine would take years for each of these; the test's own limit of time is what would fail."""
    for text in ("https://a.example/" + "a" * 60 + "!", "ä" * 60 + "!", "/" + "a" * 2000):
        try:
            Pattern(pattern).search(text)
        except RanAway as error:
            assert f"'{pattern}'" in str(error)


@pytest.mark.parametrize("pattern", [*RUN_AWAY[:4], r"(\d+)+x", r".*.*.*.*x", r"/([^/]*/*)*x"])
def test_a_dangerous_pattern_is_named(pattern):
    assert f"'{pattern}'" in (danger(pattern) or "")


@pytest.mark.parametrize(
    "pattern",
    [r"/\w+-\d+\.html$", r"/(?:\w+-)+\d+\.html", r"/([\w-]+/)*[\w-]+$", r"^(?:a|b|c)+$", r"/.*/.*\.html",
     r"(?:ab){2,5}", r"/\d{4}/\d{2}/\d{2}/[a-z0-9-]+$", r"(?i)jetzt .{1,80} lesen\.?"],
)  # fmt: skip
def test_an_ordinary_pattern_is_not(pattern):
    assert danger(pattern) is None


def test_no_shipped_pattern_is_dangerous():
    for source in SHIPPED.sources.values():
        rules = source.discover.links
        assert [text for text in (*rules.allow, *rules.deny, *source.read.phrases) if danger(text)] == []


def test_one_that_is_given_up_does_not_hide_one_that_matches():
    patterns = [Pattern(r"(?<!x)(a|aa)+$(?!b)"), Pattern("aaa")]
    assert matches_any(patterns, "a" * 60 + "b")
    with pytest.raises(RanAway):
        matches_any(patterns[:1], "a" * 60 + "b")


def test_what_is_no_pattern_is_said_at_once_and_patterns_travel():
    with pytest.raises(re.error):
        Pattern("(")
    assert pickle.loads(pickle.dumps(Pattern("a"))) == Pattern("a")


ENTRIES = "".join(f"<item><link>https://a.example/{path}</link></item>" for path in ("a" * 60 + "b", "aaaa"))


def test_an_address_that_a_pattern_does_not_come_to_an_end_with_is_left_out_and_the_others_stay():
    now, pattern = datetime(2026, 1, 1, tzinfo=UTC), Pattern(r"/(?<!x)(a|aa)+$(?!b)")
    link_filter = LinkFilter("https://a.example/", now, allow=(pattern,))
    feed = f"<rss><channel>{ENTRIES}</channel></rss>".encode()
    found = read_document("feed", feed, "", "https://a.example/f", link_filter)
    assert [link.url for link in found.links] == ["https://a.example/aaaa"]
    assert [str(problem).partition(":")[0] for problem in found.problems] == ["left_out"]


def test_a_careless_phrase_of_a_source_file_leaves_the_paragraph_where_it_is():
    phrases = site_phrases((r"(\w+\s?)+abo(?!x)", "Jetzt abonnieren"))
    assert rule_for("Jetzt abonnieren", phrases) == "site"
    assert rule_for("ab" * 70 + "!", phrases) is None
