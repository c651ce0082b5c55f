"""Whether a source is well: what deviates from its own history, and how that is said. Pure; ``store.health`` asks.

A measure is compared with itself: the latest pages with those before them. Small numbers prove little, so a deviation
must be both large and next to impossible by chance, and nothing like it may stand in the history.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

#: before so many pages are known there is no baseline
FEWEST = 12
#: how many of the latest pages are looked at together: a change of all of them shows in three, a smaller one in more
SIZES = (3, 4, 5, 6, 8, 12, 16, 24, 48)
#: so unlikely must it be that chance alone does it; a source is looked at some thousand times in a quarter
CHANCE = 1e-6
#: the same for sizes, in standard errors: texts of an evening resemble each other more than chance would have it
ERRORS = 6.0
#: a share must move by so much
LEAST_SHARE = 0.4
#: so near to an alarm's value may a part of the history have been, and the alarm is none
LIKE_BEFORE = 0.8
#: answers that do not pass by themselves: their pages need no second look
LASTING = frozenset((400, 401, 402, 403, 404, 405, 406, 410, 451))
#: what may pass by itself is told after so many runs or so long
RUNS, WHILE = 3, timedelta(minutes=45)
#: a silence is told when so many articles should have come, and it is so much longer than any before
EXPECTED, LONGER = 12.0, 1.5
#: a new paragraph in so many of the latest articles is one of the template
PROMPTS, PROMPT_SHARE = 10, 0.8


@dataclass(frozen=True, slots=True)
class Measure:
    """What is compared. ``is_share``: values are 0 and 1; else logarithms of sizes. ``least`` is the smallest change.

    ``falls`` and ``rises`` say what is wrong in that direction, "" where it is no alarm. ``{was}``, ``{now}`` and
    ``{times}`` stand for the baseline, the value and how they compare.
    """

    name: str
    is_share: bool
    falls: str = ""
    rises: str = ""
    advice: str = ""
    least: float = LEAST_SHARE
    fewest: int = 3


_TEMPLATE = "The template probably changed: look at `nachlese read URL --why`, then set {key} in its source file."
MEASURES = {
    measure.name: measure
    for measure in (
        Measure(
            "words", False, least=0.43,
            falls="texts are {times} as long as usual ({now} words instead of {was})",
            rises="texts are {times} as long as usual ({now} words instead of {was})",
            advice=_TEMPLATE.format(key="[read] keep or remove"),
        ),
        Measure("date", True, falls="{now} of the articles have a time of publication, usual are {was}",
                advice=_TEMPLATE.format(key="[read] published")),
        Measure("author", True, falls="{now} of the articles name an author, usual are {was}",
                advice=_TEMPLATE.format(key="[read] authors")),
        Measure("section", True, falls="{now} of the articles have a section, usual are {was}",
                advice=_TEMPLATE.format(key="[read] section")),
        Measure("paid", True, rises="{now} of the articles are behind a paywall, usual are {was}",
                advice="Only what is free to read is kept. Where you have a subscription, see [fetch] cookies."),
        Measure("copies", True, rises="{now} of the articles have the text of another one, usual are {was}",
                advice="Perhaps all pages show the same notice: look at `nachlese read URL --why`."),
        Measure("titles", True, rises="{now} of the articles have the headline of another one, usual are {was}",
                advice=_TEMPLATE.format(key="[read] title")),
        Measure("delay", False, least=1.6, fewest=6, rises="articles are found {now} min late, usual are {was}",
                advice="The feed is late, or the site writes another time zone: compare its pages with its feed."),
        Measure("fetch", False, least=1.6, fewest=6, rises="a page takes {now} ms to fetch, usual are {was}",
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
    says: str
    advice: str
    first_id: int | None = None
    page: int | None = None
    example: str | None = None


# --- deciding --------------------------------------------------------------------------------------------------------


def deviations(measure: Measure, sums: Sums, latest: Sequence[Point]) -> Iterator[Deviation]:
    """Each number of latest pages that differ from those before them; the pages of whole runs first.

    With fewer than are ill, the rest of these stand in the baseline, and the history looks as if it had always been so.
    """
    for size in sizes(latest):
        points = latest[:size]
        baseline = sums.without(points)
        if size < measure.fewest or baseline.count < FEWEST:
            continue
        value = sum(point.value for point in points) / size
        change = value - baseline.mean
        is_named = measure.falls if change < 0 else measure.rises
        if not is_named or abs(change) < measure.least:
            continue
        unlikely = unlikely_share if measure.is_share else unlikely_size
        if unlikely(baseline, value, size):
            yield Deviation(baseline.mean, value, size, tuple(points))


def sizes(latest: Sequence[Point]) -> Iterator[int]:
    """How many of the latest pages to look at: fixed numbers, and those of the last run and of the last three."""
    runs = list(dict.fromkeys(point.run for point in latest))
    of_runs = [sum(point.run in runs[:number] for point in latest) for number in (1, 2, 3)]
    return (size for size in dict.fromkeys((*of_runs, *SIZES)) if size <= len(latest))


def unlikely_share(baseline: Sums, value: float, size: int) -> bool:
    """Whether chance gives so many of *size*, with what the baseline lets one expect and how little it may know."""
    found, known = round(value * size), baseline.total
    if value >= baseline.mean:
        return tail(found, size, known + 0.5, baseline.count - known + 0.5) < CHANCE
    return tail(size - found, size, baseline.count - known + 0.5, known + 0.5) < CHANCE


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
        if ill < 0.7 * number and number > 3:
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


def expected_articles(hours: Sequence[float], start: datetime, end: datetime) -> float:
    """How many articles should come from *start* to *end* (UTC) by the hours of the week."""
    total, at = 0.0, start
    while at < end:
        following = min((at + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0), end)
        total += hours[at.weekday() * 24 + at.hour] * (following - at).total_seconds() / 3600
        at = following
    return total


# --- saying ----------------------------------------------------------------------------------------------------------

_FRACTIONS = ((0.07, "a twentieth"), (0.15, "a tenth"), (0.22, "a fifth"), (0.29, "a quarter"), (0.4, "a third"),
              (0.58, "half"), (0.72, "two thirds"))  # fmt: skip


def times(was: float, now: float) -> str:
    """How a size compares with another: 'a tenth', 'half', '3 times'."""
    ratio = now / was if was else 0.0
    for bound, word in _FRACTIONS:
        if ratio <= bound:
            return word
    return f"{ratio:.1f} times".replace(".0 ", " ")


def shown(measure: Measure, value: float) -> str:
    if measure.is_share:
        return f"{100 * value:.0f} %"
    return f"{of_log(measure.name, value):,.0f}"


def of_log(name: str, value: float) -> float:
    """The size behind a value that is compared as a logarithm."""
    return max(math.exp(value) - 5, 0.0) if name == "delay" else math.exp(value)


def sentence(source: str, what: str, since: datetime, zone: ZoneInfo, example: str | None = None) -> str:
    """One alarm as a sentence: what, since when, where one can see it."""
    at = since.astimezone(zone)
    seen = f", for example {example}" if example else ""
    return f"{source}: {what}, since {at:%Y-%m-%d %H:%M}{seen}"


def said(measure: Measure, found: Deviation) -> str:
    text = measure.falls if found.value < found.baseline else measure.rises
    was, now = shown(measure, found.baseline), shown(measure, found.value)
    compared = times(math.exp(found.baseline), math.exp(found.value)) if not measure.is_share else ""
    return text.format(was=was, now=now, times=compared)


# --- pages that end without an article -------------------------------------------------------------------------------

_REJECTED = {
    "consent_wall": (
        "pages show a consent wall instead of the article",
        "Accept it in a browser and copy the cookie that this sets into [fetch] cookies of the source file.",
    ),
    "login_wall": ("pages ask for a login", "Where you have an account, put its cookie into [fetch] cookies."),
    "javascript_shell": (
        "pages come empty and are filled by scripts",
        'Set [fetch] render = "when_empty" in the source file; it needs `pip install nachlese[browser]`.',
    ),
    "soft_404": (
        "pages say that they do not exist, or that the site is under maintenance",
        "Open one in a browser. Where that shows an article, robots get other answers: see [fetch] user_agent.",
    ),
    "home_page": ("pages lead to the front page", "The addresses have changed: look at the feed in a browser."),
    "empty": ("pages have no text", "Look at `nachlese read URL --why`, then set [read] keep in its source file."),
    "no_title": ("pages have no headline", "Look at `nachlese read URL --why`, then set [read] title."),
    "robots": ("pages are forbidden by robots.txt", "Ask the site for permission; until then nothing is fetched."),
    "gone": ("pages are gone when they are asked for", "The feed names old addresses: look for a newer feed."),
    "unstorable": ("pages cannot be stored", "`nachlese explain URL` says why; when it is mended: `nachlese retry`."),
}
_FAILED = {
    401: "The site wants a login: see [fetch] headers and cookies.",
    403: "The site refuses us: set `contact` and [fetch] user_agent, ask less often, or ask its owner.",
    429: "We ask too often: a longer [fetch] delay, a longer every.",
}


def page_words(outcome: str, reason: str, status: int | None) -> tuple[str, str]:
    """(what is wrong, what to do) about pages that end in *outcome* for *reason*."""
    if outcome == "rejected" and reason in _REJECTED:
        return _REJECTED[reason]
    answer = f"HTTP {status}" if status else reason
    advice = _FAILED.get(status or 0, "Open one in a browser; `nachlese explain URL` says what was tried.")
    if outcome == "failed":
        return f"pages cannot be fetched ({answer})", advice
    return f"pages are rejected ({answer if reason == 'http_error' else reason})", advice
