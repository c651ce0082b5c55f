"""What the addresses of a site's articles have in common and those of its lists have not: ``discover.links``. Pure.

Asked only where section pages lead to the articles; feeds and sitemaps name nothing else. A rule that is too narrow
loses articles and nobody notices, so one is written only where it holds for every article that was read and for nearly
all links that look like articles, and for no list or service that the site leads to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from urllib.parse import urlsplit

from pipelines.patterns import Pattern, matches_any

#: of fewer articles nothing is concluded
FEWEST = 5
#: so many of the links that look like articles a rule lets through, at least; the others may be lists
MOSTLY = 0.9
#: a rule of two patterns: each is the address of so many articles
FEWEST_EACH = 2
#: an article's number has at least so many digits
DIGITS = 4
#: lists whose addresses may have the form of an article's, by the name of their folder
LISTS = "/(?:tags?|themen?|topics?|schlagwort|autor(?:en)?|authors?|suche|search|kategorien?|category|ressorts?)/"


@dataclass(frozen=True, slots=True)
class LinkRules:
    """``allow`` and ``deny`` of ``discover.links``, with why; without ``allow``, ``why`` says why there is none."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    why: str = ""


def link_rules(articles: Sequence[str], links: Sequence[str], others: Iterable[str]) -> LinkRules:
    """Rules for the *links* of section pages, from those that became *articles* and *others* that lead to none."""
    read = list(dict.fromkeys(articles))
    if len(read) < FEWEST:
        return LinkRules(why=f"{len(read)} articles are too few to say what their addresses have in common")
    lists = [url.rstrip("/") + "/" for url in set(others) - set(read)]  # a folder is no rule where it is a list itself
    may_deny = not any(Pattern(LISTS).search(url) for url in read)
    denied = [url for url in lists if may_deny and Pattern(LISTS).search(url)]
    fitting = [one for one in candidates(read) if not any(one.search(url) for url in lists if url not in denied)]
    for patterns in [(one,) for one in fitting] + list(combinations(fitting, 2)):
        if all(sum(one.search(url) for url in read) >= FEWEST_EACH for one in patterns) and all(
            matches_any(patterns, url) for url in read
        ):
            through = sum(matches_any(patterns, url) for url in links)
            if through < MOSTLY * len(links):
                continue
            needs_deny = may_deny and not all(is_of_folder(one) for one in patterns)
            why = f"so are all {len(read)} articles that were read, and {through} of {len(links)} links of the sections"
            return LinkRules(tuple(one.text for one in patterns), (LISTS,) if needs_deny else (), why)
    return LinkRules(why=f"the addresses of {len(read)} articles have nothing in common that those of lists have not")


def candidates(articles: Sequence[str]) -> Iterator[Pattern]:
    """Patterns that some of the *articles* match, what says most first: a folder, a day, a number.

    How many words an address has is no candidate: without a rule such links are judged by that already.
    """
    paths = [urlsplit(url).path for url in articles]
    texts = dict.fromkeys(
        f"/{re.escape(segment)}/"
        for path in paths
        for segment in [one for one in path.split("/") if one][:-1]
        if re.fullmatch(r"[\w-]*[^\W\d][\w-]*", segment)
    )
    texts |= dict.fromkeys([r"/(?:19|20)\d\d[-/]?\d\d[-/]?\d\d[-/_]", r"/(?:19|20)\d\d/\d\d?/"])
    texts |= dict.fromkeys(of_numbers(articles))
    for text in texts:
        pattern = Pattern(text)
        if any(pattern.search(url) for url in articles):
            yield pattern


def is_of_folder(pattern: Pattern) -> bool:
    return re.fullmatch(r"/(?:[\w-]|\\.)+/", pattern.text) is not None


def of_numbers(articles: Sequence[str]) -> Iterator[str]:
    """A number at the end of the path, before its ending, at the beginning of a segment; or in the query."""
    for form in (r"[-_/,.]{letters}{number}(?:\.\w{{2,5}})?/?(?:\?|$)", r"/{letters}{number}[-_/,.]"):
        for letters in ("", "[a-z]{1,4}"):
            any_number = Pattern(form.format(letters=letters, number=rf"\d{{{DIGITS},}}"))
            digits = [shortest_number(url) for url in articles if any_number.search(url)]
            if digits:  # tomorrow's number may be a digit shorter or longer
                yield form.format(letters=letters, number=rf"\d{{{max(DIGITS, min(digits) - 1)},}}")
    for name in dict.fromkeys(
        re.findall(r"(?:^|&)([\w-]{1,40})=\d+", "&".join(urlsplit(url).query for url in articles))
    ):
        yield rf"[?&]{re.escape(name)}=\d+"


def shortest_number(url: str) -> int:
    return min((len(one) for one in re.findall(rf"\d{{{DIGITS},}}", url)), default=DIGITS)
