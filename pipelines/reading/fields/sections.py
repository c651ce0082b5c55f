"""The sections of an article, from the widest to the narrowest: the places that name them, in their order of trust."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.items import Hint
from pipelines.reading.fields.title import site_names, squashed
from pipelines.reading.languages import words
from pipelines.reading.page.evidence import Place, Ranking
from pipelines.reading.page.structured import Structured, plain, plain_list, text_of
from pipelines.reading.page.visible import just_above

_NO_SECTION = words("title.home")
# two sets are joined in time that grows with the product of their sizes, so each is chosen from before
_CRUMBS = XPath(
    "(//@class[contains(., 'readcrumb')] | //@id[contains(., 'readcrumb')])/parent::*[count(.//a) < 9][not(.//p)]//a"
)
_LONGEST, _MOST = 60, 6  # characters of a name, sections of an article


@dataclass(frozen=True, slots=True)
class Source:
    """What sections are read from. ``nobody`` are names that are no section: the headline, the site."""

    tree: Element
    stated: Structured
    url: str
    heading: Element | None
    hint: Hint | None
    nobody: frozenset[str]


def source_of(
    tree: Element, stated: Structured, url: str, title: str | None, heading: Element | None, hint: Hint | None
) -> Source:
    """What the sections of the page at *url* with this *title* are read from."""
    return Source(tree, stated, url, heading, hint, frozenset({squashed(title or "")} | site_names(stated)))


def sections_of(source: Source) -> tuple[str, ...]:
    """The sections that the first place names which names any; () where none does."""
    return next((each.believed for each in SECTIONS.candidates(source)), ())


Values = Iterator[tuple[str, tuple[str, ...]]]


def _place(names_of: Callable[[Source], Iterable[str | None]]) -> Callable[[Source], Values]:
    def values(source: Source) -> Values:
        names = [name for name in names_of(source) if name]
        if names:
            yield ", ".join(names), _kept(names, source.nobody)

    return values


def _kept(names: Iterable[str], nobody: frozenset[str]) -> tuple[str, ...]:
    """*names* without the home page, the site and the article itself."""
    kept = (name for name in names if len(name) <= _LONGEST and name.lower() not in _NO_SECTION)
    return tuple(dict.fromkeys(name for name in kept if squashed(name) not in nobody))[:_MOST]


def listed(text: str | None) -> list[str]:
    """The parts of a list that was written with commas or semicolons."""
    return [word.strip() for word in re.split(r"[,;]", text or "") if word.strip()]


def _of_article(source: Source) -> list[str]:
    return [name for text in plain_list(source.stated.article.get("articleSection"), 10) for name in listed(text)]


def _of_meta(source: Source) -> list[str]:
    return [name for text in source.stated.meta.get("article:section", []) for name in listed(text)]


def _of_micro(source: Source) -> list[str]:
    return [each.get("content") or text_of(each, 80) for each in source.stated.micro.get("articlesection", ())[:4]]


def _of_breadcrumb(source: Source) -> list[str]:
    return [text_of(link, 80) for link in _CRUMBS(source.tree)[:6]]


def _of_hint(source: Source) -> list[str]:
    return [source.hint.section] if source.hint and source.hint.section else []


def _of_folders(source: Source) -> list[str]:
    """The section line over the headline: a few links, those of them to folders that the page's own address lies in."""
    own = urlsplit(source.url).path
    for element in just_above(source.heading):
        links = list(element.iter("a"))
        names = [text_of(link, 60) for link in links if _is_folder_of(own, _path(link.get("href"), source.url))]
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


def _of_breadcrumb_list(source: Source) -> list[str]:
    for node in source.stated.typed("breadcrumblist"):
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


SECTIONS = Ranking("section", (
    Place("JSON-LD `articleSection`", _place(_of_article)),
    Place("meta `article:section`", _place(_of_meta)),
    Place("JSON-LD `BreadcrumbList`", _place(_of_breadcrumb_list), "its last entry is the article"),
    Place("microdata `articleSection`", _place(_of_micro)),
    Place("a visible breadcrumb", _place(_of_breadcrumb)),
    Place("the links above the headline", _place(_of_folders), "to folders that the page's own address lies in"),
    Place("the feed's entry", _place(_of_hint)),
))  # fmt: skip
