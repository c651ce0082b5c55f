"""What discovery remembers from look to look: over real HTTP, into a real database."""

# ruff: noqa: F811  fixtures of another file are arguments here

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from crawler import config, runs
from crawler.conditional import full_look_is_due, judged
from crawler.discovery import DiscoveryResult
from pipelines.items import Hint, Link, Provenance, Reason
from pipelines.store import Document, DocumentState, SourceRow, owners
from pipelines.urls import noise_params, normalise, without_params
from tests.test_crawl import Web, article, configured, counted, opened_services, services, site  # noqa: F401


def stored(report) -> int:
    """Articles that are new, also where their text is nearly another's."""
    return report.counts.new + report.counts.copy


def feed_of(site: Web, *paths: str) -> str:
    items = "".join(f"<item><title>x</title><link>{site.base}{path}</link></item>" for path in paths)
    return f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'


class Liar:
    """A feed whose server says 304 to every conditional request; ``asked`` tells which requests were conditional."""

    def __init__(self, site: Web, *paths: str):
        self.site, self.paths, self.asked = site, list(paths), []

    def __call__(self, request: web.Request) -> web.Response:
        self.asked.append("If-None-Match" in request.headers)
        if self.asked[-1]:
            return web.Response(status=304)
        return web.Response(
            text=feed_of(self.site, *self.paths), content_type="application/xml", headers={"ETag": '"1"'}
        )


# --- 304 -------------------------------------------------------------------------------------------------------------


def test_full_looks_come_after_the_fourth_304_and_rarer_where_they_show_what_was_known():
    first = [next(n for n in range(1, 99) if full_look_is_due(n, confirmed)) for confirmed in range(5)]
    assert first == [4, 8, 16, 20, 20]
    suspicious = [next(n for n in range(1, 99) if full_look_is_due(n, confirmed, True)) for confirmed in range(5)]
    assert suspicious == [1, 2, 4, 5, 5]


@pytest.mark.parametrize(
    ("before", "after", "confirmed", "is_caught"),
    [("aa", "aa", True, False), ("aa", "bb", False, True), ("", "bb", False, False), ("aa", "", False, False)],
)
def test_what_a_full_look_says(before, after, confirmed, is_caught):
    document = judged(Document("u", "feed"), DiscoveryResult("feed", digest=after), DocumentState(digest=before))
    assert (document.confirmed, document.distrusted is not None) == (confirmed, is_caught)


async def test_a_server_caught_with_an_untrue_304_is_never_trusted_again(services, site, sql_rows):
    liar = Liar(site, "/a")
    site.pages |= {"/feed.xml": liar} | {f"/{name}": article(name) for name in "abc"}
    await runs.crawl_source(services, "blatt")
    liar.paths.insert(0, "/b")
    for _ in range(3):
        assert "/b" not in site.asked
        await runs.crawl_source(services, "blatt")
    report = await runs.crawl_source(services, "blatt")
    assert liar.asked == [False, True, True, True, True, False]
    assert stored(report) == 1
    assert any("304" in problem for problem in report.problems)
    assert sql_rows("SELECT distrusted_at IS NOT NULL, distrusted_because FROM news.documents") == [
        (True, "it said 304 Not Modified, but a full look showed other entries")
    ]
    liar.paths.insert(0, "/c")
    assert stored(await runs.crawl_source(services, "blatt")) == 1
    assert liar.asked[-1] is False


async def test_an_honest_304_stays_cheap(services, site, sql_rows):
    honest = Liar(site, "/a")
    site.pages |= {"/feed.xml": honest, "/a": article("a")}
    for _ in range(13):
        await runs.crawl_source(services, "blatt")
    assert honest.asked.count(False) == 3  # the first, after four, after eight more
    assert sql_rows("SELECT distrusted_at FROM news.documents") == [(None,)]


