"""Selectors as source files have them: CSS with what Scrapy adds to it, or XPath."""

from __future__ import annotations


def is_xpath(selector: str) -> bool:
    """``.byline`` is CSS; XPath begins with ``/``, ``./``, ``.//`` or a bracket."""
    return selector.startswith(("/", "./", "("))


def as_xpath(selector: str) -> str:
    """*selector* in XPath. Raises ``cssselect.SelectorError`` where it is no CSS."""
    if is_xpath(selector):
        return selector
    from parsel.csstranslator import HTMLTranslator  # loaded in each reader, and most sections name no selector

    return HTMLTranslator().css_to_xpath(selector)
