"""What every place of a page says for every field, and what was chosen: shown to a person who asks why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipelines.items import Page
from pipelines.reading import plaintext
from pipelines.reading.fields import authors, canonical, metadata, times
from pipelines.reading.page import decode, structured
from pipelines.reading.page.evidence import Candidate
from pipelines.reading.page.structured import Structured, plain_list, text_of
from pipelines.reading.page.tree import parse
from pipelines.reading.rules import Rules

FIELDS = ("title", "teaser", "authors", "published", "modified", "section", "canonical")
# field -> name in JSON-LD, names of meta tags, in the order in which the reader asks
_TEXTS = (
    ("title", "headline", ("og:title", "twitter:title")),
    ("teaser", "description", ("og:description", "description", "twitter:description")),
    ("section", "articleSection", ("article:section",)),
)
_LONGEST = 160  # characters of a value that are shown


def candidates(page: Page, rules: Rules) -> list[Candidate]:
    """What the page's places say, field by field, the most trusted first; the chosen one of a time, of the authors and
    of the canonical address is marked. Nothing for a text without markup. Raises Rejected as `read` does.
    """
    if plaintext.is_plain(page.content_type):
        return []
    tree = parse(decode.utf8_of(page.body, page.content_type))
    stated = structured.collect(tree, page.url)
    evidence, reading, is_german = metadata.evidence_of(tree, stated, page, rules)
    source = times.source_of(evidence, reading, is_german=is_german)
    found = [*_texts(stated)]
    named = list(authors.AUTHORS.candidates(evidence))
    seen = authors.seen_byline(evidence)
    if names := ", ".join((*seen.people, *seen.organisations, *filter(None, (seen.agency,)))):
        named.append(Candidate("authors", "near the headline or below the text", names, seen))
    found += _marked(named, next((each for each in named if each.believed.people), None))
    published = list(times.PUBLISHED.candidates(source))
    found += _marked(published, times.chosen_of(published, reading))
    modified = list(times.MODIFIED.candidates(source))
    found += _marked(modified, next((each for each in modified if each.believed), None))
    addresses = list(canonical.candidates(stated, page.url))
    chosen = canonical.canonical(stated, page.url)
    found += _marked(addresses, next((each for each in addresses if chosen and each.believed == chosen), None))
    return sorted((each for each in found if each.value.strip()), key=lambda each: FIELDS.index(each.field))


def _marked(found: list[Candidate], chosen: Candidate | None) -> list[Candidate]:
    return [replace(each, is_chosen=each is chosen) for each in found]


def _texts(stated: Structured) -> Iterator[Candidate]:
    for field, key, names in _TEXTS:
        yield Candidate(field, f"JSON-LD {key}", ", ".join(_stated(stated, stated.article.get(key)))[:_LONGEST])
        for name in names:
            yield Candidate(field, f"meta {name}", ", ".join(stated.meta.get(name, ())[:5])[:_LONGEST])
    for element in stated.headings[:2]:
        yield Candidate("title", "h1", text_of(element, _LONGEST))
    yield Candidate("title", "window title", (stated.window_title or "")[:_LONGEST])


def _stated(stated: Structured, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for each in values[:8] for text in plain_list(stated.resolved(each))]
