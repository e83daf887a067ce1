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
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http.bounds.fair_turns import CURRENT, FairTurns, Turn
from ingest.http.problems import problem_response
from triggers.errors import TooMany

BURST_S = 5
"""A bucket holds what comes in so many seconds."""
REMEMBERED = 20_000
"""Buckets and good tokens; those not used for longest are forgotten, and a forgotten bucket is full again."""
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


class Buckets:
    """A token bucket for each key, of `per_second` and BURST_S times as much at once."""

    def __init__(self, per_second: float, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self.most = max(1.0, per_second * BURST_S)
        self._now_s = monotonic_s
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        """What is left, and when that was so."""

    def take(self, key: bytes) -> float:
        """Take one if there is one; returns the seconds until there is (0: taken)."""
        left = self._left(key)
        if left < 1.0:
            return (1.0 - left) / self.per_second
        self._set(key, left - 1.0)
        return 0.0

    def check(self, who: str, key: bytes) -> None:
        """Take one; TooMany when there is none, which begins with `who` may not send so many."""
        if (refusal := self.refusal(who, key)) is not None:
            raise refusal

    def refusal(self, who: str, key: bytes) -> TooMany | None:
        """Take one; the error to answer with when there is none."""
        wait_s = self.take(key)
        if not wait_s:
            return None
        return TooMany(
            f"{who} may send {self.per_second:g} requests per second ({self.most:g} at once); yours sent more",
            retry_after_s=math.ceil(wait_s),
            remedy="send fewer",
        )

    def give_back(self, key: bytes) -> None:
        """What was taken did not count."""
        self._set(key, min(self.most, self._left(key) + 1.0))

    def _set(self, key: bytes, left: float) -> None:
        self._buckets[key] = (left, self._now_s())
        self._buckets.move_to_end(key)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)

    def _left(self, key: bytes) -> float:
        left, at_s = self._buckets.get(key, (self.most, 0.0))
        return min(self.most, left + (self._now_s() - at_s) * self.per_second)


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
            await self._within_rate(scope, turn.receiving(receive), turn.sending(send), token, address)
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
