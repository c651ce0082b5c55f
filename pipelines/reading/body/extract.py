"""The body of a page: trafilatura on a tree that was cleaned before. The only door to trafilatura.

A page is parsed once (``tree``) and shared with everybody who reads metadata from it; ``body_of`` comes last, because
it prunes that tree: what is not the article goes (``clean``, ``names``), the container is found (``core``, or
``containers`` where the source's other pages taught it), its blocks are read, the lead is set apart (``lead``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from urllib.parse import urlsplit

import trafilatura
from lxml import etree, html
from trafilatura import bare_extraction, external, xpaths
from trafilatura.settings import Document, Extractor

from pipelines.items import Removed
from pipelines.reading.body import containers
from pipelines.reading.body.blocks import Block, plain
from pipelines.reading.body.chronology import mark_chronology
from pipelines.reading.body.comments import prune_comments
from pipelines.reading.body.embedded_blocks import describes_picture, marks_of, prune_boxes
from pipelines.reading.body.figures import open_figures
from pipelines.reading.body.lead import headline_of, lead_of
from pipelines.reading.body.main_content import core_of, masses_of, weight
from pipelines.reading.body.next_article import prune_next_articles
from pipelines.reading.body.prune import prune, prune_links, prune_opened, prune_teasers, strip_silent
from pipelines.reading.body.removals import Removals
from pipelines.reading.body.tree_blocks import blocks_in, direct, is_prose, open_paragraphs
from pipelines.reading.fields.metadata import selector
from pipelines.reading.page.tree import LONG_PARAGRAPHS, delete, one_line, parser, raw

# it logs an error for every page without text; we judge that
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

VERY_SHORT = 300  # characters; below this nothing is lost by asking
LONGEST_HEADLINE = 1000  # characters; the longest of real ones have some 300
_LEFT_OUT = 1.1  # so much more prose on the page than in the result makes a short result doubtful
SHORT = 1500  # characters; below this the full method is asked too, and wins where it finds clearly more
_MANY_PARAGRAPHS = 8
_IN_LINKS = etree.XPath("descendant::a/descendant::text()[normalize-space()]", smart_strings=False)
_FAST = Extractor(fast=True, comments=False, formatting=False, output_format="xml")
_FULL = Extractor(fast=False, comments=False, formatting=False, output_format="xml")


class StopWords:
    """The commonest words of 60 languages, for trafilatura's full method, which makes a set of them when it first asks.

    It would read and keep them itself, word by word: in twice the time, and 16 MB more that stay.
    """

    def __iter__(self) -> Iterator[str]:
        lists = (resources.files("justext") / "stoplists").iterdir()
        return chain.from_iterable(each.read_text("utf-8").splitlines() for each in lists)


external.JT_STOPLIST = StopWords()  # type: ignore[assignment]


def narrowed(expression: etree.XPath) -> etree.XPath:
    """What finds the same as one of trafilatura's expressions, which ask of each element what its attributes say.

    An element with none of them is passed over. That costs hardly anything, where each pattern that is tried on an
    attribute calls Python; and most elements that trafilatura is given have no names any more (``_framed``). An
    expression that ends with ``[1]`` finds the first on the page, not the first in each element: no more is looked at.
    """
    path = expression.path
    named = " or ".join(sorted(set(re.findall(r"@[\w-]+", path))))
    return etree.XPath(path.replace(".//*[", f"descendant::*[{named}][", 1), namespaces={"re": xpaths.REGEXP_NS})


NARROWED = (
    "BODY_XPATH",
    "DISCARD_IMAGE_ELEMENTS",
    "OVERALL_DISCARD_XPATH",
    "RAW_TREE_PRUNE_XPATH",
    "REMOVE_COMMENTS_AND_LISTS_XPATH",
    "TEASER_DISCARD_XPATH",
)
#: the release whose expressions a test has compared with the narrowed ones; another one keeps its own
COMPARED = "2.3.1"
if trafilatura.__version__ == COMPARED:
    for expressions in (getattr(xpaths, name) for name in NARROWED):
        expressions[:] = map(narrowed, expressions)


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
    prose: int = 0  # characters of prose on the page, outside of frame, comments and what is hidden
    container: str | None = None  # the name of the element that was read; None: it has none, or the whole page was


@dataclass(frozen=True, slots=True)
class Known:
    """The container that a source's rule (``is_rule``) or its other pages name, as the elements of this page.

    ``is_plain``: its blocks can be read as they stand.
    """

    elements: tuple[etree._Element, ...]
    is_rule: bool = False
    is_plain: bool = False

    @property
    def surroundings(self) -> etree._Element | None:
        """The smallest element around it with a headline: byline and date line are looked for there first."""
        first = self.elements[0]
        return next((each for each in (first, *first.iterancestors()) if each.find(".//h1") is not None), None)


def known_on(tree: html.HtmlElement, keep: Sequence[str], learned: Sequence[str]) -> Known | None:
    """Where the page's container is, by its source's selectors (*keep*) or else by what its other pages taught.

    None when neither knows, or what they know is not on this page: then it is read in the general way.
    """
    if keep:
        chosen = _selected(tree, keep)
        return Known(tuple(chosen), is_rule=True) if chosen else None
    root = _body(tree)
    element, is_plain = containers.known_on(root, learned, int(LONG_PARAGRAPHS(root))) if learned else (None, False)
    return Known((element,), is_plain=is_plain) if element is not None else None


def body_of(
    tree: html.HtmlElement,
    *,
    title: str | None = None,
    teaser: str | None = None,
    headline: etree._Element | None = None,
    german: bool = True,
    is_boilerplate: Callable[[str], bool] = lambda text: False,
    opens: Callable[[str, bool], str | None] = lambda text, strictly: None,
    known: Known | None = None,
    remove: Sequence[str] = (),
    learning: bool = False,
    address: str = "",
    names: bool = True,
) -> Body:
    """The article that a page shows. Prunes *tree*, so everything else that needs it must have read it before.

    *title* and *teaser* are what the metadata says, *headline* the element that shows the title where that is known;
    they serve to find the lead and to keep both out of the body. A line that *is_boilerplate*, such as a byline, is no
    lead; a heading for which *opens* names a rule goes with the lines below it. In *german* texts a paragraph that is
    one link leads elsewhere. Where the container is *known*, the rest of the page is not looked at. *remove* are the
    source's selectors of what is not the article. *learning* asks of a container that is not known yet whether it could
    be read without trafilatura. Without *names* what an element is called, and what a box looks like, counts for
    little: the second reading of a page of which the first left nearly nothing.
    """
    page = _body(tree)
    removals = Removals()
    marks = marks_of(page)
    open_figures(page)
    strip_silent(page)
    page_text, paragraphs = one_line(raw(page)), int(LONG_PARAGRAPHS(page))
    # how much of the page is links matters only where there is little else
    link_length = sum(map(len, _IN_LINKS(page))) if paragraphs < _MANY_PARAGRAPHS else 0
    if headline is None or headline.getroottree().getroot() is not tree:
        headline = headline_of(page, title)
    shown = one_line(raw(headline)) if headline is not None else None
    if headline is not None and len(shown or "") > LONGEST_HEADLINE and headline.find(".//p") is None:
        _cut(headline, (shown or "")[:LONGEST_HEADLINE])
    _remove(page, remove, removals)
    prune_next_articles(page, headline, address, removals)
    prune_comments(page, opens, removals)
    if known and any(each.getroottree().getroot() is not tree for each in known.elements):
        known = None
    core, root, left_over, prose = _container(page, headline, known, removals, marks.fields, names)
    by_rule = known is not None and known.is_rule
    container = None if by_rule else containers.name_of(core, page)
    if names:
        prune_teasers(core, removals)
    prune_opened(core, opens, removals)
    if names:
        prune_boxes(core, marks, _host(address), teaser or "", removals)
    prune_links(core, german, removals)
    open_paragraphs(core)
    is_plain = (known is not None and known.is_plain) or is_prose(core)
    blocks = direct(core) if is_plain else _trafilatura(_framed(core), fast=True)
    if learning and known is None and not is_plain and container:
        is_plain = _same(blocks, direct(core))
    length = sum(weight(block.text)[0] for block in blocks)
    if not by_rule and length < SHORT and (length < VERY_SHORT or left_over > _LEFT_OUT * length):
        full = _trafilatura(tree, fast=False)
        if sum(weight(block.text)[0] for block in full) > 1.2 * length:
            blocks, container = full, None
    blocks = [
        block for block in blocks if block.kind != "paragraph" or not describes_picture(block.text, marks.described)
    ]
    titles = {plain(title or ""), plain(raw(headline)) if headline is not None else ""}
    blocks = [block for block in blocks if not _says(block.text, titles) and not block.text.startswith(("{", "[{"))]
    lead, blocks = lead_of(root, core, headline, blocks, title, teaser, is_boilerplate, marks.pictures)
    return Body(
        blocks=tuple(_without_ends(blocks)),
        lead=lead,
        removed=tuple(removals.found),
        headline=shown,
        page_text=page_text[:4000],
        whole_text=page_text,
        page_length=len(page_text),
        link_length=link_length,
        paragraphs=paragraphs,
        prose=prose,
        container=containers.marked(container, is_plain),
    )


def _remove(page: etree._Element, remove: Sequence[str], removals: Removals) -> None:
    """Take out what a source's selectors choose."""
    for element in _selected(page, remove):
        removals.add(element, "site")
        delete(element)


