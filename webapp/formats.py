"""One ``View`` as a page, as a feed, or as data, at the same address: by ``?format=``, else by the Accept header."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import Response

from pipelines import csv_cells
from webapp import moments

TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "jsonfeed": "application/feed+json",
}
ACCEPTED = {
    "text/html": "html", "application/xhtml+xml": "html", "application/json": "json", "text/csv": "csv",
    "application/atom+xml": "atom", "application/rss+xml": "atom", "application/feed+json": "jsonfeed", "*/*": "html",
    "text/*": "html", "application/*": "json",
}  # fmt: skip
ATOM = "http://www.w3.org/2005/Atom"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a feed; times are aware."""

    id: str
    title: str
    url: str
    updated: datetime
    published: datetime | None = None
    summary: str | None = None
    text: str | None = None
    authors: Sequence[str] = ()
    language: str | None = None
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What a page knows, before it is known how it is wanted.

    ``items`` are the rows of its list, ``entry`` makes an item of a feed of each; ``record`` are facts beside the list.
    ``data`` is for the template only. ``next`` is the cursor of the page behind this one.
    """

    template: str
    title: str
    description: str
    data: Mapping[str, Any] = field(default_factory=dict)
    items: Sequence[Row] | None = None
    entry: Callable[[Row], Entry | None] | None = None
    record: Row | None = None
    next: str | None = None
    status: int = 200
    og_type: str = "website"

    @property
    def formats(self) -> list[str]:
        """In which formats it can be had."""
        names = ["html", "json"]
        if self.items is not None:
            names.append("csv")
            if self.entry is not None:
                names += ["atom", "jsonfeed"]
        return names


class NotThisFormat(ValueError):
    """The view cannot be had in the wanted format; the message names those that it can be had in."""


def wanted(request: Request) -> str:
    """The name of the format that the request asks for. Raises NotThisFormat."""
    stated = request.query_params.get("format")
    if stated:
        if stated not in TYPES:
            raise NotThisFormat(f"format: one of {', '.join(TYPES)} expected")
        return stated
    return accepted(request.headers.get("accept", ""))


def accepted(header: str) -> str:
    """The best format for an Accept header; a page where nothing better is asked for."""
    best, name = 0.0, "html"
    for part in header[:1000].split(","):
        kind, *options = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    weight = float(option[2:])
                except ValueError:
                    weight = 0.0
        if kind in ACCEPTED and weight > best:
            best, name = weight, ACCEPTED[kind]
    return name


def answer(request: Request, view: View, html: Callable[[View], str]) -> Response:
    """The response to *request*; *html* renders the page. Raises NotThisFormat."""
    name = wanted(request)
    if name not in view.formats:
        if request.query_params.get("format"):
            raise NotThisFormat(f"format: one of {', '.join(view.formats)} expected")
        name = "html"
    make = {"json": as_json, "csv": as_csv, "atom": as_atom, "jsonfeed": as_json_feed}.get(name)
    body = html(view).encode("utf-8", "replace") if make is None else make(request, view)
    response = tagged(request, body, TYPES[name], view.status)
    response.headers["Vary"] = "Accept, Accept-Language, Cookie"
    if name == "csv":
        file = "".join(c if c.isascii() and c.isalnum() else "-" for c in request.url.path.strip("/")) or "nachlese"
        response.headers["Content-Disposition"] = f'attachment; filename="{file[:80]}.csv"'
    if view.next:
        response.headers["Link"] = f'<{_next_url(request, view)}>; rel="next"'
    return response


def tagged(request: Request, body: bytes, media_type: str, status: int = 200) -> Response:
    """A response with an ETag; 304 without a body where the reader has it already."""
    tag = f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if status == 200 and (tag.removeprefix("W/") in known or known == ["*"]):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, media_type)


# ---------------------------------------------------------------------------------------------------------------------
# data


def plain(value: Any) -> Any:
    """A value of a row as JSON has it."""
    if isinstance(value, datetime):
        return moments.iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def dumps(value: Any) -> bytes:
    """JSON with plain values; half characters become escapes instead of an error."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=plain)
    return text.encode("utf-8", "backslashreplace")


