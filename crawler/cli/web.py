"""``nachlese web``: the pages over the database, for people, feeds and programs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.common import Exit, begin_collecting, configuration, fail, reachable, start_logging, told

if TYPE_CHECKING:
    from webapp.settings import Settings

MISSING = "nachlese web needs more packages: pip install 'nachlese[web]'"


@told()
def web(
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0: any that is free.")] = 8080,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name under which it is reached; may be repeated.", show_default=False),
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy in front of it says who asks, and lets in whom it may.")
    ] = False,
    hash_password: Annotated[
        bool, typer.Option("--hash-password", help="Ask for a password, print its hash for the environment, and stop.")
    ] = False,
) -> None:
    """Serve what is stored as pages, feeds, data and an API, read only, until stopped by Ctrl-C or SIGTERM.

    Other machines reach it only with a password or a token in the environment, or behind a proxy.
    """
    needed()
    if hash_password:
        from webapp.security import hashed

        typer.echo(hashed(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)))
        return
    from webapp import serving

    configured = configuration(is_reading=False)
    start_logging(configured.settings.log_level, form=configured.settings.log_format)
    serve_with(serving.serve, host, port, allowed_host, behind_proxy, configured.settings.time_zone)


def serve_with(
    serve: Callable[[Settings, str, Callable[[str], None]], None],
    host: str,
    port: int,
    allowed_host: list[str] | None,
    behind_proxy: bool,
    time_zone: str,
) -> None:
    """Let *serve* serve as the operator chose, with the environment's secrets; exit code 2 where that cannot be."""
    from webapp.settings import Settings, SettingsError, secrets_of

    chosen = Settings(
        host=host,
        port=port,
        allowed_hosts=tuple(allowed_host or ()),
        is_behind_proxy=behind_proxy,
        time_zone=time_zone,
        **secrets_of(os.environ),  # type: ignore[arg-type]  # only those of its fields that are secrets
    )
    begin_collecting()
    try:
        serve(chosen, up_to_date(), lambda url: typer.echo(f"{url}  (Ctrl-C stops it)", err=True))
    except SettingsError as error:
        fail(str(error), Exit.USAGE)


def needed() -> None:
    """Ends the command where the packages of the pages are not installed."""
    try:
        import webapp.serving  # noqa: F401
    except ImportError as error:
        fail(f"{MISSING} ({error.name} is not installed)", Exit.USAGE)


def show_demo(dsn: str) -> None:
    """The pages over the demo's database, on the usual port or any that is free, until somebody stops them."""
    from webapp import serving
    from webapp.settings import Settings

    def say(url: str) -> None:
        typer.echo(f"\nThe pages: {url}  (Ctrl-C stops them)", err=True)

    try:
        serving.serve(Settings(), dsn, say)
    except OSError:
        serving.serve(Settings(port=0), dsn, say)


def up_to_date() -> str:
    """The address of the database, its tables up to date where this user may change them."""
    from crawler.cli.common import PATIENCE
    from pipelines import database

    dsn = reachable()
    if database.may_migrate(dsn):
        database.migrate(dsn, patience=PATIENCE)
    return dsn
