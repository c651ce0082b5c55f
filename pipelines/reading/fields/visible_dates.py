"""The dates that a reader sees on a page, and how likely each is the article's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from itertools import islice

from lxml.etree import _Element as Element

from pipelines.items import Precision, Provenance
from pipelines.reading.fields.bylines import ARTICLE_ITEMS, OWN_FRAME
from pipelines.reading.fields.date_grammar import grammar_of
from pipelines.reading.fields.dates import CHANGED, Dated, Found, Label, Reading, Stated, label_before
from pipelines.reading.languages import each as each_of
from pipelines.reading.languages import either, languages
from pipelines.reading.page.structured import text_of
from pipelines.reading.page.visible import VisibleText

# a digit, or the beginning of a word that means a day
_WORDS = {word for each in languages().values() for word in each.days_ago} | set(each_of("dates.one_ago"))
_DIGIT, _DAY_WORDS = re.compile("[0-9]"), re.compile("|".join(sorted(_WORDS)))  # the words in lower case
_LONGEST_OF_WORDS = 120  # characters of a date line without a digit
_DATE_CLASS = re.compile(
    r"(?<![a-z])(?:up)?date(?![a-z]{3})|[a-z]-?date\b|publish|publi[ck]ation|posted|pubdate|time-?stamp|dateline"
    rf"|created|submitted|post-?meta|entry-?meta|byline|article-?info|release|{either('class_names.date')}",
    re.IGNORECASE,
)
_META_CLASS = re.compile(
    rf"meta|info|time|author|credit|detail|head|subline|{either('class_names.date_line')}", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    r"comment|related|teaser|sidebar|side-?bar|(?<!elementor-)widget|recent|popular|event|calendar|banner|ticker|caption"
    r"|(?:site|page|main|global)-?footer|^footer|navi|breadcrumb|menu|also-?read|more-?news|similar|recommend|slider"
    rf"|carousel|aside|forum|cookie|weather|copyright|(?<![a-z])today|current-?date"
    rf"|{either('class_names.comments', 'class_names.elsewhere')}",
    re.IGNORECASE,
)
# posts of social networks, and an archive's line above the page that it kept
_EMBEDDED = re.compile(
    r"twitter|tweet|instagram|facebook|fb-post|tiktok|mastodon|telegram|bluesky|threads-?post|embed|oembed|wm-ipp",
    re.IGNORECASE,
)
# what stands before the day in the first words of a press release: 'Neustadt, 12. November 2025 - Der ...'
_DATELINE = re.compile(
    rf"(?:[A-ZÄÖÜ][\w.-]+(?:[ /][\w.-]+){{0,4}}(?:, ?| ?\(|, ?\()|[(\[]?)(?:(?i:{either('dates.before_date')})\s)?"
)
_AFTER_DATELINE = re.compile(r"\s?[)\]]?\s?[-–—:|.)\]]")
_LONGEST_DATELINE, _SHORTEST_PROSE = 80, 120  # characters
# attributes from which scripts write a time
_DATA_TIMES = (
    "data-datetime", "data-timestamp", "data-date", "data-time", "data-published", "data-publish-date", "data-pubdate",
    "data-date-published", "data-published-at", "data-publication-date",
)  # fmt: skip
_TIME_TAGS = frozenset(("time", "abbr", "span"))
_DAY = timedelta(days=1)
_MOST_STRINGS = 1_000  # with something like a date in them; real pages have a hundred
_FOREIGN_TAGS = frozenset(("nav", "aside", "footer", "figcaption", "select", "figure", "button", "blockquote"))
_COMMENTS = re.compile(rf"comment|cookie|(?<![a-z])today|current-?date|{either('class_names.comments')}", re.IGNORECASE)
_OTHERS = re.compile(
    rf"comment|related|recommend|similar|most-?(?:read|popular)|also-?read|more-?news|{either('class_names.comments')}",
    re.IGNORECASE,
)
_CHANGED = frozenset(("updated", "modified", "dt-updated", "date-modified", "datemodified", "last-modified"))
_PUBLISHED = re.compile(r"publish|posted|created|entry-date|post-date|pubdate|issued", re.IGNORECASE)
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
    text: str = ""
    is_strange: bool = False  # in something that is named like a part of the page which is not the article


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
    if text.startswith(("©", "(c)", "Copyright")):
        return False
    if _DIGIT.search(text if len(text) <= 300 else text[:_LONGEST_DATELINE]):
        return True
    return len(text) <= _LONGEST_OF_WORDS and _DAY_WORDS.search(text.lower()) is not None


def _with_publication_first(found: list[Seen]) -> list[Seen]:
    """*found* with a day that stands alone and is called published before one that is called changed."""
    if not found or found[0].found.label not in CHANGED:
        return found
    for place, each in enumerate(found):
        is_before = each.dated.at.date() <= found[0].dated.at.date()
        if each.found.label is Label.PUBLISHED and each.alone and is_before and each.points >= LEAST_ALONE:
            return [each, *found[:place], *found[place + 1 :]]
    return found


def _least(best: Seen, found: list[Seen]) -> float:
    if best.is_strange:
        return LEAST
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
    found = reading.find(window)
    dates = [one for one in found if offset <= one.start + 1 and one.start < offset + len(own)]
    element = visible.element(index) if dates else None
    if element is None:
        return
    near = visible.distance(index)
    for one in dates:
        if one.label is Label.OTHER:  # said by the text itself, or only by what happens to stand before it?
            label = label_before(window[offset : one.start], grammar_of(reading.language))
            if label is Label.OTHER:
                continue
            one = replace(one, label=label)
        rest = sum(c.isalpha() for c in own) - sum(c.isalpha() for c in window[one.start : one.end])
        before = window[offset : one.start]
        if len(visible.texts[index]) >= _SHORTEST_PROSE and _DATELINE.fullmatch(before):
            if not before and not _AFTER_DATELINE.match(window, one.end):
                continue  # 'Am 3. Dezember ...': a sentence that begins with a day
            rest = 0
        elif is_prose:
            continue
        one = replace(one, label=one.label or (_label_of_names(element) if len(dates) == 1 else None))
        points = _points(element, near, one.label, rest, visible.above)
        stated, provenance = one.stated, Provenance.TEXT
        exact = _time_attribute(element, reading)
        if exact is not None and _is_of_this(exact, one, len(dates)):
            stated, provenance, points = exact, Provenance.TIME_ELEMENT, points + 10
        is_strange = rest <= 25 and LEAST_ALONE <= points < LEAST and _is_strange(element, visible.above)
        yield Seen(Dated(stated.at, stated.precision, provenance), one, rest <= 25, points, own, is_strange)


def _is_of_this(exact: Stated, found: Found, dates: int) -> bool:
    """Whether an attribute speaks of this date: where an element shows several, its clock must be the attribute's.
    What was 'vor 2 Tagen' may have been on the evening of the third.
    """
    stated = found.stated
    if exact.at.date() != stated.at.date() and not (found.rough and abs(exact.at - stated.at) <= _DAY):
        return False
    if dates == 1 or stated.precision is Precision.DAY:
        return dates == 1
    return abs((exact.at - stated.at).total_seconds()) < 60


def _label_of_names(element: Element) -> Label | None:
    """CHANGED where the element, or the one around it, is called so and nothing else: many a template calls a date of
    publication 'date updated'.
    """
    for _ in range(2):
        if element is None:
            return None
        names = f"{element.get('class') or ''} {element.get('itemprop') or ''}".lower().split()
        if names and _CHANGED & set(names):
            others = [name for name in names if name not in _CHANGED]
            return None if any("date" in name or _PUBLISHED.search(name) for name in others) else Label.MODIFIED
        if names and _PUBLISHED.search(" ".join(names)):
            return None
        element = element.getparent()
    return None


def is_called_changed(element: Element, reading: Reading) -> bool:
    """Whether its names, its text or the words right before an element call its time that of a change."""
    before, around = element.getprevious(), element.getparent()
    label = before.tail if before is not None else around.text if around is not None else None
    text = f"{label or ''} {text_of(element, 120)}"
    return _label_of_names(element) is Label.MODIFIED or label_before(text, grammar_of(reading.language)) in CHANGED


def _time_attribute(element: Element, reading: Reading) -> Stated | None:
    for _ in range(3):
        if element is None:
            return None
        if value := exact_value(element):
            return reading.machine(value)
        element = element.getparent()
    return None


def exact_value(element: Element) -> str | None:
    """What an element's attributes say of the time that it shows or that a script is to write into it."""
    names = ("datetime", "content", "title") if element.tag in _TIME_TAGS else ("datetime",)
    return next((value for name in (*names, *_DATA_TIMES) if (value := element.get(name))), None)


