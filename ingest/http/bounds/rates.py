"""Requests per second and at once, by token and by address: whoever sends more waits, or is told when to come again.

A token has its own bucket. Without a token, or with one that was refused, requests count against the address. So
nobody's guesses cost a transaction each, and a token that is known to be good is not kept out by its neighbours.
A request that its vehicle has signed counts against the vehicle as far as that may send more, else against the address.
A refusal comes after a pause, in the caller's own turn, so that refusing a flood takes next to nothing from others.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http.bounds.buckets import REMEMBERED, Buckets
from ingest.http.bounds.fair_turns import CURRENT, FairTurns, Turn
from ingest.http.bounds.presence import while_present
from ingest.http.problems import problem_response
from triggers.errors import TooMany

CALLER = "caller"
"""The entry of a request's state by which a route says that it knows whose token was sent, or who signed."""
LIVENESS = "/healthz"
"""Answered without any work, and asked by whoever restarts processes: never refused."""
PAUSE_S = 0.1
"""Before a refusal: one caller gets at most as many per second as its turns have pauses in a second."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests per second of one token, and of one address without a good token."""

    per_token: float
    per_address: float


class RateLimit:
    """Middleware in front of the routes; it answers 429 itself."""

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        self._app = app
        self._tokens = Buckets(rates.per_token)
        self._addresses = Buckets(rates.per_address)
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._turns = FairTurns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = _token_key(scope)
        address = str((scope.get("client") or ("unknown",))[0]).encode()
        if scope["path"].endswith(LIVENESS):
            await self._alive(scope, receive, send, LIVENESS.encode() + address)
            return
        caller = token if token is not None and token in self._good else address
        turn = Turn(self._turns, caller)
        CURRENT.set(turn)
        try:
            await turn.take()
        except TooMany as error:
            await problem_response(error)(scope, receive, send)
            return
        try:
            present = await while_present(scope, receive)
            if present is not None:
                await self._within_rate(scope, turn.receiving(present), turn.sending(send), token, address)
        finally:
            turn.give_back()

    async def _alive(self, scope: Scope, receive: Receive, send: Send, caller: bytes) -> None:
        """The answer that the process lives: beyond the rate of an address it is late, in the caller's own turn."""
        turn = Turn(self._turns, caller)
        try:
            with contextlib.suppress(TooMany):
                await turn.take()
            if self._addresses.take(caller):
                await asyncio.sleep(PAUSE_S)
            await self._app(scope, receive, turn.sending(send))
        finally:
            turn.give_back()

    async def _within_rate(
        self, scope: Scope, receive: Receive, send: Send, token: bytes | None, address: bytes
    ) -> None:
        refusal = self._refusal(token, address)
        if refusal is not None:
            await asyncio.sleep(PAUSE_S)
            await problem_response(refusal)(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                caller = state.get(CALLER)
                if token is not None:
                    self._learn(token, address, known=caller is not None, status=message["status"])
                elif caller is not None and not self._tokens.take(_key(str(caller))):
                    self._addresses.give_back(address)  # a signed request: its vehicle's bucket has paid
            await send(message)

        await self._app(scope, receive, watched)

    def _refusal(self, token: bytes | None, address: bytes) -> TooMany | None:
        if token is None or token not in self._good:
            refused = self._addresses.refusal("an address without a valid token", address)
            if token is None or refused is not None:
                return refused
        return self._tokens.refusal("a token", token)

    def _learn(self, token: bytes, address: bytes, *, known: bool, status: int) -> None:
        if status == HTTPStatus.UNAUTHORIZED:
            self._good.pop(token, None)
        if not known:
            return
        if token not in self._good:
            self._addresses.give_back(address)
        self._good[token] = None
        self._good.move_to_end(token)
        if len(self._good) > REMEMBERED:
            self._good.popitem(last=False)


def _token_key(scope: Scope) -> bytes | None:
    credentials = Headers(scope=scope).get("authorization", "").partition(" ")[2].strip()
    return _key(credentials) if credentials else None


def _key(who: str) -> bytes:
    return hashlib.sha256(who.encode("utf-8", "replace")).digest()
