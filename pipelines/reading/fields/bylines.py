"""The byline that a reader sees: marked near the headline, written beside it, or signed below the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, takewhile

from lxml.etree import _Element as Element

from pipelines.reading.fields.agency import agency_named
from pipelines.reading.fields.people import Byline, byline, is_nobody, is_person, recased, split
from pipelines.reading.languages import either, words
from pipelines.reading.page.visible import VisibleText

_SIGNED = re.compile("utor|uthor|yline|ubmitted|itemPoster")  # in a class
_SAYS_BY = re.compile(rf"{either('people.says_by')}(?:\s*:\s*|\s+)(?P<rest>.*)", re.IGNORECASE)
_SAYS_BY_ONLY = re.compile(rf"{either('people.says_by')}\s*:?", re.IGNORECASE)
_LABEL = re.compile(rf"{either('people.label')}\s*:?", re.IGNORECASE)
_LABEL_TAGS = frozenset(("dt", "th", "strong", "b", "label"))
_DAY_LINE = re.compile(
    r"\d{1,2}\.\s?(?:\d{1,2}\.|[^\W\d]{3,9}\.?)\s?\d{2,4}|\d{4}-\d\d-\d\d"
    r"|\b\d{1,2}\s[A-Z][a-z]{2,8}\.?,?\s\d{4}|\b[A-Z][a-z]{2,8}\.?\s\d{1,2},\s\d{4}"
)
_ENDS_IN_BY = re.compile(rf"\s{either('people.says_by')}\s*:?", re.IGNORECASE)
# '4 Min. Lesezeit', '12 Kommentare'
_COUNTED = re.compile(r"(?:^|[|·•,–—\n-])\s*\d[\d.]*\s[^\W\d]+\.?(?:\s[^\W\d]+)?\s*(?=[|·•,–—\n-]|$)")
_CLOCK = re.compile(
    rf"\d{{1,2}}[:.]\d\d(?:\s?{either('dates.clock_words')}(?!\w))?"
    rf"|\b(?:{either('dates.before_clock', 'dates.before_day', codes=('de', 'en'))}|{either('labels.as_of')})\b",
    re.IGNORECASE,
)
_PICTURE = re.compile(rf"{either('people.picture')}(?:\w{{0,12}}\s*[:/©|]|\b)|©", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"comment|related|teaser|sidebar|(?<!elementor-)widget|recent|popular|footer|navi|menu|similar|recommend|slider|carousel|card-list"
    rf"|newsletter|caption|copyright|authority|more-?(?:news|articles)|{either('people.outside')}"
    rf"|{either('class_names.comments')}",
    re.IGNORECASE,
)
# an aside or footer of the article itself: its meta line, its signature
OWN_FRAME = re.compile(r"meta|author|autor|byline|article|artikel|post|entry|content", re.IGNORECASE)
_AUTHOR_FOOTER = re.compile(
    r"(?<=author)[\w-]*\sfooter|footer(?=[\w-]*(?:article|entry|post))|(?:article|artikel|entry|post)[\w-]*footer",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    rf"(?:{either('people.signature')}\s*(?P<rest>\S.*)?|(?=[^\W\d_]{{5}})(?-i:(?i:{either('people.label')})\s(?P<named>[A-ZÄÖÜ].*)))",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"[(\[](?P<names>[^()\[\]]{5,60})[)\]][\s.+*]*$")
_OTHER_ITEMS = re.compile(r"/(?:Comment|UserComments|Review|Answer|Question|Person|ImageObject|VideoObject|Product)/?$")
# the itemtype of an article, which may be another than the page's own
ARTICLE_ITEMS = re.compile(r"(?:Article|Posting)/?$")
_BETWEEN = words("people.separators") | {""}
_SHORT = 4  # letters of 'von', 'by', which stand before names alone
_ABBREVIATION = re.compile(r"\b[A-ZÄÖÜ]{2,3}\b")  # 'PM DJV' is no name
_PARAGRAPH = 80  # characters; shorter strings are no paragraph of an article
_SECTIONS = words("title.section_names", "title.sections")
_LONGEST_NAMES = 60  # characters of a line of names beside a day
_TOGETHER = 3  # levels up to which byline elements share a container


def signed(tree: Element, heading: Element | None) -> Byline:
    """The byline that the page marks near its headline, by class, rel or an author page's address."""
    marked = _marked(tree, heading)[:12]
    found = byline("\n".join(_pieces(element)) for element in marked)
    # a name in pieces of its own, or 'Muster, Anna'
    return found if found.people else byline((" ".join(_pieces(each)) for each in marked), is_stated=True) or found


