"""Pages that need a browser: Chromium by Playwright's async API. The only door to playwright.

The page itself was fetched like any other. Chromium is given that response, runs its scripts, and every request that
they make comes back here and goes out through our own client: the guard at the socket, the bounds and the permissions
of the source. Chromium has no network of its own: it resolves no name, and its proxy is nobody. Images, media and fonts
are not loaded, and what wants to lead the page elsewhere is not followed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.downloader.client import HttpClient, HttpRequest, HttpResponse
from crawler.downloader.errors import FetchError
from crawler.downloader.policy import FetchPolicy
from pipelines.items import Reason
from pipelines.urls import BadUrl, normalise

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Page, Playwright, Request, Route

log = logging.getLogger(__name__)

#: pages rendered at the same time: each takes half a second of a core
PAGES_AT_ONCE = 2
#: a fresh Chromium after so many pages, whatever it has gathered by then
PAGES_A_BROWSER = 200
#: requests of one page, and bytes of all their responses together
MOST_REQUESTS, MOST_BYTES = 200, 20_000_000
MOST_REDIRECTS = 5
#: milliseconds without a request after which a page is taken for done
QUIET = 500
NOT_LOADED = frozenset({"image", "media", "font", "manifest", "texttrack", "eventsource", "websocket", "ping"})
#: where Chromium lies on usual systems; Playwright's own comes last
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: no network of its own, and no more memory for scripts than a page may need
ARGUMENTS = (
    "--proxy-server=http://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-webrtc",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--js-flags=--max-old-space-size=256",
)
#: the policy for what scripts ask for: headers that a browser sets for itself
_OWN_HEADERS = frozenset({"host", "connection", "content-length", "accept-encoding"})


class BrowserUnavailable(Exception):
    """There is no browser on this machine. The message says what to install."""


@dataclass(slots=True)
class _Budget:
    """What one page may still ask for."""

    requests: int = MOST_REQUESTS
    bytes: int = MOST_BYTES
    blocked: list[str] = field(default_factory=list)


class Browser:
    """One warm Chromium a process, started with the first page. *executable* is its path, "" where it is looked for."""

    def __init__(self, client: HttpClient, executable: str = ""):
        self._client = client
        self._executable = executable
        self._lock = asyncio.Lock()
        self._pages = asyncio.Semaphore(PAGES_AT_ONCE)
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None
        self._rendered = 0

    async def render(self, url: str, first: HttpResponse, policy: FetchPolicy, agent: str, seconds: float) -> bytes:
        """The page at *url*, fetched as *first*, as HTML in UTF-8 after its scripts have run.

        Raises FetchError, and BrowserUnavailable where there is no Chromium.
        """
        async with self._pages:
            chromium = await self._ready()
            context = await chromium.new_context(
                user_agent=agent, locale="de-DE", service_workers="block", accept_downloads=False
            )
            try:
                async with asyncio.timeout(seconds + 10):
                    html = await self._rendered_in(context, url, first, policy, seconds)
            except TimeoutError:
                raise FetchError(Reason.TIMEOUT, "the browser did not come to an end", transient=True) from None
            finally:
                self._rendered += 1
                await _quietly(context.close())
        body = html.encode("utf-8", "replace")
        if len(body) > policy.page:
            raise FetchError(Reason.TOO_LARGE, f"more than {policy.page:,} bytes after rendering", status=200)
        return body

    async def close(self) -> None:
        chromium, self._chromium = self._chromium, None
        playwright, self._playwright = self._playwright, None
        if chromium is not None:
            await _quietly(chromium.close())
        if playwright is not None:
            await _quietly(playwright.stop())

    async def _ready(self) -> Chromium:
        async with self._lock:
            used_up = self._rendered >= PAGES_A_BROWSER
            if self._chromium is not None and (used_up or not self._chromium.is_connected()):
                await self.close()
            if self._chromium is None:
                self._rendered = 0
                self._chromium = await self._launched()
            return self._chromium

    async def _launched(self) -> Chromium:
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError:
            said = "pages of this source need a browser: pip install 'nachlese[browser]', and a Chromium"
            raise BrowserUnavailable(said) from None
        self._playwright = await async_playwright().start()
        arguments = [*ARGUMENTS, *(("--no-sandbox",) if os.geteuid() == 0 else ())]
        path = self._executable or next(filter(None, map(shutil.which, NAMES)), None)
        try:
            return await self._playwright.chromium.launch(executable_path=path or None, args=arguments)
        except Error as error:
            await self.close()
            where = path or "Playwright's own folder"
            said = f"no Chromium could be started from {where}: {str(error).splitlines()[0][:200]}"
            raise BrowserUnavailable(f"{said}; install one, or name it with [browser] executable") from None

    async def _rendered_in(
        self, context: BrowserContext, url: str, first: HttpResponse, policy: FetchPolicy, seconds: float
    ) -> str:
        from playwright.async_api import Error

        budget, page = _Budget(), await context.new_page()

        async def answer(route: Route) -> None:
            await self._answer(route, page, url, first, policy, budget)

        await context.route("**/*", answer)
        await context.route_web_socket("**/*", lambda socket: socket.close())
        try:
            await page.goto(url, timeout=seconds * 1000, wait_until="load")
            await _quietly(page.wait_for_load_state("networkidle", timeout=min(seconds * 1000, 10 * QUIET)))
        except Error as error:
            if "Timeout" not in type(error).__name__:
                said = f"the browser gave up: {str(error).splitlines()[0][:120]}"
                raise FetchError(Reason.CONNECTION, said, transient=True) from None
        return await page.content()

    async def _answer(
        self, route: Route, page: Page, url: str, first: HttpResponse, policy: FetchPolicy, budget: _Budget
    ) -> None:
        """One request of the page: the page itself from what was fetched, everything else through our client."""
        request = route.request
        if request.is_navigation_request() and request.frame == page.main_frame:
            if request.url.partition("#")[0] == url.partition("#")[0]:
                await _quietly(route.fulfill(status=first.status, headers=_headers(first), body=first.body))
            else:
                await _quietly(route.abort("blockedbyclient"))  # a page that sends its readers on is read as it is
            return
        if request.resource_type in NOT_LOADED or budget.requests <= 0 or budget.bytes <= 0:
            await _quietly(route.abort("blockedbyclient"))
            return
        budget.requests -= 1
        try:
            response = await self._fetched(request, policy)
        except (FetchError, BadUrl) as error:
            log.debug("%s asks for %s: %s", url, request.url[:200], error)
            await _quietly(route.abort("failed"))
            return
        budget.bytes -= len(response.body)
        await _quietly(route.fulfill(status=response.status, headers=_headers(response), body=response.body))

    async def _fetched(self, request: Request, policy: FetchPolicy) -> HttpResponse:
        """What a script asked for, redirects followed. Raises FetchError, BadUrl."""
        url, method, body = normalise(request.url, keep_tracking=True), request.method, request.post_data_buffer or b""
        headers = tuple((name, value) for name, value in request.headers.items() if name not in _OWN_HEADERS)
        for hops in range(MOST_REDIRECTS + 1):
            asked = HttpRequest(
                url=url,
                policy=policy,
                method=method,
                headers=(*headers, ("Accept-Encoding", "gzip, deflate, br, zstd")),
                body=body,
                seconds=policy.timeout,
                hops=hops,
                wants_body=lambda status: True,
            )
            response = await self._client.exchange(asked)
            location = next((value for name, value in response.headers if name.lower() == b"location"), None)
            if not 300 <= response.status < 400 or location is None:
                return response
            url = normalise(location.decode("latin-1"), url, keep_tracking=True)
            if response.status == 303:
                method, body = "GET", b""
        raise FetchError(Reason.REDIRECT_LOOP, f"more than {MOST_REDIRECTS} redirects")


def _headers(response: HttpResponse) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}


async def _quietly(work: Any) -> None:
    """Await what only fails where the page or the browser is gone already, which is noticed elsewhere."""
    from playwright.async_api import Error

    try:
        await work
    except Error as error:
        log.debug("browser: %s", str(error).splitlines()[0])
