"""How far one Postgres goes: thousands of sources, several workers, a year of archive. Prints tables.

    python -m benchmarks.scale [--sources 10000] [--workers 1,4,16] [--days 1] [--sample 8] [--every 15]
                               [--year-articles 100000] [--year-runs 300000] [--jobs 400] [--finished 200000]
                               [--only day,queue,year] [--data DIR] [--json]

``day``: sources have rhythms (``benchmarks.polling``). Of all of them a *sample* is really looked at, through the
store, in a database with the rows of all: slots, leases, shared turns, feeds, pages, articles, rechecks, ends, health,
site models, stories. That gives the processor time of the database for each step (its processes' own, from /proc), and
how its tables grow; the first quarter of the day is not measured. With these costs a day of all sources is simulated:
who waits for a place, the site's delay, an event loop, a reader, the database. What a fetch and a worker take is stated
by options, the defaults as measured with ``benchmarks.throughput``. Pages that lead nowhere, watchlists, archive and
backfills are not in it.

``queue``: what a job of ``nachlese schedule --queue`` costs, and what finished jobs cost where they are not deleted.

``year``: the statements of schedule, status, web server and SQL readers, on a database that is as large as after a
year, filled in bulk (``benchmarks.filled``); the slowest first. With --data the database stays for the next time.

Where one Postgres is the limit is worked out from processor time: it is the number of sources at which the database
would need one core all day, and one core in the day's busiest hour. Nobody has run so many here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import filled, scale_queue, scale_year
from benchmarks.articles import Generator
from benchmarks.polling import Simulated, simulated
from benchmarks.scale_looks import STANDING, Looks, ServerClock, Source, opened, rechecks_of, save_sources, standing
from benchmarks.scale_model import DAY, Machines, Simulation, Taken
from pipelines.recheck import RecheckPlan

PARTS = ("day", "queue", "year")
#: steps of every run, of an article, of a recheck; turns are taken for each request
OF_A_LOOK = ("claim slot", "feed, 304", "feed, new", "claim pages", "end run", "health", "next run")
OF_AN_ARTICLE = ("store article", "site model", "stories")
OF_A_RECHECK = ("recheck, 304",)
STANDING_TIMES = 100
SIZES = """
    SELECT relname, sum(pg_total_relation_size(class.oid))::bigint FROM pg_class AS class
    WHERE relnamespace = 'ingest'::regnamespace AND relkind = 'r' GROUP BY 1
