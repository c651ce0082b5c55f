"""Search: what has the words, how often they were written, and a watchlist file of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from webapp import charts, formats, queries
from webapp.formats import Entry, View, tagged
from webapp.pages.common import Row, answer, clock_of, language_of, parameters_of, reader_of, zone_of
from webapp.parameters import WITHIN, BadParameter, Parameters
from webapp.queries.paging import LARGEST_PAGE, cursor
from webapp.queries.search import LONGEST_QUERY, MOST, Wanted
from webapp.reader import Found, News, Reader, TooSlow

SIZE = 30
COUNTING = 0.7  # seconds that the figure may take; the articles found are there without it
KEPT = 300  # seconds
Figures = tuple[Sequence[Row], Sequence[Row]]  # by time, by source


def wanted_of(parameters: Parameters, now: datetime) -> Wanted | None:
    """The search that an address states; None where it has no words. Raises BadParameter."""
    since, until = parameters.period(now)
    language, source = parameters.text("language", 10), parameters.text("source")
    query = parameters.text("q", LONGEST_QUERY)
    return Wanted(query, language, source, since, until) if query else None


def offset_of(parameters: Parameters) -> int:
    """A page of a search is a place in its ranking."""
    after = parameters.page((int,), SIZE).after
    if after and not 0 <= after[0] <= MOST:
        raise BadParameter("cursor", "the cursor that the page before gave")
    return after[0] if after else 0


async def search(request: Request) -> Response:
    """``/search?q=``"""
    parameters, _ = parameters_of(request), language_of(request)
    wanted = wanted_of(parameters, datetime.now(UTC))
    offset = offset_of(parameters)
    size = parameters.integer("limit", SIZE, 1, LARGEST_PAGE) or SIZE
    if wanted is not None and request.query_params.get("format") == "watchlist":
        return watchlist(request, wanted)
    reader = reader_of(request)
    rows = Found()
    listed: Mapping[int, Row] = {}
    figures: Figures | None = ([], [])
    if wanted:
        async with reader.session() as news:
            rows = await queries.search.found(news, wanted, size, offset)
            listed = await queries.articles.by_id(news, [row["article_id"] for row in rows])
        if formats.wanted(request) == "html":
            figures = await _figures(reader, wanted, zone_of(request).key)
    by_time, by_source = figures or ([], [])
    is_more = len(rows) > size and offset + size < MOST
    shown = [{**row, "article": listed.get(row["article_id"])} for row in rows[:size]]
    view = View(
        "search.html",
        f"{wanted.query}: {_('Search')}" if wanted else _("Search"),
        _("Articles that have the words, the best first"),
        items=Found(({n: value for n, value in row.items() if n != "article"} for row in shown), rows.names),
        entry=_entry(request, listed),
        next=cursor([offset + size]) if is_more else None,
        data={
            "found": shown,
            "wanted": wanted,
            "address_asked": address_in(wanted.query) if wanted else None,
            "chart_made": mentions_chart(request, by_time),
            "sources": [(row["source"], row["articles"]) for row in by_source[:12]],
            "total": sum(row["articles"] for row in by_source),
            "is_counted": figures is not None,
            "within": WITHIN,
            "filters": {n: request.query_params.get(n, "") for n in ("language", "source", "within", "since", "until")},
            "choices": await reader.kept("choices", 60, queries.articles.choices),
        },
    )
    return await answer(request, view)


def address_in(query: str) -> str | None:
    """What was typed, where it is the address of a page: whoever pastes one wants to know what became of it."""
    host, slash, _rest = query.strip().removeprefix("https://").removeprefix("http://").partition("/")
    is_address = "://" in query or (slash and "." in host.strip("."))
    return query.strip() if is_address and not query.strip().count(" ") else None


async def _figures(reader: Reader, wanted: Wanted, zone: str) -> Figures | None:
    """What is counted for the figure; None where that takes too long: a word that every second article has.

    That it takes too long is remembered as well, or each reader of the page would let it be tried again.
    """

    async def counted(news: News) -> Figures | None:
        try:
            return await queries.search.figures(news, wanted, zone)
        except TooSlow:
            return None

    made: Figures | None = await reader.kept(("figures", wanted, zone), KEPT, counted, COUNTING)
    return made


def mentions_chart(request: Request, by_time: Sequence[Row]) -> charts.Chart | None:
    """Bars by hour, day, week or month."""
    if not by_time:
        return None
    clock, _ = clock_of(request), language_of(request)
    bucket = by_time[0]["bucket"]
    is_hours = bucket == "hour"
    # hours as instants: in the reader's zone one of them comes twice in autumn, and in spring one never
    counted: dict[Any, Row] = {row["at"] if is_hours else clock.date_of(row["at"]): row for row in by_time}
    bars = []
    for key in _without_gaps(list(counted), bucket):
        row = counted.get(key, {"articles": 0, "copies": 0})
        label = clock.time(key) if is_hours else clock.short_day(key)
        title = clock.moment(key) if is_hours else clock.day(key)
        bars.append(charts.Bar(label, (row["articles"] - row["copies"], row["copies"]), title))
    return charts.bars(_("Mentions over time"), bars, (_("texts"), _("copies")), every=max(1, len(bars) // 4))


def _without_gaps(keys: list[Any], bucket: str) -> list[Any]:
    """Hours, days and weeks in which nothing was written have a place, too."""
    if bucket == "month":
        return keys
    step = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}[bucket]
    return [keys[0] + step * number for number in range(int((keys[-1] - keys[0]) / step) + 1)]


def watchlist(request: Request, wanted: Wanted) -> Response:
    """The search as a file for ``config/watch/``: phrases in quotation marks, the rest as one entry of words."""
    phrases, words, without = pieces(wanted.query)
    lines = [f"title = {json.dumps(wanted.query, ensure_ascii=False)}"]
    for name, values in (
        ("words", words),
        ("phrases", phrases),
        ("without", without),
        ("sources", [wanted.source] if wanted.source else []),
        ("languages", [wanted.language] if wanted.language else []),
    ):
        if values:
            lines.append(f"{name} = {json.dumps(values, ensure_ascii=False)}")
    response = tagged(request, ("\n".join(lines) + "\n").encode(), "application/toml; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="watchlist.toml"'
    return response


def pieces(query: str) -> tuple[list[str], list[str], list[str]]:
    """Phrases, entries of words (one for each side of ``or``), and what is not wanted."""
    phrases: list[str] = []
    rest: list[str] = []
    for place, part in enumerate(query.split('"')):
        if place % 2 and part.strip() and not (rest and rest[-1].endswith("-")):
            phrases.append(part.strip())
        elif place % 2 and part.strip():
            rest[-1] = rest[-1][:-1]
            rest.append(f"-\0{part.strip()}")
        else:
            rest.append(part.strip())
    without = [part[2:] for part in rest if part.startswith("-\0")]
    words: list[list[str]] = [[]]
    for word in " ".join(part for part in rest if not part.startswith("-\0")).split():
        if word.lower() in ("or", "oder"):
            words.append([])
        elif word.startswith("-") and word[1:]:
            without.append(word[1:])
        elif word.strip("-"):
            words[-1].append(word)
    return phrases, [" ".join(entry) for entry in words if entry], without


def _entry(request: Request, listed: Mapping[int, Row]) -> Any:
    base = str(request.base_url).rstrip("/")

    def entry(row: Row) -> Entry | None:
        article = listed.get(row["article_id"])
        if article is None:
            return None
        return Entry(
            id=f"urn:nachlese:article:{row['article_id']}",
            title=row["title"],
            url=f"{base}/articles/{row['article_id']}",
            updated=article["changed_at"],
            published=row["published_at"] or article["first_seen_at"],
            summary=row["snippet"].replace("«", "").replace("»", ""),
            authors=article["authors"] or [row["source_name"]],
            language=row["language"],
            tags=[row["source_name"]],
        )

    return entry
