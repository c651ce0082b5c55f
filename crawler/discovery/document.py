"""``look``: what a reader process is asked for when a feed, sitemap or section page has come."""

from __future__ import annotations

import re
from dataclasses import replace

from crawler.discovery import jsonfeed
from crawler.discovery.decoding import first_element, list_element, text_of, unzipped
from crawler.discovery.entries import clean_address, result_of
from crawler.discovery.feed import read_feed
from crawler.discovery.links import LinkFilter
from crawler.discovery.models import (
    MOST_PROBLEMS,
    DiscoveryError,
    DiscoveryFailure,
    DiscoveryResult,
    Entry,
    Kind,
    ParseIssue,
    Problem,
)
from crawler.discovery.sitemap import read_sitemap

FEED_ROOTS = ("rss", "rdf", "feed", "channel")
SITEMAP_ROOTS = ("urlset", "sitemapindex")


def look(
    kind: Kind, body: bytes, content_type: str, url: str, link_filter: LinkFilter, largest: int
) -> DiscoveryResult | DiscoveryFailure:
    """``read_document`` for a reader process."""
    try:
        return read_document(kind, body, content_type, url, link_filter, largest)
    except DiscoveryError as error:
        return DiscoveryFailure(error.issue, error.detail)


def read_document(
    kind: Kind, body: bytes, content_type: str, url: str, link_filter: LinkFilter, largest: int = 20_000_000
) -> DiscoveryResult:
    """Links of the document at *url*; *kind* is what the source file calls it. Raise ``DiscoveryError``.

    *largest* bounds the bytes, also those inside a gzip file.
    """
    body, problems = unzipped(body, largest)
    text = text_of(body, content_type)
    result = _read(kind, text, url, link_filter, is_whole=not problems)
    return replace(result, problems=(*problems, *result.problems)[:MOST_PROBLEMS])


def _read(kind: Kind, text: str, url: str, link_filter: LinkFilter, is_whole: bool) -> DiscoveryResult:
    root, start = first_element(text)
    if root in FEED_ROOTS:
        return read_feed(text[start:], text[:start], root, url, link_filter)
    if root in SITEMAP_ROOTS:
        return read_sitemap(text[start:], text[:start], root, url, link_filter, is_whole)
    if kind != "section" and jsonfeed.is_json(text):
        return jsonfeed.read_json_feed(text, url, link_filter)
    if (later := list_element(text, start, is_sure=kind != "section")) is not None:
        return _behind_output(kind, text, later, url, link_filter, is_whole)
    if kind == "section":
        return _read_section(text, url, link_filter)
    if kind == "sitemap" and re.match(r"\s*https?://", text):
        lines = [Entry([line.strip()]) for line in text.splitlines() if line.strip()]
        return result_of("sitemap", lines, url, link_filter, is_whole)
    raise _no_list(kind, text, root, url)


def _behind_output(
    kind: Kind, text: str, later: tuple[str, int], url: str, link_filter: LinkFilter, is_whole: bool
) -> DiscoveryResult:
    """A list that begins behind what a script or a template wrote before it."""
    root, start = later
    try:
        if root in FEED_ROOTS:
            result = read_feed(text[start:], "", root, url, link_filter)
        else:
            result = read_sitemap(text[start:], "", root, url, link_filter, is_whole)
    except DiscoveryError:
        if kind == "section":
            return _read_section(text, url, link_filter)
        raise
    if not result.entries:  # a page that shows how a feed looks
        if kind == "section":
            return _read_section(text, url, link_filter)
        raise _no_list(kind, text, "html", url)
    said = f"the list begins behind {text[:start].strip()[:80]!r}"
    return replace(result, problems=(Problem(ParseIssue.BROKEN, said), *result.problems))


def _no_list(kind: Kind, text: str, root: str, url: str) -> DiscoveryError:
    if root == "html" or re.search(r"(?i)<(html|body|head|div|p)\b", text[:5000]):
        return DiscoveryError(ParseIssue.HTML, f"an HTML page, no {kind}{feeds_named(text, url)}")
    return DiscoveryError(ParseIssue.NO_LIST, f"neither feed nor sitemap; it begins with {text.strip()[:60]!r}")


def feeds_named(text: str, url: str) -> str:
    """The feeds that an HTML page names, as the end of a sentence."""
    types = r"application/(?:(?:rss|atom)\+xml|feed\+json)"
    tags = re.findall(rf"(?i)<link\b[^<>]{{0,500}}{types}[^<>]{{0,500}}>", text[:200_000])
    named = [match[1] for tag in tags if (match := re.search(r"href\s*=\s*[\"']([^\"']+)", tag))]
    found = [address for address in (clean_address(name, url) for name in named[:5]) if address]
    return f"; it names the feed {' and '.join(found[:3])}" if found else ""


def _read_section(text: str, url: str, link_filter: LinkFilter) -> DiscoveryResult:
    from crawler.discovery.section import read_section  # loads the configuration; few sources have sections

    return read_section(text, url, link_filter)
