"""Pages of chosen sources out of one WARC file, chosen before their bodies are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pipelines.archive import foreign_page, is_ours, pages_of
from pipelines.items import Page
from pipelines.warc import Openable, records_of, said_of

_HTML = ("text/html", "application/xhtml+xml")
#: of a body without a stated type: so many bytes are looked at
_HEAD = 1024


def wanted_pages(
    file: Openable,
    source_of: Callable[[str, str], str],
    damage: list[str],
    begin: int = 0,
    latest: datetime | None = None,
    note: Callable[[int], object] = bool,
) -> Iterator[tuple[int, Page | None]]:
    """(offset, page) of the HTML pages with status 200 in one file, from the record at byte *begin* on.

    *source_of* tells whose a page is by its address, and by the name that our own archive kept ("" in others'); of a
    page of nobody the body is not read. None stands for a record that is no such page. What is damaged, or was fetched
    after *latest*, is added to *damage*. *note* is told where each record begins before it is looked into.
    """
    if is_ours(file):
        for offset, _, kept in pages_of(file, None, damage, begin, True, note):
            source = source_of(kept.url, kept.source) if is_html(kept.content_type) and kept.status == 200 else ""
            if source and latest is not None and kept.fetched_at > latest:
                damage.append(f"{file.name} at byte {offset}: its date, {kept.fetched_at:%Y-%m-%d}, is yet to come")
                continue
            yield offset, replace(kept, source=source) if source else None
        return
    for offset, record, _ in records_of(file, damage, begin):
        note(offset)
        try:
            source = _source_by_header(record, source_of)
            page = foreign_page(record, source) if source else None
            if page is not None and latest is not None and page.fetched_at > latest:
                raise ValueError(f"its date, {page.fetched_at:%Y-%m-%d}, is yet to come")
        except OSError:
            raise  # trouble of the disk is none of the record
        except Exception as error:  # noqa: BLE001  whatever a record holds, the next one comes
            damage.append(f"{file.name} at byte {offset}: {said_of(error)}")
        else:
            is_page = page is not None and (bool(_stated(record)) or _looks_like_html(page.body))
            yield offset, page if is_page else None


def is_html(content_type: str) -> bool:
    return content_type.split(";")[0].split(",")[0].strip().lower() in _HTML


def _stated(record: Any) -> str:
    """The content type that the record states; of a page that came over HTTP, that of the response."""
    return str((record.http_headers or record.rec_headers).get_header("Content-Type") or "").strip()


def _looks_like_html(body: bytes) -> bool:
    return body[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def _source_by_header(record: Any, source_of: Callable[[str, str], str]) -> str:
    """Whose page the record is; "" where it is no HTML page with status 200, or nobody's."""
    if record.rec_type not in ("response", "resource"):
        return ""
    url = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    if urlsplit(url).scheme.lower() not in ("http", "https"):
        return ""
    http = record.http_headers
    if http is None and record.rec_type == "response":
        return ""
    if http is not None and http.get_statuscode() != "200":
        return ""
    stated = _stated(record)
    return source_of(url, "") if not stated or is_html(stated) else ""
