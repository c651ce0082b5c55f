"""Every fetched article page into WARC before anything can go wrong with it, and back.

A page is a group of records: its response, a response per further page of a multi-page article, and last a metadata
record with what WARC has no field for (source, hint, exact times). A group without its metadata was cut off.
Bodies are stored decoded, so the headers that spoke of their coding are left out.
"""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from isal import igzip
from pydantic import TypeAdapter
from warcio.recordbuilder import RecordBuilder
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipelines.items import Hint, Page, Part
from pipelines.store.models import Archived
from pipelines.warc import Openable, records_of, said_of, whole

log = logging.getLogger(__name__)

FULL = 1 << 30  # bytes after which a new file is begun: what tools and people still like to copy
# Of 200 kB of HTML, ISA-L makes 22 % in 0.3 ms; zlib's level 4 makes 20 % in 1.9 ms, level 6 19 % in 3.5 ms.
LEVEL = 2
OURS = "Nachlese-Page"  # the header that marks our metadata records
NAMES = ("*.warc.gz", "*.warc", "*.arc.gz", "*.arc")

# they speak of a coding that is undone, or of the reader and not of the page
_LEFT_OUT = {"content-encoding", "transfer-encoding", "content-length", "content-type", "set-cookie", "set-cookie2"}
_HTML = ("text/html", "application/xhtml+xml", "text/plain", "application/xml", "text/xml")
_HINT: TypeAdapter[Hint] = TypeAdapter(Hint)
#: what our metadata record states; whoever says that he is us may have written something else
_FACTS = {"url": str, "asked_url": str | None, "source": str, "fetched_at": str, "status": int, "parts": list}
_BUILDER = RecordBuilder(warc_version="1.1")


class ArchiveDamage(ValueError):
    """Part of an archive could not be read. Raised after everything else was yielded; names each damaged place."""


# ---------------------------------------------------------------------------------------------------------------------
# writing


class Archive:
    """One process's WARC file of the day in *folder*. Not safe for threads; call it from one."""

    def __init__(self, folder: Path, tag: str = ""):
        """*tag* is part of the files' names; a word of this archive's own where none is stated.

        Others write into the same place, or into the same database: in each container the process is number 1.
        """
        self.folder = folder
        self._tag = tag or uuid.uuid4().hex[:8]
        self._begun = 0.0
        self._files = 0  # begun so far: a name that was moved away is free here, and taken there
        self._out: BinaryIO | None = None
        self._day: date | None = None
        self._name = ""

    @property
    def file_name(self) -> str:
        """The file that is written now; empty before the first page."""
        return self._name

    def save(self, page: Page, headers: Mapping[str, str] | None = None) -> Archived:
        """Write the page with its parts and hint, and flush.

        Raises OSError when that fails; the file then ends where it ended before.
        """
        group = _group(page, headers or {})
        out = self._file(page.fetched_at.astimezone(UTC).date())
        begin = out.tell()
        try:
            _write_whole(out, group)
        except OSError:
            self._undo(begin)
            raise
        return Archived(self._name, begin, len(group))

    def close(self) -> None:
        if self._out is not None:
            out, self._out = self._out, None
            out.close()

    def close_old(self, seconds: float) -> None:
        """Close a file that was begun so long ago; the next page begins another one."""
        if self._out is not None and time.monotonic() - self._begun >= seconds:
            self.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _file(self, day: date) -> BinaryIO:
        """The open file: of *day*, or of a later one that has begun already."""
        if self._out is not None and self._day is not None and day <= self._day and self._out.tell() < FULL:
            return self._out
        self.close()
        self._day = max(day, self._day or day)
        self.folder.mkdir(parents=True, exist_ok=True)
        while self._out is None:
            self._files += 1
            self._name = f"nachlese-{self._day:%Y%m%d}-{os.getpid()}-{self._tag}-{self._files}.warc.gz"
            try:
                # unbuffered: a write that fails leaves nothing behind that would be written later
                self._out = (self.folder / self._name).open("xb", buffering=0)
            except FileExistsError:
                continue  # somebody has called one so; nothing is written into the files of others
            with suppress(OSError):  # a file system may know no locks; nothing is moved from there
                # Nobody moves it while it grows. Who looks whether it can be moved holds it for a moment.
                fcntl.flock(self._out, fcntl.LOCK_EX)
        self._begun = time.monotonic()
        try:
            _write_whole(self._out, _first_record(self._name))
        except OSError:
            self._undo(0)
            raise
        return self._out

    def _undo(self, end: int) -> None:
        """Cut off what a failed write has left; where even that fails, the next page goes into a new file."""
        try:
            assert self._out is not None
            self._out.truncate(end)
            self._out.seek(end)
        except OSError as error:
            log.error("the archive file %s may end in half a record: %s", self._name, error)
            self.close()


