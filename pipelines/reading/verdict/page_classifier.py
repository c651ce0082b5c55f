"""Whether a page is an article at all, and if not, why. Careful: a page in doubt is an article."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from pipelines.items import Kind, Reason, Rejected
from pipelines.reading.body.blocks import plain
from pipelines.reading.languages import each, either
from pipelines.reading.page.tree import raw
from pipelines.reading.regex_prefilter import sorted_by_letter
from pipelines.reading.verdict.signs import Signs

_NOT_FOUND = re.compile(
    rf"(?:{either('verdict.error')})?[\s:-]*(?<!\d)(?:404|410)(?!\d)(?![\w.,%-]*\s\w+\s\w+\s\w+\s\w+)"
    rf"|{either('verdict.not_found')}",
    re.IGNORECASE,
)
_THING = rf"(?:{either('verdict.before_thing')} ?)*{either('verdict.thing')}"
_GONE = either("verdict.gone")
# A headline that is such a statement and nothing else. 'Vermisste Frau nicht gefunden' is another.
_LOST_TITLE = re.compile(
    rf"\W*(?:{either('verdict.excuse')}\b\W*)*(?:"
    rf"{either('verdict.error')}?\W{{0,3}}(?:40[034]|410|50[0234])"
    rf"(?:\W*|\W*[-–—:|!.(]\W*.{{0,80}}|\W{either('verdict.error_behind')}\b.{{0,60}})"
    rf"|{_THING}\b.{{0,40}}{_GONE}(?:\b.{{0,40}})?|.{{0,20}}{_GONE}.{{0,6}}\b{_THING}"
    rf"|{either('verdict.we_cannot')}.{{0,40}}{_THING}\b.{{0,60}}{either('verdict.cannot_find')}.{{0,40}}"
    rf"|{either('verdict.lost')}"
    r")\W*",
    re.IGNORECASE,
)
_LOST_TEXT = re.compile(rf"\b{_THING}\b[^.!?]{{0,50}}{_GONE}", re.IGNORECASE)
# What stands in the place of an article that was taken down, often below its old headline.
_TAKEN_DOWN = re.compile(either("verdict.taken_down"), re.IGNORECASE)
_NOTICE = 45  # words; whoever writes more about it writes an article
# Both are asked in small letters and sorted by the first, in an eighth of the time: every article's beginning is.
_CONSENT = re.compile(sorted_by_letter(each("verdict.consent")))
# what only somebody says who asks for consent himself, and what he says besides
_WE_ASK = re.compile(sorted_by_letter(each("verdict.we_ask")))
_CONSENT_TALK = re.compile(either("verdict.consent_talk"), re.IGNORECASE)
_BESIDE_CONSENT = re.compile(rf"\b{either('verdict.beside_consent')}", re.IGNORECASE)
_CONSENT_TITLE = re.compile(either("verdict.consent_title"), re.IGNORECASE)
_CONSENT_DEMAND = re.compile(either("verdict.consent_demand"), re.IGNORECASE)
_LOGIN_TITLE = re.compile(rf"^\W*{either('verdict.login_title')}\b", re.IGNORECASE)
_NEEDS_SCRIPT = re.compile(
    rf"(?:javascript|java script|js)\b[^.]{{0,60}}{either('verdict.script_on')}"
    rf"|{either('verdict.script_before')}[^.]{{0,40}}javascript|{either('verdict.robot')}",
    re.IGNORECASE,
)
_ROOT_PATH = re.compile(rf"/?(?:{either('verdict.home_names')}(?:\.\w{{2,5}})?)?/?", re.IGNORECASE)
_LIST_TITLE = re.compile(rf"{either('verdict.list_label')}\s*[:|–-]\s*\S|{either('verdict.list_title')}", re.IGNORECASE)
_IN_THE = either("verdict.video_title")
_VIDEO_TITLE = re.compile(
    rf"(?:{_IN_THE} )?video\b\s*[:|–-]|.*[:|–(-]\s*(?:{_IN_THE} )?video\)?$",
    re.IGNORECASE,
)
_LIST_TYPES = frozenset({"collectionpage", "itemlist", "searchresultspage", "profilepage"})
_ARTICLE_TYPES = re.compile(r"article|posting|report|review|recipe|analysis", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Read:
    """What was read from a page, as far as the judgement needs it. Lengths are in characters of visible text."""

    url: str
    title: str | None
    headline: str | None
    text: str
    kind: Kind = Kind.ARTICLE
    types: frozenset[str] = frozenset()  # of JSON-LD and OpenGraph, lower case
    is_dated: bool = False
    is_stated: bool = False  # JSON-LD tells of an article with a headline
    page_text: str = ""  # the beginning of all visible text
    page_length: int = 0
    link_length: int = 0
    paragraphs: int = 0


def signs(tree: etree._Element, *, is_sure: bool = False) -> Signs:
    """Take the signs of a page from its fresh tree. *is_sure*: it declares itself an article with a date, so what its
    links say is not looked at.
    """
    told = " ".join(raw(element)[:400] for element in tree.iter("noscript"))
    return Signs(
        scripts=sum(1 for _ in tree.iter("script")),
        password_fields=sum(1 for field in tree.iter("input") if (field.get("type") or "").lower() == "password"),
        linked_headings=sum(1 for h in tree.iter("h2", "h3", "h4") if h.find(".//a") is not None or _is_in_link(h)),
        links=sum(1 for _ in tree.iter("a")),
        videos=sum(1 for _ in tree.iter("video")),
        needs_script=bool(_NEEDS_SCRIPT.search(told)),
        **({} if is_sure else _posts(tree)),
        links_say=() if is_sure else tuple(_linked(tree)),
        below_links=() if is_sure else tuple(_teasers(tree)),
    )


_POST = re.compile(rf"(?<![a-z]){either('class_names.post')}(?![a-z]{{3}})", re.IGNORECASE)
_LEVELS, _LONG_PARAGRAPH = 5, 80
_FEWEST_POSTS, _FEWEST_POSTS_OF_LIST = 4, 3


def _posts(tree: etree._Element) -> dict[str, Any]:
    """How many parts of the page have a linked headline and a long paragraph, and how many long ones stand beside."""
    posts: dict[etree._Element, int] = {}
    for heading in islice(tree.iter("h1", "h2", "h3", "h4"), _MOST_LINKS):
        if heading.find(".//a[@href]") is None and not _is_in_link(heading):
            continue
        if len(raw(heading).strip()) < _SHORTEST_TITLE:
            continue  # who wrote a comment, a month of the archive
        for above in islice(heading.iterancestors(), _LEVELS):
            if above.tag in ("article", "li") or _POST.search(above.get("class") or ""):
                posts.setdefault(above, 0)
                break
    if len(posts) < _FEWEST_POSTS_OF_LIST:
        return {}
    beside, inside = 0, set()
    for paragraph in tree.iter("p"):
        text = raw(paragraph).strip()
        if len(text) < _LONG_PARAGRAPH:
            continue
        frame = next((above for above in paragraph.iterancestors() if above in posts), None)
        if frame is None:
            beside += 1
        else:
            posts[frame] += 1
            inside.add(plain(text))
    filled = sum(1 for count in posts.values() if count)
    return {"posts": filled, "paragraphs_beside": beside, "in_posts": frozenset(inside)}


_MOST_LINKS = 600
_SHORTEST_TITLE, _LONGEST_TITLE = 15, 400  # characters


def _linked(tree: etree._Element) -> Iterator[str]:
    """What links to other pages say where that is long enough for a headline, and the headings in them."""
    for link in islice(tree.iter("a"), _MOST_LINKS):
        whole = raw(link).strip()
        if len(whole) < _SHORTEST_TITLE or (link.get("href") or "#").startswith(("#", "javascript:", "mailto:")):
            continue
        for text in (whole, *(raw(heading).strip() for heading in link.iter("h2", "h3", "h4"))):
            if _SHORTEST_TITLE <= len(text) <= _LONGEST_TITLE:
                yield text


def _teasers(tree: etree._Element) -> Iterator[str]:
    """What stands right below a linked headline, or below the frame that holds nothing but it."""
    for heading in islice(tree.iter("h2", "h3", "h4"), _MOST_LINKS):
        if heading.find(".//a") is None and not _is_in_link(heading):
            continue
        above = heading
        for _ in range(3):
            if (below := above.getnext()) is not None:
                text = raw(below)
                while len(text) < 30 and (after := below.getnext()) is not None:  # a day, who wrote it
                    below, text = after, raw(after)
                if 30 <= len(text) <= 500:
                    yield text
                break
            if (above := above.getparent()) is None:
                break


def _is_in_link(element: etree._Element) -> bool:
    parent = element.getparent()
    return parent is not None and (parent.tag == "a" or getattr(parent.getparent(), "tag", None) == "a")


def declares_article(types: Iterable[str]) -> bool:
    """Whether one of the *types* of JSON-LD and OpenGraph is an article's."""
    return any(_ARTICLE_TYPES.search(name) for name in types)


