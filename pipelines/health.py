"""Whether a source is well: what deviates from its own history, and how that is said. Pure; ``store.health`` asks.

A measure is compared with itself: the latest pages with those before them. Small numbers prove little, so a deviation
must be both large and next to impossible by chance, and nothing like it may stand in the history.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.health_wording import Wording, of_measure

#: before so many pages are known there is no baseline
FEWEST = 12
#: how many of the latest pages are looked at together: a change of all of them shows in three, a smaller one in more
SIZES = (3, 4, 5, 6, 8, 12, 16, 24, 48, 96)
#: so unlikely must it be that chance alone does it; more likely may it be where few pages come in a quarter, each of
#: which might be the one
CHANCE, MOST_CHANCE, IN_A_QUARTER = 1e-6, 1e-5, 0.003
#: the same for sizes, in standard errors: texts of an evening resemble each other more than chance would have it
ERRORS = 5.5
#: a share must move by so much; by less where it moves to none or to all
LEAST_SHARE, LEAST_TO_ALL = 0.4, 0.1
#: what has happened before comes in bunches: so many pages prove it alone, fewer when they are of two runs
BUNCH = 12
#: so near to an alarm's value may a part of the history have been, and the alarm is none
LIKE_BEFORE = 0.8
#: a night is compared with nights: pages of the same hours, and of so many hours before and after
HOURS_BESIDE = 2
#: before so long a history these hours may not have been seen; then only what never was, or so large a change, is told
DAYS_KNOWN, LARGE = timedelta(days=3), 1.6
#: answers that do not pass by themselves: their pages need no second look
LASTING = frozenset((400, 401, 402, 403, 404, 405, 406, 410, 451))
#: what may pass by itself is told after so many runs or so long
RUNS, WHILE = 3, timedelta(minutes=45)
#: a silence is told when so many articles should have come, and it is so much longer than any before
EXPECTED, LONGER = 12.0, 1.5
#: a new paragraph in so many of the latest articles is one of the template
PROMPTS, PROMPT_SHARE = 10, 0.8
#: or in all of fewer, when so many before them had it not
FEWER_PROMPTS, LONG_WITHOUT = 6, 60


@dataclass(frozen=True, slots=True)
class Measure:
    """What is compared. ``is_share``: values are 0 and 1; else logarithms of sizes. ``least`` is the smallest change.

    ``is_passing``: one run proves nothing, a server may have been slow. ``falls`` and ``rises`` say what is wrong in
    that direction, "" where it is no alarm; of the values in it see ``health_wording.of_measure``.
    """

    name: str
    is_share: bool
    falls: str = ""
    rises: str = ""
    advice: str = ""
    least: float = LEAST_SHARE
    fewest: int = 3
    is_passing: bool = False


_TEMPLATE = "The template probably changed: look at `nachlese read URL --why`, then set {key} in its source file."
MEASURES = {
    measure.name: measure
    for measure in (
        Measure(
            "words", False, least=0.43,
            falls="texts are {times} as long as usual ({now} words instead of {was})",
            rises="texts are {factor} times as long as usual ({now} words instead of {was})",
            advice=_TEMPLATE.format(key="[read] keep or remove"),
        ),
        Measure("date", True, falls="{now_share} of the articles have a time of publication, usual are {was_share}",
                advice=_TEMPLATE.format(key="[read] published")),
        Measure("author", True, falls="{now_share} of the articles name an author, usual are {was_share}",
                advice=_TEMPLATE.format(key="[read] authors")),
        Measure("section", True, falls="{now_share} of the articles have a section, usual are {was_share}",
                advice=_TEMPLATE.format(key="[read] section")),
        Measure("paid", True, rises="{now_share} of the articles are behind a paywall, usual are {was_share}",
                advice="Only what is free to read is kept. Where you have a subscription, see [fetch] cookies."),
        Measure("copies", True, rises="{now_share} of the articles have the text of another one, usual are {was_share}",
                advice="Perhaps all pages show the same notice: look at `nachlese read URL --why`."),
        Measure("titles", True,
                rises="{now_share} of the articles have the headline of another one, usual are {was_share}",
                advice=_TEMPLATE.format(key="[read] title")),
        Measure("delay", False, least=1.6, fewest=4, is_passing=True,
                rises="articles are found {now} min late, usual are {was}",
                advice="The feed is late, or the site writes another time zone: compare its pages with its feed."),
        Measure("fetch", False, least=1.6, fewest=4, is_passing=True,
                rises="a page takes {now} ms to fetch, usual are {was}",
                advice="The site is slow or holds us back: a longer [fetch] delay may help."),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """A page's value of one measure, latest first in every list."""

    id: int
    page: int
    run: int
    at: datetime
    value: float
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Sums:
    """Of all values in the history that belong to the baseline, the latest included."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def without(self, points: Sequence[Point]) -> Sums:
        values = [point.value for point in points if point.counted]
        return Sums(
            self.count - len(values), self.total - sum(values), self.squares - sum(value * value for value in values)
        )

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    @property
    def spread(self) -> float:
        variance = (self.squares - self.total * self.total / self.count) / (self.count - 1) if self.count > 1 else 0.0
        return math.sqrt(max(variance, 0.0))


@dataclass(frozen=True, slots=True)
class Deviation:
    """The ``size`` latest pages differ from the baseline; both values as they are compared (sizes as logarithms)."""

    baseline: float
    value: float
    size: int
    points: tuple[Point, ...]

    @property
    def middle(self) -> float:
        return (self.baseline + self.value) / 2

    def is_ill(self, value: float) -> bool:
        """Whether a page's value is nearer to the deviation than to the baseline."""
        return value <= self.middle if self.value < self.baseline else value >= self.middle


