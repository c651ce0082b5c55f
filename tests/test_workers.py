"""Reader processes: a poisonous page costs only itself. `tests.poison` reads a page by doing what its body orders."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from crawler.discovery import DiscoveryFailure, DiscoveryResult, ParseIssue, read_document
from crawler.discovery.links import LinkFilter
from pipelines.items import Article, Page, Part, Reason, Rejected
from pipelines.reader_launch import launch
from pipelines.reading.rules import Rules
from pipelines.workers import LARGE, ReaderPool, ReadersUnavailable, Task, _SentRules, death

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules(language="de")


def page(order: str, number: int = 0) -> Page:
    return Page(f"https://example.org/{number}", "probe", order.encode(), NOON)


@pytest.fixture
async def readers():
    async with ReaderPool(2, seconds=0.3, clock=60, memory=64 << 20, read="tests.poison:read") as pool:
        yield pool


async def end_of(pool: ReaderPool, order: str) -> Rejected:
    with pytest.raises(Rejected) as caught:
        await pool.read(page(order), RULES)
    return caught.value


async def test_an_article_comes_back_as_it_was_read(readers):
    article = await readers.read(page("ein Text mit „Anführung“ und €"), RULES)
    assert article == Article(
        url="https://example.org/0",
        canonical_url="https://example.org/0",
        source="probe",
        title="de",
        text="ein Text mit „Anführung“ und €",
        fetched_at=NOON,
        details={"Ort": ["Köln", "Bonn"], "Preis": "3 €"},
    )


@pytest.mark.parametrize(
    ("order", "reason", "detail"),
    [
        ("hang", Reason.READER_TIMEOUT, "0.3 s of processor time"),
        ("explode", Reason.READER_MEMORY, "more than 64 MiB"),
        ("swallow", Reason.READER_MEMORY, "given up after"),
        ("killed", Reason.READER_MEMORY, "killed from outside"),
        ("segfault", Reason.READER_CRASH, "SIGSEGV"),
        ("leave", Reason.READER_CRASH, "status 3"),
        ("fail", Reason.READER_CRASH, "KeyError in fail (poison.py:"),
        ("recurse", Reason.READER_CRASH, "RecursionError"),
        ("surrogate", Reason.READER_CRASH, "\\udc80 in the text"),
        ("half", Reason.READER_CRASH, "surrogates not allowed"),
        ("refuse", Reason.SOFT_404, "Seite nicht gefunden"),
    ],
)
async def test_each_poison_has_its_name_and_the_next_page_is_read(readers, order, reason, detail):
    rejected = await end_of(readers, order)
    assert rejected.reason is reason
    assert detail in rejected.detail
    assert "\n" not in rejected.detail
    assert (await readers.read(page("gut"), RULES)).text == "gut"


async def test_a_page_whose_reader_is_killed_by_chance_is_read_by_another(tmp_path):
    """`die-once FILE` kills its reader where FILE does not exist yet."""
    async with ReaderPool(1, clock=60, read="tests.poison:read") as pool:
        article = await pool.read(page(f"die-once {tmp_path / 'died'}"), RULES)
    assert article.text.startswith("die-once")
    assert (tmp_path / "died").exists()


async def test_pages_in_flight_beside_a_poisonous_one_are_unaffected(readers):
    orders = ["gut", "hang", "gut", "segfault", "gut", "explode", "gut", "fail", "gut", "gut"]
    ends = await asyncio.gather(
        *(readers.read(page(order, n), RULES) for n, order in enumerate(orders)), return_exceptions=True
    )
    assert ["gut" if isinstance(end, Article) else end.reason for end in ends] == [
        "gut",
        Reason.READER_TIMEOUT,
        "gut",
        Reason.READER_CRASH,
        "gut",
        Reason.READER_MEMORY,
        "gut",
        Reason.READER_CRASH,
        "gut",
        "gut",
    ]
    assert [end.url for end in ends if isinstance(end, Article)] == [
        f"https://example.org/{n}" for n in (0, 2, 4, 6, 8, 9)
    ]


async def test_a_page_that_needs_more_than_its_share_is_read_alone():
    async with ReaderPool(2, memory=200 << 20, read="tests.poison:read") as pool:
        assert pool.limit.memory < 70 << 20 < pool.most.memory
        orders = ["need_much", "abort_if_little", "need_much"]
        ends = await asyncio.gather(*(pool.read(page(order, n), RULES) for n, order in enumerate(orders)))
        assert [end.text for end in ends] == orders


@pytest.mark.parametrize("size", [1, 2])
async def test_pages_that_hang_wait_for_each_other_and_a_good_one_for_none_of_them(size):
    async with ReaderPool(size, seconds=0.5, clock=60, read="tests.poison:read") as pool:
        await pool.read(page("gut"), RULES)
        hanging = [asyncio.ensure_future(pool.read(page("hang", n), RULES)) for n in range(6)]
        await asyncio.sleep(0)
        assert pool.reading_exclusively("probe") == 0
        good = replace(page("gut"), source="other")
        assert (await pool.read(good, RULES)).text == "gut"
        assert sum(task.done() for task in hanging) <= 1
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_large_pages_are_read_one_at_a_time(tmp_path):
    """While one reader holds a large page, the other has time for a small one that came later, not for a second."""
    os.mkfifo(tmp_path / "go")
    large = replace(page(f"hold {tmp_path}"), more=(Part("https://example.org/2", bytes(LARGE), "text/html"),))
    async with ReaderPool(2, seconds=60, read="tests.poison:read") as pool:
        both = [asyncio.ensure_future(pool.read(large, RULES)) for _ in range(2)]
        await asyncio.sleep(0)
        assert pool.reading_exclusively("probe") == 2
        assert (await pool.read(page("gut"), RULES)).text == "gut"
        assert not (tmp_path / "two at once").exists()
        for _ in both:
            await asyncio.to_thread((tmp_path / "go").write_bytes, b"")
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            both = [task for task in both if not task.done()]
    assert both == []


async def test_readers_do_other_tasks_too_and_say_what_went_wrong():
    task = Task("crawler.discovery:look", DiscoveryResult | DiscoveryFailure)
    link_filter = LinkFilter("https://example.org/", NOON)

    async def look(body: bytes) -> DiscoveryResult | DiscoveryFailure | None:
        arguments = ("feed", body, "", "https://example.org/feed", link_filter, 1000)
        return await pool.ask(task, arguments, whose="probe", size=len(body), about="a feed")

    async with ReaderPool(1, read="tests.poison:read", tasks=[task]) as pool:
        found = await look(b"<rss><channel><item><link>https://example.org/a-1</link></item></channel></rss>")
        assert [link.url for link in found.links] == ["https://example.org/a-1"]
        undated = b"<urlset>" + b"".join(b"<url><loc>/%d</loc></url>" % number for number in range(9)) + b"</urlset>"
        assert await look(undated) == read_document("sitemap", undated, "", "https://example.org/feed", link_filter)
        assert await look(b"x" * 2000) == DiscoveryFailure(ParseIssue.TOO_LARGE, "2000 bytes, 1000 are allowed")


async def test_a_reader_that_was_forked_for_a_feed_learns_what_pages_need_in_the_forkserver():
    """Compiled phrases are shared by all readers, and what they take is laid to no page."""
    task = Task("tests.poison:pid", int)  # which nobody has told it of before
    async with ReaderPool(1, read="tests.poison:read") as pool:
        first = await pool.ask(task, (), whose="probe", size=0, about="a feed")
        reading = (await pool.read(page("who"), RULES)).text
        assert reading != str(first)
        assert str(await pool.ask(task, (), whose="probe", size=0, about="a feed")) == reading
        assert (await pool.read(page("who"), Rules(language="fr"))).text == reading


async def test_a_forkserver_that_was_started_early_is_warm_before_it_is_told_any_rules():
    task = Task("tests.poison:is_warm", bool)
    launch()
    for is_early in (True, False):  # the first pool has the one that was started early
        async with ReaderPool(1, read="tests.poison:read", tasks=[task]) as pool:
            assert await pool.ask(task, (), whose="probe", size=0, about="a feed") is is_early


async def test_the_event_loop_goes_on_while_pages_hang():
    async with ReaderPool(2, clock=0.5, read="tests.poison:read") as pool:
        hanging = [asyncio.ensure_future(pool.read(page("sleep"), RULES)) for _ in range(2)]
        turns = 0
        while not all(task.done() for task in hanging):
            await asyncio.sleep(0)
            turns += 1
    assert turns > 2
    assert [task.exception().reason for task in hanging] == [Reason.READER_TIMEOUT] * 2
    assert hanging[0].exception().detail == "not read within 0.5 s"


async def test_a_reader_is_kept_for_the_next_page():
    async with ReaderPool(1, read="tests.poison:read") as pool:
        first = (await pool.read(page("who"), RULES)).text
        assert (await pool.read(page("who"), RULES)).text == first
        await end_of(pool, "refuse")
        assert (await pool.read(page("who"), RULES)).text == first
        await end_of(pool, "fail")
        assert (await pool.read(page("who"), RULES)).text != first


async def test_what_earlier_pages_took_is_not_laid_to_the_next_one():
    async with ReaderPool(1, memory=256 << 20, read="tests.poison:read") as pool:
        first = (await pool.read(page("who"), RULES)).text
        for order in ("hoard", "need_some", "hoard", "need_some"):
            assert (await pool.read(page(order), RULES)).text == order
        assert (await pool.read(page("who"), RULES)).text == first


async def test_where_many_pages_need_more_than_their_share_it_becomes_small():
    async with ReaderPool(1, memory=256 << 20, read="tests.poison:read") as pool:
        wide = pool.limit.seconds
        for number in range(2):
            assert (await pool.read(page("need_much", number), RULES)).text == "need_much"
        assert pool.limit.seconds < wide
        for number in range(40):
            await pool.read(page("gut", number), RULES)
        assert pool.limit.seconds == wide


async def test_rules_travel_once_and_each_page_gets_its_own():
    french, german = Rules(language="fr"), Rules(language="de")
    async with ReaderPool(1, read="tests.poison:read") as pool:
        titles = [(await pool.read(page("gut"), rules)).title for rules in (french, german, french, german)]
    assert titles == ["fr", "de", "fr", "de"]
    sent = _SentRules()
    assert sent.pickled(french) is sent.pickled(french)
    assert sent.pickled(french)[0] != sent.pickled(german)[0]
    assert sent.pickled(Rules(language="fr"))[0] == sent.pickled(french)[0]


async def test_a_page_that_nobody_waits_for_any_more_does_not_occupy_its_reader(tmp_path):
    os.mkfifo(tmp_path / "begun")
    async with ReaderPool(1, seconds=60, read="tests.poison:read") as pool:
        task = asyncio.ensure_future(pool.read(page(f"begin {tmp_path / 'begun'}"), RULES))
        await asyncio.to_thread((tmp_path / "begun").read_bytes)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await pool.read(page("gut"), RULES)).text == "gut"


async def test_the_readers_come_back_after_the_forkserver_was_killed(readers):
    assert (await readers.read(page("gut"), RULES)).text == "gut"
    os.kill(readers._forkserver._process.pid, signal.SIGKILL)
    await end_of(readers, "fail")
    assert (await readers.read(page("gut"), RULES)).text == "gut"
    assert (await readers.read(page("gut"), RULES)).text == "gut"


async def test_a_reading_function_that_cannot_be_loaded_is_no_fault_of_the_page(capfd):
    with pytest.raises(ReadersUnavailable, match=r"tests\.poison:nothing"):
        async with ReaderPool(1, read="tests.poison:nothing"):
            pass
    assert "AttributeError" in capfd.readouterr().err


async def test_after_closing_nothing_is_read_and_nothing_is_left(tmp_path):
    os.mkfifo(tmp_path / "begun")
    async with ReaderPool(2, seconds=60, read="tests.poison:read") as readers:
        reader = int((await readers.read(page("who"), RULES)).text)
        orders = [f"begin {tmp_path / 'begun'}", "sleep", "sleep", "sleep"]
        waiting = [asyncio.ensure_future(readers.read(page(order), RULES)) for order in orders]
        await asyncio.to_thread((tmp_path / "begun").read_bytes)
        await readers.close()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [ReadersUnavailable] * 4
        with pytest.raises(ReadersUnavailable):
            await readers.read(page("gut"), RULES)
    assert not alive(reader)


async def test_readers_know_no_secret_and_no_socket_but_their_own(monkeypatch):
    monkeypatch.setenv("NACHLESE_DATABASE_URL", "postgresql://u:secret@db/x")
    monkeypatch.setenv("PGPASSWORD", "secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.set_inheritable(True)
        pool = ReaderPool(1, read="tests.poison:read")
        await pool.start()
    async with pool:
        assert (await end_of(pool, "tell_environment")).detail == ""
        assert (await end_of(pool, "tell_core")).detail == "(0, 0)"
        if sys.platform == "linux":
            open_files = (await end_of(pool, "tell_files")).detail.split()
            assert len([name for name in open_files if name.startswith("socket:")]) == 1


PARENT = """
import asyncio, os, sys
from datetime import UTC, datetime
from pipelines.items import Page
from pipelines.reading.rules import Rules
from pipelines.workers import ReaderPool

