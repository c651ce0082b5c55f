"""What a process is called in the rows of its runs, and whether the one that is called so has ended."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

from pipelines.process_space import process_space

_made: set[str] = set()  # by this process: who opens services twice is not gone


def new_worker_id() -> str:
    """Machine, process number and a word of its own: two containers may have equal names and numbers."""
    made = f"{socket.gethostname()}/{process_space()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    _made.add(made)
    return made


def is_gone(worker_id: str, ours: str) -> bool:
    """Whether the process that *worker_id* names ran on this machine and does not any more. If in doubt, it does."""
    try:
        machine, number, _ = worker_id.rsplit(":", 2)
        if worker_id in _made or machine != ours.rsplit(":", 2)[0]:
            return False
        if int(number) == os.getpid():
            return True  # the number was given anew: a container that was restarted has the same one each time
        os.kill(int(number), 0)
        return Path(f"/proc/{int(number)}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except (ValueError, OSError):
        return False