async def test_another_document_that_names_what_is_new_makes_a_304_doubtful(tmp_path, site, database_url, sql_rows):
    liar = Liar(site, "/a")
    site.pages |= {"/feed.xml": liar, "/other.xml": feed_of(site, "/a"), "/a": article("a"), "/b": article("b")}
    async with opened_services(configured(tmp_path, site, feeds=("/feed.xml", "/other.xml")), database_url) as opened:
        await runs.crawl_source(opened, "blatt")
        await runs.crawl_source(opened, "blatt")
        assert liar.asked == [False, True]
        liar.paths, site.pages["/other.xml"] = ["/b", "/a"], feed_of(site, "/b", "/a")
        await runs.crawl_source(opened, "blatt")
    assert liar.asked == [False, True, True, False]
    assert sql_rows("SELECT count(*) FROM news.documents WHERE distrusted_because LIKE '%%another document%%'") == [
        (1,)
    ]


async def test_a_source_may_say_that_its_server_cannot_be_asked_conditionally(tmp_path, site, database_url):
    liar = Liar(site, "/a")
    site.pages |= {"/feed.xml": liar, "/a": article("a")}
    async with opened_services(configured(tmp_path, site, "conditional = false\n"), database_url) as opened:
        for _ in range(3):
            await runs.crawl_source(opened, "blatt")
    assert liar.asked == [False] * 3


# --- undated lists ---------------------------------------------------------------------------------------------------


async def test_what_is_new_in_an_undated_sitemap_is_fetched_and_what_was_left_out_is_told(
    tmp_path, site, database_url, sql_rows
):  # fmt: skip
    def listed(*names: str) -> str:
        return f"<urlset>{''.join(f'<url><loc>{site.base}/{name}</loc></url>' for name in names)}</urlset>"

    old = [f"alt-{number}" for number in range(20)]
    site.pages |= {f"/{name}": article(name) for name in [*old, "neu"]}
    site.pages["/feed.xml"] = lambda _: web.Response(text=listed(*old), content_type="application/xml")
    async with opened_services(configured(tmp_path, site, "[discover.links]\nmax_links = 4\n"), database_url) as opened:
        assert stored(await runs.crawl_source(opened, "blatt")) == 4
        found = sql_rows("SELECT entries, left_out, note FROM news.documents")
        assert found == [(20, 16, "left_out: 16 of 20 entries are over max_links")]
        now = listed(*old[:10], "neu", *old[10:])
        site.pages["/feed.xml"] = lambda _: web.Response(text=now, content_type="application/xml")
        await runs.crawl_source(opened, "blatt")
    assert site.asked.count("/neu") == 1
    assert sql_rows("SELECT count(*) FROM news.articles") == [(5,)]


# --- a cap on the frontier -------------------------------------------------------------------------------------------


def links_of(days, name: str = "t") -> list[Link]:
    at = datetime(2025, 10, 1, 8, tzinfo=UTC)
    return [
        Link(f"https://blatt.example/{name}-{day}", "f", Hint(Provenance.FEED, published_at=at + timedelta(days=day)))
        for day in days
    ]


def waiting_of(sql_rows) -> list[str]:
    rows = sql_rows("SELECT url FROM ingest.pages WHERE state = 'pending' ORDER BY coalesce(dated_at, found_at), id")
    return [url.rpartition("/")[2] for (url,) in rows]


async def test_the_frontier_of_a_source_has_a_cap_and_keeps_the_newest(store, sql_rows):
    run = await store.begin_run("blatt", "crawl", "test:1")
    document = Document("https://blatt.example/sitemap.xml", "sitemap", 200)
    offered = await store.enqueue(run, links_of(range(1, 9)), document, 5)
    assert (offered.new, offered.left_out, offered.displaced) == (5, 3, 0)
    assert waiting_of(sql_rows) == ["t-4", "t-5", "t-6", "t-7", "t-8"]
    assert sql_rows("SELECT left_out, note FROM news.documents") == [
        (3, "left_out: 3 new pages, for which the frontier has no room")
    ]
    offered = await store.enqueue(run, links_of([1, 2, 7, 9, 10]), document, 5)
    assert (offered.new, offered.waiting, offered.left_out, offered.displaced) == (2, 1, 2, 2)
    assert waiting_of(sql_rows) == ["t-6", "t-7", "t-8", "t-9", "t-10"]
    assert "2 older pages gave their place" in sql_rows("SELECT note FROM news.documents")[0][0]
    assert [target.url[-4:] for target in await store.claim_batch(run, 2)] == ["t-10", "/t-9"]
    counts = await store.end_run(run, "finished")
    assert (counts.pending, counts.found) == (5, 5)


