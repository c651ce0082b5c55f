from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from crawler.robots import (
    FAILED_AGAIN,
    FRESH,
    STALE,
    Disallowed,
    Robots,
    RobotsAnswer,
    RobotsFetchError,
    RobotsUnavailable,
)
from crawler.robots_txt import Rules, judged_all


class Site:
    """Answers robots.txt with whatever ``says`` is now, and counts."""

    def __init__(self, says):
        self.says = says
        self.asked: list[str] = []

    async def get(self, url):
        self.asked.append(url)
        await asyncio.sleep(0)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class Clock:
    def __init__(self):
        self.time = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self):
        return self.time


FORBID_A = RobotsAnswer(200, b"User-agent: *\nDisallow: /a\n")
PAGE_A, PAGE_B = "https://x.de/a", "https://x.de/b"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def robots(store, clock):
    return Robots(store, "Nachlese", now=clock)


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/", True),
        ("User-agent: *\nDisallow:", "/", True),
        ("User-agent: *\nDisallow: /", "/", False),
        ("\ufeffUser-agent: *\nDisallow: /", "/", False),
        ("User-agent: nachlese\nDisallow: /x\n\nUser-agent: *\nDisallow: /", "/y", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: NachLese/2.0\nDisallow: /x", "/y", True),
        ("User-agent: other\nUser-agent: nachlese\nDisallow: /x", "/x", False),
        ("User-agent: other\nDisallow: /x\nUser-agent: another\nDisallow: /", "/x", True),
        ("User-agent: nachlesebot\nDisallow: /", "/x", True),
        ("User-agent: a\nDisallow: /x\nUser-agent: *\nAllow: /x/y\nDisallow: /x", "/x/y", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /x # why\nCrawl-delay: 7", "/x", False),
        ("User-agent: *\nSitemap: https://x.de/s\nDisallow: /x", "/x", False),
        ("User-agent: *\r\nDisallow: /x\r\n", "/x", False),
        ("<!doctype html><p>User-agent: *</p>", "/x", True),
        ("\0\0User-agent: *\nDis\0allow: /x", "/x", False),
    ],
)
def test_rules(text, path, allowed):
    assert Rules(text.encode(), "nachlese").allows("https://x.de" + path) is allowed


def test_crawl_delay_is_ours_or_everybodys():
    assert Rules(b"User-agent: *\nCrawl-delay: 7", "nachlese").crawl_delay == 7
    assert Rules(b"User-agent: *\nCrawl-delay: 7\nUser-agent: nachlese\nCrawl-delay: 2", "nachlese").crawl_delay == 2
    assert Rules(b"User-agent: *\nCrawl-delay: x\nDisallow: /x", "nachlese").crawl_delay is None
    assert Rules(b"User-agent: b\nCrawl-delay: 5", "nachlese").crawl_delay is None


def test_a_file_made_to_take_minutes_is_read_at_once():
    agents = "".join(f"User-agent: b{number}\n" for number in range(12_000))
    rules = "".join(f"Disallow: /x{number}\n" for number in range(12_000))
    assert Rules((agents + rules).encode(), "nachlese").allows(PAGE_A)
    assert not Rules(("User-agent: *\n" * 9_000 + agents + "Disallow: /a\n").encode(), "nachlese").allows(PAGE_A)


async def test_200_gives_rules_fetched_once_for_a_site(robots):
    site = Site(FORBID_A)
    await asyncio.gather(*(robots.check(f"https://x.de/b{number}", site.get) for number in range(20)))
    with pytest.raises(Disallowed):
        await robots.check(PAGE_A, site.get)
    assert site.asked == ["https://x.de/robots.txt"]


async def test_each_scheme_and_port_has_its_own_file(robots):
    site = Site(FORBID_A)
    for url in ("http://x.de/b", "https://x.de/b", "https://x.de:8443/b"):
        await robots.check(url, site.get)
    assert site.asked == ["http://x.de/robots.txt", "https://x.de/robots.txt", "https://x.de:8443/robots.txt"]


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410, 451])
async def test_no_file_allows_everything(robots, status):
    await robots.check(PAGE_A, Site(RobotsAnswer(status, b"User-agent: *\nDisallow: /")).get)


async def test_no_answer_allows_nothing_for_now_and_is_not_asked_for_each_page(robots, clock):
    site = Site(RobotsFetchError("it answered 503"))
    for _ in range(3):
        with pytest.raises(RobotsUnavailable, match="503") as refused:
            await robots.check(PAGE_B, site.get)
        assert refused.value.retry_at == clock.time + FAILED_AGAIN
    assert len(site.asked) == 1
    clock.time += FAILED_AGAIN
    site.says = FORBID_A
    await robots.check(PAGE_B, site.get)


async def test_a_time_the_host_named_is_kept(robots, clock):
    later = clock.time + timedelta(hours=3)
    with pytest.raises(RobotsUnavailable) as refused:
        await robots.check(PAGE_B, Site(RobotsFetchError("it answered 429", later)).get)
    assert refused.value.retry_at == later


