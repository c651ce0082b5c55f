"""``every = "auto"``: when a source is looked at next, from when its articles come. Pure.

All sources with it together ask as often as if each of them ran every ``[schedule] every``; those that publish much get
more of these looks, and each gets them in the hours in which its articles come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

#: without a rhythm of so many days and articles a source is looked at every ``[schedule] every``
FEWEST_DAYS, FEWEST_ARTICLES = 2.0, 12
STEP = timedelta(minutes=1)
#: looks an hour follow this power of the articles an hour. The root (0.5) would make the mean time until they are found
#: the shortest, 1 the time of the busiest hours; measured by ``benchmarks.polling``
POWER = 0.75
#: so much of what may be asked is planned; bursts take the rest
PLANNED = 0.96
#: what came in the last hour beyond what is usual goes on for so long
BURST = timedelta(minutes=40)
#: a list may move by this part of its entries between two looks, with twice as many articles as are expected
MOVES = 0.33
#: in hours in which nothing ever comes, this many articles an hour are reckoned with
LEAST_RATE = 0.01


@dataclass(frozen=True, slots=True)
class Rhythm:
    """``hours``: articles an hour for the 168 hours of the week (UTC, from Monday 0 o'clock); ``recent``: articles of
    the last hour; ``looks``: what a rate's POWER is multiplied with to give looks an hour (``looks_for``).
    """

    hours: Sequence[float]
    days: float
    articles: int
    recent: int = 0
    looks: float = 4.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds whatever the rhythm says. ``entries``: of the list that moves on first, None: not known."""

    least: timedelta = timedelta(minutes=2)
    most: timedelta = timedelta(hours=12)
    every: timedelta = timedelta(minutes=15)
    entries: int | None = None
    fresh_for: timedelta | None = None
    skip_hours: frozenset[int] = field(default_factory=frozenset)
    skip_days: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class NextLook:
    at: datetime
    why: str


def looks_for(mean_root_sum: float, every: timedelta) -> float:
    """What makes the looks of all sources as many as one each *every*; *mean_root_sum* is that of rates ** POWER."""
    return PLANNED * 168 / (every.total_seconds() / 3600) / mean_root_sum if mean_root_sum > 0 else 4.0


def next_look(rhythm: Rhythm | None, last: datetime, bounds: Bounds) -> NextLook:
    """The look after the one at *last* (UTC)."""
    if rhythm is None or rhythm.days < FEWEST_DAYS or rhythm.articles < FEWEST_ARTICLES:
        at, why = last + bounds.every, "its rhythm is not known yet"
    else:
        at, why = by_rhythm(rhythm, last, bounds)
    if at < last + bounds.least:
        at, why = last + bounds.least, "not more often than settings.toml allows"
    if at > last + bounds.most:
        at, why = last + bounds.most, "not more rarely than settings.toml allows"
    if bounds.fresh_for is not None and at < last + bounds.fresh_for:
        at = last + min(bounds.fresh_for, bounds.most)
        why = "its server says that nothing new is to be had before (Cache-Control or ttl)"
    skipped = after_skipped(at, bounds)
    if skipped != at:
        return NextLook(min(skipped, last + timedelta(days=1)), "its feed asks to be left alone until then (skipHours)")
    return NextLook(at, why)


def by_rhythm(rhythm: Rhythm, last: datetime, bounds: Bounds) -> tuple[datetime, str]:
    """Minute by minute, until a look is worth it or the list has moved as far as it may."""
    over = max(0.0, rhythm.recent - usual(rhythm, last - timedelta(hours=1), timedelta(hours=1)))
    over = over if over >= 2 else 0.0
    worth = moved = 0.0
    at, minute = last, STEP / timedelta(hours=1)
    room = bounds.entries * MOVES if bounds.entries else math.inf
    while at < last + bounds.most:
        rate = max(rate_at(rhythm, at), LEAST_RATE) + over * math.exp((last - at) / BURST)
        worth += rhythm.looks * rate**POWER * minute
        moved += 2 * rate * minute
        at += STEP
        if moved >= room:
            return at, f"its list of {bounds.entries} entries moves on"
        if worth >= 1:
            break
    now = rate_at(rhythm, last)
    if over:
        return at, f"{rhythm.recent} articles came in the last hour, more than usual"
    return at, f"{now:.1f} articles an hour are usual now" if now >= 0.05 else "at this hour hardly anything comes"


def rate_at(rhythm: Rhythm, at: datetime) -> float:
    at = at.astimezone(UTC)
    return rhythm.hours[at.weekday() * 24 + at.hour]


def usual(rhythm: Rhythm, start: datetime, length: timedelta) -> float:
    """About how many articles usually come in *length* from *start* on."""
    return (rate_at(rhythm, start) + rate_at(rhythm, start + length)) / 2 * (length / timedelta(hours=1))


def after_skipped(at: datetime, bounds: Bounds) -> datetime:
    """*at*, or the first full hour after it in which the feed does not ask to be left alone."""
    for _ in range(8 * 24):
        utc = at.astimezone(UTC)
        if utc.hour not in bounds.skip_hours and utc.isoweekday() not in bounds.skip_days:
            break
        at = utc.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at
