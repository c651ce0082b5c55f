"""Content-Encoding undone by us, piece by piece, so that a body costs no more than what the caller takes of it.

Pure. A brotli body of 611 bytes may stand for 300 MiB; here it comes 64 KiB at a time, and the caller stops counting
when it has enough.
"""

from __future__ import annotations

import codecs
import itertools
import re
import zlib
from collections.abc import Callable, Iterator

import brotli
import zstandard

_STEP = 65_536
NOT_AS_STATED = "the body is not compressed as its header says"


class Undecodable(Exception):
    """The body is not what its Content-Encoding says, or that is not known. The message is ours, and fit for people."""


class Unfinished(Exception):
    """The compressed body ends before its end."""


_KNOWN = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "br": "br", "zstd": "zstd"}
# what servers write where nothing was done to the body, beside the names of character sets
_NOTHING = {"", "identity", "none", "null", "binary", "7bit", "8bit", "text", "plain", "html", "chunked"}


def encodings_of(header: str) -> list[str]:
    """The codings of a Content-Encoding header that mean something, in the order in which they are to be undone.

    Names that stand for nothing ("identity", "utf-8", "UTF8,gzip" happen) are passed over. A name that nobody here
    knows stays: ``decoded`` refuses it, for the body would be taken for text.
    """
    names = [name.partition(";")[0].strip(" \t\"'").lower() for name in header.split(",")]
    return [_KNOWN.get(name, name) for name in reversed(names) if name in _KNOWN or not _means_nothing(name)]


def _means_nothing(name: str) -> bool:
    if name in _NOTHING or "/" in name:  # a media type strayed into the header
        return True
    try:
        return codecs.lookup(name)._is_text_encoding  # not zlib, bz2, base64 ...
    except (LookupError, ValueError):
        return False


def decoded(body: bytes, encodings: list[str]) -> Iterator[bytes]:
    """Undo *encodings* piece by piece; no piece is larger than some 64 KiB (zstd: a few MB), whatever the input.

    The caller counts and stops. Raises Undecodable or Unfinished, once the first piece is asked for.
    """
    pieces: Iterator[bytes] = (body[start : start + _STEP] for start in range(0, len(body), _STEP))
    for name in encodings:
        pieces = _DECODERS[name](pieces) if name in _DECODERS else _refused(name, pieces)
    return pieces


def is_text(body: bytes) -> bool:
    """Whether *body* begins as no compressed data does: without control characters, in UTF-8 or most of it ASCII."""
    start = body[:2048]
    if _CONTROLS.search(start):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # the last character may be cut
    except UnicodeDecodeError:
        return len(_ASCII.findall(start)) * 2 >= len(start)
    return True


_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ASCII = re.compile(rb"[\x09-\x7e]")


def _refused(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Nothing of a body in a coding that is not known; an empty one is empty in any coding."""
    if any(pieces):
        raise Undecodable(f"the Content-Encoding {name[:40]!r} is not known")
    yield from ()


def _inflated(pieces: Iterator[bytes], windows: tuple[int, ...]) -> Iterator[bytes]:
    """zlib with a bounded output; *windows* are tried in order until one fits the first bytes."""
    waiting = list(windows)
    inflater = zlib.decompressobj(waiting.pop(0))
    started, finished = False, False
    for piece in pieces:
        data = piece
        while data and not finished:
            try:
                out = inflater.decompress(data, _STEP)
            except zlib.error:
                if started or not waiting:
                    raise Undecodable(NOT_AS_STATED) from None
                inflater = zlib.decompressobj(waiting.pop(0))
                continue
            started = started or bool(out)
            if out:
                yield out
            data = inflater.unconsumed_tail
            if inflater.eof:
                # gzip files may be several in a row; whatever else follows is padding and means nothing
                rest = inflater.unused_data
                finished = not (windows[0] > 15 and rest[:2] == b"\x1f\x8b")
                if not finished:
                    inflater, data = zlib.decompressobj(windows[0]), rest
    while not finished and not inflater.eof:
        out = inflater.decompress(inflater.unconsumed_tail, _STEP)
        if not out:
            raise Unfinished
        yield out


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return _inflated(pieces, (31,))


def _undeflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    # some servers send the raw stream under this name, and browsers take both
    return _inflated(pieces, (15, -15))


def _unbrotlied(pieces: Iterator[bytes]) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    try:
        for piece in itertools.chain(pieces, [b""]):  # the last: what the decoder still holds
            out = decoder.process(piece, output_buffer_limit=_STEP)
            while out and not decoder.is_finished():
                yield out
                out = decoder.process(b"", output_buffer_limit=_STEP)
            if out:
                yield out
            if decoder.is_finished():
                return
    except brotli.error:
        raise Undecodable(NOT_AS_STATED) from None
    raise Unfinished


def _unzstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    # The object has no bound on its output, so it gets little input at a time: four bytes may stand for 128 KiB.
    # 8 MB is the largest window that RFC 9659 lets a server use.
    context = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024)
    decoder = context.decompressobj()
    try:
        for piece in pieces:
            for start in range(0, len(piece), 128):
                data = piece[start : start + 128]
                while data:
                    if decoder.eof:
                        decoder = context.decompressobj()
                    out = decoder.decompress(data)
                    if out:
                        yield out
                    data = decoder.unused_data if decoder.eof else b""
    except zstandard.ZstdError:
        raise Undecodable(NOT_AS_STATED) from None
    if not decoder.eof:
        raise Unfinished


_DECODERS: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    "gzip": _gunzipped,
    "deflate": _undeflated,
    "br": _unbrotlied,
    "zstd": _unzstd,
}
