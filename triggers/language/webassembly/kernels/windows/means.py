"""Kernels of means over time: `ema`, and `share`, the part of a window in which a condition holds."""

from __future__ import annotations

import math

from triggers.language.webassembly.kernel_parts import rings
from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot, finite_or_unknown, is_false, is_true
from triggers.language.webassembly.kernel_parts.skeletons import keep_only, number_steps
from triggers.language.webassembly.kernel_parts.updates import if_updated


def _smooth() -> Kernel:
    """`value` is NaN before the first update and after a result that is not finite."""
    step = "(f64.mul (f64.sub (local.get $x) (local.get $value)) (local.get $elapsed_s))"
    next_value = f"(f64.add (local.get $value) (f64.div {step} (f64.add (local.get $window_s) (local.get $elapsed_s))))"
    add = f"""
      (local.set $elapsed_s (f64.div (f64.convert_i64_s (i64.sub (local.get $t) (local.get $updated_ns)))
        (f64.const 1e9)))
      (local.set $value (if (result f64) (f64.eq (local.get $value) (local.get $value))
        (then {finite_or_unknown(next_value)}) (else (local.get $x))))
      (local.set $updated_ns (local.get $t))"""
    body = f"""
      {if_updated(add)}
      (local.set $held (select (local.get $value) (f64.const nan) (f64.eq (local.get $x) (local.get $x))))"""
    return number_steps(
        "ema",
        ("arg0", "out", "due", "fresh", "state", "window_ns"),
        (Slot("value", "f64", math.nan), Slot("updated_ns", "i64")),
        body,
        local="(local $x f64) (local $scratch f64) (local $elapsed_s f64) (local $window_s f64)",
        begin="(local.set $window_s (f64.div (f64.convert_i64_s (local.get $window_ns)) (f64.const 1e9)))",
    )


def _span(value: str, from_ns: str, until_ns: str, sign: str, sums: str = "") -> str:
    """Add a span of time to (or subtract it from) the sums with that prefix, by the condition's value in the span."""
    return f"""
      (local.set $span (select (i64.sub {until_ns} {from_ns}) (i64.const 0) {value}))
      (local.set ${sums}known_ns (i64.{sign} (local.get ${sums}known_ns) (local.get $span)))
      (local.set ${sums}true_ns (i64.{sign} (local.get ${sums}true_ns)
        (select (local.get $span) (i64.const 0) (i32.eq {value} (i32.const 1)))))"""


def _share() -> Kernel:
    """An entry is the condition's value (1 true, 2 false, 0 unknown) from its time to the next entry's.

    `true_ns` and `known_ns` are sums over the entries but the latest, whose end is open. As the sums are integers,
    taking off what lies before the window is exact. While the condition has been the same for longer than the window,
    and stays so, the share is 1 or 0 throughout a word.
    """
    head_value = "(i32.load offset=8 (local.get $head))"
    head_ns = "(i64.load (local.get $head))"
    drop = f"""
      (local.set $second (local.get $head)) {rings.advance("$second")}
      (if (i32.ge_u (local.get $entries) (i32.const 2))
        (then {_span(head_value, head_ns, "(i64.load (local.get $second))", "sub")})
        (else (local.set $true_ns (i64.const 0)) (local.set $known_ns (i64.const 0))))
      (local.set $head (local.get $second))
      (local.set $entries (i32.sub (local.get $entries) (i32.const 1)))"""
    evict = f"""
      (block $covered (loop $evict
        (br_if $covered (i32.lt_u (local.get $entries) (i32.const 2)))
        (local.set $second (local.get $head)) {rings.advance("$second")}
        (br_if $covered (i64.lt_s (i64.sub (local.get $t) (i64.load (local.get $second))) (local.get $window_ns)))
        {drop} (br $evict)))"""
    open_span = ("(local.get $latest)", "(local.get $latest_ns)", "(local.get $t)", "add")
    start_ns = "(i64.sub (local.get $t) (local.get $window_ns))"
    measure = f"""
      (local.set $all_true_ns (local.get $true_ns)) (local.set $all_known_ns (local.get $known_ns))
      {_span(*open_span, "all_")}
      (if (i64.gt_s (i64.sub (local.get $t) {head_ns}) (local.get $window_ns)) (then
        {_span(head_value, head_ns, start_ns, "sub", "all_")}))
      (local.set $held (if (result f64) (i64.eqz (local.get $all_known_ns)) (then (f64.const nan)) (else
        (f64.div (f64.convert_i64_s (local.get $all_true_ns)) (f64.convert_i64_s (local.get $all_known_ns))))))"""
    note_dropped = """
      (local.set $dropped_until_ns (if (result i64) (local.get $entries)
        (then (i64.load (local.get $head))) (else (local.get $t))))"""
    count_lost = f"""
      (if (i64.ge_s (local.get $dropped_until_ns) (i64.const 0)) (then
        (if (i64.lt_s (i64.sub (local.get $t) (local.get $dropped_until_ns)) (local.get $window_ns)) (then
          {rings.COUNT_OVERFLOW}))
        (local.set $dropped_until_ns (i64.const -1))))"""
    change = f"""
      (if (local.get $entries) (then {_span(*open_span)}))
      {rings.push_counted(f"{drop} {note_dropped}", "i32", "(local.get $value)")}
      (local.set $latest (local.get $value)) (local.set $latest_ns (local.get $t))"""
    body = f"""
      {count_lost} {evict}
      (if (local.get $entries) (then {measure}) (else (local.set $held (f64.const nan))))
      (local.set $value (i32.or {is_true(0)} (i32.shl {is_false(0)} (i32.const 1))))
      (if (i32.or (i32.eqz (local.get $entries)) (i32.ne (local.get $value) (local.get $latest))) (then {change}))"""
    same = "(select (local.get $T0) (local.get $F0) (i32.eq (local.get $latest) (i32.const 1)))"
    steady = f"""
      (i32.and (i64.lt_s (local.get $dropped_until_ns) (i64.const 0))
        (i32.and (i32.and (i32.eq (local.get $entries) (i32.const 1)) (i32.ne (local.get $latest) (i32.const 0)))
          (i64.eq {same} (local.get $pending))))"""
    return number_steps(
        "share",
        ("arg0", "out", "due", "state", "ring", "capacity", "window_ns"),
        (
            *rings.COUNTED_RING,
            Slot("true_ns", "i64"),
            Slot("known_ns", "i64"),
            Slot("latest", "i32"),
            Slot("latest_ns", "i64"),
            Slot("dropped_until_ns", "i64", -1),
        ),
        body,
        conditions=1,
        local=f"""{rings.LOCALS} (local $second i32) (local $value i32) (local $span i64)
          (local $all_true_ns i64) (local $all_known_ns i64)""",
        begin=rings.begin(),
        skip=f"(if {steady} (then {keep_only()}))",
        end=rings.end(),
        ring_entry_bytes=rings.ENTRY_BYTES,
    )


KERNELS: dict[str, Kernel] = {"ema": _smooth(), "share": _share()}
