"""The store keeps what it was given: nothing lost, nothing doubled, whoever else writes at the same time."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines import database
from pipelines.items import Article, Hint, Link, Page, Precision, Provenance, Reason, Removed
from pipelines.recheck import LOOKS_AT_GONE
from pipelines.store import Archived, Document, HostBackoff, HostState, Run, SourceRow, Store
from pipelines.store.takeovers import LostLease

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FEED = "https://news.example/feed.xml"
WORDS = "Der Rat der Stadt hat am Montag den Haushalt für das kommende Jahr beschlossen und dabei viel gestrichen"


def words_of(number: int) -> str:
    """A text that has not a word in common with that of another number."""
    return " ".join(f"wort{number}x{place}" for place in range(30))


def page(url: str = "https://news.example/a", source: str = "example", at: datetime = T, body: bytes = b"1") -> Page:
    return Page(url=url, source=source, body=body, fetched_at=at)


def article(of: Page, text: str = WORDS, title: str = "Haushalt beschlossen", **more) -> Article:
    more.setdefault("canonical_url", of.url)
    return Article(url=of.url, source=of.source, title=title, text=text, fetched_at=of.fetched_at, **more)


async def begin(store: Store, source: str | None = "example", kind: str = "crawl", **more) -> Run:
    run = await store.begin_run(source, kind, "host:1", **more)
    assert run is not None
    return run


def links(*urls: str) -> list[Link]:
    return [Link(url, FEED) for url in urls]


async def enqueue(store: Store, run: Run, *urls: str, **document):
    return await store.enqueue(run, links(*urls), Document(FEED, "feed", status=200, links=len(urls), **document))


# ---------------------------------------------------------------------------------------------------------------------
# where a page ends


async def test_a_first_page_is_new_and_stored_whole(store, sql_rows):
    run = await begin(store)
    found = page()
    read = article(
        found,
        teaser="Die Opposition protestiert.",
        authors=("Ada Kern", "Bo Lund"),
        keywords=("Haushalt",),
        section="Politik",
        published_at=T - timedelta(hours=2),
        published_precision=Precision.MINUTE,
        published_provenance=Provenance.JSONLD,
        details={"Ort": "Köln", "Quellen": ["a", "b"]},
        removed=(Removed("Mehr zum Thema", "related"),),
        pages_read=1,
        pages_total=3,
        language="de",
    )
    outcome = await store.save_article(run, found, read, Archived("nachlese-20260301-1-1.warc.gz", 0, 500))
    assert (outcome.kind, outcome.version, outcome.copy_of) == ("new", 1, None)
    row = await store.article(found.url)
    assert row["id"] == outcome.article_id
    assert (row["title"], row["teaser"], row["text"]) == ("Haushalt beschlossen", "Die Opposition protestiert.", WORDS)
    assert (row["authors"], row["details"]) == (["Ada Kern", "Bo Lund"], {"Ort": "Köln", "Quellen": ["a", "b"]})
    assert (row["published_at"], row["published_precision"], row["published_provenance"]) == (
        T - timedelta(hours=2), "minute", "jsonld",
    )  # fmt: skip
    assert (row["sections"], row["pages_total"], row["word_count"]) == (["Politik"], 3, len(WORDS.split()))
    assert row["removed"] == [{"rule": "related", "text": "Mehr zum Thema"}]
    assert sql_rows("SELECT file, record_offset, length FROM ingest.archive_records") == [
        ("nachlese-20260301-1-1.warc.gz", 0, 500)
    ]


async def test_the_same_text_again_is_unchanged(store, sql_rows):
    run = await begin(store)
    await store.save_article(run, page(), article(page()))
    later = page(at=T + timedelta(hours=1), body=b"2")
    outcome = await store.save_article(run, later, article(later, text=f"  {WORDS.upper()}.\n\n"))
    assert (outcome.kind, outcome.version) == ("unchanged", 1)
    assert sql_rows("SELECT version, fetched_at FROM news.articles") == [(1, later.fetched_at)]


async def test_a_changed_text_is_a_new_version_and_the_old_one_stays(store, sql_rows):
    run = await begin(store)
    await store.save_article(run, page(), article(page()))
    later = page(at=T + timedelta(hours=1), body=b"2")
    outcome = await store.save_article(run, later, article(later, text=WORDS + " und verschoben"))
    assert (outcome.kind, outcome.version) == ("new_version", 2)
    assert sql_rows("SELECT version, text FROM news.articles") == [(2, WORDS + " und verschoben")]
    assert sql_rows("SELECT version, is_current, text FROM news.versions ORDER BY version") == [
        (1, False, WORDS),
        (2, True, WORDS + " und verschoben"),
    ]
    assert sql_rows("SELECT version, title_changed, text_changed, words_after - words_before FROM news.revisions") == [
        (2, False, True, 2)
    ]


async def test_a_changed_headline_is_a_new_version_too(store):
    run = await begin(store)
    await store.save_article(run, page(), article(page()))
    later = page(at=T + timedelta(hours=1))
    assert (await store.save_article(run, later, article(later, title="Haushalt steht"))).kind == "new_version"


async def test_the_same_text_elsewhere_is_a_visible_copy_of_the_first(store, sql_rows):
    run = await begin(store)
    first = await store.save_article(run, page(), article(page()))
    other = page("https://other.example/x", source="other", at=T + timedelta(minutes=5))
    outcome = await store.save_article(run, other, article(other, title="Stadt spart"))
    assert (outcome.kind, outcome.copy_of) == ("copy", first.article_id)
    assert sql_rows("SELECT source, title, copy_of FROM news.articles ORDER BY id") == [
        ("example", "Haushalt beschlossen", None),
        ("other", "Stadt spart", first.article_id),
    ]
    assert sql_rows("SELECT original_id, copy_id, copy_source FROM news.copies") == [
        (first.article_id, outcome.article_id, "other")
    ]


async def test_a_copy_that_gets_a_text_of_its_own_is_a_copy_no_more(store):
    run = await begin(store)
    await store.save_article(run, page(), article(page()))
    other = page("https://other.example/x")
    await store.save_article(run, other, article(other))
    other = replace(other, fetched_at=T + timedelta(hours=1), body=b"2")
    assert (
        await store.save_article(run, other, article(other, text="Ein ganz anderer Text steht jetzt hier"))
    ).copy_of is None
    assert (await store.article(other.url))["copy_of"] is None


async def test_two_articles_that_swap_their_texts_do_not_point_in_a_circle(store, sql_rows):
    run = await begin(store)
    a, b, other = page(), page("https://news.example/b"), "Der zweite Text handelt von etwas anderem"
    await store.save_article(run, a, article(a, text=WORDS))
    await store.save_article(run, b, article(b, text=other))
    a, b = (replace(p, fetched_at=T + timedelta(hours=1), body=b"2") for p in (a, b))
    await store.save_article(run, b, article(b, text=WORDS))
    await store.save_article(run, a, article(a, text=other))
    assert sql_rows("SELECT count(*) FROM news.copies") == [(1,)]


async def test_spellings_of_one_address_are_one_article(store):
    run = await begin(store)
    first = await store.save_article(run, page(), article(page()))
    again = page("http://NEWS.example:80/a?utm_source=x#top", at=T + timedelta(minutes=1))
    outcome = await store.save_article(run, again, article(again))
    assert (outcome.kind, outcome.article_id) == ("unchanged", first.article_id)


async def test_a_print_view_of_an_article_makes_no_versions(store, sql_rows):
    run = await begin(store)

    async def look(url: str, text: str, hour: int) -> tuple[str, int]:
        seen = page(url, at=T + timedelta(hours=hour), body=text.encode())
        outcome = await store.save_article(run, seen, article(seen, text=text, canonical_url="https://news.example/a"))
        return outcome.kind, outcome.version

    own, print_view = "https://news.example/a", "https://news.example/a/print"
    assert await look(print_view, WORDS, 0) == ("new", 1)
    assert await look(print_view, WORDS + " und gut", 1) == ("new_version", 2)  # all that is known of it yet
    assert await look(own, WORDS + " und sehr gut", 2) == ("new_version", 3)
    assert await look(print_view, WORDS + " und gut", 3) == ("unchanged", 3)
    assert await look(own, WORDS + " und schlecht", 4) == ("new_version", 4)
    assert sql_rows("SELECT url, canonical_url, version FROM news.articles") == [(own, own, 4)]


async def test_files_of_one_article_are_its_versions(store):
    run = await begin(store, None, "replay")
    for number in (1, 2):
        file = page(f"file:///tmp/{number}.html", at=T + timedelta(hours=number), body=bytes([number]))
        read = article(file, text=f"{WORDS} {number}", canonical_url="https://news.example/a")
        assert (await store.save_article(run, file, read)).version == number


def of_section(number: int, **more) -> tuple[Page, Article]:
    """A page of a section whose template names the section's address as canonical of each."""
    found = page(f"https://news.example/lokales/bericht-{number}", body=b"%d" % number, **more)
    title = f"Bericht{number} Hafen{number} Brücke{number}"
    return found, article(found, words_of(number), title, canonical_url="https://news.example/lokales/alles")


