"""Kernels from the latest rise of a condition A on: `x at A`, `time since A`, and `min max sum count(x since A)`.

They step tick by tick. `$low` is 1 while A's last known value is false, so that A rises where it is true; `$began` is 1
from A's first rise in the segment on.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import (
    Kernel,
    Slot,
    finite_or_unknown,
    is_false,
    is_fresh,
    is_known,
    is_true,
    value_of,
)
from triggers.language.webassembly.kernel_parts.skeletons import condition_steps, number_steps
from triggers.language.webassembly.kernels.windows.sums import START_SUM, accumulate

_LOW = Slot("low", "i32")
_BEGAN = Slot("began", "i32")
_BEGIN = "(local.set $began (i32.const 1)) (local.set $held (f64.const nan))"


def _if_rises(event: int, then: str) -> str:
    """Run `then` at a tick at which A, the argument at this position, rises."""
    return f"""
      (if (i32.and (local.get $low) {is_true(event)}) (then {then}))
      (local.set $low (select {is_false(event)} (local.get $low) {is_known(event)}))"""


def _at_number() -> Kernel:
    body = _if_rises(1, f"(local.set $held {value_of(0)})")
    return number_steps("at_number", ("arg0", "arg1", "out", "due", "state"), (_LOW,), body, conditions=(1,))


def _at_bool() -> Kernel:
    body = _if_rises(1, f"(local.set $yes {is_true(0)}) (local.set $no {is_false(0)})")
    return condition_steps("at_bool", ("arg0", "arg1", "out", "due", "state"), (_LOW,), body, conditions=2)


def _time_since() -> Kernel:
    """The time is NaN before the first rise, and so is what is computed from it."""
    elapsed = "(f64.convert_i64_s (i64.sub (local.get $t) (local.get $rose_ns)))"
    body = f"""
      {_if_rises(0, "(local.set $began (i32.const 1)) (local.set $rose_ns (local.get $t))")}
      (if (local.get $began) (then (local.set $held (f64.div {elapsed} (f64.const 1e9)))))"""
    slots = (_LOW, _BEGAN, Slot("rose_ns", "i64"))
    return number_steps("time_since", ("arg0", "out", "due", "state"), slots, body, conditions=1)


_OVER_UPDATES = ("arg0", "arg1", "out", "due", "fresh0", "state")


def _if_updated(then: str) -> str:
    """Run `then` at an update tick of x, once A has risen; the number is left in `$x`."""
    known = f"(f64.eq (local.tee $x {value_of(0)}) (local.get $x))"
    return f"(if (i32.and (local.get $began) (i32.and {is_fresh()} {known})) (then {then}))"


def _extreme(name: str, instruction: str) -> Kernel:
    """The value is NaN until x is updated: the first number replaces it."""
    chosen = f"(f64.{instruction} (local.get $held) (local.get $x))"
    add = f"""(local.set $held (select {chosen} (local.get $x) (f64.eq (local.get $held) (local.get $held))))"""
    body = f"""
      {_if_rises(1, _BEGIN)}
      {_if_updated(add)}"""
    return number_steps(name, _OVER_UPDATES, (_LOW, _BEGAN), body, conditions=(1,), local="(local $x f64)")


def _sum() -> Kernel:
    """Only changes at update ticks and at rises; `$held` is NaN between a rise and the first update after it."""
    total = finite_or_unknown("(f64.add (local.get $sum) (local.get $correction))")
    body = f"""
      {_if_rises(1, f"{_BEGIN} {START_SUM}")}
      {_if_updated(f"{accumulate('(local.get $x)')} (local.set $held {total})")}"""
    slots = (_LOW, _BEGAN, Slot("sum", "f64"), Slot("correction", "f64"))
    local = "(local $x f64) (local $total f64) (local $moved f64) (local $term f64) (local $scratch f64)"
    return number_steps("since_sum", _OVER_UPDATES, slots, body, conditions=(1,), local=local)


def _count(name: str, is_event: str, slots: tuple[Slot, ...] = (), after: str = "") -> Kernel:
    """The value is NaN until P is known; `$held` counts, exactly up to 2^53."""
    counted = f"(f64.add (local.get $count) (f64.convert_i32_u {is_event}))"
    body = f"""
      {_if_rises(1, f"{_BEGIN} (local.set $count (f64.const 0))")}
      (if {is_known(0)} (then
        (local.set $count {counted})
        (if (local.get $began) (then (local.set $held (local.get $count))))
        {after}))"""
    own = (_LOW, _BEGAN, Slot("count", "f64"), *slots)
    return number_steps(name, ("arg0", "arg1", "out", "due", "state"), own, body, conditions=2)


KERNELS: dict[str, Kernel] = {
    "at_number": _at_number(),
    "at_bool": _at_bool(),
    "time_since": _time_since(),
    "since_min": _extreme("since_min", "min"),
    "since_max": _extreme("since_max", "max"),
    "since_sum": _sum(),
    "since_count": _count(
        "since_count",
        f"(i32.and {is_true(0)} (local.get $subject_low))",
        (Slot("subject_low", "i32"),),
        f"(local.set $subject_low {is_false(0)})",
    ),
    "since_count_impulses": _count("since_count_impulses", is_true(0)),
}