def written(visible: VisibleText, *, is_signed_for: bool = False) -> Byline:
    """The byline in plain text: beside the headline ('Von Anna Muster und Ben Beispiel', a name in the date line),
    below the text ('Autorin: Anna Muster'), or at the end of its last paragraph. Where no person is named, the one word
    that stands for a name behind 'Von'. *is_signed_for*: a newsroom or agency is stated as author; only a person
    beside the headline is asked for.
    """
    if visible.headline is None:
        return Byline()
    first, after = visible.headline
    above = visible.above
    handle = Byline()
    for index in (*range(after, min(after + 25, len(visible.texts))), *range(max(0, first - 4), first)):
        text = _names_in_line(visible, index)
        element = visible.element(index) if text else None
        if text and element is not None and element.tag not in ("h1", "h2", "h3") and not is_outside(element, above):
            found = byline([text])
            if found.people:
                return found
            if not handle and len(text.split()) == 1 and _SAYS_BY_ONLY.fullmatch(visible.texts[index]):
                handle = found
    if is_signed_for:
        return handle
    return _signature(visible, after + 1) or _closing(visible, after + 1) or handle


def _signature(visible: VisibleText, start: int) -> Byline:
    """A byline below the text: 'Autorin: Anna Muster', 'Von' and a name of its own, a row of a list of facts."""
    for index in range(start, len(visible.texts)):
        text = visible.texts[index]
        if len(text) > 90:
            continue
        match = _SIGNATURE.fullmatch(text)
        element = visible.element(index) if match or _LABEL.fullmatch(text) else None
        if element is None or is_outside(element, visible.above):
            continue
        if match is None and element.tag not in _LABEL_TAGS and not text.endswith(":") and len(text) > _SHORT:
            continue
        rest = match and (match["rest"] or match["named"])
        found = byline([rest or _names_after(visible, index)])
        if found.people:
            return found
    return Byline()


def _closing(visible: VisibleText, start: int) -> Byline:
    """The name in which the article's last paragraph ends, in brackets, or that stands below it in italics."""
    last = None
    for index in range(len(visible.texts) - 1, start - 1, -1):
        element = visible.element(index)
        if element is None or (len(visible.texts[index]) > _PARAGRAPH and is_outside(element, visible.above)):
            continue
        if len(visible.texts[index]) > _PARAGRAPH and element.tag not in ("a", "li"):
            last = index
            break
    if last is None:
        return Byline()
    if match := _IN_BRACKETS.search(visible.texts[last]):
        names = split(match["names"])
        if names and all(is_person(name) and not _ABBREVIATION.search(name) for name in names):
            return byline(names)
    for index in range(last + 1, min(last + 4, len(visible.texts))):
        element, text = visible.element(index), visible.texts[index].strip("()[] .")
        is_set_off = visible.texts[index].startswith("(") and not _ABBREVIATION.search(text)
        is_alone = element is not None and (element.tag in ("em", "i") or is_set_off) and len(text) <= 40
        if is_alone and is_person(text) and not is_outside(element, visible.above):
            return byline([text])
    return Byline()


def _names_in_line(visible: VisibleText, index: int) -> str | None:
    """What may be names in a short line that says 'Von' or carries a date; names may be strings of their own behind
    'Von:'.
    """
    text = visible.texts[index]
    if len(text) > 90:
        return None
    if _SAYS_BY_ONLY.fullmatch(text):
        return _names_after(visible, index)
    match = _SAYS_BY.fullmatch(text)
    if match:
        return match["rest"]
    if day := _DAY_LINE.search(text):
        if _ENDS_IN_BY.fullmatch(text, day.end()):
            return _names_after(visible, index)
        rest = _CLOCK.sub(" ", _DAY_LINE.sub(" ", text))
        rest = _COUNTED.sub("\n", rest).replace(" - ", "\n").replace(" – ", "\n")
        names = [name for name in split(rest) if not is_nobody(name)]
        return "\n".join(names) if all(_is_plainly_person(name) or agency_named(name) for name in names) else None
    return text if _stands_beside_day(visible, index) else None


def _is_plainly_person(name: str) -> bool:
    """Whether a name that nothing calls an author's is a person's: no abbreviation ('SV Neustadt'), no section."""
    named = recased(name)
    return is_person(named) and not _ABBREVIATION.search(named) and named.split()[0].lower() not in _SECTIONS


def _stands_beside_day(visible: VisibleText, index: int) -> bool:
    """Whether a line of names alone has the day as its neighbour in the same small container. A link leads to a topic
    or a place there; one to an author is marked by its address.
    """
    text, (first, after) = visible.texts[index], visible.headline or (0, 0)
    element = visible.element(index) if len(text) <= _LONGEST_NAMES and first - 4 < index < after + 8 else None
    if element is None or element.tag == "a":
        return False
    names = split(text) if text[:1].isupper() else []
    if not names or not all(map(_is_plainly_person, names)):
        return False
    for step in (1, -1):
        beside = index + step
        while 0 <= beside < len(visible.texts) and not any(map(str.isalnum, visible.texts[beside])):
            beside += step
        other = visible.element(beside) if 0 <= beside < len(visible.texts) else None
        if other is not None and _DAY_LINE.search(visible.texts[beside][:_LONGEST_NAMES]) and _share(element, other):
            return True
    return False


