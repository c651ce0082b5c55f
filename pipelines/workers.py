"""Reader processes: what strangers wrote is parsed outside the event loop, and a poisonous page costs only itself.

    async with ReaderPool() as readers:
        article = await readers.read(page, rules)       # raises Rejected

Three kinds of process, each with one job:

- the *parent* (the crawl) asks; it never reads a page itself;
- the *nursery* imports the reading code once, then forks a reader whenever it is asked, in a few milliseconds. It is
  started as a fresh interpreter, so that it knows no socket, no database address and no thread of the parent. When
  the parent goes away, however it goes, the nursery sees the end of its pipe, kills its readers and ends;
- the *readers* do one task at a time, under a limit of processor time and of memory that the kernel enforces.

A page is read in one of two ways. *Beside others* it has a small share of time and memory, which is plenty for an
ordinary one. A large page, and one that its share was not enough for, is read *alone*: with all that one page may take,
but only one such page at a time, and never in the last reader. So bombs wait for each other and ordinary pages for none
of them, and however many there are, they never hold more memory than one of them beside the small shares. Sources that
wait get equal times.

Pages go to a reader as a pickle. What comes back is JSON, checked field by field: a page that took over a reader
through a hole in a parser can hand back an article-shaped value and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import importlib
import json
import logging
import os
import pickle
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipelines.items import Article, Page, Reason, Rejected
from pipelines.reading.rules import Rules
from pipelines.turnstile import Turnstile

log = logging.getLogger(__name__)

READ = "pipelines.reading:read"

# A busy machine is not the page's fault: what is limited is processor time, and by the clock a page gets this many
# times as much.
CLOCK_FACTOR = 3
# What a page has beside others, in times of what the probe page (WARM_UP) costs on this machine: of 334 news pages half
# cost one, 98 in a hundred ten, and the dearest thirty-five. Where many pages need more, they are bombs rather than
# pages, and each gets little: forty of them shall not hold up the good ones.
WIDE, NARROW = 60, 15
# The processor time of the probe page where it was not measured, in seconds.
YARDSTICK = 0.02
# So many of the latest pages that were given up beside others are many.
LATEST, MANY = 32, 2
# Most news pages take 10 MiB, and one of 500 kB with a mark-up made for it 50 MiB.
SHARE_MEMORY = 48 << 20
# By the clock a share is long: waiting for a processor is no work, and the limit on work is the processor's.
SHARE_CLOCK = 10.0
# A reader that holds so much more than at its birth makes room for a fresh one.
HELD = 64 << 20
# Bytes beyond which a page is read alone at once.
LARGE = 1_000_000
# Rules that the parent holds ready for sending, and those that one reader holds before a fresh one takes its place:
# enough for the sources that are read at the same time, little enough for a process with thousands of sources.
RULES_HELD = 256
RULES_A_READER = 64
LENGTH = struct.Struct("!Q")

T = TypeVar("T")


class KilledFromOutside(Rejected):
    """SIGKILL that was not ours ended the reader of this page."""


class ReadersUnavailable(Exception):
    """No reader process could be started. The page is not to blame and should be tried again later."""


class Share(NamedTuple):
    """What one task may take: seconds of processor time, seconds by the clock, bytes of memory."""

    seconds: float
    clock: float
    memory: int


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a reader says about one page: a result, or a reason. ``retire`` asks for a fresh reader in its place."""

    result: T | None = None
    reason: Reason | None = None
    detail: str = ""
    retire: bool = False


@dataclass(frozen=True)
class Task(Generic[T]):
    """What readers can be asked for: a ``module:function``, and what it returns."""

    function: str
    returns: type[T]

    @cached_property
    def answer(self) -> TypeAdapter[Answer[T]]:
        return TypeAdapter(Answer[self.returns])


READING = Task(READ, Article)


# ----------------------------------------------------------------------------------------------- the parent's side


@dataclass(eq=False, slots=True)
class _Reader:
    """The parent's end of one reader process. ``knows`` are the digests of the rules that it was sent."""

    pid: int
    pipe: socket.socket
    knows: set[str] = field(default_factory=set)