async def test_pages_in_hand_and_pages_that_were_asked_for_keep_their_place(store, sql_rows):
    run = await store.begin_run("blatt", "crawl", "test:1")
    document = Document("https://blatt.example/feed.xml", "feed", 200)
    await store.enqueue(run, links_of([1]), document, 2)
    (target,) = await store.claim_batch(run, 1)
    await store.reschedule(run, target.url, Reason.TIMEOUT, "no answer")
    await store.enqueue(run, links_of([2]), document, 2)
    await store.claim_batch(run, 1)
    offered = await store.enqueue(run, links_of([3, 4]), document, 2)
    assert (offered.new, offered.left_out) == (0, 2)
    assert waiting_of(sql_rows) == ["t-1", "t-2"]


async def test_what_states_no_time_is_new_now(store, sql_rows):
    run = await store.begin_run("blatt", "crawl", "test:1")
    document = Document("https://blatt.example/feed.xml", "feed", 200)
    await store.enqueue(run, links_of([1, 2]), document, 2)
    await store.enqueue(run, [Link("https://blatt.example/ohne-datum", "f")], document, 2)
    assert waiting_of(sql_rows) == ["t-2", "ohne-datum"]


# --- parameters that mean nothing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ([("a?sid=1", "a"), ("b?sid=2", "b")], {"sid"}),
        ([("a?id=7&sid=1", "a?id=7"), ("a?sid=2&id=8", "a?id=8")], {"sid"}),
        ([("a?SID=1", "a"), ("b?sid=2", "b")], {"sid"}),
        ([("a?sid=1", "a")], set()),  # one page may be wrong
        ([("a?sid=1", "a"), ("b?sid=2", "b"), ("c?sid=3", "c?sid=3")], set()),  # another page needs it
        ([("a?sid=1", "b"), ("c?sid=2", "d")], set()),  # other pages
        ([("a?id=1", "a?id=2"), ("b?id=1", "b?id=3")], set()),
        ([(f"a?id={n}", "a") for n in range(20)] + [("b?id=1", "b")], set()),  # canonical addresses that are wrong
        ([("a", "a"), ("b", "b")], set()),
    ],
)
def test_parameters_that_canonical_addresses_leave_out_mean_nothing(pairs, names):
    base = "https://blatt.example/"
    assert noise_params((normalise(base + url), normalise(base + canonical)) for url, canonical in pairs) == names


@pytest.mark.parametrize(
    ("url", "left"),
    [
        ("a?sid=1", "a"),
        ("a?x=1&sid=2&y", "a?x=1&y"),
        ("a?Sid=1&sidx=2", "a?sidx=2"),
        ("a?ref_a=1&ref_b", "a"),
        ("a", "a"),
    ],
)
def test_an_address_without_parameters(url, left):
    base = "https://blatt.example/"
    assert without_params(base + url, {"sid", "ref_*"}) == base + left


