"""Years back out of archives with lists: Common Crawl's news month by month, a gap by the Wayback Machine.

Servers on loopback stand in for both.
"""

from __future__ import annotations

import asyncio
import gzip
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from crawler import config
from crawler.archive_lists import Capture, CaptureList, captures, warc_paths
from crawler.archive_site import own_folder
from crawler.backfilling import backfill
from crawler.cc_news import files_of, months
from crawler.discovery.links import LinkFilter
from crawler.downloader.errors import FetchError
from crawler.downloader.patience import BUSY_OR_REFUSING, Patience, StatusError
from crawler.file_reading import read_files
from crawler.services import Services, open_services
from crawler.wayback import Gap, WaybackReading, chosen
from pipelines.items import Reason
from pipelines.store import PageOutcome
from tests.test_backfill import STAND_STILL, body, put, record

BASE = "https://cc.example/mirror/"
JANUARY = "crawl-data/CC-NEWS/2025/01/"
#: seconds after which something hangs
GUARD = 300


def test_months_are_counted_and_nothing_else_is_taken_for_one():
    assert months("2024-11", "2025-02") == ["2024-11", "2024-12", "2025-01", "2025-02"]
    for first, last in (("2025-02", "2025-01"), ("2025-13", "2025-13"), ("2015-01", "2025-01"), ("2025-1", "2025-01")):
        with pytest.raises(ValueError):
            months(first, last)
            pytest.fail(first)


def test_a_list_of_files_names_only_what_lies_below_its_base():
    good = [f"{JANUARY}CC-NEWS-{n}.warc.gz" for n in range(3)]
    bad = [
        "../../x.warc.gz", "/x.warc.gz", "https://other.example/x.warc.gz", "//other.example/x.warc.gz",
        "crawl-data/%2e%2e/%2e%2e/%2e%2e/x.warc.gz", "a\\..\\x.warc.gz", "x.exe", "a?x.warc.gz", "a/../../b.warc.gz",
    ]  # fmt: skip
    for line in bad:
        found = warc_paths(gzip.compress("\n".join([*good, line, good[0]]).encode()), BASE)
        assert found.files == tuple(BASE + one for one in good) and found.refused == (line,), line
    assert warc_paths("\r\n".join(good).encode(), BASE).files == tuple(BASE + one for one in good)
    for damaged in (gzip.compress(b"x\n" * 999)[:-9], gzip.compress(bytes(9_000_000)), b"<html>no</html>"):
        assert warc_paths(damaged, BASE).error


SOURCES = {"blatt": ["www.blatt.example"], "sport": ["sport.blatt.example"]}


def listed(text: str, rules: LinkFilter | None = None) -> CaptureList:
    of_blatt = LinkFilter("https://www.blatt.example/", datetime(2025, 1, 1, tzinfo=UTC))
    return captures(text.encode(), "blatt", SOURCES, rules or of_blatt, bool(rules))


def test_a_list_of_captures_is_read_line_by_line():
    found = listed(
        "20250301120000 http://www.blatt.example:80/artikel/1\n"
        "20250301120000 https://m.blatt.example/der-rat-beschliesst-den-bau\n"
        "20250301120000 https://www.blatt.example/\n"  # the home page
        "20250301120000 https://www.blatt.example/thema/rat\n"
        "20250301120000 https://sport.blatt.example/artikel/2\n"  # another source's
        "20250301120000 https://fremd.example/artikel/2\n"
        "20251301120000 https://www.blatt.example/artikel/3\n"
        "gestern https://www.blatt.example/artikel/3\n"
        "20250301120000\n"
        "20250301120000 javascript:x\n"
        "\n"
        "com,example)/+20250301\n"
    )
    assert [one.url.rpartition("/")[2] for one in found.captures] == ["1", "der-rat-beschliesst-den-bau"]
    assert (found.resume_key, found.others, found.broken) == ("com,example)/+20250301", 4, 4)
    for nonsense in ("<html>busy</html>", '{"error": 1}', "\n\nkey", "20250301120000 http://a\n\n" + "k" * 3000):
        assert listed(nonsense).error, nonsense
    assert listed("") == CaptureList()


