"""What was changed after publication, taken down, came back; and every change in the order of the commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webapp.queries.paging import FIRST, Page, Rows, cursor
from webapp.reader import Found, News, Row

KINDS = ("new", "version", "copy", "gone", "back", "story", "metadata")
CURSOR = (int,)
LOOKS = (1, 3, 10, 10, 10, 10)  # pages' worth of changes that are looked at in turn: most lists are full by the first
WANTED = {
    "source": "source = %(source)s",
    "since": "recorded_at >= %(since)s",
    "until": "recorded_at < %(until)s",
}

REVISION = """article_id, source, canonical_url, version, version_before, fetched_at, fetched_before, title_changed,
    teaser_changed, text_changed, title_before, title_after, teaser_before, teaser_after, words_before, words_after,
    words_added,
    words_removed, share_changed, correction, kind, paragraphs_before, paragraphs_after"""


OF_ABSENCES = ("gone_at", "back_at", "reason", "title")
#: columns of a list of edits, whatever was changed
EDIT = (*(name.strip() for name in REVISION.split(",")), "id", "recorded_at", "change", *OF_ABSENCES)


async def since(news: News, after: int, limit: int = 500) -> list[Row]:
    """The changes behind *after*, oldest first, as news.changes_since gives them: none is ever skipped."""
    return await news.rows("SELECT * FROM news.changes_since(%(after)s, %(limit)s)", {"after": after, "limit": limit})


async def last(news: News) -> int:
    """The number of the latest change, 0 where there is none."""
    row = await news.row("SELECT id FROM news.changes ORDER BY id DESC LIMIT 1")
    return row["id"] if row else 0


async def revisions(news: News, number: int) -> list[Row]:
    """The changes of one article, first to last."""
    return await news.rows(
        f"SELECT {REVISION} FROM news.revisions WHERE article_id = %(id)s ORDER BY fetched_at, version", {"id": number}
    )


async def edits(
    news: News,
    page: Page = FIRST,
    *,
    source: str | None = None,
    what: str = "all",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Rows:
    """What was edited, latest first: rows of ``news.revisions`` (kind ``version``) and ``news.absences`` (gone, back).

    Each row has ``change`` (kind, id, recorded_at) and the columns of its view. *what*: all, corrections, headlines,
    texts, gone. *since*, *until*: recorded from then on, before then. The list is made from ``news.changes``, so its
    cursor is a number of a change.
    """
    kinds = {"gone": "'gone', 'back'", "all": "'version', 'gone', 'back'"}.get(what, "'version'")
    after = page.after[0] if page.after else None
    wanted = {"source": source, "since": since, "until": until}
    found: list[Row] = []
    for look in LOOKS if what in ("all", "gone") else LOOKS[1:]:
        size = look * (page.size + 1)
        looked = await _looked(news, kinds, wanted, after, size)
        found += await _with_views(news, looked, what)
        if len(looked) < size or len(found) > page.size:
            break
        after = looked[-1]["id"]
    else:
        last = found[page.size - 1]["id"] if len(found) > page.size else after
        return Rows(Found(found[: page.size], EDIT), cursor([last]))
    if len(found) <= page.size:
        return Rows(Found(found, EDIT))
    return Rows(Found(found[: page.size], EDIT), cursor([found[page.size - 1]["id"]]))


async def _looked(news: News, kinds: str, wanted: Mapping[str, Any], after: int | None, size: int) -> list[Row]:
    """The next *size* changes of these kinds, latest first."""
    # in the statement, not beside it: the index of these changes serves only who names them
    conditions = [f"kind IN ({kinds})", "kind IN ('version', 'gone', 'back')"]
    values: dict[str, Any] = {"size": size}
    for name, condition in WANTED.items():
        if wanted[name]:
            conditions.append(condition)
            values[name] = wanted[name]
    if after is not None:
        conditions.append("id < %(after)s")
        values["after"] = after
    return await news.rows(
        "SELECT id, kind, article_id, version, recorded_at, source, canonical_url FROM news.changes "
        f"WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT %(size)s",
        values,
    )


async def _with_views(news: News, looked: Sequence[Row], what: str) -> list[Row]:
    """Each change with its row of news.revisions or news.absences; a rewritten first wording has none and is left
    out.
    """
    articles = sorted({row["article_id"] for row in looked})
    if not articles:
        return []
    wanted = {
        "corrections": "AND correction IS NOT NULL", "headlines": "AND title_changed", "texts": "AND text_changed",
    }.get(what, "")  # fmt: skip
    revised = {}
    if any(row["kind"] == "version" for row in looked):
        rows = await news.rows(
            f"SELECT {REVISION} FROM news.revisions WHERE article_id = ANY (%(ids)s) {wanted}", {"ids": articles}
        )
        revised = {(row["article_id"], row["version"]): row for row in rows}
    absent: dict[int, list[Row]] = {}
    if any(row["kind"] in ("gone", "back") for row in looked):
        for row in await news.rows("SELECT * FROM news.absences WHERE article_id = ANY (%(ids)s)", {"ids": articles}):
            absent.setdefault(row["article_id"], []).append(row)
    joined = []
    for change in looked:
        if change["kind"] == "version":
            view = revised.get((change["article_id"], change["version"]))
            if view is not None:
                joined.append({**view, **change, "change": "version"})
        else:
            view = _absence(absent.get(change["article_id"], []), change)
            joined.append({**view, **change, "change": change["kind"]})
    return joined


def _absence(rows: Sequence[Row], change: Row) -> Row:
    """The absence that this change began or ended: the last one before it was recorded."""
    key = "gone_at" if change["kind"] == "gone" else "back_at"
    known = [row for row in rows if row[key] is not None and row[key] <= change["recorded_at"]]
    return max(known, key=lambda row: row[key], default=dict.fromkeys(OF_ABSENCES))
