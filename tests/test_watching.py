"""Watchlists: checked like source files, matched in the article's own transaction, told until somebody listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import psycopg
import pytest

from crawler import config, runs, watching
from crawler.config import Watch
from crawler.config.values import allowed_address
from crawler.downloader.client import HttpClient
from crawler.services import open_services
from pipelines.items import Article, Page
from pipelines.store import Store
from tests.test_crawl import article, configured, site
from tests.test_search import T, keep

__all__ = ["site"]

ROOT = Path(__file__).parent.parent


def watch(name: str = "w", **more) -> Watch:
    return Watch.model_validate({"title": "Haushalt", **more}).bound(name)


async def matched(store: Store, sql_rows, *watches: Watch) -> None:
    await store.save_watchlists(watching.watch_rows(watches))


def rows(sql_rows) -> list[tuple[str, str]]:
    return sql_rows("SELECT watch, title FROM news.matches ORDER BY watch, id")


# --- files ------------------------------------------------------------------------------------------------------------


def folder(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "blatt.toml").write_text(
        'title = "Blatt"\nhomepage = "https://blatt.example/"\n[discover]\nfeeds = ["https://blatt.example/rss"]\n'
    )
    (tmp_path / "watch").mkdir()
    for name, text in files.items():
        (tmp_path / "watch" / f"{name}.toml").write_text(text)
    return tmp_path


def test_a_watchlist_is_a_file(tmp_path: Path):
    made = config.load(folder(tmp_path, eins='title = "Eins"\nwords = ["Haushalt", "Rat Köln"]\nsources = ["blatt"]'))
    assert made.watches["eins"].wanted() == '"Haushalt" or "Rat" "Köln"'
    assert made.watches["eins"].name == "eins"


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('title = "T"', "", "names nothing to look for"),
        ('title = "T"\nwords = ["a"]\nwort = 1', "wort", "did you mean 'words'"),
        ('title = "T"\nwords = ["a"]\nsources = ["blat"]', "sources", "did you mean 'blatt'"),
        ('title = "T"\nwords = ["..."]', "words[1]", "expected words"),
        ('title = "T"\nwords = ["-nicht"]', "words[1]", "use phrases and without"),
        ('title = "T"\nwords = "Rat"', "words", "list"),
        ('title = "T"\nwords = ["a"]\nwebhook = "ftp://x/"', "webhook", "http"),
        ('words = ["a"]', "title", "is missing"),
    ],
)
def test_a_mistake_in_a_watchlist_is_named(tmp_path: Path, text: str, key: str, says: str):
    with pytest.raises(config.ConfigError) as raised:
        config.load(folder(tmp_path, eins=text))
    (mistake,) = raised.value.mistakes
    assert (mistake.file.name, mistake.key) == ("eins.toml", key)
    assert says in mistake.says


def test_the_documented_watchlist_is_one(tmp_path: Path):
    text = (ROOT / "docs" / "watchlists.md").read_text("utf-8")
    table = text.partition("```toml\n")[2].partition("```")[0].replace("tagesschau", "blatt")
    made = config.load(folder(tmp_path, eins=table)).watches["eins"]
    assert set(Watch.model_fields) == {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert made.webhook


# --- matching ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        ({"words": ["haushalt"]}, True),
        ({"words": ["Haushalte"]}, True),
        ({"words": ["kaemmerer"]}, True),
        ({"words": ["streit"]}, False),
        ({"words": ["haushalt streit"]}, False),
        ({"words": ["haushalt kämmerer"]}, True),
        ({"words": ["streit", "haushalt"]}, True),
        ({"words": ["or"]}, False),
        ({"phrases": ["Kämmerer lobt"]}, True),
        ({"phrases": ["lobt Kämmerer"]}, False),
        ({"words": ["haushalt"], "without": ["Kämmerer lobt"]}, False),
        ({"words": ["haushalt"], "without": ["Kämmerer tadelt"]}, True),
        ({"words": ["haushalt"], "sources": ["a"]}, True),
        ({"words": ["haushalt"], "sources": ["b"]}, False),
        ({"words": ["haushalt"], "languages": ["de", "en"]}, True),
        ({"words": ["haushalt"], "languages": ["en"]}, False),
    ],
)
async def test_what_matches(store, sql_rows, asked: dict, matches: bool):
    await matched(store, sql_rows, watch(**asked))
    await keep(store, "1", "Der Rat tagt", "Der Kämmerer lobt den Stadthaushalt.")
    assert rows(sql_rows) == ([("w", "Der Rat tagt")] if matches else [])


async def test_a_changed_article_matches_again_and_an_unchanged_one_does_not(store, sql_rows):
    await matched(store, sql_rows, watch(words=["haushalt"]))
    for hours, text in ((0, "Der Haushalt."), (1, "Der Haushalt."), (2, "Der Haushalt steht."), (3, "Die Gebühren.")):
        await keep(store, "1", "Rat", text, at=T + timedelta(hours=hours))
    assert sql_rows("SELECT version FROM news.matches ORDER BY id") == [(1,), (2,)]


async def test_a_match_is_there_when_its_article_is_and_not_before(store, database_url, sql_rows):
    """A constraint that refuses the match refuses the article with it: one transaction."""
    await matched(store, sql_rows, watch(words=["haushalt"]))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE ingest.matches ADD CHECK (watch <> 'w')")
    run = await store.begin_run("a", "crawl", "host:1")
    page = Page(url="https://a.example/1", source="a", body=b"1", fetched_at=T)
    read = Article(page.url, page.url, "a", "Haushalt", "Der Haushalt.", T, language="de")
    assert (await store.save_article(run, page, read)).kind == "rejected"
    assert sql_rows("SELECT count(*) FROM news.articles") == [(0,)]


async def test_a_watchlist_that_is_gone_matches_no_more_and_its_matches_stay(store, sql_rows):
    await matched(store, sql_rows, watch("w", words=["haushalt"]), watch("v", words=["rat"]))
    await keep(store, "1", "Rat", "Der Haushalt.")
    await matched(store, sql_rows, watch("v", words=["rat"]))
    await keep(store, "2", "Rat", "Noch ein Haushalt.")
    assert rows(sql_rows) == [("v", "Rat"), ("v", "Rat"), ("w", "Rat")]


# --- telling ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(*statuses: str) -> AsyncIterator[tuple[int, list[dict]]]:
    """A server that answers each POST with the next of *statuses*; what it was sent."""
    answers, sent = list(statuses), []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
        assert head.startswith("POST /hook ")
        sent.append(json.loads(await reader.readexactly(length)))
        writer.write(f"HTTP/1.1 {answers.pop(0)}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], sent


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient()
    yield made
    await made.close()


def hooked(port: int, allowed: bool = True) -> Watch:
    made = watch(words=["haushalt"], webhook=f"http://127.0.0.1:{port}/hook")
    allow = [allowed_address(f"127.0.0.1/32:{port}")] if allowed else []
    return made.model_copy(update={"allow_addresses": allow}).bound("w")


async def live(store: Store, name: str) -> None:
    run = await store.begin_run("a", "crawl", "host:1")
    page = Page(url=f"https://a.example/{name}", source="a", body=name.encode(), fetched_at=T)
    await store.save_article(
        run, page, Article(page.url, page.url, "a", f"Rat {name}", f"Der Haushalt {name}.", T, language="de")
    )
    await store.end_run(run, "finished")


async def test_a_match_is_sent_once_and_again_where_it_was_not_taken(store, client, tmp_path, sql_rows):
    async with listening("500 No", "302 Found", "204 OK") as (port, sent):
        one = hooked(port)
        await store.save_watchlists(watching.watch_rows([one]))
        await live(store, "1")
        for error in ("the address answered 500", "the address answered 302"):
            (told,) = await watching.tell(store, client, [one], tmp_path)
            assert (told.sent, told.failed, told.error) == (0, 1, error)
            assert (await watching.send(store, client, one)).failed == 0  # not due yet
            assert await store.due_watchlists() == set()
            sql_rows("UPDATE ingest.matches SET next_attempt_at = now() RETURNING 1")
            assert await store.due_watchlists() == {one.name}
        (told,) = await watching.tell(store, client, [one], tmp_path)
        assert (told.sent, told.error) == (1, None)
        (told,) = await watching.tell(store, client, [one], tmp_path)
        assert told.sent == 0
    assert [message["matches"][0]["title"] for message in sent] == ["Rat 1"] * 3
    assert sql_rows("SELECT attempts, error, delivered_at IS NULL FROM news.matches") == [(3, None, False)]


@pytest.mark.parametrize(
    ("asked", "waits"),
    [("Retry-After: 3600", 3600), ("Retry-After: 30", 60), ("Retry-After: 999999999", 6 * 3600),
     ("Retry-After: bald", 60), ("X: 1", 60)],
)  # fmt: skip
async def test_who_asks_for_time_has_it(store, client, tmp_path, sql_rows, asked: str, waits: int):
    """A receiver that counts requests says when it takes the next one: not before that, and within six hours."""
    async with listening(f"429 Too Many\r\n{asked}") as (port, _):
        one = hooked(port)
        await store.save_watchlists(watching.watch_rows([one]))
        await live(store, "1")
        before = sql_rows("SELECT now()")[0][0]
        assert (await watching.send(store, client, one)).error == "the address answered 429"
    [(at, now)] = sql_rows("SELECT next_attempt_at, now() FROM ingest.matches")
    assert before + timedelta(seconds=waits) <= at <= now + timedelta(seconds=waits)


async def test_the_last_try_is_the_last_one_whatever_the_address_asks_for(store, client, tmp_path, sql_rows):
    async with listening("429 Too Many\r\nRetry-After: 3600") as (port, _):
        one = hooked(port)
        await store.save_watchlists(watching.watch_rows([one]))
        await live(store, "1")
        sql_rows("UPDATE ingest.matches SET attempts = 11 RETURNING 1")
        assert (await watching.send(store, client, one)).failed == 1
    assert sql_rows("SELECT attempts, next_attempt_at FROM ingest.matches") == [(12, None)]


async def test_an_address_that_never_answers_holds_up_no_crawl_and_no_other_watchlist(tmp_path, site, database_url):
    held, released, taken = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def takes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        taken.set()
        writer.close()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.set()
        await released.wait()
        writer.close()

    hanging = await asyncio.start_server(never, "127.0.0.1", 0)
    taking = await asyncio.start_server(takes, "127.0.0.1", 0)
    async with hanging, taking:
        configured(tmp_path, site)
        (tmp_path / "watch").mkdir()
        for name, server in (("a", hanging), ("b", taking)):
            to = server.sockets[0].getsockname()[1]
            (tmp_path / "watch" / f"{name}.toml").write_text(
                f'title = "{name}"\nwords = ["Brücke"]\nwebhook = "http://127.0.0.1:{to}/hook"\n'
                'allow_addresses = ["127.0.0.1/32:*"]\n'
            )
        site.pages["/a"] = article(1)
        site.feed("/a")
        async with open_services(config.load(tmp_path), database_url) as services:
            report = await runs.crawl_source(services, "blatt")
            await held.wait()
            assert (report.outcome, report.counts.new, released.is_set()) == ("finished", 1, False)
            await taken.wait()
            released.set()
            await services.notifier.close()


async def test_what_is_stored_while_a_watchlist_is_told_of_is_told_of_after_that(monkeypatch):
    monkeypatch.setattr(watching, "PAUSE", 0)
    told, feeds, go_on, names = [], [], asyncio.Event(), asyncio.Queue()
    hook = "http://127.0.0.1:9/hook"
    lists = [watch("slow", words=["a"], webhook=hook), watch("quick", words=["a"], webhook=hook)]

    async def write(some: list[Watch]) -> None:
        feeds.append(sorted(one.name for one in some))

    async def send(one: Watch) -> None:
        told.append(one.name)
        names.put_nowait(one.name)
        if one.name == "slow":
            await go_on.wait()

    failed = set()

    async def due() -> set[str]:
        return failed

    notifier = watching.Notifier(lambda: [*lists, watch("silent", words=["a"])], write, send, due)
    notifier.wake()
    assert {await names.get(), await names.get()} == {"slow", "quick"}
    notifier.wake(["quick", "slow"])
    notifier.wake(["quick"])
    assert await names.get() == "quick"
    go_on.set()
    await notifier.drain(60)
    assert sorted(told) == ["quick", "quick", "slow", "slow"]
    assert feeds == [["quick", "silent", "slow"], ["quick", "slow"]]
    told.clear()
    failed.add("slow")
    notifier.wake(())  # what no list wants was stored: who was not reached is asked again, and no feed is written
    await notifier.drain(60)
    assert (told, len(feeds)) == (["slow"], 2)
    failed.clear()
    notifier.wake(())
    await notifier.drain(60)
    assert told == ["slow"]


async def test_an_outcome_names_the_watchlists_that_the_article_matches_now(store):
    await store.save_watchlists(watching.watch_rows([watch("a", words=["haushalt"]), watch("b", words=["gericht"])]))
    run = await store.begin_run("a", "crawl", "host:1")
    page = Page(url="https://a.example/1", source="a", body=b"1", fetched_at=T)
    read = Article(page.url, page.url, "a", "Rat", "Der Haushalt steht.", T, language="de")
    assert (await store.save_article(run, page, read)).watches == ("a",)
    assert (await store.save_article(run, page, read)).watches is None  # the same once more: written before


async def test_no_private_address_is_asked_unless_the_file_allows_it(store, client, tmp_path, sql_rows):
    async with listening() as (port, sent):
        one = hooked(port, allowed=False)
        await store.save_watchlists(watching.watch_rows([one]))
        await live(store, "1")
        (told,) = await watching.tell(store, client, [one], tmp_path)
    assert "not a public address" in told.error
    assert sent == []


async def test_what_a_replay_brings_is_a_match_and_not_sent(store, client, sql_rows):
    one = hooked(9)
    await store.save_watchlists(watching.watch_rows([one]))
    await keep(store, "1", "Rat", "Der Haushalt.")
    assert rows(sql_rows) == [("w", "Rat")]
    assert await store.claim_matches("w", 10) == []


async def test_the_feed_has_each_article_once_latest_first_and_any_sign(store, client, tmp_path):
    one = watch(words=["haushalt"])
    await store.save_watchlists(watching.watch_rows([one]))
    await keep(store, "1", "Rat <b>&amp;", "Der Haushalt.", teaser="]]> „so“ & so", authors=("Ada Kern", "Bo"))
    await keep(store, "1", "Rat <b>&amp;", "Der Haushalt steht.", at=T + timedelta(hours=1))
    await keep(store, "2", "Zwei", "Noch ein Haushalt.")
    await watching.tell(store, client, [one], tmp_path / "feeds")
    text = (tmp_path / "feeds" / "w.atom").read_bytes()
    feed = feedparser.parse(text)
    assert not feed.bozo
    assert [entry.title_detail.value for entry in feed.entries] == ["Zwei", "Rat <b>&amp;"]
    assert feed.entries[1].link == "https://a.example/1"
    await watching.tell(store, client, [one], tmp_path / "feeds")
    assert (tmp_path / "feeds" / "w.atom").read_bytes() == text
    assert [file.name for file in (tmp_path / "feeds").iterdir()] == ["w.atom"]


def test_what_xml_cannot_hold_is_left_out_of_a_feed():
    unfit = "".join(map(chr, {*range(32), 0xFFFE, 0xFFFF} - {9, 10, 13}))
    row = {
        "article_id": 1,
        "title": f"Vor{unfit} & \x7f\ud800\U0001f600\tnach",
        "url": "https://a.example/1",
        "source": "a",
    }
    row |= {"matched_at": datetime(2026, 1, 1, tzinfo=UTC), "published_at": None, "authors": [], "teaser": None}
    written = watching.atom("w", "W", [row])
    assert b"<title>Vor &amp; \x7f&#55296;\xf0\x9f\x98\x80\tnach</title>" in written


def test_an_empty_feed_is_a_feed():
    feed = feedparser.parse(watching.atom("w", "W", []))
    assert (feed.bozo, feed.feed.title, feed.entries) == (False, "W", [])
    assert datetime(2000, 1, 1, tzinfo=UTC).isoformat() == feed.feed.updated
