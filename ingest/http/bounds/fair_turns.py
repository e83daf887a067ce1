"""Turns of callers at being worked on: of each caller's requests a few are worked on at once, and the others wait.

A flood of hundreds of requests would otherwise be in every queue of the process (the event loop's, the threads', the
database's) before anybody else's next request. A turn covers what is done on the event loop, and neither the client's
pace nor what is done in threads, which have turns of their own (`ingest/http/bounds/workers.py`): it is given back
while a body or a thread is awaited, and ends with the beginning of the answer.

Nobody waits for a turn who holds something for which another one, in its turn, may wait: so a body that comes in
pieces, and holds memory, does not wait for one again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Send

from triggers.errors import TooMany

AT_ONCE = 2
"""Requests of one caller that are worked on at the same time: somebody else's is then one of three, and no slower."""
WAITING = 500
"""Requests of one caller that may wait for their turn; as many as one address may have connections."""
RETRY_AFTER_S = 2


@dataclass(slots=True)
class _Caller:
    working: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class FairTurns:
    """The turns of all callers, within one event loop."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._at_once = at_once
        self._waiting = waiting
        self._callers: dict[bytes, _Caller] = {}

    def __len__(self) -> int:
        """How many callers have requests that are worked on or wait."""
        return len(self._callers)

    async def take(self, name: bytes) -> None:
        """Wait for a turn; TooMany when as many requests of this caller wait as may."""
        caller = self._callers.setdefault(name, _Caller())
        if caller.working < self._at_once and not caller.waiting:
            caller.working += 1
            return
        if len(caller.waiting) >= self._waiting:
            raise TooMany(
                f"{self._at_once} requests of one caller are worked on at once and {self._waiting} may wait; "
                f"{caller.working + len(caller.waiting)} of yours do",
                retry_after_s=RETRY_AFTER_S,
                remedy="wait for answers before you send more",
            )
        place = asyncio.get_running_loop().create_future()
        caller.waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # the turn came together with the end
                self.give_back(name)
            else:
                caller.waiting.remove(place)
                self._forget(name)
            raise

    def give_back(self, name: bytes) -> None:
        """End a turn: the caller's request that has waited longest has the next one."""
        caller = self._callers[name]
        while caller.waiting:
            place = caller.waiting.popleft()
            if not place.done():
                place.set_result(None)  # the turn goes on to the next one
                return
        caller.working -= 1
        self._forget(name)

    def _forget(self, name: bytes) -> None:
        caller = self._callers[name]
        if not caller.working and not caller.waiting:
            del self._callers[name]


class Turn:
    """One request's turn."""

    def __init__(self, turns: FairTurns, caller: bytes) -> None:
        self.caller = caller
        self._turns = turns
        self._held = False

    async def take(self) -> None:
        """Wait for a turn, unless it is held."""
        if not self._held:
            await self._turns.take(self.caller)
            self._held = True

    def give_back(self) -> None:
        """Let the next request of this caller go on. May be called again."""
        if self._held:
            self._held = False
            self._turns.give_back(self.caller)

    def rename(self, caller: bytes) -> None:
        """The caller turned out to be this one: what follows is in its turns."""
        if caller != self.caller:
            self.give_back()
            self.caller = caller

    def receiving(self, receive: Receive) -> Receive:
        """`receive`, which gives the turn back while the client is waited for.

        A body that comes at once is worked on in a turn again.
        """
        is_first = True

        async def received() -> Message:
            nonlocal is_first
            self.give_back()
            message = await receive()
            if is_first and message["type"] == "http.request" and not message.get("more_body", False):
                await self.take()
            is_first = False
            return message

        return received

    def sending(self, send: Send) -> Send:
        """`send`, with which the turn ends when the answer begins: how fast it is read is the client's pace."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.give_back()
            await send(message)

        return sent


CURRENT: ContextVar[Turn | None] = ContextVar("turn", default=None)
"""The turn of the request that the current task works on; None for the process's own work."""


def work_for(caller: str) -> None:
    """Say who sends the request that the current task works on, once that is known."""
    turn = CURRENT.get()
    if turn is not None:
        turn.rename(caller.encode())
