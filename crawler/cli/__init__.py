"""``nachlese``: the command line. Each command is a thin function; heavy modules are imported when a command needs
them.

Results go to standard output, progress and messages to standard error. Exit codes: `common.Exit`.
"""

from __future__ import annotations

import gc
import os
from typing import Annotated

import typer

from crawler.cli import articles, db, demo, export, health, hosts, mcp, read, retry, run, sources, try_rules, watch, web
from crawler.cli.common import Options

app = typer.Typer(
    name="nachlese",
    help="Watch news sites on a schedule and keep a clean, deduplicated, versioned copy of their articles in Postgres.",
    epilog="First steps: nachlese demo. Exit codes: 0 all went well, 1 something failed or is pending, 2 wrong command "
    "line or configuration, 3 no database, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nachlese {version('nachlese')}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True, callback=show_version)
    ] = False,
) -> None:
    Options.debug = debug


app.command(rich_help_panel="Gather")(demo.demo)
app.command(rich_help_panel="Gather")(run.crawl)
app.command(rich_help_panel="Gather")(run.schedule)
app.command(rich_help_panel="Gather")(run.worker)
app.command(rich_help_panel="Gather")(run.recheck)
app.command(rich_help_panel="Gather")(run.replay)
app.command(rich_help_panel="Gather")(retry.retry)
app.command(rich_help_panel="Look")(read.read)
app.command("try", rich_help_panel="Look")(try_rules.try_rules)
app.command(rich_help_panel="Look")(articles.status)
app.command(rich_help_panel="Look")(health.health)
app.command(rich_help_panel="Look")(articles.explain)
app.command(rich_help_panel="Look")(export.export)
app.command(rich_help_panel="Look")(web.web)
app.command(rich_help_panel="Look")(mcp.mcp)
app.add_typer(articles.app, name="articles", rich_help_panel="Look")
app.add_typer(sources.app, name="sources", rich_help_panel="Maintenance")
app.add_typer(watch.app, name="watch", rich_help_panel="Look")
app.command(rich_help_panel="Maintenance")(hosts.hosts)
app.add_typer(db.app, name="db", rich_help_panel="Maintenance")


#: objects that are new before the garbage collector looks at them. Python's 700 are too few for a program that first
#: loads some ten thousand functions, none of which is garbage: a tenth of the start of each command
YOUNG_OBJECTS = 50_000


def main() -> None:
    """The entry point."""
    gc.set_threshold(YOUNG_OBJECTS)
    # pydantic asks every installed package whether it is a plugin; who has one says so here
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    app()
