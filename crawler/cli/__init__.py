"""``nachlese``: the command line. Each command is a thin function; heavy modules are imported when a command needs
them.

Results go to standard output, progress and messages to standard error. Exit codes: `common.Exit`.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from crawler.cli.common import Options, replace_what_cannot_be_written

#: command -> its module, the name in it, the panel of the help; in the order of the help
COMMANDS = {
    "demo": ("demo", "demo", "Gather"),
    "crawl": ("run", "crawl", "Gather"),
    "schedule": ("run", "schedule", "Gather"),
    "worker": ("worker", "worker", "Gather"),
    "recheck": ("run", "recheck", "Gather"),
    "replay": ("run", "replay", "Gather"),
    "retry": ("retry", "retry", "Gather"),
    "read": ("read", "read", "Look"),
    "try": ("try_rules", "try_rules", "Look"),
    "status": ("articles", "status", "Look"),
    "batches": ("batches", "batches", "Look"),
    "health": ("health", "health", "Look"),
    "explain": ("articles", "explain", "Look"),
    "export": ("export", "export", "Look"),
    "web": ("web", "web", "Look"),
    "mcp": ("mcp", "mcp", "Look"),
    "hosts": ("hosts", "hosts", "Maintenance"),
}
#: group of commands -> its module, which has it as ``app``, and the panel
GROUPS = {
    "backfill": ("run_backfill", "Gather"),
    "articles": ("articles", "Look"),
    "sources": ("sources", "Maintenance"),
    "watch": ("watch", "Look"),
    "db": ("db", "Maintenance"),
}


def show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nachlese {version('nachlese')}")
        raise typer.Exit


def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True, callback=show_version)
    ] = False,
) -> None:
    Options.debug = debug


def application(only: str | None = None) -> typer.Typer:
    """The command line: all of it, or the command or group *only*, which is there in a third of the time."""
    made = typer.Typer(
        name="nachlese",
        help="Watch news sites on a schedule and keep a clean, deduplicated, versioned copy of their articles in "
        "Postgres.",
        epilog="First steps: nachlese demo. Exit codes: 0 all went well, 1 something failed or is pending, 2 wrong "
        "command line or configuration, 3 no database, 130 interrupted.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(options)
    for name, (module, function, panel) in COMMANDS.items():
        if only in (None, name):
            command = getattr(import_module(f"crawler.cli.{module}"), function)
            made.command(name, rich_help_panel=panel)(command)
    for name, (module, panel) in GROUPS.items():
        if only in (None, name):
            made.add_typer(import_module(f"crawler.cli.{module}").app, name=name, rich_help_panel=panel)
    return made


def wanted(arguments: list[str]) -> str | None:
    """The command that *arguments* begin with; None where it takes all of them to answer."""
    first = next((each for each in arguments if each != "--debug"), None)
    return first if first in COMMANDS or first in GROUPS else None


def __getattr__(name: str) -> Any:
    """``app``, the whole command line, is made when somebody first asks for it (PEP 562)."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault("app", application())


#: more objects than are loaded before a command begins its work: to look among them for garbage takes a tenth of the
#: start, and there is none. `common.begin_collecting` sets a usual number
LOADED_OBJECTS = 500_000


def main() -> None:
    """The entry point."""
    gc.set_threshold(LOADED_OBJECTS)
    # what is loaded goes with the process: to look through it for garbage once more takes a quarter of a second
    atexit.register(gc.freeze)
    # pydantic asks every installed package whether it is a plugin; who has one says so here
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    replace_what_cannot_be_written()
    application(wanted(sys.argv[1:]))()
