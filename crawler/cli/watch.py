"""``nachlese watch``: watchlists, what matches them, telling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import Exit, configuration, count, fail, new_table, open_store, out, print_json, run, told
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.config import Configuration
    from crawler.watching import Delivery

app = typer.Typer(no_args_is_help=True, help="The watchlists: list them, tell what matches.")

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]


@app.command("list")
@told()
def list_watches(as_json: JsonOption = False) -> None:
    """List the watchlists of the configuration."""
    configured = configuration(is_reading=False)
    records = [record(watch) for watch in configured.watches.values()]
    if as_json:
        for one in records:
            print_json(one)
        return
    table = new_table("name", "title", "looks for", "sources", "languages", "webhook", folds=True)
    for one in records:
        looks_for = ", ".join([*one["words"], *(f'"{phrase}"' for phrase in one["phrases"])])
        cells = (one["name"], one["title"], looks_for, ", ".join(one["sources"]), ", ".join(one["languages"]))
        table.add_row(*map(plain, cells), "yes" if one["webhook"] else "")
    out().print(table if records else f"no watchlists in {configured.folder / 'watch'}")


def record(watch: Any) -> dict[str, Any]:
    """A watchlist file; of its address, which may hold a secret, only that there is one."""
    table = watch.model_dump(include={"title", "words", "phrases", "without", "sources", "languages"})
    return {"name": watch.name, **table, "webhook": watch.webhook is not None}


@app.command()
@app.command("deliver")
@told()
def tell(as_json: JsonOption = False) -> None:
    """Write the feeds and send what is due now. Each crawl does so at its end.

    Exit code 1 when an address did not take it: it comes again later.
    """
    configured = configuration(is_reading=False)
    if not configured.watches:
        fail(f"no watchlists in {configured.folder / 'watch'}", Exit.USAGE)
    results = run(_told(configured))
    for one in results:
        if as_json:
            print_json({"watch": one.watch, "sent": one.sent, "failed": one.failed, "error": one.error})
        else:
            failed = f", {count(one.failed, 'match', 'matches')} put off: {plain(one.error)}" if one.failed else ""
            out().print(f"{one.watch}: {count(one.sent, 'match', 'matches')} sent{failed}")
    if any(one.failed for one in results):
        raise typer.Exit(Exit.NOT_ALL)


async def _told(configured: Configuration) -> list[Delivery]:
    from crawler import single_fetch, watching
    from pipelines import database

    watches = list(configured.watches.values())
    async with await open_store() as store, single_fetch.looking(configured) as services:
        await store.save_watchlists(watching.watch_rows(watches))
        return await watching.tell(store, services.http, watches, database.home() / "feeds")