async def test_a_canonical_that_other_articles_name_too_is_not_believed_and_what_was_is_mended(store, sql_rows):
    run = await begin(store)
    endings = [await store.save_article(run, *of_section(number)) for number in (1, 2, 3)]
    assert [outcome.kind for outcome in endings] == ["new", "new", "new"]
    assert sql_rows("SELECT canonical_url FROM news.articles ORDER BY id") == [
        (f"https://news.example/lokales/bericht-{number}",) for number in (1, 2, 3)
    ]
    again = [await store.save_article(run, *of_section(number, at=T + timedelta(hours=1))) for number in (1, 2, 3)]
    assert [(outcome.kind, outcome.article_id) for outcome in again] == [
        ("unchanged", outcome.article_id) for outcome in endings
    ]


async def test_pages_of_one_batch_with_one_canonical_are_articles_of_their_own(store, sql_rows):
    run = await begin(store)
    endings = await asyncio.gather(*(store.save_article(run, *of_section(number)) for number in (1, 2, 3, 4)))
    assert [outcome.kind for outcome in endings] == ["new"] * 4
    assert sql_rows("SELECT count(DISTINCT canonical_url), count(*) FROM news.articles") == [(4, 4)]


async def test_a_further_page_of_an_article_is_no_article_of_its_own(store, sql_rows):
    run = await begin(store)
    first = page("https://news.example/a")
    second = page("https://news.example/a/weiter", body=b"2")
    await store.save_article(run, first, article(first, words_of(1)))
    outcome = await store.save_article(run, second, article(second, words_of(2), canonical_url=first.url))
    assert (outcome.kind, sql_rows("SELECT count(*) FROM news.articles")) == ("unchanged", [(1,)])


