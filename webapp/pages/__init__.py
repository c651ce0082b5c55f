"""The pages, a file each: ``async def NAME(request) -> Response``."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from webapp.pages import article, now


def routes() -> list[BaseRoute]:
    """Every page with its address."""
    return [
        Route("/", now.now),
        Route("/articles/{number:int}", article.article),
    ]
