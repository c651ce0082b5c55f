"""What matches a watchlist is delivered: sent to its address, put into its feed. From rows, so a kill loses nothing.

An address is asked like any other: public ones only, unless the watchlist's file allows more; no redirect is followed.
Each address has a task of its own (``Notifier``), and all feeds together have one: an address that never answers holds
up no crawl, no feed and no other watchlist.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from crawler.config import Watch
from crawler.downloader.client import HttpClient
from crawler.downloader.errors import FetchError
from crawler.downloader.hosts import retry_after
from crawler.downloader.policy import FetchPolicy
from pipelines import database
from pipelines.atomic import write_whole
from pipelines.database import DatabaseError
from pipelines.store import Row, Store, WatchRow
from pipelines.store.watching import LONGEST_WAIT
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
PAUSE = 5.0
#: names of the tasks that write feeds, and that look whose matches are due; no watchlist can be called so
FEEDS, DUE = "", "/"
# what may stand nowhere in XML, not even as a reference
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one watchlist's matches: sent, or put off with the reason of the last failure."""

    watch: str
    sent: int = 0
    failed: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an address did not take something, and for how long at least it wants to be left alone (None: unsaid)."""

    error: str
    wait: timedelta | None = None


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
    """Delivers matches beside everything else. *feeds* brings the feeds of some watchlists up to date, *send* asks the
    address of one, *due* names those with something to send; *watches* are those there are now.

    ``wake`` after something was stored, ``drain`` to wait for what has begun, ``close`` at the end: what is not sent
    by then is due again later.
    """

    def __init__(
        self,
        watches: Callable[[], Sequence[Watch]],
        feeds: Callable[[Sequence[Watch]], Awaitable[object]],
        send: Callable[[Watch], Awaitable[object]],
        due: Callable[[], Awaitable[Collection[str]]],
    ):
        self._watches, self._feeds, self._send, self._due = watches, feeds, send, due
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._of_feeds: set[str] = set()  # whose feeds are out of date
        self._is_first = True
        self._draining = asyncio.Event()

    def wake(self, names: Collection[str] | None = None) -> None:
        """Look at these watchlists (None: all), one whose matches are being delivered right now after that.

        Whether an address that has failed is to be asked again is always looked at, for all of them at once; and the
        first time all feeds: a list may be new, and its feed be missing.
        """
        is_of_all = names is None or self._is_first
        changed = {watch.name for watch in self._watches()} if is_of_all else set(names or ())
        self._is_first = False
        self._of_feeds |= changed
        if changed:
            self._start(FEEDS, self._write_feeds)
            self._start_sending(changed)
        if not is_of_all and any(watch.webhook for watch in self._watches()):
            self._start(DUE, self._send_due)

    async def drain(self, within: float) -> None:
        """Wait for what has begun and what is due, *within* seconds at most."""
        self._draining.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._tasks:  # the look for what is due begins others
                    await asyncio.wait(list(self._tasks.values()))

    def _start_sending(self, names: Collection[str]) -> None:
        for watch in self._watches():
            if watch.webhook and watch.name in names:
                self._start(watch.name, partial(self._send, watch))

    async def _send_due(self) -> None:
        self._start_sending(await self._due())

    def _start(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        self._again.add(name)
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(self._deliver(name, work))

    async def close(self) -> None:
        self._again.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _deliver(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        try:
            while name in self._again:
                self._again.discard(name)
                try:
                    await work()
                except (DatabaseError, OSError) as error:  # it comes again with the next article
                    log.warning("watch %s: %s", {FEEDS: "feeds", DUE: "due"}.get(name, name), database.safe_text(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE):
                        await self._draining.wait()
        finally:
            del self._tasks[name]  # in the same step as the last look at what is wanted: no call is overheard

    async def _write_feeds(self) -> None:
        names, self._of_feeds = self._of_feeds, set()
        try:
            await self._feeds([watch for watch in self._watches() if watch.name in names])
        except BaseException:
            self._of_feeds |= names
            raise


async def tell(store: Store, client: HttpClient, watches: Sequence[Watch], folder: Path) -> list[Delivery]:
    """Send what is due, to all addresses at once, and bring the feeds in *folder* up to date."""
    await write_feeds(store, watches, folder)
    return await asyncio.gather(*(send(store, client, watch) for watch in watches if watch.webhook))


async def write_feeds(store: Store, watches: Sequence[Watch], folder: Path) -> None:
    """Bring the feeds of *watches* in *folder* up to date."""
    found = await store.latest_matches([watch.name for watch in watches], ENTRIES)

    def write() -> None:
        for watch in watches:
            write_feed(folder / f"{watch.name}.atom", watch.title, found[watch.name])

    await asyncio.to_thread(write)


async def send(store: Store, client: HttpClient, watch: Watch) -> Delivery:
    """POST what is due as JSON, at most AT_ONCE at a time; stop at the first failure. At least once: ``id`` tells."""
    sent = 0
    policy = FetchPolicy(f"watch {watch.name}", tuple(watch.allow_addresses), timeout=PATIENCE)
    for _ in range(REQUESTS):
        rows = await store.claim_matches(watch.name, AT_ONCE)
        if not rows:
            break
        ids = [row["id"] for row in rows]
        refusal = await post(client, watch.webhook or "", {"watch": watch.name, "matches": rows}, policy)
        if refusal:
            await store.mark_refused(ids, refusal.error, refusal.wait)
            log.warning("watch %s: %s", watch.name, refusal.error)
            return Delivery(watch.name, sent, len(ids), refusal.error)
        await store.mark_delivered(ids)
        sent += len(ids)
    return Delivery(watch.name, sent)


async def post(client: HttpClient, url: str, value: dict[str, Any], policy: FetchPolicy) -> Refusal | None:
    """None where the address took it, else why not."""
    body = json.dumps(value, ensure_ascii=False, default=_plain).encode("utf-8")
    try:
        answer = await client.post(url, body, {"User-Agent": agent()}, policy)
    except (FetchError, BadUrl) as error:
        return Refusal(str(error) or type(error).__name__)
    if 200 <= answer.status < 300:
        return None
    wait = retry_after(answer.header(b"retry-after"), answer.fetched_at, LONGEST_WAIT)
    return Refusal(f"the address answered {answer.status}", wait)


def agent() -> str:
    return f"Nachlese/{version('nachlese')}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def write_feed(file: Path, title: str, rows: Sequence[Row]) -> None:
    """An Atom feed, latest match first; the file stays as it is where nothing is new."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = atom(file.stem, title, rows)
    if file.exists() and file.read_bytes() == text:
        return
    write_whole(file, text)


