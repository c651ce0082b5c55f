"""Changes: what was corrected, headed otherwise, taken down, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from webapp import queries, wording
from webapp.formats import Entry, View
from webapp.pages.common import Row, answer, language_of, parameters_of, reader_of
from webapp.pages.now import by_day
from webapp.queries.changes import CURSOR

WHAT = ("all", "corrections", "headlines", "texts", "gone")
LONGEST_PASSAGE = 700  # characters of a changed paragraph that a list compares


async def changes(request: Request) -> Response:
    """``/changes``"""
    parameters, _ = parameters_of(request), language_of(request)
    what, source = parameters.choice("what", WHAT, "all") or "all", parameters.text("source")
    since, until = parameters.period(datetime.now(UTC))
    page = parameters.page(CURSOR, 30)
    async with reader_of(request).session() as news:
        rows = await queries.changes.edits(news, page, source=source, what=what, since=since, until=until)
        listed = await queries.articles.by_id(news, [row["article_id"] for row in rows.rows])
    shown = [{**row, "pieces": passages(row), "article": listed.get(row["article_id"])} for row in rows.rows]
    view = View(
        "changes.html",
        _("Changes"),
        _("What was corrected after publication, headed otherwise, taken down, and what came back"),
        items=rows.rows,
        entry=_entry(request, listed, _),
        next=rows.next,
        data={
            "days": by_day(request, shown, "recorded_at"),
            "what": what,
            "choices": WHAT,
            "filters": {name: request.query_params.get(name, "") for name in ("source", "within", "since", "until")},
            "is_narrow": bool(source or what != "all" or since or until),
        },
    )
    return await answer(request, view)


def passages(row: Row) -> dict[str, Any]:
    """The changed headline, and the first changed passage, word by word."""
    if row["change"] != "version":
        return {}
    made: dict[str, Any] = {"title": (), "teaser": (), "text": ()}
    if row["title_changed"]:
        made["title"] = wording.line(row["title_before"], row["title_after"])
    if row["teaser_changed"]:
        made["teaser"] = wording.line((row["teaser_before"] or "")[:600], (row["teaser_after"] or "")[:600])
    # the correction stands by itself already
    before = row["paragraphs_before"]
    after = [passage for passage in row["paragraphs_after"] if passage != row["correction"]]
    if before and after:
        made["text"] = wording.line(before[0][:LONGEST_PASSAGE], after[0][:LONGEST_PASSAGE])
    elif before:
        made["text"] = (wording.Piece("removed", before[0][:LONGEST_PASSAGE]),)
    elif after:
        made["text"] = (wording.Piece("added", after[0][:LONGEST_PASSAGE]),)
    made["more"] = max(len(before), len(after), 1) - 1
    return made


def title_of(row: Row, listed: Mapping[int, Row]) -> str:
    """The headline as it reads now."""
    if row["change"] == "version":
        return str(row["title_after"])
    article = listed.get(row["article_id"])
    return str(row.get("title") or (article["title"] if article else ""))


def _entry(request: Request, listed: Mapping[int, Row], _: Any) -> Any:
    base = str(request.base_url).rstrip("/")
    said = {"version": _("changed"), "gone": _("taken down"), "back": _("back again")}

    def entry(row: Row) -> Entry:
        url = f"{base}/articles/{row['article_id']}"
        if row["change"] == "version":
            url += f"?version={row['version']}&against={row['version_before']}"
        return Entry(
            id=f"urn:nachlese:change:{row['id']}",
            title=f"{said[row['change']]}: {title_of(row, listed)}",
            url=url,
            updated=row["recorded_at"],
            summary=row.get("correction") or (row.get("title_before") if row.get("title_changed") else None),
            authors=[row["source"] or ""],
            tags=[row["change"]],
        )

    return entry
