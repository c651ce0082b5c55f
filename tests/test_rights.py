"""What sites say about mining, archiving and licences: read, kept with its history, and what follows from it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from crawler import config
from crawler.downloader.errors import ShutdownError
from crawler.rights import TdmFiles
from crawler.robots_txt import judged_all
from crawler.runs import crawl_source
from crawler.services import open_services
from crawler.shutdown import Shutdown
from pipelines.items import Article, Page, Reason, Rejected, Rights, Statements
from pipelines.reading import read, rights, shipped_rules
from pipelines.reading.page import structured
from pipelines.reading.rules import RightsPolicy
from pipelines.store import Archived
from tests.small_sites import NOW, SmallSite, article, paths_of, rss, served

URL = "https://bote.example/politik/hafen-123"


def of(head: str = "", tdmrep: Any = None, crawlers: tuple[str, ...] = (), body: str = "", **headers: str) -> Rights:
    """The rights in a page with this head, these headers, this tdmrep.json."""
    tree = lxml.html.document_fromstring(f"<html><head><title>x</title>{head}</head><body>{body}</body></html>")
    file = json.dumps(tdmrep).encode() if tdmrep is not None else b""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    page = Page(URL, "bote", b"", NOW, statements=Statements(pairs, crawlers, file))
    return rights.rights_of(page, structured.collect(tree, URL))


def test_every_place_is_read():
    assert of() == Rights()
    found = of(crawlers=("gptbot",))
    assert (found.ai_crawlers_disallowed, found.stated_in) == (("gptbot",), ("robots.txt",))
    found = of(
        "<meta name=ROBOTS content='index, NOAI, NoArchive, max-image-preview:large'><meta name=gptbot content=noindex>"
    )
    assert found.robots_directives == ("noai", "noarchive", "gptbot: noindex") and found.stated_in == ("meta robots",)
    found = of(X_Robots_Tag="noindex, ccbot: noarchive, nofollow, unavailable_after: 25 Jun 2027 15:00:00 GMT")
    assert found.robots_directives[:3] == ("noindex", "ccbot: noarchive", "ccbot: nofollow")
    found = of(TDM_Reservation="1", TDM_Policy="/tdm.json")
    assert (found.tdm_reserved, found.tdm_policy) == (True, "https://bote.example/tdm.json")
    assert found.stated_in == ("tdm header",)
    assert of(Link='<https://a.example/x>; rel="next", </terms>; rel="license"').license == "https://bote.example/terms"
    assert of('<link rel="license" href="/cc">').license == "https://bote.example/cc"
    assert of(body='<p><a rel="license noopener" href="/cc-by">CC</a>').license == "https://bote.example/cc-by"
    data = {"@type": "NewsArticle", "headline": "x", "license": {"@type": "CreativeWork", "name": "CC BY 4.0"}}
    found = of(f"<script type='application/ld+json'>{json.dumps(data)}</script>")
    assert (found.license, found.stated_in) == ("CC BY 4.0", ("json-ld",))


def test_of_the_tdm_protocol_the_nearest_statement_counts():
    rules = [
        {"location": "/sport/*", "tdm-reservation": 0},
        {"location": "/", "tdm-reservation": 1, "tdm-policy": "/p"},
    ]
    found = of(tdmrep=rules)
    assert found == Rights(True, "https://bote.example/p", stated_in=("tdmrep.json",))
    assert of(tdmrep=rules, TDM_Reservation="0").tdm_reserved is False
    assert of('<meta name="tdm-reservation" content="1">', tdmrep=rules, TDM_Reservation="0").tdm_reserved is True
    # without a policy of its own, the nearer statement has none
    assert of('<meta name="tdm-reservation" content="1">', tdmrep=rules).tdm_policy is None


@pytest.mark.parametrize(
    ("location", "matches"),
    [
        ("/", True), ("/politik", True), ("/politik/*-123", True), ("*/hafen*", True), ("/politik$", False),
        ("/politik/hafen-123$", True), ("*123$", True), ("/sport", False), ("/*a*f*n*z", False), (None, False),
        ("", True),
    ],
)  # fmt: skip
def test_a_location_is_matched_as_in_robots_txt(location: Any, matches: bool):
    assert (of(tdmrep=[{"location": location, "tdm-reservation": "1"}]).tdm_reserved is True) is matches


@pytest.mark.parametrize(
    "file",
    [
        b"{", b"[" * 50_000, b"\xff\xfe", b"3", b"[null]", b'[{"location": ["/"], "tdm-reservation": 1}]',
        b'[{"location": "/", "tdm-reservation": "maybe"}]', b"x" * 70_000,
    ],
)  # fmt: skip
def test_what_a_file_says_badly_is_not_said(file: bytes):
    page = Page(URL, "bote", b"", NOW, statements=Statements(tdmrep=file))
    assert rights.rights_of(page) == Rights()


def test_ai_crawlers_are_those_that_a_group_of_their_own_keeps_from_the_page():
    robots = b"User-agent: GPTBot\nUser-Agent: CCBot\nDisallow: /\n\nUser-agent: ClaudeBot\nDisallow: /archiv/\n"
    robots += b"\nUser-agent: *\nDisallow: /login\n"
    both = judged_all(robots, "nachlese", [URL, "https://bote.example/archiv/1"])
    assert [one.ai_crawlers_disallowed for one in both] == [("ccbot", "gptbot"), ("ccbot", "claudebot", "gptbot")]
    assert judged_all(b"", "nachlese", [URL])[0].ai_crawlers_disallowed == ()


def test_what_follows_is_the_operators_to_say():
    rules = shipped_rules()
    body = article(3, head='<meta name="robots" content="noai">').encode()
    page = Page(URL, "bote", body, NOW, statements=Statements(ai_crawlers_disallowed=("gptbot",)))
    found = read(page, rules)
    assert found.rights.robots_directives == ("noai",) and found.text and not found.text_withheld
    withheld = read(page, replace(rules, rights=RightsPolicy("do_not_store_text")))
    assert withheld.text_withheld and withheld.title == found.title
    assert (withheld.text, withheld.text_markdown, withheld.headings, withheld.removed) == ("", "", (), ())
    with pytest.raises(Rejected) as rejected:
        read(page, replace(rules, rights=RightsPolicy("do_not_fetch")))
    assert rejected.value.reason is Reason.RIGHTS
    assert read(page, replace(rules, rights=RightsPolicy("do_not_fetch", ("noarchive",)))).text
    with pytest.raises(Rejected, match="gptbot"):
        read(page, replace(rules, rights=RightsPolicy("do_not_fetch", ("ai_crawlers",))))


def test_the_setting_is_checked(tmp_path: Path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "settings.toml").write_text('[rights]\nthen = "forget"\non = ["prose"]\n')
    with pytest.raises(config.ConfigError) as wrong:
        config.load(tmp_path)
    assert "rights.then" in str(wrong.value) and "rights.on[1]" in str(wrong.value)
    (tmp_path / "settings.toml").write_text('[rights.sources]\nbote = "do_not_fetch"\n')
    with pytest.raises(config.ConfigError, match="there is no source 'bote'"):
        config.load(tmp_path)


async def test_what_was_said_is_kept_with_its_history(store, sql_rows):
    run = await store.begin_run("bote", "crawl", "host:1")

    async def keep(hours: int, said: Rights, is_known: bool = True) -> None:
        at = NOW + timedelta(hours=hours)
        page = Page(URL, "bote", b"x", at, statements=Statements() if is_known else None)
        read = Article(URL, URL, "bote", "Der Hafen", "Der Hafen bleibt zu.", at, language="de", rights=said)
        await store.save_article(run, page, read, Archived("a.warc.gz", hours, 10))

    reserved = Rights(True, "https://bote.example/p", ("noai",), ("gptbot",), None, ("tdmrep.json",))
    await keep(0, Rights())
    assert sql_rows("SELECT count(*) FROM news.rights") == [(0,)]
    await keep(1, reserved)
    await keep(2, reserved)
    await keep(3, Rights(), is_known=False)  # a page of an archive knows nothing of the response
    await keep(4, Rights(license="CC BY", stated_in=("json-ld",)))
    rows = sql_rows(
        "SELECT stated_at, until, tdm_reserved, robots_directives, license FROM news.rights ORDER BY stated_at"
    )
    first, last = NOW + timedelta(hours=1), NOW + timedelta(hours=4)
    assert rows == [(first, last, True, ["noai"], None), (last, None, None, [], "CC BY")]
    now = sql_rows("SELECT tdm_reserved, ai_crawlers_disallowed, license, rights_stated_in, version FROM news.articles")
    assert now == [(None, [], "CC BY", ["json-ld"], 1)]
    [row] = await store.rights(datetime(2020, 1, 1, tzinfo=UTC))
    assert (row["articles"], row["licensed"], row["license"]) == (1, 1, "CC BY")


async def test_a_file_that_an_ending_crawl_asked_for_is_asked_for_again():
    files, ended = TdmFiles(lambda: NOW), asyncio.Event()
    ending, other = Shutdown(), Shutdown()

    async def broken_off(url: str) -> bytes:
        await ended.wait()
        raise ShutdownError("the crawl is ending")

    async def answered(url: str) -> bytes:
        return url.encode()

    first = asyncio.ensure_future(ending.run(ending.outlasting(lambda: files.of(URL, broken_off))))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(other.run(other.outlasting(lambda: files.of(URL, answered))))
    await asyncio.sleep(0)
    ending.stopping = True
    ended.set()
    assert await second == b"https://bote.example/.well-known/tdmrep.json"
    with pytest.raises(ShutdownError):
        await first


async def test_what_one_source_may_not_reach_is_no_answer_for_another():
    files, asked = TdmFiles(lambda: NOW), []

    async def get(url: str, body: bytes) -> bytes:
        asked.append(body)
        return body

    async def of(trust: str) -> bytes:
        return await files.of(URL, lambda url: get(url, trust.encode()), trust)

    both = await asyncio.gather(of("nobody"), of("loopback"), of("loopback"))
    assert both == [b"nobody", b"loopback", b"loopback"] and asked == [b"nobody", b"loopback"]
    assert await of("loopback") == b"loopback" and len(asked) == 2


async def test_a_crawl_reads_what_is_said_and_obeys_the_setting(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, sql_rows
):
    paths = list(paths_of(3))
    feed = rss(dict.fromkeys(paths, NOW))
    robots = "User-agent: GPTBot\nDisallow: /\n"
    reserved = ('[{"location": "/", "tdm-reservation": 1}]', "application/json")
    pages = {
        "/f.xml": feed,
        "/robots.txt": (robots, "text/plain"),
        **{path: article(n) for n, path in enumerate(paths)},
    }
    recorded = SmallSite(dict(pages), headers={"X-Robots-Tag": "noarchive"})
    withheld = SmallSite(pages | {paths[0]: article(7, head='<meta name="robots" content="noai">')})
    unasked = SmallSite(pages | {"/.well-known/tdmrep.json": reserved})
    monkeypatch.setenv("NACHLESE_HOME", str(tmp_path / "home"))
    (tmp_path / "sources").mkdir()
    async with served(recorded, withheld, unasked):
        for name, site in (("recorded", recorded), ("withheld", withheld), ("unasked", unasked)):
            (tmp_path / "sources" / f"{name}.toml").write_text(
                f'title = "{name}"\nhomepage = "{site.base}/"\n[discover]\nfeeds = ["{site.base}/f.xml"]\n'
                '[fetch]\nallow_addresses = ["127.0.0.1/32"]\n'
            )
        (tmp_path / "settings.toml").write_text(
            '[politeness]\ndelay = "0 seconds"\njitter = "0 seconds"\n[crawl]\nreaders = 1\n[rights.sources]\n'
            'withheld = "do_not_store_text"\nunasked = "do_not_fetch"\n'
        )
        async with open_services(config.load(tmp_path), database_url) as services:
            for name in ("recorded", "withheld", "unasked"):
                await crawl_source(services, name)
    assert sql_rows(
        "SELECT source, count(*), count(*) FILTER (WHERE text = ''), count(*) FILTER (WHERE text_withheld),"
        " min(ai_crawlers_disallowed::text), min(robots_directives::text)"
        " FROM news.articles GROUP BY source ORDER BY source"
    ) == [
        ("recorded", 3, 0, 0, "{gptbot}", "{noarchive}"),
        ("withheld", 3, 1, 1, "{gptbot}", "{noai}"),
    ]
    assert sql_rows("SELECT DISTINCT source, reason FROM news.rejections") == [("unasked", "rights")]
    assert sorted(unasked.asked) == ["/.well-known/tdmrep.json", "/f.xml", "/robots.txt"]
    assert recorded.asked.count("/.well-known/tdmrep.json") == 1
    archived = sql_rows("SELECT source, count(*) FROM news.archive_records GROUP BY source ORDER BY source")
    assert archived == [("recorded", 3), ("withheld", 2)]
