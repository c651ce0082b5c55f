"""Selectors as source files have them: CSS with what Scrapy adds to it, or XPath."""

from __future__ import annotations


def is_xpath(selector: str) -> bool:
    """``.byline`` is CSS; XPath begins with ``/``, ``./``, ``.//`` or a bracket."""
    return selector.startswith(("/", "./", "("))


def as_xpath(selector: str) -> str:
    """*selector* in XPath. Raises ``cssselect.SelectorError`` where it is no CSS."""
    if is_xpath(selector):
        return selector
    if "::" in selector:  # ::text and ::attr(name), which are Scrapy's: loaded in each reader, and few sources have one
        from parsel.csstranslator import HTMLTranslator as ScrapyTranslator

        return ScrapyTranslator().css_to_xpath(selector)
    from cssselect import HTMLTranslator  # a command that only looks does without

    return HTMLTranslator().css_to_xpath(selector)
