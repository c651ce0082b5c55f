"""How fast the whole way is, from feed to row, beside what the same cores do at best; where the processor goes.

    python -m benchmarks.throughput [--corpus DIR] [--set NAME] [--pages 334] [--hosts 20] [--rounds 3] [--json]
                                    [--only ROWS] [--polls 60] [--sources 75,1000] [--sizes 2000,20000]

The pages of a corpus (the format of ``benchmarks.reading``) are served on loopback, over several hosts with a feed
each, by nginx where it is installed and else by Python; what the server costs is not counted. All rows are run in turn,
round by round, so that a busy machine slows them alike, and each figure is the median over the rounds:

- ``read``: our reader alone, a process a core, pages in memory;
- ``trafilatura``: with metadata, the same way;
- ``naive``: what somebody who knows Scrapy writes first: one spider, trafilatura in the item pipeline, one process;
- ``crawl``: ``nachlese crawl`` with archive, search, fingerprints, changes, stories, watchlists; a fresh database;
- ``replay``: ``nachlese replay --archive`` of the same pages into a fresh database;
- ``backfill``: ``nachlese backfill`` of the same pages in a WARC file that warcio wrote, into a fresh database.

``pages/s`` counts from the begin of the first run to the end of the last (for ``read`` and ``trafilatura``: from the
first page to the last), ``whole`` the whole command with its start. CPU is in milliseconds a page, from the
kernel: ``main`` is the crawling process, ``readers`` are those that it starts, ``postgres`` is the server. ``readers of
read`` is their CPU beside that of ``read``; ``CPU of read`` that of ``read`` beside that of all processes together: the
share of ``read`` that the cores come to where nothing else runs on them. ``lag`` is how late the event loop comes.

A second table has what single things cost (``benchmarks.costs``), with what is wanted of each. A cost that cannot be
measured is told as failed, and the others are measured all the same; the exit code is 1:

- ``start``: commands that only look;
- ``poll``: a poll that finds nothing new, with one and with a thousand sources in the schedule;
- ``memory``: the main process of a schedule with so many sources (``--sources 75,1000,10000``), in simulated time;
- ``growth``: storing an article where so many are stored (``--sizes 10000,500000``);
- ``hosts``: the crawl of the same pages on one host and on a hundred;
- ``known``: ``read`` where the source's container is known, beside trafilatura.

More pages than a corpus has are its pages again under other addresses: ``--only read,replay --pages 10000``.
"""

from __future__ import annotations

import argparse
import asyncio
import compileall
import gzip
import io
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import psutil
import psycopg
from psycopg import conninfo, sql
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks.costs import COSTS, Cost, Given, costs_of, costs_table
from benchmarks.reading import BESIDE
from pipelines import database

