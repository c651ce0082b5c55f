"""Watchlists: what matched them, and the addresses of their feeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from webapp import queries
from webapp.formats import Entry, View
from webapp.pages.common import Row, answer, language_of, missing, name_of, parameters_of, reader_of
from webapp.pages.now import by_day
from webapp.queries.watchlists import CURSOR


async def watchlists(request: Request) -> Response:
    """``/watchlists``"""
    parameters, _ = parameters_of(request), language_of(request)
    page = parameters.page(CURSOR, 20)
    reader = reader_of(request)
    lists = await reader.kept("watchlists", 30, queries.watchlists.all_of_them)
    async with reader.session() as news:
        rows = await queries.watchlists.matches(news, None, page)
    view = View(
        "watchlists.html",
        _("Watchlists"),
        _("What matched the watchlists, latest first"),
        record={"watchlists": lists},
        items=rows.rows,
        entry=_entry(request),
        next=rows.next,
        data={"lists": lists, "names": _names(lists), "days": by_day(request, rows.rows, "matched_at"), "watch": None},
    )
    return await answer(request, view)


async def watchlist(request: Request) -> Response:
    """``/watchlists/NAME``"""
    name, parameters, _ = name_of(request), parameters_of(request), language_of(request)
    page = parameters.page(CURSOR)
    reader = reader_of(request)
    names = _names(await reader.kept("watchlists", 30, queries.watchlists.all_of_them))
    async with reader.session() as news:
        rows = await queries.watchlists.matches(news, name, page)
    if not rows.rows and page.after is None and name not in names:
        raise missing(_("there is no watchlist of this name"))
    title = names.get(name, name)
    view = View(
        "watchlists.html",
        title,
        _("What matched the watchlist {name}, latest first", name=title),
        items=rows.rows,
        entry=_entry(request),
        next=rows.next,
        data={"lists": [], "names": names, "days": by_day(request, rows.rows, "matched_at"), "watch": name},
    )
    return await answer(request, view)


def _names(lists: Sequence[Row]) -> dict[str, str]:
    """Name of each watchlist -> its name for people."""
    return {row["watch"]: row["title"] for row in lists}


def _entry(request: Request) -> Any:
    base = str(request.base_url).rstrip("/")

    def entry(row: Row) -> Entry:
        return Entry(
            id=f"urn:nachlese:match:{row['id']}",
            title=row["title"],
            url=f"{base}/articles/{row['article_id']}?version={row['version']}",
            updated=row["matched_at"],
            published=row["published_at"],
            summary=row["teaser"],
            authors=[row["source"]],
            language=row["language"],
            tags=[row["watch"]],
        )

    return entry
