"""When a page was published and last changed, from what machines and people wrote about it.

`parse` reads one short text ('heute 16:36 Uhr', '03. Dezember, 2025', 'Stand: 3.12.25'); `find` lists every date that
a text
states; `machine` reads what stands in attributes and JSON-LD. All of them are pure: relative dates count from
*fetched_at*,
clock times without an offset are in *time_zone*. A date that is not stated in full is None, never a guess.

The only module that imports dateparser, which is a last resort: the grammar below answers in microseconds. htmldate is
not asked at all; docs/decisions.md says why.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from pipelines.items import Precision, Provenance

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
    OTHER = "other"  # 'gültig bis', 'Beginn:', 'geboren am': somebody else's date


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
    """

    fetched_at: datetime
    time_zone: tzinfo
    language: str | None = "de"

    def machine(self, value: object) -> Stated | None:
        return machine(value, self.fetched_at, self.time_zone, self.language)

    def find(self, text: str) -> list[Found]:
        return find(text, self.fetched_at, self.time_zone, self.language)

    def parse(self, text: str) -> Stated | None:
        return parse(text, self.fetched_at, self.time_zone, self.language)

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


_MONTH_NAMES = {
    1: "januar jänner jaenner january janvier jan jän janv",
    2: "februar feber february février fevrier feb febr févr fév",
    3: "märz maerz march mars mär mrz mar",
    4: "april avril apr avr",
    5: "mai may",
    6: "juni june juin jun",
    7: "juli july juillet jul juil",
    8: "august août aout aug",
    9: "september septembre sept sep",
    10: "oktober october octobre okt oct",
    11: "november novembre nov",
    12: "dezember december décembre decembre dez dec déc",
}
MONTHS = {name: number for number, names in _MONTH_NAMES.items() for name in names.split()}
_WEEKDAY_NAMES = {
    0: "montag monday lundi mo mon lun",
    1: "dienstag tuesday mardi di tue tues",
    2: "mittwoch wednesday mercredi mi wed mer",
    3: "donnerstag thursday jeudi do thu thur thurs jeu",
    4: "freitag friday vendredi fr fri ven",
    5: "samstag sonnabend saturday samedi sa sat sam",
    6: "sonntag sunday dimanche so sun dim",
}
WEEKDAYS = {name: number for number, names in _WEEKDAY_NAMES.items() for name in names.split()}


