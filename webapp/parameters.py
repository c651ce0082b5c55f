"""Parameters of an address: checked before anything is asked, and a wrong one is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from webapp.queries.paging import LARGEST_PAGE, PAGE, BadCursor, Page, position

T = TypeVar("T")
WITHIN = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
DAYS = {"today": 0, "yesterday": 1}  # days back, in the reader's zone
UNKNOWN = "there is no such parameter"
LARGEST_ID = 2**63 - 1
#: the zone of a time whose plus nobody has escaped: in an address it means a blank
UNESCAPED_PLUS = re.compile(r"(\d:[\d:.]+) (?=\d\d:?\d\d$)")


class BadParameter(ValueError):
    """A parameter that cannot be understood: which one, and what was expected."""

    def __init__(self, name: str, expected: str):
        super().__init__(f"{name}: {expected}" + ("" if expected == UNKNOWN else " expected"))
        self.name = name
        self.expected = expected


class UnknownName(BadParameter):
    """A source or watchlist that nobody knows; the message names those whose names are nearly the same."""

    def __init__(self, parameter: str, name: str, near: Sequence[str]):
        says = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        ValueError.__init__(self, f"{parameter}: there is no {name[:50]!r}{says}")
        self.name = parameter
        self.expected = "a name that is known"


class Parameters:
    """The query of an address. Pages take an empty value for none, as forms send it; *is_strict*, for the API,
    does not.
    """

    def __init__(self, query: QueryParams, zone: ZoneInfo | None = None, *, is_strict: bool = False):
        self._query = query
        self._zone = zone or ZoneInfo("UTC")
        self._strict = is_strict
        self._asked: set[str] = set()

    def text(self, name: str, longest: int = 200) -> str | None:
        """What stands there, without control characters around it. Raises BadParameter."""
        self._asked.add(name)
        values = self._query.getlist(name)
        if not values:
            return None
        if self._strict and len(values) > 1:
            raise BadParameter(name, "one value")
        value = values[-1]
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise BadParameter(name, "text without NUL and half characters")
        if not self._strict:
            value = value.strip()
        if not value:
            if self._strict:
                raise BadParameter(name, "a value")
            return None
        if len(value) > longest:
            raise BadParameter(name, f"at most {longest} characters")
        return value

    def choice(
        self, name: str, choices: Sequence[str] | Mapping[str, object], default: str | None = None
    ) -> str | None:
        """One of *choices*. Raises BadParameter."""
        value = self.text(name)
        if value is None:
            return default
        if value not in choices:
            raise BadParameter(name, f"one of {', '.join(choices)}")
        return value

    def integer(self, name: str, default: int | None = None, least: int = 0, most: int = LARGEST_ID) -> int | None:
        """A number in digits. Raises BadParameter."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and least <= int(value[:20]) <= most):
            raise BadParameter(name, f"a number from {least} to {most}")
        return int(value)

    def flag(self, name: str) -> bool | None:
        """yes or no (true, false, 1, 0, and what a ticked box sends). Raises BadParameter."""
        value = self.text(name)
        if value is None:
            return None
        known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False}
        if self._strict:
            known = {"true": True, "false": False}
        if value not in known:
            raise BadParameter(name, " or ".join(("true", "false")))
        return known[value]

    def moment(self, name: str, *, is_end: bool = False) -> datetime | None:
        """A time, or a day in the reader's zone: its begin, or its end where *is_end*. Raises BadParameter."""
        value = self.text(name)
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(UNESCAPED_PLUS.sub(r"\1+", value.upper()))
            if len(value) == 10 and is_end:
                at = datetime.combine(at + timedelta(days=1), time.min)
            at = at if at.tzinfo else at.replace(tzinfo=self._zone)
        except (ValueError, OverflowError):
            raise BadParameter(name, "a day such as 2026-03-01 or a time such as 2026-03-01T18:00:00+01:00") from None
        try:
            return at.astimezone(UTC)
        except OverflowError:  # the first or last day that there is, somewhere else
            return at.replace(tzinfo=UTC)

    def period(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """``since`` and ``until``, or what ``within`` says, counted back from *now*. Raises BadParameter."""
        since, until = self.moment("since"), self.moment("until", is_end=True)
        within = self.choice("within", (*WITHIN, *DAYS))
        if within in DAYS and since is None and until is None:
            day = datetime.combine(now.astimezone(self._zone) - timedelta(days=DAYS[within]), time.min, self._zone)
            return day.astimezone(UTC), (day + timedelta(days=1)).astimezone(UTC)
        if within in WITHIN and since is None:
            # to the minute, so that the same address gives the same page for a while
            since = now.replace(second=0, microsecond=0) - WITHIN[within]
        return since, until

    def page(self, kinds: Sequence[type], size: int = PAGE) -> Page:
        """``cursor`` and ``limit``. Raises BadParameter."""
        self._asked |= {"cursor", "limit"}
        limit = self.integer("limit", size, 1, LARGEST_PAGE)
        text = self.text("cursor", 500)
        try:
            return Page(limit or size, position(text, kinds) if text else None)
        except BadCursor:
            raise BadParameter("cursor", "the cursor that the page before gave") from None

    def finish(self) -> None:
        """Raises BadParameter when there is one that nobody has asked for."""
        for name in self._query:
            if name not in self._asked:
                raise BadParameter(name[:50], UNKNOWN)
