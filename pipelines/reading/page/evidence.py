"""What a page says, read once: its tree, what it states for machines, what a reader sees of it, what led to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml.etree import _Element as Element

from pipelines.items import Hint
from pipelines.reading.page.structured import Structured
from pipelines.reading.page.visible import VisibleText

_LONGEST = 160  # characters of a candidate's value that are kept to be shown


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the fields are read from. Nothing in it changes after it was made.

    ``visible`` is the text that a reader sees, or the part of it where byline and date line are likely to stand;
    ``whole`` is all of it.
    """

    url: str
    tree: Element
    stated: Structured
    visible: VisibleText
    whole: VisibleText
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one *place* of a page says for a *field*: *value* as it stands there, *believed* as it was understood (None
    where it cannot be), *precision* of a time.
    """

    field: str
    place: str
    value: str
    believed: Any = None
    precision: str | None = None
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a field's ranking: its *name*, how to read it (``values`` gives what stands there and what it means),
    and *why* it stands where it does.
    """

    name: str
    values: Callable[[Any], Iterable[tuple[str, Any]]]
    why: str = ""
    provenance: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """A field's places in the order of trust."""

    field: str
    places: tuple[Place, ...] = field(default_factory=tuple)

    def table(self) -> str:
        """The ranking as docs/reading.md shows it."""
        head = "| place | provenance | why here |\n|---|---|---|\n"
        kinds = (", ".join(f"`{kind}`" for kind in place.provenance.split(", ") if kind) for place in self.places)
        return head + "".join(
            f"| {place.name} | {kind} | {place.why} |\n" for place, kind in zip(self.places, kinds, strict=True)
        )

    def candidates(self, source: Any) -> Iterator[Candidate]:
        """What every place says, the most trusted first, read only as far as it is asked for."""
        for place in self.places:
            for value, believed in place.values(source):
                precision = getattr(believed, "precision", None)
                yield Candidate(self.field, place.name, str(value)[:_LONGEST], believed, precision and str(precision))
