"""Years back: WARC and WACZ files of any shape become articles, also over a kill -9, and none is there twice."""

from __future__ import annotations

import errno
import gzip
import http.server
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import psycopg
import pytest

from crawler import config
from crawler.backfilling import backfill
from crawler.config.values import allowed_address
from crawler.downloader.client import HttpClient
from crawler.downloader.download import Download, download
from crawler.downloader.policy import FetchPolicy
from crawler.file_ledger import Ledger
from crawler.services import Services, open_services
from pipelines import wacz, warc
from pipelines.archive import Archive
from pipelines.items import Page
from pipelines.store.backfills import BackfillPosition
from pipelines.wanted_pages import wanted_pages
from tests.warcs import chunked, put, response

T = datetime(2025, 3, 1, 12, tzinfo=UTC)
WORDS = [
    "Rat", "Brücke", "Schule", "Straße", "Wald", "Markt", "Hafen", "Turm", "Garten", "Bahn", "Mühle", "Kirche",
    "Bach", "Wiese", "Platz", "Halle", "Stadion", "Museum", "Theater", "Werk", "Kanal", "Hof", "Tor", "Feld",
]  # fmt: skip
SHAPES = ["by record", "as a whole", "plain"]


def body(number: int, more: str = "") -> bytes:
    first, second = WORDS[number % 24], WORDS[(number * 7 + 3) % 24]
    pairs = ((WORDS[(number * k + k * k) % 24], WORDS[(number + 5 * k) % 24], number * k) for k in range(1, 40))
    text = " ".join(f"{one} und {other} {size}" for one, other, size in pairs)
    title = f"{first} {number} wird durch {second} ersetzt"
    return (
        f'<!DOCTYPE html><html lang="de"><head><title>{title}</title></head><body><article><h1>{title}</h1>'
        f"<p>1.3.2025</p><p>Der Gemeinderat hat beschlossen: {text}.</p><p>Danach soll es losgehen. {more}"
        f"Die Arbeiten an {first} und {second} dauern {number + 2} Wochen.</p></article></body></html>"
    ).encode()


def url(number: int, host: str = "www.blatt.example") -> str:
    return f"https://{host}/artikel/{number}"


def at(hours: int) -> datetime:
    return T + timedelta(hours=hours)


