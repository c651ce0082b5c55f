"""How dates are written, as patterns made of the words of a language and of those whose words its pages use as well."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipelines.reading.languages import Language, company, each, either, languages
from pipelines.reading.regex_prefilter import lowered, sorted_by_letter

_YEAR = r"(?:19|20)\d\d"
UNITS = ("seconds", "minutes", "hours", "days")
# Names that newsrooms all over the world use; those of one language stand in its file.
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "cet": 1, "cest": 2, "bst": 1, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7,
    "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
_LONG_NAME = 6  # letters from which a weekday alone lets a text be searched


@dataclass(frozen=True, slots=True)
class Grammar:
    """The patterns of one language's dates. ``ago`` holds patterns with the groups ``n`` and ``unit``."""

    codes: tuple[str, ...]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    days_ago: Mapping[str, int]
    zones: Mapping[str, int]
    units: tuple[tuple[str, str], ...]  # how a unit begins, lower case, and which it is; the longest first
    is_day_first: bool  # whether 3/4/2025 is the third of April
    date: re.Pattern[str]
    ago: tuple[str, ...]  # names of the groups that hold a number; its unit is in the group of that name and 'u'
    time_after: re.Pattern[str]
    time_before: re.Pattern[str]
    weekday_before: re.Pattern[str]
    weekday_time: re.Pattern[str]
    local_time: re.Pattern[str]
    range_before: re.Pattern[str]
    range_after: re.Pattern[str]
    may_hold: re.Pattern[str]  # in lower case: what every date that is not numbers alone has
    published: re.Pattern[str]  # these four, which labels are found by, in lower case too
    modified: re.Pattern[str]
    as_of: re.Pattern[str]
    other: re.Pattern[str]


@lru_cache(maxsize=256)
def grammar_of(language: str | None) -> Grammar:
    """The grammar for pages in *language*, 'de' or 'de-AT'; that of German where the language has no file."""
    return _grammar(company((language or "").lower()[:2]))


def zones_of(codes: Iterable[str]) -> dict[str, int]:
    """The zones that pages in these languages name, lower case, and their hours from UTC."""
    return {**_ZONES, **_first_of(languages()[code].zones for code in codes)}


@lru_cache(maxsize=64)  # compiled for the languages that come: a page in another costs its reader 7 ms once
def _grammar(codes: tuple[str, ...]) -> Grammar:
    spoken = [languages()[code] for code in codes]
    months = _first_of(each.months for each in spoken)
    full = _first_of(each.weekdays for each in spoken)
    weekdays = {**_first_of(each.short_weekdays for each in spoken), **full}
    ago = dict(_ago_patterns(spoken))
    time = _time(codes, _any_zone(spoken))
    month, to = any_of(months), either("dates.to", codes=codes)
    to = rf"\s?(?:[-–—]|{to})\s?(?:[A-Za-z]{{2,10}}[.,]{{0,2}}\s)?"
    return Grammar(
        codes=codes,
        months=months,
        weekdays=weekdays,
        days_ago=_first_of([_days_ago(spoken)]),
        zones=zones_of(codes),
        units=_units(spoken),
        is_day_first="DMY" in spoken[0].entries.get("dates.order", ()),
        date=re.compile(_date(codes, month, _days_ago(spoken), ago), re.VERBOSE | re.IGNORECASE),
        ago=tuple(ago),
        time_after=re.compile(_time_after(codes, time), re.VERBOSE | re.IGNORECASE),
        time_before=re.compile(_time_before(codes, time), re.VERBOSE | re.IGNORECASE),
        weekday_before=re.compile(
            rf"(?<!\w)(?P<name>{any_of(weekdays)})\.?[\s,]{{0,3}}"
            rf"(?:{either('dates.before_date', codes=codes)}\s)?$",
            re.IGNORECASE,
        ),
        weekday_time=re.compile(
            rf"(?<!\w)(?P<name>{any_of(full)})\s?,?\s(?:{either('dates.before_clock', codes=codes)}\s)?" + time,
            re.VERBOSE | re.IGNORECASE,
        ),
        local_time=re.compile(
            rf"\s?\(?(?:[A-Z]{{1,3}}ST|[A-Z]{{1,2}}DT|MSK|{either('dates.local_time', codes=codes)})\b"
        ),
        range_before=re.compile(
            rf"(?<![\d:.])[0-3]?\d\.(?:\s?(?:[01]?\d\.|{month}\.?))?\s?(?:(?:19|20)?\d\d)?{to}$", re.IGNORECASE
        ),
        range_after=re.compile(rf"{to}[0-3]?\d\.\s?(?:[01]?\d\.|{month})", re.IGNORECASE),
        may_hold=re.compile(sorted_by_letter(_beginnings(months, full, spoken, ago.values()))),
        published=_labels("labels.published", codes),
        modified=_labels("labels.modified", codes),
        as_of=_labels("labels.as_of", codes),
        other=_labels("labels.other", codes),
    )


