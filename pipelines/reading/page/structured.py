"""What a page states about itself for machines: JSON-LD, meta, OpenGraph, microdata, <time>, link; one pass over the
parsed tree.

Nothing is judged here and the tree is not changed. Whatever a page writes, `collect` returns: broken JSON-LD gives
what can be
saved of it, absurd sizes and depths are cut off, values of the wrong type are left out by the readers below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from lxml.etree import _Element as Element

LARGEST_SCRIPT = 600_000  # characters; real article objects, live blogs with all their posts included, stay below
MOST_NODES = 4_000
DEEPEST = 24
MOST_META_VALUES = 40

ARTICLE_TYPES = frozenset(
    [
        "newsarticle",
        "article",
        "reportagenewsarticle",
        "analysisnewsarticle",
        "opinionnewsarticle",
        "backgroundnewsarticle",
        "reviewnewsarticle",
        "asknewsarticle",
        "advertisercontentarticle",
        "satiricalarticle",
        "blogposting",
        "liveblogposting",
        "socialmediaposting",
        "report",
        "techarticle",
        "scholarlyarticle",
        "discussionforumposting",
        "review",
        "criticreview",
        "recipe",
        "creativework",
        "howto",
    ]
)
LESSER_TYPES = frozenset(
    [
        "videoobject",
        "audioobject",
        "imagegallery",
        "mediagallery",
        "webpage",
        "itempage",
        "podcastepisode",
        "tvepisode",
        "episode",
        "faqpage",
        "qapage",
    ]
)
# what hangs below these belongs to another article than the page's
_FOREIGN = frozenset(
    [
        "itemlistelement",
        "haspart",
        "liveblogupdate",
        "comment",
        "mentions",
        "citation",
        "isrelatedto",
        "relatedlink",
        "isbasedon",
        "review",
        "reviews",
        "itemreviewed",
        "ispartof",
        "subjectof",
        "significantlink",
        "offers",
        "aggregaterating",
        "potentialaction",
        "breadcrumb",
        "worksfeatured",
        "workexample",
    ]
)


@dataclass(slots=True)
class Structured:
    """What was collected.

    ``article`` is the JSON-LD object of the page's own article ({} if there is none), ``nodes`` all objects with a
    type, ``ids``
    finds them by ``@id``. ``meta`` maps lower-case names (name, property, itemprop) to their contents in order.
    ``micro`` maps
    an itemprop to its elements, ``times`` are the <time> elements, ``headings`` the h1 elements, in document order.
    """

    url: str
    article: dict[str, Any] = field(default_factory=dict)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    ids: dict[str, dict[str, Any]] = field(default_factory=dict)
    meta: dict[str, list[str]] = field(default_factory=dict)
    micro: dict[str, list[Element]] = field(default_factory=dict)
    times: list[Element] = field(default_factory=list)
    headings: list[Element] = field(default_factory=list)
    window_title: str | None = None
    canonical: str | None = None
    amp: str | None = None
    language: str | None = None
    sites: set[str] | None = None  # what the site calls itself, once somebody asked (``title.site_names``)
    types: list[set[str]] = field(default_factory=list)  # of the nodes, once somebody asked

    def first_meta(self, *names: str) -> str | None:
        """The first non-empty content among meta *names*, tried in that order."""
        for name in names:
            for value in self.meta.get(name, ()):
                if value:
                    return value
        return None

    def typed(self, *types: str) -> Iterator[dict[str, Any]]:
        """The JSON-LD objects of one of the (lower-case) *types*."""
        for node, own in zip(self.nodes, self.types_of_nodes(), strict=True):
            if not own.isdisjoint(types):
                yield node

    def types_of_nodes(self) -> list[set[str]]:
        """What each JSON-LD object calls itself, lower case; found once for the objects that are there."""
        if len(self.types) != len(self.nodes):
            self.types = [types_of(node) for node in self.nodes]
        return self.types

    def resolved(self, value: Any) -> Any:
        """*value*, or the object that it only refers to by ``@id``."""
        if isinstance(value, dict) and isinstance(value.get("@id"), str) and len(value) <= 2:
            return self.ids.get(value["@id"], value)
        return value


def collect(tree: Element, url: str) -> Structured:
    """Everything that *tree* (the root that lxml.html parsed) states for machines."""
    found = Structured(url=url)
    if hasattr(tree, "getroot"):
        tree = tree.getroot()
    if tree is None:
        return found
    found.language = _language(tree)
    scripts: list[str] = []
    for element in tree.iter("script", "meta", "link", "time", "title", "h1"):
        tag = element.tag
        if tag == "meta":
            _meta(found, element)
        elif tag == "script":
            kind = element.get("type") or ""
            if "ld+json" in kind.lower() and element.text and len(element.text) <= LARGEST_SCRIPT:
                scripts.append(element.text)
        elif tag == "link":
            _link(found, element)
        elif tag == "time":
            found.times.append(element)
        elif tag == "h1":
            found.headings.append(element)
        elif found.window_title is None and tag == "title" and not _in_svg(element):
            found.window_title = plain(element.text)
    for element in tree.iter():
        if names := element.get("itemprop"):
            for name in names.split()[:4]:
                found.micro.setdefault(name.lower(), []).append(element)
    for script in scripts:
        for value in loads(script):
            _walk(found, value)
    found.article = _main_article(found)
    return found


def _in_svg(element: Element) -> bool:
    parent = element.getparent()
    return parent is not None and parent.tag in ("svg", "symbol", "g", "path")


def _language(tree: Element) -> str | None:
    value = tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    return value.lower() if re.fullmatch(r"[A-Za-z]{2,3}(?:[-_]\w{2,8})*", value) else None


def _meta(found: Structured, element: Element) -> None:
    content = element.get("content")
    if not content or len(content) > 20_000:
        return
    content = plain(content)
    for attribute in ("property", "name", "itemprop", "http-equiv"):
        name = element.get(attribute)
        if name and content:
            values = found.meta.setdefault(name.strip().lower(), [])
            if len(values) < MOST_META_VALUES:
                values.append(content)


def _link(found: Structured, element: Element) -> None:
    rel, href = (element.get("rel") or "").lower().split(), (element.get("href") or "").strip()
    if not href or len(href) > 2_000:
        return
    if "canonical" in rel and found.canonical is None:
        found.canonical = href
    elif "amphtml" in rel and found.amp is None:
        found.amp = href


# -- JSON-LD ----------------------------------------------------------------------------------------------------------

_OPENING = re.compile(r"\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)")
_CLOSING = ("-->", "//]]>", "/*]]>*/", "// ]]>", "]]>", "//", "/*", "*/")
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_SAVED = re.compile(
    r'"(headline|alternativeHeadline|datePublished|dateModified|dateCreated|description|articleSection|@type|url|name|isAccessibleForFree)"'
    r'\s*:\s*("(?:[^"\\]|\\.){0,2000}"|true|false)'
)
_SAVED_AUTHOR = re.compile(r'"author"\s*:\s*\[?\s*\{[^{}]{0,500}?"name"\s*:\s*("(?:[^"\\]|\\.){0,200}")')


# Escapes of a JSON string: two halves of a character; what no text can have (it sets ``none``); any other.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|00(?:0[0-8bcefBCEF]|1[0-9a-fA-F]|7[fF]))(?P<none>)|.)",
    re.DOTALL,
)


def loads(text: str) -> list[Any]:
    """The values in a JSON-LD script, however badly written; [] when nothing can be saved.

    No string in them has a NUL, another control character or half a character.
    """
    if "\\u" in text:
        text = _ESCAPE.sub(lambda escape: escape[0] if escape["none"] is None else "", text)
    try:
        return [json.loads(text, strict=False)]
    except (ValueError, RecursionError):
        text = _unwrapped(text)
    text = _TRAILING_COMMA.sub("", text)
    decoder, values, at = json.JSONDecoder(strict=False), [], 0
    try:
        while at < len(text) and len(values) < 50:
            value, at = decoder.raw_decode(text, at)
            values.append(value)
            at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,;"))
        return values
    except RecursionError:
        return values
    except ValueError:
        saved = _saved(text[at:])
        return [*values, saved] if saved else values


def _unwrapped(text: str) -> str:
    """*text* without the comment or CDATA marks around it."""
    opening = _OPENING.match(text)
    text = text[opening.end() :] if opening else text
    for closing in _CLOSING:
        text = text.rstrip(" \t\r\n;").removesuffix(closing)
    return text.rstrip(" \t\r\n;")


def _saved(text: str) -> dict[str, Any]:
    """The simple fields of an object that does not parse: the first of each name, which is the outermost in
    practice.
    """
    saved: dict[str, Any] = {}
    for name, value in _SAVED.findall(text[:100_000]):
        if name not in saved:
            try:
                saved[name] = json.loads(value, strict=False)
            except ValueError:
                continue
    author = _SAVED_AUTHOR.search(text[:100_000])
    if author and saved:
        try:
            saved["author"] = {"name": json.loads(author[1], strict=False)}
        except ValueError:
            return saved
    if "headline" in saved and types_of(saved).isdisjoint(ARTICLE_TYPES):
        saved["@type"] = "Article"
    return saved


def _walk(found: Structured, value: Any) -> None:
    """File every object below *value*; those below a foreign key are kept from being taken for the page's article."""
    stack: list[tuple[Any, int, bool]] = [(value, 0, False)]
    while stack and len(found.nodes) < MOST_NODES:
        value, depth, foreign = stack.pop()
        if depth > DEEPEST:
            continue
        if isinstance(value, list):
            stack.extend((each, depth + 1, foreign) for each in reversed(value[:2_000]))
        elif isinstance(value, dict):
            if isinstance(value.get("@id"), str) and len(value) > 2:
                found.ids.setdefault(value["@id"], value)
            if not foreign and "@type" in value:
                found.nodes.append(value)
            for key, below in reversed(value.items()):
                if isinstance(below, (dict, list)):
                    stack.append((below, depth + 1, foreign or key.lower() in _FOREIGN))


