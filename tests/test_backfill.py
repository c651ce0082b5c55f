"""Years back: WARC and WACZ files of any shape become articles, also over a kill -9, and none is there twice."""

from __future__ import annotations

import functools
import gzip
import http.server
import io
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler import config
from crawler.backfilling import Ledger, backfill
from crawler.services import Services, open_services
from pipelines.archive import Archive
from pipelines.items import Page
from pipelines.store.backfills import BackfillPosition

T = datetime(2025, 3, 1, 12, tzinfo=UTC)
WORDS = [
    "Rat", "Brücke", "Schule", "Straße", "Wald", "Markt", "Hafen", "Turm", "Garten", "Bahn", "Mühle", "Kirche",
    "Bach", "Wiese", "Platz", "Halle", "Stadion", "Museum", "Theater", "Werk", "Kanal", "Hof", "Tor", "Feld",
]  # fmt: skip


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


def warc(*pages: tuple, packed: bool = True) -> bytes:
    """A file of a foreign archiver: (address, body, time, and what differs) each."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packed)
    writer.write_record(writer.create_warcinfo_record("x.warc.gz", {"software": "Someone 1.0"}))
    for address, content, at, *rest in pages:
        more = {"status": "200 OK", "type": "text/html; charset=utf-8"} | (rest[0] if rest else {})
        headers = StatusAndHeaders(more["status"], [("Content-Type", more["type"])], protocol="HTTP/1.1")
        stated = {"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        record = writer.create_warc_record(
            address,
            "response",
            io.BytesIO(content),
            length=len(content),
            http_headers=headers,
            warc_headers_dict=stated,
        )
        writer.write_record(record)
    return out.getvalue()


def some(*numbers: int, host: str = "www.blatt.example", packed: bool = True) -> bytes:
    return warc(*((url(n, host), body(n), T + timedelta(hours=n)) for n in numbers), packed=packed)


def make_config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "sources").mkdir(parents=True)
    (folder / "settings.toml").write_text(f'[crawl]\nreaders = 1\n[archive]\nfolder = "{tmp_path / "archive"}"\n')
    for name in ("blatt", "kurier"):
        (folder / "sources" / f"{name}.toml").write_text(
            f'title = "{name}"\nhomepage = "https://www.{name}.example/"\n'
            f'[discover]\nfeeds = ["https://www.{name}.example/rss"]\n'
        )
    return folder


@pytest.fixture
async def services(tmp_path: Path, database_url: str) -> AsyncIterator[Services]:
    async with open_services(config.load(make_config(tmp_path)), database_url) as opened:
        yield opened


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A server on loopback with the files of tmp_path/www."""
    (tmp_path / "www").mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "www")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_every_shape_is_read_and_only_pages_of_sources(services, tmp_path, sql_rows, web):
    odd = warc(
        (url(20), body(20), T, {"status": "404 Not Found"}),
        (url(21), b"\x89PNG", T, {"type": "image/png"}),
        (url(22, "fremd.example"), body(22), T),
        (url(23, "blatt.example.fremd.example"), body(23), T),
    )
    shapes = {"a.warc.gz": some(1) + odd, "b.warc.gz": gzip.compress(some(2, 3, packed=False)),
              "c.warc": some(4, 5, packed=False), "www/e.warc.gz": some(8, host="m.blatt.example")}  # fmt: skip
    for name, data in shapes.items():
        (tmp_path / name).write_bytes(data)
    with zipfile.ZipFile(tmp_path / "d.wacz", "w") as packed:
        packed.writestr("archive/one.warc.gz", some(6))
        packed.writestr("archive/two.warc.gz", some(7))
        packed.writestr("datapackage.json", "{}")
    with Archive(tmp_path / "ours") as kept:
        kept.save(Page(url(9), "kurier", body(9), T + timedelta(hours=9)))
    (ours,) = (tmp_path / "ours").iterdir()
    names = [str(tmp_path / name) for name in ("a.warc.gz", "b.warc.gz", "c.warc", "d.wacz")]
    names += [f"{web}/e.warc.gz", str(ours), f"{web}/none.warc.gz"]
    report, found = await backfill(services, names)
    assert (report.outcome, report.kind, report.counts.new, found.damaged) == ("finished", "backfill", 9, 0)
    assert [said.partition(":")[0] for said in found.failures] == ["http"]
    assert "404" in found.failures[0]
    assert found.skipped == 4 + 1 + 6  # the odd ones, a second warcinfo, and the first record of each foreign file
    assert found.read == found.size
    rows = sql_rows("SELECT source, url, fetched_at FROM news.articles ORDER BY fetched_at")
    assert [row[2] for row in rows] == [T + timedelta(hours=n) for n in range(1, 10)]
    assert [row[0] for row in rows] == ["blatt"] * 9  # whose site it is on decides, as in a crawl
    assert sql_rows("SELECT DISTINCT kind FROM news.runs") == [("backfill",)]
    again, found = await backfill(services, names[:-1])
    assert (again.counts.found, found.done_before) == (0, 7)
    anew, found = await backfill(services, names[:1], again=True)
    assert (anew.counts.found, anew.counts.unchanged, found.done_before) == (1, 1, 0)


