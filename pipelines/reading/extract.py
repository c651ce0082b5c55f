"""The body of a page: trafilatura on a tree that was cleaned before. The only door to trafilatura.

The tree is parsed once (``parse``) and shared with everybody who reads metadata from it; ``body_of`` comes last,
because it prunes that tree.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache

from lxml import etree, html
from trafilatura import bare_extraction
from trafilatura.settings import Extractor

from pipelines.items import Reason, Rejected, Removed
from pipelines.reading import containers
from pipelines.reading.blocks import Block, is_foreign, plain
from pipelines.reading.first_letters import either, name_of
from pipelines.reading.metadata import selector

logging.getLogger("trafilatura").setLevel(
    logging.CRITICAL
)  # it logs an error for every page without text; we judge that

VERY_SHORT = 300  # characters; below this nothing is lost by asking
_LEFT_OUT = 1.1  # so much more prose on the page than in the result makes a short result doubtful
SHORT = 1500  # characters; below this the full method is asked too, and wins where it finds clearly more
_REMOVED_LENGTH, _REMOVED_COUNT = 500, 200

# Never part of what a person reads as the article, whatever they are called.
_SILENT_TAGS = (
    "script", "style", "template", "noscript", "svg", "iframe", "canvas", "object", "embed", "audio", "video",
    "picture", "img", "source", "map", "button", "select", "input", "textarea", "datalist", "dialog", "link", "meta",
    "math", "applet",
)  # fmt: skip
_FRAME_TAGS = ("nav", "footer", "menu", "aside")
_BLOCK_TAGS = frozenset(
    (
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li",
        "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
        "ul",
    )
)  # fmt: skip
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^a-z0-9]+")

# What publishers call the parts of a page that are not the article: names of classes and ids, cut into words by '-'.
# (?<![a-z]) ... (?![a-z]) is a whole word; the longer ones may be part of a German compound ('leserkommentare').
_NAMES: tuple[tuple[str, str], ...] = (
    ("comments", r"(?:leser)?kommentar(?:e|bereich|liste)?(?![a-z])|comments?(?![a-z])|commentlist|disqus"
                 r"|leserbrief(?:e)?-?form"),
    ("related", r"(?<![a-z])related|recommend|empfehlung|lesetipp|more-(?:on|from|news|articles|stories)"
                r"|mehr-zum|weitere-"
                r"(?:artikel|themen|meldungen|nachrichten)|most-?(?:read|popular|viewed)|meist-?gelesen|outbrain"
                r"|taboola|plista|ligatus"
                r"|(?<![a-z])(?:trending|popular-posts|similar|yarpp|nrelate|linklist|link-?box|see-also"
                r"|also-read|cross-?links?|next-article)(?![a-z])"),
    ("teaser", r"teaser-?(?:list|box|grid|group|row|block|element|item|wrapper|container|s)(?![a-z])"),
    ("newsletter", r"newsletter|subscri(?:be|ption)|(?<![a-z])(?:abo|abonnement|abo-?box|optin|opt-in|sign-?up"
                   r"|mailchimp)(?![a-z])"),
    ("sharing", r"social-?(?:media|share|bar|links|buttons|icons|box|sharing)?(?![a-z])|shar(?:e|ing)(?:daddy"
                r"|bar|buttons?|box|links?"
                r"|tools?|this)?(?![a-z])|shariff|addthis|addtoany|follow-us|(?<![a-z])teilen(?![a-z])"),
    ("advertising", r"(?<![a-z])(?:ads?|adv|advert|advertisement|advertising|adslot|adbox|anzeigen?|werbung"
                    r"|werbe[a-z]*|sponsored|promo|promotion"
                    r"|dfp|gpt|banner|affiliate)(?![a-z])"),
    ("navigation", r"bread-?crumbs?|pagination|pager(?![a-z])|(?<![a-z])(?:nav|navi|navigation|navbar|menu"
                   r"|toolbar|skip-?links?|sidebar|toc"
                   r"|table-of-contents|inhaltsverzeichnis|footer)(?![a-z])"),
    ("caption", r"caption|bildunterschrift|bildtext|bildnachweis|(?:image|photo|picture|media|foto"
                r"|bild)-?(?:credits?|copyright|source|info"
                r"|meta|legend)(?![a-z])|(?<![a-z])(?:credits?|copyright|figure|gallery|galerie|slideshow"
                r"|lightbox)(?![a-z])"),
    ("byline", r"by-?line|(?<![a-z])(?:author|authors|autor|autoren|autorin)-?(?:box|info|bio|card|name|line"
               r"|meta|block|profile|teaser|list)?"
               r"(?![a-z])|(?:article|post|entry)-?(?:meta|info|date|author|details)(?![a-z])|date-?line-?info"
               r"|(?<![a-z])(?:timestamp|dateline"
               r"|pub-?date|publish(?:ed)?-?date|date|datum|reading-?time|lesezeit|lesedauer)(?![a-z])"),
    ("tags", r"(?<![a-z])(?:tags|tag-?list|tag-?cloud|keywords|schlagworte?|schlagwoerter|topics|themen"
             r"|topic-?list|categories|cat-links)(?![a-z])"),
    ("more", r"read-?more|weiterlesen|mehr-lesen"),
    ("embed", r"privacy-embed"),
    ("consent", r"cookie|consent|(?<![a-z])(?:gdpr|dsgvo|privacy-?(?:banner|notice)|opt-?in-?box)(?![a-z])"),
    ("feedback", r"feedback|(?<![a-z])(?:rating|ratings|voting|vote|poll|umfrage|survey|bewertung|star-?rating"
                 r"|quiz)(?![a-z])"),
    ("paywall", r"pay-?wall-?(?:box|offer|teaser|layer|overlay|prompt|info)|(?<![a-z])(?:pw-?layer|offer-?page"
                r"|abo-?hinweis|registration|reg-?wall"
                r"|login|log-in)(?![a-z])"),
    ("box", r"(?<![a-z])(?:info-?box|expandable-?box|hint-?box|hinweis-?box|fact-?box|fakten-?box|fakten"
            r"|service-?box|info-?kasten|kasten|side-?box|article-?box|content-?box-?info)(?![a-z])"),
    ("kicker", r"(?<![a-z])(?:top-?line|kicker|dachzeile|over-?line|spitzmarke|ober-?zeile|ueberzeile|eyebrow"
               r"|rubrik)(?![a-z])"),
    ("player", r"(?<![a-z])(?:player|podcast|audio-?player|video-?player|read-?speaker|vorlesen)(?![a-z])"),
    ("widget", r"(?<![a-z])(?:not-prose|disclaimer|widget-?(?:area|title)|widget-text|cta)(?![a-z])"),
    ("margin", r"(?:right|left)-?(?:col(?:umn)?|bar|side|rail)(?![a-z])|marginal(?:spalte|ie)|randspalte"
               r"|(?<![a-z])side-?(?:col|column|content)(?![a-z])"),
    ("citation", r"cite-?(?:wrapper|box|this|article)|zitier(?:vorschlag|hinweis|weise)"),
    ("support", r"(?<![a-z])(?:donations?|donate|spenden?|spendenaufruf|support-?(?:us|box|banner))(?![a-z])"),
    ("hidden", r"(?<![a-z])(?:visually-hidden|visuallyhidden|screen-?reader(?:-text)?|sr-only|print-only"
               r"|only-print|no-?print)(?![a-z])"),
)  # fmt: skip
_NAMED = re.compile(either(_NAMES))
_LEAD = re.compile(
    r"(?<![a-z])(?:lead|lede|leadtext|leadin|intro|introtext|introduction|standfirst|vorspann|anleser|anreisser"
    r"|subheadline|sub-?headline|subline"
    r"|sub-?title|deck?|excerpt|abstract|summary|teaser|teaser-?text|article-?teaser|einleitung|unterzeile"
    r"|chapeau|description|perex|kurztext)(?![a-z])"
)


@dataclass(frozen=True, slots=True)
class Body:
    """What stands on the page as article: the ``lead`` apart where the page sets it apart, then the blocks."""

    blocks: tuple[Block, ...] = ()
    lead: str | None = None
    removed: tuple[Removed, ...] = ()
    headline: str | None = None  # as the page shows it
    page_text: str = ""  # the beginning of all visible text
    whole_text: str = ""  # all of it
    page_length: int = 0  # characters of visible text on the whole page
    link_length: int = 0  # of these, inside links; not counted on a page with many paragraphs
    paragraphs: int = 0  # <p> with at least 80 characters on the whole page
    container: str | None = None  # the name of the element that was read; None: it has none, or the whole page was


@dataclass(slots=True)
class _Removals:
    """Collects what is taken from the page, bounded, for people who ask why."""

    found: list[Removed] = field(default_factory=list)

    def add(self, text: str, rule: str) -> None:
        text = one_line(text)
        if text and len(self.found) < _REMOVED_COUNT:
            self.found.append(Removed(text[:_REMOVED_LENGTH], rule))


def parser() -> etree.HTMLParser:
    """A parser whose elements are all of one class, looked up in C: lxml.html asks a Python function for each of them,
    and trafilatura wants nothing but that class.
    """
    made = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    made.set_element_class_lookup(etree.ElementDefaultClassLookup(element=html.HtmlElement))
    return made


def parse(text: str) -> html.HtmlElement:
    """The tree of a page, without comments and processing instructions. Raises Rejected(EMPTY) for no markup at all."""
    try:
        tree = html.document_fromstring(text.encode("utf-8", "ignore"), parser=parser())
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise Rejected(Reason.EMPTY, "no markup in it") from error
    if len(text) > MOST_TEXT or (text.count("<") > MOST_ELEMENTS and int(_COUNT(tree)) > MOST_ELEMENTS):
        _bound(tree)
    return tree


# The largest of a thousand real article pages has 10,000 elements; what is beyond these bounds would take minutes.
MOST_ELEMENTS, MOST_TEXT, MOST_ALIKE = 25_000, 1_500_000, 4_000


def _bound(tree: etree._Element) -> None:
    """Cut a monstrous page down: first the links and lines it has by the thousand, then its end."""
    if int(_COUNT(tree)) > MOST_ELEMENTS:
        for tag in ("a", "li", "option", "tr", "h2", "h3"):
            for element in list(tree.iter(tag))[MOST_ALIKE:]:
                if (parent := element.getparent()) is not None:
                    parent.remove(element)
    length = 0
    last = None
    for elements, element in enumerate(tree.iter()):
        length += len(element.tail or "") + (len(element.text or "") if element.tag not in ("script", "style") else 0)
        if elements > MOST_ELEMENTS or length > MOST_TEXT:
            last = element
            break
    while last is not None:
        for sibling in list(last.itersiblings()):
            sibling.getparent().remove(sibling)
        last = last.getparent()


_COUNT = etree.XPath("count(.//*)")


def one_line(text: str) -> str:
    """*text* with every run of blanks as one space."""
    return " ".join(text.split())


def content(element: etree._Element) -> str:
    """The visible text of an element on one line, with a space where block elements meet."""
    pieces: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            if (node is not element and node.tag in _BLOCK_TAGS) or node.tag == "br":
                pieces.append(" ")
            if node.text:
                pieces.append(node.text)
        elif node is not element:
            if node.tag in _BLOCK_TAGS:
                pieces.append(" ")
            if node.tail:
                pieces.append(node.tail)
    return one_line("".join(pieces))


_STRING = etree.XPath("string()")


def _raw(element: etree._Element) -> str:
    return str(_STRING(element))


_MANY_PARAGRAPHS = 8
_IN_LINKS = etree.XPath(".//a//text()[normalize-space()]")
_LONG_PARAGRAPHS = etree.XPath("count(.//p[string-length() >= 80])")


def _link_length(element: etree._Element) -> int:
    return sum(len(_raw(a).strip()) for a in element.iter("a"))


def _delete(element: etree._Element) -> None:
    """Take an element out of its tree and leave the text that follows it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail and element.tail.strip():
        before = element.getprevious()
        if before is not None:
            before.tail = f"{before.tail or ''} {element.tail}"
        else:
            parent.text = f"{parent.text or ''} {element.tail}"
    parent.remove(element)


