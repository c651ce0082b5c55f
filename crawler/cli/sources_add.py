"""``nachlese sources add``: from the address of a site to its source file and its saved pages."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import (
    Exit,
    configuration,
    count,
    err,
    fail,
    new_table,
    out,
    print_json,
    print_table,
    run,
    told,
    when,
)
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.config import Configuration
    from crawler.probing.drafting import Profile
    from crawler.probing.probe import Probe, Wanted

#: articles that are shown in the end, and characters of each
SHOWN, LONGEST = 5, 240


@told()
def add(
    urls: Annotated[
        list[str] | None,
        typer.Argument(metavar="[URL]...", help="A site's first page, or one of its feeds.", show_default=False),
    ] = None,
    opml: Annotated[
        Path | None, typer.Option("--opml", metavar="FILE", help="Add the subscriptions of an OPML file.")
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from-file", metavar="URLS", help="Add the addresses in a file, one a line; -: stdin."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The source's name; without it, made from the host.")
    ] = None,
    articles: Annotated[int, typer.Option(metavar="N", min=1, max=50, help="Articles that are asked for.")] = 12,
    allow_address: Annotated[
        list[str] | None,
        typer.Option(metavar="RANGE", help='A private address that may be asked, such as "127.0.0.1/32:8080".'),
    ] = None,
    cookie: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A cookie for the site, such as that of a consent.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the file, and write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file of the same name.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each address, for programs.")] = False,
) -> None:
    """Look at a site, write its source file with a comment on each choice, and save the pages that were read.

    robots.txt, delays and the guard against private addresses hold as in a crawl. Nothing is stored in the database.
    Exit code 1 where an address gave no source.
    """
    from crawler.config.values import allowed_address

    configured = configuration()
    try:
        allowed = tuple(allowed_address(text) for text in allow_address or ())
    except ValueError as error:
        fail(f"--allow-address: {error}", Exit.USAGE)
    cookies = cookies_of(cookie or [])
    wanted = [
        replace(one, count=articles, allow_addresses=(*allowed, *one.allow_addresses), cookies=cookies)
        for one in named(wanted_of(urls or [], opml, from_file, configured), name)
    ]
    well = run(add_all(wanted, configured, Output(dry_run, force, as_json)))
    raise typer.Exit(Exit.WELL if well else Exit.NOT_ALL)


def named(wanted: list[Wanted], name: str | None) -> list[Wanted]:
    """*wanted* under the *name* that was given, if one was; exit code 2 where that cannot be."""
    if not wanted:
        fail("give the address of a site, --opml FILE or --from-file URLS", Exit.USAGE)
    if not name:
        return wanted
    if len(wanted) > 1 or not is_name(name):
        fail("--name is for one address, and may hold a-z, 0-9, _ and -, up to 60 of them", Exit.USAGE)
    return [replace(one, name=name) for one in wanted]


def is_name(name: str) -> bool:
    from crawler.config import REPLAY, SOURCE_NAME

    return SOURCE_NAME.fullmatch(name) is not None and name != REPLAY


@dataclass(frozen=True)
class Output:
    """What becomes of a probe."""

    dry_run: bool
    force: bool
    as_json: bool


# --- what is asked for -----------------------------------------------------------------------------------------------


def cookies_of(texts: list[str]) -> dict[str, str]:
    from crawler.config.values import header_name, header_value

    cookies = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            if not equals:
                raise ValueError(f"{name!r} has no value; write NAME=VALUE")
            cookies[header_name(name)] = header_value(value)
        except ValueError as error:
            fail(f"--cookie: {error}", Exit.USAGE)
    return cookies


def wanted_of(urls: list[str], opml: Path | None, from_file: Path | None, configured: Configuration) -> list[Wanted]:
    """Everything that the command line names, each site once. A wrong address in a list is told, and the rest goes on.

    Whoever types a private address at the prompt means it; an address in a file may be anybody's.
    """
    from crawler.config.values import literal_address
    from crawler.probing.probe import Wanted
    from crawler.probing.profile import source_name

    found: list[Wanted] = []
    for text in urls:
        url = address(text)
        if isinstance(url, ValueError):
            fail(str(url), Exit.USAGE)
        found.append(Wanted(url, source_name(url), allow_addresses=literal_address(url), typed=True))
    for number, text in enumerate(lines_of(from_file) if from_file else [], start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        url = address(text)
        if isinstance(url, ValueError):
            err().print(plain(f"{from_file}, line {number}: {url}"))
            continue
        found.append(Wanted(url, source_name(url)))
    if opml:
        found += run(subscribed(opml, opml.read_bytes(), configured))
    unique: dict[str, Wanted] = {}
    for one in found:
        unique.setdefault(one.url, one)
    return list(unique.values())


def address(text: str) -> str | ValueError:
    """An address as people type it, of which a request can be made; without http:// it is one of https."""
    from crawler.config.values import web_address
    from pipelines.urls import BadUrl, normalise

    text = text.strip()
    try:
        url = web_address(text if "://" in text else f"https://{text}")
        normalise(url)
    except BadUrl as error:
        return ValueError(f"{url!r} is not a valid URL: {error}")
    except ValueError as error:
        return error
    return url