def check(read: Read, seen: Signs) -> None:
    """Return for an article; raise Rejected with the reason for everything else."""
    words = len(read.text.split())
    declared = declares_article(read.types)
    if (
        words > 150
        and declared
        and read.is_dated
        and read.title
        and seen.posts < _FEWEST_POSTS_OF_LIST
        and not _WE_ASK.search(read.text[:600].lower())
    ):
        return  # nothing below could object
    for find in (
        partial(_not_found, read, seen, words, declared),
        partial(_consent, read, words),
        partial(_login, read, seen, words, declared),
        partial(_video, read, seen, words),
        partial(_shell, read, seen, words),
        partial(_home, read, seen, words, declared),
        partial(_listing, read, seen, words, declared),
        partial(_empty, read, seen, words, declared),
    ):
        reason, detail = find()
        if reason:
            raise Rejected(reason, detail)
    if not (read.title or read.headline):
        raise Rejected(Reason.NO_TITLE, "neither markup nor metadata give a headline")


_Finding = tuple[Reason | None, str]
_NOTHING: _Finding = (None, "")


def _not_found(read: Read, seen: Signs, words: int, declared: bool) -> _Finding:
    is_vouched = declared and read.is_dated
    for text in (read.headline, read.title):
        if text and len(text) < 120 and not is_vouched and _LOST_TITLE.fullmatch(text):
            return Reason.SOFT_404, text
    if words <= _NOTICE and (found := _TAKEN_DOWN.search(read.text[:300])):
        return Reason.SOFT_404, found[0]
    is_prose = read.paragraphs >= 4 and seen.linked_headings < 4
    if words > 150 or (words > 60 and is_prose) or (declared and words > 40) or (is_vouched and words > 15):
        return _NOTHING
    for text in (read.headline, read.title):
        if text and len(text) < 120 and (found := _NOT_FOUND.search(text)):
            return Reason.SOFT_404, found[0]
    if words < 60 and not declared:
        for pattern in (_NOT_FOUND, _LOST_TEXT):
            if found := pattern.search(read.text[:300]):
                return Reason.SOFT_404, found[0]
    return _NOTHING