def _write_whole(out: BinaryIO, data: bytes) -> None:
    """Write all of *data*, unbuffered. A disk that becomes full takes a part without an error; the rest raises it."""
    rest = memoryview(data)
    while rest:
        rest = rest[out.write(rest) :]


def _first_record(name: str) -> bytes:
    info = {"software": "Nachlese", "format": "WARC File Format 1.1", "conformsTo": "ISO 28500:2017"}
    return _packed(_BUILDER.create_warcinfo_record(name, info))


def _group(page: Page, headers: Mapping[str, str]) -> bytes:
    first = f"<urn:uuid:{uuid.uuid4()}>"
    at = page.fetched_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    records = []
    for number, part in enumerate((Part(page.url, page.body, page.content_type), *page.more)):
        of_record = {"WARC-Record-ID": first} if number == 0 else {"WARC-Concurrent-To": first}
        # a page that came from a file has no HTTP around it; readers of WARC look for that by the address
        by_http = part.url.startswith(("http:", "https:"))
        response = _BUILDER.create_warc_record(
            _one_line(part.url),
            "response" if by_http else "resource",
            payload=io.BytesIO(part.body),
            length=len(part.body),
            warc_content_type="" if by_http else _one_line(part.content_type),
            http_headers=_http_headers(page.status, part, headers if number == 0 else {}) if by_http else None,
            warc_headers_dict=of_record | {"WARC-Date": at},
        )
        records.append(_packed(response))
    facts = json.dumps(facts_of(page), ensure_ascii=True).encode()
    metadata = _BUILDER.create_warc_record(
        _one_line(page.url),
        "metadata",
        payload=io.BytesIO(facts),
        length=len(facts),
        warc_content_type="application/json",
        warc_headers_dict={"WARC-Concurrent-To": first, "WARC-Date": at, OURS: "1"},
    )
    return b"".join((*records, _packed(metadata)))


def _packed(record: ArcWarcRecord) -> bytes:
    """The record as a gzip member of its own; warcio itself knows level 9 only."""
    buffer = io.BytesIO()
    WARCWriter(buffer, gzip=False, warc_version="1.1").write_record(record)
    return igzip.compress(buffer.getvalue(), LEVEL, mtime=0)


def facts_of(page: Page) -> dict[str, Any]:
    """What ``page_of_facts`` makes the page of again, with its bodies."""
    return {
        "url": page.url,
        "asked_url": page.asked_url,
        "source": page.source,
        "fetched_at": page.fetched_at.isoformat(),
        "status": page.status,
        "hint": _HINT.dump_python(page.hint, mode="json") if page.hint else None,
        "parts": [[part.url, part.content_type] for part in (Part(page.url, b"", page.content_type), *page.more)],
    }


def _http_headers(status: int, part: Part, headers: Mapping[str, str]) -> StatusAndHeaders:
    kept = [(_one_line(name), _one_line(value)) for name, value in headers.items() if name.lower() not in _LEFT_OUT]
    kept += [("Content-Type", _one_line(part.content_type)), ("Content-Length", str(len(part.body)))]
    return StatusAndHeaders(f"{status} {'OK' if status == 200 else 'Status'}", kept, protocol="HTTP/1.1")


