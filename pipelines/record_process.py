"""The process that reads WARC and WACZ files: what strangers wrote is parsed here. The crawl gets pages.

It knows no database, no address and no secret, and has a bound of memory. The crawl's end is ``record_reader``.
"""

from __future__ import annotations

import json
import logging
import mmap
import resource
import signal
import socket
import struct
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines import urls, wacz
from pipelines.archive import facts_of, is_ours, pages_of
from pipelines.items import Page
from pipelines.store.owners import owner
from pipelines.wanted_pages import wanted_pages
from pipelines.warc import Openable

#: what stands before each answer: bytes of the JSON, bytes of the bodies behind it
SIZES = struct.Struct("!II")
#: before a question: its bytes
SIZE = struct.Struct("!I")
#: where in the file it is, for whoever goes on when this process has died
PLACE = struct.Struct("=Q")
#: bytes that it may hold: a body of warc.LARGEST needs some 200 MB
MEMORY = 1 << 30
#: seconds after which it says where it is, though there is no page
SAYS_EVERY = 0.5

Found = Iterator[tuple[int, Page | None]]


def main(pipe: int, place: int) -> None:
    """Answer the questions that come through *pipe* until it ends. *place* is a file of eight bytes."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # the parent decides; Ctrl-C in a terminal reaches us as well
    logging.disable(logging.CRITICAL)  # the library remarks on odd addresses; what matters is in the answer
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=pipe) as opened, mmap.mmap(place, PLACE.size) as shared:
        answering = Answering(opened, shared)
        try:
            while question := answering.question():
                answering.answer(question)
        except ConnectionError:
            pass  # the crawl has gone


class Answering:
    """The answers: pages with their offsets, damage, and last the end or what kept it from being reached."""

    def __init__(self, pipe: socket.socket, place: mmap.mmap):
        self._pipe, self._place = pipe, place
        self._questions = pipe.makefile("rb")
        self._members: Iterator[tuple[str, int, Openable]] = iter(())
        self._wanted: Callable[[Openable, list[str], int], Found] = lambda file, damage, begin: iter(())

    def question(self) -> dict[str, Any]:
        head = self._questions.read(SIZE.size)
        return dict(json.loads(self._questions.read(*SIZE.unpack(head)))) if head else {}

    def answer(self, question: dict[str, Any]) -> None:
        try:
            if question["do"] == "choose":
                self._wanted = chosen(question["by"], self._note)
            elif question["do"] == "open":
                self._open(Path(question["path"]), Path(question["folder"]))
            elif question["do"] == "next":
                self._next_member()
            else:
                self._pages(place_of(question["file"]), question["begin"])
        except OSError as error:
            self._say({"trouble": [error.errno, error.strerror or str(error), error.filename and str(error.filename)]})
        except (zipfile.BadZipFile, ValueError, MemoryError) as error:
            self._say({"refused": str(error) or type(error).__name__})
        else:
            self._say({"end": True})

    def _open(self, path: Path, folder: Path) -> None:
        """Begin to go through the WARC files in a WACZ; of what is none, say so."""
        is_packed = zipfile.is_zipfile(path)
        if not is_packed and path.name.lower().endswith(".wacz"):
            raise ValueError("this WACZ is cut off: the list of what is in it stands at its end")
        self._members = wacz.warc_files(path, folder) if is_packed else iter(())
        self._say({"is_wacz": is_packed})

    def _next_member(self) -> None:
        for inner, size, member in self._members:
            found = [str(member), 0, 0] if isinstance(member, Path) else [str(member.path), member.begin, member.size]  # type: ignore[attr-defined]
            self._say({"member": [inner, size, found]})
            break

    def _pages(self, file: Openable, begin: int) -> None:
        """Pages from byte *begin* on. What is damaged is said before the page behind it."""
        damage: list[str] = []
        skipped, said, offset = 0, time.monotonic(), begin
        self._note(begin)
        for offset, page in self._wanted(file, damage, begin):
            while damage:
                self._say({"damage": damage.pop(0)})
            if page is None:
                skipped += 1
                if time.monotonic() - said < SAYS_EVERY:
                    continue
            self._say({"at": offset, "skipped": skipped} | ({"page": facts_of(page)} if page else {}), page)
            skipped, said = 0, time.monotonic()
        while damage:
            self._say({"damage": damage.pop(0)})
        self._say({"at": offset, "skipped": skipped})

    def _note(self, offset: int) -> None:
        PLACE.pack_into(self._place, 0, offset)

    def _say(self, answer: dict[str, Any], page: Page | None = None) -> None:
        bodies = [page.body, *(part.body for part in page.more)] if page else []
        if bodies:
            answer |= {"sizes": [len(body) for body in bodies]}
        data = json.dumps(answer).encode()
        self._pipe.sendall(b"".join((SIZES.pack(len(data), sum(map(len, bodies))), data, *bodies)))


def place_of(told: list[Any]) -> Openable:
    """The file that a question names: its path, and of a part of another one where it begins and its bytes."""
    path, begin, size = Path(told[0]), int(told[1]), int(told[2])
    return wacz.Member(path.name, path, begin, size) if begin else path


def chosen(by: Mapping[str, Any], note: Callable[[int], None]) -> Callable[[Openable, list[str], int], Found]:
    """What gives the wanted pages of a file: of the archive *by* source, or of anybody's *by* hosts."""
    if by["kind"] == "archive":
        since = datetime.fromisoformat(by["since"]) if by["since"] else None
        names = [by["source"], *by["formerly"]] if by["source"] else []
        return lambda file, damage, begin: archived(file, damage, begin, names, since, note)
    source_of = source_by_host(by["hosts"], by["wanted"], by["former"])
    latest = datetime.fromisoformat(by["latest"])
    return lambda file, damage, begin: wanted_pages(file, source_of, damage, begin, latest, note)


def archived(
    file: Openable,
    damage: list[str],
    begin: int,
    names: list[str],
    since: datetime | None,
    note: Callable[[int], None],
) -> Found:
    """The pages of a file of the archive: those of the source that has these *names*, or of all; fetched *since* then.

    A file of others that lies in the archive belongs to the source that is asked for, or to one called as its host.
    """
    for offset, _, page in pages_of(file, names[0] if names else None, damage, begin, is_ours(file), note):
        is_wanted = (not names or page.source in names) and (since is None or page.fetched_at >= since)
        yield offset, page if is_wanted else None


def source_by_host(
    hosts: Mapping[str, list[str]], wanted: list[str], former: Mapping[str, str]
) -> Callable[[str, str], str]:
    """Whose a page is, by its address and the name that our own archive kept; "" where it is of none that is wanted."""

    @lru_cache(maxsize=4096)
    def of_origin(origin: str) -> str:
        name = owner(origin, "", hosts)  # a page of another source is not the next best one's
        return name if name in wanted else ""

    def of_page(url: str, named: str) -> str:
        named = former.get(named, named)
        if named in hosts:
            return named if named in wanted else ""
        try:
            return of_origin(urls.origin(urls.normalise(url)))
        except urls.BadUrl:
            return ""

    return of_page


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
