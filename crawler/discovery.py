"""A feed, sitemap or section page -> links to articles. Pure: bytes in, ``Found`` out; no network, no clock.

What a document is shows in its bytes, not in what the source file calls it: a sitemap listed under ``feeds`` is read
as a sitemap. A document that is none of all this raises ``DiscoveryError``. One bad entry is a ``Problem`` beside the
links of the others, and of a truncated or broken document everything is used that can be read.
"""

from __future__ import annotations

import html
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Literal
from urllib.parse import urljoin

import feedparser
import lxml.html
from lxml import etree
from parsel.csstranslator import HTMLTranslator

from crawler.links import Taking, looks_like_article
from crawler.values import is_xpath
from pipelines import urls
from pipelines.items import Hint, Link, Provenance, Rejected
from pipelines.reading.fields import dates
from pipelines.reading.page import decode

Kind = Literal["feed", "sitemap", "section"]

XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
#: pieces of a hint are for showing and comparing; longer ones are article bodies in the wrong place
LONGEST_TITLE, LONGEST_TEASER, MOST_WORDS = 500, 2000, 30
#: characters, some 200 entries: feedparser has no bound of its own, and takes 20 seconds for 600 kB of nested tags
MOST_FOR_FEEDPARSER = 300_000
#: a sitemap may have 50,000 addresses by its standard; of more, the first so many are looked at
MOST_ENTRIES = 100_000
#: links of a section page that are looked at; a front page has some hundreds
MOST_ANCHORS = 20_000
#: so many problems of one document are told singly
MOST_PROBLEMS = 50


class Trouble(StrEnum):
    """What can be wrong with a discovery document, or with one entry of it."""

    EMPTY = "empty"
    HTML = "html"
    BINARY = "binary"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"
    NO_LIST = "no_list"
    TRUNCATED = "truncated"
    BROKEN = "broken"
    BAD_LINK = "bad_link"
    NO_LINK = "no_link"
    LEFT_OUT = "left_out"
    NO_ENTRIES = "no_entries"


