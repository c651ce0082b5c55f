"""What goes into the archive comes out again; what others have archived comes out as well as it may."""

from __future__ import annotations

import gzip
import io
import re
import resource
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
import zstandard
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipelines import archive, warc
from pipelines.archive import Archive, ArchiveDamage
from pipelines.items import Hint, Page, Part, Precision, Provenance
from tests.warcs import chunked, put, response

T = datetime(2026, 3, 1, 12, 0, 5, 123456, tzinfo=UTC)
HINT = Hint(
    Provenance.FEED,
    title="Übersicht\n2",
    published_at=T,
    published_precision=Precision.SECOND,
    authors=("Ada", "Bo"),
    keywords=("x",),
)
PAGE = Page(
    url="https://news.example/ä?a=1&b=2",
    source="example",
    body=b"<html>\x00\xff\xfe broken \x1f\x8b\x08 bytes</html>",
    fetched_at=T,
    content_type='text/html; charset="latin-9"',
    status=200,
    asked_url="https://news.example/short",
    hint=HINT,
    more=(Part("https://news.example/ä/2", b"<p>two</p>"), Part("https://news.example/ä/3", b"", "text/plain")),
)
HEADERS = {"Server": "x\r\nEvil: 1", "Content-Encoding": "br", "Transfer-Encoding": "chunked", "Set-Cookie": "id=1"}


def other(number: int, **more) -> Page:
    values = {"url": f"https://news.example/{number}", "source": "example", "body": b"<p>%d</p>" % number}
    return Page(**{**values, "fetched_at": T + timedelta(hours=number), **more})


def test_a_page_comes_back_exactly(tmp_path: Path):
    with Archive(tmp_path) as kept:
        where = kept.save(PAGE, HEADERS)
        second = kept.save(other(1))
    assert list(archive.pages(tmp_path)) == [PAGE, other(1)]
    assert archive.page_at(tmp_path / where.file, where.offset) == PAGE
    assert archive.page_at(tmp_path / second.file, second.offset) == other(1)
    assert second.offset == where.offset + where.length
    assert (tmp_path / second.file).stat().st_size == second.offset + second.length


def test_it_is_on_the_disk_before_the_archive_is_closed(tmp_path: Path):
    kept = Archive(tmp_path)
    kept.save(PAGE)
    assert list(archive.pages(tmp_path)) == [PAGE]
    kept.close()


def test_headers_of_the_coding_and_of_the_reader_are_left_out(tmp_path: Path):
    with Archive(tmp_path) as kept:
        where = kept.save(PAGE, HEADERS)
    text = gzip.decompress((tmp_path / where.file).read_bytes()).lower()
    assert b"server: x evil: 1\r\n" in text
    for header in (b"content-encoding", b"transfer-encoding", b"set-cookie", b"\r\nevil"):
        assert header not in text


def test_a_file_per_day_and_none_is_written_over(tmp_path: Path):
    with Archive(tmp_path) as kept:
        names = [kept.save(other(hour)).file for hour in (0, 1, 12, 2)]
    with Archive(tmp_path) as kept:
        names.append(kept.save(other(3)).file)
    assert [name.split("-")[1] for name in names] == ["20260301", "20260301", "20260302", "20260302", "20260301"]
    assert len(set(names)) == 3
    assert len(list(archive.pages(tmp_path))) == 5


def test_nothing_kept_is_no_file(tmp_path: Path):
    Archive(tmp_path / "none").close()
    assert not (tmp_path / "none").exists()


def test_pages_are_narrowed_by_time_and_source(tmp_path: Path):
    with Archive(tmp_path) as kept:
        for number in range(3):
            kept.save(other(number, source=f"s{number}"))
    assert [page.source for page in archive.pages(tmp_path, since=T + timedelta(hours=1))] == ["s1", "s2"]
    assert [page.source for page in archive.pages(tmp_path, source="s1")] == ["s1"]


@pytest.mark.parametrize("missing", [20, 30, 200, 420])
def test_a_cut_tail_is_named_and_all_before_it_comes(tmp_path: Path, missing: int):
    with Archive(tmp_path) as kept:
        *_, (name, _, _) = (astuple(kept.save(other(number))) for number in range(3))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:-missing])
    with Archive(tmp_path / "z") as kept:
        kept.save(other(9))
    found = []
    with pytest.raises(ArchiveDamage, match=name):
        for page in archive.pages(tmp_path):
            found.append(page.url.rsplit("/", 1)[1])
    assert found == ["0", "1", "9"]


