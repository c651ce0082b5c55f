"""What sort of article a page is: live blog, video, gallery, press release, advertorial, or none of these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from pipelines.items import Kind
from pipelines.reading.fields.title import Headline
from pipelines.reading.languages import either
from pipelines.reading.page.evidence import Place, Ranking
from pipelines.reading.page.jsonld import types_of
from pipelines.reading.page.structured import Structured, text_of
from pipelines.reading.page.visible import just_above

_LIVE = r"(?:[\w-]+-)?(?:live|news)-?\s?(?:blog|ticker)"
_PRESS = either("kind.press")
_GALLERY = either("kind.gallery")
_ADVERT = either("kind.advert")
# Such a line alone, as kicker, section or above the headline, says what the article is.
_LABELS = tuple(
    (kind, re.compile(rf"(?:{pattern})", re.IGNORECASE))
    for kind, pattern in (
        (Kind.ADVERTORIAL, _ADVERT),
        (Kind.LIVE_BLOG, _LIVE),
        (Kind.PRESS_RELEASE, _PRESS),
        (Kind.GALLERY, _GALLERY),
        (Kind.VIDEO, either("kind.video")),
    )
)
# These may name an advertising space above a headline, so there they have to stand in the headline's own frame.
_ADVERT_ALONE = re.compile(either("kind.advert_alone"), re.IGNORECASE)
# A headline that begins so, or has it behind 'im', '+++', a bar, a colon or a dash: one that speaks of a ticker
# elsewhere is about tickers.
_TITLES = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            Kind.LIVE_BLOG,
            rf"\W*{_LIVE}\b|.*(?:\b{either('kind.live_in')}|\+\+|[|:–-])\s*{_LIVE}\b"
            r"|.*\blive[- ](?:updates?|coverage|blog)\b"
            rf"|\W*{either('kind.live')}\b|.*[:,–-] {either('kind.live')}\W*$",
        ),
        (Kind.PRESS_RELEASE, rf"(?:{_PRESS})\s*[:|–-]"),
        (Kind.GALLERY, rf"(?:{_GALLERY})\s*[:|–-]"),
        (Kind.VIDEO, rf"(?:{either('verdict.video_title')} )?{either('kind.video')}\s*[:|–]"),
    )
)
_TYPES = (
    (Kind.LIVE_BLOG, frozenset({"liveblogposting"})),
    (Kind.ADVERTORIAL, frozenset({"advertisercontentarticle"})),
    (Kind.GALLERY, frozenset({"imagegallery", "mediagallery"})),
)
_ARTICLES = frozenset({"newsarticle", "reportagenewsarticle", "article"})
_PATHS = (
    (Kind.LIVE_BLOG, re.compile(r"live-?(?:blog|ticker)|news-?(?:blog|ticker)|/ticker\b", re.IGNORECASE)),
    (
        Kind.ADVERTORIAL,
        re.compile(r"advertorial|/(?:sponsored|anzeigen?|brandstory|partner-?content)(?:/|-post)", re.IGNORECASE),
    ),
    (
        Kind.PRESS_RELEASE,
        re.compile(rf"{either('paths.press')}|/ots/", re.IGNORECASE),
    ),
    (
        Kind.GALLERY,
        re.compile(either("paths.gallery"), re.IGNORECASE),
    ),
    (Kind.VIDEO, re.compile(either("paths.video"), re.IGNORECASE)),
)
# what the article's own frame is called; 'has-live-blog' and the like tell what it holds
_FRAMES = (
    (Kind.LIVE_BLOG, re.compile(r"(?<![a-z])live-?(?:blog|ticker)(?![a-z])", re.IGNORECASE)),
    (
        Kind.ADVERTORIAL,
        re.compile(r"(?<![a-z])(?:advertorial|sponsored-(?:content|post|article)|paid-post)(?![a-z])", re.I),
    ),
)
_HOLDS = re.compile(r"(?:has|no|with|without|hide|show)-", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """What the sort of an article is read from. ``signed`` are the names that the page gives as authors, agencies
    included; ``types`` what it is called in JSON-LD, else in the microdata around the headline.
    """

    stated: Structured
    url: str
    head: Headline
    sections: tuple[str, ...]
    signed: tuple[str, ...]
    types: frozenset[str]

    @property
    def is_article(self) -> bool:
        return not self.types.isdisjoint(_ARTICLES)


def source_of(
    structured: Structured, url: str, head: Headline, sections: Sequence[str], signed: Sequence[str] = ()
) -> Source:
    """What the sort of the article at *url* is read from."""
    types = types_of(structured.article) or _microdata(head.element)
    return Source(structured, url, head, tuple(sections), tuple(signed), frozenset(types))


def kind_of(source: Source) -> Kind:
    """What sort of article it is; an article where no place says more."""
    return next((each.believed for each in KINDS.candidates(source) if each.believed), Kind.ARTICLE)


Values = Iterator[tuple[str, Kind | None]]


def _told(kinds: Iterable[Kind], source: Source) -> Values:
    """*kinds*, of which a video is none where the page is stated an article: many an article has one."""
    yield from ((kind.value, None if source.is_article and kind is Kind.VIDEO else kind) for kind in kinds)


def _of_type(source: Source) -> Values:
    if any(source.stated.typed("liveblogposting")):
        yield "LiveBlogPosting", Kind.LIVE_BLOG
    yield from ((", ".join(sorted(source.types & names)), kind) for kind, names in _TYPES if source.types & names)


def _of_names(source: Source) -> Values:
    for name in source.signed:
        if _ADVERT_ALONE.fullmatch(name) or _LABELS[0][1].fullmatch(name):
            yield name, Kind.ADVERTORIAL
    if "APA-OTS" in source.signed:
        yield "APA-OTS", Kind.PRESS_RELEASE


def _of_media(source: Source) -> Values:
    media = source.stated.first_meta("og:type") or ""
    if media.lower().startswith("video") or "videoobject" in source.types:
        yield media or "VideoObject", None if source.is_article else Kind.VIDEO


KINDS = Ranking("kind", (
    Place("JSON-LD type, else that of the microdata around the headline", _of_type),
    Place("who signs", _of_names, "'Anzeige', 'APA-OTS'"),
    Place("`og:type` or type of a video", _of_media, "where nothing says article: an article that has a video is one"),
    Place("kicker, section, the lines above the headline, the headline itself",
          lambda source: _told(_labelled(source.head, source.sections), source),
          "'Anzeige' above the headline only in the headline's own frame: elsewhere it names an advertising space"),
    Place("the name of what holds the headline", lambda source: _told(_framed(source.head.element), source),
          "`liveblog`, `advertorial`"),
    Place("the address", lambda source: _told(_addressed(source.url), source)),
))  # fmt: skip


def _labelled(head: Headline, sections: Sequence[str]) -> Iterator[Kind]:
    """What kicker, sections, the lines above the headline and the headline itself say."""
    labels = [label.strip(_MARKS) for label in (head.kicker, *sections) if label]
    if any(_ADVERT_ALONE.fullmatch(label) for label in labels) or _in_own_frame(head.element):
        yield Kind.ADVERTORIAL
    labels += [text_of(above, 90).strip(_MARKS) for above in just_above(head.element)]
    for kind, pattern in _LABELS:
        if any(pattern.fullmatch(label) for label in labels):
            yield kind
    titles = ((head.title or "")[:300], text_of(head.element, 300) if head.element is not None else "")
    for kind, pattern in _TITLES:
        if any(map(pattern.match, titles)):
            yield kind


_MARKS = " :-–—|[]()*+"


def _in_own_frame(heading: Element | None) -> bool:
    """Whether 'Anzeige' stands above the headline in the frame that holds nothing but the article's head."""
    for above in just_above(heading):
        frame = above.getparent()
        is_own = heading is not None and frame is heading.getparent() and frame.tag in ("header", "hgroup")
        if is_own and _ADVERT_ALONE.fullmatch(text_of(above, 90).strip(_MARKS)):
            return True
    return False


