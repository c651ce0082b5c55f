"""How far the files of a backfill, or of the archive when it is read again, were read."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from pipelines.store.backfills import BackfillPosition


@dataclass(slots=True)
class _Mark:
    """A page on its way, or a place without one: when it and all before it have ended, *position* is true."""

    position: BackfillPosition | None
    url: str = ""
    has_ended: bool = False
    file: str = ""  # that is read to its end, where there is no position


class Ledger:
    """How far each file was read. Marks come from the thread that reads, ends from the event loop."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()
        self._lock = threading.Lock()
        self._reached: dict[str, BackfillPosition] = {}
        self._saved: dict[str, BackfillPosition] = {}
        self._files: list[str] = []

    def begin(self, position: BackfillPosition, url: str = "") -> None:
        """A page at *url* is on its way from here; without one, all before *position* was seen."""
        with self._lock:
            self._marks.append(_Mark(position, url, has_ended=not url))

    def end_file(self, file: str) -> None:
        """No more pages come out of *file*."""
        with self._lock:
            self._marks.append(_Mark(None, has_ended=True, file=file))

    def end(self, url: str) -> None:
        """The latest page at *url* has ended: of two at one address, no position is true before both have."""
        with self._lock:
            for mark in reversed(self._marks):
                if mark.url == url and not mark.has_ended:
                    mark.has_ended = True
                    break

    def to_save(self) -> list[BackfillPosition]:
        """Positions that are true and were not saved before."""
        with self._lock:
            while self._marks and self._marks[0].has_ended:
                mark = self._marks.popleft()
                if mark.position is None:
                    self._files.append(mark.file)
                else:
                    self._reached[mark.position.file] = mark.position
            return [one for one in self._reached.values() if self._saved.get(one.file) != one]

    def saved(self, position: BackfillPosition) -> None:
        """It is in the database. Who was stopped in the middle of saving has saved only some."""
        self._saved[position.file] = position

    def ended_files(self) -> list[str]:
        """Files all of whose pages have ended, by what ``to_save`` gave out last; each once."""
        found, self._files = self._files, []
        return found
