"""When the page's article was published and last changed: the places that say so, in their order of trust.

Machines first (JSON-LD, meta, microdata), then what feed or sitemap said, then what a reader sees near the headline,
then the address. Two tables say so; docs/reading.md is made from them. The day is the most trusted place's. Of the
places that name the same day, the clock of a machine is believed before one that a person reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from functools import lru_cache
from itertools import islice

from lxml.etree import _Element as Element

from pipelines.items import Precision, Provenance
from pipelines.reading.fields.bylines import is_of_other_item, is_outside
from pipelines.reading.fields.dates import CHANGED, Dated, Label, Reading, Stated
from pipelines.reading.fields.fallback_dates import by_htmldate
from pipelines.reading.fields.visible_dates import (
    LEAST,
    PLAIN,
    Seen,
    dates_seen,
    exact_value,
    is_called_changed,
)
from pipelines.reading.page.evidence import Candidate, Evidence, Place, Ranking
from pipelines.reading.page.structured import LARGEST_SCRIPT, Structured, text_of
from pipelines.reading.page.visible import VisibleText

_PUBLISHED_META = (
    "article:published_time", "og:article:published_time", "og:published_time", "article:published",
    "article:published:time", "published_time", "datepublished", "publishdate", "publish_date", "publish-date",
    "pubdate", "published", "published_at", "date_published", "cxenseparse:recs:publishtime", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date.created", "article.published",
    "article:post_date", "vf:published", "ob_pubdate", "citation_publication_date",
)  # fmt: skip
# the same and more, without the marks between their words: every system writes these names in its own way
_NAME_MARKS = re.compile(r"[\W_]")
_PUBLISHED_NAMES = frozenset(_NAME_MARKS.sub("", name) for name in _PUBLISHED_META) | {
    "publicationdate", "publisheddate", "pubtime", "publishtime", "publishedtime", "articlepublishdate",
    "articlepublicationdate", "articledateoriginal", "articlecreated", "articlepubdate", "ogpublishdate",
    "ogpublishedat", "ogpublicationdate", "releasedate", "datereleased", "firstpublished", "rnewsdatepublished",
    "btpubdate", "shareaholicarticlepublishedtime", "dcdatepublished", "dctermsdatecreated", "originalpublicationdate",
    "contentpublished", "contentpublicationdate", "lastpublished",
}  # fmt: skip
# with whatever before: 'DCSext.pubdate'
_PUBLISHED_ENDS = (
    "pubdate", "publishdate", "publicationdate", "publisheddate", "datepublished", "publishedtime", "publishtime",
)  # fmt: skip
# may be the day of the last change, or of the request
_WEAKER_META = (
    "date", "dc.date", "dcterms.date", "article:date", "datum", "created", "creation_date", "og:pubdate",
    "artikel-datum", "dc:date",
)  # fmt: skip
_MODIFIED_META = (
    "article:modified_time", "og:updated_time", "og:article:modified_time", "article:modified", "article:modified:time",
    "article:updated_time", "datemodified", "last-modified", "lastmod", "dcterms.modified", "dc.date.modified",
    "modified_time", "date_modified", "last_modified", "revised",
)  # fmt: skip
# what an archive of the web puts before the address of a page that it keeps
_ARCHIVED = re.compile(r"^https?://web\.archive\.org/web/\d{4,14}[a-z_]*/")
_URL_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([/-]?)([01]?\d)\2([0-3]?\d)(?!\d)")
_URL_DAY_FIRST = re.compile(r"(?<!\d)([0-3]\d)([-_.])([01]\d)\2((?:19|20)\d\d)(?!\d)")
_MACHINES = (Provenance.JSONLD, Provenance.META, Provenance.MICRODATA, Provenance.TIME_ELEMENT)


@dataclass(frozen=True, slots=True)
class Source:
    """What a place of the times is read from: the page's evidence, how its dates are read, the dates that a reader
    sees, and the one that htmldate finds (both read when they are first asked for).
    """

    evidence: Evidence
    reading: Reading
    seen: Callable[[], list[Seen]]
    guessed: Callable[[], Stated | None]
    is_german: bool = False


_once = lru_cache(maxsize=1)


def source_of(evidence: Evidence, reading: Reading, *, is_german: bool = False) -> Source:
    """*evidence* with what is needed to read times from it. *is_german*: pages on which htmldate is worth asking."""
    seen = _once(lambda: dates_seen(evidence.visible, reading))
    return Source(evidence, reading, seen, _once(lambda: by_htmldate(evidence, reading)), is_german)


def looking_at(visible: VisibleText, source: Source) -> Source:
    """The same page, of which a reader sees *visible*. htmldate reads all of it, so that it need not be asked again."""
    seen = _once(lambda: dates_seen(visible, source.reading))
    return replace(source, evidence=replace(source.evidence, visible=visible), seen=seen)


def published(source: Source) -> Dated | None:
    """When the article was published; None where no place says it."""
    chosen = chosen_of(PUBLISHED.candidates(source), source.reading)
    if chosen is None:  # only now: they take as long as all other places together
        chosen = next((each for each in LAST_RESORT.candidates(source) if each.believed), None)
    if chosen is None:
        return None
    believed: Dated | None = chosen.believed
    return believed


def chosen_of(candidates: Iterable[Candidate], reading: Reading) -> Candidate | None:
    """The first of *candidates*, or one of the same day that states the time of day as well: a machine's first."""
    first = clock = None
    for candidate in candidates:
        dated = candidate.believed
        if dated is None:
            continue
        first = first or candidate
        if dated.precision is Precision.DAY or not _same_day(first.believed, dated, reading):
            continue
        if dated.provenance in _MACHINES:
            return clock if clock and _sells_local_time_as_utc(dated, clock.believed) else candidate
        clock = clock or candidate
    return clock or first


