"""Every value has the type that its name promises: mypy, strict, over all that is installed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.timeout(900)  # without its cache it takes half a minute of processor time
def test_mypy_has_nothing_to_say():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_is_strict_and_looks_at_every_package():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]
    assert told["strict"] is True
    assert told["packages"] == ["crawler", "pipelines", "webapp"]


@pytest.mark.parametrize("package", ["crawler", "pipelines", "webapp"])
def test_a_package_tells_type_checkers_that_it_is_typed(package: str):
    assert (ROOT / package / "py.typed").is_file()
