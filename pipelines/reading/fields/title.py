"""The headline of an article without site name, kicker or section, and the kicker apart."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from lxml.etree import XPath
from lxml.etree import _Element as Element

from pipelines.reading.fields.date_grammar import any_of, month_names
from pipelines.reading.languages import either, words
from pipelines.reading.page.evidence import Place, Ranking
from pipelines.reading.page.structured import Structured, plain, text_of

_SEPARATOR = re.compile(r"\s+(?:[|–—·•›»«⋆★:/~]|-{1,2}|::|//|\\)\s+|\s*\|\s*|\s[»›]\s?|:: ")
_KICKER_CLASS = re.compile(
    r"kicker|overline|topline|roof-?line|eyebrow|pre-?(?:title|headline)|super-?(?:title|headline)"
    r"|over-?(?:title|headline)|catchline|headline__?-?(?:top|pre|intro)|upper-?title|topic|category|section-?name|label"
    rf"|tagline|{either('class_names.kicker')}",
    re.IGNORECASE,
)
_NO_KICKER = re.compile(rf"\d{{4}}|\d:\d\d|{either('title.no_kicker')}", re.IGNORECASE)
# sections that are not part of a headline even where a colon joins them to it
_SECTIONS = words("title.sections")
_SITE_WORDS = words("title.site_words") | _SECTIONS
# a day that stands before or behind a headline, in a segment of its own
_MONTH = any_of(month_names())
_DAY_SEGMENT = re.compile(
    rf"(?:[^\W\d_]{{2,12}}\.?,?\s)?(?:[0-3]?\d\.\s?(?:[01]?\d\.|{_MONTH}\.?)\s?(?:19|20)\d\d|[0-3]?\d[/-][01]?\d[/-](?:19|20)\d\d"
    rf"|(?:19|20)\d\d-[01]\d-[0-3]\d)(?:,?\s(?:[^\W\d_]{{2,3}}\s)?[0-2]?\d[:.][0-5]\d(?:\s?{either('dates.clock_words')})?)?",
    re.IGNORECASE,
)
_NOT_TITLE_CLASS = re.compile(
    r"logo|site-?(?:name|title)|brand|masthead|navbar|screen-reader|visually-?hidden|sr-only", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Headline:
    """The title, the kicker that stood with it, and the h1 element that carries it (None if no h1 does)."""

    title: str | None
    kicker: str | None = None
    element: Element | None = None


def headline(structured: Structured, tree: Element | None = None) -> Headline:
    """The page's headline, from what JSON-LD, OpenGraph, the h1 and the window title state.

    Newsrooms write two: one for readers and one for search engines, which is the window title. So a JSON-LD or
    OpenGraph
    title that differs from the window title is the editorial one. Without JSON-LD the h1 is what the reader sees.
    """
    said, element, kicker, others = _read(structured, tree)
    title = next((each.believed for each in TITLES.candidates(said) if each.believed), None)
    title, glued = _as_shown(title, said.visible)
    title = title or next(iter(others), None)
    return Headline(title, kicker or glued or _kicker_above(element, title), element)


def _read(structured: Structured, tree: Element | None) -> tuple[Headlines, Element | None, str | None, list[str]]:
    """What the places say, the element that shows the headline, the kicker in it, and all titles that are stated."""
    sites = site_names(structured)
    whole = _whole_headlines(structured)
    stated = clean(plain(structured.article.get("headline")), sites, whole)
    stated = None if stated and squashed(stated) in sites else stated
    og = clean(structured.first_meta("og:title"), sites, whole)
    window = clean(structured.window_title, sites, whole)
    twitter = clean(structured.first_meta("twitter:title", "dc.title"), sites, whole)
    others = [text for text in (stated, og, window, twitter) if text]
    element = _main_heading(structured, others, sites)
    if tree is not None:
        lesser = _lesser_heading(tree, element, others, structured)
        element = element if lesser is None else lesser
    visible, kicker = _heading_text(element, sites, others, whole) if element is not None else (None, None)
    if window and element is None and window == structured.window_title:  # nothing else of it is the site's
        site, colon, rest = window.partition(": ")
        window = rest if colon and squashed(site) in sites else window
    is_own = stated and not _is_foreign(stated, visible, og, window) and not _is_stub(stated, visible, og or window)
    return Headlines(visible, stated, og, window, stated if is_own else None), element, kicker, others


def _whole_headlines(structured: Structured) -> frozenset[str]:
    """The headlines that an h1 and JSON-LD or OpenGraph have in the same words: nothing in them is the site's."""
    shown = {squashed(text_of(element, 600)) for element in structured.headings[:12]}
    stated = (plain(structured.article.get("headline")), structured.first_meta("og:title"))
    return frozenset(squashed(text) for text in stated if text) & shown


