"""``nachlese backfill``: years back, out of archives that others have made, or we long ago."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from crawler.cli.common import (
    Exit,
    configuration,
    fail,
    known_sources,
    reachable,
    run,
    told,
)
from crawler.cli.run_options import (
    FilesQueueOption,
    FollowOption,
    JsonOption,
    SourcesOption,
    launch_readers,
    prepare,
    words,
)
from crawler.cli.run_report import BytesBar, finish_files

if TYPE_CHECKING:
    from crawler.config import Configuration
    from crawler.file_reading import Backfill
    from crawler.reports import RunReport
    from crawler.services import Services


class _FilesOrCommand(TyperGroup):
    """``nachlese backfill FILE...`` is ``nachlese backfill files FILE...``."""

    default_command = "files"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [self.default_command, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_FilesOrCommand,
    help="Years back: pages of your sources out of archives. `nachlese backfill FILE...` reads files.",
    no_args_is_help=True,
)
AgainOption = Annotated[bool, typer.Option("--again", help="Read from the beginning what was read before.")]


@app.command()
@told()
def files(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE_OR_ADDRESS...", help="WARC or WACZ files, or http(s) addresses of some."),
    ],
    sources: SourcesOption = "",
    again: AgainOption = False,
    queue: FilesQueueOption = False,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read the pages of your sources out of WARC and WACZ files, as if they had been fetched when they were archived.

    What was killed goes on where it was. Exit code 1 when the run failed, a page is pending or a file cannot be had.
    """
    prepare(queue, follow)  # before the imports: what reads is started here
    from crawler.backfilling import is_address

    configured = configuration(has_log=True)
    names = known_sources(configured, words(sources))
    if missing := [name for name in files if not is_address(name) and not Path(name).is_file()]:
        fail(f"there is no file {', '.join(missing)}", Exit.USAGE)
    if queue:
        from crawler.cli.batches import queue_backfill

        queue_backfill(configured, files, names, again, follow, as_json)

    async def work(services: Services, bar: BytesBar) -> tuple[RunReport, Backfill]:
        from crawler import backfilling

        return await backfilling.backfill(services, files, names, again=again, progress=bar.of)

    finish_files(run(with_services(configured, work)), as_json)


@app.command("cc-news")
@told()
def cc_news(
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM", help="The first month.")],
    last: Annotated[
        str, typer.Option("--to", metavar="YYYY-MM", help="The last month. Default: the first.", show_default=False)
    ] = "",
    sources: SourcesOption = "",
    again: AgainOption = False,
    queue: FilesQueueOption = False,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read the pages of your sources out of Common Crawl's news, month by month: some 400 files of 1 GB each.

    One file at a time is copied, read and deleted. What was killed goes on where it was; files that are done are not
    fetched again. Exit code 1 when the run failed, a page is pending, or a month or a file cannot be had.
    """
    prepare(queue, follow)  # before the imports: what reads is started here
    from crawler.cc_news import files_of, months, site_of

    configured = configuration(has_log=True)
    names = known_sources(configured, words(sources))
    try:
        wanted = months(first, last or first)
    except ValueError as error:
        fail(str(error), Exit.USAGE)
    if queue:
        from crawler.cli.batches import queue_cc_news

        queue_cc_news(configured, wanted, names, again, follow, as_json)

    async def work(services: Services, bar: BytesBar) -> tuple[RunReport, Backfill]:
        from crawler import backfilling

        listed, failures = await files_of(services, wanted)
        site = site_of(services)
        report, found = await backfilling.backfill(services, listed, names, again=again, site=site, progress=bar.of)
        found.failures = (*failures, *found.failures)
        return report, found

    finish_files(run(with_services(configured, work)), as_json)


@app.command()
@told()
def wayback(
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="The source with the gap.")],
    begin: Annotated[str, typer.Option("--from", metavar="T", help="Captures from then on, such as 2025-01-31.")],
    end: Annotated[
        str, typer.Option("--to", metavar="T", help="And until then. Default: now.", show_default=False)
    ] = "",
    versions: Annotated[
        int, typer.Option("--versions", metavar="N", min=1, help="At most so many captures of an address.")
    ] = 10,
    again: Annotated[bool, typer.Option("--again", help="Ask also for captures that are known.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch what the Wayback Machine has of one source for a time in which nobody crawled it, one page at a time.

    Of each address its captures come in the order of their times, without those that are as the one before. What is
    known is not asked for, so what was killed goes on where it was. Exit code 1 when the run failed, a page is pending
    or a capture cannot be had.
    """
    from crawler.cli.read import moment

    launch_readers()
    configured = configuration(has_log=True)
    known_sources(configured, [source])
    times = moment(begin, configured), moment(end, configured) if end else datetime.now(UTC)
    if times[1] <= times[0]:
        fail("--to is not after --from", Exit.USAGE)

    async def work(services: Services, bar: BytesBar) -> tuple[RunReport, Backfill]:
        from crawler.file_reading import read_files
        from crawler.wayback import Gap, WaybackReading

        gap = Gap(services.configuration.source(source), *times, versions)
        return await read_files(services, WaybackReading(services, gap, again), bar.of)

    finish_files(run(with_services(configured, work)), as_json)


async def with_services(
    configured: Configuration, work: Callable[[Services, BytesBar], Awaitable[tuple[RunReport, Backfill]]]
) -> tuple[RunReport, Backfill]:
    from crawler.services import open_services

    bar = BytesBar("pages")
    with bar:
        async with open_services(configured, await asyncio.to_thread(reachable), is_crawling=False) as services:
            return await work(services, bar)
