"""What every command shares: exit codes, errors as one sentence, output for people and for programs."""

from __future__ import annotations

import asyncio
import errno
import gc
import io
import json
import logging
import os
import signal
import sys
from collections.abc import Collection, Coroutine, Iterable
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TextIO, TypeVar
from zoneinfo import ZoneInfo

import typer

from crawler.logs import LogFormat, OneLine, formatter, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from crawler.config import Configuration
    from pipelines.meaning import Encoder
    from pipelines.store import Store
    from pipelines.store.hosts import Hosts
    from pipelines.store.queries import Queries

T = TypeVar("T")

# Somebody waits at the prompt: a database that is away for longer than this ends the command. Once a crawl has begun,
# it waits for as long as it takes.
PATIENCE = timedelta(seconds=10)


class Exit(IntEnum):
    """The exit codes of all commands; docs/commands.md has the table."""

    WELL = 0
    NOT_ALL = 1  # something failed or is pending
    USAGE = 2  # wrong command line or configuration
    DATABASE = 3  # the database cannot be used
    INTERRUPTED = 130


class Options:
    """What stands before the command: ``nachlese --debug crawl``."""

    debug = False
    #: how the log is written, as settings.toml says; text until that was read
    log_format: LogFormat = "text"
    #: whether standard error has objects only: of commands that crawl
    is_json = False


class Failure(Exception):
    """Ends the command with *code* and one message for a person."""

    def __init__(self, message: str, code: Exit = Exit.NOT_ALL):
        super().__init__(message)
        self.code = code


def fail(message: str, code: Exit = Exit.NOT_ALL) -> NoReturn:
    raise Failure(message, code)


# --- output ----------------------------------------------------------------------------------------------------------


def out() -> Console:
    """Where results go: standard output. Not on a terminal, lines are as long as they are."""
    return _console(sys.stdout, width=None if sys.stdout.isatty() else 100)


def _console(file: TextIO, **options: Any) -> Console:
    """What is printed stands there as it is: a title or an address of a stranger may hold ``[/b]`` or ``:cat:``."""
    from rich.console import Console

    is_terminal = file.isatty()
    return Console(
        stderr=file is sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=not is_terminal, **options
    )


def new_table(*names: str, folds: bool = False) -> Any:
    """A table without lines; a name that ends with ``>`` is of a column of numbers.

    What is too wide for its column goes on in the next line where it *folds*, and otherwise only between words.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        justify: Any = "right" if name.endswith(">") else "left"
        words = name.rstrip(">").split()
        if folds:
            table.add_column(" ".join(words), justify=justify, overflow="fold")
        else:
            table.add_column(" ".join(words), justify=justify, no_wrap=len(words) == 1, min_width=max(map(len, words)))
    return table


def print_table(table: Any) -> None:
    """*table* on standard output: as wide as the terminal is; in a pipe as wide as its rows are, a line each."""
    console = out()
    if not sys.stdout.isatty():
        unbounded = console.options.update(width=1 << 20)
        console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    console.print(table)


def err() -> Console:
    """Where progress and messages go: standard error. Not on a terminal, lines are as long as they are."""
    return _console(sys.stderr)


def tell(message: str) -> None:
    """A line for a person on standard error; an object where there are objects only."""
    if Options.is_json:
        logging.getLogger("crawler.cli").info("%s", message)
    else:
        err().print(plain(message))


def takes_all(stream: TextIO | None) -> bool:
    """Whether *stream* can be given every character: others are of a locale such as de_AT.ISO-8859-1."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def replace_what_cannot_be_written() -> None:
    """A character that the terminal does not have becomes a question mark; without this the command fails at it."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not takes_all(sys.stdout):
        sys.stdout.reconfigure(errors="replace")


def print_json(record: dict[str, Any]) -> None:
    """One object a line. Half characters (lone surrogates) become escapes instead of an error, and so does what is not
    ASCII where standard output takes no UTF-8."""
    line = json.dumps(record, ensure_ascii=not takes_all(sys.stdout), default=_json_value)
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode() + "\n")


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def when(value: datetime | None, zone: ZoneInfo | None = None) -> str:
    """A time for people, in *zone* or this machine's."""
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M") if value else "–"


