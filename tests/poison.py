"""A reader function that does what the page's body says: what no real page may do to us."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

from pipelines.items import Article, Page, Reason, Rejected
from pipelines.reading.rules import Rules


def read(page: Page, rules: Rules) -> Article:
    """Answer, or misbehave, as the body orders: ``hang``, ``segfault`` and so on. Anything else becomes the text."""
    order = page.body.decode()
    if order == "half":
        order = "a text with half a character: \udc80"
    if order in ORDERS:
        ORDERS[order]()
    if order.startswith("die-once ") and not (died := Path(order.partition(" ")[2])).exists():
        died.touch()
        killed()
    if order.startswith("hold "):
        hold(Path(order.partition(" ")[2]))
    if order.startswith("begin "):
        begin(Path(order.partition(" ")[2]))
    return Article(
        url=page.url,
        canonical_url=page.url,
        source=page.source,
        title=str(rules.language),
        text=order if order != "who" else str(os.getpid()),
        fetched_at=page.fetched_at,
        details={"Ort": ["Köln", "Bonn"], "Preis": "3 €"},
    )


def pid() -> int:
    """A task that needs no rules: which reader does it."""
    return os.getpid()


def is_warm() -> bool:
    """Whether what every page needs was loaded before this process was forked."""
    from pipelines import reader_process

    return reader_process._warm_up.cache_info().currsize > 0


def hold(folder: Path) -> None:
    """Read until somebody opens the pipe ``go``; note where another does the same at the same time."""
    try:
        (folder / "held").mkdir()
    except FileExistsError:
        (folder / "two at once").touch()
        return
    (folder / "go").read_bytes()
    (folder / "held").rmdir()


def begin(pipe: Path) -> None:
    """Tell that reading has begun, and never come to an end."""
    pipe.write_bytes(b"")
    signal.pause()


def hang() -> None:
    while True:
        pass


def sleep() -> None:
    signal.pause()


def explode() -> None:
    held = []
    while True:
        held.append(bytearray(8 << 20))


def need_much() -> None:
    """As much memory as a page may have, and more than its share beside others."""
    bytearray(b"x" * (70 << 20))


def need_some() -> None:
    """What a large page takes beside others, and gives back."""
    bytearray(b"x" * (15 << 20))


def hoard() -> None:
    """What a cache keeps of a page."""
    HOARD.append(bytearray(b"x" * (15 << 20)))


HOARD: list[bytearray] = []


def swallow() -> None:
    """Like a library that catches the MemoryError, and then finds nothing on the page."""
    try:
        explode()
    except MemoryError:
        raise Rejected(Reason.EMPTY, "no text") from None


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def abort_if_little() -> None:
    """Like a library in Rust or C++, which ends the process where memory is refused to it."""
    try:
        need_much()
    except MemoryError:
        os.abort()


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(3)


def fail() -> None:
    raise KeyError("Überschrift\nzweite Zeile")


def refuse() -> None:
    raise Rejected(Reason.SOFT_404, "Seite nicht gefunden")


def recurse() -> None:
    recurse()


def surrogate() -> None:
    raise ValueError("\udc80 in the text")


def tell_environment() -> None:
    raise Rejected(Reason.EMPTY, " ".join(sorted(name for name in os.environ if name.startswith(("NACHLESE_", "PG")))))


def tell_files() -> None:
    raise Rejected(Reason.EMPTY, " ".join(os.readlink(f"/proc/self/fd/{fd}") for fd in range(3, 64) if _is_open(fd)))


def tell_core() -> None:
    raise Rejected(Reason.EMPTY, str(resource.getrlimit(resource.RLIMIT_CORE)))


def _is_open(fd: int) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


ORDERS = {
    function.__name__: function
    for function in (
        hang,
        sleep,
        explode,
        need_much,
        need_some,
        hoard,
        swallow,
        segfault,
        abort_if_little,
        killed,
        leave,
        fail,
        refuse,
        recurse,
        surrogate,
        tell_environment,
        tell_files,
        tell_core,
    )
}
