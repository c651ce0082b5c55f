"""``nachlese backfill``: the pages of WARC and WACZ files that others have made, or we long ago."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import (
    Exit,
    configuration,
    count,
    fail,
    known_sources,
    print_json,
    reachable,
    run,
    tell,
    told,
)
from crawler.cli.run import Bar, JsonOption, SourcesOption, launch_readers, record, show_reports, went_well, words

if TYPE_CHECKING:
    from crawler.backfilling import Backfill
    from crawler.config import Configuration
    from crawler.reports import RunReport


@told()
def backfill(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE_OR_ADDRESS...", help="WARC or WACZ files, or http(s) addresses of some."),
    ],
    sources: SourcesOption = "",
    again: Annotated[bool, typer.Option("--again", help="Read from the beginning what was read before.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read the pages of your sources out of WARC and WACZ files, as if they had been fetched when they were archived.

    What was killed goes on where it was. Exit code 1 when the run failed, a page is pending or a file cannot be had.
    """
    from crawler.backfilling import is_address

    launch_readers()
    configured = configuration()
    names = known_sources(configured, words(sources))
    if missing := [name for name in files if not is_address(name) and not Path(name).is_file()]:
        fail(f"there is no file {', '.join(missing)}", Exit.USAGE)
    report, found = run(backfilled(configured, files, names, again))
    show(report, found, as_json)
    raise typer.Exit(Exit.WELL if went_well(report) and not found.failures else Exit.NOT_ALL)


async def backfilled(
    configured: Configuration, files: list[str], names: list[str], again: bool
) -> tuple[RunReport, Backfill]:
    from crawler import backfilling
    from crawler.services import open_services

    bar = BytesBar("pages")
    with bar:
        async with open_services(configured, await asyncio.to_thread(reachable)) as services:
            return await backfilling.backfill(services, files, names, again=again, progress=bar.of)


def show(report: RunReport, found: Backfill, as_json: bool) -> None:
    if as_json:
        more = {"skipped": found.skipped, "damaged": found.damaged, "done_before": found.done_before}
        print_json(record(report) | more | {"failures": list(found.failures)})
        return
    show_reports([report])
    tell(
        f"{count(found.skipped, 'record')} skipped: of no wanted source, or no page. "
        f"{count(found.damaged, 'place')} damaged. "
        f"{count(found.done_before, 'file')} read before (--again reads anew)."
    )
    for said in found.failures:
        tell(said)


class BytesBar(Bar):
    """Also how much of all files was read."""

    found: Backfill | None = None

    def of(self, found: Backfill) -> Any:
        self.found = found
        return self.page

    def page(self, *what: object) -> None:
        if self.found is not None and self.found.size:
            share = min(1.0, self.found.read / self.found.size)
            self.things = f"pages, {share:.0%} of {self.found.size / 1e6:,.0f} MB"
            if self._bar is not None:
                self._bar.update(self._task, description=self.things)
        super().page(*what)
