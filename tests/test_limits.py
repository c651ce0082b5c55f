"""Modules, functions and branches stay small. What is larger is named here, with its size: lists that only shrink."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULE_LINES, FUNCTION_LINES, COMPLEXITY = 500, 50, 10

#: module -> lines
LONG_MODULES = {
    "pipelines/reading/fields/dates.py": 520,
}
#: module:function -> lines
LONG_FUNCTIONS = {
    "pipelines/reading/reader.py:_read_html": 63,
    "pipelines/reading/body/extract.py:body_of": 81,
}
#: module:function -> what ruff's C901 counts
COMPLEX_FUNCTIONS = {
    # tables: a case for each kind of error
    "crawler/downloader/client.py:_of_library": 11,
    "crawler/downloader/errors.py:failure_reason": 11,
    # the reader
    "pipelines/reading/body/embedded_blocks.py:boxes_in": 12,
    "pipelines/reading/body/tree_blocks.py:is_prose": 11,
    "pipelines/reading/page/structured.py:collect": 16,
    "pipelines/reading/plaintext_header.py:_take_dates": 11,
    "pipelines/reading/verdict/page_classifier.py:_home": 11,
}


def modules() -> Iterator[tuple[str, str]]:
    """Path from the root, and source."""
    for package in ("crawler", "pipelines"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def functions() -> Iterator[tuple[str, int]]:
    """module:function, and lines."""
    for name, source in modules():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def complexities() -> Iterator[tuple[str, int]]:
    """module:function, and the complexity of those that are over the limit."""
    limit = f"lint.mccabe.max-complexity={COMPLEXITY}"
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--isolated", "--ignore-noqa", "--select", "C901"]
    done = subprocess.run(
        [*ruff, "--config", limit, "--output-format", "json", "crawler", "pipelines"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    for finding in json.loads(done.stdout):
        path = Path(finding["filename"]).relative_to(ROOT).as_posix()
        _, function, _ = finding["message"].split("`")
        yield f"{path}:{function}", int(finding["message"].rpartition("(")[2].split()[0])


def wrong(sizes: Iterator[tuple[str, int]], limit: int, allowed: dict[str, int]) -> list[str]:
    """What grew over the limit or over its exception, and exceptions that nothing needs any more."""
    largest: dict[str, int] = {}
    for name, size in sizes:
        largest[name] = max(size, largest.get(name, 0))
    grown = [
        f"{name}: {size}, allowed are {allowed.get(name, limit)}"
        for name, size in largest.items()
        if size > allowed.get(name, limit)
    ]
    return grown + [
        f"{name}: {largest.get(name, 0)}, take it from the list" for name in allowed if largest.get(name, 0) <= limit
    ]


def test_a_module_has_at_most_500_lines():
    sizes = ((name, source.count("\n")) for name, source in modules())
    assert wrong(sizes, MODULE_LINES, LONG_MODULES) == []


def test_a_function_has_at_most_50_lines():
    assert wrong(functions(), FUNCTION_LINES, LONG_FUNCTIONS) == []


def test_a_function_has_at_most_10_branches():
    assert wrong(complexities(), COMPLEXITY, COMPLEX_FUNCTIONS) == []


def test_what_is_too_large_is_found_and_an_exception_cannot_outlive_its_reason():
    sizes = [("a.py:long", 51), ("a.py:long", 3), ("a.py:known", 60), ("a.py:mended", 40)]
    assert wrong(iter(sizes), 50, {"a.py:known": 60, "a.py:mended": 70, "a.py:gone": 55}) == [
        "a.py:long: 51, allowed are 50",
        "a.py:mended: 40, take it from the list",
        "a.py:gone: 0, take it from the list",
    ]