def _either(words) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_MONTH = rf"(?:{_either(MONTHS)})"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"""
    (?<![\w.,:/+-])(?:
        (?P<iso_y>{_YEAR})(?P<iso_s>[-/.])(?P<iso_m>[01]?\d)(?P=iso_s)(?P<iso_d>[0-3]?\d)(?![\d-])
      | (?P<dot_d>[0-3]?\d)\s?\.\s?(?P<dot_m>[01]?\d)\s?\.\s?(?P<dot_y>{_YEAR}|['’]?\d\d(?!\d|[:.]\d|\s?Uhr))(?!\d)
      | (?P<sl_d>[0-3]?\d)(?P<sl_s>[/-]|\s\|\s)(?P<sl_m>[0-3]?\d)(?P=sl_s)(?P<sl_y>{_YEAR})(?![\d/-])
      | (?P<dm_d>[0-3]?\d)(?:\.|st|nd|rd|th|er|ten|ter)?[\s-]*(?:of\s|de\s)?(?P<dm_m>{_MONTH})(?!\w)
            (?:[\s.,/-]{{0,3}}(?P<dm_y>{_YEAR}|['’]?\d\d(?!\d|[:.h]\d|\.|\s?Uhr|\s?[ap]\.?m))(?!\d))?
      | (?P<md_m>{_MONTH})\.?\s{{1,2}}(?P<md_d>[0-3]?\d)(?:st|nd|rd|th)?[\s,]{{1,3}}(?P<md_y>{_YEAR})(?!\d)
      | (?P<day_word>vorgestern|gestern|heute|today|yesterday|aujourd['’]hui|avant-hier|hier)(?!\w)
      | vor\s(?:etwa\s|rund\s|ca\.?\s)?(?P<de_n>\d{{1,3}}|eine[rm]?)\s(?P<de_u>Sek|Min|St(?:un)?d|h\b|Tag)\w*\.?
      | (?P<en_n>\d{{1,3}}|an?|one)\s(?P<en_u>sec|min|hour|hr|day)\w*\.?\sago\b
      | il\sy\sa\s(?P<fr_n>\d{{1,3}}|une?)\s(?P<fr_u>sec|min|heure|h\b|jour)\w*
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "mez": 1, "cet": 1, "mesz": 2, "cest": 2, "bst": 1,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
# American zones named without saying whether it is summer
_PLACES = {"et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles"}
_TIME = r"""
    (?P<{0}H>2[0-4]|[01]?\d)(?!\d)
    (?: :(?P<{0}M>[0-5]\d)(?::(?P<{0}S>[0-5]\d)(?:[.,]\d+)?)?(?!\d)
      | \.(?P<{0}M2>[0-5]\d)(?=\s?(?:Uhr|h\b|[ap]\.?m\b|GMT|BST|UTC|MES?Z|CES?T|$|[|)·•]))
      | \s?h\s?(?P<{0}M3>[0-5]\d)(?!\d) )?
    (?:\s?(?P<{0}half>[ap])\.?m\b\.?)?
    (?:\s?(?P<{0}oclock>Uhr|h)(?!\w))?
    (?:\s?\(?(?P<{0}zone>(?:UTC|GMT)[+-]\d\d?(?::?\d\d)?|MESZ|MEZ|CEST|CET|UTC|GMT|BST|Z|[+-]\d\d:?\d\d
        |(?-i:[ECMP][SD]?T))(?!\w)\)?)?"""
_TIME_AFTER = re.compile(
    r"(?:T|[\s,;|·•/(–—-]{0,5}(?:(?:um|at|à|ab|gegen|klo)\s)?)" + _TIME.format("", ""), re.VERBOSE | re.IGNORECASE
)
_TIME_BEFORE = re.compile(
    r"(?<![\d.:])" + _TIME.format("") + r"[\s,;|·•/–—-]{0,4}(?:(?:am|on|le|den)\s)?$", re.VERBOSE | re.IGNORECASE
)
_WEEKDAY_BEFORE = re.compile(
    rf"(?<!\w)(?P<name>{_either(WEEKDAYS)})\.?[\s,]{{0,3}}(?:(?:den|the|le)\s)?$", re.IGNORECASE
)
_WEEKDAY_TIME = re.compile(
    r"(?<!\w)(?P<name>montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|monday|tuesday|wednesday"
    r"|thursday|friday|saturday|sunday)\s?,?\s(?:um\s|at\s)?" + _TIME.format(""),
    re.VERBOSE | re.IGNORECASE,
)
_MODIFIED = re.compile(
    r"(?:aktualisier|geändert|stand\b|update|letzte\s(?:ä|bearb)|bearbeitet|überarbeitet|änderung|geprüft|modifi|last\s"
    r"|mis\sà\sjour|edited|revised|reviewed)",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(
    r"(?:veröffentlich|erschienen|erstellt|publi|publiziert|gepostet|posted|posté|mis\sen\sligne|créé|eingestellt|online\sseit|geschrieben|verfasst"
    r"|created|written|on\sair|artikel\svom|meldung\svom|beitrag\svom|nachricht\svom|datum|date\b|vom\b)",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"(?:gültig|\bbis\b|\bab\b|beginn|termin|start|ende|geboren|gestorben|anmeld|einsend|frist|copyright|©|seit\b|zwischen"
    r"|foto|bild|event|veranstaltung|zum\s|abgerufen|mitglied|registri|dabei\sseit|joined)",
    re.IGNORECASE,
)
_UNITS = {"s": "seconds", "m": "minutes", "st": "hours", "h": "hours", "t": "days", "d": "days", "j": "days"}


# what every date has: numbers joined as in one, or the beginning of a word that can stand in one
_DIGIT = re.compile(r"\d")
_NUMBERS = re.compile(r"\d(?:\s?\.\s?|[/-]|\s\|\s)\d")
_DATE_WORDS = re.compile(
    "|".join(sorted({name[:3] for name in MONTHS} | {name for name in WEEKDAYS if len(name) >= 6}))
    + "|heute|gestern|today|yesterday|aujourd|hier|vor |ago|il y a"
)


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
    return _foreign(text, fetched_at, time_zone, language)


def first_published(found: list[Found]) -> Found | None:
    """The date among *found* that is likeliest the publication: by its label, then by its place."""
    for wanted in (Label.PUBLISHED, None, Label.MODIFIED):
        for one in found:
            if one.label is wanted:
                return one
    return None


def find(text: str, fetched_at: datetime, time_zone: tzinfo, language: str | None = "de") -> list[Found]:
    """Every date stated in *text*, in order. Impossible, future and too old ones are left out."""
    if len(text) > 60 and not _DIGIT.search(text):
        return []
    text = _clean(text)
    if not _NUMBERS.search(text) and not _DATE_WORDS.search(text.lower()):
        return []  # four of five strings with a digit in them
    found = []
    after = 0
    for match in _DATE.finditer(text):
        if match.start() < after:
            continue
        one = _understood(text, match, after, fetched_at, time_zone, language)
        if one is not None:
            found.append(one)
            after = one.end
    if not found:
        found = _weekday_with_time(text, fetched_at, time_zone)
    return found


def machine(value: object, fetched_at: datetime, time_zone: tzinfo, language: str | None = None) -> Stated | None:
    """The time that an attribute or a JSON-LD value states: ISO 8601 in its spellings, RFC 822, epoch, else as
    `parse`.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(int(value)) if abs(value) < 1e15 else ""
    if not isinstance(value, str):
        return None
    value = value.strip()
    if not 6 <= len(value) <= 80:
        return None
    stated = _iso(value, time_zone) or _compact(value, time_zone) or _rfc822(value, time_zone)
    if stated is not None:
        return _local(stated, time_zone) if _plausible(stated.at, fetched_at, SCHEDULED) else None
    return parse(value, fetched_at, time_zone, language)


