"""The pages, a file each: ``async def NAME(request) -> Response``."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from webapp.known_names import check_source
from webapp.pages import article, changes, database, explain, families, now, search, sources, stories, watchlists
from webapp.pages.common import parameters_of, reader_of

Page = Callable[[Request], Awaitable[Response]]


def routes() -> list[BaseRoute]:
    """Every page with its address."""
    return [
        Route("/", of_known_source(now.now)),
        Route("/search", of_known_source(search.search)),
        Route("/articles/{number:int}", article.article),
        Route("/stories", of_known_source(stories.stories)),
        Route("/stories/{number:int}", stories.story),
        Route("/families", of_known_source(families.families)),
        Route("/families/{number:int}", families.family),
        Route("/changes", of_known_source(changes.changes)),
        Route("/sources", sources.sources),
        Route("/sources/{name}", sources.source),
        Route("/runs", of_known_source(sources.runs)),
        Route("/rejections", of_known_source(sources.rejections)),
        Route("/explain", explain.explain),
        Route("/watchlists", watchlists.watchlists),
        Route("/watchlists/{name}", watchlists.watchlist),
        Route("/database", database.database),
    ]


def of_known_source(page: Page) -> Page:
    """*page*, whose ``source`` must be known. Raises BadParameter."""

    @functools.wraps(page)
    async def checked(request: Request) -> Response:
        await check_source(reader_of(request), parameters_of(request).text("source"))
        return await page(request)

    return checked
