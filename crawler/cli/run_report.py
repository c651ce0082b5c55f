"""What a command that reads pages tells: how far it is, and what became of the pages."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from crawler.cli.common import Exit, Options, count, err, new_table, out, print_json, start_logging, tell
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.file_reading import Backfill
    from crawler.reports import RunReport
    from pipelines.store import RunCounts

COUNTS = ("found", "new", "new_version", "unchanged", "copy", "rejected", "pending")
#: so many rejected pages beside none that could be kept are no accident
MANY = 5


# --- what became of the pages -----------------------------------------------------------------------------------------


def finish(reports: Sequence[RunReport], as_json: bool, is_all: bool = True) -> None:
    """Print what became of the pages; exit with 1 when a run failed or a page is pending, or *is_all* is false."""
    if as_json:
        for report in reports:
            print_json(record(report))
    else:
        show_reports(reports)
    raise typer.Exit(Exit.WELL if is_all and all(map(went_well, reports)) else Exit.NOT_ALL)


def went_well(report: RunReport) -> bool:
    return report.outcome == "finished" and not report.counts.pending and not no_article(report)


def no_article(report: RunReport) -> str:
    """Why a crawl that finished is no success: nothing of what it found could be kept. "": it is one.

    Known pages that a feed names again count as unchanged, so some new ones are enough beside these.
    """
    counts = report.counts
    if report.kind != "crawl":
        return ""
    if unstorable := counts.reasons.get("unstorable", 0):
        return f"{count(unstorable, 'page')} could not be stored; nachlese explain URL says why"
    is_all = not (counts.new or counts.new_version or counts.copy) and (not counts.unchanged or counts.rejected >= MANY)
    return f"none of its {count(counts.rejected, 'new page')} is an article" if counts.rejected and is_all else ""


def record(report: RunReport) -> dict[str, Any]:
    counts = {name: getattr(report.counts, name) for name in COUNTS}
    return {
        "source": report.source,
        "outcome": report.outcome,
        **counts,
        "reasons": report.counts.reasons,
        "error": report.error,
        "problems": list(report.problems),
    }


def show_reports(reports: Sequence[RunReport]) -> None:
    """A row per source: where its pages ended. Below, whatever went wrong, a line each."""
    from rich.text import Text

    console = out()
    shown = new_table()
    shown.add_column("source", no_wrap=True)
    for name in COUNTS:
        shown.add_column(name.replace("_", " "), justify="right")
    shown.add_column("reasons", overflow="fold")
    for report in reports:
        numbers = [f"{getattr(report.counts, name):,}" for name in COUNTS]
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(report.counts.reasons.items()))
        shown.add_row(Text(plain(report.source or report.kind)), *numbers, Text(plain(reasons)))
    console.print(shown)
    for report in reports:
        if report.outcome != "finished":
            console.print(Text(plain(f"{report.source or report.kind} {report.outcome}: {report.error}")))
        elif said := no_article(report):
            console.print(Text(plain(f"{report.source}: {said}")))
        for problem in report.problems:
            console.print(Text(plain(f"{report.source or report.kind}: {problem}")))


def finish_files(done: tuple[RunReport, Backfill], as_json: bool) -> NoReturn:
    report, found = done
    show_files(report, found, as_json)
    raise typer.Exit(Exit.WELL if went_well(report) and not found.failures else Exit.NOT_ALL)


def show_files(report: RunReport, found: Backfill, as_json: bool) -> None:
    if as_json:
        more = {"skipped": found.skipped, "damaged": found.damaged, "done_before": found.done_before}
        print_json(record(report) | more | {"failures": list(found.failures)})
        return
    show_reports([report])
    thing, verb = ("capture", "known") if found.things == "captures" else ("file", "read")
    tell(
        f"{count(found.skipped, 'record')} skipped: of no wanted source, or no page. "
        f"{count(found.damaged, 'place')} damaged. "
        f"{count(found.done_before, thing)} {verb} before (--again reads anew)."
    )
    for said in found.failures:
        tell(said)


# --- how far it is ----------------------------------------------------------------------------------------------------


class Bar:
    """Progress on standard error: how many pages have ended, and where. On a terminal a line that changes, otherwise a
    line for each source that is done."""

    def __init__(self, things: str):
        self.things, self.ends = things, Counter[str]()
        self._bar: Any = None
        self._task: Any = None

    def page(self, *what: object) -> None:
        """A page has ended; `crawl_source` and `replay` tell its address and its end, `compare` a Comparison."""
        self.ends[getattr(what[-1], "kind", "") or getattr(what[-1], "outcome", "")] += 1
        self.tell()

    def number(self, done: int) -> None:
        """So many are done."""
        self.ends[""] = done
        self.tell()

    def tell(self) -> None:
        """Show it, where there is a terminal."""
        if self._bar is not None:
            said = ", ".join(f"{number} {end.replace('_', ' ')}" for end, number in sorted(self.ends.items()) if end)
            self._bar.update(self._task, completed=self.ends.total(), said=said)

    def __enter__(self) -> Bar:
        if Options.log_format == "json" or not sys.stderr.isatty():  # a log needs nothing of rich
            start_logging("INFO", form=Options.log_format)
            return self
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = err()
        start_logging("ERROR", console)
        columns = ("{task.completed}", "{task.description}", "{task.fields[said]}")
        texts = [TextColumn(column) for column in columns]
        self._bar = Progress(SpinnerColumn(), *texts, TimeElapsedColumn(), console=console, transient=True)
        self._bar.start()
        self._task = self._bar.add_task(self.things, total=None, said="")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()


class BytesBar(Bar):
    """Also how much there is to do, and how much of it is done."""

    found: Backfill | None = None

    def of(self, found: Backfill) -> Any:
        self.found = found
        return self.page

    def show(self, found: Backfill, counts: RunCounts) -> None:
        """What others have come to."""
        self.found = found
        self.ends = Counter({end: number for end in COUNTS[1:] if (number := getattr(counts, end))})
        self.tell()

    def tell(self) -> None:
        if self.found is not None and self._bar is not None:
            self._bar.update(self._task, description=f"pages, {self.found}")
        super().tell()
