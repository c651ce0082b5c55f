"""Sources: which are well, and one of them with its runs, what it rejected, and where it is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from webapp import charts, queries
from webapp.formats import Entry, View
from webapp.pages.common import (
    Row,
    answer,
    article_entry,
    clock_of,
    language_of,
    missing,
    name_of,
    parameters_of,
    reader_of,
    zone_of,
)
from webapp.pages.now import beside, by_day
from webapp.queries.articles import ArticleFilter
from webapp.queries.paging import Page
from webapp.queries.sources import REJECTION_CURSOR, RUN_CURSOR, alarms_of
from webapp.reader import Found, News, TooSlow

DAYS = 30
COUNTING = 1.5  # seconds that may be spent on what is only an estimate


async def sources(request: Request) -> Response:
    """``/sources``"""
    parameters, _ = parameters_of(request), language_of(request)
    show = parameters.choice("show", ("all", "enabled", "alarms"), "all")
    reader, zone = reader_of(request), zone_of(request).key
    rows = await reader.kept("sources", 20, queries.sources.all_of_them)
    days = await reader.kept(("days", zone), 60, lambda news: _per_day(news, zone))
    now = datetime.now(UTC)
    alarms = {row["name"]: alarms_of(row, now) for row in rows}
    shown = Found((row for row in rows if is_shown(row, show or "all", alarms)), rows.names)
    view = View(
        "sources.html",
        _("Sources"),
        _("Which sources bring what they should, and which need to be looked at"),
        items=shown,
        data={
            "rows": shown,
            "alarms": alarms,
            "alarmed": sum(bool(said) for said in alarms.values()),
            "sparks": {row["name"]: _spark(request, row["name"], days) for row in shown},
            "show": show,
            "total": len(rows),
        },
    )
    return await answer(request, view)


def is_shown(row: Row, show: str, alarms: Mapping[str, Sequence[str]]) -> bool:
    """Whether the source belongs in the list; one that is off and has never run only where all are wanted."""
    if show == "alarms":
        return bool(alarms[row["name"]])
    return show == "all" or bool(row["enabled"])


async def _per_day(news: News, zone: str) -> dict[str, dict[Any, int]]:
    """source -> day -> articles, of the thirty days before the latest article."""
    last = await queries.articles.latest_time(news)
    if last is None:
        return {}
    found: dict[str, dict[Any, int]] = {"": {"last": last}}  # type: ignore[dict-item]
    for row in await queries.sources.per_day(news, last - timedelta(days=DAYS), zone):
        found.setdefault(row["source"], {})[row["day"]] = row["articles"]
    return found


def _spark(request: Request, name: str, days: dict[str, dict[Any, Any]]) -> Any:
    clock, _ = clock_of(request), language_of(request)
    counted = days.get(name)
    if not counted:
        return None
    last = clock.date_of(days[""]["last"])
    by_date = {clock.date_of(day): number for day, number in counted.items()}
    values = [by_date.get(last - timedelta(days=DAYS - 1 - step), 0) for step in range(DAYS)]
    numbers = ", ".join(map(str, values))
    said = _("Articles of each of the last {days} days: {numbers}", days=DAYS, numbers=numbers)
    return charts.sparkline(said, values)


async def source(request: Request) -> Response:
    """``/sources/NAME``"""
    name, _ = name_of(request), language_of(request)
    zone = zone_of(request).key
    async with reader_of(request).session() as news:
        row = await queries.sources.one(news, name)
        if row is None:
            raise missing(_("there is no source of this name"))
        latest = await queries.articles.latest(news, ArticleFilter(source=name, copies=True), Page(12))
        folded = await beside(news, latest.rows)
        data = {
            "runs": (await queries.sources.runs(news, name, Page(12))).rows,
            "documents": await queries.sources.documents(news, name),
            "pending": await queries.sources.pending(news, name, 10),
            "open_alarms": await queries.sources.open_alarms(news, name),
        }
    reader = reader_of(request)
    data["reasons"] = await reader.kept(("reasons", name), 60, lambda news: queries.sources.reasons(news, name))
    days: Sequence[Row] = await reader.kept(("days", zone, name), 60, lambda news: _days_of(news, row, zone))
    try:
        windows = await reader.kept(("windows", name), 600, lambda news: queries.sources.windows(news, name), COUNTING)
    except TooSlow:
        windows = {}
    view = View(
        "source.html",
        row["title"],
        _("Articles, runs and rejections of {source}", source=row["title"]),
        record={**row, **data},
        items=latest.rows,
        entry=article_entry(request),
        data={
            **data,
            **folded,
            "source": row,
            "alarms": alarms_of(row, datetime.now(UTC)),
            "windows": {url: timedelta(days=days) for url, days in windows.items()},
            "days": by_day(request, latest.rows),
            "chart_made": _days_chart(request, days),
        },
    )
    return await answer(request, view)


async def _days_of(news: News, source: Row, zone: str) -> Sequence[Row]:
    last = source["last_article_at"]
    return await queries.sources.per_day(news, last - timedelta(days=DAYS), zone, source["name"]) if last else []


def _days_chart(request: Request, days: Sequence[Row]) -> charts.Chart | None:
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
    return charts.bars(_("Articles by day"), bars, (_("own texts"), _("copies")), every=7)


async def runs(request: Request) -> Response:
    """``/runs``"""
    parameters, _ = parameters_of(request), language_of(request)
    name = parameters.text("source")
    outcome = parameters.choice("outcome", ("running", "finished", "failed", "stopped"))
    page = parameters.page(RUN_CURSOR)
    async with reader_of(request).session() as news:
        rows = await queries.sources.runs(news, name, page, outcome=outcome)
    view = View(
        "runs.html",
        _("Runs"),
        _("What each look at a source brought"),
        items=rows.rows,
        entry=_run_entry(request),
        next=rows.next,
        data={"rows": rows.rows, "filters": {"source": name or "", "outcome": outcome or ""}},
    )
    return await answer(request, view)


def _run_entry(request: Request) -> Any:
    base = str(request.base_url).rstrip("/")
    return lambda row: Entry(
        id=f"urn:nachlese:run:{row['id']}",
        title=f"{row['source'] or row['kind']}: {row['outcome']}",
        url=f"{base}/runs?source={row['source'] or ''}",
        updated=row["ended_at"] or row["started_at"],
        summary=row["error"],
        authors=[row["source"] or row["kind"]],
    )


async def rejections(request: Request) -> Response:
    """``/rejections``"""
    parameters, _ = parameters_of(request), language_of(request)
    name, reason = parameters.text("source"), parameters.text("reason", 40)
    page = parameters.page(REJECTION_CURSOR)
    reader = reader_of(request)
    async with reader.session() as news:
        rows = await queries.sources.rejections(news, name, reason, page)
    reasons = await reader.kept(("reasons", name), 60, lambda news: queries.sources.reasons(news, name))
    view = View(
        "rejections.html",
        _("Rejected pages"),
        _("Pages that were found and are no article, with the reason"),
        items=rows.rows,
        entry=_rejection_entry(request),
        next=rows.next,
        data={
            "rows": rows.rows,
            "reasons": reasons,
            "chart_made": charts.shares(_("Reasons"), [(_(r["reason"]), r["pages"]) for r in reasons])
            if reasons
            else None,
            "filters": {"source": name or "", "reason": reason or ""},
        },
    )
    return await answer(request, view)


def _rejection_entry(request: Request) -> Any:
    base = str(request.base_url).rstrip("/")
    return lambda row: Entry(
        id=f"urn:nachlese:rejection:{row['source']}:{row['url']}",
        title=f"{row['reason']}: {row['url']}",
        url=f"{base}/explain?url={quote(row['url'], safe='')}",
        updated=row["rejected_at"],
        summary=row["detail"],
        authors=[row["source"]],
    )
