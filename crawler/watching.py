"""What matches a watchlist is told: sent to its address, put into its feed. From rows, so a kill loses nothing.

An address is asked like any other: public ones only, unless the watchlist's file allows more; no redirect is followed.
Each watchlist has a task of its own (``Notifier``): an address that never answers holds up no crawl and no other
watchlist.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from crawler.config import Watch
from crawler.downloader.client import HttpClient
from crawler.downloader.errors import FetchError
from crawler.downloader.policy import FetchPolicy
from pipelines import database
from pipelines.database import DatabaseError
from pipelines.store import Row, Store, WatchRow
from pipelines.urls import BadUrl

log = logging.getLogger(__name__)

ATOM = "http://www.w3.org/2005/Atom"
AT_ONCE = 50  # matches in one request
ENTRIES = 100  # in a feed
#: seconds that an address may take for one request
PATIENCE = 10.0
#: requests in one go: an address that answers slowly is asked again with the next article, or a minute later
REQUESTS = 20
#: seconds between two looks at the same watchlist: a run's articles are told of in few requests
PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one watchlist's matches: sent, or put off with the reason of the last failure."""

    watch: str
    sent: int = 0
    failed: int = 0
    error: str | None = None


def watch_rows(watches: Sequence[Watch]) -> list[WatchRow]:
    """The watchlists as the database matches by them."""
    return [
        WatchRow(
            name=watch.name,
            title=watch.title,
            wanted=watch.wanted(),
            unwanted=watch.unwanted(),
            sources=list(watch.sources),
            languages=list(watch.languages),
            has_hook=watch.webhook is not None,
        )
        for watch in watches
    ]


class Notifier:
    """Tells of matches beside everything else. *tell* does it for one watchlist; *watches* are those there are now.

    ``wake`` after something was stored, ``settle`` to wait for what has begun, ``close`` at the end: what is not sent
    by then is due again later.
    """

    def __init__(self, watches: Callable[[], Sequence[Watch]], tell: Callable[[Watch], Awaitable[object]]):
        self._watches, self._tell = watches, tell
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    def wake(self) -> None:
        """Look at every watchlist, one that is being told of right now after that."""
        for watch in self._watches():
            self._again.add(watch.name)
            if watch.name not in self._tasks:
                self._tasks[watch.name] = asyncio.create_task(self._told(watch))

    async def settle(self, within: float) -> None:
        """Wait for what has begun, *within* seconds at most."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=within)

    async def close(self) -> None:
        self._again.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _told(self, watch: Watch) -> None:
        try:
            while watch.name in self._again:
                self._again.discard(watch.name)
                await self._told_once(watch)
                if watch.name in self._again:
                    await asyncio.sleep(PAUSE)
        finally:
            del self._tasks[watch.name]  # in the same step as the last look at what is wanted: no call is overheard

    async def _told_once(self, watch: Watch) -> None:
        try:
            await self._tell(watch)
        except (DatabaseError, OSError) as error:  # it comes again with the next article
            log.warning("watch %s: %s", watch.name, database.safe_text(error))


async def tell(store: Store, client: HttpClient, watches: Sequence[Watch], folder: Path) -> list[Told]:
    """Send what is due, to all addresses at once, and bring the feeds in *folder* up to date."""
    told = await asyncio.gather(*(tell_one(store, client, watch, folder) for watch in watches))
    return [one for one in told if one is not None]


async def tell_one(store: Store, client: HttpClient, watch: Watch, folder: Path) -> Told | None:
    """The same for one watchlist; None: it has no address."""
    rows = await store.latest_matches(watch.name, ENTRIES)
    await asyncio.to_thread(write_feed, folder / f"{watch.name}.atom", watch.title, rows)
    return await send(store, client, watch) if watch.webhook else None


async def send(store: Store, client: HttpClient, watch: Watch) -> Told:
    """POST what is due as JSON, at most AT_ONCE at a time; stop at the first failure. At least once: ``id`` tells."""
    sent = 0
    policy = FetchPolicy(f"watch {watch.name}", tuple(watch.allow_addresses), timeout=PATIENCE)
    for _ in range(REQUESTS):
        rows = await store.take_matches(watch.name, AT_ONCE)
        if not rows:
            break
        ids = [row["id"] for row in rows]
        error = await post(client, watch.webhook or "", {"watch": watch.name, "matches": rows}, policy)
        await store.told(ids, error)
        if error:
            log.warning("watch %s: %s", watch.name, error)
            return Told(watch.name, sent, len(ids), error)
        sent += len(ids)
    return Told(watch.name, sent)


async def post(client: HttpClient, url: str, value: dict[str, Any], policy: FetchPolicy) -> str | None:
    """None where the address took it, else why not."""
    body = json.dumps(value, ensure_ascii=False, default=_plain).encode("utf-8")
    try:
        status = await client.post(url, body, {"User-Agent": agent()}, policy)
    except (FetchError, BadUrl) as error:
        return str(error) or type(error).__name__
    return None if 200 <= status < 300 else f"the address answered {status}"


def agent() -> str:
    return f"Nachlese/{version('nachlese')}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def write_feed(file: Path, title: str, rows: Sequence[Row]) -> None:
    """An Atom feed, latest match first; written beside and renamed, so that nobody ever reads half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = atom(file.stem, title, rows)
    if file.exists() and file.read_bytes() == text:
        return
    new = file.with_suffix(f".{os.getpid()}.new")
    new.write_bytes(text)
    new.replace(file)


def atom(name: str, title: str, rows: Sequence[Row]) -> bytes:
    """The feed's bytes; the same rows give the same bytes."""
    feed = ElementTree.Element("feed", xmlns=ATOM)
    updated = max((row["matched_at"] for row in rows), default=datetime(2000, 1, 1, tzinfo=UTC))
    _add(feed, "id", f"urn:nachlese:watch:{name}")
    _add(feed, "title", title)
    _add(feed, "updated", updated.isoformat())
    _add(_add(feed, "author"), "name", "Nachlese")
    for row in rows:
        entry = _add(feed, "entry")
        _add(entry, "id", f"urn:nachlese:article:{row['article_id']}")
        _add(entry, "title", row["title"])
        ElementTree.SubElement(entry, "link", rel="alternate", href=row["url"])
        _add(entry, "updated", row["matched_at"].isoformat())
        if row["published_at"]:
            _add(entry, "published", row["published_at"].isoformat())
        for author in row["authors"] or [row["source"]]:
            _add(_add(entry, "author"), "name", author)
        if row["teaser"]:
            _add(entry, "summary", row["teaser"])
    ElementTree.indent(feed)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text and "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    return child
