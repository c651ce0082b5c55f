"""The selectors of a source's own rules (``[read]`` in its file)."""

from __future__ import annotations

from functools import lru_cache

from lxml.cssselect import CSSSelector
from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.reading.page.structured import plain, text_of
from pipelines.selectors import as_xpath, is_xpath


@lru_cache(maxsize=512)
def selector(expression: str) -> XPath | CSSSelector:
    """A compiled selector. Raises lxml's or cssselect's SyntaxError."""
    if is_xpath(expression) or "::" in expression:  # ::text and ::attr(name), of which lxml knows nothing
        return XPath(as_xpath(expression))
    return CSSSelector(expression, translator="html")


def select(tree: Element, expression: str | None) -> list[str]:
    """The texts (or attribute values) that a source's rule selects, without empty ones."""
    if not expression:
        return []
    result = selector(expression)(tree)
    found = result if isinstance(result, list) else [result]
    texts = []
    for each in found[:50]:
        if isinstance(each, str):
            texts.append(plain(each))
        elif hasattr(each, "itertext"):
            texts.append(each.get("content") or each.get("datetime") or text_of(each))
    return [text for text in texts if text]
