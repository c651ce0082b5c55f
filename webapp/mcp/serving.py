"""The server of the package ``mcp`` around the tools: over standard input and output, or over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from importlib import metadata

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from webapp.mcp.marking import NOTICE
from webapp.mcp.tools import Tools
from webapp.reader import Reader
from webapp.security import Password, SecurityHeaders
from webapp.settings import Settings, checked

PATH = "/mcp"
LARGEST_REQUEST = 100_000  # bytes: questions are short
INSTRUCTIONS = (
    "Nachlese keeps what news sites publish: every article with all its versions, who copied whom, stories over "
    "sources, what was changed or taken down. It only reads what was stored; nothing here fetches a page or changes "
    f"anything. Times are UTC. {NOTICE} Lists are short: where `next` is not null, ask again with it. Name the source "
    "and its address for what you report."
)
# They read a database, but what stands in it comes from the open world.
ONLY_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)


def make_server(reader: Reader) -> MCPServer:
    """The server with every tool; *reader* must be open while it runs."""
    server = MCPServer(
        "nachlese", title="Nachlese", instructions=INSTRUCTIONS, version=_version(), log_level="WARNING",
        subscriptions=False,
    )  # fmt: skip
    for tool in Tools(reader).all_of_them():
        server.add_tool(tool, annotations=ONLY_READS)
    return server


def serve_stdio(dsn: str) -> None:
    """Answer on standard output what is asked on standard input, until that ends."""

    async def run() -> None:
        async with Reader(dsn, size=2) as reader:
            await make_server(reader).run_stdio_async()

    anyio.run(run)


def serve_http(settings: Settings, dsn: str, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; *say* is told the address. Raises SettingsError, OSError."""
    from webapp.serving import serve_app  # with the pages behind it, which standard input and output do without

    serve_app(make_app(settings, dsn), settings, say, PATH)


def make_app(settings: Settings, dsn: str) -> Starlette:
    """Streamable HTTP at PATH, without sessions. Raises SettingsError."""
    checked(settings)
    reader = Reader(dsn, statement_timeout=settings.statement_timeout)
    server = make_server(reader)
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=LARGEST_REQUEST,
        transport_security=_allowed(settings),
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with reader, server.session_manager.run():
            yield

    return Starlette(
        routes=inner.routes,
        lifespan=lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(OnlyPosts),
            *([Middleware(Password, failure=_failed, password_hash=settings.password_hash, token=settings.token)]
              if settings.needs_password else []),
        ],
    )  # fmt: skip


class OnlyPosts:
    """A question is a POST. GET would open a stream on which nothing is ever pushed, for as long as somebody likes."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "POST":
            await self.app(scope, receive, send)
            return
        response = JSONResponse({"error": "this server only answers POST"}, 405, {"Allow": "POST"})
        await response(scope, receive, send)


def _allowed(settings: Settings) -> TransportSecuritySettings:
    """Against DNS rebinding: names in Host, and pages of browsers that may ask."""
    hosts = [name for name in settings.hosts if name != "::1"]
    origins = [f"{scheme}://{name}" for name in hosts for scheme in ("http", "https")]
    return TransportSecuritySettings(
        allowed_hosts=[*hosts, *(f"{name}:*" for name in hosts)],
        allowed_origins=[*origins, *(f"{origin}:*" for origin in origins)],
    )


def _failed(request: Request, status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)


def _version() -> str:
    try:
        return metadata.version("nachlese")
    except metadata.PackageNotFoundError:
        return ""
