"""WARC files of whoever wrote them, record by record. With ``archive``, the only door to warcio.

Whatever is damaged, or was never right, costs its own record: behind it the next one is looked for.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, Protocol

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import DecompressingBufferedReader
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeadersParser

from pipelines.decompress import Undecodable, Unfinished, decoded, encodings_of, is_text
from pipelines.warc_streams import LARGEST, SKIPPABLE, STEP, ZSTD, Unpacked, UnpackedZstd, inflater

TOO_MUCH = f"the body has more than {LARGEST:,} bytes"
MOST_ENCODINGS = 4
_CONTENT_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.I | re.M)
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_GZIP = b"\x1f\x8b\x08"
_VERSION, _ARC = b"WARC/", re.compile(rb"filedesc:[^\n]* (\d{1,18})\r?\n")
#: where a record may begin: a gzip member, and in a file that is not compressed a version behind an empty line
_MEMBER, _LINE = re.compile(re.escape(_GZIP)), re.compile(rb"(?:\r\n\r\n|\n\n)(?=WARC/\d\.\d)")
_BETWEEN = 11  # two empty lines and the begin of a version: more belongs to a next record
_OVERLAP = 16  # longer than either of them
_CHUNK, _LINE_END = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,200})?\r?\n"), re.compile(rb"\r?\n|")
#: set on a record that ends elsewhere than it says
LIES = "ends_elsewhere"
#: what a server says before its answer, and how often
_INTERIM, MOST_INTERIM = re.compile(r"10[0-9]"), 5
#: bytes of a record's headers, and of one line
MOST_HEADERS, MOST_LINE = 1 << 18, 1 << 16
#: damaged places without a record between them that are told one by one, and after which a file is given up
MOST_TOLD, MOST_DAMAGED = 50, 5000


class Openable(Protocol):
    """A WARC file wherever it lies: a path, a part of a WACZ, a file of a store of objects."""

    @property
    def name(self) -> str: ...

    def open(self, mode: Literal["rb"]) -> Any:
        """What is read and sought in; whoever opens it closes it."""


_Record = tuple[int, ArcWarcRecord, Callable[[], int]]


def records_of(file: Openable, damage: list[str], begin: int = 0) -> Iterator[_Record]:
    """(offset, record, its length when asked); what cannot be parsed is left out, and the next one comes.

    Where the file was compressed as a whole, or by zstd, offsets and *begin* are of what is in it.
    """
    with file.open("rb") as stream:
        kind = _kind(stream)
    is_known = kind is not None or _is_one_stream(file)
    if not is_known:
        with file.open("rb") as stream, file.open("rb") as beside:
            mark = _MEMBER if _begins(beside, 0) else _LINE
            try:
                yield from _each(stream, mark, file.name, damage, begin, beside)
                return
            except _OneStreamError:
                pass
    with file.open("rb") as packed, (kind or Unpacked)(packed) as stream:
        records = _each(stream, _LINE, file.name, damage, begin)
        if not (begin or is_known):
            next(records, None)  # it came already
        yield from records
        if stream.trouble:
            damage.append(f"{file.name} behind byte {stream.tell()} of what is compressed: {stream.trouble}")


def _kind(stream: Any) -> type[Unpacked] | None:
    """What unpacks a file that is compressed by something else than gzip."""
    head = stream.read(len(ZSTD))
    return UnpackedZstd if head == ZSTD or SKIPPABLE.match(head) else None


def _is_one_stream(file: Openable) -> bool:
    """Whether a file was compressed as a whole: what was compressed with its first record goes on behind it."""
    inflater, head, size, end = zlib.decompressobj(31), b"", 0, None
    with file.open("rb") as stream:
        try:
            while not inflater.eof and (packed := stream.read(STEP)):
                # at the end of a member the tail is left as it was: what is behind it is another one's
                while packed and not inflater.eof and (end is None or size <= end + _BETWEEN):
                    data = inflater.decompress(packed, STEP)
                    packed, size = inflater.unconsumed_tail, size + len(data)
                    if end is None:
                        head += data
                        end = _end_of_first(head)
                        if end is None and len(head) > STEP:
                            return False  # none of ours to tell
                if end is not None and size > end + _BETWEEN:
                    return True
        except zlib.error:
            return False
    return False


def _end_of_first(head: bytes) -> int | None:
    """Where the first record's block ends, by its header; None where that is not all there."""
    if arc := _ARC.match(head):
        return arc.end() + int(arc[1])
    end = _EMPTY_LINE.search(head)
    if end is None or not head.startswith(_VERSION):
        return None
    stated = _CONTENT_LENGTH.search(head[: end.start()])
    return end.end() + int(stated[1]) if stated else None


class _OneStreamError(Exception):
    """The file was compressed as a whole, not record by record; its first record was yielded."""


class _Lines(DecompressingBufferedReader):  # type: ignore[misc]
    """Lines in pieces where they are too long. *taken*: bytes of the empty line behind a record, where it was read."""

    taken = 0
    DECOMPRESSORS: ClassVar = DecompressingBufferedReader.DECOMPRESSORS | {"gzip": inflater}

    def readline(self, length: int | None = None) -> bytes:
        return bytes(super().readline(min(length or MOST_LINE, MOST_LINE)))


