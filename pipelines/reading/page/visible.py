"""What a reader sees of a page: its strings of text in order, and how far each stands from the headline.

Computed once, on first use: pages that state everything for machines never pay for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from itertools import accumulate
from typing import Any

from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.reading.page.structured import text_of

_STRINGS = XPath("descendant::text()[normalize-space()]")
_UNSEEN = frozenset(("script", "style", "noscript", "template", "option", "textarea", "svg", "title"))


class VisibleText:
    """The visible strings of *tree*, or of the part of it *within* an element. ``texts`` are on one line each and never
    empty.
    """

    def __init__(self, tree: Element, heading: Element | None = None, within: Element | None = None):
        self.root = tree if within is None else within
        self._whole = within is None
        self.heading = heading

    @cached_property
    def _read(self) -> tuple[list[Any], list[str]]:
        strings, texts = [], []
        body = self.root.find("body") if self._whole else self.root
        for string in _STRINGS(body) if body is not None else ():
            text = " ".join(string.split())
            if text and not (len(text) > 200 and string.is_text and string.getparent().tag in _UNSEEN):
                strings.append(string)
                texts.append(text)
        return strings, texts

    @cached_property
    def texts(self) -> list[str]:
        return self._read[1]

    def element(self, index: int) -> Element | None:
        """The element that string *index* is text of; None where that is never shown."""
        string = self._read[0][index]
        element = string.getparent()
        if string.is_tail and element.getparent() is not None:
            element = element.getparent()
        return None if element.tag in _UNSEEN else element

    @cached_property
    def above(self) -> frozenset[Element]:
        """The elements around the headline: what holds it as well as something else is the article's own."""
        return frozenset(self.heading.iterancestors()) if self.heading is not None else frozenset()

    @cached_property
    def _begins(self) -> list[int]:
        return list(accumulate(map(len, self.texts), initial=0))

    @cached_property
    def headline(self) -> tuple[int, int] | None:
        """The first string of the headline and the one after its last; None if the page shows none."""
        if self.heading is None:
            return None
        pieces = [" ".join(piece.split()) for piece in self.heading.itertext()]
        pieces = [piece for piece in pieces if piece]
        if not pieces:
            return None
        for index in self._places_of(pieces[0]):
            if self.texts[index : index + len(pieces)] == pieces:
                element = self.element(index)
                if element is not None and (element is self.heading or self.heading in element.iterancestors()):
                    return index, index + len(pieces)
        return None

    def _places_of(self, text: str) -> Iterator[int]:
        """Where *text* stands among the strings; ``list.index`` compares in C."""
        index = -1
        with suppress(ValueError):
            while True:
                index = self.texts.index(text, index + 1)
                yield index

    def distance(self, index: int) -> int | None:
        """Characters of text between the headline and string *index*, negative before it; None without a headline."""
        if self.headline is None:
            return None
        first, after = self.headline
        place = self._begins[index]
        return place - self._begins[after] if index >= after else place - self._begins[first]

    def around(self, index: int, step: int, strings: int = 2, longest: int = 60) -> str:
        """Up to two short strings right before (*step* -1) or behind (+1) string *index*: its label, its year, its
        clock.
        """
        found, texts, at = [], self.texts, index
        for _ in range(strings):
            at += step
            if not 0 <= at < len(texts) or len(texts[at]) > longest:
                break
            found.append(texts[at])
        return " ".join(found if step > 0 else reversed(found))


def just_above(heading: Element | None) -> Iterator[Element]:
    """The short pieces that stand before the heading, nearest first, up to the first longer one."""
    element, pieces = heading, 0
    for _ in range(3):
        if element is None:
            return
        for above in element.itersiblings(preceding=True):
            text = text_of(above, 90) if isinstance(above.tag, str) else ""
            if text:
                pieces += 1
                if len(text) > 80 or pieces > 3:
                    return
                yield above
        element = element.getparent()
