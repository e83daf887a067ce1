"""The bound on bytes in flight: never more than the total, first come first served, nothing lost on the way."""

from __future__ import annotations

import asyncio

import pytest

from ingest.gateway.in_flight import ByteBudget
from triggers.errors import Overloaded


def test_those_who_wait_are_served_in_the_order_they_came() -> None:
    async def scenario() -> list[str]:
        budget, order = ByteBudget(10), list[str]()
        await budget.acquire(8, wait_s=0)

        async def take(name: str, amount: int) -> None:
            await budget.acquire(amount, wait_s=10)
            order.append(name)
            assert budget.held_bytes <= 10

        waiting = [asyncio.create_task(take("large", 9)), asyncio.create_task(take("small", 1))]
        await asyncio.sleep(0)
        assert order == []
        budget.release(8)
        await asyncio.gather(*waiting)
        return order

    assert asyncio.run(scenario()) == ["large", "small"]


def test_one_who_waited_in_vain_holds_nothing_and_blocks_nobody() -> None:
    async def scenario() -> None:
        budget = ByteBudget(10)
        await budget.acquire(8, wait_s=0)
        large = asyncio.create_task(budget.acquire(9, wait_s=0.01))
        await asyncio.sleep(0)
        small = asyncio.create_task(budget.acquire(2, wait_s=10))
        with pytest.raises(Overloaded):
            await large
        await small
        assert budget.held_bytes == 10

    asyncio.run(scenario())


def test_a_request_cancelled_while_it_waits_or_is_served_holds_nothing() -> None:
    async def scenario() -> None:
        budget = ByteBudget(10)
        await budget.acquire(10, wait_s=0)
        waiting = asyncio.create_task(budget.acquire(5, wait_s=10))
        served = asyncio.create_task(budget.acquire(5, wait_s=10))
        await asyncio.sleep(0)
        waiting.cancel()
        budget.release(10)
        served.cancel()
        await asyncio.gather(waiting, served, return_exceptions=True)
        assert budget.held_bytes == 0

    asyncio.run(scenario())
