"""What a Scrapy user does, with the real ``scrapy`` command: every command, option and place for one's own code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from aiohttp import web
from typer.testing import CliRunner

from crawler.cli import app
from crawler.cli.common import Exit
from tests.test_crawl import Web, article, configured, served, site

ROOT = Path(__file__).parent.parent
#: seconds after which something hangs: a process that starts with low priority on a busy machine has needed over 100
GUARD = 300
__all__ = ["site"]


@dataclass
class Project:
    """A configuration with one source, ``blatt``, and how ``scrapy`` is called in it."""

    folder: Path
    site: Web
    dsn: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NACHLESE_", "PG"))}
        # without an address, an attempt to open a database fails: there is no folder in which a server could be made
        address = self.dsn or "postgresql://127.0.0.1:9/nowhere"
        own = {"NACHLESE_CONFIG": str(self.folder), "NACHLESE_HOME": "/nowhere", "NACHLESE_DATABASE_URL": address}
        return kept | own | {"BROWSER": "echo %s"}

    async def start(self, *words: str, **environment: str) -> Process:
        command = [sys.executable, "-m", "scrapy", *words]
        env = self.environment | environment
        return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env, stdout=PIPE, stderr=STDOUT)

    async def run(self, *words: str, code: int = 0, **environment: str) -> str:
        process = await self.start(*words, **environment)
        async with asyncio.timeout(GUARD):
            said, _ = await process.communicate()
        assert process.returncode == code, said.decode()
        return said.decode()

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_text(text)

    def settings(self, text: str) -> None:
        self.write("settings.toml", (self.folder / "settings.toml").read_text() + text)

    def source(self, text: str) -> None:
        self.write("sources/blatt.toml", (self.folder / "sources" / "blatt.toml").read_text() + text)

    def rows(self, statement: str) -> list[tuple]:
        assert self.dsn is not None
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def looking(tmp_path: Path, site: Web) -> Project:
    """For commands that only look: there is no database at all."""
    site.pages |= {"/artikel-1.html": article(1), "/artikel-2.html": article(2)}
    site.feed("/artikel-1.html", "/artikel-2.html")
    configured(tmp_path, site)
    return Project(tmp_path, site)


@pytest.fixture
def project(looking: Project, database_url: str) -> Project:
    return Project(looking.folder, looking.site, database_url)


# --- commands that only look ------------------------------------------------------------------------------------------


async def test_scrapy_lists_and_checks(looking):
    assert (await looking.run("list")).split() == ["blatt"]
    assert "Ran 0 contracts" in await looking.run("check")
    assert (await looking.run("settings", "--get", "BOT_NAME")).strip() == "nachlese"


async def test_fetch_goes_through_guard_and_robots_without_a_database(looking):
    url = looking.site.base + "/artikel-1.html"
    assert "Brücke 1 wird erneuert" in await looking.run("fetch", "--nolog", url)
    assert looking.site.asked == ["/robots.txt", "/artikel-1.html"]
    sent = await looking.run("fetch", "--nolog", "--headers", url)
    assert "> User-Agent: Nachlese/" in sent
    refused = await looking.run("fetch", url.replace("127.0.0.1", "127.0.0.2"))
    assert "127.0.0.2 is not a public address" in refused
    looking.site.pages["/robots.txt"] = "User-agent: *\nDisallow: /artikel-2\n"
    assert "robots.txt of the site forbids this page" in await looking.run(
        "fetch", looking.site.base + "/artikel-2.html"
    )
    assert looking.site.asked.count("/artikel-2.html") == 0


async def test_shell_and_view_fetch_a_page(looking):
    url = looking.site.base + "/artikel-1.html"
    title = await looking.run("shell", "--nolog", "-c", "response.css('h1::text').get()", url)
    assert title.strip() == "Brücke 1 wird erneuert"
    await looking.run("view", url)
    assert looking.site.asked.count("/artikel-1.html") == 2


async def test_parse_shows_the_article_and_the_links_of_a_feed(looking):
    said = await looking.run("parse", "--nocolour", "--nolog", looking.site.base + "/artikel-1.html")
    assert "'title': 'Brücke 1 wird erneuert'" in said and "'language': 'de'" in said
    feed = await looking.run("parse", "--nocolour", "--nolog", looking.site.base + "/feed.xml")
    assert f"<GET {looking.site.base}/artikel-2.html>" in feed
    piped = await looking.run(
        "parse", "--nocolour", "--nolog", "--pipelines", "-c", "parse_article", looking.site.base + "/artikel-2.html"
    )
    assert "'title': 'Brücke 2 wird erneuert'" in piped


# --- crawl ------------------------------------------------------------------------------------------------------------


async def test_articles_are_exported_and_statistics_agree_with_the_tables(project, tmp_path):
    project.site.pages |= {"/leer.html": "<html><body><p>x</p></body></html>", "/fort.html": 404}
    project.site.feed("/artikel-1.html", "/artikel-2.html", "/leer.html", "/fort.html")
    out, stats = tmp_path / "articles.jsonl", tmp_path / "stats.json"
    project.write("spiders/__init__.py", "")
    project.write("spiders/dumping.py", DUMP)
    project.settings('[scrapy]\nEXTENSIONS = {"spiders.dumping.Dump" = 10}\n')
    project.settings(f'[scrapy.custom]\nDUMP_TO = "{stats}"\n')
    await project.run("crawl", "blatt", "-O", str(out))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    stored = project.rows("SELECT title, url, text FROM news.articles")
    assert sorted((line["title"], line["url"], line["text"]) for line in lines) == sorted(stored)
    assert all(line["published_at"].endswith("+01:00") or line["published_at"].endswith("Z") for line in lines)
    told = json.loads(stats.read_text())
    reasons = dict(project.rows("SELECT reason, count(*) FROM news.rejections GROUP BY reason"))
    (dropped,) = (reason for reason in reasons if reason != "gone")
    assert told["item_scraped_count"] == len(stored) == 2
    assert told[f"item_dropped_reasons_count/{dropped}"] == told["item_dropped_count"] == 1
    assert (told["outcome/new"], told["outcome/reason/gone"], told["outcome/found"]) == (2, 1, 4)
    assert told["downloader/request_count"] == len(project.site.asked) == 7  # with robots.txt and tdmrep.json
    assert told["downloader/response_status_count/404"] == 3  # robots.txt, tdmrep.json, and the page that is gone


DUMP = '''
import json
from crawler.signals import run_closed
from scrapy import signals

class Dump:
    """An extension of the user's own: the statistics as a file."""

    @classmethod
    def from_crawler(cls, crawler):
        self = cls()
        self.crawler = crawler
        crawler.signals.connect(self.closed, signal=run_closed)
        return self

    def closed(self):
        with open(self.crawler.settings["DUMP_TO"], "w") as file:
            json.dump(self.crawler.stats.get_stats(), file, default=str)
