"""``nachlese articles``, ``explain`` and ``status``: looking at what is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crawler.cli.common import (
    configuration,
    count,
    fail,
    load_encoder,
    must_be_known,
    new_table,
    open_queries,
    out,
    print_json,
    run,
    told,
    when,
)
from crawler.cli.read import moment, print_line
from crawler.logs import plain

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
    configured = configuration(is_reading=False)
    zones = {name: entry.zone for name, entry in configured.sources.items()}
    wanted: dict[str, Any] = {"source": source, "since": moment(since, configured) if since else None, "words": words}
    wanted |= {"limit": limit or None, "copies": copies}
    if as_json:
        run(stream_articles(wanted, zones, ZoneInfo(configured.settings.time_zone)))
    else:
        is_all = source is None and since is None and words is None and copies
        none = "no articles yet: nachlese crawl brings some" if is_all else "no such articles"
        show_articles(run(_articles(wanted, zones)), ZoneInfo(configured.settings.time_zone), none)


async def stream_articles(wanted: dict[str, Any], zones: Mapping[str, ZoneInfo], zone: ZoneInfo) -> None:
    """Each article as it comes out of the database: there may be more of them than fit into memory.

    Times are in the zone of the source, in *zone* where the source is not configured.
    """
    from crawler import records

    async with await open_queries() as store:
        await must_be_known("source", wanted["source"], zones, store)
        async for row in store.each_article(**wanted):
            print_json(records.of_row(row, zones.get(row["source"], zone)))


async def _articles(wanted: dict[str, Any], configured: Collection[str]) -> list[Row]:
    """As rows of a list: without what makes them large."""
    async with await open_queries() as store:
        await must_be_known("source", wanted["source"], configured, store)
        return [
            {name: value for name, value in row.items() if name not in ("text", "text_markdown")}
            | {"words": words_in(row)}
            async for row in store.each_article(**wanted)
        ]


def show_articles(rows: Iterable[Mapping[str, Any]], zone: ZoneInfo, none: str) -> None:
    """A table; *none* is said where it would be empty."""
    rows = list(rows)
    table = new_table("id>", "published", "source")
    table.add_column("title", ratio=1)
    table.add_column("words", justify="right", no_wrap=True)
    for row in rows:
        title = plain(row["title"]) + (f" (copy of {row['copy_of']})" if row.get("copy_of") else "")
        published = published_text(row, zone)
        table.add_row(str(row["id"]), published, plain(row["source"]), _text(title), f"{words_in(row):,}")
    console = out()
    console.print(table if rows else none)


def published_text(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    """As exactly as it is known: no time of day where only the day was stated."""
    text = when(row.get("published_at"), zone)
    return text[:10] if row.get("published_precision") == "day" else text


def words_in(row: Mapping[str, Any]) -> int:
    return row.get("words") or row.get("word_count") or len((row.get("text") or "").split())


@app.command()
@told()
def search(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help='All these words; "in this order", -without, one or other.')
    ],
    language: Annotated[
        str | None, typer.Option("--lang", metavar="CODE", help="Only texts in this language.", show_default=False)
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only this source.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="Only what was published from then on.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="At most so many, best first.")] = 20,
    meaning: Annotated[
        bool, typer.Option("--meaning", help="Also what means the like in other words (nachlese db meanings).")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Search title, teaser and text, best first, with the places that were found."""
    configured = configuration(is_reading=False)
    after = moment(since, configured) if since else None
    vector = load_encoder()([query])[0] if meaning else None
    rows = run(_found(query, language, after, source, limit, vector, configured.sources))
    if as_json:
        for row in rows:
            print_json(row)
        return
    zone = ZoneInfo(configured.settings.time_zone)
    for row in rows:
        print_line(f"{row['id']}  {when(row['published_at'], zone)}  {row['source']}  {row['title']}")
        print_line(f"    {' '.join(row['snippet'].split())}")
    if not rows:
        print_line("nothing found")


async def _found(
    query: str,
    language: str | None,
    since: datetime | None,
    source: str | None,
    limit: int,
    meaning: str | None,
    configured: Collection[str],
) -> list[Row]:
    async with await open_queries() as store:
        await must_be_known("source", source, configured, store)
        return await store.search(query, language, since, source, limit, meaning)


