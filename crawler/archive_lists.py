"""What archives of the web list: Common Crawl's WARC files of a month, captures of the Wayback Machine. Pure.

Strangers wrote these lists: they are read in reader processes (``crawler.parsing``), and what they ask for is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote, urljoin, urlsplit

from crawler.discovery.links import LinkFilter, looks_like_article
from pipelines import urls
from pipelines.decompress import Undecodable, Unfinished, decoded
from pipelines.patterns import RanAway
from pipelines.store.owners import owner

#: bytes of an unpacked list: a month of CC-NEWS has some 60 kB
LARGEST_LIST = 8_000_000
#: files of one month: it has some 500
MOST_FILES = 20_000
#: of lines that are refused, so many are told
MOST_TOLD = 5
_WARC = re.compile(r"\.warc(\.gz)?$", re.I)
_TIMESTAMP = re.compile(r"\d{14}")
#: where a capture lies on the archive's site: its time, and the address that was captured
_CAPTURE = re.compile(r"/web/(\d{14})(?:[a-z]{2}_)?/(https?:/.+)$", re.I | re.S)


@dataclass(frozen=True, slots=True)
class FileList:
    """Addresses of WARC files. ``refused`` are lines that name none, ``error`` why there is no list."""

    files: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """A page as it was at *timestamp*, 14 digits in UTC."""

    timestamp: str
    url: str


@dataclass(frozen=True, slots=True)
class CaptureList:
    """One page of a list of captures. ``resume_key`` asks for the next one, "" at the end.

    ``others`` counts captures that are no articles of the source, ``broken`` lines that are no captures.
    """

    captures: tuple[Capture, ...] = ()
    resume_key: str = ""
    others: int = 0
    broken: int = 0
    error: str = ""


def warc_paths(body: bytes, base: str) -> FileList:
    """The files that a ``warc.paths.gz`` names, as addresses below *base*, which ends in a slash."""
    try:
        text = _unpacked(body) if body[:2] == b"\x1f\x8b" else body
    except (Undecodable, Unfinished, ValueError) as error:
        return FileList(error=f"the list is damaged: {str(error) or type(error).__name__}")
    if text.lstrip()[:1] == b"<":
        return FileList(error="expected a list of WARC files, found a page")
    files: dict[str, None] = {}
    refused: list[str] = []
    for line in text.decode("utf-8", "replace").splitlines()[: 2 * MOST_FILES]:
        if not (path := line.strip()):
            continue
        address = _below(base, path)
        if address and len(files) < MOST_FILES:
            files[address] = None
        elif address not in files and len(refused) < MOST_TOLD:
            refused.append(path[:200])
    return FileList(tuple(files), tuple(refused))


def _unpacked(body: bytes) -> bytes:
    text = bytearray()
    for piece in decoded(body, ["gzip"]):
        text += piece
        if len(text) > LARGEST_LIST:
            raise ValueError(f"it has more than {LARGEST_LIST:,} bytes")
    return bytes(text)


def _below(base: str, path: str) -> str:
    """The address of *path* where it is a WARC file below *base*, else ""."""
    spelt = unquote(path)
    if not path.isprintable() or "\\" in spelt or "?" in path or "#" in path or not _WARC.search(path):
        return ""
    if spelt.startswith("/") or ":" in spelt.partition("/")[0] or ".." in spelt.split("/"):
        return ""
    try:
        address = urls.normalise(urljoin(base, path), keep_tracking=True)
        return address if address.startswith(urls.normalise(base, keep_tracking=True)) else ""
    except urls.BadUrl:
        return ""


def captures(
    body: bytes, source: str, hosts: Mapping[str, Sequence[str]], link_filter: LinkFilter, has_rules: bool
) -> CaptureList:
    """The articles of *source* in a CDX answer: lines of time and address; behind an empty line, where it goes on.

    *hosts* are those of all sources. *has_rules*: the source says itself which addresses are articles.
    """
    text = body.decode("utf-8", "replace")
    if text.lstrip()[:1] in ("<", "{"):
        return CaptureList(error="expected lines of captures, found something else")
    lines, _, rest = text.replace("\r\n", "\n").partition("\n\n")
    found: dict[tuple[str, str], None] = {}
    others = broken = 0
    for line in lines.split("\n"):
        if not line.strip():
            continue
        capture = _capture(line)
        if capture is None:
            broken += 1
        elif _is_wanted(capture.url, source, hosts, link_filter, has_rules):
            found[capture.timestamp, capture.url] = None
        else:
            others += 1
    key = rest.strip()
    if len(key) > 2000 or not key.isprintable() or (lines.strip() == "" and key):
        return CaptureList(error="the list does not say where it goes on")
    return CaptureList(tuple(Capture(*each) for each in found), key, others, broken)


def _capture(line: str) -> Capture | None:
    fields = line.split()
    if len(fields) < 2 or moment_of(fields[0]) is None:
        return None
    try:
        urls.normalise(fields[1])
    except urls.BadUrl:
        return None
    return Capture(fields[0], fields[1])


def _is_wanted(
    url: str, source: str, hosts: Mapping[str, Sequence[str]], link_filter: LinkFilter, has_rules: bool
) -> bool:
    address = urls.normalise(url)
    if owner(address, "", hosts) != source or urlsplit(address).path == "/robots.txt":
        return False
    try:
        return link_filter.wants(address, urls.normalise(link_filter.homepage)) and (
            has_rules or looks_like_article(address, is_teaser=True)
        )
    except RanAway:
        return False


def moment_of(timestamp: str) -> datetime | None:
    """The time that 14 digits state; None where they state none."""
    if not _TIMESTAMP.fullmatch(timestamp) or not timestamp.isascii():
        return None
    try:
        return datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def captured(address: str) -> Capture | None:
    """Which capture lies at an address of the archive."""
    found = _CAPTURE.search(address)
    if found is None or moment_of(found[1]) is None:
        return None
    return Capture(found[1], re.sub(r"^(https?):/+", r"\1://", found[2], flags=re.I))
