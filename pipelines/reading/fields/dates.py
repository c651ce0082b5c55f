"""When a page was published and last changed, from what machines and people wrote about it.

`parse` reads one short text ('heute 16:36 Uhr', '03. Dezember, 2025', 'Stand: 3.12.25'); `find` lists every date that a
text states; `machine` reads what stands in attributes and JSON-LD. All of them are pure: relative dates count from
*fetched_at*, clock times without an offset are in *time_zone*. A date that is not stated in full is None, never a
guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.items import Precision, Provenance
from pipelines.reading.fields.date_grammar import Grammar, american, grammar_of, zones_of
from pipelines.reading.fields.fallback_dates import by_dateparser
from pipelines.reading.languages import company, languages
from pipelines.reading.regex_prefilter import lowered

EARLIEST = 1990  # the web is younger; older dates on a page are the story's, not the page's
SLACK = timedelta(
    hours=3
)  # local time sold as UTC is two hours ahead in summer; what lies further ahead announces something
SCHEDULED = timedelta(
    hours=12
)  # what machines state may be the evening for which an article, reachable already, is set
LONGEST = 400  # characters of a text that is searched for a date; longer ones are prose


class Label(StrEnum):
    """What the words before a date say that it is."""

    PUBLISHED = "published"
    MODIFIED = "modified"
    AS_OF = "as of"  # 'Stand: ...': of the last change, but many pages show no other day
    OTHER = "other"  # 'gültig bis', 'Beginn:', 'geboren am': somebody else's date


CHANGED = (Label.MODIFIED, Label.AS_OF)


@dataclass(frozen=True, slots=True)
class Stated:
    """A time as stated: *at* is aware; with precision ``day`` it is local midnight of that day."""

    at: datetime
    precision: Precision


@dataclass(frozen=True, slots=True)
class Dated:
    """A time of the page and where it was stated."""

    at: datetime
    precision: Precision
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Reading:
    """What the dates of one page are read against: aware *fetched_at*, the source's *time_zone*, the page's
    *language*.

    *is_home*: the page's clocks are those of ``time_zone``. Elsewhere a clock time without a zone is no instant: only
    its day is known. A time with a zone stays in it, so that an evening is not told as the next day.
    """

    fetched_at: datetime
    time_zone: tzinfo
    language: str | None = "de"
    is_home: bool = True

    def machine(self, value: object) -> Stated | None:
        return self._told(machine(value, self.fetched_at, self.time_zone, self.language, is_home=self.is_home))

    def find(self, text: str) -> list[Found]:
        found = find(text, self.fetched_at, self.time_zone, self.language)
        return found if self.is_home else [replace(one, stated=self._told(one.stated) or one.stated) for one in found]

    def parse(self, text: str) -> Stated | None:
        return self._told(parse(text, self.fetched_at, self.time_zone, self.language))

    def _told(self, stated: Stated | None) -> Stated | None:
        if stated is None or self.is_home or stated.at.tzinfo is not self.time_zone:
            return stated
        return Stated(stated.at.replace(hour=0, minute=0, second=0, microsecond=0), Precision.DAY)

    def day(self, year: str, month: str, day: str) -> Stated | None:
        """A day from its numbers, None if there is no such day or it lies ahead."""
        then = _date(int(year), int(month), int(day))
        stated = then and _at(then, None, self.time_zone)
        return stated if stated and _plausible(stated.at, self.fetched_at) else None


@dataclass(frozen=True, slots=True)
class Found:
    """A date in a text: where it stands (character offsets, time included) and what the words before it call it.

    ``rough`` marks a span of time before the fetch ('vor 3 Stunden'), whose minutes are nobody's statement.
    """

    stated: Stated
    start: int
    end: int
    label: Label | None
    rough: bool = False


# American zones named without saying whether it is summer
_PLACES = {
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
}  # fmt: skip
# what every date has: numbers joined as in one, or the beginning of a word that can stand in one
_DIGIT = re.compile(r"\d")
_NUMBERS = re.compile(r"\d(?:\s?\.\s?|[/-]|\s\|\s)\d")


def parse(text: str, fetched_at: datetime, time_zone: tzinfo, language: str | None = "de") -> Stated | None:
    """The publication time that a short text states, or None.

    Of several dates the one called published counts, then the first that is not called anything else, then a
    modification.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    best = first_published(find(text, fetched_at, time_zone, language))
    if best is not None:
        return best.stated
    foreign = by_dateparser(text, fetched_at, time_zone, language)
    return Stated(*foreign) if foreign and _plausible(foreign[0], fetched_at) else None


