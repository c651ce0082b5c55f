"""Which Scrapy settings act here, and what is said of those that do not, wherever they stand."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from scrapy import Spider
from scrapy.downloadermiddlewares.retry import RetryMiddleware

from crawler.addon import spider_problems, warn_once
from crawler.cli.common import Exit
from crawler.config.scrapy_names import known_names, problem_of, problems_of_table
from crawler.spiders.news import NewsSpider
from tests.test_crawl import Web, article, configured, site
from tests.test_scrapy_commands import Project

__all__ = ["site"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("USER_AGNT", "USER_AGENT"),
        ("USERR_AGENT", "USER_AGENT"),
        ("USER_ANGET", None),  # two slips
        ("USER_AEGNT", "USER_AGENT"),
        ("USER_AGENR", "USER_AGENT"),
        ("user_agent", "USER_AGENT"),
        ("ITEM_PIPELINE", "ITEM_PIPELINES"),
        ("IMAGES_THUMBS", None),  # of Scrapy's own ImagesPipeline, and not among its defaults
        ("SPIDERMON_ENABLED", None),
        ("MONGO_URI", None),
    ],
)
def test_one_slip_of_the_pen_is_told_from_the_name_of_somebody_elses_setting(name, meant):
    said = problem_of(name)
    assert said == (meant and f"there is no Scrapy setting {name}; did you mean {meant}?")


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("HTTPERROR_ALLOWED_CODES", "handle_httpstatus_list"),
        ("ROBOTSTXT_USER_AGENT", "Nachlese"),
        ("ROBOTSTXT_PARSER", "robots.txt"),
        ("REFERRER_POLICIES", "Referer"),
        ("HTTP2_MAX_FRAME_SIZE", "HTTP/1.1"),
        ("MAIL_HOST", "[alerts]"),
        ("MEMUSAGE_NOTIFY_MAIL", "[alerts]"),
        ("SCHEDULER_DISK_QUEUE", "Postgres"),
    ],
)
def test_what_can_do_nothing_says_what_to_use(name, use):
    assert name in known_names()
    said = problem_of(name)
    assert said.startswith(f"{name} does nothing here: ") and use in said


@pytest.mark.parametrize(
    "name", ["SCHEDULER_MEMORY_QUEUE", "DOWNLOADER_STATS", "CLOSESPIDER_TIMEOUT", "DEPTH_PRIORITY"]
)
def test_of_what_acts_nothing_is_said(name):
    assert name in known_names() and problem_of(name) is None


def test_settings_of_ones_own_components_may_have_any_name_but_make_nothing_act():
    assert list(problems_of_table({"custom": {"USER_AGNT": 1}})) == []
    assert [key for key, _ in problems_of_table({"custom": {"JOBDIR": "x"}})] == ["scrapy.custom.JOBDIR"]


class Ours(NewsSpider):
    name = "ours"
    custom_settings: ClassVar[dict[str, Any]] = {
        "JOBDIR": "x", "RETRY_TIMES": 5, "USER_AGNT": "x", "LOG_LEVEL": "INFO",
    }  # fmt: skip


class Plain(Spider):
    name = "plain"
    custom_settings: ClassVar[dict[str, Any]] = {"JOBDIR": "x", "RETRY_TIMES": 5, "AUTOTHROTTLE_ENABLED": True}


def test_what_acts_on_requests_of_a_plain_spider_does_nothing_for_a_source():
    assert [name for name, _ in spider_problems(Ours)] == ["JOBDIR", "RETRY_TIMES", "USER_AGNT"]
    assert [name for name, _ in spider_problems(Plain)] == ["AUTOTHROTTLE_ENABLED"]
    assert list(spider_problems(NewsSpider)) == []


class MyRetries(RetryMiddleware):
    """Of one's own, and it reads what Scrapy's reads."""


class Enabling(NewsSpider):
    name = "enabling"
    custom_settings: ClassVar[dict[str, Any]] = {
        "RETRY_HTTP_CODES": [429], "HTTPCACHE_ENABLED": True, "HTTPERROR_ALLOW_ALL": True,
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None, MyRetries: 550,
        },
        "SPIDER_MIDDLEWARES": {"scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": 50},
    }  # fmt: skip


def test_a_setting_acts_where_the_spider_enables_what_reads_it():
    assert [name for name, _ in spider_problems(Enabling)] == ["HTTPCACHE_ENABLED"]


def test_it_is_said_once_in_a_process(caplog):
    for _ in range(2):
        for _, said in spider_problems(Ours):
            warn_once(said)
    (only,) = [record.getMessage() for record in caplog.records if "JOBDIR" in record.getMessage()]
    assert only.startswith(f"custom_settings of {__name__}.Ours: JOBDIR does nothing here: the frontier is in Postgres")
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


OWN = """
from crawler.spiders.news import NewsSpider

class Zeitung(NewsSpider):
    name = "blatt"
    custom_settings = {
        "JOBDIR": "JOBS",
        "DOWNLOAD_HANDLERS": {"http": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"},
        "USER_AGNT": "x",
        "SPIDERMON_ENABLED": True,
    }
"""


@pytest.fixture
def project(tmp_path: Path, site: Web, database_url: str) -> Project:
    site.pages["/artikel-1.html"] = article(1)
    site.feed("/artikel-1.html")
    configured(tmp_path, site)
    found = Project(tmp_path, site, database_url)
    found.write("spiders/__init__.py", "")
    found.write("spiders/zeitung.py", OWN.replace("JOBS", str(tmp_path / "jobs")))
    return found


async def test_a_spiders_settings_that_do_nothing_are_named_and_the_guard_stays(project, tmp_path):
    said = await project.run("crawl", "blatt")
    for name in (
        "JOBDIR does nothing here",
        "DOWNLOAD_HANDLERS does nothing here",
        "there is no Scrapy setting USER_AGNT",
    ):
        assert said.count(f"custom_settings of spiders.zeitung.Zeitung: {name}") == 1, said
    assert "SPIDERMON_ENABLED: " not in said and "no Scrapy setting SPIDERMON" not in said
    assert project.rows("SELECT count(*) FROM news.articles") == [(1,)]  # the file allows the address, the guard asks
    assert not (tmp_path / "jobs").exists()


def test_checking_the_sources_names_them_too(project):
    def check(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "crawler.cli", "sources", "check", *words]
        return subprocess.run(command, env=project.environment, capture_output=True, text=True, check=False)

    checked = check("blatt")
    assert checked.returncode == Exit.WELL, checked.stderr
    said = "custom_settings of spiders.zeitung.Zeitung: JOBDIR does nothing here"
    assert f"blatt: {said}" in checked.stdout.replace("\n", "")
    (found,) = map(json.loads, check("--json").stdout.splitlines())
    assert len(found["warnings"]) == 3 and found["warnings"][0].startswith(said)
    project.write("spiders/zeitung.py", "import nothing_like_it\n")
    broken = check()
    assert broken.returncode == Exit.USAGE and "nothing_like_it" in broken.stderr
    assert "Traceback" not in broken.stderr
