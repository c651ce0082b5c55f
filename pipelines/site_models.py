"""The site model: what a source's latest articles teach the reader. Pure; ``store.site_models`` stores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import TYPE_CHECKING

from pipelines.items import Article

if TYPE_CHECKING:
    # loaded where it is needed: it loads much of the reader, and the store is opened by commands that only look, too
    from pipelines.reading.body.recurring import Occurrence, Paragraph
    from pipelines.reading.rules import SiteModel

#: a site model is made from so many of a source's latest articles: what does not return within them is forgotten
WINDOW = 400
#: and for the container at so many of them: after a redesign the old one is forgotten soon
LATEST = 40
#: shorter ones are stubs and video pages, whose container says little about the others'
READ_WELL = 600
#: texts that a new container, or without what is said to repeat, would be shorter than this share of the others
SHRUNK = 0.6
#: so many articles with the new container and without it are needed to compare them
COMPARED = 3


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
    from pipelines.reading.body.recurring import Occurrence

    return Read(container, len(text), Occurrence(day, tuple(text.split("\n\n")), tuple(again)))


def fit_site_model(articles: Sequence[Read]) -> FittedModel:
    """The site model of *articles*, the latest first."""
    from pipelines.reading.body import containers, recurring

    well = [each.container for each in articles[:LATEST] if each.length >= READ_WELL]
    return FittedModel(containers.agreed(well), recurring.repeated_in([each.observed for each in articles[:WINDOW]]))


def shrinks(articles: Sequence[Read], model: FittedModel, known: SiteModel) -> str:
    """Why *model* must not come into force because texts would be much shorter with it; "": it may.

    Who serves empty pages, or only their first paragraph, would otherwise teach the reader to look for no more.
    """
    from pipelines.reading.body import containers
    from pipelines.reading.body.recurring import key_of

    before = {name.removesuffix(containers.PLAIN) for name in known.containers}
    new = {name.removesuffix(containers.PLAIN) for name in model.containers} - before
    with_new = [each.length for each in articles if (each.container or "").removesuffix(containers.PLAIN) in new]
    others = [each.length for each in articles if (each.container or "").removesuffix(containers.PLAIN) not in new]
    if min(len(with_new), len(others)) >= COMPARED and median(with_new) < SHRUNK * median(others):
        name = ", ".join(sorted(new))
        return f"texts in {name} have {median(with_new):.0f} characters, the others {median(others):.0f}"
    keys = {each.key for each in model.repeated} - known.repeated
    left = []
    for each in articles:
        lengths = [(len(text), key_of(text) in keys) for text in each.observed.paragraphs] if keys else []
        if any(is_taken for _, is_taken in lengths):
            whole = sum(length for length, _ in lengths)
            left.append(sum(length for length, is_taken in lengths if not is_taken) / max(whole, 1))
    if len(left) >= COMPARED and median(left) < SHRUNK:
        return f"without what repeats, {100 * median(left):.0f} % of the texts would be left"
    return ""
