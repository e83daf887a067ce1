"""A limit on the bytes that all requests hold in memory, shared fairly among callers: each has a share and takes turns.

Bytes count when they have come, not when they are announced. Bodies that are all half here can therefore fill the
budget, and none would ever be whole. So one body's worth is kept back for the oldest hold of all, and the oldest hold
of each caller may go beyond the caller's share: there is always one that can come to its end.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from triggers.errors import Overloaded

SHARES = 8
"""A caller's share of the whole is one part in so many."""
RETRY_AFTER_S = 2


@dataclass(eq=False, slots=True)
class Hold:
    """The bytes of one body (or cell) in memory; made by `ByteBudget.hold`."""

    budget: ByteBudget
    caller: str
    held_bytes: int = 0

    async def grow(self, amount: int, *, wait_s: float) -> None:
        """Hold `amount` bytes more, waiting up to `wait_s` for the caller's turn; else Overloaded."""
        await self.budget._grow(self, amount, wait_s)

    def release(self) -> None:
        """Hold nothing any more. May be called again."""
        self.budget._release(self)


@dataclass(eq=False, slots=True)
class _Request:
    hold: Hold
    amount: int
    turn: asyncio.Future[None]


@dataclass(slots=True)
class _Caller:
    held_bytes: int = 0
    holds: OrderedDict[Hold, None] = field(default_factory=OrderedDict)
    waiting: list[_Request] = field(default_factory=list)


class ByteBudget:
    """At most `total_bytes` held at once, within one event loop.

    `largest_bytes` is what one hold has at most; `what` names the budget in refusals, `setting` the one to raise.
    """

    def __init__(self, total_bytes: int, *, largest_bytes: int, what: str, setting: str = "") -> None:
        self.total_bytes = max(total_bytes, 2 * largest_bytes)
        self.share_bytes = max(self.total_bytes // SHARES, largest_bytes)
        self._kept_bytes = largest_bytes
        self._what = what
        self._setting = setting
        self._free = self.total_bytes
        self._holds: OrderedDict[Hold, None] = OrderedDict()
        self._callers: dict[str, _Caller] = {}
        self._queue: OrderedDict[str, _Caller] = OrderedDict()
        """Callers with requests that wait; whoever was served last is at the end."""

    @property
    def held_bytes(self) -> int:
        """Bytes that are held now."""
        return self.total_bytes - self._free

    def hold(self, caller: str) -> Hold:
        """A new hold, of nothing yet; its owner must release it."""
        hold = Hold(self, caller)
        self._holds[hold] = None
        self._callers.setdefault(caller, _Caller()).holds[hold] = None
        return hold

    async def _grow(self, hold: Hold, amount: int, wait_s: float) -> None:
        if not amount:
            return
        request = _Request(hold, amount, asyncio.get_running_loop().create_future())
        caller = self._callers[hold.caller]
        caller.waiting.append(request)
        self._queue.setdefault(hold.caller, caller)
        self._serve()
        if request.turn.done():
            return
        try:
            await asyncio.wait({request.turn}, timeout=wait_s)
        finally:
            if not request.turn.done():
                self._leave_queue(request)
                self._serve()  # those behind it may be smaller
        if not request.turn.done():
            raise self._refusal(caller)

    def _release(self, hold: Hold) -> None:
        if self._holds.pop(hold, hold) is hold:  # it was released before
            return
        caller = self._callers[hold.caller]
        del caller.holds[hold]
        caller.held_bytes -= hold.held_bytes
        self._free += hold.held_bytes
        hold.held_bytes = 0
        if not caller.holds:
            del self._callers[hold.caller]
        self._serve()

    def _serve(self) -> None:
        """Grant what can be granted: one request of each caller in turn, until nothing fits any more."""
        full = False
        again = True
        while again:
            again = False
            for caller in list(self._queue.values()):
                for request in caller.waiting:
                    if not self._within_share(caller, request):
                        continue
                    fits = self._fits(request)
                    if fits and (not full or self._is_oldest(request.hold)):
                        self._grant(caller, request)
                        again = True
                        break
                    full = full or not fits  # nobody behind it may overtake it with less

    def _within_share(self, caller: _Caller, request: _Request) -> bool:
        oldest = next(iter(caller.holds))
        return request.hold is oldest or caller.held_bytes + request.amount <= self.share_bytes

    def _fits(self, request: _Request) -> bool:
        kept = 0 if self._is_oldest(request.hold) else self._kept_bytes
        return self._free - request.amount >= kept

    def _is_oldest(self, hold: Hold) -> bool:
        return hold is next(iter(self._holds))

    def _grant(self, caller: _Caller, request: _Request) -> None:
        self._leave_queue(request)
        self._free -= request.amount
        caller.held_bytes += request.amount
        request.hold.held_bytes += request.amount
        request.turn.set_result(None)

    def _leave_queue(self, request: _Request) -> None:
        name = request.hold.caller
        waiting = self._queue[name].waiting
        waiting.remove(request)
        if waiting:
            self._queue.move_to_end(name)
        else:
            del self._queue[name]

    def _refusal(self, caller: _Caller) -> Overloaded:
        """It says what this caller holds, and nothing of others."""
        own = f"this caller holds {caller.held_bytes} of the {self.share_bytes} that are its share"
        remedy = "try again, with fewer requests at once"
        if self._setting:
            remedy += f"; operators raise {self._setting} or add a process"
        return Overloaded(
            f"{self._what} may hold {self.total_bytes} bytes in memory, and none are free now; {own}",
            retry_after_s=RETRY_AFTER_S,
            remedy=remedy,
        )
