"""What a page states about itself for machines: JSON-LD, meta, OpenGraph, microdata, <time>, link; one pass over the
parsed tree.

Nothing is judged here and the tree is not changed. Whatever a page writes, `collect` returns: broken JSON-LD gives what
can be saved of it, absurd sizes and depths are cut off, values of the wrong type are left out by the readers below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any
from urllib.parse import urljoin

from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.reading.page.jsonld import ARTICLE_TYPES, loads, types_of

LARGEST_SCRIPT = 600_000  # characters; real article objects, live blogs with all their posts included, stay below
MOST_NODES = 4_000
DEEPEST = 24
MOST_META_VALUES = 40
# few elements have one of these, so they are looked for in C, and from the attributes up
_ITEMPROPS = XPath("//@itemprop/..")
_LICENSED = XPath("descendant::a/@rel[contains(., 'license')]/parent::a[@href]")
_MOST_CANONICALS = 4

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


@dataclass(frozen=True, slots=True)
class Structured:
    """What was collected.

    ``article`` is the JSON-LD object of the page's own article ({} if there is none), ``nodes`` all objects with a
    type, ``ids`` finds them by ``@id``. ``meta`` maps lower-case names (name, property, itemprop) to their contents in
    order. ``micro`` maps an itemprop to its elements, ``times`` are the <time> and the named <abbr> elements,
    ``headings`` the h1 elements, ``scripts`` those without JSON-LD, in document order.
    """

    url: str
    article: dict[str, Any] = field(default_factory=dict)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    ids: dict[str, dict[str, Any]] = field(default_factory=dict)
    meta: dict[str, list[str]] = field(default_factory=dict)
    micro: dict[str, list[Element]] = field(default_factory=dict)
    times: list[Element] = field(default_factory=list)
    headings: list[Element] = field(default_factory=list)
    scripts: list[Element] = field(default_factory=list)
    window_title: str | None = None
    canonicals: list[str] = field(default_factory=list)
    amps: list[str] = field(default_factory=list)
    licenses: list[str] = field(default_factory=list)
    language: str | None = None
    # what was worked out from the rest when somebody asked: the types of the nodes, the names of the site
    worked_out: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def amp(self) -> str | None:
        """The first ``link rel=amphtml``."""
        return self.amps[0] if self.amps else None

    @property
    def canonical(self) -> str | None:
        """The first ``link rel=canonical``."""
        return self.canonicals[0] if self.canonicals else None

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
        types: list[set[str]] = self.worked_out.get("types", [])
        if len(types) != len(self.nodes):
            types = self.worked_out["types"] = [types_of(node) for node in self.nodes]
        return types

    def resolved(self, value: Any) -> Any:
        """*value*, or the object that it only refers to by ``@id``."""
        if isinstance(value, dict) and isinstance(value.get("@id"), str) and len(value) <= 2:
            return self.ids.get(value["@id"], value)
        return value


def collect(tree: Element, url: str) -> Structured:
    """Everything that *tree* (the root that lxml.html parsed) states for machines."""
    if hasattr(tree, "getroot"):
        tree = tree.getroot()
    if tree is None:
        return Structured(url=url)
    titles = (plain(each.text) for each in tree.iter("title") if not _in_svg(each))
    window_title = next(filter(None, titles), None)
    found = Structured(url=url, language=_language(tree), window_title=window_title)
    scripts: list[str] = []
    for element in tree.iter("script", "meta", "link", "time", "abbr", "h1"):
        tag = element.tag
        if tag == "meta":
            _meta(found, element)
        elif tag == "script":
            kind = element.get("type") or ""
            if "ld+json" not in kind.lower():
                found.scripts.append(element)
            elif element.text and len(element.text) <= LARGEST_SCRIPT:
                scripts.append(element.text)
        elif tag == "link":
            _link(found, element)
        elif tag == "time" or (tag == "abbr" and element.get("title") and element.get("class")):
            found.times.append(element)
        elif tag == "h1":
            found.headings.append(element)
    for element in _ITEMPROPS(tree):
        for name in (element.get("itemprop") or "").split()[:4]:
            found.micro.setdefault(name.lower(), []).append(element)
    licensed = [each.get("href") for each in _LICENSED(tree) if "license" in each.get("rel").split(" ")]
    found.licenses.extend(href for href in licensed[:4] if len(href) <= 2_000)
    for script in scripts:
        for value in loads(script):
            _walk(found, value)
    return replace(found, article=_main_article(found))


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


def _based(href: str, element: Element) -> str:
    """*href* as the page's ``<base>`` has it, where it is relative to a folder."""
    base = None
    if not href.startswith(("/", "#", "?")) and "://" not in href:
        base = next(element.getroottree().iter("base"), None)
    try:
        return href if base is None else urljoin(base.get("href") or "", href)
    except ValueError:
        return href


