"""What a source's latest articles teach the reader: a lesson. Pure; ``store.learning`` keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.items import Article
from pipelines.reading.body import containers, repeated
from pipelines.reading.body.repeated import Paragraph, Told

#: a lesson looks at so many of a source's latest articles: what does not return within them is forgotten
WINDOW = 400
#: and for the container at so many of them: after a redesign the old one is forgotten soon
LATEST = 40
#: shorter ones are stubs and video pages, whose container says little about the others'
READ_WELL = 600


@dataclass(frozen=True, slots=True)
class Read:
    """An article as a lesson looks at it. ``copies`` of others are not looked at."""

    container: str | None
    length: int
    told: Told


@dataclass(frozen=True, slots=True)
class Lesson:
    containers: tuple[str, ...] = ()
    repeated: tuple[Paragraph, ...] = ()


def told(article: Article) -> Read:
    """An article that was just read, as ``row_told`` has it from the database."""
    return row_told(
        article.container,
        article.text,
        [piece.text for piece in article.removed if piece.rule == repeated.RULE],
        article.fetched_at.date(),
    )


def row_told(container: str | None, text: str, again: Sequence[str], day: date) -> Read:
    return Read(container, len(text), Told(day, tuple(text.split("\n\n")), tuple(again)))


def lesson_of(articles: Sequence[Read]) -> Lesson:
    """The lesson of *articles*, the latest first."""
    well = [each.container for each in articles[:LATEST] if each.length >= READ_WELL]
    return Lesson(containers.agreed(well), repeated.repeated_in([each.told for each in articles[:WINDOW]]))