'''


async def test_settings_and_arguments_act(project):
    await project.run("crawl", "blatt", "-s", "USER_AGENT=Ganz anders", "-a", "pages=1")
    assert len(project.rows("SELECT FROM news.articles")) == 1
    assert {headers["User-Agent"] for headers in project.site.headers} == {"Ganz anders"}
    await project.run("crawl", "blatt", "-a", "discover=none")
    assert project.site.asked.count("/feed.xml") == 1
    assert len(project.rows("SELECT FROM news.articles")) == 2


async def test_the_exit_code_of_a_crawl_says_whether_its_run_failed(project):
    project.site.pages["/feed.xml"] = 404
    said = await project.run("crawl", "blatt", code=1)
    assert "1 places to look at could not be used" in said
    await project.run("crawl", "blatt", "-a", "discover=none")


async def test_a_crawl_closes_after_so_many_items_and_the_rest_waits(project):
    paths = [f"/seite-{number}.html" for number in range(60)]
    project.site.pages |= {path: article(number) for number, path in enumerate(paths)}
    project.site.feed(*paths)
    await project.run("crawl", "blatt", "-s", "CLOSESPIDER_ITEMCOUNT=1", "-s", "CONCURRENT_REQUESTS=2")
    ((outcome, error, new, pending),) = project.rows("SELECT outcome, error, new, pending FROM news.runs")
    assert (outcome, error) == ("stopped", "closespider_itemcount")
    assert 1 <= new <= 10 and pending == 60 - new


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-s", "USER_AGNT=x"), "there is no Scrapy setting USER_AGNT; did you mean USER_AGENT?"),
        (("-s", "JOBDIR=x"), "JOBDIR does nothing here: the frontier is in Postgres"),
        (("-s", "DOWNLOAD_DELAY_JITTER=1"), "use [politeness] jitter"),
        (("-a", "pagse=3"), "there is no spider argument 'pagse'; did you mean 'pages'?"),
        (("-a", "pages=viele"), "expected a whole number"),
    ],
)
async def test_what_cannot_act_is_an_error_that_says_what_to_use(looking, words, says):
    said = await looking.run("crawl", "blatt", *words, code=1)
    assert says in said and "Traceback" not in said
    assert looking.site.asked == []


async def test_a_spider_that_is_not_there_is_an_error_that_names_the_nearest(looking):
    said = await looking.run("crawl", "blat", code=1)
    assert "there is no source 'blat'" in said and "did you mean 'blatt'?" in said and "Traceback" not in said


async def hanging(project: Project, stop_within: str = "2 seconds") -> Process:
    """A crawl with two pages that never come, and one that waits for its host's turn."""
    project.site.hold |= {"/haengt-1.html", "/haengt-2.html"}
    project.site.feed("/haengt-1.html", "/haengt-2.html", "/artikel-1.html")
    project.settings(f'[schedule]\nstop_within = "{stop_within}"\n')
    process = await project.start("crawl", "blatt")
    async with asyncio.timeout(GUARD):
        await project.site.held.wait()
    return process


async def test_ctrl_c_once_ends_what_is_in_flight_within_the_grace(project):
    process = await hanging(project)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(GUARD):
        await process.communicate()
    ((outcome, error, pending),) = project.rows("SELECT outcome, error, pending FROM news.runs")
    assert (outcome, error) == ("stopped", "interrupted")
    assert pending >= 2


async def test_ctrl_c_twice_ends_at_once(project):
    process = await hanging(project, stop_within="1 hour")  # it does not end before the second one, on no machine
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(GUARD):
        while b"shutting down gracefully" not in (line := await process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        said, _ = await process.communicate()
    assert b"forcing unclean shutdown" in said and b"generator object open_services" not in said, said.decode()
    assert project.rows("SELECT count(*) FROM news.pending WHERE source = 'blatt'")[0][0] >= 2


# --- one's own code ---------------------------------------------------------------------------------------------------

OWN_SPIDER = '''
from dataclasses import replace

