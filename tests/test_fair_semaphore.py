"""A few at a time, in turn."""

from __future__ import annotations

import asyncio

from pipelines.fair_semaphore import FairSemaphore


async def test_a_fair_semaphore_lets_in_so_many_and_serves_those_who_wait_in_turn():
    gate, order, go = FairSemaphore(1), [], asyncio.Event()

    async def enter(source, number):
        async with gate.acquire(source):
            await go.wait()
            order.append((source, number))

    tasks = [asyncio.ensure_future(enter("large", number)) for number in range(50)]
    await asyncio.sleep(0)
    tasks += [asyncio.ensure_future(enter("small", number)) for number in range(3)]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*tasks)
    assert [source for source, _ in order[:7]] == ["large", "large", "small", "large", "small", "large", "small"]
    assert len(order) == 53 and gate.idle


async def test_a_fair_semaphore_lets_in_only_so_many_of_one_key():
    gate, inside, go = FairSemaphore(10, each=2), [], asyncio.Event()

    async def enter(source):
        async with gate.acquire(source):
            inside.append(source)
            await go.wait()

    tasks = [asyncio.ensure_future(enter(source)) for source in ["dead"] * 20 + ["alive"]]
    for _ in range(3):
        await asyncio.sleep(0)
    assert inside == ["dead", "dead", "alive"]
    go.set()
    await asyncio.gather(*tasks)
    assert gate.idle


async def test_those_who_give_up_leave_no_hole_in_the_queue():
    gate = FairSemaphore(1)

    async def enter():
        async with gate.acquire("a"):
            await asyncio.sleep(0)

    tasks = [asyncio.ensure_future(enter()) for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await enter()
    assert gate.idle


async def test_where_time_is_shared_one_long_stay_counts_like_many_short_ones(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    gate, order, stays = FairSemaphore(1, shares_time=True), [], {"bomb": 5.0, "good": 0.1}
    queued = asyncio.Event()

    async def enter(source):
        async with gate.acquire(source):
            order.append(source)
            await queued.wait()
            now[0] += stays[source]

    tasks = [asyncio.ensure_future(enter("bomb")) for _ in range(3)]
    await asyncio.sleep(0)
    tasks += [asyncio.ensure_future(enter("good")) for _ in range(20)]
    await asyncio.sleep(0)
    queued.set()
    await asyncio.gather(*tasks)
    assert order == ["bomb", *["good"] * 20, "bomb", "bomb"]
    assert gate.idle


async def test_who_was_away_while_others_worked_has_no_credit_for_it(monkeypatch):
    """By the loop's clock, which only goes where the test lets it: whoever comes late is served in turn."""
    now = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    gate, order = FairSemaphore(1, shares_time=True), []

    async def stay(source):
        async with gate.acquire(source):
            order.append(source)
            await asyncio.sleep(0)
            now[0] += 1.0

    await asyncio.gather(*(stay("first") for _ in range(10)))
    await asyncio.gather(stay("holds the gate"), *(stay(source) for source in ["first", "late"] * 4))
    assert sorted(order[-4:]) != ["first"] * 4  # ten seconds of credit would let all that are late go before
    assert order[11:] == ["late", "first"] * 4 or order[11:] == ["first", "late"] * 4, order
