"""When a source is due: the slots of a schedule, pure.

A slot is the UTC instant at which one run of one source belongs. Slots follow from the schedule and the source's name
alone, so two schedulers, or one that was restarted, name the same slots, and the database can hold each to one run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from hashlib import blake2b
from typing import Protocol

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: four years and a leap day: a rule that does not come true within it ("30 2") never does
HORIZON_DAYS = 4 * 366


class Slots(Protocol):
    """What ``Every`` and ``Cron`` both answer."""

    def after(self, moment: datetime) -> datetime | None:
        """The first slot later than *moment*, in UTC."""

    def at_or_before(self, moment: datetime) -> datetime | None:
        """The last slot not later than *moment*, in UTC."""


@dataclass(frozen=True, slots=True)
class Every:
    """A slot each *interval* from the epoch on, moved by an *offset* of the source's own: not all start at once."""

    interval: timedelta
    offset: timedelta = timedelta(0)

    @classmethod
    def of(cls, interval: timedelta, name: str) -> Every:
        return cls(interval, share(name, "offset") * interval)

    def after(self, moment: datetime) -> datetime:
        return self.at_or_before(moment) + self.interval

    def at_or_before(self, moment: datetime) -> datetime:
        number = (moment - EPOCH - self.offset) // self.interval
        return EPOCH + self.offset + number * self.interval


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields (minute, hour, day of month, month, day of week: 0 and 7 are Sunday) read in a time zone.

    Where the clock jumps ahead, a time of the missing hour runs at the moment after the jump; where it is set back, a
    time of the doubled hour runs once, the first time it comes. A rule for every hour of the day means each hour that
    passes.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    zone: tzinfo = UTC

    @classmethod
    def parse(cls, text: str, zone: tzinfo = UTC) -> Cron:
        """Raise ``ValueError`` with a sentence where *text* is no cron expression or never comes true."""
        fields = text.split()
        if len(fields) != 5:
            raise ValueError(f"{text!r} has {len(fields)} fields, not five: minute hour day-of-month month day-of-week")
        weekdays = frozenset(day % 7 for day in numbers(fields[4], "day of week", 0, 7, WEEKDAYS))
        cron = cls(
            minutes=numbers(fields[0], "minute", 0, 59),
            hours=numbers(fields[1], "hour", 0, 23),
            days=numbers(fields[2], "day of month", 1, 31),
            months=numbers(fields[3], "month", 1, 12, MONTHS),
            weekdays=weekdays,
            # as every cron does it: with both days restricted, one of them is enough
            either_day=not fields[2].startswith("*") and not fields[4].startswith("*"),
            zone=zone,
        )
        if cron.after(datetime(2024, 1, 1, tzinfo=UTC)) is None:
            raise ValueError(f"{text!r} names a day that never comes")
        return cron

    def after(self, moment: datetime) -> datetime | None:
        # one day earlier: the slot of a skipped hour may carry yesterday's wall clock
        first = moment.astimezone(self.zone).date() - timedelta(days=1)
        for number in range(HORIZON_DAYS):
            for slot in self._of_day(first + timedelta(days=number)):
                if slot > moment:
                    return slot
        return None

    def at_or_before(self, moment: datetime) -> datetime | None:
        last = moment.astimezone(self.zone).date() + timedelta(days=1)
        for number in range(HORIZON_DAYS):
            for slot in reversed(self._of_day(last - timedelta(days=number))):
                if slot <= moment:
                    return slot
        return None

    def _of_day(self, day: date) -> list[datetime]:
        if not self._is_day(day):
            return []
        walls = (time(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes))
        folds = (0, 1) if len(self.hours) == 24 else (0,)
        return sorted({self._instant(day, wall, fold) for wall in walls for fold in folds})

    def _is_day(self, day: date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (in_month or in_week if self.either_day else in_month and in_week)

    def _instant(self, day: date, wall: time, fold: int) -> datetime:
        """*fold* 0 is the first of two; a wall time that does not exist becomes the first moment that does."""
        instant = datetime.combine(day, wall, self.zone).replace(fold=fold).astimezone(UTC)
        if instant.astimezone(self.zone).time() == wall:
            return instant
        walls = (datetime.combine(day, wall, self.zone).replace(fold=fold) for fold in (0, 1))
        early, late = sorted(wall.astimezone(UTC) for wall in walls)
        while late - early > timedelta(minutes=1):  # the jump lies between the two readings of the wall time
            middle = early + (late - early) / 2
            if middle.astimezone(self.zone).utcoffset() == early.astimezone(self.zone).utcoffset():
                early = middle
            else:
                late = middle
        return late.replace(second=0, microsecond=0)


def numbers(field: str, name: str, low: int, high: int, words: tuple[str, ...] = ()) -> frozenset[int]:
    """``*``, ``5``, ``1-5``, ``*/15``, ``8-20/2``, ``mon,wed`` -> the numbers they stand for."""
    found: set[int] = set()
    for piece in field.lower().split(","):
        match = re.fullmatch(r"(\*|[a-z]+|\d+)(?:-([a-z]+|\d+))?(?:/(\d+))?", piece)
        if match is None:
            raise ValueError(
                f"{piece!r} is no {name}; allowed are {low}-{high}, *, lists, ranges and steps such as */15"
            )
        start, end, step = match.groups()
        first = low if start == "*" else number(start, name, low, high, words)
        last = number(end, name, low, high, words) if end else high if start == "*" or step else first
        if step == "0" or last < first:
            raise ValueError(f"{piece!r} is no {name}: the range is empty")
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def number(text: str, name: str, low: int, high: int, words: tuple[str, ...]) -> int:
    value = words.index(text) + (1 if words is MONTHS else 0) if text in words else int(text) if text.isdigit() else -1
    if not low <= value <= high:
        allowed = f"{low}-{high}" + (f" or {', '.join(words)}" if words else "")
        raise ValueError(f"{text!r} is no {name}; allowed are {allowed}")
    return value


def share(name: str, purpose: str) -> float:
    """A number from 0 up to 1 that belongs to *name*: the same in every process, evenly spread over names."""
    digest = blake2b(f"{purpose}\0{name}".encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 2**56