def _cut(names: str) -> str:
    """Class names in lower case, their words separated by '-'."""
    return _SEPARATORS.sub("-", _CAMEL.sub("-", names).lower())


# 'has-ads', 'with-sidebar' tell what an element holds or lacks, not what it is
_HAS = re.compile(r"(?<![a-z])(?:has|have|with|without|no|ohne|mit)-[a-z]+")


@lru_cache(maxsize=16_384)
def _named(names: str) -> str | None:
    """The rule under which the names of an element (its class and id) tell that it is not the article."""
    for name in names.split():
        rule = _named_once(name)
        if rule:
            return rule
    return None


@lru_cache(maxsize=16_384)
def _named_once(name: str) -> str | None:
    if len(name) < 2 or ":" in name or "[" in name:  # 'md:hidden', '[&>p]:mt-2' lay out, they do not name
        return None
    found = _NAMED.search(_HAS.sub("", _cut(name)))
    return name_of(found) if found else None


def _headline(root: etree._Element, title: str | None) -> etree._Element | None:
    """The element in which the page shows its title."""
    first = None
    wanted = plain(title or "")
    for level in ("h1", "h2"):
        for element in root.iter(level):
            text = plain(_raw(element))
            if not text:
                continue
            if wanted and (text == wanted or (len(wanted) > 15 and wanted in text and len(text) < 2 * len(wanted))):
                return element
            if first is None and level == "h1":
                first = element
    return first


