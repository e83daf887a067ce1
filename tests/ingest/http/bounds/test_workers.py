"""Pools of threads: one caller has a share of them, and its many calls keep nobody else's waiting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ingest.http.bounds.fair_turns import AT_ONCE, CURRENT, FairTurns, Turn
from ingest.http.bounds.workers import WAITING_SHARE, Workers
from triggers.errors import Overloaded, TooMany

THREADS, WAITING = 4, 16


async def called(workers: Workers, caller: bytes, held: threading.Event, begun: list[bytes]) -> None:
    """A call for a caller that goes on until it is let go."""
    CURRENT.set(Turn(FairTurns(), caller))

    def work() -> None:
        begun.append(caller)
        assert held.wait(60)

    await workers.run(work)


async def many(workers: Workers, caller: bytes, count: int, held: threading.Event, begun: list[bytes]) -> list[object]:
    """So many calls at once; what became of each."""
    calls = (called(workers, caller, held, begun) for _ in range(count))
    return list(await asyncio.gather(*calls, return_exceptions=True))


async def until(begun: list[bytes], count: int) -> None:
    async with asyncio.timeout(60):
        while len(begun) < count:
            await asyncio.sleep(0.01)


def test_another_callers_call_is_worked_on_while_one_has_its_share() -> None:
    async def scene() -> None:
        workers, held, begun = Workers("test", threads=THREADS, waiting=WAITING), threading.Event(), list[bytes]()
        loud = asyncio.create_task(many(workers, b"ann", 5, held, begun))
        await until(begun, AT_ONCE)
        quiet = asyncio.create_task(many(workers, b"bob", 1, held, begun))
        await until(begun, AT_ONCE + 1)
        assert begun == [b"ann"] * (AT_ONCE) + [b"bob"]
        held.set()
        assert await loud == [None] * 5
        assert await quiet == [None]
        workers.close()

    asyncio.run(scene())


def test_a_caller_is_refused_beyond_its_share_of_places_and_all_are_beyond_the_whole() -> None:
    async def scene() -> None:
        workers, held, begun = Workers("test", threads=THREADS, waiting=WAITING), threading.Event(), list[bytes]()
        most = AT_ONCE + WAITING // WAITING_SHARE
        loud = asyncio.create_task(many(workers, b"ann", most + 1, held, begun))
        await until(begun, AT_ONCE)
        others = [asyncio.create_task(many(workers, bytes([n]), most, held, begun)) for n in range(2)]
        await until(begun, THREADS)
        last = asyncio.create_task(many(workers, b"bob", most, held, begun))
        await asyncio.sleep(0)
        held.set()
        assert [type(each) for each in await loud if each is not None] == [TooMany]
        assert [each for task in others for each in await task] == [None] * 2 * most
        refused = [each for each in await last if each is not None]
        assert {type(each) for each in refused} == {Overloaded}
        with pytest.raises(Overloaded, match=f"at most {THREADS + WAITING} requests"):
            raise refused[0]  # type: ignore[misc]
        workers.close()

    asyncio.run(scene())


def test_a_request_gives_its_own_turn_back_while_it_waits_for_a_thread() -> None:
    async def scene() -> None:
        turns, held, begun = FairTurns(at_once=1), threading.Event(), list[bytes]()
        workers, first, second = Workers("test", threads=THREADS, waiting=WAITING), Turn(turns, b"a"), Turn(turns, b"a")

        async def request() -> None:
            CURRENT.set(first)
            await first.take()
            await workers.run(lambda: begun.append(b"a") or held.wait(60))

        waiting = asyncio.create_task(request())
        await until(begun, 1)
        await asyncio.wait_for(second.take(), 60)
        held.set()
        await waiting
        workers.close()

    asyncio.run(scene())
