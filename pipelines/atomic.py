"""Files that others read while they are written: the old one whole, or the new one whole."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A file beside *file*, which takes its name when the block ends well, so that nobody ever reads half of it.

    It is this caller's own: processes of different containers and machines have equal numbers. Raises
    OSError, which names *file*.
    """
    beside = file.with_name(f".{file.name}.{uuid.uuid4().hex[:12]}.new")
    try:
        yield beside
        beside.replace(file)
    except OSError as error:
        if error.filename == str(beside):  # a name that nobody has asked for
            error.filename, error.filename2 = str(file), None
        raise
    finally:
        beside.unlink(missing_ok=True)  # there only where something failed


def write_whole(file: Path, data: bytes) -> None:
    """Write *data* as *file*. Raises OSError."""
    with replacing(file) as beside:
        beside.write_bytes(data)