async def test_a_canonical_address_on_another_site_does_not_overwrite_its_article(store, sql_rows):
    run = await begin(store)
    first = await store.save_article(run, page(), article(page()))
    thief = page("https://thief.example/a", source="thief")
    outcome = await store.save_article(run, thief, article(thief, text="Kaufen Sie jetzt", canonical_url=page().url))
    assert outcome.article_id != first.article_id
    assert sql_rows("SELECT text FROM news.articles WHERE id = %s", first.article_id) == [(WORDS,)]


async def test_reading_the_same_bytes_better_rewrites_the_version(store, sql_rows):
    run = await begin(store)
    await store.save_article(run, page(), article(page(), text=WORDS + " Newsletter bestellen", reader_version="1"))
    replay = await begin(store, None, "replay")
    outcome = await store.save_article(replay, page(), article(page(), reader_version="2", authors=("Ada Kern",)))
    assert (outcome.kind, outcome.version) == ("new_version", 1)
    assert sql_rows("SELECT version, text, authors FROM news.versions") == [(1, WORDS, ["Ada Kern"])]
    outcome = await store.save_article(await begin(store, None, "replay"), page(), article(page(), reader_version="3"))
    assert outcome.kind == "unchanged"
    assert sql_rows("SELECT authors, reader_version FROM news.articles") == [([], "3")]


async def test_a_replay_in_any_order_ends_at_the_latest_fetch(store, sql_rows):
    fetches = [page(at=T + timedelta(hours=hour), body=bytes([hour])) for hour in range(4)]
    run = await begin(store, None, "replay")
    for hour in (3, 0, 2, 1):
        await store.save_article(run, fetches[hour], article(fetches[hour], text=f"{WORDS} Fassung {hour}"))
    assert sql_rows("SELECT text, first_seen_at, fetched_at FROM news.articles") == [
        (f"{WORDS} Fassung 3", T, T + timedelta(hours=3))
    ]
    again = await begin(store, None, "replay")
    kinds = [
        (await store.save_article(again, p, article(p, text=f"{WORDS} Fassung {h}"))).kind
        for h, p in enumerate(fetches)
    ]
    assert kinds == ["unchanged"] * 4
    assert sql_rows("SELECT count(*) FROM news.versions") == [(4,)]


async def test_preview_says_where_a_page_would_end_and_writes_nothing(store, sql_rows):
    assert (await store.preview(page(), article(page()))).kind == "new"
    await store.save_article(await begin(store), page(), article(page()))
    assert (await store.preview(page(), article(page()))).kind == "unchanged"
    other = page("https://other.example/x")
    assert (await store.preview(other, article(other))).kind == "copy"
    assert sql_rows("SELECT count(*) FROM news.articles") == [(1,)]


# ---------------------------------------------------------------------------------------------------------------------
# what cannot be stored


async def test_nul_and_lone_surrogates_are_taken_out(store):
    run = await begin(store)
    read = article(page(), text=f"a\x00b {WORDS}\ud800", title="T\x00itel \udfff", details={"k\x00": ["v\ud83d"]})
    assert (await store.save_article(run, page(), read)).kind == "new"
    row = await store.article(page().url)
    assert (row["title"], row["text"], row["details"]) == ("Titel ", f"ab {WORDS}", {"k": ["v"]})


async def test_impossible_dates_are_left_out(store):
    run = await begin(store)
    read = article(
        page(),
        published_at=datetime(9999, 1, 1, tzinfo=UTC),
        published_precision=Precision.DAY,
        published_provenance=Provenance.META,
        modified_at=datetime(1970, 1, 1, tzinfo=UTC),
    )
    await store.save_article(run, page(), read)
    row = await store.article(page().url)
    assert (row["published_at"], row["published_precision"], row["modified_at"]) == (None, None, None)


