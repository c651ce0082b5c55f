"""The fixture sites themselves: served as a news site would, and every page readable as its expected.json says."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import tomllib
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from crawler import config, fixture_sites
from crawler.discovery import Kind, read_document
from crawler.discovery.links import LinkFilter
from crawler.fixture_sites import Asked, Sites
from pipelines.items import Article, Page, Part, Reason, Rejected
from pipelines.reading import read, shipped_rules
from tests.expectations import PAGES, differences, expected

FETCHED_AT = datetime(2025, 12, 3, 18, 0, tzinfo=ZoneInfo("Europe/Berlin"))
NAMES = [site.name for site in fixture_sites.sites_in(PAGES)]
EXPECTED = {name: expected(name) for name in NAMES}
#: reasons that end a page before anybody reads it
NOT_READ = {Reason.GONE, Reason.ROBOTS, Reason.NOT_HTML}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def request(url: str, method: str = "GET", **headers: str) -> Reply:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, url.removeprefix(f"http://{parts.netloc}"), headers=headers)
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


async def ask(url: str, method: str = "GET", **headers: str) -> Reply:
    return await asyncio.to_thread(request, url, method, **headers)


@pytest.fixture
async def sites() -> AsyncIterator[Sites]:
    async with fixture_sites.serve(PAGES) as served:
        yield served


async def test_every_site_has_a_port_of_its_own(sites: Sites) -> None:
    assert len({sites.url(name) for name in sites}) == len(NAMES) >= 5
    assert all(sites.url(name).startswith("http://127.0.0.1:") for name in sites)


async def test_a_page_names_its_loopback_address_and_no_placeholder(sites: Sites) -> None:
    reply = await ask(sites.url("kurier24", "/artikel/81234-rutte-setzt-weiterhin-auf-druck.html"))
    assert reply.status == 200
    assert sites.url("kurier24", "/feed.rdf").encode() in reply.body
    assert sites.url("kurier24", "/").replace("/", r"\/").encode() in reply.body  # as JSON writes it
    assert b"//kurier24.example" not in reply.body and rb"\/kurier24.example" not in reply.body


async def test_the_known_version_is_answered_with_304_and_no_body(sites: Sites) -> None:
    url = sites.url("tagesbogen", "/feed.xml")
    first = await ask(url)
    by_etag = await ask(url, **{"If-None-Match": first.headers["etag"]})
    by_date = await ask(url, **{"If-Modified-Since": first.headers["last-modified"]})
    assert [by_etag.status, by_date.status] == [304, 304]
    assert by_etag.body == b"" and by_etag.headers["etag"] == first.headers["etag"]
    assert (
        await ask(url, **{"If-None-Match": '"other"', "If-Modified-Since": first.headers["last-modified"]})
    ).status == 200


@pytest.mark.parametrize("date", ["", "gestern", "Wed, 03 Dec 2025 17:00:00 -0000", "Wed, 03 Dec 2000 17:00:00 GMT"])
async def test_a_date_that_says_nothing_useful_gets_the_page(sites: Sites, date: str) -> None:
    assert (await ask(sites.url("tagesbogen", "/feed.xml"), **{"If-Modified-Since": date})).status == 200


async def test_a_change_is_a_new_version(sites: Sites) -> None:
    path = "/artikel/weinlese-kremstal.html"
    before = await ask(sites.url("donaubote", path))
    sites.change("donaubote", path, sites.text("donaubote", path).replace("zehn Tage", "zwölf Tage"))
    after = await ask(sites.url("donaubote", path), **{"If-None-Match": before.headers["etag"]})
    assert after.status == 200 and "zwölf Tage".encode("cp1252") in after.body
    assert after.headers["last-modified"] != before.headers["last-modified"]


async def test_a_change_brings_a_missing_page_back_and_gone_takes_it_away(sites: Sites) -> None:
    url = sites.url("kurier24", "/artikel/70001-rathaus-dach.html")
    assert (await ask(url)).status == 410
    sites.change("kurier24", "/artikel/70001-rathaus-dach.html", "<p>Das Dach ist da.</p>")
    assert (await ask(url)).body == b"<p>Das Dach ist da.</p>"
    sites.gone("kurier24", "/artikel/70001-rathaus-dach.html")
    assert (await ask(url)).status == 410


async def test_a_compressed_sitemap_is_the_plain_one_with_loopback_addresses(sites: Sites) -> None:
    packed = await ask(sites.url("leitwerk", "/sitemaps/archiv.xml.gz"))
    plain = await ask(sites.url("leitwerk", "/sitemaps/archiv.xml"))
    assert packed.headers["content-type"] == "application/gzip"
    assert "content-encoding" not in packed.headers
    assert gzip.decompress(packed.body) == plain.body
    assert sites.url("leitwerk", "/").encode() in plain.body


async def test_redirects_stay_on_the_site(sites: Sites) -> None:
    reply = await ask(sites.url("boersenlage", "/kurz/salzhausen"))
    assert reply.status == 301
    assert reply.headers["location"] == sites.url("boersenlage", "/inland/kreis-salzhausen-akkubusse-9921533.html")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/source.toml", 404), ("/expected.json", 404), ("/site.toml", 404), ("/../kurier24/feed.rdf", 404),
     ("/%2e%2e/kurier24/feed.rdf", 404), ("/nichts.html", 404), ("/x%00y.html", 404)],
)  # fmt: skip
async def test_what_is_no_page_is_not_served(sites: Sites, path: str, status: int) -> None:
    assert (await ask(sites.url("donaubote", path))).status == status


async def test_the_log_tells_every_request(sites: Sites) -> None:
    await ask(sites.url("leitwerk", "/robots.txt"))
    await ask(sites.url("leitwerk", "/robots.txt?a=1"), "HEAD", **{"If-None-Match": '"x"'})
    await ask(sites.url("leitwerk", "/robots.txt"), "POST")
    assert sites.log == [
        Asked("leitwerk", "GET", "/robots.txt", 200, False),
        Asked("leitwerk", "HEAD", "/robots.txt?a=1", 200, True),
        Asked("leitwerk", "POST", "/robots.txt", 405, False),
    ]
    assert sites.asked("leitwerk", "/robots.txt?a=1") == sites.log[1:2]


async def test_content_types_and_charsets_are_those_of_the_files(sites: Sites) -> None:
    types = {
        ("donaubote", "/chronik/"): "text/html; charset=windows-1252",
        ("kurier24", "/"): "text/html; charset=utf-8",
        ("kurier24", "/feed.rdf"): "application/rdf+xml; charset=utf-8",
        ("boersenlage", "/nachrichten.atom"): "application/atom+xml; charset=utf-8",
        ("boersenlage", "/news-sitemap.xml"): "application/xml; charset=utf-8",
        ("donaubote", "/artikel/amtsblatt-7.pdf"): "application/pdf",
        ("tagesbogen", "/robots.txt"): "text/plain; charset=utf-8",
    }
    found = {key: (await ask(sites.url(*key))).headers["content-type"] for key in types}
    assert found == types


async def test_source_files_name_the_port_that_they_may_be_fetched_from(sites: Sites) -> None:
    sources = sites.sources()
    assert set(sources) == set(NAMES)
    for name, text in sources.items():
        table = tomllib.loads(text)
        assert table["homepage"] == sites.url(name)
        assert table["fetch"]["allow_addresses"] == [f"127.0.0.1/32:{urlsplit(sites.url(name)).port}"]
        assert ".example/" not in text


async def test_every_listed_address_answers_as_expected(sites: Sites) -> None:
    statuses = {Reason.GONE: {404, 410}}
    for name, pages in EXPECTED.items():
        for path, wanted in pages.items():
            reply = await ask(sites.url(name, path))
            assert reply.status in statuses.get(wanted.get("reason"), {wanted.get("status", 200), 301}), (name, path)


async def test_discovery_names_exactly_the_pages_that_expected_json_lists(sites: Sites, tmp_path: Path) -> None:
    sites.write_sources(tmp_path / "sources")
    for name, source in config.load(tmp_path).sources.items():
        link_filter = LinkFilter.of(source, FETCHED_AT)
        look_at: list[tuple[Kind, str]] = [
            *(("feed", url) for url in source.discover.feeds),
            *(("sitemap", url) for url in source.discover.sitemaps),
            *(("section", url) for url in source.discover.sections),
        ]
        found: set[str] = set()
        for kind, url in look_at:
            reply = await ask(url)
            document = read_document(kind, reply.body, reply.headers["content-type"], url, link_filter)
            assert document.problems == ()
            look_at += (("sitemap", further) for further in document.sitemaps)
            found |= {link.url.removeprefix(sites.url(name, "")) for link in document.links}
        assert found == {path for path in EXPECTED[name] if "same_address_as" not in EXPECTED[name][path]}


def test_a_folder_without_sites_is_named(tmp_path) -> None:
    async def serve() -> None:
        async with fixture_sites.serve(tmp_path):
            pass

    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        asyncio.run(serve())


# --- what the pages say ----------------------------------------------------------------------------------------------


def saved(name: str, path: str, more: tuple[str, ...] = ()) -> Page:
    """The page as it would be fetched: by its own address, with the further pages of its article."""
    site = next(s for s in fixture_sites.sites_in(PAGES) if s.name == name)
    parts = tuple(Part(site.placeholder + p, site.body(p) or b"", site.content_type(p)) for p in more)
    return Page(site.placeholder + path, name, site.body(path) or b"", FETCHED_AT, site.content_type(path), more=parts)


def read_saved(name: str, path: str) -> Article:
    table = tomllib.loads((PAGES / name / "source.toml").read_text("utf-8"))
    rules = shipped_rules(time_zone=ZoneInfo(table["time_zone"]), language=table["language"])
    return read(saved(name, path, tuple(EXPECTED[name][path].get("pages", ())[1:])), rules)


def pages_with(key: str) -> list[tuple[str, str]]:
    return [(name, path) for name, pages in EXPECTED.items() for path, wanted in pages.items() if key in wanted]


@pytest.mark.parametrize(("name", "path"), pages_with("title"))
def test_a_fixture_page_is_read_as_expected(name: str, path: str) -> None:
    article = read_saved(name, path)
    assert differences(asdict(article), EXPECTED[name][path], FETCHED_AT) == []
    assert article.canonical_url == f"http://{name}.example{path}"


@pytest.mark.parametrize(
    ("name", "path"), [p for p in pages_with("reason") if EXPECTED[p[0]][p[1]]["reason"] not in NOT_READ]
)
def test_a_fixture_page_that_is_no_article_is_rejected_for_its_reason(name: str, path: str) -> None:
    with pytest.raises(Rejected) as rejected:
        read_saved(name, path)
    assert rejected.value.reason == EXPECTED[name][path]["reason"]


@pytest.mark.parametrize(("name", "path"), pages_with("same_article_as"))
def test_another_view_of_an_article_names_the_article(name: str, path: str) -> None:
    wanted = EXPECTED[name][path]
    page = saved(name, wanted.get("redirects_to", path))
    assert read(page, shipped_rules()).canonical_url == f"http://{name}.example{wanted['same_article_as']}"


@pytest.mark.parametrize(("name", "path"), pages_with("same_text_as"))
def test_the_copied_article_has_the_same_text(name: str, path: str) -> None:
    other_name, other_path = EXPECTED[name][path]["same_text_as"].split(":", 1)
    assert read_saved(name, path).text == read_saved(other_name, other_path).text


def test_the_seeds_come_out_of_the_sites_too() -> None:
    seeds = [EXPECTED[name][path]["seed"] for name, path in pages_with("seed")]
    assert sorted(seeds) == ["000", "001", "002", "003", "004"]


@pytest.mark.parametrize(("hour", "day"), [(0, None), (12, None), (18, "2026-11-28 15:36")])
def test_an_hour_that_has_not_come_is_no_silence(hour: int, day: str | None) -> None:
    """'heute 16:36 Uhr', fetched before: no day, and none of the other articles that the page names."""
    page = saved("kurier24", "/artikel/81234-rutte-setzt-weiterhin-auf-druck.html")
    fetched_at = datetime(2026, 11, 28, hour, 23, tzinfo=ZoneInfo("Europe/Berlin"))
    article = read(replace(page, fetched_at=fetched_at, hint=None), shipped_rules())
    assert (article.published_at and f"{article.published_at.astimezone(UTC):%Y-%m-%d %H:%M}") == day
