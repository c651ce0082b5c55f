"""``nachlese worker``: slots and files out of the queue."""

from __future__ import annotations

from typing import Annotated

import typer

from crawler.cli.common import Exit, configuration, fail, run, start_logging, told
from crawler.cli.run_options import SourcesOption, TagsOption, chosen, launch_readers, queueing, words


@told()
def worker(
    sources: SourcesOption = "",
    tags: TagsOption = "",
    queues: Annotated[
        str,
        typer.Option(
            "--queues",
            metavar="NAME,...",
            help="slots: what the schedule finds due; files: of backfills and replays. Default: both, and with "
            "--sources or --tags slots only.",
            show_default=False,
        ),
    ] = "",
    concurrency: Annotated[int, typer.Option("--concurrency", metavar="N", min=1, help="Most slots at a time.")] = 64,
) -> None:
    """Run what `nachlese schedule --queue` finds due, and read what `nachlese backfill --queue` and `nachlese replay
    --archive --queue` put in, on any number of machines, until SIGTERM (exit code 0).

    SIGUSR1: take nothing new, and end with the last run.
    """
    found = queueing()
    kinds = words(queues) or (["slots"] if sources or tags else list(found.KINDS))
    if unknown := sorted(set(kinds) - set(found.KINDS)):
        fail(f"there is no queue {unknown[0]!r}; there are: {', '.join(found.KINDS)}", Exit.USAGE)
    launch_readers()
    configured = configuration()
    start_logging(configured.settings.log_level, form=configured.settings.log_format)
    is_mine = chosen(configured, sources, tags)
    names = [source.name for source in configured.sources.values() if is_mine(source)] if sources or tags else None
    raise typer.Exit(run(found.serve_worker(configured, names, concurrency, kinds)))