def first_published(found: list[Found]) -> Found | None:
    """The date among *found* that is likeliest the publication: by its label, then by its place."""
    for wanted in (Label.PUBLISHED, None, Label.AS_OF, Label.MODIFIED):
        for one in found:
            if one.label is wanted:
                return one
    return None


def find(text: str, fetched_at: datetime, time_zone: tzinfo, language: str | None = "de") -> list[Found]:
    """Every date stated in *text*, in order. Impossible, future and too old ones are left out."""
    if len(text) > 60 and not _DIGIT.search(text):
        return []
    text = _clean(text)
    grammar = grammar_of(language)
    if not _NUMBERS.search(text) and not grammar.may_hold.search(text.lower()):
        return []  # four of five strings with a digit in them
    found = []
    after = 0
    for match in grammar.date.finditer(text):
        if match.start() < after:
            continue
        one = _understood(text, match, after, fetched_at, time_zone, grammar)
        if one is not None:
            found.append(one)
            after = one.end
    if not found:
        found = _weekday_with_time(text, fetched_at, time_zone, grammar)
    return found


def machine(
    value: object, fetched_at: datetime, time_zone: tzinfo, language: str | None = None, *, is_home: bool = True
) -> Stated | None:
    """The time that an attribute or a JSON-LD value states: ISO 8601 in its spellings, RFC 822, epoch, else as
    `parse`.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(int(value)) if abs(value) < 1e15 else ""
    if not isinstance(value, str):
        return None
    value = american(" ".join(value.split()))
    if not 6 <= len(value) <= 80 or _is_nobodys_year(value):
        return None
    for spelling in (_iso, _compact, _printed, _rfc822):
        if (stated := spelling(value, time_zone)) is not None:
            if not _plausible(stated.at, fetched_at, SCHEDULED):
                return None
            return _local(stated, time_zone) if is_home else stated
    return parse(value, fetched_at, time_zone, language)


# -- the grammar ------------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """Same length is not promised; offsets of `Found` refer to this text."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("\xa0", " ").replace("\u202f", " ").replace("\u2009", " ")
    return " ".join(text.split())


def _understood(
    text: str, match: re.Match[str], after: int, fetched_at: datetime, zone: tzinfo, grammar: Grammar
) -> Found | None:
    start, end = match.span()
    groups = match.groupdict()
    ago = _ago(groups, fetched_at, zone, grammar)
    if ago is not None:
        return Found(ago, start, end, label_before(text[after:start], grammar), rough=True)
    weekday = grammar.weekday_before.search(text, max(after, start - 20), start)
    if weekday:
        start = weekday.start()
    day = _day(groups, fetched_at, zone, grammar, weekday and grammar.weekdays[lowered(weekday["name"])])
    if day is None:
        return None
    clock = grammar.time_after.match(text, end)
    time = _clock(clock, grammar)
    if time is not None and clock is not None:
        end = clock.end()
        time = _abroad(time, text, end, grammar)
    else:
        clock = grammar.time_before.search(text, max(after, start - 24), start)
        time = _clock(clock, grammar)
        if time is not None and clock is not None:
            start = clock.start()
    stated = _at(day, time, zone)
    label = label_before(text[after:start], grammar)
    if stated is None or not _plausible(stated.at, fetched_at):
        return None
    if label is None and time is None and _in_range(text, start, end, grammar):
        return None
    return Found(stated, start, end, label)