_LONG_TEXTS = etree.XPath(".//text()[string-length() > 30][not(ancestor::a)]")


def _prose(root: etree._Element) -> dict[etree._Element, int]:
    """The elements that read like prose, with its length: a long run of text of their own, and little of it links."""
    found: dict[etree._Element, int] = {}
    for piece in _LONG_TEXTS(root):
        length = len(piece.strip())
        if length < 30:
            continue
        owner = piece.getparent()
        if piece.is_tail:
            owner = owner.getparent()
        while owner is not None and owner.tag not in _BLOCK_TAGS:
            owner = owner.getparent()
        if owner is not None:
            found[owner] = found.get(owner, 0) + length
    return {element: length for element, length in found.items() if length >= 60 and _link_length(element) * 3 < length}


def _masses(prose: dict[etree._Element, int]) -> dict[etree._Element, int]:
    """How much prose every element holds."""
    masses: dict[etree._Element, int] = {}
    for element, length in prose.items():
        masses[element] = masses.get(element, 0) + length
        for above in element.iterancestors():
            masses[above] = masses.get(above, 0) + length
    return masses


_CORE_SHARE = 0.8
_OWN_PROSE = 400  # characters; less than this is no article, so its container's name is believed


def _core(root: etree._Element, masses: dict[etree._Element, int], headline: etree._Element | None) -> etree._Element:
    """The innermost element that holds nearly all of the page's prose, or most of it together with the headline."""
    above = set(headline.iterancestors()) if headline is not None else set()
    core = root
    while True:
        mass = masses.get(core, 0)
        inner = max(core, key=lambda child: masses.get(child, 0), default=None)
        if inner is not None and inner.tag == "table":
            inner = _cell_of_layout(inner, masses)
        if inner is None or inner.tag in _NO_FRAME:
            return core
        share = masses.get(inner, 0) / mass if mass else 0
        if share <= _CORE_SHARE and not (share > 0.4 and inner in above and core.tag != "article"):
            return core
        core = inner


