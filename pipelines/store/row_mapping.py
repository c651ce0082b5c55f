"""From what was read to what is stored: cleaned rows. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter
from pydantic_core import to_json

from pipelines import columns, dedupe, revisions, text_features, urls
from pipelines.items import Article, Hint, Kind, Page, Rights
from pipelines.reading import fingerprint
from pipelines.storable import clean as clean
from pipelines.store.keys import page_key as page_key
from pipelines.store.keys import web_key as web_key
from pipelines.store.models import Archived, Row, Run
from pipelines.text_features import TextFeatures

HINT: TypeAdapter[Hint] = TypeAdapter(Hint)

#: characters; what was changed in a longer text is found in a thread
LONG_TEXT = text_features.LONG_TEXT
#: stands for the run of an item that is looked at and not written
NO_RUN = Run(0, None, "crawl", "", None, timedelta(), datetime.min.replace(tzinfo=UTC))
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=2)  # zones and wrong clocks; the same figure as in the tables' constraints


def lock_number(key: bytes) -> int:
    """The number of the advisory lock that stands for *key*."""
    return int.from_bytes(key[:8], "big", signed=True)


def dumps(rows: list[Row]) -> str:
    """JSON for jsonb_to_recordset: times as ISO 8601, bytes as hex digits."""
    return to_json(rows, bytes_mode="hex").decode()


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
        if not self.run.is_replay:
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
    features: TextFeatures | None = None,
) -> Item:
    """Everything about a page that can be worked out without the database; *run* is None where nothing gets written.

    *params* are parameters of addresses that mean nothing. *features* are those of this page and this article, where
    whoever read it has found them. Raises ValueError or TypeError.
    """
    if page.fetched_at.tzinfo is None:
        raise ValueError("fetched_at has no time zone")
    url = clean(page.asked_url or page.url)
    canonical = dedupe.identity(clean(article.canonical_url or article.url or page.url), clean(article.url or page.url))
    canonical = urls.without_params(canonical, params)
    version = version_row(article, page.fetched_at, features := features or text_features.features_of(page, article))
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
            text_key=bytes.fromhex(features.text_key) if features.text_key else _key_without_text(version, canonical),
            content_key=bytes.fromhex(features.content_key),
            body_key=bytes.fromhex(features.body_key),
            fetched_at=page.fetched_at,
            url_key=web_key(clean(article.url or page.url)),
            is_live=article.kind == Kind.LIVE_BLOG,
        ),
        version=version | {"backfilled_from": clean(page.backfilled_from)},
        rights=clean(columns.rights_row({name: getattr(article.rights, name) for name in _OF_RIGHTS})),
        rights_are_known=page.statements is not None,
    )


def _key_without_text(version: Row, canonical_url: str) -> bytes:
    """Of an article without text, headline and teaser stand for it; a headline alone is nobody's copy."""
    shown = f"{version['title']}\n{version['teaser']}" if version["teaser"] else canonical_url
    return fingerprint.text_key(f"without text: {shown}")


_OF_RIGHTS = [field.name for field in dataclasses.fields(Rights)]
# columns whose value is the article's as it stands
_AS_THEY_ARE = sorted(columns.FROM_ARTICLE.keys() & {field.name for field in dataclasses.fields(Article)})


def version_row(article: Article, fetched_at: datetime, features: TextFeatures) -> Row:
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
    }
    row = {name: clean(value) for name, value in row.items()}
    row["removed"] = [{"rule": clean(piece.rule), "text": clean(piece.text)} for piece in article.removed]
    row["bands"], row["bands_method"] = features.bands, fingerprint.METHOD
    row["correction"], row["word_count"] = clean(features.correction), features.word_count
    return row
