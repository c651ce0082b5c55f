"""Sitemaps, news sitemaps and sitemap indexes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from itertools import islice

from lxml import etree

from crawler.discovery import markup
from crawler.discovery.entries import (
    REMEMBERED,
    address_of,
    digest_of,
    ends,
    remembered,
    result_of,
    shown,
    time_of,
)
from crawler.discovery.links import LinkFilter
from crawler.discovery.markup import children, words_of
from crawler.discovery.models import MOST_ENTRIES, DiscoveryError, DiscoveryResult, Entry, ParseIssue, Problem
from pipelines import urls


def read_sitemap(
    text: str, head: str, root: str, url: str, link_filter: LinkFilter, is_whole: bool = True
) -> DiscoveryResult:
    """A sitemap's pages, or the sitemaps that an index names; some files have both, or the root of the other."""
    item = "sitemap" if root == "sitemapindex" else "url"
    text, problems = markup.prepared(text, head, item)
    tags = markup.spelling(text, "url|sitemap")
    try:
        entries = sitemap_entries(text, tags)
    except etree.XMLSyntaxError as error:
        problems.append(Problem(ParseIssue.BROKEN, f"not well-formed: {error}"))
        entries = sitemap_entries(text, tags, recover=True)
    if not entries:
        problems.append(Problem(ParseIssue.NO_ENTRIES, "the sitemap lists nothing"))
    is_whole = is_whole and not problems
    maps = [entry for name, entry in entries if name == "sitemap"]
    pages = [entry for name, entry in entries if name == "url"]
    result = result_of("sitemap", pages, url, link_filter, is_whole)
    if maps:
        index = sitemaps_of(maps, url, link_filter, is_whole)
        if not index.sitemaps and not result.links and not index.digest:
            raise DiscoveryError(ParseIssue.BAD_LINK, f"{len(maps)} sitemaps, none of them has a usable address")
        result = replace(
            index, links=result.links, problems=(*index.problems, *result.problems),
            left_out=index.left_out + result.left_out,
        )  # fmt: skip
    return replace(result, problems=(*problems, *result.problems), entries=len(entries))


def sitemap_entries(text: str, tags: tuple[str, ...], recover: bool = False) -> list[tuple[str, Entry]]:
    """(``url`` or ``sitemap``, entry); elements of the same name in extensions for pictures and films are none."""
    found = []
    for element in islice(markup.elements(text, tags, recover), MOST_ENTRIES):
        space, name = markup.name_of(element.tag)
        if "image" not in space and "video" not in space:
            found.append((name, sitemap_entry(element)))
    return found


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


# --- indexes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """A sitemap that an index names. ``rank``: whether it is of news, when it changed, the day in its name."""

    rank: tuple[bool, str, str]
    key: bytes
    address: str


def sitemaps_of(entries: list[Entry], url: str, link_filter: LinkFilter, is_whole: bool) -> DiscoveryResult:
    """The sitemaps of an index that are worth a look.

    Those of news first, then those that were not named before, then the latest by what they state or what their names
    tell. Of the others both ends, and in a quarter of the room some of the middle, others at each look.
    """
    problems: list[Problem] = []
    dated: list[Named] = []
    undated: list[Named] = []
    keys: set[bytes] = set()
    for entry in entries:
        address = address_of(entry, url)
        if address is None:
            problems.append(Problem(ParseIssue.BAD_LINK, f"sitemap {shown(entry.addresses)}"))
            continue
        key = urls.url_key(address)
        if key in keys:
            continue
        keys.add(key)
        changed = time_of(entry.modified, link_filter)
        if changed and link_filter.not_before and changed < link_filter.not_before:
            continue
        in_name = re.findall(r"(?:19|20)\d\d(?:[-_/]?[01]\d){0,2}", address)
        digits = re.sub(r"\D", "", in_name[-1]) if in_name else ""
        rank = ("news" in address.lower(), changed.isoformat() if changed else "", digits)
        (dated if any(rank) else undated).append(Named(rank, key[:REMEMBERED], address))
    ordered, memory = ordered_sitemaps(dated, undated, link_filter, is_whole)
    left_out = len(dated) + len(undated) - len(ordered)
    if left_out:
        problems.append(Problem(ParseIssue.LEFT_OUT, f"{left_out} sitemaps are over the limit"))
    return DiscoveryResult(
        "sitemap",
        sitemaps=tuple(ordered),
        problems=tuple(problems),
        left_out=left_out,
        digest=digest_of(keys),
        memory=memory,
    )


def ordered_sitemaps(
    dated: list[Named], undated: list[Named], link_filter: LinkFilter, is_whole: bool
) -> tuple[list[str], str | None]:
    """The addresses to look at, and what of the undated ones counts as known from now on."""
    most, known = link_filter.max_sitemaps, remembered(link_filter.known)
    latest = sorted(dated, key=lambda one: one.rank, reverse=True)
    fresh = [one for one in undated if known is not None and one.key not in known]
    old = [one for one in undated if known is None or one.key in known]
    news = [one for one in latest if one.rank[0]]
    first = [*news, *fresh, *(one for one in latest if not one.rank[0])][: most - min(len(old), most // 4)]
    taken = first + some_of(old, most - len(first), link_filter)
    memory = None
    if undated and (known is not None or is_whole):
        listed = {one.key for one in undated}
        now = (
            listed if known is None else (known & listed if is_whole else known) | (listed & {one.key for one in taken})
        )
        memory = b"".join(sorted(now)).hex()
    return [one.address for one in taken], memory


def some_of(old: list[Named], count: int, link_filter: LinkFilter) -> list[Named]:
    """Both ends, and in a quarter of the room some of the middle, by the time of the look: each has its turn."""
    if len(old) <= count:
        return old
    at_ends = ends(old, count - count // 4)
    middle = [one for one in old if one not in at_ends]
    turn = str(int(link_filter.fetched_at.timestamp() // 60)).encode()
    middle.sort(key=lambda one: hashlib.blake2b(turn + one.key, digest_size=8).digest())
    return at_ends + middle[: count - len(at_ends)]