def _kicker_above(element: Element | None, title: str | None) -> str | None:
    """The kicker that stands right above the heading in an element of its own, named as one."""
    for _ in range(2):
        if element is None:
            return None
        above = element.getprevious()
        while above is not None and not isinstance(above.tag, str):
            above = above.getprevious()
        if above is not None:
            text = text_of(above, 120)
            is_path = above.tag == "nav" and len(above.findall(".//a")) > 1
            inside = above.iter() if len(text) <= 80 and not is_path else ()
            named = any(map(_is_named_kicker, inside))
            if named and 2 <= len(text) <= 80 and not _NO_KICKER.search(text) and text != title:
                return text.strip(" :-–—|/") or None
        if above is not None and text_of(above, 20):
            return None
        element = element.getparent()
    return None


@dataclass(frozen=True, slots=True)
class Headlines:
    """What the places say for the headline, cleaned: the ``visible`` heading, JSON-LD (``stated``), ``og`` and the
    ``window`` title. ``own`` is what JSON-LD states, unless that is another article's or a catchword.
    """

    visible: str | None = None
    stated: str | None = None
    og: str | None = None
    window: str | None = None
    own: str | None = None


Values = Iterator[tuple[str, str | None]]


def _editorial(text: str | None, said: Headlines) -> Values:
    """*text* where it is not the window title in other marks and speaks of the same thing."""
    if text:
        differs = said.own and said.window and squashed(text) != squashed(said.window)
        yield text, text if differs and _alike(text, said.visible or said.window or "") else None


def _as_it_is(read: Callable[[Headlines], str | None]) -> Callable[[Headlines], Values]:
    def values(said: Headlines) -> Values:
        if text := read(said):
            yield text, text

    return values


TITLES = Ranking("title", (
    Place("JSON-LD `headline` that differs from the window title", lambda said: _editorial(said.stated, said),
          "newsrooms write one headline for readers and one for search engines, which is the window title"),
    Place("`og:title` that differs from it, beside a JSON-LD headline", lambda said: _editorial(said.og, said)),
    Place("JSON-LD `headline`", _as_it_is(lambda said: said.own),
          "not another article's: it shares a word with the others, and is no catchword out of them"),
    Place("the visible heading", _as_it_is(lambda said: said.visible), "without JSON-LD it is what the reader sees"),
    Place("`og:title`", _as_it_is(lambda said: said.og)),
    Place("the window title", _as_it_is(lambda said: said.window)),
))  # fmt: skip


def headlines_of(structured: Structured, tree: Element | None = None) -> Headlines:
    """What the places of a page say for its headline."""
    return _read(structured, tree)[0]


def _is_stub(stated: str, visible: str | None, other: str | None) -> bool:
    """Whether the stated headline is a catchword out of the one that the page shows and another place repeats."""
    if not visible or not other or len(stated.split()) > 2 or len(visible.split()) < 4:
        return False
    return squashed(visible) == squashed(other) and squashed(stated) in squashed(visible)


def _is_foreign(stated: str, *others: str | None) -> bool:
    """Is the stated headline another article's? It shares no word with other places, and they agree."""
    said = [text for text in others if text]
    if len(said) < 2 or any(_alike(stated, text) for text in said):
        return False
    return any(_alike(one, other) for place, one in enumerate(said) for other in said[place + 1 :])


def _alike(a: str, b: str) -> bool:
    """Do two headlines speak of the same thing? One shared word of five letters will do; editors rewrite freely."""
    one, two = squashed(a), squashed(b)
    return one in two or two in one or any(len(word) >= 5 for word in _words(a) & _words(b))