@dataclass(frozen=True, slots=True)
class Finding:
    """An alarm to be opened: values for people, the first page that deviates, one that shows it."""

    measure: str
    baseline: float
    value: float
    observed: int
    since: datetime
    says: Wording
    advice: Wording
    first_id: int | None = None
    page: int | None = None
    example: str | None = None


# --- deciding --------------------------------------------------------------------------------------------------------


def chance_of(pages: float | None, days: float | None) -> float:
    """What chance may do at the most, with so many *pages* in so many *days*; None: not known yet."""
    if not pages or not days or days < DAYS_KNOWN / timedelta(days=1):
        return CHANCE
    return min(max(IN_A_QUARTER / (pages / days * 91), CHANCE), MOST_CHANCE)


def deviations(measure: Measure, sums: Sums, latest: Sequence[Point], chance: float = CHANCE) -> Iterator[Deviation]:
    """Each number of latest pages that differ from those before them; the pages of whole runs first.

    With fewer than are ill, the rest of these stand in the baseline, and the history looks as if it had always been so.
    """
    latest = current(latest)
    for size in sizes(latest):
        points = latest[:size]
        baseline = sums.without(points)
        if size < measure.fewest or baseline.count < FEWEST:
            continue
        value = sum(point.value for point in points) / size
        change = value - baseline.mean
        is_named = measure.falls if change < 0 else measure.rises
        least = LEAST_TO_ALL if measure.is_share and value in (0, 1) else measure.least
        if not is_named or abs(change) < least or is_bunch(measure, baseline, points):
            continue
        if is_unlikely(measure, baseline, value, size, chance):
            yield Deviation(baseline.mean, value, size, tuple(points))


def current(latest: Sequence[Point]) -> list[Point]:
    """The latest pages without those of an alarm that is over: they are behind ones that count again."""
    newest = next((place for place, point in enumerate(latest) if point.counted), len(latest))
    return [point for place, point in enumerate(latest) if place < newest or point.counted]


def hours_of(points: Sequence[Point]) -> list[int]:
    """The hours of the day (UTC) with which *points* are compared."""
    beside = range(-HOURS_BESIDE, HOURS_BESIDE + 1)
    return sorted({(point.at.hour + hours) % 24 for point in points for hours in beside})


def is_of_the_hour(
    measure: Measure, found: Deviation, same_hours: Sums, known: timedelta, chance: float = CHANCE
) -> bool:
    """Whether it is no deviation from the pages of the *same_hours*, before it, of a history *known* for so long."""
    if same_hours.count >= FEWEST:
        change = (found.value - same_hours.mean) * math.copysign(1, found.value - found.baseline)
        return change <= 0 or not is_unlikely(measure, same_hours, found.value, found.size, chance)
    if known >= DAYS_KNOWN:
        return False  # hours in which hardly anything comes
    return found.baseline not in (0, 1) if measure.is_share else abs(found.value - found.baseline) < LARGE


def is_bunch(measure: Measure, baseline: Sums, points: Sequence[Point]) -> bool:
    """Whether it may be no more than one event, a stall, some videos at once: without one of the runs little is left.

    Of what has never happened before one run is enough, of other shares so is a long one.
    """
    is_known = measure.is_share and 0 < baseline.total < baseline.count and len(points) < BUNCH
    if not measure.is_passing and not is_known:
        return False
    change = sum(point.value for point in points) / len(points) - baseline.mean
    for run in {point.run for point in points}:
        rest = [point.value - baseline.mean for point in points if point.run != run]
        if len(rest) < 2 - is_known or sum(rest) / len(rest) * math.copysign(1, change) < measure.least:
            return True
    return False