# -- the grammar ------------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """Same length is not promised; offsets of `Found` refer to this text."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("\xa0", " ").replace("\u202f", " ").replace("\u2009", " ")
    return re.sub(r"\s+", " ", text).strip()


def _understood(
    text: str, match: re.Match, after: int, fetched_at: datetime, zone: tzinfo, language: str | None
) -> Found | None:
    start, end = match.span()
    groups = match.groupdict()
    ago = _ago(groups, fetched_at, zone)
    if ago is not None:
        return Found(ago, start, end, label_before(text[after:start]), rough=True)
    weekday = _WEEKDAY_BEFORE.search(text, max(after, start - 20), start)
    if weekday:
        start = weekday.start()
    day = _day(groups, fetched_at, zone, language, weekday and WEEKDAYS[weekday["name"].lower()])
    if day is None:
        return None
    clock = _TIME_AFTER.match(text, end)
    time = _clock(clock)
    if time is not None:
        end = clock.end()
        time = _abroad(time, text, end)
    else:
        clock = _TIME_BEFORE.search(text, max(after, start - 24), start)
        time = _clock(clock)
        if time is not None:
            start = clock.start()
    stated = _at(day, time, zone)
    label = label_before(text[after:start])
    if stated is None or not _plausible(stated.at, fetched_at):
        return None
    if label is None and time is None and _in_range(text, start, end):
        return None
    return Found(stated, start, end, label)


# '14. - 20. Januar 2022', '3.12.2025 bis 5.12.2025': days on which something takes place
_TO = r"\s?(?:[-–—]|bis)\s?(?:[A-Za-z]{2,10}[.,]{0,2}\s)?"
_RANGE_BEFORE = re.compile(
    rf"(?<![\d:.])[0-3]?\d\.(?:\s?(?:[01]?\d\.|{_MONTH}\.?))?\s?(?:(?:19|20)?\d\d)?{_TO}$", re.IGNORECASE
)
_RANGE_AFTER = re.compile(rf"{_TO}[0-3]?\d\.\s?(?:[01]?\d\.|{_MONTH})", re.IGNORECASE)


