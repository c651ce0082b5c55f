"""The columns of an article: one list, from which rows are written, exported and compared.

Every field of ``items.Article`` is a column of ``ingest.versions`` of that name, of the type that its annotation says.
A new field needs no entry here; what is not as simple as that is said below. Types are Postgres's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pipelines.items import Article

_TYPES = {
    bool: "boolean", int: "integer", str: "text", datetime: "timestamptz", dict: "jsonb", tuple: "text[]",
}  # fmt: skip


def sql_type(annotation: Any) -> str:
    """The type of a column that holds values of this type, or null. Raises TypeError where it is not known."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    kind = get_origin(annotation) or annotation
    for python, sql in _TYPES.items():
        if issubclass(kind, python):
            return sql
    raise TypeError(f"no column is known for {annotation}")


# Fields that are columns of the article's own row, or of several columns, or of none.
_NOT_OF_A_VERSION = {
    "url", "canonical_url", "source", "fetched_at", "teaser_is_visible", "image", "removed", "rights",
}  # fmt: skip

#: columns of ``ingest.versions`` that come from the article alone -> type
FROM_ARTICLE: dict[str, str] = {
    name: sql_type(annotation)
    for name, annotation in get_type_hints(Article).items()
    if name not in _NOT_OF_A_VERSION
} | {
    "image_url": "text", "image_caption": "text", "image_credit": "text", "removed": "jsonb",
    # worked out from the text
    "bands": "bigint[]", "bands_method": "smallint", "correction": "text", "word_count": "integer",
}  # fmt: skip

#: what a site says about its rights, as columns of the article's own row
RIGHTS: dict[str, str] = {
    "tdm_reserved": "boolean", "tdm_policy": "text", "robots_directives": "text[]",
    "ai_crawlers_disallowed": "text[]", "license": "text", "rights_stated_in": "text[]",
}  # fmt: skip

#: columns of ``ingest.versions`` that say what is stated beside the words: followed where the words stay the same
FOLLOWED: dict[str, str] = {
    name: FROM_ARTICLE[name]
    for name in (
        "kicker", "section", "sections", "authors", "keywords", "published_at", "published_precision",
        "published_provenance", "modified_at", "modified_precision", "modified_provenance", "agency", "image_url",
        "image_caption", "image_credit", "is_accessible_for_free", "amp_url",
    )
}  # fmt: skip

#: how a version differs from the one before it
COMPARED_WITH: dict[str, str] = {
    "compared_with": "integer", "words_added": "integer", "words_removed": "integer", "share_changed": "real",
}  # fmt: skip

#: columns of ``ingest.versions`` -> type; keys travel as hex digits
VERSION: dict[str, str] = {
    "article_id": "bigint", "number": "integer", "fetched_at": "timestamptz", "text_key": "bytea",
    "content_key": "bytea", "body_key": "bytea", "archive_record_id": "bigint", "run_id": "bigint",
    "backfilled_from": "text", **FROM_ARTICLE, **COMPARED_WITH,
}  # fmt: skip

_OF_THE_ARTICLE = {
    "id": "bigint", "url": "text", "canonical_url": "text", "source": "text", "copy_of": "bigint", "version": "integer",
    "first_seen_at": "timestamptz", "fetched_at": "timestamptz", "changed_at": "timestamptz", "gone_at": "timestamptz",
    "published_on": "date", "gone_reason": "text", "checked_at": "timestamptz", "next_check_at": "timestamptz",
    "named_by": "text[]", "is_wall": "boolean", "backfilled_from": "text",
    **RIGHTS,
}  # fmt: skip

# The order of news.articles, whose columns keep their places; columns that are newer follow.
_ORDER = (
    "id", "url", "canonical_url", "source", "title", "teaser", "section", "authors", "keywords", "published_at",
    "published_precision", "published_provenance", "modified_at", "language", "agency", "dateline", "details", "text",
    "pages_read", "pages_total", "copy_of", "version", "kicker", "sections", "headings", "text_markdown", "word_count",
    "image_url", "image_caption", "image_credit", "kind", "is_accessible_for_free", "amp_url", "modified_precision",
    "modified_provenance", "first_seen_at", "fetched_at", "changed_at", "gone_at", "reader_version", "published_on",
    "gone_reason", "checked_at", "next_check_at", "named_by", *RIGHTS, "text_withheld", "is_wall",
    "backfilled_from",
)  # fmt: skip
# How the text was made; for whoever looks after the reader.
_PRIVATE = {"removed", "lesson", "container", "bands", "bands_method", "correction"}

#: columns that are shown and exported, in their order -> type
PUBLIC: dict[str, str] = {
    name: (_OF_THE_ARTICLE | FROM_ARTICLE)[name]
    for name in (*_ORDER, *(name for name in FROM_ARTICLE if name not in _PRIVATE and name not in _ORDER))
}

#: columns with which a record begins; the others follow
FIRST: tuple[str, ...] = _ORDER[1 : _ORDER.index("version") + 1]

# What follows from other columns, or is told with them.
_NOT_COMPARED = {
    "published_provenance", "pages_read", "sections", "headings", "text_markdown", "word_count", "image_url",
    "image_caption", "image_credit", "is_accessible_for_free", "amp_url", "modified_precision", "modified_provenance",
    "reader_version", "text_withheld",
}  # fmt: skip

#: columns in which a stored article and one that was read anew are compared
COMPARED: tuple[str, ...] = (
    "canonical_url",
    *(name for name in PUBLIC if name in FROM_ARTICLE and name not in _NOT_COMPARED),
)


def rights_row(rights: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``items.Rights`` under the names of their columns."""
    return {name: rights[name.replace("rights_stated_in", "stated_in")] for name in RIGHTS}
