"""The drill of ``benchmarks/namespaces.py`` in its short form: machines with addresses and clocks of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from benchmarks.machines import ROOT, reason_against

SHORT = {
    "--machines": 2, "--hosts": 2, "--minutes": 0.1, "--every": 1, "--publish": 4, "--lease": 2, "--settle": 0.5,
    "--delay": 0.6, "--tolerance": 0.3, "--only": "freeze", "--rest": 2,
}  # fmt: skip


def test_a_machine_that_is_frozen_loses_and_doubles_nothing_and_stays_polite():
    """Of what took how long nothing is asserted; a pause that nobody kept is none at all, or half of the delay."""
    if why := reason_against():
        pytest.skip(why)
    command = [
        sys.executable,
        "-m",
        "benchmarks.namespaces",
        "--json",
        *(str(one) for pair in SHORT.items() for one in pair),
    ]
    environment = {name: value for name, value in os.environ.items() if name != "NACHLESE_TEST_MOTO"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["articles"] > 4
    assert (found["lost"], found["doubled"], found["pending"], found["short_gaps"]) == (0, 0, 0, 0), found
    assert (found["jobs"], set(found["exit_codes"])) == (0, {0}), found