from crawler.spiders.news import NewsSpider
from pipelines.items import Link

class Zeitung(NewsSpider):
    """A spider of one's own for the source ``blatt``."""

    name = "blatt"

    def parse_section(self, response):
        for teaser in response.css("a.teaser"):
            yield response.follow(teaser, self.parse_article)
        yield Link(response.urljoin("/artikel-2.html"), response.url)

    async def parse_article(self, response, entry=None):
        async for item in super().parse_article(response, entry):
            item.page = replace(item.page, body=item.page.body.replace(b"Nummer 1", b"Nummer eins"))
            yield item
'''


async def test_a_spider_of_ones_own_crawls_its_source(project):
    project.write("spiders/__init__.py", "")
    project.write("spiders/zeitung.py", OWN_SPIDER)
    project.site.pages["/thema/"] = '<html><body><a class="teaser" href="/artikel-1.html">x</a></body></html>'
    text = (project.folder / "sources" / "blatt.toml").read_text()
    project.write("sources/blatt.toml", text.replace("feeds = ", f'sections = ["{project.site.base}/thema/"]\n# '))
    await project.run("crawl", "blatt")
    texts = [text for (text,) in project.rows("SELECT text FROM news.articles ORDER BY url")]
    assert len(texts) == 2 and "Nummer eins" in texts[0]
    await project.run("crawl", "blatt")  # what is known is not asked for again
    assert project.site.asked.count("/artikel-1.html") == 1


async def test_a_place_to_look_at_that_a_spider_of_ones_own_asks_for_in_vain_fails_the_run(project):
    project.write("spiders/__init__.py", "")
    following = 'yield response.follow("/thema/?page=2", self.parse_section, meta={"kind": "page"})\n        '
    project.write("spiders/zeitung.py", OWN_SPIDER.replace("for teaser", following + "for teaser"))
    project.site.pages["/thema/"] = lambda request: web.Response(
        status=500 if request.query else 200,
        text="<a class='teaser' href='/artikel-1.html'>x</a>",
        content_type="text/html",
    )
    text = (project.folder / "sources" / "blatt.toml").read_text()
    project.write("sources/blatt.toml", text.replace("feeds = ", f'sections = ["{project.site.base}/thema/"]\n# '))
    await project.run("crawl", "blatt", code=1)
    ((outcome, error, new),) = project.rows("SELECT outcome, error, new FROM news.runs")
    assert (outcome, new) == ("failed", 2)
    assert "/thema/?page=2: http_error: the server answered 500" in error


PLAIN_SPIDER = '''
from scrapy import FormRequest, Request, Spider

