"""The same article in other markup is the same text: no first or last paragraph, list, table or quote is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import lxml.html
import pytest

from pipelines.items import Article, Page
from pipelines.reading import read, shipped_rules
from pipelines.reading.page import decode
from pipelines.reading.page.tree import parse

RULES = shipped_rules(language="de")
SITES = Path(__file__).parent / "pages"


def fixture_pages() -> list[Path]:
    """The articles of the fixture sites that stand on one page."""
    found = []
    for site in sorted(SITES.glob("*/expected.json")):
        for path, expected in json.loads(site.read_text("utf-8"))["pages"].items():
            file = site.parent / path.lstrip("/")
            if expected.get("title") and "pages" not in expected and file.is_file():
                found.append(file)
    return found


def article(html: str | bytes, url: str | None = "https://zeitung.example/lokales/artikel-4711") -> Article:
    body = html.encode() if isinstance(html, str) else html
    return read(Page(url, "zeitung", body, datetime(2025, 12, 3, 17, tzinfo=UTC), "text/html; charset=utf-8"), RULES)  # type: ignore[arg-type]


def retagged(tree: lxml.html.HtmlElement, names: tuple[str, ...], to: str) -> None:
    for element in list(tree.iter(*names)):
        element.tag = to


def without_names(tree: lxml.html.HtmlElement) -> None:
    for element in tree.iter():
        element.attrib.pop("class", None)
        element.attrib.pop("id", None)


def hashed_names(tree: lxml.html.HtmlElement) -> None:
    for number, element in enumerate(tree.iter()):
        element.attrib.pop("id", None)
        if "class" in element.attrib:
            element.set("class", f"css-{number * 7919 % 99991:x}")


def wrapped_paragraphs(tree: lxml.html.HtmlElement) -> None:
    for paragraph in list(tree.iter("p")):
        around = lxml.html.Element("div")
        paragraph.addprevious(around)
        around.tail, paragraph.tail = paragraph.tail, None
        around.append(paragraph)


def advertised(tree: lxml.html.HtmlElement) -> None:
    for number, paragraph in enumerate(list(tree.iter("p"))):
        if number % 2:
            space = lxml.html.fromstring("<div class='ad-slot'><span>Anzeige</span><script>x()</script></div>")
            space.tail, paragraph.tail = paragraph.tail, None
            paragraph.addnext(space)


def deep(tree: lxml.html.HtmlElement) -> None:
    body = tree.find("body")
    for _ in range(12):
        around = lxml.html.Element("div")
        around[:] = list(body)
        around.text, body.text = body.text, None
        body.append(around)


VARIANTS: dict[str, Callable[[lxml.html.HtmlElement], None]] = {
    "frames are divs": lambda tree: retagged(tree, ("main", "article", "section", "header"), "div"),
    "no names": without_names,
    "hashed names": hashed_names,
    "wrapped paragraphs": wrapped_paragraphs,
    "advertising between paragraphs": advertised,
    "deep": deep,
}


def words(text: str) -> Counter[str]:
    return Counter(text.split())


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("file", fixture_pages(), ids=lambda file: file.stem[:40])
def test_a_page_in_other_markup_gives_the_same_text(file: Path, name: str):
    html = decode.text_of(file.read_bytes(), "text/html")
    before = article(html)
    tree = parse(html)
    VARIANTS[name](tree)
    after = article(lxml.html.tostring(tree, encoding="unicode"))
    old, new = f"{before.teaser}\n\n{before.text}", f"{after.teaser}\n\n{after.text}"
    lines = [line for line in before.text.split("\n") if len(line) > 60]
    if lines:
        assert lines[0] in new and lines[-1] in new
    same = sum((words(old) & words(new)).values())
    assert same >= 0.97 * sum(words(old).values())
    assert same >= 0.9 * sum(words(new).values())
    assert after.title == before.title


@pytest.mark.parametrize("url", ["", None, "/artikel", "not a url", "http://["])
def test_a_page_without_a_proper_address_is_read(url: str | None):
    html = fixture_pages()[0].read_bytes()
    assert article(html, url).text
