"""Starting the process that forks readers, as early as a command knows that it will read: it imports the reading code
while the command imports its own.

This module imports nothing that takes time.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import NamedTuple


class Launched(NamedTuple):
    """Our end of the pipe to a forkserver, and its process."""

    control: socket.socket
    process: subprocess.Popen[bytes]


_early: list[Launched] = []


def launch() -> None:
    """Start a forkserver now, for the first pool of readers that is made: until that is there, it warms up."""
    if not _early:
        _early.append(_new("run_early_forkserver"))


def launched() -> Launched:
    """The forkserver that was started early, or a new one. Whoever takes it closes it."""
    return _early.pop() if _early else _new("run_forkserver")


def _new(function: str) -> Launched:
    ours, theirs = socket.socketpair()
    with theirs:
        process = started("pipelines.reader_process", function, theirs.fileno())
    return Launched(ours, process)


def started(module: str, function: str, *fds: int) -> subprocess.Popen[bytes]:
    """A process that calls *function* of *module* with the open files *fds*.

    Of this process it knows nothing but where our modules lie; the rest it is told through them.
    """
    numbers = ", ".join(f"int(sys.argv[{place}])" for place, _ in enumerate(fds, 1))
    call = f"from {module} import {function}; {function}({numbers})"
    start = f"import sys; sys.path[:] = sys.argv[{len(fds) + 1}:]; {call}"
    return subprocess.Popen(
        [sys.executable, "-c", start, *map(str, fds), *sys.path],
        pass_fds=fds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # standard output belongs to what the command prints
        env=reader_environment(os.environ),
    )


def reader_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What readers may know of the environment: nothing of ours (the database address), and no threads in number
    libraries, since a process with threads must not be forked. A measured one must not either: its data file would be
    that of all its readers."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("NACHLESE_", "PG", "COVERAGE_"))}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
