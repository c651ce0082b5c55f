"""The project's own news sites, served over HTTP on loopback: what `nachlese demo` and the tests crawl.

A site is a folder of saved files (`tests/pages/NAME/`): pages, feeds, sitemaps, robots.txt. Inside them the site calls
itself ``http://NAME.example``; when a file is served, every such placeholder becomes the loopback address of that site.
Each site listens on a port of its own, so that sites are different hosts to the crawler.

What a file cannot say about itself stands in ``site.toml`` beside it:

    last_modified = "Wed, 03 Dec 2025 17:00:00 GMT"   # of every file; the same on every checkout
    html = "text/html; charset=windows-1252"          # content type of pages; without it: text/html; charset=utf-8

    [status]        # pages that answer with another status than 200
    "/alt.html" = 410

    [redirects]     # path -> path or address
    "/kurz" = "/artikel/lang.html"

``site.toml``, ``source.toml`` and ``expected.json`` are never served. ``/x.xml.gz`` is ``x.xml`` compressed.

    async with serve(folder) as sites:
        sites.url("kurier24", "/feed.rdf")     # http://127.0.0.1:40123/feed.rdf
        sites.change("kurier24", "/feed.rdf", "...")
        sites.log                              # [Asked(site='kurier24', method='GET', path='/feed.rdf', ...), ...]

``python -m crawler.fixture_sites FOLDER`` serves them until Ctrl+C and makes FOLDER a configuration that crawls them.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from aiohttp import web

NOT_SERVED = frozenset({"site.toml", "source.toml", "expected.json"})
LAST_MODIFIED = "Wed, 03 Dec 2025 17:00:00 GMT"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".rdf": "application/rdf+xml; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
    ".gz": "application/gzip",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that a site answered. ``path`` has its query; ``conditional`` tells whether it named a validator."""

    site: str
    method: str
    path: str
    status: int
    conditional: bool


@dataclass(slots=True)
class Site:
    """One folder of saved files, and what has been changed since it is served. ``base`` is known once it listens."""

    name: str
    folder: Path
    base: str = ""
    html: str = TYPES[".html"]
    last_modified: datetime = field(default_factory=lambda: parsedate_to_datetime(LAST_MODIFIED))
    status: dict[str, int] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    changed: dict[str, bytes] = field(default_factory=dict)
    changed_at: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Site:
        site = cls(folder.name, folder)
        described = folder / "site.toml"
        table = tomllib.loads(described.read_text("utf-8")) if described.is_file() else {}
        site.html = table.get("html", site.html)
        site.last_modified = parsedate_to_datetime(table.get("last_modified", LAST_MODIFIED))
        site.status = table.get("status", {})
        site.redirects = table.get("redirects", {})
        return site

    @property
    def placeholder(self) -> str:
        return f"http://{self.name}.example"

    def body(self, path: str) -> bytes | None:
        """The saved or changed bytes behind *path*, placeholders still in them; None where there is nothing."""
        if path in self.changed:
            return self.changed[path]
        file = self.file(path)
        return file.read_bytes() if file else None

    def file(self, path: str) -> Path | None:
        parts = PurePosixPath(path.lstrip("/")).parts
        if ".." in parts or "\0" in path or (parts and parts[-1] in NOT_SERVED):
            return None
        place = self.folder.joinpath(*parts)
        if path.endswith("/"):
            place = place / "index.html"
        return place if place.is_file() else None

    def content_type(self, path: str) -> str:
        suffix = PurePosixPath("index.html" if path.endswith("/") else path).suffix
        return self.html if suffix == ".html" else TYPES.get(suffix, "application/octet-stream")


