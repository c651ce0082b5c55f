"""Pages that scripts build, in a real Chromium; every request of theirs through our guard and bounds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from aiohttp import web

from crawler import config, runs
from crawler.downloader import browser
from crawler.services import open_services
from tests.test_crawl import Web, article, configured, counted, served, site

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(not any(map(shutil.which, browser.NAMES)), reason="there is no Chromium here")
__all__ = ["site"]

SHELL = """<!DOCTYPE html><html lang="de"><head><title>Lädt</title></head><body><div id="app"></div>
<img src="/bild.png"><script>
fetch("/inhalt.json").then(answer => answer.json()).then(found => {{
  document.title = found.title;
  document.head.innerHTML += '<meta property="og:type" content="article">';
  document.getElementById("app").innerHTML = found.html;
}});
fetch("http://{inside}/geheim").catch(() => 0);
fetch("http://169.254.169.254/latest").catch(() => 0);
new WebSocket("ws://{inside}/socket");
</script></body></html>"""


async def crawled(folder: Path, site: Web, dsn: str, render: str) -> tuple[dict[str, int], list[str]]:
    """A page whose text its script fetches, crawled; its counts and the titles stored."""
    whole = article(1)
    html = whole[whole.index("<article>") : whole.index("</body>")]
    async with served(Web()) as inside:
        site.pages["/inhalt.json"] = lambda _: web.json_response({"title": "Brücke 1 wird erneuert", "html": html})
        site.pages["/app.html"] = SHELL.format(inside=inside.base.removeprefix("http://"))
        site.feed("/app.html")
        port = site.base.rpartition(":")[2]
        configured(folder, site, f'render = "{render}"\n')
        file = folder / "sources" / "blatt.toml"
        file.write_text(file.read_text().replace("127.0.0.1/32:*", f"127.0.0.1/32:{port}"))
        async with open_services(config.load(folder), dsn) as services:
            report = await runs.crawl_source(services, "blatt")
            titles = [row["title"] for row in await services.store.articles()]
        assert inside.asked == []
    return counted(report), titles


@pytest.mark.parametrize("render", ["browser", "when_empty"])
async def test_a_page_that_scripts_build_becomes_an_article(tmp_path, site, database_url, render):
    counts, titles = await crawled(tmp_path, site, database_url, render)
    assert (counts, titles) == ({"found": 1, "new": 1}, ["Brücke 1 wird erneuert"])
    assert "/inhalt.json" in site.asked and "/bild.png" not in site.asked


async def test_without_a_browser_it_is_none(tmp_path, site, database_url):
    counts, titles = await crawled(tmp_path, site, database_url, "never")
    assert (counts, titles) == ({"found": 1, "rejected": 1}, [])
    assert "/inhalt.json" not in site.asked


async def test_a_machine_without_chromium_stops_the_run_and_the_page_waits(tmp_path, site, database_url):
    site.pages["/a"] = article(1)
    site.feed("/a")
    configured(tmp_path, site, 'render = "browser"\n')
    file = tmp_path / "settings.toml"
    file.write_text(file.read_text() + '[browser]\nexecutable = "/nowhere/chromium"\n')
    async with open_services(config.load(tmp_path), database_url) as services:
        report = await runs.crawl_source(services, "blatt")
    assert (report.outcome, report.counts.pending) == ("failed", 1)
    assert "no Chromium could be started from /nowhere/chromium" in report.error