def sessions(site: Web, names: list[str], canonical: bool):
    """A feed in which every address has another ``sid`` at each look; what was asked for is in the returned list."""
    looks, asked = iter(range(1000, 9999)), []

    def feed(_: web.Request) -> web.Response:
        look = next(looks)
        text = feed_of(site, *(f"/{name}?id=7&amp;sid={look}{place}" for place, name in enumerate(names)))
        return web.Response(text=text, content_type="application/xml")

    def page(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        address = f"{site.base}{request.path}?id=7"
        head = f'<link rel="canonical" href="{address}">' if canonical else ""
        text = article(request.path[1:]).replace("</head>", f"{head}</head>")
        return web.Response(text=text, content_type="text/html")

    site.pages |= {"/feed.xml": feed} | {f"/{name}": page for name in names}
    return asked


async def test_pages_are_not_asked_for_again_under_another_session(services, site, sql_rows):
    asked = sessions(site, ["a", "b", "c"], canonical=True)
    for _ in range(4):
        report = await runs.crawl_source(services, "blatt")
    assert len(asked) == 3
    assert counted(report) == {"found": 3, "unchanged": 3}
    assert sql_rows("SELECT count(*) FROM ingest.pages") == [(3,)]
    assert sql_rows("SELECT noise_params FROM ingest.sources WHERE name = 'blatt'") == [(["sid"],)]


async def test_parameters_can_be_named_where_pages_say_nothing(tmp_path, site, database_url, sql_rows):
    asked = sessions(site, ["a", "b", "c"], canonical=False)
    async with opened_services(configured(tmp_path, site), database_url) as opened:
        await runs.crawl_source(opened, "blatt")  # before somebody noticed
    more = '[discover.links]\ndrop_params = ["sid"]\n'
    async with opened_services(configured(tmp_path, site, more), database_url) as opened:
        for _ in range(3):
            await runs.crawl_source(opened, "blatt")
        assert len(asked) == 3
        sessions_of_new = sessions(site, ["a", "d"], canonical=False)
        await runs.crawl_source(opened, "blatt")
        await runs.crawl_source(opened, "blatt")
    assert sessions_of_new == ["/d?id=7"]
    assert sql_rows("SELECT count(*) FROM news.articles") == [(4,)]


# --- whose an article is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "named_by", "owner"),
    [
        ("https://www.blatt.example/a", "sammler", "blatt"),
        ("https://sport.blatt.example/a", "sammler", "sport"),
        ("https://auto.blatt.example/a", "sammler", "blatt"),
        ("https://www.blatt.example/a", "zweites", "zweites"),  # as near as the other
        ("https://fremd.example/a", "sammler", "sammler"),
        ("https://kurier.co.at/a", "standard", "standard"),
        ("https://www.kurier.example/a", "sammler", "kurier"),
        ("http://127.0.0.1:8001/a", "sammler", "eins"),
        ("file:///tmp/a.html", "sammler", "sammler"),
        ("https://www.blatt.example/a", "nobody", "zweites"),
    ],
)
def test_an_article_belongs_to_the_source_whose_site_it_is_on(url, named_by, owner):
    hosts = {
        "blatt": ["www.blatt.example"], "zweites": ["blatt.example"], "sport": ["sport.blatt.example"],
        "sammler": ["sammler.example"], "standard": ["standard.co.at"], "kurier": ["news.kurier.example"],
        "eins": ["127.0.0.1:8001"], "zwei": ["127.0.0.1:8002"],
    }  # fmt: skip
    if owner == "blatt":
        hosts.pop("zweites")
    assert owners.owner(url, named_by, hosts) == owner
    assert owners.owner(url, named_by, owners.HostsOfSources(hosts)) == owner


async def test_whoever_names_a_page_first_does_not_own_it(tmp_path, site, database_url, sql_rows):
    site.pages |= {"/feed.xml": feed_of(site, "/a", "/b"), "/a": article("a"), "/b": article("b")}
    folder = tmp_path / "sources"
    configured(tmp_path, site)
    text = (folder / "blatt.toml").read_text()
    other = text.replace(f'homepage = "{site.base}/"', 'homepage = "https://sammler.example/"')
    (folder / "sammler.toml").write_text(other)
    (folder / "blatt.toml").unlink()
    async with opened_services(config.load(tmp_path), database_url) as opened:
        assert stored(await runs.crawl_source(opened, "sammler")) == 2
    assert sql_rows("SELECT source, named_by FROM news.articles") == [("sammler", [])] * 2
    changes = sql_rows("SELECT count(*) FROM news.changes")
    configured(tmp_path, site)
    async with opened_services(config.load(tmp_path), database_url) as opened:
        await runs.crawl_source(opened, "blatt")
        assert sql_rows("SELECT source, named_by FROM news.articles") == [("blatt", ["sammler"])] * 2
        assert sql_rows("SELECT count(*) FROM news.changes")[0][0] == changes[0][0] + 2
        site.pages |= {"/feed.xml": feed_of(site, "/c"), "/c": article("c")}
        await runs.crawl_source(opened, "sammler")
    assert sql_rows("SELECT source, named_by FROM news.articles WHERE url LIKE '%%/c'") == [("blatt", ["sammler"])]


