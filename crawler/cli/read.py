"""``nachlese read``: one page, read and shown; nothing is stored."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.common import Exit, configuration, count, fail, known_sources, out, print_json, run, told, when
from crawler.logs import plain

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from crawler.config import Configuration
    from crawler.files import Unreadable
    from pipelines.items import Article, Page, Rejected
    from pipelines.reading.rules import Rules


@told()
def read(
    what: Annotated[
        str,
        typer.Argument(metavar="FILE_OR_URL", help="A saved page, a text (.txt), a WARC file, an address, or -."),
    ],
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read by the rules of this source's file.", show_default=False)
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="U", help="The page's address, where the file does not tell.", show_default=False),
    ] = None,
    fetched_at: Annotated[
        str | None,
        typer.Option(
            metavar="T",
            help="When the page was fetched (2026-03-01T18:00+01:00): what 'heute' on it means. "
            "Default: when the file was last changed.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Also show what each place of the page says and what was stripped, by rule.")
    ] = False,
) -> None:
    """Read one page and show the article. Nothing is stored.

    A WARC file may hold several pages; each is read. Exit code 1 when a page is no article.
    """
    from crawler.files import Unreadable

    configured = configuration()
    if source:
        known_sources(configured, [source])
    at = moment(fetched_at, configured) if fetched_at else None
    found = pages(what, configured, source, url, at)
    if not found:
        fail(f"{what}: there is no page in it")
    well = True
    for page in found:
        if isinstance(page, Unreadable):
            show_rejected(page, as_json)
            well = False
        else:
            well = read_one(page, configured, as_json, why) and well
    raise typer.Exit(Exit.WELL if well else Exit.NOT_ALL)


def read_one(page: Page, configured: Configuration, as_json: bool, why: bool) -> bool:
    """Whether the page was an article."""
    from pipelines import reading
    from pipelines.items import Rejected

    rules = rules_for(page.source, configured)
    try:
        article = reading.read(page, rules)
    except Rejected as rejected:
        show_rejected_page(page, rejected, as_json)
        return False
    show(article, rules.time_zone, as_json, why)
    if why and not as_json:
        show_places(page, article, rules)
    return True


def pages(
    what: str, configured: Configuration, source: str | None, url: str | None, at: datetime | None
) -> list[Page | Unreadable]:
    """The pages behind the argument: standard input, the web, or a file."""
    from crawler import files

    largest = configured.settings.limits.page
    hosts = hosts_of(configured)
    if what == "-":
        body = sys.stdin.buffer.read(largest + 1)
        if len(body) > largest:
            fail(f"standard input has more than {largest:,} bytes (limits.page in settings.toml)")
        now = at or datetime.now(UTC)
        return [files.from_bytes(body, name=url or "stdin:", url=url, source=source, fetched_at=now, hosts=hosts)]
    if what.lower().startswith(("http://", "https://")):
        return [run(fetched(what, configured, source))]
    path = Path(what)
    if not path.exists():
        fail(f"{what}: there is no such file; an address begins with http:// or https://", Exit.USAGE)
    return list(files.pages([path], source=source, url=url, fetched_at=at, hosts=hosts, largest=largest))


async def fetched(url: str, configured: Configuration, source: str | None) -> Page | Unreadable:
    """One guarded request, under the same rules as every other of ours."""
    from crawler import single_fetch
    from crawler.config import REPLAY
    from crawler.files import Unreadable
    from pipelines.items import Rejected

    try:
        return await single_fetch.page(url, source, configured)
    except Rejected as rejected:
        return Unreadable(url, source or REPLAY, rejected.reason, rejected.detail)


def hosts_of(configured: Configuration) -> dict[str, str]:
    """Host of the homepage -> name of the source."""
    from urllib.parse import urlsplit

    return {urlsplit(source.homepage).hostname or "": name for name, source in configured.sources.items()}


def rules_for(source: str, configured: Configuration) -> Rules:
    return configured.sources[source].rules() if source in configured.sources else configured.rules()


def moment(text: str, configured: Configuration) -> datetime:
    """A time as a person types it; without an offset it is meant in the configured zone."""
    from zoneinfo import ZoneInfo

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is not a time; write it like 2026-03-01T18:00+01:00 or 2026-03-01", Exit.USAGE)
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(configured.settings.time_zone))


def show_rejected_page(page: Page, rejected: Rejected, as_json: bool) -> None:
    from crawler.files import Unreadable

    show_rejected(Unreadable(page.url, page.source, rejected.reason, rejected.detail), as_json)


def show_rejected(page: Unreadable, as_json: bool) -> None:
    if as_json:
        record = {"url": page.url, "source": page.source, "rejected": str(page.reason), "detail": page.detail}
        print_json(record)
    else:
        print_line(f"{page.url}: no article, {page.reason}" + (f" ({page.detail})" if page.detail else ""))


def show(article: Article, zone: ZoneInfo, as_json: bool, why: bool) -> None:
    """The article as a record, or as a person reads it."""
    from crawler import records

    if as_json:
        print_json(records.of_article(article, zone, with_removed=why))
        return
    for label, value in facts(article, zone, why):
        print_line(f"{label:<10} {value}")
    print_line("")
    for paragraph in article.text.split("\n\n"):
        print_line(paragraph)
        print_line("")
    if why:
        print_line(f"stripped: {count(len(article.removed), 'piece')}")
        for piece in article.removed:
            print_line(f"  [{piece.rule}] {piece.text}")


def show_places(page: Page, article: Article, rules: Rules) -> None:
    """What the page's places say, field by field; '=' where that was taken as it stands there."""
    from pipelines.reading.fields import why

    taken = {article.title, article.teaser, article.section, ", ".join(article.authors), *article.authors}
    said = why.candidates(page, rules)
    if said:
        print_line("what the page says, the most trusted place first (= taken, see docs/reading.md):")
    for each in said:
        is_taken = each.is_chosen or (each.field in ("title", "teaser", "section") and each.value in taken)
        precision = f" (to the {each.precision})" if each.precision else ""
        is_text = each.field in ("title", "teaser", "section")
        note = "" if is_text or each.believed is not None else " (not believed)"
        print_line(f"  {'=' if is_taken else ' '} {each.field:<10} {each.place:<34} {each.value}{precision}{note}")


