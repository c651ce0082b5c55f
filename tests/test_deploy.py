"""What stands in deploy/ is valid where that can be checked without a machine to install it on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import typer.main
import yaml

from crawler.cli import app

DEPLOY = Path(__file__).parent.parent / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMMANDS = set(typer.main.get_command(app).commands)
#: of systemd-analyze security, in tenths
MOST_EXPOSED = 25


def analyze(*words: object) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_valid_and_exposes_little(unit, tmp_path):
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/nachlese/bin/nachlese", sys.executable))
    done = analyze("verify", copy)
    assert (done.returncode, done.stderr) == (0, "")
    done = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", unit)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_there_is_and_says_why_of_each_part(unit):
    lines = unit.read_text().splitlines()
    (started,) = [line for line in lines if line.startswith("ExecStart=")]
    assert started.split()[1] in COMMANDS
    assert sum(line.startswith("EnvironmentFile=") for line in lines) == 1  # of two, the later one would win
    for before, line in pairwise(lines):
        if "=" in line and not line.startswith("#"):
            assert before, f"{line}: nothing says why"


def test_the_units_are_there():
    assert [unit.stem for unit in UNITS] == [f"nachlese-{name}" for name in ("postgres", "schedule", "web", "worker")]


def test_the_example_for_kubernetes_gives_no_rights_and_starts_commands_that_there_are():
    found = yaml.safe_load((DEPLOY / "kubernetes" / "nachlese.yaml").read_text())["items"]
    assert [(one["kind"], one["metadata"]["name"]) for one in found] == [
        ("Deployment", "nachlese-schedule"), ("StatefulSet", "nachlese-worker"),
    ]  # fmt: skip
    for one in found:
        pod = one["spec"]["template"]
        assert pod["metadata"]["labels"] == one["spec"]["selector"]["matchLabels"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
        (container,) = pod["spec"]["containers"]
        assert container["args"][0] in COMMANDS
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
