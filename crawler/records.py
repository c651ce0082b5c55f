"""Articles as programs get them: one flat object, the same names from ``read --json``, ``articles list --json`` and
SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipelines import columns
from pipelines.items import Article


def of_article(article: Article, zone: ZoneInfo, *, with_removed: bool = False) -> dict[str, Any]:
    """An article that was read and not stored: ``copy_of`` and ``version`` are null. Times are in *zone*."""
    record = dataclasses.asdict(article) | {"copy_of": None, "version": None}
    record |= columns.rights_row(record.pop("rights"))
    if not with_removed:
        del record["removed"]
    return ordered({name: _in_zone(value, zone) for name, value in record.items()})


def of_row(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """A row of ``news.articles``. Times are in *zone*."""
    return ordered({name: _in_zone(value, zone) for name, value in row.items()})


def ordered(record: Mapping[str, Any]) -> dict[str, Any]:
    """``columns.FIRST`` first, whether the record has them or not; what else it has follows."""
    first = {name: record.get(name) for name in columns.FIRST}
    return first | {name: value for name, value in record.items() if name not in first}


def _in_zone(value: Any, zone: ZoneInfo) -> Any:
    return value.astimezone(zone).isoformat() if isinstance(value, datetime) else value
