"""docs/commands.md is the reference of the command line: every command and option is in it, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from crawler.cli import app
from crawler.cli.common import Exit

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "commands.md").read_text("utf-8")
HEADING = re.compile(r"^#{2,3} `(nachlese[a-z -]*?)(?: [\[A-Z].*)?`$", re.M)


def commands(command: Any, path: str = "nachlese") -> Iterator[tuple[str, Any]]:
    """Every command with its full name; a group itself only where it has options of its own."""
    inner = getattr(command, "commands", None)
    if inner is None or path == "nachlese":
        yield path, command
    for name, one in (inner or {}).items():
        yield from commands(one, f"{path} {name}")


def sections() -> dict[str, str]:
    """Command -> what the reference says about it."""
    found = list(HEADING.finditer(TEXT))
    ends = [match.start() for match in found[1:]] + [len(TEXT)]
    return {match[1]: TEXT[match.end() : end] for match, end in zip(found, ends, strict=True)}


COMMANDS = dict(commands(typer.main.get_command(app)))
#: groups that take what is no command of theirs for the arguments of one
DEFAULTS = {
    f"nachlese {name}"
    for name, one in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
    if getattr(one, "default_command", "")
}


def options(command: Any) -> set[str]:
    names = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    return {name for name in names if name.startswith("--")} - {"--help"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_each_of_its_options_is_in_the_reference(name: str):
    assert name in sections(), f"docs/commands.md has no heading for `{name}`"
    missing = {option for option in options(COMMANDS[name]) if f"`{option}" not in sections()[name]}
    assert not missing


def test_the_reference_names_no_command_or_option_that_does_not_exist():
    assert sections().keys() == COMMANDS.keys()
    for name, text in sections().items():
        listed = {
            option for line in re.findall(r"^- (`--.*?):", text, re.M) for option in re.findall(r"--[a-z-]+", line)
        }
        assert listed <= options(COMMANDS[name]), name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_argument_and_option_has_help(name: str):
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


def test_every_exit_code_is_in_the_table():
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.M)} == set(Exit)


@pytest.mark.parametrize(
    "file", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda file: file.name
)
def test_documents_name_only_commands_that_exist(file: Path):
    """In code spans and code blocks: `nachlese COMMAND ...`."""
    for line in re.findall(r"(?:^|`|\$ |&& |\| )nachlese ((?:[a-z]+(?:-[a-z]+)* ?)+)", file.read_text("utf-8"), re.M):
        words = line.split()
        two, one = f"nachlese {' '.join(words[:2])}", f"nachlese {words[0]}"
        assert two in COMMANDS or one in COMMANDS.keys() | DEFAULTS, f"{file.name}: nachlese {line}"
