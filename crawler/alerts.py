"""Who is told that a source is not well, the heartbeat, and the file with metrics: after each round. Imports apprise.

All of it runs in one task beside the crawls; what fails is logged, comes again, and costs no run.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from crawler.config.alerts_file import Alerts, with_secrets
from crawler.downloader.client import HttpClient
from crawler.downloader.errors import FetchError
from crawler.downloader.policy import FetchPolicy
from crawler.watching import agent
from pipelines.atomic import write_whole
from pipelines.database import DatabaseError
from pipelines.store import Row, Store
from pipelines.urls import BadUrl

log = logging.getLogger(__name__)

#: seconds that a heartbeat's address may take
PATIENCE = 10.0
#: with many sources a round ends every second: the file and the heartbeat do not follow each of them
PAUSE = 15.0


class Announcer:
    """Tells what is to be told: ``wake`` after a run, ``drain`` to wait for what has begun, ``close`` to end it."""

    def __init__(self, store: Store, client: HttpClient, alerts: Alerts, zone: ZoneInfo, *, pause: float = PAUSE):
        self.store, self.client, self.pause = store, client, pause
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._hurry = asyncio.Event()
        self.configure(alerts, zone)

    def configure(self, alerts: Alerts, zone: ZoneInfo) -> None:
        """Also when the configuration was read again."""
        self.alerts, self.zone = alerts, zone
        self._digest_due = next_digest(alerts, zone, datetime.now(UTC))

    def wake(self) -> None:
        """A round has ended."""
        alerts = self.alerts
        if not (alerts.addresses or alerts.heartbeat_url or alerts.metrics_file):
            return
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tell())

    async def drain(self, within: float) -> None:
        """Wait for what has begun, and tell what came meanwhile."""
        self._hurry.set()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=within)

    async def close(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _tell(self) -> None:
        while self._again:
            self._again = False
            try:
                await self.tell()
            except (DatabaseError, OSError) as error:
                log.warning("alerts: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.pause):
                    await self._hurry.wait()

    async def tell(self) -> None:
        """Everything once: alarms, digest, heartbeat, metrics."""
        if self.alerts.addresses:
            await self.tell_alarms()
            await self.tell_digest(datetime.now(UTC))
        if self.alerts.metrics_file:
            await asyncio.to_thread(write_whole, Path(self.alerts.metrics_file), await self.metrics())
        if self.alerts.heartbeat_url:
            await self.heartbeat()

    async def metrics(self) -> bytes:
        from pipelines import metrics  # a library that few crawls need

        return await asyncio.to_thread(metrics.exposition, await self.store.metric_rows())

    async def tell_alarms(self) -> None:
        """Once when an alarm opens, once when it closes; several in one message."""
        opened, closed = await self.store.claim_alarms()
        if not (opened or closed):
            return
        try:
            error = await send(self.alerts.addresses, title_of(opened, closed), body_of(opened, closed))
        except BaseException:
            await self.store.give_alarms_back(opened, closed)
            raise
        if error:
            log.warning("alerts: nobody could be told: %s", error)
            await self.store.give_alarms_back(opened, closed)

    async def tell_digest(self, now: datetime) -> None:
        if self._digest_due is None or now < self._digest_due:
            return
        self._digest_due = next_digest(self.alerts, self.zone, now)
        alarms = await self.store.open_alarms()
        title = f"Nachlese: {len(alarms)} open alarms" if alarms else "Nachlese: all sources are well"
        if error := await send(self.alerts.addresses, title, body_of(alarms, []) or "Nothing is open."):
            log.warning("alerts: the digest could not be sent: %s", error)

    async def heartbeat(self) -> None:
        policy = FetchPolicy("heartbeat_url", tuple(self.alerts.allow_addresses), timeout=PATIENCE)
        try:
            url = with_secrets(self.alerts.heartbeat_url or "")
            status = await self.client.ask(url, {"User-Agent": agent()}, policy)
        except (FetchError, BadUrl, ValueError) as error:
            log.warning("heartbeat_url: %s", type(error).__name__ if isinstance(error, BadUrl) else error)
            return
        if not 200 <= status < 300:
            log.warning("heartbeat_url: the address answered %d", status)


def next_digest(alerts: Alerts, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The next time of day at which a digest is due; None: none is wanted."""
    if alerts.digest is None:
        return None
    at = time.fromisoformat(alerts.digest)
    today = datetime.combine(now.astimezone(zone).date(), at, zone)
    return today if today > now else datetime.combine(today.date() + timedelta(days=1), at, zone)


def title_of(opened: list[Row], closed: list[Row]) -> str:
    """One line: which sources are not well, which are well again."""
    ill = sorted({row["source"] for row in opened})
    well = sorted({row["source"] for row in closed} - set(ill))
    said = [f"{', '.join(names)} {what}" for names, what in ((ill, "not well"), (well, "well again")) if names]
    return f"Nachlese: {'; '.join(said)}"


def body_of(opened: list[Row], closed: list[Row]) -> str:
    lines = [f"{row['says']}.\n{row['advice']}" for row in opened]
    lines += [f"Over ({row['closed_because']}): {row['says']}" for row in closed]
    return "\n\n".join(lines)


async def send(addresses: list[str], title: str, body: str) -> str | None:
    """None where an address took it; else why none did, without any secret."""
    # apprise loads a hundred modules when it meets its first address, and asks without asyncio
    wrong = await asyncio.to_thread(failures_of, addresses, title, body)
    if len(wrong) == len(addresses):
        return "; ".join(wrong)
    for said in wrong:  # who was told is not told again because another address fails
        log.warning("alerts: %s", said)
    return None


def failures_of(addresses: list[str], title: str, body: str) -> list[str]:
    """Tell every address; a sentence for each that could not be told."""
    try:
        import apprise
    except ImportError:
        return ["[alerts] addresses need apprise: pip install 'nachlese[alerts]'"] * len(addresses)
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it logs addresses, and they have secrets in them
    wrong = []
    for number, address in enumerate(addresses, start=1):
        told = apprise.Apprise()
        try:
            if not told.add(with_secrets(address)):
                wrong.append(f"addresses[{number}] is no address that apprise knows")
            elif not told.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
                wrong.append(f"addresses[{number}] did not take it")
        except ValueError as error:
            wrong.append(f"addresses[{number}]: {error}")
    return wrong
