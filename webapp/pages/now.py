"""The latest articles: every text once, with who else has it, and the story it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from webapp import charts, queries
from webapp.formats import View
from webapp.pages.common import (
    Row,
    answer,
    article_entry,
    clock_of,
    language_of,
    parameters_of,
    reader_of,
)
from webapp.parameters import WITHIN, Parameters
from webapp.queries.articles import CURSOR, KINDS, ArticleFilter
from webapp.reader import News

SIZE = 30
FILTERS = ("source", "language", "section", "kind", "agency", "paywall", "within", "since", "until", "copies")


def article_filter(parameters: Parameters, now: datetime) -> ArticleFilter:
    """The filter that an address states. Raises BadParameter."""
    since, until = parameters.period(now)
    paywall = parameters.choice("paywall", ("free", "paid"))
    source = parameters.text("source")
    copies = parameters.choice("copies", ("fold", "all"), None)
    return ArticleFilter(
        source=source,
        language=parameters.text("language", 10),
        section=parameters.text("section"),
        kind=parameters.choice("kind", KINDS),
        agency=parameters.text("agency"),
        is_free={"free": True, "paid": False, None: None}[paywall],
        since=since,
        until=until,
        # of one source what it has, whoever had it first
        copies=copies == "all" or (copies is None and source is not None),
    )


async def now(request: Request) -> Response:
    """``/``"""
    parameters = parameters_of(request)
    at = datetime.now(UTC)
    wanted = article_filter(parameters, at)
    page = parameters.page(CURSOR, SIZE)
    reader, _ = reader_of(request), language_of(request)
    async with reader.session() as news:
        rows = await queries.articles.latest(news, wanted, page)
        folded = await beside(news, rows.rows)
    choices = await reader.kept("choices", 60, queries.articles.choices)
    hours = await reader.kept("hours", 60, _hours)
    view = View(
        "now.html",
        _("Now"),
        _("The latest articles of all sources, every text once"),
        items=rows.rows,
        entry=article_entry(request),
        next=rows.next,
        data={
            **folded,
            "days": by_day(request, rows.rows),
            "choices": choices,
            "kinds": KINDS,
            "within": WITHIN,
            "is_narrow": wanted.is_narrow,
            "is_first": page.after is None,
            "chart_made": _chart(request, hours),
            "filters": {name: request.query_params.get(name, "") for name in FILTERS},
        },
    )
    return await answer(request, view)


async def beside(news: News, rows: Sequence[Row]) -> dict[str, Any]:
    """What stands beside listed articles: ``copies`` and ``stories`` by number, ``originals`` of those that are
    copies.
    """
    ids = [row["id"] for row in rows]
    return {
        "copies": await queries.articles.copies_of(news, ids),
        "stories": await queries.stories.of_articles(news, ids),
        "originals": await queries.articles.by_id(news, [row["copy_of"] for row in rows if row["copy_of"]]),
    }


def by_day(request: Request, rows: Sequence[Row], key: str = "first_seen_at") -> list[tuple[str, list[Row]]]:
    """The rows under the days on which they were first seen, in the reader's zone."""
    clock, _ = clock_of(request), language_of(request)
    today = clock.date_of(datetime.now(UTC))
    names = {today: _("Today"), today - timedelta(days=1): _("Yesterday")}
    return [
        (f"{names[day]}, {clock.day(day)}" if day in names else clock.weekday(day), list(group))
        for day, group in groupby(rows, key=lambda row: clock.date_of(row[key]))
    ]


async def _hours(news: News) -> Sequence[Row]:
    last = await queries.articles.latest_time(news)
    return await queries.articles.per_hour(news, last - timedelta(hours=36)) if last else []


def _chart(request: Request, hours: Sequence[Row]) -> charts.Chart | None:
    if not hours:
        return None
    clock, _ = clock_of(request), language_of(request)
    counted = {row["hour"]: row for row in hours}
    first = max(counted) - timedelta(hours=35)
    bars = []
    for step in range(36):
        hour = first + timedelta(hours=step)
        row = counted.get(hour, {"articles": 0, "copies": 0})
        label = clock.time(hour)
        bars.append(charts.Bar(label, (row["articles"] - row["copies"], row["copies"]), f"{clock.moment(hour)}"))
    return charts.bars(_("Articles by hour"), bars, (_("texts"), _("copies")), every=9)
