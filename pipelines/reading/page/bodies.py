"""The text of the article where only machines are told: JSON-LD, and the data from which a page's script makes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from lxml.etree import _Element as Element

from pipelines.reading.page.structured import LARGEST_SCRIPT, Structured

_LEAST = 240  # characters; with less it is no article
_DEEPEST = 30
_BEGINS = re.compile(r"(?:^|=)\s*(?=[{\[])")
_PARAGRAPH = re.compile(r"<p[\s>]", re.IGNORECASE)
# what a block of an article's text is kept under, and what every reference to another article has
_TEXT_KEYS = ("text", "content", "html", "value", "body")
_LINK_KEYS = frozenset(("url", "href", "link", "slug", "canonical_url", "website_url"))
_STEPS = ("step", "recipeInstructions", "itemListElement")


def stated_bodies(stated: Structured) -> Iterator[str]:
    """The texts that JSON-LD gives as the article's: ``articleBody``, else the steps of instructions as paragraphs."""
    nodes = (stated.article, *stated.typed("newsarticle", "article", "reportagenewsarticle", "blogposting"))
    texts = (_lines(node.get("articleBody") or node.get("text")) for node in nodes)
    yield from dict.fromkeys(text for text in texts if isinstance(text, str))
    for node in stated.typed("howto", "recipe"):
        yield "".join(map(_paragraph, (*_strings(node.get("description")), *_steps(node))))


def _lines(text: Any) -> Any:
    """A text that is a list of paragraphs as one."""
    return "\n".join(each for each in text if isinstance(each, str)) if isinstance(text, list) else text


def _steps(node: Any, depth: int = 0) -> Iterator[str]:
    for key in _STEPS if isinstance(node, dict) and depth < _DEEPEST else ():
        inner = node.get(key)
        for each in inner if isinstance(inner, list) else [inner]:
            if isinstance(each, dict):
                yield from (*_strings(each.get("name")), *_strings(each.get("text")), *_steps(each, depth + 1))
            yield from _strings(each)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value


def _paragraph(text: str) -> str:
    return text if _PARAGRAPH.search(text) else f"<p>{text if '<' in text else escape(text, quote=False)}</p>"


def data_bodies(scripts: Sequence[Element]) -> Iterator[str]:
    """The longest text of paragraphs in each of a page's scripts that hold data, the longest first."""
    found = (_longest(value) for script in scripts for value in _data_of(script.text or ""))
    yield from sorted(filter(None, found), key=len, reverse=True)


def _data_of(text: str) -> Iterator[Any]:
    begins = _BEGINS.search(text[:200]) if _LEAST <= len(text) <= LARGEST_SCRIPT else None
    if begins is None:
        return
    try:
        yield json.JSONDecoder().raw_decode(text, begins.end())[0]
    except (ValueError, RecursionError):
        return


def _longest(value: Any) -> str | None:
    """The longest of a value's strings that are paragraphs of HTML, and of its lists of blocks of text."""
    return max((text for text in _texts(value) if len(text) >= _LEAST), key=len, default=None)


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str) and len(value) >= _LEAST and len(_PARAGRAPH.findall(value)) >= 2:
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each, depth + 1)
    elif isinstance(value, list):
        blocks = list(_blocks(value))
        if len(blocks) >= 2:
            yield "".join(map(_paragraph, blocks))
        for each in value:
            yield from _texts(each, depth + 1)


def _blocks(items: Iterable[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, dict) and _LINK_KEYS.isdisjoint(item):
            text = next((text for key in _TEXT_KEYS for text in _strings(item.get(key))), None)
            if text and " " in text:
                yield text
