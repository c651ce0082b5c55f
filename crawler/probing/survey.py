"""What a page, a robots.txt or an OPML file says of a site. Pure, and run in reader processes: strangers wrote it.

Everything that goes in or comes out can be pickled, and comes back as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

import lxml.html
from lxml import etree

from crawler.discovery.decoding import first_element, text_of
from crawler.discovery.entries import clean_address
from crawler.discovery.links import looks_like_article
from crawler.discovery.models import DiscoveryError
from crawler.probing.models import Outline, Subscriptions, Survey
from crawler.robots_txt import LARGEST, decoded_robots, field_and_value
from pipelines import urls
from pipelines.reading.fields.language import code
from pipelines.reading.page import structured

#: links of a page that are looked at, and of each kind so many are named
MOST_ANCHORS, MOST_NAMED = 5_000, 60
#: characters of what is no address, for people
LONGEST_SHOWN = 200
#: characters of a page in which cookies, contacts and times are looked for
FAR = 400_000

_FEED_TYPE = re.compile(r"application/(?:(?:rss|atom|rdf)\+xml|feed\+json|rss|atom)|text/(?:rss|atom)", re.I)
_FEED_PATH = re.compile(
    r"(?:^|[/._=-])(?:rss\d?|atom|feeds?|rdf)(?:$|[/._?=&-])|\.(?:rss|rdf|atom)$|/index\.xml$|/feed\.json$", re.I
)
_FEED_WORD = re.compile(r"\b(?:rss|atom|news-?feeds?|feeds?)\b", re.I)
_COMMENTS = re.compile(r"comment|kommentar|/replies\b", re.I)
_IMPRINT = re.compile(
    r"\b(?:impressum|imprint|mentions[ -]l[ée]gales|aviso[ -]legal|note[ -]legali|colophon|colofon|contacts?|kontakt|"
    r"about(?: us)?|über uns|contattaci|redaktion)\b",
    re.I,
)
_SEPARATOR = re.compile(r"\s+[|–—·:»•-]\s+|\s*[|•»]\s*")
_REFRESH = re.compile(r"^\s*(\d{1,3})[^;,]*[;,]\s*url\s*=\s*[\"']?([^\"'\s>]+)", re.I)
_COOKIE = re.compile(r"document\.cookie\s*=\s*[\"'`]([A-Za-z0-9_.-]{1,60})=([^;\"'`\s$+]{0,200})")
_OFFSET = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d{1,6})?[+-]\d\d:?\d\d\b")
#: what contact data says of a publisher's country: dialling codes and numbers of tax and trade registers
_CONTACTS = {
    "AT": re.compile(r"\bATU\s?\d{8}\b|(?:\+|\b00)43[\s(/\d]|\bFirmenbuch|\bÖsterreich\b"),
    "CH": re.compile(r"\bCHE-?\s?\d{3}|(?:\+|\b00)41[\s(/\d]|\bSchweiz\b|\bSuisse\b"),
    "DE": re.compile(r"\bDE\s?\d{9}\b|(?:\+|\b00)49[\s(/\d]|\bHandelsregister|\bAmtsgericht\b|\bHR[AB]\s?\d{3}"),
    "FR": re.compile(r"\bSIREN\b|\bSIRET\b|\bRCS\b|(?:\+|\b00)33[\s(/\d]"),
    "IT": re.compile(r"\bP(?:artita)?\.?\s?IVA\b|(?:\+|\b00)39[\s(/\d]"),
    "ES": re.compile(r"\bC\.?I\.?F\.?\b:?\s?[A-Z]|(?:\+|\b00)34[\s(/\d]"),
    "NL": re.compile(r"\bKvK\b|(?:\+|\b00)31[\s(/\d]"),
    "BE": re.compile(r"\bBE\s?0\d{3}[. ]?\d{3}|(?:\+|\b00)32[\s(/\d]"),
    "LU": re.compile(r"\bLU\s?\d{8}\b|(?:\+|\b00)352[\s(/\d]"),
    "GB": re.compile(r"\bCompanies House\b|\bEngland and Wales\b|(?:\+|\b00)44[\s(/\d]"),
    "PL": re.compile(r"\bNIP\b:?\s?\d|(?:\+|\b00)48[\s(/\d]"),
}


def survey(body: bytes, content_type: str, url: str) -> Survey:
    """The task of a reader process. A document that cannot be decoded says nothing."""
    try:
        text = text_of(body, content_type)
    except DiscoveryError:
        return Survey()
    root, _ = first_element(text)
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8", "ignore"), parser=parser)
    except (etree.ParserError, ValueError):
        return Survey(root)
    stated = structured.collect(tree, url)
    anchors = list(islice(_anchors(tree, url), MOST_ANCHORS))
    feeds, sitemaps = _alternates(tree, url)
    shown = text[:FAR]
    sections = _sections(anchors, url)
    return Survey(
        root=root,
        title=_name(stated, anchors, url),
        language=code(stated.language) or code(stated.first_meta("og:locale", "content-language", "language")),
        region=_region(stated),
        feeds=feeds,
        feed_links=_feed_links(anchors, feeds),
        sitemaps=sitemaps,
        sections=sections,
        services=tuple(
            dict.fromkeys(
                one.url for one in anchors if one.is_own and not one.is_article and _is_service(urlsplit(one.url).path)
            )
        )[:MOST_NAMED],
        articles=len({one.url for one in anchors if one.is_own and one.is_article}),
        imprint=next((one.url for one in reversed(anchors) if one.is_own and _IMPRINT.search(one.text)), None),
        refresh=_refresh(tree, url),
        cookies=tuple(dict.fromkeys(f"{name}={value}" for name, value in _COOKIE.findall(shown)))[:5],
        countries=tuple(country for country, pattern in _CONTACTS.items() if pattern.search(shown)),
        offsets=tuple(match[0] for match in islice(_OFFSET.finditer(shown), 20)),
    )


@dataclass(frozen=True, slots=True)
class _Anchor:
    url: str
    text: str
    is_own: bool
    is_article: bool
    is_home: bool


def _anchors(tree: lxml.html.HtmlElement, url: str) -> Iterator[_Anchor]:
    """The page's links with a usable address, each with its words or what stands in for them."""
    base = next((one.get("href") for one in tree.iter("base") if one.get("href")), None)
    home = urls.url_key(urls.origin(url) + "/")
    for anchor in tree.iter("a"):
        address = clean_address(anchor.get("href") or "", url, base)
        if address is None:
            continue
        words = " ".join("".join(islice(anchor.itertext(), 50)).split())[:200]
        shown = words or anchor.get("title") or anchor.get("aria-label") or ""
        if not shown and (picture := next(anchor.iter("img"), None)) is not None:
            shown = picture.get("alt") or ""
        in_teaser = next(anchor.iterancestors("article", "h1", "h2", "h3", "h4"), None) is not None
        yield _Anchor(
            address, shown, urls.same_site(address, url), looks_like_article(address, in_teaser),
            urls.url_key(address) == home,
        )  # fmt: skip


