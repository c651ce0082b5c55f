"""The pages in a real browser: Debian's Chromium, driven by Playwright; axe looks for what keeps people out.

NACHLESE_WRITE_PICTURES=1 also writes the pictures of the README anew.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from crawler import demo
from pipelines import items
from pipelines.items import Reason
from pipelines.store import Store, WatchRow
from tests.conftest import fresh_database
from tests.web_server import running

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
WIDTHS = {"phone": 390, "tablet": 820, "desktop": 1440}
ADDRESSES = (
    "/", "/?language=xx", "/search", "/search?q=rutte", "/search?q=nichtsdergleichen", "/stories",
    "/stories/{story}", "/families", "/families/{family}?copy={copy}", "/changes", "/changes?what=gone",
    "/sources", "/sources/tagesbogen", "/runs", "/rejections", "/explain", "/explain?url={rejected}",
    "/explain?url=https://nobody.example/", "/watchlists", "/database", "/api/v1", "/articles/{changed}",
    "/articles/{changed}?version=2&against=1", "/articles/{hostile}?why=1", "/nothing",
)  # fmt: skip
HOSTILE = """<script>window.pwned=1</script><img src=x onerror="window.pwned=1">"><svg onload=window.pwned=1>{{7*7}}"""


def apart(work: Coroutine[Any, Any, Any]) -> Any:
    """Run *work* in a thread of its own: in this one runs the loop of Playwright."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def filled(postgres_server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with the demo's articles, and with some that changed, went, or mean harm."""
    for dsn in fresh_database(postgres_server, template):
        folder = tmp_path_factory.mktemp("demo")
        with demo.place(folder) as place:
            apart(demo.demo(place, lambda words: None, dsn))
        apart(add_news(dsn))
        yield dsn


async def add_news(dsn: str) -> None:
    """A text that is changed twice, one that is taken down, a copy, a watchlist, and titles that mean harm."""
    now = datetime.now(UTC)
    long_ago = now - timedelta(days=700)  # last in the list of the latest
    async with await Store.open(dsn) as store:
        await store.save_watchlists([WatchRow("haushalt", "Haushalt", '"haushalt"')])
        run = await store.begin_run("tagesbogen", "crawl", "test")
        first = (
            "Der Rat der Stadt Nordhalde hat am Montag den Haushalt für das kommende Jahr beschlossen. Drei Menschen "
            "protestierten vor dem Rathaus.\n\nGespart wird vor allem beim Straßenbau. Die Kämmerin sprach von einem "
            "Kraftakt.\n\nDie Opposition kündigte an, gegen einzelne Posten zu klagen."
        )
        url = "https://tagesbogen.example/politik/haushalt.html"
        second = first.replace("Drei Menschen", "Rund vierzig Menschen").replace("Kraftakt", "vertretbaren Opfer")
        third = f"{second}\n\nKorrektur: In einer früheren Version hieß es, drei Menschen hätten protestiert."
        for minutes, title, text in (
            (180, "Rat beschließt Haushalt nach langem Streit", first),
            (120, "Rat beschließt Haushalt", second),
            (30, "Rat beschließt Haushalt unter Protest", third),
        ):
            await store.save_article(run, *page_and_article(url, title, text, now - timedelta(minutes=minutes)))
        gone = "https://tagesbogen.example/politik/weg.html"
        await store.save_article(
            run, *page_and_article(gone, "Bürgermeister tritt zurück", "Er trat zurück. " * 9, long_ago)
        )
        await store.reject(run, gone, Reason.GONE, "HTTP 410", 410)
        harm = "https://tagesbogen.example/harm.html"
        await store.save_article(
            run, *page_and_article(harm, HOSTILE, f"{HOSTILE}\n\n{'Wort ' * 40}", long_ago, teaser=HOSTILE)
        )
        await store.end_run(run, "finished")
        while await store.group_stories():
            pass


def page_and_article(url: str, title: str, text: str, at: datetime, **more: Any) -> tuple[items.Page, items.Article]:
    page = items.Page(url=url, source="tagesbogen", body=(title + text).encode(), fetched_at=at)
    article = items.Article(
        url=url, canonical_url=url, source="tagesbogen", title=title, text=text, text_markdown=text, fetched_at=at,
        language="de", section="Politik", published_at=at, published_precision=items.Precision.MINUTE,
        published_provenance=items.Provenance.JSONLD, **more,
    )  # fmt: skip
    return page, article


