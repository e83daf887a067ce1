"""Kernels of events in a window `(t - W, t]`: `once`, `count`, `flicker`.

A counter's ring holds the times (i64, ns) of its latest events, at most `limit` of them. Words in which nothing
happens, and in which nothing leaves the window, are skipped.
"""

from __future__ import annotations

import math

from triggers.language.webassembly.kernel_parts import rings
from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot, is_false, is_known, is_true, value_of
from triggers.language.webassembly.kernel_parts.skeletons import condition_steps, keep_only, number_steps

NEVER_YET_NS = -(1 << 63)
"""A time so long ago that its unsigned difference from any time is longer than any window."""

_ALL_KNOWN = "(i64.eq (i64.or (local.get $T0) (local.get $F0)) (local.get $pending))"


def _within(since_ns: str, t_ns: str = "$t") -> str:
    """1 where that time lies in the window of that tick."""
    return f"(i64.lt_u (i64.sub (local.get {t_ns}) (local.get {since_ns})) (local.get $window_ns))"


def _once() -> Kernel:
    body = f"""
      (if {is_known(0)} (then (local.set $known_ns (local.get $t))))
      (if {is_true(0)} (then (local.set $true_ns (local.get $t))))
      (local.set $yes {_within("$true_ns")})
      (local.set $no (i32.and (i32.eqz (local.get $yes)) {_within("$known_ns")}))"""
    first = "(i64.and (local.get $T0) (i64.sub (i64.const 0) (local.get $T0)))"
    last = "(i64.shl (i64.const 1) (i64.sub (i64.const 63) (i64.clz (local.get $T0))))"
    past_holds = f"(i32.or {_within('$true_ns', '$last_ns')} (i32.eqz {_within('$true_ns', '$first_ns')}))"
    short = "(i64.lt_u (i64.sub (local.get $last_ns) (local.get $first_ns)) (local.get $window_ns))"
    skip = f"""
      (if (i32.and {_ALL_KNOWN} {past_holds}) (then
        (if (i64.eqz (local.get $T0))
          (then {keep_only()})
          (else (if {short} (then {keep_only(f"(i64.or {first} {last})")}))))))"""
    return condition_steps(
        "once",
        ("arg0", "out", "due", "state", "window_ns"),
        (Slot("true_ns", "i64", NEVER_YET_NS), Slot("known_ns", "i64", NEVER_YET_NS)),
        body,
        conditions=1,
        skip=skip,
    )


_ENTRY_BYTES = 8
_DROP = f"""
      (local.set $entries (i32.sub (local.get $entries) (i32.const 1)))
      {rings.advance("$head", _ENTRY_BYTES)}"""
_NOTE_OLDEST = f"""
      (local.set $oldest_ns (if (result i64) (local.get $entries)
        (then (i64.load (local.get $head))) (else (i64.const {rings.NEVER_NS}))))"""
_RECORD = f"""
      (if (i32.eq (local.get $entries) (local.get $limit)) (then {_DROP}))
      (i64.store (local.get $tail) (local.get $t)) {rings.advance("$tail", _ENTRY_BYTES)}
      (local.set $entries (i32.add (local.get $entries) (i32.const 1)))
      (local.set $oldest_ns (i64.load (local.get $head)))"""
_EVICT = f"""
      (loop $evict
        (if (i64.ge_s (i64.sub (local.get $t) (local.get $oldest_ns)) (local.get $window_ns)) (then
          {_DROP} {_NOTE_OLDEST} (br $evict))))"""


