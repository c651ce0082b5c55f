"""What is told about an article beside its text: one call gives it all.

For every field the places are asked in a fixed order of trust, which docs/reading.md shows as a table; a source's own
rules win over everything. Nothing is fetched and the tree is not changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import islice
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.items import Image, Kind, Page, Provenance
from pipelines.reading.body import paywall
from pipelines.reading.fields import bylines, kind, times
from pipelines.reading.fields.authors import author_names, byline_of
from pipelines.reading.fields.canonical import absolute, canonical
from pipelines.reading.fields.dates import Dated, Reading
from pipelines.reading.fields.language import likely
from pipelines.reading.fields.selectors import select, selector
from pipelines.reading.fields.title import Headline, headline, site_names, squashed
from pipelines.reading.languages import either, languages, words
from pipelines.reading.page.evidence import Evidence
from pipelines.reading.page.structured import Structured, plain, plain_list, text_of
from pipelines.reading.page.visible import VisibleText, just_above
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
    language, is_home = _spoken(language, rules, tree)
    reading = Reading(page.fetched_at, rules.time_zone, language, is_home)
    evidence = Evidence(page.url, tree, structured, visible, whole, page.hint)
    byline = byline_of(evidence, site.authors)
    source = times.source_of(evidence, reading, is_german=language == "de")
    published = times.published(source)
    if within is not None and not (byline.people and published):
        byline = byline if byline.people else byline_of(replace(evidence, visible=whole), site.authors)
        source = times.source_of(replace(evidence, visible=whole), reading, is_german=language == "de")
        published = published or times.published(source)
    authors = author_names(structured, structured.article.get("author"))[0] or structured.meta.get("author", [])
    sections = _sections(tree, structured, page, rules, title, head.element)
    return Description(
        title=title,
        kicker=head.kicker,
        teaser=_teaser(tree, structured, page, rules, title),
        section=sections[0] if sections else None,
        sections=sections,
        authors=byline.people or byline.organisations,
        organisations=byline.organisations,
        keywords=_keywords(structured, page),
        published=_by_rule(tree, site.published, reading) or published,
        modified=_by_rule(tree, site.modified, reading) or times.modified(source),
        image=_image(tree, structured, page.url, head.element),
        kind=kind.kind_of(structured, page.url, head, sections, (*authors, byline.agency or "")),
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
    language, is_home = _spoken((structured.language or rules.language or "de")[:2], rules, tree)
    reading = Reading(page.fetched_at, rules.time_zone, language, is_home)
    return Evidence(page.url, tree, structured, whole, whole, page.hint), reading, language == "de"


_ENOUGH = 4_000  # characters that tell a page's language


def _spoken(declared: str, rules: Rules, tree: Element) -> tuple[str, bool]:
    """The language of the page, and whether its clocks are those of the source.

    What a page declares is looked into only where that would make it a page from elsewhere: many a German system says
    'en-US' of itself.
    """
    if _is_at_home(declared, rules):
        return declared, True
    text, length = [], 0
    for paragraph in tree.iter("p"):
        text.append("".join(paragraph.itertext()))
        length += len(text[-1])
        if length > _ENOUGH:
            break
    spoken = likely(" ".join(text), declared)
    return spoken, _is_at_home(spoken, rules)


def _is_at_home(language: str, rules: Rules) -> bool:
    known = languages().get(language)
    zones = known.time_zones if known else ()
    return (
        language == (rules.language or "")[:2] or str(rules.time_zone) in zones or _same_clocks(zones, rules.time_zone)
    )


_WINTER, _SUMMER = datetime(2025, 1, 15, 12), datetime(2025, 7, 15, 12)


def _same_clocks(zones: Collection[str], zone: tzinfo) -> bool:
    """Whether the clocks of all *zones* show what those of *zone* show: Italian pages tell Berlin's time too."""
    here = [zone.utcoffset(day) for day in (_WINTER, _SUMMER)]
    return bool(zones) and all([ZoneInfo(each).utcoffset(day) for day in (_WINTER, _SUMMER)] == here for each in zones)


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


