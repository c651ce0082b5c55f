"""WARC files that nobody here wrote: each version and each mistake becomes articles, or a message with its place."""

from __future__ import annotations

import gzip
import http.server
import itertools
import random
import re
import shutil
import subprocess
import threading
import zlib
from pathlib import Path

import brotli
import pytest
import zstandard

from pipelines import warc
from pipelines.wanted_pages import wanted_pages
from tests.test_backfill import SHAPES, body, found_in, of_blatt, record, url
from tests.warcs import chunked, put, response

#: what is a page: each is article 5
PAGES: dict[str, bytes] = {
    "WARC 0.18": record(5, version="0.18"),
    "WARC 0.17": record(5, version="0.17"),
    "WARC 1.1, nanoseconds": record(5, version="1.1", date="2025-03-01T17:00:00.123456789Z"),
    "a time with its zone": record(5, date="2025-03-01T18:00:00+01:00"),
    "HTTP/2": record(5, protocol="HTTP/2"),
    "HTTP/2 without a reason": record(5, protocol="HTTP/2", status="200"),
    "HTTP/1.1 without a reason": record(5, status="200"),
    "a status in several words": record(5, status="200 Alles in Ordnung"),
    "chunks kept": record(5, content=chunked(body(5)), Transfer_Encoding="chunked"),
    "chunks in capitals": record(5, content=chunked(body(5)), Transfer_Encoding="Chunked"),
    "chunks that are none": record(5, Transfer_Encoding="chunked"),
    "chunks and gzip": record(5, content=chunked(gzip.compress(body(5))), Transfer_Encoding="gzip, chunked"),
    "chunks within, gzip around": record(
        5, content=chunked(gzip.compress(body(5))), Content_Encoding="gzip", Transfer_Encoding="chunked"
    ),
    "brotli": record(5, content=brotli.compress(body(5)), Content_Encoding="br"),
    "zstd": record(5, content=zstandard.compress(body(5)), Content_Encoding="zstd"),
    "gzip that is undone": record(5, Content_Encoding="gzip"),
    "brotli that is undone": record(5, Content_Encoding="br"),
    "gzip, and identity": record(5, content=gzip.compress(body(5)), Content_Encoding="identity, gzip"),
    "an unknown coding that is none": record(5, Content_Encoding="utf-8"),
    "another length in its HTTP headers": record(5, Content_Length="99999999"),
    "an address in angle brackets": response(f"<{url(5)}>", body(5), date="2025-03-01T17:00:00Z"),
    "an address in capitals": response(
        "HTTPS://WWW.Blatt.EXAMPLE/artikel/5", body(5), date="2025-03-01T17:00:00Z"
    ),
    "headers that go on in the next line": record(5, X_Long="a\r\n  b\r\n\tc"),
    "headers that are not ASCII": record(5, X_Straße="Düsseldorf").replace("Düsseldorf".encode(), b"D\xfcsseldorf\x00"),
    "a header without a colon": record(5, status="200 OK\r\nnonsense"),
    "names in small letters": re.sub(rb"(?m)^(WARC-[\w-]+|Content-Length):", lambda m: m[0].lower(), record(5)),
    "a content type in capitals": record(5, Content_Type="TEXT/HTML; Charset=UTF-8"),
    "no content type": record(5, Content_Type=""),
    "hints before the answer": record(5, protocol="HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1"),
    "a gzip that nobody states": record(5, content=gzip.compress(body(5))),
    "deflate": record(5, content=zlib.compress(body(5)), Content_Encoding="deflate"),
    "names in capitals": re.sub(rb"(?m)^(WARC-[\w-]+|Content-[\w]+):", lambda m: m[0].upper(), record(5)),
    "one empty line behind it": record(5).removesuffix(b"\r\n"),
    "xhtml": record(5, Content_Type="application/xhtml+xml"),
    "resource": b"WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: https://www.blatt.example/artikel/5\r\n"
    b"WARC-Date: 2025-03-01T17:00:00Z\r\nContent-Type: text/html\r\n"
    b"Content-Length: %d\r\n\r\n%b\r\n\r\n" % (len(body(5)), body(5)),
}  # fmt: skip


