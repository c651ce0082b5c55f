"""``nachlese mcp``: what is stored for agents, over the Model Context Protocol."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from crawler.cli.common import Exit, begin_collecting, configuration, fail, start_logging, told

MISSING = "nachlese mcp needs more packages: pip install 'nachlese[mcp]'"


@told()
def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Serve streamable HTTP instead of standard input and output.")
    ] = False,
    host: Annotated[str, typer.Option(metavar="HOST", help="With --http: address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="With --http: port; 0: any that is free.")
    ] = 8081,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="With --http: a name under which it is reached; may be repeated.", show_default=False
        ),
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="With --http: a proxy in front says who asks and lets them in.")
    ] = False,
) -> None:
    """Answer an agent's questions to what is stored, read only: search, articles, versions, stories, copies, changes.

    An agent starts it by itself and talks to it over standard input and output; --http serves several.
    """
    try:
        from webapp.mcp import serving
    except ImportError as error:
        fail(f"{MISSING} ({error.name} is not installed)", Exit.USAGE)
    from crawler.cli.web import serve_with, up_to_date

    configured = configuration(is_reading=False)
    start_logging(configured.settings.log_level, form=configured.settings.log_format)
    if not http:
        if sys.stdin.isatty():
            typer.echo("Waiting for an agent on standard input, as docs/agents.md says; Ctrl-C ends it.", err=True)
        dsn = up_to_date()
        begin_collecting()
        with ended_by_signals(dsn):
            serving.serve_stdio(dsn)
        return
    serve_with(serving.serve_http, host, port, allowed_host, behind_proxy, configured.settings.time_zone)


@contextmanager
def ended_by_signals(dsn: str) -> Iterator[None]:
    """SIGINT and SIGTERM end the process at once, and what is embedded is left in order.

    A thread reads standard input, and nothing wakes it but input; since nothing is written, nothing has to be waited
    for. When the input has ended, the agent may lose its patience: leaving is not broken off then.
    """
    from pipelines import database

    def stop(*_: object) -> None:
        database.leave(dsn)
        os._exit(Exit.WELL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    yield
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    database.leave(dsn)