def test_a_busy_archive_is_asked_again_as_it_says_and_not_for_ever():
    one = Patience(first=timedelta(seconds=5), longest=timedelta(seconds=60), tries=9, busy=BUSY_OR_REFUSING)
    assert one.wait_before(1, StatusError(503, "17")) == timedelta(seconds=17)
    assert one.wait_before(1, StatusError(429, "999999")) == timedelta(seconds=60)
    waits = [one.wait_before(n, StatusError(403)) for n in range(1, 10)]
    assert waits == [timedelta(seconds=s) for s in (5, 10, 20, 40, 60, 60, 60, 60)] + [None]
    assert one.wait_before(1, StatusError(404)) is None
    assert one.wait_before(1, FetchError(Reason.TIMEOUT, "", transient=True)) == timedelta(seconds=5)
    assert one.wait_before(1, FetchError(Reason.TLS, "")) is None


def test_what_a_killed_process_has_copied_is_deleted_and_that_of_a_live_one_is_not(tmp_path: Path):
    code = (
        "import sys, time; from pathlib import Path; from crawler.archive_site import own_folder\n"
        "with own_folder(Path(sys.argv[1])) as own:\n"
        "    (own / 'half').write_text('x'); print(own, flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout and process.stdin
    other = Path(process.stdout.readline().strip())
    with own_folder(tmp_path) as own:
        assert (other / "half").exists() and own != other
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with own_folder(tmp_path) as own:
        assert list(tmp_path.iterdir()) == [own]


class Web(http.server.BaseHTTPRequestHandler):
    """Common Crawl and the Wayback Machine. ``files``: path -> content. What is in ``busy`` is refused so often first.

    Captures: 14 digits and address -> page; at address "moved" a capture leads to the one an hour later. Those that are
    asked for after the first ``at_once`` wait until ``let_go`` is set.
    """

    files: ClassVar[dict[str, bytes]]
    busy: ClassVar[dict[str, int]]
    captures: ClassVar[dict[tuple[str, str], bytes]]
    seen: ClassVar[list[str]]
    agents: ClassVar[set[str]]
    let_go: ClassVar[threading.Event]
    at_once = 1_000
    each = 2

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.agents.add(self.headers.get("User-Agent", ""))
        path = urlsplit(self.path).path
        if self.busy.get(path, 0) > 0:
            self.busy[path] -= 1
            self.answer(503, b"slow down", Retry_After="0")
        elif path == "/cdx/search/cdx":
            self.index(parse_qs(urlsplit(self.path).query))
        elif path.startswith("/web/"):
            if sum(one.startswith("/web/") for one in self.seen) > self.at_once:
                self.let_go.wait()
            stamp, address = self.path[5:19], self.path.partition("id_/")[2]
            if address.endswith("moved") and not stamp.endswith("5"):
                self.answer(302, b"", Location=f"/web/{stamp[:-1]}5id_/{address}")
            elif address.endswith("away"):
                self.answer(302, b"", Location="http://127.0.0.1:9/x")
            elif (content := self.captures.get((stamp, address))) is None:
                self.answer(404, b"")
            else:
                self.answer(200, gzip.compress(content), Content_Type="text/html", Content_Encoding="gzip")
        elif path in self.files:
            self.answer(200, self.files[path])
        else:
            self.answer(404, b"nothing here")

    def index(self, query: dict[str, list[str]]) -> None:
        wanted = [
            f"{stamp} {address}"
            for address, stamp in sorted((address, stamp) for stamp, address in self.captures)
            if query["from"][0] <= stamp <= query["to"][0] and query["url"][0] in address
        ]
        begin = int(query.get("resumeKey", ["0"])[0])
        rest = f"\n{begin + self.each}\n" if begin + self.each < len(wanted) else ""
        lines = "".join(f"{line}\n" for line in wanted[begin : begin + self.each])
        self.answer(200, (lines + rest).encode(), Content_Type="text/plain")

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[type[Web]]:
    handler = type(
        "Handler",
        (Web,),
        {"files": {}, "busy": {}, "captures": {}, "seen": [], "agents": set(), "let_go": threading.Event()},
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.base = f"http://127.0.0.1:{server.server_port}/"  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, web) -> Path:
    folder = tmp_path / "config"
    (folder / "sources").mkdir(parents=True)
    (folder / "settings.toml").write_text(
        f'[crawl]\nreaders = 1\n[archive]\nfolder = "{tmp_path / "archive"}"\n[backfill]\n'
        f'allow_addresses = ["127.0.0.1"]\ndelay = "0 seconds"\npatience = "0 seconds"\n'
        f'common_crawl = "{web.base}"\nwayback = "{web.base}"\n'
    )
    for name, more in (("blatt", ""), ("kurier", '[discover.links]\nallow = ["/artikel/"]\ndeny = ["/artikel/7$"]\n')):
        (folder / "sources" / f"{name}.toml").write_text(
            f'title = "{name}"\nhomepage = "https://www.{name}.example/"\n'
            f'[discover]\nfeeds = ["https://www.{name}.example/rss"]\n{more}'
        )
    return folder


@pytest.fixture
async def services(
    folder: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Services]:
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    async with open_services(config.load(folder), database_url) as opened:
        yield opened


async def test_a_month_of_common_crawl_is_read_file_by_file_and_once(services, tmp_path: Path, sql_rows, web):
    names = [f"{JANUARY}CC-NEWS-{n}.warc.gz" for n in range(2)]
    for n, name in enumerate(names):
        records = [record(n * 2 + 1), record(n * 2 + 2, "www.kurier.example"), record(9, "fremd.example")]
        web.files[f"/{name}"] = put(tmp_path / "r", records, "by record").read_bytes()
    web.files[f"/{JANUARY}warc.paths.gz"] = gzip.compress("\n".join([*names, "../x.warc.gz"]).encode())
    web.busy |= {f"/{JANUARY}warc.paths.gz": 2, f"/{names[1]}": 3}

    listed, failures = await files_of(services, ["2025-01", "2025-02"])
    assert listed == [web.base + name for name in names]
    assert ["2025-01" in failures[0] and "'../x.warc.gz'" in failures[0], len(failures)] == [True, 2]
    assert f"2025-02: there is no list at {web.base}crawl-data/CC-NEWS/2025/02/warc.paths.gz" in failures[1]
    report, found = await backfill(services, listed, ["blatt"])
    assert (report.counts.new, found.failures, found.files, found.files_ended) == (2, (), 2, 2)
    assert sql_rows("SELECT source, backfilled_from FROM news.articles ORDER BY 2") == [
        ("blatt", web.base + name) for name in names
    ]
    assert [path.count(".warc.gz") for path in web.seen].count(1) == 2 + 3
    assert web.agents == {"Nachlese/0.1.0"}
    again, found = await backfill(services, listed, ["blatt"])
    assert (again.counts.found, found.done_before, web.seen[-1]) == (0, 2, f"/{names[1]}")
    assert [path.count(".warc.gz") for path in web.seen].count(1) == 2 + 3


def capture(web: type[Web], number: int, host: str = "www.kurier.example", stamp: str = "", more: str = "") -> None:
    address = f"https://{host}/artikel/{number}{more}"
    web.captures[stamp or f"202503{number:02}120000", address] = body(number)


def gap(services: Services, name: str = "kurier") -> Gap:
    begin = datetime(2025, 3, 1, tzinfo=UTC)
    return Gap(services.configuration.source(name), begin, begin + timedelta(days=30))


async def test_a_gap_is_filled_by_captures_and_what_is_known_is_not_asked_for(services, tmp_path, sql_rows, web):
    known = record(3, "www.kurier.example", date="2025-03-03T12:00:30Z")
    await backfill(services, [str(put(tmp_path / "a.warc", [known], "plain"))])
    for number in (1, 2, 3, 7):  # 3 is known, 7 the source's file denies
        capture(web, number)
    capture(web, 4, stamp="20250304120000", more="-moved")
    capture(web, 4, stamp="20250304120005", more="-moved")
    capture(web, 5, stamp="20250201000000")  # before the gap
    capture(web, 6, more="-away")
    web.captures["20250302120000", "https://www.kurier.example/tag/rat"] = body(8)
    web.busy["/cdx/search/cdx"] = 2

    report, found = await read_files(services, WaybackReading(services, gap(services)))
    assert (report.kind, report.counts.new, report.counts.found) == ("backfill", 3, 3)
    assert (found.done_before, found.skipped, found.files, found.failed) == (1, 2, 4, 1)
    assert "leads away" in found.failures[0]
    rows = sql_rows("SELECT url, fetched_at, backfilled_from FROM news.articles ORDER BY fetched_at")
    stamps = {"1": "20250301120000", "2": "20250302120000", "4-moved": "20250304120005"}
    assert [row for row in rows if "a.warc" not in row[2]] == [
        (
            f"https://www.kurier.example/artikel/{name}",
            datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC),
            f"{web.base}web/{stamp}/https://www.kurier.example/artikel/{name}",
        )
        for name, stamp in stamps.items()
    ]
    index = [parse_qs(urlsplit(path).query) for path in web.seen if path.startswith("/cdx")]
    assert {"statuscode:200", "mimetype:text/html"} == set(index[0]["filter"]) and index[0]["url"] == ["kurier.example"]
    asked = [path for path in web.seen if path.startswith("/web/")]
    assert not any("/artikel/3" in path or "/artikel/7" in path for path in asked)

    web.captures = {key: page for key, page in web.captures.items() if "away" not in key[1]}
    web.seen.clear()
    again, found = await read_files(services, WaybackReading(services, gap(services)))
    assert (again.counts.found, found.done_before, found.failures) == (0, 4, ())
    assert not any(path.startswith("/web/") for path in web.seen)
    anew, _ = await read_files(services, WaybackReading(services, gap(services), again=True))
    assert (anew.counts.unchanged, anew.counts.found) == (4, 4)


