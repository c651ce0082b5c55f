"""``nachlese demo`` at the prompt: what was done, in the words of a person who has not seen Nachlese before."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crawler.cli import web
from crawler.cli.articles import published_text, words_in
from crawler.cli.common import Exit, count, err, fail, new_table, out, run, start_logging, told
from crawler.cli.run_report import show_reports
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.demo import Demo

QUERY = (
    "SELECT source, count(*) AS articles, count(copy_of) AS copies FROM news.articles GROUP BY source ORDER BY source"
)
STRIPPED_SHOWN = 8


@told()
def demo(
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the result, no progress.")] = False,
    pages: Annotated[
        bool, typer.Option("--web", help="Show it as pages in the end, on 127.0.0.1, until Ctrl-C.")
    ] = False,
) -> None:
    """See it work, in less than a minute and without internet: news sites of our own, crawled twice.

    Everything happens in a place of its own beside your data, which the next demo begins anew.
    """
    from crawler import demo as demonstration
    from pipelines import database

    start_logging("ERROR")
    if pages:
        web.needed()
    try:
        with demonstration.place(database.home() / "demo") as folder, progress(quiet) as say:
            done = run(demonstration.demo(folder, say))
            if pages and not done.mistakes():
                show(done)
                web.show_demo(database.embedded(done.folder / "postgres"))
                raise typer.Exit(Exit.WELL)
    except demonstration.DemoRunning as running:
        fail(str(running))
    show(done)
    mistakes = done.mistakes()
    if mistakes:
        fail("the demo did not go as it should:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
    raise typer.Exit(Exit.WELL)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """One line that changes on a terminal, otherwise a line for each step."""
    console = err()
    if quiet:
        yield lambda words: None
    elif console.is_terminal:
        with console.status("") as line:
            yield lambda words: line.update(plain(words))
    else:
        yield lambda words: console.print(plain(words), soft_wrap=True)


def show(done: Demo) -> None:
    """The report, a part after the other."""
    heading(f"First crawl: {count(len(done.first), 'news site')} on this machine, found by feed, sitemap, section page")
    show_reports(done.first)
    heading("Seed texts, replayed through the same path as live pages")
    show_reports([done.seeds])
    heading("Second crawl: what has not changed is not requested")
    show_second(done)
    heading(f"{count(len(done.articles), 'article')} in the database")
    show_articles(done.articles)
    heading("Stripped from the pages, kept for whoever wants to see it")
    show_removed(done)
    heading("Look at it yourself")
    show_next(done)


def heading(words: str) -> None:
    from rich.text import Text

    out().print()
    out().print(Text(words, style="bold cyan"))


def show_second(done: Demo) -> None:
    first, second = done.asked_first, done.asked_second
    new = sum(report.counts.new + report.counts.new_version + report.counts.copy for report in done.second)
    line(f"{count(second.articles, 'article request')} (first crawl: {first.articles}), {new} added to the database.")
    line(
        f"{second.lists} requests for robots.txt, feeds, sitemaps, sections: {second.not_modified} times not modified."
    )


def show_articles(rows: Sequence[dict[str, Any]]) -> None:
    from rich.text import Text

    table = new_table("source", "published", "words>", "title")
    zone = ZoneInfo("Europe/Berlin")
    first = {row["id"]: row["source"] for row in rows}
    for row in sorted(rows, key=lambda row: (row["source"], row["id"])):
        copy = f"[copy of {first.get(row['copy_of'], row['copy_of'])}] " if row["copy_of"] else ""
        published, words = published_text(row, zone), f"{words_in(row):,}"
        table.add_row(plain(row["source"]), published, words, Text(short(copy + row["title"], 62)))
    out().print(table)


def short(text: str, longest: int) -> str:
    text = plain(text)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def show_removed(done: Demo) -> None:
    """A few pieces, of as many rules as possible."""
    from rich.text import Text

    of_rule = {piece[2]: piece for piece in reversed(done.removed)}
    first = [piece for piece in done.removed if piece is of_rule[piece[2]]]
    for source, _, rule, text in first[:STRIPPED_SHOWN]:
        out().print(Text(f"{source:<12} {rule:<14} {short(text, 70)}"))
    line(f"{count(len(done.removed), 'piece')} by {count(len(of_rule), 'rule')} in all.")


def show_next(done: Demo) -> None:
    here = f"NACHLESE_HOME={shlex.quote(str(done.folder))}"
    line(f"address   {done.address}")
    line("          It runs while a command uses it; each of these starts it by itself:")
    line(f"          export {here}")
    line(f'          nachlese db query "{QUERY}"')
    line("          nachlese articles list --limit 5")
    line("          nachlese db psql")
    line("          nachlese web")
    line("Your own data is kept apart from it. Next: nachlese sources list, nachlese crawl.")
    line(f"Done in {done.seconds:.0f} s.")


def line(words: str) -> None:
    """Left as long as it is, so that commands can be copied."""
    from rich.text import Text

    out().print(Text(words), soft_wrap=True)