def _sells_local_time_as_utc(machine: Dated, seen: Dated) -> bool:
    """Whether a machine says 11:17 UTC where the page shows 11:17: then what people read is right."""
    shown = seen.at.replace(tzinfo=UTC)
    return machine.at != seen.at and abs((machine.at - shown).total_seconds()) < 60


def modified(source: Source) -> Dated | None:
    """When the page says that its article was last changed."""
    found = (each.believed for each in MODIFIED.candidates(source))
    return next(filter(None, found), None)


def _same_day(a: Dated, b: Dated, reading: Reading) -> bool:
    return a.at.astimezone(reading.time_zone).date() == b.at.astimezone(reading.time_zone).date()


# -- the places -------------------------------------------------------------------------------------------------------

Values = Iterator[tuple[str, Dated | None]]


def _understood(values: Iterable[object], provenance: Provenance, reading: Reading) -> Values:
    for value in values:
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, dict):
            value = value.get("@value")
        if not value:
            continue
        stated = reading.machine(value)
        yield str(value), Dated(stated.at, stated.precision, provenance) if stated else None


def _of_article(key: str) -> Callable[[Source], Values]:
    def read(source: Source) -> Values:
        return _understood([source.evidence.stated.article.get(key)], Provenance.JSONLD, source.reading)

    return read


def _of_page_node(source: Source) -> Values:
    nodes = source.evidence.stated.typed("webpage", "itempage")
    return _understood((node.get("datePublished") for node in islice(nodes, 3)), Provenance.JSONLD, source.reading)


def _of_meta(*names: str) -> Callable[[Source], Values]:
    def read(source: Source) -> Values:
        stated = source.evidence.stated
        return _understood((stated.first_meta(name) for name in names), Provenance.META, source.reading)

    return read


def _of_published_meta(source: Source) -> Values:
    stated = source.evidence.stated
    yield from _of_meta(*_PUBLISHED_META)(source)
    bare = {name: _NAME_MARKS.sub("", name) for name in stated.meta}
    others = [name for name, own in bare.items() if own in _PUBLISHED_NAMES or own.endswith(_PUBLISHED_ENDS)]
    yield from _of_meta(*(name for name in others if name not in _PUBLISHED_META))(source)


def _of_micro(name: str) -> Callable[[Source], Values]:
    def read(source: Source) -> Values:
        return _understood(_micro(source.evidence, name), Provenance.MICRODATA, source.reading)

    return read


def _micro(evidence: Evidence, name: str) -> Iterator[str]:
    """What microdata of the article's own says: not that of a comment or of an article beside it."""
    for element in evidence.stated.micro.get(name, ())[:12]:
        if not _is_foreign_item(element, evidence):
            yield _attribute(element) or text_of(element, 200)


def _attribute(element: Element) -> str | None:
    """The machine's form of a date that an element shows; Blogger writes it as the title of an <abbr>."""
    value = element.get("content") or element.get("datetime")
    return value or (element.get("title") if element.tag == "abbr" else None)


def _is_foreign_item(element: Element, evidence: Evidence) -> bool:
    above = evidence.visible.above
    is_other = is_of_other_item(element, above)
    if is_other is not None:
        return is_other
    return element.tag not in ("meta", "link") and is_outside(element, above)


_ENTRY_DATE = re.compile(r"(?<![\w-])(?:dt-published|published|entry-date)(?![\w-])")
_CHANGE_DATE = re.compile(r"(?<![\w-])(?:dt-updated|updated|modified)(?![\w-])")