CORES = max(1, len(os.sched_getaffinity(0)))
TICK = os.sysconf("SC_CLK_TCK")
WATCHLISTS = 20
WORDS = (
    "Regierung", "Polizei", "Bundestag", "Feuerwehr", "Gericht", "Unfall", "Wahl", "Haushalt", "Energie", "Klima",
    "Bahn", "Schule", "Krankenhaus", "Fußball", "Börse", "Zinsen", "Streik", "Wetter", "Ukraine", "Europa",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Served:
    """One page as it is served: on which host (a number), at which path, with which content type."""

    host: int
    path: str
    body: bytes
    content_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One row in one round. Rates in pages a second, CPU in ms a page, lag of the event loop in ms."""

    pages_per_s: float
    whole_per_s: float
    main: float = 0.0
    readers: float = 0.0
    postgres: float = 0.0
    lag_p99: float | None = None
    lag_max: float | None = None
    articles: int | None = None
    said: str = ""


# --- the pages --------------------------------------------------------------------------------------------------------


def corpus_pages(folder: Path, wanted: str | None, number: int, hosts: int) -> list[Served]:
    """The first *number* pages of a corpus folder, or of one set of it, dealt out over *hosts*.

    Where there are fewer, they come again under other addresses.
    """
    lines = (folder / "docs.jsonl").read_text(encoding="utf-8").split("\n")
    docs = [json.loads(line) for line in lines if line.strip()]
    docs = [doc for doc in docs if wanted is None or doc.get("set") == wanted]
    found = []
    for place in range(number if docs else 0):
        turn, which = divmod(place, len(docs))
        doc = docs[which]
        body = gzip.decompress((folder / doc["file"]).read_bytes())
        charset = f"; charset={doc['encoding']}" if doc.get("encoding") else ""
        path = f"/artikel/{doc['id']}{f'-{turn}' if turn else ''}.html"
        found.append(Served(place % hosts, path, body, f"text/html{charset}", doc["url"] or ""))
    return found


def _feed(base: str, pages: list[Served]) -> bytes:
    now = format_datetime(datetime.now(UTC))
    items = "".join(
        f"<item><title>{escape(page.path)}</title><link>{base}{page.path}</link><pubDate>{now}</pubDate></item>"
        for page in pages
    )
    return f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode()


# --- the server -------------------------------------------------------------------------------------------------------

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  log_format times '$msec';
  access_log {folder}/access.log times;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  types {{ application/rss+xml xml; text/plain txt; }}
  {servers}
}}
"""


@contextmanager
def served(pages: list[Served], hosts: int, folder: Path) -> Iterator[list[str]]:
    """The base address of each host, while the pages are served. Hosts are addresses of the loopback range."""
    port = _free_port()
    bases = [f"http://127.0.0.{host + 1}:{port}" for host in range(hosts)]
    for host in range(hosts):
        place = folder / "www" / str(host)
        (place / "artikel").mkdir(parents=True)
        mine = [page for page in pages if page.host == host]
        (place / "feed.xml").write_bytes(_feed(bases[host], mine))
        (place / "robots.txt").write_text("User-agent: *\nAllow: /\n")
        for page in mine:
            (place / page.path[1:]).write_bytes(page.body)
    command = _nginx(pages, hosts, port, folder) or [
        sys.executable, "-m", "benchmarks.throughput", "--serve", str(folder / "www"), "--port", str(port),
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield bases
    finally:
        server.terminate()
        server.wait(10)


def _nginx(pages: list[Served], hosts: int, port: int, folder: Path) -> list[str] | None:
    """The command of an nginx that serves the folder, or None where there is none."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        return None
    servers = []
    for host in range(hosts):
        types = "".join(
            f'location = {page.path} {{ types {{}} default_type "{page.content_type}"; }}\n'
            for page in pages
            if page.host == host
        )
        servers.append(f"server {{ listen 127.0.0.{host + 1}:{port}; root {folder}/www/{host}; {types} }}")
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, servers="\n".join(servers)))
    _make_readable(folder)
    return [program, "-c", str(config), "-p", str(folder)]


def _make_readable(folder: Path) -> None:
    folder.chmod(0o755)


def _serve(folder: Path, port: int) -> None:
    """The server where there is no nginx: files by the loopback address that was asked."""
    from aiohttp import web

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        host = int(request.transport.get_extra_info("sockname")[0].rsplit(".", 1)[1]) - 1
        file = folder / str(host) / request.path[1:]
        if ".." in request.path or not file.is_file():
            return web.Response(status=404)
        return web.FileResponse(file)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    web.run_app(application, host=[f"127.0.0.{int(one.name) + 1}" for one in folder.iterdir()], port=port, print=None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit("throughput: the server of the pages did not start")


# --- readers alone ----------------------------------------------------------------------------------------------------


def _read_ours(pages: list[Served]) -> Callable[[Served], object]:
    from pipelines.items import Page, Rejected
    from pipelines.reading import read, shipped_rules

    rules, now = shipped_rules(), datetime.now(UTC)

    def one(page: Served) -> object:
        try:
            return read(Page(page.url, "bench", page.body, now, page.content_type), rules)
        except Rejected:
            return None

    for page in pages[:10]:  # what is compiled or loaded at the first page is no page's cost
        one(page)
    return one


def _read_trafilatura(pages: list[Served]) -> Callable[[Served], object]:
    from trafilatura import bare_extraction

    def one(page: Served) -> object:
        return bare_extraction(page.body, url=page.url, with_metadata=True, include_comments=False)

    for page in pages[:10]:
        one(page)
    return one


READERS = {"read": _read_ours, "trafilatura": _read_trafilatura}


def _worker(name: str, pages: list[Served], start: Any, done: Any) -> None:
    one = READERS[name](pages)
    start.wait()
    begun, cpu = time.monotonic(), time.process_time()
    for page in pages:
        one(page)
    done.put((begun, time.monotonic(), time.process_time() - cpu))


def alone(name: str, pages: list[Served]) -> Measured:
    """One reader on all cores, without a crawl around it: each process reads every n-th page."""
    context = multiprocessing.get_context("spawn")
    barrier, done = context.Barrier(CORES), context.Queue()
    works = [context.Process(target=_worker, args=(name, pages[n::CORES], barrier, done)) for n in range(CORES)]
    for work in works:
        work.start()
    times = [done.get(timeout=600) for _ in works]
    for work in works:
        work.join()
    seconds = max(end for _, end, _ in times) - min(begun for begun, _, _ in times)
    rate = len(pages) / seconds
    return Measured(rate, rate, readers=1000 * sum(cpu for _, _, cpu in times) / len(pages))


# --- the naive project ------------------------------------------------------------------------------------------------


def _naive(feeds: list[str]) -> None:
    """What somebody who knows Scrapy and trafilatura writes first, in this process."""
    import scrapy
    from scrapy.crawler import CrawlerProcess
    from trafilatura import bare_extraction

    class Extract:
        def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
            got = bare_extraction(item.pop("html"), url=item["url"], with_metadata=True, include_comments=False)
            item["text"] = got.text if got else None
            return item

    class News(scrapy.Spider):
        name = "news"
        start_urls = feeds

        def parse(self, response: Any) -> Iterator[Any]:
            response.selector.remove_namespaces()
            for link in response.xpath("//item/link/text()").getall():
                yield response.follow(link, self.parse_article)

        def parse_article(self, response: Any) -> Iterator[dict[str, Any]]:
            yield {"url": response.url, "html": response.body}

    process = CrawlerProcess(
        {"ITEM_PIPELINES": {Extract: 1}, "LOG_ENABLED": False, "ROBOTSTXT_OBEY": True, "DOWNLOAD_DELAY": 0,
         "TELNETCONSOLE_ENABLED": False}
    )  # fmt: skip
    process.crawl(News)
    process.start()


# --- the whole way ----------------------------------------------------------------------------------------------------


class Postgres:
    """An embedded server for all rounds, a fresh database for each, and what the server has cost."""

    def __init__(self, folder: Path):
        self.server = database.embedded(folder)
        pid = int((folder / "postmaster.pid").read_text().split()[0])
        self.postmaster = psutil.Process(pid)

    def fresh(self, name: str) -> str:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        dsn = conninfo.make_conninfo(self.server, dbname=name)
        database.migrate(dsn)
        return dsn

    def cpu(self) -> float:
        """Seconds of processor time of the server and all it ever started."""
        own = self.postmaster.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in self.postmaster.children(recursive=True):
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    def close(self) -> None:
        database.leave(self.server)


SOURCE = """title = "Host {host}"
homepage = "{base}/"
language = "de"
time_zone = "Europe/Berlin"

[discover]
feeds = ["{base}/feed.xml"]

[fetch]
delay = "0 seconds"
concurrency = 4
allow_addresses = ["127.0.0.0/8"]
"""

SETTINGS = """[politeness]
jitter = "0 seconds"

[archive]
enabled = {archive}
"""


def write_configuration(folder: Path, bases: list[str]) -> Path:
    """A configuration with a source a host and twenty watchlists."""
    config = folder / "config"
    shipped = Path(__file__).resolve().parents[1] / "config"
    shutil.copytree(shipped, config)
    shutil.rmtree(config / "sources")
    (config / "sources").mkdir()
    (config / "watch").mkdir(exist_ok=True)
    for host, base in enumerate(bases):
        (config / "sources" / f"host{host}.toml").write_text(SOURCE.format(host=host, base=base))
    (config / "settings.toml").write_text(SETTINGS.format(archive="true"))
    for word in WORDS[:WATCHLISTS]:
        (config / "watch" / f"{_plain(word)}.toml").write_text(f'title = "{word}"\nwords = ["{word}"]\n')
    return config


def _plain(word: str) -> str:
    return word.lower().replace("ß", "ss").replace("ö", "oe")


def whole_way(arguments: list[str], dsn: str, home: Path, config: Path, postgres: Postgres, pages: int) -> Measured:
    """``nachlese ARGUMENTS`` as a process of its own, watched from outside."""
    environment = os.environ | {
        "NACHLESE_DATABASE_URL": dsn, "NACHLESE_HOME": str(home), "NACHLESE_CONFIG": str(config),
    }  # fmt: skip
    lag = home / "lag.json"
    command = [sys.executable, "-m", "benchmarks.throughput", "--with-lag", str(lag), *arguments]
    before = postgres.cpu()
    seconds, main, rest, said = _watched(command, environment)
    after = postgres.cpu()
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM news.articles), extract(epoch FROM max(ended_at) - min(started_at)) "
            "FROM news.runs"
        ).fetchone()
    assert row is not None
    articles, working = row[0], float(row[1] or seconds)
    measured = json.loads(lag.read_text()) if lag.exists() else {}
    return Measured(
        pages / working, pages / seconds, 1000 * main / pages, 1000 * rest / pages, 1000 * (after - before) / pages,
        measured.get("p99"), measured.get("max"), articles, "" if articles else said,
    )  # fmt: skip


def _watched(command: list[str], environment: dict[str, str]) -> tuple[float, float, float, str]:
    """Seconds by the clock, CPU of the process itself, CPU of all it started, and the end of what it said."""
    with tempfile.TemporaryFile() as said:
        begun = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        own = 0.0
        while True:
            # the kernel forgets a process that was waited for, so its own share is read while it is there
            pid, _, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            own = _own_cpu(process.pid) or own
            time.sleep(0.02)
        seconds = time.monotonic() - begun
        process.returncode = 0
        said.seek(0)
        text = said.read().decode(errors="replace")[-500:]
    return seconds, own, max(0.0, usage.ru_utime + usage.ru_stime - own), text


def _own_cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def _with_lag(file: Path, arguments: list[str]) -> None:
    """Run the command line in this process, with a probe in its event loop that writes how late it came."""
    lags: list[float] = []
    run = asyncio.run

    async def probe() -> None:
        while True:
            wanted = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            lags.append(1000 * (time.monotonic() - wanted))

    def probed(main: Any, **options: Any) -> Any:
        async def both() -> Any:
            probing = asyncio.create_task(probe())
            try:
                return await main
            finally:
                probing.cancel()

        return run(both(), **options)

    asyncio.run = probed
    from crawler.cli import main as command_line

    sys.argv = ["nachlese", *arguments]
    try:
        command_line()
    finally:
        lags.sort()
        if lags:
            file.write_text(json.dumps({"p99": lags[int(0.99 * (len(lags) - 1))], "max": lags[-1]}))


# --- all of it --------------------------------------------------------------------------------------------------------


def _compile() -> None:
    """Bytecode as an installation has it: a checkout may be told to write none, and each start would compile anew."""
    for package in ("crawler", "pipelines"):
        compileall.compile_dir(Path(__file__).parent.parent / package, quiet=2)


def measure(
    pages: list[Served], hosts: int, rounds: int, only: set[str], progress: Progress
) -> dict[str, list[Measured]]:
    """Every row, *rounds* times in turn."""
    found: dict[str, list[Measured]] = {name: [] for name in ROWS if not only or name in only}
    folder = Path(tempfile.mkdtemp(prefix="nachlese-throughput-"))
    _make_readable(folder)
    _compile()
    bar = progress.add_task("rows", total=rounds * len(found))
    postgres = Postgres(folder / "postgres")
    try:
        with served(pages, hosts, folder) as bases:
            config = write_configuration(folder, bases)
            for turn in range(rounds):
                for name in found:
                    progress.update(bar, description=name)
                    found[name].append(_row(name, pages, bases, folder / f"{name}{turn}", config, postgres))
                    progress.advance(bar)
    finally:
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)
    return found


ROWS = ("read", "trafilatura", "naive", "crawl", "replay", "backfill")


def _row(name: str, pages: list[Served], bases: list[str], home: Path, config: Path, postgres: Postgres) -> Measured:
    if name in READERS:
        return alone(name, pages)
    if name == "naive":
        feeds = [f"{base}/feed.xml" for base in bases]
        command = [sys.executable, "-m", "benchmarks.throughput", "--naive", *feeds]
        seconds, main, rest, _ = _watched(command, dict(os.environ))
        return Measured(len(pages) / seconds, len(pages) / seconds, 1000 * main / len(pages), 1000 * rest / len(pages))
    home.mkdir()
    dsn = postgres.fresh(f"throughput_{name}")
    if name == "backfill":
        file = write_warc(home / "pages.warc.gz", pages, bases)
        return whole_way(["backfill", str(file), "--json"], dsn, home, config, postgres, len(pages))
    crawled = whole_way(["crawl", "--json"], dsn, home, config, postgres, len(pages))
    if name == "crawl":
        return crawled
    dsn = postgres.fresh("throughput_replayed")
    return whole_way(["replay", "--archive", "--json"], dsn, home, config, postgres, len(pages))


def write_warc(file: Path, pages: list[Served], bases: list[str]) -> Path:
    """The pages as another archiver keeps them, at the addresses under which they are served."""
    with file.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for page in pages:
            headers = StatusAndHeaders("200 OK", [("Content-Type", page.content_type)], protocol="HTTP/1.1")
            writer.write_record(
                writer.create_warc_record(
                    bases[page.host] + page.path, "response", payload=io.BytesIO(page.body), http_headers=headers
                )
            )
    return file


def measure_costs(pages: list[Served], chosen: argparse.Namespace, rows: list[str], progress: Progress) -> list[Cost]:
    """The rows of ``benchmarks.costs``, once each: they are medians, or ratios, of their own."""
    folder = Path(tempfile.mkdtemp(prefix="nachlese-costs-"))
    _make_readable(folder)
    _compile()
    bar = progress.add_task("costs", total=len(rows))
    postgres = Postgres(folder / "postgres")

    def crawled(hosts: int) -> tuple[float, float]:
        place = folder / f"hosts{hosts}"
        place.mkdir()
        _make_readable(place)
        dealt = [replace(page, host=number % hosts) for number, page in enumerate(pages)]
        with served(dealt, hosts, place) as bases:
            config = write_configuration(place, bases)
            dsn = postgres.fresh("throughput_hosts")
            done = whole_way(["crawl", "--json"], dsn, place, config, postgres, len(pages))
        return done.main, done.postgres

    found: list[Cost] = []
    try:
        for row in rows:
            progress.update(bar, description=row)
            given = Given(
                pages, postgres.fresh("throughput_costs"), folder, chosen.polls,
                tuple(map(int, chosen.sources.split(","))), chosen.sizes, chosen.articles, crawled,
            )  # fmt: skip
            found += costs_of(row, given)
            progress.advance(bar)
    finally:
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)
    return found


def medians(rounds: list[Measured]) -> dict[str, Any]:
    """The median of each figure over the rounds; None where it was not measured."""
    rows = [asdict(one) for one in rounds]
    found: dict[str, Any] = {}
    for key in rows[0]:
        values = [row[key] for row in rows if isinstance(row[key], int | float)]
        found[key] = statistics.median(values) if values else None
    return found


def compared(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """*found* with what each row is of others: pages/s of ``read`` and of ``naive``, CPU of the readers of ``read``,
    and of all processes together the pages/s that all cores could make of it, of ``read``.

    The last is what a machine with nothing else to do comes to; beside other work, the clock says little.
    """
    best, naive = found.get("read"), found.get("naive")
    result = {}
    for name, row in found.items():
        spent = row["main"] + row["readers"] + row["postgres"]
        result[name] = row | {
            "of_read": row["pages_per_s"] / best["pages_per_s"] if best else None,
            "of_naive": row["pages_per_s"] / naive["pages_per_s"] if naive else None,
            "readers_of_read": row["readers"] / best["readers"] if best and row["readers"] else None,
            "cpu_of_read": best["readers"] / spent if best and spent else None,
        }
    return result


def table(found: dict[str, dict[str, Any]]) -> Table:
    shown = Table(title="From feed to row; medians")
    for heading in ("", "pages/s", "whole", "of read", "of naive", "main ms", "readers ms", "postgres ms",
                    "readers of read", "CPU of read", "lag p99/max ms", "articles"):  # fmt: skip
        shown.add_column(heading, justify="left" if not heading else "right")
    for name, row in found.items():
        lag = f"{row['lag_p99']:.0f} / {row['lag_max']:.0f}" if row["lag_p99"] is not None else ""
        figures = (("pages_per_s", 1), ("whole_per_s", 1), ("of_read", 2), ("of_naive", 2), ("main", 1),
                   ("readers", 1), ("postgres", 1), ("readers_of_read", 2), ("cpu_of_read", 2))  # fmt: skip
        cells = [f"{row[key]:.{digits}f}" if row[key] else "" for key, digits in figures]
        shown.add_row(name, *cells, lag, str(int(row["articles"] or 0) or ""))
    return shown


def main() -> int | None:
    """The exit code: 1 where a cost could not be measured."""
    if sys.argv[1:2] == ["--with-lag"]:
        _with_lag(Path(sys.argv[2]), sys.argv[3:])
        return None
    if sys.argv[1:2] == ["--naive"]:
        _naive(sys.argv[2:])
        return None
    if sys.argv[1:2] == ["--serve"]:
        _serve(Path(sys.argv[2]), int(sys.argv[4]))
        return None
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corpus", type=Path, default=BESIDE, help="a folder with docs.jsonl and gzipped pages")
    parser.add_argument("--set", help="only pages of this set of the corpus")
    parser.add_argument("--pages", type=int, default=334)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help=f"comma-separated rows of {', '.join((*ROWS, *COSTS))}")
    parser.add_argument("--polls", type=int, default=60, help="polls that are measured, for poll and memory")
    parser.add_argument("--sources", default="75,1000", help="sources of the schedule, for memory")
    parser.add_argument("--sizes", default="2000,20000", help="articles that are stored before, for growth; multiples")
    parser.add_argument("--articles", type=int, default=200, help="articles that are stored and timed, for growth")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    only = {name for name in chosen.only.split(",") if name}
    if unknown := only - {*ROWS, *COSTS}:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if not (chosen.corpus / "docs.jsonl").exists():
        print(f"throughput: no corpus in {chosen.corpus}: nothing measured", file=sys.stderr)
        return None
    pages = corpus_pages(chosen.corpus, chosen.set, chosen.pages, chosen.hosts)
    with Progress(console=Console(stderr=True)) as progress:
        rows = {name for name in ROWS if not only or name in only}
        found = measure(pages, chosen.hosts, chosen.rounds, rows, progress) if rows else {}
    result = compared({name: medians(rounds) for name, rounds in found.items()})
    for name, rounds in found.items():
        for one in rounds:
            if one.said:
                print(f"{name}: {one.said}", file=sys.stderr)
    console = Console(width=None if sys.stdout.isatty() else 140)
    if result and not chosen.json:
        console.print(table(result))  # before the costs, which take long and may fail
    with Progress(console=Console(stderr=True)) as progress:
        costs = measure_costs(pages, chosen, [name for name in COSTS if not only or name in only], progress)
    if chosen.json:
        print(json.dumps({**result, "costs": [asdict(cost) for cost in costs]}))
    elif costs:
        console.print(costs_table(costs))
    return 1 if any(cost.value is None for cost in costs) else 0


if __name__ == "__main__":
    sys.exit(main())
