"""Stories: what several sources tell, and one of them on a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from webapp import charts, queries
from webapp.formats import Entry, View
from webapp.pages.common import (
    Row,
    answer,
    clock_of,
    language_of,
    missing,
    number_of,
    parameters_of,
    reader_of,
    titles_of,
)
from webapp.pages.now import by_day
from webapp.queries.stories import CURSOR


async def stories(request: Request) -> Response:
    """``/stories``"""
    parameters, _ = parameters_of(request), language_of(request)
    source = parameters.text("source")
    least = parameters.integer("sources", 2, 1, 50) or 2
    since, _until = parameters.period(datetime.now(UTC))
    page = parameters.page(CURSOR)
    async with reader_of(request).session() as news:
        rows = await queries.stories.latest(news, page, source=source, least_sources=least, since=since)
        firsts = await queries.articles.by_id(news, [row["id"] for row in rows.rows])
    view = View(
        "stories.html",
        _("Stories"),
        _("Events that several sources tell, the one that grew last first"),
        items=rows.rows,
        entry=_entry(request, firsts),
        next=rows.next,
        data={
            "days": by_day(request, rows.rows, "last_seen_at"),
            "firsts": firsts,
            "least": least,
            "filters": {name: request.query_params.get(name, "") for name in ("source", "within")},
            "is_narrow": bool(source or since or least != 2),
        },
    )
    return await answer(request, view)


async def story(request: Request) -> Response:
    """``/stories/NUMBER``"""
    number, _ = number_of(request), language_of(request)
    async with reader_of(request).session() as news:
        row = await queries.stories.one(news, number)
        if row is None:
            raise missing(_("there is no story {number}", number=number))
        members = await queries.stories.members(news, number)
        copies = await queries.texts.shares_of(news, [m["article_id"] for m in members])
    first: dict[str, Row] = {}
    for member in members:
        first.setdefault(member["source"], member)
    stated = [m for m in members if m["published_at"]]
    view = View(
        "story.html",
        row["title"],
        _("Who told it when, and what each had first"),
        record=row,
        items=members,
        entry=_member_entry(request),
        data={
            "story": row,
            "days": by_day(request, members),
            "members": members,
            "copies": copies,
            "first_seen": members[0] if members else None,
            "first_published": min(stated, key=lambda m: m["published_at"]) if stated else None,
            "firsts": list(first.values()),
            "chart_made": _timeline(request, members, await titles_of(request)),
        },
    )
    return await answer(request, view)


def _timeline(request: Request, members: Sequence[Row], titles: Mapping[str, str]) -> charts.Chart | None:
    """A line for each source, a dot for each article."""
    if len(members) < 2:
        return None
    clock, _ = clock_of(request), language_of(request)
    dots = [
        charts.Dot(
            titles.get(member["source"], member["source"]),
            member["first_seen_at"].timestamp(),
            clock.moment(member["first_seen_at"]),
            member["title"],
            bool(member["copy_of"]),
        )
        for member in members
    ]
    span = timedelta(seconds=dots[-1].at - dots[0].at)
    ends = (clock.moment(members[0]["first_seen_at"]), clock.moment(members[-1]["first_seen_at"]))
    title = f"{_('Timeline')}, {clock.span(span)}"
    return charts.timeline(title, dots, ends, (_("source"), _("first seen"), _("headline")))


def _entry(request: Request, firsts: Mapping[int, Row]) -> Any:
    base = str(request.base_url).rstrip("/")

    def entry(row: Row) -> Entry:
        first = firsts.get(row["id"])
        return Entry(
            id=f"urn:nachlese:story:{row['id']}",
            title=row["title"],
            url=f"{base}/stories/{row['id']}",
            updated=row["last_seen_at"],
            published=row["first_seen_at"],
            summary=first["teaser"] if first else None,
            authors=row["sources"],
        )

    return entry


def _member_entry(request: Request) -> Any:
    base = str(request.base_url).rstrip("/")
    return lambda row: Entry(
        id=f"urn:nachlese:article:{row['article_id']}",
        title=row["title"],
        url=f"{base}/articles/{row['article_id']}",
        updated=row["first_seen_at"],
        published=row["published_at"],
        summary=row["teaser"],
        authors=[row["source"]],
        language=row["language"],
    )