@pytest.fixture(scope="module")
def site(filled: str) -> Iterator[str]:
    with running(filled) as base:
        yield base


@pytest.fixture(scope="module")
def numbers(filled: str) -> dict[str, Any]:
    """What the addresses are filled with."""
    with psycopg.connect(filled) as connection:

        def one(statement: str) -> Any:
            row = connection.execute(statement).fetchone()
            assert row is not None, statement
            return row[0]

        return {
            "story": one("SELECT id FROM news.stories ORDER BY cardinality(sources) DESC, id LIMIT 1"),
            "family": one("SELECT original_id FROM news.copies ORDER BY copy_id LIMIT 1"),
            "copy": one("SELECT copy_id FROM news.copies ORDER BY copy_id LIMIT 1"),
            "rejected": one("SELECT url FROM news.rejections WHERE reason = 'soft_404' LIMIT 1"),
            "changed": one("SELECT article_id FROM news.versions WHERE version = 3"),
            "hostile": one("SELECT id FROM news.articles WHERE title LIKE '<script>%'"),
        }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root, as which containers run
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield made
        made.close()


class Opened:
    """A page with everything that went wrong in it."""

    def __init__(self, browser: Browser, site: str, **options: Any):
        settings = {"locale": "de-DE", "timezone_id": "Europe/Berlin"} | options
        self.context = browser.new_context(base_url=site, **settings)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        self.page.on("request", lambda request: self._asked(request.url, site))

    def _heard(self, message: ConsoleMessage) -> None:
        # of a page that is not there the browser says that it is not there
        if message.type in ("error", "warning") and "404 (Not Found)" not in message.text:
            self.wrong.append(message.text)

    def _asked(self, url: str, site: str) -> None:
        if not url.startswith(site):
            self.wrong.append(f"asked for {url}")

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *failure: object) -> None:
        self.context.close()


@pytest.fixture
def opened(browser: Browser, site: str) -> Iterator[Opened]:
    with Opened(browser, site, viewport={"width": 1280, "height": 900}) as made:
        yield made
        assert made.wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_keeps_nobody_out(browser: Browser, site: str, numbers, width: str, theme: str):
    axe, found = Axe(), []
    size = {"width": WIDTHS[width], "height": 900}
    with Opened(browser, site, viewport=size, color_scheme=theme, reduced_motion="reduce") as made:
        for address in ADDRESSES:
            url = address.format(**numbers)
            made.page.goto(url)
            wide = made.page.evaluate("document.documentElement.scrollWidth")
            if wide > WIDTHS[width]:
                found.append(f"{url} is {wide} wide")
            for violation in axe.run(made.page).response["violations"]:
                if violation["impact"] in ("serious", "critical"):
                    places = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
                    found.append(f"{url}: {violation['id']}: {violation['help']}: {places}")
        assert found + made.wrong == []


def test_keys_choose_open_search_and_go(opened: Opened):
    page = opened.page
    page.goto("/")
    titles = page.locator(".listed h3").all_inner_texts()
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator(".is-chosen h3").inner_text() == titles[1]
    page.keyboard.press("k")
    assert page.locator(".is-chosen h3").inner_text() == titles[0]
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog#keys").is_visible()
    page.keyboard.press("/")
    page.keyboard.type("rutte")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=rutte")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles/*")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/stories")


def test_a_search_marks_the_words_and_is_a_watchlist(opened: Opened):
    page = opened.page
    page.goto("/search")
    page.fill("#q", '"rat der stadt" haushalt')
    page.press("#q", "Enter")
    page.wait_for_selector("mark")
    assert "haushalt" in " ".join(page.locator("mark").all_inner_texts()).lower()
    assert page.locator(".chart").count() == 1
    with page.expect_download() as download:
        page.click("text=Als Merkliste speichern")
    text = Path(download.value.path()).read_text("utf-8")
    assert 'phrases = ["rat der stadt"]' in text and 'words = ["haushalt"]' in text