def _cell_of_layout(table: etree._Element, masses: dict[etree._Element, int]) -> etree._Element:
    """The cell that holds a page's prose where a table lays out the page; made a block, since it is none of a table."""
    for cell in table.iter("td"):
        if masses.get(cell, 0) > _CORE_SHARE * masses.get(table, 0) and len(cell.findall(".//p")) >= 3:
            cell.tag = "div"
            return cell
    return table


_NO_FRAME = ("p", "li", "tr", "tbody", "td", "ul", "ol", "blockquote", "table", "span", "font")
_CLUSTERS = ("ul", "ol", "div", "section", "table", "dl", "article", "header")


def _prune_links(core: etree._Element, language_is_known: bool, removals: _Removals) -> None:
    """Take lists of links, cards and linked lines out of the body, with the heading that stands over them."""
    links: dict[etree._Element, int] = {}
    counts: dict[etree._Element, int] = {}
    for anchor in core.iter("a"):
        length = len(_raw(anchor).strip())
        if length < 3:
            continue
        for above in anchor.iterancestors():
            links[above] = links.get(above, 0) + length
            counts[above] = counts.get(above, 0) + 1
            if above is core:
                break
    gone: set[etree._Element] = set()
    for element in sorted(links, key=_depth):
        if element is core or any(above in gone for above in element.iterancestors()):
            continue
        text = len(_raw(element).strip())
        is_cluster = (
            element.tag in _CLUSTERS
            and links[element] > 0.6 * text
            and 25 < text < 3000
            and (counts[element] > 1 or text > 40)
        )
        is_line = language_is_known and element.tag == "p" and links[element] > 0.85 * text and 15 < text < 300
        if is_cluster or is_line:
            before = element.getprevious()
            if (
                before is not None
                and before.tag in ("h2", "h3", "h4", "h5", "h6")
                and len(_raw(before)) < 80
                and not _goes_on(element)
            ):
                removals.add(_raw(before), "links")
                gone.add(before)
            removals.add(_raw(element), "links")
            gone.add(element)
    for element in gone:
        _delete(element)


def _prune_teasers(core: etree._Element, removals: _Removals) -> None:
    """A 'teaser' that holds a link or a headline leads to another article; one without is this article's lead."""
    for element in list(core.iter("div", "section", "article", "p", "li", "ul", "span")):
        names = element.get("class")
        if (
            not names
            or "teaser" not in names.lower()
            or element is core
            or element.getroottree().getroot().tag != "html"
        ):
            continue
        if element.find(".//h1") is None and (
            element.find(".//a") is not None or element.find(".//h2") is not None or element.find(".//h3") is not None
        ):
            removals.add(_raw(element), "teaser")
            _delete(element)


