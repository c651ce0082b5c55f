"""``nachlese hosts``: which hosts are left alone now, and an end to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import Exit, count, new_table, open_hosts, out, print_json, run, told
from crawler.logs import plain

if TYPE_CHECKING:
    from pipelines.store import HostBackoff


@told()
def hosts(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[HOST]...", help="Only these hosts, with their port where it is not the usual one."),
    ] = None,
    lift: Annotated[bool, typer.Option("--lift", help="Ask them again from now on; without names: all.")] = False,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only rests of this source.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Show the hosts that are left alone because they asked for time (Retry-After) or did not answer.

    --lift ends that, and what waited for it is due at once. A schedule that is running takes it over within seconds.
    Exit code 1 when a host that is named does not rest.
    """
    rests = run(_found(names or [], lift, source))
    for rest in rests if as_json else []:
        print_json(record(rest) | {"lifted": lift})
    if not as_json:
        show(rests, lift)
    if set(names or []) - {rest.host for rest in rests}:
        raise typer.Exit(Exit.NOT_ALL)


async def _found(names: list[str], lift: bool, source: str | None) -> list[HostBackoff]:
    async with await open_hosts() as store:
        if not lift:
            rests = await store.host_backoffs()
            return [rest for rest in rests if source in (None, rest.source) and (not names or rest.host in names)]
        wanted: list[str | None] = [*names] or [None]
        lifted = [await store.clear_host_backoffs(name, source) for name in wanted]
        return [rest for some in lifted for rest in some]


def record(rest: HostBackoff) -> dict[str, Any]:
    return {
        "host": rest.host,
        "source": rest.source or None,
        "not_before": rest.retry_at.isoformat(),
        "unreachable": rest.unreachable,
        "why": rest.why,
    }


def show(rests: list[HostBackoff], lifted: bool) -> None:
    if lifted or not rests:
        out().print(f"{count(len(rests), 'rest')} lifted" if lifted else "no host is left alone now")
        return
    table = new_table("host", "left alone by", "until (UTC)", "why", folds=True)
    for rest in rests:
        until = f"{rest.retry_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(plain(rest.host), plain(rest.source) if rest.source else "every source", until, plain(rest.why))
    out().print(table)
