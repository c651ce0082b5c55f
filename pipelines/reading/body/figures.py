"""Figures that hold words instead of a picture: a letter that is quoted, a poem, a table, a program.

A quotation that stands in the text as well is set off to catch the eye and stays what a figure is taken for.
"""

from __future__ import annotations

import re

from lxml import etree

from pipelines.reading.body.blocks import plain
from pipelines.reading.page.tree import raw

_SHOWN = ("img", "picture", "video", "iframe", "canvas", "object", "embed", "audio", "amp-img", "amp-video")
_WORDS = ("blockquote", "pre", "code", "table", "ul", "ol", "dl", "math")
_EMBEDS = re.compile(
    r"twitter|tweet|instagram|tiktok|bluesky|mastodon|facebook|fb-post|reddit|threads|embed|x-post", re.I
)
_LEAST = 25  # letters
_COMPARED = 60


def open_figures(page: etree._Element) -> None:
    """Make the figures of *page* that hold words plain containers; their captions stay captions."""
    for headline in page.iter("h1"):  # a page that opens with a picture may set its headline and lead upon it
        for around in headline.iterancestors("figure", "figcaption"):
            around.tag = "div"
            around.attrib.pop("class", None)
    figures = [each for each in page.iter("figure") if _holds_words(each)]
    figures += [each for each in page.iter("aside") if _is_quotation(each)]
    if not figures:
        return
    whole = plain(raw(page))
    for figure in figures:
        quote = next(figure.iter("blockquote"), None)
        if quote is None or whole.count(plain(raw(quote))[:_COMPARED]) == 1:
            figure.tag = "div"
            figure.attrib.pop("class", None)


def _is_quotation(aside: etree._Element) -> bool:
    """Whether an aside is a quotation and nothing else."""
    quote = next(aside.iter("blockquote"), None)
    if quote is None or _EMBEDS.search(f"{aside.get('class') or ''} {quote.get('class') or ''}"):
        return False
    words = len(plain(raw(quote)))
    return words >= _LEAST and words * 1.2 + _LEAST >= len(plain(raw(aside))) and next(aside.iter("a"), None) is None


def _holds_words(figure: etree._Element) -> bool:
    words = next(figure.iter(*_WORDS), None)
    if words is None:
        words = next((each for each in figure.iterchildren("p", "div") if len(raw(each)) > 2 * _LEAST), None)
        if words is None or next(figure.iter(*_SHOWN), None) is not None:
            return False
    names = f"{figure.get('class') or ''} {words.get('class') or ''}"
    if words.tag in ("ul", "ol", "dl") and next(figure.iter(*_SHOWN), None) is not None:
        return False
    return len(plain(raw(words))) >= _LEAST and not _EMBEDS.search(names)
