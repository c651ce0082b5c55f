"""``nachlese export``: articles as a file for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import Exit, configuration, count, err, fail, must_be_known, open_queries, run, told
from crawler.cli.read import moment

if TYPE_CHECKING:
    from crawler.config import Configuration


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@told()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its suffix tells the format; - is standard output.")],
    format_: Annotated[
        Format | None, typer.Option("--format", help="Where the suffix does not tell.", show_default=False)
    ] = None,
    watch: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what matches this watchlist.", show_default=False)
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only this source.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="Only what was published from then on.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="T", help="Only what was published before.", show_default=False)
    ] = None,
    copies: Annotated[bool, typer.Option(help="Also texts that another article had first.")] = True,
) -> None:
    """Write articles to a file: CSV, JSON lines or Parquet, with the columns of news.articles.

    The file is there when it is complete. In CSV no cell is a formula for a spreadsheet program.
    """
    configured = configuration(is_reading=False)
    form = format_ or next((one for one in Format if file.suffix.lower() == f".{one}"), None)
    if form is None:
        fail(f"the suffix of {file} tells no format; add --format {', '.join(Format)}", Exit.USAGE)
    wanted = {
        "watch": watch,
        "source": source,
        "since": moment(since, configured) if since else None,
        "until": moment(until, configured) if until else None,
        "copies": copies,
    }
    written = run(_exported(file, form, wanted, configured))
    err().print(f"{count(written, 'article')} written" + ("" if str(file) == "-" else f" to {file}"), soft_wrap=True)


async def _exported(file: Path, form: Format, wanted: dict[str, Any], configured: Configuration) -> int:
    from crawler import exporting

    try:
        exporting.check(form)
    except exporting.NoParquet as error:
        fail(str(error), Exit.USAGE)
    async with await open_queries() as store:
        await must_be_known("source", wanted["source"], configured.sources, store)
        await must_be_known("watchlist", wanted["watch"], configured.watches, store)
        with exporting.opened(file, form) as write:
            async for rows in store.export(**wanted):
                write(rows)
        return write.written