def types_of(node: dict[str, Any]) -> set[str]:
    """The types of a JSON-LD object, lower-case, without the vocabulary's address."""
    types = node.get("@type")
    if isinstance(types, str):
        types = [types]
    return {t.rsplit("/", 1)[-1].lower() for t in types if isinstance(t, str)} if isinstance(types, list) else set()


def _main_article(found: Structured) -> dict[str, Any]:
    """The object that describes this page's article: by type, then by what it tells, then by order."""
    best, best_score = {}, 0
    for node in found.nodes:
        types = types_of(node)
        if not types.isdisjoint(ARTICLE_TYPES):
            score = 10 if "creativework" not in types else 2
        elif not types.isdisjoint(LESSER_TYPES):
            score = 2
        else:
            continue
        score += (
            6 * ("headline" in node)
            + 4 * ("datePublished" in node)
            + 2 * ("author" in node)
            + 2 * _is_here(node, found)
        )
        if types == {"webpage"} and "headline" not in node:
            score -= 3
        if score > best_score:
            best, best_score = node, score
    return best


def _is_here(node: dict[str, Any], found: Structured) -> bool:
    """Does the object say that it is about this very address?"""
    for key in ("mainEntityOfPage", "url", "@id"):
        value = node.get(key)
        if isinstance(value, dict):
            value = value.get("@id") or value.get("url")
        if isinstance(value, str) and value:
            path = value.split("#")[0].split("?")[0].rstrip("/")
            if path and (
                found.url.split("?")[0].rstrip("/") == path or (found.canonical or "").split("?")[0].rstrip("/") == path
            ):
                return True
    return False


