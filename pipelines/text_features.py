"""What the store wants to know of an article's words: keys, bands, corrections, their number. Pure.

It takes ten times as long as everything else that is done to a page before it is stored. So whoever reads the page, in
a process of its own, works it out as well, and it travels with the article.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from pipelines import revisions, stories
from pipelines.items import Article, Page
from pipelines.reading import fingerprint
from pipelines.storable import clean

#: characters; the features of a longer text, which may have been made to take seconds, are no part of reading it
LONG_TEXT = 20_000
#: characters up to which a reader finds them nevertheless: 7 ms, and 0.2 s where the text was made for it
READ_ALONG = 60_000


class Limits:
    """``pydantic.Field`` for whoever checks an answer; the readers that give it are spared pydantic, which would take
    a twelfth of their start."""

    def __init__(self, **limits: object):
        self._limits = limits

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return handler(source) | self._limits


Key = Annotated[str, Limits(pattern=r"^[0-9a-f]{32}$")]
Band = Annotated[int, Limits(ge=-(1 << 63), lt=1 << 63)]
Term = Annotated[int, Limits(ge=-(1 << 31), lt=1 << 31)]
Prominence = Annotated[float, Limits(ge=0, le=1000, allow_inf_nan=False)]
Bands = Annotated[list[Band], Limits(min_length=1, max_length=fingerprint.MOST_BANDS)]


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """Of one article on one page. Keys are 16 bytes in hex digits; ``text_key`` is None where there is no text.

    ``terms`` and how prominent each is are ``stories.counted`` of the wording, empty where nobody has counted.
    """

    text_key: Key | None
    content_key: Key
    body_key: Key
    bands: Bands | None
    correction: str | None
    word_count: int
    terms: Annotated[tuple[Term, ...], Limits(max_length=stories.MOST_TERMS)] = ()
    prominence: Annotated[tuple[Prominence, ...], Limits(max_length=stories.MOST_TERMS)] = ()


def features_of(page: Page, article: Article) -> TextFeatures:
    """The features of *article*, which was read from *page*, as it will be stored."""
    title, teaser, text = clean(article.title.strip()), clean(article.teaser), clean(article.text.strip())
    return TextFeatures(
        text_key=fingerprint.text_key(text).hex() if text else None,
        content_key=fingerprint.content_key(title, teaser, text).hex(),
        body_key=fingerprint.body_key([page.body, *(part.body for part in page.more)]).hex(),
        bands=fingerprint.bands(text),
        correction=revisions.correction(text, [clean(piece.text) for piece in article.removed]),
        word_count=len(text.split()),
    )


def with_terms(features: TextFeatures, article: Article) -> TextFeatures:
    """*features* of *article* and what stories ask of its words, which the store needs after the page's run only."""
    counted = stories.counted(clean(article.title.strip()), clean(article.teaser), clean(article.text.strip()))
    return replace(features, terms=tuple(counted), prominence=tuple(counted.values()))