class _Question(NamedTuple):
    """One task with everything it needs. ``about`` is for the log."""

    task: Task
    arguments: tuple
    rules: Rules | None
    about: str


def result_of(answer: Answer[T]) -> T | None:
    if answer.reason is not None:
        raise Rejected(answer.reason, answer.detail)
    return answer.result


class ReaderPool:
    """*size* reader processes (default: one a core); where it is one, a second one while a page is read alone.

    One page may take *seconds* of processor time, *clock* seconds until the answer, and *memory* bytes.
    ``read`` names the function that reads a page, ``module:function``; tests give poisonous ones. *tasks*: what else
    readers may be asked for. Readers are started when the first page comes, or by ``async with``.
    """

    def __init__(
        self,
        size: int | None = None,
        seconds: float = 20.0,
        memory: int = 1 << 30,
        clock: float | None = None,
        read: str = READ,
        tasks: Iterable[Task] = (),
    ):
        self.size = size or cores()
        self.most = Share(seconds, clock or seconds * CLOCK_FACTOR, memory)
        self._given_up: deque[bool] = deque(maxlen=LATEST)
        self.reading = READING if read == READ else Task(read, Article)
        self.functions = [self.reading.function, *(task.function for task in tasks)]
        self._nursery: _Nursery | None = None
        self._nursery_lock = asyncio.Lock()
        self._places, self._alone = Turnstile(self.size, shares_time=True), Turnstile(1, shares_time=True)
        self._idle: list[_Reader] = []
        self._rules = _SentRules()
        self._closed = False

    async def __aenter__(self) -> ReaderPool:
        await self.start()
        return self

    async def __aexit__(self, *exc) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the nursery and wait until it has imported the reading code. Raises ReadersUnavailable."""
        await self._ready_nursery()

    async def read(self, page: Page, rules: Rules) -> Article:
        """Read *page* in a reader process; waits for a free one.

        Raises Rejected (with READER_TIMEOUT, READER_MEMORY or READER_CRASH where the reader did not survive the
        page), and ReadersUnavailable when no reader can be started or all of them were ended: the page is not to
        blame. A page whose reader was killed from outside gets a second one: it may have been killed by chance.
        """
        size = len(page.body) + sum(len(part.body) for part in page.more)
        article = await self.ask(self.reading, (page,), rules, whose=page.source, size=size, about=page.url)
        if article is None:
            raise Rejected(Reason.READER_CRASH, "the reader answered nothing")
        return article

    async def ask(
        self, task: Task[T], arguments: tuple, rules: Rules | None = None, *, whose: str, size: int, about: str
    ) -> T | None:
        """The same for any *task*: its function is called with *arguments*, then *rules* where there are any.

        *size* is in bytes; *whose* is the source, for whose turn it is; *about* stands in the log.
        """
        question = _Question(task, arguments, rules, about)
        if size <= LARGE:
            try:
                async with self._places.place(whose):
                    share = self.share
                    answer = await self._answered(question, share)
                self._given_up.append(False)
                return answer
            except Rejected as rejected:
                given_up = rejected.reason in (Reason.READER_TIMEOUT, Reason.READER_MEMORY)
                self._given_up.append(given_up)
                if not given_up or not (isinstance(rejected, KilledFromOutside) or share != self.most):
                    raise
        async with self._alone.place(whose), self._places.place(whose) if self.size > 1 else nullcontext():
            try:
                return await self._answered(question, self.most)
            except KilledFromOutside:
                return await self._answered(question, self.most)

    def reading_alone(self, whose: str) -> int:
        """How many pages of this source are read alone now, or wait for that."""
        return self._alone.present(whose)

    @property
    def share(self) -> Share:
        """What a page has beside others now."""
        yardstick = (self._nursery.yardstick if self._nursery else 0.0) or YARDSTICK
        seconds = min(self.most.seconds, yardstick * (NARROW if sum(self._given_up) >= MANY else WIDE))
        return Share(seconds, min(self.most.clock, SHARE_CLOCK), min(self.most.memory, SHARE_MEMORY))

    async def _answered(self, question: _Question, share: Share) -> Any:
        reader = self._idle.pop() if self._idle else None
        try:
            if reader is None:
                reader = await self._start_reader(question.rules)
            answer = await self._ask(reader, question, share)
            if answer.retire or len(reader.knows) > RULES_A_READER:
                await self._end(reader)
                reader = None
        except BaseException:
            # Whatever went wrong, a cancelled crawl included: the reader may be in the middle of the page and is of
            # no more use.
            if reader is not None:
                await asyncio.shield(self._end(reader))
            reader = None
            raise
        finally:
            if reader is not None:
                self._keep(reader)
        return result_of(answer)

    def _keep(self, reader: _Reader) -> None:
        if self._closed:
            reader.pipe.close()
        else:
            self._idle.append(reader)

    async def _ask(self, reader: _Reader, question: _Question, share: Share) -> Answer:
        digest, pickled = self._rules.pickled(question.rules)
        sent = (question.task.function, digest, None if digest in reader.knows else pickled, question.arguments)
        try:
            async with asyncio.timeout(share.clock):
                await _send(reader.pipe, pickle.dumps((share, share == self.most, *sent), protocol=5))
                answer = question.task.answer.validate_json(await _receive(reader.pipe))
        except TimeoutError:
            raise Rejected(Reason.READER_TIMEOUT, f"not read within {share.clock:g} s") from None
        except ValidationError as error:
            raise Rejected(Reason.READER_CRASH, f"the reader answered nonsense: {error.error_count()} errors") from None
        except (EOFError, ConnectionError):
            status = await self._end(reader)
            if self._closed or status is None:
                raise ReadersUnavailable("the readers went away while this page was being read") from None
            rejected = death(status, share.seconds)
            log.log(logging.WARNING if share == self.most else logging.INFO, "reading %s: %s", question.about, rejected)
            raise rejected from None
        if answer.reason is Reason.READER_CRASH:
            log.error("reading %s: %s", question.about, answer.detail)
        reader.knows.add(digest)
        return answer

    async def _start_reader(self, rules: Rules | None) -> _Reader:
        for attempt in (1, 2):
            nursery = await self._ready_nursery()
            try:
                if rules is not None:
                    await nursery.learn(*self._rules.pickled(rules))
                return await nursery.bear()
            except (EOFError, OSError) as error:  # the nursery was killed: once more with a new one
                await self._drop_nursery(nursery)
                if attempt == 2:
                    raise ReadersUnavailable(
                        f"no reader process could be started: {error or 'the nursery ended'}"
                    ) from error
        raise AssertionError("unreachable")

    async def _end(self, reader: _Reader) -> int | None:
        """Kill the reader if it still lives; its wait status, None where nobody can tell."""
        reader.pipe.close()
        if self._nursery is None or reader.pid not in self._nursery.born:
            return None
        try:
            return await self._nursery.bury(reader.pid)
        except (EOFError, OSError):
            return None

    async def _ready_nursery(self) -> _Nursery:
        async with self._nursery_lock:
            if self._closed:
                raise ReadersUnavailable("the readers are closed")
            if self._nursery is None:
                self._nursery = await self._new_nursery() or await self._new_nursery()
            if self._nursery is None:
                raise ReadersUnavailable("the process that starts readers was killed, twice")
            return self._nursery

    async def _new_nursery(self) -> _Nursery | None:
        """A nursery that has loaded the reading code; None where it was killed meanwhile."""
        nursery = _Nursery(self.functions)
        try:
            await nursery.ready()
        except (EOFError, OSError) as error:
            if await nursery.close() < 0:
                return None
            raise ReadersUnavailable(f"the reading code could not be loaded: {', '.join(self.functions)}") from error
        return nursery

    async def _drop_nursery(self, nursery: _Nursery) -> None:
        async with self._nursery_lock:
            if self._nursery is nursery:
                self._nursery = None
                await nursery.close()

    async def close(self) -> None:
        """End all readers, busy ones too; whoever waits for a page gets ReadersUnavailable."""
        self._closed = True
        while self._idle:
            self._idle.pop().pipe.close()
        if self._nursery is not None:
            nursery, self._nursery = self._nursery, None
            await nursery.close()


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def death(status: int, seconds: float) -> Rejected:
    """Why a reader with this wait status (as of os.waitpid) died, as the end of its page."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGPROF, signal.SIGALRM):
            return Rejected(Reason.READER_TIMEOUT, f"more than {seconds:g} s of processor time")
        if number == signal.SIGKILL:
            # We had not killed it: on Linux that is the kernel, short of memory.
            return KilledFromOutside(
                Reason.READER_MEMORY, "the reader was killed from outside, most likely because memory ran out"
            )
        return Rejected(Reason.READER_CRASH, f"the reader died of {signal.Signals(number).name}")
    return Rejected(Reason.READER_CRASH, f"the reader ended with status {os.waitstatus_to_exitcode(status)}")


