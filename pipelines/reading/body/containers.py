"""Where a source's templates keep the article: a container's name, whether it is on a page, which ones are agreed on.

A container is named by the way down to it from the nearest element that has a name of its own: ``div.article-body`` or
``main#content>div>div``. Classes that change from page to page (numbers, build hashes, the article's categories) are
no part of it. A name that ends with ``!`` is of a container whose blocks trafilatura reads just as they stand there, so
that it need not be asked. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from lxml import etree

DEEPEST = 4  # unnamed elements on the way down; further in, a bare path is too likely to be another one's
# so many pages must have been read from a container before it is believed, and so much of what the source publishes
FEWEST_PAGES = 3
SMALLEST_SHARE = 0.1
# All together must be where most of the pages were read from: then a page without one is a sign.
LEAST_AGREEMENT = 0.7
# of the pages with one container, so few may have been read from another one inside or around it
MOST_DISPUTED = 0.1
PLAIN = "!"
FEWEST_PLAIN, MOSTLY_PLAIN = 8, 0.95
LEAST_PROSE = 0.6  # of the page's long paragraphs, that a known container must hold to be read alone

_LONG_PARAGRAPHS = etree.XPath("count(descendant::p[string-length() >= 80])")
# of this article and not of the template: what content management systems derive from its number, rubric and kind
_OF_THE_ARTICLE = re.compile(
    r"(?:category|cat|tag|author|format|status|type|term|rubric|ressort|section|topic|theme|paid|premium|free)[-_]",
    re.I,
)
_STABLE = re.compile(r"[A-Za-z][A-Za-z_-]{2,40}")
_HASH = re.compile(r"(?:css|sc|jsx|jss|emotion|svelte|styles?)[-_]+\w+|[a-z]+[A-Z][a-z]*[A-Z]\w{0,3}")


def name_of(element: etree._Element, root: etree._Element) -> str | None:
    """The container's name; None for one that has none near enough, and for the page itself."""
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None and node is not root and len(steps) <= DEEPEST:
        names = _names(node)
        steps.append(f"{node.tag}{names}")
        if names:
            return ">".join(reversed(steps))
        node = node.getparent()
    return None


def _names(element: etree._Element) -> str:
    identity, classes = element.get("id") or "", element.get("class") or ""
    return _stable_names(identity, classes) if identity or classes else ""


@lru_cache(maxsize=16_384)
def _stable_names(identity: str, classes: str) -> str:
    if _is_stable(identity):
        return f"#{identity}"
    stable = sorted({name for name in classes.split() if _is_stable(name)})
    return "".join(f".{name}" for name in stable[:6])


def _is_stable(name: str) -> bool:
    return bool(_STABLE.fullmatch(name)) and not _OF_THE_ARTICLE.match(name) and not _HASH.fullmatch(name)


def marked(container: str | None, is_plain: bool) -> str | None:
    """The name with the mark that its blocks can be read as they stand."""
    return f"{container}{PLAIN}" if container and is_plain else container


def known_on(root: etree._Element, containers: Sequence[str], paragraphs: int) -> tuple[etree._Element | None, bool]:
    """The page's container, where one of *containers* is on it, once, and holds its prose; and whether it is plain.

    *paragraphs* is the number of long paragraphs on the page. In doubt None: then the page is read in the general way.
    """
    for container in containers:
        found = list(_named(root, container.removesuffix(PLAIN)))
        if len(found) == 1:
            inside = int(_LONG_PARAGRAPHS(found[0]))
            if inside >= 2 and inside >= LEAST_PROSE * paragraphs:
                return found[0], container.endswith(PLAIN)
    return None, False


def _named(root: etree._Element, container: str) -> Iterator[etree._Element]:
    first, *below = container.split(">")
    tag = re.split(r"[#.]", first, maxsplit=1)[0]
    names = first[len(tag) :]
    attribute = "id" if names[0] == "#" else "class"
    some = names[1:].split(".", 1)[0]
    for element in root.iter(tag):
        if some in (element.get(attribute) or "") and _names(element) == names:
            yield from _down(element, below)


def _down(element: etree._Element, steps: Sequence[str]) -> Iterator[etree._Element]:
    if not steps:
        yield element
        return
    for child in element.iterchildren(steps[0]):
        if not _names(child):
            yield from _down(child, steps[1:])


def agreed(seen: Sequence[str | None]) -> tuple[str, ...]:
    """The containers that enough pages agree on; *seen* has one for each page, None where it has no name."""
    counts = Counter(container.removesuffix(PLAIN) for container in seen if container)
    plain = Counter(container.removesuffix(PLAIN) for container in seen if container and container.endswith(PLAIN))
    enough = max(FEWEST_PAGES, SMALLEST_SHARE * len(seen))
    good = [
        container
        for container, pages in counts.items()
        if pages >= enough
        and sum(counts[other] for other in counts if _is_near(container, other)) <= MOST_DISPUTED * pages
    ]
    if sum(counts[one] for one in good) < LEAST_AGREEMENT * len(seen):
        return ()
    good.sort(key=lambda container: (-counts[container], container))
    return tuple(
        f"{one}{PLAIN}" if plain[one] >= max(FEWEST_PLAIN, MOSTLY_PLAIN * counts[one]) else one for one in good
    )


def _is_near(one: str, other: str) -> bool:
    """Whether one of two containers is known to lie inside of the other."""
    return one != other and (one.startswith(f"{other}>") or other.startswith(f"{one}>"))