class _Headers(StatusAndHeadersParser):  # type: ignore[misc]
    """Headers that do not grow without end. Raises ValueError."""

    def parse(self, stream: Any, full_statusline: Any = None) -> Any:
        return super().parse(_Counted(stream), full_statusline)


class _RecordHeaders(_Headers):
    """Those of a record end with an empty line; what ends before it was cut off."""

    def parse(self, stream: Any, full_statusline: Any = None) -> Any:
        counted = _Counted(stream)
        found = super().parse(counted, full_statusline)
        if counted.is_ended:
            raise ValueError("the record is cut off in its headers")
        return found


class _Counted:
    is_ended = False

    def __init__(self, stream: Any):
        self._stream, self._left = stream, MOST_HEADERS

    def readline(self) -> bytes:
        line: bytes = self._stream.readline()
        self.is_ended = not line
        self._left -= len(line)
        if self._left < 0:
            raise ValueError(f"a record with more than {MOST_HEADERS:,} bytes of headers")
        return line


class _Loader(ArcWarcRecordLoader):  # type: ignore[misc]
    """The library looks for HTTP headers behind ``http:`` in small letters only, and takes 103 Early Hints for all."""

    def load_http_headers(self, rec_type: Any, uri: Any, stream: Any, length: Any) -> Any:
        try:
            found = super().load_http_headers(rec_type, uri.lower() if uri else uri, stream, length)
        except EOFError:
            raise ValueError("the record is cut off in its headers") from None
        for _ in range(MOST_INTERIM):
            if rec_type != "response" or found is None or not _INTERIM.fullmatch(found.get_statuscode() or ""):
                break
            try:
                found = self.http_parser.parse(stream)
            except EOFError:  # it stands alone
                break
        return found


class _Iterator(ArchiveIterator):  # type: ignore[misc]
    """The library's, with bounds, and without its words on standard error."""

    INC_RECORD = ""

    def __init__(self, stream: Any):
        super().__init__(stream, arc2warc=True)
        self.reader = _Lines(stream)
        self.loader = loader = _Loader(verify_http=False)
        loader.warc_parser = _RecordHeaders(loader.WARC_TYPES)
        loader.http_parser = _Headers(loader.HTTP_TYPES, False)
        loader.http_req_parser = _Headers(loader.HTTP_VERBS, False)

    def _consume_blanklines(self) -> tuple[bytes | None, int]:
        """The line behind the empty ones, and the bytes of these; without any, a line is passed over, and counted."""
        size, self.reader.taken = self.reader.taken, 0
        is_first = not size
        while line := self.reader.readline():
            if line.rstrip() and not is_first:
                return line, size
            self.err_count += bool(line.rstrip())
            size, is_first = size + len(line), False
        return None, size


class _CutError(ValueError):
    """Behind the last record, at byte *at*, something follows that is none."""

    def __init__(self, at: int):
        super().__init__("the compressed data is cut off")
        self.at = at


def _place_of(error: Exception) -> int:
    return error.at if isinstance(error, _CutError) else 0


class _LiesError(Exception):
    """The record that was yielded ends elsewhere than it says."""


def _each(
    stream: Any, mark: re.Pattern[bytes], name: str, damage: list[str], begin: int = 0, beside: Any = None
) -> Iterator[_Record]:
    """The records of an open file. Behind a damage it goes on where *mark* says that the next one may begin.

    *beside* is the same file once more, to look whether one begins at a place, and where one ends.
    """
    following: int | None = begin
    in_a_row = 0
    while following is not None:
        stream.seek(following)
        last = following  # where a record began for certain; the library may have read over others behind a damage
        iterator, record = _Iterator(stream), None
        try:
            for record in iterator:
                _check(iterator, record, mark, beside)
                last, in_a_row = iterator.offset, 0
                yield iterator.offset, record, iterator.get_record_length
                _check_told(record, mark)
            _check_end(iterator, record, mark, beside)
            return
        except OSError:
            raise  # trouble of the disk is none of the archive
        except _LiesError:
            following = _next_mark(stream, mark, last + 1)
        except Exception as error:  # noqa: BLE001  a stranger's bytes, and a library that was made for good ones
            if "non-chunked" in str(error):
                raise _OneStreamError from None
            in_a_row += 1
            if in_a_row <= MOST_TOLD:
                damage.append(f"{name} at byte {iterator.offset}: {said_of(error)}")
            if in_a_row >= MOST_DAMAGED:
                damage.append(f"{name} at byte {iterator.offset}: given up after {in_a_row:,} damaged places in a row")
                return
            following = _next_mark(stream, mark, max(last, _place_of(error)) + 1)


def _check_told(record: ArcWarcRecord, mark: re.Pattern[bytes]) -> None:
    """Behind a record whose end was not where it says, which was told, the library does not know where it is."""
    if getattr(record, LIES, False) and mark is _LINE:
        raise _LiesError


