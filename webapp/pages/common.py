"""What the pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webapp import formats, queries
from webapp.formats import Entry, View
from webapp.i18n import Language
from webapp.moments import Clock
from webapp.parameters import LARGEST_ID, Parameters
from webapp.reader import Reader

Row = Mapping[str, Any]


def reader_of(request: Request) -> Reader:
    """The database."""
    reader: Reader = request.app.state.site.reader
    return reader


def language_of(request: Request) -> Language:
    """The language of the interface."""
    language: Language = request.state.reading.language
    return language


def clock_of(request: Request) -> Clock:
    """The reader's clock."""
    clock: Clock = request.state.reading.clock
    return clock


def zone_of(request: Request) -> ZoneInfo:
    """The reader's zone."""
    return clock_of(request).zone


def parameters_of(request: Request) -> Parameters:
    """The parameters, days in the reader's zone."""
    return Parameters(request.query_params, zone_of(request))


async def titles_of(request: Request) -> Mapping[str, str]:
    """Name of each source -> its name for people."""
    titles: Mapping[str, str] = await reader_of(request).kept("titles", 30, queries.sources.titles)
    return titles


async def answer(request: Request, view: View) -> Response:
    """*view* in the wanted format. Raises NotThisFormat."""
    titles = await titles_of(request)
    renderer = request.app.state.site.renderer
    return formats.answer(request, view, lambda shown: renderer.page(request, shown, titles=titles))


def missing(what: str) -> HTTPException:
    """404 for what is not there."""
    return HTTPException(404, what)


def number_of(request: Request) -> int:
    """The number in the path. Raises HTTPException (404) where none can be so large."""
    number: int = request.path_params["number"]
    if number > LARGEST_ID:
        raise missing("there is no page at this address")
    return number


def name_of(request: Request) -> str:
    """The name in the path. Raises HTTPException (404) for what can be the name of nothing."""
    name: str = request.path_params["name"]
    if "\0" in name or any("\ud800" <= c <= "\udfff" for c in name):
        raise missing("there is no page at this address")
    return name


def article_entry(request: Request) -> Any:
    """Makes an item of a feed of a listed article."""
    base = str(request.base_url).rstrip("/")

    def entry(row: Row) -> Entry:
        return Entry(
            id=f"urn:nachlese:article:{row['id']}",
            title=row["title"],
            url=f"{base}/articles/{row['id']}",
            updated=row["changed_at"],
            published=row["published_at"] or row["first_seen_at"],
            summary=row["teaser"],
            authors=row["authors"] or [row["source"]],
            language=row["language"],
            tags=[tag for tag in (row["source"], row["section"]) if tag],
        )

    return entry
