"""Compressed WARC files as streams of what is in them, which can be sought in."""

from __future__ import annotations

import io
import re
from typing import Any

import zstandard
from isal import isal_zlib

#: bytes of a record's decoded body; what is larger is no page of news
LARGEST = 32 << 20
STEP, _LITTLE = 1 << 16, 512
ZSTD, SKIPPABLE = b"\x28\xb5\x2f\xfd", re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")


def inflater() -> Any:
    """What inflates one gzip member, and checks its sum: twice as fast as zlib, and as strict."""
    return isal_zlib.decompressobj(31)


class Unpacked(io.RawIOBase):
    """What gzip members one after the other hold. It ends where they are cut off or broken; ``trouble`` says so then.

    Python's own gives nothing of what it has read where the next read fails.
    """

    def __init__(self, packed: Any):
        self._packed, self.trouble = packed, ""
        self._restart()

    def _restart(self) -> None:
        self._packed.seek(0)
        self._inflater, self._left, self._at = inflater(), b"", 0

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
        while self._at < goal and self.read(min(goal - self._at, STEP)):
            pass
        return self._at

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._some(len(buffer))
        except isal_zlib.error as error:  # type: ignore[misc]  # its stub says it is no class
            self.trouble, data = str(error), b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _some(self, most: int) -> bytes:
        while True:
            if not self._left:
                self._left = self._packed.read(STEP)
            if self._inflater.eof:
                self._left = self._left.lstrip(b"\0")  # padding
                if not self._left:
                    return b""
                self._inflater = inflater()
            is_last = not self._left  # of what went in before, something may not have come out yet
            data: bytes = self._inflater.decompress(self._left, most)
            self._left = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
            if data:
                return data
            if is_last and not self._inflater.eof:
                self.trouble = "the compressed data is cut off"
                return b""


class UnpackedZstd(Unpacked):
    """The same for zstd: frames one after the other, and before them a dictionary that all of them share."""

    def _restart(self) -> None:
        self._packed.seek(0)
        self._at, self._left, self._ready = 0, b"", b""
        self._context = zstandard.ZstdDecompressor(dict_data=_dictionary(self._packed), max_window_size=LARGEST)
        self._frame: Any = None

    def _some(self, most: int) -> bytes:
        try:
            while not self._ready and (self._left or (packed := self._packed.read(STEP))):
                self._left = self._left or packed
                # four bytes may stand for 128 KiB, and there is no bound but on what goes in
                piece, self._left = self._left[:_LITTLE], self._left[_LITTLE:]
                self._frame = self._frame or self._context.decompressobj()
                self._ready = self._frame.decompress(piece)
                if self._frame.eof:
                    self._left, self._frame = self._frame.unused_data + self._left, None
        except zstandard.ZstdError as error:
            self.trouble = f"the compressed data is damaged ({error})"
            return b""
        if not self._ready and self._frame is not None:
            self.trouble = "the compressed data is cut off"
        data, self._ready = self._ready[:most], self._ready[most:]
        return data


def _dictionary(packed: Any) -> zstandard.ZstdCompressionDict | None:
    """The dictionary in the first frame of a .warc.zst, which may be compressed itself. Without one, None."""
    head = packed.read(8)
    if not SKIPPABLE.match(head) or len(head) < 8:
        packed.seek(0)
        return None
    size = int.from_bytes(head[4:], "little")
    if size > LARGEST:
        raise ValueError(f"its dictionary has {size:,} bytes")
    data: bytes = packed.read(size)
    if data.startswith(ZSTD):
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data[: 1 << 20])
    return zstandard.ZstdCompressionDict(data)
