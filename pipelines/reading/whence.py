"""What every place of a page says about title, teaser, authors and times: shown to a person who asks why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.items import Page
from pipelines.reading import plaintext
from pipelines.reading.fields import bylines
from pipelines.reading.fields.title import headline
from pipelines.reading.page import decode, structured
from pipelines.reading.page.structured import Structured, plain, plain_list, text_of
from pipelines.reading.page.tree import parse
from pipelines.reading.page.visible import VisibleText


@dataclass(frozen=True, slots=True)
class Said:
    """What one *place* of a page says for a *field* of the article, as it stands there."""

    field: str
    place: str
    value: str


# field -> name in JSON-LD, names of meta tags, name in microdata; in the order in which the reader asks
_PLACES = (
    ("title", "headline", ("og:title", "twitter:title"), None),
    ("teaser", "description", ("og:description", "description", "twitter:description"), None),
    ("authors", "author", ("author", "article:author", "parsely-author", "dc.creator"), "author"),
    ("published", "datePublished", ("article:published_time", "date", "dc.date"), "datepublished"),
    ("modified", "dateModified", ("article:modified_time", "og:updated_time", "last-modified"), "datemodified"),
    ("section", "articleSection", ("article:section",), "articlesection"),
)
_LONGEST = 160  # characters of a value that are shown


def places(page: Page) -> list[Said]:
    """What the page's places say, field by field; nothing for a text without markup. Raises Rejected as `read` does."""
    if plaintext.is_plain(page.content_type):
        return []
    tree = parse(decode.utf8_of(page.body, page.content_type))
    stated = structured.collect(tree, page.url)
    head = headline(stated, tree)
    found = [Said(name, place, value) for name, *names in _PLACES for place, value in _stated(stated, *names)]
    seen = [("title", "h1", text_of(each, _LONGEST)) for each in stated.headings[:2]]
    seen.append(("title", "window title", stated.window_title or ""))
    seen += [("authors", "near the headline", name) for name in _bylines(tree, VisibleText(tree, head.element))]
    seen += [("published", "<time>", f"{e.get('datetime') or ''} {text_of(e, 60)}") for e in stated.times[:3]]
    found += [Said(name, place, value) for name, place, value in seen]
    order = [name for name, *_ in _PLACES]
    found.sort(key=lambda each: order.index(each.field))
    return [Said(each.field, each.place, value[:_LONGEST]) for each in found if (value := each.value.strip())]


def _stated(stated: Structured, key: str, metas: tuple[str, ...], micro: str | None) -> Iterator[tuple[str, str]]:
    yield f"JSON-LD {key}", ", ".join(_texts(stated, stated.article.get(key)))
    for name in metas:
        yield f"meta {name}", ", ".join(stated.meta.get(name, ())[:5])
    for element in stated.micro.get(micro, ())[:2] if micro else ():
        yield f"microdata {micro}", element.get("content") or element.get("datetime") or text_of(element, _LONGEST)


def _texts(stated: Structured, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for each in values[:8] for text in plain_list(stated.resolved(each)) if plain(text)]


def _bylines(tree: Any, visible: VisibleText) -> Iterator[str]:
    for found in (bylines.signed(tree, visible.heading), bylines.written(visible)):
        if names := (*found.people, *found.organisations, *filter(None, (found.agency,))):
            yield ", ".join(names)
            return
