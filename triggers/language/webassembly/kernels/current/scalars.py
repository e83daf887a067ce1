"""Kernels of `wrap`, `lookup`, ranges and equality of conditions: functions of the current values alone."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import Kernel, kernel_text
from triggers.language.webassembly.kernel_parts.words import each_word, load, store

_ZERO = "(v128.const f64x2 0 0)"


def _is_finite(vector: str) -> str:
    """All ones in the lanes of a local vector that are finite."""
    return f"(f64x2.eq (f64x2.sub (local.get {vector}) (local.get {vector})) {_ZERO})"


def _wrap() -> Kernel:
    """`angle - turn * floor((angle + half_turn) / turn)`, two ticks per iteration.

    A subtraction that rounds up to the open end, or below the closed one, is put right by one more turn. The quotient
    of a huge angle may be infinite; it counts as 0, as in the interpreter.
    """
    signature = ("arg0", "out", "half_turn")
    body = f"""(local.set $half (f64x2.splat (local.get $half_turn)))
      (local.set $full (f64x2.splat (f64.mul (f64.const 2) (local.get $half_turn))))
      (local.set $end (i32.add (local.get $out) (i32.shl (global.get $count) (i32.const 3))))
      (loop $twos
        (local.set $angle (v128.load (local.get $arg0)))
        (local.set $turns (f64x2.div (f64x2.add (local.get $angle) (local.get $half)) (local.get $full)))
        (local.set $turns (v128.and (local.get $turns) {_is_finite("$turns")}))
        (local.set $angle (f64x2.sub (local.get $angle)
          (f64x2.mul (local.get $full) (f64x2.floor (local.get $turns)))))
        (local.set $angle (v128.bitselect (local.get $angle) (v128.const f64x2 nan nan) {_is_finite("$angle")}))
        (local.set $back (v128.and (local.get $full) (f64x2.ge (local.get $angle) (local.get $half))))
        (local.set $on (v128.and (local.get $full) (f64x2.lt (local.get $angle) (f64x2.neg (local.get $half)))))
        (v128.store (local.get $out)
          (f64x2.sub (local.get $angle) (f64x2.sub (local.get $back) (local.get $on))))
        (local.set $arg0 (i32.add (local.get $arg0) (i32.const 16)))
        (local.set $out (i32.add (local.get $out) (i32.const 16)))
        (br_if $twos (i32.lt_u (local.get $out) (local.get $end))))"""
    vectors = " ".join(f"(local ${name} v128)" for name in ("half", "full", "angle", "turns", "back", "on"))
    return Kernel("wrap", signature, kernel_text("wrap", signature, f"(local $end i32) {vectors}", body))


_INTEGER_FROM = "(f64.const 0x1p52)"
"""From this number on doubles are integers: a smaller one that is added lies in the low bits of the sum."""


def _lookup() -> Kernel:
    """The table's entry at a whole number within it, else unknown; the same one again while the number stays."""
    signature = ("arg0", "out", "table", "length")
    x, shifted = "(local.get $x)", "(local.get $shifted)"
    body = f"""(local.set $entries (f64.convert_i32_u (local.get $length)))
      (local.set $end (i32.add (local.get $out) (i32.shl (global.get $count) (i32.const 3))))
      (local.set $before (f64.const nan)) (local.set $entry (f64.const nan))
      (loop $ticks
        (local.set $x (f64.load (local.get $arg0)))
        (if (f64.ne {x} (local.get $before)) (then
          (local.set $before {x})
          (local.set $entry (f64.const nan))
          (if (i32.and (f64.ge {x} (f64.const 0)) (f64.lt {x} (local.get $entries))) (then
            (local.set $shifted (f64.add {x} {_INTEGER_FROM}))
            (if (f64.eq (f64.sub {shifted} {_INTEGER_FROM}) {x}) (then
              (local.set $entry (f64.load (i32.add (local.get $table)
                (i32.shl (i32.wrap_i64 (i64.reinterpret_f64 {shifted})) (i32.const 3)))))))))))
        (f64.store (local.get $out) (local.get $entry))
        (local.set $arg0 (i32.add (local.get $arg0) (i32.const 8)))
        (local.set $out (i32.add (local.get $out) (i32.const 8)))
        (br_if $ticks (i32.lt_u (local.get $out) (local.get $end))))"""
    numbers = " ".join(f"(local ${name} f64)" for name in ("x", "entries", "before", "entry", "shifted"))
    return Kernel("lookup", signature, kernel_text("lookup", signature, f"(local $end i32) {numbers}", body))


def _in_range() -> Kernel:
    """The number itself if it is not below `low` and not above `high`, else unknown; two ticks per iteration."""
    signature = ("arg0", "out", "low", "high")
    number = "(local.get $number)"
    body = f"""(local.set $least (f64x2.splat (local.get $low)))
      (local.set $most (f64x2.splat (local.get $high)))
      (local.set $end (i32.add (local.get $out) (i32.shl (global.get $count) (i32.const 3))))
      (loop $twos
        (local.set $number (v128.load (local.get $arg0)))
        (v128.store (local.get $out) (v128.bitselect {number} (v128.const f64x2 nan nan)
          (v128.and (f64x2.ge {number} (local.get $least)) (f64x2.le {number} (local.get $most)))))
        (local.set $arg0 (i32.add (local.get $arg0) (i32.const 16)))
        (local.set $out (i32.add (local.get $out) (i32.const 16)))
        (br_if $twos (i32.lt_u (local.get $out) (local.get $end))))"""
    vectors = " ".join(f"(local ${name} v128)" for name in ("least", "most", "number"))
    return Kernel("in_range", signature, kernel_text("in_range", signature, f"(local $end i32) {vectors}", body))


def _equality(name: str, *, equal: bool) -> Kernel:
    """Both true or both false against one of each; neither where one is unknown."""
    signature = ("arg0", "arg1", "out")
    true, false = ("$same", "$differ") if equal else ("$differ", "$same")
    words = f"""(local.set $T0 {load("arg0")}) (local.set $F0 {load("arg0", half=True)})
      (local.set $T1 {load("arg1")}) (local.set $F1 {load("arg1", half=True)})
      (local.set $same (i64.or (i64.and (local.get $T0) (local.get $T1)) (i64.and (local.get $F0) (local.get $F1))))
      (local.set $differ (i64.or (i64.and (local.get $T0) (local.get $F1)) (i64.and (local.get $F0) (local.get $T1))))
      {store(f"(local.get {true})", f"(local.get {false})")}"""
    local = "(local $w i32) " + " ".join(f"(local ${name} i64)" for name in ("T0", "F0", "T1", "F1", "same", "differ"))
    return Kernel(name, signature, kernel_text(name, signature, local, each_word(words)))


KERNELS: dict[str, Kernel] = {
    "wrap": _wrap(),
    "lookup": _lookup(),
    "in_range": _in_range(),
    "eq_bool": _equality("eq_bool", equal=True),
    "ne_bool": _equality("ne_bool", equal=False),
}