class Plain(Spider):
    """None of ours: only Scrapy's own."""

    name = "plain"

    async def start(self):
        yield FormRequest(self.base + "/login", formdata={"user": "anna"}, callback=self.inside)

    def inside(self, response):
        left = {"asked_before", "seconds_left"} & response.meta.keys()  # none of the next request's business
        yield {"after login": response.text, "left": sorted(left)}
        yield response.follow("/konto", self.account, dont_filter=True)
        for path in ("/fort.html", "/verboten.html"):
            yield response.follow(path, self.account)
        yield response.follow("/konto?wer", self.account, meta={"cookiejar": "other"}, dont_filter=True)

    def account(self, response):
        yield {"url": response.url, "text": response.text}
'''


def account(request: web.Request) -> web.Response:
    """A page that is for those who have a session, and gives one to who has none."""
    if "anna" in request.headers.get("Cookie", ""):
        return web.Response(text="Anna")
    if "nobody" in request.headers.get("Cookie", ""):
        return web.Response(text="nobody")
    return web.Response(status=302, headers={"Location": str(request.rel_url), "Set-Cookie": "who=nobody; Path=/"})


@pytest.fixture
def plain(looking: Project) -> Project:
    """With a spider that is none of ours."""
    looking.settings('[scrapy]\nALLOW_ADDRESSES = ["127.0.0.1/32:*"]\n')
    looking.write("spiders/__init__.py", "")
    looking.write("spiders/plain.py", PLAIN_SPIDER)
    looking.site.pages |= {
        "/robots.txt": "User-agent: *\nDisallow: /verboten\n",
        "/login": lambda _: web.Response(
            status=302, headers={"Location": "/konto", "Set-Cookie": "who=anna; Path=/; HttpOnly"}
        ),
        "/konto": account,
    }
    return looking


async def test_a_plain_spider_keeps_its_session(plain, tmp_path):
    await plain.run("crawl", "plain", "-a", f"base={plain.site.base}", "-O", str(tmp_path / "out.jsonl"))
    items = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert items[0] == {"after login": "Anna", "left": []}
    assert {item["url"]: item["text"] for item in items[1:]} == {
        f"{plain.site.base}/konto": "Anna",
        f"{plain.site.base}/konto?wer": "nobody",
    }


LOGGING_IN = """
from scrapy import FormRequest

from crawler.spiders.news import NewsSpider

class Zeitung(NewsSpider):
    name = "blatt"

    async def start(self):
        form = {"user": "anna"}
        login = FormRequest(self.source.homepage + "login", formdata=form, meta={"cookiejar": "subscription"})
        await self.crawler.engine.download_async(login)
        async for request in super().start():
            yield request

    def article_request(self, entry):
        request = super().article_request(entry)
        request.meta["cookiejar"] = "subscription"
        return request
"""


async def test_articles_behind_a_login_are_had_with_a_named_jar(project):
    project.write("spiders/__init__.py", "")
    project.write("spiders/zeitung.py", LOGGING_IN)

    def for_subscribers(request: web.Request) -> web.Response:
        """Sends those away and back who have no cookie of its own yet, and asks the others who they are."""
        cookies = request.headers.get("Cookie", "")
        if "seen=1" not in cookies:
            return web.Response(status=302, headers={"Location": request.path, "Set-Cookie": "seen=1; Path=/"})
        return web.Response(text=article(1) if "who=anna" in cookies else "", content_type="text/html")

    project.site.pages |= {
        "/login": lambda _: web.Response(text="Hallo", headers={"Set-Cookie": "who=anna; Path=/"}),
        "/artikel-1.html": for_subscribers,
    }
    project.site.feed("/artikel-1.html")
    await project.run("crawl", "blatt")
    assert project.rows("SELECT title FROM news.articles") == [("Brücke 1 wird erneuert",)]


async def test_what_a_plain_spider_cannot_have_is_said_in_one_line(plain):
    said = await plain.run("crawl", "plain", "-a", f"base={plain.site.base}")
    assert "Traceback" not in said
    lines = {line.split(" WARNING: ")[1] for line in said.splitlines() if " WARNING: " in line}
    assert lines == {
        f"<GET {plain.site.base}/fort.html>: the server answered 404 Not Found",
        f"<GET {plain.site.base}/verboten.html>: robots.txt of the site forbids this page",
    }


OWN_COMPONENTS = '''
from itemadapter import ItemAdapter
from scrapy.exceptions import DropItem

