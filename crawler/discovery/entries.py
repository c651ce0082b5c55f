"""Entries to links: which addresses can be asked for, which are wanted, and which of too many are taken."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urljoin

from crawler.discovery.links import LinkFilter
from crawler.discovery.models import MOST_PROBLEMS, DiscoveryError, DiscoveryResult, Entry, Kind, ParseIssue, Problem
from pipelines import urls
from pipelines.items import Hint, Link, Provenance
from pipelines.patterns import RanAway
from pipelines.reading.fields import dates
from pipelines.reading.page import decode

#: pieces of a hint are for showing and comparing; longer ones are article bodies in the wrong place
LONGEST_TITLE, LONGEST_TEASER, MOST_WORDS = 500, 2000, 30
#: bytes of a key by which an entry is remembered: of 100,000 entries, one in ten million is taken for another
REMEMBERED = 8

#: markup inside of words and before commas: no blank stands for it
_INSIDE_WORDS = re.compile(r"</?(?:a|abbr|b|em|font|i|mark|s|small|span|strong|sub|sup|u)(?:\s[^<>]*)?>", re.I)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry with a usable address that the source wants."""

    address: str
    key: bytes
    entry: Entry
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of too many candidates are taken, in the order in which they matter; ``memory`` as in DiscoveryResult."""

    taken: list[Candidate]
    memory: str | None
    said: str = ""


def result_of(
    kind: Kind, entries: Sequence[Entry], url: str, link_filter: LinkFilter, is_whole: bool = True, listed: int = 0
) -> DiscoveryResult:
    """What the entries link to, each address once; entries without a usable address become problems.

    *listed*: how many entries the document has, where not all were read. Raise ``DiscoveryError`` where there are
    entries and none of them has a usable address.
    """
    candidates, keys, problems = candidates_of(entries, url, link_filter)
    if entries and not keys and kind != "section":
        issue = problems[0].issue if problems else ParseIssue.NO_LINK
        raise DiscoveryError(issue, f"{len(entries)} entries, none of them has a usable link: {problems[0].detail}")
    total = max(len(entries), listed)
    chosen = selection(candidates, link_filter, is_whole, has_ends=kind != "section", is_list=kind == "sitemap")
    left_out = len(candidates) - len(chosen.taken) + total - len(entries)
    if left_out:
        what = "links" if kind == "section" else f"of {total} entries"
        problems.append(Problem(ParseIssue.LEFT_OUT, f"{left_out} {what} are over max_links{chosen.said}"))
    links = tuple(Link(one.address, url, hint_of(kind, one.entry, link_filter)) for one in chosen.taken)
    return DiscoveryResult(
        kind,
        links,
        problems=tuple(problems),
        entries=total,
        left_out=left_out,
        digest=digest_of(keys),
        memory=chosen.memory,
    )


def candidates_of(
    entries: Iterable[Entry], url: str, link_filter: LinkFilter
) -> tuple[list[Candidate], set[bytes], list[Problem]]:
    """The entries that are wanted, the keys of all that have a usable address, and what is wrong with the others."""
    here = urls.normalise(url)
    found: dict[bytes, Candidate] = {}
    keys: set[bytes] = set()
    problems: list[Problem] = []
    bad = 0
    for number, entry in enumerate(entries, start=1):
        address = address_of(entry, url)
        if address is None:
            bad += 1
            if len(problems) < MOST_PROBLEMS:
                issue = ParseIssue.BAD_LINK if any(entry.addresses) else ParseIssue.NO_LINK
                name = shown(entry.addresses) or f"entry {number} ({shown([entry.title or ''])})"
                problems.append(Problem(issue, name))
            continue
        key = urls.url_key(address)
        keys.add(key)
        try:
            is_wanted = key not in found and link_filter.wants(address, here) and not is_too_old(entry, link_filter)
        except RanAway as error:
            if len(problems) < MOST_PROBLEMS:
                problems.append(Problem(ParseIssue.LEFT_OUT, str(error)))
            continue
        if is_wanted:
            at = time_of(entry.published or entry.modified, link_filter)
            found[key] = Candidate(address, key, entry, at)
    if bad > MOST_PROBLEMS:
        said = f"{bad - MOST_PROBLEMS + 1} more entries have no usable link"
        problems[-1] = Problem(ParseIssue.BAD_LINK, said)
    return list(found.values()), keys, problems


def digest_of(keys: set[bytes]) -> str:
    return hashlib.blake2b(b"".join(sorted(keys)), digest_size=16).hexdigest() if keys else ""


# --- which of too many -----------------------------------------------------------------------------------------------


def selection(
    candidates: list[Candidate], link_filter: LinkFilter, is_whole: bool, has_ends: bool, is_list: bool
) -> Selection:
    """All, or ``max_links`` of them: undated ones that were not there before, then what is dated latest, then the rest.

    An undated list may grow at either end (*has_ends*), so that at a first look both are taken.
    """
    most, known = link_filter.max_links, remembered(link_filter.known)
    undated = [one for one in candidates if one.at is None]
    if len(candidates) <= most:
        memory = memory_of(undated, undated, known, is_whole) if undated and is_list else None
        return Selection(candidates, memory)
    dated = sorted((one for one in candidates if one.at), key=lambda one: one.at or datetime.min, reverse=True)
    if not undated:
        return Selection(dated[:most], None)
    fresh = [one for one in undated if known is not None and one.key[:REMEMBERED] not in known]
    taken = ends(fresh, most) if has_ends else fresh[:most]
    # of undated ones at a first look a quarter, lest dated ones that stay for ever keep them out
    rest = [one for one in undated if known is None or one.key[:REMEMBERED] in known]
    least = most // 4 if known is None else 0
    dated = dated[: max(0, most - len(taken) - min(len(rest), least))]
    room = most - len(taken) - len(dated)
    taken = [*taken, *dated, *(ends(rest, room) if has_ends else rest[:room])]
    said = "" if known is None else "; what is new among the undated ones was taken first"
    return Selection(taken, memory_of(undated, taken, known, is_whole), said)


def ends(candidates: list[T], count: int) -> list[T]:
    """*count* of them, half from the beginning and half from the end."""
    if len(candidates) <= count:
        return candidates
    last = count // 2
    return [*candidates[: count - last], *candidates[len(candidates) - last :]]


def remembered(known: str | None) -> set[bytes] | None:
    if known is None:
        return None
    memory = bytes.fromhex(known)
    return {memory[at : at + REMEMBERED] for at in range(0, len(memory), REMEMBERED)}


def memory_of(undated: list[Candidate], taken: list[Candidate], known: set[bytes] | None, is_whole: bool) -> str | None:
    """What counts as known from now on: at a first look all, later what was known or was taken.

    What was left out of a later look is new at the next. A damaged document says nothing about what it does not list.
    """
    if known is None:
        return b"".join(sorted({one.key[:REMEMBERED] for one in undated})).hex() if is_whole else None
    listed = {one.key[:REMEMBERED] for one in undated}
    now = {one.key[:REMEMBERED] for one in taken if one.at is None}
    return b"".join(sorted((known & listed if is_whole else known) | now)).hex()


# --- one entry -------------------------------------------------------------------------------------------------------


def address_of(entry: Entry, url: str) -> str | None:
    """The first of an entry's addresses that can be asked for; a host's home page only where there is no other."""
    found = (clean_address(address, url, entry.base) for address in entry.addresses)
    first = next((address for address in found if address), None)
    if first is None or not first.endswith("/") or first.count("/") != 3:
        return first
    return next((address for address in found if address), first)


def clean_address(address: str, url: str, base: str | None = None) -> str | None:
    """The normalised address, or None where it is none that can be asked for."""
    text = re.sub(r"[\r\n\t]+", "", address.strip())
    if "&amp;" in text or "&#" in text:
        text = html.unescape(text)
    if text[:4].lower() == "www.":
        text = f"//{text}"
    try:
        return urls.normalise(text, urljoin(url, base.strip()) if base else url)
    except ValueError:
        return None


def is_too_old(entry: Entry, link_filter: LinkFilter) -> bool:
    if link_filter.not_before is None:
        return False
    stated = time_of(entry.modified, link_filter) or time_of(entry.published, link_filter)
    return stated is not None and stated < link_filter.not_before


def time_of(text: str | None, link_filter: LinkFilter) -> datetime | None:
    stated = stated_of(text, link_filter)
    return stated.at if stated else None


def stated_of(text: str | None, link_filter: LinkFilter) -> dates.Stated | None:
    if not text:
        return None
    return dates.machine(text, link_filter.fetched_at, link_filter.zone, link_filter.language)


def hint_of(kind: Kind, entry: Entry, link_filter: LinkFilter) -> Hint | None:
    """What the entry says about its page; section pages say nothing that the page does not say better."""
    if kind == "section":
        return None
    stated = stated_of(entry.published, link_filter)
    words = tuple(dict.fromkeys(filter(None, (plain(word, 100) for word in entry.words))))[:MOST_WORDS]
    return Hint(
        via=Provenance.FEED if kind == "feed" else Provenance.SITEMAP,
        title=plain(entry.title, LONGEST_TITLE),
        teaser=plain(entry.teaser, LONGEST_TEASER),
        published_at=stated.at.astimezone(UTC) if stated else None,
        published_precision=stated.precision if stated else None,
        modified_at=time_of(entry.modified, link_filter),
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
        text = html.unescape(re.sub(r"<[/!?a-zA-Z][^>]*>?", " ", _INSIDE_WORDS.sub("", text)))
    return " ".join(decode.clean(text).split())[:longest].strip() or None


def author_name(text: str) -> str | None:
    """``redaktion@example.de (Anna Muster)`` -> ``Anna Muster``; an address alone is no name."""
    name = plain(text, 200) or ""
    before, bracket, inside = name.partition("(")
    if bracket and "@" in before and inside.rstrip().endswith(")"):
        name = inside.rstrip()[:-1].strip()
    return None if not name or "@" in name or re.match(r"(?i)https?:", name) else name


def shown(addresses: list[str]) -> str:
    return ", ".join(repr(told(address[:200])) for address in addresses if address)


def told(address: str) -> str:
    """An address for a log: what stands before an ``@`` may be a password."""
    if "@" not in address or "//" not in address:
        return address
    scheme, slashes, rest = address.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}***@{host.rpartition('@')[2]}{slash}{path}" if "@" in host else address
