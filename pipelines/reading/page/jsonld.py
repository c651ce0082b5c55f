"""JSON-LD as pages write it: strict JSON first, then what can be made of it."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from pipelines.reading.page.json_mending import mend

ARTICLE_TYPES = frozenset(
    [
        "newsarticle",
        "article",
        "reportagenewsarticle",
        "analysisnewsarticle",
        "opinionnewsarticle",
        "backgroundnewsarticle",
        "reviewnewsarticle",
        "asknewsarticle",
        "advertisercontentarticle",
        "satiricalarticle",
        "blogposting",
        "liveblogposting",
        "socialmediaposting",
        "report",
        "techarticle",
        "scholarlyarticle",
        "discussionforumposting",
        "review",
        "criticreview",
        "recipe",
        "creativework",
        "howto",
    ]
)
_OPENING = re.compile(r"\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)")
_CLOSING = ("-->", "//]]>", "/*]]>*/", "// ]]>", "]]>", "//", "/*", "*/")
_SAVED = re.compile(
    r'"(headline|alternativeHeadline|datePublished|dateModified|dateCreated|description|articleSection|@type|url|name|isAccessibleForFree)"'
    r'\s*:\s*("(?:[^"\\]|\\.){0,2000}"|true|false)'
)
_SAVED_AUTHOR = re.compile(r'"author"\s*:\s*\[?\s*\{[^{}]{0,500}?"name"\s*:\s*("(?:[^"\\]|\\.){0,200}")')


_ESCAPED_QUOTE = re.compile(r"&(?:amp;)?(?:quot|#0{0,4}34|#[xX]0{0,4}22);")
_TYPED = str.maketrans("“”„", '"""')  # a text editor's quotes in place of JSON's

# Escapes of a JSON string: two halves of a character; what no text can have (it sets ``none``); any other.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|00(?:0[0-8bcefBCEF]|1[0-9a-fA-F]|7[fF]))(?P<none>)|.)",
    re.DOTALL,
)


def loads(text: str) -> list[Any]:
    """The values in a JSON-LD script, however badly written; [] when nothing can be saved.

    No string in them has a NUL, another control character or half a character.
    """
    if '"schema:' in text:  # the vocabulary's prefix before every name
        text = text.replace('"schema:', '"')
    if "\\u" in text:
        text = _ESCAPE.sub(lambda escape: escape[0] if escape["none"] is None else "", text)
    try:
        value = json.loads(text, strict=False)
        if not isinstance(value, str):
            return [value]
    except (ValueError, RecursionError):
        text = _unwrapped(text)
    text = _unescaped(text)
    values, at = _values(text)
    if not text[at:].strip():
        return values
    mended = [value for value in _values(mend(text[at:]))[0] if isinstance(value, (dict, list))]
    if mended:
        return [*values, *mended]
    saved = _saved(text[at:])
    return [*values, saved] if saved else values


def _unescaped(text: str) -> str:
    """*text* as it was before a template escaped all of it: for HTML, once or twice, or as a string of its own."""
    for _ in range(2):
        if len(_ESCAPED_QUOTE.findall(text)) <= text.count('"'):
            break
        text = unescape(text)
    if (text.startswith('"') and text.endswith('"')) or text.startswith('{\\"'):
        text = text.removeprefix('"').removesuffix('"').replace('\\"', '"')
    return text.translate(_TYPED) if text.count("“") > text.count('"') else text


def _values(text: str) -> tuple[list[Any], int]:
    """The values that *text* begins with, one behind the other, and where what is none begins."""
    decoder, at = json.JSONDecoder(strict=False), 0
    values: list[Any] = []
    text = text.lstrip("\ufeff \t\r\n,;")
    try:
        while at < len(text) and len(values) < 50:
            value, at = decoder.raw_decode(text, at)
            values.append(value)
            at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,;"))
    except (ValueError, RecursionError):
        pass
    return values, at


def _unwrapped(text: str) -> str:
    """*text* without the comment or CDATA marks around it."""
    opening = _OPENING.match(text)
    text = text[opening.end() :] if opening else text
    for closing in _CLOSING:
        text = text.rstrip(" \t\r\n;").removesuffix(closing)
    return text.rstrip(" \t\r\n;")


def _saved(text: str) -> dict[str, Any]:
    """The simple fields of an object that does not parse: the first of each name, which is the outermost in
    practice.
    """
    saved: dict[str, Any] = {}
    for name, value in _SAVED.findall(text[:100_000]):
        if name not in saved:
            try:
                saved[name] = json.loads(value, strict=False)
            except ValueError:
                continue
    author = _SAVED_AUTHOR.search(text[:100_000])
    if author and saved:
        try:
            saved["author"] = {"name": json.loads(author[1], strict=False)}
        except ValueError:
            return saved
    if "headline" in saved and types_of(saved).isdisjoint(ARTICLE_TYPES):
        saved["@type"] = "Article"
    return saved


def types_of(node: dict[str, Any]) -> set[str]:
    """The types of a JSON-LD object, lower-case, without the vocabulary's address."""
    types = node.get("@type")
    if isinstance(types, str):
        types = [types]
    return (
        {re.split(r"[/:#]", t)[-1].lower() for t in types if isinstance(t, str)} if isinstance(types, list) else set()
    )
