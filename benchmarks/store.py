"""How fast complete articles are stored and found again, and how large they are: prints tables.

    python -m benchmarks.store [--sizes 10000,100000,500000] [--articles 2000] [--writers 2] [--data DIR] [--json]
                              [--base 10000]

Articles of generated German text, one in five a near copy of an earlier one, go through ``Store.save_article`` as a
crawl's do: batches, locks, fingerprints, versions, searching, watchlists, changes. They are stored into a database that
holds so many articles already (``benchmarks/filled.py``), three times over; the median counts. Beside the articles a
second stand the milliseconds of processor time that one takes, in this process and in the server: two cores can do no
more than 2000 divided by their sum, and on a machine that others use, that is the figure to trust. Grouping into
stories comes after the storing and is counted apart. Then the readers' questions are asked. Making the largest database
takes minutes; with --data the server's folder stays, and the next run begins at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks import filled
from benchmarks.articles import Generator, pages
from benchmarks.filled import backend_seconds, processor_seconds
from pipelines.store import Store, stories

AT_ONCE = 100  # articles that a writer has in hand
ROUNDS = 3

QUESTIONS = {
    "newest articles": "SELECT id, title FROM news.articles ORDER BY published_at DESC NULLS LAST LIMIT 20",
    "newest of a source": "SELECT id FROM news.articles WHERE source = 'bench1' ORDER BY first_seen_at DESC LIMIT 20",
    "changes_since, 1000 rows": "SELECT * FROM news.changes_since({last} - 1100)",
    "changes_since, nothing new": "SELECT * FROM news.changes_since({last})",
    "one article": "SELECT * FROM news.articles WHERE id = 17",
    "its copies": "SELECT * FROM news.copies WHERE original_id = 17",
    "its family": "SELECT * FROM news.families WHERE id = 17",
    "its revisions": "SELECT * FROM news.revisions WHERE article_id = 17",
    "it, as of an instant": "SELECT title FROM news.articles_as_of('2026-06-01') WHERE id = 17",
}
# by their rank in the vocabulary: half of the articles have the first, 7 in a hundred the second, 1 the third
WORDS = {"a common word": 60, "an ordinary word": 600, "a rare word": 6000}


def questions() -> dict[str, str]:
    words = Generator(0).words
    asked = {f"search: {name}": words[rank] for name, rank in WORDS.items()}
    asked["search: two words"] = f"{words[200]} {words[700]}"
    return QUESTIONS | {name: f"SELECT * FROM news.search('{query}')" for name, query in asked.items()}


async def stored(dsn: str, articles: list[list[tuple[Any, Any]]]) -> dict[str, Any]:
    """Seconds for all, with a writer (a connection of its own) for each list; how they ended, and what it took."""
    stores = [await Store.open(dsn) for _ in articles]
    runs = [await store.begin_run(f"writer{number}", "crawl", "benchmark") for number, store in enumerate(stores)]
    kinds: dict[str, int] = {}

    async def write(store: Store, run: Any, part: list[tuple[Any, Any]]) -> None:
        in_hand = asyncio.Semaphore(AT_ONCE)

        async def keep(page: Any, article: Any) -> None:
            async with in_hand:
                outcome = await store.save_article(run, page, article)
                kinds[outcome.kind] = kinds.get(outcome.kind, 0) + 1

        await asyncio.gather(*(keep(page, article) for page, article in part))

    number = sum(map(len, articles))
    begin, client, server = time.perf_counter(), time.process_time(), processor_seconds(dsn)
    await asyncio.gather(*(write(*each) for each in zip(stores, runs, articles, strict=True)))
    seconds = time.perf_counter() - begin
    for store, run in zip(stores, runs, strict=True):
        await store.end_run(run, "finished")
        await store.close()
    return {
        "per_second": number / seconds,
        "client_ms": (time.process_time() - client) * 1000 / number,
        "server_ms": (processor_seconds(dsn) - server) * 1000 / number,
        "endings": kinds,
    }


def leave_stories(dsn: str) -> None:
    """What waits for its story now is left without one: a crawl groups what it has stored, and no more is waiting."""
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE ingest.story_state SET change = (SELECT max(id) FROM ingest.changes)")


async def grouped(dsn: str, times: int = 3) -> float:
    """Milliseconds of processor time to find the story of an article, for some of those that wait for theirs."""
    client, server, number = time.process_time(), processor_seconds(dsn), 0
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for _ in range(times):
            async with connection.transaction():
                number += await stories.group(connection)
    used = time.process_time() - client + processor_seconds(dsn) - server
    return used * 1000 / max(number, 1)


def asked(dsn: str, times: int = 25) -> dict[str, tuple[float, float]]:
    """Of each question the median milliseconds until its answer, and the server's processor time for it."""
    found = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        last = connection.execute("SELECT max(id) FROM ingest.changes").fetchone()[0]
        for name, question in questions().items():
            statement, took = question.format(last=last), []
            used = backend_seconds(connection)
            for _ in range(times):
                begin = time.perf_counter()
                connection.execute(statement).fetchall()
                took.append((time.perf_counter() - begin) * 1000)
            found[name] = statistics.median(took), (backend_seconds(connection) - used) * 1000 / times
    return found


