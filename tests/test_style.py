"""The house's style is kept where a machine can see it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_ruff_has_nothing_to_say():
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "crawler", "pipelines", "tests", "benchmarks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["CHANGELOG.md", "docs/decisions.md"])
def test_nothing_was_doubled_by_a_merge(name):
    lines = (ROOT / name).read_text().splitlines()
    doubled = [line for line, times in Counter(lines).items() if times > 1 and len(line) > 40]
    assert not doubled, f"{name}: {doubled}"
    headings = [number for number, line in enumerate(lines) if line.startswith("## ")]
    run_together = [lines[number] for number in headings if lines[number - 1]]
    assert not run_together, f"{name}: no empty line before {run_together}"


def test_nothing_waits_with_what_loses_a_cancellation():
    """``asyncio.wait_for`` of Python 3.11 goes on where it is cancelled just as what it waits for comes, and a loop
    that was to end goes on for ever. ``asyncio.timeout`` does not, and makes no task."""
    found = [path for folder in ("crawler", "pipelines", "webapp") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in found if "asyncio.wait_for(" in path.read_text()] == []