def _prune_opened(core: etree._Element, opens: Callable[[str], str | None], removals: _Removals) -> None:
    """Take out the headings that open foreign matter and the short lines and lists below them.

    This happens in the tree because trafilatura drops some such headings itself, and then what stands under them stays.
    """
    for heading in list(core.iter(*_HEADINGS)):
        text = one_line(_raw(heading))
        rule = opens(text) if 0 < len(text) <= 90 else None
        if rule is None:
            continue
        opened: etree._Element = heading
        while (parent := opened.getparent()) is not None and parent is not core and one_line(_raw(parent)) == text:
            opened = parent
        below = []
        for sibling in opened.itersiblings():
            if (
                len(below) >= _LONGEST_OPENED
                or sibling.tag in _HEADINGS
                or not is_foreign(one_line(_raw(sibling)), sibling.tag in ("ul", "ol"))
            ):
                break
            below.append(sibling)
        for element in (opened, *below):
            removals.add(_raw(element), rule)
            _delete(element)


_LONGEST_OPENED = 12


def _goes_on(element: etree._Element) -> bool:
    """Whether prose follows directly, so that a heading before the links is the prose's."""
    after = element.getnext()
    return after is not None and after.tag == "p" and len(_raw(after)) > 80


def _depth(element: etree._Element) -> int:
    return sum(1 for _ in element.iterancestors())


def _is_hidden(element: etree._Element) -> bool:
    """Not shown at any width: hidden attributes and styles, and 'hidden' classes that no breakpoint takes back."""
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    style = element.get("style")
    if style and "none" in style and _NO_DISPLAY.search(style):
        return True
    classes = element.get("class")
    return bool(classes and "hidden" in classes and "hidden" in classes.split() and not _SHOWN_LATER.search(classes))


_NO_DISPLAY = re.compile(r"display\s*:\s*none")
_SHOWN_LATER = re.compile(
    r"\b(?:xs|sm|md|lg|xl|2xl|tablet|desktop|mobile)[:-](?:block|flex|grid|inline|table|contents|visible)"
)


# Other names stand on containers of articles too: they are not believed where they would take much of the prose.
_STRONG_RULES = frozenset(("frame", "comments", "related", "hidden", "caption"))
_LONGEST_CAPTION = 300


def _prune(
    root: etree._Element,
    headline: etree._Element | None,
    removals: _Removals,
    known: etree._Element | None = None,
) -> tuple[etree._Element, int]:
    """Take out what its tag or its name says is not the article; *known* is the container, where that is known.

    Returns the element that holds the article, and how many characters of prose are left on the page.
    """
    prose = _prose(root)
    masses = _masses(prose)
    total = masses.get(root, 0)
    kept = {each for one in (headline, known) if one is not None for each in (one, *one.iterancestors())}
    found: list[tuple[etree._Element, str]] = []
    taken: dict[str, int] = {}
    walk = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        rule = _rule_of(element)
        if rule is None or element in kept or element is root:
            continue
        mass = masses.get(element, 0)
        if mass > total // 2 and (rule not in _STRONG_RULES or mass > _OWN_PROSE):
            continue
        if mass > total * 0.9:
            continue
        if rule == "caption" and mass > _LONGEST_CAPTION and _has_paragraphs(element):
            continue
        if rule == "more" and mass:
            continue
        found.append((element, rule))
        taken[rule] = taken.get(rule, 0) + mass
        walk.skip_subtree()
    gone: set[etree._Element] = set()
    for element, rule in found:
        if rule not in _STRONG_RULES and taken[rule] > total // 2 and masses.get(element, 0) > 100:
            continue
        if rule != "frame":
            removals.add(_raw(element), rule)
        _delete(element)
        gone.add(element)
    if known is not None:
        return known, 0
    left = {
        element: length for element, length in prose.items() if gone.isdisjoint((element, *element.iterancestors()))
    }
    masses = _masses(left)
    return _core(root, masses, headline), masses.get(root, 0)


def _has_paragraphs(element: etree._Element) -> bool:
    """Whether more than a caption stands in it: a gallery's container may hold the article too."""
    if element.tag in ("figure", "figcaption"):
        return False
    return sum(len(_raw(paragraph)) for paragraph in element.iter("p")) > _LONGEST_CAPTION


