"""Operators on conditions that look back without a window: short runs, `since`, latches, clocks.

As in `operators`, the docstring of a class is the rule of the language.
"""

from __future__ import annotations

from typing import Any, ClassVar

from triggers.language.reference.operators import Operator, Then, Tick
from triggers.language.reference.values import Value, kleene_and, kleene_or


class ShortRun(Operator):
    """`P for at most D tolerating G`: true at the tick at which P is false again at most D after it rose.

    Unknown if P is unknown, else false. A run counts only if it is known how long it was: it begins after a tick at
    which P was false, and ends at one. An unknown stretch of at most G, from its first unknown tick to the next known
    one, counts as part of the run that it is in or beside; a longer one leaves no run.
    """

    STATE: ClassVar[dict[str, Any]] = {"since_ns": None, "was_false": False, "unknown_ns": None}
    since_ns: int | None
    was_false: bool
    unknown_ns: int | None

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        condition = arguments[0]
        if condition is None:
            if self.unknown_ns is None:
                self.unknown_ns = tick.t_ns
            return None
        began_ns = tick.t_ns
        if self.unknown_ns is not None:
            began_ns = self.unknown_ns
            if tick.t_ns - self.unknown_ns > self.node.integer("tolerate_ns"):
                self.since_ns, self.was_false = None, False
        self.unknown_ns = None
        if condition:
            if self.was_false:
                self.since_ns = began_ns
            self.was_false = False
            return False
        is_short = self.since_ns is not None and tick.t_ns - self.since_ns <= self.node.integer("most_ns")
        self.since_ns, self.was_false = None, True
        return is_short


class ThenAfter(Then):
    """`A then B after D within W`: as `A then B within W`, but only a rise of B at least D after that of A counts.

    A rise of B that comes earlier changes nothing. The latest rise of A counts, as in `then`: it replaces an earlier
    one that is still kept.
    """

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        a, b = arguments
        a_rises, b_rises = self.rises(a, b)
        result: bool | None = None if b is None else False
        if b_rises and self.rose_ns is not None:
            after_ns, within_ns = self.node.integer("after_ns"), self.node.integer("within_ns")
            if after_ns <= tick.t_ns - self.rose_ns <= within_ns:
                result = True
                self.rose_ns = None
        if a_rises:
            self.rose_ns = tick.t_ns
        return result


class Since(Operator):
    """`P since Q`: true if Q was true at some tick and P has been true at every tick after it.

    In Kleene's logic: Q now, or P now and `P since Q` at the tick before; at the first tick, Q.
    """

    STATE: ClassVar[dict[str, Any]] = {"last": False}
    last: bool | None

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        lasts, starts = arguments
        self.last = kleene_or(starts, kleene_and(lasts, self.last))
        return self.last


class SinceWithin(Operator):
    """`P since Q within W`: as `P since Q`, where only ticks of Q in (t - W, t] count.

    The latest tick is the best one, since P has been true after it if after an earlier one. So two times are kept: of
    the latest tick that counts, and of the latest that may count (Q was not false, and P not false after it).
    """

    STATE: ClassVar[dict[str, Any]] = {"true_ns": None, "maybe_ns": None}
    true_ns: int | None
    maybe_ns: int | None

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        lasts, starts = arguments
        if lasts is not True:
            self.true_ns = None
        if lasts is False:
            self.maybe_ns = None
        if starts is True:
            self.true_ns = tick.t_ns
        if starts is not False:
            self.maybe_ns = tick.t_ns
        open_end_ns = tick.t_ns - self.node.integer("within_ns")
        if self.true_ns is not None and self.true_ns > open_end_ns:
            return True
        return None if self.maybe_ns is not None and self.maybe_ns > open_end_ns else False


class Latch(Operator):
    """`latch(set, reset)`: false at first; true from a rise of `set` until `reset` is true, which wins.

    Where `reset` is true the value is false, whatever `set` is. Else, if one of the two is unknown, so is the value,
    and the state stays as it is: a rise of `set` while `reset` is unknown is lost.
    """

    STATE: ClassVar[dict[str, Any]] = {"state": False, "last": None}
    state: bool
    last: bool | None

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        turns_on, turns_off = arguments
        rises = turns_on is True and self.last is False
        self.last = self.last if turns_on is None else turns_on
        if turns_off:
            self.state = False
        elif turns_on is None or turns_off is None:
            return None
        elif rises:
            self.state = True
        return self.state


class Every(Operator):
    """`every D`: true at the first heartbeat at or after each multiple of D since the segment began; else false."""

    STATE: ClassVar[dict[str, Any]] = {"next_ns": None}
    next_ns: int | None

    def step(self, tick: Tick, /, *_arguments: Any) -> Value:
        period_ns = self.node.integer("period_ns")
        if self.next_ns is None:
            self.next_ns = tick.t_ns + period_ns
        if tick.t_ns < self.next_ns:
            return False
        self.next_ns += ((tick.t_ns - self.next_ns) // period_ns + 1) * period_ns
        return True
