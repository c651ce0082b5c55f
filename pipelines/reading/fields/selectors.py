"""The selectors of a source's own rules (``[read]`` in its file)."""

from __future__ import annotations

from functools import lru_cache

from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.reading.page.structured import plain, text_of
from pipelines.selectors import as_xpath


@lru_cache(maxsize=512)
def selector(expression: str) -> XPath:
    """A compiled selector. Raises lxml's XPathError or cssselect's SelectorError."""
    return XPath(as_xpath(expression))


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
