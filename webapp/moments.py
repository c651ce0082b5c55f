"""Times and spans as a reader reads them: in the reader's zone, with the exact one for who wants it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webapp.i18n import Language

MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
           "Dezember"),
}  # fmt: skip
DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}


@lru_cache(maxsize=100)
def zone_named(name: str) -> ZoneInfo | None:
    """The zone of this name, None where there is none; a name is what a browser says, so it may be anything."""
    if not name or len(name) > 60 or not all(part.isalnum() for part in name.replace("+", "").replace("-", "")
                                            .replace("_", "").split("/")):  # fmt: skip
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Clock:
    """Times in one zone and one language."""

    def __init__(self, zone: ZoneInfo, language: Language):
        self.zone = zone
        self.language = language

    def day(self, at: datetime | date) -> str:
        """27 November 2026, or 27. November 2026."""
        at = at.astimezone(self.zone) if isinstance(at, datetime) else at
        dot = "." if self.language.code == "de" else ""
        return f"{at.day}{dot} {MONTHS[self.language.code][at.month - 1]} {at.year}"

    def short_day(self, at: datetime | date) -> str:
        """27 Nov, or 27.11."""
        at = at.astimezone(self.zone) if isinstance(at, datetime) else at
        if self.language.code == "de":
            return f"{at.day}.{at.month}."
        return f"{at.day} {MONTHS['en'][at.month - 1][:3]}"

    def weekday(self, at: datetime | date) -> str:
        """Friday, 27 November 2026."""
        at = at.astimezone(self.zone) if isinstance(at, datetime) else at
        return f"{DAYS[self.language.code][at.weekday()]}, {self.day(at)}"

    def time(self, at: datetime) -> str:
        """18:05."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def moment(self, at: datetime, precision: str | None = None) -> str:
        """27 Nov 2026, 18:05; only the day where no time of day was stated."""
        local = at.astimezone(self.zone)
        if self.language.code == "de":
            text = f"{local.day}.{local.month}.{local.year}"
        else:
            text = f"{local.day} {MONTHS['en'][local.month - 1][:3]} {local.year}"
        return text if precision == "day" else f"{text}, {local:%H:%M}"

    def exact(self, at: datetime) -> str:
        """To the second, with the offset of the zone."""
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M:%S} {local:%z} ({self.zone.key})"

    def date_of(self, at: datetime) -> date:
        """The day in the reader's zone."""
        return at.astimezone(self.zone).date()

    def span(self, length: timedelta | None) -> str:
        """2 h 14 min; at most two units, a minus where it is one."""
        if length is None:
            return "–"
        seconds = int(length.total_seconds())
        sign = "−" if seconds < 0 else ""
        seconds = abs(seconds)
        _ = self.language
        if seconds < 60:
            return f"{sign}{seconds} s"
        minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
        if minutes < 60:
            return f"{sign}{minutes} min"
        if hours < 24:
            return f"{sign}{hours} h" + (f" {minutes % 60} min" if minutes % 60 else "")
        return sign + _("{n} day|{n} days", n=days) + (f" {hours % 24} h" if hours % 24 and days < 10 else "")


def iso(at: datetime) -> str:
    """For ``<time datetime>`` and data: in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