def _rule_of(element: etree._Element) -> str | None:
    tag = element.tag
    if tag in _FRAME_TAGS:
        return "frame"
    if tag in ("figure", "figcaption"):
        return "caption" if element.find(".//table") is None else None
    if _is_hidden(element):
        return "hidden"
    names, identity = element.get("class") or "", element.get("id") or ""
    if tag in _HEADINGS:  # their ids are anchors, named after their words
        identity = ""
    if "-" in tag:  # an element of the site's own making
        names = f"{tag} {names}"
    return _named(f"{names} {identity}") if names or identity else None


def _selected(root: etree._Element, expressions: Sequence[str]) -> list[etree._Element]:
    """The elements that a source's selectors choose, those inside of others left out."""
    found = [
        each for expression in expressions for each in selector(expression)(root) if hasattr(each, "iterancestors")
    ]
    every = set(found)
    return [each for each in dict.fromkeys(found) if every.isdisjoint(each.iterancestors())]


def _gathered(chosen: list[etree._Element]) -> etree._Element:
    """One element that holds all that a source's rule keeps, in its order."""
    if len(chosen) == 1:
        return chosen[0]
    around = etree.Element("div")
    chosen[0].addprevious(around)
    for element in chosen:
        around.append(element)
    return around


def _framed(core: etree._Element) -> html.HtmlElement:
    """A page that consists of *core* only, in the plainest markup: what trafilatura is to read."""
    page = parser().makeelement("html")
    article = etree.SubElement(etree.SubElement(page, "body"), "article")
    article.append(deepcopy(core))
    for element in article.iterdescendants("article", "main", "section", "header", "hgroup", "body"):
        element.tag = "div"
    etree.strip_attributes(article, "class", "id")
    return page


_FAST = Extractor(fast=True, comments=False, formatting=False, output_format="xml")
_FULL = Extractor(fast=False, comments=False, formatting=False, output_format="xml")


def _trafilatura(root: etree._Element, fast: bool) -> list[Block]:
    document = bare_extraction(root, options=_FAST if fast else _FULL)
    return list(_blocks(document.body)) if document is not None else []


_INNER = frozenset(("form", "fieldset", "hr", "address", "label", "legend"))


def _direct(core: etree._Element) -> list[Block]:
    """The blocks of a container that is known to hold the article and nothing else, without asking trafilatura."""
    blocks: list[Block] = []
    pieces: list[str] = []
    _walk(core, blocks, pieces)
    _flush(blocks, pieces)
    return blocks


def _same(one: list[Block], other: list[Block]) -> bool:
    return plain("".join(block.text for block in one)) == plain("".join(block.text for block in other))


def _walk(element: etree._Element, blocks: list[Block], pieces: list[str]) -> None:
    """Collect the blocks below *element*; *pieces* is the text that stands there without a block of its own."""
    pieces.append((element.text or "").replace("\n", " "))
    for child in element:
        tag = child.tag
        if tag in _INNER:
            _flush(blocks, pieces)
        elif tag in _WHOLE:
            _flush(blocks, pieces)
            blocks.extend(block for block in _block(child) if block.text)
        elif tag == "br":
            pieces.append("\n")
        elif tag in _BLOCK_TAGS:
            _flush(blocks, pieces)
            _walk(child, blocks, pieces)
            _flush(blocks, pieces)
        else:
            _walk(child, blocks, pieces)
        pieces.append((child.tail or "").replace("\n", " "))


_WHOLE = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "table", "pre"))


def _flush(blocks: list[Block], pieces: list[str]) -> None:
    if pieces:
        lines = (one_line(line) for line in "".join(pieces).split("\n"))
        blocks.extend(Block("paragraph", line) for line in lines if line)
        pieces.clear()


def _blocks(body: etree._Element) -> Iterator[Block]:
    """trafilatura's result as blocks, line breaks as paragraphs of their own."""
    if body.text and body.text.strip():
        yield Block("paragraph", one_line(body.text))
    for element in body:
        yield from _block(element)
        if element.tail and element.tail.strip():
            yield Block("paragraph", one_line(element.tail))


def _block(element: etree._Element) -> Iterator[Block]:
    tag = element.tag
    if tag in ("head", "h1", "h2", "h3", "h4", "h5", "h6"):
        level = (element.get("rend") or str(tag))[-1:]
        yield Block("heading", content(element), level=int(level) if level.isdigit() else 3)
    elif tag in ("list", "ul", "ol", "dl"):
        items = tuple(filter(None, (content(item) for item in element)))
        if items:
            yield Block("list", "\n".join(items), items=items)
    elif tag in ("quote", "blockquote"):
        text = "\n".join(_lines(element))
        if text:
            yield Block("quote", text)
    elif tag == "table":
        rows = tuple(tuple(content(cell) for cell in row.iter("cell", "td", "th")) for row in element.iter("row", "tr"))
        rows = tuple(row for row in rows if any(row))
        if rows:
            yield Block("table", "\n".join(" ".join(filter(None, row)) for row in rows), rows=rows)
    elif tag == "code":
        yield Block("code", "".join(element.itertext()).strip("\n"))
    else:
        for line in _lines(element):
            yield Block("paragraph", line)


