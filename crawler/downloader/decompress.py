"""Content-Encoding undone by us, piece by piece, so that a body costs no more than what the caller takes of it.

Pure. A brotli body of 611 bytes may stand for 300 MiB; here it comes 64 KiB at a time, and the caller stops counting
when it has enough.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator

import brotli
import zstandard

_STEP = 65_536


class Undecodable(Exception):
    """The body is not what its Content-Encoding says."""


class Unfinished(Exception):
    """The compressed body ends before its end."""


def encodings_of(header: str) -> list[str]:
    """The codings of a Content-Encoding header that mean something, in the order in which they are to be undone.

    Names that browsers do not know ("utf-8", "none", "UTF8,gzip" happen) are passed over as browsers do.
    """
    known = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "br": "br", "zstd": "zstd"}
    names = [name.strip().lower() for name in header.split(",")]
    return [known[name] for name in reversed(names) if name in known]


def decoded(body: bytes, encodings: list[str]) -> Iterator[bytes]:
    """Undo *encodings* piece by piece; no piece is larger than some 64 KiB (zstd: a few MB), whatever the input.

    The caller counts and stops. Raises Undecodable or Unfinished.
    """
    pieces: Iterator[bytes] = (body[start : start + _STEP] for start in range(0, len(body), _STEP))
    for name in encodings:
        pieces = _DECODERS[name](pieces)
    return pieces


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
            except zlib.error as error:
                if started or not waiting:
                    raise Undecodable(str(error)) from None
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
    except brotli.error as error:
        raise Undecodable(str(error)) from None
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
    except zstandard.ZstdError as error:
        raise Undecodable(str(error)) from None
    if not decoder.eof:
        raise Unfinished


_DECODERS: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    "gzip": _gunzipped,
    "deflate": _undeflated,
    "br": _unbrotlied,
    "zstd": _unzstd,
}