class _SentRules:
    """Rules are pickled once, not once a page: they carry hundreds of phrases and change with the source only."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Rules, tuple[str, bytes]]] = OrderedDict()

    def pickled(self, rules: Rules | None) -> tuple[str, bytes]:
        """Digest and pickle of *rules*. The value itself is held, so that its id stays its own."""
        if id(rules) not in self._known:
            data = pickle.dumps(rules, protocol=5)
            self._known[id(rules)] = rules, (hashlib.sha256(data).hexdigest(), data)
            if len(self._known) > RULES_HELD:
                self._known.popitem(last=False)
        return self._known[id(rules)][1]


class _Nursery:
    """The parent's end of the process that forks readers. Its two commands are answered one after the other."""

    def __init__(self, functions: list[str]):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._control = ours
        self._lock = asyncio.Lock()
        self._is_taught = False
        self._knows: set[str] = set()
        self.yardstick = 0.0  # seconds of processor time for the probe page; 0: not measured
        self.born: set[int] = set()
        with theirs:
            told = {"control": theirs.fileno(), "path": sys.path, "functions": functions}
            start = "import json, sys; told = json.loads(sys.argv[1]); sys.path[:] = told.pop('path'); " \
                    "from pipelines.workers import nurse; nurse(**told)"  # fmt: skip
            self._process = subprocess.Popen(
                [sys.executable, "-c", start, json.dumps(told)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # standard output belongs to what the command prints
                env=reader_environment(os.environ),
            )

    async def ready(self) -> None:
        await self._reply()

    async def bear(self) -> _Reader:
        """Fork a reader. OSError when the system has no room for one, EOFError when the nursery is gone."""
        birth = asyncio.ensure_future(self._bear())
        try:
            return await asyncio.shield(birth)  # a reply left unread would be taken for the next one
        except asyncio.CancelledError:
            birth.add_done_callback(lambda done: done.exception() or done.result().pipe.close())
            raise

    async def _bear(self) -> _Reader:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                async with self._lock:
                    socket.send_fds(self._control, [b"b" + LENGTH.pack(0)], [theirs.fileno()])
                    knows = set(self._knows)
                    pid = await self._reply()
            if pid < 0:
                raise OSError(-pid, os.strerror(-pid))
        except BaseException:
            ours.close()
            raise
        self.born.add(pid)
        return _Reader(pid, ours, knows)

    async def learn(self, digest: str, rules: bytes) -> None:
        """Tell the nursery the first rules that are used: its readers are born with them, and with all that the first
        page needs. Phrases are nearly all of any source's rules, and compiling them takes a second."""
        if not self._is_taught:
            self._is_taught = True
            await asyncio.shield(self._learn(digest, rules))

    async def _learn(self, digest: str, rules: bytes) -> None:
        async with self._lock:
            told = digest.encode() + rules
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(self._control, b"l" + LENGTH.pack(len(told)) + told)
            self.yardstick = await self._reply() / 1_000_000
            self._knows.add(digest)

    async def bury(self, pid: int) -> int:
        """Kill and reap a reader that this nursery bore; its wait status."""
        self.born.discard(pid)
        return await asyncio.shield(self._bury(pid))

    async def _bury(self, pid: int) -> int:
        async with self._lock:
            self._control.send(b"d" + LENGTH.pack(pid))
            return await self._reply()

    async def _reply(self) -> int:
        data = await asyncio.get_running_loop().sock_recv(self._control, 8)
        if len(data) < 8:
            raise EOFError("the nursery ended")
        return struct.unpack("!q", data)[0]

    async def close(self) -> int:
        """End the nursery and with it its readers; returns its exit code when it is gone."""
        self._control.close()
        # no wait with a timeout: that one sleeps again and again, by a clock that drills move
        killing = asyncio.get_running_loop().call_later(5, self._process.kill)
        try:
            return await asyncio.to_thread(self._process.wait)
        finally:
            killing.cancel()


def reader_environment(environment: dict[str, str] | os._Environ) -> dict[str, str]:
    """What readers may know of the environment: nothing of ours (the database address), and no threads in number
    libraries, since a process with threads must not be forked."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("NACHLESE_", "PG"))}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


async def _send(pipe: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(pipe, LENGTH.pack(len(data)) + data)


async def _receive(pipe: socket.socket) -> bytearray:
    loop = asyncio.get_running_loop()

    async def exactly(size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            got = await loop.sock_recv_into(pipe, view)
            if not got:
                raise EOFError("the reader ended")
            view = view[got:]
        return data

    (length,) = LENGTH.unpack(await exactly(LENGTH.size))
    return await exactly(length)


# ----------------------------------------------------------------------------- the nursery's and the readers' side


Functions = dict[str, Callable[..., Any]]


def nurse(control: int, functions: list[str]) -> None:
    """The nursery's whole life: import, then fork and bury readers as the parent asks, until the parent is gone."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # the parent decides; Ctrl-C in a terminal reaches us as well
    logging.disable(logging.CRITICAL)  # libraries remark on every odd page; what matters is in the answer
    known: Functions = {}
    for function in functions:
        module, name = function.split(":")
        known[function] = getattr(importlib.import_module(module), name)
    rules: dict[str, Rules | None] = {}
    born: set[int] = set()
    with socket.socket(fileno=control) as pipe:
        pipe.sendall(struct.pack("!q", 0))
        while True:
            command, fds, _, _ = socket.recv_fds(pipe, 9, 1)
            if not command:
                break
            reply = 0
            if command[:1] == b"b":
                reply = _fork(pipe, fds[0], known, rules)
                if reply > 0:
                    born.add(reply)
            elif command[:1] == b"l":
                told = _exactly(pipe, LENGTH.unpack(command[1:])[0])
                rules[told[:64].decode()] = learned = pickle.loads(told[64:])
                for phrases in learned.phrases.values():
                    phrases.compile()  # half a second, which otherwise each reader takes again
                if READ in known:
                    reply = _warm_up(known[READ], learned)
                gc.collect()
                gc.freeze()  # the shared memory stays shared
            else:
                pid = LENGTH.unpack(command[1:])[0]
                reply = _bury(pid) if pid in born else 0
                born.discard(pid)
            try:
                pipe.sendall(struct.pack("!q", reply))
            except ConnectionError:
                break
    for pid in born:
        _bury(pid)


def _exactly(pipe: socket.socket, size: int) -> bytes:
    told = bytearray()
    while len(told) < size and (piece := pipe.recv(size - len(told))):
        told += piece
    return bytes(told)


def _fork(control: socket.socket, fd: int, known: Functions, rules: dict[str, Rules | None]) -> int:
    """The new reader's process id, or the negative errno."""
    try:
        pid = os.fork()
    except OSError as error:
        os.close(fd)
        return -(error.errno or 1)
    if pid == 0:
        status = 1
        try:
            control.close()
            with socket.socket(fileno=fd) as pipe:
                serve(pipe, known, rules)
            status = 0
        except ConnectionError:
            status = 0  # the parent is gone
        except BaseException:  # noqa: BLE001  a process's last frame: say it and end, never return to the nursery's loop
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(fd)
    return pid


def _bury(pid: int) -> int:
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
    memory = _Memory()
    with pipe.makefile("rb") as incoming:
        while header := incoming.read(LENGTH.size):
            question = pickle.loads(incoming.read(LENGTH.unpack(header)[0]))
            share, is_alone, function, digest, pickled, arguments = question
            if pickled is not None:
                known[digest] = pickle.loads(pickled)
            rules = known[digest]
            memory.allow(share.memory)
            del question
            answer = _answer(functions[function], (*arguments, rules) if rules else arguments, share, is_alone, memory)
            del arguments
            pipe.sendall(LENGTH.pack(len(answer)) + answer)


ANSWER = TypeAdapter(Answer[Any])


def _answer(function: Callable[..., Any], arguments: tuple, share: Share, is_alone: bool, memory: _Memory) -> bytes:
    """The answer to one question, as JSON. The clocks have no handler of ours: the kernel ends the process, in the
    midst of C code too."""
    signal.setitimer(signal.ITIMER_PROF, share.seconds)
    signal.setitimer(
        signal.ITIMER_REAL, share.seconds * CLOCK_FACTOR + 5
    )  # the parent's own clock comes first, if there is a parent
    try:
        try:
            answer = Answer(result=function(*arguments))
        except Rejected as rejected:
            answer = Answer(reason=rejected.reason, detail=rejected.detail)
        except MemoryError:
            answer = Answer(reason=Reason.READER_MEMORY, detail=f"more than {share.memory >> 20} MiB")
        except Exception as error:  # noqa: BLE001  whatever a page provokes is that page's end, with its name
            answer = Answer(reason=Reason.READER_CRASH, detail=_one_line(error), retire=True)
        # Libraries swallow the MemoryError and find nothing, or less: that is no judgement about the page.
        is_whole = is_alone and answer.reason is None
        if memory.grown > 0.8 * share.memory and not is_whole and answer.reason is not Reason.READER_MEMORY:
            answer = Answer(reason=Reason.READER_MEMORY, detail=f"the page was given up after {memory.grown >> 20} MiB")
        used_up = answer.reason is Reason.READER_MEMORY or memory.held > HELD
        try:
            return ANSWER.dump_json(replace(answer, retire=answer.retire or used_up))
        except Exception as error:  # noqa: BLE001  half a character in a text, as much a page's doing as the rest
            return ANSWER.dump_json(Answer(reason=Reason.READER_CRASH, detail=_one_line(error), retire=True))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _one_line(error: Exception) -> str:
    """Type, place and first line of an exception."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    said = str(error).encode("utf-8", "backslashreplace").decode().split("\n", 1)[0][:200]
    return f"{type(error).__name__} in {frame.name} ({os.path.basename(frame.filename)}:{frame.lineno}): {said}"


class _Memory:
    """What a task has taken, how much it may take, and what the reader has kept of all its tasks."""

    def __init__(self) -> None:
        self._begun = _data()
        self._before = _peak_memory()

    def allow(self, size: int) -> None:
        """Begin a task with *size* bytes on top of what the reader holds. RLIMIT_DATA counts what was allocated;
        RLIMIT_AS would also count libraries and files that are only mapped."""
        with contextlib.suppress(OSError):  # then the peak is that of all tasks, which only looks larger
            Path("/proc/self/clear_refs").write_text("5")
        self._before = _peak_memory()
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = _data() + size
        with contextlib.suppress(OSError, ValueError):  # a stricter limit is in force already
            resource.setrlimit(
                resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
            )

    @property
    def grown(self) -> int:
        """Bytes at the task's highest."""
        return _peak_memory() - self._before

    @property
    def held(self) -> int:
        """Bytes that the reader holds now beyond those of its birth."""
        return _data() - self._begun


def _data() -> int:
    """Bytes that this process has allocated; 0 where nobody tells."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except OSError:
        return 0


def _offer_as_first_victim() -> None:
    """When the machine runs out of memory, the kernel should take a reader and not the crawl. Linux only."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _peak_memory() -> int:
    """Bytes of memory that this process had at its highest since its task began; where nobody tells, ever."""
    with contextlib.suppress(OSError, StopIteration, ValueError, IndexError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) << 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


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


def _warm_up(read: Callable[[Page, Rules], Article], rules: Rules) -> int:
    """Read a page, so that language profiles and the like are loaded once, before the fork, and shared.

    Returns microseconds of processor time that it takes once everything is loaded.
    """
    page = Page("http://example.org/probe", "", WARM_UP.encode(), datetime(2024, 10, 3, 18, tzinfo=UTC))
    took = []
    for _ in range(4):
        begun = time.process_time_ns()
        with contextlib.suppress(Rejected):
            read(page, rules)
        took.append(time.process_time_ns() - begun)
    return min(took) // 1000
