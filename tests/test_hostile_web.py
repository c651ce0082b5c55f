"""Every case of the hostile web through a real Scrapy crawl: each comes to its one end, and nothing gets inside."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from datetime import UTC, datetime

import pytest
from scrapy import Request, Spider
from scrapy.crawler import Crawler

from crawler.config.values import allowed_address
from crawler.discovery import DiscoveryError, read_document
from crawler.discovery.links import LinkFilter
from crawler.downloader.errors import NotModified, failure_reason
from crawler.downloader.policy import FetchPolicy
from crawler.services import give_services
from pipelines.urls import BadUrl, normalise
from tests.fetching import Fetcher, scrapy_settings
from tests.hostile_web import CASES, PRIVATE, WHOLE, serve

MANY = 200


class Visitor(Spider):
    """Asks for every address it is given and notes each end: ("page", body, again) or (reason, detail, again)."""

    name = "visitor"

    async def start(self):
        for url, kind, headers in self.wanted:
            meta = {"kind": kind, "asked": url}
            yield Request(url, self.page, headers=headers, errback=self.failed, dont_filter=True, meta=meta)

    def page(self, response):
        self.note(response.request, (WHOLE if response.status == 200 else response.status, response.body, False))

    def failed(self, failure):
        if failure.check(NotModified):
            self.note(failure.request, (304, b"", False))
            return
        reason = failure_reason(failure)
        self.note(failure.request, (str(reason.reason), reason.detail, reason.transient))

    def note(self, request, end):
        self.ends.setdefault(request.meta["asked"], []).append(end)


@pytest.fixture
async def fetcher(store):
    made = Fetcher(store)
    yield made
    await made.close()


def policy(web, seconds: float = 60) -> FetchPolicy:
    allowed = (allowed_address(f"127.0.0.1/32:{web.port}"),)
    bounds = {"page": 1_000_000, "document": 2_000_000, "connect": 30.0, "robots_timeout": 30.0}
    return FetchPolicy("hostile", allowed, delay=0.0, concurrency=MANY, timeout=seconds, **bounds)


async def crawl(fetcher, web, wanted, seconds):
    ends = {}
    crawler = Crawler(Visitor, scrapy_settings(policy(web, seconds)))
    give_services(crawler, fetcher.services)
    await crawler.crawl_async(wanted=wanted, ends=ends)
    return ends


async def test_every_case_comes_to_its_one_end(fetcher):
    async with serve() as web:
        ends = {}
        for seconds in (60, 0.5):  # a short deadline for those that would otherwise last for ever
            wanted = [(web.url(one.path), one.kind, {}) for one in CASES if (one.end == "timeout") == (seconds < 1)]
            ends |= await crawl(fetcher, web, wanted, seconds)
        wrong = []
        for one in CASES:
            got = ends.get(web.url(one.path), [])
            if len(got) != 1:
                wrong.append(f"{one.path}: {len(got)} ends")
                continue
            end, detail, again = got[0]
            if end not in one.end.split("|"):
                wrong.append(f"{one.path}: {end} instead of {one.end} ({detail})")
            elif end == WHOLE and detail != one.body:
                wrong.append(f"{one.path}: another body, {detail[:80]}")
            elif end != WHOLE and again != one.again and "dns" not in one.end:
                wrong.append(f"{one.path}: {end}, {'pending' if again else 'final'}")
            elif end != WHOLE and not (detail.isprintable() and "hunter2" not in detail):
                wrong.append(f"{one.path}: {detail!r} must not be logged")
        assert not wrong, "\n".join(wrong)
        assert web.canary == 0


async def test_no_spelling_of_a_private_address_is_connected_to(fetcher):
    async with serve() as web:
        ends = []
        for spelling in PRIVATE:
            try:
                await fetcher.get(spelling.format(port=web.canary_port), policy(web))
            except Exception as error:  # noqa: BLE001  any failure has a reason, that is the point
                ends.append(str(failure_reason(error).reason))
        assert len(ends) == len(PRIVATE)
        assert set(ends) <= {"blocked_address", "bad_url"}
        assert web.canary == 0


async def test_scrapy_passes_a_condition_on_and_the_304_back(fetcher):
    async def feed(visit):
        assert visit.headers["x-other"] == "1"
        await visit.answer(b"", "304 Not Modified" if visit.headers.get("if-none-match") == '"7"' else "500 Lost")

    async with serve(feed=feed) as web:
        wanted = [(web.url("/feed"), "feed", {"If-None-Match": '"7"', "X-Other": "1"})]
        assert await crawl(fetcher, web, wanted, 60) == {web.url("/feed"): [(304, b"", False)]}


async def test_scrapy_asks_for_nothing_but_the_web(fetcher):
    async with serve() as web:
        urls = ["file:///etc/passwd", "data:text/html,x", "ftp://127.0.0.1/x", "s3://x/y", "http://u:p@127.0.0.1/"]
        ends = await crawl(fetcher, web, [(url, "page", {}) for url in urls], 60)
        assert [end[0] for [end] in ends.values()] == ["bad_url"] * len(urls)


@pytest.mark.parametrize("kind", ["page", "section", "feed", "sitemap", "robots"])
async def test_every_kind_of_request_is_guarded(fetcher, kind):
    async with serve() as web:
        for url in (f"http://localhost:{web.canary_port}/x", web.url("/inside/0")):
            with pytest.raises(Exception) as refused:
                await fetcher.get(url, policy(web), kind)
            assert failure_reason(refused.value).reason == "blocked_address"
        assert web.canary == 0


XXE = """<!DOCTYPE rss [<!ENTITY far SYSTEM "http://127.0.0.1:{port}/x"><!ENTITY file SYSTEM "file:///etc/hostname">
<!ENTITY % all SYSTEM "http://127.0.0.1:{port}/dtd"> %all;]>"""
INSIDE_DOCUMENTS = {
    "entities": XXE + "<rss><channel><item><link>http://a.example/&file;</link><title>&far;&file;</title></item>",
    "outer type": '<!DOCTYPE rss SYSTEM "http://127.0.0.1:{port}/dtd"><rss><channel><item><title>a</title></item>',
    "a style": '<?xml-stylesheet href="http://127.0.0.1:{port}/x"?><rss><channel><item><title>a</title></item>',
    "inclusion": '<rss xmlns:xi="http://www.w3.org/2001/XInclude"><channel><item><title><xi:include parse="text" '
    'href="http://127.0.0.1:{port}/x"/></title><link>/a-12345</link></item>',
    "a sitemap": XXE.replace("DOCTYPE rss", "DOCTYPE urlset") + "<urlset><url><loc>http://a.example/&file;</loc></url>",
    "a section": '<base href="http://127.0.0.1:{port}/"><link rel="stylesheet" href="/x"><img src="/x">'
    '<iframe src="/x"></iframe><object data="/x"></object><a href="/artikel-12345">a</a>',
}


@pytest.mark.parametrize("name", INSIDE_DOCUMENTS)
@pytest.mark.parametrize("end", ["", "</broken"])
async def test_no_document_makes_its_parser_connect_or_read_a_file(name, end):
    async with serve() as web:
        body = (INSIDE_DOCUMENTS[name].replace("{port}", str(web.canary_port)) + end).encode()
        kind = {"a sitemap": "sitemap", "a section": "section"}.get(name, "feed")
        link_filter = LinkFilter("https://a.example/", datetime.now(UTC))
        with contextlib.suppress(DiscoveryError):
            found = await asyncio.to_thread(read_document, kind, body, "", "https://a.example/feed", link_filter)
            assert socket.gethostname() not in str(found)
        assert web.canary == 0


@pytest.mark.parametrize("depth", [6, 60])
def test_entities_that_multiply_stay_small(depth):
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(depth))
    item = f"<item><title>&e{depth - 1};</title><link>/a-1</link></item>"
    body = f"<!DOCTYPE rss [{names}]><rss><channel>{item}</channel></rss>"
    found = read_document(
        "feed", body.encode(), "", "https://a.example/", LinkFilter("https://a.example/", datetime.now(UTC))
    )
    assert [len(link.hint.title) < 100 for link in found.links] == [True]


def test_spellings_are_refused_or_mean_one_address():
    for spelling in PRIVATE:
        try:
            assert normalise(spelling.format(port=81), "http://good.example/").isascii()
        except BadUrl:
            continue
