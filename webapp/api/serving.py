"""Answers of the API: parameters read strictly, one read-only transaction, JSON with an ETag."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from webapp import formats
from webapp.api import metrics, openapi, stream
from webapp.api.endpoints import ENDPOINTS, Endpoint, Missing, Parameter, Values
from webapp.formats import View
from webapp.known_names import check_source, check_watchlist
from webapp.pages.common import answer, language_of
from webapp.parameters import LARGEST_ID, BadParameter, Parameters
from webapp.queries.explain import NotAnAddress
from webapp.queries.paging import FIRST, LARGEST_PAGE, PAGE, Page, Rows
from webapp.reader import Reader

ROOT = "/api/v1"


def routes() -> list[BaseRoute]:
    """Every address of the API."""
    made: list[BaseRoute] = [
        Route(ROOT, index),
        Route(f"{ROOT}/openapi.json", document),
        Route(f"{ROOT}/changes/stream", stream.changes),
        Route("/metrics", metrics.metrics),
    ]
    return made + [Route(ROOT + endpoint.path, _handler(endpoint)) for endpoint in ENDPOINTS]


def _handler(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        values, page = read(request, endpoint)
        reader: Reader = request.app.state.site.reader
        await check_source(reader, values.get("source"))
        await check_watchlist(reader, values.get("watch"))
        try:
            if endpoint.kept:
                key = (endpoint.path, *values.values())
                made = await reader.kept(key, endpoint.kept, lambda news: endpoint.answer(news, values, page))
            else:
                async with reader.session() as news:
                    made = await endpoint.answer(news, values, page)
        except Missing as missing:
            raise HTTPException(404, str(missing)) from None
        except NotAnAddress as error:
            raise BadParameter("url", f"an address of the web ({error})") from None
        body = {"items": made.rows, "next": made.next} if isinstance(made, Rows) else made
        return formats.tagged(request, formats.dumps(body), "application/json")

    return handle


def read(request: Request, endpoint: Endpoint) -> tuple[Values, Page]:
    """The values of all its parameters, None where one is missing. Raises BadParameter, HTTPException (404)."""
    parameters = Parameters(request.query_params, is_strict=True)
    values: dict[str, Any] = {}
    for each in endpoint.parameters:
        values[each.name] = _of_path(request, each) if each.is_path else _of_query(parameters, each)
        if each.is_required and values[each.name] is None:
            raise BadParameter(each.name, "a value")
    page = FIRST
    if endpoint.cursor:
        page = parameters.page(endpoint.cursor, PAGE)
    elif endpoint.name == "changes":
        page = Page(parameters.integer("limit", PAGE, 1, LARGEST_PAGE) or PAGE)
    parameters.finish()
    return values, page


def _of_path(request: Request, each: Parameter) -> Any:
    value = request.path_params[each.name]
    if each.kind != "integer":
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise HTTPException(404, f"there is no such {each.name}")
        return value
    if not (value.isascii() and value.isdigit() and each.least <= int(value[:20]) <= LARGEST_ID):
        raise HTTPException(404, f"{each.name}: a number from {each.least} to {LARGEST_ID} expected")
    return int(value)


def _of_query(parameters: Parameters, each: Parameter) -> Any:
    if each.kind == "integer":
        return parameters.integer(each.name, None, each.least, each.most)
    if each.kind == "flag":
        return parameters.flag(each.name)
    if each.kind == "moment":
        return parameters.moment(each.name, is_end=each.name == "until")
    if each.kind == "choice":
        return parameters.choice(each.name, each.choices)
    return parameters.text(each.name, each.longest)


async def document(request: Request) -> Response:
    """``openapi.json``"""
    reader: Reader = request.app.state.site.reader
    columns = await reader.kept("columns", 600, openapi.columns)
    version = request.app.state.site.renderer.version
    return formats.tagged(request, formats.dumps(openapi.document(columns, version)), "application/json")


async def index(request: Request) -> Response:
    """The API for people: its addresses with an example of each."""
    _ = language_of(request)
    view = View(
        "api.html",
        _("API"),
        _("Everything on these pages for programs: JSON over HTTP, described with OpenAPI"),
        record={"openapi": f"{ROOT}/openapi.json", "endpoints": [ROOT + endpoint.path for endpoint in ENDPOINTS]},
        data={"endpoints": ENDPOINTS, "root": ROOT},
    )
    return await answer(request, view)
