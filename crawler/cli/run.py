"""``nachlese crawl``, ``schedule``, ``replay``: what gathers articles."""

from __future__ import annotations

import asyncio
import difflib
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import (
    Exit,
    configuration,
    count,
    err,
    fail,
    known_sources,
    out,
    print_json,
    reachable,
    run,
    start_logging,
    tell,
    told,
)
from crawler.cli.run_options import (
    FilesQueueOption,
    FollowOption,
    JsonOption,
    SourcesOption,
    TagsOption,
    chosen,
    launch_readers,
    prepare,
    queueing,
)
from crawler.cli.run_report import Bar, BytesBar, finish
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.comparing import Comparison
    from crawler.config import Configuration
    from crawler.reports import RunReport

OwnerOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="NAME",
        help="Of the archive: only this source. Of files: they belong to it.",
        show_default=False,
    ),
]
FetchedOption = Annotated[
    str | None,
    typer.Option(
        "--fetched-at",
        metavar="T",
        help="When the files were fetched: what 'heute' in them means. Default: when each was last changed.",
        show_default=False,
    ),
]


@told()
def crawl(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Only these; default: all that are on.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Crawl each source once and stop when that is done.

    Exit code 1 when a source failed, when pages are still pending (they come again in the next round), when all its
    pages were rejected, or when one could not be stored. A rejected page beside others is no failure; why it is no
    article is recorded.
    """
    launch_readers()
    configured = configuration(has_log=True)
    names = known_sources(configured, sources or [])
    names = names or [name for name, source in configured.sources.items() if source.enabled]
    if not names:
        fail(f"no source in {configured.folder / 'sources'} is enabled", Exit.USAGE)
    finish(run(crawled(configured, names)), as_json)


async def crawled(configured: Configuration, names: Sequence[str]) -> list[RunReport]:
    """One round over *names*: none waits for another one's site."""
    from crawler import runs
    from crawler.services import open_services

    with Bar("pages") as bar:
        async with open_services(configured, await asyncio.to_thread(reachable)) as services:

            async def one(name: str) -> RunReport:
                return await runs.crawl_source(services, name, progress=bar.page)

            return list(await gathered([one(name) for name in names]))


async def gathered(works: Sequence[Coroutine[Any, Any, RunReport]]) -> list[RunReport]:
    """All at once; when this is interrupted, the end of every run is waited for and recorded."""
    tasks = [asyncio.create_task(work) for work in works]
    if not tasks:
        return []
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@told()
def recheck(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE_OR_URL]...", help="Articles of these sources, or at these addresses."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="T", help="Of sources: articles first seen since then. Default: a day ago.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at stored articles again, now: is there a new wording, or are they gone?

    Without names those of all sources that are on. No feed, sitemap or section page is asked. Exit code 1 when a run
    failed or no article is known at an address.
    """
    from crawler.cli.read import moment

    launch_readers()
    configured = configuration(has_log=True)
    urls = [one for one in what or [] if "." in one or "/" in one]  # no name of a source has either
    names = known_sources(configured, [one for one in what or [] if one not in urls])
    if not what:
        names = [name for name, source in configured.sources.items() if source.enabled]
    seen = moment(since, configured) if since else datetime.now(UTC) - timedelta(days=1)
    reports, unknown = run(rechecked(configured, names, urls, seen))
    for url in unknown:
        err().print(plain(f"no article is known at {url}"))
    if unknown and not reports:
        raise typer.Exit(Exit.NOT_ALL)
    finish(reports, as_json, is_all=not unknown)


async def rechecked(
    configured: Configuration, names: Sequence[str], urls: Sequence[str], since: datetime
) -> tuple[list[RunReport], list[str]]:
    """The runs, and those of *urls* at which no article is known."""
    from crawler import runs
    from crawler.services import open_services

    places = asyncio.Semaphore(configured.settings.crawl.sources_at_once)
    with Bar("pages") as bar:
        async with open_services(configured, await asyncio.to_thread(reachable)) as services:
            due, unknown = await services.store.recheck_now(names, urls, since)
            for name in sorted(set(due) - set(configured.sources)):
                unknown.append(f"any address of {name}, which has no file in {configured.folder / 'sources'}")

            async def one(name: str) -> RunReport:
                async with places:
                    return await runs.crawl_source(services, name, progress=bar.page, kind="recheck")

            reports = await gathered([one(name) for name in due if name in configured.sources])
            return reports, unknown


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
    source: OwnerOption = None,
    diff: Annotated[bool, typer.Option("--diff", help="Only say what would change; nothing is written.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Of the archive: from the beginning, also where a replay was killed.")
    ] = False,
    fetched_at: FetchedOption = None,
    queue: FilesQueueOption = False,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read stored pages again, the same way as live ones.

    After the reader was improved, `nachlese replay --archive --diff` says what would become of the archive, and without
    --diff it is written.
    """
    from crawler.cli.read import moment

    prepare(queue, follow)
    configured = configuration(has_log=True)
    if bool(paths) == archive:
        fail("say what to replay: either files and folders, or --archive", Exit.USAGE)
    refuse_pairs(archive, diff=diff, again=again, fetched_at=fetched_at, queue=queue)
    if source and archive is False:
        known_sources(configured, [source])
    if missing := [str(path) for path in paths or [] if not path.exists()]:
        fail(f"there is no {', '.join(missing)}", Exit.USAGE)
    times = {name: moment(text, configured) if text else None for name, text in (("since", since), ("at", fetched_at))}
    what = {"source": source, "since": times["since"], "fetched_at": times["at"]}
    if diff:
        raise typer.Exit(show_differences(run(compared(configured, paths, what)), as_json))
    if queue:
        from crawler.cli.batches import queue_replay

        queue_replay(configured, source, times["since"], again, follow, as_json)
    if archive:
        report, said = run(reread(configured, source, times["since"], again))
        if said and not as_json:
            tell(said)
        finish([report], as_json)
    finish([run(replayed(configured, paths or [], what))], as_json)


def refuse_pairs(archive: bool, *, diff: bool, again: bool, fetched_at: str | None, queue: bool) -> None:
    """No option of a replay is silently left out because of another one. Raises Failure."""
    pairs = {
        "--queue goes with --archive: files are read here": queue and not archive,
        "--diff and --queue exclude each other: --diff says here what would change and writes nothing, --queue lets "
        "workers read the archive and write": queue and diff,
        "--again goes with --archive: files are read from the beginning each time": again and not archive,
        "--fetched-at goes with files: of each page the archive knows when it was fetched": fetched_at and archive,
    }
    for said, is_refused in pairs.items():
        if is_refused:
            fail(said, Exit.USAGE)


async def replayed(configured: Configuration, paths: list[Path], what: dict[str, Any]) -> RunReport:
    from crawler import runs
    from crawler.services import open_services

    with Bar("pages") as bar:
        async with open_services(configured, await asyncio.to_thread(reachable), is_crawling=False) as services:
            return await runs.replay(services, paths, **what, progress=bar.page)


async def reread(
    configured: Configuration, source: str | None, since: datetime | None, again: bool
) -> tuple[RunReport, str]:
    """The run over the archive, and what is to be said of what an earlier one had read."""
    from crawler.rereading import reread_archive
    from crawler.services import open_services

    bar = BytesBar("pages")
    with bar:
        async with open_services(configured, await asyncio.to_thread(reachable), is_crawling=False) as services:
            report, found = await reread_archive(services, source, since, again=again, progress=bar.of)
    said = (
        f"gone on with a replay that was killed: {count(found.done_before, 'file')} of {found.files:,} was read before"
    )
    return report, said if found.done_before else ""


async def compared(configured: Configuration, paths: list[Path] | None, what: dict[str, Any]) -> list[Comparison]:
    from crawler.comparing import compare
    from crawler.rereading import names_in, warn_of_lost_files
    from crawler.services import open_services

    with Bar("pages") as bar:
        async with open_services(configured, await asyncio.to_thread(reachable), is_crawling=False) as services:
            if paths is None:
                await warn_of_lost_files(services, await asyncio.to_thread(names_in, services))
            return await compare(services, paths or services.archive_paths(), **what, progress=bar.page)


def show_differences(found: Sequence[Comparison], as_json: bool) -> Exit:
    """What a replay would do. Looking went well whatever it found."""
    for one in found:
        if as_json:
            changes = {name: {"old": old, "new": new} for name, (old, new) in one.changes.items()}
            record = {"url": one.url, "source": one.source, "ending": one.outcome, "reason": one.reason}
            print_json(record | {"changes": changes})
        elif one.outcome != "unchanged" or one.changes:
            show_difference(one)
    if not as_json:
        endings = Counter(one.outcome for one in found)
        said = ", ".join(f"{number} {ending.replace('_', ' ')}" for ending, number in sorted(endings.items()))
        out().print(f"{count(len(found), 'page')} would end: {said or 'nothing'}. Nothing was written.")
    return Exit.WELL


def show_difference(one: Comparison) -> None:
    from rich.text import Text

    console = out()
    console.print(
        Text(plain(f"{one.outcome.replace('_', ' ')}  {one.url}" + (f"  {one.reason}" if one.reason else "")))
    )
    for name, (old, new) in one.changes.items():
        for line in difference(name, old, new):
            console.print(Text(plain(f"    {line}")))


def difference(name: str, old: object, new: object) -> list[str]:
    """The changed field in a few lines; of a text, the changed paragraphs."""
    if name != "text":
        return [f"{name}: {old} -> {new}"]
    changed = difflib.ndiff(str(old).split("\n\n"), str(new).split("\n\n"))
    return [f"text {line[:300]}" for line in changed if line[0] in "+-"]


@told()
def schedule(
    sources: SourcesOption = "",
    tags: TagsOption = "",
    queue: Annotated[
        bool, typer.Option("--queue", help="Run nothing: put what is due into the queue for `nachlese worker`.")
    ] = False,
) -> None:
    """Run every source when its schedule says so, until stopped by Ctrl-C or SIGTERM (exit code 0).

    SIGUSR1: begin nothing new, and end with the last run.
    """
    if not queue:
        launch_readers()
    configured = configuration(is_reading=not queue)
    start_logging(configured.settings.log_level, form=configured.settings.log_format)
    is_mine = chosen(configured, sources, tags)
    if queue:
        raise typer.Exit(run(queueing().serve_schedule(configured, is_mine)))
    from crawler import schedule as scheduler

    raise typer.Exit(run(scheduler.serve(configured, is_mine)))
