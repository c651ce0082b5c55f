"""What follows from a site's documents and a dozen of its articles: language, country, time zone, rhythm. Pure.

Every answer comes with the sentence that the source file gives as its reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel.core import get_global

from crawler.probing.documents import Seen
from pipelines.sites import site_of
from pipelines.urls import host, normalise

#: a language is a source's own where so many of its articles are in it
MOSTLY = 0.7
#: top-level domains of countries that the whole world uses
NOT_OF_COUNTRIES = frozenset(
    "ac ag ai am cc cd co dj eu fm gg im io is la ly me nu sh st su tk to tv vc ws".split()  # noqa: SIM905
)
#: hosts that are a site's usual ones, and no name of a part of it
_USUAL = re.compile(r"(?:www\d?|m|mobil|mobile|amp|rss|feeds?|news|newsfeed)")


@dataclass(frozen=True, slots=True)
class Known:
    """A value and why it is that; ``value`` None where nothing tells."""

    value: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a source moves. ``per_day`` None: its documents do not say it. ``window``: how far back the shortest goes."""

    why: str
    per_day: int | None = None
    window: timedelta | None = None


def source_name(url: str) -> str:
    """A file name from a host: ``www.donaubote.at`` -> "donaubote", ``de.euronews.com`` -> "de-euronews"."""
    name, _, port = host(normalise(url)).partition(":")
    name = name.strip("[]")
    if re.fullmatch(r"[\d.]+|.*:.*", name):
        labels = [name, port]
    else:
        site = site_of(name)
        before = [one for one in name.removesuffix(site).strip(".").split(".") if one and not _USUAL.fullmatch(one)]
        labels = [*before, site.partition(".")[0], port]
    try:
        words = ".".join(label.encode().decode("idna") for label in labels if label)
    except UnicodeError:
        words = ".".join(label for label in labels if label)
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        words = words.lower().replace(umlaut, letters)
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:60] or "source"


def language_of(found: Sequence[str | None], stated: str | None) -> Known:
    """The language of the articles, where most have the same; else what the first page states, if there are none."""
    counts = Counter(one for one in found if one)
    if not counts:
        return Known(stated, "as the first page states") if stated else Known(None, "nothing tells")
    language, most = counts.most_common(1)[0]
    total = sum(counts.values())
    if most >= MOSTLY * total:
        return Known(language, f"{most} of {total} articles")
    several = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
    return Known(None, f"the articles are in several languages: {several}")


def country_of(homepage: str, region: str | None, contacts: Sequence[str], language: str | None) -> Known:
    """The publisher's country: by top-level domain, else by the imprint, by what the page states, by the language."""
    name = host(normalise(homepage)).partition(":")[0]
    top = name.rpartition(".")[2]
    if len(top) == 2 and top.isalpha() and top not in NOT_OF_COUNTRIES:
        country = {"uk": "GB"}.get(top, top.upper())
        return Known(country, f"top-level domain .{top}")
    if len(contacts) == 1:
        return Known(contacts[0], "by the contact data of its imprint")
    if region and region.isalpha():
        return Known(region, "the country of the language that its pages state")
    if language and (likely := likely_country(language)):
        return Known(likely, f"nothing on the site tells; most who write {language} are there")
    return Known(None, "nothing tells")


def likely_country(language: str) -> str | None:
    """Where most who write a language are: "de" -> "DE"."""
    likely = str(get_global("likely_subtags").get(language, "")).split("_")
    return likely[-1] if len(likely) == 3 and len(likely[-1]) == 2 else None


def time_zone_of(country: str | None, offsets: Iterable[str]) -> Known:
    """The country's zone; of several the first that agrees with the *offsets* that times of its pages state."""
    zones = zones_of(country) if country else ()
    stated = [at for at in map(_moment, offsets) if at is not None and at.utcoffset()]
    if len(zones) == 1:
        return Known(zones[0], f"the time zone of {country}")
    for zone in zones:
        if stated and sum(at.astimezone(ZoneInfo(zone)).utcoffset() == at.utcoffset() for at in stated) * 2 > len(
            stated
        ):
            return Known(zone, f"of the time zones of {country}, that of the times on its pages")
    if zones:
        return Known(zones[0], f"the first of the {len(zones)} time zones of {country}; see whether it is right")
    return Known(None, "nothing tells; that of settings.toml holds")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def zones_of(country: str) -> tuple[str, ...]:
    """The time zones of a country, the one with the most people first, as the time zone database lists them."""
    table = (files("tzdata.zoneinfo") / "zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    zones = tuple(row[2] for row in rows if row[0] == country)
    # Germany's second zone is an exclave of 1,500 people with the same time, and so with others
    return zones[:1] if len({_offsets(zone) for zone in zones}) == 1 else zones


def _offsets(zone: str) -> tuple[timedelta | None, ...]:
    return tuple(datetime(2026, month, 15, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7))


def rhythm_of(taken: Sequence[Seen]) -> Rhythm:
    """How often a source's documents move, by the times of their entries, and how far back they go."""
    dated = [times for one in taken if one.kind != "section" and len(times := one.times) >= 3]
    if not dated:
        return Rhythm("its documents give no times")
    windows = [times[-1] - times[0] for times in dated]
    window = max(min(windows), timedelta(minutes=10))
    longest = max(windows)
    entries = set().union(*(one.keys for one in taken if one.kind != "section" and len(one.times) >= 3))
    per_day = (
        max(1, round(len(entries) / max(longest / timedelta(days=1), 0.25))) if longest >= timedelta(hours=6) else None
    )
    why = f"{len(entries)} entries in {told(longest)}; the shortest list goes back {told(window)}"
    return Rhythm(why, per_day, window)


def told(length: timedelta) -> str:
    """A length of time for people: "36 hours", "12 days"."""
    minutes = length / timedelta(minutes=1)
    for size, unit in ((2880, "day"), (120, "hour")):
        if minutes >= size:
            count = round(minutes / (1440 if unit == "day" else 60))
            return f"{count} {unit}s"
    return f"{round(minutes)} minutes"
