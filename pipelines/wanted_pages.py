"""Pages of chosen sources out of one WARC file, chosen before their bodies are read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.archive import foreign_page, is_ours, pages_of, records_of, said_of
from pipelines.items import Page


def wanted_pages(
    file: Path | zipfile.Path, source_of: Callable[[str, str], str], damage: list[str], begin: int = 0
) -> Iterator[tuple[int, Page | None]]:
    """(offset, page) of the HTML pages with status 200 in one file, from the record at byte *begin* on.

    *source_of* tells whose a page is by its address, and by the name that our own archive kept ("" in others'); of a
    page of nobody the body is not read. None stands for a record that is no such page. What is damaged is added to
    *damage*.
    """
    if is_ours(file):
        for offset, _, page in pages_of(file, None, damage, begin):
            source = source_of(page.url, page.source) if is_html(page.content_type) and page.status == 200 else ""
            yield offset, replace(page, source=source) if source else None
        return
    for offset, record, _ in records_of(file, damage, begin):
        try:
            source = _source_by_header(record, source_of)
            yield offset, foreign_page(record, source) if source else None
        except OSError:
            raise  # trouble of the disk is none of the record
        except Exception as error:  # noqa: BLE001  whatever a record holds, the next one comes
            damage.append(f"{file.name} at byte {offset}: {said_of(error)}")


def is_html(content_type: str) -> bool:
    return content_type.split(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")


def _source_by_header(record: Any, source_of: Callable[[str, str], str]) -> str:
    """Whose page the record is; "" where it is no HTML page with status 200, or nobody's."""
    if record.rec_type != "response":
        return ""
    url = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    source = source_of(url, "")
    http = record.http_headers
    if not source or http is None or http.get_statuscode() != "200":
        return ""
    return source if is_html(http.get_header("Content-Type") or "") else ""