def _teaser(tree: Element, structured: Structured, page: Page, rules: Rules, title: str | None) -> str | None:
    """The description that is no repetition of the title; one that was cut off ('...') only when no whole one is
    there.
    """
    chosen = _selected_text(tree, rules.site.teaser)
    if chosen:
        return chosen
    names = ("og:description", "description", "twitter:description", "dc.description")
    found = [plain(structured.article.get("description")), *(structured.first_meta(name) for name in names)]
    found.append(page.hint.teaser if page.hint else None)
    same = squashed(title or "")
    kept = [text for text in found if text and len(text) >= 20 and squashed(text) != same]
    return next((text for text in kept if not text.endswith(("...", "…"))), kept[0] if kept else None)


_NO_SECTION = words("title.home")
_CRUMBS = XPath("(//@class | //@id)[contains(.,'readcrumb')]/parent::*[count(.//a) < 9][not(.//p)]//a")


def _sections(
    tree: Element, structured: Structured, page: Page, rules: Rules, title: str | None, heading: Element | None
) -> tuple[str, ...]:
    """The sections from the widest to the narrowest; those of a breadcrumb without the home page and the article
    itself.
    """
    chosen = select(tree, rules.site.section)
    if chosen:
        return tuple(dict.fromkeys(chosen))
    names = [name for text in plain_list(structured.article.get("articleSection"), 10) for name in _listed(text)]
    names = names or [name for text in structured.meta.get("article:section", []) for name in _listed(text)]
    names = names or _breadcrumb(structured)
    names = names or [e.get("content") or text_of(e, 80) for e in structured.micro.get("articlesection", ())[:4]]
    names = names or [text_of(link, 80) for link in _CRUMBS(tree)[:6]]
    names = names or _folders_above(heading, page.url)
    if not names and page.hint and page.hint.section:
        names = [page.hint.section]
    not_sections = {squashed(title or "")} | site_names(structured)
    kept = (n for n in names if n and len(n) <= 60 and n.lower() not in _NO_SECTION and squashed(n) not in not_sections)
    return tuple(dict.fromkeys(kept))[:6]


def _folders_above(heading: Element | None, url: str) -> list[str]:
    """The section line over the headline: a few links, those of them to folders that the page's own address lies in."""
    own = urlsplit(url).path
    for element in just_above(heading):
        links = list(element.iter("a"))
        names = [text_of(link, 60) for link in links if _is_folder_of(own, _path(link.get("href"), url))]
        if len(links) <= 4 and names:
            return names
    return []


def _path(address: str | None, base: str) -> str:
    try:
        return urlsplit(urljoin(base, address or "")).path
    except ValueError:
        return ""


def _is_folder_of(path: str, folder: str) -> bool:
    return len(folder) > 2 and folder.endswith("/") and path.startswith(folder)


def _breadcrumb(structured: Structured) -> list[str]:
    for node in structured.typed("breadcrumblist"):
        items = node.get("itemListElement")
        items = items if isinstance(items, list) else [items]
        names = []
        for item in items[:8]:
            if isinstance(item, dict):
                names.append(plain(item.get("name")) or plain(item.get("item")) or "")
        names = [name for name in names if name and not name.startswith(("http:", "https:", "/"))]
        if len(names) > 1:
            return names[:-1]  # the last one is the article
    return []


def _keywords(structured: Structured, page: Page) -> tuple[str, ...]:
    value = structured.article.get("keywords")
    words = [word for text in plain_list(value) for word in _listed(text)]
    words = words or [word for text in structured.meta.get("article:tag", []) for word in _listed(text)]
    words = words or _listed(structured.first_meta("news_keywords", "keywords"))
    if not words and page.hint:
        words = list(page.hint.keywords)
    kept: dict[str, str] = {}
    for word in words:
        if 1 < len(word) <= 80:
            kept.setdefault(word.casefold(), word)
    return tuple(kept.values())[:40]


def _listed(text: str | None) -> list[str]:
    return [word.strip() for word in re.split(r"[,;]", text or "") if word.strip()]


