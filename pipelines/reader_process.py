"""The forkserver, which imports the reading code once and forks a reader when asked, and the readers themselves."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from pydantic_core import to_json

from pipelines.items import Article, Page, Reason, Rejected
from pipelines.reader_protocol import CLOCK_FACTOR, LENGTH, READ, Answer, ResourceLimit
from pipelines.reading.rules import Rules
from pipelines.sites import site_of
from pipelines.text_features import READ_ALONG, TextFeatures, features_of, with_terms

# A reader that holds so much more than when it was forked is replaced by a fresh one.
HELD = 64 << 20
Functions = dict[str, Callable[..., Any]]
Reading = Callable[[Page, Rules], Article]


def run_forkserver(control: int) -> NoReturn:
    """The forkserver's whole life: import, then fork and reap readers as the parent asks, until the parent is gone."""
    _prepare()
    _serve_parent(control)


def run_early_forkserver(control: int) -> NoReturn:
    """The same for one whose parent still loads its own code. What else it would do only once it is told the first
    rules, while the first page waits, it does meanwhile."""
    _prepare()
    _warm_up(_loaded(READ))
    _serve_parent(control)


def _prepare() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # the parent decides; Ctrl-C in a terminal reaches us as well
    logging.disable(logging.CRITICAL)  # libraries remark on every odd page; what matters is in the answer
    gc.disable()  # what is loaded stays: to look through it for garbage takes half as long as to load it
    _loaded(READ)  # before anybody has asked for it: it takes longest
    site_of("www.example.org")  # the list of suffixes, once for all readers


def _serve_parent(control: int) -> NoReturn:
    known: Functions = {}
    rules: dict[str, Rules | None] = {}
    children: set[int] = set()
    with socket.socket(fileno=control) as pipe:
        while True:
            command, fds, _, _ = socket.recv_fds(pipe, 9, 1)
            if not command:
                break
            number = LENGTH.unpack(command[1:])[0]
            if command[:1] == b"f":
                reply = _fork(pipe, fds[0], known, rules)
                if reply > 0:
                    children.add(reply)
            elif command[:1] == b"i":
                known |= _imported(_exactly(pipe, number))
                reply = 0
            elif command[:1] == b"l":
                reply = _learn(_exactly(pipe, number), known, rules)
            else:
                reply = _reap(number) if number in children else 0
                children.discard(number)
            try:
                pipe.sendall(struct.pack("!q", reply))
            except ConnectionError:
                break
    for pid in children:
        _reap(pid)
    os._exit(0)  # to take apart what is loaded would cost as much as a page


def _imported(message: bytes) -> Functions:
    """The functions that readers shall be able to call, from the modules of the parent."""
    told = json.loads(message)
    sys.path[:] = told["path"]
    return {function: _loaded(function) for function in told["functions"]}


