"""Dates by other people's libraries, where our own reading is silent. The only door to dateparser and htmldate."""

from __future__ import annotations

import logging
import re
import warnings
from copy import deepcopy
from datetime import datetime, timedelta, tzinfo
from functools import cache
from typing import TYPE_CHECKING

from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.items import Precision
from pipelines.reading.languages import languages

if TYPE_CHECKING:
    from pipelines.reading.fields.dates import Reading, Stated
    from pipelines.reading.page.evidence import Evidence

_LONGEST = 40  # characters of a text that dateparser is given
_FOREIGN_TAGS = ("blockquote", "aside", "nav", "footer", "iframe", "figure", "select", "noscript")
_FOREIGN_NAMES = re.compile("omment|related|teaser|tweet|embed|wm-ipp|sidebar|widget|today|current-?date")
_NAMES = XPath("descendant::*/@class | descendant::*/@id")
_EARLIEST = "1995-01-02"  # htmldate says the first of that year where it knows nothing
# what dates on German pages are written in; a clock of the software that makes the page is English
_LANGUAGES = ("en", "de")


def by_dateparser(
    text: str, fetched_at: datetime, zone: tzinfo, language: str | None
) -> tuple[datetime, Precision] | None:
    """A short date in a language without a file of ours: aware, not checked for plausibility. None where there is
    none.
    """
    if not language or language[:2] in languages() or not 6 <= len(text) <= _LONGEST or not re.search(r"\d", text):
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
    return (at if at.tzinfo else at.replace(tzinfo=zone)), precision


def by_htmldate(evidence: Evidence, reading: Reading) -> Stated | None:
    """The day that htmldate finds on a German page, without what is not the article's; None where it finds none."""
    from htmldate import find_date

    _prepare_htmldate()
    tree = deepcopy(evidence.tree)
    for element in _foreign(tree):
        if (parent := element.getparent()) is not None and next(element.iterdescendants("h1"), None) is None:
            parent.remove(element)
    latest = (reading.fetched_at.astimezone(reading.time_zone) + timedelta(hours=3)).date().isoformat()
    try:
        found = find_date(tree, url=evidence.url or None, original_date=True, max_date=latest, min_date=_EARLIEST)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    stated = reading.day(*found.split("-")) if found else None
    return stated if stated and not _is_of_the_story(stated, evidence, reading) else None


def _foreign(tree: Element) -> list[Element]:
    """What is not the article's by its tag or by its name."""
    scripts = (script for script in tree.iter("script") if "json" not in script.get("type", ""))
    headers = (each for each in tree.iter("header") if next(each.iterancestors("article", "main"), None) is None)
    named = (name.getparent() for name in _NAMES(tree) if _FOREIGN_NAMES.search(name))
    return [*tree.iter(*_FOREIGN_TAGS), *headers, *scripts, *named]


@cache
def _prepare_htmldate() -> None:
    """Let htmldate ask dateparser in the languages of German pages, and keep its log quiet.

    It asks in all 205 otherwise: on a text that is a date in none of them each process compiles the words of all,
    which takes 1.5 s and 40 MB, and a page in a reader is given up for it. Only to see whether a text names a month
    it reads the files of all, which takes as long as four pages, and 6 MB.
    """
    from htmldate import extractors

    logging.getLogger("htmldate").setLevel(logging.CRITICAL)
    extractors.get_external_parser().languages = list(_LANGUAGES)
    months = frozenset(month for code in _LANGUAGES for month in languages()[code].months)
    extractors.month_words = lambda: months  # type: ignore[assignment]


_PROSE = 120  # characters; a longer string of text is no date line


def _is_of_the_story(stated: Stated, evidence: Evidence, reading: Reading) -> bool:
    """Whether the day stands on the page only in sentences, beside the copyright or as that of a birth or an end; one
    that stands nowhere was found in an attribute, or is the first day of a year or month where only that is known.
    """
    day, in_prose = stated.at.date(), False
    for text in evidence.whole.texts:
        if len(text) > 2_000 or str(day.year)[2:] not in text:
            continue
        if found := [one for one in reading.find(text) if one.stated.at.date() == day]:
            if len(text) <= _PROSE and not text.startswith("©") and any(one.label != "other" for one in found):
                return False
            in_prose = True
    return in_prose or day.day == 1
