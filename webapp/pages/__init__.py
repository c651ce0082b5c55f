"""The pages, a file each: ``async def NAME(request) -> Response``."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from webapp.pages import article, changes, database, explain, families, now, search, sources, stories, watchlists


def routes() -> list[BaseRoute]:
    """Every page with its address."""
    return [
        Route("/", now.now),
        Route("/search", search.search),
        Route("/articles/{number:int}", article.article),
        Route("/stories", stories.stories),
        Route("/stories/{number:int}", stories.story),
        Route("/families", families.families),
        Route("/families/{number:int}", families.family),
        Route("/changes", changes.changes),
        Route("/sources", sources.sources),
        Route("/sources/{name}", sources.source),
        Route("/runs", sources.runs),
        Route("/rejections", sources.rejections),
        Route("/explain", explain.explain),
        Route("/watchlists", watchlists.watchlists),
        Route("/watchlists/{name}", watchlists.watchlist),
        Route("/database", database.database),
    ]
