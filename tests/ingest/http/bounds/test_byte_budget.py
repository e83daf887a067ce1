"""The bound on bytes in memory: never more than the total, callers take turns, and always one can come to its end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from ingest.http.bounds.byte_budget import SHARES, ByteBudget
from triggers.errors import Overloaded

BODY = 10


def budget_of(bodies: int = 10) -> ByteBudget:
    return ByteBudget(bodies * BODY, largest_bytes=BODY, what="bodies", setting="LONGTAIL_X")


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


async def filled(budget: ByteBudget, caller: str, amount: int) -> list[asyncio.Task[None]]:
    """Holds of at most BODY each, that together ask for `amount`; returns those requests that wait."""
    tasks = []
    while amount > 0:
        tasks.append(asyncio.create_task(budget.hold(caller).grow(min(BODY, amount), wait_s=10)))
        amount -= BODY
    await asyncio.sleep(0)
    return [task for task in tasks if not task.done()]


async def end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_one_caller_gets_its_share_and_others_get_theirs_meanwhile() -> None:
    async def scenario() -> None:
        budget = budget_of(bodies=16)
        waiting = await filled(budget, "greedy", 16 * BODY)
        assert budget.held_bytes == 16 * BODY // SHARES
        await budget.hold("other").grow(BODY, wait_s=0)
        await end(waiting)

    run(scenario)


def test_a_refusal_names_the_limit_the_share_and_when_to_try_again_and_no_other_caller() -> None:
    async def scenario() -> None:
        budget = budget_of(bodies=16)
        await budget.hold("other").grow(7, wait_s=0)
        await budget.hold("greedy").grow(BODY, wait_s=0)
        await budget.hold("greedy").grow(BODY, wait_s=0)
        with pytest.raises(Overloaded) as refused:
            await budget.hold("greedy").grow(1, wait_s=0)
        told = str(refused.value)
        assert "160 bytes" in told
        assert "20 of the 20" in told
        assert "LONGTAIL_X" in told
        assert "other" not in told
        assert refused.value.retry_after_s > 0

    run(scenario)


def test_callers_take_turns_however_many_requests_one_has() -> None:
    async def scenario() -> None:
        budget, order = budget_of(bodies=3), list[str]()
        first, second = budget.hold("a"), budget.hold("b")
        await first.grow(BODY, wait_s=0)
        await second.grow(BODY, wait_s=0)

        async def take(name: str) -> None:
            hold = budget.hold(name)
            await hold.grow(BODY, wait_s=10)
            order.append(name)
            hold.release()

        tasks = [asyncio.create_task(take(name)) for name in ("many", "many", "many", "one")]
        await asyncio.sleep(0)
        assert order == []
        first.release()
        second.release()
        await asyncio.gather(*tasks)
        assert order.index("one") <= 1

    run(scenario)


def test_bodies_that_are_all_half_here_still_come_to_their_ends() -> None:
    async def body(budget: ByteBudget, caller: str) -> None:
        hold = budget.hold(caller)
        for _ in range(BODY):
            await hold.grow(1, wait_s=10)
            assert budget.held_bytes <= budget.total_bytes
            await asyncio.sleep(0)
        hold.release()

    async def scenario() -> None:
        for callers in (1, 3, 40):
            budget = budget_of(bodies=2)
            await asyncio.gather(*(body(budget, f"car-{n % callers}") for n in range(40)))
            assert budget.held_bytes == 0

    run(scenario)


def test_whatever_happens_the_total_is_kept_and_nothing_is_lost() -> None:
    async def body(budget: ByteBudget, seed: int) -> None:
        chance = random.Random(seed)
        hold = budget.hold(f"car-{seed % 5}")
        try:
            for _ in range(chance.randrange(BODY)):
                await hold.grow(1, wait_s=chance.choice([0, 0.01]))
                assert budget.held_bytes <= budget.total_bytes
                await asyncio.sleep(0)
        except Overloaded:
            pass
        finally:
            hold.release()
            hold.release()

    async def scenario() -> None:
        budget = budget_of(bodies=3)
        tasks = [asyncio.create_task(body(budget, seed)) for seed in range(200)]
        await asyncio.sleep(0)
        for task in tasks[::7]:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(each) for each in ends} <= {type(None), asyncio.CancelledError}
        assert budget.held_bytes == 0

    run(scenario)
