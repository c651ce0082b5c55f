"""RSS 0.9x, 1.0, 2.0 and Atom, in every spelling. The only module that imports feedparser.

lxml reads a well-formed feed in a tenth of feedparser's time. feedparser is asked where a feed is not well-formed, and
where no entry that was read has a usable link.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import urljoin

import feedparser
from lxml import etree

from crawler.discovery import markup
from crawler.discovery.entries import address_of, result_of
from crawler.discovery.links import LinkFilter
from crawler.discovery.markup import attribute, children, words_of
from crawler.discovery.models import MOST_ENTRIES, DiscoveryError, DiscoveryResult, Entry, ParseIssue, Problem

#: characters, some 200 entries: feedparser has no bound of its own, and takes 20 seconds for 600 kB of nested tags
MOST_FOR_FEEDPARSER = 300_000

#: what an Atom link may be to its entry, best first; a link that says nothing is an alternate
_RELATIONS = ("alternate", "canonical", "bookmark", "permalink", "shortlink", "self")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OWN_SPACES = ("purl.org/rss", "netscape", "atom", "backend.userland")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an entry may lead. The least ``rank`` is the best; ``language`` is what the link says of itself."""

    rank: int
    url: str
    language: str = ""
    base: str | None = None


def read_feed(text: str, head: str, root: str, url: str, link_filter: LinkFilter) -> DiscoveryResult:
    item = "entry" if root == "feed" else "item"
    listed = {name: markup.count_of(text, name) for name in ("item", "entry")}
    if not listed[item]:  # entries of one kind under the root of another
        item = max(listed, key=lambda name: listed[name])
    asked = pace_of(text)
    text, problems = markup.prepared(text, head, item)
    if not listed[item]:
        empty = Problem(ParseIssue.NO_ENTRIES, "the feed lists nothing")
        return replace(DiscoveryResult("feed", problems=(*problems, empty)), **asked)
    entries, wrong = entries_of(text, item, url, link_filter)
    if not entries:
        raise DiscoveryError(ParseIssue.NO_LINK, f"{listed[item]} entries, none of them can be read")
    problems += wrong
    result = result_of("feed", entries, url, link_filter, not problems, listed[item])
    return replace(result, problems=(*problems, *result.problems), entries=listed[item], **asked)


def pace_of(text: str) -> dict[str, Any]:
    """How often the feed wants to be asked, as fields of DiscoveryResult: ttl, skipHours, skipDays of its channel.

    They may stand before or behind the items, so both ends of it are searched.
    """
    ends = text if len(text) < 8000 else text[:4000] + text[-4000:]
    ttl = re.search(r"<ttl>\s{0,9}(\d{1,6})\s{0,9}</ttl>", ends, re.I)
    hours = [int(found) % 24 for found in re.findall(r"<hour>\s{0,9}(\d{1,2})\s{0,9}</hour>", ends, re.I)]
    names = [found.lower() for found in re.findall(r"<day>\s{0,9}([a-z]{6,9})\s{0,9}</day>", ends, re.I)]
    return {
        "ttl": int(ttl[1]) if ttl and int(ttl[1]) > 0 else None,
        "skip_hours": tuple(sorted(set(hours))) if "<skiphours" in ends.lower() else (),
        "skip_days": tuple(sorted({_DAYS.index(name) + 1 for name in names if name in _DAYS})),
    }


def entries_of(text: str, item: str, url: str, link_filter: LinkFilter) -> tuple[list[Entry], list[Problem]]:
    """The entries by whichever parser finds links in them, and what was wrong with the markup."""
    problems: list[Problem] = []
    try:
        entries = well_formed_entries(text, item, link_filter.language)
    except etree.XMLSyntaxError as error:
        if "depth" in str(error).lower():
            raise DiscoveryError(ParseIssue.BROKEN, "its elements are nested too deeply") from None
        problems.append(Problem(ParseIssue.BROKEN, f"not well-formed: {error}"))
        entries = []
    if has_link(entries, url):
        return entries, problems
    short = first_items(text, item, link_filter.max_links)[:MOST_FOR_FEEDPARSER]
    others = feedparser_entries(short, url, link_filter.language)
    if problems and not has_link(others, url):
        others = well_formed_entries(text, item, link_filter.language, recover=True)
    return (others if has_link(others, url) else entries or others), problems


def has_link(entries: list[Entry], url: str) -> bool:
    return any(address_of(entry, url) for entry in entries)


def first_items(text: str, item: str, count: int) -> str:
    """*text* up to the end of its *count*-th item: feedparser takes 0.4 ms an item and has no bound of its own."""
    for number, end in enumerate(re.finditer(rf"</(?:[\w.-]{{1,100}}:)?{item}\s{{0,100}}>", text, re.I), start=1):
        if number == count:
            return text[: end.end()]
    return text


# --- lxml ------------------------------------------------------------------------------------------------------------


def well_formed_entries(text: str, item: str, language: str | None, recover: bool = False) -> list[Entry]:
    has_bases = "xml:base" in text
    found = islice(markup.elements(text, markup.spelling(text, item), recover), MOST_ENTRIES)
    return [feed_entry(element, base_of(element) if has_bases else None, language) for element in found]


def base_of(element: etree._Element) -> str | None:
    """The chain of xml:base from the element up, as one address (still relative to the document's)."""
    base = ""
    for one in (element, *element.iterancestors()):
        outer = one.get(markup.XML_BASE)
        if outer:
            try:
                base = urljoin(outer.strip(), base) if base else outer.strip()
            except ValueError:
                continue
    return base or None