def _of_microformat(wanted: re.Pattern[str], unwanted: re.Pattern[str] | None = None) -> Callable[[Source], Values]:
    """hAtom and h-entry, as WordPress and Blogger write them: <time class="entry-date published" datetime=…>."""

    def is_named(element: Element) -> bool:
        names = element.get("class") or ""
        if unwanted is None and element.get("pubdate") is not None:
            return True
        return bool(wanted.search(names)) and not (unwanted and unwanted.search(names))

    def read(source: Source) -> Values:
        above = source.evidence.visible.above
        own = (
            _attribute(element)
            for element in source.evidence.stated.times[:20]
            if is_named(element)
            and not is_outside(element, above)
            and any(up in above for up in element.iterancestors())
        )
        return _understood(islice(own, 1), Provenance.TIME_ELEMENT, source.reading)

    return read


def _of_hint(source: Source) -> Values:
    hint = source.evidence.hint
    if hint is not None and hint.published_at is not None:
        at, precision = hint.published_at, hint.published_precision or Precision.SECOND
        yield at.isoformat(), Dated(at, precision, hint.via)


def _beside_headline(source: Source) -> Values:
    for each in source.seen()[:1]:
        if each.points >= PLAIN and each.found.label not in CHANGED and not each.found.rough:
            yield each.text, each.dated


def _seen(source: Source) -> Values:
    """What a reader would take for it. A day that is only called changed is no publication; 'Stand: ...' is, where
    the page shows no other.
    """
    found = [each for each in source.seen() if each.found.label is not Label.MODIFIED]
    yield from ((each.text, each.dated) for each in found[:3])


def _seen_changed(source: Source) -> Values:
    for each in source.seen():
        if each.found.label in CHANGED and each.points >= LEAST and not each.found.rough:
            yield each.text, each.dated


_LINKED = frozenset(("a", "li", "blockquote", "del", "ins"))
_MOST_BEHIND = 80  # elements behind the headline that are looked at: its own lines, not the article's end


def _in_attribute(source: Source) -> Values:
    """The first element behind the headline, in a part of the page that holds both, whose attribute states a time."""
    visible = source.evidence.visible
    for element in islice(_behind(visible.heading), _MOST_BEHIND):
        value = exact_value(element)
        if value is None or not _LINKED.isdisjoint(each.tag for each in (element, *element.iterancestors())):
            continue
        if is_called_changed(element, source.reading) or is_of_other_item(element, visible.above):
            continue
        if not is_outside(element, visible.above):
            yield from _understood([value], Provenance.TIME_ELEMENT, source.reading)
            return


def _behind(heading: Element | None) -> Iterator[Element]:
    """The elements behind the headline, up to the end of the part of the page that it stands in."""
    around = heading.getparent() if heading is not None else None
    while heading is not None and around is not None and around.tag not in ("body", "html"):
        for sibling in heading.itersiblings():
            yield from sibling.iter("*")
        heading, around = around, around.getparent()


# how scripts and data of a page's own name the time of publication
_IN_SCRIPTS = re.compile(
    r"[Pp]ub(?:[Dd]ate|_date|li(?:sh(?!er)|cation))[\w-]{0,20}\\?[\"']\s*:\s*\\?[\"']?"
    r"([12]\d{3}-\d\d-\d\d(?:[T ][\d:.]{5,15}(?:Z|[+-]\d\d:?\d\d)?)?|1\d{9}(?:\d{3})?)(?!\d)"
)


def _in_scripts(source: Source) -> Values:
    """The time that the page's scripts know; of several days none, for theirs are also the times of other articles."""
    scripts = (script.text or "" for script in source.evidence.stated.scripts)
    named = [match[1] for text in scripts if len(text) <= LARGEST_SCRIPT for match in _IN_SCRIPTS.finditer(text)]
    found = list(_understood(dict.fromkeys(named), Provenance.META, source.reading))
    if len({dated.at.astimezone(source.reading.time_zone).date() for _, dated in found if dated}) == 1:
        yield from found


def _in_address(source: Source) -> Values:
    url = _ARCHIVED.sub("", source.evidence.url)
    for pattern, (year, month, day) in ((_URL_DAY, (1, 3, 4)), (_URL_DAY_FIRST, (4, 3, 1))):
        if match := pattern.search(url):
            stated = source.reading.day(match[year], match[month], match[day])
            yield match[0], Dated(stated.at, stated.precision, Provenance.URL) if stated else None