def _in_range(text: str, start: int, end: int, grammar: Grammar) -> bool:
    """Whether a date is the first or last day of several ('14. - 20. Januar 2022'): something takes place then."""
    return bool(grammar.range_before.search(text, max(0, start - 32), start) or grammar.range_after.match(text, end))


def label_before(before: str, grammar: Grammar) -> Label | None:
    """What the words right before a date say. The nearest word decides: 'Erstellt: ..., zuletzt aktualisiert:' is the
    latter.
    """
    near = lowered(before[-40:])
    last, label = -1, None
    for kind, pattern in (
        (Label.OTHER, grammar.other),
        (Label.PUBLISHED, grammar.published),
        (Label.AS_OF, grammar.as_of),
        (Label.MODIFIED, grammar.modified),
    ):
        for match in pattern.finditer(near):
            if kind is Label.OTHER and match.end() < len(near) - 20:
                continue  # a picture's credit may stand before the date line
            if match.start() > last:
                last, label = match.start(), kind
    return label


def _ago(groups: dict[str, Any], fetched_at: datetime, zone: tzinfo, grammar: Grammar) -> Stated | None:
    for name in grammar.ago:
        number, unit = groups[name], groups[f"{name}u"]
        if number is None:
            continue
        kind = next(kind for begin, kind in grammar.units if lowered(unit).startswith(begin))
        amount = int(number) if number.isdigit() else 1
        if kind == "days":
            return _at(fetched_at.astimezone(zone).date() - timedelta(days=amount), None, zone)
        # in UTC: an hour stays one when the clocks change
        at = fetched_at.astimezone(UTC) - timedelta(**{kind: amount})
        return Stated(at.astimezone(zone).replace(second=0, microsecond=0), Precision.MINUTE)
    return None


def _day(
    groups: dict[str, Any], fetched_at: datetime, zone: tzinfo, grammar: Grammar, weekday: int | None
) -> date | None:
    word = groups["day_word"]
    if word is not None:
        return fetched_at.astimezone(zone).date() - timedelta(days=grammar.days_ago[lowered(word)])
    for form in ("iso", "dot", "sl", "dm", "md"):
        if groups[f"{form}_d"] is not None:
            break
    else:
        return None
    day, month, year = groups[f"{form}_d"], groups[f"{form}_m"], groups[f"{form}_y"]
    day, month = int(day), int(month) if month.isdigit() else grammar.months[lowered(month)]
    if form == "sl":
        if not grammar.is_day_first and day <= 12 and month <= 12 and day != month:
            return None  # 03/04/2025 is March in one half of the English-speaking world and April in the other
        if month > 12 >= day:
            day, month = month, day
    if year is None:
        return _without_year(day, month, fetched_at.astimezone(zone).date(), weekday)
    year = int(year.lstrip("'’"))
    if year < 100:
        year += 2000 if year <= (fetched_at.year + 1) % 100 else 1900
    return _date(year, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _without_year(day: int, month: int, today: date, weekday: int | None) -> date | None:
    """'3. Dezember' is the last one that was, if a weekday agrees or it is recent enough that nobody writes the
    year.
    """
    for year in (today.year, today.year - 1):
        then = _date(year, month, day)
        if then is None or then > today + SLACK:
            continue
        if weekday is not None:
            return then if then.weekday() == weekday else None
        return then if today - then < timedelta(days=180) else None
    return None


@dataclass(frozen=True, slots=True)
class _Clock:
    hour: int
    minute: int
    second: int | None
    zone: tzinfo | None


def _clock(match: re.Match[str] | None, grammar: Grammar) -> _Clock | None:
    if match is None:
        return None
    minute = match["M"] or match["M2"] or match["M3"]
    half = (match["half"] or "").lower()
    if minute is None and not half and not match["oclock"]:
        return None
    hour = int(match["H"])
    if half:
        if hour > 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour == 24 and int(minute or 0):
        return None
    second = match["S"]
    return _Clock(
        hour, int(minute or 0), int(second) if second is not None else None, _zone(match["zone"], grammar.zones)
    )


def _abroad(clock: _Clock, text: str, end: int, grammar: Grammar) -> _Clock | None:
    """*clock*, or None where a zone stands behind it that has no single offset: then only the day is known."""
    return None if clock.zone is None and grammar.local_time.match(text, end) else clock


def _zone(name: str | None, zones: Mapping[str, int]) -> tzinfo | None:
    """The zone that stands behind a clock time: 'MEZ', 'EST', 'ET', '+01:00', 'UTC+1'."""
    if not name:
        return None
    name = lowered(name)
    if name in zones:
        return timezone(timedelta(hours=zones[name]))
    if name in _PLACES:
        return ZoneInfo(_PLACES[name])
    sign, digits = (-1 if "-" in name else 1), re.sub(r"\D", "", name)
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    return timezone(sign * timedelta(hours=hours, minutes=minutes)) if hours < 15 and minutes < 60 else None


def _at(day: date, clock: _Clock | None, zone: tzinfo) -> Stated:
    if clock is None:
        return Stated(datetime(day.year, day.month, day.day, tzinfo=zone), Precision.DAY)
    precision = Precision.MINUTE if clock.second is None else Precision.SECOND
    extra = timedelta(days=1) if clock.hour == 24 else timedelta()
    at = datetime(day.year, day.month, day.day, clock.hour % 24, clock.minute, clock.second or 0) + extra
    return Stated(at.replace(tzinfo=clock.zone or zone), precision)


def _weekday_with_time(text: str, fetched_at: datetime, zone: tzinfo, grammar: Grammar) -> list[Found]:
    """'Mittwoch, 16:36 Uhr' is the last such moment before the page was fetched."""
    match = grammar.weekday_time.search(text) if len(text) < 120 else None
    clock = _clock(match, grammar)
    if match is None or clock is None:
        return []
    today = fetched_at.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - grammar.weekdays[lowered(match["name"])]) % 7)
    stated = _at(day, clock, zone)
    if stated.at > fetched_at + timedelta(minutes=5):
        stated = _at(day - timedelta(days=7), clock, zone)
    return [Found(stated, match.start(), match.end(), label_before(text[: match.start()], grammar))]


