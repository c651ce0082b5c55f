"""docs/operations.md names a test behind each promise; each of them exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROMISE = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## The promise")[2]


def names_of_tests() -> set[str]:
    found = set()
    for file in (ROOT / "tests").glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.add(node.name)
    return found


def test_every_promise_names_tests_that_exist():
    promises = re.split(r"^\d+\. ", PROMISE, flags=re.M)[1:]
    assert len(promises) == 10
    there = names_of_tests()
    for promise in promises:
        named = re.findall(r"`(test_\w+)`", promise)
        assert named, promise
        assert set(named) <= there, set(named) - there