def _check_end(iterator: _Iterator, record: ArcWarcRecord | None, mark: re.Pattern[bytes], beside: Any) -> None:
    """Whether the file ends where its last record does. Raises _LiesError, ValueError."""
    if mark is _MEMBER:
        is_whole = record is None or not getattr(record.raw_stream, "limit", 0)
        if beside is not None and not (is_whole and _is_end(beside, iterator.offset)):
            raise _CutError(iterator.offset)
    elif record is not None and bool(getattr(record.raw_stream, "limit", False)):
        raise _LiesError  # others may lie in what was taken for its body


def _check(iterator: _Iterator, record: ArcWarcRecord, mark: re.Pattern[bytes], beside: Any) -> None:
    """Raises ValueError where a record is none, or ends elsewhere than it says: the next ones would be lost in it."""
    if mark is _MEMBER:
        if beside is not None and not _begins(beside, iterator.offset):
            # behind a damaged place the library takes compressed bytes for lines, and some for a record
            raise ValueError("no record begins here")
        return
    if iterator.err_count:
        raise ValueError("the record before does not end where its length says")
    stated = record.rec_headers.get_header("Content-Length")
    if record.format == "warc" and not (stated or "").strip().isdecimal():
        raise ValueError(f"no length of the record is stated, found {(stated or '')[:40]!r}")
    if beside is not None and record.format == "warc":
        end = iterator.fh.tell() - iterator.reader.rem_length() + record.raw_stream.limit
        if end > beside.seek(0, io.SEEK_END):
            raise ValueError("the record is cut off, or its length is wrong")
        beside.seek(end)
        behind: bytes = beside.read(len(_VERSION))
        if behind and not behind.startswith((b"\r\n", b"\n", _VERSION)):
            raise ValueError("the record does not end where its length says")


def _is_end(stream: Any, offset: int) -> bool:
    """Whether nothing follows but padding."""
    stream.seek(offset)
    return not stream.read(STEP).strip(b"\0\r\n")


def _begins(stream: Any, offset: int) -> bool:
    stream.seek(offset)
    return bool(stream.read(len(_GZIP)) == _GZIP)


def said_of(error: Exception) -> str:
    """An exception in a line, for a person."""
    if isinstance(error, AttributeError | TypeError | LookupError):  # the library met what it did not foresee
        return "this is no record, or one without an address"
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else repr(error)


def _next_mark(stream: Any, mark: re.Pattern[bytes], begin: int) -> int | None:
    """Where the next record may begin, at *begin* or behind it."""
    kept = b""
    stream.seek(begin)
    size = 1 << 14  # most are near
    while block := stream.read(size):
        found = mark.search(kept + block)
        if found is not None:
            return begin - len(kept) + (found.start() if mark is _MEMBER else found.end())
        begin, kept, size = begin + len(block), (kept + block)[-_OVERLAP:], 1 << 20
    return None


def whole(record: ArcWarcRecord) -> bytes:
    """The decoded body. Raises ValueError where it is not all there, or too much.

    warcio undoes what it knows and hands out the rest as it is; so what stands in the record is read, and undone here.
    """
    headers = record.http_headers
    transfer = ((headers and headers.get_header("Transfer-Encoding")) or "").lower()
    packed: bytes = record.raw_stream.read(LARGEST + 1)
    if len(packed) > LARGEST:
        raise ValueError(TOO_MUCH)
    if not hasattr(record.raw_stream, "limit"):  # without a length it ends with its member
        packed = packed.removesuffix(b"\r\n\r\n")
    if getattr(record.raw_stream, "limit", 0) and not record.raw_stream.read(1):
        raise ValueError("the record is cut off")
    if not _ends_here(record.raw_stream):
        setattr(record, LIES, True)
        raise ValueError("the record does not end where its length says")
    if record.rec_headers.get_header("WARC-Truncated"):
        raise ValueError("the record says that its body was truncated")
    stated = (headers.get_header("Content-Encoding") or "") if headers else ""
    if "chunked" in transfer:
        packed = _dechunked(packed)
    encodings = encodings_of(f"{stated},{transfer}")
    if not encodings and headers and packed.startswith(_GZIP) and "html" in (headers.get_header("Content-Type") or ""):
        encodings = ["gzip"]  # an archiver has left the header out, and the body as it was
    return _undone(packed, encodings)


def _dechunked(packed: bytes) -> bytes:
    """The body out of its chunks, or as it is where an archive kept it without. Raises ValueError where some lack."""
    pieces: list[bytes] = []
    at, chunk = 0, _CHUNK.match(packed)
    if chunk is None:
        return packed
    while chunk is not None:
        at, size = chunk.end(), int(chunk[1], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(packed[at : at + size])
        at += size
        if at > len(packed):
            break
        chunk = _CHUNK.match(packed, at + len(_LINE_END.match(packed, at)[0]))  # type: ignore[index]  # it may be empty
    raise ValueError("the body is cut off: its last chunk is not there")


def _ends_here(stream: Any) -> bool:
    """Whether an empty line follows the record, or nothing; of what was not read to its end, nobody knows."""
    if getattr(stream, "limit", 1):
        return True
    line: bytes = stream.stream.readline()
    if not line.strip():
        stream.stream.taken = len(line)
    return not line.strip()


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