def as_json(request: Request, view: View) -> bytes:
    """``{..record, "items": [..], "next": address of the next page or null}``."""
    made: dict[str, Any] = dict(view.record or {})
    if view.items is not None:
        made |= {"items": list(view.items), "next": _next_url(request, view) if view.next else None}
    return dumps(made)


def as_csv(request: Request, view: View) -> bytes:
    """A row per item; lists and mappings as JSON. Text that a spreadsheet would run begins with an apostrophe."""
    out = io.StringIO()
    rows = list(view.items or ())
    known = getattr(view.items, "names", ())
    names = list(dict.fromkeys((*known, *(name for row in rows for name in row))))
    writer = csv.writer(out)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return out.getvalue().encode(csv_cells.ENCODING, "replace")


def _cell(value: Any) -> str | int | float:
    value = plain(value)
    return csv_cells.cell(json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value)


# ---------------------------------------------------------------------------------------------------------------------
# feeds


def as_atom(request: Request, view: View) -> bytes:
    """An Atom feed (RFC 4287) of the items."""
    entries = _entries(view)
    feed = ElementTree.Element("feed", xmlns=ATOM)
    _add(feed, "id", _feed_url(request))
    _add(feed, "title", view.title)
    _add(feed, "subtitle", view.description)
    _add(feed, "updated", moments.iso(max((e.updated for e in entries), default=datetime(2000, 1, 1, tzinfo=UTC))))
    ElementTree.SubElement(feed, "link", rel="self", href=str(request.url))
    ElementTree.SubElement(feed, "link", rel="alternate", type="text/html", href=_feed_url(request))
    if view.next:
        ElementTree.SubElement(feed, "link", rel="next", href=_next_url(request, view))
    _add(_add(feed, "author"), "name", "Nachlese")
    for entry in entries:
        _atom_entry(feed, entry)
    made: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return made


def _atom_entry(feed: ElementTree.Element, entry: Entry) -> None:
    made = _add(feed, "entry")
    _add(made, "id", entry.id)
    _add(made, "title", entry.title)
    ElementTree.SubElement(made, "link", rel="alternate", href=entry.url)
    _add(made, "updated", moments.iso(entry.updated))
    if entry.published:
        _add(made, "published", moments.iso(entry.published))
    for author in entry.authors:
        _add(_add(made, "author"), "name", author)
    for tag in entry.tags:
        ElementTree.SubElement(made, "category", term=_clean(tag))
    if entry.summary:
        _add(made, "summary", entry.summary)
    if entry.text:
        _add(made, "content", entry.text).set("type", "text")


def as_json_feed(request: Request, view: View) -> bytes:
    """A JSON Feed 1.1 of the items."""
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": view.title,
        "description": view.description,
        "home_page_url": _feed_url(request),
        "feed_url": str(request.url),
    }
    if view.next:
        feed["next_url"] = _next_url(request, view)
    feed["items"] = [_json_feed_item(entry) for entry in _entries(view)]
    return dumps(feed)


def _json_feed_item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {"id": entry.id, "url": entry.url, "title": entry.title}
    item["content_text"] = entry.text or entry.summary or entry.title
    if entry.summary:
        item["summary"] = entry.summary
    if entry.published:
        item["date_published"] = entry.published
    item["date_modified"] = entry.updated
    if entry.authors:
        item["authors"] = [{"name": name} for name in entry.authors]
    if entry.language:
        item["language"] = entry.language
    if entry.tags:
        item["tags"] = list(entry.tags)
    return item


def _entries(view: View) -> list[Entry]:
    assert view.entry is not None
    return [entry for row in view.items or () if (entry := view.entry(row)) is not None]


def _feed_url(request: Request) -> str:
    """The address of the page whose feed it is."""
    return str(request.url.remove_query_params(["format"]))


def _next_url(request: Request, view: View) -> str:
    return str(request.url.include_query_params(cursor=view.next))


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text and _clean(text)
    return child


def _clean(text: str) -> str:
    """Without what XML cannot say."""
    return "".join(
        c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")
    )
