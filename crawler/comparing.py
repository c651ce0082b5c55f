"""What a replay would change, without writing anything: ``nachlese replay --diff``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler import files
from crawler.runs import stored_pages
from crawler.services import Services
from pipelines import columns
from pipelines.items import Page, Rejected


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a replay would do to one page: where it would end, and for each changed field the old and the new value."""

    url: str
    source: str
    outcome: str
    reason: str | None = None
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


async def compare(
    services: Services,
    paths: Iterable[Path],
    source: str | None = None,
    *,
    since: datetime | None = None,
    fetched_at: datetime | None = None,
    url: str | None = None,
    progress: Callable[..., object] | None = None,
) -> list[Comparison]:
    """What ``replay`` would change; nothing is written. Raises ``ReadersUnavailable``, ``DatabaseError``."""
    pages = stored_pages(services, paths, source, since=since, fetched_at=fetched_at, url=url)
    found = []
    while (page := await asyncio.to_thread(next, pages, None)) is not None:
        if isinstance(page, files.Unreadable):
            found.append(Comparison(page.url, page.source, "rejected", f"{page.reason}: {page.detail}"))
        else:
            found.append(await compared(services, page))
        if progress is not None:
            progress(found[-1])
    return found


async def compared(services: Services, page: Page) -> Comparison:
    address = page.asked_url or page.url
    (rules,) = await services.rules_for(page)
    try:
        article, features = await services.readers.read_page(page, rules)
    except Rejected as rejected:
        return Comparison(address, page.source, "rejected", str(rejected))
    try:
        outcome = await services.store.preview(page, article, features)
    except (ValueError, TypeError) as error:
        return Comparison(address, page.source, "rejected", f"unstorable: {error}")
    stored = await services.store.article(outcome.article_id) if outcome.article_id is not None else None
    changes = differences(stored, article) if stored else {}
    return Comparison(address, page.source, outcome.kind, changes=changes)


def differences(stored: dict[str, Any], article: Any) -> dict[str, tuple[Any, Any]]:
    """Fields whose value would change, with both values."""
    changes = {}
    for name in columns.COMPARED:
        if name in stored:
            old, new = comparable(stored[name]), comparable(getattr(article, name))
            if old != new:
                changes[name] = (stored[name], getattr(article, name))
    return changes


def comparable(value: Any) -> Any:
    """SQL has lists and null where Python has tuples and nothing."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return value or None if isinstance(value, str | dict) else value