@pytest.mark.parametrize("at", [0, 380])
def test_a_damaged_place_in_the_middle_costs_its_page_only(tmp_path: Path, at: int):
    with Archive(tmp_path) as kept:
        places = [kept.save(other(number)) for number in range(4)]
    file = tmp_path / places[0].file
    data = bytearray(file.read_bytes())
    begin = places[1].offset + at
    data[begin : begin + 60] = b"\x00" * 60
    file.write_bytes(data)
    found = []
    with pytest.raises(ArchiveDamage):
        for page in archive.pages(file):
            found.append(page)
    assert found == [other(0), other(2), other(3)]


def test_what_is_said_of_one_page_is_not_believed_of_another(tmp_path: Path):
    """Between the body of one page and what is said of the next all is lost."""
    with Archive(tmp_path) as kept:
        places = [kept.save(other(number)) for number in range(3)]
    file = tmp_path / places[0].file
    data = file.read_bytes()
    first, second = (_behind_member(data, place.offset) for place in places[:2])
    file.write_bytes(data[:first] + data[second:])
    found = []
    with pytest.raises(ArchiveDamage, match=f"the page at byte {places[0].offset} was cut off"):
        for page in archive.pages(file):
            found.append(page)
    assert found == [other(2)]


def _behind_member(data: bytes, begin: int) -> int:
    unpacking = zlib.decompressobj(31)
    unpacking.decompress(data[begin:])
    return len(data) - len(unpacking.unused_data)


def test_a_file_that_is_no_archive_is_named(tmp_path: Path):
    (tmp_path / "x.warc.gz").write_bytes(b"no archive at all")
    (tmp_path / "y.warc").write_bytes(b"")
    with pytest.raises(ArchiveDamage, match=r"x\.warc\.gz"):
        list(archive.pages(tmp_path))
    assert list(archive.pages(tmp_path / "y.warc")) == []


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path):
    """The kernel takes the ten bytes that still fit and says nothing; the next write is refused."""
    kept = Archive(tmp_path)
    where = kept.save(other(1))
    size = (tmp_path / where.file).stat().st_size
    with no_file_larger_than(size + 10), pytest.raises(OSError, match="too large"):
        kept.save(other(2))
    assert (tmp_path / where.file).stat().st_size == size
    kept.save(other(3))
    kept.close()
    assert list(archive.pages(tmp_path)) == [other(1), other(3)]


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As a disk that becomes full: of a write, what fits is done."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def foreign(compressed: bool = True) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=compressed)
    writer.write_record(writer.create_warcinfo_record("foreign", {"software": "another crawler"}))

    def response(url: str, body: bytes, status: str = "200 OK", **headers: str) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        http = StatusAndHeaders(status, list(names.items()), protocol="HTTP/1.1")
        date = {"WARC-Date": "2025-12-03T15:30:43Z"}
        writer.write_record(
            writer.create_warc_record(
                url, "response", io.BytesIO(body), len(body), http_headers=http, warc_headers_dict=date
            )
        )

    response("https://www.zeitung.example/a", b"<p>eins</p>", Content_Type="text/html; charset=utf-8")
    packed = gzip.compress(b"<p>zwei</p>")
    response("https://www.zeitung.example/b", packed, Content_Type="text/html", Content_Encoding="gzip")
    response("https://www.zeitung.example/c", b"", "301 Moved", Location="/d", Content_Type="text/html")
    response("https://www.zeitung.example/e.png", b"\x89PNG", Content_Type="image/png")
    response("https://www.zeitung.example/robots.txt", b"User-agent: *", Content_Type="text/plain")
    response("https://www.zeitung.example/f", b"<p>weg</p>", "410 Gone", Content_Type="text/html")
    return buffer.getvalue()


@pytest.mark.parametrize("how", ["by record", "plain", "as a whole"])
def test_foreign_archives_give_their_pages(tmp_path: Path, how: str):
    data = foreign(how == "by record")
    file = tmp_path / ("f.warc" if how == "plain" else "f.warc.gz")
    file.write_bytes(gzip.compress(data) if how == "as a whole" else data)
    found = list(archive.pages(file))
    assert [(page.url[-1], page.body, page.status) for page in found] == [
        ("a", b"<p>eins</p>", 200),
        ("b", b"<p>zwei</p>", 200),
        ("f", b"<p>weg</p>", 410),
    ]
    assert found[0].fetched_at == datetime(2025, 12, 3, 15, 30, 43, tzinfo=UTC)
    assert (found[0].source, found[0].content_type) == ("zeitung.example", "text/html; charset=utf-8")
    assert {page.source for page in archive.pages(file, source="meine")} == {"meine"}