async def test_one_bad_row_costs_only_itself(store, sql_rows):
    run = await begin(store)
    pages = [page(f"https://news.example/{n}") for n in range(30)]
    read = [article(p, text=words_of(n), title=" " if n == 7 else "Titel") for n, p in enumerate(pages)]
    endings = await asyncio.gather(*(store.save_article(run, p, a) for p, a in zip(pages, read, strict=True)))
    assert [outcome.kind for outcome in endings] == ["new"] * 7 + ["rejected"] + ["new"] * 22
    assert endings[7].reason == Reason.UNSTORABLE
    assert "versions" in endings[7].detail
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.new, counts.rejected, counts.reasons) == (30, 29, 1, {"unstorable": 1})
    assert sql_rows("SELECT url, reason FROM news.rejections") == [("https://news.example/7", "unstorable")]


async def test_a_page_without_a_time_zone_is_unstorable_and_named(store):
    run = await begin(store)
    naive = page(at=datetime(2026, 3, 1, 12, 0))
    outcome = await store.save_article(run, naive, article(naive))
    assert (outcome.kind, outcome.reason) == ("rejected", Reason.UNSTORABLE)


async def test_addresses_longer_than_an_index_row_are_kept(store):
    run = await begin(store)
    url = "https://news.example/" + "ä/" * 3000
    await store.reject(run, url, Reason.BAD_URL, "too long")
    assert (await store.end_run(run, "finished")).rejected == 1


# ---------------------------------------------------------------------------------------------------------------------
# again, and at the same time


async def test_keeping_the_same_fetch_again_changes_nothing(store, sql_rows):
    run = await begin(store)
    first = await store.save_article(run, page(), article(page()))
    again = await store.save_article(run, page(), article(page()))
    assert again == first
    assert (await store.end_run(run, "finished")).found == 1
    assert sql_rows("SELECT count(*) FROM ingest.attempts") == [(1,)]


async def test_many_writers_of_the_same_pages_make_one_article_each_and_one_first_per_text(database_url, sql_rows):
    addresses, texts, writers = 20, 7, 8
    stores = [await Store.open(database_url) for _ in range(writers)]

    async def write(number: int) -> list[str]:
        store = stores[number]
        run = await begin(store, f"source{number}")
        fetched = [page(f"https://news.example/{n}", source=f"source{number}") for n in range(addresses)]
        if number % 2:
            fetched.reverse()
        read = [article(p, text=words_of(int(p.url.rsplit("/", 1)[1]) % texts)) for p in fetched]
        endings = await asyncio.gather(*(store.save_article(run, p, a) for p, a in zip(fetched, read, strict=True)))
        counts = await store.end_run(run, "finished")
        assert counts.found == addresses
        return [outcome.kind for outcome in endings]

    kinds = [
        kind for written in await asyncio.gather(*(write(number) for number in range(writers))) for kind in written
    ]
    for store in stores:
        await store.close()
    assert sql_rows("SELECT count(*), count(DISTINCT canonical_url) FROM news.articles") == [(addresses, addresses)]
    assert sql_rows("SELECT count(*), count(DISTINCT text) FROM news.articles WHERE copy_of IS NULL") == [
        (texts, texts)
    ]
    assert sql_rows("SELECT count(*) FROM news.versions") == [(addresses,)]
    assert (kinds.count("new"), kinds.count("copy")) == (texts, addresses - texts)
    assert kinds.count("unchanged") == addresses * (writers - 1)
    assert sql_rows(
        "SELECT count(*) FROM news.articles a JOIN news.articles o ON o.id = a.copy_of WHERE o.copy_of IS NOT NULL"
    ) == [(0,)]


async def test_connections_cut_in_the_middle_lose_and_double_nothing(store, sql_rows):
    run = await begin(store)
    pages = [page(f"https://news.example/{n}") for n in range(150)]
    kept = [asyncio.create_task(store.save_article(run, p, article(p, text=words_of(n)))) for n, p in enumerate(pages)]
    for _ in range(20):
        sql_rows(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await asyncio.sleep(0)
    endings = await asyncio.gather(*kept)
    assert {outcome.kind for outcome in endings} == {"new"}
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.new) == (150, 150)
    assert sql_rows("SELECT count(*) FROM news.articles") == [(150,)]


async def test_closing_writes_what_is_queued_and_nobody_waits_after_it(database_url, sql_rows):
    store = await Store.open(database_url)
    run = await begin(store)
    pages = [page(f"https://news.example/{n}") for n in range(250)]
    kept = [asyncio.create_task(store.save_article(run, p, article(p))) for p in pages]
    await asyncio.sleep(0)
    await store.close()
    assert {(await outcome).kind for outcome in kept} == {"new", "copy"}
    assert sql_rows("SELECT count(*) FROM news.articles") == [(250,)]
    with pytest.raises(RuntimeError, match="closed"):
        await store.save_article(run, page(), article(page()))


