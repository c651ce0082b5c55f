"""Pages of long lists, by cursor: what was added or removed in between shifts nothing."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")
PAGE = 40
LARGEST_PAGE = 200


class BadCursor(ValueError):
    """The cursor is none that was given out for this list."""


@dataclass(frozen=True, slots=True)
class Page:
    """At most *size* rows, those after the row that *after* names (None: from the first)."""

    size: int = PAGE
    after: tuple[Any, ...] | None = None


FIRST = Page()


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of a list; ``next`` is the cursor of the page behind it, None where there is none."""

    rows: list[dict[str, Any]]
    next: str | None = None

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def cursor(values: Sequence[Any]) -> str:
    """A cursor as it stands in an address."""
    plain = [{"t": value.isoformat()} if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).rstrip(b"=").decode()


def position(text: str, kinds: Sequence[type]) -> tuple[Any, ...]:
    """The values of a cursor. Raises BadCursor where they are not of these *kinds*."""
    try:
        values = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        found = [datetime.fromisoformat(v["t"]) if isinstance(v, dict) else v for v in values]
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        raise BadCursor("no cursor of this list") from None
    if len(found) != len(kinds) or any(type(v) is not kind for v, kind in zip(found, kinds, strict=True)):
        raise BadCursor("no cursor of this list")
    if any(isinstance(v, int) and not -(2**63) <= v < 2**63 for v in found):
        raise BadCursor("no cursor of this list")
    if any(isinstance(v, str) and ("\0" in v or any("\ud800" <= c <= "\udfff" for c in v)) for v in found):
        raise BadCursor("no cursor of this list")  # Postgres has neither
    if any(isinstance(v, datetime) and v.tzinfo is None for v in found):
        raise BadCursor("no cursor of this list")
    return tuple(found)


def paged(rows: list[dict[str, Any]], page: Page, *columns: str) -> Rows:
    """*rows* of a statement that asked for one row more than the page has."""
    if len(rows) <= page.size:
        return Rows(rows)
    shown = rows[: page.size]
    return Rows(shown, cursor([shown[-1][column] for column in columns]))