def _as_shown(title: str | None, visible: str | None) -> tuple[str | None, str | None]:
    """The stated *title* without what hangs on to the *visible* heading in it: a section behind, a kicker before.

    'Kicker: Title' stays whole when it is stated so: there the colon makes it one headline.
    """
    if not title or not visible or len(_words(visible)) < 2:
        return title, None
    folded, shown = title.casefold(), visible.casefold()
    if folded == shown:
        return title, None
    cut = folded.rstrip(" .…")
    if folded.endswith(("…", "...")) and shown.startswith(cut) and len(shown) > len(folded):
        return visible, None
    if _untyped(folded) == _untyped(shown):  # the same but for quotes and dashes, which machines get plain
        return visible, None
    if folded.startswith(shown) and _SEPARATOR.match(title, len(visible)):
        return visible, None
    if folded.endswith(shown):
        before = title[: len(title) - len(visible)]
        joined = before.rstrip().endswith(":") and before.rstrip(" :").casefold() not in _SECTIONS
        if not joined and not before[-1:].isalnum():
            return visible, before.strip(" :-–—|/•·»") or None
    return title, None


_TYPED = str.maketrans({**dict.fromkeys("„“”»«›‹‚‘’'", '"'), **dict.fromkeys("–—−‐‑", "-"), "…": ".", "\xa0": " "})


def _untyped(text: str) -> str:
    """*text* with one sort of quotes and one of dashes."""
    return text.translate(_TYPED)


def _main_heading(structured: Structured, stated: Sequence[str | None], sites: set[str]) -> Element | None:
    """The h1 that carries the headline: the one most like what the page states elsewhere, else the first in an
    article.
    """
    best, best_score = None, 0.0
    words = [_words(text) for text in stated if text]
    for place, element in enumerate(structured.headings[:12]):
        text = text_of(element, 600)
        if not text or len(text) > 400 or _is_site(text, sites):
            continue
        own = _words(text)
        score = (
            max((len(own & other) / max(len(own), 1) for other in words), default=0.0) * min(1.0, len(own) / 2) + 0.1
        )
        if _NOT_TITLE_CLASS.search(element.get("class") or ""):
            score -= 0.5
        score -= 0.01 * place
        if score > best_score:
            best, best_score = element, score
    return best


def _lesser_heading(tree: Element, main: Element | None, stated: list[str], structured: Structured) -> Element | None:
    """The heading that carries the headline where no h1 does: where there is none, or where the *main* one is called
    otherwise than the page ('Aktuelles') and a lesser one just as it is.
    """
    if main is None:
        unusual = _unusual_heading(tree, stated)
        return _only_heading(tree, stated, structured) if unusual is None else unusual
    shown = text_of(main, 400)
    if len(_words(shown)) > _WORDS_OF_A_SECTION or any(_alike(shown, text) for text in stated):
        return None
    folded = {squashed(text) for text in stated if len(_words(text)) > _WORDS_OF_A_SECTION}
    lesser = tree.iter("h2", "h3") if folded else ()
    return next((each for each in lesser if squashed(text_of(each, 400)) in folded), None)


_WORDS_OF_A_SECTION = 2


def _unusual_heading(tree: Element, stated: list[str]) -> Element | None:
    """Where no h1 carries the headline: the longest lesser heading whose words the page's other titles contain."""
    best, longest = None, 0
    folded = [squashed(text) for text in stated]
    for element in tree.iter("h2", "h3", "h4"):
        text = text_of(element, 400)
        short = squashed(text)
        if len(short) > max(longest, 9) and len(text.split()) >= 2 and any(short in other for other in folded):
            best, longest = element, len(short)
    return best if best is not None else _heading_by_words(tree, folded)


def _only_heading(tree: Element, stated: list[str], structured: Structured) -> Element | None:
    """The heading of a page whose window title is the same on all pages: what microdata calls the headline, or the only
    one of its level.
    """
    if len(stated) != 1 or structured.window_title is None or structured.first_meta("og:title"):
        return None
    for elements in (structured.micro.get("headline", ()), tree.iter("h2"), tree.iter("h3")):
        headings = [each for each in elements if each.tag in _HEADINGS and _may_be_headline(text_of(each, 400))]
        if len(headings) == 1 and not any(above.tag in _FRAMES for above in headings[0].iterancestors()):
            return headings[0]
        if headings:
            return None
    return None


def _may_be_headline(text: str) -> bool:
    return len(text.split()) >= 3 and _DAY_SEGMENT.fullmatch(text) is None