def _counter(name: str, last: Slot, *, value: str, is_known: str, is_event: str, skip: str, conditions: int) -> Kernel:
    """Counts the ticks of `is_event`, which looks at `$value` and at `$last`, its value where it was last known.

    `skip` may rely on nothing leaving the window in its word.
    """
    body = f"""
      (local.set $value {value})
      (if {is_known} (then
        (if {is_event} (then {_RECORD}))
        (local.set $last (local.get $value)) (local.set $known_ns (local.get $t))))
      {_EVICT}
      (local.set $held (if (result f64) {_within("$known_ns")}
        (then (f64.convert_i32_u (local.get $entries))) (else (f64.const nan))))"""
    nothing_leaves = "(i64.lt_s (i64.sub (local.get $last_ns) (local.get $oldest_ns)) (local.get $window_ns))"
    return number_steps(
        name,
        ("arg0", "out", "due", "state", "ring", "limit", "window_ns"),
        (
            last,
            Slot("known_ns", "i64", NEVER_YET_NS),
            Slot("oldest_ns", "i64", rings.NEVER_NS),
            Slot("head", "i32"),
            Slot("tail", "i32"),
            Slot("entries", "i32"),
        ),
        body,
        conditions=conditions,
        local=f"{rings.LOCALS} (local $value {last.type}) (local $events i64) (local $at i32)",
        begin=rings.begin(entries="limit", entry_bytes=_ENTRY_BYTES),
        skip=f"(if {nothing_leaves} (then {skip}))",
        end=rings.end(),
        ring_entry_bytes=_ENTRY_BYTES,
    )


def _counter_of_condition(name: str, *, is_event: str, events: str) -> Kernel:
    """`events`: mask of the events in a word that is known throughout; `$value` and `$last` are 1 true, 2 false.

    A word is stepped through at its events and at the ticks before them, which leave the value they rose from.
    """
    short = "(i64.lt_u (i64.sub (local.get $last_ns) (local.get $first_ns)) (local.get $window_ns))"
    kept = keep_only("(i64.or (local.get $events) (i64.shr_u (local.get $events) (i64.const 1)))")
    skip = f"""
      (if {_ALL_KNOWN} (then
        (local.set $events {events})
        (if (i32.or (i64.eqz (local.get $events)) {short}) (then {kept}))))"""
    return _counter(
        name,
        Slot("last", "i32"),
        value=f"(i32.or {is_true(0)} (i32.shl {is_false(0)} (i32.const 1)))",
        is_known="(local.get $value)",
        is_event=is_event,
        skip=skip,
        conditions=1,
    )


def _after(mask: str, last: int) -> str:
    """The ticks that follow those of a mask; the first one if the last known value was that one."""
    before = f"(i64.extend_i32_u (i32.eq (local.get $last) (i32.const {last})))"
    return f"(i64.or (i64.shl (local.get {mask}) (i64.const 1)) {before})"


_IS_TRUE = "(i32.eq (local.get $value) (i32.const 1))"
_CHANGES = "(i32.eq (i32.add (local.get $value) (local.get $last)) (i32.const 3))"
_ROSE = f"(i64.and (local.get $T0) {_after('$F0', 2)})"
_FELL = f"(i64.and (local.get $F0) {_after('$T0', 1)})"


def _flicker_of_number() -> Kernel:
    steady = f"""
      (local.set $at (i32.add (local.get $arg0) (i32.shl (local.get $i) (i32.const 3))))
      (local.set $events (i64.const 64))
      (block $other
        (br_if $other (i64.ne (local.get $pending) (i64.const -1)))
        (loop $twos
          (br_if $other (i32.eqz (i64x2.all_true
            (f64x2.eq (v128.load (local.get $at)) (f64x2.splat (local.get $last))))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $twos (i64.ne
            (local.tee $events (i64.sub (local.get $events) (i64.const 2))) (i64.const 0))))
        {keep_only()})"""
    differs = [f"(f64.{compare} (local.get $value) (local.get $last))" for compare in ("lt", "gt")]
    return _counter(
        "flicker_number",
        Slot("last", "f64", math.nan),
        value=value_of(0),
        is_known="(f64.eq (local.get $value) (local.get $value))",
        is_event=f"(i32.or {differs[0]} {differs[1]})",
        skip=steady,
        conditions=0,
    )


KERNELS: dict[str, Kernel] = {
    "once": _once(),
    "count": _counter_of_condition("count", is_event=f"(i32.and {_IS_TRUE} {_CHANGES})", events=_ROSE),
    "count_impulses": _counter_of_condition("count_impulses", is_event=_IS_TRUE, events="(local.get $T0)"),
    "flicker_bool": _counter_of_condition("flicker_bool", is_event=_CHANGES, events=f"(i64.or {_ROSE} {_FELL})"),
    "flicker_number": _flicker_of_number(),
}