def lines_of(path: Path) -> list[str]:
    largest = 1_000_000
    data = sys.stdin.buffer.read(largest + 1) if str(path) == "-" else path.read_bytes()
    if len(data) > largest:
        fail(f"{path} is larger than {largest // 1000} kB; expected one address a line", Exit.USAGE)
    return data.decode("utf-8-sig", "replace").splitlines()


async def subscribed(path: Path, body: bytes, configured: Configuration) -> list[Wanted]:
    """The subscriptions of an OPML file, which is parsed in a reader process."""
    from crawler.probing.probe import Wanted
    from crawler.probing.profile import source_name
    from crawler.single_fetch import looking
    from pipelines.items import Rejected

    if len(body) > configured.settings.limits.document:
        fail(f"{path} is larger than limits.document of settings.toml")
    async with looking(configured) as services:
        try:
            subscriptions = await services.parsing.opml(body)
        except Rejected as rejected:
            fail(f"{path} cannot be read: {rejected}")
    for text in subscriptions.refused:
        err().print(plain(f"{path}: {text!r} is not a valid URL"))
    if not subscriptions.outlines:
        fail(f"{path} names no feed; expected OPML with <outline xmlUrl=...>")
    found: dict[str, Wanted] = {}
    for one in subscriptions.outlines:
        url = one.page or one.feed
        name = source_name(url)
        known = found.get(name)  # of a site with several feeds, one source
        feeds = (*known.feeds, one.feed) if known else (one.feed,)
        found[name] = Wanted(known.url if known else url, name, None if known else one.title, feeds)
    return list(found.values())


# --- one address -----------------------------------------------------------------------------------------------------


async def add_all(wanted: list[Wanted], configured: Configuration, output: Output) -> bool:
    """Each address in turn; whether all of them gave a source."""
    from crawler.probing.probe import ProbeFailed, probe
    from crawler.single_fetch import looking
    from pipelines.urls import BadUrl

    well = True
    async with looking(configured) as services:
        for one in wanted:
            if (why := why_not(one, configured, output)) is not None:
                well = refused(one, why, output)
                continue
            try:
                found = await probe(one, services, say)
            except (ProbeFailed, BadUrl) as error:
                well = refused(one, str(error), output)
            else:
                keep(found, configured, output)
    return well


def why_not(wanted: Wanted, configured: Configuration, output: Output) -> str | None:
    """Why an address is not even asked: its source is there already."""
    from crawler.single_fetch import source_of

    path = configured.folder / "sources" / f"{wanted.name}.toml"
    if output.force or output.dry_run:
        return None
    if path.exists():
        return f"{path} exists already; --force writes over it, --name gives another name"
    known = source_of(wanted.url, configured)
    return f"{wanted.url} is the source {known.name!r} already; --force adds another" if known else None


def keep(found: Probe, configured: Configuration, output: Output) -> None:
    """Write, or show, what follows from a probe."""
    from crawler.probing import drafting, source_toml

    path = configured.folder / "sources" / f"{found.wanted.name}.toml"
    profile = drafting.profile_of(found)
    text = drafting.source_text(found, profile, found.articles[0].fetched_at.date())
    source_toml.check(text, path)
    saved = 0 if output.dry_run else write(path, text, found, configured)
    if output.as_json:
        print_json(record(found, profile, None if output.dry_run else path, text))
    else:
        show(found, profile, configured)
        tell_file(path, text, saved, output)


def say(text: str) -> None:
    from rich.text import Text

    err().print(Text(plain(text), style="dim"), soft_wrap=True)


def refused(wanted: Wanted, why: str, output: Output) -> bool:
    if output.as_json:
        print_json({"url": wanted.url, "source": None, "error": why})
    else:
        err().print(plain(f"nachlese: {why}"), soft_wrap=True)
    return False


def write(path: Path, text: str, found: Probe, configured: Configuration) -> int:
    """The source file and its saved pages; how many pages."""
    from crawler.probing import fixtures
    from pipelines.atomic import write_whole

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())
    pages = []
    for one in found.sampled:
        if one.page is not None:
            outcome = fixtures.outcome_of(one.article) if one.article else fixtures.rejected_of(one.reason, one.detail)
            pages.append((one.page, outcome))
    return fixtures.write(fixtures.folder_of(configured.folder, path.stem), pages)


