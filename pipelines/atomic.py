"""Files that others read while they are written: the old one whole, or the new one whole."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, data: bytes) -> None:
    """Write *data* beside *file* and rename it, so that nobody ever reads half of it. Raises OSError."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        beside.write_bytes(data)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)  # there only where one of the two failed
