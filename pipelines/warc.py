"""WARC files of whoever wrote them, record by record. With ``archive``, the only door to warcio.

Whatever is damaged, or was never right, costs its own record: behind it the next one is looked for.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.recordloader import ArcWarcRecord

from pipelines.decompress import Undecodable, Unfinished, decoded, encodings_of, is_text

LARGEST = 32 << 20  # bytes of a record's decoded body; what is larger is no page of news
TOO_MUCH = f"the body has more than {LARGEST:,} bytes"
MOST_ENCODINGS = 4
_STEP = 1 << 16
_CONTENT_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.I | re.M)
_GZIP = b"\x1f\x8b\x08"
_VERSION = b"WARC/1."
_PLAIN = b"\r\n\r\n" + _VERSION  # where a record may begin in a file that is not compressed


class Openable(Protocol):
    """A WARC file wherever it lies: a path, a part of a WACZ, a file of a store of objects."""

    @property
    def name(self) -> str: ...

    def open(self, mode: Literal["rb"]) -> Any:
        """What is read and sought in; whoever opens it closes it."""


_Record = tuple[int, ArcWarcRecord, Callable[[], int]]


def records_of(file: Openable, damage: list[str], begin: int = 0) -> Iterator[_Record]:
    """(offset, record, its length when asked); what cannot be parsed is left out, and the next one comes.

    Where the file was compressed as a whole, offsets and *begin* are of what is in it.
    """
    is_known = _is_one_stream(file)
    if not is_known:
        with file.open("rb") as stream, file.open("rb") as beside:
            mark = _GZIP if _begins(beside, 0) else _PLAIN
            try:
                yield from _each(stream, mark, file.name, damage, begin, beside)
                return
            except _OneStreamError:
                pass
    with file.open("rb") as packed, _Unpacked(packed) as stream:
        records = _each(stream, _PLAIN, file.name, damage, begin)
        if not (begin or is_known):
            next(records, None)  # it came already
        yield from records
        if stream.trouble:
            damage.append(f"{file.name} behind byte {stream.tell()} of what is compressed: {stream.trouble}")


def _is_one_stream(file: Openable) -> bool:
    """Whether a file was compressed as a whole: what was compressed with its first record goes on behind it."""
    inflater, head, size, end = zlib.decompressobj(31), b"", 0, None
    with file.open("rb") as stream:
        try:
            while not inflater.eof and (packed := stream.read(_STEP)):
                while packed and (end is None or size <= end + len(_PLAIN)):
                    data = inflater.decompress(packed, _STEP)
                    packed, size = inflater.unconsumed_tail, size + len(data)
                    if end is None:
                        head += data
                        end = _end_of_first(head)
                        if end is None and len(head) > _STEP:
                            return False  # none of ours to tell
                if end is not None and size > end + len(_PLAIN):
                    return True
        except zlib.error:
            return False
    return False


class _Unpacked(io.RawIOBase):
    """What gzip members one after the other hold. It ends where they are cut off or broken; ``trouble`` says so then.

    Python's own gives nothing of what it has read where the next read fails.
    """

    def __init__(self, packed: Any):
        self._packed, self.trouble = packed, ""
        self._restart()

    def _restart(self) -> None:
        self._packed.seek(0)
        self._inflater, self._left, self._at = zlib.decompressobj(31), b"", 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        goal = offset + (self._at if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end is not known")
        if goal < self._at:
            self._restart()
        while self._at < goal and self.read(min(goal - self._at, _STEP)):
            pass
        return self._at

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._some(len(buffer))
        except zlib.error as error:
            self.trouble, data = str(error), b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _some(self, most: int) -> bytes:
        while True:
            if not self._left:
                self._left = self._packed.read(_STEP)
            if self._inflater.eof:
                self._left = self._left.lstrip(b"\0")  # padding
                if not self._left:
                    return b""
                self._inflater = zlib.decompressobj(31)
            if not self._left:
                self.trouble = "the compressed data is cut off"
                return b""
            data = self._inflater.decompress(self._left, most)
            self._left = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
            if data:
                return data


def _end_of_first(head: bytes) -> int | None:
    """Where the first record's block ends, by its header; None where that is not all there."""
    header, found, _ = head.partition(b"\r\n\r\n")
    stated = _CONTENT_LENGTH.search(header)
    return len(header) + 4 + int(stated[1]) if found and stated and header.startswith(_VERSION) else None


