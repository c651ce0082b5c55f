"""``nachlese``: the command line. Each command is a thin function; heavy modules are imported when a command needs
them.

Results go to standard output, progress and messages to standard error. Exit codes: `cli_common.Exit`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from crawler import cli_articles, cli_db, cli_demo, cli_export, cli_read, cli_run, cli_sources, cli_watch
from crawler.cli_common import Options

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


app.command(rich_help_panel="Gather")(cli_demo.demo)
app.command(rich_help_panel="Gather")(cli_run.crawl)
app.command(rich_help_panel="Gather")(cli_run.schedule)
app.command(rich_help_panel="Gather")(cli_run.replay)
app.command(rich_help_panel="Look")(cli_read.read)
app.command(rich_help_panel="Look")(cli_articles.status)
app.command(rich_help_panel="Look")(cli_articles.explain)
app.command(rich_help_panel="Look")(cli_export.export)
app.add_typer(cli_articles.app, name="articles", rich_help_panel="Look")
app.add_typer(cli_sources.app, name="sources", rich_help_panel="Keep house")
app.add_typer(cli_watch.app, name="watch", rich_help_panel="Look")
app.add_typer(cli_db.app, name="db", rich_help_panel="Keep house")


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