def lf_only(data: bytes) -> bytes:
    """The record with lines that end in LF, the length as it is then."""
    head, _, rest = data.partition(b"\r\n\r\n")
    block = rest[:-4]
    http, _, content = block.partition(b"\r\n\r\n")
    block = http.replace(b"\r\n", b"\n") + b"\n\n" + content
    head = re.sub(rb"Content-Length: \d+$", b"Content-Length: %d" % len(block), head)
    return head.replace(b"\r\n", b"\n") + b"\n\n" + block + b"\n\n"


PAGES["LF only"] = lf_only(record(5))

#: what is none, without a word: nobody asks an image for its text
OTHERS: dict[str, bytes] = {
    "request": record(5, kind="request"),
    "revisit": record(5, kind="revisit", content=b""),
    "conversion": record(5, kind="conversion").replace(b"application/http; msgtype=response", b"text/plain"),
    "continuation": record(5, kind="continuation"),
    "a kind that is not known": record(5, kind="zukunft"),
    "dns": response("dns:www.blatt.example", b"20250301 127.0.0.1"),
    "urn": response("urn:uuid:1", b"x"),
    "ftp": response("ftp://www.blatt.example/artikel/5", body(5)),
    "whois": response("whois://whois.example/blatt.example", b"x"),
    "a metadata record": response("metadata://gnu.org/software/wget/warc/wget.log", b"x", kind="resource"),
    "a redirect": record(5, status="301 Moved", Location="https://www.blatt.example/artikel/6"),
    "HTTP/2 redirect": record(5, protocol="HTTP/2", status="302"),
    "an error page": record(5, status="503"),
    "partial content": record(5, status="206 Partial Content"),
    "no content": record(5, status="204 No Content", content=b""),
    "json": record(5, Content_Type="application/json"),
    "resource, an image": record(5, kind="resource").replace(b"application/http; msgtype=response", b"image/png"),
    "an empty record": b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://www.blatt.example/artikel/5\r\n"
    b"WARC-Date: 2025-03-01T17:00:00Z\r\nContent-Length: 0\r\n\r\n\r\n\r\n",
}  # fmt: skip

#: what is damaged: it says so, and costs itself
DAMAGED: dict[str, bytes] = {
    "no date": re.sub(rb"WARC-Date: [^\r]*\r\n", b"", record(5)),
    "an empty date": re.sub(rb"WARC-Date: [^\r]*", b"WARC-Date:", record(5)),
    "a date that is none": record(5, date="2025-02-30T12:00:00Z"),
    "a date in words": record(5, date="Sat, 01 Mar 2025 12:00:00 GMT"),
    "a date in 14 digits": record(5, date="99999999999999"),
    "no address": re.sub(rb"WARC-Target-URI: [^\r]*\r\n", b"", record(5)),
    "an address that is none": response("https://[blatt", body(5)),
    "a coding that is not known": record(5, content=bytes(range(256)) * 9, Content_Encoding="lzh"),
    "half a brotli": record(5, content=brotli.compress(body(5))[:-40], Content_Encoding="br"),
    "half a zstd": record(5, content=zstandard.compress(body(5))[:-40], Content_Encoding="zstd"),
    "half of its chunks": record(5, content=chunked(body(5))[:300], Transfer_Encoding="chunked"),
    "truncated, as it says": record(5).replace(b"WARC-Date:", b"WARC-Truncated: length\r\nWARC-Date:"),
    "too large": record(5, content=bytes(warc.LARGEST + 1)),
    "headers without end": record(5).replace(b"WARC-Date:", b"X: %b\r\n" % (b"y" * 1000) * 300 + b"WARC-Date:"),
    "HTTP headers without end": record(5, X="\r\n".join(f"X-{n}: {'y' * 1000}" for n in range(300))),
    "one line without end": record(5).replace(b"WARC-Date:", b"X: " + b"y" * 300_000 + b"\r\nWARC-Date:"),
    "a version of the future": record(5, version="2.0"),
}  # fmt: skip

#: what would take the next records with it, did nobody look
LYING: dict[str, bytes] = {
    "no length": re.sub(rb"(?m)^Content-Length: \d+\r\n\r\n", b"\r\n", record(5), count=1),
    "a negative length": re.sub(rb"Content-Length: \d+", b"Content-Length: -7", record(5), count=1),
    "a length in words": re.sub(rb"Content-Length: \d+", b"Content-Length: viel", record(5), count=1),
    "too small a length": re.sub(rb"Content-Length: \d+", b"Content-Length: 300", record(5), count=1),
    "a bit too large a length": re.sub(rb"Content-Length: (\d+)", lambda m: b"Content-Length: %d" % (int(m[1]) + 700),
                                      record(5), count=1),
    "much too large a length": re.sub(rb"Content-Length: \d+", b"Content-Length: 999999999999", record(5), count=1),
}  # fmt: skip


