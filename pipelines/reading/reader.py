"""The reader: a fetched page in, a clean article out. Pure: no clock, no database, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lxml import html

from pipelines.items import Article, Kind, Page, Rejected
from pipelines.reading import plaintext, plaintext_header, rights
from pipelines.reading.body import blocks, extract, inline_markup, paywall, revealed
from pipelines.reading.body.article import Hints, article_on
from pipelines.reading.body.boilerplate import Phrases, site_phrases
from pipelines.reading.body.paging import next_page
from pipelines.reading.body.prune import strip_unseen
from pipelines.reading.fields import agency, kind, language, metadata
from pipelines.reading.page import decode, structured
from pipelines.reading.page.bodies import data_bodies, stated_bodies
from pipelines.reading.page.tree import parse
from pipelines.reading.rules import READER_VERSION, Rules
from pipelines.reading.verdict import consent_cookies, page_classifier
from pipelines.reading.verdict.other_pages import why_other
from pipelines.reading.verdict.signs import Signs

__all__ = ["READER_VERSION", "Rules", "next_page", "read", "shipped_rules"]

_PHRASES = ("config/boilerplate", "crawler/shipped/config/boilerplate")  # in a checkout, in an installed package


def read(page: Page, rules: Rules) -> Article:
    """The article on *page*. Raises Rejected with a Reason of the reading kind when the page is none."""
    page = _with_address(page)
    if plaintext.is_plain(page.content_type):
        text = decode.text_of(page.body, page.content_type)
        article = replace(plaintext.read_text(page, text, rules), reader_version=READER_VERSION)
        return rights.applied(replace(article, rights=rights.rights_of(page)), rules.rights)
    try:
        return rights.applied(_read_html(page, rules), rules.rights)
    except Rejected as rejected:
        raise consent_cookies.explained(rejected, page.body) from None


def _with_address(page: Page) -> Page:
    """*page* with an empty address where it has none that can be taken apart: what is read needs none."""
    try:
        urlsplit(page.url).port  # noqa: B018 - the port is parsed when it is asked for
    except (ValueError, AttributeError, TypeError):
        return replace(page, url="")
    return page if isinstance(page.url, str) else replace(page, url="")


def _read_html(page: Page, rules: Rules) -> Article:
    tree, stated, read_again = _tree_of(page, rules)
    types = _types(stated)
    seen = page_classifier.signs(
        tree, is_sure=page_classifier.declares_article(types) and bool(stated.article.get("datePublished"))
    )
    strip_unseen(tree)
    known = extract.known_on(tree, rules.site.keep, rules.site_model.containers)
    described = metadata.describe(tree, stated, page, rules, known.surroundings if known else None)
    hints = Hints(
        title=described.title,
        teaser=described.teaser,
        headline=described.heading,
        authors=described.authors,
        language=language.code(stated.language),
        is_free=described.is_accessible_for_free,
    )
    found = article_on(tree, page, hints, rules, lambda code: _phrases_for(code, rules), known, read_again)
    body, text = found.body, found.text
    sections = plaintext_header.sections_in(described.kicker, described.sections)
    # of an article that is not free, the description may be all that there is to read
    shown = text or (described.teaser or "" if found.is_free is False and body.lead is None else "")
    judged = _for_judgement(page, described, types, body, shown, bool(stated.article.get("headline")))
    page_classifier.check(judged, seen)
    return Article(
        url=page.url,
        canonical_url=described.canonical_url or page.url,
        source=page.source,
        title=described.title or body.headline or "",
        text=text,
        fetched_at=page.fetched_at,
        text_markdown=blocks.markdown_of(found.kept),
        teaser=body.lead or described.teaser,
        teaser_is_visible=body.lead is not None,
        kicker=described.kicker,
        section=sections[0] if sections else None,
        sections=sections,
        authors=described.authors,
        keywords=described.keywords,
        headings=blocks.headings_of(found.kept),
        published_at=described.published.at if described.published else None,
        published_precision=described.published.precision if described.published else None,
        published_provenance=described.published.provenance if described.published else None,
        modified_at=described.modified.at if described.modified else None,
        modified_precision=described.modified.precision if described.modified else None,
        modified_provenance=described.modified.provenance if described.modified else None,
        language=found.language,
        agency=described.agency or agency.agency_in([block.text for block in found.raw]),
        dateline=_dateline(found.kept),
        image=described.image,
        kind=_kind(described, body.lead, found.raw, judged, seen),
        is_accessible_for_free=found.is_free,
        amp_url=described.amp_url,
        details=found.facts,
        pages_read=found.pages_read,
        pages_total=found.pages_total,
        removed=tuple(found.removed),
        container=body.container,
        lesson=rules.site_model.state,
        rights=rights.rights_of(page, stated),
        reader_version=READER_VERSION,
    )


def _tree_of(
    page: Page, rules: Rules
) -> tuple[html.HtmlElement, structured.Structured, Callable[[], html.HtmlElement]]:
    """The page's tree with its text where a reader would see it, what it states for machines, and what gives the tree
    once more, for another reading.
    """
    raw = decode.utf8_of(page.body, page.content_type)
    tree = parse(raw)
    revealed.reveal(tree)
    stated = structured.collect(tree, page.url)
    is_supplied = paywall.stated(stated, tree) is not False
    _complete(tree, raw, stated, is_supplied, rules)
    return tree, stated, partial(_unseen, raw, stated, is_supplied, rules)


def _complete(
    tree: html.HtmlElement, raw: bytes, stated: structured.Structured, is_supplied: bool, rules: Rules
) -> None:
    if is_supplied:  # what a paid page keeps from its readers is not ours to take
        revealed.supply(tree, stated_bodies(stated), stated.article.get("headline"), data_bodies(stated.scripts))
    inline_markup.resolve(tree, stated.language or rules.language, raw)


def _unseen(raw: bytes, stated: structured.Structured, is_supplied: bool, rules: Rules) -> html.HtmlElement:
    """The page's tree once more, for another reading: what it states need not be read again."""
    tree = parse(raw)
    revealed.reveal(tree)
    _complete(tree, raw, stated, is_supplied, rules)
    strip_unseen(tree)
    return tree


