"""``nachlese demo``, ``crawl``, ``schedule``, ``replay``: what gathers articles."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli_common import (
    Exit,
    configuration,
    count,
    err,
    fail,
    known_sources,
    out,
    plain,
    print_json,
    run,
    start_logging,
    told,
)

if TYPE_CHECKING:
    from crawler.config import Configuration
    from crawler.runs import RunReport

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
COUNTS = ("found", "new", "new_version", "unchanged", "copy", "rejected", "pending")


@told()
def crawl(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Only these; default: all that are on.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Crawl each source once and stop when that is done.

    Exit code 1 when a source failed or pages are still pending: they come again in the next round. A rejected page is
    no failure; why it is no article is recorded.
    """
    configured = configuration()
    names = known_sources(configured, sources or [])
    names = names or [name for name, source in configured.sources.items() if source.enabled]
    if not names:
        fail(f"no source in {configured.folder / 'sources'} is on", Exit.USAGE)
    finish(run(crawled(configured, names)), as_json)


async def crawled(configured: Configuration, names: Sequence[str]) -> list[RunReport]:
    """One round over *names*, some of them at a time."""
    from crawler import runs

    places = asyncio.Semaphore(configured.settings.crawl.sources_at_once)
    with progress(len(names), "sources") as bar:
        async with runs.House.open(configured) as house:

            async def one(name: str) -> RunReport:
                async with places:
                    report = await runs.crawl_source(house, name)
                bar.step(report)
                return report

            return list(await asyncio.gather(*(one(name) for name in names)))


@told()
def replay(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Seed texts, saved HTML, WARC files, or folders of them."),
    ] = None,
    archive: Annotated[bool, typer.Option("--archive", help="Read everything in the archive again.")] = False,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="Only pages fetched from then on.", show_default=False)
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Of the archive: only this source. Of files: they belong to it.", show_default=False
        ),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Only say what would change; nothing is written.")] = False,
    fetched_at: Annotated[
        str | None,
        typer.Option(
            metavar="T",
            help="When the files were fetched: what 'heute' in them means. Default: when each was last changed.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read stored pages again, the same way as live ones.

    After the reader was improved, `nachlese replay --archive --diff` says what would become of the archive, and without
    --diff it is written.
    """
    from crawler.cli_read import moment

    configured = configuration()
    if bool(paths) == archive:
        fail("say what to replay: either files and folders, or --archive", Exit.USAGE)
    if source and archive is False:
        known_sources(configured, [source])
    missing = [str(path) for path in paths or [] if not path.exists()]
    if missing:
        fail(f"there is no {', '.join(missing)}", Exit.USAGE)
    times = {name: moment(text, configured) if text else None for name, text in (("since", since), ("at", fetched_at))}
    what = {"source": source, "since": times["since"], "fetched_at": times["at"]}
    if diff:
        raise typer.Exit(show_differences(run(compared(configured, paths, what)), as_json))
    finish([run(replayed(configured, paths, what))], as_json)


async def replayed(configured: Configuration, paths: list[Path] | None, what: dict[str, Any]) -> RunReport:
    from crawler import runs

    with progress(None, "pages") as bar:
        async with runs.House.open(configured) as house:
            return await runs.replay(house, paths or [house.archive.folder], **what, progress=bar.step)


async def compared(configured: Configuration, paths: list[Path] | None, what: dict[str, Any]) -> list[dict[str, Any]]:
    raise NotImplementedError


def show_differences(found: list[dict[str, Any]], as_json: bool) -> Exit:
    raise NotImplementedError


@told()
def schedule() -> None:
    """Run every source when its schedule says so, until stopped by Ctrl-C or SIGTERM (exit code 0)."""
    configured = configuration()
    start_logging(configured.settings.log_level)
    from crawler import schedule as scheduler

    raise typer.Exit(run(scheduler.serve(configured)))


@told()
def demo(
    keep_quiet: Annotated[bool, typer.Option("--quiet", help="Only the result, no progress.")] = False,
) -> None:
    """See it work, in less than a minute and without internet: news sites of our own, crawled twice.

    Everything happens in a place of its own beside your data, which the next demo clears.
    """
    raise NotImplementedError


# --- reports ---------------------------------------------------------------------------------------------------------


def finish(reports: Sequence[RunReport], as_json: bool) -> None:
    """Print what became of the pages; exit with 1 when a run failed or a page is pending."""
    if as_json:
        for report in reports:
            print_json(record(report))
    else:
        out().print(table(reports))
    raise typer.Exit(Exit.WELL if all(map(went_well, reports)) else Exit.NOT_ALL)


def went_well(report: RunReport) -> bool:
    return report.outcome == "finished" and not report.counts.pending


def record(report: RunReport) -> dict[str, Any]:
    counts = {name: getattr(report.counts, name) for name in COUNTS}
    return {
        "source": report.source,
        "outcome": report.outcome,
        **counts,
        "reasons": report.counts.reasons,
        "error": report.error,
    }


def table(reports: Sequence[RunReport]) -> Any:
    """A row per source: where its pages ended."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("source")
    for name in COUNTS:
        shown.add_column(name.replace("_", " "), justify="right")
    shown.add_column("reasons, trouble", overflow="fold")
    for report in reports:
        numbers = [str(getattr(report.counts, name)) for name in COUNTS]
        shown.add_row(Text(report.source or "replay"), *numbers, Text(remarks(report)))
    return shown


def remarks(report: RunReport) -> str:
    """Why pages were rejected or wait, and what went wrong."""
    reasons = [f"{number} {reason}" for reason, number in sorted(report.counts.reasons.items())]
    outcome = [report.outcome] if report.outcome != "finished" else []
    return plain("; ".join([*reasons, *outcome, *([report.error] if report.error else [])]))


class Bar:
    """Progress on standard error: a bar on a terminal, otherwise a line for each thing that is done."""

    def __init__(self, total: int | None, things: str):
        self.total, self.things, self.done = total, things, 0
        self._bar: Any = None
        self._task: Any = None

    def step(self, *what: object) -> None:
        self.done += 1
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done)
        elif self.total is not None:
            said = ", ".join(plain(getattr(one, "source", one)) for one in what)
            sys.stderr.write(f"{self.done} of {self.total} {self.things}: {said}\n")

    def __enter__(self) -> Bar:
        if err().is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=err(), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self.things, total=self.total)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def progress(total: int | None, things: str) -> Bar:
    return Bar(total, things)


__all__ = ["AbstractContextManager", "count", "datetime", "nullcontext"]
