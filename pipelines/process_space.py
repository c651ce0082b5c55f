"""Where a process number means one process: a machine, from one start of its kernel to the next, or a container."""

from __future__ import annotations

import os
import re
import uuid
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@cache
def process_space() -> str:
    """A word that all processes have which see each other's numbers, and no others.

    Names of machines will not do: copies of a virtual machine have the same one, and so may containers. Nor will the
    number of the namespace alone, which is the same on every machine that has no containers.
    """
    try:
        boot = _BOOT.read_text().strip()[:8]
        namespace = re.sub(r"\D", "", os.readlink("/proc/self/ns/pid"))
    except OSError:  # not Linux: there are no containers, and the network card is the machine's own
        return f"{uuid.getnode():x}"
    return f"{boot}-{namespace}"