def record(number: int, host: str = "www.blatt.example", content: bytes | None = None, **more: str) -> bytes:
    """Article *number*, archived so many hours after T."""
    more.setdefault("date", at(number).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return response(url(number, host), body(number) if content is None else content, **more)


# what archivers write, and what of it is a page of ours
ODD_PAGES = [
    record(1, version="1.1", date="2025-03-01T13:00:00.123456Z"),
    record(2, content=chunked(body(2)), Transfer_Encoding="chunked"),
    record(3, content=gzip.compress(body(3)), Content_Encoding="gzip"),
    record(4, content=chunked(brotli.compress(body(4))), Content_Encoding="br", Transfer_Encoding="chunked"),
    record(5, Content_Type=""),
    response(
        "http://blatt.example:80/artikel/6",
        body(6),
        date="2025-03-01T18:00:00Z",
        Content_Type="text/html;charset=UTF-8, text/html",
    ),
    record(7, "m.blatt.example", Content_Type="application/xhtml+xml"),
    record(8, date="2025-03-01"),
]
NO_PAGES = [
    record(20, status="404 Not Found"),
    record(21, status="301 Moved", Location="/x"),
    record(22, content=b"\x89PNG", Content_Type="image/png"),
    record(23, content=b"\x00\x01\x02" * 9, Content_Type=""),
    record(24, "fremd.example"),
    record(25, "blatt.example.fremd.example"),
    record(26, kind="revisit", content=b""),
    record(27, kind="request"),
    response("dns:www.blatt.example", b"20250301 127.0.0.1"),
    response("https://www.blatt.example/robots.txt", b"User-agent: *", Content_Type="text/html"),
]
BROKEN = {
    "too large": record(30, content=brotli.compress(bytes(warc.LARGEST + 1)), Content_Encoding="br"),
    "date": record(31, date="gestern"),
    "future": record(32, date="9998-01-01T00:00:00Z"),
    "address": response("https://[blatt", body(33)),
    "half a gzip": record(34, content=gzip.compress(body(34))[:-20], Content_Encoding="gzip"),
    "length": re.sub(rb"Content-Length: \d+", b"Content-Length: viel", record(35)),
    "rubbish": bytes(range(256)) * 3 + b"\r\n\r\n",
}


def of_blatt(address: str, named: str) -> str:
    return "blatt" if re.match(r"https?://(www\.|m\.)?blatt\.example\b(?!\.fremd)", address, re.I) else ""


def found_in(file: warc.Openable, begin: int = 0) -> tuple[list[tuple[int, str]], int, list[str]]:
    """(offset, number of the article) of each page, how many records are none, and what is damaged."""
    damage: list[str] = []
    found = list(wanted_pages(file, of_blatt, damage, begin, T + timedelta(days=9)))
    pages = [(offset, page) for offset, page in found if page is not None]
    assert all(page.body == body(int(page.url.rpartition("/")[2])) and page.source == "blatt" for _, page in pages)
    return [(o, page.url.rpartition("/")[2]) for o, page in pages], len(found) - len(pages), damage


@pytest.mark.parametrize("shape", SHAPES)
def test_pages_of_others_are_found_from_any_place_on(tmp_path: Path, shape: str):
    file = put(tmp_path / "x.warc.gz", [ODD_PAGES[0], *NO_PAGES, *ODD_PAGES[1:]], shape)
    pages, others, damage = found_in(file)
    assert ([number for _, number in pages], others, damage) == (list("12345678"), len(NO_PAGES), [])
    for place, (offset, _) in enumerate(pages[1:], 1):
        assert found_in(file, offset)[0] == pages[place:]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_poisoned_record_costs_itself(tmp_path: Path, shape: str):
    for name, broken in BROKEN.items():
        file = put(tmp_path / "x.warc.gz", [record(1), broken, record(2), record(3)], shape)
        pages, _, damage = found_in(file)
        assert ([number for _, number in pages], bool(damage)) == (list("123"), True), name
        assert found_in(file, pages[1][0])[0] == pages[1:], name


def test_a_file_that_is_cut_off_gives_what_is_whole(tmp_path: Path):
    for shape in SHAPES:
        data = put(tmp_path / "x.warc.gz", [record(n) for n in (1, 2, 3)], shape).read_bytes()
        (tmp_path / "x.warc.gz").write_bytes(data[:-20])
        pages, _, damage = found_in(tmp_path / "x.warc.gz")
        assert (set("12") <= {number for _, number in pages}, len(damage) > 0) == (True, True), shape


@pytest.mark.parametrize("shape", ["by record", "plain"])
def test_wherever_a_file_is_cut_off_what_is_lost_is_told(tmp_path: Path, shape: str):
    records = [record(n) for n in (1, 2)]
    begin = put(tmp_path / "x", records[:1], shape).stat().st_size
    whole = put(tmp_path / "x", records, shape).read_bytes()
    for end in range(begin + 1, len(whole) - 20, 11):
        (tmp_path / "x").write_bytes(whole[:end])
        pages, _, damage = found_in(tmp_path / "x")
        assert ([number for _, number in pages], bool(damage)) == (["1"], True), end - begin


def make_wacz(file: Path, **members: bytes) -> Path:
    """A WACZ; members named packed_... are compressed by the ZIP."""
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("datapackage.json", "{}")
        for name, data in members.items():
            how = zipfile.ZIP_DEFLATED if name.startswith("packed_") else zipfile.ZIP_STORED
            packed.writestr(f"archive/{name}.warc.gz", data, how)
        packed.writestr("pages/pages.jsonl", "{}")
    return file


def test_the_files_in_a_wacz_are_read_where_they_lie(tmp_path: Path):
    data = {shape: put(tmp_path / "x", [record(1), BROKEN["half a gzip"], record(2)], shape).read_bytes()
            for shape in SHAPES}  # fmt: skip
    names = {"a": data["by record"], "b": data["as a whole"], "packed_c": data["by record"], "packed_d": data["plain"]}
    found = list(
        (name, size, [n for _, n in found_in(member)[0]], found_in(member, found_in(member)[0][1][0])[0][0][1])
        for name, size, member in wacz.warc_files(make_wacz(tmp_path / "x.wacz", **names), tmp_path)
    )
    assert found == [(f"archive/{name}.warc.gz", len(data), ["1", "2"], "2") for name, data in names.items()]
    assert [path.name for path in tmp_path.glob("*.gz")] == []


def test_what_only_says_that_it_is_ours_costs_no_more_than_its_own_record(tmp_path: Path):
    with Archive(tmp_path, "x") as kept:
        for number in (5, 1, 2, 3, 4, 6):
            kept.save(Page(url(number), "blatt", body(number), at(9000 if number == 5 else number)))
    (ours,) = tmp_path.iterdir()
    data = gzip.decompress(ours.read_bytes())
    for number, right, wrong in (
        (1, b'"source": "blatt"', b'"source": ["bla"]'),
        (2, b'"fetched_at": "2025-03-01T14:00:00+00:00"', b'"fetched_at": "2025-03-01T14:00:00"'),
        (3, b'"status": 200', b'"status": "a"'),
        (4, b', "text/html"]]', b", 7]]"),
    ):
        begin = data.index(f'{{"url": "{url(number)}"'.encode())
        place = data.index(right, begin)
        wrong = wrong.ljust(len(right))
        data = data[:place] + wrong + data[place + len(right) :]
    (tmp_path / "x.warc").write_bytes(data)
    pages, _, damage = found_in(tmp_path / "x.warc")
    assert ([number for _, number in pages], len(damage)) == (["6"], 5), damage


def test_a_wacz_that_is_damaged_says_so(tmp_path: Path):
    whole = make_wacz(tmp_path / "x.wacz", packed_a=b"".join(map(record, range(9)))).read_bytes()
    at, version = whole.index(b"packed_a.warc.gz") + 16, whole.index(b"PK\x01\x02") + 6
    cases = {
        "damaged": whole[:at] + b"\xff" * 300 + whole[at + 300 :],
        "of a later version": whole[:version] + b"\xff" + whole[version + 1 :],
    }
    for name, data in cases.items():
        (tmp_path / "x.wacz").write_bytes(data)
        with pytest.raises((ValueError, zipfile.BadZipFile)):
            list(wacz.warc_files(tmp_path / "x.wacz", tmp_path))
            pytest.fail(name)


class Handler(http.server.BaseHTTPRequestHandler):
    """/whole; /moved, which leads there; /breaking, whose connection breaks in the middle of what is asked for."""

    data = bytes(range(256)) * 2000
    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Range", "")))
        if self.path == "/moved":
            self.answer(302, b"", Location="/whole")
        elif self.path == "/breaking":
            begin = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            rest, more = self.data[begin:], {"ETag": '"1"'}
            if begin:
                more["Content-Range"] = f"bytes {begin}-{len(self.data) - 1}/{len(self.data)}"
            self.answer(206 if begin else 200, rest, rest[: max(200_000, len(rest) // 2)], **more)
            self.close_connection = True
        elif self.path == "/whole":
            self.answer(200, self.data)
        else:
            self.answer(404, b"nothing here")

    def answer(self, status: int, content: bytes, sent: bytes | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content if sent is None else sent)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("Handler", (Handler,), {"seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
        thread.join()


class Full(io.BytesIO):
    """A disk without room."""

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_file_is_fetched_under_the_guard_and_on_from_where_it_broke_off(web, tmp_path: Path):
    address, handler = web
    file, client = tmp_path / "x", HttpClient()
    here = FetchPolicy("", (allowed_address("127.0.0.1"),))
    try:
        for path in ("/moved", "/breaking"):
            assert await download(client, address + path, file, here, "Me/1") == len(handler.data)
            assert file.read_bytes() == handler.data
        assert [path for path, _ in handler.seen] == ["/moved", "/whole", "/breaking", "/breaking", "/breaking"]
        begins = [int(asked[6:-1]) for path, asked in handler.seen if asked]
        assert begins == sorted(begins) and begins[0] > 0
        with pytest.raises(OSError, match="404"):
            await download(client, f"{address}/none", file, here, "Me/1")
        asked = len(handler.seen)
        with pytest.raises(OSError, match="not a public address"):
            await download(client, f"{address}/whole", file, FetchPolicy(""), "Me/1")
        with pytest.raises(OSError, match="valid URL"):
            await download(client, "http://[", file, here, "Me/1")
        assert len(handler.seen) == asked
        with pytest.raises(OSError, match="No space left"):
            await Download(client, Full(), here, "Me/1").get(f"{address}/whole")
    finally:
        await client.close()


def make_config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "sources").mkdir(parents=True)
    (folder / "settings.toml").write_text(
        f'[crawl]\nreaders = 1\n[archive]\nfolder = "{tmp_path / "archive"}"\n'
        f'[backfill]\nallow_addresses = ["127.0.0.1"]\n'
    )
    for name in ("blatt", "kurier"):
        (folder / "sources" / f"{name}.toml").write_text(
            f'title = "{name}"\nhomepage = "https://www.{name}.example/"\n'
            f'[discover]\nfeeds = ["https://www.{name}.example/rss"]\n'
        )
    return folder


@pytest.fixture
async def services(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    async with open_services(config.load(make_config(tmp_path)), database_url) as opened:
        yield opened


async def test_articles_come_out_of_files_of_all_kinds(services, tmp_path: Path, sql_rows, web):
    address, handler = web
    kurier = record(2, host="kurier.example")
    a = put(tmp_path / "a.warc.gz", [record(1), kurier, BROKEN["date"], BROKEN["too large"]], "by record")
    handler.data = put(tmp_path / "r", [record(3)], "by record").read_bytes()
    wacz_file = make_wacz(tmp_path / "d.wacz", one=put(tmp_path / "o", [record(4)], "plain").read_bytes())
    (tmp_path / "cut.wacz").write_bytes(wacz_file.read_bytes()[:-30])
    with Archive(tmp_path / "ours") as kept:
        kept.save(Page(url(9), "kurier", body(9), at(9), asked_url="https://www.blatt.example/9"))
    (ours,) = (tmp_path / "ours").iterdir()
    good = [str(a), str(ours), f"{address}/whole", str(wacz_file)]

    only, _ = await backfill(services, good[:1], ["kurier"])
    assert only.counts.new == 1 and sql_rows("SELECT source FROM news.articles") == [("kurier",)]

    report, found = await backfill(services, [*good, str(tmp_path / "cut.wacz"), f"{address}/none"])
    counts = report.counts
    assert (report.outcome, report.kind, found.damaged) == ("finished", "backfill", 2)
    assert (counts.new, counts.unchanged) == (4, 1)
    assert counts.reasons == {"truncated": 3, "too_large": 1}
    assert ["cut.wacz" in found.failures[0], "404" in found.failures[1], len(found.failures)] == [True, True, 2]
    assert found.read == found.size and list((tmp_path / "home" / "downloads").iterdir()) == []
    rows = sql_rows("SELECT source, fetched_at, backfilled_from FROM news.articles ORDER BY fetched_at")
    inner = f"{wacz_file}!archive/one.warc.gz"
    assert rows == [("blatt", at(1), str(a)), ("kurier", at(2), str(a)), ("blatt", at(3), f"{address}/whole"),
                    ("blatt", at(4), inner), ("blatt", at(9), str(ours))]  # fmt: skip
    assert sql_rows("SELECT DISTINCT kind FROM news.runs") == [("backfill",)]
    assert not (tmp_path / "archive").exists()

    again, found = await backfill(services, good)
    assert (again.counts.found, found.done_before) == (0, 4)
    anew, found = await backfill(services, good[:1], again=True)
    assert (anew.counts.unchanged, anew.counts.new, found.done_before) == (2, 0, 0)


async def test_a_version_of_long_ago_takes_its_place_among_those_that_are_there(services, tmp_path: Path, sql_rows):
    words = {0: "", 10: "Zweitens wird der Bau deutlich teurer als geplant. ", 20: "Drittens ist er nun bezahlt. "}
    for days in (20, 0, 10):
        when = (T + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        file = put(tmp_path / f"{days}.warc", [record(1, content=body(1, words[days]), date=when)], "plain")
        await backfill(services, [str(file)])
    found = sql_rows("SELECT fetched_at, is_current, text FROM news.versions ORDER BY fetched_at")
    assert [(when, is_current) for when, is_current, _ in found] == [
        (T, False), (T + timedelta(days=10), False), (T + timedelta(days=20), True)
    ]  # fmt: skip
    assert ["Zweitens" in text for *_, text in found] == [False, True, False]
    assert sql_rows("SELECT first_seen_at, fetched_at FROM news.articles") == [(T, T + timedelta(days=20))]
    as_of = sql_rows("SELECT text FROM news.articles_as_of(%s)", T + timedelta(days=15))
    assert len(as_of) == 1 and "Zweitens" in as_of[0][0]


def test_no_position_is_true_before_all_before_it_have_ended():
    ledger, places = Ledger(), [BackfillPosition("f", "s", 9, n) for n in range(4)]
    for position, address in zip(places, ("a", "b", "a", ""), strict=True):
        ledger.begin(position, address)
    ledger.end("a")  # one of the two: the later one, to be on the safe side
    ledger.end("b")
    assert ledger.to_save() == []
    ledger.end("a")
    assert ledger.to_save() == ledger.to_save() == [places[3]]
    ledger.saved(places[3])
    ledger.begin(places[0], "c")
    ledger.end_file("f")
    assert (ledger.to_save(), ledger.ended_files()) == ([], [])
    ledger.end("c")
    assert (ledger.to_save(), ledger.ended_files(), ledger.ended_files()) == ([places[0]], ["f"], [])


# In the midst of the file a statement waits for the test; and the test hears of each position that is saved.
STAND_STILL = """
    CREATE FUNCTION ingest.stand_still() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM ingest.articles) >= 8 THEN PERFORM pg_advisory_xact_lock_shared(16); END IF;
        RETURN NULL; END $$;
    CREATE TRIGGER stand_still BEFORE INSERT ON ingest.articles
        FOR EACH STATEMENT EXECUTE FUNCTION ingest.stand_still();
    CREATE FUNCTION ingest.say_position() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify('position', NEW.position::text); RETURN NULL; END $$;
    CREATE TRIGGER say_position AFTER INSERT OR UPDATE ON ingest.backfills
        FOR EACH ROW EXECUTE FUNCTION ingest.say_position();
    SELECT pg_advisory_lock(16);
    LISTEN position;
"""


def test_after_a_kill_it_goes_on_and_nothing_is_lost_or_doubled(tmp_path: Path, database_url: str, sql_rows):
    # more than one transaction takes
    file = put(tmp_path / "x.warc.gz", [record(n) for n in range(1, 121)], "by record")
    environment = os.environ | {
        "NACHLESE_CONFIG": str(make_config(tmp_path)),
        "NACHLESE_DATABASE_URL": database_url,
        "NACHLESE_HOME": str(tmp_path / "home"),
    }
    command = [sys.executable, "-m", "crawler.cli", "backfill", str(file), "--json"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(STAND_STILL)
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            reached = next((int(said.payload) for said in connection.notifies(timeout=60) if said.payload != "0"), 0)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        before = sql_rows("SELECT count(*) FROM ingest.articles")[0][0]
    # its own connection is gone, and with it the lock that held the killed one's statement
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 < reached < file.stat().st_size and 0 < before < 120
    assert sql_rows("SELECT count(*), count(DISTINCT url) FROM news.articles") == [(120, 120)]
    assert sql_rows("SELECT count(*) FROM news.versions") == [(120,)]
    assert sql_rows("SELECT is_done FROM ingest.backfills") == [(True,)]
    assert 0 < json.loads(done.stdout)["found"] < 120
