"""What was taken from a page and under which rule, for people who ask why."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from pipelines.items import Removed
from pipelines.reading.page.tree import one_line, raw

_REMOVED_LENGTH, _REMOVED_COUNT = 500, 200


@dataclass(slots=True)
class Removals:
    """Collects what is taken from the page, bounded, for people who ask why."""

    found: list[Removed] = field(default_factory=list)

    def add(self, element: etree._Element, rule: str) -> None:
        """Note that *element* goes under *rule*."""
        if len(self.found) < _REMOVED_COUNT and (text := one_line(raw(element)[: 8 * _REMOVED_LENGTH])):
            self.found.append(Removed(text[:_REMOVED_LENGTH], rule))
