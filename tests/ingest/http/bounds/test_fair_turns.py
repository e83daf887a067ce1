"""Turns of callers: a few requests of each are worked on at once, and nobody waits for another caller."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from ingest.http.bounds.fair_turns import FairTurns, Turn
from triggers.errors import TooMany

ANN, BOB = b"ann", b"bob"


async def settled() -> None:
    """Let everything run that can run."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_caller_that_waits_for_itself_keeps_no_other_caller_waiting() -> None:
    async def scene() -> None:
        turns = FairTurns(at_once=2)
        anns = [Turn(turns, ANN) for _ in range(5)]
        taking = [asyncio.create_task(turn.take()) for turn in anns]
        await settled()
        assert [task.done() for task in taking] == [True, True, False, False, False]
        await asyncio.wait_for(Turn(turns, BOB).take(), 60)
        anns[0].give_back()
        anns[0].give_back()
        await settled()
        assert [task.done() for task in taking] == [True, True, True, False, False]
        for turn in anns[1:]:
            turn.give_back()
            await settled()
        assert all(task.done() for task in taking)
        assert len(turns) == 1

    asyncio.run(scene())


def test_no_more_than_a_number_of_requests_waits_and_the_refusal_says_how_many_are_the_callers() -> None:
    async def scene() -> None:
        turns = FairTurns(at_once=1, waiting=2)
        taking = [asyncio.create_task(Turn(turns, ANN).take()) for _ in range(3)]
        await settled()
        with pytest.raises(TooMany, match="1 requests of one caller are worked on at once and 2 may wait; 3 of yours"):
            await Turn(turns, ANN).take()
        for task in taking:
            task.cancel()
        await settled()

    asyncio.run(scene())


def test_whoever_leaves_the_queue_leaves_nothing_behind() -> None:
    async def scene() -> None:
        turns = FairTurns(at_once=1)
        first, second, third = (Turn(turns, ANN) for _ in range(3))
        await first.take()
        waiting, last = asyncio.create_task(second.take()), asyncio.create_task(third.take())
        await settled()
        waiting.cancel()
        await settled()
        first.give_back()
        await asyncio.wait_for(last, 60)
        third.give_back()
        assert len(turns) == 0

    asyncio.run(scene())


def test_a_turn_that_comes_in_the_moment_of_leaving_goes_to_the_next_one() -> None:
    async def scene() -> None:
        turns = FairTurns(at_once=1)
        first, second, third = (Turn(turns, ANN) for _ in range(3))
        await first.take()
        leaving, last = asyncio.create_task(second.take()), asyncio.create_task(third.take())
        await settled()
        first.give_back()
        leaving.cancel()
        await asyncio.wait_for(last, 60)
        third.give_back()
        assert len(turns) == 0

    asyncio.run(scene())


def test_a_turn_is_given_back_while_a_body_is_awaited_and_when_the_answer_begins() -> None:
    async def scene() -> None:
        turns, body = FairTurns(at_once=1), asyncio.Queue[Message]()
        slow, other = Turn(turns, ANN), Turn(turns, ANN)
        await slow.take()
        receiving = asyncio.create_task(slow.receiving(body.get)())
        await settled()
        await asyncio.wait_for(other.take(), 60)
        body.put_nowait({"type": "http.request", "body": b"x", "more_body": False})
        await settled()
        assert not receiving.done()
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await other.sending(send)({"type": "http.response.start"})
        assert (await asyncio.wait_for(receiving, 60))["body"] == b"x"
        assert [message["type"] for message in sent] == ["http.response.start"]
        slow.give_back()
        assert len(turns) == 0

    asyncio.run(scene())


def test_a_body_in_pieces_waits_for_no_turn_again_since_another_one_may_wait_for_its_memory() -> None:
    async def scene() -> None:
        turns, body = FairTurns(at_once=1), asyncio.Queue[Message]()
        slow, other = Turn(turns, ANN), Turn(turns, ANN)
        await slow.take()
        receive = slow.receiving(body.get)
        for is_more in (True, True, False):
            body.put_nowait({"type": "http.request", "body": b"x", "more_body": is_more})
        assert (await receive())["more_body"]
        await asyncio.wait_for(other.take(), 60)
        assert (await asyncio.wait_for(receive(), 60))["more_body"]
        assert not (await asyncio.wait_for(receive(), 60))["more_body"]
        other.give_back()
        assert len(turns) == 0

    asyncio.run(scene())


def test_whoever_turns_out_to_be_another_caller_takes_nothing_of_the_first_ones_turns() -> None:
    async def scene() -> None:
        turns = FairTurns(at_once=1)
        car, neighbour = Turn(turns, b"address"), Turn(turns, b"address")
        await car.take()
        car.rename(b"car-1")
        await asyncio.wait_for(neighbour.take(), 60)
        await asyncio.wait_for(car.take(), 60)
        neighbour.give_back()
        car.give_back()
        assert len(turns) == 0

    asyncio.run(scene())