"""


def chosen(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, value, said in (
        ("sources", 10_000, "sources of the simulated day"),
        ("days", 1, "days that the sample is really looked at"),
        ("sample", 8, "sources that are really looked at, all day"),
        ("readers", 2, "cores of a worker that read"),
        ("cores", 1, "cores of the database"),
        ("year-articles", 100_000, "articles of the year; a multiple of --base"),
        ("base", 2_000, "of these the store writes, the others are made from them"),
        ("year-runs", 300_000, "runs of the year, with a request each"),
        ("jobs", 400, "jobs that are put in and done"),
        ("finished", 200_000, "finished jobs that stay"),
        ("seed", 1, "of the rhythms"),
    ):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{said} ({value:,})")
    for name, value, said in (
        ("every", 15.0, "minutes between two looks"),
        ("fetch", 0.4, "seconds until a site's answer is there"),
        ("delay", 1.0, "seconds between two requests to a site"),
        ("reading", 29.2, "ms of a reader for a page"),
        ("main-article", 14.4, "ms of a worker's event loop for a page"),
        ("main-look", 7.0, "ms of a worker's event loop for a look, or a 304 of an article"),
    ):
        parser.add_argument(f"--{name}", type=float, default=value, help=f"{said} ({value:g})")
    parser.add_argument("--workers", default="1,4,16")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--data", type=Path, help="folder of the server's data; stays for the next time")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if unknown := set(options.only.split(",")) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if options.year_articles % options.base:
        parser.error("--year-articles is a multiple of --base")
    options.sample = min(options.sample, options.sources)
    return options


# --- a day ------------------------------------------------------------------------------------------------------------


def sizes_of(dsn: str) -> dict[str, int]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return dict(connection.execute(SIZES).fetchall())


async def looked(dsn: str, options: argparse.Namespace, workers: int, progress: Progress) -> dict[str, Any]:
    """The sample's day through the store: what each step takes, what was stored, how tables grew."""
    generator, rechecks = Generator(options.seed), rechecks_of(RecheckPlan())
    numbers = range(0, options.sources, max(1, options.sources // options.sample))[: options.sample]
    sources = [Source(f"s{one}", simulated(one, options.days, options.seed, learn=0), generator) for one in numbers]
    rounds = int(options.days * 24 * 60 / options.every)
    task = progress.add_task(f"{len(sources)} sources through the store, {workers} workers", total=rounds)
    async with opened(dsn, workers, rechecks) as stores:
        await save_sources(stores[0], options.sources)
        before = sizes_of(dsn)
        looks = Looks(dsn, sources, stores, has_turns=workers > 1)
        for number in range(1, rounds + 1):
            await looks.round(number * options.every)
            if number == rounds // 4:
                looks.forget()
            progress.advance(task)
        ledger = looks.finish()
        await standing(looks, STANDING_TIMES)
        after = sizes_of(dsn)
    progress.remove_task(task)
    published = sum(len(source.rhythm.published) for source in sources)
    return {
        "workers": workers, "sources": len(sources), "published": published,
        "left_feed": sum(source.left_feed for source in sources), "kinds": dict(looks.kinds), **stored(dsn),
        "steps": {
            name: {"calls": number, "ms": 1000 * ledger.of(name), "s": ledger.cpu[name]}
            for name, number in ledger.calls.items()
        },
        "background_s": ledger.background, "rechecks": rechecks,
        "grown": {name: size - before.get(name, 0) for name, size in after.items() if size > before.get(name, 0)},
    }  # fmt: skip


def stored(dsn: str) -> dict[str, int]:
    """Articles that are there, and how many of them are there twice."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*), count(*) - count(DISTINCT canonical_url) FROM news.articles")
        number, twice = row.fetchone() or (0, 0)
    return {"stored": number, "twice": twice}


def taken(seen: dict[str, Any], options: argparse.Namespace) -> Taken:
    """Seconds for a look, an article, a recheck, as the sample had them; what runs in the background is shared out."""
    steps = seen["steps"]
    clients = sum(step["s"] for name, step in steps.items() if name not in STANDING) or 1.0
    more = 1 + seen["background_s"] / clients

    def each(names: Sequence[str], number: int) -> float:
        return more * sum(steps[name]["s"] for name in names if name in steps) / max(number, 1)

    turn = more * steps["turns"]["s"] / steps["turns"]["calls"] if "turns" in steps else 0.0
    return Taken(
        look=each(OF_A_LOOK, steps["claim slot"]["calls"]) + turn,
        article=each(OF_AN_ARTICLE, steps.get("store article", {}).get("calls", 0)) + turn,
        recheck=each(OF_A_RECHECK, steps.get("recheck, 304", {}).get("calls", 0)) + turn,
        main_look=options.main_look / 1000, main_article=options.main_article / 1000, reading=options.reading / 1000,
        fetch=options.fetch, delay=options.delay,
    )  # fmt: skip


def day_of(seen: dict[str, Any], rhythms: Sequence[Simulated], options: argparse.Namespace) -> dict[str, Any]:
    """The simulated day of all sources, and where the database is the limit."""
    each, workers = taken(seen, options), seen["workers"]
    machines = Machines(workers, options.readers, options.cores)
    day = Simulation(rhythms, each, machines, seen["rechecks"], timedelta(minutes=options.every)).run()
    articles = sum(len(source.published) for source in rhythms) / len(rhythms)  # of a source
    looks = 24 * 60 / options.every
    parts = {
        "looks": looks * each.look, "articles": articles * each.article,
        "rechecks": articles * seen["rechecks"] * each.recheck,
    }  # fmt: skip
    base = workers * sum(DAY / pause * seen["steps"][name]["s"] / seen["steps"][name]["calls"]
                         for name, pause in STANDING.items())  # fmt: skip
    source = sum(parts.values())
    peak = peak_of(rhythms)
    busiest = parts["looks"] + peak * (parts["articles"] + parts["rechecks"])
    growth = {name: size / seen["sources"] / options.days for name, size in seen["grown"].items()}
    return {
        "workers": workers, "articles": day.stored, "published": day.published, "left_feed": day.left_feed,
        "looks": day.looks, "skipped_looks": day.late_looks, "delay_median_s": day.delay(0.5),
        "delay_p99_s": day.delay(0.99), "database_share": day.database, "main_share": day.main,
        "readers_share": day.readers / (workers * options.readers),
        "database_s_a_source_and_day": source, "of": parts, "database_s_a_day_of_workers": base,
        "bytes_a_source_and_day": sum(growth.values()), "growth": growth,
        "limit_sources": int((DAY - base) / source), "limit_articles": int((DAY - base) / source * articles),
        "peak": peak, "limit_sources_in_busiest_hour": int((DAY - base) / busiest),
    }  # fmt: skip


def peak_of(rhythms: Sequence[Simulated]) -> float:
    """The busiest hour's articles beside those of a mean hour."""
    hours = [0] * 24
    for source in rhythms:
        for minute in source.published:
            hours[int(minute // 60) % 24] += 1
    return 24 * max(hours) / max(sum(hours), 1)


def days(server: str, options: argparse.Namespace, progress: Progress) -> list[dict[str, Any]]:
    task = progress.add_task(f"rhythms of {options.sources:,} sources", total=None)
    rhythms = [simulated(number, 1, options.seed, learn=0) for number in range(options.sources)]
    progress.remove_task(task)
    found = []
    for workers in filled.sizes(options.workers):
        with filled.fresh_database(server, f"scale_{workers}") as dsn:
            seen = asyncio.run(looked(dsn, options, workers, progress))
        task = progress.add_task(f"a day of {options.sources:,} sources, {workers} workers", total=None)
        found.append({"sample": seen, "day": day_of(seen, rhythms, options)})
        progress.remove_task(task)
    return found


# --- queue and year ---------------------------------------------------------------------------------------------------


def queue(server: str, options: argparse.Namespace, progress: Progress) -> list[dict[str, Any]]:
    task = progress.add_task("the job queue", total=None)
    with filled.fresh_database(server, "scale_queue") as dsn:
        clock = ServerClock(dsn)
        costs = asyncio.run(scale_queue.measured(dsn, options.jobs, options.finished, lambda: clock.seconds()[0]))
    progress.remove_task(task)
    return [asdict(cost) for cost in costs]


def year(server: str, options: argparse.Namespace, progress: Progress) -> list[dict[str, Any]]:
    task = progress.add_task(f"a year of {options.year_articles:,} articles", total=None)
    articles = filled.filled_database(server, options.year_articles, options.base, is_varied=True)
    template, name = conninfo.conninfo_to_dict(articles)["dbname"], f"year_{options.sources}_{options.year_articles}"
    dsn = filled.made(
        server, name, str(template), lambda made: scale_year.fill(made, options.sources, options.year_runs)
    )
    asked = scale_year.asked(dsn, options.sources, lambda name: progress.update(task, description=name))
    progress.remove_task(task)
    return [asdict(one) for one in asked]


# --- what is shown ----------------------------------------------------------------------------------------------------


def shown(result: dict[str, Any], options: argparse.Namespace, console: Console) -> None:
    if "days" in result:
        console.print(day_table(result["days"], options), "")
        console.print(step_table(result["days"]), "")
        console.print(growth_table(result["days"][-1]["day"], options), "")
        for one in result["days"]:
            console.print(limit_of(one["day"]), highlight=False, soft_wrap=True)
    if "queue" in result:
        table = Table(title="\nA job in the queue: ms of the database's processor", box=None)
        for name in ("finished jobs that stay", "put in", "done"):
            table.add_column(name, justify="right")
        for cost in result["queue"]:
            table.add_row(f"{cost['finished']:,}", f"{1000 * cost['defer']:.2f}", f"{1000 * cost['work']:.2f}")
        console.print(table, "")
    if "year" in result:
        table = Table(title=f"After a year: {options.year_articles:,} articles, {options.sources:,} sources", box=None)
        for name in ("of", "statement", "ms", "of the processor"):
            table.add_column(name, justify="right" if name in ("ms", "of the processor") else "left")
        for one in result["year"][:15]:
            table.add_row(one["part"], one["name"], f"{one['ms']:,.1f}", f"{one['cpu_ms']:,.0f}")
        console.print(table)


def day_table(found: Sequence[dict[str, Any]], options: argparse.Namespace) -> Table:
    table = Table(title=f"A day of {options.sources:,} sources (simulated, with the costs below)", box=None)
    names = ("workers", "articles a day", "published", "left the feed", "delay, median", "99 %", "looks skipped",
             "database busy", "event loop", "readers")  # fmt: skip
    for name in names:
        table.add_column(name, justify="right")
    for day in (one["day"] for one in found):
        table.add_row(
            str(day["workers"]), f"{day['articles']:,}", f"{day['published']:,}", f"{day['left_feed']:,}",
            f"{day['delay_median_s'] / 60:.1f} min", f"{day['delay_p99_s'] / 60:.1f} min", f"{day['skipped_looks']:,}",
            f"{day['database_share']:.2f}", f"{day['main_share']:.2f}", f"{day['readers_share']:.2f}",
        )  # fmt: skip
    return table


def step_table(found: Sequence[dict[str, Any]]) -> Table:
    samples = [one["sample"] for one in found]
    table = Table(title="The database's processor, ms a call (measured)", box=None)
    table.add_column("step")
    for seen in samples:
        table.add_column(f"{seen['workers']} workers", justify="right")
    table.add_column("calls", justify="right")
    for name in dict.fromkeys(name for seen in samples for name in seen["steps"]):
        steps = [seen["steps"].get(name) for seen in samples]
        calls = next(step["calls"] for step in reversed(steps) if step)
        table.add_row(name, *(f"{step['ms']:.2f}" if step else "" for step in steps), f"{calls:,}")
    table.add_row("in the background, s", *(f"{seen['background_s']:.1f}" for seen in samples), "")
    return table


def growth_table(day: dict[str, Any], options: argparse.Namespace) -> Table:
    table = Table(title="Growth (measured on the sample)", box=None)
    for name in ("table", "bytes a source and day", f"MB a day of {options.sources:,}"):
        table.add_column(name, justify="left" if name == "table" else "right")
    rows = sorted(day["growth"].items(), key=lambda one: -one[1])
    for name, size in [("all", day["bytes_a_source_and_day"]), *rows[:14]]:
        table.add_row(name, f"{size:,.0f}", f"{size * options.sources / 1e6:,.0f}")
    return table


def limit_of(day: dict[str, Any]) -> str:
    parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in day["of"].items())
    return (
        f"{day['workers']} workers: a source takes {day['database_s_a_source_and_day']:.2f} s of the database's "
        f"processor a day ({parts}). Extrapolated: one core is all taken by {day['limit_sources']:,} sources with "
        f"{day['limit_articles']:,} articles a day; in the busiest hour (articles {day['peak']:.1f} times the mean) by "
        f"{day['limit_sources_in_busiest_hour']:,} sources."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    options = chosen(arguments)
    only, result = options.only.split(","), dict[str, Any]()
    with Progress(console=Console(stderr=True)) as progress, filled.server(options.data) as server:
        if "day" in only:
            result["days"] = days(server, options, progress)
        if "queue" in only:
            result["queue"] = queue(server, options, progress)
        if "year" in only:
            result["year"] = year(server, options, progress)
    if options.json:
        print(json.dumps(result))
    else:
        shown(result, options, Console(width=None if sys.stdout.isatty() else 140))
    samples = [one["sample"] for one in result.get("days", [])]
    lost = sum(abs(one["published"] - one["left_feed"] - one["stored"]) + one["twice"] for one in samples)
    if lost:
        print(f"scale: {lost} articles were lost or stored twice", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
