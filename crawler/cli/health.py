"""``nachlese health``: which sources are not well, compared with their own history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crawler.cli.common import (
    Exit,
    configuration,
    count,
    fail,
    new_table,
    open_queries,
    open_store,
    print_json,
    print_table,
    run,
    told,
    when,
)
from crawler.cli.read import print_line
from crawler.logs import plain

if TYPE_CHECKING:
    from pipelines.store import Row
    from pipelines.store.queries import Queries

#: measures that are no share of the pages, with their unit
UNITS = {"words": "", "delay": " min", "fetch": " ms", "articles": " a day"}


@told()
def health(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Only these; each with all its measures.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All measures of all sources.")] = False,
    accept: Annotated[
        str | None,
        typer.Option(
            metavar="MEASURE",
            help="What is now is how it should be: close the alarm of this measure ('all': every one) "
            "of the named sources. Their history begins anew with it.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Show what deviates from a source's own history, since when, and what to do about it.

    Exit code 1 while an alarm is open.
    """  # fmt: skip
    zone = ZoneInfo(configuration(is_reading=False).settings.time_zone)
    alarms, measures = run(_found(names or [], every, accept))
    if as_json:
        for kind, rows in (("alarm", alarms), ("measure", measures)):
            for row in rows:
                print_json({"kind": kind, **row})
    else:
        show(alarms, measures, zone)
    raise typer.Exit(Exit.NOT_ALL if alarms else Exit.WELL)


async def _found(names: list[str], every: bool, accept: str | None) -> tuple[list[Row], list[Row]]:
    if accept is None:
        async with await open_queries() as queries:
            await _are_known(names, queries)
            return await _rows(names, every, queries)
    if not names:
        fail("--accept needs the name of a source", Exit.USAGE)
    async with await open_store() as store:
        await _are_known(names, store)
        for name in names:
            await store.accept_health(name, None if accept == "all" else accept)
        return await _rows(names, every, store)


async def _are_known(names: list[str], queries: Queries) -> None:
    known = {row["name"] for row in await queries.status()} if names else set()
    if unknown := sorted(set(names) - known):
        fail(f"the database knows no source {', '.join(unknown)}", Exit.USAGE)


async def _rows(names: list[str], every: bool, queries: Queries) -> tuple[list[Row], list[Row]]:
    """The open alarms, and the measures that are asked for."""
    alarms = [row for row in await queries.open_alarms() if not names or row["source"] in names]
    if every:
        return alarms, await queries.health()
    return alarms, [row for name in names for row in await queries.health(name)]


def show(alarms: list[Row], measures: list[Row], zone: ZoneInfo) -> None:
    if measures:
        table = new_table("source", "measure", "usual>", "now>", "pages>", "", folds=True)
        for row in measures:
            cells = [shown(row["measure"], row[name]) for name in ("baseline", "latest")]
            state = "alarm" if row["alarm_id"] else ""
            table.add_row(plain(row["source"]), row["measure"], *cells, f"{row['observed']:,}", state)
        print_table(table)
        print_line("")
    for alarm in alarms:
        print_line(f"{alarm['says']}. {alarm['advice']} (noticed {when(alarm['opened_at'], zone)})")
    print_line(f"{count(len(alarms), 'alarm')} open" if alarms else "no alarm is open")


def shown(measure: str, value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}{UNITS[measure]}" if measure in UNITS else f"{100 * value:.0f} %"
