"""Explain: paste any address, and see what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from webapp import queries
from webapp.formats import View
from webapp.pages.common import Row, answer, language_of, parameters_of, reader_of
from webapp.parameters import BadParameter
from webapp.queries.explain import NotAnAddress


async def explain(request: Request) -> Response:
    """``/explain?url=``"""
    parameters, _ = parameters_of(request), language_of(request)
    url = parameters.text("url", 4000)
    story: dict[str, Any] | None = None
    article: Row | None = None
    original: Row | None = None
    if url:
        async with reader_of(request).session() as news:
            try:
                story = await queries.explain.explain(news, url)
            except NotAnAddress as error:
                raise BadParameter("url", f"an address of the web ({error})") from None
            if story["article_id"]:
                article = await queries.articles.one_listed(news, story["article_id"])
            if article and article["copy_of"]:
                original = await queries.articles.one_listed(news, article["copy_of"])
    sources: Sequence[Row] = await reader_of(request).kept("sources", 20, queries.sources.all_of_them) if url else ()
    view = View(
        "explain.html",
        _("Explain"),
        _("What became of an address: where it was found, what was tried, how it ended"),
        record={**story, "article": article} if story else {"url": None},
        data={
            "asked": url or "",
            "story": story,
            "article": article,
            "original": original,
            "verdict": verdict(story, article),
            "owners": owners(story["url"], sources) if story else [],
        },
    )
    return await answer(request, view)


def owners(url: str, sources: Sequence[Row]) -> list[Row]:
    """The sources on whose site the address is: that of their front page, or part of it."""
    host = _host(url)
    return [row for row in sources if (home := _host(row["homepage"])) and (host == home or host.endswith(f".{home}"))]


def _host(url: str | None) -> str:
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def verdict(story: dict[str, Any] | None, article: Row | None) -> str:
    """In one word: unknown, article, copy, gone, pending, rejected, forgotten."""
    if story is None:
        return ""
    if article is not None:
        return "gone" if article["gone_at"] else "copy" if article["copy_of"] else "article"
    if any(page["state"] == "pending" for page in story["pages"]):
        return "pending"
    if any(page["outcome"] == "rejected" for page in story["pages"]):
        return "rejected"
    return "seen" if story["pages"] or story["archive"] else "unknown"
