"""Who is told of an alarm, and when: once when it opens, once when it closes; heartbeat, digest, metrics."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from crawler.alerts import Announcer, next_digest, send
from crawler.config.alerts_file import Alerts, with_secrets
from crawler.downloader.client import HttpClient
from pipelines.items import Reason
from pipelines.store import SourceRow
from tests.test_crawl import Web, served
from tests.test_health import Blatt

BERLIN = ZoneInfo("Europe/Berlin")


class Told(Web):
    """An address that takes messages; ``status`` is what it answers."""

    status = 200

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.path}: {await request.text()}")
        return web.Response(status=self.status)

    def messages(self) -> list[str]:
        return [json.loads(one.partition(": ")[2])["message"] for one in self.asked if one.startswith("/told")]


@asynccontextmanager
async def aclosing_client() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    try:
        yield client
    finally:
        await client.close()


async def test_an_alarm_is_told_once_when_it_opens_and_once_when_it_closes(store, tmp_path, monkeypatch, sql_rows):
    await store.save_sources([SourceRow("blatt", "Blatt")])
    blatt = Blatt(store)
    await blatt.run(30)
    file = tmp_path / "nachlese.prom"
    async with served(Told()) as address, aclosing_client() as client:
        port = address.base.rpartition(":")[2]
        monkeypatch.setenv("TOLD", f"json://127.0.0.1:{port}/told")
        monkeypatch.setenv("PING", "geheim")
        announcer = Announcer(store, client, Alerts(
            addresses=["${TOLD}"], heartbeat_url=f"{address.base}/ping/${{PING}}", metrics_file=str(file),
            allow_addresses=["127.0.0.1/32"]), BERLIN)  # fmt: skip
        await announcer.tell()
        assert address.messages() == [] and address.asked == ["/ping/geheim: "]
        await blatt.run(ends=((Reason.CONSENT_WALL, 6, True),))
        address.status = 503
        await announcer.tell()  # nobody took it: it is told again
        address.status = 200
        for _ in range(2):
            await announcer.tell()
        assert len(address.messages()) == 2 and len(set(address.messages())) == 1
        assert (
            "6 of 6 pages show a consent wall" in address.messages()[0] and "[fetch] cookies" in address.messages()[0]
        )
        metrics = {family.name: family for family in text_string_to_metric_families(file.read_text())}
        assert [sample.labels for sample in metrics["nachlese_alarm"].samples] == [
            {"source": "blatt", "measure": "rejected_consent_wall"}
        ]
        assert metrics["nachlese_memory_bytes"].samples[0].value > 1e6
        assert all(family.documentation for family in metrics.values()) and len(metrics) >= 11
        await blatt.run(8)
        for _ in range(2):
            await announcer.tell()
        assert len(address.messages()) == 3 and address.messages()[2].startswith("Over (well): blatt: ")
        await announcer.tell_digest(datetime.now(UTC))
        announcer.configure(Alerts(addresses=["${TOLD}"], digest="08:00"), BERLIN)
        for _ in range(2):
            await announcer.tell_digest(datetime.now(UTC) + timedelta(days=2))
        assert address.messages()[3:] == ["Nothing is open."]


async def test_what_ends_before_anybody_was_told_is_not_told(store):
    await store.save_sources([SourceRow("blatt", "Blatt")])
    blatt = Blatt(store)
    await blatt.run(30)
    await blatt.run(6, authors=())
    await blatt.run(8)
    assert await store.claim_alarms() == ([], [])


async def test_no_secret_of_an_address_is_said(monkeypatch):
    monkeypatch.setenv("TOLD", "nichts-bekanntes://geheim")
    said = await send(["${TOLD}", "${MISSING}"], "t", "b")
    assert said == "addresses[1] is no address that apprise knows; addresses[2]: the environment has no MISSING"
    with pytest.raises(ValueError, match=re.escape("the environment has no MISSING")):
        with_secrets("https://x.example/${MISSING}")


def test_a_digest_comes_at_its_time_of_day_where_the_operator_lives():
    alerts = Alerts(digest="08:00")
    assert next_digest(alerts, BERLIN, datetime(2026, 3, 28, 6, 59, tzinfo=UTC)) == datetime(2026, 3, 28, 7, tzinfo=UTC)
    assert next_digest(alerts, BERLIN, datetime(2026, 3, 28, 7, tzinfo=UTC)) == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert next_digest(Alerts(), BERLIN, datetime.now(UTC)) is None


@pytest.mark.parametrize("wrong", [{"addresses": ["jemand"]}, {"digest": "8 Uhr"}, {"heartbeat_url": 3}])
def test_what_is_no_address_or_time_is_refused(wrong: dict):
    with pytest.raises(ValidationError):
        Alerts(**wrong)


def test_the_shipped_settings_tell_nobody():
    text = (Path(__file__).parent.parent / "config" / "settings.toml").read_text("utf-8")
    assert tomllib.loads(text)["alerts"] == {"addresses": [], "allow_addresses": []}
