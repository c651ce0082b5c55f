"""The application: routes, what every request passes, errors as pages, what lives as long as the process."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http import HTTPStatus
from importlib import metadata
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp import formats, i18n, pages
from webapp.api import serving as api
from webapp.api.stream import Hub
from webapp.formats import NotThisFormat, View
from webapp.parameters import BadParameter
from webapp.reader import Reader, ReadError
from webapp.rendering import THEMES, YEAR, Renderer, reading
from webapp.security import Failure, OnlyReading, Password, SecurityHeaders
from webapp.settings import Settings, checked

log = logging.getLogger(__name__)
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests share; ``request.app.state.site``."""

    settings: Settings
    reader: Reader
    renderer: Renderer
    hub: Hub


def make_app(settings: Settings, dsn: str) -> Starlette:
    """The application over the database behind *dsn*. Raises SettingsError."""
    checked(settings)
    reader = Reader(dsn, statement_timeout=settings.statement_timeout)
    site = Site(settings, reader, Renderer(settings.time_zone, _version(), _static_tag()), Hub(reader))

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with reader:
            yield

    app = Starlette(
        routes=[*pages.routes(), *api.routes(), Mount("/static", _Static(directory=STATIC))],
        lifespan=lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Mistakes, failure=_failed(site)),
            Middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False),
            Middleware(Preferences, renderer=site.renderer),
            Middleware(OnlyReading, failure=_failed(site)),
            *([Middleware(Password, failure=_failed(site), password_hash=settings.password_hash, token=settings.token)]
              if settings.needs_password else []),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1),
        ],
        exception_handlers={
            HTTPException: _http_error,
            BadParameter: _bad_parameter,
            NotThisFormat: _bad_parameter,
            ReadError: _read_error,
        },
    )  # fmt: skip
    app.state.site = site
    return app


class Mistakes:
    """A mistake of ours is a page, too, with the headers of every other one; the log has where it was made."""

    def __init__(self, app: ASGIApp, failure: Failure):
        self.app = app
        self.failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noticed(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noticed)
        except Exception as error:
            log.error("a mistake in nachlese at %s", scope.get("path"), exc_info=error)
            if has_begun or scope["type"] != "http":
                raise
            response = self.failure(Request(scope, receive), 500, "a mistake in nachlese; the server's log has more")
            assert isinstance(response, Response)
            await response(scope, receive, send)


class Preferences:
    """Who reads, for every page; ``?ui=`` and ``?theme=`` are kept in a cookie and leave the address."""

    def __init__(self, app: ASGIApp, renderer: Renderer):
        self.app = app
        self.renderer = renderer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.reading = reading(request, self.renderer.default_zone)
        chosen = {name: request.query_params.get(name) for name in ("ui", "theme")}
        known = {"ui": i18n.LANGUAGES, "theme": THEMES}
        cookies = {name: value for name, value in chosen.items() if value in known[name]}
        if not cookies or scope["method"] not in ("GET", "HEAD") or request.url.path.startswith("/api/"):
            await self.app(scope, receive, send)
            return
        rest = request.url.remove_query_params(["ui", "theme"]).query
        # relative, so that no path of a stranger's making (//elsewhere) can lead away from here
        response = RedirectResponse(f"?{rest}", 303)
        for name, value in cookies.items():
            response.set_cookie(name, str(value), max_age=YEAR, path="/", samesite="lax", httponly=True)
        await response(scope, receive, send)


class _Static(StaticFiles):
    """Files of the package; an address with a tag of their content can be kept for ever."""

    def file_response(self, *values: object, **named: object) -> Response:
        response = super().file_response(*values, **named)  # type: ignore[arg-type]
        scope = values[2] if len(values) > 2 else named["scope"]
        if b"v=" in scope["query_string"]:  # type: ignore[index]
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _static_tag() -> str:
    """Changes whenever one of the files does."""
    whole = hashlib.blake2b(digest_size=6)
    for file in sorted(STATIC.rglob("*")):
        if file.is_file():
            whole.update(file.read_bytes())
    return whole.hexdigest()


def _version() -> str:
    try:
        return metadata.version("nachlese")
    except metadata.PackageNotFoundError:
        return ""


# ---------------------------------------------------------------------------------------------------------------------
# errors


def error_response(request: Request, status: int, message: str, retry_after: int | None = None) -> Response:
    """An error as what was asked for: a page for people, JSON for programs."""
    site: Site = request.app.state.site
    return _error(site, request, status, message, retry_after)


def _error(site: Site, request: Request, status: int, message: str, retry_after: int | None = None) -> Response:
    name = HTTPStatus(status).phrase
    stated = request.query_params.get("format", "")
    is_data = request.url.path.startswith("/api/") or (stated or formats.accepted(request.headers.get("accept",
    ""))) in (
        "json", "jsonfeed", "csv", "atom",
    )  # fmt: skip
    if is_data:
        problem = {"title": name, "status": status, "detail": message}
        response = Response(formats.dumps(problem), status, media_type="application/problem+json")
    else:
        if not hasattr(request.state, "reading"):
            request.state.reading = reading(request, site.renderer.default_zone)
        language = request.state.reading.language
        view = View("error.html", language(name), language(message), status=status, data={"message": message})
        response = Response(site.renderer.page(request, view), status, media_type="text/html")
    response.headers["Cache-Control"] = "no-store"
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _failed(site: Site) -> Callable[[Request, int, str], Response]:
    return lambda request, status, message: _error(site, request, status, message)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = {404: "there is no page at this address", 405: "this server only answers GET"}.get(error.status_code)
    if error.detail != HTTPStatus(error.status_code).phrase:
        message = error.detail
    response = error_response(request, error.status_code, message or error.detail)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _bad_parameter(request: Request, error: Exception) -> Response:
    return error_response(request, 400, str(error))


async def _read_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ReadError)
    log.warning("%s: %s: %s", request.url.path, type(error).__name__, " ".join(str(error.__cause__).split())[:300])
    return error_response(request, error.status, str(error), error.retry_after)