async def main():
    pool = ReaderPool(2, seconds=600, read="tests.poison:read")
    page = lambda order: Page("https://example.org/", "probe", order, datetime.now(UTC))
    busy = asyncio.ensure_future(pool.read(page(b"hang"), Rules()))
    await pool.read(page(b"who"), Rules())
    while len(pool._forkserver.children) < 2:
        await asyncio.sleep(0)
    print(pool._forkserver._process.pid, *pool._forkserver.children, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_readers_end_with_their_parent_even_when_it_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    with parent:
        try:
            family = [int(pid) for pid in parent.stdout.readline().split()]
            assert len(family) == 3
            for pid in family:
                os.kill(pid, signal.SIGINT)  # Ctrl-C reaches every process of the terminal; only the parent decides
                os.kill(pid, signal.SIGTERM)
            assert all(alive(pid) for pid in family)
        finally:
            parent.kill()
    wait_until_gone(family)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pids: list[int]) -> None:
    """Returns when none of *pids* runs; the test's own time limit is the limit."""
    while any(alive(pid) for pid in pids):
        os.sched_yield()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("body_key", "A" * 32), ("body_key", "a" * 33), ("bands", []), ("bands", [1 << 63]), ("bands", [0] * 999),
        ("terms", [1 << 31]), ("prominence", [1001.0]), ("prominence", [float("nan")]),
    ],
)  # fmt: skip
def test_features_beyond_their_limits_are_no_answer(name, value):
    features = {"text_key": None, "content_key": "b" * 32, "body_key": "c" * 32, "bands": [1], "correction": None}
    features |= {"word_count": 3, "terms": [7], "prominence": [0.5]}
    answer = Task("any:function", int).answer
    assert answer.validate_python({"features": features}).features.bands == [1]
    with pytest.raises(ValidationError):
        answer.validate_python({"features": features | {name: value}})


def test_a_wait_status_becomes_a_reason():
    assert death(int(signal.SIGPROF), 1).reason is Reason.READER_TIMEOUT
    assert death(int(signal.SIGABRT), 1).detail == "the reader died of SIGABRT"
    assert death(0, 1).detail == "the reader ended with status 0"
