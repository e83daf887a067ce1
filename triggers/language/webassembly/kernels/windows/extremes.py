"""Kernels over a window `(t - W, t]` of update ticks: minimum, maximum, difference, rate; and the past.

Minima and maxima use two stacks in one ring: the older entries hold the extreme of themselves and all younger ones
of their stack (so the oldest entry has the older stack's extreme), the younger entries their own value, with a
running extreme beside them. When the older stack is used up, the younger one replaces it, by one pass from its
youngest entry to its oldest. An entry is thus touched three times in its life, whatever the window's length.

Numbers are compared as integers that order like them, -0 before +0: a negative number's bits but its sign are
flipped. The greatest and the least such integer, which stand for empty stacks, are NaN as numbers.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts import rings
from triggers.language.webassembly.kernel_parts.kernel import (
    Kernel,
    Slot,
    finite_or_unknown,
    is_false,
    is_true,
    value_of,
)
from triggers.language.webassembly.kernel_parts.skeletons import condition_steps, number_steps
from triggers.language.webassembly.kernel_parts.updates import stack_not_reached, update_window


def _flipped(bits: str, scratch: str) -> str:
    """From a number's bits to the integer that orders like it, and back."""
    mask = f"(i64.shr_u (i64.shr_s (local.get {scratch}) (i64.const 63)) (i64.const 1))"
    return f"(i64.xor (local.tee {scratch} {bits}) {mask})"


def _extreme(name: str, compare: str, empty: int) -> Kernel:
    def chosen(left: str, right: str) -> str:
        pair = f"(local.get {left}) (local.get {right})"
        return f"(select {pair} (i64.{compare} {pair}))"

    flip = f"""
      (local.set $middle (local.get $tail))
      (local.set $at (local.get $tail))
      (local.set $best (i64.const {empty}))
      (loop $flip
        (if (i32.eq (local.get $at) (local.get $ring)) (then (local.set $at (local.get $ring_end))))
        (local.set $at (i32.sub (local.get $at) (i32.const 16)))
        (local.set $key (i64.load offset=8 (local.get $at)))
        (i64.store offset=8 (local.get $at) (local.tee $best {chosen("$best", "$key")}))
        (br_if $flip (i32.ne (local.get $at) (local.get $head))))
      (local.set $younger_best (i64.const {empty}))"""
    older_best = "(i64.load offset=8 (local.get $head))"
    return update_window(
        name,
        (Slot("middle", "i32"), Slot("older_best", "i64", empty), Slot("younger_best", "i64", empty)),
        entry=("i64", "(local.get $key)"),
        adding=f"""
          (local.set $key {_flipped("(i64.reinterpret_f64 (local.get $x))", "$key")})
          (local.set $younger_best {chosen("$younger_best", "$key")})""",
        result=f"""
          (local.set $held (f64.reinterpret_i64 {_flipped(chosen("$older_best", "$younger_best"), "$key")}))""",
        dropping=f"(if (i32.eq (local.get $head) (local.get $middle)) (then {flip}))",
        dropped=f"""
          (local.set $older_best (if (result i64) (i32.eq (local.get $head) (local.get $middle))
            (then (i64.const {empty})) (else {older_best})))""",
        run_dropped=f"(local.set $older_best {older_best})",
        barrier=stack_not_reached(),
        pointers=("$middle",),
        local="(local $key i64) (local $best i64) (local $at i32)",
    )


def _difference(name: str, result: str) -> Kernel:
    """`result` is the value where there are two entries, `$latest` that of the latest."""
    return update_window(
        name,
        (Slot("latest", "f64"), Slot("latest_ns", "i64")),
        entry=("f64", "(local.get $x)"),
        adding="(local.set $latest (local.get $x)) (local.set $latest_ns (local.get $t))",
        result=f"""
          (local.set $held (if (result f64) (i64.lt_s (local.get $oldest_ns) (local.get $latest_ns))
            (then {result}) (else (f64.const nan))))""",
        local="(local $scratch f64)",
    )


_DELTA = finite_or_unknown("(f64.sub (local.get $latest) (f64.load offset=8 (local.get $head)))")
_BETWEEN_S = """(f64.div (f64.convert_i64_s (i64.sub (local.get $latest_ns) (local.get $oldest_ns)))
  (f64.const 1e9))"""


def _recall(value_type: str, value: str) -> str:
    """Drop the entries before the latest one that is not later than asked, then add this tick's value."""
    return f"""
      (block $found (loop $search
        (br_if $found (i32.lt_u (local.get $entries) (i32.const 2)))
        (local.set $second (local.get $head)) {rings.advance("$second")}
        (br_if $found (i64.lt_s (i64.sub (local.get $t) (i64.load (local.get $second))) (local.get $delay_ns)))
        (local.set $head (local.get $second))
        (local.set $entries (i32.sub (local.get $entries) (i32.const 1)))
        (br $search)))
      {rings.push_counted(f"{rings.COUNT_OVERFLOW} {rings.DROP_COUNTED}", value_type, value)}"""


_OLD_ENOUGH = "(i64.ge_s (i64.sub (local.get $t) (i64.load (local.get $head))) (local.get $delay_ns))"
_PAST = ("arg0", "out", "due", "state", "ring", "capacity", "delay_ns")


def _past_number() -> Kernel:
    body = f"""
      {_recall("f64", value_of(0))}
      (local.set $held (if (result f64) {_OLD_ENOUGH}
        (then (f64.load offset=8 (local.get $head))) (else (f64.const nan))))"""
    return number_steps(
        "past_number",
        _PAST,
        rings.COUNTED_RING,
        body,
        local=f"{rings.LOCALS} (local $second i32)",
        begin=rings.begin(),
        end=rings.end(),
        ring_entry_bytes=rings.ENTRY_BYTES,
    )


def _past_bool() -> Kernel:
    """An entry's value is 1 for true, 2 for false, 0 for unknown."""
    body = f"""
      {_recall("i32", f"(i32.or {is_true(0)} (i32.shl {is_false(0)} (i32.const 1)))")}
      (local.set $value (if (result i32) {_OLD_ENOUGH}
        (then (i32.load offset=8 (local.get $head))) (else (i32.const 0))))
      (local.set $yes (i32.and (local.get $value) (i32.const 1)))
      (local.set $no (i32.shr_u (local.get $value) (i32.const 1)))"""
    return condition_steps(
        "past_bool",
        _PAST,
        rings.COUNTED_RING,
        body,
        conditions=1,
        local=f"{rings.LOCALS} (local $second i32) (local $value i32)",
        begin=rings.begin(),
        end=rings.end(),
        ring_entry_bytes=rings.ENTRY_BYTES,
    )


KERNELS: dict[str, Kernel] = {
    "window_min": _extreme("window_min", "lt_s", (1 << 63) - 1),
    "window_max": _extreme("window_max", "gt_s", -(1 << 63)),
    "delta": _difference("delta", _DELTA),
    "rate": _difference("rate", finite_or_unknown(f"(f64.div {_DELTA} {_BETWEEN_S})")),
    "past_number": _past_number(),
    "past_bool": _past_bool(),
}
