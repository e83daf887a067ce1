"""One trigger written by hand in numba, with every rule of time and truth, to measure the compiled program against.

The trigger is `(a > above and b < below) for hold` with a cooldown. Segments, heartbeats, held samples that expire,
invalid samples, Kleene's three values and the cooldown over segments are all here, fused into one loop over rows as a
patient engineer would write it for this one trigger.
"""

# NaN is told by x == x and infinity by x - x, a machine instruction each; a call would have to be inlined first.
# ruff: noqa: PLR0124, PLR0912, PLR0915, PLR0917, PLR1714, C901

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from triggers.language.rows import HEARTBEAT_NS

_FALSE, _TRUE, _UNKNOWN = 0, 1, 2
_NEVER_NS = -(1 << 62)


@dataclass(frozen=True)
class HeldComparisons:
    """The trigger's constants. `max_gap_ns` is at least a heartbeat."""

    above: float
    below: float
    hold_ns: int
    cooldown_ns: int
    max_age_ns: int
    max_gap_ns: int

    def fires(self, t_ns: NDArray[np.int64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.int64]:
        """Times of the fires."""
        found = np.empty(1 << 16, np.int64)
        while True:
            count = _fires(
                t_ns, a, b, self.above, self.below,
                self.hold_ns, self.cooldown_ns, self.max_age_ns, self.max_gap_ns, found,
            )  # fmt: skip
            if count <= len(found):
                return found[:count].copy()
            found = np.empty(count, np.int64)


@njit(inline="always")
def _above(x, threshold):  # type: ignore[no-untyped-def]
    return _UNKNOWN if x - x != 0 else (_TRUE if x > threshold else _FALSE)


@njit(inline="always")
def _below(x, threshold):  # type: ignore[no-untyped-def]
    return _UNKNOWN if x - x != 0 else (_TRUE if x < threshold else _FALSE)


@njit(inline="always")
def _tick(t, p, q, hold_ns, cooldown_ns, since, last, until, count, found):  # type: ignore[no-untyped-def]
    """The conjunction, its hold, the edge and the cooldown at a tick."""
    if p == _TRUE and q == _TRUE:
        if since < 0:
            since = t
        if t - since >= hold_ns:
            if last == _FALSE and t >= until:
                if count < len(found):
                    found[count] = t
                count += 1
                until = t + cooldown_ns
            last = _TRUE
        else:
            last = _FALSE
    else:
        since = _NEVER_NS
        if p == _FALSE or q == _FALSE:
            last = _FALSE
    return since, last, until, count


@njit
def _fires(  # type: ignore[no-untyped-def]
    t_ns, a, b, above, below, hold_ns, cooldown_ns, max_age_ns, max_gap_ns, found
):
    """Rows at a segment's begin and heartbeats outside, the rows up to the next heartbeat in an inner loop."""
    p = q = last = _UNKNOWN
    never = np.int64(_NEVER_NS)
    a_t = b_t = since = never
    until = beat = np.int64(0)
    previous = np.int64(t_ns[0])
    count = i = 0
    while i < len(t_ns):
        t = t_ns[i]
        step = t - previous
        begins = i == 0 or step <= 0 or step > max_gap_ns
        end = t if not begins else (previous + max_gap_ns + 1 if i > 0 and step > 0 else 0)
        while beat < end:
            a_silent, b_silent = a_t <= beat - HEARTBEAT_NS, b_t <= beat - HEARTBEAT_NS
            p = _UNKNOWN if a_silent and beat - a_t > max_age_ns else p
            q = _UNKNOWN if b_silent and beat - b_t > max_age_ns else q
            if a_silent or b_silent:
                since, last, until, count = _tick(beat, p, q, hold_ns, cooldown_ns, since, last, until, count, found)
            beat += HEARTBEAT_NS
        if begins:
            until += min(step, 0)
            p = q = last = _UNKNOWN
            a_t = b_t = since = never
            beat = (t + HEARTBEAT_NS - 1) // HEARTBEAT_NS * HEARTBEAT_NS
        if begins or t == beat:
            x, y = a[i], b[i]
            if x == x:
                a_t, p = t, _above(x, above)
            if y == y:
                b_t, q = t, _below(y, below)
            a_silent, b_silent = a_t <= t - HEARTBEAT_NS, b_t <= t - HEARTBEAT_NS
            p = _UNKNOWN if a_silent and t - a_t > max_age_ns else p
            q = _UNKNOWN if b_silent and t - b_t > max_age_ns else q
            if begins or a_silent or b_silent or x == x or y == y:
                since, last, until, count = _tick(t, p, q, hold_ns, cooldown_ns, since, last, until, count, found)
            beat += HEARTBEAT_NS if t == beat else 0
            previous = t
            i += 1
        while i < len(t_ns):
            t = t_ns[i]
            if t >= beat or t <= previous:
                break
            previous = t
            x, y = a[i], b[i]
            i += 1
            if x - x == 0 and y - y == 0:  # written out: twice as fast as by the functions
                a_t = b_t = t
                if x > above:
                    p = _TRUE
                    if y < below:
                        q = _TRUE
                        if since < 0:
                            since = t
                        if t - since >= hold_ns:
                            if last == _FALSE and t >= until:
                                if count < len(found):
                                    found[count] = t
                                count += 1
                                until = t + cooldown_ns
                            last = _TRUE
                        else:
                            last = _FALSE
                    else:
                        q, since, last = _FALSE, never, _FALSE
                else:
                    p, since, last = _FALSE, never, _FALSE
                    q = _TRUE if y < below else _FALSE
            elif x == x or y == y:
                if x == x:
                    a_t, p = t, _above(x, above)
                if y == y:
                    b_t, q = t, _below(y, below)
                if p == _TRUE and q == _TRUE:
                    if since < 0:
                        since = t
                    if t - since >= hold_ns:
                        if last == _FALSE and t >= until:
                            if count < len(found):
                                found[count] = t
                            count += 1
                            until = t + cooldown_ns
                        last = _TRUE
                    else:
                        last = _FALSE
                else:
                    since = never
                    if p == _FALSE or q == _FALSE:
                        last = _FALSE
    return count