async def test_the_last_good_copy_holds_for_a_day(robots, clock):
    site = Site(FORBID_A)
    await robots.check(PAGE_B, site.get)
    site.says = RobotsFetchError("no answer")
    clock.time += FRESH
    await robots.check(PAGE_B, site.get)
    with pytest.raises(Disallowed):
        await robots.check(PAGE_A, site.get)
    clock.time += STALE - FRESH
    with pytest.raises(RobotsUnavailable):
        await robots.check(PAGE_B, site.get)


async def test_it_is_fetched_again_when_no_longer_fresh(robots, clock):
    site = Site(FORBID_A)
    await robots.check(PAGE_B, site.get)
    site.says = RobotsAnswer(200, b"User-agent: *\nDisallow: /b")
    clock.time += FRESH
    with pytest.raises(Disallowed):
        await robots.check(PAGE_B, site.get)


async def test_a_restarted_process_knows_the_file(store, clock):
    site = Site(FORBID_A)
    await Robots(store, "nachlese", now=clock).check(PAGE_B, site.get)
    again = Robots(store, "nachlese", now=clock)
    with pytest.raises(Disallowed):
        await again.check(PAGE_A, site.get)
    assert len(site.asked) == 1
    clock.time += FRESH
    site.says = RobotsFetchError("no answer")
    with pytest.raises(Disallowed):
        await again.check(PAGE_A, site.get)


async def test_what_one_source_may_not_reach_is_not_held_against_another(robots):
    refused, site = Site(PermissionError("not a public address")), Site(FORBID_A)
    one, other = await asyncio.gather(
        robots.check(PAGE_B, refused.get, "nobody"), robots.check(PAGE_B, site.get, "loopback"), return_exceptions=True
    )
    assert isinstance(one, PermissionError) and other == 0


async def test_crawl_delay_is_capped(store, clock):
    robots = Robots(store, "nachlese", timedelta(seconds=30), now=clock)
    assert await robots.check(PAGE_B, Site(RobotsAnswer(200, b"User-agent: *\nCrawl-delay: 86400")).get) == 30
    assert await robots.check("https://y.de/", Site(RobotsAnswer(404, b"")).get) == 0


async def test_what_is_asked_for_soon_is_judged_together_and_once(store, clock):
    questions, site = [], Site(FORBID_A)

    async def judge(body, agent, urls, whose):
        questions.append((list(urls), whose))
        return judged_all(body, agent, urls)

    robots = Robots(store, "Nachlese", now=clock, judge=judge)
    await robots.foresee([PAGE_A, PAGE_B], "blatt")  # nobody has asked for the file yet
    assert questions == []
    await robots.check(PAGE_B, site.get)
    await robots.foresee([PAGE_A, PAGE_B, "https://y.de/a"], "blatt")
    with pytest.raises(Disallowed):
        await robots.check(PAGE_A, site.get)
    await robots.check(PAGE_B, site.get)
    assert questions == [([PAGE_B], ""), ([PAGE_A, PAGE_B], "blatt")]
    await robots.check(PAGE_B, site.get)  # a judgement is for one request: rules are parsed again for the next
    assert len(questions) == 3


async def test_one_who_gives_up_waiting_does_not_take_the_answer_from_the_others(robots):
    site = Site(FORBID_A)
    first = asyncio.ensure_future(robots.check(PAGE_B, site.get))
    second = asyncio.ensure_future(robots.check(PAGE_B, site.get))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 0
    assert len(site.asked) == 1


async def test_only_the_first_500_kib_count(robots):
    body = b"User-agent: *\n" + b"#" * 600_000 + b"\nDisallow: /b"
    await robots.check(PAGE_B, Site(RobotsAnswer(200, body)).get)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    ["User-agent: *\nDisallow: /a/\nAllow: /a/b\n", "user-agent *\r\ndisallow /a/\r\nallow\t/a/b\r\n",
     "User-Agent = *\nDisallow = /a/\nAllow=/a/b", "User-agent: *\nDisallow /a/ # http://x\nAllow /a/b"],
)  # fmt: skip
def test_rules_hold_in_utf_16_and_without_a_colon(text: str, encoding: str):
    rules = Rules(text.encode(encoding), "nachlese")
    allowed = {path: rules.allows(f"https://a.example{path}") for path in ("/", "/a/", "/a/b", "/a/x:y")}
    assert allowed == {"/": True, "/a/": False, "/a/b": True, "/a/x:y": False}


@pytest.mark.parametrize("text", ["", "\n", "Disallow", "Disallow:", "Allow everything, please", "<html>Disallow /a/"])
def test_what_is_no_rule_forbids_nothing(text: str):
    assert Rules(f"User-agent: *\n{text}".encode(), "nachlese").allows("https://a.example/a/")
