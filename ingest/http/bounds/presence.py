"""Clients that are gone before their request is worked on: nobody reads the answer, so nothing is done for it.

Only requests without a body are asked about: the first message of one is here with its head, so that asking waits for
nobody. A body is read by whoever needs it, who learns then that its sender is gone.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope


async def while_present(scope: Scope, receive: Receive) -> Receive | None:
    """`receive` for the request's application; None once its client is gone."""
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        return receive
    await asyncio.sleep(0)  # what came right after the head, such as the end of the connection, is noticed first
    first = await receive()
    if first["type"] == "http.disconnect":
        return None
    came: list[Message] = [first]

    async def received() -> Message:
        return came.pop() if came else await receive()

    return received
