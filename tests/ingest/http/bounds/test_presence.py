"""Requests whose client is gone: nothing is done for them, and everybody else's are served as if nobody had asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from ingest.http.bounds.fair_turns import AT_ONCE
from ingest.http.bounds.rates import RateLimit, Rates

EMPTY: Message = {"type": "http.request", "body": b"", "more_body": False}
BODY: Message = {"type": "http.request", "body": b"{}", "more_body": False}
GONE: Message = {"type": "http.disconnect"}


def scope_of(headers: Sequence[tuple[bytes, bytes]] = ()) -> Scope:
    return {"type": "http", "path": "/v1/clips", "client": ("10.0.0.1", 1), "headers": list(headers)}


def what_came(headers: Sequence[tuple[bytes, bytes]], *messages: Message) -> list[list[Message]]:
    """What an application behind the limit receives of one request; it asks for two messages."""
    heard: list[list[Message]] = []

    async def application(_scope: Scope, receive: Receive, _send: Send) -> None:
        heard.append([await receive(), await receive()])

    sent = list(messages)

    async def receive() -> Message:
        return sent.pop(0)

    async def send(_message: Message) -> None: ...

    limit = RateLimit(application, rates=Rates(per_token=1000, per_address=1000))
    asyncio.run(limit(scope_of(headers), receive, send))
    return heard


@pytest.mark.parametrize("headers", [(), [(b"content-length", b"0")]])
def test_a_request_whose_client_is_gone_is_not_worked_on(headers: Sequence[tuple[bytes, bytes]]) -> None:
    assert what_came(headers, GONE) == []


def test_the_application_hears_of_a_client_that_is_there_all_that_came() -> None:
    assert what_came((), EMPTY, GONE) == [[EMPTY, GONE]]


@pytest.mark.parametrize("header", [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")])
def test_whoever_sends_a_body_is_not_asked_about_before_it_is_read(header: tuple[bytes, bytes]) -> None:
    assert what_came([header], BODY, GONE) == [[BODY, GONE]]
    assert what_came([header], GONE, GONE) == [[GONE, GONE]]


def test_a_client_that_leaves_while_its_request_waits_for_a_turn_takes_none_from_the_next() -> None:
    worked_on = []

    async def scene() -> None:
        go_on, all_gone = asyncio.Event(), asyncio.Event()

        async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
            worked_on.append(scope["number"])
            await go_on.wait()

        async def receive() -> Message:
            return GONE if all_gone.is_set() else EMPTY

        async def last() -> Message:
            return EMPTY

        async def send(_message: Message) -> None: ...

        limit = RateLimit(application, rates=Rates(per_token=1000, per_address=1000))
        count = AT_ONCE + 20
        tasks = [
            asyncio.create_task(limit({**scope_of(), "number": number}, last if number == count - 1 else receive, send))
            for number in range(count)
        ]
        async with asyncio.timeout(60):
            while len(worked_on) < AT_ONCE:
                await asyncio.sleep(0)
            all_gone.set()
            go_on.set()
            await asyncio.gather(*tasks)

    asyncio.run(scene())
    assert worked_on == [*range(AT_ONCE), AT_ONCE + 19]
