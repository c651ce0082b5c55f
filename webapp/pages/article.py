"""One article: the text as it was read, what was left out beside it, its wordings, who else has it, its story."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from webapp import markup, queries, wording
from webapp.formats import Entry, View
from webapp.pages.common import Row, answer, language_of, missing, number_of, parameters_of, reader_of
from webapp.reader import News

#: what a page may state otherwise under the same words -> its label
RESTATED = {
    "authors": "Authors", "section": "Section", "agency": "Agency", "is_accessible_for_free": "Paywall",
}  # fmt: skip


async def article(request: Request) -> Response:
    """``/articles/NUMBER``: ``version`` shows an earlier wording, ``against`` what differs from another one."""
    number, parameters, _ = number_of(request), parameters_of(request), language_of(request)
    version, against = parameters.integer("version", most=2**31 - 1), parameters.integer("against", most=2**31 - 1)
    is_why, pictures = bool(parameters.flag("why")), bool(parameters.flag("pictures"))
    async with reader_of(request).session() as news:
        row = await queries.articles.one(news, number)
        if row is None:
            raise missing(_("there is no article {number}", number=number))
        known = await everything(news, row)
        shown = chosen(known["versions"], version or row["version"])
        before = chosen(known["versions"], against) if against else None
        if shown is None or (against and before is None):
            raise missing(_("this article has no such wording"))
        removed = await queries.articles.removed(news, number, shown["version"])
        fetched = await queries.explain.of_article(news, number)
    request.state.pictures = pictures
    view = View(
        "article.html",
        row["title"],
        row["teaser"] or row["text"][:200],
        og_type="article",
        record={**row, **known, "removed": removed, **fetched},
        items=known["versions"],
        entry=_entry(request, row),
        data={
            **known,
            **fetched,
            "article": row,
            "shown": shown,
            "before": before,
            "is_current": shown["version"] == row["version"],
            "removed": removed,
            "blocks": markup.blocks(shown["text_markdown"]) if before is None else [],
            "difference": wording.compare(before["text"], shown["text"]) if before else [],
            "title_difference": wording.line(before["title"], shown["title"]) if before else (),
            "teaser_difference": wording.line(before["teaser"], shown["teaser"]) if before else (),
            "restated": restated(known["metadata"]),
            "is_why": is_why,
            "pictures": pictures,
        },
    )
    return await answer(request, view)


async def everything(news: News, row: Row) -> dict[str, Any]:
    """What belongs to an article, and is shown beside it."""
    number = row["id"]
    original = row["copy_of"] or number
    story = (await queries.stories.of_articles(news, [number])).get(number)
    return {
        "versions": await queries.articles.versions(news, number),
        "revisions": await queries.changes.revisions(news, number) if row["version"] > 1 else [],
        "metadata": await queries.articles.metadata(news, number),
        "absences": await queries.articles.absences(news, number),
        "copies": await queries.texts.copies(news, original, 100),
        "original": await queries.articles.one_listed(news, original) if row["copy_of"] else None,
        "story": story,
        "story_articles": await queries.stories.members(news, story["id"], 60) if story else [],
    }


def chosen(versions: Sequence[Row], number: int) -> Row | None:
    """The wording of this number."""
    return next((row for row in versions if row["version"] == number), None)


def restated(metadata: Sequence[Row]) -> list[dict[str, Any]]:
    """Each fetch (``at``) that found other authors, another section, agency or paywall than the one before, and what
    (``changes``: name, before, after; None for what was not stated), first to last.
    """
    made = []
    for before, after in pairwise(metadata):
        changes = [
            {"name": label, "before": _said(before[name]), "after": _said(after[name])}
            for name, label in RESTATED.items()
            if before[name] != after[name]
        ]
        if changes:
            made.append({"at": after["stated_at"], "changes": changes})
    return made


def _said(value: Any) -> str | None:
    if isinstance(value, bool):
        return "free to read" if value else "paywall"
    return ", ".join(value) if isinstance(value, list) else value


def _entry(request: Request, article: Row) -> Any:
    """An item of the feed for each wording: who follows an article is told when it changes."""
    base = str(request.base_url).rstrip("/")

    def entry(row: Row) -> Entry:
        return Entry(
            id=f"urn:nachlese:article:{article['id']}:{row['version']}",
            title=row["title"],
            url=f"{base}/articles/{article['id']}?version={row['version']}",
            updated=row["fetched_at"],
            published=row["published_at"],
            summary=row["teaser"],
            text=row["text"],
            authors=row["authors"] or [article["source"]],
            language=row["language"],
        )

    return entry
