"""``nachlese sources``: which news sites are configured, and whether their files are right."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import sources_add, sources_rights, sources_test, sources_verify
from crawler.cli.common import Exit, configuration, count, fail, known_sources, new_table, out, print_json, run, told
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.config import Configuration, Source
    from crawler.single_fetch import Look

app = typer.Typer(no_args_is_help=True, help="The configured news sites: add, list, test and check them.")

app.command("add")(sources_add.add)
app.command("test")(sources_test.test)
app.command("verify")(sources_verify.verify)
app.command("export")(sources_verify.export)
app.command("rights")(sources_rights.rights)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]


@app.command("list")
@told()
def list_sources(as_json: JsonOption = False) -> None:
    """List the source files of the configuration."""
    configured = configuration(is_reading=False)
    if as_json:
        for source in configured.sources.values():
            print_json(record(source))
        return
    table = new_table("name", "title", "language", "found by", "every", "state", folds=True)
    for source in configured.sources.values():
        one = record(source)
        found_by = ", ".join(one["found_by"])
        state = ("" if source.enabled else "off") or ("" if source.verified else "not yet seen live")
        table.add_row(source.name, plain(source.title), source.language or "", found_by, one["when"], state)
    out().print(table)
    on = sum(source.enabled for source in configured.sources.values())
    out().print(f"{count(len(configured.sources), 'source')} in {configured.folder}, {on} of them on")


def record(source: Source) -> dict[str, Any]:
    """A source file in the words of the list."""
    discover = source.discover
    places = {"feed": discover.feeds, "sitemap": discover.sitemaps, "section": discover.sections}
    return {
        "name": source.name,
        "title": source.title,
        "homepage": source.homepage,
        "language": source.language,
        "country": source.country,
        "time_zone": str(source.zone),
        "enabled": source.enabled,
        "verified": source.verified,
        "found_by": [count(len(urls), kind) for kind, urls in places.items() if urls],
        "when": times(source),
        **{f"{kind}s": list(urls) for kind, urls in places.items()},
        "note": source.note,
    }


def times(source: Source) -> str:
    """When a source runs, in a few characters: its cron fields, or the time from run to run."""
    from crawler.slots import Every

    if source.is_auto:
        return "auto"
    slots = source.slots()
    if not isinstance(slots, Every):
        return source.schedule.cron or ""
    seconds = int(slots.interval.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@app.command()
@told()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these sources.", show_default=False)
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Also ask each feed, sitemap and section page once, and say what is there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration; every mistake is named with its file, its key and what is allowed.

    A pattern that can be read in very many ways is named too. It is no mistake: it is matched by an engine that cannot
    run away, but a text may be given up with it. So is a Scrapy setting that a spider of your own sets in vain.

    Without --fetch nothing is asked of any site. With it, nothing is stored. Exit code 2 for a mistake in a file, 1
    when a feed, sitemap or section page cannot be read.
    """
    configured = configuration()
    wanted = known_sources(configured, names or sorted(configured.sources))
    check_components(configured, wanted)
    if not fetch:
        in_vain = set_in_vain(configured, wanted)
        dangers = {name: dangerous(configured.sources[name]) + in_vain.get(name, []) for name in wanted}
        if as_json:
            for name in wanted:
                print_json({"source": name, "valid": True, "warnings": dangers[name]})
        else:
            for source, warning in [(name, warning) for name in wanted for warning in dangers[name]]:
                out().print(plain(f"{source}: {warning}"))
            out().print(f"{count(len(wanted), 'source file')} in {configured.folder}: no mistakes")
        return
    raise typer.Exit(Exit.WELL if run(looked_at(configured, wanted, as_json)) else Exit.NOT_ALL)


def check_components(configured: Configuration, names: Sequence[str]) -> None:
    """Import the components of ``[scrapy]``, where there is one. Raise ConfigError for those that are not there."""
    if configured.settings.scrapy or any(configured.sources[name].scrapy for name in names):
        from crawler.addon import add_to_path, must_load

        add_to_path(configured.folder)
        must_load(configured, *names)


def set_in_vain(configured: Configuration, names: Sequence[str]) -> dict[str, list[str]]:
    """By source, what its spider's ``custom_settings`` set in vain. Spiders of the user's own are imported for it."""
    if not (configured.folder / "spiders").is_dir() and "SPIDER_MODULES" not in configured.settings.scrapy:
        return {}
    from crawler.addon import project_settings, spider_problems
    from crawler.spiderloader import SourceLoader

    try:
        loader = SourceLoader(project_settings(), configured)
        return {name: [said for _, said in spider_problems(loader.load(name))] for name in names}
    except (ImportError, SyntaxError, NameError, TypeError) as error:
        fail(f"the spiders of {configured.folder} cannot be loaded: {type(error).__name__}: {error}", Exit.USAGE)


def dangerous(source: Source) -> list[str]:
    """The patterns of a source file that an ordinary engine would run away with, each with its key."""
    from pipelines.patterns import danger

    rules = source.discover.links
    keys = {"discover.links.allow": rules.allow, "discover.links.deny": rules.deny, "read.phrases": source.read.phrases}
    patterns = ((f"{key}[{number}]", text) for key, texts in keys.items() for number, text in enumerate(texts, 1))
    return [f"{key}: {said}" for key, text in patterns if (said := danger(text))]


async def looked_at(configured: Configuration, names: list[str], as_json: bool) -> bool:
    """Show one look at each discovery document of these sources; whether all could be read."""
    from crawler import single_fetch

    well = True
    async for look in single_fetch.looks(configured, names):
        well = well and look.error is None
        if as_json:
            print_json(dataclasses.asdict(look))
        else:
            show_look(look)
    return well


def show_look(look: Look) -> None:
    from rich.text import Text

    mark = "–" if look.error else "✓"
    found = f"{count(len(look.links), 'link')}, first {look.links[0]}" if look.links else ""
    out().print(Text(plain(f"{mark} {look.source}: {look.kind} {look.url}: {look.error or found}")))
