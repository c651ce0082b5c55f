"""The crawl's end of the process that reads WARC and WACZ files (``record_process``).

What comes from there is checked: a file that took the process over through a hole in a parser can hand back something
in the shape of a page of a wanted source and nothing else. A record on which the process dies costs itself.
"""

from __future__ import annotations

import json
import logging
import mmap
import socket
import subprocess
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.archive import page_of_facts
from pipelines.items import Page
from pipelines.reader_launch import started
from pipelines.record_process import PLACE, SIZE, SIZES
from pipelines.warc_streams import LARGEST

log = logging.getLogger(__name__)

#: seconds in which the process must say something
PATIENCE = 120.0
#: so many records of one file may end the process before the file is given up
MOST_DEATHS = 5
#: bytes of an answer without its bodies, and of these: a page may have several parts
MOST_TOLD, MOST_BODIES = 8 << 20, 8 * LARGEST


class Place(NamedTuple):
    """A WARC file: its path, and where it lies in another one, the byte where it begins and its size."""

    path: str
    begin: int = 0
    size: int = 0


class Member(NamedTuple):
    """A WARC file in a WACZ: its name there and its size."""

    name: str
    size: int
    place: Place


@dataclass(frozen=True, slots=True)
class Found:
    """What was found up to byte *at*: a page that begins there, damage, or neither; *skipped* records before it."""

    at: int
    page: Page | None = None
    damage: str = ""
    skipped: int = 0


class _Died(Exception):
    """The process has gone. The message says how."""