def _in_range(text: str, start: int, end: int) -> bool:
    """Whether a date is the first or last day of several."""
    return bool(_RANGE_BEFORE.search(text, max(0, start - 32), start) or _RANGE_AFTER.match(text, end))


def label_before(before: str) -> Label | None:
    """What the words right before a date say. The nearest word decides: 'Erstellt: ..., zuletzt aktualisiert:' is the
    latter.
    """
    near = before[-40:]
    last, label = -1, None
    for kind, pattern in ((Label.OTHER, _OTHER), (Label.PUBLISHED, _PUBLISHED), (Label.MODIFIED, _MODIFIED)):
        for match in pattern.finditer(near):
            if kind is Label.OTHER and match.end() < len(near) - 20:
                continue  # a picture's credit may stand before the date line
            if match.start() > last:
                last, label = match.start(), kind
    return label


def _ago(groups: dict, fetched_at: datetime, zone: tzinfo) -> Stated | None:
    for tongue in ("de", "en", "fr"):
        number, unit = groups[f"{tongue}_n"], groups[f"{tongue}_u"]
        if number is None:
            continue
        unit = unit.lower()
        kind = _UNITS["st" if unit.startswith("st") else unit[0]]
        amount = int(number) if number.isdigit() else 1
        if kind == "days":
            return _at(fetched_at.astimezone(zone).date() - timedelta(days=amount), None, zone)
        at = fetched_at.astimezone(UTC) - timedelta(
            **{kind: amount}
        )  # in UTC: an hour stays one when the clocks change
        return Stated(at.astimezone(zone).replace(second=0, microsecond=0), Precision.MINUTE)
    return None


_DAY_WORDS = {
    "heute": 0, "today": 0, "aujourd'hui": 0, "aujourd’hui": 0,
    "gestern": 1, "yesterday": 1, "hier": 1, "vorgestern": 2, "avant-hier": 2,
}  # fmt: skip


def _day(groups: dict, fetched_at: datetime, zone: tzinfo, language: str | None, weekday: int | None) -> date | None:
    word = groups["day_word"]
    if word is not None:
        word = word.lower()
        if word == "hier" and language != "fr":  # German 'hier' is a place
            return None
        return fetched_at.astimezone(zone).date() - timedelta(days=_DAY_WORDS[word])
    for form in ("iso", "dot", "sl", "dm", "md"):
        if groups[f"{form}_d"] is not None:
            break
    else:
        return None
    day, month, year = groups[f"{form}_d"], groups[f"{form}_m"], groups[f"{form}_y"]
    day, month = int(day), int(month) if month.isdigit() else MONTHS[month.lower()]
    if form == "sl":
        if language == "en" and day <= 12 and month <= 12 and day != month:
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


def _clock(match: re.Match | None) -> _Clock | None:
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
    return _Clock(hour, int(minute or 0), int(second) if second is not None else None, _zone(match["zone"]))


_OTHER_ZONE = re.compile(r"\s?\(?(?:[A-Z]{1,3}ST|[A-Z]{1,2}DT|MSK|Ortszeit)\b")


def _abroad(clock: _Clock, text: str, end: int) -> _Clock | None:
    """*clock*, or None where a zone stands behind it that has no single offset: then only the day is known."""
    return None if clock.zone is None and _OTHER_ZONE.match(text, end) else clock


def _zone(name: str | None) -> tzinfo | None:
    """The zone that stands behind a clock time: 'MEZ', 'EST', 'ET', '+01:00', 'UTC+1'."""
    if not name:
        return None
    name = name.lower()
    if name in _ZONES:
        return timezone(timedelta(hours=_ZONES[name]))
    if name in _PLACES:
        return ZoneInfo(_PLACES[name])
    sign, digits = (-1 if "-" in name else 1), re.sub(r"\D", "", name)
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    return timezone(sign * timedelta(hours=hours, minutes=minutes)) if hours < 15 and minutes < 60 else None


