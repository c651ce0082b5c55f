"""Pages that are too much in one way end as an article or with a named reason, and in bounded time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.items import Article, Page, Reason, Rejected
from pipelines.reading import read, shipped_rules
from pipelines.reading.fields import agency, people

RULES = shipped_rules(language="de")
SENTENCE = "Die Gemeinde teilte am Montag mit, dass die Brücke über den Bach bis zum Herbst gesperrt bleibt."
STORY = f"<article><h1>Brücke am Bach gesperrt</h1><p>{SENTENCE}</p><p>{SENTENCE} Mehr ist nicht bekannt.</p></article>"


def outcome(body: str) -> Article | Reason:
    html = f"<html lang=de><head><title>Brücke am Bach gesperrt</title></head><body>{body}</body></html>".encode()
    try:
        return read(Page("https://blatt.example/a-1", "blatt", html, datetime(2025, 12, 3, tzinfo=UTC)), RULES)
    except Rejected as rejected:
        return rejected.reason


@pytest.mark.parametrize(
    "body",
    [
        f"<div {' '.join(f'a{n}=1' for n in range(200_000))}>{STORY}</div>",
        f"<div {'a ' * 400_000}>{STORY}</div>",
        f"<div class='{'a-b c_d ' * 100_000}'>{STORY}</div>",
        STORY + "<a href='/x'>Ein Link zu etwas</a>" * 100_000,
        STORY + "<time datetime='2025-12-01'>1. Dezember 2025</time>" * 30_000,
        STORY + "<div>" * 20_000 + SENTENCE,
        "<div>" * 20_000 + STORY,
        STORY + "<p>" + " " * 3_000_000 + "</p>",
        STORY + "<p>" + "1" * 3_000_000 + "</p>",
        STORY.replace("<p>", "<p class=author>Von " + "Anna Muster, " * 20_000 + "</p><p>", 1),
        STORY.replace("<p>", "<p class=author>" + "Von " * 50_000 + "</p><p>", 1),
        STORY.replace("<p>", "<p class=date>" + "(" * 50_000 + "</p><p>", 1),
        STORY.replace("<p>", "<p>" + "Live-" * 20_000 + "</p><p>", 1),
        STORY.replace("Brücke am Bach gesperrt", "Seite nicht " * 10_000),
        STORY + "<table>" + "<tr><td>Ort</td><td>Neustadt</td></tr>" * 30_000 + "</table>",
        STORY + "<div class=breadcrumb>" + "<a href=/x/>x</a>" * 30_000 + "</div>",
        STORY + "".join(f"<a href='?page={n}'>{n}</a>" for n in range(20_000)),
        "",
    ],
    ids=lambda body: body[:40],
)
def test_a_monstrous_page_ends_with_an_article_or_a_named_reason(body: str):
    got = outcome(body)
    assert isinstance(got, Reason) or SENTENCE in f"{got.teaser} {got.text}"


@pytest.mark.parametrize(
    "text", ["Live-" * 400, "Von " * 300, "(" * 1_000, "Anna Muster, " * 90, "a-" * 500, "dpa/" * 300, " " * 1_000]
)
def test_a_line_that_goes_on_and_on_names_nobody_that_is_not_there(text: str):
    assert agency.dateline(text)[0] is None
    assert agency.agency_named(text) is None
    assert people.byline([text]).people in ((), ("Anna Muster",))
