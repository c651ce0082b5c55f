"""Crawls over real HTTP into a real database: every page that was named reaches its recorded end, once."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from aiohttp import web
from multidict import CIMultiDictProxy
from scrapy import signals
from scrapy.exceptions import IgnoreRequest
from scrapy.settings import BaseSettings

from crawler import config, fixture_sites, runs
from crawler.extensions.run import run_extension
from crawler.reports import RunReport
from crawler.services import Services, open_services
from crawler.spiders.documents import is_stale
from pipelines.items import Link
from pipelines.store import Document, Validators

SETTINGS = '[politeness]\ndelay = "0 seconds"\njitter = "0 seconds"\n[crawl]\nreaders = 1\n'
WORDS = (
    "Der Gemeinderat hat am Abend nach langer Debatte beschlossen, die alte Brücke über den Bach zu erneuern. "
    "Die Arbeiten sollen im Frühjahr beginnen und rund ein halbes Jahr dauern, wie die Bürgermeisterin mitteilte. "
)


def article(number: int | str, following: str = "") -> str:
    # most of its words are its own, so that it is no copy of another one
    own = " ".join(f"Brücke {number}-{n} trägt Pfeiler {number}-{n} über Fluss {number}-{n}." for n in range(60))
    return f"""<!DOCTYPE html><html lang="de"><head><title>Brücke {number} wird erneuert</title>