def around(tmp_path: Path, odd: bytes, shape: str) -> tuple[list[str], list[str]]:
    """The numbers of the pages in a file with *odd* between two ordinary records, and what is damaged."""
    pages, _, damage = found_in(put(tmp_path / "x.warc", [record(1), odd, record(2)], shape))
    return [number for _, number in pages], damage


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_a_page_becomes_one(tmp_path: Path, shape: str):
    for name, odd in PAGES.items():
        assert around(tmp_path, odd, shape) == (["1", "5", "2"], []), name


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_none_is_passed_over(tmp_path: Path, shape: str):
    for name, odd in OTHERS.items():
        assert around(tmp_path, odd, shape) == (["1", "2"], []), name


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_damaged_costs_itself_and_says_so(tmp_path: Path, shape: str):
    for name, odd in DAMAGED.items():
        pages, damage = around(tmp_path, odd, shape)
        assert pages == ["1", "2"], (name, damage)
        assert damage and all(len(said) < 500 and "byte" in said for said in damage), (name, damage)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_record_that_lies_about_its_length_does_not_take_others_with_it(tmp_path: Path, shape: str):
    for name, odd in LYING.items():
        file = put(tmp_path / "x.warc", [record(1), odd, record(2), record(3)], shape)
        damage: list[str] = []
        found = [page.url[-1] for _, page in wanted_pages(file, of_blatt, damage) if page is not None]
        assert [number for number in found if number != "5"] == ["1", "2", "3"], (name, found, damage)
        assert damage or "5" in found, name


