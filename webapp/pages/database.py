"""Database: how large it is, how it grows, and when it will be how large."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from webapp import charts, queries
from webapp.formats import View
from webapp.pages.common import Row, answer, clock_of, language_of, reader_of, zone_of

DAYS = 60
AHEAD = (30, 90, 365)


async def database(request: Request) -> Response:
    """``/database``"""
    reader, _, zone = reader_of(request), language_of(request), zone_of(request).key
    size = await reader.kept("size", 30, queries.database.size)
    articles = await reader.kept("number", 30, queries.database.articles)
    days = await reader.kept(("growth", zone), 300, lambda news: queries.database.growth(news, zone))
    per_day = daily(days)
    each = size["bytes"] / articles if articles else 0
    view = View(
        "database.html",
        _("Database"),
        _("How large the database is, how it grows, and what to expect"),
        record={"bytes": size["bytes"], "articles": articles, "articles_per_day": per_day, "bytes_per_article": each},
        items=size["tables"],
        data={
            "size": size,
            "articles": articles,
            "per_day": per_day,
            "each": each,
            "forecasts": [(ahead, size["bytes"] + each * per_day * ahead) for ahead in AHEAD] if per_day else [],
            "chart_made": _chart(request, days),
            "shares": _shares(_, size["tables"]),
        },
    )
    return await answer(request, view)


def daily(days: Sequence[Row]) -> float:
    """Articles on an ordinary day: the median of those that had any, the last one aside, for it is not over."""
    counts = sorted(row["articles"] for row in days[:-1] or days)
    return float(counts[len(counts) // 2]) if counts else 0.0


def _shares(_: Any, tables: Sequence[Row]) -> charts.Chart | None:
    total = [(row["name"], row["bytes"] + row["index_bytes"]) for row in tables]
    large, small = total[:5], sum(number for _name, number in total[5:])
    return charts.shares(_("What takes the place"), [*large, (_("the rest"), small)]) if total else None


def _chart(request: Request, days: Sequence[Row]) -> charts.Chart | None:
    if not days:
        return None
    clock, _ = clock_of(request), language_of(request)
    counted = {clock.date_of(row["day"]): row for row in days}
    last = max(counted)
    bars = []
    for step in range(DAYS):
        day = last - timedelta(days=DAYS - 1 - step)
        row = counted.get(day, {"articles": 0, "copies": 0})
        bars.append(charts.Bar(clock.short_day(day), (row["articles"] - row["copies"], row["copies"]), clock.day(day)))
    return charts.bars(_("Articles by day"), bars, (_("texts"), _("copies")), every=10, height=180)
