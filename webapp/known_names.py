"""Names that a question states: one that nobody knows is a mistake, not an empty list."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from webapp import queries
from webapp.parameters import UnknownName
from webapp.reader import News, Reader

KEPT = 30  # seconds


async def check_source(reader: Reader, name: str | None) -> None:
    """Raises UnknownName where *name* is that of no source."""
    if name is not None and name not in await reader.kept("titles", KEPT, queries.sources.titles):
        async with reader.session() as news:  # one that came a moment ago is known
            _check("source", name, await queries.sources.titles(news))


async def check_watchlist(reader: Reader, name: str | None) -> None:
    """Raises UnknownName where *name* is that of no watchlist."""
    if name is not None and name not in await reader.kept("watchlist names", KEPT, _watchlists):
        async with reader.session() as news:
            _check("watch", name, await _watchlists(news))


async def _watchlists(news: News) -> list[str]:
    return await queries.watchlists.names(news)


def _check(parameter: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UnknownName(parameter, name, difflib.get_close_matches(name.lower(), known, n=3))
