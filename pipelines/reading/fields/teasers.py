"""The sentence that announces an article, as its metadata state it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelines.items import Hint
from pipelines.reading.fields.title import squashed
from pipelines.reading.page.evidence import Place, Ranking
from pipelines.reading.page.structured import Structured, plain

_SHORTEST = 20  # characters


@dataclass(frozen=True, slots=True)
class Source:
    """What a teaser is read from; ``title`` is what it must not repeat."""

    stated: Structured
    hint: Hint | None
    title: str | None


def teaser_of(source: Source) -> str | None:
    """The first description that is no repetition of the title; one that was cut off ('...') only when no whole one is
    there.
    """
    kept: list[str] = [each.believed for each in TEASERS.candidates(source) if each.believed]
    return next((text for text in kept if not text.endswith(("...", "…"))), kept[0] if kept else None)


Values = Iterator[tuple[str, str | None]]


def _believed(text: str | None, source: Source) -> Values:
    if text:
        yield text, text if len(text) >= _SHORTEST and squashed(text) != squashed(source.title or "") else None


def _of_article(source: Source) -> Values:
    return _believed(plain(source.stated.article.get("description")), source)


def _of_meta(name: str) -> Callable[[Source], Values]:
    return lambda source: _believed(source.stated.first_meta(name), source)


def _of_hint(source: Source) -> Values:
    return _believed(source.hint.teaser if source.hint else None, source)


TEASERS = Ranking("teaser", (
    Place("JSON-LD `description`", _of_article),
    Place("`og:description`", _of_meta("og:description")),
    Place("meta `description`", _of_meta("description")),
    Place("`twitter:description`", _of_meta("twitter:description")),
    Place("meta `dc.description`", _of_meta("dc.description")),
    Place("the feed's entry", _of_hint),
))  # fmt: skip