<meta property="og:type" content="article"><meta property="article:published_time" content="2025-11-20T10:00:00+01:00">
</head><body><article><h1>Brücke {number} wird erneuert</h1>
<p>Nummer {number}. {WORDS}</p><p>{own}</p>
<p>{WORDS} Das ist Teil {number}.</p><p>{WORDS}</p>{following}</article></body></html>"""


class Web:
    """A small site: ``pages`` maps a path to a text, a status, or a function of the request. ``asked`` is its log."""

    def __init__(self) -> None:
        self.pages: dict[str, str | int | Callable[[web.Request], web.StreamResponse]] = {}
        self.asked: list[str] = []
        self.headers: list[CIMultiDictProxy[str]] = []
        self.base = ""
        self.held = asyncio.Event()
        self.hold: set[str] = set()

    def feed(self, *paths: str) -> None:
        items = "".join(f"<item><title>x</title><link>{self.base}{path}</link></item>" for path in paths)
        self.pages["/feed.xml"] = f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers.append(request.headers)
        if request.path in self.hold:
            self.held.set()
            await asyncio.Event().wait()
        page = self.pages.get(request.path, 404)
        if callable(page):
            return page(request)
        if isinstance(page, int):
            return web.Response(status=page)
        kind = "application/xml" if page.startswith("<rss") else "text/html"
        return web.Response(text=page, content_type=kind)


W = TypeVar("W", bound=Web)


@asynccontextmanager
async def served(site: W) -> AsyncIterator[W]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        await runner.cleanup()


@pytest.fixture
async def site() -> AsyncIterator[Web]:
    async with served(Web()) as site:
        yield site


def configured(
    folder: Path, site: Web, more: str = "", feeds: tuple[str, ...] = ("/feed.xml",)
) -> config.Configuration:
    (folder / "sources").mkdir(exist_ok=True)
    (folder / "settings.toml").write_text(SETTINGS + f'[archive]\nfolder = "{folder / "archive"}"\n')
    (folder / "sources" / "blatt.toml").write_text(
        f'title = "Blatt"\nhomepage = "{site.base}/"\nlanguage = "de"\n'
        f"[discover]\nfeeds = {[site.base + feed for feed in feeds]!r}\n"
        f'[fetch]\nallow_addresses = ["127.0.0.1/32:*"]\n{more}'
    )
    return config.load(folder)


@asynccontextmanager
async def opened_services(configuration: config.Configuration, dsn: str) -> AsyncIterator[Services]:
    async with open_services(configuration, dsn) as services:
        yield services


@pytest.fixture
async def services(tmp_path: Path, site: Web, database_url: str) -> AsyncIterator[Services]:
    async with opened_services(configured(tmp_path, site), database_url) as opened:
        yield opened


def counted(report: RunReport) -> dict[str, int]:
    names = ("found", "new", "new_version", "unchanged", "copy", "rejected", "pending")
    return {name: getattr(report.counts, name) for name in names if getattr(report.counts, name)}


async def test_the_fixture_sites_are_crawled_once_and_a_second_round_asks_for_no_article(tmp_path, database_url):
    async with fixture_sites.serve() as sites:
        sites.write_sources(tmp_path / "sources")
        (tmp_path / "settings.toml").write_text(SETTINGS + f'[archive]\nfolder = "{tmp_path / "archive"}"\n')
        configuration = config.load(tmp_path)
        async with opened_services(configuration, database_url) as services:
            first = await asyncio.gather(*(runs.crawl_source(services, name) for name in configuration.sources))
            asked = len(sites.log)
            second = await asyncio.gather(*(runs.crawl_source(services, name) for name in configuration.sources))
    for report in (*first, *second):
        assert (report.outcome, report.counts.pending) == ("finished", 0), str(report)
    assert all(report.counts.new for report in first)
    assert not any(report.counts.new or report.counts.new_version for report in second)
    documents = {url for source in configuration.sources.values() for url in places(source)}
    for request in sites.log[asked:]:
        url = sites.url(request.site, request.path)
        assert request.status == 304 or url in documents or "sitemap" in request.path, url


def places(source: config.Source) -> list[str]:
    discover = source.discover
    return [*discover.feeds, *discover.sitemaps, *discover.sections]


async def test_only_what_is_new_in_a_feed_is_fetched(services, site):
    site.pages |= {"/a": article(1), "/b": article(2)}
    site.feed("/a")
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 1, "new": 1}
    site.feed("/b", "/a")
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 2, "new": 1, "unchanged": 1}
    assert site.asked.count("/a") == 1


async def test_each_page_ends_with_its_own_reason(services, site):
    site.pages |= {"/a": article(1), "/gone": 410, "/tot": 404, "/spaeter": 503}
    site.feed("/a", "/gone", "/tot", "/spaeter", "/a#oben")
    report = await runs.crawl_source(services, "blatt")
    assert counted(report) == {"found": 4, "new": 1, "rejected": 2, "pending": 1}
    assert report.counts.reasons == {"gone": 2, "http_error": 1}
    assert report.outcome == "finished"


async def test_a_dead_feed_does_not_cost_the_other_one_and_the_run_says_so(tmp_path, site, database_url):
    site.pages |= {"/a": article(1), "/leer.xml": "", "/html.xml": "<html><body>Wartung</body></html>"}
    site.feed("/a")
    feeds = ("/fort.xml", "/leer.xml", "/html.xml", "/feed.xml")
    async with opened_services(configured(tmp_path, site, feeds=feeds), database_url) as services:
        report = await runs.crawl_source(services, "blatt")
    assert counted(report) == {"found": 1, "new": 1}
    assert report.outcome == "failed"
    assert "3 places to look at could not be used" in report.error


NEXT_PAGE = '[read]\nnext_page = "a[rel=next]"\n'


async def test_the_pages_of_an_article_are_joined_until_they_repeat_themselves(tmp_path, site, database_url):
    def page(number: int, following: str) -> str:
        return article(number, f'<a rel="next" href="{following}">Nächste Seite</a>')

    site.pages |= {"/a": page(1, "/a/2"), "/a/2": page(2, "/a/3"), "/a/3": page(3, "/a/2")}
    site.feed("/a")
    async with opened_services(configured(tmp_path, site, NEXT_PAGE), database_url) as services:
        await runs.crawl_source(services, "blatt")
        (row,) = await services.store.articles()
    assert [row["text"].count(f"Teil {number}") for number in (1, 2, 3)] == [1, 1, 1]
    assert sorted(path for path in site.asked if path.startswith("/a")) == ["/a", "/a/2", "/a/3"]


async def test_a_source_caps_the_pages_of_an_article(tmp_path, site, database_url):
    for number in range(1, 9):
        site.pages[f"/a/{number}"] = article(number, f'<a rel="next" href="/a/{number + 1}">Nächste Seite</a>')
    site.feed("/a/1")
    async with opened_services(configured(tmp_path, site, "max_pages = 3\n" + NEXT_PAGE), database_url) as services:
        await runs.crawl_source(services, "blatt")
    assert sum(path.startswith("/a/") for path in site.asked) == 3


async def test_a_later_page_that_is_gone_leaves_what_there_is(services, site):
    site.pages["/bruecke"] = article(1, '<a rel="next" href="/bruecke/2">Nächste Seite</a>')
    site.feed("/bruecke")
    report = await runs.crawl_source(services, "blatt")
    assert counted(report) == {"found": 1, "new": 1}
    assert "/bruecke/2" in report.problems[0]


async def test_a_stop_leaves_what_was_in_flight_to_the_next_run(services, site):
    site.pages |= {"/a": article(1), "/haengt": article(2)}
    site.hold.add("/haengt")
    site.feed("/haengt", "/a")
    crawl = asyncio.create_task(runs.crawl_source(services, "blatt"))
    await site.held.wait()
    for crawler in services.crawlers:
        run_extension(crawler).stop("to see what happens")
    report = await crawl
    assert (report.outcome, report.counts.rejected, report.error) == ("stopped", 0, "to see what happens")
    assert report.counts.pending + report.counts.new == 2
    site.hold.clear()
    assert (await runs.crawl_source(services, "blatt")).counts.pending == 0
    assert len(await services.store.articles()) == 2


async def test_a_cancelled_crawl_is_recorded_as_stopped(services, site):
    site.hold.add("/haengt")
    site.feed("/haengt")
    crawl = asyncio.create_task(runs.crawl_source(services, "blatt"))
    await site.held.wait()
    crawl.cancel()
    with pytest.raises(asyncio.CancelledError):
        await crawl
    (run,) = await services.store.last_runs("blatt")
    assert (run["outcome"], run["pending"], run["error"]) == ("stopped", 1, "interrupted")


async def test_a_run_whose_lease_was_lost_stops(tmp_path, site, database_url):
    site.hold.add("/haengt")
    site.feed("/haengt")
    configuration = configured(tmp_path, site)
    text = (tmp_path / "settings.toml").read_text() + '[schedule]\nlease = "0.4 seconds"\n'
    (tmp_path / "settings.toml").write_text(text)
    configuration = config.load(tmp_path)
    async with opened_services(configuration, database_url) as services:
        crawl = asyncio.create_task(runs.crawl_source(services, "blatt"))
        await site.held.wait()
        (crawler,) = services.crawlers
        await services.store.end_run(run_extension(crawler).run, "failed", "taken over")
        await crawl
        assert "lease was lost" in run_extension(crawler).stopped


async def test_a_source_never_overlaps_itself(services, site):
    site.hold.add("/haengt")
    site.feed("/haengt")
    crawl = asyncio.create_task(runs.crawl_source(services, "blatt"))
    await site.held.wait()
    assert (await runs.crawl_source(services, "blatt")).outcome == "skipped"
    crawl.cancel()
    with pytest.raises(asyncio.CancelledError):
        await crawl


async def test_pages_beyond_the_limit_of_a_run_wait_for_the_next(tmp_path, site, database_url):
    site.pages |= {f"/{number}": article(number) for number in range(5)}
    site.feed(*(f"/{number}" for number in range(5)))
    configured(tmp_path, site)
    (tmp_path / "settings.toml").write_text(
        SETTINGS + f'[limits]\npages_per_run = 3\n[archive]\nfolder = "{tmp_path / "a"}"\n'
    )
    async with opened_services(config.load(tmp_path), database_url) as services:
        first, second = [await runs.crawl_source(services, "blatt") for _ in range(2)]
    assert (first.counts.pending, second.counts.pending) == (2, 0)
    assert any("limits.pages_per_run" in said for said in first.problems)


async def test_a_full_disk_stops_the_run_and_loses_nothing(services, site, caplog):
    caplog.set_level(logging.INFO)
    site.pages |= {f"/{number}": article(number) for number in range(3)}
    site.feed("/0", "/1", "/2")
    services.archive_folder.parent.joinpath("archive").write_text("a file where the folder should be")
    report = await runs.crawl_source(services, "blatt")
    assert (report.outcome, report.counts.pending) == ("failed", 3)
    assert "cannot be written" in report.error
    assert "Error processing" not in caplog.text
    assert "stays pending: the archive in" in caplog.text  # how far the others have come by then is chance
    services.archive_folder.unlink()
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 3, "new": 3}


@pytest.mark.parametrize(("days", "in_a_row", "stale"), [(0, 0, False), (0, 20, True), (2, 1, True)])
def test_documents_are_asked_for_unconditionally_now_and_then(days, in_a_row, stale):
    now = datetime(2025, 11, 22, tzinfo=UTC)
    assert is_stale(Validators('"x"', None, now - timedelta(days=days), in_a_row), now) is stale


async def test_a_truncated_feed_is_asked_for_again_as_a_whole(services, site):
    conditional = []

    def cut(request: web.Request) -> web.Response:
        conditional.append("If-None-Match" in request.headers)
        text = f'<rss version="2.0"><channel><item><link>{site.base}/a</link></item><item><link>{site.base}/b'
        return web.Response(text=text, content_type="application/xml", headers={"ETag": '"1"'})

    site.pages |= {"/feed.xml": cut, "/a": article(1)}
    for _ in range(2):
        report = await runs.crawl_source(services, "blatt")
        assert "truncated" in report.problems[0]
    assert conditional == [False, False]


def environment(folder: Path, dsn: str) -> dict[str, str]:
    return os.environ | {"NACHLESE_CONFIG": str(folder), "NACHLESE_DATABASE_URL": dsn, "NACHLESE_HOME": str(folder)}


CRAWL = """
import asyncio
from crawler import config, runs
from crawler.services import open_services
from crawler.reports import RunReport

