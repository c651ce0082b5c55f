"""What commands that read pages have in common before they begin: options, which sources, the start of readers."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.common import Exit, fail, known_sources

if TYPE_CHECKING:
    from crawler.config import Configuration, Source

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
SourcesOption = Annotated[
    str, typer.Option("--sources", metavar="NAME,...", help="Only these sources.", show_default=False)
]
TagsOption = Annotated[
    str, typer.Option("--tags", metavar="TAG,...", help="Only sources with one of these tags.", show_default=False)
]
FilesQueueOption = Annotated[
    bool, typer.Option("--queue", help="Read nothing: put the files into the queue for `nachlese worker`.")
]
FollowOption = Annotated[
    bool, typer.Option("--follow", help="With --queue: wait for the workers, and show how far they have come.")
]


def queueing() -> ModuleType:
    """crawler.worker, or exit code 2 where its library is not installed."""
    try:
        from crawler import worker as found
    except ImportError as error:
        if error.name != "procrastinate":
            raise
        fail('the queue needs an extra: pip install "nachlese[workers]"', Exit.USAGE)
    return found


def chosen(configured: Configuration, sources: str, tags: str) -> Callable[[Source], bool]:
    """Whether a source is one of *sources* or has one of *tags*; all are where neither is given."""
    names = known_sources(configured, words(sources))
    wanted = set(words(tags))
    there = {tag for source in configured.sources.values() for tag in source.tags}
    if unknown := sorted(wanted - there):
        fail(f"no source has the tag {unknown[0]!r}; there are: {', '.join(sorted(there)) or 'none'}", Exit.USAGE)
    if not names and not wanted:
        return lambda source: True
    return lambda source: source.name in names or not wanted.isdisjoint(source.tags)


def words(text: str) -> list[str]:
    return [word for word in (one.strip() for one in text.split(",")) if word]


def launch_readers() -> None:
    """Start the process of the readers, and load what a crawl needs: both take a second, at the same time.

    Before there is an event loop, which would stand still meanwhile.
    """
    from pipelines.reader_launch import launch

    launch()
    from crawler import runs  # noqa: F401


def prepare(queue: bool, follow: bool) -> None:
    """Start the readers, unless workers are to read. Raises Failure."""
    if follow and not queue:
        fail("--follow goes with --queue", Exit.USAGE)
    if not queue:
        launch_readers()