@pytest.mark.parametrize("shape", ["frames", "one frame", "dictionary"])
def test_zstd_is_unpacked_too(tmp_path: Path, shape: str):
    records = [record(n) for n in (1, 2, 3)]
    packed = [zstandard.compress(one) for one in records]
    if shape == "one frame":
        packed = [zstandard.compress(b"".join(records))]
    elif shape == "dictionary":
        shared = zstandard.ZstdCompressionDict(body(4) * 3, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        packer = zstandard.ZstdCompressor(dict_data=shared)
        kept = zstandard.compress(shared.as_bytes())
        packed = [b"\x5d\x2a\x4d\x18" + len(kept).to_bytes(4, "little") + kept, *(map(packer.compress, records))]
    file = tmp_path / "x.warc.zst"
    file.write_bytes(b"".join(packed))
    pages, _, damage = found_in(file)
    assert ([number for _, number in pages], damage) == (["1", "2", "3"], [])
    assert found_in(file, pages[1][0])[0] == pages[1:]
    file.write_bytes(b"".join(packed)[:-30])
    assert found_in(file)[2]


@pytest.mark.parametrize("shape", SHAPES)
def test_arc_is_read_too(tmp_path: Path, shape: str):
    """The format before WARC: one empty line behind a record, and none of it told in headers."""

    def arc(address: str, content: bytes) -> bytes:
        kind = "text/html" if content[:4] == b"HTTP" else "text/plain"
        return f"{address} 127.0.0.1 20250301170000 {kind} {len(content)}\n".encode() + content + b"\n"

    head = arc("filedesc://x.arc", b"1 0 Archiver\nURL IP-address Archive-date Content-type Archive-length\n\n")
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    records = [arc(url(n), http + body(n)) for n in (1, 5, 2)]
    pages, _, damage = found_in(put(tmp_path / "x.arc.gz", [head, arc("dns:x", b"x"), *records], shape))
    assert ([number for _, number in pages], damage) == (["1", "5", "2"], [])
    assert found_in(tmp_path / "x.arc.gz", pages[1][0])[0] == pages[1:]


def test_a_file_of_nothing_but_damage_is_given_up(tmp_path: Path):
    file = tmp_path / "x.warc.gz"
    file.write_bytes(gzip.compress(record(1)) + b"\x1f\x8b\x08" * 20_000)
    pages, _, damage = found_in(file)
    assert ([number for _, number in pages], len(damage)) == (["1"], warc.MOST_TOLD + 1)
    assert "given up" in damage[-1]
    for name, data in {"empty": b"", "rubbish": bytes(range(256)) * 99, "html": b"<html></html>" * 99}.items():
        file.write_bytes(data)
        assert found_in(file)[0] == [], name
        assert found_in(file)[2] or not data, name


class Site(http.server.BaseHTTPRequestHandler):
    """What wget meets: a page, one that leads to it, one in chunks, one that was packed, and an image."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        number = int(re.sub(r"\D", "", self.path) or 0)
        headers, content = {"Content-Type": "text/html"}, body(number)
        if number == 2:
            headers |= {"Transfer-Encoding": "chunked"}
            content = chunked(content)
        elif number == 3:
            content = gzip.compress(content, mtime=0)  # with the time it would be another payload each second
            headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(content))}
        elif number == 4:
            headers, content = {"Content-Type": "image/png", "Content-Length": "4"}, b"\x89PNG"
        elif number == 5:
            headers, content = {"Location": "/artikel/1", "Content-Length": "0"}, b""
        else:
            headers |= {"Content-Length": str(len(content))}
        self.send_response(404 if number == 6 else 302 if number == 5 else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.skipif(not shutil.which("wget"), reason="wget is not installed")
@pytest.mark.parametrize(
    "options", [["--warc-cdx"], ["--no-warc-compression", "--no-warc-digests", "--no-warc-keep-log"]]
)
def test_what_wget_archives_is_read(tmp_path: Path, options: list[str]):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        urls = [f"{base}/artikel/{n}" for n in range(1, 7)]

        def wget(name: str, *more: str) -> Path:
            subprocess.run(["wget", "-q", "--tries=1", "-O", str(tmp_path / "out"), f"--warc-file={tmp_path / name}",
                            *options, *more, *urls], check=False, env={"PATH": "/usr/bin:/bin"})  # fmt: skip
            return next(tmp_path.glob(f"{name}.warc*"))

        file = wget("first")
        again = wget("second", f"--warc-dedup={tmp_path / 'first.cdx'}") if "--warc-cdx" in options else None
        server.shutdown()
        thread.join()

    def found(file: Path) -> list[tuple[str, bool]]:
        damage: list[str] = []
        pages = [
            page for _, page in wanted_pages(file, lambda address, _: "x" * address.startswith(base), damage) if page
        ]
        assert damage == []
        return [(page.url[-1], page.body == body(int(page.url[-1]))) for page in pages]

    assert found(file) == [("1", True), ("2", True), ("3", True), ("1", True)]
    if again is not None:
        assert b"WARC-Type: revisit" in gzip.decompress(again.read_bytes())
        assert found(again) == []


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [10_000, 60_000, 140_000, 700_000])
def test_a_large_first_record_keeps_nobody_waiting(tmp_path: Path, shape: str, size: int):
    """The library's tail of what it did not take stays as it was at the end of a member."""
    large = record(7, "fremd.example", content=random.Random(size).randbytes(size // 4).hex().encode() * 2)
    pages, others, damage = found_in(put(tmp_path / "x.warc.gz", [large, record(1), record(2)], shape))
    assert ([number for _, number in pages], others, damage) == (["1", "2"], 1, [])


def test_of_a_file_compressed_as_a_whole_and_cut_off_all_that_is_whole_comes_out(tmp_path: Path):
    """What inflates may take in all that there is before it has given out what it makes of it."""
    records = [record(n, content=body(n).replace(b"</p>", b" und" * 20_000 + b"</p>", 1)) for n in range(1, 9)]
    records = [re.sub(rb"urn:uuid:[\w-]+", b"urn:uuid:1", one) for one in records]  # the same bytes each time
    whole = put(tmp_path / "x.warc.gz", records, "as a whole").read_bytes()
    ends = list(itertools.accumulate(map(len, records)))
    for left in range(len(whole) // 3, len(whole) - 9, len(whole) // 40):
        (tmp_path / "x.warc.gz").write_bytes(whole[:left])
        damage: list[str] = []
        pages = [page.url[-1] for _, page in wanted_pages(tmp_path / "x.warc.gz", of_blatt, damage) if page is not None]
        size = len(zlib.decompressobj(31).decompress(whole[:left]))
        # without the empty lines behind it, and the byte that one inflater gives out later than the other
        assert (pages, bool(damage)) == ([str(n) for n, end in enumerate(ends, 1) if end - 3 <= size], True), left
