"""Pages that are neither an article nor refused: of a service, a shop, a forum, a company. They are kept as ``other``.

To refuse them would cost articles that look like them. To keep them as articles would let a consumer count a shop's
page as news. So they are marked, and whoever wants articles asks for the kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from pipelines.reading.languages import either
from pipelines.reading.verdict.page_classifier import Read, declares_article, list_of_posts
from pipelines.reading.verdict.signs import Signs

_ARTICLES = re.compile(r"newsarticle|^article$|blogposting|liveblogposting|^report$|analysis|opinion", re.IGNORECASE)
_OTHER_TYPES = frozenset((
    "product", "productgroup", "offer", "aggregateoffer", "og:product", "product.item", "product.group", "jobposting",
    "event", "localbusiness", "store", "restaurant", "hotel", "realestatelisting", "course", "softwareapplication",
    "webapplication", "discussionforumposting", "qapage", "profilepage", "profile", "contactpage", "aboutpage",
    "faqpage", "checkoutpage", "searchresultspage", "collectionpage", "book", "musicalbum", "service", "dataset",
))  # fmt: skip
_FORUM = re.compile(
    r"/(?:forums?|threads?|topics?|boards?|community|showthread|viewtopic|viewforum|f\d{1,4}|questions?)(?:[/.?-]|$)",
    re.IGNORECASE,
)
_SHOP = re.compile(
    rf"/(?:shop|store|products?|cart|checkout|account|item|dp)(?:[/.?]|$)|/{either('verdict.shop_paths')}(?:[/.?]|$)",
    re.IGNORECASE,
)
_SERVICE_PATH = re.compile(
    rf"/(?:about(?:-us)?|contact|privacy(?:-policy)?|terms(?:-[a-z-]{{2,30}})?|imprint|legal(?:-notice)?|faq|help|support"
    rf"|jobs|careers?|advertis[a-z]{{2,5}}|press|subscribe|newsletter|login|search|sitemap|{either('verdict.service_paths')})"
    r"(?:\.\w{2,5})?/?$",
    re.IGNORECASE,
)
_SERVICE_TITLE = re.compile(either("verdict.service_titles"), re.IGNORECASE)


def why_other(read: Read, seen: Signs, authors: Sequence[str]) -> str | None:
    """What tells that an accepted page is no article, or None. A page that states an article and its date is one."""
    is_stated = any(_ARTICLES.search(name) for name in read.types)
    if is_stated and read.is_dated:
        return None
    if found := list_of_posts(read, seen):
        return found
    others = sorted(read.types & _OTHER_TYPES)
    if others and not is_stated:
        return f"calls itself {others[0]}"
    path = unquote(urlsplit(read.url).path)
    if _SERVICE_PATH.search(path) or any(
        text and _SERVICE_TITLE.fullmatch(text.strip(" .!:|–-")) for text in (read.title, read.headline)
    ):
        return "address or headline of a service page"
    if not is_stated and (_FORUM.search(path) or _SHOP.search(path)):
        return "address of a forum or shop"
    if not declares_article(read.types) and not read.is_dated and not authors:
        return "neither declared an article nor dated nor signed"
    return None