def count(number: int, thing: str, things: str | None = None) -> str:
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def start_logging(level: str | int, console: Console | None = None, form: LogFormat = "text") -> None:
    """Our log to standard error, as *form* says; of the libraries only what is a warning.

    On *console*, a terminal with a progress line, the log goes through rich, so that they do not write over each other.
    """
    handler: logging.Handler = logging.StreamHandler()
    Options.is_json = console is None and form == "json"
    if console is not None:
        from rich.logging import RichHandler

        handler = RichHandler(console=console, show_time=False, show_level=False, show_path=False, markup=False)
    handler.setFormatter(formatter(form) if console is None else OneLine())
    level = logging.DEBUG if Options.debug else level
    # who reads objects can sort them: there, what libraries warn of is no noise
    others = logging.DEBUG if Options.debug else logging.WARNING if Options.is_json else logging.ERROR
    logging.basicConfig(level=others, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for ours in ("crawler", "pipelines"):
        logging.getLogger(ours).setLevel(level)


#: objects that are new before the garbage collector looks at them; Python's 700 are few for a program of this size
YOUNG_OBJECTS = 50_000


def begin_collecting() -> None:
    """From here on there may be garbage. What is loaded by now stays, and is not looked at again."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


# --- running ---------------------------------------------------------------------------------------------------------


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* to its end; SIGTERM stops it as Ctrl-C does."""

    async def stoppable() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    begin_collecting()
    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def configuration(is_reading: bool = True, has_log: bool = False) -> Configuration:
    """The configuration; a mistake in it ends the command before anything starts (ConfigError).

    Not *is_reading*: the command only looks, and is spared the shipped phrases. *has_log*: from here on standard error
    has objects only, where the settings want them, also where the command ends before its work begins.
    """
    from crawler import config

    loaded = config.load(is_reading=is_reading)
    Options.log_format = loaded.settings.log_format
    if has_log and Options.log_format == "json":
        start_logging(loaded.settings.log_level, form="json")
    return loaded


def known_sources(configured: Configuration, names: Iterable[str]) -> list[str]:
    """*names* as they are, when each has its file."""
    names = list(names)
    for name in names:
        try:
            configured.source(name)
        except KeyError as error:
            fail(str(error.args[0]), Exit.USAGE)
    return names


def reachable() -> str:
    """The address of a database that answers. Raises DatabaseError when it does not within PATIENCE."""
    from pipelines import database

    dsn = database.address()
    database.wait_for(dsn, PATIENCE)
    return dsn


async def open_store() -> Store:
    """The store behind the address of the environment, its tables up to date."""
    from pipelines.store import Store

    return await Store.open(await _migrated(), PATIENCE)


async def open_queries() -> Queries:
    """What a command that only looks needs of it; the whole store takes a tenth of a second more to load."""
    from pipelines.store.queries import Queries

    return await Queries.open(await _migrated(), PATIENCE)


async def must_be_known(
    kind: Literal["source", "watchlist"], name: str | None, configured: Collection[str], queries: Queries
) -> None:
    """End the command where neither the configuration nor the database has this *name*; None is every one."""
    if name is None or name in configured or await queries.is_known(kind, name):
        return
    from crawler.config.loading import nearest

    fail(f"there is no {kind} {name!r}{nearest(name, list(configured))}", Exit.USAGE)


async def open_hosts() -> Hosts:
    """The part of it that knows hosts."""
    from pipelines.store.hosts import Hosts

    return await Hosts.open(await _migrated(), PATIENCE)


async def _migrated() -> str:
    """The address of a database that answers, its tables up to date."""
    from pipelines import database

    dsn = await asyncio.to_thread(reachable)
    await asyncio.to_thread(database.migrate, dsn, patience=PATIENCE)
    return dsn


@contextmanager
def told() -> Iterator[None]:
    """Every known failure becomes one message on standard error and its exit code; the rest is a bug and says so."""
    try:
        yield
    except (typer.Exit, SystemExit):
        raise
    except BrokenPipeError:
        # Whoever read our output had enough (`| head`). Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(Exit.WELL) from None
    except KeyboardInterrupt:
        _say("interrupted")
        raise SystemExit(Exit.INTERRUPTED) from None
    except Exception as error:
        if Options.debug and not Options.is_json:
            raise
        message, code = explained(error)
        _say(message, error if Options.debug else None)
        raise SystemExit(code) from None


def explained(error: Exception) -> tuple[str, Exit]:
    """What an exception means to the person at the command line."""
    from crawler.config import ConfigError
    from pipelines.archive_remote import NoSuchStore, StoreError
    from pipelines.database import DatabaseError
    from pipelines.workers import ReadersUnavailable

    if isinstance(error, Failure):
        return str(error), error.code
    if isinstance(error, ConfigError | NoSuchStore):
        return str(error), Exit.USAGE
    if isinstance(error, DatabaseError):
        return str(error), Exit.DATABASE
    if isinstance(error, ReadersUnavailable):
        return str(error), Exit.NOT_ALL
    if isinstance(error, StoreError):
        return f"the archive at its address: {error}", Exit.NOT_ALL
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}", Exit.NOT_ALL
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return str(error.strerror), Exit.NOT_ALL  # of standard output, which has no name
    return f"internal error: {type(error).__name__}: {error} (nachlese --debug shows where)", Exit.NOT_ALL


def _say(message: str, error: Exception | None = None) -> None:
    """The last line of a command that failed; in an object with the traceback of *error*."""
    if Options.is_json:
        logging.getLogger("crawler.cli").error("%s", message, exc_info=error)
        return
    lines = [plain(line) for line in message.splitlines()] or [""]
    sys.stderr.write("nachlese: " + "\n".join(lines) + "\n")


def load_encoder() -> Encoder:
    """What makes vectors of texts; ends the command where the extra is not installed."""
    from pipelines.meaning import MeaningMissing, encoder

    try:
        return encoder()
    except MeaningMissing as error:
        fail(str(error), Exit.USAGE)