def sizes(latest: Sequence[Point]) -> Iterator[int]:
    """How many of the latest pages to look at: fixed numbers, and those of the last run and of the last three."""
    runs = list(dict.fromkeys(point.run for point in latest))
    of_runs = [sum(point.run in runs[:number] for point in latest) for number in (1, 2, 3)]
    return (size for size in dict.fromkeys((*of_runs, *SIZES)) if size <= len(latest))


def is_unlikely(measure: Measure, baseline: Sums, value: float, size: int, chance: float) -> bool:
    return unlikely_share(baseline, value, size, chance) if measure.is_share else unlikely_size(baseline, value, size)


def unlikely_share(baseline: Sums, value: float, size: int, chance: float = CHANCE, bunch: float = 1.0) -> bool:
    """Whether chance gives so many of *size*, with what the baseline lets one expect and how little it may know.

    *bunch*: so many pages of a run usually share that fate; they count as one.
    """
    found, known = round(value * size), baseline.total
    if value < baseline.mean:
        return tail(size - found, size, baseline.count - known + 0.5, known + 0.5) < chance
    events = math.ceil(found / bunch)
    return tail(events, size - found + events, known / bunch + 0.5, baseline.count - known + 0.5) < chance


def tail(found: int, size: int, alpha: float, beta: float) -> float:
    """The chance of *found* or more of *size* in a beta-binomial distribution."""

    def log_beta(one: float, other: float) -> float:
        return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)

    return sum(
        math.comb(size, k) * math.exp(log_beta(k + alpha, size - k + beta) - log_beta(alpha, beta))
        if size <= 60
        else math.exp(
            math.lgamma(size + 1) - math.lgamma(k + 1) - math.lgamma(size - k + 1)
            + log_beta(k + alpha, size - k + beta) - log_beta(alpha, beta)
        )
        for k in range(found, size + 1)
    )  # fmt: skip


def unlikely_size(baseline: Sums, value: float, size: int) -> bool:
    spread = max(baseline.spread, 0.3)
    return abs(value - baseline.mean) > ERRORS * spread * math.sqrt(1 / size + 1 / baseline.count)


def onset(found: Deviation, latest: Sequence[Point]) -> Point:
    """The page with which it began: back from the latest one as long as most of them deviate."""
    ill, first = 0, latest[0]
    for number, point in enumerate(latest, start=1):
        ill += found.is_ill(point.value)
        if ill < 0.7 * number and number > found.size:
            break
        if found.is_ill(point.value):
            first = point
    return first


def example_of(found: Deviation, latest: Sequence[Point]) -> Point:
    return next((point for point in latest if found.is_ill(point.value)), latest[0])


def is_well_again(baseline: float, value: float, since_alarm: Sequence[Point]) -> bool:
    """Whether the latest pages are as before the alarm: three at least, nearer to the baseline than to its value."""
    if len(since_alarm) < 3:
        return False
    points = since_alarm[: min(6, max(3, len(since_alarm) // 2))]
    mean = sum(point.value for point in points) / len(points)
    middle = (baseline + value) / 2
    return mean > middle if value < baseline else mean < middle


def is_silent(expected: float, gap: timedelta, longest: timedelta | None) -> bool:
    """Whether it has been too quiet for *gap*, in which *expected* articles should have come."""
    return expected >= EXPECTED and (longest is None or gap > LONGER * longest)


def expected_articles(
    hours: Sequence[float], start: datetime, end: datetime, known_since: datetime | None = None
) -> float:
    """How many articles should come from *start* to *end* (UTC) by the hours of the week.

    On a day of the week that has not been seen from *known_since* to *start* nothing is expected: it may be the first
    Saturday.
    """
    days = min(7, (start.date() - known_since.date()).days + 1) if known_since else 7
    seen = {(start.weekday() - day) % 7 for day in range(days)}
    total, at = 0.0, start
    while at < end:
        following = min((at + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0), end)
        if at.weekday() in seen:
            total += hours[at.weekday() * 24 + at.hour] * (following - at).total_seconds() / 3600
        at = following
    return total


def said(measure: Measure, found: Deviation) -> Wording:
    text = measure.falls if found.value < found.baseline else measure.rises
    return of_measure(measure.name, measure.is_share, text, found.baseline, found.value)
