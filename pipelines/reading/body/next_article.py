"""Other articles that a page shows below its own, as sites with endless scrolling do: only its own is read.

They are known by having a headline of their own, in a container like the one of the page's headline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from urllib.parse import urljoin, urlsplit

from lxml import etree

from pipelines.reading.body.main_content import prose_in, prose_length
from pipelines.reading.body.removals import Removals
from pipelines.reading.fields.bylines import ARTICLE_ITEMS
from pipelines.reading.page.tree import delete, one_line, raw

RULE = "next article"
_LEAST_OWN, _LEAST_OTHER = 120, 200  # characters of prose in the page's own article and in another one
_MUCH_OWN = 600  # where the containers are not alike
_PARAGRAPH = 80
_ADDRESSES = ("data-url", "data-href", "data-article-url", "data-canonical", "data-permalink", "data-path", "itemid")


def prune_next_articles(
    page: etree._Element, headline: etree._Element | None, address: str, removals: Removals
) -> None:
    """Take the articles that follow the one of *headline* out of *page*."""
    if headline is None:
        return
    around = [each for each in headline.iterancestors() if each is not page]
    around = around[: around.index(page.getparent())] if page.getparent() in around else around
    own = [(each, each.tag, each.get("class") or "") for each in around]
    prose = cache(prose_length)  # each teaser on the page asks for that of the page's own containers
    is_behind = False
    for heading in list(page.iter("h1", "h2")):
        if heading is headline:
            is_behind = True
            continue
        if heading.getroottree().getroot() is not page.getroottree().getroot():
            continue  # it went with another one
        other = _article_of(heading, headline, own, address, prose)
        if other is None or not _is_article(other):
            other = _article_apart(heading, headline, around, prose) if is_behind else None
        if other is not None:
            removals.add(other, RULE)
            delete(other)
            prose.cache_clear()


def _article_of(
    heading: etree._Element,
    headline: etree._Element,
    own: Sequence[tuple[etree._Element, str, str]],
    address: str,
    prose: Callable[[etree._Element], int],
) -> etree._Element | None:
    """The container of another article around *heading*: one like a container of the page's own headline, of which
    *own* has each with its tag and its class. *prose* tells how many characters of it an element has.
    """
    around = {mine for mine, _, _ in own}
    for element in heading.iterancestors():
        if element in around or element.tag in ("body", "html", "main"):
            return None
        alike = [] if element.tag in ("header", "hgroup") else [each for each in own if each[1] == element.tag]
        is_named = element.get("itemtype") is not None or element.get("data-href") is not None
        if not alike and not is_named:
            continue
        is_other_address = _leads_away(element, heading, address) or _is_other_item(element)
        if is_other_address:
            alike = [each for each in own if each[1] in (element.tag, "article")]
        names = element.get("class") or ""
        is_sure = element.tag == "article" or is_other_address
        if not is_sure and not (names and _are_alike(heading, headline)):
            continue
        for mine, _, names_of_mine in alike:
            if not is_other_address and names_of_mine != names:
                continue
            if not _opens(heading, element) or prose(mine) < _LEAST_OWN:
                continue
            # one above the page's own must be as sure as can be: it may be the beginning of the same article
            is_first = mine.tag == "article" and heading.tag == "h1" and headline.tag == "h1"
            is_inside = is_other_address and _is_last_of(element, mine, prose)
            if is_inside or _follows(element, mine) or (is_first and _are_apart(element, mine)):
                return element
    return None


def _is_other_item(element: etree._Element) -> bool:
    item = element.get("itemtype")
    return item is not None and ARTICLE_ITEMS.search(item) is not None


def _are_alike(heading: etree._Element, headline: etree._Element) -> bool:
    """Whether two headings have the same tag, or the same class: that of the first article only may be an <h1>."""
    names = heading.get("class")
    return heading.tag == headline.tag or (bool(names) and names == headline.get("class"))


def _article_apart(
    heading: etree._Element,
    headline: etree._Element,
    around: Sequence[etree._Element],
    prose: Callable[[etree._Element], int],
) -> etree._Element | None:
    """The container of an article that another <h1> opens behind all of the page's own, whatever both are called:
    *heading* comes after *headline*, and *around* are the elements around that.
    """
    above = list(heading.iterancestors())
    ended = (mine for mine in around if mine not in above)
    if heading.tag != "h1" or headline.tag != "h1" or not any(prose(mine) >= _MUCH_OWN for mine in ended):
        return None
    for element in above:
        if element in around or element.tag in ("body", "html", "main"):
            return None
        if element.tag not in ("header", "hgroup") and _is_article(element):
            return element if _opens(heading, element) else None
    return None


def _leads_away(element: etree._Element, heading: etree._Element, address: str) -> bool:
    """Whether an element, or the link of its heading, names another address of the site than the page's."""
    values = [value for name in _ADDRESSES if (value := element.get(name))]
    if not values and element.tag == "article":
        link = next(heading.iter("a"), None)
        values = [link.get("href")] if link is not None and link.get("href") else []
    for value in values:
        try:
            here, there = urlsplit(address), urlsplit(urljoin(address, value))
        except ValueError:
            return False
        is_here = there.netloc == here.netloc or not here.netloc
        return is_here and len(there.path) > 1 and there.path.rstrip("/") != here.path.rstrip("/")
    return False


def _is_last_of(other: etree._Element, mine: etree._Element, prose: Callable[[etree._Element], int]) -> bool:
    """Whether *other* stands in *mine* as the only one of its kind, below its prose."""
    if mine not in other.iterancestors() or sum(1 for each in mine.iter(other.tag) if each is not mine) > 1:
        return False
    return prose(mine) - prose(other) >= _LEAST_OWN and other.getnext() is None


def _opens(heading: etree._Element, container: etree._Element) -> bool:
    """Whether a heading is the first thing of its container that reads like something."""
    for element in container.iter():
        if element is heading:
            return True
        text = raw(element) if element.tag == "p" else element.tail if element.tag == "br" else element.text
        if len(one_line(text or "")) >= _PARAGRAPH:
            return False
    return False


def _follows(other: etree._Element, mine: etree._Element) -> bool:
    """Whether *other* stands behind *mine* and not in it."""
    if mine in other.iterancestors():
        return False
    above = set(mine.iterancestors())
    shared = next((each for each in other.iterancestors() if each in above), None)
    if shared is None:
        return False
    for child in shared:
        if child is mine or mine in child.iterdescendants():
            return True
        if child is other or other in child.iterdescendants():
            return False
    return False


def _are_apart(one: etree._Element, other: etree._Element) -> bool:
    return one not in other.iterancestors() and other not in one.iterancestors()


def _is_article(element: etree._Element) -> bool:
    prose = prose_in(element)
    return sum(prose.values()) >= _LEAST_OTHER and len(prose) >= 2