def _one_line(text: str) -> str:
    """*text* fit for a header: one line, and only characters that come back."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).encode("utf-8", "replace").decode("utf-8")


# ---------------------------------------------------------------------------------------------------------------------
# reading


def files(paths: Path | Iterable[Path]) -> list[Path]:
    """The WARC files among *paths*; of a folder, all in it and below, in the order of their names."""
    found: list[Path] = []
    for path in [paths] if isinstance(paths, Path) else paths:
        if path.is_dir():
            found += sorted({file for name in NAMES for file in path.rglob(name)})
        else:
            found.append(path)
    return found


def pages(
    paths: Path | Iterable[Path],
    since: datetime | None = None,
    source: str | None = None,
    formerly: Collection[str] = (),
) -> Iterator[Page]:
    """The pages in WARC files, or folders of them, in file order; with *since*, those fetched then or later.

    Ours come back as they were kept. Of foreign files every response with a page in it is one; it belongs to *source*,
    or to a source that is called as its host. Of our own pages, *source* names those that are wanted;
    *formerly* are other names that it had when they were kept.

    What is damaged is left out and the rest goes on; ArchiveDamage comes at the end and names the places.
    """
    damage: list[str] = []
    for file in files(paths):
        for _, _, page in pages_of(file, source, damage):
            if (since is None or page.fetched_at >= since) and (source is None or page.source in (source, *formerly)):
                yield page
    if damage:
        raise ArchiveDamage("; ".join(damage))


def page_at(file: Openable, offset: int) -> Page:
    """The one page whose records begin at *offset*. Raises ArchiveDamage where there is none."""
    damage: list[str] = []
    for begin, _, page in pages_of(file, None, damage, offset):
        if begin == offset:
            return page
        break
    raise ArchiveDamage("; ".join(damage) or f"{file.name} has no page at byte {offset}")


def recent(folder: Path, since: datetime) -> list[str]:
    """Names of the files of ours that were written to since then."""
    found = (file for file in folder.glob("nachlese-*.warc.gz") if file.stat().st_mtime >= since.timestamp())
    return sorted(file.name for file in found)


def left(
    file_named: Callable[[str], Openable], gaps: Iterable[tuple[str, int, int | None]], since: datetime
) -> Iterator[tuple[Archived, Page]]:
    """The pages in *gaps* (file, first byte, end or None): fetched since then, archived, and never recorded as ended.

    A process that is killed leaves them: it wrote them here, and its end came before theirs. What is damaged, such as
    the half page at the end of its file, is left out.
    """
    for name, begin, end in gaps:
        for offset, length, page in pages_of(file_named(name), None, [], begin):
            if end is not None and offset >= end:
                break
            if page.fetched_at >= since:
                yield Archived(name, offset, length), page


class _Group:
    """The records of one of our pages, as far as they have come by."""

    def __init__(self, offset: int, record_id: str):
        self.offset = offset
        self.record_id = record_id
        self.bodies: list[bytes] = []

    def close(self, record_id: str | None) -> None:
        """Its metadata record has come, and says of which page it is. Raises ValueError where that is another one."""
        if record_id != self.record_id:  # what stood between them is lost
            raise ValueError(f"the page at byte {self.offset} was cut off")


def page_of_facts(facts: Any, bodies: Sequence[bytes]) -> Page:
    """The page by what its metadata record states, and its bodies. Raises ValueError where that is not as ours is."""
    if not isinstance(facts, dict) or not all(isinstance(facts.get(name), kind) for name, kind in _FACTS.items()):
        raise ValueError(f"expected an object with {', '.join(_FACTS)} as metadata")
    parts, at = facts["parts"], datetime.fromisoformat(facts["fetched_at"])
    if at.tzinfo is None:
        raise ValueError(f"its time has no zone: {at}")
    if not all(isinstance(text, str) for part in parts for text in part):
        raise ValueError("expected address and content type of each of its pages")
    if len(parts) != len(bodies):
        raise ValueError(f"{len(parts)} pages belong to it, {len(bodies)} are there")
    return Page(
        url=facts["url"],
        source=facts["source"],
        body=bodies[0],
        fetched_at=at,
        content_type=parts[0][1],
        status=facts["status"],
        asked_url=facts["asked_url"],
        hint=_HINT.validate_python(facts["hint"]) if facts.get("hint") else None,
        more=tuple(
            Part(url, body, content_type) for (url, content_type), body in zip(parts[1:], bodies[1:], strict=True)
        ),
    )


def pages_of(
    file: Openable,
    source: str | None,
    damage: list[str],
    begin: int = 0,
    is_ours: bool | None = None,
    note: Callable[[int], object] = bool,
) -> Iterator[tuple[int, int, Page]]:
    """(offset, length, page) of one file; what went wrong is added to *damage*.

    *is_ours*: whether it is of our archive; without it, its first record says so, or *begin* is a place that is known.
    *note* is told where each record begins before it is looked into.
    """
    group: _Group | None = None
    is_ours = begin > 0 if is_ours is None else is_ours
    for offset, record, size in records_of(file, damage, begin):
        note(offset)
        headers = record.rec_headers
        try:
            if record.rec_type == "warcinfo":
                is_ours = b"software: Nachlese" in record.content_stream().read(4096)
            elif not is_ours:
                page = foreign_page(record, source)
                if page is not None:
                    yield offset, size(), page
            elif record.rec_type in ("response", "resource"):
                belongs_to = headers.get_header("WARC-Concurrent-To")
                if group is None or group.record_id != belongs_to:
                    _name_if_cut(file, group, damage)
                    group = _Group(offset, headers.get_header("WARC-Record-ID"))
                group.bodies.append(whole(record))
            elif record.rec_type == "metadata" and headers.get_header(OURS) and group is not None:
                done, group = group, None
                done.close(headers.get_header("WARC-Concurrent-To"))
                facts = json.loads(whole(record))
                yield done.offset, offset + size() - done.offset, page_of_facts(facts, done.bodies)
        except OSError:
            raise  # trouble of the disk is none of the record
        except Exception as error:  # noqa: BLE001  whatever a record holds, the next one comes
            damage.append(f"{file.name} at byte {offset}: {said_of(error)}")
            group = None
    _name_if_cut(file, group, damage)


def is_ours(file: Openable) -> bool:
    for _, record, _ in records_of(file, []):
        return record.rec_type == "warcinfo" and b"software: Nachlese" in record.content_stream().read(4096)
    return False


def _name_if_cut(file: Openable, group: _Group | None, damage: list[str]) -> None:
    if group is not None:
        damage.append(f"{file.name} at byte {group.offset}: the page was cut off")


def foreign_page(record: ArcWarcRecord, source: str | None) -> Page | None:
    if record.rec_type not in ("response", "resource"):
        return None
    url = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url):
        raise ValueError("this is no record, or one without an address")
    http = record.http_headers
    content_type = (http or record.rec_headers).get_header("Content-Type") or "text/html"
    status = int(http.get_statuscode()) if http else 200
    host = urlsplit(url).hostname
    if not host or 300 <= status < 400 or re.split("[;,]", content_type)[0].strip().lower() not in _HTML:
        return None
    if urlsplit(url).path.lower() in ("/robots.txt", "/favicon.ico"):
        return None
    at = datetime.fromisoformat(record.rec_headers.get_header("WARC-Date"))
    return Page(
        url=url,
        source=source or host.removeprefix("www."),
        body=whole(record),
        fetched_at=at if at.tzinfo else at.replace(tzinfo=UTC),
        content_type=content_type,
        status=status,
    )