async def test_the_captures_of_an_address_are_versions_in_their_order(services, tmp_path, sql_rows, web):
    address = "https://www.kurier.example/artikel/1"
    words = ["", "Zweitens wird es teurer. ", "Drittens dauert es länger. ", "Viertens ist es fertig. "]
    for day, more in enumerate(words):
        web.captures[f"2025030{2 * day + 1}120000", address] = body(1, more)
    web.captures["20250302120000", address] = body(1)  # the same text, with another advertisement around it
    live = record(1, "www.kurier.example", body(1, "Heute ist alles anders. "), date="2025-06-01T00:00:00Z")
    await backfill(services, [str(put(tmp_path / "live.warc", [live], "plain"))])

    report, found = await read_files(services, WaybackReading(services, gap(services)))
    assert (report.counts.found, found.files, found.failures) == (5, 5, ())
    found = sql_rows("SELECT fetched_at::date::text, is_current, text FROM news.versions ORDER BY fetched_at")
    assert [(day, is_current) for day, is_current, _ in found] == [
        ("2025-03-01", False), ("2025-03-03", False), ("2025-03-05", False), ("2025-03-07", False), ("2025-06-01", True)
    ]  # fmt: skip
    assert ["Viertens" in text for *_, text in found] == [False, False, False, True, False]
    asked = [path for path in web.seen if path.startswith("/web/")]
    assert asked == sorted(asked) and len(asked) == 5
    again, found = await read_files(services, WaybackReading(services, gap(services)))
    assert (again.counts.found, found.done_before) == (0, 5)

    # looked at live before and after it: a wording between would be known
    sql_rows("UPDATE ingest.versions SET backfilled_from = NULL WHERE fetched_at::date IN ('2025-03-01', '2025-03-07') "
             "RETURNING 1")  # fmt: skip
    web.captures = {("20250304120000", address): body(1), ("20250309120000", address): body(1, words[3])}
    _, found = await read_files(services, WaybackReading(services, gap(services)))
    assert (found.done_before, found.files) == (1, 1)


