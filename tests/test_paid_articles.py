"""An article behind a paywall that shows no text is kept with its headline and teaser, and its text is empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler import runs
from pipelines.items import Page, Reason, Rejected
from pipelines.reading import read, shipped_rules
from tests.test_crawl import Web, configured, opened_services, site
from tests.test_store import T, begin, page
from tests.test_store import article as read_of

__all__ = ["site"]  # a fixture

TEASERS = {
    "de": "Die Bibliotheken schließen früher, und im Rathaus wird eine ganze Abteilung aufgelöst.",
    "en": "The libraries will close earlier, and a whole department of the town hall is to be dissolved.",
    "fr": "Les bibliothèques fermeront plus tôt, et tout un service de la mairie sera dissous cet été.",
}
SAYS_SO = '"isAccessibleForFree": false,'


def paid(teaser: str, says: str = SAYS_SO, body: str = "", title: str = "Spar 2026") -> str:
    return f"""<!DOCTYPE html><html><head><title>{title}</title><meta property="og:type" content="article">
<meta name="description" content="{teaser}"><script type="application/ld+json">
{{"@context": "https://schema.org", "@type": "NewsArticle", "headline": "{title}", {says} "description": "{teaser}",
"datePublished": "2025-11-20T10:00:00+01:00"}}</script></head><body><article>
<h1>{title}</h1>{body}</article></body></html>"""


def reading(html: str):
    at = datetime(2025, 11, 21, tzinfo=UTC)
    return read(Page("https://blatt.example/a", "blatt", html.encode(), at), shipped_rules())


@pytest.mark.parametrize("code", TEASERS)
def test_its_language_is_that_of_headline_and_teaser(code: str):
    found = reading(paid(TEASERS[code]))
    assert (found.text, found.teaser, found.is_accessible_for_free) == ("", TEASERS[code], False)
    assert found.language == code


def test_a_page_without_text_that_does_not_say_that_it_is_paid_is_no_article():
    for says in ("", '"isAccessibleForFree": true,'):
        with pytest.raises(Rejected) as error:
            reading(paid(TEASERS["de"], says))
        assert error.value.reason == Reason.EMPTY


async def test_paid_articles_are_stored_without_text_and_are_nobodys_copies(
    tmp_path, site: Web, database_url, sql_rows
):
    site.pages["/1"] = paid(TEASERS["de"], title="Die Stadt spart")
    site.pages["/2"] = paid(TEASERS["de"] + " Und zwar bald.", title="Das Land spart auch")
    site.feed("/1", "/2")
    async with opened_services(configured(tmp_path, site), database_url) as services:
        report = await runs.crawl_source(services, "blatt")
        found = await services.store.search("Bibliotheken")
    assert (report.outcome, report.counts.new, report.counts.rejected) == ("finished", 2, 0), str(report)
    rows = sql_rows("SELECT text, word_count, is_accessible_for_free, language, copy_of FROM news.articles")
    assert rows == [("", 0, False, "de", None)] * 2
    assert len(found) == 2


async def test_a_headline_alone_is_nobodys_copy_and_the_same_teaser_is(store):
    run = await begin(store)
    alone = [page(f"https://news.example/{n}") for n in range(2)]
    with_teaser = [page(f"https://{n}.example/x") for n in "ab"]
    none = [await store.save_article(run, one, read_of(one, text="", is_accessible_for_free=False)) for one in alone]
    assert [outcome.kind for outcome in none] == ["new", "new"]
    shared = {"text": "", "teaser": TEASERS["de"], "is_accessible_for_free": False}
    same = [await store.save_article(run, one, read_of(one, **shared)) for one in with_teaser]
    assert [outcome.kind for outcome in same] == ["new", "copy"]
    assert same[1].copy_of == same[0].article_id


async def test_a_text_that_comes_later_is_a_new_version(store, sql_rows):
    run = await begin(store)
    await store.save_article(run, page(), read_of(page(), text="", is_accessible_for_free=False))
    later = page(at=T + timedelta(hours=1), body=b"2")
    outcome = await store.save_article(run, later, read_of(later, is_accessible_for_free=True))
    assert (outcome.kind, outcome.version) == ("new_version", 2)
    assert sql_rows("SELECT words_before, words_after > 10, share_changed FROM news.revisions") == [(0, True, 1.0)]
    await store.group_stories()
    assert sql_rows("SELECT count(*) FROM news.articles WHERE text <> ''") == [(1,)]


async def test_an_article_without_text_that_is_free_is_no_article(store):
    run = await begin(store)
    outcome = await store.save_article(run, page(), read_of(page(), text=" "))
    assert (outcome.kind, outcome.reason) == ("rejected", Reason.UNSTORABLE)
