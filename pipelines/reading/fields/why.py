"""What every place of a page says for every field, and what was chosen: shown to a person who asks why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lxml.etree import _Element as Element

from pipelines.items import Page
from pipelines.reading import plaintext
from pipelines.reading.body import paywall
from pipelines.reading.fields import authors, canonical, kind, metadata, sections, teasers, times, title
from pipelines.reading.page import decode, structured
from pipelines.reading.page.evidence import Candidate
from pipelines.reading.page.structured import Structured
from pipelines.reading.page.tree import parse
from pipelines.reading.rules import Rules

FIELDS = ("title", "teaser", "authors", "published", "modified", "section", "canonical", "kind", "access")


def candidates(page: Page, rules: Rules) -> list[Candidate]:
    """What the page's places say, field by field, the most trusted first; the chosen one is marked. Nothing for a text
    without markup. Raises Rejected as `read` does.
    """
    if plaintext.is_plain(page.content_type):
        return []
    tree = parse(decode.utf8_of(page.body, page.content_type))
    stated = structured.collect(tree, page.url)
    evidence, reading, is_german = metadata.evidence_of(tree, stated, page, rules)
    source = times.source_of(evidence, reading, is_german=is_german)
    signed = authors.signed_of(stated, authors.byline_of(evidence, rules.site.authors))
    found = _texts(tree, stated, page, signed)
    named = list(authors.AUTHORS.candidates(evidence))
    seen = authors.seen_byline(evidence)
    if names := ", ".join((*seen.people, *seen.organisations, *filter(None, (seen.agency,)))):
        named.append(Candidate("authors", "near the headline or below the text", names, seen))
    found += _marked(named, next((each for each in named if each.believed.people), None))
    published = list(times.PUBLISHED.candidates(source))
    if times.chosen_of(published, reading) is None:
        published += times.LAST_RESORT.candidates(source)
    found += _marked(published, times.chosen_of(published, reading))
    modified = list(times.MODIFIED.candidates(source))
    found += _marked(modified, next((each for each in modified if each.believed), None))
    addresses = list(canonical.candidates(stated, page.url))
    chosen = canonical.canonical(stated, page.url)
    found += _marked(addresses, next((each for each in addresses if chosen and each.believed == chosen), None))
    return sorted((each for each in found if each.value.strip()), key=lambda each: FIELDS.index(each.field))


def _marked(found: list[Candidate], chosen: Candidate | None) -> list[Candidate]:
    return [replace(each, is_chosen=each is chosen) for each in found]


def _texts(tree: Element, stated: Structured, page: Page, signed: tuple[str, ...]) -> list[Candidate]:
    """What the places say of the headline, the teaser, the sections, the sort of the article and who may read it."""
    head = title.headline(stated, tree)
    where = sections.source_of(tree, stated, page.url, head.title, head.element, page.hint)
    named = sections.sections_of(where)
    sectioned = list(sections.SECTIONS.candidates(where))
    teaser = teasers.Source(stated, page.hint, head.title)
    said = list(teasers.TEASERS.candidates(teaser))
    chosen = teasers.teaser_of(teaser)
    return [
        *_first(title.TITLES.candidates(title.headlines_of(stated, tree))),
        *_marked(said, next((each for each in said if chosen and each.believed == chosen), None)),
        # the reader goes by the first place that names any, though none of them may be a section
        *_marked(sectioned, next(iter(sectioned), None)),
        *_first(kind.KINDS.candidates(kind.source_of(stated, page.url, head, named, signed))),
        *_first(paywall.ACCESS.candidates(paywall.Source(stated, tree))),
    ]


def _first(found: Iterable[Candidate]) -> list[Candidate]:
    """*found* with the first that is believed marked."""
    listed = list(found)
    return _marked(listed, next((each for each in listed if each.believed is not None), None))
