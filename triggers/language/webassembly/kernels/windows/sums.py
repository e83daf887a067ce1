"""Kernels of sums over a window of update ticks: `sum`, `avg`, and `integral`, the sum of trapezoids.

Two stacks in one ring, as for minima (see `extremes`): an older entry holds the sum over itself and all younger ones of
its stack, the younger ones have a running sum beside them. Nothing is ever subtracted, so that a number that has left
the window leaves no trace.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot, finite_or_unknown
from triggers.language.webassembly.kernel_parts.updates import stack_not_reached, update_window


def accumulate(value: str) -> str:
    """One step of a compensated sum: the correction collects what the addition rounds off (Knuth's two-sum).

    The kernel has `$sum` and `$correction` as slots and `$total`, `$moved` and `$term` as locals, all f64.
    """
    return f"""
      (local.set $total (f64.add (local.get $sum) (local.tee $term {value})))
      (local.set $moved (f64.sub (local.get $total) (local.get $sum)))
      (local.set $correction (f64.add (local.get $correction) (f64.add
        (f64.sub (local.get $sum) (f64.sub (local.get $total) (local.get $moved)))
        (f64.sub (local.get $term) (local.get $moved)))))
      (local.set $sum (local.get $total))"""


START_SUM = "(local.set $sum (f64.const 0)) (local.set $correction (f64.const 0))"
_ONE_MORE = "(local.set $entries (i32.add (local.get $entries) (i32.const 1)))"
_ONE_LESS = "(local.set $entries (i32.sub (local.get $entries) (i32.const 1)))"
_SLOTS = (
    Slot("entries", "i32"),
    Slot("middle", "i32"),
    Slot("older_sum", "f64"),
    Slot("sum", "f64"),
    Slot("correction", "f64"),
)
_LOCALS = "(local $scratch f64) (local $total f64) (local $moved f64) (local $term f64) (local $at i32)"
_AT_VALUE = "(f64.load offset=8 (local.get $at))"
_NOTED = "(f64.add (local.get $sum) (local.get $correction))"
_OLDER_SUM = "(f64.load offset=8 (local.get $head))"
_IS_ALL_YOUNGER = "(i32.eq (local.get $head) (local.get $middle))"


def _flip(noting: str) -> str:
    """The younger stack becomes the older one; `noting` sums from the youngest entry on and notes the sum at `$at`."""
    return f"""
      (local.set $middle (local.get $tail))
      (local.set $at (local.get $tail))
      {START_SUM}
      (loop $flip
        (if (i32.eq (local.get $at) (local.get $ring)) (then (local.set $at (local.get $ring_end))))
        (local.set $at (i32.sub (local.get $at) (i32.const 16)))
        {noting}
        (br_if $flip (i32.ne (local.get $at) (local.get $head))))
      {START_SUM}"""


def _result(value: str) -> str:
    """The value of a window that is not empty; unknown where it is not finite."""
    return f"""
          (local.set $held (if (result f64) (local.get $entries)
            (then {finite_or_unknown(value)})
            (else (f64.const nan))))"""


def _sum(name: str, result: str) -> Kernel:
    """`result` is computed from `{sum}`, the sum of all entries."""
    flip = _flip(f"{accumulate(_AT_VALUE)} (f64.store offset=8 (local.get $at) {_NOTED})")
    return update_window(
        name,
        _SLOTS,
        entry=("f64", "(local.get $x)"),
        adding=f"""
          {accumulate("(local.get $x)")} {_ONE_MORE}""",
        result=_result(result.format(sum=f"(f64.add {_NOTED} (local.get $older_sum))")),
        dropping=f"{_ONE_LESS} (if {_IS_ALL_YOUNGER} (then {flip}))",
        dropped=f"""
          (local.set $older_sum (if (result f64) {_IS_ALL_YOUNGER}
            (then (f64.const 0)) (else {_OLDER_SUM})))""",
        run_dropping=_ONE_LESS,
        run_dropped=f"(local.set $older_sum {_OLDER_SUM})",
        barrier=stack_not_reached(),
        pointers=("$middle",),
        local=_LOCALS,
    )


def _integral() -> Kernel:
    """An entry has the area between the entry before it and itself, which counts while both are in the window.

    An older entry thus notes the areas of the younger ones without its own. The area of the younger stack's first
    entry reaches into the older stack: it is the `bridge`, and gone when the older stack is.
    """
    flip = _flip(f"""
        (local.set $area {_AT_VALUE})
        (f64.store offset=8 (local.get $at) {_NOTED})
        {accumulate("(local.get $area)")}""")
    mean = "(f64.div (f64.add (local.get $latest) (local.get $x)) (f64.const 2))"
    elapsed_s = "(f64.div (f64.convert_i64_s (i64.sub (local.get $t) (local.get $latest_ns))) (f64.const 1e9))"
    return update_window(
        "window_integral",
        (
            *_SLOTS,
            Slot("bridge", "f64"),
            Slot("younger", "i32"),
            Slot("latest", "f64"),
            Slot("latest_ns", "i64"),
        ),
        entry=("f64", "(local.get $area)"),
        adding=f"""
          (local.set $area (f64.const 0))
          (if (local.get $entries) (then
            (local.set $area (f64.mul {mean} {elapsed_s}))
            (if (local.get $younger)
              (then {accumulate("(local.get $area)")})
              (else (local.set $bridge (local.get $area))))))
          (local.set $younger (i32.add (local.get $younger) (i32.const 1)))
          (local.set $latest (local.get $x)) (local.set $latest_ns (local.get $t)) {_ONE_MORE}""",
        result=_result(f"(f64.add (f64.add {_NOTED} (local.get $bridge)) (local.get $older_sum))"),
        dropping=f"{_ONE_LESS} (if {_IS_ALL_YOUNGER} (then {flip} (local.set $younger (i32.const 0))))",
        dropped=f"""
          (if {_IS_ALL_YOUNGER}
            (then (local.set $older_sum (f64.const 0)) (local.set $bridge (f64.const 0)))
            (else (local.set $older_sum {_OLDER_SUM})))""",
        run_dropping=_ONE_LESS,
        run_dropped=f"(local.set $older_sum {_OLDER_SUM})",
        barrier=stack_not_reached(),
        pointers=("$middle",),
        local=f"{_LOCALS} (local $area f64)",
    )


KERNELS: dict[str, Kernel] = {
    "window_avg": _sum("window_avg", "(f64.div {sum} (f64.convert_i32_u (local.get $entries)))"),
    "window_sum": _sum("window_sum", "{sum}"),
    "window_integral": _integral(),
}
