"""The kernel of `std` over a window of update ticks, which never subtracts large numbers from each other.

Two stacks in one ring, as for sums: an older entry holds the mean and the sum of squared differences from it, of itself
and all younger ones of its stack (Welford 1962); the two stacks are joined as by Chan, Golub and LeVeque (1979).
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot, finite_or_unknown
from triggers.language.webassembly.kernel_parts.updates import stack_not_reached, update_window

_ENTRY_BYTES = 24
"""A time, then the number, or the mean in the older stack; then room for the older stack's sum of squares."""

_INCLUDE = """
      (local.set $younger (i32.add (local.get $younger) (i32.const 1)))
      (local.set $apart (f64.sub (local.get $number) (local.get $mean)))
      (local.set $mean (f64.add (local.get $mean)
        (f64.div (local.get $apart) (f64.convert_i32_u (local.get $younger)))))
      (local.set $squares (f64.add (local.get $squares)
        (f64.mul (local.get $apart) (f64.sub (local.get $number) (local.get $mean)))))"""
_START = """
      (local.set $younger (i32.const 0)) (local.set $mean (f64.const 0)) (local.set $squares (f64.const 0))"""
_LOAD_OLDER = """
      (local.set $older_mean (f64.load offset=8 (local.get $head)))
      (local.set $older_squares (f64.load offset=16 (local.get $head)))"""
_ONE_LESS = "(local.set $entries (i32.sub (local.get $entries) (i32.const 1)))"


def _deviation() -> Kernel:
    is_all_younger = "(i32.eq (local.get $head) (local.get $middle))"
    flip = f"""
      (local.set $middle (local.get $tail))
      (local.set $at (local.get $tail))
      {_START}
      (loop $flip
        (if (i32.eq (local.get $at) (local.get $ring)) (then (local.set $at (local.get $ring_end))))
        (local.set $at (i32.sub (local.get $at) (i32.const {_ENTRY_BYTES})))
        (local.set $number (f64.load offset=8 (local.get $at)))
        {_INCLUDE}
        (f64.store offset=8 (local.get $at) (local.get $mean))
        (f64.store offset=16 (local.get $at) (local.get $squares))
        (br_if $flip (i32.ne (local.get $at) (local.get $head))))
      {_START}"""
    older = "(i32.sub (local.get $entries) (local.get $younger))"
    both = f"(i32.and (i32.ne (local.get $younger) (i32.const 0)) (i32.ne {older} (i32.const 0)))"
    shares = f"(f64.mul (f64.convert_i32_u (local.get $younger)) (f64.convert_i32_u {older}))"
    return update_window(
        "window_std",
        (
            Slot("entries", "i32"),
            Slot("middle", "i32"),
            Slot("older_mean", "f64"),
            Slot("older_squares", "f64"),
            Slot("younger", "i32"),
            Slot("mean", "f64"),
            Slot("squares", "f64"),
        ),
        entry=("f64", "(local.get $x)"),
        adding=f"""
          (local.set $number (local.get $x))
          {_INCLUDE} (local.set $entries (i32.add (local.get $entries) (i32.const 1)))""",
        result=f"""
          (local.set $apart (select (f64.sub (local.get $mean) (local.get $older_mean)) (f64.const 0) {both}))
          (local.set $held (if (result f64) (local.get $entries) (then
            (local.set $count (f64.convert_i32_u (local.get $entries)))
            {
            finite_or_unknown(f'''(f64.sqrt (f64.div
              (f64.add (f64.add (local.get $squares) (local.get $older_squares))
                (f64.mul (f64.mul (local.get $apart) (local.get $apart)) (f64.div {shares} (local.get $count))))
              (local.get $count)))''')
        })
            (else (f64.const nan))))""",
        dropping=f"{_ONE_LESS} (if {is_all_younger} (then {flip}))",
        dropped=f"""
          (if {is_all_younger}
            (then (local.set $older_mean (f64.const 0)) (local.set $older_squares (f64.const 0)))
            (else {_LOAD_OLDER}))""",
        run_dropping=_ONE_LESS,
        run_dropped=_LOAD_OLDER,
        barrier=stack_not_reached(_ENTRY_BYTES),
        pointers=("$middle",),
        local="(local $scratch f64) (local $apart f64) (local $count f64) (local $number f64) (local $at i32)",
        entry_bytes=_ENTRY_BYTES,
    )


KERNELS: dict[str, Kernel] = {"window_std": _deviation()}