async def test_a_restart_of_postgres_in_the_middle_is_waited_for(server_folder):
    dsn = await asyncio.to_thread(database.embedded, server_folder / "postgres")
    await asyncio.to_thread(database.migrate, dsn)
    async with await Store.open(dsn) as store:
        run = await begin(store)
        pages = [page(f"https://news.example/{n}") for n in range(40)]

        async def keep(number: int) -> str:
            read = article(pages[number], text=words_of(number))
            return (await store.save_article(run, pages[number], read)).kind

        assert await keep(0) == "new"
        server = int((server_folder / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(server, signal.SIGQUIT)  # Postgres stops at once, as after a crash
        assert await asyncio.gather(*(keep(number) for number in range(40))) == ["new"] * 40
        counts = await store.end_run(run, "finished")
        assert (counts.found, counts.new) == (40, 40)
        assert len(await store.articles(limit=100)) == 40
    await asyncio.to_thread(database.leave, dsn)


async def test_a_database_that_stays_away_ends_in_an_error_without_its_password():
    with pytest.raises(database.DatabaseError) as error:
        await Store.open("postgresql://u:geheim@127.0.0.1:1/x", patience=timedelta(0))
    assert "geheim" not in str(error.value)


# ---------------------------------------------------------------------------------------------------------------------
# the frontier


async def test_links_are_taken_once_in_a_run_and_come_again_in_the_next(store):
    run = await begin(store)
    offered = await enqueue(store, run, *(f"https://news.example/{n}" for n in range(5)))
    assert (offered.new, offered.waiting, offered.ended) == (5, 0, 0)
    first, second = await store.claim_batch(run, 3), await store.claim_batch(run, 10)
    assert (len(first), len(second), await store.claim_batch(run, 10)) == (3, 2, [])
    assert (await store.end_run(run, "stopped")).pending == 5
    assert len(await store.claim_batch(await begin(store), 10)) == 5


async def test_the_hint_of_a_link_comes_back_with_its_target(store):
    run = await begin(store)
    hint = Hint(Provenance.FEED, title="T", published_at=T, published_precision=Precision.SECOND, authors=("A",))
    await store.enqueue(run, [Link("https://news.example/a", FEED, hint)], Document(FEED, "feed", status=200))
    assert (await store.claim_batch(run, 1))[0].hint == hint


async def test_a_link_that_has_ended_is_unchanged_when_it_is_seen_again(store, sql_rows):
    run = await begin(store)
    await enqueue(store, run, page().url)
    await store.claim_batch(run, 1)
    await store.save_article(run, page(at=datetime.now(UTC)), article(page()))
    await store.end_run(run, "finished")
    run = await begin(store)
    for _ in range(2):  # feed and sitemap name it both
        offered = await enqueue(store, run, page().url, "https://news.example/a?utm_medium=rss")
    assert (offered.new, offered.ended) == (0, 1)
    assert await store.claim_batch(run, 10) == []
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.unchanged) == (1, 1)
    assert sql_rows("SELECT count(*) FROM ingest.run_pages WHERE NOT asked") == [(0,)]


async def test_a_link_that_is_no_address_is_rejected_and_the_others_stay(store):
    run = await begin(store)
    await enqueue(store, run, "javascript:void(0)", "http://[", "https://news.example/a", "")
    assert [target.url for target in await store.claim_batch(run, 10)] == ["https://news.example/a"]
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.rejected, counts.pending, counts.reasons) == (4, 3, 1, {"bad_url": 3})


async def test_validators_come_only_with_the_links_that_were_stored(store):
    run = await begin(store)
    assert await store.validators(run, FEED) is None
    await enqueue(store, run, "https://news.example/a", etag='"1"', last_modified="yesterday")
    assert (await store.validators(run, FEED)).etag == '"1"'
    await store.enqueue(run, [], Document(FEED, "feed", status=304, not_modified=True))
    await store.enqueue(run, [], Document(FEED, "feed", status=503, error="HTTP 503", etag='"error page"'))
    found = await store.validators(run, FEED)
    assert (found.etag, found.last_modified, found.not_modified_in_a_row) == ('"1"', "yesterday", 1)
    await enqueue(store, run, "https://news.example/b", etag='"2"')
    found = await store.validators(run, FEED)
    assert (found.etag, found.last_modified, found.not_modified_in_a_row) == ('"2"', None, 0)


async def test_two_sources_that_read_one_feed_have_validators_each(store):
    one, two = await begin(store, "one"), await begin(store, "two")
    await enqueue(store, one, "https://news.example/a", etag='"1"')
    assert await store.validators(two, FEED) is None


async def test_a_postponed_page_waits_and_is_rejected_after_its_last_attempt(store, sql_rows):
    run = await begin(store)
    await enqueue(store, run, page().url)
    kinds = []
    for _ in range(8):
        sql_rows("UPDATE ingest.pages SET next_attempt_at = now() RETURNING id")
        assert len(await store.claim_batch(run, 1)) == 1
        kinds.append((await store.reschedule(run, page().url, Reason.TIMEOUT, "no answer in 20 s")).kind)
        assert await store.claim_batch(run, 1) == []
    assert kinds == ["pending"] * 7 + ["rejected"]
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.rejected, counts.reasons) == (1, 1, {"timeout": 1})
    assert sql_rows("SELECT reason, attempts FROM news.rejections") == [("timeout", 8)]