def _in_headline(source: Source) -> Values:
    """A whole day in the headline or the breadcrumb, which is what the article is about and mostly its own."""
    heading = source.evidence.visible.heading
    texts = [text_of(heading, 300)] if heading is not None else []
    for text in (*texts, *_crumbs(source.evidence.stated)):
        for one in source.reading.find(text):
            if any(text[one.start : one.end].count(year) for year in (str(one.stated.at.year),)):
                yield text, Dated(one.stated.at, one.stated.precision, Provenance.TEXT)


def _crumbs(stated: Structured) -> Iterator[str]:
    for node in stated.typed("breadcrumblist"):
        items = node.get("itemListElement")
        for item in items[-2:] if isinstance(items, list) else ():
            name = item.get("name") if isinstance(item, dict) else None
            if isinstance(name, str):
                yield name[:300]


def _shows_an_hour_to_come(source: Source) -> bool:
    """Whether the page shows an hour of today that has not come yet, such as 'heute 16:36 Uhr' fetched after midnight.
    Then it does not keep silent, and any other day on it is another article's.
    """
    reading = source.reading
    end_of_day = reading.fetched_at.astimezone(reading.time_zone).replace(hour=23, minute=59)
    seen = dates_seen(source.evidence.visible, replace(reading, fetched_at=end_of_day))
    return any(each.dated.at > reading.fetched_at for each in seen)


def _by_htmldate(source: Source) -> Values:
    stated = source.guessed() if source.is_german else None
    if stated is None or _shows_an_hour_to_come(source):
        return
    changed = modified(source)
    if not (changed and changed.at.date() == stated.at.date()):
        yield stated.at.date().isoformat(), Dated(stated.at, stated.precision, Provenance.HTMLDATE)


def _modified_hint(source: Source) -> Values:
    hint = source.evidence.hint
    if hint is not None and hint.modified_at is not None:
        yield hint.modified_at.isoformat(), Dated(hint.modified_at, Precision.SECOND, hint.via)


PUBLISHED = Ranking("published", (
    Place("JSON-LD `datePublished` of the page's own article", _of_article("datePublished"),
          "written by the editorial system, with an offset", "jsonld"),
    Place("a date that stands plainly beside the headline, when JSON-LD is silent", _beside_headline,
          "where it differs from meta or microdata, those carry the day of an import or a template's", "text, time"),
    Place("meta `article:published_time` and its kin", _of_published_meta, "", "meta"),
    Place("microdata `datePublished`", _of_micro("datepublished"),
          "not that of comments, embeds and articles beside it", "microdata"),
    Place("`<time>` of class `published` or `entry-date`", _of_microformat(_ENTRY_DATE), "WordPress, Blogger", "time"),
    Place("JSON-LD `datePublished` of the web page", _of_page_node, "", "jsonld"),
    Place("JSON-LD `dateCreated`", _of_article("dateCreated"), "", "jsonld"),
    Place("the feed's or sitemap's entry", _of_hint, "", "feed, sitemap"),
    Place("the likeliest other date in the visible text", _seen,
          "by nearness to the headline, words before it ('Veröffentlicht', 'Stand'), names of what surrounds it; dates "
          "in teasers, comments, embeds, captions, footers and the headline itself count against; one that is only "
          "called changed is none", "text, time"),
    Place("an attribute that states a time (`datetime`, `data-timestamp`, ...), behind the headline", _in_attribute,
          "for scripts that write the time; not in links and lists", "time"),
    Place("meta `date` and its kin", _of_meta(*_WEAKER_META), "often the day of the last change", "meta"),
    Place("a whole day in the address", _in_address, "", "url"),
    Place("a whole day in the headline or the breadcrumb", _in_headline, "", "text"),
))  # fmt: skip

# asked when all of these are silent
LAST_RESORT = Ranking("published", (
    Place("the page's scripts", _in_scripts, "where all that they call published is one day", "meta"),
    Place("htmldate, on German pages", _by_htmldate, "right on most pages where all others are silent; abroad it is as "
          "often wrong", "htmldate"),
))  # fmt: skip

MODIFIED = Ranking("modified", (
    Place("JSON-LD `dateModified`", _of_article("dateModified"), "", "jsonld"),
    Place("meta `article:modified_time` and its kin", _of_meta(*_MODIFIED_META), "", "meta"),
    Place("microdata `dateModified`", _of_micro("datemodified"), "", "microdata"),
    Place("`<time>` of class `updated`", _of_microformat(_CHANGE_DATE, _ENTRY_DATE), "", "time"),
    Place("a date near the headline that is called changed", _seen_changed, "", "text, time"),
    Place("the feed's or sitemap's entry", _modified_hint, "", "feed, sitemap"),
))  # fmt: skip