def _lines(element: etree._Element) -> list[str]:
    """The lines of an element, cut at its line breaks and inner blocks."""
    pieces = [element.text or ""]
    for node in element.iterdescendants():
        if node.tag in ("lb", "br", "p", "item", "head", "list", "quote", "row"):
            pieces.append("\n")
        elif node.tag == "cell":
            pieces.append(" ")
        pieces += [node.text or "", "\n" if node.tag in ("p", "item", "head") else "", node.tail or ""]
    return [line for line in (one_line(piece) for piece in "".join(pieces).split("\n")) if line]


def _units(after: etree._Element, root: etree._Element, most: int = 80) -> Iterator[tuple[etree._Element, str]]:
    """The innermost blocks of text that follow an element, in the order of the page."""
    count = 0
    for element in _following(after, root):
        if element.tag not in _BLOCK_TAGS or any(child.tag in _BLOCK_TAGS for child in element.iterdescendants()):
            continue
        text = content(element)
        if text:
            yield element, text
            count += 1
            if count >= most:
                return


def _following(after: etree._Element, root: etree._Element) -> Iterator[etree._Element]:
    """Every element behind *after* in document order, its own descendants left out."""
    node: etree._Element | None = after
    while node is not None and node is not root:
        for sibling in node.itersiblings():
            yield from sibling.iter()
        node = node.getparent()


def _is_sentence(text: str) -> bool:
    return len(text) >= 40 and text.count(" ") >= 5


def _says_again(text: str, title: str) -> bool:
    """Whether a line is the headline once more, with a kicker before it or in other marks."""
    letters = plain(text)
    if not title or len(letters) > 2 * len(title) + 20:
        return False
    return letters in title or title in letters


def _between(
    root: etree._Element, headline: etree._Element, core: etree._Element, first: str, title: str, described: str
) -> list[str]:
    """The sentences between the headline and the body's first block, which begins with the letters *first*."""
    found: list[str] = []
    before_core: list[str] | None = None
    inside = 0
    for element, text in _units(headline, root):
        letters = plain(text)
        if letters[:60] == first[:60] or (len(letters) > 20 and first.startswith(letters)):
            if not found and letters == first and _is_sentence(text) and _stands_apart(element, headline):
                return [text]
            return found
        if before_core is None and (element is core or core in element.iterancestors()):
            before_core = list(found)
        inside += before_core is not None
        if inside > _NEAR:
            return before_core or []
        is_described = len(letters) > 30 and letters[:50] == described[:50]
        if element.tag in _HEADINGS and not is_described and not _LEAD.search(_cut(element.get("class") or "")):
            continue
        if not _is_sentence(text) or _says_again(text, title) or _link_length(element) * 2 >= len(text):
            continue
        found.append(text)
    return before_core or []


def _stands_apart(element: etree._Element, headline: etree._Element) -> bool:
    """Whether the first block is named a lead, or stands in the headline's container with other prose outside of it."""
    parent = element.getparent()
    names = (
        f"{element.get('class') or ''} {(parent.get('class') or '') if parent is not None and len(parent) == 1 else ''}"
    )
    if any(_LEAD.search(_cut(name)) for name in names.split()):
        return True
    above = set(headline.iterancestors())
    container = next((ancestor for ancestor in element.iterancestors() if ancestor in above), None)
    return (
        container is not None
        and sum(1 for p in container.iter("p") if len(_raw(p)) >= 60) <= 1
        and container.tag in ("header", "hgroup", "div", "section")
    )


_NEAR = 8  # units of the container in which the first block must come; the container's own start may have been left out


def _lead(
    root: etree._Element,
    core: etree._Element,
    headline: etree._Element | None,
    blocks: list[Block],
    title: str | None,
    teaser: str | None,
    is_boilerplate: Callable[[str], bool],
) -> tuple[str | None, list[Block]]:
    """The lead that stands between headline and body, and the blocks without it.

    A lead is known by its name, by the page's own description, or by its place alone: a sentence after the headline
    and before the body.
    """
    if not blocks:
        return None, blocks
    wanted = plain(title or "") or plain(_raw(headline) if headline is not None else "")
    described = plain(teaser or "")
    first = plain(blocks[0].text)
    found: list[str] = []
    if headline is not None:
        found = [line for line in _between(root, headline, core, first, wanted, described) if not is_boilerplate(line)]
    if found:
        if plain(found[0]) == first:  # it is in the body, but set apart
            blocks = blocks[1:]
        if not blocks:
            return None, [Block("paragraph", text) for text in found]
        return found[0], [Block("paragraph", text) for text in found[1:]] + blocks
    if (
        len(blocks) > 1
        and len(described) > 30
        and first.startswith(described[:60])
        and len(first) <= 1.15 * len(described)
    ):
        return blocks[0].text, blocks[1:]
    return None, blocks