def _plausible(at: datetime, fetched_at: datetime, slack: timedelta = SLACK) -> bool:
    try:
        return at.year >= EARLIEST and at - fetched_at <= slack
    except OverflowError:
        return False


# -- what machines write ----------------------------------------------------------------------------------------------

_ISO = re.compile(
    r"([12]\d{3})-(\d\d?)-(\d\d?)(?:[T ,]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,:]\d+)?)?\s*"
    r"(Z|UTC|GMT|CEST|CET|MESZ|MEZ|[+-]\d\d?(?::?\d\d)?)?(?:\[[\w/]+\])?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?(Z|[+-]\d\d:?\d\d)?)?")
# what Java and JavaScript print of a time when nobody tells them how: 'Fri Apr 28 19:20:36 CEST 2023'
_PRINTED = re.compile(
    r"[A-Z][a-z]{2},?\s(?P<month>[A-Z][a-z]{2})\s(?P<day>\d\d?)(?:\s(?P<early>\d{4}))?\s(?P<clock>\d\d?:\d\d:\d\d)"
    r"(?:\s(?P<zone>GMT[+-]\d\d:?\d\d|[A-Z]{2,5}|[+-]\d\d:?\d\d))?(?:\s(?P<late>\d{4}))?(?:\s\(.{1,40}\))?"
)
_IN_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# zones that machines write beside an offset, of all languages
_EVERYWHERE = {name: hours for code in languages() for name, hours in zones_of(company(code)).items()}
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?")


def _local(stated: Stated, zone: tzinfo) -> Stated:
    """The same moment on the source's clocks, where exactly midnight ('22:00:00Z' in summer) is a day without a
    time.
    """
    at = stated.at.astimezone(zone)
    midnight = (at.hour, at.minute, at.second) == (0, 0, 0)
    return Stated(at, Precision.DAY if midnight else stated.precision)


def _iso(value: str, zone: tzinfo) -> Stated | None:
    match = _ISO.fullmatch(value)
    return _from_numbers(match.groups(), zone) if match else None


