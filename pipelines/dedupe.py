"""Same page, new version, copy of, new: a pure decision over what the store knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from pipelines import urls


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a page that was just read decides where it ends. ``url_key`` is that of the page itself; b"": a file."""

    text_key: bytes
    content_key: bytes
    body_key: bytes
    fetched_at: datetime
    url_key: bytes = b""


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

    kind: Literal["new", "new_version", "unchanged", "copy"]
    version: int
    write: Literal["insert", "rewrite", "nothing"]
    is_current: bool
    copy_of: int | None = None


def decide(seen: Seen, known: KnownArticle | None, first: int | None) -> Decision:
    """Where a page ends. *known*: the article of its canonical address; *first*: who had its text first (an id)."""
    if known is None:
        return Decision("new" if first is None else "copy", 1, "insert", True, first)

    copy_of = None if first == known.id else first
    current = known.current_version
    again = _read_again(seen, known)
    if _replaces_view(seen, known):
        return Decision("unchanged", current.number, "rewrite", True, copy_of)
    if seen.content_key == current.content_key:
        write = "rewrite" if again == current else "nothing"
        return Decision("unchanged", current.number, write, True, copy_of)
    if _is_another_view(seen, known):
        return Decision("unchanged", current.number, "nothing", False, copy_of)
    if again is not None:
        # the same bytes, better read: the site changed nothing, so this is no version of its own
        kind = "unchanged" if seen.content_key == again.content_key else "new_version"
        return Decision(kind, again.number, "rewrite", again == current, copy_of)
    if seen.fetched_at < current.fetched_at:
        return _decide_late(seen, known, copy_of)
    return Decision("new_version", _next_number(known), "insert", True, copy_of)


def _is_another_view(seen: Seen, known: KnownArticle) -> bool:
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