def measured(dsn: str, size: int, articles: int, writers: int) -> dict[str, Any]:
    each = articles // writers
    rounds = []
    for number in range(ROUNDS):
        if number == ROUNDS - 1:
            leave_stories(dsn)
        first = time.time_ns() // 1_000_000 * 1_000  # other rounds and runs have left their articles there
        parts = [pages(each, first + writer * each, first + writer) for writer in range(writers)]
        rounds.append(asyncio.run(stored(dsn, parts)))
    row = {name: statistics.median(one[name] for one in rounds) for name in ("per_second", "client_ms", "server_ms")}
    row |= {"stored": size, "endings": rounds[-1]["endings"], "story_ms": asyncio.run(grouped(dsn))}
    return row | {"ms": asked(dsn)}


TABLES = """
    SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
    WHERE relnamespace = 'ingest'::regnamespace AND relkind = 'r'
    ORDER BY pg_total_relation_size(oid) DESC
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", default="10000,100000", help="articles that are stored before")
    parser.add_argument("--articles", type=int, default=2000, help="articles that are stored and timed, at each size")
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--base", type=int, default=filled.BASE, help="articles of which the others are made")
    parser.add_argument("--data", type=Path, help="folder of the server's data; stays for the next time")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with filled.server(options.data) as server:
        for size in filled.sizes(options.sizes):
            dsn = filled.filled_database(server, size, options.base)
            rows.append(measured(dsn, size, options.articles, options.writers))
            with psycopg.connect(dsn) as connection:
                tables = connection.execute(TABLES).fetchall()
    if options.json:
        print(json.dumps({"storing": rows, "tables": tables}))
        return
    show(rows, tables, options)


def show(rows: list[dict[str, Any]], tables: list[tuple[str, int, int]], options: argparse.Namespace) -> None:
    console = Console()
    table = Table(title=f"Storing {options.articles:,} complete articles with {options.writers} writers", box=None)
    columns = (
        "stored before",
        "articles a second",
        "ms client",
        "ms server",
        "two cores can",
        "new",
        "copies",
        "ms story",
    )
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        ends = row["endings"]
        used = row["client_ms"] + row["server_ms"]
        table.add_row(
            f"{row['stored']:,}", f"{row['per_second']:.0f}", f"{row['client_ms']:.2f}", f"{row['server_ms']:.2f}",
            f"{2000 / used:.0f}", str(ends.get("new", 0)), str(ends.get("copy", 0)), f"{row['story_ms']:.2f}",
        )  # fmt: skip
    console.print(table, "")
    table = Table(title="Questions: median milliseconds / of the server's processor", box=None)
    table.add_column("stored before")
    for row in rows:
        table.add_column(f"{row['stored']:,}", justify="right")
    for name in rows[0]["ms"]:
        table.add_row(name, *("{:.1f} / {:.1f}".format(*row["ms"][name]) for row in rows))
    console.print(table, "")
    table = Table(title=f"Size of the one with {rows[-1]['stored']:,}, MB", box=None)
    for column in ("table", "data", "indexes"):
        table.add_column(column, justify="left" if column == "table" else "right")
    for name, data, indexes in tables:
        if data + indexes > 1_000_000:
            table.add_row(name, f"{data / 1e6:,.1f}", f"{indexes / 1e6:,.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