@app.command()
@told()
def show(
    article: Annotated[str, typer.Argument(metavar="ID_OR_URL", help="The number from the list, or an address.")],
    as_json: JsonOption = False,
) -> None:
    """Show one stored article, with what was stripped from its page."""
    configured = configuration(is_reading=False)
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
    async with await open_queries() as store:
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
    configured = configuration(is_reading=False)
    story = run(_story(url))
    if as_json:
        print_json(story)
    else:
        tell(story, ZoneInfo(configured.settings.time_zone))
    if not (story["pages"] or story["article"] or story["archive"]):
        fail("nobody has seen this page: no feed, sitemap, section page or replay has named it")


async def _story(url: str) -> Row:
    async with await open_queries() as store:
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
    every: Annotated[bool, typer.Option("--all", help="Also sources that are off and have never run.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show each source's last and next run, and what waits.

    Exit code 0 whatever the state: looking went well.
    """
    configured = configuration(is_reading=False)
    sources, last, alarms, batches = run(_status(runs))
    shown = [row for row in sources if every or row["enabled"] or row["last_run"] is not None]
    if as_json:
        for kind, rows in (("source", shown), ("run", last), ("alarm", alarms), ("batch", batches)):
            for row in rows:
                print_json({"kind": kind, **{"run_kind" if name == "kind" else name: row[name] for name in row}})
        return
    zone = ZoneInfo(configured.settings.time_zone)
    show_sources(shown, len(configured.sources) - sum(row["name"] in configured.sources for row in shown), zone)
    for alarm in alarms:
        print_line(f"alarm: {alarm['says']}. {alarm['advice']}")
    for batch in batches:
        files = f"{batch['files_ended']:,} of {count(batch['files'], 'file')}"
        print_line(
            f"{batch['kind']} by workers: {files}, {batch['found']:,} pages: nachlese batches {batch['id']} --follow"
        )
    if last:
        print_line("")
        show_runs(last, zone)


def show_sources(rows: list[Row], hidden: int, zone: ZoneInfo) -> None:
    table = new_table("source", "articles>", "pending>", "last run", "outcome", "next run")
    for row in rows:
        state = "off" if not row["enabled"] else when(row["next_run_at"], zone)
        outcome = row["last_run_outcome"] or ""
        began = when(row["last_run_started_at"], zone)
        table.add_row(plain(row["name"]), f"{row['articles']:,}", f"{row['pending']:,}", began, outcome, state)
    out().print(table if rows else "no source has run yet: nachlese crawl")
    for row in rows:
        if row["last_run_error"]:
            print_line(f"{row['name']}: {row['last_run_error']}")
        if row["enabled"] and row["is_quiet"]:
            brought = count(row["articles_last_day"], "article")
            print_line(f"{row['name']}: {brought} in the last 24 hours; its file expects {row['expected_per_day']}")
        if row["enabled"] and row["next_run_why"]:
            print_line(f"{row['name']}: next look {when(row['next_run_at'], zone)}: {row['next_run_why']}")
        if row["template_changed"]:
            print_line(f"{row['name']}: its latest articles do not stand where the earlier ones did: a new design?")
    if hidden:
        print_line(f"{count(hidden, 'source')} more, off or not known to the database yet: nachlese sources list")


def show_runs(rows: list[Row], zone: ZoneInfo) -> None:
    counts = ("found", "new", "new_version", "unchanged", "copy", "rejected", "pending")
    names = (f"{name.replace('_', ' ')}>" for name in counts)
    table = new_table("run>", "of", "began", "took>", "outcome", *names)
    for row in rows:
        source = f"{row['kind']} {row['source'] or ''}".replace("crawl ", "")
        took = f"{(row['ended_at'] - row['started_at']).total_seconds():.1f} s" if row["ended_at"] else ""
        numbers = [f"{row[name]:,}" if row["ended_at"] else "" for name in counts]
        table.add_row(str(row["id"]), plain(source), when(row["started_at"], zone), took, row["outcome"], *numbers)
    out().print(table)


async def _status(runs: int) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    async with await open_queries() as store:
        last = await store.last_runs(limit=runs) if runs else []
        return await store.status(), last, await store.open_alarms(), await store.batches(is_all=False)


def _text(value: str) -> Any:
    from rich.text import Text

    return Text(value)
