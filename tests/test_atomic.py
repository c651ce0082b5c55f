"""A file that is written anew is the old one or the new one, never half of one, and nothing else is left."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.atomic import write_whole

WRITE = """
import sys
from pathlib import Path
from pipelines.atomic import write_whole
write_whole(Path(sys.argv[1]), b"n" * 9999)
"""


def test_the_new_one_takes_the_place_of_the_old_one(tmp_path: Path):
    file = tmp_path / "feed.atom"
    for data in (b"old", b"new and longer", b""):
        write_whole(file, data)
        assert file.read_bytes() == data and os.listdir(tmp_path) == ["feed.atom"]


def test_what_cannot_be_written_leaves_the_old_one_alone(tmp_path: Path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", b"new")
    assert os.listdir(tmp_path) == ["taken"]
    (tmp_path / "taken").rmdir()

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    file = tmp_path / "feed.atom"
    write_whole(file, b"old")
    done = subprocess.run([sys.executable, "-c", WRITE, str(file)], preexec_fn=no_room, capture_output=True, text=True)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert file.read_bytes() == b"old" and os.listdir(tmp_path) == ["feed.atom"]