def _cut(headline: etree._Element, text: str) -> None:
    """A field that has overflowed is more text than the article, and would be taken for it."""
    for child in list(headline):
        headline.remove(child)
    headline.text = text


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _body(tree: html.HtmlElement) -> etree._Element:
    body = tree.find("body")
    return tree if body is None else body


def _container(
    page: etree._Element,
    headline: etree._Element | None,
    known: Known | None,
    removals: Removals,
    fields: Sequence[etree._Element],
    names: bool,
) -> tuple[etree._Element, etree._Element, int, int]:
    """The element that holds the article, cleaned; the part of the page that was looked at; and how many characters of
    prose are left on that, where the container had to be found.
    """
    if known:
        root = _around((*known.elements, headline), page)
        _, prose = prune(root, (headline, *known.elements), removals, set(fields))
        return _gathered(known.elements), root, 0, prose
    mark_chronology(page, headline)
    left, prose = prune(page, (headline,), removals, set(fields), names)
    masses = masses_of(left)
    return core_of(page, masses, headline), page, masses.get(page, 0), prose


def _around(elements: Sequence[etree._Element | None], page: etree._Element) -> etree._Element:
    """The smallest element around all of *elements*; the rest of the page need not be looked at."""
    first, *others = (element for element in elements if element is not None)
    above = [{other, *other.iterancestors()} for other in others]
    return next((each for each in first.iterancestors() if all(each in one for one in above)), page)