def tell_file(path: Path, text: str, saved: int, output: Output) -> None:
    console = out()
    if output.dry_run:
        console.print("")
        console.print(plain(f"{path} would be:"))
        console.print("")
        print_lines(text)
        return
    console.print(
        plain(f"{path} is written; {count(saved, 'page')} saved for `nachlese sources test {path.stem}`"),
    )
    console.print(plain(f"next: nachlese crawl {path.stem}"))


def print_lines(text: str) -> None:
    from rich.text import Text

    for line in text.splitlines():
        out().print(Text(plain(line)), soft_wrap=True)


# --- what was found --------------------------------------------------------------------------------------------------


def record(found: Probe, profile: Profile, path: Path | None, text: str) -> dict[str, Any]:
    """A probe for programs."""
    from crawler.probing.drafting import EVERY

    return {
        "url": found.wanted.url,
        "source": found.wanted.name,
        "file": str(path) if path else None,
        "homepage": found.homepage,
        "moved_to": found.moved_to,
        "wall": str(found.wall.reason) if found.wall else None,
        "feeds": [one.url for one in found.choice.of("feed")],
        "sitemaps": [one.url for one in found.choice.of("sitemap")],
        "sections": [one.url for one in found.choice.of("section")],
        "left_out": [{"kind": one.kind, "url": one.url, "why": why} for one, why in found.choice.left_out],
        "language": profile.language.value,
        "country": profile.country.value,
        "time_zone": profile.time_zone.value,
        "every": EVERY,
        "articles_per_day": profile.rhythm.per_day,
        "containers": list(profile.containers),
        "paid": profile.paid,
        "read": profile.read,
        "asked": profile.asked,
        "requests": found.requests,
        "articles": [
            {"url": one.url, "title": one.title, "published_at": one.published_at, "words": len(one.text.split())}
            for one in found.articles
        ],
        "rejected": [
            {"url": one.url, "reason": str(one.reason), "detail": one.detail}
            for one in found.sampled
            if not one.article
        ],
        "toml": text,
    }


def show(found: Probe, profile: Profile, configured: Configuration) -> None:
    """Five articles as they would be stored, then a table of what was found and of what was left out."""
    from zoneinfo import ZoneInfo

    from rich.text import Text

    from crawler.probing.documents import USUAL

    zone = ZoneInfo(profile.time_zone.value or configured.settings.time_zone)
    for article in found.articles[:SHOWN]:
        out().print(Text(plain(article.title), style="bold"))
        by = f" · {', '.join(article.authors)}" if article.authors else ""
        words = count(len(article.text.split()), "word")
        out().print(Text(plain(f"{when(article.published_at, zone)}{by} · {words} · {article.url}"), style="dim"))
        begin = " ".join((article.teaser or article.text).split())
        out().print(Text(plain(begin if len(begin) <= LONGEST else begin[:LONGEST] + " ...")))
        out().print("")
    table = new_table("", "what", "address", "articles", "why", folds=True)
    for one in found.choice.taken:
        kind = "news sitemap" if one.is_news_sitemap else one.kind
        table.add_row("✓", kind, plain(one.url), str(len(one.links)), plain(one.candidate.how))
    in_vain = [one for one, _ in found.choice.left_out if one.candidate.how == USUAL and not one.links]
    if in_vain:
        table.add_row(
            "–", "", count(len(in_vain), "usual address", "usual addresses"), "0", "nothing there that lists articles"
        )
    for one, why in found.choice.left_out:
        if one not in in_vain:
            table.add_row("–", one.kind, plain(one.url), str(len(one.links)), plain(why))
    for page in found.sampled:
        if not page.article:
            table.add_row("–", "page", plain(page.url), "", plain(f"{page.reason}: {page.detail}"))
    print_table(table)
    for label, value in facts(found, profile):
        out().print(Text(plain(f"{label:<10} {value}")))


def facts(found: Probe, profile: Profile) -> list[tuple[str, str]]:
    known = (("language", profile.language), ("country", profile.country), ("time zone", profile.time_zone))
    said = [(label, f"{one.value or 'not set'} ({one.why})") for label, one in known]
    if found.moved_to:
        said.append(("moved to", found.moved_to))
    said += [
        ("read", f"{profile.read} of {profile.asked} pages became articles"),
        ("paywall", f"{profile.paid} of {profile.read} articles" if profile.paid else "none met"),
        ("stands in", ", ".join(profile.containers) or "no element that all have"),
        ("moves", profile.rhythm.why),
        ("requests", str(found.requests)),
    ]
    return said
