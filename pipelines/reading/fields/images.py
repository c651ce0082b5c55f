"""The article's main picture with its caption and credit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from pipelines.items import Image
from pipelines.reading.fields import bylines
from pipelines.reading.fields.canonical import absolute
from pipelines.reading.languages import either
from pipelines.reading.page.structured import Structured, plain, text_of


def image_of(tree: Element, structured: Structured, url: str, heading: Element | None) -> Image | None:
    """The article's main picture as stated, else the first figure beside the headline; caption and credit from JSON-LD,
    else from the figure that shows it.
    """
    value = structured.article.get("image") or structured.article.get("thumbnailUrl")
    value = structured.resolved(value[0] if isinstance(value, list) and value else value)
    caption = credit = None
    if isinstance(value, dict):
        caption = plain(value.get("caption") or value.get("description"))
        credit = plain(
            value.get("creditText") or value.get("author") or value.get("creator") or value.get("copyrightHolder")
        )
        value = value.get("url") or value.get("contentUrl")
        value = value[0] if isinstance(value, list) and value else value
    address = absolute(value if isinstance(value, str) else None, url) or absolute(
        structured.first_meta("og:image", "og:image:url", "og:image:secure_url", "twitter:image"), url
    )
    figure = _figure_of(tree, address) if address else _first_figure(heading)
    address = address or (absolute(_source(figure), url) if figure is not None else None)
    if address is None:
        return None
    said, named = _credit(caption)
    if figure is not None and not (said and (credit or named)):
        seen, by = _said_below(figure)
        said, named = said or seen, named or by
    return Image(address, said, credit or named)


_MOST_FIGURES = 8
_PICTURES = ("img", "amp-img", "source")


def _figure_of(tree: Element, address: str) -> Element | None:
    """The figure that shows the picture at *address* (in whatever size: the file's name tells)."""
    name = max(re.findall(r"[\w-]{6,}", urlsplit(address).path), key=len, default="")
    for figure in _figures(tree) if name else ():
        if any(name in f"{i.get('src')} {i.get('data-src')} {i.get('srcset')}" for i in figure.iter(*_PICTURES)):
            return figure
    return None


def _figures(tree: Element) -> Iterator[Element]:
    """The first elements that hold a picture with its caption."""
    for caption in islice(tree.iter("figcaption"), _MOST_FIGURES):
        around = islice(caption.iterancestors("figure"), 1)
        frame = next(around, caption.getparent())
        if frame is not None:
            yield frame


def _first_figure(heading: Element | None) -> Element | None:
    """The first figure with a picture and a caption in the article that holds the headline."""
    around = heading.iterancestors("article", "main", "body") if heading is not None else iter(())
    article = next(around, None)
    if article is None:
        return None
    for figure in _figures(article):
        if _source(figure) and not bylines.is_outside(figure.getparent()):
            return figure
    return None


def _source(figure: Element) -> str | None:
    """The address of a figure's picture, that of its first size where it has several."""
    for element in figure.iter(*_PICTURES):
        sizes = (element.get("srcset") or element.get("data-srcset") or "").split()
        for value in (element.get("data-src"), element.get("src"), *sizes[:1]):
            if value and not value.startswith("data:"):
                return str(value).strip(" ,")
    return None


_CREDIT_CLASS = re.compile(either("class_names.credit"), re.IGNORECASE)


def _said_below(figure: Element) -> tuple[str | None, str | None]:
    """A figure's caption and credit; the credit may be an element of its own."""
    element = figure.find(".//figcaption")
    if element is None:
        return None, None
    whole = text_of(element, 600)
    said, named = _credit(whole)
    for part in element.iterdescendants() if named is None else ():
        if isinstance(part.tag, str) and _CREDIT_CLASS.search(part.get("class") or ""):
            text = text_of(part, 200)
            if text and whole.endswith(text):
                return whole[: len(whole) - len(text)].strip(" |–-") or None, _credit(text)[1] or text.strip("()[] ")
    return said, named


_CREDIT = re.compile(
    rf"[\s(|/–-]*(?:©|\(c\)|{either('body.credit_label')}s?\s?:)"
    r"\s*(?P<who>[^©]{2,120}?)[\s)]*$",
    re.IGNORECASE,
)


def _credit(caption: str | None) -> tuple[str | None, str | None]:
    """Caption and credit apart: 'Der Hafen. Foto: Anna Muster/dpa' -> ('Der Hafen.', 'Anna Muster/dpa')."""
    caption = caption or ""
    match = _CREDIT.search(caption[-300:])
    if not match:
        return caption or None, None
    said = caption[: max(0, len(caption) - 300) + match.start()]
    return said.strip() or None, _balanced(match["who"].strip(" :;,"))


def _balanced(text: str) -> str:
    """*text* with the bracket closed that belonged to it and not around it."""
    return text + ")" if text.count("(") > text.count(")") else text