# --- former names ----------------------------------------------------------------------------------------------------


async def test_a_renamed_source_keeps_what_it_has(tmp_path, site, database_url, sql_rows):
    site.pages |= {"/feed.xml": feed_of(site, "/a", "/b", "/weg"), "/a": article("a"), "/b": article("b")}
    async with opened_services(configured(tmp_path, site), database_url) as opened:
        await runs.crawl_source(opened, "blatt")
    folder, asked = tmp_path / "sources", len(site.asked)
    text = (folder / "blatt.toml").read_text()
    (folder / "blatt.toml").rename(folder / "zeitung.toml")
    (folder / "zeitung.toml").write_text('formerly = ["blatt"]\n' + text)
    async with opened_services(config.load(tmp_path), database_url) as opened:
        report = await runs.crawl_source(opened, "zeitung")
    assert stored(report) == 0
    assert not {"/a", "/b", "/weg"} & set(site.asked[asked:])
    for table in ("articles", "pages", "runs", "documents", "attempts", "archive_records"):
        assert sql_rows(f"SELECT DISTINCT source FROM ingest.{table}") == [("zeitung",)], table
    assert sql_rows("SELECT name FROM ingest.sources") == [("zeitung",)]
    pages = list(runs.stored_pages(opened, [tmp_path / "archive"], "zeitung"))
    assert [page.source for page in pages] == ["zeitung"] * 2


async def test_what_both_names_have_becomes_one(store, sql_rows):
    for name, urls in (("alt", "ab"), ("neu", "bc")):
        run = await store.begin_run(name, "crawl", "test:1")
        document = Document("https://blatt.example/feed.xml", "feed", 200, '"1"', memory="31" * 8)
        await store.enqueue(run, [Link(f"https://blatt.example/{one}", "f") for one in urls], document)
        if name == "alt":
            for target in await store.claim_batch(run, 9):
                await store.reject(run, target.url, Reason.GONE, "410", 410)
        await store.end_run(run, "finished")
    await store.save_sources([SourceRow("neu", "Neu", formerly=["alt", "nie"])])
    rows = sql_rows("SELECT right(url, 1), source, state FROM ingest.pages ORDER BY url")
    assert rows == [("a", "neu", "ended"), ("b", "neu", "ended"), ("c", "neu", "pending")]
    assert sql_rows("SELECT count(*) FROM ingest.runs WHERE source = 'neu'") == [(2,)]
    assert sql_rows("SELECT source FROM ingest.document_memories") == [("neu",)]
    assert sql_rows("SELECT name FROM ingest.sources") == [("neu",)]


async def test_a_source_that_runs_under_its_former_name_is_moved_later(store, sql_rows):
    run = await store.begin_run("alt", "crawl", "test:1")
    row = SourceRow("neu", "Neu", formerly=["alt"])
    await store.save_sources([row])
    assert sql_rows("SELECT source FROM ingest.runs") == [("alt",)]
    await store.end_run(run, "finished")
    await store.save_sources([row])
    assert sql_rows("SELECT source FROM ingest.runs") == [("neu",)]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"a": ["b"], "b": []}, "'b' has a source file of its own"),
        ({"a": ["x"], "b": ["x"]}, "'x' is a former name of 'a' already"),
        ({"a": ["Über"]}, "'Über' is no name of a source"),
        ({"a": ["replay"]}, "'replay' is no name of a source"),
    ],
)
def test_former_names_are_checked(tmp_path: Path, names, said):
    (tmp_path / "sources").mkdir()
    for name, former in names.items():
        text = f'title = "x"\nhomepage = "https://{name}.example/"\nformerly = {former!r}\n'
        (tmp_path / "sources" / f"{name}.toml").write_text(text + '[discover]\nfeeds = ["https://a.example/f"]\n')
    with pytest.raises(config.ConfigError, match=said):
        config.load(tmp_path)
