"""``nachlese sources rights``: what the sites say about mining, archiving and licences, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import (
    configuration,
    known_sources,
    new_table,
    open_store,
    out,
    print_json,
    print_table,
    run,
    told,
)
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.config import Configuration


@told()
def rights(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these sources.")] = None,
    days: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="Articles first seen in the last N days.")
    ] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each source, for programs.")] = False,
) -> None:
    """Show what sites say about text and data mining, archiving and licences, and what follows from it here.

    It is what was read from their pages; none of it is legal advice.
    """
    configured = configuration(is_reading=False)
    wanted = known_sources(configured, names) if names else None
    rows = run(rows_of(datetime.now(UTC) - timedelta(days=days), wanted))
    records = [record(row, configured) for row in rows]
    if as_json:
        for one in records:
            print_json(one)
        return
    show(records, days)


async def rows_of(since: datetime, names: list[str] | None) -> list[dict[str, Any]]:
    async with await open_store() as store:
        return [dict(row) for row in await store.rights(since, names)]


def record(row: dict[str, Any], configured: Configuration) -> dict[str, Any]:
    policy = configured.settings.rights.policy(row["source"])
    return row | {"then": policy.then, "on": list(policy.on)}


def show(records: list[dict[str, Any]], days: int) -> None:
    table = new_table(
        "source", "articles", "TDM reserved", "noai", "noarchive", "AI crawlers out", "licence", "then", folds=True
    )
    for one in records:
        numbers = [one[key] for key in ("articles", "tdm_reserved", "noai", "noarchive", "ai_crawlers", "licensed")]
        then = one["then"] + (f" ({one['withheld']} withheld)" if one["withheld"] else "")
        table.add_row(one["source"], *map(str, numbers), then)
    print_table(table)
    for one in records:
        said = [f"policy {one['tdm_policy']}"] if one["tdm_policy"] else []
        said += [f"licence {one['license']}"] if one["license"] else []
        said += [f"keeps out {', '.join(one['ai_crawlers_disallowed'])}"] if one["ai_crawlers_disallowed"] else []
        if said:
            out().print(plain(f"{one['source']}: {'; '.join(said)}"), soft_wrap=True)
    if not records:
        out().print(f"no article was first seen in the last {days} days")
