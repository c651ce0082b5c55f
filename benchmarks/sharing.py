"""Whether N processes read the files of one backfill in an N-th of the time of one.

    python -m benchmarks.sharing [--corpus DIR] [--pages 334] [--files 6] [--workers 1,2] [--rounds 2] [--json]

The pages of a corpus are written into WARC files; ``nachlese backfill`` of all of them is started once, and N times at
the same moment, into a fresh database each. A process has one reader and a core of its own, as if it were a machine of
one core; Postgres has what they leave. So the last row says how much is lost to sharing, and to Postgres.

``seconds`` count from the begin of the first run to the end of the last page, without the start of the commands, and
``CPU ms`` are those of all processes and of Postgres, a page. ``of linear`` is the speed beside N times that of one
process, and ``CPU of one`` the CPU of a page beside that with one: 1 where sharing costs nothing. The second one says
more where other work runs on the machine, and where there are fewer cores than processes and Postgres together.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.reading import BESIDE
from benchmarks.throughput import Postgres, Served, corpus_pages, write_configuration, write_warc

HOSTS = 20


@dataclass(frozen=True, slots=True)
class Shared:
    """One round: seconds and CPU in ms a page; articles, and the most pages that one of the processes read."""

    seconds: float
    cpu: float
    postgres: float
    articles: int
    most: int


def started(command: list[str], environment: dict[str, str], core: int) -> subprocess.Popen[bytes]:
    """A process, with all that it starts, on one core."""
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pinned(core)
    )


def pinned(core: int) -> Callable[[], None]:
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[core % len(cores)]})


def shared(files: list[Path], workers: int, home: Path, config: Path, postgres: Postgres, pages: int) -> Shared:
    """*workers* processes read *files* into a fresh database."""
    dsn = postgres.fresh("sharing")
    command = [sys.executable, "-m", "crawler.cli", "backfill", *map(str, files), "--json"]
    environments = [
        os.environ | {"NACHLESE_DATABASE_URL": dsn, "NACHLESE_HOME": str(home / str(n)), "NACHLESE_CONFIG": str(config)}
        for n in range(workers)
    ]
    before = postgres.cpu()
    processes = [started(command, environment, n) for n, environment in enumerate(environments)]
    spent = 0.0
    for process in processes:
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        spent += usage.ru_utime + usage.ru_stime
    time.sleep(0.2)  # the server's processes end, and are counted
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM max(recorded_at) - (SELECT min(started_at) FROM ingest.runs)), "
            "(SELECT count(*) FROM news.articles), max(n) "
            "FROM (SELECT recorded_at, count(*) OVER (PARTITION BY run_id) AS n FROM ingest.run_pages) AS of_run"
        ).fetchone()
    assert row is not None
    return Shared(float(row[0]), 1000 * spent / pages, 1000 * (postgres.cpu() - before) / pages, row[1], row[2])


def write_files(folder: Path, pages: list[Served], bases: list[str], number: int) -> list[Path]:
    """The pages dealt out over so many WARC files."""
    folder.mkdir()
    return [write_warc(folder / f"{n}.warc.gz", pages[n::number], bases) for n in range(number)]


def measure(pages: list[Served], number: int, workers: list[int], rounds: int) -> dict[int, list[Shared]]:
    """Every number of workers, *rounds* times in turn."""
    folder = Path(tempfile.mkdtemp(prefix="nachlese-sharing-"))
    folder.chmod(0o755)
    postgres = Postgres(folder / "postgres")
    found: dict[int, list[Shared]] = {n: [] for n in workers}
    try:
        bases = [f"http://127.0.0.{host + 1}:8080" for host in range(HOSTS)]
        config = write_configuration(folder, bases)
        with (config / "settings.toml").open("a") as settings:
            settings.write("\n[crawl]\nreaders = 1\n")
        files = write_files(folder / "files", pages, bases, number)
        for _ in range(rounds):
            for n in workers:
                found[n].append(shared(files, n, folder / "home", config, postgres, len(pages)))
    finally:
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)
    return found


def compared(found: dict[int, list[Shared]], pages: int) -> list[dict[str, float]]:
    """A row for each number of workers; medians."""
    rows: list[dict[str, float]] = []
    for workers, rounds in found.items():
        seconds = statistics.median(one.seconds for one in rounds)
        cpu = statistics.median(one.cpu + one.postgres for one in rounds)
        rows.append(
            {
                "workers": workers,
                "seconds": seconds,
                "pages_per_s": pages / seconds,
                "cpu": cpu,
                "postgres": statistics.median(one.postgres for one in rounds),
                "articles": rounds[-1].articles,
                "most": rounds[-1].most,
            }
        )
        first = rows[0]
        rows[-1]["of_linear"] = first["seconds"] * first["workers"] / (seconds * workers)
        rows[-1]["cpu_of_one"] = cpu / first["cpu"]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corpus", type=Path, default=BESIDE, help="a folder with docs.jsonl and gzipped pages")
    parser.add_argument("--pages", type=int, default=334)
    parser.add_argument("--files", type=int, default=6)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if not (chosen.corpus / "docs.jsonl").exists():
        print(f"sharing: no corpus in {chosen.corpus}: nothing measured", file=sys.stderr)
        return
    pages = corpus_pages(chosen.corpus, None, chosen.pages, HOSTS)
    workers = [int(n) for n in chosen.workers.split(",")]
    rows = compared(measure(pages, chosen.files, workers, chosen.rounds), len(pages))
    if chosen.json:
        print(json.dumps(rows))
        return
    shown = Table(title=f"{len(pages)} pages in {chosen.files} files; medians")
    for name in ("workers", "seconds", "pages/s", "of linear", "CPU ms", "CPU of one", "postgres ms", "articles",
                 "most of one"):  # fmt: skip
        shown.add_column(name, justify="right")
    for row in rows:
        shown.add_row(
            f"{row['workers']}", f"{row['seconds']:.1f}", f"{row['pages_per_s']:.1f}", f"{row['of_linear']:.2f}",
            f"{row['cpu']:.1f}", f"{row['cpu_of_one']:.2f}", f"{row['postgres']:.1f}", f"{row['articles']}",
            f"{row['most']}",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 140).print(shown)


if __name__ == "__main__":
    main()