def feed_entry(element: etree._Element, base: str | None, language: str | None) -> Entry:
    entry, found = Entry(base=base), []
    own = markup.name_of(element.tag)[0]
    if about := attribute(element, "about"):
        found.append(Address(7, about))
    for space, name, child in children(element):
        is_own = space == own or is_plain(space)
        if name == "origlink":
            found.append(Address(0, words_of(child)))
        elif name == "link":
            found += link_addresses(child, is_own)
        elif name in ("guid", "id") and is_own:
            found += identity_addresses(child)
        else:
            if name == "content" and is_own and "html" in (attribute(child, "type") or "html"):
                found += [Address(6, src)] if (src := attribute(child, "src")) else []
            described(entry, space, name, child, is_own)
    best = sorted(found, key=lambda one: (one.rank, language_rank(one.language, language)))
    entry.addresses = list(dict.fromkeys(one.url for one in best if one.url))
    entry.base = next((one.base for one in best if one.base), entry.base)
    return entry


def link_addresses(link: etree._Element, is_own: bool) -> list[Address]:
    """Where a link leads, in the way of Atom (attributes) or in that of RSS (text), whatever its namespace says."""
    written = words_of(link)
    href = attribute(link, "href") or attribute(link, "resource")
    if href is None:
        return [Address(2, written)] if written and is_own else []
    relation = relation_of(attribute(link, "rel"))
    if relation is None:
        return []
    media = (attribute(link, "type") or "html").lower()
    is_page = "html" in media
    if relation != "alternate" and not is_page:
        return []
    rank = {"alternate": 1 if is_page else 4, "self": 10}.get(relation, 5)
    language = attribute(link, "hreflang") or link.get(markup.XML_LANG) or ""
    return [Address(rank, href, language, base_of(link) if link.get(markup.XML_BASE) else None)]


def relation_of(stated: str | None) -> str | None:
    """The best of the relations that a link states: names in any case, IANA's addresses for them, several at once."""
    if stated is None:
        return "alternate"
    names = {word.rstrip("/").rpartition("/")[2].lower() for word in stated.split()}
    return next((name for name in _RELATIONS if name in names), None)


def identity_addresses(identity: etree._Element) -> list[Address]:
    """An identity that is an address; one that says it is none comes last."""
    written, stated = words_of(identity), (attribute(identity, "ispermalink") or "").lower()
    is_address = re.match(r"(?i)https?://", written) is not None
    if stated in ("false", "0", "no"):
        return [Address(8, written)] if is_address else []
    is_path = stated in ("true", "1", "yes") and written.startswith("/")
    return [Address(3 if stated else 7, written)] if is_address or is_path else []


def language_rank(stated: str, wanted: str | None) -> int:
    """0: the source's language, 1: not said, 2: another."""
    if not stated or not wanted:
        return 1
    return 0 if stated.lower().replace("_", "-").split("-")[0] == wanted.lower() else 2


def is_plain(space: str) -> bool:
    """Whether a namespace is a feed's own (RSS has none or one of several, Atom one), not an extension's."""
    return not space or (any(part in space for part in _OWN_SPACES) and "modules" not in space)


def described(entry: Entry, space: str, name: str, child: etree._Element, is_own: bool) -> None:
    is_dc = "purl.org/dc" in space
    if not (is_own or is_dc):
        return
    if name == "title":
        entry.title = entry.title or words_of(child)
    elif name in ("description", "summary"):
        entry.teaser = entry.teaser or words_of(child)
    elif name in ("pubdate", "published", "issued", "date", "created"):
        entry.published = entry.published or words_of(child)
    elif name in ("updated", "modified"):
        entry.modified = entry.modified or words_of(child)
    elif name in ("author", "creator"):
        names = [words_of(one) for _, inner, one in children(child) if inner == "name"]
        entry.authors += names or [words_of(child)]
    elif name == "category" or (is_dc and name == "subject"):
        entry.words.append(attribute(child, "label") or attribute(child, "term") or words_of(child))


# --- feedparser ------------------------------------------------------------------------------------------------------


def feedparser_entries(text: str, url: str, language: str | None) -> list[Entry]:
    """The same by feedparser, which reads what is no XML. Plain bytes it would take for a file's name: so a stream."""
    headers = {"content-location": url, "content-type": "application/xml; charset=utf-8"}
    feed = feedparser.parse(
        io.BytesIO(text.encode("utf-8", "ignore")),
        response_headers=headers,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return [feedparser_entry(one, feed.version.startswith("rss"), language) for one in feed.entries]


def feedparser_entry(one: feedparser.FeedParserDict, is_rss: bool, language: str | None) -> Entry:
    links = [link for link in one.get("links", []) if link.get("rel") == "alternate" and link.get("href")]
    links.sort(
        key=lambda link: ("html" not in link.get("type", "html"), language_rank(link.get("hreflang", ""), language))
    )
    addresses = [one.get("feedburner_origlink"), *(link["href"] for link in links), one.get("link")]
    if not any(addresses) and re.match(r"(?i)https?://", one.get("id", "")):
        addresses.append(one["id"])
    authors = [author.get("name") or author.get("email") for author in one.get("authors", [])]
    return Entry(
        addresses=list(dict.fromkeys(address for address in addresses if address)),
        title=one.get("title"),
        teaser=one.get("summary"),
        # its own get() would answer with one for the other; the dc:date of RSS it calls updated
        published=dict.get(one, "published") or (dict.get(one, "updated") if is_rss else None),
        modified=None if is_rss else dict.get(one, "updated"),
        authors=[author for author in authors if author],
        words=[tag.get("label") or tag.get("term") or "" for tag in one.get("tags", [])],
    )