def _at(day: date, clock: _Clock | None, zone: tzinfo) -> Stated | None:
    if clock is None:
        return Stated(datetime(day.year, day.month, day.day, tzinfo=zone), Precision.DAY)
    precision = Precision.MINUTE if clock.second is None else Precision.SECOND
    extra = timedelta(days=1) if clock.hour == 24 else timedelta()
    at = datetime(day.year, day.month, day.day, clock.hour % 24, clock.minute, clock.second or 0) + extra
    return Stated(at.replace(tzinfo=clock.zone or zone), precision)


def _weekday_with_time(text: str, fetched_at: datetime, zone: tzinfo) -> list[Found]:
    """'Mittwoch, 16:36 Uhr' is the last such moment before the page was fetched."""
    match = _WEEKDAY_TIME.search(text) if len(text) < 120 else None
    clock = _clock(match)
    if clock is None:
        return []
    today = fetched_at.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - WEEKDAYS[match["name"].lower()]) % 7)
    stated = _at(day, clock, zone)
    if stated.at > fetched_at + timedelta(minutes=5):
        stated = _at(day - timedelta(days=7), clock, zone)
    return [Found(stated, match.start(), match.end(), label_before(text[: match.start()]))]


def _plausible(at: datetime, fetched_at: datetime, slack: timedelta = SLACK) -> bool:
    try:
        return at.year >= EARLIEST and at - fetched_at <= slack
    except OverflowError:
        return False


# -- what machines write ----------------------------------------------------------------------------------------------

_ISO = re.compile(
    r"([12]\d{3})-(\d\d?)-(\d\d?)(?:[T ,]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,:]\d+)?)?\s*"
    r"(Z|UTC|GMT|CEST|CET|MESZ|MEZ|[+-]\d\d(?::?\d\d)?)?(?:\[[\w/]+\])?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?(Z|[+-]\d\d:?\d\d)?)?")
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


def _from_numbers(groups: tuple, zone: tzinfo) -> Stated | None:
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
    return _at(then, _Clock(int(hour), int(minute), min(int(second), 59) if second else None, _zone(offset)), zone)


def _compact(value: str, zone: tzinfo) -> Stated | None:
    if _EPOCH.fullmatch(value):
        return Stated(datetime.fromtimestamp(int(value[:10]), UTC), Precision.SECOND)
    match = _COMPACT.fullmatch(value)
    return _from_numbers(match.groups(), zone) if match else None


def _rfc822(value: str, zone: tzinfo) -> Stated | None:
    if "," not in value[:5] and not value[:1].isdigit():
        return None
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if ":" not in value:
        return _at(at.date(), None, zone)
    return Stated(at if at.tzinfo else at.replace(tzinfo=zone), Precision.SECOND)


# -- last resorts -----------------------------------------------------------------------------------------------------


def _foreign(text: str, fetched_at: datetime, zone: tzinfo, language: str | None) -> Stated | None:
    """A short date in a language that the grammar does not speak, by dateparser."""
    if not language or language[:2] in {"de", "en", "fr"} or not 6 <= len(text) <= 40 or not re.search(r"\d", text):
        return None
    import dateparser  # half a second of import for something rare

    settings = {
        "RELATIVE_BASE": fetched_at.astimezone(zone).replace(tzinfo=None),
        "REQUIRE_PARTS": ["day", "month", "year"],
        "PREFER_DATES_FROM": "past",
        "DATE_ORDER": "DMY",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            at = dateparser.parse(text.strip(), languages=[language[:2]], settings=settings)
        except (ValueError, OverflowError, TypeError):
            return None
    if at is None:
        return None
    precision = Precision.MINUTE if re.search(r"\d:\d\d", text) else Precision.DAY
    if precision is Precision.DAY:
        at = at.replace(hour=0, minute=0, second=0, microsecond=0)
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    return Stated(at, precision) if _plausible(at, fetched_at) else None