def _consent(read: Read, words: int) -> _Finding:
    begin = read.text[:4000]
    # a declared article may be a sentence above the prompt
    share = 0.9 if read.is_dated and declares_article(read.types) else 0.65
    if words < 600 and (detail := _asks_for_consent(begin, share)):
        return Reason.CONSENT_WALL, detail
    other, small = 0, begin.lower()
    for line in sorted(small.split("\n"), key=len, reverse=True):
        other += len(line) if len(line) >= 60 and not _CONSENT.search(line) else 0
        if other > max(300, len(small) // 2):  # an article about consent speaks of other things too
            return _NOTHING
    hits = len(_CONSENT.findall(small))
    dense = hits >= 5 and hits / len(begin.split()) > 0.04
    titled = bool(_CONSENT_TITLE.search(f"{read.title or ''} {read.headline or ''}"))
    if titled and (dense or (words < 60 and len(_CONSENT.findall(read.page_text.lower())) >= 4)):
        return Reason.CONSENT_WALL, "its title asks for consent"
    if not read.is_dated and dense and _CONSENT_DEMAND.search(read.page_text):
        return Reason.CONSENT_WALL, f"{hits} words of consent among {words}"
    if (
        words < 40
        and read.paragraphs < 3
        and len(_CONSENT.findall(read.page_text.lower())) >= 6
        and _CONSENT_DEMAND.search(read.page_text)
    ):
        return Reason.CONSENT_WALL, "nothing but a consent prompt is visible"
    return _NOTHING


def _asks_for_consent(text: str, share: float) -> str | None:
    """Why *text* is a demand for consent: it says what only the one says who asks, and speaks of that for a *share*."""
    asking = _WE_ASK.findall(text.lower())
    if not asking or len(asking) + len(_CONSENT_TALK.findall(text)) < 2:
        return None
    sentences = [one for one in re.split(r"\n|(?<=[.!?])\s", text) if len(one) >= 20]
    about = sum(len(one) for one in sentences if _CONSENT.search(one.lower()) or _BESIDE_CONSENT.search(one))
    return f"'{asking[0]}'" if about >= share * sum(map(len, sentences)) else None


def _login(read: Read, seen: Signs, words: int, declared: bool) -> _Finding:
    if declared or words > 120:
        return _NOTHING
    if any(text and _LOGIN_TITLE.search(text) for text in (read.headline, read.title)) and (
        seen.password_fields or words < 40
    ):
        return Reason.LOGIN_WALL, "its title asks to sign in"
    if seen.password_fields and words < 25 and read.paragraphs < 2:
        return Reason.LOGIN_WALL, "a sign-in form and hardly any text"
    return _NOTHING


def _shell(read: Read, seen: Signs, words: int) -> _Finding:
    if words >= 25 or read.paragraphs >= 2:
        return _NOTHING
    if seen.needs_script or _NEEDS_SCRIPT.search(read.page_text[:600]):
        return Reason.JAVASCRIPT_SHELL, "asks for JavaScript and shows hardly any text"
    if seen.scripts >= 2 and read.page_length < 200 and words < 8:
        return Reason.JAVASCRIPT_SHELL, f"{seen.scripts} scripts and {read.page_length} characters of text"
    return _NOTHING


def _home(read: Read, seen: Signs, words: int, declared: bool) -> _Finding:
    parts = urlsplit(read.url)
    dense = read.page_length > 0 and read.link_length / read.page_length > 0.45
    if parts.netloc and not parts.query and _ROOT_PATH.fullmatch(parts.path) and not (declared and words > 80):
        return (
            (Reason.HOME_PAGE, "the address is a site's front page") if dense or seen.linked_headings >= 6 else _NOTHING
        )
    if (found := list_of_posts(read, seen)) and (_is_listed(read) or not (read.is_dated or declared)):
        return Reason.HOME_PAGE, found
    if not (declared and read.is_dated) and (lines := _teaser_lines(read, seen)):
        return Reason.HOME_PAGE, f"its text is what stands below {lines} linked headlines"
    if declared:
        return _NOTHING
    if dense and read.paragraphs < 4 and words < (150 if _LIST_TITLE.match(read.title or "") else 12):
        return Reason.HOME_PAGE, f"links and {words} words"
    if read.types & _LIST_TYPES and seen.linked_headings >= 6 and dense and words < 150:
        return Reason.HOME_PAGE, "declares itself a list and is one"
    titled = bool(_LIST_TITLE.match(read.title or "")) or bool(read.types & _LIST_TYPES)
    if titled and not read.is_dated and seen.linked_headings >= 10 and words < 40 * seen.linked_headings:
        return Reason.HOME_PAGE, f"called a list, with {seen.linked_headings} linked headlines"
    if (
        "website" in read.types
        and seen.linked_headings >= 12
        and dense
        and read.paragraphs < 4
        and words < 250
        and not read.is_dated
    ):
        return Reason.HOME_PAGE, f"{seen.linked_headings} linked headlines, {read.paragraphs} paragraphs"
    if (
        seen.linked_headings >= 25
        and read.link_length > 0.6 * read.page_length
        and read.paragraphs < 3
        and words < 200
        and not read.is_dated
    ):
        return Reason.HOME_PAGE, f"{seen.linked_headings} linked headlines, {read.paragraphs} paragraphs"
    if (
        not read.is_dated
        and not read.paragraphs
        and seen.links >= 12
        and read.link_length > 0.55 * read.page_length
        and words < 120
    ):
        return Reason.HOME_PAGE, f"{seen.links} links, no paragraph, no date"
    return _NOTHING


_LIST_PATH = re.compile(
    rf"/{either('verdict.list_paths')}/|/{either('paging.page')}/\d+/?$|[?&](?:page|paged|cat|tag)=", re.IGNORECASE
)
_LEAST_OF_POSTS = 0.6  # of the long lines of what was read
_MOST_BESIDE = 1  # long paragraphs that a list has of its own: what it is about


def _is_listed(read: Read) -> bool:
    return _LIST_PATH.search(read.url) is not None or bool(read.types & _LIST_TYPES)


def list_of_posts(read: Read, seen: Signs) -> str | None:
    """Why the page looks like a blog's front page or a list: its paragraphs stand under headlines that lead elsewhere.
    So they do in an article that recommends forty things.
    """
    fewest = _FEWEST_POSTS_OF_LIST if _is_listed(read) else _FEWEST_POSTS
    if read.is_stated or seen.posts < fewest or seen.paragraphs_beside > _MOST_BESIDE:
        return None
    if len((read.title or "").split()) > _WORDS_OF_LIST and plain(read.title or "") not in seen.linked:
        return None  # it has a headline
    long = [line for line in read.text.split("\n") if len(line) >= _LONG_PARAGRAPH]
    is_of_posts = sum(plain(line) in seen.in_posts for line in long) >= max(1, _LEAST_OF_POSTS * len(long))
    if is_of_posts:
        return f"{seen.posts} parts with a linked headline each hold its paragraphs"
    return None


_FEWEST_ITEMS, _WORDS_OF_ITEM = 6, 45
_LEAST_TEASERS = 4  # different ones
_ABOVE_LIST = 120  # letters above the first of them: a list's name and what it is about
_WORDS_OF_LIST = 5  # of the title that a list has at most
_OWN_TEXT = 500  # characters above the first item that make an article with a list below it


def _listing(read: Read, seen: Signs, words: int, declared: bool) -> _Finding:
    """A text whose lines begin with links to other pages, a date before them or not, is a list of articles. Where date
    and headline tell of an article, the list was only taken for it.
    """
    is_article = read.is_dated and (declared or len((read.title or "").split()) > _WORDS_OF_LIST)
    if is_article or len(seen.linked) < _FEWEST_ITEMS:
        return _NOTHING
    items = before = 0
    for line in read.text.split("\n"):
        if plain(line[:_LONGEST_TITLE]).lstrip("0123456789").startswith(seen.linked):
            items += 1
        elif not items:
            before += len(line)
    if items >= _FEWEST_ITEMS and before < _OWN_TEXT and words <= _WORDS_OF_ITEM * items:
        return Reason.HOME_PAGE, f"{items} of its lines begin with links to other pages"
    return _NOTHING


def _teaser_lines(read: Read, seen: Signs) -> int:
    """How many lines of the text stand right below linked headlines; 0 unless they are many and most of the text."""
    if len(seen.below_links) < _LEAST_TEASERS or len(seen.teasers) < _LEAST_TEASERS:
        return 0
    lines = [line for line in read.text.split("\n") if line]
    found = [line for line in lines if plain(line) in seen.teasers]
    is_most = sum(map(len, found)) > 0.7 * sum(map(len, lines))
    if len(found) >= _FEWEST_ITEMS and is_most:
        return len(found)
    whole = plain(read.text)  # dates and links between them, all on one line
    within = [teaser for teaser in seen.teasers if teaser in whole]
    if len(within) < _LEAST_TEASERS or min(map(whole.index, within)) > _ABOVE_LIST:
        return 0
    return len(within) if sum(map(len, within)) > 0.5 * len(whole) else 0


def _video(read: Read, seen: Signs, words: int) -> _Finding:
    says_so = read.kind is Kind.VIDEO or (seen.videos > 0 and _VIDEO_TITLE.match(read.title or ""))
    if says_so and words < 30 and read.paragraphs < 3:
        return Reason.VIDEO_STUB, f"a video with {words} words"
    return _NOTHING


_FEW = 35  # words; of a thousand articles none has so few without saying by date or metadata that it is one
_FURNISHED = 4  # links and scripts: a page of a site, and not a text that somebody put on a page of its own


def _empty(read: Read, seen: Signs, words: int, declared: bool) -> _Finding:
    if words < 3:
        return Reason.EMPTY, f"{read.page_length} characters on the page, none of an article"
    is_furnished = seen.links + seen.scripts >= _FURNISHED
    if words < _FEW and is_furnished and not (declared or read.is_dated or read.paragraphs):
        return Reason.EMPTY, f"{words} words, and neither a date nor metadata that tell of an article"
    return _NOTHING
