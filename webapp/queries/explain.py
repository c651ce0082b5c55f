"""What became of an address: where it was found, what was tried, how it ended, where it lies in the archive."""

from __future__ import annotations

from typing import Any

from pipelines import urls
from webapp.queries.secrets import without_secrets
from webapp.reader import News

MOST = 100  # rows of each kind

PAGES = """
    SELECT id, source, url, found_on, found_at, state, outcome, reason, detail, http_status, attempts,
    next_attempt_at, ended_at,
           last_fetched_at, next_check_at, article_id
    FROM news.pages WHERE {where} ORDER BY found_at, id LIMIT %(most)s
"""
ATTEMPTS = """
    SELECT page_id, at, run, source, http_status, ms, bytes, outcome, detail
    FROM news.attempts WHERE page_id = ANY (%(pages)s) ORDER BY id DESC LIMIT %(most)s
"""
RUNS = """
    SELECT page_id, run, kind, at, outcome, reason, detail, article_id, version, copy_of
    FROM news.page_runs WHERE page_id = ANY (%(pages)s) ORDER BY at DESC, run DESC LIMIT %(most)s
"""
ARCHIVE = """
    SELECT file, record_offset, length, url, fetched_at
    FROM news.archive_records WHERE url = ANY (%(urls)s) ORDER BY fetched_at DESC, id DESC LIMIT %(most)s
"""


class NotAnAddress(ValueError):
    """What was asked for is no address of the web; the message says why."""


async def explain(news: News, url: str) -> dict[str, Any]:
    """{url, article_id, pages, attempts, runs, archive}: latest first but for pages; what is unknown is empty.

    Any spelling of the address will do. Raises NotAnAddress.
    """
    try:
        normal = urls.normalise(url if "://" in url else f"https://{url}")
    except urls.BadUrl as error:
        raise NotAnAddress(str(error)) from None
    values: dict[str, Any] = {"key": urls.url_key(normal), "most": MOST}
    pages = await news.rows(PAGES.format(where="url_key = %(key)s"), values)
    row = await news.row("SELECT news.article_at(%(key)s) AS id", values)
    article = row["id"] if row else None
    article = article or next((page["article_id"] for page in pages if page["article_id"]), None)
    if article is not None:
        # the same article may have been found under other addresses, too
        known = {page["id"] for page in pages}
        others = await news.rows(PAGES.format(where="article_id = %(article)s"), values | {"article": article})
        pages += [page for page in others if page["id"] not in known]
    values["pages"] = [page["id"] for page in pages]
    values["urls"] = list(dict.fromkeys([normal, url, *(page["url"] for page in pages)]))
    return {
        "url": normal,
        "article_id": article,
        "pages": without_secrets(pages, "found_on"),
        "attempts": await news.rows(ATTEMPTS, values) if pages else [],
        "runs": await news.rows(RUNS, values) if pages else [],
        "archive": await news.rows(ARCHIVE, values),
    }


async def of_article(news: News, article: int) -> dict[str, Any]:
    """The same for an article that is known by its number."""
    values: dict[str, Any] = {"article": article, "most": 20}
    pages = await news.rows(PAGES.format(where="article_id = %(article)s"), values)
    values |= {"pages": [page["id"] for page in pages], "urls": [page["url"] for page in pages]}
    return {
        "pages": without_secrets(pages, "found_on"),
        "attempts": await news.rows(ATTEMPTS, values),
        "archive": await news.rows(ARCHIVE, values),
    }
