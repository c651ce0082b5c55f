"""When the page's article was published and last changed: the places that say so, in the order of trust.

Machines first (JSON-LD, meta, microdata), then what feed or sitemap said, then what a reader sees near the headline,
then the
address. docs/reading.md shows the order as a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from lxml.etree import _Element as Element

from pipelines.items import Hint, Precision, Provenance
from pipelines.reading.fields.date_grammar import grammar_of
from pipelines.reading.fields.dates import Dated, Found, Label, Reading, Stated, label_before
from pipelines.reading.fields.people import OWN_FRAME
from pipelines.reading.page.structured import Structured, text_of
from pipelines.reading.page.visible import VisibleText

_PUBLISHED_META = (
    "article:published_time", "og:article:published_time", "og:published_time", "article:published", "published_time",
    "datepublished", "publishdate", "publish_date", "publish-date", "pubdate", "published", "published_at",
    "date_published",
    "cxenseparse:recs:publishtime", "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.issued",
    "dcterms.created",
    "dc.date.created", "article.published", "article:post_date", "vf:published", "ob_pubdate",
    "citation_publication_date",
)  # fmt: skip
# may be the day of the last change, or of the request
_WEAKER_META = (
    "date",
    "dc.date",
    "dcterms.date",
    "article:date",
    "datum",
    "created",
    "creation_date",
    "og:pubdate",
    "artikel-datum",
)
_MODIFIED_META = (
    "article:modified_time", "og:updated_time", "og:article:modified_time", "article:modified", "datemodified",
    "last-modified",
    "lastmod", "dcterms.modified", "dc.date.modified", "modified_time", "date_modified", "last_modified", "revised",
)  # fmt: skip
_URL_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([/-]?)([01]?\d)\2([0-3]?\d)(?!\d)")


def published(
    structured: Structured, visible: VisibleText | None, reading: Reading, hint: Hint | None = None
) -> Dated | None:
    """When the article was published, from the most trusted place that says so; a finer time of the same day wins."""
    first = None
    for dated in _publications(structured, visible, reading, hint):
        if first is None:
            first = dated
        if first.precision is not Precision.DAY:
            return first
        if dated.precision is not Precision.DAY and _same_day(first, dated, reading):
            return dated
    return first


def _same_day(a: Dated, b: Dated, reading: Reading) -> bool:
    return a.at.astimezone(reading.time_zone).date() == b.at.astimezone(reading.time_zone).date()


def _publications(
    structured: Structured, visible: VisibleText | None, reading: Reading, hint: Hint | None
) -> Iterator[Dated]:
    """The stated publication times in order of trust.

    What stands plainly beside the headline comes before meta and microdata: where the two differ, the invisible one
    is the day
    of an import or a template's.
    """
    yield from _machines([structured.article.get("datePublished")], Provenance.JSONLD, reading)
    seen = dates_seen(visible, reading) if visible is not None else []
    if visible is not None:
        visible.dates = seen
    yield from (
        each.dated
        for each in seen[:1]
        if each.points >= PLAIN and each.found.label is not Label.MODIFIED and not each.found.rough
    )
    yield from _machines((structured.first_meta(name) for name in _PUBLISHED_META), Provenance.META, reading)
    yield from _machines(_micro(structured, "datepublished"), Provenance.MICRODATA, reading)
    yield from _machines([structured.article.get("dateCreated")], Provenance.JSONLD, reading)
    if hint is not None and hint.published_at is not None:
        yield Dated(hint.published_at, hint.published_precision or Precision.SECOND, hint.via)
    yield from (each.dated for each in seen[:3])
    yield from _machines((structured.first_meta(name) for name in _WEAKER_META), Provenance.META, reading)
    yield from _in_url(structured.url, reading)


def modified(
    structured: Structured, reading: Reading, hint: Hint | None = None, visible: VisibleText | None = None
) -> Dated | None:
    """When the page says that its article was last changed; what a reader sees counts where it was read already."""
    places = (
        ([structured.article.get("dateModified")], Provenance.JSONLD),
        ((structured.first_meta(name) for name in _MODIFIED_META), Provenance.META),
        (_micro(structured, "datemodified"), Provenance.MICRODATA),
    )
    for values, provenance in places:
        for dated in _machines(values, provenance, reading):
            return dated
    for seen in (visible.dates if visible is not None else None) or ():
        if seen.found.label is Label.MODIFIED and seen.points >= LEAST and not seen.found.rough:
            return seen.dated
    if hint is not None and hint.modified_at is not None:
        return Dated(hint.modified_at, Precision.SECOND, hint.via)
    return None


def _machines(values: Iterable[object], provenance: Provenance, reading: Reading) -> Iterator[Dated]:
    for value in values:
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, dict):
            value = value.get("@value")
        stated = reading.machine(value) if value else None
        if stated is not None:
            yield Dated(stated.at, stated.precision, provenance)


def _micro(structured: Structured, name: str) -> Iterator[str]:
    for element in structured.micro.get(name, ())[:3]:
        yield element.get("content") or element.get("datetime") or text_of(element, 200)


def _in_url(url: str, reading: Reading) -> Iterator[Dated]:
    match = _URL_DAY.search(url)
    if match:
        stated = reading.day(match[1], match[3], match[4])
        if stated is not None:
            yield Dated(stated.at, stated.precision, Provenance.URL)


# -- what a reader sees -----------------------------------------------------------------------------------------------

_MAYBE = re.compile(r"[0-9]|[Hh](?:eute|EUTE)|[Gg](?:estern|ESTERN)|[Tt]oday|[Yy]esterday|[Aa]ujourd|[Vv]or\sein")
_DATE_CLASS = re.compile(
    r"(?<![a-z])(?:up)?dat(?:e|um)(?![a-z]{3})|[a-z]-?date\b|publish|publi[ck]ation|posted|pubdate|time-?stamp|dateline|created|submitted|post-?meta"
    r"|entry-?meta|byline|article-?info|release",
    re.IGNORECASE,
)
_META_CLASS = re.compile(r"meta|info|time|author|autor|credit|detail|zeit|head|subline", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"comment|kommentar|related|teaser|sidebar|side-?bar|widget|recent|popular|event|termin|kalender|calendar|banner|ticker|caption|(?:site|page|main|global)-?footer|^footer|navi|breadcrumb"
    r"|menu|also-?read|more-?news|similar|recommend|slider|carousel|aside|forum|cookie|weather|wetter|copyright|kurse",
    re.IGNORECASE,
)
# what stands before the day in the first words of a press release: 'Neustadt, 12. November 2025 - Der ...'
_DATELINE = re.compile(r"[A-ZÄÖÜ][\w.-]+(?:[ /][\w.-]+){0,4}(?:, ?| ?\(|, ?\()(?:den |le )?")
_LONGEST_DATELINE, _SHORTEST_PROSE = 80, 120  # characters
_MOST_STRINGS = 1_000  # with something like a date in them; real pages have a hundred
_COMMENTS = re.compile(r"comment|kommentar|cookie", re.IGNORECASE)
PLAIN = 30  # points from which nobody would take it for anything else
LEAST = 18  # points below which a date on the page is somebody else's
LEAST_LABELLED = 6  # that do for the likeliest date when words call it published or changed
LEAST_ALONE = 2  # that do for the only day that stands by itself anywhere outside teasers


@dataclass(frozen=True, slots=True)
class Seen:
    """A date in the visible text, with its *points* for being the article's own; *alone* if hardly a word stands with
    it.
    """

    dated: Dated
    found: Found
    alone: bool
    points: float


def dates_seen(visible: VisibleText, reading: Reading) -> list[Seen]:
    """The dates that a reader would take for the article's, the likeliest first: near the headline, alone or
    labelled.
    """
    likely = (index for index, text in enumerate(visible.texts) if _may_state_a_date(text))
    found = [seen for index in islice(likely, _MOST_STRINGS) for seen in _of_string(visible, index, reading)]
    found.sort(key=lambda each: -each.points)
    found = _with_publication_first(found)
    return [each for each in found if each.points >= LEAST] or [
        each for each in found[:1] if each.points >= _least(each, found)
    ]


def _may_state_a_date(text: str) -> bool:
    return _MAYBE.search(text if len(text) <= 300 else text[:_LONGEST_DATELINE]) is not None


def _with_publication_first(found: list[Seen]) -> list[Seen]:
    """*found* with a day that stands alone and is called published before one that is called changed."""
    if not found or found[0].found.label is not Label.MODIFIED:
        return found
    for place, each in enumerate(found):
        is_before = each.dated.at.date() <= found[0].dated.at.date()
        if each.found.label is Label.PUBLISHED and each.alone and is_before and each.points >= LEAST_ALONE:
            return [each, *found[:place], *found[place + 1 :]]
    return found


def _least(best: Seen, found: list[Seen]) -> float:
    if best.found.label:
        return LEAST_ALONE if best.alone and best.found.label is Label.PUBLISHED else LEAST_LABELLED
    days = {c.dated.at.date() for c in found if c.points >= LEAST_ALONE - 12}
    return LEAST_ALONE if len(days) == 1 and best.alone else LEAST


def _of_string(visible: VisibleText, index: int, reading: Reading) -> Iterator[Seen]:
    """The dates that begin in one string of text, read together with its short neighbours (label, year, clock)."""
    own = visible.texts[index]
    is_prose = len(own) > 300
    if is_prose:
        own = own[:_LONGEST_DATELINE]
    window = f"{visible.around(index, -1)} {own}".lstrip()
    offset = len(window) - len(own)
    window = f"{window} {visible.around(index, +1)}".rstrip()
    element = visible.element(index)
    if element is None:
        return
    near = visible.distance(index)
    for one in reading.find(window):
        if not offset <= one.start + 1 or one.start >= offset + len(own):
            continue
        if one.label is Label.OTHER:  # said by the text itself, or only by what happens to stand before it?
            label = label_before(window[offset : one.start], grammar_of(reading.language))
            if label is Label.OTHER:
                continue
            one = replace(one, label=label)
        rest = sum(c.isalpha() for c in own) - sum(c.isalpha() for c in window[one.start : one.end])
        if len(visible.texts[index]) >= _SHORTEST_PROSE and _DATELINE.fullmatch(window[offset : one.start]):
            rest = 0
        elif is_prose:
            continue
        points = _points(element, near, one.label, rest, visible.above)
        stated, provenance = one.stated, Provenance.TEXT
        exact = _time_attribute(element, reading)
        if exact is not None and exact.at.date() == stated.at.date():
            stated, provenance, points = exact, Provenance.TIME_ELEMENT, points + 10
        yield Seen(Dated(stated.at, stated.precision, provenance), one, rest <= 25, points)


def _time_attribute(element: Element, reading: Reading) -> Stated | None:
    for _ in range(3):
        if element is None:
            return None
        if element.tag in ("time", "abbr", "span"):
            value = (
                element.get("datetime")
                or element.get("content")
                or (element.get("title") if element.tag == "abbr" else None)
            )
            if value:
                return reading.machine(value)
        element = element.getparent()
    return None


def _points(element: Element, near: int | None, label: Label | None, rest: int, above: frozenset) -> float:
    """How likely a date is the article's own: nearness to the headline, words before it, names of what surrounds it."""
    points = _nearness(near)
    points += {Label.PUBLISHED: 12, Label.MODIFIED: -4, None: 0}[label]
    points += 8 if rest <= 25 else -4 if rest <= 60 else -15
    names, level, linked = [], 0, False
    while element is not None and element.tag != "body" and level < 12:
        own = f"{element.get('class') or ''} {element.get('id') or ''}"
        if level < 3:
            names.append(own)
            linked = linked or element.tag == "a"
        framed = element.tag in ("nav", "aside", "footer", "figcaption", "select", "figure", "button")
        if framed and not (element.tag in ("aside", "footer") and OWN_FRAME.search(own)):
            points -= 40
        elif element.tag in ("h1", "h2"):
            points -= 20 if element.tag == "h1" else 4  # a day in the headline is what the article is about
        elif element.tag == "li":
            points -= 8
        if element not in above and level < 8:
            points -= _strangeness(own)
        if element.tag in ("article", "main"):
            points += 4
            if element.tag == "main":
                break
        element = element.getparent()
        level += 1
    around = " ".join(names)
    points += 12 if _DATE_CLASS.search(around) else 4 if _META_CLASS.search(around) else 0
    if linked and not _DATE_CLASS.search(around):
        points -= 6
    return points


@lru_cache(maxsize=4_096)
def _strangeness(names: str) -> int:
    """Points against a date in something that is called so."""
    return (40 if _COMMENTS.search(names) else 18) if _ELSEWHERE.search(names) else 0


def _nearness(near: int | None) -> float:
    if near is None:
        return 10
    steps = ((120, 24), (400, 18), (1200, 10), (5000, 5)) if near >= 0 else ((80, 22), (300, 14), (800, 6))
    for limit, points in steps:
        if abs(near) <= limit:
            return points
    return 0