def _from_numbers(groups: tuple[Any, ...], zone: tzinfo) -> Stated | None:
    year, month, day, hour, minute, second, offset = groups
    then = _date(int(year), int(month), int(day))
    if then is None:
        return None
    if hour is None:
        return _at(then, None, zone)
    if int(hour) > 23 or int(minute) > 59:
        return None
    if offset and offset[0] in "+-" and len(offset) == 3:
        offset += ":00"
    if (int(hour), int(minute), int(second or 0)) == (0, 0, 0):
        # exactly midnight: a system that knows days only filled the rest with zeros
        return _at(then, None, zone)
    return _at(
        then, _Clock(int(hour), int(minute), min(int(second), 59) if second else None, _zone(offset, _EVERYWHERE)), zone
    )


def _compact(value: str, zone: tzinfo) -> Stated | None:
    if _EPOCH.fullmatch(value):
        return Stated(datetime.fromtimestamp(int(value[:10]), UTC), Precision.SECOND)
    match = _COMPACT.fullmatch(value)
    return _from_numbers(match.groups(), zone) if match else None


# day, month's name and year, as RFC 822 and its relatives have them
_NAMED_DAY = re.compile(r"\d{1,2}[\s-]{1,3}[^\W\d_]{3,12}\.?[\s-]{1,3}(?P<year>-?\d{1,4})(?!\d|:)")
_OFFSET = re.compile(
    r"(?<=[\d\s])(?:(?:UTC|GMT)\s?)?(?P<sign>[+-])\s?(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?\s*$", re.I
)
_ZONE_NAME = re.compile(r"\s(?P<name>MESZ|MEZ|CEST|CET|BST)\s*$", re.I)


def _printed(value: str, zone: tzinfo) -> Stated | None:
    match = _PRINTED.fullmatch(value)
    year = (match["early"] or match["late"]) if match else None
    if not match or not year or match["month"].lower() not in _IN_ENGLISH:
        return None
    month = _IN_ENGLISH.index(match["month"].lower()) + 1
    named = (match["zone"] or "").removeprefix("GMT") or match["zone"]
    if named and named[0] not in "+-" and named.lower() not in _EVERYWHERE:
        named = None
        clock: list[str | None] = [None, None, None]  # a zone that nobody can tell: only the day is known
    else:
        clock = [*match["clock"].split(":")]
    return _from_numbers((year, month, match["day"], *clock, named), zone)


def _rfc822(value: str, zone: tzinfo) -> Stated | None:
    if "," not in value[:5] and not value[:1].isdigit():
        return None
    value = re.sub(r"\s*\([^()]{0,20}\)$", "", value)
    offset = _offset(value)
    text = value[: offset[1]] if offset else value
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if ":" not in value:
        return _at(at.date(), None, zone)
    if offset and offset[0]:
        at = at.replace(tzinfo=offset[0])
    return Stated(at if at.tzinfo else at.replace(tzinfo=zone), Precision.SECOND)


def _offset(value: str) -> tuple[tzinfo | None, int] | None:
    """The zone behind a time (None: there is no such zone) and where it begins.

    Python's own reader takes '+1' for a minute and '+01:00' for none.
    """
    if ":" not in value:
        return None
    if match := _ZONE_NAME.search(value):
        found = _zone(match["name"], _EVERYWHERE)
    elif match := _OFFSET.search(value):
        # '+130' is one hour and a half: the last two digits are minutes
        found = _zone(f"{match['sign']}{match['hours'].zfill(2)}{match['minutes'] or '00'}", _EVERYWHERE)
    else:
        return None
    return found, match.start()


def _is_nobodys_year(value: str) -> bool:
    """Whether the year is what systems write that know none: 0000, 0001, -0001. Two digits are a year of today."""
    match = _NAMED_DAY.search(value)
    if match is None:
        return value.startswith("0000-") or re.match(r"-?0\d{3}-", value) is not None
    return len(match["year"]) > 2 and int(match["year"]) < EARLIEST