async def test_only_the_sources_that_are_named_and_later_the_others(services, tmp_path, sql_rows):
    (tmp_path / "a.warc.gz").write_bytes(some(1) + some(2, host="kurier.example"))
    report, _ = await backfill(services, [str(tmp_path / "a.warc.gz")], ["kurier"])
    assert report.counts.new == 1 and sql_rows("SELECT source FROM news.articles") == [("kurier",)]
    report, _ = await backfill(services, [str(tmp_path / "a.warc.gz")])
    assert (report.counts.new, report.counts.unchanged) == (1, 1)


@pytest.mark.parametrize("shape", ["records", "whole", "plain", "wacz"])
async def test_what_is_damaged_costs_itself_and_is_named(services, tmp_path, shape):
    parts = [some(n, packed=shape not in ("whole", "plain")) for n in (1, 2, 3)]
    broken = bytearray(parts[1])
    at = broken.find(b"WARC/1.", 10) if shape in ("whole", "plain") else broken.find(b"\x1f\x8b\x08", 10) + 40
    broken[at : at + 20] = bytes(20)
    data = parts[0] + bytes(broken) + parts[2]
    if shape in ("whole", "wacz"):
        data = gzip.compress(data) if shape == "whole" else data
    file = tmp_path / ("x.wacz" if shape == "wacz" else "x.warc" if shape == "plain" else "x.warc.gz")
    if shape == "wacz":
        with zipfile.ZipFile(file, "w") as packed:
            packed.writestr("archive/x.warc.gz", data)
    else:
        file.write_bytes(data[: -len(data) // 40] if shape == "plain" else data)
    report, found = await backfill(services, [str(file)])
    assert report.outcome == "finished" and found.damaged >= 1
    assert report.counts.new == (1 if shape == "plain" else 2)  # of the plain one the end is cut off as well
    assert report.counts.reasons["truncated"] == found.damaged == report.counts.rejected


async def test_a_wacz_that_is_cut_off_is_named_and_the_next_file_is_read(services, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.wacz", "w") as packed:
        packed.writestr("archive/x.warc.gz", some(1, 2))
    data = (tmp_path / "x.wacz").read_bytes()
    (tmp_path / "x.wacz").write_bytes(data[: len(data) // 2])
    (tmp_path / "y.warc.gz").write_bytes(some(3))
    report, found = await backfill(services, [str(tmp_path / "x.wacz"), str(tmp_path / "y.warc.gz")])
    assert report.counts.new == 1 and "x.wacz" in found.failures[0]


async def test_versions_come_in_their_true_order_between_live_ones(services, tmp_path, sql_rows):
    def file(name: str, days: int, more: str) -> str:
        (tmp_path / name).write_bytes(warc((url(1), body(1, more), T + timedelta(days=days))))
        return str(tmp_path / name)

    for name, days, more in (("c", 20, "Drittens ist der Bau nun fertig und bezahlt. "), ("a", 0, ""),
                             ("b", 10, "Zweitens wird der Bau deutlich teurer als geplant. ")):  # fmt: skip
        await backfill(services, [file(f"{name}.warc.gz", days, more)])
    found = sql_rows("SELECT fetched_at, text FROM news.versions ORDER BY version")
    assert [at for at, _ in found] == [T, T + timedelta(days=10), T + timedelta(days=20)]
    assert ["Zweitens" in text for _, text in found] == [False, True, False]


def test_no_position_is_true_before_all_before_it_have_ended():
    ledger, at = Ledger(), [BackfillPosition("f", "s", 9, n) for n in range(4)]
    for position, address in zip(at, ("a", "b", "a", ""), strict=True):
        ledger.begin(position, address)
    ledger.end("a")  # one of the two: the later one, to be on the safe side
    ledger.end("b")
    assert ledger.to_save() == []
    ledger.end("a")
    assert ledger.to_save() == [at[3]] and ledger.to_save() == []


# in the midst of the file a statement waits, until the process is killed
STAND_STILL = """
    CREATE FUNCTION ingest.stand_still() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM ingest.articles) >= 10 THEN PERFORM pg_sleep(600); END IF; RETURN NULL; END $$;
    CREATE TRIGGER stand_still BEFORE INSERT ON ingest.articles
        FOR EACH STATEMENT EXECUTE FUNCTION ingest.stand_still();
"""
GO_ON = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%%INSERT%%' AND pid <> pg_backend_pid()"  # noqa: E501


@pytest.mark.parametrize("shape", ["records", "whole", "plain"])
def test_after_a_kill_it_goes_on_and_nothing_is_lost_or_doubled(tmp_path, database_url, sql_rows, shape):
    data = some(*range(1, 41), packed=shape == "records")
    file = tmp_path / f"x.warc{'' if shape == 'plain' else '.gz'}"
    file.write_bytes(gzip.compress(data) if shape == "whole" else data)
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
        while (
            not sql_rows("SELECT FROM ingest.backfills WHERE position > %s", file.stat().st_size // 10)
            and process.poll() is None
        ):
            pass
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    sql_rows(GO_ON)
    before = sql_rows("SELECT count(*) FROM ingest.articles")[0][0]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TRIGGER stand_still ON ingest.articles")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sql_rows("SELECT count(*), count(DISTINCT url) FROM news.articles") == [(40, 40)]
    assert sql_rows("SELECT count(*) FROM news.versions") == [(40,)]
    assert sql_rows("SELECT is_done FROM ingest.backfills") == [(True,)]
    assert 0 < json.loads(done.stdout)["found"] < 40 and 0 < before < 40