def test_of_many_captures_a_few_are_chosen_over_all_the_time():
    captures = [Capture(f"202503{day:02}1200{second:02}", "x") for day in range(1, 22) for second in (0, 30)]
    assert [one.timestamp[6:8] for one in chosen(captures, 5)] == ["01", "06", "11", "16", "21"]
    assert [one.timestamp for one in chosen(captures, 1)] == ["20250301120000"]
    assert len(chosen(captures, 99)) == 21 and chosen([], 5) == []


async def test_an_archive_that_does_not_answer_ends_the_run_with_what_came(services, web):
    for number in range(10, 20):
        capture(web, number)
    web.each = 100
    capture(web, 1)
    for stamp, address in list(web.captures)[:10]:
        web.busy[f"/web/{stamp}id_/{address}"] = 99
    report, found = await read_files(services, WaybackReading(services, gap(services)))
    assert (report.counts.new, found.failed) == (1, 5)
    assert "in a row" in found.failures[-1] and len(found.failures) == 6
    web.busy["/cdx/search/cdx"] = 99
    report, found = await read_files(services, WaybackReading(services, gap(services)))
    assert report.counts.found == 0 and "HTTP status 503" in found.failures[0]


async def test_a_capture_that_has_come_is_stored_while_the_next_one_hangs(services, web):
    for number in range(1, 13):
        capture(web, number, more="0")
    web.each, web.at_once, ended = 100, 5, []

    def stored(url: str, outcome: PageOutcome) -> None:
        ended.append(outcome.kind)
        if len(ended) == web.at_once:
            web.let_go.set()

    try:
        async with asyncio.timeout(GUARD):
            report, _ = await read_files(services, WaybackReading(services, gap(services)), lambda _: stored)
    finally:
        web.let_go.set()
    assert report.counts.new == 12


