"""Kernels of means: `avg` over update ticks, `ema`, and `share`, the part of a window in which a condition holds."""

from __future__ import annotations

import math

from triggers.language.webassembly.kernel_parts import rings
from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot, finite_or_unknown, is_false, is_true
from triggers.language.webassembly.kernel_parts.skeletons import keep_only, number_steps
from triggers.language.webassembly.kernel_parts.updates import STACK_NOT_REACHED, if_updated, update_window


def _accumulate(value: str) -> str:
    """One step of a compensated sum: the correction collects what the addition rounds off (Knuth's two-sum)."""
    return f"""
      (local.set $total (f64.add (local.get $sum) (local.tee $term {value})))
      (local.set $moved (f64.sub (local.get $total) (local.get $sum)))
      (local.set $correction (f64.add (local.get $correction) (f64.add
        (f64.sub (local.get $sum) (f64.sub (local.get $total) (local.get $moved)))
        (f64.sub (local.get $term) (local.get $moved)))))
      (local.set $sum (local.get $total))"""


_START_SUM = "(local.set $sum (f64.const 0)) (local.set $correction (f64.const 0))"


def _mean() -> Kernel:
    """Two stacks in one ring, as for minima (see `windows`): an older entry holds the sum of itself and all younger
    ones of its stack, the younger ones have a running sum beside them. Nothing is ever subtracted, so that a number
    that has left the window leaves no trace.
    """
    flip = f"""
      (local.set $middle (local.get $tail))
      (local.set $at (local.get $tail))
      {_START_SUM}
      (loop $flip
        (if (i32.eq (local.get $at) (local.get $ring)) (then (local.set $at (local.get $ring_end))))
        (local.set $at (i32.sub (local.get $at) (i32.const 16)))
        {_accumulate("(f64.load offset=8 (local.get $at))")}
        (f64.store offset=8 (local.get $at) (f64.add (local.get $sum) (local.get $correction)))
        (br_if $flip (i32.ne (local.get $at) (local.get $head))))
      {_START_SUM}"""
    leaves = "(local.set $entries (i32.sub (local.get $entries) (i32.const 1)))"
    older_sum = "(f64.load offset=8 (local.get $head))"
    sum_of_all = "(f64.add (f64.add (local.get $sum) (local.get $correction)) (local.get $older_sum))"
    return update_window(
        "window_avg",
        (
            Slot("entries", "i32"),
            Slot("middle", "i32"),
            Slot("older_sum", "f64"),
            Slot("sum", "f64"),
            Slot("correction", "f64"),
        ),
        entry=("f64", "(local.get $x)"),
        adding=f"""
          {_accumulate("(local.get $x)")} (local.set $entries (i32.add (local.get $entries) (i32.const 1)))""",
        result=f"""
          (local.set $held (if (result f64) (local.get $entries)
            (then {finite_or_unknown(f"(f64.div {sum_of_all} (f64.convert_i32_u (local.get $entries)))")})
            (else (f64.const nan))))""",
        dropping=f"{leaves} (if (i32.eq (local.get $head) (local.get $middle)) (then {flip}))",
        dropped=f"""
          (local.set $older_sum (if (result f64) (i32.eq (local.get $head) (local.get $middle))
            (then (f64.const 0)) (else {older_sum})))""",
        run_dropping=leaves,
        run_dropped=f"(local.set $older_sum {older_sum})",
        barrier=STACK_NOT_REACHED,
        pointers=("$middle",),
        local="(local $scratch f64) (local $total f64) (local $moved f64) (local $term f64) (local $at i32)",
    )


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


KERNELS: dict[str, Kernel] = {"window_avg": _mean(), "ema": _smooth(), "share": _share()}
