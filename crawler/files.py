"""Pages that are already here: seed texts, saved HTML, WARC files. They take every later step of a live page.

A saved page has to say three things that a live one brings with it:

- its address: *url*, or else what a saved HTML page says of itself (the browser's "saved from" comment, the canonical
  link, og:url), or else the file's own ``file:`` address;
- when it was fetched: *fetched_at*, or else when the file was last changed;
- its source: *source*, or else the configured source with the same host, or else ``replay``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

from pipelines import archive, urls
from pipelines.items import Page, Reason

NO_SOURCE = "replay"
HTML = (".html", ".htm", ".xhtml", ".shtml", ".php", ".asp")
TEXT = (".txt", ".text", ".md")
WARC = (".warc", ".warc.gz")
HEAD = 100_000  # bytes of a saved page in which its own address is looked for

_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(\S+)\s*-->", re.I)
_TAG = re.compile(r"<(?:link|meta)\b[^>]*>", re.I)
_ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not become a page; ``fetched_at`` where that is known."""

    url: str
    source: str
    reason: Reason
    detail: str
    fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """There is no page now: ask again after so many seconds."""

    seconds: float


def missing(paths: Iterable[Path]) -> list[Path]:
    """Those of *paths* that do not exist."""
    return [path for path in paths if not path.exists()]


def pages(
    paths: Iterable[Path],
    *,
    source: str | None = None,
    url: str | None = None,
    fetched_at: datetime | None = None,
    since: datetime | None = None,
    hosts: Mapping[str, str] | None = None,
    former: Mapping[str, str] | None = None,
    largest: int = 10_000_000,
) -> Iterator[Page | Unreadable]:
    """The pages in files and, in the order of their names, in folders; other files of a folder are passed over.

    *hosts* maps the host of a source's homepage to the source's name, *former* a name that it had to the one it has,
    under which pages come that were archived before. *largest* is in bytes. *since* leaves out what
    was fetched earlier. A file that cannot be read is one Unreadable and the rest goes on.
    """
    for file in files(paths):
        if file.name.lower().endswith(WARC):
            found = _archived(file, source, since, former or {})
        else:
            found = iter([_page(file, source, url, fetched_at, hosts or {}, largest)])
        yield from (page for page in found if isinstance(page, Unreadable) or not since or page.fetched_at >= since)


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """A file that is named is taken whatever it is called; of a folder, those with a suffix of a saved page."""
    for path in paths:
        if path.is_dir():
            known = (f for f in path.rglob("*") if f.is_file() and f.name.lower().endswith((*HTML, *TEXT, *WARC)))
            yield from sorted(known)
        else:
            yield path


def from_bytes(
    body: bytes,
    *,
    name: str,
    url: str | None = None,
    source: str | None = None,
    fetched_at: datetime,
    hosts: Mapping[str, str] | None = None,
) -> Page:
    """The page that these bytes are. *name* is the file's; without a telling suffix a ``<`` in front means HTML."""
    suffix = Path(name).suffix.lower()
    html = suffix in HTML or (suffix not in TEXT and body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<")
    address = url or (html and stated_url(body)) or name
    known = (hosts or {}).get(_host_of(address), NO_SOURCE)
    content_type = "text/html" if html else "text/plain"
    return Page(address, source or known, body, fetched_at, content_type, asked_url=address)


def _host_of(address: str) -> str:
    """The host in an address; "" where there is none, or it cannot be taken apart: the page is read all the same."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def stated_url(body: bytes) -> str | None:
    """The web address that a saved HTML page states of itself."""
    head = body[:HEAD].decode("ascii", "replace")
    saved = _SAVED_FROM.search(head)
    stated = {"saved": saved[1]} if saved else {}
    for tag in _TAG.finditer(head):
        values = {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(tag[0])}
        what = (values.get("rel") or values.get("property") or values.get("name") or "").lower()
        if what in ("canonical", "og:url"):
            stated.setdefault(what, values.get("href") or values.get("content") or "")
    for what in ("saved", "canonical", "og:url"):
        try:
            return urls.normalise(stated.get(what, ""))
        except urls.BadUrl:
            continue
    return None


def _page(
    file: Path,
    source: str | None,
    url: str | None,
    fetched_at: datetime | None,
    hosts: Mapping[str, str],
    largest: int,
) -> Page | Unreadable:
    address = file.resolve().as_uri()
    try:
        with file.open("rb") as opened:
            body = opened.read(largest + 1)
        changed = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    except OSError as error:
        return Unreadable(url or address, source or NO_SOURCE, Reason.UNDECODABLE, f"{file}: {error.strerror or error}")
    if len(body) > largest:
        detail = f"{file}: more than {largest:,} bytes"
        return Unreadable(url or address, source or NO_SOURCE, Reason.TOO_LARGE, detail)
    return from_bytes(body, name=address, url=url, source=source, fetched_at=fetched_at or changed, hosts=hosts)


def _archived(
    file: Path, source: str | None, since: datetime | None, former: Mapping[str, str]
) -> Iterator[Page | Unreadable]:
    """The pages of one WARC file. What stands behind a damaged place is lost, and said."""
    try:
        formerly = [old for old, name in former.items() if name == source]
        for page in archive.pages(file, since=since, source=source, formerly=formerly):
            yield replace(page, source=former.get(page.source, page.source))
    except (OSError, ValueError, EOFError) as error:
        detail = f"{file}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        yield Unreadable(file.resolve().as_uri(), source or NO_SOURCE, Reason.TRUNCATED, detail)