def test_after_a_kill_a_gap_goes_on_where_it_was(folder: Path, tmp_path: Path, database_url: str, sql_rows, web):
    for number in range(1, 25):
        capture(web, number, more="0")
    # one transaction may take all that have come, and then nothing is left to do
    web.each, web.at_once = 7, 12
    environment = os.environ | {
        "NACHLESE_CONFIG": str(folder),
        "NACHLESE_DATABASE_URL": database_url,
        "NACHLESE_HOME": str(tmp_path / "home"),
    }
    command = [sys.executable, "-m", "crawler.cli", "backfill", "wayback", "--source", "kurier",
               "--from", "2025-03-01", "--to", "2025-04-01", "--json"]  # fmt: skip
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(STAND_STILL)
        connection.execute(
            "CREATE FUNCTION ingest.say_eight() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF (SELECT count(*) FROM ingest.articles) >= 8 THEN PERFORM pg_notify('position', '8'); END IF; "
            "RETURN NULL; END $$; CREATE TRIGGER say_eight AFTER INSERT ON ingest.articles "
            "FOR EACH STATEMENT EXECUTE FUNCTION ingest.say_eight()"
        )
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            reached = next(connection.notifies(timeout=60), None)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            web.let_go.set()
    assert reached is not None
    before = len([path for path in web.seen if path.startswith("/web/")])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 < json.loads(done.stdout)["done_before"] < 24
    assert sql_rows("SELECT count(*), count(DISTINCT url) FROM news.articles") == [(24, 24)]
    assert sql_rows("SELECT count(*) FROM news.versions") == [(24,)]
    assert before < len([path for path in web.seen if path.startswith("/web/")]) < before + 24