async def main():
    async with open_services(config.load()) as services:
        await runs.crawl_source(services, "blatt")

asyncio.run(main())
"""


async def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(tmp_path, site, database_url):
    site.pages |= {f"/{number}": article(number) for number in range(12)}
    site.feed(*(f"/{number}" for number in range(12)))
    site.hold.add("/7")
    configuration = configured(tmp_path, site)
    env = environment(tmp_path, database_url)
    crawl = await asyncio.create_subprocess_exec(sys.executable, "-c", CRAWL, env=env)
    async with asyncio.timeout(60):
        await site.held.wait()
    crawl.send_signal(signal.SIGKILL)
    await crawl.wait()
    site.hold.clear()
    site.feed("/0", "/11")  # the feed has moved on meanwhile
    async with opened_services(configuration, database_url) as services:
        report = await runs.crawl_source(services, "blatt")
        assert (report.outcome, report.counts.pending, report.counts.rejected) == ("finished", 0, 0)
        rows = await services.store.articles()
        killed = (await services.store.last_runs("blatt"))[1]
    assert sorted(row["url"] for row in rows) == sorted(f"{site.base}/{number}" for number in range(12))
    assert {row["version"] for row in rows} == {1}
    assert (killed["outcome"], killed["error"]) == ("failed", "its process was killed")


async def test_scrapy_knows_every_source_as_a_spider(tmp_path, site, database_url):
    site.pages["/a"] = article(1)
    site.feed("/a")
    configured(tmp_path, site)
    root = Path(__file__).parent.parent

    async def scrapy(*words: str) -> str:
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "scrapy", *words, cwd=root, env=environment(tmp_path, database_url),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(60):
            said, _ = await command.communicate()
        return said.decode()

    assert (await scrapy("list")).split() == ["blatt"]
    assert "new=1" in await scrapy("crawl", "blatt")
    assert site.asked.count("/a") == 1


async def test_a_link_that_cannot_be_requested_ends_named(services, site):
    site.pages["/a"] = article(1)
    site.feed("/a")
    run = await services.begin_run("blatt")
    links = [Link(url, site.base + "/x") for url in ("file:///etc/passwd", "http://[", "http://169.254.169.254/")]
    await services.store.enqueue(run, links, Document(site.base + "/x", "feed", 200, links=3))
    await services.store.end_run(run, "stopped")
    report = await runs.crawl_source(services, "blatt")
    assert report.counts.new == 1
    assert report.counts.reasons.get("blocked_address") == 1
    assert report.counts.pending == 0


def due(sql_rows) -> None:
    """As if the time of the next recheck had come."""
    sql_rows("UPDATE ingest.pages SET next_check_at = now() - interval '1 minute' RETURNING id")


async def test_a_recheck_is_conditional_and_an_unchanged_page_costs_no_body(services, site, sql_rows):
    text = article(1)
    conditional: list[str | None] = []

    def page(request: web.Request) -> web.Response:
        conditional.append(request.headers.get("If-None-Match"))
        status = 304 if conditional[-1] == '"1"' else 200
        return web.Response(
            status=status, text=text if status == 200 else None, content_type="text/html", headers={"ETag": '"1"'}
        )

    site.pages["/a"] = page
    site.feed("/a")
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 1, "new": 1}
    due(sql_rows)
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 1, "unchanged": 1}
    assert conditional == [None, '"1"']


async def test_a_recheck_of_a_changed_page_becomes_a_version(services, site, sql_rows):
    site.pages["/a"] = article(1)
    site.feed("/a")
    await runs.crawl_source(services, "blatt")
    due(sql_rows)
    site.pages["/a"] = article("2, der Neubau,")
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 1, "new_version": 1}


async def test_a_later_page_that_is_late_brings_the_whole_article_back(services, site, sql_rows):
    site.pages |= {"/bruecke": article(1, '<a rel="next" href="/bruecke/2">Nächste Seite</a>'), "/bruecke/2": 503}
    site.feed("/bruecke")
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 1, "pending": 1}
    site.pages["/bruecke/2"] = article(2)
    sql_rows("UPDATE ingest.pages SET next_attempt_at = now() RETURNING id")
    report = await runs.crawl_source(services, "blatt")
    assert counted(report) == {"found": 1, "new": 1}
    (row,) = await services.store.articles()
    assert "Teil 2" in row["text"]


async def test_a_hundred_links_that_cannot_be_parsed_leave_the_good_one(services, site):
    site.pages["/a"] = article(1)
    bad = "".join(f"<item><link>http://[{number}</link></item>" for number in range(100))
    good = f"<item><link>{site.base}/a</link></item>"
    site.pages["/feed.xml"] = f'<rss version="2.0"><channel>{bad}{good}</channel></rss>'
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 1, "new": 1}


async def test_pages_of_a_host_that_asked_for_time_come_when_it_is_over(services, site, sql_rows):
    def busy(request: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "3600"})

    paths = [f"/{number}" for number in range(40)]
    site.pages |= dict.fromkeys(paths, busy)
    site.feed(*paths)
    report = await runs.crawl_source(services, "blatt")
    assert counted(report) == {"found": 40, "pending": 40}
    asked = sum(path in paths for path in site.asked)
    assert asked <= 2 * services.configuration.settings.politeness.concurrency_per_host
    waits = sql_rows("SELECT next_attempt_at - now() > interval '50 minutes', attempts FROM ingest.pages")
    # what was asked comes when the host said; the others when their source may ask again, in a minute
    assert {(late, attempts > 0) for late, attempts in waits} == {(True, True), (False, False)}
    assert sql_rows("SELECT source, why FROM ingest.host_rests") == [("blatt", "a page was answered 503")]
    assert sum(attempts for _, attempts in waits) == asked
    await runs.crawl_source(services, "blatt")
    assert sum(path in paths for path in site.asked) == asked


async def test_what_a_killed_process_had_archived_is_not_asked_for_again(services, site, sql_rows):
    site.pages |= {"/a": article(1), "/b": article(2), "/c": article(3)}
    site.feed("/a", "/b", "/c")
    await runs.crawl_source(services, "blatt")
    rows = await services.store.articles()
    # as if the process had been killed between its archive and the database: nothing of /a and /b was recorded
    sql_rows("UPDATE ingest.runs SET outcome = 'failed' RETURNING id")
    sql_rows("DELETE FROM ingest.run_pages RETURNING 1")
    keys = [row["id"] for row in rows if not row["url"].endswith("/c")]
    sql_rows(
        "UPDATE ingest.pages SET state = 'pending', ending = NULL, article_id = NULL WHERE article_id = ANY (%s) "
        "RETURNING 1", keys
    )  # fmt: skip
    sql_rows("DELETE FROM ingest.versions WHERE article_id = ANY (%s) RETURNING 1", keys)
    sql_rows("DELETE FROM ingest.articles WHERE id = ANY (%s) RETURNING 1", keys)
    sql_rows("DELETE FROM ingest.archive_records WHERE url NOT LIKE '%%/c' RETURNING 1")
    services.archive.close()
    file = services.archive_folder / services.archive.file_name
    with file.open("ab") as out:
        out.write(file.read_bytes()[-700:-300])  # and in the middle of writing the next one
    services = replace(services, archive=type(services.archive)(services.archive_folder))
    assert counted(await runs.crawl_source(services, "blatt")) == {"found": 3, "new": 2, "unchanged": 1}
    once = ["/robots.txt", "/.well-known/tdmrep.json", "/a", "/b", "/c"]
    assert sorted(site.asked) == sorted(["/feed.xml", "/feed.xml", *once])
    again = await services.store.articles()
    assert [(row["url"], row["text"], row["fetched_at"]) for row in again] == [
        (row["url"], row["text"], row["fetched_at"]) for row in rows
    ]
    assert len(sql_rows("SELECT FROM ingest.archive_records")) == 3
    assert {end for _, _, end in await services.store.archive_gaps([file.name])} <= {None} | {
        offset for (offset,) in sql_rows("SELECT min(record_offset) FROM ingest.archive_records")
    }


async def test_a_crawl_listens_on_no_port(tmp_path, site, database_url):
    site.hold.add("/haengt")
    site.feed("/haengt")
    configured(tmp_path, site)
    crawl = await asyncio.create_subprocess_exec(sys.executable, "-c", CRAWL, env=environment(tmp_path, database_url))
    try:
        async with asyncio.timeout(60):
            await site.held.wait()
        process = psutil.Process(crawl.pid)
        sockets = [one for of in (process, *process.children(recursive=True)) for one in of.net_connections("inet")]
        assert [one for one in sockets if one.status == psutil.CONN_LISTEN or not one.raddr] == []
    finally:
        crawl.kill()
        await crawl.wait()


async def test_no_run_starts_while_the_clock_is_wrong_by_years(services, site, monkeypatch):
    site.feed("/a")
    # as if the clock had lost its battery
    monkeypatch.setattr("crawler.extensions.run.FIRST_YEAR", datetime.now(UTC).year + 1)
    report = await runs.crawl_source(services, "blatt")
    assert (report.outcome, site.asked) == ("failed", [])
    assert "the clock of this machine says" in report.error


class Dropping:
    """An extension of a user's own that lets no request for ``/b`` into Scrapy's scheduler."""

    @classmethod
    def from_crawler(cls, crawler):
        crawler.signals.connect(cls.scheduled, signal=signals.request_scheduled)
        return cls()

    @staticmethod
    def scheduled(request):
        if request.url.endswith("/b"):
            raise IgnoreRequest


async def test_a_request_that_scrapy_drops_stays_pending_and_the_run_ends(tmp_path, site, database_url):
    site.pages |= {"/a": article(1), "/b": article(2)}
    site.feed("/a", "/b")
    more = '[scrapy.EXTENSIONS]\n"tests.test_crawl.Dropping" = 1\n'
    async with opened_services(configured(tmp_path, site, more), database_url) as services:
        report = await runs.crawl_source(services, "blatt")
        assert (report.outcome, counted(report)) == ("finished", {"found": 2, "new": 1, "pending": 1})
    async with opened_services(configured(tmp_path, site), database_url) as services:
        assert counted(await runs.crawl_source(services, "blatt"))["new"] == 1
    assert site.asked.count("/b") == 1


class Cancelling:
    """As when all tasks are cancelled, by Ctrl-C twice."""

    async def process_request(self, request):
        if request.url.endswith("/b"):
            raise asyncio.CancelledError


async def test_of_a_request_that_is_cancelled_nothing_is_written(tmp_path, site, database_url):
    site.pages |= {"/a": article(1), "/b": article(2)}
    site.feed("/a", "/b")
    more = '[scrapy.DOWNLOADER_MIDDLEWARES]\n"tests.test_crawl.Cancelling" = 1\n'
    async with opened_services(configured(tmp_path, site, more), database_url) as services:
        report = await runs.crawl_source(services, "blatt")
    assert counted(report) == {"found": 2, "new": 1, "pending": 1}
    assert report.counts.reasons == {}


async def test_a_run_keeps_the_configuration_with_which_it_began(tmp_path, site, database_url):
    site.pages |= {"/a": article(1), "/haengt": article(2)}
    site.hold.add("/haengt")
    site.feed("/haengt", "/a")
    async with opened_services(configured(tmp_path, site), database_url) as services:
        crawl = asyncio.create_task(runs.crawl_source(services, "blatt"))
        await site.held.wait()
        (crawler,) = services.crawlers
        later = services.with_configuration(configured(tmp_path, site, 'user_agent = "Anders"\n'))
        assert crawler.spider.source.fetch.user_agent is None
        assert later.configuration.source("blatt").fetch.user_agent == "Anders"
        run_extension(crawler).stop("seen")
        await crawl
        site.hold.clear()
        await runs.crawl_source(later, "blatt")
    assert site.headers[-1]["User-Agent"] == "Anders"


def test_the_copy_of_a_run_s_settings_is_scrapy_s_and_changes_nothing_in_the_first():
    made = runs.RunSettings({"CUSTOM": {"a": [1]}, "ITEM_PIPELINES": {"here": 3}, "LIST": [1, {"b": 2}]})
    copied, scrapys = made.copy(), BaseSettings.copy(made)
    assert copied.copy_to_dict() == scrapys.copy_to_dict()
    assert {name: copied.getpriority(name) for name in copied} == {name: made.getpriority(name) for name in made}
    copied["ITEM_PIPELINES"].set("there", 4)
    copied["LIST"][1]["b"] = 3
    copied["CUSTOM"]["a"].append(2)
    copied.set("USER_AGENT", "other", "cmdline")
    copied.freeze()
    assert made.copy_to_dict() == scrapys.copy_to_dict()
    made.set("LOG_LEVEL", "ERROR")  # it is not frozen