def _labels(key: str, codes: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(sorted_by_letter(each(key, codes=codes)))


def _first_of(tables: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The tables as one, by words as ``lowered`` has them; one that two languages use means what it means in the
    first.
    """
    found: dict[str, int] = {}
    for table in tables:
        for word, number in table.items():
            found.setdefault(lowered(word), number)
    return found


def any_of(names: Iterable[str]) -> str:
    """One pattern that matches any of *names*, which are in one case, the longest that it can; one that never matches
    for none.
    """
    return sorted_by_letter(sorted(map(re.escape, names), key=len, reverse=True))


def _days_ago(spoken: list[Language]) -> dict[str, int]:
    found = dict(spoken[0].days_ago)
    for other in spoken[1:]:
        only_there = other.entries.get("dates.day_words_only_here", ())
        found |= {word: days for word, days in other.days_ago.items() if word not in found and word not in only_there}
    return found


def _units(spoken: list[Language]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for language in spoken:
        for unit in UNITS:
            for word in language.entries.get(f"dates.{unit}", ()):
                found.setdefault(lowered(word), unit)
    return tuple(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _ago_patterns(spoken: list[Language]) -> Iterator[tuple[str, str]]:
    """Name of the number's group -> pattern."""
    for language in spoken:
        one = "|".join(language.entries.get("dates.one", ())) or r"\d"
        begins = [word for unit in UNITS for word in language.entries.get(f"dates.{unit}", ())]
        unit = "|".join(rf"{re.escape(word)}\b" if len(word) == 1 else re.escape(word) for word in begins)
        for place, pattern in enumerate(language.entries.get("dates.ago", ())):
            name = f"ago_{language.code}_{place}"
            yield (
                name,
                pattern.replace("<n>", rf"(?P<{name}>\d{{1,3}}|{one})").replace("<unit>", rf"(?P<{name}u>{unit})"),
            )


def _date(codes: tuple[str, ...], month: str, days_ago: Mapping[str, int], ago: Mapping[str, str]) -> str:
    between = either("dates.between", codes=codes)
    ordinal = either("dates.ordinals", codes=codes)
    oclock = either("dates.clock_words", codes=codes)
    return rf"""
    (?<![\w.,:/+-])(?:
        (?P<iso_y>{_YEAR})(?P<iso_s>[-/.])(?P<iso_m>[01]?\d)(?P=iso_s)(?P<iso_d>[0-3]?\d)(?![\d-])
      | (?P<dot_d>[0-3]?\d)\s?\.\s?(?P<dot_m>[01]?\d)\s?\.\s?(?P<dot_y>{_YEAR}|['’]?\d\d(?!\d|[:.]\d|\s?{oclock}))(?!\d)
      | (?P<sl_d>[0-3]?\d)(?P<sl_s>[/-]|\s\|\s)(?P<sl_m>[0-3]?\d)(?P=sl_s)(?P<sl_y>{_YEAR})(?![\d/-])
      | (?P<dm_d>[0-3]?\d)(?:\.|º|°|{ordinal})?[\s-]*(?:{between}\s)?(?P<dm_m>{month})(?!\w)
            (?:[\s.,/-]{{0,3}}(?:{between}\s)?
               (?P<dm_y>{_YEAR}|['’]?\d\d(?!\d|[:.h]\d|\.|\s?{oclock}|\s?[ap]\.?m))(?!\d))?
      | (?P<md_m>{month})\.?\s{{1,2}}(?P<md_d>[0-3]?\d)(?:st|nd|rd|th)?[\s,]{{1,3}}(?P<md_y>{_YEAR})(?!\d)
      | (?P<day_word>{any_of(days_ago)})(?!\w)
      | {"|".join(ago.values())}
    )"""


def _any_zone(spoken: list[Language]) -> str:
    return any_of({name for each in spoken for name in each.zones} | {"cest", "cet", "utc", "gmt", "bst", "z"})


def _time(codes: tuple[str, ...], zones: str) -> str:
    oclock = either("dates.clock_words", codes=codes)
    return rf"""
    (?P<H>2[0-4]|[01]?\d)(?!\d)
    (?: :(?P<M>[0-5]\d)(?::(?P<S>[0-5]\d)(?:[.,]\d+)?)?(?!\d)
      | \.(?P<M2>[0-5]\d)(?=\s?(?:{oclock}(?!\w)|[ap]\.?m\b|{zones}(?!\w)|$|[|)·•]))
      | \s?h\s?(?P<M3>[0-5]\d)(?!\d) )?
    (?:\s?(?P<half>[ap])\.?m\b\.?)?
    (?:\s?(?P<oclock>{oclock})(?!\w))?
    (?:\s?\(?(?P<zone>(?:UTC|GMT)[+-]\d\d?(?::?\d\d)?|{zones}|[+-]\d\d:?\d\d|(?-i:[ECMP][SD]?T))(?!\w)\)?)?"""


def _time_after(codes: tuple[str, ...], time: str) -> str:
    before = either("dates.before_clock", codes=codes)
    return rf"(?:T|[\s,;|·•/(–—-]{{0,5}}(?:{before}\s)?)" + time


def _time_before(codes: tuple[str, ...], time: str) -> str:
    return r"(?<![\d.:])" + time + rf"[\s,;|·•/–—-]{{0,4}}(?:{either('dates.before_day', codes=codes)}\s)?$"


def _beginnings(
    months: Mapping[str, int], weekdays: Mapping[str, int], spoken: list[Language], ago: Iterable[str]
) -> Iterator[str]:
    """Beginnings of words without which no date in words can stand in a text."""
    yield from sorted({name[:3] for name in months} | {name for name in weekdays if len(name) >= _LONG_NAME})
    yield from (re.escape(word) for word in _days_ago(spoken))
    for pattern in ago:
        # what stands before the number, or behind the unit; a repetition at its beginning would make it slow
        begins = re.split(r"\(\?P<", pattern)[0] or re.sub(r".*\)(?:\\w\*)?(?:\\\.\?)?", "", pattern)
        # a blank in front is asked for from behind the letter: where all begin with letters, the engine skips to those
        yield re.sub(r"^\\s([^\W\d_])", r"\1(?<=\\s\1)", begins)


def month_names(codes: Iterable[str] | None = None) -> frozenset[str]:
    """The names of months, lower case: of all languages, or of *codes*."""
    known = languages()
    return frozenset(name for code in codes or known for name in known[code].months)


def weekday_names(*, short: bool = False) -> frozenset[str]:
    """The names of weekdays in all languages, lower case; with their abbreviations where *short* ones count too."""
    spoken = languages().values()
    names = frozenset(name for each in spoken for name in each.weekdays)
    return names | frozenset(name for each in spoken for name in each.short_weekdays) if short else names


def zone_names() -> frozenset[str]:
    """The names that the languages have for time zones, lower case."""
    return frozenset(name for each in languages().values() for name in each.zones)


_AMERICAN = re.compile(
    r"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{4}),?\s(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d))?"
    r"\s?(?P<half>[AaPp])\.?[Mm]\.?"
)


def american(value: str) -> str:
    """'12/3/2025 4:30:00 PM' as '2025-12-03 16:30:00': whoever counts to twelve writes the month first. Anything else
    as it is.
    """
    match = _AMERICAN.fullmatch(value)
    if match is None or not 1 <= int(match["month"]) <= 12 or not 1 <= int(match["hour"]) <= 12:
        return value
    hour = int(match["hour"]) % 12 + (12 if match["half"] in "pP" else 0)
    second = f":{match['second']}" if match["second"] else ""
    return f"{match['year']}-{int(match['month']):02}-{int(match['day']):02} {hour:02}:{match['minute']}{second}"


__all__ = ["UNITS", "Grammar", "any_of", "grammar_of", "month_names", "weekday_names", "zone_names", "zones_of"]