def _alternates(tree: lxml.html.HtmlElement, url: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The feeds and the sitemaps that ``<link>`` names; feeds of comments are none of articles."""
    feeds, sitemaps = [], []
    for link in tree.iter("link"):
        relations = (link.get("rel") or "").lower().split()
        address = clean_address(link.get("href") or "", url)
        if address is None:
            continue
        if "sitemap" in relations:
            sitemaps.append(address)
        elif {"alternate", "feed"} & set(relations) and (
            _FEED_TYPE.search(link.get("type") or "") or "feed" in relations
        ):
            said = f"{address} {link.get('title') or ''}"
            feeds += [] if _COMMENTS.search(said) else [address]
    return tuple(dict.fromkeys(feeds))[:MOST_NAMED], tuple(dict.fromkeys(sitemaps))[:MOST_NAMED]


def _feed_links(anchors: list[_Anchor], feeds: tuple[str, ...]) -> tuple[str, ...]:
    """Links whose words or address say feed: feeds, or pages that list feeds."""
    found = [
        one.url
        for one in anchors
        if (_FEED_PATH.search(urlsplit(one.url).path) or (len(one.text) < 40 and _FEED_WORD.search(one.text)))
        and not _COMMENTS.search(one.url)
        and not (one.is_article and not _FEED_PATH.search(urlsplit(one.url).path))
    ]
    return tuple(one for one in dict.fromkeys(found) if one not in feeds)[:MOST_NAMED]


def _sections(anchors: list[_Anchor], url: str) -> tuple[str, ...]:
    """The site's own links that lead to lists: no article, no service, not the page itself; near the root first."""
    here = {urls.url_key(urls.normalise(url)), urls.url_key(urls.origin(url) + "/")}
    found: dict[bytes, tuple[bool, int, str]] = {}
    for one in anchors:
        parts = urlsplit(one.url)
        depth = len([piece for piece in parts.path.split("/") if piece])
        key = urls.url_key(one.url)
        if one.is_own and not one.is_article and key not in here and depth <= 3 and not _is_service(parts.path):
            found.setdefault(key, (bool(parts.query), depth, one.url))
    return tuple(address for _, _, address in sorted(found.values(), key=lambda one: one[:2]))[:MOST_NAMED]


_SERVICE = re.compile(
    r"/(?:abo\w*|login|logout|anmeld\w*|regist\w*|konto|account|user|profil\w*|shop|newsletter\w*|impressum|imprint|privacy\w*|"
    r"datenschutz\w*|agb|terms\w*|kontakt\w*|contact\w*|about\w*|hilfe|help|faq|cookie\w*|jobs?|karriere|werb\w*|mediadaten|"
    r"such\w*|search|rss\w*|feeds?|sitemap\w*|podcasts?|spiele|wetter|horoskop\w*|epaper|e-paper|subscri\w*|pur|depot|kurse"
    r"|mentions-l\w*|legal\w*)(?:[/.]|$)|\.(?:pdf|jpe?g|png|xml|json|rss|zip|mp[34])$",
    re.I,
)


def _is_service(path: str) -> bool:
    return _SERVICE.search(path) is not None


def _name(stated: structured.Structured, anchors: list[_Anchor], url: str) -> str | None:
    """What the site calls itself: in its metadata, else the piece of its window title that its logo says too."""
    for name in (
        stated.first_meta("og:site_name"),
        stated.first_meta("application-name", "apple-mobile-web-app-title"),
    ):
        if name:
            return structured.plain(name)
    for node in stated.typed("website"):
        if name := structured.plain(node.get("name")):
            return name
    pieces = [piece.strip() for piece in _SEPARATOR.split(stated.window_title or "") if piece.strip()]
    logos = {one.text.casefold().strip() for one in anchors if one.is_home}
    host = re.sub(r"[^a-z0-9]", "", urls.host(urls.normalise(url)))
    for piece in pieces:
        letters = re.sub(r"[^a-z0-9]", "", piece.casefold())
        if piece.casefold() in logos or (len(letters) > 2 and letters in host):
            return piece
    return pieces[-1] if pieces else None


def _region(stated: structured.Structured) -> str | None:
    """The country in ``lang="de-AT"`` or ``og:locale`` "de_AT"."""
    for said in (stated.language, stated.first_meta("og:locale", "content-language")):
        if said and (match := re.match(r"(?i)[a-z]{2,3}[-_](?:[a-z]{4}[-_])?([a-z]{2})\b", said)):
            return match[1].upper()
    return None


def _refresh(tree: lxml.html.HtmlElement, url: str) -> str | None:
    for meta in tree.iter("meta"):
        if (meta.get("http-equiv") or "").lower() == "refresh" and (match := _REFRESH.match(meta.get("content") or "")):
            return clean_address(match[2], url) if int(match[1]) <= 5 else None
    return None


def robots_sitemaps(body: bytes) -> Survey:
    """The sitemaps that a robots.txt names, in its order; what is no address is left out."""
    found = []
    for line in decoded_robots(body[:LARGEST]).splitlines():
        field, value = field_and_value(line)
        if field == "sitemap" and (address := clean_address(value.partition(" #")[0].strip(), value.strip()[:2000])):
            found.append(address)
    return Survey("robots", sitemaps=tuple(dict.fromkeys(found))[:200])


def opml(body: bytes) -> Subscriptions:
    """The subscriptions of an OPML file, each feed once; none for a file that has none or is no XML."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return Subscriptions()
    found: dict[str, Outline] = {}
    refused: dict[str, None] = {}
    for outline in tree.iter("{*}outline", "{*}OUTLINE") if tree is not None else ():
        values = {key.lower(): (value or "").strip() for key, value in outline.attrib.items()}
        stated = values.get("xmlurl") or values.get("url") or ""
        feed = clean_address(stated, "http://nowhere.invalid/")
        if feed is None or "nowhere.invalid" in feed:
            if stated:
                refused[urls.without_userinfo(stated)[:LONGEST_SHOWN]] = None
            continue
        page = clean_address(values.get("htmlurl") or "", feed) if values.get("htmlurl") else None
        found.setdefault(feed, Outline(feed, page, (values.get("title") or values.get("text") or None)))
    return Subscriptions(tuple(found.values()), tuple(refused))