_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


def body_of(
    tree: html.HtmlElement,
    *,
    title: str | None = None,
    teaser: str | None = None,
    headline: etree._Element | None = None,
    german: bool = True,
    is_boilerplate: Callable[[str], bool] = lambda text: False,
    opens: Callable[[str], str | None] = lambda text: None,
    keep: Sequence[str] = (),
    remove: Sequence[str] = (),
    learned: Sequence[str] = (),
    learning: bool = False,
) -> Body:
    """The article that a page shows. Prunes *tree*, so everything else that needs it must have read it before.

    *title* and *teaser* are what the metadata says, *headline* the element that shows the title where that is known;
    they serve to find the lead and to keep both out of the body. A line that *is_boilerplate*, such as a byline, is no
    lead; a heading for which *opens* names a rule goes with the lines below it. In *german* texts a paragraph that is
    one link leads elsewhere. *keep* and *remove* are a source's own selectors: the body's container and what is not it.
    *learned* are the containers of the source's other pages (``containers``): where one is on the page, it is read.
    *learning* asks of every other container whether it could be read without trafilatura.
    """
    root = tree.find("body")
    root = tree if root is None else root
    removals = _Removals()
    etree.strip_elements(root, *_SILENT_TAGS, with_tail=False)
    page_text, paragraphs = one_line(_raw(root)), int(_LONG_PARAGRAPHS(root))
    # how much of the page is links matters only where there is little else
    link_length = sum(map(len, _IN_LINKS(root))) if paragraphs < _MANY_PARAGRAPHS else 0
    if headline is None or headline.getroottree().getroot() is not tree:
        headline = _headline(root, title)
    for element in _selected(root, remove):
        removals.add(_raw(element), "site")
        _delete(element)
    page = root
    known, direct = containers.known_on(root, learned, paragraphs) if learned and not keep else (None, False)
    if known is not None:
        root = _around(known, headline, root)
    core, left_over = _prune(root, headline, removals, known)
    container = containers.name_of(core, page)
    chosen = _selected(root, keep)
    if chosen:
        core, container = _gathered(chosen), None
    _prune_teasers(core, removals)
    _prune_opened(core, opens, removals)
    _prune_links(core, german, removals)
    is_plain = known is not None and direct
    blocks = _direct(core) if is_plain else _trafilatura(_framed(core), fast=True)
    if learning and not is_plain and container:
        is_plain = _same(blocks, _direct(core))
    length = sum(len(block.text) for block in blocks)
    if not chosen and length < SHORT and (length < VERY_SHORT or left_over > _LEFT_OUT * length):
        full = _trafilatura(tree, fast=False)
        if sum(len(block.text) for block in full) > 1.2 * length:
            blocks, container = full, None
    wanted = {plain(title or ""), plain(_raw(headline)) if headline is not None else ""}
    blocks = [block for block in blocks if plain(block.text) not in wanted and not block.text.startswith(("{", "[{"))]
    lead, blocks = _lead(root, core, headline, blocks, title, teaser, is_boilerplate)
    blocks = _without_ends(blocks)
    return Body(
        blocks=tuple(blocks),
        lead=lead,
        removed=tuple(removals.found),
        headline=one_line(_raw(headline)) if headline is not None else None,
        page_text=page_text[:4000],
        whole_text=page_text,
        page_length=len(page_text),
        link_length=link_length,
        paragraphs=paragraphs,
        container=containers.marked(container, is_plain),
    )


def _around(known: etree._Element, headline: etree._Element | None, root: etree._Element) -> etree._Element:
    """The smallest element that holds both headline and container; the rest of the page need not be looked at."""
    if headline is None:
        return known.getparent() if known is not root else root
    above = {known, *known.iterancestors()}
    return next((each for each in headline.iterancestors() if each in above), root)


def _without_ends(blocks: list[Block]) -> list[Block]:
    """A heading with nothing under it is not the article's."""
    while blocks and blocks[-1].kind == "heading":
        blocks = blocks[:-1]
    return blocks