BODY = "<html><p>Der Rat hat den Haushalt für das nächste Jahr beschlossen.</p></html>".encode()
RAW_DEFLATE = zlib.compressobj(wbits=-15)
PLAIN = {  # Content-Encoding -> the body as an archive may have it; all of them are read
    "br": brotli.compress(BODY),
    "BR ": brotli.compress(BODY),
    "zstd": zstandard.compress(BODY),
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:20]) + gzip.compress(BODY[20:]),
    "deflate": zlib.compress(BODY),
    "Deflate": RAW_DEFLATE.compress(BODY) + RAW_DEFLATE.flush(),
    "gzip, br": brotli.compress(gzip.compress(BODY)),
    "identity": BODY,
    "utf-8": BODY,
    "br;q=1": BODY,  # undone by the crawler, which left the header as it was
    "zstd, gzip": BODY,
    "compress": BODY,
}
BROKEN = {  # and what cannot be read
    "compress": b"\x1f\x9d\x90<\xd0\xa0\x00\x02" * 9,
    "br": b"\x8b\x02\x80" + b"\xff\x00\x80" * 30,
    "gzip": gzip.compress(BODY)[:-20],
    "zstd": zstandard.compress(BODY)[:-9],
    "gzip, gzip, gzip, gzip, gzip": gzip.compress(BODY),
}


@pytest.mark.parametrize("how", ["by record", "plain", "as a whole"])
def test_a_foreign_archive_is_read_whatever_its_bodies_are_packed_in(tmp_path: Path, how: str):
    records = [
        response(f"https://a.example/{place}", body, Content_Encoding=name)
        for place, (name, body) in enumerate(PLAIN.items())
    ]
    packed = brotli.compress(BODY)
    records += [
        response("https://a.example/90", chunked(packed), Content_Encoding="br", Transfer_Encoding="Chunked"),
        response("https://a.example/91", chunked(gzip.compress(BODY)), Transfer_Encoding="gzip, chunked"),
        response("https://a.example/92", BODY, Transfer_Encoding="chunked"),
        response("https://a.example/93", BODY, protocol="HTTP/2"),
    ]  # fmt: skip
    found = list(archive.pages(put(tmp_path / "f.warc.gz", records, how)))
    assert [page.url.rsplit("/", 1)[1] for page in found if page.body == BODY] == [
        *map(str, range(len(PLAIN))), "90", "91", "92", "93"
    ]  # fmt: skip


STRANGE = {name: response("https://a.example/x", body, Content_Encoding=name) for name, body in BROKEN.items()} | {
    "no date": response("https://a.example/x", BODY, date="gestern"),
    "no status": response("https://a.example/x", BODY, status="zwei"),
    "no address": response("https://[a/x", BODY),
    "no length": re.sub(rb"Content-Length: \d+", b"Content-Length: viel", response("https://a.example/x", BODY)),
    "no record": b"\x00\x01\x02 nothing of the kind\r\n\r\n",
}


@pytest.mark.parametrize("how", ["by record", "plain", "as a whole"])
@pytest.mark.parametrize("what", STRANGE)
def test_no_record_of_a_foreign_archive_costs_another(tmp_path: Path, what: str, how: str):
    good = [response(f"https://a.example/{place}", BODY) for place in range(3)]
    file = put(tmp_path / "f.warc.gz", [good[0], STRANGE[what], *good[1:]], how)
    found = []
    with pytest.raises(ArchiveDamage, match=r"f\.warc\.gz at byte \d+: "):
        for page in archive.pages(file):
            found.append(page.url)
    assert found == ["https://a.example/0", "https://a.example/1", "https://a.example/2"]


def test_a_body_that_unpacks_without_end_is_named_and_not_kept(tmp_path: Path):
    bomb = brotli.compress(bytes(warc.LARGEST + 1))
    records = [
        response("https://a.example/0", bomb, Content_Encoding="br"), response("https://a.example/1", BODY)
    ]  # fmt: skip
    found = []
    with pytest.raises(ArchiveDamage, match="has more than"):
        for page in archive.pages(put(tmp_path / "f.warc.gz", records, "by record")):
            found.append(page.url)
    assert found == ["https://a.example/1"]
