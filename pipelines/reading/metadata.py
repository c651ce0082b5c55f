"""What is told about an article beside its text: one call gives it all.

For every field the places are asked in a fixed order of trust, which docs/reading.md shows as a table; a source's own
rules win
over everything. Nothing is fetched and the tree is not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.cssselect import CSSSelector
from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.items import Image, Kind, Page, Provenance
from pipelines.reading import paywall, people, publication
from pipelines.reading.dates import Dated, Reading
from pipelines.reading.rules import Rules
from pipelines.reading.sight import Sight
from pipelines.reading.structured import Structured, plain, plain_list, text_of, types_of
from pipelines.reading.title import Headline, headline, site_names, squashed


@dataclass(frozen=True, slots=True)
class Description:
    """The metadata of an article. Lists are tuples without repetition; what the page does not say is None or empty.

    ``authors`` are people; only where nobody is named, the newsroom that signed. ``organisations`` are all newsrooms
    and
    companies named; ``agency`` is a short name and never among the authors. ``published`` and ``modified`` carry
    precision and provenance. Addresses are absolute. ``heading`` is the element that
    carries the title, for the body's reader.
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
    reading = Reading(page.fetched_at, rules.time_zone, language)
    head = headline(structured, tree)
    title = _selected_text(tree, site.title) or head.title or (page.hint.title if page.hint else None)
    if within is not None and (head.element is None or within not in head.element.iterancestors()):
        within = None
    sight = Sight(tree, head.element, within)
    byline = _byline(tree, structured, page, rules, sight)
    published = publication.published(structured, sight, reading, page.hint)
    if within is not None and not (byline and published):
        sight = Sight(tree, head.element)
        byline = byline or _byline(tree, structured, page, rules, sight)
        published = published or publication.published(structured, sight, reading, page.hint)
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
        modified=_by_rule(tree, site.modified, reading) or publication.modified(structured, reading, page.hint),
        image=_image(tree, structured, page.url),
        kind=_kind(structured, page.url, head, sections),
        is_accessible_for_free=paywall.stated(structured, tree),
        canonical_url=canonical(structured, page.url),
        amp_url=_absolute(structured.amp, page.url),
        agency=byline.agency,
        heading=head.element,
    )


# -- a source's own rules ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def selector(expression: str) -> XPath | CSSSelector:
    """A compiled CSS selector, or XPath where *expression* starts with '/' or '.'. Raises lxml's or cssselect's
    SyntaxError.
    """
    if expression.startswith(("/", "./", ".//")):
        return XPath(expression)
    return CSSSelector(expression, translator="html")


def select(tree: Element, expression: str | None) -> list[str]:
    """The texts (or attribute values) that a source's rule selects, without empty ones."""
    if not expression:
        return []
    result = selector(expression)(tree)
    found = result if isinstance(result, list) else [result]
    texts = []
    for each in found[:50]:
        if isinstance(each, str):
            texts.append(plain(each))
        elif hasattr(each, "itertext"):
            texts.append(each.get("content") or each.get("datetime") or text_of(each))
    return [text for text in texts if text]


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


def _byline(tree: Element, structured: Structured, page: Page, rules: Rules, sight: Sight) -> people.Byline:
    """Who signed: stated for machines first, completed or replaced by the byline that readers see where that names
    people.
    """
    chosen = select(tree, rules.site.authors)
    if chosen:
        return people.byline(chosen)
    stated = people.Byline()
    sites = site_names(structured)
    for names, organisations in _author_places(structured, page):
        found = _without_site(people.byline(names, organisations, is_stated=True), sites)
        first = stated or found
        stated = people.Byline(found.people, first.organisations, first.agency or found.agency)
        if stated.people:
            break
    if stated.people:
        return stated
    seen = people.signed(sight.root, sight.heading)
    seen = _without_site(seen, sites)
    if not seen.people:
        seen = people.written(sight) or seen
    # where an agency is stated for the author, the newsroom's name beside it is the page's, not the text's
    organisations = stated.organisations or (() if stated.agency else seen.organisations)
    return people.Byline(seen.people, organisations, stated.agency or seen.agency)


def _without_site(found: people.Byline, sites: set[str]) -> people.Byline:
    """*found* with the site's own name, which can look like a person's ('Jungle World'), among the organisations."""
    named = tuple(name for name in found.people if squashed(name) in sites)
    if not named:
        return found
    left = tuple(name for name in found.people if name not in named)
    return people.Byline(left, (*named, *found.organisations), found.agency)


_AUTHOR_META = (
    "author", "article:author", "og:article:author", "parsely-author", "cxenseparse:author", "sailthru.author",
    "vf:author", "dc.creator", "dcterms.creator", "citation_author", "mediator_author", "byl",
)  # fmt: skip