class Sites:
    """The sites that are being served, and every request they have answered, in order."""

    def __init__(self, sites: list[Site]):
        self._sites = {site.name: site for site in sites}
        self.log: list[Asked] = []

    def __iter__(self) -> Iterator[str]:
        return iter(self._sites)

    def url(self, name: str, path: str = "/") -> str:
        return self._sites[name].base + path

    def change(self, name: str, path: str, body: str | bytes) -> None:
        """Serve *body* under *path* from now on: another ETag, a Last-Modified one minute later, and no more 404."""
        site = self._sites[name]
        encoding = re.search(r"charset=([\w-]+)", site.content_type(path))
        site.changed[path] = body.encode(encoding[1] if encoding else "utf-8") if isinstance(body, str) else body
        site.changed_at[path] = site.changed_at.get(path, site.last_modified) + timedelta(minutes=1)
        site.status.pop(path, None)
        site.redirects.pop(path, None)

    def gone(self, name: str, path: str) -> None:
        """Answer 410 under *path* from now on."""
        self._sites[name].status[path] = 410

    def text(self, name: str, path: str) -> str:
        """What is served under *path* now, placeholders still in it: for tests that change a part of it."""
        site = self._sites[name]
        body = site.body(path)
        if body is None:
            raise KeyError(f"{name} has nothing under {path}")
        encoding = re.search(r"charset=([\w-]+)", site.content_type(path))
        return body.decode(encoding[1] if encoding else "utf-8")

    def asked(self, name: str | None = None, path: str | None = None) -> list[Asked]:
        """The part of the log that concerns one site, or one path of it."""
        return [a for a in self.log if name in (None, a.site) and path in (None, a.path)]

    def placed(self, body: bytes) -> bytes:
        """*body* with every site's placeholder replaced by its loopback address.

        Plain, as JSON writes it in scripts (``http:\\/\\/``) and quoted, as share links carry it.
        """
        for site in self._sites.values():
            for spelled in (str, lambda url: url.replace("/", r"\/"), lambda url: quote(url, safe="")):
                body = body.replace(spelled(site.placeholder).encode(), spelled(site.base).encode())
        return body

    def sources(self) -> dict[str, str]:
        """Each site's ``source.toml``, placeholders replaced and ``[fetch] allow_addresses`` set to its own port."""
        texts = {}
        for site in self._sites.values():
            file = site.folder / "source.toml"
            if file.is_file():
                port = urlsplit(site.base).port
                text = self.placed(file.read_bytes()).decode("utf-8")
                allowed = f'allow_addresses = ["127.0.0.1/32:{port}"]'
                texts[site.name] = re.sub(r"(?m)^allow_addresses = .*$", allowed, text)
        return texts

    def write_sources(self, folder: Path) -> list[Path]:
        """Write `sources` as files into *folder* (``config/sources``), which is made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{name}.toml" for name in self.sources()]
        for file, text in zip(files, self.sources().values(), strict=True):
            file.write_text(text, "utf-8")
        return files

    async def answer(self, site: Site, request: web.Request) -> web.StreamResponse:
        conditional = bool({"If-None-Match", "If-Modified-Since"} & set(request.headers))
        response = self.respond(site, request)
        self.log.append(Asked(site.name, request.method, request.path_qs, response.status, conditional))
        return response

    def respond(self, site: Site, request: web.Request) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"}, text="Nur GET und HEAD.")
        path = unquote(request.path)
        if path in site.redirects:
            target = site.redirects[path]
            return web.Response(status=301, headers={"Location": target if "://" in target else site.base + target})
        body = site.body(path)
        if body is None and path.endswith(".gz") and (plain := site.body(path.removesuffix(".gz"))) is not None:
            body = gzip.compress(self.placed(plain), mtime=0)
        elif body is not None:
            body = self.placed(body)
        status = site.status.get(path, 200 if body is not None else 404)
        if body is None or status >= 400:
            body = body or error_page(status, site.html)
            return web.Response(status=status, headers={"Content-Type": site.html}, body=body)
        modified = site.changed_at.get(path, site.last_modified)
        headers = {
            "Content-Type": site.content_type(path),
            "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
            "Last-Modified": format_datetime(modified, usegmt=True),
            "Cache-Control": "max-age=0, must-revalidate",
        }
        if is_known(request, headers["ETag"], modified):
            return web.Response(status=304, headers={k: v for k, v in headers.items() if k != "Content-Type"})
        return web.Response(status=status, headers=headers, body=body)


def is_known(request: web.Request, etag: str, modified: datetime) -> bool:
    """Whether the asker has this version already. If-None-Match decides alone where it is given (RFC 9110)."""
    named = request.headers.get("If-None-Match")
    if named is not None:
        return named.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in named.split(",")}
    try:
        since = parsedate_to_datetime(request.headers.get("If-Modified-Since", ""))
        return modified <= since
    except (ValueError, TypeError):
        return False


def error_page(status: int, content_type: str) -> bytes:
    encoding = re.search(r"charset=([\w-]+)", content_type)
    said = "Diese Seite wurde gelöscht." if status == 410 else "Diese Seite wurde nicht gefunden."
    head = f"<head><title>Fehler {status}</title></head>"
    page = f"<!DOCTYPE html><html lang='de'>{head}<body><h1>{said}</h1></body></html>"
    return page.encode(encoding[1] if encoding else "utf-8")


def shipped_folder() -> Path:
    """``tests/pages`` of the checkout, or the copy that lies in an installed package."""
    here = Path(__file__).resolve().parent
    installed = here / "shipped" / "pages"
    return installed if installed.is_dir() else here.parent / "tests" / "pages"


def sites_in(folder: Path | str) -> list[Site]:
    """The site folders below *folder*, without serving them."""
    return [Site.load(f) for f in sorted(Path(folder).iterdir()) if f.is_dir() and (f / "source.toml").is_file()]


@asynccontextmanager
async def serve(folder: Path | str | None = None) -> AsyncIterator[Sites]:
    """Serve every site folder of *folder* on a free port of 127.0.0.1 each, until the block is left.

    A folder is a site when it holds a ``source.toml``; unset, *folder* is the project's own.
    Raises ``FileNotFoundError`` where there is none.
    """
    folder = folder or shipped_folder()
    found = sites_in(folder)
    if not found:
        raise FileNotFoundError(f"no fixture site in {folder}")
    sites = Sites(found)
    runners: list[web.AppRunner] = []
    try:
        for site in found:
            runners.append(await listen(sites, site))
        yield sites
    finally:
        for runner in runners:
            await runner.cleanup()


async def listen(sites: Sites, site: Site) -> web.AppRunner:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await sites.answer(site, request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner


async def serve_until_stopped(folder: Path) -> None:
    async with serve() as sites:
        for file in sites.write_sources(folder / "sources"):
            print(f"{sites.url(file.stem):<26} {file}")
        print("Ctrl+C stops them.", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m crawler.fixture_sites FOLDER")
    with suppress(KeyboardInterrupt):
        asyncio.run(serve_until_stopped(Path(sys.argv[1])))