def test_the_slider_goes_through_the_wordings(opened: Opened, numbers):
    page = opened.page
    page.goto(f"/articles/{numbers['changed']}")
    slider = page.locator("[data-slider] input")
    assert (slider.get_attribute("max"), slider.input_value()) == ("3", "3")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**version=2&against=1")
    assert "Rund vierzig" in page.locator(".text ins").first.inner_text()
    assert "Drei" in page.locator(".text del").first.inner_text()


def test_what_is_stored_appears_by_itself(opened: Opened, filled: str):
    page = opened.page
    with page.expect_response(lambda response: "changes/stream" in response.url):
        page.goto("/")
    title = "Eilmeldung aus dem Archiv der Nachlese"
    apart(store_one(filled, title))
    page.wait_for_selector(f".is-new:has-text('{title}')", timeout=60_000)
    assert page.locator("[data-live]").inner_text() == "ein neuer Artikel"
    page.goto("about:blank")


async def store_one(dsn: str, title: str) -> None:
    async with await Store.open(dsn) as store:
        run = await store.begin_run("tagesbogen", "crawl", "test")
        url = "https://tagesbogen.example/eil.html"
        await store.save_article(
            run, *page_and_article(url, title, "Gerade eben kam diese Meldung herein. " * 5, datetime.now(UTC))
        )
        await store.end_run(run, "finished")


def test_hostile_titles_are_only_text(opened: Opened, numbers):
    page = opened.page
    for url in (
        "/?copies=all&limit=200",
        "/search?q=pwned",
        f"/articles/{numbers['hostile']}",
        "/sources/tagesbogen",
        "/stories?sources=1",
    ):
        page.goto(url)
        assert page.evaluate("window.pwned") is None, url
    page.goto(f"/articles/{numbers['hostile']}")
    assert page.locator("h1").inner_text() == HOSTILE


def test_the_first_visit_tells_the_zone_and_times_are_in_it(browser: Browser, site: str):
    with Opened(browser, site, timezone_id="Asia/Tokyo", locale="en-GB") as made:
        made.page.goto("/")
        made.page.goto("/")
        assert made.page.locator("html").get_attribute("data-zone") == "Asia/Tokyo"
        assert made.wrong == []


def test_without_javascript_everything_is_there(browser: Browser, site: str, numbers):
    with Opened(browser, site, java_script_enabled=False) as made:
        page = made.page
        page.goto("/")
        page.fill("#quick", "haushalt")
        page.click(".quick button")
        page.click(".found a.target >> nth=0")
        assert page.locator("article.article h1").count() == 1
        page.goto(f"/articles/{numbers['changed']}")
        page.click("text=was geändert wurde >> nth=0")
        assert page.locator(".text ins").count() > 0
        page.click("text=Dunkel")
        assert page.locator("html").get_attribute("data-theme") == "dark"
        assert made.wrong == []


def test_on_paper_an_article_is_an_article_with_its_wordings(opened: Opened, numbers):
    page = opened.page
    page.goto(f"/articles/{numbers['changed']}")
    page.emulate_media(media="print")
    assert not page.locator(".places").is_visible()
    assert page.locator(".wordings li").count() == 3 and page.locator(".wordings").is_visible()


def test_pictures_of_the_readme(browser: Browser, site: str, numbers, tmp_path: Path):
    """Written to docs/pictures where somebody asks for it; taken in any case."""
    is_wanted = bool(os.environ.get("NACHLESE_WRITE_PICTURES"))
    folder = PICTURES if is_wanted else tmp_path
    folder.mkdir(exist_ok=True)
    for name, url, size, theme in (
        ("now", "/", (1280, 800), "light"),
        ("article", f"/articles/{numbers['changed']}?version=2&against=1", (1280, 800), "light"),
        ("story-phone", f"/stories/{numbers['story']}", (390, 800), "dark"),
    ):
        viewport = {"width": size[0], "height": size[1]}
        with Opened(browser, site, viewport=viewport, color_scheme=theme, locale="en-GB") as made:
            made.page.goto(url)
            made.page.screenshot(path=folder / f"{name}.png")
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert name in (Path(__file__).parent.parent / "README.md").read_text("utf-8")