def _author_places(structured: Structured, page: Page) -> Iterator[tuple[list[str], list[str]]]:
    """Names, and names of organisations, place by place."""
    yield _author_names(structured, structured.article.get("author"))
    yield _author_names(structured, structured.article.get("creator"))
    yield [name for place in _AUTHOR_META[:2] for name in structured.meta.get(place, ())], []
    yield [text_of(e, 200) for e in structured.micro.get("author", ())[:6]], []
    for place in _AUTHOR_META[2:]:
        yield structured.meta.get(place, []), []
    if page.hint:
        yield list(page.hint.authors), []


def _author_names(structured: Structured, value: Any) -> tuple[list[str], list[str]]:
    values = value if isinstance(value, list) else [value]
    names: list[str] = []
    organisations: list[str] = []
    for each in values[:30]:
        each = structured.resolved(each)
        stated = names
        if isinstance(each, dict):
            stated = organisations if types_of(each) & {"organization", "newsmediaorganization"} else names
            each = each["name"] if isinstance(each.get("name"), list) else each
        stated += plain_list(each) if isinstance(each, list) else [plain(each) or ""]
    return list(filter(None, names)), list(filter(None, organisations))


_NO_SECTION = frozenset(
    [
        "start",
        "startseite",
        "home",
        "homepage",
        "hauptseite",
        "accueil",
        "aktuell",
        "aktuelles",
        "artikel",
        "article",
        "overview",
        "übersicht",
        "website",
    ]
)
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
    names = names or [text_of(e, 80) for e in structured.micro.get("articlesection", ())[:4]]
    names = names or [text_of(link, 80) for link in _CRUMBS(tree)[:6]]
    names = names or _folders_above(heading, page.url)
    if not names and page.hint and page.hint.section:
        names = [page.hint.section]
    not_sections = {squashed(title or "")} | site_names(structured)
    kept = (n for n in names if n and len(n) <= 60 and n.lower() not in _NO_SECTION and squashed(n) not in not_sections)
    return tuple(dict.fromkeys(kept))[:6]


def _folders_above(heading: Element | None, url: str) -> list[str]:
    """The section line over the headline: a few links, one of them to a folder that the page's own address lies in."""
    own = urlsplit(url).path
    for element in _just_above(heading):
        links = list(element.iter("a"))
        folders = [urlsplit(urljoin(url, link.get("href") or "")).path for link in links]
        if len(links) <= 4 and any(len(path) > 2 and path.endswith("/") and own.startswith(path) for path in folders):
            return [text_of(link, 60) for link in links]
    return []


def _just_above(heading: Element | None) -> Iterator[Element]:
    """The short pieces that stand before the heading, nearest first, up to the first longer one."""
    element, pieces = heading, 0
    for _ in range(3):
        if element is None:
            return
        for above in element.itersiblings(preceding=True):
            text = text_of(above, 90) if isinstance(above.tag, str) else ""
            if text:
                pieces += 1
                if len(text) > 80 or pieces > 3:
                    return
                yield above
        element = element.getparent()


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


def _image(tree: Element, structured: Structured, url: str) -> Image | None:
    """The article's main picture; caption and credit from JSON-LD, else from the figure that shows it."""
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
    address = _absolute(value if isinstance(value, str) else None, url) or _absolute(
        structured.first_meta("og:image", "og:image:url", "og:image:secure_url", "twitter:image"), url
    )
    if address is None:
        return None
    if caption is None:
        caption = _caption(tree, address)
    said, named = _credit(caption)
    return Image(address, said, credit or named)


def _caption(tree: Element, address: str) -> str | None:
    """The caption of the figure that shows the picture at *address* (in whatever size: the file's name tells)."""
    name = max(re.findall(r"[\w-]{6,}", urlsplit(address).path), key=len, default="")
    for number, element in enumerate(tree.iter("figcaption")):
        figure = element.getparent()
        if number == 8 or figure is None:
            break
        shown = " ".join(f"{i.get('src')} {i.get('data-src')} {i.get('srcset')}" for i in figure.iter("img", "source"))
        if name and name in shown:
            return text_of(element, 600) or None
    return None


_CREDIT = re.compile(
    r"[\s(|/–-]*(?:©|\(c\)|(?:(?:symbol|archiv)?(?:foto|bild)(?:rechte|quelle)?|quelle|photo|credit|picture|copyright|crédit)s?\s?:)\s*(?P<who>[^©]{2,120}?)[\s)]*$",
    re.IGNORECASE,
)


def _credit(caption: str | None) -> tuple[str | None, str | None]:
    """Caption and credit apart: 'Der Hafen. Foto: Anna Muster/dpa' -> ('Der Hafen.', 'Anna Muster/dpa')."""
    match = _CREDIT.search(caption or "")
    if not match:
        return caption, None
    return caption[: match.start()].strip() or None, _balanced(match["who"].strip(" :;,"))


def _balanced(text: str) -> str:
    """*text* with the bracket closed that belonged to it and not around it."""
    return text + ")" if text.count("(") > text.count(")") else text


