"""Same page, new version, copy of, new: a pure decision over what the store knows."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from pipelines import stories, urls
from pipelines.reading import fingerprint

Kind = Literal["new", "new_version", "unchanged", "copy"]
Write = Literal["insert", "rewrite", "nothing"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a page that was just read decides where it ends.

    ``url_key`` is that of the page itself; b"": a file. ``is_live``: a page that is written on while things happen.
    """

    text_key: bytes
    content_key: bytes
    body_key: bytes
    fetched_at: datetime
    url_key: bytes = b""
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class KnownVersion:
    number: int
    content_key: bytes
    body_key: bytes
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class KnownArticle:
    """An article that is stored under this page's canonical address. ``current`` is the number of a version.

    ``own_key`` is the key of its canonical address, ``read_key`` that of the page its text was read from.
    """

    id: int
    current: int
    versions: tuple[KnownVersion, ...]
    own_key: bytes = b""
    read_key: bytes = b""

    @property
    def current_version(self) -> KnownVersion:
        return next(version for version in self.versions if version.number == self.current)


@dataclass(frozen=True, slots=True)
class Decision:
    """``version`` is the number that the text has or gets; ``write`` says what happens to its row.

    ``is_current``: the article shows this version from now on.
    """

    kind: Kind
    version: int
    write: Write
    is_current: bool
    copy_of: int | None = None


# A live blog changes every few minutes for days: of each quarter of a day (UTC) its last wording is kept. Fixed hours,
# not hours since the version before: then the order in which fetches are stored does not matter.
LIVE_VERSIONS_EVERY = timedelta(hours=6)


def decide(seen: Seen, known: KnownArticle | None, first: int | None, is_trivial: bool = False) -> Decision:
    """Where a page ends. *known*: the article of its canonical address; *first*: who had its text first (an id).

    *is_trivial*: other words than the current version's, but none that a reader would call a change.
    """
    if known is None:
        return Decision("new" if first is None else "copy", 1, "insert", True, first)

    copy_of = None if first == known.id else first
    current = known.current_version
    again = _read_again(seen, known)
    if _replaces_view(seen, known):
        return Decision("unchanged", current.number, "rewrite", True, copy_of)
    if seen.content_key == current.content_key:
        write: Write = "rewrite" if again == current else "nothing"
        return Decision("unchanged", current.number, write, True, copy_of)
    if is_another_view(seen, known):
        return Decision("unchanged", current.number, "nothing", False, copy_of)
    if again is not None:
        # the same bytes, better read: the site changed nothing, so this is no version of its own
        kind: Kind = "unchanged" if seen.content_key == again.content_key else "new_version"
        return Decision(kind, again.number, "rewrite", again == current, copy_of)
    if seen.is_live:
        return _decide_live(seen, known, copy_of)
    if seen.fetched_at < current.fetched_at:
        return _decide_late(seen, known, copy_of)
    if is_trivial:
        return Decision("unchanged", current.number, "nothing", False, copy_of)
    return Decision("new_version", _next_number(known), "insert", True, copy_of)


def _decide_live(seen: Seen, known: KnownArticle, copy_of: int | None) -> Decision:
    """A live blog: another wording takes the place of an earlier one of the same hours."""
    current = known.current_version
    for version in known.versions:
        if _live_hours(version.fetched_at) != _live_hours(seen.fetched_at):
            continue
        if seen.fetched_at < version.fetched_at:
            return Decision("unchanged", version.number, "nothing", False, copy_of)
        return Decision("new_version", version.number, "rewrite", version == current, copy_of)
    is_latest = seen.fetched_at >= current.fetched_at
    return Decision("new_version", _next_number(known), "insert", is_latest, copy_of)


