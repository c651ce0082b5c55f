"""Pages in the markup that real ones have: what is read of each, and what is not. The pages are in tests/markup, one a
line: ``main`` stands in the frame below, ``<<1>>`` is a paragraph of paragraphs.txt, ``<<t>>`` the headline.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipelines.items import Page
from pipelines.reading import read, shipped_rules

FOLDER = Path(__file__).parent / "markup"
PARAGRAPHS = ["", *(FOLDER / "paragraphs.txt").read_text("utf-8").splitlines()]
TITLE = "Stadtrat stimmt für den Umbau der alten Brücke"
URL = "https://www.seeblatt.example/lokales/umbau-der-alten-bruecke-54321.html"
NAV = (
    '<header class="page-header"><nav><a href="/">Start</a> <a href="/lokales/">Lokales</a> <a href="/sport/">Sport</a>'
    ' <a href="/kultur/">Kultur</a></nav></header>'
)
FOOT = '<footer class="page-footer"><a href="/impressum">Impressum</a> <a href="/datenschutz">Datenschutz</a></footer>'
STATED = json.dumps(
    {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": TITLE,
        "datePublished": "2025-12-03T16:30:00+01:00",
        "author": {"@type": "Person", "name": "Anna Muster"},
        "publisher": {"@type": "Organization", "name": "Seeblatt"},
    }
)
FETCHED = datetime(2025, 12, 5, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))
# keys of a line that make the page; the others are expected
MAKES = frozenset(("name", "main", "html", "head", "window", "site", "after", "url"))
RULES = shipped_rules()


def cases(name: str) -> list[Any]:
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").split("\n")
    return [pytest.param(case, id=case["name"]) for case in map(json.loads, filter(None, lines))]


def filled(text: str) -> str:
    def meant(match: re.Match[str]) -> str:
        what, _, length = match[1].partition(":")
        named = {"t": TITLE, "nav": NAV, "foot": FOOT}
        whole = named[what] if what in named else PARAGRAPHS[int(what)]
        return whole[: int(length)] if length else whole

    return re.sub(r"<<([\w:]+)>>", meant, text)


def html_of(case: dict[str, Any]) -> str:
    if "html" in case:
        return filled(case["html"])
    site = case.get("site", "Seeblatt")
    head = case.get("head", f'<script type="application/ld+json">{STATED}</script>')
    window = case.get("window", f"<<t>> | {site}")
    return filled(
        f'<!DOCTYPE html><html lang="de"><head><meta charset="utf-8"><title>{window}</title>'
        f'<meta property="og:site_name" content="{site}"><meta property="og:type" content="article">{head}</head>'
        f"<body>{NAV}<main>{case['main']}</main>{FOOT}{case.get('after', '')}</body></html>"
    )


def told(case: dict[str, Any]) -> dict[str, Any]:
    """What is expected of a case, as it was read: the fields as text, times at the precision that is asked for."""
    url = case.get("url", URL)
    article = read(Page(url, "seeblatt", html_of(case).encode(), FETCHED, "text/html"), RULES)
    whole = re.sub(r"[ \t]+", " ", "\n".join(filter(None, (article.teaser, article.text))))
    found: dict[str, Any] = {}
    for key, wanted in expected(case).items():
        if key in ("has", "hasnot"):
            found[key] = [each for each in wanted if (each in whole) == (key == "has")]
        elif key in ("published_at", "modified_at"):
            at = getattr(article, key)
            found[key] = at and (at.isoformat() if len(wanted or "") > 10 else at.date().isoformat())
        elif key == "authors":
            found[key] = list(article.authors)
        else:
            found[key] = getattr(article, key)
    return found


def expected(case: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in case.items() if key not in MAKES}
    if "paras" in found:
        found["has"] = [*found.get("has", ()), *(PARAGRAPHS[number] for number in found.pop("paras"))]
    return json.loads(filled(json.dumps(found, ensure_ascii=False)))


@pytest.mark.parametrize("case", cases("statements"))
def test_what_a_page_states_for_machines_is_read_however_it_is_written(case: dict[str, Any]):
    assert told(case) == expected(case)


@pytest.mark.parametrize("case", cases("fields"))
def test_headline_times_and_people_are_the_article_s_own(case: dict[str, Any]):
    assert told(case) == expected(case)


@pytest.mark.parametrize("case", cases("text"))
def test_the_text_is_the_article_and_nothing_else(case: dict[str, Any]):
    assert told(case) == expected(case)
