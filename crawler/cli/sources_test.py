"""``nachlese sources test``: the saved pages of a source against what came out last time."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.common import Exit, configuration, count, fail, known_sources, out, print_json, run, told
from crawler.logs import plain

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.config import Configuration
    from crawler.probing.fixtures import Difference, Result

#: lines of a difference that are shown, and characters of each
MOST_LINES, LONGEST = 40, 300


@told()
def test(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these sources; without: all that have saved pages."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Take what comes out now as what is expected from now on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each saved page, for programs.")] = False,
) -> None:
    """Read the saved pages of sources again and show what is different from last time. No request is sent.

    Exit code 1 where a page came out in another way, unless --update took it.
    """
    configured = configuration()
    folder = configured.folder / "fixtures"
    there = sorted(one.name for one in folder.glob("*") if (one / "expected.json").is_file())
    wanted = known_sources(configured, names) if names else [one for one in there if one in configured.sources]
    if not wanted:
        fail(f"no source has saved pages in {folder}; `nachlese sources add URL` saves some")
    missing = [name for name in wanted if name not in there]
    for name in missing:
        out().print(plain(f"{name}: no saved pages in {folder / name}; `nachlese sources add` saves them"))
    results = run(tested(configured, [name for name in wanted if name in there]))
    failed = 0
    for name, of_source in results.items():
        failed += tell(name, of_source, folder / name, update, as_json)
    if not as_json:
        pages = sum(len(one) for one in results.values() if isinstance(one, list))
        said = f"{failed} different" if failed else "all as before"
        said += ", taken as expected" if update and failed else ""
        out().print(f"{count(pages, 'page')} of {count(len(results), 'source')}: {said}")
    raise typer.Exit(Exit.NOT_ALL if missing or (failed and not update) or is_unusable(results) else Exit.WELL)


Tested = dict[str, "list[Result] | str"]


def is_unusable(results: Tested) -> bool:
    return any(isinstance(one, str) for one in results.values())


async def tested(configured: Configuration, names: list[str]) -> Tested:
    """The results of each source, or a sentence where its saved pages cannot be used."""
    from crawler.probing import fixtures
    from crawler.services import reader_pool

    found: Tested = {}
    async with reader_pool(configured) as readers:
        for name in names:
            try:
                saved = fixtures.load(fixtures.folder_of(configured.folder, name), name)
            except fixtures.BadFixture as error:
                found[name] = str(error)
                continue
            rules = configured.sources[name].rules()
            found[name] = [await fixtures.check(one, rules, readers) for one in saved]
    return found


def tell(name: str, results: list[Result] | str, folder: Path, update: bool, as_json: bool) -> int:
    """Show one source's results and take them where that is wanted; how many pages differ."""
    from crawler.probing import fixtures

    if isinstance(results, str):
        print_json({"source": name, "error": results}) if as_json else out().print(plain(results))
        return 0
    different = [one for one in results if one.differences]
    if as_json:
        for one in results:
            print_json(record(name, one))
    else:
        show(name, results)
    if update and different:
        fixtures.update(folder, results)
    return len(different)


def record(name: str, result: Result) -> dict[str, Any]:
    changes = {one.key: {"before": one.before, "now": one.now} for one in result.differences}
    return {
        "source": name,
        "file": result.saved.file,
        "url": result.saved.page.url,
        "same": not result.differences,
        "differences": changes,
    }


def show(name: str, results: list[Result]) -> None:
    """A dot for each page that is as before and an F for each that is not, then the differences."""
    from rich.text import Text

    marks = Text(f"{name} ")
    for one in results:
        marks.append("F" if one.differences else ".", style="red" if one.differences else "green")
    out().print(marks)
    for one in results:
        if one.differences:
            out().print(Text(plain(f"\n{name}/{one.saved.file}  {one.saved.page.url}"), style="bold"))
            if any(each.key == "outcome" for each in one.differences) and one.now.detail:
                out().print(Text(plain(f"  {one.now.detail}"), style="dim"))
            for each in one.differences:
                show_difference(each)


def show_difference(one: Difference) -> None:
    """What was there in red, what is there now in green; of long texts only the lines that differ."""
    from rich.text import Text

    out().print(Text(f"  {one.key}"))
    lines = difflib.unified_diff(lines_of(one.before), lines_of(one.now), n=0, lineterm="")
    changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    for line in changed[:MOST_LINES]:
        shown = line if len(line) <= LONGEST else line[:LONGEST] + " ..."
        out().print(Text(plain(f"    {shown}"), style="green" if line.startswith("+") else "red"))
    if len(changed) > MOST_LINES:
        out().print(f"    ... and {len(changed) - MOST_LINES} more lines")


def lines_of(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [str(one) for one in value]
    return [line for line in str(value).split("\n") if line] or [""]