class DiscoveryError(Exception):
    """Nothing of the document can be used: *trouble* from the fixed list, *detail* for a person."""

    def __init__(self, trouble: Trouble, detail: str):
        super().__init__(f"{trouble}: {detail}")
        self.trouble = trouble
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a document of which the rest was used."""

    trouble: Trouble
    detail: str

    def __str__(self) -> str:
        return f"{self.trouble}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a document named: ``links`` to articles, further ``sitemaps`` to look at. ``entries``: how many it lists."""

    kind: Kind
    links: tuple[Link, ...] = ()
    sitemaps: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A ``DiscoveryError`` on its way from one process to another."""

    trouble: Trouble
    detail: str


@dataclass(slots=True)
class Entry:
    """One entry as it stands in the document: addresses in the order of preference, times as text."""

    addresses: list[str] = field(default_factory=list)
    base: str | None = None
    title: str | None = None
    teaser: str | None = None
    published: str | None = None
    modified: str | None = None
    authors: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    section: str | None = None


def read_document(
    kind: Kind, body: bytes, content_type: str, url: str, taking: Taking, largest: int = 20_000_000
) -> Found:
    """Links of the document at *url*; *kind* is what the source file calls it. Raise ``DiscoveryError``.

    *largest* bounds the bytes, also those inside a gzip file.
    """
    body, problems = unzipped(body, largest)
    text = text_of(body, content_type)
    root = root_of(text)
    if root in ("rss", "rdf", "feed", "channel"):
        found = read_feed(text, root, url, taking)
    elif root in ("urlset", "sitemapindex"):
        found = read_sitemap(text, root, url, taking)
    elif kind == "section":
        found = read_section(text, url, taking)
    elif kind == "sitemap" and re.match(r"\s*https?://", text):
        found = links_of("sitemap", (Entry([line.strip()]) for line in text.splitlines() if line.strip()), url, taking)
    elif root == "html" or re.search(r"(?i)<(html|body|head|div|p)\b", text[:5000]):
        raise DiscoveryError(Trouble.HTML, f"an HTML page, no {kind}{feeds_named(text, url)}")
    else:
        raise DiscoveryError(Trouble.NO_LIST, f"neither feed nor sitemap; it begins with {text.strip()[:60]!r}")
    return replace(found, problems=(*problems, *found.problems)[:MOST_PROBLEMS])


def look(kind: Kind, body: bytes, content_type: str, url: str, taking: Taking, largest: int) -> Found | Refused:
    """``read_document`` for a reader process."""
    try:
        return read_document(kind, body, content_type, url, taking, largest)
    except DiscoveryError as error:
        return Refused(error.trouble, error.detail)


# --- bytes to text ---------------------------------------------------------------------------------------------------


def unzipped(body: bytes, largest: int) -> tuple[bytes, list[Problem]]:
    """The content of a gzip file, as far as it is whole; anything else as it is. At most *largest* bytes come out."""
    if not body.startswith(b"\x1f\x8b"):
        if len(body) > largest:
            raise DiscoveryError(Trouble.TOO_LARGE, f"{len(body)} bytes, {largest} are allowed")
        return body, []
    pieces: list[bytes] = []
    room, rest = largest, body
    while rest.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            piece = unpacker.decompress(rest, room + 1)
        except zlib.error as error:
            return b"".join(pieces), [Problem(Trouble.BROKEN, f"damaged gzip: {error}")]
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            raise DiscoveryError(Trouble.TOO_LARGE, f"more than {largest} bytes when unpacked")
        if not unpacker.eof:
            return b"".join(pieces), [Problem(Trouble.TRUNCATED, "the gzip file ends early")]
        rest = unpacker.unused_data
    return b"".join(pieces), []


def text_of(body: bytes, content_type: str) -> str:
    if len(body) > decode.LONGEST:  # only sitemaps are so large, and those are UTF-8
        return decode.clean(body.decode("utf-8", "replace"))
    charset = re.search(r"charset\s*=\s*[\"']?[\w.:-]+", content_type, re.I)
    try:
        return decode.text_of(body, f"text/xml; {charset[0]}" if charset else "text/xml")
    except Rejected as error:
        known = {str(trouble): trouble for trouble in Trouble}
        trouble = known.get(str(error.reason), Trouble.UNDECODABLE)
        raise DiscoveryError(trouble, error.detail or "the document has no text") from None


def root_of(text: str) -> str:
    """Local name of the first element, in lower case; "" where there is none."""
    marks = re.finditer(r"(?s)<(?:\?.*?\?>|!--.*?-->|!|(?:[\w.-]+:)?([A-Za-z][\w.-]*))", text[:20_000])
    return next((match[1].lower() for match in marks if match[1]), "")


def feeds_named(text: str, url: str) -> str:
    """The feeds that an HTML page names, as the end of a sentence."""
    tags = re.findall(r"(?i)<link\b[^>]{0,500}application/(?:rss|atom)\+xml[^>]{0,500}>", text[:200_000])
    named = [match[1] for tag in tags if (match := re.search(r"href\s*=\s*[\"']([^\"']+)", tag))]
    found = [address for address in (clean_address(name, url) for name in named[:5]) if address]
    return f"; it names the feed {' and '.join(found[:3])}" if found else ""


# --- XML -------------------------------------------------------------------------------------------------------------


def prepared(text: str, item: str) -> tuple[str, list[Problem]]:
    """*text* so that a strict XML parser can read it, where little is wrong with it.

    The document type goes (its simple entities are put in), HTML's named entities and bare ampersands are mended, and
    what is missing at the end is cut back to the last whole *item* and closed.
    """
    start = re.search(r"<(?:[\w.-]+:)?(?:rss|rdf|feed|channel|urlset|sitemapindex)\b", text, re.I)
    if start is None:
        raise DiscoveryError(Trouble.NO_LIST, "no element of a feed or sitemap in it")
    head, text = text[: start.start()], text[start.start() :]
    entities = dict(re.findall(r"<!ENTITY\s+(\w+)\s+[\"']([^\"'&%<]{0,500})[\"']", head)[:100])
    problems = []
    root = start[0][1:]
    end = text.rfind("</" + root)
    if end < 0:
        problems.append(Problem(Trouble.TRUNCATED, f"the document ends before </{root}>"))
        text = closed(text, root, item)
    else:
        text = text[: text.find(">", end) + 1] if text.find(">", end) > 0 else text[:end] + f"</{root}>"
    if "&" in text:
        text = "".join(piece if is_cdata else mended(piece, entities) for is_cdata, piece in cdata_split(text))
    return text, problems


def cdata_split(text: str) -> Iterator[tuple[bool, str]]:
    """(is CDATA, piece). By hand: a pattern would look for the end of each of a million unclosed sections anew."""
    at = 0
    while (begin := text.find("<![CDATA[", at)) >= 0 and (end := text.find("]]>", begin)) >= 0:
        yield False, text[at:begin]
        yield True, text[begin : end + 3]
        at = end + 3
    yield False, text[at:]


def closed(text: str, root: str, item: str) -> str:
    ends = list(re.finditer(rf"</(?:[\w.-]+:)?{item}\s*>", text, re.I))
    if not ends:
        return text + f"</{root}>"
    inner = "</channel>" if root.lower() == "rss" and re.search(r"<channel\b", text) else ""
    return f"{text[: ends[-1].end()]}{inner}</{root}>"


def mended(text: str, entities: dict[str, str]) -> str:
    def mend(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "&amp;"
        if name in ("amp", "lt", "gt", "quot", "apos"):
            return match[0]
        if name.startswith("#"):
            character = html.unescape(match[0])
            return match[0] if len(character) == 1 and (character in "\t\n\r" or character >= " ") else ""
        if name in entities:
            return html.escape(entities[name])
        known = html.unescape(match[0])
        return f"&amp;{name};" if known == match[0] else html.escape(known)

    return re.sub(r"&(?:(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{1,40});)?", mend, text)


def elements(text: str, item: str, recover: bool = False) -> Iterator[etree._Element]:
    """Every *item* element, one at a time, so that a large document is never a tree. Raise ``etree.XMLSyntaxError``."""
    events = etree.iterparse(
        io.BytesIO(text.encode("utf-8", "ignore")),
        events=("end",),
        tag=f"{{*}}{item}",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    for _, element in events:
        yield element
        element.clear(keep_tail=False)
        while element.getprevious() is not None:
            del element.getparent()[0]


def children(element: etree._Element) -> Iterator[tuple[str, str, etree._Element]]:
    """(namespace, local name in lower case, child)."""
    for child in element:
        if isinstance(child.tag, str):
            name = etree.QName(child)
            yield (name.namespace or "").lower(), name.localname.lower(), child


def words_of(element: etree._Element) -> str:
    return "".join(element.itertext(with_tail=False)).strip()


# --- feeds -----------------------------------------------------------------------------------------------------------


def read_feed(text: str, root: str, url: str, taking: Taking) -> Found:
    """RSS 0.9x, 1.0, 2.0 and Atom. lxml where the document is well-formed (a tenth of the time), else feedparser."""
    item = "entry" if root == "feed" else "item"
    text, problems = prepared(text, item)
    listed = sum(1 for _ in re.finditer(rf"<(?:[\w.-]+:)?{item}[\s>/]", text))
    if listed > taking.max_links:
        problems.append(
            Problem(Trouble.LEFT_OUT, f"{listed - taking.max_links} of {listed} entries are over max_links")
        )
    try:
        entries = well_formed_entries(text, item, taking.max_links)
    except etree.XMLSyntaxError as error:
        if "depth" in str(error).lower():
            raise DiscoveryError(Trouble.BROKEN, "its elements are nested too deeply") from None
        problems.append(Problem(Trouble.BROKEN, f"not well-formed: {error}"))
        entries = feedparser_entries(first_items(text, item, taking.max_links)[:MOST_FOR_FEEDPARSER], url)
    if not listed:
        problems.append(Problem(Trouble.NO_ENTRIES, "the feed lists nothing"))
    found = links_of("feed", entries[: taking.max_links], url, taking)
    return replace(found, problems=(*problems, *found.problems), entries=listed)


def first_items(text: str, item: str, count: int) -> str:
    """*text* up to the end of its *count*-th item: feedparser takes 0.4 ms an item and has no bound of its own."""
    for number, end in enumerate(re.finditer(rf"</(?:[\w.-]+:)?{item}\s*>", text, re.I), start=1):
        if number == count:
            return text[: end.end()]
    return text


def well_formed_entries(text: str, item: str, count: int) -> list[Entry]:
    entries: list[Entry] = []
    has_bases = "xml:base" in text
    for element in elements(text, item):
        entries.append(feed_entry(element, base_of(element) if has_bases else None))
        if len(entries) >= count:
            break
    return entries


def base_of(element: etree._Element) -> str | None:
    """The chain of xml:base from the element up, as one address (still relative to the document's)."""
    base = ""
    for one in (element, *element.iterancestors()):
        outer = one.get(XML_BASE)
        if outer:
            try:
                base = urljoin(outer.strip(), base) if base else outer.strip()
            except ValueError:
                continue
    return base or None


def feed_entry(element: etree._Element, base: str | None) -> Entry:
    entry, original, guid = Entry(base=base), None, None
    about = next((value for key, value in element.attrib.items() if key.endswith("}about")), None)
    for space, name, child in children(element):
        if name == "origlink":
            original = words_of(child)
        elif name == "link" and ("atom" in space or not words_of(child)):
            if child.get("rel", "alternate") == "alternate" and child.get("href"):
                is_page = "html" in child.get("type", "text/html")
                entry.addresses.insert(
                    0 if is_page and not entry.addresses else len(entry.addresses), child.get("href")
                )
                entry.base = base_of(child) if child.get(XML_BASE) else entry.base
        elif name == "link" and is_plain(space):
            entry.addresses.insert(0, words_of(child))
        elif name in ("guid", "id") and is_plain(space) and child.get("isPermaLink", "true") != "false":
            guid = words_of(child)
        else:
            described(entry, space, name, child)
    if original:
        entry.addresses.insert(0, original)
    if not entry.addresses:
        entry.addresses += [one for one in (about, guid) if one and re.match(r"(?i)https?://", one)]
    return entry


def is_plain(space: str) -> bool:
    """Whether a namespace is a feed's own (RSS has none or one of several, Atom one), not an extension's."""
    return not space or "purl.org/rss" in space or "netscape" in space or "atom" in space or "backend.userland" in space


def described(entry: Entry, space: str, name: str, child: etree._Element) -> None:
    is_dc = "purl.org/dc" in space
    if not (is_plain(space) or is_dc):
        return
    if name == "title":
        entry.title = entry.title or words_of(child)
    elif name in ("description", "summary"):
        entry.teaser = entry.teaser or words_of(child)
    elif name in ("pubdate", "published", "issued") or (is_dc and name == "date"):
        entry.published = entry.published or words_of(child)
    elif name in ("updated", "modified"):
        entry.modified = entry.modified or words_of(child)
    elif name in ("author", "creator"):
        names = [words_of(one) for _, inner, one in children(child) if inner == "name"]
        entry.authors += names or [words_of(child)]
    elif name == "category" or (is_dc and name == "subject"):
        entry.words.append(child.get("label") or child.get("term") or words_of(child))


def feedparser_entries(text: str, url: str) -> list[Entry]:
    """The same by feedparser, which reads what is no XML. Plain bytes it would take for a file's name: so a stream."""
    headers = {"content-location": url, "content-type": "application/xml; charset=utf-8"}
    feed = feedparser.parse(
        io.BytesIO(text.encode("utf-8", "ignore")),
        response_headers=headers,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return [feedparser_entry(one, is_rss=feed.version.startswith("rss")) for one in feed.entries]


def feedparser_entry(one: feedparser.FeedParserDict, is_rss: bool) -> Entry:
    links = [link for link in one.get("links", []) if link.get("rel") == "alternate" and link.get("href")]
    links.sort(key=lambda link: "html" not in link.get("type", "text/html"))
    addresses = list(
        dict.fromkeys([one.get("feedburner_origlink"), *(link["href"] for link in links), one.get("link")])
    )
    if not any(addresses) and re.match(r"(?i)https?://", one.get("id", "")):
        addresses.append(one["id"])
    authors = [author.get("name") or author.get("email") for author in one.get("authors", [])]
    return Entry(
        addresses=[address for address in addresses if address],
        title=one.get("title"),
        teaser=one.get("summary"),
        # its own get() would answer with one for the other; the dc:date of RSS it calls updated
        published=dict.get(one, "published") or (dict.get(one, "updated") if is_rss else None),
        modified=None if is_rss else dict.get(one, "updated"),
        authors=[author for author in authors if author],
        words=[tag.get("label") or tag.get("term") or "" for tag in one.get("tags", [])],
    )


# --- sitemaps --------------------------------------------------------------------------------------------------------


def read_sitemap(text: str, root: str, url: str, taking: Taking) -> Found:
    """A sitemap's pages (the newest, where there are too many), or the sitemaps that an index names."""
    item = "sitemap" if root == "sitemapindex" else "url"
    text, problems = prepared(text, item)
    try:
        entries = [sitemap_entry(element) for element in islice(elements(text, item), MOST_ENTRIES)]
    except etree.XMLSyntaxError as error:
        problems.append(Problem(Trouble.BROKEN, f"not well-formed: {error}"))
        entries = [sitemap_entry(element) for element in islice(elements(text, item, recover=True), MOST_ENTRIES)]
    if not entries:
        problems.append(Problem(Trouble.NO_ENTRIES, "the sitemap lists nothing"))
    if root == "sitemapindex":
        found = sitemaps_of(entries, url, taking)
    else:
        found = links_of("sitemap", newest(entries, taking, taking.max_links), url, taking)
        if len(entries) > taking.max_links:
            said = f"the older {len(entries) - taking.max_links} of {len(entries)} entries are over max_links"
            problems.append(Problem(Trouble.LEFT_OUT, said))
    return replace(found, problems=(*problems, *found.problems), entries=len(entries))


def sitemap_entry(element: etree._Element) -> Entry:
    entry = Entry()
    for space, name, child in children(element):
        if name == "loc" and "image" not in space and "video" not in space:
            entry.addresses.append(words_of(child))
        elif name == "lastmod":
            entry.modified = words_of(child)
        elif name == "news":
            for _, inner, piece in children(child):
                if inner == "title":
                    entry.title = words_of(piece)
                elif inner == "publication_date":
                    entry.published = words_of(piece)
                elif inner == "keywords":
                    entry.words += [word.strip() for word in words_of(piece).split(",")]
    return entry


def newest(entries: list[Entry], taking: Taking, count: int) -> list[Entry]:
    """All, or the *count* that were published or changed last; what states no time comes after what does."""
    if len(entries) <= count:
        return entries
    oldest = datetime.min.replace(tzinfo=UTC)
    timed = sorted(entries, key=lambda one: time_of(one.published or one.modified, taking) or oldest, reverse=True)
    return timed[:count]


def sitemaps_of(entries: list[Entry], url: str, taking: Taking) -> Found:
    """The sitemaps of an index that are worth a look: the latest first, by what they state or what their names tell."""
    problems, dated = [], []
    for number, entry in enumerate(entries):
        address = clean_address(entry.addresses[0], url) if entry.addresses else None
        if address is None:
            problems.append(Problem(Trouble.BAD_LINK, f"sitemap {shown(entry.addresses)}"))
            continue
        changed = time_of(entry.modified, taking)
        if changed and taking.not_before and changed < taking.not_before:
            continue
        in_name = re.findall(r"(?:19|20)\d\d(?:[-_/]?[01]\d){0,2}", address)
        digits = re.sub(r"\D", "", in_name[-1]) if in_name else ""
        dated.append(("news" in address.lower(), changed.isoformat() if changed else "", digits, -number, address))
    addresses = list(dict.fromkeys(one[-1] for one in sorted(dated, reverse=True)))
    if len(addresses) > taking.max_sitemaps:
        problems.append(
            Problem(Trouble.LEFT_OUT, f"{len(addresses) - taking.max_sitemaps} sitemaps are over the limit")
        )
    return Found("sitemap", sitemaps=tuple(addresses[: taking.max_sitemaps]), problems=tuple(problems))


# --- section pages ---------------------------------------------------------------------------------------------------


def read_section(text: str, url: str, taking: Taking) -> Found:
    """Links of a page that leads to articles: those the source's rules allow, or those that look like articles."""
    if "<" not in text:
        raise DiscoveryError(Trouble.NO_LIST, "plain text, no page with links")
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8", "ignore"), parser=parser)
    except (etree.ParserError, ValueError) as error:
        raise DiscoveryError(Trouble.EMPTY, f"no element in it ({error})") from None
    base = next((one.get("href") for one in tree.iter("base") if one.get("href")), None)
    anchors = list(islice(anchors_of(tree, taking.css), MOST_ANCHORS))
    entries = [Entry([one.get("href")], base=base) for one in anchors if is_candidate(one, base, url, taking)]
    found = links_of("section", entries, url, taking)
    problems = found.problems
    if not found.links:
        problems += (Problem(Trouble.NO_ENTRIES, f"none of {len(anchors)} links looks like an article"),)
    if len(found.links) > taking.max_links:
        problems += (Problem(Trouble.LEFT_OUT, f"{len(found.links) - taking.max_links} links are over max_links"),)
    return replace(found, links=found.links[: taking.max_links], problems=problems, entries=len(anchors))


def anchors_of(tree: lxml.html.HtmlElement, selectors: Iterable[str]) -> Iterator[lxml.html.HtmlElement]:
    """``<a href>`` inside (or being) what the selectors name; without them, everywhere but in navigation and footer."""
    selectors = list(selectors)
    for selector in selectors:
        for place in tree.xpath(selector if is_xpath(selector) else HTMLTranslator().css_to_xpath(selector)):
            if isinstance(place, etree._Element):
                yield from (one for one in place.iter("a") if one.get("href"))
    if not selectors:
        everywhere = (one for one in tree.iter("a") if one.get("href"))
        yield from (one for one in everywhere if next(one.iterancestors("nav", "footer"), None) is None)


def is_candidate(anchor: lxml.html.HtmlElement, base: str | None, url: str, taking: Taking) -> bool:
    """Bad addresses pass here: they are counted later. ``#`` and ``mailto:`` are no addresses of pages at all."""
    href = anchor.get("href").strip()
    if not href or href.startswith("#") or re.match(r"(?i)(javascript|mailto|tel|sms|whatsapp|data|fax|skype):", href):
        return False
    address = clean_address(href, url, base)
    if address is None:
        return True
    if not taking.is_own(address, urls.normalise(url)):
        return False
    return bool(taking.allow) or looks_like_article(address, is_teaser(anchor))


def is_teaser(anchor: lxml.html.HtmlElement) -> bool:
    marks = ("article", "h1", "h2", "h3", "h4")
    return next(anchor.iterancestors(*marks), None) is not None or next(anchor.iter(*marks), None) is not None


# --- entries to links ------------------------------------------------------------------------------------------------


def links_of(kind: Kind, entries: Iterable[Entry], url: str, taking: Taking) -> Found:
    """What the entries link to, each address once; entries without a usable address become problems."""
    here = urls.normalise(url)
    links: dict[bytes, Link] = {}
    problems: list[Problem] = []
    count = bad = 0
    for entry in entries:
        count += 1
        addresses = [clean_address(address, url, entry.base) for address in entry.addresses]
        address = next((one for one in addresses if one), None)
        if address is None:
            bad += 1
            trouble = Trouble.BAD_LINK if any(entry.addresses) else Trouble.NO_LINK
            if len(problems) < MOST_PROBLEMS:
                problems.append(
                    Problem(trouble, shown(entry.addresses) or f"entry {count} ({shown([entry.title or ''])})")
                )
            continue
        key = urls.url_key(address)
        if key in links or not taking.wants(address, here) or is_too_old(entry, taking):
            continue
        links[key] = Link(address, url, hint_of(kind, entry, taking))
    if bad > MOST_PROBLEMS:
        problems[-1] = Problem(Trouble.BAD_LINK, f"{bad - MOST_PROBLEMS + 1} more entries have no usable link")
    return Found(kind, tuple(links.values()), problems=tuple(problems), entries=count)


def clean_address(address: str, url: str, base: str | None = None) -> str | None:
    """The normalised address, or None where it is none that can be asked for."""
    text = re.sub(r"[\r\n\t]+", "", address.strip())
    if "&amp;" in text or "&#" in text:
        text = html.unescape(text)
    try:
        return urls.normalise(text, urljoin(url, base.strip()) if base else url)
    except ValueError:
        return None


def is_too_old(entry: Entry, taking: Taking) -> bool:
    if taking.not_before is None:
        return False
    stated = time_of(entry.modified, taking) or time_of(entry.published, taking)
    return stated is not None and stated < taking.not_before


def time_of(text: str | None, taking: Taking) -> datetime | None:
    stated = dates.machine(text, taking.fetched_at, taking.zone, taking.language) if text else None
    return stated.at if stated else None


def hint_of(kind: Kind, entry: Entry, taking: Taking) -> Hint | None:
    """What the entry says about its page; section pages say nothing that the page does not say better."""
    if kind == "section":
        return None
    stated = (
        dates.machine(entry.published, taking.fetched_at, taking.zone, taking.language) if entry.published else None
    )
    words = tuple(dict.fromkeys(filter(None, (plain(word, 100) for word in entry.words))))[:MOST_WORDS]
    return Hint(
        via=Provenance.FEED if kind == "feed" else Provenance.SITEMAP,
        title=plain(entry.title, LONGEST_TITLE),
        teaser=plain(entry.teaser, LONGEST_TEASER),
        published_at=stated.at.astimezone(UTC) if stated else None,
        published_precision=stated.precision if stated else None,
        modified_at=time_of(entry.modified, taking),
        section=entry.section or (words[0] if len(words) == 1 and kind == "feed" else None),
        authors=tuple(dict.fromkeys(filter(None, (author_name(one) for one in entry.authors))))[:MOST_WORDS],
        keywords=words if len(words) > 1 or kind == "sitemap" else (),
    )


def plain(text: str | None, longest: int) -> str | None:
    """Words without markup, on one line; escaped markup counts as markup."""
    if not text:
        return None
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = html.unescape(re.sub(r"<[/!?a-zA-Z][^>]*>?", " ", text))
    return " ".join(decode.clean(text).split())[:longest].strip() or None


def author_name(text: str) -> str | None:
    """``redaktion@example.de (Anna Muster)`` -> ``Anna Muster``; an address alone is no name."""
    name = plain(text, 200) or ""
    in_brackets = re.search(r"\S+@\S+\s*\((.+)\)", name)
    name = in_brackets[1] if in_brackets else name
    return None if not name or "@" in name or re.match(r"(?i)https?:", name) else name


def shown(addresses: list[str]) -> str:
    return ", ".join(repr(address[:200]) for address in addresses if address)
