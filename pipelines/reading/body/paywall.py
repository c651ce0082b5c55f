"""Whether everybody may read the article, by what the page says, and else by how a stub looks; scrambled text known.

A page that offers a subscription is not behind one: only a prompt that speaks of going on with *this* article counts,
and only where the text is short or breaks off. In doubt nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element as Element

from pipelines.reading.languages import either, sorted_either, words
from pipelines.reading.page.evidence import Place, Ranking
from pipelines.reading.page.structured import Structured, text_of

# compared with the page's text in lower case, which is several times as fast as ignoring case
_PROMPT = re.compile(rf"\b{sorted_either('paywall.prompts')}")
# what a container of the article is called when the page is locked; 'no-paywall' and 'paywall-free' are none
_LOCKED = re.compile(
    r"(?<![a-z])(?<!no-)(?<!not-)(?<!without-)"
    r"(?:pay-?wall(?:ed)?|paid(?:-?(?:content|article))?|premium-?(?:article|content)"
    r"|plus-?(?:article|content)|(?:is-|article-|content-)?locked|is-premium|is-paid"
    rf"|{either('class_names.locked')})"
    r"(?![a-z])(?!-?(?:free|disabled|off|inactive|open|false))",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?:。！？।؟۔][\"“”»«'’)\]」』]*\Z|\)\Z|[\u0e00-\u0eff]\Z")
_CUT = ("...", "…", "[...]", "[…]")
_SHORT, _VERY_SHORT = 200, 120  # words; most stubs have less than a hundred, nearly no article has


@dataclass(frozen=True, slots=True)
class Source:
    """What a page says for machines of who may read it; ``tree`` tells whether it has the part that is locked."""

    stated: Structured
    tree: Element


def stated(structured: Structured, tree: Element) -> bool | None:
    """What the page says for machines. A meter is neither; a locked part counts where the page has that part."""
    found = (each.believed for each in ACCESS.candidates(Source(structured, tree)))
    return next((said for said in found if said is not None), None)


Values = Iterator[tuple[str, bool | None]]


def _told(values: Iterable[Any]) -> Values:
    yield from ((str(value), _truth(value)) for value in values if value is not None)


def _of_article(source: Source) -> Values:
    return _told([source.stated.article.get("isAccessibleForFree")])


def _of_others(source: Source) -> Values:
    nodes = source.stated.typed("newsarticle", "article", "webpage")
    return _told(node.get("isAccessibleForFree") for node in nodes)


def _of_micro(source: Source) -> Values:
    elements = source.stated.micro.get("isaccessibleforfree", ())[:1]
    return _told(element.get("content") or text_of(element, 20) for element in elements)


def _of_parts(source: Source) -> Values:
    for part in _listed(source.stated.article.get("hasPart")):
        if isinstance(part, dict):
            yield str(part.get("cssSelector")), False if _is_locked_part(part, source.tree) else None


def _of_tier(source: Source) -> Values:
    tier = (source.stated.first_meta("article:content_tier", "og:article:content_tier") or "").lower()
    if tier:
        yield tier, {"free": True, "locked": False}.get(tier)


ACCESS = Ranking("access", (
    Place("JSON-LD `isAccessibleForFree` of the page's own article", _of_article),
    Place("the same of its web page or another of its articles", _of_others),
    Place("microdata `isAccessibleForFree`", _of_micro),
    Place("JSON-LD `hasPart` that is locked", _of_parts, "where the page has that part"),
    Place("`article:content_tier`", _of_tier, "`free` or `locked`; a meter is neither"),
))  # fmt: skip


def _listed(value: Any) -> list[Any]:
    return value[:20] if isinstance(value, list) else [value]


def _truth(value: Any) -> bool | None:
    value = value[0] if isinstance(value, list) and value else value
    if isinstance(value, bool):
        return value
    word = value.strip().lower().rsplit("/", 1)[-1] if isinstance(value, str) else ""
    return {"true": True, "false": False}.get(word)


def _is_locked_part(part: Any, tree: Element) -> bool:
    if not isinstance(part, dict) or _truth(part.get("isAccessibleForFree")) is not False:
        return False
    selectors = [each for each in _listed(part.get("cssSelector")) if isinstance(each, str) and len(each) < 200]
    return any(_selects(each, tree) for each in selectors)


def _selects(selector: str, tree: Element) -> bool:
    """Whether the CSS *selector* takes anything; what is no selector takes nothing."""
    from cssselect import SelectorError  # as long as a page takes, and one page in 180 has a selector
    from lxml.cssselect import CSSSelector

    try:
        return bool(CSSSelector(selector, translator="html")(tree))
    except (SelectorError, ValueError):
        return False


def marked(tree: Element, heading: Element | None) -> bool:
    """Whether what holds the headline is named as locked."""
    body = tree.find("body")
    around = [body, *heading.iterancestors()] if heading is not None else [body]
    return any(_LOCKED.search(each.get("class") or "") for each in around if each is not None)


def looks_locked(text: str, page_text: str, is_marked: bool) -> bool:
    """Whether *text* is what is left before a paywall: it is short or breaks off, and the page asks for more."""
    words = text.count(" ") + text.count("\n")
    cut = breaks_off(text)
    if words >= _SHORT and not cut:
        return False
    if is_marked and (cut or words < _VERY_SHORT):
        return True
    return asks_for_payment(page_text)


def asks_for_payment(page_text: str) -> bool:
    """Whether a page offers to go on with *this* article for money or a registration."""
    return any(_PROMPT.search(piece) for piece in _around_words(page_text))


# Every prompt has one of these; to look for them first is a quarter of the work.
_PROMPT_WORDS = tuple(sorted(words("paywall.words")))
_NEAR = 160  # characters; no prompt is longer


def _around_words(text: str) -> Iterator[str]:
    """The pieces of *text*, in small letters, around the words that prompts have."""
    small = text.lower() + " "
    places = []
    for word in _PROMPT_WORDS:
        at = small.find(word)
        while at >= 0:
            places.append(at)
            at = small.find(word, at + _NEAR)
    begin = end = -1
    for at in sorted(places):
        if at - _NEAR > end:
            if end > 0:
                yield small[max(begin, 0) : end]
            begin = at - _NEAR
        end = at + 2 * _NEAR
    if end > 0:
        yield small[max(begin, 0) : end]


def breaks_off(text: str) -> bool:
    """Whether the text ends within a sentence."""
    end = text.rstrip()[-40:]
    return bool(end) and (end.endswith(_CUT) or not _SENTENCE_END.search(end))
