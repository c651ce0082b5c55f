"""The headline of an article without site name, kicker or section, and the kicker apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from pipelines.reading.structured import Structured, plain, text_of

_SEPARATOR = re.compile(r"\s+(?:[|–—·•›»«:/~]|-{1,2}|::|//|\\)\s+|\s*\|\s*|\s[»›]\s?|:: ")
_KICKER_CLASS = re.compile(
    r"kicker|overline|topline|dachzeile|spitzmarke|roofline|roof-?line|eyebrow|pre-?(?:title|headline)|super-?(?:title|headline)|over-?(?:title|headline)"
    r"|ober(?:titel|zeile)|vorspann-?zeile|catchline|headline__?-?(?:top|pre|intro)|upper-?title|topic|rubri[kc]|category|section-?name|label|tagline",
    re.IGNORECASE,
)
_NOT_TITLE_CLASS = re.compile(r"logo|site-?(?:name|title)|brand|masthead|navbar|screen-reader|visually-?hidden|sr-only", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Headline:
    """The title, the kicker that stood with it, and the h1 element that carries it (None if no h1 does)."""

    title: str | None
    kicker: str | None = None
    element: Element | None = None


def headline(structured: Structured) -> Headline:
    """The page's headline: what h1, OpenGraph, JSON-LD and the window title agree on, cleaned."""
    sites = site_names(structured)
    stated = [
        clean(value, sites)
        for value in (
            structured.first_meta("og:title"),
            plain(structured.article.get("headline")),
            structured.first_meta("twitter:title", "dc.title", "title"),
        )
    ]
    window = structured.window_title
    element = _main_heading(structured, [*stated, window], sites)
    visible, kicker = _heading_text(element, sites) if element is not None else (None, None)
    title = _chosen(visible, stated, window, sites)
    title, glued = _without_kicker(title, [visible, *stated])
    return Headline(title, kicker or glued, element)


def _chosen(visible: str | None, stated: list[str | None], window: str | None, sites: set[str]) -> str | None:
    og, structured_title, other = stated
    if og and not _is_site(og, sites):
        if visible and structured_title is None and not _alike(og, visible):
            return visible
        return og
    return visible or structured_title or other or clean(window, sites)


def _alike(a: str, b: str) -> bool:
    one, two = _words(a), _words(b)
    return bool(one and two) and len(one & two) >= 0.5 * min(len(one), len(two))


def _without_kicker(title: str | None, others: list[str | None]) -> tuple[str | None, str | None]:
    """'Kicker: Title' becomes the title alone where another place on the page gives exactly that."""
    if not title:
        return title, None
    plain_title = squashed(title)
    for other in others:
        short = squashed(other or "")
        if len(short) >= 20 and short != plain_title and plain_title.endswith(short) and len((other or "").split()) >= 3:
            return other, title[: max(0, len(title) - len(other))].strip(" :-–—|/") or None
    return title, None


def _main_heading(structured: Structured, stated: list[str | None], sites: set[str]) -> Element | None:
    """The h1 that carries the headline: the one most like what the page states elsewhere, else the first in an article."""
    best, best_score = None, 0.0
    words = [_words(text) for text in stated if text]
    for place, element in enumerate(structured.headings[:12]):
        text = text_of(element, 600)
        if not text or len(text) > 400 or _is_site(text, sites):
            continue
        own = _words(text)
        score = max((len(own & other) / max(len(own), 1) for other in words), default=0.0) * min(1.0, len(own) / 2) + 0.1
        if _NOT_TITLE_CLASS.search(element.get("class") or ""):
            score -= 0.5
        score -= 0.01 * place
        if score > best_score:
            best, best_score = element, score
    return best


def _heading_text(element: Element, sites: set[str]) -> tuple[str | None, str | None]:
    """The heading's own text and the kicker inside it."""
    kicker = None
    whole = text_of(element, 600)
    for child in element.iterdescendants():
        if isinstance(child.tag, str) and _KICKER_CLASS.search(child.get("class") or ""):
            text = text_of(child, 300)
            if text and len(text) < 0.7 * len(whole) and whole.startswith(text):
                kicker = text.strip(" :-–—|/")
                whole = whole[len(text) :].lstrip(" :-–—|/")
    return clean(whole, sites), kicker


# -- site names -------------------------------------------------------------------------------------------------------


def site_names(structured: Structured) -> set[str]:
    """What the site calls itself, squashed to letters and digits."""
    names = [*structured.meta.get("og:site_name", ()), *structured.meta.get("application-name", ()), *structured.meta.get("apple-mobile-web-app-title", ())]
    publisher = structured.resolved(structured.article.get("publisher"))
    names.append(plain(publisher) or "")
    for node in structured.typed("organization", "newsmediaorganization", "website"):
        names.append(plain(node.get("name")) or "")
    host = (urlsplit(structured.url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    names += [host, ".".join(labels[-2:]), labels[-2] if len(labels) > 1 else host]
    return {squashed(name) for name in names if name} - {""}


def squashed(text: str) -> str:
    """Letters and digits only, lower-case, umlauts without dots: for comparing what was typed differently."""
    text = text.lower().replace("ß", "ss").replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return re.sub(r"[\W_]+", "", "".join(c for c in text if not unicodedata.combining(c)))


def _is_site(text: str, sites: set[str]) -> bool:
    name = squashed(text)
    return not name or name in sites


def _names_site(segment: str, sites: set[str]) -> bool:
    """Is this part of a window title the site's name (or its name with a few words more)?"""
    name = squashed(segment)
    if not name or name in sites:
        return True
    return len(segment.split()) <= 5 and any(len(site) >= 3 and (site in name or (len(name) >= 4 and name in site)) for site in sites)


def clean(title: str | None, sites: set[str]) -> str | None:
    """*title* without the site's name at either end."""
    if not title:
        return None
    title = title.strip(" |–—-·•»›")
    for _ in range(3):
        cuts = list(_SEPARATOR.finditer(title))
        if not cuts:
            break
        head, tail = title[: cuts[-1].start()], title[cuts[-1].end() :]
        if _names_site(tail, sites) and len(head) >= 3:
            title = head.strip()
            continue
        head, tail = title[: cuts[0].start()], title[cuts[0].end() :]
        if squashed(head) in sites and len(tail) >= 3:
            title = tail.strip()
            continue
        break
    return title or None


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower().replace("\xad", "")))