def _link(found: Structured, element: Element) -> None:
    rel, href = (element.get("rel") or "").lower().split(), (element.get("href") or "").strip()
    if not href or len(href) > 2_000:
        return
    if "canonical" in rel and len(found.canonicals) < _MOST_CANONICALS:
        found.canonicals.append(_based(href, element))
    elif "license" in rel:
        found.licenses.append(href)
    elif "amphtml" in rel:
        found.amps.append(href)


# -- JSON-LD ----------------------------------------------------------------------------------------------------------


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


def _main_article(found: Structured) -> dict[str, Any]:
    """The object that describes this page's article: by type, by what it tells, by the address and the headline that
    it names, then by order. {} where all that there is names another address and another headline.
    """
    best, best_score = {}, 0
    titles = _titles(found)
    for node in found.nodes:
        types = types_of(node)
        if not types.isdisjoint(ARTICLE_TYPES):
            score = 10 if "creativework" not in types else 2
        elif not types.isdisjoint(LESSER_TYPES):
            score = 2
        else:
            continue
        score += 6 * ("headline" in node) + 4 * ("datePublished" in node) + 2 * ("author" in node)
        score += _belonging(node, found, titles)
        if types == {"webpage"} and "headline" not in node:
            score -= 3
        if score > best_score:
            best, best_score = node, score
    return best


_WORDS = re.compile(r"\w{4,}")


def _titles(found: Structured) -> list[set[str]]:
    """The words of what the page calls itself, place by place."""
    texts = [found.window_title or "", *found.meta.get("og:title", ())[:1]]
    texts += [text_of(element, 300) for element in found.headings[:2]]
    return [words for words in (set(_WORDS.findall(text.lower())) for text in texts) if words]


def _belonging(node: dict[str, Any], found: Structured, titles: list[set[str]]) -> int:
    """Points for being about this page: by the address that an object names and how much of its headline the page
    says.
    """
    headline = set(_WORDS.findall((plain(node.get("headline")) or plain(node.get("name")) or "").lower()))
    shares = [len(headline & words) / min(len(headline), len(words)) for words in titles if headline]
    shared = max(shares, default=1.0)
    addresses = [address for key in ("mainEntityOfPage", "url", "@id") if (address := _address(node.get(key)))]
    here = {_path(found.url), _path(found.canonical or found.url)}
    if any(_path(address) in here for address in addresses):
        return 12
    named = [address for address in addresses if address.startswith(("http:", "https:", "/"))]
    is_elsewhere = any(len(_path(address)) > 1 for address in named)
    if is_elsewhere and headline and shared < 0.34:
        return -100
    if shared >= 0.5 and headline:
        return 4
    return -4 if is_elsewhere or shared < 0.2 else 0


def _address(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url")
    return value.strip() if isinstance(value, str) else ""


def _path(address: str) -> str:
    """An address without its site, parameters and anchor: articles are told apart by that."""
    path = address.split("#")[0].split("?")[0].rstrip("/")
    return path.split("://", 1)[-1].partition("/")[2]


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
