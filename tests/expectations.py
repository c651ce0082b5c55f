"""Compares an article with what an expected.json says about its page.

The article is a mapping with the names of ``news.articles`` (times as aware datetimes), so that an `Article` just read
(through ``dataclasses.asdict``) and a row of the database are held to the same words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.reading.fields.dates import SLACK

PAGES = Path(__file__).parent / "pages"
#: keys that are compared as they stand
PLAIN = (
    "title",
    "teaser",
    "section",
    "language",
    "agency",
    "dateline",
    "details",
    "pages_read",
    "pages_total",
    "published_precision",
    "published_provenance",
)
LISTS = ("sections", "authors", "headings")


def expected(name: str) -> dict[str, dict[str, Any]]:
    """What ``tests/pages/NAME/expected.json`` says: path -> article fields, a reason, or the page it is the same as."""
    return json.loads((PAGES / name / "expected.json").read_text("utf-8"))["pages"]


def differences(article: Mapping[str, Any], wanted: Mapping[str, Any], fetched_at: datetime) -> list[str]:
    """A sentence for each thing that is not as wanted; empty when all is well."""
    wanted = _as_known_at(wanted, fetched_at)
    found = [f"{key}: {article[key]!r}, wanted {wanted[key]!r}" for key in PLAIN if key in wanted and key in article
             and article[key] != wanted[key]]  # fmt: skip
    found += [f"{key}: {list(article[key])!r}, wanted {wanted[key]!r}" for key in LISTS if key in wanted
              and key in article and list(article[key]) != wanted[key]]  # fmt: skip
    for key in ("published", "modified"):
        if key in wanted and not is_time(article[f"{key}_at"], wanted[key], fetched_at):
            found.append(f"{key}: {article[f'{key}_at']}, wanted {wanted[key]}")
    return found + list(text_differences(article["text"], wanted))


def _as_known_at(wanted: Mapping[str, Any], fetched_at: datetime) -> Mapping[str, Any]:
    """*wanted*, where 'heute 16:36 Uhr' on a page that is fetched in the morning states no time: nothing is published
    later than it was fetched, but for the hours that local time sold as UTC is ahead.
    """
    published = wanted.get("published")
    if not isinstance(published, Mapping) or _relative(published, fetched_at) <= fetched_at + SLACK:
        return wanted
    return {**wanted, "published": None, "published_precision": None, "published_provenance": None}


def _relative(wanted: Mapping[str, Any], fetched_at: datetime) -> datetime:
    zone, relative = ZoneInfo(wanted["zone"]), wanted["relative"]
    day = fetched_at.astimezone(zone).date() + timedelta(days=relative["days"])
    return datetime.combine(day, time.fromisoformat(relative["time"]), zone)


def is_time(stated: datetime | None, wanted: Any, fetched_at: datetime) -> bool:
    """*wanted*: None, a day, a time with its offset, or ``{"relative": {"days": -1, "time": "09:15"}}``."""
    if wanted is None or stated is None:
        return wanted is None and stated is None
    if isinstance(wanted, Mapping):
        return stated == _relative(wanted, fetched_at)
    if len(wanted) == len("2025-12-03"):
        return stated.astimezone(ZoneInfo("Europe/Berlin")).date().isoformat() == wanted
    return stated == datetime.fromisoformat(wanted)


def text_differences(text: str, wanted: Mapping[str, Any]) -> Iterator[str]:
    headings = set(wanted.get("headings", ()))
    paragraphs = [p for p in text.split("\n\n") if p not in headings]
    if "paragraphs" in wanted and len(paragraphs) != wanted["paragraphs"]:
        yield f"paragraphs: {len(paragraphs)}, wanted {wanted['paragraphs']}"
    if not text.startswith(wanted.get("text_starts", "")):
        yield f"text starts {text[:80]!r}, wanted {wanted['text_starts']!r}"
    if not text.endswith(wanted.get("text_ends", "")):
        yield f"text ends {text[-120:]!r}, wanted {wanted['text_ends']!r}"
    yield from (f"text lacks {piece!r}" for piece in wanted.get("text_must_contain", ()) if piece not in text)
    yield from (f"text has {piece!r}" for piece in wanted.get("text_must_not_contain", ()) if piece in text)