def _live_hours(at: datetime) -> int:
    return int((at - datetime(2000, 1, 1, tzinfo=UTC)) // LIVE_VERSIONS_EVERY)


def is_another_view(seen: Seen, known: KnownArticle) -> bool:
    """A print, AMP or mobile page, or one page of several, that names the article's own page as canonical.

    It leaves out a teaser here and a table there; would it make versions, each look at the two would make two.
    """
    return bool(seen.url_key and known.own_key) and seen.url_key not in (known.own_key, known.read_key)


def _replaces_view(seen: Seen, known: KnownArticle) -> bool:
    """The article's own page, after a view of it was met first. The site changed nothing, so this is no new version."""
    return bool(seen.url_key) and seen.url_key == known.own_key != known.read_key and len(known.versions) == 1


def _read_again(seen: Seen, known: KnownArticle) -> KnownVersion | None:
    for version in known.versions:
        if (version.fetched_at, version.body_key) == (seen.fetched_at, seen.body_key):
            return version
    return None


def _decide_late(seen: Seen, known: KnownArticle, copy_of: int | None) -> Decision:
    """A page that was fetched before the current version: a replay out of order. It never becomes the current one."""
    for version in known.versions:
        if version.content_key == seen.content_key:
            return Decision("unchanged", version.number, "nothing", False, copy_of)
    return Decision("new_version", _next_number(known), "insert", False, copy_of)


def _next_number(known: KnownArticle) -> int:
    return max(version.number for version in known.versions) + 1


# ---------------------------------------------------------------------------------------------------------------------
# copies that are not word for word


@dataclass(frozen=True, slots=True)
class Similarity:
    """How much two texts share, in word triples. ``same``: of all that either has; ``kept``: of the first one's, in the
    other; ``own``: of the other one's, not in the first; ``numbers``: of those with a number in them that the text with
    fewer has, 1 where it has hardly any. Each 0 to 1."""

    same: float
    kept: float
    own: float
    numbers: float = 1.0


EXACT = Similarity(1.0, 1.0, 0.0)
_DIGIT = re.compile(r"\d")

COPY = 0.5  # so much shared makes a copy ...
SHORT, COPY_OF_SHORT = 38, 0.7  # ... and more where a text has so few triples that a stock phrase is half of it
# One text nearly all in the other. A short report that a longer one had before is a copy, however long that one is. The
# longer one that comes after is a copy where it is not just a digest, or quotes the short one.
EMBEDDED, EMBEDDED_AT_LEAST = 0.8, 0.25
# What is written anew every day from one pattern (weather, speed traps, lottery, stocks) shares its words and not its
# numbers; whoever cuts or edits a report leaves these as the rest. Two credit lines make few numbers, no difference.
NUMBERS_AT_LEAST, FEW_NUMBERS = 0.6, 6  # of what is shared of all words; number of triples with one
SURE = 0.9
SAME_FAMILY = 0.5  # a copy's copy has still half of the first one's words, or its own are half of that


def similarity(first: Set[str], other: Set[str]) -> Similarity:
    """Of two sets of word triples (``fingerprint.shingles``)."""
    shared = len(first & other)
    if not shared:
        return Similarity(0.0, 0.0, 1.0)
    same = shared / (len(first) + len(other) - shared)
    may_be_copy = same >= EMBEDDED_AT_LEAST or shared / len(other) >= EMBEDDED
    numbers = _numbers_shared(first, other) if may_be_copy and same < SURE else 1.0
    return Similarity(same, shared / len(first), 1 - shared / len(other), numbers)


def _numbers_shared(first: Set[str], other: Set[str]) -> float:
    own, others = ({triple for triple in triples if _DIGIT.search(triple)} for triples in (first, other))
    fewer = min(len(own), len(others))
    # one triple more than there are: of six around two numbers chance takes three where every eighth word was edited
    return min(1.0, (len(own & others) + 1) / fewer) if fewer >= FEW_NUMBERS else 1.0


def is_copy(alike: Similarity, triples: int) -> bool:
    """Whether texts so much alike are the same report. *triples*: how many the shorter one has."""
    if alike.numbers < NUMBERS_AT_LEAST * max(alike.kept, 1 - alike.own):
        return False
    if triples < SHORT:
        return alike.same >= COPY_OF_SHORT
    if alike.same >= COPY or 1 - alike.own >= EMBEDDED:
        return True
    return alike.kept >= EMBEDDED and alike.same >= EMBEDDED_AT_LEAST


def is_of_family(alike: Similarity) -> bool:
    """Whether the copy of a copy still is one of the first text."""
    return max(alike.kept, 1 - alike.own) >= SAME_FAMILY


# ---------------------------------------------------------------------------------------------------------------------
# walls

MOST_WALL_WORDS = 250  # what a site shows in the place of an article is no report itself
SAME_BEGINNING = 6  # letters: inflected forms of a word


def is_wall(text: str, title: str, other_title: str) -> bool:
    """Whether a *text* that stands under two headlines is one that sites serve in the place of articles.

    A report that was given another headline says itself what at least one of them says; a request to log in, to pay or
    to agree has no word of either.
    """
    titles = [_telling(fingerprint.words(each)) for each in (title, other_title)]
    if not all(titles) or not titles[0].isdisjoint(titles[1]):
        return False
    of_text = fingerprint.words(text)
    return 0 < len(of_text) <= MOST_WALL_WORDS and (titles[0] | titles[1]).isdisjoint(_telling(of_text))


def _telling(words: Sequence[str]) -> set[str]:
    return {word[:SAME_BEGINNING] for word in words if len(word) > 2 and word not in stories.STOP}


# ---------------------------------------------------------------------------------------------------------------------
# addresses


def identity(canonical_url: str, url: str) -> str:
    """The normalised address under which an article is known: the canonical one where it can be believed.

    Not believed: an address on another site (whoever copies an article could otherwise overwrite it), and a home page
    named by a page below it (a common mistake that would make one article of a whole site). Raises ``urls.BadUrl`` when
    neither is an address.
    """
    own = _normalised(url)
    try:
        canonical = urls.normalise(canonical_url)
    except urls.BadUrl:
        return own
    if not own.startswith(("http:", "https:")):
        return canonical  # a file that was replayed: only the canonical address is one
    if not urls.same_site(canonical, own):
        return own
    if urlsplit(canonical).path in ("", "/") and not urlsplit(canonical).query and urlsplit(own).path not in ("", "/"):
        return own
    return canonical


def _normalised(url: str) -> str:
    try:
        return urls.normalise(url)
    except urls.BadUrl:
        if url.strip():
            return url.strip()  # a file: or seed: address of a replay is its own identity
        raise