def atom(name: str, title: str, rows: Sequence[Row]) -> bytes:
    """The feed's bytes; the same rows give the same bytes."""
    feed = ElementTree.Element("feed", xmlns=ATOM)
    updated = max((row["matched_at"] for row in rows), default=datetime(2000, 1, 1, tzinfo=UTC))
    _add(feed, "id", f"urn:nachlese:watch:{name}")
    _add(feed, "title", title)
    _add(feed, "updated", updated.isoformat())
    _add(_add(feed, "author"), "name", "Nachlese")
    ElementTree.indent(feed)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    begin, close, end = written.rpartition(b"\n</feed>")
    return begin + b"".join(_entry(*(_value(row[name]) for name in _OF_ENTRY)) for row in rows) + close + end


_OF_ENTRY = ("article_id", "title", "url", "matched_at", "published_at", "authors", "source", "teaser")


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=20 * ENTRIES)  # a feed that gains three entries has 97 that were in it before
def _entry(
    article_id: int,
    title: str,
    url: str,
    matched_at: datetime,
    published_at: datetime | None,
    authors: tuple[str, ...],
    source: str,
    teaser: str | None,
) -> bytes:
    """One entry on lines of its own, as it stands in the feed."""
    entry = ElementTree.Element("entry")
    _add(entry, "id", f"urn:nachlese:article:{article_id}")
    _add(entry, "title", title)
    ElementTree.SubElement(entry, "link", rel="alternate", href=url)
    _add(entry, "updated", matched_at.isoformat())
    if published_at:
        _add(entry, "published", published_at.isoformat())
    for author in authors or (source,):
        _add(_add(entry, "author"), "name", author)
    if teaser:
        _add(entry, "summary", teaser)
    ElementTree.indent(entry, level=1)
    # a text, encoded here, takes half of the time that ElementTree takes for bytes
    written: str = ElementTree.tostring(entry, encoding="unicode")
    return f"\n  {written}".encode("utf-8", "xmlcharrefreplace")


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text and _NOT_IN_XML.sub("", text)
    return child
