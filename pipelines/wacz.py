"""The WARC files in a WACZ, which is a ZIP: those that lie in it as they are, are read where they lie."""

from __future__ import annotations

import io
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.warc import Openable

#: what zipfile raises besides BadZipFile: for passwords and codings it does not know, and out of what is damaged
_BROKEN = (RuntimeError, zlib.error, lzma.LZMAError, EOFError, OverflowError)
#: so many times as large as it is compressed a WARC file may become; of HTML a ZIP makes a tenth
MOST_RATIO = 200
#: of a ZIP's local header: its length without name and extra field, and where the lengths of these stand
_LOCAL, _LENGTHS = 30, slice(26, 30)


@dataclass(frozen=True, slots=True)
class Member:
    """A file that lies in another one as it is, from byte *begin* on."""

    name: str
    path: Path
    begin: int
    size: int

    def open(self, mode: Literal["rb"]) -> Any:
        return io.BufferedReader(_Window(self))


class _Window(io.RawIOBase):
    """The bytes of a member, as a file of their own."""

    def __init__(self, member: Member):
        self._file, self._begin, self._size, self._at = member.path.open("rb"), member.begin, member.size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._begin + self._at)
        data = self._file.read(min(len(buffer), max(0, self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def warc_files(path: Path, folder: Path) -> Iterator[tuple[str, int, Openable]]:
    """(name in it, bytes, what to read) of each WARC file in a WACZ, by name.

    One that was compressed by the ZIP is unpacked into *folder* and deleted when the next one is asked for. Raises
    zipfile.BadZipFile, and ValueError where one is damaged, encrypted or packed in a way that is not known.
    """
    with _opened(path) as packed:
        for info in sorted(packed.infolist(), key=lambda one: one.filename):
            name = info.filename
            if not (name.startswith("archive/") and name.lower().endswith((".warc", ".warc.gz"))):
                continue
            if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1:
                yield name, info.file_size, Member(Path(name).name, path, _begin(path, info), info.file_size)
                continue
            _refuse_bomb(info, folder)
            unpacked = folder / Path(name).name
            try:
                with packed.open(info) as stream, unpacked.open("wb") as out:
                    shutil.copyfileobj(stream, out, 1 << 20)
            except _BROKEN as error:
                raise ValueError(f"{name}: {str(error) or type(error).__name__}") from None
            yield name, info.file_size, unpacked
            unpacked.unlink()


def _refuse_bomb(info: zipfile.ZipInfo, folder: Path) -> None:
    if info.file_size > MOST_RATIO * max(info.compress_size, 5000):
        raise ValueError(f"{info.filename}: {info.file_size:,} bytes out of {info.compress_size:,} are no WARC file")
    if info.file_size > (free := shutil.disk_usage(folder).free):
        raise ValueError(f"{info.filename}: {info.file_size:,} bytes to unpack, and room for {free:,}")


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _BROKEN as error:
        raise ValueError(str(error) or type(error).__name__) from None


def _begin(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        head = file.read(_LOCAL)
    if len(head) < _LOCAL or head[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"{info.filename} does not begin where the list of what is in it says")
    name, extra = (int.from_bytes(head[at : at + 2], "little") for at in (_LENGTHS.start, _LENGTHS.start + 2))
    return info.header_offset + _LOCAL + name + extra
