"""``nachlese try``: one page read by the rules of its source and by others, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import sources_test
from crawler.cli.common import Exit, configuration, count, fail, known_sources, out, print_json, run, told
from crawler.logs import plain

if TYPE_CHECKING:
    from crawler.config import Configuration
    from crawler.probing.trying import Trial

Rule = Annotated[str | None, typer.Option(metavar="CSS", show_default=False)]


@told()
def try_rules(
    url: Annotated[str, typer.Argument(metavar="URL", help="A page of the source.")],
    keep: Annotated[
        list[str] | None, typer.Option(metavar="CSS", help="An element that holds the body. May be repeated.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="CSS", help="An element that is no part of it. May be repeated.")
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="CSS", help="The element with the title.")] = None,
    teaser: Annotated[str | None, typer.Option(metavar="CSS", help="The element with the teaser.")] = None,
    authors: Annotated[str | None, typer.Option(metavar="CSS", help="The elements with the authors' names.")] = None,
    section: Annotated[str | None, typer.Option(metavar="CSS", help="The element with the section's name.")] = None,
    published: Annotated[
        str | None, typer.Option(metavar="CSS", help="The element with the time of publication.")
    ] = None,
    modified: Annotated[str | None, typer.Option(metavar="CSS", help="The element with the time of change.")] = None,
    next_page: Annotated[str | None, typer.Option(metavar="CSS", help="The link to the article's next page.")] = None,
    suggest: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Try the paging and strip rules of a checkout of ftr-site-config."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="The source; without: the one whose site the page is of.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put these rules into the source's file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Read a page by the source's rules and by these, and show what would be different. Nothing is stored.

    Selectors are CSS, or XPath where they begin with / or ./ . Exit code 1 where the page is no article by these rules.
    """
    from crawler.probing import trying

    configured = configuration()
    name = name_of(url, source, configured)
    rules = checked(
        title=title, teaser=teaser, authors=authors, section=section, published=published, modified=modified,
        next_page=next_page, keep=keep, remove=remove,
    )  # fmt: skip
    if write and name is None:
        fail(f"{url} is of no source here; name one with --source, or add it with `nachlese sources add`", Exit.USAGE)
    if suggest and not suggest.is_dir():
        fail(f"{suggest}: there is no such folder; expected a checkout of ftr-site-config", Exit.USAGE)
    trial = run(trying.trial(url, name, rules, suggest, configured))
    print_json(record(trial)) if as_json else show(trial)
    if write:
        write_rules(trial, name or "", configured)
    raise typer.Exit(Exit.WELL if trial.now.article else Exit.NOT_ALL)


def name_of(url: str, source: str | None, configured: Configuration) -> str | None:
    """The *source* that was named, which has to be there, or the one whose site *url* is of."""
    from crawler.single_fetch import source_of

    if source:
        known_sources(configured, [source])
        return source
    of_url = source_of(url, configured)
    return of_url.name if of_url else None


def checked(**stated: Any) -> dict[str, Any]:
    """The rules that were given; exit code 2 where one is no selector."""
    from crawler.config.values import selector

    rules = {key: value for key, value in stated.items() if value}
    for key, value in rules.items():
        for one in value if isinstance(value, list) else [value]:
            try:
                selector(one)
            except ValueError as error:
                fail(f"--{key.replace('_', '-')}: {error}", Exit.USAGE)
    return rules


def record(trial: Trial) -> dict[str, Any]:
    return {
        "url": trial.url,
        "source": trial.source,
        "rules": trial.rules,
        "suggested": [{"key": one.key, "selector": one.selector, "why": one.why} for one in trial.suggestions],
        "refused": [{"key": one.key, "selector": one.selector, "why": one.why} for one in trial.refused],
        "before": trial.before.article or {"rejected": trial.before.rejected},
        "now": trial.now.article or {"rejected": trial.now.rejected},
        "differences": {one.key: {"before": one.before, "now": one.now} for one in trial.differences},
    }


def show(trial: Trial) -> None:
    """What the rules change, in colours."""
    from rich.text import Text

    for one in trial.suggestions:
        out().print(Text(plain(f"suggested: {one.key} = {one.selector}  ({one.why})"), style="cyan"))
    for one in trial.refused:
        out().print(Text(plain(f"not suggested: {one.key} = {one.selector}  ({one.why})"), style="dim"))
    for label, outcome in (("before", trial.before), ("now", trial.now)):
        if outcome.article is None:
            out().print(Text(plain(f"{label}: no article, {outcome.rejected} ({outcome.detail})")))
        else:
            words = count(len(outcome.article.get("text", "").split()), "word")
            out().print(Text(plain(f"{label}: {outcome.article.get('title', '')} ({words})")))
    if not trial.differences:
        out().print("no difference" if trial.rules else "no rules were given; try --keep, --remove, --title ...")
    for each in trial.differences:
        sources_test.show_difference(each)


def write_rules(trial: Trial, name: str, configured: Configuration) -> None:
    """The rules into the source's file; everything else in it stays."""
    from crawler.probing import source_toml
    from pipelines.atomic import write_whole

    if not trial.rules:
        fail("there is no rule to write")
    if trial.now.article is None:
        fail(f"by these rules the page is no article ({trial.now.rejected}); the file stays as it is")
    path = configured.folder / "sources" / f"{name}.toml"
    text = source_toml.changed(path, {f"read.{key}": value for key, value in trial.rules.items()})
    write_whole(path, text.encode())
    out().print(plain(f"{path} has these rules now; `nachlese sources test {name}` says what they change"))