def _loaded(function: str) -> Callable[..., Any]:
    module, name = function.split(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return loaded


def _learn(message: bytes, known: Functions, rules: dict[str, Rules | None]) -> int:
    """Take in rules, as digest and pickle; microseconds that the probe page takes with them, 0 where none is read."""
    learned: Rules = pickle.loads(message[64:])
    rules[message[:64].decode()] = learned
    for phrases in learned.phrases.values():
        phrases.compile()  # which otherwise each reader does again
    if READ not in known:
        return 0
    _warm_up(known[READ])
    return min(_read_probe(WARM_UP, known[READ], learned) for _ in range(PROBES)) // 1000


def _exactly(pipe: socket.socket, size: int) -> bytes:
    message = bytearray()
    while len(message) < size and (piece := pipe.recv(size - len(message))):
        message += piece
    return bytes(message)


def _fork(control: socket.socket, fd: int, known: Functions, rules: dict[str, Rules | None]) -> int:
    """The new reader's process id, or the negative errno."""
    gc.freeze()  # readers look for garbage in what is theirs, and the shared memory stays shared
    try:
        pid = os.fork()
    except OSError as error:
        os.close(fd)
        return -(error.errno or 1)
    if pid == 0:
        status = 1
        try:
            gc.enable()
            control.close()
            with socket.socket(fileno=fd) as pipe:
                serve(pipe, known, rules)
            status = 0
        except ConnectionError:
            status = 0  # the parent is gone
        except BaseException:  # noqa: BLE001  a process's last frame: say it and end, never return to the loop
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(fd)
    return pid


def _reap(pid: int) -> int:
    """Kill, unless it is dead already, and reap; the wait status. A child is ours until it is reaped, so this cannot
    hit a stranger."""
    dead, status = os.waitpid(pid, os.WNOHANG)
    if dead:
        return status
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def serve(pipe: socket.socket, functions: Functions, known: dict[str, Rules | None]) -> None:
    """A reader's whole life: answer questions from *pipe* until the other end closes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a poisonous page may come often, a core file is big
    _offer_as_first_victim()
    memory = _MemoryUse()
    with pipe.makefile("rb") as incoming:
        while incoming.read(LENGTH.size):
            question = pickle.load(incoming)
            limit, is_exclusive, function, unless, digest, pickled, arguments = question
            if pickled is not None:
                known[digest] = pickle.loads(pickled)
            rules = known[digest]
            memory.allow(limit.memory)
            del question
            # what is asked for rarely was not loaded before the fork
            asked = [functions.get(name) or _loaded(name) for name in (unless, function) if name]
            answer = _answer(asked, (*arguments, rules) if rules else arguments, limit, is_exclusive, memory)
            del arguments
            pipe.sendall(LENGTH.pack(len(answer)) + answer)


def _answer(
    functions: list[Callable[..., Any]],
    arguments: tuple[Any, ...],
    limit: ResourceLimit,
    is_exclusive: bool,
    memory: _MemoryUse,
) -> bytes:
    """The answer of the first function that has one, as JSON. The clocks have no handler of ours: the kernel ends the
    process, in the midst of C code too."""
    signal.setitimer(signal.ITIMER_PROF, limit.seconds)
    signal.setitimer(
        signal.ITIMER_REAL, limit.seconds * CLOCK_FACTOR + 5
    )  # the parent's own clock comes first, if there is a parent
    try:
        try:
            result = next((found for each in functions if (found := each(*arguments)) is not None), None)
            answer = Answer(result=result, features=_features(result, *arguments))
        except Rejected as rejected:
            answer = Answer(reason=rejected.reason, detail=rejected.detail)
        except MemoryError:
            answer = Answer(reason=Reason.READER_MEMORY, detail=f"more than {limit.memory >> 20} MiB")
        except Exception as error:  # noqa: BLE001  whatever a page provokes is that page's end, with its name
            answer = Answer(reason=Reason.READER_CRASH, detail=_one_line(error), retire=True)
        # Libraries swallow the MemoryError and find nothing, or less: that is no judgement about the page.
        is_whole = is_exclusive and answer.reason is None
        if memory.grown > 0.8 * limit.memory and not is_whole and answer.reason is not Reason.READER_MEMORY:
            answer = Answer(reason=Reason.READER_MEMORY, detail=f"the page was given up after {memory.grown >> 20} MiB")
        used_up = answer.reason is Reason.READER_MEMORY or memory.held > HELD
        try:
            return _said(replace(answer, retire=answer.retire or used_up))
        except Exception as error:  # noqa: BLE001  half a character in a text, as much a page's doing as the rest
            return _said(Answer(reason=Reason.READER_CRASH, detail=_one_line(error), retire=True))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _said(answer: Answer[Any]) -> bytes:
    return to_json(answer, inf_nan_mode="null")  # JSON has no infinity


def _features(result: Any, *arguments: Any) -> TextFeatures | None:
    """What the store will ask of an article; None where that is for the store itself to find out."""
    if not isinstance(result, Article) or len(result.text) > READ_ALONG:
        return None
    try:
        return with_terms(features_of(arguments[0], result), result)
    except (ValueError, TypeError):  # it cannot be stored, and the store says why
        return None


def _one_line(error: Exception) -> str:
    """Type, place and first line of an exception."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    said = str(error).encode("utf-8", "backslashreplace").decode().split("\n", 1)[0][:200]
    return f"{type(error).__name__} in {frame.name} ({os.path.basename(frame.filename)}:{frame.lineno}): {said}"


class _MemoryUse:
    """What a task has taken, how much it may take, and what the reader has kept of all its tasks."""

    def __init__(self) -> None:
        # open for good: to open and read them by name takes ten times as long, three times a page
        self._status, self._sizes = _opened("/proc/self/status"), _opened("/proc/self/statm")
        self._resets = _opened("/proc/self/clear_refs", os.O_WRONLY)
        self._begun = self._data()
        self._before = self._peak()

    def allow(self, size: int) -> None:
        """Begin a task with *size* bytes on top of what the reader holds. RLIMIT_DATA counts what was allocated;
        RLIMIT_AS would also count libraries and files that are only mapped."""
        if self._resets is not None:
            with contextlib.suppress(OSError):  # then the peak is that of all tasks, which only looks larger
                os.pwrite(self._resets, b"5", 0)
        self._before = self._peak()
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = self._data() + size
        with contextlib.suppress(OSError, ValueError):  # a stricter limit is in force already
            resource.setrlimit(
                resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
            )

    @property
    def grown(self) -> int:
        """Bytes at the task's highest."""
        return self._peak() - self._before

    @property
    def held(self) -> int:
        """Bytes that the reader holds now beyond those of its forking."""
        return self._data() - self._begun

    def _data(self) -> int:
        """Bytes that this process has allocated; 0 where nobody tells."""
        if self._sizes is None:
            return 0
        return int(os.pread(self._sizes, 200, 0).split()[5]) * resource.getpagesize()

    def _peak(self) -> int:
        """Bytes of memory that this process had at its highest since its task began; where nobody tells, ever."""
        if self._status is not None:
            _, is_told, peak = os.pread(self._status, 8192, 0).partition(b"VmHWM:")
            if is_told:
                return int(peak.split(None, 1)[0]) << 10
        ever = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return ever if sys.platform == "darwin" else ever << 10


def _opened(path: str, flags: int = os.O_RDONLY) -> int | None:
    """A descriptor that lives as long as this process; None where there is no such file."""
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError:
        return None


def _offer_as_first_victim() -> None:
    """When the machine runs out of memory, the kernel should take a reader and not the crawl. Linux only."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


# The middle is in no language that is known by its commonest words, so that the profiles of all others are loaded too.
WARM_UP = """<html><head><title>Ein Probelauf am Morgen</title></head><body><article><h1>Ein Probelauf am Morgen</h1>
<p>Bevor die erste Seite kommt, liest der Leser diese hier, damit alles geladen ist, was er später immer wieder
braucht. Am 3. Oktober 2024 um 16:36 Uhr war das noch nicht so.</p>
<p>Ennen ensimmäistä sivua lukija lukee tämän kokeilun, jotta kaikki tarvittava olisi valmiina muistissa myöhemmin.
Aamulla kaupungissa satoi lunta, liikenne seisoi tuntikausia, koulut pysyivät suljettuina, juna pysähtyi asemalle,
lapset rakensivat puistoon lumiukon, kauppias avasi ovensa tavallista myöhemmin.</p>
<p>Iltapäivällä aurinko paistoi jälleen, kadut puhdistettiin, väki palasi töihin, illalla järjestettiin konsertti
kirkossa, yleisö lauloi kuoron mukana, kunnanjohtaja kiitti pelastuslaitosta nopeasta avusta.</p>
</article></body></html>"""

# So little text that the reader's second method is asked too, which loads 60 word lists when it is first needed.
SHORT = """<html><head><title>Ein kurzer Probelauf</title></head><body><article><h1>Ein kurzer Probelauf</h1>
<p>Ein Satz steht hier.</p></article></body></html>"""


# The probe page is read so often with the rules of a crawl to see what it costs; the least counts.
PROBES = 2


@cache
def _warm_up(read: Reading) -> None:
    """Read two pages, so that language profiles and the like are loaded once, before the fork, and shared."""
    for text in (SHORT, WARM_UP):
        _read_probe(text, read, Rules())


def _read_probe(text: str, read: Reading, rules: Rules) -> int:
    """Nanoseconds of processor time that a page takes."""
    page = Page("http://example.org/probe", "", text.encode(), datetime(2024, 10, 3, 18, tzinfo=UTC))
    begun = time.process_time_ns()
    with contextlib.suppress(Rejected):
        features_of(page, read(page, rules))
    return time.process_time_ns() - begun