class Capitals:
    """Between reading (200) and storing (300)."""

    def process_item(self, item):
        adapter = ItemAdapter(item)
        if "Brücke 2" in adapter["title"]:
            raise DropItem("not of interest")
        adapter["title"] = adapter["title"].upper()
        return item

class Marked:
    """A downloader middleware."""

    def process_request(self, request):
        request.headers["X-Marked"] = "yes"
'''


async def test_pipelines_middlewares_and_extensions_of_ones_own(project):
    project.write("spiders/__init__.py", "")
    project.write("spiders/mine.py", OWN_COMPONENTS)
    project.settings('[scrapy.DOWNLOADER_MIDDLEWARES]\n"spiders.mine.Marked" = 510\n')
    project.source('[scrapy.ITEM_PIPELINES]\n"spiders.mine.Capitals" = 250\n')
    await project.run("crawl", "blatt")
    assert project.rows("SELECT title FROM news.articles") == [("BRÜCKE 1 WIRD ERNEUERT",)]
    assert project.rows("SELECT reason, detail FROM news.rejections") == [("dropped", "not of interest")]
    assert all(headers.get("X-Marked") == "yes" for headers in project.site.headers)


@pytest.mark.parametrize(
    ("where", "text", "says"),
    [
        ("settings.toml", "[scrapy]\nITEM_PIPELINE = {}\n", "scrapy.ITEM_PIPELINE: there is no Scrapy setting"),
        ("settings.toml", "[scrapy]\nTELNETCONSOLE_ENABLED = true\n", "TELNETCONSOLE_ENABLED does nothing here"),
        ("sources/blatt.toml", '[scrapy]\nITEM_PIPELINES = ["x"]\n', "scrapy.ITEM_PIPELINES: expected a table"),
    ],
)
async def test_a_wrong_scrapy_table_is_an_error_with_file_and_key(looking, where, text, says):
    looking.write(where, (looking.folder / where).read_text() + text)
    for command in (("list",), ("crawl", "blatt")):
        said = await looking.run(*command, code=1)
        assert where in said and says in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("where", "text", "says"),
    [
        (
            "settings.toml",
            '[scrapy.EXTENSIONS]\n"spiders.nowhere.Mine" = 5\n',
            'scrapy.EXTENSIONS."spiders.nowhere.Mine": ',
        ),
        (
            "sources/blatt.toml",
            '[scrapy.ITEM_PIPELINES]\n"json.nothing" = 5\n',
            'scrapy.ITEM_PIPELINES."json.nothing": ',
        ),
    ],
)
async def test_a_component_that_is_not_there_is_an_error_with_file_and_key(looking, where, text, says):
    looking.write(where, (looking.folder / where).read_text() + text)
    said = await looking.run("crawl", "blatt", code=1)
    assert where in said and f"{says}cannot be loaded" in said and "Traceback" not in said
    checked = CliRunner().invoke(app, ["sources", "check", "blatt"], env={"NACHLESE_CONFIG": str(looking.folder)})
    assert checked.exit_code == Exit.USAGE and f"{where}: {says}cannot be loaded" in checked.stderr.replace("\n", "")


async def test_genspider_writes_a_spider_that_is_found(looking):
    looking.write("spiders/__init__.py", "")
    await looking.run("genspider", "meiner", looking.site.base)
    assert (await looking.run("list")).split() == ["blatt", "meiner"]


# --- [fetch] ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def proxy() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A proxy for http that fetches nothing and answers everything itself; what it was asked."""
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        status = 404 if request.path.endswith("robots.txt") else 200
        return web.Response(status=status, text=article(7), content_type="text/html")

    server = web.Server(answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://anna:geheim@127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


async def test_headers_and_cookies_of_a_source_go_to_its_own_site_alone(project):
    elsewhere = Web()
    project.source(
        'user_agent = "Blatt/1"\nheaders = {X-Token = "${BLATT_TOKEN}"}\ncookies = {abo = "${BLATT_TOKEN}"}\n'
    )
    async with served(elsewhere) as other:
        elsewhere.pages["/ziel.html"] = article(3)
        # another host, as far as sites go: localhost instead of 127.0.0.1
        target = other.base.replace("127.0.0.1", "localhost") + "/ziel.html"
        project.site.pages["/weg.html"] = lambda _: web.Response(status=302, headers={"Location": target})
        project.site.feed("/artikel-1.html", "/weg.html")
        text = (project.folder / "sources" / "blatt.toml").read_text()
        both = '["127.0.0.1/32:*", "[::1]/128:*"]'
        project.write("sources/blatt.toml", text.replace('["127.0.0.1/32:*"]', both))
        await project.run("crawl", "blatt", BLATT_TOKEN="sesam")
    pages = {path: headers for path, headers in zip(project.site.asked, project.site.headers, strict=True)}
    assert pages["/artikel-1.html"]["X-Token"] == "sesam" and "abo=sesam" in pages["/artikel-1.html"]["Cookie"]
    assert pages["/artikel-1.html"]["User-Agent"] == "Blatt/1"
    assert elsewhere.asked == ["/robots.txt", "/.well-known/tdmrep.json", "/ziel.html"]
    assert not any({"X-Token", "Cookie"} & set(headers) for headers in elsewhere.headers)
    said = await project.run("crawl", "blatt", code=1)
    assert "fetch.headers.X-Token: the environment has no BLATT_TOKEN" in said and "sesam" not in said


async def test_a_proxy_is_connected_to_under_the_guard(project, proxy):
    address, asked = proxy
    project.site.feed("/artikel-1.html")
    project.source('proxy = "${BLATT_PROXY}"\n')
    await project.run("crawl", "blatt", "-a", "url=http://127.0.0.1:1/ueber-den-proxy.html", BLATT_PROXY=address)
    assert [str(request.url).partition("?")[0] for request in asked][-1].endswith("/ueber-den-proxy.html")
    authorized = [request.headers.get("Proxy-Authorization") for request in asked]
    assert authorized == ["Basic YW5uYTpnZWhlaW0="] * len(asked)
    assert project.rows("SELECT title FROM news.articles") == [("Brücke 7 wird erneuert",)]
    await project.run("crawl", "blatt", "-a", "url=http://169.254.169.254/x", BLATT_PROXY=address)
    await project.run("crawl", "blatt", "-a", "url=http://127.0.0.1:1/y", BLATT_PROXY="http://127.0.0.2:3128")
    reasons = project.rows("SELECT url, reason FROM news.rejections ORDER BY url")
    assert [reason for _, reason in reasons] == ["blocked_address", "blocked_address"]