_PATH_KINDS = (
    (Kind.LIVE_BLOG, re.compile(r"live-?(?:blog|ticker)|news-?(?:blog|ticker)|/ticker\b", re.IGNORECASE)),
    (
        Kind.ADVERTORIAL,
        re.compile(r"advertorial|/(?:sponsored|anzeigen?|brandstory|partner-?content)(?:/|-post)", re.IGNORECASE),
    ),
    (
        Kind.PRESS_RELEASE,
        re.compile(r"presse-?(?:mitteilung|meldung|information|portal|release)|press-?release|/ots/", re.IGNORECASE),
    ),
    (
        Kind.GALLERY,
        re.compile(
            r"/(?:bilder-?)?galerie|foto-?(?:strecke|galerie)|bilder-?strecke|/gallery/|diaporama", re.IGNORECASE
        ),
    ),
    (Kind.VIDEO, re.compile(r"/videos?/|/mediathek/", re.IGNORECASE)),
)
_ADVERT_WORD = re.compile(
    r"(?:anzeige|advertorial|sponsored|gesponsert|werbung|promotion|bezahlter? (?:inhalt|beitrag)|publireportage)\b",
    re.IGNORECASE,
)
# above a headline; 'Anzeige' alone may name the advertising space there, so it has to stand in the headline's own frame
_ADVERT_LABEL = re.compile(
    r"(?:advertorial|sponsored(?: (?:post|content|article))?|paid (?:post|content)"
    r"|gesponserter? (?:inhalt|beitrag|artikel)"
    r"|bezahlter? (?:inhalt|beitrag|artikel|anzeige)|werblicher (?:inhalt|beitrag)"
    r"|publi-?(?:reportage|rédactionnel)"
    r"|contenu (?:sponsorisé|partenaire)|brand story|anzeigensonderveröffentlichung|sonderveröffentlichung)",
    re.IGNORECASE,
)
_ADVERT_IN_FRAME = re.compile(r"anzeige|werbung|promotion|advertisement|publicité", re.IGNORECASE)
_LIVE_WORD = re.compile(r"(?:live|news)-?\s?(?:blog|ticker)\b", re.IGNORECASE)


def _kind(structured: Structured, url: str, head: Headline, sections: tuple[str, ...]) -> Kind:
    """What sort of article it is: by its own type, by the words that label it, then by its address."""
    types = types_of(structured.article)
    if "liveblogposting" in types or any(structured.typed("liveblogposting")):
        return Kind.LIVE_BLOG
    labels = [label for label in (head.kicker, *sections) if label]
    if "advertisercontentarticle" in types or any(_ADVERT_WORD.match(label) for label in labels):
        return Kind.ADVERTORIAL
    if _has_advert_label(head.element):
        return Kind.ADVERTORIAL
    if _LIVE_WORD.search(f"{head.kicker or ''} {head.title or ''}"):
        return Kind.LIVE_BLOG
    media = (structured.first_meta("og:type") or "").lower().startswith("video") or "videoobject" in types
    if media and types.isdisjoint({"newsarticle", "article", "reportagenewsarticle"}):
        return Kind.VIDEO
    if types & {"imagegallery", "mediagallery"}:
        return Kind.GALLERY
    is_article = not types.isdisjoint({"newsarticle", "reportagenewsarticle", "article"})
    for kind, pattern in _PATH_KINDS:
        if pattern.search(urlsplit(url).path) and not (is_article and kind is Kind.VIDEO):
            return kind
    return Kind.ARTICLE


def _has_advert_label(heading: Element | None) -> bool:
    for above in _just_above(heading):
        text = text_of(above, 90).strip(" :-–—|[]()*")
        if _ADVERT_LABEL.fullmatch(text):
            return True
        frame = above.getparent()
        is_own = heading is not None and frame is heading.getparent() and frame.tag in ("header", "hgroup")
        if is_own and _ADVERT_IN_FRAME.fullmatch(text):
            return True
    return False


# -- addresses --------------------------------------------------------------------------------------------------------


def _absolute(address: str | None, base: str) -> str | None:
    """*address* resolved against the page's; None unless that gives http(s) with a host."""
    if not address or len(address) > 2_000:
        return None
    try:
        address = urljoin(base, address.strip())
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and parts.hostname else None


def canonical(structured: Structured, url: str) -> str | None:
    """The canonical address that the page names, if it can be one of this page: same site, no home page for an
    article.
    """
    for value in (structured.canonical, structured.first_meta("og:url")):
        address = _absolute(value, url)
        if address is None:
            continue
        here, there = urlsplit(url), urlsplit(address)
        if _site(there.hostname) != _site(here.hostname):
            continue
        if there.path.strip("/") == "" and not there.query and here.path.strip("/") != "":
            continue
        return address.split("#")[0]
    return None


# two-level suffixes under which registrations happen: without them every '.co.at' would be one site
_SECOND_LEVEL = frozenset(["co", "ac", "or", "gv", "com", "org", "net", "gov", "edu"])


def _site(host: str | None) -> str:
    """The registrable part of a host name, near enough: the last two labels, three under 'co.at' and the like."""
    labels = (host or "").lower().rstrip(".").split(".")
    keep = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[-keep:])


__all__ = ["Description", "Headline", "canonical", "describe", "select", "selector", "site_names", "squashed"]