class _OneStreamError(Exception):
    """The file was compressed as a whole, not record by record; its first record was yielded."""


def _each(
    stream: Any, mark: bytes, name: str, damage: list[str], begin: int = 0, beside: Any = None
) -> Iterator[_Record]:
    """The records of an open file. Behind a damage it goes on where *mark* says that the next one may begin.

    *beside* is the same file once more, where single records are compressed: to look whether one begins at a place.
    """
    following: int | None = begin
    while following is not None:
        stream.seek(following)
        last = following  # where a record began for certain; the library may have read over others behind a damage
        iterator = ArchiveIterator(stream, arc2warc=True)
        try:
            for record in iterator:
                if beside is not None and mark == _GZIP and not _begins(beside, iterator.offset):
                    # behind a damaged place the library takes compressed bytes for lines, and some for a record
                    raise ValueError("no record begins here")
                last = iterator.offset
                yield iterator.offset, record, iterator.get_record_length
            return
        except OSError:
            raise  # trouble of the disk is none of the archive
        except Exception as error:  # noqa: BLE001  a stranger's bytes, and a library that was made for good ones
            if "non-chunked" in str(error):
                raise _OneStreamError from None
            damage.append(f"{name} at byte {iterator.offset}: {said_of(error)}")
            following = _next_mark(stream, mark, last + 1)


def _begins(stream: Any, offset: int) -> bool:
    stream.seek(offset)
    return bool(stream.read(len(_GZIP)) == _GZIP)


def said_of(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)


def _next_mark(stream: Any, mark: bytes, begin: int) -> int | None:
    """Where the next record may begin, at *begin* or behind it."""
    kept = b""
    stream.seek(begin)
    while block := stream.read(1 << 20):
        found: int = (kept + block).find(mark)
        if found >= 0:
            return begin - len(kept) + found + (len(mark) - len(_VERSION) if mark == _PLAIN else 0)
        begin, kept = begin + len(block), (kept + block)[1 - len(mark) :]
    return None


def whole(record: ArcWarcRecord) -> bytes:
    """The decoded body. Raises ValueError where it is not all there, or too much.

    warcio undoes what it knows and hands out the rest as it is; so what stands in the record is read, and undone here.
    """
    headers = record.http_headers
    transfer = ((headers and headers.get_header("Transfer-Encoding")) or "").lower()
    stream = ChunkedDataReader(record.raw_stream) if "chunked" in transfer else record.raw_stream
    packed = stream.read(LARGEST + 1)
    if len(packed) > LARGEST:
        raise ValueError(TOO_MUCH)
    if getattr(record.raw_stream, "limit", 0) and not record.raw_stream.read(1):
        raise ValueError("the record is cut off")
    if record.rec_headers.get_header("WARC-Truncated"):
        raise ValueError("the record says that its body was truncated")
    stated = (headers.get_header("Content-Encoding") or "") if headers else ""
    return _undone(packed, encodings_of(f"{stated},{transfer}"))


def _undone(packed: bytes, encodings: list[str]) -> bytes:
    """The body without its codings, or as it is where an archive kept it undone and its headers as they were."""
    if not encodings:
        return packed
    if len(encodings) > MOST_ENCODINGS:
        raise ValueError(f"the body was compressed {len(encodings)} times over")
    body = bytearray()
    try:
        for piece in decoded(packed, encodings):
            body += piece
            if len(body) > LARGEST:
                raise ValueError(TOO_MUCH)
    except (Undecodable, Unfinished) as error:
        if is_text(packed):
            return packed
        what = "the compressed body is cut off" if isinstance(error, Unfinished) else str(error)
        raise ValueError(f"{what} (Content-Encoding {', '.join(reversed(encodings))})") from None
    return bytes(body)