def _framed(heading: Element | None) -> Iterator[Kind]:
    """What the elements around the headline are called."""
    for element in heading.iterancestors() if heading is not None else ():
        classes = element.get("class") or ""
        for kind, pattern in _FRAMES:
            if any(
                not _HOLDS.match(classes, _begin(classes, found.start())) for found in pattern.finditer(classes[:2_000])
            ):
                yield kind


def _begin(classes: str, at: int) -> int:
    """Where the name begins that holds the character *at*."""
    return classes.rfind(" ", 0, at) + 1


def _microdata(heading: Element | None) -> set[str]:
    """The types of the microdata items that hold the headline, lower case."""
    around = heading.iterancestors() if heading is not None else ()
    return {(each.get("itemtype") or "").rstrip("/").rsplit("/", 1)[-1].lower() for each in around} - {""}


# 'Neustadt (ots) - ...': what companies and authorities spread through a press service
_PRESS_SERVICE = re.compile(
    r".{0,60}\((?:ots|ots/\S+|\S+/ots|pts\d*[^)]{0,40})\)\s?[-–—:]|.{0,60}\((?:lifepr|openpr|pressebox)\)",
    re.IGNORECASE,
)


def is_from_press_service(paragraph: str) -> bool:
    """Whether a paragraph begins with a press service's mark."""
    return bool(_PRESS_SERVICE.match(paragraph[:130]))


def _addressed(url: str) -> Iterator[Kind]:
    path = urlsplit(url).path
    yield from (kind for kind, pattern in _PATHS if pattern.search(path))
