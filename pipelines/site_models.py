"""The site model: what a source's latest articles teach the reader. Pure; ``store.site_models`` stores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipelines.items import Article

if TYPE_CHECKING:
    # loaded where it is needed: it loads much of the reader, and the store is opened by commands that only look, too
    from pipelines.reading.body.repeated import Occurrence, Paragraph

#: a site model is made from so many of a source's latest articles: what does not return within them is forgotten
WINDOW = 400
#: and for the container at so many of them: after a redesign the old one is forgotten soon
LATEST = 40
#: shorter ones are stubs and video pages, whose container says little about the others'
READ_WELL = 600


@dataclass(frozen=True, slots=True)
class Read:
    """An article as a site model is made from it. ``copies`` of others are not looked at."""

    container: str | None
    length: int
    observed: Occurrence


@dataclass(frozen=True, slots=True)
class FittedModel:
    containers: tuple[str, ...] = ()
    repeated: tuple[Paragraph, ...] = ()


def observed(article: Article) -> Read:
    """An article that was just read, as ``observed_row`` has it from the database."""
    from pipelines.reading.body import repeated

    return observed_row(
        article.container,
        article.text,
        [piece.text for piece in article.removed if piece.rule == repeated.RULE],
        article.fetched_at.date(),
    )


def observed_row(container: str | None, text: str, again: Sequence[str], day: date) -> Read:
    from pipelines.reading.body.repeated import Occurrence

    return Read(container, len(text), Occurrence(day, tuple(text.split("\n\n")), tuple(again)))


def fit_site_model(articles: Sequence[Read]) -> FittedModel:
    """The site model of *articles*, the latest first."""
    from pipelines.reading.body import containers, repeated

    well = [each.container for each in articles[:LATEST] if each.length >= READ_WELL]
    return FittedModel(containers.agreed(well), repeated.repeated_in([each.observed for each in articles[:WINDOW]]))