def _image(tree: Element, structured: Structured, url: str, heading: Element | None) -> Image | None:
    """The article's main picture as stated, else the first figure beside the headline; caption and credit from JSON-LD,
    else from the figure that shows it.
    """
    value = structured.article.get("image") or structured.article.get("thumbnailUrl")
    value = structured.resolved(value[0] if isinstance(value, list) and value else value)
    caption = credit = None
    if isinstance(value, dict):
        caption = plain(value.get("caption") or value.get("description"))
        credit = plain(
            value.get("creditText") or value.get("author") or value.get("creator") or value.get("copyrightHolder")
        )
        value = value.get("url") or value.get("contentUrl")
        value = value[0] if isinstance(value, list) and value else value
    address = absolute(value if isinstance(value, str) else None, url) or absolute(
        structured.first_meta("og:image", "og:image:url", "og:image:secure_url", "twitter:image"), url
    )
    figure = _figure_of(tree, address) if address else _first_figure(heading)
    address = address or (absolute(_source(figure), url) if figure is not None else None)
    if address is None:
        return None
    said, named = _credit(caption)
    if figure is not None and not (said and (credit or named)):
        seen, by = _said_below(figure)
        said, named = said or seen, named or by
    return Image(address, said, credit or named)


_MOST_FIGURES = 8
_PICTURES = ("img", "amp-img", "source")


def _figure_of(tree: Element, address: str) -> Element | None:
    """The figure that shows the picture at *address* (in whatever size: the file's name tells)."""
    name = max(re.findall(r"[\w-]{6,}", urlsplit(address).path), key=len, default="")
    for figure in _figures(tree) if name else ():
        if any(name in f"{i.get('src')} {i.get('data-src')} {i.get('srcset')}" for i in figure.iter(*_PICTURES)):
            return figure
    return None


def _figures(tree: Element) -> Iterator[Element]:
    """The first elements that hold a picture with its caption."""
    for caption in islice(tree.iter("figcaption"), _MOST_FIGURES):
        around = islice(caption.iterancestors("figure"), 1)
        frame = next(around, caption.getparent())
        if frame is not None:
            yield frame


def _first_figure(heading: Element | None) -> Element | None:
    """The first figure with a picture and a caption in the article that holds the headline."""
    around = heading.iterancestors("article", "main", "body") if heading is not None else iter(())
    article = next(around, None)
    if article is None:
        return None
    for figure in _figures(article):
        if _source(figure) and not bylines.is_outside(figure.getparent()):
            return figure
    return None


def _source(figure: Element) -> str | None:
    """The address of a figure's picture, that of its first size where it has several."""
    for element in figure.iter(*_PICTURES):
        sizes = (element.get("srcset") or element.get("data-srcset") or "").split()
        for value in (element.get("data-src"), element.get("src"), *sizes[:1]):
            if value and not value.startswith("data:"):
                return str(value).strip(" ,")
    return None


_CREDIT_CLASS = re.compile(either("class_names.credit"), re.IGNORECASE)


def _said_below(figure: Element) -> tuple[str | None, str | None]:
    """A figure's caption and credit; the credit may be an element of its own."""
    element = figure.find(".//figcaption")
    if element is None:
        return None, None
    whole = text_of(element, 600)
    said, named = _credit(whole)
    for part in element.iterdescendants() if named is None else ():
        if isinstance(part.tag, str) and _CREDIT_CLASS.search(part.get("class") or ""):
            text = text_of(part, 200)
            if text and whole.endswith(text):
                return whole[: len(whole) - len(text)].strip(" |–-") or None, _credit(text)[1] or text.strip("()[] ")
    return said, named


_CREDIT = re.compile(
    rf"[\s(|/–-]*(?:©|\(c\)|{either('body.credit_label')}s?\s?:)"
    r"\s*(?P<who>[^©]{2,120}?)[\s)]*$",
    re.IGNORECASE,
)


def _credit(caption: str | None) -> tuple[str | None, str | None]:
    """Caption and credit apart: 'Der Hafen. Foto: Anna Muster/dpa' -> ('Der Hafen.', 'Anna Muster/dpa')."""
    caption = caption or ""
    match = _CREDIT.search(caption[-300:])
    if not match:
        return caption or None, None
    said = caption[: max(0, len(caption) - 300) + match.start()]
    return said.strip() or None, _balanced(match["who"].strip(" :;,"))


def _balanced(text: str) -> str:
    """*text* with the bracket closed that belonged to it and not around it."""
    return text + ")" if text.count("(") > text.count(")") else text


__all__ = ["Description", "Headline", "canonical", "describe", "select", "selector", "site_names", "squashed"]