class RecordReader:
    """Reads one file after the other; for one thread, and ``close`` for any. *by* says which pages are wanted
    (``record_process.chosen``), *sources* whose they may be; None: anybody's."""

    def __init__(self, by: Mapping[str, Any], sources: Collection[str] | None):
        self._by, self._sources = by, sources
        self._lock = threading.Lock()
        self._is_closed = False
        self._is_busy = False  # with answers that nobody has read to their end
        self._life = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    # --- what is asked -----------------------------------------------------------------------------------------------

    def is_wacz(self, path: Path) -> bool:
        """Whether it is a WACZ. Raises ValueError, OSError."""
        return bool(self._answered({"do": "open", "path": str(path), "folder": ""}).get("is_wacz"))

    def members(self, path: Path, folder: Path) -> Iterator[Member] | None:
        """The WARC files of a WACZ, unpacked into *folder* where they must be; None: it is no WACZ.

        Raises ValueError, OSError.
        """
        question = {"do": "open", "path": str(path), "folder": str(folder)}
        return self._each_member(question) if self._answered(question).get("is_wacz") else None

    def _each_member(self, question: Mapping[str, Any]) -> Iterator[Member]:
        seen, life = 0, self._life
        while True:
            if life != self._life:  # it died on a record, and the new one knows nothing of this file
                self._answered(question)
                for _ in range(seen):
                    self._answered({"do": "next"})
                life = self._life
            answer = self._answered({"do": "next"})
            if "member" not in answer:
                return
            name, size, (file, begin, length) = answer["member"]
            seen += 1
            yield Member(str(name), int(size), Place(str(file), int(begin), int(length)))

    def _answered(self, question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return next(iter(list(self._asked(question))), {})
        except _Died as died:
            raise ValueError(f"the process that reads it {died}") from None

    def pages(self, place: Place, begin: int = 0) -> Iterator[Found]:
        """What is in a WARC file from byte *begin* on. Raises OSError: trouble of the disk; ValueError: given up."""
        for deaths in range(MOST_DEATHS + 1):
            try:
                question = {"do": "pages", "file": list(place), "begin": begin}
                for answer in self._asked(question):
                    yield self._found(answer, begin)
                return
            except _Died as died:
                at = self._at()
                said = f"byte {at}: the process that reads it {died}"
                if self._is_closed or deaths == MOST_DEATHS:
                    raise ValueError(said) from None
                log.warning("%s at %s", place.path, said)
                yield Found(at, damage=said)
                begin = at + 1
                self._start()

    def _found(self, answer: Mapping[str, Any], begin: int) -> Found:
        if "damage" in answer:
            return Found(begin, damage=str(answer["damage"])[:1000])
        try:
            at, skipped = int(answer["at"]), int(answer["skipped"])
            if "page" not in answer:
                return Found(at, skipped=skipped)
            page = page_of_facts(answer["page"], answer["bodies"])
        except (ValueError, TypeError, LookupError) as error:
            return Found(begin, damage=f"the process that reads it gave what is no page: {str(error)[:300]}")
        if self._sources is not None and page.source not in self._sources:
            return Found(begin, damage="the process that reads it gave a page that nobody wants")
        return Found(at, page, skipped=skipped)

    # --- the process -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as shared:
            shared.truncate(PLACE.size)
            self._place = mmap.mmap(shared.fileno(), PLACE.size)
            with self._lock:
                if self._is_closed:
                    raise ValueError("the reading was ended")
                self._process = started("pipelines.record_process", "main", theirs.fileno(), shared.fileno())
        ours.settimeout(PATIENCE)
        self._pipe, self._answers = ours, ours.makefile("rb", 1 << 18)
        self._ask({"do": "choose", "by": dict(self._by)})
        self._is_chosen = self._is_busy = False
        self._life += 1

    def close(self) -> None:
        """End the process. Who waits for an answer gets none."""
        with self._lock:
            self._is_closed, process = True, self._process
        if process is not None:
            process.kill()
            process.wait()
            self._let_go()

    def _let_go(self) -> None:
        self._answers.close()
        self._pipe.close()

    def _at(self) -> int:
        return int(PLACE.unpack_from(self._place)[0])

    def _ask(self, question: Mapping[str, Any]) -> None:
        data = json.dumps(question).encode()
        self._pipe.sendall(SIZE.pack(len(data)) + data)

    def _asked(self, question: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The answers to *question*. Raises _Died; OSError and ValueError that the process met."""
        if self._is_closed:
            raise ValueError("the reading was ended")
        if self._is_busy:
            self._ended(EOFError())
            self._start()
        self._is_busy = True
        try:
            if not self._is_chosen:
                self._is_chosen = True
                list(self._until_end())
            self._ask(question)
            yield from self._until_end()
            self._is_busy = False
        except (_Trouble, _Refused):
            self._is_busy = False
            raise
        except (ConnectionError, EOFError, TimeoutError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise _Died(self._ended(error)) from None

    def _until_end(self) -> Iterator[dict[str, Any]]:
        while "end" not in (answer := self._answer()):
            if "trouble" in answer:
                number, said, file = answer["trouble"]
                raise _Trouble(number, str(said), *([file] if file else []))
            if "refused" in answer:
                raise _Refused(str(answer["refused"])[:1000])
            yield answer

    def _answer(self) -> dict[str, Any]:
        told, bodies = SIZES.unpack(self._exactly(SIZES.size))
        if told > MOST_TOLD or bodies > MOST_BODIES:
            raise EOFError
        answer: dict[str, Any] = json.loads(self._exactly(told))
        if "sizes" in answer:
            answer["bodies"] = [self._exactly(int(size)) for size in answer["sizes"]]
        return answer

    def _exactly(self, size: int) -> bytes:
        if not 0 <= size <= MOST_BODIES:
            raise EOFError
        data: bytes = self._answers.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _ended(self, error: Exception) -> str:
        """How the process ended; it is gone after that."""
        assert self._process is not None
        if isinstance(error, TimeoutError):
            said = f"said nothing for {PATIENCE:.0f} seconds"
        elif not isinstance(error, ConnectionError | EOFError):
            said = "gave what is no answer"
        else:
            said = "died"
        self._process.kill()
        code = self._process.wait()
        self._let_go()
        return f"{said} of signal {-code}" if said == "died" and code < 0 else said


class _Trouble(OSError):
    """Trouble of the disk, as the process met it."""


class _Refused(ValueError):
    """The file is none that can be read. The message is for a person."""