async def test_a_postponed_page_is_pending_with_its_reason(store, sql_rows):
    run = await begin(store)
    await enqueue(store, run, page().url)
    later = datetime.now(UTC) + timedelta(days=3)
    await store.reschedule(run, page().url, Reason.HTTP_ERROR, "HTTP 503", retry_at=later, status=503)
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.pending, counts.reasons) == (1, 1, {"http_error": 1})
    assert sql_rows("SELECT reason, attempts, next_attempt_at, http_status FROM news.pending") == [
        ("http_error", 1, later, 503)
    ]


async def test_rejecting_twice_counts_once(store):
    run = await begin(store)
    await enqueue(store, run, page().url)
    for _ in range(2):
        outcome = await store.reject(run, page().url, Reason.SOFT_404, "says 'nicht gefunden'", 200)
    assert (outcome.kind, outcome.reason) == ("rejected", Reason.SOFT_404)
    assert (await store.end_run(run, "finished")).rejected == 1
    assert (await store.explain(page().url))["attempts"][0]["outcome"] == "soft_404"


# ---------------------------------------------------------------------------------------------------------------------
# rechecks


async def stored_and_due(store: Store, sql_rows) -> Run:
    run = await begin(store)
    fresh = page(at=datetime.now(UTC))
    await store.save_article(run, fresh, article(fresh), etag='"v1"', last_modified="now")
    assert await store.claim_batch(run, 10) == []
    await store.end_run(run, "finished")
    sql_rows("UPDATE ingest.pages SET next_check_at = now() RETURNING id")
    return await begin(store)


async def test_what_is_due_for_a_look_takes_the_room_that_pending_pages_leave(store, sql_rows):
    run = await stored_and_due(store, sql_rows)
    await enqueue(store, run, *(f"https://news.example/{name}" for name in "bcd"))
    first, second, third = [await store.claim_batch(run, 2) for _ in range(3)]
    assert [target.recheck for target in (*first, *second, *third)] == [False, False, False, True]
    assert (len(first), second[1].url) == (2, page().url)


async def test_a_stored_article_that_is_due_comes_back_with_its_validators(store, sql_rows):
    run = await stored_and_due(store, sql_rows)
    await enqueue(store, run, page().url)
    (target,) = await store.claim_batch(run, 10)
    assert (target.recheck, target.etag, target.last_modified) == (True, '"v1"', "now")
    assert (await store.run_counts(run)).pending == 1
    assert (await store.save_unmodified(run, target.url)).kind == "unchanged"
    assert await store.claim_batch(run, 10) == []
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.unchanged) == (1, 1)


async def test_an_article_that_is_gone_is_looked_at_a_few_times_more(store, sql_rows):
    run = await begin(store)
    await store.save_article(run, page(), article(page()))
    waits = []
    for _ in (*LOOKS_AT_GONE, None):
        await store.reject(run, page().url, Reason.GONE, "HTTP 404", 404)
        await store.end_run(run, "finished")
        waits += sql_rows("SELECT next_check_at - now() FROM ingest.pages")
        run = await begin(store)
    assert [wait and round(wait / timedelta(hours=1)) for (wait,) in waits] == [1, 24, 72, 240, None]
    assert sql_rows("SELECT reason, back_at FROM news.absences") == [("gone", None)]
    assert sql_rows("SELECT gone_reason FROM news.articles") == [("gone",)]
    await store.save_unmodified(run, page().url)
    assert sql_rows("SELECT gone_at, gone_reason FROM news.articles") == [(None, None)]
    assert sql_rows("SELECT back_at > gone_at FROM news.absences") == [(True,)]
    then = "SELECT is_gone FROM news.articles_as_of((SELECT gone_at + (back_at - gone_at) / 2 FROM news.absences))"
    assert sql_rows(then) == [(True,)]


async def test_an_article_that_is_gone_keeps_its_row(store, sql_rows):
    run = await stored_and_due(store, sql_rows)
    await store.claim_batch(run, 10)
    assert (await store.reject(run, page().url, Reason.GONE, "HTTP 410", 410)).kind == "rejected"
    assert (await store.end_run(run, "finished")).reasons == {"gone": 1}
    assert sql_rows("SELECT gone_at IS NOT NULL, text FROM news.articles") == [(True, WORDS)]
    assert sql_rows("SELECT next_check_at > now() FROM ingest.pages") == [(True,)]


async def test_a_recheck_that_meets_a_consent_wall_leaves_the_article_alone(store, sql_rows):
    run = await stored_and_due(store, sql_rows)
    await store.claim_batch(run, 10)
    await store.reject(run, page().url, Reason.CONSENT_WALL, "", 200)
    assert (await store.end_run(run, "finished")).found == 1
    assert sql_rows("SELECT text, gone_at FROM news.articles") == [(WORDS, None)]
    assert sql_rows("SELECT next_check_at > now(), ending FROM ingest.pages") == [(True, "new")]