def _points(element: Element, near: int | None, label: Label | None, rest: int, above: frozenset[Element]) -> float:
    """How likely a date is the article's own: nearness to the headline, words before it, names of what surrounds it."""
    points = _nearness(near)
    points += {Label.PUBLISHED: 12, Label.MODIFIED: -4, Label.AS_OF: -4, None: 0}[label]
    points += 8 if rest <= 25 else -4 if rest <= 60 else -15
    names, level, linked = [], 0, False
    while element is not None and element.tag != "body" and level < 12:
        own = f"{element.get('class') or ''} {element.get('id') or ''}"
        if level < 3:
            names.append(own)
            linked = linked or element.tag == "a"
        if _is_foreign(element, own, above):
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
    named = _points_of_names(around)
    return points + named - (6 if linked and named < _NAMED_DATE else 0)


_NAMED_DATE, _NAMED_META = 12, 4


@lru_cache(maxsize=4_096)
def _points_of_names(names: str) -> int:
    """Points for a date in something that is called one, or a line that may hold one."""
    return _NAMED_DATE if _DATE_CLASS.search(names) else _NAMED_META if _META_CLASS.search(names) else 0


def _is_strange(element: Element, above: frozenset[Element]) -> bool:
    """Whether a date stands in an embed, a quotation, a comment, what leads to other articles or a page's header."""
    for around in islice((element, *element.iterancestors()), 8):
        if around in above:
            return False
        names = f"{around.get('class') or ''} {around.get('id') or ''}"
        if around.tag in ("blockquote", "figcaption", "header") or _EMBEDDED.search(names) or _OTHERS.search(names):
            return True
    return False


def _is_foreign(element: Element, own: str, above: frozenset[Element]) -> bool:
    """Whether an element is a frame, a page's header, a quotation, an embed or another article; *own* are its names."""
    if element.tag in _FOREIGN_TAGS and not (element.tag in ("aside", "footer") and OWN_FRAME.search(own)):
        return True
    if element.tag == "header" and element not in above:
        return not any(around.tag in ("article", "main") for around in element.iterancestors())
    item = element.get("itemtype")
    is_other = _is_embedded(own) or (item and ARTICLE_ITEMS.search(item))
    return bool(is_other) and element not in above


@lru_cache(maxsize=4_096)
def _is_embedded(names: str) -> bool:
    return _EMBEDDED.search(names) is not None


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
