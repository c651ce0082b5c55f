"""Stored articles are looked at again: as [recheck] says, early where a sitemap asks for it, and on demand."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from tests.test_crawl import Web, article, configured, counted, environment, services, site  # noqa: F401  fixtures


async def nachlese(folder: Path, dsn: str, *arguments: str) -> tuple[int, list[dict], str]:
    """Exit code, what it printed as JSON, what it said."""
    command = "from crawler.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", command, *arguments, "--json", env=environment(folder, dsn),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, said = await process.communicate()
    return process.returncode or 0, [json.loads(line) for line in printed.splitlines()], said.decode()


def ends(reports: list[dict]) -> dict[str, int]:
    names = ("new", "new_version", "unchanged", "copy", "rejected", "pending")
    return {name: sum(report[name] for report in reports) for name in names if any(report[name] for report in reports)}


@pytest.fixture
def two_articles(tmp_path: Path, site: Web, database_url: str, sql_rows):  # noqa: F811
    """A source with two articles that a crawl has stored, and a page that waits."""

    async def crawled() -> None:
        site.pages |= {"/a": article(1), "/b": article(2), "/c": 503}
        site.feed("/a", "/b", "/c")
        configured(tmp_path, site)
        code, reports, _ = await nachlese(tmp_path, database_url, "crawl")
        assert (code, ends(reports)) == (1, {"new": 2, "pending": 1})
        sql_rows("UPDATE ingest.pages SET next_check_at = NULL RETURNING 1")  # nobody would look again
        site.pages["/a"] = article("1, nun doch,")
        site.asked.clear()

    return crawled


async def test_a_source_is_looked_at_without_its_documents(two_articles, site, tmp_path, database_url):  # noqa: F811
    await two_articles()
    code, reports, _ = await nachlese(tmp_path, database_url, "recheck", "blatt")
    assert (code, ends(reports)) == (0, {"new_version": 1, "unchanged": 1})
    assert sorted(set(site.asked) - {"/robots.txt", "/.well-known/tdmrep.json"}) == ["/a", "/b"]


async def test_an_address_is_looked_at_in_any_spelling(two_articles, site, tmp_path, database_url):  # noqa: F811
    await two_articles()
    url = f"{site.base.replace('http', 'HTTP')}/a?utm_source=mail#x"
    code, reports, _ = await nachlese(tmp_path, database_url, "recheck", url)
    assert (code, ends(reports)) == (0, {"new_version": 1})
    code, reports, said = await nachlese(tmp_path, database_url, "recheck", f"{site.base}/unknown")
    assert (code, reports) == (1, [])
    assert "no article is known at" in said and "/unknown" in said
    assert "/b" not in site.asked


async def test_since_leaves_older_articles_alone(two_articles, site, tmp_path, database_url, sql_rows):  # noqa: F811
    await two_articles()
    sql_rows(
        "UPDATE ingest.articles SET first_seen_at = first_seen_at - interval '3 days' WHERE url LIKE '%%/a' RETURNING 1"
    )
    code, reports, _ = await nachlese(tmp_path, database_url, "recheck")
    assert (code, ends(reports)) == (0, {"unchanged": 1})
    since = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    code, reports, _ = await nachlese(tmp_path, database_url, "recheck", "--since", since)
    assert (code, ends(reports)) == (0, {"new_version": 1, "unchanged": 1})


async def test_the_plan_of_settings_toml_holds(site, tmp_path, database_url, sql_rows):  # noqa: F811
    site.pages |= {"/a": article(1)}
    site.feed("/a")
    configured(tmp_path, site)
    with (tmp_path / "settings.toml").open("a") as settings:
        settings.write('[recheck]\nfirst = "5 minutes"\nlongest = "10 minutes"\nuntil = "3000 days"\n')
    await nachlese(tmp_path, database_url, "crawl")
    ((wait,),) = sql_rows("SELECT next_check_at - fetched_at FROM news.articles")
    assert wait == timedelta(minutes=10)  # it is old: half of its age would be days
    (tmp_path / "settings.toml").write_text("[recheck]\nenabled = false\n")
    sql_rows("UPDATE ingest.pages SET next_check_at = now() RETURNING 1")
    await nachlese(tmp_path, database_url, "crawl")
    assert sql_rows("SELECT next_check_at FROM news.articles") == [(None,)]


async def test_each_look_without_a_change_makes_the_next_one_rarer(site, tmp_path, database_url, sql_rows):  # noqa: F811
    """Not only in the plan: what the rows say of an article that answers 200 with the same text, and 304."""
    stamp = f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%S+00:00}"
    text = article(1).replace("2025-11-20T10:00:00+01:00", stamp)

    def page(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match"):
            return web.Response(status=304, headers={"ETag": '"1"'})
        return web.Response(text=text, content_type="text/html", headers={"ETag": '"1"'})

    configured(tmp_path, site)
    for answer in (text, page):
        site.pages["/a"] = answer
        site.feed("/a")
        waits = []
        for _ in range(4):
            await nachlese(tmp_path, database_url, "crawl")
            ((due, asked),) = sql_rows("SELECT next_check_at, last_fetched_at FROM ingest.pages")
            waits.append(round((due - asked) / timedelta(minutes=30)))
            sql_rows("UPDATE ingest.pages SET next_check_at = now() RETURNING 1")
        assert waits[1:] == [waits[0] + n for n in (1, 2, 3)]


@pytest.mark.parametrize("hours, looked_at", [(2, True), (-2, False)])
async def test_a_sitemap_that_says_a_page_was_changed_has_it_looked_at(
    hours: int, looked_at: bool, site, tmp_path, database_url, sql_rows  # noqa: F811
):  # fmt: skip
    """lastmod later than the last fetch: now, not when the plan says; earlier: it says nothing new."""
    at = datetime.now(UTC)
    site.pages |= {"/a": article(1)}
    configured(tmp_path, site)
    source = tmp_path / "sources" / "blatt.toml"
    source.write_text(
        source.read_text().replace(f"feeds = ['{site.base}/feed.xml']", f"sitemaps = ['{site.base}/map.xml']")
    )

    def sitemap(modified: datetime) -> None:
        site.pages["/map.xml"] = (
            '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
            f"<url><loc>{site.base}/a</loc><lastmod>{modified.isoformat()}</lastmod></url></urlset>"
        )

    sitemap(at - timedelta(days=1))
    _, reports, _ = await nachlese(tmp_path, database_url, "crawl")
    assert ends(reports) == {"new": 1}
    # fetched four hours ago, and by the plan not due for a day
    sql_rows(
        "UPDATE ingest.pages SET last_fetched_at = now() - interval '4 hours', "
        "next_check_at = now() + interval '1 day' RETURNING 1"
    )
    site.pages["/a"] = article("1, nun doch,")
    sitemap(at - timedelta(hours=4) + timedelta(hours=hours))
    site.asked.clear()
    _, reports, _ = await nachlese(tmp_path, database_url, "crawl")
    assert ends(reports) == ({"new_version": 1} if looked_at else {"unchanged": 1})
    assert ("/a" in site.asked) == looked_at
