"""Section pages: pages of a site that lead to its articles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import lxml.html
from lxml import etree

from crawler.discovery.entries import clean_address, result_of
from crawler.discovery.links import LinkFilter, looks_like_article
from crawler.discovery.models import DiscoveryError, DiscoveryResult, Entry, ParseIssue, Problem
from pipelines import urls
from pipelines.selectors import as_xpath

#: links of a section page that are looked at; a front page has some hundreds
MOST_ANCHORS = 20_000


def read_section(text: str, url: str, link_filter: LinkFilter) -> DiscoveryResult:
    """Links of a page that leads to articles: those the source's rules allow, or those that look like articles."""
    if "<" not in text:
        raise DiscoveryError(ParseIssue.NO_LIST, "plain text, no page with links")
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8", "ignore"), parser=parser)
    except (etree.ParserError, ValueError) as error:
        raise DiscoveryError(ParseIssue.EMPTY, f"no element in it ({error})") from None
    base = next((one.get("href") for one in tree.iter("base") if one.get("href")), None)
    anchors = list(islice(anchors_of(tree, link_filter.css), MOST_ANCHORS))
    entries = [Entry([one.get("href")], base=base) for one in anchors if is_candidate(one, base, url, link_filter)]
    result = result_of("section", entries, url, link_filter)
    problems = result.problems
    if not result.links:
        problems += (Problem(ParseIssue.NO_ENTRIES, f"none of {len(anchors)} links looks like an article"),)
    return replace(result, problems=problems, entries=len(anchors))


def anchors_of(tree: lxml.html.HtmlElement, selectors: Iterable[str]) -> Iterator[lxml.html.HtmlElement]:
    """``<a href>`` inside (or being) what the selectors name; without them, everywhere but in navigation and footer."""
    selectors = list(selectors)
    for selector in selectors:
        for place in tree.xpath(as_xpath(selector)):
            if isinstance(place, etree._Element):
                yield from (one for one in place.iter("a") if one.get("href"))
    if not selectors:
        everywhere = (one for one in tree.iter("a") if one.get("href"))
        yield from (one for one in everywhere if next(one.iterancestors("nav", "footer"), None) is None)


def is_candidate(anchor: lxml.html.HtmlElement, base: str | None, url: str, link_filter: LinkFilter) -> bool:
    """Bad addresses pass here: they are counted later. ``#`` and ``mailto:`` are no addresses of pages at all."""
    href = anchor.get("href").strip()
    if not href or href.startswith("#") or re.match(r"(?i)(javascript|mailto|tel|sms|whatsapp|data|fax|skype):", href):
        return False
    address = clean_address(href, url, base)
    if address is None:
        return True
    if not link_filter.is_own(address, urls.normalise(url)):
        return False
    return bool(link_filter.allow) or looks_like_article(address, is_teaser(anchor))


def is_teaser(anchor: lxml.html.HtmlElement) -> bool:
    marks = ("article", "h1", "h2", "h3", "h4")
    return next(anchor.iterancestors(*marks), None) is not None or next(anchor.iter(*marks), None) is not None
