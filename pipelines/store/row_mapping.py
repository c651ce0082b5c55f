"""From what was read to what is stored: cleaned rows. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from pipelines import columns, dedupe, revisions, urls
from pipelines.items import Article, Hint, Kind, Page
from pipelines.reading import fingerprint
from pipelines.store.models import Archived, Row, Run

HINT: TypeAdapter[Hint] = TypeAdapter(Hint)

#: characters; fingerprints of a longer text and what was changed in it are found in a thread
LONG_TEXT = 20_000
#: stands for the run of an item that is looked at and not written
NO_RUN = Run(0, None, "crawl", "", None, timedelta(), datetime.min.replace(tzinfo=UTC))
# Postgres stores no NUL, UTF-8 has no lone surrogates; the other control characters only ever come from broken pages
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=2)  # zones and wrong clocks; the same figure as in the tables' constraints


def clean(value: Any) -> Any:
    """*value* with every string in it made storable; lists, tuples and dicts are gone through."""
    if isinstance(value, str):
        return _CONTROL.sub("", value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


@lru_cache(maxsize=64)  # of one page it is asked three times
def page_key(url: str) -> bytes:
    """16 bytes that identify a page's address, however it is spelt; also for what is no address of the web."""
    try:
        return urls.url_key(urls.normalise(url))
    except urls.BadUrl:
        return other_key(url)


def web_key(url: str) -> bytes:
    """``page_key`` for an address of the web, b"" for any other (a file that is replayed)."""
    return page_key(url) if url.startswith(("http:", "https:")) else b""


def other_key(url: str) -> bytes:
    return hashlib.blake2b(b"other:" + url.encode("utf-8", "replace"), digest_size=16).digest()


def lock_number(key: bytes) -> int:
    """The number of the advisory lock that stands for *key*."""
    return int.from_bytes(key[:8], "big", signed=True)


def dumps(rows: list[Row]) -> str:
    """JSON for jsonb_to_recordset: times as ISO 8601, bytes as hex digits."""
    return json.dumps(rows, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} cannot be stored")


def hint_row(hint: Hint | None) -> Row | None:
    return dict(clean(HINT.dump_python(hint, mode="json"))) if hint else None


def possible(at: datetime | None, fetched_at: datetime) -> datetime | None:
    """*at* where a page fetched at *fetched_at* can have been published then, else None."""
    return at if at is not None and _EARLIEST <= at <= fetched_at + _AHEAD else None


@dataclass(frozen=True, slots=True)
class Item:
    """One page to keep, ready to be written."""

    run: Run
    source: str
    page_url: str
    page_key: bytes
    status: int
    size: int
    hint: Row | None
    fetched_at: datetime
    etag: str | None
    last_modified: str | None
    ms: int | None
    archived: Archived | None
    article_url: str
    canonical_url: str
    article_key: bytes
    seen: dedupe.Seen
    version: Row
    rights: Row
    rights_are_known: bool

    @property
    def revision(self) -> revisions.Revision:
        return revisions.Revision(self.version["title"], self.version["teaser"], self.version["text"])

    @property
    def name(self) -> str:
        """The item's name in ``run_pages``: an address may have several stored records in a replay."""
        if self.run.kind != "replay":
            return ""
        return f"{self.fetched_at.astimezone(UTC).isoformat()} {self.seen.content_key.hex()}"


def item(
    run: Run | None,
    page: Page,
    article: Article,
    archived: Archived | None,
    etag: str | None = None,
    last_modified: str | None = None,
    ms: int | None = None,
    params: frozenset[str] = frozenset(),
) -> Item:
    """Everything about a page that can be worked out without the database; *run* is None where nothing gets written.

    *params* are parameters of addresses that mean nothing. Raises ValueError or TypeError.
    """
    if page.fetched_at.tzinfo is None:
        raise ValueError("fetched_at has no time zone")
    url = clean(page.asked_url or page.url)
    canonical = dedupe.identity(clean(article.canonical_url or article.url or page.url), clean(article.url or page.url))
    canonical = urls.without_params(canonical, params)
    version = version_row(article, page.fetched_at)
    return Item(
        run=run or NO_RUN,
        source=clean(page.source),
        page_url=url,
        page_key=page_key(url),
        status=page.status,
        size=len(page.body) + sum(len(part.body) for part in page.more),
        hint=hint_row(page.hint),
        fetched_at=page.fetched_at,
        etag=clean(etag),
        last_modified=clean(last_modified),
        ms=ms,
        archived=archived,
        article_url=clean(article.url or page.url),
        canonical_url=canonical,
        article_key=page_key(canonical),
        seen=dedupe.Seen(
            text_key=_text_key(version, canonical),
            content_key=fingerprint.content_key(version["title"], version["teaser"], version["text"]),
            body_key=fingerprint.body_key([page.body, *(part.body for part in page.more)]),
            fetched_at=page.fetched_at,
            url_key=web_key(clean(article.url or page.url)),
            is_live=article.kind == Kind.LIVE_BLOG,
        ),
        version=version,
        rights=clean(columns.rights_row(dataclasses.asdict(article.rights))),
        rights_are_known=page.statements is not None,
    )


def _text_key(version: Row, canonical_url: str) -> bytes:
    """Of an article without text, headline and teaser stand for it; a headline alone is nobody's copy."""
    if version["text"]:
        return fingerprint.text_key(version["text"])
    shown = f"{version['title']}\n{version['teaser']}" if version["teaser"] else canonical_url
    return fingerprint.text_key(f"without text: {shown}")


# columns whose value is the article's as it stands
_AS_THEY_ARE = sorted(columns.FROM_ARTICLE.keys() & {field.name for field in dataclasses.fields(Article)})


def version_row(article: Article, fetched_at: datetime) -> Row:
    """The columns of ``ingest.versions`` that come from the article alone."""
    published, modified = possible(article.published_at, fetched_at), possible(article.modified_at, fetched_at)
    image = article.image
    row: Row = {name: getattr(article, name) for name in _AS_THEY_ARE} | {
        "title": article.title.strip(),
        "text": article.text.strip(),
        "text_markdown": article.text_markdown or article.text,
        "sections": article.sections or ((article.section,) if article.section else ()),
        "published_at": published,
        "published_precision": article.published_precision if published else None,
        "published_provenance": article.published_provenance if published else None,
        "modified_at": modified,
        "modified_precision": article.modified_precision if modified else None,
        "modified_provenance": article.modified_provenance if modified else None,
        "image_url": image.url if image else None,
        "image_caption": image.caption if image else None,
        "image_credit": image.credit if image else None,
        "kind": str(article.kind),
        "pages_total": max(article.pages_total, article.pages_read),
        "removed": [{"rule": piece.rule, "text": piece.text} for piece in article.removed],
    }
    row = {name: clean(value) for name, value in row.items()}
    row["bands"], row["bands_method"] = fingerprint.bands(row["text"]), fingerprint.METHOD
    row["correction"] = revisions.correction(row["text"], [piece["text"] for piece in row["removed"]])
    row["word_count"] = len(row["text"].split())
    return row
