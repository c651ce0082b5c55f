"""Nothing that a stranger wrote is parsed, matched or searched in the main process, and its loop goes on turning."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web

from crawler import config, discovery, robots, robots_txt, runs
from crawler.discovery import document
from crawler.services import open_services
from pipelines.reading.body import paging as pages
from pipelines.reading.page import decode
from tests.test_crawl import Web, article, configured, counted, served, site

__all__ = ["site"]

FEED = '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>{}</channel></rss>'
HOSTILE = {
    "authors": FEED.format(f"<item><link>https://a.example/1</link><dc:creator>{'@' * 200}</dc:creator></item>" * 86),
    "instructions": "<?" * 9_950,
    "comments": "<!--" * 5_000,
    "entities": FEED.format("<title>" + "&amp" * 5_000 + "</title>"),
    "names": "<" + "a:" * 9_000 + ">",
    "links": "<html><link " * 1_500,
    "cdata": "<rss><channel>" + "<![CDATA[" * 2_000,
    "brackets": FEED.format(f"<item><author>{'a@b (' * 3_000}</author><link>https://a.example/1</link></item>"),
}
#: 500 kB of rules that each ask for a search of the whole address
ROBOTS = "User-agent: *\n" + "".join(f"Disallow: /*{n}*a*b*c*d*x$\n" for n in range(18_000))
#: many addresses that might be those of a next page
MANY_LINKS = "<a href=/langer-artikel?seite=2&x=" * 3_000


@dataclass
class Lag:
    """``longest``: seconds of processor time that the loop's thread once spent without looking at anything else."""

    longest: float = 0.0


@asynccontextmanager
async def watched() -> AsyncIterator[Lag]:
    lag, loop = Lag(), asyncio.get_running_loop()

    def tick(before: float) -> None:
        nonlocal handle
        # its own processor time, so that a busy machine is not taken for a blocked loop
        lag.longest = max(lag.longest, time.thread_time() - before)
        handle = loop.call_later(0.01, tick, time.thread_time())

    handle = loop.call_later(0.01, tick, time.thread_time())
    try:
        yield lag
    finally:
        handle.cancel()


def forbidden(*_: object, **__: object) -> None:
    raise AssertionError("a stranger's bytes in the main process")


async def test_every_kind_of_document_is_read_by_a_reader(tmp_path, site, database_url, monkeypatch):
    """The functions that read them are forbidden here; readers are other processes and have their own."""
    site.pages["/robots.txt"] = "User-agent: *\nDisallow: /verboten\n"
    site.pages["/1.html"] = article(1, '<a href="/1.html?seite=2">Seite 2</a>')
    site.pages["/1.html?seite=2"] = article("1-2")
    site.pages["/ein-langer-artikel-ueber-vieles-2"] = article(2)
    site.pages["/3.html"] = article(3)
    site.feed("/1.html", "/verboten/4.html")
    site.pages["/sitemap.xml"] = f"<urlset><url><loc>{site.base}/3.html</loc></url></urlset>"
    site.pages["/liste.html"] = '<html><body><a href="/ein-langer-artikel-ueber-vieles-2">x</a></body></html>'
    configured(tmp_path, site)
    file = tmp_path / "sources" / "blatt.toml"
    more = f'sitemaps = ["{site.base}/sitemap.xml"]\nsections = ["{site.base}/liste.html"]\n[fetch]'
    file.write_text(file.read_text().replace("[fetch]", more, 1))
    for module, name in (
        (discovery, "read_document"), (discovery, "look"), (robots, "judged_all"), (robots_txt, "Rules"),
        (robots_txt, "_parsed"), (document, "read_document"), (document, "look"), (pages, "next_page"),
        (pages, "continues_at"), (pages, "may_have_next"), (decode, "text_of"), (decode, "utf8_of"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, forbidden)
    async with open_services(config.load(tmp_path), database_url) as services:
        report = await runs.crawl_source(services, "blatt")
    assert counted(report) == {"found": 4, "new": 3, "rejected": 1}
    assert report.counts.reasons == {"robots": 1}


def attacked(folder, site: Web) -> None:
    """A second source: every hostile document as feed, sitemap and section page, and one index of them all."""
    for name, text in HOSTILE.items():
        site.pages[f"/{name}"] = lambda _, text=text: web.Response(text=text, content_type="application/xml")
        site.pages[f"/{name}.html"] = text
    listed = "".join(f"<sitemap><loc>{site.base}/{name}?{n}</loc></sitemap>" for name in HOSTILE for n in range(3))
    site.pages["/index.xml"] = lambda _: web.Response(
        text=f"<sitemapindex>{listed}</sitemapindex>", content_type="application/xml"
    )
    site.pages["/robots.txt"] = ROBOTS
    site.pages["/langer-artikel"] = f"<html><body>{MANY_LINKS}</body></html>"
    site.feed("/langer-artikel")
    feeds = [f"{site.base}/{name}" for name in (*HOSTILE, "feed.xml")]
    (folder / "sources" / "boese.toml").write_text(
        f'title = "Böse"\nhomepage = "{site.base}/"\n[discover]\nfeeds = {feeds!r}\n'
        f'sitemaps = ["{site.base}/index.xml"]\n'
        f"sections = {[f'{site.base}/{name}.html' for name in HOSTILE]!r}\n"
        '[fetch]\nallow_addresses = ["127.0.0.1/32:*"]\n'
    )


@pytest.mark.timeout(600)
async def test_the_loop_turns_while_documents_made_to_hold_it_up_are_met(tmp_path, site, database_url):
    site.pages |= {f"/{number}.html": article(number) for number in range(5)}
    site.feed(*site.pages)
    configured(tmp_path, site)
    async with served(Web()) as hostile:
        attacked(tmp_path, hostile)
        async with open_services(config.load(tmp_path), database_url) as services, watched() as lag:
            good, bad = await asyncio.gather(*(runs.crawl_source(services, name) for name in ("blatt", "boese")))
    assert counted(good) == {"found": 5, "new": 5}
    assert bad.outcome == "failed"
    # in the main process one of the feeds alone takes three seconds, and the rules half a second a page
    assert lag.longest < 0.25, f"the loop stood still for {lag.longest:.2f} s of processor time"
