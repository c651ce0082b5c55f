"""WARC files as other crawlers write them, byte by byte."""

from __future__ import annotations

import gzip
import uuid
from pathlib import Path


def response(
    url: str,
    body: bytes,
    status: str = "200 OK",
    protocol: str = "HTTP/1.1",
    date: str = "",
    kind: str = "response",
    version: str = "1.0",
    **headers: str,
) -> bytes:
    """The bytes of a record of another crawler, as it came over the wire. A header "" is left out."""
    stated = {"Content_Type": "text/html"} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in stated.items() if value]
    http = "\r\n".join([f"{protocol} {status}", *lines, "", ""]).encode() + body
    head = (
        f"WARC/{version}\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{uuid.uuid4()}>\r\n"
        f"WARC-Target-URI: {url}\r\n"
        f"WARC-Date: {date or '2025-12-03T15:30:43Z'}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def chunked(body: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"


def put(file: Path, records: list[bytes], how: str) -> Path:
    data = b"".join(gzip.compress(record) if how == "by record" else record for record in records)
    file.write_bytes(gzip.compress(data) if how == "as a whole" else data)
    return file
