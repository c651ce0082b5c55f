"""Names that a question states: one that nobody knows is a mistake, not an empty list."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Collection

from webapp import queries
from webapp.parameters import UnknownName
from webapp.reader import News, Reader

KEPT = 30  # seconds
Question = Callable[[News], Awaitable[Collection[str]]]


async def check_source(reader: Reader, name: str | None) -> None:
    """Raises UnknownName where *name* is that of no source."""
    await _check(reader, "source", name, "titles", queries.sources.titles)


async def check_watchlist(reader: Reader, name: str | None) -> None:
    """Raises UnknownName where *name* is that of no watchlist."""
    await _check(reader, "watch", name, "watchlist names", queries.watchlists.names)


async def _check(reader: Reader, parameter: str, name: str | None, kept_as: str, question: Question) -> None:
    if name is None or name in await reader.kept(kept_as, KEPT, question):
        return
    async with reader.session() as news:  # one that came a moment ago is known
        known = await question(news)
    if name not in known:
        raise UnknownName(parameter, name, difflib.get_close_matches(name.lower(), known, n=3))
