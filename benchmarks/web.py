"""How fast pages and API answer beside a bare page: prints tables.

    python -m benchmarks.web [--sizes 10000,500000] [--views 400] [--at-once 8] [--slow 50] [--data DIR] [--json]

``nachlese web`` runs as its users run it, over a database with so many articles (``benchmarks/filled.py``). Beside it
runs a Starlette application that answers every address with the same 20 kB of HTML: what HTTP alone costs here. Both
are asked in turn, in the same run, by the same client: each page alone for the time until its last byte, then all
together by several clients for the number a second. Every view is of another article, story or word, so that little
is answered from memory. A server is one process on one core. Where others use the machine too, trust the ratios and the
milliseconds of processor time; 1000 divided by those of the web server is what one core can do.

At last --slow clients send half a question, or ask for a long page and do not read it, and stay, while the rest go on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks import filled
from benchmarks.articles import Generator

ROUNDS = 3
BARE = "bare"
LONGEST = 60.0  # seconds that an answer may take
BARE_PAGE = "<!doctype html><title>Bare</title>" + "<p>Nachlese misst sich hier an einer leeren Seite.</p>" * 370

LATEST = "SELECT * FROM news.articles ORDER BY first_seen_at DESC LIMIT 2000"

# Each view is one of these, with something else put in every time.
PAGES = {
    "now": "/",
    "now, of a source": "/?source={source}",
    "now, of a section and language": "/?section={section}&language={language}",
    "now, of an agency": "/?agency={agency}",
    "now, of a kind": "/?kind={kind}",
    "now, behind a paywall": "/?paywall=paid",
    "now, before a day": "/?until={day}",
    "now, of what nobody has": "/?language=xx&section=Nichts",
    "search, empty": "/search",
    "search": "/search?q={word}",
    "search, common word": "/search?q={common}",
    "article": "/articles/{article}",
    "article, changed": "/articles/{changed}?version=2&against=1",
    "stories": "/stories",
    "stories, of a source": "/stories?source={source}",
    "story": "/stories/{story}",
    "families": "/families",
    "families, of a source": "/families?source={source}&foreign=1",
    "family": "/families/{family}",
    "changes": "/changes",
    "changes, corrections": "/changes?what=corrections",
    "changes, of a source": "/changes?source={source}",
    "sources": "/sources",
    "source": "/sources/{source}",
    "runs": "/runs",
    "rejections": "/rejections",
    "rejections, of a source": "/rejections?source={source}&reason={reason}",
    "explain": "/explain?url={url}",
    "explain, unknown": "/explain?url=https://nobody.example/{word}",
    "watchlists": "/watchlists",
    "watchlist": "/watchlists/{watch}",
    "database": "/database",
}
ROOT = "/api/v1"
API = {
    "articles": "/articles",
    "articles, filtered": "/articles?source={source}&section={section}&since={day}",
    "article": "/articles/{article}",
    "versions": "/articles/{changed}/versions",
    "metadata": "/articles/{changed}/metadata",
    "revisions": "/articles/{changed}/revisions",
    "search": "/search?q={word}",
    "mentions": "/mentions?q={word}",
    "stories": "/stories",
    "story": "/stories/{story}",
    "families": "/families",
    "family": "/families/{family}",
    "edits": "/edits",
    "changes": "/changes?after={change}",
    "sources": "/sources",
    "source": "/sources/{source}",
    "runs": "/runs",
    "rejections": "/rejections",
    "watchlists": "/watchlists",
    "matches": "/matches?watch={watch}",
    "explain": "/explain?url={url}",
    "database": "/database",
}
FEEDS = {
    "now as Atom": "/?format=atom",
    "source as JSON Feed": "/?source={source}&format=jsonfeed",
    "changes as Atom": "/changes?format=atom",
    "search as CSV": "/search?q={word}&format=csv",
    "OpenAPI": "/api/v1/openapi.json",
}
KNOWN = {
    "article": "SELECT id FROM news.articles ORDER BY id LIMIT 2000",
    "url": "SELECT canonical_url FROM news.articles ORDER BY id LIMIT 2000",
    "source": "SELECT name FROM news.sources ORDER BY name LIMIT 50",
    "story": "SELECT id FROM news.stories WHERE articles > 1 ORDER BY id LIMIT 2000",
    "family": "SELECT DISTINCT original_id FROM news.copies ORDER BY original_id LIMIT 2000",
    "change": "SELECT id FROM news.changes ORDER BY id LIMIT 2000",
    "changed": "SELECT id FROM news.articles WHERE version > 1 ORDER BY id LIMIT 2000",
    "section": f"SELECT DISTINCT section FROM ({LATEST}) AS latest WHERE section IS NOT NULL ORDER BY section",
    "language": f"SELECT DISTINCT language FROM ({LATEST}) AS latest WHERE language IS NOT NULL ORDER BY language",
    "agency": f"SELECT DISTINCT agency FROM ({LATEST}) AS latest WHERE agency IS NOT NULL ORDER BY agency",
    "kind": f"SELECT DISTINCT kind FROM ({LATEST}) AS latest WHERE kind <> 'other' ORDER BY kind",
    "day": f"SELECT DISTINCT first_seen_at::date FROM ({LATEST}) AS latest ORDER BY 1",
    "reason": "SELECT DISTINCT reason FROM (SELECT reason FROM news.rejections LIMIT 2000) AS one ORDER BY reason",
    "watch": "SELECT DISTINCT watch FROM news.matches ORDER BY watch",
}


Served = tuple[str, psutil.Process]  # address and process of a server


@dataclass(frozen=True, slots=True)
class Asked:
    """Milliseconds until the last byte of each answer, all of them in how many seconds, and how many went wrong."""

    ms: list[float]
    seconds: float
    wrong: int

    @property
    def per_second(self) -> float:
        return len(self.ms) / self.seconds


def values_of(dsn: str) -> dict[str, list[str]]:
    """What can be put into the addresses of this database."""
    with psycopg.connect(dsn) as connection:
        found = {name: [str(row[0]) for row in connection.execute(query)] for name, query in KNOWN.items()}
    words = Generator(0).words
    return found | {"word": words[100:5000:7], "common": words[40:60]}


def addresses(patterns: Sequence[str], values: dict[str, list[str]], number: int, seed: int) -> list[str]:
    """*number* addresses, the patterns in turn; those for which the database has nothing are left out."""
    chance = random.Random(seed)
    usable = [one for one in patterns if all(values[name] for name in re.findall(r"{(\w+)}", one))]
    return [
        re.sub(r"{(\w+)}", lambda name: quote(chance.choice(values[name[1]]), safe=""), usable[place % len(usable)])
        for place in range(number)
    ]


@contextlib.contextmanager
def server(*command: str, **env: str) -> Iterator[Served]:
    """The address that a server says it has, and its process."""
    with subprocess.Popen(
        [sys.executable, "-m", *command], stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            if not (address := re.search(r"http://\S+", line)):
                raise SystemExit(f"{' '.join(command)} did not start: {line}{process.stderr.read()}")
            yield address[0].rstrip("/"), psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def bare() -> None:
    """The bare application, under the server that the pages have."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    from webapp.serving import serve_app
    from webapp.settings import Settings

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(BARE_PAGE)

    app = Starlette(routes=[Route("/{path:path}", page)])
    serve_app(app, Settings(port=0), lambda url: print(url, file=sys.stderr, flush=True))


