"""News sites made in a test, served on loopback: what one is depends on the few lines that the test writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

#: an answer: body with its type, a redirect ("-> address"), or a number that is the status
Answer = str | tuple[str, str] | int
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

SENTENCES = {
    "de": "Der Rat der Stadt hat am {n}. Tag der Woche beschlossen, dass die Brücke über den Fluss erneuert wird. "
    "Die Arbeiten beginnen im Frühjahr und dauern nach Angaben der Verwaltung ungefähr {n}4 Monate.",
    "fr": "Le conseil de la ville a décidé le jour {n} de la semaine que le pont sur la rivière serait bientôt refait. "
    "Les travaux commencent au printemps et dureront selon la mairie environ {n}4 mois, peut-être plus.",
    "en": "The council of the town decided on day {n} of the week that the bridge over the river is to be rebuilt. "
    "Work begins in the spring and will take about {n}4 months, according to the administration of the town.",
}


@dataclass
class SmallSite:
    """``pages`` maps a path to its answer; "SITE" in it is the site's own address. ``asked``: the paths, in order."""

    pages: dict[str, Answer]
    headers: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    asked: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    wall: tuple[str, str] | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        self.cookies.append(request.headers.get("Cookie", ""))
        found = self.pages.get(request.path_qs, 404)
        if self.wall and request.path != "/robots.txt" and self.wall[0] not in self.cookies[-1]:
            found = self.wall[1]
        if isinstance(found, int):
            return web.Response(status=found, text="")
        body, kind = found if isinstance(found, tuple) else (found, "text/html; charset=utf-8")
        if body.startswith("-> "):
            return web.Response(status=301, headers={"Location": body[3:].replace("SITE", self.base)})
        headers = {"Content-Type": kind, **self.headers}
        return web.Response(body=body.replace("SITE", self.base).encode(), headers=headers)


@asynccontextmanager
async def served(*sites: SmallSite) -> AsyncIterator[None]:
    """Each site on a port of its own of 127.0.0.1, while the block lasts."""
    runners = []
    try:
        for site in sites:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", site.answer)
            runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            site.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield
    finally:
        for runner in runners:
            await runner.cleanup()


def article(number: int, language: str = "de", head: str = "", body: str = "") -> str:
    """A page with an article of three paragraphs, without a date."""
    sentence = SENTENCES[language].format(n=number)
    title = f"{['Brücke', 'Hafen', 'Markt', 'Schule', 'Bahnhof', 'Theater'][number % 6]} Nummer {number} wird erneuert"
    paragraphs = "".join(f"<p>{number}.{part}: {sentence}</p>" for part in range(1, 4))
    return (
        f'<html lang="{language}"><head><title>{title} | Bote</title>{head}</head><body><article class="story">'
        f"<h1>{title}</h1>{paragraphs}</article>{body}</body></html>"
    )


def rss(paths: Mapping[str, datetime], title: str = "Bote") -> tuple[str, str]:
    items = "".join(
        f"<item><title>Meldung {path}</title><link>SITE{path}</link>"
        f"<pubDate>{at:%a, %d %b %Y %H:%M:%S} +0000</pubDate></item>"
        for path, at in paths.items()
    )
    return f'<rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>', "application/rss+xml"


def news_sitemap(paths: Mapping[str, datetime]) -> tuple[str, str]:
    space = "http://www.google.com/schemas/sitemap-news/0.9"
    entries = "".join(
        f"<url><loc>SITE{path}</loc><n:news><n:title>Meldung {path}</n:title>"
        f"<n:publication_date>{at.isoformat()}</n:publication_date></n:news></url>"
        for path, at in paths.items()
    )
    return (
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="{space}">{entries}</urlset>',
        "application/xml",
    )


def paths_of(count: int, folder: str = "artikel", every: timedelta = timedelta(hours=2)) -> dict[str, datetime]:
    return {f"/{folder}/meldung-aus-der-stadt-{10000 + n}.html": NOW - n * every for n in range(count)}


def articles(paths: Mapping[str, datetime], language: str = "de", head: str = "") -> dict[str, Answer]:
    return {path: article(number, language, head) for number, path in enumerate(paths, start=1)}
