"""``nachlese retry``: pages that ended without an article, asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import Exit, configuration, count, fail, known_sources, print_json, reachable, run, told
from crawler.cli.read import print_line
from crawler.cli.run_options import JsonOption
from crawler.cli.run_report import COUNTS, Bar

if TYPE_CHECKING:
    from crawler.config import Configuration
    from crawler.retrying import Retried
    from pipelines.items import Reason


@told()
def retry(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Only these; default: all.")
    ] = None,
    reason: Annotated[
        list[str] | None,
        typer.Option(
            "--reason",
            metavar="REASON",
            help="How they ended; may be given several times. Default: by a fault of ours: unstorable, pipeline, "
            "reader_timeout, reader_memory, reader_crash.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="Only pages that ended from then on.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them; nothing is changed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask again for pages that ended without an article.

    What the archive has of them is read at once, without asking the site; the rest is fetched at the next crawl.
    """
    from crawler.cli.read import moment

    configured = configuration(has_log=True)
    names = known_sources(configured, sources or [])
    what = (reasons(reason or []), names or None, moment(since, configured) if since else None)
    retried = run(_counted(*what) if dry_run else _retried(configured, *what))
    show(retried, dry_run, as_json)
    if retried.report is not None and retried.report.outcome != "finished":
        raise typer.Exit(Exit.NOT_ALL)


def reasons(names: Sequence[str]) -> Sequence[Reason]:
    """The reasons of those names; a name that is none ends the command."""
    from crawler.retrying import FAULTS, NEVER
    from pipelines.items import Reason

    known = [str(one) for one in Reason if one not in NEVER]
    for name in names:
        if name not in known:
            fail(f"there is no reason {name!r} to ask again for; expected one of {', '.join(known)}", Exit.USAGE)
    return [Reason(name) for name in names] or FAULTS


async def _counted(reasons: Sequence[Reason], names: list[str] | None, since: datetime | None) -> Retried:
    from crawler.cli.common import open_store
    from crawler.retrying import Retried

    async with await open_store() as store:
        pages, _ = await store.retry(reasons, names, since, is_dry=True)
        return Retried(pages)


async def _retried(
    configured: Configuration, reasons: Sequence[Reason], names: list[str] | None, since: datetime | None
) -> Retried:
    from crawler import retrying
    from crawler.services import open_services

    with Bar("pages") as bar:
        async with open_services(configured, await asyncio.to_thread(reachable)) as services:
            return await retrying.retry(services, reasons, names, since, progress=bar.page)


def show(retried: Retried, is_dry: bool, as_json: bool) -> None:
    ends: dict[str, Any] = {}
    if retried.report is not None:
        ends = {name: getattr(retried.report.counts, name) for name in COUNTS[1:]}
    if as_json:
        print_json({"dry_run": is_dry, "pages": retried.pages, "total": retried.total, "from_archive": ends,
                    "pending": retried.left, "error": retried.report.error if retried.report else None})  # fmt: skip
        return
    for row in retried.pages:
        print_line(f"{row['source']}: {count(row['pages'], 'page')} ended as {row['reason']}")
    if is_dry or not retried.total:
        print_line(f"{count(retried.total, 'page')} would be asked for again" if is_dry else "there is no such page")
        return
    if ends:
        said = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in ends.items() if number)
        print_line(f"read from the archive: {said or 'nothing'}")
    if retried.report is not None and retried.report.error:
        print_line(f"{retried.report.outcome}: {retried.report.error}")
    print_line(f"{count(retried.left, 'page')} will be fetched at the next crawl")