async def test_a_replay_plans_no_rechecks(store, sql_rows):
    run = await begin(store, None, "replay")
    await store.save_article(run, page(), article(page(), published_at=T))
    assert sql_rows("SELECT next_check_at FROM ingest.pages") == [(None,)]


# ---------------------------------------------------------------------------------------------------------------------
# runs


async def test_a_source_never_runs_twice_at_once(store):
    assert await store.begin_run("example", "crawl", "a:1") is not None
    assert await store.begin_run("example", "crawl", "b:2") is None
    assert await store.begin_run("other", "crawl", "b:2") is not None


async def test_a_slot_is_run_once_whoever_asks(database_url):
    stores = [await Store.open(database_url) for _ in range(4)]
    begun = await asyncio.gather(
        *(store.begin_run("example", "crawl", f"host:{n}", slot=T) for n, store in enumerate(stores))
    )
    (run,) = [run for run in begun if run]
    await stores[0].end_run(run, "finished")
    assert await stores[0].begin_run("example", "crawl", "host:9", slot=T) is None
    assert await stores[0].begin_run("example", "crawl", "host:9", slot=T + timedelta(hours=1)) is not None
    for store in stores:
        await store.close()


async def test_a_dead_run_is_ended_and_its_pages_go_on(store, sql_rows):
    dead = await begin(store, lease=timedelta(0))
    await enqueue(store, dead, "https://news.example/a", "https://news.example/b")
    await store.claim_batch(dead, 10)
    await store.save_article(dead, page(at=datetime.now(UTC)), article(page()))
    run = await begin(store)
    assert sql_rows("SELECT outcome, error, found, new, pending FROM news.runs WHERE id = %s", dead.id) == [
        ("failed", "lost lease", 2, 1, 1)
    ]
    assert not await store.heartbeat(dead)
    assert await store.heartbeat(run)
    assert [target.url for target in await store.claim_batch(run, 10)] == ["https://news.example/b"]


async def test_ending_a_run_twice_gives_the_same_counts_and_says_whose_end_it_was(store):
    run = await begin(store)
    await enqueue(store, run, "https://news.example/a")
    assert (counts := await store.end_run(run, "finished")) == await store.end_run(run, "finished")
    with pytest.raises(LostLease) as lost:
        await store.end_run(run, "failed", "again")
    assert lost.value.counts == counts
    (row,) = await store.last_runs("example")
    assert (row["outcome"], row["found"], row["pending"]) == ("finished", 1, 1)


async def test_a_replay_counts_every_stored_record(store):
    run = await begin(store, None, "replay")
    for hour in range(3):
        fetched = page(at=T + timedelta(hours=hour), body=bytes([hour]))
        await store.save_article(run, fetched, article(fetched, text=f"{WORDS} {hour // 2}"))
    await store.reject(run, "https://news.example/x", Reason.EMPTY, source="example", fetched_at=T)
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.new, counts.unchanged, counts.new_version, counts.rejected) == (4, 1, 1, 1, 1)


# ---------------------------------------------------------------------------------------------------------------------
# hosts, and what people look at


async def test_what_a_host_wants_is_remembered(store):
    assert await store.host_state("news.example") is None
    state = HostState("news.example", 200, b"User-agent: *\n\x00", robots_fetched_at=T)
    await store.save_host_state(state)
    await store.save_host_state(HostState("news.example", robots_status=404))
    assert await store.host_state("news.example") == replace(state, robots_status=404)


async def test_rests_of_hosts_are_kept_shown_and_lifted(store):
    soon, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (1, 2))
    for rest in (
        HostBackoff("a.example", "", later, why="it answered 429"),
        HostBackoff("a.example", "", soon, why="a shorter one"),
        HostBackoff("a.example", "blatt", soon, why="a page"),
        HostBackoff("b.example", "", soon, True, "no answer"),
        HostBackoff("c.example", "", T, why="long ago"),
    ):
        await store.save_host_backoff(rest)
    assert [(rest.host, rest.source, rest.why) for rest in await store.host_backoffs()] == [
        ("a.example", "", "it answered 429"),
        ("a.example", "blatt", "a page"),
        ("b.example", "", "no answer"),
    ]
    assert [rest.source for rest in await store.clear_host_backoffs("a.example", "blatt")] == ["blatt"]
    assert [rest.host for rest in await store.clear_host_backoffs()] == ["a.example", "b.example"]
    assert await store.host_backoffs() == []
    assert [rest.source for rest in await store.host_backoffs("a.example")] == ["", "blatt"]


async def test_status_shows_each_source_with_its_last_and_next_run(store):
    await store.save_sources(
        [SourceRow("example", "Das Beispiel", "https://news.example/", "de", "DE", "Europe/Berlin")]
    )
    await store.save_sources([SourceRow("example", "Beispiel", enabled=False)])
    await store.save_next_run("example", T)
    run = await begin(store)
    await store.save_article(run, page(), article(page()))
    (row,) = await store.status()
    assert (row["title"], row["enabled"], row["articles"], row["next_run_at"]) == ("Beispiel", False, 1, T)
    assert (row["last_run"], row["last_run_outcome"]) == (run.id, "running")