_HEADINGS = frozenset(("h2", "h3", "h4", "h5", "div", "span", "p"))
_FRAMES = frozenset(("nav", "aside", "footer"))


_SHORT_TEXTS = XPath(
    "//body/descendant::text()[string-length() > 9 and string-length() < 400][not(ancestor::a or ancestor::nav)]"
)
_UNSEEN = frozenset(("script", "style", "noscript", "title", "option", "textarea"))


def _heading_by_words(tree: Element, folded: list[str]) -> Element | None:
    """Where no heading of any level does: the element whose words are those of one of the page's other titles, or most
    of them.
    """
    best, longest = None, 0
    for text in _SHORT_TEXTS(tree.getroottree()):
        element = text.getparent()
        if text.is_tail or element.tag in _UNSEEN or len(element):
            continue
        short = squashed(text)
        if len(short) > max(longest, 9) and any(short in other and 2 * len(short) > len(other) for other in folded):
            best, longest = element, len(short)
    return best


def _heading_text(
    element: Element, sites: set[str], stated: list[str], whole_ones: frozenset[str] = frozenset()
) -> tuple[str | None, str | None]:
    """The heading's own text and the kicker inside it; a kicker that the page's other titles carry too is part of the
    title.
    """
    kicker = None
    lines = _lines(element)
    whole = _without_day(" ".join(lines), element)
    named = _named_kicker(element)
    for text in stated:
        if named and whole.endswith(text) and squashed(whole[: len(whole) - len(text)]) == squashed(named):
            return text, named.strip(" :-–—|/")
    for text in stated:
        if squashed(whole) == squashed(text):
            text = whole if text.isupper() or _untyped(whole) == _untyped(text) else text
            return clean(
                text, sites, whole_ones
            ), None  # the same words; 'Kicker: Title' keeps the colon that the layout swallowed
    for text in stated:
        before = whole[: len(whole) - len(text)]
        apart = before and not before[-1].isalnum() and not before.rstrip().endswith(":")
        apart = apart or (len(lines) > 1 and before.strip() == lines[0])  # a line of its own is a kicker
        if apart and len(text.split()) >= 3 and whole.endswith(text):
            return text, before.strip(" :-–—|/") or None
    for child in element.iterdescendants():
        if _is_named_kicker(child):
            text = text_of(child, 300)
            if text and len(text) < 0.8 * len(whole) and whole.startswith(text):
                kicker = text.strip(" :-–—|/")
                whole = whole[len(text) :].lstrip(" :-–—|/")
    return clean(whole, sites, whole_ones), kicker or None


def _without_day(text: str, element: Element) -> str:
    """*text* of a heading without the day that stands in an element of its own at its end."""
    last = element[-1] if len(element) else None
    if last is None or (last.tail or "").strip() or last.tag not in ("small", "span", "time", "em", "i", "sub"):
        return text
    day = text_of(last, 60)
    is_day = day and text.endswith(day) and _DAY_SEGMENT.fullmatch(day.strip(" ()[]|,"))
    return text[: -len(day)].rstrip(" (–-|,") if is_day and len(text) > len(day) + 8 else text


def _named_kicker(element: Element) -> str | None:
    """The text of what is named a kicker inside the heading."""
    named = (text_of(each, 200) for each in element.iterdescendants() if _is_named_kicker(each))
    return next(filter(None, named), None)


def _is_named_kicker(element: Element) -> bool:
    classes = element.get("class") if isinstance(element.tag, str) else None
    return classes is not None and _KICKER_CLASS.search(classes) is not None


def _lines(element: Element) -> list[str]:
    """The heading's lines, cut where it breaks them."""
    if element.find(".//br") is None:
        return [text_of(element, 600)]
    pieces = [element.text or ""]
    for inner in element.iterdescendants():
        pieces += ["\n" if inner.tag == "br" else " ".join((inner.text or "").split("\n")), inner.tail or ""]
    text = "".join(pieces)[:600].replace("\xad", "").replace("\u200b", "")
    return [line for line in (" ".join(line.split()) for line in text.split("\n")) if line]


# -- site names -------------------------------------------------------------------------------------------------------


def site_names(structured: Structured) -> set[str]:
    """What the site calls itself, squashed to letters and digits."""
    known: set[str] | None = structured.worked_out.get("sites")
    if known is None:
        known = {squashed(name) for name in _names_of_site(structured) if name} - {""}
        structured.worked_out["sites"] = known
    return known


