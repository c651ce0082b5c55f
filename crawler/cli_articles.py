"""``nachlese articles``, ``explain`` and ``status``: looking at what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crawler.cli_common import Exit, configuration, count, fail, open_store, out, plain, print_json, run, told, when
from crawler.cli_read import moment, print_line

if TYPE_CHECKING:
    from pipelines.store import Row

app = typer.Typer(no_args_is_help=True, help="The stored articles: list them, show one.")

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]


@app.command("list")
@told()
def list_articles(
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only this source.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="Only what was published from then on.", show_default=False)
    ] = None,
    words: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="Only articles that contain all these words.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="At most so many, latest first; 0: all.")] = 50,
    copies: Annotated[bool, typer.Option(help="Also texts that another article had first.")] = True,
    as_json: JsonOption = False,
) -> None:
    """List stored articles, latest first."""
    configured = configuration()
    zones = {name: entry.zone for name, entry in configured.sources.items()}
    wanted = {"source": source, "since": moment(since, configured) if since else None, "words": words}
    rows = run(_articles(wanted | {"limit": limit or 2**31 - 1, "copies": copies}))
    if as_json:
        from crawler import records

        for row in rows:
            print_json(records.of_row(row, zones.get(row["source"], ZoneInfo("UTC"))))
        return
    show_articles(rows, ZoneInfo(configured.settings.time_zone))


async def _articles(wanted: dict[str, Any]) -> list[Row]:
    async with await open_store() as store:
        return await store.articles(**wanted)


def show_articles(rows: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> None:
    from rich.table import Table

    rows = list(rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "published", "source"):
        table.add_column(name, no_wrap=True, justify="right" if name == "id" else "left")
    table.add_column("title", ratio=1)
    table.add_column("words", justify="right", no_wrap=True)
    for row in rows:
        title = plain(row["title"]) + (f" (copy of {row['copy_of']})" if row.get("copy_of") else "")
        published = published_text(row, zone)
        table.add_row(str(row["id"]), published, plain(row["source"]), _text(title), f"{words_in(row):,}")
    console = out()
    console.print(table if rows else "no articles yet: nachlese crawl brings some")


def published_text(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    """As exactly as it is known: no time of day where only the day was stated."""
    text = when(row.get("published_at"), zone)
    return text[:10] if row.get("published_precision") == "day" else text


def words_in(row: Mapping[str, Any]) -> int:
    return row.get("word_count") or len((row.get("text") or "").split())


@app.command()
@told()
def show(
    article: Annotated[str, typer.Argument(metavar="ID_OR_URL", help="The number from the list, or an address.")],
    as_json: JsonOption = False,
) -> None:
    """Show one stored article, with what was stripped from its page."""
    configured = configuration()
    row = run(_article(article))
    if row is None:
        fail(f"no stored article {plain(article)}; nachlese explain URL tells what became of a page")
    entry = configured.sources.get(row["source"])
    zone = entry.zone if entry else ZoneInfo(configured.settings.time_zone)
    if as_json:
        from crawler import records

        print_json(records.of_row(row, zone))
        return
    removed, text = row.pop("removed", None) or [], row.pop("text", None) or ""
    for name, value in row.items():
        if value not in (None, "", [], {}) and not name.endswith("_markdown"):
            print_line(f"{name:<24} {told_value(value, zone)}")
    print_line("")
    for paragraph in text.split("\n\n"):
        print_line(paragraph)
        print_line("")
    for piece in removed:
        print_line(f"stripped [{piece.get('rule')}] {piece.get('text')}")


async def _article(what: str) -> Row | None:
    async with await open_store() as store:
        return await store.article(int(what) if what.isdigit() else what)


def told_value(value: Any, zone: ZoneInfo) -> str:
    """Any value of a row in one line."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {told_value(item, zone)}" for key, item in value.items() if item is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(told_value(item, zone) for item in value)
    return plain(value)


@told()
def explain(
    url: Annotated[str, typer.Argument(help="The page's address, as it stood in the feed or as the article shows it.")],
    as_json: JsonOption = False,
) -> None:
    """Tell one page's story: where it was found, what was tried, how it ended, where it lies in the archive."""
    configured = configuration()
    story = run(_story(url))
    if as_json:
        print_json(story)
    else:
        tell(story, ZoneInfo(configured.settings.time_zone))
    if not (story["pages"] or story["article"] or story["archive"]):
        fail("nobody has seen this page: no feed, sitemap, section page or replay has named it")


async def _story(url: str) -> Row:
    async with await open_store() as store:
        return await store.explain(url)


def tell(story: Row, zone: ZoneInfo) -> None:
    """The story in the order in which it happened."""
    print_line(story["url"])
    for title, rows in (
        ("found", story["pages"]),
        ("tried", story["attempts"]),
        ("ended", story["endings"]),
        ("archived", story["archive"]),
        ("versions", story["versions"]),
    ):
        if rows:
            print_line(f"\n{title}")
        for row in rows:
            known = {name: value for name, value in row.items() if value is not None and value != ""}
            print_line("  " + ", ".join(f"{name} {told_value(value, zone)}" for name, value in known.items()))
    if story["article"]:
        row = story["article"]
        copy = f", copy of article {row['copy_of']}" if row.get("copy_of") else ""
        print_line(f"\narticle {row['id']}: {row['title']}{copy}")


@told()
def status(
    runs: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the last runs to list.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Show each source's last and next run, and what waits.

    Exit code 0 whatever the state: looking went well.
    """
    configured = configuration()
    sources, last = run(_status(runs))
    if as_json:
        for row in sources:
            print_json({"kind": "source", **row})
        for row in last:
            print_json({"kind": "run", **row})
        return
    zone = ZoneInfo(configured.settings.time_zone)
    show_rows(sources, zone, "no source has run yet: nachlese crawl")
    if last:
        print_line("")
        show_rows(last, zone, "")


async def _status(runs: int) -> tuple[list[Row], list[Row]]:
    async with await open_store() as store:
        return await store.status(), await store.last_runs(limit=runs) if runs else []


def show_rows(rows: list[Row], zone: ZoneInfo, otherwise: str) -> None:
    """Any rows as a table; columns in which nothing stands are left out."""
    from rich.table import Table

    if not rows:
        print_line(otherwise)
        return
    names = [name for name in rows[0] if any(row[name] not in (None, "", {}, []) for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*(_text(_short(row[name], zone)) for name in names))
    out().print(table)


def _short(value: Any, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    return when(value, zone) if isinstance(value, datetime) else told_value(value, zone)


def _text(value: str) -> Any:
    from rich.text import Text

    return Text(value)


def ago(at: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that fits."""
    if at is None:
        return "never"
    seconds = int(((now or datetime.now(UTC)) - at).total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if abs(seconds) >= size:
            return count(abs(seconds) // size, unit) + (" ago" if seconds > 0 else " from now")
    return "now"


__all__ = ["Exit", "ago", "app", "explain", "show_articles", "status"]