@contextlib.asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Connections that stay open, as a browser's do; answers are not unpacked, which would be our own time."""
    timeout = aiohttp.ClientTimeout(total=LONGEST)
    async with aiohttp.ClientSession(
        auto_decompress=False, timeout=timeout, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        yield session


async def ask(base: str, paths: Sequence[str], at_once: int) -> Asked:
    """Ask for all of them, *at_once* at a time."""
    took, wrong, rest = [], 0, iter(paths)

    async def go_on(session: aiohttp.ClientSession) -> None:
        nonlocal wrong
        for path in rest:
            begin = time.perf_counter()
            try:
                async with session.get(base + path) as answer:
                    await answer.read()
                    wrong += answer.status != 200
            except (aiohttp.ClientError, TimeoutError):
                wrong += 1
            took.append((time.perf_counter() - begin) * 1000)

    async with client() as session:
        begin = time.perf_counter()
        await asyncio.gather(*(go_on(session) for _ in range(at_once)))
        return Asked(took, time.perf_counter() - begin, wrong)


@contextlib.contextmanager
def slow_clients(base: str, number: int) -> Iterator[None]:
    """Half of them send the begin of a question and no more, half ask for a long page and read its first byte only."""
    parts = urlsplit(base)
    question = f"GET /?copies=all&limit=200 HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    with contextlib.ExitStack() as stack:
        for place in range(number):
            made = stack.enter_context(socket.socket())
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            made.settimeout(LONGEST)
            made.connect((parts.hostname, parts.port))
            made.sendall((question if place % 2 else question + "\r\n").encode())
            if place % 2 == 0:
                made.recv(1)  # the page is made: from here on it only has to be kept
        yield


def p95(ms: Sequence[float]) -> float:
    return statistics.quantiles(ms, n=20)[-1] if len(ms) > 1 else ms[0]


def together(rounds: Sequence[Asked], cpu: float, database_cpu: float) -> dict[str, float]:
    """One line of a table: medians of the rounds, processor time a view."""
    number = sum(len(one.ms) for one in rounds)
    return {
        "p95_ms": statistics.median(p95(one.ms) for one in rounds),
        "per_second": statistics.median(one.per_second for one in rounds),
        "cpu_ms": cpu * 1000 / number,
        "database_cpu_ms": database_cpu * 1000 / number,
        "wrong": sum(one.wrong for one in rounds),
    }


def used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def alone(
    bare: Served, pages: Served, values: dict[str, list[str]], views: int, dsn: str
) -> dict[str, dict[str, float]]:
    """Each page by itself, one view after the other; before them the bare one."""
    everything = PAGES | FEEDS | {f"API: {name}": ROOT + path for name, path in API.items()}
    number = max(views // len(PAGES), 5)
    found = {BARE: _one_sort(bare, ["/"] * number, dsn)}
    for name, pattern in everything.items():
        if _has(pattern, values):
            found[name] = _one_sort(pages, addresses([pattern], values, number, seed=1), dsn)
    return found


def _one_sort(server: Served, paths: Sequence[str], dsn: str) -> dict[str, float]:
    base, process = server
    before, database_before = used(process), filled.processor_seconds(dsn)
    one = asyncio.run(ask(base, paths, 1))
    return {
        "median_ms": statistics.median(one.ms),
        "p95_ms": p95(one.ms),
        "cpu_ms": (used(process) - before) * 1000 / len(paths),
        "database_cpu_ms": (filled.processor_seconds(dsn) - database_before) * 1000 / len(paths),
        "wrong": one.wrong,
    }


def _has(pattern: str, values: dict[str, list[str]]) -> bool:
    return all(values[name] for name in re.findall(r"{(\w+)}", pattern))


def measured(dsn: str, views: int, at_once: int, slow: int) -> dict[str, Any]:
    """Everything about one database. Raises SystemExit where a server does not start."""
    values = values_of(dsn)
    sorts = {BARE: list(PAGES.values()), "pages": list(PAGES.values()), "api": [ROOT + path for path in API.values()]}
    with (
        server("benchmarks.web", "--bare") as (bare_base, bare_process),
        server("crawler.cli", "web", "--port", "0", NACHLESE_DATABASE_URL=dsn) as (base, process),
    ):
        asyncio.run(ask(base, addresses(sorts["pages"], values, 2 * len(PAGES), seed=0), 1))  # templates, plans
        made: dict[str, Any] = {"alone": alone((bare_base, bare_process), (base, process), values, views, dsn)}
        rounds: dict[str, list[Asked]] = {name: [] for name in sorts}
        cpu = dict.fromkeys(sorts, 0.0)
        database_cpu = dict.fromkeys(sorts, 0.0)
        for number in range(ROUNDS):
            for name, patterns in sorts.items():
                where, who = (bare_base, bare_process) if name == BARE else (base, process)
                paths = addresses(patterns, values, views, seed=10 + number)
                before, database_before = used(who), filled.processor_seconds(dsn)
                rounds[name].append(asyncio.run(ask(where, paths, at_once)))
                cpu[name] += used(who) - before
                database_cpu[name] += filled.processor_seconds(dsn) - database_before
        made |= {name: together(rounds[name], cpu[name], database_cpu[name]) for name in sorts}
        with slow_clients(base, slow):
            one = asyncio.run(ask(base, addresses(sorts["pages"], values, views, seed=99), at_once))
        made["beside_slow_clients"] = {"p95_ms": p95(one.ms), "per_second": one.per_second, "wrong": one.wrong}
        made["resident_mb"] = process.memory_info().rss / 1e6
    return made


def show(row: dict[str, Any], options: argparse.Namespace) -> None:
    console = Console(width=120)
    size = f"{row['stored']:,} articles"
    table = Table(title=f"{size}, one view after the other: ms", box=None)
    for name in ("", "median", "of bare", "95 %", "ms server", "ms database", "wrong"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for name, one in row["alone"].items():
        ratio = one["median_ms"] / row["alone"][BARE]["median_ms"]
        table.add_row(
            name, f"{one['median_ms']:.1f}", f"{ratio:.1f}", f"{one['p95_ms']:.1f}", f"{one['cpu_ms']:.1f}",
            f"{one['database_cpu_ms']:.1f}", f"{one['wrong']:.0f}",
        )  # fmt: skip
    console.print(table, "")
    table = Table(title=f"{size}: {options.at_once} clients at once", box=None)
    for name in (
        "",
        "95 % ms",
        "of bare",
        "a second",
        "of bare",
        "ms server",
        "of bare",
        "one core can",
        "ms database",
        "wrong",
    ):
        table.add_column(name, justify="right" if name else "left")
    reference = row[BARE]
    for name, title in ((BARE, "bare Starlette page"), ("pages", "pages"), ("api", "API")):
        one = row[name]
        table.add_row(
            title, f"{one['p95_ms']:.1f}", f"{one['p95_ms'] / reference['p95_ms']:.1f}", f"{one['per_second']:.0f}",
            f"{one['per_second'] / reference['per_second']:.2f}", f"{one['cpu_ms']:.2f}",
            f"{one['cpu_ms'] / reference['cpu_ms']:.1f}", f"{1000 / one['cpu_ms']:.0f}",
            f"{one['database_cpu_ms']:.2f}", f"{one['wrong']:.0f}",
        )  # fmt: skip
    one = row["beside_slow_clients"]
    table.add_row(
        f"pages, {options.slow} slow clients beside", f"{one['p95_ms']:.1f}",
        f"{one['p95_ms'] / reference['p95_ms']:.1f}", f"{one['per_second']:.0f}",
        f"{one['per_second'] / reference['per_second']:.2f}", "", "", "", "", f"{one['wrong']:.0f}",
    )  # fmt: skip
    console.print(table, f"{row['resident_mb']:.0f} MB resident", "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", default="10000", help="articles in the database")
    parser.add_argument("--views", type=int, default=400, help="of each sort, three times over")
    parser.add_argument("--at-once", type=int, default=8, help="clients")
    parser.add_argument("--slow", type=int, default=50, help="slow clients beside them in the end")
    parser.add_argument("--data", type=Path, help="folder of the server's data; stays for the next time")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        bare()
        return
    rows = []
    with filled.server(options.data) as where:
        for size in filled.sizes(options.sizes):
            dsn = filled.filled_database(where, size, is_varied=True)
            rows.append({"stored": size, **measured(dsn, options.views, options.at_once, options.slow)})
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        show(row, options)


if __name__ == "__main__":
    main()