def _names_of_site(structured: Structured) -> list[str]:
    names = [
        *structured.meta.get("og:site_name", ()),
        *structured.meta.get("application-name", ()),
        *structured.meta.get("apple-mobile-web-app-title", ()),
    ]
    publisher = structured.resolved(structured.article.get("publisher"))
    names.append(plain(publisher) or "")
    for node in structured.typed("organization", "newsmediaorganization", "website"):
        names.append(plain(node.get("name")) or "")
    host = (urlsplit(structured.url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    return [*names, host, ".".join(labels[-2:]), labels[-2] if len(labels) > 1 else host]


_FLAT = str.maketrans({"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue"})
_NO_LETTER = re.compile(r"[\W_]+")


@lru_cache(maxsize=4_096)
def squashed(text: str) -> str:
    """Letters and digits only, lower-case, umlauts without dots: for comparing what was typed differently."""
    text = text.lower()
    if not text.isascii():
        text = text.translate(_FLAT)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _NO_LETTER.sub("", text)


_SQUASHED_SITE_WORDS = frozenset(map(squashed, _SITE_WORDS))


def _is_site(text: str, sites: set[str]) -> bool:
    name = squashed(text)
    return not name or name in sites


def _names_site(segment: str, sites: set[str]) -> bool:
    """Is this part of a window title the site's name, alone or with words that say what sort of site it is?

    The name has to be whole words: 'ORF' is not in 'Mitterdorf', and 'die Welt wartet ab' is no name of 'Die Welt'.
    """
    name = squashed(segment)
    if not name or name in sites:
        return True
    parts = [part for part in (squashed(word) for word in re.findall(r"[\w.]+", segment)) if part]
    if len(parts) > 5:
        return False
    for first in range(len(parts)):
        for after in range(first + 1, len(parts) + 1):
            joined = "".join(parts[first:after])
            rest = [*parts[:first], *parts[after:]]
            if len(joined) >= 3 and joined in sites and all(word in _SQUASHED_SITE_WORDS for word in rest):
                return True
    return any(len(name) >= 4 and 2 * len(name) >= len(site) and site.startswith(name) for site in sites)


def _is_day(segment: str, before: str) -> bool:
    """Whether a segment is a day and nothing else, and not the last one of several ('14. - 20. Januar 2022')."""
    return _DAY_SEGMENT.fullmatch(segment.strip()) is not None and not before.rstrip(" .")[-1:].isdigit()


def clean(title: str | None, sites: set[str], whole: frozenset[str] = frozenset()) -> str | None:
    """*title* without the site's name or a day at either end; as it is where it is one of the *whole* headlines
    (squashed).
    """
    if not title:
        return None
    title = title.strip(" |–—-·•»›")
    in_brackets = re.search(r"\s\(([^()]{2,60})\)$", title[-70:])
    if in_brackets and squashed(in_brackets[1]) in sites:
        title = title[: -len(in_brackets[0])]
    title, is_cut = _without_slogan(title, sites) if squashed(title) not in whole else title, False
    for _ in range(4):
        cuts = list(_SEPARATOR.finditer(title))
        if not cuts or squashed(title) in whole:
            break
        head, tail = title[: cuts[-1].start()], title[cuts[-1].end() :]
        if (_names_site(tail, sites) or _is_day(tail, head)) and len(head) >= 3:
            title, is_cut = head.strip(), True
            continue
        if is_cut and tail.strip().casefold() in _SECTIONS and len(head) >= 3:  # 'Title - Politik - Zeitung'
            title = head.strip()
            continue
        head, tail = title[: cuts[0].start()], title[cuts[0].end() :]
        if (squashed(head) in sites or _is_day(head, "")) and len(tail) >= 3:
            title = tail.strip()
            continue
        break
    return title or None


def _without_slogan(title: str, sites: set[str]) -> str:
    """*title* without the site's name and what it says of itself behind: 'Title | Seeblatt – News from the lake'."""
    cuts = list(_SEPARATOR.finditer(title))
    for cut, after in itertools.pairwise(cuts):
        if "|" in cut[0] and squashed(title[cut.end() : after.start()]) in sites and cut.start() >= 3:
            return title[: cut.start()].strip()
    return title


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower().replace("\xad", "")))
