"""Reading: a fetched page in, a clean article out. Pure: no clock, no database, no network."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.items import Article, Page, Reason, Rejected
from pipelines.reading import agency, blocks, decode, extract, judge, language, structured
from pipelines.reading.boilerplate import Phrases, site_phrases
from pipelines.reading.rules import Rules

__all__ = ["READER_VERSION", "Rules", "read", "shipped_rules"]

# Goes up when the same page would be read differently, so that a replay can tell which rows are out of date.
READER_VERSION = "1"

_PHRASES = ("config/boilerplate", "crawler/shipped/config/boilerplate")  # in a checkout, in an installed package


def read(page: Page, rules: Rules) -> Article:
    """The article on *page*. Raises Rejected with a Reason of the reading kind when the page is none."""
    text = decode.text_of(page.body, page.content_type)
    return _read_html(page, text, rules)


def _read_html(page: Page, text: str, rules: Rules) -> Article:
    tree = extract.parse(text)
    stated = structured.collect(tree, page.url)
    title = stated.first_meta("og:title") or stated.window_title
    teaser = stated.first_meta("og:description", "description")
    seen = judge.signs(tree)
    body = extract.body_of(tree, title=title, teaser=teaser, language=stated.language, url=page.url)
    code = language.language_of(" ".join(block.text for block in body.blocks), stated.language, rules.language)
    kept, removed = blocks.without_boilerplate(body.blocks, _phrases_for(code, rules))
    found = blocks.text_of(kept)
    judge.check(_for_judgement(page, title, body, found), seen)
    if not title:
        raise Rejected(Reason.NO_TITLE, "neither markup nor metadata give a headline")
    return Article(
        url=page.url,
        canonical_url=stated.canonical or page.url,
        source=page.source,
        title=title,
        text=found,
        fetched_at=page.fetched_at,
        text_markdown=blocks.markdown_of(kept),
        teaser=body.lead or teaser,
        headings=blocks.headings_of(kept),
        language=code,
        agency=agency.agency_in([block.text for block in kept]),
        removed=(*body.removed, *removed),
        reader_version=READER_VERSION,
    )


def _for_judgement(page: Page, title: str | None, body: extract.Body, text: str) -> judge.Read:
    return judge.Read(
        url=page.url,
        title=title,
        headline=body.headline,
        text="\n".join(filter(None, (body.lead, text))),
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
