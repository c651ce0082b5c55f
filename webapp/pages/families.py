"""Families: texts that several articles have; who copied whom, and how much was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from webapp import charts, queries, wording
from webapp.formats import Entry, View
from webapp.pages.common import Row, answer, language_of, missing, number_of, parameters_of, reader_of, titles_of
from webapp.pages.now import by_day
from webapp.queries.texts import CURSOR


async def families(request: Request) -> Response:
    """``/families``"""
    parameters, _ = parameters_of(request), language_of(request)
    source, foreign = parameters.text("source"), parameters.flag("foreign")
    page = parameters.page(CURSOR)
    async with reader_of(request).session() as news:
        rows = await queries.texts.families(news, source, page, is_foreign=foreign is True)
    view = View(
        "families.html",
        _("Copies"),
        _("Texts that several articles have, the one copied last first"),
        items=rows.rows,
        entry=_entry(request),
        next=rows.next,
        data={
            "days": by_day(request, rows.rows, "last_copied_at"),
            "is_narrow": bool(source or foreign),
            "filters": {"source": source or "", "foreign": bool(foreign)},
        },
    )
    return await answer(request, view)


async def family(request: Request) -> Response:
    """``/families/NUMBER``; ``copy`` shows one of them beside the original, word by word."""
    number, parameters, _ = number_of(request), parameters_of(request), language_of(request)
    chosen = parameters.integer("copy")
    async with reader_of(request).session() as news:
        row = await queries.texts.family(news, number)
        if row is None:
            raise missing(_("no article {number} has copies", number=number))
        original = await queries.articles.one(news, number)
        copies = await queries.texts.copies(news, number)
        other = await queries.articles.one(news, chosen) if chosen is not None else None
    if chosen is not None and (other is None or other["copy_of"] != number):
        raise missing(_("article {number} is no copy of this one", number=chosen))
    assert original is not None
    view = View(
        "family.html",
        row["title"],
        _("Who copied this text, when, and how much of it was changed"),
        record=row,
        items=copies,
        entry=_copy_entry(request),
        data={
            "family": row,
            "original": original,
            "copies": copies,
            "other": other,
            "difference": wording.compare(original["text"], other["text"]) if other else [],
            "title_difference": wording.line(original["title"], other["title"]) if other else (),
            "chart_made": _kept(_, copies, await titles_of(request)),
        },
    )
    return await answer(request, view)


def _kept(_: Any, copies: Sequence[Row], titles: Mapping[str, str]) -> charts.Chart | None:
    """For each copy, what it kept of the original and what is its own."""
    measured = [copy for copy in copies if copy["kept"] is not None][:40]
    if not measured:
        return None
    lines = [
        charts.Bar(
            titles.get(copy["copy_source"], copy["copy_source"]),
            (round(100 * copy["kept"]), round(100 * (copy["own"] or 0))),
            copy["copy_title"],
        )
        for copy in measured
    ]
    return charts.lines(
        _("What is left of the original, and what was added, in per cent"), lines, (_("kept"), _("own"))
    )


def _entry(request: Request) -> Any:
    base = str(request.base_url).rstrip("/")
    return lambda row: Entry(
        id=f"urn:nachlese:family:{row['id']}",
        title=row["title"],
        url=f"{base}/families/{row['id']}",
        updated=row["last_copied_at"],
        published=row["first_seen_at"],
        summary=", ".join(row["sources"]),
        authors=[row["first_source"]],
    )


def _copy_entry(request: Request) -> Any:
    base = str(request.base_url).rstrip("/")
    return lambda row: Entry(
        id=f"urn:nachlese:article:{row['copy_id']}",
        title=row["copy_title"],
        url=f"{base}/articles/{row['copy_id']}",
        updated=row["copy_first_seen_at"],
        published=row["copy_published_at"],
        authors=[row["copy_source"]],
    )
