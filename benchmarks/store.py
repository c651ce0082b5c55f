"""How fast complete articles are stored, and how large they are: prints tables.

    python -m benchmarks.store [--sizes 0,100000,500000] [--articles 2000] [--writers 2] [--json]

Articles of generated German text, one in five a near copy of an earlier one, go through ``Store.keep`` as a crawl's do:
batches, locks, fingerprints, versions, everything that is written with an article. Measured from the first to the last
commit, into a database that holds that many articles already. The readers' questions are then asked of it. The database
is an embedded server of its own, removed afterwards; NACHLESE_BENCHMARK_DATABASE_URL names another.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.articles import pages
from benchmarks.dedupe import fill, own_database
from pipelines.store import Store

AT_ONCE = 100  # articles that a writer has in hand

QUESTIONS = {
    "newest articles": "SELECT id, title FROM news.articles ORDER BY published_at DESC NULLS LAST LIMIT 20",
    "one article": "SELECT * FROM news.articles WHERE id = 17",
    "its copies": "SELECT * FROM news.copies WHERE original_id = 17",
    "its family": "SELECT * FROM news.families WHERE id = 17",
    "its revisions": "SELECT * FROM news.revisions WHERE article_id = 17",
    "it, as of an instant": "SELECT title FROM news.articles_as_of('2026-06-01') WHERE id = 17",
}


async def stored(dsn: str, articles: list[list[tuple[Any, Any]]]) -> tuple[float, dict[str, int]]:
    """Seconds for all, with a writer (a connection of its own) for each list; and how they ended."""
    stores = [await Store.open(dsn) for _ in articles]
    runs = [
        await store.begin_run(part[0][0].source, "crawl", "benchmark")
        for store, part in zip(stores, articles, strict=True)
    ]
    kinds: dict[str, int] = {}

    async def write(store: Store, run: Any, part: list[tuple[Any, Any]]) -> None:
        in_hand = asyncio.Semaphore(AT_ONCE)

        async def keep(page: Any, article: Any) -> None:
            async with in_hand:
                ending = await store.keep(run, page, article)
                kinds[ending.kind] = kinds.get(ending.kind, 0) + 1

        await asyncio.gather(*(keep(page, article) for page, article in part))

    begin = time.perf_counter()
    await asyncio.gather(*(write(*each) for each in zip(stores, runs, articles, strict=True)))
    seconds = time.perf_counter() - begin
    for store, run in zip(stores, runs, strict=True):
        await store.end_run(run, "finished")
        await store.close()
    return seconds, kinds


def asked(dsn: str, times: int = 15) -> dict[str, float]:
    """The median milliseconds of each question."""
    found = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, question in QUESTIONS.items():
            took = []
            for _ in range(times):
                begin = time.perf_counter()
                connection.execute(question).fetchall()
                took.append((time.perf_counter() - begin) * 1000)
            found[name] = statistics.median(took)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", default="0,100000", help="articles that are stored before")
    parser.add_argument("--articles", type=int, default=2000, help="articles that are stored and timed, at each size")
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    first = 10_000_000
    with own_database("benchmark_store") as dsn:
        for number, size in enumerate(int(size) for size in options.sizes.split(",")):
            if size:
                fill(dsn, size, words=400)
            each = options.articles // options.writers
            parts = [pages(each, first + writer * each, 100 * number + writer) for writer in range(options.writers)]
            first += options.articles
            seconds, kinds = asyncio.run(stored(dsn, parts))
            rows.append({"stored": size, "per_second": options.articles / seconds, "endings": kinds, "ms": asked(dsn)})
        with psycopg.connect(dsn) as connection:
            tables = connection.execute(
                "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class "
                "WHERE relnamespace = 'ingest'::regnamespace AND relkind = 'r' "
                "ORDER BY pg_total_relation_size(oid) DESC"
            ).fetchall()
    if options.json:
        print(json.dumps({"storing": rows, "tables": tables}))
        return
    show(rows, tables, options)


def show(rows: list[dict[str, Any]], tables: list[tuple[str, int, int]], options: argparse.Namespace) -> None:
    console = Console()
    table = Table(title=f"Storing {options.articles:,} complete articles with {options.writers} writers", box=None)
    for column in ("stored before", "articles a second", "new", "copies"):
        table.add_column(column, justify="right")
    for row in rows:
        ends = row["endings"]
        table.add_row(
            f"{row['stored']:,}", f"{row['per_second']:.0f}", str(ends.get("new", 0)), str(ends.get("copy", 0))
        )
    console.print(table, "")
    table = Table(title="Questions, median milliseconds", box=None)
    table.add_column("stored before")
    for row in rows:
        table.add_column(f"{row['stored']:,}", justify="right")
    for name in QUESTIONS:
        table.add_row(name, *(f"{row['ms'][name]:.2f}" for row in rows))
    console.print(table, "")
    table = Table(title="Size at the end, MB", box=None)
    for column in ("table", "data", "indexes"):
        table.add_column(column, justify="left" if column == "table" else "right")
    for name, data, indexes in tables:
        if data + indexes > 1_000_000:
            table.add_row(name, f"{data / 1e6:,.1f}", f"{indexes / 1e6:,.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