def _selected(root: etree._Element, expressions: Sequence[str]) -> list[etree._Element]:
    """The elements that a source's selectors choose, those inside of others left out."""
    found = [
        each for expression in expressions for each in selector(expression)(root) if hasattr(each, "iterancestors")
    ]
    every = set(found)
    return [each for each in dict.fromkeys(found) if every.isdisjoint(each.iterancestors())]


def _gathered(chosen: Sequence[etree._Element]) -> etree._Element:
    """One element that holds all that is known of the container, in its order."""
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


def _trafilatura(root: etree._Element, fast: bool) -> list[Block]:
    document = bare_extraction(root, options=_FAST if fast else _FULL)
    return list(blocks_in(document.body)) if isinstance(document, Document) else []


def _same(one: list[Block], other: list[Block]) -> bool:
    """Whether both say the same. Where they begin and end alike nothing is compared but what is between."""
    texts, others = [block.text for block in one], [block.text for block in other]
    for end in (0, -1):
        while texts and others and texts[end] == others[end]:
            del texts[end], others[end]
    return plain("".join(texts)) == plain("".join(others))


def by_trafilatura_alone(tree: html.HtmlElement) -> list[Block]:
    """The blocks that trafilatura finds on a page that nobody has touched: the last resort."""
    return _trafilatura(tree, fast=False)


def _says(text: str, titles: set[str]) -> bool:
    """Whether a block is one of *titles* and nothing else; a paragraph many times as long need not be spelled out."""
    return len(text) <= 3 * max(map(len, titles)) + 40 and plain(text) in titles


def _without_ends(blocks: list[Block]) -> list[Block]:
    """A heading with nothing under it is not the article's."""
    while blocks and blocks[-1].kind == "heading":
        blocks = blocks[:-1]
    return blocks