def _dateline(found: Sequence[blocks.Block]) -> str | None:
    """The place that opens the first paragraph; the paragraph itself stays as it is."""
    first = next((block for block in found if block.kind == "paragraph"), None)
    return agency.dateline(first.text)[0] if first else None


def _kind(
    described: metadata.Description,
    lead: str | None,
    found: Sequence[blocks.Block],
    judged: page_classifier.Read,
    seen: Signs,
) -> Kind:
    """The kind that the page states; a press release where a press service's mark opens the text; or none."""
    begins = (lead or "", *(block.text for block in found[:3]))
    if described.kind is not Kind.ARTICLE:
        return described.kind
    if any(map(kind.is_from_press_service, begins)):
        return Kind.PRESS_RELEASE
    return Kind.OTHER if why_other(judged, seen, described.authors) else Kind.ARTICLE


def _types(stated: structured.Structured) -> frozenset[str]:
    """What the page calls itself in JSON-LD and OpenGraph, lower case."""
    return frozenset({(stated.first_meta("og:type") or "").lower()}.union(*stated.types_of_nodes()))


def _for_judgement(
    page: Page, described: metadata.Description, types: frozenset[str], body: extract.Body, text: str, is_stated: bool
) -> page_classifier.Read:
    return page_classifier.Read(
        url=page.url,
        title=described.title,
        headline=body.headline,
        text="\n".join(filter(None, (body.lead, text))),
        kind=described.kind,
        types=types,
        is_dated=described.published is not None,
        is_stated=is_stated,
        page_text=body.page_text,
        page_length=body.page_length,
        link_length=body.link_length,
        paragraphs=body.paragraphs,
    )


def _phrases_for(code: str | None, rules: Rules) -> list[Phrases]:
    phrases = [rules.phrases[code]] if code in rules.phrases else []
    return [*phrases, site_phrases(rules.site.phrases)] if rules.site.phrases else phrases


def shipped_rules(time_zone: ZoneInfo | str = "Europe/Berlin", language: str | None = None) -> Rules:
    """The rules for a source of which nothing special is known, with the phrases that are shipped."""
    zone = ZoneInfo(time_zone) if isinstance(time_zone, str) else time_zone
    return Rules(time_zone=zone, language=language, phrases=_shipped_phrases())


@lru_cache(maxsize=1)
def _shipped_phrases() -> dict[str, Phrases]:
    root = Path(__file__).resolve().parents[2]
    for folder in _PHRASES:
        files = sorted((root / folder).glob("*.toml"))
        if files:
            return {path.stem: Phrases.load(path) for path in files}
    return {}
