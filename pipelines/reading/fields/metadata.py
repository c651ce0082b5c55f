"""What is told about an article beside its text: one call gives it all.

For every field the places are asked in a fixed order of trust, which docs/reading.md shows as a table; a source's own
rules win over everything. Nothing is fetched and the tree is not changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml.etree import _Element as Element

from pipelines.items import Image, Kind, Page, Provenance
from pipelines.reading.body import paywall
from pipelines.reading.fields import kind, times
from pipelines.reading.fields.authors import byline_of, signed_of
from pipelines.reading.fields.canonical import absolute, canonical
from pipelines.reading.fields.dates import Dated, Reading
from pipelines.reading.fields.images import image_of
from pipelines.reading.fields.locale import spoken
from pipelines.reading.fields.sections import listed, sections_of
from pipelines.reading.fields.sections import source_of as section_source
from pipelines.reading.fields.selectors import select, selector
from pipelines.reading.fields.teasers import Source as TeaserSource
from pipelines.reading.fields.teasers import teaser_of
from pipelines.reading.fields.title import Headline, headline, site_names, squashed
from pipelines.reading.page.evidence import Evidence
from pipelines.reading.page.structured import Structured, plain_list
from pipelines.reading.page.visible import VisibleText
from pipelines.reading.rules import Rules


@dataclass(frozen=True, slots=True)
class Description:
    """The metadata of an article. Lists are tuples without repetition; what the page does not say is None or empty.

    ``authors`` are people; only where nobody is named, the newsroom that signed. ``organisations`` are all newsrooms
    and companies named; ``agency`` is a short name and never among the authors. ``published`` and ``modified`` carry
    precision and provenance. Addresses are absolute. ``heading`` is the element that carries the title, for the body's
    reader.
    """

    title: str | None = None
    kicker: str | None = None
    teaser: str | None = None
    section: str | None = None
    sections: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    published: Dated | None = None
    modified: Dated | None = None
    image: Image | None = None
    kind: Kind = Kind.ARTICLE
    is_accessible_for_free: bool | None = None
    canonical_url: str | None = None
    amp_url: str | None = None
    agency: str | None = None
    heading: Element | None = None


def describe(
    tree: Element, structured: Structured, page: Page, rules: Rules, within: Element | None = None
) -> Description:
    """Everything the page tells about its article beside the text.

    *within* is the part of the page where byline and date line are likely to stand; the rest is looked at only where
    it has none.
    """
    site = rules.site
    language = (structured.language or rules.language or "de")[:2]
    head = headline(structured, tree)
    title = _selected_text(tree, site.title) or head.title or (page.hint.title if page.hint else None)
    if within is not None and (head.element is None or within not in head.element.iterancestors()):
        within = None
    whole = VisibleText(tree, head.element)
    visible = VisibleText(tree, head.element, within) if within is not None else whole
    language, is_home = spoken(language, rules, tree)
    reading = Reading(page.fetched_at, rules.time_zone, language, is_home)
    evidence = Evidence(page.url, tree, structured, visible, whole, page.hint)
    byline = byline_of(evidence, site.authors)
    source = times.source_of(evidence, reading, is_german=language == "de")
    published = times.published(source)
    if within is not None and not (byline.people and published):
        byline = byline if byline.people else byline_of(replace(evidence, visible=whole), site.authors)
        source = times.looking_at(whole, source)
        published = published or times.published(source)
    sections = tuple(dict.fromkeys(select(tree, site.section))) or sections_of(
        section_source(tree, structured, page.url, title, head.element, page.hint)
    )
    return Description(
        title=title,
        kicker=head.kicker,
        teaser=_selected_text(tree, site.teaser) or teaser_of(TeaserSource(structured, page.hint, title)),
        section=sections[0] if sections else None,
        sections=sections,
        authors=byline.people or byline.organisations,
        organisations=byline.organisations,
        keywords=_keywords(structured, page),
        published=_by_rule(tree, site.published, reading) or published,
        modified=_by_rule(tree, site.modified, reading) or times.modified(source),
        image=image_of(tree, structured, page.url, head.element),
        kind=kind.kind_of(kind.source_of(structured, page.url, head, sections, signed_of(structured, byline))),
        is_accessible_for_free=paywall.stated(structured, tree),
        canonical_url=canonical(structured, page.url),
        amp_url=absolute(structured.amp, page.url),
        agency=byline.agency,
        heading=head.element,
    )


def evidence_of(tree: Element, structured: Structured, page: Page, rules: Rules) -> tuple[Evidence, Reading, bool]:
    """What the fields of a page are read from, how its dates are read, and whether it is German."""
    head = headline(structured, tree)
    whole = VisibleText(tree, head.element)
    language, is_home = spoken((structured.language or rules.language or "de")[:2], rules, tree)
    reading = Reading(page.fetched_at, rules.time_zone, language, is_home)
    return Evidence(page.url, tree, structured, whole, whole, page.hint), reading, language == "de"


# -- a source's own rules ---------------------------------------------------------------------------------------------


def _selected_text(tree: Element, expression: str | None) -> str | None:
    texts = select(tree, expression)
    return texts[0] if texts else None


def _by_rule(tree: Element, expression: str | None, reading: Reading) -> Dated | None:
    for text in select(tree, expression):
        stated = reading.machine(text) or reading.parse(text)
        if stated is not None:
            return Dated(stated.at, stated.precision, Provenance.TEXT)
    return None


# -- fields -----------------------------------------------------------------------------------------------------------


def _keywords(structured: Structured, page: Page) -> tuple[str, ...]:
    value = structured.article.get("keywords")
    words = [word for text in plain_list(value) for word in listed(text)]
    words = words or [word for text in structured.meta.get("article:tag", []) for word in listed(text)]
    words = words or listed(structured.first_meta("news_keywords", "keywords"))
    if not words and page.hint:
        words = list(page.hint.keywords)
    kept: dict[str, str] = {}
    for word in words:
        if 1 < len(word) <= 80:
            kept.setdefault(word.casefold(), word)
    return tuple(kept.values())[:40]


__all__ = ["Description", "Headline", "canonical", "describe", "select", "selector", "site_names", "squashed"]
