"""Reader processes: untrusted input is parsed outside the event loop, and a poisonous page costs only itself.

    async with ReaderPool() as readers:
        article = await readers.read(page, rules)       # raises Rejected

Three kinds of process, each with one job:

- the *parent* (the crawl) asks; it never reads a page itself;
- the *forkserver* (``forkserver.py`` is the parent's end of it) imports the reading code once, then forks a reader
  whenever it is asked, in a few milliseconds. It is started as a fresh interpreter, so that it knows no socket, no
  database address and no thread of the parent. When the parent goes away, however it goes, the forkserver sees the end
  of its pipe, kills its readers and ends;
- the *readers* (``reader_process.py``) do one task at a time, under a limit of processor time and of memory that the
  kernel enforces.

A page is read in one of two ways. In *shared* mode its limits of time and memory are low, which is plenty for an
ordinary page. A large page, or one that reached the low limits, is read in *exclusive* mode: with the full limits, but
only one such page at a time, and never in the last reader. So expensive pages wait for each other, and ordinary pages
wait for none of them. Together they never hold more memory than one exclusive page and the shared ones. Sources that
wait get equal times.

Pages go to a reader as a pickle. What comes back is JSON, checked field by field: a page that took over a reader
through a hole in a parser can hand back an article-shaped value and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import os
import pickle
import signal
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from typing import Any, Generic, NamedTuple

from pydantic import ValidationError

from pipelines.fair_semaphore import FairSemaphore
from pipelines.forkserver import Forkserver, Reader, receive, send
from pipelines.items import Article, Page, Reason, Rejected
from pipelines.reader_protocol import CLOCK_FACTOR, CONTINUES, LENGTH, READ, READING, Answer, ResourceLimit, T, Task
from pipelines.reading.rules import Rules
from pipelines.text_features import TextFeatures

log = logging.getLogger(__name__)

__all__ = ["LARGE", "READ", "ReadPage", "ReaderPool", "ReadersUnavailable", "ResourceLimit", "Task", "death"]

# The limit in shared mode, in multiples of what the probe page (WARM_UP) costs on this machine: of 334 news pages half
# cost one, 98 in a hundred ten, and the dearest thirty-five. Where many pages need more, they are bombs rather than
# pages, and each gets little: forty of them shall not hold up the good ones.
WIDE, NARROW = 60, 15
# The processor time of the probe page where it was not measured, in seconds.
YARDSTICK = 0.02
# From so many on, of the latest pages, those that were given up in shared mode are many.
LATEST, MANY = 32, 2
# Most news pages take 10 MiB, and one of 500 kB with a mark-up made for it 50 MiB.
SHARED_MEMORY = 48 << 20
# The wall-clock limit is generous: waiting for a processor is no work, and processor time has a limit of its own.
SHARED_CLOCK = 10.0
# Bytes beyond which a page is read in exclusive mode at once.
LARGE = 1_000_000
# Rules that the parent holds ready for sending, and those that one reader holds before a fresh one takes its place:
# enough for the sources that are read at the same time, little enough for a process with thousands of sources.
RULES_HELD = 256
RULES_A_READER = 64
# The ends of a page in shared mode that say nothing about it yet.
GIVEN_UP = (Reason.READER_TIMEOUT, Reason.READER_MEMORY)


class ReadPage(NamedTuple):
    """An article, and its text features where the reader has found them."""

    article: Article
    features: TextFeatures | None = None


class KilledExternally(Rejected):
    """SIGKILL that was not ours ended the reader of this page."""


class DiedOfSignal(Rejected):
    """The reader of this page died in C, C++ or Rust code. In shared mode that may be the limit's doing: where memory
    is refused, Python raises MemoryError, but these abort, or write to address 0."""


class ReadersUnavailable(Exception):
    """No reader process could be started. The page is not to blame and should be tried again later."""


class _Question(NamedTuple, Generic[T]):
    """One task with everything it needs. ``about`` is for the log."""

    task: Task[T]
    arguments: tuple[Any, ...]
    rules: Rules | None
    about: str


class ReaderPool:
    """*size* reader processes (default: one a core); where it is one, a second one while a page is read in exclusive
    mode.

    One page may take *seconds* of processor time, *clock* seconds until the answer, and *memory* bytes.
    ``read`` names the function that reads a page, ``module:function``; tests give poisonous ones. *tasks*: what else
    readers are often asked for; what they are asked for beside that, the reader that is asked loads then.
    *first_rules* are what every reader begins with, also one whose first question needs none: without them it is forked
    before languages and phrases are loaded, and does that when its first page comes.
    Readers are started when the first page comes, or by ``async with``.
    """

    def __init__(
        self,
        size: int | None = None,
        seconds: float = 20.0,
        memory: int = 1 << 30,
        clock: float | None = None,
        read: str = READ,
        tasks: Iterable[Task[Any]] = (),
        first_rules: Rules | None = None,
    ):
        self.first_rules = first_rules
        self.size = size or cores()
        self.most = ResourceLimit(seconds, clock or seconds * CLOCK_FACTOR, memory)
        self._given_up: deque[bool] = deque(maxlen=LATEST)
        self.reading = READING if read == READ else Task(read, Article)
        self.beginning: Task[Article | str] = Task(read, Article | str, unless=CONTINUES)
        self.functions = [self.reading.function, CONTINUES, *(task.function for task in tasks)]
        self._forkserver: Forkserver | None = None
        self._forkserver_lock = asyncio.Lock()
        self._shared, self._exclusive = FairSemaphore(self.size, shares_time=True), FairSemaphore(1, shares_time=True)
        self._idle: list[Reader] = []
        self._rules = _SentRules()
        self._beginning: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> ReaderPool:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def begin(self) -> None:
        """Start the forkserver beside everything else: the first page shall not wait for it. Trouble is told when a
        reader is needed."""
        if self._beginning is None and not self._closed:
            self._beginning = asyncio.ensure_future(self._begin())

    async def _begin(self) -> None:
        with suppress(ReadersUnavailable, EOFError, OSError):  # whoever needs a reader finds that out, and tells it
            forkserver = await self._ready_forkserver()
            self._keep(await forkserver.fork())  # for feeds and robots.txt, which come first, while rules are learned
            await self.start()

    async def start(self) -> None:
        """Start the forkserver and wait until it has imported the reading code, and compiled what *first_rules* need.

        Raises ReadersUnavailable.
        """
        forkserver = await self._ready_forkserver()
        if self.first_rules is not None:
            with suppress(EOFError, OSError):  # it was killed: whoever needs a reader starts it anew
                await forkserver.learn(*self._rules.pickled(self.first_rules))

    async def read(self, page: Page, rules: Rules) -> Article:
        """``read_page`` for who wants no more than the article."""
        return (await self.read_page(page, rules)).article

    async def read_page(self, page: Page, rules: Rules) -> ReadPage:
        """Read *page* in a reader process; waits for a free one.

        Raises Rejected (with READER_TIMEOUT, READER_MEMORY or READER_CRASH where the reader did not survive the
        page), and ReadersUnavailable when no reader can be started or all of them were ended: the page is not to
        blame. A page whose reader was killed from outside gets a second one: it may have been killed by chance.
        """
        size = len(page.body) + sum(len(part.body) for part in page.more)
        answer = await self._asked(_Question(self.reading, (page,), rules, page.url), page.source, size)
        return ReadPage(_result_of(answer), answer.features)

    async def read_or_continue(self, page: Page, rules: Rules) -> ReadPage | str:
        """The same in one go with the question whether the article goes on on another page: then its address, and
        nothing is read."""
        answer = await self._asked(_Question(self.beginning, (page,), rules, page.url), page.source, len(page.body))
        found = _result_of(answer)
        return found if isinstance(found, str) else ReadPage(found, answer.features)

    async def ask(
        self,
        task: Task[T],
        arguments: tuple[Any, ...],
        rules: Rules | None = None,
        *,
        whose: str,
        size: int,
        about: str,
    ) -> T | None:
        """The same for any *task*: its function is called with *arguments*, then *rules* where there are any.

        *size* is in bytes; *whose* is the source, for whose turn it is; *about* stands in the log.
        """
        return (await self._asked(_Question(task, arguments, rules, about), whose, size)).result

    async def _asked(self, question: _Question[T], whose: str, size: int) -> Answer[T]:
        """The answer, and no reason: that is raised as Rejected."""
        if size <= LARGE:
            try:
                async with self._shared.acquire(whose):
                    limit = self.limit
                    answer = await self._answered(question, limit)
                self._given_up.append(False)
                return answer
            except Rejected as rejected:
                given_up = rejected.reason in GIVEN_UP or isinstance(rejected, DiedOfSignal)
                self._given_up.append(given_up)
                if not given_up or not (isinstance(rejected, KilledExternally) or limit != self.most):
                    raise
        async with self._exclusive.acquire(whose), self._shared.acquire(whose) if self.size > 1 else nullcontext():
            try:
                return await self._answered(question, self.most)
            except KilledExternally:
                return await self._answered(question, self.most)

    def reading_exclusively(self, whose: str) -> int:
        """How many pages of this source are read in exclusive mode now, or wait for it."""
        return self._exclusive.present(whose)

    @property
    def limit(self) -> ResourceLimit:
        """The limit of a page in shared mode now."""
        yardstick = (self._forkserver.yardstick if self._forkserver else 0.0) or YARDSTICK
        seconds = min(self.most.seconds, yardstick * (NARROW if sum(self._given_up) >= MANY else WIDE))
        return ResourceLimit(seconds, min(self.most.clock, SHARED_CLOCK), min(self.most.memory, SHARED_MEMORY))

    async def _answered(self, question: _Question[T], limit: ResourceLimit) -> Answer[T]:
        reader = self._idle.pop() if self._idle else None
        try:
            if reader is not None and question.rules is not None and not reader.is_warm:
                # It was forked for a feed, before the forkserver had learned what every page needs. To load that takes
                # time and memory, which would be laid to this page.
                await self._end(reader)
                reader = None
            if reader is None:
                reader = await self._start_reader(question.rules)
            answer = await self._ask(reader, question, limit)
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
        if answer.reason is not None:
            raise Rejected(answer.reason, answer.detail)
        return answer

    def _keep(self, reader: Reader) -> None:
        if self._closed:
            reader.pipe.close()
        else:
            self._idle.append(reader)

    async def _ask(self, reader: Reader, question: _Question[T], limit: ResourceLimit) -> Answer[T]:
        digest, pickled = self._rules.pickled(question.rules)
        task = question.task
        sent = (task.function, task.unless, digest, None if digest in reader.knows else pickled, question.arguments)
        try:
            async with asyncio.timeout(limit.clock):
                await send(reader.pipe, _message((limit, limit == self.most, *sent)))
                answer = task.answer.validate_json(await receive(reader.pipe))
        except TimeoutError:
            raise Rejected(Reason.READER_TIMEOUT, f"not read within {limit.clock:g} s") from None
        except ValidationError as error:
            raise Rejected(Reason.READER_CRASH, f"the reader answered nonsense: {error.error_count()} errors") from None
        except (EOFError, ConnectionError):
            status = await self._end(reader)
            if self._closed or status is None:
                raise ReadersUnavailable("the readers went away while this page was being read") from None
            rejected = death(status, limit.seconds)
            log.log(logging.WARNING if limit == self.most else logging.INFO, "reading %s: %s", question.about, rejected)
            raise rejected from None
        if answer.reason is Reason.READER_CRASH:
            log.error("reading %s: %s", question.about, answer.detail)
        reader.knows.add(digest)
        return answer

    async def _start_reader(self, rules: Rules | None) -> Reader:
        rules = self.first_rules or rules
        for attempt in (1, 2):
            forkserver = await self._ready_forkserver()
            try:
                if rules is not None:
                    await forkserver.learn(*self._rules.pickled(rules))
                return await forkserver.fork()
            except (EOFError, OSError) as error:  # the forkserver was killed: once more with a new one
                await self._drop_forkserver(forkserver)
                if attempt == 2:
                    raise ReadersUnavailable(
                        f"no reader process could be started: {error or 'the forkserver ended'}"
                    ) from error
        raise AssertionError("unreachable")

    async def _end(self, reader: Reader) -> int | None:
        """Kill the reader if it still lives; its wait status, None where nobody can tell."""
        reader.pipe.close()
        if self._forkserver is None or reader.pid not in self._forkserver.children:
            return None
        try:
            return await self._forkserver.reap(reader.pid)
        except (EOFError, OSError):
            return None

    async def _ready_forkserver(self) -> Forkserver:
        async with self._forkserver_lock:
            if self._closed:
                raise ReadersUnavailable("the readers are closed")
            if self._forkserver is None:
                self._forkserver = await self._new_forkserver() or await self._new_forkserver()
            if self._forkserver is None:
                raise ReadersUnavailable("the process that starts readers was killed, twice")
            return self._forkserver

    async def _new_forkserver(self) -> Forkserver | None:
        """A forkserver that has loaded the reading code; None where it was killed meanwhile."""
        forkserver = Forkserver(self.functions)
        try:
            await forkserver.ready()
        except (EOFError, OSError) as error:
            if await forkserver.close() < 0:
                return None
            raise ReadersUnavailable(f"the reading code could not be loaded: {', '.join(self.functions)}") from error
        except asyncio.CancelledError:
            await asyncio.shield(forkserver.close())
            raise
        return forkserver

    async def _drop_forkserver(self, forkserver: Forkserver) -> None:
        async with self._forkserver_lock:
            if self._forkserver is forkserver:
                self._forkserver = None
                await forkserver.close()

    async def close(self) -> None:
        """End all readers, busy ones too; a caller that waits for a page gets ReadersUnavailable."""
        self._closed = True
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.wait([self._beginning])
        while self._idle:
            self._idle.pop().pipe.close()
        if self._forkserver is not None:
            forkserver, self._forkserver = self._forkserver, None
            await forkserver.close()


def _message(question: object) -> memoryview:
    """The pickle of *question* behind its length. It is written there at once: a page is large, and to copy it once
    more costs as much as to pickle it."""
    message = io.BytesIO()
    message.seek(LENGTH.size)
    pickle.dump(question, message, protocol=5)
    whole = message.getbuffer()
    LENGTH.pack_into(whole, 0, len(whole) - LENGTH.size)
    return whole


def _result_of(answer: Answer[T]) -> T:
    if answer.result is None:
        raise Rejected(Reason.READER_CRASH, "the reader answered nothing")
    return answer.result


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
            return KilledExternally(
                Reason.READER_MEMORY, "the reader was killed from outside, most likely because memory ran out"
            )
        return DiedOfSignal(Reason.READER_CRASH, f"the reader died of {signal.Signals(number).name}")
    return Rejected(Reason.READER_CRASH, f"the reader ended with status {os.waitstatus_to_exitcode(status)}")


class _SentRules:
    """Rules are pickled once, not once a page: they carry hundreds of phrases and change with the source only."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Rules | None, tuple[str, bytes]]] = OrderedDict()

    def pickled(self, rules: Rules | None) -> tuple[str, bytes]:
        """Digest and pickle of *rules*. The value itself is held, so that its id stays its own."""
        if id(rules) not in self._known:
            data = pickle.dumps(rules, protocol=5)
            self._known[id(rules)] = rules, (hashlib.sha256(data).hexdigest(), data)
            if len(self._known) > RULES_HELD:
                self._known.popitem(last=False)
        return self._known[id(rules)][1]