async def test_articles_can_be_narrowed(store):
    run = await begin(store)
    a, b = page(), page("https://other.example/b", source="other")
    await store.save_article(run, a, article(a, published_at=T - timedelta(days=2)))
    await store.save_article(run, b, article(b, title="100 % gekürzt", published_at=T - timedelta(days=1)))
    assert [row["url"] for row in await store.articles()] == [b.url, a.url]
    assert [row["url"] for row in await store.articles(source="example")] == [a.url]
    assert [row["url"] for row in await store.articles(since=T - timedelta(hours=36))] == [b.url]
    assert [row["url"] for row in await store.articles(copies=False)] == [a.url]
    assert [row["url"] for row in await store.articles(words="100 % rat")] == [b.url]
    assert await store.articles(words="100_%") == []
    assert len(await store.articles(limit=1)) == 1


async def test_explain_tells_one_pages_story(store):
    run = await begin(store)
    await enqueue(store, run, page().url)
    await store.reschedule(run, page().url, Reason.TIMEOUT, "slow")
    await store.save_article(run, page(), article(page()), Archived("f.warc.gz", 10, 20), ms=42)
    story = await store.explain("http://news.example/a")
    assert (story["pages"][0]["state"], story["pages"][0]["found_on"]) == ("ended", FEED)
    assert [attempt["outcome"] for attempt in story["attempts"]] == ["timeout", "new"]
    assert [outcome["ending"] for outcome in story["endings"]] == ["new"]
    assert (story["article"]["title"], len(story["versions"])) == ("Haushalt beschlossen", 1)
    assert story["archive"] == [{"file": "f.warc.gz", "offset": 10, "length": 20, "fetched_at": T}]
    nothing = await store.explain("https://news.example/unknown")
    assert (nothing["pages"], nothing["article"]) == ([], None)


async def test_every_article_comes_once_and_in_the_same_order_a_few_at_a_time(store, monkeypatch):
    monkeypatch.setattr("pipelines.store.queries.ARTICLES_AT_A_TIME", 2)
    run = await begin(store)
    for number in range(5):
        found = page(f"https://news.example/{number}")
        await store.save_article(
            run, found, article(found, text=f"{WORDS} {number}", published_at=T - timedelta(hours=number % 3))
        )
    rows = [row async for row in store.each_article()]
    assert rows == await store.articles()
    assert len(rows) == 5
    assert [row async for row in store.each_article(limit=3)] == rows[:3]
    assert [row async for row in store.each_article(source="other")] == []


async def test_a_page_whose_host_wants_a_rest_waits_for_it_without_using_up_an_attempt(store, sql_rows):
    run = await begin(store)
    await enqueue(store, run, page().url)
    (target,) = await store.claim_batch(run, 10)
    later = datetime.now(UTC) + timedelta(hours=2)
    outcome = await store.reschedule(
        run, target.url, Reason.HTTP_ERROR, "it asked for time", later, counts_as_attempt=False
    )
    assert outcome.kind == "pending"
    assert sql_rows("SELECT attempts, next_attempt_at, state FROM ingest.pages") == [(0, later, "pending")]
    assert sql_rows("SELECT count(*) FROM ingest.attempts WHERE kind = 'page'") == [(0,)]
    sql_rows("UPDATE ingest.pages SET next_attempt_at = now() RETURNING id")
    assert await store.claim_batch(run, 10) == []  # not again in this run, whatever the clocks say
    counts = await store.end_run(run, "finished")
    assert (counts.found, counts.pending, counts.reasons) == (1, 1, {"http_error": 1})
    assert [one.url for one in await store.claim_batch(await begin(store), 10)] == [target.url]


async def test_times_that_a_wrong_clock_has_written_are_not_waited_for(store, sql_rows):
    """As if the clock had been ahead by years, and was set right."""
    run = await begin(store)
    await enqueue(store, run, page().url)
    sql_rows("UPDATE ingest.pages SET next_attempt_at = now() + interval '10 years' RETURNING id")
    sql_rows("UPDATE ingest.runs SET heartbeat_at = now() + interval '10 years', "
             "lease_until = now() + interval '10 years 2 minutes' RETURNING id")  # fmt: skip
    assert len(await store.claim_batch(await begin(store), 10)) == 1


async def test_a_password_in_a_link_is_not_stored(store, sql_rows):
    run = await begin(store)
    links = [Link(f"https://ada:geheim{n}@a.example/x", "https://a.example/rss") for n in range(2)]
    await store.enqueue(run, links, Document("https://a.example/rss", "feed", status=200, links=2))
    assert sql_rows("SELECT url, reason FROM news.rejections") == [("https://***@a.example/x", "bad_url")]