# -- values -----------------------------------------------------------------------------------------------------------

_TAG = re.compile(r"<[^<>]{1,300}>")


def plain(value: Any, longest: int = 5_000) -> str | None:
    """One line of plain text from a value as pages write them (entities, tags, lists, {'@value': ..}), or None."""
    for _ in range(4):
        if isinstance(value, str):
            break
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            value = value.get("@value") or value.get("name") or value.get("headline")
        else:
            break
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    value = value[:longest]
    if "&" in value:
        value = unescape(unescape(value))
    if "<" in value:
        value = _TAG.sub(" ", value)
    if not value.isascii():
        value = value.replace("\xad", "").replace("\u200b", "").replace("\ufeff", "")
    return " ".join(value.replace("\x00", "").split()) or None


def plain_list(value: Any, most: int = 100) -> list[str]:
    """Every plain text in a string, an object or a list of them."""
    values = value if isinstance(value, list) else [value]
    texts = [plain(each) for each in values[:most]]
    return [text for text in texts if text]


def text_of(element: Element, longest: int = 2_000) -> str:
    """The visible text of a small element, on one line."""
    pieces, size = [], 0
    for piece in element.itertext():
        pieces.append(piece)
        size += len(piece)
        if size > longest:
            break
    return " ".join("".join(pieces).replace("\xad", "").replace("\u200b", "").split())
