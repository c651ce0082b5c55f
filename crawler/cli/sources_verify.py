"""``nachlese sources verify`` and ``nachlese sources export``: what works on this network, and the list for others."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.common import (
    Exit,
    configuration,
    count,
    err,
    known_sources,
    new_table,
    out,
    print_json,
    print_table,
    run,
    told,
)
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.config import Configuration
    from crawler.probing.verify import Verdict


@told()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these sources; without: all, also disabled ones."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Leave `verified` in the files as it stands.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each source, for programs.")] = False,
) -> None:
    """Look at every source once: its documents, and three of its articles. Sources that deliver are marked.

    Their files get `verified = true`; files of sources that do not stay as they are, and the table says why. Nothing
    is stored. Exit code 1 where a source does not deliver.
    """
    configured = configuration()
    wanted = known_sources(configured, names or sorted(configured.sources))
    verdicts = run(verdicts_of(configured, wanted, as_json))
    marked = [] if dry_run else mark(configured, verdicts)
    if not as_json:
        show(verdicts, marked)
    raise typer.Exit(Exit.WELL if all(one.works for one in verdicts) else Exit.NOT_ALL)


async def verdicts_of(configured: Configuration, names: list[str], as_json: bool) -> list[Verdict]:
    from rich.text import Text

    from crawler.probing.verify import verify

    found = []
    async for one in verify(configured, names):
        found.append(one)
        if as_json:
            print_json(dataclasses.asdict(one) | {"works": one.works})
        else:
            err().print(Text(plain(f"{len(found)} of {len(names)}: {one.source}"), style="dim"))
    return sorted(found, key=lambda one: one.source)


def mark(configured: Configuration, verdicts: list[Verdict]) -> list[str]:
    """The sources whose files say from now on that they were seen to deliver."""
    from crawler.probing import source_toml
    from pipelines.atomic import write_whole

    marked = []
    for one in verdicts:
        if one.works and not configured.sources[one.source].verified:
            path = configured.folder / "sources" / f"{one.source}.toml"
            write_whole(path, source_toml.changed(path, {"verified": True}).encode())
            marked.append(one.source)
    return marked


def show(verdicts: list[Verdict], marked: list[str]) -> None:
    table = new_table("", "source", "documents", "links", "articles", "what is wrong", folds=True)
    for one in verdicts:
        trouble = "; ".join(one.trouble[:3]) + (f"; and {len(one.trouble) - 3} more" if len(one.trouble) > 3 else "")
        documents = f"{one.documents_well} of {one.documents}"
        articles = f"{one.read} of {one.asked}"
        table.add_row("✓" if one.works else "✗", one.source, documents, str(one.links), articles, plain(trouble))
    print_table(table)
    works = sum(one.works for one in verdicts)
    said = f"; marked as verified: {', '.join(marked)}" if marked else ""
    out().print(plain(f"{works} of {count(len(verdicts), 'source')} deliver{said}"), soft_wrap=True)


@told()
def export(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these sources.")] = None,
    opml: Annotated[bool, typer.Option("--opml", help="As OPML, which every feed reader takes.")] = True,
) -> None:
    """The sources as a list for other programs, on standard output: their feeds, with title and first page.

    A source without a feed has no place in OPML; it is named on standard error.
    """
    configured = configuration(is_reading=False)
    wanted = known_sources(configured, names or sorted(configured.sources))
    sys.stdout.write(opml_of(configured, wanted))
    without = [name for name in wanted if not configured.sources[name].discover.feeds]
    if without:
        err().print(plain(f"without a feed, and so not in the list: {', '.join(without)}"), soft_wrap=True)


def opml_of(configured: Configuration, names: list[str]) -> str:
    from xml.sax.saxutils import quoteattr

    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "<head><title>Nachlese</title></head>",
        "<body>",
    ]
    for name in names:
        source = configured.sources[name]
        feeds = source.discover.feeds
        for number, feed in enumerate(feeds, start=1):
            title = source.title if len(feeds) == 1 else f"{source.title} {number}"
            language = f" language={quoteattr(source.language)}" if source.language else ""
            lines.append(
                f'<outline type="rss" text={quoteattr(title)} title={quoteattr(title)} '
                f"xmlUrl={quoteattr(feed)} htmlUrl={quoteattr(source.homepage)}{language}/>"
            )
    return "\n".join([*lines, "</body>", "</opml>", ""])