def _names_after(visible: VisibleText, index: int) -> str:
    """The names that stand as strings of their own behind a label."""
    names: list[str] = []
    for following in visible.texts[index + 1 : index + 9]:
        if is_person(following.strip(" ,")) or (split(following) and len(following) <= 60 and not names):
            names.append(following)
        elif following.strip(" ,").lower() not in _BETWEEN:
            break
    return "\n".join(names)


def _named_or_linked(elements: Iterable[Element]) -> Iterator[Element]:
    """Those of *elements* whose class, rel or address speaks of an author."""
    for element in elements:
        classes = element.get("class")
        if (
            (classes is not None and _speak_of_author(classes))
            or (element.tag == "a" and "/aut" in (element.get("href") or ""))
            or element.get("rel") == "author"
        ):
            yield element


@lru_cache(maxsize=4_096)  # most elements of a page share their classes with others
def _speak_of_author(classes: str) -> bool:
    return _SIGNED.search(classes) is not None


_NO_BYLINES = frozenset(
    ("h1", "body", "html", "article", "main", "img", "meta", "link", "script", "style", "input", "figure")
)


def _marked(tree: Element, heading: Element | None) -> list[Element]:
    """Elements marked as bylines, without those in teasers, comments and the like: the first behind the headline and
    what shares its small container, else the last two before it. One that is no h1 does not part the page.
    """
    above = frozenset(heading.iterancestors()) if heading is not None else frozenset()
    is_parted = heading is not None and (heading.tag == "h1" or next(_named_or_linked([heading]), None) is not None)
    if is_parted or heading is None:
        behind = tree.iter("*")
        if is_parted:
            any(element is heading for element in behind)  # goes on to it
        accepted: set[Element] = set()
        first = next(_accepted(behind, above, accepted), None)
        if first is not None:
            end = _following(list(islice(first.iterancestors(), _TOGETHER))[-1])
            group = _accepted(takewhile(lambda element: element is not end, behind), above, accepted)
            return [first, *(element for element in group if _share(first, element))]
    before = takewhile(lambda element: not is_parted or element is not heading, tree.iter("*"))
    last = list(_accepted(before, above, set()))[-2:]
    return [element for element in last if _share(last[0], element)]


def _accepted(elements: Iterable[Element], above: frozenset[Element], accepted: set[Element]) -> Iterator[Element]:
    """Those of *elements* that may be bylines and stand in none that was *accepted*, which they are added to."""
    for element in _named_or_linked(elements):
        if element.tag in _NO_BYLINES or element in above:
            continue
        if any(around in accepted for around in element.iterancestors()):
            continue
        if 2 <= sum(map(len, _pieces(element))) <= 240 and not is_outside(element, above):
            accepted.add(element)
            yield element


def _following(element: Element) -> Element | None:
    """The element that comes first behind all that stands in *element*."""
    behind = (around.getnext() for around in (element, *element.iterancestors()))
    return next((each for each in behind if each is not None), None)


def is_outside(element: Element | None, above: frozenset[Element] = frozenset()) -> bool:
    """Does an element stand in a part of the page that is not the article's? What holds the headline as well is."""
    level = 0
    while element is not None and element not in above and element.tag not in ("body", "main"):
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        own = element.tag in ("aside", "footer") and OWN_FRAME.search(names)
        if element.tag in ("nav", "aside", "footer", "figure", "figcaption", "select") and not own:
            return True
        if level < 8 and _is_elsewhere(names):
            return True
        element = element.getparent()
        level += 1
    return False


def is_of_other_item(element: Element, above: frozenset[Element]) -> bool | None:
    """Whether microdata says that an element belongs to something else than the article around the headline; None
    where it does not say.
    """
    for around in element.iterancestors():
        kind = around.get("itemtype") or ""
        if _OTHER_ITEMS.search(kind):
            return True
        if ARTICLE_ITEMS.search(kind):
            return bool(above) and around not in above
    return None


@lru_cache(maxsize=4_096)
def _is_elsewhere(names: str) -> bool:
    return _ELSEWHERE.search(_AUTHOR_FOOTER.sub("", names)) is not None


def _share(one: Element, other: Element) -> bool:
    """Do two elements stand in the same small container?"""
    if one is other:
        return True
    above = [up for _, up in zip(range(_TOGETHER), one.iterancestors(), strict=False)]
    return any(up in above for _, up in zip(range(_TOGETHER), other.iterancestors(), strict=False))


def _pieces(element: Element) -> list[str]:
    """The short strings in an element; a biography's sentences are left out."""
    pieces = [" ".join(piece.split()) for piece in element.itertext("*", with_tail=True)]
    return [piece for piece in pieces if piece and len(piece) <= 120 and not _PICTURE.match(piece)]