def facts(article: Article, zone: ZoneInfo, why: bool) -> list[tuple[str, str]]:
    """Label and value of everything the page told beside its text."""
    from pipelines.reading.rights import reservations

    published, modified = when(article.published_at, zone), when(article.modified_at, zone)
    if why and article.published_at:
        published += f" (to the {article.published_precision}, from {article.published_provenance})"
    if why and article.modified_at:
        modified += f" (to the {article.modified_precision}, from {article.modified_provenance})"
    details = "; ".join(
        f"{label}: {', '.join(value) if isinstance(value, list) else value}" for label, value in article.details.items()
    )
    free = {True: "yes", False: "no, behind a paywall", None: ""}[article.is_accessible_for_free]
    picture = article.image
    image = " | ".join(filter(None, (picture.url, picture.caption, picture.credit))) if picture else ""
    teaser = article.teaser or ""
    if why and teaser and not article.teaser_is_visible:
        teaser += " (from the metadata, not shown on the page)"
    pages_read = f"{article.pages_read} of {article.pages_total}" if article.pages_total > 1 else ""
    found = [
        ("title", article.title),
        ("kicker", article.kicker),
        ("teaser", teaser),
        ("url", article.canonical_url),
        ("source", article.source),
        ("published", published),
        ("modified", modified if article.modified_at else ""),
        ("section", ", ".join(article.sections) or article.section),
        ("authors", ", ".join(article.authors)),
        ("keywords", ", ".join(article.keywords)),
        ("agency", article.agency),
        ("dateline", article.dateline),
        ("details", details),
        ("image", image),
        ("language", article.language),
        ("free", free),
        ("licence", article.rights.license),
        ("rights", "; ".join(said for _, said in reservations(article.rights))),
        ("amp", article.amp_url),
        ("container", article.container if why else ""),
        ("kind", str(article.kind) if article.kind != "article" else ""),
        ("pages", pages_read),
        ("words", str(len(article.text.split()))),
    ]
    return [(label, value) for label, value in found if value]


def print_line(text: str) -> None:
    """A line as long as it is; rich wraps it on a terminal only."""
    from rich.text import Text

    out().print(Text(plain(text)))
